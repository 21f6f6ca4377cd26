//! Ignore rules as git reads them: folder by folder, the nearest first.
//!
//! Rules are read beneath the root and only from regular files of a sane size; the glob language is
//! that of git, whose differences to the matcher's are translated.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::fs::{self, Entry, Root, SystemKind};
use crate::git::{RuleFiles, Snapshot};
use crate::path::{RepoPath, shown};

/// Rule files beyond this size are taken for something else.
const MAX_RULES_BYTES: u64 = 4 << 20;

const OURS: &[u8] = b".twostepignore";
const GIT: &[u8] = b".gitignore";

/// Whether rules match in any case.
#[derive(Clone, Copy)]
enum Case {
    Exact,
    Any,
}

/// A rule file whose rules do not hold, and why.
pub(super) struct Unread {
    /// Where it is, as text that a terminal can show.
    pub(super) path: String,
    /// Why it could not be read.
    pub(super) why: String,
}

/// The rules that hold in a folder.
pub(super) struct Rules {
    /// Those of the folders above it; none at the root.
    above: Option<Arc<Rules>>,
    /// How many bytes of a path lead to the folder.
    prefix: usize,
    case: Case,
    /// Our own, by `.twostepignore`: asked first.
    ours: Gitignore,
    /// Those of `.gitignore`.
    git: Gitignore,
    /// Those of `.git/info/exclude` and of the user, in the order in which they are asked; at the root only.
    last: Vec<Gitignore>,
}

impl Rules {
    /// Reads the rules of the root, with those that git keeps outside the tree.
    ///
    /// `has` says which files there are; those that cannot be read are added to `unread`.
    pub(super) fn of_root(
        root: &Root,
        git: Option<&Snapshot>,
        has: impl Fn(&[u8]) -> bool,
        unread: &mut Vec<Unread>,
    ) -> Arc<Self> {
        let files = git.map_or_else(RuleFiles::of_user, |git| git.rules.clone());
        let case = if files.ignore_case {
            Case::Any
        } else {
            Case::Exact
        };
        let last = files.files.iter().map(|path| outside(path, case, unread));
        let last = last.collect();
        let mut read = |name| {
            let rules = has(name).then(|| beneath(root, None, name, case, unread));
            rules.unwrap_or_else(Gitignore::empty)
        };
        Arc::new(Self {
            above: None,
            prefix: 0,
            case,
            ours: read(OURS),
            git: read(GIT),
            last,
        })
    }

    /// Reads the rules of a folder as if nothing were above it.
    pub(super) fn of_folder(
        root: &Root,
        folder: &RepoPath,
        has: impl Fn(&[u8]) -> bool,
        unread: &mut Vec<Unread>,
    ) -> Arc<Self> {
        let nothing = Self {
            above: None,
            prefix: 0,
            case: Case::Exact,
            ours: Gitignore::empty(),
            git: Gitignore::empty(),
            last: Vec::new(),
        };
        Arc::new(nothing).enter(root, folder, has, unread)
    }

    /// Returns the rules that hold in `folder`, which is in the folder of these; see [`Rules::of_root`].
    pub(super) fn enter(
        self: Arc<Self>,
        root: &Root,
        folder: &RepoPath,
        has: impl Fn(&[u8]) -> bool,
        unread: &mut Vec<Unread>,
    ) -> Arc<Self> {
        if !has(OURS) && !has(GIT) {
            return self;
        }
        let mut read = |name| {
            let rules = has(name).then(|| beneath(root, Some(folder), name, self.case, unread));
            rules.unwrap_or_else(Gitignore::empty)
        };
        Arc::new(Self {
            prefix: folder.as_bytes().len() + 1,
            case: self.case,
            ours: read(OURS),
            git: read(GIT),
            last: Vec::new(),
            above: Some(self),
        })
    }

