//! What changes beneath a root: folders, links, modes, names, copies. As [`Root`] reads, so it changes: through no link.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::beneath::FOLDER;
use super::{EntryKind, FsError, Root, crash};
use crate::path::RepoPath;

/// What the system says of a path.
#[derive(Clone, Copy, Debug)]
pub struct Stat {
    /// What it is.
    pub kind: EntryKind,
    /// Its permissions: twelve bits.
    pub mode: u32,
    /// The file system that it is on.
    pub device: rustix::fs::Dev,
    /// What tells it from what it was before.
    pub trace: Trace,
}

/// What a change of a file leaves a trace in, as git's index keeps it: the low 32 bits of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// When its bytes changed: seconds and nanoseconds.
    pub modified: (u32, u32),
    /// When anything of it changed: seconds and nanoseconds.
    pub changed: (u32, u32),
    /// Its number on the file system.
    pub inode: u32,
    /// Whose it is.
    pub owner: u32,
    /// Whose group's it is.
    pub group: u32,
    /// Its size.
    pub bytes: u32,
}

impl Stat {
    fn of(stat: &rustix::fs::Stat) -> Self {
        Self {
            kind: EntryKind::of(FileType::from_raw_mode(stat.st_mode)),
            mode: bits(stat.st_mode) & 0o7777,
            device: stat.st_dev,
            trace: Trace {
                modified: (low(stat.st_mtime), low(stat.st_mtime_nsec)),
                changed: (low(stat.st_ctime), low(stat.st_ctime_nsec)),
                inode: low(stat.st_ino),
                owner: low(stat.st_uid),
                group: low(stat.st_gid),
                bytes: low(stat.st_size),
            },
        }
    }

    /// Says whether its owner may execute it: the one permission that git keeps.
    pub fn is_executable(&self) -> bool {
        self.mode & 0o100 != 0
    }
}

/// Whether a file may be executed by its owner.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Executable {
    /// It may.
    Yes,
    /// It may not.
    No,
}

/// Returns `mode` with the executable bits given to whoever may read, or taken from all. Others stay.
pub fn with_executable(mode: u32, wanted: Executable) -> u32 {
    match wanted {
        Executable::Yes if mode & 0o100 != 0 => mode,
        Executable::Yes => mode | 0o100 | (mode & 0o444) >> 2,
        Executable::No if mode & 0o100 == 0 => mode,
        Executable::No => mode & !0o111,
    }
}

/// Returns the low 32 bits of a number, which has more or fewer on one system or another.
fn low(number: impl Into<i128>) -> u32 {
    u32::try_from(number.into() & 0xffff_ffff).unwrap_or(u32::MAX)
}

// A mode has 32 bits on one system and 16 on another.

#[cfg(target_os = "linux")]
fn bits(mode: rustix::fs::RawMode) -> u32 {
    mode
}

#[cfg(target_os = "linux")]
fn mode(bits: u32) -> Mode {
    Mode::from_raw_mode(bits)
}

#[cfg(not(target_os = "linux"))]
fn bits(mode: rustix::fs::RawMode) -> u32 {
    mode.into()
}

#[cfg(not(target_os = "linux"))]
fn mode(bits: u32) -> Mode {
    Mode::from_raw_mode(bits as rustix::fs::RawMode & 0o7777)
}

impl Root {
    /// Says what `path` is; none where nothing is there that can be reached without a link.
    ///
    /// # Errors
    ///
    /// Fails where the system does not say.
    pub fn find(&self, path: &RepoPath) -> Result<Option<Stat>, FsError> {
        let find = || {
            let (folder, name) = self.parent(path)?;
            let folder = self.handle(folder.as_ref());
            rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
        };
        match find() {
            Ok(stat) => Ok(Some(Stat::of(&stat))),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(errno) => Err(self.error("look at", path, errno.into())),
        }
    }

    /// Says what the root itself is.
    ///
    /// # Errors
    ///
    /// Fails where the system does not say.
    pub fn stat(&self) -> Result<Stat, FsError> {
        let stat = rustix::fs::fstat(self.handle(None));
        let stat = stat.map_err(|errno| FsError::of("look at", self.path())(errno.into()))?;
        Ok(Stat::of(&stat))
    }

