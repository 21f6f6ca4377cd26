//! The supervisor: what our binary does when it is started as `twostep --supervise`.
//!
//! One thread: what a thread gives up, only the processes that it starts give up with it.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};

use super::link::{Answer, Job, Order, Report};
use super::strike::strike_out;
use super::{Confinement, End, confine, is_ready, tree};
use crate::fs;

/// How often orders and children are looked at without a cause; a signal or an order wakes at once.
const WATCH_TICK: Duration = Duration::from_millis(100);

/// The same while everything is being ended.
const END_TICK: Duration = Duration::from_millis(20);

/// How long a killed process may take to go.
const LAST_WAIT: Duration = Duration::from_secs(3);

/// Runs the job that comes on stdin, and reports on stdout.
///
/// Returns 0 once it has reported, 2 if it could not work at all.
pub fn supervise() -> ExitCode {
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(2),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this process is not the command: it speaks with its parent"
)]
fn work() -> io::Result<()> {
    // Signals from the terminal are for our parent, who decides what becomes of us.
    rustix::process::setsid()?;
    #[cfg(target_os = "linux")]
    {
        // From now on a descendant whose parent has ended is our child.
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        // A second net, should some process hold the other end of our stdin open by accident.
        rustix::process::set_parent_process_death_signal(Some(Signal::TERM))?;
    }
    let stdin = io::stdin().as_fd().try_clone_to_owned()?;
    let mut orders = Orders::new(File::from(stdin))?;
    let job = orders.job()?;
    let answer: Answer = match start(&job) {
        Ok((main, confined)) => {
            let report = Family::new(main).attend(&mut orders, job.grace, confined);
            // Here, for we outlive who has started us.
            let outputs = [&job.stdout, &job.stderr];
            let strike = |path| strike_out(Path::new(path), &job.secrets).is_ok();
            let is_struck = outputs.into_iter().all(strike);
            Ok(Report {
                is_struck,
                ..report
            })
        }
        // Only a name that the system cannot be told, one with a NUL, has no number.
        Err(error) => Err(error.raw_os_error().unwrap_or(Errno::INVAL.raw_os_error())),
    };
    io::stdout().write_all(&serde_json::to_vec(&answer)?)?;
    io::stdout().flush()
}

/// Confines this process if the job asks for it, then starts the program.
fn start(job: &Job) -> io::Result<(Pid, Confinement)> {
    let stdin = match &job.stdin {
        Some(path) => fs::open(Path::new(path))
            .map_err(|error| error.source)?
            .into(),
        None => Stdio::null(),
    };
    let append = |path| fs::append(Path::new(path)).map_err(|error| error.source);
    let (stdout, stderr) = (append(&job.stdout)?, append(&job.stderr)?);
    let confined = match &job.writable {
        // Its own outputs, too: `/dev/stderr` is a way to open one again.
        Some(paths) => confine::confine(paths.iter().chain([&job.stdout, &job.stderr])),
        None => Confinement::NotAsked,
    };
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    // Waited for with all other children, by its number.
    let child = std::process::Command::new(&job.program)
        .args(&job.args)
        .env_clear()
        .envs(job.env.iter().map(|(name, value)| (name, value)))
        .current_dir(&job.folder)
        .stdin(stdin)
        .stdout(stdout)
        .stderr(stderr)
        .process_group(0)
        .spawn()?;
    Ok((Pid::from_child(&child), confined))
}

/// What is to be done: the job, and orders by pipe or by signal.
struct Orders {
    /// None once it is closed.
    pipe: Option<BufReader<File>>,
    signalled: Arc<AtomicBool>,
}

