//! A specification taken apart: its terms, the names in it, its phrases, the places that it mentions.

use std::collections::HashMap;
use std::hash::Hash;

use super::mention::{Mention, mentions};
use super::voice::pieces;
use super::words::{each_identifier, each_term};
use crate::path::RepoPath;

/// What is looked for.
#[derive(Debug, Default)]
pub struct Query {
    /// Its terms.
    pub(super) terms: Numbers<String>,
    /// How much each term weighs: more the more often it is said, but slowly, and less if it is only quoted.
    pub(super) weights: Vec<f64>,
    /// The same for the title alone: one for each term in it.
    pub(super) title: Vec<f64>,
    /// Its identifiers, as they are written.
    pub(super) identifiers: Numbers<String>,
    /// Whether each of them is written as only names in code are.
    pub(super) is_code: Vec<bool>,
    /// The same in lower case.
    pub(super) names: Numbers<String>,
    /// Its runs of three terms.
    pub(super) phrases: Numbers<Phrase>,
    /// The places that it mentions.
    pub(super) mentions: Vec<Mention>,
}

/// Three terms, one after another.
type Phrase = [u16; 3];

/// Things, each with its number: from 0, in the order in which they came.
#[derive(Debug)]
pub(super) struct Numbers<T>(HashMap<T, u16>);

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Hash + Eq> Numbers<T> {
    /// Returns how many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the number of a thing.
    pub(super) fn of<Q: Hash + Eq + ?Sized>(&self, thing: &Q) -> Option<u16>
    where
        T: std::borrow::Borrow<Q>,
    {
        self.0.get(thing).copied()
    }

    /// Returns the number of a thing, which it gets now if it has none; none where there are too many.
    fn add(&mut self, thing: T) -> Option<u16> {
        let next = u16::try_from(self.0.len()).ok()?;
        Some(*self.0.entry(thing).or_insert(next))
    }
}

impl Query {
    /// Takes a specification apart; its first line is its title.
    pub fn of(spec: &str) -> Self {
        let spec = spec.trim_start();
        let title_end = spec.find('\n').unwrap_or(spec.len());
        let mut query = Self {
            mentions: mentions(spec),
            ..Self::default()
        };
        query.add(&spec[..title_end]);
        query.title = vec![1.0; query.terms.len()];
        query.add(&spec[title_end..]);
        query.title.resize(query.terms.len(), 0.0);
        query.weigh(spec);
        query
    }

    /// Weighs the terms by how often the specification says each.
    fn weigh(&mut self, spec: &str) {
        let mut said = vec![0.0_f64; self.terms.len()];
        for (voice, piece) in pieces(spec) {
            each_identifier(piece, |word| {
                each_term(word, |term| {
                    if let Some(term) = self.terms.of(&term) {
                        said[usize::from(term)] += voice.weight();
                    }
                });
            });
        }
        let weight = |said: f64| if said < 1.0 { said } else { 1.0 + said.ln() };
        self.weights = said.into_iter().map(weight).collect();
    }

    /// Says whether the specification says the name of a file, so that it may mean it.
    pub fn says_name_of(&self, path: &RepoPath) -> bool {
        let name = String::from_utf8_lossy(path.name());
        let stem = name
            .split('.')
            .find(|part| !part.is_empty())
            .unwrap_or_default();
        let mut names = self.mentions.iter().flat_map(|mention| &mention.names);
        names.any(|said| said == stem)
    }

    /// Adds the words of a text.
    fn add(&mut self, text: &str) {
        let mut run = Run::default();
        each_identifier(text, |word| {
            if is_name(word) && self.identifiers.add(word.to_owned()).is_some() {
                self.is_code.resize(self.identifiers.len(), is_code(word));
                self.names.add(word.to_lowercase());
            }
            each_term(word, |term| {
                let Some(term) = self.terms.add(term) else {
                    return;
                };
                if let Some(phrase) = run.next(Some(term)) {
                    self.phrases.add(phrase);
                }
            });
        });
    }
}

/// Says whether a word may be a name that tells something.
fn is_name(word: &str) -> bool {
    word.len() > 2 && !word.starts_with(|c: char| c.is_ascii_digit())
}

/// Says whether a word is written as names in code are: with an underscore or a capital inside.
fn is_code(word: &str) -> bool {
    let bytes = word.trim_matches('_').as_bytes();
    let is_hump = |pair: &[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
    bytes.contains(&b'_') || bytes.windows(2).any(is_hump)
}

/// The last terms of a text, for runs of three.
#[derive(Default)]
pub(super) struct Run([Option<u16>; 2]);

impl Run {
    /// Goes on by a term, none for one that is not of the query; returns the run of three that ends there.
    pub(super) fn next(&mut self, term: Option<u16>) -> Option<Phrase> {
        let [first, second] = self.0;
        self.0 = [second, term];
        Some([first?, second?, term?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_is_taken_apart() {
        let query =
            Query::of("# Fix the HTTP cache\n\nThe cache of `read_file` and caches are stale.\n");
        let weight = |term: &str| query.weights[usize::from(query.terms.of(term).unwrap())];
        assert!((weight("http") - 1.0).abs() < 1e-9);
        assert!((weight("cach") - (1.0 + 3_f64.ln())).abs() < 1e-9);
        let quoted = Query::of("Odd\n\n```\nalpha beta beta beta beta\n```\n<!-- gamma -->\n");
        let weight = |term: &str| quoted.weights[usize::from(quoted.terms.of(term).unwrap())];
        assert!((weight("alpha") - 0.3).abs() < 1e-9);
        assert!((weight("beta") - (1.0 + 1.2_f64.ln())).abs() < 1e-9);
        assert!(weight("gamma").abs() < 1e-9);
        let title = |term: &str| query.title[usize::from(query.terms.of(term).unwrap())];
        assert_eq!((title("fix"), title("fil")), (1.0, 0.0));
        let is_code = |name: &str| query.is_code[usize::from(query.identifiers.of(name).unwrap())];
        assert!(is_code("read_file") && !is_code("cache"));
        assert!(query.names.of("http").is_some());
        let phrase = ["fix", "http", "cach"].map(|term| query.terms.of(term).unwrap());
        assert!(query.phrases.of(&phrase).is_some());
    }
}
