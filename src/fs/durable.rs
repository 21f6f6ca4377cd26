//! Folders and files of ours that must survive: private, and synced to the disk before we go on.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use serde::de::DeserializeOwned;

use super::{FsError, SystemKind, crash, kind, open, open_regular, read_regular};

/// Makes a folder that only the user may enter, and those above it.
///
/// # Errors
///
/// Fails where the system does not make one.
pub fn make_private_folders(path: &Path) -> Result<(), FsError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(FsError::of("make the folder", path))
}

/// A file that one process at a time holds; released when it is dropped, or the process ends in whatever way.
pub struct Lock(File);

/// No name of a holder is longer.
const MAX_HOLDER_BYTES: u64 = 256;

impl Lock {
    /// Takes the lock that `path` stands for; none if another process has it.
    ///
    /// # Errors
    ///
    /// Fails where the system does not open or lock the file.
    pub fn take(path: &Path) -> Result<Option<Self>, FsError> {
        let error = FsError::of("lock", path);
        let mut options = File::options();
        #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            // No pipe that lies there holds us up, and no link leads elsewhere.
            .custom_flags((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed())
            .open(path)
            .map_err(&error)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(cause)) => Err(error(cause)),
        }
    }

    /// Writes a text into the file, in the place of what was there, as far as the disk takes it: for others who want it.
    pub fn write(&self, text: &str) {
        let file = &self.0;
        let cleared = file.set_len(0);
        if cleared.is_ok() && file.write_all_at(text.as_bytes(), 0).is_err() {
            // Half a text is none.
            let _ = file.set_len(0);
        }
    }

    /// Returns the name that was written last into the lock that `path` stands for, if that can be read.
    pub fn holder(path: &Path) -> Option<String> {
        super::read_regular_text(path, MAX_HOLDER_BYTES).ok()
    }

    /// Says whether somebody holds the lock that `path` stands for; nothing is made.
    ///
    /// # Errors
    ///
    /// Fails on what is no regular file, and where the system does not say.
    pub fn is_held(path: &Path) -> Result<bool, FsError> {
        if kind(path)? == SystemKind::Missing {
            return Ok(false);
        }
        let (file, _) = open_regular(path)?;
        // Who only looks shares it with others who look.
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(cause)) => Err(FsError::of("lock", path)(cause)),
        }
    }
}

/// How the names of files begin that are not whole yet.
const TEMPORARY: &str = ".twostep-";

/// Removes what [`write_durable`] or [`Output`](super::Output) left in `folder` when its process was killed.
///
/// # Errors
///
/// Fails where the system does not list or remove.
pub fn remove_temporary(folder: &Path) -> Result<(), FsError> {
    for name in list(folder)? {
        let path = folder.join(&name);
        if name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes()) {
            #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
            std::fs::remove_file(&path).map_err(FsError::of("remove", &path))?;
        }
    }
    Ok(())
}

/// Writes a file so that it is there whole, or not at all, even if the power fails.
///
/// # Errors
///
/// Fails where the system does not write; what was there before stays.
pub fn write_durable(path: &Path, bytes: &[u8]) -> Result<(), FsError> {
    let error = FsError::of("write", path);
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new()
        .prefix(TEMPORARY)
        .tempfile_in(folder)
        .map_err(&error)?;
    file.write_all(bytes).map_err(&error)?;
    file.as_file().sync_all().map_err(&error)?;
    crash::point();
    file.persist(path).map_err(|failed| error(failed.error))?;
    crash::point();
    sync_folder(folder).map_err(error)
}

/// Adds bytes to the end of a file of `length` bytes, and waits until the disk has them; returns its new length.
///
/// # Errors
///
/// Fails on a file of another length, and where the system does not write: what came of the bytes is then cut off again.
/// Where even that fails the file has another length, so that nothing is ever added to what is torn.
#[expect(clippy::disallowed_methods, reason = "the owner of this door")]
pub fn append_durable(path: &Path, length: u64, bytes: &[u8]) -> Result<u64, FsError> {
    let error = FsError::of("write", path);
    let mut options = File::options();
    let mut file = options
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(&error)?;
    if file.metadata().map_err(&error)?.len() != length {
        let cause = io::Error::other("its end is not what was written there last");
        return Err(error(cause));
    }
    crash::point();
    let written = file.write_all(bytes).and_then(|()| {
        crash::point();
        file.sync_data()
    });
    if let Err(cause) = written {
        let _ = file.set_len(length);
        return Err(error(cause));
    }
    Ok(length + bytes.len() as u64)
}

