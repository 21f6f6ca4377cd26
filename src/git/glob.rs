//! A pattern of an ignore or attribute file, and any other glob of git's, matched as git does it: on bytes.
//!
//! In: a pattern; a path. Out: whether the one means the other, after a number of steps that the path bounds, whatever the
//! pattern is.

use std::borrow::Cow;

/// Whether patterns match in any case, of ASCII letters as in git.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Case {
    /// Only in the same.
    #[default]
    Exact,
    /// In any.
    Any,
}

/// A pattern that can match something, as ignore and attribute files have them.
pub struct Pattern {
    /// The byte that all it matches ends with, if there is one.
    pub end: Option<u8>,
    is_for_folders: bool,
    /// Whether it is for names in any folder and not for paths.
    is_for_names: bool,
    /// The plain bytes that it begins with.
    start: Box<[u8]>,
    /// What follows them.
    rest: Box<[Token]>,
}

enum Token {
    Byte(u8),
    /// `?`: a byte, but not `/`.
    Any,
    /// `[…]`: one of these bytes.
    Class(Box<Bytes>),
    /// `*`: bytes, none of them `/`.
    Star,
    /// `**/`: folders, or none.
    Folders,
}

/// A set of bytes.
#[derive(Default)]
struct Bytes([u64; 4]);

impl Bytes {
    fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte / 64)] >> (byte % 64) & 1 == 1
    }

    fn add(&mut self, byte: u8) {
        self.0[usize::from(byte / 64)] |= 1 << (byte % 64);
    }
}

impl Case {
    /// Returns bytes as they are compared.
    pub fn of(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Exact => Cow::Borrowed(bytes),
            Self::Any => Cow::Owned(bytes.to_ascii_lowercase()),
        }
    }

    fn of_byte(self, byte: u8) -> u8 {
        match self {
            Self::Exact => byte,
            Self::Any => byte.to_ascii_lowercase(),
        }
    }
}

impl Pattern {
    /// Reads a pattern; none if it matches nothing.
    pub fn parse(glob: &[u8], case: Case) -> Option<Self> {
        let (is_for_folders, glob) = match glob.strip_suffix(b"/") {
            Some(glob) => (true, glob),
            None => (false, glob),
        };
        let is_for_names = !glob.contains(&b'/');
        let glob = glob.strip_prefix(b"/").unwrap_or(glob);
        let n_plain = glob.iter().position(|byte| b"*?[\\".contains(byte));
        let (start, rest) = glob.split_at(n_plain.unwrap_or(glob.len()));
        let (start, rest) = (case.of(start), tokens(rest, case)?);
        let end = match rest.last() {
            None => Some(*start.last()?),
            Some(Token::Byte(byte)) => Some(*byte),
            Some(Token::Any | Token::Class(_) | Token::Star | Token::Folders) => None,
        };
        Some(Self {
            end,
            is_for_folders,
            is_for_names,
            start: start.into(),
            rest,
        })
    }

    /// Says whether it means `path`, which is relative to the folder of its file and ends in `name`, both [as they are compared](Case::of).
    pub fn matches(&self, path: &[u8], name: &[u8], is_folder: bool) -> bool {
        let text = if self.is_for_names { name } else { path };
        (is_folder || !self.is_for_folders)
            && text
                .strip_prefix(&*self.start)
                .is_some_and(|text| matches(&self.rest, text))
    }
}

/// Says whether a glob that is no pattern of a file means the whole of `text`.
pub(super) fn wildmatch(glob: &[u8], text: &[u8], case: Case) -> bool {
    tokens(glob, case).is_some_and(|tokens| matches(&tokens, &case.of(text)))
}

/// Reads a glob from its first special byte on; none if it matches nothing.
fn tokens(glob: &[u8], case: Case) -> Option<Box<[Token]>> {
    let mut tokens = Vec::new();
    // To git, a name begins where the plain bytes end, too.
    let (mut rest, mut before) = (glob, b'/');
    while let Some(byte) = take(&mut rest) {
        let begins_name = std::mem::replace(&mut before, byte) == b'/';
        match byte {
            b'?' => tokens.push(Token::Any),
            b'[' => tokens.push(Token::Class(class(&mut rest, case)?)),
            b'\\' => {
                // As it stands: where case does not count, `\A` matches nothing.
                before = take(&mut rest)?;
                tokens.push(Token::Byte(before));
            }
            b'*' => {
                let n_more = rest.iter().take_while(|&&byte| byte == b'*').count();
                rest = &rest[n_more..];
                let is_whole_name =
                    begins_name && matches!(rest, [] | [b'/', ..] | [b'\\', b'/', ..]);
                if n_more > 0 && is_whole_name {
                    tokens.push(Token::Folders);
                    if let Some(after) = rest.strip_prefix(b"/") {
                        (rest, before) = (after, b'/');
                        continue;
                    }
                }
                tokens.push(Token::Star);
            }
            _ => tokens.push(Token::Byte(case.of_byte(byte))),
        }
    }
    Some(tokens.into())
}

