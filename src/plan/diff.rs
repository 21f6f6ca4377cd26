//! The headers of unified diffs and patches.

use super::clause::Claim;
use super::fence::Line;

/// Lines that name a path after them, and what they say of it.
const HEADERS: &[(&str, Claim)] = &[
    ("rename from ", Claim::Rename),
    ("rename to ", Claim::Create),
    ("copy from ", Claim::Mention),
    ("copy to ", Claim::Create),
    ("*** Add File: ", Claim::Create),
    ("*** Update File: ", Claim::Change),
    ("*** Delete File: ", Claim::Delete),
    (MOVED, Claim::Create),
];

const MOVED: &str = "*** Move to: ";

const NO_FILE: &str = "/dev/null";

/// Returns the paths that line `at` names if it is a header of a diff, with what the diff does to them.
pub(super) fn header<'a>(lines: &[Line<'a>], at: usize) -> Option<Vec<(&'a str, Claim)>> {
    let line = text_of(lines.get(at)?)?;
    if let Some(paths) = line.strip_prefix("diff --git ") {
        let (old, new) = halves(paths)?;
        let claim = extended_claim(lines, at);
        let mut both = vec![(old, claim)];
        if old != new {
            both = vec![(old, Claim::Rename), (new, Claim::Create)];
        }
        return Some(both);
    }
    let is_pair = |at: usize| {
        let old = lines.get(at).and_then(text_of)?.strip_prefix("--- ")?;
        let new = lines.get(at + 1).and_then(text_of)?.strip_prefix("+++ ")?;
        Some(pair(clean(old), clean(new)))
    };
    if line.starts_with("--- ")
        && let Some((old, new)) = is_pair(at)
    {
        return Some(side(old, new, Claim::Delete, Claim::Rename));
    }
    if line.starts_with("+++ ")
        && let Some((old, new)) = at.checked_sub(1).and_then(is_pair)
    {
        return Some(side(new, old, Claim::Create, Claim::Create));
    }
    let header = HEADERS
        .iter()
        .find_map(|&(start, claim)| Some((line.strip_prefix(start)?.trim(), claim)));
    let is_moved =
        matches!(lines.get(at + 1).and_then(text_of), Some(next) if next.starts_with(MOVED));
    header.map(|(path, claim)| match claim {
        Claim::Change if is_moved => vec![(path, Claim::Rename)],
        claim => vec![(path, claim)],
    })
}

/// Says whether a line begins the changes of a diff.
pub(super) fn is_hunk(line: &str) -> bool {
    line.starts_with("@@ ") || line == "@@"
}

fn text_of<'a>(line: &Line<'a>) -> Option<&'a str> {
    match line {
        Line::Text(line) | Line::Code(line) => Some(line),
        Line::Open(_) | Line::Close => None,
    }
}

/// Returns the path of one side, and what is done to it: `alone` if the other side has none, `moved` if it has another.
fn side<'a>(path: &'a str, other: &str, alone: Claim, moved: Claim) -> Vec<(&'a str, Claim)> {
    if path == NO_FILE {
        return Vec::new();
    }
    let claim = match other {
        NO_FILE => alone,
        other if other == path => Claim::Change,
        _ => moved,
    };
    vec![(path, claim)]
}

/// Takes off what stands round a path in a header: quotes, and a date after a tab.
fn clean(path: &str) -> &str {
    let path = path.split('\t').next().unwrap_or_default().trim();
    path.strip_prefix('"')
        .and_then(|path| path.strip_suffix('"'))
        .unwrap_or(path)
}

/// Takes off the letters that git puts before both paths.
fn pair<'a>(old: &'a str, new: &'a str) -> (&'a str, &'a str) {
    let strip = |path: &'a str, start| {
        if path == NO_FILE {
            Some(path)
        } else {
            path.strip_prefix(start)
        }
    };
    match (strip(old, "a/"), strip(new, "b/")) {
        (Some(old), Some(new)) => (old, new),
        _ => (old, new),
    }
}

/// Cuts `a/x b/x` in two; where the path has spaces, so that both halves are the same.
fn halves(paths: &str) -> Option<(&str, &str)> {
    let cuts = paths.match_indices(" b/").map(|(at, _)| {
        let (old, new) = (&paths[..at], &paths[at + 1..]);
        pair(clean(old), clean(new))
    });
    let mut cuts = cuts.take(8).peekable();
    let first = cuts.peek().copied();
    cuts.find(|(old, new)| old == new).or(first)
}

/// Reads what git says of a file between its header and its changes.
fn extended_claim(lines: &[Line], at: usize) -> Claim {
    for line in lines[at + 1..].iter().take(4).filter_map(text_of) {
        if line.starts_with("new file mode") {
            return Claim::Create;
        }
        if line.starts_with("deleted file mode") {
            return Claim::Delete;
        }
        if line.starts_with("diff --git ") || line.starts_with("--- ") {
            break;
        }
    }
    Claim::Change
}
