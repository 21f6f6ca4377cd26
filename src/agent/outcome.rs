//! What came of a call, decided from all signals: exit, output, error marks, and what was answered.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::retry;
use crate::process::Confinement;

/// An answer that is whole as far as the program shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// The answer.
    pub text: String,
    /// By what the program goes on with this conversation.
    pub session: Option<String>,
    /// Who answered, where that is another than was asked: of a recording, who did then.
    pub who: Option<String>,
    /// What the vendor counted.
    pub usage: Usage,
    /// A patch that the agent answers with, where it did not edit files itself.
    pub change: Option<Vec<u8>>,
    /// Why it could write elsewhere than in its folder, if it could.
    pub unconfined: Option<String>,
    /// Tools that the agent wanted and did not get.
    pub denied: Vec<String>,
}

impl Reply {
    /// Notes what held the program while it ran.
    pub(super) fn confined(mut self, confined: Confinement) -> Self {
        if let Confinement::Partial(why) | Confinement::None(why) = confined {
            self.unconfined = Some(why);
        }
        self
    }
}

/// Tokens and money as the program reported them; what it did not report is unknown, not zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of all prompts, cached ones included.
    pub input: Option<u64>,
    /// Those of them that came from a cache.
    pub cached: Option<u64>,
    /// Tokens of all answers, thinking included.
    pub output: Option<u64>,
    /// US dollars: by the program's own table, or else by the catalogue's.
    pub dollars: Option<f64>,
}

