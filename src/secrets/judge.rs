//! What is no secret though it has the form of one: examples, placeholders, names, code.
//!
//! Pure; looks at one value at a time.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::Deserialize;

use super::assigned::Quoting;
use super::decode;
use super::kind::FileKind;
use super::numbers::placeholders;
use super::words::Words;

/// What is asked of a value beyond its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Judge {
    /// It is no documented or made-up example.
    #[default]
    Form,
    /// It is nothing that people write in the place of a password.
    Password,
    /// It stands where a URL has its password, and is no placeholder.
    UrlPassword,
    /// It is a password, too, and mixes kinds of characters as plain words do not.
    MixedPassword,
    /// It is no example, and no words can be read in it.
    Key,
    /// It is as random as a generated key.
    Random,
    /// It is the base64 of a user and a password.
    Basic,
}

impl Judge {
    /// Says whether `value`, which has the form of a secret, is one.
    pub(super) fn accepts(self, value: &str, words: &Words) -> bool {
        if words.is_shown(value) {
            return false;
        }
        // What was redacted before is no secret; what stands beside it may be.
        let rest = without_placeholders(value);
        let plain = decode::unescaped(&rest);
        let value = plain.as_ref();
        match self {
            Self::Form => !is_made_up(value, words),
            Self::Password => is_password(value, words),
            Self::UrlPassword => is_url_password(value, words),
            Self::MixedPassword => is_password(value, words) && is_mixed(value),
            Self::Key => !is_made_up(value, words) && !is_wordy(value),
            Self::Random => !is_made_up(value, words) && is_random(value, words),
            Self::Basic => is_login(value, words),
        }
    }
}

/// Says whether a value that is known to be secret is nothing that stands in a text for another reason.
pub(super) fn is_unmistakable(value: &str) -> bool {
    let has = |test: fn(u8) -> bool| value.bytes().any(test);
    let is_mixed = has(|byte| byte.is_ascii_digit()) && has(|byte| byte.is_ascii_alphabetic());
    (12..=4096).contains(&value.len())
        && !value.contains('\n')
        && (is_mixed || !is_wordy(value))
        && entropy(value) >= 3.0
}

fn without_placeholders(value: &str) -> Cow<'_, str> {
    let mut rest = Cow::Borrowed(value);
    let ranges: Vec<_> = placeholders(value)
        .map(|placeholder| placeholder.range)
        .collect();
    for range in ranges.into_iter().rev() {
        rest.to_mut().replace_range(range, "");
    }
    rest
}

/// Says whether a value of the right form was written to show the form.
fn is_made_up(value: &str, words: &Words) -> bool {
    if words.stands_in(value) || is_periodic(value) {
        return true;
    }
    let is_regular = |part: &str| entropy(part) < 2.6 || regular(part) * 5 > part.len() * 3;
    let mut long = value
        .split(['-', '_', '.', '/', ':', '|', '$', '%'])
        .filter(|part| part.len() >= 16)
        .peekable();
    if long.peek().is_some() {
        return long.all(is_regular);
    }
    value.len() >= 12 && is_regular(value)
}

/// Says whether a value is what people write where a password would stand.
fn is_password(value: &str, words: &Words) -> bool {
    if !(5..=256).contains(&value.len()) || words.stands_in(value) || is_template(value, words) {
        return false;
    }
    !(is_plain(value, words)
        || is_periodic(value)
        || value.len() >= 8 && regular(value) * 3 > value.len() * 2)
}

/// What people write in a URL where its password would stand.
const URL_PLACEHOLDERS: &[&str] = &[
    "password",
    "passwd",
    "pass",
    "pwd",
    "p@ss:word",
    "secret",
    "token",
    "key",
    "changeme",
    "change-me",
    "change_me",
    "example",
    "test",
    "foo",
    "bar",
    "baz",
    "x-oauth-basic",
];

/// Says whether what stands where a URL has its password is one, however plain.
fn is_url_password(value: &str, words: &Words) -> bool {
    let lower = value.to_ascii_lowercase();
    let first = value.chars().next();
    let is_repeated = value.chars().all(|c| Some(c) == first);
    // `http://host:8080?to=me@host` has no password.
    let n_digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let is_port = (1..=5).contains(&n_digits)
        && value[n_digits..]
            .chars()
            .next()
            .is_none_or(|c| "?#&,;".contains(c));
    (3..=256).contains(&value.len())
        && !is_repeated
        && !is_port
        && !URL_PLACEHOLDERS.contains(&lower.as_str())
        && !words.stands_in(value)
        && !is_template(value, words)
}

