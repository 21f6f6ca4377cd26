//! `twostep references`

use std::path::{Path, PathBuf};

use clap::Args;

use super::environment::Environment;
use super::exit::{Exit, unwrapped};
use super::number::counted;
use super::plan::read_spec;
use super::printer::Printer;
use crate::flow::{pack, plan_file, references};
use crate::plan::{Reference, Status};
use crate::repo;

/// Say what a plan names, and whether it is there
///
/// Every path in the plan is held against your files: there; the end of exactly one path; renamed since, as git knows;
/// made by the plan; ambiguous; or missing, with what is most like it. A name such as `Type::method` leads to the file that
/// defines it. Exit code 1 when one is missing or ambiguous, or there is none.
#[derive(Args, Debug)]
pub(super) struct ReferencesArgs {
    /// The plan, in Markdown (`-`: stdin)
    #[arg(value_name = "PLAN", default_value = plan_file::NAME)]
    plan: PathBuf,

    /// Print them to stdout as JSON
    #[arg(long, conflicts_with = "paths")]
    json: bool,

    /// Print only the paths of the files that are there, relative to the root of the repository, one a line
    #[arg(long)]
    paths: bool,

    /// Paths end in NUL, not in a line break
    #[arg(short = '0', long = "null", requires = "paths")]
    null: bool,
}

pub(super) fn run(
    args: &ReferencesArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let text = read_spec(&args.plan, environment)?;
    let plan = plan_file::parse(&text, &args.plan).map_err(unwrapped)?;
    let (repository, _, problem) = repo::open(&environment.directory, &[])?;
    if let Some(problem) = problem {
        printer.warn(&format!("{problem}; going on without git"));
    }
    let threads = super::environment::threads(None);
    let candidates = pack::all_candidates(&repository, threads);
    let references = references::resolve(&text, &plan, &repository, &candidates);
    let n_open = references
        .iter()
        .filter(|reference| reference.is_open())
        .count();
    if args.json {
        printer.json(&references)?;
    } else if args.paths {
        let end = if args.null { b'\0' } else { b'\n' };
        let mut out = Vec::new();
        for path in references.iter().filter_map(there) {
            out.extend_from_slice(path.as_bytes());
            out.push(end);
        }
        printer.data(&out)?;
    } else {
        let lines: String = references.iter().map(line).collect();
        printer.data(lines.as_bytes())?;
    }
    if references.is_empty() {
        printer.warn(&format!("`{}` names no file", args.plan.display()));
    }
    if args.paths && n_open > 0 {
        let n = counted(
            n_open,
            "path that the plan names is",
            "paths that the plan names are",
        );
        printer.warn(&format!(
            "{n} missing or ambiguous, and not printed; `twostep references` without `--paths` tells which"
        ));
    }
    Ok(if n_open > 0 || references.is_empty() {
        Exit::Negative
    } else {
        Exit::Success
    })
}

/// Returns the path of a file that is there.
fn there(reference: &Reference) -> Option<&crate::path::RepoPath> {
    match &reference.status {
        Status::Exact(path) | Status::Suffix(path) | Status::Renamed(path) => Some(path),
        Status::Folder(_) | Status::Created(_) | Status::Ambiguous(_) | Status::Missing(_) => None,
    }
}

fn line(reference: &Reference) -> String {
    let paths: Vec<String> = reference.paths().iter().map(ToString::to_string).collect();
    let (status, written) = (
        reference.status.name(),
        super::printer::clean(&reference.written),
    );
    let rest = match &reference.status {
        // The name of something in a file tells which.
        Status::Exact(_) if paths[0] != reference.written => format!(" -> {}", paths.join(", ")),
        Status::Exact(_) | Status::Folder(_) | Status::Created(_) => String::new(),
        Status::Suffix(_) | Status::Renamed(_) => format!(" -> {}", paths.join(", ")),
        Status::Ambiguous(_) => format!(": {}", paths.join(", ")),
        Status::Missing(_) if paths.is_empty() => String::new(),
        Status::Missing(_) => format!("; perhaps {}", paths.join(", ")),
    };
    format!("{status:<10} {written}{rest} (line {})\n", reference.line)
}

/// Returns the files of `plan` that are there, relative to the root of the repository.
pub(super) fn files_of_plan(
    plan: &Path,
    repository: &repo::Repository,
    environment: &Environment,
) -> anyhow::Result<Vec<repo::Named>> {
    let text = read_spec(plan, environment)?;
    let body = plan_file::parse(&text, plan).map_err(unwrapped)?;
    let threads = super::environment::threads(None);
    let candidates = pack::all_candidates(repository, threads);
    let references = references::resolve(&text, &body, repository, &candidates);
    references::all_clear(&references).map_err(unwrapped)?;
    Ok(crate::flow::brief::named(&references))
}
