//! The options that say what a budget is spent on.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::environment::Environment;
use super::plan::read_spec;
use crate::pack::Query;

/// What is wanted.
#[derive(Args, Debug)]
pub(super) struct SliceArgs {
    /// What is wanted, in Markdown (`-`: stdin): under a budget, what a change for it likely touches goes in first
    ///
    /// Files are ranked by the words, names, paths and places that the spec says; tests, documents and data only if
    /// it names them.
    #[arg(long, value_name = "SPEC")]
    spec: Option<PathBuf>,

    /// The same in a sentence
    #[arg(long, value_name = "TEXT", conflicts_with = "spec")]
    task: Option<String>,
}

impl SliceArgs {
    /// Returns what is wanted, to rank files by.
    pub(super) fn query(&self, environment: &Environment) -> anyhow::Result<Option<Arc<Query>>> {
        let spec = match (&self.spec, &self.task) {
            (Some(path), _) => read_spec(path, environment)?,
            (None, Some(task)) => task.clone(),
            (None, None) => return Ok(None),
        };
        Ok(Some(Arc::new(Query::of(&spec))))
    }
}
