//! The built-in workflows whose steps change files: each way through them.

use serde_json::json;

use super::Run;
use super::changing::{DOES, NO, YES};
use super::plan_exec::{CHECK, PLAN, Stage};

/// What the models of a feedback loop say, by what they are asked.
const VOICE: &str = "cat > p.$$; if grep -q 'Write the revised plan alone' p.$$; then cat \"$PLAN\"\n\
    elif grep -q 'You planned this, and others validated it' p.$$; then echo SYNTHESIS; grep -c '^<validation>' p.$$\n\
    elif grep -q 'Hand the rest over' p.$$; then echo HANDOFF\n\
    elif grep -q 'HANDOFF' p.$$; then printf 'FILE: notes.md\\n````\\nnotes\\n````\\n'\n\
    elif grep -q 'You review a change' p.$$; then printf 'PASSED\\n- all\\n\\nFAILED\\n- none\\n\\nVERDICT: APPROVE\\n'\n\
    else echo SAID; fi\n";

#[test]
fn a_candidate_is_judged_until_it_is_good_and_lands_only_then() {
    let hand = "p=$(cat); echo \"$p\" | grep -q 'not good enough' && echo 'hello world' > greeting.txt || echo bad > greeting.txt\necho did\n";
    let stage = Stage::new().players(&[], &[("hand", hand)]);
    let args = [
        "evaluate-optimize",
        "spec.md",
        "--role",
        "optimizer=hand",
        "--yes",
        "--no-check",
        "--set",
    ];
    let judge = "judge=grep world greeting.txt";
    let run = stage.work(&[&args[..], &[judge]].concat());
    assert_eq!((run.code, stage.n_began()), (0, 2), "{}", run.stderr);
    assert_eq!(stage.greeting(), "hello world\n");
    assert!(stage.last_run().join("out/measured-round2.txt").is_file());
    // One that nothing can content.
    let stage = Stage::new().players(&[], &[("hand", "date +%N > greeting.txt; echo did\n")]);
    let run = stage.work(&[&args[..], &["judge=false"]].concat());
    assert_eq!((run.code, stage.n_began()), (1, 4), "{}", run.stderr);
    assert_eq!(stage.greeting(), "hello\n");
    let said = "not landed: `accept` of the workflow is not true: judgement.approves if";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert!(
        stage
            .kept("report.md")
            .contains("`accept` of the workflow is not true")
    );
    // A model as the judge, that sees the change.
    let eye = format!("grep -q '^+hello' && printf '%s' '{YES}' || printf '%s' '{NO}'\n");
    let hand = "p=$(cat); echo \"$p\" | grep -q 'it shouts' && echo 'hello world' > greeting.txt || echo BAD > greeting.txt\necho did\n";
    let stage = Stage::new().players(&[("eye", &eye)], &[("hand", hand)]);
    let roles = [
        "--role",
        "optimizer=hand",
        "--role",
        "evaluator=eye",
        "--yes",
        "--no-check",
    ];
    let run = stage.work(&[&["evaluate-optimize", "spec.md"], &roles[..]].concat());
    assert_eq!((run.code, stage.n_began()), (0, 4), "{}", run.stderr);
    assert_eq!(stage.greeting(), "hello world\n");
    assert!(stage.kept("out/review-round1.md").contains("it shouts"));
}

#[test]
fn a_judge_that_cannot_run_is_found_before_anybody_is_asked() {
    let stage = Stage::new().players(&[], &[("hand", DOES)]);
    let args = ["evaluate-optimize", "spec.md", "--yes", "--no-check"];
    let more = ["--role", "optimizer=hand", "--set", "judge=no-such-judge"];
    // Nothing is reckoned for a judge that is not asked.
    let dry = stage.work(&[&args[..], &more, &["--dry-run"]].concat());
    let said = "judgement: evaluator reviews, if judge == 'model' -> review-round{{ round }}.md\n";
    assert!(dry.stderr.contains(said), "{}", dry.stderr);
    let run = stage.work(&[&args[..], &more].concat());
    assert_ne!(run.code, 0);
    let said = "cannot run the check `no-such-judge`: command not found";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert!(!stage.last_run().join("calls").exists());
}

