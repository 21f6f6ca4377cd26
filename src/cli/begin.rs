//! How a run begins, and how one that did not come to its end is gone on with.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Parser as _};
use serde::{Deserialize, Serialize};

use super::agents::Lent;
use super::change::ACCEPT_SENSITIVE;
use super::environment::{Environment, now_ms};
use super::exit::{Exit, hint_in, is_interrupted, resume as resume_of, unwrapped, usage};
use super::printer::{Printer, read_stdin};
use super::{Cli, obey};
use crate::agent::quoted;
use crate::flow::plan_exec::{Done, RunError, or_waiting};
use crate::flow::resume::{self, Left};
use crate::flow::sweep::Claim;
use crate::fs::{self, Hash};
use crate::repo::Repository;
use crate::run::{self, Event, Outcome, Run, Summary, Watch};

/// The file of a run that says how it was started.
const COMMAND_FILE: &str = "command.json";

/// No answer is larger.
const MAX_ANSWER_BYTES: u64 = 256 << 20;

/// A command line has no more bytes.
const MAX_COMMAND_BYTES: u64 = 4 << 20;

/// How a run was started.
#[derive(Serialize, Deserialize)]
pub(super) struct Command {
    /// The version of the format: 1.
    version: u32,
    /// The folder that paths start from.
    pub(super) folder: PathBuf,
    /// What followed the name of the program, without its secrets.
    pub(super) arguments: Vec<String>,
}

/// Go on with a run that was killed, interrupted or stopped
///
/// It does again what it did: what an agent has answered is not asked for again, and your files change at most once.
#[derive(Args, Debug)]
pub(super) struct ResumeArgs {
    /// The run (default: the last)
    #[arg(value_name = "RUN")]
    id: Option<String>,

    /// Ask agents again whose prompt is another by now, because files, spec or options have changed
    #[arg(long)]
    accept_changes: bool,

    /// The caller's answer to the prompt that the run stopped with (`-`: stdin)
    #[arg(long, value_name = "FILE")]
    answer: Option<PathBuf>,

    /// Go on without asking
    #[arg(short, long)]
    yes: bool,

    /// More options for the run, after `--`; they stand above those that it was started with
    #[arg(last = true, value_name = "OPTION")]
    more: Vec<OsString>,
}

/// Begins a run, or goes on with the one that the user wants; with its place in the cache.
pub(super) fn begin(
    repository: &Repository,
    (verb, title): (&str, &str),
    lent: &Lent,
    watch: Option<Watch>,
    environment: &Environment,
) -> anyhow::Result<(Run, Claim)> {
    let root = repository.root.path();
    if let Some(run) = environment.resumed().take() {
        run.watch(watch);
        let place = lent.claim(&run.id)?;
        // Who was killed took nothing out of what programs wrote.
        resume::strike(&run.folder, lent.secrets())?;
        return Ok((*run, place));
    }
    // What a run says that came with the files is nobody's word.
    if !run::is_foreign(repository)
        && let Some(id) = run::half_landed(root)?
    {
        return Err(usage(
            format!("the run {id} was ended while it landed: your files are half as they were"),
            format!(
                "go on with it by `twostep runs resume {id}`, or put them back: `twostep undo {id}`"
            ),
        ));
    }
    let redactor = &lent.redactor;
    let id = environment.run_id();
    // First, so that a run that has no place leaves nothing.
    let place = lent.claim(&id)?;
    let arguments = environment.arguments.iter();
    let arguments = arguments.map(|word| Some(redactor.redacted(word.to_str()?)));
    // Words that are no text cannot be kept: such a run cannot be gone on with, and says so then.
    let command = arguments.collect::<Option<_>>().map(|arguments| {
        run::json(&Command {
            version: 1,
            folder: environment.directory.clone(),
            arguments,
        })
    });
    claim_as_ours(root, &id, command.as_deref(), environment)?;
    let run = Run::begin(root, id, now_ms)?;
    run.watch(watch);
    run.record(Event::Started {
        verb: verb.to_owned(),
        title: redactor.redacted(title),
    })?;
    if let Some(command) = command {
        run.keep(COMMAND_FILE, &command)?;
    }
    Ok((run, place))
}

/// Records what a run came to, and returns that.
///
/// # Errors
///
/// Fails if the run did, or its end cannot be recorded.
pub(super) fn end(run: &Run, done: Result<Done, RunError>, lent: &Lent) -> anyhow::Result<Done> {
    let done = or_waiting(done).map_err(unwrapped);
    let outcome = match &done {
        Ok(done) => done.outcome(),
        Err(error) => Outcome::Stopped(format!("{error:#}")),
    };
    let advice = match &done {
        Ok(Done::Planned(file)) => {
            let typed = file.strip_prefix(run.root()).unwrap_or(file);
            let typed = quoted(typed.as_os_str());
            Some(format!("`twostep exec {typed}` carries the plan out"))
        }
        Ok(_) => None,
        Err(error) => hint_in(error, &resume_of(run, None)),
    };
    let exit = exit_of(&done, lent.signal());
    let recorded = run.end(outcome, exit as u8, advice.as_deref());
    let done = done?;
    recorded.context("it came to its end, and that cannot be recorded")?;
    Ok(done)
}

/// Returns how the process of a run ends, where `signal` came.
pub(super) fn exit_of(done: &anyhow::Result<Done>, signal: Option<i32>) -> Exit {
    match (done, signal) {
        // What has landed has landed.
        (Ok(Done::Executed(_)), _) | (Ok(_), None) => Exit::Success,
        (Err(error), Some(signal)) if is_interrupted(error) => Exit::of_signal(signal),
        (Ok(_), Some(signal)) => Exit::of_signal(signal),
        (Err(error), _) => Exit::of(error),
    }
}

