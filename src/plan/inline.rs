//! The pieces of one line of Markdown.

use super::word::MAX_BYTES;

/// A piece of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A word of prose, with the punctuation at it.
    Word(&'a str),
    /// What stands between backticks.
    Code(&'a str),
    /// Where a link leads.
    Link(&'a str),
    /// What stands between double quotes, if it has white space and a path may be meant.
    Quoted(&'a str),
    /// The border of a table's cell.
    Cell,
}

/// Cuts a line into pieces, in order.
pub(super) fn pieces(line: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = line;
    let is_row = line.trim_start().starts_with('|');
    while let Some(c) = rest.chars().next() {
        let special = match c {
            '`' => code(rest),
            ']' => link(rest),
            '"' | '\u{201c}' => quoted(rest),
            '|' if is_row => Some((Piece::Cell, 1)),
            _ => None,
        };
        if let Some((piece, length)) = special {
            pieces.push(piece);
            rest = &rest[length..];
            continue;
        }
        if c == '`' {
            // Marks that nothing closes are text, all of them: to try each anew would take time without bound.
            rest = rest.trim_start_matches('`');
            continue;
        }
        if is_space(c) {
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let length = word_length(rest, is_row);
        pieces.push(match &rest[..length] {
            "|" => Piece::Cell,
            word => Piece::Word(word),
        });
        rest = &rest[length..];
    }
    pieces
}

/// Says whether words end at `c`; a dash joins words as often as it parts them.
fn is_space(c: char) -> bool {
    c.is_whitespace()
}

fn word_length(text: &str, is_row: bool) -> usize {
    // The first character belongs to the word whatever it is, except where it is an arrow or a dash of its own.
    let is_sign = |c: char| {
        // The marks of Chinese stand between words without a space.
        matches!(
            c,
            '\u{2014}'
                | '\u{2192}'
                | '\u{21d2}'
                | '\u{3001}'
                | '\u{3002}'
                | '\u{ff0c}'
                | '\u{ff1b}'
        ) || matches!(
            c,
            '\u{ff08}' | '\u{ff09}' | '\u{ff1a}' | '\u{300c}' | '\u{300d}'
        )
    };
    if let Some(sign) = text.chars().next().filter(|&c| is_sign(c)) {
        return sign.len_utf8();
    }
    let ends = |&(at, c): &(usize, char)| {
        at > 0
            && (is_space(c)
                || is_sign(c)
                || c == '`'
                || c == '|' && is_row
                || c == ']' && text[at..].starts_with("](")
                || matches!(c, '"' | '\u{201c}') && text[..at].ends_with('('))
    };
    text.char_indices()
        .find(ends)
        .map_or(text.len(), |(at, _)| at)
}

/// No code span is longer: the search for its end goes no further.
const MAX_CODE_BYTES: usize = 4 * MAX_BYTES;

/// Reads a code span; its marks are as many at both ends.
fn code(text: &str) -> Option<(Piece<'_>, usize)> {
    let inner = text.trim_start_matches('`');
    let n_marks = text.len() - inner.len();
    let inner = &inner[..inner.floor_char_boundary(MAX_CODE_BYTES)];
    let mut at = 0;
    while let Some(found) = inner[at..].find('`') {
        let start = at + found;
        let after = inner[start..].trim_start_matches('`');
        let end = inner.len() - after.len();
        if end - start == n_marks {
            return Some((Piece::Code(inner[..start].trim()), n_marks + end));
        }
        at = end;
    }
    None
}

/// Reads the destination of a link, from the bracket that closes its text.
fn link(text: &str) -> Option<(Piece<'_>, usize)> {
    let start = "](".len();
    let inner = text.strip_prefix("](")?;
    if let Some(inner) = inner.strip_prefix('<') {
        let end = find_near(inner, |c| c == '>')?;
        let close = end + find_near(&inner[end..], |c| c == ')')?;
        return Some((Piece::Link(&inner[..end]), start + 1 + close + 1));
    }
    let mut depth = 1usize;
    let end = find_near(inner, |c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth == 0
    })?;
    let destination = inner[..end].split_whitespace().next().unwrap_or_default();
    Some((Piece::Link(destination), start + end + 1))
}

fn quoted(text: &str) -> Option<(Piece<'_>, usize)> {
    let open = text.chars().next()?.len_utf8();
    let inner = &text[open..];
    let end = find_near(inner, |c| matches!(c, '"' | '\u{201d}' | '`'))?;
    let close = inner[end..].chars().next().filter(|&c| c != '`')?;
    let words = &inner[..end];
    let is_path = words.contains(' ') && words.contains(['/', '.']) && words.trim() == words;
    is_path.then_some((Piece::Quoted(words), open + end + close.len_utf8()))
}

/// Finds a character no further away than a path is long.
fn find_near(text: &str, mut wanted: impl FnMut(char) -> bool) -> Option<usize> {
    let mut near = text.char_indices().take_while(|&(at, _)| at <= MAX_BYTES);
    near.find(|&(_, c)| wanted(c)).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_that_nothing_closes_are_passed_as_one() {
        let many = "`".repeat(300_000);
        for (line, expected) in [
            ("``` `a.rs`", &[Piece::Code("a.rs")][..]),
            ("``a.rs` b", &[Piece::Word("a.rs"), Piece::Word("b")]),
            ("``a ` b`` c", &[Piece::Code("a ` b"), Piece::Word("c")]),
            (&many, &[]),
        ] {
            assert_eq!(pieces(line), expected, "{line:.20}");
        }
    }
}
