//! How soon after one another agents are asked, by all runs of a user.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::plan_exec::Stage;
use super::{Run, read};

/// Writes down when it was started; what it answers is as the schema says where it is asked again.
const STARTED: &str = "date +%s%3N >> \"${0%/*}/starts\"\n\
    if grep -q 'cannot be used'; then echo 1; else echo one; fi\n";

/// A workflow that asks three at once, each of them twice.
const THREE: &str = "version = 1\ntitle = \"t\"\nresult = \"all\"\n[roles]\na = \"own\"\n[[step]]\nname = \"each\"\nkind = \"ask\"\nrole = \"a\"\n\
    for-each = \"[1, 2, 3]\"\nparallel = true\nprompt = \"{{ item }}\"\nschema = '{\"type\":\"integer\"}'\n";

impl Stage {
    fn start(&self, args: &[&str], stagger: Duration) -> Child {
        let mut command = self.command(args);
        command.env("TWOSTEP_STAGGER_MS", stagger.as_millis().to_string());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// When programs were started, in milliseconds, in their order.
    fn starts(&self) -> Vec<u64> {
        let text = String::from_utf8(read(&self.repo.beside("bin/starts"))).unwrap();
        let mut starts: Vec<u64> = text.lines().map(|line| line.parse().unwrap()).collect();
        starts.sort_unstable();
        starts
    }
}

#[test]
fn no_two_programs_are_started_at_the_same_time_first_or_again_here_or_elsewhere() {
    let stage = Stage::new()
        .players(&[("own", STARTED)], &[])
        .own_workflow("mine", THREE);
    let stagger = Duration::from_millis(400);
    let both = [&["workflow", "run", "mine"][..], &["ask", "own", "hi"]];
    let both = both.map(|args| stage.start(args, stagger));
    for child in both {
        let run = Run::from(child.wait_with_output().unwrap());
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    let starts = stage.starts();
    assert_eq!(starts.len(), 7, "{starts:?}");
    // Less what the machine takes to start them.
    let are_apart = starts.windows(2).all(|two| two[1] - two[0] > 200);
    assert!(are_apart, "{starts:?}");
}

#[test]
fn a_rate_is_one_for_all_runs_and_who_waits_for_it_can_be_stopped() {
    let rates = "requests-per-minute = 2\n";
    let stage = Stage::new().players(&[("own", STARTED)], &[]);
    let agents = stage.repo.beside("home/.config/twostep/agents.toml");
    let text = String::from_utf8(read(&agents)).unwrap() + rates;
    let stage = stage.agents(&text);
    let three = [(); 3].map(|()| stage.start(&["ask", "own", "hi"], Duration::ZERO));
    let mut left = Vec::from(three);
    while left.len() > 1 {
        left.retain_mut(|child| match child.try_wait().unwrap() {
            None => true,
            Some(status) => {
                assert!(status.success());
                false
            }
        });
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut waiting = left.remove(0);
    let mut stderr = BufReader::new(waiting.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("was asked much already; asking in 1 min") {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "{said}");
    }
    kill_process(Pid::from_child(&waiting), Signal::INT).unwrap();
    assert_eq!(waiting.wait().unwrap().code(), Some(130), "{said}");
    assert_eq!(stage.starts().len(), 2);
}

#[test]
fn who_waits_to_be_started_can_be_stopped() {
    let stage = Stage::new().players(&[("own", STARTED)], &[]);
    let long = Duration::from_mins(5);
    let first = stage.start(&["ask", "own", "hi"], long);
    let run = Run::from(first.wait_with_output().unwrap());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let before = stage.last_run();
    let mut waiting = stage.start(&["ask", "own", "hi"], long);
    // Its prompt is kept just before.
    while !stage.last_run().join("calls/01-asked/prompt.md").exists() || stage.last_run() == before
    {
        std::thread::sleep(Duration::from_millis(10));
    }
    kill_process(Pid::from_child(&waiting), Signal::INT).unwrap();
    assert_eq!(waiting.wait().unwrap().code(), Some(130));
    assert_eq!(stage.starts().len(), 1);
}
