//! Trees that somebody made to hurt: each is packed by the real command, under a limit of time and
//! one of memory, and what becomes of every path is held against what is written down here.
//!
//! `cargo test --test hostile -- --nocapture` prints the table. With `TWOSTEP_HOSTILE_TREES=DIR` the
//! trees are only written, each with what is expected of it; `tests/hostile/peers` has others pack them.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::print_stdout, reason = "the table is what a reader wants")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests make the trees that the command reads"
)]

mod content;
mod document;
mod moving;
mod names;
mod repositories;
mod run;
mod special;
mod terminal;
mod tree;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tree::Tree;

/// A tree, and what is to become of it.
struct Case {
    /// Its group and name, such as `content/crlf`.
    name: String,
    /// Makes the tree. A file `plain.txt` stands in it already, and is always in full.
    make: Box<dyn Fn(&Tree) + Sync + Send>,
    /// What is to become of each path; a path of the pack that is not here is wrong.
    rows: Vec<(Vec<u8>, Fate)>,
    /// Where the command is run, beneath the root.
    folder: &'static str,
    /// What is named to it.
    args: &'static [&'static str],
    /// What a person must be told.
    told: &'static [&'static str],
    /// Whether the candidates are held against those of git.
    git: Git,
    /// Who runs it.
    user: User,
}

/// What is to become of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// In the pack in full, with these attributes; `unpack` gives the same bytes.
    Full(&'static str),
    /// In the pack in full, with whatever attributes; `unpack` gives the same bytes.
    Exact,
    /// Listed, of this kind.
    Listed(&'static str),
    /// In no pack, and told of with these words.
    Told(&'static str),
    /// In no pack, and told of as one of ours.
    Ours,
    /// Nowhere.
    Absent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Git {
    Asked,
    Unasked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum User {
    Anyone,
    /// Somebody whom permissions hold.
    Unprivileged,
    /// Somebody who may make devices.
    Root,
}

/// The name of a case, the script that makes it, and what is to become of the paths.
type Row = (&'static str, &'static str, &'static [(&'static str, Fate)]);

const FULL: Fate = Fate::Full("");
const LINK: Fate = Fate::Listed("link");
const SPECIAL: Fate = Fate::Told("it is a device, pipe or socket");

impl Case {
    fn new(name: impl Into<String>, make: impl Fn(&Tree) + Sync + Send + 'static) -> Self {
        Self {
            name: name.into(),
            make: Box::new(make),
            rows: vec![(b"plain.txt".to_vec(), FULL)],
            folder: "",
            args: &[],
            told: &[],
            git: Git::Unasked,
            user: User::Anyone,
        }
    }

    /// A case that a script makes.
    fn script(name: impl Into<String>, script: impl Into<String>) -> Self {
        let script = script.into();
        Self::new(name, move |tree| tree.script(&script))
    }

    fn row(mut self, path: impl AsRef<[u8]>, fate: Fate) -> Self {
        self.rows.push((path.as_ref().to_vec(), fate));
        self
    }

    fn rows(mut self, rows: &[(&str, Fate)]) -> Self {
        let rows = rows.iter();
        self.rows
            .extend(rows.map(|(path, fate)| (path.as_bytes().to_vec(), *fate)));
        self
    }
}

fn cases() -> Vec<Case> {
    [
        content::cases(),
        names::cases(),
        special::cases(),
        repositories::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn what_becomes_of_every_path_is_what_was_written_down() {
    let cases = cases();
    if let Some(folder) = std::env::var_os("TWOSTEP_HOSTILE_TREES") {
        return write_trees(&cases, Path::new(&folder));
    }
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), names.len(), "two cases have one name");
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(BTreeMap::new());
    let n_threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get) + 1;
    std::thread::scope(|scope| {
        for _ in 0..n_threads {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| run::run(case)));
                    let outcome = outcome.unwrap_or_else(|_| Err("the test panicked".to_owned()));
                    outcomes.lock().unwrap().insert(&case.name, outcome);
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().unwrap();
    for (name, outcome) in &outcomes {
        let told = match outcome {
            Ok(told) => told,
            Err(_) => "WRONG",
        };
        println!("{name:<50} {told}");
    }
    let wrong: Vec<String> = outcomes
        .iter()
        .filter_map(|(name, outcome)| Some(format!("{name}: {}", outcome.as_ref().err()?)))
        .collect();
    println!("{} of {} are right", cases.len() - wrong.len(), cases.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Writes the trees for other programs to pack, each with what is expected.
fn write_trees(cases: &[Case], folder: &Path) {
    use base64::Engine;
    let base64 = |bytes: &[u8]| base64::prelude::BASE64_STANDARD.encode(bytes);
    for case in cases.iter().filter(|case| case.user != User::Unprivileged) {
        let tree = Tree::at(folder.join(case.name.replace('/', "-")));
        (case.make)(&tree);
        let files = tree::files(&tree.root());
        let row = |(path, fate): &(Vec<u8>, Fate)| {
            let attributes = match fate {
                Fate::Full(attributes) => Some(*attributes),
                Fate::Exact => Some("any"),
                _ => None,
            };
            let bytes = attributes.and(files.get(path)).map(|bytes| base64(bytes));
            serde_json::json!({ "path": base64(path), "attributes": attributes, "bytes": bytes })
        };
        let expected = serde_json::json!({
            "name": case.name, "folder": case.folder, "args": case.args,
            "rows": case.rows.iter().map(row).collect::<Vec<_>>(),
        });
        std::fs::write(tree.beside("expected.json"), expected.to_string()).unwrap();
    }
}
