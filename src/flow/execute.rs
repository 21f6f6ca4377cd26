//! The work of an executor on a plan: it edits, checks and reviewer judge, and what they find goes back to it.

use std::path::PathBuf;

use super::bench::{Bench, or_full};
use super::call::{Anew, Answered, Asked, call};
use super::checks::{CHECKS_FOLDER, When, place_scripts, run_checks};
use super::edits;
use super::examine::{altered, examine, keep_partly};
use super::exec::{Before, ExecError, ExecRequest, Executed, Extent, Goal, Unlike};
use super::host::{Event, Host};
use super::land::{Land, Landed, branch, land};
use super::plan::{Prompt, given, require_room};
use super::player::Player;
use super::review::{self, Ledger, Subject};
use crate::agent::{Class, Gives, May, Role};
use crate::check::Checked;
use crate::fs::{self, FsError, Root};
use crate::patch;
use crate::path::RepoPath;
use crate::prompt::{self, Repair};
use crate::repo::{self, Repository};
use crate::review::{Review, Verdict};
use crate::run::{CallPlace, Run};
use crate::scratch::{Change, since};

/// A change is reviewed at most so often.
const MOST_REVIEWS: usize = 3;

/// No patch is larger.
const MAX_PATCH_BYTES: u64 = 1 << 30;

/// What the executor is asked next.
struct Turn<'a> {
    player: &'a Player,
    text: String,
    tokens: u64,
    /// What was asked first.
    first: String,
    /// The conversation that goes on.
    session: Option<String>,
    /// How often it was asked before.
    n_before: usize,
    /// The change that it works on.
    base: Option<Vec<u8>>,
    /// What all who may be asked can give.
    gives: Gives,
    /// The file with the whole change so far.
    patch: Option<PathBuf>,
}

/// A change that is good, and how it came to be.
pub(super) struct Worked {
    /// The change.
    pub(super) executed: Executed,
    /// What the executor said, of the steps before, too.
    pub(super) report: String,
    /// How often it was asked, for the steps before, too.
    pub(super) n_asked: usize,
}

impl Worked {
    /// Returns what the steps after this find done; `patch` is the change so far.
    pub(super) fn before(&self, patch: Option<Vec<u8>>) -> Before {
        let passed = self.executed.checks.iter().filter(|check| check.passed);
        Before {
            patch,
            reports: format!("{}\n\n", self.report.trim_end()),
            n_asked: self.n_asked,
            passed: passed.map(|check| check.command.clone()).collect(),
        }
    }
}

/// Lets the executor work, and has what it did checked and reviewed until it is good.
///
/// # Errors
///
/// Fails if it is not; the user's files are as they were.
pub(super) fn work_until_good(
    (repository, player): (&Repository, &Player),
    run: &Run,
    bench: &Bench,
    prompt: &Prompt,
    request: &ExecRequest<'_>,
    host: &Host<'_>,
) -> Result<Worked, ExecError> {
    let mut turn = Turn {
        player,
        text: prompt.text.clone(),
        tokens: prompt.tokens,
        first: prompt.text.clone(),
        session: None,
        n_before: 0,
        base: request.before.patch.clone(),
        gives: player.gives(),
        patch: None,
    };
    let mut ledger = Ledger::default();
    let (mut n_repairs, mut n_reviews) = (0, 0);
    let mut last: Option<Vec<Change>> = None;
    // What the run ends with if the executor is asked no more.
    let mut not_good = None;
    loop {
        host.go_on()?;
        let answered = ask((repository, bench), &turn, prompt, run, request, host);
        let answered = match (answered, not_good.take()) {
            // A recording ends where the run ended that it was made of.
            (Err(ExecError::Call(error)), Some(last)) if error.is_not_recorded() => {
                return Err(last);
            }
            (answered, _) => answered?,
        };
        if let (Some(own), 0) = (&answered.own, turn.n_before) {
            turn.first.clone_from(own);
        }
        let report = [&request.before.reports, answered.reply.text.as_str()].concat();
        let n_asked = request.before.n_asked + turn.n_before + 1;
        let place = (repository, bench);
        let executed = match judge(place, &answered, (&report, n_asked - 1), run, request, host) {
            Ok(executed) => executed,
            Err(error) => return Err(rejected(error, &answered, run, request)?),
        };
        // Who was told what is wrong and left all as it was will not do better.
        let changed = executed.changes.changes.clone();
        let is_stuck = last.as_ref() == Some(&changed);
        last = Some(changed);
        let n_failed = failing(&executed, request).count();
        if n_failed > 0 {
            if n_repairs == request.check_rounds || is_stuck {
                let executed = Box::new(executed);
                let error = ExecError::Failed { n_failed, executed };
                return Err(rejected(error, &answered, run, request)?);
            }
            n_repairs += 1;
            (host.tell)(&Event::Repairing(n_failed, n_repairs, request.check_rounds));
            turn = repair(&answered, &turn, &[], &executed, run, request, host)?;
            let executed = Box::new(executed);
            not_good = Some(ExecError::Failed { n_failed, executed });
            continue;
        }
        let worked = |executed| Worked {
            executed,
            report: report.clone(),
            n_asked,
        };
        let reviewer = request.reviewer;
        let Some(reviewer) = reviewer.filter(|_| request.rules.extent != Extent::Group) else {
            return Ok(worked(executed));
        };
        n_reviews += 1;
        let review = read(reviewer, &executed, &report, n_reviews, run, request, host)?;
        if review.verdict == Verdict::Approve {
            return Ok(worked(executed));
        }
        let found = ledger.enter(&review.failed);
        turn = repair(&answered, &turn, &found, &executed, run, request, host)?;
        let disputed = ExecError::Disputed {
            n_rounds: n_reviews,
            found,
            executed: Box::new(executed),
        };
        if n_reviews == MOST_REVIEWS || is_stuck {
            return Err(disputed);
        }
        not_good = Some(disputed);
    }
}

