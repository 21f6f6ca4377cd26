//! Runs that are killed at any point, and go on.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;

use super::plan_exec::{CHECK, Stage};
use super::read;

/// Runs `plan-exec`, killed at the `n`-th point if it comes that far; says whether it was.
fn is_killed(stage: &Stage, n: usize, more: &[&str]) -> bool {
    let words = [&["plan-exec", "spec.md", "--check", CHECK, "--yes"], more].concat();
    let output = stage
        .command(&words)
        .env("TWOSTEP_CRASH_AT", n.to_string())
        .output()
        .unwrap();
    output.status.signal() == Some(9)
}

/// Files that tell of one run alone.
const OF_THE_RUN: &[&str] = &["journal.jsonl", "command.json", "snapshot.json", "lock"];

/// What is left of a run: its files by name, the calls' own aside, and how often each role was asked.
fn kept(stage: &Stage) -> (BTreeMap<String, String>, usize) {
    let folder = &stage.last_run();
    let head = stage.repo.run_git(&["rev-parse", "HEAD"]);
    let id = folder.file_name().unwrap().to_str().unwrap();
    let mut files = BTreeMap::new();
    let mut n_calls = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(place) = folders.pop() {
        for entry in place.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .strip_prefix(folder)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            if path.is_dir() {
                n_calls += usize::from(name.starts_with("calls/"));
                folders.push(path);
            } else if name == "report.md" {
                // Times are in it, and each call.
                files.insert(name, String::new());
            } else if !OF_THE_RUN.contains(&name.as_str()) && !name.starts_with("calls/") {
                let text = String::from_utf8_lossy(&read(&path)).replace(id, "RUN");
                // Each commit has a time of its own.
                let text = text.replace(head.trim(), "HEAD");
                files.insert(name, text);
            }
        }
    }
    (files, n_calls)
}

/// Kills a run at every `step`-th point, takes each up again, and holds it against one that nobody killed.
fn kill_and_resume(step: usize, more: &[&str]) -> usize {
    // A branch begins at a commit.
    let stage = || {
        let stage = Stage::new();
        stage.repo.run_git(&["add", "-A"]);
        stage.repo.run_git(&["commit", "-qm", "first"]);
        stage
    };
    let whole = stage();
    let run = whole.plan_exec(more);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let (files, n_calls) = kept(&whole);
    assert_eq!(n_calls, 2);
    for n in (1..).step_by(step) {
        let stage = stage();
        let before = stage.greeting();
        if !is_killed(&stage, n, more) {
            return n;
        }
        let is_there = stage.repo.root().join(".twostep/runs").is_dir();
        if !is_there || stage.run(&["runs"]).stdout.is_empty() {
            // Nothing was promised yet.
            assert_eq!(stage.greeting(), before, "{n}");
            continue;
        }
        let run = stage.run(&["runs", "resume"]);
        if run.stderr.contains("does not tell how it was started") {
            assert_eq!(stage.greeting(), before, "{n}");
            continue;
        }
        assert_eq!(run.code, 0, "{n}: {}", run.stderr);
        assert_eq!(stage.greeting(), whole.greeting(), "{n}");
        let (found, n_found) = kept(&stage);
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            files.keys().collect::<Vec<_>>(),
            "{n}"
        );
        // A call that was cut off is made once more, and both are there.
        assert!(
            (n_calls..=n_calls + 1).contains(&n_found),
            "{n}: {n_found} calls"
        );
        for (name, text) in &files {
            assert_eq!(found[name], *text, "{n}: {name}");
        }
        let undone = stage.run(&["undo"]);
        assert_eq!(
            (undone.code, stage.greeting()),
            (0, before),
            "{n}: {}",
            undone.stderr
        );
    }
    unreachable!()
}

#[test]
fn a_run_that_was_killed_anywhere_goes_on_to_the_same_end() {
    kill_and_resume(7, &[]);
}

#[test]
#[ignore = "all points take minutes"]
fn a_run_that_was_killed_at_each_point_goes_on_to_the_same_end() {
    let n = kill_and_resume(1, &[]) + kill_and_resume(1, &["--land", "branch"]);
    assert!(n > 200, "{n} points");
}

#[test]
fn a_run_that_came_with_the_files_is_not_gone_on_with() {
    let stage = Stage::new();
    let run = stage.plan_exec(&["--run-calls", "1"]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    let command = stage.last_run().join("command.json");
    let written = std::fs::read_to_string(&command).unwrap();
    for (from, to) in [
        ("--executor", "--planner"),
        ("\"version\": 1", "\"version\":  1"),
    ] {
        std::fs::write(&command, written.replace(from, to)).unwrap();
        if written.contains(from) {
            for verb in [&["runs", "resume"][..], &["runs", "replay"]] {
                let run = stage.run(verb);
                assert_eq!(run.code, 2, "{}", run.stderr);
                assert!(
                    run.stderr.contains("was not begun so by you"),
                    "{}",
                    run.stderr
                );
            }
        }
    }
    std::fs::write(&command, written).unwrap();
    // As if the folder had been unpacked by somebody else.
    std::fs::remove_dir_all(stage.repo.beside("home/.cache/twostep/begun")).unwrap();
    let run = stage.run(&["runs", "resume", "--", "--run-calls", "9"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("was not begun so by you"),
        "{}",
        run.stderr
    );
    assert_eq!(stage.greeting(), "hello\n");
}
