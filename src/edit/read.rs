//! The edits of an answer, taken out of what stands round them.

use std::collections::BTreeSet;

use super::lines::{Fence, Lines};
use super::{Edit, Hunk, What, diff, envelope};
use crate::path::{InvalidRepoPath, RepoPath};

/// An answer whose edits cannot be read. None of them takes place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// It holds no edit.
    #[error("the answer holds no edit in a form that is known")]
    Nothing,
    /// It ends within an edit.
    #[error("the answer is cut: what begins at its line {line} has no end ({end} is missing)")]
    Cut {
        /// Where the edit begins, counted from 1.
        line: usize,
        /// What would end it.
        end: &'static str,
    },
    /// It holds more edits than anybody carries out.
    #[error("the answer holds more than {MOST_EDITS} edits; write those files whole")]
    TooMany,
    /// An edit is of a form that is not known.
    #[error("line {line} of the answer: {why}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// A path is none that an edit may name.
    #[error("line {line} of the answer names a file that no edit may change")]
    Path {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        #[source]
        source: InvalidRepoPath,
    },
    /// A path is not as paths are written here, or is git's own.
    #[error("line {line} of the answer names a file that no edit may change: `{name}` ({why})")]
    Name {
        /// Counted from 1.
        line: usize,
        /// The path.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
}

/// No answer may hold more edits.
const MOST_EDITS: usize = 5_000;

/// How a file that is written whole is named.
const FILE: &str = "FILE:";

/// What stands round a whole file where no fence does.
const RULE: &str = "---";

/// Takes the edits out of an answer: whole files, SEARCH/REPLACE blocks, differences and patches in envelopes; returns what is
/// wrong with it, too: that there is none, that one is cut or cannot be read, or names what no edit may change.
pub fn parse(answer: &str) -> (Vec<Edit>, Vec<ParseError>) {
    let (mut edits, mut errors) = (Vec::new(), Vec::new());
    if let Err(error) = read(answer, &mut edits, &mut errors) {
        errors.push(error);
    }
    let mut written = BTreeSet::new();
    for edit in &edits {
        if matches!(edit.what, What::Write(_)) && !written.insert(&edit.path) {
            errors.push(ParseError::Malformed {
                line: edit.line,
                why: format!("all of `{}` is written a second time", edit.path),
            });
        }
    }
    (edits, errors)
}

