//! One candidate read: its text, or why it is only listed.

use std::io::Read;

use super::decode::Text;
use super::{Candidate, Kind, special};
use crate::fs::{Entry, FsError, Hash, Root};

/// What is in a candidate.
#[derive(Debug, Clone)]
pub struct FileContent {
    /// The text, or why there is none to show.
    pub content: Content,
    /// The file's size; none for what is no file, and where it is not known.
    pub bytes: Option<u64>,
    /// BLAKE3 of the file's bytes, if it was asked for and they could be read.
    pub hash: Option<Hash>,
}

/// Text, or why there is none to show.
#[derive(Debug, Clone)]
pub enum Content {
    /// All of the file.
    Text(Text),
    /// The file is only listed.
    Listed(Reason),
}

/// Why less than all of a file is packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It is no text.
    Binary,
    /// A package manager wrote it to pin what it resolved.
    Lock,
    /// It is written for machines to load fast.
    Minified,
    /// A program wrote it.
    Generated,
    /// It is another project's.
    Vendored,
    /// It stands for a file that Git LFS keeps elsewhere.
    Lfs,
    /// It is larger than the limit.
    Large,
    /// It is a symbolic link, to this target.
    Link(Vec<u8>),
    /// It is another repository at a fixed commit.
    Submodule,
    /// It is another repository.
    Repository,
    /// Some file system takes its name for `.git`.
    GitName,
    /// It holds a secret, and such files are not shown.
    Secret,
    /// It could not be read, for this cause.
    Unreadable(String),
    /// No more of it was asked for.
    Asked,
    /// It does not fit the budget.
    Budget,
}

impl Reason {
    /// Returns the one word that stands for this reason in packs and manifests.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Lock => "lock",
            Self::Minified => "minified",
            Self::Generated => "generated",
            Self::Vendored => "vendored",
            Self::Lfs => "lfs",
            Self::Large => "large",
            Self::Link(_) => "link",
            Self::Submodule => "submodule",
            Self::Repository => "repository",
            Self::GitName => "git-name",
            Self::Secret => "secret",
            Self::Unreadable(_) => "unreadable",
            Self::Asked => "asked",
            Self::Budget => "budget",
        }
    }
}

/// How candidates are read.
#[derive(Debug, Clone, Copy)]
pub struct ReadOptions {
    /// Whether locks, minified, generated, vendored and large files and LFS pointers are read like any other.
    pub everything: bool,
    /// Whether to hash every file, listed ones too.
    pub hashed: bool,
}

/// Files over this size are only listed, unless everything is asked for or they were named.
const LARGE_BYTES: u64 = 10_000_000;

/// Files over this size are only listed in any case: text is held in memory while it is packed.
const HUGE_BYTES: u64 = 256 << 20;

/// Reads a candidate.
///
/// Never fails: what cannot be read is listed, with the cause.
pub fn read(root: &Root, candidate: &Candidate, options: ReadOptions) -> FileContent {
    match candidate.kind {
        Kind::File => {}
        Kind::Link => {
            let reason = root
                .link_target(&candidate.path)
                .map_or_else(|error| unreadable(&error), Reason::Link);
            return FileContent::listed(reason);
        }
        Kind::Submodule => return FileContent::listed(Reason::Submodule),
        Kind::Repository => return FileContent::listed(Reason::Repository),
    }
    let in_full = options.everything || candidate.named;
    let reason = if candidate.path.is_git_internal() {
        Some(Reason::GitName)
    } else if in_full {
        None
    } else {
        special::by_name(&candidate.path)
    };
    let max_bytes = match (&reason, in_full) {
        (Some(_), _) => 0,
        (None, true) => HUGE_BYTES,
        (None, false) => LARGE_BYTES,
    };
    let bytes = match root.read(&candidate.path, max_bytes) {
        Ok(Entry::Whole(bytes)) => bytes,
        Ok(Entry::TooLarge { bytes }) => {
            let hash = options.hashed.then(|| hash_of(root, candidate)).flatten();
            return FileContent {
                content: Content::Listed(reason.unwrap_or(Reason::Large)),
                bytes: Some(bytes),
                hash,
            };
        }
        Err(error) => return FileContent::listed(unreadable(&error)),
    };
    let size = bytes.len() as u64;
    let hash = options.hashed.then(|| Hash::of(&bytes));
    let content = match (reason, Text::decode(bytes)) {
        (Some(reason), _) => Content::Listed(reason),
        (None, Err(_)) => Content::Listed(Reason::Binary),
        (None, Ok(text)) => match special::by_text(&candidate.path, &text.text) {
            Some(reason) if !in_full => Content::Listed(reason),
            _ => Content::Text(text),
        },
    };
    FileContent {
        content,
        bytes: Some(size),
        hash,
    }
}

impl FileContent {
    fn listed(reason: Reason) -> Self {
        Self {
            content: Content::Listed(reason),
            bytes: None,
            hash: None,
        }
    }
}

fn unreadable(error: &FsError) -> Reason {
    Reason::Unreadable(format!("{error}: {}", error.source))
}

/// Hashes a file without holding it; none if it is huge, for a file may say any size.
fn hash_of(root: &Root, candidate: &Candidate) -> Option<Hash> {
    let (file, size) = root.open_file(&candidate.path).ok()?;
    let (hash, _) = Hash::of_reader(file.take(HUGE_BYTES)).ok()?;
    (size <= HUGE_BYTES).then_some(hash)
}
