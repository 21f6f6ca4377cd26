//! What git is configured to do.
//!
//! Files are read as git reads them: the system's, the user's, the repository's, each with what it
//! includes, and after them what the environment says; of the same key the last counts. All are of a
//! sane size, and nothing waits for a pipe.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use gix::bstr::{BStr, BString, ByteSlice};
use gix::config::file::Metadata;
use gix::config::file::init::Options;

use super::folder::{GitFolder, as_path, told};
use super::glob::{Case, wildmatch};
use super::{GitError, ObjectFormat, PrivateRules, RuleFiles};
use crate::fs;
use crate::path::shown;

/// Configuration is what somebody wrote.
const MAX_BYTES: u64 = 16 << 20;

/// So many files are read; they include each other.
const MAX_FILES: usize = 200;

/// What anything of ours asks for.
const KEYS: &[&str] = &[
    "core.attributesfile",
    "core.autocrlf",
    "core.excludesfile",
    "core.filemode",
    "core.hookspath",
    "core.ignorecase",
    "core.symlinks",
    "extensions.objectformat",
    "extensions.worktreeconfig",
    "user.email",
    "user.name",
];

/// What was read.
pub(super) struct Config<'a> {
    git: Option<&'a GitFolder>,
    home: Option<PathBuf>,
    n_files: usize,
    /// The addresses that conditions are held against.
    known_remotes: Vec<BString>,
    /// The addresses of remotes that were found.
    remotes: Vec<BString>,
    /// Of [`KEYS`] those that are set; a switch may be without a value.
    values: BTreeMap<&'static str, Option<BString>>,
}

impl<'a> Config<'a> {
    /// Reads what holds in a repository.
    pub(super) fn of(git: &'a GitFolder) -> Result<Self, GitError> {
        Self::read(Some(git)).map_err(|why| git.error(why))
    }

    /// Reads what holds in a repository; without one, what holds for the user anywhere.
    ///
    /// # Errors
    ///
    /// Says which file is damaged.
    pub(super) fn read(git: Option<&'a GitFolder>) -> Result<Self, String> {
        let config = Self::read_knowing(git, Vec::new())?;
        if config.remotes.is_empty() {
            return Ok(config);
        }
        // What is included for a remote's address may stand before it.
        Self::read_knowing(git, config.remotes)
    }

    fn read_knowing(git: Option<&'a GitFolder>, remotes: Vec<BString>) -> Result<Self, String> {
        let mut config = Self {
            git,
            home: variable("HOME"),
            n_files: 0,
            known_remotes: remotes,
            remotes: Vec::new(),
            values: BTreeMap::new(),
        };
        if !is_set("GIT_CONFIG_NOSYSTEM") {
            let system = variable("GIT_CONFIG_SYSTEM").unwrap_or("/etc/gitconfig".into());
            config.read_file(&system)?;
        }
        match variable("GIT_CONFIG_GLOBAL") {
            Some(global) => config.read_file(&global)?,
            None => {
                for file in [config.users("config"), config.in_home(".gitconfig")] {
                    file.map_or(Ok(()), |file| config.read_file(&file))?;
                }
            }
        }
        if let Some(git) = git {
            config.read_file(&git.common.join("config"))?;
            if config.switch("extensions.worktreeconfig") == Some(true) {
                config.read_file(&git.own.join("config.worktree"))?;
            }
        }
        if variable("GIT_CONFIG_COUNT").is_some() {
            let named = gix::config::File::from_env(Options::default());
            let named = named.map_err(|error| format!("`GIT_CONFIG_COUNT` is damaged: {error}"))?;
            named.map_or(Ok(()), |named| config.take(None, &named))?;
        }
        Ok(config)
    }

    /// Returns the value of a key.
    pub(super) fn text(&self, key: &str) -> Option<&BStr> {
        self.values.get(key)?.as_ref().map(|value| value.as_bstr())
    }

    /// Says whether a switch is on or off, if somebody set it; one without a value is on.
    pub(super) fn switch(&self, key: &str) -> Option<bool> {
        let value = self.values.get(key)?.as_ref();
        Some(value.is_none_or(|value| is_on(value)))
    }

    /// Returns the file that a key names, or else that of the user's git; none if it is set to nothing.
    pub(super) fn file(&self, key: &str, otherwise: &str) -> Option<PathBuf> {
        match self.text(key) {
            None => self.users(otherwise),
            Some(value) => self
                .place(value)
                .filter(|path| !path.as_os_str().is_empty()),
        }
    }

    /// Returns how objects are named.
    pub(super) fn format(&self) -> ObjectFormat {
        match self.text("extensions.objectformat") {
            Some(name) if name.eq_ignore_ascii_case(b"sha256") => ObjectFormat::Sha256,
            _ => ObjectFormat::Sha1,
        }
    }

    /// Returns the files with ignore rules that are not in the tree at `top`.
    pub(super) fn rule_files(&self, top: &Path) -> RuleFiles {
        let exclude = self.git.map(|git| git.common.join("info/exclude"));
        let chosen = self.file("core.excludesfile", "ignore");
        let chosen = chosen.map(|path| top.join(path));
        RuleFiles {
            files: exclude.into_iter().chain(chosen).collect(),
            case: self.case(),
        }
    }

