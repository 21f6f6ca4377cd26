//! What lands only if somebody agreed to it.

use super::Repo;
use super::changing::{DOES, of_steps};
use super::plan_exec::{PLAN, Stage};

const TESTS: &str =
    "def test_one():\n    assert one() == 1\n\ndef test_two():\n    assert two() == 2\n";

/// A repository with tests, whose executor edits with `script`, by the plan with `step` in it.
fn stage(step: &str, script: &str) -> Stage {
    let repo = Repo::new()
        .file("greeting.txt", "hello\n")
        .file("test.sh", "grep -q 'hello world' greeting.txt\n")
        .file("tests/test_a.py", TESTS)
        .file("long.txt", "line\n".repeat(66))
        .file("Makefile", "test:\n\tsh test.sh\n")
        .file("spec.md", "Greet the world.\n");
    let step = format!("- change `greeting.txt`\n{step}");
    Stage::of(repo.git())
        .tell(
            "gemini.answer",
            &PLAN.replace("- change `greeting.txt`", &step),
        )
        .tell(
            "claude.edit",
            &format!("echo 'hello world' > greeting.txt\n{script}\n"),
        )
}

/// What an executor does beside its task, what the plan says of it, what is told of it, and whether the plan speaks for it.
const CASES: &[(&str, &str, &str, bool)] = &[
    (
        "mkdir .github; echo 'on: push' > .github/ci.yml",
        "",
        "`.github/ci.yml`: it makes programs run",
        false,
    ),
    (
        "mkdir .github; echo 'on: push' > .github/ci.yml",
        "- create `.github/ci.yml`",
        "`.github/ci.yml`: it makes programs run",
        true,
    ),
    (
        "mkdir .github; echo 'on: push' > .github/ci.yml",
        "\nDo not touch `.github/ci.yml`.",
        "`.github/ci.yml`: it makes programs run",
        false,
    ),
    (
        "printf 'test:\\n\\ttrue\\n' > Makefile",
        "\nSee `Makefile`.",
        "`Makefile`: it says how the project is tested",
        false,
    ),
    (
        "echo 'x = 1' > conftest.py",
        "",
        "`conftest.py`: it says how the project is tested",
        false,
    ),
    (
        "echo 'x = 1' > conftest.py",
        "- create `conftest.py`",
        "`conftest.py`: it says how the project is tested",
        true,
    ),
    (
        "rm tests/test_a.py",
        "",
        "`tests/test_a.py`: a file of tests is deleted",
        false,
    ),
    (
        "rm tests/test_a.py",
        "\nInstead of deleting `tests/test_a.py`, fix it.",
        "`tests/test_a.py`: a file of tests is deleted",
        false,
    ),
    (
        "rm tests/test_a.py",
        "\n## Out of scope\n\n- delete `tests/test_a.py`",
        "`tests/test_a.py`: a file of tests is deleted",
        false,
    ),
    (
        "rm tests/test_a.py",
        "- change `tests/test_a.py`",
        "`tests/test_a.py`: a file of tests is deleted",
        false,
    ),
    (
        "rm tests/test_a.py",
        "- delete `tests/test_a.py`",
        "`tests/test_a.py`: a file of tests is deleted",
        true,
    ),
    (
        "sed -i '1i @pytest.mark.skip' tests/test_a.py",
        "- change `tests/test_a.py`",
        "`tests/test_a.py`: tests are skipped by `@pytest.mark.skip`",
        false,
    ),
    (
        "head -n 10 long.txt > x; mv x long.txt",
        "- change `long.txt`",
        "`long.txt`: 10 of its 66 lines are left",
        false,
    ),
    (
        "head -n 10 long.txt > x; mv x long.txt",
        "- change `long.txt`: remove the old lines",
        "`long.txt`: 10 of its 66 lines are left",
        true,
    ),
    (
        "echo 'exit 0' > test.sh",
        "",
        "`test.sh`: it says how the project is tested",
        false,
    ),
    (
        "printf 'test:\\n\\ttrue\\n' > Makefile",
        "",
        "`Makefile`: it says how the project is tested",
        false,
    ),
    (
        "printf 'test:\\n\\ttrue\\n' > Makefile",
        "- change `Makefile`",
        "`Makefile`: it says how the project is tested",
        true,
    ),
];

