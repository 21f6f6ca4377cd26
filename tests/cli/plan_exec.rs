//! From a spec to a landed change, with programs that speak as gemini, claude and codex do.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Repo, Run, put_pipe, read};

/// A plan for the repository of these tests.
pub(super) const PLAN: &str = "# Plan: Greet the world\n\n## Objective\n\nThe greeting names the world.\n\n## Steps\n\n\
    ### Step 1: Change the greeting\n\nFiles:\n- change `greeting.txt`\n\nWrite `hello world`.\n\nEND OF PLAN\n";

pub(super) const EDIT: &str = "echo 'hello world' > greeting.txt\n";

pub(super) const CHECK: &str = "sh test.sh";

/// A repository, with agents of ours on `PATH` and a place for what they are told.
pub(super) struct Stage {
    pub(super) repo: Repo,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self::of(
            Repo::new()
                .file("greeting.txt", "hello\n")
                .file("test.sh", "grep -q 'hello world' greeting.txt\n")
                .file("spec.md", "Greet the world.\n")
                .git(),
        )
    }

    pub(super) fn of(repo: Repo) -> Self {
        let stage = Self { repo };
        std::fs::create_dir_all(stage.repo.beside("bin")).unwrap();
        for name in ["gemini", "claude", "codex"] {
            let program =
                concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/agents/").to_owned() + name;
            let place = stage.repo.beside("bin").join(name);
            std::fs::write(&place, read(program.as_ref())).unwrap();
            std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        stage
            .tell("gemini.answer", PLAN)
            .tell("claude.answer", "Done.\n")
            .tell("claude.edit", EDIT)
    }

    /// Says what an agent does or answers.
    pub(super) fn tell(self, name: &str, text: &str) -> Self {
        std::fs::write(self.repo.beside("bin").join(name), text).unwrap();
        self
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.repo.command(args);
        let bin = self.repo.beside("bin");
        command.env(
            "PATH",
            format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display()),
        );
        command
    }

    pub(super) fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command(args))
    }

    /// Runs `plan-exec spec.md` with the check, without questions.
    pub(super) fn plan_exec(&self, more: &[&str]) -> Run {
        self.run(&[&["plan-exec", "spec.md", "--check", CHECK, "--yes"], more].concat())
    }

    /// Runs the command on a terminal on which `typed` is typed; all that it says is in stdout.
    pub(super) fn typed(&self, args: &str, typed: &str) -> Run {
        let plain = self.command(&[]);
        let line = format!("{} {args}", plain.get_program().to_str().unwrap());
        let mut script = Command::new("script");
        script
            .args(["-qec", &line, "/dev/null"])
            .current_dir(self.repo.root());
        let variables = plain.get_envs();
        script
            .env_clear()
            .envs(variables.filter_map(|(name, value)| Some((name, value?))));
        script.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = script.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), typed.as_bytes()).unwrap();
        Run::from(child.wait_with_output().unwrap())
    }

    pub(super) fn greeting(&self) -> String {
        String::from_utf8(read(&self.repo.root().join("greeting.txt"))).unwrap()
    }

    /// Returns the folder of the only run, or the last.
    pub(super) fn last_run(&self) -> PathBuf {
        let runs = self.repo.root().join(".twostep/runs");
        let mut folders: Vec<PathBuf> = runs
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        folders.sort();
        folders.pop().unwrap()
    }

    /// Everything that is the user's: files with their modes and times, and all of git's.
    pub(super) fn state(&self) -> Vec<String> {
        let mut state = Vec::new();
        let mut folders = vec![self.repo.root()];
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir().unwrap() {
                let path = entry.unwrap().path();
                if path.ends_with(".twostep") || path.ends_with("AI-PLAN.md") {
                    continue;
                }
                let meta = path.symlink_metadata().unwrap();
                if meta.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = if meta.is_symlink() {
                        Vec::new()
                    } else {
                        read(&path)
                    };
                    let text = String::from_utf8_lossy(&bytes);
                    let mode = meta.permissions().mode();
                    // Git gives an object that it is to write once more the time of now.
                    let is_object = path.components().any(|name| name.as_os_str() == "objects");
                    let time = (!is_object).then(|| meta.modified().unwrap());
                    state.push(format!("{} {mode:o} {time:?} {text}", path.display()));
                }
            }
        }
        state.sort();
        state
    }
}

