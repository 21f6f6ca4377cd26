//! The door to other programs: each runs under a supervisor, and ends with all that it started.
//!
//! In: a [`Command`] and its [`Limits`]. Out: how it [`Ended`]; its output goes to files, and to a watcher as it
//! comes. Blocking.
//!
//! The supervisor is our own binary, started again as `twostep --supervise`. It leads a session of its own, adopts
//! the orphans among its descendants, gives up the right to write where that is asked, starts the program, and
//! afterwards ends whatever is left. It does the same when the pipe from us closes, for whatever reason.
//!
//! Invariant: when [`run`] returns, nothing that the program started is left, or `n_left` says so. Beyond reach are:
//! what another service starts for the program; processes of another user; outside Linux, what left the program's
//! process group; and, if the supervisor itself is killed, what left its session, unless this process was made ready by
//! [`prepare()`] and is not killed too.

mod confine;
mod find;
mod interrupt;
mod link;
mod output;
mod prepare;
mod streams;
mod strike;
mod supervisor;
mod tree;

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use serde::{Deserialize, Serialize};

use crate::fs::{self, FsError, SystemKind};
use link::{Link, Order, Report};
use output::Outputs;

pub use find::find;
pub use interrupt::Interrupt;
pub use prepare::prepare;
pub use streams::stdout_was_closed;
pub use strike::{holds, strike_out, struck};
pub use supervisor::supervise;

/// A program to run, and all that it gets. Paths are absolute.
pub struct Command {
    /// The file of the program.
    pub program: PathBuf,
    /// Its arguments, its own name aside.
    pub args: Vec<OsString>,
    /// The whole environment: nothing is inherited.
    pub env: Vec<(OsString, OsString)>,
    /// Its working directory.
    pub folder: PathBuf,
    /// A regular file that it reads as its stdin; without one there is nothing to read.
    pub stdin: Option<PathBuf>,
    /// A file for its stdout, made here: it must not be there yet. Only its owner can read it.
    pub stdout: PathBuf,
    /// A file for its stderr, as `stdout`.
    pub stderr: PathBuf,
    /// The files and folders in which it, and all that it starts, can write; `None` is anywhere.
    ///
    /// What is missing is left out. The two outputs, the devices that take anything (`/dev/null`) and
    /// shared memory come of themselves. Linux only; [`Ended::confined`] tells what came of it.
    pub writable: Option<Vec<PathBuf>>,
    /// Values that may not stay in the two outputs: they are struck out once nothing is left that could write there.
    pub secrets: Vec<String>,
}

/// When a program is ended early.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long neither stdout nor stderr may grow.
    pub idle: Duration,
    /// How long it may run.
    pub wall: Duration,
    /// Most bytes that stdout and stderr may have together. Who writes more is killed without a grace.
    pub max_output_bytes: u64,
    /// From being told to end to being killed.
    pub grace: Duration,
}

/// Where output comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Why a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// By itself, with this code.
    Exited(i32),
    /// By a signal that was not ours.
    Signalled(i32),
    /// It was silent for too long.
    Idle,
    /// It ran for too long.
    Wall,
    /// It wrote too much.
    TooMuchOutput,
    /// The caller no longer wanted it, or somebody sent a signal to its supervisor.
    Interrupted,
}

/// Whether a program could write only where it was allowed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confinement {
    /// It was not to be confined.
    NotAsked,
    /// Nowhere else.
    Full,
    /// Not in all ways: the reason tells which are open.
    Partial(String),
    /// It could write anywhere, for this reason.
    None(String),
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Why.
    pub end: End,
    /// From the start until nothing was left.
    pub elapsed: Duration,
    /// What held it while it ran.
    pub confined: Confinement,
    /// How many other processes of its making had to be told to end.
    pub n_stopped: usize,
    /// How many processes could not be ended.
    pub n_left: usize,
}

