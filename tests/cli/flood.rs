//! Agents that write too much, too slowly, or what a terminal would obey.
#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};
use std::time::Duration;

use super::Run;
use super::plan_exec::{CHECK, PLAN, Stage};

/// Our memory may grow to this, whatever an agent writes.
const MAX_MEMORY_KB: u64 = 300 << 10;

/// Runs a command; returns the most memory that it had at any time, too.
fn measured(mut command: Command) -> (Run, u64) {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let watch = std::thread::spawn(move || {
        let mut most = 0;
        while let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let Some(line) = line else { break };
            most = line.trim().trim_end_matches(" kB").parse().unwrap();
            std::thread::sleep(Duration::from_millis(10));
        }
        most
    });
    let run = Run::from(child.wait_with_output().unwrap());
    (run, watch.join().unwrap())
}

/// Bytes of lines that tell of a tool, as gemini tells of one.
const TOOLS: &str = r#"yes '{"type":"tool_use","tool_name":"read_file","tool_id":"x","parameters":{"file_path":"src/a/long/path/of/a/file.rs"}}'"#;

const MESSAGES: &str = r#"yes '{"type":"message","role":"assistant","content":"word word word word word word word word word word"}'"#;

#[test]
fn memory_is_bounded_and_the_class_known_whatever_an_agent_writes() {
    let slow = &[
        "--time-limit",
        "2s",
        "--idle-limit",
        "1s",
        "--run-calls",
        "1",
    ][..];
    std::thread::scope(|scope| {
        for (what, edit, more, code, said) in [
            (
                "100 MB of activity",
                format!("{TOOLS} | head -c 100000000; echo\n"),
                &[][..],
                0,
                "landed    1 file",
            ),
            (
                "100 MB of an answer",
                format!("{MESSAGES} | head -c 100000000; echo\n"),
                &["--run-calls", "1"],
                4,
                "",
            ),
            (
                "many uses of tools",
                "i=0; while [ $i -lt 20000 ]; do echo '{\"type\":\"tool_use\",\"tool_name\":\"t\",\"tool_id\":\"'$i'\",\"parameters\":{}}'; i=$((i+1)); done\n".to_owned(),
                &[],
                0,
                "landed    1 file",
            ),
            (
                "a line of 1 GB",
                "head -c 1G /dev/zero | tr '\\0' x\n".to_owned(),
                &["--run-calls", "1"],
                4,
                "",
            ),
            (
                "a line of many numbers",
                "printf '['; yes '0,' | tr -d '\\n' | head -c 3900000; echo '0]'\n".to_owned(),
                &[],
                0,
                "landed    1 file",
            ),
            (
                "no UTF-8",
                "head -c 1000000 /dev/zero | tr '\\0' '\\377'; echo; printf '{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"\\377\"}\\n'\n".to_owned(),
                &[],
                0,
                "landed    1 file",
            ),
            (
                "a byte now and then",
                "while :; do printf x; sleep 0.3; done\n".to_owned(),
                slow,
                4,
                "",
            ),
        ] {
            scope.spawn(move || {
                let stage = Stage::new().tell("gemini.edit", &edit);
                let words = [&["plan-exec", "spec.md", "--check", CHECK, "--yes"], more].concat();
                let (run, most) = measured(stage.command(&words));
                assert_eq!(run.code, code, "{what}: {}", run.stderr);
                assert!(run.stderr.contains(said), "{what}: {}", run.stderr);
                assert!(most < MAX_MEMORY_KB, "{what}: {most} kB");
                let why = match what {
                    "100 MB of an answer" => "its answer has more than",
                    "a line of 1 GB" => "it wrote without end",
                    "a byte now and then" => "it had not ended after",
                    _ => return,
                };
                let journal = stage.run(&["runs", "show"]).stdout;
                assert!(journal.contains(why), "{what}: {journal}");
                // Not all of it is kept.
                let kept = stage.last_run().join("calls/01-planner/stdout");
                assert!(kept.metadata().unwrap().len() < 700_000_000, "{what}");
            });
        }
    });
}