    /// Returns what is in a folder (`None`: in the root), in the order of the names.
    ///
    /// # Errors
    ///
    /// Fails on what is no folder or cannot be read.
    pub fn list(&self, folder: Option<&RepoPath>) -> Result<Vec<(RepoPath, EntryKind)>, FsError> {
        let fail = |errno: Errno| self.fail("read the folder", folder, errno);
        let handle = match folder {
            Some(folder) => self.open_beneath(folder, FOLDER),
            None => rustix::fs::openat(self.handle(None), ".", FOLDER, Mode::empty()),
        };
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::new(handle.map_err(fail)?).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let above = folder.map_or(Vec::new(), |folder| [folder.as_bytes(), b"/"].concat());
            let path = RepoPath::parse(&[&above, name].concat());
            let path = path.map_err(|_| fail(Errno::INVAL))?;
            let kind = match entry.file_type() {
                FileType::Unknown => match self.kind(&path) {
                    Err(error) if error.source.kind() == io::ErrorKind::NotFound => continue,
                    kind => kind?,
                },
                known => EntryKind::of(known),
            };
            entries.push((path, kind));
        }
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(entries)
    }

    /// Makes the folder `path`, with the permissions `mode` or those that the system gives; says whether it was not there.
    ///
    /// # Errors
    ///
    /// Fails where the folder that it is in is missing or lies behind a link, and where the system makes none.
    pub fn make_folder(&self, path: &RepoPath, wanted: Option<u32>) -> Result<bool, FsError> {
        let fail = |errno: Errno| self.error("make the folder", path, errno.into());
        let (folder, name) = self.parent(path).map_err(fail)?;
        let folder = self.handle(folder.as_ref());
        match rustix::fs::mkdirat(folder, name, mode(wanted.unwrap_or(0o777))) {
            Err(Errno::EXIST) => return Ok(false),
            answer => answer.map_err(fail)?,
        }
        if let Some(wanted) = wanted {
            // What the system took away from it when it was made.
            self.set_mode(path, wanted)?;
        }
        Ok(true)
    }

    /// Removes the folder `path` if it is there and empty; says whether it did.
    ///
    /// # Errors
    ///
    /// Fails where the system refuses for another cause.
    pub fn remove_folder(&self, path: &RepoPath) -> Result<bool, FsError> {
        let remove = || {
            let (folder, name) = self.parent(path)?;
            rustix::fs::unlinkat(self.handle(folder.as_ref()), name, AtFlags::REMOVEDIR)
        };
        match remove() {
            Ok(()) => Ok(true),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NOTEMPTY | Errno::EXIST) => {
                Ok(false)
            }
            Err(errno) => Err(self.error("remove the folder", path, errno.into())),
        }
    }

    /// Removes what `path` is, unless it is a folder.
    ///
    /// # Errors
    ///
    /// Fails on what is missing or a folder.
    pub fn remove(&self, path: &RepoPath) -> Result<(), FsError> {
        let fail = |errno: Errno| self.error("remove", path, errno.into());
        let (folder, name) = self.parent(path).map_err(fail)?;
        rustix::fs::unlinkat(self.handle(folder.as_ref()), name, AtFlags::empty()).map_err(fail)
    }

    /// Removes the folder `path` with all that is in it.
    ///
    /// # Errors
    ///
    /// Fails where something in it cannot be removed.
    pub fn remove_tree(&self, path: &RepoPath) -> Result<(), FsError> {
        for (path, kind) in self.list(Some(path))? {
            if kind == EntryKind::Folder {
                self.remove_tree(&path)?;
            } else {
                self.remove(&path)?;
            }
        }
        self.remove_folder(path).map(|_| ())
    }

    /// Makes a symbolic link, and the folders above it.
    ///
    /// # Errors
    ///
    /// Fails where there is something at `path` already or a folder on the way is a link.
    pub fn make_link(&self, path: &RepoPath, target: &[u8]) -> Result<(), FsError> {
        let fail = |errno: Errno| self.error("make the link", path, errno.into());
        let (folder, name) = self.make_parent(path).map_err(fail)?;
        let folder = self.handle(folder.as_ref());
        rustix::fs::symlinkat(OsStr::from_bytes(target), folder, name).map_err(fail)
    }

    /// Gives the file or folder `path` the permissions `wanted`.
    ///
    /// # Errors
    ///
    /// Fails on what is missing, unreadable, or behind a link.
    pub fn set_mode(&self, path: &RepoPath, wanted: u32) -> Result<(), FsError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        self.open_beneath(path, flags)
            .and_then(|handle| rustix::fs::fchmod(handle, mode(wanted)))
            .map_err(|errno| self.error("set the permissions of", path, errno.into()))
    }

    /// Makes the file or folder `path` (`None`: the root) outlast a loss of power; of a folder, the names in it.
    ///
    /// # Errors
    ///
    /// Fails on what is missing or unreadable, and where the disk does.
    pub fn sync(&self, path: Option<&RepoPath>) -> Result<(), FsError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let synced = match path {
            Some(path) => self.open_beneath(path, flags).and_then(rustix::fs::fsync),
            None => rustix::fs::fsync(self.handle(None)),
        };
        // Some file systems keep folders another way and know no such call.
        let synced = match synced {
            Err(Errno::INVAL | Errno::NOTSUP) => Ok(()),
            answer => answer,
        };
        synced.map_err(|errno| self.fail("sync", path, errno))
    }

    /// Copies the regular file `path` to a new file `goal` beneath `other`: its bytes and whether it may be executed.
    ///
    /// Returns the copy, at its beginning, and when the original was changed last. The bytes are
    /// shared where the file system can do it; else as many are copied as there were at first.
    ///
    /// # Errors
    ///
    /// Fails on what is no readable regular file, and where there is something at `goal`.
    pub fn copy(
        &self,
        path: &RepoPath,
        other: &Self,
        goal: &RepoPath,
    ) -> Result<(File, SystemTime), FsError> {
        let (original, size) = self.open_file(path)?;
        let fail = |source: io::Error| self.error("copy", path, source);
        let meta = original.metadata().map_err(fail)?;
        let stat = rustix::fs::fstat(&original).map_err(|errno| fail(errno.into()))?;
        let wanted = if Stat::of(&stat).is_executable() {
            0o777
        } else {
            0o666
        };
        let mut copy = other.new_file(goal, mode(wanted))?;
        share(&original, &copy)
            .or_else(|_| io::copy(&mut original.take(size), &mut copy).map(|_| ()))
            .and_then(|()| copy.rewind())
            .and_then(|()| meta.modified())
            .map(|modified| (copy, modified))
            .map_err(|source| match source.kind() {
                // What is wrong is at the goal.
                io::ErrorKind::StorageFull
                | io::ErrorKind::QuotaExceeded
                | io::ErrorKind::FileTooLarge => other.error("write", goal, source),
                _ => fail(source),
            })
    }

    /// Gives what is at `path` the name `goal` beneath `other`, where nothing may be.
    ///
    /// # Errors
    ///
    /// Fails where there is something at `goal`, where a folder on the way is missing or a link, and between file systems.
    pub fn move_to(&self, path: &RepoPath, other: &Self, goal: &RepoPath) -> Result<(), FsError> {
        let fail = |errno: Errno| self.error("move", path, errno.into());
        let (folder, name) = self.parent(path).map_err(fail)?;
        let (goal_folder, goal_name) = other
            .parent(goal)
            .map_err(|errno| other.error("write", goal, errno.into()))?;
        let from = (self.handle(folder.as_ref()), name);
        let to = (other.handle(goal_folder.as_ref()), goal_name);
        crash::point();
        rename_new(from, to).map_err(|errno| match errno {
            // What is wrong is at the goal.
            Errno::EXIST => other.error("write", goal, errno.into()),
            _ => fail(errno),
        })
    }

    /// Exchanges what is at `path` with what is at `held` beneath `other`: at no time is `path` missing,
    /// if the file system can do that; see [`Root::settle`].
    ///
    /// # Errors
    ///
    /// Fails where either is missing or behind a link, and between file systems.
    pub fn exchange(&self, path: &RepoPath, other: &Self, held: &RepoPath) -> Result<(), FsError> {
        let fail = |errno: Errno| self.error("exchange", path, errno.into());
        let (folder, name) = self.parent(path).map_err(fail)?;
        let (held_folder, held_name) = other.parent(held).map_err(fail)?;
        let here = (self.handle(folder.as_ref()), name);
        let there = (other.handle(held_folder.as_ref()), held_name);
        crash::point();
        match rustix::fs::renameat_with(here.0, here.1, there.0, there.1, RenameFlags::EXCHANGE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => exchange_by_renames(here, there),
            answer => answer,
        }
        .map_err(fail)
    }

    /// Ends an exchange that was made by renames and cut off: `path` then holds what it held before or what it shall hold.
    ///
    /// # Errors
    ///
    /// Fails where the system refuses.
    pub fn settle(&self, path: &RepoPath, other: &Self, held: &RepoPath) -> Result<(), FsError> {
        let between = aside(held.as_path());
        let Ok(between) = RepoPath::parse(between.as_os_str().as_bytes()) else {
            return Ok(());
        };
        if other.find(&between)?.is_none() {
            return Ok(());
        }
        if other.find(held)?.is_some() {
            other.move_to(&between, self, path)
        } else {
            other.move_to(&between, other, held)
        }
    }

    fn fail(&self, action: &'static str, path: Option<&RepoPath>, errno: Errno) -> FsError {
        match path {
            Some(path) => self.error(action, path, errno.into()),
            None => FsError::of(action, self.path())(errno.into()),
        }
    }
}

