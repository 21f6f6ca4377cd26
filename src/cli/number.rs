//! Numbers as people write and read them.

use std::time::Duration;

/// Parses a number of tokens: `50000`, `50_000`, `180k`, `1.5M`.
pub(super) fn parse_tokens(text: &str) -> Result<u64, String> {
    let bad = || "expected a number of tokens, such as 50000, 180k or 1M".to_owned();
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1_000),
        Some((at, 'm' | 'M')) => (&text[..at], 1_000_000),
        _ => (text, 1),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain: String = whole.chars().filter(|c| !matches!(c, '_' | ',')).collect();
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let begins_and_ends = |text: &str| {
        let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        is_digit(text.as_bytes().first()) && is_digit(text.as_bytes().last())
    };
    if !begins_and_ends(whole)
        || !all_digits(&plain)
        || !all_digits(fraction)
        || digits.ends_with('.')
        || fraction.len() > 6
    {
        return Err(bad());
    }
    let whole: u64 = plain.parse().map_err(|_| bad())?;
    let millionths: u64 = format!("{fraction:0<6}").parse().map_err(|_| bad())?;
    let part = millionths * unit;
    if !part.is_multiple_of(1_000_000) {
        return Err(bad());
    }
    let tokens = whole
        .checked_mul(unit)
        .and_then(|whole| whole.checked_add(part / 1_000_000))
        .ok_or_else(bad)?;
    if tokens == 0 {
        Err("a budget of no tokens holds nothing".to_owned())
    } else {
        Ok(tokens)
    }
}

/// Parses a length of time: `90s`, `15m`, `2h`, `30d`.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let bad = || "expected a length of time, such as 90s, 15m, 2h or 30d".to_owned();
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        Some((at, 'd')) => (&text[..at], 24 * 3600),
        _ => return Err(bad()),
    };
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| all_digits).ok_or_else(bad)?;
    // No longer than a year: what is added to it must not run over.
    let seconds = number.checked_mul(unit);
    let seconds = seconds.filter(|seconds| (1..=366 * 86_400).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(bad)
}

/// Parses a number of bytes: `500MB`, `1GB`.
pub(super) fn parse_bytes(text: &str) -> Result<u64, String> {
    let bad = || "expected a number of bytes, such as 500MB or 1GB".to_owned();
    let units = [("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000)];
    let found = units.into_iter().find_map(|(name, unit)| {
        let digits = text.strip_suffix(name)?;
        Some((digits, unit))
    });
    let (digits, unit) = found.unwrap_or((text, 1));
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| all_digits).ok_or_else(bad)?;
    number.checked_mul(unit).ok_or_else(bad)
}

/// Writes a number of bytes as people read it.
pub(super) fn sized(bytes: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    for (name, unit) in units {
        if bytes >= unit {
            return format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit);
        }
    }
    format!("{bytes} bytes")
}

/// Writes a length of time as people read it.
pub(super) fn lasting(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0 => format!("{milliseconds} ms"),
        1..60 => format!("{seconds}.{} s", milliseconds % 1000 / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Writes dollars; those that nobody knows are not nothing.
pub(super) fn dollars(amount: Option<f64>) -> String {
    match amount {
        None => "unknown".to_owned(),
        Some(amount) if amount < 0.005 => "under 0.01 USD".to_owned(),
        Some(amount) => format!("{amount:.2} USD"),
    }
}

/// Writes a number with commas between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Returns `n` with the word for one or for many.
pub(super) fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n as u64), if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_parsed_as_people_write_them() {
        for (text, expected) in [
            ("1", Some(1)),
            ("50000", Some(50_000)),
            ("50_000", Some(50_000)),
            ("50,000", Some(50_000)),
            ("180k", Some(180_000)),
            ("1M", Some(1_000_000)),
            ("1.5M", Some(1_500_000)),
            ("0.5k", Some(500)),
            ("1.5", None),
            ("0", None),
            ("", None),
            ("k", None),
            ("-1", None),
            ("1.", None),
            ("1e6", None),
            (",1", None),
            ("1,", None),
            ("99999999999999999999", None),
            ("99999999999999999M", None),
        ] {
            assert_eq!(parse_tokens(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn lengths_of_time_have_a_unit() {
        for (text, expected) in [
            ("90s", Some(90)),
            ("15m", Some(900)),
            ("2h", Some(7200)),
            ("30d", Some(2_592_000)),
            ("0s", None),
            ("15", None),
            ("+1m", None),
            ("m", None),
            ("", None),
            ("99999999999999999999h", None),
            ("9999999999999999h", None),
        ] {
            assert_eq!(
                parse_duration(text).ok().map(|time| time.as_secs()),
                expected,
                "{text}"
            );
        }
        for (milliseconds, text) in [
            (7, "7 ms"),
            (1_940, "1.9 s"),
            (61_000, "1 min 1 s"),
            (7_260_000, "2 h 1 min"),
        ] {
            assert_eq!(lasting(milliseconds), text);
        }
    }

    #[test]
    fn bytes_are_read_and_written_with_a_unit() {
        for (text, expected) in [
            ("1GB", Some(1_000_000_000)),
            ("500MB", Some(500_000_000)),
            ("2kB", Some(2_000)),
            ("0", Some(0)),
            ("17", Some(17)),
            ("GB", None),
            ("-1", None),
            ("1.5GB", None),
            ("99999999999GB", None),
        ] {
            assert_eq!(parse_bytes(text).ok(), expected, "{text}");
        }
        for (bytes, text) in [
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (2_560_000, "2.5 MB"),
            (12_340_000_000, "12.3 GB"),
        ] {
            assert_eq!(sized(bytes), text);
        }
    }

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
