//! `twostep workflow`: several agents work together, as a workflow says.

use serde_json::json;

use super::plan_exec::{PLAN, Stage};
use super::read;

/// A review that asks for changes.
const NO: &str =
    "PASSED\n- none\n\nFAILED\n- `draft:1`: the name is wrong\n\nVERDICT: REQUEST_CHANGES\n";

/// One that does not.
const YES: &str = "PASSED\n- all\n\nFAILED\n- none\n\nVERDICT: APPROVE\n";

impl Stage {
    /// Puts agents of the user's there that answer.
    fn own_agents(self, scripts: &[(&str, &str)]) -> Self {
        self.players(scripts, &[])
    }

    /// Puts a workflow of the user's there.
    pub(super) fn own_workflow(self, name: &str, text: &str) -> Self {
        let folder = self.repo.beside("home/.config/twostep/workflows");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.toml")), text).unwrap();
        self
    }

    /// Returns a file of a step of the last run.
    fn out(&self, name: &str) -> String {
        let file = self.last_run().join("out").join(name);
        String::from_utf8(read(&file)).unwrap()
    }
}

#[test]
fn what_is_there_is_listed_and_shown() {
    let stage = Stage::new().own_workflow(
        "mine",
        "version = 1\ntitle = \"My own\"\n[roles]\na = \"claude\"\n[[step]]\nname = \"one\"\nkind = \"ask\"\nrole = \"a\"\nprompt = \"hi\"\n",
    );
    let list = stage.run(&["workflow", "list"]);
    assert_eq!(list.code, 0, "{}", list.stderr);
    assert!(
        list.stdout
            .contains("mine                         My own (yours)\n"),
        "{}",
        list.stdout
    );
    assert!(list.stdout.contains("\nworkers  "), "{}", list.stdout);
    let all = stage.run(&["workflow", "list", "--json"]).json();
    assert_eq!(all["mine"]["whose"], "yours");
    let shown = stage.run(&["workflow", "show", "consensus"]).stdout;
    assert!(shown.starts_with("version = 1\ntitle = "), "{shown}");
    for (name, said) in [
        ("none", "there is no workflow `none`"),
        (
            "consensos",
            "hint: did you mean `consensus`? `twostep workflow list` names",
        ),
        ("none.toml", "none.toml"),
    ] {
        let run = stage.run(&["workflow", "show", name]);
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
}

#[test]
fn a_workflow_that_cannot_be_used_keeps_no_other_from_the_list() {
    let good = "version = 1\ntitle = \"My own\"\n[[step]]\nname = \"one\"\nkind = \"text\"\ntext = \"hi\"\n";
    let stage = Stage::new()
        .own_workflow("mine", good)
        .own_workflow("empty", "")
        // It would stand in the place of one that is built in.
        .own_workflow("workers", "version = 2\n");
    let folder = stage.repo.beside("home/.config/twostep/workflows");
    std::fs::write(folder.join("binary.toml"), b"\xff\xfe").unwrap();
    std::fs::create_dir(folder.join("folder.toml")).unwrap();
    let project = stage.repo.root().join("twostep-workflows");
    std::fs::create_dir(&project).unwrap();
    std::fs::write(project.join("large.toml"), "#".repeat((1 << 20) + 1)).unwrap();
    for json in [&[][..], &["--json"]] {
        let list = stage.run(&[&["workflow", "list"], json].concat());
        assert_eq!(list.code, 0, "{}", list.stderr);
        for (name, is_there) in [
            ("mine", true),
            ("consensus", true),
            ("empty", false),
            ("workers", false),
            ("binary", false),
            ("folder", false),
            ("large", false),
        ] {
            let starts =
                |line: &str| line.starts_with(name) || line.contains(&format!("\"{name}\":"));
            assert_eq!(
                list.stdout.lines().any(starts),
                is_there,
                "{name}: {}",
                list.stdout
            );
            let told = list.stderr.matches(&format!("{name}.toml`")).count();
            assert_eq!(told, usize::from(!is_there), "{name}: {}", list.stderr);
        }
    }
    for (name, said) in [
        ("workers", "workers.toml`: line 1: "),
        ("binary", "not UTF-8"),
        ("large", "has 1048577 bytes"),
    ] {
        let run = stage.work(&[name, "spec.md"]);
        assert!(
            run.code == 2 && run.stderr.contains(said),
            "{name}: {}",
            run.stderr
        );
    }
}

#[test]
fn a_draft_is_reviewed_and_mended_and_each_version_is_kept() {
    let critic = format!("grep -q 'fn better' && printf '%s' '{YES}' || printf '%s' '{NO}'\n");
    let stage = Stage::new().own_agents(&[
        ("pen", "grep -q 'the name is wrong' && echo 'fn better() {}' || printf '```rust\\nfn worse() {}\\n```\\n'\n"),
        ("eye", &critic),
    ]);
    let run = stage.work(&[
        "generate-review-fix",
        "spec.md",
        "--role",
        "writer=pen",
        "--role",
        "reviewer=eye",
    ]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "fn better() {}\n"),
        "{}",
        run.stderr
    );
    // The first stays as it was.
    assert_eq!(stage.out("draft-v1"), "fn worse() {}\n");
    assert_eq!(stage.out("draft-v2"), "fn better() {}\n");
    assert!(stage.out("review-v1.md").contains("REQUEST_CHANGES"));
    assert_eq!(stage.n_began(), 4);
    for said in [
        "step      rounds[2].review (ask)",
        "the files of its steps are in `",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    let replay = stage.run(&["runs", "replay"]);
    let all = "4 of the 4 files that the run";
    assert!(
        replay.code == 0 && replay.stderr.contains(all),
        "{}",
        replay.stderr
    );
    // Who is never content ends it after two rounds.
    let never = format!("cat > /dev/null; printf '%s' '{NO}'\n");
    let stage = Stage::new().own_agents(&[("pen", "echo x\n"), ("eye", &never)]);
    let run = stage.work(&[
        "generate-review-fix",
        "spec.md",
        "--role",
        "writer=pen",
        "--role",
        "reviewer=eye",
        "--json",
    ]);
    assert_eq!((run.code, stage.n_began()), (1, 4), "{}", run.stderr);
    assert_eq!(
        (&run.json()["outcome"], &run.json()["result"]),
        (&json!("not_accepted"), &json!("x\n"))
    );
    let said = "not accepted: `accept` of the workflow is not true: review.approves";
    assert!(run.stderr.contains(said), "{}", run.stderr);
}

#[test]
fn two_answer_alone_and_a_third_compares() {
    let stage = Stage::new().own_agents(&[
        (
            "left",
            "grep -q 'right hand' && echo 'I saw it' || echo 'left hand'\n",
        ),
        (
            "right",
            "grep -q 'left hand' && echo 'I saw it' || echo 'right hand'\n",
        ),
        ("judge", "grep -c 'left hand\\|right hand'\n"),
    ]);
    let roles = [
        "--role",
        "first=left",
        "--role",
        "second=right",
        "--role",
        "judge=judge",
    ];
    let run = stage.work(&[&["consensus", "spec.md"], &roles[..]].concat());
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "2\n"),
        "{}",
        run.stderr
    );
    assert_eq!(stage.out("one.md"), "left hand\n");
    assert_eq!(stage.out("other.md"), "right hand\n");
    let replay = stage.run(&["runs", "replay"]);
    let all = "3 of the 3 files that the run";
    assert!(
        replay.code == 0 && replay.stderr.contains(all),
        "{}",
        replay.stderr
    );
}

