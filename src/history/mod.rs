//! What git knows of a tree's past: how it differs from what was committed or staged, and the last commits.
//!
//! In: a repository. Out: texts as `git diff` gives them, commits as `git log` does, paths. Git's files and the work
//! tree are read as data: no program is started, whatever the repository configures, and no file is
//! read through a link.
//!
//! Invariant: the text is that of `git diff --no-ext-diff --no-textconv --no-renames --no-color` without its `index`
//! lines, but for what only a program could tell (below).
//!
//! - Files that a filter changes on their way to git are compared as they are, unless git's index says that they are as
//!   it saw them last. Git LFS needs no program: a pointer is compared with the one that the file would have.
//! - A submodule counts by its commit; whether files in it changed is not asked.
//! - A path in conflict is one line, `* Unmerged path`, and no combined difference.
//! - The line that a hunk is said to be in is found by git's rule for any language. Where more than one choice of lines
//!   tells the same change, git may have made another (3 of the 417 files that our own history changed).
//! - Of locks, minified, generated and vendored files it is said how many lines differ, unless all is asked for.
//! - Files over 16 MiB are not shown, as git does with those over 512 MiB: `Binary files differ`.

mod compare;
mod convert;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

pub use crate::git::{Commit, UnknownRevision};

use crate::git::{self, EntryKind, GitError, ObjectError, Past, PastError};
use crate::patch::{self, Side};
use crate::path::RepoPath;
use crate::repo::{self, Candidate, Reason, Repository};
use compare::{Comparison, Difference};

/// How often a file is followed from name to name.
const MAX_RENAMES: usize = 8;

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// What is staged with the work tree.
    WorkTree,
    /// What is checked out with what is staged.
    Staged,
    /// A commit, by any name of it, with the work tree, as far as git tracks it.
    Since(String),
}

/// How much of a path's difference is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Nothing.
    Nothing,
    /// What a pack tells of the file: if that is only listed, how many lines differ.
    Packed,
    /// All of it.
    Full,
}

/// A difference as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    /// What is compared, in words.
    pub name: String,
    /// As git tells it; not always UTF-8, for it holds lines of files.
    pub text: Vec<u8>,
}

/// Files that are not as they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedFiles {
    /// Those that are there, sorted.
    pub paths: Vec<RepoPath>,
    /// Those that are not, sorted.
    pub deleted: Vec<RepoPath>,
}

/// Git's past could not be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// There is no git.
    #[error("cannot ask git about `{}`: it is no git repository", .0.display())]
    NoGit(std::path::PathBuf),
    /// A revision names nothing.
    #[error(transparent)]
    Revision(#[from] UnknownRevision),
    /// Git's files could not be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Git's objects could not be read.
    #[error(transparent)]
    Objects(#[from] ObjectError),
}

impl From<PastError> for HistoryError {
    fn from(error: PastError) -> Self {
        match error {
            PastError::Git(error) => Self::Git(error),
            PastError::Objects(error) => Self::Objects(error),
        }
    }
}

/// Returns how files differ, each in as much detail as is wanted.
///
/// # Errors
///
/// Fails without git, on a revision that names no commit, and on a damaged repository.
pub fn diff(
    repository: &Repository,
    what: &What,
    detail: &dyn Fn(&RepoPath) -> Detail,
    threads: NonZeroUsize,
) -> Result<Diff, HistoryError> {
    let past = open(repository)?;
    let mut text = Vec::new();
    let comparison = Comparison {
        root: &repository.root,
        past: &past,
        threads,
    };
    comparison.run(what, |path, difference| match (detail(path), difference) {
        (Detail::Nothing, _) => {}
        (detail, Difference::Sides { old, new, binary }) => {
            let (old, new) = (old.as_ref(), new.as_ref());
            let is_short = detail == Detail::Packed;
            let listed = new.or(old).filter(|_| is_short);
            let listed = listed.and_then(|side| listed_as(path, side));
            patch::text(path, old, new, binary, listed, &mut text);
        }
        (_, Difference::Unmerged) => line(b"Unmerged", path, "", &mut text),
        (_, Difference::Unreadable(why)) => line(b"Unreadable", path, &why, &mut text),
    })?;
    let name = match what {
        What::WorkTree => "work tree".to_owned(),
        What::Staged => "staged".to_owned(),
        What::Since(revision) => format!("since {revision}"),
    };
    Ok(Diff { name, text })
}

/// Returns the kind of file for which a pack only lists it, if a reader rarely wants its lines.
fn listed_as(path: &RepoPath, side: &Side) -> Option<&'static str> {
    let is_file = matches!(side.kind, EntryKind::File | EntryKind::Executable);
    let reason = is_file.then(|| repo::listed(path, &side.bytes)).flatten();
    // The pointer of Git LFS is short, and all that there is.
    reason
        .filter(|reason| *reason != Reason::Lfs)
        .map(|reason| reason.name())
}

