//! The options by which every verb says who plays which role, and for how long.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use super::environment::{Environment, now_ms};
use super::live::Live;
use super::number::{parse_duration, parse_tokens};
use super::power::PowerArgs;
use super::printer::Printer;
use super::secrets::{SecretsArgs, secret_values};
use super::story;
use crate::agent::Chain;
use crate::flow::budget::Budget;
use crate::flow::checks::CHECK_LIMIT;
use crate::flow::host::{Event, Host};
use crate::flow::player::{Player, PlayerError};
use crate::flow::rate::Limiter;
use crate::flow::redact::Redactor;
use crate::flow::sweep::{self, Claim};
use crate::fs::FsError;
use crate::process::{Interrupt, Limits};

/// For how long agents may work, and what they get.
#[derive(Args, Debug)]
pub(super) struct AgentArgs {
    /// End an agent that has written nothing for this long
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = parse_duration)]
    pub(super) idle_limit: Duration,

    /// End an agent that has not ended after this long
    #[arg(long, value_name = "TIME", default_value = "2h", value_parser = parse_duration)]
    pub(super) time_limit: Duration,

    /// Wait this long, all waits together, for a vendor that is busy or out of reach
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = parse_duration)]
    pub(super) max_wait: Duration,

    #[command(flatten)]
    pub(super) power: PowerArgs,

    #[command(flatten)]
    pub(super) budget: BudgetArgs,

    /// Let agents have this variable of your environment, too (can be repeated)
    #[arg(long = "env", value_name = "NAME")]
    pub(super) lent: Vec<OsString>,

    /// Go on without asking
    #[arg(short, long)]
    pub(super) yes: bool,

    /// Stop before the first agent; show route, prompts, costs and command lines
    #[arg(long)]
    pub(super) dry_run: bool,

    #[command(flatten)]
    secrets: SecretsArgs,
}

/// The heading of the options that bound a run.
const BUDGET: &str = "Budget of the run";

/// What a run may use; it stops before the call that would be more, and can be gone on with.
#[derive(Args, Debug)]
pub(super) struct BudgetArgs {
    /// Stop before agents have used more tokens, in all
    #[arg(long = "run-tokens", help_heading = BUDGET, value_name = "N", value_parser = parse_tokens)]
    tokens: Option<u64>,

    /// Stop before what is billed by the token has cost more, in US dollars
    #[arg(long = "run-cost", help_heading = BUDGET, value_name = "USD", value_parser = parse_dollars)]
    cost: Option<f64>,

    /// Stop after this time
    #[arg(long = "run-time", help_heading = BUDGET, value_name = "TIME", value_parser = parse_duration)]
    time: Option<Duration>,

    /// Stop before more calls of agents, those that failed included
    #[arg(long = "run-calls", help_heading = BUDGET, value_name = "N")]
    calls: Option<u64>,
}

impl BudgetArgs {
    /// Returns the budget.
    fn budget(&self) -> Budget {
        Budget {
            tokens: self.tokens,
            dollars: self.cost,
            time: self.time,
            calls: self.calls,
        }
    }

    /// Says whether money is bounded.
    pub(super) fn bounds_cost(&self) -> bool {
        self.cost.is_some()
    }

