//! The document in lines, as Markdown and plain text share it: sections, and texts between fences.
//!
//! A fence is a line of one character, longer than any run of it in the text: no text closes it. A
//! word follows the one that opens, so that a letter stands before the text's first line break.

use super::carriage::text_of;
use super::facts::{Facts, Value};
use super::sections::paths;
use super::{Carriage, Commit, Controls, Diff, Sections, Totals};
use crate::path;
use crate::repo::Text;
use crate::tokens::ENCODING;

/// What tells one such format from another.
pub(super) struct Marks {
    /// How every pack in this format begins, whatever the version.
    pub(super) head: &'static str,
    /// The first line.
    pub(super) first: &'static str,
    /// How to read the document.
    pub(super) summary: &'static str,
    /// How the line that names a section begins.
    pub(super) section: &'static str,
    /// How the line that names a file begins.
    pub(super) file: &'static str,
    /// How a path is written behind that.
    pub(super) write_path: fn(&str) -> String,
    /// How it is read again.
    pub(super) read_path: fn(&str) -> Option<String>,
    /// What a fence is made of.
    pub(super) fence: u8,
    /// How long it is at least.
    pub(super) min_fence: usize,
    /// What follows the fence that opens the text of the file at a path.
    pub(super) word: fn(&str) -> &'static str,
    /// The last line.
    pub(super) end: &'static str,
}

/// The names of the sections that are read again.
pub(super) const FILES: &str = "Files";
pub(super) const TOTALS: &str = "Totals";

pub(super) fn before_files(marks: &Marks, tree: &str) -> [String; 3] {
    let Marks {
        first,
        summary,
        section,
        ..
    } = marks;
    let head =
        format!("{first}\n\n{section}Summary\n\n{summary}\n{section}Directory structure\n\n");
    let [head, tree, end] = held(marks, &head, Facts::default(), "", &text_of(tree));
    [head, tree, format!("{end}{section}{FILES}\n\n")]
}

pub(super) fn file(marks: &Marks, mut facts: Facts, text: Option<&Text>) -> Vec<String> {
    let path = facts
        .take("path")
        .map_or(String::new(), |path| path.to_string());
    let heading = format!("{}{}\n\n", marks.file, (marks.write_path)(&path));
    match text {
        Some(text) => held(marks, &heading, facts, &path, text).into(),
        None => vec![heading + &paragraph(&facts)],
    }
}

pub(super) fn before_totals(marks: &Marks, sections: &Sections) -> Vec<String> {
    let diffs = sections.diffs.iter();
    let mut units: Vec<String> = diffs.flat_map(|found| diff(marks, found)).collect();
    if !sections.log.is_empty() {
        units.push(format!("{}Git log\n\n", marks.section));
        units.extend(sections.log.iter().flat_map(|found| commit(marks, found)));
    }
    units
}

fn diff(marks: &Marks, diff: &Diff) -> [String; 3] {
    let (name, _) = path::escape(diff.name.as_bytes());
    let (section, name) = (marks.section, (marks.write_path)(&name));
    let heading = format!("{section}Git diff: {name}\n\n");
    let text = Text::of_any(diff.text.clone());
    held(marks, &heading, Facts::default(), ".diff", &text)
}

fn commit(marks: &Marks, commit: &Commit) -> Vec<String> {
    let mut facts = Facts::default();
    facts.text("commit", &commit.id);
    facts.text("date", &commit.date);
    if !commit.author.is_empty() {
        facts.escaped("author", "author-escape", commit.author.as_bytes());
    }
    let mut units = held(marks, "", facts, "", &text_of(&commit.message)).to_vec();
    let (paths, is_escaped) = paths(commit);
    if !paths.is_empty() {
        let mut facts = Facts::default();
        if is_escaped {
            facts.yes("path-escape");
        }
        units.extend(held(marks, "", facts, "", &text_of(&paths.join("\n"))));
    }
    units
}

pub(super) fn totals(marks: &Marks, totals: &Totals, tokens: u64) -> String {
    let mut facts = Facts::default();
    facts.number("tokens", tokens);
    facts.text("encoding", ENCODING);
    facts.number("files", totals.n_full as u64);
    let (section, facts) = (marks.section, paragraph(&facts));
    format!("{section}{TOTALS}\n\n{facts}{}\n\n", totals.sentences())
}

pub(super) fn after_totals(marks: &Marks, instruction: Option<&str>) -> Vec<String> {
    let mut units = instruction.map_or(Vec::new(), |text| {
        let heading = format!("{}Instruction\n\n", marks.section);
        held(marks, &heading, Facts::default(), "", &text_of(text)).into()
    });
    units.push(format!("{}\n", marks.end));
    units
}

