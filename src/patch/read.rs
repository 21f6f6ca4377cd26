//! A patch taken apart.

use super::{Mode, NO_NEWLINE, base85};
use crate::fs::FsError;
use crate::git;
use crate::path::RepoPath;

/// A patch cannot be read or applied. Nothing was written, unless the system refused in the middle of it.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// It is not well-formed, or of a kind that is not applied.
    #[error("line {line} of the patch: {why}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// A file is not as the patch expects it.
    #[error("the patch does not fit `{path}`: {why}")]
    File {
        /// The file.
        path: RepoPath,
        /// What is wrong.
        why: String,
    },
    /// A hunk does not match at the line that it names.
    #[error("hunk {hunk} of `{path}` does not match: {why}")]
    Hunk {
        /// The file.
        path: RepoPath,
        /// Counted from 1, in the file.
        hunk: usize,
        /// What is wrong.
        why: String,
    },
    /// The system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}

/// What a patch does to one path.
pub(super) struct Section {
    pub(super) path: RepoPath,
    /// What the file is said to be before; none if the patch makes it, or does not say.
    pub(super) old: Option<Mode>,
    /// What the file is to be; none if the patch does not say.
    pub(super) new: Option<Mode>,
    pub(super) fate: Fate,
    pub(super) body: Body,
}

/// Whether the file is there before and after.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Made,
    Deleted,
    Changed,
}

/// How the bytes change.
pub(super) enum Body {
    Same,
    Hunks(Vec<Hunk>),
    /// All of the new bytes, with the id of the old.
    Binary {
        old_id: Vec<u8>,
        bytes: Vec<u8>,
    },
}

pub(super) struct Hunk {
    /// How many lines stand before it in the old and in the new text.
    pub(super) skipped: [usize; 2],
    /// Sign and line, its line break with it.
    pub(super) lines: Vec<(u8, Vec<u8>)>,
}

/// The lines of a patch; where reading is.
struct Lines<'a> {
    rest: &'a [u8],
    /// The line that was read last, counted from 1.
    number: usize,
}

impl<'a> Lines<'a> {
    /// Returns the next line without its line break.
    fn peek(&self) -> Option<&'a [u8]> {
        (!self.rest.is_empty()).then(|| {
            self.rest
                .split(|&byte| byte == b'\n')
                .next()
                .unwrap_or(self.rest)
        })
    }

    fn next(&mut self) -> Option<&'a [u8]> {
        let line = self.peek()?;
        self.rest = self.rest.get(line.len() + 1..).unwrap_or_default();
        self.number += 1;
        Some(line)
    }

    /// Reads the next line if it begins with `words`; returns what stands behind them.
    fn after(&mut self, words: &str) -> Option<&'a [u8]> {
        let rest = self.peek()?.strip_prefix(words.as_bytes())?;
        self.next();
        Some(rest)
    }

    fn malformed(&self, why: impl Into<String>) -> PatchError {
        PatchError::Malformed {
            line: self.number,
            why: why.into(),
        }
    }
}

/// Reads a patch.
pub(super) fn read(patch: &[u8]) -> Result<Vec<Section>, PatchError> {
    let mut lines = Lines {
        rest: patch,
        number: 0,
    };
    let mut sections = Vec::new();
    while let Some(line) = lines.next() {
        let names = line
            .strip_prefix(b"diff --git ")
            .ok_or_else(|| lines.malformed("`diff --git` is expected here"))?;
        sections.push(section(names, &mut lines)?);
    }
    Ok(sections)
}

fn section(names: &[u8], lines: &mut Lines<'_>) -> Result<Section, PatchError> {
    let path = path(names, lines)?;
    let mut section = Section {
        path,
        old: None,
        new: None,
        fate: Fate::Changed,
        body: Body::Same,
    };
    let mut old_id = None;
    loop {
        if let Some(mode) = lines.after("old mode ") {
            section.old = Some(read_mode(mode, lines)?);
        } else if let Some(mode) = lines.after("new mode ") {
            section.new = Some(read_mode(mode, lines)?);
        } else if let Some(mode) = lines.after("new file mode ") {
            (section.new, section.fate) = (Some(read_mode(mode, lines)?), Fate::Made);
        } else if let Some(mode) = lines.after("deleted file mode ") {
            (section.old, section.fate) = (Some(read_mode(mode, lines)?), Fate::Deleted);
        } else if let Some(ids) = lines.after("index ") {
            old_id = ids
                .windows(2)
                .position(|pair| pair == b"..")
                .map(|end| ids[..end].to_vec());
        } else if lines.after("GIT binary patch").is_some() {
            let bytes = literal(lines)?;
            literal(lines)?;
            let old_id = old_id
                .take()
                .ok_or_else(|| lines.malformed("a binary patch needs an `index` line"))?;
            section.body = Body::Binary { old_id, bytes };
            return Ok(section);
        } else if let Some(name) = lines.after("--- ") {
            check_name(b"a/", name, &section, Fate::Made, lines)?;
            let name = lines
                .after("+++ ")
                .ok_or_else(|| lines.malformed("`+++` is expected after this line"))?;
            check_name(b"b/", name, &section, Fate::Deleted, lines)?;
            section.body = Body::Hunks(hunks(lines)?);
            return Ok(section);
        } else {
            return match lines.peek() {
                None => Ok(section),
                Some(line) if line.starts_with(b"diff --git ") => Ok(section),
                Some(_) => {
                    lines.next();
                    Err(lines.malformed("this kind of line is not known; renames, copies and `Binary files differ` are not applied"))
                }
            };
        }
    }
}

