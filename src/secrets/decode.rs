//! Text within text, one level deep: base64, percent-encoding, `\x`, `\u` and `\/` escapes.
//!
//! In: a text. Out: what parts of it say, and which bytes of it say so. Linear, and cheap where nothing is encoded.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The shortest word that is taken for base64.
const MIN_WORD: usize = 20;

/// How far from an escape its text is looked at, in bytes.
const REACH: usize = 2048;

/// For each byte whether words of base64 have it.
const IS_WORD: [bool; 256] = {
    let mut is_word = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        is_word[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-');
        byte += 1;
    }
    is_word
};

/// What a part of a text says.
pub(super) struct Decoded {
    pub text: String,
    source: Source,
}

enum Source {
    /// All of these bytes.
    Word(Range<usize>),
    /// For each byte of the text, where the bytes begin that say it; and where the last end.
    Escapes(Vec<usize>),
}

impl Decoded {
    /// Returns the bytes that say the bytes `range` of the decoded text.
    pub(super) fn source(&self, range: &Range<usize>) -> Range<usize> {
        match &self.source {
            Source::Word(word) => word.clone(),
            Source::Escapes(places) => places[range.start]..places[range.end],
        }
    }
}

/// Finds words of base64 that say something printable.
pub(super) fn base64_words(text: &str, mut take: impl FnMut(Decoded)) {
    let bytes = text.as_bytes();
    let is_part = |byte: u8| IS_WORD[usize::from(byte)];
    let mut start = 0;
    while start + MIN_WORD <= bytes.len() {
        // A word that begins here would hold all of these; the last that is no part of one is where to go on.
        let gap = bytes[start..start + MIN_WORD]
            .iter()
            .rposition(|&byte| !is_part(byte));
        if let Some(gap) = gap {
            start += gap + 1;
            continue;
        }
        let length = bytes[start..]
            .iter()
            .take_while(|&&byte| is_part(byte))
            .count();
        let padding = bytes[start + length..]
            .iter()
            .take(2)
            .take_while(|&&byte| byte == b'=')
            .count();
        // The sign at the beginning of a changed line looks like a part of the word.
        let sign = usize::from(b"+-".contains(&bytes[start]));
        let word = start..start + length;
        let decoded = decode_word(&text[word.clone()]);
        let decoded = decoded.or_else(|| decode_word(&text[word.start + sign..word.end]));
        if let Some(decoded) = decoded {
            take(Decoded {
                text: decoded,
                source: Source::Word(start..start + length + padding),
            });
        }
        start += length + padding;
    }
}

fn decode_word(word: &str) -> Option<String> {
    if word.len() < MIN_WORD {
        return None;
    }
    // The first of four characters holds the upper six bits of a byte: printable ones have few forms.
    let is_head = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'a'..=b'f');
    if !word.as_bytes().iter().step_by(4).take(6).all(is_head) {
        return None;
    }
    let engine: &GeneralPurpose = if word.contains(['-', '_']) {
        &URL_SAFE_NO_PAD
    } else {
        &STANDARD_NO_PAD
    };
    let is_printable = |bytes: &[u8]| {
        bytes
            .iter()
            .all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
    };
    if !engine
        .decode(&word[..16])
        .is_ok_and(|head| is_printable(&head))
    {
        return None;
    }
    // A word may have been cut off within its last four characters.
    let whole = if word.len() % 4 == 1 {
        word.len() - 1
    } else {
        word.len()
    };
    let decoded = engine
        .decode(&word[..whole])
        .or_else(|_| engine.decode(&word[..whole / 4 * 4]))
        .ok()?;
    is_printable(&decoded)
        .then(|| String::from_utf8(decoded).ok())
        .flatten()
}

/// Finds runs of text with escapes of printable characters in them.
pub(super) fn escaped_runs(text: &str, mut take: impl FnMut(Decoded)) {
    let bytes = text.as_bytes();
    let mut done = 0;
    let mut from = 0;
    while let Some(length) = memchr::memchr2(b'%', b'\\', &bytes[from..]) {
        let at = from + length;
        if escape(&bytes[at..]).is_none() {
            from = at + 1;
            continue;
        }
        let ends_run = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`<>".contains(byte);
        let lead = bytes[done.max(at.saturating_sub(REACH))..at]
            .iter()
            .rev()
            .take_while(|byte| !ends_run(byte))
            .count();
        let rest = &bytes[at..bytes.len().min(at + REACH)];
        let end = at + rest.iter().position(ends_run).unwrap_or(rest.len());
        take(decode_run(text, at - lead..end));
        done = end;
        from = end;
    }
}

fn decode_run(text: &str, run: Range<usize>) -> Decoded {
    let bytes = text.as_bytes();
    let mut decoded = String::with_capacity(run.len());
    let mut places = Vec::with_capacity(run.len() + 1);
    let mut at = run.start;
    while at < run.end {
        let (c, length) = escape(&bytes[at..]).unwrap_or((bytes[at], 1));
        // What is not ASCII is no part of a secret's form: any other sign will do.
        decoded.push(if c.is_ascii() { char::from(c) } else { '\u{1}' });
        places.push(at);
        at += length;
    }
    places.push(at);
    Decoded {
        text: decoded,
        source: Source::Escapes(places),
    }
}

/// Returns `text` with its escapes read.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if memchr::memchr2(b'%', b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(decode_run(text, 0..text.len()).text)
}

/// Reads the escape of a printable ASCII character; returns it and how many bytes say it.
fn escape(bytes: &[u8]) -> Option<(u8, usize)> {
    let (digits, length) = match bytes {
        [b'%', a, b, ..] | [b'\\', b'x', a, b, ..] => {
            ([*a, *b], if bytes[0] == b'%' { 3 } else { 4 })
        }
        [b'\\', b'u', b'0', b'0', a, b, ..] => ([*a, *b], 6),
        [b'\\', b'/', ..] => return Some((b'/', 2)),
        _ => return None,
    };
    let value = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    let c = value(digits[0])? << 4 | value(digits[1])?;
    matches!(c, b' '..=b'~').then_some((c, length))
}
