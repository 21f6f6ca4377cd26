//! The choice under a budget: best first, and never stopping at the first that does not fit.

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

/// What fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// For each item, whether it is in.
    pub is_in: Vec<bool>,
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

/// The share of the budget for README files and manifests below the root before any code is in, as
/// a divisor: some repositories have hundreds of them.
const OVERVIEW_SHARE: u64 = 4;

/// Chooses what of `entries` (in the order of their paths) goes in, and how deep `tree` is drawn.
///
/// # Errors
///
/// Fails if what was named does not fit; the least budget that the error names is enough.
pub fn fit(
    room: Room,
    entries: &[Entry],
    tree: &Tree,
    frame: &Frame,
    counter: &Counter,
) -> Result<Fit, TooSmall> {
    let head = |depth: usize| frame.count_head(&tree.draw(depth), counter);
    let fixed = frame.count(counter);
    let totals = |is_in: &[bool]| Totals::of(entries.iter().zip(is_in.iter().copied()));
    let mut is_in: Vec<bool> = entries
        .iter()
        .map(|entry| entry.class == Class::Named)
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
        .tokens(&(rest + frame.count_totals(&totals(&is_in), rest.exact, counter)));
    if least > room.budget {
        return Err(TooSmall {
            budget: room.budget,
            least,
        });
    }
    // Every number in the totals at its largest. An estimate may fall as a number grows; bytes do not.
    let mut most = totals(&vec![false; entries.len()]);
    most.n_full = entries.len();
    most.n_shortened = entries
        .iter()
        .filter(|entry| entry.level == Level::Skeleton)
        .count();
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
    let everything = vec![true; entries.len()];
    let all: Count = entries.iter().map(|entry| entry.cost).sum();
    let rest = fixed + all + head(tree.full_depth()).all;
    let whole = rest + frame.count_totals(&totals(&everything), rest.exact, counter);
    if room.measure.tokens(&whole) <= room.budget {
        return Ok(Fit {
            is_in: everything,
            tree_depth: tree.full_depth(),
        });
    }
    let share = room.budget / TREE_SHARE;
    let tree_depth = deepest(smallest_tree, tree.full_depth(), |depth| {
        let head = head(depth);
        room.measure.tokens(&head.tree) <= share && fits(used + head.all)
    });
    let drawn = head(tree_depth).all;
    for index in ranked(room, entries) {
        let more = used + entries[index].cost;
        if !is_in[index] && fits(more + drawn) {
            used = more;
            is_in[index] = true;
        }
    }
    let tree_depth = deepest(tree_depth, tree.full_depth(), |depth| {
        fits(used + head(depth).all)
    });
    Ok(Fit { is_in, tree_depth })
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
