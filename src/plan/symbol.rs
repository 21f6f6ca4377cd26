//! Names of what is defined in the code, as plans write them between backticks.

use super::fence::{self, Line};
use super::inline::{self, Piece};
use super::tree::Tree;
use crate::path::RepoPath;

/// Where something is defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// The file.
    pub path: RepoPath,
    /// The type that it belongs to.
    pub owner: Option<String>,
    /// Its first and last line.
    pub lines: (usize, usize),
}

/// A name that is in more files tells none.
const MAX_FILES: usize = 3;

/// No more names are looked for.
const MAX_NAMES: usize = 200;

/// No name is longer.
const MAX_BYTES: usize = 128;

/// The name of something that is defined, as a plan writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SymbolName<'a> {
    /// The type or the module that it belongs to.
    pub owner: Option<&'a str>,
    /// The name itself.
    pub name: &'a str,
}

/// Returns the names between backticks in a plan that are no bare words.
pub fn symbol_names(text: &str) -> Vec<SymbolName<'_>> {
    let mut names = Vec::new();
    for line in fence::lines(text) {
        let Line::Text(line) = line else {
            continue;
        };
        for piece in inline::pieces(line) {
            if let Piece::Code(code) = piece
                && let Some(name) = name(code)
                && !names.contains(&name)
                && names.len() < MAX_NAMES
            {
                names.push(name);
            }
        }
    }
    names
}

/// Reads `Type::method`, `module.func`, `Class#method` and `func(...)`; a bare word is no symbol.
pub(super) fn name(code: &str) -> Option<SymbolName<'_>> {
    let (path, is_call) = match code.split_once('(') {
        Some((path, rest)) => (path, rest.ends_with(')')),
        None => (code, false),
    };
    let is_short = path.len() <= MAX_BYTES && (is_call || path.len() == code.len());
    let parts: Vec<&str> = path
        .split(['.', '#', ':'])
        .filter(|part| !part.is_empty())
        .collect();
    let (&name, owners) = parts.split_last()?;
    let owner = owners.last().copied();
    let is_symbol =
        is_short && (is_call || owner.is_some()) && parts.iter().all(|part| is_identifier(part));
    is_symbol.then_some(SymbolName { owner, name })
}

fn is_identifier(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_alphabetic() || "_$".contains(c));
    starts
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "_$".contains(c))
}

/// Returns where a name is defined, if that is in few files.
pub(super) fn defined<'a>(name: &SymbolName, tree: &'a Tree) -> Vec<&'a Symbol> {
    let known = tree.symbols.get(name.name).into_iter().flatten();
    let all: Vec<&Symbol> = known.filter(|symbol| symbol.is_in(name.owner)).collect();
    let mut files: Vec<&RepoPath> = all.iter().map(|symbol| &symbol.path).collect();
    files.sort_unstable();
    files.dedup();
    if files.len() <= MAX_FILES {
        all
    } else {
        Vec::new()
    }
}

impl Symbol {
    /// Says whether it belongs to `owner`: a type, or the module that its file or folder is.
    fn is_in(&self, owner: Option<&str>) -> bool {
        let Some(owner) = owner else {
            return true;
        };
        if let Some(own) = &self.owner {
            return own == owner;
        }
        let stem = self.path.name().split(|&byte| byte == b'.').next();
        let folder = self.path.folder().rsplit(|&byte| byte == b'/').next();
        [stem, folder].contains(&Some(owner.as_bytes()))
    }
}
