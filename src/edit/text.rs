//! A file's text by lines, and lines of it that become others.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::Sign;

/// What a UTF-8 file may begin with.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// How closely a line must be as an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// All of it but what ends it, which an answer cannot show.
    Text,
    /// White space at its end aside.
    Trimmed,
}

/// Returns what of a line must be as an answer says.
pub(super) fn key(line: &[u8], likeness: Likeness) -> &[u8] {
    let line = line.strip_prefix(MARK).unwrap_or(line);
    let text = &line[..line.len() - ending(line).len()];
    match likeness {
        Likeness::Text => text,
        Likeness::Trimmed => text.trim_ascii_end(),
    }
}

/// Returns what ends a line: nothing, if it is the last.
fn ending(line: &[u8]) -> &[u8] {
    let n = match line {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    };
    &line[line.len() - n..]
}

/// Returns the lines of a text with what ends them.
pub(super) fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|&byte| byte == b'\n').collect()
}

/// Returns a text as an answer would give it: without a byte order mark, each line ended in one way.
pub(super) fn plain(text: &[u8]) -> String {
    let mut plain = Vec::with_capacity(text.len() + 1);
    for line in lines(text) {
        plain.extend(key(line, Likeness::Text));
        plain.push(b'\n');
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Returns the text with other lines from the line `at` on, counted from 0; those of `changed` that stay or go stand there.
///
/// What stays is as the file has it. What comes is as it is given where the old lines are in every byte as they are given; else it ends as
/// the lines do that it replaces.
pub(super) fn replaced(text: &[u8], at: usize, changed: &[(Sign, String)]) -> Vec<u8> {
    let all = lines(text);
    let old: Vec<&str> = changed
        .iter()
        .filter(|(sign, _)| *sign != Sign::New)
        .map(|(_, line)| line.as_str())
        .collect();
    let there = &all[at..at + old.len()];
    let is_verbatim = there
        .iter()
        .zip(&old)
        .all(|(there, old)| *there == old.as_bytes());
    let mut ends = Endings::around(&all, at);
    let mut new: Vec<Cow<'_, [u8]>> = all[..at].iter().copied().map(Cow::from).collect();
    let mut there = there.iter();
    for (sign, line) in changed {
        match sign {
            Sign::Kept => {
                let line = there.next().copied().unwrap_or_default();
                ends.pass(line);
                new.push(line.into());
            }
            Sign::Old => ends.remove(there.next().copied().unwrap_or_default()),
            Sign::New if is_verbatim => new.push(line.as_bytes().into()),
            Sign::New => new.push(
                [key(line.as_bytes(), Likeness::Text), ends.next()]
                    .concat()
                    .into(),
            ),
        }
    }
    new.extend(all[at + old.len()..].iter().copied().map(Cow::from));
    let n_before_last = new.len().saturating_sub(1);
    for line in &mut new[..n_before_last] {
        if !line.ends_with(b"\n") {
            line.to_mut().extend(ends.usual);
        }
    }
    if !is_verbatim {
        keep_ends(&all, &mut new);
    }
    new.concat()
}

/// Gives a text the byte order mark and the end that it had.
fn keep_ends(old: &[&[u8]], new: &mut [Cow<'_, [u8]>]) {
    if let (Some(old), Some(new)) = (old.first(), new.first_mut())
        && old.starts_with(MARK)
        && !new.starts_with(MARK)
    {
        new.to_mut().splice(..0, MARK.iter().copied());
    }
    if let (Some(old), Some(new)) = (old.last(), new.last_mut())
        && !old.ends_with(b"\n")
    {
        let n_bytes = new.len() - ending(new).len();
        new.to_mut().truncate(n_bytes);
    }
}

/// What ends lines that come.
struct Endings<'a> {
    /// Of the lines that they replace.
    removed: VecDeque<&'a [u8]>,
    /// Of the line above.
    usual: &'a [u8],
}

impl<'a> Endings<'a> {
    fn around(all: &[&'a [u8]], at: usize) -> Self {
        let above = all[..at].last().into_iter().chain(&all[at..]).chain(all);
        let mut ends = above.map(|line| ending(line));
        Self {
            removed: VecDeque::new(),
            usual: ends.find(|end| !end.is_empty()).unwrap_or(b"\n"),
        }
    }

    fn pass(&mut self, line: &'a [u8]) {
        self.removed.clear();
        self.set(ending(line));
    }

    fn remove(&mut self, line: &'a [u8]) {
        self.removed.push_back(ending(line));
    }

    fn next(&mut self) -> &'a [u8] {
        let end = self.removed.pop_front().unwrap_or_default();
        self.set(end);
        self.usual
    }

    fn set(&mut self, end: &'a [u8]) {
        if !end.is_empty() {
            self.usual = end;
        }
    }
}
