//! Ignore rules against git's own answer: the candidates are what `git ls-files -co --exclude-standard` lists.

use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use twostep::repo::{self, Globs, Named, ScanOptions};

use super::Repo;

#[test]
fn odd_rules_are_read_as_git_reads_them() {
    // Each with the files that git is asked about.
    let cases: &[(&[u8], &[&[u8]])] = &[
        (
            b"*.{js,ts}\n{a,b}\n*}\n[{]a,b}",
            &[b"x.js", b"x.{js,ts}", b"a", b"{a,b}", b"c}"],
        ),
        (
            b"[[:alpha:]]\n[[:digit:]-]x\n[[:space:]]y\n[[:punct:]]z",
            &[b"q", b"1x", b"-x", b" y", b"!z", b"]z", b"12"],
        ),
        (b"a\n!\n\\!b\n\\#c\n!#d", &[b"a", b"!b", b"#c", b"#d"]),
        (
            b"foo\t\nbar \nbaz\\ \nqux\r\nquux\r\r",
            &[b"foo", b"foo\t", b"bar", b"baz ", b"baz", b"qux", b"quux"],
        ),
        (
            b"a\\\n\\a\n\\*\nb[\n[]]\n[!]c]",
            &[b"a", b"*", b"b[", b"]", b"c", b"d"],
        ),
        (
            b"# caf\xe9\nsecret\ncaf\xe9\n",
            &[b"secret", b"caf\xc3\xa9", b"caf\xe9"],
        ),
        (b"\xef\xbb\xbfbom\n", &[b"bom"]),
        (
            b"/a\nb/\nc/d\n**/e\nf/**\ng/**/h\n*.i\n!k.i",
            &[
                b"a", b"x/a", b"b/x", b"y/b", b"c/d", b"x/c/d", b"x/e", b"f/x/y", b"g/h",
                b"g/x/y/h", b"j.i", b"k.i",
            ],
        ),
        (
            b"*\n!*/\n!keep/**",
            &[b"a", b"keep/b", b"keep/c/d", b"drop/e"],
        ),
        (b"dir/*\n!dir/keep\n/\n", &[b"dir/a", b"dir/keep"]),
        (
            b"a?c\n[a-c]x\n[^a-c]w\nx[/]y\nx[!a]z",
            &[
                b"abc", b"a/c", b"bx", b"dx", b"dw", b"x/y", b"x/z", b"x-z", b"d/x-z",
            ],
        ),
        (
            b"A/B\n\\Cc\n[D]d\n[E-G]e\n[[:upper:]]x\n*Z\n",
            &[
                b"a/b", b"A/B", b"cc", b"Cc", b"dd", b"Dd", b"ee", b"Ee", b"ux", b"Ux", b"yz",
                b"yZ",
            ],
        ),
        // Found by fuzzing, and by thinking of what git does where the plain bytes of a rule end.
        (b"a\0b\nb\0\n\0c\n!b\0", &[b"a", b"b", b"c"]),
        (b"a**/b\n", &[b"ab", b"ax/b", b"ax/y/b", b"x/ab"]),
    ];
    for (rules, files) in cases {
        let repo = Repo::new().git();
        std::fs::write(repo.root().join(".gitignore"), rules).unwrap();
        make(&repo, "", files);
        for ignore_case in ["false", "true"] {
            repo.run_git(&["config", "core.ignoreCase", ignore_case]);
            let (listed, found) = listed_and_found(&repo);
            assert_eq!(found, listed, "{} {ignore_case}", rules.escape_ascii());
        }
    }
}

