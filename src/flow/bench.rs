//! Where a change is made and judged: a scratch in which the checks have been run once, and what they did there.

use std::num::NonZeroUsize;
use std::path::Path;

use super::checks::{CHECKS_FOLDER, When, run_checks};
use super::exec::ExecError;
use super::host::{Event, Host};
use super::land::Land;
use super::replay::SNAPSHOT_FILE;
use crate::check::Checked;
use crate::fs;
use crate::history::{self, HistoryError};
use crate::path::RepoPath;
use crate::repo::{Candidate, Repository};
use crate::run::{self, Run};
use crate::scratch::{self, Change, Rest, Scratch};

/// What a scratch is made of.
pub struct Ground<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// All files of it.
    pub candidates: &'a [Candidate],
    /// Ignored folders that the checks need.
    pub carried: &'a [RepoPath],
    /// How many threads copy.
    pub threads: NonZeroUsize,
    /// The user's checks.
    pub checks: &'a [String],
    /// Where a good change goes.
    pub land: Land,
}

/// A scratch in which the checks have been run once.
pub struct Bench {
    pub(super) scratch: Scratch,
    /// Where in the run's folder that is kept which comes of it: none, or the name of a folder with a `/`.
    pub(super) place: String,
    pub(super) threads: NonZeroUsize,
    /// What the checks made: not part of a change.
    pub(super) noise: Vec<RepoPath>,
    /// What they did to the files.
    pub(super) stirred: Vec<Change>,
    /// What was beside the files then.
    pub(super) rest: Rest,
    /// How the checks went before any change.
    pub baseline: Vec<Checked>,
    /// Files with changes of the user's that are not committed, where that keeps a change from a branch.
    pub(super) uncommitted: Vec<RepoPath>,
}

/// Makes the scratch, and runs the checks in it as it is.
///
/// # Errors
///
/// Fails if it cannot be made or a check cannot be run; a check that fails is no error.
pub fn make(ground: &Ground<'_>, run: &Run, host: &Host<'_>) -> Result<Bench, ExecError> {
    let &Ground {
        repository,
        candidates,
        carried,
        threads,
        checks,
        land,
    } = ground;
    host.go_on()?;
    let uncommitted = uncommitted(repository, candidates, land, threads)?;
    let name = repository
        .root
        .path()
        .file_name()
        .unwrap_or("repository".as_ref());
    let folder = host.cache.join(&run.id).join("scratch").join(name);
    fs::make_private_folders(folder.parent().unwrap_or(&host.cache))?;
    let made = scratch::create(&scratch::Plan {
        repository,
        source: &repository.root,
        candidates,
        carried,
        folder: &folder,
        seconds: i64::try_from((host.now)() / 1000).unwrap_or(0),
        threads,
    });
    let scratch = or_full(made, &host.cache)?;
    for problem in &scratch.snapshot.problems {
        (host.tell)(&Event::Warning(format!("not in the scratch: {problem}")));
    }
    run.keep(SNAPSHOT_FILE, &run::json(&scratch.snapshot))?;
    (host.tell)(&Event::Scratch(scratch.snapshot.files.len()));
    let place = (scratch.folder.as_path(), CHECKS_FOLDER);
    let baseline = run_checks(run, place, checks, When::Before, host)?;
    let (mut noise, mut stirred, mut rest) = (Vec::new(), Vec::new(), Rest::default());
    if !checks.is_empty() {
        let restored = or_full(scratch.restore(repository, threads), &host.cache)?;
        (noise, stirred) = (restored.made, restored.changes);
        rest = scratch.rest(threads)?;
    }
    Ok(Bench {
        scratch,
        place: String::new(),
        threads,
        noise,
        stirred,
        rest,
        baseline,
        uncommitted,
    })
}

/// Makes another scratch that begins as that of `bench`, which is put back to its beginning for it.
///
/// `place` is what the run calls it, with a `/` at its end.
pub(super) fn fork(
    bench: &Bench,
    repository: &Repository,
    place: String,
    run: &Run,
    host: &Host<'_>,
) -> Result<Bench, ExecError> {
    host.go_on()?;
    let scratch = &bench.scratch;
    or_full(scratch.restore(repository, bench.threads), &host.cache)?;
    let settled = scratch.settle(repository, &bench.rest, &[], bench.threads);
    or_full(settled, &host.cache)?;
    let name = scratch.folder.file_name().unwrap_or_default();
    let folder = host.cache.join(&run.id).join(&place).join(name);
    fs::make_private_folders(folder.parent().unwrap_or(&host.cache))?;
    let made = scratch.fork(repository, &folder, bench.threads);
    let scratch = or_full(made, &host.cache)?;
    let rest = scratch.rest(bench.threads)?;
    Ok(Bench {
        scratch,
        place,
        threads: bench.threads,
        noise: bench.noise.clone(),
        stirred: bench.stirred.clone(),
        rest,
        baseline: bench.baseline.clone(),
        uncommitted: bench.uncommitted.clone(),
    })
}

/// Returns the files with changes that are not committed, if the change is to be a commit.
pub(super) fn uncommitted(
    repository: &Repository,
    candidates: &[Candidate],
    land: Land,
    threads: NonZeroUsize,
) -> Result<Vec<RepoPath>, HistoryError> {
    if land != Land::Branch {
        return Ok(Vec::new());
    }
    let changed = history::changed(repository, None, candidates, threads)?;
    Ok([changed.paths, changed.deleted].concat())
}

/// Passes on what was done; what failed where the disk of `folder` is full failed for that, whatever it says.
pub(super) fn or_full<T, E: Into<ExecError>>(
    done: Result<T, E>,
    folder: &Path,
) -> Result<T, ExecError> {
    done.map_err(|error| match fs::require_room(folder) {
        Ok(()) => error.into(),
        Err(full) => full.into(),
    })
}
