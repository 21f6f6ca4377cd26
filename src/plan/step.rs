//! The steps of a plan, in whatever form its author gave them.

use std::ops::RangeInclusive;

use super::Intent;
use super::depend;
use super::detail::{self, Details};
use super::fence::{self, Line};
use super::files;
use super::section::{self, Section};
use super::{label, table};

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The number that it has in the plan; its place, where the plan numbers none.
    pub number: usize,
    /// What it does, in a line.
    pub title: String,
    /// Its lines in the plan's text, from 1.
    pub lines: RangeInclusive<usize>,
    /// The paths that it names, as they are written, with what it does to each.
    pub files: Vec<(String, Intent)>,
    /// The numbers of the steps that it needs.
    pub depends: Vec<usize>,
    /// What is true when it is done.
    pub acceptance: Vec<String>,
    /// The command that shows that it is done.
    pub check: Option<String>,
}

/// What makes a heading or a line one of a step, if a number follows; those of one row are told apart from other rows.
const WORDS: &[&[&str]] = &[
    &[
        "step",
        "schritt",
        "\u{e9}tape",
        "etape",
        "paso",
        "passo",
        "\u{6b65}\u{9aa4}",
    ],
    &["task", "aufgabe", "\u{4efb}\u{52a1}"],
    &["phase", "stage", "\u{9636}\u{6bb5}"],
    &[""],
];

/// What has more is no list of steps.
const MAX_STEPS: usize = 500;

/// The level of what is no heading: any heading ends it.
const NO_HEADING: usize = 7;

/// The line that a step begins with.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// Counted from 0.
    pub(super) line: usize,
    pub(super) number: usize,
    pub(super) title: String,
    pub(super) form: Form,
}

/// How a step is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// Under a heading of this level, or a bold line.
    Heading(usize),
    /// An item of a list.
    Item,
    /// A row of a table, with what its other cells say.
    Row(Details),
}

/// Returns the steps of a plan; none, if it lists none.
pub(super) fn steps(text: &str) -> Vec<Step> {
    let lines = fence::lines(text);
    let heads = heads(&lines);
    if heads.len() > MAX_STEPS {
        return Vec::new();
    }
    let mentions = files::mentions(text);
    let mut steps: Vec<Step> = Vec::with_capacity(heads.len());
    for (at, head) in heads.iter().enumerate() {
        let next = heads.get(at + 1).map(|next| next.line);
        let end = end_of(head, next, &lines);
        let details = match &head.form {
            Form::Row(details) => details.clone(),
            Form::Heading(_) | Form::Item => detail::details(&lines[head.line..end], head.number),
        };
        let lines = head.line + 1..=end;
        steps.push(Step {
            number: head.number,
            title: head.title.clone(),
            files: files::of(&mentions, &lines),
            lines,
            depends: details.depends,
            acceptance: details.acceptance,
            check: details.check,
        });
    }
    for (number, needed) in depend::outside(&lines, &steps) {
        for step in steps.iter_mut().filter(|step| step.number == number) {
            step.depends.push(needed);
        }
    }
    for step in &mut steps {
        step.depends.sort_unstable();
        step.depends.dedup();
        step.depends.truncate(MAX_STEPS);
    }
    steps
}

/// Returns where the steps begin, in the first form that the plan has.
fn heads(lines: &[Line]) -> Vec<Head> {
    let sections = section::sections(lines);
    let worded = WORDS.iter().map(|words| headings(lines, words));
    let mut found = worded.filter(|heads| !heads.is_empty());
    let found = found.next().unwrap_or_default();
    if !found.is_empty() {
        return found;
    }
    for form in [ordered, table::rows, boxes] {
        let heads = form(lines, &sections);
        if !heads.is_empty() {
            return heads;
        }
    }
    Vec::new()
}

