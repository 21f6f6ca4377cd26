//! Plans: the one in a planner's answer, and the files that a plan names.
//!
//! In: Markdown that a model or a person wrote, and the paths of the repository. Out: [`Plan`], [`Reference`]. Pure.
//!
//! Invariant: a reference leads to nothing outside of the repository: what is written so is missing.

mod after;
mod answer;
mod clause;
mod depend;
mod detail;
mod diff;
mod drawing;
mod fault;
mod fence;
mod files;
mod force;
mod inline;
mod label;
mod mention;
mod order;
mod range;
mod removal;
mod resolve;
mod scan;
mod section;
mod step;
mod symbol;
mod table;
#[cfg(test)]
mod tests;
mod tree;
mod verb;
mod word;

pub use answer::{END, Plan, PlanError, parse};
pub use fault::{Defect, Fault, faults};
pub use order::{n_within, order, pieces};
pub use removal::{deletes, takes_away};
use serde::{Serialize, Serializer};
pub use step::Step;
pub use symbol::{Symbol, SymbolName, symbol_names};
pub use tree::Tree;

use crate::path::RepoPath;

/// A path that a plan names, or the name of something that the file at it defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// It as it stands in the plan, without a range or fragment; one of several in braces stands alone.
    pub written: String,
    /// The line of the plan where it is first named, from 1.
    pub line: usize,
    /// The first and last lines of what the plan points to in the file, each once.
    pub lines: Vec<(usize, usize)>,
    /// What the plan does to it.
    pub intent: Intent,
    /// What it is in the repository.
    pub status: Status,
}

/// What a plan does to a file; the strongest of all that it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Nothing that is said.
    Mention,
    /// Changes it.
    Change,
    /// Makes it.
    Create,
    /// Gives it another name.
    Rename,
    /// Deletes it.
    Delete,
}

/// What a path of a plan is in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// A file.
    Exact(RepoPath),
    /// A folder.
    Folder(RepoPath),
    /// The one file whose path ends with it, or that it ends with.
    Suffix(RepoPath),
    /// The file that the one there was renamed to, as git knows.
    Renamed(RepoPath),
    /// A file that the plan makes.
    Created(RepoPath),
    /// One of several files whose paths end with it, in order.
    Ambiguous(Vec<RepoPath>),
    /// Nothing; the files that it may have meant, best first.
    Missing(Vec<RepoPath>),
}

/// Returns every path that `text` names, in the order of first mention, each once.
///
/// What several mentions say of one path is merged: the strongest intent, all ranges, the fullest spelling. A name of
/// what the tree defines in few files names them; any other name is none.
pub fn references(text: &str, tree: &Tree) -> Vec<Reference> {
    resolve::resolve(scan::mentions(text, tree), tree)
}

impl Reference {
    /// Returns the paths that the status holds: one, or all that may have been meant.
    pub fn paths(&self) -> &[RepoPath] {
        match &self.status {
            Status::Exact(path)
            | Status::Folder(path)
            | Status::Suffix(path)
            | Status::Renamed(path)
            | Status::Created(path) => std::slice::from_ref(path),
            Status::Ambiguous(paths) | Status::Missing(paths) => paths,
        }
    }

    /// Says whether somebody has to tell what was meant.
    pub fn is_open(&self) -> bool {
        matches!(self.status, Status::Ambiguous(_) | Status::Missing(_))
    }
}

impl Status {
    /// Returns the name of the status.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Exact(_) => "exact",
            Self::Folder(_) => "folder",
            Self::Suffix(_) => "suffix",
            Self::Renamed(_) => "renamed",
            Self::Created(_) => "created",
            Self::Ambiguous(_) => "ambiguous",
            Self::Missing(_) => "missing",
        }
    }
}

/// A reference as programs read it.
#[derive(Serialize)]
struct Row<'a> {
    written: &'a str,
    line: usize,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    lines: &'a [(usize, usize)],
    intent: Intent,
    status: &'static str,
    paths: Vec<String>,
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Row {
            written: &self.written,
            line: self.line,
            lines: &self.lines,
            intent: self.intent,
            status: self.status.name(),
            paths: self.paths().iter().map(RepoPath::to_string).collect(),
        }
        .serialize(serializer)
    }
}
