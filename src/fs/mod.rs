//! The door to files: read beneath a root, write whole or not at all.
//!
//! In: paths. Out: bytes, and errors that name the path. The only user of `std::fs` and of file system calls.

mod beneath;
mod change;
mod crash;
mod durable;
mod hash;
mod output;
mod space;

use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::OFlags;

pub use beneath::{Entry, EntryKind, Root};
pub use change::{Executable, Stat, Trace, with_executable};
pub use durable::{
    Lock, append_durable, list, make_private_folders, read_json, remove_temporary, tail,
    write_durable,
};
pub use hash::Hash;
pub use output::{Output, scratch_file};
pub use space::{
    age, bytes_beneath, free_bytes, remove_file, rename, require_room, require_writable, stamp,
};

use crate::path;

/// A file system call that failed: what was attempted, where, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} `{}`", path::shown(path))]
pub struct FsError {
    /// What was attempted, as a verb: `read`, `open`, `write`.
    pub action: &'static str,
    /// Where.
    pub path: PathBuf,
    /// Why it failed.
    pub source: io::Error,
}

impl FsError {
    /// Returns a maker of errors for [`Result::map_err`].
    pub fn of(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self {
            action,
            path: path.to_owned(),
            source,
        }
    }

    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self.source.kind() {
            io::ErrorKind::NotFound => {
                Some("check the spelling; paths are relative to the working directory")
            }
            io::ErrorKind::PermissionDenied => {
                Some("check the permissions of the file and its folders")
            }
            io::ErrorKind::NotADirectory => Some("a part of this path is a file, not a folder"),
            io::ErrorKind::IsADirectory => Some("this is a folder; name a file in it"),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Some("free some space or write to another disk")
            }
            io::ErrorKind::ReadOnlyFilesystem => Some("make the disk writable or use another"),
            io::ErrorKind::FileTooLarge if self.action == "write" => {
                Some("let files be larger: `ulimit -f` tells how large they may be")
            }
            _ => None,
        }
    }

    /// Says whether nothing is wrong but the place: full, or not to be written to.
    pub fn is_of_disk(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::StorageFull
                | io::ErrorKind::QuotaExceeded
                | io::ErrorKind::ReadOnlyFilesystem
                | io::ErrorKind::PermissionDenied
        ) || self.source.kind() == io::ErrorKind::FileTooLarge && self.action == "write"
    }
}

/// What a path of the system leads to, links followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A device, pipe or socket.
    Special,
    /// Nothing.
    Missing,
}

/// Says what `path` leads to, following links.
///
/// # Errors
///
/// Fails where the system does not say, other than by "not found".
pub fn kind(path: &Path) -> Result<SystemKind, FsError> {
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_file() => Ok(SystemKind::File),
        Ok(meta) if meta.is_dir() => Ok(SystemKind::Folder),
        Ok(_) => Ok(SystemKind::Special),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(SystemKind::Missing),
        Err(source) => Err(FsError::of("look at", path)(source)),
    }
}

/// Returns how many bytes the file has that `path` leads to. Nothing is opened.
///
/// # Errors
///
/// Fails on what is missing, and where the system does not say.
pub fn size(path: &Path) -> Result<u64, FsError> {
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    let meta = std::fs::metadata(path).map_err(FsError::of("look at", path))?;
    Ok(meta.len())
}

/// Returns `path` absolute and with its links resolved. What they lead to need not exist, but its folder must.
///
/// # Errors
///
/// Fails where a folder on the way is missing or unreadable, or links go round in a circle.
#[expect(clippy::disallowed_methods, reason = "the owner of this door")]
pub fn resolve(path: &Path) -> Result<PathBuf, FsError> {
    let error = FsError::of("find", path);
    let mut goal = path.to_owned();
    // As many links as Linux follows.
    for _ in 0..40 {
        match std::fs::canonicalize(&goal) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            answer => return answer.map_err(error),
        }
        let name = goal
            .file_name()
            .ok_or_else(|| error(io::ErrorKind::NotFound.into()))?;
        let parent = match goal.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let place = std::fs::canonicalize(parent).map_err(&error)?.join(name);
        match std::fs::read_link(&place) {
            Ok(target) => goal = place.parent().unwrap_or(Path::new("/")).join(target),
            Err(_) => return Ok(place),
        }
    }
    Err(error(io::Error::other("too many links")))
}

/// Says whether `folder` has an entry called `name`, links not followed.
pub fn has_entry(folder: &Path, name: impl AsRef<Path>) -> bool {
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    std::fs::symlink_metadata(folder.join(name)).is_ok()
}

/// Says whether `path` itself is a symbolic link.
pub fn is_link(path: &Path) -> bool {
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink())
}

/// Reads a whole text file of at most `max_bytes`.
///
/// # Errors
///
/// Fails on what cannot be opened or read, is no UTF-8, or is larger.
pub fn read_text(path: &Path, max_bytes: u64) -> Result<String, FsError> {
    String::from_utf8(read_whole(path, max_bytes)?).map_err(|_| not_text(path))
}

fn not_text(path: &Path) -> FsError {
    let cause = io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text");
    FsError::of("read", path)(cause)
}

/// Reads a whole text file of at most `max_bytes` as [`read_regular`] does.
///
/// # Errors
///
/// As [`read_regular`], and on what is no UTF-8.
pub fn read_regular_text(path: &Path, max_bytes: u64) -> Result<String, FsError> {
    String::from_utf8(read_regular(path, max_bytes)?).map_err(|_| not_text(path))
}

