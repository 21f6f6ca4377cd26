//! What the user's own configuration lets through.
//!
//! Nothing that is scanned can add to it.

use crate::alike;
use crate::fs::Hash;

use super::rules::Rules;
use super::{ENVIRONMENT, Finding};

/// The fewest digits of a hash that stand for one value.
const MIN_HASH_DIGITS: usize = 16;

/// Rules, files and values that are let through.
#[derive(Debug, Clone, Default)]
pub struct Allow {
    rules: Vec<String>,
    paths: Vec<String>,
    hashes: Vec<String>,
}

/// An exception that has no meaning.
#[derive(Debug, thiserror::Error)]
pub enum InvalidAllow {
    /// No rule has this name.
    #[error("no rule of secrets is called `{id}`")]
    Rule {
        /// What was asked for.
        id: String,
        /// The rule that is called most like it.
        nearest: Option<String>,
    },
    /// It is no BLAKE3 hash, or too short a part of one.
    #[error(
        "`{0}` is no BLAKE3 hash of a value, nor its first {MIN_HASH_DIGITS} hexadecimal digits or more"
    )]
    Hash(String),
    /// It matches nothing, or not what it seems to.
    #[error(
        "`{0}` is no glob of paths, which are names, `*`, `**` and `?` with `/` between them, as in `tests/**`"
    )]
    Path(String),
}

impl Allow {
    /// Takes ids of rules, globs of paths (`*`, `**`, `?`; without a slash, of file names), and hashes of values
    /// as [`struct@Hash`] writes them, or their first digits.
    ///
    /// # Errors
    ///
    /// Fails on what is no rule, no glob or no hash.
    pub fn parse(
        rules: &[String],
        paths: &[String],
        hashes: &[String],
    ) -> Result<Self, InvalidAllow> {
        let known = Rules::built_in();
        for id in rules {
            if !id.starts_with(ENVIRONMENT) && !known.all().any(|rule| *rule.id == **id) {
                return Err(InvalidAllow::Rule {
                    id: id.clone(),
                    nearest: alike::nearest(id, known.all().map(|rule| &*rule.id))
                        .map(str::to_owned),
                });
            }
        }
        if let Some(glob) = paths.iter().find(|glob| !is_glob(glob)) {
            return Err(InvalidAllow::Path(glob.clone()));
        }
        let digits = |hash: &String| {
            let digits = hash.trim_start_matches("blake3:").to_ascii_lowercase();
            let is_hash = (MIN_HASH_DIGITS..=64).contains(&digits.len())
                && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hash
                .then_some(digits)
                .ok_or_else(|| InvalidAllow::Hash(hash.clone()))
        };
        Ok(Self {
            rules: rules.to_vec(),
            paths: paths.to_vec(),
            hashes: hashes.iter().map(digits).collect::<Result<_, _>>()?,
        })
    }

    /// Says whether what was found in `text` is let through, wherever it stands.
    pub(super) fn takes(&self, finding: &Finding, text: &str) -> bool {
        if self.rules.iter().any(|rule| **rule == *finding.rule) {
            return true;
        }
        if self.hashes.is_empty() {
            return false;
        }
        let hash = Hash::of(text[finding.range.clone()].as_bytes()).to_string();
        let digits = hash.trim_start_matches("blake3:");
        self.hashes
            .iter()
            .any(|allowed| digits.starts_with(allowed))
    }

    /// Says whether a file may hold what it likes; the values of our own variables excepted.
    pub(super) fn takes_path(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.paths.iter().any(|glob| {
            let whole = if glob.contains('/') { path } else { name };
            is_match(glob.trim_start_matches('/').as_bytes(), whole.as_bytes())
        })
    }
}

/// Says whether a glob holds nothing that other globs know and these do not, and could match a path.
fn is_glob(glob: &str) -> bool {
    let is_name = |part: &str| !matches!(part, "" | "." | "..");
    let parts = glob.strip_prefix('/').unwrap_or(glob);
    !glob.starts_with('!')
        && !glob.contains(['[', ']', '{', '}', '\\'])
        && parts.split('/').all(is_name)
}

/// Matches a glob: `?` is one byte, `*` any but slashes, `**` any; `**/` may be nothing.
fn is_match(glob: &[u8], path: &[u8]) -> bool {
    // `reached[i]`: the part of the glob up to here matches the first `i` bytes of the path.
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    let mut rest = glob;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first == b'*' {
            let crosses = rest.first() == Some(&b'*');
            let may_be_nothing = reached.clone();
            if crosses {
                rest = &rest[1..];
            }
            for at in 0..path.len() {
                reached[at + 1] |= reached[at] && (crosses || path[at] != b'/');
            }
            if crosses && rest.first() == Some(&b'/') {
                rest = &rest[1..];
                let after_slash = |at: usize| at > 0 && reached[at - 1] && path[at - 1] == b'/';
                reached = (0..=path.len())
                    .map(|at| may_be_nothing[at] || after_slash(at))
                    .collect();
            }
            continue;
        }
        for at in (0..path.len()).rev() {
            let fits = first == path[at] || first == b'?' && path[at] != b'/';
            reached[at + 1] = reached[at] && fits;
        }
        reached[0] = false;
    }
    reached[path.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_paths_or_file_names() {
        for (glob, path, expected) in [
            ("*.pem", "a/b.pem", true),
            ("a/*.pem", "a/b.pem", true),
            ("a/*.pem", "a/c/b.pem", false),
            ("a/**", "a/c/b.pem", true),
            ("**/b.pem", "b.pem", true),
            ("**/b.pem", "a/c/b.pem", true),
            ("**/b.pem", "a/xb.pem", false),
            ("a/**/b.pem", "a/b.pem", true),
            ("/a/?.pem", "a/b.pem", true),
            ("a/?.pem", "a//.pem", false),
            ("a", "a/b", false),
            ("*", "a/b", true),
        ] {
            let allow = Allow::parse(&[], &[glob.to_owned()], &[]).unwrap();
            assert_eq!(allow.takes_path(path), expected, "{glob} {path}");
        }
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        let one = |text: &str| [text.to_owned()];
        assert!(Allow::parse(&one("environment-my-key"), &[], &[]).is_ok());
        for glob in [
            "", "!a", "a/[b].c", "*.{a,b}", "a\\*", "./a", "../a", "a//b", "a/",
        ] {
            let error = Allow::parse(&[], &one(glob), &[]).unwrap_err();
            let named = format!("`{glob}` is no glob of paths");
            assert!(error.to_string().starts_with(&named), "{error}");
        }
        assert!(Allow::parse(&[], &[], &one("0123456789abcde")).is_err());
        assert!(Allow::parse(&[], &[], &one("blake3:0123456789ABCDEF")).is_ok());
    }

    #[test]
    fn an_unknown_rule_brings_the_nearest() {
        for (id, expected) in [
            ("github-tokens", Some("github-token")),
            ("jwt", None),
            ("json_web_token", Some("json-web-token")),
            ("web-token", Some("json-web-token")),
            ("no-such", None),
        ] {
            match Allow::parse(&[id.to_owned()], &[], &[]) {
                Err(InvalidAllow::Rule { nearest, .. }) => {
                    assert_eq!(nearest.as_deref(), expected, "{id}");
                }
                other => panic!("{id}: {other:?}"),
            }
        }
    }
}
