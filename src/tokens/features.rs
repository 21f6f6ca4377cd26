//! The 37 byte features of the estimators, counted in blocks of 64 bytes.
//!
//! Definitions are those of the data in `estimators.toml`. A *word* is a maximal run of ASCII
//! letters; a word is cut into *segments* before each capital that follows a small letter or
//! precedes one. Carriage returns are counted and then taken away; control characters and
//! characters outside ASCII are neighbours of no class.
//!
//! A set of bytes of a block is a `u64` with one bit a byte, the first byte lowest. What comes
//! before a byte is then a shift, a condition is `&` and `!`, and most features are the number
//! of bits that remain. `a & b.back(1)` reads "the bytes of `a` that directly follow one of
//! `b`". Only characters outside ASCII are looked at one by one.

use std::array;
use std::borrow::Cow;

use serde::Deserialize;
use wide::u8x16;

macro_rules! features {
    ($($name:ident),* $(,)?) => {
        /// How often each feature occurs.
        #[derive(Debug, Default, PartialEq)]
        pub(super) struct Features { $($name: u32,)* }

        /// One weight a feature, and that of the exact count.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Coefficients { pub(super) o200k: f64, $($name: f64,)* }

        impl Coefficients {
            pub(super) fn dot(&self, features: &Features) -> f64 {
                0.0 $(+ self.$name * f64::from(features.$name))*
            }
        }

        #[cfg(test)]
        impl Features {
            pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), u64::from(self.$name)),)*].into_iter()
            }
        }
    };
}

features! {
    latin, cyrillic, han, kana, hangul, emoji, other, symbol, cjk_punct, seg, upper, single_upper,
    acro, word, word_over4, novow_let, digit, digit_run, digit_run1, punct, punct_run,
    punct_in_word, lt, eq, nl_run, nl_after_word, nl_after_digit, nl_before_punct, space_multi,
    space_ge9, indent_sp, indent1, tabs, word_after_tab, cr, seg_over12, rep_over3,
}

/// The bytes of a block.
const BLOCK: usize = 64;

impl Features {
    /// Counts the features of `text`.
    pub(super) fn of(text: &str) -> Self {
        let returns = memchr::memchr_iter(b'\r', text.as_bytes()).count();
        let text = without_returns(text, returns);
        let bytes = text.as_bytes();
        let mut scan = Scan {
            text: &text,
            in_indent: true,
            ..Scan::default()
        };
        while let Some(block) = bytes[scan.at..].first_chunk() {
            scan.block(block);
        }
        // Control characters count nowhere, so that zeros can fill the last block. Some runs are
        // counted at the byte that follows them: at least one zero must.
        let rest = &bytes[scan.at..];
        let mut padded = [0; 2 * BLOCK + 1];
        padded[..rest.len()].copy_from_slice(rest);
        for block in padded.array_windows().step_by(BLOCK) {
            scan.block(block);
        }
        scan.features.cr = count(returns);
        scan.features
    }
}

fn without_returns(text: &str, returns: usize) -> Cow<'_, str> {
    if returns == 0 {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.replace('\r', ""))
    }
}

/// The sets that the bytes of one block are in.
struct Classes {
    letter: u64,
    upper: u64,
    vowel: u64,
    digit: u64,
    punct: u64,
    space: u64,
    newline: u64,
    tab: u64,
    lt: u64,
    eq: u64,
    /// The first byte of each character outside ASCII.
    outside: u64,
    /// The byte equals the next one.
    twin: u64,
    /// The next byte is a small letter.
    before_lower: u64,
}

impl Classes {
    /// Classifies all bytes of `block` but the last, which is there to be the next of the one before.
    fn of(block: &[u8; BLOCK + 1]) -> Self {
        let [here @ .., after] = block;
        let [_, next @ ..] = block;
        let (here, next) = (lanes(here), lanes(next));
        let folded = here.map(|lane| lane | u8x16::splat(0x20));
        let differs = array::from_fn(|lane| here[lane] ^ next[lane]);

        let letter = bits(&folded, |lane| within(lane, b'a', b'z'));
        let upper = bits(&here, |lane| within(lane, b'A', b'Z'));
        let digit = bits(&here, |lane| within(lane, b'0', b'9'));
        let visible = bits(&here, |lane| within(lane, b'!', b'~'));
        let after_is_lower = u64::from(after.is_ascii_lowercase());
        Self {
            letter,
            upper,
            vowel: bits(&folded, |lane| {
                b"aeiouy"
                    .iter()
                    .fold(Lane::ZERO, |any, &vowel| any | is(lane, vowel))
            }),
            digit,
            punct: visible & !letter & !digit,
            space: bits(&here, |lane| is(lane, b' ')),
            newline: bits(&here, |lane| is(lane, b'\n')),
            tab: bits(&here, |lane| is(lane, b'\t')),
            lt: bits(&here, |lane| is(lane, b'<')),
            eq: bits(&here, |lane| is(lane, b'=')),
            outside: bits(&here, |lane| within(lane, 0xc0, 0xff)),
            twin: bits(&differs, |lane| is(lane, 0)),
            before_lower: (letter & !upper) >> 1 | after_is_lower << (BLOCK - 1),
        }
    }
}

