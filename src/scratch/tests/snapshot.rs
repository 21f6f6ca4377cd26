//! What a scratch holds, and what git says of it.

use super::*;
use crate::scratch::{Snapshot, State};

/// Every odd kind of file, some staged, some edited after that, some never told to git.
fn odd_tree() -> Place {
    let place = Place::with_commit()
        .file(".gitignore", "*.log\n")
        .file("ignored.log", "ignored")
        .file("tracked.log", "tracked, but ignored")
        .file("empty", "")
        .file("binary", b"\0\x01\xff")
        .file(b"caf\xe9 \"quoted\"\n", "non-UTF-8 name")
        .file("crlf.txt", "one\r\ntwo\r\n")
        .file("run.sh", "#!/bin/sh\n")
        .file(
            ".gitattributes",
            "*.txt text eol=lf filter=x working-tree-encoding=UTF-16\n",
        )
        .file(".twostep/runs/1/spec.md", "ours");
    set_mode(place.root().join("run.sh"), 0o755);
    symlink("a.txt", place.root().join("link")).unwrap();
    symlink("/nonexistent/far", place.root().join("dangling")).unwrap();
    place.git(&["-c", "filter.x.clean=cat", "add", "empty", "binary", "link"]);
    place.git(&["add", "-f", "tracked.log"]);
    place
        .file("a.txt", "edited\n")
        .file("src/main.rs", "staged\n")
        .file("binary", b"\0 edited after it was staged")
}

#[test]
fn the_scratch_is_a_clean_repository_with_the_users_files_and_history() {
    let place = odd_tree();
    let before = everything(&place.root());
    let scratch = place.scratch();
    assert_eq!(
        everything(&place.root()),
        before,
        "the user's tree was touched"
    );
    let mut expected = files(&place.root());
    expected.retain(|name, _| name != b"ignored.log" && !name.starts_with(b".twostep"));
    assert_eq!(files(&scratch.folder), expected);
    assert_eq!(scratch.snapshot.problems, []);
    let at = &scratch.folder;
    assert_eq!(git(at, &["status", "--porcelain", "--ignored"]), "");
    assert_eq!(
        git(at, &["log", "--format=%s %an %at", "main"])
            .lines()
            .next(),
        Some("snapshot twostep 1700000000")
    );
    assert_eq!(git(at, &["log", "--format=%s"]), "snapshot\nfirst\n");
    assert_eq!(git(at, &["fsck", "--strict", "--no-dangling"]), "");
    assert_eq!(
        git(at, &["rev-parse", "HEAD"]).trim(),
        scratch.snapshot.made
    );
    assert_eq!(
        scratch.snapshot.commit.as_deref(),
        Some(place.git(&["rev-parse", "HEAD"]).trim())
    );
    // Whatever git does there, it moves bytes as they are.
    let modified = |root: &Path| root.join("a.txt").metadata().unwrap().modified().unwrap();
    assert_eq!(modified(at), modified(&place.root()));
    std::fs::write(at.join("crlf.txt"), "one\r\ntwo\r\n").unwrap();
    assert_eq!(git(at, &["status", "--porcelain"]), "");
    std::fs::write(at.join("crlf.txt"), "other").unwrap();
    git(at, &["checkout", "-q", "--", "crlf.txt"]);
    git(at, &["rm", "-q", "--cached", "-r", "."]);
    git(at, &["reset", "-q", "--hard"]);
    assert_eq!(files(at), expected);
}

#[test]
fn only_what_the_user_has_not_committed_is_written_to_the_store() {
    let place = Place::with_commit();
    // The tree is that of the user's commit, so the new commit is the only object.
    let scratch = place.scratch();
    let folders = store(&scratch.folder).read_dir().unwrap();
    let names = folders.map(|entry| entry.unwrap().file_name());
    let n_objects = names.filter(|name| name.len() == 2).count();
    assert_eq!(n_objects, 1);
}

