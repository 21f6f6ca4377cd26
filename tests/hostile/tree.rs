//! Trees as they are made and read.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{FileType, Mode, OFlags};

/// What stands in a file outside, and must stand in no pack.
pub(super) const SECRET: &str = "OUTSIDE-SECRET";

/// What every script begins with.
const PRELUDE: &str = r#"
set -eu
put() { mkdir -p "$(dirname "./$1")"; printf '%b' "${2-x\n}" > "./$1"; }
git() { command git -c user.name=t -c user.email=t@example.invalid -c protocol.file.allow=always "$@"; }
"#;

/// A folder with a tree in it, and what is beside the tree: a home, and a folder outside.
pub(super) struct Tree {
    folder: PathBuf,
    /// Takes the folder away in the end.
    #[expect(dead_code, reason = "it is there to be dropped")]
    temporary: Option<tempfile::TempDir>,
}

impl Tree {
    pub(super) fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let tree = Self::at(temporary.path().to_owned());
        Self {
            temporary: Some(temporary),
            ..tree
        }
    }

    pub(super) fn at(folder: PathBuf) -> Self {
        let tree = Self {
            folder: folder.canonicalize().unwrap_or(folder),
            temporary: None,
        };
        for name in ["repo", "home", "outside"] {
            std::fs::create_dir_all(tree.beside(name)).unwrap();
        }
        tree.file("plain.txt", "plain\n");
        std::fs::write(tree.beside("outside/secret-name.txt"), SECRET).unwrap();
        tree
    }

    pub(super) fn root(&self) -> PathBuf {
        self.beside("repo")
    }

    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn file(&self, path: impl AsRef<[u8]>, bytes: impl AsRef<[u8]>) {
        let path = self.root().join(OsStr::from_bytes(path.as_ref()));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Runs a script in the root. `$OUT` is the folder outside, `$MARK` a file that nothing may make.
    pub(super) fn script(&self, script: &str) {
        let output = self
            .command("sh")
            .args(["-c", &(PRELUDE.to_owned() + script)])
            .output();
        let output = output.unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {stderr}");
    }

    /// A program in the root, with the environment of the tree.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.root())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.beside("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("OUT", self.beside("outside"))
            .env("MARK", self.mark());
        command
    }

    /// The file that is there if something planted ran.
    pub(super) fn mark(&self) -> PathBuf {
        self.beside("mark")
    }

    /// Makes a file behind so many folders that no call takes its path.
    pub(super) fn deep_file(&self, folders: &[&str], name: &str, bytes: &[u8]) {
        let mut folder = open(&self.root());
        for name in folders {
            let _ = rustix::fs::mkdirat(&folder, *name, Mode::RWXU);
            folder = open_at(&folder, name.as_bytes());
        }
        let flags = OFlags::WRONLY | OFlags::CREATE;
        let file = rustix::fs::openat(&folder, name, flags, Mode::RUSR).unwrap();
        std::io::Write::write_all(&mut std::fs::File::from(file), bytes).unwrap();
    }
}

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW);

fn open(path: &Path) -> OwnedFd {
    rustix::fs::open(path, FOLDER, Mode::empty()).unwrap()
}

fn open_at(folder: &OwnedFd, name: &[u8]) -> OwnedFd {
    rustix::fs::openat(folder, OsStr::from_bytes(name), FOLDER, Mode::empty()).unwrap()
}

/// Reads all regular files in a folder, however long their paths, but for huge ones and git's.
pub(super) fn files(folder: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut files = BTreeMap::new();
    collect(&open(folder), b"", &mut files);
    files
}

fn collect(folder: &OwnedFd, above: &[u8], files: &mut BTreeMap<Vec<u8>, Vec<u8>>) {
    for entry in rustix::fs::Dir::read_from(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_bytes();
        let path = [above, name].concat();
        match entry.file_type() {
            FileType::Directory if !matches!(name, b"." | b".." | b".git") => {
                let flags = FOLDER | OFlags::RDONLY;
                if let Ok(inner) =
                    rustix::fs::openat(folder, entry.file_name(), flags, Mode::empty())
                {
                    collect(&inner, &[&path[..], b"/"].concat(), files);
                }
            }
            FileType::RegularFile => {
                let file =
                    rustix::fs::openat(folder, entry.file_name(), OFlags::RDONLY, Mode::empty());
                let mut bytes = Vec::new();
                if let Ok(file) = file {
                    let _ = std::fs::File::from(file)
                        .take(20 << 20)
                        .read_to_end(&mut bytes);
                }
                files.insert(path, bytes);
            }
            _ => {}
        }
    }
}
