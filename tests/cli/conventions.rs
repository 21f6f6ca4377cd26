//! A project's conventions: who is told to keep to them, and who reads them by itself.

use super::plan_exec::{CHECK, EDIT, PLAN, Stage};
use super::{Repo, read};

/// A project that says things to agents in each of the three files, twice the same, and one thing in a note of its own.
fn stage() -> Stage {
    let said = "Say it in short.\nThe key is ghp_8sKd02mXq7LzTnVb4WcRy6HpJf1GuEa9Qi3o.\n";
    Stage::of(
        Repo::new()
            .file("greeting.txt", "hello\n")
            .file("test.sh", "grep -q 'hello world' greeting.txt\n")
            .file("spec.md", "Greet the world.\n")
            .file("AGENTS.md", said)
            .file("CLAUDE.md", "Say it aloud.\n")
            .file("GEMINI.md", "Say it aloud.\n")
            .git(),
    )
}

/// Returns the prompt of a call of the last run.
fn prompt(stage: &Stage, call: &str) -> String {
    let file = stage.last_run().join("calls").join(call).join("prompt.md");
    String::from_utf8(read(&file)).unwrap()
}

const BOTH: &str = "conventions are in `AGENTS.md` and `CLAUDE.md` of these files: keep to them";
const AGENTS: &str = "conventions are in `AGENTS.md` of these files: keep to them";

#[test]
fn a_planner_is_told_of_all_and_an_executor_of_what_it_does_not_read_by_itself() {
    for (executor, named, is_aloud) in [
        ("claude", AGENTS, false),
        // Who stands in may read another.
        ("claude,codex", BOTH, true),
        // The caller answers, and works in no folder of ours.
        ("caller", BOTH, true),
    ] {
        let stage = stage();
        let run = stage.plan_exec(&["--context", "plan", "--executor", executor]);
        assert_eq!(run.code, 0, "{executor}: {}", run.stderr);
        let plan = prompt(&stage, "01-planner");
        assert!(plan.contains(BOTH), "{plan}");
        assert!(
            run.stderr
                .contains("files, conventions: AGENTS.md and CLAUDE.md, at most"),
            "{}",
            run.stderr
        );
        let words = prompt(&stage, "02-executor");
        assert!(words.contains(named), "{executor}: {words}");
        assert!(words.contains("Say it in short."), "{executor}: {words}");
        assert_eq!(words.contains("Say it aloud."), is_aloud, "{executor}");
        for words in [plan, words] {
            assert!(!words.contains("ghp_") && words.contains("[REDACTED:"));
        }
        if executor != "caller" {
            let again = stage.run(&["runs", "replay"]);
            assert_eq!(again.code, 0, "{executor}: {}", again.stderr);
        }
    }
}

#[test]
fn packs_that_are_given_get_the_conventions_that_they_do_not_hold() {
    for (given, n_shown) in [
        ("<pack>what was given</pack>\n", 1),
        ("<pack>\nSay it aloud.\n</pack>\n", 1),
    ] {
        let stage = stage().tell("claude.edit", EDIT);
        std::fs::write(stage.repo.root().join("pack.xml"), given).unwrap();
        let run = stage.run(&["plan", "spec.md", "-o", "AI-PLAN.md", "--pack", "pack.xml"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let plan = prompt(&stage, "01-planner");
        let run = stage.run(&["exec", "--check", CHECK, "--yes", "--pack", "pack.xml"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(plan.contains(given.trim()) && plan.contains(BOTH), "{plan}");
        assert!(!plan.contains("<file path=\"greeting.txt\""), "{plan}");
        assert_eq!(plan.matches("Say it aloud.").count(), n_shown, "{plan}");
        assert!(prompt(&stage, "01-executor").contains("Say it in short."));
    }
}

#[test]
fn conventions_stand_in_a_slice_whatever_else_does_not_fit_and_are_told_of_if_they_are_too_large() {
    let script = format!("cat > /dev/null; cat <<'EOF'\n{PLAN}EOF\n");
    let stage = stage().own(&script);
    stage.repo.config("models.toml", super::small_model(4000));
    let root = stage.repo.root();
    std::fs::write(root.join("greet.rs"), "// greet the world\n".repeat(2000)).unwrap();
    let plan = |stage: &Stage| {
        let run = stage.run(&[
            "plan",
            "spec.md",
            "-f",
            "-o",
            "AI-PLAN.md",
            "--planner",
            "own:small",
        ]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        (prompt(stage, "01-planner"), run.stderr)
    };
    let (prompt, said) = plan(&stage);
    assert!(prompt.contains("Say it in short.") && prompt.contains("Say it aloud."));
    assert!(
        said.contains("did not fit") || said.contains("shortened"),
        "{said}"
    );
    std::fs::write(root.join("AGENTS.md"), "Say it. ".repeat(9000)).unwrap();
    let (prompt, said) = plan(&stage);
    assert!(
        prompt.contains("conventions are in `CLAUDE.md` of"),
        "{prompt}"
    );
    let told = "warning: `AGENTS.md` has more than 64 KiB: the planner is not told to keep to it\n";
    assert!(said.contains(told), "{said}");
}

#[test]
fn a_step_of_a_workflow_that_gives_files_gives_the_conventions_too() {
    let step = |name: &str, files: &str| {
        format!(
            "[[step]]\nname = \"{name}\"\nkind = \"ask\"\nrole = \"a\"\nprompt = \"Hi.\"\n{files}"
        )
    };
    let workflow = format!(
        "version = 1\ntitle = \"Mine\"\n[roles]\na = \"own\"\n{}{}",
        step("with", "files = [\"*.txt\"]\n"),
        step("without", "")
    );
    let stage = stage().own("cat > /dev/null; echo hi\n");
    let folder = stage.repo.beside("home/.config/twostep/workflows");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("mine.toml"), workflow).unwrap();
    let run = stage.run(&["workflow", "run", "mine", "spec.md", "--yes"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let with = prompt(&stage, "01-asked");
    assert!(
        with.contains(BOTH) && with.contains("Say it in short."),
        "{with}"
    );
    assert!(!with.contains("test.sh\"><"), "{with}");
    assert_eq!(prompt(&stage, "02-asked"), "Hi.\n");
    std::fs::write(stage.repo.root().join("AGENTS.md"), "Say it. ".repeat(9000)).unwrap();
    let run = stage.run(&["workflow", "run", "mine", "spec.md", "--yes"]);
    let told = "warning: `AGENTS.md` has more than 64 KiB: the agent is not told to keep to it\n";
    assert!(run.stderr.contains(told), "{}", run.stderr);
}
