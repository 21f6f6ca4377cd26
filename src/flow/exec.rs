//! From a plan to a tested change: the executor works in a scratch, the checks decide, landing is the only
//! thing that writes to the user's tree.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::audit::{Audit, audit};
use super::budget::BudgetError;
use super::call::{Answered, Asked, call};
use super::checks::{place_scripts, run_checks, runnable};
use super::edits::{self, Wrong};
use super::host::{Event, Host, Interrupted};
use super::pack::PackRequest;
use super::plan::{PlanningError, Prompt, fitted, given, redacted, redacted_packs};
use super::player::Player;
use super::replay::SNAPSHOT_FILE;
use super::restore::{Strange, put_back};
use super::route::{EXECUTOR_CAP, Focus};
use crate::agent::{Class, Gives, May, REPLY_FILE, Role};
use crate::check::{CheckError, Checked, Runnable};
use crate::fs::{self, Entry, EntryKind, FsError, Root};
use crate::git::{self, BranchError};
use crate::patch::{self, PatchError};
use crate::path::RepoPath;
use crate::plan::{Plan, Reference, Status};
use crate::process;
use crate::prompt;
use crate::repo::{Candidate, Named, Repository};
use crate::run::{self, CallPlace, ChangedFile, Event as Happened, LockError, Run};
use crate::scratch::{
    self, Change, ChangeKind, ChangeSet, LandError, Problem, Scratch, ScratchError, State,
};
use crate::tokens::Counter;

/// What the executor's prompt is made of.
pub struct Content<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What it names.
    pub references: &'a [Reference],
    /// Whether the executor gets everything, or that.
    pub focus: Focus,
    /// Packs that take the place of packing, if there are any.
    pub packs: &'a [String],
    /// The user's checks.
    pub checks: &'a [String],
}

/// What decides about a change.
pub struct ExecRequest<'a> {
    /// What the change is called.
    pub title: &'a str,
    /// What the plan names: it was agreed to.
    pub references: &'a [Reference],
    /// The user's checks.
    pub checks: &'a [String],
    /// What becomes of a change that is not what was planned or told.
    pub unlike: Unlike,
    /// What counts prompts.
    pub counter: &'a Counter,
    /// Where a good change goes.
    pub land: Land,
}

/// What becomes of a change that is not what was planned or told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlike {
    /// It lands, and that is told.
    Told,
    /// It does not land.
    Refused,
}

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

/// A scratch in which the checks have been run once.
pub struct Bench {
    scratch: Scratch,
    threads: NonZeroUsize,
    /// What the checks made: not part of a change.
    noise: Vec<RepoPath>,
    /// How the checks went before any change.
    pub baseline: Vec<Checked>,
}