impl Orders {
    fn new(pipe: File) -> io::Result<Self> {
        let signalled = Arc::new(AtomicBool::new(false));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&signalled))?;
        }
        // Only a signal that has a handler ends a wait.
        signal_hook::flag::register(SIGCHLD, Arc::default())?;
        Ok(Self {
            pipe: Some(BufReader::new(pipe)),
            signalled,
        })
    }

    fn job(&mut self) -> io::Result<Job> {
        let mut line = Vec::new();
        if let Some(pipe) = &mut self.pipe {
            pipe.read_until(b'\n', &mut line)?;
        }
        Ok(serde_json::from_slice(&line)?)
    }

    /// Returns an order if there is one within `wait`. A closed pipe and a signal are an order each time.
    fn next(&mut self, wait: Duration) -> Option<Order> {
        let order = self.read(wait);
        let signalled = self.signalled.load(Ordering::SeqCst);
        order.or(signalled.then_some(Order::Stop))
    }

    fn read(&mut self, wait: Duration) -> Option<Order> {
        let Some(pipe) = &mut self.pipe else {
            std::thread::sleep(wait);
            return Some(Order::Stop);
        };
        if pipe.buffer().is_empty() && !is_ready(pipe.get_ref(), wait) {
            return None;
        }
        match pipe.fill_buf() {
            Ok(bytes) if !bytes.is_empty() => {
                let order = if bytes.ends_with(Order::Kill.line()) {
                    Order::Kill
                } else {
                    Order::Stop
                };
                let n = bytes.len();
                pipe.consume(n);
                Some(order)
            }
            _ => {
                self.pipe = None;
                Some(Order::Stop)
            }
        }
    }
}

/// The program and all its descendants.
struct Family {
    main: Pid,
    /// How the program ended.
    status: Option<WaitStatus>,
    /// Who was told to end.
    told: HashSet<Pid>,
}

impl Family {
    fn new(main: Pid) -> Self {
        Self {
            main,
            status: None,
            told: HashSet::new(),
        }
    }

    /// Waits for the end of the program or an order to stop, then ends whatever is left.
    fn attend(mut self, orders: &mut Orders, mut grace: Duration, confined: Confinement) -> Report {
        let mut ending: Option<Instant> = None;
        let mut is_stopped = false;
        let mut n_left = 0;
        while self.reap() {
            if self.status.is_some() {
                ending.get_or_insert_with(Instant::now);
            }
            if let Some(since) = ending {
                let elapsed = since.elapsed();
                if elapsed > grace.saturating_add(LAST_WAIT) {
                    n_left = tree::descendants(rustix::process::getpid(), &[])
                        .len()
                        .max(1);
                    break;
                }
                self.tell(if elapsed < grace {
                    Signal::TERM
                } else {
                    Signal::KILL
                });
            }
            let tick = if ending.is_some() {
                END_TICK
            } else {
                WATCH_TICK
            };
            let order = orders.next(tick);
            if order.is_some() {
                is_stopped |= self.status.is_none();
                ending.get_or_insert_with(Instant::now);
            }
            if order == Some(Order::Kill) {
                grace = Duration::ZERO;
            }
        }
        self.told.remove(&self.main);
        Report {
            end: self.status.filter(|_| !is_stopped).map(end_of),
            confined,
            n_stopped: self.told.len(),
            n_left,
            is_struck: false,
        }
    }

    /// Takes note of the children that have ended; says whether any are left.
    ///
    /// On Linux, where orphans come to us, having no child means having no descendant.
    fn reap(&mut self) -> bool {
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((child, status))) if child == self.main => self.status = Some(status),
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => return true,
                Err(_) if cfg!(target_os = "linux") => return false,
                Err(_) => return rustix::process::test_kill_process_group(self.main).is_ok(),
            }
        }
    }

    /// Sends `signal` to all that are left: KILL each time, any other once to each.
    fn tell(&mut self, signal: Signal) {
        let found = tree::descendants(rustix::process::getpid(), &[]);
        if found.is_empty() && (self.told.insert(self.main) || signal == Signal::KILL) {
            // Without `/proc` the program's group is all that is known of them.
            let _ = rustix::process::kill_process_group(self.main, signal);
        }
        for process in found {
            if self.told.insert(process) || signal == Signal::KILL {
                let _ = rustix::process::kill_process(process, signal);
            }
        }
    }
}

fn end_of(status: WaitStatus) -> End {
    match status.terminating_signal() {
        Some(signal) => End::Signalled(signal),
        None => End::Exited(status.exit_status().unwrap_or(-1)),
    }
}
