//! Paths inside a repository: bytes within, one reversible escape outside.
//!
//! In: bytes as git and the file system hold them. Out: [`RepoPath`]. No I/O.
//!
//! Invariant: a [`RepoPath`] is relative, uses `/`, and has no empty, `.` or `..` component and no NUL.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use unicode_normalization::UnicodeNormalization;

/// The path of a file relative to the root of its repository. Ordered bytewise.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(Box<[u8]>);

/// Why some bytes are no [`RepoPath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a path inside the repository: `{path}` ({why})")]
pub struct InvalidRepoPath {
    path: String,
    why: &'static str,
}

impl RepoPath {
    /// Takes `bytes` as a path with `/` between its components.
    ///
    /// # Errors
    ///
    /// Refuses what is empty, absolute, holds a NUL, or has an empty, `.` or `..` component.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidRepoPath> {
        let refuse = |why| {
            Err(InvalidRepoPath {
                path: escape(bytes).0.into_owned(),
                why,
            })
        };
        if bytes.is_empty() {
            return refuse("it is empty");
        }
        if bytes[0] == b'/' {
            return refuse("it is absolute");
        }
        if bytes.contains(&0) {
            return refuse("it holds a NUL byte");
        }
        for component in bytes.split(|&byte| byte == b'/') {
            match component {
                b"" => return refuse("it has an empty component"),
                b"." | b".." => return refuse("it has a `.` or `..` component"),
                _ => {}
            }
        }
        Ok(Self(bytes.into()))
    }

    /// Reads what [`RepoPath::escaped`] wrote.
    ///
    /// # Errors
    ///
    /// Refuses a broken escape, and whatever [`RepoPath::parse`] refuses.
    pub fn parse_escaped(text: &str) -> Result<Self, InvalidRepoPath> {
        let bytes = unescape(text).ok_or_else(|| InvalidRepoPath {
            path: text.to_owned(),
            why: "it has a broken escape",
        })?;
        Self::parse(&bytes)
    }

    /// Returns the bytes of the path.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the path as the operating system takes it, relative to the root.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// Returns the path as text, and whether it had to be escaped.
    ///
    /// A clean path (UTF-8 of characters that are seen) is itself. In any other, controls, bidi
    /// controls, what is invisible, U+FFFE, U+FFFF and bytes that are no UTF-8 are `\xHH`, and `\` is `\\`.
    pub fn escaped(&self) -> (Cow<'_, str>, bool) {
        escape(&self.0)
    }

    /// Returns the last component.
    pub fn name(&self) -> &[u8] {
        let start = memchr::memrchr(b'/', &self.0).map_or(0, |slash| slash + 1);
        &self.0[start..]
    }

    /// Returns the path of the folder that this is in; that of the root is empty.
    pub fn folder(&self) -> &[u8] {
        &self.0[..memchr::memrchr(b'/', &self.0).unwrap_or(0)]
    }

    /// Returns the path of the folder that this is in; none for what is in the root.
    pub fn parent(&self) -> Option<Self> {
        let folder = self.folder();
        (!folder.is_empty()).then(|| Self(folder.into()))
    }

    /// Returns the paths of the folders that this is in, outermost first.
    pub fn folders(&self) -> impl DoubleEndedIterator<Item = Self> {
        memchr::memchr_iter(b'/', &self.0).map(|end| Self(self.0[..end].into()))
    }

    /// Says whether this is in `folder`, or in a folder of it.
    pub fn is_in(&self, folder: &Self) -> bool {
        self.0
            .strip_prefix(folder.as_bytes())
            .is_some_and(|rest| rest.starts_with(b"/"))
    }

    /// Returns the components, outermost first.
    pub fn components(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|&byte| byte == b'/')
    }

    /// Returns what the path is to a file system that tells neither case nor the ways to write one letter apart.
    pub fn folded(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        text.nfc().collect::<String>().to_lowercase()
    }

    /// Says whether a component is `.git` in any spelling that some file system takes for it.
    pub fn is_git_internal(&self) -> bool {
        self.components().any(|component| {
            let lower: Vec<u8> = String::from_utf8_lossy(component)
                .chars()
                // HFS+ ignores these; git refuses them for the same reason.
                .filter(|&c| !matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}'))
                .collect::<String>()
                .to_lowercase()
                .into_bytes();
            // NTFS drops trailing dots and spaces, and what follows a colon; `git~1` is its short name.
            let stream = lower.split(|&byte| byte == b':').next().unwrap_or_default();
            let end = stream.iter().rposition(|byte| !b". ".contains(byte));
            let bare = end.map_or(&stream[..0], |last| &stream[..=last]);
            bare == b".git" || bare == b"git~1"
        })
    }
}

impl fmt::Display for RepoPath {
    /// Writes the path as text that a terminal can show; see [`RepoPath::escaped`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.escaped().0)
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

impl serde::Serialize for RepoPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        as_text::serialize(&self.0, serializer)
    }
}

impl<'de> serde::Deserialize<'de> for RepoPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = as_text::deserialize(deserializer)?;
        Self::parse(&bytes).map_err(serde::de::Error::custom)
    }
}

