//! What a sentence says is done to a path: the verb that governs it, and the preposition between.

use super::after;
use super::force::{self, Force, Mood};
use super::inline::Piece;
use super::label::Item;
use super::range;
use super::verb::{self, Preposition, Verb, verb};

/// What is said of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Claim {
    /// It is made.
    Create,
    /// It, or something in it, is made.
    Add,
    /// Something is put there: it is changed, or made if it is not there.
    Place,
    Change,
    Delete,
    Rename,
    Mention,
}

/// Marks that may follow the punctuation of a sentence.
const MARKS: [char; 5] = ['*', '_', '"', ')', '`'];

/// Words that end with a full stop within a sentence.
const ABBREVIATIONS: &str = "e.g. i.e. eg. cf. vs.";

fn lists(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

/// Words that say that a path is not there yet, of whatever comes next.
const NEW: &str = "new neu neue neuen neuer neues";

/// Verbs after which a path is a program.
const RUNS: &str = "run runs running execute executes invoke";

/// Words that stand for what was said before.
const SAME: &str = "same likewise ditto ebenso";

/// What was heard of a sentence so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clause {
    verb: Option<Verb>,
    preposition: Option<Preposition>,
    is_negated: bool,
    mood: Mood,
    /// A path came after the verb.
    has_object: bool,
    /// A path came after the preposition.
    has_place: bool,
    origin: Origin,
}

/// Where the verb of a sentence comes from, where that counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Origin {
    #[default]
    Sentence,
    /// It begins the line, and a path follows: it decides.
    Begin,
    /// It says that what comes is run.
    Run,
    /// It is that of a label.
    Label,
}

/// Sentences, heard word by word.
#[derive(Debug, Default)]
pub(super) struct Speech {
    clause: Clause,
    /// What goes on after the parenthesis.
    outer: Option<Clause>,
    /// The next verb is a noun: a verb or a determiner stands before it.
    before_noun: bool,
    has_begun: bool,
    /// It stands in a box: it is to be done, even if no verb says so.
    is_task: bool,
    /// What was said of the last path.
    last: Option<Claim>,
    /// What is said again, of the next one.
    again: Option<Claim>,
}

impl Speech {
    /// Begins a line: under a label, or at a box, or without either.
    pub(super) fn of(item: &Item) -> Self {
        let verb = item.label.and_then(|label| label.verb);
        Self {
            is_task: item.is_task && verb.is_none(),
            ..Self::under(verb)
        }
    }

    /// Begins under a heading or a label that says what is done to what it lists.
    pub(super) fn under(verb: Option<Verb>) -> Self {
        Self {
            clause: Clause {
                verb,
                origin: Origin::Label,
                ..Clause::default()
            },
            ..Self::default()
        }
    }

    /// Hears what opens at a word, before the word.
    pub(super) fn open(&mut self, word: &str) {
        if word.starts_with('(') && self.clause.has_object {
            self.outer = Some(std::mem::take(&mut self.clause));
        }
    }

    /// Hears a word that is no path; `next` stands after it.
    pub(super) fn word(&mut self, word: &str, next: Option<&Piece>) {
        let lower = word
            .trim_matches(|c: char| !c.is_alphanumeric() && !"->=\u{2192}\u{21d2}'".contains(c))
            .to_lowercase();
        let is_begin = !std::mem::replace(&mut self.has_begun, true);
        let is_noun = std::mem::take(&mut self.before_noun)
            && !lists(NEW, &lower)
            && !lists("existing current", &lower);
        if matches!(word, "-" | "--" | "\u{2013}" | "\u{2014}") && self.clause.has_object {
            self.clause = Clause::default();
            return;
        }
        // As in `do not change or delete`.
        let is_joined =
            self.clause.mood.denies() && matches!(lower.as_str(), "or" | "nor" | "oder");
        if force::denies(self.clause.mood, &lower, next) || is_joined {
            self.clause.is_negated = true;
            self.clause.mood.negate();
        }
        if let Some(preposition) = verb::preposition(&lower) {
            self.preposition(preposition, &lower);
        } else if verb::determines(&lower) {
            self.before_noun = true;
        } else if lists(SAME, &lower) {
            if self.clause.verb.is_none() {
                self.again = self.last;
            } else {
                self.preposition(Preposition::Like, &lower);
            }
        } else if let Some(verb) = verb(word).filter(|&verb| {
            let is_noun = is_noun || is_noun_before(&lower, next);
            !is_noun && (is_begin || !self.is_told(verb))
        }) {
            self.before_noun = !word.ends_with([':', ',']);
            self.verb(verb, &lower, next);
            if is_begin && is_path(next) && self.clause.origin == Origin::Sentence {
                self.clause.origin = Origin::Begin;
            }
            return;
        } else if is_going(&lower, next) {
            self.verb(Verb::Put, &lower, next);
        } else if matches!(lower.as_str(), "and" | "und") {
            self.part();
        }
        self.clause.mood.word(&lower);
    }

    /// Says whether a label says what is done: `check` is then rather a noun than what takes its place.
    fn is_told(&self, verb: Verb) -> bool {
        self.clause.origin == Origin::Label && self.clause.verb.is_some() && verb == Verb::See
    }

