//! What the checks see beside a change: only what was there before it.

use super::Repo;
use super::plan_exec::{EDIT, Stage};

/// A fact; a check, what the executor does beside its change, and what is said if that does not land.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
);

const FAILED: Option<&str> = Some("1 of 1 checks failed");

const CASES: &[Case] = &[
    (
        "an ignored file that the executor left does not land, so no check has it",
        "test -e build/flag",
        "mkdir -p build; touch build/flag",
        FAILED,
    ),
    (
        "one that its own rules ignore does not, either",
        "test -e hidden",
        "echo hidden >> .gitignore; touch hidden",
        FAILED,
    ),
    (
        "a carried folder is as the user has it",
        "sh modules/run",
        "echo exit 0 > modules/run",
        FAILED,
    ),
    (
        "as well where something is gone from it",
        "! test -e modules/run",
        "rm modules/run",
        FAILED,
    ),
    (
        "what the checks made before the change is there still",
        "test -e build/made || { mkdir -p build; touch build/made; exit 1; }",
        "true",
        None,
    ),
    (
        "an executor that runs the checks leaves nothing behind",
        "mkdir -p build; date +%N >> build/log; test $(wc -l < build/log) -le 2",
        "sh -c 'mkdir -p build; date +%N >> build/log'; touch build/more",
        None,
    ),
    (
        "a check that changes other files than those of the change is refused",
        "cp greeting.txt expected.txt; cmp greeting.txt expected.txt",
        "true",
        Some(
            "the checks changed files, so that what they checked is not what would land: `expected.txt`",
        ),
    ),
    (
        "unless it does the same without the change",
        "echo stamp > expected.txt",
        "true",
        None,
    ),
];

#[test]
fn what_lands_is_what_was_checked() {
    for (fact, check, more, said) in CASES {
        let repo = Repo::new()
            .file("greeting.txt", "hello\n")
            .file("expected.txt", "hello\n")
            .file("spec.md", "Greet the world.\n")
            .file(".gitignore", "build\nmodules\n")
            .git()
            .file("modules/run", "exit 1\n");
        let stage = Stage::of(repo).tell("claude.edit", &format!("{EDIT}{more}\n"));
        let words = [
            "plan-exec",
            "spec.md",
            "--yes",
            "--carry",
            "modules",
            "--accept-sensitive",
        ];
        let more = ["--check", check, "--check-rounds", "0"];
        let run = stage.run(&[&words[..], &more].concat());
        let expected = if said.is_some() {
            (1, "hello\n")
        } else {
            (0, "hello world\n")
        };
        let got = (run.code, stage.greeting());
        assert_eq!((got.0, got.1.as_str()), expected, "{fact}: {}", run.stderr);
        if let Some(said) = said {
            assert!(run.stderr.contains(said), "{fact}: {}", run.stderr);
        }
        let kept = std::fs::read_to_string(stage.repo.root().join("expected.txt"));
        assert_eq!(kept.unwrap(), "hello\n", "{fact}");
    }
}

#[test]
fn what_stands_beside_what_checks_make_is_of_the_change() {
    let check = "mkdir -p gen/cache; echo x > gen/cache/a.bin; date > out-$$.txt; grep -q world greeting.txt";
    let script = "mkdir -p gen/cache; touch gen/__init__.py gen/cache/b.bin\n\
        if [ -e tried ]; then echo 'hello world' > greeting.txt; fi; touch tried\n";
    let stage = Stage::new().tell("claude.edit", script);
    let run = stage.run(&["plan-exec", "spec.md", "--yes", "--check", check]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let root = stage.repo.root();
    assert!(root.join("gen/__init__.py").exists() && !root.join("gen/cache").exists());
    let told = "left out of the change, for the checks make such files: `gen/cache/b.bin`";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    // What the checks left in the first round is not of the second.
    let names = root
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let left = names.filter(|name| name.to_string_lossy().starts_with("out-"));
    assert_eq!(left.count(), 0);
}

#[test]
fn a_lock_file_that_the_checks_write_for_a_changed_manifest_lands_with_it() {
    let files = || {
        Stage::of(
            Repo::new()
                .file("Cargo.toml", "[package]\n")
                .file("Cargo.lock", "old\n")
                .file(
                    "plan.md",
                    "# Plan\n\n## Step 1: Depend\n\nFiles:\n- change `Cargo.toml`\n\nAdd it.\n",
                )
                .git(),
        )
    };
    for (script, code, lock) in [
        (
            "! grep -q dep Cargo.toml || echo dep > Cargo.lock",
            0,
            "dep\n",
        ),
        // One that is another each time is nothing that could land.
        (
            "! grep -q dep Cargo.toml || echo dep >> Cargo.lock",
            1,
            "old\n",
        ),
        // Nor is a file that no manifest speaks for.
        ("! grep -q dep Cargo.toml || echo dep > plan.md", 1, "old\n"),
    ] {
        let stage = files().tell("claude.edit", "echo 'dep = 1' >> Cargo.toml\n");
        std::fs::write(stage.repo.root().join("test.sh"), script).unwrap();
        let run = stage.run(&["exec", "plan.md", "--check", "sh test.sh", "--yes"]);
        assert_eq!(run.code, code, "{script}: {}", run.stderr);
        let now = super::read(&stage.repo.root().join("Cargo.lock"));
        assert_eq!(
            String::from_utf8(now).unwrap(),
            lock,
            "{script}: {}",
            run.stderr
        );
    }
}