/// Returns the headings and the lines that begin with one of `words` and a number.
fn headings(lines: &[Line], words: &[&str]) -> Vec<Head> {
    let mut heads = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Line::Text(text) = line else {
            continue;
        };
        let Some((title, level)) = title_of(text) else {
            continue;
        };
        if level == NO_HEADING && !text.starts_with('*') && words == [""] {
            continue;
        }
        if let Some((number, title)) = words.iter().find_map(|word| numbered(title, word)) {
            heads.push(Head {
                line: at,
                number,
                title: plain(title),
                form: Form::Heading(level),
            });
        }
    }
    if words == [""] {
        without_sections(&heads)
    } else {
        heads
    }
}

/// Takes the numbered headings that are sections away, as in `## 1. Background`.
fn without_sections(heads: &[Head]) -> Vec<Head> {
    let lists_steps = |head: &Head| section::of(&head.title) == Section::Steps;
    if heads
        .iter()
        .any(|head| lists_steps(head) && head.title.split(' ').count() <= 3)
    {
        return Vec::new();
    }
    let n_titles = heads
        .iter()
        .filter(|head| head.form == Form::Heading(1))
        .count();
    // The number of a title is that of the plan.
    let is_title = |head: &Head| head.form == Form::Heading(1) && n_titles == 1;
    heads
        .iter()
        .filter(|head| !is_title(head) && !section::is_aside_alone(&head.title))
        .cloned()
        .collect()
}

/// Returns the text of a heading, of what is bold at the start of a line, or of a line; and the level.
fn title_of(line: &str) -> Option<(&str, usize)> {
    let text = line.trim();
    if let Some((level, title)) = label::heading(text) {
        return Some((title.trim_matches([' ', '*', '#', '`']), level));
    }
    let text = text.strip_prefix("- ").unwrap_or(text);
    let is_indented = line.starts_with([' ', '\t']);
    let Some(inner) = text.strip_prefix("**") else {
        // `Step 2 needs step 1` begins no step.
        let after = text.trim_start_matches(|c: char| !c.is_ascii_digit());
        let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
        let begins = after.starts_with([':', '\u{ff1a}', ')']) || after.starts_with(". ");
        return (begins && !is_indented).then_some((text, NO_HEADING));
    };
    let (bold, rest) = inner.split_once("**")?;
    let is_whole = rest.trim().is_empty();
    let is_label = bold.ends_with(':') || rest.starts_with([':', '.', '\u{ff1a}']);
    let has_title = bold.contains([':', '.', '\u{ff1a}']);
    if is_indented || !(is_whole || is_label || has_title) {
        return None;
    }
    let has_words = bold
        .trim_end_matches([':', '.'])
        .contains([':', '.', '\u{ff1a}']);
    // As in `**Step 1**: do this`.
    let title = if has_words || is_whole { bold } else { inner };
    Some((title.trim_matches([' ', '*']), NO_HEADING))
}

/// Takes a word and a number off a title.
pub(super) fn numbered<'a>(title: &'a str, word: &str) -> Option<(usize, &'a str)> {
    let (start, rest) = title.split_at_checked(word.len())?;
    if start.to_lowercase() != word {
        return None;
    }
    let rest = rest.trim_start();
    let title = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = rest[..rest.len() - title.len()].parse().ok()?;
    // `2 files` and `3D view` begin with a number and are no steps; neither is the section `1.2`.
    let after = title.trim_start_matches([
        ' ', ':', '.', ')', '-', '*', '\u{2013}', '\u{2014}', '\u{ff1a}', '\u{3001}',
    ]);
    let is_step = !word.is_empty() || title.starts_with([':', '.', ')', '\u{3001}']);
    let is_section = title.starts_with('.') && after.starts_with(|c: char| c.is_ascii_digit());
    let is_word = title.starts_with(char::is_alphanumeric);
    (is_step && !is_section && !is_word).then_some((number, after))
}

/// Returns the items of the ordered lists at the left margin, where steps may stand.
fn ordered(lines: &[Line], sections: &[Section]) -> Vec<Head> {
    let mut heads = items(lines, sections, |text| {
        let after = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let rest = after.strip_prefix(['.', ')', '\u{3001}'])?;
        let number: usize = text[..text.len() - after.len()].parse().ok()?;
        let is_wide = after.starts_with('\u{3001}');
        (is_wide || rest.starts_with([' ', '\t'])).then_some((Some(number), rest))
    });
    // `2026.` at the start of a line begins no list.
    if heads.first().is_some_and(|first| first.number > 1) {
        return Vec::new();
    }
    // Markdown numbers a list of which each item is the first.
    if heads.iter().all(|head| head.number == 1) {
        for (at, head) in heads.iter_mut().enumerate() {
            head.number = at + 1;
        }
    }
    heads
}

