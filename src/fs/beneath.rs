//! Files beneath a root, opened so that no link and no `..` leads out of it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::FsError;
use crate::path::RepoPath;

/// A folder held open; everything below it is reached through this handle.
pub struct Root {
    folder: OwnedFd,
    path: PathBuf,
}

/// How a folder on the way is opened: not through a link.
pub(super) const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// What no call takes as a path is gone in pieces shorter than this.
const MAX_PATH_BYTES: usize = 4000;

/// What kind of thing a path is, links not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A folder.
    Folder,
    /// A device, pipe or socket.
    Special,
}

/// What was read of a file.
pub enum Entry {
    /// All of it.
    Whole(Vec<u8>),
    /// Nothing: it has more bytes than were allowed.
    TooLarge {
        /// Its size when it was opened, or the limit if it grew past it meanwhile.
        bytes: u64,
    },
}

impl EntryKind {
    pub(super) fn of(file_type: FileType) -> Self {
        match file_type {
            FileType::RegularFile => Self::File,
            FileType::Symlink => Self::Link,
            FileType::Directory => Self::Folder,
            _ => Self::Special,
        }
    }
}

impl Root {
    /// Opens the folder `path`.
    ///
    /// # Errors
    ///
    /// Fails on what is no folder or cannot be opened.
    pub fn open(path: &Path) -> Result<Self, FsError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|errno| FsError::of("open the folder", path)(errno.into()))?;
        Ok(Self {
            folder,
            path: path.to_owned(),
        })
    }

    /// Returns the path that the root was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Says what `path` is.
    ///
    /// # Errors
    ///
    /// Fails on what is missing, or lies behind a link.
    pub fn kind(&self, path: &RepoPath) -> Result<EntryKind, FsError> {
        let fail = |errno: Errno| self.error("look at", path, errno.into());
        let (folder, name) = self.parent(path).map_err(fail)?;
        let folder = self.handle(folder.as_ref());
        let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(fail)?;
        Ok(EntryKind::of(FileType::from_raw_mode(stat.st_mode)))
    }

    /// Opens the regular file `path` for reading; returns its size too.
    ///
    /// # Errors
    ///
    /// Fails on what is missing, unreadable, no regular file, or lies behind a link.
    pub fn open_file(&self, path: &RepoPath) -> Result<(File, u64), FsError> {
        // Non-blocking, so that a pipe put in the place of the file does not hold us.
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let handle = self
            .open_beneath(path, flags)
            .map_err(|errno| self.error("open", path, errno.into()))?;
        let stat = rustix::fs::fstat(&handle)
            .map_err(|errno| self.error("look at", path, errno.into()))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(self.error(
                "open",
                path,
                io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"),
            ));
        }
        Ok((File::from(handle), u64::try_from(stat.st_size).unwrap_or(0)))
    }

    /// Reads the regular file `path`, unless it has more than `max_bytes`; the limit holds while it grows, too.
    ///
    /// # Errors
    ///
    /// As [`Root::open_file`], and where reading fails.
    pub fn read(&self, path: &RepoPath, max_bytes: u64) -> Result<Entry, FsError> {
        let (file, size) = self.open_file(path)?;
        if size > max_bytes {
            return Ok(Entry::TooLarge { bytes: size });
        }
        // One byte of room over the size: the end of the file then shows without growing the buffer.
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
        let read = file
            .take(max_bytes + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| self.error("read", path, source))?;
        if read as u64 > max_bytes {
            return Ok(Entry::TooLarge {
                bytes: max_bytes + 1,
            });
        }
        Ok(Entry::Whole(bytes))
    }

    /// Reads at most the first `n` bytes of the regular file `path`.
    ///
    /// # Errors
    ///
    /// As [`Root::read`].
    pub fn head(&self, path: &RepoPath, n: u64) -> Result<Vec<u8>, FsError> {
        let (file, _) = self.open_file(path)?;
        let mut bytes = Vec::new();
        file.take(n)
            .read_to_end(&mut bytes)
            .map_err(|source| self.error("read", path, source))?;
        Ok(bytes)
    }

    /// Returns what the symbolic link `path` points to, as it stands in the link.
    ///
    /// # Errors
    ///
    /// Fails on what is no link, or lies behind one.
    pub fn link_target(&self, path: &RepoPath) -> Result<Vec<u8>, FsError> {
        let fail = |errno: Errno| self.error("read the link", path, errno.into());
        let (folder, name) = self.parent(path).map_err(fail)?;
        let folder = self.handle(folder.as_ref());
        let target = rustix::fs::readlinkat(folder, name, Vec::new()).map_err(fail)?;
        Ok(target.into_bytes())
    }

    /// Writes a new file, and the folders above it, beneath the root.
    ///
    /// # Errors
    ///
    /// Fails where there is something at `path` already, where a folder on the way is a link, or
    /// where the system does not write. A file that could not be written whole is taken away again.
    pub fn create(&self, path: &RepoPath, contents: &[u8]) -> Result<(), FsError> {
        self.new_file(path, Mode::from_raw_mode(0o666))?
            .write_all(contents)
            .map_err(|source| {
                let _ = self.remove(path);
                self.error("write", path, source)
            })
    }

    /// Replaces the file at `path`: the old bytes or the new, whole. Its permissions stay.
    ///
    /// # Errors
    ///
    /// As [`Root::create`], but for a file that is there already.
    pub fn replace(&self, path: &RepoPath, contents: &[u8]) -> Result<(), FsError> {
        let fail = |errno: Errno| self.error("write", path, errno.into());
        // Beside the file, under a name that is never too long.
        let folder_length = path.as_bytes().len() - path.name().len();
        let name = format!(".twostep-{}.tmp", std::process::id());
        let beside = [&path.as_bytes()[..folder_length], name.as_bytes()].concat();
        let beside = RepoPath::parse(&beside).map_err(|_| fail(Errno::INVAL))?;
        self.create(&beside, contents)?;
        let (folder, name) = self.parent(path).map_err(fail)?;
        let folder = self.handle(folder.as_ref());
        let temporary = Path::new(OsStr::from_bytes(beside.name()));
        let exchange = || {
            if let Ok(old) = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
                let mode = Mode::from_raw_mode(old.st_mode & 0o7777);
                rustix::fs::chmodat(folder, temporary, mode, AtFlags::empty())?;
            }
            rustix::fs::renameat(folder, temporary, folder, name)
        };
        exchange().map_err(|errno| {
            let _ = rustix::fs::unlinkat(folder, temporary, AtFlags::empty());
            fail(errno)
        })
    }

    /// Makes a new, empty file for reading and writing, and the folders above it.
    pub(super) fn new_file(&self, path: &RepoPath, mode: Mode) -> Result<File, FsError> {
        let fail = |errno: Errno| self.error("write", path, errno.into());
        let (folder, name) = self.make_parent(path).map_err(fail)?;
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = self.handle(folder.as_ref());
        let file = rustix::fs::openat(folder, name, flags, mode).map_err(fail)?;
        Ok(File::from(file))
    }

    pub(super) fn error(
        &self,
        action: &'static str,
        path: &RepoPath,
        source: io::Error,
    ) -> FsError {
        FsError {
            action,
            path: self.path.join(path.as_path()),
            source,
        }
    }

    /// Opens `path` without following any link; in one call where the kernel can do it.
    pub(super) fn open_beneath(
        &self,
        path: &RepoPath,
        flags: OFlags,
    ) -> rustix::io::Result<OwnedFd> {
        #[cfg(target_os = "linux")]
        {
            let mut folder: Option<OwnedFd> = None;
            let mut rest = path.as_bytes();
            // A path that is too long for a call is gone in pieces.
            while let Some(cut) = rest
                .get(..MAX_PATH_BYTES)
                .and_then(|head| memchr::memrchr(b'/', head))
            {
                match open_in(self.handle(folder.as_ref()), &rest[..cut], FOLDER) {
                    Err(Errno::NOSYS | Errno::PERM) => break,
                    answer => folder = Some(answer?),
                }
                rest = &rest[cut + 1..];
            }
            match open_in(self.handle(folder.as_ref()), rest, flags) {
                // Old kernels and some sandboxes lack the call.
                Err(Errno::NOSYS | Errno::PERM) => {}
                answer => return answer,
            }
        }
        let (folder, name) = self.descend(path, |_, _| Ok(()))?;
        rustix::fs::openat(self.handle(folder.as_ref()), name, flags, Mode::empty())
    }

    /// Opens the folder that holds `path`; `None` is the root itself.
    pub(super) fn parent<'a>(
        &self,
        path: &'a RepoPath,
    ) -> rustix::io::Result<(Option<OwnedFd>, &'a Path)> {
        let name = Path::new(OsStr::from_bytes(path.name()));
        let Some(folder) = path.parent() else {
            return Ok((None, name));
        };
        Ok((Some(self.open_beneath(&folder, FOLDER)?), name))
    }

    /// As [`Root::parent`], making the folders that are missing.
    pub(super) fn make_parent<'a>(
        &self,
        path: &'a RepoPath,
    ) -> rustix::io::Result<(Option<OwnedFd>, &'a Path)> {
        match self.parent(path) {
            Err(Errno::NOENT) => {}
            answer => return answer,
        }
        self.descend(path, |folder, name| {
            match rustix::fs::mkdirat(folder, name, Mode::from_raw_mode(0o777)) {
                Err(Errno::EXIST) | Ok(()) => Ok(()),
                Err(errno) => Err(errno),
            }
        })
    }

    /// Returns the handle of a folder that [`Root::parent`] opened.
    pub(super) fn handle<'a>(&'a self, folder: Option<&'a OwnedFd>) -> BorrowedFd<'a> {
        folder.map_or(self.folder.as_fd(), AsFd::as_fd)
    }

    fn descend<'a>(
        &self,
        path: &'a RepoPath,
        before: impl Fn(BorrowedFd<'_>, &Path) -> rustix::io::Result<()>,
    ) -> rustix::io::Result<(Option<OwnedFd>, &'a Path)> {
        let mut folder: Option<OwnedFd> = None;
        let mut components = path.as_path().iter().map(Path::new).peekable();
        while let Some(name) = components.next() {
            if components.peek().is_none() {
                return Ok((folder, name));
            }
            let here = self.handle(folder.as_ref());
            before(here, name)?;
            let next = rustix::fs::openat(here, name, FOLDER, Mode::empty())?;
            folder = Some(next);
        }
        Err(Errno::INVAL)
    }
}

