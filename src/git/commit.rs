//! The text of a commit, read as git reads it: a name or date that is none keeps nobody from the rest.

use gix::date::Time;

/// What a commit says, as far as anything of ours asks for it.
pub(super) struct CommitText<'a> {
    pub(super) tree: gix::ObjectId,
    pub(super) parents: Vec<gix::ObjectId>,
    pub(super) message: &'a [u8],
    /// The lines above the message.
    head: &'a [u8],
}

impl<'a> CommitText<'a> {
    /// Reads a commit; none where git reads none either.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (head, message) = match memchr::memmem::find(bytes, b"\n\n") {
            Some(end) => (&bytes[..end], &bytes[end + 2..]),
            None => (bytes, &[][..]),
        };
        let mut lines = head.split(|&byte| byte == b'\n');
        let tree = lines.next()?.strip_prefix(b"tree ")?;
        let parents = lines.map_while(|line| line.strip_prefix(b"parent "));
        let id = |digits| gix::ObjectId::from_hex(digits).ok();
        Some(Self {
            tree: id(tree)?,
            parents: parents.map(id).collect::<Option<_>>()?,
            message,
            head,
        })
    }

    /// Returns who wrote it and when: without a name and at the beginning of time where it does not say so.
    pub(super) fn author(&self) -> (&'a [u8], Time) {
        let (name, rest) = self.line(b"author ").and_then(person).unwrap_or_default();
        (name, date(rest).unwrap_or_default())
    }

    /// Returns the second in which it was made, as git sorts by it.
    pub(super) fn seconds(&self) -> u64 {
        let line = self.line(b"committer ").unwrap_or_default();
        let rest = memchr::memrchr(b'>', line).map_or(&[][..], |end| &line[end + 1..]);
        match rest.trim_ascii_start() {
            // To git, who reads a number without a sign, that is far from now.
            [b'-', rest @ ..] => number(rest).0.wrapping_neg(),
            rest => number(rest).0,
        }
    }

    fn line(&self, key: &[u8]) -> Option<&'a [u8]> {
        let mut lines = self.head.split(|&byte| byte == b'\n');
        lines.find_map(|line| line.strip_prefix(key))
    }
}

/// Splits a line with somebody's name and address into the name and what follows the address.
fn person(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let address = memchr::memchr(b'<', line)?;
    // There may be several; the first must come after the address begins.
    memchr::memchr(b'>', &line[address..])?;
    let end = memchr::memrchr(b'>', line)?;
    Some((line[..address].trim_ascii_end(), &line[end + 1..]))
}

/// Reads seconds and an offset: `1700000000 +0130`.
fn date(text: &[u8]) -> Option<Time> {
    let text = text.trim_ascii_start();
    let (seconds, rest) = number(text);
    let (sign, zone) = match rest.trim_ascii_start() {
        [b'+', zone @ ..] => (1, zone),
        [b'-', zone @ ..] => (-1, zone),
        _ => return None,
    };
    let is_whole = [text, zone]
        .iter()
        .all(|digits| digits.first().is_some_and(u8::is_ascii_digit));
    let seconds = i64::try_from(seconds).ok().filter(|_| is_whole)?;
    let zone = i32::try_from(number(zone).0).unwrap_or(0);
    let offset = (zone / 100 * 60 + zone % 100)
        .checked_mul(60 * sign)
        .unwrap_or(0);
    Some(Time { seconds, offset })
}

/// Reads the digits that a text begins with, at most the largest number; returns what follows them, too.
fn number(text: &[u8]) -> (u64, &[u8]) {
    let n_digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(n_digits);
    let number = digits.iter().fold(0_u64, |number, digit| {
        number
            .saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    });
    (number, rest)
}