/// What came of an execution.
#[derive(Debug)]
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
    #[error("the change holds what may not land: {}; the rest of it is in `{}`", list(refused), patch.display())]
    Refused {
        /// What may not.
        refused: Vec<Problem>,
        /// The file with the change.
        patch: PathBuf,
    },
    /// The change holds files that make programs run, and the plan does not name them.
    #[error("the change is in `{}`, and nothing landed: it touches files that make programs run (CI, hooks, builds, agents), which the plan does not name: {}", patch.display(), names(paths))]
    Unasked {
        /// Which.
        paths: Vec<RepoPath>,
        /// The file with the change.
        patch: PathBuf,
    },
    /// The change holds placeholders for secrets in lines that are not those of the files.
    #[error("the change is in `{}`, and nothing landed: it holds placeholders for secrets in lines that it wrote anew: {}", patch.display(), lines(strange))]
    Redacted {
        /// The files, each with the numbers of these lines.
        strange: Vec<(RepoPath, Strange)>,
        /// The file with the change.
        patch: PathBuf,
    },
    /// The executor wrote a secret of the user's environment into files.
    #[error("nothing landed, and the change is not kept: a key of yours stands in it, in {}", names(.0))]
    Leaked(Vec<RepoPath>),
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
    /// The checks changed files of the change: what was checked is not what would land.
    #[error("the change is in `{}`, and nothing landed: the checks changed files of it, so that what they checked is not what would land: {}", patch.display(), names(altered))]
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
    #[error("nothing landed{}; the change is in `{}`", because(others), patch.display())]
    Land {
        /// The file with the change.
        patch: PathBuf,
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

fn lines(strange: &[(RepoPath, Strange)]) -> String {
    let each = strange.iter().map(|(path, lines)| {
        let lines: Vec<String> = lines.iter().map(usize::to_string).collect();
        format!("`{path}` {}", lines.join(", "))
            .trim_end()
            .to_owned()
    });
    each.collect::<Vec<_>>().join("; ")
}

/// Makes the executor's prompt: the plan, and everything or what it names.
///
/// # Errors
///
/// Fails if what cannot be cut does not fit.
pub fn prepare(
    repository: &Repository,
    mut request: PackRequest,
    content: &Content<'_>,
    player: &Player,
    host: &Host<'_>,
) -> Result<Prompt, PlanningError> {
    let checks = runnable(content.checks, &host.redactor);
    let held = |check: &Runnable| {
        let holds = check.script.as_ref().map(|(_, holds)| holds);
        holds.map(|holds| host.redactor.redacted(holds))
    };
    let held: Vec<Option<String>> = checks.iter().map(held).collect();
    let commands = checks.iter().map(|check| check.command.as_str());
    let checks: Vec<(&str, Option<&str>)> =
        commands.zip(held.iter().map(Option::as_deref)).collect();
    let plan = redacted("the plan", &content.plan.text, host)?;
    let words = |packs: &[&str]| match player.gives() {
        Gives::Files => prompt::execute(packs, &plan, &checks),
        Gives::Answer => prompt::edits(packs, &plan, &checks),
    };
    if content.focus == Focus::Plan {
        request.named = named(content.references);
    }
    if content.packs.is_empty() && !request.named.is_empty() {
        return fitted(repository, request, player, Role::Executor, &words, host);
    }
    let packs = redacted_packs(content.packs, host)?;
    let packs: Vec<&str> = packs.iter().map(String::as_str).collect();
    given(words(&packs), &request.counter, player, Role::Executor)
}

/// Says whether the executor gets everything, because that is little.
///
/// # Errors
///
/// Fails if there is nothing to pack.
pub fn focus(
    repository: &Repository,
    request: PackRequest,
    player: &Player,
    host: &Host<'_>,
) -> Result<Focus, PlanningError> {
    let words = |packs: &[&str]| packs.concat();
    let prompt = fitted(repository, request, player, Role::Executor, &words, host)?;
    let most = EXECUTOR_CAP.min(prompt.limit);
    Ok(if player.tokens(&prompt.whole) <= most {
        Focus::Everything
    } else {
        Focus::Plan
    })
}

/// Returns what a plan names of the files that are there.
pub fn named(references: &[Reference]) -> Vec<Named> {
    let each = references
        .iter()
        .filter_map(|reference| match &reference.status {
            Status::Exact(path) | Status::Suffix(path) => Some(Named::File(path.clone())),
            Status::Folder(path) => Some(Named::Folder(path.clone())),
            Status::Created(_) | Status::Ambiguous(_) | Status::Missing(_) => None,
        });
    each.collect()
}

/// Makes the scratch, and runs the checks in it as it is.
///
/// # Errors
///
/// Fails if it cannot be made or a check cannot be run; a check that fails is no error.
pub fn bench(
    repository: &Repository,
    candidates: &[Candidate],
    carried: &[RepoPath],
    threads: NonZeroUsize,
    run: &mut Run,
    checks: &[String],
    host: &Host<'_>,
) -> Result<Bench, ExecError> {
    host.go_on()?;
    let name = repository
        .root
        .path()
        .file_name()
        .unwrap_or("repository".as_ref());
    let folder = host.cache.join(&run.id).join("scratch").join(name);
    fs::make_private_folders(folder.parent().unwrap_or(&host.cache))?;
    let made = scratch::create(&scratch::Plan {
        repository,
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
    let baseline = run_checks(run, &scratch.folder, checks, true, host)?;
    let noise = if checks.is_empty() {
        Vec::new()
    } else {
        or_full(scratch.restore(repository, threads), &host.cache)?
    };
    Ok(Bench {
        scratch,
        threads,
        noise,
        baseline,
    })
}

/// Lets the executor work, checks what it did, and lands it if it is good.
///
/// # Errors
///
/// Fails if nothing landed; the user's files are then as they were.
pub fn execute(
    (repository, player): (&Repository, &Player),
    run: &mut Run,
    bench: Bench,
    prompt: &Prompt,
    request: &ExecRequest<'_>,
    host: &Host<'_>,
) -> Result<Executed, ExecError> {
    host.go_on()?;
    let scratch = &bench.scratch;
    let look = || scratch.changes(repository, &bench.noise, bench.threads);
    let Answered {
        place,
        reply,
        player,
    } = match player.gives() {
        Gives::Files => work((repository, player), run, &bench, prompt, request, host)?,
        Gives::Answer => {
            let root = Root::open(&scratch.folder)?;
            edits::ask((player, &root), run, prompt, request.counter, host)?
        }
    };
    let strange = put_back(scratch, &look()?, &host.redactor)?;
    let changes = look()?;
    if changes.changes.is_empty() && changes.refused.is_empty() {
        return Err(ExecError::Nothing {
            agent: player.agent.name(),
            reply: place.folder.join(REPLY_FILE),
        });
    }
    let leaked = leaked(scratch, &changes, &host.secrets)?;
    if !leaked.is_empty() {
        return Err(ExecError::Leaked(leaked));
    }
    let patch = patch_of(scratch, &changes)?;
    let file = |change: &Change| ChangedFile {
        path: change.path.clone(),
        what: ChangeKind::of(change),
    };
    run.record(Happened::Changed {
        files: changes.changes.iter().map(file).collect(),
    })?;
    run.keep_change(&place, &patch)?;
    let patch = run.keep(PATCH_FILE, &patch)?;
    if !changes.refused.is_empty() {
        let refused = changes.refused;
        return Err(ExecError::Refused { refused, patch });
    }
    if !strange.is_empty() {
        return Err(ExecError::Redacted { strange, patch });
    }
    let paths = unasked(&changes, request.references);
    if !paths.is_empty() {
        return Err(ExecError::Unasked { paths, patch });
    }
    let mut executed = Executed {
        patch,
        baseline: bench.baseline,
        checks: Vec::new(),
        audit: audit(
            request.references,
            &reply.text,
            &scratch.snapshot,
            &changes.changes,
        ),
        landed: Landed::Kept,
        changes,
    };
    tell_audit(&executed.audit, run, host)?;
    executed.checks = run_checks(run, &scratch.folder, request.checks, false, host)?;
    let altered = altered(&executed.changes, &look()?);
    if !altered.is_empty() {
        let patch = executed.patch;
        return Err(ExecError::Altered { altered, patch });
    }
    let mut executed = accepted(executed, request)?;
    host.go_on()?;
    executed.landed = match request.land {
        Land::Tree => land(&repository.root, run, &executed, host)?,
        Land::Branch => branch(scratch, run, &executed, request.title)?,
        Land::None => Landed::Kept,
    };
    Ok(executed)
}

/// Records and tells where a change is not what was planned or told.
fn tell_audit(audit: &Audit, run: &mut Run, host: &Host<'_>) -> Result<(), FsError> {
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

/// Returns a change whose checks passed, and that is what was planned and told if it has to be.
fn accepted(executed: Executed, request: &ExecRequest<'_>) -> Result<Executed, ExecError> {
    let n_failed = executed.checks.iter().filter(|check| !check.passed).count();
    if n_failed > 0 {
        let executed = Box::new(executed);
        return Err(ExecError::Failed { n_failed, executed });
    }
    if request.unlike == Unlike::Refused && !executed.audit.is_clean() {
        return Err(ExecError::Unlike(Box::new(executed)));
    }
    Ok(executed)
}

/// Returns the files of a change that are others by now.
fn altered(before: &ChangeSet, now: &ChangeSet) -> Vec<RepoPath> {
    let is_altered = |change: &&Change| !now.changes.contains(change);
    let altered = before.changes.iter().filter(is_altered);
    altered.map(|change| change.path.clone()).collect()
}

/// Returns the files into which a change puts one of `secrets`.
fn leaked(
    scratch: &Scratch,
    changes: &ChangeSet,
    secrets: &[String],
) -> Result<Vec<RepoPath>, ExecError> {
    let (originals, root) = (scratch.originals()?, Root::open(&scratch.folder)?);
    let mut leaked = Vec::new();
    for change in changes
        .changes
        .iter()
        .filter(|change| change.after.is_some())
    {
        let holds = |bytes: &[u8]| process::holds(bytes, secrets);
        let was_there = || match &change.before {
            Some(_) => originals.read(&change.path).map(|bytes| holds(&bytes)),
            None => Ok(false),
        };
        if holds(&bytes_of(&root, &change.path)?) && !was_there()? {
            leaked.push(change.path.clone());
        }
    }
    Ok(leaked)
}

/// Lets the executor edit the files of the scratch.
fn work<'a>(
    (repository, player): (&Repository, &'a Player),
    run: &mut Run,
    bench: &Bench,
    prompt: &Prompt,
    request: &ExecRequest<'_>,
    host: &Host<'_>,
) -> Result<Answered<'a>, ExecError> {
    let scratch = &bench.scratch;
    let look = || scratch.changes(repository, &bench.noise, bench.threads);
    let checks = place_scripts(request.checks, &scratch.folder, &host.redactor)?;
    let reset = |run: &mut Run, place: &CallPlace| {
        keep_partly(run, Some(place), scratch, &look, host)
            .and_then(|()| Ok(scratch.restore(repository, bench.threads)?))
            .is_ok()
    };
    let asked = Asked {
        role: Role::Executor,
        prompt: &prompt.text,
        tokens: prompt.tokens,
        folder: &scratch.folder,
        may: May::Edit { checks: &checks },
        session: None,
        // What it says does not count, but what it did.
        check: &|_, _| Ok(()),
        reset: &reset,
    };
    let answered = match call(run, player, &asked, host) {
        Ok(answered) => answered,
        Err(error) => {
            keep_partly(run, None, scratch, &look, host)?;
            return Err(error.into());
        }
    };
    if let Some(change) = &answered.reply.change
        && let Err(error) = patch::apply(change, &Root::open(&scratch.folder)?)
    {
        run.fail_call(&answered.place, Some(Class::Malformed), error.to_string())?;
        return Err(error.into());
    }
    Ok(answered)
}

/// Passes on what was done; what failed where the disk of `folder` is full failed for that, whatever it says.
fn or_full<T, E: Into<ExecError>>(done: Result<T, E>, folder: &Path) -> Result<T, ExecError> {
    done.map_err(|error| match fs::require_room(folder) {
        Ok(()) => error.into(),
        Err(full) => full.into(),
    })
}

/// Keeps what an executor had done before it failed, for it was paid for: in the folder of the call, or of the run.
fn keep_partly(
    run: &mut Run,
    place: Option<&CallPlace>,
    scratch: &Scratch,
    look: &dyn Fn() -> Result<ChangeSet, ScratchError>,
    host: &Host<'_>,
) -> Result<(), ExecError> {
    let changes = match look() {
        Ok(changes) if !changes.changes.is_empty() => changes,
        _ => return Ok(()),
    };
    if !leaked(scratch, &changes, &host.secrets)?.is_empty() {
        return Ok(());
    }
    let patch = patch_of(scratch, &changes)?;
    let kept = match place {
        Some(place) => run.keep_partly(place, &patch)?,
        None => run.keep(PATCH_FILE, &patch)?,
    };
    let told = format!("what the executor had done is in `{}`", kept.display());
    (host.tell)(&Event::Warning(told));
    Ok(())
}

/// The file with a change as a patch.
pub const PATCH_FILE: &str = "changes.patch";

/// The file that says what was exchanged with what.
pub const LANDING_FILE: &str = "landing.json";

/// The folder of a run that holds what is exchanged.
pub const HELD_FOLDER: &str = "landing";

fn land(
    root: &Root,
    run: &mut Run,
    executed: &Executed,
    host: &Host<'_>,
) -> Result<Landed, ExecError> {
    let held = &run.folder.join(HELD_FOLDER);
    let (id, since) = (run.id.clone(), run.started_ms);
    let failed = |source: LandError| ExecError::Land {
        patch: executed.patch.clone(),
        others: others(root, &id, since, &source),
        source,
    };
    let landing = scratch::prepare(root, &executed.changes, held).map_err(failed)?;
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
fn branch(
    scratch: &Scratch,
    run: &mut Run,
    executed: &Executed,
    title: &str,
) -> Result<Landed, ExecError> {
    let root = Root::open(&scratch.folder)?;
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

/// Returns the files of a change that need consent and are not named by the plan.
fn unasked(changes: &ChangeSet, references: &[Reference]) -> Vec<RepoPath> {
    let is_named = |path: &RepoPath| {
        references
            .iter()
            .any(|reference| reference.paths() == [path.clone()])
    };
    let paths = changes.changes.iter().map(|change| &change.path);
    let unasked = paths.filter(|path| scratch::is_guarded(path) && !is_named(path));
    unasked.cloned().collect()
}

/// No file of a patch is larger.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// Returns a change as a patch that git takes.
fn patch_of(scratch: &Scratch, changes: &ChangeSet) -> Result<Vec<u8>, ExecError> {
    let originals = scratch.originals()?;
    let root = Root::open(&scratch.folder)?;
    let before = |path: &RepoPath| originals.read(path).map_err(ExecError::from);
    let after = |path: &RepoPath| bytes_of(&root, path);
    changes.patch(before, after)
}