    /// Returns the folder with the hooks of the tree at `top`, where that is another than git's own.
    pub(super) fn hooks(&self, top: &Path) -> Option<PathBuf> {
        let place = self.place(self.text("core.hookspath")?);
        place.map(|path| top.join(path))
    }

    /// Reads the attribute rules that are not in the tree at `top`; what cannot be read says nothing.
    pub(super) fn attributes(&self, top: &Path) -> PrivateRules {
        let read = |path: PathBuf| fs::read_regular(&path, MAX_BYTES).unwrap_or_default();
        let is_asked = !is_set("GIT_ATTR_NOSYSTEM");
        let system = is_asked.then(|| PathBuf::from("/etc/gitattributes"));
        let users = self.file("core.attributesfile", "attributes");
        let users = users.map(|path| top.join(path));
        let own = self.git.map(|git| git.common.join("info/attributes"));
        PrivateRules {
            outside: system.into_iter().chain(users).map(read).collect(),
            own: own.map(read).unwrap_or_default(),
            case: self.case(),
        }
    }

    /// Says whether rules match in any case.
    pub(super) fn case(&self) -> Case {
        if self.switch("core.ignorecase") == Some(true) {
            Case::Any
        } else {
            Case::Exact
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

    fn read_file(&mut self, path: &Path) -> Result<(), String> {
        self.n_files += 1;
        if self.n_files > MAX_FILES {
            return Err(format!("`{}` is included once too often", shown(path)));
        }
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
        let file =
            gix::config::File::from_bytes_no_includes(&bytes, Metadata::api(), Options::default())
                .map_err(|error| format!("`{}` is damaged: {error}", shown(path)))?;
        self.take(path.parent(), &file)
    }

    /// Takes over what a file in `folder` says, or the environment, which is in none.
    fn take(&mut self, folder: Option<&Path>, file: &gix::config::File) -> Result<(), String> {
        for section in file.sections() {
            let header = section.header();
            let name = header.name().to_str_lossy().to_ascii_lowercase();
            match (name.as_str(), header.subsection_name()) {
                ("include", None) => self.include(folder, &section.values("path"))?,
                ("includeif", Some(condition)) if self.holds(folder, condition) => {
                    self.include(folder, &section.values("path"))?;
                }
                ("remote", Some(_)) => self.remotes.extend(section.values("url")),
                (_, Some(_)) => {}
                (name, None) => {
                    let value = |key: &&'static str| {
                        let key = key.strip_prefix(name)?.strip_prefix('.')?;
                        section.value_implicit(key)
                    };
                    let found = KEYS.iter().filter_map(|key| Some((*key, value(key)?)));
                    self.values.extend(found);
                }
            }
        }
        Ok(())
    }

    /// Reads the files that one in `folder` includes.
    fn include(&mut self, folder: Option<&Path>, paths: &[BString]) -> Result<(), String> {
        for path in paths {
            let path = self.place(path).and_then(|path| beside(folder, path));
            path.map_or(Ok(()), |path| self.read_file(&path))?;
        }
        Ok(())
    }

    /// Returns the path that a value is; none if it is somebody else's home, which nobody asks for.
    fn place(&self, value: &[u8]) -> Option<PathBuf> {
        match value.strip_prefix(b"~/") {
            Some(rest) => self.in_home(as_path(rest)),
            None => (!value.starts_with(b"~")).then(|| as_path(value).to_owned()),
        }
    }

    /// Says whether the condition of an include in a file in `folder` holds.
    fn holds(&self, folder: Option<&Path>, condition: &[u8]) -> bool {
        if let Some(pattern) = condition.strip_prefix(b"hasconfig:remote.*.url:") {
            let mut remotes = self.known_remotes.iter();
            return remotes.any(|url| wildmatch(pattern, url, Case::Exact));
        }
        let Some(git) = self.git else {
            return false;
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
        let case = match kind {
            b"onbranch" => {
                let pattern = whole(pattern.to_vec());
                let branch = git.branch();
                return branch.is_some_and(|name| wildmatch(&pattern, &name, Case::Exact));
            }
            b"gitdir" => Case::Exact,
            b"gitdir/i" => Case::Any,
            _ => return false,
        };
        let pattern = match pattern.strip_prefix(b"./") {
            Some(rest) => beside(folder, as_path(rest).to_owned()),
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
        places.any(|place| wildmatch(&pattern, place.as_os_str().as_bytes(), case))
    }
}

/// Returns the path that a file in `folder` means; the environment, which is in none, cannot mean a relative one.
fn beside(folder: Option<&Path>, path: PathBuf) -> Option<PathBuf> {
    match folder {
        Some(folder) => Some(folder.join(path)),
        None => path.is_absolute().then_some(path),
    }
}

/// Says whether a value switches something on.
fn is_on(value: &[u8]) -> bool {
    let value = value.to_str_lossy().to_ascii_lowercase();
    matches!(value.as_str(), "true" | "yes" | "on")
        || value.parse().is_ok_and(|number: i64| number != 0)
}

/// Says whether a variable of the environment switches something on.
fn is_set(name: &str) -> bool {
    variable(name).is_some_and(|value| is_on(value.as_os_str().as_bytes()))
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
