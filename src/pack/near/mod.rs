//! The neighbours of files: their tests, what they import, and what imports them.
//!
//! In: sources with their outlines, and which of them are meant. Out: the others that belong to them, nearest first. Pure.

mod imports;
mod places;

use std::collections::BTreeMap;

use imports::imported;
use places::{Places, n_common_folders};

use super::Class;
use crate::path::RepoPath;
use crate::syntax::{Kind, Language, Outline};

/// A source file, as its neighbours are told by.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path.
    pub path: RepoPath,
    /// Its language.
    pub language: Language,
    /// Its text.
    pub text: String,
    /// What it defines and imports.
    pub outline: Outline,
}

/// A file that belongs to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// Its path.
    pub path: RepoPath,
    /// How it does.
    pub bond: Bond,
}

/// How a file belongs to another; the closest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bond {
    /// It tests it.
    Test,
    /// It is imported by it.
    Imported,
    /// It imports it.
    Importer,
}

/// How a file belongs to a meant one, and how far it is from that.
type Place = (Bond, usize);

/// Returns the neighbours of the sources that `is_meant` says, no more than `most`: by their bonds, then the nearest in the
/// tree, then by path.
pub fn neighbours(
    sources: &[Source],
    is_meant: impl Fn(&RepoPath) -> bool,
    most: usize,
) -> Vec<Neighbour> {
    let places = Places::of(sources);
    let mut found: BTreeMap<usize, Place> = BTreeMap::new();
    let mut enter = |at: usize, bond: Bond, other: usize| {
        let (path, of) = (&sources[at].path, &sources[other].path);
        let depth = of.components().count() + path.components().count();
        let place = (bond, depth - 2 * n_common_folders(path, of));
        let known = found.entry(at).or_insert(place);
        *known = place.min(*known);
    };
    for (from, source) in sources.iter().enumerate() {
        let from_is_meant = is_meant(&source.path);
        for to in imported(source, &places) {
            match (from_is_meant, is_meant(&sources[to].path)) {
                (true, false) => enter(to, Bond::Imported, from),
                (false, true) if is_test(source) => enter(from, Bond::Test, to),
                (false, true) => enter(from, Bond::Importer, to),
                _ => {}
            }
        }
        if !from_is_meant && is_test(source) {
            let tested = places.with_stem(tested(source), &source.path);
            for to in tested.into_iter().filter(|&to| is_meant(&sources[to].path)) {
                enter(from, Bond::Test, to);
            }
        }
    }
    let mut found: Vec<(Place, usize)> = found.into_iter().map(|(at, it)| (it, at)).collect();
    found.sort_by_key(|&(place, at)| (place, &sources[at].path));
    found.truncate(most);
    let found = found.into_iter().map(|((bond, _), at)| Neighbour {
        path: sources[at].path.clone(),
        bond,
    });
    found.collect()
}

fn is_test(source: &Source) -> bool {
    Class::of(&source.path) == Class::Test
}

/// Returns the stem of the file that a test is named after.
fn tested(source: &Source) -> &str {
    let stem = places::stem(&source.path);
    let stem = stem.strip_prefix("test_").unwrap_or(stem);
    let ends = [
        "_test", "_tests", "_spec", ".test", ".spec", "Test", "Tests", "Spec",
    ];
    let mut ends = ends.into_iter();
    ends.find_map(|end| stem.strip_suffix(end)).unwrap_or(stem)
}

/// Returns the names of the types that a file defines.
fn types(source: &Source) -> impl Iterator<Item = &str> {
    let types = source.outline.items.iter();
    let types = types.filter(|item| item.kind == Kind::Type && !item.name.is_empty());
    types.map(|item| item.name.as_str())
}

#[cfg(test)]
mod tests;