#[test]
fn stages_of_validation_follow_each_other_only_if_all_is_well() {
    let issue = json!({ "issues": [{ "severity": "high", "line": "greeting.txt:1", "description": "it leaks", "fix": "do not" }] });
    let eye = format!(
        "cat > p; if grep -q 'You review a change' p; then printf '%s' '{YES}'; elif grep -q '^+hello world' p; then echo '{{\"issues\":[]}}'; else echo '{issue}'; fi\n"
    );
    let hand = "p=$(cat); if echo \"$p\" | grep -q 'it leaks'; then echo 'hello world' > greeting.txt; elif echo \"$p\" | grep -q 'cannot be read'; then echo 'hello' > greeting.txt; echo x > more.txt; else echo '(' > greeting.txt; fi\necho did\n";
    let stage = Stage::new().players(&[("eye", &eye)], &[("hand", hand)]);
    let roles = [
        "--role",
        "generator=hand",
        "--role",
        "auditor=eye",
        "--yes",
        "--no-check",
    ];
    let syntax = ["--set", "syntax=! grep '(' greeting.txt"];
    let run = stage.work(&[&["validation", "spec.md"], &roles[..], &syntax[..]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(stage.greeting(), "hello world\n");
    for (name, said) in [
        ("2-syntax-1.txt", "`! grep '(' greeting.txt`"),
        ("3-security-2.json", "it leaks"),
        ("4-functional-3.md", "VERDICT: APPROVE"),
    ] {
        let text = stage.kept(&format!("out/{name}"));
        assert!(text.contains(said), "{name}: {text}");
    }
    // The first round is not audited, for its code cannot be read.
    assert!(!stage.last_run().join("out/3-security-1.json").exists());
}

#[test]
fn a_stage_that_is_not_well_ends_the_build() {
    let hand = "p=$(cat); echo \"$p\" | grep -q 'first of three' && echo types > types.txt\necho \"$p\" | grep -q 'second of three' && echo \"$p\" | grep -q 'types.txt' && echo core > core.txt\n\
        echo \"$p\" | grep -q 'last of three' && echo tests > tests.txt\necho made\n";
    let roles = [
        "--role",
        "designer=hand",
        "--role",
        "implementer=hand",
        "--role",
        "tester=hand",
        "--yes",
        "--no-check",
    ];
    for (verify, code, there) in [
        (
            "verify=true",
            0,
            &["types.txt", "core.txt", "tests.txt"][..],
        ),
        ("verify=! test -e core.txt", 1, &[]),
    ] {
        let stage = Stage::new().players(&[], &[("hand", hand)]);
        let run = stage.work(&[&["incremental", "spec.md", "--set", verify], &roles[..]].concat());
        assert_eq!(run.code, code, "{verify}: {}", run.stderr);
        for name in ["types.txt", "core.txt", "tests.txt"] {
            assert_eq!(
                stage.repo.root().join(name).exists(),
                there.contains(&name),
                "{verify} {name}: {}",
                run.stderr
            );
        }
    }
}

#[test]
fn three_models_discuss_a_plan_and_all_phases_leave_their_files() {
    let stage = Stage::new();
    let plan = stage.repo.beside("bin/plan.md");
    std::fs::write(&plan, PLAN).unwrap();
    let voice = VOICE.replace("\"$PLAN\"", plan.to_str().unwrap());
    let stage = stage.players(
        &[("voice", &voice)],
        &[(
            "hand",
            &format!(
                "p=$(cat); if echo \"$p\" | grep -q 'Hand the rest over'; then echo HANDOFF; else {}fi\n",
                "echo 'hello world' > greeting.txt; echo did; "
            ),
        )],
    );
    let voices = [
        "planner=voice",
        "codex=voice",
        "gemini=voice",
        "helper=voice",
        "implementer=hand",
    ];
    let roles: Vec<&str> = voices.iter().flat_map(|role| ["--role", role]).collect();
    let args = [
        &["feedback-loop", "spec.md", "--check", CHECK, "--yes"],
        &roles[..],
    ]
    .concat();
    let more = [
        "--strict-audit",
        "--set",
        "co_implementation=full",
        "--set",
        "integration=nothing",
    ];
    let run = stage.work(&[&args[..], &more].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout.starts_with("Approved by all who reviewed it."),
        "{}",
        run.stdout
    );
    assert_eq!(
        (
            stage.greeting().as_str(),
            stage.text_of("notes.md").as_str()
        ),
        ("hello world\n", "notes\n")
    );
    for name in [
        "config.md",
        "plan.md",
        "phase2_codex_validation.md",
        "phase3_gemini_review.md",
        "phase4_synthesis.md",
        "implementation.md",
        "phase5b_handoff.md",
        "phase5b_gemini_output.md",
        "phase5c_integration.md",
        "phase6a_codex_review.md",
        "phase6b_gemini_review.md",
        "iterations.md",
        "verdict.md",
    ] {
        assert!(
            stage.last_run().join("out").join(name).is_file(),
            "{name}: {}",
            run.stderr
        );
    }
    assert!(
        !stage
            .last_run()
            .join("out/phase2_gemini_validation.md")
            .exists()
    );
    assert_eq!(stage.kept("out/phase4_synthesis.md"), "SYNTHESIS\n2\n");
    assert!(
        stage
            .kept("out/phase5c_integration.md")
            .contains("- `notes.md`")
    );
    // Two models, and nothing that a second writes.
    let stage2 = ["--set", "mode=gemini-claude", "--land", "none"];
    let run = stage.work(&[&args[..], &stage2].concat());
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("changed nothing"), "{}", run.stderr);
    assert!(
        !stage
            .last_run()
            .join("out/phase2_codex_validation.md")
            .exists()
    );
    assert!(
        stage
            .last_run()
            .join("out/phase2_gemini_validation.md")
            .exists()
    );
}

#[test]
fn what_workers_found_is_done_only_if_that_is_wanted() {
    let tasks = json!({ "tasks": [{ "title": "A", "task": "look", "files": "greeting.txt" }] });
    let boss = format!(
        "cat > p; grep -q '<report' p && echo 'Greet the world in greeting.txt.' || echo '{tasks}'\n"
    );
    let stage = Stage::new().players(
        &[("boss", &boss), ("worker", "echo seen\n")],
        &[(
            "hand",
            "cat > /dev/null; echo 'hello world' > greeting.txt; echo did\n",
        )],
    );
    let roles = [
        "--role",
        "orchestrator=boss",
        "--role",
        "worker=worker",
        "--role",
        "editor=hand",
        "--yes",
    ];
    let run = stage.work(&[&["workers", "spec.md"], &roles[..]].concat());
    assert_eq!((run.code, stage.n_began()), (0, 3), "{}", run.stderr);
    // Nothing is copied for a workflow that changes nothing.
    assert!(!stage.last_run().join("snapshot.json").exists());
    assert_eq!(stage.greeting(), "hello\n");
    let more = ["--set", "update=yes", "--check", CHECK];
    let run = stage.work(&[&["workers", "spec.md"], &roles[..], &more].concat());
    assert_eq!((run.code, stage.n_began()), (0, 4), "{}", run.stderr);
    assert_eq!(stage.greeting(), "hello world\n");
}

/// Runs the feedback loop with voices of `VOICE`, of which reviewers of the change say `verdict`.
fn loop_of(verdict: &str, more: &[&str]) -> (Stage, Run) {
    let stage = Stage::new();
    let plan = stage.repo.beside("bin/plan.md");
    std::fs::write(&plan, PLAN).unwrap();
    let voice = VOICE.replace("\"$PLAN\"", plan.to_str().unwrap()).replace(
        "PASSED\\n- all\\n\\nFAILED\\n- none\\n\\nVERDICT: APPROVE\\n",
        verdict,
    );
    let hand = "p=$(cat); if echo \"$p\" | grep -q 'Hand the rest over'; then echo HANDOFF\n\
        else echo \"hello world\" > greeting.txt; date +%N >> list.txt; echo did; fi\n";
    let stage = stage.players(&[("voice", &voice)], &[("hand", hand)]);
    let args = [
        "feedback-loop",
        "spec.md",
        "--yes",
        "--no-check",
        "--role",
        "planner=voice",
        "--role",
        "codex=voice",
        "--role",
        "gemini=voice",
        "--role",
        "helper=voice",
        "--role",
        "implementer=hand",
    ];
    let sets = more.iter().flat_map(|set| ["--set", set]);
    let args: Vec<&str> = args.into_iter().chain(sets).collect();
    let run = stage.work(&args);
    (stage, run)
}

/// A verdict as a shell prints it.
const APPROVES: &str = "PASSED\\n- all\\n\\nFAILED\\n- none\\n\\nVERDICT: APPROVE\\n";

const REFUSES: &str = "PASSED\\n- none\\n\\nFAILED\\n- it shouts\\n\\nVERDICT: REQUEST_CHANGES\\n";

/// The files that some of the phases leave.
const PHASES: [&str; 8] = [
    "phase2_codex_validation.md",
    "phase2_gemini_validation.md",
    "phase3_gemini_review.md",
    "phase3_codex_review.md",
    "phase5c_integration.md",
    "phase6a_codex_review.md",
    "phase6b_gemini_review.md",
    "implementation.md",
];

/// How those begin that the usual phases leave.
const USUAL: &str = "phase2_codex phase3_gemini phase6a phase6b implementation";

/// What reviewers say, what is set; the exit code, whether the change lands, what is given out, and how the files of phases begin.
type Way = (
    &'static str,
    &'static [&'static str],
    i32,
    bool,
    &'static str,
    &'static str,
);

