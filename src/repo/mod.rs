//! The repository as files: which there are, and what is in them.
//!
//! In: a root, and what the user named or filtered. Out: candidates in the order of their paths,
//! and the text of each. Reads in parallel, hands on in order, holds little.
//!
//! Invariant: the candidates are what `git ls-files -co --exclude-standard` lists; without git the
//! same ignore rules hold.

mod content;
mod decode;
mod globs;
mod open;
mod ordered;
mod rule;
mod rules;
mod scope;
mod special;
mod walk;

pub use crate::fs::Hash;
pub use content::{Content, FileContent, ReadOptions, Reason, read};
pub use decode::{Charset, Text, Unseen};
pub use globs::{Globs, InvalidGlob};
pub use open::{Named, OpenError, Repository, open};
pub use ordered::map_in_order;
pub use special::{listed, locks};
pub use walk::{Candidate, Kind, Scan, ScanOptions, SkipReason, Skipped, scan};
