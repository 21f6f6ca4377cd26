//! What is done with secrets, and which the user lets through.

use std::ffi::OsString;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde::Deserialize;

use super::environment::Environment;
use crate::flow::redact::{Redactor, SecretsMode};
use crate::secrets::{Allow, Scanner};

/// What is done with secrets.
#[derive(Args, Debug, Clone, Copy)]
pub(super) struct SecretsArgs {
    /// What to do with secrets; exceptions stand in `~/.config/twostep/secrets.toml`
    #[arg(long, value_enum, value_name = "HOW", default_value_t = How::Redact)]
    secrets: How,
}

/// What is done with a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum How {
    /// Put a placeholder in the place of each
    Redact,
    /// Only list the files that hold one
    Exclude,
    /// Stop, and tell where they are
    Fail,
    /// Do not look for them
    Off,
}

/// The user's own exceptions, in the folder of the user's files.
const SECRETS_FILE: &str = "secrets.toml";

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SecretsFile {
    allow: AllowRows,
}

/// What is let through.
#[derive(Debug, Default, Deserialize)]
#[serde(
    default,
    deny_unknown_fields,
    expecting = "a table with `rules`, `paths` and `values`"
)]
struct AllowRows {
    /// Names of rules.
    rules: Vec<String>,
    /// Globs of paths.
    paths: Vec<String>,
    /// Hashes of values.
    values: Vec<String>,
}

impl SecretsArgs {
    /// Makes what keeps secrets out of what is made.
    pub(super) fn redactor(self, environment: &Environment) -> anyhow::Result<Arc<Redactor>> {
        let mode = match self.secrets {
            How::Redact => SecretsMode::Redact,
            How::Exclude => SecretsMode::Exclude,
            How::Fail => SecretsMode::Fail,
            How::Off => return Ok(Arc::new(Redactor::off())),
        };
        let mut allow = Allow::default();
        if let Some((path, text)) = environment.own_file(SECRETS_FILE)? {
            let attempt = || format!("cannot use your exceptions in `{}`", path.display());
            let rows = toml::from_str::<SecretsFile>(&text)
                .with_context(attempt)?
                .allow;
            allow = Allow::parse(&rows.rules, &rows.paths, &rows.values).with_context(attempt)?;
        }
        let values = environment
            .variables()
            .into_iter()
            .filter_map(secret_variable);
        let scanner = Scanner::new(allow).with_values(values.collect());
        Ok(Arc::new(Redactor::new(mode, scanner)))
    }
}

/// Says whether the user's exceptions can be used.
///
/// # Errors
///
/// Fails if they cannot.
pub(super) fn check_own_file(environment: &Environment) -> anyhow::Result<()> {
    let secrets = How::Redact;
    SecretsArgs { secrets }.redactor(environment).map(drop)
}

/// No value that is shorter is taken for a secret that stands anywhere: it would be a word of everybody's.
const MIN_VALUE: usize = 8;

/// Returns the values of `variables` that may be secret: by their names, by their form, or for they are random.
pub(super) fn secret_values(variables: Vec<(OsString, OsString)>) -> Vec<String> {
    let scanner = Scanner::new(Allow::default());
    let is_found =
        |name: &str, value: &str| !scanner.find("", &format!("{name}={value}")).is_empty();
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    let is_secret = |(name, value): &(String, String)| {
        value.len() >= MIN_VALUE
            && !value.starts_with('/')
            && (is_secret_name(name) || is_found(name, value) || is_found(ANY_SECRET, value))
    };
    let all = variables.into_iter().filter_map(text).filter(is_secret);
    all.map(|(_, value)| value).collect()
}

/// A name by which every value counts that is random enough.
const ANY_SECRET: &str = "secret_key";

/// What the name of a variable holds whose value is secret.
const SECRET_WORDS: &[&str] = &["KEY", "TOKEN", "SECRET", "PASSWORD"];

/// Returns a variable if its name says that its value is secret; a path is the name of a file, and none.
fn secret_variable((name, value): (OsString, OsString)) -> Option<(String, String)> {
    let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
    let is_secret = is_secret_name(&name) && !value.starts_with('/');
    is_secret.then_some((name, value))
}

fn is_secret_name(name: &str) -> bool {
    let upper = name.to_uppercase();
    SECRET_WORDS.iter().any(|word| upper.contains(word))
}
