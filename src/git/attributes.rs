//! What git's attribute files say of a path: as data, for nothing that they name is run.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice;
use gix::glob::pattern::Case;
use gix_attributes::search::{MetadataCollection, Outcome};
use gix_attributes::{Search, StateRef};

use crate::path::RepoPath;

/// The rules that hold in one folder.
pub struct AttributeRules {
    search: Search,
    collection: MetadataCollection,
}

/// What the rules say of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// What becomes of CR LF on the way to git.
    pub line_ends: LineEnds,
    /// Whether differences are shown as text (`diff`) or not (`-diff`); nothing where the bytes decide.
    pub diff: Option<bool>,
    /// Whether git holds a pointer and Git LFS the bytes.
    pub is_lfs: bool,
}

/// What becomes of CR LF on the way to git.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnds {
    /// The rules say nothing: the configuration decides.
    Unsaid,
    /// It stays.
    Kept,
    /// It becomes LF.
    Text,
    /// It becomes LF in what looks like text, unless git holds it with CR LF.
    Auto,
}

const NAMES: [&str; 5] = ["text", "crlf", "eol", "diff", "filter"];

impl AttributeRules {
    /// Reads rules: those of attribute files, outermost first, each with the folder that it is in (the root's is empty), and the
    /// user's and the repository's own, which are not in the tree. What is no rule is passed over.
    pub fn parse(files: &[(Vec<u8>, Vec<u8>)], [users, own]: &[Vec<u8>; 2]) -> Self {
        let (mut search, mut collection) = (Search::default(), MetadataCollection::default());
        let root = Path::new("/");
        let mut add = |bytes: &[u8], source: PathBuf, root: Option<&Path>, macros: bool| {
            // It fails for names that are no UTF-8 where the system wants that; here it does not.
            let _ = search.add_patterns_buffer(bytes, source, root, &mut collection, macros);
        };
        add(
            b"[attr]binary -diff -merge -text",
            PathBuf::from("built in"),
            None,
            true,
        );
        add(users, PathBuf::from("the user's"), None, true);
        for (folder, bytes) in files {
            let source = root.join(OsStr::from_bytes(folder)).join(".gitattributes");
            add(bytes, source, Some(root), folder.is_empty());
        }
        add(own, PathBuf::from("info/attributes"), None, true);
        Self { search, collection }
    }

    /// Returns what the rules say of `path`.
    pub fn of(&self, path: &RepoPath) -> Attributes {
        let mut outcome = Outcome::default();
        outcome.initialize_with_selection(&self.collection, NAMES);
        self.search.pattern_matching_relative_path(
            path.as_bytes().as_bstr(),
            Case::Sensitive,
            Some(false),
            &mut outcome,
        );
        let states: Vec<StateRef<'_>> = outcome
            .iter_selected()
            .map(|found| found.assignment.state)
            .collect();
        let &[text, crlf, eol, diff, filter] = states.as_slice() else {
            return Attributes {
                line_ends: LineEnds::Unsaid,
                diff: None,
                is_lfs: false,
            };
        };
        let line_ends = match (line_ends(text), line_ends(crlf)) {
            (LineEnds::Unsaid, LineEnds::Unsaid) if is(eol, "lf") || is(eol, "crlf") => {
                LineEnds::Text
            }
            (LineEnds::Unsaid, older) => older,
            (said, _) => said,
        };
        Attributes {
            line_ends,
            diff: match diff {
                StateRef::Set => Some(true),
                StateRef::Unset => Some(false),
                StateRef::Value(_) | StateRef::Unspecified => None,
            },
            is_lfs: is(filter, "lfs"),
        }
    }
}

fn line_ends(state: StateRef<'_>) -> LineEnds {
    match state {
        StateRef::Set => LineEnds::Text,
        StateRef::Unset => LineEnds::Kept,
        StateRef::Value(_) if is(state, "auto") => LineEnds::Auto,
        StateRef::Value(_) if is(state, "input") => LineEnds::Text,
        StateRef::Value(_) | StateRef::Unspecified => LineEnds::Unsaid,
    }
}

fn is(state: StateRef<'_>, word: &str) -> bool {
    matches!(state, StateRef::Value(value) if value.as_bstr() == word)
}

#[cfg(test)]
mod tests {
    use super::LineEnds::{Auto, Kept, Text, Unsaid};
    use super::*;

    #[test]
    fn rules_hold_as_in_git() {
        let files = [
            (
                Vec::new(),
                b"* text=auto\n*.png binary\n*.lock -diff\n*.bin filter=lfs diff=lfs -text\n*.bat eol=crlf\n\
                  [attr]shown diff\n*.dump shown\n!x text\n*.old -text -crlf\n*.in text=input\n"
                    .to_vec(),
            ),
            (b"a/b".to_vec(), b"*.lock diff\n/here.txt -text\n".to_vec()),
        ];
        let rules = AttributeRules::parse(
            &files,
            &[
                b"*.in -text\n*.users -text\n".to_vec(),
                b"private -text\n*.lock !diff\n".to_vec(),
            ],
        );
        let none = AttributeRules::parse(
            &[],
            &[
                Vec::new(),
                b"*.bat eol=crlf\n*.c crlf\n*.d -crlf\n".to_vec(),
            ],
        );
        for (rules, path, line_ends, diff, is_lfs) in [
            (&rules, "x.rs", Auto, None, false),
            (&rules, "x.png", Kept, Some(false), false),
            (&rules, "a/x.lock", Auto, None, false),
            (&rules, "d/x.bin", Kept, None, true),
            (&rules, "x.dump", Auto, Some(true), false),
            (&rules, "a/b/here.txt", Kept, None, false),
            (&rules, "a/b/c/here.txt", Auto, None, false),
            (&rules, "private", Kept, None, false),
            (&rules, "x.in", Text, None, false),
            (&none, "x.rs", Unsaid, None, false),
            (&none, "x.bat", Text, None, false),
            (&none, "x.c", Text, None, false),
            (&none, "x.d", Kept, None, false),
        ] {
            let expected = Attributes {
                line_ends,
                diff,
                is_lfs,
            };
            let path = RepoPath::parse(path.as_bytes()).unwrap();
            assert_eq!(rules.of(&path), expected, "{path}");
        }
    }
}
