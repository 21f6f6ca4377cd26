//! Which files an import means, by the rules of its language.

use std::collections::BTreeSet;

use super::places::{Places, joined, n_common_folders, stem};
use super::{Source, is_test};
use crate::path::RepoPath;
use crate::syntax::{Import, Kind, Language};

/// Braces in imports are taken apart no deeper.
const MAX_DEPTH: usize = 8;

/// Returns the places of the sources that `from` imports, or names without an import where its language allows that.
pub(super) fn imported(from: &Source, places: &Places<'_>) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for import in &from.outline.imports {
        found.extend(meant(from, import, places));
    }
    match from.language {
        Language::Rust => {
            let items = from.outline.items.iter();
            let modules = items.filter(|item| item.kind == Kind::Module && item.body.is_none());
            for module in modules {
                let inside = [module.owner.clone(), vec![module.name.clone()]].concat();
                found.extend(rust_in(&module_folder(from), &names(&inside), places));
            }
        }
        Language::Go => {
            let beside = places.beside(&from.path).iter();
            found.extend(beside.filter(|&&at| !is_test(&places.sources[at])));
        }
        Language::C | Language::Cpp => {
            let beside = places.beside(&from.path).iter();
            let is_half = |at: &&usize| stem(&places.sources[**at].path) == stem(&from.path);
            found.extend(beside.filter(is_half));
        }
        Language::Java | Language::Kotlin | Language::CSharp => {
            for word in from.text.split(|c: char| !c.is_alphanumeric() && c != '_') {
                let defining = places.defining(word).iter();
                // Without an import a package knows its own types; a namespace may be anywhere.
                let is_near = |at: &&usize| {
                    let source = &places.sources[**at];
                    source.language == Language::CSharp && from.language == Language::CSharp
                        || source.path.folder() == from.path.folder()
                };
                found.extend(defining.filter(is_near));
            }
        }
        Language::JavaScript
        | Language::Php
        | Language::Python
        | Language::Ruby
        | Language::TypeScript
        | Language::Tsx => {}
    }
    found.retain(|&at| places.sources[at].path != from.path);
    found
}

/// Returns the sources that an import means.
fn meant(from: &Source, import: &Import, places: &Places<'_>) -> Vec<usize> {
    let path = import.path.as_str();
    match from.language {
        Language::Rust => {
            let all = expanded(path, "::", 0);
            all.iter()
                .filter_map(|path| rust(from, path, places))
                .collect()
        }
        Language::Python => python(from, import, places),
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            script(from, path, places).into_iter().collect()
        }
        Language::Go => go(from, path, places),
        Language::C | Language::Cpp => {
            let beside = joined(&folder(from), path).and_then(|path| places.at(&path));
            let found = beside.or_else(|| places.ending(path, &from.path));
            // A header of the system is called like many others.
            let is_ours = |at: &usize| {
                let found = &places.sources[*at].path;
                path.contains('/') || found.folder().ends_with(b"include") || is_under(found, from)
            };
            found.filter(is_ours).into_iter().collect()
        }
        Language::Java | Language::Kotlin => java(from, path, places),
        // It names no files.
        Language::CSharp => Vec::new(),
        Language::Ruby => {
            let path = format!("{}.rb", path.strip_suffix(".rb").unwrap_or(path));
            let beside = joined(&folder(from), &path).and_then(|path| places.at(&path));
            let end = path.trim_start_matches("./").trim_start_matches("../");
            let found = beside.or_else(|| places.ending(end, &from.path));
            found.into_iter().collect()
        }
        Language::Php => php(from, path, places),
    }
}

/// Says whether a file is in one of the folders that `from` is in, or in the same part of the repository.
fn is_under(path: &RepoPath, from: &Source) -> bool {
    n_common_folders(path, &from.path) > 0 || path.folder().is_empty()
}

fn folder(source: &Source) -> String {
    String::from_utf8_lossy(source.path.folder()).into_owned()
}

