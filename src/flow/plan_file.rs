//! A plan's file: where it goes, how it says whose it is, and whether it may be written over.
//!
//! In: a plan, its run. Out: the file. Invariant: what somebody edited is never written over.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::plan_exec::RunError;
use crate::fs::{self, FsError, SystemKind};
use crate::plan::Plan;
use crate::run::{self, Run};

/// How a plan's file begins, so that it is known as ours.
pub const HEAD: &str = "<!-- twostep plan ";

/// The file that a plan is written to.
pub const NAME: &str = "AI-PLAN.md";

/// No plan is larger.
pub(super) const MAX_BYTES: u64 = 16 << 20;

/// Returns where the plan of `run` goes: `file`, or beside it where that holds the plan of another run that is at work.
pub(super) fn place(file: &Path, run: &Run) -> Result<PathBuf, FsError> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let own = file.with_file_name(format!("{stem}-{}.md", run.id));
    if fs::kind(&own)? != SystemKind::Missing {
        return Ok(own);
    }
    let other = match fs::kind(file)? {
        SystemKind::Missing => None,
        _ => run_of(file)?.filter(|id| *id != run.id),
    };
    Ok(match other {
        Some(id) if run::is_alive(run.root(), &id)? => own,
        _ => file.to_owned(),
    })
}

/// Returns what is in a file, if it is there.
pub(super) fn seen(file: &Path) -> Result<Option<Vec<u8>>, FsError> {
    match fs::kind(file)? {
        SystemKind::Missing => Ok(None),
        _ => fs::read_regular(file, MAX_BYTES).map(Some),
    }
}

/// Reads a plan's file, by whomever it was written.
///
/// # Errors
///
/// Fails on what is no text, or empty.
pub fn read(file: &Path) -> Result<Plan, RunError> {
    let text = fs::read_regular_text(file, MAX_BYTES)?;
    parse(&text, file)
}

/// Takes the plan out of a file's text.
///
/// # Errors
///
/// Fails on what is empty.
pub fn parse(text: &str, file: &Path) -> Result<Plan, RunError> {
    let body = match text
        .strip_prefix(HEAD)
        .and_then(|rest| rest.split_once("-->"))
    {
        Some((_, body)) => body,
        None => text,
    };
    Plan::read(body).map_err(|source| RunError::Plan {
        path: file.to_owned(),
        source,
    })
}

/// Returns the run that wrote the plan in `file`, if its head says so.
///
/// # Errors
///
/// Fails if the file cannot be read.
pub fn run_of(file: &Path) -> Result<Option<String>, FsError> {
    let text = fs::read_regular_text(file, MAX_BYTES)?;
    let head = text
        .strip_prefix(HEAD)
        .and_then(|rest| rest.split_once(" -->"));
    // Anybody may have written it.
    let id = head.map(|(id, _)| id).filter(|id| run::is_id(id));
    Ok(id.map(str::to_owned))
}

/// Says whether `file` may be written: it is not there, or as one of our runs wrote it.
///
/// # Errors
///
/// Fails with [`RunError::Edited`] if it may not.
pub fn may_write(root: &Path, file: &Path) -> Result<(), RunError> {
    let edited = || RunError::Edited(file.to_owned());
    if fs::is_link(file) {
        return Err(RunError::Link(file.to_owned()));
    }
    if fs::kind(file)? == SystemKind::Missing {
        return Ok(());
    }
    let id = run_of(file)?.ok_or_else(edited)?;
    let kept = run::artefact(root, &id, NAME).map_err(|_| edited());
    let now = fs::read_regular_text(file, MAX_BYTES)?;
    let body = parse(&now, file)?;
    if kept? == body.text.as_bytes() {
        Ok(())
    } else {
        Err(edited())
    }
}

/// Keeps a plan in the run and writes it to `file`, with a line that says whose it is.
///
/// # Errors
///
/// Fails if it cannot be written.
pub fn write(file: &Path, plan: &Plan, run: &Run) -> Result<(), RunError> {
    run.keep(NAME, plan.text.as_bytes())?;
    // It may have come with the repository, and lead anywhere.
    if fs::is_link(file) {
        return Err(RunError::Link(file.to_owned()));
    }
    let mut output = fs::Output::create(file)?;
    output
        .write_all(text(plan, &run.id).as_bytes())
        .map_err(FsError::of("write", file))?;
    Ok(output.commit()?)
}

/// Returns the text of a plan's file.
pub fn text(plan: &Plan, id: &str) -> String {
    format!("{HEAD}{id} -->\n{}", plan.text)
}
