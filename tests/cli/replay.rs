//! Runs that are done again from their answers, and runs in which the caller plays a role.

use std::fs;

use super::plan_exec::{CHECK, PLAN, Stage};

#[test]
fn a_run_is_done_again_without_agents_whatever_became_of_the_files() {
    let stage = Stage::new();
    // A subfolder, a check that fails, and one that lands on a branch: each is done again as it was.
    for (words, code) in [(&[][..], 0), (&["--check", "false", "--force"], 1)] {
        fs::write(stage.repo.root().join("greeting.txt"), "hello\n").unwrap();
        let run = stage.plan_exec(words);
        assert_eq!(run.code, code, "{}", run.stderr);
        fs::write(stage.repo.root().join("later.txt"), "new\n").unwrap();
        let before = stage.greeting();
        let mut command = stage.repo.command(&["runs", "replay"]);
        command.env("PATH", "/nowhere");
        let again = super::Run::of(command);
        assert_eq!(again.code, 0, "{}", again.stderr);
        assert_eq!(
            again.stdout,
            "same     route.json\nsame     planner-pack.xml\nsame     AI-PLAN.md\nsame     references.json\n\
             same     executor-pack.xml\nsame     changes.patch\n",
            "{}",
            again.stderr
        );
        assert_eq!(stage.greeting(), before);
        fs::remove_file(stage.repo.root().join("later.txt")).unwrap();
    }
}

#[test]
fn what_a_replay_that_was_killed_left_is_cleared_first() {
    let stage = Stage::new();
    assert_eq!(stage.plan_exec(&[]).code, 0);
    let run = stage.last_run();
    let place = stage
        .repo
        .beside("home/.cache/twostep")
        .join(run.file_name().unwrap());
    for folder in ["files/repo", "repository/repo"] {
        fs::create_dir_all(place.join(folder)).unwrap();
        fs::write(place.join(folder).join("left.txt"), "left\n").unwrap();
    }
    let again = stage.run(&["runs", "replay"]);
    assert_eq!(again.code, 0, "{}\n{}", again.stdout, again.stderr);
    assert!(!place.exists());
}

#[test]
fn what_is_no_longer_as_it_was_is_named() {
    let stage = Stage::new();
    fs::write(stage.repo.root().join("untracked.txt"), "mine\n").unwrap();
    assert_eq!(stage.plan_exec(&[]).code, 0);
    let run = stage.last_run();
    // Another prompt than the one that was answered: as if a template had changed.
    let (prompt, call) = (
        run.join("calls/02-executor/prompt.md"),
        run.join("calls/02-executor/call.json"),
    );
    let kept = [fs::read(&prompt).unwrap(), fs::read(&call).unwrap()];
    let text = String::from_utf8(kept[0].clone()).unwrap();
    fs::write(&prompt, text.replacen("hello", "HELLO", 1)).unwrap();
    let json = String::from_utf8(kept[1].clone()).unwrap();
    fs::write(&call, json.replace("blake3:", "blake3:0")).unwrap();
    let again = stage.run(&["runs", "replay"]);
    assert_eq!(again.code, 1, "{}", again.stderr);
    assert!(
        again.stderr.contains("they differ from line") && again.stderr.contains("`hello`"),
        "{}",
        again.stderr
    );
    // Nothing of the copy is named, which is gone.
    for gone in ["hint: ", "the run ", ".cache"] {
        let said = again.stderr.replace("that the run ", "");
        assert!(!said.contains(gone), "{gone}: {}", again.stderr);
    }
    assert!(
        again.stdout.contains("same     executor-pack.xml"),
        "{}",
        again.stdout
    );
    assert!(
        again.stdout.contains("differs  changes.patch"),
        "{}",
        again.stdout
    );
    fs::write(&prompt, &kept[0]).unwrap();
    fs::write(&call, &kept[1]).unwrap();
    assert_eq!(stage.run(&["runs", "replay"]).code, 0);
    // A file that git does not have, and that is gone.
    fs::remove_file(stage.repo.root().join("untracked.txt")).unwrap();
    let again = stage.run(&["runs", "replay"]);
    assert_eq!(again.code, 2, "{}", again.stderr);
    assert!(
        again.stderr.contains("1 of the files") && again.stderr.contains("`untracked.txt`"),
        "{}",
        again.stderr
    );
}

#[test]
fn the_caller_plays_any_role() {
    let patch = "diff --git a/greeting.txt b/greeting.txt\n--- a/greeting.txt\n+++ b/greeting.txt\n\
        @@ -1 +1 @@\n-hello\n+hello world\n";
    // An executor is told what is wrong, and asked again; a planner is asked when the run goes on.
    for (role, bad, code, good) in [
        ("planner", "I have no plan.\n", 3, PLAN),
        ("executor", "no patch\n", 0, patch),
    ] {
        let stage = Stage::new();
        let option = format!("--{role}");
        let run = stage.plan_exec(&[&option, "caller", "--json"]);
        assert_eq!(run.code, 0, "{role}: {}", run.stderr);
        let outcome = run.json();
        assert_eq!(outcome["outcome"], "waiting", "{role}");
        let prompt = fs::read_to_string(outcome["prompt"].as_str().unwrap()).unwrap();
        assert!(prompt.contains("hello\n"), "{role}: {prompt}");
        assert!(
            run.stderr.contains("--answer FILE"),
            "{role}: {}",
            run.stderr
        );
        assert_eq!(stage.greeting(), "hello\n");
        assert!(stage.run(&["runs"]).stdout.contains("waiting"));
        let run = stage.run(&["runs", "resume"]);
        assert_eq!(run.code, 2, "{role}: {}", run.stderr);
        let file = stage.repo.beside("answer");
        for nothing in [&b""[..], b" \n"] {
            fs::write(&file, nothing).unwrap();
            let run = stage.run(&["runs", "resume", "--answer", file.to_str().unwrap()]);
            assert_eq!(run.code, 2, "{role}: {}", run.stderr);
            assert!(run.stderr.contains("the answer is empty"), "{}", run.stderr);
        }
        for (answer, code) in [(bad, code), (good, 0)] {
            fs::write(&file, answer).unwrap();
            let run = stage.run(&["runs", "resume", "--answer", file.to_str().unwrap()]);
            assert_eq!(run.code, code, "{role}: {}", run.stderr);
            if code != 0 {
                // The prompt is asked once more.
                let run = stage.run(&["runs", "resume"]);
                assert_eq!(
                    run.code,
                    0,
                    "{role}: {}\n{}",
                    run.stderr,
                    stage.run(&["runs", "show"]).stdout
                );
            }
        }
        assert_eq!(stage.greeting(), "hello world\n", "{role}");
    }
    let stage = Stage::new();
    let run = stage.run(&[
        "plan-exec",
        "spec.md",
        "--check",
        CHECK,
        "--yes",
        "--planner",
        "gemini,caller",
    ]);
    assert_eq!((run.code, stage.greeting().as_str()), (0, "hello world\n"));
}
