//! Private keys between their armour lines, in files of their own or within other text.
//!
//! In: a text and where the words of an armour stand. Out: the bytes of the key's body.

use std::ops::Range;

/// What each armour of a private key has in it.
pub(super) const KEYWORDS: &[&str] = &["PRIVATE KEY", "VPN Static key V1", "Private-Lines:"];

/// How long a body may be, in bytes.
const MAX_BODY: usize = 1 << 16;

/// The fewest characters of base64 that are a key.
const MIN_KEY: usize = 40;

/// Finds the bytes that would be the body of the key whose armour has the keyword at `hit`; none of them is before `earliest`.
pub(super) fn body(text: &str, hit: &Range<usize>, earliest: usize) -> Option<Range<usize>> {
    let body = match &text[hit.clone()] {
        "Private-Lines:" => counted(text, hit.end)?,
        _ => armoured(text, hit).or_else(|| ending(text, hit, earliest))?,
    };
    Some(trim(text, body))
}

/// Says whether what stands where the body of a key would is one.
pub(super) fn is_key(body: &str) -> bool {
    let longest = body
        .as_bytes()
        .chunk_by(|&a, &b| is_key_byte(a) && is_key_byte(b))
        .map(<[u8]>::len)
        .max();
    let n_bytes = body.bytes().filter(|&byte| is_key_byte(byte)).count();
    // Documentation shows keys that are shortened in the middle of a line.
    let is_shortened = |line: &str| {
        let line = line.trim();
        line.contains("...") && line.bytes().all(|byte| is_key_byte(byte) || byte == b'.')
    };
    n_bytes >= MIN_KEY
        && longest.is_some_and(|longest| longest >= 16)
        && !body.lines().any(is_shortened)
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}

/// Returns what stands between `-----BEGIN ... PRIVATE KEY-----` and `-----END`.
fn armoured(text: &str, hit: &Range<usize>) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    armour(bytes, hit, b"BEGIN ")?;
    let rest = &bytes[hit.end..];
    let rest = &rest[..rest.len().min(MAX_BODY)];
    let tail = rest.strip_prefix(b" BLOCK").unwrap_or(rest);
    let dashes = tail
        .iter()
        .take_while(|&&byte| byte == b'-' || byte == b' ')
        .count();
    if dashes < 3 {
        return None;
    }
    let start = hit.end + rest.len() - tail.len() + dashes;
    // The end of the armour, or another one's begin: what is between two begins is looked at once.
    let body = &bytes[start..hit.end + rest.len()];
    let end = start + end_of_armour(body).unwrap_or_else(|| without_end(body));
    Some(start..end)
}

/// Returns where the armour begins that has the keyword at `hit`, if `word` is the first in it.
fn armour(bytes: &[u8], hit: &Range<usize>, word: &[u8]) -> Option<usize> {
    let from = hit.start.saturating_sub(40);
    let lead = &bytes[from..hit.start];
    let at = memchr::memmem::rfind(lead, word)?;
    let is_kind = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b' ';
    let before = &lead[..at];
    let before = before.strip_suffix(b" ").unwrap_or(before);
    let dashes = before
        .iter()
        .rev()
        .take_while(|&&byte| byte == b'-')
        .count();
    (dashes >= 2 && lead[at..].iter().all(is_kind)).then_some(from + before.len() - dashes)
}

/// Returns the lines of base64 before the `-----END ... PRIVATE KEY-----` of a key whose beginning is not there.
fn ending(text: &str, hit: &Range<usize>, earliest: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let armour = armour(bytes, hit, b"END ")?;
    let from = earliest.max(armour.saturating_sub(MAX_BODY));
    let (lines, own) = match memchr::memrchr(b'\n', &bytes[from..armour]) {
        Some(length) => bytes[from..armour].split_at(length + 1),
        None => return None,
    };
    // The sign of a changed line is the most that stands before it.
    let is_lead = own.iter().all(|byte| b" \t+-".contains(byte));
    let lines = lines.split_inclusive(|&byte| byte == b'\n').rev();
    let length = lines
        .take_while(|line| is_key_line(line))
        .map(<[u8]>::len)
        .sum::<usize>();
    let end = armour - own.len();
    is_lead.then_some(end - length..end)
}

/// Says whether a line is one of base64, whatever sign or escape is at its ends.
fn is_key_line(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"-").unwrap_or(line);
    line.len() >= 16 && line.iter().all(|&byte| is_key_byte(byte) || byte == b'\\')
}

/// Returns where the next armour line begins.
fn end_of_armour(body: &[u8]) -> Option<usize> {
    let is_armour = |at: &usize| {
        let dashes = body[*at..]
            .iter()
            .take_while(|&&byte| byte == b'-' || byte == b' ')
            .count();
        let word = &body[at + dashes..];
        word.starts_with(b"END") || word.starts_with(b"BEGIN")
    };
    let mut dashes = memchr::memmem::find_iter(body, b"---");
    dashes.find(is_armour)
}

/// Returns the length of the key at the beginning of `rest` if it was cut off: its lines of base64.
fn without_end(rest: &[u8]) -> usize {
    let is_blank = |line: &[u8]| line.trim_ascii().is_empty();
    rest.split_inclusive(|&byte| byte == b'\n')
        .take_while(|line| is_key_line(line) || is_blank(line))
        .map(<[u8]>::len)
        .sum()
}

/// Returns as many lines after `at` as the number there says: `PuTTY`'s form.
fn counted(text: &str, at: usize) -> Option<Range<usize>> {
    let (number, _) = text[at..].split_once('\n')?;
    let n_lines: usize = number
        .trim()
        .parse()
        .ok()
        .filter(|n| (1..=200).contains(n))?;
    let start = at + number.len() + 1;
    let is_key = |line: &&str| line.trim_end().bytes().all(is_key_byte);
    let lines = text[start..]
        .split_inclusive('\n')
        .take(n_lines)
        .take_while(is_key);
    let length = lines.map(str::len).sum::<usize>();
    (length <= MAX_BODY).then(|| start..start + length)
}

/// Leaves out what is no key at both ends: white space, and signs of the text that the key stands in.
fn trim(text: &str, body: Range<usize>) -> Range<usize> {
    let bytes = &text.as_bytes()[body.clone()];
    // An escaped line break is a backslash and a letter.
    let mut start = 0;
    while start < bytes.len() && !is_key_byte(bytes[start]) {
        start += if bytes[start] == b'\\' { 2 } else { 1 };
    }
    let start = start.min(bytes.len());
    let mut end = bytes.len();
    while end > start {
        let before = &bytes[start..end];
        if before.ends_with(b"\\n") || before.ends_with(b"\\r") {
            end -= 2;
        } else if is_key_byte(bytes[end - 1]) {
            break;
        } else {
            end -= 1;
        }
    }
    // Only whole characters, whatever stood there.
    let (mut start, mut end) = (body.start + start, body.start + end);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    start..end.max(start)
}
