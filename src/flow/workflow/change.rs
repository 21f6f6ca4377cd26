//! The steps that change files, and those that look at a change.

use std::sync::Arc;

use serde_json::{Value, json};

use super::side::told_of;
use super::strand::{Good, Seen, Strand};
use super::{CHOICES, Hands, StepError, Worker};
use crate::agent::Role;
use crate::check::Checked;
use crate::edit::{self, Edit};
use crate::flow::audit::audit;
use crate::flow::brief;
use crate::flow::checks::{When, run_checks};
use crate::flow::edits::{self, Wrong};
use crate::flow::examine::{PATCH_FILE, altered, examine, patch_of};
use crate::flow::exec::{ExecError, Executed, Extent, Goal, Rules};
use crate::flow::execute::{bring, check, records_of, settle};
use crate::flow::groups::{self, ExecBy};
use crate::flow::host::Event;
use crate::flow::land::Land;
use crate::flow::pack;
use crate::flow::plan::PlanningError;
use crate::flow::plan_exec::{Answer, RunError, Work, require_committed, warn_of_protected};
use crate::flow::player::Player;
use crate::flow::references::{all_clear, resolve};
use crate::flow::review::{self, Subject};
use crate::flow::route::Context;
use crate::fs::{self, Root};
use crate::path::RepoPath;
use crate::plan::{Plan, Reference};
use crate::prompt::template::Scope;
use crate::review::Verdict;
use crate::run::{ChangedFile, Event as Happened};
use crate::scratch::{Change, ChangeKind, meet, since};
use crate::workflow::{Approve, Does, Missing, Step};

/// No patch is larger.
const MAX_PATCH_BYTES: u64 = 1 << 30;

