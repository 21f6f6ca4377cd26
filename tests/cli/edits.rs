//! Executors that answer with edits.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use super::backends::saying;
use super::plan_exec::{CHECK, PLAN, Stage};
use super::vendor::{Vendor, answer};
use super::{Repo, Run, read};

const GOOD: &str = "I change it.\n\ngreeting.txt\n<<<<<<< SEARCH\nhello\n=======\nhello world\n>>>>>>> REPLACE\n\n\
    FILE: notes/new.txt\n```\nnew\n```\n\nDepartures: none\n";

const BAD: &str = "greeting.txt\n<<<<<<< SEARCH\nhallo\n=======\nhello world\n>>>>>>> REPLACE\n";

/// A vendor that answers one request after the other.
fn vendor(agent: &str, texts: &[&str]) -> Vendor {
    let each = texts
        .iter()
        .map(|text| answer(200, "", &saying(agent, text)));
    Vendor::answering(Duration::ZERO, each.collect())
}

impl Stage {
    /// Runs `plan-exec` with `agent`, who is at `vendor`, as the executor.
    fn executed_by(&self, agent: &str, vendor: &Vendor) -> Run {
        let args = [
            "plan-exec",
            "spec.md",
            "--check",
            CHECK,
            "--yes",
            "--executor",
            agent,
        ];
        Run::of(self.with_vendor(&args, &vendor.url))
    }

    /// Adds the agent `own`, a script that answers.
    pub(super) fn own(self, script: &str) -> Self {
        let place = self.repo.beside("bin/own.sh");
        let command = serde_json::json!(["sh", place]);
        let agents = format!("[agent.own]\ncommand = {command}\nmodel = \"gpt-5\"\n");
        self.tell("own.sh", script).agents(&agents)
    }

    fn holds(&self, name: &str) -> Vec<u8> {
        read(&self.repo.root().join(name))
    }
}

#[test]
fn a_server_executes_by_its_edits_and_does_so_again() {
    for agent in ["gemini-api", "anthropic-api", "openai-api"] {
        let stage = Stage::new();
        let vendor = vendor(agent, &[GOOD]);
        let run = stage.executed_by(agent, &vendor);
        assert_eq!(run.code, 0, "{agent}: {}", run.stderr);
        assert_eq!(stage.greeting(), "hello world\n");
        assert_eq!(stage.holds("notes/new.txt"), b"new\n");
        let requests = vendor.requests();
        assert!(requests.len() == 1 && requests[0].contains(">>>>>>> REPLACE"));
        let again = stage.run(&["runs", "replay"]);
        assert_eq!(again.code, 0, "{agent}: {}", again.stderr);
        assert!(
            again.stdout.contains("same     changes.patch"),
            "{}",
            again.stdout
        );
        assert_eq!(stage.run(&["undo"]).code, 0);
        assert_eq!(stage.greeting(), "hello\n");
        let calls = stage.last_run().join("calls");
        let recorded = format!("recorded:{}", calls.display());
        let run = stage.plan_exec(&["--planner", &recorded, "--executor", &recorded, "--force"]);
        assert_eq!(run.code, 0, "{agent}: {}", run.stderr);
        assert_eq!(stage.greeting(), "hello world\n");
    }
}

