//! The search for keywords: one pass that does no more than look up every three bytes in a table.
//!
//! An automaton over the same words is several times slower: its states do not fit into the nearest cache, and every byte waits
//! for the state of the byte before.

use std::ops::Range;

/// How many bits of a byte are looked at. Five are the same for both cases of a letter.
const BITS: u32 = 5;

/// How many triples of bytes can be told apart.
const SLOTS: usize = 1 << (3 * BITS);

/// Words to be found in any case, ASCII and of three bytes at least.
pub(super) struct Keywords {
    words: Vec<String>,
    /// For each slot whether a word begins so.
    begins: Box<[u64; SLOTS / 64]>,
    /// For each slot where its words begin in `members`; one more for the end.
    starts: Vec<u16>,
    members: Vec<u16>,
}

impl Keywords {
    /// Makes the tables; a word's number is its place in `words`.
    pub(super) fn new(words: Vec<String>) -> Self {
        let slot_of = |word: &String| word.bytes().take(3).fold(0, add);
        let mut members: Vec<u16> = (0..).take(words.len()).collect();
        members.sort_by_key(|&word| slot_of(&words[usize::from(word)]));
        let mut begins = Box::new([0; SLOTS / 64]);
        let mut starts = vec![0; SLOTS + 1];
        for word in &words {
            let slot = slot_of(word);
            begins[slot / 64] |= 1 << (slot % 64);
            starts[slot + 1] += 1;
        }
        for slot in 0..SLOTS {
            starts[slot + 1] += starts[slot];
        }
        Self {
            words,
            begins,
            starts,
            members,
        }
    }

    /// Calls `take` with the number and the bytes of each word in `text`, by where they begin.
    pub(super) fn find(&self, text: &str, mut take: impl FnMut(usize, Range<usize>)) {
        let bytes = text.as_bytes();
        let mut slot = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            slot = add(slot, byte);
            if self.begins[slot / 64] >> (slot % 64) & 1 == 1 && at >= 2 {
                self.compare(slot, bytes, at - 2, &mut take);
            }
        }
    }

    /// Compares the words of a slot. Not inlined, so that the loop above stays in registers.
    #[inline(never)]
    fn compare(
        &self,
        slot: usize,
        bytes: &[u8],
        start: usize,
        take: &mut impl FnMut(usize, Range<usize>),
    ) {
        let members = usize::from(self.starts[slot])..usize::from(self.starts[slot + 1]);
        for word in self.members[members].iter().copied().map(usize::from) {
            let end = start + self.words[word].len();
            let found = bytes.get(start..end);
            if found.is_some_and(|found| found.eq_ignore_ascii_case(self.words[word].as_bytes())) {
                take(word, start..end);
            }
        }
    }
}

/// Moves the triple on by one byte.
fn add(slot: usize, byte: u8) -> usize {
    (slot >> BITS | usize::from(byte & 31) << (2 * BITS)) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case_wherever_they_stand() {
        let words = ["key", "token", "tok", "-us"].map(str::to_owned);
        let keywords = Keywords::new(words.to_vec());
        for (text, expected) in [
            ("key", vec![(0, 0..3)]),
            ("aKEy", vec![(0, 1..4)]),
            ("ke\u{e9}y", vec![]),
            ("Token-us", vec![(1, 0..5), (2, 0..3), (3, 5..8)]),
            ("toke", vec![(2, 0..3)]),
            ("\u{2}ey +%y k", vec![]),
            ("", vec![]),
        ] {
            let mut found = Vec::new();
            keywords.find(text, |word, range| found.push((word, range)));
            assert_eq!(found, expected, "{text}");
        }
    }
}