    /// Says whether `path`, whose folder is not ignored, is.
    pub(super) fn ignore(&self, path: &RepoPath, is_folder: bool) -> bool {
        let near = |of: fn(&Self) -> &Gitignore| {
            let levels = std::iter::successors(Some(self), |rules| rules.above.as_deref());
            levels
                .map(|rules| of(rules).matched(tail(path, rules.prefix), is_folder))
                .find(|found| !found.is_none())
        };
        let root = std::iter::successors(Some(self), |rules| rules.above.as_deref()).last();
        let last = root.into_iter().flat_map(|root| &root.last);
        let found = near(|rules| &rules.ours)
            .or_else(|| near(|rules| &rules.git))
            .or_else(|| {
                last.map(|rules| rules.matched(path.as_path(), is_folder))
                    .find(|found| !found.is_none())
            });
        matches!(found, Some(Match::Ignore(_)))
    }
}

/// Says whether `folder` is ignored, itself or with a folder that it is in.
pub(super) fn is_ignored(root: &Root, git: Option<&Snapshot>, folder: &RepoPath) -> bool {
    let has = |_: &[u8]| true;
    let mut rules = Rules::of_root(root, git, has, &mut Vec::new());
    let bytes = folder.as_bytes();
    let ends = memchr::memchr_iter(b'/', bytes).chain([bytes.len()]);
    for above in ends.filter_map(|end| RepoPath::parse(&bytes[..end]).ok()) {
        if rules.ignore(&above, true) {
            return true;
        }
        rules = rules.enter(root, &above, has, &mut Vec::new());
    }
    false
}

/// Returns what of a path is behind its first bytes.
fn tail(path: &RepoPath, prefix: usize) -> &Path {
    Path::new(OsStr::from_bytes(&path.as_bytes()[prefix..]))
}

/// Reads the rule file `name` in a folder of the repository; it has no rules if it cannot be read.
fn beneath(
    root: &Root,
    folder: Option<&RepoPath>,
    name: &[u8],
    case: Case,
    unread: &mut Vec<Unread>,
) -> Gitignore {
    let start = folder.map_or(Vec::new(), |folder| [folder.as_bytes(), b"/"].concat());
    let Ok(path) = RepoPath::parse(&[&start, name].concat()) else {
        return Gitignore::empty();
    };
    let why = match root.read(&path, MAX_RULES_BYTES) {
        Ok(Entry::Whole(bytes)) => return parse(&bytes, case),
        Ok(Entry::TooLarge { .. }) => "it is too large".to_owned(),
        Err(error) => error.source.to_string(),
    };
    let path = path.to_string();
    unread.push(Unread { path, why });
    Gitignore::empty()
}

/// Reads a rule file outside the tree, if it is there; it has no rules if it cannot be read.
fn outside(path: &Path, case: Case, unread: &mut Vec<Unread>) -> Gitignore {
    if matches!(fs::kind(path), Ok(SystemKind::Missing)) {
        return Gitignore::empty();
    }
    match fs::read_regular(path, MAX_RULES_BYTES) {
        Ok(bytes) => parse(&bytes, case),
        Err(error) => {
            let path = shown(path).into_owned();
            let why = error.source.to_string();
            unread.push(Unread { path, why });
            Gitignore::empty()
        }
    }
}

fn parse(bytes: &[u8], case: Case) -> Gitignore {
    let mut builder = GitignoreBuilder::new("");
    // The one error that there is comes with globs, of which there are none yet.
    let _ = builder.case_insensitive(matches!(case, Case::Any));
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    for line in bytes.split(|&byte| byte == b'\n') {
        if let Some(rule) = translate(line) {
            // A glob that the matcher does not take matches nothing, as in git.
            let _ = builder.add_line(None, &rule);
        }
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

/// Returns a line of git's as the matcher reads it; none if it is no rule, or matches nothing.
///
/// To git, braces are plain characters, classes have names, a tab at the end counts, and a `[`
/// that is not closed or a `\` at the end make a rule that matches nothing.
fn translate(line: &[u8]) -> Option<String> {
    let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
    if line.starts_with('#') {
        return None;
    }
    let line = trim_spaces(&line);
    let (mark, rest) = line
        .strip_prefix('!')
        .map_or(("", line), |rest| ("!", rest));
    if rest.trim_matches('/').is_empty() {
        return None;
    }
    let is_name = !rest.strip_suffix('/').unwrap_or(rest).contains('/');
    // A rule without `/` is for names in any folder; said here, for a class may bring one in.
    let mut out = format!("{mark}{}", if is_name { "**/" } else { "" });
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                out.push('\\');
                out.push(chars.next()?);
            }
            '[' => push_class(&mut out, &mut chars)?,
            '{' | '}' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    // The matcher trims white space that git keeps.
    if let Some(last) = out
        .chars()
        .last()
        .filter(|last| last.is_whitespace() && !out.ends_with("\\ "))
    {
        out.pop();
        out.extend(['[', last, ']']);
    }
    Some(out)
}

/// Takes away the spaces at the end of a line, but for one behind a `\`.
fn trim_spaces(line: &str) -> &str {
    let mut end = 0;
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            ' ' => {}
            '\\' => end = chars.next().map_or(line.len(), |(at, c)| at + c.len_utf8()),
            _ => end = at + c.len_utf8(),
        }
    }
    &line[..end]
}

