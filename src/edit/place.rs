//! Where the lines are that an edit changes: in one place, or it does not take place.

use std::fmt;

use memchr::memmem;

use super::text::{Likeness, key, lines};
use super::{Hunk, Why};

/// More places are not looked for: two are too many.
pub(super) const MAX_PLACES: usize = 8;

/// The place in a file that is most like what was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// The file's lines there, each with its number from 1.
    pub lines: Vec<(usize, String)>,
    /// The first line that was looked for and is another there.
    pub wanted: String,
}

impl fmt::Display for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "; it has no `{}` where it is most like them:",
            self.wanted
        )?;
        for (number, line) in &self.lines {
            write!(f, "\n    {number}: {line}")?;
        }
        Ok(())
    }
}

/// Returns the line from which on `text` holds the old lines of `hunk`, counted from 0.
pub(super) fn find(text: &[u8], hunk: &Hunk) -> Result<usize, Why> {
    let all = lines(text);
    let old: Vec<&[u8]> = hunk.old_lines().into_iter().map(str::as_bytes).collect();
    if old.is_empty() {
        return if all.is_empty() {
            Ok(0)
        } else {
            Err(Why::Anywhere)
        };
    }
    for likeness in [Likeness::Text, Likeness::Trimmed] {
        let places = if hunk.is_last {
            let last = all.len().checked_sub(old.len());
            let last = last.filter(|&place| is_at(&all, &old, place, likeness));
            last.into_iter().collect()
        } else {
            places(&all, &old, likeness, MAX_PLACES)
        };
        match places[..] {
            [] => {}
            [place] => return Ok(place),
            // White space aside no line number counts, either.
            _ if likeness == Likeness::Text => return told(&all, &old, hunk, &places),
            _ => return Err(several(&places)),
        }
    }
    Err(Why::Nowhere { near: None })
}

/// Returns the place of `text` that is most like the old lines of `hunk`.
pub(super) fn near(text: &[u8], hunk: &Hunk) -> Option<Near> {
    let old: Vec<&[u8]> = hunk.old_lines().into_iter().map(str::as_bytes).collect();
    nearest(&lines(text), &old)
}

/// Returns the place among several that the hunk tells by its number or by a line above it.
fn told(all: &[&[u8]], old: &[&[u8]], hunk: &Hunk, places: &[usize]) -> Result<usize, Why> {
    if let Some(hint) = hunk.hint
        && is_at(all, old, hint, Likeness::Text)
    {
        return Ok(hint);
    }
    let Some(below) = &hunk.below else {
        return Err(several(places));
    };
    let is_it = |line: &&[u8]| line.trim_ascii() == below.as_bytes();
    let heads = all.iter().enumerate().filter(|(_, line)| is_it(line));
    let heads: Vec<usize> = heads.map(|(at, _)| at).collect();
    let [head] = heads[..] else {
        return Err(several(places));
    };
    let below = self::places(&all[head + 1..], old, Likeness::Text, 1);
    let place = below.first().map(|place| head + 1 + place);
    place.ok_or_else(|| several(places))
}

/// Says whether `all` is like `old` from the line `place` on.
fn is_at(all: &[&[u8]], old: &[&[u8]], place: usize, likeness: Likeness) -> bool {
    let there = all.get(place..).and_then(|below| below.get(..old.len()));
    there.is_some_and(|there| {
        let mut pairs = there.iter().zip(old);
        pairs.all(|(line, old)| key(line, likeness) == key(old, likeness))
    })
}

fn several(places: &[usize]) -> Why {
    Why::Several(places.iter().map(|place| place + 1).collect())
}

/// Returns the lines from which on `all` is like `old`, `most` at most.
fn places(all: &[&[u8]], old: &[&[u8]], likeness: Likeness, most: usize) -> Vec<usize> {
    // Each line has a line break before it and behind it, so that whole lines are found.
    let joined = |lines: &[&[u8]]| {
        let mut joined = vec![b'\n'];
        for line in lines {
            joined.extend(key(line, likeness));
            joined.push(b'\n');
        }
        joined
    };
    let (hay, needle) = (joined(all), joined(old));
    let finder = memmem::Finder::new(&needle);
    let mut places = Vec::new();
    let (mut at, mut n_lines) = (0, 0);
    while places.len() < most
        && let Some(next) = finder.find(&hay[at..])
    {
        n_lines += memchr::memchr_iter(b'\n', &hay[at..at + next]).count();
        places.push(n_lines);
        at += next + 1;
        n_lines += 1;
    }
    places
}

/// The most lines that are looked at for likeness, of what was looked for and of the file.
const MOST_OLD: usize = 30;
const MOST_ALL: usize = 20_000;

/// The most characters of a line that are shown.
const MOST_CHARS: usize = 200;

/// Returns the place that is most like `old`, if a line of it is as it should be, white space aside.
fn nearest(all: &[&[u8]], old: &[&[u8]]) -> Option<Near> {
    let old = &old[..old.len().min(MOST_OLD)];
    let all = &all[..all.len().min(MOST_ALL)];
    let likeness = |place: usize| -> usize {
        let pairs = all[place..].iter().zip(old);
        pairs.map(|(line, old)| alike(line, old)).sum()
    };
    // The first of the best: what comes later is no better.
    let (best, place) = (0..all.len())
        .map(|place| (likeness(place), std::cmp::Reverse(place)))
        .max()?;
    let place = place.0;
    if best == 0 {
        return None;
    }
    let shown = |line: &[u8]| {
        let line = String::from_utf8_lossy(key(line, Likeness::Trimmed)).into_owned();
        line.chars().take(MOST_CHARS).collect::<String>()
    };
    let there = &all[place..all.len().min(place + old.len())];
    let is_other = |at: &usize| {
        let there = there.get(*at).map(|line| key(line, Likeness::Trimmed));
        there != Some(key(old[*at], Likeness::Trimmed))
    };
    let wanted = (0..old.len()).find(is_other).map(|at| shown(old[at]));
    let numbered = there.iter().enumerate();
    Some(Near {
        lines: numbered
            .map(|(at, line)| (place + at + 1, shown(line)))
            .collect(),
        wanted: wanted.unwrap_or_default(),
    })
}

/// Returns how like two lines are: by what they begin and end with, white space round them aside. Long lines tell more.
fn alike(line: &[u8], other: &[u8]) -> usize {
    const TELLING: usize = 20;
    let (line, other) = (line.trim_ascii(), other.trim_ascii());
    let longest = line.len().max(other.len());
    let same =
        |pairs: &mut dyn Iterator<Item = (&u8, &u8)>| pairs.take_while(|(a, b)| a == b).count();
    let n_first = same(&mut line.iter().zip(other));
    let n_most = line.len().min(other.len()) - n_first;
    let n_last = same(&mut line.iter().rev().zip(other.iter().rev()).take(n_most));
    // Less than half is chance.
    if 2 * (n_first + n_last) > longest {
        (n_first + n_last) * longest.min(TELLING) / longest
    } else {
        0
    }
}
