//! What signals to us do to a run, seen from outside: the runner is a process of its own.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use twostep::process::{self, Interrupt, Limits};

use crate::process::{Scene, WIDE, sh, shim};

/// A process of its own that runs `script` and heeds signals; see [`stage`].
struct Stage {
    scene: Scene,
    child: std::process::Child,
}

impl Stage {
    /// Starts it by `launcher`, a script of sh that has its command line as arguments.
    fn start(launcher: &str, script: &str) -> Self {
        let scene = Scene::new();
        std::fs::write(scene.path("script"), script).unwrap();
        let child = std::process::Command::new("/bin/sh")
            .args(["-c", launcher, "sh"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "signals::stage", "--ignored"])
            .env("TWOSTEP_TEST_STAGE", scene.folder.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let stage = Self { scene, child };
        stage.wait_for("ready");
        stage
    }

    fn wait_for(&self, word: &str) {
        wait_until(|| self.scene.text("stdout").contains(word));
    }

    fn send(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Returns its exit code, and what it wrote at its end, once nothing of its program is left.
    fn end(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        wait_until(|| self.scene.n_alive() == 0);
        (code, self.scene.text("ended"))
    }
}

#[test]
#[ignore = "no test: the process that other tests start"]
fn stage() {
    let Some(folder) = std::env::var_os("TWOSTEP_TEST_STAGE") else {
        return;
    };
    let folder = PathBuf::from(folder);
    let interrupt = Interrupt::install().unwrap();
    let command = sh(&folder, "exec sh ./script");
    let limits = Limits {
        grace: Duration::from_secs(3),
        ..WIDE
    };
    let is_interrupted = || interrupt.signal().is_some();
    let ended = process::run(shim(), &command, &limits, &is_interrupted, &mut |_, _| {}).unwrap();
    let text = format!("{:?} {:?}", ended.end, interrupt.signal());
    std::fs::write(folder.join("ended"), text).unwrap();
}

/// What a script runs in its background ignores SIGINT from the start; that might be these tests.
const PLAIN: &str = if cfg!(target_os = "linux") {
    "exec env --default-signal \"$@\""
} else {
    "exec \"$@\""
};
const SLEEPER: &str = "echo ready; sleep 300";

#[test]
fn a_signal_is_remembered_and_stops_the_run() {
    for (signal, expected) in [
        (Signal::HUP, "Interrupted Some(1)"),
        (Signal::INT, "Interrupted Some(2)"),
        (Signal::TERM, "Interrupted Some(15)"),
    ] {
        let stage = Stage::start(PLAIN, SLEEPER);
        stage.send(signal);
        assert_eq!(stage.end(), (Some(0), expected.to_owned()));
    }
}

#[test]
fn a_second_signal_ends_us_at_once_and_the_program_soon() {
    let script = "trap 'echo told' TERM; echo ready; while :; do sleep 0.1; done";
    let stage = Stage::start(PLAIN, script);
    stage.send(Signal::TERM);
    stage.wait_for("told");
    stage.send(Signal::INT);
    assert_eq!(stage.end(), (Some(130), String::new()));
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_that_was_ignored_from_the_start_stays_so() {
    let stage = Stage::start("trap '' HUP; exec \"$@\"", SLEEPER);
    stage.send(Signal::HUP);
    stage.send(Signal::TERM);
    assert_eq!(stage.end(), (Some(0), "Interrupted Some(15)".to_owned()));
}

#[test]
#[cfg(target_os = "linux")]
fn when_we_are_killed_nothing_of_the_program_is_left() {
    let script = "setsid sh -c 'trap \"\" TERM; sleep 300; sleep 300' & echo ready; sleep 300";
    let stage = Stage::start(PLAIN, script);
    stage.send(Signal::KILL);
    assert_eq!(stage.end(), (None, String::new()));
}

#[track_caller]
fn wait_until(fact: impl Fn() -> bool) {
    let begun = Instant::now();
    while !fact() {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "it took too long"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
