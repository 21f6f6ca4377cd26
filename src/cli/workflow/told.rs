//! What is told of a workflow: what it would do, and what it came to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use crate::agent::{Role, Usage};
use crate::cli::agents::Lent;
use crate::cli::exec::{MAX_PATCH_BYTES, tell_waiting};
use crate::cli::exit::{
    Exit, InStep, RunStopped, class_of, hint, is_interrupted, resume, unwrapped,
};
use crate::cli::number::{dollars, grouped};
use crate::cli::outcome::ChangeReport;
use crate::cli::printer::Printer;
use crate::cli::story;
use crate::flow::ask::AskError;
use crate::flow::exec::Executed;
use crate::flow::land::Landed;
use crate::flow::plan_exec::{Done, RunError};
use crate::flow::workflow::{
    Estimate, FILES_FOLDER, Scope, Seen, StepError, StepFailed, Worked, Workshop, estimates,
    waiting,
};
use crate::fs;
use crate::repo::Repository;
use crate::run::{self, Outcome, Run, Summary};
use crate::workflow::{Does, Step, Times, Workflow};

/// What is told of a workflow.
#[derive(Serialize)]
struct Report<'a> {
    /// The version of the format: 1.
    version: u32,
    run: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a str>,
    /// What it changed, if it changed files.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<ChangeReport<'a>>,
    /// What steps that check said of the files as they are in the end.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    seen: &'a [Seen],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    exit: u8,
    /// The file with what is asked, where somebody is yet to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<&'a Path>,
    /// The folder with the files of its steps.
    files: &'a Path,
    usage: Usage,
    took_ms: u64,
}

/// How it is told what a workflow came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Not at all: it is done again, to see whether it comes out the same.
    Nothing,
    /// What it gives out.
    Text,
    /// The patch of its change; people are told what it gives out.
    Patch,
    /// An object.
    Json,
}

/// Records what a workflow came to, and gives it out.
pub(super) fn give(
    form: Form,
    ended: Ended,
    run: &Run,
    repository: &Repository,
    lent: &Lent,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let signal = match &ended {
        Ended::Failed(error) => lent.signal().filter(|_| is_interrupted(error)),
        Ended::Done(_) | Ended::Waiting(..) => None,
    };
    let (exit, advice) = match (&ended, signal) {
        (Ended::Failed(_), Some(signal)) => (Exit::of_signal(signal), None),
        (Ended::Failed(error), None) => (Exit::of(error), hint(error)),
        (Ended::Done(worked), _) if worked.refused.is_some() => (Exit::Negative, None),
        (Ended::Done(_) | Ended::Waiting(..), _) => (Exit::Success, None),
    };
    let recorded = run.end(ended.outcome(), exit as u8, advice.as_deref());
    let files = run.folder.join(FILES_FOLDER);
    let told = if form == Form::Json {
        let summary = run::summary(repository.root.path(), &run.id)?;
        printer.json(&Report::of(&ended, &summary, &files, exit))
    } else {
        Ok(())
    };
    match ended {
        Ended::Done(worked) => {
            recorded.context("it came to its end, and that cannot be recorded")?;
            // What landed is told whatever becomes of stdout.
            let given = match form {
                Form::Text => printer.data(format!("{}\n", worked.result.trim_end()).as_bytes()),
                Form::Patch => {
                    printer.note(worked.result.trim_end());
                    Ok(())
                }
                Form::Json | Form::Nothing => Ok(()),
            };
            if let Some(accept) = &worked.refused {
                let change = worked.executed.as_ref();
                let change = change.map(|executed| executed.patch.display());
                let change = change.map(|patch| format!("; the change is in `{patch}`"));
                printer.note(&format!(
                    "{}{}",
                    not_good(accept, worked.executed.as_ref()),
                    change.unwrap_or_default()
                ));
            } else if let Some(executed) = &worked.executed {
                let summary = run::summary(repository.root.path(), &run.id)?;
                story::tell_end(printer, &summary, executed, &worked.seen);
                if form == Form::Patch {
                    printer.data(&fs::read_regular(&executed.patch, MAX_PATCH_BYTES)?)?;
                }
            }
            if fs::has_entry(&run.folder, FILES_FOLDER) {
                let files = files.display();
                printer.note(&format!("the files of its steps are in `{files}`"));
            }
            given?;
            told?;
        }
        Ended::Waiting(role, prompt) => {
            tell_waiting(role, &prompt, &resume(run, None), printer);
        }
        Ended::Failed(_) if signal.is_some() => {
            printer.note(&format!("interrupted; `{}` goes on", resume(run, None)));
        }
        Ended::Failed(error) => return Err(error.context(RunStopped::of(run, None))),
    }
    Ok(exit)
}

