//! Whether a sentence wants what it says, or says it of something else: forbids it, weighs it, or tells of it.

use super::clause::ends_sentence;
use super::inline::Piece;
use super::verb;

/// How much counts what is said of a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) enum Force {
    /// It is forbidden, or not done.
    Denied,
    /// It is told.
    #[default]
    Told,
    /// It is to be done: an imperative says so, or a list of files.
    Ordered,
}

/// Words that may stand before an imperative.
const LEADS: &str = "\
    then also and finally first second third next now lastly afterwards please step task phase files file in \
    dann danach auch und zuletzt jetzt bitte schritt";

/// Words after which a verb is no imperative any more.
const ENDS: &str = "\
    to that who which what whether if unless when because can could may might would should must shall will \
    zu dass wer ob wenn falls weil kann k\u{f6}nnte soll sollte w\u{fc}rde";

/// Words that leave out what they are followed by.
const EXCEPTIONS: &str = "except excepting excluding but besides au\u{df}er ausser";

/// How a verb ends that is no imperative.
const NO_IMPERATIVES: [&str; 5] = ["ing", "s", "ed", "ion", "al"];

fn lists(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

/// How a sentence stands to what it says.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mood {
    voice: Voice,
    /// What comes is left out.
    is_excepted: bool,
    /// The last word was `instead` or `rather`.
    is_instead: bool,
    /// A negation was heard in this part of the sentence, after the verb.
    is_negated: bool,
}

/// What was heard before a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Voice {
    /// Nothing that keeps a verb from being an imperative.
    #[default]
    Open,
    /// Words, or a verb, that say no more than that it is so.
    Told,
    /// An imperative.
    Order,
    /// A verb that is negated: what it says is not done.
    Denial,
}

impl Mood {
    /// Hears a word in lower case.
    pub(super) fn word(&mut self, lower: &str) {
        self.is_excepted |= lists(EXCEPTIONS, lower);
        self.is_instead = matches!(lower, "instead" | "rather");
        let is_lead = lists(LEADS, lower) || !lower.contains(char::is_alphabetic);
        self.voice = match self.voice {
            Voice::Open if !is_lead => Voice::Told,
            Voice::Order if lists(ENDS, lower) => Voice::Told,
            voice => voice,
        };
    }

    /// Returns how the sentence stands to what comes after a verb in lower case.
    pub(super) fn after_verb(self, lower: &str) -> Self {
        let is_imperative = !NO_IMPERATIVES.iter().any(|end| lower.ends_with(end));
        let voice = match self.voice {
            Voice::Open | Voice::Order if is_imperative => Voice::Order,
            _ => Voice::Told,
        };
        Self {
            voice,
            ..Self::default()
        }
    }

    /// Hears a negation.
    pub(super) fn negate(&mut self) {
        self.is_negated = true;
    }

    /// Hears the end of a part: as in `the new one, not the old one, in`.
    pub(super) fn part(&mut self) {
        self.is_negated = false;
    }

    /// Says whether a path that comes next is none of what the verb says.
    pub(super) fn is_negated(self) -> bool {
        self.is_negated
    }

    /// Returns how it stands to what comes after a verb that is negated.
    pub(super) fn denial() -> Self {
        Self {
            voice: Voice::Denial,
            ..Self::default()
        }
    }

    /// Says whether what the verb says is not done.
    pub(super) fn denies(self) -> bool {
        self.voice == Voice::Denial
    }

    /// Says whether an imperative governs the path before `after`.
    pub(super) fn orders(self, after: &[Piece]) -> bool {
        self.voice == Voice::Order && !self.is_excepted && !is_asked(after)
    }
}

/// Says whether the sentence that goes on with `after` is a question.
pub(super) fn is_asked(after: &[Piece]) -> bool {
    let words = after.iter().filter_map(|piece| match piece {
        Piece::Word(word) => Some(*word),
        _ => None,
    });
    let mut ends = words.filter(|word| ends_sentence(word));
    ends.next()
        .is_some_and(|end| end.contains(['?', '\u{ff1f}']))
}

/// Says whether a word in lower case forbids what comes after it, or says that it is not done.
pub(super) fn denies(mood: Mood, lower: &str, next: Option<&Piece>) -> bool {
    let next = match next {
        Some(Piece::Word(next)) => *next,
        _ => "",
    };
    match lower {
        // As in `instead of deleting`, but not in `instead of a list, use`.
        "of" | "than" => mood.is_instead && verb::verb(next).is_some(),
        "refrain" => next == "from",
        "wrong" => next == "to",
        "avoid" => verb::verb(next).is_some(),
        "nobody" | "niemand" => true,
        // As in `not only here` and `do not forget to change it`.
        "not" | "don't" | "dont" => !matches!(next, "only" | "forget"),
        // As in `no longer needed`.
        "no" => !matches!(next, "longer" | "more"),
        _ => verb::negates(lower),
    }
}
