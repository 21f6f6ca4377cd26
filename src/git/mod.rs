//! What git knows of a tree: its commit, its tracked files, its past.
//!
//! In: folders. Out: values. Reads git's files in this process: no program, filter, hook or alias of
//! a repository ever runs. The only user of `gix`.

mod attributes;
mod branch;
mod commit;
mod config;
mod files;
mod folder;
mod glob;
mod objects;
mod past;
mod quote;
mod renames;
mod scratch;
mod trees;
mod zlib;

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub use attributes::{AttributeRules, Attributes, LineEnds, PrivateRules};
pub use branch::{BranchError, Changed, commit_on_branch, delete_branch};
pub use folder::{head_of, is_repository};
pub use glob::{Case, Pattern};
pub use objects::{
    Entry, EntryKind, Id, IdReader, ObjectError, ObjectFormat, Objects, sha256, write_blob,
};
pub use past::{Commit, Past, PastError, Staged, Standing, TreeSettings, UnknownRevision};
pub use quote::{quote, unquote};
pub use scratch::{Lender, alternate, index, lender, scratch_files};
pub use zlib::{deflate, inflate};

use config::Config;
use folder::GitFolder;

use crate::path::{self, RepoPath};

/// Git's own files could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read what git knows of `{}`: {why}", path::shown(top))]
pub struct GitError {
    top: PathBuf,
    why: String,
}

/// What git has recorded of a work tree.
pub struct Snapshot {
    /// The commit that is checked out, in hexadecimal; none before the first commit.
    pub commit: Option<String>,
    /// Where ignore rules are that are not in the tree.
    pub rules: RuleFiles,
    /// Every path in the index, in its order (bytewise).
    pub tracked: Vec<Tracked>,
}

/// Where ignore rules are that are not in the tree, and how rules are read.
#[derive(Clone, Debug, Default)]
pub struct RuleFiles {
    /// The files, in the order in which they are asked; they need not exist.
    pub files: Vec<PathBuf>,
    /// Whether rules match in any case.
    pub case: Case,
}

impl RuleFiles {
    /// Returns those that hold for the user where there is no repository.
    pub fn of_user() -> Self {
        Config::read(None).map_or_else(
            |_| Self::default(),
            |config| config.rule_files(Path::new("")),
        )
    }
}

/// A path that git tracks.
pub struct Tracked {
    /// The path, relative to the top of the work tree.
    pub path: RepoPath,
    /// Whether it is another repository at a fixed commit.
    pub is_submodule: bool,
}

impl Snapshot {
    /// Says whether `path`, relative to the top, is tracked.
    pub fn tracks(&self, path: &Path) -> bool {
        let bytes = path.as_os_str().as_bytes();
        self.tracked
            .binary_search_by(|tracked| tracked.path.as_bytes().cmp(bytes))
            .is_ok()
    }

    /// Says whether `folder` is tracked as another repository at a fixed commit.
    pub fn has_submodule(&self, folder: &RepoPath) -> bool {
        let found = self
            .tracked
            .binary_search_by(|tracked| tracked.path.cmp(folder));
        found.is_ok_and(|at| self.tracked[at].is_submodule)
    }

    /// Says whether something in `folder` is tracked.
    pub fn tracks_below(&self, folder: &RepoPath) -> bool {
        let mut start = folder.as_bytes().to_vec();
        start.push(b'/');
        let at = self
            .tracked
            .partition_point(|tracked| tracked.path.as_bytes() < start.as_slice());
        self.tracked
            .get(at)
            .is_some_and(|tracked| tracked.path.as_bytes().starts_with(&start))
    }
}

/// Returns the folder in the work tree at `top` that git takes hooks from, if it is configured to.
///
/// # Errors
///
/// Fails on a damaged repository or configuration.
pub fn hooks(top: &Path) -> Result<Option<RepoPath>, GitError> {
    let folder = GitFolder::of(top)?;
    let hooks = Config::of(&folder)?.hooks(top);
    let inside = hooks.and_then(|hooks| hooks.strip_prefix(top).ok().map(Path::to_owned));
    Ok(inside.and_then(|hooks| {
        let bytes = hooks.as_os_str().as_bytes();
        let bytes = bytes.strip_prefix(b"./").unwrap_or(bytes);
        RepoPath::parse(bytes.strip_suffix(b"/").unwrap_or(bytes)).ok()
    }))
}

/// Reads commit and index of the work tree at `top`.
///
/// # Errors
///
/// Fails on a damaged or unknown kind of repository or index.
pub fn snapshot(top: &Path) -> Result<Snapshot, GitError> {
    let folder = GitFolder::of(top)?;
    let config = Config::of(&folder)?;
    let index = folder.index(config.format())?;
    let mut tracked: Vec<Tracked> = Vec::with_capacity(index.entries().len());
    for entry in index.entries() {
        // What a made-up index holds and no tree can (an absolute path, git's own files) is nobody's.
        let Ok(path) = RepoPath::parse(entry.path(&index)) else {
            continue;
        };
        if path.components().any(|component| component == b".git") {
            continue;
        }
        // A path in conflict has up to three entries.
        if tracked.last().is_some_and(|last| last.path == path) {
            continue;
        }
        tracked.push(Tracked {
            path,
            is_submodule: entry.mode == gix::index::entry::Mode::COMMIT,
        });
    }
    Ok(Snapshot {
        commit: folder.head().ok().flatten().map(|id| id.to_string()),
        rules: config.rule_files(top),
        tracked,
    })
}