/// Says that what came of a workflow is not what it was to be.
fn not_good(accept: &str, executed: Option<&Executed>) -> String {
    let what = if executed.is_some() {
        "not landed"
    } else {
        "not accepted"
    };
    format!("{what}: `accept` of the workflow is not true: {accept}")
}

/// How a workflow ended.
pub(super) enum Ended {
    /// It gives this out, and made that change.
    Done(Box<Worked>),
    /// The caller plays a role, and is asked by the prompt in this file.
    Waiting(Role, PathBuf),
    /// A step failed.
    Failed(anyhow::Error),
}

impl Ended {
    pub(super) fn of(done: Result<Worked, StepFailed>) -> Self {
        match done {
            Ok(worked) => Self::Done(Box::new(worked)),
            Err(failed) => match waiting(&failed) {
                Some((role, prompt)) => Self::Waiting(role, prompt),
                None => Self::Failed(plain(failed)),
            },
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Done(worked) => match (&worked.executed, &worked.refused) {
                (executed, Some(accept)) => Outcome::Stopped(not_good(accept, executed.as_ref())),
                (Some(executed), None) if executed.landed == Landed::Kept => Outcome::Kept,
                (Some(_), None) => Outcome::Landed,
                (None, None) => Outcome::Answered,
            },
            Self::Waiting(role, prompt) => Done::Waiting(*role, prompt.clone()).outcome(),
            Self::Failed(error) => Outcome::Stopped(format!("{error:#}")),
        }
    }
}

impl<'a> Report<'a> {
    fn of(ended: &'a Ended, summary: &'a Summary, files: &'a Path, exit: Exit) -> Self {
        let (outcome, worked, prompt, error) = match ended {
            Ended::Done(worked) if worked.refused.is_some() => {
                ("not_accepted", Some(worked), None, None)
            }
            Ended::Done(worked) => ("done", Some(worked), None, None),
            Ended::Waiting(_, prompt) => ("waiting", None, Some(prompt.as_path()), None),
            Ended::Failed(error) => ("failed", None, None, Some(error)),
        };
        let executed = worked.and_then(|worked| worked.executed.as_ref());
        Self {
            version: 1,
            run: &summary.id,
            outcome,
            result: worked.map(|worked| worked.result.as_str()),
            change: executed.map(ChangeReport::of),
            seen: worked.map_or(&[], |worked| &worked.seen),
            error: error.map(|error| format!("{error:#}")),
            class: error.map(class_of),
            exit: exit as u8,
            prompt,
            files,
            usage: summary.usage,
            took_ms: summary.took_ms,
        }
    }
}

/// Returns an error of a step as the one below that it passes on, so that what is known of that is found.
pub(super) fn plain(failed: StepFailed) -> anyhow::Error {
    let step = failed.to_string();
    let error = match *failed.error {
        StepError::Ask(AskError::Call(error)) | StepError::Planning(error) => {
            unwrapped(RunError::Planning(error))
        }
        StepError::Ask(AskError::Fs(error)) | StepError::Fs(error) => error.into(),
        StepError::Ask(error) => error.into(),
        StepError::Pack(error) => error.into(),
        StepError::Interrupted(error) => error.into(),
        StepError::Run(error) => unwrapped(error),
        StepError::Exec(error) => unwrapped(RunError::Exec(error)),
        other => other.into(),
    };
    error.context(InStep(step))
}

