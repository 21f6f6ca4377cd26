//! Asking an agent within a run: within its budget, again where that helps, and others in its place.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use super::budget::BudgetError;
use super::glance::Glance;
use super::host::{Event, Host, Interrupted};
use super::patience::{Patience, Then};
use super::plan::PlanningError;
use super::player::Player;
use crate::agent::{
    Agent, AgentError, Billing, Call, Class, Difference, Doing, Failure, May, Next, Reply, Role,
    Setting, Usage,
};
use crate::fs::{self, FsError};
use crate::path::RepoPath;
use crate::process::{self, Limits};
use crate::run::{CallPlace, Event as Happened, Known, Reserve, Run, is_id};

/// No prompt is larger.
const MAX_PROMPT_BYTES: u64 = 256 << 20;

/// A prompt with its tokens.
pub(super) type Words = (String, u64);

/// Makes a prompt of its own for one that stands in and does not take what is asked; fails if it takes none.
pub(super) type Anew<'a> = &'a dyn Fn(&Player) -> Result<Option<Words>, PlanningError>;

/// What an agent is asked, and where it works.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) role: Role,
    /// The step of a workflow that asks, if one does.
    pub(super) step: Option<&'a str>,
    pub(super) prompt: &'a str,
    /// The tokens of the prompt.
    pub(super) tokens: u64,
    /// What those who stand in are asked; none where nobody can: what was said in a conversation is known to one agent. Where it is
    /// known to us, too, each is asked by a prompt of its own that says it.
    pub(super) anew: Option<Anew<'a>>,
    pub(super) folder: &'a Path,
    pub(super) may: May<'a>,
    pub(super) session: Option<&'a str>,
    /// Says what is wrong with an answer that is not what was asked for.
    pub(super) check: &'a dyn Fn(&CallPlace, &str) -> Result<(), Failure>,
    /// Takes back what an agent did in the folder before it failed; says whether another may begin there.
    pub(super) reset: &'a dyn Fn(&Run, &CallPlace) -> bool,
}

impl<'a> Asked<'a> {
    /// Returns what is asked for, and by which step.
    fn what(&self) -> (Role, Option<&'a str>) {
        (self.role, self.step)
    }
}

/// What came of a call.
pub(super) struct Answered<'a> {
    /// Where its files are.
    pub(super) place: CallPlace,
    /// The answer.
    pub(super) reply: Reply,
    /// Who gave it.
    pub(super) player: &'a Player,
    /// What it was asked, where that was a prompt of its own.
    pub(super) own: Option<String>,
}

impl Answered<'_> {
    /// Returns the tokens of what was said by now where so many were `asked`: as many as the agent tells, and never more
    /// than its model holds.
    pub(super) fn said(&self, asked: u64) -> u64 {
        let Usage { input, output, .. } = self.reply.usage;
        let told = input.unwrap_or(0).saturating_add(output.unwrap_or(0));
        let told = told.saturating_sub(self.player.overhead());
        told.max(asked).min(self.player.model.context_window)
    }
}

/// Calls an agent, again where that may help, and then those that stand in for it; prompts, answers and what became of
/// each call are kept in the run.
pub(super) fn call<'a>(
    run: &Run,
    player: &'a Player,
    asked: &Asked<'_>,
    host: &Host<'_>,
) -> Result<Answered<'a>, PlanningError> {
    let (known, own) = known(run, player, asked)?;
    match known {
        Known::Answered(place, agent, reply) => {
            if let Err(failure) = (asked.check)(&place, &reply.text) {
                run.fail_call(&place, Some(failure.class), failure.message.clone())?;
                let role = asked.role;
                return Err(AgentError::Failed {
                    agent,
                    role,
                    failure,
                }
                .into());
            }
            (host.tell)(&Event::Reused(asked.role, reply.usage));
            let by_name = |player: &&Player| player.agent.name() == agent;
            return Ok(Answered {
                place,
                reply: *reply,
                player: player.chain().find(by_name).unwrap_or(player),
                own,
            });
        }
        Known::Other(file) => return Err(changed(asked, &file)?),
        Known::Nothing => {}
    }
    let mut player = player;
    let mut own = recorded(player, asked)?;
    let mut patience = Patience::new(host.longest_wait);
    loop {
        let asked = &match &own {
            Some((prompt, tokens)) => Asked {
                prompt,
                tokens: *tokens,
                session: None,
                ..*asked
            },
            None => *asked,
        };
        if matches!(player.agent, Agent::Caller) {
            let agent = player.agent.name();
            let place = run.begin_call(asked.what(), &agent, asked.prompt, Reserve::default())?;
            return Err(PlanningError::Waiting {
                role: asked.role,
                prompt: place.prompt_file,
            });
        }
        patience.begin(format!("{} {}", run.id, player.choice()));
        let (error, place) = match insist(run, player, asked, &mut patience, host)? {
            Ok(mut answered) => {
                answered.own = own.map(|(prompt, _)| prompt);
                return Ok(answered);
            }
            Err(failed) => failed,
        };
        // What one left half-done is no other's to finish.
        let may = player.next.is_some() && may_fall_back(&error);
        let Some(anew) = asked.anew.filter(|_| may && (asked.reset)(run, &place)) else {
            return Err(error.into());
        };
        (player, own) = stand_in(asked.role, anew, player, error, run, host)?;
    }
}

