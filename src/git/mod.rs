//! What git knows of a tree: its commit, its tracked files, its past.
//!
//! In: folders. Out: values. Reads git's files in this process: no program, filter, hook or alias of
//! a repository ever runs, and nothing outside its own `.git` is asked. The only user of `gix`.

mod attributes;
mod branch;
mod files;
mod objects;
mod past;
mod quote;
mod scratch;
mod trees;
mod zlib;

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub use attributes::{AttributeRules, Attributes, LineEnds};
pub use branch::{BranchError, Changed, commit_on_branch, delete_branch};
pub use objects::{
    Entry, EntryKind, Id, IdReader, ObjectError, ObjectFormat, Objects, sha256, write_blob,
};
pub use past::{Commit, Past, PastError, Staged, Standing, TreeSettings, UnknownRevision, head_of};
pub use quote::{quote, unquote};
pub use scratch::{Lender, alternate, index, lender, scratch_files};
pub use zlib::{deflate, inflate};

use files::Extent;

use crate::path::RepoPath;

/// Git's own files could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read what git knows of `{}`: {why}", top.display())]
pub struct GitError {
    top: PathBuf,
    why: String,
}

/// What git has recorded of a work tree.
pub struct Snapshot {
    /// The commit that is checked out, in hexadecimal; none before the first commit.
    pub commit: Option<String>,
    /// The file of ignore rules that is the repository's own and not part of its tree.
    pub exclude: PathBuf,
    /// The file of ignore rules that the repository's configuration names.
    pub excludes_file: Option<PathBuf>,
    /// Every path in the index, in its order (bytewise).
    pub tracked: Vec<Tracked>,
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

/// Opens the work tree at `top` with nothing but its own configuration, and its index; an empty one where there is none.
fn open(top: &Path) -> Result<(gix::Repository, gix::worktree::Index), GitError> {
    let error = |cause: &dyn std::fmt::Display| GitError {
        top: top.to_owned(),
        why: cause.to_string(),
    };
    files::check(top, Extent::References)?;
    let repository =
        gix::open_opts(top, gix::open::Options::isolated()).map_err(|cause| error(&cause))?;
    let index = repository.index_or_empty().map_err(|cause| error(&cause))?;
    Ok((repository, index))
}

/// Opens a repository with the user's own configuration, too, and without what it includes; objects are what their ids say.
fn open_as_user(top: &Path) -> Result<gix::Repository, GitError> {
    let mut permissions = gix::open::Permissions::isolated();
    permissions.config.user = true;
    permissions.config.git = true;
    permissions.env.home = gix::sec::Permission::Allow;
    permissions.env.xdg_config_home = gix::sec::Permission::Allow;
    let options = gix::open::Options::isolated()
        .permissions(permissions)
        .config_overrides(["core.useReplaceRefs=false"]);
    gix::open_opts(top, options).map_err(|cause| GitError {
        top: top.to_owned(),
        why: cause.to_string(),
    })
}

/// Reads commit and index of the work tree at `top`.
///
/// # Errors
///
/// Fails on a damaged or unknown kind of repository or index.
pub fn snapshot(top: &Path) -> Result<Snapshot, GitError> {
    let (repository, index) = open(top)?;
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
    let configured = repository
        .config_snapshot()
        .trusted_path("core.excludesFile");
    Ok(Snapshot {
        exclude: repository.common_dir().join("info/exclude"),
        excludes_file: configured.ok().flatten().map(|path| top.join(path)),
        commit: repository.head_id().ok().map(|id| id.to_string()),
        tracked,
    })
}
