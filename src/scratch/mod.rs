//! Where an executor works, and how its work comes to the user: snapshot, change set, patch, landing, undo.
//!
//! In: a repository and its candidates. Out: a scratch, a separate repository with a copy of them;
//! the change set, which is the byte difference between the snapshot and the scratch; the user's
//! tree, changed as a whole or not at all. No program is started; nothing that a repository
//! configures runs.
//!
//! Invariant: nothing but landing and undo writes to the user's tree, and they write only over
//! what they expect: bytes, executable bit or link target that were seen before.

mod changes;
mod exchange;
mod fork;
mod guarded;
mod land;
mod links;
mod originals;
mod prepare;
mod rest;
mod snapshot;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use changes::{Change, ChangeKind, ChangeSet, Restored};
pub use fork::{meet, since};
pub use guarded::{is_guarded, is_judge};
pub use land::{LandError, LandedChange, Landing, RemovedFolder, Undone, land, undo};
pub use links::Links;
pub use originals::Originals;
pub use prepare::prepare;
pub use rest::Rest;
pub use snapshot::{Plan, Scratch, Snapshot, create};

use crate::fs::{EntryKind, FsError, Hash, Root};
use crate::git::{GitError, ObjectError};
use crate::patch::Mode;
use crate::path::RepoPath;

/// What a path held: by hash, never by time stamp.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A regular file.
    File {
        /// The hash of its bytes.
        hash: Hash,
        /// Whether its owner may execute it.
        executable: bool,
        /// Its size.
        bytes: u64,
    },
    /// A symbolic link.
    Link {
        /// What it points to, as it stands in the link.
        #[serde(with = "crate::path::as_text")]
        target: Vec<u8>,
    },
}

impl State {
    /// Returns what it is as git writes it.
    fn mode(&self) -> Mode {
        match self {
            Self::Link { .. } => Mode::Link,
            Self::File {
                executable: true, ..
            } => Mode::Executable,
            Self::File {
                executable: false, ..
            } => Mode::File,
        }
    }
}

/// What a path holds now.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Found {
    /// Nothing that can be reached without a link.
    Nothing,
    /// A file or a link.
    State(State),
    /// A folder.
    Folder,
    /// A device, pipe or socket.
    Special,
}

impl Found {
    /// Looks at `path` and reads what is there.
    fn at(root: &Root, path: &RepoPath) -> Result<Self, FsError> {
        let Some(stat) = root.find(path)? else {
            return Ok(Self::Nothing);
        };
        Ok(match stat.kind {
            EntryKind::Folder => Self::Folder,
            EntryKind::Special => Self::Special,
            EntryKind::Link => Self::State(State::Link {
                target: root.link_target(path)?,
            }),
            EntryKind::File => {
                let (file, _) = root.open_file(path)?;
                let place = root.path().join(path.as_path());
                let read = Hash::of_reader(file).map_err(FsError::of("read", &place))?;
                Self::State(State::File {
                    hash: read.0,
                    executable: stat.is_executable(),
                    bytes: read.1,
                })
            }
        })
    }

    /// Says whether this is `state`; none is nothing.
    fn is(&self, state: Option<&State>) -> bool {
        match (self, state) {
            (Self::Nothing, None) => true,
            (Self::State(found), Some(state)) => found == state,
            (Self::Nothing | Self::State(_) | Self::Folder | Self::Special, _) => false,
        }
    }
}

/// A path, and what is wrong with it.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Problem {
    /// The path.
    pub path: RepoPath,
    /// What is wrong, as the end of a sentence about it.
    pub why: String,
}

impl Problem {
    fn new(path: &RepoPath, why: impl Into<String>) -> Self {
        Self {
            path: path.clone(),
            why: why.into(),
        }
    }

    fn of(path: &RepoPath, error: &FsError) -> Self {
        Self::new(path, format!("{error}: {}", error.source))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.path, self.why)
    }
}

/// A scratch could not be made, read, or put back.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// Its folder is there already.
    #[error("cannot make a scratch at `{}`: something is there", .0.display())]
    Exists(PathBuf),
    /// Its folder would be in the tree that it copies.
    #[error("cannot make a scratch at `{}`: it is inside the repository", .0.display())]
    Inside(PathBuf),
    /// A folder that checks need leads back into the user's tree.
    #[error("cannot copy the link `{0}` into the scratch: it leads back into the repository")]
    LeadsBack(RepoPath),
    /// Its `.git` is no folder any more, or what it held of a file is gone or was altered.
    #[error("cannot use the scratch: {0}")]
    Damaged(String),
    /// Git's files could not be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Git's objects could not be read or written.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}

/// Our own folder in a repository: run folders. Nothing in it is copied, and no change in it lands.
fn is_ours(path: &RepoPath) -> bool {
    path.components()
        .next()
        .is_some_and(|first| first.eq_ignore_ascii_case(b".twostep"))
}
