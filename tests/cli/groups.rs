//! Plans that are carried out step by step, or by groups of steps.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use super::plan_exec::Stage;
use super::{Repo, Run, read};

/// A plan with so many steps, each of which makes a file and adds a line to another; `more` follows the title of each.
fn plan(n_steps: usize, more: &dyn Fn(usize) -> String) -> String {
    let step = |n: usize| {
        let more = more(n);
        format!(
            "### Step {n}: Make part {n}\n\n{more}Files:\n- create `part{n}.txt`\n- change `parts.txt`\n\n"
        )
    };
    let steps: String = (1..=n_steps).map(step).collect();
    format!("# Plan: Make the parts\n\n## Steps\n\n{steps}END OF PLAN\n")
}

/// Does what the next step says: it sees what the steps before it made.
const EDIT: &str = "n=$(wc -l < parts.txt); n=$((n + 1)); echo \"part $n\" >> parts.txt; cat part$((n - 1)).txt > part$n.txt 2>/dev/null; echo $n >> part$n.txt\n";

const CHECK: &str = "! grep bad parts.txt";

fn stage(n_steps: usize) -> Stage {
    let repo = Repo::new()
        .file("parts.txt", "")
        .file("other.txt", "other\n")
        .file("spec.md", "Make the parts.\n");
    Stage::of(repo.git())
        .tell("gemini.answer", &plan(n_steps, &|_| String::new()))
        .tell("claude.edit", EDIT)
}

impl Stage {
    fn by(&self, by: &str, more: &[&str]) -> Run {
        let words = [
            "plan-exec",
            "spec.md",
            "--check",
            CHECK,
            "--yes",
            "--exec-by",
            by,
        ];
        self.run(&[&words, more].concat())
    }

    fn file(&self, name: &str) -> String {
        let bytes = fs::read(self.repo.root().join(name)).unwrap_or_default();
        String::from_utf8(bytes).unwrap()
    }

    fn words_of(&self, call: &str) -> String {
        let file = self.last_run().join(format!("calls/{call}/prompt.md"));
        String::from_utf8(read(&file)).unwrap()
    }

