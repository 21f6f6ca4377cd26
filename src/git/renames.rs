//! What files were renamed to, as commits tell.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::{Commit, Id, Past, PastError};
use crate::path::RepoPath;

/// So many commits are looked at.
const MAX_COMMITS: usize = 1000;

/// With how many new files of a commit one that is gone is compared.
const MAX_COMPARED: usize = 50;

/// A larger file is the same only if it is so byte for byte.
const MAX_BYTES: u64 = 1 << 20;

impl Past {
    /// Returns what each of `gone` was renamed to, as far as the last commits tell: to a file of the same commit that is the
    /// same, or whose lines are the same by half.
    ///
    /// # Errors
    ///
    /// Fails where an object is missing or damaged.
    pub fn renames(
        &self,
        gone: impl IntoIterator<Item = RepoPath>,
    ) -> Result<BTreeMap<RepoPath, RepoPath>, PastError> {
        let mut gone: BTreeSet<RepoPath> = gone.into_iter().collect();
        let mut renames = BTreeMap::new();
        self.walk(MAX_COMMITS, |id, commit, parents| {
            let Some(&parent) = parents.first() else {
                return Ok(ControlFlow::Continue(()));
            };
            let here = commit.files.iter().filter(|path| gone.contains(path));
            for old in here.cloned().collect::<Vec<_>>() {
                let was = self.objects().blob_at(parent, &old)?;
                let (Some(was), None) = (was, self.objects().blob_at(id, &old)?) else {
                    continue;
                };
                gone.remove(&old);
                if let Some(new) = self.heir(was, &commit, [parent, id])? {
                    renames.insert(old, new);
                }
            }
            Ok(if gone.is_empty() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        })?;
        Ok(renames)
    }

    /// Returns the new file of a commit that is most like what is gone.
    fn heir(
        &self,
        was: Id,
        commit: &Commit,
        [parent, id]: [Id; 2],
    ) -> Result<Option<RepoPath>, PastError> {
        let objects = self.objects();
        let mut added = Vec::new();
        for path in &commit.files {
            let new = objects.blob_at(id, path)?;
            if let (Some(new), None) = (new, objects.blob_at(parent, path)?) {
                added.push((path, new));
            }
        }
        if let Some((same, _)) = added.iter().find(|(_, new)| *new == was) {
            return Ok(Some((*same).clone()));
        }
        let Some(old) = objects.read_within(was, MAX_BYTES)? else {
            return Ok(None);
        };
        let mut best: Option<(usize, &RepoPath)> = None;
        for (path, new) in added.into_iter().take(MAX_COMPARED) {
            let Some(new) = objects.read_within(new, MAX_BYTES)? else {
                continue;
            };
            let (n_same, n_all) = lines_in_common(&old, &new);
            if n_all > 0 && 2 * n_same >= n_all && best.is_none_or(|(n, _)| n < n_same) {
                best = Some((n_same, path));
            }
        }
        Ok(best.map(|(_, path)| path.clone()))
    }
}

/// Returns how many lines two texts share, and how many the longer one has; those that are empty are none.
fn lines_in_common(old: &[u8], new: &[u8]) -> (usize, usize) {
    let (old, new) = (lines(old), lines(new));
    let mut left: BTreeMap<&[u8], usize> = BTreeMap::new();
    for &line in &old {
        *left.entry(line).or_default() += 1;
    }
    let mut n_same = 0;
    for line in &new {
        if let Some(n) = left.get_mut(line).filter(|n| **n > 0) {
            *n -= 1;
            n_same += 1;
        }
    }
    (n_same, old.len().max(new.len()))
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    let lines = text.split(|&byte| byte == b'\n');
    lines.filter(|line| !line.trim_ascii().is_empty()).collect()
}
