//! What the process finds round it: folders, and the user's own files.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;

use super::exit::usage;
use crate::agent::Agents;
use crate::flow::rate::STAGGER;
use crate::fs::{self, SystemKind};
use crate::model::Catalogue;
use crate::repo::Globs;
use crate::run::Run;
use crate::text_cache::TextCache;

/// What the process finds round it.
pub(super) struct Environment {
    /// The folder that relative paths start from.
    pub(super) directory: PathBuf,
    /// Where the user's own files are; none without a home.
    config: Option<PathBuf>,
    /// Where files are that can be made again; none without a home.
    cache: Option<PathBuf>,
    /// What followed the name of the program.
    pub(super) arguments: Vec<OsString>,
    /// The folder of the run that is done again from its answers, if one is.
    pub(super) replayed: Option<PathBuf>,
    /// The run that is gone on with, until it is taken.
    resumed: Mutex<Option<Box<Run>>>,
}

/// The user's own catalogue of models, in the folder of the user's files.
const MODELS_FILE: &str = "models.toml";

/// The user's own agents, in the same folder.
const AGENTS_FILE: &str = "agents.toml";

/// The paths that no run of the user's changes, in the same folder.
const PROTECTED_FILE: &str = "protected.toml";

/// What was found out of texts, in the folder of what can be made again.
const TEXTS: &str = "texts";

/// What is in that file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Protected {
    /// Globs, from the root of a repository.
    paths: Vec<String>,
}

/// The user's own files are small.
const MAX_OWN_BYTES: u64 = 4 << 20;