impl Worker<'_> {
    /// Has a plan carried out on what is good so far.
    pub(super) fn execute(
        &self,
        step: &Step,
        plan: &str,
        strand: &mut Strand,
        label: &str,
    ) -> Result<Value, StepError> {
        let Does::Execute {
            role,
            reviewer,
            missing,
            ..
        } = &step.does
        else {
            return Ok(Value::Null);
        };
        let (hands, repository) = (self.hands()?, self.shop.repository);
        let player = |role: &String| self.shop.players.get(role);
        let Some(executor) = player(role) else {
            return Ok(Value::Null);
        };
        let plan = Plan::read(plan)?;
        let bench = strand.stand(repository)?;
        let files = bench.scratch.repository(repository);
        let files = files.map_err(ExecError::from)?;
        let candidates = pack::all_candidates(&files, self.shop.request.threads);
        let references = self.named(&plan, (&files, &candidates), *missing)?;
        let file = self
            .run
            .keep(&format!("plans/{label}.md"), plan.text.as_bytes())?;
        if references.is_empty() && *missing == Missing::Stop {
            return Err(RunError::NoReferences(file).into());
        }
        let agreed = [strand.good.references.as_slice(), &references].concat();
        let work = self.work(hands, executor, reviewer.as_ref().and_then(player));
        warn_of_protected(&references, &work, self.host);
        require_committed(&references, &work)?;
        let request = self.shop.request.clone();
        let focus = brief::focus(&files, request, executor, self.host)?;
        let task = groups::Task {
            work: &work,
            plan: &plan,
            references: &references,
            agreed: &agreed,
            focus,
            consent: hands.consent,
            files: (&files, &candidates),
            before: &strand.good.before,
            step: Some(label),
        };
        let way = groups::prepare(&task, self.run, self.host)?;
        let question = format!(
            "carry out the plan in `{}` with {}?",
            file.display(),
            executor.agent.name()
        );
        self.agree(&step.name, (&question, &plan.text), label)?;
        self.pay(Role::Executor, executor, &way.prompt)?;
        let worked = groups::carry_out(&task, &way, bench, self.run, self.host)?;
        let began = strand.good.changes().to_vec();
        none_is_lost(&began, &worked.executed)?;
        let report = worked.report.strip_prefix(&strand.good.before.reports);
        let text = report.unwrap_or(&worked.report).trim().to_owned();
        strand.good = Good {
            before: worked.before(patch(&worked.executed)?),
            executed: Some(Arc::new(worked.executed)),
            references: agreed,
            let_in: strand.good.let_in.clone(),
            seen: Vec::new(),
        };
        let files = since(&began, strand.good.changes());
        if files.is_empty() {
            let told = format!("the step `{label}` changed nothing of what was good before it");
            (self.host.tell)(&Event::Warning(told));
        }
        let files: Vec<String> = files.iter().map(|it| it.path.to_string()).collect();
        let checks = strand.good.executed.iter().flat_map(|it| &it.checks);
        let checks: Vec<&str> = checks.map(|check| check.command.as_str()).collect();
        Ok(json!({
            "text": text,
            "files": files,
            "diff": strand.good.diff(),
            "checks": checks,
            "error": null,
        }))
    }

    fn hands(&self) -> Result<&Hands<'_>, StepError> {
        self.shop.hands.as_ref().ok_or(StepError::NoScratch)
    }

    /// Returns what a plan names, if all of it is clear, or need not be.
    fn named(
        &self,
        plan: &Plan,
        (files, candidates): (&crate::repo::Repository, &[crate::repo::Candidate]),
        missing: Missing,
    ) -> Result<Vec<Reference>, StepError> {
        let mut references = resolve(&plan.text, plan, files, candidates);
        match (all_clear(&references), missing) {
            (Ok(()), _) => {}
            (Err(error), Missing::Stop) => return Err(error.into()),
            (Err(error), Missing::Told) => {
                (self.host.tell)(&Event::Warning(error.to_string()));
                references.retain(|reference| !reference.is_open());
            }
        }
        Ok(references)
    }

    /// Returns how a plan is carried out: it lands later.
    fn work<'b>(
        &'b self,
        hands: &'b Hands<'_>,
        executor: &'b Player,
        reviewer: Option<&'b Player>,
    ) -> Work<'b> {
        Work {
            repository: self.shop.repository,
            request: self.shop.request.clone(),
            candidates: self.shop.candidates,
            planner: None,
            executor,
            reviewer,
            check_rounds: hands.check_rounds,
            exec_by: ExecBy::Whole,
            context: Context::Auto,
            packs: &[],
            checks: hands.checks,
            carried: hands.carried,
            land: hands.land,
            protected: hands.protected,
            plan_rounds: 0,
            tolerance: hands.tolerance,
            decide: &|_| Ok(Answer::Stop),
        }
    }

    /// Asks the user what is to be answered with yes; who says no stops the workflow.
    fn agree(&self, step: &str, question: (&str, &str), label: &str) -> Result<(), StepError> {
        if self.is_agreed(step, question, label)? {
            return Ok(());
        }
        Err(StepError::Declined)
    }

    /// Asks the user what is to be answered with yes, and returns whether it is.
    fn is_agreed(
        &self,
        step: &str,
        question: (&str, &str),
        label: &str,
    ) -> Result<bool, StepError> {
        let choices = CHOICES.map(str::to_owned);
        let answer = self.gate(step, question, &choices, label)?;
        Ok(answer["text"] == CHOICES[0])
    }

    /// Makes the edits of an answer on what is good so far.
    pub(super) fn integrate(
        &self,
        step: &Step,
        (text, approve): (&str, Approve),
        strand: &mut Strand,
        label: &str,
    ) -> Result<Value, StepError> {
        let (edits, errors) = edit::parse(text);
        if !errors.is_empty() {
            return Err(StepError::Edits(errors.into()));
        }
        let mut executed = self.make(&edits, strand)?;
        let done = since(strand.good.changes(), &executed.changes.changes);
        let mut rejected: Vec<RepoPath> = Vec::new();
        let shown = self.shown(&executed, strand)?;
        match approve {
            Approve::Nothing => {}
            Approve::Change => {
                let question = format!("{shown}make these edits?");
                if !self.is_agreed(&step.name, (&question, &shown), label)? {
                    rejected.extend(done.iter().map(|change| change.path.clone()));
                }
            }
            Approve::File => {
                for (n, change) in done.iter().enumerate() {
                    let question = format!("{shown}make the edits of `{}`?", change.path);
                    let label = format!("{label}/{}", n + 1);
                    if !self.is_agreed(&step.name, (&question, &question), &label)? {
                        rejected.push(change.path.clone());
                    }
                }
            }
        }
        if !rejected.is_empty() {
            let mut edits = edits;
            edits.retain(|edit| !rejected.contains(&edit.path));
            executed = self.make(&edits, strand)?;
            let made = since(strand.good.changes(), &executed.changes.changes);
            let is_rejected = |change: &&Change| rejected.contains(&change.path);
            if let Some(change) = made.iter().find(is_rejected) {
                let why = format!("`{}` was rejected, and another edit moves it", change.path);
                return Err(StepError::Edits(Wrong(vec![why])));
            }
        }
        none_is_lost(strand.good.changes(), &executed)?;
        let executed = self.checked(executed, strand, label)?;
        let files = since(strand.good.changes(), &executed.changes.changes);
        let files: Vec<RepoPath> = files.into_iter().map(|it| it.path).collect();
        let mut good = strand.good.clone();
        good.seen.clear();
        good.let_in.extend(files.iter().cloned());
        good.before.n_asked += 1;
        good.before.patch = patch(&executed)?;
        good.executed = Some(Arc::new(executed));
        strand.good = good;
        let list = |head: &str, paths: &[RepoPath]| {
            let each = paths.iter().map(|path| format!("- `{path}`\n"));
            match each.collect::<String>() {
                none if none.is_empty() => none,
                each => format!("{head}\n\n{each}\n"),
            }
        };
        let text = [list("Integrated:", &files), list("Rejected:", &rejected)].concat();
        let told =
            |paths: &[RepoPath]| -> Vec<String> { paths.iter().map(ToString::to_string).collect() };
        Ok(json!({
            "text": text.trim_end(),
            "files": told(&files),
            "rejected": told(&rejected),
            "error": null,
        }))
    }

    /// Makes edits in the scratch, all or none, and holds what comes of it against what may land.
    fn make(&self, edits: &[Edit], strand: &Strand) -> Result<Executed, StepError> {
        let bench = strand.stand(self.shop.repository)?;
        let root = Root::open(&bench.scratch.folder)?;
        let go_on = || -> Result<(), PlanningError> { Ok(self.host.go_on()?) };
        let redactor = &self.host.redactor;
        let made = edits::make(edits, &root, &|_| false, redactor, &go_on)?;
        made.map_err(StepError::Edits)?;
        // What no plan names was let in for itself.
        let agreed = &strand.good.references;
        self.examined(strand, agreed, Extent::Group)
    }

    /// Holds what the scratch of a strand holds against what may land.
    fn examined(
        &self,
        strand: &Strand,
        agreed: &[Reference],
        extent: Extent,
    ) -> Result<Executed, StepError> {
        let hands = self.hands()?;
        let bench = strand.bench.as_ref().ok_or(StepError::NoScratch)?;
        let plan = Plan {
            text: String::new(),
            steps: Vec::new(),
        };
        let rules = Rules {
            plan: &plan,
            references: agreed,
            extent,
            checks: hands.checks,
            protected: hands.protected,
            consent: hands.consent,
        };
        let place = (self.shop.repository, bench);
        let said = &strand.good.before.reports;
        Ok(examine(place, None, said, self.run, &rules, self.host)?)
    }

    /// Runs the checks on a change that is in the scratch of a strand; fails where one does.
    fn checked(
        &self,
        executed: Executed,
        strand: &Strand,
        label: &str,
    ) -> Result<Executed, StepError> {
        let bench = strand.bench.as_ref().ok_or(StepError::NoScratch)?;
        let place = (self.shop.repository, bench);
        let n_before = strand.good.before.n_asked;
        let checks = self.hands()?.checks;
        let records = records_of(Some(label));
        let records = (records.as_str(), n_before);
        let executed = check(place, executed, records, self.run, checks, self.host)?;
        let n_failed = executed.checks.iter().filter(|check| !check.passed).count();
        if n_failed == 0 {
            return Ok(executed);
        }
        let executed = Box::new(executed);
        Err(ExecError::Failed { n_failed, executed }.into())
    }

    /// Returns a change as it is shown to people who are to agree to it: what is new in it.
    fn shown(&self, executed: &Executed, strand: &Strand) -> Result<String, StepError> {
        let bench = strand.bench.as_ref().ok_or(StepError::NoScratch)?;
        let mut changes = executed.changes.clone();
        let done = since(strand.good.changes(), &changes.changes);
        changes
            .changes
            .retain(|change| done.iter().any(|it| it.path == change.path));
        let patch = patch_of(&bench.scratch, &changes)?;
        let shown = String::from_utf8_lossy(&patch).into_owned();
        Ok(format!("{}\n", self.host.redactor.redacted(&shown)))
    }

    /// Brings what a strand made since it began together with what is good by now; returns why that cannot be, if it cannot.
    pub(super) fn join(
        &self,
        label: &str,
        began: &Good,
        strand: &Strand,
        whole: &mut Strand,
    ) -> Result<Option<String>, StepError> {
        let done = since(began.changes(), strand.good.changes());
        let others = since(began.changes(), whole.good.changes());
        if done.is_empty() {
            if others.is_empty() {
                let seen = strand.good.seen.iter().skip(began.seen.len());
                whole.good.seen.extend(seen.cloned());
            }
            return Ok(None);
        }
        if others.is_empty() {
            // It is just what was checked.
            whole.good = strand.good.clone();
            return Ok(None);
        }
        let met = meet(&done, &others);
        if !met.is_empty() {
            return Ok(Some(told_of(&met)));
        }
        // As it was when it was good: a check may have left something.
        let source = strand.stand(self.shop.repository)?;
        let source = Root::open(&source.scratch.folder)?;
        let bench = whole.stand(self.shop.repository)?;
        bench
            .scratch
            .take(&done, &source)
            .map_err(ExecError::from)?;
        let new = |all: &[Reference]| all[began.references.len().min(all.len())..].to_vec();
        let references = [whole.good.references.clone(), new(&strand.good.references)].concat();
        let mut good = whole.good.clone();
        good.seen.clear();
        let said = &strand.good.before.reports;
        let said = said.strip_prefix(&began.before.reports).unwrap_or(said);
        good.before.reports.push_str(said);
        whole.good.before.reports.clone_from(&good.before.reports);
        let examined = self.examined(whole, &references, Extent::Whole);
        let executed = match examined
            .and_then(|executed| self.checked(executed, whole, &format!("together/{label}")))
        {
            Ok(executed) => executed,
            Err(StepError::Exec(ExecError::Failed { .. })) => {
                return Ok(Some(format!(
                    "the checks fail on `{label}` and those before it"
                )));
            }
            Err(error) => return Err(error),
        };
        none_is_lost(whole.good.changes(), &executed)?;
        none_is_lost(&done, &executed)?;
        good.before.patch = patch(&executed)?;
        good.before.n_asked += 1;
        good.executed = Some(Arc::new(executed));
        good.references = references;
        good.let_in.extend(strand.good.let_in.iter().cloned());
        whole.good = good;
        Ok(None)
    }

    /// Runs checks on what is good so far.
    pub(super) fn run_checks(
        &self,
        commands: Vec<String>,
        strand: &mut Strand,
        label: &str,
    ) -> Result<Value, StepError> {
        let bench = strand.stand(self.shop.repository)?;
        let commands = if commands.is_empty() {
            self.hands()?.checks.to_vec()
        } else {
            commands
        };
        if commands.is_empty() {
            return Err(StepError::NoChecks);
        }
        let records = format!("{}{}", bench.place, records_of(Some(label)));
        let place = (bench.scratch.folder.as_path(), records.as_str());
        settle(
            bench,
            self.shop.repository,
            strand.good.changes(),
            self.host,
        )?;
        let checked = run_checks(self.run, place, &commands, When::After(0), self.host)?;
        // What they passed on must be what lands.
        let changes = bench
            .scratch
            .changes(self.shop.repository, &bench.noise, bench.threads);
        let changes = changes.map_err(ExecError::from)?;
        if let Some(executed) = &strand.good.executed {
            let altered = altered(&executed.changes, &changes, &bench.stirred);
            if !altered.is_empty() {
                let patch = executed.patch.clone();
                return Err(ExecError::Altered { altered, patch }.into());
            }
        }
        let failed: Vec<&Checked> = checked.iter().filter(|check| !check.passed).collect();
        let told = failed.iter().map(|check| {
            let output = self.host.redactor.redacted(&check.output);
            format!("`{}` {}:\n{}\n", check.command, check.how, output.trim())
        });
        let commands: Vec<&str> = failed.iter().map(|check| check.command.as_str()).collect();
        let result = json!({
            "text": told.collect::<Vec<_>>().join("\n"),
            "passes": failed.is_empty(),
            "failed": commands,
            "error": null,
        });
        let step = label.to_owned();
        let seen = checked.into_iter().map(|check| Seen {
            step: step.clone(),
            check,
        });
        strand.good.seen.extend(seen);
        Ok(result)
    }

    /// Has a reviewer read what is good so far.
    pub(super) fn review(
        &self,
        role: &str,
        plan: Option<&str>,
        strand: &Strand,
        label: &str,
    ) -> Result<Value, StepError> {
        let Some(reviewer) = self.shop.players.get(role) else {
            return Ok(Value::Null);
        };
        let good = &strand.good;
        let Some(executed) = &good.executed else {
            return Err(StepError::NoChange);
        };
        let seen = good.seen.iter().map(|seen| seen.check.clone());
        let checks: Vec<Checked> = executed.checks.iter().cloned().chain(seen).collect();
        let subject = Subject {
            plan,
            diff: &good.diff(),
            report: Some(&good.before.reports),
            checks: &checks,
        };
        let counter = &self.shop.request.counter;
        let prompt = review::prepare(reviewer, &subject, counter, self.host)?;
        self.pay(Role::Reviewer, reviewer, &prompt)?;
        let (review, text) = review::ask(reviewer, &prompt, (Some(label), 1), self.run, self.host)?;
        let failed: Vec<String> = review.failed.iter().map(ToString::to_string).collect();
        Ok(json!({
            "text": text,
            "approves": review.verdict == Verdict::Approve,
            "failed": failed,
            "error": null,
        }))
    }

    /// Puts what is good at the end where it is wanted, or nowhere, under a title.
    pub(super) fn bring(
        &self,
        strand: &Strand,
        (title, land): (&str, Option<Land>),
    ) -> Result<Option<Executed>, StepError> {
        let (Some(executed), Some(hands)) = (&strand.good.executed, &self.shop.hands) else {
            return Ok(None);
        };
        if executed.changes.changes.is_empty() {
            return Ok(None);
        }
        let repository = self.shop.repository;
        let bench = strand.stand(repository)?;
        let changes = bench
            .scratch
            .changes(repository, &bench.noise, bench.threads);
        let changes = changes.map_err(ExecError::from)?;
        if !changes.is_same(&executed.changes) {
            return Err(StepError::NotWhatWasGood);
        }
        let patch = strand.good.before.patch.clone().unwrap_or_default();
        let patch = self.run.keep(PATCH_FILE, &patch)?;
        let file = |change: &Change| ChangedFile {
            path: change.path.clone(),
            what: ChangeKind::of(change),
        };
        let files = changes.changes.iter().map(file).collect();
        self.run.record(Happened::Changed { files })?;
        let good = &strand.good;
        let (named, said) = (&good.references, &good.before.reports);
        let mut audit = audit(named, said, &bench.scratch.snapshot, &changes.changes);
        audit.unplanned.retain(|path| !good.let_in.contains(path));
        let executed = Executed {
            changes,
            patch,
            audit,
            ..Executed::clone(executed)
        };
        let goal = Goal {
            title,
            land: land.unwrap_or(hands.land),
            unlike: hands.tolerance.unlike,
        };
        let place = (repository, bench);
        Ok(Some(bring(place, executed, self.run, goal, self.host)?))
    }

    /// Keeps what was good when the workflow stopped, and tells where it is.
    pub(super) fn keep_good(&self, strand: &Strand) {
        let Some(patch) = &strand.good.before.patch else {
            return;
        };
        if let Ok(file) = self.run.keep("good.patch", patch) {
            (self.host.tell)(&Event::Warning(format!(
                "what was good before that is kept as a patch in `{}`",
                file.display()
            )));
        }
    }
}