/// Returns who is asked in the place of `player`, the next in line that takes what is asked, with its own prompt if it
/// needs one; that is told and recorded.
///
/// # Errors
///
/// Fails with `error`, why `player` cannot, if nobody is left.
pub(super) fn stand_in<'a>(
    role: Role,
    anew: Anew<'_>,
    player: &'a Player,
    mut error: AgentError,
    run: &Run,
    host: &Host<'_>,
) -> Result<(&'a Player, Option<Words>), PlanningError> {
    for next in player.chain().skip(1) {
        let over = match anew(next) {
            Ok(own) => {
                let (from, to) = (player.agent.name(), next.agent.name());
                (host.tell)(&Event::FellBack(role, &error, &to));
                run.record(Happened::FellBack { role, from, to })?;
                return Ok((next, own));
            }
            Err(over) if over.is_too_large() => over,
            Err(error) => return Err(error),
        };
        let agent = next.agent.name();
        let why = match over.source() {
            Some(source) => format!("{over}: {source}"),
            None => over.to_string(),
        };
        let told = format!("{agent} cannot be asked in its place: {why}");
        (host.tell)(&Event::Warning(told.clone()));
        run.record(Happened::PassedOver {
            role,
            agent,
            class: Class::OverWindow,
            message: why,
        })?;
        if let AgentError::Failed { failure, .. } = &mut error {
            failure.message = format!("{}; {told}", failure.message);
        }
    }
    Err(error.into())
}

/// Returns what the run knows of the prompt, or of those that stand-ins got in its place, and that prompt.
fn known(
    run: &Run,
    player: &Player,
    asked: &Asked<'_>,
) -> Result<(Known, Option<String>), PlanningError> {
    let known = run.known(asked.what(), asked.prompt)?;
    if let (Known::Other(_), Some(anew)) = (&known, asked.anew) {
        for next in player.chain().skip(1) {
            let own = match anew(next) {
                Err(error) if error.is_too_large() => continue,
                own => own?,
            };
            if let Some((prompt, _)) = own
                && let answered @ Known::Answered(..) = run.known(asked.what(), &prompt)?
            {
                return Ok((answered, Some(prompt)));
            }
        }
    }
    Ok((known, None))
}

/// Returns the prompt by which one was asked who stood in within a conversation, where that comes next in a recording.
fn recorded(player: &Player, asked: &Asked<'_>) -> Result<Option<Words>, PlanningError> {
    let (Agent::Recorded(recorded), Some(_), Some(anew)) =
        (&player.agent, asked.session, asked.anew)
    else {
        return Ok(None);
    };
    let usual = recorded.n_before(asked.role, asked.prompt)?;
    let own = match anew(player) {
        Err(error) if error.is_too_large() => None,
        own => own?,
    };
    let Some((prompt, tokens)) = own else {
        return Ok(None);
    };
    // The same may have been asked in a later round.
    let at = recorded.n_before(asked.role, &prompt)?;
    let is_next = at.is_some_and(|at| usual.is_none_or(|usual| at < usual));
    Ok(is_next.then_some((prompt, tokens)))
}

/// Says whether another agent may do what one could not.
fn may_fall_back(error: &AgentError) -> bool {
    match error {
        AgentError::Failed { failure, .. } => failure.class.next() != Next::Stop,
        AgentError::Process(_) => true,
        AgentError::Fs(_) => false,
    }
}

