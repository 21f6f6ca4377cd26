//! What an executor did: the byte difference between the snapshot and the scratch.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Found, Problem, Scratch, ScratchError, State, is_ours};
use crate::fs::{EntryKind, Executable, FsError, Root, with_executable};
use crate::git;
use crate::patch;
use crate::path::RepoPath;
use crate::repo::{
    Globs, Kind, Named, Repository, Scan, ScanOptions, SkipReason, map_in_order, scan,
};

/// One path that is not as it was.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The path.
    pub path: RepoPath,
    /// What the snapshot saw; nothing for what is new.
    pub before: Option<State>,
    /// What is there now; nothing for what was deleted.
    pub after: Option<State>,
}

/// All that is not as it was.
#[derive(Clone, Debug)]
pub struct ChangeSet {
    /// The scratch that it was taken from: it has the new bytes.
    pub scratch: PathBuf,
    /// The changes, sorted by path.
    pub changes: Vec<Change>,
    /// What cannot land, sorted.
    pub refused: Vec<Problem>,
    /// New files that are left out for what they are like, sorted: the checks made such files in the same new folder.
    pub left_out: Vec<RepoPath>,
}

/// What had become of the files when they were put back.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What was new, sorted.
    pub made: Vec<RepoPath>,
    /// What was not as it was, sorted by path.
    pub changes: Vec<Change>,
}

/// What became of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was not there.
    Created,
    /// It has other bytes, another mode, or is a link.
    Changed,
    /// It is no longer there.
    Deleted,
}

impl ChangeKind {
    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
        }
    }

    /// Says what became of the path of `change`.
    pub fn of(change: &Change) -> Self {
        match (&change.before, &change.after) {
            (None, _) => Self::Created,
            (Some(_), None) => Self::Deleted,
            (Some(_), Some(_)) => Self::Changed,
        }
    }
}

impl ChangeSet {
    /// Says whether `other` changes the same paths in the same way.
    pub fn is_same(&self, other: &Self) -> bool {
        self.changes == other.changes && self.refused == other.refused
    }

    /// Writes the change as a patch; `before` and `after` give a file's bytes or a link's target.
    ///
    /// # Errors
    ///
    /// Returns the error of `before` or `after`.
    pub fn patch<E>(
        &self,
        before: impl Fn(&RepoPath) -> Result<Vec<u8>, E>,
        after: impl Fn(&RepoPath) -> Result<Vec<u8>, E>,
    ) -> Result<Vec<u8>, E> {
        let changes = self.changes.iter().map(|change| patch::Change {
            path: &change.path,
            before: change.before.as_ref().map(State::mode),
            after: change.after.as_ref().map(State::mode),
        });
        patch::write(changes, before, after)
    }

    /// Copies what each change leaves into `folder`, each under its number: `0001`, `0002`.
    ///
    /// # Errors
    ///
    /// Fails where the scratch does not hold any more what the change set says.
    pub fn keep(&self, folder: &Root) -> Result<(), ScratchError> {
        let scratch = Root::open(&self.scratch)?;
        for (index, Change { path, after, .. }) in self.changes.iter().enumerate() {
            let held = held_name(index)?;
            match after {
                None => continue,
                Some(State::Link { target }) => folder.make_link(&held, target)?,
                Some(State::File { .. }) => {
                    scratch.copy(path, folder, &held)?;
                    folder.sync(Some(&held))?;
                }
            }
            if !Found::at(folder, &held)?.is(after.as_ref()) {
                let why = format!("`{path}` changed after the change set was taken");
                return Err(ScratchError::Damaged(why));
            }
        }
        Ok(folder.sync(None)?)
    }
}

/// Returns the name under which the change at `index` is held.
pub(super) fn held_name(index: usize) -> Result<RepoPath, FsError> {
    let name = format!("{:04}", index + 1);
    RepoPath::parse(name.as_bytes())
        .map_err(|cause| FsError::of("find", name.as_ref())(std::io::Error::other(cause)))
}

