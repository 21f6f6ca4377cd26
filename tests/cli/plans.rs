//! Plans that are wrong, on the way back to who made them.

use serde_json::json;

use super::plan_exec::{PLAN, Stage};
use super::read;

/// Runs a script in the user's tree.
fn shell(stage: &Stage, script: &str) {
    let mut shell = std::process::Command::new("sh");
    let status = shell
        .args(["-c", script])
        .current_dir(stage.repo.root())
        .status();
    assert!(status.unwrap().success(), "{script}");
}

/// The plan with another file in it.
fn naming(file: &str) -> String {
    PLAN.replace("greeting.txt", file)
}

#[test]
fn a_file_that_git_renamed_is_found_under_its_new_name() {
    let stage = Stage::new();
    let git = "git -c user.name=t -c user.email=t@example.invalid";
    let script =
        format!("{git} commit -qm one && git mv greeting.txt hello.txt && {git} commit -qm two");
    shell(&stage, &script);
    std::fs::write(
        stage.repo.root().join("plan.md"),
        "- change `greeting.txt`\n",
    )
    .unwrap();
    let told = stage.run(&["references", "plan.md"]);
    assert_eq!(
        (told.code, told.stdout.as_str(), told.stderr.as_str()),
        (0, "renamed    greeting.txt -> hello.txt (line 1)\n", "")
    );
    let paths = stage.run(&["references", "plan.md", "--paths"]);
    assert_eq!(paths.stdout, "hello.txt\n");
}

#[test]
fn what_a_plan_names_between_backticks_is_found_where_it_is_defined() {
    let stage = Stage::new();
    let source = "struct Parser;\n\nimpl Parser {\n    fn parse(&self) {\n    }\n}\n";
    std::fs::write(stage.repo.root().join("parser.rs"), source).unwrap();
    let plan = "Change `Parser::parse`; `Parser::other()` and `Other::parse` are not there.\n";
    std::fs::write(stage.repo.root().join("plan.md"), plan).unwrap();
    let told = stage.run(&["references", "plan.md"]);
    assert_eq!(
        (told.code, told.stdout.as_str(), told.stderr.as_str()),
        (0, "exact      Parser::parse -> parser.rs (line 1)\n", "")
    );
    let json = stage.run(&["references", "plan.md", "--json"]).json();
    assert_eq!(json[0]["lines"], json!([[4, 5]]));
}

#[test]
fn a_plan_that_names_what_is_not_there_goes_back_to_its_planner() {
    for (again, more, code, n_calls, said) in [
        // One conversation: what was said before is not said again.
        (
            PLAN.to_owned(),
            &[][..],
            0,
            2,
            "1 fault, sent back to the planner",
        ),
        // It stays wrong, for as many rounds as there are.
        (naming("greets.txt"), &[], 1, 3, "perhaps `greeting.txt`"),
        (
            naming("greets.txt"),
            &["--plan-rounds", "1"],
            1,
            2,
            "line 13: `greets.txt`",
        ),
        (
            PLAN.to_owned(),
            &["--plan-rounds", "0"],
            1,
            1,
            "`greetings.txt` (missing;",
        ),
        // It is carried out all the same.
        (
            naming("greets.txt"),
            &["--allow-missing", "--plan-rounds", "0"],
            0,
            1,
            "warning: ",
        ),
    ] {
        let stage = Stage::new()
            .tell("gemini.answer", &naming("greetings.txt"))
            .tell("gemini.again", &again);
        let run = stage.plan_exec(more);
        assert_eq!(run.code, code, "{more:?}: {}", run.stderr);
        assert!(run.stderr.contains(said), "{more:?}: {}", run.stderr);
        let folder = stage.last_run();
        let has = |n: usize| folder.join(format!("calls/{n:02}-planner")).exists();
        assert!(
            has(n_calls) && !has(n_calls + 1),
            "{more:?}: {}",
            run.stderr
        );
        let greeting = if code == 0 {
            "hello world\n"
        } else {
            "hello\n"
        };
        assert_eq!(stage.greeting(), greeting, "{more:?}");
        if n_calls > 1 {
            let prompt =
                String::from_utf8(read(&folder.join("calls/02-planner/prompt.md"))).unwrap();
            assert!(
                prompt.contains("- line 12: `greetings.txt` (missing; perhaps `greeting.txt`)")
                    && !prompt.contains("Greet the world."),
                "{prompt}"
            );
        }
    }
}

