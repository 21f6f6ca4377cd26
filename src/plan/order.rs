//! The order in which the steps of a plan are carried out, and which of them together.

use std::collections::HashSet;
use std::hash::Hash;

use super::Intent;
use super::step::Step;

/// Returns the places of `steps` in pieces, which are carried out one after the other: each step after those that it needs,
/// and else as they stand.
///
/// A step that does nothing to a file goes with the one before it, and the first of all with the one after it. Steps that
/// need each other stand as they do.
pub fn pieces(steps: &[Step]) -> Vec<Vec<usize>> {
    let does = |at: usize| {
        let mut files = steps[at].files.iter();
        files.any(|(_, intent)| *intent > Intent::Mention)
    };
    let mut pieces: Vec<Vec<usize>> = Vec::new();
    let mut is_begun = false;
    for at in order(steps) {
        match pieces.last_mut() {
            Some(last) if !is_begun || !does(at) => last.push(at),
            _ => pieces.push(vec![at]),
        }
        is_begun |= does(at);
    }
    pieces
}

/// Returns the places of steps in an order in which each comes after those that it needs, as far as that can be.
pub fn order(steps: &[Step]) -> Vec<usize> {
    let mut left: Vec<usize> = (0..steps.len()).collect();
    let mut order = Vec::with_capacity(steps.len());
    while !left.is_empty() {
        let waits = |at: usize| {
            let needs = |&other: &usize| steps[at].depends.contains(&steps[other].number);
            left.iter().any(|other| *other != at && needs(other))
        };
        let next = left.iter().position(|&at| !waits(at)).unwrap_or(0);
        order.push(left.remove(next));
    }
    order
}

/// Returns how many of `pieces`, each with its files and what they take, are together within `room`: at least one.
///
/// A file that several name counts once.
pub fn n_within<F: Eq + Hash>(pieces: &[Vec<(F, u64)>], room: u64) -> usize {
    let (mut seen, mut used) = (HashSet::new(), 0);
    let n = pieces.iter().take_while(|files| {
        for (file, size) in *files {
            if seen.insert(file) {
                used += size;
            }
        }
        used <= room
    });
    n.count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes steps 1, 2, 3 of what each needs; one with a full stop does nothing to a file.
    fn steps(needs: &str) -> Vec<Step> {
        let each = needs.split(", ").enumerate().map(|(at, needs)| Step {
            number: at + 1,
            title: String::new(),
            lines: at + 1..=at + 1,
            files: vec![if needs.ends_with('.') {
                ("read.me".to_owned(), Intent::Mention)
            } else {
                (format!("{at}.rs"), Intent::Change)
            }],
            depends: needs
                .split([' ', '-', '.'])
                .filter_map(|number| number.parse().ok())
                .collect(),
            acceptance: Vec::new(),
            check: None,
        });
        each.collect()
    }

    #[test]
    fn a_step_comes_after_those_that_it_needs_and_one_that_changes_nothing_with_the_one_before() {
        for (needs, expected) in [
            ("-, -, -", "1 | 2 | 3"),
            ("-, 1, 2", "1 | 2 | 3"),
            ("3, -, -", "2 | 3 | 1"),
            ("3, 1, -, -", "3 | 1 | 2 | 4"),
            // What is not there, and what needs itself, waits for nothing.
            ("9, 2, -", "1 | 2 | 3"),
            // A circle stands as it does.
            ("2, 1, -", "3 | 1 | 2"),
            ("-, ., -, .", "1 2 | 3 4"),
            ("., ., -, -", "1 2 3 | 4"),
            ("., .", "1 2"),
            ("-, 3., -", "1 | 3 2"),
        ] {
            let pieces = pieces(&steps(needs));
            let shown = pieces.iter().map(|piece| {
                let numbers = piece.iter().map(|at| (at + 1).to_string());
                numbers.collect::<Vec<_>>().join(" ")
            });
            let shown: Vec<String> = shown.collect();
            assert_eq!(shown.join(" | "), expected, "{needs}");
        }
        assert!(pieces(&[]).is_empty());
    }

    #[test]
    fn as_many_go_together_as_there_is_room_for() {
        // Each piece with its files, a letter for each, and what that takes.
        let size = |file: char| match file {
            'a' => 10,
            'b' => 20,
            'c' => 30,
            _ => 100,
        };
        for (files, room, expected) in [
            ("a b c", 60, "3"),
            ("a b c", 59, "2 1"),
            ("a b c", 30, "2 1"),
            ("a b c", 29, "1 1 1"),
            ("a b c", 0, "1 1 1"),
            ("ab ab abc", 60, "3"),
            ("ab ab c", 30, "2 1"),
            ("x a b", 40, "1 2"),
            ("a x b", 40, "1 1 1"),
        ] {
            let pieces: Vec<Vec<(char, u64)>> = files
                .split(' ')
                .map(|files| files.chars().map(|file| (file, size(file))).collect())
                .collect();
            let mut left = pieces.as_slice();
            let mut found = Vec::new();
            while !left.is_empty() {
                let n = n_within(left, room);
                found.push(n.to_string());
                left = &left[n..];
            }
            assert_eq!(found.join(" "), expected, "{files} in {room}");
        }
    }
}
