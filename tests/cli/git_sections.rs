//! What changed: which files are packed, and that nothing of the repository runs to find out.

use std::os::unix::fs::PermissionsExt;

use super::{Repo, Run, files_of, put_pipe, read};

/// A repository with two commits, and changes of several kinds.
fn changed() -> Repo {
    let repo = Repo::new()
        .file(".gitignore", "*.log\n")
        .file("same", "x\n")
        .file("src/edited.rs", "fn one() {}\n")
        .file("src/staged.rs", "fn one() {}\n")
        .file("src/gone.rs", "fn one() {}\n")
        .file("Cargo.lock", "lock\n")
        .file("older", "x\n")
        .git();
    repo.run_git(&["commit", "-qm", "one"]);
    let repo = repo.file("older", "y\n");
    repo.run_git(&["commit", "-qam", "two"]);
    let repo = repo
        .file("src/edited.rs", "fn two() {}\n")
        .file("src/staged.rs", "fn two() {}\n")
        .file("Cargo.lock", "other\n")
        .file("new/file.rs", "new\n")
        .file("ignored.log", "x\n");
    repo.run_git(&["add", "src/staged.rs"]);
    std::fs::remove_file(repo.root().join("src/gone.rs")).unwrap();
    repo
}

#[test]
fn only_changed_files_are_packed() {
    let repo = changed();
    for (args, expected) in [
        (
            &["--changed"][..],
            &[
                "Cargo.lock",
                "new/file.rs",
                "src/edited.rs",
                "src/staged.rs",
            ][..],
        ),
        (&["--changed", "src"], &["src/edited.rs", "src/staged.rs"]),
        (&["--changed", "-x", "src,*.lock"], &["new/file.rs"]),
        (&["--changed", "--include", "*.lock"], &["Cargo.lock"]),
        (
            &["--changed", "same", "ignored.log", "src/edited.rs"],
            &["ignored.log", "src/edited.rs"],
        ),
        (
            &["--changed=HEAD~1"],
            &[
                "Cargo.lock",
                "new/file.rs",
                "older",
                "src/edited.rs",
                "src/staged.rs",
            ],
        ),
    ] {
        let document = repo.pack(args);
        let names: Vec<String> = files_of(&document)
            .into_iter()
            .map(|(path, _)| path)
            .collect();
        assert_eq!(names, expected, "{args:?}");
    }
    // A lock is only listed, changed or not.
    let levels = files_of(&repo.pack(&["--changed", "Cargo.lock", "."]));
    assert!(levels.contains(&("Cargo.lock".to_owned(), "full".to_owned())));
    let levels = files_of(&repo.pack(&["--changed"]));
    assert!(levels.contains(&("Cargo.lock".to_owned(), "path".to_owned())));
}

#[test]
fn the_changed_files_are_those_of_git() {
    let repo = changed();
    for revision in ["HEAD", "HEAD~1"] {
        let told = repo.run_git(&[
            "diff",
            "--name-only",
            "--no-renames",
            "--diff-filter=d",
            revision,
        ]);
        let new = repo.run_git(&["ls-files", "-o", "--exclude-standard"]);
        let mut expected: Vec<&str> = told.lines().chain(new.lines()).collect();
        expected.sort_unstable();
        let document = repo.pack(&[&format!("--changed={revision}")]);
        let names: Vec<String> = files_of(&document)
            .into_iter()
            .map(|(path, _)| path)
            .collect();
        assert_eq!(names, expected);
    }
}

#[test]
fn a_difference_shows_a_lock_where_the_pack_does() {
    let repo = changed();
    for (args, is_shown) in [
        (&["--git-diff"][..], false),
        (&["--git-diff", "."], false),
        (&["--git-diff", "--all"], true),
        (&["--git-diff", "Cargo.lock"], true),
        (&["--git-diff", "Cargo.lock", "src"], true),
    ] {
        let document = repo.pack(args);
        let short = "Files a/Cargo.lock and b/Cargo.lock differ (lock): +1 -1 lines\n";
        assert_eq!(document.contains("-lock\n+other\n"), is_shown, "{args:?}");
        assert_eq!(document.contains(short), !is_shown, "{args:?}");
        let level = if is_shown { "full" } else { "path" };
        let lock = ("Cargo.lock".to_owned(), level.to_owned());
        assert!(files_of(&document).contains(&lock), "{args:?}");
    }
}

#[test]
fn what_is_deleted_is_told() {
    let repo = changed();
    for (args, is_told) in [
        (&["pack", "--changed"][..], true),
        (&["pack", "--changed", "src"], true),
        (&["pack", "--changed", "new"], false),
        (&["pack", "--changed", "-x", "gone.rs"], false),
    ] {
        let run = repo.run(args);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let told = run
            .stderr
            .contains("deleted, and so not packed: src/gone.rs\n");
        assert_eq!(told, is_told, "{args:?}: {}", run.stderr);
    }
}

