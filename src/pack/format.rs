//! The formats of a document: the same facts in each.
//!
//! A format writes a document as units, texts whose counts add up exactly: each begins and ends at
//! a border of pieces of the encoding (see [`super`]).

use serde::Serialize;

use super::facts::Facts;
use super::{Sections, Totals, json, lines, markdown, plain, xml};
use crate::repo::Text;

/// A format of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// XML: elements, texts in CDATA.
    Xml,
    /// Markdown: headings, texts between backticks.
    Markdown,
    /// JSON: one object.
    Json,
    /// Plain text: headings, texts between lines of `=`.
    Plain,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Xml, Self::Markdown, Self::Json, Self::Plain];

    /// Returns the format's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Xml => "xml",
            Self::Markdown => "markdown",
            Self::Json => "json",
            Self::Plain => "plain",
        }
    }

    /// Returns how the names of files in this format end.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Xml => ".xml",
            Self::Markdown => ".md",
            Self::Json => ".json",
            Self::Plain => ".txt",
        }
    }

    /// Returns how every pack in this format begins, whatever the version.
    pub const fn head(self) -> &'static str {
        match self {
            Self::Xml => xml::HEAD,
            Self::Markdown => markdown::MARKS.head,
            Self::Json => json::HEAD,
            Self::Plain => plain::MARKS.head,
        }
    }

    /// Writes everything before the first file, with a drawn tree: that is the second unit.
    pub(super) fn before_files(self, tree: &str) -> [String; 3] {
        match self {
            Self::Xml => xml::before_files(tree),
            Self::Markdown => lines::before_files(&markdown::MARKS, tree),
            Self::Json => json::before_files(tree),
            Self::Plain => lines::before_files(&plain::MARKS, tree),
        }
    }

    /// Writes a file: the first unit up to its text, which is the second; all of it where it has none.
    pub(super) fn file(self, facts: Facts, text: Option<&Text>) -> Vec<String> {
        match self {
            Self::Xml => xml::file(facts, text),
            Self::Markdown => lines::file(&markdown::MARKS, facts, text),
            Self::Json => json::file(facts, text),
            Self::Plain => lines::file(&plain::MARKS, facts, text),
        }
    }

    /// Writes everything between the last file and the totals.
    pub(super) fn before_totals(self, sections: &Sections) -> Vec<String> {
        match self {
            Self::Xml => xml::before_totals(sections),
            Self::Markdown => lines::before_totals(&markdown::MARKS, sections),
            Self::Json => json::before_totals(sections),
            Self::Plain => lines::before_totals(&plain::MARKS, sections),
        }
    }

    /// Writes the totals of a document of `tokens`, as one unit.
    pub(super) fn totals(self, totals: &Totals, tokens: u64) -> String {
        match self {
            Self::Xml => xml::totals(totals, tokens),
            Self::Markdown => lines::totals(&markdown::MARKS, totals, tokens),
            Self::Json => json::totals(totals, tokens),
            Self::Plain => lines::totals(&plain::MARKS, totals, tokens),
        }
    }

    /// Writes everything after the totals.
    pub(super) fn after_totals(self, sections: &Sections) -> Vec<String> {
        let instruction = sections.instruction.as_deref();
        match self {
            Self::Xml => xml::after_totals(instruction),
            Self::Markdown => lines::after_totals(&markdown::MARKS, instruction),
            Self::Json => json::after_totals(instruction),
            Self::Plain => lines::after_totals(&plain::MARKS, instruction),
        }
    }
}
