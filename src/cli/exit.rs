//! How the process ends, and what an error advises.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use super::printer::StdoutClosed;
use crate::agent::{AgentError, CALLER, Class, Failure, quoted};
use crate::check::CheckError;
use crate::flow::ask::AskError;
use crate::flow::budget::BudgetError;
use crate::flow::exec::ExecError;
use crate::flow::host::Interrupted;
use crate::flow::pack::PackError;
use crate::flow::plan::PlanningError;
use crate::flow::plan_exec::RunError;
use crate::flow::player::PlayerError;
use crate::flow::redact::SecretsFound;
use crate::flow::undo::UndoError;
use crate::flow::unpack::RestoreError;
use crate::flow::verify::VerifyError;
use crate::flow::workflow::StepError;
use crate::fs::FsError;
use crate::history::HistoryError;
use crate::model::UnknownModel;
use crate::repo::OpenError;
use crate::run::Run;
use crate::scratch::{LandError, ScratchError};
use crate::secrets::InvalidAllow;
use crate::workflow::WorkflowError;

/// The exit codes, for the help.
pub(super) const TABLE: &str = "Exit codes: 0 done, and yes, or its caller is asked (`waiting`); 1 done, and no (a check failed, a \
    reference is missing, a conflict, a secret with `--secrets fail`); 2 could not (flag, file, budget); 3 an agent failed; 4 the budget of a run is used up; 129, 130, 143 interrupted.";

/// How the process ends. Scripts rely on these numbers; changing one is a breaking change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Exit {
    /// The work was done, and the answer is yes.
    Success = 0,
    /// The work was done, and the answer is no: a check failed, a reference is missing, files changed meanwhile.
    Negative = 1,
    /// The work could not be done: bad flag, bad configuration, file or repository error.
    Error = 2,
    /// An agent failed or changed nothing. Running it again may help.
    Agent = 3,
    /// The run may not use more: tokens, money, time or calls. All that it has is kept.
    Budget = 4,
    /// Its terminal went away (128 + SIGHUP).
    HungUp = 129,
    /// Ctrl-C (128 + SIGINT).
    Interrupted = 130,
    /// Asked to end (128 + SIGTERM).
    Terminated = 143,
}

impl Exit {
    /// All of them.
    const ALL: [Self; 8] = [
        Self::Success,
        Self::Negative,
        Self::Error,
        Self::Agent,
        Self::Budget,
        Self::HungUp,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// Maps an error to its status by looking for a known cause in the chain.
    pub(super) fn of(error: &anyhow::Error) -> Self {
        if error.chain().any(is_stdout_closed) {
            return Self::Success;
        }
        error.chain().find_map(status_of).unwrap_or(Self::Error)
    }

    /// Returns how a process ended that had the exit code `code`; none if none of ours has it.
    pub(super) fn of_code(code: u8) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|&exit| exit as u8 == code)
    }

    /// Returns how a process ends that was asked to by `signal`.
    pub(super) fn of_signal(signal: i32) -> Self {
        match signal {
            1 => Self::HungUp,
            15 => Self::Terminated,
            _ => Self::Interrupted,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Returns an error of a run as the error below that it passes on, so that what is known of that is found.
pub(super) fn unwrapped(error: RunError) -> anyhow::Error {
    let call = |error| match error {
        PlanningError::Agent(AgentError::Process(error)) => error.into(),
        PlanningError::Agent(AgentError::Fs(error)) | PlanningError::Fs(error) => error.into(),
        PlanningError::Agent(error) => error.into(),
        PlanningError::Interrupted(error) => error.into(),
        PlanningError::Budget(error) => error.into(),
        PlanningError::Secrets(error) => error.into(),
        other => anyhow::Error::from(other),
    };
    match error {
        RunError::Planning(error) | RunError::Exec(ExecError::Call(error)) => call(error),
        RunError::Exec(ExecError::Check(error)) => match error {
            CheckError::Process(error) => error.into(),
            CheckError::Fs(error) => error.into(),
            error @ CheckError::Interrupted(_) => error.into(),
        },
        RunError::Exec(ExecError::Scratch(error)) => error.into(),
        RunError::Exec(ExecError::Interrupted(error)) => error.into(),
        RunError::Exec(ExecError::Budget(error)) => error.into(),
        RunError::Exec(ExecError::Fs(error)) | RunError::Fs(error) => error.into(),
        RunError::Exec(error) => error.into(),
        other => other.into(),
    }
}

/// Returns an error of a run with all that caused it, as text.
pub(super) fn unwrapped_text(error: &RunError) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| {
        error.source()
    });
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}

