//! Values of Kubernetes secrets, in YAML and JSON.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::judge::Judge;
use super::words::Words;

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
pub(super) fn values(manifest: &str, words: &Words) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut data: Option<(usize, Encoding)> = None;
    let mut block: Option<Block> = None;
    let mut at = 0;
    let mut lines = manifest.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let start = at;
        at += line.len();
        let text = line.trim_end();
        let entry = text.trim_start();
        if entry.is_empty() || entry.starts_with('#') {
            continue;
        }
        let indent = indent_of(text);
        let opened = encoding_under(entry).filter(|_| block.is_none());
        if let Some(encoding) = opened {
            data = Some((indent, encoding));
            continue;
        }
        let Some((depth, encoding)) = data else {
            continue;
        };
        if indent <= depth {
            (data, block) = (None, None);
            continue;
        }
        block = block.filter(|block| indent > block.indent);
        let value = if let Some(block) = &block {
            // Plain text of several lines is a file of its own, in which other rules find what is secret.
            let is_value = matches!(encoding, Encoding::Base64) || block.is_one_line;
            is_value.then_some(indent..text.len())
        } else {
            block = Block::opened_by(text, lines.clone());
            value_in(text)
        };
        let value = value.filter(|value| encoding.is_secret(&text[value.clone()], words));
        found.extend(value.map(|value| start + value.start..start + value.end));
    }
    found
}

/// A value in the lines that follow its key.
struct Block {
    /// The indentation of the key.
    indent: usize,
    is_one_line: bool,
}

impl Block {
    fn opened_by<'a>(line: &str, next: impl Iterator<Item = &'a str>) -> Option<Self> {
        let indent = indent_of(line);
        let is_deeper = |next: &&str| indent_of(next.trim_end()) > indent;
        line.ends_with(['|', '>', '-', '+']).then(|| Self {
            indent,
            is_one_line: next.take(2).take_while(is_deeper).count() == 1,
        })
    }
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Returns how the values are written under the key that `entry` begins with.
fn encoding_under(entry: &str) -> Option<Encoding> {
    let key = entry.trim_start_matches('"');
    let is_key = |name: &str| {
        key.strip_prefix(name)
            .is_some_and(|rest| rest.trim_start_matches('"').starts_with(':'))
    };
    [("data", Encoding::Base64), ("stringData", Encoding::Plain)]
        .into_iter()
        .find(|(name, _)| is_key(name))
        .map(|(_, encoding)| encoding)
}

#[derive(Debug, Clone, Copy)]
enum Encoding {
    Base64,
    Plain,
}

impl Encoding {
    fn is_secret(self, value: &str, words: &Words) -> bool {
        match self {
            Self::Plain => Judge::Password.accepts(value, words),
            Self::Base64 => match STANDARD.decode(value).map(String::from_utf8) {
                Ok(Ok(text)) => {
                    let is_one = |line: &str| Judge::Password.accepts(line, words);
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
    let is_key = |byte: u8| byte.is_ascii_alphanumeric() || b"-_. \t\"'{,".contains(&byte);
    if !line.bytes().take(colon).all(is_key) {
        return None;
    }
    let rest = &line[colon + 1..];
    let value = rest.trim().trim_end_matches(',').trim_matches(['"', '\'']);
    let start = colon + 1 + rest.find(value)?;
    let is_value = !value.is_empty()
        && !value.starts_with(['|', '>', '{', '['])
        && !value.contains(char::is_whitespace);
    is_value.then_some(start..start + value.len())
}