/// Writes a class of characters whose `[` was read; none if it is not closed or has an unknown name.
fn push_class(out: &mut String, chars: &mut std::str::Chars<'_>) -> Option<()> {
    let mut members = String::new();
    let mut is_negative = false;
    let mut is_first = true;
    loop {
        let c = chars.next()?;
        match c {
            '!' | '^' if is_first && !is_negative => {
                is_negative = true;
                continue;
            }
            ']' if !is_first => break,
            '[' if chars.as_str().starts_with(':') => {
                let (name, rest) = chars.as_str()[1..].split_once(":]")?;
                members.push_str(named_class(name)?);
                *chars = rest.chars();
            }
            '\\' => members.push(chars.next()?),
            _ => members.push(c),
        }
        is_first = false;
    }
    // No class of git's matches a `/`.
    members.retain(|c| c != '/');
    if is_negative {
        members.push('/');
    } else if members.is_empty() {
        return None;
    }
    // To the matcher, a `]` is a member where it stands first.
    if let Some(at) = members.find(']') {
        members.remove(at);
        members.insert(0, ']');
    }
    // And a `!` or `^` there negates, unless something stands before it that no path holds.
    if !is_negative && members.starts_with(['!', '^']) {
        members.insert(0, '\0');
    }
    out.push('[');
    out.push_str(if is_negative { "!" } else { "" });
    out.push_str(&members);
    out.push(']');
    Some(())
}

/// Returns the members of a class that POSIX names, in ASCII as in git.
fn named_class(name: &str) -> Option<&'static str> {
    Some(match name {
        "alnum" => "0-9A-Za-z",
        "alpha" => "A-Za-z",
        "blank" => " \t",
        "cntrl" => "\u{1}-\u{1f}\u{7f}",
        "digit" => "0-9",
        "graph" => "!-~",
        "lower" => "a-z",
        "print" => " -~",
        "punct" => "!-.:-@[-`{-~",
        "space" => " \t\n\u{b}\u{c}\r",
        "upper" => "A-Z",
        "xdigit" => "0-9A-Fa-f",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_git_reads_them() {
        for (line, rule) in [
            (&b"*.log"[..], Some("**/*.log")),
            (b"!/a/b", Some("!/a/b")),
            (b"a/", Some("**/a/")),
            (b"# comment", None),
            (b"", None),
            (b"!", None),
            (b"/", None),
            (b"a \r", Some("**/a")),
            (b"a\\  ", Some("**/a\\ ")),
            (b"a\t", Some("**/a[\t]")),
            (b"*.{js,ts}", Some("**/*.\\{js,ts\\}")),
            (b"a\\", None),
            (b"a[b", None),
            (b"[[:digit:]x]", Some("**/[0-9x]")),
            (b"[[:nonsense:]]", None),
            (b"[!]a]", Some("**/[!]a/]")),
            (b"[a\\]b]", Some("**/[]ab]")),
            (b"[\\!a]", Some("**/[\0!a]")),
            (b"x[/]y", None),
            (b"caf\xe9", Some("**/caf\u{fffd}")),
            (b"\\#a", Some("**/\\#a")),
        ] {
            assert_eq!(
                translate(line).as_deref(),
                rule,
                "{}",
                String::from_utf8_lossy(line)
            );
        }
    }
}
