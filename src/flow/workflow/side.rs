//! Several at once: each in a scratch of its own, if it changes files; what they made is brought together in their order.
//!
//! In: work that can be done without knowing of each other. Out: what each came to, and the change of all.
//!
//! Invariant: which files a piece of work begins with, and in which order pieces are brought together, does not depend on who is
//! faster. Where two changed the same file, or the checks fail on both together, the later is done again on top of the earlier.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::strand::{Good, Strand};
use super::{StepError, StepFailed, Worker};
use crate::flow::bench::{self, Bench};
use crate::flow::host::Event;
use crate::fs;
use crate::path::RepoPath;
use crate::prompt::template::Scope;

/// The folder of a run that holds what comes of scratches side by side.
pub const FORKS_FOLDER: &str = "forks";

/// So often those who wait look whether the user wants us to stop.
const TICK: Duration = Duration::from_millis(50);

/// What is done at once.
pub(super) struct Side<'a> {
    /// The step.
    pub(super) label: &'a str,
    /// How many at once.
    pub(super) at_once: usize,
    /// For each piece those before it that it begins after.
    pub(super) needs: Vec<Vec<usize>>,
    /// Whether files are worked on.
    pub(super) needs_scratch: bool,
}

/// Which try of a piece of work it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Try {
    /// The first, beside others.
    First,
    /// The second, on top of what others made.
    Again,
}

impl Try {
    /// Returns what a piece of work is called, so that what was answered at the first is not taken for an answer at the second.
    pub(super) fn label(self, label: &str) -> String {
        match self {
            Self::First => label.to_owned(),
            Self::Again => format!("again/{label}"),
        }
    }
}

/// Does a piece of work.
type Work<'a, T> = &'a (dyn Fn(usize, Try, &mut Strand) -> Result<T, StepFailed> + Sync);

/// How far those are who work at once.
struct Together<T> {
    next: usize,
    results: Vec<Option<Result<T, StepFailed>>>,
    /// What is done, and not brought together yet.
    ready: BTreeMap<usize, (Strand, T)>,
    /// The scratch in which all comes together; none while somebody does that.
    bench: Option<Bench>,
    /// What was good before the first, and after each that was brought together.
    goods: Vec<Good>,
    is_stopped: bool,
}

impl Worker<'_> {
    /// Does pieces of work at once, and returns what each came to, in their order; after one that failed no other is begun, and all
    /// that failed are told.
    pub(super) fn side_by_side<T: Send>(
        &self,
        side: &Side<'_>,
        strand: &mut Strand,
        work: Work<'_, T>,
    ) -> Result<Vec<T>, StepFailed> {
        let n = side.needs.len();
        if side.at_once <= 1 || n <= 1 {
            return (0..n)
                .map(|at| {
                    let scope = strand.scope.clone();
                    strand.within(scope, |strand| work(at, Try::First, strand))
                })
                .collect();
        }
        let together = Mutex::new(Together {
            next: 0,
            results: (0..n).map(|_| None).collect(),
            ready: BTreeMap::new(),
            bench: strand.bench.take(),
            goods: vec![strand.good.clone()],
            is_stopped: false,
        });
        let crew = Crew {
            worker: self,
            side,
            scope: &strand.scope,
            work,
            together,
            moved: Condvar::new(),
        };
        std::thread::scope(|threads| {
            for _ in 0..side.at_once.min(n) {
                threads.spawn(|| crew.go());
            }
        });
        let together = crew.together.into_inner();
        let mut together = together.unwrap_or_else(PoisonError::into_inner);
        strand.bench = together.bench;
        if let Some(good) = together.goods.pop() {
            strand.good = good;
        }
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for result in together.results.into_iter().flatten() {
            match result {
                Ok(result) => done.push(result),
                Err(error) => failed.push(error),
            }
        }
        StepFailed::first(failed).map_or(Ok(done), Err)
    }
}

/// Those who work at once.
struct Crew<'a, T> {
    worker: &'a Worker<'a>,
    side: &'a Side<'a>,
    scope: &'a Scope,
    work: Work<'a, T>,
    together: Mutex<Together<T>>,
    /// Something was brought together, or failed.
    moved: Condvar,
}

