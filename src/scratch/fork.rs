//! Side by side: scratches that begin as one does, and what each of them made, brought together again.
//!
//! In: changes against the same snapshot. Out: what one of them did since it began, and where that meets what others did.
//!
//! Invariant: what is taken over is whole files, and only such as nobody else has changed.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

use super::changes::clear;
use super::snapshot::{Plan, create};
use super::{Change, Found, Scratch, ScratchError, State};
use crate::fs::Root;
use crate::path::RepoPath;
use crate::repo::{Candidate, Kind, Repository};

impl Scratch {
    /// Makes another scratch with the same snapshot; this one must hold just that now.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be made, or this one holds something else.
    pub fn fork(
        &self,
        repository: &Repository,
        folder: &Path,
        threads: NonZeroUsize,
    ) -> Result<Self, ScratchError> {
        let candidate = |(path, state): (&RepoPath, &State)| Candidate {
            path: path.clone(),
            kind: match state {
                State::File { .. } => Kind::File,
                State::Link { .. } => Kind::Link,
            },
            named: false,
        };
        let candidates: Vec<Candidate> = self.snapshot.files.iter().map(candidate).collect();
        let mut fork = create(&Plan {
            repository,
            source: &Root::open(&self.folder)?,
            candidates: &candidates,
            carried: &self.snapshot.carried,
            folder,
            seconds: 0,
            threads,
        })?;
        if fork.snapshot.files != self.snapshot.files {
            let why = "it does not hold what its snapshot says".to_owned();
            return Err(ScratchError::Damaged(why));
        }
        fork.snapshot.problems.clone_from(&self.snapshot.problems);
        Ok(fork)
    }

    /// Makes here what `changes` say, with the bytes that `source` holds.
    ///
    /// # Errors
    ///
    /// Fails where `source` holds something else by now, and where the system does not write.
    pub fn take(&self, changes: &[Change], source: &Root) -> Result<(), ScratchError> {
        let root = Root::open(&self.folder)?;
        for change in changes {
            clear(&root, &change.path)?;
        }
        for Change { path, after, .. } in changes {
            match after {
                None => {
                    for folder in path.folders().collect::<Vec<_>>().iter().rev() {
                        root.remove_folder(folder)?;
                    }
                }
                Some(State::Link { target }) => root.make_link(path, target)?,
                Some(State::File { .. }) => drop(source.copy(path, &root, path)?),
            }
            if let Some(state) = after
                && Found::at(&root, path)? != Found::State(state.clone())
            {
                let why = format!("`{path}` changed after the change set was taken");
                return Err(ScratchError::Damaged(why));
            }
        }
        Ok(())
    }
}

/// Returns what was done between two states of a tree, both told by their changes against one snapshot.
pub fn since(before: &[Change], after: &[Change]) -> Vec<Change> {
    let old = by_path(before);
    let new = by_path(after);
    let paths = old.keys().chain(new.keys()).copied();
    let mut paths: Vec<&RepoPath> = paths.collect();
    paths.sort_unstable();
    paths.dedup();
    let mut done = Vec::new();
    for path in paths {
        let snapshot = |change: &&Change| change.before.clone();
        let seen = old.get(path).or(new.get(path)).and_then(snapshot);
        let state = |changes: &BTreeMap<&RepoPath, &Change>| match changes.get(path) {
            Some(change) => change.after.clone(),
            None => seen.clone(),
        };
        let (before, after) = (state(&old), state(&new));
        if before != after {
            done.push(Change {
                path: path.clone(),
                before,
                after,
            });
        }
    }
    done
}

/// Returns where what one did meets what another did: the same path, unless both made the same of it, or a folder of it.
pub fn meet(ours: &[Change], theirs: &[Change]) -> Vec<RepoPath> {
    let meets = |one: &Change, other: &Change| {
        if one.path == other.path {
            return one.after != other.after;
        }
        one.path.is_in(&other.path) && other.after.is_some()
            || other.path.is_in(&one.path) && one.after.is_some()
    };
    let met = ours
        .iter()
        .filter(|one| theirs.iter().any(|other| meets(one, other)));
    met.map(|change| change.path.clone()).collect()
}

fn by_path(changes: &[Change]) -> BTreeMap<&RepoPath, &Change> {
    changes
        .iter()
        .map(|change| (&change.path, change))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Hash;

    /// Returns changes from lines of `PATH BEFORE AFTER`, where `-` is nothing.
    fn changes(told: &str) -> Vec<Change> {
        let state = |word: &str| {
            (word != "-").then(|| State::File {
                hash: Hash::of(word.as_bytes()),
                executable: false,
                bytes: 1,
            })
        };
        let each = told.split(", ").filter(|told| !told.is_empty());
        let each = each.map(|told| {
            let words: Vec<&str> = told.split(' ').collect();
            Change {
                path: RepoPath::parse(words[0].as_bytes()).unwrap(),
                before: state(words[1]),
                after: state(words[2]),
            }
        });
        each.collect()
    }

    #[test]
    fn what_was_done_between_two_states_is_told() {
        for (before, after, expected) in [
            ("", "", ""),
            ("", "a 1 2", "a 1 2"),
            ("a 1 2", "a 1 2", ""),
            ("a 1 2", "a 1 3", "a 2 3"),
            // Put back to what the snapshot has.
            ("a 1 2", "", "a 2 1"),
            ("new - 1", "", "new 1 -"),
            ("new - 1", "new - 2, old 5 -", "new 1 2, old 5 -"),
            ("gone 1 -", "gone 1 2", "gone - 2"),
        ] {
            let done = since(&changes(before), &changes(after));
            assert_eq!(done, changes(expected), "{before} to {after}");
        }
    }

    #[test]
    fn what_two_did_meets_where_it_is_not_the_same() {
        for (ours, theirs, expected) in [
            ("a 1 2", "b 1 2", ""),
            ("a 1 2", "a 1 3", "a"),
            // Both made the same of it.
            ("a 1 2", "a 1 2", ""),
            ("a 1 -", "a 1 2", "a"),
            // A file where another has a folder.
            ("a - 1", "a/b - 1", "a"),
            ("a/b - 1", "a - 1", "a/b"),
            // The file went, and a folder came.
            ("a/b - 1", "a 1 -", ""),
            ("a 1 2, b 1 2, c 1 2", "c 1 3, a 1 4", "a, c"),
        ] {
            let met: Vec<String> = meet(&changes(ours), &changes(theirs))
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(met.join(", "), expected, "{ours} and {theirs}");
        }
    }
}
