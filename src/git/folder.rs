//! Where git keeps what it knows of a work tree, and what is read there without more: the commit, the index.
//!
//! Whoever wrote a repository wrote these files, too: they are read only if they are regular ones of
//! a sane size, and nothing waits for a pipe.

use std::ffi::OsStr;
use std::fmt::Display;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use super::objects::MAX_HELD_BYTES;
use super::{GitError, Id, ObjectFormat, files};
use crate::fs::{self, FsError, SystemKind};
use crate::path::shown;

/// A file with a line or two.
const LINE_BYTES: u64 = 8 << 10;

/// A file that grows with the repository.
pub(super) const LARGE_BYTES: u64 = 1 << 30;

/// An index, of which several times as much is held while it is read: some two million files.
const MAX_INDEX_MIB: u64 = 256;
const MAX_INDEX_BYTES: u64 = MAX_INDEX_MIB << 20;

/// As many symbolic refs as git follows.
const MAX_STEPS: usize = 5;

/// Git's folders of a work tree; of a linked one there are two.
pub(super) struct GitFolder {
    top: PathBuf,
    /// That of the work tree: its `HEAD` and index.
    pub(super) own: PathBuf,
    /// That of all its work trees: configuration, objects, refs.
    pub(super) common: PathBuf,
}

/// Says whether the `.git` in `folder` makes it a repository, as git decides it.
pub fn is_repository(folder: &Path) -> bool {
    GitFolder::of(folder).is_ok()
}

/// Returns the commit that is checked out in the work tree at `top`; none where there is none.
pub fn head_of(top: &Path) -> Option<Id> {
    GitFolder::of(top).ok()?.head().ok()?
}

impl GitFolder {
    /// Finds those of the work tree at `top`.
    pub(super) fn of(top: &Path) -> Result<Self, GitError> {
        let mut folder = Self {
            top: top.to_owned(),
            own: top.join(".git"),
            common: PathBuf::new(),
        };
        folder.find().map_err(|why| folder.error(why))?;
        Ok(folder)
    }

    fn find(&mut self) -> Result<(), String> {
        match kind(&self.own)? {
            SystemKind::Folder => {}
            SystemKind::File => {
                let text = line(&self.own)?;
                let place = text.strip_prefix(b"gitdir: ");
                let place = place.ok_or("`.git` does not say where the repository is")?;
                self.own = self.top.join(as_path(place));
            }
            SystemKind::Special | SystemKind::Missing => {
                return Err("`.git` is neither folder nor file".to_owned());
            }
        }
        let common = self.own.join("commondir");
        self.common = match kind(&common)? {
            SystemKind::Missing => self.own.clone(),
            _ => self.own.join(as_path(&line(&common)?)),
        };
        let head = line(&self.own.join("HEAD"))?;
        let is_head = match goal(&head) {
            Some(name) => name.starts_with(b"refs/"),
            None => id(&head).is_some(),
        };
        if !is_head {
            return Err("its HEAD is damaged".to_owned());
        }
        for name in ["objects", "refs"] {
            if !matches!(fs::kind(&self.common.join(name)), Ok(SystemKind::Folder)) {
                return Err(format!("it has no folder `{name}`"));
            }
        }
        Ok(())
    }

    /// Opens it with nothing but its own configuration; objects are what their ids say.
    pub(super) fn open(&self) -> Result<gix::Repository, GitError> {
        files::check(self)?;
        let options = gix::open::Options::isolated().config_overrides([
            "core.useReplaceRefs=false".to_owned(),
            format!("gitoxide.objects.allocLimit={MAX_HELD_BYTES}"),
        ]);
        gix::open_opts(&self.top, options).map_err(|cause| self.error(cause))
    }

    pub(super) fn error(&self, why: impl Display) -> GitError {
        GitError {
            top: self.top.clone(),
            why: why.to_string(),
        }
    }

    /// Returns the folder of its objects.
    pub(super) fn objects(&self) -> PathBuf {
        self.common.join("objects")
    }

    /// Returns the commit that is checked out; none before the first.
    pub(super) fn head(&self) -> Result<Option<Id>, GitError> {
        self.follow().map_err(|why| self.error(why))
    }

