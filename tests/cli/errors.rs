//! Bad input: a clear error, exit 2, and nothing written.

use super::Repo;

/// Arguments, what the error must say, and the advice it must end with.
const CASES: &[(&[&str], &str, &str)] = &[
    (
        &["pack", "--threads", "257"],
        "expected a number of threads, from 1 to 256",
        "--help",
    ),
    (
        &["pack", "-o", "x.xml", "--manifest", "./x.xml"],
        "cannot be the same file",
        "hint: give `--manifest` another file",
    ),
    (
        &["pack", "-o", "x.xml", "--manifest", "/dev/full"],
        "cannot write `/dev/full`",
        "hint: free some space",
    ),
    (
        &["pack", "--include", "["],
        "bad glob `[`: a `[` is not closed",
        "hint: globs",
    ),
    (
        &["pack", "--instruction", "@"],
        "`--instruction @` names no file",
        "hint: give it",
    ),
    (
        &["pack", "nowhere"],
        "error: no such file or folder: `nowhere`",
        "hint: check the spelling",
    ),
    (
        &["pack", "README.md/x"],
        "README.md/x`: Not a directory",
        "hint: a part of this path is a file",
    ),
    (
        &["-C", "README.md", "pack"],
        "error: `README.md` is a file, not a repository's folder",
        "hint: give `-C` the folder",
    ),
    (
        &["-C", "nowhere", "pack"],
        "error: no such folder: `nowhere`",
        "hint: give `-C`",
    ),
    (
        &["pack", "/dev/null"],
        "error: `/dev/null` is a device, pipe or socket",
        "hint: name a file or a folder",
    ),
    (
        &["pack", "--include", "*.zig"],
        "there are no files to pack",
        "hint: name files or folders that are not ignored",
    ),
    (
        &["pack", "--budget", "10"],
        "a budget of 10 tokens is too small",
        "hint: use `--budget ",
    ),
    (
        &["pack", "--budget", "10", "-o", "new.xml"],
        "a budget of 10 tokens is too small",
        "hint: use `--budget ",
    ),
    (
        &["pack", "--budget", "many"],
        "expected a number of tokens, such as 50000, 180k or 1M",
        "--help",
    ),
    (
        &["pack", "--budget", "0"],
        "a budget of no tokens holds nothing",
        "--help",
    ),
    (
        &["pack", "--for", "claude-opus-5.5"],
        "error: unknown model `claude-opus-5.5`",
        "hint: did you mean `claude-opus-5-5`?",
    ),
    (
        &["pack", "--include", "{a"],
        "error: bad glob `{a`",
        "hint: globs are those of .gitignore",
    ),
    (
        &["pack", "--json"],
        "the document and the summary cannot go to stdout together",
        "hint: write the document to a file",
    ),
    (
        &["pack", "--manifest", "-"],
        "the document and the manifest cannot go to stdout together",
        "hint: write",
    ),
    (
        &["pack", "-o", "x.xml", "--manifest", "-", "--json"],
        "the manifest and the summary cannot go to stdout together",
        "hint: write",
    ),
    (
        &["pack", "-o", "x.xml", "--manifest", "x.xml"],
        "cannot be the same file",
        "hint: give `--manifest` another file",
    ),
    (
        &["pack", "-o", "src"],
        "cannot write `",
        "hint: this is a folder",
    ),
    (
        &["pack", "-o", "nowhere/x.xml"],
        "its folder does not exist",
        "hint: make the folder first",
    ),
    (
        &["pack", "--instruction", "@nowhere.md"],
        "cannot use the instruction: cannot open `",
        "hint: check the spelling",
    ),
    (&["pack", "-q", "-v"], "cannot be used with", "--help"),
    (&["pack", "-0"], "--stdin", "--help"),
    (
        &["pack", "--threads", "0"],
        "expected a number of threads, from 1 to 256",
        "--help",
    ),
    (
        &["pack", "--colour"],
        "unexpected argument '--colour'",
        "--help",
    ),
    (
        &["pack", "--stdin"],
        "error: stdin names no file",
        "hint: send it paths",
    ),
    (
        &["tokens", "nowhere"],
        "error: no such file or folder: `nowhere`",
        "hint: check the spelling",
    ),
    (
        &["unpack", "nowhere.xml"],
        "cannot open `",
        "hint: check the spelling",
    ),
    (
        &["unpack", "README.md"],
        "cannot unpack `README.md`: this is no pack of twostep",
        "hint: packs are made by",
    ),
    (
        &["models", "nothing"],
        "error: unknown model `nothing`",
        "`twostep models` lists all",
    ),
];