#[test]
fn workers_report_side_by_side_and_one_that_fails_stops_nobody() {
    let task = |name: char| json!({ "title": name, "task": format!("look at {name}"), "files": "greeting.txt" });
    let tasks: Vec<_> = ('a'..='h').map(task).collect();
    let tasks = json!({ "tasks": tasks });
    let boss = format!(
        "cat > prompt; grep -q '<report' prompt && echo 'all reports' || cat <<'EOF'\n{tasks}\nEOF\n"
    );
    let stage = Stage::new().own_agents(&[
        ("boss", &boss),
        ("worker", "cat > prompt.$$; grep -q 'look at b' prompt.$$ && exit 1; grep -o 'look at .' prompt.$$ | head -n 1; grep -c '<file path' prompt.$$\n"),
    ]);
    let run = stage.work(&[
        "workers",
        "spec.md",
        "--role",
        "orchestrator=boss",
        "--role",
        "worker=worker",
    ]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "all reports\n"),
        "{}",
        run.stderr
    );
    for (n, name) in (1..).zip('a'..='h').filter(|(_, name)| *name != 'b') {
        let report = stage.out(&format!("reports/{n}.md"));
        assert_eq!(report, format!("look at {name}\n1\n"));
    }
    assert!(!stage.last_run().join("out/reports/2.md").exists());
    let said = "the step `reports[2]` failed, and the workflow goes on: ";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    // What the synthesis gets.
    let prompt = read(&stage.last_run().join("calls/10-asked/prompt.md"));
    let prompt = String::from_utf8(prompt).unwrap();
    assert!(
        prompt.contains("b:\n\n<report>\nThere is none: "),
        "{prompt}"
    );
}

