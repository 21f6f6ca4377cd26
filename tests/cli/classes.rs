//! Every class of failure, as each program shows it and as the user sees it.

use twostep::agent::Class;

use super::plan_exec::Stage;
use super::{Run, read};

/// What an agent does, the class that it makes, and how often it is asked.
const FAILURES: &[(&str, Class, usize)] = &[
    ("rate-limited", Class::RateLimited, 1),
    ("waits", Class::RateLimited, 1),
    ("out-of-quota", Class::OutOfQuota, 1),
    ("not-signed-in", Class::NotSignedIn, 1),
    ("no-such-model", Class::NoSuchModel, 1),
    ("permission-denied", Class::PermissionDenied, 1),
    ("over-window", Class::OverWindow, 1),
    ("refused", Class::Refused, 1),
    ("network", Class::Network, 1),
    ("crashed", Class::Crashed, 1),
    ("cut", Class::Cut, 1),
    ("killed", Class::Killed, 2),
    ("garbage", Class::Malformed, 2),
    ("empty", Class::Empty, 2),
    ("hang", Class::Hung, 2),
];

#[test]
fn each_program_shows_each_class_and_the_user_is_told_what_to_do() {
    std::thread::scope(|scope| {
        for agent in ["gemini", "claude", "codex"] {
            scope.spawn(move || {
                for &(does, class, n_calls) in FAILURES {
                    let stage = Stage::new().tell(&format!("{agent}.does"), does);
                    let is_silent = ["hang", "waits"].contains(&does);
                    let idle = if is_silent { "1s" } else { "1m" };
                    let limits = ["--max-wait", "1s", "--idle-limit", idle];
                    let words = ["plan", "spec.md", "--planner", agent];
                    let run = stage.run(&[&words[..], &limits].concat());
                    assert_failed(&run, class, &format!("{agent} {does}"));
                    let journal = read(&stage.last_run().join("journal.jsonl"));
                    let journal = String::from_utf8(journal).unwrap();
                    let n = journal.matches(r#""type":"call_started""#).count();
                    assert_eq!(n, n_calls, "{agent} {does}: {journal}");
                }
            });
        }
    });
}

#[test]
fn no_class_is_left_out() {
    let others = [
        // Tells of a recording, below.
        Class::NotRecorded,
        // `ctrl_c_in_any_phase_ends_everything_and_changes_nothing`.
        Class::Interrupted,
    ];
    for class in Class::ALL {
        let is_shown = FAILURES.iter().any(|(_, shown, _)| *shown == class);
        assert!(is_shown || others.contains(&class), "{class}");
    }
}

#[test]
fn a_recording_of_another_prompt_is_not_played() {
    let stage = Stage::new();
    assert_eq!(stage.run(&["plan", "spec.md"]).code, 0);
    let calls = format!("recorded:{}", stage.last_run().join("calls").display());
    std::fs::write(stage.repo.root().join("spec.md"), "Greet the moon.\n").unwrap();
    let run = stage.run(&["plan", "spec.md", "--force", "--planner", &calls]);
    assert_failed(&run, Class::NotRecorded, "recorded");
}

/// Says that a run ended as one does whose planner failed so.
#[track_caller]
fn assert_failed(run: &Run, class: Class, what: &str) {
    assert_eq!(run.code, 3, "{what}: {}", run.stderr);
    let said = format!("gave no answer as planner: {class}: ");
    assert!(run.stderr.contains(&said), "{what}: {}", run.stderr);
    let on = if class == Class::NotRecorded {
        "\n"
    } else {
        "; `twostep runs resume "
    };
    let hint = format!("\nhint: {}{on}", class.hint());
    assert!(run.stderr.contains(&hint), "{what}: {}", run.stderr);
}