impl Usage {
    /// Returns that of a call that was refused: none.
    pub fn nothing() -> Self {
        Self {
            input: Some(0),
            cached: Some(0),
            output: Some(0),
            dollars: Some(0.0),
        }
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        // Whatever a server reports: no sum runs over.
        fn add<T>(mine: &mut Option<T>, theirs: Option<T>, sum: fn(T, T) -> T) {
            *mine = match (mine.take(), theirs) {
                (Some(mine), Some(theirs)) => Some(sum(mine, theirs)),
                (mine, theirs) => mine.or(theirs),
            };
        }
        add(&mut self.input, other.input, u64::saturating_add);
        add(&mut self.cached, other.cached, u64::saturating_add);
        add(&mut self.output, other.output, u64::saturating_add);
        add(&mut self.dollars, other.dollars, |mine, theirs| {
            mine + theirs
        });
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{class}: {message}")]
pub struct Failure {
    /// The kind of failure, by which it is decided what happens next.
    pub class: Class,
    /// What the program or we found, for people.
    pub message: String,
    /// For how long to wait before the next try, where it was told.
    pub retry_after: Option<Duration>,
}

/// Kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// It ended well and said nothing.
    Empty,
    /// The answer has no end.
    Cut,
    /// The model or its filters refused.
    Refused,
    /// The prompt is more than the model or the program takes.
    OverWindow,
    /// Too many requests; later may do.
    RateLimited,
    /// What was paid for is used up.
    OutOfQuota,
    /// There is no valid log-in or key.
    NotSignedIn,
    /// The vendor does not know the model, or not for this account.
    NoSuchModel,
    /// The account or the program may not do this.
    PermissionDenied,
    /// The vendor could not be reached, or has trouble.
    Network,
    /// It said nothing for too long, or did not end.
    Hung,
    /// A signal ended it.
    Killed,
    /// We were asked to stop.
    Interrupted,
    /// It ended with an error that fits no other class.
    Crashed,
    /// What it wrote is not what it speaks.
    Malformed,
    /// A recording answers another prompt, or has no more answers.
    NotRecorded,
}

/// What happens after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The call is made again after a wait, some times.
    Wait,
    /// It is made again at once, one time: by chance it may go well.
    Again,
    /// The same call to the same agent would fail again; another agent may do it.
    Other,
    /// Nobody is asked any more.
    Stop,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Empty,
        Self::Cut,
        Self::Refused,
        Self::OverWindow,
        Self::RateLimited,
        Self::OutOfQuota,
        Self::NotSignedIn,
        Self::NoSuchModel,
        Self::PermissionDenied,
        Self::Network,
        Self::Hung,
        Self::Killed,
        Self::Interrupted,
        Self::Crashed,
        Self::Malformed,
        Self::NotRecorded,
    ];

    /// Returns what happens after a failure of this class.
    pub fn next(self) -> Next {
        match self {
            Self::RateLimited | Self::Network => Next::Wait,
            Self::Empty | Self::Malformed | Self::Hung | Self::Killed => Next::Again,
            Self::Cut
            | Self::Refused
            | Self::OverWindow
            | Self::OutOfQuota
            | Self::NotSignedIn
            | Self::NoSuchModel
            | Self::PermissionDenied
            | Self::Crashed => Next::Other,
            Self::Interrupted | Self::NotRecorded => Next::Stop,
        }
    }

    /// Says whether a vendor refuses so what it has not begun, and bills nobody for it.
    pub fn is_unpaid(self) -> bool {
        matches!(
            self,
            Self::RateLimited
                | Self::OutOfQuota
                | Self::NotSignedIn
                | Self::NoSuchModel
                | Self::PermissionDenied
                | Self::OverWindow
        )
    }

    /// Returns what the user can do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Empty | Self::Cut | Self::Malformed => "run it again, or use another model",
            Self::Refused => "say in the spec why it is needed, or use another model",
            Self::OverWindow => "name fewer files, or use a model with a larger window",
            Self::RateLimited => "wait a minute and run it again",
            Self::OutOfQuota => "wait until the quota is renewed, or use another agent",
            Self::NotSignedIn => {
                "sign in by starting its program by hand, or set the variable that holds its key; `twostep doctor` tells how each agent is signed in"
            }
            Self::NoSuchModel => {
                "name a model of your account: `AGENT:MODEL`; `twostep models` lists those known"
            }
            Self::PermissionDenied => "check what your account and your settings allow",
            Self::Network => {
                "wait a little and run it again; if it stays, check the network and proxy settings"
            }
            Self::Hung => "run it again; `--idle-limit` and `--time-limit` give it more time",
            Self::Killed => "run it again; the system may be short of memory",
            Self::Interrupted => "run it again when you like; nothing was changed",
            Self::Crashed => {
                "start it by hand to see what it lacks; `twostep doctor` looks at what it needs"
            }
            Self::NotRecorded => {
                "play back the recording with the spec, files and checks that it was made with"
            }
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty answer",
            Self::Cut => "cut answer",
            Self::Refused => "refused",
            Self::OverWindow => "over the window",
            Self::RateLimited => "rate-limited",
            Self::OutOfQuota => "out of quota",
            Self::NotSignedIn => "not signed in",
            Self::NoSuchModel => "no such model",
            Self::PermissionDenied => "permission denied",
            Self::Network => "network or vendor trouble",
            Self::Hung => "hung",
            Self::Killed => "killed",
            Self::Interrupted => "interrupted",
            Self::Crashed => "crashed",
            Self::Malformed => "malformed output",
            Self::NotRecorded => "not recorded",
        })
    }
}

impl Failure {
    /// Makes a failure; of a long message what stands last is kept, for programs end with the cause.
    pub fn new(class: Class, message: impl AsRef<str>) -> Self {
        const MOST_CHARS: usize = 600;
        let message = message.as_ref().trim();
        let n_over = message.chars().count().saturating_sub(MOST_CHARS);
        let tail: String = message.chars().skip(n_over).collect();
        Self {
            class,
            retry_after: None,
            message: if n_over > 0 {
                format!("...{tail}")
            } else {
                tail
            },
        }
    }

    /// Takes from the words of `message` for how long to wait, if that may help and nothing better is known.
    pub(super) fn waiting(mut self, message: &str) -> Self {
        let may_help = matches!(
            self.class,
            Class::RateLimited | Class::OutOfQuota | Class::Network
        );
        if may_help && self.retry_after.is_none() {
            self.retry_after = retry::of_words(message);
        }
        self
    }

