//! From a pack to what has changed since it was made.

use std::collections::BTreeSet;
use std::io::{self, BufReader, Read};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::pack::OUR_HEADS;
use super::redact::Redactor;
use crate::fs::{Entry, EntryKind, FsError, Root};
use crate::pack::{Listed, PackedFile, UnpackError, unpack};
use crate::path::RepoPath;
use crate::repo::{self, Globs, Named, Repository, ScanOptions, Text};
use crate::secrets::placeholders;

/// What is compared with a pack.
pub struct VerifyRequest<'a> {
    /// The tree.
    pub repository: &'a Repository,
    /// Whether files that the pack does not name are looked for.
    pub new: New,
    /// The file of the pack, absolute and resolved, if it is one: it is not new.
    pub pack: Option<PathBuf>,
    /// What redacts files as those of the pack were.
    pub redactor: &'a Redactor,
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
    /// How many of them it shows in part: whether they are there was looked at, and no more.
    pub n_shortened: usize,
    /// How many of them it holds with placeholders: they were compared but for the secrets.
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
        verified.n_shortened += usize::from(file.is_shortened);
        verified.n_altered += usize::from(file.altered.is_some());
        if let Some(change) = change(root, &file, request.redactor)? {
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
fn change(root: &Root, file: &PackedFile, redactor: &Redactor) -> Result<Option<Change>, FsError> {
    let kind = match root.kind(&file.path) {
        Ok(kind) => kind,
        Err(error) if is_gone(root, &file.path, &error) => return Ok(Some(Change::Gone)),
        Err(error) => return Err(error),
    };
    let is_same = match (&file.bytes, &file.listed) {
        _ if file.is_shortened => kind == EntryKind::File,
        (Some(bytes), _) => kind == EntryKind::File && has_bytes(root, &file.path, bytes)?,
        (None, Some(listed)) => is_as_listed(root, &file.path, kind, listed)?,
        (None, None) => {
            let altered = file.altered.as_deref().unwrap_or_default();
            kind == EntryKind::File && is_redacted(root, &file.path, altered, redactor)?
        }
    };
    Ok((!is_same).then_some(Change::Changed))
}

/// Says whether a file is, but for the numbers of its secrets, `altered` once they are redacted.
fn is_redacted(
    root: &Root,
    path: &RepoPath,
    altered: &[u8],
    redactor: &Redactor,
) -> Result<bool, FsError> {
    let Entry::Whole(bytes) = root.read(path, MAX_ALTERED_BYTES)? else {
        return Ok(false);
    };
    let Ok(now) = Text::decode(bytes) else {
        return Ok(false);
    };
    let findings = redactor.find(&path.to_string(), &now.text);
    let now = Text {
        text: redactor.redact(&now.text, &findings),
        ..now
    };
    let now = now.encode().unwrap_or_default();
    Ok(without_numbers(now) == without_numbers(altered.to_owned()))
}

/// No file is packed as text that is larger.
const MAX_ALTERED_BYTES: u64 = 256 << 20;

/// Returns a text with placeholders that are the same for all values of a rule.
fn without_numbers(bytes: Vec<u8>) -> String {
    let text = Text::of_any(bytes).text;
    let mut same = String::with_capacity(text.len());
    let mut end = 0;
    for placeholder in placeholders(&text) {
        same.push_str(&text[end..placeholder.range.start]);
        same.push_str(placeholder.rule);
        end = placeholder.range.end;
    }
    same + &text[end..]
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
