//! What a program is told, with `--json`, of a run that carries out a plan: one object at its end.

use std::path::Path;

use serde::Serialize;

use super::exit::{Exit, class_of, hint_in};
use crate::agent::Usage;
use crate::check::Checked;
use crate::flow::audit::Audit;
use crate::flow::exec::{ExecError, Executed};
use crate::flow::land::Landed;
use crate::flow::plan_exec::{Done, RunError};
use crate::path::RepoPath;
use crate::plan::Reference;
use crate::run::{Group, Sensitive, Summary};
use crate::scratch::{Change, ChangeKind};

/// What a program is told of a run.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    version: u32,
    run: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<u8>,
    /// What the user can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// What lands only if somebody agrees to it, where that is why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    consent: Vec<Wanted<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<&'a str>,
    files: Vec<ChangedFile<'a>>,
    checks: &'a [Checked],
    baseline: &'a [Checked],
    #[serde(skip_serializing_if = "Option::is_none")]
    audit: Option<&'a Audit>,
    /// What came of the steps, where they were not carried out all at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Group>,
    /// What the plan names that cannot be resolved, where that is why.
    #[serde(skip_serializing_if = "Option::is_none")]
    references: Option<&'a [Reference]>,
    usage: Usage,
    took_ms: u64,
}

/// What a program is told where no run was begun.
#[derive(Serialize)]
pub(super) struct NotBegun {
    pub(super) version: u32,
    /// None, as a program reads it.
    pub(super) run: (),
    pub(super) outcome: &'static str,
    pub(super) error: String,
    pub(super) class: String,
    pub(super) exit: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
}

/// A file that lands only if somebody agrees to it.
#[derive(Serialize)]
struct Wanted<'a> {
    path: &'a RepoPath,
    why: &'a str,
}

/// What a program is told of a change.
#[derive(Serialize)]
pub(super) struct ChangeReport<'a> {
    landed: bool,
    patch: &'a Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<&'a str>,
    files: Vec<ChangedFile<'a>>,
    checks: &'a [Checked],
    baseline: &'a [Checked],
    audit: &'a Audit,
}

impl<'a> ChangeReport<'a> {
    pub(super) fn of(executed: &'a Executed) -> Self {
        Self {
            landed: executed.landed != Landed::Kept,
            patch: &executed.patch,
            branch: match &executed.landed {
                Landed::Branch(name) => Some(name),
                Landed::Tree | Landed::Kept => None,
            },
            files: files(executed),
            checks: &executed.checks,
            baseline: &executed.baseline,
            audit: &executed.audit,
        }
    }
}

fn files<'a>(executed: &'a Executed) -> Vec<ChangedFile<'a>> {
    let changes = executed.changes.changes.iter();
    let file = |change: &'a Change| ChangedFile {
        path: &change.path,
        change: ChangeKind::of(change),
    };
    changes.map(file).collect()
}

#[derive(Serialize)]
struct ChangedFile<'a> {
    path: &'a RepoPath,
    change: ChangeKind,
}

impl<'a> Report<'a> {
    /// Tells of a run that failed, and that `resume` goes on with.
    pub(super) fn failed(
        summary: &'a Summary,
        error: &'a anyhow::Error,
        exit: Exit,
        resume: &str,
    ) -> Self {
        let mut report = Self::new(summary, &Done::NotAsked);
        report.outcome = "failed";
        report.error = Some(format!("{error:#}"));
        report.class = Some(class_of(error));
        report.exit = Some(exit as u8);
        report.hint = hint_in(error, resume);
        if let Some(RunError::Unresolved { open }) = error.downcast_ref() {
            report.references = Some(open);
        }
        let error: Option<&ExecError> = error.downcast_ref();
        if let Some(ExecError::Unasked { found, .. }) = error {
            let found = found
                .iter()
                .map(|Sensitive { path, why, .. }| Wanted { path, why });
            report.consent = found.collect();
        }
        if let Some(executed) = error.and_then(ExecError::executed) {
            report.take(executed);
        }
        report
    }

    /// Adds what came of the steps, where they were not carried out all at once.
    pub(super) fn by(mut self, groups: Vec<Group>) -> Self {
        self.groups = groups;
        self
    }

    fn take(&mut self, executed: &'a Executed) {
        self.patch = Some(&executed.patch);
        self.files = files(executed);
        self.checks = &executed.checks;
        self.baseline = &executed.baseline;
        self.audit = Some(&executed.audit);
    }

    pub(super) fn new(summary: &'a Summary, done: &'a Done) -> Self {
        let mut report = Self {
            version: 1,
            run: &summary.id,
            outcome: "not_asked",
            error: None,
            class: None,
            exit: None,
            hint: None,
            consent: Vec::new(),
            prompt: None,
            patch: None,
            branch: None,
            files: Vec::new(),
            checks: &[],
            baseline: &[],
            audit: None,
            groups: Vec::new(),
            references: None,
            usage: summary.usage,
            took_ms: summary.took_ms,
        };
        match done {
            Done::NotAsked | Done::Reviewed(_) => {}
            Done::Planned(_) => report.outcome = "planned",
            Done::Waiting(_, prompt) => {
                report.outcome = "waiting";
                report.prompt = Some(prompt);
            }
            Done::Executed(executed) => {
                report.outcome = match &executed.landed {
                    Landed::Kept => "kept",
                    Landed::Tree => "landed",
                    Landed::Branch(name) => {
                        report.branch = Some(name);
                        "landed"
                    }
                };
                report.take(executed);
            }
        }
        report
    }
}
