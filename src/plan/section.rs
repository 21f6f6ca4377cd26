//! What the headings of a plan say of the lists under them.

use super::fence::Line;
use super::label;
use super::verb::{self, Verb};

/// What stands under a heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// Nothing but a title stands above.
    Top,
    /// The steps.
    Steps,
    /// What a plan says beside its steps.
    Aside,
    /// What is not done: out of scope, at risk, or decided against.
    Excluded,
    /// Nobody knows.
    Other,
}

/// Words of headings over steps.
const STEPS: &str = "\
    step steps task tasks todo todos implementation schritt schritte aufgaben umsetzung vorgehen ablauf \u{e9}tapes pasos passos";

/// Words of headings that may stand over steps.
const MAYBE_STEPS: &str = "plan approach changes work procedure proposal sequence order";

/// Words of headings over what is beside the steps.
const ASIDES: &str = "\
    acceptance alternatives analysis assumptions background concerns consequences considered constraints context criteria current \
    decision decisions dependencies done drivers goal goals mitigation mitigations motivation non-goals notes objective objectives \
    options outcome overview problem questions rationale references requirements risk risks rollback scope status strategy summary \
    verification why abh\u{e4}ngigkeiten abnahme annahmen fragen hintergrund risiken ziel ziele zusammenfassung";

/// Words of headings over what is not done.
const EXCLUDED: &str = "\
    alternative alternatives discarded excluded exclusions non-goal non-goals nongoals out-of-scope rejected risk risks alternativen \
    nicht-ziele risiken risiko verworfen";

/// A heading that says more is no heading over that.
const MAX_EXCLUDING_WORDS: usize = 4;

/// Words of headings over tests: as the title of a step they are one.
const TESTS: &str = "test tests testing validation checklist";

/// The same in languages that put no space between words.
const STEPS_WITHIN: [&str; 5] = [
    "\u{6b65}\u{9aa4}",
    "\u{4efb}\u{52a1}",
    "\u{5b9e}\u{65bd}",
    "\u{624b}\u{9806}",
    "\u{8ba1}\u{5212}",
];
const ASIDES_WITHIN: [&str; 8] = [
    "\u{98ce}\u{9669}",
    "\u{80cc}\u{666f}",
    "\u{76ee}\u{6807}",
    "\u{6d4b}\u{8bd5}",
    "\u{9a8c}\u{6536}",
    "\u{5907}\u{6ce8}",
    "\u{4f9d}\u{8d56}",
    "\u{95ee}\u{9898}",
];

/// A label has no more words.
const MAX_WORDS: usize = 5;

fn lists(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

fn words(title: &str) -> Vec<String> {
    title
        .split(|c: char| !c.is_alphabetic() && c != '-')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Says whether what stands under a heading is not done.
fn excludes(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let is_file = |word: &&str| verb::is_file_word(word) || lists("these those the", word);
    let end = words.iter().rposition(|word| !is_file(word));
    // As in `Do not touch these files`.
    let forbids = end.is_some_and(|end| {
        verb::verb(words[end]) == Some(Verb::Change)
            && words[..end].iter().any(|word| verb::negates(word))
    });
    let is_short = words.len() <= MAX_EXCLUDING_WORDS;
    let is_beyond = |pair: &[&str]| matches!(pair, ["of" | "beyond", "scope"] | ["non", "goals"]);
    forbids
        || is_short
            && (words.iter().any(|word| lists(EXCLUDED, word))
                || words.windows(2).any(is_beyond)
                || words.contains(&"scope") && words.iter().any(|word| verb::negates(word)))
}

/// Returns what a heading says of what stands under it.
pub(super) fn of(title: &str) -> Section {
    let words = words(title);
    let any = |list: &str| words.iter().any(|word| lists(list, word));
    let within = |list: &[&str]| list.iter().any(|word| title.contains(word));
    // As in `Steps and risks`; the goal of a task is none of it.
    let is_list = words.first().is_some_and(|first| lists(STEPS, first));
    if !is_list && excludes(&words) {
        return Section::Excluded;
    }
    if any(ASIDES) || within(&ASIDES_WITHIN) {
        return if is_list {
            Section::Steps
        } else {
            Section::Aside
        };
    }
    if any(STEPS) || within(&STEPS_WITHIN) {
        return Section::Steps;
    }
    if any(TESTS) {
        return Section::Aside;
    }
    if any(MAYBE_STEPS) {
        return Section::Steps;
    }
    Section::Other
}

/// Says whether a title has no word but those of what is beside the steps.
pub(super) fn is_aside_alone(title: &str) -> bool {
    let words = words(title);
    let is_filler = |word: &str| lists("and the of open test testing success out non", word);
    let is_aside = |word: &String| lists(ASIDES, word) || is_filler(word);
    words.iter().any(|word| lists(ASIDES, word)) && words.iter().all(is_aside)
        || ASIDES_WITHIN.contains(&title)
}

/// Returns what each line stands under.
pub(super) fn sections(lines: &[Line]) -> Vec<Section> {
    let mut open: Vec<(usize, Section)> = Vec::new();
    let mut label = None;
    let mut has_title = false;
    let mut sections = Vec::with_capacity(lines.len());
    for line in lines {
        if let Line::Text(text) = line {
            if let Some((level, title)) = label::heading(text.trim_end()) {
                label = None;
                open.retain(|&(above, _)| above < level);
                if std::mem::replace(&mut has_title, true) {
                    open.push((level, of(title)));
                } else if level > 1 && of(title) != Section::Other {
                    // The first heading is the title, unless it says what it is over.
                    open.push((level, of(title)));
                }
            } else if let Some(own) = label_of(text) {
                label = Some(own);
            }
        }
        let known = open.iter().rev().find(|(_, own)| *own != Section::Other);
        let is_excluded = open.iter().any(|(_, own)| *own == Section::Excluded);
        let under = match (known, open.is_empty()) {
            _ if is_excluded => Section::Excluded,
            (Some(&(_, own)), _) => own,
            (None, true) => Section::Top,
            (None, false) => Section::Other,
        };
        sections.push(label.unwrap_or(under));
    }
    sections
}

/// Returns what a line says of the list under it if it is a label, as in `Risks:`.
fn label_of(line: &str) -> Option<Section> {
    if line.starts_with([' ', '\t', '-', '*']) && !line.starts_with("**") {
        return None;
    }
    let text = line.trim();
    let title = text.trim_matches(['*', '_']).trim_end_matches(['*', ':']);
    let is_bold = text.starts_with("**") && text.ends_with("**");
    let is_label = text.trim_end_matches('*').ends_with([':', '\u{ff1a}']) || is_bold;
    if !is_label || title.split_whitespace().count() > MAX_WORDS {
        return None;
    }
    Some(of(title)).filter(|own| *own != Section::Other)
}
