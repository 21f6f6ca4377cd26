//! The demonstration: a real project, a real check, and a recording in the place of the models.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Repo, Run, read};

const CHECK: &str = "cargo test --offline";

/// A copy of the demonstration, in git.
struct Demo {
    repo: Repo,
}

impl Demo {
    fn new() -> Self {
        let mut repo = Repo::new();
        let demo = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/demo"));
        for file in files_in(&demo.join("project")) {
            let name = file
                .strip_prefix(demo.join("project"))
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            repo = repo.file(&name, read(&file));
        }
        for file in files_in(&demo.join("recording")) {
            let place = repo
                .beside("recording")
                .join(file.strip_prefix(demo.join("recording")).unwrap());
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::write(place, read(&file)).unwrap();
        }
        Self { repo: repo.git() }
    }

    /// Changes a file of the recording.
    fn damage(&self, name: &str, from: &str, to: &str) {
        let path = self.repo.beside("recording").join(name);
        let text = String::from_utf8(read(&path)).unwrap();
        assert!(text.contains(from), "{name} has no {from}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }

    fn run(&self, path_first: &str) -> Run {
        let cargo = PathBuf::from(env!("CARGO"));
        let tools = cargo.parent().unwrap().display();
        let mut command: Command = self.repo.command(&[
            "plan-exec",
            "spec.md",
            "--planner",
            "recorded:../recording",
            "--executor",
            "recorded:../recording",
            "--check",
            CHECK,
            "--yes",
        ]);
        command.env(
            "PATH",
            format!("{path_first}{tools}:/usr/local/bin:/usr/bin:/bin"),
        );
        Run::of(command)
    }

    fn is_changed(&self) -> bool {
        let text = String::from_utf8(read(&self.repo.root().join("src/lib.rs"))).unwrap();
        text.contains("is_alphanumeric")
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_in(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
fn the_demonstration_edits_checks_and_lands() {
    let demo = Demo::new();
    let run = demo.run("");
    assert_eq!((run.code, demo.is_changed()), (0, true), "{}", run.stderr);
    for said in [
        "before: `cargo test --offline` exit 101",
        "after: `cargo test --offline` passed",
        "landed    2 files",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
}

#[test]
fn a_damaged_demonstration_lands_nothing() {
    for (name, from, to, code, said) in [
        (
            "01-planner/reply.md",
            "`src/lib.rs`",
            "`src/slug.rs`",
            1,
            "`src/slug.rs`",
        ),
        (
            "02-executor/changes.patch",
            " pub fn slug",
            " pub fn slugs",
            1,
            "src/lib.rs",
        ),
        (
            "02-executor/changes.patch",
            "is_empty",
            "is_ascii",
            1,
            "1 of 1 checks failed",
        ),
        (
            "01-planner/call.json",
            "blake3:",
            "blake3:0",
            3,
            "answers another prompt",
        ),
    ] {
        let demo = Demo::new();
        demo.damage(name, from, to);
        let run = demo.run("");
        assert_eq!(
            (run.code, demo.is_changed()),
            (code, false),
            "{name}: {}",
            run.stderr
        );
        assert!(run.stderr.contains(said), "{name}: {}", run.stderr);
    }
}

#[test]
fn a_check_that_is_made_to_fail_stops_the_demonstration() {
    use std::os::unix::fs::PermissionsExt;
    let demo = Demo::new();
    let bin = demo.repo.beside("bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::write(bin.join("cargo"), "#!/bin/sh\nexit 1\n").unwrap();
    std::fs::set_permissions(bin.join("cargo"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = demo.run(&format!("{}:", bin.display()));
    assert_eq!((run.code, demo.is_changed()), (1, false), "{}", run.stderr);
}
