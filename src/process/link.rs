//! What passes between us and a supervisor, and our end of it.
//!
//! To the supervisor, on its stdin: the [`Job`] as one line of JSON, then any [`Order`]s. From it, on its stdout: the
//! [`Report`], once nothing is left. A closed stdin is the order to stop.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use super::{Command, Confinement, End, ProcessError, TICK, is_ready, tree};

/// What is added to the grace before a supervisor that does not answer is taken for lost.
const ANSWER_TIME: Duration = Duration::from_secs(5);

/// What a supervisor has to do. Names are `OsString`s: they need not be UTF-8, and serde carries those as bytes.
#[derive(Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) program: OsString,
    pub(super) args: Vec<OsString>,
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) folder: OsString,
    pub(super) stdin: Option<OsString>,
    pub(super) stdout: OsString,
    pub(super) stderr: OsString,
    pub(super) writable: Option<Vec<OsString>>,
    pub(super) secrets: Vec<String>,
    pub(super) grace: Duration,
}

impl Job {
    fn new(command: &Command, grace: Duration) -> Self {
        let name = |path: &PathBuf| path.clone().into_os_string();
        Self {
            program: name(&command.program),
            args: command.args.clone(),
            env: command.env.clone(),
            folder: name(&command.folder),
            stdin: command.stdin.as_ref().map(name),
            stdout: name(&command.stdout),
            stderr: name(&command.stderr),
            writable: command
                .writable
                .as_ref()
                .map(|paths| paths.iter().map(name).collect()),
            secrets: command.secrets.clone(),
            grace,
        }
    }
}

/// What a supervisor is told while its program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// End everything; kill what is left after the grace.
    Stop,
    /// Kill everything.
    Kill,
}

impl Order {
    /// Returns the line that says it.
    pub(super) fn line(self) -> &'static [u8] {
        match self {
            Self::Stop => b"stop\n",
            Self::Kill => b"kill\n",
        }
    }
}

/// What a supervisor says at its end: the system's error number if the program did not start.
pub(super) type Answer = Result<Report, i32>;

/// How it went, as the supervisor saw it.
#[derive(Serialize, Deserialize)]
pub(super) struct Report {
    /// How the program ended; `None` if it was told to before it did.
    pub(super) end: Option<End>,
    pub(super) confined: Confinement,
    pub(super) n_stopped: usize,
    pub(super) n_left: usize,
    /// Whether the outputs are without what may not stay in them.
    pub(super) is_struck: bool,
}

/// The supervisors that this process has started and that have not ended: what is below them is theirs to end.
static AT_WORK: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

fn at_work() -> MutexGuard<'static, Vec<Pid>> {
    AT_WORK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A supervisor at work. Dropping it ends everything, and waits for that.
pub(super) struct Link {
    child: Child,
    program: PathBuf,
    folder: PathBuf,
    /// What it wrote so far.
    answer: Vec<u8>,
    is_closed: bool,
    /// Since when it has an order.
    ordered: Option<Instant>,
    patience: Duration,
}

impl Link {
    /// Starts a supervisor and gives it `command`.
    pub(super) fn start(
        shim: &Path,
        command: &Command,
        grace: Duration,
    ) -> Result<Self, ProcessError> {
        let fail = |source| ProcessError::Supervisor {
            shim: shim.to_owned(),
            source,
        };
        let job = Job::new(command, grace);
        let mut job = serde_json::to_vec(&job).map_err(|error| fail(error.into()))?;
        job.push(b'\n');
        // Held until it is known as ours.
        let mut at_work = at_work();
        #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
        let mut child = std::process::Command::new(shim)
            .arg("--supervise")
            // The program can read its supervisor's.
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It outlives us for moments: who waits for the end of what we say need not wait for it.
            .stderr(Stdio::null())
            .spawn()
            .map_err(fail)?;
        at_work.push(Pid::from_child(&child));
        drop(at_work);
        if let Some(stdin) = &mut child.stdin {
            // One that is dead already is known by its silence.
            let _ = stdin.write_all(&job);
        }
        Ok(Self {
            child,
            program: command.program.clone(),
            folder: command.folder.clone(),
            answer: Vec::new(),
            is_closed: false,
            ordered: None,
            patience: grace.saturating_add(ANSWER_TIME),
        })
    }

    /// Gives an order. It is answered by the report, or not at all.
    pub(super) fn order(&mut self, order: Order) {
        self.ordered = Some(Instant::now());
        if let Some(stdin) = &mut self.child.stdin {
            let _ = stdin.write_all(order.line());
        }
    }

    /// Waits for the report, but no longer than `wait`.
    pub(super) fn listen(&mut self, wait: Duration) -> Result<Option<Report>, ProcessError> {
        self.hear(wait);
        let lost = || ProcessError::Lost {
            program: self.program.clone(),
        };
        if self.is_closed {
            let answer = self.answer().ok_or_else(lost)?;
            return answer.map(Some).map_err(|errno| ProcessError::Start {
                program: self.program.clone(),
                folder: self.folder.clone(),
                source: io::Error::from_raw_os_error(errno),
            });
        }
        if self.is_overdue() {
            return Err(lost());
        }
        Ok(None)
    }

    fn is_overdue(&self) -> bool {
        self.ordered
            .is_some_and(|since| since.elapsed() > self.patience)
    }

    fn answer(&self) -> Option<Answer> {
        serde_json::from_slice(&self.answer).ok()
    }

    fn hear(&mut self, wait: Duration) {
        let Some(stdout) = &mut self.child.stdout else {
            return;
        };
        if self.is_closed || !is_ready(&*stdout, wait) {
            return;
        }
        let mut bytes = [0; 4096];
        match stdout.read(&mut bytes) {
            Ok(n) if n > 0 => self.answer.extend_from_slice(&bytes[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => self.is_closed = true,
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.ordered.get_or_insert_with(Instant::now);
        while !self.is_closed && !self.is_overdue() {
            self.hear(TICK);
        }
        let id = Pid::from_child(&self.child);
        let is_lost = self.answer().is_none();
        if is_lost {
            // Before it is waited for, its number cannot become that of another session.
            let _ = self.child.kill();
            tree::kill_session(id);
        }
        let _ = self.child.wait();
        let mut at_work = at_work();
        at_work.retain(|other| *other != id);
        if is_lost {
            // What left its session has come to us with its end.
            tree::kill_adopted(&at_work);
        }
    }
}