impl Scratch {
    /// Takes the change set: what is in the scratch now against what the snapshot saw.
    ///
    /// Only the tree counts, not what git did in the scratch. A path of the snapshot is compared whatever
    /// the ignore rules say; a new one is taken unless it is ignored, by the `.gitignore` files as they are now
    /// and by the user's private rules (those of `repository`), or is at or in one of the paths `noise`, which checks made.
    ///
    /// # Errors
    ///
    /// Fails where the scratch cannot be read.
    pub fn changes(
        &self,
        repository: &Repository,
        noise: &[RepoPath],
        threads: NonZeroUsize,
    ) -> Result<ChangeSet, ScratchError> {
        let scratch = self.look(repository)?;
        let files = &self.snapshot.files;
        let scanned = scan_all(&scratch, threads)?;
        let mut made: BTreeSet<RepoPath> = noise.iter().cloned().collect();
        let kinds: BTreeSet<_> = noise.iter().filter_map(kind).collect();
        made.extend(self.snapshot.carried.iter().cloned());
        let is_noise = |path: &RepoPath| {
            made.contains(path) || path.folders().any(|folder| made.contains(&folder))
        };
        let is_like_noise = |path: &RepoPath| {
            let found = kind(path).filter(|kind| kinds.contains(kind));
            found.is_some_and(|(folder, _)| !self.has(&folder))
        };
        let mut left_out = BTreeSet::new();
        let mut refused = BTreeMap::new();
        let mut paths: BTreeSet<&RepoPath> = files.keys().collect();
        for candidate in &scanned.candidates {
            let path = &candidate.path;
            if files.contains_key(path) || is_noise(path) {
                continue;
            }
            match candidate.kind {
                Kind::File | Kind::Link if is_like_noise(path) => {
                    left_out.insert(path.clone());
                }
                Kind::File | Kind::Link => {
                    paths.insert(path);
                }
                Kind::Submodule | Kind::Repository => {
                    refused.insert(path.clone(), "it is another repository".to_owned());
                }
            }
        }
        for (path, why) in skipped(&scanned) {
            if !is_noise(&path) {
                refused.insert(path, why);
            }
        }
        let paths: Vec<&RepoPath> = paths.into_iter().collect();
        let mut changes = Vec::new();
        map_in_order(
            paths.len(),
            threads,
            usize::MAX,
            |_| 0,
            |index| Found::at(&scratch.root, paths[index]),
            |index, found| {
                match self.compare(paths[index], found) {
                    Ok(change) => changes.extend(change),
                    Err(why) => {
                        refused.insert(paths[index].clone(), why);
                    }
                }
                Ok::<_, ScratchError>(())
            },
        )?;
        let refused = refused
            .into_iter()
            .map(|(path, why)| Problem { path, why })
            .collect();
        Ok(ChangeSet {
            scratch: self.folder.clone(),
            changes,
            refused,
            left_out: left_out.into_iter().collect(),
        })
    }

    /// Compares what was found at a path with the snapshot; fails with the reason why the change cannot land.
    fn compare(
        &self,
        path: &RepoPath,
        found: Result<Found, FsError>,
    ) -> Result<Option<Change>, String> {
        let before = self.snapshot.files.get(path);
        let after = match found.map_err(|error| format!("{error}: {}", error.source))? {
            // The files in a folder are changes of their own.
            Found::Nothing | Found::Folder => None,
            Found::Special => return Err("it is a device, pipe or socket".to_owned()),
            Found::State(state) => Some(state),
        };
        if after.as_ref() == before {
            return Ok(None);
        }
        if path.is_git_internal() {
            return Err("some file system takes its name for `.git`".to_owned());
        }
        if is_ours(path) {
            return Err("it belongs to twostep".to_owned());
        }
        if self
            .snapshot
            .problems
            .iter()
            .any(|problem| is_at(path, &problem.path))
        {
            return Err("it was left out of the scratch".to_owned());
        }
        if let Some(State::Link { target }) = &after
            && leads_out(path, target)
        {
            return Err("it is a link that leads out of the repository".to_owned());
        }
        if let Some(State::Link { target }) = &after
            && leads_into_git(target)
        {
            return Err("it is a link to git's own files".to_owned());
        }
        Ok(Some(Change {
            path: path.clone(),
            before: before.cloned(),
            after,
        }))
    }