/// Prints each record of a run to stdout, as JSON on a line of its own.
pub(super) fn events(printer: &Printer) -> Watch {
    let printer = Printer::new(printer.volume());
    Box::new(move |record| {
        // Who does not read them any more does not end the run.
        let _ = printer.json(record);
    })
}

/// The folder in the cache with a mark for each run that was begun here: a run folder may have come with the files.
const OURS: &str = "begun";

/// Remembers that the run `id` of the repository at `root` was begun here, by `command`.
fn claim_as_ours(
    root: &Path,
    id: &str,
    command: Option<&[u8]>,
    environment: &Environment,
) -> anyhow::Result<()> {
    let folder = environment.cache()?.join(OURS);
    fs::make_private_folders(&folder)?;
    let mark = mark(root, command.unwrap_or_default());
    Ok(fs::write_durable(&folder.join(id), &mark)?)
}

/// Returns what is in the mark of a run that `command` began in the repository at `root`.
fn mark(root: &Path, command: &[u8]) -> Vec<u8> {
    let hash = Hash::of(command).to_string();
    [hash.as_bytes(), b" ", root.as_os_str().as_bytes()].concat()
}

/// Reads how the run `id` of the repository at `root` was started, if that was here.
pub(super) fn read_command(
    root: &Path,
    id: &str,
    environment: &Environment,
) -> anyhow::Result<Command> {
    let silent = || {
        usage(
            format!("the run {id} does not tell how it was started"),
            "start it anew; a run can be gone on with if all words of its command line are text",
        )
    };
    let place = root.join(run::FOLDER).join(id);
    if !fs::has_entry(&place, COMMAND_FILE) {
        return Err(silent());
    }
    let file = place.join(COMMAND_FILE);
    let written = fs::read_regular(&file, MAX_COMMAND_BYTES)?;
    let folder = environment.cache()?.join(OURS);
    let is_ours = fs::has_entry(&folder, id)
        && fs::read_regular(&folder.join(id), MAX_COMMAND_BYTES)? == mark(root, &written);
    if !is_ours {
        return Err(usage(
            format!(
                "the run {id} was not begun so by you on this machine: its command line may be anybody's"
            ),
            format!("look at `{}`, and start it anew", file.display()),
        ));
    }
    let command: Command = serde_json::from_slice(&written).map_err(|_| silent())?;
    if let Some(word) = command
        .arguments
        .iter()
        .find(|word| word.contains("[REDACTED:"))
    {
        return Err(usage(
            format!(
                "the run {id} was started with a secret on its command line, which is not kept: `{word}`"
            ),
            "start it anew, with the secret in a variable or a file",
        ));
    }
    Ok(command)
}

/// Parses the words of a command line again, with `more` options that stand above those in it; says what is wrong with
/// them in one line.
pub(super) fn parse_again(own: Vec<OsString>, more: Vec<OsString>) -> Result<Cli, String> {
    let mut words = own;
    // Behind it there are no options.
    let end = words.iter().position(|word| word == "--");
    let end = end.unwrap_or(words.len());
    words.splice(end..end, more);
    Cli::try_parse_from(std::iter::once("twostep".into()).chain(words)).map_err(|error| {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        first.trim_start_matches("error: ").to_owned()
    })
}

/// Goes on with a run.
pub(super) fn run_resume(
    args: &ResumeArgs,
    repository: &Repository,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let root = repository.root.path();
    let id = super::runs::find(&run::all(root)?, args.id.as_deref())?
        .id
        .clone();
    let Summary { outcome, verb, .. } = run::summary(root, &id)?;
    let another = match verb.as_str() {
        "workflow" => "--role NAME=AGENT",
        _ => "--planner AGENT",
    };
    if matches!(outcome, Outcome::Waiting(_)) && args.answer.is_none() && args.more.is_empty() {
        return Err(usage(
            format!("the run {id} waits for your answer"),
            format!("give it with `--answer FILE`, or let another play the role: `-- {another}`"),
        ));
    }
    let command = read_command(root, &id, environment)?;
    let is_said_before = command
        .arguments
        .iter()
        .any(|word| word == ACCEPT_SENSITIVE);
    let is_agreed = args.more.iter().any(|word| word == ACCEPT_SENSITIVE);
    let own = command.arguments.into_iter().map(OsString::from);
    let yes = args.yes.then(|| "--yes".into());
    let more = yes.into_iter().chain(args.more.iter().cloned());
    let cli = parse_again(own.collect(), more.collect()).map_err(|error| {
        usage(
            format!("cannot go on with the run {id}: {error}"),
            format!("after `--` give options that its verb has, as `{another}`"),
        )
    })?;
    let mut run = match resume::take_up(repository, &id, now_ms)? {
        Left::Rest(run) => run,
        Left::Nothing(outcome) => {
            let how = match outcome {
                Outcome::Undone => "was undone",
                Outcome::Kept => "is done, and its change is in its folder",
                _ => "has landed",
            };
            printer.note(&format!(
                "the run {id} {how}; there is nothing to go on with"
            ));
            return Ok(Exit::Success);
        }
    };
    if args.accept_changes {
        run.accept_changes();
    }
    if is_agreed && !is_said_before {
        // Who has read what stopped it knows nothing of what agents do from now on.
        run.agree()?;
    }
    if let Some(file) = &args.answer {
        let bytes = if file == Path::new("-") {
            read_stdin(MAX_ANSWER_BYTES)?.into_bytes()
        } else {
            fs::read_regular(&environment.at(file), MAX_ANSWER_BYTES)?
        };
        run.answer(&bytes)?;
    }
    obey(&cli, &environment.of_run(run, command.folder), printer)
}
