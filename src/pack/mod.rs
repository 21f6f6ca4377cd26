//! The pack: which files go in, how they are written, and how they are got back.
//!
//! In: files of the repository, a budget. Out: a document whose tokens are known exactly, its
//! manifest, and from a document the files again. The only user of `quick-xml`.
//!
//! Invariant: the count of a document is the sum of its parts' counts. Parts are cut only where
//! the encoding cuts anyway: before a `[` that follows a letter, and after a line break that a
//! `<` or `]` follows.

mod carriage;
mod fit;
mod manifest;
mod rank;
mod tree;
mod unpack;
mod xml;

pub use carriage::{Carriage, Controls, Damaged};
pub use fit::{Fit, Room, TooSmall, fit};
pub use manifest::{Estimate, Facts, HEAD as MANIFEST_HEAD, Manifest, Options};
pub use rank::Class;
pub use tree::Tree;
pub use unpack::{PackedFile, UnpackError, Unpacked, unpack};
pub use xml::{Document, Frame, HEAD, Part, Totals};

use crate::path::RepoPath;
use crate::repo::{Hash, Reason};
use crate::tokens::Count;

/// How much of a file a pack shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// All of it.
    Full,
    /// Its path only.
    Path,
}

impl Level {
    /// Returns the word for the level in packs and manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Path => "path",
        }
    }
}

/// What became of a candidate.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its path.
    pub path: RepoPath,
    /// Its class, by which it was chosen.
    pub class: Class,
    /// How much of it can be shown.
    pub level: Level,
    /// Why that is less than all, or why it is not in the pack.
    pub reason: Option<Reason>,
    /// The tokens of its element, markup included; what they would be where it is not in the pack.
    pub cost: Count,
    /// Whether it has an element in the pack.
    pub is_packed: bool,
    /// How many lines its text has.
    pub n_lines: usize,
    /// Its size, where it is a file whose size is known.
    pub bytes: Option<u64>,
    /// BLAKE3 of its bytes, where it was asked for.
    pub hash: Option<Hash>,
}

impl Entry {
    /// Says whether all of the file is in the pack.
    pub fn is_full(&self) -> bool {
        self.is_packed && self.level == Level::Full
    }
}