#[test]
fn nothing_that_a_repository_configures_runs() {
    let place = Place::with_commit();
    let marker = place.beside("marker");
    let touch = format!("touch {}", marker.display());
    for hook in [
        "pre-commit",
        "post-checkout",
        "post-index-change",
        "reference-transaction",
    ] {
        let hook = format!(".git/hooks/{hook}");
        write(&place.root(), &hook, format!("#!/bin/sh\n{touch}\n"));
        set_mode(place.root().join(hook), 0o755);
    }
    place.git(&["config", "filter.x.clean", &touch]);
    place.git(&["config", "filter.x.smudge", &touch]);
    place.git(&["config", "filter.x.required", "true"]);
    write(
        &place.root(),
        ".git/more",
        format!("[core]\n\tfsmonitor = {touch}\n\tpager = {touch}\n"),
    );
    place.git(&["config", "core.fsmonitor", &touch]);
    place.git(&["config", "include.path", "more"]);
    let place = place
        .file(".gitattributes", "* filter=x\n")
        .file("new.txt", "new");
    let _ = std::fs::remove_file(&marker);
    let scratch = place.scratch();
    std::fs::write(scratch.folder.join("a.txt"), "changed").unwrap();
    let changes = place.changes(&scratch);
    let held = place.beside("held");
    let repository = place.open();
    let landing = crate::scratch::prepare(&repository.root, &changes, &held).unwrap();
    crate::scratch::land(&repository.root, &landing, &held).unwrap();
    crate::scratch::undo(&repository.root, &landing, &held).unwrap();
    scratch.restore(&repository, THREADS).unwrap();
    // Nor does git run any of it in the scratch.
    git(&scratch.folder, &["status"]);
    git(
        &scratch.folder,
        &["commit", "-q", "--allow-empty", "-m", "x"],
    );
    assert!(!marker.exists());
}

#[test]
fn a_repository_without_commits_and_a_folder_without_git_have_scratches_too() {
    for is_git in [true, false] {
        let place = Place::new()
            .file("a", "text")
            .file("b/c", "more")
            .file(".gitignore", "*.o\n")
            .file("x.o", "");
        if is_git {
            place.git(&["init", "-q"]);
        }
        let scratch = place.scratch();
        assert_eq!(scratch.snapshot.commit, None);
        assert_eq!(scratch.snapshot.files.len(), 3);
        assert_eq!(git(&scratch.folder, &["status", "--porcelain"]), "");
        assert_eq!(git(&scratch.folder, &["log", "--format=%s"]), "snapshot\n");
        git(&scratch.folder, &["fsck", "--strict"]);
    }
}

#[test]
fn borrowed_shallow_and_sha256_repositories_lend_their_history() {
    let place = Place::with_commit();
    place.git(&["commit", "-q", "--allow-empty", "-m", "second"]);
    let origin = format!("file://{}", place.root().display());
    for (args, history) in [
        (
            &["clone", "-q", "--shared"][..],
            "snapshot\nsecond\nfirst\n",
        ),
        (&["clone", "-q", "--depth", "1"], "snapshot\nsecond\n"),
        (
            &["worktree", "add", "-q", "--detach"],
            "snapshot\nsecond\nfirst\n",
        ),
    ] {
        let other = Place::new();
        let root = other.root();
        let from = if args.contains(&"--shared") {
            place.root().display().to_string()
        } else {
            origin.clone()
        };
        let to = root.display().to_string();
        if args[0] == "worktree" {
            place.git(&[args, &[&to]].concat());
        } else {
            place.git(&[args, &[&from, &to]].concat());
        }
        let scratch = other.scratch();
        assert_eq!(git(&scratch.folder, &["log", "--format=%s"]), history);
        assert_eq!(git(&scratch.folder, &["status", "--porcelain"]), "");
        git(&scratch.folder, &["fsck", "--strict"]);
    }
    let place = Place::new().file("a", "text");
    place.git(&["init", "-q", "--object-format=sha256"]);
    place.git(&["add", "-A"]);
    place.git(&["commit", "-q", "-m", "first"]);
    let place = place.file("b", "more");
    let scratch = place.scratch();
    assert_eq!(
        git(&scratch.folder, &["log", "--format=%s"]),
        "snapshot\nfirst\n"
    );
    assert_eq!(git(&scratch.folder, &["status", "--porcelain"]), "");
}

#[test]
fn private_rules_hold_in_the_scratch() {
    let place = Place::with_commit()
        .file("mine/rules", "*.secret\n")
        .file("a.secret", "")
        .file("a.private", "");
    write(&place.root(), ".git/info/exclude", "*.private");
    place.git(&["config", "core.excludesFile", "mine/rules"]);
    let scratch = place.scratch();
    for name in ["b.secret", "b.private"] {
        std::fs::write(scratch.folder.join(name), "new").unwrap();
    }
    assert_eq!(git(&scratch.folder, &["status", "--porcelain"]), "");
    assert_eq!(place.changes(&scratch).changes, []);
}

