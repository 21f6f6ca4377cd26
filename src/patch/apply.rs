//! A patch played back: every hunk at its line, all of it or nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::read::{Body, Fate, Hunk, PatchError, Section, read};
use super::{Mode, NO_ID};
use crate::fs::{Entry, EntryKind, Executable, Root, with_executable};
use crate::git::{Id, ObjectFormat};
use crate::path::RepoPath;

/// A file of this size is patched; none that is larger.
const MAX_BYTES: u64 = 1 << 30;

/// Applies `patch` to the tree beneath `root`, strictly: every hunk must match exactly at the line that it
/// names. Returns the paths that changed, sorted.
///
/// All is checked before anything is written; what is written goes through no link.
///
/// # Errors
///
/// Fails on a patch that cannot be read, names git's own files, renames, or does not match; and where
/// the system does not write, which alone can leave some of it done.
pub fn apply(patch: &[u8], root: &Root) -> Result<Vec<RepoPath>, PatchError> {
    let mut tree = Tree {
        root,
        changed: BTreeMap::new(),
    };
    for section in read(patch)? {
        tree.change(section)?;
    }
    tree.write()
}

/// A file or link: its bytes or target.
#[derive(Clone)]
struct Node {
    mode: Mode,
    bytes: Vec<u8>,
}

/// The tree as the sections read so far have made it.
struct Tree<'a> {
    root: &'a Root,
    changed: BTreeMap<RepoPath, Option<Node>>,
}