#[test]
fn a_plan_that_names_no_file_goes_back_too() {
    let stage = Stage::new()
        .tell(
            "gemini.answer",
            &PLAN.replace("`greeting.txt`", "the greeting"),
        )
        .tell("gemini.again", PLAN);
    let run = stage.run(&["plan", "spec.md", "-o", "P.md"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("names no file of the repository"),
        "{}",
        run.stderr
    );
    let plan = String::from_utf8(read(&stage.repo.root().join("P.md"))).unwrap();
    assert!(plan.contains("- change `greeting.txt`"), "{plan}");
}

#[test]
fn who_keeps_no_conversation_is_told_all_again() {
    let script = "cat > prompt; if grep -q 'What you answered' prompt; then cat \"$0.again\"; else cat \"$0.answer\"; fi\n";
    let stage = Stage::new()
        .tell("mine", script)
        .tell("mine.answer", &naming("greetings.txt"))
        .tell("mine.again", PLAN);
    let program = stage.repo.beside("bin/mine");
    let text = format!(
        "[agent.mine]\ncommand = [\"sh\", \"{}\"]\nmodel = \"gemini-3.1-pro-preview\"\n",
        program.display()
    );
    stage.repo.config("agents.toml", text);
    let run = stage.plan_exec(&["--planner", "mine"]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (0, "hello world\n"),
        "{}",
        run.stderr
    );
    let prompt = stage.last_run().join("calls/02-planner/prompt.md");
    let prompt = String::from_utf8(read(&prompt)).unwrap();
    let places = [
        "<file path=\"greeting.txt\">",
        "Greet the world.",
        "# What you answered",
        "`greetings.txt` (missing;",
    ];
    let places: Vec<Option<usize>> = places.iter().map(|text| prompt.rfind(text)).collect();
    assert!(
        places.is_sorted() && places[0].is_some(),
        "{places:?}: {prompt}"
    );
}

#[test]
fn what_has_changed_since_a_plan_was_made_is_told_before_it_is_carried_out() {
    let exec =
        |stage: &Stage, more: &[&str]| stage.run(&[&["exec", "P.md", "--yes"], more].concat());
    for (what, change, told) in [
        (
            "changed",
            "echo hi > greeting.txt",
            Some("`greeting.txt` (changed)"),
        ),
        (
            "gone",
            "mv greeting.txt x",
            Some("names one file that cannot be resolved"),
        ),
        ("another", "echo hi > other.txt", None),
        // The plan that wants the same landed meanwhile.
        ("ours", "", None),
    ] {
        let stage = Stage::new().tell("claude.edit", "echo more >> greeting.txt\n");
        assert_eq!(stage.run(&["plan", "spec.md", "-o", "P.md"]).code, 0);
        if change.is_empty() {
            assert_eq!(
                stage.run(&["plan-exec", "spec.md", "--yes"]).code,
                0,
                "{what}"
            );
        } else {
            shell(&stage, change);
        }
        let before = std::fs::read(stage.repo.root().join("greeting.txt")).ok();
        let run = exec(&stage, &[]);
        let Some(told) = told else {
            assert_eq!(run.code, 0, "{what}: {}", run.stderr);
            continue;
        };
        assert_eq!(run.code, 1, "{what}: {}", run.stderr);
        assert!(run.stderr.contains(told), "{what}: {}", run.stderr);
        assert!(!stage.last_run().join("calls").exists(), "{what}");
        assert_eq!(
            std::fs::read(stage.repo.root().join("greeting.txt")).ok(),
            before
        );
        if what == "changed" {
            let id = stage.last_run();
            let id = id.file_name().unwrap().to_str().unwrap();
            let resume = format!("`twostep runs resume {id} -- --accept-drift`");
            assert!(run.stderr.contains(&resume), "{}", run.stderr);
            let report = String::from_utf8(read(&stage.last_run().join("report.md"))).unwrap();
            assert!(report.contains(&resume), "{report}");
            let run = stage.run(&["runs", "resume", "--", "--accept-drift"]);
            assert_eq!(
                (run.code, stage.greeting().as_str()),
                (0, "hi\nmore\n"),
                "{}",
                run.stderr
            );
        }
    }
}

#[test]
fn a_change_is_held_against_the_plan_and_what_was_said() {
    let plan = PLAN.replace(
        "- change `greeting.txt`",
        "- change `greeting.txt`\n- change `test.sh`\n- create `new/notes.txt`",
    );
    let more = "echo 'hello world' > greeting.txt; echo x > spec.md; echo y > a.lock\n";
    let said = "Changed `greeting.txt` and updated `test.sh`.\n\nI also changed `kept.txt` and looked at `seen.txt`.\n";
    let files = |stage: Stage| {
        shell(&stage, "echo 1 > kept.txt; echo 1 > seen.txt");
        stage
    };
    let stage = files(
        Stage::new()
            .tell("gemini.answer", &plan)
            .tell("claude.edit", more)
            .tell("claude.answer", said),
    );
    let before = stage.state();
    let run = stage.plan_exec(&["--json", "--strict-audit"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(stage.state(), before);
    let run = stage.plan_exec(&["--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let audit = &run.json()["audit"];
    assert_eq!(
        audit["untouched"],
        serde_json::json!(["test.sh", "new/notes.txt"])
    );
    assert_eq!(audit["unplanned"], serde_json::json!(["a.lock", "spec.md"]));
    assert_eq!(audit["claimed"], serde_json::json!(["kept.txt"]));
    assert!(
        run.stderr
            .contains("audit     claimed, and not done: kept.txt"),
        "{}",
        run.stderr
    );
    let report = String::from_utf8(read(&stage.last_run().join("report.md"))).unwrap();
    assert!(
        report.contains("- touched, and not planned: `a.lock`"),
        "{report}"
    );
    // What was planned and told is told of no more.
    let stage = Stage::new();
    let run = stage.plan_exec(&["--strict-audit"]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (0, "hello world\n"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("audit "), "{}", run.stderr);
}

#[test]
fn a_plan_whose_run_is_gone_may_have_drifted() {
    let stage = Stage::new();
    assert_eq!(stage.run(&["plan", "spec.md", "-o", "P.md"]).code, 0);
    let report = String::from_utf8(read(&stage.last_run().join("report.md"))).unwrap();
    assert!(
        report.contains("`twostep exec P.md` carries the plan out"),
        "{report}"
    );
    std::fs::remove_dir_all(stage.last_run()).unwrap();
    let run = stage.run(&["exec", "P.md", "--yes"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("which made the plan, is gone"),
        "{}",
        run.stderr
    );
    let run = stage.run(&["runs", "resume", "--", "--accept-drift"]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (0, "hello world\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_the_user_protects_is_never_changed() {
    for (paths, code) in [
        ("[\"*.txt\"]", 1),
        ("[\"/greeting.txt\"]", 1),
        ("[\"/src/**\"]", 0),
        ("[]", 0),
        ("[\"!*.txt\"]", 2),
        ("[\"[\"]", 2),
        ("3", 2),
    ] {
        let stage = Stage::new();
        stage
            .repo
            .config("protected.toml", format!("paths = {paths}\n"));
        let run = stage.plan_exec(&[]);
        assert_eq!(run.code, code, "{paths}: {}", run.stderr);
        let greeting = if code == 0 {
            "hello world\n"
        } else {
            "hello\n"
        };
        assert_eq!(stage.greeting(), greeting, "{paths}");
        if code == 1 {
            assert!(
                run.stderr
                    .contains("the plan changes what your protected.toml names: `greeting.txt`"),
                "{}",
                run.stderr
            );
            // Before the executor is asked.
            assert!(!run.stderr.contains("executor  asking"), "{}", run.stderr);
        }
        if code == 2 && paths != "[\"!*.txt\"]" {
            assert!(
                run.stderr.contains("cannot use your protected paths"),
                "{}",
                run.stderr
            );
        }
    }
}

#[test]
fn a_program_is_told_what_cannot_be_resolved_and_what_it_may_be() {
    let stage = Stage::new().tell("gemini.answer", &naming("greets.txt"));
    let run = stage.plan_exec(&["--plan-rounds", "0", "--json"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let told = &run.json()["references"][0];
    assert_eq!(
        (&told["written"], &told["status"], &told["paths"]),
        (
            &json!("greets.txt"),
            &json!("missing"),
            &json!(["greeting.txt"])
        ),
        "{told}"
    );
}

#[test]
fn dependencies_that_cannot_hold_are_warned_of() {
    for (needs, told) in [
        ("none", None),
        (
            "step 9",
            Some("step 1 depends on step 9, which is not there"),
        ),
        (
            "step 1",
            Some("steps depend on each other in a circle: 1 needs 1"),
        ),
    ] {
        let stage = Stage::new();
        let plan =
            format!("# P\n\n### Step 1: Greet\n\n- change `greeting.txt`\n\nDepends on: {needs}\n");
        std::fs::write(stage.repo.root().join("plan.md"), plan).unwrap();
        let run = stage.run(&["exec", "plan.md", "--dry-run"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let warned = run.stderr.contains("warning: in the plan, line 3: ");
        assert_eq!(warned, told.is_some(), "{needs}: {}", run.stderr);
        assert!(
            run.stderr.contains(told.unwrap_or_default()),
            "{needs}: {}",
            run.stderr
        );
    }
}
