//! A file that is written whole or not at all, or straight to a device or pipe.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use super::{FsError, SystemKind, crash, kind, resolve};

/// Something to write to. A regular file shows its new contents only after [`Output::commit`]; until
/// then, and if we die at any point, the old file stays as it was.
pub struct Output {
    writer: BufWriter<File>,
    target: PathBuf,
    place: Place,
}

/// Where the bytes are until they are committed.
enum Place {
    /// In the device or pipe itself.
    Straight,
    /// In a file without a name, which the system takes away when we end.
    Unnamed,
    /// In a file beside the target, where the file system has none without a name.
    Beside(tempfile::TempPath),
}

/// Bytes gathered before a write: large enough that system calls do not show in a profile.
const BUFFER_BYTES: usize = 1 << 20;

impl Output {
    /// Prepares to write `path`; a link is followed, so that what it leads to is replaced and not the link.
    ///
    /// # Errors
    ///
    /// Fails where the folder is missing or cannot be written, or `path` is a folder.
    pub fn create(path: &Path) -> Result<Self, FsError> {
        let error = FsError::of("write", path);
        let (target, file, place) = match kind(path)? {
            SystemKind::Folder => return Err(error(io::ErrorKind::IsADirectory.into())),
            SystemKind::Special => {
                #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
                let file = File::options().write(true).open(path).map_err(error)?;
                (path.to_owned(), file, Place::Straight)
            }
            SystemKind::File | SystemKind::Missing => {
                let target = resolve(path).map_err(|inner| error(inner.source))?;
                let folder = target.parent().unwrap_or(Path::new("/"));
                let (file, place) = match unnamed_file(folder) {
                    Ok(file) => (file, Place::Unnamed),
                    Err(_) => beside(folder).map_err(error)?,
                };
                (target, file, place)
            }
        };
        Ok(Self {
            writer: BufWriter::with_capacity(BUFFER_BYTES, file),
            target,
            place,
        })
    }

    /// Puts what was written in the place of the old file, and keeps that file's permissions.
    ///
    /// Not synced to the disk: a pack can be made again.
    ///
    /// # Errors
    ///
    /// Fails where the last bytes cannot be written or the file cannot be put in place; the old file is then as it was.
    pub fn commit(self) -> Result<(), FsError> {
        let error = FsError::of("write", &self.target);
        let file = self
            .writer
            .into_inner()
            .map_err(|failed| error(failed.into_error()))?;
        if matches!(self.place, Place::Straight) {
            return Ok(());
        }
        if let Ok(old) = rustix::fs::stat(&self.target) {
            rustix::fs::fchmod(&file, Mode::from_raw_mode(old.st_mode & 0o7777))
                .map_err(|errno| error(errno.into()))?;
        }
        match self.place {
            Place::Straight => Ok(()),
            Place::Unnamed => name(&file, &self.target).map_err(error),
            Place::Beside(temporary) => temporary
                .persist(&self.target)
                .map_err(|failed| error(failed.error)),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Returns an empty file without a name, in the system's folder for temporary files, for reading and writing.
///
/// # Errors
///
/// Fails where the system does not make one.
pub fn scratch_file() -> Result<File, FsError> {
    tempfile::tempfile().map_err(FsError::of(
        "make a temporary file in",
        &std::env::temp_dir(),
    ))
}

fn beside(folder: &Path) -> io::Result<(File, Place)> {
    use std::os::unix::fs::PermissionsExt;
    let readable = std::fs::Permissions::from_mode(0o666); // less the umask
    let file = tempfile::Builder::new()
        .prefix(".twostep-")
        .permissions(readable)
        .tempfile_in(folder)?;
    let (file, path) = file.into_parts();
    Ok((file, Place::Beside(path)))
}

#[cfg(target_os = "linux")]
fn unnamed_file(folder: &Path) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(folder, flags, Mode::from_raw_mode(0o666))?);
    // It gets its name through /proc at the end: find out now whether that is there.
    rustix::fs::stat(proc_path(&file))?;
    Ok(file)
}

#[cfg(not(target_os = "linux"))]
fn unnamed_file(_: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

fn proc_path(file: &File) -> String {
    use std::os::fd::AsRawFd;
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// Gives the unnamed `file` a name beside `target`, then that of `target`: a link cannot replace, a rename can.
fn name(file: &File, target: &Path) -> io::Result<()> {
    let folder = target.parent().unwrap_or(Path::new("/"));
    let mut attempt = 0_u32;
    let temporary = loop {
        let name = folder.join(format!(".twostep-{}-{attempt}.tmp", std::process::id()));
        match rustix::fs::linkat(CWD, proc_path(file), CWD, &name, AtFlags::SYMLINK_FOLLOW) {
            Ok(()) => break name,
            Err(rustix::io::Errno::EXIST) if attempt < 1000 => attempt += 1,
            Err(errno) => return Err(errno.into()),
        }
    };
    crash::point();
    rustix::fs::rename(&temporary, target).map_err(|errno| {
        let _ = rustix::fs::unlink(&temporary);
        errno.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(path: &Path) -> String {
        super::super::read_text(path, 100).unwrap()
    }

    #[test]
    fn the_old_file_stays_until_the_commit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pack.xml");
        for (n, text) in ["first", "second"].into_iter().enumerate() {
            let mut output = Output::create(&path).unwrap();
            output.write_all(text.as_bytes()).unwrap();
            if n == 1 {
                assert_eq!(contents(&path), "first");
            }
            output.commit().unwrap();
            assert_eq!(contents(&path), text);
        }
        let mut dropped = Output::create(&path).unwrap();
        dropped.write_all(b"third").unwrap();
        drop(dropped);
        assert_eq!(contents(&path), "second");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_file_beside_the_target_serves_where_none_is_without_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pack.xml");
        let (file, place) = beside(folder.path()).unwrap();
        let mut output = Output {
            writer: BufWriter::new(file),
            target: path.clone(),
            place,
        };
        output.write_all(b"text").unwrap();
        output.commit().unwrap();
        assert_eq!(contents(&path), "text");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_and_its_target_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        std::os::unix::fs::symlink("target", &link).unwrap();
        for text in ["new", "newer"] {
            let mut output = Output::create(&link).unwrap();
            output.write_all(text.as_bytes()).unwrap();
            output.commit().unwrap();
        }
        assert!(link.read_link().is_ok());
        assert_eq!(contents(&target), "newer");
    }

    #[test]
    fn a_device_is_written_straight_and_stays_one() {
        let device = Path::new("/dev/null");
        let mut output = Output::create(device).unwrap();
        output.write_all(b"text").unwrap();
        output.commit().unwrap();
        assert_eq!(kind(device).unwrap(), SystemKind::Special);
    }
}
