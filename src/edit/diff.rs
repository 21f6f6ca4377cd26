//! Differences as `diff -u` and git write them, and as models do: line numbers may be wrong, signs may not.

use super::lines::{Fence, Lines};
use super::read::{ParseError, path_of};
use super::{Edit, Hunk, Sign, What};
use crate::patch::{self, Mode};

/// What stands for a file that is not there.
const NOWHERE: &[u8] = b"/dev/null";

/// How the line begins that says that the one above it has no line break.
const NO_NEWLINE: &str = "\\ ";

/// Says whether a difference begins at the next line.
pub(super) fn is_head(lines: &Lines<'_>) -> bool {
    is_head_at(lines.rest())
}

fn is_head_at(rest: &[&str]) -> bool {
    let begins = |at: usize, words: &str| rest.get(at).is_some_and(|line| line.starts_with(words));
    begins(0, "diff --git ") || begins(0, "--- ") && begins(1, "+++ ") && begins(2, "@@")
}

/// Says whether a line is the head of a hunk.
pub(super) fn is_hunk(line: &str) -> bool {
    line == "@@" || line.starts_with("@@ ")
}

/// What the lines before the hunks say of a file.
#[derive(Default)]
struct Head {
    /// The names behind `diff --git`, which are all that a file has whose text stays.
    both: Vec<u8>,
    old: Option<Vec<u8>>,
    new: Option<Vec<u8>>,
    from: Option<Vec<u8>>,
    to: Option<Vec<u8>>,
    mode: Option<Mode>,
    is_made: bool,
    is_deleted: bool,
}

/// Reads what a difference says of one file.
pub(super) fn read(lines: &mut Lines<'_>, edits: &mut Vec<Edit>) -> Result<(), ParseError> {
    let line = lines.number();
    let head = head(lines)?;
    let mut hunks = Vec::new();
    while lines.peek().is_some_and(is_hunk) {
        hunks.push((lines.number(), hunk(lines)?));
    }
    let name = head
        .name()
        .ok_or_else(|| lines.malformed("the names of the file are missing"))?;
    if head.is_other_file() {
        let why =
            "the names above and below differ; a file that moves has `rename from` and `rename to`";
        return Err(ParseError::Malformed {
            line,
            why: why.to_owned(),
        });
    }
    let path = path_of(&name, line)?;
    let mut add = |line, path, what| edits.push(Edit { path, line, what });
    if head.is_made {
        let mut text = String::new();
        for (sign, line) in hunks.into_iter().flat_map(|(_, hunk)| hunk.lines) {
            if sign != Sign::New {
                return Err(lines.malformed("a file that is made has only lines with `+`"));
            }
            text.push_str(&line);
        }
        add(line, path.clone(), What::Create(text));
    } else {
        if let Some(from) = &head.from {
            add(line, path_of(from, line)?, What::Move(path.clone()));
        }
        for (line, hunk) in hunks {
            add(line, path.clone(), What::Change(hunk));
        }
    }
    if let Some(mode) = head.mode {
        add(line, path.clone(), What::Mode(mode));
    }
    if head.is_deleted {
        add(line, path, What::DeleteEmpty);
    }
    Ok(())
}

impl Head {
    /// Returns the name that the file has in the end, or had if it is deleted.
    fn name(&self) -> Option<Vec<u8>> {
        if let Some(to) = &self.to {
            return Some(to.clone());
        }
        let [old, new] = self.names();
        match new.or(old) {
            Some(name) => Some(name.to_vec()),
            None => self.both_names(),
        }
    }

    /// Returns the names above and below without `a/` and `b/`, where they are not nowhere.
    fn names(&self) -> [Option<&[u8]>; 2] {
        let names = [(&self.old, &b"a/"[..]), (&self.new, b"b/")]
            .map(|(name, side)| (name.as_deref().filter(|&name| name != NOWHERE), side));
        // What is not of git may be in a folder `a`.
        let is_sided = names
            .iter()
            .all(|(name, side)| name.is_none_or(|name| name.starts_with(side)));
        names.map(|(name, side)| {
            let short = name.and_then(|name| name.strip_prefix(side));
            short.filter(|_| is_sided).or(name)
        })
    }

    /// Says whether the names are of two files, and nothing says that one becomes the other.
    fn is_other_file(&self) -> bool {
        let [old, new] = self.names();
        self.to.is_none() && old.is_some() && new.is_some() && old != new
    }