#[track_caller]
fn check(args: &[&str], message: &str, hint: &str) {
    let repo = Repo::new()
        .file("README.md", "# Project\n")
        .file("src/a.rs", "fn a() {}\n");
    let run = repo.run(args);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (2, ""),
        "{args:?}: {}",
        run.stderr
    );
    assert!(run.stderr.contains(message), "{args:?}: {}", run.stderr);
    assert!(run.stderr.contains(hint), "{args:?}: {}", run.stderr);
    let root = repo.root();
    let mut files: Vec<_> = root
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    files.sort();
    assert_eq!(files, ["README.md", "src"], "{args:?}");
}

#[test]
fn each_says_what_is_wrong_and_what_helps() {
    for (args, message, hint) in CASES {
        check(args, message, hint);
    }
}

#[test]
fn an_empty_repository() {
    let repo = Repo::new();
    let run = repo.run(&["pack"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    insta::assert_snapshot!(run.stderr.replace(repo.root().to_str().unwrap(), "[ROOT]"), @r"
    error: cannot pack `[ROOT]`: there are no files to pack

    hint: name files or folders that are not ignored, or widen `--include` and `--exclude`
    ");
}

#[test]
fn git_s_own_files_are_nobody_s() {
    let repo = Repo::new().file("a", "x").git();
    std::os::unix::fs::symlink(".git", repo.root().join("link")).unwrap();
    for path in [".git", ".git/config", "link", "link/config"] {
        let run = repo.run(&["pack", path]);
        assert_eq!(run.code, 2);
        assert!(run.stderr.contains("belongs to git"), "{}", run.stderr);
    }
}

/// Returns the words of the commands of ours that stand in a text, each in a line of its own.
fn commands_in(text: &str) -> Vec<Vec<String>> {
    let commands = text
        .lines()
        .filter_map(|line| line.strip_prefix("twostep "));
    let words = commands.map(|command| {
        let words = command.split(" #").next().unwrap_or_default();
        // Quoted words are one.
        let parts = words.split('\'').enumerate();
        let words = parts.flat_map(|(n, part)| match n % 2 {
            1 => vec![part.to_owned()],
            _ => part.split_whitespace().map(str::to_owned).collect(),
        });
        words.collect()
    });
    words.collect()
}

/// Runs commands, each with one more option, and returns how many there are.
fn run_all(stage: &super::plan_exec::Stage, text: &str, option: &str) -> usize {
    let commands = commands_in(text);
    for command in &commands {
        let mut words: Vec<&str> = command.iter().map(String::as_str).collect();
        words.push(option);
        let run = stage.run(&words);
        assert_eq!(run.code, 0, "{command:?}: {}", run.stderr);
    }
    commands.len()
}

#[test]
fn every_command_of_the_skill_is_one_that_we_take() {
    let stage = super::plan_exec::Stage::new();
    let skill = stage.run(&["skill"]).stdout;
    assert!(skill.starts_with("---\nname: twostep\n"), "{skill}");
    assert!(run_all(&stage, &skill, "--help") > 10, "{skill}");
}

#[test]
fn each_guide_is_printed_and_its_commands_are_ones_that_we_take() {
    let stage = super::plan_exec::Stage::new();
    std::fs::write(stage.repo.root().join("question.md"), "Which?\n").unwrap();
    for (guide, heads, n_commands) in [
        (
            "patterns",
            &["Security first", "Architecture decision", "Rapid iteration"][..],
            4,
        ),
        (
            "synthesis",
            &["Consensus", "Divergence", "Priorities", "Resolution"],
            0,
        ),
        (
            "co-implementation",
            &[
                "What to hand over",
                "What a handoff says",
                "What comes back",
            ],
            0,
        ),
        (
            "prompts",
            &["Plan", "Validate", "Bring together", "Hand over", "Review"],
            0,
        ),
    ] {
        let run = stage.run(&["skill", guide]);
        assert_eq!(run.code, 0, "{guide}: {}", run.stderr);
        for head in heads {
            let head = format!("\n## {head}\n");
            assert!(run.stdout.contains(&head), "{guide}: {head}");
        }
        assert_eq!(
            run_all(&stage, &run.stdout, "--dry-run"),
            n_commands,
            "{guide}"
        );
    }
}