impl Tree<'_> {
    fn change(&mut self, section: Section) -> Result<(), PatchError> {
        let Section {
            path,
            old,
            new,
            fate,
            body,
        } = section;
        let fail = |why: &str| PatchError::File {
            path: path.clone(),
            why: why.to_owned(),
        };
        let before = self.get(&path)?;
        let node = match (fate, before) {
            (Fate::Made, Some(_)) => return Err(fail("it is there already")),
            (Fate::Made, None) => {
                self.check_way(&path)?;
                Node {
                    mode: Mode::File,
                    bytes: Vec::new(),
                }
            }
            (Fate::Changed | Fate::Deleted, None) => return Err(fail("it is not there")),
            (Fate::Changed | Fate::Deleted, Some(node)) => node,
        };
        if fate != Fate::Made && old.is_some_and(|old| old != node.mode) {
            return Err(fail("its mode is another"));
        }
        let mode = new.unwrap_or(node.mode);
        if fate == Fate::Changed && (mode == Mode::Link) != (node.mode == Mode::Link) {
            return Err(fail("a file becomes no link but by being deleted"));
        }
        let bytes = match body {
            Body::Same => node.bytes,
            Body::Hunks(hunks) => patched(&path, &node.bytes, &hunks)?,
            Body::Binary { old_id, bytes } => {
                let id = match fate {
                    Fate::Made => Some(NO_ID.to_owned()),
                    Fate::Changed | Fate::Deleted => {
                        Id::of(&node.bytes, ObjectFormat::Sha1).map(|id| id.to_string())
                    }
                };
                if id.is_none_or(|id| id.as_bytes() != old_id) {
                    return Err(fail(
                        "its bytes are not those that the binary patch was made from",
                    ));
                }
                bytes
            }
        };
        let after = match fate {
            Fate::Deleted if !bytes.is_empty() => {
                return Err(fail("there is more in it than the patch deletes"));
            }
            Fate::Deleted => None,
            Fate::Made | Fate::Changed => Some(Node { mode, bytes }),
        };
        self.changed.insert(path, after);
        Ok(())
    }

    /// Returns what is at `path`; a folder is nothing here, for it may be empty in the end.
    fn get(&self, path: &RepoPath) -> Result<Option<Node>, PatchError> {
        if let Some(node) = self.changed.get(path) {
            return Ok(node.clone());
        }
        let Some(stat) = self.root.find(path)? else {
            return Ok(None);
        };
        let fail = |why: &str| PatchError::File {
            path: path.clone(),
            why: why.to_owned(),
        };
        match stat.kind {
            EntryKind::Folder => Ok(None),
            EntryKind::Special => Err(fail("it is a device, pipe or socket")),
            EntryKind::Link => Ok(Some(Node {
                mode: Mode::Link,
                bytes: self.root.link_target(path)?,
            })),
            EntryKind::File => match self.root.read(path, MAX_BYTES)? {
                Entry::TooLarge { .. } => Err(fail("it is too large")),
                Entry::Whole(bytes) => {
                    let mode = if stat.is_executable() {
                        Mode::Executable
                    } else {
                        Mode::File
                    };
                    Ok(Some(Node { mode, bytes }))
                }
            },
        }
    }

    /// Checks that a new file can be made: no file or link stands where one of its folders must be.
    fn check_way(&self, path: &RepoPath) -> Result<(), PatchError> {
        for above in path.folders() {
            if self.get(&above)?.is_some() {
                let why = format!("`{above}` is no folder");
                return Err(PatchError::File {
                    path: path.clone(),
                    why,
                });
            }
        }
        let stays = |path: &RepoPath| !matches!(self.changed.get(path), Some(None));
        if self
            .root
            .find(path)?
            .is_some_and(|stat| stat.kind == EntryKind::Folder)
            && self.holds_files(path, &stays)?
        {
            return Err(PatchError::File {
                path: path.clone(),
                why: "it is a folder".to_owned(),
            });
        }
        Ok(())
    }

    fn holds_files(
        &self,
        folder: &RepoPath,
        stays: &dyn Fn(&RepoPath) -> bool,
    ) -> Result<bool, PatchError> {
        for (path, kind) in self.root.list(Some(folder))? {
            let holds = match kind {
                EntryKind::Folder => self.holds_files(&path, stays)?,
                EntryKind::File | EntryKind::Link | EntryKind::Special => stays(&path),
            };
            if holds {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn write(self) -> Result<Vec<RepoPath>, PatchError> {
        let root = self.root;
        let mut folders = BTreeSet::new();
        for (path, _) in self.changed.iter().filter(|(_, node)| node.is_none()) {
            if root
                .find(path)?
                .is_some_and(|stat| stat.kind != EntryKind::Folder)
            {
                root.remove(path)?;
            }
            folders.extend(path.folders());
        }
        for folder in folders.iter().rev() {
            root.remove_folder(folder)?;
        }
        for (path, node) in &self.changed {
            let Some(Node { mode, bytes }) = node else {
                continue;
            };
            let there = root.find(path)?.map(|stat| stat.kind);
            let wanted = match mode {
                Mode::Link => None,
                Mode::File => Some(Executable::No),
                Mode::Executable => Some(Executable::Yes),
            };
            match (wanted, there) {
                (Some(_), Some(EntryKind::File)) => root.replace(path, bytes)?,
                (_, Some(EntryKind::Folder)) => {
                    remove_folders(root, path)?;
                    put(root, path, wanted, bytes)?;
                }
                (_, Some(_)) => {
                    root.remove(path)?;
                    put(root, path, wanted, bytes)?;
                }
                (_, None) => put(root, path, wanted, bytes)?,
            }
            if let (Some(wanted), Some(stat)) = (wanted, root.find(path)?) {
                root.set_mode(path, with_executable(stat.mode, wanted))?;
            }
        }
        Ok(self.changed.into_keys().collect())
    }
}

fn put(
    root: &Root,
    path: &RepoPath,
    file: Option<Executable>,
    bytes: &[u8],
) -> Result<(), PatchError> {
    match file {
        Some(_) => root.create(path, bytes)?,
        None => root.make_link(path, bytes)?,
    }
    Ok(())
}

/// Removes a folder in which there are no files.
fn remove_folders(root: &Root, folder: &RepoPath) -> Result<(), PatchError> {
    for (path, _) in root.list(Some(folder))? {
        remove_folders(root, &path)?;
    }
    root.remove_folder(folder)?;
    Ok(())
}

/// Applies hunks to a text.
fn patched(path: &RepoPath, text: &[u8], hunks: &[Hunk]) -> Result<Vec<u8>, PatchError> {
    let old: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();
    let mut at = 0;
    let mut new: Vec<&[u8]> = Vec::with_capacity(old.len());
    for (index, hunk) in hunks.iter().enumerate() {
        let fail = |why: String| PatchError::Hunk {
            path: path.clone(),
            hunk: index + 1,
            why,
        };
        let [skipped, skipped_new] = hunk.skipped;
        let between = old
            .get(at..skipped)
            .ok_or_else(|| fail(format!("there is no line {}", skipped + 1)))?;
        new.extend(between);
        at = skipped;
        if new.len() != skipped_new {
            return Err(fail(format!(
                "its new lines do not begin at line {}",
                skipped_new + 1
            )));
        }
        for (sign, line) in &hunk.lines {
            if *sign != b'+' {
                if old.get(at) != Some(&line.as_slice()) {
                    return Err(fail(format!("line {} is another", at + 1)));
                }
                at += 1;
            }
            if *sign != b'-' {
                new.push(line);
            }
        }
    }
    new.extend(&old[at..]);
    // A line that no line break ends is the last one.
    match new.split_last() {
        Some((_, lines)) if lines.iter().any(|line| !line.ends_with(b"\n")) => {
            let why = "a line without a line break is not the last".to_owned();
            Err(PatchError::Hunk {
                path: path.clone(),
                hunk: hunks.len(),
                why,
            })
        }
        _ => Ok(new.concat()),
    }
}
