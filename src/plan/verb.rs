//! The words of plans: verbs, prepositions, and what stands beside them, in several languages.

use std::collections::HashMap;
use std::sync::LazyLock;

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
    /// Tells of its object, in a file.
    Tell,
    /// Does nothing to a file, but changes the one in which it is done.
    Use,
    /// Says that a file is left as it is.
    Stay,
    /// Does nothing to a file.
    See,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preposition {
    To,
    In,
    From,
    /// The path after it is what the thing before it is a part of.
    Of,
    /// The path after it is told for comparison.
    With,
    /// The same, up to the end of the part: `the same as x in y`.
    Like,
}

/// Verbs; where a dash stands, any of the [`ENDINGS`] may.
const VERBS: &[(Verb, &str)] = &[
    (
        Verb::Create,
        "new creat- creation introduc- scaffold- generat- neu neue neuen neuer neues leg- anleg- angelegt erstell- erzeug- \
         cr\u{e9}- cr\u{e9}er crear",
    ),
    (
        Verb::Add,
        "add- addition writ- author- erg\u{e4}nz- f\u{fc}g- hinzuf\u{fc}g- ajout- agreg- a\u{f1}ad-",
    ),
    (Verb::Put, "put puts plac- stor-"),
    (
        Verb::Change,
        "adapt- adjust- amend- append- augment- bump- chang- clean- convert- correct- edit- enhanc- expand- extend- fix- hook- \
         implement- improv- insert- integrat- migrat- modif- modify modification modifications optimiz- patch- refactor- register- \
         replac- revis- rework- rewrit- set sets simplif- simplify touch- tweak- updat- wire wires wired wiring wrap- \
         \u{e4}nder- ge\u{e4}ndert passe passen anpass- angepasst erweiter- aktualisier- bearbeit- ersetz- \u{fc}berarbeit- korrigier- \
         modifier modificar",
    ),
    (
        Verb::Delete,
        "delet- deletion drop- remov- removal rm l\u{f6}sch- gel\u{f6}scht entfern- supprim- elimin- eliminar",
    ),
    (
        Verb::Rename,
        "renam- mov- mv relocat- benenn- umbenenn- umbenannt verschieb- verschoben renomm- renombr-",
    ),
    (
        Verb::Split,
        "export- expos- extract- split splits splitting copi- copy copying duplicat- kopier- exportier-",
    ),
    (
        Verb::Tell,
        "document describe mention explain beschreib- dokumentier- erw\u{e4}hn-",
    ),
    (Verb::Use, "use nutz- verwend-"),
    (
        Verb::Stay,
        "stay- remain- unchanged unaffected untouched bleib- unver\u{e4}ndert",
    ),
    (
        Verb::See,
        "see sees seen like check- compar- consult- consum- current depend- documented described defined existing follow- import- \
         inspect- keep keeps leav- look- mirror- modeled modelled none read reads reading reference references referenced refer \
         refers review- reus- run runs running similar test- understand uses used using verif- verify based \
         siehe lies lesen pr\u{fc}f- lass- voir ver",
    ),
];

const ENDINGS: &[&str] = &[
    "", "n", "e", "es", "ed", "ing", "s", "d", "ies", "ied", "ying", "ped", "ping", "ting", "ten",
    "en", "t", "te", "er", "ar",
];

/// Every form of every verb.
static KNOWN: LazyLock<HashMap<String, Verb>> = LazyLock::new(|| {
    let mut known = HashMap::new();
    for &(verb, words) in VERBS {
        for word in words.split_ascii_whitespace() {
            let (stem, endings) = match word.strip_suffix('-') {
                Some(stem) => (stem, ENDINGS),
                None => (word, &[""][..]),
            };
            for ending in endings {
                known.entry(format!("{stem}{ending}")).or_insert(verb);
            }
        }
    }
    known
});

/// The same in languages that put no space between words.
const VERBS_WITHIN: &[(Verb, &str)] = &[
    (
        Verb::Create,
        "\u{521b}\u{5efa} \u{65b0}\u{5efa} \u{5efa}\u{7acb} \u{4f5c}\u{6210}",
    ),
    (
        Verb::Add,
        "\u{65b0}\u{589e} \u{6dfb}\u{52a0} \u{589e}\u{52a0} \u{8ffd}\u{52a0}",
    ),
    (
        Verb::Change,
        "\u{4fee}\u{6539} \u{66f4}\u{65b0} \u{7f16}\u{8f91} \u{8c03}\u{6574} \u{91cd}\u{6784} \u{6269}\u{5c55} \u{66ff}\u{6362} \
         \u{5b8c}\u{5584} \u{5909}\u{66f4} \u{4fee}\u{6b63}",
    ),
    (
        Verb::Delete,
        "\u{5220}\u{9664} \u{79fb}\u{9664} \u{524a}\u{9664}",
    ),
    (Verb::Rename, "\u{91cd}\u{547d}\u{540d} \u{79fb}\u{52a8}"),
    (Verb::Split, "\u{5bfc}\u{51fa} \u{63d0}\u{53d6}"),
    (Verb::Stay, "\u{4e0d}\u{53d8}"),
    (
        Verb::See,
        "\u{53c2}\u{8003} \u{53c2}\u{89c1} \u{67e5}\u{770b} \u{9605}\u{8bfb} \u{8bfb}\u{53d6} \u{68c0}\u{67e5} \u{8fd0}\u{884c} \
         \u{4f7f}\u{7528} \u{6d4b}\u{8bd5} \u{53c2}\u{7167}",
    ),
];