    /// Returns the options that were given, as they are written.
    pub(super) fn words(&self) -> Vec<(&'static str, String)> {
        let seconds = |time: Duration| format!("{}s", time.as_secs());
        let all = [
            ("--run-tokens", self.tokens.map(|n| n.to_string())),
            ("--run-cost", self.cost.map(|amount| amount.to_string())),
            ("--run-time", self.time.map(seconds)),
            ("--run-calls", self.calls.map(|n| n.to_string())),
        ];
        let given = all.into_iter();
        given
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

/// The limits unless others are given; those of the arguments say the same.
pub(super) const DEFAULT_IDLE: Duration = Duration::from_mins(15);
pub(super) const DEFAULT_TIME: Duration = Duration::from_hours(2);
pub(super) const DEFAULT_WAIT: Duration = Duration::from_mins(10);

/// An agent that has ended gets this long to end what it started.
const GRACE: Duration = Duration::from_secs(3);

/// An agent that writes more is taken to write without end.
const MAX_OUTPUT_BYTES: u64 = 256 << 20;

/// Parses the names of agents.
pub(super) fn parse_agents(text: &str) -> Result<Chain, String> {
    text.parse().map_err(|error| format!("{error}"))
}

/// Parses an amount of money.
fn parse_dollars(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(amount) if f64::is_finite(amount) && amount >= 0.0 => Ok(amount),
        _ => Err("give dollars, such as 2.50".to_owned()),
    }
}

/// What a run is lent, with what it must outlive.
pub(super) struct Lent {
    shim: PathBuf,
    cache: PathBuf,
    variables: Vec<(OsString, OsString)>,
    secrets: Vec<String>,
    names: Vec<OsString>,
    limits: Limits,
    budget: Budget,
    longest_wait: Duration,
    /// Between the starts of two programs.
    stagger: Duration,
    /// How long a check may take.
    pub(super) check_limit: Duration,
    /// The folder of the run that is done again, if one is.
    replayed: Option<PathBuf>,
    interrupt: Interrupt,
    /// What keeps secrets out of packs and prompts.
    pub(super) redactor: Arc<Redactor>,
}

impl AgentArgs {
    /// Gathers what a run is lent.
    pub(super) fn lend(&self, environment: &Environment) -> anyhow::Result<Lent> {
        Ok(Lent {
            shim: environment.program()?,
            cache: environment.cache()?,
            variables: environment.variables(),
            secrets: secret_values(environment.variables()),
            names: self.lent.clone(),
            limits: Limits {
                idle: self.idle_limit,
                wall: self.time_limit,
                max_output_bytes: MAX_OUTPUT_BYTES,
                grace: GRACE,
            },
            budget: self.budget.budget(),
            longest_wait: self.max_wait,
            stagger: environment.stagger(),
            check_limit: CHECK_LIMIT,
            replayed: environment.replayed.clone(),
            redactor: self.secrets.redactor(environment)?,
            interrupt: Interrupt::install().context("cannot watch for signals")?,
        })
    }
}

impl AgentArgs {
    /// Says whether those who are asked have their keys; nobody is, where only the beginning is shown.
    ///
    /// # Errors
    ///
    /// Fails if one has not.
    pub(super) fn require_keys<'a>(
        &self,
        players: impl IntoIterator<Item = &'a Player>,
        lent: &Lent,
    ) -> Result<(), PlayerError> {
        let mut asked = players.into_iter().filter(|_| !self.dry_run);
        asked.try_for_each(|player| player.require_key(&lent.variables))
    }
}

impl Lent {
    /// Returns the values of the environment that stay in nothing.
    pub(super) fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// Says whether somebody is billed for what `player` uses.
    pub(super) fn is_metered(&self, player: &Player) -> bool {
        player.billing(&self.variables).is_metered()
    }

    /// Returns the signal by which the user asked to stop.
    pub(super) fn signal(&self) -> Option<i32> {
        self.interrupt.signal()
    }

    /// Holds the place of the run `id` in the cache, and clears what dead runs left there.
    pub(super) fn claim(&self, id: &str) -> Result<Claim, FsError> {
        sweep::claim(&self.cache, id)
    }

    /// Calls `work` with the host of a run that tells `printer`.
    pub(super) fn host<T>(&self, printer: &Printer, work: impl FnOnce(&Host<'_>) -> T) -> T {
        let live = Live::new(printer);
        let interrupted = || {
            live.refresh();
            self.interrupt.signal().is_some()
        };
        let bar = Mutex::new(None);
        let tell = |event: &Event<'_>| {
            let (step, event) = match event {
                Event::Beside(step, event) => (Some(*step), *event),
                event => (None, event),
            };
            match event {
                Event::Packing(done, n) => {
                    let mut bar = bar.lock().unwrap_or_else(PoisonError::into_inner);
                    bar.get_or_insert_with(|| printer.progress("packing"))
                        .show(*done, *n);
                }
                other => {
                    drop(bar.lock().unwrap_or_else(PoisonError::into_inner).take());
                    live.tell(step, other, || story::tell(printer, step, other));
                }
            }
        };
        work(&Host {
            shim: self.shim.clone(),
            variables: self.variables.clone(),
            secrets: self.secrets.clone(),
            lent: self.names.clone(),
            cache: self.cache.clone(),
            redactor: Arc::clone(&self.redactor),
            limits: self.limits,
            budget: self.budget,
            longest_wait: self.longest_wait,
            check_limit: self.check_limit,
            replayed: self.replayed.as_deref(),
            limiter: Arc::new(Limiter::new(&self.cache, self.stagger, now_ms)),
            interrupted: &interrupted,
            now: now_ms,
            tell: &tell,
        })
    }
}
