//! Lines of a file, as plans point to them.

use super::inline::Piece;
use super::tree::name_of;

/// The first and the last line.
pub(super) type Range = (usize, usize);

/// Words that numbers of lines stand after.
const LINE: &str =
    "line lines ll. zeile zeilen ligne lignes l\u{ed}nea l\u{ed}neas \u{7b2c} \u{884c}";

/// Words that stand between a path and `line`.
const BETWEEN: &str = "at on around near see in";

/// Words between two numbers.
const JOINS: &str = "and & und et y to bis";

/// How many words are looked at.
const MAX_WORDS: usize = 12;

fn lists(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

fn plain(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

/// Takes ranges, a fragment or the name of an item off the end of a path.
pub(super) fn split(word: &str) -> (&str, Vec<Range>) {
    if let Some((path, fragment)) = word.split_once('#')
        && !path.is_empty()
    {
        return (path, read(fragment));
    }
    for (at, _) in word.match_indices(':') {
        let (path, rest) = (&word[..at], &word[at + 1..]);
        let is_item = name_of(path).contains('.')
            && rest
                .trim_start_matches(':')
                .starts_with(|c: char| c.is_alphabetic() || c == '_');
        let is_range = rest
            .strip_prefix('L')
            .unwrap_or(rest)
            .starts_with(|c: char| c.is_ascii_digit());
        if !path.is_empty() && (is_range || is_item) {
            return (path, read(rest));
        }
    }
    (word, Vec::new())
}

/// Says whether the parts of a list after the first are ranges of it, as in `a.rs:1-2,7`.
pub(super) fn goes_on(list: &str) -> bool {
    let mut parts = list.split(',');
    let has_first = parts.next().is_some_and(|first| !split(first).1.is_empty());
    has_first && parts.all(|part| one(part).is_some())
}

/// Reads `12`, `12-40`, `L12-L40`, several with commas or, as the column is of no use, `12:5`.
fn read(text: &str) -> Vec<Range> {
    text.split(',').map_while(one).collect()
}

fn one(text: &str) -> Option<Range> {
    let number = |text: &str| -> Option<usize> {
        let digits = text.strip_prefix(['L', 'l']).unwrap_or(text);
        let digits = digits.split(['C', ':']).next()?;
        digits.parse().ok().filter(|&line| line > 0)
    };
    let (first, last) = text.split_once(['-', '\u{2013}']).unwrap_or((text, text));
    let first = number(first)?;
    let last = if last.is_empty() {
        first
    } else {
        number(last)?
    };
    Some((first.min(last), first.max(last)))
}

/// Reads what stands after a path: `:12`, `(lines 10-20, 30)`, `at line 7`; returns how many pieces it takes, too.
pub(super) fn after(pieces: &[Piece]) -> (Vec<Range>, usize) {
    let words = pieces
        .iter()
        .take(MAX_WORDS)
        .map_while(|piece| match piece {
            Piece::Word(word) => Some(*word),
            _ => None,
        });
    let words: Vec<&str> = words.collect();
    let adjacent = words.first().and_then(|first| first.strip_prefix(':'));
    if let Some(ranges) =
        adjacent.map(|rest| read(rest.trim_end_matches(|c: char| !c.is_ascii_digit())))
        && !ranges.is_empty()
    {
        return (ranges, 1);
    }
    for (at, word) in words.iter().enumerate() {
        let lower = plain(word).to_lowercase();
        if lists(LINE, &lower) {
            let (ranges, n_words) = list(&words[at + 1..]);
            let n_taken = if ranges.is_empty() {
                0
            } else {
                at + 1 + n_words
            };
            return (ranges, n_taken);
        }
        if !lower.is_empty() && !lists(BETWEEN, &lower) {
            break;
        }
    }
    (Vec::new(), 0)
}

/// Reads what stands before a path: `lines 10-20 of`.
pub(super) fn before(pieces: &[Piece]) -> Vec<Range> {
    let words = pieces
        .iter()
        .rev()
        .take(MAX_WORDS)
        .map_while(|piece| match piece {
            Piece::Word(word) => Some(*word),
            _ => None,
        });
    let mut words: Vec<&str> = words.collect();
    words.reverse();
    let joins = words
        .pop()
        .filter(|last| matches!(plain(last), "of" | "in" | "from" | "von" | "de"));
    let line = words
        .iter()
        .rposition(|word| lists(LINE, &plain(word).to_lowercase()));
    match (joins, line) {
        (Some(_), Some(at)) => {
            let (ranges, n_words) = list(&words[at + 1..]);
            // What stands between is said of something else.
            if at + 1 + n_words == words.len() {
                ranges
            } else {
                Vec::new()
            }
        }
        _ => Vec::new(),
    }
}

/// Reads numbers and ranges, with what joins them; returns how many words they are, too.
fn list(words: &[&str]) -> (Vec<Range>, usize) {
    let mut ranges: Vec<Range> = Vec::new();
    let mut n_words = 0;
    let mut is_range = false;
    for (at, word) in words.iter().enumerate() {
        let lower = plain(word).to_lowercase();
        if let Some(range) = one(&lower) {
            match ranges.last_mut() {
                Some(last) if is_range => last.1 = last.1.max(range.1),
                _ => ranges.push(range),
            }
            n_words = at + 1;
            is_range = false;
            if word.ends_with([')', '.', ';', ':', '\u{ff09}']) {
                break;
            }
        } else if !ranges.is_empty() && matches!(*word, "to" | "bis" | "-" | "\u{2013}") {
            is_range = true;
        } else if !lower.is_empty() && !lists(JOINS, &lower) {
            break;
        }
    }
    (ranges, n_words)
}
