//! What a plan says that is done, what the executor says that it did, and what it did.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::path::RepoPath;
use crate::plan::{self, Intent, Reference, Status, Tree};
use crate::repo;
use crate::scratch::{Change, Snapshot};

/// Where a change is not what was planned or told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// The plan does something to them, and they are as they were.
    pub untouched: Vec<RepoPath>,
    /// They are changed, and the plan does not name them.
    pub unplanned: Vec<RepoPath>,
    /// The executor says that it changed them, and they are as they were.
    pub claimed: Vec<RepoPath>,
}

impl Audit {
    /// Says whether the change is what was planned and told.
    pub fn is_clean(&self) -> bool {
        self.untouched.is_empty() && self.unplanned.is_empty() && self.claimed.is_empty()
    }
}

/// Holds `changes` against what the plan names, and against what the executor said in `report`.
pub fn audit(
    references: &[Reference],
    report: &str,
    snapshot: &Snapshot,
    changes: &[Change],
) -> Audit {
    let touched: BTreeSet<&RepoPath> = changes.iter().map(|change| &change.path).collect();
    let untouched = done_to(references, Intent::Change).filter(|path| !touched.contains(path));
    let untouched: Vec<RepoPath> = untouched.cloned().collect();
    let unplanned = touched.iter().filter(|path| !is_planned(path, references));
    let made = changes.iter().map(|change| change.path.clone());
    let tree = Tree::new(snapshot.files.keys().cloned().chain(made));
    let told = plan::references(report, &tree);
    let is_news = |path: &&RepoPath| !touched.contains(path) && !untouched.contains(path);
    Audit {
        unplanned: unplanned.map(|path| (*path).clone()).collect(),
        claimed: done_to(&told, Intent::Change)
            .filter(is_news)
            .cloned()
            .collect(),
        untouched,
    }
}

/// Returns the files to which at least `least` is done.
fn done_to(references: &[Reference], least: Intent) -> impl Iterator<Item = &RepoPath> {
    references
        .iter()
        .filter_map(move |reference| match &reference.status {
            Status::Exact(path)
            | Status::Suffix(path)
            | Status::Renamed(path)
            | Status::Created(path)
                if reference.intent >= least =>
            {
                Some(path)
            }
            _ => None,
        })
}

/// Says whether a plan names a file, a folder that holds it, or the manifest that a lock file goes with.
fn is_planned(path: &RepoPath, references: &[Reference]) -> bool {
    references.iter().any(|reference| match &reference.status {
        Status::Exact(named)
        | Status::Suffix(named)
        | Status::Renamed(named)
        | Status::Created(named) => named == path || repo::locks(path, named),
        Status::Folder(folder) => path.is_in(folder),
        Status::Ambiguous(_) | Status::Missing(_) => false,
    })
}
