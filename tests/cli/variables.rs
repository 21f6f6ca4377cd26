//! Secrets in our environment: who gets them, and that no file and no message of ours has them.

use std::path::Path;

use super::plan_exec::{CHECK, PLAN, Stage};
use super::{Run, read};

/// Variables, each with a value that stands nowhere else.
const PLANTED: [(&str, &str); 12] = [
    ("GEMINI_API_KEY", "AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"),
    ("GOOGLE_API_KEY", "AIzaSyZ9y8X7w6V5u4T3s2R1q0P9o8N7m6L5k4J"),
    ("ANTHROPIC_API_KEY", "sk-ant-api03-Qw3rTy7uIoP1aSdF5gHj"),
    ("CODEX_API_KEY", "sk-proj-4Nf8Rk2Lw6Tz9Xc1Vb3Mm7Qp"),
    ("OPENAI_API_KEY", "sk-proj-9Jd5Hs1Ga7Lf3Kq8Wz2Ex6Cr"),
    ("AWS_ACCESS_KEY_ID", "AKIA4QZ7TNB2WXKD9RLM"),
    (
        "AWS_SECRET_ACCESS_KEY",
        "k7Rz/2mWqX9vLp4TnB8sJd6FhGy1CeAuZo3iQxVw",
    ),
    ("GITHUB_TOKEN", "ghp_8sKd02mXq7LzTnVb4WcRy6HpJf1GuEa9Qi3o"),
    ("NPM_TOKEN", "npm_Zx81Kq0LmWv7TnBy2Rc5Hp9Jf4Gs6Du3Ea"),
    (
        "DATABASE_URL",
        "postgres://shop:t4Kz91mQvX@db.internal:5432/shop",
    ),
    ("ZQ_17", "q8Zt3LxV0wNc7RmJ5yKb"),
    (
        "DEPLOY_KEY",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\"kqhkiG9w0B\\AQEF\n-----END PRIVATE KEY-----",
    ),
];

/// Says everything on both outputs, as lines and as JSON.
const ECHO: &str = "env; env >&2; printf '{\"type\":\"x\",\"k\":\"'; printf %s \"$GEMINI_API_KEY\"; printf '\"}\\n'\n";

fn planted(stage: &Stage, more: &[&str]) -> std::process::Command {
    let mut command =
        stage.command(&[&["plan-exec", "spec.md", "--yes", "--check"], more].concat());
    command.envs(PLANTED);
    command
}

/// Returns the files beneath `folder` that hold a planted value, or a part of one that has lines, each with its name.
fn holders(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in folder.read_dir().into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            found.extend(holders(&path));
        } else {
            let names = names_in(&String::from_utf8_lossy(&read(&path)));
            found.extend(
                names
                    .iter()
                    .map(|name| format!("{}: {name}", path.display())),
            );
        }
    }
    found
}

/// Returns the variables whose value is in a text, as it is or as JSON writes it.
fn names_in(text: &str) -> Vec<&'static str> {
    let holds = |value: &str| {
        let escaped = serde_json::Value::from(value).to_string();
        text.contains(value) || text.contains(&escaped[1..escaped.len() - 1])
    };
    let found = PLANTED.into_iter().filter(|(_, value)| holds(value));
    found.map(|(name, _)| name).collect()
}

#[track_caller]
fn assert_kept_nowhere(stage: &Stage, run: &Run, what: &str) {
    let root = stage.repo.root();
    let found = [holders(&root), holders(&stage.repo.beside("home"))].concat();
    assert!(found.is_empty(), "{what}: {found:#?}");
    for text in [&run.stdout, &run.stderr] {
        assert_eq!(names_in(text), [""; 0], "{what}: {text}");
    }
}

/// Returns the planted variables that a child had, as its output names them.
fn had(stage: &Stage, file: &str) -> Vec<&'static str> {
    let text = String::from_utf8(read(&stage.last_run().join(file))).unwrap();
    let is_set = |name: &str| {
        text.lines()
            .any(|line| line.starts_with(&format!("{name}=")))
    };
    let names = PLANTED.into_iter().map(|(name, _)| name);
    names.filter(|name| is_set(name)).collect()
}

#[test]
fn each_child_has_its_own_secrets_and_nothing_of_ours_keeps_them() {
    let stage = Stage::new().tell("gemini.edit", ECHO).tell(
        "claude.edit",
        &format!("echo 'hello world' > greeting.txt\n{ECHO}"),
    );
    let stage = stage.tell(
        "gemini.answer",
        &PLAN.replace(
            "Write `hello world`.",
            &format!("Write `hello world`. {}", PLANTED[0].1),
        ),
    );
    let stage = stage.tell("claude.answer", &format!("My key is {}.", PLANTED[2].1));
    let run = Run::of(planted(
        &stage,
        &["env; env >&2; sh test.sh", "--json", "-v"],
    ));
    assert_eq!(run.code, 0, "{}", run.stderr);
    let of_checks: Vec<&str> = PLANTED.iter().map(|(name, _)| *name).collect();
    for (file, expected) in [
        (
            "calls/01-planner/stderr",
            &["GEMINI_API_KEY", "GOOGLE_API_KEY"][..],
        ),
        ("calls/02-executor/stderr", &["ANTHROPIC_API_KEY"]),
        ("checks/01-before.out", &of_checks[5..]),
        ("checks/01-after.err", &of_checks[5..]),
    ] {
        assert_eq!(had(&stage, file), expected, "{file}");
    }
    assert_kept_nowhere(&stage, &run, "success");
}

