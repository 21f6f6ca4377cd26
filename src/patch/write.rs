//! Changes as a patch.

use super::hunks::{header, is_binary, lines, push};
use super::{Mode, NO_ID, base85};
use crate::git::{self, Id, ObjectFormat};
use crate::path::RepoPath;

/// A path that a patch changes.
pub struct Change<'a> {
    /// The path.
    pub path: &'a RepoPath,
    /// What is there before; none for what is new.
    pub before: Option<Mode>,
    /// What is there after; none for what is deleted.
    pub after: Option<Mode>,
}

/// Writes `changes` as a patch that `git apply` takes; `before` and `after` give a file's bytes or a link's target.
///
/// Objects are named by SHA-1. What goes away stands first, so that a file can stand where a folder was.
///
/// # Errors
///
/// Returns the error of `before` or `after`.
pub fn write<'a, E>(
    changes: impl Iterator<Item = Change<'a>>,
    before: impl Fn(&RepoPath) -> Result<Vec<u8>, E>,
    after: impl Fn(&RepoPath) -> Result<Vec<u8>, E>,
) -> Result<Vec<u8>, E> {
    let mut gone = Vec::new();
    let mut rest = Vec::new();
    for Change {
        path,
        before: old_mode,
        after: new_mode,
    } in changes
    {
        let old = old_mode.map(|mode| Ok((mode, before(path)?))).transpose()?;
        let new = new_mode.map(|mode| Ok((mode, after(path)?))).transpose()?;
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

fn section(
    path: &RepoPath,
    old: Option<&(Mode, Vec<u8>)>,
    new: Option<&(Mode, Vec<u8>)>,
    out: &mut Vec<u8>,
) {
    let (old_mode, new_mode) = (old.map(|(mode, _)| *mode), new.map(|(mode, _)| *mode));
    header(
        path,
        old_mode.map(Mode::kind),
        new_mode.map(Mode::kind),
        out,
    );
    let (old, new) = (
        old.map(|(_, bytes)| &bytes[..]),
        new.map(|(_, bytes)| &bytes[..]),
    );
    if old.is_some() && old == new {
        return;
    }
    let id = |side: Option<&[u8]>| {
        let id = side.and_then(|bytes| Id::of(bytes, ObjectFormat::Sha1));
        id.map_or_else(|| NO_ID.to_owned(), |id| id.to_string())
    };
    push(
        out,
        &[b"index ", id(old).as_bytes(), b"..", id(new).as_bytes()],
    );
    if let (Some(old), Some(new)) = (old_mode, new_mode)
        && old == new
    {
        push(out, &[b" ", new.kind().digits().as_bytes()]);
    }
    out.push(b'\n');
    let (old_bytes, new_bytes) = (old.unwrap_or_default(), new.unwrap_or_default());
    if is_binary(old_bytes) || is_binary(new_bytes) {
        push(out, &[b"GIT binary patch\n"]);
        literal(new_bytes, out);
        literal(old_bytes, out);
    } else {
        lines(path, old, new, out);
    }
}

fn literal(bytes: &[u8], out: &mut Vec<u8>) {
    push(out, &[format!("literal {}\n", bytes.len()).as_bytes()]);
    base85::encode(&git::deflate(bytes), out);
    out.push(b'\n');
}
