//! How often each agent is called, and how soon after one another programs start: one limiter for all runs of the user.
//!
//! In: what is to be done, and by which rates. Out: whether that may be now, or how long to wait before this is asked again.
//! What is booked is held in memory, and in files of the cache, where other runs find it.
//!
//! Invariant: nobody waits with a file locked, and a file that cannot be used keeps nobody from anything.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::agent::Rates;
use crate::fs::{self, Lock};

/// What the rates are about, in milliseconds: a minute, and a second, for calls do not all take as long to get there.
const MINUTE: u64 = 61_000;

/// Between the starts of two programs; some break each other's files where there is less.
pub const STAGGER: Duration = Duration::from_secs(1);

/// The folder in the cache with what all runs book.
const FOLDER: &str = "booked";

/// The account of programs that start; those of agents have a name with a dot.
const STARTS: &str = "starts";

/// Who was called when, and until when they are to be left alone.
pub struct Limiter {
    accounts: Mutex<HashMap<String, Account>>,
    /// Times are counted from here: the clock on the wall may be set while we wait.
    begun: Instant,
    /// Where all runs of the user note what they book.
    folder: PathBuf,
    /// Between the starts of two programs.
    stagger: Duration,
    /// The clock that all runs have, in milliseconds since 1970.
    clock: fn() -> u64,
}

/// How much may be booked in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bound {
    /// The time, in milliseconds.
    window: u64,
    /// The most calls in it.
    n_most: u64,
    /// The most tokens of them.
    most: u64,
}

impl Bound {
    fn of(rates: Rates) -> Self {
        Self {
            window: MINUTE,
            n_most: rates.requests_per_minute.map_or(u64::MAX, u64::from).max(1),
            most: rates.tokens_per_minute.unwrap_or(u64::MAX),
        }
    }
}

/// The calls of one agent in the time of its bound.
#[derive(Debug, Default, PartialEq, Eq)]
struct Account {
    /// When each call was made, in milliseconds, and its tokens; oldest first.
    calls: VecDeque<(u64, u64)>,
    /// Until when it was told to wait.
    held_until: u64,
}

impl Limiter {
    /// Makes the limiter of a run, which notes in `cache` what it books, by a clock of milliseconds since 1970.
    pub fn new(cache: &Path, stagger: Duration, clock: fn() -> u64) -> Self {
        Self {
            accounts: Mutex::default(),
            begun: Instant::now(),
            folder: cache.join(FOLDER),
            stagger,
            clock,
        }
    }

    /// Books a call of `tokens` to `agent` if it may be made now; else says how long to wait before this is asked again.
    ///
    /// A call that alone is more than the tokens of a minute may be made once no other is in that minute.
    pub fn book(&self, agent: &str, rates: Rates, tokens: u64) -> Option<Duration> {
        self.enter(&calls_of(agent), Bound::of(rates), tokens)
    }

    /// Books the start of a program if one may start now; else says how long to wait before this is asked again.
    pub fn start(&self) -> Option<Duration> {
        let bound = Bound {
            window: milliseconds(self.stagger),
            n_most: 1,
            most: u64::MAX,
        };
        self.enter(STARTS, bound, 0)
    }

    /// Has nobody call `agent` for so long: its vendor said so to one of us.
    pub fn hold(&self, agent: &str, time: Duration) {
        let until = self.now().saturating_add(milliseconds(time));
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let account = accounts.entry(calls_of(agent)).or_default();
        account.held_until = account.held_until.max(until);
    }

    fn now(&self) -> u64 {
        milliseconds(self.begun.elapsed())
    }

