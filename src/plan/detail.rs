//! What stands under the labels of a step: what it needs, what is true after it, what shows it.

use super::depend;
use super::fence::Line;
use super::label;
use super::word;

/// What a step says beside what to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Details {
    pub(super) depends: Vec<usize>,
    pub(super) acceptance: Vec<String>,
    pub(super) check: Option<String>,
}

/// What a label is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Depends,
    Acceptance,
    Check,
    Files,
    Number,
    Other,
}

/// The labels that are known, in lower case.
const LABELS: &[(Kind, &[&str])] = &[
    (
        Kind::Depends,
        &[
            "depends on",
            "depends",
            "dependencies",
            "dependency",
            "depend on",
            "requires",
            "needs",
            "after",
            "prerequisites",
            "prerequisite",
            "blocked by",
            "h\u{e4}ngt ab von",
            "abh\u{e4}ngig von",
            "abh\u{e4}ngigkeiten",
            "braucht",
            "nach",
            "voraussetzung",
            "voraussetzungen",
            "\u{4f9d}\u{8d56}",
            "\u{4f9d}\u{8d56}\u{9879}",
            "\u{524d}\u{7f6e}",
        ],
    ),
    (
        Kind::Acceptance,
        &[
            "acceptance",
            "acceptance criteria",
            "acceptance criterion",
            "done when",
            "done if",
            "definition of done",
            "success criteria",
            "success",
            "expected",
            "expected result",
            "expected outcome",
            "outcome",
            "abnahme",
            "abnahmekriterien",
            "akzeptanz",
            "akzeptanzkriterien",
            "fertig wenn",
            "fertig, wenn",
            "ergebnis",
            "\u{9a8c}\u{6536}",
            "\u{9a8c}\u{6536}\u{6807}\u{51c6}",
            "\u{5b8c}\u{6210}\u{6807}\u{51c6}",
        ],
    ),
    (
        Kind::Check,
        &[
            "check",
            "checks",
            "verify",
            "verify with",
            "verify by",
            "verification",
            "validate",
            "validation",
            "test",
            "tests",
            "test command",
            "run",
            "pr\u{fc}fen",
            "pr\u{fc}fung",
            "test mit",
            "\u{9a8c}\u{8bc1}",
            "\u{68c0}\u{67e5}",
            "\u{6d4b}\u{8bd5}",
        ],
    ),
    (
        Kind::Files,
        &[
            "files",
            "file",
            "path",
            "paths",
            "dateien",
            "datei",
            "\u{6587}\u{4ef6}",
        ],
    ),
    (
        Kind::Number,
        &[
            "#",
            "no",
            "nr",
            "number",
            "step",
            "task",
            "id",
            "schritt",
            "\u{6b65}\u{9aa4}",
            "\u{7f16}\u{53f7}",
        ],
    ),
];

/// A label has no more bytes.
const MAX_LABEL_BYTES: usize = 60;

/// Returns what is told under the labels of the step `number`, whose lines are `lines`.
pub(super) fn details(lines: &[Line], number: usize) -> Details {
    let mut details = Details::default();
    let mut open: Option<Open> = None;
    let mut fenced: Vec<&str> = Vec::new();
    for line in lines.iter().skip(1) {
        match line {
            Line::Open(_) => fenced.clear(),
            Line::Code(code) => fenced.push(code),
            Line::Close => {
                if open.as_ref().is_some_and(|open| open.kind == Kind::Check) {
                    details.add_script(&fenced);
                }
                open = None;
            }
            Line::Text(text) => {
                if let Some((kind, indent, rest)) = labelled(text) {
                    // What is told in one line has no more to come, but for what it begins.
                    let is_whole = kind == Kind::Check && !rest.is_empty() && !rest.ends_with(':');
                    let own = Open {
                        kind,
                        indent,
                        is_told: !rest.is_empty(),
                        is_over: false,
                    };
                    open = Some(own).filter(|_| !is_whole);
                    details.add(kind, rest);
                } else if let Some(kind) = open.as_mut().and_then(|open| open.goes_on(text)) {
                    details.add(kind, text);
                } else {
                    open = open.filter(|_| text.trim().is_empty());
                    details.depends.extend(depend::named_in(text, number));
                }
            }
        }
    }
    details
}

/// A label whose text goes on.
struct Open {
    kind: Kind,
    indent: usize,
    /// Something stood in the line of the label: a blank line ends it.
    is_told: bool,
    /// A blank line came: only items of a list may follow.
    is_over: bool,
}