#[test]
fn what_was_answered_is_not_asked_again_when_a_workflow_is_gone_on_with() {
    // The third of four fails as long as a file is not there.
    let text = "version = 1\ntitle = \"t\"\n[roles]\na = \"own\"\n[[step]]\nname = \"each\"\nkind = \"ask\"\nrole = \"a\"\n\
        for-each = \"['a', 'b', 'c', 'd']\"\nparallel = 2\nprompt = \"{{ item }}\"\n\
        [[step]]\nname = \"all\"\nkind = \"ask\"\nrole = \"a\"\nprompt = \"{% for one in each %}{{ one.text }}{% endfor %}\"\n";
    let script = "cat > prompt.$$; grep -q '^c' prompt.$$ && ! [ -e ../../../../../mended ] && exit 1; tr a-z A-Z < prompt.$$\n";
    let stage = Stage::new();
    let mended = stage.repo.beside("mended");
    let script = script.replace("../../../../../mended", mended.to_str().unwrap());
    let stage = stage
        .own_agents(&[("own", &script)])
        .own_workflow("mine", text);
    let run = stage.work(&["mine"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(
        run.stderr.contains("the step `each[3]` failed"),
        "{}",
        run.stderr
    );
    let n_before = stage.n_began();
    std::fs::write(&mended, "").unwrap();
    let run = stage.run(&["runs", "resume"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "A\nB\nC\nD\n"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("had answered before"), "{}", run.stderr);
    // c, the last one, and d where it was not begun.
    assert!(
        (2..=3).contains(&(stage.n_began() - n_before)),
        "{}",
        run.stderr
    );
}

#[test]
fn a_gate_is_answered_by_somebody_or_nothing_goes_on() {
    let text = "version = 1\ntitle = \"t\"\nresult = \"{{ go.text }}\"\n[[step]]\nname = \"go\"\nkind = \"gate\"\nquestion = \"Go on with {{ spec }}?\"\nchoices = [\"yes\", \"no\"]\n";
    let stage = Stage::new().own_workflow("mine", text);
    for (args, code, stdout, said) in [
        (&["--yes"][..], 0, "yes\n", ""),
        (&["--set", "go=no"], 0, "no\n", ""),
        (&["--set", "go=perhaps"], 2, "", "it may be one of yes, no"),
        (&["--set", "come=no"], 2, "", "has no value or gate `come`"),
        (
            &["--set", "goo=no"],
            2,
            "",
            "hint: did you mean `go`? it has go",
        ),
        (
            &["--set", "go=yess"],
            2,
            "",
            "hint: did you mean `yes`? it may be one of yes, no",
        ),
        (&[], 2, "", "there is nobody to ask: Go on with "),
        (&["--role", "a=claude"], 2, "", "has no role `a`"),
    ] {
        let run = stage.work(&[&["mine", "spec.md"], args].concat());
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (code, stdout),
            "{args:?} {}",
            run.stderr
        );
        assert!(run.stderr.contains(said), "{args:?} {}", run.stderr);
    }
    let run = stage.work(&["mine", "spec.md"]);
    let hint = "hint: answer it beforehand with `--set go=` and one of yes, no, or say `--yes`";
    assert!(run.stderr.contains(hint), "{}", run.stderr);
    let run = stage.work(&["mine"]);
    assert!(
        run.code == 2 && run.stderr.contains("needs a spec"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_is_wrong_with_a_workflow_is_told_before_anybody_is_asked() {
    let stage = Stage::new();
    let bad = "version = 1\ntitle = \"t\"\n[roles]\na = \"claude\"\n[[step]]\nname = \"one\"\nkind = \"ask\"\nrole = \"a\"\nprompt = \"{{ two.text }}\"\n";
    std::fs::write(stage.repo.root().join("bad.toml"), bad).unwrap();
    let run = stage.work(&["bad.toml"]);
    let said = "line 6: the `prompt` of the step `one` names `two`, which is no value and no step before it";
    assert!(run.code == 2 && run.stderr.contains(said), "{}", run.stderr);
    assert!(!stage.repo.root().join(".twostep").exists());
    let bad = bad.replace("two.text", "spek");
    std::fs::write(stage.repo.root().join("bad.toml"), bad).unwrap();
    let run = stage.work(&["bad.toml"]);
    assert!(
        run.stderr.contains("hint: did you mean `spec`?"),
        "{}",
        run.stderr
    );
    let run = stage.work(&["consensus", "spec.md", "--role", "juge=claude"]);
    let said = "hint: did you mean `judge`? its roles are first, judge, second";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    // What stands in a key and is none of what it is to be.
    let ask = "version = 1\ntitle = \"t\"\n[roles]\na = \"claude\"\n[[step]]\nname = \"one\"\nkind = \"ask\"\nrole = \"a\"\nprompt = \"x\"\n";
    for (key, said) in [
        (
            "schema = '{\"type\":\"objekt\"}'",
            "its `schema` cannot be used",
        ),
        ("files = [\"[a\"]", "[a"),
        ("file = \"../x\"", "its file `../x` is not within a folder"),
    ] {
        std::fs::write(stage.repo.root().join("bad.toml"), format!("{ask}{key}\n")).unwrap();
        let run = stage.work(&["bad.toml", "--dry-run"]);
        assert_eq!(run.code, 2, "{key}: {}", run.stderr);
        assert!(
            run.stderr.contains("the step `one` failed"),
            "{key}: {}",
            run.stderr
        );
        assert!(run.stderr.contains(said), "{key}: {}", run.stderr);
    }
    let dry = stage.work(&["consensus", "spec.md", "--dry-run"]);
    assert_eq!(dry.code, 0, "{}", dry.stderr);
    for said in [
        "role      judge: claude (claude-opus-5-5)",
        "step        one: ask first -> one.md",
        "stopped before any agent",
    ] {
        assert!(dry.stderr.contains(said), "{said}: {}", dry.stderr);
    }
}

#[test]
fn the_other_built_in_workflows_come_to_their_end() {
    let parts = json!({ "summary": "two", "parts": [
        { "name": "backend", "task": "store", "boundary": "an interface" },
        { "name": "frontend", "task": "show", "boundary": "the same" },
    ]});
    let chief = format!(
        "cat > p; grep -q '^frontend:$' p && printf '%s' '{PLAN}' || cat <<'EOF'\n{parts}\nEOF\n"
    );
    let stage = Stage::new().own_agents(&[
        ("chief", &chief),
        ("planner", "grep -o '`[a-z]*end`' | head -n 1\n"),
        ("unsure", "echo UNSURE\n"),
        ("sure", "echo 42\n"),
        ("draft", "cat > p.$$; grep -q '<draft>' p.$$ && { grep -q greeting p.$$ && echo Yes. || echo no; } || echo drafted\n"),
    ]);
    for (args, stdout) in [
        (
            &[
                "hierarchy",
                "--role",
                "architect=chief",
                "--role",
                "planner=planner",
            ][..],
            PLAN.trim_end_matches("\nEND OF PLAN\n"),
        ),
        (
            &[
                "escalate",
                "--role",
                "quick=unsure",
                "--role",
                "strong=sure",
            ],
            "42\n",
        ),
        (
            &[
                "escalate",
                "--role",
                "quick=sure",
                "--role",
                "strong=unsure",
            ],
            "42\n",
        ),
        (
            &[
                "bulk-refine",
                "--set",
                "which=*.txt",
                "--role",
                "worker=draft",
                "--role",
                "expert=sure",
            ],
            "greeting.txt: refined\n",
        ),
        (
            &[
                "bulk-refine",
                "--set",
                "which=*",
                "--set",
                "most=1",
                "--role",
                "worker=draft",
                "--role",
                "expert=sure",
            ],
            "greeting.txt: refined\n2 more files were left out: `--set most=N`\n",
        ),
    ] {
        let args = [&args[..1], &["spec.md"], &args[1..]].concat();
        let run = stage.work(&args);
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (0, stdout),
            "{args:?} {}",
            run.stderr
        );
        let replay = stage.run(&["runs", "replay"]);
        let told = format!("{args:?} {}\n{}", replay.stdout, replay.stderr);
        assert_eq!(replay.code, 0, "{told}");
        assert!(told.contains("come out the same"), "{told}");
    }
    assert_eq!(stage.out("refined/greeting.txt.md"), "42\n");
}

#[test]
fn who_works_beside_others_is_told_with_the_step_and_each_that_fails_is_told() {
    let text = "version = 1\ntitle = \"t\"\nresult = \"end\"\n[roles]\na = \"own\"\n\
        [[step]]\nname = \"before\"\nkind = \"ask\"\nrole = \"a\"\nprompt = \"before\"\n\
        [[step]]\nname = \"each\"\nkind = \"ask\"\nrole = \"a\"\nfor-each = \"['1', '2']\"\nparallel = 2\nprompt = \"{{ item }}\"\n";
    // Neither ends before the other has begun.
    let script = "p=$(cat); test \"$p\" = before && echo did && exit 0\n\
        touch \"MET/$p\"; while ! [ -e MET/1 -a -e MET/2 ]; do sleep 0.1; done; echo \"no $p\" >&2; exit $((p + 1))\n";
    let stage = Stage::new();
    let met = stage.repo.beside("met");
    std::fs::create_dir(&met).unwrap();
    let script = script.replace("MET", met.to_str().unwrap());
    let stage = stage
        .own_agents(&[("own", &script)])
        .own_workflow("mine", text);
    let run = stage.work(&["mine"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    for said in [
        "asked     asking own",
        "asked     each[1]: asking own",
        "asked     each[2]: asking own",
    ] {
        let n = run.stderr.matches(said).count();
        assert_eq!(n, 1, "{said}: {}", run.stderr);
    }
    // In their order, whoever was first.
    let (_, error) = run.stderr.split_once("error: ").unwrap();
    let error = error.lines().next().unwrap();
    let first = error.find("the step `each[1]` failed (and the step `each[2]` failed: ");
    assert!(first.is_some(), "{error}");
    for said in ["no 1", "no 2"] {
        assert!(error.contains(said), "{said}: {error}");
    }
    let report = String::from_utf8(read(&stage.last_run().join("report.md"))).unwrap();
    assert!(report.contains("the step `each[2]` failed: "), "{report}");
}

#[test]
fn a_hint_names_no_option_that_a_workflow_has_not() {
    let execute = "kind = \"execute\"\nplan = \"Change `greeting.txt`.\"";
    let review = "kind = \"ask\"\nprompt = \"x\"\nanswer = \"review\"";
    let missing = "kind = \"execute\"\nplan = \"Change `gone.txt`.\"";
    for (step, role, said) in [
        (
            execute,
            "own",
            "read its answer; go on with `twostep runs resume ",
        ),
        (execute, "own", " -- --role NAME=AGENT`"),
        (review, "own", "no hint of another verb"),
        (
            missing,
            "own",
            "`missing = \"told\"` in the step carries the plan out all the same",
        ),
        (execute, "lost", "correct `command` of `[agent.lost]`"),
        (execute, "codex", "`--role a=claude`"),
    ] {
        let text = format!(
            "version = 1\ntitle = \"t\"\n[roles]\na = \"{role}\"\n[[step]]\nname = \"one\"\nrole = \"a\"\n{step}\n"
        );
        let stage = Stage::new()
            .players(&[], &[("own", "cat > /dev/null; echo nothing\n")])
            .own_workflow("mine", &text);
        let agents = stage.repo.beside("home/.config/twostep/agents.toml");
        let known = String::from_utf8(read(&agents)).unwrap();
        let lost = "[agent.lost]\ncommand = [\"no-such-program\"]\nmodel = \"gpt-5\"\n";
        std::fs::write(&agents, known + lost).unwrap();
        std::fs::remove_file(stage.repo.beside("bin/codex")).unwrap();
        let run = stage.work(&["mine", "--yes", "--no-check"]);
        assert_ne!(run.code, 0, "{step} {role}: {}", run.stderr);
        let hint = run.stderr.split_once("hint: ").map_or("", |(_, hint)| hint);
        assert!(
            said.starts_with("no hint") || hint.contains(said),
            "{said}: {}",
            run.stderr
        );
        for option in [
            "--executor",
            "--planner",
            "--reviewer",
            "--revise",
            "twostep exec",
        ] {
            assert!(!hint.contains(option), "{step} {role}: {hint}");
        }
    }
}

#[test]
fn whoever_a_step_asks_has_the_minutes_that_it_says() {
    let step = |minutes: &str| {
        format!(
            "version = 1\ntitle = \"t\"\n[roles]\na = \"slow\"\n[[step]]\nname = \"one\"\nkind = \"ask\"\nrole = \"a\"\n{minutes}prompt = \"x\"\n"
        )
    };
    for (minutes, code) in [("minutes = 0\n", 3), ("minutes = 1\n", 0), ("", 0)] {
        let stage = Stage::new()
            .own_agents(&[("slow", "cat > /dev/null; sleep 0.5; echo here\n")])
            .own_workflow("mine", &step(minutes));
        let run = stage.work(&["mine"]);
        assert_eq!(run.code, code, "{minutes}: {}", run.stderr);
        assert_eq!(
            run.stderr.contains("hung: it had not ended after 0 s"),
            code == 3,
            "{minutes}: {}",
            run.stderr
        );
    }
}
