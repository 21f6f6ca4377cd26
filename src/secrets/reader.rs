//! Reads the pieces of a line: quoted texts, and what stands between them.
//!
//! In: a text and where to begin. Out: where something ends. Places beyond the end of the text are line breaks.

use std::ops::Range;

/// What text stands between, where that is no single quotation mark.
const QUOTES: &[(&str, &str)] = &[
    ("\"\"\"", "\"\"\""),
    ("'''", "'''"),
    ("&quot;", "&quot;"),
    ("&#34;", "&#34;"),
    ("&#39;", "&#39;"),
    ("r#\"", "\"#"),
    ("R\"(", ")\""),
    ("q{", "}"),
    ("qq{", "}"),
    ("q(", ")"),
];

/// The text as far as a value may reach.
pub(super) struct Reader<'a> {
    pub bytes: &'a [u8],
}

impl Reader<'_> {
    /// Returns the byte at `at`.
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(b'\n')
    }

    /// Says whether the text at `at` begins with another.
    pub(super) fn starts(&self, at: usize, with: &str) -> bool {
        self.bytes
            .get(at..)
            .is_some_and(|rest| rest.starts_with(with.as_bytes()))
    }

    /// Skips blanks and tabs.
    pub(super) fn skip_blanks(&self, at: usize) -> usize {
        self.skip(at, b" \t")
    }

    /// Skips blanks and one line break.
    pub(super) fn skip_line_break(&self, at: usize) -> usize {
        let end = self.skip(at, b" \t\r");
        if self.starts(end, "\n") {
            self.skip_blanks(end + 1)
        } else {
            end
        }
    }

    /// Skips all bytes that are among `what`.
    pub(super) fn skip(&self, at: usize, what: &[u8]) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|byte| what.contains(byte)).count()
    }

    /// Returns the end of the line that `at` is in.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + memchr::memchr(b'\n', rest).unwrap_or(rest.len())
    }

    /// Skips what closes the text that a name stands in.
    pub(super) fn skip_closers(&self, at: usize) -> usize {
        let entity = ["&quot;", "&#34;", "&#39;"]
            .into_iter()
            .find(|entity| self.starts(at, entity));
        if let Some(entity) = entity {
            return at + entity.len();
        }
        let is_closer = |byte: &&u8| b"\\\"'`])".contains(byte);
        at + self.bytes[at..]
            .iter()
            .take(4)
            .take_while(is_closer)
            .count()
    }

    /// Returns the end of `type =`, where that stands at `at` and a quote follows.
    pub(super) fn after_type(&self, at: usize) -> Option<usize> {
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_<>:&'[]|.? ".contains(byte);
        let length = self.bytes[at..].iter().take(48).take_while(is_part).count();
        let end = at + length + 1;
        let is_type = self.byte(at + length) == b'=' && length > 1;
        (is_type
            && b"\"'`".contains(
                &self.byte(self.skip_wrapping(self.skip_blanks(end.min(self.bytes.len())))),
            ))
        .then_some(end)
    }

    /// Skips what may stand between an operator and a quote.
    pub(super) fn skip_wrapping(&self, at: usize) -> usize {
        let calls = [
            "String::from(",
            "Some(",
            "new String(",
            "SecretString::from(",
            "Buffer.from(",
            "(",
        ];
        let at = calls
            .into_iter()
            .find(|call| self.starts(at, call))
            .map_or(at, |call| at + call.len());
        let rest = self.bytes.get(at..).unwrap_or_default();
        let letters = rest
            .iter()
            .take(3)
            .take_while(|byte| b"bBrRuUfFL@$".contains(byte))
            .count();
        if letters > 0 && b"\"'".contains(&self.byte(at + letters)) {
            at + letters
        } else {
            at
        }
    }

    /// Reads the text between the quotes that begin at `at`; returns where they end, too.
    pub(super) fn quoted(&self, at: usize) -> Option<(Range<usize>, usize)> {
        let pair = QUOTES.iter().find(|(open, _)| self.starts(at, open));
        if let Some((open, close)) = pair {
            let start = at + open.len();
            let line = &self.bytes[start..self.line_end(start)];
            let length = memchr::memmem::find(line, close.as_bytes())?;
            let end = start + length;
            return (length > 0).then_some((start..end, end + close.len()));
        }
        let escape = usize::from(self.byte(at) == b'\\');
        let quote = self.byte(at + escape);
        let start = at + escape + 1;
        if !b"\"'`".contains(&quote) || self.byte(start) == quote {
            return None;
        }
        let mut end = start;
        loop {
            match *self.bytes.get(end)? {
                b'\\' if escape == 0 && self.byte(end + 1) != b'\n' => end += 2,
                b'\n' => return None,
                byte if byte == quote => {
                    return Some((start..end - escape.min(end - start), end + 1));
                }
                _ => end += 1,
            }
        }
    }
}
