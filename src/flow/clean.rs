//! Which runs may go, and their end.

use std::path::Path;
use std::time::Duration;

use crate::fs::{self, FsError, SystemKind};
use crate::run::{self, Event, Outcome, Run, Summary};

/// Which runs are to go.
#[derive(Debug, Clone, Copy)]
pub struct CleanRequest {
    /// Those that ended longer ago.
    pub older: Option<Duration>,
    /// The oldest, until the folders of those that may go have no more bytes.
    pub over: Option<u64>,
    /// Those whose change has landed and could be taken back.
    pub landed: OfLanded,
    /// The time, in milliseconds since 1970.
    pub now_ms: u64,
}

/// What becomes of runs whose change has landed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfLanded {
    /// They stay: their change can be taken back.
    Kept,
    /// They may go as others.
    Removed,
}

/// What is to go, and what cannot be looked at.
#[derive(Debug, Default)]
pub struct Chosen<'a> {
    /// The runs that are to go, oldest first, each with the bytes of its folder.
    pub runs: Vec<(&'a Summary, u64)>,
    /// Those that cannot be read, and why.
    pub unread: Vec<(String, FsError)>,
}

/// Returns the runs that are to go; `all` has the oldest first.
///
/// One that is not at its end, or landed by half, is never among them.
pub fn choose<'a>(root: &Path, all: &'a [Summary], request: &CleanRequest) -> Chosen<'a> {
    let mut chosen = Chosen::default();
    let is_old = |summary: &Summary| {
        let age = Duration::from_millis(request.now_ms.saturating_sub(summary.last_ms));
        request.older.is_some_and(|older| age > older)
    };
    // The old ones first, so that what is left is known.
    let mut rest = Vec::new();
    for summary in all {
        match bytes_to_go(root, summary, request.landed) {
            Ok(None) => {}
            Ok(Some(bytes)) if is_old(summary) => chosen.runs.push((summary, bytes)),
            Ok(Some(bytes)) => rest.push((summary, bytes)),
            Err(error) => chosen.unread.push((summary.id.clone(), error)),
        }
    }
    let mut left: u64 = rest.iter().map(|(_, bytes)| bytes).sum();
    for (summary, bytes) in rest {
        if request.over.is_some_and(|most| left > most) {
            left -= bytes;
            chosen.runs.push((summary, bytes));
        }
    }
    chosen
        .runs
        .sort_by(|(one, _), (other, _)| one.id.cmp(&other.id));
    chosen
}

/// Returns the bytes of the folder of a run, if it may go.
fn bytes_to_go(root: &Path, summary: &Summary, landed: OfLanded) -> Result<Option<u64>, FsError> {
    let may = may_go(root, summary, landed)?;
    let folder = root.join(run::FOLDER).join(&summary.id);
    may.then(|| fs::bytes_beneath(&folder)).transpose()
}

fn may_go(root: &Path, summary: &Summary, landed: OfLanded) -> Result<bool, FsError> {
    let is_over = match summary.outcome {
        Outcome::Open | Outcome::HalfLanded | Outcome::Waiting(_) => false,
        Outcome::Planned
        | Outcome::Answered
        | Outcome::Landed
        | Outcome::Kept
        | Outcome::NotAsked
        | Outcome::Undone
        | Outcome::Stopped(_) => true,
    };
    if !is_over || run::is_alive(root, &summary.id)? {
        return Ok(false);
    }
    Ok(landed == OfLanded::Removed || !can_be_undone(root, &summary.id)?)
}

/// Says whether a run's change stands in the user's tree or on a branch.
fn can_be_undone(root: &Path, id: &str) -> Result<bool, FsError> {
    let mut stands = false;
    for record in run::records(root, id)? {
        match record.event {
            Event::LandingStarted
            | Event::LandingStranded
            | Event::Landed
            | Event::Branched { .. } => stands = true,
            Event::LandingFailed | Event::Undone => stands = false,
            _ => {}
        }
    }
    Ok(stands)
}

/// How the folder of a run is called while it goes; no run is called so.
const GOING: &str = ".going-";

/// Removes the folder of a run.
///
/// # Errors
///
/// Fails if somebody adds to it, or where the system does not remove it.
pub fn remove(root: &Path, id: &str, now: fn() -> u64) -> Result<(), FsError> {
    let runs = root.join(run::FOLDER);
    let held = Run::reopen(root, id, now)?;
    let going = runs.join(format!("{GOING}{id}"));
    // At once: a run of which half is gone would be one that was killed.
    fs::rename(&runs.join(id), &going)?;
    drop(held);
    fs::remove_folder(&going)
}

/// Removes what is left of runs whose removal was cut short.
///
/// # Errors
///
/// Fails where the system does not list or remove.
pub fn finish(root: &Path) -> Result<(), FsError> {
    let runs = root.join(run::FOLDER);
    for name in fs::list(&runs)? {
        let going = runs.join(&name);
        let is_ours = name.as_encoded_bytes().starts_with(GOING.as_bytes());
        // No file is: it is none of our making.
        if is_ours && fs::kind(&going)? == SystemKind::Folder {
            fs::remove_folder(&going)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_runs_goes_and_what_is_none_of_ours_stays() {
        let root = tempfile::tempdir().unwrap();
        let runs = root.path().join(run::FOLDER);
        for folder in [".going-a/calls", ".going-z", "b"] {
            fs::make_private_folders(&runs.join(folder)).unwrap();
        }
        fs::write_durable(&runs.join(".going-x"), b"").unwrap();
        finish(root.path()).unwrap();
        assert_eq!(fs::list(&runs).unwrap(), [".going-x", "b"]);
    }
}