#[test]
fn what_cannot_be_copied_is_told() {
    let place = Place::with_commit()
        .file("inner/file", "x")
        .file("unreadable", "x");
    place.git(&["init", "-q", "inner"]);
    place.git(&["init", "-q", "sub"]);
    git(
        &place.root().join("sub"),
        &["commit", "-q", "--allow-empty", "-m", "x"],
    );
    place.git(&["-c", "advice.addEmbeddedRepo=false", "add", "sub"]);
    let target = place.root().join("a.txt");
    symlink(target, place.root().join("absolute")).unwrap();
    symlink("../repo/a.txt", place.root().join("dots")).unwrap();
    symlink("link-to-folder/a.txt", place.root().join("by-way")).unwrap();
    symlink("../repo", place.root().join("link-to-folder")).unwrap();
    let gone = path("gone");
    let repository = place.open();
    let mut candidates = candidates(&repository);
    candidates.push(repo::Candidate {
        path: gone,
        kind: repo::Kind::File,
        named: true,
    });
    set_mode(place.root().join("unreadable"), 0o000);
    let is_root = std::fs::read(place.root().join("unreadable")).is_ok();
    let scratch = create(&Plan {
        repository: &repository,
        source: &repository.root,
        candidates: &candidates,
        carried: &[path("node_modules")],
        folder: &place.beside("scratch"),
        seconds: 0,
        threads: THREADS,
    })
    .unwrap();
    let told: Vec<String> = scratch
        .snapshot
        .problems
        .iter()
        .map(|problem| problem.path.to_string())
        .collect();
    let mut expected = vec![
        "absolute",
        "dots",
        "gone",
        "inner",
        "link-to-folder",
        "node_modules",
        "sub",
        "unreadable",
    ];
    expected.retain(|name| *name != "unreadable" || !is_root);
    assert_eq!(told, expected);
    assert!(scratch.folder.join("by-way").symlink_metadata().is_ok());
    assert_eq!(git(&scratch.folder, &["status", "--porcelain"]), "");
    assert!(git(&scratch.folder, &["ls-files", "-s", "sub"]).starts_with("160000"));
}

#[test]
fn carried_folders_are_copied_and_lead_nowhere_into_the_repository() {
    let place = Place::with_commit()
        .file(".gitignore", "node_modules\n")
        .file("node_modules/p/index.js", "x")
        .file("node_modules/.bin/tool", "#!/bin/sh\n");
    set_mode(place.root().join("node_modules/.bin/tool"), 0o755);
    symlink(
        "../../src/main.rs",
        place.root().join("node_modules/p/workspace"),
    )
    .unwrap();
    symlink(
        "/nonexistent/python",
        place.root().join("node_modules/python"),
    )
    .unwrap();
    let scratch = place.try_scratch(&["node_modules"]).unwrap();
    let copied = files(&scratch.folder.join("node_modules"));
    assert_eq!(copied, files(&place.root().join("node_modules")));
    assert_eq!(copied[&b".bin/tool"[..]].0, 'x');
    assert_eq!(scratch.snapshot.carried, [path("node_modules")]);
    std::fs::remove_file(scratch.folder.join(".gitignore")).unwrap();
    assert_eq!(
        git(&scratch.folder, &["status", "--porcelain"]),
        " D .gitignore\n"
    );
    assert_eq!(place.changes(&scratch).changes.len(), 1);
    std::fs::remove_dir_all(&scratch.folder).unwrap();
    for target in [place.root().join("src"), PathBuf::from("../../repo/src")] {
        let link = place.root().join("node_modules/back");
        symlink(target, &link).unwrap();
        let error = place.try_scratch(&["node_modules"]).unwrap_err();
        assert!(matches!(error, ScratchError::LeadsBack(at) if at == path("node_modules/back")));
        assert!(!place.beside("scratch").exists(), "half a scratch was left");
        std::fs::remove_file(link).unwrap();
    }
}

#[test]
fn a_scratch_is_made_once_and_outside_the_repository() {
    let place = Place::with_commit();
    let repository = place.open();
    symlink(place.root(), place.beside("alias")).unwrap();
    for (folder, is_inside) in [
        ("repo/x", true),
        ("alias/x", true),
        ("repo/src/../y", true),
        ("repo", true),
        ("alias", true),
        ("taken", false),
    ] {
        std::fs::create_dir_all(place.beside("taken")).unwrap();
        let error = create(&Plan {
            repository: &repository,
            source: &repository.root,
            candidates: &[],
            carried: &[],
            folder: &place.beside(folder),
            seconds: 0,
            threads: THREADS,
        })
        .unwrap_err();
        match error {
            ScratchError::Inside(_) => assert!(is_inside, "{folder}"),
            ScratchError::Exists(_) => assert!(!is_inside, "{folder}"),
            other => panic!("{folder}: {other}"),
        }
    }
}

#[test]
fn a_snapshot_comes_back_from_its_file() {
    let scratch = odd_tree().scratch();
    let text = serde_json::to_string(&scratch.snapshot).unwrap();
    assert_eq!(
        serde_json::from_str::<Snapshot>(&text).unwrap(),
        scratch.snapshot
    );
    let link = State::Link {
        target: b"a\\b\xff".to_vec(),
    };
    assert_eq!(
        serde_json::to_string(&link).unwrap(),
        r#"{"link":{"target":"a\\\\b\\xff"}}"#
    );
}
