//! Okapi BM25: how much of what is looked for is in a text, rare terms and short texts first.

use super::real;

/// How texts are weighed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bm25 {
    /// How fast a term that is there again tells less.
    pub(super) k1: f64,
    /// How much the length counts: from 0, not at all, to 1.
    pub(super) b: f64,
}

/// A text, as far as it counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted {
    /// How many terms it has.
    pub(super) length: f64,
    /// Those that are looked for, and how often each.
    pub(super) terms: Vec<(u16, u32)>,
}

impl Bm25 {
    /// Scores each of `texts` by terms that weigh `weights`.
    pub(super) fn score(self, texts: &[Counted], weights: &[f64]) -> Vec<f64> {
        let mut n_with = vec![0_usize; weights.len()];
        for (term, _) in texts.iter().flat_map(|text| &text.terms) {
            n_with[usize::from(*term)] += 1;
        }
        let n = real(texts.len());
        let rarity = |with: f64| (1.0 + (n - with + 0.5) / (with + 0.5)).ln();
        let worth: Vec<f64> = weights
            .iter()
            .zip(n_with)
            .map(|(weight, with)| weight * rarity(real(with)))
            .collect();
        let mean = (texts.iter().map(|text| text.length).sum::<f64>() / n).max(1.0);
        let score = |text: &Counted| {
            let length = self.k1 * (1.0 - self.b + self.b * text.length / mean);
            let each = text.terms.iter().map(|&(term, times)| {
                let times = f64::from(times);
                worth[usize::from(term)] * times * (self.k1 + 1.0) / (times + length)
            });
            each.sum()
        };
        texts.iter().map(score).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_terms_and_short_texts_come_first() {
        let text = |length: u32, terms: &[(u16, u32)]| Counted {
            length: f64::from(length),
            terms: terms.to_vec(),
        };
        let texts = [
            text(10, &[(0, 1)]),
            text(10, &[(1, 1)]),
            text(90, &[(0, 1)]),
            text(10, &[(0, 2)]),
            text(10, &[]),
        ];
        let score = Bm25 { k1: 1.2, b: 0.5 }.score(&texts, &[1.0, 1.0]);
        assert!(
            score[1] > score[3] && score[3] > score[0] && score[0] > score[2] && score[2] > 0.0
        );
        assert!(score[4].abs() < 1e-12);
    }
}
