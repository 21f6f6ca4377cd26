//! How long a call that failed is waited for, and how often it is made again.

use std::time::Duration;

use crate::agent::{Failure, Next};
use crate::fs::Hash;

/// What a call has had of waiting so far, by all who were asked.
pub(super) struct Patience {
    /// What tells this call from others, so that not all come back at the same time.
    seed: String,
    /// The longest that it waits, all waits together.
    longest: Duration,
    waited: Duration,
    n_failed: u32,
}

/// What becomes of a call that failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It is made again after this long.
    Again(Duration),
    /// Another agent may do better: this one would have to be waited for, for longer than anybody wants to.
    TooLong(Duration),
    /// Another agent may do better.
    Other,
    /// That is the end of it.
    Stop,
}

/// A call is made at most so often, to one agent.
const MOST_CALLS: u32 = 5;

/// The first wait where nothing was said of how long; it doubles each time.
const FIRST_WAIT: Duration = Duration::from_secs(5);

impl Patience {
    pub(super) fn new(longest: Duration) -> Self {
        Self {
            seed: String::new(),
            longest,
            waited: Duration::ZERO,
            n_failed: 0,
        }
    }

    /// Begins with another agent, which has not failed yet.
    pub(super) fn begin(&mut self, seed: String) {
        self.seed = seed;
        self.n_failed = 0;
    }

    /// Returns how long it still may be waited.
    pub(super) fn left(&self) -> Duration {
        self.longest.saturating_sub(self.waited)
    }

    /// Counts what a program waited by itself.
    pub(super) fn had(&mut self, wait: Duration) {
        self.waited = self.waited.saturating_add(wait);
    }

    /// Decides what becomes of a call that failed so.
    pub(super) fn after(&mut self, failure: &Failure) -> Then {
        self.n_failed += 1;
        let most = match failure.class.next() {
            Next::Stop => return Then::Stop,
            Next::Other => 1,
            Next::Again => 2,
            Next::Wait => MOST_CALLS,
        };
        if self.n_failed >= most {
            return Then::Other;
        }
        let wait = match (failure.class.next(), failure.retry_after) {
            (Next::Again, _) => Duration::ZERO,
            // A little later than was said: clocks differ, and others were told the same.
            (_, Some(said)) => said
                .saturating_add(Duration::from_millis(500))
                .saturating_add(self.jitter(Duration::from_secs(1))),
            (_, None) => {
                let wait = FIRST_WAIT * 2_u32.pow(self.n_failed - 1);
                wait + self.jitter(wait / 4)
            }
        };
        if self.waited.saturating_add(wait) > self.longest {
            return Then::TooLong(wait);
        }
        self.waited = self.waited.saturating_add(wait);
        Then::Again(wait)
    }

    /// Returns a part of `most` that is another for each call and attempt, and the same each time.
    fn jitter(&self, most: Duration) -> Duration {
        let hash = Hash::of(format!("{} {}", self.seed, self.n_failed).as_bytes()).to_string();
        let part = u32::from_str_radix(&hash[..4], 16).unwrap_or(0);
        most * part / 0xffff
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Class;

    #[test]
    fn each_class_has_its_waits_and_no_more() {
        let none: Option<u64> = None;
        for (class, said, longest, expected) in [
            // Seconds of the waits, from and to, before another agent is tried.
            (
                Class::Network,
                none,
                600,
                vec![(5.0, 6.25), (10.0, 12.5), (20.0, 25.0), (40.0, 50.0)],
            ),
            (Class::RateLimited, Some(37), 600, vec![(37.5, 38.5); 4]),
            (Class::RateLimited, Some(37), 80, vec![(37.5, 38.5); 2]),
            (Class::RateLimited, Some(3600), 600, vec![]),
            (Class::Empty, Some(9), 600, vec![(0.0, 0.0)]),
            (Class::Malformed, none, 600, vec![(0.0, 0.0)]),
            (Class::Cut, none, 600, vec![]),
            (Class::NotSignedIn, Some(1), 600, vec![]),
            (Class::OutOfQuota, Some(1), 600, vec![]),
        ] {
            let mut patience = Patience::new(Duration::from_secs(longest));
            patience.begin("a run".to_owned());
            let failure = Failure {
                class,
                message: String::new(),
                retry_after: said.map(Duration::from_secs),
            };
            for (from, to) in expected {
                let Then::Again(wait) = patience.after(&failure) else {
                    panic!("{class} gives up too early");
                };
                assert!(
                    (from..=to).contains(&wait.as_secs_f64()),
                    "{class}: {wait:?}"
                );
            }
            let then = patience.after(&failure);
            assert!(matches!(then, Then::Other | Then::TooLong(_)), "{class}");
        }
        for class in [Class::Interrupted, Class::NotRecorded] {
            let mut patience = Patience::new(Duration::MAX);
            let failure = Failure {
                class,
                message: String::new(),
                retry_after: None,
            };
            assert_eq!(patience.after(&failure), Then::Stop);
        }
    }

    #[test]
    fn who_stands_in_waits_no_longer_than_is_left() {
        let failure = Failure {
            class: Class::RateLimited,
            message: String::new(),
            retry_after: Some(Duration::from_secs(20)),
        };
        let mut patience = Patience::new(Duration::from_mins(1));
        patience.begin("one".to_owned());
        assert!(matches!(patience.after(&failure), Then::Again(_)));
        patience.had(Duration::from_secs(25));
        patience.begin("another".to_owned());
        assert!(matches!(patience.after(&failure), Then::TooLong(_)));
        assert!(patience.left() < Duration::from_secs(21));
        patience.had(Duration::MAX);
        assert_eq!(patience.left(), Duration::ZERO);
    }
}
