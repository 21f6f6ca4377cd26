//! The lines of an answer; where reading is.

use super::read::ParseError;

/// The lines of an answer with their line breaks, and where reading is.
pub(super) struct Lines<'a> {
    all: Vec<&'a str>,
    at: usize,
    /// The fence that reading is in, and was not read whole.
    fence: Option<Fence>,
}

/// What opened a fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fence {
    mark: char,
    n_marks: usize,
}

impl Fence {
    /// Reads the line that opens a fence; returns what stands behind its marks, too.
    pub(super) fn open(line: &str) -> Option<(Self, &str)> {
        let line = line.trim_end();
        let mark = line.chars().next().filter(|mark| "`~".contains(*mark))?;
        let info = line.trim_start_matches(mark);
        let n_marks = line.len() - info.len();
        let is_fence = n_marks >= 3 && !info.contains('`');
        is_fence.then_some((Self { mark, n_marks }, info.trim()))
    }

    /// Says whether a line closes this fence.
    pub(super) fn is_closed_by(self, line: &str) -> bool {
        Self::open(line).is_some_and(|(other, info)| info.is_empty() && self.is_within(other))
    }

    /// Says whether a line opens a fence that one like this closes.
    pub(super) fn is_nested_by(self, line: &str) -> bool {
        Self::open(line).is_some_and(|(other, info)| !info.is_empty() && self.is_within(other))
    }

    fn is_within(self, other: Self) -> bool {
        other.mark == self.mark && other.n_marks >= self.n_marks
    }
}

impl<'a> Lines<'a> {
    pub(super) fn new(answer: &'a str) -> Self {
        Self {
            all: answer.split_inclusive('\n').collect(),
            at: 0,
            fence: None,
        }
    }

    /// Returns the number of the next line, counted from 1.
    pub(super) fn number(&self) -> usize {
        self.at + 1
    }

    /// Returns the next line, white space at its end aside.
    pub(super) fn peek(&self) -> Option<&'a str> {
        self.all.get(self.at).map(|line| line.trim_end())
    }

    /// Returns all lines from the next one on, with their line breaks.
    pub(super) fn rest(&self) -> &[&'a str] {
        &self.all[self.at..]
    }

    /// Returns the lines before the next one, from the line `number` on.
    pub(super) fn since(&self, number: usize) -> &[&'a str] {
        &self.all[number.min(self.number()) - 1..self.at]
    }

    /// Returns the next line with its line break, and goes on.
    pub(super) fn next(&mut self) -> Option<&'a str> {
        let line = self.all.get(self.at).copied()?;
        self.at += 1;
        Some(line)
    }

    pub(super) fn skip(&mut self, n: usize) {
        self.at = (self.at + n).min(self.all.len());
    }

    /// Reads the next line if it begins with `words`; returns what stands behind them.
    pub(super) fn after(&mut self, words: &str) -> Option<&'a str> {
        let rest = self.peek()?.strip_prefix(words)?;
        self.at += 1;
        Some(rest)
    }

    /// Goes on behind a line that belongs to no edit, which may open or close a fence around some.
    pub(super) fn pass(&mut self) {
        let Some(line) = self.next() else { return };
        self.fence = match self.fence {
            Some(fence) if fence.is_closed_by(line) => None,
            Some(fence) => Some(fence),
            None => Fence::open(line).map(|(fence, _)| fence),
        };
    }

    /// Says whether reading is in a fence.
    pub(super) fn is_fenced(&self) -> bool {
        self.fence.is_some()
    }

    /// Says whether the next line closes the fence that reading is in.
    pub(super) fn is_closing(&self) -> bool {
        let next = self.all.get(self.at);
        next.is_some_and(|line| self.fence.is_some_and(|fence| fence.is_closed_by(line)))
    }

    /// Makes an error of the line that was read last.
    pub(super) fn malformed(&self, why: impl Into<String>) -> ParseError {
        ParseError::Malformed {
            line: self.at.max(1),
            why: why.into(),
        }
    }
}
