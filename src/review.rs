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

/// Takes the review out of a reviewer's answer.
///
/// # Errors
///
/// Refuses an answer that has no one verdict, or one that its findings contradict.
pub fn parse(answer: &str) -> Result<Review, ReviewError> {
    let lines = unfenced(answer);
    let mut said = lines.iter().rev().filter(|line| !line.trim().is_empty());
    let verdict = said.next().and_then(|line| verdict(line));
    let verdict = verdict.ok_or(ReviewError::NoVerdict)?;
    if said
        .filter_map(|line| self::verdict(line))
        .any(|other| other != verdict)
    {
        return Err(ReviewError::TwoVerdicts);
    }
    let mut review = Review {
        passed: Vec::new(),
        failed: Vec::new(),
        suggestions: Vec::new(),
        verdict,
    };
    let mut part = None;
    for line in &lines {
        if let Some(found) = heading(line) {
            part = Some(found);
        } else if self::verdict(line).is_some() {
            part = None;
        } else if let Some(part) = part {
            let list = match part {
                Part::Passed => &mut review.passed,
                Part::Failed => &mut review.failed,
                Part::Suggestions => &mut review.suggestions,
            };
            add(list, line);
        }
    }
    match (verdict, review.failed.is_empty()) {
        (Verdict::Approve, false) => Err(ReviewError::Contradiction),
        (Verdict::RequestChanges, true) => Err(ReviewError::NothingFailed),
        _ => Ok(review),
    }
}

/// Returns the lines of a text that stand in no fence.
fn unfenced(text: &str) -> Vec<&str> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        let start = line.trim_start();
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => lines.push(line),
            _ => {}
        }
    }
    lines
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

/// Returns the part that a line begins.
fn heading(line: &str) -> Option<Part> {
    if line.starts_with([' ', '-', '\t']) {
        return None;
    }
    match bare(line).trim_end_matches(':') {
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
            (
                "```\nVERDICT: REQUEST_CHANGES\n```\nVERDICT: APPROVE",
                approve,
            ),
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