/// Calls one agent, again as long as that may help; the inner error is its last, with the call.
fn insist<'a>(
    run: &Run,
    player: &'a Player,
    asked: &Asked<'_>,
    patience: &mut Patience,
    host: &Host<'_>,
) -> Result<Result<Answered<'a>, (AgentError, CallPlace)>, PlanningError> {
    loop {
        host.go_on()?;
        let billing = player.billing(&host.variables);
        let now = (host.now)();
        let reserve = host
            .budget
            .reserve(run, player, asked.tokens, billing.is_metered(), now)?;
        throttle(player, asked, reserve, run, host)?;
        let agent = player.agent.name();
        let metered = billing.is_metered();
        let booking = run.book();
        // Others may have been asked meanwhile.
        host.budget
            .reserve(run, player, asked.tokens, metered, (host.now)())?;
        let place = run.begin_call(asked.what(), &agent, asked.prompt, reserve)?;
        drop(booking);
        let error = match once(run, player, asked, &place, patience, host) {
            Ok(mut reply) => {
                price(&mut reply.usage, player, billing);
                run.end_call(&place, &agent, &reply, asked.may.gives(), billing)?;
                let took = (host.now)().saturating_sub(now);
                (host.tell)(&Event::Answered(asked.role, reply.usage, billing, took));
                match (asked.check)(&place, &reply.text) {
                    Ok(()) => {
                        return Ok(Ok(Answered {
                            place,
                            reply,
                            player,
                            own: None,
                        }));
                    }
                    Err(failure) => AgentError::Failed {
                        agent,
                        role: asked.role,
                        failure,
                    },
                }
            }
            Err(error) => error,
        };
        let AgentError::Failed { failure, .. } = &error else {
            run.fail_call(&place, None, error.to_string())?;
            return Ok(Err((error, place)));
        };
        run.fail_call(&place, Some(failure.class), failure.message.clone())?;
        let tell_first = |_: &BudgetError| {
            let agent = player.agent.name();
            let told = format!("{agent} gave no answer: {failure}");
            (host.tell)(&Event::Warning(told));
        };
        // It was ended because the run has no more time.
        let checked = host.budget.check_time(run, (host.now)());
        checked.inspect_err(tell_first)?;
        let wait = match patience.after(failure) {
            Then::Again(wait) => wait,
            Then::TooLong(wait) => {
                (host.tell)(&Event::WaitsTooLong(asked.role, wait, host.longest_wait));
                return Ok(Err((error, place)));
            }
            Then::Other | Then::Stop => return Ok(Err((error, place))),
        };
        let left = host.budget.time_left(run, (host.now)());
        if left.is_some_and(|left| left <= wait) || !(asked.reset)(run, &place) {
            return Ok(Err((error, place)));
        }
        if failure.class == Class::RateLimited {
            host.limiter.hold(player.account(), wait);
        }
        let again = host
            .budget
            .reserve(run, player, asked.tokens, metered, (host.now)());
        again.inspect_err(tell_first)?;
        (host.tell)(&Event::Waiting(asked.role, failure, wait));
        pause(wait, run, host)?;
    }
}

/// Waits until an agent may be asked, by the rates that the user gave it.
fn throttle(
    player: &Player,
    asked: &Asked<'_>,
    reserve: Reserve,
    run: &Run,
    host: &Host<'_>,
) -> Result<(), PlanningError> {
    let account = player.account();
    let mut is_first = true;
    while let Some(wait) = host.limiter.book(account, player.rates, reserve.tokens) {
        let left = host.budget.time_left(run, (host.now)());
        let wait = left.map_or(wait, |left| wait.min(left));
        if std::mem::take(&mut is_first) {
            (host.tell)(&Event::Throttled(asked.role, wait));
        }
        pause(wait, run, host)?;
        host.budget.check_time(run, (host.now)())?;
    }
    Ok(())
}

/// Waits until a program may start beside those that did; who starts none waits for nothing.
fn stagger(player: &Player, host: &Host<'_>) -> Result<(), Interrupted> {
    match player.agent {
        Agent::Program(_) | Agent::Command(_) => {}
        Agent::Http(_) | Agent::Recorded(_) | Agent::Caller => return Ok(()),
    }
    while let Some(wait) = host.limiter.start() {
        rest(wait, host)?;
    }
    Ok(())
}

/// Waits, and records that; what the user asks meanwhile ends it.
fn pause(wait: Duration, run: &Run, host: &Host<'_>) -> Result<(), PlanningError> {
    let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    run.record(Happened::Waited { ms })?;
    Ok(rest(wait, host)?)
}

/// Waits; what the user asks meanwhile ends it.
fn rest(wait: Duration, host: &Host<'_>) -> Result<(), Interrupted> {
    const TICK: Duration = Duration::from_millis(50);
    let mut left = wait;
    while !left.is_zero() {
        host.go_on()?;
        std::thread::sleep(left.min(TICK));
        left = left.saturating_sub(TICK);
    }
    host.go_on()
}

