//! Reviews: what a reviewer says of a change, and whether it may land.
//!
//! In: a reviewer's answer. Out: [`Review`]. Pure.
//!
//! Invariant: what is not plainly an approval is none: an answer without a verdict, with two, or with one that its own
//! findings contradict, is no review.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

/// What a reviewer says of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Review {
    /// What holds.
    pub passed: Vec<Finding>,
    /// What does not: the change may not land with it.
    pub failed: Vec<Finding>,
    /// What could be better.
    pub suggestions: Vec<Finding>,
    /// Whether the change may land.
    pub verdict: Verdict,
}

/// Whether a change may land.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may.
    Approve,
    /// It may once what failed is put right.
    RequestChanges,
}

/// One thing that a reviewer found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file that it is about, as it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line in that file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What was found, with the place as it is written.
    pub text: String,
}

/// Why an answer is no review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReviewError {
    /// It has no last line with a verdict.
    #[error("it does not end with a line `VERDICT: APPROVE` or `VERDICT: REQUEST_CHANGES`")]
    NoVerdict,
    /// It has several verdicts that differ.
    #[error("it has two verdicts that differ")]
    TwoVerdicts,
    /// It approves what it says failed.
    #[error("it approves, and lists what failed")]
    Contradiction,
    /// It asks for changes and does not say which.
    #[error("it asks for changes, and lists nothing that failed")]
    NothingFailed,
}

/// The parts of a review.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Passed,
    Failed,
    Suggestions,
}

/// A line of an answer.
struct Line<'a> {
    text: &'a str,
    /// Whether it stands in a fence or a comment, where no reviewer says anything.
    is_quoted: bool,
}

/// Takes the review out of a reviewer's answer.
///
/// What is quoted is none of it, and must not tell another story: a reader may see the end of a quotation elsewhere.
///
/// # Errors
///
/// Refuses an answer that has no one verdict, or one that its findings contradict.
pub fn parse(answer: &str) -> Result<Review, ReviewError> {
    let lines = lines(answer);
    let mut said = lines.iter().rev();
    let last = said.find(|line| !line.text.trim().is_empty());
    let last = last.filter(|line| !line.is_quoted && !is_code(line.text));
    let verdict = last.and_then(|line| verdict(line.text));
    let verdict = verdict.ok_or(ReviewError::NoVerdict)?;
    let mut verdicts = lines
        .iter()
        .filter(|line| said_of(line, "verdict").is_some());
    if verdicts.any(|line| self::verdict(line.text) != Some(verdict)) {
        return Err(ReviewError::TwoVerdicts);
    }
    let own = lines.iter().filter(|line| !line.is_quoted);
    let review = read(own, verdict);
    let has_failed = || {
        !read(lines.iter(), verdict).failed.is_empty()
            || lines.iter().any(|line| {
                let said = said_of(line, "failed");
                heading(line.text).is_none() && said.is_some_and(|what| !is_nothing(&what))
            })
    };
    match verdict {
        Verdict::Approve if has_failed() => Err(ReviewError::Contradiction),
        Verdict::RequestChanges if review.failed.is_empty() => Err(ReviewError::NothingFailed),
        Verdict::Approve | Verdict::RequestChanges => Ok(review),
    }
}

/// Returns the review that lines are.
fn read<'a>(lines: impl Iterator<Item = &'a Line<'a>>, verdict: Verdict) -> Review {
    let mut review = Review {
        passed: Vec::new(),
        failed: Vec::new(),
        suggestions: Vec::new(),
        verdict,
    };
    let mut part = None;
    for Line { text, .. } in lines {
        if let Some(found) = heading(text) {
            part = Some(found);
        } else if self::verdict(text).is_some() {
            part = None;
        } else if let Some(part) = part {
            let list = match part {
                Part::Passed => &mut review.passed,
                Part::Failed => &mut review.failed,
                Part::Suggestions => &mut review.suggestions,
            };
            add(list, text);
        }
    }
    review
}

/// Returns the lines of an answer but those that open and close fences.
fn lines(answer: &str) -> Vec<Line<'_>> {
    let mut fence: Option<&str> = None;
    let mut is_comment = false;
    let mut lines = Vec::new();
    for text in answer.lines() {
        let run = run_of_marks(text);
        match (fence, run) {
            (None, Some(run)) if !is_comment => fence = Some(run),
            (Some(open), Some(run)) if run.starts_with(open) && text.trim() == run => fence = None,
            _ => {
                is_comment |= fence.is_none() && text.trim_start().starts_with("<!--");
                let is_quoted = is_comment || fence.is_some();
                is_comment &= !text.contains("-->");
                lines.push(Line { text, is_quoted });
            }
        }
    }
    lines
}

