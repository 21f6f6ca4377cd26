//! The way back for placeholders: where an executor left a line with one as it is, the value takes its place again.
//!
//! In: the files of a change, and what they were before. Out: the values in their places, or the lines that are no
//! longer what they were: whoever writes a placeholder into a line of their own does not get the value.

use std::ops::Range;

use super::examine::bytes_of;
use super::exec::ExecError;
use super::redact::{Redactor, SecretsMode};
use crate::fs::Root;
use crate::path::RepoPath;
use crate::repo::Text;
use crate::scratch::{Change, ChangeSet, Scratch, State};
use crate::secrets::Finding;

/// Lines with a placeholder that are not in the file as it was, by number from 1.
pub type Strange = Vec<usize>;

/// Puts the secrets back into the files of a change, where their lines are what they were; returns the others.
pub(super) fn put_back(
    scratch: &Scratch,
    changes: &ChangeSet,
    redactor: &Redactor,
) -> Result<Vec<(RepoPath, Strange)>, ExecError> {
    let mut strange = Vec::new();
    if redactor.mode == SecretsMode::Off {
        return Ok(strange);
    }
    let (originals, root) = (scratch.originals()?, Root::open(&scratch.folder)?);
    for Change {
        path,
        before,
        after,
    } in &changes.changes
    {
        if !matches!(after, Some(State::File { .. })) {
            continue;
        }
        let bytes = bytes_of(&root, path)?;
        // Whatever the bytes are taken for: UTF-16 without a mark is text to others.
        let mut plain = bytes.clone();
        plain.retain(|&byte| byte != 0);
        if !has_placeholder(&String::from_utf8_lossy(&plain)) {
            continue;
        }
        let Ok(now) = Text::decode(bytes) else {
            strange.push((path.clone(), Strange::new()));
            continue;
        };
        let old = before
            .as_ref()
            .map(|_| originals.read(path))
            .transpose()?
            .unwrap_or_default();
        let old = Text::decode(old).map_or(String::new(), |old| old.text);
        let restored = restore(&path.to_string(), &old, &now.text, redactor);
        let bytes =
            restored.and_then(|text| Text { text, ..now }.encode().ok_or_else(Strange::new));
        match bytes {
            Ok(bytes) => root.replace(path, &bytes)?,
            Err(lines) => strange.push((path.clone(), lines)),
        }
    }
    Ok(strange)
}

/// Puts the values back into `now`, which came of `before`, the text of the file `path`.
///
/// # Errors
///
/// Returns the lines with a placeholder, or what looks like one, that were not there, or of which there are more than there were.
fn restore(path: &str, before: &str, now: &str, redactor: &Redactor) -> Result<String, Strange> {
    let findings = redactor.find(path, before);
    let redacted = redactor.redact(before, &findings);
    let shown: Vec<&str> = redacted.split_inclusive('\n').collect();
    let held: Vec<&str> = before.split_inclusive('\n').collect();
    let mut blocks = blocks(before, &findings);
    let lines: Vec<&str> = now.split_inclusive('\n').collect();
    let mut restored = String::with_capacity(now.len());
    let mut strange = Strange::new();
    let mut at = 0;
    while let Some(&line) = lines.get(at) {
        // Each block gives its values once, the first that is left.
        let same = |block: &Range<usize>| is_same(&lines[at..], &shown[block.clone()]);
        let place = blocks.iter().position(same);
        // A line that was there literally, too, could be either.
        let is_literal = held.iter().any(|held| is_same(&[line], &[held]));
        match place {
            _ if !has_placeholder(line) => restored.push_str(line),
            None if is_literal => restored.push_str(line),
            Some(place) if !is_literal => {
                let block = blocks.remove(place);
                for (line, value) in lines[at..].iter().zip(&held[block.clone()]) {
                    restored.push_str(value.trim_end_matches(BREAKS));
                    restored.push_str(&line[line.trim_end_matches(BREAKS).len()..]);
                }
                at += block.len();
                continue;
            }
            _ => strange.push(at + 1),
        }
        at += 1;
    }
    if strange.is_empty() {
        Ok(restored)
    } else {
        Err(strange)
    }
}

/// Says whether a text holds a placeholder, or what somebody made of one.
fn has_placeholder(text: &str) -> bool {
    text.to_ascii_uppercase().contains("[REDACTED")
}

/// What ends a line.
const BREAKS: [char; 2] = ['\r', '\n'];

/// Says whether `lines` begin as `block` does, whatever ends each.
fn is_same(lines: &[&str], block: &[&str]) -> bool {
    let mut pairs = lines.iter().zip(block);
    lines.len() >= block.len()
        && pairs.all(|(a, b)| a.trim_end_matches(BREAKS) == b.trim_end_matches(BREAKS))
}

/// Returns the lines that findings take, from 0; those that share a line make one block.
fn blocks(text: &str, findings: &[Finding]) -> Vec<Range<usize>> {
    let mut blocks: Vec<Range<usize>> = Vec::new();
    for finding in findings {
        let first = finding.line - 1;
        let n_breaks = text[finding.range.clone()].matches('\n').count();
        match blocks.last_mut().filter(|last| last.end > first) {
            Some(last) => last.end = last.end.max(first + n_breaks + 1),
            None => blocks.push(first..first + n_breaks + 1),
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::{Allow, Scanner};

    const KEY: &str = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAxP8uQm3vT7bZ1sKcWn\nq9LrYf2HdJ5xVgE0aTzNMiBoSe6UwRk4Cp\n-----END RSA PRIVATE KEY-----\n";

    #[test]
    fn a_line_that_is_as_it_was_gets_its_value_back() {
        let before = format!(
            "# settings\nDB_PASSWORD=\"q7Xv!9pLz2Rt\"\nport = 1\n{KEY}literal [REDACTED:x:1]\n"
        );
        let redactor = Redactor::new(SecretsMode::Redact, Scanner::new(Allow::default()));
        let shown = redactor.redact(&before, &redactor.find("a.env", &before));
        assert!(
            !shown.contains("q7Xv") && !shown.contains("MIIE"),
            "{shown}"
        );
        let with = |from: &str, to: &str| shown.replace(from, to);
        for (now, expected) in [
            (shown.clone(), Ok(before.clone())),
            (
                with("port = 1", "port = 2"),
                Ok(before.replace("port = 1", "port = 2")),
            ),
            (
                with("# settings\n", ""),
                Ok(before.replace("# settings\n", "")),
            ),
            (with("DB_PASSWORD", "DB_PASS"), Err(vec![2])),
            (
                with("-----BEGIN RSA PRIVATE KEY-----\n", "x\n"),
                Ok(before.replace("-----BEGIN RSA PRIVATE KEY-----\n", "x\n")),
            ),
            (with("]\n\n-----END", "]\n-----END"), Err(vec![5])),
            (with("literal ", "another "), Err(vec![8])),
            (format!("{shown}[REDACTED:github-token:7]\n"), Err(vec![9])),
        ] {
            assert_eq!(
                restore("a.env", &before, &now, &redactor),
                expected,
                "{now}"
            );
        }
    }
}
