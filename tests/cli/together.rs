//! Two runs at once in one tree.

use std::process::{Child, Stdio};
use std::time::Duration;

use super::plan_exec::{CHECK, Stage};
use super::{Run, read};

/// A planner that waits until both are planning: their copies of the tree are made by then.
const MEET: &str = "touch \"$HOME/.gemini/$WHICH\"; until [ -e \"$HOME/.gemini/a\" ] && [ -e \"$HOME/.gemini/b\" ]; do sleep 0.02; done\n";

fn start(stage: &Stage, which: &str, more: &[&str]) -> Child {
    let words = ["plan-exec", "spec.md", "--yes", "--env", "WHICH"];
    let mut command = stage.command(&[&words[..], more].concat());
    command.env("WHICH", which);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Runs two at once, each with its own edit.
fn both(stage: &Stage) -> [Run; 2] {
    std::fs::create_dir_all(stage.repo.beside("home")).unwrap();
    let both = ["a", "b"].map(|which| start(stage, which, &[]));
    both.map(|child| Run::from(child.wait_with_output().unwrap()))
}

fn text(stage: &Stage, name: &str) -> String {
    String::from_utf8(read(&stage.repo.root().join(name))).unwrap()
}

#[test]
fn two_that_change_different_files_both_land() {
    let edit =
        "case $WHICH in a) echo 'hello world' > greeting.txt ;; b) echo b > other.txt ;; esac\n";
    let stage = Stage::new()
        .tell("gemini.edit", MEET)
        .tell("claude.edit", edit);
    let runs = both(&stage);
    for run in &runs {
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    let got = (stage.greeting(), text(&stage, "other.txt"));
    assert_eq!(got, ("hello world\n".to_owned(), "b\n".to_owned()));
    // Neither wrote over the plan of the other.
    let names = stage.repo.root().read_dir().unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let plans = names.filter(|name| name.starts_with("AI-PLAN"));
    assert_eq!(plans.count(), 2);
    for expected in ["b\n", "hello\n"] {
        let undo = stage.run(&["undo"]);
        assert_eq!(undo.code, 0, "{expected}: {}", undo.stderr);
    }
    assert_eq!(stage.greeting(), "hello\n");
    assert!(!stage.repo.root().join("other.txt").exists());
}

#[test]
fn of_two_that_change_one_file_one_lands_and_the_other_says_which_did() {
    let stage = Stage::new()
        .tell("gemini.edit", MEET)
        .tell("claude.edit", "echo \"hello $WHICH\" > greeting.txt\n");
    let [a, b] = both(&stage);
    let (landed, other, greeting) = if a.code == 0 {
        (a, b, "hello a\n")
    } else {
        (b, a, "hello b\n")
    };
    assert_eq!(
        (landed.code, other.code),
        (0, 1),
        "{}\n{}",
        landed.stderr,
        other.stderr
    );
    assert_eq!(stage.greeting(), greeting);
    let runs = stage.run(&["runs"]).stdout;
    let id = runs
        .lines()
        .find(|line| line.contains("  landed "))
        .unwrap();
    let id = id.split(' ').next().unwrap();
    for said in [
        &format!("for the run {id} changed the same files meanwhile"),
        "`greeting.txt`",
        "--3way",
    ] {
        assert!(other.stderr.contains(said), "{said}: {}", other.stderr);
    }
}

#[test]
fn of_many_undos_at_once_one_says_that_it_was_the_one() {
    let stage = Stage::new();
    assert_eq!(stage.plan_exec(&[]).code, 0);
    let start = |_| {
        let mut command = stage.command(&["undo"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let all: Vec<Child> = (0..6).map(start).collect();
    let runs = all.into_iter();
    let runs = runs.map(|child| Run::from(child.wait_with_output().unwrap()));
    let n_undone = runs.filter(|run| run.code == 0).count();
    assert_eq!((n_undone, stage.greeting().as_str()), (1, "hello\n"));
}

#[test]
fn who_wants_to_land_waits_and_then_names_who_lands() {
    const OTHER: &str = "20260101-000000-000-0a";
    // For how long the lock is held, and the exit code that comes of it.
    for (held, code) in [
        (Duration::from_millis(1500), 0),
        (Duration::from_mins(1), 2),
    ] {
        let stage = Stage::new().tell(
            "claude.edit",
            "sleep 0.3; echo 'hello world' > greeting.txt\n",
        );
        let folder = stage.repo.root().join(".twostep");
        std::fs::create_dir(&folder).unwrap();
        let hold = || {
            std::fs::write(folder.join("lock"), OTHER).unwrap();
            let lock = std::fs::File::open(folder.join("lock")).unwrap();
            lock.lock().unwrap();
            lock
        };
        let run = start(&stage, "a", &["--check", CHECK]);
        // The plan is written by then: that wants the lock, too.
        let begun = std::time::Instant::now();
        while !stage.repo.root().join("AI-PLAN.md").exists() {
            assert!(begun.elapsed() < Duration::from_mins(1));
            std::thread::sleep(Duration::from_millis(2));
        }
        let lock = hold();
        let release = std::thread::spawn(move || {
            if held < Duration::from_mins(1) {
                std::thread::sleep(held);
                return None;
            }
            Some(lock)
        });
        let run = Run::from(run.wait_with_output().unwrap());
        assert_eq!(run.code, code, "{}", run.stderr);
        let id = stage.last_run();
        let id = id.file_name().unwrap().to_str().unwrap();
        if code == 2 {
            for said in [
                &format!("the run {OTHER} is landing"),
                &format!("`twostep runs resume {id}`"),
            ] {
                assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
            }
            assert_eq!(stage.greeting(), "hello\n");
        }
        drop(release.join().unwrap());
        if code == 2 {
            let waited = stage.run(&["runs", "wait"]);
            assert_eq!(waited.code, 2, "{}", waited.stderr);
            let resumed = stage.run(&["runs", "resume"]);
            assert_eq!(resumed.code, 0, "{}", resumed.stderr);
        }
        assert_eq!(stage.greeting(), "hello world\n");
    }
}
