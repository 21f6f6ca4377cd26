//! What a sentence says is done to a path: the verb that governs it, and the preposition between.

use super::inline::Piece;

/// What is done, by the verb alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    /// Makes a file, or something in one.
    Add,
    Change,
    Delete,
    Rename,
    /// Makes a file, or changes it.
    Put,
    /// Makes a file out of a part of another.
    Split,
    /// Does nothing to a file.
    See,
}

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Preposition {
    To,
    In,
    From,
    /// The path after it is told for comparison.
    With,
}

/// Verbs; where a dash stands, any of the [`ENDINGS`] may.
const VERBS: &[(Verb, &str)] = &[
    (
        Verb::Create,
        "new creat- creation introduc- scaffold- generat-",
    ),
    (Verb::Add, "add- addition writ- author-"),
    (Verb::Put, "put puts plac- stor-"),
    (
        Verb::Change,
        "adapt- adjust- amend- append- augment- bump- chang- clean- convert- correct- edit- enhanc- expand- expos- export- extend- \
         fix- hook- implement- improv- insert- integrat- migrat- modif- modify modification modifications optimiz- patch- refactor- \
         register- replac- revis- rework- rewrit- simplif- simplify touch- tweak- updat- wir-",
    ),
    (Verb::Delete, "delet- deletion drop- remov- removal rm"),
    (Verb::Rename, "renam- mov- mv relocat-"),
    (
        Verb::Split,
        "extract- split splits splitting copi- copy copying duplicat-",
    ),
    (
        Verb::See,
        "see sees seen like check- compar- consult- consum- current depend- existing follow- import- inspect- keep keeps leav- look- \
         mirror- modeled modelled read reads reading reference references referenced refer refers review- reus- run runs running \
         similar test- understand us- used verif- verify based",
    ),
];

const ENDINGS: &[&str] = &[
    "", "e", "es", "ed", "ing", "s", "d", "ies", "ied", "ying", "ped", "ping", "ting", "ten",
];

/// A verb after one of these is a noun.
const DETERMINERS: &str = "a an the this that these its our each any all some every";

const PREPOSITIONS: &[(Preposition, &str)] = &[
    (Preposition::To, "to into onto -> => \u{2192} \u{21d2}"),
    (
        Preposition::In,
        "in inside within under on across throughout",
    ),
    (Preposition::From, "from out"),
    (
        Preposition::With,
        "next for with by like of via against between alongside around than per beside unlike",
    ),
];

const NEGATIONS: &str = "not don't dont never without no cannot";

/// Marks that may follow the punctuation of a sentence.
const MARKS: [char; 5] = ['*', '_', '"', ')', '`'];

/// Words that end with a full stop within a sentence.
const ABBREVIATIONS: &str = "e.g. i.e. eg. cf. vs.";

fn lists(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

/// Returns the verb that a word is.
pub(super) fn verb(word: &str) -> Option<Verb> {
    let plain = word.trim_matches(|c: char| !c.is_alphanumeric());
    if plain.is_empty() || plain.len() > 16 {
        return None;
    }
    let lower = plain.to_lowercase();
    let has = |stems: &str| {
        stems
            .split_ascii_whitespace()
            .any(|known| match known.strip_suffix('-') {
                Some(stem) => lower
                    .strip_prefix(stem)
                    .is_some_and(|ending| ENDINGS.contains(&ending)),
                None => known == lower,
            })
    };
    VERBS
        .iter()
        .find(|(_, stems)| has(stems))
        .map(|&(verb, _)| verb)
}

fn preposition(lower: &str) -> Option<Preposition> {
    let found = PREPOSITIONS.iter().find(|(_, words)| lists(words, lower));
    found.map(|&(preposition, _)| preposition)
}

/// What was heard of a sentence so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clause {
    verb: Option<Verb>,
    preposition: Option<Preposition>,
    is_negated: bool,
    /// A path came after the verb.
    has_object: bool,
    /// A path came after the preposition.
    has_place: bool,
}

