//! Patches between `*** Begin Patch` and `*** End Patch`.

use super::diff::End;
use super::lines::Lines;
use super::read::{ParseError, path_of, soft};
use super::{Edit, Hunk, What, diff};
use crate::path::RepoPath;

/// The line that such a patch begins with.
pub(super) const BEGIN: &str = "*** Begin Patch";

const END: &str = "*** End Patch";

/// Reads a patch to its end.
pub(super) fn read(
    lines: &mut Lines<'_>,
    edits: &mut Vec<Edit>,
    errors: &mut Vec<ParseError>,
) -> Result<(), ParseError> {
    let begin = lines.number();
    let cut = || ParseError::Cut {
        line: begin,
        end: "`*** End Patch`",
    };
    lines.next();
    loop {
        let line = lines.number();
        let mut path = |name: &str| soft(path_of(name.trim().as_bytes(), line), errors);
        let mut add = |path: Option<RepoPath>, line, what| {
            edits.extend(path.map(|path| Edit { path, line, what }));
        };
        if lines.after(END).is_some() {
            return Ok(());
        } else if let Some(name) = lines.after("*** Add File: ") {
            let path = path(name)?;
            add(path, line, What::Create(added(lines)?));
        } else if let Some(name) = lines.after("*** Delete File: ") {
            add(path(name)?, line, What::Delete);
        } else if let Some(name) = lines.after("*** Update File: ") {
            let mut place = path(name)?;
            if let Some(name) = lines.after("*** Move to: ") {
                let goal = path(name)?;
                if let Some(goal) = &goal {
                    add(place, line, What::Move(goal.clone()));
                }
                place = goal;
            }
            while let Some((line, hunk)) = hunk(lines)? {
                add(place.clone(), line, What::Change(hunk));
            }
        } else if !lines.next().ok_or_else(cut)?.trim().is_empty() {
            return Err(lines.malformed(
                "in a patch `*** Add File:`, `*** Update File:`, `*** Delete File:` or `*** End Patch` is expected here",
            ));
        }
    }
}

/// Reads the text of a new file.
fn added(lines: &mut Lines<'_>) -> Result<String, ParseError> {
    let mut text = String::new();
    while let Some(line) = lines.peek() {
        if line.is_empty() || line.starts_with("*** ") {
            break;
        }
        let line = lines.next().unwrap_or_default();
        let added = line.strip_prefix('+');
        text.push_str(
            added.ok_or_else(|| lines.malformed("a line of a new file begins with `+`"))?,
        );
    }
    Ok(text)
}

/// Reads the next hunk of a file; none if there is no more.
fn hunk(lines: &mut Lines<'_>) -> Result<Option<(usize, Hunk)>, ParseError> {
    let line = lines.number();
    let mut below = None;
    // More than one may stand there, from the outside in.
    while let Some(words) = lines.after("@@") {
        let words = words.trim();
        below = (!words.is_empty()).then(|| words.to_owned()).or(below);
    }
    let (hunk, end) = diff::signed(lines, &|lines| {
        let next = lines.peek().unwrap_or_default();
        next.starts_with("*** ") || diff::is_hunk(next)
    });
    if matches!(end, End::Other) {
        return Err(diff::without_sign(lines));
    }
    let is_last = lines.after("*** End of File").is_some();
    let hunk = Hunk {
        below,
        is_last,
        ..hunk
    };
    Ok((!hunk.lines.is_empty()).then_some((line, hunk)))
}
