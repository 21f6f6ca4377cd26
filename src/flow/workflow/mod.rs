//! Doing a workflow: its steps in their order, at once or again, each with what those before it came to.
//!
//! In: a workflow and who plays its roles. Out: what the steps came to, kept in the run; what is answered is not asked
//! for again when the run is gone on with.

mod beforehand;
mod change;
mod error;
mod estimate;
mod progress;
mod side;
mod step;
mod strand;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::bench::{self, Ground};
use super::consent::Consent;
use super::exec::Executed;
use super::host::{Event, Host};
use super::land::Land;
use super::pack::PackRequest;
use super::plan::Prompt;
use super::plan_exec::Tolerance;
use super::player::Player;
use crate::agent::Role;
use crate::path::RepoPath;
use crate::process::Limits;
use crate::prompt::template::{self};
use crate::repo::{Candidate, Globs, Repository};
use crate::run::Run;
use crate::workflow::{Does, OnFailure, Step, Times, Workflow};
use error::MOST_ITEMS;
use progress::{How, Progress};
pub use side::FORKS_FOLDER;
use side::{Side, Try};
use strand::{Good, Strand};

pub use crate::prompt::template::{Files, Scope};
pub use beforehand::{commands, is_asked, known, needs_scratch, verify};
pub use error::{StepError, StepFailed, waiting};
pub use estimate::{Estimate, estimates};
pub use strand::Seen;

/// The folder of a run that holds the files of its steps.
pub const FILES_FOLDER: &str = "out";

/// The file of a run that says how far its steps are.
pub const PROGRESS_FILE: &str = "out/progress.md";

/// What a step that changes files asks is answered with one of these.
pub const CHOICES: [&str; 2] = ["yes", "no"];

/// What a workflow works with.
pub struct Workshop<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// All files of it.
    pub candidates: &'a [Candidate],
    /// How files are packed; the counter estimates for every player.
    pub request: PackRequest,
    /// Who plays each role.
    pub players: &'a BTreeMap<String, Player>,
    /// What files globs name.
    pub files: Files,
    /// Answers a gate: with one of its choices, if anybody does.
    pub decide: &'a (dyn Fn(&Gate<'_>) -> Option<String> + Sync),
    /// Tells what a prompt may cost; answers whether it may be paid for.
    pub spend: &'a (dyn Fn(Role, &Player, &Prompt) -> Spend + Sync),
    /// How files are changed, if a step does.
    pub hands: Option<Hands<'a>>,
}

/// How the steps of a workflow change files.
pub struct Hands<'a> {
    /// The user's checks.
    pub checks: &'a [String],
    /// Ignored folders that they need.
    pub carried: &'a [RepoPath],
    /// How often an executor is told which checks fail, and asked again.
    pub check_rounds: usize,
    /// What no run changes, if anything is so.
    pub protected: Option<&'a Globs>,
    /// Where the change goes in the end.
    pub land: Land,
    /// What is carried out and lands all the same.
    pub tolerance: Tolerance,
    /// Who agrees to what lands only so.
    pub consent: &'a Consent<'a>,
}

/// Whether something may be paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spend {
    /// It may.
    Go,
    /// It may not.
    Stop,
}

/// A question to the user.
pub struct Gate<'a> {
    /// The step.
    pub step: &'a str,
    /// What is asked.
    pub question: &'a str,
    /// What may be answered.
    pub choices: &'a [String],
}

/// What a workflow came to.
pub struct Worked {
    /// What it gives out.
    pub result: String,
    /// The change that it made, if it made one, and where that is.
    pub executed: Option<Executed>,
    /// What was to be true for it to land and is not, if that is why it did not.
    pub refused: Option<String>,
    /// What later runs are to be told of it.
    pub remember: Option<String>,
    /// What steps that check said of the files as they are in the end.
    pub seen: Vec<Seen>,
}

