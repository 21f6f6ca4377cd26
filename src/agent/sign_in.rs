//! How a program is signed in, as far as names of variables and files tell: no key is kept, and nobody is asked.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::program::ProgramKind;
use crate::fs::{self, SystemKind};

/// One way by which a program could sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignIn {
    /// What pays for a call.
    pub way: Way,
    /// The name of the variable, or the file.
    pub by: String,
}

/// What pays for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A log-in, often a subscription.
    LogIn,
    /// A key, billed by the token.
    Key,
}

impl Way {
    /// Says it for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::LogIn => "log-in (subscription)",
            Self::Key => "key (billed by the token)",
        }
    }
}

/// No settings are larger.
const MAX_SETTINGS_BYTES: u64 = 1 << 20;

/// What the settings of gemini say where the user logged in.
const LOGGED_IN: &str = "oauth-personal";

impl ProgramKind {
    /// Returns the ways by which it could sign in with the user's `variables`; the first is the one that it takes.
    pub fn sign_ins(self, variables: &[(OsString, OsString)]) -> Vec<SignIn> {
        let user = User(variables);
        let keys = |names: &[&str]| -> Vec<SignIn> {
            let set = names.iter().filter(|name| user.has(name));
            set.map(|name| SignIn {
                way: Way::Key,
                by: (*name).to_owned(),
            })
            .collect()
        };
        match self {
            Self::Gemini => {
                let home = user.place(&["GEMINI_CLI_HOME", "HOME"]).join(".gemini");
                let log_in = file(&home.join("oauth_creds.json"));
                let keys = keys(&[
                    "GOOGLE_GENAI_USE_VERTEXAI",
                    "GEMINI_API_KEY",
                    "GOOGLE_API_KEY",
                ]);
                let settings: Option<Value> =
                    fs::read_json(&home.join("settings.json"), MAX_SETTINGS_BYTES).ok();
                let chosen = settings
                    .as_ref()
                    .and_then(|settings| settings.pointer("/security/auth/selectedType")?.as_str());
                // With a base URL we choose the key for it.
                if chosen == Some(LOGGED_IN) && !user.has("GOOGLE_GEMINI_BASE_URL") {
                    log_in.into_iter().chain(keys).collect()
                } else {
                    keys.into_iter().chain(log_in).collect()
                }
            }
            Self::Claude => {
                let home = match user.place(&["CLAUDE_CONFIG_DIR"]) {
                    none if none.as_os_str().is_empty() => user.place(&["HOME"]).join(".claude"),
                    own => own,
                };
                let token = user.has("CLAUDE_CODE_OAUTH_TOKEN").then(|| SignIn {
                    way: Way::LogIn,
                    by: "CLAUDE_CODE_OAUTH_TOKEN".to_owned(),
                });
                let keys = keys(&[
                    "CLAUDE_CODE_USE_BEDROCK",
                    "CLAUDE_CODE_USE_VERTEX",
                    "ANTHROPIC_AUTH_TOKEN",
                    "ANTHROPIC_API_KEY",
                ]);
                let log_in = file(&home.join(".credentials.json"));
                keys.into_iter().chain(token).chain(log_in).collect()
            }
            Self::Codex => {
                let home = match user.place(&["CODEX_HOME"]) {
                    none if none.as_os_str().is_empty() => user.place(&["HOME"]).join(".codex"),
                    own => own,
                };
                let auth = home.join("auth.json");
                let kept = file(&auth).map(|kept| SignIn {
                    way: codex_way(&auth),
                    ..kept
                });
                keys(&["CODEX_API_KEY"]).into_iter().chain(kept).collect()
            }
        }
    }

    /// Says whether it may be signed in where we cannot look.
    pub fn has_keychain(self) -> bool {
        cfg!(target_os = "macos") && self == Self::Claude
    }

    /// Returns how to sign in.
    pub fn how_to_sign_in(self) -> &'static str {
        match self {
            Self::Gemini => "run `gemini` once and log in, or set GEMINI_API_KEY",
            Self::Claude => "run `claude` once and log in, or set ANTHROPIC_API_KEY",
            Self::Codex => "run `codex login`, or set CODEX_API_KEY",
        }
    }

    /// Returns a variable that is set and that it passes over, unlike what one would think.
    pub fn ignored_key(self, variables: &[(OsString, OsString)]) -> Option<&'static str> {
        let name = "OPENAI_API_KEY";
        (self == Self::Codex && User(variables).has(name)).then_some(name)
    }
}

/// The user's environment.
struct User<'a>(&'a [(OsString, OsString)]);

impl User<'_> {
    fn has(&self, name: &str) -> bool {
        let mut all = self.0.iter();
        all.any(|(known, value)| known == name && !value.is_empty())
    }

    /// Returns the path that the first of these variables holds that is set.
    fn place(&self, names: &[&str]) -> PathBuf {
        let value = |name: &&str| {
            let found = self.0.iter().find(|(known, _)| known == *name)?;
            Some(PathBuf::from(&found.1)).filter(|path| !path.as_os_str().is_empty())
        };
        names.iter().find_map(value).unwrap_or_default()
    }
}

fn file(path: &Path) -> Option<SignIn> {
    let is_there = path.is_absolute() && fs::kind(path).is_ok_and(|kind| kind == SystemKind::File);
    is_there.then(|| SignIn {
        way: Way::LogIn,
        by: path.display().to_string(),
    })
}

/// Returns what pays by the file in which codex keeps how the user signed in: a log-in or a key.
fn codex_way(auth: &Path) -> Way {
    let auth: Value = fs::read_json(auth, MAX_SETTINGS_BYTES).unwrap_or_default();
    let text = |name: &str| auth.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("auth_mode") == "apikey" || !text("OPENAI_API_KEY").is_empty() {
        Way::Key
    } else {
        Way::LogIn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_codex_keeps_is_a_log_in_or_a_key() {
        let home = tempfile::tempdir().unwrap();
        let auth = home.path().join("auth.json");
        let variables = [("CODEX_HOME".into(), home.path().into())];
        assert_eq!(ProgramKind::Codex.sign_ins(&variables), []);
        for (kept, way) in [
            (r#"{"auth_mode": "chatgpt", "tokens": {}}"#, Way::LogIn),
            (r#"{"OPENAI_API_KEY": null, "tokens": {}}"#, Way::LogIn),
            (r#"{"OPENAI_API_KEY": ""}"#, Way::LogIn),
            ("{}", Way::LogIn),
            ("no JSON", Way::LogIn),
            (r#"{"auth_mode": "apikey"}"#, Way::Key),
            (r#"{"OPENAI_API_KEY": "key"}"#, Way::Key),
            (
                r#"{"auth_mode": "apikey", "OPENAI_API_KEY": "key"}"#,
                Way::Key,
            ),
        ] {
            fs::write_durable(&auth, kept.as_bytes()).unwrap();
            let by = auth.display().to_string();
            let expected = [SignIn { way, by }];
            assert_eq!(ProgramKind::Codex.sign_ins(&variables), expected, "{kept}");
        }
    }
}
