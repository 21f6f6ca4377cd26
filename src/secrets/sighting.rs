//! What is told of a secret: where it is, never what it is.

use std::fmt;

use serde::Serialize;

use super::{Finding, Scanner};
use crate::fs::Hash;

/// Where a secret was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sighting {
    /// The file, or what the text is called.
    pub place: String,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// The rule that found it.
    pub rule: String,
    /// What the rule finds, in words.
    pub what: String,
    /// The hash of the value, by which the user can let it through; told on request only, for it may help to guess.
    #[serde(skip)]
    pub hash: Hash,
}

impl fmt::Display for Sighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.place, self.line, self.rule)
    }
}

impl Scanner {
    /// Says where each of `findings` is in `text`, which is the file or other text called `place`.
    pub fn sightings(&self, findings: &[Finding], place: &str, text: &str) -> Vec<Sighting> {
        let each = findings.iter().map(|finding| Sighting {
            place: place.to_owned(),
            line: finding.line,
            rule: finding.rule.to_string(),
            what: self.describe(&finding.rule).to_owned(),
            hash: Hash::of(text[finding.range.clone()].as_bytes()),
        });
        each.collect()
    }
}
