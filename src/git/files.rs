//! All of git's files before `gix` opens any: whoever opens a pipe among them may wait forever.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::GitError;
use super::folder::{GitFolder, LARGE_BYTES, as_path, told};
use crate::fs::{self, EntryKind, Root, SystemKind};
use crate::path::shown;

/// Lists of folders with objects are smaller than this.
const MAX_LIST_BYTES: u64 = 1 << 20;

/// More entries than this are no repository of anybody's.
const MAX_ENTRIES: usize = 1 << 22;

/// What is not read with the rest: objects, which may be huge; and not at all: other repositories, programs, what is no part of git.
const APART: &[&[u8]] = &[
    b"fsmonitor--daemon.ipc",
    b"hooks",
    b"lfs",
    b"modules",
    b"objects",
    b"worktrees",
];

/// Fails if one of git's files is a pipe or device, links followed, or is read whole and huge.
///
/// What cannot be read at all is left to whoever reads it and tells of it.
pub(super) fn check(git: &GitFolder) -> Result<(), GitError> {
    check_all(git).map_err(|why| git.error(why))
}

fn check_all(git: &GitFolder) -> Result<(), String> {
    walk(
        vec![git.own.clone(), git.common.clone()],
        APART,
        |place| match fs::size(place) {
            Ok(size) if size > LARGE_BYTES => Err(format!("`{}` is too large", shown(place))),
            _ => Ok(Vec::new()),
        },
    )?;
    walk(vec![git.objects()], &[], |place| {
        if place.ends_with("info/alternates") {
            borrowed(place)
        } else {
            Ok(Vec::new())
        }
    })
}

/// Looks at all that is in the folders `waiting` and not `apart`; a linked folder is one, too. `look` returns more folders.
fn walk(
    mut waiting: Vec<PathBuf>,
    apart: &[&[u8]],
    look: impl Fn(&Path) -> Result<Vec<PathBuf>, String>,
) -> Result<(), String> {
    let starts = waiting.clone();
    // Those that were looked at, resolved.
    let mut seen = BTreeSet::new();
    let mut n_entries = 0;
    while let Some(folder) = waiting.pop() {
        let is_new = fs::resolve(&folder).is_ok_and(|folder| seen.insert(folder));
        let entries = Root::open(&folder).and_then(|root| root.list(None));
        let (true, Ok(entries)) = (is_new, entries) else {
            continue;
        };
        n_entries += entries.len();
        if n_entries > MAX_ENTRIES {
            return Err("it has too many files".to_owned());
        }
        for (name, entry) in entries {
            if starts.contains(&folder) && apart.contains(&name.as_bytes()) {
                continue;
            }
            let place = folder.join(name.as_path());
            let kind = match entry {
                EntryKind::Folder => SystemKind::Folder,
                EntryKind::File => SystemKind::File,
                EntryKind::Link | EntryKind::Special => {
                    fs::kind(&place).unwrap_or(SystemKind::Missing)
                }
            };
            match kind {
                SystemKind::Folder => waiting.push(place),
                SystemKind::File => waiting.extend(look(&place)?),
                SystemKind::Special => {
                    let place = shown(&place);
                    return Err(format!("cannot read `{place}`: it is not a regular file"));
                }
                SystemKind::Missing => {}
            }
        }
    }
    Ok(())
}

/// Returns the folders of objects that a list names, which lie relative to the folder that it is of.
fn borrowed(list: &Path) -> Result<Vec<PathBuf>, String> {
    let objects = list.ancestors().nth(2).unwrap_or(Path::new("/"));
    let text = fs::read_regular(list, MAX_LIST_BYTES).map_err(|error| told(&error))?;
    let lines = text.split(|&byte| byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    let folders = lines.map(|line| match super::unquote(line) {
        Some(line) => objects.join(as_path(&line)),
        None => objects.join(as_path(line)),
    });
    Ok(folders.collect())
}
