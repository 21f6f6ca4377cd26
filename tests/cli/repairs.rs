//! Changes that are not good at once: what checks and reviewers find goes back to who made them.

use super::plan_exec::Stage;
use super::{Run, read};

fn text(stage: &Stage, name: &str) -> String {
    String::from_utf8(read(&stage.last_run().join(name))).unwrap()
}

/// A stage whose executor gets it right the `n`th time.
fn right_at(n: usize) -> Stage {
    // It writes in its folder and nowhere else: what it tried before stands there.
    let script = format!(
        "n=$(sed -n 's/^try //p' greeting.txt); n=$((n + 1))\n\
         if [ $n -ge {n} ]; then echo 'hello world' > greeting.txt; else echo \"try $n\" > greeting.txt; fi\n"
    );
    Stage::new().tell("claude.edit", &script).tell(
        "codex.answer",
        "PASSED\n- all\n\nFAILED\n- none\n\nVERDICT: APPROVE\n",
    )
}

/// The check of these tests, which says why it fails.
const LOUD: &str = "grep 'hello world' greeting.txt || { echo \"error: greeting.txt says $(cat greeting.txt)\"; exit 3; }";

#[test]
fn a_check_that_fails_goes_back_to_the_executor() {
    for (n, more, code, n_calls) in [
        (1, &[][..], 0, 1),
        (2, &[], 0, 2),
        (3, &[], 0, 3),
        (4, &[], 1, 3),
        (2, &["--check-rounds", "0"], 1, 1),
    ] {
        let stage = right_at(n);
        let run = stage.run(&[&["plan-exec", "spec.md", "--yes", "--check", LOUD], more].concat());
        assert_eq!(run.code, code, "{n}: {}", run.stderr);
        let greeting = if code == 0 {
            "hello world\n"
        } else {
            "hello\n"
        };
        assert_eq!(stage.greeting(), greeting, "{n}: {}", run.stderr);
        let has = |n: usize| {
            stage
                .last_run()
                .join(format!("calls/{:02}-executor", n + 1))
                .exists()
        };
        assert!(has(n_calls) && !has(n_calls + 1), "{n}: {}", run.stderr);
        if n_calls > 1 {
            // In the conversation in which it worked, which knows the plan.
            let prompt = text(&stage, "calls/03-executor/prompt.md");
            assert!(
                prompt.contains("error: greeting.txt says try 1") && !prompt.contains("<plan>"),
                "{prompt}"
            );
            let said = text(&stage, "calls/03-executor/stderr");
            assert!(said.contains("--resume "), "{said}");
            assert!(
                run.stderr
                    .contains("1 check fails, sent back to it (round 1 of 2)"),
                "{}",
                run.stderr
            );
        }
        let replay = stage.run(&["runs", "replay"]);
        assert_eq!(replay.code, 0, "{n}: {}\n{}", replay.stdout, replay.stderr);
    }
}