/// What a terminal obeys: it sets the clipboard, resets it, colours, goes up a line; the last is a CSI of one character.
const OBEYED: &str = "\\u001b]52;c;SGk=\\u0007\\u001bc\\u001b[31mred\\u009b2J";

/// The same as `printf` of sh writes it.
const OBEYED_BYTES: &str = "\\033]52;c;SGk=\\007\\033c\\033[31mred\\302\\2332J";

#[test]
fn nothing_that_an_agent_or_a_check_says_reaches_a_terminal_as_more_than_text() {
    let tool = format!(
        r#"{{"type":"tool_use","tool_name":"read{OBEYED}","tool_id":"1","parameters":{{"file_path":"a{OBEYED}"}}}}"#
    );
    let denied = r#"{"type":"tool_result","tool_id":"1","error":{"type":"policy_violation"}}"#;
    let activity = format!("cat <<'END'\n{tool}\n{denied}\nEND\nsleep 0.6\n");
    let trouble = format!(
        "cat <<'END'\n{{\"type\":\"result\",\"status\":\"error\",\"error\":{{\"message\":\"{OBEYED}\"}},\"stats\":{{}}}}\nEND\nexit 0\n"
    );
    let bytes = format!("printf '{OBEYED_BYTES}'");
    let escaped = "\u{1b}]52;c;SGk=\u{7}\u{1b}c\u{1b}[31mred\u{9b}2J";
    let answer = PLAN.replace("# Plan: Greet", &format!("# Plan: {escaped} Greet"));
    let answer = serde_json::json!({"type": "message", "role": "assistant", "content": answer});
    let answer = format!("cat <<'END'\n{answer}\nEND\n");
    let name = format!("echo 'hello world' > greeting.txt; touch \"x$({bytes})\"\n");
    // What is told, of each kind, and how the run ends.
    for (what, tell, check, code) in [
        ("activity", ("gemini.edit", activity), CHECK.to_owned(), 0),
        ("trouble", ("gemini.edit", trouble), CHECK.to_owned(), 3),
        ("answer", ("gemini.edit", answer), CHECK.to_owned(), 0),
        ("name", ("claude.edit", name), CHECK.to_owned(), 0),
        (
            "check",
            ("claude.does", "answer".to_owned()),
            format!("{bytes}; {bytes} >&2; false"),
            1,
        ),
    ] {
        let stage = Stage::new().tell(tell.0, &tell.1);
        let stage = match what {
            "answer" => stage.tell("gemini.answer", ""),
            _ => stage,
        };
        let plain = stage.command(&[]);
        let program = plain.get_program().to_str().unwrap();
        let check = check.replace('\'', "'\\''");
        let line = match what {
            // It goes to the terminal.
            "answer" => format!("{program} plan spec.md -o - --yes -v"),
            _ => format!("{program} plan-exec spec.md --check '{check}' --yes -v --max-wait 1s"),
        };
        let mut command = Command::new("script");
        command
            .args(["-qec", &line, "/dev/null"])
            .current_dir(stage.repo.root())
            .env_clear()
            .envs(
                plain
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .env("TERM", "xterm")
            .stdin(Stdio::null());
        let output = command.output().unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{what}: {shown}");
        assert!(shown.contains("52;c;SGk="), "{what} was not shown: {shown}");
        let rest = without_own(&shown);
        let bad = rest.find(|c: char| c.is_control() && !"\r\n\t".contains(c));
        assert_eq!(bad, None, "{what}: {rest:?}");
    }
}

/// Takes away what we say to terminals ourselves: to go up or left, and to clear a line or what follows.
fn without_own(shown: &str) -> String {
    let mut parts = shown.split("\u{1b}[");
    let mut rest = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let after = part.trim_start_matches(|c: char| c.is_ascii_digit());
        match after.strip_prefix(['A', 'D', 'G', 'K', 'J']) {
            Some(after) => rest.push_str(after),
            None => rest.extend(["\u{1b}[", part]),
        }
    }
    rest
}
