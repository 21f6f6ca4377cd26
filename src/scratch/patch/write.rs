//! A change set as a patch.

use std::ops::Range;

use imara_diff::sources::byte_lines;
use imara_diff::{Algorithm, Diff, InternedInput};

use super::super::Change;
use super::{Mode, NO_ID, NO_NEWLINE, base85};
use crate::git::{self, Id, ObjectFormat};
use crate::path::RepoPath;

/// How many unchanged lines stand around a change.
const CONTEXT: u32 = 3;

/// Git takes a file for binary if there is a NUL among so many of its first bytes.
const BINARY_HEAD: usize = 8000;

/// Writes `changes` as a patch that `git apply` takes; `before` and `after` give a file's bytes or a link's target.
///
/// Objects are named by SHA-1. What goes away stands first, so that a file can stand where a folder was.
///
/// # Errors
///
/// Returns the error of `before` or `after`.
pub fn write<E>(
    changes: &[Change],
    before: impl Fn(&RepoPath) -> Result<Vec<u8>, E>,
    after: impl Fn(&RepoPath) -> Result<Vec<u8>, E>,
) -> Result<Vec<u8>, E> {
    let mut gone = Vec::new();
    let mut rest = Vec::new();
    for Change {
        path,
        before: old_state,
        after: new_state,
    } in changes
    {
        let old = old_state
            .as_ref()
            .map(|state| Ok((Mode::of(state), before(path)?)))
            .transpose()?;
        let new = new_state
            .as_ref()
            .map(|state| Ok((Mode::of(state), after(path)?)))
            .transpose()?;
        match (&old, &new) {
            // A file that becomes a link goes away, and the link comes; so git tells it.
            (Some((old_mode, _)), Some((new_mode, _)))
                if (*old_mode == Mode::Link) != (*new_mode == Mode::Link) =>
            {
                section(path, old.as_ref(), None, &mut gone);
                section(path, None, new.as_ref(), &mut rest);
            }
            (_, None) => section(path, old.as_ref(), None, &mut gone),
            _ => section(path, old.as_ref(), new.as_ref(), &mut rest),
        }
    }
    gone.append(&mut rest);
    Ok(gone)
}

type Side<'a> = Option<&'a (Mode, Vec<u8>)>;

fn section(path: &RepoPath, old: Side<'_>, new: Side<'_>, out: &mut Vec<u8>) {
    let (a, b) = (name(b"a/", path), name(b"b/", path));
    push(out, &[b"diff --git ", &a, b" ", &b, b"\n"]);
    let mut mode =
        |words: &str, mode: Mode| push(out, &[words.as_bytes(), mode.text().as_bytes(), b"\n"]);
    match (old, new) {
        (None, Some((new, _))) => mode("new file mode ", *new),
        (Some((old, _)), None) => mode("deleted file mode ", *old),
        (Some((old, _)), Some((new, _))) if old != new => {
            mode("old mode ", *old);
            mode("new mode ", *new);
        }
        _ => {}
    }
    let bytes = |side: Side<'_>| side.map_or(Vec::new(), |(_, bytes)| bytes.clone());
    let (old_bytes, new_bytes) = (bytes(old), bytes(new));
    if old.is_some() && new.is_some() && old_bytes == new_bytes {
        return;
    }
    let id = |side: Side<'_>| {
        let id = side.and_then(|(_, bytes)| Id::of(bytes, ObjectFormat::Sha1));
        id.map_or_else(|| NO_ID.to_owned(), |id| id.to_string())
    };
    push(
        out,
        &[b"index ", id(old).as_bytes(), b"..", id(new).as_bytes()],
    );
    if let (Some((old, _)), Some((new, _))) = (old, new)
        && old == new
    {
        push(out, &[b" ", new.text().as_bytes()]);
    }
    out.push(b'\n');
    if is_binary(&old_bytes) || is_binary(&new_bytes) {
        push(out, &[b"GIT binary patch\n"]);
        literal(&new_bytes, out);
        literal(&old_bytes, out);
    } else if old_bytes != new_bytes {
        let side = |side: Side<'_>, name: Vec<u8>| match side {
            None => b"/dev/null".to_vec(),
            // As git does: a tab says where a name with a space ends.
            Some(_) if name.contains(&b' ') => [&name[..], b"\t"].concat(),
            Some(_) => name,
        };
        push(
            out,
            &[b"--- ", &side(old, a), b"\n+++ ", &side(new, b), b"\n"],
        );
        hunks(&old_bytes, &new_bytes, out);
    }
}

fn push(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Returns a path as it stands in a patch.
fn name(side: &[u8], path: &RepoPath) -> Vec<u8> {
    let name = [side, path.as_bytes()].concat();
    let is_plain = name
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~') && !b"\"\\".contains(byte));
    if is_plain { name } else { git::quote(&name) }
}

fn is_binary(bytes: &[u8]) -> bool {
    memchr::memchr(0, &bytes[..bytes.len().min(BINARY_HEAD)]).is_some()
}

fn literal(bytes: &[u8], out: &mut Vec<u8>) {
    push(out, &[format!("literal {}\n", bytes.len()).as_bytes()]);
    base85::encode(&git::deflate(bytes), out);
    out.push(b'\n');
}

fn hunks(old: &[u8], new: &[u8], out: &mut Vec<u8>) {
    let input = InternedInput::new(byte_lines(old), byte_lines(new));
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
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
        let header = format!("@@ -{} +{} @@\n", range(&old_lines), range(&new_lines));
        out.extend(header.bytes());
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

/// Returns the first line, counted from 1, and how many there are; of none, the line before.
fn range(lines: &Range<u32>) -> String {
    let n = lines.end - lines.start;
    format!("{},{n}", lines.start + u32::from(n > 0))
}

fn push_line(sign: u8, line: &[u8], out: &mut Vec<u8>) {
    out.push(sign);
    out.extend(line);
    if !line.ends_with(b"\n") {
        push(out, &[b"\n", NO_NEWLINE, b"\n"]);
    }
}
