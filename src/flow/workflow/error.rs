//! Why a step of a workflow failed, and whether the workflow may go on without it.

use std::path::PathBuf;

use super::step::causes;
use crate::agent::Role;
use crate::flow::ask::AskError;
use crate::flow::edits::Wrong;
use crate::flow::exec::ExecError;
use crate::flow::host::Interrupted;
use crate::flow::pack::PackError;
use crate::flow::plan::PlanningError;
use crate::flow::plan_exec::RunError;
use crate::fs::FsError;
use crate::path::RepoPath;
use crate::plan::PlanError;
use crate::prompt::template::TemplateError;
use crate::repo::InvalidGlob;

/// A step that stopped a workflow.
#[derive(Debug, thiserror::Error)]
#[error("the step `{step}` failed{}", told(others))]
pub struct StepFailed {
    /// The step, with the rounds in which it was.
    pub step: String,
    /// Why.
    #[source]
    pub error: Box<StepError>,
    /// Those that failed beside it, in their order.
    pub others: Vec<StepFailed>,
}

impl StepFailed {
    /// Says that `step` failed.
    pub fn new(step: impl Into<String>, error: impl Into<StepError>) -> Self {
        Self {
            step: step.into(),
            error: Box::new(error.into()),
            others: Vec::new(),
        }
    }

    /// Returns the first of those that failed at once, which then tells of the others.
    pub(super) fn first(failed: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut failed = failed.into_iter();
        let mut first = failed.next()?;
        // That somebody stopped us is told once.
        let is_told = |other: &Self| !matches!(*other.error, StepError::Interrupted(_));
        first.others.extend(failed.filter(is_told));
        Some(first)
    }
}

/// Says why others failed.
fn told(others: &[StepFailed]) -> String {
    let each = others.iter().map(|other| format!("and {}", causes(other)));
    match each.collect::<Vec<_>>().join("; ") {
        none if none.is_empty() => none,
        each => format!(" ({each})"),
    }
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
    /// A plan could not be carried out.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A change is not good.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// There is no review, or no edits.
    #[error(transparent)]
    Planning(#[from] PlanningError),
    /// Edits cannot be made.
    #[error("the edits cannot be made: {0}")]
    Edits(Wrong),
    /// What the user is to be asked is none of what they can be.
    #[error("its `approve` is `{0}`, and may be change, file or nothing")]
    NoWord(String),
    /// There is nothing to review.
    #[error("there is no change to review")]
    NoChange,
    /// There is nothing to run.
    #[error("there is no check to run")]
    NoChecks,
    /// The steps have no scratch.
    #[error("it works on files, and there is no scratch for it")]
    NoScratch,
    /// The scratch holds something else in the end than what was good.
    #[error("the scratch does not hold what was checked")]
    NotWhatWasGood,
    /// Files of the change are ignored by rules that came with it, so that they would not land.
    #[error("what was changed before is ignored by now, and would not land: {}", .0.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", "))]
    Hidden(Vec<RepoPath>),
    /// The user said no.
    #[error("you did not agree to it")]
    Declined,
    /// One that was done at the same time failed.
    #[error("another that was done at the same time failed")]
    Stopped,
    /// One of a list begins after another that is not before it.
    #[error("its item {item} needs {needed}, and may need items before it alone")]
    Needs {
        /// Which, from 1.
        item: usize,
        /// What.
        needed: String,
    },
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

/// A step is done for no more.
pub(super) const MOST_ITEMS: usize = 10_000;

impl StepError {
    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Nobody { gate, choices, .. } => Some(format!(
                "answer it beforehand with `--set {gate}=` and one of {}, or say `--yes` for the first; \
                 `twostep runs resume -- --yes` goes on with what there is",
                choices.join(", ")
            )),
            Self::NoChecks => {
                Some("give one with `--check`, or name `commands` in the step".to_owned())
            }
            _ => None,
        }
    }

    /// Says whether a workflow may go on without the step: not where the run itself is at an end.
    pub(super) fn may_go_on(&self) -> bool {
        match self {
            Self::Ask(AskError::Call(error))
            | Self::Planning(error)
            | Self::Run(RunError::Planning(error) | RunError::Exec(ExecError::Call(error)))
            | Self::Exec(ExecError::Call(error)) => may_go_on(error),
            Self::Run(RunError::Exec(error)) | Self::Exec(error) => !matches!(
                error,
                ExecError::Fs(_)
                    | ExecError::Budget(_)
                    | ExecError::Interrupted(_)
                    | ExecError::Scratch(_)
                    | ExecError::Uncommitted { .. }
                    | ExecError::Leaked(_)
                    // That is the user's to say, and no failure of who was asked.
                    | ExecError::Unasked { .. }
            ),
            Self::Ask(AskError::Fs(_))
            | Self::Run(RunError::Fs(_))
            | Self::Fs(_)
            | Self::Interrupted(_)
            | Self::NoScratch
            | Self::NotWhatWasGood
            | Self::Declined
            | Self::Stopped
            | Self::Nobody { .. } => false,
            _ => true,
        }
    }
}

fn may_go_on(error: &PlanningError) -> bool {
    !matches!(
        error,
        PlanningError::Waiting { .. }
            | PlanningError::Budget(_)
            | PlanningError::Changed { .. }
            | PlanningError::Fs(_)
            | PlanningError::Interrupted(_)
    )
}

/// Returns what the caller is asked, and by which prompt, if that is why a workflow stopped.
pub fn waiting(failed: &StepFailed) -> Option<(Role, PathBuf)> {
    match &*failed.error {
        StepError::Ask(AskError::Call(error))
        | StepError::Planning(error)
        | StepError::Run(RunError::Planning(error) | RunError::Exec(ExecError::Call(error)))
        | StepError::Exec(ExecError::Call(error)) => match error {
            PlanningError::Waiting { prompt, role } => Some((*role, prompt.clone())),
            _ => None,
        },
        _ => None,
    }
}
