//! What an executor gets, and where it works: its prompt, the scratch in which the checks have been run once, and all
//! that can keep a change from landing. The work itself is in `execute`.

use std::path::PathBuf;

use super::audit::Audit;
use super::budget::BudgetError;
use super::consent::Consent;
use super::edits::Wrong;
use super::host::Interrupted;
use super::land::{Land, Landed};
use super::plan::{PlanningError, Prompt};
use super::player::Player;
use super::restore::Strange;
use crate::check::{CheckError, Checked};
use crate::fs::FsError;
use crate::git::BranchError;
use crate::history::HistoryError;
use crate::patch::PatchError;
use crate::path::RepoPath;
use crate::plan::{Plan, Reference};
use crate::repo::Globs;
use crate::review::Finding;
use crate::run::{LockError, Sensitive};
use crate::scratch::{ChangeSet, LandError, Problem, ScratchError};
use crate::tokens::Counter;

/// What an executor is asked for, and what decides about its change.
pub struct ExecRequest<'a> {
    /// What it must keep to.
    pub rules: Rules<'a>,
    /// What counts prompts.
    pub counter: &'a Counter,
    /// How often the executor is told which checks fail, and asked again.
    pub check_rounds: usize,
    /// Who reads the change before it lands, if anybody does.
    pub reviewer: Option<&'a Player>,
    /// Makes the first prompt for one that stands in for the executor.
    pub make: &'a dyn Fn(&Player) -> Result<Prompt, PlanningError>,
    /// Makes the prompt for one that changes what all groups of steps made, and shows that.
    pub make_of_all: &'a dyn Fn(&Player) -> Result<Prompt, PlanningError>,
    /// What came of the steps that were carried out before.
    pub before: &'a Before,
    /// The step of a workflow that asks, if one does.
    pub step: Option<&'a str>,
}

/// What a change must keep to.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What it names, and what was carried out before it: that was agreed to.
    pub references: &'a [Reference],
    /// How much of the plan this is.
    pub extent: Extent,
    /// The user's checks.
    pub checks: &'a [String],
    /// What no run changes, if anything is so.
    pub protected: Option<&'a Globs>,
    /// Who agrees to what lands only so.
    pub consent: &'a Consent<'a>,
}

/// What becomes of a good change.
#[derive(Debug, Clone, Copy)]
pub struct Goal<'a> {
    /// What it is called.
    pub title: &'a str,
    /// Where it goes.
    pub land: Land,
    /// What becomes of it where it is not what was planned or told.
    pub unlike: Unlike,
}

/// How much of a plan is carried out at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// A group of its steps, and others come after it.
    Group,
    /// The last group of its steps.
    LastGroup,
}

/// What came of the steps of a plan that were carried out before others.
#[derive(Debug, Clone, Default)]
pub struct Before {
    /// The change so far, against the snapshot, if there is one.
    pub patch: Option<Vec<u8>>,
    /// What the executor said of it.
    pub reports: String,
    /// How often the executor was asked.
    pub n_asked: usize,
    /// The checks that passed then: what fails after that was broken since.
    pub passed: Vec<String>,
}

/// What becomes of a change that is not what was planned or told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlike {
    /// It lands, and that is told.
    Told,
    /// It does not land.
    Refused,
}

/// What came of an execution.
#[derive(Debug, Clone)]
pub struct Executed {
    /// What the executor changed.
    pub changes: ChangeSet,
    /// The file with the change as a patch.
    pub patch: PathBuf,
    /// How the checks went before the change.
    pub baseline: Vec<Checked>,
    /// How the checks went after it.
    pub checks: Vec<Checked>,
    /// Where it is not what was planned or told.
    pub audit: Audit,
    /// Where the change is.
    pub landed: Landed,
}

