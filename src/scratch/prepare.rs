//! Before landing: everything is looked at, nothing is changed, and what lands is copied to where it is exchanged from.

use std::collections::BTreeSet;
use std::path::Path;

use super::changes::held_name;
use super::land::{LandError, LandedChange, Landing, RemovedFolder, differs};
use super::{Change, ChangeSet, Found, Problem, State, is_ours};
use crate::fs::{self, EntryKind, Executable, FsError, Root, Stat, with_executable};
use crate::path::RepoPath;

/// Checks that `change_set` can land in `root`, and copies what it leaves into the folder `held`, which is made.
///
/// Nothing in the user's tree is changed. `held` must be on the file system of the tree.
///
/// # Errors
///
/// Fails with every path that does not hold what the snapshot saw; nothing is then left in `held`.
pub fn prepare(root: &Root, change_set: &ChangeSet, held: &Path) -> Result<Landing, LandError> {
    if !change_set.refused.is_empty() {
        return Err(LandError::Refused(change_set.refused.clone()));
    }
    let check = Check {
        root,
        changes: &change_set.changes,
    };
    let conflicts: Vec<Problem> = change_set
        .changes
        .iter()
        .filter_map(|change| check.conflict(change))
        .collect();
    if !conflicts.is_empty() {
        return Err(LandError::Conflicts(conflicts));
    }
    fs::make_folder(held)?;
    let folder = Root::open(held)?;
    if !folder.list(None)?.is_empty() {
        return Err(LandError::HeldInUse(held.to_owned()));
    }
    check.one_file_system(&folder)?;
    let landing = check.landing()?;
    let staged = change_set.keep(&folder).map_err(LandError::from);
    let staged = staged.and_then(|()| Ok(keep_modes(root, &folder, &landing)?));
    if let Err(error) = staged {
        for (path, _) in folder.list(None)? {
            folder.remove(&path)?;
        }
        return Err(error);
    }
    Ok(landing)
}

/// Looks at the user's tree before anything is changed.
struct Check<'a> {
    root: &'a Root,
    /// Sorted by path.
    changes: &'a [Change],
}

impl Check<'_> {
    /// Returns what stands against a change.
    fn conflict(&self, change: &Change) -> Option<Problem> {
        let path = &change.path;
        if path.is_git_internal() || is_ours(path) {
            return Some(Problem::new(path, "no change may land there"));
        }
        let is_free = |found: &Found| {
            // A folder whose files are all deleted makes room for a file.
            *found == Found::Folder && change.before.is_none() && self.deletes_in(path)
        };
        match Found::at(self.root, path) {
            Err(error) => Some(Problem::of(path, &error)),
            Ok(found) if found.is(change.before.as_ref()) => self.blocked(change),
            Ok(found) if is_free(&found) => None,
            Ok(found) => Some(Problem::new(path, differs(&found, change.before.as_ref()))),
        }
    }

    /// Finds what is in the way above a new path: something that is no folder and is not deleted.
    fn blocked(&self, change: &Change) -> Option<Problem> {
        if change.before.is_some() {
            return None;
        }
        for above in change.path.folders() {
            match self.root.find(&above) {
                Ok(Some(Stat {
                    kind: EntryKind::Folder,
                    ..
                })) => {}
                // What is deleted is a file or link of the snapshot; it is checked for itself.
                Ok(Some(_)) if self.is_deleted(&above) => return None,
                Ok(None) => return None,
                Ok(Some(_)) => {
                    return Some(Problem::new(
                        &change.path,
                        format!("`{above}` is no folder"),
                    ));
                }
                Err(error) => return Some(Problem::of(&change.path, &error)),
            }
        }
        None
    }

    fn is_deleted(&self, path: &RepoPath) -> bool {
        let found = self
            .changes
            .binary_search_by(|change| change.path.cmp(path));
        found.is_ok_and(|index| self.changes[index].after.is_none())
    }

    fn deletes_in(&self, folder: &RepoPath) -> bool {
        self.changes
            .iter()
            .any(|change| change.after.is_none() && change.path.is_in(folder))
    }

    fn one_file_system(&self, held: &Root) -> Result<(), LandError> {
        let device = held.stat()?.device;
        let top = self.root.stat()?.device;
        for Change { path, .. } in self.changes {
            let mut nearest = top;
            for above in path.folders() {
                nearest = self.root.find(&above)?.map_or(nearest, |stat| stat.device);
            }
            if nearest != device {
                return Err(LandError::OtherFileSystem {
                    path: path.clone(),
                    held: held.path().to_owned(),
                });
            }
        }
        Ok(())
    }

    fn landing(&self) -> Result<Landing, LandError> {
        let mut made = BTreeSet::new();
        let mut removed = BTreeSet::new();
        for Change { path, after, .. } in self.changes {
            if after.is_none() {
                removed.extend(path.folders());
            } else {
                made.extend(path.folders());
            }
        }
        let mut folders_made = Vec::new();
        for path in &made {
            if self
                .root
                .find(path)?
                .is_none_or(|stat| stat.kind != EntryKind::Folder)
            {
                folders_made.push(path.clone());
            }
        }
        let mut folders_removed = Vec::new();
        for path in removed.difference(&made) {
            if let Some(stat) = self.root.find(path)? {
                folders_removed.push(RemovedFolder {
                    path: path.clone(),
                    mode: stat.mode,
                });
            }
        }
        let changes = self.changes.iter().enumerate().map(|(index, change)| {
            Ok(LandedChange {
                path: change.path.clone(),
                before: change.before.clone(),
                after: change.after.clone(),
                held: held_name(index)?,
            })
        });
        Ok(Landing {
            version: 1,
            changes: changes.collect::<Result<_, FsError>>()?,
            folders_made,
            folders_removed,
        })
    }
}

/// Gives what is held the permissions of the files that it replaces; the executable bits are its own.
fn keep_modes(root: &Root, held: &Root, landing: &Landing) -> Result<(), FsError> {
    for change in &landing.changes {
        let (Some(State::File { .. }), Some(State::File { executable, .. })) =
            (&change.before, &change.after)
        else {
            continue;
        };
        let wanted = if *executable {
            Executable::Yes
        } else {
            Executable::No
        };
        if let Some(stat) = root.find(&change.path)? {
            held.set_mode(&change.held, with_executable(stat.mode & 0o777, wanted))?;
        }
    }
    Ok(())
}