/// Keeps an error of a path, behind which an answer can be read on.
pub(super) fn soft<T>(
    found: Result<T, ParseError>,
    errors: &mut Vec<ParseError>,
) -> Result<Option<T>, ParseError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error @ (ParseError::Path { .. } | ParseError::Name { .. })) => {
            errors.push(error);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Reads an answer to its end, or to what cannot be read.
fn read(
    answer: &str,
    edits: &mut Vec<Edit>,
    errors: &mut Vec<ParseError>,
) -> Result<(), ParseError> {
    // A line break of the way that the answer took, not of the files.
    let n_breaks = answer.matches('\n').count();
    let plain = (answer.matches("\r\n").count() == n_breaks).then(|| answer.replace("\r\n", "\n"));
    let mut lines = Lines::new(plain.as_deref().unwrap_or(answer));
    // Where the last edit ended.
    let mut end = 1;
    while let Some(line) = lines.peek() {
        let n_before = edits.len() + errors.len();
        if let Some(n_marks) = marks(line, '<', "SEARCH") {
            let path = soft(path_above(&lines, end, edits.last()), errors)?;
            let line = lines.number();
            let what = block(&mut lines, n_marks)?;
            edits.extend(path.map(|path| Edit { path, line, what }));
        } else if line == envelope::BEGIN {
            envelope::read(&mut lines, edits, errors)?;
        } else if diff::is_head(&lines) {
            soft(diff::read(&mut lines, edits), errors)?;
        } else if diff::is_hunk(line) {
            let path = soft(path_above(&lines, end, edits.last()), errors)?;
            let line = lines.number();
            let what = What::Change(diff::hunk(&mut lines)?);
            edits.extend(path.map(|path| Edit { path, line, what }));
        } else if let Some(name) = heading(line) {
            whole(&mut lines, name, edits, errors)?;
        } else {
            lines.pass();
        }
        if edits.len() > MOST_EDITS {
            return Err(ParseError::TooMany);
        }
        if edits.len() + errors.len() > n_before {
            end = lines.number();
        }
    }
    if edits.is_empty() && errors.is_empty() {
        return Err(ParseError::Nothing);
    }
    Ok(())
}

/// Takes `name` as the path of a file that an edit may change.
pub(super) fn path_of(name: &[u8], line: usize) -> Result<RepoPath, ParseError> {
    let name = name.strip_prefix(b"./").unwrap_or(name);
    let path = RepoPath::parse(name).map_err(|source| ParseError::Path { line, source })?;
    let why = if path.is_git_internal() {
        "it belongs to git"
    } else if name.contains(&b'\\') {
        "it has a backslash; folders end with `/`"
    } else if name.iter().any(u8::is_ascii_control) {
        "it holds a control character"
    } else if name.starts_with(b"~") || name.get(1) == Some(&b':') {
        "it is not relative to the repository"
    } else {
        return Ok(path);
    };
    let name = path.to_string();
    Err(ParseError::Name { line, name, why })
}

/// Returns how many marks a line has, if it is nothing but at least five of them and `word`.
fn marks(line: &str, mark: char, word: &str) -> Option<usize> {
    let rest = line.trim_start_matches(mark);
    let n_marks = line.len() - rest.len();
    (n_marks >= 5 && rest.trim() == word).then_some(n_marks)
}

/// Returns the name behind `FILE:`, if a line is that; it may be a heading or in bold.
fn heading(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(['#', '*', ' ']);
    let name = line.strip_prefix(FILE)?;
    Some(bare(name))
}

/// Returns a name without what Markdown puts round it.
fn bare(name: &str) -> &str {
    let name = name.trim_matches(|c: char| c == '*' || c.is_whitespace());
    let quoted = name
        .strip_prefix('`')
        .and_then(|name| name.strip_suffix('`'));
    quoted.unwrap_or(name)
}

/// Returns the path that a line is, and nothing else; one with white space in it must be marked as a path.
fn named(line: &str) -> Option<&str> {
    let line = line.trim();
    if let Some(name) = heading(line) {
        return Some(name);
    }
    let line = line
        .trim_start_matches(['#', ' '])
        .trim_end_matches([':', ' ']);
    let name = bare(line);
    let is_quoted = line.trim_matches('*').starts_with('`');
    let is_name = !name.is_empty() && !name.contains('`');
    (is_name && (is_quoted || !name.contains(char::is_whitespace))).then_some(name)
}

/// Returns the path of a block: the line above it, or that of the edit before, if nothing is between.
fn path_above(
    lines: &Lines<'_>,
    end: usize,
    before: Option<&Edit>,
) -> Result<RepoPath, ParseError> {
    let number = lines.number();
    let above = lines.since(end);
    let is_prose = |line: &&&str| !line.trim().is_empty() && Fence::open(line).is_none();
    let above = above.iter().rev().find(is_prose);
    match (above.map(|line| named(line)), before) {
        (Some(Some(name)), _) => path_of(name.as_bytes(), number),
        (None, Some(edit)) => Ok(edit.path.clone()),
        (Some(None), _) | (None, None) => Err(ParseError::Malformed {
            line: number,
            why: "the line above the block is to be the path of its file, and nothing else"
                .to_owned(),
        }),
    }
}

/// Reads a SEARCH/REPLACE block. What ends its lines tells nothing: those of the file do.
fn block(lines: &mut Lines<'_>, n_marks: usize) -> Result<What, ParseError> {
    let line = lines.number();
    lines.next();
    let [mut search, mut replace] = [String::new(), String::new()];
    let mut is_divided = false;
    loop {
        let cut = |end| ParseError::Cut { line, end };
        let Some(next) = lines.next() else {
            return Err(cut(if is_divided {
                "`>>>>>>> REPLACE`"
            } else {
                "`=======`"
            }));
        };
        let bare = next.trim_end();
        if marks(bare, '<', "SEARCH") == Some(n_marks) {
            return Err(cut("`>>>>>>> REPLACE`"));
        } else if marks(bare, '=', "") == Some(n_marks) {
            if is_divided {
                return Err(lines.malformed(
                    "a second `=======` in one block; use more marks for all three lines of the block",
                ));
            }
            is_divided = true;
        } else if marks(bare, '>', "REPLACE") == Some(n_marks) {
            if !is_divided {
                return Err(lines.malformed("`=======` is missing above this line"));
            }
            break;
        } else if is_divided {
            replace.push_str(next);
        } else {
            search.push_str(next);
        }
    }
    Ok(if search.is_empty() {
        What::Create(replace)
    } else {
        let [search, replace] = [search, replace].map(|text| text.replace("\r\n", "\n"));
        What::Change(Hunk::between(&search, &replace))
    })
}

/// Reads a whole file behind the line that names it, unless that line is of a block or difference below it.
fn whole(
    lines: &mut Lines<'_>,
    name: &str,
    edits: &mut Vec<Edit>,
    errors: &mut Vec<ParseError>,
) -> Result<(), ParseError> {
    let line = lines.number();
    let path = path_of(name.as_bytes(), line).and_then(|path| {
        if name_is_plain(lines.peek().unwrap_or_default(), name) {
            return Ok(path);
        }
        Err(ParseError::Name {
            line,
            name: path.to_string(),
            why: "put a path with `(` in it into backticks",
        })
    });
    lines.next();
    let n_blank = lines
        .rest()
        .iter()
        .take_while(|line| line.trim().is_empty());
    let n_blank = n_blank.count();
    let mut below = lines.rest()[n_blank..].iter();
    let first = below.next().copied().unwrap_or_default();
    let second = below.next().copied().unwrap_or_default();
    let is_block = |line: &str| {
        marks(line.trim_end(), '<', "SEARCH").is_some() || diff::is_hunk(line.trim_end())
    };
    let open = Fence::open(first);
    let is_difference = open.is_some_and(|(_, info)| matches!(info, "diff" | "patch"))
        && ![".diff", ".patch"].iter().any(|end| name.ends_with(end));
    if is_block(first) || open.is_some() && is_block(second) || is_difference {
        // What is below reads the name again.
        return Ok(());
    }
    let path = soft(path, errors)?;
    lines.skip(n_blank);
    let begin = lines.number();
    lines.next();
    let text = match open {
        Some((fence, _)) => fenced(lines, fence, begin)?,
        None if first.trim_end() == RULE => ruled(lines, begin)?,
        None => {
            return Err(ParseError::Malformed {
                line,
                why: "the whole file is to stand below this line, in a fence".to_owned(),
            });
        }
    };
    let what = What::Write(text);
    edits.extend(path.map(|path| Edit { path, line, what }));
    Ok(())
}

/// Says whether nothing but a name stands behind `FILE:`; a remark behind it would become part of the name.
fn name_is_plain(line: &str, name: &str) -> bool {
    line.contains(&format!("`{name}`")) || !name.contains(" (")
}

/// Reads to the end of a fence; fences within it that say what they hold are part of it.
fn fenced(lines: &mut Lines<'_>, fence: Fence, begin: usize) -> Result<String, ParseError> {
    let mut text = String::new();
    let mut n_inner = 0;
    while let Some(line) = lines.next() {
        if fence.is_nested_by(line) {
            n_inner += 1;
        } else if fence.is_closed_by(line) {
            if n_inner == 0 {
                return if is_balanced(lines.rest(), fence) {
                    Ok(text)
                } else {
                    Err(lines.malformed(
                        "this may end the file, or be a fence in it; put the file into a fence of more marks",
                    ))
                };
            }
            n_inner -= 1;
        }
        text.push_str(line);
    }
    let end = "the end of its fence";
    Err(ParseError::Cut { line: begin, end })
}

/// Says whether each line like the end of `fence`, up to the next file, ends a fence that says what it holds or holds a block.
fn is_balanced(rest: &[&str], fence: Fence) -> bool {
    let holds_edit = |below: &[&str]| {
        let begins = |line: &&str| {
            marks(line.trim_end(), '<', "SEARCH").is_some() || line.trim_end() == envelope::BEGIN
        };
        below.iter().take(2).any(begins)
    };
    let mut is_open = false;
    for (at, line) in rest.iter().enumerate() {
        if heading(line).is_some() {
            break;
        } else if fence.is_nested_by(line) {
            is_open = true;
        } else if fence.is_closed_by(line) {
            if !is_open && !holds_edit(&rest[at + 1..]) {
                return false;
            }
            is_open = !is_open;
        }
    }
    true
}

/// Reads a file between two lines of `---`: the second is the first that only the next file or nothing follows.
fn ruled(lines: &mut Lines<'_>, begin: usize) -> Result<String, ParseError> {
    let mut text = String::new();
    while let Some(line) = lines.next() {
        let mut below = lines.rest().iter().filter(|line| !line.trim().is_empty());
        if line.trim_end() == RULE && below.next().is_none_or(|line| heading(line).is_some()) {
            return Ok(text);
        }
        text.push_str(line);
    }
    let end = "`---`";
    Err(ParseError::Cut { line: begin, end })
}