    /// Puts the files back to what the snapshot saw; what is ignored stays. Returns what had become of them.
    ///
    /// # Errors
    ///
    /// Fails where the scratch's own objects are gone or altered, and where the system does not write.
    pub fn restore(
        &self,
        repository: &Repository,
        threads: NonZeroUsize,
    ) -> Result<Restored, ScratchError> {
        let originals = self.originals()?;
        let root = &Root::open(&self.folder)?;
        let mut found = self.changes(repository, &[], threads)?;
        // What makes a folder another repository goes first: there may be files of the snapshot in it.
        while remove_git_folders(root, &found)? {
            found = self.changes(repository, &[], threads)?;
        }
        let changed = found.changes.iter().map(|change| &change.path);
        let paths: BTreeSet<&RepoPath> = changed
            .chain(found.refused.iter().map(|problem| &problem.path))
            .collect();
        self.revert(&paths)?;
        self.reset_git(&originals)?;
        let new = paths
            .iter()
            .filter(|path| !self.snapshot.files.contains_key(path));
        Ok(Restored {
            made: new.copied().cloned().collect(),
            changes: found.changes,
        })
    }

    /// Puts `paths` back to what the snapshot saw.
    ///
    /// # Errors
    ///
    /// Fails where the scratch's own objects are gone or altered, and where the system does not write.
    pub fn revert(&self, paths: &BTreeSet<&RepoPath>) -> Result<(), ScratchError> {
        let originals = self.originals()?;
        let root = &Root::open(&self.folder)?;
        for path in paths {
            clear(root, path)?;
        }
        // From the inside out, for an outer one is empty after the inner ones.
        let folders: BTreeSet<RepoPath> = paths.iter().flat_map(|path| path.folders()).collect();
        for folder in folders.iter().rev() {
            root.remove_folder(folder)?;
        }
        for path in paths {
            if let state @ Some(_) = self.snapshot.files.get(path) {
                put_back(root, path, state, &originals.read(path)?)?;
            }
        }
        Ok(())
    }

    /// Returns the scratch as a repository that tracks the files of the snapshot; its own `.git` is not asked.
    ///
    /// # Errors
    ///
    /// Fails where the scratch cannot be opened.
    pub fn repository(&self, repository: &Repository) -> Result<Repository, ScratchError> {
        let mut scratch = self.look(repository)?;
        if let Some(git) = &mut scratch.git {
            let tracked = self.snapshot.files.keys().map(|path| git::Tracked {
                path: path.clone(),
                is_submodule: false,
            });
            git.tracked = tracked.collect();
        }
        Ok(scratch)
    }

    /// Opens the scratch as a repository in which nothing is tracked and the user's private rules hold.
    ///
    /// Its own `.git` is not asked: the executor can write there.
    fn look(&self, repository: &Repository) -> Result<Repository, ScratchError> {
        let git = repository.git.as_ref();
        Ok(Repository {
            root: Root::open(&self.folder)?,
            git: Some(git::Snapshot {
                commit: None,
                rules: git.map_or_else(git::RuleFiles::default, |git| git.rules.clone()),
                tracked: Vec::new(),
            }),
        })
    }

    /// Says whether the snapshot has something in `folder`.
    fn has(&self, folder: &RepoPath) -> bool {
        self.snapshot.files.keys().any(|path| is_at(path, folder))
    }
}