    fn preposition(&mut self, preposition: Preposition, lower: &str) {
        // As in `next to` and `out of`.
        let is_second = match preposition {
            Preposition::To => lower == "to" && self.is_comparing(),
            Preposition::Of => self.clause.preposition == Some(Preposition::From),
            Preposition::In | Preposition::From | Preposition::With | Preposition::Like => false,
        };
        let is_second = is_second || self.clause.preposition == Some(Preposition::Like);
        // As in `the same for`.
        let is_said_before = self.again.is_some() && preposition == Preposition::With;
        if !is_second && !is_said_before {
            self.clause.preposition = Some(preposition);
            self.clause.has_place = false;
        }
        if !verb::is_spaced(lower)
            && let Some(verb) = verb(lower)
        {
            self.clause.verb = Some(verb);
        }
    }

    fn verb(&mut self, verb: Verb, lower: &str, next: Option<&Piece>) {
        // `new` is mostly said of something in the file: it governs a path that it stands before.
        let governs_next = match next {
            Some(Piece::Word(next)) => verb::is_file_word(next) || next.contains('/'),
            next => is_path(next),
        };
        let is_verb_heard = self.clause.verb.is_some_and(|verb| verb != Verb::See);
        if lists(NEW, lower) && is_verb_heard && !governs_next {
            return;
        }
        let (verb, mood) = if self.clause.is_negated {
            (Verb::See, Mood::denial())
        } else {
            (verb, self.clause.mood.after_verb(lower))
        };
        self.clause = Clause {
            verb: Some(verb),
            mood,
            origin: if lists(RUNS, lower) {
                Origin::Run
            } else {
                Origin::Sentence
            },
            ..Clause::default()
        };
    }

    /// Hears `and` or a comma: the next pair of names begins; what was told for comparison is told, unless it is a path of several.
    fn part(&mut self) {
        self.clause.mood.part();
        let is_renamed = self.clause.verb == Some(Verb::Rename) && self.clause.has_place;
        if is_renamed {
            self.clause.has_object = false;
            self.clause.has_place = false;
        }
        if is_renamed || self.is_comparing() {
            self.clause.preposition = None;
        }
    }

    /// Hears the border of a cell.
    pub(super) fn cell(&mut self) {
        self.before_noun = false;
        self.has_begun = false;
    }

    /// Says whether what is told for comparison has not been named yet.
    fn is_comparing(&self) -> bool {
        let tells = matches!(
            self.clause.preposition,
            Some(Preposition::With | Preposition::Like | Preposition::Of)
        );
        tells && !self.clause.has_place
    }

    /// Hears what closes at a word, after the word.
    pub(super) fn close(&mut self, word: &str) {
        if word.contains([')', '\u{ff09}'])
            && let Some(outer) = self.outer.take()
        {
            self.clause = outer;
        }
        let end = word.trim_end_matches(MARKS);
        let is_heard =
            self.clause.has_object || self.clause.verb == Some(Verb::See) && !self.is_running();
        if ends_sentence(word) || end.ends_with([':', '\u{ff1a}']) && is_heard {
            self.clause = Clause::default();
        } else if end.ends_with([',', '\u{ff0c}', '\u{3001}']) {
            self.part();
        }
    }

    /// Hears a path; returns what is said of it before and after it, and how much that counts.
    pub(super) fn path(&mut self, after: &[Piece]) -> (Claim, Force) {
        let (_, n_range) = range::after(after);
        let following = after::verb_of(&after[n_range..]);
        let is_own = matches!(following, Some((verb, true)) if self.is_said_after(verb));
        // As in `no file such as x is deleted`; `if there is no x` denies nothing.
        let is_negated = match self.clause.verb {
            None => self.clause.is_negated && is_own,
            Some(_) => self.clause.mood.is_negated(),
        };
        let is_denied = self.clause.mood.denies() && !is_own || is_negated;
        let said = match (following, self.clause.verb) {
            _ if is_denied => Claim::Mention,
            (Some((Verb::Stay, _)), _) | (None, None) => Claim::Mention,
            (Some((verb, _)), _) if is_own => verb.plainly(),
            (_, Some(_)) => self.clause.claim(),
            (Some((verb, _)), None) => self.clause.loosely(verb),
        };
        let is_placed = matches!(
            self.clause.preposition,
            Some(Preposition::In | Preposition::To)
        );
        let claim = match (said, self.again.take()) {
            (Claim::Mention, Some(again)) if !is_denied => again,
            (Claim::Mention, _)
                if self.is_task && is_placed && self.clause.verb.is_none() && !is_denied =>
            {
                Claim::Place
            }
            (said, _) => said,
        };
        let begins = !std::mem::replace(&mut self.has_begun, true);
        let is_listed = self.clause.origin == Origin::Label || is_own && begins;
        let is_order = is_listed && !force::is_asked(after)
            || !self.clause.is_negated && self.clause.mood.orders(after);
        self.before_noun = false;
        self.last = Some(claim);
        self.clause.has_object |= self.clause.preposition.is_none();
        self.clause.has_place |= self.clause.preposition.is_some();
        let force = match (is_denied, is_order) {
            (true, _) => Force::Denied,
            (false, true) => Force::Ordered,
            (false, false) => Force::Told,
        };
        (claim, force)
    }

