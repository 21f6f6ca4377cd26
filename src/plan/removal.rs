//! Whether a plan takes something out of a file, so that the file may lose most of its lines, or all of it away.

use super::answer::Plan;
use super::clause::Claim;
use super::files;
use super::force::Force;
use super::tree::ends_with;
use super::verb::{Verb, negates, verb};

/// How words begin that part a file, beside those for deleting and moving.
const PARTS: &[&str] = &["split", "extract", "aufteil", "\u{62c6}\u{5206}"];

/// So far before a word a negation is heard.
const HEARD: usize = 3;

/// Says whether a step that names the file `written` deletes, moves, splits or extracts something; where there are no steps,
/// whether the plan does.
pub fn takes_away(plan: &Plan, written: &str) -> bool {
    let lines: Vec<&str> = plan.text.lines().collect();
    if plan.steps.is_empty() {
        return lines.iter().any(|line| is_said(line));
    }
    let is_it = |path: &str| ends_with(path, written) || ends_with(written, path);
    let mut steps = plan
        .steps
        .iter()
        .filter(|step| step.files.iter().any(|(path, _)| is_it(path)));
    steps.any(|step| {
        let last = (*step.lines.end()).min(lines.len());
        let own = lines.get(step.lines.start() - 1..last).unwrap_or_default();
        own.iter().any(|line| is_said(line))
    })
}

/// Says whether a plan plainly wants the file `written` deleted: an imperative says so, or a list of files.
///
/// Of what is told, forbidden or weighed no file goes.
pub fn deletes(plan: &Plan, written: &str) -> bool {
    files::mentions(&plan.text).iter().any(|mention| {
        let is_ordered = mention.claim == Claim::Delete && mention.force == Force::Ordered;
        is_ordered && (ends_with(&mention.path, written) || ends_with(written, &mention.path))
    })
}

fn is_said(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    (0..words.len()).any(|at| {
        let is_negated = lower[at.saturating_sub(HEARD)..at]
            .iter()
            .any(|word| negates(word));
        let is_part = || PARTS.iter().any(|part| lower[at].contains(part));
        let is_taken = matches!(verb(words[at]), Some(Verb::Delete | Verb::Rename));
        !is_negated && (is_taken || is_part())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_says_whether_something_is_taken_out_of_a_file() {
        for (text, expected) in [
            ("## Step 1: Split the parser\n\n- change `src/a.rs`\n", true),
            (
                "## Step 1: Extract reading\n\n- change `src/a.rs`\n- create `src/b.rs`\n",
                true,
            ),
            (
                "## Step 1: Tidy\n\n- change `src/a.rs`: remove the old flags\n",
                true,
            ),
            (
                "## Step 1: Tidy\n\nMove the tests of `src/a.rs` to `src/b.rs`.\n",
                true,
            ),
            (
                "## Schritt 1: Aufr\u{e4}umen\n\n- `src/a.rs`: entferne die alten Schalter\n",
                true,
            ),
            (
                "## Step 1: Tidy\n\n- change `src/a.rs`: do not remove the old flags\n",
                false,
            ),
            ("## Step 1: Add a flag\n\n- change `src/a.rs`\n", false),
            (
                "## Step 1: Add\n\n- change `src/a.rs`\n\n## Step 2: Remove\n\n- delete `src/b.rs`\n",
                false,
            ),
            ("## Step 1: Export it\n\n- change `src/a.rs`\n", false),
            ("Change `src/a.rs`, and remove the flags.\n", true),
            ("Change `src/a.rs`.\n", false),
        ] {
            let plan = Plan::read(&format!("# Plan: x\n\n{text}")).unwrap();
            assert_eq!(takes_away(&plan, "src/a.rs"), expected, "{text}");
        }
    }
}
