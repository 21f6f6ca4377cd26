//! Where what a plan names between backticks is defined.

use std::collections::HashMap;
use std::str;

use memchr::memmem;

use crate::fs::Entry;
use crate::plan::{Symbol, SymbolName, symbol_names};
use crate::repo::{Candidate, Repository};
use crate::syntax::{self, Item, Kind, Language};

/// No larger file is looked at.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// So much text is taken apart for one plan.
const MAX_PARSED_BYTES: usize = 8 << 20;

/// Returns for each name in a plan where it is defined, as far as the sources can be read.
pub(super) fn defined(
    text: &str,
    repository: &Repository,
    candidates: &[Candidate],
) -> HashMap<String, Vec<Symbol>> {
    let names = symbol_names(text);
    let mut symbols: HashMap<String, Vec<Symbol>> = HashMap::new();
    let mut left = MAX_PARSED_BYTES;
    for candidate in candidates.iter().filter(|_| !names.is_empty()) {
        let Some(language) = Language::of(candidate.path.as_bytes(), "") else {
            continue;
        };
        let Ok(Entry::Whole(bytes)) = repository.root.read(&candidate.path, MAX_FILE_BYTES) else {
            continue;
        };
        let may_define = names.iter().any(|name| may_define(candidate, &bytes, name));
        let text = str::from_utf8(&bytes).ok().filter(|_| may_define);
        let Some(text) = text.filter(|text| text.len() <= left) else {
            continue;
        };
        left -= text.len();
        let items = syntax::outline(language, text).map(|outline| outline.items);
        for item in items.unwrap_or_default().into_iter().filter(is_defined) {
            if names.iter().any(|name| name.name == item.name) {
                symbols.entry(item.name).or_default().push(Symbol {
                    path: candidate.path.clone(),
                    owner: item.owner.last().cloned(),
                    lines: (*item.lines.start(), *item.lines.end()),
                });
            }
        }
    }
    symbols
}

/// Says whether a file has the words of a name: in it, or what the name belongs to in its path.
fn may_define(candidate: &Candidate, bytes: &[u8], name: &SymbolName) -> bool {
    let has = |word: &str| memmem::find(bytes, word.as_bytes()).is_some();
    let path = candidate.path.as_bytes();
    has(name.name)
        && name
            .owner
            .is_none_or(|owner| has(owner) || memmem::find(path, owner.as_bytes()).is_some())
}

/// Says whether an item is what a name in a plan may mean.
fn is_defined(item: &Item) -> bool {
    match item.kind {
        Kind::Function | Kind::Method | Kind::Type | Kind::Constant | Kind::Macro => true,
        Kind::Impl | Kind::Module | Kind::Field => false,
    }
}
