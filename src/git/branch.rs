//! A change as a commit on a branch of its own; the work tree, the index and every other branch stay as they are.

use std::path::Path;

use gix::refs::transaction::PreviousValue;

use super::config::Config;
use super::folder::GitFolder;
use super::{Entry, EntryKind, GitError, Id, ObjectError, Objects, write_blob};
use crate::path::RepoPath;

/// A path that is not as in the commit that is checked out.
pub struct Changed {
    /// The path.
    pub path: RepoPath,
    /// What it is, and the bytes of the file or the target of the link; nothing where it is deleted.
    pub now: Option<(EntryKind, Vec<u8>)>,
}

/// A branch could not be made or taken away.
#[derive(Debug, thiserror::Error)]
pub enum BranchError {
    /// Git's files could not be read or written.
    #[error(transparent)]
    Git(#[from] GitError),
    /// An object could not be read or written.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The branch leads elsewhere by now.
    #[error("the branch `{0}` no longer ends with the commit of the run")]
    Moved(String),
}

/// Commits `changed` on top of what is checked out at `top`, as the end of the new branch `name`; returns the commit's id.
///
/// The author is whom git's configuration of the user names. Nothing is signed, and no hook runs.
///
/// # Errors
///
/// Fails if there is such a branch already that ends with another commit, or git's files cannot be read or written.
pub fn commit_on_branch(
    top: &Path,
    name: &str,
    message: &str,
    changed: &[Changed],
    seconds: i64,
) -> Result<String, BranchError> {
    let git = GitFolder::of(top)?;
    let (config, mut repository) = (Config::of(&git)?, git.open()?);
    let (format, folder) = (config.format(), git.objects());
    let objects = Objects::open(&folder, format)?;
    let parent = git.head()?;
    let mut entries = match parent {
        Some(parent) => objects.entries_of(parent)?,
        None => std::collections::BTreeMap::new(),
    };
    for Changed { path, now } in changed {
        let Some((kind, bytes)) = now else {
            entries.remove(path);
            continue;
        };
        let id = Id::of(bytes, format).ok_or_else(|| git.error(format!("`{path}` has no id")))?;
        write_blob(&folder, id, bytes.len() as u64, bytes.as_slice())?;
        entries.insert(path.clone(), (*kind, id));
    }
    let entries: Vec<Entry> = entries
        .into_iter()
        .map(|(path, (kind, id))| Entry { path, kind, id })
        .collect();
    let name_of_user = config.text("user.name").unwrap_or("twostep".into());
    let email = config
        .text("user.email")
        .unwrap_or("twostep@localhost".into());
    let author = repository
        .committer_or_set_fallback(name_of_user, email)
        .map_err(|cause| git.error(cause))?;
    let author = (author.name.to_string(), author.email.to_string());
    let commit = objects.commit(&entries, parent, message, (&author.0, &author.1), seconds)?;
    repository
        .reference(
            reference(name),
            commit.0,
            PreviousValue::ExistingMustMatch(commit.0.into()),
            "twostep: a run's change",
        )
        .map_err(|cause| git.error(cause))?;
    Ok(commit.to_string())
}

/// Takes the branch `name` away, if it still ends with `commit`; one that is not there is away.
///
/// # Errors
///
/// Fails with [`BranchError::Moved`] if it does not.
pub fn delete_branch(top: &Path, name: &str, commit: &str) -> Result<(), BranchError> {
    let git = GitFolder::of(top)?;
    let repository = git.open()?;
    let moved = || BranchError::Moved(name.to_owned());
    let found = repository.try_find_reference(&reference(name));
    let Some(branch) = found.map_err(|_| moved())? else {
        return Ok(());
    };
    let ours = Id::parse(commit).map(|id| id.0);
    let is_ours = branch.try_id().map(gix::Id::detach) == ours;
    let is_out = git.branch().is_some_and(|branch| branch == name.as_bytes());
    if !is_ours || is_out {
        return Err(moved());
    }
    let deleted = branch.delete();
    deleted.map_err(|cause| git.error(cause).into())
}

fn reference(name: &str) -> String {
    format!("refs/heads/{name}")
}