    /// Reads the two names behind `diff --git`, which are the same but for `a/` and `b/`, and so equally long.
    fn both_names(&self) -> Option<Vec<u8>> {
        let middle = self.both.len() / 2;
        let [old, new] = [self.both.get(..middle)?, self.both.get(middle + 1..)?];
        let old = patch::plain(old)?.strip_prefix(b"a/")?.to_vec();
        let new = patch::plain(new)?.strip_prefix(b"b/")?.to_vec();
        (old == new).then_some(new)
    }
}

fn head(lines: &mut Lines<'_>) -> Result<Head, ParseError> {
    let mut head = Head::default();
    if let Some(names) = lines.after("diff --git ") {
        head.both = names.as_bytes().to_vec();
    }
    loop {
        let mode = |text: &str, lines: &Lines<'_>| match Mode::parse(text.as_bytes()) {
            Some(Mode::Link) | None => {
                Err(lines.malformed("a mode other than 100644 and 100755 cannot be given"))
            }
            mode => Ok(mode),
        };
        if let Some(text) = lines.after("new mode ") {
            head.mode = mode(text, lines)?;
        } else if let Some(text) = lines.after("new file mode ") {
            // A file that is made is none that may be executed, unless it is said.
            head.mode = mode(text, lines)?.filter(|&mode| mode == Mode::Executable);
            head.is_made = true;
        } else if lines.after("deleted file mode ").is_some() {
            head.is_deleted = true;
        } else if let Some(name) = lines.after("rename from ") {
            head.from = Some(name_of(name, lines)?);
        } else if let Some(name) = lines.after("rename to ") {
            head.to = Some(name_of(name, lines)?);
        } else if [
            "old mode ",
            "similarity index ",
            "dissimilarity index ",
            "index ",
        ]
        .iter()
        .any(|words| lines.after(words).is_some())
        {
            // Nothing of it counts.
        } else if ["copy from ", "GIT binary patch", "Binary files "]
            .iter()
            .any(|words| lines.after(words).is_some())
        {
            return Err(lines.malformed("copies and binary files cannot be given in an answer"));
        } else if is_names(lines) {
            head.old = lines
                .after("--- ")
                .map(|name| name_of(name, lines))
                .transpose()?;
            head.new = lines
                .after("+++ ")
                .map(|name| name_of(name, lines))
                .transpose()?;
            head.is_made |= head.old.as_deref() == Some(NOWHERE);
            head.is_deleted |= head.new.as_deref() == Some(NOWHERE);
            return Ok(head);
        } else {
            return Ok(head);
        }
    }
}

fn is_names(lines: &Lines<'_>) -> bool {
    let rest = lines.rest();
    let begins = |at: usize, words: &str| rest.get(at).is_some_and(|line| line.starts_with(words));
    begins(0, "--- ") && begins(1, "+++ ")
}

/// Reads a name; a tab ends it, and what stands behind that is a time.
fn name_of(name: &str, lines: &Lines<'_>) -> Result<Vec<u8>, ParseError> {
    let name = name.split('\t').next().unwrap_or(name).trim_end();
    patch::plain(name.as_bytes())
        .ok_or_else(|| lines.malformed("the name is not quoted as git does it"))
}

/// Reads a hunk: as many lines as its head says, if that can be; else all that have signs.
pub(super) fn hunk(lines: &mut Lines<'_>) -> Result<Hunk, ParseError> {
    let begin = lines.number();
    let head = lines.next().unwrap_or_default();
    let ranges = ranges(head);
    if let Some(ranges) = ranges
        && let Some((hunk, n)) = counted(lines, ranges)
    {
        lines.skip(n);
        return Ok(hunk);
    }
    let (hunk, end) = signed(lines, &|lines| {
        let next = lines.peek().unwrap_or_default();
        lines.is_closing() || is_hunk(next) || is_head_at(lines.rest())
    });
    // Without its number of lines only what comes next shows that a hunk is whole.
    match end {
        End::Head => Ok(Hunk {
            hint: ranges.map(|[_, new]| skipped(new)),
            ..hunk
        }),
        End::Answer => Err(ParseError::Cut {
            line: begin,
            end: "the last line of the hunk, or the end of a fence round it",
        }),
        End::Other => Err(without_sign(lines)),
    }
}

/// What stands behind the last line of a hunk.
pub(super) enum End {
    /// Another hunk or file, or the end of the fence.
    Head,
    /// Nothing.
    Answer,
    /// A line without a sign.
    Other,
}