/// Does the steps of a workflow in `scope`, which holds the spec and the values, and puts what they changed where it is wanted,
/// under a title.
///
/// # Errors
///
/// Fails with the step that did; the user's files are then as they were.
pub fn work(
    workflow: &Workflow,
    (scope, title): (Scope, &str),
    shop: &Workshop<'_>,
    run: &Run,
    host: &Host<'_>,
) -> Result<Worked, StepFailed> {
    let values: Vec<&String> = workflow.values.keys().collect();
    let worker = Worker {
        shop,
        progress: &Progress::of(&workflow.steps),
        values: &values,
        run,
        host,
        is_beside: false,
    };
    let bench = shop.hands.as_ref().map(|hands| {
        // A command that cannot run is found before anything is paid for, and what it leaves is no part of a change.
        let own = change::of_user(&scope, worker.values);
        let mut checks = hands.checks.to_vec();
        for command in commands(&workflow.steps, &own, &shop.files) {
            if !checks.contains(&command) {
                checks.push(command);
            }
        }
        let ground = Ground {
            repository: shop.repository,
            candidates: shop.candidates,
            carried: hands.carried,
            threads: shop.request.threads,
            checks: &checks,
            land: hands.land,
        };
        bench::make(&ground, run, host)
    });
    let bench = bench.transpose();
    let mut strand = Strand {
        scope,
        good: Good::default(),
        bench: bench.map_err(|error| StepFailed::new("begin", error))?,
    };
    let done = worker.steps(&workflow.steps, &mut strand, "");
    let ended = done.and_then(|()| End::of(workflow, &strand, &shop.files));
    let End {
        result,
        refused,
        remember,
    } = ended.inspect_err(|_| worker.keep_good(&strand))?;
    let nowhere = refused.as_ref().map(|_| Land::None);
    let executed = worker.bring(&strand, (title, nowhere));
    Ok(Worked {
        result,
        executed: executed.map_err(|error| StepFailed::new("landing", error))?,
        refused,
        remember,
        seen: strand.good.seen,
    })
}

/// What a workflow says of its end.
struct End {
    result: String,
    refused: Option<String>,
    remember: Option<String>,
}

impl End {
    fn of(workflow: &Workflow, strand: &Strand, files: &Files) -> Result<Self, StepFailed> {
        let scope = &strand.scope;
        let failed = |key| move |error| StepFailed::new("end", StepError::Template(key, error));
        let result = match (&workflow.result, workflow.steps.last()) {
            (Some(result), _) => template::fill(result, scope, files).map_err(failed("result"))?,
            (None, last) => {
                let result = last.and_then(|last| scope.get(&last.name));
                let text = result.and_then(|result| result.get("text"));
                text.and_then(Value::as_str).unwrap_or_default().to_owned()
            }
        };
        let is_good = match &workflow.accept {
            Some(accept) => template::is_true(accept, scope, files).map_err(failed("accept"))?,
            None => true,
        };
        let remember = workflow.remember.as_deref();
        let remember = remember.map(|text| template::fill(text, scope, files));
        Ok(Self {
            result,
            refused: workflow.accept.clone().filter(|_| !is_good),
            remember: remember.transpose().map_err(failed("remember"))?,
        })
    }
}

/// Who does the steps.
#[derive(Clone, Copy)]
struct Worker<'a> {
    shop: &'a Workshop<'a>,
    /// The names of what the user may set.
    values: &'a [&'a String],
    run: &'a Run,
    host: &'a Host<'a>,
    /// What is done, and what is not.
    progress: &'a Progress,
    /// Whether others are at work at the same time.
    is_beside: bool,
}

