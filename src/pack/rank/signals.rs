//! The signals: each says in its own way how likely a file is meant, from 0 to 1.

use std::collections::HashMap;

use super::bm25::{Bm25, Counted};
use super::look::{Chunk, Look, add_up};
use super::query::Query;
use super::words::{each_identifier, each_term};
use super::{MAX_NAMED, N_SIGNALS, Score, Seen, real};
use crate::path::RepoPath;

/// The signals of the files that are ranked.
pub(super) struct Signals {
    /// For each file one number a signal, in the order of the weights.
    pub(super) files: Vec<[f64; N_SIGNALS]>,
    /// For each file one number a chunk.
    pub(super) chunks: Vec<Vec<f64>>,
}

/// Whole files, and the names in them.
const FILES: Bm25 = Bm25 { k1: 1.2, b: 0.6 };
const CHUNKS: Bm25 = Bm25 { k1: 1.2, b: 0.5 };
const NAMES: Bm25 = Bm25 { k1: 1.0, b: 0.5 };
const PATHS: Bm25 = Bm25 { k1: 0.8, b: 0.6 };

/// How many of the best count for all: of a file's chunks, and of a folder's files.
const N_BEST: usize = 3;

/// A mention of a file: which of the query's, and how many files it may mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mentioned {
    mention: usize,
    pub(super) n_files: usize,
}

