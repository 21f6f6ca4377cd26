//! A change as a commit on a branch of its own; the work tree, the index and every other branch stay as they are.

use std::path::Path;

use gix::refs::transaction::PreviousValue;

use super::{
    Entry, EntryKind, GitError, Id, ObjectError, ObjectFormat, Objects, open_as_user, write_blob,
};
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
/// Fails if there is such a branch already, or git's files cannot be read or written.
pub fn commit_on_branch(
    top: &Path,
    name: &str,
    message: &str,
    changed: &[Changed],
    seconds: i64,
) -> Result<String, BranchError> {
    let fail = |why: String| GitError {
        top: top.to_owned(),
        why,
    };
    let mut repository = open_as_user(top)?;
    let format = ObjectFormat::of(repository.object_hash());
    let folder = repository.common_dir().join("objects");
    let objects = Objects::open(&folder, format)?;
    let parent = repository.head_id().ok().map(|id| Id(id.detach()));
    let mut entries = match parent {
        Some(parent) => objects.entries_of(parent)?,
        None => std::collections::BTreeMap::new(),
    };
    for Changed { path, now } in changed {
        let Some((kind, bytes)) = now else {
            entries.remove(path);
            continue;
        };
        let id = Id::of(bytes, format).ok_or_else(|| fail(format!("`{path}` has no id")))?;
        write_blob(&folder, id, bytes.len() as u64, bytes.as_slice())?;
        entries.insert(path.clone(), (*kind, id));
    }
    let entries: Vec<Entry> = entries
        .into_iter()
        .map(|(path, (kind, id))| Entry { path, kind, id })
        .collect();
    let author = repository
        .committer_or_set_fallback("twostep", "twostep@localhost")
        .map_err(|cause| fail(cause.to_string()))?;
    let author = (author.name.to_string(), author.email.to_string());
    let commit = objects.commit(&entries, parent, message, (&author.0, &author.1), seconds)?;
    repository
        .reference(
            reference(name),
            commit.0,
            PreviousValue::MustNotExist,
            "twostep: a run's change",
        )
        .map_err(|cause| fail(cause.to_string()))?;
    Ok(commit.to_string())
}

/// Takes the branch `name` away, if it still ends with `commit`.
///
/// # Errors
///
/// Fails with [`BranchError::Moved`] if it does not.
pub fn delete_branch(top: &Path, name: &str, commit: &str) -> Result<(), BranchError> {
    let fail = |cause: String| GitError {
        top: top.to_owned(),
        why: cause,
    };
    let repository = open_as_user(top)?;
    let moved = || BranchError::Moved(name.to_owned());
    let branch = repository
        .find_reference(&reference(name))
        .map_err(|_| moved())?;
    let ours = Id::parse(commit).map(|id| id.0);
    let is_ours = branch.try_id().map(gix::Id::detach) == ours;
    let is_out = repository
        .head_name()
        .is_ok_and(|head| head.is_some_and(|head| head.as_bstr() == reference(name).as_str()));
    if !is_ours || is_out {
        return Err(moved());
    }
    branch
        .delete()
        .map_err(|cause| fail(cause.to_string()).into())
}

fn reference(name: &str) -> String {
    format!("refs/heads/{name}")
}
