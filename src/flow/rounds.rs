//! Rounds with the planner: what is wrong with a plan, held against the repository, goes back to it.

use super::host::{Event, Host};
use super::plan::{self, Planned, PlanningError, Prompt, Task};
use super::player::Player;
use super::references::resolve;
use crate::agent::Role;
use crate::plan::{self as plans, Plan, Reference};
use crate::prompt;
use crate::repo::Candidate;
use crate::run::Run;

/// How often a plan goes back unless something else is said.
pub const USUAL_ROUNDS: usize = 2;

/// What a planner is asked, and what its plan is held against.
pub struct Planning<'a> {
    /// Who plans.
    pub planner: &'a Player,
    /// What is to be planned.
    pub task: &'a Task<'a>,
    /// The prompt that asks for it.
    pub prompt: &'a Prompt,
    /// All files of it.
    pub candidates: &'a [Candidate],
    /// How often the plan may go back.
    pub most: usize,
}

/// Asks for a plan, and again as long as something is wrong with it and there are rounds; what is wrong with the last
/// one is for the caller to find.
///
/// # Errors
///
/// Fails if an answer is missing, or is no plan.
pub fn plan(planning: &Planning<'_>, run: &Run, host: &Host<'_>) -> Result<Plan, PlanningError> {
    let Planning {
        planner,
        prompt,
        task,
        ..
    } = planning;
    let make = |player: &Player| task.prompt(player, host);
    let anew = |player: &Player| prompt.anew(player, Role::Planner, &make);
    let asked = (prompt.text.as_str(), prompt.tokens);
    let mut planned = plan::ask(run, planner, asked, Some(&anew), None, host)?;
    for round in 0..planning.most {
        let mut wrong = wrong(&planned.plan, planning);
        if round == 0 {
            // What keeps it from being carried out step by step is said once.
            let faults = plans::faults(&planned.plan);
            wrong.extend(faults.iter().map(ToString::to_string));
        }
        if wrong.is_empty() {
            break;
        }
        (host.tell)(&Event::SentBack(&wrong));
        planned = match again(planning, &planned, &wrong, run, host) {
            Err(error) if error.is_not_recorded() => break,
            answered => answered?,
        };
    }
    Ok(planned.plan)
}

/// Returns what is wrong with a plan, a line for each.
fn wrong(plan: &Plan, planning: &Planning<'_>) -> Vec<String> {
    let repository = planning.task.repository;
    let references = resolve(&plan.text, plan, repository, planning.candidates);
    if references.is_empty() {
        return vec![
            "it names no file of the repository: each step names those that it touches".to_owned(),
        ];
    }
    let open = references.iter().filter(|reference| reference.is_open());
    open.map(told).collect()
}

/// Says what a reference may have meant.
pub fn told(reference: &Reference) -> String {
    let near = reference.paths().iter().map(|path| format!("`{path}`"));
    let near = match near.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "nothing is like it".to_owned(),
        near => format!("perhaps {near}"),
    };
    format!(
        "line {}: `{}` ({}; {near})",
        reference.line,
        reference.written,
        reference.status.name()
    )
}

/// Asks for the plan once more, in the conversation in which it was made, or with all that was said where there is none.
fn again<'a>(
    planning: &Planning<'_>,
    planned: &Planned<'a>,
    wrong: &[String],
    run: &Run,
    host: &Host<'_>,
) -> Result<Planned<'a>, PlanningError> {
    let session = planned.session.as_ref();
    let said = (planned.prompt.as_str(), planned.plan.text.as_str());
    let prompt = prompt::mend(wrong, session.is_none().then_some(said));
    let count = planning.task.request.counter.count(&prompt);
    let tokens = planned.planner.tokens(&count);
    let asked = (prompt.as_str(), tokens);
    let anew = |next: &Player| {
        if session.is_none() {
            return plan::require_room(&prompt, &count, next, Role::Planner).map(|()| None);
        }
        let all = prompt::mend(wrong, Some(said));
        let all = plan::given(all, &planning.task.request.counter, next, Role::Planner)?;
        Ok(Some((all.text, all.tokens)))
    };
    let again = plan::ask(run, planned.planner, asked, Some(&anew), session, host)?;
    Ok(Planned {
        prompt: planned.prompt.clone(),
        ..again
    })
}
