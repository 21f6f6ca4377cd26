//! What an executor gets beside the files that the plan names: their neighbours, shortened.

use super::plan_exec::Stage;
use super::{Repo, Run, read};

const PLAN: &str = "# Plan: Greet\n\n## Steps\n\n### Step 1: Greet\n\nFiles:\n- change `app/order.py`\n\nEND OF PLAN\n";

/// A function whose body a skeleton leaves out.
fn function(name: &str, n_lines: usize) -> String {
    let body = format!("    {name} = 'body of {name}'\n").repeat(n_lines);
    format!("def {name}():\n{body}")
}

fn stage() -> Stage {
    let order = format!("from .store import put\n{}", function("order", 4));
    let test = format!("from app.order import order\n{}", function("test_order", 4));
    let caller = format!("import app.order\n{}", function("web", 4));
    let repo = Repo::new()
        .file("app/__init__.py", "")
        .file("app/order.py", &*order)
        .file("app/store.py", &*function("put", 3000))
        .file("app/other.py", &*function("other", 4))
        .file("web/page.py", &*caller)
        .file("tests/test_order.py", &*test)
        .file("spec.md", "Greet.\n");
    Stage::of(repo.git())
        .tell("gemini.answer", PLAN)
        .tell("claude.edit", "echo '# hello' >> app/order.py\n")
        .tell("codex.edit", "echo '# hello' >> app/order.py\n")
        .tell("codex.answer", "Done.\n")
}

fn prompt(stage: &Stage) -> String {
    let file = stage.last_run().join("calls/02-executor/prompt.md");
    String::from_utf8(read(&file)).unwrap()
}

fn plan_exec(stage: &Stage, more: &[&str]) -> Run {
    let words = ["plan-exec", "spec.md", "--yes", "--context", "plan"];
    let run = stage.run(&[&words, more].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    run
}

#[test]
fn the_neighbours_of_what_a_plan_names_are_shown_shortened() {
    let stage = stage();
    let run = plan_exec(&stage, &[]);
    let told = "executor  1 file in full, 3 shortened, at most ";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    let prompt = prompt(&stage);
    for (name, is_shown) in [
        ("def order", true),
        ("body of order", true),
        ("def put", true),
        ("body of put", false),
        ("def test_order", true),
        ("body of test_order", false),
        ("def web", true),
        ("body of web", false),
        ("def other", false),
    ] {
        assert_eq!(prompt.contains(name), is_shown, "{name}: {prompt}");
    }
    let replay = stage.run(&["runs", "replay"]);
    assert_eq!(replay.code, 0, "{}\n{}", replay.stdout, replay.stderr);
}

#[test]
fn neighbours_never_push_out_what_a_plan_names() {
    // What a plan names and two neighbours fit, or none.
    for (window, told) in [
        (61_600, "executor  1 file in full, 1 shortened, at most "),
        (61_500, "executor  1 file, at most "),
    ] {
        let stage = stage();
        stage.repo.config("models.toml", super::small_model(window));
        let run = plan_exec(&stage, &["--executor", "codex:small"]);
        assert!(run.stderr.contains(told), "{window}: {}", run.stderr);
        assert!(prompt(&stage).contains("body of order"), "{window}");
    }
}

#[test]
fn a_small_pack_is_filled_up_with_the_best_by_what_is_to_be_done() {
    let plan = PLAN.replace(
        "### Step 1: Greet",
        "### Step 1: Greet with the banner of the shop",
    );
    for (context, told, is_shown) in [
        (
            "auto",
            "gets what the plan names, and the best by its text",
            true,
        ),
        ("plan", "gets what the plan names\n", false),
    ] {
        let stage = stage().tell("gemini.answer", &plan);
        let root = stage.repo.root();
        let banner = format!("\n{}", function("shop_banner", 4));
        std::fs::write(root.join("app/banner.py"), banner).unwrap();
        std::fs::write(root.join("words.csv"), "one, two, three\n".repeat(16_000)).unwrap();
        let run = stage.run(&["plan-exec", "spec.md", "--yes", "--context", context]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stderr.contains(told), "{}", run.stderr);
        let prompt = prompt(&stage);
        for (what, is_there) in [
            ("body of order", true),
            ("def put", true),
            ("body of put", false),
            ("body of shop_banner", is_shown),
            ("one, two, three", false),
        ] {
            assert_eq!(prompt.contains(what), is_there, "{context}: {what}");
        }
    }
}