/// Names that rules can mean.
const NAMES: &[&[u8]] = &[
    b"a/a",
    b"a/b",
    b"a/b.c",
    b"a/bb/c",
    b"a/bb/cc/d.txt",
    b"a/.x",
    b"a/[a]",
    b"a/ b",
    b"ab",
    b"abc/a/b/a",
    b"axx/y/b",
    b"b/a",
    b"b/a.c",
    b"b/b/b",
    b"c",
    b"c.c",
    b"d.txt",
    b"Foo",
    b"foo/bar",
    b"foo/Bar.c",
    b"#c",
    b"!c",
    b"a b",
    b"a*",
    b"a?b",
    b"b\\c",
    b"caf\xe9",
    b"\xc3\xa9",
    b"x{a,b}",
    b"y-z",
    b"z ",
    b"\tt",
    b"v\x0b",
    b".d/e",
    b"build/out/A.o",
    b"^",
    b"]",
];

/// What rules are made of, beside such names.
const PIECES: &[&[u8]] = &[
    b"a",
    b"b",
    b"c",
    b"A",
    b"B",
    b".",
    b"/",
    b"/",
    b"/",
    b"*",
    b"*",
    b"**",
    b"**/",
    b"/**",
    b"?",
    b"[",
    b"]",
    b"[a-c]",
    b"[!a]",
    b"[^B-b]",
    b"[[:alpha:]",
    b"[:upper:]",
    b"[:space:]]",
    b"[[:",
    b":]",
    b"-",
    b"!",
    b"^",
    b"\\",
    b"#",
    b" ",
    b"\t",
    b"\r",
    b"\0",
    b"\xe9",
    b"\xc3\xa9",
    b"{",
    b"}",
    b",",
    b"foo",
    b"bar",
    b"x",
    b"y",
    b"build",
    b"\n",
    b"\n",
    b"\n",
    b"\n!",
    b"\n/",
    b"/\n",
    b"\xef\xbb\xbf",
];

/// So many folders are asked about at once.
const N_FOLDERS: usize = 4;

fn rules(max_pieces: usize) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![6 => select(PIECES), 1 => select(NAMES)];
    vec(piece, 0..max_pieces).prop_map(|pieces| pieces.concat())
}

fn make(repo: &Repo, folder: &str, files: &[&[u8]]) {
    for file in files {
        let path = repo.root().join(folder).join(OsStr::from_bytes(file));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }
}

/// Returns the candidates as git lists them and as we find them, as text.
fn listed_and_found(repo: &Repo) -> (Vec<String>, Vec<String>) {
    let listed = repo.git_output(&["ls-files", "-co", "--exclude-standard", "-z"]);
    let mut listed: Vec<&[u8]> = listed
        .split(|&byte| byte == 0)
        .filter(|path| !path.is_empty())
        .collect();
    listed.sort_unstable();
    let (repository, _, problem) = repo::open(&repo.root(), &[]).unwrap();
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
    let text = |path: &[u8]| path.escape_ascii().to_string();
    let found = scan
        .candidates
        .iter()
        .map(|candidate| text(candidate.path.as_bytes()));
    (listed.into_iter().map(text).collect(), found.collect())
}

#[test]
fn random_rules_are_read_as_git_reads_them() {
    let repo = Repo::new().git();
    for folder in 0..N_FOLDERS {
        make(&repo, &folder.to_string(), NAMES);
    }
    let git = repo.root().join(".git");
    let near = vec((rules(16), rules(8)), N_FOLDERS);
    let far = [rules(4), rules(4), rules(4)];
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(near in near, far in far, ignore_case: bool)| {
        for (folder, (outer, inner)) in near.iter().enumerate() {
            let folder = repo.root().join(folder.to_string());
            std::fs::write(folder.join(".gitignore"), outer).unwrap();
            std::fs::write(folder.join("a/.gitignore"), inner).unwrap();
        }
        let places = [repo.root().join(".gitignore"), git.join("info/exclude"), git.join("rules")];
        for (place, rules) in places.iter().zip(&far) {
            std::fs::write(place, rules).unwrap();
        }
        let settings = format!("[core]\n\texcludesFile = {}\n\tignoreCase = {ignore_case}\n", places[2].display());
        std::fs::write(git.join("config"), settings).unwrap();
        let (listed, found) = listed_and_found(&repo);
        prop_assert_eq!(found, listed);
    });
}
