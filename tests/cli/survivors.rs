//! What is left of an agent's processes however we end, and that the run goes on afterwards.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::plan_exec::{CHECK, Stage};
use super::{Run, read};

/// What an agent starts, each with the name that it is known by.
const CHILDREN: &[(&str, &str)] = &[
    (
        "deaf",
        "sh -c 'trap \"\" HUP INT TERM; while :; do sleep 0.2; done' deaf &",
    ),
    (
        "apart",
        "setsid sh -c 'trap \"\" HUP INT TERM; cd /; while :; do sleep 0.2; done' apart &",
    ),
    (
        "twice",
        "( ( cd /; exec setsid sh -c 'sleep 300; :' twice & ) & )",
    ),
    (
        "holder",
        "sh -c 'exec 3>&1 4>&2; trap \"\" TERM; sleep 300; :' holder &",
    ),
    (
        "listener",
        "supervisor=$PPID; sh -c 'exec 3> /proc/$0/fd/1 4< /proc/$0/fd/0; sleep 300; :' $supervisor listener &",
    ),
];

/// Returns what an agent does that starts them and never ends.
fn never_ends() -> String {
    let children: Vec<&str> = CHILDREN.iter().map(|(_, script)| *script).collect();
    format!(
        "{}\ntouch \"$HOME/.gemini/ready\"\nwait\nsleep 300\n",
        children.join("\n")
    )
}

/// Returns the command lines of the processes that were started for a stage.
fn survivors(folder: &Path) -> Vec<String> {
    let folder = folder.as_os_str().as_encoded_bytes();
    let holds = |path: PathBuf| {
        let bytes = std::fs::read(path).unwrap_or_default();
        memchr::memmem::find(&bytes, folder).is_some()
    };
    let works_there = |path: PathBuf| {
        path.read_link()
            .is_ok_and(|cwd| cwd.as_os_str().as_encoded_bytes().starts_with(folder))
    };
    let processes = Path::new("/proc").read_dir().unwrap().flatten();
    let ours = processes.filter(|process| {
        let is_us = process.file_name().to_str() == Some(&std::process::id().to_string());
        !is_us && (holds(process.path().join("environ")) || works_there(process.path().join("cwd")))
    });
    let words = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace('\0', " ");
    ours.map(|process| words(std::fs::read(process.path().join("cmdline")).unwrap_or_default()))
        .filter(|words| !words.is_empty())
        .collect()
}

fn until(what: &str, limit: Duration, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < limit, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// How a run is ended, and the exit code that comes of it.
#[derive(Debug, Clone, Copy)]
enum End {
    Idle,
    Signals(&'static [&'static str], i32),
}

#[test]
fn nothing_of_an_agent_outlives_us_and_the_run_goes_on() {
    std::thread::scope(|scope| {
        for end in [
            End::Idle,
            End::Signals(&["INT"], 130),
            End::Signals(&["INT", "INT"], 130),
            End::Signals(&["TERM"], 143),
            End::Signals(&["HUP"], 129),
            End::Signals(&["KILL"], -1),
        ] {
            scope.spawn(move || end_and_go_on(end));
        }
    });
}