/// A name in an open folder.
type Place<'a> = (BorrowedFd<'a>, &'a Path);

/// Renames to a name that nothing has.
fn rename_new(from: Place<'_>, to: Place<'_>) -> rustix::io::Result<()> {
    match rustix::fs::renameat_with(from.0, from.1, to.0, to.1, RenameFlags::NOREPLACE) {
        // A second name that nothing has, then the first taken away: some network file systems know only that.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            rustix::fs::linkat(from.0, from.1, to.0, to.1, AtFlags::empty())?;
            rustix::fs::unlinkat(from.0, from.1, AtFlags::empty())
        }
        answer => answer,
    }
}

/// Exchanges two entries where the file system has no call for it; `here` is missing for a moment.
fn exchange_by_renames(here: Place<'_>, there: Place<'_>) -> rustix::io::Result<()> {
    let between = aside(there.1);
    let between = (there.0, between.as_path());
    rename_new(here, between)?;
    if let Err(errno) = rename_new(there, here) {
        rename_new(between, here)?;
        return Err(errno);
    }
    rename_new(between, there)
}

/// Returns the name that an entry has while it is between two others.
fn aside(name: &Path) -> PathBuf {
    name.with_extension("between")
}

/// Lets `copy` share the bytes of `original`.
#[cfg(target_os = "linux")]
fn share(original: &File, copy: &File) -> io::Result<()> {
    Ok(rustix::fs::ioctl_ficlone(copy.as_fd(), original.as_fd())?)
}