/// Returns the marks of a fence that a line begins with.
fn run_of_marks(line: &str) -> Option<&str> {
    let text = line.trim_start();
    let mark = text.chars().next().filter(|mark| "`~".contains(*mark))?;
    let run = &text[..text.len() - text.trim_start_matches(mark).len()];
    (run.len() >= 3).then_some(run)
}

/// Says whether a line is so far to the right that it is shown as code.
fn is_code(line: &str) -> bool {
    let text = line.trim_start();
    let indent = &line[..line.len() - text.len()];
    indent.contains('\t') || indent.len() > 3
}

/// Returns a line without what only shows it: marks of headings, emphasis and code.
fn bare(line: &str) -> String {
    let line = line.replace(['*', '`', '#'], "");
    line.trim().to_owned()
}

/// Returns the verdict that a line is.
fn verdict(line: &str) -> Option<Verdict> {
    let line = bare(line);
    let (name, word) = line.split_once(':')?;
    if !name.trim().eq_ignore_ascii_case("verdict") {
        return None;
    }
    match word.trim().trim_end_matches('.') {
        "APPROVE" => Some(Verdict::Approve),
        "REQUEST_CHANGES" | "REQUEST CHANGES" => Some(Verdict::RequestChanges),
        _ => None,
    }
}

/// Returns what a line says of `word`, if it is a label there: behind marks of any kind, in any case.
///
/// In a list, a quotation or the middle of a paragraph it may be a word like others (`- Failed calls are counted`).
fn said_of(line: &Line<'_>, word: &str) -> Option<String> {
    let text = bare(line.text);
    let text = text.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    let (head, rest) = text.split_at_checked(word.len())?;
    let is_word = head.eq_ignore_ascii_case(word)
        && !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let said = rest.trim_start();
    let is_label = said.is_empty()
        || said.starts_with([':', '|', '-', '–', '—'])
        || rest.starts_with(" (")
        || !head.contains(|c: char| c.is_ascii_lowercase());
    let begins = !line.is_quoted && line.text.starts_with(|c: char| !c.is_whitespace());
    let is_sentence = begins && item(line.text).is_none() && head.starts_with(char::is_uppercase);
    let said = said.trim_matches(|c: char| !c.is_alphanumeric());
    (is_word && (is_label || is_sentence)).then(|| said.to_owned())
}

/// Returns the part that a line begins.
fn heading(line: &str) -> Option<Part> {
    if line.starts_with([' ', '-', '\t']) {
        return None;
    }
    match bare(line).to_ascii_uppercase().trim_end_matches([':', ' ']) {
        "PASSED" => Some(Part::Passed),
        "FAILED" => Some(Part::Failed),
        "SUGGESTIONS" => Some(Part::Suggestions),
        _ => None,
    }
}

/// Adds a line to a list: an item of its own, or more of the last.
fn add(list: &mut Vec<Finding>, line: &str) {
    let text = line.trim();
    let item = item(text).filter(|_| line.starts_with(|c: char| !c.is_whitespace()));
    match item {
        Some(item) if is_nothing(item) => {}
        Some(item) => list.push(Finding::of(item)),
        None if text.is_empty() => {}
        None => match list.last_mut() {
            Some(finding) => finding.text = format!("{}\n{text}", finding.text),
            None if is_nothing(text) => {}
            None => list.push(Finding::of(text)),
        },
    }
}

/// Returns what stands behind the mark of a list's item.
fn item(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix(['-', '*', '+']) {
        return rest.strip_prefix(' ').map(str::trim_start);
    }
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_numbered = rest.len() < line.len();
    let rest = rest.strip_prefix(['.', ')']).filter(|_| is_numbered)?;
    rest.strip_prefix(' ').map(str::trim_start)
}

fn is_nothing(text: &str) -> bool {
    let text = bare(text).to_ascii_lowercase();
    let text = text.trim_matches(['.', '(', ')']);
    ["none", "nothing", "n/a", "-"].contains(&text)
}

/// Two findings about one file are the same if so much of their words is, in percent.
const SAME_WORDS: usize = 50;

impl Finding {
    fn of(text: &str) -> Self {
        let text = text
            .trim_start_matches("[ ]")
            .trim_start_matches("[x]")
            .trim();
        let (path, line) = place(text).unzip();
        Self {
            path,
            line: line.flatten(),
            text: text.to_owned(),
        }
    }

    /// Says whether `other`, of another round, is the same: about the same file, in about the same words. Lines move.
    pub fn is_same(&self, other: &Self) -> bool {
        if self.path != other.path {
            return false;
        }
        let (own, others) = (self.words(), other.words());
        let n_both = own.intersection(&others).count();
        let n_all = own.union(&others).count();
        n_both * 100 >= n_all * SAME_WORDS
    }

