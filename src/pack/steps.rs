//! The steps by which a budget is spent: each makes one file more visible, most worth for its tokens first.
//!
//! A file may be in the pack in one of several ways, and the budget takes one for each: a knapsack with several
//! choices. Of each file only the ways on its upper hull count, those that no mixture of two others betters;
//! from one to the next the worth of a token falls. So all steps in the order of that worth, each taken if it fits,
//! come within the worth of one step of what any choice could reach.

use crate::tokens::Count;

/// One way in which a file may be in the pack.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The tokens that it takes, markup included.
    pub cost: Count,
    /// What it is worth, in any unit.
    pub worth: f64,
}

/// A file becomes as visible as one of its offers says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    /// The place of the file.
    pub(super) file: usize,
    /// The place of the offer among those of the file.
    pub(super) offer: usize,
    /// The worth that it adds, for each token that it adds.
    density: f64,
}

/// Returns the steps through the offers of all files, most worth for its tokens first.
pub(super) fn steps(offers: &[Vec<Offer>]) -> Vec<Step> {
    let each = offers.iter().enumerate();
    let mut steps: Vec<Step> = each.flat_map(|(file, offers)| hull(file, offers)).collect();
    // The order is stable: steps of one file stay in theirs, and files in that of their paths.
    steps.sort_by(|a, b| b.density.total_cmp(&a.density));
    steps
}

/// Returns what a token is worth where `budget` is all but spent, on those of offers that fit; none have to do with each other.
pub fn worth_at_end(budget: u64, offers: &[Offer]) -> f64 {
    let density = |offer: &Offer| offer.worth / real(offer.cost.exact).max(1.0);
    let mut by_density: Vec<&Offer> = offers.iter().collect();
    by_density.sort_by(|a, b| density(b).total_cmp(&density(a)));
    let mut used = 0;
    let last = by_density.into_iter().find(|offer| {
        if used + offer.cost.exact <= budget {
            used += offer.cost.exact;
        }
        used >= budget - budget / 10
    });
    last.map_or(0.0, density)
}

/// Returns the steps along the upper hull of a file's offers, from nothing.
fn hull(file: usize, offers: &[Offer]) -> Vec<Step> {
    let mut by_cost: Vec<usize> = (0..offers.len()).collect();
    // Of those that cost the same the best comes first, and the others are no steps.
    by_cost.sort_by(|&a, &b| {
        let (a, b) = (&offers[a], &offers[b]);
        let by_cost = a.cost.exact.cmp(&b.cost.exact);
        by_cost.then(b.worth.total_cmp(&a.worth))
    });
    let mut hull: Vec<Step> = Vec::new();
    for offer in by_cost {
        loop {
            let last = hull.last().map(|step| &offers[step.offer]);
            let (cost, worth) = last.map_or((0, 0.0), |last| (last.cost.exact, last.worth));
            let more = offers[offer].worth - worth;
            let density = more / real(offers[offer].cost.exact - cost).max(1.0);
            if more <= 0.0 {
                break;
            }
            if hull.last().is_none_or(|step| density < step.density) {
                hull.push(Step {
                    file,
                    offer,
                    density,
                });
                break;
            }
            // A mixture of what is before and behind it betters the last.
            hull.pop();
        }
    }
    hull
}

#[expect(
    clippy::cast_precision_loss,
    reason = "files are far below 2^53 tokens"
)]
fn real(tokens: u64) -> f64 {
    tokens as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn offers(offers: &[(u64, u32)]) -> Vec<Offer> {
        let offer = |&(tokens, worth): &(u64, u32)| Offer {
            cost: Count::at_most_of(tokens, 0),
            worth: f64::from(worth),
        };
        offers.iter().map(offer).collect()
    }

    #[test]
    fn only_what_no_mixture_betters_is_a_step() {
        for (of, expected) in [
            (&[(10, 5), (20, 8), (40, 10)][..], &[0, 1, 2][..]),
            // The second is below the line from the first to the third.
            (&[(10, 5), (20, 6), (40, 12)], &[0, 2]),
            (&[(10, 1), (40, 12)], &[1]),
            // More tokens for no more.
            (&[(10, 5), (20, 5)], &[0]),
            // As many tokens for a little more.
            (&[(10, 50), (10, 51)], &[1]),
            (&[(10, 0)], &[]),
            (&[(40, 10), (10, 5)], &[1, 0]),
        ] {
            let found: Vec<usize> = hull(0, &offers(of)).iter().map(|step| step.offer).collect();
            assert_eq!(found, expected, "{of:?}");
        }
    }

    #[test]
    fn a_token_is_worth_what_the_last_that_fits_is() {
        let offers = offers(&[(10, 10), (10, 40), (20, 10), (0, 9)]);
        for (budget, expected) in [
            (9, 0.0),
            (10, 4.0),
            (11, 4.0),
            (20, 1.0),
            (30, 0.0),
            (40, 0.5),
        ] {
            let found = worth_at_end(budget, &offers);
            assert!((found - expected).abs() < 1e-9, "{budget}: {found}");
        }
    }

    #[test]
    fn steps_of_all_files_are_merged() {
        let found: Vec<(usize, usize)> = steps(&[offers(&[(10, 5), (20, 6)]), offers(&[(10, 4)])])
            .iter()
            .map(|step| (step.file, step.offer))
            .collect();
        assert_eq!(found, [(0, 0), (1, 0), (0, 1)]);
    }

    /// Takes steps as they fit; returns the worth, and a bound that no choice betters.
    fn spend(offers: &[Vec<Offer>], budget: u64) -> (f64, f64) {
        let mut taken: Vec<Option<usize>> = vec![None; offers.len()];
        let (mut used, mut bound, mut is_full) = (0, 0.0, false);
        for step in steps(offers) {
            let now = taken[step.file].map_or(0, |offer| offers[step.file][offer].cost.exact);
            let more = offers[step.file][step.offer].cost.exact - now;
            if used + more <= budget {
                used += more;
                taken[step.file] = Some(step.offer);
                bound += if is_full {
                    0.0
                } else {
                    step.density * real(more)
                };
            } else if !is_full {
                // What is left is spent at the worth of this step: the bound of the linear relaxation.
                is_full = true;
                bound += step.density * real(budget - used);
            }
        }
        let worth = |(file, offer): (usize, &Option<usize>)| {
            offer.map_or(0.0, |offer| offers[file][offer].worth)
        };
        (taken.iter().enumerate().map(worth).sum(), bound)
    }

    proptest! {
        #[test]
        fn the_choice_is_near_the_best_that_could_be(
            files in prop::collection::vec(prop::collection::vec((20..400_u64, 1..1000_u32), 1..6), 60..120),
        ) {
            let files: Vec<Vec<Offer>> = files.iter().map(|file| offers(file)).collect();
            let (worth, bound) = spend(&files, 5_000);
            prop_assert!(worth <= bound + 1e-6);
            prop_assert!(worth >= 0.96 * bound, "{worth} of {bound}");
        }
    }
}
