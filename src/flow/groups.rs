//! How a plan is carried out: all at once, or by groups of its steps, one after the other in one scratch.
//!
//! In: a plan that was agreed to, and a scratch in which the checks have been run. Out: the change that all of it makes.
//!
//! Invariant: each group begins with what the groups before it made and the checks let pass; that is kept as a patch of
//! the run, whatever becomes of the groups after it.

use super::bench::Bench;
use super::brief::{self, Content, Group};
use super::consent::Consent;
use super::drift;
use super::exec::{Before, ExecError, ExecRequest, Executed, Extent, Goal, Rules};
use super::execute::{Worked, begin_again, bring, work_until_good};
use super::host::{Event, Host};
use super::next::{Next, Queue, is_short};
use super::pack;
use super::plan::{PlanningError, Prompt};
use super::plan_exec::{Drift, RunError, Work, title};
use super::player::Player;
use super::route::Focus;
use crate::agent::Role;
use crate::fs;
use crate::plan::{self, Plan, Reference, Step};
use crate::repo::{Candidate, Repository};
use crate::run::{self, Event as Happened, Run};

/// How much of a plan the executor is asked to carry out at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecBy {
    /// One step.
    Step,
    /// As many steps as have all that they name within its limit.
    Group,
    /// All of it, if what it names fits; else as many steps as do.
    Whole,
}

/// The file of a run with the change of the groups that are done.
const GOOD_FILE: &str = "good.patch";

/// No patch is larger.
const MAX_PATCH_BYTES: u64 = 1 << 30;

/// A plan that is to be carried out.
pub(super) struct Task<'a> {
    pub(super) work: &'a Work<'a>,
    pub(super) plan: &'a Plan,
    /// What it names of the files.
    pub(super) references: &'a [Reference],
    /// What it and the plans before it name: that was agreed to.
    pub(super) agreed: &'a [Reference],
    /// What the executor gets.
    pub(super) focus: Focus,
    /// Who agrees to what lands only so.
    pub(super) consent: &'a Consent<'a>,
    /// The files as the first of its steps finds them.
    pub(super) files: (&'a Repository, &'a [Candidate]),
    /// What was changed before it.
    pub(super) before: &'a Before,
    /// The step of a workflow that carries it out, if one does.
    pub(super) step: Option<&'a str>,
}

/// Makes a prompt for a player.
type Make<'a> = &'a dyn Fn(&Player) -> Result<Prompt, PlanningError>;

/// How a plan is carried out, and by which prompt first.
pub(super) struct Way {
    pub(super) prompt: Prompt,
    /// The steps, by groups; none, if all is carried out at once.
    queue: Option<Queue>,
}

/// Decides how a plan is carried out, and makes the first prompt.
///
/// # Errors
///
/// Fails if what cannot be cut does not fit.
pub(super) fn prepare(task: &Task<'_>, run: &Run, host: &Host<'_>) -> Result<Way, RunError> {
    (host.tell)(&Event::Resolved(task.references));
    run.keep(&task.file("references.json"), &run::json(&task.references))?;
    let left = plan::pieces(&task.plan.steps);
    let work = task.work;
    let can_part = left.len() > 1 && task.packs().is_empty();
    let mut by = work.exec_by;
    if !can_part || by != ExecBy::Step {
        let whole = task.prompt(task.files.0, None, task.references, task.focus);
        let whole = whole(work.executor, host);
        let is_short = can_part && is_short(&whole, task.references);
        if !is_short {
            let prompt = whole?;
            task.keep_pack(&prompt, run)?;
            (host.tell)(&Event::Prompted(Role::Executor, &prompt));
            let queue = None;
            return Ok(Way { prompt, queue });
        }
        if by == ExecBy::Whole {
            (host.tell)(&Event::Parted);
        }
        by = ExecBy::Group;
    }
    let done = Vec::new();
    let queue = Queue { by, left, done };
    let next = task.next(task.files, &queue, host)?;
    (host.tell)(&Event::Prompted(Role::Executor, &next.prompt));
    let (prompt, queue) = (next.prompt, Some(queue));
    Ok(Way { prompt, queue })
}

