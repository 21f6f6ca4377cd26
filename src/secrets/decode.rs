//! Text within text, one level deep: base64, hexadecimal digits, percent-encoding, `\x`, `\u` and `\/` escapes, characters that
//! are not seen.
//!
//! In: a text. Out: what parts of it say, and which bytes of it say so. Linear, and cheap where nothing is encoded.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::path::{is_bidi, is_invisible};

/// The shortest word that is taken for base64.
const MIN_WORD: usize = 20;

/// The fewest hexadecimal digits that are taken for text.
const MIN_DIGITS: usize = 32;

/// How many bytes are told to be ASCII at once.
const PIECE: usize = 64;

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
    /// Words, each with the place in the text where what it says begins.
    Words(Vec<(usize, Range<usize>)>),
    /// For each byte of the text, where the bytes begin that say it; and where the last end.
    Escapes(Vec<usize>),
}

impl Decoded {
    /// Returns the bytes that say the bytes `range` of the decoded text.
    pub(super) fn source(&self, range: &Range<usize>) -> Range<usize> {
        match &self.source {
            Source::Words(words) => {
                let first = words.partition_point(|(at, _)| *at <= range.start) - 1;
                let last = words.partition_point(|(at, _)| *at < range.end) - 1;
                words[first].1.start..words[last].1.end
            }
            Source::Escapes(places) => places[range.start]..places[range.end],
        }
    }
}

/// Finds words of base64 or hexadecimal digits that say something printable. Words on lines one after the other, as encoders
/// wrap them, are read as one.
pub(super) fn encoded_words(text: &str, mut take: impl FnMut(Decoded)) {
    let bytes = text.as_bytes();
    let mut run = Run::default();
    let mut start = 0;
    while start + MIN_WORD <= bytes.len() {
        // A word that begins here would hold all of these; the last that is no part of one is where to go on.
        let gap = bytes[start..start + MIN_WORD]
            .iter()
            .rposition(|&byte| !IS_WORD[usize::from(byte)]);
        if let Some(gap) = gap {
            start += gap + 1;
            continue;
        }
        let word = word_at(bytes, start);
        start = word.end;
        let Some(said) = decode_word(&text[word.clone()]) else {
            continue;
        };
        if !run.goes_on(bytes, word.start) {
            take(std::mem::take(&mut run).finish(text));
        }
        run.add(&said, word);
    }
    if !run.words.is_empty() {
        take(run.finish(text));
    }
}

/// Returns the word of base64 that begins at `start`, with its padding.
fn word_at(bytes: &[u8], start: usize) -> Range<usize> {
    let rest = &bytes[start..];
    let is_part = |byte: &&u8| IS_WORD[usize::from(**byte)];
    let length = rest.iter().take_while(is_part).count();
    let padding = rest[length..].iter().take(2);
    start..start + length + padding.take_while(|&&byte| byte == b'=').count()
}

/// Words that are read as one.
#[derive(Default)]
struct Run {
    text: String,
    words: Vec<(usize, Range<usize>)>,
    /// Whether the last is whole groups of characters, with nothing that ends the run.
    is_open: bool,
}

/// What a word says.
struct Said {
    text: String,
    /// Whether all of its characters say it, and more may follow.
    is_open: bool,
}

impl Run {
    /// Says whether a word that begins at `start` stands on the line after the last.
    fn goes_on(&self, bytes: &[u8], start: usize) -> bool {
        let Some((_, last)) = self.words.last().filter(|_| self.is_open) else {
            return self.words.is_empty();
        };
        let between = &bytes[last.end..start];
        between.iter().all(u8::is_ascii_whitespace)
            && memchr::memchr_iter(b'\n', between).count() == 1
    }

    fn add(&mut self, said: &Said, word: Range<usize>) {
        self.words.push((self.text.len(), word));
        self.text.push_str(&said.text);
        self.is_open = said.is_open;
    }

