//! The text of a difference: header, names, hunks, as git writes them.

use std::ops::Range;

use imara_diff::sources::byte_lines;
use imara_diff::{Algorithm, Diff, InternedInput};

use super::NO_NEWLINE;
use crate::git::{self, EntryKind};
use crate::path::RepoPath;

/// How many unchanged lines stand around a change.
const CONTEXT: u32 = 3;

/// Git takes a file for binary if there is a NUL among so many of its first bytes.
const BINARY_HEAD: usize = 8000;

/// The most bytes of the line that a hunk is said to be in.
const MAX_HEADING_BYTES: usize = 80;

/// Writes the lines that say which file a difference is of, and what it is before and after.
pub(super) fn header(
    path: &RepoPath,
    old: Option<EntryKind>,
    new: Option<EntryKind>,
    out: &mut Vec<u8>,
) {
    push(
        out,
        &[
            b"diff --git ",
            &name(b"a/", path),
            b" ",
            &name(b"b/", path),
            b"\n",
        ],
    );
    let mut mode = |words: &str, kind: EntryKind| {
        push(out, &[words.as_bytes(), kind.digits().as_bytes(), b"\n"]);
    };
    match (old, new) {
        (None, Some(new)) => mode("new file mode ", new),
        (Some(old), None) => mode("deleted file mode ", old),
        (Some(old), Some(new)) if old != new => {
            mode("old mode ", old);
            mode("new mode ", new);
        }
        _ => {}
    }
}

/// Writes the two names and the hunks of a text; nothing where both sides are the same.
pub(super) fn lines(path: &RepoPath, old: Option<&[u8]>, new: Option<&[u8]>, out: &mut Vec<u8>) {
    let (old_text, new_text) = (old.unwrap_or_default(), new.unwrap_or_default());
    if old_text == new_text {
        return;
    }
    let side = |is_there: bool, side: &[u8]| match name(side, path) {
        _ if !is_there => b"/dev/null".to_vec(),
        // As git does: a tab says where a name with a space ends.
        name if name.contains(&b' ') => [&name[..], b"\t"].concat(),
        name => name,
    };
    push(
        out,
        &[
            b"--- ",
            &side(old.is_some(), b"a/"),
            b"\n+++ ",
            &side(new.is_some(), b"b/"),
            b"\n",
        ],
    );
    hunks(old_text, new_text, out);
}

/// Returns how many lines a text has more, and how many less.
pub(super) fn n_changed(old: &[u8], new: &[u8]) -> (u32, u32) {
    let diff = difference(&InternedInput::new(byte_lines(old), byte_lines(new)));
    (diff.count_additions(), diff.count_removals())
}

/// Returns where two texts differ: lines of the old, counted from 0, and the lines of the new that stand in their place.
pub fn differences(old: &[u8], new: &[u8]) -> Vec<[Range<usize>; 2]> {
    let diff = difference(&InternedInput::new(byte_lines(old), byte_lines(new)));
    let lines = |range: Range<u32>| range.start as usize..range.end as usize;
    let each = diff.hunks();
    each.map(|hunk| [lines(hunk.before), lines(hunk.after)])
        .collect()
}

/// Returns a path as it stands in a patch, behind `side`.
pub fn name(side: &[u8], path: &RepoPath) -> Vec<u8> {
    let name = [side, path.as_bytes()].concat();
    let is_plain = name
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~') && !b"\"\\".contains(byte));
    if is_plain { name } else { git::quote(&name) }
}

pub(super) fn is_binary(bytes: &[u8]) -> bool {
    memchr::memchr(0, &bytes[..bytes.len().min(BINARY_HEAD)]).is_some()
}

pub(super) fn push(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
}

fn difference(input: &InternedInput<&[u8]>) -> Diff {
    let mut diff = Diff::compute(Algorithm::Myers, input);
    diff.postprocess_lines(input);
    diff
}

fn hunks(old: &[u8], new: &[u8], out: &mut Vec<u8>) {
    let input = InternedInput::new(byte_lines(old), byte_lines(new));
    let diff = difference(&input);
    let line = |token: imara_diff::Token| -> &[u8] { input.interner[token] };
    let changes: Vec<_> = diff.hunks().collect();
    // Changes whose unchanged surroundings touch are one hunk.
    for group in changes.chunk_by(|a, b| b.before.start - a.before.end <= 2 * CONTEXT) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            continue;
        };
        let lead = first.before.start.min(CONTEXT);
        let n_old = u32::try_from(input.before.len()).unwrap_or(u32::MAX);
        let trail = (n_old - last.before.end).min(CONTEXT);
        let old_lines = first.before.start - lead..last.before.end + trail;
        let new_lines = first.after.start - lead..last.after.end + trail;
        let ranges = format!("@@ -{} +{} @@", range(&old_lines), range(&new_lines));
        let above = input.before[..old_lines.start as usize].iter().rev();
        push(out, &[ranges.as_bytes()]);
        if let Some(heading) = above.map(|&token| line(token)).find_map(heading) {
            push(out, &[b" ", heading]);
        }
        out.push(b'\n');
        let mut at = old_lines.start;
        let mut emit = |sign: u8, tokens: &[imara_diff::Token]| {
            for &token in tokens {
                push_line(sign, line(token), out);
            }
        };
        for change in group {
            emit(
                b' ',
                &input.before[at as usize..change.before.start as usize],
            );
            emit(
                b'-',
                &input.before[change.before.start as usize..change.before.end as usize],
            );
            emit(
                b'+',
                &input.after[change.after.start as usize..change.after.end as usize],
            );
            at = change.before.end;
        }
        emit(b' ', &input.before[at as usize..old_lines.end as usize]);
    }
}

/// Returns what of a line is said behind the ranges, if it is one that git takes for the head of what follows.
fn heading(line: &[u8]) -> Option<&[u8]> {
    let first = line.first()?;
    (first.is_ascii_alphabetic() || b"_$".contains(first)).then(|| {
        let mut end = line.len().min(MAX_HEADING_BYTES);
        // Not in the middle of a character.
        while end < line.len() && line[end] & 0xc0 == 0x80 {
            end -= 1;
        }
        line[..end].trim_ascii_end()
    })
}

/// Returns the first line, counted from 1, and how many there are unless it is one; of none, the line before.
fn range(lines: &Range<u32>) -> String {
    match lines.end - lines.start {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        n => format!("{},{n}", lines.start + 1),
    }
}

fn push_line(sign: u8, line: &[u8], out: &mut Vec<u8>) {
    out.push(sign);
    out.extend(line);
    if !line.ends_with(b"\n") {
        push(out, &[b"\n", NO_NEWLINE, b"\n"]);
    }
}
