//! What a plan was made for, and what of that is no longer as it was.
//!
//! In: what a plan names. Out: a record beside the plan, and later the files that have changed since. What our own runs
//! landed is no drift.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::land::LANDING_FILE;
use crate::fs::{self, Entry, EntryKind, FsError, Hash, Root};
use crate::path::RepoPath;
use crate::plan::{Reference, Status};
use crate::repo::Repository;
use crate::run::{self, Run};
use crate::scratch::{Landing, Snapshot, State};

/// The file of a run that says what its plan was made for.
const BASE_FILE: &str = "plan-base.json";

/// No record is larger.
const MAX_BYTES: u64 = 64 << 20;

/// No file that is looked at is larger.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// The files that a plan names, as they were when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Base {
    /// The version of this format: 1.
    version: u32,
    /// What was checked out.
    commit: Option<String>,
    /// The hash of each file; none of what the plan makes.
    files: BTreeMap<RepoPath, Option<Hash>>,
}

/// A file that is not as it was when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drifted {
    /// Where it is.
    pub path: RepoPath,
    /// What became of it.
    pub how: How,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It holds something else.
    Changed,
    /// It is not there.
    Gone,
    /// It is there, and the plan makes it.
    Appeared,
}

impl fmt::Display for Drifted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.how {
            How::Changed => "changed",
            How::Gone => "gone",
            How::Appeared => "there by now",
        };
        write!(f, "`{}` ({how})", self.path)
    }
}

/// Keeps in `run` what its plan, which names `references`, was made for.
///
/// # Errors
///
/// Fails if a file cannot be read, or the record not be written.
pub fn keep(run: &Run, repository: &Repository, references: &[Reference]) -> Result<(), FsError> {
    let mut files = BTreeMap::new();
    for path in self::files(references) {
        files.insert(path.clone(), hash(&repository.root, path)?);
    }
    let base = Base {
        version: 1,
        commit: repository.git.as_ref().and_then(|git| git.commit.clone()),
        files,
    };
    run.keep(BASE_FILE, &run::json(&base)).map(drop)
}

/// Returns what has changed since the plan of the run `id` was made; none, where that is not known.
///
/// # Errors
///
/// Fails if a file cannot be read.
pub fn since(repository: &Repository, id: &str) -> Result<Option<Vec<Drifted>>, FsError> {
    let root = &repository.root;
    let folder = root.path().join(run::FOLDER).join(id);
    if !fs::has_entry(&folder, BASE_FILE) {
        return Ok(None);
    }
    let base: Base = fs::read_json(&folder.join(BASE_FILE), MAX_BYTES)?;
    let mut drifted = Vec::new();
    for (path, before) in &base.files {
        drifted.extend(drift(root, path, before.as_ref())?);
    }
    if !drifted.is_empty() {
        let landed = landed(root.path(), id)?;
        drifted.retain(|it| {
            let now = hash(root, &it.path).ok().flatten();
            landed.get(&it.path) != Some(&now)
        });
    }
    Ok(Some(drifted))
}

/// Returns which of the files that `references` name have changed in the user's tree since `snapshot` was taken of it.
///
/// # Errors
///
/// Fails if a file cannot be read.
pub fn since_snapshot(
    repository: &Repository,
    snapshot: &Snapshot,
    references: &[Reference],
) -> Result<Vec<Drifted>, FsError> {
    let mut drifted = Vec::new();
    let is_left_out = |path: &RepoPath| {
        let mut left_out = snapshot.problems.iter();
        left_out.any(|problem| *path == problem.path || path.is_in(&problem.path))
    };
    for path in files(references).filter(|path| !is_left_out(path)) {
        let before = snapshot.files.get(path).cloned().map(hash_of);
        drifted.extend(drift(&repository.root, path, before.as_ref())?);
    }
    Ok(drifted)
}

/// Says whether a file that had the hash `before`, if it was there, has drifted.
fn drift(root: &Root, path: &RepoPath, before: Option<&Hash>) -> Result<Option<Drifted>, FsError> {
    let how = match (before, hash(root, path)?) {
        (before, now) if before == now.as_ref() => return Ok(None),
        (Some(_), Some(_)) => How::Changed,
        (Some(_), None) => How::Gone,
        (None, _) => How::Appeared,
    };
    let path = path.clone();
    Ok(Some(Drifted { path, how }))
}

/// Returns the files that `references` name, each as often as it is named.
fn files(references: &[Reference]) -> impl Iterator<Item = &RepoPath> {
    references
        .iter()
        .filter_map(|reference| match &reference.status {
            Status::Exact(path)
            | Status::Suffix(path)
            | Status::Renamed(path)
            | Status::Created(path) => Some(path),
            Status::Folder(_) | Status::Ambiguous(_) | Status::Missing(_) => None,
        })
}

fn hash_of(state: State) -> Hash {
    match state {
        State::File { hash, .. } => hash,
        State::Link { target } => Hash::of(&target),
    }
}

/// Returns the hash of a file, if it is there.
fn hash(root: &Root, path: &RepoPath) -> Result<Option<Hash>, FsError> {
    let kind = match root.kind(path) {
        Err(error) if is_missing(&error) => return Ok(None),
        kind => kind?,
    };
    match kind {
        EntryKind::File => match root.read(path, MAX_FILE_BYTES)? {
            Entry::Whole(bytes) => Ok(Some(Hash::of(&bytes))),
            Entry::TooLarge { .. } => Ok(None),
        },
        EntryKind::Link => Ok(Some(Hash::of(&root.link_target(path)?))),
        _ => Ok(None),
    }
}

/// Says whether there is no such file, or no folder that would hold it.
fn is_missing(error: &FsError) -> bool {
    let kind = error.source.kind();
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Returns what runs of ours have landed in files since the run `id` began, the last for each.
fn landed(root: &Path, id: &str) -> Result<BTreeMap<RepoPath, Option<Hash>>, FsError> {
    let begun = run::records(root, id)?.first().map_or(0, |it| it.at_ms);
    let mut runs = Vec::new();
    for other in run::ids(root)? {
        // What such a run landed counts as drift.
        let Ok(records) = run::records(root, &other) else {
            continue;
        };
        let when = records
            .into_iter()
            .filter(|record| record.event == run::Event::Landed);
        let when = when.map(|record| record.at_ms).max();
        runs.extend(when.filter(|at| *at >= begun).map(|at| (at, other)));
    }
    runs.sort();
    let mut landed = BTreeMap::new();
    for (_, other) in runs {
        let folder = root.join(run::FOLDER).join(&other);
        if !fs::has_entry(&folder, LANDING_FILE) {
            continue;
        }
        let Ok(landing) = fs::read_json::<Landing>(&folder.join(LANDING_FILE), MAX_BYTES) else {
            continue;
        };
        landed.extend(landing.changes.into_iter().map(|change| {
            let hash = change.after.map(hash_of);
            (change.path, hash)
        }));
    }
    Ok(landed)
}