    fn calls(&self) -> Vec<String> {
        let calls = self.last_run().join("calls").read_dir().unwrap();
        let names = calls.map(|call| call.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

#[test]
fn each_step_begins_with_what_the_steps_before_made() {
    let stage = stage(3);
    let run = stage.by("step", &["--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(stage.file("parts.txt"), "part 1\npart 2\npart 3\n");
    assert_eq!(stage.file("part3.txt"), "1\n2\n3\n");
    assert_eq!(stage.calls().len(), 4);
    let second = stage.words_of("03-executor");
    for said in [
        "now:\n\n- step 2: Make part 2\n\nDone before, and in the files as they are: step 1.\nLeft for later: step 3;",
        "\npart 1\n",
        // The whole plan.
        "### Step 3: Make part 3",
    ] {
        assert!(second.contains(said), "{said}: {second}");
    }
    for said in [
        "step      1 of 3  Make part 1",
        "step      3 of 3  Make part 3",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    let outcome = run.json();
    assert_eq!(outcome["outcome"], "landed");
    let expected: Vec<serde_json::Value> = (1..=3)
        .map(|n| {
            let checks = serde_json::json!([{ "command": CHECK, "passed": true }]);
            serde_json::json!({ "steps": [n], "calls": [n + 1], "checks": checks, "is_good": true })
        })
        .collect();
    assert_eq!(outcome["groups"], serde_json::json!(expected));
    let report = String::from_utf8(read(&stage.last_run().join("report.md"))).unwrap();
    assert!(
        report.contains("| 2 of 3 | 3 | 1 of 1 passed | good |"),
        "{report}"
    );
    let again = stage.run(&["runs", "replay"]);
    assert_eq!(again.code, 0, "{}\n{}", again.stdout, again.stderr);
    assert!(
        again.stdout.contains("same     changes.patch"),
        "{}",
        again.stdout
    );
    let calls = stage.last_run().join("calls");
    assert_eq!(stage.run(&["undo"]).code, 0);
    assert_eq!(stage.file("parts.txt"), "");
    let recorded = format!("recorded:{}", calls.display());
    let words = ["--planner", &recorded, "--executor", &recorded, "--force"];
    let run = stage.by("step", &words);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(stage.file("part3.txt"), "1\n2\n3\n");
}

#[test]
fn steps_are_carried_out_in_the_order_in_which_they_need_each_other() {
    let needs = |n: usize| match n {
        1 => "Depends on: 3\n\n".to_owned(),
        2 => "Depends on: 1\n\n".to_owned(),
        _ => String::new(),
    };
    let stage = stage(4).tell("gemini.answer", &plan(4, &needs));
    let run = stage.by("step", &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let told = run.stderr.lines().filter_map(|line| {
        let rest = line.strip_prefix("step      ")?;
        rest.split(' ').next()
    });
    assert_eq!(told.collect::<Vec<_>>(), ["3", "1", "2", "4"]);
}

#[test]
fn what_is_good_before_a_step_that_fails_is_kept_and_gone_on_with() {
    let bad = format!("{EDIT}[ $n -ne 3 ] || echo bad >> parts.txt\n");
    let stage = stage(5).tell("claude.edit", &bad);
    let before = stage.state();
    let run = stage.by("step", &["--check-rounds", "0", "--json"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(stage.state(), before);
    for said in [
        "good      steps 1-2 of 5 are good: `git -C ",
        "good.patch` brings the change into your files, and `twostep runs resume` goes on",
        "1 of 1 checks failed",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    let good: Vec<bool> = run.json()["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["is_good"].as_bool().unwrap())
        .collect();
    assert_eq!(good, [true, true, false]);
    let report = String::from_utf8(read(&stage.last_run().join("report.md"))).unwrap();
    assert!(
        report.contains("in [good.patch](good.patch), for steps 1-2 of 5; `twostep runs resume "),
        "{report}"
    );
    let patch = stage.last_run().join("good.patch");
    let apply = |more: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C").arg(stage.repo.root()).arg("apply").args(more);
        assert!(git.arg(&patch).status().unwrap().success());
    };
    apply(&[]);
    assert_eq!(stage.file("parts.txt"), "part 1\npart 2\n");
    apply(&["-R"]);
    let stage = stage.tell("claude.edit", EDIT);
    let run = stage.run(&["runs", "resume"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(stage.file("part5.txt"), "1\n2\n3\n4\n5\n");
    // The planner, two steps that were good, the one that was not, and then that and the two after it.
    assert_eq!(stage.calls().len(), 7, "{}", run.stderr);
}

#[test]
fn a_step_does_not_break_what_one_before_it_mended() {
    let edit = format!("{EDIT}[ $n -ne 2 ] || touch mended\n[ $n -ne 3 ] || rm mended\n");
    let stage = stage(5).tell("claude.edit", &edit);
    let run = stage.by(
        "step",
        &[
            "--check",
            "test -e mended",
            "--check-rounds",
            "0",
            "--accept-sensitive",
        ],
    );
    assert_eq!(run.code, 1, "{}", run.stderr);
    let good = "steps 1-2 of 5 are good";
    assert!(run.stderr.contains(good), "{}", run.stderr);
}

#[test]
fn a_check_that_failed_before_the_change_has_to_pass_at_its_end() {
    let whole = "test $(wc -l < parts.txt) -eq 3";
    let stage = stage(3);
    let run = stage.by("step", &["--check", whole]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(stage.calls().len(), 4, "{}", run.stderr);
    let stage = self::stage(4);
    let run = stage.by("step", &["--check", whole, "--check-rounds", "0"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("steps 1-3 of 4 are good"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_check_that_a_step_breaks_goes_back_to_it() {
    // It is told, and takes back what was bad.
    let edit = format!(
        "if grep -q bad parts.txt; then sed -i /bad/d parts.txt; else {}; [ $n -ne 2 ] || echo bad >> parts.txt; fi\n",
        EDIT.trim_end()
    );
    let stage = stage(3).tell("claude.edit", &edit);
    let run = stage.by("step", &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(stage.file("parts.txt"), "part 1\npart 2\npart 3\n");
    assert_eq!(stage.calls().len(), 5);
    let report = String::from_utf8(read(&stage.last_run().join("report.md"))).unwrap();
    assert!(
        report.contains("| 2 of 3 | 3, 4 | 1 of 1 passed | good |"),
        "{report}"
    );
    let again = stage.run(&["runs", "replay"]);
    assert_eq!(again.code, 0, "{}\n{}", again.stdout, again.stderr);
}

#[test]
fn a_step_that_changes_nothing_is_told_and_the_next_begins() {
    // What git knows is no part of a change.
    let edit = format!(
        "if [ -e .git/seen ]; then {}; else touch .git/seen; fi\n",
        EDIT.trim_end()
    );
    let stage = stage(2).tell("claude.edit", &edit);
    let run = stage.by("step", &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(stage.file("parts.txt"), "part 1\n");
    for said in [
        "warning: nothing was changed for step 1",
        "audit     planned, and not touched: part2.txt",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    let again = stage.run(&["runs", "replay"]);
    assert_eq!(again.code, 0, "{}\n{}", again.stdout, again.stderr);
}

#[test]
fn a_run_that_is_killed_in_its_third_step_does_not_ask_for_the_first_two_again() {
    let mut n_resumed = 0;
    for n in (70..).step_by(8) {
        let stage = stage(5);
        let words = [
            "plan-exec",
            "spec.md",
            "--check",
            CHECK,
            "--yes",
            "--exec-by",
            "step",
        ];
        let mut command = stage.command(&words);
        let output = command.env("TWOSTEP_CRASH_AT", n.to_string()).output();
        assert_eq!(output.unwrap().status.signal(), Some(9), "{n}");
        let calls = stage.calls();
        if calls.len() < 4 {
            continue;
        }
        if calls.len() > 4 {
            break;
        }
        n_resumed += 1;
        let run = stage.run(&["runs", "resume"]);
        assert_eq!(run.code, 0, "{n}: {}", run.stderr);
        assert_eq!(stage.file("part5.txt"), "1\n2\n3\n4\n5\n", "{n}");
        // The third may have been cut off.
        let n_calls = stage.calls().len();
        assert!((6..=7).contains(&n_calls), "{n}: {n_calls} calls");
    }
    assert!(n_resumed > 0);
}

#[test]
fn steps_are_carried_out_by_an_executor_that_answers_with_edits() {
    // It makes the file of the step that it is asked for, and sees the last line that was added.
    let script = "prompt=$(cat); n=$(printf '%s\\n' \"$prompt\" | sed -n 's/^- step \\([0-9]*\\): .*/\\1/p' | head -1)\n\
        last=$(printf '%s\\n' \"$prompt\" | grep '^part [0-9]$' | tail -1)\n\
        printf 'FILE: part%s.txt\\n```\\nnew\\n```\\n\\nparts.txt\\n<<<<<<< SEARCH\\n%s\\n=======\\n%s\\npart %s\\n>>>>>>> REPLACE\\n' $n \"$last\" \"$last\" $n\n";
    let stage = stage(3);
    fs::write(stage.repo.root().join("parts.txt"), "part 0\n").unwrap();
    let place = stage.repo.beside("bin/own.sh");
    let command = serde_json::json!(["sh", place]);
    let agents = format!("[agent.own]\ncommand = {command}\nmodel = \"gpt-5\"\n");
    let stage = stage.tell("own.sh", script).agents(&agents);
    let run = stage.by("step", &["--executor", "own"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(
        stage.file("parts.txt"),
        "part 0\npart 1\npart 2\npart 3\n",
        "{}",
        run.stderr
    );
    assert_eq!(stage.file("part3.txt"), "new\n");
    let again = stage.run(&["runs", "replay"]);
    assert_eq!(again.code, 0, "{}\n{}", again.stdout, again.stderr);
}

#[test]
fn edits_that_a_reviewer_asks_for_are_made_on_what_all_steps_made() {
    // It makes the file of its step, and after that what the reviewer wants of the first.
    let script = "prompt=$(cat); n=$(printf '%s\\n' \"$prompt\" | sed -n 's/^- step \\([0-9]*\\): .*/\\1/p' | head -1)\n\
        if [ -n \"$n\" ]; then printf 'FILE: part%s.txt\\n```\\nnew\\n```\\n' $n\n\
        else printf 'part1.txt\\n<<<<<<< SEARCH\\nnew\\n=======\\nnewer\\n>>>>>>> REPLACE\\n'; fi\n";
    let no = "FAILED\\n- `part1.txt:1`: it is not newer\\n\\nVERDICT: REQUEST_CHANGES\\n";
    let yes = "FAILED\\n- none\\n\\nVERDICT: APPROVE\\n";
    let reviewer = format!(
        "if [ -e \"$beside.n\" ]; then printf '{yes}'; else touch \"$beside.n\"; printf '{no}'; fi > \"$beside.answer\"\n"
    );
    let stage = stage(2);
    let place = stage.repo.beside("bin/own.sh");
    let command = serde_json::json!(["sh", place]);
    let agents = format!("[agent.own]\ncommand = {command}\nmodel = \"gpt-5\"\n");
    let stage = stage
        .tell("own.sh", script)
        .tell("codex.edit", &reviewer)
        .agents(&agents);
    let run = stage.by("step", &["--executor", "own", "--reviewer", "codex"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(
        (stage.file("part1.txt"), stage.file("part2.txt")),
        ("newer\n".to_owned(), "new\n".to_owned())
    );
    let prompt = stage.words_of("05-executor");
    for said in [
        "Done before, and in the files as they are: steps 1, 2.",
        "The files stand above as they are with it.",
        "- `part1.txt:1`: it is not newer",
        "<file path=\"part1.txt\"",
    ] {
        assert!(prompt.contains(said), "{said}: {prompt}");
    }
    let again = stage.run(&["runs", "replay"]);
    assert_eq!(again.code, 0, "{}\n{}", again.stdout, again.stderr);
}

#[test]
fn a_plan_that_names_more_than_the_executor_takes_is_carried_out_by_groups() {
    let names = |n: usize| format!("Files:\n- change `large{n}.txt`\n\n");
    let stage = stage(3)
        .tell("gemini.answer", &plan(3, &names))
        .tell("codex.edit", EDIT)
        .tell("codex.answer", "Done.\n");
    // The half of it, less the 30,000 that codex puts round a prompt.
    let small = super::small_model(110_000);
    stage.repo.config("models.toml", small);
    for n in 1..=3 {
        let text = format!("{n} words of a file\n").repeat(1400);
        fs::write(stage.repo.root().join(format!("large{n}.txt")), text).unwrap();
    }
    for by in ["whole", "group"] {
        let run = stage.by(by, &["--executor", "codex:small", "--force"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(
            run.stderr.contains("does not fit the executor in full"),
            by == "whole",
            "{}",
            run.stderr
        );
        for said in [
            "steps     1-2 of 3  Make part 1; Make part 2",
            "step      3 of 3  Make part 3",
        ] {
            assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
        }
        let (first, last) = (stage.words_of("02-executor"), stage.words_of("03-executor"));
        let holds = |prompt: &str, n: usize| prompt.contains(&format!("\n{n} words of a file\n"));
        let shown = |prompt: &str| [1, 2, 3].map(|n| holds(prompt, n));
        assert_eq!(shown(&first)[..2], [true, true]);
        assert!(shown(&last)[2]);
        let whole = |prompt: &str, n: usize| {
            let line = format!("\n{n} words of a file");
            prompt.matches(&line).count() == 1400
        };
        assert_eq!([1, 2, 3].map(|n| whole(&first, n)), [true, true, false]);
        assert_eq!(stage.run(&["undo"]).code, 0);
    }
    // What fits is carried out at once.
    let run = stage.by("group", &["--force"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(stage.calls().len() == 2 && !run.stderr.contains("\nstep "));
}

#[test]
fn files_of_later_steps_that_change_meanwhile_are_told() {
    for (more, said) in [
        (
            &[][..],
            "stopped: one file changed since the run began: `parts.txt` (changed)",
        ),
        (
            &["--accept-drift"],
            "warning: one file changed since the run began: `parts.txt` (changed)",
        ),
    ] {
        let stage = stage(2);
        let mine = stage.repo.root().join("parts.txt");
        let check = format!("! test -e part1.txt || echo mine > '{}'", mine.display());
        let run = stage.by("step", &[&["--check", &check], more].concat());
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert_eq!(stage.file("parts.txt"), "mine\n");
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
        // What is over it does not land, either.
        assert_eq!(stage.file("part1.txt"), "");
    }
}

#[test]
fn a_reviewer_reads_all_steps_together_and_the_last_puts_right_what_fails() {
    let no = "FAILED\\n- `parts.txt:1`: no full stop\\n\\nVERDICT: REQUEST_CHANGES\\n";
    let yes = "FAILED\\n- none\\n\\nVERDICT: APPROVE\\n";
    let reviewer = format!(
        "if [ -e \"$beside.n\" ]; then printf '{yes}'; else touch \"$beside.n\"; printf '{no}'; fi > \"$beside.answer\"\n"
    );
    let edit = format!(
        "if [ -e part2.txt ]; then sed -i 's/$/./' parts.txt; else {}; fi\n",
        EDIT.trim_end()
    );
    let stage = stage(2)
        .tell("claude.edit", &edit)
        .tell("codex.edit", &reviewer);
    let run = stage.by("step", &["--reviewer", "codex"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(stage.file("parts.txt"), "part 1.\npart 2.\n");
    let prompt = stage.words_of("04-reviewer");
    assert!(
        prompt.contains("+part 1\n+part 2\n") && prompt.contains("b/part1.txt"),
        "{prompt}"
    );
    assert_eq!(stage.calls().len(), 6);
}

#[test]
fn steps_are_not_carried_out_by_themselves_on_packs_of_the_user() {
    let stage = stage(2);
    let run = stage.by("step", &["--land", "none"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let words = ["exec", "--pack", "other.txt", "--exec-by", "step", "--yes"];
    let run = stage.run(&words);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("`--exec-by step`"), "{}", run.stderr);
}
