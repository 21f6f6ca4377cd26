//! Carriage: how the bytes of a file are held in a document, and got back.
//!
//! The body of a file is `LF text LF`; in XML the bracket of `<![CDATA[` stands before it. That unit's
//! tokens add up exactly with what stands around it. What XML forbids is carried in the same way in
//! Markdown and plain text, so that what is said of a file is the same. JSON can hold any text.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::repo::{Charset, Text};

/// How the text in a pack differs from the bytes of the file; each is a fact of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Carriage {
    /// The charset of the file.
    pub(super) charset: Charset,
    /// Whether a byte order mark was taken away.
    pub(super) bom: bool,
    /// Whether every line ends in CR LF.
    pub(super) crlf: bool,
    /// How control characters are held.
    pub(super) controls: Controls,
}

/// How characters that XML forbids are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Controls {
    /// There are none.
    Absent,
    /// As the pictures U+2400 to U+241F.
    Pictures,
    /// By holding the whole file in base64.
    Base64,
}

/// A body that cannot be what a file was carried as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damaged {
    /// The line breaks that belong to the format are missing.
    #[error("its text does not begin and end with a line break")]
    Frame,
    /// The base64 is not well-formed.
    #[error("its base64 is not well-formed")]
    Base64,
    /// The charset has no such characters.
    #[error("its text cannot be spelled in its charset")]
    Charset,
}

/// What a body stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Container {
    /// CDATA, which `]]>` ends, and where a parser takes a stray CR for a line break.
    Cdata,
    /// Lines, between two that stand nowhere in it.
    Lines,
}

impl Container {
    /// Returns how every body begins.
    fn beginning(self) -> &'static str {
        match self {
            Self::Cdata => "[\n",
            Self::Lines => "\n",
        }
    }
}

const SPLIT_END: &str = "]]]]><![CDATA[>";
const RETURN: &str = "]]>&#13;<![CDATA[";
const BASE64_LINE: usize = 76;

impl Carriage {
    /// Returns the body that holds `text` in CDATA, and how.
    pub(super) fn carry_in_cdata(text: &Text) -> (String, Self) {
        Self::carry(text, Container::Cdata)
    }

    /// Returns the body that holds `text` in lines, and how.
    pub(super) fn carry_in_lines(text: &Text) -> (String, Self) {
        Self::carry(text, Container::Lines)
    }

    /// Returns how the bytes of `text` are spelled; all else it says itself.
    pub(super) fn of_spelling(text: &Text) -> Self {
        Self {
            charset: text.charset,
            bom: text.bom,
            crlf: false,
            controls: Controls::Absent,
        }
    }

    fn carry(text: &Text, container: Container) -> (String, Self) {
        let mut carriage = Self::of_spelling(text);
        let bytes = text.text.as_bytes();
        let has_controls = bytes
            .iter()
            .fold(false, |any, &byte| any | is_control(byte));
        // U+FFFE and U+FFFF; the first byte is rare enough to look at each.
        let has_noncharacters =
            memchr::memmem::find_iter(bytes, b"\xef\xbf").any(|at| bytes[at + 2] >= 0xbe);
        if (has_noncharacters || has_controls && has_pictures(&text.text))
            && let Some(file) = text.encode()
        {
            carriage.controls = Controls::Base64;
            return (base64_body(&file, container), carriage);
        }
        if has_controls {
            carriage.controls = Controls::Pictures;
        }
        let n_returns = memchr::memchr_iter(b'\r', bytes).count();
        carriage.crlf = n_returns > 0
            && memchr::memchr_iter(b'\n', bytes).count() == n_returns
            && memchr::memchr_iter(b'\r', bytes).all(|at| bytes.get(at + 1) == Some(&b'\n'));
        let mut body = String::with_capacity(text.text.len() + 8);
        body.push_str(container.beginning());
        if has_controls || n_returns > 0 || memchr::memmem::find(bytes, b"]]>").is_some() {
            carriage.push_escaped(&mut body, &text.text, container);
        } else {
            body.push_str(&text.text);
        }
        body.push('\n');
        (body, carriage)
    }

    fn push_escaped(&self, body: &mut String, text: &str, container: Container) {
        let is_cdata = container == Container::Cdata;
        let mut rest = text;
        let special = |byte: u8| byte == b'\r' || byte == b']' || is_control(byte);
        while let Some(at) = rest.bytes().position(special) {
            body.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("]]>").filter(|_| is_cdata) {
                body.push_str(SPLIT_END);
                rest = after;
                continue;
            }
            match rest.as_bytes()[0] {
                b'\r' if self.crlf => {}
                b'\r' if is_cdata => body.push_str(RETURN),
                plain @ (b'\r' | b']') => body.push(plain.into()),
                control => body.extend(char::from_u32(0x2400 + u32::from(control))),
            }
            rest = &rest[1..];
        }
        body.push_str(rest);
    }

    /// Returns the bytes of the file that is carried as `text`, line breaks of the format taken away.
    ///
    /// # Errors
    ///
    /// Fails on a text that no file was carried as.
    pub(super) fn restore(&self, text: &str) -> Result<Vec<u8>, Damaged> {
        if self.controls == Controls::Base64 {
            let packed: String = text.split_ascii_whitespace().collect();
            return BASE64_STANDARD.decode(packed).map_err(|_| Damaged::Base64);
        }
        let mut text = text.to_owned();
        if self.controls == Controls::Pictures {
            text = text.chars().map(control_of).collect();
        }
        if self.crlf {
            text = text.replace('\n', "\r\n");
        }
        let text = Text {
            text,
            charset: self.charset,
            bom: self.bom,
        };
        text.encode().ok_or(Damaged::Charset)
    }
}

