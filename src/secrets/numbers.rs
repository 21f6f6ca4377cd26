//! Placeholders for values.
//!
//! In: a text and what was found in it. Out: the text with `[REDACTED:rule:n]` in the place of each value.
//! Invariant: no line is added or lost, and no value that was seen comes out again.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::Finding;

const OPEN: &str = "[REDACTED:";

/// The values that were seen: the same value of the same rule has the same number, from 1 in order of first sight.
#[derive(Default)]
pub struct Numbers(BTreeMap<Arc<str>, BTreeMap<String, usize>>);

/// A placeholder in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder<'a> {
    /// The bytes of the text that it takes.
    pub range: Range<usize>,
    /// The rule whose value it stands for.
    pub rule: &'a str,
    /// Which value of the rule.
    pub n: usize,
}

/// Finds all placeholders in `text`, in order.
pub fn placeholders(text: &str) -> impl Iterator<Item = Placeholder<'_>> {
    memchr::memmem::find_iter(text.as_bytes(), OPEN).filter_map(move |start| {
        let inside = &text[start + OPEN.len()..];
        let is_part =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | ':');
        let end = inside.find(|c| !is_part(c))?;
        let (rule, n) = inside[..end].rsplit_once(':')?;
        let is_whole = inside[end..].starts_with(']') && !rule.is_empty() && !rule.contains(':');
        let range = start..start + OPEN.len() + end + 1;
        is_whole
            .then(|| n.parse().ok())
            .flatten()
            .map(|n| Placeholder { range, rule, n })
    })
}

impl Numbers {
    /// Puts a placeholder in the place of each finding; line breaks in a value stay, after the placeholder.
    pub fn redact(&mut self, text: &str, findings: &[Finding]) -> String {
        let mut redacted = String::with_capacity(text.len());
        let mut done = 0;
        for finding in findings {
            let value = &text[finding.range.clone()];
            let n = self.number(&finding.rule, value);
            redacted.push_str(&text[done..finding.range.start]);
            redacted.extend([OPEN, &finding.rule, ":", &n.to_string(), "]"]);
            redacted.push_str(&line_breaks(value));
            done = finding.range.end;
        }
        redacted.push_str(&text[done..]);
        redacted
    }

    /// Returns all values that were seen, each with its rule, sorted.
    pub(super) fn seen(&self) -> impl Iterator<Item = (&Arc<str>, &str)> {
        self.0.iter().flat_map(|(rule, values)| {
            let values = values.keys();
            values.map(move |value| (rule, value.as_str()))
        })
    }

    fn number(&mut self, rule: &Arc<str>, value: &str) -> usize {
        let seen = self.0.entry(Arc::clone(rule)).or_default();
        let next = seen.len() + 1;
        *seen.entry(value.to_owned()).or_insert(next)
    }
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.iter().map(|(rule, seen)| (rule, seen.len()));
        f.debug_map().entries(counts).finish()
    }
}

fn line_breaks(value: &str) -> String {
    value.chars().filter(|c| matches!(c, '\r' | '\n')).collect()
}