/// Returns a text between fences, with what stands before it: up to the word behind the fence that
/// opens, from the line break that follows to the one before the fence that closes, and that fence.
fn held(marks: &Marks, before: &str, mut facts: Facts, path: &str, text: &Text) -> [String; 3] {
    let (body, carriage) = Carriage::carry_in_lines(text);
    facts.carriage(&carriage);
    let n_longest = longest_run(body.as_bytes(), marks.fence);
    let fence = char::from(marks.fence)
        .to_string()
        .repeat(marks.min_fence.max(n_longest + 1));
    let is_packed = carriage.controls == Controls::Base64;
    let word = (marks.word)(if is_packed { "" } else { path });
    let opening = format!("{before}{}{fence}{word}", paragraph(&facts));
    [opening, body, fence + "\n\n"]
}

/// Returns the line of `facts` and the empty line behind it; nothing if there are none.
fn paragraph(facts: &Facts) -> String {
    let facts: Vec<String> = facts
        .iter()
        .map(|(name, value)| match value {
            Value::Text(text) if !is_word(text) => format!("{name}: {}", quote(text)),
            Value::Text(_) | Value::Number(_) | Value::Yes => format!("{name}: {value}"),
        })
        .collect();
    if facts.is_empty() {
        String::new()
    } else {
        facts.join(", ") + "\n\n"
    }
}

/// Reads what [`paragraph`] wrote, from one line.
pub(super) fn parse_paragraph(line: &str) -> Option<Vec<(String, String)>> {
    let mut facts = Vec::new();
    let mut rest = line;
    loop {
        let (name, after) = rest.split_once(": ")?;
        let end = quoted_length(after).unwrap_or_else(|| after.find(", ").unwrap_or(after.len()));
        let (value, after) = after.split_at(end);
        let value = unquote(value).or_else(|| is_word(value).then(|| value.to_owned()))?;
        facts.push((name.to_owned(), value));
        if after.is_empty() {
            return Some(facts);
        }
        rest = after.strip_prefix(", ")?;
    }
}

fn is_word(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text.bytes().all(is_plain)
}

/// Returns `text` as a code span of Markdown: between backticks, more than any run of them in it.
pub(super) fn quote(text: &str) -> String {
    let marks = "`".repeat(longest_run(text.as_bytes(), b'`') + 1);
    let is_padded = text.starts_with('`') || text.ends_with('`') || would_shrink(text);
    // There is no empty code span.
    let pad = if is_padded || text.is_empty() {
        " "
    } else {
        ""
    };
    format!("{marks}{pad}{text}{pad}{marks}")
}

/// Reads what [`quote`] wrote of a text that is not empty, if `span` is that and no more.
pub(super) fn unquote(span: &str) -> Option<String> {
    let n_marks = span.bytes().take_while(|&byte| byte == b'`').count();
    if quoted_length(span) != Some(span.len()) {
        return None;
    }
    let text = &span[n_marks..span.len() - n_marks];
    let text = if would_shrink(text) {
        &text[1..text.len() - 1]
    } else {
        text
    };
    Some(text.to_owned())
}

/// Says whether Markdown takes a space from each end of a code span that holds `text`.
fn would_shrink(text: &str) -> bool {
    text.starts_with(' ') && text.ends_with(' ') && !text.trim_matches(' ').is_empty()
}

/// Returns the length of the code span that `text` begins with.
fn quoted_length(text: &str) -> Option<usize> {
    let n_marks = text.bytes().take_while(|&byte| byte == b'`').count();
    if n_marks == 0 {
        return None;
    }
    let mut n_run = 0;
    for (at, byte) in text.bytes().enumerate().skip(n_marks) {
        if byte == b'`' {
            n_run += 1;
            continue;
        }
        if n_run == n_marks {
            return Some(at);
        }
        n_run = 0;
    }
    (n_run == n_marks).then_some(text.len())
}

/// Returns the length of the longest run of `byte`.
fn longest_run(bytes: &[u8], byte: u8) -> usize {
    let (mut longest, mut run, mut next) = (0, 0, 0);
    for at in memchr::memchr_iter(byte, bytes) {
        run = if at == next { run + 1 } else { 1 };
        next = at + 1;
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_span_is_as_markdown_reads_it() {
        for (text, span) in [
            ("src/a.rs", "`src/a.rs`"),
            ("a`b", "``a`b``"),
            ("`", "`` ` ``"),
            ("``a", "``` ``a ```"),
            (" a", "` a`"),
            (" a ", "`  a  `"),
            ("  ", "`  `"),
        ] {
            assert_eq!(quote(text), span);
            assert_eq!(unquote(span).as_deref(), Some(text));
        }
        for span in ["a", "`a", "`a``", "`a`b", "``", ""] {
            assert_eq!(unquote(span), None, "{span}");
        }
    }

    proptest! {
        #[test]
        fn facts_come_back(texts in prop::collection::vec("[a-c`:, .]{1,8}", 1..4)) {
            let mut facts = Facts::default();
            for text in &texts {
                facts.text("name", text);
                facts.number("n", 7);
            }
            let line = paragraph(&facts);
            let expected = texts.iter().flat_map(|text| [("name", text.as_str()), ("n", "7")]);
            let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
            prop_assert_eq!(parse_paragraph(line.trim_end()), Some(expected.collect()));
        }
    }
}