/// Says whether a change may go on, and runs the checks on it. Where these write lock files of manifests that are changed, that is part of
/// the change, and they are run once more on it.
fn judge(
    place: (&Repository, &Bench),
    answered: &Answered<'_>,
    (report, n_before): (&str, usize),
    run: &Run,
    request: &ExecRequest<'_>,
    host: &Host<'_>,
) -> Result<Executed, ExecError> {
    let rules = &request.rules;
    let looked = || examine(place, Some(answered), report, run, rules, host);
    let executed = looked()?;
    let changed: Vec<RepoPath> = executed
        .changes
        .changes
        .iter()
        .map(|it| it.path.clone())
        .collect();
    let is_lock = |path: &RepoPath| changed.iter().any(|of| repo::locks(path, of));
    let records = records_of(request.step);
    match check(
        place,
        executed,
        (&records, n_before),
        run,
        rules.checks,
        host,
    ) {
        Err(ExecError::Altered { altered, .. }) if altered.iter().all(is_lock) => {
            let records = format!("{records}/locked");
            check(
                place,
                looked()?,
                (&records, n_before),
                run,
                rules.checks,
                host,
            )
        }
        checked => checked,
    }
}

/// Returns the folder with what the checks say: each step of a workflow has one of its own.
pub(super) fn records_of(step: Option<&str>) -> String {
    match step {
        Some(step) => format!("{CHECKS_FOLDER}/{step}"),
        None => CHECKS_FOLDER.to_owned(),
    }
}

/// Returns the checks that keep a change from being good: before other steps those that passed before these steps.
fn failing<'a>(
    executed: &'a Executed,
    request: &ExecRequest<'a>,
) -> impl Iterator<Item = &'a Checked> {
    let (extent, passed) = (request.rules.extent, &request.before.passed);
    let failed = executed.checks.iter().filter(|check| !check.passed);
    failed.filter(move |check| {
        let is_it = |before: &&Checked| before.command == check.command;
        let before = executed.baseline.iter().find(is_it);
        extent != Extent::Group
            || before.is_none_or(|before| before.passed)
            || passed.contains(&check.command)
    })
}

/// Sees to it that whoever goes on with the run gets another answer for a group of steps than one that `error` rejects.
fn rejected(
    error: ExecError,
    answered: &Answered<'_>,
    run: &Run,
    request: &ExecRequest<'_>,
) -> Result<ExecError, FsError> {
    if request.rules.extent != Extent::Whole && error.is_of_change() {
        run.fail_call(&answered.place, Some(Class::Malformed), error.to_string())?;
    }
    Ok(error)
}

/// Puts the scratch back to what the executor began with: the user's files, and what was made of them before.
pub(super) fn begin_again(
    (repository, bench): (&Repository, &Bench),
    base: Option<&[u8]>,
) -> Result<(), ExecError> {
    bench.scratch.restore(repository, bench.threads)?;
    if let Some(patch) = base {
        patch::apply(patch, &Root::open(&bench.scratch.folder)?)?;
    }
    Ok(())
}

