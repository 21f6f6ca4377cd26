//! Git's objects: ids, and a store that files, trees and commits are read from and written to.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use gix::objs::tree::EntryKind as Mode;
use gix::objs::{Exists as _, FindExt as _, FindHeader as _, Write as _};
use gix::odb::loose;

use crate::path::RepoPath;

/// An object could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot use git's objects in `{}`: {why}", folder.display())]
pub struct ObjectError {
    pub(super) folder: PathBuf,
    pub(super) why: String,
}

/// How a repository names its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectFormat {
    /// By SHA-1, as nearly every repository.
    Sha1,
    /// By SHA-256.
    Sha256,
}

impl ObjectFormat {
    pub(super) fn kind(self) -> gix::hash::Kind {
        match self {
            Self::Sha1 => gix::hash::Kind::Sha1,
            Self::Sha256 => gix::hash::Kind::Sha256,
        }
    }

    pub(super) fn of(kind: gix::hash::Kind) -> Self {
        if kind == gix::hash::Kind::Sha1 {
            Self::Sha1
        } else {
            Self::Sha256
        }
    }
}

/// The id of an object; written in hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(pub(super) gix::ObjectId);

impl Id {
    /// Returns the id that git gives `bytes` as a file; none for bytes that were made to collide with others.
    pub fn of(bytes: &[u8], format: ObjectFormat) -> Option<Self> {
        let id = gix::objs::compute_hash(format.kind(), gix::objs::Kind::Blob, bytes);
        id.ok().map(Self)
    }

    /// Reads the digits of an id.
    pub fn parse(text: &str) -> Option<Self> {
        gix::ObjectId::from_hex(text.as_bytes()).ok().map(Self)
    }

    /// Returns the format that this is an id of.
    pub fn format(self) -> ObjectFormat {
        ObjectFormat::of(self.0.kind())
    }
}

/// Returns the SHA-256 of what `reader` gives, in hexadecimal, and how many bytes it was: so Git LFS names files.
///
/// # Errors
///
/// Fails where reading does.
pub fn sha256(mut reader: impl Read) -> io::Result<(String, u64)> {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha256);
    let mut buffer = vec![0; 1 << 16];
    let mut n_bytes = 0;
    loop {
        let n = reader.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
        n_bytes += n as u64;
    }
    let id = hasher.try_finalize().map_err(io::Error::other)?;
    Ok((id.to_string(), n_bytes))
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Hands on what it reads, and knows in the end which id git gives those bytes as a file.
pub struct IdReader<R> {
    reader: R,
    hasher: gix::hash::Hasher,
}

impl<R: Read> IdReader<R> {
    /// Begins with a file of `bytes` bytes.
    pub fn new(reader: R, bytes: u64, format: ObjectFormat) -> Self {
        let mut hasher = gix::hash::hasher(format.kind());
        hasher.update(&gix::objs::encode::loose_header(
            gix::objs::Kind::Blob,
            bytes,
        ));
        Self { reader, hasher }
    }

    /// Returns the id of what was read; none for bytes that were made to collide with others.
    pub fn id(self) -> Option<Id> {
        self.hasher.try_finalize().ok().map(Id)
    }
}

impl<R: Read> Read for IdReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.hasher.update(&buffer[..n]);
        Ok(n)
    }
}

/// What a tree holds at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A file.
    File,
    /// A file that may be executed.
    Executable,
    /// A symbolic link; its target is the object's bytes.
    Link,
    /// Another repository at the commit that the id names.
    Submodule,
}

impl EntryKind {
    /// Returns the mode that git writes for it.
    pub fn digits(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Link => "120000",
            Self::Submodule => "160000",
        }
    }

    fn mode(self) -> Mode {
        match self {
            Self::File => Mode::Blob,
            Self::Executable => Mode::BlobExecutable,
            Self::Link => Mode::Link,
            Self::Submodule => Mode::Commit,
        }
    }
}

/// One path of a commit.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The path.
    pub path: RepoPath,
    /// What is there.
    pub kind: EntryKind,
    /// Its object.
    pub id: Id,
}

/// A store of objects, with those that it borrows.
pub struct Objects {
    pub(super) handle: gix::odb::Handle,
    pub(super) folder: PathBuf,
    format: ObjectFormat,
}

/// Writes a file of `bytes` bytes, whose id is known, into the store in `folder`; from any thread.
///
/// # Errors
///
/// Fails where it cannot be read or written.
pub fn write_blob(
    folder: &Path,
    id: Id,
    bytes: u64,
    mut reader: impl Read,
) -> Result<(), ObjectError> {
    loose::Store::at(folder, id.0.kind())
        .write_stream_with_known_id(gix::objs::Kind::Blob, bytes, &mut reader, id.0)
        .map(|_| ())
        .map_err(|cause| error(folder, &cause))
}

