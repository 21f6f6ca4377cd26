//! The direction of imports, held by reading the syntax of every file.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::print_stdout, reason = "long files are reported, not refused")]
#![expect(
    clippy::disallowed_methods,
    reason = "a test of the tree reads the tree"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// Each room with the rooms that it may import from. A missing pair is a missing arrow.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("path", &[]),
    ("alike", &[]),
    ("fs", &["path"]),
    ("secrets", &["alike", "fs", "path"]),
    ("process", &["fs"]),
    ("git", &["fs", "path"]),
    ("text_cache", &["fs"]),
    ("tokens", &["text_cache"]),
    ("syntax", &[]),
    ("model", &["alike", "tokens"]),
    ("repo", &["fs", "git", "path"]),
    ("schema", &[]),
    ("review", &[]),
    (
        "pack",
        &[
            "history",
            "text_cache",
            "model",
            "path",
            "repo",
            "secrets",
            "syntax",
            "tokens",
        ],
    ),
    ("prompt", &[]),
    ("agent", &["fs", "process"]),
    ("plan", &["path"]),
    ("patch", &["fs", "git", "path"]),
    ("edit", &["patch", "path"]),
    ("history", &["fs", "git", "patch", "path", "repo"]),
    ("scratch", &["fs", "git", "patch", "path", "repo"]),
    ("weakening", &["check", "path", "scratch"]),
    ("check", &["fs", "path", "process"]),
    ("workflow", &["alike", "prompt"]),
    ("run", &["agent", "fs", "path", "repo", "scratch"]),
    (
        "flow",
        &[
            "agent",
            "alike",
            "check",
            "edit",
            "fs",
            "git",
            "history",
            "model",
            "pack",
            "patch",
            "path",
            "plan",
            "process",
            "prompt",
            "repo",
            "review",
            "run",
            "schema",
            "scratch",
            "secrets",
            "syntax",
            "tokens",
            "weakening",
            "workflow",
        ],
    ),
    (
        "cli",
        &[
            "agent",
            "alike",
            "check",
            "flow",
            "fs",
            "git",
            "history",
            "text_cache",
            "model",
            "pack",
            "path",
            "plan",
            "process",
            "repo",
            "review",
            "run",
            "schema",
            "scratch",
            "secrets",
            "tokens",
            "workflow",
        ],
    ),
];

/// Each heavy crate with the rooms that may use it: one, but for what is small.
const OWNERS: &[(&str, &[&str])] = &[
    ("aho_corasick", &["secrets"]),
    ("base64", &["pack", "secrets"]),
    ("blake3", &["fs"]),
    ("chardetng", &["repo"]),
    ("clap", &["cli"]),
    ("encoding_rs", &["repo"]),
    ("gix", &["git"]),
    ("ignore", &["repo"]),
    ("imara_diff", &["patch"]),
    ("indicatif", &["cli"]),
    ("jiff", &["agent", "cli"]),
    ("jsonschema", &["schema"]),
    ("landlock", &["process"]),
    ("minijinja", &["prompt"]),
    ("quick_xml", &["pack"]),
    ("regex", &["secrets"]),
    ("rustix", &["fs", "process"]),
    ("signal_hook", &["process"]),
    ("strsim", &["alike", "plan"]),
    ("tempfile", &["fs"]),
    ("tiktoken", &["tokens"]),
    ("tree_sitter", &["syntax"]),
    ("tree_sitter_c", &["syntax"]),
    ("tree_sitter_c_sharp", &["syntax"]),
    ("tree_sitter_cpp", &["syntax"]),
    ("tree_sitter_go", &["syntax"]),
    ("tree_sitter_java", &["syntax"]),
    ("tree_sitter_javascript", &["syntax"]),
    ("tree_sitter_kotlin_ng", &["syntax"]),
    ("tree_sitter_php", &["syntax"]),
    ("tree_sitter_python", &["syntax"]),
    ("tree_sitter_ruby", &["syntax"]),
    ("tree_sitter_rust", &["syntax"]),
    ("tree_sitter_typescript", &["syntax"]),
    ("ureq", &["agent"]),
    ("wide", &["tokens"]),
];

/// A file longer than this is worth a look.
const LONG_FILE_LINES: usize = 400;

