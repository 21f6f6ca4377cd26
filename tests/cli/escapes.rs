//! Ways out of a repository, into git, and into what makes programs run: each by a plan, by edits and by an executor's tools.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::plan_exec::{PLAN, Stage};
use super::{Repo, read};

/// A path that no edit may write to, with what is said of it; `OUTSIDE` stands for a folder beside the repository.
const ESCAPES: &[(&str, &str)] = &[
    // Above the root.
    ("../elsewhere/evil.txt", "`.` or `..` component"),
    ("..", "`.` or `..` component"),
    ("src/../../elsewhere/evil.txt", "`.` or `..` component"),
    (
        "src/../../../../../../../../tmp/evil.txt",
        "`.` or `..` component",
    ),
    ("src/..", "`.` or `..` component"),
    ("src/./../../elsewhere/evil.txt", "`.` or `..` component"),
    // Absolute, or of a system of its own.
    ("OUTSIDE/evil.txt", "it is absolute"),
    ("//OUTSIDE/evil.txt", "it is absolute"),
    ("/etc/cron.d/evil", "it is absolute"),
    ("~/evil.txt", "not relative to the repository"),
    ("~root/evil.txt", "not relative to the repository"),
    ("C:/evil.txt", "not relative to the repository"),
    ("c:evil.txt", "not relative to the repository"),
    ("C:\\evil.txt", "backslash"),
    ("\\\\server\\share\\evil.txt", "backslash"),
    ("..\\elsewhere\\evil.txt", "backslash"),
    ("src\\evil.txt", "backslash"),
    // Through links.
    ("out/evil.txt", "`out` is no folder"),
    ("out/file.txt", "`out` is no folder"),
    ("link.txt", "it is a link"),
    ("dangling.txt", "it is a link"),
    ("deep/up/evil.txt", "`deep/up` is no folder"),
    ("deep/up/elsewhere/evil.txt", "`deep/up` is no folder"),
    ("round/evil.txt", "`round` is no folder"),
    // Git's own, in every spelling.
    (".git", "it belongs to git"),
    (".git/config", "it belongs to git"),
    (".git/hooks/pre-commit", "it belongs to git"),
    (".GIT/hooks/pre-commit", "it belongs to git"),
    (".Git/info/attributes", "it belongs to git"),
    (".git./config", "it belongs to git"),
    (".git /config", "it belongs to git"),
    (".git. ./config", "it belongs to git"),
    (".git::$INDEX_ALLOCATION/config", "it belongs to git"),
    ("git~1/config", "it belongs to git"),
    ("GIT~1/hooks/pre-commit", "it belongs to git"),
    (".g\u{200c}it/config", "it belongs to git"),
    (".gi\u{feff}t/config", "it belongs to git"),
    ("src/.git/config", "it belongs to git"),
    // Characters that no name has.
    ("src/a\0b.txt", "NUL"),
    ("src/a\u{1b}[2Jb.txt", "control character"),
    ("src/a\rb.txt", "control character"),
    // Empty parts.
    ("src//evil.txt", "empty component"),
    ("src/", "empty component"),
];

/// Whole answers that lead out otherwise than by the path of a new file, with what is said of each.
const ANSWERS: &[(&str, &str)] = &[
    (
        "*** Begin Patch\n*** Update File: greeting.txt\n*** Move to: ../elsewhere/evil.txt\n*** End Patch\n",
        "`.` or `..` component",
    ),
    (
        "*** Begin Patch\n*** Update File: greeting.txt\n*** Move to: .git/hooks/pre-commit\n*** End Patch\n",
        "it belongs to git",
    ),
    (
        "*** Begin Patch\n*** Delete File: ../elsewhere/file.txt\n*** End Patch\n",
        "`.` or `..` component",
    ),
    (
        "diff --git a/evil b/evil\nnew file mode 120000\n--- /dev/null\n+++ b/evil\n@@ -0,0 +1 @@\n+../elsewhere\n",
        "a mode other than 100644 and 100755",
    ),
    (
        "--- /dev/null\n+++ \"b/../elsewhere/e\\nvil.txt\"\n@@ -0,0 +1 @@\n+evil\n",
        "`.` or `..` component",
    ),
    (
        "--- /dev/null\n+++ \"b/src/e\\nvil.txt\"\n@@ -0,0 +1 @@\n+evil\n",
        "control character",
    ),
];