/// Says whether an error is nothing but what the user asked for: to stop.
pub(super) fn is_interrupted(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<Interrupted>()
            || matches!(cause.downcast_ref(), Some(CheckError::Interrupted(_)))
            || matches!(
                cause.downcast_ref(),
                Some(Failure {
                    class: Class::Interrupted,
                    ..
                })
            )
    })
}

/// Returns a word for the kind of an error, for programs: that of the agent's failure, or else what stopped us.
pub(super) fn class_of(error: &anyhow::Error) -> String {
    let failure = |cause: &(dyn std::error::Error + 'static)| {
        let failure: &Failure = cause.downcast_ref()?;
        serde_json::to_value(failure.class).ok()
    };
    let class = error.chain().find_map(failure);
    if let Some(class) = class.as_ref().and_then(serde_json::Value::as_str) {
        return class.to_owned();
    }
    let is_misfit = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref(), Some(AskError::Misfit { .. }))
    };
    if let Some(word) = error.chain().find_map(word_of) {
        return word.to_owned();
    }
    let word = match Exit::of(error) {
        Exit::Budget => "budget",
        _ if is_interrupted(error) => "interrupted",
        _ if error.chain().any(has_secrets) => "secrets",
        _ if error.chain().any(is_misfit) => "misfit",
        _ => "error",
    };
    word.to_owned()
}

/// Returns the word for what keeps a plan from being carried out, or a change from landing.
fn word_of(cause: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    match cause.downcast_ref::<RunError>() {
        Some(RunError::Unresolved { .. } | RunError::NoReferences(_)) => return Some("references"),
        Some(RunError::Drifted { .. } | RunError::Forgotten(_)) => return Some("drift"),
        _ => {}
    }
    Some(match cause.downcast_ref::<ExecError>()? {
        ExecError::Failed { .. } | ExecError::Altered { .. } => "checks",
        ExecError::Disputed { .. } => "review",
        ExecError::Unlike(_) => "audit",
        ExecError::Nothing { .. } => "no_change",
        ExecError::Rejected { .. } | ExecError::Patch(_) => "edits",
        ExecError::Unasked { .. } => "consent",
        ExecError::Protected { .. } | ExecError::PlansProtected(_) => "protected",
        ExecError::Refused(_) | ExecError::TooLarge(_) => "refused_path",
        ExecError::Uncommitted { .. } => "uncommitted",
        ExecError::Redacted { .. } | ExecError::Leaked(_) => "secrets",
        ExecError::Land { source, .. } if is_conflict(source) => "conflict",
        _ => return None,
    })
}

/// Says whether it was secrets that stopped us.
fn has_secrets(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.is::<SecretsFound>() || matches!(cause.downcast_ref(), Some(PackError::Secrets(_)))
}

/// Returns the status that a known cause stands for.
fn status_of(cause: &(dyn std::error::Error + 'static)) -> Option<Exit> {
    if has_secrets(cause) {
        return Some(Exit::Negative);
    }
    if cause.is::<BudgetError>() {
        return Some(Exit::Budget);
    }
    if let Some(error) = cause.downcast_ref::<ExecError>() {
        return match error {
            ExecError::Nothing { .. } => Some(Exit::Agent),
            ExecError::Rejected { .. }
            | ExecError::Refused(_)
            | ExecError::PlansProtected(_)
            | ExecError::Unasked { .. }
            | ExecError::Protected { .. }
            | ExecError::Uncommitted { .. }
            | ExecError::Redacted { .. }
            | ExecError::TooLarge(_)
            | ExecError::Leaked(_)
            | ExecError::Unlike(_)
            | ExecError::Disputed { .. }
            | ExecError::Patch(_)
            | ExecError::Failed { .. }
            | ExecError::Altered { .. } => Some(Exit::Negative),
            ExecError::Land { source, .. } if is_conflict(source) => Some(Exit::Negative),
            _ => None,
        };
    }
    if cause.is::<AgentError>()
        || matches!(
            cause.downcast_ref(),
            Some(PlanningError::Answer(_) | PlanningError::Review { .. })
        )
        || matches!(cause.downcast_ref(), Some(AskError::Misfit { .. }))
    {
        return Some(Exit::Agent);
    }
    let is_no = matches!(
        cause.downcast_ref(),
        Some(RunError::Unresolved { .. } | RunError::Drifted { .. } | RunError::Forgotten(_))
    ) || matches!(cause.downcast_ref(), Some(UndoError::Branch(_)));
    let is_no = is_no
        || matches!(cause.downcast_ref(), Some(UndoError::Land { source, .. }) if is_conflict(source));
    is_no.then_some(Exit::Negative)
}

/// Says whether files of the user are not what they were, or may not change: an answer, and no trouble of ours.
fn is_conflict(error: &LandError) -> bool {
    matches!(error, LandError::Conflicts(_) | LandError::Refused(_))
}

/// Our own reader has enough, as with `twostep pack | head`. The printer alone raises this type.
fn is_stdout_closed(cause: &(dyn std::error::Error + 'static)) -> bool {
    let inner = cause
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    inner.is_some_and(<dyn std::error::Error + Send + Sync>::is::<StdoutClosed>)
}

/// A call whose words contradict each other or lack something, with what would mend it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct UsageError {
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) hint: String,
}

