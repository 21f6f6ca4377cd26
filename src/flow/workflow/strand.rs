//! Steps that are done one after another: what they came to, and the files as they made them.
//!
//! Invariant: what is called good has passed the checks, or nothing was to be checked; a scratch may hold anything, and is made to
//! hold what is good before it is worked in.

use std::sync::Arc;

use serde::Serialize;

use super::StepError;
use crate::check::Checked;
use crate::flow::bench::Bench;
use crate::flow::exec::{Before, Executed};
use crate::flow::execute::begin_again;
use crate::path::RepoPath;
use crate::plan::Reference;
use crate::prompt::template::Scope;
use crate::repo::Repository;
use crate::scratch::Change;

/// Some steps in their order, with what they know and work on.
pub(super) struct Strand {
    /// What templates and expressions may name.
    pub(super) scope: Scope,
    /// What they changed so far.
    pub(super) good: Good,
    /// The scratch that they work in; none, if they change nothing.
    pub(super) bench: Option<Bench>,
}

/// A change that is good so far.
#[derive(Clone, Default)]
pub(super) struct Good {
    /// The change, if there is one.
    pub(super) executed: Option<Arc<Executed>>,
    /// It as a patch, and what was said of it.
    pub(super) before: Before,
    /// What the plans name that it came of.
    pub(super) references: Vec<Reference>,
    /// Files that were let in by edits: no plan names them.
    pub(super) let_in: Vec<RepoPath>,
    /// What steps that check said of it, and of nothing before it.
    pub(super) seen: Vec<Seen>,
}

/// What a step that checks said.
#[derive(Clone, Serialize)]
pub struct Seen {
    /// The step.
    pub step: String,
    /// The check, and how it ended.
    pub check: Checked,
}

impl Good {
    /// Returns what it changes.
    pub(super) fn changes(&self) -> &[Change] {
        let executed = self.executed.as_ref();
        executed.map_or(&[], |executed| &executed.changes.changes)
    }

    /// Returns it as a text that people read.
    pub(super) fn diff(&self) -> String {
        let patch = self.before.patch.as_deref().unwrap_or_default();
        String::from_utf8_lossy(patch).into_owned()
    }
}

impl Strand {
    /// Returns the scratch, which then holds what is good and nothing else.
    pub(super) fn stand(&self, repository: &Repository) -> Result<&Bench, StepError> {
        let bench = self.bench.as_ref().ok_or(StepError::NoScratch)?;
        begin_again((repository, bench), self.good.before.patch.as_deref())?;
        Ok(bench)
    }

    /// Does `work` on the same files with names of its own; returns what it came to.
    pub(super) fn within<T>(&mut self, scope: Scope, work: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.scope, scope);
        let done = work(self);
        self.scope = outer;
        done
    }
}
