//! Doing a workflow: its steps in their order, at once or again, each with what those before it came to.
//!
//! In: a workflow and who plays its roles. Out: what the steps came to, kept in the run; what is answered is not asked
//! for again when the run is gone on with.

mod step;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::ask::AskError;
use super::host::{Event, Host, Interrupted};
use super::pack::{PackError, PackRequest};
use super::plan::PlanningError;
use super::player::Player;
use crate::agent::Agent;
use crate::fs::FsError;
use crate::plan::{PlanError, Reference};
use crate::prompt::template::{self, TemplateError};
use crate::repo::{Candidate, InvalidGlob, Repository};
use crate::run::Run;
use crate::workflow::{Does, OnFailure, Step, Times, Workflow};

pub use crate::prompt::template::{Files, Scope};

/// The folder of a run that holds the files of its steps.
pub const FILES_FOLDER: &str = "out";

/// Between the starts of two programs that work at once; some break each other where there is less.
pub const STAGGER: Duration = Duration::from_secs(1);

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

/// A step that stopped a workflow.
#[derive(Debug, thiserror::Error)]
#[error("the step `{step}` failed")]
pub struct StepFailed {
    /// The step, with the rounds in which it was.
    pub step: String,
    /// Why.
    #[source]
    pub error: StepError,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// Nobody answered.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// A template or an expression has no value.
    #[error("its `{0}` cannot be filled in")]
    Template(&'static str, #[source] TemplateError),
    /// What it is done for each of is no list.
    #[error("its `for-each` is no list")]
    NoList,
    /// What it is done for each of has too many.
    #[error("its `for-each` has {n} items, and a step is done for {MOST_ITEMS} at most")]
    TooMany {
        /// How many.
        n: usize,
    },
    /// A glob has no meaning.
    #[error(transparent)]
    Glob(#[from] InvalidGlob),
    /// A schema is none.
    #[error("its `schema` cannot be used: {0}")]
    Schema(String),
    /// Files could not be packed.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A plan is none.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A plan names what is not there.
    #[error("the plan names what cannot be resolved: {}", written(.0))]
    Unresolved(Vec<Reference>),
    /// Its file has no place.
    #[error("its file `{0}` is not within a folder")]
    NoPlace(String),
    /// There was nobody to ask.
    #[error("there is nobody to ask: {question}")]
    Nobody {
        /// The gate that asks.
        gate: String,
        /// What is asked.
        question: String,
        /// What may be answered.
        choices: Vec<String>,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

fn written(open: &[Reference]) -> String {
    let each = open
        .iter()
        .map(|reference| format!("`{}`", reference.written));
    each.collect::<Vec<_>>().join(", ")
}

/// A step is done for no more.
const MOST_ITEMS: usize = 10_000;

impl StepError {
    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Nobody { gate, choices, .. } => Some(format!(
                "answer it beforehand with `--set {gate}=` and one of {}, or say `--yes` for the first",
                choices.join(", ")
            )),
            _ => None,
        }
    }

    /// Says whether a workflow may go on without the step: not where the run itself is at an end.
    fn may_go_on(&self) -> bool {
        match self {
            Self::Ask(AskError::Call(error)) => !matches!(
                error,
                PlanningError::Waiting { .. }
                    | PlanningError::Budget(_)
                    | PlanningError::Changed { .. }
                    | PlanningError::Fs(_)
                    | PlanningError::Interrupted(_)
            ),
            Self::Ask(AskError::Fs(_))
            | Self::Fs(_)
            | Self::Interrupted(_)
            | Self::Nobody { .. } => false,
            _ => true,
        }
    }
}

/// Does the steps of a workflow in `scope`, which holds the spec and the values; returns what it gives out.
///
/// # Errors
///
/// Fails with the step that did.
pub fn work(
    workflow: &Workflow,
    mut scope: Scope,
    shop: &Workshop<'_>,
    run: &Run,
    host: &Host<'_>,
) -> Result<String, StepFailed> {
    let worker = Worker {
        shop,
        run,
        host,
        started: Mutex::new(None),
    };
    worker.steps(&workflow.steps, &mut scope, "")?;
    let end = |error| StepFailed {
        step: "end".to_owned(),
        error,
    };
    match (&workflow.result, workflow.steps.last()) {
        (Some(result), _) => template::fill(result, &scope, &shop.files)
            .map_err(|error| end(StepError::Template("result", error))),
        (None, Some(last)) => {
            let text = scope.get(&last.name).and_then(|result| result.get("text"));
            Ok(text.and_then(Value::as_str).unwrap_or_default().to_owned())
        }
        (None, None) => Ok(String::new()),
    }
}

/// Who does the steps.
struct Worker<'a> {
    shop: &'a Workshop<'a>,
    run: &'a Run,
    host: &'a Host<'a>,
    /// When a program was started last.
    started: Mutex<Option<Instant>>,
}

impl Worker<'_> {
    /// Does steps one after another; `at` is where they are, with a dot at its end.
    fn steps(&self, steps: &[Step], scope: &mut Scope, at: &str) -> Result<(), StepFailed> {
        steps.iter().try_for_each(|step| self.step(step, scope, at))
    }

