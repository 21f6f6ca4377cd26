//! A tree from a text, within bounds that do not depend on the machine, but for the last: time, for texts made to take it.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tree_sitter::{ParseOptions, Parser, Tree};

use super::{Language, macros, memory};

/// Why a text has no outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unparsed {
    /// It is too large.
    #[error("it is too large to be parsed")]
    TooLarge,
    /// It takes too much work.
    #[error("it takes too long to be parsed")]
    TooSlow,
    /// It takes too much memory.
    #[error("it takes too much memory to be parsed")]
    TooWide,
    /// Its brackets are nested too deep.
    #[error("it is nested too deep to be parsed")]
    TooDeep,
    /// Too much of it is not what the grammar says.
    #[error("too much of it does not parse")]
    Broken,
}

/// Longer texts are not parsed: a tree takes many times the memory of its text.
const MAX_BYTES: usize = 1 << 20;

/// The parser is handed the text in pieces, so that what it reads can be counted.
const PIECE_BYTES: usize = 4 << 10;

/// How often the text may be read, on the average: a lexer that looks far ahead reads it again and again.
const MAX_READINGS: usize = 8;

/// The most brackets that are open: on its way through an error the parser looks at all of them again and again.
const MAX_OPEN: usize = 500;

/// The most that may be open in the parser. Where a text may be read in several ways, what it takes at the end of all of them grows
/// with the square of this, and cannot be stopped: with 4000 that was 110 MB at most, and hardly a program had 700.
const MAX_ON_STACK: usize = 4000;

/// How much memory a text may take, in bytes, and how much more for each of its own: twice what any program did.
const MAX_HELD: usize = 16 << 20;
const MAX_HELD_A_BYTE: usize = 200;

/// The most that stands in errors, in percent of the text.
const MAX_BROKEN_PERCENT: usize = 10;

/// How long a text may take, and how much longer a megabyte of it: many times what any takes that was not made for it. What
/// the parser does in one step grows with what is open, which it does not tell.
const MAX_TIME: Duration = Duration::from_secs(2);
const MAX_TIME_A_MEGABYTE: Duration = Duration::from_secs(5);

/// Parses `text`. The tree may be that of a text as long, in which macros are blanks.
pub(super) fn parse(language: Language, text: &str) -> Result<Tree, Unparsed> {
    if text.len() > MAX_BYTES {
        return Err(Unparsed::TooLarge);
    }
    if is_too_deep(text) {
        return Err(Unparsed::TooDeep);
    }
    if !matches!(language, Language::C | Language::Cpp) {
        return parse_as_it_is(language, text);
    }
    match parse_as_it_is(language, &macros::without_lines(text)) {
        Err(Unparsed::Broken) => parse_as_it_is(language, &macros::without_words(text)),
        parsed => parsed,
    }
}

fn parse_as_it_is(language: Language, text: &str) -> Result<Tree, Unparsed> {
    memory::watch();
    let before = memory::held();
    let mut parser = Parser::new();
    if parser.set_language(&language.grammar()).is_err() {
        return Err(Unparsed::Broken);
    }
    let bytes = text.as_bytes();
    let n_left = Cell::new((bytes.len() / PIECE_BYTES + 16) * MAX_READINGS);
    let n_steps_left = Cell::new(bytes.len() / 24 + 1000);
    let max_held = before.n_bytes + MAX_HELD + MAX_HELD_A_BYTE * bytes.len();
    let too_much = Cell::new(None);
    let n_kilobytes = u32::try_from(bytes.len() >> 10).unwrap_or(u32::MAX);
    let end = Instant::now() + MAX_TIME + MAX_TIME_A_MEGABYTE * n_kilobytes / 1024;
    let mut read = |at: usize, _| {
        n_left.set(n_left.get().saturating_sub(1));
        let end = bytes.len().min(at + PIECE_BYTES);
        // With nothing left the text is over, and the parser comes to an end.
        if n_left.get() == 0 {
            &[]
        } else {
            &bytes[at.min(end)..end]
        }
    };
    let mut go_on = |_: &tree_sitter::ParseState| {
        n_steps_left.set(n_steps_left.get().saturating_sub(1));
        let held = memory::held();
        if held.n_open > before.n_open + MAX_ON_STACK {
            too_much.set(Some(Unparsed::TooDeep));
        } else if held.n_bytes > max_held {
            too_much.set(Some(Unparsed::TooWide));
        } else if n_left.get() == 0 || n_steps_left.get() == 0 || Instant::now() > end {
            too_much.set(Some(Unparsed::TooSlow));
        }
        match too_much.get() {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    };
    let options = ParseOptions::new().progress_callback(&mut go_on);
    let tree = parser.parse_with_options(&mut read, None, Some(options));
    if let Some(unparsed) = too_much.get() {
        return Err(unparsed);
    }
    let tree = tree.filter(|_| n_left.get() > 0).ok_or(Unparsed::TooSlow)?;
    if n_broken_bytes(&tree) * 100 > text.len() * MAX_BROKEN_PERCENT {
        return Err(Unparsed::Broken);
    }
    Ok(tree)
}

/// Says whether too many brackets are open at once, those of type arguments by themselves.
fn is_too_deep(text: &str) -> bool {
    let (mut n_open, mut n_angles, mut before) = (0_usize, 0_usize, b' ');
    text.bytes().any(|byte| {
        match byte {
            b'(' | b'[' | b'{' => n_open += 1,
            b')' | b']' | b'}' => n_open = n_open.saturating_sub(1),
            b'<' if before.is_ascii_alphanumeric() => n_angles += 1,
            b'>' if before != b'=' => n_angles = n_angles.saturating_sub(1),
            _ => {}
        }
        if matches!(byte, b';' | b'{' | b'}') {
            n_angles = 0;
        }
        before = byte;
        n_open.max(n_angles) > MAX_OPEN
    })
}

/// Returns how many bytes stand in errors, and not in a node of several that was read all the same.
fn n_broken_bytes(tree: &Tree) -> usize {
    let mut cursor = tree.walk();
    let mut is_inside_error = vec![false];
    let mut n_bytes = 0;
    loop {
        let node = cursor.node();
        if node.is_error() {
            n_bytes += node.byte_range().len();
        } else if is_inside_error.last() == Some(&true) && node.named_child_count() > 0 {
            n_bytes -= node.byte_range().len();
        }
        if node.has_error() && cursor.goto_first_child() {
            is_inside_error.push(node.is_error());
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return n_bytes;
            }
            is_inside_error.pop();
        }
    }
}
