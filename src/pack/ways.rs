//! The ways in which a ranked file may be shown, from its signatures to all of it, and what each is worth.
//!
//! In: a file's text, and how likely it and its chunks are meant. Out: what is shown each time, and its worth: how
//! likely the file is meant, times what it is worth then to see that much of it.

use super::rank::Score;
use super::shape::Shape;
use super::{Level, Shown};
use crate::path::RepoPath;
use crate::syntax::Lines;
use crate::text_cache::TextCache;

/// What a budget is rather spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefer {
    /// The lines that are meant, and whole files where there is room.
    Balance,
    /// Whole files.
    Files,
    /// The lines that are meant, of more files.
    Lines,
}

/// What it is worth to see of a file that is meant.
struct Worth {
    /// That it is there, and what it defines.
    seen: f64,
    /// All lines that are meant; of some of them as much as they are likely.
    lines: f64,
    /// All of it, beside.
    whole: f64,
}

impl Prefer {
    fn worth(self) -> Worth {
        let (seen, lines, whole) = match self {
            Self::Balance => (0.25, 1.0, 1.0),
            Self::Files => (0.03, 0.2, 1.0),
            Self::Lines => (0.25, 1.0, 0.1),
        };
        Worth { seen, lines, whole }
    }
}

/// One way in which a file may be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// What is shown.
    pub shown: Shown,
    /// What that is worth.
    pub worth: f64,
}

/// Each excerpt is larger than the one before by at least this, as a divisor.
const GROWTH: usize = 3;

/// An excerpt that holds more of a file than this is no gain over all of it, in percent.
const MAX_PERCENT: usize = 85;

/// The share of what is likely meant in a file that an excerpt holds which is asked for.
const MOST: f64 = 0.5;

/// How fast the worth of seeing a file falls with its likelihood, as a power. Measured: with 1 fewer of the changed files
/// are there in any form, and hardly more in full.
const SEEN_FALLS: f64 = 0.8;

/// How many bytes of source a token has, about.
const BYTES_A_TOKEN: f64 = 4.0;

/// What a mark for lines that are not shown takes, in bytes, about.
const MARK_BYTES: usize = 20;

/// Returns what it is worth to show all of a file: no more than its skeleton where no lines of it are likely, as in tests.
pub fn whole_worth(score: &Score, prefer: Prefer) -> f64 {
    let Worth { lines, whole, .. } = prefer.worth();
    let more = if score.chunks.is_empty() {
        0.0
    } else {
        lines + whole
    };
    seen_worth(score, prefer) + score.likelihood * more
}

/// Returns what it is worth to show that a file is there, and what it defines. That falls slower than it is likely: who
/// sees it can ask for more.
fn seen_worth(score: &Score, prefer: Prefer) -> f64 {
    let falls = if score.chunks.is_empty() {
        1.0
    } else {
        SEEN_FALLS
    };
    prefer.worth().seen * score.likelihood.powf(falls)
}

/// Returns the ways in which the file at `path` may be shown in part; lines of which a token is worth less than `least` are in none
/// but the shortest.
pub fn ways(
    path: &RepoPath,
    text: &str,
    score: &Score,
    prefer: Prefer,
    least: f64,
    cache: &TextCache,
) -> Vec<Way> {
    let (seen, lines) = (seen_worth(score, prefer), prefer.worth().lines);
    let shape = Shape::of(path, text, cache);
    let mut ways = Vec::new();
    if let Some(shape) = &shape {
        ways.push(Way {
            shown: Shown::Lines(Level::Skeleton, shape.skeleton.clone()),
            worth: seen,
        });
    }
    let (mut taken, mut n_bytes, mut share_taken, mut n_bytes_last) = (Vec::new(), 0, 0.0, 0);
    for (chunk, share, size) in best_first(text, score) {
        if n_bytes > 0 && score.likelihood * lines * share * BYTES_A_TOKEN < least * real(size) {
            break;
        }
        taken.extend(
            shape
                .iter()
                .flat_map(|shape| shape.headings(*chunk.start())),
        );
        taken.push(chunk);
        n_bytes += size;
        share_taken += share;
        if n_bytes * 100 > text.len() * MAX_PERCENT {
            break;
        }
        if n_bytes >= n_bytes_last + n_bytes_last / GROWTH {
            n_bytes_last = n_bytes;
            ways.push(Way {
                shown: Shown::Lines(Level::Excerpt, merged(taken.clone())),
                worth: seen + score.likelihood * lines * share_taken,
            });
        }
    }
    ways
}

