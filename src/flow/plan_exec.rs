//! From a spec to a landed change.

use std::path::{Path, PathBuf};

use super::bench::{self, Bench, Ground};
use super::brief;
use super::consent::{self, Consent};
use super::drift::{self, Drifted};
use super::exec::{Before, ExecError, Executed, Unlike};
use super::groups::{self, ExecBy};
use super::host::{Event, Host};
use super::land::{self, Land, Landed};
use super::pack::PackRequest;
use super::plan::{self, PlanningError, Prompt};
use super::plan_file;
use super::player::Player;
use super::references;
use super::revise;
use super::rounds::{self, Planning};
use super::route::{Context, Focus};
use crate::agent::Role;
use crate::fs::{self, FsError, SystemKind};
use crate::path::RepoPath;
use crate::plan::{Defect, Intent, Plan, PlanError, Reference};
use crate::repo::{Candidate, Globs, Repository};
use crate::review::Review;
use crate::run::{Outcome, Run, Sensitive};

/// What a run works on, and who for.
pub struct Work<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// How it is packed; the counter estimates for every player.
    pub request: PackRequest,
    /// All files of the repository, filters aside.
    pub candidates: &'a [Candidate],
    /// Who plans; nobody, where the plan is there already.
    pub planner: Option<&'a Player>,
    /// Who carries it out.
    pub executor: &'a Player,
    /// Who reads the change before it lands, if anybody does.
    pub reviewer: Option<&'a Player>,
    /// How often the executor is told which checks fail, and asked again.
    pub check_rounds: usize,
    /// How much of the plan the executor is asked to carry out at once.
    pub exec_by: ExecBy,
    /// What the executor gets.
    pub context: Context,
    /// Packs that take the place of packing.
    pub packs: &'a [String],
    /// The user's checks.
    pub checks: &'a [String],
    /// Ignored folders that the checks need.
    pub carried: &'a [RepoPath],
    /// Where a good change goes.
    pub land: Land,
    /// What no run changes, if anything is so.
    pub protected: Option<&'a Globs>,
    /// How often a plan goes back to its planner for what is wrong with it.
    pub plan_rounds: usize,
    /// What is carried out and lands all the same.
    pub tolerance: Tolerance,
    /// Answers what the user is asked.
    pub decide: &'a (dyn Fn(&Question<'_>) -> Result<Answer, FsError> + Sync),
}

/// What is carried out and lands although it is not all that it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// What is done with a plan that names what is not there.
    pub open: Open,
    /// What is done with a plan whose files have changed since it was made.
    pub drift: Drift,
    /// What becomes of a change that is not what was planned or told.
    pub unlike: Unlike,
    /// What is said beforehand to what lands only if somebody agreed to it.
    pub sensitive: consent::Said,
}

/// What is done with a plan that names what is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// It is not carried out.
    Refused,
    /// It is carried out all the same.
    Accepted,
}

/// What is done with a plan whose files have changed since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drift {
    /// It is not carried out.
    Refused,
    /// It is carried out all the same.
    Accepted,
}

/// What the user is asked.
pub enum Question<'a> {
    /// Whether this prompt may be paid for.
    Spend(Role, &'a Player, &'a Prompt),
    /// Whether the plan in this file is to be carried out with this prompt.
    Execute(&'a Path, &'a Player, &'a Prompt),
    /// Whether this may land, which nobody has agreed to.
    Land(&'a [Sensitive]),
    /// What is to become of the plan in this file, which names what is not there or has changed.
    Unresolved(&'a Path, &'a RunError),
}

/// What the user answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Go,
    /// The plan is to be changed as this note asks.
    Revise(String),
    /// The user changed the plan's file.
    Reread,
    /// Stop here; everything so far is kept.
    Stop,
}

/// How far a run came.
pub enum Done {
    /// There is a plan, in this file; the user did not want more.
    Planned(PathBuf),
    /// The user did not want to pay.
    NotAsked,
    /// The caller plays the role, and is asked by the prompt in this file.
    Waiting(Role, PathBuf),
    /// The plan was carried out.
    Executed(Box<Executed>),
    /// A change was read.
    Reviewed(Box<Review>),
}

