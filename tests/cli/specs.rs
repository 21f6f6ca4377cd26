//! Ten specs for one small project, from the spec to what lands, and once more from their recordings.

use std::fs;
use std::path::{Path, PathBuf};

use super::plan_exec::Stage;
use super::{Repo, read};

const CHECK: &str = "sh tests/run.sh";

/// Who answers with the next of the files that are its role's: each role works in a folder of its own.
const ACTOR: &str = "cat > /dev/null\ncase $PWD in */planner*) role=plan ;; *) role=answer ;; esac\n\
    n=$(($(cat n 2> /dev/null || echo 0) + 1))\necho $n > n\ncat \"${0%/*}/$role-$n.md\"\n";

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

/// The project, in git, with the spec in `folder` and who plays its plans and answers.
fn stage(specs: &Path, folder: &Path) -> Stage {
    let mut repo = Repo::new();
    let project = specs.join("project");
    for file in files_in(&project) {
        let name = file.strip_prefix(&project).unwrap().to_str().unwrap();
        repo = repo.file(name, read(&file));
    }
    let mut stage = Stage::of(repo.git());
    stage.repo.run_git(&["commit", "-qm", "tally"]);
    for file in files_in(folder) {
        let name = file.file_name().unwrap().to_str().unwrap();
        stage = stage.tell(name, &fs::read_to_string(&file).unwrap());
    }
    stage.own(ACTOR)
}

#[test]
fn ten_specs_come_to_what_they_are_to_and_so_do_their_recordings() {
    let specs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/specs"));
    let folders = specs.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = folders
        .filter(|path| path.join("spec.md").exists())
        .collect();
    folders.sort();
    assert_eq!(folders.len(), 10);
    for folder in folders {
        let stage = stage(specs, &folder);
        let spec = folder.join("spec.md");
        let args = [
            "plan-exec",
            spec.to_str().unwrap(),
            "--check",
            CHECK,
            "--yes",
        ];
        let run = stage.run(&[&args[..], &["--planner", "own", "--executor", "own"]].concat());
        let told = format!("{}: {}", folder.display(), run.stderr);
        let mut expected = Vec::new();
        for line in fs::read_to_string(folder.join("outcome.txt"))
            .unwrap()
            .lines()
        {
            match line.split_once(' ').unwrap() {
                ("exit", code) => assert_eq!(run.code.to_string(), code, "{told}"),
                ("said", words) => assert!(run.stderr.contains(words), "{words}: {told}"),
                _ => expected.push(line.to_owned()),
            }
        }
        // As git sees it, a new file staged so that it shows.
        stage.repo.run_git(&["add", "-A"]);
        let status = stage.repo.run_git(&[
            "diff",
            "--cached",
            "--name-status",
            "--no-renames",
            "--",
            ".",
            ":!AI-PLAN.md",
        ]);
        let found: Vec<String> = status.lines().map(|line| line.replace('\t', " ")).collect();
        assert_eq!(found, expected, "{told}");

        let again = stage.run(&["runs", "replay"]);
        assert_eq!(again.code, 0, "{told}{}{}", again.stdout, again.stderr);
        assert!(
            again.stdout.contains("same     changes.patch"),
            "{told}{}",
            again.stdout
        );
        assert!(!again.stdout.contains("differs"), "{told}{}", again.stdout);
    }
}
