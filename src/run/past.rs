//! What a run was, told from its journal and its files.
//!
//! In: the root of a repository, a run's name. Out: values. Nothing is written.

use std::path::Path;

use serde::Serialize;

use super::{Event, FOLDER, MAX_BYTES, Outcome, Record, calls, is_alive, is_id, journal};
use crate::agent::{REPLY_FILE, Role, Usage};
use crate::fs::{self, FsError, SystemKind};
use crate::path::RepoPath;

/// A run as it is listed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Its name.
    pub id: String,
    /// When it began, in milliseconds since 1970.
    pub started_ms: u64,
    /// When something happened in it last, in milliseconds since 1970.
    pub last_ms: u64,
    /// How long it was at work, in milliseconds, as far as its ends are recorded.
    pub took_ms: u64,
    /// The verb that began it.
    pub verb: String,
    /// The first line of the spec or plan that says something.
    pub title: String,
    /// What it came to.
    pub outcome: Outcome,
    /// What the agents reported, added up.
    pub usage: Usage,
}

/// Returns the run that was ended while it landed, if there is one: the files are then neither the old nor the new. One
/// that lands now is none, nor is one that cannot be read.
///
/// # Errors
///
/// Fails if the folder of the runs cannot be read.
pub fn half_landed(root: &Path) -> Result<Option<String>, FsError> {
    for id in ids(root)?.into_iter().rev() {
        // In this order: nothing is added after it is dead.
        let (Ok(false), Ok(records)) = (is_alive(root, &id), records(root, &id)) else {
            continue;
        };
        let events = records.into_iter().map(|record| record.event);
        let last = events.rev().find(Event::is_of_landing);
        if matches!(last, Some(Event::LandingStarted | Event::LandingStranded)) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Returns the runs other than `id` that have landed or were undone since `since_ms`, and changed one of `paths`.
///
/// # Errors
///
/// Fails if a journal cannot be read.
pub fn changed_by(
    root: &Path,
    id: &str,
    since_ms: u64,
    paths: &[RepoPath],
) -> Result<Vec<String>, FsError> {
    let mut found = Vec::new();
    for other in ids(root)?.into_iter().filter(|other| other != id) {
        let records = records(root, &other)?;
        let is_recent = records.iter().any(|record| {
            record.at_ms >= since_ms && matches!(record.event, Event::Landed | Event::Undone)
        });
        let changes = records.iter().any(|record| match &record.event {
            Event::Changed { files } => files.iter().any(|file| paths.contains(&file.path)),
            _ => false,
        });
        if is_recent && changes {
            found.push(other);
        }
    }
    Ok(found)
}

/// Returns the names of the runs of the repository at `root`, oldest first.
///
/// # Errors
///
/// Fails if the folder cannot be read.
pub fn ids(root: &Path) -> Result<Vec<String>, FsError> {
    let runs = root.join(FOLDER);
    let names = fs::list(&runs)?.into_iter();
    let ids = names.filter_map(|name| name.into_string().ok());
    let is_run = |id: &String| {
        is_id(id) && fs::kind(&runs.join(id)).is_ok_and(|kind| kind == SystemKind::Folder)
    };
    Ok(ids.filter(is_run).collect())
}

/// Returns the runs of the repository at `root`, oldest first, without those whose journal is none: too large, or no
/// regular file. Of one that is damaged, the rest tells.
///
/// # Errors
///
/// Fails if the folder cannot be read.
pub fn all(root: &Path) -> Result<Vec<Summary>, FsError> {
    let ids = ids(root)?;
    let summaries = ids.iter().filter_map(|id| summary(root, id).ok());
    Ok(summaries.collect())
}

/// Returns a run as it is listed.
///
/// # Errors
///
/// Fails if its journal cannot be read.
pub fn summary(root: &Path, id: &str) -> Result<Summary, FsError> {
    let records = records(root, id)?;
    let mut summary = Summary {
        id: id.to_owned(),
        started_ms: records.first().map_or(0, |record| record.at_ms),
        last_ms: records.last().map_or(0, |record| record.at_ms),
        took_ms: worked(&records),
        verb: String::new(),
        title: String::new(),
        outcome: Outcome::Open,
        usage: Usage::default(),
    };
    for record in records {
        match record.event {
            Event::Started { verb, title } => (summary.verb, summary.title) = (verb, title),
            Event::CallEnded { usage, .. } => summary.usage += usage,
            Event::Ended { outcome, .. } if summary.outcome != Outcome::Undone => {
                summary.outcome = outcome;
            }
            Event::LandingStarted | Event::LandingStranded => summary.outcome = Outcome::HalfLanded,
            Event::Resumed | Event::Landed | Event::LandingFailed => {
                summary.outcome = Outcome::Open;
            }
            Event::Undone => summary.outcome = Outcome::Undone,
            _ => {}
        }
    }
    Ok(summary)
}

/// Returns how long a run was at work, in milliseconds: from each beginning to the last record after it.
pub(super) fn worked(records: &[Record]) -> u64 {
    let is_work = |pair: &&[Record]| {
        !matches!(pair[0].event, Event::Ended { .. })
            && !matches!(pair[1].event, Event::Resumed | Event::Undone)
    };
    let pairs = records.windows(2).filter(is_work);
    pairs
        .map(|pair| pair[1].at_ms.saturating_sub(pair[0].at_ms))
        .fold(0, u64::saturating_add)
}

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckEnd {
    /// The command.
    pub command: String,
    /// Whether it ran before the change.
    pub is_baseline: bool,
    /// Whether it passed.
    pub passed: bool,
    /// How it ended, for people.
    pub how: String,
    /// What the run calls what it wrote, without the endings.
    pub record: Option<String>,
}

/// Returns how the checks of the run in `folder` ended, in their order, as it was taken up the last time.
///
/// # Errors
///
/// Fails if its journal cannot be read.
pub fn checks(folder: &Path) -> Result<Vec<CheckEnd>, FsError> {
    let mut checks = Vec::new();
    for record in journal::read(folder)? {
        match record.event {
            // All of them are run again.
            Event::Resumed => checks.clear(),
            Event::Checked {
                command,
                is_baseline,
                passed,
                how,
                record,
            } => checks.push(CheckEnd {
                command,
                is_baseline,
                passed,
                how,
                record,
            }),
            _ => {}
        }
    }
    Ok(checks)
}

/// Returns the records of a run, oldest first; what is damaged, or of a later version, is left out.
///
/// # Errors
///
/// Fails if the journal cannot be read.
pub fn records(root: &Path, id: &str) -> Result<Vec<Record>, FsError> {
    journal::read(&root.join(FOLDER).join(id))
}

/// Returns what `role` answered last in a run, if it did.
///
/// # Errors
///
/// Fails if the journal or the answer cannot be read.
pub fn last_answer(root: &Path, id: &str, role: Role) -> Result<Option<String>, FsError> {
    let mut number = None;
    for record in records(root, id)? {
        match record.event {
            Event::CallStarted {
                number: n,
                role: of,
                ..
            } if of == role => number = Some(n),
            _ => {}
        }
    }
    let folder = root.join(FOLDER).join(id);
    let file = number.map(|n| folder.join(calls::folder(n, role)).join(REPLY_FILE));
    match file {
        Some(file) if fs::kind(&file)? == SystemKind::File => {
            let bytes = fs::read_regular(&file, MAX_BYTES)?;
            Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
        }
        _ => Ok(None),
    }
}

/// Reads an artefact of a run.
///
/// # Errors
///
/// Fails if it is not there or cannot be read.
pub fn artefact(root: &Path, id: &str, name: &str) -> Result<Vec<u8>, FsError> {
    fs::read_regular(&root.join(FOLDER).join(id).join(name), MAX_BYTES)
}