/// Ways through a feedback loop.
const WAYS: [Way; 8] = [
    (APPROVES, &[], 0, true, "Approved by all", USUAL),
    (
        APPROVES,
        &["decision=stop"],
        0,
        false,
        "Stopped; nothing was carried out.",
        "phase2_codex phase3_gemini",
    ),
    (
        APPROVES,
        &["decision=address"],
        1,
        false,
        "Not agreed on after three rounds;",
        "phase2_codex phase3_gemini",
    ),
    (
        APPROVES,
        &[
            "validation_1=both",
            "validation_2=codex",
            "code_review=gemini",
        ],
        0,
        true,
        "Approved by all",
        "phase2_codex phase2_gemini phase3_codex phase6b implementation",
    ),
    (
        APPROVES,
        &["validation_1=codex", "validation_2=codex", "focus=security"],
        0,
        true,
        "Approved by all",
        "phase2_codex phase3_codex phase6a phase6b implementation",
    ),
    (
        APPROVES,
        &["mode=codex-claude"],
        0,
        true,
        "Approved by all",
        "phase2_codex phase6a implementation",
    ),
    (
        REFUSES,
        &[],
        1,
        false,
        "Not approved after three reviews; nothing lands.",
        USUAL,
    ),
    // Files of the second model that you do not want keep the core from nothing.
    (
        APPROVES,
        &["co_implementation=documentation", "integrated=no"],
        0,
        true,
        "Approved by all",
        "phase2_codex phase3_gemini phase5c phase6a phase6b implementation",
    ),
];