/// Makes a [`UsageError`].
pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    let (message, hint) = (message.into(), hint.into());
    UsageError { message, hint }.into()
}

/// Returns the error of a file that a cause is, or passes on.
fn of_file<'a>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a FsError> {
    let of_scratch = |error: &'a ScratchError| match error {
        ScratchError::Fs(error) => Some(error),
        _ => None,
    };
    match cause.downcast_ref::<LandError>() {
        Some(LandError::Fs(error)) => Some(error),
        Some(LandError::Scratch(error)) => of_scratch(error),
        _ => cause
            .downcast_ref()
            .or_else(|| cause.downcast_ref().and_then(of_scratch)),
    }
}

/// A run that stopped: the context of why.
#[derive(Debug, thiserror::Error)]
#[error("the run {id} stopped")]
pub(super) struct RunStopped {
    id: String,
    /// How it is gone on with.
    pub(super) resume: String,
}

impl RunStopped {
    /// Makes it of a run of the repository in which the user is, or of one that is kept in `place`.
    pub(super) fn of(run: &Run, place: Option<&Path>) -> Self {
        let id = run.id.clone();
        let resume = resume(run, place);
        Self { id, resume }
    }
}

/// Returns how a run is gone on with, of the repository in which the user is or of what is at `place`.
pub(super) fn resume(run: &Run, place: Option<&Path>) -> String {
    let at = place.map_or(String::new(), |place| {
        format!(" -C {}", quoted(place.as_os_str()))
    });
    format!("twostep{at} runs resume {}", run.id)
}

/// Returns what the user can do about an error: the advice of the first cause that has some, and where it was the disk
/// that stopped a run, how to go on then.
pub(super) fn hint(error: &anyhow::Error) -> Option<String> {
    match error.downcast_ref() {
        Some(RunStopped { resume, .. }) => hint_in(error, resume),
        None => advice(error),
    }
}

/// A step of a workflow that failed: the context of why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct InStep(pub(super) String);

/// A role of a workflow for which there is nobody: the context of why.
#[derive(Debug, thiserror::Error)]
#[error("nobody can play the role `{0}`")]
pub(super) struct Unplayed(pub(super) String);

/// Returns the advice of the first cause that has some, by the options of the verb.
fn advice(error: &anyhow::Error) -> Option<String> {
    let unplayed = error.downcast_ref().map(|Unplayed(role)| role.as_str());
    let is_in_step = error.downcast_ref::<InStep>().is_some();
    error.chain().find_map(|cause| {
        let of_player = |error: &PlayerError| Some(error.hint(Some(unplayed?)));
        let of_player = cause.downcast_ref().and_then(of_player);
        let of_step = || is_in_step.then(|| step_hint(cause)).flatten();
        of_player.or_else(of_step).or_else(|| hint_of(cause))
    })
}