impl<T: Send> Crew<'_, T> {
    /// Does one piece of work after another.
    fn go(&self) {
        while let Some(at) = self.claim() {
            let done = self.begin(at).and_then(|mut strand| {
                let done = (self.work)(at, Try::First, &mut strand)?;
                Ok((strand, done))
            });
            let mut together = self.lock();
            match done {
                Ok((strand, done)) if self.side.needs_scratch => {
                    together.ready.insert(at, (strand, done));
                }
                Ok((_, done)) => together.results[at] = Some(Ok(done)),
                // Why it is, the other tells.
                Err(error) if matches!(*error.error, StepError::Stopped) => {}
                Err(error) => {
                    together.results[at] = Some(Err(error));
                    together.is_stopped = true;
                }
            }
            drop(together);
            self.moved.notify_all();
            self.bring_together();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Together<T>> {
        self.together.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn claim(&self) -> Option<usize> {
        let mut together = self.lock();
        let at = together.next;
        together.next += 1;
        (at < together.results.len() && !together.is_stopped).then_some(at)
    }

    fn label(&self, at: usize) -> String {
        format!("{}[{}]", self.side.label, at + 1)
    }

    fn failed(&self, at: usize, error: impl Into<StepError>) -> StepFailed {
        StepFailed::new(self.label(at), error)
    }

    /// Waits for what a piece of work needs, and gives it what it begins with.
    fn begin(&self, at: usize) -> Result<Strand, StepFailed> {
        let needs = &self.side.needs[at];
        let last = needs.iter().max().map_or(0, |last| last + 1);
        let mut together = self.lock();
        loop {
            let is_there = |at: &usize| together.results[*at].is_some();
            let waits = !needs.iter().all(is_there)
                || self.side.needs_scratch
                    && (together.goods.len() <= last || together.bench.is_none());
            if !waits {
                break;
            }
            if together.is_stopped {
                return Err(self.failed(at, StepError::Stopped));
            }
            let host = self.worker.host;
            host.go_on().map_err(|error| self.failed(at, error))?;
            let waited = self.moved.wait_timeout(together, TICK);
            together = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let Some(bench) = together.bench.as_ref().filter(|_| self.side.needs_scratch) else {
            return Ok(Strand {
                scope: self.scope.clone(),
                good: together.goods[0].clone(),
                bench: None,
            });
        };
        let worker = self.worker;
        let place = format!("{FORKS_FOLDER}/{}/", self.label(at).replace('/', "-"));
        let bench = worker.telling(&self.label(at), |worker| {
            let repository = worker.shop.repository;
            bench::fork(bench, repository, place, worker.run, worker.host)
        });
        Ok(Strand {
            scope: self.scope.clone(),
            good: together.goods[last].clone(),
            bench: Some(bench.map_err(|error| self.failed(at, error))?),
        })
    }

    /// Brings together what is done, in its order, unless somebody else is at it.
    fn bring_together(&self) {
        loop {
            let mut together = self.lock();
            let at = together.goods.len() - 1;
            if together.is_stopped || together.bench.is_none() {
                return;
            }
            let Some((mut strand, done)) = together.ready.remove(&at) else {
                return;
            };
            let Some(bench) = together.bench.take() else {
                return;
            };
            let needs = &self.side.needs[at];
            let began = needs.iter().max().map_or(0, |last| last + 1);
            let mut whole = Strand {
                scope: self.scope.clone(),
                good: together.goods[at].clone(),
                bench: Some(bench),
            };
            let began = together.goods[began].clone();
            drop(together);
            let label = self.label(at);
            let joined = self.worker.telling(&label, |worker| {
                worker.join(&label, &began, &strand, &mut whole)
            });
            let done = match joined.map_err(|error| self.failed(at, error)) {
                Ok(None) => Ok(done),
                Ok(Some(why)) => {
                    (self.worker.host.tell)(&Event::Warning(format!(
                        "{why}; `{label}` is done again on top of what others made"
                    )));
                    (self.work)(at, Try::Again, &mut whole)
                }
                Err(error) => Err(error),
            };
            if let Some(bench) = strand.bench.take() {
                // What is left of it goes with the run's place.
                let _ = bench.scratch.folder.parent().map(fs::remove_folder);
            }
            let mut together = self.lock();
            together.is_stopped |= done.is_err();
            together.results[at] = Some(done);
            together.goods.push(whole.good);
            together.bench = whole.bench;
            drop(together);
            self.moved.notify_all();
        }
    }
}

/// Says that two changed the same files.
pub(super) fn told_of(met: &[RepoPath]) -> String {
    let met: Vec<String> = met.iter().map(|path| format!("`{path}`")).collect();
    format!("others changed {}, too", met.join(", "))
}