/// Why a program could not be run to an end that is known.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// A file or folder that it needs.
    #[error(transparent)]
    File(#[from] FsError),
    /// The supervisor, our own binary, did not start.
    #[error("cannot start `{}` as a supervisor", shim.display())]
    Supervisor {
        /// Our binary, as it was given.
        shim: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program did not start.
    #[error("cannot start `{}` in `{}`", program.display(), folder.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Its working directory.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The supervisor was killed, or does not answer. What was left in its session was killed, and what has come to us.
    #[error("lost the supervisor of `{}`: it ended or hung before it could tell how the program ended", program.display())]
    Lost {
        /// The program.
        program: PathBuf,
    },
}

/// How often outputs and limits are looked at.
const TICK: Duration = Duration::from_millis(25);

/// Runs `command` to its end and returns once nothing that it started is left.
///
/// `shim` is our own binary. `interrupted` is asked many times a second whether to stop. `watch` sees the outputs as
/// they grow, at most `max_output_bytes` of them. The outputs stay, whatever happens.
///
/// # Errors
///
/// Fails where the folder or stdin is not what it should be, an output is there already, the program does not
/// start, or the supervisor is lost. The program is then not running any more.
pub fn run(
    shim: &Path,
    command: &Command,
    limits: &Limits,
    interrupted: &dyn Fn() -> bool,
    watch: &mut dyn FnMut(Stream, &[u8]),
) -> Result<Ended, ProcessError> {
    require(&command.folder, SystemKind::Folder)?;
    if let Some(stdin) = &command.stdin {
        // A pipe would hold the supervisor until somebody writes to it.
        require(stdin, SystemKind::File)?;
    }
    let mut outputs = Outputs::create(command, limits.max_output_bytes)?;
    let begun = Instant::now();
    let report = follow(shim, command, limits, interrupted, &mut outputs, watch);
    if !report.as_ref().is_ok_and(|(report, _)| report.is_struck) {
        for path in [&command.stdout, &command.stderr] {
            strike_out(path, &command.secrets)?;
        }
    }
    let (report, reached) = report?;
    while outputs.pass_on(watch)? {}
    let end = if outputs.are_over() {
        End::TooMuchOutput
    } else {
        report.end.or(reached).unwrap_or(End::Interrupted)
    };
    Ok(Ended {
        end,
        elapsed: begun.elapsed(),
        confined: report.confined,
        n_stopped: report.n_stopped,
        n_left: report.n_left,
    })
}

/// Starts a program and passes on what it writes until it is told how that ended; returns that, and the limit that
/// was reached.
fn follow(
    shim: &Path,
    command: &Command,
    limits: &Limits,
    interrupted: &dyn Fn() -> bool,
    outputs: &mut Outputs,
    watch: &mut dyn FnMut(Stream, &[u8]),
) -> Result<(Report, Option<End>), ProcessError> {
    let begun = Instant::now();
    let mut link = Link::start(shim, command, limits.grace)?;
    let mut grown = begun;
    let mut reached = None;
    loop {
        let more = outputs.pass_on(watch)?;
        if more {
            grown = Instant::now();
        }
        if outputs.are_over() && reached != Some(End::TooMuchOutput) {
            reached = Some(End::TooMuchOutput);
            link.order(Order::Kill);
        } else if reached.is_none() {
            reached = limit_reached(limits, begun, grown, interrupted);
            if reached.is_some() {
                link.order(Order::Stop);
            }
        }
        if let Some(report) = link.listen(if more { Duration::ZERO } else { TICK })? {
            return Ok((report, reached));
        }
    }
}

/// Returns the limit that is reached, if one is, by what was begun and has last grown at these times.
pub fn limit_reached(
    limits: &Limits,
    begun: Instant,
    grown: Instant,
    interrupted: &dyn Fn() -> bool,
) -> Option<End> {
    if interrupted() {
        Some(End::Interrupted)
    } else if begun.elapsed() >= limits.wall {
        Some(End::Wall)
    } else if grown.elapsed() >= limits.idle {
        Some(End::Idle)
    } else {
        None
    }
}

fn require(path: &Path, kind: SystemKind) -> Result<(), FsError> {
    let found = fs::kind(path)?;
    if found == kind {
        return Ok(());
    }
    let cause = match (found, kind) {
        (SystemKind::Missing, _) => io::ErrorKind::NotFound.into(),
        (_, SystemKind::Folder) => io::ErrorKind::NotADirectory.into(),
        _ => io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"),
    };
    Err(FsError::of("use", path)(cause))
}

/// Waits until there is something to read, a hang-up or a signal, but no longer than `wait`; says whether there is
/// something to read.
pub fn is_ready(source: impl AsFd, wait: Duration) -> bool {
    let mut sources = [PollFd::new(&source, PollFlags::IN)];
    let wait = Timespec::try_from(wait).ok();
    rustix::event::poll(&mut sources, wait.as_ref()).is_ok_and(|n_ready| n_ready > 0)
}
