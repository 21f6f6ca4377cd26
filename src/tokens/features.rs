//! The 37 byte features of the estimators, in one pass over a text.
//!
//! Definitions are those of the data in `estimators.toml`. A *word* is a maximal run of ASCII
//! letters; a word is cut into *segments* before each capital that follows a small letter or
//! precedes one. Carriage returns are counted and then taken away; control characters and
//! characters outside ASCII are neighbours of no class.

use std::borrow::Cow;

use serde::Deserialize;

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

const LOWER: u8 = 1;
const UPPER: u8 = 2;
const VOWEL: u8 = 4;
const DIGIT: u8 = 8;
const PUNCT: u8 = 16;
const SPACE: u8 = 32;
const NEWLINE: u8 = 64;
const TAB: u8 = 128;
const LETTER: u8 = LOWER | UPPER;

/// The class of each byte; a byte of no class is a control character or part of a character outside ASCII.
static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        table[byte as usize] = match byte {
            b'a' | b'e' | b'i' | b'o' | b'u' | b'y' => LOWER | VOWEL,
            b'A' | b'E' | b'I' | b'O' | b'U' | b'Y' => UPPER | VOWEL,
            b'a'..=b'z' => LOWER,
            b'A'..=b'Z' => UPPER,
            b'0'..=b'9' => DIGIT,
            b' ' => SPACE,
            b'\n' => NEWLINE,
            b'\t' => TAB,
            0x21..=0x7e => PUNCT,
            _ => 0,
        };
        byte += 1;
    }
    table
};

fn class(byte: u8) -> u8 {
    CLASS[usize::from(byte)]
}

impl Features {
    /// Counts the features of `text`.
    pub(super) fn of(text: &str) -> Self {
        let mut features = Self::default();
        let text = features.without_returns(text);
        let bytes = text.as_bytes();
        let class_at = |at: usize| bytes.get(at).map_or(0, |&byte| class(byte));
        let mut at = 0;
        let mut before = 0; // the class of the byte before `at`
        while at < bytes.len() {
            let start = at;
            let here = class(bytes[at]);
            if here & LETTER != 0 {
                at = features.word(bytes, at);
                features.word_after_tab += u32::from(before == TAB);
            } else if here == 0 {
                at = features.outside(&text, at);
                before = 0;
                continue;
            } else {
                let run_of = |class| {
                    bytes[start..]
                        .iter()
                        .take_while(|&&byte| self::class(byte) == class)
                        .count()
                };
                let length = run_of(here);
                at += length;
                let n = count(length);
                match here {
                    DIGIT => {
                        features.digit += n;
                        features.digit_run += 1;
                        features.digit_run1 += u32::from(n == 1);
                    }
                    PUNCT => {
                        features.punct_run += 1;
                        features.punctuation(&bytes[start..at]);
                        features.punct_in_word +=
                            u32::from(n == 1 && before & LETTER != 0 && class_at(at) & LETTER != 0);
                    }
                    SPACE if start == 0 || before == NEWLINE => {
                        features.indent_sp += n;
                        features.indent1 += u32::from(n == 1);
                    }
                    SPACE => {
                        features.space_multi += u32::from(n >= 2);
                        features.space_ge9 += u32::from(n >= 9);
                    }
                    NEWLINE => {
                        features.nl_run += 1;
                        features.nl_after_word += u32::from(before & LETTER != 0);
                        features.nl_after_digit += u32::from(before == DIGIT);
                        features.nl_before_punct += u32::from(class_at(at) == PUNCT);
                    }
                    _ => features.tabs += n,
                }
            }
            before = class(bytes[at - 1]);
        }
        features
    }

    fn without_returns<'a>(&mut self, text: &'a str) -> Cow<'a, str> {
        let returns = memchr::memchr_iter(b'\r', text.as_bytes()).count();
        self.cr = count(returns);
        if returns == 0 {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(text.replace('\r', ""))
        }
    }

    /// Counts the word that begins at `start`; returns where it ends.
    fn word(&mut self, bytes: &[u8], start: usize) -> usize {
        let mut segment = start;
        let mut seen = 0; // classes of the segment's letters
        let mut at = start;
        let mut last = 0;
        loop {
            let here = bytes.get(at).map_or(0, |&byte| class(byte));
            if here & LETTER == 0 {
                break;
            }
            if here & UPPER != 0 {
                self.upper += 1;
                let next = bytes.get(at + 1).map_or(0, |&byte| class(byte));
                if at > start && (last | next) & LOWER != 0 {
                    self.segment(at - segment, seen);
                    (segment, seen) = (at, 0);
                }
            } else if last & UPPER != 0 && at >= start + 2 && class(bytes[at - 2]) & UPPER != 0 {
                self.acro += 1;
            }
            seen |= here;
            last = here;
            at += 1;
        }
        self.segment(at - segment, seen);
        self.word += 1;
        self.word_over4 += count((at - start).saturating_sub(4));
        self.single_upper += u32::from(at - start == 1 && last & UPPER != 0);
        at
    }

    fn segment(&mut self, length: usize, seen: u8) {
        self.seg += 1;
        self.novow_let += if length >= 2 && seen & VOWEL == 0 {
            count(length)
        } else {
            0
        };
        self.seg_over12 += count(length.saturating_sub(12));
    }

    fn punctuation(&mut self, run: &[u8]) {
        self.punct += count(run.len());
        let mut same = 0;
        let mut last = 0;
        for &byte in run {
            self.lt += u32::from(byte == b'<');
            self.eq += u32::from(byte == b'=');
            same = if byte == last { same + 1 } else { 1 };
            self.rep_over3 += u32::from(same > 3);
            last = byte;
        }
    }

    /// Counts the character at `at`, which is outside ASCII or a control character; returns where the next begins.
    fn outside(&mut self, text: &str, at: usize) -> usize {
        let Some(c) = text[at..].chars().next() else {
            return at + 1;
        };
        match c as u32 {
            0..0x80 => {}
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
        at + c.len_utf8()
    }
}

/// A length as a count; no text that is packed has 2^32 of anything.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
