//! What came of an executor's work: the change in the scratch, and whether it may go on to the checks.

use std::path::PathBuf;

use super::audit::{Audit, audit};
use super::bench::Bench;
use super::call::Answered;
use super::consent;
use super::exec::{ExecError, Executed, Extent, Rules};
use super::host::{Event, Host};
use super::land::Landed;
use super::restore::put_back;
use crate::agent::REPLY_FILE;
use crate::fs::{Entry, EntryKind, FsError, Root};
use crate::path::RepoPath;
use crate::process;
use crate::repo::Repository;
use crate::run::{CallPlace, ChangedFile, Event as Happened, Run, Sensitive};
use crate::scratch::{Change, ChangeKind, ChangeSet, Links, Scratch};

/// Puts secrets back into what the executor changed, keeps the change, and holds it against the plan, if all of that is
/// carried out, and against the executor's `report`.
///
/// # Errors
///
/// Fails if nothing was changed, or what was may not land.
pub(super) fn examine(
    (repository, bench): (&Repository, &Bench),
    answered: Option<&Answered<'_>>,
    report: &str,
    run: &Run,
    rules: &Rules<'_>,
    host: &Host<'_>,
) -> Result<Executed, ExecError> {
    let scratch = &bench.scratch;
    let look = || scratch.changes(repository, &bench.noise, bench.threads);
    let strange = put_back(scratch, &look()?, &host.redactor)?;
    let changes = look()?;
    let is_last = rules.extent != Extent::Group;
    if let Some(answered) = answered
        && is_last
        && changes.changes.is_empty()
        && changes.refused.is_empty()
    {
        return Err(ExecError::Nothing {
            agent: answered.player.agent.name(),
            reply: answered.place.folder.join(REPLY_FILE),
        });
    }
    if !changes.left_out.is_empty() {
        let paths = changes.left_out.iter().map(|path| format!("`{path}`"));
        let paths = paths.collect::<Vec<_>>().join(", ");
        let told = format!("left out of the change, for the checks make such files: {paths}");
        (host.tell)(&Event::Warning(told));
    }
    let leaked = leaked(scratch, &changes, &host.secrets)?;
    if !leaked.is_empty() {
        return Err(ExecError::Leaked(leaked));
    }
    let place = answered.map(|answered| &answered.place);
    let patch = keep(&changes, bench, place, run)?;
    let mut executed = Box::new(Executed {
        changes,
        patch,
        baseline: bench.baseline.clone(),
        checks: Vec::new(),
        audit: Audit::default(),
        landed: Landed::Kept,
    });
    let changes = &executed.changes;
    if !changes.refused.is_empty() {
        return Err(ExecError::Refused(executed));
    }
    if !strange.is_empty() {
        return Err(ExecError::Redacted { strange, executed });
    }
    let all = changes.changes.iter().map(|change| &change.path);
    let links = Links::of(&scratch.snapshot.files);
    let is_protected = |path: &&RepoPath| {
        rules
            .protected
            .is_some_and(|globs| links.names(path).iter().any(|name| globs.take(name)))
    };
    let paths: Vec<RepoPath> = all.filter(is_protected).cloned().collect();
    if !paths.is_empty() {
        return Err(ExecError::Protected { paths, executed });
    }
    let sensitive = consent::sensitive(changes, (repository, scratch), rules)?;
    tell_sensitive(&sensitive, run, host)?;
    let found = rules.consent.missing(&sensitive)?;
    if !found.is_empty() {
        return Err(ExecError::Unasked { found, executed });
    }
    if is_last {
        let (references, snapshot) = (rules.references, &scratch.snapshot);
        executed.audit = audit(references, report, snapshot, &executed.changes.changes);
        tell_audit(&executed.audit, run, host)?;
    }
    Ok(*executed)
}

/// Keeps a change: beside the answer that made it, if one did, and as that of the run; returns the file.
fn keep(
    changes: &ChangeSet,
    bench: &Bench,
    place: Option<&CallPlace>,
    run: &Run,
) -> Result<PathBuf, ExecError> {
    let patch = patch_of(&bench.scratch, changes)?;
    let file = |change: &Change| ChangedFile {
        path: change.path.clone(),
        what: ChangeKind::of(change),
    };
    run.record(Happened::Changed {
        files: changes.changes.iter().map(file).collect(),
    })?;
    if let Some(place) = place {
        run.keep_change(place, &patch)?;
    }
    Ok(run.keep(&format!("{}{PATCH_FILE}", bench.place), &patch)?)
}