/// Tells what a workflow would do, who would be asked for how much, and what that may cost.
pub(super) fn tell(workflow: &Workflow, scope: &Scope, shop: &Workshop<'_>, printer: &Printer) {
    printer.note(&workflow.title);
    for (role, player) in shop.players {
        let names: Vec<String> = player.chain().map(|player| player.agent.name()).collect();
        printer.note(&format!("role      {role}: {}", names.join(", then ")));
    }
    let estimates = estimates(&workflow.steps, scope, shop);
    tell_steps(&workflow.steps, &estimates, 0, printer);
    let mut tokens = (0, 0);
    let mut paid = (0.0, 0.0);
    for one in estimates.values() {
        tokens.0 += one.least.saturating_mul(one.n_least);
        tokens.1 += one.most.saturating_mul(one.n_most);
        if let (Some((least, _)), Some((_, most))) = (
            story::costs_of(one.role, one.player, one.least),
            story::costs_of(one.role, one.player, one.most),
        ) {
            paid.0 += least * as_factor(one.n_least);
            paid.1 += most * as_factor(one.n_most);
        }
    }
    printer.note(&format!(
        "cost      {} to {} tokens; {} to {} if all of it is paid by the token, with one of each list that is not known yet",
        grouped(tokens.0),
        grouped(tokens.1),
        dollars(Some(paid.0)),
        dollars(Some(paid.1)),
    ));
    printer.note("stopped before any agent was asked");
}

#[expect(clippy::cast_precision_loss, reason = "nothing is done so often")]
fn as_factor(n: u64) -> f64 {
    n as f64
}

fn tell_steps(
    steps: &[Step],
    estimates: &BTreeMap<String, Estimate<'_>>,
    depth: usize,
    printer: &Printer,
) {
    for step in steps {
        let times = match &step.times {
            Times::Once => String::new(),
            Times::Each { of, at_once: 1, .. } => format!(", for each of {of}"),
            Times::Each { of, at_once, .. } => format!(", for each of {of}, {at_once} at once"),
            Times::Until { is, most } => format!(", until {is}, {most} times at most"),
        };
        let when = step
            .when
            .as_ref()
            .map_or(String::new(), |when| format!(", if {when}"));
        let what = match &step.does {
            Does::Ask { role, .. } => format!("ask {role}"),
            Does::Pack { budget, .. } => format!("pack {budget} tokens"),
            Does::Steps { at_once: 2.., .. } => "at once".to_owned(),
            Does::Steps { .. } => "in turn".to_owned(),
            Does::Gate { choices, .. } => format!("ask you: {}", choices.join(", ")),
            Does::Execute { role, reviewer, .. } => match reviewer {
                Some(reviewer) => format!("{role} carries out, {reviewer} reviews"),
                None => format!("{role} carries out"),
            },
            Does::Review { role, .. } => format!("{role} reviews"),
            Does::Integrate { .. } => "make the edits".to_owned(),
            Does::Check { commands } if commands.is_empty() => "run the checks".to_owned(),
            Does::Check { commands } => format!("run {}", commands.join("; ")),
            Does::Text { .. } => "write".to_owned(),
            Does::Resolve { .. } => "resolve".to_owned(),
        };
        let file = step
            .file
            .as_ref()
            .map_or(String::new(), |file| format!(" -> {file}"));
        let indent = "  ".repeat(depth);
        printer.note(&format!(
            "step      {indent}{}: {what}{times}{when}{file}{}",
            step.name,
            estimates.get(&step.name).map_or(String::new(), tokens),
        ));
        if let Does::Steps { steps, .. } = &step.does {
            tell_steps(steps, estimates, depth + 1, printer);
        }
    }
}

/// Says how many tokens a prompt has.
fn tokens(one: &Estimate<'_>) -> String {
    if one.least == one.most {
        return format!("; {} tokens", grouped(one.least));
    }
    format!("; {} to {} tokens", grouped(one.least), grouped(one.most))
}