    /// Says whether a verb that is said of a path after it stands above what is said before it.
    fn is_said_after(&self, verb: Verb) -> bool {
        self.clause.origin != Origin::Begin
            && !matches!(verb, Verb::See | Verb::Use)
            && !self.is_inside(verb)
    }

    /// Says whether a verb at the end of a sentence is said of something in the path: as in `in x erg\u{e4}nzen`.
    fn is_inside(&self, verb: Verb) -> bool {
        let is_inside = matches!(
            self.clause.preposition,
            Some(Preposition::In | Preposition::From)
        );
        is_inside && self.clause.verb.is_none() && verb != Verb::Create
    }

    /// Hears the name of something in a file; returns what is said of that file.
    pub(super) fn symbol(&mut self) -> Claim {
        self.has_begun = true;
        self.before_noun = false;
        match self.clause.claim() {
            Claim::Mention => Claim::Mention,
            _ => Claim::Change,
        }
    }

    /// Says whether the sentence has named a path.
    pub(super) fn has_path(&self) -> bool {
        self.clause.has_object || self.clause.has_place
    }

    /// Says whether what comes is run.
    pub(super) fn is_running(&self) -> bool {
        self.clause.origin == Origin::Run
    }
}

impl Verb {
    /// Returns what the verb says of its object.
    pub(super) fn plainly(self) -> Claim {
        match self {
            Self::Create => Claim::Create,
            Self::Add => Claim::Add,
            Self::Put => Claim::Place,
            Self::Change | Self::Split => Claim::Change,
            Self::Delete => Claim::Delete,
            Self::Rename => Claim::Rename,
            Self::Tell | Self::Use | Self::Stay | Self::See => Claim::Mention,
        }
    }
}

impl Clause {
    /// Returns what is said of the path that comes next.
    fn claim(self) -> Claim {
        let Some(verb) = self.verb else {
            return Claim::Mention;
        };
        let Some(preposition) = self.preposition else {
            return verb.plainly();
        };
        let is_place = matches!(preposition, Preposition::To | Preposition::In);
        match verb {
            Verb::Stay | Verb::See => Claim::Mention,
            _ if matches!(preposition, Preposition::With | Preposition::Like) => Claim::Mention,
            Verb::Rename if is_place && self.has_object => Claim::Create,
            Verb::Create | Verb::Put | Verb::Rename | Verb::Split if is_place => Claim::Place,
            Verb::Add if preposition == Preposition::In => Claim::Place,
            Verb::Add | Verb::Change | Verb::Delete | Verb::Tell | Verb::Use if is_place => {
                Claim::Change
            }
            Verb::Delete | Verb::Rename | Verb::Split => Claim::Change,
            Verb::Change if preposition == Preposition::Of => Claim::Change,
            Verb::Create | Verb::Add | Verb::Put | Verb::Change | Verb::Tell | Verb::Use => {
                Claim::Mention
            }
        }
    }

    /// Returns what a verb that comes later in the sentence says of a path.
    fn loosely(self, verb: Verb) -> Claim {
        match verb {
            Verb::Tell | Verb::Use if self.preposition != Some(Preposition::In) => Claim::Mention,
            Verb::Stay | Verb::See => Claim::Mention,
            Verb::Create | Verb::Add | Verb::Put if self.preposition.is_none() => Claim::Place,
            _ => Claim::Change,
        }
    }
}

/// Says whether a path may come next.
fn is_path(next: Option<&Piece>) -> bool {
    match next {
        Some(Piece::Code(_) | Piece::Link(_)) => true,
        Some(Piece::Word(next)) => next.contains(['/', '.']),
        Some(Piece::Quoted(_) | Piece::Cell) | None => false,
    }
}

/// Says whether a word is a noun here: as in `a test in` and `tests for`.
fn is_noun_before(lower: &str, next: Option<&Piece>) -> bool {
    let is_test = matches!(lower, "test" | "tests");
    is_test && matches!(next, Some(Piece::Word("in" | "for" | "f\u{fc}r")))
}

/// Says whether a word says where something is to go: as in `goes into` and `belongs in`.
fn is_going(lower: &str, next: Option<&Piece>) -> bool {
    let is_verb = matches!(lower, "go" | "goes" | "belong" | "belongs" | "geh\u{f6}rt");
    is_verb && matches!(next, Some(Piece::Word("in" | "into" | "to" | "nach")))
}

/// Says whether a sentence, or a part of one that stands alone, ends after a word.
pub(super) fn ends_sentence(word: &str) -> bool {
    let end = word.trim_end_matches(MARKS);
    end.ends_with([
        '.', ';', '!', '?', '\u{3002}', '\u{ff1b}', '\u{ff01}', '\u{ff1f}',
    ]) && !lists(ABBREVIATIONS, &end.trim_start_matches('(').to_lowercase())
}