impl Objects {
    /// Opens the store in `folder`.
    ///
    /// # Errors
    ///
    /// Fails on what is no folder, and on a damaged list of what it borrows.
    pub fn open(folder: &Path, format: ObjectFormat) -> Result<Self, ObjectError> {
        let handle = gix::odb::at(folder, format.kind()).map_err(|cause| error(folder, &cause))?;
        Ok(Self {
            handle,
            folder: folder.to_owned(),
            format,
        })
    }

    /// Says whether the store, or one that it borrows from, had the object when it was asked first.
    pub fn has(&mut self, id: Id) -> bool {
        // Without looking for new packs at each object that is missing.
        self.handle.refresh_never();
        self.handle.exists(&id.0)
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    ///
    /// Fails on what is missing, damaged, or no file.
    pub fn read(&self, id: Id) -> Result<Vec<u8>, ObjectError> {
        let mut bytes = Vec::new();
        let found = self.handle.find_blob(&id.0, &mut bytes);
        found.map_err(|cause| error(&self.folder, &cause))?;
        Ok(bytes)
    }

    /// Reads a file's bytes as [`Objects::read`] does, unless there are more than `max_bytes`.
    ///
    /// # Errors
    ///
    /// As [`Objects::read`].
    pub fn read_within(&self, id: Id, max_bytes: u64) -> Result<Option<Vec<u8>>, ObjectError> {
        let header = self.handle.try_header(&id.0);
        match header.map_err(|cause| error(&self.folder, &cause))? {
            Some(header) if header.size > max_bytes => Ok(None),
            _ => self.read(id).map(Some),
        }
    }

    /// Writes the trees of `entries`, sorted by path, and a commit of them by whom is named with an address; returns its id.
    ///
    /// # Errors
    ///
    /// Fails where an object cannot be written.
    pub fn commit(
        &self,
        entries: &[Entry],
        parent: Option<Id>,
        message: &str,
        (name, email): (&str, &str),
        seconds: i64,
    ) -> Result<Id, ObjectError> {
        let tree = self.write_tree(entries, 0)?;
        let author = gix::actor::Signature {
            name: name.into(),
            email: email.into(),
            time: gix::date::Time { seconds, offset: 0 },
        };
        let commit = gix::objs::Commit {
            tree,
            parents: parent.into_iter().map(|parent| parent.0).collect(),
            author: author.clone(),
            committer: author,
            encoding: None,
            message: message.into(),
            extra_headers: Vec::new(),
        };
        self.write(&commit).map(Id)
    }

    /// Writes an object, unless the store has it.
    fn write(&self, object: &dyn gix::objs::WriteTo) -> Result<gix::ObjectId, ObjectError> {
        let fail = |cause: &dyn fmt::Display| error(&self.folder, cause);
        let mut bytes = Vec::new();
        object.write_to(&mut bytes).map_err(|cause| fail(&cause))?;
        let id = gix::objs::compute_hash(self.format.kind(), object.kind(), &bytes);
        let id = id.map_err(|cause| fail(&cause))?;
        if self.handle.exists(&id) {
            return Ok(id);
        }
        let written = self.handle.write_buf(object.kind(), &bytes);
        written.map_err(|cause| fail(&cause))
    }

    /// Writes the tree of `entries`, whose paths share their first `prefix` bytes.
    fn write_tree(&self, entries: &[Entry], prefix: usize) -> Result<gix::ObjectId, ObjectError> {
        let mut tree = gix::objs::Tree::empty();
        let mut rest = entries;
        while let Some(first) = rest.first() {
            let tail = &first.path.as_bytes()[prefix..];
            let (name, mode, oid) = match memchr::memchr(b'/', tail) {
                None => {
                    rest = &rest[1..];
                    (tail, first.kind.mode(), first.id.0)
                }
                Some(slash) => {
                    let end = prefix + slash + 1;
                    let folder = &first.path.as_bytes()[..end];
                    let n = rest.partition_point(|entry| entry.path.as_bytes().starts_with(folder));
                    let (inside, after) = rest.split_at(n);
                    rest = after;
                    (&tail[..slash], Mode::Tree, self.write_tree(inside, end)?)
                }
            };
            tree.entries.push(gix::objs::tree::Entry {
                mode: mode.into(),
                filename: name.into(),
                oid,
            });
        }
        // Git's order: a folder stands as if its name ended in `/`.
        tree.entries.sort();
        self.write(&tree)
    }

    /// Returns how this store names its objects.
    pub fn format(&self) -> ObjectFormat {
        self.format
    }
}

pub(super) fn error(folder: &Path, cause: &dyn fmt::Display) -> ObjectError {
    ObjectError {
        folder: folder.to_owned(),
        why: cause.to_string(),
    }
}