/// As many bytes as one instruction compares; four make a block.
type Lane = u8x16;

fn lanes(bytes: &[u8; BLOCK]) -> [Lane; 4] {
    let (chunks, _) = bytes.as_chunks();
    array::from_fn(|lane| Lane::new(chunks[lane]))
}

/// Returns the set of bytes that `test` sets the highest bit of.
fn bits(lanes: &[Lane; 4], test: impl Fn(Lane) -> Lane) -> u64 {
    let bits = lanes.map(|lane| u64::from(test(lane).to_bitmask()));
    bits[0] | bits[1] << 16 | bits[2] << 32 | bits[3] << 48
}

fn is(lane: Lane, byte: u8) -> Lane {
    lane.simd_eq(Lane::splat(byte))
}

fn within(lane: Lane, first: u8, last: u8) -> Lane {
    // Bytes below `first` wrap around and are high: one comparison is enough.
    let offset = lane - Lane::splat(first);
    offset.simd_le(Lane::splat(last - first))
}

/// A set of bytes of this block that knows the last bytes of the block before.
#[derive(Clone, Copy)]
struct Set {
    bits: u64,
    past: u64,
}

impl Set {
    /// Returns the bytes that have a byte of the set `n` bytes before them; `n` is 1 to [`Tail::KEPT`].
    fn back(self, n: u32) -> u64 {
        self.bits << n | self.past >> (Tail::KEPT - n)
    }
}

/// What a block leaves behind of a set: the bits of its last bytes.
#[derive(Default)]
struct Tail(u64);

impl Tail {
    /// How many bytes are remembered. With all 64, compilers make each [`Set::back`] one
    /// double shift, which is slow on some processors.
    const KEPT: u32 = 16;

    /// Makes the set of the next block.
    fn next(&mut self, bits: u64) -> Set {
        let past = self.0;
        self.0 = bits >> (u64::BITS - Self::KEPT);
        Set { bits, past }
    }
}

/// The tails of a set, and of the sets of bytes that end 2 and 4 bytes of it in a row.
#[derive(Default)]
struct RunTails {
    one: Tail,
    two: Tail,
    four: Tail,
}

impl RunTails {
    fn next(&mut self, bits: u64) -> [Set; 3] {
        let one = self.one.next(bits);
        let two = self.two.next(one.bits & one.back(1));
        let four = self.four.next(two.bits & two.back(2));
        [one, two, four]
    }
}

/// The features so far, and what the next block has to know of those before.
#[derive(Default)]
struct Scan<'a> {
    features: Features,
    text: &'a str,
    /// Where the next block begins.
    at: usize,
    letter: RunTails,
    upper: Tail,
    digit: Tail,
    punct: Tail,
    punct_twin: Tail,
    newline: Tail,
    tab: Tail,
    space: Tail,
    indent: Tail,
    inline: RunTails,
    /// Letters but the first of each segment.
    continued: RunTails,
    segment_start: Tail,
    /// Where the last segment starts.
    last_segment: usize,
    /// The block ended in a segment that had no vowel.
    in_vowelless: bool,
    /// A space at the start of the next block is part of an indent.
    in_indent: bool,
}