/// Writes a line about a path that has no difference to show.
fn line(word: &[u8], path: &RepoPath, why: &str, text: &mut Vec<u8>) {
    let name = patch::name(b"", path);
    text.extend([b"* ", word, b" path ", &name].concat());
    if !why.is_empty() {
        text.extend([b": ", why.as_bytes()].concat());
    }
    text.push(b'\n');
}

/// Returns the last `n` commits, the newest first.
///
/// # Errors
///
/// Fails without git, and where an object is missing or damaged.
pub fn log(repository: &Repository, n: usize) -> Result<Vec<Commit>, HistoryError> {
    Ok(open(repository)?.log(n)?)
}

/// Returns what each of `gone` was renamed to; where that was renamed, too, it stands there as well.
///
/// # Errors
///
/// Fails without git, and where an object is missing or damaged.
pub fn renames(
    repository: &Repository,
    gone: Vec<RepoPath>,
) -> Result<BTreeMap<RepoPath, RepoPath>, HistoryError> {
    let past = open(repository)?;
    let mut renames = BTreeMap::new();
    let mut gone = gone;
    for _ in 0..MAX_RENAMES {
        let found = past.renames(std::mem::take(&mut gone))?;
        gone.extend(
            found
                .values()
                .filter(|new| !renames.contains_key(*new))
                .cloned(),
        );
        renames.extend(found);
        if gone.is_empty() {
            break;
        }
    }
    Ok(renames)
}

/// Returns which of `candidates` are not as in the commit that `revision` names (`None`: the one that is checked out),
/// what git does not track included, and which files that it tracks are gone.
///
/// Before the first commit, everything is new.
///
/// # Errors
///
/// As [`diff`].
pub fn changed(
    repository: &Repository,
    revision: Option<&str>,
    candidates: &[Candidate],
    threads: NonZeroUsize,
) -> Result<ChangedFiles, HistoryError> {
    let past = open(repository)?;
    let mut touched = Vec::new();
    let mut deleted = Vec::new();
    let comparison = Comparison {
        root: &repository.root,
        past: &past,
        threads,
    };
    let what = What::Since(revision.unwrap_or("HEAD").to_owned());
    comparison.run(&what, |path, difference| match difference {
        Difference::Sides { new: None, .. } => deleted.push(path.clone()),
        Difference::Sides { old, new, .. } if old == new => {}
        Difference::Sides { .. } | Difference::Unmerged | Difference::Unreadable(_) => {
            touched.push(path.clone());
        }
    })?;
    let git = repository.git.as_ref();
    let is_changed = |path: &RepoPath| {
        touched.binary_search(path).is_ok() || !git.is_some_and(|git| git.tracks(path.as_path()))
    };
    let paths = candidates.iter().map(|candidate| &candidate.path);
    let paths: Vec<RepoPath> = paths.filter(|path| is_changed(path)).cloned().collect();
    deleted.retain(|path| paths.binary_search(path).is_err());
    Ok(ChangedFiles { paths, deleted })
}

fn open(repository: &Repository) -> Result<Past, HistoryError> {
    let top = repository.root.path();
    match repository.git {
        Some(_) => Ok(git::Past::open(top)?),
        None => Err(HistoryError::NoGit(top.to_owned())),
    }
}