#[test]
fn edits_that_do_not_fit_go_back_to_who_made_them() {
    let stage = Stage::new();
    let vendor = vendor("openai-api", &[BAD, "All done.\n", GOOD]);
    let run = stage.executed_by("openai-api", &vendor);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(stage.greeting(), "hello world\n");
    let requests = vendor.requests();
    assert_eq!(requests.len(), 3);
    for said in [
        "not in the file; it has no `hallo`",
        "    1: hello",
        "hallo\\n=======",
    ] {
        assert!(requests[1].contains(said), "{}", requests[1]);
    }
    assert!(requests[2].contains("holds no edit") && requests[2].contains("All done."));
    assert!(run.stderr.contains("asking again"), "{}", run.stderr);
    let again = stage.run(&["runs", "replay"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(
        again.stdout.contains("same     changes.patch"),
        "{}",
        again.stdout
    );
}

#[test]
fn a_new_path_that_some_systems_take_for_another_goes_back() {
    let made = |name: &str| format!("{GOOD}\nFILE: {name}\n```\nx\n```\n");
    for (name, twin) in [
        ("Greeting.txt", Some("`greeting.txt` is there")),
        // The same letter, written in two ways.
        ("caf\u{e9}.txt", Some("is there")),
        ("Notes/other.txt", Some("`notes/new.txt`")),
        ("greetings.txt", None),
    ] {
        let stage = Stage::new();
        fs::write(stage.repo.root().join("cafe\u{301}.txt"), "x").unwrap();
        let vendor = vendor("openai-api", &[&made(name), GOOD]);
        let run = stage.executed_by("openai-api", &vendor);
        assert_eq!(run.code, 0, "{name}: {}", run.stderr);
        let requests = vendor.requests();
        assert_eq!(requests.len(), if twin.is_some() { 2 } else { 1 }, "{name}");
        if let Some(said) = twin {
            assert!(requests[1].contains(said), "{name}: {}", requests[1]);
        }
    }
}

#[test]
fn edits_that_leave_little_of_a_file_are_made_only_if_the_plan_takes_something_out() {
    let cut = format!("{GOOD}\nFILE: test.sh\n```\ngrep -q 'hello world' greeting.txt\n```\n");
    for (step, n_asked) in [
        ("- change `test.sh`", 2),
        ("- change `test.sh`: remove the padding", 1),
    ] {
        let stage = Stage::new();
        let long = format!("grep -q 'hello world' greeting.txt\n{}", "#\n".repeat(66));
        fs::write(stage.repo.root().join("test.sh"), long).unwrap();
        let files = format!("- change `greeting.txt`\n{step}");
        let plan = PLAN.replace("- change `greeting.txt`", &files);
        let stage = stage.tell("gemini.answer", &plan);
        let vendor = vendor("openai-api", &[&cut, GOOD]);
        let run = stage.executed_by("openai-api", &vendor);
        assert_eq!(run.code, 0, "{step}: {}", run.stderr);
        let requests = vendor.requests();
        assert_eq!(requests.len(), n_asked, "{step}: {}", run.stderr);
        if n_asked > 1 {
            assert!(
                requests[1].contains("it would leave 1 of 67 lines"),
                "{}",
                requests[1]
            );
        }
    }
}

#[test]
fn edits_that_never_fit_change_nothing_and_can_be_asked_for_again() {
    let stage = Stage::new();
    let vendor = vendor("openai-api", &[BAD, BAD, BAD, GOOD]);
    let before = stage.state();
    let run = stage.executed_by("openai-api", &vendor);
    assert_eq!(run.code, 1, "{}", run.stderr);
    for said in [
        "an edit was rejected, and nothing landed",
        "04-executor/reply.md",
        "hint: ",
    ] {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
    assert_eq!((vendor.requests().len(), stage.state()), (3, before));
    let kept = read(&stage.last_run().join("calls/04-executor/reply.md"));
    assert_eq!(kept, BAD.as_bytes());
    let run = Run::of(stage.with_vendor(&["runs", "resume"], &vendor.url));
    assert_eq!(run.code, 0, "{}", run.stderr);
    // What was answered before is not asked for again.
    assert_eq!(
        (vendor.requests().len(), stage.greeting()),
        (4, "hello world\n".to_owned())
    );
}

#[test]
fn a_caller_whose_edits_do_not_fit_is_told_and_asked_again() {
    let stage = Stage::new();
    let run = stage.plan_exec(&["--executor", "caller", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let file = stage.repo.beside("answer");
    let resume = ["runs", "resume", "--answer", file.to_str().unwrap()];
    fs::write(&file, BAD).unwrap();
    let run = stage.run(&resume);
    assert_eq!(
        (run.code, run.json()["outcome"].as_str()),
        (0, Some("waiting")),
        "{}",
        run.stderr
    );
    let prompt = fs::read_to_string(run.json()["prompt"].as_str().unwrap()).unwrap();
    assert!(prompt.contains("it has no `hallo`"), "{prompt}");
    assert_eq!(stage.greeting(), "hello\n");
    fs::write(&file, GOOD).unwrap();
    let run = stage.run(&resume);
    assert_eq!(
        (run.code, run.json()["outcome"].as_str()),
        (0, Some("landed")),
        "{}",
        run.stderr
    );
    assert_eq!(stage.greeting(), "hello world\n");
}

#[test]
fn a_run_that_is_killed_goes_on_from_the_answer() {
    let script =
        format!("cat > /dev/null; echo asked >> \"${{0%/*}}/asked\"; cat <<'EOF'\n{GOOD}EOF\n");
    let mut n_resumed = 0;
    for n in (1..).step_by(9) {
        let stage = Stage::new().own(&script);
        let args = [
            "plan-exec",
            "spec.md",
            "--check",
            CHECK,
            "--yes",
            "--executor",
            "own",
        ];
        let mut command = stage.command(&args);
        let output = command.env("TWOSTEP_CRASH_AT", n.to_string()).output();
        if output.unwrap().status.signal() != Some(9) {
            break;
        }
        if !stage.repo.root().join(".twostep/runs").is_dir() {
            continue;
        }
        let asked = || fs::read_to_string(stage.repo.beside("bin/asked")).unwrap_or_default();
        let has_answer = stage
            .last_run()
            .join("calls/02-executor/changes.patch")
            .is_file();
        let run = stage.run(&["runs", "resume", "--yes"]);
        // Killed before it was known how the run was begun, or while it landed.
        if run.code == 2 {
            continue;
        }
        assert_eq!(run.code, 0, "{n}: {}", run.stderr);
        assert_eq!(stage.greeting(), "hello world\n", "{n}");
        assert!(!has_answer || asked() == "asked\n", "{n}");
        n_resumed += 1;
    }
    assert!(n_resumed > 3, "{n_resumed}");
}

#[test]
fn files_keep_what_they_have_of_their_own() {
    const SCRIPT: &str = r"
        line=$(grep -m 1 '^DB_PASSWORD')
        cat <<EOF
greeting.txt
<<<<<<< SEARCH
hello
=======
hello world
>>>>>>> REPLACE
settings.env
<<<<<<< SEARCH
$line
PORT=1
=======
$line
PORT=2
>>>>>>> REPLACE
tool.sh
<<<<<<< SEARCH
echo one
=======
echo two
>>>>>>> REPLACE
old.txt
<<<<<<< SEARCH
one
=======
ONE
>>>>>>> REPLACE
*** Begin Patch
*** Update File: mine.sh
*** Move to: bin/yours.sh
*** Delete File: gone.txt
*** End Patch
EOF
    ";
    let secret = "# mine\nDB_PASSWORD=\"q7Xv!9pLz2Rt\"\nPORT=1\n";
    let repo = Repo::new()
        .file("greeting.txt", "hello\n")
        .file("test.sh", "grep -q 'hello world' greeting.txt\n")
        .file("spec.md", "Greet the world.\n")
        .file("settings.env", secret)
        .file("tool.sh", "#!/bin/sh\r\necho one\r\n")
        .file("mine.sh", "#!/bin/sh\n")
        .file(
            "old.txt",
            b"caf\xe9 cr\xe8me, d\xe9j\xe0 vu, na\xefve, o\xf9 \xeates-vous\none",
        )
        .file("gone.txt", "gone\n");
    for name in ["tool.sh", "mine.sh"] {
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(repo.root().join(name), mode).unwrap();
    }
    let stage = Stage::of(repo.git()).own(SCRIPT);
    let run = stage.plan_exec(&[
        "--executor",
        "own",
        "--context",
        "full",
        "--accept-sensitive",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let settings = String::from_utf8(stage.holds("settings.env")).unwrap();
    assert_eq!(settings, secret.replace("PORT=1", "PORT=2"));
    assert_eq!(stage.holds("tool.sh"), b"#!/bin/sh\r\necho two\r\n");
    assert_eq!(
        stage.holds("old.txt"),
        b"caf\xe9 cr\xe8me, d\xe9j\xe0 vu, na\xefve, o\xf9 \xeates-vous\nONE"
    );
    for name in ["tool.sh", "bin/yours.sh"] {
        let meta = stage.repo.root().join(name).metadata().unwrap();
        assert_eq!(meta.permissions().mode() & 0o111, 0o111, "{name}");
    }
    assert!(!stage.repo.root().join("mine.sh").exists());
    assert!(!stage.repo.root().join("gone.txt").exists());
}

#[test]
fn who_stands_in_is_asked_the_same() {
    let script = format!("grep -q '>>>>>>> REPLACE' && cat <<'EOF'\n{GOOD}EOF\n");
    let stage = Stage::new()
        .own(&script)
        .tell("claude.does", "out-of-quota");
    let run = stage.plan_exec(&["--executor", "claude,own"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(stage.greeting(), "hello world\n");
}