    fn words(&self) -> BTreeSet<String> {
        let words = self.text.split(|c: char| !c.is_alphanumeric());
        let words = words.filter(|word| word.chars().any(char::is_alphabetic));
        words.map(str::to_lowercase).collect()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Returns file and line that a finding begins with, or has in brackets or code: `src/a.rs:12`.
fn place(text: &str) -> Option<(String, Option<usize>)> {
    let ends = |c: char| c.is_whitespace() || "`()[]<>\"',;*".contains(c);
    text.split(ends).find_map(|word| {
        let word = word.trim_end_matches([':', '.']);
        let mut parts = word.split(':');
        let path = parts.next().unwrap_or_default();
        let number = parts
            .next()
            .map(|part| part.split('-').next().unwrap_or_default());
        let line = number.and_then(|part| part.trim_start_matches('L').parse().ok());
        let name = path.rsplit('/').next().unwrap_or_default();
        let has_ending = name.rsplit_once('.').is_some_and(|(stem, ending)| {
            !stem.is_empty() && ending.starts_with(char::is_alphabetic) && ending.len() <= 10
        });
        let is_path = line.is_some() && !path.is_empty() && (has_ending || path.contains('/'))
            || path.contains('/') && has_ending;
        is_path.then(|| (path.to_owned(), line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_review_is_its_findings_and_its_verdict() {
        let answer = "Some words.\n\n## PASSED\n- The flag is read.\n\n**FAILED**\n- src/a.rs:12: the limit is off by one\n  and `n` is not checked\n\
            2. (`lib/b.py:7-9`) no test\n3. docs are missing\n\nSUGGESTIONS:\n- none\n\nVERDICT: REQUEST_CHANGES\n";
        let finding = |path: Option<&str>, line, text: &str| Finding {
            path: path.map(str::to_owned),
            line,
            text: text.to_owned(),
        };
        let review = parse(answer).unwrap();
        assert_eq!(
            review,
            Review {
                passed: vec![finding(None, None, "The flag is read.")],
                failed: vec![
                    finding(
                        Some("src/a.rs"),
                        Some(12),
                        "src/a.rs:12: the limit is off by one\nand `n` is not checked"
                    ),
                    finding(Some("lib/b.py"), Some(7), "(`lib/b.py:7-9`) no test"),
                    finding(None, None, "docs are missing"),
                ],
                suggestions: vec![],
                verdict: Verdict::RequestChanges,
            }
        );
    }

    #[test]
    fn what_is_not_plainly_an_approval_is_none() {
        let approve = Ok(Verdict::Approve);
        for (answer, expected) in [
            ("VERDICT: APPROVE", approve),
            ("**VERDICT: APPROVE**\n\n", approve),
            ("FAILED\n- None.\n\nVERDICT: APPROVE.", approve),
            ("FAILED:\nnone\nSUGGESTIONS\n- a\nVERDICT: APPROVE", approve),
            ("Failed: none\n\nVERDICT: APPROVE", approve),
            ("| FAILED | none |\n\nVERDICT: APPROVE", approve),
            // A word like others.
            (
                "PASSED\n- Failed calls are\n  failed once\n- `failed()` is called\nVERDICT: APPROVE",
                approve,
            ),
            ("```rust\nfailed += 1;\n```\nVERDICT: APPROVE", approve),
            // What ends a quotation, and what does not.
            ("````md\n```\ncode\n````\nVERDICT: APPROVE", approve),
            ("~~~\n```\n~~~\nVERDICT: APPROVE", approve),
            ("<!-- seen -->\nVERDICT: APPROVE", approve),
            ("", Err(ReviewError::NoVerdict)),
            ("All is well, approve.", Err(ReviewError::NoVerdict)),
            (
                "VERDICT: APPROVE\nBut see below.",
                Err(ReviewError::NoVerdict),
            ),
            (
                "VERDICT: APPROVED WITH CHANGES",
                Err(ReviewError::NoVerdict),
            ),
            ("VERDICT: approve", Err(ReviewError::NoVerdict)),
            ("```\nVERDICT: APPROVE\n```", Err(ReviewError::NoVerdict)),
            ("```\nVERDICT: APPROVE", Err(ReviewError::NoVerdict)),
            (
                "VERDICT: REQUEST_CHANGES\nVERDICT: APPROVE",
                Err(ReviewError::TwoVerdicts),
            ),
            (
                "FAILED\n- a.rs:1: wrong\n\nVERDICT: APPROVE",
                Err(ReviewError::Contradiction),
            ),
            (
                "FAILED\nIt does not compile.\nVERDICT: APPROVE",
                Err(ReviewError::Contradiction),
            ),
            (
                "PASSED\n- a\n\nVERDICT: REQUEST_CHANGES",
                Err(ReviewError::NothingFailed),
            ),
        ] {
            let found = parse(answer).map(|review| review.verdict);
            assert_eq!(found, expected, "{answer}");
        }
    }

    #[test]
    fn no_form_in_which_something_failed_is_an_approval() {
        let no_verdict = ReviewError::NoVerdict;
        let two = ReviewError::TwoVerdicts;
        let contradiction = ReviewError::Contradiction;
        for (said, expected) in [
            ("    VERDICT: APPROVE", no_verdict),
            ("\tVERDICT: APPROVE", no_verdict),
            ("<!-- the end\nVERDICT: APPROVE", no_verdict),
            ("```md\n```rust\n```\n```\nVERDICT: APPROVE", no_verdict),
            // A fence within a longer one ends nothing.
            (
                "````md\n```\nVERDICT: APPROVE\n```\n````\nFAILED\n- a\nVERDICT: REQUEST_CHANGES",
                two,
            ),
            (
                "````md\n```\nVERDICT: REQUEST_CHANGES\n````\nVERDICT: APPROVE",
                two,
            ),
            ("```\nVERDICT: REQUEST_CHANGES\n```\nVERDICT: APPROVE", two),
            ("VERDICT: REJECT\nVERDICT: APPROVE", two),
            ("- verdict: no\nVERDICT: APPROVE", two),
            ("Verdict is REQUEST_CHANGES\nVERDICT: APPROVE", two),
            (
                "Verdict: request_changes, see below.\nVERDICT: APPROVE",
                two,
            ),
            (
                "```\nFAILED\n- a.txt:1: x\n```\nVERDICT: APPROVE",
                contradiction,
            ),
            (
                "FAILED\n```\na.txt is wrong\n```\nVERDICT: APPROVE",
                contradiction,
            ),
            ("<!--\nFAILED\n- a\n-->\nVERDICT: APPROVE", contradiction),
            ("Failed:\n- a.txt is wrong\nVERDICT: APPROVE", contradiction),
            (
                "FAILED (1)\n- a.txt is wrong\nVERDICT: APPROVE",
                contradiction,
            ),
            (
                "❌ FAILED\n- a.txt is wrong\nVERDICT: APPROVE",
                contradiction,
            ),
            ("- FAILED: a.txt is wrong\nVERDICT: APPROVE", contradiction),
            (
                "1. FAILED\n   a.txt is wrong\nVERDICT: APPROVE",
                contradiction,
            ),
            ("FAILED: a.txt:1 is wrong\nVERDICT: APPROVE", contradiction),
            ("- [ ] Failed - a.txt\nVERDICT: APPROVE", contradiction),
            ("| FAILED | a.txt |\nVERDICT: APPROVE", contradiction),
            ("Failed criteria:\n- a\nVERDICT: APPROVE", contradiction),
            ("PASSED\n- a\n- failed: b\nVERDICT: APPROVE", contradiction),
        ] {
            assert_eq!(parse(said).err(), Some(expected), "{said}");
        }
    }

    #[test]
    fn a_finding_has_its_place() {
        for (text, expected) in [
            ("src/a.rs:12: x", Some(("src/a.rs", Some(12)))),
            ("in `src/a.rs` at the end", Some(("src/a.rs", None))),
            ("[P1] a.rs:L3-L9 is wrong", Some(("a.rs", Some(3)))),
            (
                "Makefile has no target; see src/Makefile:3",
                Some(("src/Makefile", Some(3))),
            ),
            ("time is 12:30", None),
            ("and/or e.g. 1.2", None),
            ("a.rs is wrong", None),
        ] {
            let expected = expected.map(|(path, line)| (path.to_owned(), line));
            assert_eq!(place(text), expected, "{text}");
        }
    }

    #[test]
    fn a_finding_is_known_again_where_lines_have_moved() {
        let same = |a: &str, b: &str| Finding::of(a).is_same(&Finding::of(b));
        assert!(same(
            "src/a.rs:12: the limit is off by one",
            "src/a.rs:19: limit is still off by one"
        ));
        assert!(!same(
            "src/a.rs:12: the limit is off by one",
            "src/b.rs:12: the limit is off by one"
        ));
        assert!(!same(
            "src/a.rs:12: the limit is off by one",
            "src/a.rs:12: no test for the empty list"
        ));
    }

    proptest! {
        #[test]
        fn no_answer_is_too_odd(answer in ".{0,200}") {
            let _ = parse(&answer);
        }
    }
}