/// Reads a whole regular file of at most `max_bytes`, links followed. Never waits for a pipe.
///
/// # Errors
///
/// Fails on what is no regular file, cannot be opened or read, or is larger.
pub fn read_regular(path: &Path, max_bytes: u64) -> Result<Vec<u8>, FsError> {
    let (file, _) = open_regular(path)?;
    read_at_most(file, path, max_bytes)
}

/// Opens a regular file for reading, links followed; returns its size too. Never waits for a pipe.
///
/// # Errors
///
/// Fails on what is no regular file or cannot be opened.
pub fn open_regular(path: &Path) -> Result<(std::fs::File, u64), FsError> {
    // Asked first, for to open a device may do something; and again, for it may be another by now.
    let is_regular = match kind(path)? {
        SystemKind::Missing => {
            return Err(FsError::of("open", path)(io::ErrorKind::NotFound.into()));
        }
        found => found == SystemKind::File,
    };
    let opened = is_regular.then(|| {
        #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
        let file = std::fs::OpenOptions::new()
            .read(true)
            .custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed())
            .open(path)?;
        let meta = file.metadata()?;
        Ok(meta.is_file().then_some((file, meta.len())))
    });
    let opened = opened.transpose().map_err(FsError::of("open", path))?;
    opened.flatten().ok_or_else(|| {
        let cause = io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
        FsError::of("read", path)(cause)
    })
}

fn read_whole(path: &Path, max_bytes: u64) -> Result<Vec<u8>, FsError> {
    read_at_most(open(path)?, path, max_bytes)
}

fn read_at_most(file: std::fs::File, path: &Path, max_bytes: u64) -> Result<Vec<u8>, FsError> {
    let error = FsError::of("read", path);
    let mut bytes = Vec::new();
    let read = file.take(max_bytes + 1).read_to_end(&mut bytes);
    if read.map_err(&error)? as u64 > max_bytes {
        return Err(error(io::ErrorKind::FileTooLarge.into()));
    }
    Ok(bytes)
}

/// Says whether the file at `path` begins with `head`.
///
/// # Errors
///
/// Fails on what cannot be opened or read.
pub fn begins_with(path: &Path, head: &[u8]) -> Result<bool, FsError> {
    let mut bytes = Vec::new();
    open(path)?
        .take(head.len() as u64)
        .read_to_end(&mut bytes)
        .map_err(FsError::of("read", path))?;
    Ok(bytes == head)
}

/// Opens a file for reading.
///
/// # Errors
///
/// Fails where the system does not open it.
pub fn open(path: &Path) -> Result<std::fs::File, FsError> {
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    let file = std::fs::File::open(path).map_err(FsError::of("open", path))?;
    Ok(file)
}

/// Makes a new file that only its owner can read, opened for reading and for writing at its end.
///
/// # Errors
///
/// Fails where there is something at `path` already, or the system does not make it.
pub fn create_private(path: &Path) -> Result<std::fs::File, FsError> {
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    std::fs::OpenOptions::new()
        .read(true)
        .append(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(FsError::of("create", path))
}

/// Opens a file for writing at its end.
///
/// # Errors
///
/// Fails on what is missing, and where the system does not open it.
pub fn append(path: &Path) -> Result<std::fs::File, FsError> {
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    std::fs::OpenOptions::new()
        .append(true)
        .open(path)
        .map_err(FsError::of("open", path))
}

/// Opens a file for reading and writing.
///
/// # Errors
///
/// Fails on what is missing, and where the system does not open it.
pub fn open_to_change(path: &Path) -> Result<std::fs::File, FsError> {
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(FsError::of("open", path))
}

/// Makes a folder and those above it, if they are not there.
///
/// # Errors
///
/// Fails where the system does not make one.
pub fn make_folder(path: &Path) -> Result<(), FsError> {
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    std::fs::create_dir_all(path).map_err(FsError::of("make the folder", path))
}

/// Makes a folder that only its owner can enter, and those above it; says whether it was not there.
///
/// # Errors
///
/// Fails where the system does not make one.
pub fn make_private_folder(path: &Path) -> Result<bool, FsError> {
    if let Some(parent) = path.parent() {
        make_folder(parent)?;
    }
    match rustix::fs::mkdir(path, rustix::fs::Mode::RWXU) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::EXIST) => Ok(false),
        Err(errno) => Err(FsError::of("make the folder", path)(errno.into())),
    }
}

/// Removes a folder with all that is in it. Links in it are not followed.
///
/// # Errors
///
/// Fails where something cannot be removed.
pub fn remove_folder(path: &Path) -> Result<(), FsError> {
    std::fs::remove_dir_all(path).map_err(FsError::of("remove the folder", path))
}

/// Returns where the link at `place` leads by its name alone: absolute, `.` and `..` taken away, nothing looked up.
pub fn link_goal(place: &Path, target: &[u8]) -> PathBuf {
    let target = Path::new(std::ffi::OsStr::from_bytes(target));
    let full = place.parent().unwrap_or(Path::new("/")).join(target);
    let mut goal = PathBuf::new();
    for component in full.components() {
        match component {
            Component::ParentDir => {
                goal.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                goal.push(component);
            }
        }
    }
    goal
}