#[test]
fn where_nothing_changed_there_is_nothing_to_pack() {
    let repo = Repo::new().file("a", "x\n").git();
    repo.run_git(&["commit", "-qm", "one"]);
    let plain = Repo::new().file("a", "x\n");
    for (repo, args, error, hint) in [
        (
            &repo,
            &["pack", "--changed"][..],
            "there are no files to pack: none that was selected differs from HEAD",
            "name an older commit with `--changed=REV`, or leave `--changed` out",
        ),
        (
            &repo,
            &["pack", "--changed=missing"],
            "cannot find what changed: `missing` names no commit: nothing has that name",
            "name a commit, branch or tag that `git rev-parse` knows; a shallow clone has few of them",
        ),
        (
            &plain,
            &["pack", "--changed"],
            "it is no git repository",
            "work in a git repository, or leave that option out",
        ),
    ] {
        let run = repo.run(args);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""));
        assert!(run.stderr.contains(error), "{}", run.stderr);
        assert!(run.stderr.contains(hint), "{}", run.stderr);
    }
}

#[test]
fn nothing_of_the_repository_runs_to_find_out_what_changed() {
    let repo = changed();
    let marker = repo.beside("marker");
    let root = repo.root();
    let touch = format!("touch {}", marker.display());
    let repo = repo.file(
        ".gitattributes",
        "* filter=evil diff=evil\n*.rs filter=lfs\n",
    );
    let filter = format!(
        "clean = {touch}; cat\n\tsmudge = {touch}; cat\n\tprocess = {touch}\n\trequired = true\n"
    );
    let config = format!(
        "[core]\n\tfsmonitor = {touch}\n\thooksPath = {hooks}\n\tpager = {touch}\n\tsshCommand = {touch}\n\
         [filter \"evil\"]\n\t{filter}[filter \"lfs\"]\n\t{filter}\
         [diff]\n\texternal = {touch}\n[diff \"evil\"]\n\tcommand = {touch}\n\ttextconv = {touch}\n\
         [extensions]\n\tpartialClone = origin\n[remote \"origin\"]\n\turl = ext::{touch}\n\tpromisor = true\n",
        hooks = root.join("hooks").display(),
    );
    let file = root.join(".git/config");
    let old = String::from_utf8(read(&file)).unwrap();
    std::fs::write(&file, old + &config).unwrap();
    for folder in [root.join("hooks"), root.join(".git/hooks")] {
        std::fs::create_dir_all(&folder).unwrap();
        for hook in ["post-index-change", "fsmonitor-watchman", "pre-commit"] {
            let path = folder.join(hook);
            std::fs::write(&path, format!("#!/bin/sh\n{touch}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    for args in [
        &["--changed"][..],
        &["--changed=HEAD~1"],
        &["--changed", "src"],
    ] {
        repo.pack(args);
        assert!(!marker.exists(), "{args:?}");
    }
    let _ = std::process::Command::new("git")
        .args(["diff"])
        .current_dir(&root)
        .output()
        .unwrap();
    assert!(
        marker.exists(),
        "what is planted does run where git is asked"
    );
}

#[test]
fn no_pipe_among_gits_files_holds_the_sections_up() {
    for file in [
        "HEAD",
        "commondir",
        "config",
        "index",
        "info/attributes",
        "logs/HEAD",
        "objects/info/alternates",
        "objects/info/commit-graph",
        "objects/pack/pack-x.idx",
        "packed-refs",
        "refs/heads/pipe",
        "shallow",
        "sharedindex.0000000000000000000000000000000000000000",
    ] {
        let repo = changed();
        put_pipe(&repo.root().join(".git"), file);
        for args in [
            &["--changed"][..],
            &["--changed=HEAD~1"],
            &["--git-diff"],
            &["--git-log", "1"],
        ] {
            let run = Run::in_time(&repo.command(&[&["pack", "-q"], args].concat()));
            assert_eq!(
                (run.code, run.stdout.as_str()),
                (2, ""),
                "{file} {args:?}: {}",
                run.stderr
            );
            let told = ["it is not a regular file", "it is no git repository"];
            assert!(
                told.iter().any(|told| run.stderr.contains(told)),
                "{file} {args:?}: {}",
                run.stderr
            );
        }
    }
}

#[test]
fn a_commit_that_is_named_like_a_file_is_explained() {
    let repo = Repo::new().file("a.txt", "a\n").git();
    for (words, said) in [
        (["pack", "--git-diff", "HEAD"], "`--git-diff=HEAD`"),
        (["pack", "--changed", "main"], "`--changed=main`"),
        (["pack", "--git-log", "x"], "expected a number of commits"),
    ] {
        let run = repo.run(&words);
        assert_eq!(run.code, 2, "{words:?}");
        assert!(run.stderr.contains(said), "{words:?}: {}", run.stderr);
    }
}
