//! Servers and commands of the user's as agents.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::plan_exec::{PLAN, Stage};
use super::vendor::{Vendor, answer};
use super::{Repo, Run, read};

const KEY: &str = "k3y-of-the-vendor-which-nobody-may-see";

/// A stream in which a vendor answers with the plan.
fn plan_of(agent: &str) -> String {
    saying(agent, PLAN)
}

/// A stream in which a vendor answers with `text`.
pub(super) fn saying(agent: &str, text: &str) -> String {
    let events = match agent {
        "gemini-api" => vec![json!({
            "candidates": [{ "content": { "parts": [{ "text": text }] }, "finishReason": "STOP" }],
            "usageMetadata": { "promptTokenCount": 1000, "candidatesTokenCount": 200 },
        })],
        "anthropic-api" => vec![
            json!({ "type": "message_start", "message": { "usage": { "input_tokens": 1000 } } }),
            json!({ "type": "content_block_delta", "delta": { "type": "text_delta", "text": text } }),
            json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": 200 } }),
            json!({ "type": "message_stop" }),
        ],
        _ => vec![
            json!({ "choices": [{ "delta": { "content": text }, "finish_reason": "stop" }] }),
            json!({ "choices": [], "usage": { "prompt_tokens": 1000, "completion_tokens": 200 } }),
        ],
    };
    let events = events.into_iter().map(|event| event.to_string());
    let end = (agent == "openai-api").then(|| "[DONE]".to_owned());
    let lines = events.chain(end).map(|event| format!("data: {event}\n\n"));
    lines.collect()
}

impl Stage {
    /// Writes the user's list of agents.
    pub(super) fn agents(self, text: &str) -> Self {
        self.repo.config("agents.toml", text);
        self
    }

    /// A command with the keys of all vendors, each of whom is at `url`.
    pub(super) fn with_vendor(&self, args: &[&str], url: &str) -> Command {
        let mut command = self.command(args);
        for (name, base) in [
            ("GEMINI", "GOOGLE_GEMINI"),
            ("ANTHROPIC", "ANTHROPIC"),
            ("OPENAI", "OPENAI"),
        ] {
            command
                .env(format!("{name}_API_KEY"), KEY)
                .env(format!("{base}_BASE_URL"), url);
        }
        command
    }
}

/// Fails if a file beneath `folder` holds the key.
fn assert_no_key(folder: &Path) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_no_key(&path);
        } else {
            let text = String::from_utf8_lossy(&read(&path)).into_owned();
            assert!(!text.contains(KEY), "{}", path.display());
        }
    }
}

#[test]
fn a_vendors_api_plans_and_no_file_holds_the_key() {
    for agent in ["gemini-api", "anthropic-api", "openai-api"] {
        let stage = Stage::new();
        let vendor = Vendor::new(Duration::ZERO, answer(200, "", &plan_of(agent)));
        let args = ["plan", "spec.md", "--planner", agent, "-o", "plan.md"];
        let run = Run::of(stage.with_vendor(&args, &vendor.url));
        assert_eq!(run.code, 0, "{agent}: {}", run.stderr);
        let used = "1,000 tokens in, 200 tokens out, ";
        assert!(run.stderr.contains(used), "{agent}: {}", run.stderr);
        let plan = read(&stage.repo.root().join("plan.md"));
        assert!(
            String::from_utf8(plan)
                .unwrap()
                .contains("# Plan: Greet the world")
        );
        let requests = vendor.requests();
        assert!(requests.len() == 1 && requests[0].contains("Greet the world."));
        assert!(requests[0].contains(KEY) && !run.stderr.contains(KEY));
        let stdout = stage.last_run().join("calls/01-planner/stdout");
        assert_eq!(read(&stdout), plan_of(agent).as_bytes());
        assert_no_key(stage.repo.folder.path());
        // It keeps no conversation, whoever is asked.
        let again = stage.run(&["plan", "plan.md", "--revise", "shorter"]);
        assert_eq!(again.code, 2, "{}", again.stderr);
        for said in ["cannot be gone on with", "plan again with the spec"] {
            assert!(again.stderr.contains(said), "{}", again.stderr);
        }
    }
}

#[test]
fn a_server_that_fails_is_told_with_what_helps() {
    let body = json!({ "error": { "message": format!("too many for {KEY}") } }).to_string();
    let limited = Vendor::new(Duration::ZERO, answer(429, "retry-after: 9\r\n", &body));
    let stage = Stage::new();
    let args = [
        "plan",
        "spec.md",
        "--planner",
        "openai-api",
        "--max-wait",
        "1s",
    ];
    let run = Run::of(stage.with_vendor(&args, &limited.url));
    assert_eq!(run.code, 3, "{}", run.stderr);
    for said in [
        "rate-limited: HTTP 429: too many for [KEY]",
        "hint: ",
        "than `--max-wait` (1.0 s) allows",
    ] {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
    assert_no_key(stage.repo.folder.path());
    // What it lacks is found before anything is done.
    let run = stage.run(&args);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("error: the variable `OPENAI_API_KEY`, which is to hold the key of"),
        "{}",
        run.stderr
    );
}

