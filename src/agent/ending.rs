//! What it means that something ended early, whether a program or a request.

use std::time::Duration;

use super::outcome::{Class, Failure};
use crate::process::{End, Limits};

/// Returns the exit code of what ended by itself after `elapsed`; `trouble` is what it told last, if that was trouble.
pub(super) fn exit_code(
    end: End,
    elapsed: Duration,
    limits: &Limits,
    trouble: Option<&str>,
) -> Result<i32, Failure> {
    let seconds = elapsed.as_secs();
    Err(match end {
        End::Exited(code) => return Ok(code),
        End::Signalled(signal) => Failure::new(Class::Killed, format!("signal {signal} ended it")),
        End::Idle => {
            let idle = limits.idle.as_secs();
            let why = format!("it wrote nothing for {idle} s, {seconds} s after its start");
            hung(&why, trouble)
        }
        End::Wall => hung(&format!("it had not ended after {seconds} s"), trouble),
        End::TooMuchOutput => Failure::new(Class::Malformed, "it wrote without end"),
        End::Interrupted => Failure::new(Class::Interrupted, "you asked to stop"),
    })
}

/// Returns why what waits by itself for longer than it may was ended; `told` is what it said of that.
pub(super) fn waits_too_long(waits: Duration, longest: Duration, told: &str) -> Failure {
    let (waits, longest) = (waits.as_secs(), longest.as_secs());
    let why = format!("it would wait {waits} s by itself, and may wait {longest} s");
    let failure = hung(&why, Some(told));
    // It waits for its vendor, whatever it says.
    let class = match failure.class {
        Class::Hung => Class::Network,
        class => class,
    };
    Failure { class, ..failure }
}

/// What it told last says more than that it did not end.
fn hung(why: &str, trouble: Option<&str>) -> Failure {
    let Some(trouble) = trouble else {
        return Failure::new(Class::Hung, why);
    };
    let told = Failure::of_words(trouble);
    let class = if told.class == Class::Crashed {
        Class::Hung
    } else {
        told.class
    };
    Failure::new(class, format!("{why}; it told last: {trouble}")).waiting(trouble)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_waits_for_makes_the_class() {
        for (told, class) in [
            (
                "waits to try again in 35254 ms (status 429): rate_limit",
                Class::RateLimited,
            ),
            (
                "waits to try again in 525 ms (status 500): server_error",
                Class::Network,
            ),
            (
                "waits to try again in 525 ms (status 401): authentication_failed",
                Class::NotSignedIn,
            ),
            ("waits to try again in 525 ms: unknown", Class::Network),
            ("", Class::Network),
        ] {
            let longest = Duration::from_secs(1);
            let failure = waits_too_long(Duration::from_secs(2), longest, told);
            assert_eq!(failure.class, class, "{told}");
        }
    }
}
