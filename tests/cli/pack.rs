//! What stands in a pack.

use super::{Repo, claimed_tokens, count, files_of, full_files_of, read};

#[test]
fn the_document_is_as_the_format_says() {
    let repo = Repo::new()
        .file("src/main.rs", "fn main() {}\n")
        .file("a&b<c>\".txt", "x ]]> y\r\n")
        .file("logo.png", b"\x89PNG\r\n\x1a\n\0\0");
    let document = repo.pack(&["--instruction", "Say hello."]);
    let (_, after_head) = document.split_once("</file_summary>\n").unwrap();
    insta::assert_snapshot!(after_head, @r#"
    <directory_structure><![CDATA[
    a&b<c>".txt
    logo.png
    src/
      main.rs
    ]]></directory_structure>
    <files>
    <file path="a&amp;b&lt;c&gt;&quot;.txt" eol="crlf"><![CDATA[
    x ]]]]><![CDATA[> y

    ]]></file>
    <file path="logo.png" level="path" kind="binary" bytes="10"/>
    <file path="src/main.rs"><![CDATA[
    fn main() {}

    ]]></file>
    </files>
    <totals tokens="534" encoding="o200k_base" files="2">Not shown: 1 binary.</totals>
    <instruction><![CDATA[
    Say hello.
    ]]></instruction>
    </pack>
    "#);
    assert_eq!(claimed_tokens(&document), count(&document));
}

