//! One prompt to one agent.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use super::plan_exec::Stage;
use super::vendor::{Vendor, answer};
use super::{Repo, Run, full_files_of, read};

const SCHEMA: &str =
    r#"{ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } }"#;

impl Stage {
    /// A stage with a small repository, where gemini answers so.
    fn asked(answer: &str) -> Self {
        let repo = Repo::new()
            .file("README.md", "# Greeting\n")
            .file("src/a.rs", "fn a() {}\n")
            .file("src/deep/b.rs", "fn b() {}\n")
            .file("src/notes.txt", "notes\n")
            .file("schema.json", SCHEMA)
            .git();
        Self::of(repo).tell("gemini.answer", answer)
    }

    /// The prompt of a call of the last run.
    fn prompt(&self, number: usize) -> String {
        let call = format!("calls/{number:02}-asked/prompt.md");
        String::from_utf8(read(&self.last_run().join(call))).unwrap()
    }

    fn n_calls(&self) -> usize {
        self.last_run().join("calls").read_dir().unwrap().count()
    }

    fn run_with_stdin(&self, args: &[&str], stdin: &str) -> Run {
        let mut command = self.command(args);
        let file = self.repo.beside("stdin");
        std::fs::write(&file, stdin).unwrap();
        command.stdin(Stdio::from(std::fs::File::open(file).unwrap()));
        Run::of(command)
    }
}

