//! The user's checks, within a run.

use std::path::Path;
use std::time::Duration;

use super::exec::ExecError;
use super::host::{Event, Host};
use super::redact::Redactor;
use crate::agent::check_environment;
use crate::check::{self, Checked, Runnable};
use crate::fs::{self, FsError};
use crate::process::Limits;
use crate::run::{self, Event as Happened, Run};

/// A check may take this long, and be silent as long.
const CHECK_LIMIT: Duration = Duration::from_hours(1);

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

/// Returns what a check said last when the run was done first.
fn again(command: &str, is_baseline: bool, recorded: &[(String, bool, bool)]) -> Checked {
    let is_it = |said: &&(String, bool, bool)| said.0 == command && said.1 == is_baseline;
    let passed = recorded.iter().rfind(is_it).is_some_and(|said| said.2);
    Checked {
        command: command.to_owned(),
        passed,
        is_not_found: false,
        how: if passed { "passed then" } else { "failed then" }.to_owned(),
        elapsed: Duration::ZERO,
        tail: String::new(),
    }
}

/// Runs the checks in `folder`, before the change if it is the baseline; what they say is kept in the run.
pub(super) fn run_checks(
    run: &mut Run,
    folder: &Path,
    checks: &[String],
    is_baseline: bool,
    host: &Host<'_>,
) -> Result<Vec<Checked>, ExecError> {
    let left = host.budget.time_left(run, (host.now)());
    let longest = left.map_or(CHECK_LIMIT, |left| left.min(CHECK_LIMIT));
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
    let recorded = match host.replayed {
        Some(folder) => Some(run::checks(folder)?),
        None => None,
    };
    let records = run.folder.join(CHECKS_FOLDER);
    fs::make_private_folders(&records)?;
    let mut all = Vec::new();
    for (n, command) in checks.iter().enumerate() {
        host.go_on()?;
        (host.tell)(&Event::Checking(command, is_baseline));
        let when = if is_baseline { "before" } else { "after" };
        let record = records.join(format!("{:02}-{when}", n + 1));
        let mut checked = match &recorded {
            Some(recorded) => again(command, is_baseline, recorded),
            None => check::run(command, &record, &setting)?,
        };
        host.budget.check_time(run, (host.now)())?;
        // Secrets in it are no reason to stop.
        checked.tail = host.redactor.redacted(&checked.tail);
        if is_baseline && checked.is_not_found {
            return Err(ExecError::NotFound {
                command: command.clone(),
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
            command: command.clone(),
            is_baseline,
            passed: checked.passed,
        })?;
        all.push(checked);
    }
    Ok(all)
}
