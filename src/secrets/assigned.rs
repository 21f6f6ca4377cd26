//! What a name is assigned, in any language: `key = "value"`, `"key": "value"`, `KEY=value`, `<key>value</key>`,
//! `--key value`, `set("key", "value")`, `name: key` beside `value: value`; on its own line or the next.

use std::ops::Range;

use super::kind::FileKind;
use super::reader::Reader;
use super::words::Words;

/// How far a value with what leads to it may reach, in bytes.
const MAX_VALUE: usize = 4096;

/// Whether a value stands between quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    Quoted,
    Bare,
}

/// What a name is assigned.
pub(super) struct Assigned {
    /// The part of the name that tells.
    pub name: Range<usize>,
    pub value: Range<usize>,
    pub quoting: Quoting,
    /// What is joined to the value, where it is written in pieces.
    pub rest: Vec<Range<usize>>,
}

impl Assigned {
    fn new(name: &Range<usize>, value: Range<usize>, quoting: Quoting) -> Self {
        Self {
            name: name.clone(),
            value,
            quoting,
            rest: Vec::new(),
        }
    }
}

/// Reads what the name at `name`, which stands in `line`, is assigned.
pub(super) fn read(
    text: &str,
    name: &Range<usize>,
    line: &Range<usize>,
    kind: FileKind,
    words: &Words,
) -> Option<Assigned> {
    let end = text.len().min(name.end + MAX_VALUE);
    let before = &text.as_bytes()[line.start..name.start];
    let reader = Reader {
        bytes: &text.as_bytes()[..end],
    };
    let place = Place::of(before);
    let (at, operator) = reader.operator(name, place)?;
    let at = reader.skip_blanks(at);
    match operator {
        Operator::Element => return reader.element(name, at),
        Operator::Call => {
            let start = text[name.clone()].rfind('.').map_or(0, |dot| dot + 1);
            let name = name.start + start..name.end;
            let argument = reader.argument(&name, at);
            return argument.filter(|_| !asks(&text[name], words));
        }
        Operator::Assign if reader.ends_line(at) => return reader.continued(name, at, kind),
        Operator::Assign | Operator::Compare | Operator::Comma | Operator::Blank => {}
    }
    // `name:value` is a field among others more often than an assignment.
    let is_field = operator == Operator::Assign && reader.is_field(name, at);
    if let Some((value, end)) = reader.quoted(reader.skip_wrapping(at)) {
        if is_field && (before.ends_with(b":") || reader.byte(end) == b':') {
            return None;
        }
        let rest = match operator {
            Operator::Assign => reader.pieces(end),
            _ => Vec::new(),
        };
        return Some(Assigned {
            rest,
            ..Assigned::new(name, value, Quoting::Quoted)
        });
    }
    let is_taken = match operator {
        Operator::Assign => {
            let is_flag = place == Place::Flag && reader.byte(name.end) == b'=';
            kind != FileKind::Program || place == Place::Query || is_flag
        }
        Operator::Blank => matches!(place, Place::Flag | Place::Setter),
        Operator::Compare | Operator::Comma | Operator::Element | Operator::Call => false,
    };
    if !is_taken {
        return None;
    }
    let value = reader.bare(at, place);
    let has_fields = |bytes: &[u8]| bytes.contains(&b':') || bytes.contains(&b'"');
    let is_one = !is_field || !has_fields(&reader.bytes[value.clone()]) && !before.ends_with(b":");
    is_one.then_some(Assigned::new(name, value, Quoting::Bare))
}

/// Says whether a function of this name asks for a secret by what it is called with.
fn asks(name: &str, words: &Words) -> bool {
    let is_lead = |lead: &String| {
        name.get(..lead.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(lead))
    };
    words.asking.iter().any(is_lead)
}

/// Where a name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// First on its line, or after a word that sets variables.
    First,
    /// After `?` or `&`.
    Query,
    /// After `--`.
    Flag,
    /// After `<`.
    Element,
    /// After a word that sets variables with a blank between name and value.
    Setter,
    /// After `#define`, or the colon of a keyword: a blank stands between name and value.
    Definition,
    Other,
}

