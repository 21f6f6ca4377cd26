//! The checks that a project's own files propose: run once somebody has agreed to them.

use super::plan_exec::Stage;
use super::{Repo, Run, read};

const MAKEFILE: &str = "test:\n\tsh test.sh\n";

/// A repository with a makefile whose target is the check.
fn stage() -> Stage {
    let repo = Repo::new()
        .file("greeting.txt", "hello\n")
        .file("test.sh", "grep -q 'hello world' greeting.txt\n")
        .file("spec.md", "Greet the world.\n")
        .file("Makefile", MAKEFILE);
    Stage::of(repo.git())
}

/// The checks of a run that landed.
#[track_caller]
fn checks(run: &Run) -> Vec<String> {
    assert_eq!(run.code, 0, "{}", run.stderr);
    let checks = run.json()["checks"].as_array().unwrap().clone();
    let command = |check: &serde_json::Value| check["command"].as_str().unwrap().to_owned();
    checks.iter().map(command).collect()
}

impl Stage {
    /// Carries the spec out without `--check`, and takes it back.
    fn unchecked(&self, more: &[&str]) -> Run {
        let run = self.run(&[&["plan-exec", "spec.md", "--yes", "--json"], more].concat());
        assert_eq!(self.run(&["undo"]).code, 0);
        run
    }
}

#[test]
fn what_a_projects_files_propose_is_run_once_it_is_agreed_to() {
    let stage = stage();
    let run = stage.unchecked(&[]);
    assert_eq!(checks(&run), [""; 0]);
    let told = "`make test` (Makefile: test:; sh test.sh) is proposed, and run once you agree by `twostep trust`";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    let trust = stage.run(&["trust"]);
    assert_eq!(trust.code, 1, "{}", trust.stderr);
    assert_eq!(trust.stdout, "`make test` (Makefile: test:; sh test.sh)\n");
    assert_eq!(checks(&stage.unchecked(&[])), [""; 0]);

    let before = stage.repo.run_git(&["status", "--short"]);
    assert_eq!(stage.run(&["trust", "--yes"]).code, 0);
    assert_eq!(stage.repo.run_git(&["status", "--short"]), before);
    assert_eq!(checks(&stage.unchecked(&[])), ["make test"]);
    assert_eq!(checks(&stage.unchecked(&["--no-check"])), [""; 0]);
    assert_eq!(
        checks(&stage.unchecked(&["--check", "sh test.sh"])),
        ["sh test.sh"]
    );

    // The same target that runs another command is not agreed to.
    let makefile = stage.repo.root().join("Makefile");
    std::fs::write(&makefile, "test:\n\ttouch ran; sh test.sh\n").unwrap();
    assert_eq!(checks(&stage.unchecked(&[])), [""; 0]);
    // Neither is another variable, which make may run.
    std::fs::write(&makefile, format!("X := $(shell touch ran)\n{MAKEFILE}")).unwrap();
    assert_eq!(checks(&stage.unchecked(&[])), [""; 0]);
    assert!(!stage.repo.root().join("ran").exists());
    std::fs::write(&makefile, MAKEFILE).unwrap();
    assert_eq!(checks(&stage.unchecked(&[])), ["make test"]);
    assert_eq!(stage.run(&["trust", "--revoke"]).code, 0);
    assert_eq!(checks(&stage.unchecked(&[])), [""; 0]);
}

#[test]
fn what_is_agreed_to_holds_for_one_place() {
    let (first, second) = (stage(), stage());
    assert_eq!(first.run(&["trust", "--yes"]).code, 0);
    let file = ".config/twostep/trusted.toml";
    let agreed = read(&first.repo.beside("home").join(file));
    let place = second.repo.beside("home").join(file);
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::write(place, agreed).unwrap();
    assert_eq!(checks(&second.unchecked(&[])), [""; 0]);
    let bare = Stage::new();
    let trust = bare.run(&["trust", "--yes"]);
    assert_eq!(trust.code, 2, "{}", trust.stderr);
}

#[test]
fn a_person_is_asked_once_whether_a_proposed_check_is_run() {
    for (typed, is_checked) in [("y\ne\n", true), ("\ne\n", false), ("n\ne\n", false)] {
        let stage = stage();
        let first = stage.typed("plan-exec spec.md", typed);
        assert!(first.stdout.contains("[y/N]"), "{}", first.stdout);
        assert_eq!(stage.greeting(), "hello world\n", "{}", first.stdout);
        let is_run = first.stdout.contains("after: `make test` passed");
        assert_eq!(is_run, is_checked, "{typed:?}: {}", first.stdout);
        assert_eq!(stage.run(&["undo"]).code, 0);
        let next = stage.unchecked(&[]);
        let expected: &[&str] = if is_checked { &["make test"] } else { &[] };
        assert_eq!(checks(&next), expected);
    }
}

#[test]
fn a_run_with_an_agreed_check_is_done_again_with_it() {
    let stage = stage();
    assert_eq!(stage.run(&["trust", "--yes"]).code, 0);
    let run = stage.run(&["plan-exec", "spec.md", "--yes"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let again = stage.run(&["runs", "replay"]);
    assert_eq!(again.code, 0, "{}{}", again.stdout, again.stderr);
}

#[test]
fn a_run_that_began_with_an_agreed_check_does_not_go_on_without() {
    let edit = "mkdir .github; echo x > .github/ci.yml\necho 'hello world' > greeting.txt\n";
    for (more, code, greeting) in [
        (&[][..], 2, "hello\n"),
        (&["--no-check"], 0, "hello world\n"),
    ] {
        let stage = stage().tell("claude.edit", edit);
        assert_eq!(stage.run(&["trust", "--yes"]).code, 0);
        let run = stage.run(&["plan-exec", "spec.md", "--yes"]);
        assert_eq!(run.code, 1, "{}", run.stderr);
        let makefile = stage.repo.root().join("Makefile");
        std::fs::write(&makefile, "test:\n\ttrue\n").unwrap();
        let resume = [
            "runs",
            "resume",
            "--accept-changes",
            "--",
            "--accept-sensitive",
        ];
        let resumed = stage.run(&[&resume[..], more].concat());
        let found = (resumed.code, stage.greeting());
        assert_eq!(
            (found.0, found.1.as_str()),
            (code, greeting),
            "{}",
            resumed.stderr
        );
        let said = resumed.stderr.contains("began with the check `make test`");
        assert_eq!(said, code == 2, "{}", resumed.stderr);
    }
}