#[test]
fn the_answer_alone_goes_to_stdout_and_the_run_is_kept() {
    let stage = Stage::asked("It greets.\n\n\n");
    let run = stage.run(&["ask", "gemini", "What does it do?"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "It greets.\n"),
        "{}",
        run.stderr
    );
    for said in [
        "asked     0 files, at most",
        "asked     asking gemini (gemini-3.1-pro-preview)",
        "1,000 tokens in, 200 tokens out, by subscription",
        "goes on",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    // Nothing is named, so nothing of ours is in the prompt.
    assert_eq!(stage.prompt(1), "What does it do?\n");
    let runs = stage.run(&["runs"]).stdout;
    assert!(
        runs.contains("answered  ask        What does it do?"),
        "{runs}"
    );
    let report = String::from_utf8(read(&stage.last_run().join("report.md"))).unwrap();
    for said in [
        "- Outcome: there is an answer",
        "[answer.md](answer.md)",
        "| 1 | asked | gemini",
    ] {
        assert!(report.contains(said), "{said}: {report}");
    }
    let run = stage.run(&["ask", "gemini", "What?", "-o", "answer.txt", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(read(&stage.repo.root().join("answer.txt")), b"It greets.\n");
    let told = run.json();
    let folder = stage.last_run();
    let expected = json!({
        "version": 1,
        "run": folder.file_name().unwrap().to_str().unwrap(),
        "agent": "gemini:gemini-3.1-pro-preview",
        "answer": "It greets.\n\n\n",
        "usage": { "input": 1000, "cached": 0, "output": 200, "dollars": null },
        "took_ms": told["took_ms"],
        "session": "11111111-2222-3333-4444-555555555555",
    });
    assert_eq!(told, expected);
    assert_eq!(run.stdout.lines().count(), 1);
}

#[test]
fn a_prompt_is_the_argument_and_then_what_comes_through_stdin() {
    let stage = Stage::asked("Yes.");
    for (argument, stdin, expected) in [
        (Some("Why?"), "", "Why?\n"),
        (Some("Why?"), "the log\n\n", "Why?\n\nthe log\n"),
        (Some("-"), "the log\n", "the log\n"),
        // What comes through stdin names nothing: it is not the user's.
        (None, "see @README.md\n", "see @README.md\n"),
    ] {
        let args: Vec<&str> = ["ask", "gemini"].into_iter().chain(argument).collect();
        let run = stage.run_with_stdin(&args, stdin);
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
        assert_eq!(stage.prompt(1), expected, "{args:?}");
    }
}

#[test]
fn what_an_at_sign_names_is_packed() {
    let stage = Stage::asked("Yes.").tell("pack.xml", "<pack>given</pack>");
    let given = stage.repo.beside("bin/pack.xml");
    let given = given.to_str().unwrap();
    for (folder, prompt, expected) in [
        (".", "@README.md?", vec!["README.md"]),
        (
            ".",
            "(@src/)",
            vec!["src/a.rs", "src/deep/b.rs", "src/notes.txt"],
        ),
        (
            ".",
            "@src/**/*.rs @README.md",
            vec!["README.md", "src/a.rs", "src/deep/b.rs"],
        ),
        (".", "@src/*.rs", vec!["src/a.rs"]),
        ("src", "@*.rs, @../README.md", vec!["README.md", "src/a.rs"]),
        (
            "src",
            "@.",
            vec!["src/a.rs", "src/deep/b.rs", "src/notes.txt"],
        ),
        (".", "me@README.md", vec![]),
        (".", "@nobody says so", vec![]),
    ] {
        let run = stage.run(&["-C", folder, "ask", "gemini", prompt]);
        assert_eq!(run.code, 0, "{prompt}: {}", run.stderr);
        let sent = stage.prompt(1);
        assert!(sent.ends_with(&format!("{prompt}\n")), "{sent}");
        assert!(!run.stderr.contains("left as text"), "{}", run.stderr);
        let pack = stage.last_run().join("pack.xml");
        if expected.is_empty() {
            assert!(!pack.exists(), "{prompt}");
            continue;
        }
        let pack = String::from_utf8(read(&pack)).unwrap();
        assert_eq!(full_files_of(&pack), expected, "{prompt}");
        assert!(sent.contains(&pack), "{sent}");
        assert!(sent.starts_with("Files come first"), "{sent}");
    }
    for (word, what) in [("@src/none.rs", 2), ("@*.py", 2), ("\\@src/none.rs", 0)] {
        let words = format!("Is {word} there?");
        let run = stage.run(&["ask", "gemini", &words, "--pack", given]);
        assert_eq!(run.code, what, "{word}: {}", run.stderr);
        let said = format!("`{word}` names no file from here");
        assert_eq!(run.stderr.contains(&said), what == 2, "{}", run.stderr);
    }
    assert!(
        stage
            .prompt(1)
            .contains("\n\n<pack>given</pack>\n\nIs \\@src/none.rs there?\n")
    );
}

#[test]
fn what_is_not_expected_of_a_file_that_is_named_is_told() {
    let stage = Stage::asked("Yes.");
    for (name, bytes) in [(".env", &b"A=1\n"[..]), ("x.bin", b"\0\x01\x02")] {
        std::fs::write(stage.repo.root().join(name), bytes).unwrap();
    }
    for (name, said) in [
        (".env", Some("its name says that it holds secrets")),
        (
            "x.bin",
            Some("of `x.bin` only the name goes along (binary)"),
        ),
        ("README.md", None),
    ] {
        let run = stage.run(&["ask", "gemini", &format!("See @{name}")]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        match said {
            Some(said) => assert!(run.stderr.contains(said), "{name}: {}", run.stderr),
            None => assert!(!run.stderr.contains("warning"), "{}", run.stderr),
        }
    }
    // A recording that is not there is missed at once.
    let run = stage.run(&["ask", "recorded:nosuch", "See @README.md"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("the recording `nosuch` is no folder"),
        "{}",
        run.stderr
    );
}

#[test]
fn an_answer_that_never_fits_is_asked_for_again_when_the_run_goes_on() {
    let stage = Stage::asked("None.").tell("gemini.again", "Still none.");
    let run = stage.run(&["ask", "gemini", "How many?", "--schema", "schema.json"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let stage = stage.tell("gemini.again", "{\"n\": 7}");
    let run = stage.run(&["runs", "resume"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "{\"n\":7}\n"),
        "{}",
        run.stderr
    );
    assert_eq!(stage.n_calls(), 3);
}

#[test]
fn no_secret_is_sent() {
    let stage = Stage::asked("Yes.");
    let key = concat!("gh", "p_", "16C7e42F292c6912E7710c838347Ae178B4a");
    std::fs::write(
        stage.repo.root().join("key.txt"),
        format!("token = {key}\n"),
    )
    .unwrap();
    let run = stage.run(&["ask", "gemini", &format!("Is {key} in @key.txt?")]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let sent = stage.prompt(1);
    assert!(
        !sent.contains(key) && sent.matches("[REDACTED:github-token:1]").count() == 2,
        "{sent}"
    );
    let run = stage.run(&[
        "ask",
        "gemini",
        "See @key.txt",
        "--secrets",
        "fail",
        "--json",
    ]);
    assert_eq!(
        (run.code, run.json()["class"].as_str()),
        (1, Some("secrets")),
        "{}",
        run.stderr
    );
}

#[test]
fn json_is_taken_out_of_prose_and_held_against_the_schema() {
    for (answer, expected) in [
        ("{\"n\": 7}", "{\"n\":7}\n"),
        (
            "As {\"n\": \"x\"} says:\n\n```json\n{\n  \"n\": 8\n}\n```\nThat is all.",
            "{\"n\":8}\n",
        ),
        (
            "It is {\"n\": 9, \"s\": \"a b\"}, I think.",
            "{\"n\":9,\"s\":\"a b\"}\n",
        ),
    ] {
        let stage = Stage::asked(answer);
        let run = stage.run(&["ask", "gemini", "How many?", "--schema", "schema.json"]);
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (0, expected),
            "{}",
            run.stderr
        );
        assert_eq!(stage.n_calls(), 1);
        let sent = stage.prompt(1);
        let schema = format!("<schema>\n{SCHEMA}\n</schema>\n");
        assert!(
            sent.starts_with("How many?\n\n") && sent.ends_with(&schema),
            "{sent}"
        );
        let kept: serde_json::Value =
            serde_json::from_slice(&read(&stage.last_run().join("answer.json"))).unwrap();
        assert_eq!(format!("{kept}\n"), expected);
    }
}

#[test]
fn an_answer_that_does_not_fit_is_asked_for_once_more() {
    let args = |agent| {
        [
            "ask",
            agent,
            "How many?",
            "--schema",
            "schema.json",
            "--json",
        ]
    };
    // In the conversation, which knows what was asked.
    let stage = Stage::asked("It is {\"n\": \"seven\"}.").tell("gemini.again", "{\"n\": 7}");
    let run = stage.run(&args("gemini"));
    assert_eq!(
        (run.code, &run.json()["value"]),
        (0, &json!({ "n": 7 })),
        "{}",
        run.stderr
    );
    assert_eq!(run.json()["usage"]["input"], 2000);
    let told = "at `/n`: \"seven\" is not of type \"integer\"; asking once more";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    let sent = stage.prompt(2);
    assert!(
        sent.contains("- at `/n`: \"seven\" is not") && !sent.contains("How many?"),
        "{sent}"
    );
    let stderr = String::from_utf8(read(&stage.last_run().join("calls/02-asked/stderr"))).unwrap();
    assert!(
        stderr.contains("-r 11111111-2222-3333-4444-555555555555"),
        "{stderr}"
    );
    // Where none is kept, with all that was said.
    let event = |text: &str| {
        let answer =
            json!({ "choices": [{ "delta": { "content": text }, "finish_reason": "stop" }] });
        format!("data: {answer}\n\ndata: [DONE]\n\n")
    };
    let vendor = Vendor::new(Duration::ZERO, answer(200, "", &event("None at all.")));
    let mut command = stage.command(&args("openai-api"));
    command
        .env("OPENAI_API_KEY", "k")
        .env("OPENAI_BASE_URL", &vendor.url);
    let run = Run::of(command);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let told = run.json();
    assert_eq!(told["class"], "misfit");
    let error = told["error"].as_str().unwrap();
    for said in [
        "answered twice",
        "there is no whole JSON value in it",
        "calls/02-asked/reply.md",
    ] {
        assert!(error.contains(said), "{error}");
    }
    assert!(
        run.stderr.contains("hint: read its answer"),
        "{}",
        run.stderr
    );
    let sent = stage.prompt(2);
    for said in [
        "How many?\n",
        "<answer>\nNone at all.\n</answer>\n",
        "- there is no whole",
    ] {
        assert!(sent.contains(said), "{said}: {sent}");
    }
    assert_eq!(vendor.requests().len(), 2);
}

#[test]
fn a_conversation_goes_on_with_who_had_it() {
    let stage = Stage::asked("It greets.")
        .tell("gemini.again", "Nobody.")
        .tell("codex.answer", "So.");
    let first = stage
        .run(&["ask", "gemini", "What does it do?", "--json"])
        .json();
    let id = first["run"].as_str().unwrap();
    let run = stage.run(&["ask", "codex,gemini", "Whom?", "--session", id, "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let second = run.json();
    assert_eq!(
        (&second["answer"], &second["session"]),
        (&json!("Nobody.\n"), &first["session"])
    );
    assert_eq!(stage.prompt(1), "Whom?\n");
    let stderr = String::from_utf8(read(&stage.last_run().join("calls/01-asked/stderr"))).unwrap();
    assert!(
        stderr.contains("-r 11111111-2222-3333-4444-555555555555"),
        "{stderr}"
    );
    // The second run's conversation is the first's, and goes on in its place.
    let session = String::from_utf8(read(&stage.last_run().join("session.json"))).unwrap();
    assert!(session.contains(&format!("\"run\": \"{id}\"")), "{session}");
    for (agent, run, said, help) in [
        (
            "codex",
            id,
            "was had with gemini:gemini-3.1-pro-preview, not with codex",
            "twostep ask gemini:",
        ),
        (
            "gemini",
            "nothing",
            "there is no run `nothing`",
            "`twostep runs` lists all",
        ),
        ("openai-api", id, "keeps no conversations", "ask anew"),
    ] {
        let run = stage.run(&["ask", agent, "Whom?", "--session", run]);
        assert_eq!(run.code, 2, "{agent}: {}", run.stderr);
        assert!(
            run.stderr.contains(said) && run.stderr.contains(help),
            "{}",
            run.stderr
        );
    }
    let dry = stage
        .run(&["ask", "gemini", "What?", "--dry-run", "--json"])
        .json();
    let run = stage.run(&[
        "ask",
        "gemini",
        "?",
        "--session",
        dry["run"].as_str().unwrap(),
    ]);
    assert!(
        run.stderr.contains("it keeps no conversation"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_dry_run_asks_nobody_and_a_budget_stops_a_call_that_goes_on_with_more() {
    let stage = Stage::asked("Yes.");
    let run = stage.run(&["ask", "gemini", "Why @README.md?", "--dry-run"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    for said in [
        "1 file, at most",
        "costs",
        "/gemini -m",
        "before any agent was asked",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    assert!(stage.last_run().join("asked-prompt.md").is_file());
    assert!(!stage.last_run().join("calls").exists());

    let args = ["ask", "gemini", "Why?", "--run-calls", "0"];
    let run = stage.run_with_stdin(&args, "the log");
    assert_eq!(run.code, 4, "{}", run.stderr);
    // What came through stdin is still known.
    let run = stage.run(&["runs", "resume", "--", "--run-calls", "1"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "Yes.\n"),
        "{}",
        run.stderr
    );
    assert_eq!(stage.prompt(1), "Why?\n\nthe log\n");
    // What was answered is given again, and not asked for.
    let run = stage.tell("gemini.answer", "No.").run(&["runs", "resume"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "Yes.\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn who_stands_in_answers_and_a_failure_has_its_class() {
    let stage = Stage::asked("Yes.")
        .tell("gemini.does", "out-of-quota")
        .tell("codex.answer", "So.");
    let run = stage.run(&["ask", "gemini,codex", "Why?", "--json"]);
    assert_eq!(
        (run.code, &run.json()["answer"]),
        (0, &json!("So.\n")),
        "{}",
        run.stderr
    );
    assert_eq!(run.json()["agent"], "codex:gpt-6.1-sol");
    let run = stage.run(&["ask", "gemini", "Why?", "--json"]);
    assert_eq!(
        (run.code, &run.json()["class"]),
        (3, &json!("out_of_quota")),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("hint: "), "{}", run.stderr);
}

#[test]
fn who_stands_in_is_asked_where_two_answers_are_not_as_the_schema_says() {
    let stage = Stage::asked("Many.").tell("codex.answer", "{\"n\": 7}");
    let args = [
        "ask",
        "gemini,codex",
        "How many?",
        "--schema",
        "schema.json",
        "--json",
    ];
    let run = stage.run(&args);
    assert_eq!(
        (run.code, &run.json()["value"], &run.json()["agent"]),
        (0, &json!({ "n": 7 }), &json!("codex:gpt-6.1-sol")),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("in its place"), "{}", run.stderr);
    // It was asked what the first was asked first.
    assert_eq!(stage.prompt(3), stage.prompt(1));
}

#[test]
fn a_caller_who_is_asked_answers_by_a_file() {
    let stage = Stage::asked("").tell("mine.md", "It is {\"n\": 7}.\n");
    let mine = stage.repo.beside("bin/mine.md");
    let args = [
        "ask",
        "caller",
        "How many?",
        "--schema",
        "schema.json",
        "--json",
    ];
    let run = stage.run(&args);
    assert_eq!(
        (run.code, &run.json()["class"]),
        (0, &json!("waiting")),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("you are the agent"), "{}", run.stderr);
    let runs = stage.run(&["runs"]).stdout;
    assert!(runs.contains("waiting   ask"), "{runs}");
    let run = stage.run(&["runs", "resume", "--answer", mine.to_str().unwrap()]);
    assert_eq!(
        (run.code, &run.json()["value"]),
        (0, &json!({ "n": 7 })),
        "{}",
        run.stderr
    );
}

#[test]
fn outside_of_a_repository_the_run_is_in_the_cache() {
    let stage = Stage::asked("Yes.");
    let plain = stage.repo.beside("plain");
    std::fs::create_dir_all(&plain).unwrap();
    std::fs::write(plain.join("a.txt"), "alone\n").unwrap();
    let folder = plain.to_str().unwrap();
    let run = stage.run(&[
        "-C",
        folder,
        "ask",
        "gemini",
        "What is @a.txt?",
        "--run-calls",
        "0",
    ]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    assert_eq!(plain.read_dir().unwrap().count(), 1, "only what was there");
    assert!(!stage.repo.root().join(".twostep").exists());
    let cache = stage.repo.beside("home/.cache/twostep/asked");
    let told = format!("`twostep -C {} runs resume ", cache.display());
    assert!(run.stderr.contains(&told), "{}", run.stderr);
    let cache = cache.to_str().unwrap();
    let run = stage.run(&["-C", cache, "runs", "resume", "--", "--run-calls", "1"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "Yes.\n"),
        "{}",
        run.stderr
    );
    let first = stage
        .run(&["-C", folder, "ask", "gemini", "What?", "--json"])
        .json();
    let args = [
        "-C",
        folder,
        "ask",
        "gemini",
        "And?",
        "--session",
        first["run"].as_str().unwrap(),
    ];
    let run = stage.run(&args);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "Yes.\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_helps() {
    let stage = Stage::asked("Yes.");
    let root = stage.repo.root();
    std::fs::write(root.join("bad.json"), "{\"type\": \"text\"}").unwrap();
    std::fs::write(
        root.join("far.json"),
        "{\"$ref\": \"https://example.com/s.json\"}",
    )
    .unwrap();
    std::fs::write(root.join("large.txt"), "a b c d e f g h\n".repeat(300_000)).unwrap();
    for (args, said, help) in [
        (
            &["gemini"][..],
            "there is nothing to ask",
            "hint: write it behind the agent",
        ),
        (
            &["gemini", " "],
            "there is nothing to ask",
            "hint: write it",
        ),
        (
            &["nobody", "Why?"],
            "unknown agent `nobody`",
            "hint: known are",
        ),
        (
            &["gemini", "Why?", "--schema", "none.json"],
            "none.json",
            "hint: ",
        ),
        (
            &["gemini", "Why?", "--schema", "README.md"],
            "`README.md`: it is no JSON",
            "hint: give `--schema`",
        ),
        (
            &["gemini", "Why?", "--schema", "bad.json"],
            "no JSON Schema that can be used: at `/type`",
            "hint: ",
        ),
        (
            &["gemini", "Why?", "--schema", "far.json"],
            "https://example.com/s.json",
            "needs no other file",
        ),
        (
            &["gemini", "Why?", "-o", "none/a.txt"],
            "cannot write",
            "hint: ",
        ),
        (&["gemini", "See @.git/config"], "belongs to git", "hint: "),
        (
            &["gemini", "See @large.txt"],
            "what the prompt names takes",
            "hint: name fewer",
        ),
    ] {
        let run = stage.run(&[&["ask"], args, &["--json"]].concat());
        assert_eq!(run.code, 2, "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains(said), "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains(help), "{args:?}: {}", run.stderr);
        let told = run.json();
        assert_eq!(
            (&told["version"], &told["class"]),
            (&json!(1), &json!("error"))
        );
        assert!(told["error"].as_str().unwrap().contains(said), "{told}");
    }
}
