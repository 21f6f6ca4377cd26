//! The user's checks, within a run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::exec::ExecError;
use super::host::{Event, Host};
use super::redact::Redactor;
use crate::agent::check_environment;
use crate::check::{self, Checked, Runnable};
use crate::fs::{self, FsError};
use crate::process::Limits;
use crate::run::{self, CheckEnd, Event as Happened, Run};

/// A check may take this long unless something else is said.
pub const CHECK_LIMIT: Duration = Duration::from_mins(30);

/// The folder of a run that holds what checks wrote.
pub const CHECKS_FOLDER: &str = "checks";

/// Returns checks as an executor runs them; one that holds a secret is a script.
pub fn runnable(checks: &[String], redactor: &Redactor) -> Vec<Runnable> {
    let runnable = |(n, check): (usize, &String)| {
        if redactor.find("", check).is_empty() {
            Runnable::new(n + 1, check)
        } else {
            Runnable::scripted(n + 1, check)
        }
    };
    checks.iter().enumerate().map(runnable).collect()
}

/// Writes the checks that are scripts beside the scratch in `folder`; returns what the executor types for each check.
pub(super) fn place_scripts(
    checks: &[String],
    folder: &Path,
    redactor: &Redactor,
) -> Result<Vec<String>, FsError> {
    let checks = runnable(checks, redactor);
    for (name, holds) in checks.iter().filter_map(|check| check.script.as_ref()) {
        let text = format!("{holds}\n");
        fs::write_durable(&folder.with_file_name(name), text.as_bytes())?;
    }
    Ok(checks.into_iter().map(|check| check.command).collect())
}

/// When checks are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Before any change.
    Before,
    /// After the executor has worked, who was asked so often before.
    After(usize),
}

impl When {
    /// Returns the name, without its ending, of the files with what the `n`th check writes then.
    fn record(self, n: usize) -> String {
        match self {
            Self::Before => format!("{n:02}-before"),
            Self::After(0) => format!("{n:02}-after"),
            Self::After(round) => format!("{n:02}-after-{}", round + 1),
        }
    }
}

/// Returns where in `folder` is what the `n`th check wrote after the last change, without its ending.
pub fn last_record(folder: &Path, n: usize) -> PathBuf {
    let records = (0..).map(|round| folder.join(When::After(round).record(n)));
    let is_there = |record: &PathBuf| fs::has_entry(folder, record.with_extension("out"));
    let last = records.take_while(is_there).last();
    last.unwrap_or_else(|| folder.join(When::After(0).record(n)))
}

/// Returns what a check said when the run in `first` was done, by the name of its `record` there.
fn again(command: &str, record: &str, when: When, first: &Path) -> Result<Checked, FsError> {
    let (is_baseline, round) = match when {
        When::Before => (true, 0),
        When::After(round) => (false, round),
    };
    let recorded = run::checks(first)?;
    let is_it = |said: &&CheckEnd| said.record.as_deref() == Some(record);
    let said = recorded.iter().find(is_it).or_else(|| {
        // Older runs did not say; they had one place for all.
        let is_it = |said: &&CheckEnd| {
            said.record.is_none() && said.command == command && said.is_baseline == is_baseline
        };
        recorded.iter().filter(is_it).nth(round)
    });
    Ok(Checked {
        command: command.to_owned(),
        passed: said.is_some_and(|said| said.passed),
        is_not_found: false,
        how: said.map_or_else(|| "not run then".to_owned(), |said| said.how.clone()),
        elapsed: Duration::ZERO,
        tail: String::new(),
        output: if fs::has_entry(first, format!("{record}.out")) {
            check::output_of(&first.join(record))?
        } else {
            String::new()
        },
    })
}

/// Runs the checks in `folder`, at the time `when`; what they say is kept in the folder `records` of the run.
pub(super) fn run_checks(
    run: &Run,
    (folder, records): (&Path, &str),
    checks: &[String],
    when: When,
    host: &Host<'_>,
) -> Result<Vec<Checked>, ExecError> {
    let is_baseline = when == When::Before;
    let left = host.budget.time_left(run, (host.now)());
    let longest = left.map_or(host.check_limit, |left| left.min(host.check_limit));
    let limits = Limits {
        idle: longest,
        wall: longest,
        ..host.limits
    };
    let setting = check::Setting {
        shim: &host.shim,
        shell: "/bin/sh".into(),
        variables: check_environment(&host.variables),
        secrets: &host.secrets,
        folder,
        limits: &limits,
        interrupted: host.interrupted,
    };
    let place = records;
    let records = run.folder.join(place);
    fs::make_private_folders(&records)?;
    let mut all = Vec::new();
    for (n, command) in checks.iter().enumerate() {
        host.go_on()?;
        let shown = &host.redactor.redacted(command);
        (host.tell)(&Event::Checking(shown, is_baseline));
        let name = format!("{place}/{}", when.record(n + 1));
        let record = run.folder.join(&name);
        let mut checked = match host.replayed {
            Some(first) => again(shown, &name, when, first)?,
            None => check::run(command, &record, &setting)?,
        };
        host.budget.check_time(run, (host.now)())?;
        checked.command.clone_from(shown);
        // Secrets in it are no reason to stop.
        checked.tail = host.redactor.redacted(&checked.tail);
        checked.output = host.redactor.redacted(&checked.output);
        if is_baseline && checked.is_not_found {
            return Err(ExecError::NotFound {
                command: shown.clone(),
                said: checked.tail.trim().to_owned(),
            });
        }
        if !checked.passed {
            // What cannot write fails, too.
            fs::require_room(&records)?;
            fs::require_room(folder)?;
        }
        (host.tell)(&Event::Checked(&checked, is_baseline));
        run.record(Happened::Checked {
            command: shown.clone(),
            is_baseline,
            passed: checked.passed,
            how: checked.how.clone(),
            record: Some(name),
        })?;
        all.push(checked);
    }
    Ok(all)
}