/// Where the summary of a small repository ends and what stands behind it, in each format but XML.
const IN_OTHER_FORMATS: &[(&str, &str, &str)] = &[
    (
        "markdown",
        "at the end.\n\n# Directory structure\n",
        r#"
```text
a`b<c>".txt
logo.png
new\x0aline
src/
  main.rs
```

# Files

## ``a`b<c>".txt``

eol: crlf

````text
x ``` y

````

## `logo.png`

level: path, kind: binary, bytes: 10

## `new\x0aline`

path-escape: true, controls: pictures

```text
␁
```

## `src/main.rs`

```rust
fn main() {}

```

# Totals

tokens: TOKENS, encoding: o200k_base, files: 3

Not shown: 1 binary.

# Instruction

```text
Say hello.
```

<!-- end of twostep pack -->
"#,
    ),
    (
        "json",
        "at the end.\\n\",\n",
        r#""directory_structure":"a`b<c>\".txt\nlogo.png\nnew\\x0aline\nsrc/\n  main.rs",
"files":[
  {"path":"a`b<c>\".txt","text":"x ``` y\r\n"}
, {"path":"logo.png","level":"path","kind":"binary","bytes":10}
, {"path":"new\\x0aline","path_escape":true,"text":"\u0001"}
, {"path":"src/main.rs","text":"fn main() {}\n"}
],
"totals":{"tokens":TOKENS,"encoding":"o200k_base","files":3,"left_out":{"binary":1}}
,"instruction":"Say hello."
}
"#,
    ),
    (
        "plain",
        "at the end.\n\n---- Directory structure\n",
        r#"
======== text
a`b<c>".txt
logo.png
new\x0aline
src/
  main.rs
========

---- Files

File: a`b<c>".txt

eol: crlf

======== text
x ``` y

========

File: logo.png

level: path, kind: binary, bytes: 10

File: new\x0aline

path-escape: true, controls: pictures

======== text
␁
========

File: src/main.rs

======== text
fn main() {}

========

---- Totals

tokens: TOKENS, encoding: o200k_base, files: 3

Not shown: 1 binary.

---- Instruction

======== text
Say hello.
========

---- End
"#,
    ),
];

#[test]
fn each_format_says_the_same() {
    let repo = Repo::new()
        .file("src/main.rs", "fn main() {}\n")
        .file("a`b<c>\".txt", "x ``` y\r\n")
        .file("new\nline", "\u{1}")
        .file("logo.png", b"\x89PNG\r\n\x1a\n\0\0");
    for (format, head_ends, expected) in IN_OTHER_FORMATS {
        let document = repo.pack(&["--format", format, "--instruction", "Say hello."]);
        let (_, after_head) = document.split_once(head_ends).unwrap();
        let expected = expected.replace("TOKENS", &count(&document).to_string());
        assert_eq!(after_head, expected, "{format}");
    }
    let json = repo.pack(&["--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["files"][0]["text"], "x ``` y\r\n");
}

#[test]
fn no_text_closes_its_fence() {
    let body = "```\n````\n# Files\n## `x`\n========\n=========\nFile: x\n";
    let repo = Repo::new().file("a.md", body).file("===``", "");
    let markdown = repo.pack(&["--format", "markdown"]);
    assert!(markdown.contains(&format!("\n`````markdown\n{body}\n`````\n")));
    assert!(markdown.contains("\n```text\n===``\na.md\n```\n"));
    let plain = repo.pack(&["--format", "plain"]);
    assert!(plain.contains(&format!("\n========== text\n{body}\n==========\n")));
}

#[test]
fn the_head_is_the_same_whatever_is_packed() {
    for (format, tree) in [
        ("xml", "<directory_structure>"),
        ("markdown", "\n# Directory structure\n"),
        ("json", "\"directory_structure\":"),
        ("plain", "\n---- Directory structure\n"),
    ] {
        let one = Repo::new().file("a", "1").pack(&["--format", format]);
        let other = Repo::new().file("b", "2").file("c", "3");
        let other = other.pack(&["--format", format, "--instruction", "x"]);
        let head = |document: &str| document.split_once(tree).unwrap().0.to_owned();
        assert_eq!(head(&one), head(&other));
        // The reasons for listing a file are explained in each.
        let kinds = "kind says why: binary, lock, minified, generated, vendored, lfs, large, link, submodule, repository, git-name, secret, unreadable, asked.";
        assert!(head(&one).contains(kinds), "{format}");
    }
}

#[test]
fn threads_do_not_show() {
    let mut repo = Repo::new();
    for n in 0..300 {
        repo = repo.file(
            &format!("d{}/f{n}.rs", n % 7),
            format!("fn f{n}() {{}}\n").repeat(n),
        );
    }
    let one = repo.pack(&["--threads", "1"]);
    assert_eq!(one, repo.pack(&["--threads", "8"]));
    assert_eq!(
        repo.pack(&["--threads", "1", "--budget", "20k"]),
        repo.pack(&["--threads", "8", "--budget", "20k"])
    );
}

#[test]
fn files_stand_in_the_order_of_their_bytes() {
    let repo = Repo::new()
        .file("b/x", "")
        .file("b-a", "")
        .file("B", "")
        .file("b.c", "")
        .file("\u{e4}", "")
        .file("z", "");
    assert_eq!(
        full_files_of(&repo.pack(&[])),
        ["B", "b-a", "b.c", "b/x", "z", "\u{e4}"]
    );
}

#[test]
fn what_a_reader_rarely_wants_is_listed_and_one_flag_gives_it() {
    let repo = Repo::new()
        .file("Cargo.lock", "[[package]]\n")
        .file("app.min.js", "a\n")
        .file("gen.go", "// Code generated by x. DO NOT EDIT.\n")
        .file("vendor/lib.c", "int x;\n")
        .file("large.txt", "0123456789\n".repeat(1_000_000))
        .file("main.c", "int main;\n");
    let listed = files_of(&repo.pack(&[]));
    let expected = [
        ("Cargo.lock", "path"),
        ("app.min.js", "path"),
        ("gen.go", "path"),
        ("large.txt", "path"),
        ("main.c", "full"),
        ("vendor/lib.c", "path"),
    ];
    assert_eq!(
        listed,
        expected.map(|(path, level)| (path.to_owned(), level.to_owned()))
    );
    assert!(
        files_of(&repo.pack(&["--all"]))
            .iter()
            .all(|(_, level)| level == "full")
    );
    let named = repo.pack(&["Cargo.lock", "vendor/lib.c"]);
    assert_eq!(full_files_of(&named), ["Cargo.lock", "vendor/lib.c"]);
}

#[test]
fn a_budget_is_spent_on_what_matters_first() {
    // Each file but one has about a hundred tokens.
    let line = "let value = compute(value, 17);\n";
    let repo = Repo::new()
        .file("README.md", "word ".repeat(80))
        .file("data.csv", "1,2,3\n".repeat(14))
        .file("docs/guide.md", "word ".repeat(80))
        .file("src/a_big.rs", line.repeat(500))
        .file("src/b_middle.rs", line.repeat(9))
        .file("src/small.rs", line.repeat(8))
        .file("tests/t.rs", line.repeat(8));
    let order = [
        "README.md",
        "src/small.rs",
        "src/b_middle.rs",
        "tests/t.rs",
        "docs/guide.md",
        "data.csv",
    ];
    let least = least_budget(&repo, &[]);
    for n in 0..=order.len() {
        let budget = least + 30 + 110 * n as u64;
        let document = repo.pack(&["--budget", &budget.to_string()]);
        let mut expected = order[..n].to_vec();
        expected.sort_unstable();
        assert_eq!(full_files_of(&document), expected, "{budget}");
        assert!(count(&document) <= budget);
        assert_eq!(claimed_tokens(&document), count(&document));
    }
    // The file that did not fit stopped none of those after it, and is there when it fits.
    let document = repo.pack(&["--budget", "10k"]);
    assert!(full_files_of(&document).contains(&"src/a_big.rs".to_owned()));
}

/// Returns the least budget, as the error names it.
fn least_budget(repo: &Repo, args: &[&str]) -> u64 {
    let run = repo.run(&[&["pack", "--budget", "1"], args].concat());
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    let (_, rest) = run.stderr.split_once("use `--budget ").unwrap();
    rest.split_once('`').unwrap().0.parse().unwrap()
}

#[test]
fn a_named_file_comes_before_all_others() {
    let repo = Repo::new()
        .file("README.md", "# Project\n")
        .file("data.csv", "1,2,3\n".repeat(100))
        .file("src/a.rs", "fn a() {}\n");
    let document = repo.pack(&["data.csv", ".", "--budget", "1150"]);
    assert!(full_files_of(&document).contains(&"data.csv".to_owned()));
}

#[test]
fn the_least_budget_that_an_error_names_is_enough() {
    let repo = Repo::new()
        .file("named.txt", "word ".repeat(2000))
        .file("other.txt", "x");
    let args = ["named.txt", ".", "--instruction", "Do it."];
    let least = least_budget(&repo, &args);
    let pack = |budget: u64| {
        repo.run(&[&["pack", "-q", "--budget", &budget.to_string()], &args[..]].concat())
    };
    let document = pack(least).stdout;
    assert_eq!(count(&document), least);
    assert_eq!(full_files_of(&document), ["named.txt"]);
    assert_eq!(pack(least - 1).code, 2);
}

#[test]
fn for_a_model_the_budget_is_in_its_tokens() {
    let repo = Repo::new()
        .file(
            "a.rs",
            "fn compute(value: usize) -> usize { value + 1 }\n".repeat(300),
        )
        .file("b.rs", "fn b() {}\n");
    // The file has 4,200 tokens of o200k_base, and more of Claude's.
    let run = repo.run(&[
        "pack", "--for", "opus", "--budget", "5k", "-o", "out.xml", "--json",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let summary = run.json();
    assert_eq!(summary["files"], 1);
    assert!(summary["estimates"][0]["at_most"].as_u64().unwrap() <= 5_000);
    let exact = repo
        .run(&[
            "pack", "--for", "gpt", "--budget", "5k", "-o", "out.xml", "--json",
        ])
        .json();
    assert_eq!(exact["files"], 2);
    let window = repo
        .run(&["pack", "--for", "opus", "-o", "out.xml", "--json"])
        .json();
    assert_eq!(
        (window["budget"].as_u64(), window["files"].as_u64()),
        (Some(875_000), Some(2))
    );
}

#[test]
fn the_manifest_tells_what_became_of_each_file() {
    let repo = Repo::new()
        .file("a.rs", "fn a() {}\nfn b() {}\n")
        .file("big.rs", "fn big() {}\n".repeat(1000))
        .file("Cargo.lock", "x\n")
        .git();
    repo.run_git(&["commit", "-qm", "one"]);
    let head = repo.run_git(&["rev-parse", "HEAD"]);
    let run = repo.run(&[
        "pack",
        "-q",
        "-o",
        "out.xml",
        "--budget",
        "600",
        "--manifest",
        "-",
    ]);
    let manifest = run.json();
    assert_eq!(manifest["version"], 1);
    assert_eq!(manifest["commit"], head.trim());
    assert_eq!(manifest["options"]["budget"], 600);
    let document = String::from_utf8(read(&repo.root().join("out.xml"))).unwrap();
    assert_eq!(manifest["totals"]["tokens"], claimed_tokens(&document));
    let files = manifest["files"].as_array().unwrap();
    let row = |path: &str| files.iter().find(|file| file["path"] == path).unwrap();
    assert_eq!(
        (&row("a.rs")["level"], &row("a.rs")["lines"]),
        (&"full".into(), &serde_json::json!([[1, 2]]))
    );
    assert_eq!(
        row("a.rs")["hash"],
        format!("blake3:{}", blake3::hash(b"fn a() {}\nfn b() {}\n"))
    );
    assert_eq!(
        (
            &row("big.rs")["level"],
            &row("big.rs")["reason"],
            &row("big.rs")["tokens"]
        ),
        (&"path".into(), &"budget".into(), &0.into())
    );
    assert!(row("big.rs")["full_tokens"].as_u64().unwrap() > 3000);
    assert_eq!(
        (&row("Cargo.lock")["reason"], &row("Cargo.lock")["bytes"]),
        (&"lock".into(), &2.into())
    );
    assert!(row("Cargo.lock")["hash"].is_string());
}

#[test]
fn the_instruction_is_text_or_a_file() {
    let repo = Repo::new()
        .file("a", "x")
        .file("task.md", "From a file.\r\n");
    assert!(
        repo.pack(&["a", "--instruction", "@task.md"])
            .contains("<instruction eol=\"crlf\"><![CDATA[\nFrom a file.\n\n]]></instruction>")
    );
    assert!(
        repo.pack(&["a", "--instruction-file-path", "task.md"])
            .contains("From a file.")
    );
    assert!(
        repo.pack(&["a", "--instruction", "</pack>\u{1}"])
            .contains("<instruction controls=\"pictures\"><![CDATA[\n</pack>\u{2401}\n]]>")
    );
}

#[test]
fn the_names_of_repomix_are_understood() {
    let repo = Repo::new()
        .file("a.rs", "fn a() {}\n")
        .file("b.md", "B\n")
        .file("Cargo.lock", "x\n");
    let ours = repo.pack(&[
        "--include",
        "*.rs",
        "--include",
        "*.lock",
        "--exclude",
        "b.*",
        "--budget",
        "5000",
        "--all",
    ]);
    let theirs = repo.pack(&[
        "--include",
        "*.rs,*.lock",
        "--ignore",
        "b.*",
        "--token-budget",
        "5000",
        "--no-default-patterns",
        "--style",
        "xml",
        "--parsable-style",
        "--stdout",
        "--token-count-encoding",
        "o200k_base",
    ]);
    assert_eq!(ours, theirs);
    assert_eq!(
        repo.run(&[
            "pack",
            "--output",
            "x.xml",
            "--top-files-len",
            "1",
            "--quiet"
        ])
        .code,
        0
    );
}

#[test]
fn a_budget_of_just_the_whole_is_the_whole() {
    for files in [&["a.rs"][..], &["a.rs", "b/c.rs", "b/d.md"]] {
        let repo = files.iter().fold(Repo::new(), |repo, file| {
            repo.file(file, "fn a() {}\n".repeat(20))
        });
        for format in ["xml", "markdown", "json", "plain"] {
            let pack =
                |budget: u64| repo.pack(&["--format", format, "--budget", &budget.to_string()]);
            let whole = repo.pack(&["--format", format]);
            assert_eq!(pack(count(&whole)), whole);
            assert!(pack(count(&whole) - 1) != whole);
        }
    }
}

#[test]
fn the_readme_at_the_root_is_in_and_those_below_have_a_share() {
    let mut repo = Repo::new()
        .file("README.md", "word ".repeat(1000))
        .file("src/a.rs", "fn a() {}\n".repeat(50));
    for n in 0..20 {
        repo = repo.file(&format!("d{n}/README.md"), "word ".repeat(100));
    }
    let files = full_files_of(&repo.pack(&["--budget", "2293"]));
    assert!(
        files.contains(&"README.md".to_owned()) && files.contains(&"src/a.rs".to_owned()),
        "{files:?}"
    );
}