#[cfg(not(target_os = "linux"))]
fn share(_: &File, _: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text.as_bytes()).unwrap()
    }

    fn text(root: &Root, name: &str) -> String {
        String::from_utf8(root.head(&path(name), 99).unwrap()).unwrap()
    }

    #[test]
    fn two_entries_change_places_with_and_without_a_call_for_it() {
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let [here, there] = [0, 1].map(|n| Root::open(folders[n].path()).unwrap());
        here.create(&path("a"), b"theirs").unwrap();
        there.create(&path("1"), b"ours").unwrap();
        here.exchange(&path("a"), &there, &path("1")).unwrap();
        assert_eq!(
            (text(&here, "a"), text(&there, "1")),
            ("ours".into(), "theirs".into())
        );
        let places = (
            (here.handle(None), Path::new("a")),
            (there.handle(None), Path::new("1")),
        );
        exchange_by_renames(places.0, places.1).unwrap();
        assert_eq!(
            (text(&here, "a"), text(&there, "1")),
            ("theirs".into(), "ours".into())
        );
        assert_eq!(there.list(None).unwrap().len(), 1);
    }

    #[test]
    fn an_exchange_that_was_cut_off_is_ended() {
        // What is in the root and in the held folder, and what `a` holds in the end.
        for (here, held, expected) in [
            (
                &[][..],
                &[("1", "ours"), ("1.between", "theirs")][..],
                "theirs",
            ),
            (&[("a", "ours")], &[("1.between", "theirs")], "ours"),
            (&[("a", "theirs")], &[("1", "ours")], "theirs"),
        ] {
            let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
            let roots = [0, 1].map(|n| Root::open(folders[n].path()).unwrap());
            for (root, files) in roots.iter().zip([here, held]) {
                for (name, contents) in files {
                    root.create(&path(name), contents.as_bytes()).unwrap();
                }
            }
            roots[0].settle(&path("a"), &roots[1], &path("1")).unwrap();
            assert_eq!(text(&roots[0], "a"), expected);
            assert_eq!(roots[1].list(None).unwrap().len(), 1);
        }
    }

    #[test]
    fn nothing_is_moved_over_something_or_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        for name in ["a", "b", "real/c"] {
            root.create(&path(name), name.as_bytes()).unwrap();
        }
        root.make_link(&path("link"), b"real").unwrap();
        assert!(root.move_to(&path("a"), &root, &path("b")).is_err());
        assert!(root.move_to(&path("a"), &root, &path("link/a")).is_err());
        assert!(root.exchange(&path("a"), &root, &path("link/c")).is_err());
        assert!(root.remove(&path("link/c")).is_err());
        assert!(root.make_folder(&path("link/new"), None).is_err());
        assert!(root.find(&path("link/c")).unwrap().is_none());
        assert!(!root.remove_folder(&path("real")).unwrap());
        assert_eq!(text(&root, "b"), "b");
        root.move_to(&path("a"), &root, &path("real/a")).unwrap();
        assert_eq!(text(&root, "real/a"), "a");
    }

    #[test]
    fn a_copy_has_the_bytes_and_the_executable_bit() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        root.create(&path("a"), b"text").unwrap();
        for (mode, executable) in [(0o600, false), (0o744, true)] {
            root.set_mode(&path("a"), mode).unwrap();
            let goal = path(&format!("copy/{mode:o}"));
            let (mut copy, _) = root.copy(&path("a"), &root, &goal).unwrap();
            let mut text = String::new();
            copy.read_to_string(&mut text).unwrap();
            assert_eq!(text, "text");
            assert_eq!(
                root.find(&goal).unwrap().unwrap().is_executable(),
                executable
            );
            assert!(root.copy(&path("a"), &root, &goal).is_err());
        }
    }
}