impl Done {
    /// Returns it as a journal tells it.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Planned(_) => Outcome::Planned,
            Self::NotAsked => Outcome::NotAsked,
            Self::Waiting(_, prompt) => {
                // As it is named in the run's folder: the folder of the calls, that of the call, the file.
                let names: Vec<_> = prompt.components().rev().take(3).collect();
                let name: PathBuf = names.into_iter().rev().collect();
                Outcome::Waiting(name.display().to_string())
            }
            Self::Reviewed(_) => Outcome::Answered,
            Self::Executed(executed) if executed.landed == Landed::Kept => Outcome::Kept,
            Self::Executed(_) => Outcome::Landed,
        }
    }
}

/// A run that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The plan names what is not there, or might be several files.
    #[error(
        "the plan names {} that cannot be resolved:{}",
        count(open.len()),
        lines(open)
    )]
    Unresolved {
        /// What it names.
        open: Vec<Reference>,
    },
    /// Files that the plan names have changed.
    #[error(
        "{} changed since {since}: {}",
        count(drifted.len()),
        drifted.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    Drifted {
        /// Since when.
        since: &'static str,
        /// Which.
        drifted: Vec<Drifted>,
    },
    /// The plan names nothing.
    #[error("the plan in `{}` names no file", .0.display())]
    NoReferences(PathBuf),
    /// A plan's file has been edited, or is not ours.
    #[error("`{}` is there already, and is no plan of ours or was edited since", .0.display())]
    Edited(PathBuf),
    /// A plan's file is a link.
    #[error("`{}` is a link, and a plan is written to a file of its own", .0.display())]
    Link(PathBuf),
    /// There is no conversation to go on with.
    #[error("the planner's conversation of the run `{0}` cannot be gone on with")]
    NoSession(String),
    /// The plan was made by another than is to change it.
    #[error("the plan was made by {made}, not by {asked}")]
    OtherPlanner {
        /// Who made it.
        made: String,
        /// Who was to change it.
        asked: String,
    },
    /// Nothing is known of the files that a plan was made for.
    #[error(
        "the run `{0}`, which made the plan, is gone: nobody knows whether files that it names have changed since"
    )]
    Forgotten(String),
    /// A plan's file is no plan.
    #[error("cannot use the plan in `{}`", path.display())]
    Plan {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: PlanError,
    },
    /// No plan was made.
    #[error(transparent)]
    Planning(#[from] PlanningError),
    /// Nothing landed.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// A file could not be read or written.
    #[error(transparent)]
    Fs(#[from] FsError),
}

fn count(n: usize) -> String {
    match n {
        1 => "one file".to_owned(),
        n => format!("{n} files"),
    }
}

fn lines(open: &[Reference]) -> String {
    let each = open.iter().map(rounds::told);
    let each = each.map(|told| format!("\n  {told}"));
    each.collect::<Vec<_>>().concat()
}

/// Plans, and if it is wanted carries the plan out.
///
/// The plan is written to `file`.
///
/// # Errors
///
/// Fails if nothing landed; the user's files are then as they were.
pub fn plan_exec(
    work: &Work<'_>,
    spec: &str,
    file: &Path,
    run: &Run,
    host: &Host<'_>,
) -> Result<Done, RunError> {
    clear(run, host);
    if let (true, Some(folder)) = (run.is_resumed(), file.parent()) {
        // A kill may have left the plan there under another name.
        fs::remove_temporary(folder)?;
    }
    let planner = work.planner.unwrap_or(work.executor);
    let done = from_spec(work, planner, spec, file, run, host);
    clear(run, host);
    done
}

/// Carries out the plan in `file`.
///
/// # Errors
///
/// Fails if nothing landed; the user's files are then as they were.
pub fn exec(work: &Work<'_>, file: &Path, run: &Run, host: &Host<'_>) -> Result<Done, RunError> {
    clear(run, host);
    let done = from_plan(work, file, run, host);
    clear(run, host);
    done
}

/// Takes the scratch away: what is worth keeping is in the run's folder.
pub fn clear(run: &Run, host: &Host<'_>) {
    let folder = host.cache.join(&run.id);
    if fs::has_entry(&host.cache, &run.id)
        && let Err(error) = fs::remove_folder(&folder)
    {
        (host.tell)(&Event::Warning(format!("{error}: {}", error.source)));
    }
}

fn from_spec(
    work: &Work<'_>,
    planner: &Player,
    spec: &str,
    file: &Path,
    run: &Run,
    host: &Host<'_>,
) -> Result<Done, RunError> {
    let before = plan_file::seen(file)?;
    let task = plan::Task {
        repository: work.repository,
        request: work.request.clone(),
        spec,
        packs: work.packs,
    };
    let players = (planner, work.executor);
    let (prompt, route) = plan::prepare(&task, players, work.context, run, host)?;
    if (work.decide)(&Question::Spend(Role::Planner, planner, &prompt))? == Answer::Stop {
        run.keep("planner-prompt.md", prompt.text.as_bytes())?;
        return Ok(Done::NotAsked);
    }
    // Checks that cannot run are found before anything is paid for.
    let bench = make_bench(work, run, host)?;
    let planning = Planning {
        planner,
        task: &task,
        prompt: &prompt,
        candidates: work.candidates,
        most: work.plan_rounds,
    };
    let mut plan = rounds::plan(&planning, run, host)?;
    let turn = land::turn(run, host)?;
    let file = &plan_file::place(file, run)?;
    let is_there = fs::kind(file)? != SystemKind::Missing;
    if run.is_resumed() && is_there && plan_file::run_of(file)?.as_ref() == Some(&run.id) {
        // It was written before, and may have been revised or edited since.
        plan = plan_file::read(file)?;
        run.keep(plan_file::NAME, plan.text.as_bytes())?;
    } else {
        run.keep(plan_file::NAME, plan.text.as_bytes())?;
        if plan_file::seen(file)? != before {
            // What another run left there may go.
            plan_file::may_write(run.root(), file)?;
        }
        // First, for a plan that is there is not looked at again when the run is taken up.
        keep_base(work, &plan, run)?;
        plan_file::write(file, &plan, run)?;
    }
    drop(turn);
    carry_out(
        work,
        file,
        plan,
        route.executor_gets,
        Some(bench),
        run,
        host,
    )
}

fn from_plan(work: &Work<'_>, file: &Path, run: &Run, host: &Host<'_>) -> Result<Done, RunError> {
    let plan = plan_file::read(file)?;
    run.keep(plan_file::NAME, plan.text.as_bytes())?;
    let focus = match work.context {
        Context::Full => Focus::Everything,
        Context::Auto if work.packs.is_empty() => {
            brief::focus(work.repository, work.request.clone(), work.executor, host)?
        }
        Context::Auto | Context::Plan => Focus::Plan,
    };
    carry_out(work, file, plan, focus, None, run, host)
}

fn make_bench(work: &Work<'_>, run: &Run, host: &Host<'_>) -> Result<Bench, ExecError> {
    bench::make(
        &Ground {
            repository: work.repository,
            candidates: work.candidates,
            carried: work.carried,
            threads: work.request.threads,
            checks: work.checks,
            land: work.land,
        },
        run,
        host,
    )
}

/// Refuses, before anything is paid for, a plan for files whose changes would go along onto a branch.
pub(super) fn require_committed(
    references: &[Reference],
    work: &Work<'_>,
) -> Result<(), ExecError> {
    let threads = work.request.threads;
    let mut paths = bench::uncommitted(work.repository, work.candidates, work.land, threads)?;
    paths.retain(|path| references.iter().any(|it| it.paths().contains(path)));
    if paths.is_empty() {
        return Ok(());
    }
    Err(ExecError::Uncommitted { paths, patch: None })
}

/// Resolves the plan, asks the user, and lets the executor work; goes round while the user wants the plan changed.
fn carry_out(
    work: &Work<'_>,
    file: &Path,
    mut plan: Plan,
    focus: Focus,
    bench: Option<Bench>,
    run: &Run,
    host: &Host<'_>,
) -> Result<Done, RunError> {
    let mut answered = plan.text.clone();
    let ask = |found: &[Sensitive]| match (work.tolerance.sensitive, run.agreed()) {
        (consent::Said::Yes, None) => Ok(consent::Said::Yes),
        _ => match (work.decide)(&Question::Land(found))? {
            Answer::Go => Ok(consent::Said::Yes),
            Answer::Revise(_) | Answer::Reread | Answer::Stop => Ok(consent::Said::No),
        },
    };
    let agreed = Consent::new(&ask);
    agreed.give(run.agreed().unwrap_or_default());
    loop {
        let ready = resolved(&plan, file, work, host);
        let answer = match ready.and_then(|references| {
            drifted(file, work, host)?;
            Ok(references)
        }) {
            Ok(references) => {
                require_unprotected(&references, work)?;
                warn_of_dependencies(&plan, host);
                warn_of_protected(&references, work, host);
                require_committed(&references, work)?;
                let task = groups::Task {
                    work,
                    plan: &plan,
                    references: &references,
                    agreed: &references,
                    focus,
                    consent: &agreed,
                    files: (work.repository, work.candidates),
                    before: &Before::default(),
                    step: None,
                };
                let way = groups::prepare(&task, run, host)?;
                let answer = (work.decide)(&Question::Execute(file, work.executor, &way.prompt))?;
                if answer == Answer::Stop {
                    run.keep("executor-prompt.md", way.prompt.text.as_bytes())?;
                }
                // What was agreed to is what is carried out: a file that was edited meanwhile is read again.
                if answer == Answer::Go && plan_file::read(file)?.text == plan.text {
                    let bench = match bench {
                        Some(bench) => bench,
                        None => make_bench(work, run, host)?,
                    };
                    let done = groups::execute(&task, &way, &bench, run, host)?;
                    return Ok(Done::Executed(Box::new(done)));
                }
                answer
            }
            Err(
                error @ (RunError::Unresolved { .. }
                | RunError::Drifted { .. }
                | RunError::Forgotten(_)),
            ) => {
                match (work.decide)(&Question::Unresolved(file, &error))? {
                    // Nobody can be asked.
                    Answer::Go | Answer::Stop => return Err(error),
                    answer => answer,
                }
            }
            Err(error) => return Err(error),
        };
        match (answer, work.planner) {
            (Answer::Stop, _) => return Ok(Done::Planned(file.to_owned())),
            (Answer::Revise(note), Some(planner)) => {
                let now = plan_file::read(file)?.text;
                let edited = (now != answered).then_some(now.as_str());
                let id = run.id.clone();
                plan = revise::revise(&id, planner, &note, edited, run, host)?;
                answered.clone_from(&plan.text);
                plan_file::write(file, &plan, run)?;
                keep_base(work, &plan, run)?;
            }
            (Answer::Go | Answer::Reread | Answer::Revise(_), _) => {
                plan = plan_file::read(file)?;
                run.keep(plan_file::NAME, plan.text.as_bytes())?;
            }
        }
    }
}

/// Returns what a plan names, if all of it is clear; lines are those of the plan, in an error those of its file.
fn resolved(
    plan: &Plan,
    file: &Path,
    work: &Work<'_>,
    host: &Host<'_>,
) -> Result<Vec<Reference>, RunError> {
    let text = fs::read_regular_text(file, plan_file::MAX_BYTES)?;
    let mut references = references::resolve(&plan.text, plan, work.repository, work.candidates);
    if let Err(mut error) = references::all_clear(&references) {
        if let RunError::Unresolved { open } = &mut error {
            references::add_lines_above(open, &text, plan);
        }
        if work.tolerance.open == Open::Refused {
            return Err(error);
        }
        (host.tell)(&Event::Warning(error.to_string()));
        references.retain(|reference| !reference.is_open());
    }
    if references.is_empty() && work.tolerance.open == Open::Refused {
        return Err(RunError::NoReferences(file.to_owned()));
    }
    Ok(references)
}

/// Keeps what a plan was made for.
fn keep_base(work: &Work<'_>, plan: &Plan, run: &Run) -> Result<(), FsError> {
    let references = references::resolve(&plan.text, plan, work.repository, work.candidates);
    drift::keep(run, work.repository, &references)
}

/// Says whether the files that the plan in `file` names are as they were when it was made.
fn drifted(file: &Path, work: &Work<'_>, host: &Host<'_>) -> Result<(), RunError> {
    let Some(id) = plan_file::run_of(file)? else {
        return Ok(());
    };
    let since = "the plan was made";
    let error = match drift::since(work.repository, &id)? {
        Some(drifted) if drifted.is_empty() => return Ok(()),
        Some(drifted) => RunError::Drifted { since, drifted },
        None => RunError::Forgotten(id),
    };
    match work.tolerance.drift {
        Drift::Refused => Err(error),
        Drift::Accepted => {
            (host.tell)(&Event::Warning(error.to_string()));
            Ok(())
        }
    }
}

/// Refuses, before anything more is paid for, a plan that changes files that the user protects.
fn require_unprotected(references: &[Reference], work: &Work<'_>) -> Result<(), ExecError> {
    let Some(globs) = work.protected else {
        return Ok(());
    };
    let changed = references.iter().filter(|it| it.intent >= Intent::Change);
    let mut paths: Vec<RepoPath> = changed.flat_map(Reference::paths).cloned().collect();
    paths.retain(|path| globs.take(path));
    paths.sort();
    paths.dedup();
    if paths.is_empty() {
        return Ok(());
    }
    Err(ExecError::PlansProtected(paths))
}

/// Warns of files that the plan names and that the user protects: whoever changes them lands nothing.
pub(super) fn warn_of_protected(references: &[Reference], work: &Work<'_>, host: &Host<'_>) {
    let Some(globs) = work.protected else { return };
    let named = references.iter().flat_map(Reference::paths);
    let mut paths: Vec<_> = named.filter(|path| globs.take(path)).collect();
    paths.sort();
    paths.dedup();
    if !paths.is_empty() {
        let shown: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
        (host.tell)(&Event::Warning(format!(
            "the plan names what your protected.toml protects, and no change to it lands: {}",
            shown.join(", ")
        )));
    }
}

/// Warns of steps that need what cannot be: each other, themselves, or a step that is not there.
fn warn_of_dependencies(plan: &Plan, host: &Host<'_>) {
    for fault in crate::plan::faults(plan) {
        if matches!(fault.defect, Defect::Unknown { .. } | Defect::Circle(_)) {
            (host.tell)(&Event::Warning(format!("in the plan, {fault}")));
        }
    }
}

/// Returns the first line of a text that says something, without the marks of a heading.
pub fn title(text: &str) -> &str {
    let lines = text.lines().map(|line| line.trim_matches(['#', ' ', '\t']));
    let mut lines = lines.filter(|line| !line.is_empty());
    lines.next().unwrap_or_default()
}

/// Returns what a run came to whose caller plays a role: it waits for their answer, and that is no error.
///
/// # Errors
///
/// Fails as the run did otherwise.
pub fn or_waiting(done: Result<Done, RunError>) -> Result<Done, RunError> {
    match done {
        Err(
            RunError::Planning(PlanningError::Waiting { role, prompt })
            | RunError::Exec(ExecError::Call(PlanningError::Waiting { role, prompt })),
        ) => Ok(Done::Waiting(role, prompt)),
        done => done,
    }
}
