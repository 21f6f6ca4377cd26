//! Landing: the change set moves into the user's tree, all or nothing, and back again.
//!
//! Files are exchanged with those that are held, one by one, and what comes out is looked at. So the
//! user's own file, with its times and attributes, is kept while ours stands in its place.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::exchange::{Exchange, Step};
use super::{Found, Problem, ScratchError, State};
use crate::fs::{FsError, Root};
use crate::path::RepoPath;

/// What landing is about to do: written down before it does any of it, so that it can be undone whatever happens.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct Landing {
    /// The version of this format.
    pub version: u32,
    /// The files and links, sorted by path.
    pub changes: Vec<LandedChange>,
    /// The folders that are made, outermost first.
    pub folders_made: Vec<RepoPath>,
    /// The folders that are removed if nothing is left in them, outermost first.
    pub folders_removed: Vec<RemovedFolder>,
}

/// A path that lands.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct LandedChange {
    /// The path.
    pub path: RepoPath,
    /// What the snapshot saw.
    pub before: Option<State>,
    /// What lands.
    pub after: Option<State>,
    /// The name of what lands in the held folder; later that of what was there before.
    pub held: RepoPath,
}

/// A folder that is removed, as it was.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct RemovedFolder {
    /// Its path.
    pub path: RepoPath,
    /// Its permissions.
    pub mode: u32,
}

/// What undo did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Undone {
    /// The paths that are again as they were.
    pub restored: Vec<RepoPath>,
    /// The paths that were so already: landing had not come to them, or they were undone before.
    pub skipped: Vec<RepoPath>,
}

/// Nothing landed, or nothing was undone; only [`LandError::Stranded`] leaves the tree in between.
#[derive(Debug, thiserror::Error)]
pub enum LandError {
    /// These paths are not as they are expected to be.
    #[error("the repository changed meanwhile: {}", list(.0))]
    Conflicts(Vec<Problem>),
    /// The change set holds what cannot land.
    #[error("the change holds what cannot land: {}", list(.0))]
    Refused(Vec<Problem>),
    /// A path is on another disk than the held folder, so it cannot be exchanged with what is there.
    #[error("cannot exchange `{path}`: it is on another file system than `{}`", held.display())]
    OtherFileSystem {
        /// The path.
        path: RepoPath,
        /// The held folder.
        held: PathBuf,
    },
    /// The held folder has something in it, perhaps the user's files of an earlier landing.
    #[error("cannot land by way of `{}`: it is not empty", .0.display())]
    HeldInUse(PathBuf),
    /// The system refused; everything is as it was.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The scratch does not hold what was taken from it.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// It failed, and not everything could be put back.
    #[error("{cause}; not put back: {}", list(left))]
    Stranded {
        /// Why it failed.
        cause: Box<LandError>,
        /// What is not as it was, with where its bytes are.
        left: Vec<Problem>,
    },
}

fn list(problems: &[Problem]) -> String {
    let problems: Vec<String> = problems.iter().map(Problem::to_string).collect();
    problems.join(", ")
}

/// Lands what was prepared, all of it or nothing.
///
/// # Errors
///
/// Fails where a path does not hold what the snapshot saw, which shows when it comes out, and where the
/// system refuses; everything is then put back.
pub fn land(root: &Root, landing: &Landing, held: &Path) -> Result<(), LandError> {
    let steps = landing.changes.iter().map(|change| Step {
        path: &change.path,
        held: &change.held,
        expected: change.before.as_ref(),
        put: change.after.as_ref(),
    });
    let made = landing.folders_made.iter().map(|path| (path, None));
    let exchange = Exchange {
        root,
        held: &Root::open(held)?,
    };
    exchange.run(
        &steps.collect::<Vec<_>>(),
        &landing
            .folders_removed
            .iter()
            .map(|folder| &folder.path)
            .collect::<Vec<_>>(),
        &made.collect::<Vec<_>>(),
    )
}

/// Takes a landing back, all of it or nothing: also one that was cut off half-way.
///
/// The user's own files come back, with their times and attributes.
///
/// # Errors
///
/// Fails with every path that holds neither what landed nor what was there before; nothing is then changed.
pub fn undo(root: &Root, landing: &Landing, held: &Path) -> Result<Undone, LandError> {
    let folder = Root::open(held)?;
    let mut undone = Undone::default();
    let mut steps = Vec::new();
    let mut conflicts = Vec::new();
    for change in &landing.changes {
        let LandedChange {
            path,
            before,
            after,
            held,
        } = change;
        root.settle(path, &folder, held)?;
        let found = Found::at(root, path)?;
        let has_old = before.is_none() || folder.find(held)?.is_some();
        // A folder that landing made in the place of a file is gone when its files are.
        let is_after = found.is(after.as_ref())
            || found == Found::Folder && after.is_none() && landing.folders_made.contains(path);
        let was_removed = || {
            landing
                .folders_removed
                .iter()
                .any(|folder| folder.path == *path)
        };
        let is_before = found.is(before.as_ref())
            || found == Found::Folder && before.is_none() && was_removed();
        if is_after && has_old {
            steps.push(Step {
                path,
                held,
                expected: after.as_ref(),
                put: before.as_ref(),
            });
        } else if is_before {
            undone.skipped.push(path.clone());
        } else if is_after {
            conflicts.push(Problem::new(
                path,
                "what was there before is not kept any more",
            ));
        } else {
            conflicts.push(Problem::new(path, differs(&found, after.as_ref())));
        }
    }
    if !conflicts.is_empty() {
        return Err(LandError::Conflicts(conflicts));
    }
    let removed = landing.folders_removed.iter();
    Exchange {
        root,
        held: &folder,
    }
    .run(
        &steps,
        &landing.folders_made.iter().collect::<Vec<_>>(),
        &removed
            .map(|folder| (&folder.path, Some(folder.mode)))
            .collect::<Vec<_>>(),
    )?;
    undone.restored = steps.iter().map(|step| step.path.clone()).collect();
    Ok(undone)
}

/// Says how what is there differs from what is expected.
pub(super) fn differs(found: &Found, expected: Option<&State>) -> &'static str {
    match (found, expected) {
        (Found::Nothing, _) => "it was deleted",
        (_, None) => "something is there already",
        (Found::Folder, Some(_)) => "it became a folder",
        (Found::Special, Some(_)) => "it became a device, pipe or socket",
        (Found::State(State::Link { .. }), Some(State::File { .. })) => "it became a link",
        (Found::State(State::File { .. }), Some(State::Link { .. })) => "it became a file",
        (Found::State(State::Link { .. }), Some(State::Link { .. })) => "it leads elsewhere",
        (Found::State(State::File { hash, .. }), Some(State::File { hash: old, .. }))
            if hash == old =>
        {
            "its executable bit was changed"
        }
        (Found::State(State::File { .. }), Some(State::File { .. })) => "it was edited",
    }
}