/// Returns the items with a box at the left margin, where steps may stand.
fn boxes(lines: &[Line], sections: &[Section]) -> Vec<Head> {
    items(lines, sections, |text| {
        let rest = text.strip_prefix(['-', '*', '+'])?.trim_start();
        let rest = ["[ ]", "[x]", "[X]"]
            .iter()
            .find_map(|mark| rest.strip_prefix(mark))?;
        let rest = rest.trim_start();
        let bold = rest
            .strip_prefix("**")
            .and_then(|inner| inner.split_once("**"));
        let title = bold.map_or(rest, |(bold, _)| bold);
        let mut words = WORDS.iter().copied().flatten();
        let numbered = words.find_map(|word| numbered(title, word));
        Some(numbered.map_or((None, rest), |(number, title)| (Some(number), title)))
    })
}

fn items<'a>(
    lines: &[Line<'a>],
    sections: &[Section],
    item: impl Fn(&'a str) -> Option<(Option<usize>, &'a str)>,
) -> Vec<Head> {
    let has_steps = sections.contains(&Section::Steps);
    let mut heads = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let may_be = sections[at] == Section::Steps || sections[at] == Section::Top && !has_steps;
        if let Line::Text(text) = line
            && may_be
            && let Some((number, title)) = item(text.strip_prefix(' ').unwrap_or(text))
        {
            heads.push(Head {
                line: at,
                number: number.unwrap_or(heads.len() + 1),
                title: item_title(title),
                form: Form::Item,
            });
        }
    }
    heads
}

/// Returns what an item says it is: what is bold at its beginning, or all of its line.
fn item_title(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix("[ ] ").unwrap_or(text);
    let bold = text
        .strip_prefix("**")
        .and_then(|inner| inner.split_once("**"));
    plain(bold.map_or(text, |(bold, _)| bold))
}

/// Takes the marks and the punctuation at the ends of a title away.
pub(super) fn plain(title: &str) -> String {
    let ends = [' ', '*', '#', ':', '.', '\u{ff1a}', '\u{3002}'];
    title
        .trim_start_matches([' ', '*'])
        .trim_end_matches(ends)
        .to_owned()
}

/// Returns the line after the last one of a step, counted from 0.
fn end_of(head: &Head, next: Option<usize>, lines: &[Line]) -> usize {
    let level = match &head.form {
        Form::Row(_) => return head.line + 1,
        Form::Heading(level) => *level,
        Form::Item => NO_HEADING,
    };
    let end = next.unwrap_or(lines.len());
    let body = head.line + 1..end;
    let ends_at = |&at: &usize| match lines[at] {
        Line::Text(text) => {
            label::heading(text.trim_end()).is_some_and(|(other, _)| other <= level)
                || head.form == Form::Item && next.is_none() && is_after_list(lines, at)
        }
        Line::Open(_) | Line::Code(_) | Line::Close => false,
    };
    let mut end = body.clone().find(ends_at).unwrap_or(end);
    while end > head.line + 1 && matches!(lines[end - 1], Line::Text(text) if is_border(text)) {
        end -= 1;
    }
    end
}

/// Says whether a line parts what stands above it from what stands below.
fn is_border(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.len() >= 3 && text.chars().all(|c| c == '-' || c == '*' || c == '_')
}

/// Says whether a line is a paragraph at the left margin, with nothing above it.
fn is_after_list(lines: &[Line], at: usize) -> bool {
    let is_blank = |line: &Line| matches!(line, Line::Text(text) if is_border(text));
    let Line::Text(text) = lines[at] else {
        return false;
    };
    let is_margin = !text.starts_with([' ', '\t']) && !is_border(text);
    is_margin && is_blank(&lines[at - 1]) && label::list_item(text).is_none()
}
