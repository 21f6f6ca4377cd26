//! Git's own files before they are read: whoever opens a pipe among them may wait forever.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::GitError;
use crate::fs::{self, EntryKind, Root, SystemKind};

/// How much of git's files is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Configuration, index and references.
    References,
    /// The objects, too, and those that are borrowed.
    Objects,
}

/// Git's own list files are smaller than this.
const MAX_LIST_BYTES: u64 = 1 << 20;

/// More entries than this are no repository of anybody's.
const MAX_ENTRIES: usize = 1 << 22;

/// What nothing of ours reads: other repositories, programs, and what is no part of git.
const UNREAD: [&str; 5] = [
    "fsmonitor--daemon.ipc",
    "hooks",
    "lfs",
    "modules",
    "worktrees",
];

/// Fails if one of git's files at the work tree `top` is a pipe or device, links followed.
///
/// What cannot be read at all is left to whoever reads it and tells of it.
pub(super) fn check(top: &Path, extent: Extent) -> Result<(), GitError> {
    let mut walk = Walk {
        extent,
        seen: BTreeSet::new(),
        n_entries: 0,
    };
    walk.repository(top).map_err(|why| GitError {
        top: top.to_owned(),
        why,
    })
}

struct Walk {
    extent: Extent,
    /// The folders that were looked at, resolved.
    seen: BTreeSet<PathBuf>,
    n_entries: usize,
}

impl Walk {
    fn repository(&mut self, top: &Path) -> Result<(), String> {
        let mut folder = top.join(".git");
        check_kind(&folder)?;
        if fs::kind(&folder).is_ok_and(|kind| kind == SystemKind::File) {
            let text = read(&folder);
            let goal = text.strip_prefix(b"gitdir:").unwrap_or(&text);
            folder = top.join(path(goal.trim_ascii()));
        }
        self.folder(&folder)?;
        let common = read(&folder.join("commondir"));
        match common.trim_ascii() {
            b"" => Ok(()),
            common => self.folder(&folder.join(path(common))),
        }
    }

    /// Looks at everything in a folder of git's; a linked one is a folder, too.
    fn folder(&mut self, start: &Path) -> Result<(), String> {
        let mut waiting = vec![start.to_owned()];
        while let Some(folder) = waiting.pop() {
            let is_new = fs::resolve(&folder).is_ok_and(|folder| self.seen.insert(folder));
            let entries = Root::open(&folder).and_then(|root| root.list(None));
            let (true, Ok(entries)) = (is_new, entries) else {
                continue;
            };
            for (name, entry) in entries {
                self.n_entries += 1;
                if self.n_entries > MAX_ENTRIES {
                    return Err("it has too many files".to_owned());
                }
                if folder == start && self.is_unread(name.as_bytes()) {
                    continue;
                }
                let place = folder.join(name.as_path());
                match entry {
                    EntryKind::Folder => waiting.push(place),
                    EntryKind::File | EntryKind::Link if place.ends_with("info/alternates") => {
                        check_kind(&place)?;
                        waiting.extend(borrowed(&place));
                    }
                    EntryKind::File => {}
                    EntryKind::Special => check_kind(&place)?,
                    EntryKind::Link => {
                        check_kind(&place)?;
                        waiting.push(place);
                    }
                }
            }
        }
        Ok(())
    }

    /// Says whether nothing reads what has this name in the folder of a repository.
    fn is_unread(&self, name: &[u8]) -> bool {
        UNREAD.iter().any(|unread| name == unread.as_bytes())
            || (name == b"objects" && self.extent == Extent::References)
    }
}

fn check_kind(place: &Path) -> Result<(), String> {
    match fs::kind(place) {
        Ok(SystemKind::Special) => {
            Err(format!("`{}` is a device, pipe or socket", place.display()))
        }
        Ok(SystemKind::File | SystemKind::Folder | SystemKind::Missing) | Err(_) => Ok(()),
    }
}

/// Returns the folders of objects that a list names, which lie relative to the folder that it is of.
fn borrowed(list: &Path) -> Vec<PathBuf> {
    let objects = list.ancestors().nth(2).unwrap_or(Path::new("/"));
    let text = read(list);
    let lines = text.split(|&byte| byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    lines
        .map(|line| match super::unquote(line) {
            Some(line) => objects.join(path(&line)),
            None => objects.join(path(line)),
        })
        .collect()
}

fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// Reads a list; there is nothing in one that is not there.
fn read(place: &Path) -> Vec<u8> {
    fs::read_regular(place, MAX_LIST_BYTES).unwrap_or_default()
}