/// Returns `text` as a file in UTF-8 has it.
pub(super) fn text_of(text: &str) -> Text {
    Text {
        text: text.to_owned(),
        charset: Charset::Utf8,
        bom: false,
    }
}

/// Says whether XML 1.0 forbids this byte's character: C0, but for tab and line ends.
fn is_control(byte: u8) -> bool {
    byte < 0x20 && byte != b'\t' && byte != b'\n' && byte != b'\r'
}

fn has_pictures(text: &str) -> bool {
    text.contains(|c| ('\u{2400}'..='\u{241f}').contains(&c))
}

fn control_of(picture: char) -> char {
    if ('\u{2400}'..='\u{241f}').contains(&picture) {
        char::from_u32(picture as u32 - 0x2400).unwrap_or(picture)
    } else {
        picture
    }
}

fn base64_body(bytes: &[u8], container: Container) -> String {
    let packed = BASE64_STANDARD.encode(bytes);
    let mut body = String::with_capacity(packed.len() + packed.len() / BASE64_LINE + 4);
    body.push_str(container.beginning());
    let mut rest = packed.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(BASE64_LINE));
        body.push_str(line);
        body.push('\n');
        rest = after;
    }
    if packed.is_empty() {
        body.push('\n');
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks body and facts, and that the parser's view of the body restores the bytes.
    #[track_caller]
    fn check(bytes: &[u8], body: &str, crlf: bool, controls: Controls) {
        let text = Text::decode(bytes.to_vec()).unwrap();
        let (got, carriage) = Carriage::carry_in_cdata(&text);
        assert_eq!(
            (got.as_str(), carriage.crlf, carriage.controls),
            (body, crlf, controls)
        );
        let content = got[2..].replace(RETURN, "\r").replace(SPLIT_END, "]]>");
        // In lines, the same without what CDATA needs.
        let in_lines = Carriage::carry_in_lines(&text);
        assert_eq!(in_lines, (format!("\n{content}"), carriage.clone()));
        let restored = carriage.restore(content.strip_suffix('\n').unwrap());
        assert_eq!(restored.unwrap(), bytes);
    }

    #[test]
    fn each_row_of_the_table() {
        use Controls::{Absent, Base64, Pictures};
        check(b"", "[\n\n", false, Absent);
        check(b"a\n", "[\na\n\n", false, Absent);
        check(b"\n\n a", "[\n\n\n a\n", false, Absent);
        check(b"a\r\nb\r\n", "[\na\nb\n\n", true, Absent);
        check(b"a\r\nb", "[\na\nb\n", true, Absent);
        check(b"a\r\nb\n", "[\na]]>&#13;<![CDATA[\nb\n\n", false, Absent);
        check(
            b"a\rb\r\n",
            "[\na]]>&#13;<![CDATA[b]]>&#13;<![CDATA[\n\n",
            false,
            Absent,
        );
        check(b"\r", "[\n]]>&#13;<![CDATA[\n", false, Absent);
        check(b"x]]>y]]", "[\nx]]]]><![CDATA[>y]]\n", false, Absent);
        check(b"]]\r>", "[\n]]]]>&#13;<![CDATA[>\n", false, Absent);
        check(
            b"\x1b[0m\x0c\t",
            "[\n\u{241b}[0m\u{240c}\t\n",
            false,
            Pictures,
        );
        check(b"\x01\r\n", "[\n\u{2401}\n\n", true, Pictures);
        check("\u{1}\u{2401}".as_bytes(), "[\nAeKQgQ==\n", false, Base64);
        check("\u{ffff}".as_bytes(), "[\n77+/\n", false, Base64);
        check(
            "\u{2401}\u{7f}\u{85}\u{2028}\u{fffd}".as_bytes(),
            "[\n\u{2401}\u{7f}\u{85}\u{2028}\u{fffd}\n",
            false,
            Absent,
        );
        check(b"\xef\xbb\xbfa", "[\na\n", false, Absent);
        check(b"\xff\xfea\0\x01\0", "[\na\u{2401}\n", false, Pictures);
    }

    #[test]
    fn long_base64_is_cut_into_lines() {
        let bytes = ["\u{fffe}".as_bytes(), &[b'a'; 200]].concat();
        let (body, carriage) = Carriage::carry_in_lines(&Text::decode(bytes.clone()).unwrap());
        assert!(body.lines().all(|line| line.len() <= BASE64_LINE));
        assert_eq!(carriage.restore(&body).unwrap(), bytes);
    }

    #[test]
    fn damage_is_seen() {
        let mut carriage = Carriage::of_spelling(&text_of("a"));
        carriage.charset = Charset::parse("windows-1252").unwrap();
        assert_eq!(carriage.restore("\u{4e00}"), Err(Damaged::Charset));
        carriage.controls = Controls::Base64;
        assert_eq!(carriage.restore("!"), Err(Damaged::Base64));
    }
}
