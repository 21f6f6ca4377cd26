//! All of git's files before `gix` opens any: whoever opens a pipe among them may wait forever.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::GitError;
use super::folder::{GitFolder, LARGE_BYTES, as_path, told};
use crate::fs::{self, EntryKind, Root, SystemKind};
use crate::path::shown;

/// Lists of folders with objects are smaller than this.
const MAX_LIST_BYTES: u64 = 1 << 20;

/// Refs that are not sorted are read whole and sorted; those that are, are looked up where they stand.
const MAX_UNSORTED_BYTES: u64 = 32 << 20;

/// What sorted refs begin with.
const SORTED: &[u8] = b"# pack-refs with: peeled fully-peeled sorted ";

/// The list of the commits whose parents are not there.
const MAX_SHALLOW_BYTES: u64 = 64 << 20;

/// What tools share with another repository, by a link to a folder of the same name.
const SHARED: &[&str] = &[
    "info", "logs", "objects", "pack", "refs", "remotes", "rr-cache", "svn",
];

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
        |place| match (fs::size(place), limit(place)) {
            (Ok(size), limit) if size > limit => {
                let (place, mib) = (shown(place), limit >> 20);
                Err(format!("`{place}` has more than {mib} MiB"))
            }
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

/// Returns how large a file may be.
fn limit(place: &Path) -> u64 {
    match place.file_name().map(OsStrExt::as_bytes) {
        Some(b"packed-refs") if !fs::begins_with(place, SORTED).unwrap_or(false) => {
            MAX_UNSORTED_BYTES
        }
        Some(b"shallow") => MAX_SHALLOW_BYTES,
        _ => LARGE_BYTES,
    }
}

/// Looks at all that is in the folders `waiting` and not `apart`; a folder that a link leads to is one, too, if it is git's.
/// `look` returns more folders.
fn walk(
    mut waiting: Vec<PathBuf>,
    apart: &[&[u8]],
    look: impl Fn(&Path) -> Result<Vec<PathBuf>, String>,
) -> Result<(), String> {
    let starts = waiting.clone();
    // Where git's folders are, resolved.
    let roots = waiting.iter().flat_map(|folder| fs::resolve(folder));
    let mut roots: BTreeSet<PathBuf> = roots.collect();
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
                SystemKind::Folder if entry == EntryKind::Link && !is_gits(&place, &roots) => {
                    return Err(format!("`{}` leads out of git's folders", shown(&place)));
                }
                SystemKind::Folder => waiting.push(place),
                SystemKind::File => {
                    let more = look(&place)?;
                    roots.extend(more.iter().flat_map(|folder| fs::resolve(folder)));
                    waiting.extend(more);
                }
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

/// Says whether the folder that a link leads to is in one of `roots`, or shared with another repository.
fn is_gits(link: &Path, roots: &BTreeSet<PathBuf>) -> bool {
    fs::resolve(link).is_ok_and(|goal| {
        let is_shared = SHARED
            .iter()
            .any(|name| link.ends_with(name) && goal.ends_with(name));
        is_shared || goal.ancestors().any(|folder| roots.contains(folder))
    })
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
