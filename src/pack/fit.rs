//! The choice under a budget: most worth first, and never stopping at the first that does not fit.

use super::steps::{Offer, steps};
use super::{Class, Entry, Frame, Level, Totals, Tree};
use crate::model::Measure;
use crate::repo::Reason;
use crate::tokens::{Count, Counter};

/// How much room there is, and how it is measured.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// The most tokens that the document may have.
    pub budget: u64,
    /// Whose tokens they are.
    pub measure: Measure,
}

impl Room {
    /// Room for everything.
    pub const ENDLESS: Self = Self {
        budget: u64::MAX,
        measure: Measure::Exact,
    };
}

/// What fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// For each file, which of its offers is taken.
    pub taken: Vec<Option<usize>>,
    /// The depth to which the tree is drawn.
    pub tree_depth: usize,
}

/// What cannot be cut is more than the budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a budget of {budget} tokens is too small: what cannot be cut (the frame, the instruction, differences and commits, the files that were named) takes {least}"
)]
pub struct TooSmall {
    /// The budget.
    pub budget: u64,
    /// The least that would do.
    pub least: u64,
}

/// The share of the budget that the tree may take before files are chosen, as a divisor.
const TREE_SHARE: u64 = 10;

/// The same where a specification says what is wanted: it needs what is in files more than their names.
const TREE_SHARE_OF_SLICE: u64 = 50;

/// The share of the budget for README files and manifests below the root before any code is in, as
/// a divisor: some repositories have hundreds of them.
const OVERVIEW_SHARE: u64 = 4;

/// Chooses what of `entries` (in the order of their paths) goes in, and how deep `tree` is drawn.
///
/// `offers` holds the ways in which each may be in, its last the whole of it. What they are worth decides first; what
/// is worth nothing comes after by its class.
///
/// # Errors
///
/// Fails if what was named does not fit; the least budget that the error names is enough.
pub fn fit(
    room: Room,
    entries: &[Entry],
    offers: &[Vec<Offer>],
    tree: &Tree,
    frame: &Frame,
    counter: &Counter,
) -> Result<Fit, TooSmall> {
    let head = |depth: usize| frame.count_head(&tree.draw(depth), counter);
    let fixed = frame.count(counter);
    let whole = |index: usize| offers[index].len() - 1;
    let totals = |taken: &[Option<usize>]| {
        let is_in = taken.iter().map(Option::is_some);
        Totals::of(entries.iter().zip(is_in))
    };
    let is_named = |index: usize| entries[index].class == Class::Named;
    let mut taken: Vec<Option<usize>> = (0..entries.len())
        .map(|index| is_named(index).then(|| whole(index)))
        .collect();
    let named: Count = entries
        .iter()
        .filter(|entry| entry.class == Class::Named)
        .map(|entry| entry.cost)
        .sum();
    // The name of one file may be shorter than the number of files.
    let smallest_tree = [0, tree.full_depth()]
        .into_iter()
        .min_by_key(|&depth| room.measure.tokens(&head(depth).all))
        .unwrap_or(0);
    let rest = fixed + named + head(smallest_tree).all;
    let least = room
        .measure
        .tokens(&(rest + frame.count_totals(&totals(&taken), rest.exact, counter)));
    if least > room.budget {
        return Err(TooSmall {
            budget: room.budget,
            least,
        });
    }
    // Every number in the totals at its largest. An estimate may fall as a number grows; bytes do not.
    let mut most = totals(&vec![None; entries.len()]);
    most.n_full = entries.len();
    let may_be_short =
        |(entry, offers): (&Entry, &Vec<Offer>)| entry.level == Level::Skeleton || offers.len() > 1;
    let each = entries.iter().zip(offers);
    most.n_shortened = each.filter(|&each| may_be_short(each)).count();
    most.n_redacted = entries
        .iter()
        .filter(|entry| !entry.secrets.is_empty())
        .count();
    most.left.insert(Reason::Budget.name(), entries.len());
    let most = frame.totals_at_most(&most, room.budget, counter);
    // The margin of an estimate falls with size, and the totals may turn out smaller than this.
    let fits = |count: Count| {
        let mut smaller = count;
        smaller.exact = smaller.exact.saturating_sub(most.exact);
        room.measure
            .tokens(&count)
            .max(room.measure.tokens(&smaller))
            <= room.budget
    };
    let mut used = fixed + named + most;
    let everything: Vec<Option<usize>> =
        (0..entries.len()).map(|index| Some(whole(index))).collect();
    let all: Count = entries.iter().map(|entry| entry.cost).sum();
    let rest = fixed + all + head(tree.full_depth()).all;
    let size = rest + frame.count_totals(&totals(&everything), rest.exact, counter);
    if room.measure.tokens(&size) <= room.budget {
        return Ok(Fit {
            taken: everything,
            tree_depth: tree.full_depth(),
        });
    }
    let steps = steps(offers);
    let share = room.budget
        / if steps.is_empty() {
            TREE_SHARE
        } else {
            TREE_SHARE_OF_SLICE
        };
    let tree_depth = deepest(smallest_tree, tree.full_depth(), |depth| {
        let head = head(depth);
        room.measure.tokens(&head.tree) <= share && fits(used + head.all)
    });
    let drawn = head(tree_depth).all;
    let by_worth = steps.iter().map(|step| (step.file, step.offer));
    let by_class = ranked(room, entries)
        .into_iter()
        .map(|index| (index, whole(index)));
    for (index, offer) in by_worth.chain(by_class) {
        let cost = |offer: usize| offers[index][offer].cost;
        let now = taken[index].map_or(Count::default(), cost);
        let more = used - now + cost(offer);
        if !is_named(index) && taken[index] != Some(offer) && fits(more + drawn) {
            used = more;
            taken[index] = Some(offer);
        }
    }
    let tree_depth = deepest(tree_depth, tree.full_depth(), |depth| {
        fits(used + head(depth).all)
    });
    Ok(Fit { taken, tree_depth })
}

/// Returns the deepest of the depths from `least` to `most` that has room, by bisection: deeper
/// trees take more. `least` is taken to have room.
fn deepest(least: usize, most: usize, has_room: impl Fn(usize) -> bool) -> usize {
    let (mut good, mut bad) = (least, most + 1);
    while bad - good > 1 {
        let middle = usize::midpoint(good, bad);
        if has_room(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    good
}

/// Returns the places of `entries`, most wanted first: by class, then smaller first. What is only
/// listed comes last. Of what tells of the project, that nearest to the root comes first, and
/// what is below the root and over its share of the budget counts as documents.
fn ranked(room: Room, entries: &[Entry]) -> Vec<usize> {
    let mut class: Vec<Class> = entries.iter().map(|entry| entry.class).collect();
    let size = |index: usize| entries[index].cost.exact;
    let depth = |index: usize| entries[index].path.components().count();
    let mut overview: Vec<usize> = (0..entries.len())
        .filter(|&index| class[index] == Class::Overview)
        .collect();
    overview.sort_by_key(|&index| (depth(index), size(index), index));
    let mut used = Count::default();
    for index in overview.into_iter().filter(|&index| depth(index) > 1) {
        let more = used + entries[index].cost;
        if room.measure.tokens(&more) > room.budget / OVERVIEW_SHARE {
            class[index] = Class::Docs;
        } else {
            used = more;
        }
    }
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|&index| {
        let is_listed = entries[index].level == Level::Path;
        let is_overview = class[index] == Class::Overview;
        let depth = if is_overview { depth(index) } else { 0 };
        (is_listed, class[index], depth, size(index), index)
    });
    order
}