/// Returns the signals of those of `files` that are `ranked`.
pub(super) fn of(
    query: &Query,
    files: &[Seen<'_>],
    mentioned: &[Vec<Mentioned>],
    ranked: &[usize],
) -> Signals {
    let looks: Vec<&Look> = ranked.iter().map(|&index| files[index].look).collect();
    let paths: Vec<&RepoPath> = ranked.iter().map(|&index| files[index].path).collect();
    let mentioned: Vec<&Vec<Mentioned>> = ranked.iter().map(|&index| &mentioned[index]).collect();

    let identifiers = Found::new(&looks, query.identifiers.len(), |chunk| &chunk.identifiers);
    let phrases = Found::new(&looks, query.phrases.len(), |chunk| &chunk.phrases);
    let defined = Found::new(&looks, query.identifiers.len(), |chunk| &chunk.defined);
    let rare_name = |name: u16| {
        if query.is_code[usize::from(name)] {
            identifiers.rarity(name)
        } else {
            0.0
        }
    };
    let rare_phrase = |phrase: u16| phrases.rarity(phrase);
    // A name that only one file defines says where; one that many define says nothing.
    let definition = |name: u16| defined.n_with(name).powf(-0.75);

    let lines_said = |mentioned: &[Mentioned], chunk: &Chunk| {
        let lines = mentioned
            .iter()
            .filter_map(|found| query.mentions[found.mention].line);
        real(
            lines
                .filter(|line| chunk.lines.contains(&(line - 1)))
                .count(),
        )
    };
    let all: Vec<Counted> = looks
        .iter()
        .flat_map(|look| look.chunks.iter().map(Counted::of_chunk))
        .collect();
    let each_chunk = |worth: &dyn Fn(usize, &Chunk) -> f64| -> Vec<f64> {
        let each = looks.iter().enumerate();
        each.flat_map(|(at, look)| look.chunks.iter().map(move |chunk| worth(at, chunk)))
            .collect()
    };
    let sum = |numbers: &[u16], worth: &dyn Fn(u16) -> f64| {
        numbers.iter().map(|&number| worth(number)).sum::<f64>()
    };
    let of_chunks = added([
        CHUNKS.score(&all, &query.weights),
        CHUNKS.score(&all, &query.title),
        each_chunk(&|_, chunk| sum(&chunk.identifiers, &rare_name)),
        each_chunk(&|_, chunk| sum(&chunk.phrases, &rare_phrase)),
        each_chunk(&|_, chunk| sum(&chunk.defined, &definition)),
        each_chunk(&|_, chunk| {
            sum(&chunk.defined_terms, &|term| {
                query.weights[usize::from(term)]
            })
        }),
        each_chunk(&|at, chunk| lines_said(mentioned[at], chunk)),
    ]);
    let mut rest = of_chunks.into_iter();
    let chunks: Vec<Vec<f64>> = looks
        .iter()
        .map(|look| rest.by_ref().take(look.chunks.len()).collect())
        .collect();

    let bodies: Vec<Counted> = looks.iter().map(|look| Counted::of_file(look)).collect();
    let names: Vec<Counted> = looks.iter().map(|look| Counted::of_names(look)).collect();
    let words: Vec<Counted> = paths
        .iter()
        .map(|path| Counted::of_path(query, path))
        .collect();
    let columns = [
        FILES.score(&bodies, &query.title),
        FILES.score(&bodies, &query.weights),
        chunks.iter().map(|scores| best(scores, 1)).collect(),
        chunks.iter().map(|scores| best(scores, N_BEST)).collect(),
        PATHS.score(&words, &query.weights),
        mentioned.iter().map(|found| surest(found)).collect(),
        called(query, &paths),
        defined.sums(&definition),
        NAMES.score(&names, &query.weights),
        phrases.sums(&rare_phrase),
    ];
    let mut rows = vec![[0.0; N_SIGNALS]; ranked.len()];
    for (signal, mut column) in columns.into_iter().enumerate() {
        scale(&mut column);
        for (row, value) in rows.iter_mut().zip(column) {
            row[signal] = value;
        }
    }
    Signals {
        files: rows,
        chunks,
    }
}

/// Returns for each file the mean of the best of its folder.
pub(super) fn neighbours(paths: &[&RepoPath], scores: &[f64]) -> Vec<f64> {
    let mut folders: HashMap<&[u8], Vec<f64>> = HashMap::new();
    for (path, &score) in paths.iter().zip(scores) {
        folders.entry(path.folder()).or_default().push(score);
    }
    let of_folder = |path: &&RepoPath| best(&folders[path.folder()], N_BEST);
    let mut near: Vec<f64> = paths.iter().map(of_folder).collect();
    scale(&mut near);
    near
}

/// Adds signals up, each scaled.
fn added<const N: usize>(signals: [Vec<f64>; N]) -> Vec<f64> {
    let mut sum = vec![0.0; signals[0].len()];
    for mut signal in signals {
        scale(&mut signal);
        for (sum, value) in sum.iter_mut().zip(signal) {
            *sum += value;
        }
    }
    sum
}

/// Scales a signal so that its largest value is 1.
fn scale(signal: &mut [f64]) {
    let largest = signal.iter().copied().fold(0.0, f64::max);
    if largest > 0.0 {
        for value in signal.iter_mut() {
            *value /= largest;
        }
    }
}

/// Sums the best `n` of scores.
fn best(scores: &[f64], n: usize) -> f64 {
    let mut scores = scores.to_vec();
    scores.sort_by(|a, b| b.total_cmp(a));
    scores.iter().take(n).sum()
}

/// What of one kind is in each file, and how many files have each.
struct Found {
    of_file: Vec<Vec<u16>>,
    n_with: Vec<usize>,
}

impl Found {
    fn new(looks: &[&Look], n_kinds: usize, of: impl Fn(&Chunk) -> &[u16]) -> Self {
        let mut n_with = vec![0; n_kinds];
        let of_file = looks.iter().map(|look| {
            let mut found: Vec<u16> = look
                .chunks
                .iter()
                .flat_map(|chunk| of(chunk).iter().copied())
                .collect();
            found.sort_unstable();
            found.dedup();
            for &number in &found {
                n_with[usize::from(number)] += 1;
            }
            found
        });
        let of_file = of_file.collect();
        Self { of_file, n_with }
    }

    fn n_with(&self, number: u16) -> f64 {
        real(self.n_with[usize::from(number)])
    }

    fn rarity(&self, number: u16) -> f64 {
        (1.0 + real(self.of_file.len()) / self.n_with(number)).ln()
    }

    /// Sums for each file what is in it.
    fn sums(&self, worth: &dyn Fn(u16) -> f64) -> Vec<f64> {
        let sum = |found: &Vec<u16>| found.iter().map(|&number| worth(number)).sum();
        self.of_file.iter().map(sum).collect()
    }
}

impl Counted {
    fn of_chunk(chunk: &Chunk) -> Self {
        Self {
            length: f64::from(chunk.n_terms),
            terms: chunk.terms.clone(),
        }
    }

    fn of_file(look: &Look) -> Self {
        let length = look
            .chunks
            .iter()
            .map(|chunk| f64::from(chunk.n_terms))
            .sum();
        Self::new(
            length,
            look.chunks
                .iter()
                .flat_map(|chunk| chunk.terms.iter().copied()),
        )
    }

    fn of_names(look: &Look) -> Self {
        let terms = look.chunks.iter().flat_map(|chunk| &chunk.defined_terms);
        Self::new(
            f64::from(look.n_defined_terms),
            terms.map(|&term| (term, 1)),
        )
    }

    fn of_path(query: &Query, path: &RepoPath) -> Self {
        let (mut n, mut terms) = (0, Vec::new());
        each_identifier(&path.to_string(), |word| {
            each_term(word, |term| {
                n += 1;
                terms.extend(query.terms.of(&term).map(|term| (term, 1)));
            });
        });
        Self::new(real(n), terms.into_iter())
    }

    fn new(length: f64, terms: impl Iterator<Item = (u16, u32)>) -> Self {
        let mut terms: Vec<(u16, u32)> = terms.collect();
        add_up(&mut terms);
        Self { length, terms }
    }
}

/// Returns the name of a file in lower case, or that of the folder that it stands for.
fn name_of(path: &RepoPath) -> String {
    let path = path.to_string();
    let mut names = path.rsplit('/');
    let stem = names
        .next()
        .and_then(|name| name.split('.').next())
        .unwrap_or_default();
    let name = if INDEXES.contains(&stem) {
        names.next().unwrap_or(stem)
    } else {
        stem
    };
    name.to_lowercase()
}

/// File names that stand for their folder.
const INDEXES: &[&str] = &["__init__", "index", "lib", "main", "mod"];

/// Returns for each file whether the query says its name, or that of the folder that it stands for.
fn called(query: &Query, paths: &[&RepoPath]) -> Vec<f64> {
    let names: Vec<Option<u16>> = paths
        .iter()
        .map(|path| query.names.of(&name_of(path)))
        .collect();
    let mut n_called = vec![0; query.names.len()];
    for &name in names.iter().flatten() {
        n_called[usize::from(name)] += 1;
    }
    let worth = |name: u16| real(n_called[usize::from(name)]).powf(-0.5);
    names.iter().map(|name| name.map_or(0.0, worth)).collect()
}

/// Returns the files that test others by their names, with the best score of those.
pub(super) fn of_tests(files: &[Seen<'_>], scores: &[Option<Score>]) -> Vec<(usize, f64)> {
    let mut tested: HashMap<String, (f64, usize)> = HashMap::new();
    for (file, score) in files.iter().zip(scores) {
        if let Some(score) = score {
            let (best, n_files) = tested.entry(name_of(file.path)).or_default();
            *best = score.total.max(*best);
            *n_files += 1;
        }
    }
    let total = |index: usize| {
        let (best, n_files) = *tested.get(subject(&name_of(files[index].path)))?;
        (n_files <= MAX_NAMED && best > 0.0).then_some(best)
    };
    let tests = (0..files.len()).filter(|&index| files[index].is_test && scores[index].is_none());
    tests
        .filter_map(|index| Some((index, total(index)?)))
        .collect()
}

/// Returns the name of what a file of tests tests, by its own.
fn subject(name: &str) -> &str {
    let name = name.strip_prefix("test_").unwrap_or(name);
    let ends = ["_tests", "_test", "_spec", "tests", "test"];
    let subject = ends.iter().find_map(|end| name.strip_suffix(end));
    subject
        .filter(|subject| !subject.is_empty())
        .unwrap_or(name)
}

/// Returns how sure the surest mention of a file is.
fn surest(found: &[Mentioned]) -> f64 {
    found
        .iter()
        .map(|found| real(found.n_files).powf(-0.5))
        .fold(0.0, f64::max)
}

/// Returns for each file where the query mentions it: a mention means those files of whose path it says most.
pub(super) fn mentioned(query: &Query, files: &[Seen<'_>]) -> Vec<Vec<Mentioned>> {
    let mut places: HashMap<&str, Vec<(usize, usize)>> = HashMap::new();
    for (index, mention) in query.mentions.iter().enumerate() {
        for (place, name) in mention.names.iter().enumerate() {
            places.entry(name).or_default().push((index, place));
        }
    }
    let mut meant: Vec<(usize, Vec<usize>)> = vec![(2, Vec::new()); query.mentions.len()];
    for (file, seen) in files.iter().enumerate() {
        for key in keys(seen.path) {
            let Some(last) = key.last() else { continue };
            for &(mention, place) in places.get(last.as_str()).into_iter().flatten() {
                let names = query.mentions[mention].names[..=place].iter();
                let length = names
                    .rev()
                    .zip(key.iter().rev())
                    .take_while(|(a, b)| a == b)
                    .count();
                let (longest, files) = &mut meant[mention];
                if length > *longest {
                    *longest = length;
                    files.clear();
                }
                if length == *longest && files.last() != Some(&file) {
                    files.push(file);
                }
            }
        }
    }
    let mut of_file = vec![Vec::new(); files.len()];
    for (mention, (_, files)) in meant.into_iter().enumerate() {
        for &file in &files {
            of_file[file].push(Mentioned {
                mention,
                n_files: files.len(),
            });
        }
    }
    of_file
}

/// Returns the ways in which a file's path is written: whole, without its extension, as its folder.
fn keys(path: &RepoPath) -> Vec<Vec<String>> {
    let path = path.to_string();
    let mut folders: Vec<String> = path.split('/').map(str::to_owned).collect();
    let name = folders.pop().unwrap_or_default();
    let parts: Vec<&str> = name.split('.').filter(|part| !part.is_empty()).collect();
    let with = |parts: &[&str]| -> Vec<String> {
        let parts = parts.iter().map(|part| (*part).to_owned());
        folders.iter().cloned().chain(parts).collect()
    };
    let mut keys = vec![with(&parts)];
    if let [bare @ .., _] = parts.as_slice()
        && !bare.is_empty()
    {
        keys.push(with(bare));
    }
    if parts.first().is_some_and(|stem| INDEXES.contains(stem)) {
        keys.push(with(&[]));
    }
    keys
}