/// Says whether letters change their case as in no name, or in settings have signs among them.
pub(super) fn is_scrambled(value: &str, kind: FileKind) -> bool {
    let is_mixed = kind == FileKind::Settings && kinds(value) == 3;
    value.len() >= 10
        && (switches(value) * 3 >= value.len() || is_mixed)
        && !is_wordy(value)
        && entropy(value) >= 3.0
}

/// Says whether what something is set to is a password of plain words, as people choose them: with a number of their own,
/// `MyS3cretPassword2024!`, or four words and more between quotes.
pub(super) fn is_simple_password(value: &str, quoting: Quoting, words: &Words) -> bool {
    if words.is_shown(value) || words.stands_in(value) || is_template(value, words) {
        return false;
    }
    let is_numbered = (10..=64).contains(&value.len())
        && kinds(value) >= 3
        && is_mixed(value)
        && is_own_number(&without_plain(value, words));
    is_numbered || quoting == Quoting::Quoted && is_passphrase(value, words)
}

/// Says whether the digits of a text are neither a running number, as people add it to an example, nor all noughts or ones.
fn is_own_number(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_one = |only: char| digits.chars().all(|digit| digit == only);
    let is_running = ["1234567890", "0123456789"]
        .iter()
        .any(|run| run.starts_with(&digits));
    digits.len() >= 2 && !is_running && !is_one('0') && !is_one('1')
}

/// Says whether a value is four words or more, in small letters, and no sentence about a password.
fn is_passphrase(value: &str, words: &Words) -> bool {
    let is_word = |part: &str| {
        (3..=10).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    let is_plain = |part: &&str| words.plain.iter().any(|plain| plain == part);
    let parts: Vec<&str> = value.split(' ').collect();
    parts.len() >= 4
        && parts.iter().all(|part| is_word(part))
        && parts.iter().filter(|part| is_plain(part)).count() <= 1
}

/// Says whether letters are mixed with digits or signs, and no words can be read.
fn is_mixed(value: &str) -> bool {
    let n_kinds = kinds(value);
    let n_digits = value.bytes().filter(u8::is_ascii_digit).count();
    let has_sign = value.bytes().any(is_sign);
    let only_letters = n_digits == 0 && !has_sign;
    let is_readable = !has_sign && n_digits < 3 && is_wordy(value);
    value.bytes().any(|byte| byte.is_ascii_alphabetic())
        && n_kinds >= 2
        && value.len() >= if n_kinds >= 3 { 7 } else { 8 }
        && entropy(value) >= 2.5
        && !is_code(value)
        && !is_prose(value)
        && (!only_letters || switches(value) * 4 >= value.len())
        && (!is_readable || n_kinds == 3 && has_odd_part(value))
}

/// Counts the kinds of characters: small and capital letters, digits, signs.
fn kinds(value: &str) -> usize {
    let has = |test: fn(u8) -> bool| usize::from(value.bytes().any(test));
    has(|byte| byte.is_ascii_lowercase())
        + has(|byte| byte.is_ascii_uppercase())
        + has(|byte| byte.is_ascii_digit())
        + has(is_sign)
}

fn is_sign(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric() && !b"-_./: ".contains(&byte)
}

/// Says whether a value is words with blanks between, and marks of a sentence at their ends at most.
fn is_prose(value: &str) -> bool {
    let is_word = |part: &str| {
        part.trim_matches(|c: char| c.is_ascii_punctuation())
            .chars()
            .all(char::is_alphabetic)
    };
    value.contains(' ') && value.split(' ').all(is_word)
}

/// Says whether a part between dashes has letters and digits and is no word with a number.
fn has_odd_part(value: &str) -> bool {
    let is_odd = |part: &str| {
        let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
        letters.len() < part.len() && letters.len() > 1 && !is_word(letters.as_bytes())
    };
    value.split(['-', '_']).any(is_odd)
}

/// Says whether a value is as random as what a machine makes.
fn is_random(value: &str, words: &Words) -> bool {
    if value.len() < 16
        || value.len() > 4096
        || is_template(value, words)
        || is_code(value)
        || is_plain(value, words)
    {
        return false;
    }
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) || is_wordy(value) {
        return false;
    }
    if value
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
    {
        return entropy(value) >= 2.8 && value.bytes().any(|byte| byte.is_ascii_alphabetic());
    }
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let mixed = digits > 0 && digits * 10 < value.len() * 9 || switches(value) * 5 >= value.len();
    mixed && entropy(value) >= 3.1
}