/// Records and tells where a change is not what was planned or told.
fn tell_audit(audit: &Audit, run: &Run, host: &Host<'_>) -> Result<(), FsError> {
    if audit.is_clean() {
        return Ok(());
    }
    let Audit {
        untouched,
        unplanned,
        claimed,
    } = audit.clone();
    run.record(Happened::Audited {
        untouched,
        unplanned,
        claimed,
    })?;
    (host.tell)(&Event::Audited(audit));
    Ok(())
}

/// Records and tells what of a change lands only if somebody agreed to it.
fn tell_sensitive(found: &[Sensitive], run: &Run, host: &Host<'_>) -> Result<(), FsError> {
    if found.is_empty() {
        return Ok(());
    }
    run.record(Happened::Sensitive {
        found: found.to_vec(),
    })?;
    (host.tell)(&Event::Sensitive(found));
    Ok(())
}

/// Returns the files of the snapshot and of a change that are others by now; `stirred` is what becomes of files without the change.
pub(super) fn altered(before: &ChangeSet, now: &ChangeSet, stirred: &[Change]) -> Vec<RepoPath> {
    let is_known = |path: &RepoPath| before.changes.iter().any(|change| change.path == *path);
    let of_change = before
        .changes
        .iter()
        .filter(|change| !now.changes.contains(change));
    let beside = now.changes.iter().filter(|change| {
        change.before.is_some() && !is_known(&change.path) && !stirred.contains(change)
    });
    let mut altered: Vec<RepoPath> = of_change
        .chain(beside)
        .map(|change| change.path.clone())
        .collect();
    altered.sort();
    altered
}

/// Returns the files into which a change puts one of `secrets`.
fn leaked(
    scratch: &Scratch,
    changes: &ChangeSet,
    secrets: &[String],
) -> Result<Vec<String>, ExecError> {
    let (originals, root) = (scratch.originals()?, Root::open(&scratch.folder)?);
    let holds = |bytes: &[u8]| process::holds(bytes, secrets);
    let mut leaked = Vec::new();
    for Change {
        path,
        before,
        after,
    } in &changes.changes
    {
        let was_there = || match before {
            Some(_) => originals.read(path).map(|bytes| holds(&bytes)),
            None => Ok(false),
        };
        if holds(path.as_bytes())
            || after.is_some() && holds(&bytes_of(&root, path)?) && !was_there()?
        {
            leaked.push(path);
        }
    }
    let refused = changes.refused.iter().map(|problem| &problem.path);
    leaked.extend(refused.filter(|path| holds(path.as_bytes())));
    let shown = leaked.into_iter();
    let shown = shown.map(|path| format!("`{}`", process::struck(&path.to_string(), secrets)));
    Ok(shown.collect())
}

/// Keeps what an executor had done before it failed, for it was paid for: in the folder of the call, or of the run.
pub(super) fn keep_partly(
    (repository, bench): (&Repository, &Bench),
    place: Option<&CallPlace>,
    run: &Run,
    host: &Host<'_>,
) -> Result<(), ExecError> {
    let scratch = &bench.scratch;
    let changes = match scratch.changes(repository, &bench.noise, bench.threads) {
        Ok(changes) if !changes.changes.is_empty() => changes,
        _ => return Ok(()),
    };
    if !leaked(scratch, &changes, &host.secrets)?.is_empty() {
        return Ok(());
    }
    let patch = patch_of(scratch, &changes)?;
    let kept = match place {
        Some(place) => run.keep_partly(place, &patch)?,
        None => run.keep(&format!("{}{PATCH_FILE}", bench.place), &patch)?,
    };
    let told = format!("what the executor had done is in `{}`", kept.display());
    (host.tell)(&Event::Warning(told));
    Ok(())
}

/// The file with a change as a patch.
pub(super) const PATCH_FILE: &str = "changes.patch";

/// Returns the bytes of a file, or the target of a link.
pub(super) fn bytes_of(root: &Root, path: &RepoPath) -> Result<Vec<u8>, ExecError> {
    if root.kind(path)? == EntryKind::Link {
        return Ok(root.link_target(path)?);
    }
    match root.read(path, MAX_FILE_BYTES)? {
        Entry::Whole(bytes) => Ok(bytes),
        Entry::TooLarge { .. } => Err(ExecError::TooLarge(path.clone())),
    }
}

/// No file of a patch is larger.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// Returns a change as a patch that git takes.
pub(super) fn patch_of(scratch: &Scratch, changes: &ChangeSet) -> Result<Vec<u8>, ExecError> {
    let originals = scratch.originals()?;
    let root = Root::open(&scratch.folder)?;
    let before = |path: &RepoPath| originals.read(path).map_err(ExecError::from);
    let after = |path: &RepoPath| bytes_of(&root, path);
    changes.patch(before, after)
}
