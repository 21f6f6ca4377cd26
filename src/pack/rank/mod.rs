//! How likely a change that a specification asks for touches each file, told by signals that can be explained.
//!
//! In: a specification, and what of it is in each file. Out: for each file its signals, their sum, and how likely
//! each of its chunks is meant. No model, nothing learned: words, names, paths, places.
//!
//! Invariant: what a file scores depends on the specification and the files alone.

mod bm25;
mod look;
mod mention;
mod query;
mod signals;
mod voice;
mod words;

use std::ops::Range;

pub use look::Look;
pub use query::Query;
use signals::Signals;

use crate::path::RepoPath;

/// What is known of a file before it is ranked.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its path.
    pub path: &'a RepoPath,
    /// What of the query is in it.
    pub look: &'a Look,
    /// Whether it is ranked even if the specification does not name it.
    pub is_candidate: bool,
    /// Whether it tests others.
    pub is_test: bool,
}

/// How likely a file is meant.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Score {
    /// All signals together; the best file has 1.
    pub total: f64,
    /// How likely it is meant, if the likeliest is 1.
    pub likelihood: f64,
    /// The signals that say something, strongest first, each with its part of the total.
    pub signals: Vec<(&'static str, f64)>,
    /// Its chunks, in order: their lines, counted from 1, and how likely each is meant, if the file is; these add up to 1.
    pub chunks: Vec<(Range<usize>, f64)>,
}

impl Score {
    /// Says whether some of its lines are like what is wanted.
    pub(super) fn says_where(&self) -> bool {
        self.signals.iter().any(|(name, _)| *name == "chunk")
    }
}

/// How many signals there are beside that of neighbours.
const N_SIGNALS: usize = 10;

/// How often a signal counts; each is 0 to 1. Measured on issues with known fixes, weights that were fitted did no better.
const WEIGHTS: [(&str, f64); N_SIGNALS] = [
    ("title", 2.0),
    ("words", 1.0),
    ("chunk", 1.0),
    ("chunks", 2.0),
    ("path", 1.0),
    ("mention", 1.0),
    ("name", 1.0),
    ("definition", 1.0),
    ("defined-words", 1.0),
    ("phrase", 1.0),
];

/// How often the best files of a file's folder count.
const NEIGHBOURS_WEIGHT: f64 = 2.0;

/// How much of the score of a file its own tests have.
const OF_TESTED: f64 = 0.6;

/// A mention that may mean more files than this names none of them.
const MAX_NAMED: usize = 3;

/// How much faster than its total the likelihood of a file falls: with half the total of the best it is one in sixty.
const CONTRAST: i32 = 6;

/// How much less likely a file is the more stand before it: the second by a fifth, the tenth by a half.
const PRECEDENCE: f64 = 0.3;