/// Calls an agent one time.
fn once(
    run: &Run,
    player: &Player,
    asked: &Asked<'_>,
    place: &CallPlace,
    patience: &mut Patience,
    host: &Host<'_>,
) -> Result<Reply, AgentError> {
    let agent = player.agent.name();
    let is_confined = player.agent.is_confined(asked.may);
    let may_change_none = asked.may == May::Answer;
    let before = (may_change_none && !is_confined).then(|| Glance::at(run.root()));
    // Last of what takes its time before the program starts.
    stagger(player, host).map_err(|Interrupted| AgentError::Failed {
        agent: agent.clone(),
        role: asked.role,
        failure: Failure::new(Class::Interrupted, "you asked to stop"),
    })?;
    (host.tell)(&Event::Asking(asked.role, &agent));
    // Of its own: others may be asked at the same time.
    let number = place.number.to_string();
    let temporary = host.cache.join(&run.id).join("tmp").join(number);
    fs::make_private_folders(&temporary)?;
    let call = Call {
        role: asked.role,
        step: place.step.as_deref(),
        prompt: asked.prompt,
        prompt_file: &place.prompt_file,
        prompt_hash: &place.prompt_hash,
        record: &place.folder,
        folder: asked.folder,
        may: asked.may,
        session: asked.session,
    };
    let left = host.budget.time_left(run, (host.now)());
    let longest = [Some(host.limits.wall), player.longest, left];
    let limits = Limits {
        wall: longest
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(host.limits.wall),
        ..host.limits
    };
    let setting = Setting {
        shim: &host.shim,
        variables: &host.variables,
        lent: &host.lent,
        secrets: &host.secrets,
        temporary: &temporary,
        protected: run.root(),
        limits: &limits,
        longest_wait: patience.left(),
        interrupted: host.interrupted,
    };
    let answer = player.agent.ask(&call, &setting, &mut |doing| {
        let clean = |told: &str| process::struck(told, &host.secrets);
        match doing {
            Doing::Works(told) => (host.tell)(&Event::Doing(&clean(&told))),
            Doing::Waits(told, wait) => {
                patience.had(wait.unwrap_or_default());
                (host.tell)(&Event::WaitsItself(asked.role, &clean(&told)));
            }
            Doing::Left(n) => (host.tell)(&Event::Warning(format!(
                "{agent} left {n} processes that cannot be ended"
            ))),
        }
    });
    if matches!(answer, Err(AgentError::Failed { .. })) {
        // It may have failed for it could not write, whatever it says.
        fs::require_room(&place.folder)?;
        fs::require_room(&temporary)?;
    }
    // Some programs leave whole conversations there when they fail.
    if let Err(error) = fs::remove_folder(&temporary) {
        (host.tell)(&Event::Warning(format!("{error}: {}", error.source)));
    }
    if let Some(before) = before {
        tell_changed(&before.changed(&Glance::at(run.root())), &agent, host);
    }
    let reply = without(answer, &host.secrets)?;
    for denied in &reply.denied {
        let who = asked.role.who();
        (host.tell)(&Event::Warning(format!("{who} was not allowed: {denied}")));
    }
    if let Some(why) = &reply.unconfined {
        (host.tell)(&Event::Warning(format!(
            "{agent} was not confined to its folder: {why}"
        )));
    }
    Ok(reply)
}

/// Tells of files that changed while an agent was asked that may change none.
fn tell_changed(changed: &[RepoPath], agent: &str, host: &Host<'_>) {
    const MOST: usize = 5;
    if changed.is_empty() {
        return;
    }
    let names = changed.iter().take(MOST).map(|path| format!("`{path}`"));
    let names = names.collect::<Vec<_>>().join(", ");
    let more = match changed.len().saturating_sub(MOST) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    (host.tell)(&Event::Warning(format!(
        "files changed while {agent} was asked, which is to change none: {names}{more}"
    )));
}

/// Strikes values out of what an agent said.
fn without(answer: Result<Reply, AgentError>, values: &[String]) -> Result<Reply, AgentError> {
    match answer {
        Ok(mut reply) => {
            for text in reply.denied.iter_mut().chain([&mut reply.text]) {
                *text = process::struck(text, values);
            }
            // It goes into a path and a command line.
            let is_sound = |id: &String| is_id(id) && !process::holds(id.as_bytes(), values);
            reply.session = reply.session.filter(is_sound);
            Ok(reply)
        }
        Err(AgentError::Failed {
            agent,
            role,
            mut failure,
        }) => {
            failure.message = process::struck(&failure.message, values);
            Err(AgentError::Failed {
                agent,
                role,
                failure,
            })
        }
        Err(error) => Err(error),
    }
}

/// Puts a price on what was used where the agent did not, and takes it away where nobody is billed for it.
fn price(usage: &mut Usage, player: &Player, billing: Billing) {
    if !billing.is_metered() {
        usage.dollars = None;
    } else if let (None, Some(input), Some(output)) = (usage.dollars, usage.input, usage.output) {
        let cached = usage.cached.unwrap_or(0).min(input);
        usage.dollars = player.model.dollars(input - cached, cached, output);
    }
}

/// Says where a prompt differs from the one in `file`, which was answered.
fn changed(asked: &Asked<'_>, file: &Path) -> Result<PlanningError, FsError> {
    let old = fs::read_text(file, MAX_PROMPT_BYTES)?;
    Ok(PlanningError::Changed {
        role: asked.role,
        difference: Difference::of(&old, asked.prompt),
    })
}
