//! Values that were found in one place, wherever else they stand.
//!
//! In: a text and values that are known. Out: every place of each. Linear in the text, whatever the values are.

use std::collections::BTreeMap;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::judge;
use super::{Found, Rank};

/// No more bytes of values are looked for: what finds them takes some tens of times as much memory.
const MAX_KNOWN: usize = 1 << 18;

/// Finds all places of the `known` values, each with its rule, that nothing but a secret would fill. Of a value with
/// two rules the first counts.
pub(super) fn places<'a>(
    text: &str,
    known: impl Iterator<Item = (&'a Arc<str>, &'a str)>,
) -> Vec<Found> {
    let mut values: BTreeMap<&str, &Arc<str>> = BTreeMap::new();
    let mut n_bytes = 0;
    for (rule, value) in known {
        let is_new = !values.contains_key(value) && n_bytes + value.len() <= MAX_KNOWN;
        if is_new && judge::is_unmistakable(value) {
            n_bytes += value.len();
            values.insert(value, rule);
        }
    }
    if values.is_empty() {
        return Vec::new();
    }
    let automaton = AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .match_kind(MatchKind::LeftmostLongest)
        .build(values.keys());
    // It is refused only if it would be larger than values of so many bytes can make it.
    let Ok(automaton) = automaton else {
        return Vec::new();
    };
    let rules: Vec<&Arc<str>> = values.into_values().collect();
    automaton
        .find_iter(text)
        .map(|hit| Found::new(rules[hit.pattern()], hit.range(), Rank::Elsewhere))
        .collect()
}
