//! What an executor is told: the plan, and everything, or what the plan names with what belongs to it and the best by its text.
//!
//! In: a plan, its references, a repository. Out: a prompt that fits the player. Invariant: what is added pushes out nothing that is named.

use std::sync::Arc;

use super::checks::runnable;
use super::conventions::Conventions;
use super::host::Host;
use super::neighbours;
use super::pack::{self, PackRequest};
use super::plan::{PlanningError, Prompt, fitted, given, redacted, redacted_packs, strs};
use super::player::Player;
use super::route::{EXECUTOR_CAP, Focus};
use crate::agent::{Gives, Role};
use crate::check::Runnable;
use crate::pack::{Query, Room};
use crate::path::RepoPath;
use crate::plan::{Plan, Reference, Status};
use crate::prompt;
use crate::repo::{Named, Repository};

/// The most tokens of what stands beside what a plan names: an executor can read what it misses, and pays for what it does not need.
const BESIDE: u64 = 25_000;

/// The same for one who answers with edits, and sees nothing else.
const BESIDE_OF_ANSWER: u64 = 50_000;

/// What the executor's prompt is made of.
pub struct Content<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What it names.
    pub references: &'a [Reference],
    /// Whether the executor gets everything, or how much beside that.
    pub focus: Focus,
    /// Packs that take the place of packing, if there are any.
    pub packs: &'a [String],
    /// The user's checks.
    pub checks: &'a [String],
    /// Whether the executor edits files, or answers with edits.
    pub gives: Gives,
    /// The places of the steps that are carried out, where that is not all of the plan.
    pub group: Option<&'a Group>,
}

/// Some steps of a plan that are carried out together: the places of these, of those before, and of those after.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// These.
    pub now: Vec<usize>,
    /// Those that were carried out before.
    pub done: Vec<usize>,
    /// Those that are carried out later.
    pub later: Vec<usize>,
}

/// Makes the executor's prompt: the plan, and everything or what it names.
///
/// # Errors
///
/// Fails if what cannot be cut does not fit.
pub fn prepare(
    repository: &Repository,
    mut request: PackRequest,
    content: &Content<'_>,
    player: &Player,
    host: &Host<'_>,
) -> Result<Prompt, PlanningError> {
    let checks = runnable(content.checks, &host.redactor);
    let held = |check: &Runnable| {
        let holds = check.script.as_ref().map(|(_, holds)| holds);
        holds.map(|holds| host.redactor.redacted(holds))
    };
    let held: Vec<Option<String>> = checks.iter().map(held).collect();
    let commands = checks.iter().map(|check| check.command.as_str());
    let checks: Vec<(&str, Option<&str>)> =
        commands.zip(held.iter().map(Option::as_deref)).collect();
    let plan = redacted("the plan", &content.plan.text, host)?;
    let packs = redacted_packs(content.packs, host)?;
    let reader = match content.gives {
        Gives::Files => player.reader(),
        // Who answers works in an empty folder.
        Gives::Answer => None,
    };
    let conventions = Conventions::of(repository, &request, reader);
    let names = conventions.names();
    let task = prompt::Task {
        conventions: &names,
        plan: &plan,
        part: content.group.map(|group| part(content.plan, group, host)),
        checks: &checks,
    };
    let words = |packed: &[&str]| {
        let packs = [packed, &strs(&packs)].concat();
        match content.gives {
            Gives::Files => prompt::execute(&packs, &task),
            Gives::Answer => prompt::edits(&packs, &task),
        }
    };
    let counter = request.counter.clone();
    let fit = |request: PackRequest| {
        if request.named.is_empty() {
            return given(words(&[]), &counter, player, Role::Executor);
        }
        fitted(repository, request, player, Role::Executor, &words, host)
    };
    let prompt = if !packs.is_empty() {
        request.named = conventions.beside(&packs, &request);
        fit(request)?
    } else if content.focus == Focus::Everything {
        conventions.pin(&mut request);
        fit(request)?
    } else {
        let everything = request.clone();
        request.named = named(content.references);
        let near_by = near(repository, &everything, &request)?;
        conventions.pin(&mut request);
        let prompt = fit(request.clone())?;
        if prompt.omitted.is_empty() {
            let pack = prompt.pack.as_deref().unwrap_or_default();
            let beside = match content.gives {
                Gives::Files => BESIDE,
                Gives::Answer => BESIDE_OF_ANSWER,
            };
            request.room = Some(Room {
                budget: player.tokens(&counter.count(pack)) + beside,
                measure: player.model.measure(),
            });
            let (prompt, request) = with_neighbours(prompt, request, near_by, &fit)?;
            match content.focus {
                Focus::Slice => with_best(prompt, request, everything.named, content, &fit)?,
                Focus::Everything | Focus::Plan => prompt,
            }
        } else {
            prompt
        }
    };
    Ok(prompt.with(conventions, &packs))
}

