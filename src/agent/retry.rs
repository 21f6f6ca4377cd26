//! Until when to wait, as vendors and programs say it: in headers, in bodies, in words.
//!
//! No clock of ours: a date is held against the date of the answer that it stands in.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// What stands before a time to wait, and the milliseconds of a number without a unit after it.
const MARKS: &[(&str, Option<f64>)] = &[
    ("retry_delay_ms", Some(1.0)),
    ("retry_after_ms", Some(1.0)),
    ("retrydelay", Some(1e3)),
    ("retry_after", Some(1e3)),
    ("retry-after", Some(1e3)),
    ("retry after", Some(1e3)),
    ("retry in", None),
    ("try again in", None),
    ("reset in", None),
    ("resets in", None),
    ("reset after", None),
];

/// Units of time with their milliseconds.
const UNITS: &[(&[&str], f64)] = &[
    (&["ms", "millisecond", "milliseconds"], 1.0),
    (&["s", "sec", "secs", "second", "seconds"], 1e3),
    (&["m", "min", "mins", "minute", "minutes"], 60e3),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600e3),
    (&["d", "day", "days"], 86_400e3),
];

/// No limit of a vendor is for longer: what says so is wrong.
const LONGEST: Duration = Duration::from_hours(31 * 24);

/// Headers that say when a limit is as new.
const RESETS: &[&str] = &[
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "anthropic-ratelimit-requests-reset",
    "anthropic-ratelimit-tokens-reset",
    "anthropic-ratelimit-input-tokens-reset",
    "anthropic-ratelimit-output-tokens-reset",
];

/// Returns for how long to wait by the words of a message; of several times the one that stands last.
pub(super) fn of_words(message: &str) -> Option<Duration> {
    let lower = &message.to_lowercase();
    let found = MARKS.iter().flat_map(|&(mark, bare)| {
        let places = lower.match_indices(mark);
        places.filter_map(move |(at, _)| Some((at, duration(&lower[at + mark.len()..], bare)?)))
    });
    found
        .max_by_key(|(at, _)| *at)
        .map(|(_, duration)| duration)
}

/// Returns for how long to wait by the headers of an answer.
pub(super) fn of_headers<'a>(header: &dyn Fn(&str) -> Option<&'a str>) -> Option<Duration> {
    let sent = header("date").and_then(date);
    let wait = |text: &str, bare| {
        duration(text, bare).or_else(|| {
            let wait = date(text)?.duration_since(sent?);
            Some(Duration::try_from(wait).unwrap_or_default())
        })
    };
    let after = |name, bare| header(name).and_then(|text| wait(text, Some(bare)));
    after("retry-after-ms", 1.0)
        .or_else(|| after("retry-after", 1e3))
        .or_else(|| {
            let resets = RESETS.iter().filter_map(|name| header(name));
            resets.filter_map(|text| wait(text, None)).max()
        })
}

/// Returns the time of an HTTP date or an RFC 3339 one.
fn date(text: &str) -> Option<Timestamp> {
    let http = || Some(rfc2822::parse(text).ok()?.timestamp());
    text.parse().ok().or_else(http)
}

/// Reads what `text` begins with: `37s`, `1h 5m`, `2 minutes and 3 seconds`, or a number of `bare` milliseconds.
fn duration(text: &str, bare: Option<f64>) -> Option<Duration> {
    let is_filler = |c: char| c.is_whitespace() || "\"':=,~".contains(c);
    let mut rest = text.trim_start_matches(is_filler);
    let mut total = None;
    loop {
        let n_digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (digits, after) = rest.split_at(n_digits.unwrap_or(rest.len()));
        let Ok(number) = digits.trim_end_matches('.').parse::<f64>() else {
            break;
        };
        let word = after.trim_start();
        let n_letters = word.find(|c: char| !c.is_ascii_alphabetic());
        let (word, after) = word.split_at(n_letters.unwrap_or(word.len()));
        let unit = UNITS.iter().find(|(names, _)| names.contains(&word));
        let unit = match (unit, total) {
            (Some((_, unit)), _) => *unit,
            // A date begins with a number, too.
            (None, None) if !after.starts_with(['-', ':']) => bare?,
            _ => break,
        };
        total = Some(total.unwrap_or(0.0) + number * unit);
        let next = after.trim_start_matches([' ', ',']);
        rest = next.strip_prefix("and ").unwrap_or(next);
    }
    let wait = Duration::try_from_secs_f64(total? / 1e3).ok()?;
    Some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_for_how_long_to_wait() {
        for (words, milliseconds) in [
            ("Suggested retry after 60s.", Some(60_000)),
            (r#"{"@type":"RetryInfo","retryDelay":"37s"}"#, Some(37_000)),
            (r#""retryDelay": "1.5s""#, Some(1_500)),
            ("Please retry in 26.25s.", Some(26_250)),
            (
                r#"{"subtype":"api_retry","retry_delay_ms":519,"error_status":429}"#,
                Some(519),
            ),
            ("Please try again in 20s. Visit the page", Some(20_000)),
            ("Please try again in 6m0s", Some(360_000)),
            ("try again in 120ms", Some(120)),
            (
                "try again in 2 hours, 5 minutes and 3 seconds.",
                Some(7_503_000),
            ),
            ("Your quota will reset after 18h4m16s.", Some(65_056_000)),
            ("usage limit; resets in 3 days 2 hours", Some(266_400_000)),
            ("Retry-After: 7", Some(7_000)),
            ("retry after 3 attempts", Some(3_000)),
            ("try again in 3 attempts", None),
            ("Retrying after 5s, then: try again in 20s", Some(20_000)),
            ("try again in 20s; it said retry after 30s", Some(30_000)),
            ("You've hit your limit; it resets 3pm (Europe/Berlin)", None),
            ("try again in a while", None),
            ("try again in 500000000000 days", Some(2_678_400_000)),
            ("try again in 99999999999999999999 days", None),
            ("try again in ", None),
            ("", None),
        ] {
            let expected = milliseconds.map(Duration::from_millis);
            assert_eq!(of_words(words), expected, "{words}");
        }
    }

    #[test]
    fn headers_say_for_how_long_to_wait() {
        const NOW: (&str, &str) = ("date", "Sat, 21 Nov 2026 18:00:00 GMT");
        for (headers, seconds) in [
            (&[("retry-after", "30")][..], Some(30)),
            (
                &[NOW, ("retry-after", "Sat, 21 Nov 2026 18:01:30 GMT")],
                Some(90),
            ),
            (
                &[NOW, ("retry-after", "Sat, 21 Nov 2026 17:00:00 GMT")],
                Some(0),
            ),
            // There is nothing to hold it against.
            (&[("retry-after", "Sat, 21 Nov 2026 18:01:30 GMT")], None),
            (&[("retry-after-ms", "5000"), ("retry-after", "6")], Some(5)),
            (
                &[
                    ("x-ratelimit-reset-requests", "8s"),
                    ("x-ratelimit-reset-tokens", "6m0s"),
                ],
                Some(360),
            ),
            (
                &[
                    NOW,
                    ("anthropic-ratelimit-tokens-reset", "2026-11-21T18:00:42Z"),
                ],
                Some(42),
            ),
            (
                &[("retry-after", "2"), ("x-ratelimit-reset-tokens", "6m0s")],
                Some(2),
            ),
            (&[NOW, ("retry-after", "soon")], None),
            (&[NOW], None),
        ] {
            let header = |wanted: &str| {
                let found = headers.iter().find(|(name, _)| *name == wanted);
                found.map(|(_, value)| *value)
            };
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(of_headers(&header), expected, "{headers:?}");
        }
    }
}
