//! One line of an ignore file, read as git reads it: bytes, and what git makes of odd ones.

use crate::git::{Case, Pattern};

/// What becomes of a path that a rule means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Ignore,
    Keep,
}

/// A line that is a rule and can match something.
pub(super) struct Rule {
    pub(super) effect: Effect,
    pub(super) pattern: Pattern,
}

impl Rule {
    /// Reads a line; none if it is no rule, or one that matches nothing.
    pub(super) fn parse(line: &[u8], case: Case) -> Option<Self> {
        if line.starts_with(b"#") {
            return None;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // To git, a line is a string of C.
        let line = trim_spaces(line.split(|&byte| byte == 0).next()?);
        let (effect, glob) = match line.strip_prefix(b"!") {
            Some(glob) => (Effect::Keep, glob),
            None => (Effect::Ignore, line),
        };
        let pattern = Pattern::parse(glob, case)?;
        Some(Self { effect, pattern })
    }
}

/// Takes away the spaces at the end of a line, but for one behind a `\`.
fn trim_spaces(line: &[u8]) -> &[u8] {
    let (mut end, mut at) = (0, 0);
    while at < line.len() {
        let is_space = line[at] == b' ';
        at += if line[at] == b'\\' { 2 } else { 1 };
        end = if is_space { end } else { at.min(line.len()) };
    }
    &line[..end]
}
