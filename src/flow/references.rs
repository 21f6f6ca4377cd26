//! What a plan names, looked up in the tree, its symbols and its renames.

use super::plan_exec::RunError;
use super::symbols;
use crate::history;
use crate::path::RepoPath;
use crate::plan::{Plan, Reference, Status, Tree};
use crate::repo::{Candidate, Repository};

/// Returns what a plan names of the files of the repository; lines are those of `text`, which holds the plan.
pub fn resolve(
    text: &str,
    plan: &Plan,
    repository: &Repository,
    candidates: &[Candidate],
) -> Vec<Reference> {
    let mut tree = Tree::new(candidates.iter().map(|candidate| candidate.path.clone()));
    tree.symbols = symbols::defined(&plan.text, repository, candidates);
    let mut references = crate::plan::references(&plan.text, &tree);
    let missing = references.iter().filter_map(missing);
    let missing: Vec<RepoPath> = missing.collect();
    if !missing.is_empty() {
        // Where git tells nothing, nothing was renamed.
        tree.renames = history::renames(repository, missing).unwrap_or_default();
        references = crate::plan::references(&plan.text, &tree);
    }
    add_lines_above(&mut references, text, plan);
    references
}

/// Says whether each of `references` is clear.
///
/// # Errors
///
/// Fails with [`RunError::Unresolved`] if one is missing or ambiguous.
pub fn all_clear(references: &[Reference]) -> Result<(), RunError> {
    let open = references.iter().filter(|reference| reference.is_open());
    let open: Vec<Reference> = open.cloned().collect();
    if open.is_empty() {
        Ok(())
    } else {
        Err(RunError::Unresolved { open })
    }
}

/// Makes the lines of `references`, which are those of a plan, those of `text`, which holds it.
pub(super) fn add_lines_above(references: &mut [Reference], text: &str, plan: &Plan) {
    let start = text.find(plan.text.trim_end()).unwrap_or(0);
    let n_above = text[..start].matches('\n').count();
    for reference in references {
        reference.line += n_above;
    }
}

/// Returns the path that nothing is at.
fn missing(reference: &Reference) -> Option<RepoPath> {
    let is_missing = matches!(reference.status, Status::Missing(_));
    let path = RepoPath::parse(reference.written.as_bytes()).ok();
    path.filter(|_| is_missing)
}
