//! Bytes to text and back: a charset is taken only if the text encodes to the same bytes again.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;

use crate::path::{is_bidi, is_invisible};

/// How far a NUL byte marks a file as binary; the figure is git's.
const BINARY_HEAD_BYTES: usize = 8000;

const BOM: &str = "\u{feff}";

/// The text of a file, and what it takes to make its bytes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text, without a byte order mark; line ends are as in the file.
    pub text: String,
    /// How the bytes spell it.
    pub charset: Charset,
    /// Whether a byte order mark stood before it.
    pub bom: bool,
}

/// How many characters of a text a reader does not see, though they may change what is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unseen {
    /// Those that turn the direction of text round.
    pub n_bidi: usize,
    /// Those that take no room.
    pub n_invisible: usize,
}

/// A way to spell text in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8.
    Utf8,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// One of the older ones.
    Legacy(&'static Encoding),
}

impl Charset {
    /// Returns the name by which [`Charset::parse`] knows it: that of the WHATWG Encoding Standard, in small letters.
    pub fn name(self) -> String {
        match self {
            Self::Utf8 => "utf-8".to_owned(),
            Self::Utf16Le => "utf-16le".to_owned(),
            Self::Utf16Be => "utf-16be".to_owned(),
            Self::Legacy(encoding) => encoding.name().to_ascii_lowercase(),
        }
    }

    /// Finds a charset by its name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "utf-8" => Some(Self::Utf8),
            "utf-16le" => Some(Self::Utf16Le),
            "utf-16be" => Some(Self::Utf16Be),
            // Only names that `name` gives, of charsets that can be written and not just read.
            _ => Encoding::for_label(name.as_bytes())
                .filter(|encoding| encoding.name().eq_ignore_ascii_case(name))
                .filter(|encoding| {
                    encoding.output_encoding() == *encoding && *encoding != encoding_rs::UTF_8
                })
                .map(Self::Legacy),
        }
    }
}