/// Says whether a value is the base64 of `user:password`.
fn is_login(value: &str, words: &Words) -> bool {
    let Ok(bytes) = STANDARD_NO_PAD.decode(value.trim_end_matches('=')) else {
        return false;
    };
    let Some((_, password)) = std::str::from_utf8(&bytes)
        .ok()
        .filter(|text| !text.chars().any(char::is_control))
        .and_then(|text| text.split_once(':'))
    else {
        return false;
    };
    is_password(password, words)
}

/// Returns the Shannon entropy of the bytes of `value`, in bits for each.
#[expect(clippy::cast_precision_loss, reason = "values are short")]
fn entropy(value: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = value.len() as f64;
    let of = |count: u32| f64::from(count) / length * (length / f64::from(count)).log2();
    counts.into_iter().filter(|&count| count > 0).map(of).sum()
}

/// Says whether a value is a place to be filled, or a word about where the value is.
fn is_template(value: &str, words: &Words) -> bool {
    let is_name = |text: &str| {
        let mut bytes = text.bytes();
        bytes
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let inside = |open: char, close: char| value.starts_with(open) && value.ends_with(close);
    words.has_template(value)
        || value.contains('{') && value.contains('}')
        || value
            .strip_prefix(['$', '@', ':', '%', '&', '*'])
            .is_some_and(is_name)
        || [
            ('<', '>'),
            ('{', '}'),
            ('[', ']'),
            ('(', ')'),
            ('%', '%'),
            ('@', '@'),
        ]
        .into_iter()
        .any(|(open, close)| inside(open, close))
        || value.starts_with("__") && value.ends_with("__")
}

/// Returns a value in small letters, with blanks in the place of plain words.
fn without_plain(value: &str, words: &Words) -> String {
    let mut left = value.to_ascii_lowercase();
    for word in &words.plain {
        if left.contains(word) {
            left = left.replace(word, " ");
        }
    }
    left
}

/// Says whether nothing but a few characters is left when plain words and running numbers are taken out.
fn is_plain(value: &str, words: &Words) -> bool {
    let left = without_plain(value, words);
    let rest: Vec<char> = left.chars().filter(|c| c.is_alphanumeric()).collect();
    let n_letters = rest.iter().filter(|c| c.is_alphabetic()).count();
    let is_sign = |c: &char| !c.is_alphanumeric() && !"-_. ".contains(*c);
    let is_rest_plain = n_letters == 0 || rest.len() == 1;
    // What is nothing but digits, a name or a date is as plain.
    is_rest_plain
        && rest.len() <= 4
        && rest.len() < value.len()
        && left.chars().filter(is_sign).count() <= 1
        || value
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"-_./: ".contains(&byte))
}

/// Says whether a value is an expression, a path, a type, a pattern: something of a program's text.
fn is_code(value: &str) -> bool {
    let has_any = |marks: &[&str]| marks.iter().any(|mark| value.contains(mark));
    let is_pattern = has_any(&["(?", "[^", "\\", "[A-", "[a-", "[0-"]);
    is_pattern || !is_dense(value) && (has_any(CODE_MARKS) || is_path(value))
}

/// Signs that stand in the text of programs.
const CODE_MARKS: &[&str] = &[
    "::", "->", "=>", "()", "&&", "||", "<", ">", "\u{fffd}", "@param", "sha512-", "sha384-",
    "sha256-", "sha1-", "sha256:", "sha512:", "**", "*.", "[:",
];