/// Reads the two names behind `diff --git`, which are the same but for `a/` and `b/`, and so equally long.
fn path(names: &[u8], lines: &Lines<'_>) -> Result<RepoPath, PatchError> {
    let middle = names.len() / 2;
    let both = names.get(middle) == Some(&b' ') && names.len() % 2 == 1;
    let old = both.then(|| plain(&names[..middle])).flatten();
    let new = both.then(|| plain(&names[middle + 1..])).flatten();
    let name = old.as_deref().and_then(|name| name.strip_prefix(b"a/"));
    let name =
        name.filter(|name| new.as_deref().and_then(|new| new.strip_prefix(b"b/")) == Some(name));
    let name =
        name.ok_or_else(|| lines.malformed("two names `a/PATH b/PATH` of one path are expected"))?;
    let path = RepoPath::parse(name).map_err(|cause| lines.malformed(cause.to_string()))?;
    if path.is_git_internal() {
        return Err(lines.malformed(format!("`{path}` belongs to git")));
    }
    Ok(path)
}

/// Returns a name of a patch without git's quotation; none if that is broken.
pub fn plain(name: &[u8]) -> Option<Vec<u8>> {
    if name.starts_with(b"\"") {
        git::unquote(name)
    } else {
        Some(name.to_vec())
    }
}

/// Checks the name behind `---` or `+++`: that of the section, or none where the file is `absent` on this side.
fn check_name(
    side: &[u8],
    name: &[u8],
    section: &Section,
    absent: Fate,
    lines: &Lines<'_>,
) -> Result<(), PatchError> {
    let expected = if section.fate == absent {
        b"/dev/null".to_vec()
    } else {
        [side, section.path.as_bytes()].concat()
    };
    // A tab ends a name with a space in it, and whatever else stands there; a tab of the name itself is quoted.
    let name = name.split(|&byte| byte == b'\t').next().and_then(plain);
    if name == Some(expected) {
        Ok(())
    } else {
        Err(lines.malformed("another name than behind `diff --git`"))
    }
}

fn read_mode(text: &[u8], lines: &Lines<'_>) -> Result<Mode, PatchError> {
    Mode::parse(text).ok_or_else(|| lines.malformed("the mode is not 100644, 100755 or 120000"))
}

fn hunks(lines: &mut Lines<'_>) -> Result<Vec<Hunk>, PatchError> {
    let mut hunks = Vec::new();
    while let Some(header) = lines.after("@@ ") {
        let [old, new] = ranges(header)
            .ok_or_else(|| lines.malformed("`@@ -LINE,COUNT +LINE,COUNT @@` is expected"))?;
        let (mut n_old, mut n_new) = (old.1, new.1);
        let mut body: Vec<(u8, Vec<u8>)> = Vec::new();
        while n_old > 0
            || n_new > 0
            || lines
                .peek()
                .is_some_and(|line| line.starts_with(NO_NEWLINE))
        {
            let line = lines
                .next()
                .ok_or_else(|| lines.malformed("the hunk ends too early"))?;
            let (&sign, text) = line.split_first().unwrap_or((&0, b""));
            let counts = match sign {
                b' ' => (1, 1),
                b'-' => (1, 0),
                b'+' => (0, 1),
                b'\\' if body.last().is_some_and(|(_, text)| text.ends_with(b"\n")) => {
                    body.last_mut().map(|(_, text)| text.pop());
                    continue;
                }
                _ => {
                    return Err(lines.malformed("a line of a hunk begins with a space, `-` or `+`"));
                }
            };
            n_old = usize::checked_sub(n_old, counts.0)
                .ok_or_else(|| lines.malformed("more lines than the hunk says"))?;
            n_new = usize::checked_sub(n_new, counts.1)
                .ok_or_else(|| lines.malformed("more lines than the hunk says"))?;
            body.push((sign, [text, b"\n"].concat()));
        }
        hunks.push(Hunk {
            skipped: [skipped(old), skipped(new)],
            lines: body,
        });
    }
    if hunks.is_empty() {
        Err(lines.malformed("a hunk is expected after this line"))
    } else {
        Ok(hunks)
    }
}

/// Returns how many lines stand before a range; one of no lines names the line before it.
fn skipped((start, n): (usize, usize)) -> usize {
    start.saturating_sub(usize::from(n > 0))
}

/// Reads `-1,2 +3,4 @@`; a count that is left out is 1.
fn ranges(header: &[u8]) -> Option<[(usize, usize); 2]> {
    let header = std::str::from_utf8(header.split(|&byte| byte == b'@').next()?).ok()?;
    let mut words = header.split_ascii_whitespace();
    let mut range = |sign: char| {
        let word = words.next()?.strip_prefix(sign)?;
        let (start, n) = word.split_once(',').unwrap_or((word, "1"));
        let range: (usize, usize) = (start.parse().ok()?, n.parse().ok()?);
        // There is no line 0, but nothing can be after it.
        (range.0 > 0 || range.1 == 0).then_some(range)
    };
    Some([range('-')?, range('+')?])
}

/// Reads one `literal` of a binary patch.
fn literal(lines: &mut Lines<'_>) -> Result<Vec<u8>, PatchError> {
    let size = lines
        .after("literal ")
        .ok_or_else(|| lines.malformed("`literal SIZE` is expected after this line"))?;
    let size = std::str::from_utf8(size)
        .ok()
        .and_then(|size| size.parse().ok());
    let size = size.ok_or_else(|| lines.malformed("the size is no number"))?;
    let mut packed = Vec::new();
    while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
        base85::decode_line(line, &mut packed)
            .ok_or_else(|| lines.malformed("it is not base 85"))?;
    }
    git::inflate(&packed, size)
        .ok_or_else(|| lines.malformed("the data above does not unpack to the size that it says"))
}
