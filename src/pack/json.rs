//! The document in JSON: one object, with the files in an array.
//!
//! A comma and a space stand before each file; before the first two spaces, which take as many
//! tokens, so that what a file costs does not depend on which files stand before it.

use super::facts::{Facts, Value};
use super::sections::paths;
use super::{Carriage, Commit, Diff, Sections, Totals};
use crate::repo::Text;
use crate::tokens::ENCODING;

/// How every pack in JSON begins, whatever the version of its format.
pub(super) const HEAD: &str = "{\"form\":\"twostep pack\",\"format\":";

/// What a pack says that it is.
pub(super) const FORM: &str = "twostep pack";

const SUMMARY: &str = include_str!("head.json.txt");

/// What stands before a file, and in its place before the first.
pub(super) const COMMA: &str = ", ";
pub(super) const NO_COMMA: &str = "  ";

pub(super) fn before_files(tree: &str) -> [String; 3] {
    let summary = string(SUMMARY);
    [
        format!("{HEAD}1,\n\"summary\":{summary},\n\"directory_structure"),
        format!("\":{},\n", string(tree)),
        "\"files\":[\n".to_owned(),
    ]
}

pub(super) fn file(mut facts: Facts, text: Option<&Text>) -> Vec<String> {
    let Some(text) = text else {
        return vec![format!("{COMMA}{{{}}}\n", members(&facts))];
    };
    facts.carriage(&Carriage::of_spelling(text));
    vec![
        format!("{COMMA}{{{},\"text", members(&facts)),
        format!("\":{}}}\n", string(&text.text)),
    ]
}

pub(super) fn before_totals(sections: &Sections) -> Vec<String> {
    let mut units = vec!["],\n".to_owned()];
    let mut list = |name: &str, rows: Vec<String>| {
        if !rows.is_empty() {
            units.push(format!("\"{name}\":[\n  {}\n],\n", rows.join("\n, ")));
        }
    };
    list("git_diffs", sections.diffs.iter().map(diff).collect());
    list("git_logs", sections.log.iter().map(commit).collect());
    units
}

fn diff(diff: &Diff) -> String {
    let text = Text::of_any(diff.text.clone());
    let mut facts = Facts::default();
    facts.text("name", &diff.name);
    facts.carriage(&Carriage::of_spelling(&text));
    format!("{{{},\"text\":{}}}", members(&facts), string(&text.text))
}

fn commit(commit: &Commit) -> String {
    let (paths, is_escaped) = paths(commit);
    let mut facts = Facts::default();
    facts.text("id", &commit.id);
    facts.text("date", &commit.date);
    if !commit.author.is_empty() {
        facts.text("author", &commit.author);
    }
    facts.text("message", &commit.message);
    if is_escaped {
        facts.yes("path-escape");
    }
    let paths: Vec<String> = paths.iter().map(|path| string(path)).collect();
    format!("{{{},\"files\":[{}]}}", members(&facts), paths.join(","))
}

pub(super) fn totals(totals: &Totals, tokens: u64) -> String {
    let left: Vec<String> = totals
        .left
        .iter()
        .map(|(name, n)| format!("{}:{n}", string(name)))
        .collect();
    let (encoding, n_full, left) = (string(ENCODING), totals.n_full, left.join(","));
    let shortened = match totals.n_shortened {
        0 => String::new(),
        n => format!(",\"shortened\":{n}"),
    };
    format!(
        "\"totals\":{{\"tokens\":{tokens},\"encoding\":{encoding},\"files\":{n_full}{shortened},\"left_out\":{{{left}}}}}\n"
    )
}

pub(super) fn after_totals(instruction: Option<&str>) -> Vec<String> {
    let end = "}\n".to_owned();
    match instruction {
        Some(text) => vec![format!(",\"instruction\":{}\n", string(text)), end],
        None => vec![end],
    }
}

/// Returns the members of an object that says `facts`.
fn members(facts: &Facts) -> String {
    let members: Vec<String> = facts
        .iter()
        .map(|(name, value)| {
            let name = name.replace('-', "_");
            match value {
                Value::Text(text) => format!("\"{name}\":{}", string(text)),
                Value::Number(_) | Value::Yes => format!("\"{name}\":{value}"),
            }
        })
        .collect();
    members.join(",")
}

/// Returns `text` as a string of JSON.
fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