#[test]
fn what_fails_and_says_its_environment_leaves_no_secret_either() {
    let echo = |end: &str| format!("{ECHO}{end}\n");
    let as_error = "printf '{\"type\":\"result\",\"status\":\"error\",\"error\":{\"message\":\"bad key %s\"}}\\n' \"$GEMINI_API_KEY\"; exit 1";
    // Who says it, how the run ends, and what is lent besides.
    for (what, tell, check, code) in [
        (
            "a planner that crashes",
            ("gemini.edit", echo("exit 7")),
            CHECK,
            3,
        ),
        (
            "a planner's error",
            ("gemini.edit", echo(as_error)),
            CHECK,
            3,
        ),
        (
            "an executor that crashes",
            ("claude.edit", echo("env >&2; exit 7")),
            CHECK,
            3,
        ),
        (
            "a check",
            ("claude.does", "answer".to_owned()),
            "env >&2; env; false",
            1,
        ),
        (
            "an endless agent",
            ("gemini.edit", echo("sleep 300")),
            CHECK,
            4,
        ),
    ] {
        let stage = Stage::new().tell(tell.0, &tell.1);
        let lent = [
            "--env",
            "DATABASE_URL",
            "--env",
            "ZQ_17",
            "--env",
            "DEPLOY_KEY",
        ];
        let more = ["--idle-limit", "1s", "--max-wait", "1s", "-v"];
        let calls: &[&str] = if code == 4 {
            &["--run-calls", "1"]
        } else {
            &[]
        };
        let run = Run::of(planted(
            &stage,
            &[&[check][..], &lent, &more, calls].concat(),
        ));
        assert_eq!(run.code, code, "{what}: {}", run.stderr);
        assert_kept_nowhere(&stage, &run, what);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn when_we_are_killed_the_secrets_go_all_the_same() {
    let stage = Stage::new().tell(
        "gemini.edit",
        &format!("{ECHO}touch \"$HOME/.gemini/ready\"; sleep 300\n"),
    );
    std::fs::create_dir_all(stage.repo.beside("home")).unwrap();
    let mut child = planted(&stage, &[CHECK]).spawn().unwrap();
    let until = |what: &str, is_so: &dyn Fn() -> bool| {
        let begun = std::time::Instant::now();
        while !is_so() {
            assert!(begun.elapsed().as_secs() < 20, "never: {what}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    until("the agent has said it", &|| {
        stage.repo.beside("home/.gemini/ready").exists()
    });
    assert_eq!(holders(&stage.repo.root()).len(), 4);
    child.kill().unwrap();
    child.wait().unwrap();
    until("struck out", &|| holders(&stage.repo.root()).is_empty());
}

#[test]
fn a_change_with_a_key_of_the_users_does_not_land() {
    for (planting, told) in [
        (
            "echo \"$ANTHROPIC_API_KEY\" >> greeting.txt\n",
            "`greeting.txt`",
        ),
        (
            "echo bye > greeting.txt; echo hi > \"$ANTHROPIC_API_KEY.txt\"\n",
            "*.txt`",
        ),
        ("echo \"$ANTHROPIC_API_KEY\" > notes.txt\nexit 1\n", ""),
    ] {
        let stage = Stage::new().tell("claude.edit", planting);
        let run = Run::of(planted(&stage, &["true"]));
        assert_eq!(stage.greeting(), "hello\n", "{}", run.stderr);
        if !told.is_empty() {
            assert_eq!(run.code, 1, "{}", run.stderr);
            assert!(
                run.stderr.contains("a key of yours stands in it") && run.stderr.contains(told),
                "{}",
                run.stderr
            );
        }
        assert_kept_nowhere(&stage, &run, planting);
    }
}

#[test]
fn a_key_in_a_check_or_a_conversations_name_is_kept_nowhere() {
    let odd = "hunter2-hunter2-hunter2-zz";
    let stage = Stage::new();
    let check = format!("echo {odd} >/dev/null; sh test.sh");
    let mut command =
        stage.command(&["plan-exec", "spec.md", "--yes", "--json", "--check", &check]);
    command.env("ANTHROPIC_API_KEY", odd);
    let run = Run::of(command);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for text in [&run.stdout, &run.stderr] {
        assert!(!text.contains(odd), "{text}");
    }
    for file in ["journal.jsonl", "report.md", "command.json"] {
        let text = String::from_utf8(read(&stage.last_run().join(file))).unwrap();
        assert!(!text.contains(odd), "{file}: {text}");
    }
    // Written so that it is not found in what the program wrote.
    let script = String::from_utf8(read(&stage.repo.beside("bin/gemini"))).unwrap();
    let said = script.replace(
        "\"session_id\":\"11111111-2222-3333-4444-555555555555\"",
        "\"session_id\":\"\\u0068unter2-hunter2-hunter2-zz\"",
    );
    assert_ne!(said, script);
    let stage = Stage::new().tell("gemini", &said);
    let mut command = stage.command(&["plan-exec", "spec.md", "--yes"]);
    command.env("GEMINI_API_KEY", odd);
    let run = Run::of(command);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let call = stage.last_run().join("calls/01-planner/call.json");
    let call = String::from_utf8(read(&call)).unwrap();
    assert!(call.contains("\"session\": null"), "{call}");
}
