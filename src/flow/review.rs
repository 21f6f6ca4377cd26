//! Asking a reviewer what is to be said of a change.

use super::call::{Answered, Asked, call};
use super::host::{Event, Host};
use super::plan::{PlanningError, Prompt, given, redacted, require_room};
use super::player::Player;
use crate::agent::{Class, Failure, May, REPLY_FILE, Role};
use crate::check::Checked;
use crate::fs;
use crate::prompt;
use crate::review::{self, Finding, Review, Verdict};
use crate::run::{self, CallPlace, Event as Happened, Run};
use crate::tokens::Counter;

/// What is reviewed.
pub struct Subject<'a> {
    /// What was to be done, if there is a plan.
    pub plan: Option<&'a str>,
    /// The change, as a difference.
    pub diff: &'a str,
    /// What who made it says of it.
    pub report: Option<&'a str>,
    /// What the checks say.
    pub checks: &'a [Checked],
}

/// What was found in the reviews of a change, and how often.
#[derive(Debug, Default)]
pub struct Ledger(Vec<(Finding, usize)>);

impl Ledger {
    /// Enters what failed in a review; returns it, each with how often it was said by now.
    pub fn enter(&mut self, failed: &[Finding]) -> Vec<(Finding, usize)> {
        let mut entered = Vec::new();
        for finding in failed {
            let known = self.0.iter_mut().find(|(known, _)| known.is_same(finding));
            let times = if let Some((known, times)) = known {
                known.clone_from(finding);
                *times += 1;
                *times
            } else {
                self.0.push((finding.clone(), 1));
                1
            };
            entered.push((finding.clone(), times));
        }
        entered
    }
}

/// Makes the prompt that asks `reviewer` to read the subject.
///
/// # Errors
///
/// Fails if that is more than the reviewer takes.
pub fn prepare(
    reviewer: &Player,
    subject: &Subject<'_>,
    counter: &Counter,
    host: &Host<'_>,
) -> Result<Prompt, PlanningError> {
    let text = words(subject, host)?;
    given(text, counter, reviewer, Role::Reviewer)
}

/// Asks `reviewer`, who has no memory of earlier reviews, for the `n`th review in `run`, which keeps it, or of a step of its
/// workflow.
///
/// # Errors
///
/// Fails if there is no answer that is a review.
pub fn ask(
    reviewer: &Player,
    prompt: &Prompt,
    (step, n): (Option<&str>, usize),
    run: &Run,
    host: &Host<'_>,
) -> Result<(Review, String), PlanningError> {
    host.go_on()?;
    let folder = host.cache.join(&run.id).join(Role::Reviewer.name());
    fs::make_private_folders(&folder)?;
    let asked = Asked {
        role: Role::Reviewer,
        step,
        prompt: &prompt.text,
        tokens: prompt.tokens,
        // Nothing of a change can be left out.
        anew: Some(&|next| {
            require_room(&prompt.text, &prompt.count, next, Role::Reviewer).map(|()| None)
        }),
        folder: &folder,
        may: May::Answer,
        session: None,
        check: &no_review,
        reset: &|_, _| true,
    };
    let Answered { place, reply, .. } = call(run, reviewer, &asked, host)?;
    let review = review::parse(&reply.text).map_err(|error| {
        // It was held against the same rule before.
        let reply = place.folder.join(REPLY_FILE);
        PlanningError::Review { error, reply }
    })?;
    let file = run.keep(&run::review_file(step, n), reply.text.as_bytes())?;
    run.record(Happened::Reviewed {
        step: step.map(str::to_owned),
        number: n,
        approves: review.verdict == Verdict::Approve,
        failed: review.failed.iter().map(ToString::to_string).collect(),
    })?;
    (host.tell)(&Event::Reviewed(&review, n, &file));
    Ok((review, reply.text))
}

/// Returns the words of the prompt.
fn words(subject: &Subject<'_>, host: &Host<'_>) -> Result<String, PlanningError> {
    let plan = subject.plan.map(|plan| redacted("the plan", plan, host));
    let plan = plan.transpose()?;
    let diff = redacted("the change", subject.diff, host)?;
    let report = subject.report.map(|report| host.redactor.redacted(report));
    let outputs = subject.checks.iter();
    let outputs: Vec<String> = outputs
        .map(|check| host.redactor.redacted(&check.output))
        .collect();
    let checks = subject.checks.iter().zip(&outputs);
    let checks: Vec<(&str, &str, &str)> = checks
        .map(|(check, output)| (check.command.as_str(), check.how.as_str(), output.as_str()))
        .collect();
    Ok(prompt::review(
        plan.as_deref(),
        &diff,
        report.as_deref(),
        &checks,
    ))
}

/// Says why an answer is no review.
pub(super) fn no_review(place: &CallPlace, answer: &str) -> Result<(), Failure> {
    review::parse(answer).map(drop).map_err(|error| {
        let file = place.folder.join(REPLY_FILE);
        let message = format!(
            "its answer is no review: {error}; it is in `{}`",
            file.display()
        );
        Failure::new(Class::Malformed, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_counted() {
        let finding = |text: &str| Finding {
            path: None,
            line: None,
            text: text.to_owned(),
        };
        let mut ledger = Ledger::default();
        for (failed, expected) in [
            (
                &["no test for the empty list", "the flag is not read"][..],
                &[1, 1][..],
            ),
            (&["there is still no test for the empty list"], &[2]),
            (&["the flag is not read", "docs are missing"], &[2, 1]),
        ] {
            let failed: Vec<Finding> = failed.iter().map(|text| finding(text)).collect();
            let times: Vec<usize> = ledger.enter(&failed).into_iter().map(|(_, n)| n).collect();
            assert_eq!(times, expected);
        }
    }
}