/// Sentences, heard word by word.
#[derive(Debug, Default)]
pub(super) struct Speech {
    clause: Clause,
    /// What goes on after the parenthesis.
    outer: Option<Clause>,
    /// The next verb is a noun: a verb or a determiner stands before it.
    before_noun: bool,
}

impl Speech {
    /// Begins under a heading or a label that says what is done to what it lists.
    pub(super) fn under(verb: Option<Verb>) -> Self {
        Self {
            clause: Clause {
                verb,
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
        let is_noun =
            std::mem::take(&mut self.before_noun) && !lists("new existing current", &lower);
        if matches!(word, "-" | "--" | "\u{2013}" | "\u{2014}") && self.clause.has_object {
            self.clause = Clause::default();
        } else if lists(NEGATIONS, &lower) {
            self.clause.is_negated = true;
        } else if let Some(preposition) = preposition(&lower) {
            // As in `next to`.
            if !(lower == "to" && self.is_comparing()) {
                self.clause.preposition = Some(preposition);
                self.clause.has_place = false;
            }
        } else if lists(DETERMINERS, &lower) {
            self.before_noun = true;
        } else if let Some(verb) = verb(word).filter(|_| !is_noun) {
            self.before_noun = !word.ends_with([':', ',']);
            self.verb(verb, &lower, next);
        } else if lower == "and" {
            self.part();
        }
    }

    fn verb(&mut self, verb: Verb, lower: &str, next: Option<&Piece>) {
        // `new` is mostly said of something in the file: it governs a path that it stands before.
        let governs_next = match next {
            Some(Piece::Code(_) | Piece::Link(_)) => true,
            Some(Piece::Word(next)) => is_file_word(next) || next.contains('/'),
            _ => false,
        };
        if lower == "new" && self.clause.verb.is_some_and(|verb| verb != Verb::See) && !governs_next
        {
            return;
        }
        let verb = if self.clause.is_negated {
            Verb::See
        } else {
            verb
        };
        self.clause = Clause {
            verb: Some(verb),
            ..Clause::default()
        };
    }

    /// Hears `and` or a comma: what was told for comparison is told, unless it is a path of several.
    fn part(&mut self) {
        if self.is_comparing() {
            self.clause.preposition = None;
        }
    }

    /// Says whether what is told for comparison has not been named yet.
    fn is_comparing(&self) -> bool {
        self.clause.preposition == Some(Preposition::With) && !self.clause.has_place
    }

    /// Hears what closes at a word, after the word.
    pub(super) fn close(&mut self, word: &str) {
        if word.contains(')')
            && let Some(outer) = self.outer.take()
        {
            self.clause = outer;
        }
        let end = word.trim_end_matches(MARKS);
        if ends_sentence(word) || end.ends_with(':') && self.clause.has_object {
            self.clause = Clause::default();
        } else if end.ends_with(',') {
            self.part();
        }
    }

    /// Hears a path; returns what is said of it before and after it.
    pub(super) fn path(&mut self, after: &[Piece]) -> Claim {
        let claim = match (following(after), self.clause.verb) {
            (Some((verb, true)), _) if verb != Verb::See => verb.plainly(),
            (_, Some(_)) => self.clause.claim(),
            (Some((verb, _)), None) => self.clause.loosely(verb),
            (None, None) => Claim::Mention,
        };
        self.before_noun = false;
        self.clause.has_object |= self.clause.preposition.is_none();
        self.clause.has_place |= self.clause.preposition.is_some();
        claim
    }

    /// Says whether the sentence has named a path.
    pub(super) fn has_path(&self) -> bool {
        self.clause.has_object || self.clause.has_place
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
            Self::See => Claim::Mention,
        }
    }
}

impl Clause {
    /// Returns what is said of the path that comes next.
    fn claim(self) -> Claim {
        let Some(verb) = self.verb else {
            return Claim::Mention;
        };
        match (verb, self.preposition) {
            (verb, None) => verb.plainly(),
            (Verb::See, _) | (_, Some(Preposition::With)) => Claim::Mention,
            (Verb::Rename, Some(Preposition::To)) if self.has_object => Claim::Create,
            (
                Verb::Create | Verb::Put | Verb::Rename | Verb::Split,
                Some(Preposition::To | Preposition::In),
            )
            | (Verb::Add, Some(Preposition::In)) => Claim::Place,
            (Verb::Add | Verb::Change | Verb::Delete, Some(Preposition::To | Preposition::In))
            | (Verb::Delete | Verb::Rename | Verb::Split, Some(Preposition::From)) => Claim::Change,
            (Verb::Create | Verb::Add | Verb::Put | Verb::Change, Some(Preposition::From)) => {
                Claim::Mention
            }
        }
    }

