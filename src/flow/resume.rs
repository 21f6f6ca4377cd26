//! Taking up a run that did not come to its end: killed, interrupted, or stopped by an error.
//!
//! A run is taken up by doing again what it did, from its beginning: what an agent answered is not asked for again
//! ([`Run::known`]), and all else is made anew from the user's files, which must still be what they were.

use std::path::Path;

use super::checks::CHECKS_FOLDER;
use super::land::HELD_FOLDER;
use super::undo::{self, UndoError};
use super::workflow::FORKS_FOLDER;
use crate::fs::{self, FsError, SystemKind};
use crate::process;
use crate::repo::Repository;
use crate::run::{self, Event, Outcome, Run};

/// What is left to do of a run.
pub enum Left {
    /// What comes after what it has kept.
    Rest(Box<Run>),
    /// Nothing: it came to this.
    Nothing(Outcome),
}

/// Strikes `values` out of what the agents of the run in `folder` wrote.
///
/// # Errors
///
/// Fails if a file cannot be read or written.
pub fn strike(folder: &Path, values: &[String]) -> Result<(), FsError> {
    let calls = folder.join(run::CALLS_FOLDER);
    for call in fs::list(&calls)? {
        for name in ["stdout", "stderr"] {
            let file = calls.join(&call).join(name);
            if !fs::is_link(&file) && fs::kind(&file)? == SystemKind::File {
                process::strike_out(&file, values)?;
            }
        }
    }
    Ok(())
}

/// Takes up the run `id`: puts back what it had landed in part, and tells what is left to do.
///
/// # Errors
///
/// Fails if there is no such run, it is at work, or files that it landed in part have changed since.
pub fn take_up(repository: &Repository, id: &str, now: fn() -> u64) -> Result<Left, UndoError> {
    let root = repository.root.path();
    if run::is_foreign(repository) {
        return Err(UndoError::Tracked);
    }
    let id = undo::known(root, id)?;
    let outcome = run::summary(root, &id)?.outcome;
    if matches!(outcome, Outcome::Landed | Outcome::Kept | Outcome::Undone) {
        return Ok(Left::Nothing(outcome));
    }
    let run = Run::reopen(root, &id, now)?;
    let events = run::records(root, &id)?.into_iter();
    let landing = events
        .map(|record| record.event)
        .rfind(Event::is_of_landing);
    run.record(Event::Resumed)?;
    match landing {
        Some(Event::Landed | Event::Branched { .. }) => {
            let outcome = Outcome::Landed;
            run.end(outcome.clone(), 0, None)?;
            return Ok(Left::Nothing(outcome));
        }
        Some(Event::LandingStarted | Event::LandingStranded) => {
            undo::take_back(repository, &id)?;
            run.record(Event::LandingFailed)?;
        }
        _ => {}
    }
    // The user's files are in their places: what is held is of our making, and what checks said is said again.
    for name in [HELD_FOLDER, CHECKS_FOLDER, FORKS_FOLDER] {
        if fs::has_entry(&run.folder, name) {
            fs::remove_folder(&run.folder.join(name))?;
        }
    }
    Ok(Left::Rest(Box::new(run)))
}
