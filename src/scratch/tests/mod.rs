//! Scratches of real repositories, looked at by the real git.
#![expect(
    clippy::disallowed_methods,
    reason = "tests make trees and ask git about them"
)]

mod changes;
mod land;
mod patch;
mod snapshot;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use super::snapshot::store;
use super::{ChangeSet, Plan, Scratch, ScratchError, create};
use crate::path::RepoPath;
use crate::repo::{self, Globs, Named, Repository, ScanOptions};

const THREADS: NonZeroUsize = NonZeroUsize::new(2).unwrap();

fn path(text: impl AsRef<[u8]>) -> RepoPath {
    RepoPath::parse(text.as_ref()).unwrap()
}

/// A folder that holds a repository, its scratch, and what stands beside them.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("repo")).unwrap();
        Self { folder }
    }

    /// A repository with one commit of a few files.
    fn with_commit() -> Self {
        let place = Self::new()
            .file("a.txt", "one\ntwo\nthree\n")
            .file("src/main.rs", "fn main() {}\n")
            .file("src/deep/x.rs", "x\n")
            .file("old/only.txt", "only\n");
        place.git(&["init", "-q", "-b", "trunk"]);
        place.git(&["add", "-A"]);
        place.git(&["commit", "-q", "-m", "first"]);
        place
    }

    fn beside(&self, name: &str) -> PathBuf {
        // Resolved, for the system's temporary folder may be a link.
        self.folder.path().canonicalize().unwrap().join(name)
    }

    fn root(&self) -> PathBuf {
        self.beside("repo")
    }

    /// Writes a file of the repository, an hour old, as files that somebody works on mostly are.
    fn file(self, name: impl AsRef<[u8]>, contents: impl AsRef<[u8]>) -> Self {
        write(&self.root(), name, contents);
        self
    }

    fn git(&self, args: &[&str]) -> String {
        git(&self.root(), args)
    }

    fn open(&self) -> Repository {
        repo::open(&self.root(), &[]).unwrap().0
    }

    fn try_scratch(&self, carried: &[&str]) -> Result<Scratch, ScratchError> {
        let repository = self.open();
        let carried: Vec<_> = carried.iter().map(path).collect();
        create(&Plan {
            repository: &repository,
            source: &repository.root,
            candidates: &candidates(&repository),
            carried: &carried,
            folder: &self.beside("scratch"),
            seconds: 1_700_000_000,
            threads: THREADS,
        })
    }

    fn scratch(&self) -> Scratch {
        self.try_scratch(&[]).unwrap()
    }

    fn changes(&self, scratch: &Scratch) -> ChangeSet {
        scratch.changes(&self.open(), &[], THREADS).unwrap()
    }
}

fn candidates(repository: &Repository) -> Vec<repo::Candidate> {
    let options = ScanOptions {
        named: &[Named::Everything],
        globs: &Globs::parse(&[], &[]).unwrap(),
        outputs: &[],
        our_heads: &[],
        threads: THREADS,
    };
    repo::scan(repository, &options).candidates
}

fn write(root: &Path, name: impl AsRef<[u8]>, contents: impl AsRef<[u8]>) {
    let path = root.join(OsStr::from_bytes(name.as_ref()));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, contents).unwrap();
    let hour = SystemTime::now() - Duration::from_hours(1);
    std::fs::File::options()
        .append(true)
        .open(&path)
        .unwrap()
        .set_modified(hour)
        .unwrap();
}

fn set_mode(path: impl AsRef<Path>, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.invalid"])
        .args(args)
        .current_dir(folder)
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Everything in a folder, `.git` and times of files included, by path.
fn everything(folder: &Path) -> BTreeMap<PathBuf, (u32, Option<SystemTime>, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let (time, contents) = if meta.is_dir() {
                folders.push(path.clone());
                (None, Vec::new())
            } else if meta.is_symlink() {
                let target = path.read_link().unwrap();
                (
                    Some(meta.modified().unwrap()),
                    target.as_os_str().as_bytes().to_vec(),
                )
            } else if meta.is_file() {
                (
                    Some(meta.modified().unwrap()),
                    std::fs::read(&path).unwrap(),
                )
            } else {
                (None, Vec::new())
            };
            found.insert(path, (meta.mode(), time, contents));
        }
    }
    found
}

/// The files and links of a tree but for `.git`: whether each may be executed, and what it holds.
fn files(folder: &Path) -> BTreeMap<Vec<u8>, (char, Vec<u8>)> {
    let all = everything(folder)
        .into_iter()
        .filter_map(|(path, (mode, _, contents))| {
            let name = path.strip_prefix(folder).unwrap();
            let kind = match mode & 0o170_000 {
                0o120_000 => 'l',
                0o100_000 if mode & 0o100 != 0 => 'x',
                0o100_000 => 'f',
                _ => return None,
            };
            (!name.starts_with(".git"))
                .then(|| (name.as_os_str().as_bytes().to_vec(), (kind, contents)))
        });
    all.collect()
}