/// Carries a plan out as [`prepare`] decided.
///
/// # Errors
///
/// Fails if nothing landed; the user's files are then as they were.
pub(super) fn execute(
    task: &Task<'_>,
    way: &Way,
    bench: &Bench,
    run: &Run,
    host: &Host<'_>,
) -> Result<Executed, RunError> {
    let worked = carry_out(task, way, bench, run, host)?;
    let place = (task.work.repository, bench);
    Ok(bring(place, worked.executed, run, task.goal(), host)?)
}

/// Carries a plan out as [`prepare`] decided, and lands nothing.
///
/// # Errors
///
/// Fails if what comes of it is not good.
pub(super) fn carry_out(
    task: &Task<'_>,
    way: &Way,
    bench: &Bench,
    run: &Run,
    host: &Host<'_>,
) -> Result<Worked, RunError> {
    let work = task.work;
    let Some(queue) = &way.queue else {
        let make = task.prompt(task.files.0, None, task.references, task.focus);
        let make = |player: &Player| make(player, host);
        let request = task.request((&make, &make), Extent::Whole, task.before);
        let place = (work.repository, work.executor);
        return Ok(work_until_good(
            place,
            run,
            bench,
            &way.prompt,
            &request,
            host,
        )?);
    };
    let mut queue = queue.clone();
    let worked = by_groups(task, &mut queue, bench, run, host);
    let is_waiting = matches!(
        worked,
        Err(RunError::Exec(ExecError::Call(
            PlanningError::Waiting { .. }
        )))
    );
    if worked.is_err() && !is_waiting && !queue.done.is_empty() && !queue.left.is_empty() {
        let name = format!("{}{GOOD_FILE}", bench.place);
        let patch = fs::has_entry(&run.folder, &name).then(|| run.folder.join(&name));
        let steps = task.steps(&queue.done);
        (host.tell)(&Event::Good(
            &steps,
            task.plan.steps.len(),
            patch.as_deref(),
        ));
    }
    worked
}

fn by_groups(
    task: &Task<'_>,
    queue: &mut Queue,
    bench: &Bench,
    run: &Run,
    host: &Host<'_>,
) -> Result<Worked, RunError> {
    let work = task.work;
    let place = (work.repository, bench);
    let mut before = task.before.clone();
    loop {
        host.go_on().map_err(ExecError::from)?;
        if !queue.done.is_empty() {
            // What the checks left there is no part of it.
            begin_again(place, before.patch.as_deref())?;
        }
        let scratch = bench.scratch.repository(work.repository);
        let scratch = scratch.map_err(ExecError::from)?;
        let candidates = pack::all_candidates(&scratch, work.request.threads);
        let next = task.next((&scratch, &candidates), queue, host)?;
        begin(task, &next, run, host)?;
        drifted(task, &next, bench, host)?;
        let make = task.prompt(&scratch, Some(&next.group), &next.references, next.focus);
        let make = |player: &Player| make(player, host);
        let extent = if next.group.later.is_empty() {
            Extent::LastGroup
        } else {
            Extent::Group
        };
        let of_all = |player: &Player| task.of_all(&scratch, player, host);
        let request = task.request((&make, &of_all), extent, &before);
        let asked = (work.repository, work.executor);
        let worked = work_until_good(asked, run, bench, &next.prompt, &request, host)?;
        run.record(Happened::GroupEnded {
            steps: task.numbers(&next.group.now),
        })?;
        queue.advance(&next.group);
        if extent == Extent::LastGroup {
            return Ok(worked);
        }
        let patch = fs::read_regular(&worked.executed.patch, MAX_PATCH_BYTES)?;
        if before.patch.as_deref().unwrap_or_default() == patch {
            let told = run::steps(&task.numbers(&next.group.now));
            (host.tell)(&Event::Warning(format!("nothing was changed for {told}")));
        }
        run.keep(&format!("{}{GOOD_FILE}", bench.place), &patch)?;
        before = worked.before((!patch.is_empty()).then_some(patch));
    }
}

/// Tells and records that a group is carried out.
fn begin(task: &Task<'_>, next: &Next, run: &Run, host: &Host<'_>) -> Result<(), RunError> {
    let of = task.plan.steps.len();
    (host.tell)(&Event::Group(&task.steps(&next.group.now), of));
    if !next.group.done.is_empty() {
        // The first was told when it was agreed to.
        (host.tell)(&Event::Prompted(Role::Executor, &next.prompt));
    }
    run.record(Happened::GroupStarted {
        steps: task.numbers(&next.group.now),
        of,
    })?;
    Ok(task.keep_pack(&next.prompt, run)?)
}

