//! The tokens of a repository's files, as they are.

use std::convert::Infallible;

use super::pack::{PackError, PackRequest, Progress, find};
use crate::path::RepoPath;
use crate::repo::{self, Content, Reason, Repository, Skipped};
use crate::tokens::Count;

/// The tokens of files.
pub struct Counted {
    /// Each candidate, sorted by path.
    pub files: Vec<CountedFile>,
    /// What was passed over.
    pub skipped: Vec<Skipped>,
}

/// The tokens of one file.
pub struct CountedFile {
    /// Its path.
    pub path: RepoPath,
    /// The tokens of its text; none where it is not read as text.
    pub count: Count,
    /// Why it is not read as text.
    pub reason: Option<Reason>,
}

/// Text that waits for its turn weighs nothing: only its count is kept.
const NO_LIMIT: usize = usize::MAX;

/// Counts the files of a repository; of the request, what concerns a document is not used.
///
/// # Errors
///
/// Fails if there is nothing to count.
pub fn count(
    repository: &Repository,
    request: &PackRequest,
    progress: Progress<'_>,
) -> Result<Counted, PackError> {
    let scan = find(repository, request)?;
    let candidates = &scan.candidates;
    let mut files = Vec::with_capacity(candidates.len());
    let work = |index: usize| {
        let file = repo::read(&repository.root, &candidates[index], request.read);
        let (count, reason) = match file.content {
            Content::Text(text) => (request.counter.count(&text.text), None),
            Content::Listed(reason) => (Count::default(), Some(reason)),
        };
        CountedFile {
            path: candidates[index].path.clone(),
            count,
            reason,
        }
    };
    let done: Result<(), Infallible> = repo::map_in_order(
        candidates.len(),
        request.threads,
        NO_LIMIT,
        |_| 0,
        work,
        |index, file| {
            files.push(file);
            progress(index + 1, candidates.len());
            Ok(())
        },
    );
    match done {
        Ok(()) => Ok(Counted {
            files,
            skipped: scan.skipped,
        }),
    }
}