/// Reads all lines with signs, up to what `is_end` says is the next hunk or the end of all.
pub(super) fn signed(lines: &mut Lines<'_>, is_end: &dyn Fn(&Lines<'_>) -> bool) -> (Hunk, End) {
    let mut hunk = Hunk::default();
    // Lines that may be of the hunk or behind it.
    let mut n_blank = 0;
    let end = loop {
        let Some(&line) = lines.rest().first() else {
            break End::Answer;
        };
        if is_end(lines) {
            break End::Head;
        }
        if !push(line, &mut hunk) {
            break End::Other;
        }
        let is_blank = line.trim().is_empty() && !line.starts_with(' ');
        n_blank = if is_blank { n_blank + 1 } else { 0 };
        lines.next();
    };
    hunk.lines.truncate(hunk.lines.len() - n_blank);
    (hunk, end)
}

/// Makes an error of the next line, which has no sign.
pub(super) fn without_sign(lines: &mut Lines<'_>) -> ParseError {
    lines.next();
    lines.malformed("a line of a hunk begins with a space, `-` or `+`")
}

/// Reads as many lines as `ranges` say; none if they have no signs, or if the hunk goes on behind them.
fn counted(lines: &Lines<'_>, ranges: [(usize, usize); 2]) -> Option<(Hunk, usize)> {
    let rest = lines.rest();
    let [old, new] = ranges;
    let (mut n_old, mut n_new) = (old.1, new.1);
    let mut hunk = Hunk {
        hint: Some(skipped(new)),
        ..Hunk::default()
    };
    let mut n = 0;
    while n_old > 0 || n_new > 0 || rest.get(n).is_some_and(|line| line.starts_with(NO_NEWLINE)) {
        let n_before = hunk.lines.len();
        if !push(rest.get(n)?, &mut hunk) {
            return None;
        }
        n += 1;
        if hunk.lines.len() == n_before {
            continue;
        }
        let (n_less_old, n_less_new) = match hunk.lines.last()?.0 {
            Sign::Kept => (1, 1),
            Sign::Old => (1, 0),
            Sign::New => (0, 1),
        };
        n_old = n_old.checked_sub(n_less_old)?;
        n_new = n_new.checked_sub(n_less_new)?;
    }
    let n_blank = rest[n..]
        .iter()
        .take_while(|line| line.trim().is_empty())
        .count();
    let below = &rest[n + n_blank..];
    let goes_on = below.first().is_some_and(|line| {
        let has_sign = line.starts_with([' ', '-', '+', '\\']);
        (has_sign || lines.is_fenced() && Fence::open(line).is_none() && !is_hunk(line.trim_end()))
            && !is_head_at(below)
    });
    (!goes_on).then_some((hunk, n))
}

/// Adds a line to a hunk; says whether it has a sign. An empty line is one that stays.
fn push(line: &str, hunk: &mut Hunk) -> bool {
    if line.starts_with(NO_NEWLINE) {
        if let Some((_, text)) = hunk.lines.last_mut() {
            text.truncate(text.trim_end_matches('\n').len());
        }
        return true;
    }
    let (sign, text) = match line.split_at_checked(1) {
        Some((" ", text)) => (Sign::Kept, text),
        Some(("-", text)) => (Sign::Old, text),
        Some(("+", text)) => (Sign::New, text),
        _ if line.trim().is_empty() => (Sign::Kept, line),
        _ => return false,
    };
    // The end of an answer ends its last line, too.
    let end = if text.ends_with('\n') { "" } else { "\n" };
    hunk.lines.push((sign, format!("{text}{end}")));
    true
}

/// Returns how many lines stand before a range; one of no lines names the line before it.
fn skipped((start, n): (usize, usize)) -> usize {
    start.saturating_sub(usize::from(n > 0))
}

/// Reads `@@ -1,2 +3,4 @@`; a count that is left out is 1. Models leave out all of it.
fn ranges(head: &str) -> Option<[(usize, usize); 2]> {
    let mut words = head.strip_prefix("@@")?.split_ascii_whitespace();
    let mut range = |sign: char| {
        let word = words.next()?.strip_prefix(sign)?;
        let (start, n) = word.split_once(',').unwrap_or((word, "1"));
        Some((start.parse().ok()?, n.parse().ok()?))
    };
    Some([range('-')?, range('+')?])
}