fn names(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

/// Takes the braces in an import apart: `a::{b,c}` is `a::b` and `a::c`.
fn expanded(path: &str, separator: &str, depth: usize) -> Vec<String> {
    let open = path.find('{').filter(|_| depth < MAX_DEPTH);
    let Some((open, close)) = open
        .zip(path.rfind('}'))
        .filter(|(open, close)| open < close)
    else {
        return vec![path.to_owned()];
    };
    let start = path[..open].trim_end_matches(separator);
    let (mut n_open, mut begin) = (0, open + 1);
    let mut all = Vec::new();
    for (at, c) in path[..close]
        .char_indices()
        .skip_while(|(at, _)| *at <= open)
    {
        match c {
            '{' => n_open += 1,
            '}' => n_open -= 1,
            ',' if n_open == 0 => {
                all.push(&path[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    all.push(&path[begin..close]);
    let inner = all.into_iter().filter(|inner| !inner.is_empty());
    let inner = inner.flat_map(|inner| expanded(inner, separator, depth + 1));
    inner
        .map(|inner| format!("{start}{separator}{inner}"))
        .collect()
}

/// Returns the folder in which the modules inside of a file are.
fn module_folder(source: &Source) -> String {
    let folder = folder(source);
    match stem(&source.path) {
        "mod" | "lib" | "main" => folder,
        stem => joined(&folder, stem).unwrap_or_default(),
    }
}

fn rust(from: &Source, path: &str, places: &Places<'_>) -> Option<usize> {
    let names: Vec<&str> = path.split("::").collect();
    let (first, rest) = names.split_first()?;
    let mut above = module_folder(from);
    match *first {
        "crate" => {
            let root = crate_root(from, places);
            let inside = rust_in(&root, rest, places);
            inside.or_else(|| rust_root(&root, places))
        }
        "self" => rust_in(&above, rest, places),
        "super" => {
            let n_supers = names.iter().take_while(|name| **name == "super").count();
            for _ in 0..n_supers {
                above = joined(&above, "..")?;
            }
            let inside = rust_in(&above, &names[n_supers..], places);
            let itself = || places.at(&format!("{above}.rs"));
            let itself = || itself().or_else(|| places.at(&joined(&above, "mod.rs")?));
            inside.or_else(itself).or_else(|| rust_root(&above, places))
        }
        name => {
            let dashed = name.replace('_', "-");
            let known = [name, &dashed];
            let mut roots = known.iter().filter_map(|name| {
                let root = places.ending(&format!("{name}/src/lib.rs"), &from.path)?;
                Some(String::from_utf8_lossy(places.sources[root].path.folder()).into_owned())
            });
            match roots.next() {
                Some(root) => rust_in(&root, rest, places).or_else(|| rust_root(&root, places)),
                // A module beside, or inside.
                None => rust_in(&above, &names, places),
            }
        }
    }
}

/// Returns the file of the longest path of modules that there is in `folder`.
fn rust_in(folder: &str, names: &[&str], places: &Places<'_>) -> Option<usize> {
    (1..=names.len()).rev().find_map(|n| {
        let inside = joined(folder, &names[..n].join("/"))?;
        let file = places.at(&format!("{inside}.rs"));
        file.or_else(|| places.at(&format!("{inside}/mod.rs")))
    })
}

fn rust_root(folder: &str, places: &Places<'_>) -> Option<usize> {
    let files = ["lib.rs", "main.rs"].into_iter();
    let mut files = files.filter_map(|name| joined(folder, name));
    files.find_map(|file| places.at(&file))
}

/// Returns the nearest folder above a file that holds the root of a crate.
fn crate_root(from: &Source, places: &Places<'_>) -> String {
    let mut folder = folder(from);
    loop {
        if rust_root(&folder, places).is_some() || folder.ends_with("src") || folder.is_empty() {
            return folder;
        }
        folder = joined(&folder, "..").unwrap_or_default();
    }
}

fn python(from: &Source, import: &Import, places: &Places<'_>) -> Vec<usize> {
    let rest = import.path.trim_start_matches('.');
    let n_dots = import.path.len() - rest.len();
    let inside = rest.replace('.', "/");
    let find = |path: &str| {
        if n_dots == 0 {
            let ends = [format!("{path}.py"), format!("{path}/__init__.py")];
            let found = ends.iter().find_map(|end| places.ending(end, &from.path))?;
            // One name alone is rather that of a library, unless the file is where imports begin.
            let found_at = places.sources[found].path.as_bytes();
            let mut bases = ends
                .iter()
                .filter_map(|end| found_at.strip_suffix(end.as_bytes()));
            let base = bases.next().unwrap_or_default();
            let is_begin = base.is_empty()
                || from.path.as_bytes().starts_with(base)
                || base == b"src/"
                || base == b"lib/";
            return (path.contains('/') || is_begin).then_some(found);
        }
        let up = vec![".."; n_dots - 1].join("/");
        let path = joined(&folder(from), &up).and_then(|base| joined(&base, path))?;
        let file = places.at(&format!("{path}.py"));
        file.or_else(|| places.at(joined(&path, "__init__.py")?.as_str()))
    };
    let names = import.names.iter();
    let of_names = names.filter_map(|name| find(&format!("{inside}/{name}")));
    let mut found: Vec<usize> = of_names.collect();
    if found.len() < import.names.len().max(1) {
        let whole = Some(inside.as_str()).filter(|path| !path.is_empty() || n_dots > 0);
        found.extend(whole.and_then(find));
    }
    found
}

fn script(from: &Source, path: &str, places: &Places<'_>) -> Option<usize> {
    const ENDS: &[&str] = &["ts", "tsx", "d.ts", "js", "jsx", "mjs", "cjs", "mts", "cts"];
    if !path.starts_with('.') {
        return None;
    }
    let path = joined(&folder(from), path)?;
    // TypeScript imports what it will be compiled to.
    let mut compiled = [".js", ".jsx", ".mjs", ".cjs"].iter();
    let source = compiled.find_map(|end| path.strip_suffix(end));
    let bases = [Some(path.as_str()), source].into_iter().flatten();
    places.at(&path).or_else(|| {
        bases.clone().find_map(|base| {
            let file = ENDS
                .iter()
                .find_map(|end| places.at(&format!("{base}.{end}")));
            let index = || {
                let index = |end: &&str| joined(base, &format!("index.{end}"));
                ENDS.iter()
                    .find_map(|end| index(end).and_then(|it| places.at(&it)))
            };
            file.or_else(index)
        })
    })
}

fn go(from: &Source, path: &str, places: &Places<'_>) -> Vec<usize> {
    let names: Vec<&str> = path.split('/').collect();
    let has_host = names[0].contains('.');
    let mut ends = (0..names.len()).map(|n| names[n..].join("/"));
    let found = if has_host {
        let mut folders = ends.map(|end| places.in_folder(&end, &from.path));
        folders.find(|files| !files.is_empty())
    } else {
        // A module without a host is at the root, or it is a package of Go itself.
        let inside = ends.nth(1);
        inside.map(|folder| places.exactly_in(&folder).to_vec())
    };
    let mut found = found.unwrap_or_default();
    found.retain(|&at| !is_test(&places.sources[at]));
    found
}

fn java(from: &Source, path: &str, places: &Places<'_>) -> Vec<usize> {
    let names: Vec<&str> = path.split('.').filter(|name| *name != "*").collect();
    let find = |n: usize| {
        let mut ends = ["java", "kt"].into_iter();
        let path = names[..n].join("/");
        ends.find_map(|end| places.ending(&format!("{path}.{end}"), &from.path))
    };
    // What is imported may be inside of a type.
    let least = names.len().saturating_sub(2).max(2);
    let found = (least..=names.len()).rev().find_map(find);
    match found {
        Some(file) => vec![file],
        None if names.len() > 1 => places.in_folder(&names.join("/"), &from.path),
        None => Vec::new(),
    }
}

fn php(from: &Source, path: &str, places: &Places<'_>) -> Vec<usize> {
    if path.contains('\\') {
        let all = expanded(path, "\\", 0);
        let found = all.iter().filter_map(|path| {
            let names: Vec<&str> = path.split('\\').filter(|name| !name.is_empty()).collect();
            // A namespace begins with a name that stands for a folder.
            let mut ends = (0..names.len()).map(|n| format!("{}.php", names[n..].join("/")));
            ends.find_map(|end| places.ending(&end, &from.path))
        });
        return found.collect();
    }
    let path = path.rsplit(['\'', '"']).next().unwrap_or(path);
    let path = path.trim_start_matches('/');
    let beside = joined(&folder(from), path).and_then(|path| places.at(&path));
    let found = beside.or_else(|| places.ending(path, &from.path));
    let is_php = |at: &usize| places.sources[*at].language == Language::Php;
    found.filter(is_php).into_iter().collect()
}
