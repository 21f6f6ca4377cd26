//! The pack: which files go in, how they are written, and how they are got back.
//!
//! In: files of the repository, a budget. Out: a document whose tokens are known exactly, its
//! manifest, and from a document the files again. The only user of `quick-xml`.
//!
//! Invariant: the count of a document is the sum of its units' counts, in every format. Units are
//! cut only where the encoding cuts anyway: between a letter and a bracket, quotation mark or line
//! break, and after a line break that neither white space nor `/` follows.

mod carriage;
mod class;
mod document;
mod facts;
mod fit;
mod format;
mod json;
mod level;
mod lines;
mod manifest;
mod markdown;
mod near;
mod plain;
mod rank;
mod sections;
mod shape;
mod steps;
mod tree;
mod unpack;
mod ways;
mod xml;

pub use carriage::Damaged;
use carriage::{Carriage, Controls};
pub use class::Class;
pub use document::{Document, Frame, Part, Totals};
pub use fit::{Fit, Room, TooSmall, fit};
pub use format::Format;
pub use level::{InvalidLevel, Level, LevelRule, Shown, Whole};
pub use manifest::{Estimate, Facts, HEAD as MANIFEST_HEAD, Manifest, Options};
pub use near::{Bond, Neighbour, Source, neighbours};
pub use rank::{Look, Query, Score, Seen, rank};
pub use sections::Sections;
pub use steps::{Offer, worth_at_end};
pub use tree::Tree;
pub use unpack::{Listed, PackedFile, UnpackError, Unpacked, unpack};
pub use ways::{Prefer, Way, excerpt, ways, whole_worth};

use crate::history::{Commit, Diff};
use crate::path::RepoPath;
use crate::repo::{Hash, Reason, Unseen};
use crate::secrets::Sighting;
use crate::syntax::Lines;
use crate::tokens::Count;

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
    /// The tokens that it takes, markup included; what they would be where it is not in the pack.
    pub cost: Count,
    /// Whether it has a place of its own in the pack.
    pub is_packed: bool,
    /// How likely it is meant by what is wanted, where that was asked.
    pub score: Option<Score>,
    /// The tokens that it would take in full, where the budget shortened it.
    pub full_cost: Option<Count>,
    /// Why all of it is shown where less was wanted.
    pub whole: Option<Whole>,
    /// The lines of its text that are shown.
    pub lines: Vec<Lines>,
    /// What of its text a reader does not see.
    pub unseen: Unseen,
    /// Its size, where it is a file whose size is known.
    pub bytes: Option<u64>,
    /// BLAKE3 of its bytes, where it was asked for.
    pub hash: Option<Hash>,
    /// The secrets that were found in it.
    pub secrets: Vec<Sighting>,
}

impl Entry {
    /// Says whether all of the file is in the pack.
    pub fn is_full(&self) -> bool {
        self.is_packed && self.level == Level::Full
    }

    /// Says whether lines of the file are in the pack.
    pub fn is_shown(&self) -> bool {
        self.is_packed && self.level != Level::Path
    }
}