/// Fails where a file that was made before is no part of the change any more, and the change has rules that may ignore it: it would not land,
/// and nobody took it away.
fn none_is_lost(good: &[Change], executed: &Executed) -> Result<(), StepError> {
    let now = &executed.changes.changes;
    let is_rule = |change: &&Change| change.after.is_some() && change.path.name() == b".gitignore";
    if !now.iter().any(|change| is_rule(&change)) {
        return Ok(());
    }
    let made = good
        .iter()
        .filter(|change| change.before.is_none() && change.after.is_some());
    let lost = made.filter(|change| now.iter().all(|now| now.path != change.path));
    let lost: Vec<RepoPath> = lost.map(|change| change.path.clone()).collect();
    if lost.is_empty() {
        Ok(())
    } else {
        Err(StepError::Hidden(lost))
    }
}

/// Returns the patch of a change, if it changes anything.
fn patch(executed: &Executed) -> Result<Option<Vec<u8>>, StepError> {
    let patch = fs::read_regular(&executed.patch, MAX_PATCH_BYTES)?;
    Ok((!patch.is_empty()).then_some(patch))
}

/// Returns the names that a template of commands may use: those of the user's values.
pub(super) fn of_user(scope: &Scope, values: &[&String]) -> Scope {
    let is_value = |(name, _): &(&String, &Value)| values.contains(name);
    let own = scope.iter().filter(is_value);
    own.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
