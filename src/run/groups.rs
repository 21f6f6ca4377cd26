//! What a run did of the steps of its plan, as its journal tells, where they were not carried out all at once.

use serde::Serialize;

use super::{Event, Record};
use crate::agent::Role;

/// Steps of a plan that were carried out together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Their numbers.
    pub steps: Vec<usize>,
    /// How many steps the plan has.
    #[serde(skip)]
    pub of: usize,
    /// The calls of the executor for them.
    pub calls: Vec<usize>,
    /// How each check ended last.
    pub checks: Vec<GroupCheck>,
    /// Whether they are done, and the checks let them pass.
    pub is_good: bool,
}

/// A check of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupCheck {
    /// What was run.
    pub command: String,
    /// Whether it passed.
    pub passed: bool,
}

/// Returns the groups of a run, in their order; none, if the plan was carried out all at once.
pub fn groups(records: &[Record]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut at = None;
    for record in records {
        match (&record.event, at) {
            (Event::GroupStarted { steps, of }, _) => {
                // One that is taken up again has its calls already; its checks run once more.
                let known = groups.iter().position(|group| group.steps == *steps);
                let place = known.unwrap_or(groups.len());
                if known.is_none() {
                    groups.push(Group {
                        steps: steps.clone(),
                        of: *of,
                        calls: Vec::new(),
                        checks: Vec::new(),
                        is_good: false,
                    });
                }
                groups[place].checks.clear();
                at = Some(place);
            }
            (Event::GroupEnded { .. }, Some(at)) => groups[at].is_good = true,
            (Event::CallStarted { number, role, .. }, Some(at)) if *role == Role::Executor => {
                groups[at].calls.push(*number);
            }
            (
                Event::Checked {
                    command,
                    is_baseline: false,
                    passed,
                    ..
                },
                Some(at),
            ) => {
                let checks = &mut groups[at].checks;
                checks.retain(|check| check.command != *command);
                checks.push(GroupCheck {
                    command: command.clone(),
                    passed: *passed,
                });
            }
            (Event::Resumed, _) => at = None,
            _ => {}
        }
    }
    groups
}

/// Returns numbers as people write them: `1-3, 5`.
pub fn spans(numbers: &[usize]) -> String {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => spans.push((number, number)),
        }
    }
    let told = spans.iter().map(|&(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    });
    told.collect::<Vec<_>>().join(", ")
}

/// Returns the numbers of steps with the word for them: `steps 1-3`.
pub fn steps(numbers: &[usize]) -> String {
    let word = if numbers.len() == 1 { "step" } else { "steps" };
    format!("{word} {}", spans(numbers))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Reserve;

    #[test]
    fn numbers_are_told_by_spans() {
        for (numbers, expected) in [
            (&[][..], "steps "),
            (&[2], "step 2"),
            (&[1, 2, 3], "steps 1-3"),
            (&[1, 2, 5, 7, 8], "steps 1-2, 5, 7-8"),
            (&[3, 1, 2], "steps 3, 1-2"),
            (&[1, 1], "steps 1, 1"),
        ] {
            assert_eq!(steps(numbers), expected);
        }
    }

    #[test]
    fn a_run_that_is_taken_up_again_has_each_group_once() {
        let call = |number, role| Event::CallStarted {
            number,
            role,
            step: None,
            agent: "one".to_owned(),
            prompt_hash: String::new(),
            reserve: Reserve::default(),
        };
        let check = |passed, is_baseline| Event::Checked {
            command: "make".to_owned(),
            is_baseline,
            passed,
            how: String::new(),
            record: None,
        };
        let begin = |step| Event::GroupStarted {
            steps: vec![step],
            of: 3,
        };
        let end = |step| Event::GroupEnded { steps: vec![step] };
        let events = [
            call(1, Role::Planner),
            check(false, true),
            begin(1),
            call(2, Role::Executor),
            check(false, false),
            call(3, Role::Executor),
            check(true, false),
            end(1),
            begin(2),
            call(4, Role::Executor),
            Event::Resumed,
            check(false, true),
            begin(1),
            check(true, false),
            end(1),
            begin(2),
            call(5, Role::Executor),
            check(false, false),
            call(6, Role::Reviewer),
        ];
        let records = events.into_iter().zip(1..).map(|(event, number)| Record {
            version: 1,
            number,
            at_ms: 0,
            event,
        });
        let groups = groups(&records.collect::<Vec<_>>());
        let told: Vec<_> = groups
            .iter()
            .map(|group| {
                let checks: Vec<bool> = group.checks.iter().map(|check| check.passed).collect();
                (
                    group.steps.clone(),
                    group.calls.clone(),
                    checks,
                    group.is_good,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (vec![1], vec![2, 3], vec![true], true),
                (vec![2], vec![4, 5], vec![false], false),
            ]
        );
    }
}
