//! A parallel map whose results come in order and whose memory is bounded.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How far workers may be ahead of the result that is awaited, in items.
const MAX_AHEAD: usize = 1024;

/// Calls `work` on `0..n` on `threads` threads, and `take` on each result in order, on this thread.
///
/// Results that wait for an earlier one weigh at most `max_weight` (by `weight`) and those under
/// way. The first error of `take` ends everything.
///
/// # Errors
///
/// Returns the error of `take`.
///
/// # Panics
///
/// Where `work` panics.
pub fn map_in_order<R: Send, E>(
    n: usize,
    threads: NonZeroUsize,
    max_weight: usize,
    weight: impl Fn(&R) -> usize + Sync,
    work: impl Fn(usize) -> R + Sync,
    mut take: impl FnMut(usize, R) -> Result<(), E>,
) -> Result<(), E> {
    let queue = Queue::new(n, max_weight);
    std::thread::scope(|scope| {
        for _ in 0..threads.get().min(n) {
            scope.spawn(|| {
                let _stop = StopOnPanic(&queue);
                while let Some(index) = queue.claim() {
                    let result = work(index);
                    queue.put(index, weight(&result), result);
                }
            });
        }
        let _stop = StopOnPanic(&queue);
        let mut next = 0;
        while let Some(results) = queue.take_ready() {
            for result in results {
                if let Err(error) = take(next, result) {
                    queue.stop();
                    return Err(error);
                }
                next += 1;
            }
        }
        Ok(())
    })
}

struct Queue<R> {
    n: usize,
    max_weight: usize,
    state: Mutex<State<R>>,
    room: Condvar,
    ready: Condvar,
}

struct State<R> {
    /// The next item that no worker has.
    unclaimed: usize,
    /// The item whose result is awaited; the slots begin with it.
    awaited: usize,
    slots: VecDeque<Option<(usize, R)>>,
    weight: usize,
    stopped: bool,
}

impl<R> Queue<R> {
    fn new(n: usize, max_weight: usize) -> Self {
        Self {
            n,
            max_weight,
            state: Mutex::new(State {
                unclaimed: 0,
                awaited: 0,
                slots: VecDeque::new(),
                weight: 0,
                stopped: false,
            }),
            room: Condvar::new(),
            ready: Condvar::new(),
        }
    }

    /// A worker that panicked is seen by `stopped`; the state itself is never left half changed.
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the next item to work on; waits while too much is held. None at the end.
    fn claim(&self) -> Option<usize> {
        let mut state = self.lock();
        loop {
            if state.stopped || state.unclaimed == self.n {
                return None;
            }
            let ahead = state.unclaimed - state.awaited;
            // The awaited item is always worked on, however much is held: else nothing would move.
            if ahead == 0 || (ahead < MAX_AHEAD && state.weight < self.max_weight) {
                break;
            }
            state = self
                .room
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.unclaimed += 1;
        state.slots.push_back(None);
        Some(state.unclaimed - 1)
    }

    fn put(&self, index: usize, weight: usize, result: R) {
        let mut state = self.lock();
        state.weight += weight;
        let slot = index - state.awaited;
        state.slots[slot] = Some((weight, result));
        if slot == 0 {
            self.ready.notify_one();
        }
    }

    /// Returns the results that are next in order, waiting for at least one. None at the end.
    fn take_ready(&self) -> Option<Vec<R>> {
        let mut state = self.lock();
        loop {
            if state.stopped || state.awaited == self.n {
                return None;
            }
            if matches!(state.slots.front(), Some(Some(_))) {
                break;
            }
            state = self
                .ready
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let mut results = Vec::new();
        while let Some(Some((weight, result))) = state.slots.pop_front_if(|slot| slot.is_some()) {
            state.weight -= weight;
            state.awaited += 1;
            results.push(result);
        }
        self.room.notify_all();
        Some(results)
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.room.notify_all();
        self.ready.notify_all();
    }
}

/// Wakes everybody when its thread panics, so that the scope can end and hand the panic on.
struct StopOnPanic<'a, R>(&'a Queue<R>);

impl<R> Drop for StopOnPanic<'_, R> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn threads(n: usize) -> NonZeroUsize {
        NonZeroUsize::new(n).unwrap()
    }

    #[test]
    fn results_come_in_order_whatever_the_threads() {
        for n_threads in [1, 2, 8] {
            let mut taken = Vec::new();
            let work = |index: usize| {
                // Uneven work, so that later items are done before earlier ones.
                (0..(index * 7919 % 13) * 1000)
                    .fold(index, |sum, n| sum.max(std::hint::black_box(n) % (sum + 1)));
                index
            };
            let done: Result<(), ()> = map_in_order(
                5000,
                threads(n_threads),
                64,
                |_| 1,
                work,
                |index, result| {
                    assert_eq!(index, result);
                    taken.push(result);
                    Ok(())
                },
            );
            assert_eq!((done, taken.len()), (Ok(()), 5000));
        }
    }

    #[test]
    fn no_more_is_held_than_allowed_and_under_way() {
        let (held, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |index: usize| {
            let now = held.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            if index.is_multiple_of(50) {
                std::thread::yield_now();
            }
        };
        let done: Result<(), ()> = map_in_order(
            2000,
            threads(4),
            10,
            |()| 1,
            work,
            |_, ()| {
                held.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            },
        );
        assert_eq!(done, Ok(()));
        // Ten that wait, four under way, and the batch that is being taken.
        assert!(most.load(Ordering::SeqCst) <= 2 * (10 + 4), "{most:?}");
    }

    #[test]
    fn an_error_ends_it() {
        let done = map_in_order(
            1000,
            threads(3),
            10,
            |_| 1,
            |index| index,
            |index, _| if index == 5 { Err("five") } else { Ok(()) },
        );
        assert_eq!(done, Err("five"));
    }

    #[test]
    fn a_panic_in_the_work_is_handed_on() {
        let outcome = std::panic::catch_unwind(|| {
            map_in_order(
                100,
                threads(2),
                10,
                |()| 1,
                |index| assert!(index != 7),
                |_, ()| Ok::<(), ()>(()),
            )
        });
        assert!(outcome.is_err());
    }
}