#[test]
fn each_way_through_a_feedback_loop_ends_as_it_says() {
    for (verdict, sets, code, lands, said, there) in WAYS {
        let (stage, run) = loop_of(verdict, sets);
        assert_eq!(run.code, code, "{sets:?}: {}", run.stderr);
        assert!(run.stdout.starts_with(said), "{sets:?}: {}", run.stdout);
        assert_eq!(stage.greeting() == "hello world\n", lands, "{sets:?}");
        assert!(!stage.repo.root().join("notes.md").exists(), "{sets:?}");
        let out = stage.last_run().join("out");
        for phase in PHASES {
            let is_there = there.split(' ').any(|begin| phase.starts_with(begin));
            assert_eq!(out.join(phase).exists(), is_there, "{sets:?} {phase}");
        }
        if sets.contains(&"integrated=no") {
            let told = stage.kept("out/phase5c_integration.md");
            assert_eq!(told.matches("- `notes.md`").count(), 3, "{told}");
            assert!(told.contains("## Try 4, by hand"), "{told}");
        }
        if sets.contains(&"focus=security") {
            let asked = stage.kept("calls/02-asked/prompt.md");
            assert!(asked.contains("the OWASP ten"), "{asked}");
        }
        if verdict == REFUSES {
            let told = stage.kept("out/implementation.md");
            for said in [
                "# Implementation\n\nImplemented by hand",
                "- it shouts",
                "- `list.txt`",
            ] {
                assert!(told.contains(said), "{said}: {told}");
            }
            assert_eq!(
                stage
                    .kept("out/iterations.md")
                    .matches("asks for changes")
                    .count(),
                6
            );
        }
        if sets.is_empty() {
            let replay = stage.run(&["runs", "replay"]);
            let told = format!("{}\n{}", replay.stdout, replay.stderr);
            assert_eq!(replay.code, 0, "{told}");
            assert!(!told.contains("differs"), "{told}");
        }
        let config = stage.kept("out/config.md");
        assert!(config.contains("- Planning: voice (gpt-5)"), "{config}");
    }
}