impl Worker<'_> {
    /// Has `work` done by somebody who says with all that they tell of which step it is, if others are at work at the same time.
    fn telling<T>(&self, label: &str, work: impl FnOnce(&Worker<'_>) -> T) -> T {
        if !self.is_beside {
            return work(self);
        }
        let tell = |event: &Event<'_>| (self.host.tell)(&Event::Beside(label, event));
        let host = Host {
            tell: &tell,
            ..self.host.clone()
        };
        work(&Worker {
            host: &host,
            ..*self
        })
    }

    /// Returns who does some of several, so many at once.
    fn beside(&self, at_once: usize) -> Self {
        Self {
            is_beside: self.is_beside || at_once > 1,
            ..*self
        }
    }

    /// Does steps one after another; `at` is where they are, with a dot at its end.
    fn steps(&self, steps: &[Step], strand: &mut Strand, at: &str) -> Result<(), StepFailed> {
        steps
            .iter()
            .try_for_each(|step| self.step(step, strand, at))
    }

    /// Does a step as often as it is to be done.
    fn step(&self, step: &Step, strand: &mut Strand, at: &str) -> Result<(), StepFailed> {
        let label = format!("{at}{}", step.name);
        let failed = |error: StepError| StepFailed::new(&label, error);
        let truth = |key, expression: &str, scope: &Scope| {
            let is_true = template::is_true(expression, scope, &self.shop.files);
            is_true.map_err(|error| failed(StepError::Template(key, error)))
        };
        if let Some(when) = &step.when
            && !truth("when", when, &strand.scope)?
        {
            clear(step, &mut strand.scope);
            let mut names = names_of(step).into_iter();
            return names.try_for_each(|name| {
                let told = self.told(&format!("{at}{name}"), "", How::Skipped);
                told.map_err(failed)
            });
        }
        match &step.times {
            Times::Once => self.once(step, strand, &label),
            Times::Until { is, most } => {
                clear(step, &mut strand.scope);
                let outer = strand.scope.get("round").cloned();
                for round in 1..=*most {
                    strand.scope.insert("round".to_owned(), json!(round));
                    self.once(step, strand, &format!("{label}[{round}]"))?;
                    if truth("until", is, &strand.scope)? {
                        break;
                    }
                }
                restore("round", outer, &mut strand.scope);
                Ok(())
            }
            Times::Each { of, name, at_once } => {
                let list = template::value(of, &strand.scope, &self.shop.files);
                let list = list.map_err(|error| failed(StepError::Template("for-each", error)))?;
                let Value::Array(items) = list else {
                    return Err(failed(StepError::NoList));
                };
                if items.len() > MOST_ITEMS {
                    return Err(failed(StepError::TooMany { n: items.len() }));
                }
                let side = Side {
                    label: &label,
                    at_once: *at_once,
                    needs: needs(&items).map_err(&failed)?,
                    needs_scratch: step.does.needs_scratch() && strand.bench.is_some(),
                };
                let worker = self.beside(*at_once);
                let work = |n: usize, again: Try, strand: &mut Strand| {
                    strand.scope.insert(name.clone(), items[n].clone());
                    strand.scope.insert("index".to_owned(), json!(n + 1));
                    worker.once(step, strand, &again.label(&format!("{label}[{}]", n + 1)))?;
                    Ok(of_item(step, &items[n], n + 1, &strand.scope))
                };
                let results = worker.side_by_side(&side, strand, &work)?;
                strand
                    .scope
                    .insert(step.name.clone(), Value::Array(results));
                Ok(())
            }
        }
    }

    /// Does a step one time, and enters what it came to.
    fn once(&self, step: &Step, strand: &mut Strand, label: &str) -> Result<(), StepFailed> {
        let failed = |error: StepError| StepFailed::new(label, error);
        self.host.go_on().map_err(|error| failed(error.into()))?;
        if let Does::Steps { steps, at_once } = &step.does {
            let at = format!("{label}.");
            if *at_once <= 1 {
                return self.steps(steps, strand, &at);
            }
            let side = Side {
                label,
                at_once: *at_once,
                needs: vec![Vec::new(); steps.len()],
                needs_scratch: step.does.needs_scratch() && strand.bench.is_some(),
            };
            let worker = self.beside(*at_once);
            let work = |n: usize, again: Try, strand: &mut Strand| {
                worker.step(&steps[n], strand, &again.label(&at))?;
                Ok(strand.scope.clone())
            };
            let inner = worker.side_by_side(&side, strand, &work)?;
            for (step, mut inner) in steps.iter().zip(inner) {
                for name in names_of(step) {
                    if let Some(result) = inner.remove(&name) {
                        strand.scope.insert(name, result);
                    }
                }
            }
            return Ok(());
        }
        (self.host.tell)(&Event::Step(label, step.does.kind()));
        let who = self.who(step);
        self.told(label, &who, How::Begun).map_err(&failed)?;
        let done = self.telling(label, |worker| {
            worker.limited(step.minutes, |worker| worker.kind(step, strand, label))
        });
        let result = match done {
            Ok(result) => result,
            Err(error)
                if step.on_failure == OnFailure::GoOn
                    && error.may_go_on()
                    && self.host.go_on().is_ok() =>
            {
                // Prompts may name it: it must not depend on where the run is.
                let folder = format!("{}/", self.run.folder.display());
                let told = step::causes(&error).replace(&folder, "");
                (self.host.tell)(&Event::Warning(format!(
                    "the step `{label}` failed, and the workflow goes on: {told}"
                )));
                step::nothing(step, &told)
            }
            Err(error) => {
                self.told(label, &who, How::Failed).map_err(&failed)?;
                return Err(failed(error));
            }
        };
        // What failed has no text, and an empty file would pass for one.
        if let Some(file) = step.file.as_ref().filter(|_| result["error"].is_null()) {
            self.keep(file, &result, &strand.scope).map_err(failed)?;
        }
        let how = if result["error"].is_null() {
            How::Done
        } else {
            How::Failed
        };
        strand.scope.insert(step.name.clone(), result);
        self.told(label, &who, how).map_err(failed)
    }

    /// Does `work` within so many minutes for each program, if so many are said.
    fn limited<T>(&self, minutes: Option<u64>, work: impl FnOnce(&Worker<'_>) -> T) -> T {
        let Some(minutes) = minutes else {
            return work(self);
        };
        let longest = Duration::from_secs(minutes.saturating_mul(60));
        let limits = self.host.limits;
        let host = Host {
            limits: Limits {
                wall: limits.wall.min(longest),
                idle: limits.idle.min(longest),
                ..limits
            },
            check_limit: self.host.check_limit.min(longest),
            ..self.host.clone()
        };
        work(&Worker {
            host: &host,
            ..*self
        })
    }

    /// Returns what a step does, and who does it.
    fn who(&self, step: &Step) -> String {
        let kind = step.does.kind();
        let player = step
            .does
            .role()
            .and_then(|role| self.shop.players.get(role));
        match player {
            Some(player) => format!("{kind}, {}", player.agent.name()),
            None => kind.to_owned(),
        }
    }

    /// Enters how far a step is, and keeps that where people and agents read it.
    fn told(&self, label: &str, who: &str, how: How) -> Result<(), StepError> {
        if let Some(text) = self.progress.enter(label, who, how) {
            self.run.keep(PROGRESS_FILE, text.as_bytes())?;
        }
        Ok(())
    }
}

/// Returns what is told of one of a list: the item, its number, and what its steps came to.
fn of_item(step: &Step, item: &Value, index: usize, inner: &Scope) -> Value {
    let mut told = Scope::from_iter([
        ("item".to_owned(), item.clone()),
        ("index".to_owned(), json!(index)),
    ]);
    if let Does::Steps { steps, .. } = &step.does {
        for name in steps.iter().flat_map(names_of) {
            told.insert(name.clone(), inner.get(&name).cloned().unwrap_or_default());
        }
    } else if let Some(Value::Object(result)) = inner.get(&step.name) {
        told.extend(result.clone());
    }
    Value::Object(told)
}

/// Returns the names under which a step enters what it came to.
fn names_of(step: &Step) -> Vec<String> {
    match (&step.does, &step.times) {
        (Does::Steps { steps, .. }, Times::Once | Times::Until { .. }) => {
            steps.iter().flat_map(names_of).collect()
        }
        _ => vec![step.name.clone()],
    }
}

/// Enters nothing for what a step has not come to.
fn clear(step: &Step, scope: &mut Scope) {
    for name in names_of(step) {
        scope.insert(name, Value::Null);
    }
}

fn restore(name: &str, value: Option<Value>, scope: &mut Scope) {
    match value {
        Some(value) => drop(scope.insert(name.to_owned(), value)),
        None => drop(scope.remove(name)),
    }
}

/// Returns for each of a list the places of those that it begins after: an item may have `needs`, the numbers of those, from 1.
fn needs(items: &[Value]) -> Result<Vec<Vec<usize>>, StepError> {
    let of = |(at, item): (usize, &Value)| {
        let wrong = |needed: &Value| StepError::Needs {
            item: at + 1,
            needed: needed.to_string(),
        };
        let needs = match item.get("needs") {
            None | Some(Value::Null) => &[][..],
            Some(Value::Array(needs)) => needs,
            Some(other) => return Err(wrong(other)),
        };
        let each = needs.iter().map(|needed| {
            let place = needed.as_u64().and_then(|n| usize::try_from(n).ok());
            let place = place.and_then(|n| n.checked_sub(1)).filter(|n| *n < at);
            place.ok_or_else(|| wrong(needed))
        });
        each.collect()
    };
    items.iter().enumerate().map(of).collect()
}
