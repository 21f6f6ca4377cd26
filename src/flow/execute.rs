//! The work of an executor on a plan: it edits, checks and reviewer judge, and what they find goes back to it.

use super::call::{Answered, Asked, Words, call};
use super::checks::{When, place_scripts, run_checks};
use super::edits;
use super::examine::{altered, examine, keep_partly};
use super::exec::{Bench, ExecError, ExecRequest, Executed, Unlike};
use super::host::{Event, Host};
use super::land::{Land, Landed, branch, land};
use super::plan::{PlanningError, Prompt, given};
use super::player::Player;
use super::review::{self, Ledger, Subject};
use crate::agent::{Class, Gives, May, Role};
use crate::fs::{self, Root};
use crate::patch;
use crate::prompt::{self, Repair};
use crate::repo::Repository;
use crate::review::{Review, Verdict};
use crate::run::{CallPlace, Run};
use crate::scratch::Change;

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
}

/// Lets the executor work, has what it did checked and reviewed, and lands it if it is good.
///
/// # Errors
///
/// Fails if nothing landed; the user's files are then as they were.
pub fn execute(
    (repository, player): (&Repository, &Player),
    run: &mut Run,
    bench: &Bench,
    prompt: &Prompt,
    request: &ExecRequest<'_>,
    host: &Host<'_>,
) -> Result<Executed, ExecError> {
    let mut turn = Turn {
        player,
        text: prompt.text.clone(),
        tokens: prompt.tokens,
        first: prompt.text.clone(),
        session: None,
        n_before: 0,
    };
    let mut ledger = Ledger::default();
    let (mut n_repairs, mut n_reviews) = (0, 0);
    let mut last: Option<Vec<Change>> = None;
    // What the run ends with if the executor is asked no more.
    let mut not_good = None;
    let executed = loop {
        host.go_on()?;
        let answered = ask((repository, bench), &turn, prompt, run, request, host);
        let answered = match (answered, not_good.take()) {
            // A recording ends where the run ended that it was made of.
            (Err(ExecError::Call(error)), Some(last)) if error.is_not_recorded() => {
                return Err(last);
            }
            (answered, _) => answered?,
        };
        if let Some(own) = &answered.own {
            turn.first.clone_from(own);
        }
        let mut executed = examine((repository, bench), &answered, run, request, host)?;
        // Who was told what is wrong and left all as it was will not do better.
        let changed = executed.changes.changes.clone();
        let is_stuck = last.as_ref() == Some(&changed);
        last = Some(changed);
        check(
            (repository, bench),
            &mut executed,
            turn.n_before,
            run,
            request,
            host,
        )?;
        let n_failed = executed.checks.iter().filter(|check| !check.passed).count();
        if n_failed > 0 {
            if n_repairs == request.check_rounds || is_stuck {
                let executed = Box::new(executed);
                return Err(ExecError::Failed { n_failed, executed });
            }
            n_repairs += 1;
            (host.tell)(&Event::Repairing(n_failed, n_repairs, request.check_rounds));
            turn = repair(&answered, &turn, &[], &executed, run, request, host)?;
            let executed = Box::new(executed);
            not_good = Some(ExecError::Failed { n_failed, executed });
            continue;
        }
        let Some(reviewer) = request.reviewer else {
            break executed;
        };
        n_reviews += 1;
        let review = read(
            reviewer, &executed, &answered, n_reviews, run, request, host,
        )?;
        if review.verdict == Verdict::Approve {
            break executed;
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
    };
    if request.unlike == Unlike::Refused && !executed.audit.is_clean() {
        return Err(ExecError::Unlike(Box::new(executed)));
    }
    host.go_on()?;
    bring((repository, bench), executed, run, request, host)
}

/// Puts a good change where it is wanted.
fn bring(
    (repository, bench): (&Repository, &Bench),
    mut executed: Executed,
    run: &mut Run,
    request: &ExecRequest<'_>,
    host: &Host<'_>,
) -> Result<Executed, ExecError> {
    executed.landed = match request.land {
        Land::Tree => land(&repository.root, run, &executed, host)?,
        Land::Branch => branch(&bench.scratch, run, &executed, request.title)?,
        Land::None => Landed::Kept,
    };
    Ok(executed)
}

/// Runs the checks on a change.
fn check(
    (repository, bench): (&Repository, &Bench),
    executed: &mut Executed,
    round: usize,
    run: &mut Run,
    request: &ExecRequest<'_>,
    host: &Host<'_>,
) -> Result<(), ExecError> {
    let scratch = &bench.scratch;
    let when = When::After(round);
    executed.checks = run_checks(run, &scratch.folder, request.checks, when, host)?;
    let now = scratch.changes(repository, &bench.noise, bench.threads)?;
    let altered = altered(&executed.changes, &now);
    if altered.is_empty() {
        Ok(())
    } else {
        let patch = executed.patch.clone();
        Err(ExecError::Altered { altered, patch })
    }
}

/// Has a reviewer read a change.
fn read(
    reviewer: &Player,
    executed: &Executed,
    answered: &Answered<'_>,
    n: usize,
    run: &mut Run,
    request: &ExecRequest<'_>,
    host: &Host<'_>,
) -> Result<Review, ExecError> {
    let patch = fs::read_regular(&executed.patch, MAX_PATCH_BYTES)?;
    let subject = Subject {
        plan: Some(&request.plan.text),
        diff: &String::from_utf8_lossy(&patch),
        report: Some(&answered.reply.text),
        checks: &executed.checks,
    };
    let prompt = review::prepare(reviewer, &subject, request.counter, host)?;
    Ok(review::ask(reviewer, &prompt, n, run, host)?)
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
    let session = session.filter(|_| player.agent.has_sessions());
    let gives = player.gives();
    let failed = executed.checks.iter().filter(|check| !check.passed);
    let failed: Vec<_> = failed
        .map(|check| {
            let is_it = |before: &&crate::check::Checked| before.command == check.command;
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
        asked: session.is_none().then_some(turn.first.as_str()),
        answer: (gives == Gives::Answer).then_some(answered.reply.text.as_str()),
        failed: &failed,
        found: &found
            .iter()
            .map(|(finding, times)| (finding.text.as_str(), *times))
            .collect::<Vec<_>>(),
    });
    // What checks write may be other words each time: an answer that is there was given to these.
    let text = match run.asked_next(Role::Executor)? {
        Some(text) => text,
        None => host.redactor.redacted(&text),
    };
    let tokens = given(text.clone(), request.counter, player, Role::Executor)?.tokens;
    Ok(Turn {
        player,
        text,
        tokens,
        first: turn.first.clone(),
        session,
        n_before: turn.n_before + 1,
    })
}

/// Asks the executor, which edits the files of the scratch, or answers with edits that are made there.
fn ask<'a>(
    (repository, bench): (&Repository, &Bench),
    turn: &Turn<'a>,
    prompt: &Prompt,
    run: &mut Run,
    request: &ExecRequest<'_>,
    host: &Host<'_>,
) -> Result<Answered<'a>, ExecError> {
    let scratch = &bench.scratch;
    // Later it is asked about what it did.
    let anew = |player: &Player| match turn.n_before {
        0 => prompt.anew(player, Role::Executor, request.make),
        _ => Ok(None),
    };
    match turn.player.gives() {
        Gives::Files => work((repository, bench), turn, &anew, run, request, host),
        Gives::Answer => {
            if turn.n_before > 0 {
                // Each answer holds the whole change.
                scratch.restore(repository, bench.threads)?;
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
    anew: &dyn Fn(&Player) -> Result<Option<Words>, PlanningError>,
    run: &mut Run,
    request: &ExecRequest<'_>,
    host: &Host<'_>,
) -> Result<Answered<'a>, ExecError> {
    let scratch = &bench.scratch;
    let look = || scratch.changes(repository, &bench.noise, bench.threads);
    let checks = place_scripts(request.checks, &scratch.folder, &host.redactor)?;
    let reset = |run: &Run, place: &CallPlace| {
        keep_partly(run, Some(place), scratch, &look, host)
            .and_then(|()| Ok(scratch.restore(repository, bench.threads)?))
            .is_ok()
    };
    let asked = Asked {
        role: Role::Executor,
        step: None,
        prompt: &turn.text,
        tokens: turn.tokens,
        anew,
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
            keep_partly(run, None, scratch, &look, host)?;
            return Err(error.into());
        }
    };
    if let Some(change) = &answered.reply.change {
        if turn.n_before > 0 {
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