#[test]
fn a_spec_becomes_a_checked_change_and_back() {
    let stage = Stage::new();
    let run = stage.plan_exec(&["--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(stage.greeting(), "hello world\n");
    let outcome = run.json();
    assert_eq!(outcome["outcome"], "landed");
    assert_eq!(outcome["files"][0]["path"], "greeting.txt");
    assert_eq!(
        (
            &outcome["baseline"][0]["passed"],
            &outcome["checks"][0]["passed"]
        ),
        (&false.into(), &true.into())
    );
    // Nobody is billed by the token without a key.
    assert_eq!(outcome["usage"]["dollars"], serde_json::Value::Null);
    assert!(run.stderr.contains("by subscription"), "{}", run.stderr);
    for said in [
        "route     small",
        "landed    1 file",
        "failed before",
        "twostep undo",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    let plan = String::from_utf8(read(&stage.repo.root().join("AI-PLAN.md"))).unwrap();
    assert!(
        plan.starts_with("<!-- twostep plan ") && plan.contains("# Plan: Greet the world"),
        "{plan}"
    );
    let folder = stage.last_run();
    for name in [
        "spec.md",
        "planner-pack.xml",
        "AI-PLAN.md",
        "references.json",
        "executor-pack.xml",
        "changes.patch",
        "journal.jsonl",
        "snapshot.json",
        "landing.json",
        "calls/01-planner/prompt.md",
        "calls/02-executor/reply.md",
        "checks/01-after.out",
    ] {
        assert!(folder.join(name).is_file(), "{name}");
    }
    assert_eq!(
        folder.metadata().unwrap().permissions().mode() & 0o777,
        0o700
    );
    assert_eq!(
        stage.repo.run_git(&["status", "--short", "--", ".twostep"]),
        ""
    );
    let undo = stage.run(&["undo"]);
    assert_eq!(
        (undo.code, stage.greeting().as_str()),
        (0, "hello\n"),
        "{}",
        undo.stderr
    );
    let again = stage.run(&["undo"]);
    assert_eq!(again.code, 2, "{}", again.stderr);
    assert!(again.stderr.contains("no landed run"), "{}", again.stderr);
    let runs = stage.run(&["runs"]);
    assert!(
        runs.stdout
            .contains("undone    plan-exec  Greet the world."),
        "{}",
        runs.stdout
    );
    let show = stage.run(&["runs", "show"]);
    assert!(
        show.stdout.contains("`sh test.sh` passed after the change"),
        "{}",
        show.stdout
    );
}

#[test]
fn what_is_not_committed_goes_onto_no_branch() {
    for (plan, is_asked) in [
        (PLAN.to_owned(), false),
        // One that does not name the file.
        (PLAN.replace("greeting.txt", "test.sh"), true),
    ] {
        let stage = Stage::new().tell("gemini.answer", &plan);
        stage.repo.run_git(&["commit", "-qm", "one"]);
        std::fs::write(stage.repo.root().join("greeting.txt"), "mine\n").unwrap();
        let run = stage.plan_exec(&["--land", "branch"]);
        assert_eq!(run.code, 1, "{}", run.stderr);
        let said = "changes that you have not committed, and they would go along: `greeting.txt`";
        assert!(run.stderr.contains(said), "{}", run.stderr);
        assert_eq!(stage.repo.run_git(&["branch", "--list", "twostep/*"]), "");
        assert_eq!(stage.greeting(), "mine\n");
        let is_kept = stage.last_run().join("changes.patch").is_file();
        assert_eq!(is_kept, is_asked, "{}", run.stderr);
    }
}

#[test]
fn a_check_that_does_not_end_is_ended_and_named() {
    let stage = Stage::new();
    let run = stage.plan_exec(&["--check", "sleep 600", "--check-limit", "1s"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    for said in ["check     running `sleep 600`", "`sleep 600` "] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    assert!(
        run.stderr.contains("took more than 1 s") || run.stderr.contains("wrote nothing for 1 s"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_branch_that_is_gone_is_undone() {
    let stage = Stage::new();
    stage.repo.run_git(&["commit", "-qm", "one"]);
    let landed = stage.plan_exec(&["--land", "branch", "--json"]);
    let name = landed.json()["branch"].as_str().unwrap().to_owned();
    stage.repo.run_git(&["branch", "-q", "-D", &name]);
    let undone = stage.run(&["undo"]);
    assert_eq!(undone.code, 0, "{}", undone.stderr);
    let again = stage.run(&["undo"]);
    assert_eq!(again.code, 2, "{}", again.stderr);
}

#[test]
fn a_change_lands_where_it_is_wanted() {
    let stage = Stage::new();
    stage.repo.run_git(&["commit", "-qm", "one"]);
    std::fs::write(stage.repo.root().join("staged.txt"), "staged").unwrap();
    stage.repo.run_git(&["add", "staged.txt"]);
    let before = stage.state();
    let branch = stage.plan_exec(&["--land", "branch", "--json"]);
    assert_eq!(
        (branch.code, stage.greeting().as_str()),
        (0, "hello\n"),
        "{}",
        branch.stderr
    );
    let name = branch.json()["branch"].as_str().unwrap().to_owned();
    assert!(name.starts_with("twostep/"), "{name}");
    let stat = stage.repo.run_git(&["diff", "--stat=80", "master", &name]);
    assert!(
        stat.contains("greeting.txt | 2 +-") && stat.contains("1 file changed"),
        "{stat}"
    );
    let log = stage.repo.run_git(&["log", "-1", "--format=%s%n%P", &name]);
    let head = stage.repo.run_git(&["rev-parse", "HEAD"]);
    assert_eq!(log, format!("Plan: Greet the world\n{head}"));
    stage.repo.run_git(&["fsck", "--strict"]);
    assert_eq!(stage.run(&["undo"]).code, 0);
    assert_eq!(stage.repo.run_git(&["branch", "--list", "twostep/*"]), "");
    let patch = stage.plan_exec(&["--land", "patch", "--force"]);
    assert_eq!(
        (patch.code, stage.greeting().as_str()),
        (0, "hello\n"),
        "{}",
        patch.stderr
    );
    assert!(
        patch
            .stdout
            .starts_with("diff --git a/greeting.txt b/greeting.txt\n"),
        "{}",
        patch.stdout
    );
    let none = stage.plan_exec(&["--land", "none", "--json", "--force"]);
    assert_eq!(
        (none.code, none.json()["outcome"].as_str()),
        (0, Some("kept")),
        "{}",
        none.stderr
    );
    let files = |state: Vec<String>| -> Vec<String> {
        state
            .into_iter()
            .filter(|line| !line.contains("/.git/objects/") && !line.contains("/.git/logs/"))
            .collect()
    };
    assert_eq!(files(stage.state()), files(before));
}

#[test]
fn a_dirty_tree_is_as_it_was_after_landing_and_undo() {
    let stage = Stage::new();
    let root = stage.repo.root();
    let write = |name: &str, text: &str| std::fs::write(root.join(name), text).unwrap();
    stage.repo.run_git(&["commit", "-qm", "one"]);
    write("stashed.txt", "stashed\n");
    stage.repo.run_git(&["add", "stashed.txt"]);
    stage.repo.run_git(&["stash", "-q"]);
    write("staged.txt", "staged\n");
    stage.repo.run_git(&["add", "staged.txt"]);
    write("staged.txt", "staged, then changed\n");
    write("untracked.txt", "untracked\n");
    write("greeting.txt", "hello, dirty\n");
    std::fs::set_permissions(
        root.join("greeting.txt"),
        std::fs::Permissions::from_mode(0o640),
    )
    .unwrap();
    std::os::unix::fs::symlink("greeting.txt", root.join("link")).unwrap();
    let stage = stage.tell(
        "claude.edit",
        "echo 'hello world' > greeting.txt; rm untracked.txt; mkdir -p new/deep; echo new > new/deep/file; git add -A; git commit -qm theirs\n",
    );
    let before = stage.state();
    let run = stage.plan_exec(&[]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (0, "hello world\n"),
        "{}",
        run.stderr
    );
    assert!(!root.join("untracked.txt").exists() && root.join("new/deep/file").exists());
    let mode = root
        .join("greeting.txt")
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    let undo = stage.run(&["undo"]);
    assert_eq!(undo.code, 0, "{}", undo.stderr);
    assert!(!root.join("new").exists());
    let after = stage.state();
    for (after, before) in after.iter().zip(&before) {
        assert_eq!(after, before);
    }
    assert_eq!(after.len(), before.len());
}

#[test]
fn an_edit_made_meanwhile_is_not_written_over() {
    let stage = Stage::new();
    let greeting = stage.repo.root().join("greeting.txt");
    // Passes after the change only, and then the user's file is another.
    let check = format!("sh test.sh && echo mine > '{}'", greeting.display());
    let run = stage.run(&["plan-exec", "spec.md", "--check", &check, "--yes"]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (1, "mine\n"),
        "{}",
        run.stderr
    );
    let patch = String::from_utf8(read(&stage.last_run().join("changes.patch"))).unwrap();
    assert!(patch.contains("+hello world"), "{patch}");
    assert!(
        run.stderr.contains("greeting.txt") && run.stderr.contains("--3way"),
        "{}",
        run.stderr
    );
}

#[test]
fn nothing_lands_of_a_change_that_fails_its_checks() {
    let stage = Stage::new().tell("claude.edit", "echo goodbye > greeting.txt\n");
    let run = stage.plan_exec(&[]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (1, "hello\n"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("1 of 1 checks failed"),
        "{}",
        run.stderr
    );
}

#[test]
fn checks_that_change_the_change_are_refused() {
    let stage = Stage::new();
    let check = "sh test.sh && echo >> greeting.txt";
    let run = stage.run(&["plan-exec", "spec.md", "--check", check, "--yes"]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (1, "hello\n"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("the checks changed files, so that"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_checks_make_is_no_part_of_the_change() {
    let stage = Stage::new();
    let check = "mkdir -p made; date > made/log; date +%N > made/$$; sh test.sh";
    let run = stage.run(&["plan-exec", "spec.md", "--check", check, "--yes", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(
        run.json()["files"].as_array().unwrap().len(),
        1,
        "{}",
        run.stdout
    );
    assert!(!stage.repo.root().join("made").exists());
}

#[test]
fn an_agent_that_fails_in_any_way_lands_nothing() {
    for (agent, does, said) in [
        ("gemini", "network", "network or vendor trouble"),
        ("gemini", "cut", "the answer was cut off"),
        ("gemini", "garbage", "malformed output"),
        ("gemini", "hang", "hung"),
        ("claude", "network", "network or vendor trouble"),
        ("claude", "error-on-stderr", "not signed in"),
        ("claude", "unfinished", "malformed output"),
        ("claude", "garbage", "malformed output"),
        ("claude", "hang", "hung"),
        ("codex", "rate-limited", "rate-limited"),
        ("codex", "error-on-stderr", "over the window"),
        ("codex", "unfinished", "malformed output"),
        ("codex", "garbage", "malformed output"),
    ] {
        let stage = Stage::new()
            .tell(&format!("{agent}.does"), does)
            .tell("codex.answer", PLAN);
        let limit = if does == "hang" { "1s" } else { "1m" };
        let planner = if agent == "codex" { "codex" } else { "gemini" };
        let limits = ["--idle-limit", limit, "--max-wait", "1s"];
        let run = stage.plan_exec(&[&limits[..], &["--planner", planner]].concat());
        assert_eq!(
            (run.code, stage.greeting().as_str()),
            (3, "hello\n"),
            "{agent} {does}: {}",
            run.stderr
        );
        assert!(
            run.stderr.contains(said) && run.stderr.contains("hint: "),
            "{agent} {does}: {}",
            run.stderr
        );
    }
}

#[test]
fn an_agent_that_writes_outside_of_its_folder_is_stopped() {
    for (planner, executor, bad, call) in [
        ("gemini", "claude", "claude", "02-executor"),
        ("codex", "gemini", "gemini", "02-executor"),
        ("claude", "gemini", "claude", "01-planner"),
    ] {
        let stage = Stage::new()
            .tell("codex.answer", PLAN)
            .tell("claude.answer", PLAN)
            .tell(&format!("{bad}.does"), "outside")
            .tell(&format!("{executor}.edit"), EDIT);
        let outside = stage.repo.root().join("outside.txt");
        let stage = stage.tell(&format!("{bad}.outside"), outside.to_str().unwrap());
        let run = stage.plan_exec(&["--planner", planner, "--executor", executor]);
        let got = (run.code, stage.greeting());
        assert_eq!(got, (0, "hello world\n".to_owned()), "{}", run.stderr);
        let call = stage.last_run().join("calls").join(call);
        let said = String::from_utf8(read(&call.join("stderr"))).unwrap();
        if said.contains("could not write outside") {
            assert!(!outside.exists());
        } else {
            // A kernel without Landlock: it is said.
            assert!(run.stderr.contains("not confined"), "{}", run.stderr);
        }
    }
}

#[test]
fn an_executor_that_changes_nothing_is_an_error() {
    let stage = Stage::new().tell("claude.edit", "true\n");
    let run = stage.plan_exec(&[]);
    assert_eq!((run.code, stage.greeting().as_str()), (3, "hello\n"));
    assert!(
        run.stderr
            .contains("claude (claude-opus-5-5) changed nothing"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_plan_is_held_against_the_files_before_the_executor_is_asked() {
    for (plan, code, said) in [
        (
            PLAN.replace("greeting.txt", "greetings.txt"),
            1,
            "perhaps `greeting.txt`",
        ),
        (
            PLAN.replace("`greeting.txt`", "the greeting"),
            2,
            "names no file",
        ),
    ] {
        let stage = Stage::new().tell("gemini.answer", &plan);
        let run = stage.plan_exec(&[]);
        assert_eq!(
            (run.code, stage.greeting().as_str()),
            (code, "hello\n"),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains(said), "{}", run.stderr);
        assert!(!stage.last_run().join("calls/02-executor").exists());
    }
}

#[test]
fn without_a_person_a_run_stops_after_the_plan() {
    let stage = Stage::new();
    let run = stage.run(&["plan-exec", "spec.md", "--check", CHECK]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (0, "hello\n"),
        "{}",
        run.stderr
    );
    let command = "twostep exec AI-PLAN.md --check 'sh test.sh' --yes";
    assert!(run.stderr.contains(command), "{}", run.stderr);
    let exec = stage.run(&["exec", "AI-PLAN.md", "--check", CHECK, "--yes"]);
    assert_eq!(
        (exec.code, stage.greeting().as_str()),
        (0, "hello world\n"),
        "{}",
        exec.stderr
    );
}

#[test]
fn a_dry_run_asks_nobody_and_shows_what_it_would() {
    let stage = Stage::new();
    let run = stage.plan_exec(&["--dry-run"]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (0, "hello\n"),
        "{}",
        run.stderr
    );
    for said in [
        "route     small",
        "costs",
        "bin/gemini -m gemini-3.1-pro-preview",
        "bin/claude -p",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    let folder = stage.last_run();
    assert!(folder.join("planner-prompt.md").is_file() && !folder.join("calls").exists());
    assert!(!stage.repo.root().join("AI-PLAN.md").exists());
}

#[test]
fn a_plan_that_was_edited_is_not_replaced() {
    let stage = Stage::new();
    let plan = stage.repo.root().join("AI-PLAN.md");
    assert_eq!(stage.run(&["plan", "spec.md", "-o", "AI-PLAN.md"]).code, 0);
    assert_eq!(stage.run(&["plan", "spec.md", "-o", "AI-PLAN.md"]).code, 0);
    let mut text = read(&plan);
    text.extend_from_slice(b"mine\n");
    std::fs::write(&plan, &text).unwrap();
    let run = stage.run(&["plan", "spec.md", "-o", "AI-PLAN.md"]);
    assert_eq!((run.code, read(&plan)), (2, text), "{}", run.stderr);
    assert!(run.stderr.contains("--force"), "{}", run.stderr);
    assert_eq!(
        stage
            .run(&["plan", "spec.md", "-o", "AI-PLAN.md", "--force"])
            .code,
        0
    );
    // Nor is what a link leads to written, where nothing is yet.
    std::fs::remove_file(&plan).unwrap();
    let outside = stage.repo.beside("outside.md");
    std::os::unix::fs::symlink(&outside, &plan).unwrap();
    let run = stage.run(&["plan", "spec.md", "-o", "AI-PLAN.md"]);
    assert_eq!((run.code, outside.exists()), (2, false), "{}", run.stderr);
}

#[test]
fn a_plan_goes_to_a_pipe_and_on_from_there() {
    let stage = Stage::new();
    let told = stage.run(&["plan", "spec.md"]);
    assert!(told.stderr.contains("route     small: "), "{}", told.stderr);
    let run = stage.run(&["plan", "spec.md", "-q"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(
        run.stdout.contains("# Plan: Greet the world"),
        "{}",
        run.stdout
    );
    assert!(!stage.repo.root().join("AI-PLAN.md").exists());
    let mut references = stage.command(&["references", "-"]);
    std::fs::write(stage.repo.beside("plan"), &run.stdout).unwrap();
    references.stdin(Stdio::from(
        std::fs::File::open(stage.repo.beside("plan")).unwrap(),
    ));
    let references = Run::of(references);
    assert_eq!(
        (references.code, references.stdout.as_str()),
        (0, "exact      greeting.txt (line 13)\n")
    );
}

#[test]
fn a_planner_goes_on_with_its_conversation() {
    let stage = Stage::new();
    assert_eq!(stage.run(&["plan", "spec.md", "-o", "AI-PLAN.md"]).code, 0);
    let run = stage.run(&["plan", "--revise", "shorter", "-o", "AI-PLAN.md"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let said = String::from_utf8(read(&stage.last_run().join("calls/01-planner/stderr"))).unwrap();
    assert!(
        said.contains("11111111-2222-3333-4444-555555555555"),
        "{said}"
    );
    let prompt =
        String::from_utf8(read(&stage.last_run().join("calls/01-planner/prompt.md"))).unwrap();
    assert!(
        prompt.contains("shorter") && !prompt.contains("greeting.txt"),
        "{prompt}"
    );
}

#[test]
fn agents_get_their_own_keys_and_checks_get_none() {
    let stage = Stage::new().tell("codex.answer", PLAN);
    let keys = [
        "GEMINI_API_KEY",
        "ANTHROPIC_API_KEY",
        "CODEX_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "LENT",
        "HTTPS_PROXY",
    ];
    let args = [
        "plan-exec",
        "spec.md",
        "--check",
        "env | sed 's/=.*//' >&2; sh test.sh",
        "--yes",
        "--env",
        "LENT",
    ];
    let mut command = stage.command(&args);
    command.envs(keys.map(|key| (key, "secret-value")));
    let run = Run::of(command);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let folder = stage.last_run();
    for (file, expected) in [
        (
            "calls/01-planner/stderr",
            &["GEMINI_API_KEY", "LENT", "HTTPS_PROXY"][..],
        ),
        (
            "calls/02-executor/stderr",
            &["ANTHROPIC_API_KEY", "LENT", "HTTPS_PROXY"],
        ),
        (
            "checks/01-after.err",
            &["AWS_SECRET_ACCESS_KEY", "LENT", "HTTPS_PROXY"],
        ),
    ] {
        let text = String::from_utf8(read(&folder.join(file))).unwrap();
        let has: Vec<&str> = keys
            .into_iter()
            .filter(|key| {
                text.lines()
                    .any(|line| line.trim_start_matches("variable: ") == *key)
            })
            .collect();
        let mut expected = expected.to_vec();
        expected.sort_by_key(|key| keys.iter().position(|other| other == key));
        assert_eq!(has, expected, "{file}");
    }
}

#[test]
fn nothing_that_a_repository_configures_runs_in_any_verb() {
    let stage = Stage::new();
    let marker = stage.repo.beside("marker");
    let root = stage.repo.root();
    let touch = format!("touch {}", marker.display());
    std::fs::write(root.join(".gitattributes"), "* filter=evil diff=evil\n").unwrap();
    stage.repo.run_git(&["add", "."]);
    stage.repo.run_git(&["commit", "-qm", "one"]);
    std::fs::write(
        stage.repo.beside("included"),
        format!("[filter \"evil\"]\n\tclean = {touch}; cat\n\tsmudge = {touch}; cat\n\trequired = true\n"),
    )
    .unwrap();
    let config = format!(
        "[core]\n\tfsmonitor = {touch}\n\thooksPath = {hooks}\n\tpager = {touch}\n\teditor = {touch}\n[include]\n\tpath = {included}\n\
         [diff \"evil\"]\n\tcommand = {touch}\n\ttextconv = {touch}\n[alias]\n\tstatus = !{touch}\n",
        hooks = root.join("hooks").display(),
        included = stage.repo.beside("included").display(),
    );
    let file = root.join(".git/config");
    let old = String::from_utf8(read(&file)).unwrap();
    std::fs::write(&file, old + &config).unwrap();
    for hook in [
        "pre-commit",
        "post-checkout",
        "post-index-change",
        "reference-transaction",
    ] {
        for folder in [root.join("hooks"), root.join(".git/hooks")] {
            std::fs::create_dir_all(&folder).unwrap();
            let path = folder.join(hook);
            std::fs::write(&path, format!("#!/bin/sh\n{touch}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    let stage = stage.tell(
        "claude.edit",
        &format!("{EDIT}git status >/dev/null; git add -A; git commit -qm x\n"),
    );
    for args in [
        &["pack", "-q"][..],
        &["tokens", "-q"],
        &["plan", "spec.md", "-o", "AI-PLAN.md"],
        &["references", "AI-PLAN.md"],
        &["pack", "--plan", "AI-PLAN.md"],
        &["plan-exec", "spec.md", "--check", CHECK, "--yes", "-f"],
        &["undo"],
        &["exec", "AI-PLAN.md", "--check", CHECK, "--yes"],
        &["runs"],
        &["runs", "show"],
    ] {
        let run = stage.run(args);
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
        assert!(!marker.exists(), "{args:?}");
    }
    stage.repo.run_git(&["diff"]);
    assert!(
        marker.exists(),
        "what is planted does run where git is asked"
    );
}

#[test]
fn ctrl_c_in_any_phase_ends_everything_and_changes_nothing() {
    for (phase, tell, check) in [
        ("planner", ("gemini.does", "hang"), "true"),
        ("executor", ("claude.does", "hang"), "true"),
        (
            "check",
            ("claude.does", "answer"),
            "touch started; sleep 600",
        ),
    ] {
        for (signal, code) in [("INT", 130), ("TERM", 143)] {
            let stage = Stage::new().tell(tell.0, tell.1);
            let mut command = stage.command(&["plan-exec", "spec.md", "--check", check, "--yes"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let child = command.spawn().unwrap();
            let started = match phase {
                "planner" => "calls/01-planner/stdout",
                "executor" => "calls/02-executor/stdout",
                _ => "checks/01-before.out",
            };
            let end = Instant::now() + Duration::from_secs(20);
            let is_there = || {
                let runs = stage.repo.root().join(".twostep/runs").read_dir();
                let mut runs = runs.into_iter().flatten().flatten();
                runs.any(|run| run.path().join(started).exists())
            };
            while !is_there() {
                assert!(Instant::now() < end, "{phase} did not start");
                std::thread::sleep(Duration::from_millis(20));
            }
            let status = Command::new("kill")
                .args(["-s", signal, &child.id().to_string()])
                .status()
                .unwrap();
            assert!(status.success());
            let run = Run::from(child.wait_with_output().unwrap());
            assert_eq!(
                (run.code, stage.greeting().as_str()),
                (code, "hello\n"),
                "{phase}: {}",
                run.stderr
            );
            assert!(
                run.stderr.contains("interrupted"),
                "{phase}: {}",
                run.stderr
            );
        }
    }
}

#[test]
fn what_cannot_work_is_said_before_an_agent_is_asked() {
    let none: &[&str] = &[];
    for (args, code, said) in [
        (
            &["plan-exec", "empty.md"][..],
            2,
            "the spec in `empty.md` is empty",
        ),
        (&["plan-exec", "binary.md"], 2, "it is not UTF-8 text"),
        (&["plan-exec", "nul.md"], 2, "it holds a NUL byte"),
        (&["plan-exec", "none.md"], 2, "none.md`: No such file"),
        (
            &["plan-exec", "spec.md", "--planner", "gpt"],
            2,
            "unknown agent `gpt`",
        ),
        (
            &["plan-exec", "spec.md", "--planner", "claude:"],
            2,
            "`claude:` is no agent",
        ),
        (
            &["plan-exec", "spec.md", "--planner", "gemini:opus"],
            2,
            "`gemini` does not serve `claude-opus-5-5`",
        ),
        (
            &["plan-exec", "spec.md", "--executor", "claude:nope"],
            2,
            "unknown model `nope`",
        ),
        (
            &["plan-exec", "spec.md", "--in-place"],
            2,
            "`--in-place` is for folders that are not in git",
        ),
        (
            &["plan-exec", "spec.md", "--check", " "],
            2,
            "`--check` is empty",
        ),
        (
            &["plan-exec", "spec.md", "--carry", "nowhere"],
            2,
            "--carry",
        ),
        (
            &[
                "plan-exec",
                "spec.md",
                "--yes",
                "--check",
                "no-such-command-here",
            ],
            2,
            "command not found",
        ),
        (&["undo"], 2, "no landed run"),
        (&["undo", "../../etc"], 2, "there is no run"),
        (&["runs", "show", "nope"], 2, "there is no run `nope`"),
    ] {
        let stage = Stage::new();
        for (name, bytes) in [
            ("empty.md", &b" \n"[..]),
            ("binary.md", b"\xff\xfe\x00"),
            ("nul.md", b"a\0b"),
        ] {
            std::fs::write(stage.repo.root().join(name), bytes).unwrap();
        }
        let run = stage.run(args);
        assert_eq!(
            (run.code, stage.greeting().as_str()),
            (code, "hello\n"),
            "{args:?}: {}",
            run.stderr
        );
        assert!(run.stderr.contains(said), "{args:?}: {}", run.stderr);
        let calls = stage
            .repo
            .root()
            .join(".twostep/runs")
            .read_dir()
            .into_iter()
            .flatten()
            .flatten();
        let n_calls: usize = calls
            .map(|run| {
                run.path()
                    .join("calls")
                    .read_dir()
                    .map_or(0, Iterator::count)
            })
            .sum();
        assert_eq!(n_calls, none.len(), "{args:?}");
    }
}

#[test]
fn a_program_that_is_not_there_is_named_with_the_way_to_get_it() {
    let stage = Stage::new();
    std::fs::remove_file(stage.repo.beside("bin/gemini")).unwrap();
    let run = stage.plan_exec(&[]);
    assert_eq!(run.code, 2);
    for said in [
        "cannot find `gemini`, the planner, on PATH",
        "npm install -g @google/gemini-cli",
        "--planner claude",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
}

#[test]
fn without_git_it_must_be_asked_for() {
    let repo = Repo::new()
        .file("greeting.txt", "hello\n")
        .file("test.sh", "grep -q 'hello world' greeting.txt\n")
        .file("spec.md", "Greet the world.\n");
    let stage = Stage::of(repo);
    let run = stage.plan_exec(&[]);
    assert_eq!((run.code, stage.greeting().as_str()), (2, "hello\n"));
    assert!(
        run.stderr.contains("is not in git") && run.stderr.contains("--in-place"),
        "{}",
        run.stderr
    );
    let run = stage.plan_exec(&["--in-place"]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (0, "hello world\n"),
        "{}",
        run.stderr
    );
    assert_eq!(
        (stage.run(&["undo"]).code, stage.greeting().as_str()),
        (0, "hello\n")
    );
}

#[test]
fn every_option_of_a_run_does_what_it_says() {
    // A check that needs a folder which git ignores.
    let stage = Stage::new();
    let root = stage.repo.root();
    std::fs::write(root.join(".gitignore"), "tools\n").unwrap();
    std::fs::create_dir(root.join("tools")).unwrap();
    std::fs::write(
        root.join("tools/check.sh"),
        "grep -q 'hello world' greeting.txt\n",
    )
    .unwrap();
    std::fs::write(root.join("other.txt"), "other\n").unwrap();
    let args = [
        "plan-exec",
        "spec.md",
        "--check",
        "sh tools/check.sh",
        "--yes",
        "--carry",
        "tools",
    ];
    let run = stage.run(&[&args[..], &["--context", "plan"]].concat());
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (0, "hello world\n"),
        "{}",
        run.stderr
    );
    let prompt = |call: &str| {
        let file = stage.last_run().join("calls").join(call).join("prompt.md");
        String::from_utf8(read(&file)).unwrap()
    };
    assert!(prompt("01-planner").contains("other.txt"));
    assert!(!prompt("02-executor").contains("other.txt"));
    let id = stage
        .last_run()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(stage.run(&["undo", &id]).code, 0);
    let again = stage.run(&["undo", &id]);
    assert!(
        again.code == 2 && again.stderr.contains("undone already"),
        "{}",
        again.stderr
    );
    let args = [
        "exec",
        "--check",
        "sh tools/check.sh",
        "--carry",
        "tools",
        "--yes",
        "--context",
        "full",
    ];
    let run = stage.run(&args);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (0, "hello world\n"),
        "{}",
        run.stderr
    );
    assert!(prompt("01-executor").contains("other.txt"));
    assert_eq!(stage.run(&["undo"]).code, 0);
}

#[test]
fn packs_that_are_given_take_the_place_of_packing() {
    let stage = Stage::new();
    let root = stage.repo.root();
    std::fs::write(root.join("other.txt"), "other\n").unwrap();
    assert_eq!(stage.run(&["plan", "spec.md", "-o", "AI-PLAN.md"]).code, 0);
    let prompt = |call: &str| {
        let file = stage.last_run().join("calls").join(call).join("prompt.md");
        String::from_utf8(read(&file)).unwrap()
    };
    std::fs::write(root.join("pack.xml"), "<pack>what was given</pack>\n").unwrap();
    for (args, call) in [
        (
            &[
                "plan-exec",
                "spec.md",
                "-f",
                "--yes",
                "--land",
                "none",
                "--pack",
                "pack.xml",
            ][..],
            "01-planner",
        ),
        (
            &["exec", "--yes", "--land", "none", "--pack", "pack.xml"],
            "01-executor",
        ),
        (
            &[
                "plan",
                "spec.md",
                "-f",
                "-o",
                "AI-PLAN.md",
                "--pack",
                "pack.xml",
            ],
            "01-planner",
        ),
    ] {
        let run = stage.run(args);
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
        let prompt = prompt(call);
        assert!(
            prompt.contains("what was given") && !prompt.contains("other.txt"),
            "{args:?}"
        );
    }
}

#[test]
fn codex_plans_and_executes() {
    let stage = Stage::new()
        .tell("codex.answer", PLAN)
        .tell("codex.edit", EDIT);
    let plan = stage.run(&["plan", "spec.md", "-o", "AI-PLAN.md", "--planner", "codex"]);
    assert_eq!(
        (plan.code, stage.greeting().as_str()),
        (0, "hello\n"),
        "{}",
        plan.stderr
    );
    let run = stage.run(&["exec", "--check", CHECK, "--yes", "--executor", "codex"]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (0, "hello world\n"),
        "{}",
        run.stderr
    );
    let said = String::from_utf8(read(&stage.last_run().join("calls/01-executor/stderr"))).unwrap();
    assert!(said.contains("-s workspace-write -"), "{said}");
}

#[test]
fn gemini_executes_in_the_scratch_by_a_policy() {
    let stage = Stage::new()
        .tell("codex.answer", PLAN)
        .tell("gemini.answer", "Done.\n")
        .tell("gemini.edit", EDIT);
    let check = "sh test.sh && true";
    let run = stage.run(&[
        "plan-exec",
        "spec.md",
        "--planner",
        "codex",
        "--executor",
        "gemini",
        "--check",
        check,
        "--yes",
    ]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (0, "hello world\n"),
        "{}",
        run.stderr
    );
    let call = stage.last_run().join("calls/02-executor");
    let said = String::from_utf8(read(&call.join("stderr"))).unwrap();
    assert!(said.contains("--admin-policy policy.toml"), "{said}");
    let prompt = String::from_utf8(read(&call.join("prompt.md"))).unwrap();
    assert!(
        prompt.contains("  - `sh ../check-1.sh`, which runs `sh test.sh && true`\n"),
        "{prompt}"
    );
}

#[test]
fn the_calls_of_a_run_are_a_recording() {
    let stage = Stage::new();
    assert_eq!(stage.plan_exec(&[]).code, 0);
    let calls = format!("recorded:{}", stage.last_run().join("calls").display());
    assert_eq!(stage.run(&["undo"]).code, 0);
    for name in ["gemini", "claude"] {
        std::fs::remove_file(stage.repo.beside("bin").join(name)).unwrap();
    }
    let run = stage.plan_exec(&["--planner", &calls, "--executor", &calls]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (0, "hello world\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_run_that_fails_tells_programs_so() {
    let stage = Stage::new().tell("claude.edit", "echo goodbye > greeting.txt\n");
    let outcome = stage.plan_exec(&["--json"]).json();
    assert_eq!(
        (&outcome["outcome"], &outcome["checks"][0]["passed"]),
        (&"failed".into(), &false.into())
    );
    assert!(
        outcome["error"]
            .as_str()
            .unwrap()
            .contains("1 of 1 checks failed"),
        "{outcome}"
    );
    let stage = Stage::new().tell("gemini.does", "empty");
    let outcome = stage.plan_exec(&["--json"]).json();
    assert!(
        outcome["error"].as_str().unwrap().contains("empty answer"),
        "{outcome}"
    );
}

#[test]
fn what_an_executor_did_before_it_failed_is_kept() {
    let stage = Stage::new().tell("claude.edit", "echo half > greeting.txt; exit 1\n");
    let run = stage.plan_exec(&[]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (3, "hello\n"),
        "{}",
        run.stderr
    );
    let patch = String::from_utf8(read(&stage.last_run().join("changes.patch"))).unwrap();
    assert!(patch.contains("+half"), "{patch}");
}

#[test]
fn references_are_told_to_people_and_programs() {
    let plan = "# P\n\n- change `greeting.txt:1-2`\n- create `new.txt`\n- change `gone.txt`\n";
    let stage = Stage::new();
    std::fs::write(stage.repo.root().join("plan.md"), plan).unwrap();
    let people = stage.run(&["references", "plan.md"]);
    insta::assert_snapshot!(people.stdout, @r"
    exact      greeting.txt (line 3)
    created    new.txt (line 4)
    missing    gone.txt (line 5)
    ");
    assert_eq!((people.code, people.stderr.as_str()), (1, ""));
    let paths = stage.run(&["references", "plan.md", "--paths", "-0"]);
    assert_eq!((paths.code, paths.stdout.as_str()), (1, "greeting.txt\0"));
    assert!(
        paths
            .stderr
            .contains("1 path that the plan names is missing"),
        "{}",
        paths.stderr
    );
    std::fs::write(stage.repo.root().join("none.md"), "Greet.\n").unwrap();
    let none = stage.run(&["references", "none.md"]);
    assert_eq!((none.code, none.stdout.as_str()), (1, ""));
    assert!(
        none.stderr.contains("`none.md` names no file"),
        "{}",
        none.stderr
    );
    let json = stage.run(&["references", "plan.md", "--json"]).json();
    assert_eq!(json[0]["lines"], serde_json::json!([[1, 2]]));
    assert_eq!(
        (&json[1]["status"], &json[1]["intent"]),
        (&"created".into(), &"create".into())
    );
    let pack = stage.run(&["pack", "--plan", "plan.md"]);
    assert!(
        pack.code == 1 && pack.stderr.contains("`gone.txt`"),
        "{}",
        pack.stderr
    );
}

#[test]
fn runs_are_told_to_programs() {
    let stage = Stage::new();
    assert_eq!(stage.plan_exec(&[]).code, 0);
    std::fs::write(stage.repo.root().join(".twostep/runs/.DS_Store"), "x").unwrap();
    let runs = stage.run(&["runs", "--json"]).json();
    assert_eq!(
        (runs.as_array().unwrap().len(), &runs[0]["outcome"]),
        (1, &"landed".into())
    );
    let id = runs[0]["id"].as_str().unwrap();
    let show = stage.run(&["runs", "show", id, "--json"]);
    let first: serde_json::Value =
        serde_json::from_str(show.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["event"]["type"], &first["number"]),
        (&"started".into(), &1.into())
    );
}

#[test]
fn a_plan_is_revised_by_whom_it_was_made_and_only_if_that_is_safe() {
    let stage = Stage::new().tell("codex.answer", PLAN);
    assert_eq!(
        stage
            .run(&["plan", "spec.md", "-o", "P.md", "--planner", "codex"])
            .code,
        0
    );
    let other = stage.run(&["plan", "P.md", "--revise", "x", "--planner", "gemini"]);
    assert!(
        other.code == 2 && other.stderr.contains("made by codex:gpt-6.1-sol"),
        "{}",
        other.stderr
    );
    assert_eq!(
        stage
            .run(&["plan", "P.md", "--revise", "x", "--dry-run"])
            .code,
        0
    );
    assert!(!stage.last_run().join("calls").exists());
    let run = stage.run(&["plan", "P.md", "--revise", "x", "-o", "P.md"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let said = String::from_utf8(read(&stage.last_run().join("calls/01-planner/stderr"))).unwrap();
    assert!(
        said.contains("exec resume aaaaaaaa-2222-3333-4444-555555555555"),
        "{said}"
    );
    // What a repository brings along is not taken for a conversation of ours.
    let session = stage.last_run().join("planner-session.json");
    let text = String::from_utf8(read(&session)).unwrap();
    for (from, to) in [("aaaaaaaa", "--yolo"), ("\"run\": \"", "\"run\": \"../")] {
        std::fs::write(&session, text.replace(from, to)).unwrap();
        let run = stage.run(&["plan", "P.md", "--revise", "x", "-o", "P.md"]);
        assert!(
            run.code == 2 && run.stderr.contains("cannot be gone on with"),
            "{}",
            run.stderr
        );
    }
    std::fs::write(
        stage.repo.root().join("Q.md"),
        "<!-- twostep plan ../../x -->\n# P\n",
    )
    .unwrap();
    assert_eq!(stage.run(&["plan", "Q.md", "--revise", "x"]).code, 2);
}

#[test]
fn a_recorded_landing_in_gits_own_files_is_not_undone() {
    for (recorded, foreign) in [
        ("\"greeting.txt\"", "\".git/hooks/pre-commit\""),
        ("\"folders_made\": []", "\"folders_made\": [\".git/hooks\"]"),
        (
            "\"folders_removed\": []",
            "\"folders_removed\": [{\"path\": \".git/hooks\", \"mode\": 511}]",
        ),
    ] {
        let stage = Stage::new();
        assert_eq!(stage.plan_exec(&[]).code, 0);
        let landing = stage.last_run().join("landing.json");
        let text = String::from_utf8(read(&landing)).unwrap();
        assert!(text.contains(recorded), "{text}");
        std::fs::write(&landing, text.replace(recorded, foreign)).unwrap();
        let run = stage.run(&["undo"]);
        assert!(
            run.code == 2 && run.stderr.contains("where no run lands"),
            "{foreign}: {}",
            run.stderr
        );
    }
}

#[test]
fn a_folder_that_undo_makes_again_has_no_mode_beyond_its_permissions() {
    let stage = Stage::new();
    assert_eq!(stage.plan_exec(&[]).code, 0);
    let landing = stage.last_run().join("landing.json");
    let text = String::from_utf8(read(&landing)).unwrap();
    let foreign = "\"folders_removed\": [{\"path\": \"made\", \"mode\": 3583}]";
    std::fs::write(&landing, text.replace("\"folders_removed\": []", foreign)).unwrap();
    assert_eq!(stage.run(&["undo"]).code, 0);
    let made = stage.repo.root().join("made").metadata().unwrap();
    assert_eq!(made.permissions().mode() & 0o7777, 0o777);
}

#[test]
fn runs_that_came_with_a_repository_are_not_believed() {
    let stage = Stage::new();
    assert_eq!(stage.plan_exec(&[]).code, 0);
    stage.repo.run_git(&["add", "-f", ".twostep"]);
    let undo = stage.run(&["undo"]);
    assert!(
        undo.code == 2 && undo.stderr.contains("came with the repository"),
        "{}",
        undo.stderr
    );
    let revise = stage.run(&["plan", "--revise", "x", "-o", "AI-PLAN.md"]);
    assert!(
        revise.code == 2 && revise.stderr.contains("came with the repository"),
        "{}",
        revise.stderr
    );
    assert_eq!(stage.greeting(), "hello world\n");
}

#[test]
fn runs_that_came_with_a_repository_and_landed_by_half_hold_nobody_up() {
    let stage = Stage::new();
    assert_eq!(stage.plan_exec(&[]).code, 0);
    let journal = stage.last_run().join("journal.jsonl");
    let text = String::from_utf8(read(&journal)).unwrap();
    let started = text.find("\"landing_started\"").unwrap();
    let end = started + text[started..].find('\n').unwrap() + 1;
    std::fs::write(&journal, &text[..end]).unwrap();
    let next = stage.plan_exec(&["-f"]);
    assert_eq!(next.code, 2, "{}", next.stderr);
    stage.repo.run_git(&["add", "-f", ".twostep"]);
    let next = stage.plan_exec(&["-f"]);
    let is_told = next.stderr.contains("ended while it landed");
    assert!(!is_told && next.code != 2, "{}", next.stderr);
}

#[test]
fn one_lands_or_undoes_at_a_time() {
    let stage = Stage::new();
    assert_eq!(stage.plan_exec(&[]).code, 0);
    let lock = std::fs::File::open(stage.repo.root().join(".twostep/lock")).unwrap();
    lock.lock().unwrap();
    for args in [&["undo"][..], &["plan-exec", "spec.md", "--yes", "-f"]] {
        let edit = stage.repo.beside("bin/claude.edit");
        std::fs::write(edit, "echo again > greeting.txt\n").unwrap();
        let run = stage.run(args);
        assert!(
            run.code == 2 && run.stderr.contains(" is landing"),
            "{}",
            run.stderr
        );
    }
    drop(lock);
    assert_eq!(
        (stage.run(&["undo"]).code, stage.greeting().as_str()),
        (0, "hello\n")
    );
}

#[test]
fn a_landing_that_was_cut_off_is_told_and_taken_back() {
    let stage = Stage::new();
    assert_eq!(stage.plan_exec(&[]).code, 0);
    // As if we had been killed before the record of the end, and half of a line of it was written.
    let journal = stage.last_run().join("journal.jsonl");
    let text = String::from_utf8(read(&journal)).unwrap();
    let end = text.find("\"landing_started\"").unwrap();
    let end = end + text[end..].find('\n').unwrap() + 20;
    std::fs::write(&journal, &text[..end]).unwrap();
    let next = stage.plan_exec(&["-f"]);
    assert!(
        next.code == 2 && next.stderr.contains("ended while it landed"),
        "{}",
        next.stderr
    );
    assert!(stage.run(&["runs"]).stdout.contains(" half "));
    assert_eq!(
        (stage.run(&["undo"]).code, stage.greeting().as_str()),
        (0, "hello\n")
    );
    assert!(stage.run(&["runs"]).stdout.contains(" undone "));
    assert_eq!(stage.plan_exec(&["-f"]).code, 0);
}

#[test]
fn neither_gits_own_nor_our_folder_is_carried() {
    let stage = Stage::new();
    std::fs::create_dir_all(stage.repo.root().join(".twostep/runs")).unwrap();
    for folder in [".git", ".git/hooks", ".twostep", ".twostep/runs"] {
        let run = stage.plan_exec(&["--carry", folder]);
        let said = format!("`{folder}` is no folder in the repository");
        let is_told = run.stderr.contains(&said);
        assert!(run.code == 2 && is_told, "{folder}: {}", run.stderr);
    }
}

#[test]
fn a_check_that_uses_git_reaches_the_scratch_only() {
    let stage = Stage::new();
    let index = read(&stage.repo.root().join(".git/index"));
    let mut command = stage.command(&[
        "plan-exec",
        "spec.md",
        "--yes",
        "--check",
        "git add -A; sh test.sh",
    ]);
    let git = stage.repo.root().join(".git");
    command
        .env("GIT_DIR", &git)
        .env("GIT_INDEX_FILE", git.join("index"))
        .env("GIT_WORK_TREE", stage.repo.root());
    let run = Run::of(command);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(read(&git.join("index")), index);
}

#[test]
fn an_executor_that_damages_the_scratchs_git_holds_nobody_up() {
    let edit = format!(
        "{EDIT}rm -rf .git/objects/info .git/HEAD; mkfifo .git/objects/info .git/HEAD .git/config.lock\n"
    );
    let stage = Stage::new().tell("claude.edit", &edit);
    let run = stage.plan_exec(&[]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (0, "hello world\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_home_that_is_not_absolute_is_none() {
    let stage = Stage::new();
    let own = stage.repo.root().join(".config/twostep");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join("models.toml"), "no catalogue").unwrap();
    for (variable, words, code, said) in [
        ("HOME", &["models"][..], 0, ""),
        ("XDG_CONFIG_HOME", &["models"], 0, ""),
        (
            "HOME",
            &["plan-exec", "spec.md", "--yes"],
            2,
            "neither HOME nor XDG_CACHE_HOME",
        ),
    ] {
        let folder = if variable == "HOME" { "." } else { ".config" };
        let mut command = stage.command(words);
        command.env_remove("HOME").env(variable, folder);
        let run = Run::of(command);
        assert!(
            run.code == code && run.stderr.contains(said),
            "{variable}: {}",
            run.stderr
        );
    }
}

#[test]
fn what_a_terminal_obeys_does_not_reach_it() {
    let stage = Stage::new().tell(
        "claude.edit",
        &format!("{EDIT}touch \"$(printf 'a\\033]0;x\\007b\\342\\200\\256c')\"\n"),
    );
    let run = stage.plan_exec(&[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        !run.stderr.contains(['\u{1b}', '\u{7}', '\u{202e}']),
        "{}",
        run.stderr
    );
}

#[test]
fn a_plan_that_is_no_file_holds_nobody_up() {
    let stage = Stage::new();
    let plan = stage.repo.root().join("AI-PLAN.md");
    assert!(
        Command::new("mkfifo")
            .arg(&plan)
            .status()
            .unwrap()
            .success()
    );
    for args in [&["plan-exec", "spec.md", "--yes"][..], &["exec", "--yes"]] {
        let run = stage.run(args);
        assert!(
            run.code == 2 && run.stderr.contains("not a regular file"),
            "{args:?} {}",
            run.stderr
        );
    }
}

#[test]
fn runs_are_kept_in_no_folder_that_a_link_leads_to() {
    let stage = Stage::new();
    std::fs::create_dir(stage.repo.beside("elsewhere")).unwrap();
    std::os::unix::fs::symlink(
        stage.repo.beside("elsewhere"),
        stage.repo.root().join(".twostep"),
    )
    .unwrap();
    let run = stage.plan_exec(&[]);
    assert!(
        run.code == 2 && run.stderr.contains("it is a link"),
        "{}",
        run.stderr
    );
    assert_eq!(
        stage.repo.beside("elsewhere").read_dir().unwrap().count(),
        0
    );
    for words in [&["undo"][..], &["runs", "clean"]] {
        let run = stage.run(words);
        assert!(
            run.code == 2 && run.stderr.contains("or it is a link"),
            "{words:?}: {}",
            run.stderr
        );
    }
}

#[test]
fn a_plan_is_carried_out_only_if_somebody_says_so() {
    let stage = Stage::new();
    assert_eq!(stage.run(&["plan", "spec.md", "-o", "AI-PLAN.md"]).code, 0);
    let run = stage.run(&["exec", "--check", CHECK]);
    assert!(
        run.code == 2 && run.stderr.contains("nobody to ask"),
        "{}",
        run.stderr
    );
    let dry = stage.run(&["exec", "--check", CHECK, "--dry-run"]);
    assert!(
        dry.code == 0 && dry.stderr.contains("bin/claude -p"),
        "{}",
        dry.stderr
    );
    assert_eq!(stage.greeting(), "hello\n");
    let run = stage.run(&[
        "plan-exec",
        "spec.md",
        "-f",
        "--check",
        CHECK,
        "--land",
        "none",
        "--context",
        "full",
        "--time-limit",
        "5m",
    ]);
    let command = "--check 'sh test.sh' --land none --context full --time-limit 300s --yes";
    assert!(run.stderr.contains(command), "{}", run.stderr);
}

/// On a terminal: `script` gives the command one, and types what a person would.
#[test]
fn a_person_is_asked_and_obeyed() {
    for (typed, expected, said) in [
        ("q\n", "hello\n", "the plan is in `AI-PLAN.md`"),
        ("e\n", "hello world\n", "landed    1 file"),
        (
            "x\nr\nmake it short\ne\n",
            "hello world\n",
            "answer with one of the letters",
        ),
        ("d\n\ne\n", "hello world\n", "edit `AI-PLAN.md` now"),
        ("", "hello\n", "the plan is in `AI-PLAN.md`"),
    ] {
        let stage = Stage::new();
        let run = stage.typed("plan-exec spec.md --check 'sh test.sh'", typed);
        assert_eq!(stage.greeting(), expected, "{typed:?}: {}", run.stdout);
        assert!(run.stdout.contains(said), "{typed:?}: {}", run.stdout);
    }
}

#[test]
fn no_pipe_among_gits_files_holds_a_run_up() {
    for file in [
        "config",
        "index",
        "objects/info/alternates",
        "objects/pack/pack-x.idx",
        "refs/heads/pipe",
        "shallow",
    ] {
        let stage = Stage::new();
        stage.repo.run_git(&["commit", "-qm", "one"]);
        put_pipe(&stage.repo.root().join(".git"), file);
        let run =
            Run::in_time(&stage.command(&["plan-exec", "spec.md", "--check", CHECK, "--yes"]));
        assert_eq!(run.code, 2, "{file}: {}", run.stderr);
        assert!(
            run.stderr.contains("it is not a regular file"),
            "{file}: {}",
            run.stderr
        );
    }
    // One that comes while the run is on its way, and one that comes after it.
    let stage = Stage::new();
    stage.repo.run_git(&["commit", "-qm", "one"]);
    let pipe = stage.repo.root().join(".git/refs/heads/pipe");
    let check = format!("{CHECK} && mkfifo {}", pipe.display());
    let args = [
        "plan-exec",
        "spec.md",
        "--yes",
        "--land",
        "branch",
        "--check",
    ];
    let run = Run::in_time(&stage.command(&[&args[..], &[&check]].concat()));
    assert!(
        run.code == 2 && run.stderr.contains("it is not a regular file"),
        "{}",
        run.stderr
    );
    std::fs::remove_file(&pipe).unwrap();
    let run = Run::in_time(&stage.command(&[&args[..], &[CHECK, "--force"]].concat()));
    assert_eq!(run.code, 0, "{}", run.stderr);
    put_pipe(&stage.repo.root().join(".git"), "refs/heads/pipe");
    let run = Run::in_time(&stage.command(&["undo"]));
    assert!(
        run.code != 137 && run.stderr.contains("it is not a regular file"),
        "{}",
        run.stderr
    );
}
