//! A text of which only some lines are shown.

use super::Lines;

/// What stands for lines that are not shown, before their numbers.
const MARK: &str = "⋮ ";

/// Lines that hold no more than this, in bytes, are shown: a mark would hardly be shorter.
const MAX_TINY_BYTES: usize = 24;

/// A shortened text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elided {
    /// The lines that are shown as they are, and one with a mark and their numbers for all between two.
    pub text: String,
    /// The lines that are shown.
    pub lines: Vec<Lines>,
}

/// Shows `lines` of `text`, ascending ranges, and those that take no more room than a mark.
pub fn elide(text: &str, lines: &[Lines]) -> Elided {
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    let lines = with_tiny(&all, lines);
    let mut elided = String::new();
    let mut next = 1;
    for range in &lines {
        push_mark(&mut elided, &all, next..=range.start() - 1);
        elided.extend(all[range.start() - 1..*range.end()].iter().copied());
        next = range.end() + 1;
    }
    push_mark(&mut elided, &all, next..=all.len());
    Elided {
        text: elided,
        lines,
    }
}

/// Adds the lines between ranges that take no more room than a mark.
fn with_tiny(all: &[&str], lines: &[Lines]) -> Vec<Lines> {
    let mut settled: Vec<Lines> = Vec::new();
    // The end of the text is a range without lines.
    for range in lines.iter().cloned().chain([all.len() + 1..=all.len()]) {
        let start = settled.last().map_or(1, |last| last.end() + 1);
        let n_bytes: usize = all[start - 1..range.start() - 1]
            .iter()
            .map(|line| line.trim().len())
            .sum();
        let start = if n_bytes <= MAX_TINY_BYTES {
            start
        } else {
            *range.start()
        };
        match settled.last_mut() {
            Some(last) if last.end() + 1 == start => *last = *last.start()..=*range.end(),
            _ if start <= *range.end() => settled.push(start..=*range.end()),
            _ => {}
        }
    }
    settled
}

fn push_mark(elided: &mut String, all: &[&str], lines: Lines) {
    let Some(first) = all[lines.start() - 1..*lines.end()]
        .iter()
        .find(|line| !line.trim().is_empty())
    else {
        return;
    };
    let indentation = &first[..first.len() - first.trim_start().len()];
    elided.push_str(indentation);
    elided.push_str(MARK);
    elided.push_str(&lines.start().to_string());
    if lines.end() > lines.start() {
        elided.push('-');
        elided.push_str(&lines.end().to_string());
    }
    elided.push_str(if first.ends_with("\r\n") {
        "\r\n"
    } else {
        "\n"
    });
}