/// Bytes in a file of ours: always in the escaped form, so that nothing beside it says whether they are.
pub mod as_text {
    use std::borrow::Cow;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    /// Writes `bytes` escaped.
    ///
    /// # Errors
    ///
    /// As the serializer.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        match super::escape(bytes) {
            (text, false) if text.contains('\\') => {
                serializer.serialize_str(&text.replace('\\', "\\\\"))
            }
            (text, _) => serializer.serialize_str(&text),
        }
    }

    /// Reads what [`serialize`] wrote.
    ///
    /// # Errors
    ///
    /// Refuses a broken escape.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        super::unescape(&text).ok_or_else(|| D::Error::custom("it has a broken escape"))
    }
}

/// Says whether a path with this character is escaped: controls, noncharacters of XML, and what is not seen.
fn is_unclean(c: char) -> bool {
    c.is_control() || is_bidi(c) || is_invisible(c) || matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// Says whether a character turns the direction of text round.
pub fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Says whether a character takes no room of its own: the format characters of Unicode but for those
/// that turn text round, and its two line separators.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
        | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0001}' | '\u{e0020}'..='\u{e007f}')
}

/// Returns any bytes as text, and whether they had to be escaped; see [`RepoPath::escaped`].
pub fn escape(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    use fmt::Write as _;
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.chars().any(is_unclean)
    {
        return (Cow::Borrowed(text), false);
    }
    let mut out = String::with_capacity(bytes.len() + 8);
    let hex = |out: &mut String, bytes: &[u8]| {
        for byte in bytes {
            let _ = write!(out, "\\x{byte:02x}");
        }
    };
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_unclean(c) {
                hex(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes());
            } else if c == '\\' {
                out.push_str("\\\\");
            } else {
                out.push(c);
            }
        }
        hex(&mut out, chunk.invalid());
    }
    (Cow::Owned(out), true)
}

/// Returns a path of the system as text that a terminal can show on one line; see [`RepoPath::escaped`].
pub fn shown(path: &Path) -> Cow<'_, str> {
    escape(path.as_os_str().as_bytes()).0
}

/// Returns the bytes that [`escape`] escaped; none where it did not write this.
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        if byte != b'\\' {
            bytes.push(byte);
            rest = tail;
            continue;
        }
        match tail {
            [b'\\', tail @ ..] => {
                bytes.push(b'\\');
                rest = tail;
            }
            [b'x', high, low, tail @ ..] => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                bytes.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
                rest = tail;
            }
            _ => return None,
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_what_is_not_inside() {
        for bytes in [
            &b""[..],
            b"/etc/passwd",
            b"../x",
            b"a/../b",
            b"a//b",
            b"a/",
            b"./a",
            b"a\0b",
        ] {
            assert!(RepoPath::parse(bytes).is_err(), "{}", escape(bytes).0);
        }
    }

    #[test]
    fn a_clean_path_is_itself_and_any_other_is_escaped() {
        for (bytes, text, is_escaped) in [
            (&b"src/main.rs"[..], "src/main.rs", false),
            (b"back\\slash.txt", "back\\slash.txt", false),
            ("\u{e9}t\u{e9}.md".as_bytes(), "\u{e9}t\u{e9}.md", false),
            (
                "\u{e9}\u{202e}.md".as_bytes(),
                "\u{e9}\\xe2\\x80\\xae.md",
                true,
            ),
            ("a\u{200b}b".as_bytes(), "a\\xe2\\x80\\x8bb", true),
            (b"new\nline", "new\\x0aline", true),
            (b"a\\b\xff", "a\\\\b\\xff", true),
            ("\u{85}".as_bytes(), "\\xc2\\x85", true),
        ] {
            let path = RepoPath::parse(bytes).unwrap();
            assert_eq!(path.escaped(), (Cow::Borrowed(text), is_escaped));
        }
    }

    #[test]
    fn knows_git_in_any_spelling() {
        for name in [
            ".git",
            ".GIT/config",
            "a/.Git",
            ".git.",
            ".git ",
            "git~1/x",
            ".git::$INDEX_ALLOCATION",
            ".g\u{200c}it",
        ] {
            assert!(
                RepoPath::parse(name.as_bytes()).unwrap().is_git_internal(),
                "{name}"
            );
        }
        for name in [".gitignore", "git", ".github/x", "a.git", "x~1"] {
            assert!(
                !RepoPath::parse(name.as_bytes()).unwrap().is_git_internal(),
                "{name}"
            );
        }
    }

    #[test]
    fn paths_that_some_file_systems_do_not_tell_apart_are_folded_to_one() {
        let folded = |name: &str| RepoPath::parse(name.as_bytes()).unwrap().folded();
        for (one, other, expected) in [
            ("src/A.rs", "SRC/a.rs", true),
            ("caf\u{e9}", "cafe\u{301}", true),
            ("\u{c9}", "e\u{301}", true),
            ("a", "b", false),
            ("a-b", "a_b", false),
        ] {
            assert_eq!(folded(one) == folded(other), expected, "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn the_escape_is_reversible(bytes in proptest::collection::vec(any::<u8>(), 1..40)) {
            if let Ok(path) = RepoPath::parse(&bytes) {
                let (text, escaped) = path.escaped();
                prop_assert!(!text.chars().any(is_unclean));
                let back = if escaped { RepoPath::parse_escaped(&text) } else { RepoPath::parse(text.as_bytes()) };
                prop_assert_eq!(back.as_ref(), Ok(&path));
                let text = serde_json::to_string(&path).unwrap();
                prop_assert_eq!(serde_json::from_str::<RepoPath>(&text).unwrap(), path);
            }
        }
    }
}