impl Open {
    /// Says whether a line is under the label, and what that is over.
    fn goes_on(&mut self, text: &str) -> Option<Kind> {
        let indent = indent(text);
        if text.trim().is_empty() {
            self.is_over = true;
            return None;
        }
        let text = text.trim_start();
        let is_item = label::list_item(text).is_some();
        let is_deeper = indent > self.indent;
        // Under an item, or after a blank line, only items go on; those of an item are deeper.
        let is_of_it = is_item && (is_deeper || self.indent == 0);
        let is_of_it = is_of_it && !(self.is_told && self.is_over);
        let is_in = is_of_it || self.indent == 0 && !self.is_over;
        let is_in = is_in && label::heading(text).is_none() && !text.ends_with(':');
        is_in.then_some(self.kind)
    }
}

impl Details {
    /// Adds what a line or a cell says.
    pub(super) fn add(&mut self, kind: Kind, text: &str) {
        let text = text.trim();
        let item = label::list_item(text);
        match kind {
            Kind::Depends => self.depends.extend(depend::numbers(text)),
            Kind::Acceptance => match (item, self.acceptance.last_mut()) {
                _ if is_nothing(item.unwrap_or(text)) => {}
                (None, Some(last)) => {
                    // A line goes on in the next one.
                    last.push(' ');
                    last.push_str(text);
                }
                (item, _) => self.acceptance.push(item.unwrap_or(text).to_owned()),
            },
            Kind::Check => {
                for command in commands(item.unwrap_or(text)) {
                    self.add_command(&command);
                }
            }
            Kind::Files | Kind::Number | Kind::Other => {}
        }
    }

    fn add_command(&mut self, command: &str) {
        match &mut self.check {
            Some(check) => {
                check.push_str(" && ");
                check.push_str(command);
            }
            None => self.check = Some(command.to_owned()),
        }
    }

    /// Adds the commands of a fence.
    fn add_script(&mut self, lines: &[&str]) {
        let lines = lines.iter().map(|line| line.trim());
        let lines = lines.map(|line| line.strip_prefix("$ ").unwrap_or(line));
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            self.add_command(line);
        }
    }
}

/// Returns the commands that a text names: what is marked as code, or all of it if it begins as a command does.
fn commands(text: &str) -> Vec<String> {
    let spans = super::inline::pieces(text);
    let spans = spans.iter().filter_map(|piece| match piece {
        super::inline::Piece::Code(code) if is_command(code) => Some((*code).to_owned()),
        _ => None,
    });
    let spans: Vec<String> = spans.collect();
    if spans.is_empty() && !text.contains('`') && word::is_command(text) {
        return vec![text.trim_end_matches('.').to_owned()];
    }
    spans
}

/// Says whether a code span under a label of checks is a command: one known, or a program with its words.
fn is_command(code: &str) -> bool {
    let program = code.split_once(' ').map(|(program, _)| program);
    word::is_command(code) || program.is_some_and(|program| program.contains('/'))
}

fn is_nothing(text: &str) -> bool {
    let text = text.trim_matches(|c: char| !c.is_alphanumeric());
    text.is_empty()
        || matches!(
            text.to_lowercase().as_str(),
            "none" | "n/a" | "keine" | "\u{65e0}"
        )
}

fn indent(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// Returns what a line is labelled with: what the label is over, its indentation, what stands after it.
pub(super) fn labelled(line: &str) -> Option<(Kind, usize, &str)> {
    let text = line.trim();
    let (bare, is_heading) = match label::heading(text) {
        Some((_, title)) => (title, true),
        None => (label::list_item(text).unwrap_or(text), false),
    };
    let indent = indent(line) + usize::from(label::list_item(text).is_some());
    let is_bold = bare.starts_with("**") && bare.ends_with("**") && bare.len() > 4;
    let colon = bare
        .char_indices()
        .find(|&(at, c)| matches!(c, ':' | '\u{ff1a}') && at <= MAX_LABEL_BYTES);
    let (label, rest) = match colon {
        Some((at, colon)) => (&bare[..at], &bare[at + colon.len_utf8()..]),
        None if is_bold || is_heading => (bare, ""),
        None => return None,
    };
    let rest = rest.trim_start_matches(['*', '_']).trim();
    let kind = kind_of(label);
    // What is labelled otherwise ends what stands above it.
    (kind != Kind::Other || rest.is_empty()).then_some((kind, indent, rest))
}

/// Returns what a label or the head of a column is over.
pub(super) fn kind_of(label: &str) -> Kind {
    let label = label.split_once('(').map_or(label, |(label, _)| label);
    let label = label.trim_matches([' ', '*', '_', '#', '.']);
    let label = if label.is_empty() { "#" } else { label };
    let label = label.to_lowercase();
    let known = LABELS
        .iter()
        .find(|(_, labels)| labels.contains(&label.as_str()));
    known.map_or(Kind::Other, |&(kind, _)| kind)
}