    /// Enters a call into the account `name`, here and where other runs see it, or says how long to wait.
    fn enter(&self, name: &str, bound: Bound, tokens: u64) -> Option<Duration> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let account = accounts.entry(name.to_owned()).or_default();
        let now = self.now();
        let own = account.wait(bound, tokens, now);
        let wait = own.or_else(|| self.enter_for_all(name, bound, tokens));
        if wait.is_none() {
            account.calls.push_back((now, tokens));
        }
        wait.map(Duration::from_millis)
    }

    /// Enters a call where other runs see it, or says how long to wait for theirs, in milliseconds.
    fn enter_for_all(&self, name: &str, bound: Bound, tokens: u64) -> Option<u64> {
        /// No account is larger that is whole.
        const MAX_BYTES: u64 = 1 << 20;
        if bound == Bound::of(Rates::default()) {
            return None;
        }
        fs::make_private_folders(&self.folder).ok()?;
        let file = self.folder.join(name);
        let lock = lock(&file)?;
        let now = (self.clock)();
        let noted = fs::read_regular_text(&file, MAX_BYTES).unwrap_or_default();
        let mut account = Account::parse(&noted, now);
        let wait = account.wait(bound, tokens, now);
        if wait.is_none() {
            account.calls.push_back((now, tokens));
        }
        lock.write(&account.to_string());
        wait
    }
}

fn calls_of(agent: &str) -> String {
    format!("{agent}.calls")
}

