//! The user's files and those that are held change places, one by one; on any surprise all of them go back.

use std::collections::BTreeSet;

use super::land::{LandError, differs};
use super::{Found, Problem, State};
use crate::fs::{FsError, Root};
use crate::path::RepoPath;

/// One path to change.
pub(super) struct Step<'a> {
    pub(super) path: &'a RepoPath,
    pub(super) held: &'a RepoPath,
    /// What comes out of the tree; nothing where the path is free.
    pub(super) expected: Option<&'a State>,
    /// What comes from the held folder; nothing where the path shall be free.
    pub(super) put: Option<&'a State>,
}

/// Something that was done and can be taken back.
enum Done<'a> {
    Step(&'a Step<'a>),
    Removed(&'a RepoPath, u32),
    Made(&'a RepoPath),
}

/// The user's tree and the held folder, which change places file by file.
pub(super) struct Exchange<'a> {
    pub(super) root: &'a Root,
    pub(super) held: &'a Root,
}

impl Exchange<'_> {
    /// Takes the steps, removes those of the folders `remove` that are empty, and makes the folders `make`.
    pub(super) fn run(
        &self,
        steps: &[Step<'_>],
        remove: &[&RepoPath],
        make: &[(&RepoPath, Option<u32>)],
    ) -> Result<(), LandError> {
        let mut done = Vec::new();
        let attempt = self.attempt(steps, remove, make, &mut done);
        let attempt = attempt.and_then(|()| self.sync(steps, remove, make));
        if let Err(cause) = attempt {
            let left: Vec<Problem> = done
                .iter()
                .rev()
                .filter_map(|done| self.take_back(done))
                .collect();
            return Err(if left.is_empty() {
                cause
            } else {
                LandError::Stranded {
                    cause: Box::new(cause),
                    left,
                }
            });
        }
        Ok(())
    }

    /// What goes away goes first, then folders, then what comes: a file may stand where a folder was, and a folder
    /// where a file was.
    fn attempt<'a>(
        &self,
        steps: &'a [Step<'a>],
        remove: &[&'a RepoPath],
        make: &[(&'a RepoPath, Option<u32>)],
        done: &mut Vec<Done<'a>>,
    ) -> Result<(), LandError> {
        let (come, go): (Vec<_>, Vec<_>) = steps.iter().partition(|step| step.put.is_some());
        for step in go {
            self.take(step, done)?;
        }
        for path in remove.iter().rev() {
            let mode = self.root.find(path)?.map_or(0o777, |stat| stat.mode);
            if self.root.remove_folder(path)? {
                done.push(Done::Removed(path, mode));
            }
        }
        for &(path, mode) in make {
            match self.root.make_folder(path, mode) {
                Ok(true) => done.push(Done::Made(path)),
                Ok(false) => {}
                Err(error) if self.is_open(path) => return Err(LandError::Fs(error)),
                Err(_) => return Err(conflict(path, BLOCKED)),
            }
        }
        come.into_iter().try_for_each(|step| self.take(step, done))
    }

    /// Takes one step, and looks at what came out of the tree.
    fn take<'a>(&self, step: &'a Step<'a>, done: &mut Vec<Done<'a>>) -> Result<(), LandError> {
        let Step {
            path,
            held,
            expected,
            put,
        } = *step;
        if put.is_some() && !Found::at(self.held, held)?.is(put) {
            return Err(conflict(path, "what was to be put there was altered"));
        }
        if let Err(error) = self.swap(step) {
            let found = Found::at(self.root, path)?;
            return Err(match found {
                found if !found.is(expected) => conflict(path, differs(&found, expected)),
                _ if !self.is_open(path) => conflict(path, BLOCKED),
                _ => LandError::Fs(error),
            });
        }
        done.push(Done::Step(step));
        if expected.is_none() {
            return Ok(());
        }
        let found = Found::at(self.held, held)?;
        if found.is(expected) {
            Ok(())
        } else {
            Err(conflict(path, differs(&found, expected)))
        }
    }

    /// Says whether the folder that `path` is in is one, and there is no link on the way to it.
    fn is_open(&self, path: &RepoPath) -> bool {
        path.parent().is_none_or(|above| {
            Found::at(self.root, &above).is_ok_and(|found| found == Found::Folder)
        })
    }

    fn swap(&self, step: &Step<'_>) -> Result<(), FsError> {
        match (step.expected, step.put) {
            (Some(_), Some(_)) => self.root.exchange(step.path, self.held, step.held),
            (None, _) => self.held.move_to(step.held, self.root, step.path),
            (Some(_), None) => self.root.move_to(step.path, self.held, step.held),
        }
    }

    /// Takes back what was done; returns what is wrong if that cannot be.
    fn take_back(&self, done: &Done<'_>) -> Option<Problem> {
        match done {
            Done::Made(path) => self
                .root
                .remove_folder(path)
                .err()
                .map(|error| Problem::of(path, &error)),
            Done::Removed(path, mode) => self
                .root
                .make_folder(path, Some(*mode))
                .err()
                .map(|error| Problem::of(path, &error)),
            Done::Step(step) => {
                let back = Step {
                    expected: step.put,
                    put: step.expected,
                    ..**step
                };
                let place = self.held.path().join(step.held.as_path());
                if let Err(error) = self.swap(&back) {
                    let why = format!(
                        "{error}: {}; what was there is `{}`",
                        error.source,
                        place.display()
                    );
                    return Some(Problem::new(step.path, why));
                }
                // Somebody may have written to what stood there for a moment.
                let is_ours = step.put.is_none()
                    || Found::at(self.held, step.held).is_ok_and(|found| found.is(step.put));
                (!is_ours).then(|| {
                    Problem::new(
                        step.path,
                        format!("it was edited meanwhile; the edit is `{}`", place.display()),
                    )
                })
            }
        }
    }

    fn sync(
        &self,
        steps: &[Step<'_>],
        remove: &[&RepoPath],
        make: &[(&RepoPath, Option<u32>)],
    ) -> Result<(), LandError> {
        let steps = steps.iter().map(|step| step.path);
        let paths = steps
            .chain(remove.iter().copied())
            .chain(make.iter().map(|&(path, _)| path));
        let folders: BTreeSet<Option<RepoPath>> = paths.map(RepoPath::parent).collect();
        for folder in &folders {
            let is_there = match folder {
                Some(folder) => self.root.find(folder)?.is_some(),
                None => true,
            };
            if is_there {
                self.root.sync(folder.as_ref())?;
            }
        }
        Ok(self.held.sync(None)?)
    }
}

const BLOCKED: &str = "what it is in is no folder any more";

fn conflict(path: &RepoPath, why: impl Into<String>) -> LandError {
    LandError::Conflicts(vec![Problem::new(path, why)])
}
