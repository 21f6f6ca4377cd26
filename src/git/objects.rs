//! Git's objects: ids, and a store that files, trees and commits are read from and written to.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use gix::objs::tree::EntryKind as Mode;
use gix::objs::{Exists as _, FindExt as _, Write as _};
use gix::odb::{Header as _, loose, store};

use crate::path::RepoPath;

/// So much is held to read one object: a pack may say how it is made from another, and that stands beside it. Two of
/// 256 MiB, and how one is made from the other.
pub(super) const MAX_HELD_BYTES: usize = if cfg!(test) { 64 << 20 } else { 640 << 20 };

/// Git makes no object from another in more steps.
const MAX_STEPS: u32 = 4095;

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
        let options = store::init::Options {
            alloc_limit_bytes: Some(MAX_HELD_BYTES),
            ..store::init::Options::default()
        };
        let handle = gix::odb::at_opts(folder, format.kind(), None, options);
        let handle = handle.map_err(|cause| error(folder, &cause))?;
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
    /// Fails on what is missing, damaged, too large, or no file.
    pub fn read(&self, id: Id) -> Result<Vec<u8>, ObjectError> {
        let bytes = self.read_within(id, u64::MAX)?;
        bytes.ok_or_else(|| self.too_large(id.0))
    }

    /// Reads a file's bytes as [`Objects::read`] does, unless there are more than `max_bytes`, or they are made from too many.
    ///
    /// # Errors
    ///
    /// Fails on what is missing, damaged, or no file.
    pub fn read_within(&self, id: Id, max_bytes: u64) -> Result<Option<Vec<u8>>, ObjectError> {
        if !self.is_within(id.0, max_bytes)? {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        match self.handle.find_blob(&id.0, &mut bytes) {
            Ok(_) => {}
            Err(cause) if cause.is_resource_exhausted() => return Ok(None),
            Err(cause) => return Err(error(&self.folder, &cause)),
        }
        // There was room for what they are made from.
        bytes.shrink_to_fit();
        Ok(Some(bytes))
    }

    /// Says whether an object has no more than `max_bytes`, and is made from others in no more steps than git makes any.
    ///
    /// What is missing is told by whoever reads it.
    pub(super) fn is_within(&self, id: gix::ObjectId, max_bytes: u64) -> Result<bool, ObjectError> {
        let header = self.handle.try_header(&id);
        let header = header.map_err(|cause| error(&self.folder, &cause))?;
        Ok(header.is_none_or(|header| {
            header.size() <= max_bytes && header.num_deltas().unwrap_or(0) <= MAX_STEPS
        }))
    }

    /// Returns why an object cannot be read.
    pub(super) fn unread(&self, id: gix::ObjectId, cause: &gix::Error) -> ObjectError {
        if cause.is_resource_exhausted() {
            self.too_large(id)
        } else {
            error(&self.folder, cause)
        }
    }

    pub(super) fn too_large(&self, id: gix::ObjectId) -> ObjectError {
        error(&self.folder, &format!("object {id} is too large"))
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

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::git::deflate;

    /// How an object stands in a pack.
    enum Packed {
        /// As it is: a file, or a tree (2) and not a file (3).
        Plain(u8, Vec<u8>),
        /// By its size, and the instructions that make it from the one before.
        Made(usize, Vec<u8>),
    }

    /// Writes seven bits in each byte, the lowest first; a set eighth says that there are more.
    fn number(mut n: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let low = u8::try_from(n & 127).unwrap();
            n >>= 7;
            bytes.push(if n > 0 { low | 128 } else { low });
            if n == 0 {
                return bytes;
            }
        }
    }

    /// Returns a pack of objects each of which but the first may be made from the one before.
    fn pack(objects: &[Packed]) -> Vec<u8> {
        let n_objects = u32::try_from(objects.len()).unwrap();
        let mut pack = [b"PACK\0\0\0\x02", &n_objects.to_be_bytes()[..]].concat();
        let (mut last, mut last_bytes) = (0, 0);
        for object in objects {
            let (kind, bytes, n_bytes) = match object {
                Packed::Plain(kind, bytes) => (*kind, bytes.clone(), bytes.len()),
                Packed::Made(n_bytes, instructions) => {
                    let sizes = [number(last_bytes), number(*n_bytes)].concat();
                    (6, [sizes, instructions.clone()].concat(), *n_bytes)
                }
            };
            let start = pack.len();
            let low = u8::try_from(bytes.len() & 15).unwrap();
            let more = bytes.len() >> 4;
            pack.push(kind << 4 | low | if more > 0 { 128 } else { 0 });
            if more > 0 {
                pack.extend(number(more));
            }
            if kind == 6 {
                let mut distance = start - last;
                let mut digits = vec![u8::try_from(distance & 127).unwrap()];
                while distance > 127 {
                    distance = (distance >> 7) - 1;
                    digits.insert(0, u8::try_from(distance & 127).unwrap() | 128);
                }
                pack.extend(digits);
            }
            pack.extend(deflate(&bytes));
            (last, last_bytes) = (start, n_bytes);
        }
        let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
        hasher.update(&pack);
        pack.extend(hasher.try_finalize().unwrap().as_bytes());
        pack
    }

    #[test]
    fn what_is_made_from_too_much_is_too_large() {
        const MIB: usize = 1 << 20;
        // Bytes as they stand in the instructions; so many pieces of 64 KiB, each the first of what it is made from.
        let stands = |bytes: &[u8]| {
            let n = u8::try_from(bytes.len()).unwrap();
            Packed::Made(bytes.len(), [&[n], bytes].concat())
        };
        let small = || stands(b"small");
        let pieces = |n: usize| Packed::Made(n << 16, [0x80].repeat(n));
        let base = |n| Packed::Plain(3, vec![0; n]);
        let steps = |n: u32| -> Vec<Packed> {
            let steps = (1..n).map(|step| stands(&step.to_be_bytes()));
            [base(1)]
                .into_iter()
                .chain(steps)
                .chain([small()])
                .collect()
        };
        for (name, objects, is_read) in [
            ("base", vec![base(31 * MIB), small()], true),
            ("base", vec![base(33 * MIB), small()], false),
            ("between", vec![base(MIB), pieces(31 * 16), small()], true),
            ("between", vec![base(MIB), pieces(33 * 16), small()], false),
            ("steps", steps(MAX_STEPS), true),
            ("steps", steps(MAX_STEPS + 1), false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let objects = store_of(folder.path(), &pack(&objects));
            let id = Id::of(b"small", ObjectFormat::Sha1).unwrap();
            let bytes = objects.read_within(id, 5).unwrap();
            let expected = is_read.then(|| b"small".to_vec());
            assert_eq!(bytes, expected, "{name}");
            assert!(bytes.is_none_or(|bytes| bytes.capacity() < 100), "{name}");
            assert_eq!(objects.read(id).is_ok(), is_read, "{name}");
        }
    }

    #[test]
    fn no_tree_is_made_from_too_much() {
        for (n, is_read) in [(31 << 20, true), (33 << 20, false)] {
            let folder = tempfile::tempdir().unwrap();
            let tree = [&b"100644 a\0"[..], &[7; 20]].concat();
            let instructions = [&[u8::try_from(tree.len()).unwrap()][..], &tree].concat();
            let made = Packed::Made(tree.len(), instructions);
            let objects = store_of(folder.path(), &pack(&[Packed::Plain(2, vec![0; n]), made]));
            let kind = gix::objs::Kind::Tree;
            let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, &tree).unwrap();
            match objects.entries_below(Id(id), b"") {
                Ok(entries) => assert!(is_read && entries.len() == 1, "{n}"),
                Err(error) => assert!(
                    !is_read && error.to_string().ends_with(&format!("{id} is too large")),
                    "{error}"
                ),
            }
        }
    }

    /// Makes a store that has a pack.
    #[expect(clippy::disallowed_methods, reason = "git writes the index of a pack")]
    fn store_of(folder: &Path, pack: &[u8]) -> Objects {
        let packs = folder.join("pack");
        std::fs::create_dir(&packs).unwrap();
        let file = packs.join("pack-1.pack");
        std::fs::write(&file, pack).unwrap();
        let status = Command::new("git")
            .args(["index-pack", "-o"])
            .args([&packs.join("pack-1.idx"), &file])
            .output()
            .unwrap();
        assert!(status.status.success(), "{status:?}");
        Objects::open(folder, ObjectFormat::Sha1).unwrap()
    }
}