/// Nothing landed.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The executor answered and changed nothing.
    #[error("{agent} changed nothing; its answer is in `{}`", reply.display())]
    Nothing {
        /// The agent.
        agent: String,
        /// The file with its answer.
        reply: PathBuf,
    },
    /// The executor's edits did not fit, and those that it made of them again did not, either.
    #[error("an edit was rejected, and nothing landed: {wrong}; the last answer of {agent} is in `{}`", reply.display())]
    Rejected {
        /// The agent.
        agent: String,
        /// What is wrong with the last.
        wrong: Wrong,
        /// The file with the last answer.
        reply: PathBuf,
    },
    /// The change holds what may not land.
    #[error("the change holds what may not land: {}; the rest of it is in `{}`", list(&.0.changes.refused), .0.patch.display())]
    Refused(Box<Executed>),
    /// The change holds what lands only if somebody agreed to it, and nobody did.
    #[error("the change is in `{}`, and nothing landed: it holds what needs your consent:{}", executed.patch.display(), each(found))]
    Unasked {
        /// What.
        found: Vec<Sensitive>,
        /// All that is known.
        executed: Box<Executed>,
    },
    /// A commit of the change would take changes of the user's along.
    #[error(
        "nothing went onto a branch: these files hold changes that you have not committed, and they would go along: {}",
        names(paths)
    )]
    Uncommitted {
        /// Which.
        paths: Vec<RepoPath>,
        /// The file with the change, if there is one yet.
        patch: Option<PathBuf>,
    },
    /// Git could not be asked what is committed.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The change holds files that the user protects.
    #[error("the change is in `{}`, and nothing landed: it touches what your protected.toml names: {}", executed.patch.display(), names(paths))]
    Protected {
        /// Which.
        paths: Vec<RepoPath>,
        /// All that is known.
        executed: Box<Executed>,
    },
    /// The plan changes files that the user protects.
    #[error("the plan changes what your protected.toml names: {}", names(.0))]
    PlansProtected(Vec<RepoPath>),
    /// The change holds placeholders for secrets in lines that are not those of the files.
    #[error("the change is in `{}`, and nothing landed: it holds placeholders for secrets in lines that it wrote anew: {}", executed.patch.display(), lines(strange))]
    Redacted {
        /// The files, each with the numbers of these lines.
        strange: Vec<(RepoPath, Strange)>,
        /// All that is known.
        executed: Box<Executed>,
    },
    /// The executor wrote a secret of the user's environment into files.
    #[error("nothing landed, and the change is not kept: a key of yours stands in it, in {}", .0.join(", "))]
    Leaked(Vec<String>),
    /// A recorded change does not fit the files.
    #[error("the change does not fit the files")]
    Patch(#[from] PatchError),
    /// A check failed after the change.
    #[error("{n_failed} of {} checks failed{}; the change is in `{}`, and nothing landed", executed.checks.len(), before(executed), executed.patch.display())]
    Failed {
        /// How many.
        n_failed: usize,
        /// All that is known.
        executed: Box<Executed>,
    },
    /// The change is not what was planned or told, and that was to be.
    #[error("the change is in `{}`, and nothing landed: it is not what was planned or told", .0.patch.display())]
    Unlike(Box<Executed>),
    /// The reviewer asks for changes still.
    #[error("the reviewer asks for changes after {n_rounds} rounds; the change is in `{}`, and nothing landed:{}", executed.patch.display(), findings(found))]
    Disputed {
        /// How often the change was reviewed.
        n_rounds: usize,
        /// What failed last, each with how often it was said.
        found: Vec<(Finding, usize)>,
        /// All that is known.
        executed: Box<Executed>,
    },
    /// The checks changed files: what was checked is not what would land.
    #[error("the change is in `{}`, and nothing landed: the checks changed files, so that what they checked is not what would land: {}", patch.display(), names(altered))]
    Altered {
        /// Which.
        altered: Vec<RepoPath>,
        /// The file with the change.
        patch: PathBuf,
    },
    /// A changed file is too large for a patch.
    #[error("`{0}` is too large to land")]
    TooLarge(RepoPath),
    /// The user's files are no longer those that the executor began with.
    #[error("nothing landed{}; the change is in `{}`", because(others), executed.patch.display())]
    Land {
        /// All that is known.
        executed: Box<Executed>,
        /// The runs that changed the same files meanwhile.
        others: Vec<String>,
        /// Why.
        #[source]
        source: LandError,
    },
    /// Another landing or undo is at work.
    #[error("nothing landed")]
    Busy {
        /// The run.
        id: String,
        /// Which other is at work.
        #[source]
        source: LockError,
    },
    /// It failed while files were exchanged, and not all could be put back.
    #[error("the landing failed half-way; the change is in `{}`", patch.display())]
    Stranded {
        /// The run.
        id: String,
        /// The file with the change.
        patch: PathBuf,
        /// Why.
        #[source]
        source: LandError,
    },
    /// The branch could not be made.
    #[error("cannot land on a branch")]
    Branch(#[from] BranchError),
    /// The shell found no such command.
    #[error("cannot run the check `{command}`: command not found ({said})")]
    NotFound {
        /// The check.
        command: String,
        /// What the shell said.
        said: String,
    },
    /// A check could not be run.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The scratch could not be made or read.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// No prompt could be made, or no answer was given.
    #[error(transparent)]
    Call(#[from] PlanningError),
    /// A file could not be read or written.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The run has no more time.
    #[error(transparent)]
    Budget(#[from] BudgetError),
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl ExecError {
    /// Returns what is known of a change that did not land.
    pub fn executed(&self) -> Option<&Executed> {
        match self {
            Self::Refused(executed)
            | Self::Unlike(executed)
            | Self::Unasked { executed, .. }
            | Self::Protected { executed, .. }
            | Self::Redacted { executed, .. }
            | Self::Failed { executed, .. }
            | Self::Disputed { executed, .. }
            | Self::Land { executed, .. } => Some(executed),
            _ => None,
        }
    }

    /// Says whether it is what the executor made that may not go on.
    pub(super) fn is_of_change(&self) -> bool {
        matches!(
            self,
            Self::Nothing { .. }
                | Self::Refused(_)
                | Self::Protected { .. }
                | Self::Redacted { .. }
                | Self::Leaked(_)
                | Self::Failed { .. }
                | Self::Altered { .. }
                | Self::TooLarge(_)
        )
    }
}

/// Says which of the checks that failed did so before the change.
fn before(executed: &Executed) -> String {
    let failed_before = |checked: &&Checked| {
        let is_it = |before: &&Checked| before.command == checked.command && !before.passed;
        !checked.passed && executed.baseline.iter().any(|before| is_it(&before))
    };
    let all = executed.checks.iter().filter(failed_before);
    let all: Vec<String> = all
        .map(|checked| format!("`{}`", checked.command))
        .collect();
    if all.is_empty() {
        return String::new();
    }
    format!(" ({} failed before the change, too)", all.join(", "))
}

fn findings(found: &[(Finding, usize)]) -> String {
    let each = found.iter().map(|(finding, times)| match times {
        1 => format!("\n  {finding}"),
        _ => format!("\n  {finding} (said {times} times)"),
    });
    each.collect::<Vec<_>>().concat()
}

fn list(refused: &[Problem]) -> String {
    let each = refused.iter().map(ToString::to_string);
    each.collect::<Vec<_>>().join(", ")
}

fn because(others: &[String]) -> String {
    if others.is_empty() {
        return String::new();
    }
    let noun = if others.len() == 1 { "run" } else { "runs" };
    format!(
        ", for the {noun} {} changed the same files meanwhile",
        others.join(", ")
    )
}

fn names(paths: &[RepoPath]) -> String {
    let each = paths.iter().map(|path| format!("`{path}`"));
    each.collect::<Vec<_>>().join(", ")
}

fn each(found: &[Sensitive]) -> String {
    let each = found.iter().map(|found| format!("\n  {found}"));
    each.collect::<Vec<_>>().concat()
}

fn lines(strange: &[(RepoPath, Strange)]) -> String {
    let each = strange.iter().map(|(path, lines)| {
        let lines: Vec<String> = lines.iter().map(usize::to_string).collect();
        format!("`{path}` {}", lines.join(", "))
            .trim_end()
            .to_owned()
    });
    each.collect::<Vec<_>>().join("; ")
}