/// Says whether a value is a name with dots, a path, or the beginning of a statement.
fn is_path(value: &str) -> bool {
    let is_word = |part: &str| {
        part.len() > 1
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
    };
    value.split('.').count() > 1 && value.split('.').all(is_word)
        || value.starts_with(['/', '.', '~']) && is_wordy(value)
        || value.matches('/').count() > 1
            && value.split(['/', '.']).filter(|part| is_word(part)).count() * 2
                >= value.split(['/', '.']).count()
        || value.ends_with([';', '(', '{', '['])
}

/// Says whether a long value mixes all kinds of characters as no program's text does.
fn is_dense(value: &str) -> bool {
    value.len() >= 32 && kinds(value) == 4 && entropy(value) >= 4.5 && !is_wordy(value)
}

/// Says whether most of a value can be read as words, in any style of writing names.
fn is_wordy(value: &str) -> bool {
    let bytes = value.as_bytes();
    let mut wordy = 0;
    let mut start = 0;
    for at in 1..=bytes.len() {
        let ends = at == bytes.len()
            || !bytes[at].is_ascii_alphabetic()
            || !bytes[at - 1].is_ascii_alphabetic()
            || bytes[at].is_ascii_uppercase() && bytes[at - 1].is_ascii_lowercase();
        if ends {
            if is_word(&bytes[start..at]) {
                wordy += at - start;
            }
            start = at;
        }
    }
    let parts = bytes
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .count();
    let borders = bytes
        .windows(2)
        .filter(|pair| {
            pair[0].is_ascii_digit() != pair[1].is_ascii_digit()
                && pair[0].is_ascii_alphanumeric()
                && pair[1].is_ascii_alphanumeric()
        })
        .count();
    wordy * 2 > parts && borders * 7 < bytes.len()
}

/// Says whether letters can be read as a word: vowels among them, and never many of a kind in a row.
fn is_word(letters: &[u8]) -> bool {
    if letters.len() < 3 || !letters.iter().all(u8::is_ascii_alphabetic) {
        return false;
    }
    let is_vowel = |byte: &u8| b"aeiouyAEIOUY".contains(byte);
    let vowels = letters.iter().filter(|byte| is_vowel(byte)).count();
    let longest = letters
        .chunk_by(|a, b| is_vowel(a) == is_vowel(b))
        .map(<[u8]>::len)
        .max();
    let tail_is_lower = letters[1..].iter().all(u8::is_ascii_lowercase)
        || letters.iter().all(u8::is_ascii_uppercase);
    tail_is_lower && vowels * 6 >= letters.len() && longest.is_some_and(|longest| longest <= 4)
}

/// Counts the changes between upper and lower case among neighbouring letters.
fn switches(value: &str) -> usize {
    let is_switch = |pair: &&[u8]| {
        pair[0].is_ascii_alphabetic()
            && pair[1].is_ascii_alphabetic()
            && pair[0].is_ascii_lowercase() != pair[1].is_ascii_lowercase()
    };
    value.as_bytes().windows(2).filter(is_switch).count()
}

/// Says whether a value is a short text again and again.
fn is_periodic(value: &str) -> bool {
    let bytes = value.as_bytes();
    (1..=8.min(bytes.len() / 3)).any(|period| bytes[period..] == bytes[..bytes.len() - period])
}

/// Counts the bytes in runs of at least five that stay, go up or go down by one, every byte or every second.
fn regular(value: &str) -> usize {
    let bytes = value.as_bytes();
    let mut regular = vec![false; bytes.len()];
    for stride in [1, 2] {
        for step in [0, 1, -1] {
            for first in 0..stride {
                mark_runs(bytes, (first, stride), step, &mut regular);
            }
        }
    }
    regular.into_iter().filter(|&is_regular| is_regular).count()
}

fn mark_runs(bytes: &[u8], (first, stride): (usize, usize), step: i16, regular: &mut [bool]) {
    let places: Vec<usize> = (first..bytes.len()).step_by(stride).collect();
    let goes_on = |a: &usize, b: &usize| {
        let (a, b) = (
            bytes[*a].to_ascii_lowercase(),
            bytes[*b].to_ascii_lowercase(),
        );
        i16::from(b) - i16::from(a) == step || step == 1 && (a, b) == (b'9', b'0')
    };
    for run in places.chunk_by(goes_on).filter(|run| run.len() >= 5) {
        for &place in run {
            regular[place] = true;
        }
    }
}