impl Environment {
    /// Reads the environment; `directory` takes the place of the working directory.
    pub(super) fn read(directory: Option<&Path>) -> anyhow::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
        let (here, variable) = (std::env::current_dir(), |name: &str| {
            std::env::var_os(name).filter(|value| !value.is_empty())
        });
        let mut here = here.context("cannot tell the working directory")?;
        if let Some(directory) = directory {
            here.push(directory);
            match fs::kind(&here)? {
                SystemKind::Folder => {}
                SystemKind::Missing => {
                    return Err(usage(
                        format!("no such folder: `{}`", directory.display()),
                        "give `-C` a folder that exists",
                    ));
                }
                SystemKind::File | SystemKind::Special => {
                    return Err(usage(
                        format!(
                            "`{}` is a file, not a repository's folder",
                            directory.display()
                        ),
                        "give `-C` the folder that holds it",
                    ));
                }
            }
        }
        // A relative one would lead into whatever repository we are in.
        let place = |name: &str| {
            let folder = variable(name).map(PathBuf::from);
            folder.filter(|folder| folder.is_absolute())
        };
        let in_home = |name: &str| Some(place("HOME")?.join(name));
        let config = place("XDG_CONFIG_HOME").or_else(|| in_home(".config"));
        let cache = place("XDG_CACHE_HOME").or_else(|| in_home(".cache"));
        Ok(Self {
            directory: here,
            arguments: std::env::args_os().skip(1).collect(),
            replayed: None,
            resumed: Mutex::new(None),
            cache: cache.map(|folder| folder.join("twostep")),
            config: config.map(|folder| folder.join("twostep")),
        })
    }

    /// Returns the environment in which `run` was started, in `folder`, for it to be gone on with.
    pub(super) fn of_run(&self, run: Box<Run>, folder: PathBuf) -> Self {
        Self {
            directory: folder,
            config: self.config.clone(),
            cache: self.cache.clone(),
            arguments: Vec::new(),
            replayed: None,
            resumed: Mutex::new(Some(run)),
        }
    }

    /// Returns the environment in which the run in `first` is done again, in `folder`.
    pub(super) fn of_replay(&self, first: &Path, folder: PathBuf) -> Self {
        Self {
            directory: folder,
            config: self.config.clone(),
            cache: self.cache.clone(),
            arguments: Vec::new(),
            replayed: Some(first.to_owned()),
            resumed: Mutex::new(None),
        }
    }

    /// Returns the run that is gone on with, until it is taken.
    pub(super) fn resumed(&self) -> MutexGuard<'_, Option<Box<Run>>> {
        self.resumed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether a run is gone on with.
    pub(super) fn is_resuming(&self) -> bool {
        self.resumed().is_some()
    }

    /// Returns a path as the system takes it, from one as the user wrote it.
    pub(super) fn at(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }

    /// Returns the value of a variable.
    #[expect(clippy::unused_self, reason = "the environment is what is asked")]
    pub(super) fn variable(&self, name: &str) -> Option<OsString> {
        #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
        std::env::var_os(name)
    }

    /// Returns all variables.
    #[expect(clippy::unused_self, reason = "the environment is what is asked")]
    pub(super) fn variables(&self) -> Vec<(OsString, OsString)> {
        std::env::vars_os().collect()
    }

    /// Returns the time between the starts of two programs; in debug builds a test may set it, for its programs end at once.
    pub(super) fn stagger(&self) -> Duration {
        let set = self.variable("TWOSTEP_STAGGER_MS");
        let set = set.filter(|_| cfg!(debug_assertions));
        let set = set.and_then(|ms| ms.to_str()?.parse().ok());
        set.map_or(STAGGER, Duration::from_millis)
    }

    /// Returns the file of this program.
    #[expect(clippy::unused_self, reason = "the environment is what is asked")]
    pub(super) fn program(&self) -> anyhow::Result<PathBuf> {
        std::env::current_exe().context("cannot find our own program")
    }

    /// Returns the folder, made if it is not there, for what can be made again.
    pub(super) fn cache(&self) -> anyhow::Result<PathBuf> {
        let folder = self.cache.as_ref().ok_or_else(|| {
            usage(
                "neither HOME nor XDG_CACHE_HOME is an absolute path, where working copies would be made",
                "set XDG_CACHE_HOME to a folder outside of the repository",
            )
        })?;
        fs::make_private_folders(folder)?;
        Ok(fs::resolve(folder)?)
    }

    /// Returns what was found out of the texts of the repository at `root` before. Of one that holds the cache nothing is
    /// kept: it would be among its files.
    pub(super) fn text_cache(&self, root: &Path) -> TextCache {
        let folder = self.cache.as_ref().map(|folder| folder.join(TEXTS));
        let folder = folder.filter(|folder| !folder.starts_with(root));
        let build = || fs::stamp(&self.program().ok()?).ok();
        match (folder, build()) {
            (Some(folder), Some(build)) => TextCache::open(&folder, root, &build),
            _ => TextCache::default(),
        }
    }

    /// Returns a name for a run: when it begins, and what tells it from others of that second.
    #[expect(clippy::unused_self, reason = "clock and process are what is asked")]
    pub(super) fn run_id(&self) -> String {
        let now = jiff::Timestamp::now();
        let time = now.strftime("%Y%m%d-%H%M%S");
        let milliseconds = now.subsec_millisecond();
        format!("{time}-{milliseconds:03}-{:02x}", std::process::id() & 0xff)
    }

    /// Returns one of the user's own files, with its path, if it is there.
    pub(super) fn own_file(&self, name: &str) -> anyhow::Result<Option<(PathBuf, String)>> {
        let Some(path) = self.config.as_ref().map(|folder| folder.join(name)) else {
            return Ok(None);
        };
        if fs::kind(&path)? != SystemKind::File {
            return Ok(None);
        }
        let text = fs::read_text(&path, MAX_OWN_BYTES)?;
        Ok(Some((path, text)))
    }

    /// Writes one of the user's own files.
    pub(super) fn write_own(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let folder = self.config.as_ref().ok_or_else(|| {
            usage(
                "neither HOME nor XDG_CONFIG_HOME is an absolute path, where your own files would be",
                "set XDG_CONFIG_HOME to a folder outside of the repository",
            )
        })?;
        fs::make_private_folders(folder)?;
        Ok(fs::write_durable(&folder.join(name), text.as_bytes())?)
    }

    /// Returns where one of the user's own files is, if it is there.
    pub(super) fn own_path(&self, name: &str) -> Option<PathBuf> {
        let path = self.config.as_ref()?.join(name);
        let is_there = fs::kind(&path).is_ok_and(|kind| kind != SystemKind::Missing);
        is_there.then_some(path)
    }

    /// Returns the built-in models and those of the user.
    pub(super) fn catalogue(&self) -> anyhow::Result<Catalogue> {
        let mut catalogue = Catalogue::built_in();
        if let Some((path, text)) = self.own_file(MODELS_FILE)? {
            catalogue
                .extend(&text)
                .with_context(|| format!("cannot use your models in `{}`", path.display()))?;
        }
        Ok(catalogue)
    }

    /// Returns what no run changes, as the user says; none if nothing is said.
    pub(super) fn protected(&self) -> anyhow::Result<Option<Globs>> {
        let Some((path, text)) = self.own_file(PROTECTED_FILE)? else {
            return Ok(None);
        };
        let attempt = || format!("cannot use your protected paths in `{}`", path.display());
        let Protected { paths } = toml::from_str(&text).with_context(attempt)?;
        if paths.is_empty() {
            return Ok(None);
        }
        let home = self.variable("HOME").map(PathBuf::from);
        let tops = [Some(self.directory.clone()), home];
        let tops: Vec<PathBuf> = tops.into_iter().flatten().collect();
        for glob in &paths {
            if let Some(why) = protects_nothing(glob, &tops) {
                return Err(usage(
                    format!("`{glob}` in `{}` protects nothing: {why}", path.display()),
                    "write globs as they are seen from the root of a repository, such as `/secrets/**` or `*.pem`",
                ));
            }
        }
        Globs::parse(&paths, &[]).map(Some).with_context(attempt)
    }

    /// Returns the built-in agents and those of the user.
    pub(super) fn agents(&self) -> anyhow::Result<Agents> {
        let mut agents = Agents::built_in();
        if let Some((path, text)) = self.own_file(AGENTS_FILE)? {
            agents
                .extend(&text)
                .with_context(|| format!("cannot use your agents in `{}`", path.display()))?;
        }
        Ok(agents)
    }
}