#[test]
fn imports_point_one_way() {
    let mut wrong = Vec::new();
    for file in sources() {
        let room = room_of(&file);
        let text = std::fs::read_to_string(&file).unwrap();
        for found in uses_in(&text, &module_of(&file)) {
            if !is_allowed(&room, &found) {
                wrong.push(format!("{}: {}", file.display(), found.join("::")));
            }
        }
        let lines = text.lines().count();
        if lines > LONG_FILE_LINES {
            println!("{} has {lines} lines", file.display());
        }
    }
    assert!(
        wrong.is_empty(),
        "arrows that are not in the table:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_forbidden_arrow_is_seen_in_any_form() {
    for (room, code, allowed) in [
        ("path", "use crate::cli::Exit;", false),
        ("fs", "use crate::path::RepoPath;", true),
        ("fs", "use crate::{path::RepoPath, repo};", false),
        ("fs", "fn f() { crate::repo::scan(); }", false),
        ("fs", "fn f() { println!(\"{}\", crate::repo::N); }", false),
        ("fs", "use super::repo::scan;", false),
        (
            "fs",
            "#[cfg(test)] mod tests { use crate::repo::scan; }",
            true,
        ),
        ("fs", "use tiktoken::CoreBpe;", false),
        ("process", "use rustix::process::wait;", true),
        ("repo", "use rustix::fs::open;", false),
        ("tokens", "fn f() -> tiktoken::CoreBpe { todo() }", true),
        ("pack", "use quick_xml::{Reader, events::Event};", true),
    ] {
        let module = vec![room.to_owned()];
        let ok = uses_in(code, &module)
            .iter()
            .all(|found| is_allowed(room, found));
        assert_eq!(ok, allowed, "{room}: {code}");
    }
}

fn is_allowed(room: &str, found: &[String]) -> bool {
    let (first, second) = (found[0].as_str(), found.get(1).map(String::as_str));
    if first == "crate" {
        let Some(target) =
            second.filter(|target| MAY_IMPORT.iter().any(|(room, _)| room == target))
        else {
            return true;
        };
        let row = MAY_IMPORT.iter().find(|(name, _)| *name == room);
        return target == room || row.is_some_and(|(_, may)| may.contains(&target));
    }
    OWNERS
        .iter()
        .all(|(name, owners)| *name != first || owners.contains(&room))
}

fn sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    // The crate's two roots name every room.
    files.retain(|file| {
        !["src/main.rs", "src/lib.rs"]
            .map(Path::new)
            .contains(&file.as_path())
    });
    // Tests that are files of their own may import what test modules may.
    files.retain(|file| {
        !file
            .iter()
            .any(|name| name == "tests" || name == "tests.rs")
    });
    files.sort();
    assert!(files.len() > 20, "the sources are not where they were");
    files
}

/// Returns the modules that a file is, outermost first.
fn module_of(file: &Path) -> Vec<String> {
    let path = file.strip_prefix("src").unwrap().with_extension("");
    let mut modules: Vec<String> = path
        .iter()
        .map(|name| name.to_str().unwrap().to_owned())
        .collect();
    if modules.last().is_some_and(|name| name == "mod") {
        modules.pop();
    }
    modules
}

fn room_of(file: &Path) -> String {
    module_of(file)[0].clone()
}

/// Returns the beginnings of all paths in `text` that lead out of its module, tests left out.
fn uses_in(text: &str, module: &[String]) -> BTreeSet<Vec<String>> {
    let mut paths = Paths {
        module,
        found: BTreeSet::new(),
    };
    paths.visit_file(&syn::parse_file(text).unwrap());
    paths.found
}

struct Paths<'a> {
    module: &'a [String],
    found: BTreeSet<Vec<String>>,
}

impl Paths<'_> {
    fn add(&mut self, path: &[String]) {
        let supers = path.iter().take_while(|name| *name == "super").count();
        let path = if supers > 0 {
            let above = self.module.len().saturating_sub(supers);
            let start = std::iter::once("crate".to_owned()).chain(self.module[..above].to_vec());
            start.chain(path[supers..].to_vec()).collect()
        } else {
            path.to_vec()
        };
        self.found.insert(path.into_iter().take(2).collect());
    }

    fn add_tree(&mut self, start: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [start, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.add_tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.add(&with(&name.ident)),
            syn::UseTree::Rename(rename) => self.add(&with(&rename.ident)),
            syn::UseTree::Glob(_) => self.add(start),
            syn::UseTree::Group(group) => {
                for item in &group.items {
                    self.add_tree(start, item);
                }
            }
        }
    }

    /// Finds paths among the tokens of a macro: names with `::` between them.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) if colons == 2 => path.push(name.to_string()),
                TokenTree::Ident(name) => path = vec![name.to_string()],
                TokenTree::Punct(mark) if mark.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => self.add_tokens(group.stream()),
                _ => path.clear(),
            }
            colons = 0;
            if path.len() > 1 {
                self.add(&path);
            }
        }
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        self.add(&names);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.add_tokens(item.tokens.clone());
        visit::visit_macro(self, item);
    }
}
