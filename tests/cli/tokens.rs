//! `twostep tokens`

use super::{Repo, count};

fn repo() -> Repo {
    Repo::new()
        .file(
            "src/main.rs",
            "fn main() { println!(\"hello\"); }\n".repeat(10),
        )
        .file("src/lib.rs", "pub fn one() -> u32 { 1 }\n")
        .file("README.md", "# Project\n")
        .file("logo.png", "\0")
}

#[test]
fn the_tree_shows_counts_and_bars() {
    let run = repo().run(&["tokens"]);
    assert_eq!(run.code, 0);
    insta::assert_snapshot!(run.stdout, @r"
              104 100 % ████████████████████ .
              101  97 % ███████████████████▍ ├── src/
               90  87 % █████████████████▎   │   ├── main.rs
               11  11 % ██                   │   └── lib.rs
                3   3 % ▌                    └── README.md
    ");
    insta::assert_snapshot!(run.stderr, @r"
    104 tokens of o200k_base (exact) in 3 files
    1 not counted, binary
    ");
}

#[test]
fn the_tree_to_a_depth() {
    let run = repo().run(&["tokens", "-q", "--depth", "1"]);
    assert_eq!(run.stdout.lines().count(), 3, "{}", run.stdout);
    assert!(
        run.stdout
            .contains("101  97 % ███████████████████▍ ├── src/\n")
    );
}

#[test]
fn the_largest_files() {
    let run = repo().run(&["tokens", "-q", "--top", "2"]);
    insta::assert_snapshot!(run.stdout, @r"
               90  87 % █████████████████▎   src/main.rs
               11  11 % ██                   src/lib.rs
    ");
    assert_eq!(run.stderr, "");
}

#[test]
fn as_json_each_file_counts_as_its_text() {
    let listing = repo().run(&["tokens", "--json"]).json();
    let rows = listing["files"].as_array().unwrap();
    let tokens = |path: &str| {
        rows.iter().find(|row| row["path"] == path).unwrap()["tokens"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(tokens("src/lib.rs"), count("pub fn one() -> u32 { 1 }\n"));
    assert_eq!(tokens("logo.png"), 0);
    let sum: u64 = rows.iter().map(|row| row["tokens"].as_u64().unwrap()).sum();
    assert_eq!(listing["tokens"], sum);
    assert_eq!(listing["encoding"], "o200k_base");
}

#[test]
fn for_a_model_without_a_public_tokenizer_counts_are_estimates() {
    let listing = repo().run(&["tokens", "--json", "--for", "sonnet"]).json();
    assert_eq!(
        (&listing["model"], &listing["estimated"]),
        (&"claude-sonnet-5-5".into(), &true.into())
    );
    let exact = repo().run(&["tokens", "--json"]).json();
    assert!(listing["tokens"].as_u64() > exact["tokens"].as_u64());
    let gpt = repo().run(&["tokens", "--json", "--for", "gpt"]).json();
    assert_eq!(
        (&gpt["tokens"], &gpt["estimated"]),
        (&exact["tokens"], &false.into())
    );
}
