//! Where a document goes, and what is told of it.

use std::process::Stdio;

use super::{Repo, Run, read};

#[test]
fn a_file_is_written_whole_and_told_of() {
    let repo = Repo::new()
        .file("src/main.rs", "fn main() {}\n")
        .file("logo.png", "\0");
    let run = repo.run(&["pack", "-o", "pack.xml"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
    insta::assert_snapshot!(run.stderr, @r"
    packed 1 of 2 files in `pack.xml`
                478 tokens of o200k_base (exact)
                683 tokens of claude-opus-5-5, estimated (at most 783)
                524 tokens of gemini-4-argon, estimated (at most 574)
    1 listed, binary: logo.png
    largest, with their markup:
                 19 src/main.rs
    ");
    assert!(read(&repo.root().join("pack.xml")).ends_with(b"</pack>\n"));
    assert_eq!(repo.root().read_dir().unwrap().count(), 3);
}

#[test]
fn quiet_says_nothing_and_verbose_names_everything() {
    let mut repo = Repo::new().file("a.rs", "x");
    for n in 0..5 {
        repo = repo.file(&format!("{n}.png"), "\0");
    }
    assert_eq!(repo.run(&["pack", "-q", "-o", "pack.xml"]).stderr, "");
    assert!(
        repo.run(&["pack", "-o", "pack.xml"])
            .stderr
            .contains("5 listed, binary: 0.png, 1.png, 2.png, ...\n")
    );
    assert!(
        repo.run(&["pack", "-v", "-o", "pack.xml"])
            .stderr
            .contains("5 listed, binary:\n  0.png\n  1.png\n  2.png\n  3.png\n  4.png\n")
    );
}

#[test]
fn the_summary_as_json() {
    let repo = Repo::new()
        .file("a.rs", "fn a() {}\n")
        .file("logo.png", "\0");
    let run = repo.run(&["pack", "-q", "-o", "pack.xml", "--json", "--top", "1"]);
    let summary = run.json();
    let document = String::from_utf8(read(&repo.root().join("pack.xml"))).unwrap();
    assert_eq!(summary["tokens"], super::claimed_tokens(&document));
    assert_eq!(
        (&summary["files"], &summary["candidates"]),
        (&1.into(), &2.into())
    );
    assert_eq!(summary["left_out"], serde_json::json!({"binary": 1}));
    assert_eq!(summary["largest"][0]["path"], "a.rs");
    let models: Vec<&str> = summary["estimates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["model"].as_str().unwrap())
        .collect();
    assert_eq!(models, ["claude-opus-5-5", "gemini-4-argon"]);
}

#[test]
fn a_tracked_file_is_not_replaced_unasked() {
    let repo = Repo::new().file("a.rs", "fn a() {}\n").git();
    let run = repo.run(&["pack", "-o", "a.rs"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    insta::assert_snapshot!(run.stderr, @r"
    error: `a.rs` is there already and is tracked by git

    hint: replace it with `--force`, or name another file
    ");
    assert_eq!(read(&repo.root().join("a.rs")), b"fn a() {}\n");
    let repo = repo.file("b.rs", "fn b() {}\n");
    assert_eq!(repo.run(&["pack", "-q", "--force", "-o", "a.rs"]).code, 0);
    let run = repo.run(&["pack", "-o", "new.xml", "--manifest", "b.rs"]);
    assert_eq!(run.code, 0);
    repo.run_git(&["add", "b.rs"]);
    std::fs::write(repo.root().join("b.rs"), "mine").unwrap();
    assert_eq!(
        repo.run(&["pack", "-o", "new.xml", "--manifest", "b.rs"])
            .code,
        2
    );
    // A file that git does not know is what `-o` asks for.
    let repo = repo.file("old.xml", "old");
    assert_eq!(repo.run(&["pack", "-q", "-o", "old.xml"]).code, 0);
}

#[test]
fn a_device_is_written_straight_and_a_reader_may_leave() {
    let repo = Repo::new().file("a.txt", "word ".repeat(200_000));
    assert_eq!(repo.run(&["pack", "-q", "-o", "/dev/null"]).code, 0);
    let mut command = repo.command(&["pack"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let repo = Repo::new().file("a.txt", "word ".repeat(200_000));
    let run = repo.run(&["pack", "-o", "/dev/full"]);
    assert_eq!(run.code, 2);
    insta::assert_snapshot!(run.stderr.replace(repo.root().to_str().unwrap(), "[ROOT]"), @r"
    error: cannot pack `[ROOT]`: cannot write `/dev/full`: No space left on device (os error 28)

    hint: free some space or write to another disk
    ");
}

#[test]
fn what_was_probably_not_meant_is_warned_of() {
    let repo = Repo::new()
        .file("a.rs", "fn a() {}\n")
        .file("logo.png", "\0");
    for (args, warning) in [
        (
            &["pack", "logo.png"][..],
            "warning: the pack shows no file in full\n",
        ),
        (
            &["pack", "--for", "opus", "--budget", "2M"],
            "warning: the budget is over the prompt limit of claude-opus-5-5, 875,000 tokens\n",
        ),
        (
            &["pack", "--exclude", "*.png"],
            "1 file filtered out by --include and --exclude\n",
        ),
    ] {
        let run = repo.run(args);
        assert_eq!(run.code, 0);
        assert!(run.stderr.contains(warning), "{args:?}: {}", run.stderr);
    }
    let large = Repo::new().file("a.txt", "word ".repeat(1_100_000));
    let run = large.run(&["pack"]);
    assert!(
        run.stderr.contains(
            "is over the prompt limit of gemini-4-argon (917,504); `--for gemini` keeps what fits\n"
        ),
        "{}",
        run.stderr
    );
}