/// A repository with links that lead out of it; what surrounds it must stay as it is.
struct Place {
    stage: Stage,
}

impl Place {
    fn new() -> Self {
        let repo = Repo::new()
            .file("greeting.txt", "hello\n")
            .file("test.sh", "grep -q 'hello world' greeting.txt\n")
            .file("src/a.txt", "a\n")
            .file("deep/b.txt", "b\n")
            .file("spec.md", "Greet the world.\n");
        let (root, outside) = (repo.root(), repo.beside("elsewhere"));
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("file.txt"), "secret of theirs\n").unwrap();
        for (target, name) in [
            ("../elsewhere", "out"),
            ("../elsewhere/file.txt", "link.txt"),
            ("../elsewhere/new.txt", "dangling.txt"),
            ("../..", "deep/up"),
            (".", "round"),
        ] {
            symlink(target, root.join(name)).unwrap();
        }
        Self {
            stage: Stage::of(repo.git()),
        }
    }

    fn outside(&self) -> PathBuf {
        self.stage.repo.beside("elsewhere")
    }

    fn written(&self, path: &str) -> String {
        path.replace("OUTSIDE", self.outside().to_str().unwrap())
    }

    /// Everything beside the repository but the programs, the home and the caches of the test.
    fn surroundings(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.stage.repo.beside("")];
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir().unwrap() {
                let path = entry.unwrap().path();
                if ["repo", "home", "bin"]
                    .map(|name| self.stage.repo.beside(name))
                    .contains(&path)
                {
                    continue;
                }
                if path.is_dir() {
                    found.insert(path.clone(), Vec::new());
                    folders.push(path);
                } else {
                    found.insert(path.clone(), read(&path));
                }
            }
        }
        found
    }

    /// Answers that each add a file, or are what they are.
    fn answers(&self) -> Vec<(String, &'static str)> {
        let added = ESCAPES.iter().map(|(path, said)| {
            let path = self.written(path);
            (
                format!("*** Begin Patch\n*** Add File: {path}\n+evil\n*** End Patch\n"),
                *said,
            )
        });
        let whole = ANSWERS
            .iter()
            .map(|(answer, said)| ((*answer).to_owned(), *said));
        added.chain(whole).collect()
    }
}

/// How often an executor is asked whose edits do not fit.
const N_ASKED: usize = 3;

#[test]
fn no_edit_writes_a_byte_outside_of_the_files() {
    let place = Place::new();
    let bin = place.stage.repo.beside("bin");
    // It gives the next answer each time.
    let script = format!(
        "cat > /dev/null; n=$(cat n 2> /dev/null || echo 0); echo $((n + 1)) > n; cat '{}'/answer-$n\n",
        bin.display()
    );
    let stage = place.stage.own(&script);
    let place = Place { stage };
    std::fs::write(place.stage.repo.root().join("AI-PLAN.md"), PLAN).unwrap();
    let (before, surroundings) = (place.stage.state(), place.surroundings());
    for answers in place.answers().chunks(N_ASKED) {
        for (n, (answer, _)) in answers.iter().enumerate() {
            std::fs::write(bin.join(format!("answer-{n}")), answer).unwrap();
        }
        let run = place.stage.run(&["exec", "--executor", "own", "--yes"]);
        assert_eq!(run.code, 1, "{}", run.stderr);
        let wrong = run.stderr.lines().filter(|line| {
            line.contains("the edits cannot be made: ") || line.contains("an edit was rejected")
        });
        let wrong: Vec<&str> = wrong.collect();
        for ((answer, said), wrong) in answers.iter().zip(&wrong) {
            assert!(wrong.contains(said), "{answer}: {said}: {wrong}");
        }
        assert!(wrong.len() >= answers.len(), "{}", run.stderr);
        assert_eq!(place.stage.state(), before, "{answers:?}");
        assert_eq!(place.surroundings(), surroundings, "{answers:?}");
    }
}

