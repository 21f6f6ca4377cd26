//! Estimates for tokenizers that are not public: linear in the exact count and byte features.
//!
//! The coefficients, clamps and margins are the data of `estimators.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::features::{Coefficients, Features};

/// A tokenizer whose counts are estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Claude 4.7 and later.
    ClaudeV47,
    /// Claude 3 to 4.6.
    ClaudeV3,
    /// Gemini 2 and 3, and the stand-in for later Gemini.
    Gemma3,
}

/// What to add to an estimate, beyond the family's own margin, in percentage points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Margin {
    /// For models that are newer than the measurements.
    pub extra_points: u8,
}

impl Family {
    /// How many families there are.
    pub const COUNT: usize = 3;

    /// Returns the family's place in an array of all.
    pub const fn index(self) -> usize {
        self as usize
    }

    fn name(self) -> &'static str {
        match self {
            Self::ClaudeV47 => "claude-v4.7",
            Self::ClaudeV3 => "claude-v3",
            Self::Gemma3 => "gemma3",
        }
    }

    /// Returns the share to add to an estimate so that it holds in 99 % of packs of `exact` tokens.
    pub fn margin_share(self, exact: u64, margin: Margin) -> f64 {
        let rows = &self.estimator().margins;
        let row = rows
            .iter()
            .rev()
            .find(|row| row.from_tokens <= exact)
            .or(rows.first());
        row.map_or(0.0, |row| row.share) + f64::from(margin.extra_points) / 100.0
    }

    /// Returns the sizes, in exact tokens, from which another margin holds; the first is 0.
    pub fn margin_sizes(self) -> impl Iterator<Item = u64> {
        self.estimator().margins.iter().map(|row| row.from_tokens)
    }

    fn estimator(self) -> &'static Estimator {
        &ESTIMATORS.families[self.name()]
    }
}

#[derive(Deserialize)]
struct Estimators {
    families: BTreeMap<String, Estimator>,
}

#[derive(Deserialize)]
struct Estimator {
    min_factor: f64,
    margins: Vec<Row>,
    coefficients: Coefficients,
}

#[derive(Deserialize)]
struct Row {
    from_tokens: u64,
    share: f64,
}

#[expect(
    clippy::expect_used,
    reason = "the data is part of the program, and a test reads all of it"
)]
static ESTIMATORS: LazyLock<Estimators> = LazyLock::new(|| {
    toml::from_str(include_str!("estimators.toml")).expect("estimators.toml is well-formed")
});

/// Estimates the tokens of one text of `bytes` bytes that has `exact` tokens of `o200k_base`.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) fn estimate(family: Family, exact: u64, features: &Features, bytes: usize) -> f64 {
    let estimator = family.estimator();
    let exact = exact as f64;
    let linear = estimator.coefficients.o200k * exact + estimator.coefficients.dot(features);
    linear.max(estimator.min_factor * exact).min(bytes as f64)
}

/// Adds the margin to a sum of estimates, and rounds up once.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a sum of token counts is far below 2^53"
)]
pub(super) fn at_most(estimate: f64, exact: u64, family: Family, margin: Margin) -> u64 {
    (estimate * (1.0 + family.margin_share(exact, margin))).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::super::Counter;
    use super::*;

    const ALL: [Family; Family::COUNT] = [Family::ClaudeV47, Family::ClaudeV3, Family::Gemma3];

    #[derive(Deserialize)]
    struct Vector {
        name: String,
        text: Option<String>,
        bytes_hex: Option<String>,
        o200k: u64,
        features: BTreeMap<String, u64>,
        estimate: BTreeMap<String, f64>,
    }

    #[test]
    fn the_test_vectors_of_the_estimators_hold() {
        let vectors: Vec<Vector> =
            serde_json::from_str(include_str!("../../fixtures/estimator_vectors.json")).unwrap();
        assert_eq!(vectors.len(), 40);
        for vector in vectors {
            let bytes = vector.bytes_hex.map(|hex| {
                let digits = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
                (0..hex.len()).step_by(2).map(digits).collect::<Vec<u8>>()
            });
            let text = bytes.as_ref().map_or_else(
                || vector.text.unwrap(),
                |bytes| String::from_utf8_lossy(bytes).into_owned(),
            );
            let length = bytes.map_or(text.len(), |bytes| bytes.len());
            let features = Features::of(&text);
            let named: BTreeMap<String, u64> = features
                .named()
                .filter(|(_, n)| *n > 0)
                .map(|(name, n)| (name.to_owned(), n))
                .collect();
            assert_eq!(named, vector.features, "{}", vector.name);
            assert_eq!(
                Counter::new(Vec::new()).count(&text).exact,
                vector.o200k,
                "{}",
                vector.name
            );
            for family in ALL {
                let got = estimate(family, vector.o200k, &features, length);
                let expected = vector.estimate[family.name()];
                // The vectors are printed with four decimals.
                assert!(
                    (got - expected).abs() < 6e-5,
                    "{} {family:?}: {got} for {expected}",
                    vector.name
                );
            }
        }
    }

    #[test]
    fn the_margin_is_that_of_the_size() {
        for (exact, share) in [
            (0, 0.125),
            (9_999, 0.125),
            (10_000, 0.095),
            (35_000, 0.08),
            (100_000, 0.06),
            (900_000, 0.03),
        ] {
            assert!(
                (Family::ClaudeV47.margin_share(exact, Margin::default()) - share).abs() < 1e-9
            );
        }
        let newer = Margin { extra_points: 2 };
        assert!((Family::Gemma3.margin_share(50_000, newer) - 0.07).abs() < 1e-9);
        assert_eq!(at_most(1000.0, 900, Family::ClaudeV47, newer), 1145);
    }
}
