//! From a pack to its files.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use crate::fs::{self, Entry, EntryKind, FsError, Root, SystemKind};
use crate::pack::{UnpackError, Unpacked, unpack};
use crate::path::RepoPath;

/// What becomes of files that are there already, with other contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// They stay, and nothing is written at all.
    Keep,
    /// They are replaced.
    Replace,
}

/// The files were not got back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The document cannot be used.
    #[error(transparent)]
    Pack(#[from] UnpackError),
    /// A file would go where git keeps its own.
    #[error("the pack holds `{0}`, which would be git's own")]
    GitInternal(RepoPath),
    /// A name is too long for any file system.
    #[error("the name of `{0}` is too long")]
    LongName(RepoPath),
    /// A path is a file and a folder at once.
    #[error("the pack holds `{0}` both as a file and as a folder")]
    FileAndFolder(RepoPath),
    /// There is something else in the place of a file.
    #[error("there is a different `{path}` already{}", more(*.n_more))]
    Exists {
        /// The first such file.
        path: RepoPath,
        /// How many more there are.
        n_more: usize,
    },
    /// The system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}

fn more(n: usize) -> String {
    if n == 0 {
        String::new()
    } else {
        format!(" and {n} more")
    }
}

impl RestoreError {
    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Pack(error) => Some(error.hint()),
            Self::GitInternal(_) | Self::FileAndFolder(_) | Self::LongName(_) => {
                Some("a pack from `twostep pack` holds no such file: do not trust this one")
            }
            Self::Exists { .. } => {
                Some("unpack into an empty folder with `-d DIR`, or replace files with `--force`")
            }
            Self::Fs(error) => error.hint(),
        }
    }
}

/// The longest name that file systems hold.
const MAX_NAME_BYTES: usize = 255;

/// Writes the exact files of `pack` beneath `folder`, which is made if it is not there.
///
/// The whole pack is read and checked before the first file is written. A file that is there with
/// the same contents is left alone.
///
/// # Errors
///
/// Fails on a pack that is damaged or names files outside the folder, and where something is in the
/// way; then nothing was written.
pub fn restore(
    pack: impl Read,
    folder: &Path,
    existing: Existing,
) -> Result<Unpacked, RestoreError> {
    let mut pack = spool(pack)?;
    let root = match fs::kind(folder)? {
        SystemKind::Missing => None,
        _ => Some(Root::open(folder)?),
    };
    check(&pack, root.as_ref(), existing)?;
    pack.rewind()
        .map_err(FsError::of("read", Path::new("the pack")))?;
    let root = if let Some(root) = root {
        root
    } else {
        fs::make_folder(folder)?;
        Root::open(folder)?
    };
    unpack(BufReader::new(&pack), |file| {
        let Some(bytes) = file.bytes else {
            return Ok(());
        };
        match state(&root, &file.path, &bytes) {
            State::Free => root.create(&file.path, &bytes)?,
            State::Same => {}
            State::Taken => root.replace(&file.path, &bytes)?,
        }
        Ok(())
    })
}

/// Copies the pack to a file without a name: it is read twice, and may be a pipe or change meanwhile.
fn spool(mut pack: impl Read) -> Result<File, FsError> {
    let mut file = fs::scratch_file()?;
    let error = FsError::of("copy the pack to", Path::new("a temporary file"));
    io::copy(&mut pack, &mut file).map_err(&error)?;
    file.rewind().map_err(error)?;
    Ok(file)
}

/// Reads the whole pack, and checks that every file of it can be written.
fn check(pack: &File, root: Option<&Root>, existing: Existing) -> Result<(), RestoreError> {
    let mut paths = BTreeSet::new();
    let mut in_the_way = Vec::new();
    unpack(BufReader::new(pack), |file| {
        let Some(bytes) = file.bytes else {
            return Ok(());
        };
        if file.path.is_git_internal() {
            return Err(RestoreError::GitInternal(file.path));
        }
        if file
            .path
            .components()
            .any(|name| name.len() > MAX_NAME_BYTES)
        {
            return Err(RestoreError::LongName(file.path));
        }
        if root.is_some_and(|root| state(root, &file.path, &bytes) == State::Taken) {
            in_the_way.push(file.path.clone());
        }
        paths.insert(file.path);
        Ok(())
    })?;
    let sorted: Vec<&RepoPath> = paths.iter().collect();
    for path in &sorted {
        let inside = [path.as_bytes(), b"/"].concat();
        let next = sorted.partition_point(|other| other.as_bytes() < &inside[..]);
        let is_folder = sorted
            .get(next)
            .is_some_and(|other| other.as_bytes().starts_with(&inside));
        if is_folder {
            return Err(RestoreError::FileAndFolder((*path).clone()));
        }
    }
    let replaceable = |path: &RepoPath| {
        root.is_some_and(|root| root.kind(path).is_ok_and(|kind| kind == EntryKind::File))
    };
    if existing == Existing::Replace {
        in_the_way.retain(|path| !replaceable(path));
    }
    if in_the_way.is_empty() {
        return Ok(());
    }
    let n_more = in_the_way.len() - 1;
    Err(RestoreError::Exists {
        path: in_the_way.swap_remove(0),
        n_more,
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// There is nothing.
    Free,
    /// There is a file with the same bytes.
    Same,
    /// There is something else, or a link on the way.
    Taken,
}

fn state(root: &Root, path: &RepoPath, bytes: &[u8]) -> State {
    match root.kind(path) {
        Err(error) if error.source.kind() == io::ErrorKind::NotFound => State::Free,
        Ok(EntryKind::File) => match root.read(path, bytes.len() as u64) {
            Ok(Entry::Whole(found)) if found == bytes => State::Same,
            _ => State::Taken,
        },
        _ => State::Taken,
    }
}