/// Returns the excerpt of the file at `path` that is shown where one is asked for, whatever the budget: the shortest that
/// holds most of what is likely meant in it, or its skeleton where that is nothing. None if all of it is to be shown.
pub fn excerpt(
    path: &RepoPath,
    text: &str,
    score: Option<&Score>,
    prefer: Prefer,
    cache: &TextCache,
) -> Option<Way> {
    let Some(score) = score.filter(|score| score.says_where()) else {
        let nothing = Score::default();
        return ways(path, text, &nothing, prefer, 0.0, cache).pop();
    };
    let enough = seen_worth(score, prefer) + score.likelihood * prefer.worth().lines * MOST;
    let mut ways = ways(path, text, score, prefer, 0.0, cache).into_iter();
    ways.find(|way| way.worth >= enough)
}

/// Returns the chunks of a file with their shares and sizes, the most of what is meant for their size first.
fn best_first(text: &str, score: &Score) -> Vec<(Lines, f64, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut chunks: Vec<(Lines, f64, usize)> = score
        .chunks
        .iter()
        .map(|(range, share)| {
            let of_chunk = &lines[range.start - 1..(range.end - 1).min(lines.len())];
            let size = of_chunk.iter().map(|line| line.len() + 1).sum::<usize>() + MARK_BYTES;
            (range.start..=range.end - 1, *share, size)
        })
        .collect();
    let density = |(_, share, size): &(Lines, f64, usize)| share / real(*size);
    chunks.sort_by(|a, b| density(b).total_cmp(&density(a)));
    chunks
}

fn real(size: usize) -> f64 {
    f64::from(u32::try_from(size).unwrap_or(u32::MAX))
}

