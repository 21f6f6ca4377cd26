//! Whether the user's files are as they were while somebody was asked who may change none.
//!
//! A look at names and file systems' own marks, not at bytes: what is found is told, and nothing hangs on it.
//!
//! In: the root of a repository. Out: the paths that differ.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

use super::pack::all_candidates;
use crate::fs::Trace;
use crate::path::RepoPath;
use crate::repo;

/// What the files of a repository looked like at one time; one that could not be looked at has no trace.
pub(super) struct Glance(BTreeMap<RepoPath, Option<Trace>>);

impl Glance {
    /// Looks at the files of the repository at `root`.
    pub(super) fn at(root: &Path) -> Self {
        let Ok((repository, ..)) = repo::open(root, &[]) else {
            return Self(BTreeMap::new());
        };
        let candidates = all_candidates(&repository, NonZeroUsize::MIN);
        let each = candidates.into_iter().map(|candidate| {
            let stat = repository.root.find(&candidate.path).ok().flatten();
            (candidate.path, stat.map(|stat| stat.trace))
        });
        Self(each.collect())
    }

    /// Returns the paths of files that came, went or changed until `now`.
    pub(super) fn changed(&self, now: &Self) -> Vec<RepoPath> {
        let gone_or_changed = self
            .0
            .iter()
            .filter(|&(path, trace)| now.0.get(path) != Some(trace));
        let came = now.0.iter().filter(|&(path, _)| !self.0.contains_key(path));
        let mut paths: Vec<RepoPath> = gone_or_changed
            .chain(came)
            .map(|(path, _)| path.clone())
            .collect();
        paths.sort();
        paths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "what others do to the files")]
    fn what_came_went_or_changed_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        for name in ["changed", "gone", "same"] {
            write(name, "as it was");
        }
        let before = Glance::at(folder.path());
        assert_eq!(before.changed(&Glance::at(folder.path())), []);
        write("changed", "not as it was");
        write("new", "not there before");
        std::fs::remove_file(folder.path().join("gone")).unwrap();
        let changed = before.changed(&Glance::at(folder.path()));
        let names: Vec<String> = changed.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["changed", "gone", "new"]);
    }
}