fn end_and_go_on(end: End) {
    let stage = Stage::new().tell("gemini.edit", &never_ends());
    let folder = stage.repo.folder.path();
    std::fs::create_dir_all(folder.join("home")).unwrap();
    let begun = Instant::now();
    let child = start(&stage, end);
    until("the agent is ready", Duration::from_mins(1), || {
        folder.join("home/.gemini/ready").exists()
    });
    for (name, _) in CHILDREN {
        until(name, Duration::from_secs(20), || {
            survivors(folder).iter().any(|words| words.contains(name))
        });
    }
    let sent = Instant::now();
    if let End::Signals(signals, _) = end {
        for signal in signals {
            let id = child.id().to_string();
            let status = Command::new("kill").args(["-s", signal, &id]).status();
            assert!(status.unwrap().success());
            // Two of a kind at once are one.
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let run = Run::from(child.wait_with_output().unwrap());
    let took = if matches!(end, End::Idle) {
        begun
    } else {
        sent
    }
    .elapsed();
    match end {
        End::Idle => {
            assert_eq!(run.code, 4, "{}", run.stderr);
            let journal = stage.run(&["runs", "show"]).stdout;
            assert!(journal.contains("it wrote nothing for 2 s"), "{journal}");
        }
        End::Signals(signals, code) => {
            assert_eq!(run.code, code, "{signals:?}: {}", run.stderr);
            let is_at_once = signals.len() == 2 || signals == ["KILL"];
            assert!(
                !is_at_once || took < Duration::from_secs(2),
                "{signals:?}: {took:?}"
            );
        }
    }
    until(
        &format!("nothing is left after {end:?}"),
        Duration::from_secs(10),
        || survivors(folder).is_empty(),
    );
    assert_eq!(stage.greeting(), "hello\n", "{end:?}");
    let stage = stage.tell("gemini.edit", "");
    let run = stage.run(&[
        "runs",
        "resume",
        "--",
        "--run-calls",
        "9",
        "--idle-limit",
        "1m",
    ]);
    let got = (run.code, stage.greeting());
    assert_eq!(
        got,
        (0, "hello world\n".to_owned()),
        "{end:?}: {}",
        run.stderr
    );
}

#[test]
fn nothing_of_an_agent_that_kills_its_supervisor_outlives_us() {
    // With the listener it would be known by its silence alone.
    let children = CHILDREN.iter().filter(|(name, _)| *name != "listener");
    let children: Vec<&str> = children.map(|(_, script)| *script).collect();
    let children = children.join("\n");
    let kills = format!("{children}\nsleep 0.3\nkill -KILL $PPID\nsleep 300\n");
    let stage = Stage::new().tell("gemini.edit", &kills);
    let run = stage.plan_exec(&["--run-calls", "1"]);
    assert!(
        run.code != 0 && run.stderr.contains("lost the supervisor"),
        "{}",
        run.stderr
    );
    let left = survivors(stage.repo.folder.path());
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_was_started_before_us_is_not_ended() {
    let stage = Stage::new().tell("gemini.edit", "kill -KILL $PPID; sleep 300\n");
    let plain = stage.command(&["plan-exec", "spec.md", "--yes"]);
    let mut command = Command::new("sh");
    // The shell's child becomes ours.
    let script = "sleep 300 > /dev/null 2>&1 & echo $! > ../before; exec \"$0\" \"$@\"";
    command
        .args(["-c", script])
        .arg(plain.get_program())
        .args(plain.get_args())
        .current_dir(stage.repo.root())
        .env_clear();
    command.envs(
        plain
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let run = Run::of(command);
    assert!(run.stderr.contains("lost the supervisor"), "{}", run.stderr);
    let before = String::from_utf8(read(&stage.repo.beside("before"))).unwrap();
    let command_line = Path::new("/proc").join(before.trim()).join("cmdline");
    // That of one that has ended is empty, or gone.
    assert_eq!(read(&command_line), b"sleep\x00300\x00");
    let status = Command::new("kill").arg(before.trim()).status();
    assert!(status.unwrap().success());
}

/// Starts a run; what runs these tests in its background has them ignore signals.
fn start(stage: &Stage, end: End) -> Child {
    let mut words = vec!["plan-exec", "spec.md", "--check", CHECK, "--yes"];
    if matches!(end, End::Idle) {
        words.extend(["--idle-limit", "2s", "--run-calls", "1"]);
    }
    let plain = stage.command(&words);
    let mut command = Command::new("env");
    command
        .arg("--default-signal")
        .arg(plain.get_program())
        .args(plain.get_args())
        .current_dir(stage.repo.root())
        .env_clear()
        .envs(
            plain
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Runs `plan-exec`, which two SIGINTs end at the `n`-th point if it comes that far; returns its exit code.
fn interrupted_at(stage: &Stage, n: usize) -> i32 {
    let mut command = stage.command(&["plan-exec", "spec.md", "--check", CHECK, "--yes"]);
    command
        .env("TWOSTEP_CRASH_AT", n.to_string())
        .env("TWOSTEP_CRASH_BY", "INT");
    Run::of(command).code
}

/// Says whether a run had begun to exchange files, and whether it was done with that.
fn landing(stage: &Stage) -> (bool, bool) {
    let journal = String::from_utf8(read(&stage.last_run().join("journal.jsonl"))).unwrap();
    (
        journal.contains("\"landing_started\""),
        journal.contains("\"landed\"}"),
    )
}

#[test]
fn a_second_ctrl_c_while_files_are_exchanged_is_mended() {
    // The first point at which the landing is on its way.
    let (mut before, mut after) = (1, 256);
    while after - before > 1 {
        let n = usize::midpoint(before, after);
        let stage = Stage::new();
        if interrupted_at(&stage, n) != 130 || landing(&stage).0 {
            after = n;
        } else {
            before = n;
        }
    }
    let mut n_half = 0;
    for n in after.. {
        let stage = Stage::new();
        assert_eq!(interrupted_at(&stage, n), 130, "{n}");
        if landing(&stage).1 {
            break;
        }
        n_half += 1;
        let next = stage.plan_exec(&["--force"]);
        assert!(
            next.stderr.contains("ended while it landed"),
            "{n}: {}",
            next.stderr
        );
        let (words, expected) = if n % 2 == 0 {
            (&["undo"][..], "hello\n")
        } else {
            (&["runs", "resume"][..], "hello world\n")
        };
        let run = stage.run(words);
        let got = (run.code, stage.greeting());
        assert_eq!(got, (0, expected.to_owned()), "{n}: {}", run.stderr);
    }
    assert!(n_half > 1, "{n_half} points");
}
