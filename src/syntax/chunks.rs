//! A text in chunks: pieces to search and to show, cut where definitions begin.

use super::{Item, Lines};

/// The fewest lines of a chunk, in a text that has as many.
const MIN_LINES: usize = 12;

/// The most.
const MAX_LINES: usize = 70;

/// How good it is to begin a chunk with a line: the less the better, then the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cut {
    /// What is defined here, or the end of the text, is in so many others.
    Definition(usize),
    /// The line follows an empty one, and is indented so far.
    Paragraph(usize),
    /// The line is indented so far.
    Statement(usize),
    /// The line is empty.
    Empty,
}

/// Cuts `text`, in which `items` are defined.
pub(super) fn chunks(items: &[Item], text: &str) -> Vec<Lines> {
    let cuts = cuts(items, text);
    // The last cut is the end of the text.
    let n_lines = cuts.len() - 1;
    let mut chunks = Vec::new();
    let mut start = 1;
    while start <= n_lines {
        let next = next_start(&cuts, start);
        chunks.push(start..=next - 1);
        start = next;
    }
    chunks
}

/// Returns where the chunk after the one that begins at `start` begins.
fn next_start(cuts: &[Cut], start: usize) -> usize {
    let end = cuts.len();
    let can_be_next = |&next: &usize| next == end || next + MIN_LINES <= end;
    (start + MIN_LINES..=end.min(start + MAX_LINES))
        .filter(can_be_next)
        .min_by_key(|&next| (cuts[next - 1], next))
        .unwrap_or(end)
}

/// Says of each line, and of the end of the text, how good it is to begin with it.
fn cuts(items: &[Item], text: &str) -> Vec<Cut> {
    let mut is_after_empty = false;
    let mut cuts: Vec<Cut> = Vec::new();
    for line in text.split_inclusive('\n') {
        let indentation = line.len() - line.trim_start().len();
        let is_empty = line.trim().is_empty();
        cuts.push(match (is_empty, is_after_empty) {
            (true, _) => Cut::Empty,
            (false, true) => Cut::Paragraph(indentation),
            (false, false) => Cut::Statement(indentation),
        });
        is_after_empty = is_empty;
    }
    for item in items {
        if let Some(cut) = cuts.get_mut(item.lines.start() - 1) {
            *cut = (*cut).min(Cut::Definition(item.depth));
        }
    }
    cuts.push(Cut::Definition(0));
    cuts
}
