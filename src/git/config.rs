//! What git is configured to do that says which files there are.
//!
//! Files are read as git reads them: the system's, the user's, the repository's, each with what it
//! includes; of the same key the last counts. All are of a sane size, and nothing waits for a pipe.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use gix::bstr::{BString, ByteSlice};
use gix::config::file::Metadata;
use gix::glob::wildmatch::Mode;

use super::RuleFiles;
use super::folder::{GitFolder, told};
use crate::fs;
use crate::path::shown;

/// Configuration is what somebody wrote.
const MAX_BYTES: u64 = 16 << 20;

/// As deep as git follows files that include others.
const MAX_DEPTH: usize = 10;

/// What was read.
#[derive(Default)]
pub(super) struct Config<'a> {
    git: Option<&'a GitFolder>,
    home: Option<PathBuf>,
    /// Not set, set to nothing, or set.
    excludes_file: Option<PathBuf>,
    ignore_case: bool,
    of_worktree: bool,
    /// Whether objects are named by SHA-256.
    pub(super) is_sha256: bool,
}

impl<'a> Config<'a> {
    /// Reads what holds in a repository; without one, what holds for the user anywhere.
    ///
    /// # Errors
    ///
    /// Says which file is damaged.
    pub(super) fn read(git: Option<&'a GitFolder>) -> Result<Self, String> {
        let mut config = Self {
            git,
            home: variable("HOME"),
            ..Self::default()
        };
        if variable("GIT_CONFIG_NOSYSTEM").is_none() {
            let system = variable("GIT_CONFIG_SYSTEM").unwrap_or("/etc/gitconfig".into());
            config.read_file(&system, 0)?;
        }
        match variable("GIT_CONFIG_GLOBAL") {
            Some(global) => config.read_file(&global, 0)?,
            None => {
                for file in [config.users("config"), config.in_home(".gitconfig")] {
                    file.map_or(Ok(()), |file| config.read_file(&file, 0))?;
                }
            }
        }
        if let Some(git) = git {
            config.read_file(&git.common.join("config"), 0)?;
            if config.of_worktree {
                config.read_file(&git.own.join("config.worktree"), 0)?;
            }
        }
        Ok(config)
    }

    /// Returns the files with ignore rules that are not in the tree at `top`.
    pub(super) fn rule_files(&self, top: Option<&Path>) -> RuleFiles {
        let exclude = self.git.map(|git| git.common.join("info/exclude"));
        let chosen = match &self.excludes_file {
            None => self.users("ignore"),
            Some(nothing) if nothing.as_os_str().is_empty() => None,
            Some(path) => Some(top.map_or(path.clone(), |top| top.join(path))),
        };
        RuleFiles {
            files: exclude.into_iter().chain(chosen).collect(),
            ignore_case: self.ignore_case,
        }
    }

    /// Returns a file of the user's git, where systems keep such.
    fn users(&self, name: &str) -> Option<PathBuf> {
        let folder = variable("XDG_CONFIG_HOME").or_else(|| self.in_home(".config"))?;
        Some(folder.join("git").join(name))
    }

