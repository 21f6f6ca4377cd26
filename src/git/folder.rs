//! Where git keeps what it knows of a work tree.
//!
//! Whoever wrote a repository wrote these files, too: they are read only if they are regular ones of
//! a sane size, and nothing waits for a pipe.

use std::path::{Path, PathBuf};

use super::GitError;
use crate::fs::{self, FsError, SystemKind};
use crate::path::shown;

/// A file with a line or two.
const LINE_BYTES: u64 = 8 << 10;

/// A file that grows with the repository.
const LARGE_BYTES: u64 = 1 << 30;

/// As many symbolic refs as git follows.
const MAX_STEPS: usize = 5;

/// Git's folders of a work tree; of a linked one there are two.
pub(super) struct GitFolder {
    /// That of the work tree: its `HEAD` and index.
    pub(super) own: PathBuf,
    /// That of all its work trees: configuration, objects, refs.
    pub(super) common: PathBuf,
}

/// Says whether the `.git` in `folder` makes it a repository, as git decides it.
pub fn is_repository(folder: &Path) -> bool {
    GitFolder::of(folder).is_ok()
}

impl GitFolder {
    /// Finds those of the work tree at `top`.
    pub(super) fn of(top: &Path) -> Result<Self, GitError> {
        Self::find(top).map_err(|why| GitError {
            top: top.to_owned(),
            why,
        })
    }

    fn find(top: &Path) -> Result<Self, String> {
        let git = top.join(".git");
        let own = match fs::kind(&git).map_err(|error| told(&error))? {
            SystemKind::Folder => git,
            SystemKind::File => {
                let text = line(&git)?;
                let place = text.strip_prefix("gitdir: ");
                top.join(place.ok_or("`.git` does not say where the repository is")?)
            }
            SystemKind::Special | SystemKind::Missing => {
                return Err("`.git` is neither folder nor file".to_owned());
            }
        };
        let common = own.join("commondir");
        let common = match fs::kind(&common).map_err(|error| told(&error))? {
            SystemKind::Missing => own.clone(),
            _ => own.join(line(&common)?),
        };
        let folder = Self { own, common };
        let head = line(&folder.own.join("HEAD"))?;
        let is_head = match head.strip_prefix("ref:") {
            Some(name) => name.trim_start().starts_with("refs/"),
            None => is_id(&head),
        };
        if !is_head {
            return Err("its HEAD is damaged".to_owned());
        }
        for name in ["objects", "refs"] {
            if !matches!(fs::kind(&folder.common.join(name)), Ok(SystemKind::Folder)) {
                return Err(format!("it has no folder `{name}`"));
            }
        }
        Ok(folder)
    }

    /// Returns the commit that is checked out, in hexadecimal; none before the first.
    pub(super) fn commit(&self) -> Option<String> {
        let mut text = line(&self.own.join("HEAD")).ok()?;
        for _ in 0..MAX_STEPS {
            let Some(name) = text.strip_prefix("ref:") else {
                return is_id(&text).then_some(text);
            };
            let name = name.trim_start();
            // A name is a path beneath the folder, whoever wrote it.
            let is_inside = Path::new(name)
                .components()
                .all(|part| matches!(part, std::path::Component::Normal(_)));
            if !is_inside {
                return None;
            }
            let places = [&self.own, &self.common].map(|folder| folder.join(name));
            match places.iter().find_map(|place| line(place).ok()) {
                Some(next) => text = next,
                None => return self.packed(name),
            }
        }
        None
    }

    /// Returns the branch that is checked out, by its short name.
    pub(super) fn branch(&self) -> Option<String> {
        let head = line(&self.own.join("HEAD")).ok()?;
        let name = head.strip_prefix("ref:")?.trim_start();
        Some(name.strip_prefix("refs/heads/")?.to_owned())
    }

    fn packed(&self, name: &str) -> Option<String> {
        let path = self.common.join("packed-refs");
        let text = fs::read_regular(&path, LARGE_BYTES).ok()?;
        let text = String::from_utf8_lossy(&text);
        let mut refs = text.lines().filter_map(|line| line.split_once(' '));
        let (id, _) = refs.find(|(id, found)| *found == name && is_id(id))?;
        Some(id.to_owned())
    }

    /// Reads the index, which names its objects by `kind`; an empty one where there is none.
    pub(super) fn index(&self, kind: gix::hash::Kind) -> Result<gix::index::State, String> {
        let path = self.own.join("index");
        if matches!(fs::kind(&path), Ok(SystemKind::Missing)) {
            return Ok(gix::index::State::new(kind));
        }
        let bytes = fs::read_regular(&path, LARGE_BYTES).map_err(|error| told(&error))?;
        let options = gix::index::decode::Options::default();
        let now = std::time::SystemTime::UNIX_EPOCH.into();
        let (state, _) = gix::index::State::from_bytes(&bytes, now, kind, options)
            .map_err(|error| format!("its index is damaged: {error}"))?;
        let Some(link) = state.link() else {
            return Ok(state);
        };
        // The index is split: the other part is found by its name.
        let shared = self
            .own
            .join(format!("sharedindex.{}", link.shared_index_checksum));
        is_plain(&shared)?;
        gix::index::File::at(&path, kind, false, options)
            .map(Into::into)
            .map_err(|error| format!("its index is damaged: {error}"))
    }

    /// Makes sure that nothing which `gix` opens by itself is a pipe, a device or huge.
    pub(super) fn check(&self) -> Result<(), String> {
        let own = ["index", "HEAD", "config.worktree"].map(|name| self.own.join(name));
        let common = [
            "config",
            "packed-refs",
            "shallow",
            "objects/info/alternates",
        ];
        let common = common.map(|name| self.common.join(name));
        own.iter()
            .chain(&common)
            .try_for_each(|path| is_plain(path))
    }
}

/// Says what is wrong with a file that is no regular one of a sane size; one that is missing is fine.
fn is_plain(path: &Path) -> Result<(), String> {
    match fs::kind(path).map_err(|error| told(&error))? {
        SystemKind::Missing => Ok(()),
        _ => match fs::open_regular(path).map_err(|error| told(&error))? {
            (_, size) if size > LARGE_BYTES => Err(format!("`{}` is too large", shown(path))),
            _ => Ok(()),
        },
    }
}

/// Reads a file with one line.
fn line(path: &Path) -> Result<String, String> {
    let bytes = fs::read_regular(path, LINE_BYTES).map_err(|error| told(&error))?;
    let text = String::from_utf8(bytes).map_err(|_| format!("`{}` is damaged", shown(path)))?;
    Ok(text.trim_end().to_owned())
}

fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns an error with its cause.
pub(super) fn told(error: &FsError) -> String {
    format!("{error}: {}", error.source)
}
