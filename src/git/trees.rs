//! What commits hold, and where two of them differ.

use std::collections::{BTreeMap, BTreeSet};

use gix::bstr::ByteSlice;
use gix::objs::FindExt as _;
use gix::objs::tree::EntryKind as Mode;

use super::commit::CommitText;
use super::objects::error;
use super::{EntryKind, Id, ObjectError, Objects};
use crate::path::RepoPath;

/// No commit, tree or list of ours is larger.
const MAX_META_BYTES: u64 = 64 << 20;

/// No path is longer.
const MAX_PATH_BYTES: usize = 4096;

/// So many entries of trees are read for one answer; a few trees that name each other can stand for more than any machine holds.
const MAX_ENTRIES: usize = if cfg!(test) { 1 << 16 } else { 1 << 22 };

type Entries = BTreeMap<RepoPath, (EntryKind, Id)>;

/// A tree's entries by name: mode digits and object.
type Level = BTreeMap<Vec<u8>, (Mode, gix::ObjectId)>;

impl Objects {
    /// Returns what a commit holds, by path.
    ///
    /// # Errors
    ///
    /// Fails where the commit or one of its trees is missing, damaged, or too large.
    pub fn entries_of(&self, commit: Id) -> Result<Entries, ObjectError> {
        self.entries_below(Id(self.tree_of(commit)?), b"")
    }

    /// Returns what a tree holds, by path; each path begins with `above`.
    ///
    /// # Errors
    ///
    /// As [`Objects::entries_of`].
    pub fn entries_below(&self, tree: Id, above: &[u8]) -> Result<Entries, ObjectError> {
        let (mut entries, mut n_read) = (BTreeMap::new(), 0);
        let mut waiting = vec![(tree.0, above.to_vec())];
        while let Some((tree, above)) = waiting.pop() {
            for (name, (mode, id)) in self.level(tree, &above, &mut n_read)? {
                let path = [&above, &name[..]].concat();
                let Some(kind) = kind_of(mode) else {
                    waiting.push((id, [&path[..], b"/"].concat()));
                    continue;
                };
                let path = RepoPath::parse(&path).map_err(|cause| error(&self.folder, &cause))?;
                entries.insert(path, (kind, Id(id)));
            }
        }
        Ok(entries)
    }

    /// Returns the object of the file that a commit has at `path`.
    ///
    /// # Errors
    ///
    /// As [`Objects::entries_of`].
    pub(super) fn blob_at(&self, commit: Id, path: &RepoPath) -> Result<Option<Id>, ObjectError> {
        let (mut found, mut n_read) = ((Mode::Tree, self.tree_of(commit)?), 0);
        for name in path.components() {
            if !is_tree(&found) {
                return Ok(None);
            }
            match self.level(found.1, b"", &mut n_read)?.remove(name) {
                Some(entry) => found = entry,
                None => return Ok(None),
            }
        }
        let is_file = matches!(found.0, Mode::Blob | Mode::BlobExecutable);
        Ok(is_file.then_some(Id(found.1)))
    }

    /// Returns the paths of the files in which two commits differ, sorted; `None` is a commit of nothing.
    ///
    /// # Errors
    ///
    /// As [`Objects::entries_of`].
    pub fn differing(&self, old: Option<Id>, new: Id) -> Result<Vec<RepoPath>, ObjectError> {
        let old = old.map(|commit| self.tree_of(commit)).transpose()?;
        let paths = self.compare([old, Some(self.tree_of(new)?)])?;
        Ok(paths.into_iter().collect())
    }

    /// Fails if an object that is held whole while it is read is too large for that.
    pub(super) fn check_size(&self, id: gix::ObjectId) -> Result<(), ObjectError> {
        if self.is_within(id, MAX_META_BYTES)? {
            Ok(())
        } else {
            Err(self.too_large(id))
        }
    }

    /// Reads a commit.
    pub(super) fn commit_text<'a>(
        &self,
        commit: Id,
        buffer: &'a mut Vec<u8>,
    ) -> Result<CommitText<'a>, ObjectError> {
        self.check_size(commit.0)?;
        let found = self.handle.find(&commit.0, buffer);
        let found = found.map_err(|cause| self.unread(commit.0, &cause))?;
        let is_commit = found.kind == gix::objs::Kind::Commit;
        let text = is_commit.then(|| CommitText::parse(found.data)).flatten();
        text.ok_or_else(|| error(&self.folder, &format!("object {commit} is no commit")))
    }

    fn tree_of(&self, commit: Id) -> Result<gix::ObjectId, ObjectError> {
        Ok(self.commit_text(commit, &mut Vec::new())?.tree)
    }

    fn level(
        &self,
        tree: gix::ObjectId,
        above: &[u8],
        n_read: &mut usize,
    ) -> Result<Level, ObjectError> {
        let fail = |why: &str| error(&self.folder, &format!("tree {tree}: {why}"));
        if above.len() > MAX_PATH_BYTES {
            return Err(fail("its path is too long"));
        }
        self.check_size(tree)?;
        let mut buffer = Vec::new();
        let found = self.handle.find_tree(&tree, &mut buffer);
        let found = found.map_err(|cause| self.unread(tree, &cause))?;
        *n_read += found.entries.len() + 1;
        if *n_read > MAX_ENTRIES {
            return Err(fail("there are too many files"));
        }
        let entries = found.entries.iter();
        Ok(entries
            .map(|entry| {
                let name = entry.filename.as_bytes().to_vec();
                (name, (entry.mode.kind(), entry.oid.to_owned()))
            })
            .collect())
    }

    fn compare(
        &self,
        trees: [Option<gix::ObjectId>; 2],
    ) -> Result<BTreeSet<RepoPath>, ObjectError> {
        let (mut paths, mut n_read) = (BTreeSet::new(), 0);
        let mut waiting = vec![(trees, Vec::new())];
        while let Some((trees, above)) = waiting.pop() {
            let mut level = |tree: Option<gix::ObjectId>| match tree {
                Some(tree) => self.level(tree, &above, &mut n_read),
                None => Ok(Level::new()),
            };
            let (old, new) = (level(trees[0])?, level(trees[1])?);
            let names: BTreeSet<&Vec<u8>> = old.keys().chain(new.keys()).collect();
            for name in names {
                let sides = [old.get(name), new.get(name)];
                if sides[0] == sides[1] {
                    continue;
                }
                let path = [&above, &name[..]].concat();
                if sides.into_iter().flatten().any(|side| !is_tree(side)) {
                    // What a made-up tree holds and no work tree can is nobody's.
                    paths.extend(RepoPath::parse(&path));
                }
                let inner = sides.map(|side| side.filter(|side| is_tree(side)).map(|side| side.1));
                if inner != [None, None] {
                    waiting.push((inner, [&path[..], b"/"].concat()));
                }
            }
        }
        Ok(paths)
    }
}

fn is_tree(entry: &(Mode, gix::ObjectId)) -> bool {
    kind_of(entry.0).is_none()
}

/// Returns what a mode stands for; none for a folder.
fn kind_of(mode: Mode) -> Option<EntryKind> {
    match mode {
        Mode::Tree => None,
        Mode::Blob => Some(EntryKind::File),
        Mode::BlobExecutable => Some(EntryKind::Executable),
        Mode::Link => Some(EntryKind::Link),
        Mode::Commit => Some(EntryKind::Submodule),
    }
}
