//! Change sets, and going back to the snapshot.

use super::*;
use crate::scratch::State;

/// Says what happened to each path: `+` new, `-` gone, `*` changed.
fn told(changes: &ChangeSet) -> Vec<String> {
    let told = changes.changes.iter().map(|change| {
        let sign = match (&change.before, &change.after) {
            (None, _) => '+',
            (_, None) => '-',
            _ => '*',
        };
        format!("{sign}{}", change.path)
    });
    told.collect()
}

fn refused(changes: &ChangeSet) -> Vec<String> {
    changes
        .refused
        .iter()
        .map(|problem| problem.path.to_string())
        .collect()
}

#[test]
fn the_bytes_of_the_tree_count_whatever_git_was_told() {
    let place = Place::with_commit()
        .file(".gitignore", "*.log\n")
        .file("same.txt", "same");
    let scratch = place.scratch();
    let at = &scratch.folder;
    assert_eq!(told(&place.changes(&scratch)), [""; 0]);
    write(at, "a.txt", "one\n");
    write(at, "new/file", "new");
    write(at, "made.log", "ignored");
    write(at, "same.txt", "same");
    std::fs::remove_file(at.join("old/only.txt")).unwrap();
    set_mode(at.join("src/main.rs"), 0o755);
    let expected = ["*a.txt", "+new/file", "-old/only.txt", "*src/main.rs"];
    let before = place.changes(&scratch);
    assert_eq!(told(&before), expected);
    git(at, &["add", "-A"]);
    git(at, &["commit", "-q", "-m", "work"]);
    git(at, &["add", "-f", "made.log"]);
    git(at, &["config", "core.excludesFile", "/dev/null"]);
    write(at, ".git/info/exclude", "*");
    assert!(place.changes(&scratch).is_same(&before));
    std::fs::remove_dir_all(at.join(".git")).unwrap();
    assert!(place.changes(&scratch).is_same(&before));
    write(at, "a.txt", "two\n");
    assert!(!place.changes(&scratch).is_same(&before));
}

#[test]
fn new_rules_hide_new_files_but_none_of_the_snapshot() {
    let place = Place::with_commit();
    let scratch = place.scratch();
    write(&scratch.folder, ".gitignore", "*.rs\nold\nbuild\n");
    write(&scratch.folder, "src/main.rs", "changed");
    write(&scratch.folder, "build/out", "new");
    std::fs::remove_dir_all(scratch.folder.join("old")).unwrap();
    assert_eq!(
        told(&place.changes(&scratch)),
        ["+.gitignore", "-old/only.txt", "*src/main.rs"]
    );
}

#[test]
fn files_folders_and_links_that_take_each_others_places_are_seen() {
    let place = Place::with_commit().file("away/from", "x");
    let scratch = place.scratch();
    let at = &scratch.folder;
    std::fs::remove_file(at.join("a.txt")).unwrap();
    write(at, "a.txt/inner", "x");
    std::fs::remove_dir_all(at.join("old")).unwrap();
    write(at, "old", "file");
    std::fs::rename(at.join("src"), at.join("moved")).unwrap();
    symlink("moved", at.join("src")).unwrap();
    assert_eq!(
        told(&place.changes(&scratch)),
        [
            "-a.txt",
            "+a.txt/inner",
            "+moved/deep/x.rs",
            "+moved/main.rs",
            "+old",
            "-old/only.txt",
            "+src",
            "-src/deep/x.rs",
            "-src/main.rs"
        ]
    );
}

#[test]
fn what_must_not_land_is_refused() {
    let place = Place::with_commit().file("repository/file", "x");
    place.git(&["init", "-q", "repository"]);
    let scratch = place.scratch();
    let at = &scratch.folder;
    write(at, ".GIT/config", "x");
    write(at, "src/git~1/hooks/x", "x");
    write(at, ".twostep/runs/x", "x");
    write(at, "repository/file", "x");
    git(at, &["init", "-q", "nested"]);
    symlink("/etc/passwd", at.join("absolute")).unwrap();
    symlink("x/../../../up", at.join("src/up")).unwrap();
    symlink("../a.txt", at.join("src/fine")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at.join("socket")).unwrap();
    let changes = place.changes(&scratch);
    assert_eq!(
        refused(&changes),
        [
            ".GIT/config",
            ".twostep/runs/x",
            "absolute",
            "nested",
            "repository/file",
            "socket",
            "src/git~1/hooks/x",
            "src/up"
        ]
    );
    assert_eq!(told(&changes), ["+src/fine"]);
}

