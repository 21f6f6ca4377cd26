//! What is in a scratch beside the files that may land: what git ignores, carried folders, what checks write.
//!
//! In: a scratch after the first run of the checks, and later. Out: the scratch as it was then, but for the change in it.
//!
//! Invariant: what the checks are run on is the snapshot, the change, and of the rest only what was there before any change.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::SystemTime;

use super::snapshot::{copy_aged, make_link};
use super::{Change, Scratch, ScratchError, State};
use crate::fs::{self, EntryKind, FsError, Root, Trace};
use crate::path::RepoPath;
use crate::repo::{Repository, map_in_order};

/// What was beside the files at one time; a folder has no trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest(BTreeMap<RepoPath, Option<Trace>>);

impl Scratch {
    /// Returns what is in the scratch beside the files of the snapshot and the folder of git.
    ///
    /// # Errors
    ///
    /// Fails where the scratch cannot be read.
    pub fn rest(&self, threads: NonZeroUsize) -> Result<Rest, ScratchError> {
        let root = Root::open(&self.folder)?;
        let mut found = BTreeMap::new();
        let mut others = Vec::new();
        let mut folders = vec![None];
        while let Some(folder) = folders.pop() {
            for (path, kind) in root.list(folder.as_ref())? {
                if path.as_bytes() == b".git" || self.snapshot.files.contains_key(&path) {
                    continue;
                }
                match kind {
                    EntryKind::Folder => {
                        found.insert(path.clone(), None);
                        folders.push(Some(path));
                    }
                    EntryKind::File | EntryKind::Link | EntryKind::Special => others.push(path),
                }
            }
        }
        map_in_order(
            others.len(),
            threads,
            usize::MAX,
            |_| 0,
            |index| root.find(&others[index]),
            |index, stat| {
                if let Some(stat) = stat? {
                    found.insert(others[index].clone(), Some(stat.trace));
                }
                Ok::<_, FsError>(())
            },
        )?;
        Ok(Rest(found))
    }

    /// Makes the scratch hold nothing beside the snapshot and `changes` but what `rest` has: what is new or another by now goes,
    /// and what is then missing in carried folders is copied again from the user's. The files of the change are of now, so that no
    /// build tool takes what it made of others for theirs.
    ///
    /// # Errors
    ///
    /// Fails where the system does not write.
    pub fn settle(
        &self,
        repository: &Repository,
        rest: &Rest,
        changes: &[Change],
        threads: NonZeroUsize,
    ) -> Result<(), ScratchError> {
        let root = Root::open(&self.folder)?;
        let mut now = self.rest(threads)?;
        let own: BTreeSet<&RepoPath> = changes.iter().map(|change| &change.path).collect();
        now.0.retain(|path, _| !own.contains(path));
        let is_other = |path: &RepoPath, trace| rest.0.get(path) != Some(trace);
        let others = now.0.iter().filter(|&(path, trace)| is_other(path, trace));
        // From the inside out, for an outer folder is empty after what is in it.
        for (path, trace) in others.rev() {
            match trace {
                Some(_) => root.remove(path)?,
                None => drop(root.remove_folder(path)?),
            }
        }
        let is_carried = |path: &RepoPath| {
            let mut carried = self.snapshot.carried.iter();
            carried.any(|folder| path.is_in(folder))
        };
        for (path, trace) in &rest.0 {
            if trace.is_some() && now.0.get(path) != Some(trace) && is_carried(path) {
                carry_again(repository, &root, path)?;
            }
        }
        let files = changes
            .iter()
            .filter(|change| matches!(change.after, Some(State::File { .. })));
        for Change { path, .. } in files {
            let place = root.path().join(path.as_path());
            let (file, _) = root.open_file(path)?;
            file.set_modified(SystemTime::now())
                .map_err(FsError::of("write", &place))?;
        }
        Ok(())
    }
}

/// Copies a file or link of a carried folder again, if it is still there.
fn carry_again(repository: &Repository, root: &Root, path: &RepoPath) -> Result<(), ScratchError> {
    let source = &repository.root;
    match source.find(path)?.map(|stat| stat.kind) {
        Some(EntryKind::File) => {
            for above in path.folders() {
                root.make_folder(&above, None)?;
            }
            Ok(copy_aged(source, root, path)?)
        }
        Some(EntryKind::Link) => {
            let top = fs::resolve(source.path())?;
            make_link(root, &top, path, &source.link_target(path)?)?;
            Ok(())
        }
        Some(EntryKind::Folder | EntryKind::Special) | None => Ok(()),
    }
}
