//! Landing: the only thing that writes a change to the user's tree, or onto a branch.

use super::bench::{Bench, or_full};
use super::examine::bytes_of;
use super::exec::{ExecError, Executed};
use super::host::{Event, Host};
use crate::fs::{self, Root};
use crate::git;
use crate::path::RepoPath;
use crate::run::{self, Event as Happened, LockError, Run};
use crate::scratch::{self, LandError, State};

/// Where a good change goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Land {
    /// Into the files of the user's tree.
    Tree,
    /// Onto a new branch, as a commit on top of what is checked out.
    Branch,
    /// Nowhere: it stays in the run's folder, as a patch.
    None,
}

/// Where a good change is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landed {
    /// In the files of the user's tree.
    Tree,
    /// On this branch.
    Branch(String),
    /// In the run's folder only.
    Kept,
}

/// The file that says what was exchanged with what.
pub const LANDING_FILE: &str = "landing.json";

/// The folder of a run that holds what is exchanged.
pub const HELD_FOLDER: &str = "landing";

/// Exchanges the user's files for those of a change.
pub(super) fn land(
    root: &Root,
    run: &Run,
    executed: &Executed,
    host: &Host<'_>,
) -> Result<Landed, ExecError> {
    let held = &run.folder.join(HELD_FOLDER);
    let (id, since) = (run.id.clone(), run.started_ms);
    let failed = |source: LandError| ExecError::Land {
        executed: Box::new(executed.clone()),
        others: others(root, &id, since, &source),
        source,
    };
    let prepared = scratch::prepare(root, &executed.changes, held);
    let landing = prepared.map_err(|source| {
        // Who has changed files has said so once it lets go.
        let _turn = turn(run, host).ok();
        failed(source)
    })?;
    run.keep(LANDING_FILE, &run::json(&landing))?;
    let _turn = turn(run, host)?;
    run.record(Happened::LandingStarted)?;
    match scratch::land(root, &landing, held) {
        Ok(()) => {
            if let Err(error) = run.record(Happened::Landed) {
                let told = format!("the change has landed, and that cannot be recorded: {error}");
                (host.tell)(&Event::Warning(told));
            }
            Ok(Landed::Tree)
        }
        Err(source @ LandError::Stranded { .. }) => {
            run.record(Happened::LandingStranded)?;
            Err(ExecError::Stranded {
                id: run.id.clone(),
                patch: executed.patch.clone(),
                source,
            })
        }
        Err(source) => {
            run.record(Happened::LandingFailed)?;
            Err(failed(source))
        }
    }
}

/// Takes the right to write to the user's tree, for as long as it is held.
pub(super) fn turn(run: &Run, host: &Host<'_>) -> Result<fs::Lock, ExecError> {
    run::lock(run.root(), &run.id, host.interrupted).map_err(|error| match error {
        LockError::Fs(error) => error.into(),
        source @ LockError::Busy(_) => match host.go_on() {
            Ok(()) => ExecError::Busy {
                id: run.id.clone(),
                source,
            },
            Err(interrupted) => interrupted.into(),
        },
    })
}

/// Returns the runs that changed meanwhile what a landing met.
fn others(root: &Root, id: &str, since_ms: u64, error: &LandError) -> Vec<String> {
    let LandError::Conflicts(problems) = error else {
        return Vec::new();
    };
    let paths: Vec<RepoPath> = problems
        .iter()
        .map(|problem| problem.path.clone())
        .collect();
    run::changed_by(root.path(), id, since_ms, &paths).unwrap_or_default()
}

/// Commits a change on a new branch that is called after the run.
pub(super) fn branch(
    bench: &Bench,
    run: &Run,
    executed: &Executed,
    title: &str,
) -> Result<Landed, ExecError> {
    let changed = executed.changes.changes.iter().map(|change| &change.path);
    let paths = changed.filter(|path| bench.uncommitted.contains(path));
    let paths: Vec<RepoPath> = paths.cloned().collect();
    if !paths.is_empty() {
        let patch = Some(executed.patch.clone());
        return Err(ExecError::Uncommitted { paths, patch });
    }
    let root = Root::open(&bench.scratch.folder)?;
    let mut changed = Vec::new();
    for change in &executed.changes.changes {
        let kind = change.after.as_ref().map(|state| match state {
            State::Link { .. } => git::EntryKind::Link,
            State::File {
                executable: true, ..
            } => git::EntryKind::Executable,
            State::File { .. } => git::EntryKind::File,
        });
        let path = change.path.clone();
        let now = kind.map(|kind| bytes_of(&root, &path).map(|bytes| (kind, bytes)));
        let now = now.transpose()?;
        changed.push(git::Changed { path, now });
    }
    let name = format!("twostep/{}", run.id);
    let message = format!("{title}\n\nRun: {}\n", run.id);
    // The same commit, if the run is taken up again.
    let seconds = i64::try_from(run.started_ms / 1000).unwrap_or(0);
    let commit = git::commit_on_branch(run.root(), &name, &message, &changed, seconds);
    let commit = or_full(commit, run.root())?;
    run.record(Happened::Branched {
        name: name.clone(),
        commit,
    })?;
    Ok(Landed::Branch(name))
}
