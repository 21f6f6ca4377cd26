//! Programs under the supervisor: how they end, what they get, and that nothing of them is left.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::time::Duration;

use twostep::process::{self, Command, End, Ended, Limits, ProcessError, Stream};

/// Limits that no test reaches unless it fails.
pub(crate) const WIDE: Limits = Limits {
    idle: Duration::from_mins(1),
    wall: Duration::from_mins(1),
    max_output_bytes: 1 << 30,
    grace: Duration::from_secs(10),
};

/// Far less than any program here runs by itself.
const SOON: Duration = Duration::from_millis(300);

/// A folder that a program runs in, and its outputs.
pub(crate) struct Scene {
    pub(crate) folder: tempfile::TempDir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn sh(&self, script: &str) -> Command {
        sh(self.folder.path(), script)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub(crate) fn run(&self, command: &Command) -> Ended {
        self.try_run(command, &WIDE).unwrap()
    }

    #[track_caller]
    fn try_run(&self, command: &Command, limits: &Limits) -> Result<Ended, ProcessError> {
        let ended = process::run(shim(), command, limits, &|| false, &mut |_, _| {});
        self.assert_nothing_is_left();
        ended
    }

    /// Runs until the program has written `word` to its stdout, and then interrupts it.
    #[track_caller]
    fn interrupt_after(&self, word: &str, command: &Command, limits: &Limits) -> Ended {
        let is_said = || self.text("stdout").contains(word);
        let ended = process::run(shim(), command, limits, &is_said, &mut |_, _| {}).unwrap();
        self.assert_nothing_is_left();
        ended
    }

    #[track_caller]
    fn assert_nothing_is_left(&self) {
        assert_eq!(self.n_alive(), 0, "processes are left");
    }

    /// Counts the processes that work in this folder.
    pub(crate) fn n_alive(&self) -> usize {
        let Ok(entries) = Path::new("/proc").read_dir() else {
            return 0;
        };
        entries
            .filter_map(|entry| entry.unwrap().path().join("cwd").read_link().ok())
            .filter(|folder| folder == self.folder.path())
            .count()
    }
}

pub(crate) fn sh(folder: &Path, script: &str) -> Command {
    Command {
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        env: vec![("PATH".into(), "/usr/bin:/bin".into())],
        folder: folder.to_owned(),
        stdin: None,
        stdout: folder.join("stdout"),
        stderr: folder.join("stderr"),
        writable: None,
        secrets: Vec::new(),
    }
}

pub(crate) fn shim() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_twostep"))
}

#[test]
fn the_end_is_that_of_the_program() {
    for (script, end) in [
        ("exit 0", End::Exited(0)),
        ("exit 7", End::Exited(7)),
        ("kill -TERM $$", End::Signalled(15)),
        ("kill -KILL $$", End::Signalled(9)),
    ] {
        let scene = Scene::new();
        let ended = scene.run(&scene.sh(script));
        assert_eq!((ended.end, ended.n_stopped), (end, 0), "{script}");
    }
}