#[test]
fn who_leaves_all_as_it_was_is_not_asked_for_ever() {
    let stage = Stage::new().tell("claude.edit", "echo wrong > greeting.txt\n");
    let run = stage.plan_exec(&["--check-rounds", "9"]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (1, "hello\n"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("1 of 1 checks failed (`sh test.sh` failed before the change, too)"),
        "{}",
        run.stderr
    );
    assert!(!stage.last_run().join("calls/04-executor").exists());
}

/// Says no so many times, and then yes; each time it is shown what the executor did.
pub(super) fn reviewer(n_no: usize) -> String {
    let no = "FAILED\\n- `greeting.txt:1`: the greeting lacks a full stop\\n\\nVERDICT: REQUEST_CHANGES\\n";
    let yes = "PASSED\\n- all\\n\\nFAILED\\n- none\\n\\nVERDICT: APPROVE\\n";
    format!(
        "n=$(cat \"$beside.n\" 2>/dev/null || echo 0); n=$((n + 1)); echo $n > \"$beside.n\"\n\
         if [ $n -le {n_no} ]; then printf '{no}'; else printf '{yes}'; fi > \"$beside.answer\"\n"
    )
}

#[test]
fn a_reviewer_says_whether_a_change_may_land() {
    for (n_no, code, n_reviews) in [(0, 0, 1), (2, 0, 3), (3, 1, 3)] {
        let stage = Stage::new()
            .tell("claude.edit", "echo 'hello world' >> greeting.txt\n")
            .tell("codex.edit", &reviewer(n_no));
        let run = stage.plan_exec(&["--reviewer", "codex", "--json"]);
        assert_eq!(run.code, code, "{n_no}: {}", run.stderr);
        let folder = stage.last_run();
        let has = |n: usize| folder.join(format!("review-{n}.md")).exists();
        assert!(
            has(n_reviews) && !has(n_reviews + 1),
            "{n_no}: {}",
            run.stderr
        );
        let lines = stage.greeting().lines().count();
        assert_eq!(lines, if code == 0 { 2 + n_no } else { 1 }, "{n_no}");
        let report = text(&stage, "report.md");
        assert!(report.contains("[review-1.md](<review-1.md>)"), "{report}");
        if n_no > 0 {
            let prompt = text(&stage, "calls/04-executor/prompt.md");
            assert!(
                prompt.contains("- `greeting.txt:1`: the greeting lacks a full stop"),
                "{prompt}"
            );
            let prompt = text(&stage, "calls/06-executor/prompt.md");
            assert!(
                prompt.contains("a full stop (said 2 times by now)"),
                "{prompt}"
            );
        }
        if code == 1 {
            for said in ["after 3 rounds", "a full stop (said 3 times)", "git -C "] {
                assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
            }
        }
        // It reads the change and has no memory of what it said before.
        let prompt = text(&stage, "calls/03-reviewer/prompt.md");
        for said in ["+hello world", "Greet the world", "`sh test.sh`: passed"] {
            assert!(prompt.contains(said), "{said}: {prompt}");
        }
        let replay = stage.run(&["runs", "replay"]);
        assert_eq!(
            replay.code, 0,
            "{n_no}: {}\n{}",
            replay.stdout, replay.stderr
        );
    }
}

#[test]
fn an_answer_that_is_no_review_lets_nothing_land() {
    for answer in [
        "Looks good to me!",
        "FAILED\n- a: b\n\nVERDICT: APPROVE",
        "VERDICT: APPROVE\nVERDICT: REQUEST_CHANGES",
    ] {
        let stage = Stage::new().tell("codex.answer", answer);
        let run = stage.plan_exec(&["--reviewer", "codex"]);
        assert_eq!(
            (run.code, stage.greeting().as_str()),
            (3, "hello\n"),
            "{answer}: {}",
            run.stderr
        );
        assert!(
            run.stderr.contains("is no review"),
            "{answer}: {}",
            run.stderr
        );
        let reply = stage.last_run().join("changes.patch");
        assert!(reply.is_file());
    }
}

#[test]
fn a_run_that_was_stopped_between_rounds_goes_on() {
    let stage = right_at(2);
    let run = stage.run(&[
        "plan-exec",
        "spec.md",
        "--yes",
        "--check",
        LOUD,
        "--reviewer",
        "codex",
        "--run-calls",
        "3",
    ]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (4, "hello\n"),
        "{}",
        run.stderr
    );
    // What checks say may be other words each time.
    let run = stage.run(&["runs", "resume", "--", "--run-calls", "9"]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (0, "hello world\n"),
        "{}",
        run.stderr
    );
    let calls = stage.last_run().join("calls").read_dir().unwrap().count();
    assert_eq!(calls, 4, "{}", run.stderr);
    assert_eq!(Run::of(stage.command(&["undo"])).code, 0);
    assert_eq!(stage.greeting(), "hello\n");
}

#[test]
fn who_reads_a_change_is_told_what_checks_said_last() {
    let stage = right_at(4);
    let run = stage.run(&["plan-exec", "spec.md", "--yes", "--check", LOUD]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let id = stage.last_run();
    let id = id.file_name().unwrap().to_str().unwrap();
    assert_eq!(stage.run(&["review", id]).code, 0);
    let prompt = text(&stage, "calls/01-reviewer/prompt.md");
    assert!(
        prompt.contains("error: greeting.txt says try 3") && !prompt.contains("says try 1"),
        "{prompt}"
    );
    // A program is told where there is no review, too.
    let stage = stage.tell("codex.answer", "Looks good to me!\n");
    let run = stage.run(&["review", id, "--json"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let told = run.json();
    assert_eq!((&told["exit"], &told["version"]), (&3.into(), &1.into()));
    assert!(
        told["error"].as_str().unwrap().contains("is no review"),
        "{told}"
    );
    let run = stage.run(&["review", "nosuch", "--json"]);
    assert_eq!((run.code, &run.json()["run"]), (2, &().into()));
}

#[test]
fn a_change_is_read_whenever_somebody_wants() {
    let no = "FAILED\n- `greeting.txt:1`: it lacks a full stop\n\nSUGGESTIONS\n- none\n\nVERDICT: REQUEST_CHANGES\n";
    let stage = Stage::new().tell("codex.answer", no);
    assert_eq!(stage.plan_exec(&[]).code, 0);
    let id = stage.last_run();
    let id = id.file_name().unwrap().to_str().unwrap();
    // That of a run, with all that is known of it.
    let run = stage.run(&["review", id]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(
        run.stdout,
        "FAILED\n- `greeting.txt:1`: it lacks a full stop\n\nVERDICT: REQUEST_CHANGES\n"
    );
    let prompt = text(&stage, "calls/01-reviewer/prompt.md");
    for said in ["+hello world", "<plan>", "Done.", "`sh test.sh`: passed"] {
        assert!(prompt.contains(said), "{said}: {prompt}");
    }
    assert_eq!(text(&stage, "review-1.md"), no);
    // That of the files, as a program reads it.
    stage.repo.run_git(&["commit", "-qm", "all"]);
    let args = ["review", "--json", "--plan", "spec.md"];
    let run = stage.run(&args);
    assert_eq!(
        (run.code, &run.json()["verdict"]),
        (1, &"request_changes".into()),
        "{}",
        run.stderr
    );
    assert_eq!(run.json()["failed"][0]["line"], 1);
    let prompt = text(&stage, "calls/01-reviewer/prompt.md");
    for said in ["+hello world", "Greet the world.", "None was run."] {
        assert!(prompt.contains(said), "{said}: {prompt}");
    }
    let stage = stage.tell("codex.answer", "VERDICT: APPROVE\n");
    let run = stage.run(&args);
    assert_eq!(
        (run.code, &run.json()["verdict"]),
        (0, &"approve".into()),
        "{}",
        run.stderr
    );
    assert_eq!(stage.greeting(), "hello world\n");
    for (args, code, said) in [
        (&["review", "nosuch"][..], 2, "there is no run `nosuch`"),
        (
            &["review", id, "--reviewer", "caller"],
            0,
            "you are the reviewer",
        ),
        (
            &["review", "--dry-run"],
            0,
            "stopped before any agent was asked",
        ),
    ] {
        let run = stage.run(args);
        assert_eq!(run.code, code, "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains(said), "{args:?}: {}", run.stderr);
    }
    stage.repo.run_git(&["commit", "-qam", "more"]);
    let run = stage.run(&["review"]);
    assert!(
        run.code == 2 && run.stderr.contains("nothing to review"),
        "{}",
        run.stderr
    );
}
