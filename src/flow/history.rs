//! What a pack tells of a repository's past, and the choice of what changed.

use std::num::NonZeroUsize;

use crate::history::{self, ChangedFiles, Detail, HistoryError, What};
use crate::pack::Sections;
use crate::path::RepoPath;
use crate::repo::{Repository, Scan};

/// Which sections are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The differences, in this order.
    pub diffs: Vec<What>,
    /// How many commits.
    pub n_commits: usize,
}

/// Reads the sections that are wanted, of each file in this detail; of a repository without git only if there are none.
///
/// # Errors
///
/// Fails without git, on a revision that names no commit, and on a damaged repository.
pub fn sections(
    repository: &Repository,
    wanted: &Wanted,
    detail: &dyn Fn(&RepoPath) -> Detail,
    threads: NonZeroUsize,
) -> Result<Sections, HistoryError> {
    let diffs = wanted.diffs.iter();
    let diffs = diffs.map(|what| history::diff(repository, what, detail, threads));
    Ok(Sections {
        diffs: diffs.collect::<Result<_, _>>()?,
        log: match wanted.n_commits {
            0 => Vec::new(),
            n => history::log(repository, n)?,
        },
        instruction: None,
    })
}

/// Keeps of what was found the files that are not as in the commit that `revision` names (`None`: the one that is
/// checked out), new ones included; returns them, and those that are gone.
///
/// # Errors
///
/// As [`sections`].
pub fn keep_changed(
    repository: &Repository,
    revision: Option<&str>,
    scan: &mut Scan,
    threads: NonZeroUsize,
) -> Result<ChangedFiles, HistoryError> {
    let changed = history::changed(repository, revision, &scan.candidates, threads)?;
    scan.candidates
        .retain(|candidate| changed.paths.binary_search(&candidate.path).is_ok());
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Root;
    use crate::path::RepoPath;
    use crate::repo;

    #[test]
    fn a_tree_without_git_has_no_sections_and_says_so_if_one_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let path = RepoPath::parse(b"a").unwrap();
        Root::open(folder.path())
            .unwrap()
            .create(&path, b"x")
            .unwrap();
        let (repository, _, _) = repo::open(folder.path(), &[]).unwrap();
        let ask = |diffs: Vec<What>, n_commits| {
            let wanted = Wanted { diffs, n_commits };
            sections(&repository, &wanted, &|_| Detail::Full, NonZeroUsize::MIN)
        };
        assert_eq!(ask(vec![], 0).unwrap(), Sections::default());
        assert!(matches!(
            ask(vec![What::Staged], 0),
            Err(HistoryError::NoGit(_))
        ));
        assert!(matches!(ask(vec![], 1), Err(HistoryError::NoGit(_))));
    }
}