/// Opens what is at `path` beneath `folder`, not through a link.
#[cfg(target_os = "linux")]
fn open_in(folder: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> rustix::io::Result<OwnedFd> {
    use rustix::fs::ResolveFlags;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let path = Path::new(OsStr::from_bytes(path));
    rustix::fs::openat2(folder, path, flags, Mode::empty(), resolve)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn no_link_leads_out_of_the_root() {
        let outside = tempfile::tempdir().unwrap();
        let inside = tempfile::tempdir().unwrap();
        let secret = outside.path().join("secret");
        Root::open(outside.path())
            .unwrap()
            .create(&path("secret"), b"secret")
            .unwrap();
        symlink(outside.path(), inside.path().join("folder")).unwrap();
        symlink(&secret, inside.path().join("file")).unwrap();
        let root = Root::open(inside.path()).unwrap();
        assert!(root.read(&path("file"), 100).is_err());
        assert!(root.read(&path("folder/secret"), 100).is_err());
        assert!(root.create(&path("folder/new"), b"x").is_err());
        assert!(root.replace(&path("folder/secret"), b"x").is_err());
        assert_eq!(root.kind(&path("folder")).unwrap(), EntryKind::Link);
        assert!(root.kind(&path("folder/secret")).is_err());
        assert_eq!(
            Root::open(outside.path())
                .unwrap()
                .head(&path("secret"), 9)
                .unwrap(),
            b"secret"
        );
    }

    #[test]
    fn the_size_limit_is_inclusive() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        root.create(&path("a/b"), b"12345").unwrap();
        assert!(
            matches!(root.read(&path("a/b"), 5).unwrap(), Entry::Whole(bytes) if bytes == b"12345")
        );
        assert!(matches!(
            root.read(&path("a/b"), 4).unwrap(),
            Entry::TooLarge { bytes: 5 }
        ));
    }

    #[test]
    fn a_file_is_created_once_and_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        root.create(&path("a"), b"old").unwrap();
        assert!(root.create(&path("a"), b"new").is_err());
        assert_eq!(root.head(&path("a"), 9).unwrap(), b"old");
        root.replace(&path("a"), b"new").unwrap();
        assert_eq!(root.head(&path("a"), 9).unwrap(), b"new");
    }
}
