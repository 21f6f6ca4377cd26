//! What folders of ours take, how old they are, and how they go.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::{FsError, list};

/// Returns how long ago `path` was changed, links not followed; nothing if that is yet to come.
///
/// # Errors
///
/// Fails on what is missing, and where the system does not say.
pub fn age(path: &Path) -> Result<Duration, FsError> {
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    let changed = std::fs::symlink_metadata(path).and_then(|meta| meta.modified());
    let changed = changed.map_err(FsError::of("look at", path))?;
    Ok(changed.elapsed().unwrap_or_default())
}

/// Returns what tells a file from what is put in its place: its size, and when it was changed, links followed.
///
/// # Errors
///
/// Fails on what is missing, and where the system does not say.
pub fn stamp(path: &Path) -> Result<String, FsError> {
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    let meta = std::fs::metadata(path).map_err(FsError::of("look at", path))?;
    let (seconds, nanoseconds) = (meta.mtime(), meta.mtime_nsec());
    Ok(format!("{}-{seconds}.{nanoseconds}", meta.len()))
}

/// Returns the bytes of all files in a folder and beneath it, links not followed.
///
/// # Errors
///
/// Fails where the system does not list or say.
pub fn bytes_beneath(folder: &Path) -> Result<u64, FsError> {
    let mut bytes = 0;
    for name in list(folder)? {
        let path = folder.join(name);
        #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
        let meta = std::fs::symlink_metadata(&path).map_err(FsError::of("look at", &path))?;
        bytes += if meta.is_dir() {
            bytes_beneath(&path)?
        } else {
            meta.len()
        };
    }
    Ok(bytes)
}

/// Returns how many bytes the user can still write on the disk that holds `path`; one that has no size has no end.
///
/// # Errors
///
/// Fails on what is missing, and where the system does not say.
pub fn free_bytes(path: &Path) -> Result<u64, FsError> {
    let disk = rustix::fs::statvfs(path);
    let disk = disk.map_err(|errno| FsError::of("look at the disk of", path)(errno.into()))?;
    if disk.f_blocks == 0 {
        return Ok(u64::MAX);
    }
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// With less than this a disk is full: programs fail in ways of their own then.
const LEAST_ROOM: u64 = 64 << 10;

/// Says whether there is room on the disk that holds `path`.
///
/// # Errors
///
/// Fails if there is none, or where the system does not say.
pub fn require_room(path: &Path) -> Result<(), FsError> {
    if free_bytes(path)? < LEAST_ROOM {
        return Err(FsError::of("write to", path)(
            io::ErrorKind::StorageFull.into(),
        ));
    }
    Ok(())
}

/// Says whether we may make files in the folder at `path`.
///
/// # Errors
///
/// Fails if we may not.
pub fn require_writable(path: &Path) -> Result<(), FsError> {
    let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    rustix::fs::access(path, access).map_err(|errno| FsError::of("write to", path)(errno.into()))
}

/// Gives what is at `path` another name on the same disk.
///
/// # Errors
///
/// Fails where the system does not: on what is missing, and where there is a file or a folder with something in it already.
pub fn rename(path: &Path, goal: &Path) -> Result<(), FsError> {
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    std::fs::rename(path, goal).map_err(FsError::of("move", path))
}

/// Removes a file or a link, if it is there.
///
/// # Errors
///
/// Fails where the system does not.
pub fn remove_file(path: &Path) -> Result<(), FsError> {
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    match std::fs::remove_file(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        answer => answer.map_err(FsError::of("remove", path)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{make_folder, write_durable};
    use super::*;

    #[test]
    fn links_take_no_more_than_their_names() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        make_folder(&at("a/deep")).unwrap();
        write_durable(&at("a/one"), &[0; 100]).unwrap();
        write_durable(&at("a/deep/two"), &[0; 20]).unwrap();
        assert_eq!(bytes_beneath(&at("a")).unwrap(), 120);
        std::os::unix::fs::symlink("/usr", at("a/link")).unwrap();
        assert_eq!(bytes_beneath(&at("a")).unwrap(), 124);
        assert!(free_bytes(&at("a")).unwrap() > 0);
        assert!(age(&at("a")).unwrap() < Duration::from_hours(1));
    }
}
