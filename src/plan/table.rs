//! Tables whose rows are steps.

use super::detail::{self, Details, Kind};
use super::fence::Line;
use super::section::Section;
use super::step::{self, Form, Head};

/// Returns the rows of the first table whose first column numbers them, where steps may stand.
pub(super) fn rows(lines: &[Line], sections: &[Section]) -> Vec<Head> {
    let has_steps = sections.contains(&Section::Steps);
    let text = |at: usize| match lines.get(at) {
        Some(Line::Text(text)) => Some(text.trim()),
        _ => None,
    };
    for (at, section) in sections.iter().enumerate() {
        let may_be = *section == Section::Steps || *section == Section::Top && !has_steps;
        let Some(header) = text(at).filter(|line| may_be && line.starts_with('|')) else {
            continue;
        };
        if !text(at + 1).is_some_and(is_rule) {
            continue;
        }
        let columns: Vec<Kind> = cells(header).into_iter().map(detail::kind_of).collect();
        let rows = (at + 2..lines.len()).map_while(|at| {
            let row = text(at).filter(|line| line.starts_with('|'))?;
            Some((at, row))
        });
        let heads: Option<Vec<Head>> = rows
            .enumerate()
            .map(|(place, (line, row))| head(&columns, line, place + 1, row))
            .collect();
        if let Some(heads) = heads.filter(|heads| !heads.is_empty()) {
            return heads;
        }
    }
    Vec::new()
}

/// Says whether a line parts the head of a table from its rows.
fn is_rule(line: &str) -> bool {
    line.contains("--") && line.chars().all(|c| "|-: ".contains(c))
}

fn cells(row: &str) -> Vec<&str> {
    let row = row.strip_prefix('|').unwrap_or(row);
    let row = row.strip_suffix('|').unwrap_or(row);
    row.split('|').map(str::trim).collect()
}

/// Returns the step that a row is; none, if its first cell numbers nothing.
fn head(columns: &[Kind], line: usize, place: usize, row: &str) -> Option<Head> {
    let cells = cells(row);
    let first = cells.first()?.trim_matches(['*', ' ']);
    let is_step = columns.first() == Some(&Kind::Number);
    let digits = first.trim_start_matches(|c: char| !c.is_ascii_digit());
    let digits = digits.trim_end_matches(['.', ')', ' ']);
    let number = digits
        .parse()
        .ok()
        .filter(|_| first.len() <= digits.len() + 8);
    // `| Step |` may have names in the place of numbers.
    let is_named = is_step && number.is_none() && first.chars().any(char::is_alphabetic);
    let number = number.or_else(|| is_named.then_some(place))?;
    let mut details = Details::default();
    let mut title = is_named.then_some(first);
    for (&kind, cell) in columns.iter().zip(&cells).skip(1) {
        details.add(kind, cell);
        if kind == Kind::Other {
            title = title.or(Some(cell));
        }
    }
    Some(Head {
        line,
        number,
        title: step::plain(title.unwrap_or_default()),
        form: Form::Row(details),
    })
}