#[test]
fn what_checks_make_is_no_change_and_is_found_by_restoring() {
    let place = Place::with_commit()
        .file(".gitignore", "cache\n")
        .file("run.sh", "x");
    set_mode(place.root().join("run.sh"), 0o755);
    symlink("a.txt", place.root().join("link")).unwrap();
    let scratch = place.scratch();
    let at = &scratch.folder;
    let before = files(at);
    let run_checks = || {
        write(at, "out/deep/a.o", "x");
        write(at, "out/b.o", "x");
        write(at, "src/main.o", "x");
    };
    run_checks();
    write(at, "cache/kept", "x");
    write(at, "a.txt", "changed");
    std::fs::remove_file(at.join("run.sh")).unwrap();
    std::fs::remove_dir_all(at.join("old")).unwrap();
    write(at, "old", "a file where a folder was");
    std::fs::remove_file(at.join("link")).unwrap();
    write(at, "link/inner", "a folder where a link was");
    git(at, &["init", "-q", "src"]);
    git(at, &["add", "-A"]);
    git(at, &["commit", "-q", "-m", "x"]);
    git(at, &["checkout", "-q", "-b", "other"]);
    let restored = scratch.restore(&place.open(), THREADS).unwrap();
    let noise = restored.made;
    let made = ["link/inner", "old", "out/b.o", "out/deep/a.o", "src/main.o"];
    assert_eq!(noise, made.map(path));
    let stirred = restored.changes.iter().filter(|it| it.before.is_some());
    let stirred: Vec<String> = stirred.map(|it| it.path.to_string()).collect();
    assert_eq!(stirred, ["a.txt", "link", "old/only.txt", "run.sh"]);
    let mut kept = files(at);
    assert!(kept.remove(&b"cache/kept"[..]).is_some());
    assert_eq!(kept, before);
    assert_eq!(git(at, &["status", "--porcelain", "-b"]), "## main\n");
    assert!(!at.join("out").exists());
    run_checks();
    // What the checks made is noise, not the folder that it is in; but what is like it may be left out, and is told.
    for made in [
        "src/more.o",
        "out-of-it",
        "out/mod.rs",
        "out/deep/b",
        "out/deep/c.o",
    ] {
        write(at, made, "x");
    }
    let changes = scratch.changes(&place.open(), &noise, THREADS).unwrap();
    let expected = ["+out-of-it", "+out/deep/b", "+out/mod.rs", "+src/more.o"];
    assert_eq!(told(&changes), expected);
    assert_eq!(changes.left_out, [path("out/deep/c.o")]);
}

#[test]
fn beside_the_change_there_is_nothing_but_what_was_there_before() {
    let place = Place::with_commit()
        .file(".gitignore", "build\nmodules\n")
        .file("modules/tool/run", "exit 1")
        .file("modules/tool/old", "x")
        .file("modules/cache", "x");
    symlink("tool/run", place.root().join("modules/link")).unwrap();
    let scratch = place.try_scratch(&["modules"]).unwrap();
    let at = &scratch.folder;
    // The checks write what is ignored, and into what was carried.
    write(at, "build/kept", "x");
    write(at, "build/altered", "x");
    write(at, "modules/cache", "of the checks");
    let rest = scratch.rest(THREADS).unwrap();
    let before = files(at);
    let settle = || {
        let changes = place.changes(&scratch).changes;
        let settled = scratch.settle(&place.open(), &rest, &changes, THREADS);
        settled.unwrap();
        told(&place.changes(&scratch))
    };
    assert_eq!(settle(), [""; 0]);
    assert_eq!(files(at), before);
    // The executor's change, and what else it leaves behind.
    write(at, "a.txt", "changed");
    write(at, "new/file", "x");
    write(at, "build/flag", "x");
    write(at, "build/deep/flag", "x");
    write(at, "build/altered", "y");
    write(at, "modules/tool/run", "exit 0");
    write(at, "modules/tool/new", "x");
    std::fs::remove_file(at.join("modules/tool/old")).unwrap();
    std::fs::remove_file(at.join("modules/link")).unwrap();
    write(at, "modules/link/inner", "x");
    write(at, ".gitignore", "build\nmodules\nhidden\n");
    write(at, "hidden", "x");
    std::fs::create_dir(at.join("empty")).unwrap();
    let aged = std::time::SystemTime::UNIX_EPOCH;
    let changed = std::fs::File::options().append(true).open(at.join("a.txt"));
    changed.unwrap().set_modified(aged).unwrap();
    let expected = ["*.gitignore", "*a.txt", "+new/file"];
    assert_eq!(settle(), expected);
    let mut expected = before;
    for (name, text) in [
        (".gitignore", "build\nmodules\nhidden\n"),
        ("a.txt", "changed"),
        ("new/file", "x"),
    ] {
        expected.insert(name.into(), ('f', text.into()));
    }
    expected.remove(&b"build/altered"[..]);
    assert_eq!(files(at), expected);
    assert!(!at.join("empty").exists() && !at.join("build/deep").exists());
    // A build tool that goes by times sees that it is another.
    assert!(
        std::fs::metadata(at.join("a.txt"))
            .unwrap()
            .modified()
            .unwrap()
            > aged
    );
}

