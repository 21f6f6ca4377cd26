//! Keeps secrets out of whatever leaves: packs, prompts, what is told of a check.
//!
//! In: texts, each with what it is called. Out: the same texts with placeholders, and where secrets were, never what they are.
//! The same value has the same placeholder in all texts of a run.

use std::sync::{Mutex, PoisonError};

use crate::secrets::{Finding, Numbers, Scanner, Sighting};

/// What is done where a secret is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretsMode {
    /// A placeholder takes its place.
    Redact,
    /// The file that holds it is only listed; in other texts a placeholder takes its place.
    Exclude,
    /// Nothing is made.
    Fail,
    /// Nothing: it is not looked for.
    Off,
}

/// There are secrets, and there may be none.
#[derive(Debug, thiserror::Error)]
#[error("{} found:{}", counted(.0.len()), list(.0))]
pub struct SecretsFound(pub Vec<Sighting>);

/// No more of them are named in a message.
const N_NAMED: usize = 20;

fn counted(n: usize) -> String {
    if n == 1 {
        "1 secret".to_owned()
    } else {
        format!("{n} secrets")
    }
}

fn list(sightings: &[Sighting]) -> String {
    let named = sightings.iter().take(N_NAMED).map(ToString::to_string);
    let n_more = sightings.len().saturating_sub(N_NAMED);
    let more = (n_more > 0).then(|| format!("and {n_more} more"));
    let lines: Vec<String> = named
        .chain(more)
        .map(|line| format!("\n  {line}"))
        .collect();
    lines.concat()
}

/// Finds secrets and puts placeholders in their place; one serves a whole run, and all threads.
#[derive(Debug)]
pub struct Redactor {
    /// What is done.
    pub mode: SecretsMode,
    scanner: Option<Scanner>,
    numbers: Mutex<Numbers>,
}

impl Redactor {
    /// Makes one that looks with `scanner`.
    pub fn new(mode: SecretsMode, scanner: Scanner) -> Self {
        Self {
            mode,
            scanner: Some(scanner),
            numbers: Mutex::default(),
        }
    }

    /// Makes one that finds nothing.
    pub fn off() -> Self {
        Self {
            mode: SecretsMode::Off,
            scanner: None,
            numbers: Mutex::default(),
        }
    }

    /// Finds the secrets in the text of the file `path`; none if nothing is to be looked for.
    pub fn find(&self, path: &str, text: &str) -> Vec<Finding> {
        let scanner = self.scanner.as_ref();
        scanner.map_or(Vec::new(), |scanner| scanner.find(path, text))
    }

    /// Finds the secrets in a text that is no file's; the values that were redacted before are among them, wherever they stand.
    ///
    /// The texts of files are looked at alone: they come from many threads, and each is read more than once.
    pub fn find_in_text(&self, text: &str) -> Vec<Finding> {
        let numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let scanner = self.scanner.as_ref();
        scanner.map_or(Vec::new(), |scanner| scanner.find_also("", text, &numbers))
    }

    /// Says where `findings` are in `text`; `place` says what that is.
    pub fn sightings(&self, findings: &[Finding], place: &str, text: &str) -> Vec<Sighting> {
        let scanner = self.scanner.as_ref();
        scanner.map_or(Vec::new(), |scanner| {
            scanner.sightings(findings, place, text)
        })
    }

    /// Returns `text` with placeholders where `findings` are.
    pub fn redact(&self, text: &str, findings: &[Finding]) -> String {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.redact(text, findings)
    }

    /// Returns a text that is no file's with placeholders, whatever is done with secrets.
    pub fn redacted(&self, text: &str) -> String {
        self.redact(text, &self.find_in_text(text))
    }

    /// Returns a text that is no file's with placeholders, and where they are; `place` says what it is.
    ///
    /// # Errors
    ///
    /// Fails if there are secrets and there may be none.
    pub fn text(&self, place: &str, text: &str) -> Result<(String, Vec<Sighting>), SecretsFound> {
        let findings = self.find_in_text(text);
        let sightings = self.sightings(&findings, place, text);
        if self.mode == SecretsMode::Fail && !sightings.is_empty() {
            return Err(SecretsFound(sightings));
        }
        Ok((self.redact(text, &findings), sightings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Allow;

    #[test]
    fn a_value_that_was_redacted_gives_way_in_later_texts_but_not_in_files() {
        let redactor = Redactor::new(SecretsMode::Redact, Scanner::new(Allow::default()));
        let said = "connecting with hG82-kdLz9xQ";
        assert_eq!(redactor.redacted(said), said);
        let file = "password: hG82-kdLz9xQ\n";
        redactor.redact(file, &redactor.find("a.yml", file));
        assert_eq!(
            redactor.redacted(said),
            "connecting with [REDACTED:password:1]"
        );
        assert_eq!(redactor.text("a check", said).unwrap().1.len(), 1);
        assert_eq!(redactor.find("b.log", said), []);
    }
}
