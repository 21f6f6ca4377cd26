//! How much of a file a pack shows, as the user says.

use super::{Repo, claimed_tokens, count};

const PROGRAM: &str = "\
use std::fmt;

/// Says how long it takes.
///
/// In seconds.
fn seconds(text: &str) -> u64 {
    let minutes: u64 = text.parse().unwrap_or_default();
    minutes * 60
}

struct Clock {
    hand: u64,
}
";

fn repo() -> Repo {
    let program = format!(
        "{PROGRAM}\nfn key() -> String {{\n    let token = \"{TOKEN}\";\n    token.into()\n}}\n"
    );
    Repo::new()
        .file("src/clock.rs", PROGRAM)
        .file("src/key.rs", program)
        .file("src/short.rs", "fn short() {}\n")
        .file(
            "src/prose.rs",
            "This is (no program; it is {prose.\n".repeat(5),
        )
        .file("notes.md", "# Notes\n")
}

/// What a rule of secrets knows.
const TOKEN: &str = concat!("gh", "p_x7Kp2QmR9vLs4TnB8wYc1ZdF6hJg3AeU5oNi");

#[test]
fn a_skeleton_keeps_lines_and_says_which_are_left_out() {
    let document = repo().pack(&["--skeleton"]);
    let (_, files) = document.split_once("<files>\n").unwrap();
    insta::assert_snapshot!(files, @r#"
    <file path="notes.md"><![CDATA[
    # Notes

    ]]></file>
    <file path="src/clock.rs" level="skeleton" lines="1-13"><![CDATA[
    use std::fmt;

    /// Says how long it takes.
    ///
    /// In seconds.
    fn seconds(text: &str) -> u64 {
        ⋮ 7-10
    struct Clock {
        hand: u64,
    }

    ]]></file>
    <file path="src/key.rs" level="skeleton" lines="1-18" altered="redacted"><![CDATA[
    use std::fmt;

    /// Says how long it takes.
    ///
    /// In seconds.
    fn seconds(text: &str) -> u64 {
        ⋮ 7-10
    struct Clock {
        hand: u64,
    }

    fn key() -> String {
        ⋮ 16-18

    ]]></file>
    <file path="src/prose.rs"><![CDATA[
    This is (no program; it is {prose.
    This is (no program; it is {prose.
    This is (no program; it is {prose.
    This is (no program; it is {prose.
    This is (no program; it is {prose.

    ]]></file>
    <file path="src/short.rs"><![CDATA[
    fn short() {}

    ]]></file>
    </files>
    <totals tokens="731" encoding="o200k_base" files="3">2 shown in part. Secrets redacted in 1 of the files.</totals>
    </pack>
    "#);
    assert_eq!(claimed_tokens(&document), count(&document));
}

#[test]
fn the_last_level_about_a_file_counts() {
    let repo = repo();
    let run = repo.run(&[
        "pack",
        "--skeleton",
        "--level",
        "/src/*=path",
        "--level",
        "key.rs=full",
        "-o",
        "out.json",
        "--format",
        "json",
        "--manifest",
        "-",
    ]);
    let manifest = run.json();
    let rows = manifest["files"].as_array().unwrap().iter();
    let rows = rows.map(|row| {
        (
            row["path"].as_str().unwrap(),
            row["level"].as_str().unwrap(),
            row["reason"].as_str().unwrap_or_default(),
        )
    });
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [
            ("notes.md", "full", "no-language"),
            ("src/clock.rs", "path", "asked"),
            ("src/key.rs", "full", ""),
            ("src/prose.rs", "path", "asked"),
            ("src/short.rs", "path", "asked"),
        ]
    );
    assert_eq!(
        manifest["options"]["levels"],
        serde_json::json!(["*=skeleton", "/src/*=path", "key.rs=full"])
    );
}

#[test]
fn the_manifest_says_which_lines_are_shown_and_why_not_fewer() {
    let manifest = repo()
        .run(&[
            "pack",
            "--level",
            "*.rs=skeleton",
            "-o",
            "out.xml",
            "--manifest",
            "-",
        ])
        .json();
    let rows = manifest["files"].as_array().unwrap();
    let clock = &rows[1];
    assert_eq!(clock["level"], "skeleton");
    assert_eq!(clock["reason"], "asked");
    assert_eq!(clock["lines"], serde_json::json!([[1, 6], [11, 13]]));
    assert_eq!(rows[3]["level"], "full");
    assert_eq!(rows[3]["reason"], "unparsed");
    assert_eq!(manifest["totals"]["shortened"], 2);
}

#[test]
fn a_bad_level_is_a_usage_error_that_names_the_words() {
    for level in ["*.rs", "*.rs=half", "=full", "a[=full"] {
        let run = repo().run(&["pack", "--level", level]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{level}");
        assert!(run.stderr.contains("--level"), "{}", run.stderr);
    }
    let run = repo().run(&["pack", "--level", "*.rs=half"]);
    assert!(
        run.stderr.contains("full, excerpt, skeleton or path"),
        "{}",
        run.stderr
    );
}

#[test]
fn skeletons_are_not_unpacked_and_not_compared() {
    for format in ["xml", "markdown", "json", "plain"] {
        let repo = repo();
        repo.pack(&["--skeleton", "--format", format, "-o", "p.txt"]);
        let run = repo.run(&["unpack", "p.txt", "-d", "copy"]);
        assert_eq!(run.code, 0, "{format}: {}", run.stderr);
        assert!(
            run.stderr
                .contains("2 files are shown in part in the pack, and not written"),
            "{}",
            run.stderr
        );
        assert!(!repo.root().join("copy/src/clock.rs").exists());
        assert!(repo.root().join("copy/src/short.rs").exists());
        let run = repo.run(&["verify", "p.txt", "--no-new", "--json"]);
        assert_eq!(run.code, 0, "{format}: {}", run.stderr);
        assert_eq!(run.json()["shortened"], 2);
    }
}