    /// Decides the class of an error that came over HTTP.
    pub(super) fn of_status(status: u64, message: &str) -> Self {
        let says = said(message);
        let class = match status {
            400 | 413 | 429 if says(TOO_LONG) => Class::OverWindow,
            // A limit that is new each minute is called a quota, too.
            429 if says(&["perminute"]) && !says(&["perday"]) => Class::RateLimited,
            400..=499 if says(SPENT) => Class::OutOfQuota,
            400 if says(&["api key not valid", "api_key_invalid"]) => Class::NotSignedIn,
            401 => Class::NotSignedIn,
            402 => Class::OutOfQuota,
            403 => Class::PermissionDenied,
            404 => Class::NoSuchModel,
            413 => Class::OverWindow,
            429 => Class::RateLimited,
            // A redirection is not followed: it would take the key elsewhere.
            300..=399 | 408 | 500..=599 => Class::Network,
            _ => Class::Crashed,
        };
        Self::new(class, message).waiting(message)
    }

    /// Decides the class of an error that has nothing but words; a status among them counts first.
    pub(super) fn of_words(message: &str) -> Self {
        if let Some(status) = status_in(message) {
            return Self::of_status(status, message);
        }
        let says = said(message);
        let class = if says(TOO_LONG) {
            Class::OverWindow
        } else if says(SPENT) {
            Class::OutOfQuota
        } else if says(TOO_MANY) {
            Class::RateLimited
        } else if says(SIGN_IN) {
            Class::NotSignedIn
        } else if says(NO_MODEL) {
            Class::NoSuchModel
        } else if says(TROUBLE) {
            Class::Network
        } else {
            Class::Crashed
        };
        Self::new(class, message).waiting(message)
    }
}

/// Returns the HTTP status that a message names.
fn status_in(message: &str) -> Option<u64> {
    message.split("status").skip(1).find_map(|rest| {
        let digits = rest.trim_start_matches([':', ' ']).get(..3)?;
        let status = digits.parse().ok()?;
        (300..600).contains(&status).then_some(status)
    })
}

/// Returns what says whether a message holds one of some words, whatever their case.
fn said(message: &str) -> impl Fn(&[&str]) -> bool {
    let lower = message.to_lowercase();
    move |words| words.iter().any(|word| lower.contains(word))
}

/// Words by which programs say that nobody is signed in.
const SIGN_IN: &[&str] = &[
    "not logged in",
    "invalid api key",
    "please run /login",
    "auth method",
    "unauthenticated",
];

/// Words by which vendors say that they do not know a model, or not for this account.
const NO_MODEL: &[&str] = &[
    "does not exist or you do not have access",
    "is not found for api version",
];

/// Words by which programs say that the vendor is not reached, or has trouble.
const TROUBLE: &[&str] = &[
    "connection",
    "disconnected",
    "error sending request",
    "network",
    "econnrefused",
    "enotfound",
    "fetch failed",
    "terminated",
    "timed out",
    "timeout",
    "high demand",
    "overloaded",
    "socket",
    // A page in the place of an answer: somebody between us and the vendor wants something.
    "malformed response",
    "incomplete json segment",
];

/// Words by which vendors and programs say that a prompt is too long.
const TOO_LONG: &[&str] = &[
    "prompt is too long",
    "exceeds the maximum number of tokens",
    "exceeds the maximum length",
    "input_too_large",
    "context_length_exceeded",
    "context window",
    "context size",
    "maximum context length",
    "exceed context limit",
    "request too large",
];

/// Words by which they say that a minute's wait helps.
const TOO_MANY: &[&str] = &[
    "rate limit",
    "rate_limit",
    "too many requests",
    "resource_exhausted",
    "suggested retry after",
];

