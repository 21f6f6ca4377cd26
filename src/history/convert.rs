//! A file's bytes as git would store them, as far as that needs no program: line ends, and pointers of Git LFS.

use crate::fs::{Entry, Root};
use crate::git::{self, AttributeRules, Attributes, LineEnds, Past, Staged, TreeSettings};
use crate::path::RepoPath;

/// Attribute files beyond this size are taken for something else.
const MAX_RULE_BYTES: u64 = 16 << 20;

/// How a pointer of Git LFS begins.
const POINTER: &str = "version https://git-lfs.github.com/spec/v1\n";

/// What the attribute files of a tree say, read as they are needed.
pub(super) struct Conversion<'a> {
    root: &'a Root,
    past: &'a Past,
    index: &'a [Staged],
    settings: TreeSettings,
    /// The rules of the folder that was asked for last.
    last: Option<(Vec<u8>, AttributeRules)>,
}

impl<'a> Conversion<'a> {
    pub(super) fn new(
        root: &'a Root,
        past: &'a Past,
        index: &'a [Staged],
        settings: TreeSettings,
    ) -> Self {
        Self {
            root,
            past,
            index,
            settings,
            last: None,
        }
    }

    /// Returns what the attribute files say of `path`.
    pub(super) fn attributes(&mut self, path: &RepoPath) -> Attributes {
        let rules = match self.last.take() {
            Some((folder, rules)) if folder == path.folder() => rules,
            _ => {
                let folders = path.folders().map(|folder| folder.as_bytes().to_vec());
                let folders = std::iter::once(Vec::new()).chain(folders);
                let files: Vec<_> = folders
                    .filter_map(|folder| self.rules_in(&folder).map(|rules| (folder, rules)))
                    .collect();
                AttributeRules::parse(&files, self.past.private_attributes())
            }
        };
        let attributes = rules.of(path);
        self.last = Some((path.folder().to_vec(), rules));
        attributes
    }

    /// Reads a folder's attribute file; what the index has of it, where it is deleted.
    fn rules_in(&self, folder: &[u8]) -> Option<Vec<u8>> {
        let name = match folder {
            [] => b".gitattributes".to_vec(),
            _ => [folder, b"/.gitattributes"].concat(),
        };
        let path = RepoPath::parse(&name).ok()?;
        match self.root.read(&path, MAX_RULE_BYTES) {
            Ok(Entry::Whole(bytes)) => Some(bytes),
            Ok(Entry::TooLarge { .. }) => None,
            Err(_) => {
                let at = self.index.binary_search_by(|staged| staged.path.cmp(&path));
                let object = self.index.get(at.ok()?)?.id;
                self.past
                    .objects()
                    .read_within(object, MAX_RULE_BYTES)
                    .ok()?
            }
        }
    }

    /// Returns the bytes of the file `path` as git would store them; `None` is too large to hold. `known` is what the index has.
    pub(super) fn to_git(
        &self,
        path: &RepoPath,
        attributes: Attributes,
        bytes: Option<Vec<u8>>,
        known: Option<&[u8]>,
    ) -> Option<Vec<u8>> {
        if attributes.is_lfs
            && let Some(known) = known.filter(|known| known.starts_with(POINTER.as_bytes()))
            && !bytes
                .as_ref()
                .is_some_and(|bytes| bytes.starts_with(POINTER.as_bytes()))
        {
            return self.pointer(path, known).or(bytes);
        }
        let is_wanted = |bytes: &[u8]| match attributes.line_ends {
            LineEnds::Kept => false,
            LineEnds::Text => true,
            LineEnds::Unsaid if !self.settings.normalizes_line_ends => false,
            LineEnds::Unsaid | LineEnds::Auto => {
                let has_crlf = |known: &[u8]| {
                    looks_like_text(known) && memchr::memmem::find(known, b"\r\n").is_some()
                };
                looks_like_text(bytes) && !known.is_some_and(has_crlf)
            }
        };
        bytes.map(|bytes| {
            if is_wanted(&bytes) {
                with_lf(&bytes)
            } else {
                bytes
            }
        })
    }

    /// Returns the pointer that Git LFS would store for a file: the known one, if it names the same bytes.
    fn pointer(&self, path: &RepoPath, known: &[u8]) -> Option<Vec<u8>> {
        let (file, _) = self.root.open_file(path).ok()?;
        let (hash, n_bytes) = git::sha256(file).ok()?;
        let named = format!("oid sha256:{hash}\nsize {n_bytes}\n");
        if known.ends_with(named.as_bytes()) {
            return Some(known.to_vec());
        }
        Some([POINTER.as_bytes(), named.as_bytes()].concat())
    }
}

fn with_lf(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memmem::find(rest, b"\r\n") {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out
}

/// Says whether git takes bytes for text when it is to find out: no NUL, no CR but before LF, and hardly a control character.
fn looks_like_text(bytes: &[u8]) -> bool {
    let (mut n_shown, mut n_controls) = (0_usize, 0_usize);
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            0 => return false,
            b'\r' if bytes.get(at + 1) != Some(&b'\n') => return false,
            b'\r' | b'\n' => {}
            // Backspace, tab, form feed, escape.
            8 | b'\t' | 12 | 27 | 32..=126 | 128..=255 => n_shown += 1,
            // An old mark of the end of a file.
            26 if at + 1 == bytes.len() => {}
            1..=31 | 127 => n_controls += 1,
        }
    }
    n_shown >> 7 >= n_controls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cr_lf_becomes_lf_and_nothing_else_does() {
        for (bytes, expected) in [
            (&b"a\r\nb\r\n"[..], &b"a\nb\n"[..]),
            (b"a\rb\r\r\n\n", b"a\rb\r\n\n"),
            (b"\r", b"\r"),
            (b"", b""),
        ] {
            assert_eq!(with_lf(bytes), expected);
        }
    }

    #[test]
    fn text_is_known_as_git_knows_it() {
        for (bytes, expected) in [
            (&b"a\r\nb\n\t\x1b"[..], true),
            (b"a\rb", false),
            (b"a\0", false),
            (b"\x01", false),
            (b"\x1a", true),
            ("\u{e9}".as_bytes(), true),
            ([&[b'a'; 128][..], b"\x7f"].concat().as_slice(), true),
        ] {
            assert_eq!(looks_like_text(bytes), expected, "{bytes:?}");
        }
    }
}