#[test]
fn no_reference_of_a_plan_leads_outside() {
    let place = Place::new();
    let mut plan = PLAN.replace("END OF PLAN\n", "");
    // What holds controls is no text, and such a plan is none.
    let paths = ESCAPES.iter().map(|(path, _)| path);
    for path in paths.filter(|path| !path.contains(char::is_control)) {
        let _ = writeln!(plan, "- change `{}`", place.written(path));
    }
    let root = place.stage.repo.root();
    std::fs::write(root.join("AI-PLAN.md"), &plan).unwrap();
    let run = place.stage.run(&["references", "--json"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let references = run.json();
    let references = references.as_array().unwrap();
    assert!(references.len() >= 15, "{references:?}");
    for reference in references {
        let (written, status) = (&reference["written"], reference["status"].as_str().unwrap());
        for path in reference["paths"].as_array().unwrap() {
            let path = path.as_str().unwrap();
            assert!(
                !path.starts_with(['/', '~']) && !path.contains(".."),
                "{written}: {path}"
            );
            assert!(!path.to_lowercase().contains(".git"), "{written}: {path}");
        }
        let leads = status == "missing"
            || root
                .join(written.as_str().unwrap())
                .symlink_metadata()
                .is_ok();
        assert!(leads, "{reference}");
    }
    let links = PLAN.replace(
        "END OF PLAN\n",
        "- change `link.txt`, `dangling.txt` and `out`\n",
    );
    std::fs::write(root.join("AI-PLAN.md"), links).unwrap();
    let pack = place
        .stage
        .run(&["pack", "--plan", "AI-PLAN.md", "-o", "-"]);
    assert!(!pack.stdout.contains("secret of theirs"), "{}", pack.stdout);
}

/// What an executor's tools leave in the scratch, by a script, with the path that is refused.
const LEFT: &[(&str, &str)] = &[
    (
        "mkdir -p sub/.GIT && echo evil > sub/.GIT/config",
        "sub/.GIT/config",
    ),
    (
        "mkdir -p 'a/.git.' && echo evil > 'a/.git./config'",
        "a/.git./config",
    ),
    (
        "mkdir -p 'b/.git ' && echo evil > 'b/.git /config'",
        "b/.git /config",
    ),
    (
        "mkdir -p 'git~1' && echo evil > 'git~1/config'",
        "git~1/config",
    ),
    (
        "mkdir -p 'c/GIT~1/hooks' && echo evil > 'c/GIT~1/hooks/pre-commit'",
        "c/GIT~1/hooks/pre-commit",
    ),
    (
        "mkdir -p \"$(printf 'd/.g\\342\\200\\214it')\" && echo evil > \"$(printf 'd/.g\\342\\200\\214it/config')\"",
        "it/config",
    ),
    (
        "mkdir -p .twostep/runs && echo evil > .twostep/runs/x",
        ".twostep/runs/x",
    ),
    ("ln -s /etc/passwd absolute", "absolute"),
    ("ln -s ../../elsewhere up", "up"),
    (
        "ln -s a/../../../elsewhere src/round-about",
        "src/round-about",
    ),
    ("rm -r src && ln -s ../elsewhere src", "src"),
    ("git init -q nested", "nested"),
    ("mkfifo pipe", "pipe"),
];

#[test]
fn nothing_that_tools_leave_lands_outside_of_the_files() {
    for (script, path) in LEFT {
        let place = Place::new();
        let script = format!("echo 'hello world' > greeting.txt\n{script}\n");
        let place = Place {
            stage: place.stage.tell("claude.edit", &script),
        };
        let (before, surroundings) = (place.stage.state(), place.surroundings());
        let run = place.stage.plan_exec(&["--accept-sensitive"]);
        assert_eq!(run.code, 1, "{script}: {}", run.stderr);
        assert!(run.stderr.contains(path), "{script}: {}", run.stderr);
        assert_eq!(place.stage.state(), before, "{script}");
        assert_eq!(place.surroundings(), surroundings, "{script}");
    }
}

#[test]
fn tools_write_nothing_outside_of_their_folder() {
    let place = Place::new();
    let outside = place.outside();
    let outside = outside.display();
    let script = format!(
        "echo 'hello world' > greeting.txt
        for to in {outside}/evil.txt {outside}/file.txt out/evil.txt link.txt dangling.txt deep/up/evil.txt ../../../../evil.txt \"$HOME/evil.txt\"; do
          (echo evil > \"$to\") 2> /dev/null
        done
        ln {outside}/file.txt hard.txt 2> /dev/null && echo evil > hard.txt
        ln -s {outside} way && (echo evil > way/evil.txt) 2> /dev/null; rm -f way hard.txt; true\n"
    );
    let place = Place {
        stage: place.stage.tell("claude.edit", &script),
    };
    let surroundings = place.surroundings();
    let run = place.stage.plan_exec(&[]);
    if run.stderr.contains("not confined") {
        // A system without Landlock: it is said.
        return;
    }
    assert_eq!(place.surroundings(), surroundings);
    assert!(!place.stage.repo.beside("home/evil.txt").exists());
}

#[test]
fn a_hard_link_and_a_folder_that_is_swapped_meanwhile_let_nothing_out() {
    // The file has a second name outside: that keeps its bytes.
    let place = Place::new();
    let root = place.stage.repo.root();
    let twin = place.outside().join("twin.txt");
    std::fs::hard_link(root.join("greeting.txt"), &twin).unwrap();
    let run = place.stage.plan_exec(&[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(
        (place.stage.greeting().as_str(), read(&twin)),
        ("hello world\n", b"hello\n".to_vec())
    );

    // A folder becomes a link to the outside between the snapshot and the landing.
    let place = Place::new();
    let (root, outside) = (place.stage.repo.root(), place.outside());
    std::fs::write(outside.join("a.txt"), "theirs\n").unwrap();
    let swap = format!(
        "grep -q 'hello world' greeting.txt && cd '{}' && mv src aside && ln -s ../elsewhere src",
        root.display()
    );
    let place = Place {
        stage: place.stage.tell(
            "claude.edit",
            "echo 'hello world' > greeting.txt; echo evil > src/a.txt; echo evil > src/evil.txt\n",
        ),
    };
    let surroundings = place.surroundings();
    let run = place
        .stage
        .run(&["plan-exec", "spec.md", "--yes", "--check", &swap]);
    assert_eq!(
        (run.code, place.stage.greeting().as_str()),
        (1, "hello\n"),
        "{}",
        run.stderr
    );
    assert_eq!(place.surroundings(), surroundings);
    assert_eq!(read(&root.join("aside/a.txt")), b"a\n");
}

#[test]
fn a_name_in_another_case_is_another_file_or_the_same_but_never_lost() {
    let place = Place::new();
    let place = Place {
        stage: place.stage.tell(
            "claude.edit",
            "echo 'hello world' > greeting.txt; echo twin > Greeting.TXT\n",
        ),
    };
    let run = place.stage.plan_exec(&[]);
    let root = place.stage.repo.root();
    let is_one = Path::new(&root.join("GREETING.txt")).exists();
    let expected: &str = if run.code == 0 && is_one {
        "twin\n"
    } else {
        "hello world\n"
    };
    assert_eq!(place.stage.greeting(), expected, "{}", run.stderr);
    assert_eq!(place.stage.run(&["undo"]).code, 0);
    assert_eq!(place.stage.greeting(), "hello\n");
}

/// Files that make programs run, or hold secrets: made by an executor, none lands unless somebody agreed.
const SENSITIVE: &[&str] = &[
    ".env",
    "config/.env.production",
    "keys/id_rsa",
    "server.pem",
    ".npmrc",
    ".github/workflows/x.yml",
    ".gitlab-ci.yml",
    "Jenkinsfile",
    ".vscode/tasks.json",
    ".envrc",
    "package.json",
    "lib/Makefile",
    ".pre-commit-config.yaml",
    ".husky/pre-push",
    ".gitattributes",
    ".claude/settings.json",
    "AGENTS.md",
    "build.rs",
    ".cargo/config.toml",
    "setup.py",
];

#[test]
fn every_sensitive_file_is_asked_for() {
    let made = SENSITIVE
        .iter()
        .map(|path| format!("mkdir -p \"$(dirname {path})\"; echo x > {path}\n"));
    let script = format!(
        "echo 'hello world' > greeting.txt\n{}",
        made.collect::<String>()
    );
    let stage = Stage::new().tell("claude.edit", &script);
    let hooks = stage.repo.root().join(".git/hooks/pre-commit");
    std::fs::create_dir_all(hooks.parent().unwrap()).unwrap();
    std::fs::write(&hooks, "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(&hooks, std::fs::Permissions::from_mode(0o755)).unwrap();
    let before = stage.state();
    let run = stage.plan_exec(&[]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    for path in SENSITIVE {
        let told = format!("consent   `{path}`: ");
        assert!(run.stderr.contains(&told), "{path}: {}", run.stderr);
    }
    assert_eq!(stage.state(), before);
}
