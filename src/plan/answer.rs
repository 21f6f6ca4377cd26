//! The plan in a planner's answer.

use super::fence::{self, Line};
use super::step::{self, Step};

/// The line that ends a plan: an answer without it was cut off.
pub const END: &str = "END OF PLAN";

/// A plan, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The Markdown, without the line that ends it; it ends with one line feed.
    pub text: String,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// Why an answer is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// There is nothing in it.
    #[error("the answer holds no plan: it is empty")]
    Empty,
    /// It has no line that ends it.
    #[error("the answer was cut off: no line says `{END}`")]
    Cut,
}

/// Takes the plan out of a planner's answer: from its first heading of the first level to the line that ends it.
///
/// A Markdown fence around the whole is taken off.
///
/// # Errors
///
/// Refuses an answer that is empty, or that has no line [`END`].
pub fn parse(answer: &str) -> Result<Plan, PlanError> {
    if answer.trim().is_empty() {
        return Err(PlanError::Empty);
    }
    let answer = without_wrapping(answer);
    let lines = fence::lines(&answer);
    let start = first_heading(&lines).unwrap_or(0);
    let end = end_of(&lines).filter(|&end| end >= start);
    let end = end.ok_or(PlanError::Cut)?;
    Plan::of(answer.lines().take(end).skip(start))
}

impl Plan {
    /// Takes a plan that anyone wrote: all of it, or what stands before the line [`END`].
    ///
    /// # Errors
    ///
    /// Refuses a text that is empty.
    pub fn read(text: &str) -> Result<Self, PlanError> {
        let text = without_wrapping(text);
        let end = end_of(&fence::lines(&text)).unwrap_or(usize::MAX);
        Self::of(text.lines().take(end))
    }

    fn of<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Self, PlanError> {
        let lines: Vec<&str> = lines.collect();
        let text = lines.join("\n");
        let text = text.trim_start_matches('\n').trim_end();
        if text.trim().is_empty() {
            return Err(PlanError::Empty);
        }
        Ok(Self {
            text: format!("{text}\n"),
            steps: step::steps(text),
        })
    }
}

/// Takes off a fence in which the whole plan stands: one of Markdown, or one that begins with a heading.
fn without_wrapping(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}');
    let lines: Vec<&str> = text.lines().collect();
    let Some(open) = wrapping(&lines) else {
        return text.to_owned();
    };
    let mut inner: Vec<&str> = lines[open + 1..].to_vec();
    // The mark that closed it has lost its partner, so it is text now; the end of the plan stands before or after it.
    let mark = lines[open].trim_start().chars().next().unwrap_or('`');
    let is_mark = |line: &str| line.trim().len() >= 3 && line.trim().chars().all(|c| c == mark);
    let joined = inner.join("\n");
    let left = fence::lines(&joined)
        .iter()
        .rposition(|line| matches!(line, Line::Text(line) if is_mark(line)));
    if let Some(close) = left {
        inner.remove(close);
    }
    inner.join("\n")
}

/// Returns the line that opens a fence round the whole plan.
fn wrapping(lines: &[&str]) -> Option<usize> {
    let is_heading = |line: &&str| line.starts_with("# ");
    let open = lines.iter().position(|line| {
        let line = line.trim_start();
        line.starts_with("```") || line.starts_with("~~~")
    })?;
    let info = lines[open].trim().trim_start_matches(['`', '~']).trim();
    let is_first = !lines[..open].iter().any(&is_heading);
    let next = lines[open + 1..]
        .iter()
        .find(|line| !line.trim().is_empty());
    let wraps = (fence::is_markdown(info) || info.is_empty()) && next.is_some_and(is_heading);
    (is_first && wraps).then_some(open)
}

fn first_heading(lines: &[Line]) -> Option<usize> {
    lines.iter().position(
        |line| matches!(line, Line::Text(line) if line.starts_with("# ") && !is_end(line)),
    )
}

fn end_of(lines: &[Line]) -> Option<usize> {
    lines
        .iter()
        .rposition(|line| matches!(line, Line::Text(line) if is_end(line)))
}

fn is_end(line: &str) -> bool {
    let line = line.trim();
    let line = line.strip_prefix("<!--").unwrap_or(line);
    let line = line.strip_suffix("-->").unwrap_or(line);
    line.trim_matches([' ', '\t', '*', '_', '#', '`', '.']) == END
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "# Plan: X\n\n## Steps\n### Step 1: Do\n```sh\n# Not: a heading\nEND OF PLAN\n```\n### Step 2 - Undo\n";

    #[test]
    fn the_plan_is_taken_out_of_an_answer() {
        for (answer, text) in [
            (format!("{PLAN}END OF PLAN\n"), PLAN),
            (
                format!("Sure!\n\n{PLAN}\n**END OF PLAN**\n\nShall I go on?"),
                PLAN,
            ),
            (format!("```markdown\n{PLAN}END OF PLAN\n```\nBye"), PLAN),
            (format!("Here:\n```md\n\n{PLAN}```\nEND OF PLAN"), PLAN),
            (format!("````\n{PLAN}END OF PLAN\n````\n"), PLAN),
            (format!("{PLAN}<!-- END OF PLAN -->"), PLAN),
            (PLAN.replace('\n', "\r\n") + "# END OF PLAN.\r\n", PLAN),
            ("do it\nEND OF PLAN".to_owned(), "do it\n"),
            (
                "say END OF PLAN\nEND OF PLAN\nmore\nEND OF PLAN".to_owned(),
                "say END OF PLAN\nEND OF PLAN\nmore\n",
            ),
            (
                "# A\n```rust\nfn lost()\nEND OF PLAN".to_owned(),
                "# A\n```rust\nfn lost()\n",
            ),
        ] {
            assert_eq!(
                parse(&answer).map(|plan| plan.text).as_deref(),
                Ok(text),
                "{answer}"
            );
        }
    }

    #[test]
    fn an_answer_that_was_cut_or_empty_is_no_plan() {
        for (answer, error) in [
            ("", PlanError::Empty),
            (" \n\n", PlanError::Empty),
            ("END OF PLAN", PlanError::Empty),
            (PLAN, PlanError::Cut),
            ("# A\nthis is not the END OF PLAN", PlanError::Cut),
            ("# A\nend of plan", PlanError::Cut),
        ] {
            assert_eq!(parse(answer), Err(error), "{answer}");
        }
    }

    #[test]
    fn a_plan_of_a_person_needs_no_end() {
        let read = |text| Plan::read(text).map(|plan| plan.text);
        assert_eq!(
            read("do it\n# Then\nthat").as_deref(),
            Ok("do it\n# Then\nthat\n")
        );
        assert_eq!(read("do it\nEND OF PLAN\nbye").as_deref(), Ok("do it\n"));
        assert_eq!(read("\n"), Err(PlanError::Empty));
    }
}