/// Returns the folder of a file and what its name ends with, if it has both.
fn kind(path: &RepoPath) -> Option<(RepoPath, Vec<u8>)> {
    let name = path.name();
    let dot = name.iter().rposition(|&byte| byte == b'.')?;
    Some((path.folders().last()?, name[dot..].to_vec()))
}

/// Writes a file or link as it was, and takes away what stands where its folders were.
fn put_back(
    root: &Root,
    path: &RepoPath,
    state: Option<&State>,
    bytes: &[u8],
) -> Result<(), FsError> {
    for above in path.folders() {
        if root
            .find(&above)?
            .is_some_and(|stat| stat.kind != EntryKind::Folder)
        {
            root.remove(&above)?;
        }
    }
    match state {
        None => Ok(()),
        Some(State::Link { target }) => root.make_link(path, target),
        Some(State::File { executable, .. }) => {
            root.create(path, bytes)?;
            match root.find(path)? {
                Some(stat) if *executable => {
                    root.set_mode(path, with_executable(stat.mode, Executable::Yes))
                }
                _ => Ok(()),
            }
        }
    }
}

/// Removes the `.git` of every folder that is another repository; says whether there was one.
fn remove_git_folders(root: &Root, found: &ChangeSet) -> Result<bool, FsError> {
    let mut any = false;
    for Problem { path, .. } in &found.refused {
        if let Ok(git) = RepoPath::parse(&[path.as_bytes(), b"/.git"].concat())
            && root.find(&git)?.is_some()
        {
            clear(root, &git)?;
            any = true;
        }
    }
    Ok(any)
}

fn is_at(path: &RepoPath, place: &RepoPath) -> bool {
    path == place || path.is_in(place)
}

/// Removes what is at `path`, whatever it is.
pub(super) fn clear(root: &Root, path: &RepoPath) -> Result<(), FsError> {
    match root.find(path)?.map(|stat| stat.kind) {
        None => Ok(()),
        Some(EntryKind::Folder) => root.remove_tree(path),
        Some(EntryKind::File | EntryKind::Link | EntryKind::Special) => root.remove(path),
    }
}

/// Says whether a link leads, by its target alone, out of the root.
fn leads_out(path: &RepoPath, target: &[u8]) -> bool {
    let mut depth = path.folders().count();
    let is_absolute = target.starts_with(b"/");
    is_absolute
        || target
            .split(|&byte| byte == b'/')
            .any(|component| match component {
                b"" | b"." => false,
                b".." if depth == 0 => true,
                b".." => {
                    depth -= 1;
                    false
                }
                _ => {
                    depth += 1;
                    false
                }
            })
}

/// Says whether a link names git's own files, in any spelling.
fn leads_into_git(target: &[u8]) -> bool {
    let mut parts = target.split(|&byte| byte == b'/');
    parts.any(|part| RepoPath::parse(part).is_ok_and(|part| part.is_git_internal()))
}

fn scan_all(scratch: &Repository, threads: NonZeroUsize) -> Result<Scan, ScratchError> {
    let globs = Globs::parse(&[], &[]).map_err(|cause| ScratchError::Damaged(cause.to_string()))?;
    let options = ScanOptions {
        named: &[Named::Everything],
        globs: &globs,
        outputs: &[],
        our_heads: &[],
        threads,
    };
    Ok(scan(scratch, &options))
}

/// Returns what a scan passed over, with the reason.
fn skipped(scanned: &Scan) -> Vec<(RepoPath, String)> {
    let paths = scanned.skipped.iter().filter_map(|skipped| {
        let path = RepoPath::parse_escaped(&skipped.path)
            .or_else(|_| RepoPath::parse(skipped.path.as_bytes()));
        let why = match &skipped.why {
            SkipReason::Special | SkipReason::Secret => skipped.why.to_string(),
            SkipReason::Failed(cause) => format!("it cannot be looked into: {cause}"),
            // A rule file that cannot be read is a candidate by itself.
            SkipReason::Ours | SkipReason::Rules(_) => return None,
        };
        Some((path.ok()?, why))
    });
    paths.collect()
}
