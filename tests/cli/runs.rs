//! `twostep runs wait`, `tail` and `clean`, and what is left in the cache.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use super::Run;
use super::plan_exec::Stage;

/// An executor that waits for a file in the home before it edits.
const WAITS: &str =
    "while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done; echo 'hello world' > greeting.txt\n";

const PLAN_EXEC: &[&str] = &["plan-exec", "spec.md", "--check", "sh test.sh", "--yes"];

fn start(mut command: Command) -> Child {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn end(child: Child) -> Run {
    Run::from(child.wait_with_output().unwrap())
}

/// Waits until `is_so`; fails after a minute.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(1), "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Starts a run whose executor waits, and returns once that works.
fn start_waiting(stage: &Stage) -> (Child, PathBuf) {
    let before = n_runs(stage);
    let child = start(stage.command(PLAN_EXEC));
    until("the executor works", || {
        n_runs(stage) > before && stage.last_run().join("calls/02-executor/stdout").exists()
    });
    (child, stage.last_run())
}

fn n_runs(stage: &Stage) -> usize {
    let runs = stage.repo.root().join(".twostep/runs");
    runs.read_dir().map_or(0, Iterator::count)
}

fn name(folder: &Path) -> &str {
    folder.file_name().unwrap().to_str().unwrap()
}

fn age(path: &Path, age: Duration) {
    let file = std::fs::File::open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

#[test]
fn wait_ends_as_the_run_did() {
    let unresolved = super::plan_exec::PLAN.replace("greeting.txt", "greetings.txt");
    for (file, does, more, code) in [
        ("claude.does", "answer", &[][..], 0),
        ("claude.edit", "echo other > greeting.txt\n", &[], 1),
        ("gemini.answer", &unresolved, &[], 1),
        ("gemini.does", "empty", &[], 3),
        ("gemini.answer", "Nothing at all.\n", &[], 3),
        ("claude.edit", "true\n", &[], 3),
        ("claude.does", "answer", &["--run-calls", "1"], 4),
    ] {
        let stage = Stage::new().tell(file, does);
        let run = stage.plan_exec(more);
        assert_eq!(run.code, code, "{file}: {}", run.stderr);
        let waited = stage.run(&["runs", "wait"]);
        assert_eq!(waited.code, code, "{file}: {}", waited.stderr);
    }
}

#[test]
fn a_run_of_another_process_is_waited_for_and_followed() {
    let stage = Stage::new().tell("claude.edit", WAITS);
    let (run, folder) = start_waiting(&stage);
    // By how its name begins.
    let mut wait = start(stage.command(&["runs", "wait", &name(&folder)[..8]]));
    let tail = start(stage.command(&["runs", "tail"]));
    let json = start(stage.command(&["runs", "tail", "--json", name(&folder)]));
    let clean = stage.run(&["runs", "clean", "--over", "0", "--landed"]);
    assert_eq!((clean.code, clean.stdout.as_str()), (0, ""));
    assert!(wait.try_wait().unwrap().is_none());
    std::fs::create_dir_all(stage.repo.beside("home")).unwrap();
    std::fs::write(stage.repo.beside("home/go"), "").unwrap();
    let run = end(run);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let (wait, tail, json) = (end(wait), end(tail), end(json));
    assert_eq!((wait.code, tail.code, json.code), (0, 0, 0));
    assert!(wait.stderr.contains("landed"), "{}", wait.stderr);
    assert!(tail.stdout.contains("asked claude"), "{}", tail.stdout);
    assert!(tail.stdout.ends_with("  ended\n"), "{}", tail.stdout);
    let shown = stage.run(&["runs", "show", "--json"]);
    assert_eq!(json.stdout, shown.stdout);
}

#[test]
fn several_runs_are_waited_for_and_the_first_that_is_not_well_tells() {
    let stage = Stage::new();
    let well = stage.run(&["ask", "gemini", "Is it?"]);
    assert_eq!(well.code, 0, "{}", well.stderr);
    let well = stage.last_run();
    let stage = stage.tell("gemini.does", "empty");
    let ill = stage.run(&["ask", "gemini", "Is it not?"]);
    assert_eq!(ill.code, 3, "{}", ill.stderr);
    let ill = stage.last_run();
    for (args, code, n_told) in [
        (&[name(&well), name(&ill)][..], 3, 2),
        (&[name(&well), name(&well)], 0, 2),
        (&["--all"], 0, 0),
    ] {
        let waited = stage.run(&[&["runs", "wait"], args].concat());
        assert_eq!(waited.code, code, "{args:?}: {}", waited.stderr);
        assert_eq!(waited.stderr.lines().count(), n_told, "{}", waited.stderr);
    }
    // One that works now.
    let stage = Stage::new().tell("claude.edit", WAITS);
    let (run, _) = start_waiting(&stage);
    let wait = start(stage.command(&["runs", "wait", "--all"]));
    std::fs::create_dir_all(stage.repo.beside("home")).unwrap();
    std::fs::write(stage.repo.beside("home/go"), "").unwrap();
    assert_eq!(end(run).code, 0);
    let wait = end(wait);
    assert_eq!(wait.code, 0, "{}", wait.stderr);
}

#[test]
fn a_run_that_was_killed_is_known_and_its_place_is_cleared() {
    let stage = Stage::new().tell("claude.edit", WAITS);
    let (mut run, folder) = start_waiting(&stage);
    run.kill().unwrap();
    run.wait().unwrap();
    let wait = stage.run(&["runs", "wait"]);
    assert_eq!(wait.code, 2, "{}", wait.stderr);
    assert!(wait.stderr.contains("was killed"), "{}", wait.stderr);
    let cache = stage.repo.beside("home/.cache/twostep");
    let place = cache.join(name(&folder));
    let lock = cache.join(format!("{}.lock", name(&folder)));
    assert!(place.join("scratch").is_dir() && lock.is_file());
    std::fs::write(stage.repo.beside("home/go"), "").unwrap();
    // What is that young may be about to be claimed.
    let next = stage.plan_exec(&["--force"]);
    assert_eq!(next.code, 0, "{}", next.stderr);
    assert!(place.join("scratch").is_dir());
    age(&place, Duration::from_mins(2));
    age(&lock, Duration::from_mins(2));
    let again = stage.run(&["plan", "spec.md", "--force", "--yes"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(!place.join("scratch").exists() && !lock.exists());
    // An open run is never cleaned away.
    let clean = stage.run(&["runs", "clean", "--over", "0", "--landed"]);
    assert_eq!(clean.code, 0, "{}", clean.stderr);
    assert!(folder.is_dir());
    assert_eq!(n_runs(&stage), 1);
}

#[test]
fn clean_removes_the_oldest_and_nothing_that_can_be_undone() {
    let stage = Stage::new();
    let kept = stage.plan_exec(&["--land", "none"]);
    assert_eq!(kept.code, 0, "{}", kept.stderr);
    let kept = stage.last_run();
    let landed = stage.plan_exec(&["--force"]);
    assert_eq!(landed.code, 0, "{}", landed.stderr);
    let landed = stage.last_run();
    // What is left after each, of both.
    for (args, said, left) in [
        (&[][..], "removed 0 runs, freed 0 bytes", (true, true)),
        (&["--over", "1GB"], "removed 0 runs", (true, true)),
        (
            &["--over", "0", "--dry-run"],
            "would remove 1 run and free ",
            (true, true),
        ),
        (&["--over", "0"], "removed 1 run, freed ", (false, true)),
        (
            &["--older", "30d", "--landed"],
            "removed 0 runs",
            (false, true),
        ),
        (
            &["--over", "0", "--landed"],
            "removed 1 run, freed ",
            (false, false),
        ),
    ] {
        let run = stage.run(&[&["runs", "clean"], args].concat());
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
        assert!(run.stderr.starts_with(said), "{args:?}: {}", run.stderr);
        assert_eq!((kept.is_dir(), landed.is_dir()), left, "{args:?}");
    }
    assert_eq!(n_runs(&stage), 0);
    // What may not go does not make others go.
    let stage = Stage::new();
    assert_eq!(stage.plan_exec(&[]).code, 0);
    let many = "word ".repeat(40_000);
    std::fs::write(stage.last_run().join("large.txt"), many).unwrap();
    assert_eq!(stage.plan_exec(&["--dry-run", "--force"]).code, 0);
    let run = stage.run(&["runs", "clean", "--over", "100kB"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("removed 0 runs"), "{}", run.stderr);
}

#[test]
fn a_run_that_cannot_be_read_stops_nothing_else() {
    let stage = Stage::new();
    assert_eq!(stage.plan_exec(&[]).code, 0);
    let id = name(&stage.last_run()).to_owned();
    let odd = stage.repo.root().join(".twostep/runs/99991231-000000-zzzz");
    std::fs::create_dir_all(odd.join("journal.jsonl")).unwrap();
    // A plan that was carried out drifted, and that is seen.
    assert_eq!(stage.run(&["plan", "spec.md", "-o", "P.md"]).code, 0);
    std::fs::write(stage.repo.root().join("greeting.txt"), "hi\n").unwrap();
    let run = stage.run(&["exec", "P.md", "--yes"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("--accept-drift"), "{}", run.stderr);
    std::fs::write(stage.repo.root().join("greeting.txt"), "hello world\n").unwrap();
    let said = "the run 99991231-000000-zzzz cannot be read";
    let run = stage.run(&["undo"]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (0, "hello\n"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains(said), "{}", run.stderr);
    let report = std::fs::read_to_string(odd.with_file_name(&id).join("report.md")).unwrap();
    assert!(
        report.contains("- Outcome: the change was taken back"),
        "{report}"
    );
    assert!(!report.contains("twostep undo"), "{report}");
    let all = stage.run(&["runs", "--json"]);
    let states: Vec<serde_json::Value> = serde_json::from_str(&all.stdout).unwrap();
    let states: Vec<&str> = states
        .iter()
        .filter_map(|it| it["state"].as_str())
        .collect();
    assert_eq!(states, ["stopped", "planned", "undone"]);
    let run = stage.run(&["runs", "clean", "--over", "0"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert!(run.stderr.contains("removed 3 runs"), "{}", run.stderr);
}

#[test]
fn a_run_is_named_by_how_its_name_begins() {
    let stage = Stage::new();
    for args in [["--land", "none", "--force"]; 2] {
        assert_eq!(stage.plan_exec(&args).code, 0);
    }
    let last = stage.last_run();
    let last = name(&last);
    for (id, code, said) in [
        (last, 0, last),
        (&last[..last.len() - 1], 0, last),
        (&last[..4], 2, "2 runs begin with `"),
        ("99", 2, "there is no run `99`"),
        ("", 2, "there is no run ``"),
    ] {
        let run = stage.run(&["runs", "show", id]);
        assert_eq!(run.code, code, "{id}: {}", run.stderr);
        let all = run.stdout + &run.stderr;
        assert!(all.contains(said), "{id}: {all}");
    }
}

#[test]
fn a_run_that_cannot_be_read_is_told_and_the_others_are_listed() {
    let stage = Stage::new();
    assert_eq!(stage.plan_exec(&["--land", "none"]).code, 0);
    let broken = stage.last_run().with_file_name("20200101-000000-broken");
    std::fs::create_dir_all(broken.join("journal.jsonl")).unwrap();
    let run = stage.run(&["runs"]);
    assert_eq!(
        (run.code, run.stdout.lines().count()),
        (0, 1),
        "{}",
        run.stderr
    );
    let said = "the run 20200101-000000-broken cannot be read";
    assert!(run.stderr.contains(said), "{}", run.stderr);
}
