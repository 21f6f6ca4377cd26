//! What a run may use, and what it does where an agent cannot answer.

use super::Run;
use super::plan_exec::{CHECK, Stage};

/// Runs `plan-exec` with keys, so that tokens cost money.
fn billed(stage: &Stage, more: &[&str]) -> Run {
    let words = [&["plan-exec", "spec.md", "--check", CHECK, "--yes"], more].concat();
    let mut command = stage.command(&words);
    command.env("GEMINI_API_KEY", "dummy");
    command.env("ANTHROPIC_API_KEY", "dummy");
    Run::of(command)
}

#[test]
fn what_is_billed_by_the_token_has_a_price() {
    let stage = Stage::new();
    let run = billed(&stage, &["--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    // 1,000 and 200 tokens of the planner by the catalogue, and what the executor says.
    let dollars = run.json()["usage"]["dollars"].as_f64().unwrap();
    assert!((dollars - 0.0544).abs() < 1e-9, "{dollars}");
    // Before the outcome, what happened: as the journal has it.
    let events: Vec<&str> = run.stdout.lines().collect();
    let show = stage.run(&["runs", "show", "--json"]).stdout;
    assert_eq!(events[..events.len() - 1], show.lines().collect::<Vec<_>>());
    let report = String::from_utf8(super::read(&stage.last_run().join("report.md"))).unwrap();
    for said in [
        "- Outcome: the change has landed",
        "- changed `greeting.txt`",
        "| `sh test.sh` | failed | passed |",
        "| 1 | planner | gemini (gemini-3.1-pro-preview) | 11156 | 1000 | 0 | 200 | 0.0044 |",
        "Call 1: at most 11156 tokens were expected, 1000 reported by gemini",
        "In all 2 calls, 4000 tokens, 0.0544 USD.\n\n## Next\n\n`twostep undo ",
    ] {
        assert!(report.contains(said), "{said}: {report}");
    }
}

#[test]
fn a_run_stops_before_it_uses_more_than_it_may_and_goes_on_with_more() {
    for (option, little, much, said) in [
        ("--run-tokens", "12000", "1m", "has used 1200"),
        ("--run-cost", "0.05", "2", "has cost 0.0044"),
        ("--run-calls", "1", "2", "may make 1 calls"),
    ] {
        let stage = Stage::new();
        let run = billed(&stage, &[option, little]);
        assert_eq!(run.code, 4, "{option}: {}", run.stderr);
        assert!(run.stderr.contains(said), "{option}: {}", run.stderr);
        assert!(run.stderr.contains(option), "{option}: {}", run.stderr);
        assert_eq!(stage.greeting(), "hello\n");
        let run = stage.run(&["runs", "resume", "--", option, much]);
        assert_eq!(
            (run.code, stage.greeting().as_str()),
            (0, "hello world\n"),
            "{}",
            run.stderr
        );
        assert!(
            run.stderr.contains("planner   had answered before"),
            "{}",
            run.stderr
        );
    }
    // The time of a check counts, too.
    let stage = Stage::new();
    let run = billed(&stage, &["--check", "sleep 60", "--run-time", "2s"]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    assert!(run.stderr.contains("may take 2 s"), "{}", run.stderr);
}

#[test]
fn an_agent_that_cannot_is_asked_again_or_another_is_and_all_of_it_is_told() {
    // What the planner does, who stands in, how often each is asked, and what is said.
    for (does, planner, n_calls, said) in [
        ("empty", "gemini,codex", [2, 1], "asking again\n"),
        (
            "out-of-quota",
            "gemini,codex",
            [1, 1],
            "asking codex (gpt-6.1-sol) in its place",
        ),
        ("cut", "gemini,codex", [1, 1], "in its place"),
        ("garbage", "gemini,codex", [2, 1], "malformed output"),
    ] {
        let stage = Stage::new()
            .tell("gemini.does", does)
            .tell("codex.answer", super::plan_exec::PLAN);
        let words = [
            "plan-exec",
            "spec.md",
            "--check",
            CHECK,
            "--yes",
            "--planner",
            planner,
        ];
        let run = stage.run(&words);
        assert_eq!(run.code, 0, "{does}: {}", run.stderr);
        assert!(run.stderr.contains(said), "{does}: {}", run.stderr);
        let journal = stage.run(&["runs", "show"]).stdout;
        for (agent, n) in ["gemini (", "codex ("].into_iter().zip(n_calls) {
            let asked = format!("  asked {agent}");
            let found = journal
                .lines()
                .filter(|line| line.contains(&asked) && line.ends_with("planner"));
            assert_eq!(found.count(), n, "{does} {agent}: {journal}");
        }
        assert!(journal.contains("in the place of gemini"), "{journal}");
    }
}

#[test]
fn what_cannot_succeed_is_asked_once() {
    let stage = Stage::new().tell("gemini.does", "out-of-quota");
    let run = stage.plan_exec(&[]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let journal = stage.run(&["runs", "show"]).stdout;
    let told = "it gave no answer (out of quota)";
    assert_eq!(journal.matches(told).count(), 1, "{journal}");
}

#[test]
fn an_executor_begins_anew_in_a_scratch_as_it_was() {
    // It fails the first time, after it has changed a file.
    let edit = "tried=$HOME/.claude/projects/tried; [ -e $tried ] && echo 'hello world' > greeting.txt && return; \
        touch $tried; echo half > greeting.txt; echo new > half.txt; exit 0\n";
    let stage = Stage::new().tell("claude.edit", edit);
    std::fs::create_dir_all(stage.repo.beside("home/.claude/projects")).unwrap();
    let run = stage.plan_exec(&[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(stage.greeting(), "hello world\n");
    assert!(!stage.repo.root().join("half.txt").exists());
    let partly = stage.last_run().join("calls/02-executor/partly.patch");
    assert!(partly.is_file(), "{}", run.stderr);
}

#[test]
fn a_tier_is_a_model_of_the_agents_vendor() {
    let stage = Stage::new();
    for (agent, model) in [
        ("gemini:low", "gemini-3.5-flash-lite"),
        ("codex:high", "gpt-6.1-sol"),
        ("claude:medium", "claude-sonnet-5-5"),
    ] {
        let run = stage.run(&["plan", "spec.md", "--planner", agent, "--dry-run"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stderr.contains(&format!("({model})")), "{}", run.stderr);
    }
}

#[test]
fn a_program_that_would_wait_for_longer_than_it_may_is_ended_and_another_asked() {
    let stage = Stage::new()
        .tell("gemini.does", "waits")
        .tell("codex.answer", super::plan_exec::PLAN);
    let run = stage.plan_exec(&["--planner", "gemini,codex", "--max-wait", "10s"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for said in [
        "waits to try again: Suggested retry after 30s.. Retrying after 33707ms",
        "would wait 33 s by itself, and may wait 10 s",
        "asking codex (gpt-6.1-sol) in its place",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    let stage = Stage::new().tell("claude.does", "waits");
    let run = stage.plan_exec(&["--max-wait", "10s"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let said = "would wait 35 s by itself";
    assert!(run.stderr.contains(said), "{}", run.stderr);
}

#[test]
fn one_that_stands_in_and_takes_less_gets_a_prompt_that_it_takes() {
    let stage = Stage::new()
        .tell("gemini.does", "out-of-quota")
        .tell("codex.answer", super::plan_exec::PLAN);
    // Less the 30,000 that codex puts round a prompt.
    let small = super::small_model(60_000);
    stage.repo.config("models.toml", small);
    // More than the stand-in takes, less than the first.
    for n in 0..40 {
        let text = format!("{n} words of a file\n").repeat(300);
        let file = stage.repo.root().join(format!("many/{n}.txt"));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let words = ["--planner", "gemini,codex:small"];
    let run = stage.plan_exec(&words);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let prompt = |n: usize| {
        super::read(
            &stage
                .last_run()
                .join(format!("calls/{n:02}-planner/prompt.md")),
        )
    };
    let (first, second) = (prompt(1), prompt(2));
    assert!(
        second.len() < first.len() / 2,
        "{} {}",
        first.len(),
        second.len()
    );
    // What it answered is known by its own prompt when the run is gone on with.
    let stage = stage.tell("claude.does", "out-of-quota");
    let run = stage.plan_exec(&[&words[..], &["--force"]].concat());
    assert_eq!(run.code, 3, "{}", run.stderr);
    let stage = stage.tell("claude.does", "answer");
    let run = stage.run(&["runs", "resume"]);
    assert!(
        run.stderr.contains("planner   had answered before"),
        "{}",
        run.stderr
    );
}

#[test]
fn files_that_change_while_somebody_is_asked_who_may_change_none_are_told() {
    let stage = Stage::new();
    let file = stage.repo.root().join("sly.txt");
    let place = stage.repo.beside("bin/sly.sh");
    let script = format!("[ -e {0} ] || echo sly > {0}; echo Yes.\n", file.display());
    std::fs::write(&place, script).unwrap();
    let agents = serde_json::json!(["sh", place]);
    let agents = format!("[agent.sly]\ncommand = {agents}\nmodel = \"gpt-5\"\n");
    stage.repo.config("agents.toml", agents);
    let run = stage.run(&["ask", "sly", "Is it?"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let said =
        "warning: files changed while sly (gpt-5) was asked, which is to change none: `sly.txt`";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    // Nothing is told where nothing changed.
    let run = stage.run(&["ask", "sly", "Is it?"]);
    assert!(!run.stderr.contains("files changed"), "{}", run.stderr);
}