/// Reads a class, from behind its `[` to behind its `]`; none if git finds it malformed.
fn class(rest: &mut &[u8], case: Case) -> Option<Box<Bytes>> {
    let is_negative = matches!(rest, [b'!' | b'^', ..]);
    *rest = &rest[usize::from(is_negative)..];
    let mut members = Bytes::default();
    // What a range may begin with.
    let mut low = None;
    loop {
        let byte = take(rest)?;
        let mut several = Vec::new();
        low = match (byte, low, *rest) {
            (b'\\', ..) => Some(take(rest)?),
            (b'-', Some(low), [high, ..]) if *high != b']' => {
                let high = take(rest)?;
                let high = if high == b'\\' { take(rest)? } else { high };
                several.extend(low..=high);
                None
            }
            (b'[', _, [b':', tail @ ..]) => {
                let (name, tail) = tail.split_at(memchr::memchr(b']', tail)?);
                match name.strip_suffix(b":") {
                    Some(name) => {
                        *rest = &tail[1..];
                        several.extend((0..=u8::MAX).filter(named(name)?));
                        None
                    }
                    None => Some(byte),
                }
            }
            _ => Some(byte),
        };
        if let Some(byte) = low {
            members.add(byte);
        }
        for byte in several {
            members.add(byte);
            members.add(case.of_byte(byte));
        }
        if let Some(after) = rest.strip_prefix(b"]") {
            *rest = after;
            break;
        }
    }
    let mut class = Box::new(Bytes::default());
    let is_in = |byte: &u8| *byte != b'/' && members.has(*byte) != is_negative;
    (0..=u8::MAX).filter(is_in).for_each(|byte| class.add(byte));
    Some(class)
}

/// Returns what a class that POSIX names holds, as git has it.
fn named(name: &[u8]) -> Option<fn(&u8) -> bool> {
    Some(match name {
        b"alnum" => u8::is_ascii_alphanumeric,
        b"alpha" => u8::is_ascii_alphabetic,
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"cntrl" => u8::is_ascii_control,
        b"digit" => u8::is_ascii_digit,
        b"graph" => u8::is_ascii_graphic,
        b"lower" => u8::is_ascii_lowercase,
        b"print" => |byte| matches!(byte, b' '..=b'~'),
        b"punct" => u8::is_ascii_punctuation,
        b"space" => |byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'),
        b"upper" => u8::is_ascii_uppercase,
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return None,
    })
}

fn take(rest: &mut &[u8]) -> Option<u8> {
    let (&byte, tail) = rest.split_first()?;
    *rest = tail;
    Some(byte)
}

/// Says whether a glob means the whole of `text`.
///
/// Only the last `*` and the last `**/` are tried with more: were one before them to take more, less would be left for them.
fn matches(tokens: &[Token], text: &[u8]) -> bool {
    let (mut token, mut at) = (0, 0);
    // Each with the token behind it, and where what it stands for ends so far.
    let (mut star, mut folders) = (None, None);
    loop {
        let is_same = match (tokens.get(token), text.get(at)) {
            (Some(Token::Star), _) => {
                token += 1;
                star = Some((token, at));
                continue;
            }
            (Some(Token::Folders), _) => {
                token += 1;
                (folders, star) = (Some((token, at)), None);
                continue;
            }
            (None, None) => return true,
            (Some(Token::Byte(byte)), Some(here)) => byte == here,
            (Some(Token::Any), Some(&here)) => here != b'/',
            (Some(Token::Class(class)), Some(&here)) => class.has(here),
            (None, Some(_)) | (Some(_), None) => false,
        };
        if is_same {
            (token, at) = (token + 1, at + 1);
            continue;
        }
        // One byte more for the `*`, or else one folder more for the `**/`.
        if let Some((after, end)) = star
            && text.get(end).is_some_and(|&byte| byte != b'/')
        {
            (token, at) = (after, end + 1);
            star = Some((token, at));
        } else if let Some((after, end)) = folders
            && let Some(n) = memchr::memchr(b'/', &text[end..])
        {
            (token, at) = (after, end + n + 1);
            (folders, star) = (Some((token, at)), None);
        } else {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_patterns_come_to_an_end() {
        let name = format!("{}b", "a".repeat(255));
        let path = format!("{}b", "a/".repeat(1000));
        for (glob, text) in [
            (format!("{}c", "*a".repeat(100)), &name),
            (format!("{}c", "*[a-z]?".repeat(60)), &name),
            (format!("{}c", "**/a/".repeat(300)), &path),
            (format!("{}c", "**/a*/*a/".repeat(100)), &path),
            (format!("{}c", "**\\/a/*".repeat(300)), &path),
        ] {
            let parsed = Pattern::parse(glob.as_bytes(), Case::Exact).unwrap();
            let text = text.as_bytes();
            assert!(!parsed.matches(text, text, false), "{glob}");
        }
    }
}
