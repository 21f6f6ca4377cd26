//! Edits that stand in an answer: what an agent without tools wants changed, in any of four forms.
//!
//! In: an answer, and a lookup of files. Out: the files as they shall be, or what is wrong with each edit, in words
//! for whoever wrote it. Pure.
//!
//! Invariant: lines are changed where they stand exactly once, and nowhere else; all edits of an answer take place or
//! none. What a file has of its own (line ends, byte order mark, final line break, mode) stays.

mod apply;
mod diff;
mod elision;
mod envelope;
mod lines;
mod place;
mod read;
mod text;

#[cfg(test)]
mod tests;

pub use apply::{Change, Found, apply, is_cut};
pub use place::Near;
pub use read::{ParseError, parse};

use crate::patch::Mode;
use crate::path::RepoPath;

/// One thing that an answer wants done to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The file.
    pub path: RepoPath,
    /// Where it stands in the answer, counted from 1.
    pub line: usize,
    /// What is to be done.
    pub what: What,
}

/// What is to be done to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It holds this text, whatever it held.
    Write(String),
    /// It is made, with this text.
    Create(String),
    /// Some of its lines become others.
    Change(Hunk),
    /// It goes away.
    Delete,
    /// It goes away, and the edits before this one have left nothing of it.
    DeleteEmpty,
    /// It gets this path.
    Move(RepoPath),
    /// It is executable, or not.
    Mode(Mode),
}

/// Lines of a file, and what becomes of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hunk {
    /// The lines, with their line breaks.
    pub lines: Vec<(Sign, String)>,
    /// Where the answer says that they stand: how many lines are before them.
    pub hint: Option<usize>,
    /// A line that stands before them, white space aside.
    pub below: Option<String>,
    /// Whether they are the last of the file.
    pub is_last: bool,
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It stays.
    Kept,
    /// It goes.
    Old,
    /// It comes.
    New,
}

impl Hunk {
    /// Returns the hunk that turns the text `old` into `new`: lines of both are kept.
    fn between(old: &str, new: &str) -> Self {
        let [old_lines, new_lines] = [old, new].map(|text| text.split_inclusive('\n').collect());
        let (old_lines, new_lines): (Vec<&str>, Vec<&str>) = (old_lines, new_lines);
        let mut lines = Vec::with_capacity(old_lines.len() + new_lines.len());
        let mut add = |sign: Sign, texts: &[&str]| {
            lines.extend(texts.iter().map(|&text| (sign, text.to_owned())));
        };
        let mut at = 0;
        for [gone, come] in crate::patch::differences(old.as_bytes(), new.as_bytes()) {
            add(Sign::Kept, &old_lines[at..gone.start]);
            add(Sign::Old, &old_lines[gone.clone()]);
            add(Sign::New, &new_lines[come]);
            at = gone.end;
        }
        add(Sign::Kept, &old_lines[at..]);
        Self {
            lines,
            ..Self::default()
        }
    }

    /// Returns the lines that the file holds where the hunk fits.
    fn old_lines(&self) -> Vec<&str> {
        let lines = self.lines.iter().filter(|(sign, _)| *sign != Sign::New);
        lines.map(|(_, text)| text.as_str()).collect()
    }

    /// Returns the lines that come.
    fn new_lines(&self) -> impl Iterator<Item = &str> {
        let lines = self.lines.iter().filter(|(sign, _)| *sign == Sign::New);
        lines.map(|(_, text)| text.as_str())
    }
}

/// An edit that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the answer, `{path}`: {why}")]
pub struct Rejection {
    /// The file.
    pub path: RepoPath,
    /// Where the edit stands in the answer, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub why: Why,
}

/// Why an edit does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// There is no such file.
    #[error("there is no such file")]
    Missing,
    /// There is a file.
    #[error("the file is there already; change it, or write it whole")]
    Exists,
    /// It is something that no edit changes.
    #[error("it is {0}")]
    Other(&'static str),
    /// It would stand in what is no folder.
    #[error("`{0}` is no folder")]
    Way(RepoPath),
    /// The old lines are nowhere.
    #[error("the lines to replace are not in the file{}", near.as_ref().map_or_else(String::new, Near::to_string))]
    Nowhere {
        /// What is most like them.
        near: Option<Near>,
    },
    /// An edit before this one changed the old lines.
    #[error(
        "the lines to replace are those of line {0}, which an earlier edit of the answer changed; make one edit of both"
    )]
    Overlap(usize),
    /// The old lines are in several places: these, or more.
    #[error("the lines to replace are in {} places, at the lines {}; give more lines around them", n_places(.0), numbers(.0))]
    Several(Vec<usize>),
    /// A difference deletes a file and does not show all of it.
    #[error("a difference that deletes a file has all its lines with `-`, and {0} are left")]
    Left(usize),
    /// No old lines are given.
    #[error("it gives no lines to replace, so that nothing says where; give the lines around")]
    Anywhere,
    /// The new text stands for more than it says.
    #[error("`{0}` stands for text that is left out; write that text")]
    Elided(String),
    /// Most of the file would be gone.
    #[error(
        "it would leave {after} of {before} lines, and no step of the plan takes anything out of the file; leave the rest of it as it is"
    )]
    Shrunk {
        /// How many lines there are.
        before: usize,
        /// How many there would be.
        after: usize,
    },
}

/// Returns how many places there are, in words; after so many no more are looked for.
fn n_places(places: &[usize]) -> String {
    if places.len() < place::MAX_PLACES {
        places.len().to_string()
    } else {
        format!("{} or more", places.len())
    }
}

fn numbers(all: &[usize]) -> String {
    let words: Vec<String> = all.iter().map(usize::to_string).collect();
    words.join(", ")
}