    /// Returns what the words say, with what a last line says that is too short to be taken for a word alone.
    fn finish(mut self, text: &str) -> Decoded {
        let bytes = text.as_bytes();
        if let Some((_, last)) = self.words.last().filter(|_| self.is_open) {
            let rest = bytes[last.end..].iter();
            let blanks = rest.take_while(|byte| byte.is_ascii_whitespace()).count();
            let word = word_at(bytes, last.end + blanks);
            let is_next = (4..MIN_WORD).contains(&word.len()) && self.goes_on(bytes, word.start);
            if is_next && let Some(said) = decode_word(&text[word.clone()]) {
                self.add(&said, word);
            }
        }
        Decoded {
            text: self.text,
            source: Source::Words(self.words),
        }
    }
}

fn decode_word(word: &str) -> Option<Said> {
    // The sign at the beginning of a changed line looks like a part of the word.
    let unsigned = word.strip_prefix(['+', '-']);
    let mut each = std::iter::once(word).chain(unsigned);
    each.find_map(|word| decode_base64(word).or_else(|| decode_digits(word)))
}

fn decode_base64(padded: &str) -> Option<Said> {
    let word = padded.trim_end_matches('=');
    // The first of four characters holds the upper six bits of a byte: printable ASCII has few forms.
    let is_other = |byte: &&u8| !matches!(byte, b'A'..=b'Z' | b'a'..=b'f');
    let heads = word.as_bytes().iter().step_by(4).take(6);
    if heads.filter(is_other).count() > 2 {
        return None;
    }
    let engine: &GeneralPurpose = if word.contains(['-', '_']) {
        &URL_SAFE_NO_PAD
    } else {
        &STANDARD_NO_PAD
    };
    let head = &word[..word.len().min(16) / 4 * 4];
    readable(&engine.decode(head).ok()?)?;
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
    Some(Said {
        text: readable(&decoded)?.to_owned(),
        is_open: padded.len().is_multiple_of(4) && padded.len() == word.len(),
    })
}

fn decode_digits(word: &str) -> Option<Said> {
    let value = |pair: &[u8]| {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()
    };
    let decode = |digits: &[u8]| {
        digits
            .chunks_exact(2)
            .map(value)
            .collect::<Option<Vec<u8>>>()
    };
    let digits = word.as_bytes();
    if digits.len() < MIN_DIGITS || digits.len() % 2 == 1 {
        return None;
    }
    readable(&decode(&digits[..16])?)?;
    Some(Said {
        text: readable(&decode(digits)?)?.to_owned(),
        is_open: true,
    })
}

/// Returns bytes as text if they are printable, but for characters that are cut through at their ends.
fn readable(bytes: &[u8]) -> Option<&str> {
    let is_rest = |byte: &&u8| matches!(byte, 0x80..=0xbf);
    let start = bytes.iter().take(3).take_while(is_rest).count();
    let bytes = &bytes[start..];
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let is_printable = |c: char| !c.is_control() || matches!(c, '\t' | '\r' | '\n');
    text.chars().all(is_printable).then_some(text)
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

/// Returns `text` without the characters that are not seen, if it has any.
pub(super) fn visible(text: &str) -> Option<Decoded> {
    let is_visible = |c: &char| c.is_ascii() || !is_invisible(*c) && !is_bidi(*c);
    // Most text has few characters that are not ASCII: only what is near them is read.
    let mut pieces = (0..text.len()).step_by(PIECE).filter_map(|start| {
        let end = text.len().min(start + PIECE);
        let piece = || &text[text.floor_char_boundary(start)..text.ceil_char_boundary(end)];
        (!text.as_bytes()[start..end].is_ascii()).then(piece)
    });
    if pieces.all(|piece| piece.chars().all(|c| is_visible(&c))) {
        return None;
    }
    let mut visible = String::with_capacity(text.len());
    let mut places = Vec::with_capacity(text.len() + 1);
    for (at, c) in text.char_indices().filter(|(_, c)| is_visible(c)) {
        visible.push(c);
        places.extend(at..at + c.len_utf8());
    }
    places.push(text.len());
    Some(Decoded {
        text: visible,
        source: Source::Escapes(places),
    })
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
