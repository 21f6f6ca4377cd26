//! From a pack to what has changed since it was made.

use std::collections::BTreeSet;
use std::io::{self, BufReader, Read};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::pack::OUR_HEADS;
use crate::fs::{Entry, EntryKind, FsError, Root};
use crate::pack::{Listed, PackedFile, UnpackError, unpack};
use crate::path::RepoPath;
use crate::repo::{self, Globs, Named, Repository, ScanOptions};

/// What is compared with a pack.
pub struct VerifyRequest<'a> {
    /// The tree.
    pub repository: &'a Repository,
    /// Whether files that the pack does not name are looked for.
    pub new: New,
    /// The file of the pack, absolute and resolved, if it is one: it is not new.
    pub pack: Option<PathBuf>,
    /// How many threads walk.
    pub threads: NonZeroUsize,
}

/// What becomes of files that the pack does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum New {
    /// They are differences.
    Told,
    /// They are not looked for.
    Ignored,
}

/// How a tree differs from a pack.
#[derive(Debug, Default)]
pub struct Verified {
    /// The differences, sorted by path.
    pub differences: Vec<Difference>,
    /// How many files the pack names.
    pub n_files: usize,
    /// How many of them it only lists: they were compared by kind and size.
    pub n_listed: usize,
    /// How many of them it holds altered: they were not compared, but are there.
    pub n_altered: usize,
    /// How many files did not fit in the pack; if there are any, which are new is not known.
    pub n_unfit: usize,
}

/// A file that is not as the pack holds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The file.
    pub path: RepoPath,
    /// What became of it.
    pub change: Change,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It is something else.
    Changed,
    /// It is not there.
    Gone,
    /// The pack does not name it.
    New,
}

impl Change {
    /// Returns the word for the change.
    pub fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Gone => "gone",
            Self::New => "new",
        }
    }
}

/// A tree and a pack could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The document cannot be used.
    #[error(transparent)]
    Pack(#[from] UnpackError),
    /// The system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}

impl VerifyError {
    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Pack(error) => Some(error.hint()),
            Self::Fs(error) => error.hint(),
        }
    }
}

/// Compares a pack with a tree. The pack is read once, and no link is followed.
///
/// # Errors
///
/// Fails on a pack that is damaged, and where a file of it is there and cannot be read.
pub fn verify(pack: impl Read, request: &VerifyRequest<'_>) -> Result<Verified, VerifyError> {
    let root = &request.repository.root;
    let mut verified = Verified::default();
    let mut paths = BTreeSet::new();
    let unpacked = unpack(BufReader::new(pack), |file| {
        verified.n_listed += usize::from(file.listed.is_some());
        let is_altered = file.bytes.is_none() && file.listed.is_none();
        verified.n_altered += usize::from(is_altered);
        if let Some(change) = change(root, &file)? {
            verified.differences.push(Difference {
                path: file.path.clone(),
                change,
            });
        }
        paths.insert(file.path);
        Ok::<(), VerifyError>(())
    })?;
    verified.n_files = paths.len();
    verified.n_unfit = unpacked.n_unfit;
    if request.new == New::Told && verified.n_unfit == 0 {
        let new = candidates(request).filter(|path| !paths.contains(path));
        verified.differences.extend(new.map(|path| Difference {
            path,
            change: Change::New,
        }));
    }
    verified.differences.sort_unstable();
    Ok(verified)
}

fn candidates(request: &VerifyRequest<'_>) -> impl Iterator<Item = RepoPath> {
    let scan = repo::scan(
        request.repository,
        &ScanOptions {
            named: &[Named::Everything],
            globs: &Globs::everything(),
            outputs: request.pack.as_slice(),
            our_heads: &OUR_HEADS,
            threads: request.threads,
        },
    );
    let candidates = scan.candidates.into_iter();
    candidates.map(|candidate| candidate.path)
}

/// Says what became of a file of the pack, if it is not as it was.
fn change(root: &Root, file: &PackedFile) -> Result<Option<Change>, FsError> {
    let kind = match root.kind(&file.path) {
        Ok(kind) => kind,
        Err(error) if is_gone(root, &file.path, &error) => return Ok(Some(Change::Gone)),
        Err(error) => return Err(error),
    };
    let is_same = match (&file.bytes, &file.listed) {
        (Some(bytes), _) => kind == EntryKind::File && has_bytes(root, &file.path, bytes)?,
        (None, Some(listed)) => is_as_listed(root, &file.path, kind, listed)?,
        (None, None) => kind == EntryKind::File,
    };
    Ok((!is_same).then_some(Change::Changed))
}

/// Says whether a file that could not be looked at is not there: it is missing, or a folder on the way is none any more.
fn is_gone(root: &Root, path: &RepoPath, error: &FsError) -> bool {
    let is_missing = matches!(
        error.source.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    );
    let is_link = |folder: RepoPath| root.kind(&folder).is_ok_and(|kind| kind == EntryKind::Link);
    is_missing || path.folders().any(is_link)
}

fn has_bytes(root: &Root, path: &RepoPath, bytes: &[u8]) -> Result<bool, FsError> {
    match root.read(path, bytes.len() as u64)? {
        Entry::Whole(found) => Ok(found == bytes),
        Entry::TooLarge { .. } => Ok(false),
    }
}

fn is_as_listed(
    root: &Root,
    path: &RepoPath,
    kind: EntryKind,
    listed: &Listed,
) -> Result<bool, FsError> {
    match listed.kind.as_str() {
        "link" if kind == EntryKind::Link => {
            let target = root.link_target(path)?;
            Ok(listed.target.as_ref().is_none_or(|was| *was == target))
        }
        "link" => Ok(false),
        "submodule" | "repository" => Ok(kind == EntryKind::Folder),
        _ if kind != EntryKind::File => Ok(false),
        _ => match listed.bytes {
            Some(bytes) => Ok(root.open_file(path)?.1 == bytes),
            None => Ok(true),
        },
    }
}