impl Place {
    fn of(before: &[u8]) -> Self {
        if before.ends_with(b"?") || before.ends_with(b"&") || before.ends_with(b"&amp;") {
            return Self::Query;
        }
        if before.ends_with(b"-") && !before.ends_with(b"- -") {
            return Self::Flag;
        }
        if before.ends_with(b"<") {
            return Self::Element;
        }
        if matches!(before, [b':'] | [.., b' ' | b'{' | b'(', b':']) {
            return Self::Definition;
        }
        let lead = before.trim_ascii();
        match lead {
            b"ENV" | b"ARG" | b"setenv" | b"set -x" | b"set -gx" => Self::Setter,
            b"#define" | b"# define" => Self::Definition,
            b"" | b"#" | b"export" | b"set" | b"-" | b"\"" | b"'" | b"declare -x" => Self::First,
            _ => Self::Other,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Assign,
    Compare,
    Comma,
    Blank,
    Element,
    Call,
}

impl Reader<'_> {
    /// Says whether nothing but a colon stands between a name and what begins at `at`.
    fn is_field(&self, name: &Range<usize>, at: usize) -> bool {
        at == name.end + 1 && self.byte(name.end) == b':'
    }

    /// Says whether a name is all that stands between quotes, at least at its beginning.
    fn is_after_quote(&self, name: &Range<usize>) -> bool {
        matches!(self.bytes[..name.start].last(), Some(b'"' | b'\''))
    }

    /// Returns the operator after a name, and where it ends.
    fn operator(&self, name: &Range<usize>, place: Place) -> Option<(usize, Operator)> {
        let name_end = name.end;
        if place == Place::Element && self.byte(name_end) == b'>' {
            return Some((name_end + 1, Operator::Element));
        }
        if self.starts(name_end, "</") {
            return self
                .next_element(name_end)
                .map(|at| (at, Operator::Element));
        }
        let closed = self.skip_closers(name_end);
        let at = self.skip_blanks(closed);
        for (sign, operator) in [
            ("===", Operator::Compare),
            ("!==", Operator::Compare),
            ("==", Operator::Compare),
            ("!=", Operator::Compare),
            ("=>", Operator::Assign),
            (":=", Operator::Assign),
            ("?=", Operator::Assign),
            ("::", Operator::Element),
            ("=", Operator::Assign),
            (":", Operator::Assign),
        ] {
            if self.starts(at, sign) {
                let end = at + sign.len();
                let end = if sign == ":" {
                    self.after_type(end).unwrap_or(end)
                } else {
                    end
                };
                return (sign != "::").then_some((end, operator));
            }
        }
        if let Some(end) = self.value_field(closed) {
            return Some((end, Operator::Assign));
        }
        match (self.byte(at), closed > name_end) {
            (b',', true) => return Some((at + 1, Operator::Comma)),
            (b'>', true) if self.is_after_quote(name) => {
                return Some((at + 1, Operator::Element));
            }
            (b'(', false) if at == name_end => return Some((at + 1, Operator::Call)),
            _ => {}
        }
        let is_blank = at > closed && at < self.bytes.len() && closed == name_end;
        let may_be_blank = matches!(place, Place::Flag | Place::Setter | Place::Definition);
        (is_blank && may_be_blank).then_some((at, Operator::Blank))
    }

    /// Returns where the value begins that the field `value` has, if that follows the field with the name.
    fn value_field(&self, closed: usize) -> Option<usize> {
        let at = self.skip(self.skip_line_break(closed), b",");
        let at = self.skip_line_break(at);
        if at == closed {
            return None;
        }
        let at = self.skip(at, b"\"'");
        if !self.starts(at, "value") && !self.starts(at, "Value") {
            return None;
        }
        let at = self.skip_blanks(self.skip(at + "value".len(), b"\"'"));
        matches!(self.byte(at), b':' | b'=').then_some(at + 1)
    }

    /// Returns where the text of the next element begins, if that is the value of the one that ends at `at`.
    fn next_element(&self, at: usize) -> Option<usize> {
        let line = &self.bytes[at..self.line_end(at)];
        let end = at + memchr::memchr(b'>', line)? + 1;
        let at = self.skip_line_break(end);
        ["<string>", "<value>"]
            .into_iter()
            .find(|tag| self.starts(at, tag))
            .map(|tag| at + tag.len())
    }

    /// Reads the text of the element that begins at `at`.
    fn element(&self, name: &Range<usize>, at: usize) -> Option<Assigned> {
        let length = memchr::memchr2(b'<', b'\n', &self.bytes[at..])?;
        let is_closed = self.starts(at + length, "</");
        is_closed.then(|| Assigned::new(name, at..at + length, Quoting::Quoted))
    }

    /// Reads the only argument of a call.
    fn argument(&self, name: &Range<usize>, at: usize) -> Option<Assigned> {
        let (value, end) = self.quoted(self.skip_wrapping(at))?;
        (self.byte(end) == b')').then(|| Assigned::new(name, value, Quoting::Quoted))
    }

    /// Says whether nothing more stands on the line but what says that the value is on the next.
    fn ends_line(&self, at: usize) -> bool {
        let end = self.skip(self.skip(at, b"|>\\("), b"+-");
        self.starts(self.skip(end, b" \t\r"), "\n")
    }

    /// Reads the value on the line after that of `at`: between quotes, or alone there if the line before says so.
    fn continued(&self, name: &Range<usize>, at: usize, kind: FileKind) -> Option<Assigned> {
        let start = self.skip_blanks(self.line_end(at) + 1);
        if let Some((value, end)) = self.quoted(self.skip_wrapping(start)) {
            let is_name = matches!(self.byte(self.skip_blanks(end)), b':' | b'=');
            let rest = self.pieces(end);
            return (!is_name).then_some(Assigned {
                rest,
                ..Assigned::new(name, value, Quoting::Quoted)
            });
        }
        let is_taken = kind != FileKind::Program && matches!(self.byte(at), b'|' | b'>' | b'\\');
        let value = self.bare(start, Place::First);
        let is_alone = self.bytes[value.end.min(self.bytes.len())..self.line_end(value.end)]
            .trim_ascii()
            .is_empty();
        (is_taken && is_alone).then(|| Assigned::new(name, value, Quoting::Bare))
    }

    /// Reads what is joined to the text whose quote ends at `end`: by a sign, or by standing on the next line.
    fn pieces(&self, end: usize) -> Vec<Range<usize>> {
        let mut pieces = Vec::new();
        let mut end = end;
        loop {
            let at = self.skip_line_break(end);
            let joined = self.skip(at, b"+.&\\");
            let start = self.skip_line_break(joined);
            let is_joined = joined > at || self.bytes[end.min(start)..start].contains(&b'\n');
            let next = self.quoted(start).filter(|_| is_joined);
            let Some((piece, piece_end)) = next else {
                return pieces;
            };
            let is_name = matches!(self.byte(self.skip_blanks(piece_end)), b':' | b'=');
            if is_name
                || self.bytes[piece.clone()]
                    .iter()
                    .any(u8::is_ascii_whitespace)
            {
                return pieces;
            }
            pieces.push(piece);
            end = piece_end;
        }
    }

    /// Reads the word that begins at `at`.
    fn bare(&self, at: usize, place: Place) -> Range<usize> {
        let ends_word = |byte: &u8| {
            byte.is_ascii_whitespace()
                || place != Place::First && b",;\"'`<>(){}[]|&\\".contains(byte)
        };
        let rest = self.bytes.get(at..).unwrap_or_default();
        let mut word = &rest[..rest.iter().position(ends_word).unwrap_or(rest.len())];
        while let Some((b',' | b';' | b'"' | b'\'' | b')' | b'.', shorter)) = word.split_last() {
            word = shorter;
        }
        at..at + word.len()
    }
}
