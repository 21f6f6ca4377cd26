//! Values of Kubernetes secrets, in YAML and JSON.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::judge::{Documented, Judge};

/// How long a manifest may be, in bytes.
const MAX_MANIFEST: usize = 1 << 20;

/// Finds the document that holds the byte at `at`.
pub(super) fn document(text: &str, at: usize, earliest: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let from = earliest.max(at.saturating_sub(MAX_MANIFEST));
    let start =
        memchr::memmem::rfind(&bytes[from..at], b"\n---").map_or(from, |length| from + length + 4);
    let to = bytes.len().min(at + MAX_MANIFEST);
    let end = memchr::memmem::find(&bytes[at..to], b"\n---").map_or(to, |length| at + length);
    let boundary = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at += 1;
        }
        at
    };
    boundary(start)..boundary(end)
}

/// Finds the values under `data` and `stringData` of a secret's manifest.
pub(super) fn values(manifest: &str, documented: &Documented) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut data: Option<(usize, Encoding)> = None;
    let mut at = 0;
    for line in manifest.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let text = line.trim_end();
        let indent = text.len() - text.trim_start().len();
        let entry = text.trim_start();
        if entry.is_empty() || entry.starts_with('#') {
            continue;
        }
        let key = entry.trim_start_matches('"');
        let block = [("data", Encoding::Base64), ("stringData", Encoding::Plain)]
            .into_iter()
            .find(|(name, _)| {
                key.strip_prefix(name)
                    .is_some_and(|rest| rest.trim_start_matches('"').starts_with(':'))
            });
        if let Some((_, encoding)) = block {
            data = Some((indent, encoding));
        } else if let Some((depth, encoding)) = data {
            if indent <= depth {
                data = None;
                continue;
            }
            let value =
                value_in(text).filter(|value| encoding.is_secret(&text[value.clone()], documented));
            found.extend(value.map(|value| start + value.start..start + value.end));
        }
    }
    found
}

#[derive(Debug, Clone, Copy)]
enum Encoding {
    Base64,
    Plain,
}

impl Encoding {
    fn is_secret(self, value: &str, documented: &Documented) -> bool {
        match self {
            Self::Plain => Judge::Password.accepts(value, documented),
            Self::Base64 => match STANDARD.decode(value).map(String::from_utf8) {
                Ok(Ok(text)) => {
                    let is_one = |line: &str| Judge::Password.accepts(line, documented);
                    text.len() > 256 || is_one(text.trim()) || text.trim().contains(['\n', ' '])
                }
                Ok(Err(_)) => true,
                Err(_) => false,
            },
        }
    }
}

/// Returns the value of `key: value`, without quotes.
fn value_in(line: &str) -> Option<Range<usize>> {
    let colon = line.find(':')?;
    let rest = &line[colon + 1..];
    let value = rest.trim().trim_end_matches(',').trim_matches(['"', '\'']);
    let start = colon + 1 + rest.find(value)?;
    let is_value = !value.is_empty()
        && !value.starts_with(['|', '>', '{', '['])
        && !value.contains(char::is_whitespace);
    is_value.then_some(start..start + value.len())
}