    /// Does a step as often as it is to be done.
    fn step(&self, step: &Step, scope: &mut Scope, at: &str) -> Result<(), StepFailed> {
        let label = format!("{at}{}", step.name);
        let failed = |error| StepFailed {
            step: label.clone(),
            error,
        };
        let truth = |key, expression: &str, scope: &Scope| {
            let is_true = template::is_true(expression, scope, &self.shop.files);
            is_true.map_err(|error| failed(StepError::Template(key, error)))
        };
        if let Some(when) = &step.when
            && !truth("when", when, scope)?
        {
            clear(step, scope);
            return Ok(());
        }
        match &step.times {
            Times::Once => self.once(step, scope, &label),
            Times::Until { is, most } => {
                clear(step, scope);
                let outer = scope.get("round").cloned();
                for round in 1..=*most {
                    scope.insert("round".to_owned(), json!(round));
                    self.once(step, scope, &format!("{label}[{round}]"))?;
                    if truth("until", is, scope)? {
                        break;
                    }
                }
                restore("round", outer, scope);
                Ok(())
            }
            Times::Each { of, name, at_once } => {
                let list = template::value(of, scope, &self.shop.files);
                let list = list.map_err(|error| failed(StepError::Template("for-each", error)))?;
                let Value::Array(items) = list else {
                    return Err(failed(StepError::NoList));
                };
                if items.len() > MOST_ITEMS {
                    return Err(failed(StepError::TooMany { n: items.len() }));
                }
                let work = |n: usize| {
                    let mut inner = scope.clone();
                    inner.insert(name.clone(), items[n].clone());
                    inner.insert("index".to_owned(), json!(n + 1));
                    self.once(step, &mut inner, &format!("{label}[{}]", n + 1))?;
                    Ok(of_item(step, &items[n], n + 1, &inner))
                };
                let results = at_once_of(items.len(), *at_once, &work)?;
                scope.insert(step.name.clone(), Value::Array(results));
                Ok(())
            }
        }
    }

    /// Does a step one time, and enters what it came to.
    fn once(&self, step: &Step, scope: &mut Scope, label: &str) -> Result<(), StepFailed> {
        let failed = |error: StepError| StepFailed {
            step: label.to_owned(),
            error,
        };
        self.host.go_on().map_err(|error| failed(error.into()))?;
        if let Does::Steps { steps, at_once } = &step.does {
            let at = format!("{label}.");
            if *at_once <= 1 {
                return self.steps(steps, scope, &at);
            }
            let work = |n: usize| {
                let mut inner = scope.clone();
                self.step(&steps[n], &mut inner, &at)?;
                Ok(inner)
            };
            let inner = at_once_of(steps.len(), *at_once, &work)?;
            for (step, mut inner) in steps.iter().zip(inner) {
                for name in names_of(step) {
                    if let Some(result) = inner.remove(&name) {
                        scope.insert(name, result);
                    }
                }
            }
            return Ok(());
        }
        (self.host.tell)(&Event::Step(label, step.does.kind()));
        let result = match self.kind(step, scope, label) {
            Ok(result) => result,
            Err(error) if step.on_failure == OnFailure::GoOn && error.may_go_on() => {
                let told = step::causes(&error);
                (self.host.tell)(&Event::Warning(format!(
                    "the step `{label}` failed, and the workflow goes on: {told}"
                )));
                step::nothing(step, &told)
            }
            Err(error) => return Err(failed(error)),
        };
        if let Some(file) = &step.file {
            self.keep(file, &result, scope).map_err(failed)?;
        }
        scope.insert(step.name.clone(), result);
        Ok(())
    }

    /// Waits until another program may be started beside those that were.
    fn stagger(&self, player: &Player) -> Result<(), Interrupted> {
        const TICK: Duration = Duration::from_millis(20);
        if matches!(
            player.agent,
            Agent::Recorded(_) | Agent::Caller | Agent::Http(_)
        ) {
            return Ok(());
        }
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        while started.is_some_and(|started| started.elapsed() < STAGGER) {
            self.host.go_on()?;
            std::thread::sleep(TICK);
        }
        *started = Some(Instant::now());
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

/// Does `n` pieces of work, so many at once, and returns what each came to, in their order; after one that failed no other is
/// begun, and of those that failed the first is told.
fn at_once_of<T: Send>(
    n: usize,
    at_once: usize,
    work: &(dyn Fn(usize) -> Result<T, StepFailed> + Sync),
) -> Result<Vec<T>, StepFailed> {
    if at_once <= 1 || n <= 1 {
        return (0..n).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Result<T, StepFailed>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..at_once.min(n) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= n {
                        return;
                    }
                    let result = work(at);
                    if result.is_err() {
                        next.store(n, Ordering::Relaxed);
                    }
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Returns who waits for the caller, if that is why a workflow stopped.
pub fn waiting(failed: &StepFailed) -> Option<PathBuf> {
    match &failed.error {
        StepError::Ask(AskError::Call(PlanningError::Waiting { prompt, .. })) => {
            Some(prompt.clone())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