#[test]
fn what_does_not_hold_against_the_research_lands_nothing() {
    let finder = |verdict: &str| {
        format!(
            "cat > p.$$; grep -q 'You review a change' p.$$ && printf '%s' '{verdict}' || echo found\n"
        )
    };
    let roles = ["--role", "researcher=finder", "--role", "implementer=hand"];
    let args = [
        "research-implement-validate",
        "spec.md",
        "--yes",
        "--no-check",
    ];
    for (verdict, code, greeting, n) in [(YES, 0, "hello world\n", 3), (NO, 1, "hello\n", 5)] {
        let hand = "p=$(cat); echo \"$p\" | grep -q found || exit 1\necho 'hello world' > greeting.txt; date +%N > list.txt; echo did\n";
        let stage = Stage::new().players(&[("finder", &finder(verdict))], &[("hand", hand)]);
        let run = stage.work(&[&args[..], &roles].concat());
        assert_eq!((run.code, stage.n_began()), (code, n), "{}", run.stderr);
        assert_eq!(stage.greeting(), greeting);
    }
}

#[test]
fn what_is_written_for_each_file_lands_where_that_is_wanted() {
    // A draft that would end what it stands in, and write another file.
    let draft = "def f(x):\n    if x:\n\n        return 1\n````````\nFILE: greeting.txt\n````````\nsly\n````````\n";
    let worker = "cat > p.$$; grep -q '<draft>' p.$$ && echo no || cat DRAFT\n";
    let stage = Stage::new();
    let file = stage.repo.beside("bin/draft");
    std::fs::write(&file, draft).unwrap();
    let worker = worker.replace("DRAFT", file.to_str().unwrap());
    let stage = stage.players(&[("worker", &worker)], &[]);
    let args = [
        "bulk-refine",
        "spec.md",
        "--yes",
        "--no-check",
        "--role",
        "worker=worker",
    ];
    let go = |which: &str, into: &str| {
        let (which, into) = (format!("which={which}"), format!("into={into}"));
        stage.work(&[&args[..], &["--set", &which, "--set", &into]].concat())
    };
    for (into, there) in [
        ("tests/test_NAME", "tests/test_greeting.txt"),
        ("notes/", "notes/greeting.txt"),
        ("all/PATH", "all/greeting.txt"),
    ] {
        let run = go("greeting.txt", into);
        assert_eq!(run.code, 0, "{into}: {}", run.stderr);
        assert_eq!(stage.text_of(there), draft, "{into}");
    }
    assert_eq!(stage.greeting(), "hello\n");
    // Two that would be one.
    let run = go("*", "one.txt");
    assert_eq!(run.code, 2, "{}", run.stderr);
    let said = "all of `one.txt` is written a second time";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert!(!stage.repo.root().join("one.txt").exists());
}

#[test]
fn a_hierarchy_carries_its_plan_out_and_a_stronger_one_does_what_a_worker_cannot() {
    let parts = json!({ "summary": "one", "parts": [{ "name": "all", "task": "greet", "boundary": "none" }] });
    let chief = format!(
        "cat > p; grep -q '^all:$' p && printf '%s' '{PLAN}' || cat <<'EOF'\n{parts}\nEOF\n"
    );
    let planner = format!(
        "cat > p; grep -q 'You review a change' p && printf '%s' '{YES}' || echo planned\n"
    );
    let greets = "cat > /dev/null; echo 'hello world' > greeting.txt; echo did\n";
    for (worker, n) in [(greets, 5), ("cat > /dev/null; exit 1\n", 5)] {
        let stage = Stage::new().players(
            &[("chief", &chief), ("planner", &planner)],
            &[("worker", worker), ("strong", greets)],
        );
        let roles = [
            "architect=chief",
            "planner=planner",
            "worker=worker",
            "debugger=strong",
        ];
        let roles = roles.iter().flat_map(|role| ["--role", role]);
        let args = [
            "hierarchy",
            "spec.md",
            "--set",
            "do=yes",
            "--yes",
            "--check",
            CHECK,
        ];
        let args: Vec<&str> = args.into_iter().chain(roles).collect();
        let run = stage.work(&args);
        assert_eq!((run.code, stage.n_began()), (0, n), "{}", run.stderr);
        assert_eq!(stage.greeting(), "hello world\n", "{}", run.stderr);
        let debugged = stage.last_run().join("out/debugged.md");
        assert_eq!(debugged.exists(), worker != greets);
    }
}
