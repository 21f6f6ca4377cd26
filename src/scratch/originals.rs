//! What the snapshot held, read back from the store beside the scratch; nothing is believed that has not the hash it had.

use std::collections::BTreeMap;

use super::snapshot::{store, write_over};
use super::{Scratch, ScratchError, Snapshot, State};
use crate::fs::{Hash, Root};
use crate::git::{self, Entry, Id, Objects};
use crate::path::RepoPath;

/// What the snapshot held, read from the store beside the scratch.
pub struct Originals<'a> {
    snapshot: &'a Snapshot,
    objects: Objects,
    entries: BTreeMap<RepoPath, (git::EntryKind, Id)>,
}

impl Scratch {
    /// Opens what the snapshot held.
    ///
    /// # Errors
    ///
    /// Fails where the store or the commit in it is gone.
    pub fn originals(&self) -> Result<Originals<'_>, ScratchError> {
        let damaged = |why: &str| ScratchError::Damaged(why.to_owned());
        let made =
            Id::parse(&self.snapshot.made).ok_or_else(|| damaged("its snapshot has no commit"))?;
        let objects = Objects::open(&store(&self.folder), made.format())?;
        let entries = objects.entries_of(made)?;
        Ok(Originals {
            snapshot: &self.snapshot,
            objects,
            entries,
        })
    }

    /// Puts the files that git reads in the scratch's `.git` back to the snapshot.
    pub(super) fn reset_git(&self, originals: &Originals<'_>) -> Result<(), ScratchError> {
        let scratch = Root::open(&self.folder)?;
        let entries: Vec<Entry> = originals
            .entries
            .iter()
            .map(|(path, &(kind, id))| Entry {
                path: path.clone(),
                kind,
                id,
            })
            .collect();
        let format = originals.objects.format();
        let index = git::index(&self.folder, &entries, format)?;
        write_over(&scratch, "index", &index)?;
        write_over(&scratch, "HEAD", b"ref: refs/heads/main\n")?;
        let main = format!("{}\n", self.snapshot.made);
        Ok(write_over(&scratch, "refs/heads/main", main.as_bytes())?)
    }
}

impl Originals<'_> {
    /// Returns the bytes of a file, or the target of a link, as the snapshot saw them.
    ///
    /// # Errors
    ///
    /// Fails on what the snapshot did not hold, and where an object is gone or altered.
    pub fn read(&self, path: &RepoPath) -> Result<Vec<u8>, ScratchError> {
        let damaged = || ScratchError::Damaged(format!("what `{path}` held is not in it any more"));
        let state = self.snapshot.files.get(path).ok_or_else(damaged)?;
        let (_, id) = self.entries.get(path).ok_or_else(damaged)?;
        let bytes = self.objects.read(*id)?;
        let is_same = match state {
            State::File { hash, .. } => *hash == Hash::of(&bytes),
            State::Link { target } => *target == bytes,
        };
        if is_same { Ok(bytes) } else { Err(damaged()) }
    }
}
