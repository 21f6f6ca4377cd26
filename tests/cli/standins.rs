//! Agents that fail half-way, and who goes on with what they left.

use super::plan_exec::{CHECK, PLAN, Stage};
use super::repairs::reviewer;
use super::small_model;
use super::{Run, read};

/// Says how often it was asked, in `$n`; it may write there.
const COUNT: &str = "file=$HOME/.claude/projects/n; n=$(cat $file 2>/dev/null || echo 0); n=$((n + 1)); echo $n > $file\n";

impl Stage {
    /// A stage whose claude does so each time.
    fn counting(script: &str) -> Self {
        let stage = Self::new().tell("claude.edit", &format!("{COUNT}{script}"));
        std::fs::create_dir_all(stage.repo.beside("home/.claude/projects")).unwrap();
        stage
    }

    fn models(self, text: &str) -> Self {
        self.repo.config("models.toml", text);
        self
    }

    fn journal(&self) -> Vec<serde_json::Value> {
        let shown = self.run(&["runs", "show", "--json"]).stdout;
        let lines = shown.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// What the executor was asked by a call.
    fn told(&self, n: usize) -> String {
        let file = format!("calls/{n:02}-executor/prompt.md");
        String::from_utf8(read(&self.last_run().join(file))).unwrap()
    }

    /// What was set aside for each call, in tokens.
    fn reserved(&self) -> Vec<u64> {
        let each = self.journal();
        each.iter()
            .filter_map(|it| it["event"]["reserve"]["tokens"].as_u64())
            .collect()
    }
}

#[test]
fn who_stands_in_does_not_land_what_another_left() {
    let stage = Stage::counting("echo half > half.txt; exit 0\n")
        .tell("codex.edit", super::plan_exec::EDIT);
    let stage = stage.tell("codex.answer", "Done.\n");
    let run = stage.plan_exec(&["--executor", "claude,codex"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(stage.greeting(), "hello world\n");
    assert!(
        !stage.repo.root().join("half.txt").exists(),
        "{}",
        run.stderr
    );
    let partly = stage.last_run().join("calls/03-executor/partly.patch");
    assert!(partly.is_file(), "{}", run.stderr);
}

#[test]
fn who_is_asked_again_to_mend_a_change_finds_it_there() {
    let stage = Stage::counting(
        "case $n in 1) echo made > made.txt;; 2) rm made.txt; exit 0;; *) echo 'hello world' > greeting.txt;; esac\n",
    );
    let run = stage.plan_exec(&["--check", "ls | grep -q made"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(stage.greeting(), "hello world\n");
    let made = stage.repo.root().join("made.txt");
    assert!(made.exists(), "{}", run.stderr);
    assert!(stage.last_run().join("calls/04-executor").exists());
}

#[test]
fn who_stood_in_goes_on_in_the_way_in_which_it_began() {
    let edits = |new: &str| {
        format!("greeting.txt\\n<<<<<<< SEARCH\\nhello\\n=======\\n{new}\\n>>>>>>> REPLACE\\n")
    };
    // An answer as a script of the stage writes it: the first does not pass the check.
    let script = format!(
        "case $n in 1) printf '{}';; *) printf '{}';; esac > $file.answer; beside=$file\n",
        edits("hullo"),
        edits("hello world")
    );
    let place = |stage: &Stage| stage.repo.beside("bin/own.sh");
    let stage = Stage::counting(&script).tell("own.sh", "exit 1\n");
    let command = serde_json::json!(["sh", place(&stage)]);
    let stage = stage.agents(&format!(
        "[agent.own]\ncommand = {command}\nmodel = \"gpt-5\"\n"
    ));
    let run = stage.plan_exec(&["--executor", "own,claude"]);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (0, "hello world\n"),
        "{}",
        run.stderr
    );
    // What gives answers goes on with no conversation: it is told all.
    assert!(stage.told(4).contains("<plan>"), "{}", stage.told(4));
}

#[test]
fn who_stands_in_while_a_change_is_mended_is_told_all_and_finds_what_was_made() {
    // Quota ends when the first is asked once more; who stands in needs two rounds.
    let script = "case $n in\n\
        1) echo made > made.txt; echo 'try 1' > greeting.txt ;;\n\
        2) rm made.txt; result success true 'Credit balance is too low' api_error 400; exit 1 ;;\n\
        3) echo 'try 3' > greeting.txt ;;\n\
        *) echo 'hello world' > greeting.txt ;;\n\
        esac\n";
    // With and without what tells one round from the other.
    let loud = "cat greeting.txt; grep -q 'hello world' greeting.txt";
    for (check, is_stopped) in [(loud, false), (CHECK, true)] {
        let stage = Stage::counting(script);
        let mut words = vec!["plan-exec", "spec.md", "--yes", "--check", check];
        words.extend(["--executor", "claude,claude:medium"]);
        if is_stopped {
            words.extend(["--run-calls", "4"]);
        }
        let mut run = stage.run(&words);
        if is_stopped {
            assert_eq!(run.code, 4, "{}", run.stderr);
            run = stage.run(&["runs", "resume", "--", "--run-calls", "9"]);
        }
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(stage.greeting(), "hello world\n");
        assert!(stage.repo.root().join("made.txt").exists());
        let said = |n: usize| {
            let file = stage
                .last_run()
                .join(format!("calls/{n:02}-executor/stderr"));
            String::from_utf8(read(&file)).unwrap()
        };
        // Asked anew it knows nothing; later it goes on with its own conversation.
        for (n, is_told_all, goes_on) in [(3, false, true), (4, true, false), (5, false, true)] {
            let prompt = stage.told(n);
            assert!(prompt.contains("It is in the current folder as you made it."));
            assert_eq!(prompt.contains("<plan>"), is_told_all, "{n}: {prompt}");
            assert_eq!(said(n).contains("--resume "), goes_on, "{n}: {}", said(n));
        }
        assert!(!stage.last_run().join("calls/06-executor").exists());
        let replay = stage.run(&["runs", "replay"]);
        assert_eq!(replay.code, 0, "{}\n{}", replay.stdout, replay.stderr);
    }
}

#[test]
fn who_stands_in_is_told_what_a_reviewer_found() {
    let script = "case $n in\n\
        2) result success true 'Credit balance is too low' api_error 400; exit 1 ;;\n\
        *) echo 'hello world' >> greeting.txt ;;\n\
        esac\n";
    let stage = Stage::counting(script).tell("codex.edit", &reviewer(1));
    let args = ["--executor", "claude,claude:medium", "--reviewer", "codex"];
    let run = stage.plan_exec(&args);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(stage.greeting(), "hello\nhello world\nhello world\n");
    let prompt = stage.told(5);
    for said in ["<plan>", "the greeting lacks a full stop"] {
        assert!(prompt.contains(said), "{said}: {prompt}");
    }
}

#[test]
fn who_stands_in_for_one_who_mends_an_answer_or_a_plan_is_told_all() {
    let script = "case $n in\n\
        2) result success true 'Credit balance is too low' api_error 400; exit 1 ;;\n\
        *) : ;;\n\
        esac\n";
    let stage = Stage::counting(script)
        .tell("claude.answer", "none\n")
        .tell("codex.answer", "1\n");
    let schema = stage.repo.root().join("number.json");
    std::fs::write(schema, "{\"type\":\"integer\"}").unwrap();
    let asked = ["ask", "claude,codex", "How many?", "--schema"];
    let run = stage.run(&[&asked[..], &["number.json"]].concat());
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "1\n"),
        "{}",
        run.stderr
    );
    let told = |n: usize| {
        let file = stage
            .last_run()
            .join(format!("calls/{n:02}-asked/prompt.md"));
        String::from_utf8(read(&file)).unwrap()
    };
    assert!(told(3).contains("How many?") && told(3).contains("<answer>\nnone\n"));
    assert!(!told(2).contains("How many?"), "{}", told(2));
    // A plan that names what is not there.
    let stage = Stage::counting(script)
        .tell("claude.answer", &PLAN.replace("greeting.txt", "greets.txt"))
        .tell("codex.answer", PLAN);
    let run = stage.run(&["plan", "spec.md", "--planner", "claude,codex", "--yes"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let prompt = stage.last_run().join("calls/03-planner/prompt.md");
    let prompt = String::from_utf8(read(&prompt)).unwrap();
    for said in ["Greet the world.", "greets.txt", "What you answered"] {
        assert!(prompt.contains(said), "{said}: {prompt}");
    }
}

#[test]
fn who_takes_less_than_is_asked_is_passed_over() {
    let long = "word ".repeat(20_000);
    let stage = Stage::new()
        .models(&small_model(40_000))
        .tell("gemini.does", "out-of-quota")
        .tell("codex.answer", "Yes.\n")
        .tell("claude.answer", "So.\n");
    let run = stage.run(&["ask", "gemini,codex:small,claude", &long]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "So.\n"),
        "{}",
        run.stderr
    );
    let said = "codex (small) cannot be asked in its place: the prompt has ";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    let journal = stage.journal();
    let is_it = |it: &&serde_json::Value| it["event"]["type"] == "passed_over";
    let passed = journal.iter().find(is_it).unwrap();
    assert_eq!(passed["event"]["class"], "over_window");
    // Where nobody is left, that is said.
    let run = stage.run(&["ask", "gemini,codex:small", &long]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let end = run.stderr.split("error: ").nth(1).unwrap();
    assert!(
        end.contains("out of quota") && end.contains(said) && !end.contains("--budget"),
        "{end}"
    );
}

#[test]
fn a_call_that_goes_on_is_reserved_with_what_was_said() {
    let long = "word ".repeat(3_000);
    let stage = Stage::new().tell("gemini.answer", "Yes.\n");
    assert_eq!(stage.run(&["ask", "gemini", &long]).code, 0);
    let first = stage.reserved()[0];
    let run = stage.last_run();
    let id = run.file_name().unwrap().to_str().unwrap();
    let run = stage.run(&["ask", "gemini", "More?", "--session", id]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        stage.reserved()[0] > first,
        "{first} {:?}",
        stage.reserved()
    );
    // A plan that goes back, and a change that does.
    let stage = Stage::new()
        .tell("gemini.answer", &PLAN.replace("greeting.txt", "greets.txt"))
        .tell("gemini.again", PLAN);
    let run = stage.plan_exec(&[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let reserved = stage.reserved();
    assert!(reserved[1] > reserved[0], "{reserved:?}");
    let stage = Stage::counting(
        "[ $n = 1 ] && echo try > greeting.txt || echo 'hello world' > greeting.txt\n",
    );
    let run = stage.plan_exec(&[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let reserved = stage.reserved();
    assert!(reserved[2] > reserved[1], "{reserved:?}");
}

#[test]
fn what_failed_is_told_before_the_budget_that_it_used_up() {
    let stage = Stage::new().tell("gemini.does", "empty");
    let run = stage.plan_exec(&["--run-calls", "1"]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    let at = |said: &str| run.stderr.find(said).unwrap_or(usize::MAX);
    let first = at("gave no answer: empty");
    assert!(first < at("may make 1 calls"), "{}", run.stderr);
}

#[test]
fn a_caller_is_told_what_to_answer_however_quiet_it_is() {
    let stage = Stage::new();
    let args = [
        "plan-exec",
        "spec.md",
        "--check",
        CHECK,
        "--yes",
        "--planner",
        "caller",
        "-q",
    ];
    let run = stage.run(&args);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let folder = stage.last_run();
    let prompt = folder.join("calls/01-planner/prompt.md");
    let id = folder.file_name().unwrap().to_str().unwrap().to_owned();
    let resume = format!("twostep runs resume {id} --answer FILE");
    let shown = stage.run(&["runs", "show"]).stdout;
    for text in [&run.stderr, &shown] {
        assert!(text.contains(&prompt.display().to_string()), "{text}");
        assert!(text.contains(&resume), "{text}");
    }
    // An answer that is no good can be given again.
    let (bad, good) = (stage.repo.beside("bad.md"), stage.repo.beside("good.md"));
    std::fs::write(&bad, "<<<PLAN\nhalf\n").unwrap();
    std::fs::write(&good, PLAN).unwrap();
    let give = |file: &std::path::Path| {
        let file = file.to_str().unwrap();
        Run::of(stage.command(&["runs", "resume", &id, "--answer", file]))
    };
    let run = give(&bad);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let hint = format!("hint: mend the answer, and go on with `{resume}`");
    assert!(run.stderr.contains(&hint), "{}", run.stderr);
    let run = give(&good);
    assert_eq!(
        (run.code, stage.greeting().as_str()),
        (0, "hello world\n"),
        "{}",
        run.stderr
    );
    let report = String::from_utf8(read(&folder.join("report.md"))).unwrap();
    assert!(report.contains("the change has landed"), "{report}");
}
