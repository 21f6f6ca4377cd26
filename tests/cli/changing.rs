//! Workflows whose steps change files: what lands, what does not, and several at once.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use super::plan_exec::{CHECK, PLAN, Stage};
use super::{Run, read};

pub(super) const NO: &str =
    "PASSED\n- none\n\nFAILED\n- `greeting.txt:1`: it shouts\n\nVERDICT: REQUEST_CHANGES\n";

pub(super) const YES: &str = "PASSED\n- all\n\nFAILED\n- none\n\nVERDICT: APPROVE\n";

/// A plan of three steps; the last two change the same file.
const THREE: &str = "# Plan: Three\n\n## Steps\n\n### Step 1: Greet\n\nFiles:\n- change `greeting.txt`\n\nDepends on: none\n\n\
    ### Step 2: List one\n\nFiles:\n- change `list.txt`\n\nDepends on: none\n\n### Step 3: List two\n\nFiles:\n- change `list.txt`\n\nDepends on: none\n\nEND OF PLAN\n";

impl Stage {
    /// Puts agents of the user's there: shell scripts that read the prompt from stdin; those after `edits` change files.
    pub(super) fn players(self, answers: &[(&str, &str)], edits: &[(&str, &str)]) -> Self {
        let each = answers
            .iter()
            .map(|one| (one, ""))
            .chain(edits.iter().map(|one| (one, "edits = true\n")));
        let each = each.map(|((name, script), edits)| {
            let place = self.repo.beside("bin").join(format!("{name}.sh"));
            std::fs::write(&place, script).unwrap();
            let command = json!(["sh", place]);
            format!("[agent.{name}]\ncommand = {command}\nmodel = \"gpt-5\"\n{edits}")
        });
        let agents: Vec<String> = each.collect();
        let config = self.repo.beside("home/.config/twostep");
        std::fs::create_dir_all(&config).unwrap();
        std::fs::write(config.join("agents.toml"), agents.concat()).unwrap();
        self
    }

    pub(super) fn work(&self, args: &[&str]) -> Run {
        self.run(&[&["workflow", "run"], args].concat())
    }

    pub(super) fn text_of(&self, name: &str) -> String {
        String::from_utf8(read(&self.repo.root().join(name))).unwrap()
    }

    pub(super) fn kept(&self, name: &str) -> String {
        String::from_utf8(read(&self.last_run().join(name))).unwrap()
    }

