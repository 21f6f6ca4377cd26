//! Headings and labels that say what the list below them holds.

use super::verb::{self, Verb};

/// A label has no more words.
const MAX_WORDS: usize = 7;

/// Words that stand between the verbs of a label.
const FILLERS: &str = "and or to be the a of in all list for und zu";

/// Labels over the files that a plan touches.
const TOUCHED: [&str; 6] = [
    "file",
    "files",
    "datei",
    "dateien",
    "\u{6587}\u{4ef6}",
    "\u{30d5}\u{30a1}\u{30a4}\u{30eb}",
];

/// Files are listed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Label {
    /// What is done to them, unless an item says another thing.
    pub(super) verb: Option<Verb>,
}

/// The labels that a line stands under.
#[derive(Default)]
pub(super) struct Labels {
    /// A heading, with its level.
    section: Option<(usize, Label)>,
    /// A line that ends with a colon; with its indentation if it is an item of a list.
    line: Option<(Option<usize>, Label)>,
}

/// A line without its marks.
pub(super) struct Item<'a> {
    pub(super) text: &'a str,
    /// The label that it stands under, if it is an item, a row or a heading.
    pub(super) label: Option<Label>,
    /// It has a box to tick.
    pub(super) is_task: bool,
}

impl Labels {
    /// Returns what is done to the files that are listed here.
    pub(super) fn verb(&self) -> Option<Verb> {
        self.current().and_then(|label| label.verb)
    }

    fn current(&self) -> Option<Label> {
        let line = self.line.map(|(_, label)| label);
        line.or(self.section.map(|(_, label)| label))
    }

    /// Takes a line of Markdown; remembers what it says of the lines after it.
    pub(super) fn item<'a>(&mut self, line: &'a str) -> Item<'a> {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim_start_matches(['>', ' ', '\t']).trim_end();
        if line.is_empty() {
            return plain(line, None);
        }
        if let Some((level, title)) = heading(line) {
            return self.heading(level, title);
        }
        if let Some(text) = list_item(line) {
            let is_task = line[..line.len() - text.len()].contains('[');
            return Item {
                is_task,
                ..self.list_item(indent, text)
            };
        }
        if line.starts_with('|') {
            return plain(line, self.current());
        }
        if indent == 0 {
            self.line = label(line, Kind::Line).map(|label| (None, label));
        }
        inline(line, None)
    }

    fn heading<'a>(&mut self, level: usize, title: &'a str) -> Item<'a> {
        self.line = None;
        self.section = self.section.filter(|&(above, _)| above < level);
        let label = self.current();
        if let Some(own) = self::label(title, Kind::Heading) {
            self.section = Some((level, own));
        }
        inline(title, label)
    }

    fn list_item<'a>(&mut self, indent: usize, text: &'a str) -> Item<'a> {
        if let Some(own) = label(text, Kind::Line) {
            self.line = Some((Some(indent), own));
            return plain(text, None);
        }
        if matches!(self.line, Some((Some(above), _)) if indent <= above) {
            self.line = None;
        }
        inline(text, self.current())
    }
}

/// Returns the line with the label that it begins with, as in `Files: a.rs, b.rs`, or else with `label`.
fn inline(text: &str, label: Option<Label>) -> Item<'_> {
    let own = text.find([':', '\u{ff1a}']).and_then(|at| {
        let colon = text[at..].chars().next()?;
        let rest = text[at + colon.len_utf8()..].trim_start_matches(['*', '_', ' ']);
        let own = self::label(&text[..at + colon.len_utf8()], Kind::Line)?;
        (!rest.is_empty()).then(|| plain(rest, Some(own)))
    });
    own.unwrap_or_else(|| plain(text, label))
}

/// Returns an item that is no task.
pub(super) fn plain(text: &str, label: Option<Label>) -> Item<'_> {
    Item {
        text,
        label,
        is_task: false,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Heading,
    /// Ends with a colon, or is bold as a whole.
    Line,
}

/// Returns the label that a text is: it says `files`, or nothing but what is done.
fn label(text: &str, kind: Kind) -> Option<Label> {
    let marks = ['*', '_', '#', ' '];
    let is_bold = text.starts_with("**") && text.ends_with("**") && text.len() > 4;
    let plain = text.trim_matches(marks);
    let without_colon = plain
        .strip_suffix([':', '\u{ff1a}'])
        .map(|text| text.trim_matches(marks));
    let is_label = kind == Kind::Heading || is_bold || without_colon.is_some();
    let plain = without_colon.unwrap_or(plain);
    if !is_label || plain.len() > 80 || plain.contains(['`', '.', '[']) && kind == Kind::Line {
        return None;
    }
    let words: Vec<String> = plain
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    if words.is_empty()
        || words.len() > MAX_WORDS
        || matches!(words[0].as_str(), "step" | "task" | "phase")
    {
        return None;
    }
    let verbs: Vec<Verb> = words.iter().filter_map(|word| verb::verb(word)).collect();
    let is_filler = |word: &String| FILLERS.split(' ').any(|filler| filler == word);
    let only_verbs = !verbs.is_empty()
        && words
            .iter()
            .all(|word| verb::verb(word).is_some() || is_filler(word));
    let only_file = words
        .iter()
        .all(|word| word == "file" || word == "path" || verb::verb(word).is_some());
    let is_files = |word: &String| word == "files" || word == "dateien";
    let names_files = words.iter().any(is_files);
    let is_touched = words.len() == 1 && TOUCHED.contains(&words[0].as_str());
    let verb = match words.as_slice() {
        _ if is_touched => Some(Verb::Change),
        // As in `Test: tests/new.rs`, beside `Create:` and `Modify:`.
        [only] if only == "test" || only == "tests" => Some(Verb::Put),
        _ => together(&verbs),
    };
    (only_verbs || only_file || names_files || is_touched).then_some(Label { verb })
}

/// Returns the one verb that all are, or that the files are made or changed.
fn together(verbs: &[Verb]) -> Option<Verb> {
    let first = *verbs.first()?;
    let told = verbs.iter().copied().filter(|&verb| verb != Verb::See);
    let other = told.clone().find(|&verb| verb != first);
    let only_changes = told
        .clone()
        .all(|verb| matches!(verb, Verb::Create | Verb::Add | Verb::Change | Verb::Put));
    match other {
        // `New files to add` and `Files to be changed and added`.
        Some(_)
            if verbs
                .iter()
                .all(|verb| matches!(verb, Verb::Create | Verb::Add)) =>
        {
            Some(Verb::Create)
        }
        Some(_) => only_changes.then_some(Verb::Put),
        None => Some(first),
    }
}

/// Returns the level and the title of a heading.
pub(super) fn heading(line: &str) -> Option<(usize, &str)> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    ((1..=6).contains(&level) && title.starts_with([' ', '\t'])).then(|| (level, title.trim()))
}

/// Takes off the mark of a list item, and its box.
pub(super) fn list_item(line: &str) -> Option<&str> {
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = if digits.len() < line.len() {
        digits.strip_prefix(['.', ')'])
    } else {
        line.strip_prefix(['-', '*', '+', '\u{2022}'])
    };
    let text = rest
        .filter(|rest| rest.starts_with([' ', '\t']))?
        .trim_start();
    let boxes = ["[ ] ", "[x] ", "[X] "];
    Some(
        boxes
            .iter()
            .find_map(|mark| text.strip_prefix(mark))
            .unwrap_or(text),
    )
}