#[test]
fn a_scratch_whose_objects_were_altered_is_not_restored_from() {
    let place = Place::with_commit().file("new.txt", "new");
    let scratch = place.scratch();
    write(&scratch.folder, "new.txt", "changed");
    let id = git(&scratch.folder, &["rev-parse", "HEAD:new.txt"]);
    let other = git(&scratch.folder, &["hash-object", "-w", "new.txt"]);
    let object = |store: PathBuf, id: &str| store.join(&id[..2]).join(id[2..].trim());
    std::fs::rename(
        object(scratch.folder.join(".git/objects"), &other),
        object(store(&scratch.folder), &id),
    )
    .unwrap();
    let error = scratch.restore(&place.open(), THREADS).unwrap_err();
    assert!(matches!(error, ScratchError::Damaged(_)), "{error}");
    // Nor is a `.git` that leads to the user's written to.
    std::fs::remove_dir_all(scratch.folder.join(".git")).unwrap();
    symlink(place.root().join(".git"), scratch.folder.join(".git")).unwrap();
    let before = everything(&place.root());
    assert!(scratch.restore(&place.open(), THREADS).is_err());
    assert_eq!(everything(&place.root()), before);
}

#[test]
fn what_is_kept_is_what_was_taken() {
    let place = Place::with_commit();
    let scratch = place.scratch();
    write(&scratch.folder, "a.txt", "checked");
    let changes = place.changes(&scratch);
    let held = |name: &str| {
        std::fs::create_dir(place.beside(name)).unwrap();
        crate::fs::Root::open(&place.beside(name)).unwrap()
    };
    changes.keep(&held("first")).unwrap();
    assert_eq!(
        std::fs::read(place.beside("first/0001")).unwrap(),
        b"checked"
    );
    assert!(matches!(
        changes.changes[0].after,
        Some(State::File { bytes: 7, .. })
    ));
    write(&scratch.folder, "a.txt", "another");
    assert!(matches!(
        changes.keep(&held("second")),
        Err(ScratchError::Damaged(_))
    ));
}

#[test]
fn a_fork_begins_as_the_scratch_began_and_gives_what_it_made() {
    let place = Place::with_commit()
        .file("a.txt", "a\n")
        .file("b/c.txt", "c\n")
        .file("gone/d.txt", "d\n");
    let scratch = place.scratch();
    // What the user does meanwhile is nothing that a fork sees.
    write(&place.root(), "a.txt", "the user's\n");
    let folder = place.beside("fork");
    let fork = scratch.fork(&place.open(), &folder, THREADS).unwrap();
    assert_eq!(fork.snapshot.files, scratch.snapshot.files);
    assert!(place.changes(&fork).changes.is_empty());

    write(&folder, "a.txt", "made\n");
    write(&folder, "new/e.txt", "e\n");
    std::fs::remove_file(folder.join("gone/d.txt")).unwrap();
    std::os::unix::fs::symlink("../a.txt", folder.join("b/link")).unwrap();
    let made = place.changes(&fork).changes;
    let source = crate::fs::Root::open(&folder).unwrap();
    scratch.take(&made, &source).unwrap();
    assert_eq!(place.changes(&scratch).changes, made);
    assert!(!scratch.folder.join("gone").exists());

    // A scratch that does not hold its snapshot is none to begin with.
    let error = scratch.fork(&place.open(), &place.beside("other"), THREADS);
    assert!(matches!(error, Err(ScratchError::Damaged(_))), "{error:?}");
}