/// Returns the same for an error of a run that is gone on with by `resume`.
pub(super) fn hint_in(error: &anyhow::Error, resume: &str) -> Option<String> {
    let advice = advice(error);
    let advice = advice.map(|text| text.replace("`twostep runs resume`", &format!("`{resume}`")));
    let advice = advice.map(|text| text.replace("`twostep runs resume -", &format!("`{resume} -")));
    let is_of_disk =
        |cause: &(dyn std::error::Error + 'static)| of_file(cause).is_some_and(FsError::is_of_disk);
    if error.chain().any(is_of_caller) {
        return Some(format!(
            "mend the answer, and go on with `{resume} --answer FILE`"
        ));
    }
    if let Some(reached) = error.chain().find_map(|cause| cause.downcast_ref()) {
        return Some(with_more(reached, resume));
    }
    let can_go_on = |cause: &(dyn std::error::Error + 'static)| {
        let is_of_agent = cause
            .downcast_ref()
            .is_some_and(|failure: &Failure| failure.class != Class::NotRecorded);
        is_of_agent || matches!(cause.downcast_ref(), Some(RunError::Unresolved { .. }))
    };
    if error
        .chain()
        .any(|cause| is_of_disk(cause) || can_go_on(cause))
    {
        let advice = advice.unwrap_or_default();
        return Some(format!("{advice}; `{resume}` goes on with what there is"));
    }
    advice
}

/// Says whether it was the caller's answer that is no good.
fn is_of_caller(cause: &(dyn std::error::Error + 'static)) -> bool {
    let of_call =
        matches!(cause.downcast_ref(), Some(AgentError::Failed { agent, .. }) if agent == CALLER);
    let of_edits =
        matches!(cause.downcast_ref(), Some(ExecError::Rejected { agent, .. }) if agent == CALLER);
    let of_ask =
        matches!(cause.downcast_ref(), Some(AskError::Misfit { agent, .. }) if agent == CALLER);
    of_call || of_edits || of_ask
}

/// Returns how a run goes on whose budget is used up.
fn with_more(reached: &BudgetError, resume: &str) -> String {
    let option = reached.option();
    format!(
        "what there is, is kept; with a larger budget, in all, it goes on: `{resume} -- {option} N`"
    )
}

fn hint_of(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(usage) = cause.downcast_ref::<UsageError>() {
        return Some(usage.hint.clone());
    }
    if let Some(unknown) = cause.downcast_ref::<UnknownModel>() {
        let nearest = unknown
            .nearest
            .as_ref()
            .map_or(String::new(), |name| format!("did you mean `{name}`? "));
        return Some(format!("{nearest}`twostep models` lists all"));
    }
    if let Some(InvalidAllow::Rule { nearest, .. }) = cause.downcast_ref() {
        let nearest = nearest
            .as_ref()
            .map_or(String::new(), |id| format!("did you mean `{id}`? "));
        return Some(format!(
            "{nearest}`twostep pack -v` names the rules that find something"
        ));
    }
    if let Some(error) = cause.downcast_ref::<AskError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<WorkflowError>() {
        return error.problem.hint();
    }
    if let Some(error) = cause.downcast_ref::<StepError>() {
        return error.hint();
    }
    if let Some(PackError::TooSmall(small)) = cause.downcast_ref() {
        return Some(format!(
            "use `--budget {}` or more, name or pin fewer files, or leave out `--git-diff` and `--git-log`",
            small.least
        ));
    }
    if has_secrets(cause) {
        return Some(
            "take them out, let them through in `~/.config/twostep/secrets.toml`, or say `--secrets redact`"
                .into(),
        );
    }
    if let Some(PackError::Restless) = cause.downcast_ref() {
        return Some("run it again, or pack a copy of the tree".to_owned());
    }
    if let Some(PackError::Empty) = cause.downcast_ref() {
        return Some(
            "name files or folders that are not ignored, or widen `--include` and `--exclude`"
                .to_owned(),
        );
    }
    if let Some(error) = cause.downcast_ref::<HistoryError>() {
        return match error {
            HistoryError::NoGit(_) => {
                Some("work in a git repository, or leave that option out".to_owned())
            }
            HistoryError::Revision(_) => Some(
                "name a commit, branch or tag that `git rev-parse` knows; a shallow clone has few of them".to_owned(),
            ),
            HistoryError::Git(_) | HistoryError::Objects(_) => None,
        };
    }
    if let Some(advice) = run_hint(cause) {
        return Some(advice);
    }
    let advice = cause.downcast_ref::<OpenError>().map(OpenError::hint);
    let advice = advice.or_else(|| cause.downcast_ref::<RestoreError>().map(RestoreError::hint));
    let advice = advice.or_else(|| cause.downcast_ref::<VerifyError>().map(VerifyError::hint));
    let advice = advice.or_else(|| of_file(cause).map(FsError::hint));
    advice.flatten().map(str::to_owned)
}

/// Returns the command that applies the patch of a run; git takes its paths from where it stands.
pub(super) fn apply(patch: &Path) -> String {
    let top = patch.ancestors().nth(4).unwrap_or(patch);
    format!(
        "git -C {} apply {}",
        quoted(top.as_os_str()),
        quoted(patch.as_os_str())
    )
}

/// Returns what the user can do about an error of a run.
fn run_hint(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(error) = cause.downcast_ref::<PlayerError>() {
        return Some(error.hint(None));
    }
    if let Some(failure) = cause.downcast_ref::<Failure>() {
        return Some(failure.class.hint().to_owned());
    }
    if let Some(error) = cause.downcast_ref::<RunError>() {
        return Some(match error {
            RunError::Unresolved { .. } => {
                "correct the paths in the plan by hand, or let its planner do it with `twostep plan --revise NOTE`".to_owned()
            }
            RunError::Drifted { .. } | RunError::Forgotten(_) => "look whether the plan still holds; then go on with `twostep runs resume -- --accept-drift`, or let its planner change it with `twostep plan PLAN --revise NOTE`".to_owned(),
            RunError::NoReferences(_) => "name in the plan the files to change, relative to the root of the repository".to_owned(),
            RunError::NoSession(_) => "plan again with the spec".to_owned(),
            RunError::OtherPlanner { made, .. } => format!("leave `--planner` out, or name {made}"),
            RunError::Link(_) => "take the link away, or name another file with `twostep plan -o FILE`".to_owned(),
            RunError::Edited(_) => "move it away, carry it out with `twostep exec`, or replace it with `--force`".to_owned(),
            RunError::Plan { .. } => "name a plan in Markdown, such as one that `twostep plan` wrote".to_owned(),
            _ => return None,
        });
    }
    if let Some(error) = cause.downcast_ref::<PlanningError>() {
        return match error {
            PlanningError::Review { .. } => {
                Some("run it again, or use another reviewer with `--reviewer`".to_owned())
            }
            PlanningError::Answer(_) => {
                Some("run it again, or use another planner with `--planner`".to_owned())
            }
            PlanningError::Changed { .. } => Some(
                "put your files back as they were, have agents asked again with `twostep runs resume --accept-changes`, or begin anew".to_owned(),
            ),
            PlanningError::TooLong { .. } => Some(
                "give it smaller packs (`twostep pack --for MODEL`), or use another model"
                    .to_owned(),
            ),
            _ => None,
        };
    }
    if let Some(error) = cause.downcast_ref::<ExecError>() {
        return exec_hint(error);
    }
    cause.downcast_ref::<UndoError>().and_then(|error| match error {
        UndoError::None | UndoError::Unknown(_) | UndoError::NotLanded(_) => Some("`twostep runs` lists all".to_owned()),
        UndoError::Land { .. } => Some("put those files back as the run left them, or take the change back by hand: `git apply -R` with the run's changes.patch".to_owned()),
        UndoError::Stranded { id, .. } => Some(format!("`twostep undo {id}`")),
        UndoError::Foreign(_) | UndoError::Tracked => {
            Some("look at `.twostep/runs`, and delete what did not come from twostep on this machine".to_owned())
        }
        UndoError::Busy(_) => Some("wait until it has ended, and run it again".to_owned()),
        UndoError::Branch(_) => Some("look at the branch with `git log`, and delete it by hand if you do not want it".to_owned()),
        UndoError::Undone(_) | UndoError::Fs(_) => None,
    })
}

/// Returns what the user can do about an error in a step of a workflow, where other verbs have options for it that workflows have not.
fn step_hint(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    let another = "have another play the role: `twostep runs resume -- --role NAME=AGENT`";
    if let Some(PlanningError::Review { .. } | PlanningError::Answer(_)) = cause.downcast_ref() {
        return Some(format!("go on with `twostep runs resume`, or {another}"));
    }
    if let Some(PlanningError::TooLong { .. }) = cause.downcast_ref() {
        return Some(format!(
            "name fewer `files` in the step, or {another}, with a larger window"
        ));
    }
    if let Some(RunError::Unresolved { .. } | RunError::NoReferences(_)) = cause.downcast_ref() {
        return Some(
            "`missing = \"told\"` in the step carries the plan out all the same; a step `resolve` before it finds that while its planner can be asked again"
                .to_owned(),
        );
    }
    Some(match cause.downcast_ref::<ExecError>()? {
        ExecError::Nothing { .. } => {
            format!("read its answer; go on with `twostep runs resume`, or {another}")
        }
        ExecError::Rejected { .. } => format!(
            "go on with `twostep runs resume`, which asks for other edits, or {another}; claude, codex and gemini edit files themselves"
        ),
        ExecError::PlansProtected(_) => {
            "take them out of protected.toml, or say in the spec to leave them alone".to_owned()
        }
        ExecError::NotFound { .. } => {
            "install the command, or correct `--check` or the `commands` of the step".to_owned()
        }
        ExecError::Land {
            executed, source, ..
        } if is_conflict(source) => format!(
            "take the patch with `{} --3way`, or run the workflow again with your files as they are now",
            apply(&executed.patch)
        ),
        _ => return None,
    })
}

/// Returns what the user can do about a change that did not land.
fn exec_hint(error: &ExecError) -> Option<String> {
    match error {
            ExecError::Nothing { .. } => Some(
                "read its answer; run it again, or use another executor with `--executor`"
                    .to_owned(),
            ),
            ExecError::Failed { executed, .. } => Some(format!(
                "read the output of the checks in `{}`; apply the change all the same with `{}`",
                executed.patch.with_file_name("checks").display(),
                apply(&executed.patch)
            )),
            ExecError::Rejected { .. } => Some(
                "run it again, or go on with `twostep runs resume`, which asks for other edits; use another model, or an executor that edits files itself: claude, codex or gemini".into(),
            ),
            ExecError::Redacted { executed, .. } => Some(format!(
                "put the values into the patch by hand, and apply it with `{}`",
                apply(&executed.patch)
            )),
            ExecError::Disputed { executed, .. } => Some(format!(
                "all of it is in `{}`: plan, change, checks, and each review; apply the change all the same with `{}`",
                executed.patch.with_file_name("").display(),
                apply(&executed.patch)
            )),
            ExecError::Unlike(executed) => Some(format!(
                "read the lines that begin with `audit`; leave `--strict-audit` out, or apply the change with `{}`",
                apply(&executed.patch)
            )),
            ExecError::Uncommitted { patch: None, .. } => Some(
                "commit or stash them, or let the change land in your files with `--land tree`".to_owned(),
            ),
            ExecError::Uncommitted { patch: Some(patch), .. } => Some(format!(
                "take the change into your files with `{}`, or commit or stash yours and run it again",
                apply(patch)
            )),
            ExecError::Leaked(_) => Some(
                "take that key out of use if others may have read it; run it again, or use another executor".to_owned(),
            ),
            ExecError::Altered { .. } => Some(
                "use checks that write no source files, such as `cargo fmt --check`; or have the plan change what they write".to_owned(),
            ),
            ExecError::Protected { executed, .. } => Some(format!(
            "say in the spec or the plan to leave them alone; or apply the change yourself with `{}`",
            apply(&executed.patch)
        )),
            ExecError::PlansProtected(_) => Some(
                "take them out of the plan, or out of protected.toml; then go on with `twostep exec`".to_owned(),
            ),
        ExecError::Unasked { .. } => Some(
                "read the patch; if that is meant, go on with `twostep runs resume -- --accept-sensitive`".to_owned(),
            ),
            ExecError::Refused(_) => Some(
                "these files are never written; say in the spec or the plan to leave them alone".to_owned(),
            ),
            ExecError::Land { source, .. } if !is_conflict(source) => {
                match of_file(source).and_then(FsError::hint) {
                    Some(_) => None,
                    None => Some("mend that, and go on with `twostep runs resume`".to_owned()),
                }
            }
            ExecError::Land { executed, .. } => Some(format!(
                "take the patch with `{} --3way`, or run `twostep exec` again with your files as they are now",
                apply(&executed.patch)
            )),
            ExecError::NotFound { .. } => {
                Some("install the command, or correct `--check`".to_owned())
            }
            ExecError::Busy { id, .. } => Some(format!(
                "wait until it has ended, and go on with `twostep runs resume {id}`"
            )),
            ExecError::Stranded { id, .. } => {
                Some(format!("put your files back with `twostep undo {id}`"))
            }
            _ => None,
        }
}
