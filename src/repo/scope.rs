//! How far a walk goes.

use super::Named;
use crate::path::RepoPath;

/// The part of the repository that was named.
pub(super) enum Scope {
    /// All of it.
    Everything,
    /// These folders.
    Folders(Vec<RepoPath>),
}

impl Scope {
    /// Takes the folders among what was named.
    pub(super) fn of(named: &[Named]) -> Self {
        if named.contains(&Named::Everything) {
            return Self::Everything;
        }
        let folders = named.iter().filter_map(|named| match named {
            Named::Folder(path) => Some(path.clone()),
            Named::Everything | Named::File(_) => None,
        });
        Self::Folders(folders.collect())
    }

    /// Returns the folders that were named.
    pub(super) fn folders(&self) -> &[RepoPath] {
        match self {
            Self::Everything => &[],
            Self::Folders(folders) => folders,
        }
    }

    /// Says whether `path` is in a folder that was named.
    pub(super) fn holds(&self, path: &RepoPath) -> bool {
        match self {
            Self::Everything => true,
            Self::Folders(folders) => folders.iter().any(|folder| path.is_in(folder)),
        }
    }

    /// Says whether `folder` is, is in, or leads to a folder that was named.
    pub(super) fn reaches(&self, folder: &RepoPath) -> bool {
        match self {
            Self::Everything => true,
            Self::Folders(folders) => folders
                .iter()
                .any(|named| named == folder || folder.is_in(named) || named.is_in(folder)),
        }
    }
}