/// Scores each of `files`, in their order; none for what is no candidate, is not named, and tests none that is ranked.
pub fn rank(query: &Query, files: &[Seen<'_>]) -> Vec<Option<Score>> {
    let mentioned = signals::mentioned(query, files);
    let is_ranked: Vec<bool> = files
        .iter()
        .zip(&mentioned)
        .map(|(file, mentioned)| {
            file.is_candidate || mentioned.iter().any(|found| found.n_files <= MAX_NAMED)
        })
        .collect();
    let ranked: Vec<usize> = (0..files.len()).filter(|&index| is_ranked[index]).collect();
    let Signals {
        files: rows,
        chunks,
    } = signals::of(query, files, &mentioned, &ranked);
    let mut scores: Vec<Option<Score>> = vec![None; files.len()];
    let sums: Vec<f64> = rows
        .iter()
        .map(|row| {
            row.iter()
                .zip(WEIGHTS)
                .map(|(signal, (_, weight))| signal * weight)
                .sum()
        })
        .collect();
    let paths: Vec<&RepoPath> = ranked.iter().map(|&index| files[index].path).collect();
    let neighbours = signals::neighbours(&paths, &sums);
    let totals: Vec<f64> = sums
        .iter()
        .zip(&neighbours)
        .map(|(sum, near)| sum + NEIGHBOURS_WEIGHT * near)
        .collect();
    let best = totals.iter().copied().fold(0.0, f64::max);
    if best <= 0.0 {
        return scores;
    }
    for (at, &index) in ranked.iter().enumerate() {
        let mut signals: Vec<(&'static str, f64)> = rows[at]
            .iter()
            .zip(WEIGHTS)
            .map(|(signal, (name, weight))| (name, signal * weight / best))
            .chain([("neighbours", NEIGHBOURS_WEIGHT * neighbours[at] / best)])
            .filter(|(_, part)| *part > 0.0)
            .collect();
        signals.sort_by(|a, b| b.1.total_cmp(&a.1));
        let looked = &files[index].look.chunks;
        scores[index] = Some(Score {
            total: totals[at] / best,
            likelihood: 0.0,
            signals,
            chunks: shares(
                looked
                    .iter()
                    .map(|chunk| chunk.lines.start + 1..chunk.lines.end + 1),
                &chunks[at],
            ),
        });
    }
    for (index, total) in signals::of_tests(files, &scores) {
        scores[index] = Some(Score {
            total: total * OF_TESTED,
            likelihood: 0.0,
            signals: vec![("tests", total * OF_TESTED)],
            chunks: Vec::new(),
        });
    }
    set_likelihoods(&mut scores);
    scores
}

/// Tells of each file how likely it is meant: by its total, and by its place among all. Measured on issues with known
/// fixes: of the first two files in three are changed, of those that score nearly as much one in four.
fn set_likelihoods(scores: &mut [Option<Score>]) {
    let mut best_first: Vec<&mut Score> = scores.iter_mut().flatten().collect();
    best_first.sort_by(|a, b| b.total.total_cmp(&a.total));
    for (place, score) in best_first.into_iter().enumerate() {
        score.likelihood = score.total.powi(CONTRAST) * real(place + 1).powf(-PRECEDENCE);
    }
}

/// Shares one among the chunks of a file: by the square of what they score, a tenth evenly.
fn shares(lines: impl Iterator<Item = Range<usize>>, scores: &[f64]) -> Vec<(Range<usize>, f64)> {
    let squares = || scores.iter().map(|score| score * score);
    let (sum, n) = (squares().sum::<f64>(), real(scores.len()));
    let share = |square: f64| {
        if sum > 0.0 {
            (square / sum + EVENLY / n) / (1.0 + EVENLY)
        } else {
            1.0 / n
        }
    };
    lines.zip(squares().map(share)).collect()
}

/// What the chunks of a file share evenly, against what they share by their scores.
const EVENLY: f64 = 0.1;

#[expect(clippy::cast_precision_loss, reason = "no tree has 2^53 files")]
fn real(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranks a tree of paths and texts; files below `tests` are no candidates.
    fn ranked(spec: &str, files: &[(&str, &str)]) -> Vec<(String, Score)> {
        let query = Query::of(spec);
        let path = |path: &str| RepoPath::parse(path.as_bytes()).unwrap();
        let paths: Vec<RepoPath> = files.iter().map(|(name, _)| path(name)).collect();
        let looks: Vec<Look> = files.iter().map(|(_, text)| query.look(text)).collect();
        let seen = paths.iter().zip(&looks).map(|(path, look)| Seen {
            path,
            look,
            is_candidate: !path.is_in(&RepoPath::parse(b"tests").unwrap()),
            is_test: path.as_bytes().starts_with(b"tests/test_"),
        });
        let scores = rank(&query, &seen.collect::<Vec<_>>());
        let mut found: Vec<(String, Score)> = paths
            .iter()
            .zip(scores)
            .filter_map(|(path, score)| Some((path.to_string(), score?)))
            .collect();
        found.sort_by(|a, b| b.1.total.total_cmp(&a.1.total));
        found
    }

    const TREE: &[(&str, &str)] = &[
        (
            "src/cache.rs",
            "pub struct Cache;\nimpl Cache {\n    pub fn evict(&mut self) {}\n}\n",
        ),
        (
            "src/http.rs",
            "pub fn get(url: &str) {\n    panic!(\"connection was closed early\");\n}\n",
        ),
        ("src/lib.rs", "mod cache;\nmod http;\nmod plan;\n"),
        ("src/plan/mod.rs", "pub fn parse_plan(text: &str) {}\n"),
        ("src/plan/step.rs", "pub struct Step;\n"),
        ("tests/cache.rs", "fn evicts() { cache.evict(); }\n"),
    ];

    #[test]
    fn each_signal_brings_its_file_to_the_front() {
        for (spec, first, signal) in [
            ("Evict less", "src/cache.rs", "title"),
            ("Odd\n\nwhatever url it is", "src/http.rs", "words"),
            (
                "Odd\n\nIt says: connection was closed early",
                "src/http.rs",
                "phrase",
            ),
            ("Odd\n\nsee src/plan/step.rs", "src/plan/step.rs", "mention"),
            (
                "Odd\n\n`crate::plan::step` is wrong",
                "src/plan/step.rs",
                "mention",
            ),
            (
                "Odd\n\nparse_plan never returns",
                "src/plan/mod.rs",
                "definition",
            ),
            ("Odd\n\nwhat a step does", "src/plan/step.rs", "name"),
            ("Odd\n\nwhat a step does", "src/plan/step.rs", "path"),
        ] {
            let found = ranked(spec, TREE);
            let (path, score) = &found[0];
            assert_eq!(path, first, "{spec}");
            assert!((score.total - 1.0).abs() < 1e-9);
            let names: Vec<&str> = score.signals.iter().map(|(name, _)| *name).collect();
            assert!(names.contains(&signal), "{spec}: {names:?}");
            let parts: f64 = score.signals.iter().map(|(_, part)| part).sum();
            assert!((parts - score.total).abs() < 1e-9, "{spec}");
        }
    }

    #[test]
    fn a_file_is_less_likely_the_more_stand_before_it() {
        let score = |total: f64| {
            Some(Score {
                total,
                ..Score::default()
            })
        };
        let mut scores = [score(0.5), None, score(1.0), score(1.0)];
        set_likelihoods(&mut scores);
        let found = scores.map(|score| score.map_or(0.0, |score| score.likelihood));
        let expected = [3_f64.powf(-0.3) / 64.0, 0.0, 1.0, 2_f64.powf(-0.3)];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }

    #[test]
    fn what_is_no_candidate_is_ranked_if_the_spec_names_it() {
        let paths = |spec: &str| -> Vec<String> {
            ranked(spec, TREE)
                .into_iter()
                .map(|(path, _)| path)
                .collect()
        };
        assert!(!paths("evict the cache").contains(&"tests/cache.rs".to_owned()));
        assert!(paths("tests/cache.rs: evict the cache").contains(&"tests/cache.rs".to_owned()));
    }

    #[test]
    fn tests_follow_what_they_test() {
        let files = [
            ("src/cache.rs", "fn evict() {}\n"),
            ("src/http.rs", "fn get() {}\n"),
            ("tests/test_cache.rs", "fn other() {}\n"),
            ("tests/test_plan.rs", "fn evict() {}\n"),
        ];
        let found = ranked("evict", &files);
        let totals: Vec<(&str, f64)> = found
            .iter()
            .map(|(path, score)| (path.as_str(), score.total))
            .filter(|(_, total)| *total > 0.5)
            .collect();
        assert_eq!(
            totals,
            [("src/cache.rs", 1.0), ("tests/test_cache.rs", OF_TESTED)]
        );
    }

    #[test]
    fn the_lines_of_a_stack_trace_are_the_chunk_that_is_meant() {
        let filler = "fn other() {\n    let a = 1;\n    let b = 2;\n}\n\n".repeat(20);
        let found = ranked(
            "Crash\n\nFile \"/home/me/src/a.rs\", line 42, in other",
            &[("src/a.rs", &filler)],
        );
        let (lines, share) = found[0]
            .1
            .chunks
            .iter()
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap();
        assert!(lines.contains(&42), "{lines:?}");
        let shares: f64 = found[0].1.chunks.iter().map(|(_, share)| share).sum();
        assert!((shares - 1.0).abs() < 1e-9 && *share > 0.3, "{share}");
    }

    #[test]
    fn a_spec_that_says_nothing_of_the_tree_ranks_nothing() {
        assert!(ranked("???", TREE).is_empty());
        assert!(ranked("zebra", TREE).is_empty());
    }
}