#[test]
fn who_cannot_play_is_refused_before_anything_is_asked() {
    const AGENTS: &str = "[agent.local]\napi = \"openai\"\nurl = \"http://127.0.0.1:9/v1\"\n\
        [agent.lost]\ncommand = [\"no-such-program\"]\nmodel = \"gpt-5\"\n";
    for (args, said) in [
        (["--planner", "gpt"], "unknown agent `gpt`"),
        (
            ["--planner", "gpt"],
            "anthropic-api, claude, codex, gemini, gemini-api, local, lost",
        ),
        (["--planner", "local"], "the agent `local` needs a model"),
        (
            ["--planner", "local"],
            "write `model = \"NAME\"` under `[agent.local]` in `~/.config/twostep/agents.toml`",
        ),
        (
            ["--planner", "local:nothing"],
            "unknown model `nothing` of the agent `local`",
        ),
        (
            ["--planner", "local:nothing"],
            "[[models]]\nid = \"nothing\"\n",
        ),
        (["--planner", "lost"], "cannot find `no-such-program`"),
        (
            ["--planner", "gemini-api:opus"],
            "`gemini-api` does not serve `claude-opus-5-5`",
        ),
    ] {
        let run = Stage::new().agents(AGENTS).plan_exec(&args);
        assert_eq!(run.code, 2, "{args:?}: {}", run.stderr);
        let is_told = run.stderr.contains(said) && run.stderr.contains("hint: ");
        assert!(is_told, "{args:?}: {}", run.stderr);
    }
    let stage = Stage::new().agents("[agent.a]\napi = \"openai\"\nulr = \"x\"\n");
    let run = stage.plan_exec(&[]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    for said in [
        "cannot use your agents in `",
        "agents.toml`",
        "line 3",
        "`ulr`",
    ] {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
}

#[test]
fn any_command_plans_and_executes() {
    let stage = Stage::new();
    let [own, edit] = ["bin/own.sh", "bin/edit.sh"].map(|name| stage.repo.beside(name));
    let outside = stage.repo.root().join("outside.txt");
    let edits = "cat > /dev/null; test \"$2\" = \"$(pwd -P)\"; echo 'hello world' > greeting.txt; env | sed 's/=.*//' >&2; \
        (echo hacked > \"$1\") 2>/dev/null || true; echo 'all done'";
    let stage = stage
        .tell("own.sh", "#!/bin/sh\ngrep -q 'Greet the world' && cmp -s \"$2\" \"$2\" && echo \"$1\" >&2 && cat \"${0%/*}/answer.json\"\n")
        .tell("answer.json", &json!({ "response": PLAN }).to_string())
        .tell("edit.sh", &format!("set -e; {edits}\n"))
        .agents(&format!(
            "[agent.thinker]\ncommand = [\"sh\", {own:?}, \"model={{model}}\", \"{{prompt_file}}\"]\nanswer = \"/response\"\n\
             [agent.doer]\ncommand = [\"sh\", {edit:?}, {outside:?}, \"{{folder}}\"]\nedits = true\nmodel = \"haiku\"\nenv = [\"MINE\"]\n",
        ));
    let all = ["--planner", "thinker:gpt-5", "--executor", "doer", "--json"];
    let args = ["plan-exec", "spec.md", "--check", "sh test.sh", "--yes"];
    let mut command = stage.command(&[&args[..], &all].concat());
    command
        .env("MINE", "1")
        .env("OTHERS", "1")
        .env("OPENAI_API_KEY", KEY);
    let run = Run::of(command);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(stage.greeting(), "hello world\n");
    assert_eq!(run.json()["outcome"], "landed");
    let call =
        |path: &str| String::from_utf8(read(&stage.last_run().join("calls").join(path))).unwrap();
    assert_eq!(call("01-planner/stderr"), "model=gpt-5\n");
    assert_eq!(call("02-executor/reply.md"), "all done\n");
    let names = call("02-executor/stderr");
    let has = |name: &str| names.lines().any(|line| line == name);
    assert!(has("MINE") && has("PATH") && has("TMPDIR"), "{names}");
    assert!(!has("OTHERS") && !has("OPENAI_API_KEY"), "{names}");
    // Where the kernel has Landlock it wrote in its folder alone; else it is said.
    assert_eq!(
        outside.exists(),
        run.stderr.contains("not confined"),
        "{}",
        run.stderr
    );
}

#[test]
fn how_a_command_fails_makes_the_class() {
    for (script, class) in [
        ("exit 0", "empty answer"),
        (
            "echo 'rate limit; try again in 20s' >&2; exit 1",
            "rate-limited",
        ),
        ("echo broken >&2; exit 7", "crashed: exit code 7: broken"),
        ("kill -9 $$", "killed"),
        ("sleep 600", "hung"),
    ] {
        let command = json!(["sh", "-c", script]);
        let agents = format!("[agent.own]\ncommand = {command}\nmodel = \"gpt-5\"\n");
        let stage = Stage::new().agents(&agents);
        let limit = if class == "hung" { "1s" } else { "1m" };
        let run = stage.plan_exec(&[
            "--planner",
            "own",
            "--idle-limit",
            limit,
            "--max-wait",
            "1s",
        ]);
        assert_eq!(run.code, 3, "{script}: {}", run.stderr);
        assert!(run.stderr.contains(class), "{script}: {}", run.stderr);
    }
}

#[test]
fn a_dry_run_shows_what_would_be_asked() {
    let repo = Repo::new().file("a.txt", "a\n").file("spec.md", "Do it.\n");
    let stage = Stage::of(repo.git()).agents(
        "[agent.own]\ncommand = [\"cat\", \"{prompt_file}\"]\nedits = true\nmodel = \"gpt-5\"\n",
    );
    let run = stage.plan_exec(&[
        "--planner",
        "anthropic-api",
        "--executor",
        "own",
        "--dry-run",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for said in [
        "planner   POST https://api.anthropic.com/v1/messages",
        "cat prompt.md < prompt.md",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
}