    pub(super) fn n_began(&self) -> usize {
        self.kept("journal.jsonl")
            .matches(r#""type":"call_started""#)
            .count()
    }
}

#[test]
fn a_plan_is_made_resolved_carried_out_checked_and_landed() {
    let stage = Stage::new();
    let run = stage.work(&["plan-exec", "spec.md", "--check", CHECK]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("there is nobody to ask: carry out the plan in `"),
        "{}",
        run.stderr
    );
    assert_eq!(stage.greeting(), "hello\n");
    let run = stage.run(&["runs", "resume", "--", "--set", "change=yes"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "Done.\n"),
        "{}",
        run.stderr
    );
    assert_eq!(
        (stage.greeting().as_str(), stage.n_began()),
        ("hello world\n", 2)
    );
    assert!(run.stderr.contains("landed    1 file"), "{}", run.stderr);
    assert_eq!(stage.run(&["undo"]).code, 0);
    assert_eq!(stage.greeting(), "hello\n");
    // Nowhere, or onto a branch; a program is told what changed.
    stage.repo.run_git(&["commit", "-qm", "all"]);
    for (land, landed) in [("none", false), ("branch", true)] {
        let args = [
            "plan-exec",
            "spec.md",
            "--check",
            CHECK,
            "--yes",
            "--json",
            "--land",
            land,
        ];
        let run = stage.work(&args);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let change = &run.json()["change"];
        assert_eq!(change["landed"], landed, "{change}");
        assert_eq!(change["files"][0]["path"], "greeting.txt");
        assert_eq!(change["checks"][0]["passed"], true);
        assert_eq!(stage.greeting(), "hello\n");
    }
}

#[test]
fn a_plan_that_names_what_is_not_there_goes_back_and_is_never_carried_out() {
    let wrong = PLAN.replace("greeting.txt", "salute.txt");
    let stage = Stage::new()
        .tell("gemini.answer", &wrong)
        .tell("gemini.again", PLAN);
    let run = stage.work(&["plan-exec", "spec.md", "--check", CHECK, "--yes"]);
    assert_eq!((run.code, stage.n_began()), (0, 3), "{}", run.stderr);
    let stage = Stage::new().tell("gemini.answer", &wrong);
    let run = stage.work(&["plan-exec", "spec.md", "--check", CHECK, "--yes"]);
    // Three plans, and no executor.
    assert_eq!((run.code, stage.n_began()), (1, 3), "{}", run.stderr);
    assert!(run.stderr.contains("`salute.txt`"), "{}", run.stderr);
    assert_eq!(stage.greeting(), "hello\n");
}

#[test]
fn what_is_approved_lands_and_is_remembered_and_what_is_not_is_not() {
    let eye = format!("grep -q '^+hello world' && printf '%s' '{YES}' || printf '%s' '{NO}'\n");
    let hand = "grep -q 'it shouts' && echo 'hello world' > greeting.txt || echo 'HELLO WORLD' > greeting.txt\necho I did\n";
    let roles = [
        "--role",
        "implementer=hand",
        "--role",
        "reviewer=eye",
        "--yes",
        "--no-check",
    ];
    let stage = Stage::new().players(&[("eye", &eye)], &[("hand", hand)]);
    let run = stage.work(&[&["pipeline", "spec.md"], &roles[..]].concat());
    assert_eq!((run.code, stage.n_began()), (0, 5), "{}", run.stderr);
    assert_eq!(stage.greeting(), "hello world\n");
    let memory = stage.text_of(".twostep/memory/pipeline.md");
    assert!(memory.contains("## Greet the world.\n\nI did"), "{memory}");
    assert!(
        memory.contains("Changed: greeting.txt. Approved."),
        "{memory}"
    );
    let again = stage.run(&["runs", "replay"]);
    assert_eq!(again.code, 0, "{} {}", again.stdout, again.stderr);
    // What it gave out the first time is not given out again.
    assert!(again.stdout.starts_with("same "), "{}", again.stdout);
    for name in ["changes.patch", "out/PLAN.md", "out/implementation.md"] {
        let said = format!("same     {name}\n");
        assert!(again.stdout.contains(&said), "{name}: {}", again.stdout);
    }
    assert!(
        stage
            .kept("report.md")
            .contains("- [reviews/change-2.md](<reviews/change-2.md>): approved")
    );
    let progress = stage.kept("out/progress.md");
    for said in [
        "## Completed\n\n- [x] planning[1].plan (ask, gemini (gemini-3.1-pro-preview))\n",
        "- [x] change (execute, hand (gpt-5))\n",
    ] {
        assert!(progress.contains(said), "{progress}");
    }
    // The next begins with it.
    let run = stage.work(&[&["pipeline", "spec.md", "--dry-run"], &roles[..]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    for said in [
        "role      planner: gemini (gemini-3.1-pro-preview)\n",
        "step        plan: ask planner -> PLAN.md; ",
        "step      change: implementer carries out, reviewer reviews -> implementation.md; ",
        " if all of it is paid by the token",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    let again = "echo 'hello world!' > greeting.txt; echo did\n";
    let stage = stage.players(
        &[("eye", &format!("printf '%s' '{YES}'\n"))],
        &[("hand", again)],
    );
    let run = stage.work(&[&["pipeline", "spec.md"], &roles[..]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let prompt = stage.kept("calls/01-asked/prompt.md");
    assert!(prompt.contains("<memory>\n<!-- run "), "{prompt}");
    // What was taken back is not remembered.
    for _ in 0..2 {
        assert_eq!(stage.run(&["undo"]).code, 0);
    }
    let run = stage.work(&[&["pipeline", "spec.md"], &roles[..]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let prompt = stage.kept("calls/01-asked/prompt.md");
    assert!(!prompt.contains("<memory>"), "{prompt}");

    // Who is never content is asked three times; nothing lands, and nothing is remembered.
    let never = format!("cat > /dev/null; printf '%s' '{NO}'\n");
    let hand = "n=$(cat n 2>/dev/null || echo 0); echo $((n + 1)) > n; echo try > greeting.txt; echo did\n";
    let stage = Stage::new().players(&[("eye", &never)], &[("hand", hand)]);
    let run = stage.work(&[&["pipeline", "spec.md"], &roles[..]].concat());
    assert_eq!((run.code, stage.n_began()), (1, 7), "{}", run.stderr);
    for said in [
        "the step `change` failed",
        "the reviewer asks for changes after 3 rounds",
        "it shouts (said 3 times)",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    assert_eq!(stage.greeting(), "hello\n");
    assert!(!stage.repo.root().join(".twostep/memory").exists());
}

/// A worker that does what the step which it gets says.
const WORKER: &str = "p=$(cat); echo \"$p\" | grep -q 'Step 1' && echo 'hello world' > greeting.txt\n\
    echo \"$p\" | grep -q 'Step 2' && echo one >> list.txt\necho \"$p\" | grep -q 'Step 3' && echo two >> list.txt\necho made\n";

#[test]
fn who_changed_the_same_file_does_it_again_on_top_of_the_other() {
    let stage = Stage::new()
        .tell("gemini.answer", THREE)
        .players(&[], &[("hand", WORKER)]);
    std::fs::write(stage.repo.root().join("list.txt"), "zero\n").unwrap();
    let args = [
        "side-by-side",
        "spec.md",
        "--role",
        "worker=hand",
        "--yes",
        "--check",
        CHECK,
    ];
    let run = stage.work(&args);
    // The second passes no check while the greeting is the old one: each is checked with those before it.
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(stage.text_of("list.txt"), "zero\n");
    let run = stage.work(&[
        "side-by-side",
        "spec.md",
        "--role",
        "worker=hand",
        "--yes",
        "--no-check",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(stage.greeting(), "hello world\n");
    assert_eq!(stage.text_of("list.txt"), "zero\none\ntwo\n");
    let said =
        "others changed `list.txt`, too; `changes[3]` is done again on top of what others made";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    // Done again, it comes out the same, whoever is faster.
    let again = stage.run(&["runs", "replay"]);
    assert_eq!(again.code, 0, "{} {}", again.stdout, again.stderr);
    // One plan, three steps, and one of them twice.
    assert_eq!(stage.n_began(), 5, "{}", run.stderr);
    let made = "Greet: greeting.txt\nList one: list.txt\nList two: list.txt\n";
    assert_eq!(run.stdout, made);
    assert_eq!(stage.run(&["undo"]).code, 0);
    assert_eq!(stage.text_of("list.txt"), "zero\n");
}

#[test]
fn who_depends_on_another_begins_with_what_that_made() {
    let plan = THREE.replace(
        "List two\n\nFiles:\n- change `list.txt`\n\nDepends on: none",
        "List two\n\nFiles:\n- change `list.txt`\n\nDepends on: step 2",
    );
    let stage = Stage::new()
        .tell("gemini.answer", &plan)
        .players(&[], &[("hand", WORKER)]);
    std::fs::write(stage.repo.root().join("list.txt"), "zero\n").unwrap();
    let run = stage.work(&[
        "side-by-side",
        "spec.md",
        "--role",
        "worker=hand",
        "--yes",
        "--no-check",
    ]);
    assert_eq!((run.code, stage.n_began()), (0, 4), "{}", run.stderr);
    assert_eq!(stage.text_of("list.txt"), "zero\none\ntwo\n");
}

#[test]
fn who_was_done_before_a_kill_is_not_asked_again() {
    let stage = Stage::new().tell("gemini.answer", THREE);
    let mended = stage.repo.beside("mended");
    let wait = format!(
        "p=$(cat); echo \"$p\" | grep -q 'Step 1' && while ! [ -e {} ]; do sleep 0.1; done\n",
        mended.display()
    );
    let worker = WORKER.replace("p=$(cat); ", "");
    let stage = stage.players(&[], &[("hand", &format!("{wait}{worker}"))]);
    std::fs::write(stage.repo.root().join("list.txt"), "zero\n").unwrap();
    let args = [
        "workflow",
        "run",
        "side-by-side",
        "spec.md",
        "--role",
        "worker=hand",
        "--yes",
        "--no-check",
    ];
    let mut child = stage
        .command(&args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let limit = Instant::now() + Duration::from_mins(1);
    let n_changed = || {
        let runs = stage.repo.root().join(".twostep/runs");
        let is_there = runs.read_dir().is_ok_and(|mut runs| runs.next().is_some());
        let journal = if is_there {
            stage.kept("journal.jsonl")
        } else {
            String::new()
        };
        journal.matches(r#""type":"changed""#).count()
    };
    // Those two that do not wait.
    while n_changed() < 2 {
        assert!(Instant::now() < limit, "they never ended");
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::write(&mended, "").unwrap();
    let run = stage.run(&["runs", "resume"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(stage.text_of("list.txt"), "zero\none\ntwo\n");
    assert_eq!(stage.greeting(), "hello world\n");
    // The first step once more, and the third on top of the second.
    assert_eq!(stage.n_began(), 6, "{}", run.stderr);
}

#[test]
fn what_is_asked_once_for_a_project_is_not_asked_again() {
    let text = "version = 1\ntitle = \"t\"\nresult = \"{{ mode }}\"\n[values]\nmode = { default = \"a\", one-of = [\"a\", \"b\"], question = \"Which mode?\" }\n\
        [[step]]\nname = \"said\"\nkind = \"text\"\ntext = \"{{ mode }}\"\n";
    let stage = Stage::new();
    let stage = stage.own_workflow("mine", text);
    // Without a terminal nobody is asked.
    assert_eq!(stage.work(&["mine"]).stdout, "a\n");
    let typed = stage.typed("workflow run mine", "c\nb\n");
    assert!(
        typed.stdout.contains("Which mode? [a] "),
        "{}",
        typed.stdout
    );
    assert!(typed.stdout.contains("\nb\r\n"), "{}", typed.stdout);
    assert_eq!(stage.work(&["mine"]).stdout, "b\n");
    assert_eq!(stage.work(&["mine", "--set", "mode=a"]).stdout, "a\n");
    assert_eq!(stage.work(&["mine"]).stdout, "b\n");
}

#[test]
fn a_workflow_that_changes_nothing_takes_no_options_for_changes() {
    let stage = Stage::new();
    for option in [&["--check", "true"][..], &["--land", "branch"]] {
        let run = stage.work(&[&["consensus", "spec.md"], option].concat());
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(
            run.stderr
                .contains("the workflow `consensus` changes no files"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn a_patch_goes_to_stdout_in_the_place_of_what_a_workflow_gives_out() {
    let stage = Stage::new();
    let args = [
        "plan-exec",
        "spec.md",
        "--yes",
        "--check",
        CHECK,
        "--land",
        "patch",
    ];
    let run = stage.work(&args);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.starts_with("diff --git "), "{}", run.stdout);
    assert!(run.stdout.ends_with("+hello world\n"), "{}", run.stdout);
    assert!(run.stderr.contains("\nDone.\n"), "{}", run.stderr);
    assert_eq!(stage.greeting(), "hello\n");
    let run = stage.work(&[&args[..], &["--json"]].concat());
    assert!(
        run.code == 2 && run.stderr.contains("use `--land none`"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_projects_workflow_works_once_it_is_agreed_to_as_it_is() {
    let text = |said: &str| {
        format!(
            "version = 1\ntitle = \"Ours\"\n[[step]]\nname = \"looked\"\nkind = \"check\"\ncommands = [\"echo {said}; false\"]\n"
        )
    };
    let stage = Stage::new();
    let folder = stage.repo.root().join("twostep-workflows");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("ours.toml"), text("one")).unwrap();
    let refused = |stage: &Stage| {
        for name in ["ours", "twostep-workflows/ours.toml"] {
            let run = stage.work(&[name, "--no-check"]);
            assert_eq!(run.code, 2, "{}", run.stderr);
            let said = "agree with `twostep trust`";
            assert!(run.stderr.contains(said), "{}", run.stderr);
        }
    };
    refused(&stage);
    let list = stage.run(&["workflow", "list"]).stdout;
    assert!(
        list.contains("ours                         Ours (project, not agreed to)\n"),
        "{list}"
    );
    let trust = stage.run(&["trust", "--yes"]);
    assert_eq!(trust.code, 0, "{}", trust.stderr);
    let said = "workflow `twostep-workflows/ours.toml`: Ours; it runs echo one; false\n";
    assert!(trust.stdout.ends_with(said), "{}", trust.stdout);
    let run = stage.work(&["ours", "--no-check"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("one"), "{}", run.stdout);
    // Another text is not what was agreed to, nor is anything after it was taken back.
    std::fs::write(folder.join("ours.toml"), text("two")).unwrap();
    refused(&stage);
    std::fs::write(folder.join("ours.toml"), text("one")).unwrap();
    assert_eq!(stage.work(&["ours", "--no-check"]).code, 0);
    assert_eq!(stage.run(&["trust", "--revoke"]).code, 0);
    refused(&stage);
}

/// A workflow of steps, of which each carries out a plan that stands in it.
pub(super) fn of_steps(head: &str, steps: &[(&str, &str, &str)]) -> String {
    let each = steps.iter().map(|(name, keys, plan)| {
        format!("[[step]]\nname = \"{name}\"\nkind = \"execute\"\nrole = \"hand\"\nmissing = \"told\"\n{keys}\nplan = \"{plan}\"\n")
    });
    let each: Vec<String> = each.collect();
    format!(
        "version = 1\ntitle = \"t\"\nresult = \"end\"\n{head}[roles]\nhand = \"hand\"\n{}",
        each.concat()
    )
}

/// Does what stands behind `DO:` in the prompt.
pub(super) const DOES: &str = "cat > p.$$ 2>/dev/null || p=1; grep -o 'DO:.*' p.$$ | head -n 1 | cut -c4- > q.$$; sh ./q.$$; rm -f p.$$ q.$$; echo did\n";

#[test]
fn what_is_not_good_beside_or_after_others_stops_nobody_else() {
    let stage = |text: &str| {
        let stage = Stage::new().players(&[], &[("hand", DOES)]);
        std::fs::write(stage.repo.beside("w.toml"), text).unwrap();
        stage
    };
    let go = |stage: &Stage, check: &str| {
        let file = stage.repo.beside("w.toml");
        let args = [
            file.to_str().unwrap(),
            "--yes",
            "--check-rounds",
            "0",
            "--check",
            check,
        ];
        stage.work(&args)
    };
    // One that fails its checks, and one after it.
    let text = of_steps(
        "",
        &[
            ("bad", "on-failure = \"go-on\"", "DO:echo BAD > bad.txt"),
            ("good", "", "DO:echo good > good.txt"),
        ],
    );
    let one = stage(&text);
    let run = go(&one, "! grep -rq BAD *.txt");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(!one.repo.root().join("bad.txt").exists());
    assert_eq!(one.text_of("good.txt"), "good\n");
    // Two that are good alone, and not together: the later is done again, and sees the earlier.
    let each = "for-each = \"['1', '2']\"\nparallel = 2";
    let text = of_steps(
        "",
        &[(
            "each",
            each,
            "DO:test -e p1 && echo x > p3 || echo x > p{{ item }}",
        )],
    );
    let one = stage(&text);
    let run = go(&one, "test $(ls | grep -c '^p[12]$') -lt 2");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("the checks fail on `each[2]` and those before it"),
        "{}",
        run.stderr
    );
    // Done again, each check says what it said there.
    let again = one.run(&["runs", "replay"]);
    assert_eq!(again.code, 0, "{} {}", again.stdout, again.stderr);
    let there = ["p1", "p2", "p3"].map(|name| one.repo.root().join(name).exists());
    assert_eq!(there, [true, false, true], "{}", run.stderr);
    // What was done side by side is gone on with, after a stop behind it.
    let text = of_steps(
        "",
        &[
            ("each", each, "DO:echo x > p{{ item }}"),
            ("last", "", "DO:echo x > last"),
        ],
    );
    let (before, after) = text.rsplit_once("missing = \"told\"").unwrap();
    let one = stage(&format!("{before}missing = \"stop\"{after}"));
    let run = go(&one, "test -d .");
    assert!(
        run.code != 0 && run.stderr.contains("names no file"),
        "{}",
        run.stderr
    );
    std::fs::write(one.repo.beside("w.toml"), &text).unwrap();
    let run = one.run(&["runs", "resume"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(one.n_began(), 3, "{}", run.stderr);
    assert!(one.repo.root().join("p2").exists() && one.repo.root().join("last").exists());
    // What another has ignored does not vanish.
    let text = of_steps(
        "",
        &[
            ("first", "", "DO:echo x > new.gen"),
            ("second", "", "DO:echo '*.gen' > .gitignore"),
        ],
    );
    let one = stage(&text);
    let run = go(&one, "true");
    assert_ne!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("would not land: `new.gen`"),
        "{}",
        run.stderr
    );
    assert!(!one.repo.root().join("new.gen").exists());
}

#[test]
fn a_change_that_a_step_checked_last_is_not_told_as_unchecked() {
    let looked = "[[step]]\nname = \"looked\"\nkind = \"check\"\ncommands = [\"test -e new\"]\n";
    let made = of_steps("", &[("made", "", "DO:echo x > new")]);
    let more = of_steps(
        "",
        &[
            ("made", "", "DO:echo x > new"),
            ("more", "", "DO:echo x > other"),
        ],
    );
    let (before, after) = more.split_once("[[step]]\nname = \"more\"").unwrap();
    for (text, is_seen) in [
        (made.clone(), false),
        (format!("{made}{looked}"), true),
        // What it was then is not what lands.
        (
            format!("{before}{looked}[[step]]\nname = \"more\"{after}"),
            false,
        ),
    ] {
        let stage = Stage::new()
            .players(&[], &[("hand", DOES)])
            .own_workflow("mine", &text);
        let args = ["mine", "--yes", "--no-check", "--land", "none"];
        let run = stage.work(&args);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let seen = run.stderr.contains("); by the step `looked`\n");
        let unchecked = run.stderr.contains("unchecked ");
        assert_eq!((seen, unchecked), (is_seen, !is_seen), "{}", run.stderr);
        let report = stage.kept("report.md");
        assert_eq!(
            report.contains("| `test -e new` (`looked`) | failed | passed |"),
            text != made,
            "{report}"
        );
        let run = stage.work(&[&args[..], &["--json"]].concat());
        let told = &run.json()["seen"][0];
        assert_eq!(
            told["check"]["passed"] == true && told["step"] == "looked",
            is_seen,
            "{told}"
        );
    }
}

#[test]
fn a_file_that_was_rejected_comes_by_no_other_way() {
    let edits =
        "*** Begin Patch\n*** Update File: greeting.txt\n*** Move to: moved.txt\n*** End Patch\n";
    let text = "version = 1\ntitle = \"t\"\n[roles]\na = \"voice\"\n[[step]]\nname = \"said\"\nkind = \"ask\"\nrole = \"a\"\nprompt = \"edits\"\n\
        [[step]]\nname = \"taken\"\nkind = \"integrate\"\nedits = \"{{ said.text }}\"\napprove = \"file\"\n";
    let stage = Stage::new().players(
        &[(
            "voice",
            &format!("cat > /dev/null; printf '%s' '{edits}'\n"),
        )],
        &[],
    );
    let stage = stage.own_workflow("mine", text);
    let typed = stage.typed("workflow run mine --no-check", "yes\nno\n");
    assert!(
        typed.stdout.contains("make the edits of `moved.txt`?"),
        "{}",
        typed.stdout
    );
    assert!(
        typed.stdout.contains("another edit moves it"),
        "{}",
        typed.stdout
    );
    assert_eq!(stage.greeting(), "hello\n");
    assert!(!stage.repo.root().join("moved.txt").exists());
}

#[test]
fn a_step_that_changes_nothing_on_what_others_made_is_told() {
    let text = of_steps(
        "",
        &[("made", "", "DO:echo x > new"), ("again", "", "DO:true")],
    );
    let stage = Stage::new().players(&[], &[("hand", DOES)]);
    let file = stage.repo.beside("w.toml");
    std::fs::write(&file, text).unwrap();
    let run = stage.work(&[file.to_str().unwrap(), "--yes", "--no-check"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let said = "the step `again` changed nothing of what was good before it";
    assert!(run.stderr.contains(said), "{}", run.stderr);
}

#[test]
fn a_check_of_a_workflow_does_not_see_what_would_not_land() {
    let text = of_steps(
        "",
        &[(
            "made",
            "",
            "DO:mkdir build; echo x > build/flag; echo x > new",
        )],
    )
    .replace(
        "result = \"end\"",
        "result = \"{{ looked.passes }} {{ seen.passes }}\"",
    ) + "[[step]]\nname = \"looked\"\nkind = \"check\"\ncommands = [\"test -e build/flag\"]\n\
           [[step]]\nname = \"seen\"\nkind = \"check\"\ncommands = [\"test -e new\"]\n";
    let stage = Stage::new().players(&[], &[("hand", DOES)]);
    std::fs::write(stage.repo.root().join(".gitignore"), "build/\n").unwrap();
    let file = stage.repo.beside("w.toml");
    std::fs::write(&file, text).unwrap();
    let run = stage.work(&[file.to_str().unwrap(), "--yes", "--no-check"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "False True\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_check_of_a_workflow_that_changes_files_has_not_checked_what_would_land() {
    let text = of_steps(
        "accept = \"looked.passes\"\n",
        &[("made", "", "DO:echo x > new")],
    ) + "[[step]]\nname = \"looked\"\nkind = \"check\"\ncommands = [\"test -e new || exit 0; echo y > new; grep y new\"]\n";
    let stage = Stage::new().players(&[], &[("hand", DOES)]);
    let file = stage.repo.beside("w.toml");
    std::fs::write(&file, text).unwrap();
    let run = stage.work(&[file.to_str().unwrap(), "--yes", "--no-check"]);
    assert_ne!(run.code, 0);
    let said = "the checks changed files, so that what they checked is not what would land: `new`";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert!(!stage.repo.root().join("new").exists());
}

#[test]
fn a_workflow_goes_on_with_the_commands_of_its_steps() {
    let gate = "[[step]]\nname = \"go\"\nkind = \"gate\"\nquestion = \"Go?\"\nchoices = [\"yes\", \"no\"]\n";
    let text = "version = 1\ntitle = \"t\"\nresult = \"one\"\n[[step]]\nname = \"looked\"\nkind = \"check\"\ncommands = [\"true\"]\n";
    let stage = Stage::new();
    let file = stage.repo.beside("w.toml");
    std::fs::write(&file, format!("{text}{gate}")).unwrap();
    let run = stage.work(&[file.to_str().unwrap()]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    // As it is now, and that is told.
    std::fs::write(&file, format!("{text}{gate}").replace("\"one\"", "\"two\"")).unwrap();
    let run = stage.run(&["runs", "resume", "--", "--yes"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "two\n"),
        "{}",
        run.stderr
    );
    let said = "has changed since the run began, and is done as it is now";
    assert!(run.stderr.contains(said), "{}", run.stderr);
}

#[test]
fn what_needs_consent_is_no_failure_to_go_on_after() {
    let text = of_steps(
        "",
        &[
            (
                "made",
                "on-failure = \"go-on\"",
                "DO:echo 'all:' > Makefile",
            ),
            ("more", "", "DO:echo x > new"),
        ],
    );
    let stage = Stage::new().players(&[], &[("hand", DOES)]);
    let file = stage.repo.beside("w.toml");
    std::fs::write(&file, text).unwrap();
    let run = stage.work(&[file.to_str().unwrap(), "--yes", "--no-check"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("it holds what needs your consent"),
        "{}",
        run.stderr
    );
    assert!(!stage.repo.root().join("new").exists());
}

#[test]
fn a_reviewer_is_told_what_steps_checked() {
    let text = of_steps("", &[("made", "", "DO:echo x > new")])
        .replace("hand = \"hand\"", "hand = \"hand\"\neye = \"eye\"")
        + "[[step]]\nname = \"looked\"\nkind = \"check\"\ncommands = [\"! test -e new\"]\n\
           [[step]]\nname = \"read\"\nkind = \"review\"\nrole = \"eye\"\n";
    let eye = format!("cat > /dev/null; printf '%s' '{YES}'\n");
    let stage = Stage::new().players(&[("eye", &eye)], &[("hand", DOES)]);
    let file = stage.repo.beside("w.toml");
    std::fs::write(&file, text).unwrap();
    let run = stage.work(&[file.to_str().unwrap(), "--yes", "--no-check"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let prompt = stage.kept("calls/02-reviewer/prompt.md");
    assert!(prompt.contains("`! test -e new`: "), "{prompt}");
    assert!(!prompt.contains("None was run"), "{prompt}");
}
