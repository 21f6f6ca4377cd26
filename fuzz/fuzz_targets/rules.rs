//! Ignore rules against git's own answer: the candidates are what `git ls-files -co --exclude-standard` lists.
//!
//! The input holds three rule files, separated by NUL: `.gitignore`, that of the folder `a`, and `.git/info/exclude`.
#![no_main]

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use twostep::repo::{self, Globs, Named, ScanOptions};

/// Files whose names the rules may mean.
const FILES: &[&str] = &[
    "a/a",
    "a/b",
    "a/b.c",
    "a/b/c",
    "a/b/c/d.txt",
    "a/.x",
    "a/[a]",
    "a/ b",
    "ab",
    "abc/a/b/a",
    "b/a",
    "b/a.c",
    "b/b/b",
    "c",
    "c.c",
    "d.txt",
    "Foo",
    "foo/bar",
    "foo/bar.c",
    "#c",
    "!c",
    "a b",
    "a*",
    "a?b",
    "b\\c",
    "\u{e9}",
    "x{a,b}",
    "y-z",
    "z ",
    "\tt",
    ".d/e",
    "build/out/a.o",
];

fn tree() -> &'static TempDir {
    static TREE: OnceLock<TempDir> = OnceLock::new();
    TREE.get_or_init(|| {
        let tree = tempfile::tempdir().unwrap();
        git(tree.path(), &["init", "--quiet"]);
        git(tree.path(), &["config", "core.excludesFile", "/dev/null"]);
        for file in FILES.iter().filter(|file| {
            !FILES
                .iter()
                .any(|other| other.starts_with(&format!("{file}/")))
        }) {
            let path = tree.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        git(tree.path(), &["add", "--force", "b/a.c", "foo/bar.c"]);
        tree
    })
}

fn git(folder: &Path, args: &[&str]) -> Vec<u8> {
    let output = Command::new("git")
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

fuzz_target!(|input: &[u8]| {
    let root = tree().path();
    let mut rules = input.splitn(3, |&byte| byte == 0);
    for file in [".gitignore", "a/.gitignore", ".git/info/exclude"] {
        std::fs::write(root.join(file), rules.next().unwrap_or_default()).unwrap();
    }
    let listed = git(root, &["ls-files", "-co", "--exclude-standard", "-z"]);
    let mut expected: Vec<&[u8]> = listed
        .split(|&byte| byte == 0)
        .filter(|path| !path.is_empty())
        .collect();
    expected.sort_unstable();
    expected.dedup();
    let (repository, _, problem) = repo::open(root, &[]).unwrap();
    assert!(problem.is_none());
    let scan = repo::scan(
        &repository,
        &ScanOptions {
            named: &[Named::Everything],
            globs: &Globs::everything(),
            outputs: &[],
            our_heads: &[],
            threads: NonZeroUsize::MIN,
        },
    );
    let found: Vec<&[u8]> = scan
        .candidates
        .iter()
        .map(|candidate| candidate.path.as_bytes())
        .collect();
    let text = |list: &[&[u8]]| {
        list.iter()
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(text(&found), text(&expected));
});
