//! The environment of agent programs: the variables that they get, and where they may write.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::program::{Program, ProgramKind};
use super::workplace::home_for;
use super::{Call, May, Setting};
use crate::fs::{self, FsError};

/// Variables by which networks, certificates and terminals are set up; every agent gets them.
const COMMON: &[&str] = &[
    "ALL_PROXY",
    "COLORTERM",
    "CURL_CA_BUNDLE",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "LANGUAGE",
    "LOGNAME",
    "NODE_EXTRA_CA_CERTS",
    "NO_PROXY",
    "PATH",
    "REQUESTS_CA_BUNDLE",
    "SHELL",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERM",
    "TZ",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// How the names of variables with keys of model vendors begin or end; checks get none of them.
const KEY_STARTS: &[&str] = &[
    "ANTHROPIC_",
    "CLAUDE_CODE_OAUTH",
    "CODEX_",
    "GEMINI_",
    "OPENAI_",
];
const KEYS: &[&str] = &[
    "AZURE_OPENAI_API_KEY",
    "COHERE_API_KEY",
    "DEEPSEEK_API_KEY",
    "GOOGLE_API_KEY",
    "GROQ_API_KEY",
    "HF_TOKEN",
    "MISTRAL_API_KEY",
    "OPENROUTER_API_KEY",
    "PERPLEXITY_API_KEY",
    "TOGETHER_API_KEY",
    "XAI_API_KEY",
];

/// Returns what a program gets of the user's environment to tell its version: what all get, and no key.
pub(super) fn bare_environment(
    kind: ProgramKind,
    variables: &[(OsString, OsString)],
    temporary: &Path,
) -> Vec<(OsString, OsString)> {
    let is_common = |name: &OsStr| {
        let text = name.to_string_lossy();
        COMMON.contains(&text.as_ref()) || text.starts_with("LC_")
    };
    let common = variables.iter().filter(|(name, _)| is_common(name));
    let set = kind.settings().iter();
    let set = set.map(|(name, value)| (name.into(), value.into()));
    let place = ("TMPDIR".into(), temporary.into());
    common.cloned().chain(set).chain([place]).collect()
}

/// Returns the environment that every agent gets: what networks and terminals need, what the user lent, and what `passes`
/// by its name.
pub(super) fn environment(
    setting: &Setting<'_>,
    passes: &dyn Fn(&str) -> bool,
) -> Vec<(OsString, OsString)> {
    let is_given = |name: &OsStr| {
        let text = name.to_string_lossy();
        COMMON.contains(&text.as_ref())
            || text.starts_with("LC_")
            || passes(&text)
            || setting.lent.iter().any(|lent| lent == name)
    };
    let given = setting.variables.iter();
    let given = given.filter(|(name, _)| is_given(name) && name != "TMPDIR");
    let temporary = ("TMPDIR".into(), setting.temporary.into());
    given.cloned().chain([temporary]).collect()
}

/// Returns where an executor may write: its folder, what its program must keep in its home `own`, and caches that builds
/// and tests use. Never in the user's tree, nor where settings are that make a program run others.
pub(super) fn writable(
    own: impl Iterator<Item = PathBuf>,
    call: &Call<'_>,
    setting: &Setting<'_>,
) -> Vec<PathBuf> {
    let home = setting.path("HOME").unwrap_or_default();
    let cache = setting
        .path("XDG_CACHE_HOME")
        .unwrap_or_else(|| home.join(".cache"));
    let mut places = vec![call.folder.to_owned(), setting.temporary.to_owned()];
    places.extend(own);
    places.extend(CACHES.iter().map(|name| cache.join(name)));
    places.extend(HOME_CACHES.iter().map(|name| home.join(name)));
    places.retain(|place| {
        place.is_absolute()
            && !place.starts_with(setting.protected)
            && !setting.protected.starts_with(place)
    });
    places
}

impl Program {
    pub(super) fn environment(
        &self,
        call: &Call<'_>,
        setting: &Setting<'_>,
    ) -> Result<Vec<(OsString, OsString)>, FsError> {
        let own = self.kind.variables();
        let passes = |name: &str| own.iter().any(|start| name.starts_with(start));
        let mut all = environment(setting, &passes);
        let mut set = |name: &str, value: OsString| {
            all.retain(|(known, _)| known != name);
            all.push((name.into(), value));
        };
        for (name, value) in self.kind.settings() {
            set(name, value.into());
        }
        if call.may != May::Answer && self.kind == ProgramKind::Gemini {
            set("GEMINI_CLI_HOME", home_for(call.folder).into());
        }
        if call.may != May::Answer && self.kind == ProgramKind::Claude {
            // What it sources before each command that it runs.
            let file = setting.temporary.join("no-keys");
            fs::write_durable(&file, NO_KEYS.as_bytes())?;
            set("CLAUDE_ENV_FILE", file.into());
        }
        Ok(all)
    }

    /// Returns where it may write as an executor.
    pub(super) fn writable(
        &self,
        call: &Call<'_>,
        setting: &Setting<'_>,
    ) -> Result<Vec<PathBuf>, FsError> {
        let home = setting.path("HOME").unwrap_or_default();
        let own = match (self.kind, call.may) {
            (ProgramKind::Gemini, May::Edit { .. }) => home_for(call.folder),
            (ProgramKind::Gemini, May::Answer) => setting.path("GEMINI_CLI_HOME").unwrap_or(home),
            (ProgramKind::Claude, _) => setting
                .path("CLAUDE_CONFIG_DIR")
                .unwrap_or_else(|| home.join(".claude")),
            (ProgramKind::Codex, _) => setting
                .path("CODEX_HOME")
                .unwrap_or_else(|| home.join(".codex")),
        };
        let (folder, file) = self.kind.keeps();
        let folder = own.join(folder);
        if folder.is_absolute() {
            // What is not there cannot be let through, and the program would make it.
            fs::make_private_folders(&folder)?;
        }
        let keeps = std::iter::once(folder).chain(file.map(|name| own.join(name)));
        Ok(writable(keeps, call, setting))
    }
}

/// Folders of a user's cache in which build tools keep what they can make again.
const CACHES: &[&str] = &[
    "bazel", "ccache", "deno", "go-build", "node", "pip", "pnpm", "pypoetry", "sccache", "uv",
    "yarn",
];

/// The same, where tools have folders of their own in a home.
const HOME_CACHES: &[&str] = &[
    ".cargo/git",
    ".cargo/registry",
    ".gradle/caches",
    ".m2/repository",
    ".npm/_cacache",
    "Library/Caches/go-build",
    "go/pkg",
];

/// Hides the keys from the commands that claude runs.
const NO_KEYS: &str = "unset ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN CLAUDE_CODE_OAUTH_TOKEN\n";

/// Variables by which git is told where its files are: in a scratch they would lead it to the user's.
const GIT_PLACES: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Returns the environment of a check: the user's, without the keys of model vendors and what leads git elsewhere.
pub fn check_environment(variables: &[(OsString, OsString)]) -> Vec<(OsString, OsString)> {
    let is_key = |name: &OsStr| {
        let text = name.to_string_lossy();
        KEYS.contains(&text.as_ref())
            || KEY_STARTS.iter().any(|start| text.starts_with(start))
            || GIT_PLACES.contains(&text.as_ref())
    };
    variables
        .iter()
        .filter(|(name, _)| !is_key(name))
        .cloned()
        .collect()
}