impl Text {
    /// Decodes the bytes of a file; gives them back if they are no text.
    ///
    /// # Errors
    ///
    /// Refuses bytes with a NUL near the beginning, and bytes that no charset spells exactly.
    pub fn decode(bytes: Vec<u8>) -> Result<Self, Vec<u8>> {
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Self::decode_utf16(&bytes).ok_or(bytes);
        }
        if memchr::memchr(0, &bytes[..bytes.len().min(BINARY_HEAD_BYTES)]).is_some() {
            return Err(bytes);
        }
        match String::from_utf8(bytes) {
            Ok(mut text) => {
                let bom = text.starts_with(BOM);
                if bom {
                    text.drain(..BOM.len());
                }
                Ok(Self {
                    text,
                    charset: Charset::Utf8,
                    bom,
                })
            }
            Err(error) => Self::decode_legacy(error.as_bytes()).ok_or_else(|| error.into_bytes()),
        }
    }

    /// Takes any bytes as text: those that are none in any charset by the characters of windows-1252, which has one
    /// for each byte.
    pub fn of_any(bytes: Vec<u8>) -> Self {
        Self::decode(bytes).unwrap_or_else(|bytes| Self {
            text: encoding_rs::WINDOWS_1252
                .decode_without_bom_handling(&bytes)
                .0
                .into_owned(),
            charset: Charset::Legacy(encoding_rs::WINDOWS_1252),
            bom: false,
        })
    }

    /// Counts the characters that a reader does not see.
    pub fn unseen(&self) -> Unseen {
        let mut unseen = Unseen::default();
        // Most text is ASCII, and looked at no further.
        if !self.text.is_ascii() {
            for c in self.text.chars().filter(|c| !c.is_ascii()) {
                unseen.n_bidi += usize::from(is_bidi(c));
                unseen.n_invisible += usize::from(is_invisible(c));
            }
        }
        unseen
    }

    /// Returns the bytes of the file again; none if the charset cannot spell the text.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mark = if self.bom { BOM } else { "" };
        let units = || mark.encode_utf16().chain(self.text.encode_utf16());
        match self.charset {
            Charset::Utf8 => Some([mark.as_bytes(), self.text.as_bytes()].concat()),
            Charset::Utf16Le => Some(units().flat_map(u16::to_le_bytes).collect()),
            Charset::Utf16Be => Some(units().flat_map(u16::to_be_bytes).collect()),
            Charset::Legacy(encoding) => {
                let (bytes, _, unmappable) = encoding.encode(&self.text);
                (!unmappable && !self.bom).then(|| bytes.into_owned())
            }
        }
    }

    fn decode_utf16(bytes: &[u8]) -> Option<Self> {
        let (mark, rest) = bytes.split_at(2);
        let (pairs, []) = rest.as_chunks::<2>() else {
            return None;
        };
        let (charset, unit): (_, fn([u8; 2]) -> u16) = match mark {
            b"\xff\xfe" => (Charset::Utf16Le, u16::from_le_bytes),
            _ => (Charset::Utf16Be, u16::from_be_bytes),
        };
        let text: String = char::decode_utf16(pairs.iter().copied().map(unit))
            .collect::<Result<_, _>>()
            .ok()?;
        // UTF-32 begins alike, and binary data may.
        (!text.contains('\0')).then_some(Self {
            text,
            charset,
            bom: true,
        })
    }

    fn decode_legacy(bytes: &[u8]) -> Option<Self> {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(bytes, true);
        let encoding = detector.guess(None, Utf8Detection::Deny);
        let text = encoding
            .decode_without_bom_handling_and_without_replacement(bytes)?
            .into_owned();
        // Any bytes are text in some charset; those of a text hold no control characters.
        if text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}'))
        {
            return None;
        }
        let text = Self {
            text,
            charset: Charset::Legacy(encoding),
            bom: false,
        };
        (text.encode()? == bytes).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], text: &str, charset: &str, bom: bool) {
        let decoded = Text::decode(bytes.to_vec()).unwrap();
        assert_eq!(
            (
                decoded.text.as_str(),
                decoded.charset.name().as_str(),
                decoded.bom
            ),
            (text, charset, bom)
        );
        assert_eq!(decoded.encode().unwrap(), bytes);
    }

    #[test]
    fn each_charset_is_known_and_spelled_again() {
        check(b"", "", "utf-8", false);
        check(
            "na\u{ef}ve\r\n".as_bytes(),
            "na\u{ef}ve\r\n",
            "utf-8",
            false,
        );
        check(b"\xef\xbb\xbfx", "x", "utf-8", true);
        check(b"\xef\xbb\xbf\xef\xbb\xbfx", "\u{feff}x", "utf-8", true);
        check(b"\xff\xfeh\0i\0", "hi", "utf-16le", true);
        check(
            b"\xfe\xff\0h\xd8\x3d\xde\x00",
            "h\u{1f600}",
            "utf-16be",
            true,
        );
        check(
            b"caf\xe9 cr\xe8me, gar\xe7on et d\xe9j\xe0 vu\n",
            "caf\u{e9} cr\u{e8}me, gar\u{e7}on et d\u{e9}j\u{e0} vu\n",
            "windows-1252",
            false,
        );
        check(
            b"\x93\xfa\x96{\x8c\xea\x82\xcc\x83e\x83L\x83X\x83g\n",
            "\u{65e5}\u{672c}\u{8a9e}\u{306e}\u{30c6}\u{30ad}\u{30b9}\u{30c8}\n",
            "shift_jis",
            false,
        );
    }

    #[test]
    fn what_is_no_text_comes_back() {
        for bytes in [
            &b"\x7fELF\0\0"[..],
            b"\xff\xfe\0\xd8",
            b"\xff\xfeabc",
            b"\xff\xfe\0\0a\0\0\0",
            b"\x1f\x8b\x08\xff\xc3\x28\x01",
            b"\xc3(\x1b[",
        ] {
            assert_eq!(Text::decode(bytes.to_vec()), Err(bytes.to_vec()));
        }
    }

    #[test]
    fn any_bytes_can_be_taken_as_text() {
        let all: Vec<u8> = (0..=255).collect();
        for bytes in [&all[..], b"+caf\xe9\n+\xc3\xa9\x1b\n"] {
            let text = Text::of_any(bytes.to_vec());
            assert_eq!(text.charset.name(), "windows-1252");
            assert_eq!(text.encode().unwrap(), bytes);
        }
        assert_eq!(Text::of_any(b"plain".to_vec()).charset, Charset::Utf8);
    }

    #[test]
    fn a_nul_far_from_the_beginning_is_a_character() {
        let mut bytes = vec![b'a'; BINARY_HEAD_BYTES];
        bytes.push(0);
        assert!(Text::decode(bytes.clone()).is_ok());
        bytes.remove(0);
        assert!(Text::decode(bytes).is_err());
    }

    #[test]
    fn a_charset_that_cannot_be_written_is_none() {
        for name in [
            "utf-16",
            "UTF-16LE",
            "replacement",
            "iso-2022-kr",
            "latin1",
            "nonsense",
            "",
        ] {
            assert_eq!(Charset::parse(name), None, "{name}");
        }
    }

    #[test]
    fn what_is_not_seen_is_counted() {
        for (text, n_bidi, n_invisible) in [
            ("plain\u{1b}\n", 0, 0),
            ("caf\u{e9} \u{65e5}\u{672c}", 0, 0),
            ("a\u{202e}b\u{2066}\u{2069}", 3, 0),
            ("a\u{200b}b\u{ad}\u{2028}\u{e0041}", 0, 4),
        ] {
            let text = Text::decode(text.into()).unwrap();
            assert_eq!(
                text.unseen(),
                Unseen {
                    n_bidi,
                    n_invisible
                },
                "{text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn decoded_text_encodes_to_the_same_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(text) = Text::decode(bytes.clone()) {
                prop_assert_eq!(text.encode(), Some(bytes));
                prop_assert_eq!(Charset::parse(&text.charset.name()), Some(text.charset));
            }
        }
    }
}