#[expect(clippy::disallowed_methods, reason = "the owner of this door")]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Returns the names in a folder, sorted; none if it is not there.
///
/// # Errors
///
/// Fails on what is no folder or cannot be read.
pub fn list(folder: &Path) -> Result<Vec<std::ffi::OsString>, FsError> {
    let error = FsError::of("list the folder", folder);
    let entries = match std::fs::read_dir(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(&error)?,
    };
    let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
    let mut names = names.collect::<io::Result<Vec<_>>>().map_err(error)?;
    names.sort();
    Ok(names)
}

/// Reads a value from a regular JSON file of at most `max_bytes`. Never waits for a pipe.
///
/// # Errors
///
/// Fails on what is no regular file, cannot be read, is larger, or is no such value.
pub fn read_json<T: DeserializeOwned>(path: &Path, max_bytes: u64) -> Result<T, FsError> {
    let bytes = read_regular(path, max_bytes)?;
    serde_json::from_slice(&bytes).map_err(|cause| FsError::of("use", path)(cause.into()))
}

/// Returns the last `n` bytes of a file as text, damaged where they are none.
///
/// # Errors
///
/// Fails on what cannot be read.
pub fn tail(path: &Path, n: u64) -> Result<String, FsError> {
    let error = FsError::of("read", path);
    let mut file = open(path)?;
    let size = file.seek(SeekFrom::End(0)).map_err(&error)?;
    file.seek(SeekFrom::Start(size.saturating_sub(n)))
        .map_err(&error)?;
    let mut bytes = Vec::new();
    file.take(n).read_to_end(&mut bytes).map_err(error)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_until_it_is_dropped_and_looking_makes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        assert!(!Lock::is_held(&path).unwrap());
        assert_eq!(list(folder.path()).unwrap().len(), 0);
        let lock = Lock::take(&path).unwrap();
        assert!(lock.is_some() && Lock::is_held(&path).unwrap());
        assert!(Lock::take(&path).unwrap().is_none());
        for name in ["a long name", "short"] {
            lock.as_ref().unwrap().write(name);
            assert_eq!(Lock::holder(&path).as_deref(), Some(name));
        }
        drop(lock);
        assert!(!Lock::is_held(&path).unwrap());
        assert!(Lock::take(&path).unwrap().is_some());
    }

    /// Makes `file` as long as its disk lets files be, less `n` bytes; returns its length.
    fn lengthen(file: &File, n: u64) -> u64 {
        let (mut possible, mut too_long) = (0, 1 << 63);
        while too_long - possible > 1 {
            let length = possible + (too_long - possible) / 2;
            match file.set_len(length) {
                Ok(()) => possible = length,
                Err(_) => too_long = length,
            }
        }
        file.set_len(possible - n).unwrap();
        possible - n
    }

    #[test]
    fn what_is_not_written_whole_is_cut_off_again_and_no_torn_end_is_added_to() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (path, long) = (file.path(), lengthen(file.as_file(), 5));
        let length = || file.as_file().metadata().unwrap().len();
        assert!(append_durable(path, long, b"0123456789").is_err());
        assert_eq!(length(), long);
        file.as_file().set_len(0).unwrap();
        assert_eq!(append_durable(path, 0, b"one\n").unwrap(), 4);
        for torn in [0, 3, 5] {
            assert!(append_durable(path, torn, b"two\n").is_err(), "{torn}");
            assert_eq!(length(), 4, "{torn}");
        }
        assert_eq!(append_durable(path, 4, b"two\n").unwrap(), 8);
        assert_eq!(read_regular(path, 8).unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn no_lock_is_taken_through_a_link_or_waits_for_a_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let [pipe, link] = ["pipe", "link"].map(|name| folder.path().join(name));
        #[expect(
            clippy::disallowed_methods,
            reason = "the system has no call for it everywhere"
        )]
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        std::os::unix::fs::symlink("elsewhere", &link).unwrap();
        for path in [&pipe, &link] {
            assert!(Lock::take(path).is_err(), "{}", path.display());
        }
        assert!(Lock::is_held(&pipe).is_err());
        assert_eq!(list(folder.path()).unwrap().len(), 2);
    }

    #[test]
    fn a_value_is_read_from_a_regular_file_alone() {
        let error = read_json::<u8>(Path::new("/dev/null"), 9).unwrap_err();
        assert_eq!(error.source.to_string(), "it is not a regular file");
    }
}