impl Scan<'_> {
    /// Counts the next 64 bytes.
    fn block(&mut self, block: &[u8; BLOCK + 1]) {
        let classes = Classes::of(block);
        let features = &mut self.features;
        let [letter, _, four_letters] = self.letter.next(classes.letter);
        let upper = self.upper.next(classes.upper);
        let digit = self.digit.next(classes.digit);
        let punct = self.punct.next(classes.punct);
        let newline = self.newline.next(classes.newline);
        let tab = self.tab.next(classes.tab);
        let after_lower = letter.back(1) & !upper.back(1);

        features.upper += size(upper.bits);
        features.word += size(letter.bits & !letter.back(1));
        features.word_over4 += size(letter.bits & four_letters.back(1));
        features.word_after_tab += size(letter.bits & tab.back(1));
        features.single_upper += size(!letter.bits & upper.back(1) & !letter.back(2));
        features.acro += size(letter.bits & !upper.bits & upper.back(1) & upper.back(2));

        features.digit += size(digit.bits);
        features.digit_run += size(digit.bits & !digit.back(1));
        features.digit_run1 += size(!digit.bits & digit.back(1) & !digit.back(2));

        // A run of `k` equal bytes has `k - 1` that equal the next, and `k - 3` that are third in a row.
        let twin = self.punct_twin.next(punct.bits & classes.twin);
        features.punct += size(punct.bits);
        features.punct_run += size(punct.bits & !punct.back(1));
        features.punct_in_word += size(letter.bits & punct.back(1) & letter.back(2));
        features.lt += size(classes.lt);
        features.eq += size(classes.eq);
        features.rep_over3 += size(twin.bits & twin.back(1) & twin.back(2));

        let newline_run = newline.bits & !newline.back(1);
        features.nl_run += size(newline_run);
        features.nl_after_word += size(newline_run & letter.back(1));
        features.nl_after_digit += size(newline_run & digit.back(1));
        features.nl_before_punct += size(punct.bits & newline.back(1));
        features.tabs += size(tab.bits);

        self.spaces(classes.space, newline.back(1));
        let starts =
            letter.bits & (!letter.back(1) | upper.bits & (after_lower | classes.before_lower));
        self.segments(letter, starts, classes.vowel);
        self.outside(classes.outside);
        self.at += BLOCK;
    }

    /// Counts the features of spaces, of which those that run on from a line's start are its indent.
    fn spaces(&mut self, space: u64, after_newline: u64) {
        // A bit that is added to the first space of a run carries through all of it and clears it.
        // Where the run goes on in the next block, so does the carry.
        let first = space & after_newline | u64::from(self.in_indent);
        let (sum, carry) = space.overflowing_add(first);
        self.in_indent = carry;
        let indent = self.indent.next(space & !sum);
        let [inline, two, four] = self.inline.next(space & sum);
        let space = self.space.next(space);

        let features = &mut self.features;
        features.indent_sp += size(indent.bits);
        features.indent1 += size(!space.bits & indent.back(1) & !space.back(2));
        features.space_multi += size(two.bits & !inline.back(2));
        let nine = four.bits & four.back(4) & inline.back(8);
        features.space_ge9 += size(nine & !inline.back(9));
    }

    /// Counts the features of segments, which begin at `starts`.
    fn segments(&mut self, letter: Set, starts: u64, vowel: u64) {
        let starts = self.segment_start.next(starts);
        let [_, _, four] = self.continued.next(letter.bits & !starts.bits);
        self.features.seg += size(starts.bits);
        self.features.seg_over12 += size(four.bits & four.back(4) & four.back(8));

        // A bit that is added to the first letter of a segment carries through its consonants. It
        // stops at a vowel; where it reaches the byte after the segment, there was none.
        let consonant = letter.bits & !vowel;
        let (sum, carry) = consonant.overflowing_add(consonant & starts.bits);
        let (sum, carried) = sum.overflowing_add(u64::from(self.in_vowelless));
        self.in_vowelless = carry | carried;
        let after_segment = letter.back(1) & (!letter.bits | starts.bits);
        let of_one_letter = starts.back(1);
        for end in ones(sum & after_segment & !of_one_letter) {
            let before_end = starts.bits & !(u64::MAX << end);
            let start = before_end
                .checked_ilog2()
                .map_or(self.last_segment, |start| self.at + start as usize);
            self.features.novow_let += count(self.at + end as usize - start);
        }
        if let Some(start) = starts.bits.checked_ilog2() {
            self.last_segment = self.at + start as usize;
        }
    }

    /// Counts the characters that begin at `first_bytes`, none of which is ASCII.
    fn outside(&mut self, first_bytes: u64) {
        for first_byte in ones(first_bytes) {
            let rest = self.text.get(self.at + first_byte as usize..);
            if let Some(c) = rest.and_then(|rest| rest.chars().next()) {
                self.features.script(c);
            }
        }
    }
}