/// Makes a prompt of a pack.
type Fit<'a> = &'a dyn Fn(PackRequest) -> Result<Prompt, PlanningError>;

/// Adds neighbours to a prompt, as far as there is room; returns also what it is made of.
fn with_neighbours(
    prompt: Prompt,
    request: PackRequest,
    mut near_by: Vec<RepoPath>,
    fit: Fit<'_>,
) -> Result<(Prompt, PackRequest), PlanningError> {
    while !near_by.is_empty() {
        let mut request = request.clone();
        neighbours::add(&near_by, &mut request);
        match fit(request.clone()) {
            Ok(prompt) if prompt.omitted.is_empty() => return Ok((prompt, request)),
            Ok(_) => {}
            Err(error) if error.is_too_large() => {}
            Err(error) => return Err(error),
        }
        near_by.truncate(near_by.len() / 2);
    }
    Ok((prompt, request))
}

/// Adds to a prompt the best by what is to be done of all that `more` names, as far as there is room.
fn with_best(
    prompt: Prompt,
    mut request: PackRequest,
    more: Vec<Named>,
    content: &Content<'_>,
    fit: Fit<'_>,
) -> Result<Prompt, PlanningError> {
    let text = match content.group {
        Some(group) => text_of(content.plan, &group.now),
        None => content.plan.text.clone(),
    };
    request.query = Some(Arc::new(Query::of(&text)));
    request.named.extend(more);
    match fit(request) {
        // What there is no room for was not asked for.
        Ok(best) => Ok(Prompt {
            omitted: Vec::new(),
            whole: prompt.whole,
            ..best
        }),
        Err(error) if error.is_too_large() => Ok(prompt),
        Err(error) => Err(error),
    }
}

/// Returns the text of a plan with the lines of some steps alone, each where it was.
pub(super) fn text_of(plan: &Plan, places: &[usize]) -> String {
    let steps = places.iter().filter_map(|&at| plan.steps.get(at));
    let steps: Vec<_> = steps.collect();
    let is_theirs = |line: usize| steps.iter().any(|step| step.lines.contains(&line));
    let lines = plan.text.lines().enumerate();
    let lines = lines.map(|(at, line)| if is_theirs(at + 1) { line } else { "" });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the neighbours of what `request` names, among what `everything` does.
fn near(
    repository: &Repository,
    everything: &PackRequest,
    request: &PackRequest,
) -> Result<Vec<RepoPath>, PlanningError> {
    if request.named.is_empty() {
        return Ok(Vec::new());
    }
    let scan = pack::find(repository, everything);
    let scan = scan.map_err(|error| PlanningError::Pack(Role::Executor, error))?;
    Ok(neighbours::of(&request.named, repository, &scan.candidates))
}

/// Returns what a prompt says of the steps of `plan`.
fn part(plan: &Plan, group: &Group, host: &Host<'_>) -> prompt::Part {
    let told = |places: &[usize]| {
        let steps = places.iter().filter_map(|&at| plan.steps.get(at));
        let each = steps.map(|step| (step.number, host.redactor.redacted(&step.title)));
        each.collect::<Vec<_>>()
    };
    prompt::Part {
        now: told(&group.now),
        done: told(&group.done),
        later: told(&group.later),
    }
}

/// Returns what an executor gets by the size of the repository: everything, if that is little.
///
/// # Errors
///
/// Fails if there is nothing to pack.
pub fn focus(
    repository: &Repository,
    request: PackRequest,
    player: &Player,
    host: &Host<'_>,
) -> Result<Focus, PlanningError> {
    let words = |packs: &[&str]| packs.concat();
    let prompt = fitted(repository, request, player, Role::Executor, &words, host)?;
    let most = EXECUTOR_CAP.min(prompt.limit);
    Ok(if player.tokens(&prompt.whole) <= most {
        Focus::Everything
    } else {
        Focus::Slice
    })
}

/// Returns what a plan names of the files that are there.
pub fn named(references: &[Reference]) -> Vec<Named> {
    let each = references
        .iter()
        .filter_map(|reference| match &reference.status {
            Status::Exact(path) | Status::Suffix(path) | Status::Renamed(path) => {
                Some(Named::File(path.clone()))
            }
            Status::Folder(path) => Some(Named::Folder(path.clone())),
            Status::Created(_) | Status::Ambiguous(_) | Status::Missing(_) => None,
        });
    each.collect()
}