#[test]
fn what_tests_and_checks_see_less_by_lands_only_with_consent() {
    for (script, step, told, is_planned) in CASES {
        let stage = stage(step, script);
        let run = stage.plan_exec(&[]);
        assert!(
            run.stderr.contains(told),
            "{script}: {told}: {}",
            run.stderr
        );
        let shown = run.stderr.contains("consent   `");
        assert!(shown, "{script}: {}", run.stderr);
        if *is_planned {
            assert_eq!(run.code, 0, "{script}: {}", run.stderr);
            assert!(run.stderr.contains("(planned)"), "{script}: {}", run.stderr);
            assert_eq!(stage.greeting(), "hello world\n");
            continue;
        }
        assert_eq!(
            (run.code, stage.greeting().as_str()),
            (1, "hello\n"),
            "{script}: {}",
            run.stderr
        );
        assert!(
            run.stderr.contains("--accept-sensitive"),
            "{script}: {}",
            run.stderr
        );
        // Whoever has read the patch lets it land, and nobody is asked again.
        let resumed = stage.run(&["runs", "resume", "--", "--accept-sensitive"]);
        assert_eq!(resumed.code, 0, "{script}: {}", resumed.stderr);
        assert_eq!(stage.greeting(), "hello world\n");
        let report = std::fs::read_to_string(stage.last_run().join("report.md")).unwrap();
        assert!(report.contains("## Consent\n\n- `"), "{report}");
    }
}

/// What an executor does to files that links lead to or git is told of, and what is said of it.
const LED_TO: &[(&str, &str)] = &[
    (
        "echo x >> docs/guide.md",
        "`docs/guide.md`: it makes programs run",
    ),
    (
        "echo x >> ci/main.yml",
        "`ci/main.yml`: it makes programs run",
    ),
    (
        "echo x > real/pre-push",
        "`real/pre-push`: it makes programs run",
    ),
    (
        "echo x > tools/hooks/pre-commit",
        "`tools/hooks/pre-commit`: it makes programs run",
    ),
    ("echo x >> ops/k", "your protected.toml names: `ops/k`"),
    (
        "ln -s .git/hooks hk",
        "`hk`: it is a link to git's own files",
    ),
    (
        "mkdir a; ln -s ../.GIT/config a/cfg.txt",
        "`a/cfg.txt`: it is a link to git's own files",
    ),
];

#[test]
fn what_a_link_leads_to_is_guarded_as_the_link_is() {
    for (script, told) in LED_TO {
        let repo = Repo::new()
            .file("greeting.txt", "hello\n")
            .file("test.sh", "grep -q 'hello world' greeting.txt\n")
            .file("docs/guide.md", "guide\n")
            .file("ci/main.yml", "on: push\n")
            .file("real/pre-commit", "true\n")
            .file("tools/hooks/pre-push", "true\n")
            .file("ops/k", "k\n")
            .file(".github/workflows/README.md", "\n")
            .file("infra/README.md", "\n")
            .file("spec.md", "Greet the world.\n");
        for (target, link) in [
            ("docs/guide.md", "CLAUDE.md"),
            ("../../ci/main.yml", ".github/workflows/main.yml"),
            ("real", ".husky"),
            ("../ops/k", "infra/k"),
        ] {
            std::os::unix::fs::symlink(target, repo.root().join(link)).unwrap();
        }
        repo.config("protected.toml", "paths = [\"/infra/**\"]\n");
        let repo = repo.git();
        repo.run_git(&["config", "core.hooksPath", "tools/hooks"]);
        let edit = format!("echo 'hello world' > greeting.txt\n{script}\n");
        let stage = Stage::of(repo).tell("claude.edit", &edit);
        let run = stage.plan_exec(&[]);
        assert_eq!(
            (run.code, stage.greeting().as_str()),
            (1, "hello\n"),
            "{script}: {}",
            run.stderr
        );
        assert!(run.stderr.contains(told), "{script}: {}", run.stderr);
    }
}