    fn follow(&self) -> Result<Option<Id>, String> {
        let mut text = line(&self.own.join("HEAD"))?;
        for _ in 0..MAX_STEPS {
            let Some(name) = goal(&text) else {
                return match id(&text) {
                    Some(id) => Ok(Some(id)),
                    None => Err("the branch that is checked out is damaged".to_owned()),
                };
            };
            // A name is a path beneath the folder, whoever wrote it.
            let is_inside = |part| matches!(part, Component::Normal(_));
            if !as_path(name).components().all(is_inside) {
                return Err("its HEAD leads out of it".to_owned());
            }
            let places = [&self.own, &self.common].map(|folder| folder.join(as_path(name)));
            let is_there = |place: &&PathBuf| {
                matches!(fs::kind(place), Ok(SystemKind::File | SystemKind::Special))
            };
            match places.iter().find(is_there) {
                Some(place) => text = line(place)?,
                None => return self.packed(name),
            }
        }
        Err("its HEAD leads nowhere".to_owned())
    }

    /// Returns the branch that is checked out, by its short name.
    pub(super) fn branch(&self) -> Option<Vec<u8>> {
        let head = line(&self.own.join("HEAD")).ok()?;
        Some(goal(&head)?.strip_prefix(b"refs/heads/")?.to_vec())
    }

    fn packed(&self, name: &[u8]) -> Result<Option<Id>, String> {
        let path = self.common.join("packed-refs");
        if kind(&path)? == SystemKind::Missing {
            return Ok(None);
        }
        let (file, size) = fs::open_regular(&path).map_err(|error| told(&error))?;
        if size > LARGE_BYTES {
            return Err(format!(
                "`{}` has more than {} MiB",
                shown(&path),
                LARGE_BYTES >> 20
            ));
        }
        let mut lines = BufReader::new(file);
        let mut line = Vec::new();
        loop {
            line.clear();
            // Of a longer line each part is one: no name that is asked for is in it.
            let mut next = (&mut lines).take(LINE_BYTES);
            let read = next.read_until(b'\n', &mut line);
            if read.map_err(|error| format!("cannot read `{}`: {error}", shown(&path)))? == 0 {
                return Ok(None);
            }
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            let digits = line.strip_suffix(name);
            let digits = digits.and_then(|digits| digits.strip_suffix(b" "));
            if let Some(id) = digits.and_then(id) {
                return Ok(Some(id));
            }
        }
    }

    /// Reads the index, which names its objects in this format; an empty one where there is none.
    pub(super) fn index(&self, format: ObjectFormat) -> Result<gix::index::State, GitError> {
        self.read_index(format.kind())
            .map_err(|why| self.error(why))
    }

    fn read_index(&self, hash: gix::hash::Kind) -> Result<gix::index::State, String> {
        let path = self.own.join("index");
        if kind(&path)? == SystemKind::Missing {
            return Ok(gix::index::State::new(hash));
        }
        let damaged = |cause: &dyn Display| format!("its index is damaged: {cause}");
        let is_small = |size| match size {
            0..=MAX_INDEX_BYTES => Ok(()),
            _ => Err(format!("its index has more than {MAX_INDEX_MIB} MiB")),
        };
        let (file, size) = fs::open_regular(&path).map_err(|error| told(&error))?;
        is_small(size)?;
        let written = file.metadata().and_then(|meta| meta.modified());
        let written = written.unwrap_or(SystemTime::UNIX_EPOCH).into();
        let bytes = fs::read_regular(&path, MAX_INDEX_BYTES).map_err(|error| told(&error))?;
        let options = gix::index::decode::Options::default();
        let (state, _) = gix::index::State::from_bytes(&bytes, written, hash, options)
            .map_err(|cause| damaged(&cause))?;
        let Some(link) = state.link() else {
            return Ok(state);
        };
        // The index is split: the other part is found by its name.
        let shared = format!("sharedindex.{}", link.shared_index_checksum);
        let (_, size) = fs::open_regular(&self.own.join(shared)).map_err(|error| told(&error))?;
        is_small(size)?;
        gix::index::File::at(&path, hash, false, options)
            .map(Into::into)
            .map_err(|cause| damaged(&cause))
    }
}

/// Reads a file with one line.
fn line(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = fs::read_regular(path, LINE_BYTES).map_err(|error| told(&error))?;
    Ok(bytes.trim_ascii_end().to_vec())
}

/// Returns the ref that a symbolic one leads to.
fn goal(line: &[u8]) -> Option<&[u8]> {
    Some(line.strip_prefix(b"ref:")?.trim_ascii_start())
}

fn id(digits: &[u8]) -> Option<Id> {
    Id::parse(std::str::from_utf8(digits).ok()?)
}

fn kind(path: &Path) -> Result<SystemKind, String> {
    fs::kind(path).map_err(|error| told(&error))
}

pub(super) fn as_path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// Returns an error with its cause.
pub(super) fn told(error: &FsError) -> String {
    format!("{error}: {}", error.source)
}