impl Features {
    /// Counts a character outside ASCII.
    fn script(&mut self, c: char) {
        match c as u32 {
            0xd7
            | 0xf7
            | 0x80..=0xbf
            | 0x2010..=0x2027
            | 0x2030..=0x205e
            | 0x2100..=0x25ff
            | 0x27c0..=0x2bff => self.symbol += 1,
            0xc0..=0x24f | 0x1e00..=0x1eff => self.latin += 1,
            0x400..=0x52f => self.cyrillic += 1,
            0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff => {
                self.han += 1;
            }
            0x3040..=0x30ff | 0x31f0..=0x31ff => self.kana += 1,
            0x1100..=0x11ff | 0x3130..=0x318f | 0xac00..=0xd7a3 => self.hangul += 1,
            0x1_f000..=0x1_faff | 0x2600..=0x27bf | 0xfe0f | 0x200d => self.emoji += 1,
            0x3000..=0x303f | 0xff00..=0xffef => self.cjk_punct += 1,
            _ => self.other += 1,
        }
    }
}

/// How many bytes a set has.
fn size(set: u64) -> u32 {
    set.count_ones()
}

/// The places of the bytes of a set.
fn ones(mut set: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let place = (set != 0).then(|| set.trailing_zeros());
        set &= set.wrapping_sub(1);
        place
    })
}