/// Puts a good change where it is wanted.
///
/// # Errors
///
/// Fails if nothing landed; the user's files are then as they were.
pub(super) fn bring(
    (repository, bench): (&Repository, &Bench),
    mut executed: Executed,
    run: &Run,
    goal: Goal<'_>,
    host: &Host<'_>,
) -> Result<Executed, ExecError> {
    if goal.unlike == Unlike::Refused && !executed.audit.is_clean() {
        return Err(ExecError::Unlike(Box::new(executed)));
    }
    host.go_on()?;
    executed.landed = match goal.land {
        Land::Tree => land(&repository.root, run, &executed, host)?,
        Land::Branch => branch(bench, run, &executed, goal.title)?,
        Land::None => Landed::Kept,
    };
    Ok(executed)
}

/// Runs the checks on a change, before which the executor was asked so often, with what they say in the folder `records`; they find nothing that does not land with it but
/// what was there before.
pub(super) fn check(
    (repository, bench): (&Repository, &Bench),
    mut executed: Executed,
    (records, n_before): (&str, usize),
    run: &Run,
    checks: &[String],
    host: &Host<'_>,
) -> Result<Executed, ExecError> {
    let scratch = &bench.scratch;
    let when = When::After(n_before);
    let records = format!("{}{records}", bench.place);
    let place = (scratch.folder.as_path(), records.as_str());
    if checks.is_empty() {
        return Ok(executed);
    }
    settle(bench, repository, &executed.changes.changes, host)?;
    executed.checks = run_checks(run, place, checks, when, host)?;
    let now = scratch.changes(repository, &bench.noise, bench.threads)?;
    let altered = altered(&executed.changes, &now, &bench.stirred);
    if !altered.is_empty() {
        let patch = executed.patch;
        return Err(ExecError::Altered { altered, patch });
    }
    // What is left of the checks is not the executor's.
    let left = since(&executed.changes.changes, &now.changes);
    scratch.revert(&left.iter().map(|change| &change.path).collect())?;
    Ok(executed)
}

/// Sees to it that the checks find nothing in the scratch but the change `made`, and what was there before it.
pub(super) fn settle(
    bench: &Bench,
    repository: &Repository,
    made: &[Change],
    host: &Host<'_>,
) -> Result<(), ExecError> {
    let settled = bench
        .scratch
        .settle(repository, &bench.rest, made, bench.threads);
    or_full(settled, &host.cache).map(drop)
}

/// Has a reviewer read a change.
fn read(
    reviewer: &Player,
    executed: &Executed,
    report: &str,
    n: usize,
    run: &Run,
    request: &ExecRequest<'_>,
    host: &Host<'_>,
) -> Result<Review, ExecError> {
    let patch = fs::read_regular(&executed.patch, MAX_PATCH_BYTES)?;
    let subject = Subject {
        plan: Some(&request.rules.plan.text),
        diff: &String::from_utf8_lossy(&patch),
        report: Some(report),
        checks: &executed.checks,
    };
    let prompt = review::prepare(reviewer, &subject, request.counter, host)?;
    let (review, _) = review::ask(reviewer, &prompt, (request.step, n), run, host)?;
    Ok(review)
}

/// Returns what the executor is asked about a change that is not good yet: checks that fail, or what a reviewer found.
fn repair<'a>(
    answered: &Answered<'a>,
    turn: &Turn<'_>,
    found: &[(crate::review::Finding, usize)],
    executed: &Executed,
    run: &Run,
    request: &ExecRequest<'_>,
    host: &Host<'_>,
) -> Result<Turn<'a>, ExecError> {
    let player = answered.player;
    let session = answered.reply.session.clone();
    // Who answers with edits is told all each time.
    let goes_on = player.agent.has_sessions() && turn.gives == Gives::Files;
    let session = session.filter(|_| goes_on);
    let answer = (turn.gives == Gives::Answer).then_some(answered.reply.text.as_str());
    // A reviewer reads what all groups made: its edits are made on that.
    let is_of_all =
        !found.is_empty() && answer.is_some() && request.rules.extent == Extent::LastGroup;
    let (first, base) = if is_of_all {
        let patch = fs::read_regular(&executed.patch, MAX_PATCH_BYTES)?;
        ((request.make_of_all)(player)?.text, Some(patch))
    } else {
        (turn.first.clone(), turn.base.clone())
    };
    let failed: Vec<_> = failing(executed, request)
        .map(|check| {
            let is_it = |before: &&Checked| before.command == check.command;
            let before = executed.baseline.iter().find(is_it);
            prompt::Failed {
                command: &check.command,
                how: &check.how,
                output: &check.output,
                failed_before: before.is_some_and(|before| !before.passed),
            }
        })
        .collect();
    let text = prompt::repair(&Repair {
        asked: session.is_none().then_some(first.as_str()),
        answer: answer.filter(|_| !is_of_all),
        is_shown: is_of_all,
        failed: &failed,
        found: &found
            .iter()
            .map(|(finding, times)| (finding.text.as_str(), *times))
            .collect::<Vec<_>>(),
    });
    // What checks write may be other words each time: an answer that is there was given to these.
    let text = match run.asked_next((Role::Executor, request.step))? {
        Some(text) => text,
        None => host.redactor.redacted(&text),
    };
    let mut tokens = given(text.clone(), request.counter, player, Role::Executor)?.tokens;
    if session.is_some() {
        tokens = tokens.saturating_add(answered.said(turn.tokens));
    }
    Ok(Turn {
        player,
        text,
        tokens,
        first,
        session,
        n_before: turn.n_before + 1,
        base,
        gives: turn.gives,
        patch: Some(executed.patch.clone()),
    })
}

