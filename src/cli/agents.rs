//! The options by which every verb says who plays which role, and for how long.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use super::environment::Environment;
use super::number::parse_duration;
use super::printer::Printer;
use super::secrets::SecretsArgs;
use super::story;
use crate::agent::{Choice, Role};
use crate::flow::host::{Event, Host};
use crate::flow::player::Player;
use crate::flow::redact::Redactor;
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

/// The limits unless others are given; those of the arguments say the same.
pub(super) const DEFAULT_IDLE: Duration = Duration::from_mins(15);
pub(super) const DEFAULT_TIME: Duration = Duration::from_hours(2);

/// An agent that has ended gets this long to end what it started.
const GRACE: Duration = Duration::from_secs(3);

/// An agent that writes more is taken to write without end.
const MAX_OUTPUT_BYTES: u64 = 1 << 30;

/// Parses the name of an agent.
pub(super) fn parse_agent(text: &str) -> Result<Choice, String> {
    text.parse().map_err(|error| format!("{error}"))
}

/// Finds who plays `role`.
pub(super) fn player(
    role: Role,
    choice: Option<&Choice>,
    environment: &Environment,
) -> anyhow::Result<Player> {
    let catalogue = environment.catalogue()?;
    let path = environment.variable("PATH").unwrap_or_default();
    let player = Player::find(
        role,
        choice.cloned(),
        &catalogue,
        &path,
        &environment.directory,
    )?;
    Ok(player)
}

/// What a run is lent, with what it must outlive.
pub(super) struct Lent {
    shim: PathBuf,
    cache: PathBuf,
    variables: Vec<(OsString, OsString)>,
    names: Vec<OsString>,
    limits: Limits,
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
            names: self.lent.clone(),
            limits: Limits {
                idle: self.idle_limit,
                wall: self.time_limit,
                max_output_bytes: MAX_OUTPUT_BYTES,
                grace: GRACE,
            },
            redactor: self.secrets.redactor(environment)?,
            interrupt: Interrupt::install().context("cannot watch for signals")?,
        })
    }
}

impl Lent {
    /// Returns the signal by which the user asked to stop.
    pub(super) fn signal(&self) -> Option<i32> {
        self.interrupt.signal()
    }

    /// Calls `work` with the host of a run that tells `printer`.
    pub(super) fn host<T>(&self, printer: &Printer, work: impl FnOnce(&Host<'_>) -> T) -> T {
        let interrupted = || self.interrupt.signal().is_some();
        let bar = RefCell::new(None);
        let tell = |event: &Event<'_>| match event {
            Event::Packing(done, n) => {
                let mut bar = bar.borrow_mut();
                bar.get_or_insert_with(|| printer.progress("packing"))
                    .show(*done, *n);
            }
            other => {
                bar.take();
                story::tell(printer, other);
            }
        };
        work(&Host {
            shim: self.shim.clone(),
            variables: self.variables.clone(),
            lent: self.names.clone(),
            cache: self.cache.clone(),
            redactor: Arc::clone(&self.redactor),
            limits: self.limits,
            interrupted: &interrupted,
            now: super::environment::now_ms,
            tell: &tell,
        })
    }
}
