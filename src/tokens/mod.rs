//! Token counts: the unit that every other room measures text in.
//!
//! In: `&str`. Out: [`Count`]. Pure, but for what a counter remembers; the only user of the tokenizer crate.
//!
//! Invariant: [`Count::exact`] is counted, never estimated. Exact counts add up where the cut
//! between two texts is a piece border of the encoding; `pack` cuts nowhere else.

mod estimate;
mod features;

use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};
use std::sync::Arc;

pub use estimate::{Family, Margin};

use crate::text_cache::TextCache;

/// The name of the encoding that exact counts are made with.
pub const ENCODING: &str = "o200k_base";

/// How many tokens a text has.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Count {
    /// `o200k_base` tokens, counted. Text that spells a special token counts as text.
    pub exact: u64,
    /// Estimated tokens of the families that the counter was asked for, without margin; else 0.
    estimates: [f64; Family::COUNT],
}

impl Count {
    /// Returns the most that a text of at most `exact` tokens and `bytes` bytes can count: no
    /// estimate is over the number of bytes.
    #[expect(clippy::cast_precision_loss, reason = "texts are far below 2^53 bytes")]
    pub fn at_most_of(exact: u64, bytes: usize) -> Self {
        Self {
            exact,
            estimates: [bytes as f64; Family::COUNT],
        }
    }

    /// Returns the estimate for `family`, without margin, rounded up.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a sum of token counts is far below 2^53"
    )]
    pub fn estimate(&self, family: Family) -> u64 {
        self.estimates[family.index()].ceil() as u64
    }

    /// Returns the most tokens of `family` that 99 % of texts of this size have.
    pub fn at_most(&self, family: Family, margin: Margin) -> u64 {
        estimate::at_most(self.estimates[family.index()], self.exact, family, margin)
    }
}

impl Add for Count {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.exact += other.exact;
        for (mine, theirs) in self.estimates.iter_mut().zip(other.estimates) {
            *mine += theirs;
        }
    }
}

impl Sub for Count {
    type Output = Self;

    /// Takes away what is part of it.
    fn sub(mut self, part: Self) -> Self {
        self.exact -= part.exact;
        for (mine, theirs) in self.estimates.iter_mut().zip(part.estimates) {
            *mine -= theirs;
        }
        self
    }
}

impl Sum for Count {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

/// Counts tokens. Cheap to make and to share; the vocabulary is loaded at the first count that is not remembered.
#[derive(Clone, Debug)]
pub struct Counter {
    families: Vec<Family>,
    cache: Arc<TextCache>,
    /// What the cache knows counts by.
    topic: String,
}

impl Counter {
    /// Makes a counter that estimates for `families`, too; each costs a little time.
    pub fn new(mut families: Vec<Family>) -> Self {
        families.sort_unstable();
        families.dedup();
        Self {
            topic: format!("count {families:?}"),
            families,
            cache: Arc::default(),
        }
    }

    /// Returns the counter that does not count again what is in `cache`.
    #[must_use]
    pub fn caching(self, cache: Arc<TextCache>) -> Self {
        Self { cache, ..self }
    }

    /// Returns what it remembers.
    pub fn cache(&self) -> &TextCache {
        &self.cache
    }

    /// Loads the vocabulary, unless most counts are likely remembered: it takes about as long as counting 5 MB. Worth
    /// calling on a thread beside other work.
    pub fn warm_up(&self) {
        if self.cache.is_empty() {
            encoding();
        }
    }

    /// Counts `text`.
    pub fn count(&self, text: &str) -> Count {
        self.cache.recall(
            &self.topic,
            text,
            |bytes| self.read(bytes),
            |count| Some(self.write(count)),
            || self.count_anew(text),
        )
    }

