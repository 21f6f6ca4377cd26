//! What a source file defines: its outline, by which it is shortened, searched and cut.
//!
//! In: a text and its language. Out: an [`Outline`]: items, imports, the lines of its skeleton. Pure; the only
//! importer of the parser and its grammars, which are told apart by tables (`languages/`), one engine for all.
//!
//! Invariant: no text stops us: size, work, memory and depth are bounded by numbers, so that the same text has the same outline
//! everywhere, and what is made to take long all the same by time.

mod chunks;
mod elide;
mod language;
mod macros;
mod memory;
mod parse;
mod table;
#[cfg(test)]
mod tests;
mod walk;

use std::ops::RangeInclusive;

pub use elide::{Elided, elide};
pub use language::Language;
pub use parse::Unparsed;

/// Lines of a text, numbered from 1.
pub type Lines = RangeInclusive<usize>;

/// What a text defines and imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// What it defines, in the order of the text; what is inside comes after what it is in.
    pub items: Vec<Item>,
    /// What it imports.
    pub imports: Vec<Import>,
    /// The lines that stand in its skeleton: ascending, with lines between each and the next.
    pub skeleton: Vec<Lines>,
}

/// Something that is defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: Kind,
    /// Its name; empty where it has none.
    pub name: String,
    /// The names of what it is in, or belongs to, outermost first.
    pub owner: Vec<String>,
    /// Its lines, attributes and documentation included.
    pub lines: Lines,
    /// The lines inside that say how and not what; none where there are none.
    pub body: Option<Lines>,
    /// In how many others it is.
    pub depth: usize,
}

/// What something that is defined is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A function by itself.
    Function,
    /// A function of a type.
    Method,
    /// A class, structure, interface, alias.
    Type,
    /// More of a type that is defined elsewhere.
    Impl,
    /// A module, namespace, package.
    Module,
    /// A value by itself.
    Constant,
    /// A field, property or variant.
    Field,
    /// A macro.
    Macro,
}

/// Something that is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// What is named, as it is written, without quotation marks.
    pub path: String,
    /// What is taken from it, where the language says so apart.
    pub names: Vec<String>,
    /// Where.
    pub lines: Lines,
}

/// Returns the outline of `text`.
///
/// # Errors
///
/// Fails on a text that is hardly `language`, or takes too much to read.
pub fn outline(language: Language, text: &str) -> Result<Outline, Unparsed> {
    let tree = parse::parse(language, text)?;
    Ok(walk::walk(language, &tree, text))
}

impl Outline {
    /// Cuts `text`, whose outline this is, into chunks of 12 to 70 lines where definitions begin; a
    /// text with fewer is one chunk.
    pub fn chunks(&self, text: &str) -> Vec<Lines> {
        chunks::chunks(&self.items, text)
    }
}