/// Asks the executor, which edits the files of the scratch, or answers with edits that are made there.
fn ask<'a>(
    (repository, bench): (&Repository, &Bench),
    turn: &Turn<'a>,
    prompt: &Prompt,
    run: &Run,
    request: &ExecRequest<'_>,
    host: &Host<'_>,
) -> Result<Answered<'a>, ExecError> {
    let scratch = &bench.scratch;
    // Later it is asked about what it did.
    let anew = |player: &Player| {
        if turn.n_before > 0 && turn.session.is_none() {
            let count = request.counter.count(&turn.text);
            return require_room(&turn.text, &count, player, Role::Executor).map(|()| None);
        }
        let own = prompt.anew(player, Role::Executor, request.make)?;
        if turn.n_before == 0 {
            return Ok(own);
        }
        // Who stands in had no part in the conversation.
        let first = own.as_ref().map_or(prompt.text.as_str(), |(text, _)| text);
        let all = prompt::retold(first, None, &turn.text);
        let all = given(all, request.counter, player, Role::Executor)?;
        Ok(Some((all.text, all.tokens)))
    };
    match turn.gives {
        Gives::Files => work((repository, bench), turn, &anew, run, request, host),
        Gives::Answer => {
            if turn.n_before > 0 {
                // Each answer holds the whole change.
                begin_again((repository, bench), turn.base.as_deref())?;
            }
            let root = Root::open(&scratch.folder)?;
            let asked = (turn.text.as_str(), turn.tokens);
            let scratch = (turn.player, &root);
            edits::ask(scratch, run, asked, &anew, request, host)
        }
    }
}

/// Lets the executor edit the files of the scratch.
fn work<'a>(
    (repository, bench): (&Repository, &Bench),
    turn: &Turn<'a>,
    anew: Anew<'_>,
    run: &Run,
    request: &ExecRequest<'_>,
    host: &Host<'_>,
) -> Result<Answered<'a>, ExecError> {
    let scratch = &bench.scratch;
    let checks = place_scripts(request.rules.checks, &scratch.folder, &host.redactor)?;
    let reset = |run: &Run, place: &CallPlace| {
        keep_partly((repository, bench), Some(place), run, host)
            .and_then(|()| go_back((repository, bench), turn))
            .is_ok()
    };
    let asked = Asked {
        role: Role::Executor,
        step: request.step,
        prompt: &turn.text,
        tokens: turn.tokens,
        anew: Some(anew),
        folder: &scratch.folder,
        may: May::Edit { checks: &checks },
        session: turn.session.as_deref(),
        // What it says does not count, but what it did.
        check: &|_, _| Ok(()),
        reset: &reset,
    };
    let answered = match call(run, turn.player, &asked, host) {
        Ok(answered) => answered,
        Err(error) => {
            keep_partly((repository, bench), None, run, host)?;
            return Err(error.into());
        }
    };
    if let Some(change) = &answered.reply.change {
        if turn.n_before > 0 || turn.base.is_some() {
            // What was kept of an answer is the whole change.
            scratch.restore(repository, bench.threads)?;
        }
        if let Err(error) = patch::apply(change, &Root::open(&scratch.folder)?) {
            run.fail_call(&answered.place, Some(Class::Malformed), error.to_string())?;
            return Err(error.into());
        }
    }
    Ok(answered)
}

/// Makes the scratch as it was when the executor was asked: with all that was changed before.
fn go_back(place: (&Repository, &Bench), turn: &Turn<'_>) -> Result<(), ExecError> {
    let Some(file) = &turn.patch else {
        return begin_again(place, turn.base.as_deref());
    };
    begin_again(place, Some(&fs::read_regular(file, MAX_PATCH_BYTES)?))
}