/// A length as a count; no text that is packed has 2^32 of anything.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        Letter,
        Digit,
        Punct,
        Space,
        Newline,
        Tab,
        None,
    }

    fn kind(c: char) -> Kind {
        match c {
            'a'..='z' | 'A'..='Z' => Kind::Letter,
            '0'..='9' => Kind::Digit,
            ' ' => Kind::Space,
            '\n' => Kind::Newline,
            '\t' => Kind::Tab,
            _ if c.is_ascii_punctuation() => Kind::Punct,
            _ => Kind::None,
        }
    }

    /// The definitions, literally: one maximal run after the other, each with its neighbours.
    fn reference(text: &str) -> BTreeMap<&'static str, u64> {
        let mut found = BTreeMap::new();
        let mut add = |name, n: usize| *found.entry(name).or_insert(0) += n as u64;
        let chars: Vec<char> = text.chars().filter(|&c| c != '\r').collect();
        add("cr", text.matches('\r').count());
        let runs: Vec<&[char]> = chars.chunk_by(|&a, &b| kind(a) == kind(b)).collect();
        for (at, &run) in runs.iter().enumerate() {
            let n = run.len();
            let before = at.checked_sub(1).map(|at| kind(runs[at][0]));
            let after = runs.get(at + 1).map(|run| kind(run[0]));
            let follows = |kind| usize::from(before == Some(kind));
            let precedes = |kind| usize::from(after == Some(kind));
            match kind(run[0]) {
                Kind::Letter => {
                    let capitals = run.iter().filter(|c| c.is_uppercase()).count();
                    let after_two = |w: &&[char]| {
                        w[0].is_uppercase() && w[1].is_uppercase() && w[2].is_lowercase()
                    };
                    add("upper", capitals);
                    add("single_upper", usize::from(n == 1 && capitals == 1));
                    add("acro", run.windows(3).filter(after_two).count());
                    add("word", 1);
                    add("word_over4", n.saturating_sub(4));
                    add("word_after_tab", follows(Kind::Tab));
                    for segment in segments(run) {
                        let n = segment.len();
                        let vowel = |c: &char| "aeiouyAEIOUY".contains(*c);
                        let counts = n >= 2 && !segment.iter().any(vowel);
                        add("seg", 1);
                        add("seg_over12", n.saturating_sub(12));
                        add("novow_let", if counts { n } else { 0 });
                    }
                }
                Kind::Digit => {
                    add("digit", n);
                    add("digit_run", 1);
                    add("digit_run1", usize::from(n == 1));
                }
                Kind::Punct => {
                    let between = follows(Kind::Letter) * precedes(Kind::Letter);
                    add("punct", n);
                    add("punct_run", 1);
                    add("punct_in_word", if n == 1 { between } else { 0 });
                    add("lt", run.iter().filter(|&&c| c == '<').count());
                    add("eq", run.iter().filter(|&&c| c == '=').count());
                    for same in run.chunk_by(|a, b| a == b) {
                        add("rep_over3", same.len().saturating_sub(3));
                    }
                }
                Kind::Space if matches!(before, None | Some(Kind::Newline)) => {
                    add("indent_sp", n);
                    add("indent1", usize::from(n == 1));
                }
                Kind::Space => {
                    add("space_multi", usize::from(n >= 2));
                    add("space_ge9", usize::from(n >= 9));
                }
                Kind::Newline => {
                    add("nl_run", 1);
                    add("nl_after_word", follows(Kind::Letter));
                    add("nl_after_digit", follows(Kind::Digit));
                    add("nl_before_punct", precedes(Kind::Punct));
                }
                Kind::Tab => add("tabs", n),
                Kind::None => {
                    for c in run.iter().filter(|c| !c.is_ascii()) {
                        add(script(*c), 1);
                    }
                }
            }
        }
        found.retain(|_, n| *n > 0);
        found
    }

    /// Matches `[A-Z]+(?![a-z])|[A-Z]?[a-z]+` from left to right.
    fn segments(mut word: &[char]) -> Vec<&[char]> {
        let mut found = Vec::new();
        while !word.is_empty() {
            let capitals = word.iter().take_while(|c| c.is_uppercase()).count();
            let small = word[capitals..]
                .iter()
                .take_while(|c| c.is_lowercase())
                .count();
            let (segment, rest) = word.split_at(match (capitals, small) {
                (capitals, 0) => capitals,
                (0 | 1, small) => capitals + small,
                // The last capital belongs to the small letters.
                (capitals, _) => capitals - 1,
            });
            found.push(segment);
            word = rest;
        }
        found
    }

    /// One or more characters of each list, its borders among them.
    const SCRIPTS: [(&str, &str); 9] = [
        (
            "latin",
            "\u{c0}\u{e9}\u{d6}\u{d8}\u{f6}\u{f8}\u{24f}\u{1e00}\u{1eff}",
        ),
        ("cyrillic", "\u{400}\u{52f}"),
        (
            "han",
            "\u{3400}\u{4dbf}\u{4e00}\u{9fff}\u{f900}\u{faff}\u{20000}\u{3ffff}",
        ),
        ("kana", "\u{3040}\u{30ff}\u{31f0}\u{31ff}"),
        ("hangul", "\u{1100}\u{11ff}\u{3130}\u{318f}\u{ac00}\u{d7a3}"),
        (
            "emoji",
            "\u{1f000}\u{1faff}\u{2600}\u{27bf}\u{fe0f}\u{200d}",
        ),
        (
            "symbol",
            "\u{80}\u{bf}\u{d7}\u{f7}\u{2010}\u{2027}\u{2030}\u{205e}\u{2100}\u{25ff}\u{27c0}\u{2bff}",
        ),
        ("cjk_punct", "\u{3000}\u{303f}\u{ff00}\u{ffef}"),
        (
            "other",
            "\u{250}\u{3ff}\u{530}\u{10ff}\u{200c}\u{200f}\u{2028}\u{205f}\u{2c00}\u{33ff}\u{d7a4}\u{feff}\u{fffd}\u{1ffff}\u{40000}\u{10ffff}",
        ),
    ];

    fn script(c: char) -> &'static str {
        let listed = SCRIPTS.iter().find(|(_, chars)| chars.contains(c));
        listed.expect("the texts hold no other characters").0
    }

    #[track_caller]
    fn check(text: &str) {
        let features = Features::of(text);
        let named: BTreeMap<_, _> = features.named().filter(|(_, n)| *n > 0).collect();
        assert_eq!(named, reference(text), "{text:?}");
    }

    #[test]
    fn each_character_outside_ascii_is_in_one_list_wherever_it_falls_in_a_block() {
        for (_, chars) in SCRIPTS {
            for shift in 0..BLOCK {
                check(&format!("{}{chars}", "a".repeat(shift)));
            }
        }
    }

    #[test]
    fn runs_of_any_length_are_counted_wherever_they_fall_in_a_block() {
        for unit in [
            "b", "B", "e", "7", "=", " ", "\n", "\t", "\n ", "Bb", "eB", "é",
        ] {
            for shift in ["", "a", "\n", "a  "] {
                for length in 0..=2 * BLOCK + 2 {
                    check(&format!("{shift}{}x", unit.repeat(length)));
                    check(&format!("{shift}{}", unit.repeat(length)));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn equals_the_definitions_on_short_runs(
            text in "[aAbBeE09_<= \\n\\t\\r\u{e9}\u{4e00}\u{1}\u{7f}]{0,300}",
        ) {
            check(&text);
        }

        #[test]
        fn equals_the_definitions_on_long_runs(
            runs in prop::collection::vec(("[aAbBbB0_= \\n\\t\u{e9}]", 1_usize..100), 0..12),
        ) {
            let text: String = runs.iter().map(|(unit, n)| unit.repeat(*n)).collect();
            check(&text);
        }
    }
}