/// Puts ranges of lines in order; those that touch become one.
fn merged(mut ranges: Vec<Lines>) -> Vec<Lines> {
    ranges.sort_by_key(|lines| *lines.start());
    let mut merged: Vec<Lines> = Vec::new();
    for lines in ranges {
        match merged.last_mut() {
            Some(last) if *lines.start() <= last.end() + 1 => {
                *last = *last.start()..=*last.end().max(lines.end());
            }
            _ => merged.push(lines),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::super::rank::{Look, Query, Seen, rank};
    use super::*;

    /// A file of two methods of a class, each as long as a chunk, and what comes before.
    fn text() -> String {
        let body = |name: &str, word: &str| {
            let lines = format!("        {word} = other\n").repeat(20);
            format!("    def {name}(self):\n{lines}\n")
        };
        let (first, second) = (body("first", "alpha"), body("second", "beta"));
        format!("import os\n\n\nclass Thing:\n{first}{second}")
    }

    fn ways_of(path: &str, spec: &str, prefer: Prefer) -> Vec<Way> {
        let path = RepoPath::parse(path.as_bytes()).unwrap();
        let (query, text) = (Query::of(spec), text());
        let look: Look = query.look(&text);
        let seen = Seen {
            path: &path,
            look: &look,
            is_candidate: true,
            is_test: false,
        };
        let score = rank(&query, &[seen])[0].clone().unwrap();
        ways(&path, &text, &score, prefer, 0.0, &TextCache::default())
    }

    #[test]
    fn a_file_is_shown_from_its_signatures_to_its_likeliest_lines() {
        let found = ways_of("a.py", "beta", Prefer::Balance);
        let shown: Vec<(Level, &[Lines])> = found
            .iter()
            .map(|way| match &way.shown {
                Shown::Lines(level, lines) => (*level, lines.as_slice()),
                Shown::All | Shown::Skeleton => panic!("these are no ways"),
            })
            .collect();
        // The class round the method is told, the method before it is not.
        assert_eq!(
            shown,
            [
                (Level::Skeleton, &[1..=1, 4..=5, 27..=27][..]),
                (Level::Excerpt, &[4..=4, 27..=48]),
            ]
        );
        assert!(found[0].worth < found[1].worth);
    }

    #[test]
    fn lines_that_are_worth_too_little_are_in_the_shortest_way_alone() {
        let path = RepoPath::parse(b"a.unknown").unwrap();
        let text = "12345678\n".repeat(80);
        let chunk = |n: usize, share| (20 * n + 1..20 * n + 21, share);
        let score = Score {
            likelihood: 1.0,
            chunks: vec![chunk(0, 0.1), chunk(1, 0.4), chunk(2, 0.3), chunk(3, 0.2)],
            ..Score::default()
        };
        // A token of the second best is worth 0.3 * 4 / 200.
        for (least, n_ways) in [(0.0, 3), (0.0059, 2), (0.0061, 1), (1.0, 1)] {
            let cache = TextCache::default();
            let found = ways(&path, &text, &score, Prefer::Balance, least, &cache);
            assert_eq!(found.len(), n_ways, "{least}");
        }
    }

    #[test]
    fn what_has_no_outline_is_shown_in_lines_alone() {
        let found = ways_of("a.unknown", "beta", Prefer::Balance);
        assert!(!found.is_empty());
        assert!(
            found
                .iter()
                .all(|way| matches!(way.shown, Shown::Lines(Level::Excerpt, _)))
        );
    }

    #[test]
    fn an_excerpt_that_is_asked_for_holds_what_is_meant() {
        let path = RepoPath::parse(b"a.py").unwrap();
        let short = "def alpha():\n    pass\n";
        let shown = |text: &str, spec: &str| {
            let query = Query::of(spec);
            let look: Look = query.look(text);
            let seen = Seen {
                path: &path,
                look: &look,
                is_candidate: true,
                is_test: false,
            };
            let score = rank(&query, &[seen])[0].clone();
            let cache = TextCache::default();
            let way = excerpt(&path, text, score.as_ref(), Prefer::Balance, &cache);
            way.map(|way| way.shown)
        };
        let lines = |level, lines: &[Lines]| Some(Shown::Lines(level, lines.to_vec()));
        for (text, spec, expected) in [
            (
                text().as_str(),
                "beta",
                lines(Level::Excerpt, &[4..=4, 27..=48]),
            ),
            // Nothing of it is meant: what it defines is all that is to be said.
            (
                text().as_str(),
                "zebra",
                lines(Level::Skeleton, &[1..=1, 4..=5, 27..=27]),
            ),
            // Only its path is.
            (
                text().as_str(),
                "a.py",
                lines(Level::Skeleton, &[1..=1, 4..=5, 27..=27]),
            ),
            // What is meant is all of it.
            (short, "alpha", None),
        ] {
            assert_eq!(shown(text, spec), expected, "{spec}");
        }
    }

    #[test]
    fn what_it_is_worth_to_see_a_file_falls_slower_than_it_is_likely() {
        let seen = |likelihood: f64, chunks: &[(std::ops::Range<usize>, f64)]| {
            let score = Score {
                likelihood,
                chunks: chunks.to_vec(),
                ..Score::default()
            };
            seen_worth(&score, Prefer::Balance)
        };
        let (lines, of_a_test) = (&[(1..2, 1.0)][..], &[][..]);
        assert!((seen(1.0, lines) - seen(1.0, of_a_test)).abs() < 1e-9);
        assert!(seen(0.1, lines) > 1.5 * seen(0.1, of_a_test));
        assert!((seen(0.1, of_a_test) - 0.1 * seen(1.0, of_a_test)).abs() < 1e-9);
    }

    #[test]
    fn a_preference_says_how_much_a_whole_file_is_worth() {
        let score = Score {
            total: 1.0,
            likelihood: 1.0,
            chunks: vec![(1..2, 1.0)],
            ..Score::default()
        };
        let of_whole = |prefer| {
            let some = ways_of("a.py", "beta", prefer).pop().unwrap().worth;
            some / whole_worth(&score, prefer)
        };
        let [files, balance, lines] = [Prefer::Files, Prefer::Balance, Prefer::Lines].map(of_whole);
        assert!(
            files < balance && balance < lines,
            "{files} {balance} {lines}"
        );
    }

    #[test]
    fn ranges_that_touch_become_one() {
        assert_eq!(
            merged(vec![5..=9, 1..=2, 10..=12, 3..=3, 20..=20]),
            [1..=3, 5..=12, 20..=20]
        );
    }
}