    /// Writes a count as it is remembered: the exact one, then the estimates of the families that are asked for.
    fn write(&self, count: &Count) -> Vec<u8> {
        let mut bytes = count.exact.to_le_bytes().to_vec();
        for family in &self.families {
            bytes.extend(count.estimates[family.index()].to_le_bytes());
        }
        bytes
    }

    /// Reads a count.
    fn read(&self, bytes: &[u8]) -> Option<Count> {
        let (exact, rest) = bytes.split_first_chunk()?;
        let (each, []) = rest.as_chunks() else {
            return None;
        };
        let mut estimates = [0.0; Family::COUNT];
        for (family, bytes) in self.families.iter().zip(each) {
            estimates[family.index()] = f64::from_le_bytes(*bytes);
        }
        (each.len() == self.families.len()).then_some(Count {
            exact: u64::from_le_bytes(*exact),
            estimates,
        })
    }

    fn count_anew(&self, text: &str) -> Count {
        let exact = encoding().count(text) as u64;
        let mut estimates = [0.0; Family::COUNT];
        if !self.families.is_empty() {
            let features = features::Features::of(text);
            for &family in &self.families {
                estimates[family.index()] =
                    estimate::estimate(family, exact, &features, text.len());
            }
        }
        Count { exact, estimates }
    }
}

#[expect(
    clippy::expect_used,
    reason = "the name is one that the crate is compiled with"
)]
fn encoding() -> &'static tiktoken::CoreBpe {
    tiktoken::get_encoding(ENCODING).expect("o200k_base is compiled in")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exact(text: &str) -> u64 {
        Counter::new(Vec::new()).count(text).exact
    }

    fn oracle(text: &str) -> u64 {
        tiktoken_rs::o200k_base_singleton()
            .encode_ordinary(text)
            .len() as u64
    }

    #[test]
    fn equals_the_reference_on_texts_of_many_kinds() {
        for text in [
            "",
            "fn main() {\n    println!(\"hi\");\n}\n",
            "it's we'll I'd CamelCaseHTTPServer snake_case\r\n\r\n\ttabs  \n   \n",
            "1234567 0x1F 3.14\n\n\n//////\n",
            "<|endoftext|> <|fim_prefix|>",
            "分词器把文本切成记号。トークナイザー 한국어 문장 ünïcödé ﷺ",
            "👩‍👩‍👧‍👦🇩🇪e\u{301}\u{feff}\u{2028}\u{85}\u{200b}",
            "[\n// comment",
            "\u{0}\u{1}\u{1b}[31m\u{fffd}",
        ] {
            assert_eq!(exact(text), oracle(text), "{text:?}");
        }
    }

    #[test]
    fn a_megabyte_of_one_kind_is_counted() {
        // The figures of other exact engines where the reference stops with an overflow.
        for (unit, n, expected) in [
            (" ", 1_000_000, 7_813),
            (" \t", 500_000, 499_999),
            ("a", 1_000_000, 125_000),
            ("\n", 1_000_000, 62_500),
            ("=", 1_000_000, 15_625),
        ] {
            assert_eq!(exact(&unit.repeat(n)), expected, "{unit:?}");
        }
    }

    proptest! {
        #[test]
        fn a_count_comes_back_as_it_was(text in "\\PC{0,80}", families in prop::sample::subsequence(vec![Family::ClaudeV47, Family::ClaudeV3, Family::Gemma3], 0..=3)) {
            let counter = Counter::new(families);
            let count = counter.count_anew(&text);
            let bytes = counter.write(&count);
            prop_assert_eq!(counter.read(&bytes), Some(count));
            prop_assert_eq!(counter.read(&bytes[1..]), None);
            prop_assert_eq!(counter.read(&[bytes, vec![0; 8]].concat()), None);
        }

        #[test]
        fn equals_the_reference_on_any_text(text in "(\\PC|[a-zA-Z' \\n\\r\\t/\\[\\]]|\\s|'s|\\p{L}){0,80}") {
            prop_assert_eq!(exact(&text), oracle(&text));
        }
    }
}
