//! The text of a difference as `git diff` gives it, for reading.

use super::hunks::{header, is_binary, lines, n_changed, name, push};
use crate::git::EntryKind;
use crate::path::RepoPath;

/// One of the two that are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// What it is.
    pub kind: EntryKind,
    /// A file's bytes, a link's target, or git's line about a submodule.
    pub bytes: Vec<u8>,
}

/// Whether the bytes are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// As the bytes are: where there is no NUL near their beginning.
    ByBytes,
    /// They are not: it is only said that they differ.
    Always,
    /// They are.
    Never,
}

/// Writes how `path` differs, without the line that names objects, which says nothing to a reader; `None` is what is not there.
///
/// Nothing is written where both sides are the same. A path that becomes another kind of thing is
/// deleted and made anew. Of a text that is only `listed`, for being of this kind, it is said how many lines differ.
pub fn text(
    path: &RepoPath,
    old: Option<&Side>,
    new: Option<&Side>,
    binary: Binary,
    listed: Option<&str>,
    out: &mut Vec<u8>,
) {
    if old == new {
        return;
    }
    if let (Some(before), Some(after)) = (old, new)
        && is_another_kind(before.kind, after.kind)
    {
        text(path, old, None, binary, listed, out);
        return text(path, None, new, binary, listed, out);
    }
    header(
        path,
        old.map(|side| side.kind),
        new.map(|side| side.kind),
        out,
    );
    let (before, after) = (
        old.map(|side| &side.bytes[..]),
        new.map(|side| &side.bytes[..]),
    );
    let is_hidden = match binary {
        Binary::ByBytes => [before, after].into_iter().flatten().any(is_binary),
        Binary::Always => true,
        Binary::Never => false,
    };
    if !is_hidden && listed.is_none() {
        return lines(path, before, after, out);
    }
    let (old_text, new_text) = (before.unwrap_or_default(), after.unwrap_or_default());
    if old_text == new_text {
        return;
    }
    let side = |side: Option<&[u8]>, prefix: &[u8]| match side {
        None => b"/dev/null".to_vec(),
        Some(_) => name(prefix, path),
    };
    let (a, b) = (side(before, b"a/"), side(after, b"b/"));
    match listed.filter(|_| !is_hidden) {
        None => push(out, &[b"Binary files ", &a, b" and ", &b, b" differ\n"]),
        Some(kind) => {
            let (n_added, n_removed) = n_changed(old_text, new_text);
            let how = format!(" differ ({kind}): +{n_added} -{n_removed} lines\n");
            push(out, &[b"Files ", &a, b" and ", &b, how.as_bytes()]);
        }
    }
}

/// Says whether two things are more than files that differ in who may execute them.
fn is_another_kind(old: EntryKind, new: EntryKind) -> bool {
    let is_file = |kind| matches!(kind, EntryKind::File | EntryKind::Executable);
    old != new && !(is_file(old) && is_file(new))
}