    /// Returns what a verb that comes later in the sentence says of a path.
    fn loosely(self, verb: Verb) -> Claim {
        match verb {
            Verb::See => Claim::Mention,
            Verb::Create | Verb::Add | Verb::Put if self.preposition.is_none() => Claim::Place,
            _ => Claim::Change,
        }
    }
}

/// Returns the first verb after a path, before the next path or the end of the sentence.
///
/// The verb is said of the path itself (`true`) where it stands alone, as in `(new)`, or passive, as in `will be created`.
fn following(after: &[Piece]) -> Option<(Verb, bool)> {
    let mut is_alone = true;
    let mut is_passive = false;
    for (at, piece) in after.iter().enumerate().take(16) {
        let word = match piece {
            Piece::Word(word) => *word,
            Piece::Cell => continue,
            Piece::Code(code) if !code.contains(['/', '.']) => {
                is_alone = false;
                continue;
            }
            Piece::Code(_) | Piece::Link(_) | Piece::Quoted(_) => return None,
        };
        if word.contains('/') && !word.ends_with('/') {
            return None;
        }
        if let Some(verb) = verb(word) {
            let next = after.get(at + 1);
            let is_last = match next {
                None | Some(Piece::Cell) => true,
                Some(Piece::Word(next)) => is_file_word(next),
                _ => false,
            };
            let is_closed = word.ends_with([')', ',', ']', '.', ';', ':', '*', '_']);
            // As in `update b.rs`: said of the next path.
            if !is_closed && matches!(next, Some(Piece::Code(code)) if code.contains(['/', '.'])) {
                return None;
            }
            let is_said = is_alone && (is_last || is_closed);
            return Some((
                verb,
                is_said
                    || is_passive
                        && word
                            .to_lowercase()
                            .trim_matches(|c: char| !c.is_alphanumeric())
                            .ends_with('d'),
            ));
        }
        let lower = word.to_lowercase();
        is_passive = matches!(
            lower.as_str(),
            "be" | "is" | "are" | "been" | "gets" | "get"
        ) || is_passive && lower == "newly";
        is_alone &= !word.contains(char::is_alphanumeric);
        if let (Some(verb), Some(Piece::Cell) | None) = (letter_action(word), after.get(at + 1))
            && at > 0
            && after[at - 1] == Piece::Cell
        {
            return Some((verb, true));
        }
        if ends_sentence(word) {
            return None;
        }
    }
    None
}

/// Says whether a sentence, or a part of one that stands alone, ends after a word.
pub(super) fn ends_sentence(word: &str) -> bool {
    let end = word.trim_end_matches(MARKS);
    end.ends_with(['.', ';', '!', '?'])
        && !lists(ABBREVIATIONS, &end.trim_start_matches('(').to_lowercase())
}

/// Reads the letters that git has for a change, as the tables of plans do.
pub(super) fn letter_action(word: &str) -> Option<Verb> {
    match word {
        "A" | "+" => Some(Verb::Create),
        "M" | "~" => Some(Verb::Change),
        "D" => Some(Verb::Delete),
        "R" => Some(Verb::Rename),
        _ => None,
    }
}

/// Says whether a word is `file` or another word for one.
pub(super) fn is_file_word(word: &str) -> bool {
    let plain = word.trim_matches(|c: char| !c.is_alphanumeric());
    matches!(
        plain.to_lowercase().as_str(),
        "file" | "files" | "module" | "modules" | "component" | "components" | "path" | "paths"
    )
}
