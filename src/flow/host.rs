//! What the edges lend to a run, and what they are told of it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::audit::Audit;
use super::budget::Budget;
use super::plan::Prompt;
use super::rate::Limiter;
use super::redact::Redactor;
use super::route::Route;
use crate::agent::{AgentError, Billing, Failure, Role, Usage};
use crate::check::Checked;
use crate::plan::{Reference, Step};
use crate::process::Limits;
use crate::review::Review;
use crate::run::Sensitive;
use crate::secrets::Sighting;

/// What the edges lend: programs, environment, clock, and somebody to ask.
#[derive(Clone)]
pub struct Host<'a> {
    /// Our own program, which watches over each child.
    pub shim: PathBuf,
    /// The user's environment.
    pub variables: Vec<(OsString, OsString)>,
    /// Those of its values that are secret: they stay in nothing that a program of others wrote.
    pub secrets: Vec<String>,
    /// More variables that agents get, by name.
    pub lent: Vec<OsString>,
    /// Where scratches and empty folders are made, outside of every repository.
    pub cache: PathBuf,
    /// What keeps secrets out of prompts.
    pub redactor: Arc<Redactor>,
    /// How long agents may take.
    pub limits: Limits,
    /// What the run may use.
    pub budget: Budget,
    /// The folder of the run that is done again, if one is: its checks are not run, but said what they did.
    pub replayed: Option<&'a Path>,
    /// What keeps agents from being called too often.
    pub limiter: Arc<Limiter>,
    /// The longest that a call waits for a vendor, all its waits together.
    pub longest_wait: Duration,
    /// How long a check may take, and be silent.
    pub check_limit: Duration,
    /// Whether the user wants us to stop.
    pub interrupted: &'a (dyn Fn() -> bool + Sync),
    /// The time, in milliseconds since 1970.
    pub now: fn() -> u64,
    /// Is told what happens.
    pub tell: &'a (dyn Fn(&Event<'_>) + Sync),
}

impl Host<'_> {
    /// Returns an error if the user wants us to stop.
    pub(super) fn go_on(&self) -> Result<(), Interrupted> {
        if (self.interrupted)() {
            Err(Interrupted)
        } else {
            Ok(())
        }
    }
}

/// The user asked to stop.
#[derive(Debug, thiserror::Error)]
#[error("interrupted; your files are as they were")]
pub struct Interrupted;

/// What happens in a run.
pub enum Event<'a> {
    /// Who gets what.
    Routed(&'a Route),
    /// So many files are packed, of how many.
    Packing(usize, usize),
    /// A prompt is ready.
    Prompted(Role, &'a Prompt),
    /// An agent is asked.
    Asking(Role, &'a str),
    /// It is not asked: the run has its answer from before it was taken up again.
    Reused(Role, Usage),
    /// It waits by itself for its vendor, as it says.
    WaitsItself(Role, &'a str),
    /// What it does.
    Doing(&'a str),
    /// It is asked after this long, for it was asked much already.
    Throttled(Role, Duration),
    /// It is asked again after this long, for it could not answer.
    Waiting(Role, &'a Failure, Duration),
    /// It is not asked again, for that would take this wait, and all waits together may take no more than that.
    WaitsTooLong(Role, Duration, Duration),
    /// It could not answer, and who is named is asked in its place.
    FellBack(Role, &'a AgentError, &'a str),
    /// It answered, after so many milliseconds.
    Answered(Role, Usage, Billing, u64),
    /// Something happens in this step of a workflow, beside which others are done.
    Beside(&'a str, &'a Event<'a>),
    /// A step of a workflow begins: which, and of what kind.
    Step(&'a str, &'static str),
    /// The plan goes back to its planner, for this is wrong with it.
    SentBack(&'a [String]),
    /// What the plan names.
    Resolved(&'a [Reference]),
    /// What the plan names does not fit in full, and it is carried out by groups of its steps.
    Parted,
    /// These steps are carried out, of so many.
    Group(&'a [&'a Step], usize),
    /// These steps, of so many, are good although the run is not; the change of them, if there is any, is in this file.
    Good(&'a [&'a Step], usize, Option<&'a Path>),
    /// The executor's folder is ready, with so many files.
    Scratch(usize),
    /// Secrets were taken out of what an agent gets.
    Redacted(&'a [Sighting]),
    /// Something is not as it should be, and the work goes on.
    Warning(String),
    /// The change was held against the plan, and against what the executor said of it.
    Audited(&'a Audit),
    /// The change holds what lands only if somebody agreed to it.
    Sensitive(&'a [Sensitive]),
    /// So many checks fail, and the executor is asked to put that right, for the so-many-th time of so many.
    Repairing(usize, usize, usize),
    /// A reviewer has read the change, for the so-many-th time; the review is in this file.
    Reviewed(&'a Review, usize, &'a Path),
    /// A check runs; before the change, if true.
    Checking(&'a str, bool),
    /// A check ended; before the change, if true.
    Checked(&'a Checked, bool),
}