/// Locks the file of an account; none where that cannot be, or others have it for much longer than a look takes.
fn lock(file: &Path) -> Option<Lock> {
    const N_TRIES: usize = 100;
    for _ in 0..N_TRIES {
        if let Some(lock) = Lock::take(file).ok()? {
            return Some(lock);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    None
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Account {
    /// Reads an account that was written as text, a line for each call; what is damaged holds none, and what is to come is of now: the
    /// clock was set back.
    fn parse(text: &str, now: u64) -> Self {
        let call = |line: &str| {
            let (at, tokens) = line.split_once(' ')?;
            Some((at.parse::<u64>().ok()?.min(now), tokens.parse().ok()?))
        };
        let calls: Option<VecDeque<_>> = text.lines().map(call).collect();
        Self {
            calls: calls.unwrap_or_default(),
            held_until: 0,
        }
    }

    /// Returns how long a call has to wait, in milliseconds, if it has to; calls that count no more are forgotten.
    fn wait(&mut self, bound: Bound, tokens: u64, now: u64) -> Option<u64> {
        let is_over = |&(at, _): &(u64, u64)| at.saturating_add(bound.window) <= now;
        while self.calls.front().is_some_and(is_over) {
            self.calls.pop_front();
        }
        let free = self.free_at(bound, tokens).max(self.held_until);
        free.checked_sub(now).filter(|wait| *wait > 0)
    }

    /// Returns when enough of the calls are so old that they do not count.
    fn free_at(&self, bound: Bound, tokens: u64) -> u64 {
        let mut n_left = self.calls.len() as u64;
        let each = self.calls.iter().map(|&(_, tokens)| tokens);
        let mut left = each.fold(0, u64::saturating_add);
        let mut free = 0;
        for &(at, of_it) in &self.calls {
            if n_left < bound.n_most && left.saturating_add(tokens) <= bound.most {
                break;
            }
            n_left -= 1;
            left = left.saturating_sub(of_it);
            free = at.saturating_add(bound.window);
        }
        free
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut calls = self.calls.iter();
        calls.try_for_each(|(at, tokens)| writeln!(f, "{at} {tokens}"))
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
            let mut account = Account::default();
            for (at, tokens, expected) in calls {
                let now = at * 1000;
                let waits = account.wait(Bound::of(rates), tokens, now);
                assert_eq!(waits, expected.map(|s: u64| s * 1000), "{rates:?} {at}");
                if waits.is_none() {
                    account.calls.push_back((now, tokens));
                }
                // What is written is read as it was.
                assert_eq!(Account::parse(&account.to_string(), now), account);
            }
        }
    }

    #[test]
    fn who_is_held_is_called_by_nobody_and_others_are() {
        let cache = tempfile::tempdir().unwrap();
        let limiter = Limiter::new(cache.path(), STAGGER, || NOW);
        for seconds in [50, 30] {
            limiter.hold("a", Duration::from_secs(seconds));
        }
        let book = |agent| limiter.book(agent, Rates::default(), 1);
        assert!(book("a").unwrap() > Duration::from_secs(40));
        assert_eq!(book("b"), None);
    }

    /// When all is said to happen.
    const NOW: u64 = 1_700_000_000_000;

    #[test]
    fn what_other_runs_have_booked_counts_if_it_can_be_read() {
        // What is noted, less what of each time is `NOW`; the wait for it in seconds; what is noted then.
        for (noted, expected, left) in [
            ("", None, "0 7\n"),
            ("-30 7\n", Some(31), "-30 7\n"),
            ("-61 7\n", None, "0 7\n"),
            ("-70 1\n-60 7\n", Some(1), "-60 7\n"),
            // The clock was set back.
            ("+3600 7\n", Some(61), "0 7\n"),
            ("-30 7\nx 7\n", None, "0 7\n"),
            ("-30 7\n-29", None, "0 7\n"),
            ("-30 99999999999999999999\n", None, "0 7\n"),
        ] {
            let cache = tempfile::tempdir().unwrap();
            let limiter = Limiter::new(cache.path(), STAGGER, || NOW);
            let file = limiter.folder.join("a.calls");
            fs::make_folder(&limiter.folder).unwrap();
            fs::write_durable(&file, timed(noted).as_bytes()).unwrap();
            let wait = limiter.book("a", ONE, 7);
            assert_eq!(wait, expected.map(Duration::from_secs), "{noted}");
            let now = fs::read_regular_text(&file, 99).unwrap();
            assert_eq!(now, timed(left), "{noted}");
        }
    }

    /// One call a minute.
    const ONE: Rates = Rates {
        requests_per_minute: Some(1),
        tokens_per_minute: None,
    };

    /// Puts the time in the place of seconds from `NOW`.
    fn timed(noted: &str) -> String {
        let lines = noted.split_inclusive('\n').map(|line| {
            let (seconds, rest) = line.split_once(' ').unwrap_or((line, ""));
            match seconds.parse::<i64>() {
                Ok(seconds) => format!("{} {rest}", NOW.saturating_add_signed(seconds * 1000)),
                Err(_) => line.to_owned(),
            }
        });
        lines.collect()
    }

    #[test]
    fn programs_of_all_runs_start_one_after_the_other_unless_no_file_tells() {
        let cache = tempfile::tempdir().unwrap();
        let place = cache.path();
        // Nothing can be made beneath a file.
        let file = place.join("file");
        fs::write_durable(&file, b"").unwrap();
        let limiter = |cache: &Path| Limiter::new(cache, STAGGER, || NOW);
        for (one, other, waits) in [(place, place, true), (&file, &file, false)] {
            let (one, other) = (limiter(one), limiter(other));
            assert_eq!(one.start(), None);
            assert_eq!(other.start(), waits.then_some(STAGGER));
            let own = one.start().unwrap();
            assert!(!own.is_zero() && own <= STAGGER, "{own:?}");
        }
        let at_once = Limiter::new(place, Duration::ZERO, || NOW);
        assert_eq!((at_once.start(), at_once.start()), (None, None));
    }

    #[test]
    fn who_keeps_a_file_locked_keeps_nobody_from_anything() {
        let cache = tempfile::tempdir().unwrap();
        let limiter = Limiter::new(cache.path(), STAGGER, || NOW);
        assert_eq!(limiter.book("a", ONE, 7), None);
        let other = Limiter::new(cache.path(), STAGGER, || NOW);
        let held = Lock::take(&other.folder.join("a.calls")).unwrap();
        assert!(held.is_some());
        assert_eq!(other.book("a", ONE, 7), None);
    }
}