/// Says whether the user's files that the steps name are as they were when the scratch was made.
fn drifted(task: &Task<'_>, next: &Next, bench: &Bench, host: &Host<'_>) -> Result<(), RunError> {
    let snapshot = &bench.scratch.snapshot;
    let drifted = drift::since_snapshot(task.work.repository, snapshot, &next.references)?;
    if drifted.is_empty() {
        return Ok(());
    }
    let since = "the run began";
    let error = RunError::Drifted { since, drifted };
    match task.work.tolerance.drift {
        Drift::Refused => Err(error),
        Drift::Accepted => {
            (host.tell)(&Event::Warning(error.to_string()));
            Ok(())
        }
    }
}

impl<'a> Task<'a> {
    /// Returns what a file of the run is called: steps of a workflow have theirs beside their plans.
    fn file(&self, name: &str) -> String {
        match self.step {
            Some(step) => format!("plans/{step}.{name}"),
            None => name.to_owned(),
        }
    }

    fn keep_pack(&self, prompt: &Prompt, run: &Run) -> Result<(), fs::FsError> {
        let Some(pack) = &prompt.pack else {
            return Ok(());
        };
        run.keep(&self.file("executor-pack.xml"), pack.as_bytes())?;
        Ok(())
    }

    /// Returns the packs that the executor gets in the place of what we pack.
    fn packs(&self) -> &'a [String] {
        match self.work.planner {
            Some(_) => &[],
            None => self.work.packs,
        }
    }

    pub(super) fn steps(&self, places: &[usize]) -> Vec<&'a Step> {
        let steps = places.iter();
        steps.filter_map(|&at| self.plan.steps.get(at)).collect()
    }

    fn numbers(&self, places: &[usize]) -> Vec<usize> {
        let steps = self.steps(places);
        steps.iter().map(|step| step.number).collect()
    }

    /// Returns what makes the prompt that asks a player to carry out a group of steps, or all.
    pub(super) fn prompt<'b>(
        &'b self,
        repository: &'b Repository,
        group: Option<&'b Group>,
        references: &'b [Reference],
        focus: Focus,
    ) -> impl Fn(&Player, &Host<'_>) -> Result<Prompt, PlanningError> + 'b {
        move |player, host| {
            let content = Content {
                plan: self.plan,
                references,
                focus,
                packs: self.packs(),
                checks: self.work.checks,
                gives: self.work.executor.gives(),
                group,
            };
            brief::prepare(
                repository,
                self.work.request.clone(),
                &content,
                player,
                host,
            )
        }
    }

    /// Makes the prompt that shows what all steps name, as it is when all are done.
    fn of_all(
        &self,
        scratch: &Repository,
        player: &Player,
        host: &Host<'_>,
    ) -> Result<Prompt, PlanningError> {
        let group = Group {
            done: (0..self.plan.steps.len()).collect(),
            ..Group::default()
        };
        let candidates = pack::all_candidates(scratch, self.work.request.threads);
        let references = self.named((scratch, &candidates), &group.done);
        let focus = self.focus.max(Focus::Slice);
        let make = self.prompt(scratch, Some(&group), &references, focus);
        make(player, host)
    }

    /// Returns what becomes of the change, if it is good.
    fn goal(&self) -> Goal<'_> {
        Goal {
            title: title(&self.plan.text),
            land: self.work.land,
            unlike: self.work.tolerance.unlike,
        }
    }

    pub(super) fn request<'b>(
        &'b self,
        (make, make_of_all): (Make<'b>, Make<'b>),
        extent: Extent,
        before: &'b Before,
    ) -> ExecRequest<'b> {
        let work = self.work;
        let rules = Rules {
            plan: self.plan,
            references: self.agreed,
            extent,
            checks: work.checks,
            protected: work.protected,
            consent: self.consent,
        };
        ExecRequest {
            rules,
            counter: &work.request.counter,
            check_rounds: work.check_rounds,
            reviewer: work.reviewer,
            make,
            make_of_all,
            before,
            step: self.step,
        }
    }
}
