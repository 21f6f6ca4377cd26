//! The document in XML: elements, with texts in CDATA.

use quick_xml::events::BytesStart;

use super::carriage::text_of;
use super::facts::Facts;
use super::sections::paths;
use super::{Carriage, Commit, Diff, Sections, Totals};
use crate::repo::Text;
use crate::tokens::ENCODING;

/// How every pack in XML begins, whatever the version of its format.
pub(super) const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<pack format=\"";

/// From the beginning to the bracket before the tree. Constant, so that a provider's prefix cache holds.
const BEFORE_TREE: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<pack format=\"1\">\n<file_summary>\n",
    include_str!("head.txt"),
    "</file_summary>\n<directory_structure><![CDATA"
);
const AFTER_TREE: &str = "]]></directory_structure>\n<files>\n";
const AFTER_FILES: &str = "</files>\n";
const END: &str = "</pack>\n";

pub(super) fn before_files(tree: &str) -> [String; 3] {
    let body = Carriage::carry_in_cdata(&text_of(tree)).0;
    [BEFORE_TREE.to_owned(), body, AFTER_TREE.to_owned()]
}

pub(super) fn file(facts: Facts, text: Option<&Text>) -> Vec<String> {
    match text {
        Some(text) => held("file", facts, text).into(),
        None => vec![format!("<{}/>\n", &*tag("file", &facts))],
    }
}

pub(super) fn before_totals(sections: &Sections) -> Vec<String> {
    let mut units = vec![AFTER_FILES.to_owned()];
    if !sections.diffs.is_empty() {
        units.push("<git_diffs>\n".to_owned());
        units.extend(sections.diffs.iter().flat_map(diff));
        units.push("</git_diffs>\n".to_owned());
    }
    if !sections.log.is_empty() {
        units.push("<git_logs>\n".to_owned());
        units.extend(sections.log.iter().flat_map(commit));
        units.push("</git_logs>\n".to_owned());
    }
    units
}

fn diff(diff: &Diff) -> [String; 3] {
    let mut facts = Facts::default();
    let name = match diff.name.as_str() {
        "work tree" => "git_diff_work_tree",
        "staged" => "git_diff_staged",
        other => {
            let revision = other.strip_prefix("since ").unwrap_or(other);
            facts.escaped("since", "since-escape", revision.as_bytes());
            "git_diff"
        }
    };
    held(name, facts, &Text::of_any(diff.text.clone()))
}

fn commit(commit: &Commit) -> Vec<String> {
    let mut facts = Facts::default();
    facts.text("id", &commit.id);
    if !commit.author.is_empty() {
        facts.escaped("author", "author-escape", commit.author.as_bytes());
    }
    let (tag, date) = (tag("git_log_commit", &facts), &commit.date);
    let date = quick_xml::escape::escape(date);
    let mut units = vec![format!("<{}>\n<date>{date}</date>\n", &*tag)];
    units.extend(held("message", Facts::default(), &text_of(&commit.message)));
    let (paths, is_escaped) = paths(commit);
    if !paths.is_empty() {
        let mut facts = Facts::default();
        if is_escaped {
            facts.yes("path-escape");
        }
        units.extend(held("files", facts, &text_of(&paths.join("\n"))));
    }
    units.push("</git_log_commit>\n".to_owned());
    units
}

pub(super) fn totals(totals: &Totals, tokens: u64) -> String {
    let mut facts = Facts::default();
    facts.number("tokens", tokens);
    facts.text("encoding", ENCODING);
    facts.number("files", totals.n_full as u64);
    let text = totals.sentences();
    let text = quick_xml::escape::escape(&text);
    format!("<{}>{text}</totals>\n", &*tag("totals", &facts))
}

pub(super) fn after_totals(instruction: Option<&str>) -> Vec<String> {
    let mut units = instruction.map_or(Vec::new(), |text| {
        held("instruction", Facts::default(), &text_of(text)).into()
    });
    units.push(END.to_owned());
    units
}

/// Returns an element that holds a text: `<name ...><![CDATA`, from the bracket that follows to
/// the last line break, and what is left.
fn held(name: &'static str, mut facts: Facts, text: &Text) -> [String; 3] {
    let (body, carriage) = Carriage::carry_in_cdata(text);
    facts.carriage(&carriage);
    let opening = format!("<{}><![CDATA", &*tag(name, &facts));
    [opening, body, format!("]]></{name}>\n")]
}

/// Returns the inside of a start tag.
fn tag(name: &'static str, facts: &Facts) -> BytesStart<'static> {
    let mut tag = BytesStart::new(name);
    for (name, value) in facts.iter() {
        tag.push_attribute((name, value.to_string().as_str()));
    }
    tag
}