/// Says why a glob can match no file of a repository that is in one of `tops`, or is above it.
fn protects_nothing(glob: &str, tops: &[PathBuf]) -> Option<&'static str> {
    let is_place = |top: &PathBuf| top.components().count() > 2 && Path::new(glob).starts_with(top);
    if glob.trim().is_empty() {
        Some("it is empty")
    } else if glob.trim() != glob {
        Some("it begins or ends with white space")
    } else if glob.starts_with('!') {
        Some("`!` takes away, and there is nothing to take away from")
    } else if glob.contains('\\') {
        Some("folders end with `/`")
    } else if glob.starts_with('~') || tops.iter().any(is_place) {
        Some("it is a place on this machine")
    } else {
        None
    }
}

/// Returns the time, in milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}

/// Returns how many threads to use: as asked, else as many as there are processors.
pub(super) fn threads(asked: Option<NonZeroUsize>) -> NonZeroUsize {
    asked
        .or_else(|| std::thread::available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_that_can_match_nothing_is_found() {
        let tops = ["/", "/home/me", "/srv/repo"].map(PathBuf::from);
        for (glob, expected) in [
            ("*.pem", false),
            ("/secrets/**", false),
            ("/home/**", false),
            ("a b.txt", false),
            ("[!a].rs", false),
            ("!*.pem", true),
            (" *.pem", true),
            ("*.pem ", true),
            ("", true),
            ("secrets\\*", true),
            ("~/x", true),
            ("/home/me/x/*.pem", true),
            ("/srv/repo/secrets/**", true),
        ] {
            let found = protects_nothing(glob, &tops);
            assert_eq!(found.is_some(), expected, "{glob}: {found:?}");
        }
    }
}