/// What a path does by itself, where it stands before the word: the plan changes it so that it does.
const DOES: &str = "\
    accept accepts await awaits bekommt call calls emit emits erh\u{e4}lt gain gains get gets handle handles learn learns lose loses \
    mount mounts must need needs open opens return returns should take takes wrap wraps";

/// A verb after one of these is a noun.
const DETERMINERS: &str = "\
    a an the this that these its our each any all some every der die das den dem des ein eine einen einem einer eines";

const PREPOSITIONS: &[(Preposition, &str)] = &[
    (Preposition::To, "to into onto nach -> => \u{2192} \u{21d2}"),
    (
        Preposition::In,
        "in im inside within under on across throughout",
    ),
    (Preposition::From, "from out aus"),
    (Preposition::Of, "of von"),
    (
        Preposition::With,
        "next for with by like via against between alongside around than per beside unlike mit f\u{fc}r wie neben",
    ),
];

const NEGATIONS: &str = "not don't dont never without no cannot nicht kein keine keinen nie ohne";

const NEGATIONS_WITHIN: &str =
    "\u{4e0d}\u{8981} \u{65e0}\u{9700} \u{4e0d}\u{9700} \u{4e0d}\u{80fd}";

/// What begins a word after a path in which something is done.
pub(super) const INSIDE: [char; 2] = ['\u{4e2d}', '\u{91cc}'];

/// What ends a word that means `to`.
const TO_AT_END: [char; 3] = ['\u{4e3a}', '\u{5230}', '\u{81f3}'];

fn lists(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

/// Returns the verb that a word is.
pub(super) fn verb(word: &str) -> Option<Verb> {
    let plain = word.trim_matches(|c: char| !c.is_alphanumeric());
    if plain.is_empty() || plain.len() > 48 {
        return None;
    }
    if !is_spaced(plain) {
        return verb_within(plain);
    }
    let lower = plain.to_lowercase();
    KNOWN.get(&lower).copied()
}

/// Returns the last verb in what may be several words.
fn verb_within(text: &str) -> Option<Verb> {
    let each = VERBS_WITHIN.iter().flat_map(|&(verb, words)| {
        let at = |word| text.rfind(word);
        let found = words.split_ascii_whitespace().filter_map(at);
        found.map(move |at| (at, verb))
    });
    each.max_by_key(|&(at, _)| at).map(|(_, verb)| verb)
}

/// Says whether a text is in a script that parts its words.
pub(super) fn is_spaced(text: &str) -> bool {
    !text.contains(is_unspaced)
}

/// Says whether a character is of a script that puts no space between words.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff00}'..='\u{ffef}')
}

/// Returns the preposition that a word in lower case is, or ends with.
pub(super) fn preposition(lower: &str) -> Option<Preposition> {
    if lower.ends_with(TO_AT_END) && verb_within(lower).is_some() {
        return Some(Preposition::To);
    }
    let found = PREPOSITIONS.iter().find(|(_, words)| lists(words, lower));
    found.map(|&(preposition, _)| preposition)
}

/// Says whether a word in lower case negates what comes after it.
pub(super) fn negates(lower: &str) -> bool {
    let mut within = NEGATIONS_WITHIN.split_ascii_whitespace();
    lists(NEGATIONS, lower) || within.any(|known| lower.contains(known))
}

/// Says whether a verb after a word in lower case is a noun.
pub(super) fn determines(lower: &str) -> bool {
    lists(DETERMINERS, lower)
}

/// Says whether a word says what the path before it does.
pub(super) fn is_done_by_path(word: &str, next: Option<&str>) -> bool {
    let lower = word
        .trim_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase();
    let next = next.unwrap_or_default();
    match lower.as_str() {
        "look" => next == "up",
        // As in `gets removed` and `must not change`.
        _ => lists(DOES, &lower) && !negates(next) && next != "be" && !is_participle(next),
    }
}

/// Says whether a word is a verb in the form that `is` goes with.
pub(super) fn is_participle(word: &str) -> bool {
    let plain = word
        .trim_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase();
    let has_form = plain.ends_with('d')
        || plain.starts_with("ge")
        || plain.ends_with("nnt")
        || plain.ends_with("rnt");
    has_form && verb(&plain).is_some()
}

/// Says whether a word makes the verb after it one that is said of the path before it.
pub(super) fn is_passive(lower: &str) -> bool {
    matches!(
        lower,
        "be" | "is" | "are" | "been" | "gets" | "get" | "wird" | "werden"
    )
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
    let lower = plain.to_lowercase();
    lists(
        "file files module modules component components path paths datei dateien",
        &lower,
    ) || lower.ends_with("\u{6587}\u{4ef6}")
}