#[test]
fn outputs_are_whole_apart_and_private() {
    let scene = Scene::new();
    let command = scene.sh("printf 'a\\377b'; printf 'c\\000d' >&2; printf e");
    let (mut out, mut err) = (Vec::new(), Vec::new());
    process::run(
        shim(),
        &command,
        &WIDE,
        &|| false,
        &mut |stream, bytes| match stream {
            Stream::Stdout => out.extend_from_slice(bytes),
            Stream::Stderr => err.extend_from_slice(bytes),
        },
    )
    .unwrap();
    for (name, watched, expected) in [("stdout", out, &b"a\xffbe"[..]), ("stderr", err, b"c\0d")] {
        let path = scene.path(name);
        assert_eq!(
            (watched.as_slice(), crate::read(&path).as_slice()),
            (expected, expected)
        );
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn stdin_is_the_whole_file_or_nothing() {
    // No line breaks and no period that a buffer's size divides.
    let large: Vec<u8> = (0..10_000_000_u32).map(|n| (n % 251) as u8).collect();
    for stdin in [Some(large), Some(Vec::new()), None] {
        let scene = Scene::new();
        let mut command = scene.sh("exec cat");
        if let Some(bytes) = &stdin {
            std::fs::write(scene.path("stdin"), bytes).unwrap();
            command.stdin = Some(scene.path("stdin"));
        }
        assert_eq!(scene.run(&command).end, End::Exited(0));
        let answer = crate::read(&scene.path("stdout"));
        assert!(
            answer == stdin.unwrap_or_default(),
            "{} bytes came",
            answer.len()
        );
    }
}

#[test]
fn environment_arguments_and_folder_are_as_given() {
    let odd = || OsString::from_vec(b"\xff\n\"x".to_vec());
    let scene = Scene::new();
    let mut command = scene.sh("");
    command.program = "/usr/bin/env".into();
    command.args.clear();
    command.env = vec![("A".into(), odd()), ("B".into(), OsString::new())];
    scene.run(&command);
    assert_eq!(crate::read(&scene.path("stdout")), b"A=\xff\n\"x\nB=\n");

    let scene = Scene::new();
    let mut command = scene.sh("pwd -P; printf '[%s]' \"$@\"");
    command.args.extend(["sh".into(), odd(), OsString::new()]);
    scene.run(&command);
    let folder = scene.folder.path().canonicalize().unwrap();
    let expected = [folder.as_os_str().as_encoded_bytes(), b"\n[\xff\n\"x][]"].concat();
    assert_eq!(crate::read(&scene.path("stdout")), expected);
}

#[test]
#[cfg(target_os = "linux")]
fn our_environment_is_not_in_reach_through_the_supervisor() {
    let scene = Scene::new();
    let ended = scene.run(&scene.sh("cat /proc/$PPID/environ"));
    assert_eq!(
        (ended.end, scene.text("stdout")),
        (End::Exited(0), String::new())
    );
}

#[test]
fn a_limit_ends_it() {
    let idle = Limits { idle: SOON, ..WIDE };
    let wall = Limits { wall: SOON, ..WIDE };
    let output = Limits {
        max_output_bytes: 1000,
        ..WIDE
    };
    for (script, limits, end) in [
        ("exec sleep 300", idle, End::Idle),
        ("sleep 300 & sleep 300", wall, End::Wall),
        ("while :; do echo x; sleep 0.01; done", wall, End::Wall),
        ("exec yes", output, End::TooMuchOutput),
        // Who ignores the order to end has no time to write on.
        (
            "trap '' TERM; while :; do echo x >&2; done",
            output,
            End::TooMuchOutput,
        ),
        (
            "head -c 600 /dev/zero; head -c 401 /dev/zero >&2",
            output,
            End::TooMuchOutput,
        ),
        (
            "head -c 600 /dev/zero; head -c 400 /dev/zero >&2",
            output,
            End::Exited(0),
        ),
    ] {
        let scene = Scene::new();
        let mut n_watched = 0;
        let ended = process::run(
            shim(),
            &scene.sh(script),
            &limits,
            &|| false,
            &mut |_, bytes| {
                n_watched += bytes.len() as u64;
            },
        )
        .unwrap();
        scene.assert_nothing_is_left();
        assert_eq!(ended.end, end, "{script}");
        assert!(ended.elapsed < WIDE.grace, "{script}: {:?}", ended.elapsed);
        assert!(
            n_watched <= limits.max_output_bytes,
            "{script}: {n_watched}"
        );
    }
}

#[test]
fn either_output_is_a_sign_of_life() {
    let scene = Scene::new();
    let script = "for i in 1 2 3 4 5; do echo; sleep 0.4; echo >&2; sleep 0.4; done";
    let limits = Limits {
        idle: Duration::from_secs(2),
        ..WIDE
    };
    let ended = scene.try_run(&scene.sh(script), &limits).unwrap();
    assert_eq!(ended.end, End::Exited(0));
    assert!(ended.elapsed > limits.idle);
}

#[test]
fn who_is_told_to_end_has_the_grace_for_it() {
    let scene = Scene::new();
    let script = "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.1; done";
    let ended = scene.interrupt_after("ready", &scene.sh(script), &WIDE);
    assert_eq!(ended.end, End::Interrupted);
    assert_eq!(scene.text("stdout"), "ready\nbye\n");
    assert!(ended.elapsed < WIDE.grace);
}

#[test]
fn who_does_not_end_is_killed_after_the_grace() {
    let scene = Scene::new();
    let script = "trap '' TERM; echo ready; while :; do sleep 0.1; done";
    let limits = Limits {
        grace: SOON,
        ..WIDE
    };
    let ended = scene.interrupt_after("ready", &scene.sh(script), &limits);
    assert_eq!(ended.end, End::Interrupted);
    assert!(ended.elapsed >= SOON);
}

#[test]
#[cfg(target_os = "linux")]
fn what_it_leaves_behind_is_ended_and_counted() {
    let brief = Limits {
        grace: SOON,
        ..WIDE
    };
    for (script, limits, n_stopped) in [
        ("sleep 300 & exit 3", WIDE, 1),
        ("(sleep 300 &) & wait; exit 3", WIDE, 1),
        (
            "setsid sleep 300 & setsid -f setsid -f sleep 300; exit 3",
            WIDE,
            2,
        ),
        (
            "setsid sh -c 'trap \"\" TERM; touch deaf; while :; do sleep 0.1; done' & \
             until [ -e deaf ]; do sleep 0.01; done; exit 3",
            brief,
            1,
        ),
    ] {
        let scene = Scene::new();
        let ended = scene.try_run(&scene.sh(script), &limits).unwrap();
        assert_eq!((ended.end, ended.n_left), (End::Exited(3), 0), "{script}");
        assert!(
            ended.n_stopped >= n_stopped,
            "{script}: {}",
            ended.n_stopped
        );
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_supervisor_that_is_killed_or_stopped_leaves_nothing_in_its_session() {
    let limits = Limits {
        idle: SOON,
        grace: SOON,
        ..WIDE
    };
    for script in ["kill -KILL $PPID; sleep 300", "kill -STOP $PPID; sleep 300"] {
        let scene = Scene::new();
        let error = scene.try_run(&scene.sh(script), &limits).unwrap_err();
        assert!(
            matches!(error, ProcessError::Lost { .. }),
            "{script}: {error}"
        );
    }
}

#[test]
fn a_signal_to_the_supervisor_is_an_order_to_stop() {
    for signal in ["HUP", "INT", "TERM"] {
        let scene = Scene::new();
        let script = format!("kill -{signal} $PPID; exec sleep 300");
        assert_eq!(
            scene.run(&scene.sh(&script)).end,
            End::Interrupted,
            "{signal}"
        );
    }
}

#[test]
fn a_watcher_that_panics_leaves_nothing() {
    let scene = Scene::new();
    let command = scene.sh("echo ready; sleep 300");
    let run = AssertUnwindSafe(|| {
        process::run(shim(), &command, &WIDE, &|| false, &mut |_, _| {
            panic!("on purpose")
        })
    });
    assert!(std::panic::catch_unwind(run).is_err());
    scene.assert_nothing_is_left();
}

#[test]
fn what_cannot_be_started_is_told_with_its_cause() {
    type Change = fn(&mut Command);
    let cases: [(Change, &str); 9] = [
        (
            |command| command.program = "/missing".into(),
            "cannot start `/missing` in `DIR`: No such file or directory (os error 2)",
        ),
        (
            |command| command.program = command.folder.join("plain"),
            "cannot start `DIR/plain` in `DIR`: Permission denied (os error 13)",
        ),
        (
            |command| command.args.push("a\0b".into()),
            "cannot start `/bin/sh` in `DIR`: Invalid argument (os error 22)",
        ),
        (
            |command| command.folder.push("missing"),
            "cannot use `DIR/missing`: entity not found",
        ),
        (
            |command| command.folder.push("plain"),
            "cannot use `DIR/plain`: not a directory",
        ),
        (
            |command| command.stdin = Some(command.folder.join("missing")),
            "cannot use `DIR/missing`: entity not found",
        ),
        (
            |command| command.stdin = Some("/dev/zero".into()),
            "cannot use `/dev/zero`: it is not a regular file",
        ),
        (
            |command| command.stdout = command.folder.join("plain"),
            "cannot create `DIR/plain`: File exists (os error 17)",
        ),
        (
            |command| command.stderr = command.stdout.clone(),
            "cannot create `DIR/stdout`: File exists (os error 17)",
        ),
    ];
    for (change, expected) in cases {
        let scene = Scene::new();
        std::fs::write(scene.path("plain"), "exit 0").unwrap();
        let mut command = scene.sh("exit 0");
        change(&mut command);
        let error = anyhow::Error::from(scene.try_run(&command, &WIDE).unwrap_err());
        let folder = scene.folder.path().to_str().unwrap();
        assert_eq!(format!("{error:#}").replace(folder, "DIR"), expected);
    }
}

#[test]
fn a_supervisor_that_cannot_be_started_is_told() {
    let scene = Scene::new();
    let shim = Path::new("/missing");
    let answer = process::run(shim, &scene.sh(""), &WIDE, &|| false, &mut |_, _| {});
    let error = anyhow::Error::from(answer.unwrap_err());
    assert_eq!(
        format!("{error:#}"),
        "cannot start `/missing` as a supervisor: No such file or directory (os error 2)"
    );
}

#[test]
fn the_supervisor_without_a_job_does_nothing() {
    let run = crate::Repo::new().run_with_stdin(&["--supervise"], b"no job\n");
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (2, "", "")
    );
}

#[test]
fn a_program_is_found_by_its_name() {
    let find = |name: &str| process::find(OsStr::new(name), OsStr::new("/missing:/bin"));
    assert_eq!(find("sh"), Some("/bin/sh".into()));
    assert_eq!(find("no-such-program"), None);
}