#[test]
fn who_agrees_to_what_stopped_a_run_agrees_to_nothing_else() {
    let script = "if [ -e .github/ci.yml ]; then echo 'on: [push, x]' > .github/ci.yml; else mkdir .github; echo 'on: push' > \
        .github/ci.yml; echo hello > greeting.txt; fi";
    let stage = stage("", script);
    let run = stage.plan_exec(&[]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    // The check fails, and the executor puts other bytes there.
    for round in 1..=2 {
        let resumed = stage.run(&["runs", "resume", "--", "--accept-sensitive"]);
        let expected = if round == 1 {
            (1, "hello\n")
        } else {
            (0, "hello world\n")
        };
        let found = (resumed.code, stage.greeting());
        assert_eq!((found.0, found.1.as_str()), expected, "{}", resumed.stderr);
    }
    let blanket = self::stage("", script).plan_exec(&["--accept-sensitive"]);
    assert_eq!(blanket.code, 0, "{}", blanket.stderr);
}

#[test]
fn who_agrees_to_a_step_of_a_workflow_agrees_to_no_other_that_was_never_shown() {
    let text = of_steps(
        "",
        &[
            (
                "first",
                "",
                "DO:mkdir .github; echo 'on: push' > .github/ci.yml",
            ),
            ("second", "", "DO:echo 'x = 1' > conftest.py"),
        ],
    );
    let stage = Stage::new()
        .players(&[], &[("hand", DOES)])
        .own_workflow("mine", &text);
    let is_there = |name: &str| stage.repo.root().join(name).exists();
    let args = ["mine", "--yes", "--no-check"];
    let run = stage.work(&args);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("`.github/ci.yml`"), "{}", run.stderr);
    let agree = ["runs", "resume", "--", "--accept-sensitive"];
    let run = stage.run(&agree);
    // The second is shown now, and was not before.
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("`conftest.py`"), "{}", run.stderr);
    assert!(!is_there(".github/ci.yml") && !is_there("conftest.py"));
    let run = stage.run(&agree);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(is_there(".github/ci.yml") && is_there("conftest.py"));
    // Who says so at the beginning means all that comes.
    let stage = Stage::new()
        .players(&[], &[("hand", DOES)])
        .own_workflow("mine", &text);
    let run = stage.work(&[&args[..], &["--accept-sensitive"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
}

#[test]
fn a_program_is_told_what_keeps_a_change_from_landing() {
    for (script, class, is_asked) in [
        ("mkdir .github; echo x > .github/ci.yml", "consent", true),
        ("ln -s .git/hooks hk", "refused_path", false),
        ("echo x > secret.sql", "protected", false),
    ] {
        let stage = stage("", script);
        stage.repo.config("protected.toml", "paths = [\"*.sql\"]\n");
        let run = stage.plan_exec(&["--json"]);
        assert_eq!(run.code, 1, "{script}: {}", run.stderr);
        let told = run.json();
        assert_eq!(told["class"], class, "{script}: {told}");
        assert_eq!(told["baseline"][0]["command"], "sh test.sh", "{told}");
        let files = told["files"].as_array().unwrap();
        assert!(
            files.iter().any(|file| file["path"] == "greeting.txt"),
            "{told}"
        );
        let patch = told["patch"].as_str().unwrap();
        assert!(std::path::Path::new(patch).is_file(), "{told}");
        assert!(told["hint"].is_string(), "{told}");
        let asked = &told["consent"][0]["path"];
        assert_eq!(asked == ".github/ci.yml", is_asked, "{told}");
    }
}

#[test]
fn what_changes_no_test_and_no_check_needs_no_consent() {
    for script in [
        "sed -i 's/test_one/test_first/' tests/test_a.py",
        "printf 'def test_b():\\n    assert b()\\n' > tests/test_b.py",
        "mv tests/test_a.py tests/test_b.py",
    ] {
        let stage = stage("", script);
        let run = stage.plan_exec(&[]);
        assert_eq!(run.code, 0, "{script}: {}", run.stderr);
        assert!(
            !run.stderr.contains("consent   `"),
            "{script}: {}",
            run.stderr
        );
    }
}

#[test]
fn a_person_is_asked_for_consent() {
    for (typed, expected) in [
        ("e\ny\n", "hello world\n"),
        ("e\nn\n", "hello\n"),
        ("e\n\n", "hello\n"),
    ] {
        let stage = stage("", "rm tests/test_a.py");
        let run = stage.typed("plan-exec spec.md --check 'sh test.sh'", typed);
        assert!(run.stdout.contains("agree to that"), "{}", run.stdout);
        assert_eq!(stage.greeting(), expected, "{typed:?}: {}", run.stdout);
    }
}
