//! How often each agent is called: one limiter for all that a run does.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::agent::Rates;

/// What the rates are about, in milliseconds: a minute, and a second, for calls do not all take as long to get there.
const MINUTE: u64 = 61_000;

/// Who was called when, and until when they are to be left alone.
pub struct Limiter {
    accounts: Mutex<HashMap<String, Account>>,
    /// Times are counted from here: the clock on the wall may be set while we wait.
    begun: Instant,
}

/// The calls of one agent in the last minute.
#[derive(Default)]
struct Account {
    /// When each call was made, in milliseconds, and its tokens; oldest first.
    calls: VecDeque<(u64, u64)>,
    /// Until when it was told to wait.
    held_until: u64,
}

impl Default for Limiter {
    fn default() -> Self {
        Self {
            accounts: Mutex::default(),
            begun: Instant::now(),
        }
    }
}

impl Limiter {
    /// Books a call of `tokens` to `agent` if it may be made now; else says how long to wait before this is asked again.
    ///
    /// A call that alone is more than the tokens of a minute may be made once no other is in that minute.
    pub fn book(&self, agent: &str, rates: Rates, tokens: u64) -> Option<Duration> {
        self.book_at(agent, rates, tokens, self.now())
    }

    fn now(&self) -> u64 {
        milliseconds(self.begun.elapsed())
    }

    fn book_at(&self, agent: &str, rates: Rates, tokens: u64, now: u64) -> Option<Duration> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let account = accounts.entry(agent.to_owned()).or_default();
        while account
            .calls
            .front()
            .is_some_and(|&(at, _)| at + MINUTE <= now)
        {
            account.calls.pop_front();
        }
        let free = account.free_at(rates, tokens).max(account.held_until);
        if free > now {
            return Some(Duration::from_millis(free - now));
        }
        account.calls.push_back((now, tokens));
        None
    }

    /// Has nobody call `agent` for so long: its vendor said so to one of us.
    pub fn hold(&self, agent: &str, time: Duration) {
        self.hold_until(agent, self.now().saturating_add(milliseconds(time)));
    }

    fn hold_until(&self, agent: &str, until: u64) {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let account = accounts.entry(agent.to_owned()).or_default();
        account.held_until = account.held_until.max(until);
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Account {
    /// Returns when enough of the calls are a minute old.
    fn free_at(&self, rates: Rates, tokens: u64) -> u64 {
        let n_most = rates.requests_per_minute.map_or(u64::MAX, u64::from).max(1);
        let most = rates.tokens_per_minute.unwrap_or(u64::MAX);
        let mut n_left = self.calls.len() as u64;
        let mut left: u64 = self.calls.iter().map(|&(_, tokens)| tokens).sum();
        let mut free = 0;
        for &(at, of_it) in &self.calls {
            if n_left < n_most && left.saturating_add(tokens) <= most {
                break;
            }
            n_left -= 1;
            left -= of_it;
            free = at + MINUTE;
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_wait_until_a_minute_has_room_for_them() {
        let rates = |requests, tokens| Rates {
            requests_per_minute: requests,
            tokens_per_minute: tokens,
        };
        // Each call: when it is asked for, its tokens, and how long it has to wait, all in seconds.
        for (rates, calls) in [
            (
                rates(None, None),
                vec![(0, 9_999_999, None), (0, 9_999_999, None)],
            ),
            (
                rates(Some(2), None),
                vec![
                    (0, 1, None),
                    (10, 1, None),
                    (20, 1, Some(41)),
                    (61, 1, None),
                    (62, 1, Some(9)),
                ],
            ),
            (
                rates(None, Some(100)),
                vec![
                    (0, 60, None),
                    (5, 40, None),
                    (6, 1, Some(55)),
                    (61, 60, None),
                    (61, 40, Some(5)),
                ],
            ),
            // More than a minute holds goes alone.
            (
                rates(None, Some(100)),
                vec![(0, 500, None), (1, 500, Some(60)), (61, 500, None)],
            ),
            (rates(Some(0), None), vec![(0, 1, None), (1, 1, Some(60))]),
        ] {
            let limiter = Limiter::default();
            for (at, tokens, expected) in calls {
                let waits = limiter.book_at("a", rates, tokens, at * 1000);
                assert_eq!(waits, expected.map(Duration::from_secs), "{rates:?} {at}");
            }
        }
    }

    #[test]
    fn who_is_held_is_called_by_nobody_and_others_are() {
        let limiter = Limiter::default();
        limiter.hold_until("a", 5_000);
        limiter.hold_until("a", 3_000);
        let book = |agent, now| limiter.book_at(agent, Rates::default(), 1, now);
        assert_eq!(book("a", 1_000), Some(Duration::from_secs(4)));
        assert_eq!(book("b", 1_000), None);
        assert_eq!(book("a", 5_000), None);
    }
}