    fn in_home(&self, path: impl AsRef<Path>) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join(path))
    }

    fn read_file(&mut self, path: &Path, depth: usize) -> Result<(), String> {
        let damaged = |why: &str| format!("`{}` is damaged: {why}", shown(path));
        let bytes = match fs::read_regular(path, MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(error) => {
                let missing = [
                    ErrorKind::NotFound,
                    ErrorKind::PermissionDenied,
                    ErrorKind::NotADirectory,
                ];
                return if missing.contains(&error.source.kind()) {
                    Ok(())
                } else {
                    Err(told(&error))
                };
            }
        };
        let file = gix::config::File::from_bytes_no_includes(
            &bytes,
            Metadata::api(),
            gix::config::file::init::Options::default(),
        )
        .map_err(|error| damaged(&error.to_string()))?;
        for section in file.sections() {
            let header = section.header();
            let name = header.name().to_str_lossy().to_ascii_lowercase();
            let condition = header.subsection_name();
            match (name.as_str(), condition) {
                ("core", None) => {
                    if let Some(value) = section.value("excludesFile") {
                        self.excludes_file = self.place(&value);
                    }
                    if let Some(value) = section.value_implicit("ignoreCase") {
                        self.ignore_case = is_on(value);
                    }
                }
                ("extensions", None) => {
                    if let Some(value) = section.value_implicit("worktreeConfig") {
                        self.of_worktree = is_on(value);
                    }
                    if let Some(format) = section.value("objectFormat") {
                        self.is_sha256 = format.eq_ignore_ascii_case(b"sha256");
                    }
                }
                ("include", None) => self.include(path, &section.values("path"), depth)?,
                ("includeif", Some(condition)) if self.holds(path, condition) => {
                    self.include(path, &section.values("path"), depth)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads the files that the one at `from` includes.
    fn include(&mut self, from: &Path, paths: &[BString], depth: usize) -> Result<(), String> {
        if depth == MAX_DEPTH {
            return Err(format!("`{}` is included by itself", shown(from)));
        }
        for path in paths {
            if let Some(path) = self.place(path) {
                let folder = from.parent().unwrap_or(Path::new("/"));
                self.read_file(&folder.join(path), depth + 1)?;
            }
        }
        Ok(())
    }

    /// Returns the path that a value is; none if it is somebody else's home, which nobody asks for.
    fn place(&self, value: &[u8]) -> Option<PathBuf> {
        let path = |bytes| Path::new(OsStr::from_bytes(bytes));
        match value.strip_prefix(b"~/") {
            Some(rest) => self.in_home(path(rest)),
            None => (!value.starts_with(b"~")).then(|| path(value).to_owned()),
        }
    }

    /// Says whether the condition of an include in the file at `from` holds.
    fn holds(&self, from: &Path, condition: &[u8]) -> bool {
        let Some(git) = self.git else {
            return false;
        };
        let matches = |pattern: &[u8], text: &[u8], mode: Mode| {
            let mode = mode | Mode::NO_MATCH_SLASH_LITERAL;
            gix::glob::wildmatch(pattern.as_bstr(), text.as_bstr(), mode)
        };
        let Some((kind, pattern)) = condition.split_once_str(b":") else {
            return false;
        };
        let whole = |mut pattern: Vec<u8>| {
            if pattern.ends_with(b"/") {
                pattern.extend(b"**");
            }
            pattern
        };
        let mode = match kind {
            b"onbranch" => {
                let pattern = whole(pattern.to_vec());
                let branch = git.branch();
                return branch
                    .is_some_and(|name| matches(&pattern, name.as_bytes(), Mode::empty()));
            }
            b"gitdir" => Mode::empty(),
            b"gitdir/i" => Mode::IGNORE_CASE,
            _ => return false,
        };
        let folder = from.parent().unwrap_or(Path::new("/"));
        let pattern = match pattern.strip_prefix(b"./") {
            Some(rest) => Some(folder.join(OsStr::from_bytes(rest))),
            None => self.place(pattern),
        };
        let Some(pattern) = pattern else {
            return false;
        };
        let anywhere: &[u8] = if pattern.is_absolute() { b"" } else { b"**/" };
        let pattern = whole([anywhere, pattern.as_os_str().as_bytes()].concat());
        let resolved = fs::resolve(&git.own);
        let places = [Some(git.own.clone()), resolved.ok()];
        let mut places = places.iter().flatten();
        places.any(|place| matches(&pattern, place.as_os_str().as_bytes(), mode))
    }
}

/// Says whether a switch is on; one without a value is.
fn is_on(value: Option<BString>) -> bool {
    value.is_none_or(|value| {
        let value = value.to_str_lossy().to_ascii_lowercase();
        matches!(value.as_str(), "true" | "yes" | "on")
            || value.parse().is_ok_and(|number: i64| number != 0)
    })
}

/// Returns a variable of the environment; git takes an empty one for none.
fn variable(name: &str) -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "where a user's git configuration is, git says so"
    )]
    let value = std::env::var_os(name)?;
    (!value.is_empty()).then(|| value.into())
}
