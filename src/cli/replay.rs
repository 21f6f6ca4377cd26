//! `twostep runs replay`

use std::ffi::OsString;
use std::path::Path;

use clap::Args;

use super::begin::{Command, parse_again, read_command};
use super::environment::{Environment, threads};
use super::exit::{Exit, RunStopped, usage};
use super::printer::{Printer, Volume};
use super::{Verb, obey};
use crate::flow::{replay, sweep};
use crate::fs::{self, FsError, SystemKind};
use crate::repo::Repository;
use crate::run;

/// Do a run again from its recorded answers, offline, in a copy of the files that it began with
///
/// Nobody is asked, no check is run, and nothing of yours changes: what the checks said is taken from the run. Says
/// whether pack, plan, references and change come out as they did; exit 1 if not.
#[derive(Args, Debug)]
pub(super) struct ReplayArgs {
    /// The run (default: the last)
    #[arg(value_name = "RUN")]
    id: Option<String>,
}

pub(super) fn run(
    args: &ReplayArgs,
    repository: &Repository,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let root = repository.root.path();
    let id = super::runs::find(&run::all(root)?, args.id.as_deref())?
        .id
        .clone();
    let command = read_command(root, &id, environment)?;
    let cache = environment.cache()?;
    let _claim = sweep::claim(&cache, &id)?;
    let place = cache.join(&id);
    // One that was killed left its files.
    clear(&place)?;
    let outcome = again(&id, &command, repository, &place, environment, printer);
    clear(&place)?;
    outcome
}

fn clear(place: &Path) -> Result<(), FsError> {
    match fs::kind(place)? {
        SystemKind::Missing => Ok(()),
        _ => fs::remove_folder(place),
    }
}

/// Makes the files, does the run again among them, and holds it against the first.
fn again(
    id: &str,
    command: &Command,
    repository: &Repository,
    place: &Path,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let root = repository.root.path();
    let first = root.join(run::FOLDER).join(id);
    let files = if replay::knows_files(root, id) {
        replay::files_of(&repository.root, id, place, threads(None))?
    } else if repository.git.is_some() {
        printer.note("the run kept no record of the files that it began with: it is done again with those that are there now");
        replay::files_now(repository, place, threads(None))?
    } else {
        return Err(replay::ReplayError::NoSnapshot(id.to_owned()).into());
    };
    let inside = command.folder.strip_prefix(root).unwrap_or(Path::new(""));
    let own = command.arguments.iter().map(OsString::from);
    let own: Vec<OsString> = own.filter(|word| word != "--json").collect();
    let parse = |more: &[&str]| {
        let more = more.iter().map(OsString::from).collect();
        parse_again(own.clone(), more).map_err(|error| {
            usage(
                format!("cannot do the run {id} again: {error}"),
                "it was made by another version of twostep",
            )
        })
    };
    let cli = match parse(&[])?.verb {
        Verb::PlanExec(_) => parse(&["--yes", "--force", "--accept-sensitive", "--land", "none"])?,
        Verb::Exec(_) | Verb::Workflow(_) => {
            parse(&["--yes", "--accept-sensitive", "--land", "none"])?
        }
        _ => {
            return Err(usage(
                format!("the run {id} is no `plan-exec`, `exec` or `workflow`"),
                "name a run that was one: `twostep runs` lists all",
            ));
        }
    };
    // What it tells is of a copy that is gone afterwards.
    let volume = match printer.volume() {
        Volume::Verbose => Volume::Verbose,
        _ => Volume::Quiet,
    };
    let quiet = Printer::new(volume);
    let failed = obey(
        &cli,
        &environment.of_replay(&first, files.join(inside)),
        &quiet,
    );
    let Some(last) = run::ids(&files)?.pop() else {
        // It did not even begin.
        return failed;
    };
    let made = files.join(run::FOLDER).join(&last);
    let compared = replay::compare(&first, &made)?;
    for (word, names) in [("same", &compared.same), ("differs", &compared.different)] {
        for name in names {
            printer.data(format!("{word:<8} {name}\n").as_bytes())?;
        }
    }
    let (n_same, n) = (
        compared.same.len(),
        compared.same.len() + compared.different.len(),
    );
    if n == 0 {
        return failed;
    }
    printer.note(&format!(
        "{n_same} of the {n} files that the run {id} made come out the same"
    ));
    if compared.different.is_empty() {
        // What stopped the first run stops it again.
        return Ok(Exit::Success);
    }
    if let Err(error) = failed {
        let why = why(&error, (&files, &last), (root, id));
        printer.warn(&format!("done again, it stopped: {why}"));
    }
    Ok(Exit::Negative)
}

/// Returns why a run stopped; what that names of the copy, which goes, is named as it is in the run that was done again.
fn why(error: &anyhow::Error, (files, last): (&Path, &str), (root, id): (&Path, &str)) -> String {
    let n_outer = usize::from(error.is::<RunStopped>());
    let causes = error.chain().skip(n_outer);
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    let why = causes.join(": ");
    why.replace(&*files.to_string_lossy(), &root.to_string_lossy())
        .replace(last, id)
}