/// Words by which they say that waiting a minute does not help.
const SPENT: &[&str] = &[
    "daily quota",
    "quota exceeded",
    "perday",
    "usage limit",
    // A session, a week, a month: "hit your weekly limit".
    "hit your",
    "spend_limit",
    "insufficient_quota",
    "credit balance",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_and_its_words_make_a_class() {
        for (status, message, class) in [
            (401, "", Class::NotSignedIn),
            (403, "", Class::PermissionDenied),
            (404, "", Class::NoSuchModel),
            (
                400,
                "prompt is too long: 2 tokens > 1 maximum",
                Class::OverWindow,
            ),
            (
                400,
                "The input token count (2) exceeds the maximum number of tokens allowed (1).",
                Class::OverWindow,
            ),
            (400, "Your credit balance is too low", Class::OutOfQuota),
            (400, "something else", Class::Crashed),
            (429, "", Class::RateLimited),
            (
                429,
                "You have exhausted your daily quota on this model.",
                Class::OutOfQuota,
            ),
            (
                429,
                "Quota exceeded for metric: requests, quotaId: GenerateRequestsPerMinutePerProject",
                Class::RateLimited,
            ),
            (
                429,
                "Request too large for the model: Limit 30000, Requested 90000",
                Class::OverWindow,
            ),
            (413, "", Class::OverWindow),
            (307, "", Class::Network),
            (500, "", Class::Network),
            (503, "", Class::Network),
            (529, "", Class::Network),
        ] {
            assert_eq!(
                Failure::of_status(status, message).class,
                class,
                "{status} {message}"
            );
        }
        for (message, class) in [
            ("Prompt is too long", Class::OverWindow),
            ("Not logged in · Please run /login", Class::NotSignedIn),
            ("stream disconnected before completion", Class::Network),
            ("Request timed out", Class::Network),
            ("You've hit your usage limit.", Class::OutOfQuota),
            ("Error: 429 Too Many Requests", Class::RateLimited),
            ("waits to try again (429): rate_limit", Class::RateLimited),
            ("segmentation fault", Class::Crashed),
        ] {
            assert_eq!(Failure::of_words(message).class, class, "{message}");
        }
    }

    #[test]
    fn a_failure_that_waiting_helps_says_for_how_long() {
        let words = "Please try again in 20s.";
        for (failure, seconds) in [
            (Failure::of_status(429, words), Some(20)),
            (Failure::of_status(503, words), Some(20)),
            (
                Failure::of_status(429, "daily quota; resets in 2h"),
                Some(7_200),
            ),
            (Failure::of_status(401, words), None),
            (Failure::of_words("overloaded, try again in 5 s"), Some(5)),
            (Failure::of_words(words), None),
        ] {
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(failure.retry_after, expected, "{failure}");
        }
    }

    #[test]
    fn the_page_tells_of_every_class_what_happens_next_and_what_the_user_is_told() {
        let page = include_str!("../../docs/agents.md");
        let rows: Vec<Vec<&str>> = page
            .lines()
            .skip_while(|line| !line.starts_with('|'))
            .take_while(|line| line.starts_with('|'))
            .skip(2)
            .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
            .collect();
        assert_eq!(rows.len(), Class::ALL.len());
        for (row, class) in rows.iter().zip(Class::ALL) {
            let next = match class.next() {
                Next::Wait => "asked again after a wait",
                Next::Again => "asked again at once, one time",
                Next::Other => "not asked again",
                Next::Stop => "the run stops",
            };
            let [name, _, then, told] = row[..] else {
                panic!("{row:?}")
            };
            assert_eq!(
                (name, then, told),
                (class.to_string().as_str(), next, class.hint())
            );
        }
    }

    #[test]
    fn of_a_long_message_the_end_is_kept() {
        let failure = Failure::new(Class::Crashed, format!("{} the cause", "x".repeat(5_000)));
        assert!(failure.message.starts_with("...x") && failure.message.ends_with("the cause"));
        assert!(failure.message.len() < 1_000);
    }
}
