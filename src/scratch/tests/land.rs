//! Landing and undo, with everything that can come between.

use super::*;
use crate::fs::Root;
use crate::scratch::{LandError, Landing, Problem, Undone, land, prepare, undo};

/// A repository with work in progress, and a scratch in which every kind of change was made.
fn changed() -> (Place, Scratch) {
    let place = Place::with_commit()
        .file("run.sh", "#!/bin/sh\n")
        .file("mode", "x")
        .file("gone/deep/file", "x")
        .file("folder/a", "x")
        .file("file", "x")
        .file("binary", b"\0\x01");
    symlink("a.txt", place.root().join("link")).unwrap();
    set_mode(place.root().join("a.txt"), 0o640);
    set_mode(place.root().join("mode"), 0o660);
    set_mode(place.root().join("gone/deep"), 0o700);
    place.git(&["add", "run.sh"]);
    place.git(&[
        "stash",
        "store",
        "-m",
        "kept",
        place.git(&["stash", "create"]).trim(),
    ]);
    let scratch = place.scratch();
    let at = &scratch.folder;
    write(at, "a.txt", "changed\n");
    write(at, "binary", b"\0\x02");
    write(at, "new/deep/file", "new");
    write(at, "tool", "#!/bin/sh\n");
    set_mode(at.join("tool"), 0o755);
    set_mode(at.join("mode"), 0o755);
    std::fs::remove_dir_all(at.join("gone")).unwrap();
    std::fs::remove_dir_all(at.join("folder")).unwrap();
    write(at, "folder", "a file where a folder was");
    std::fs::remove_file(at.join("file")).unwrap();
    write(at, "file/inner", "a folder where a file was");
    std::fs::remove_file(at.join("link")).unwrap();
    symlink("src", at.join("link")).unwrap();
    std::fs::remove_file(at.join("run.sh")).unwrap();
    symlink("tool", at.join("run.sh")).unwrap();
    (place, scratch)
}

fn root(place: &Place) -> Root {
    Root::open(&place.root()).unwrap()
}

fn prepared(place: &Place, scratch: &Scratch) -> Landing {
    let landing = prepare(&root(place), &place.changes(scratch), &place.beside("held")).unwrap();
    // As it is read from its file.
    let text = serde_json::to_string(&landing).unwrap();
    assert_eq!(serde_json::from_str::<Landing>(&text).unwrap(), landing);
    landing
}

fn mode_of(place: &Place, name: &str) -> u32 {
    place.root().join(name).symlink_metadata().unwrap().mode() & 0o777
}

#[test]
fn what_landed_is_the_scratch_and_undo_gives_every_byte_mode_and_time_back() {
    let (place, scratch) = changed();
    let before = everything(&place.root());
    let landing = prepared(&place, &scratch);
    assert_eq!(
        everything(&place.root()),
        before,
        "preparing touched the tree"
    );
    land(&root(&place), &landing, &place.beside("held")).unwrap();
    assert_eq!(files(&place.root()), files(&scratch.folder));
    assert_eq!(mode_of(&place, "a.txt"), 0o640);
    assert_eq!(mode_of(&place, "mode"), 0o770);
    assert!(!place.root().join("gone").exists());
    let undone = undo(&root(&place), &landing, &place.beside("held")).unwrap();
    assert_eq!(everything(&place.root()), before);
    assert_eq!(
        (undone.restored.len(), undone.skipped.len()),
        (landing.changes.len(), 0)
    );
    // Again: there is nothing left to undo; and it can land once more.
    let again = undo(&root(&place), &landing, &place.beside("held")).unwrap();
    assert_eq!(again.restored, []);
    assert_eq!(everything(&place.root()), before);
    land(&root(&place), &landing, &place.beside("held")).unwrap();
    assert_eq!(files(&place.root()), files(&scratch.folder));
}

/// An edit of the user's that stands against the change, with the path that the conflict names.
type Edit = (&'static str, fn(&Path));

const EDITS: &[Edit] = &[
    ("a.txt", |root| write(root, "a.txt", "mine")),
    ("a.txt", |root| {
        std::fs::remove_file(root.join("a.txt")).unwrap();
    }),
    ("a.txt", |root| set_mode(root.join("a.txt"), 0o740)),
    ("a.txt", |root| {
        std::fs::rename(root.join("a.txt"), root.join("b.txt")).unwrap();
        symlink("b.txt", root.join("a.txt")).unwrap();
    }),
    ("a.txt", |root| {
        std::fs::remove_file(root.join("a.txt")).unwrap();
        write(root, "a.txt/mine", "mine");
    }),
    ("gone/deep/file", |root| {
        write(root, "gone/deep/file", "mine");
    }),
    ("gone/deep/file", |root| {
        std::fs::remove_file(root.join("gone/deep/file")).unwrap();
    }),
    ("new/deep/file", |root| write(root, "new/deep/file", "mine")),
    ("new/deep/file", |root| {
        write(root, "new/deep/file/inner", "mine");
    }),
    ("new/deep/file", |root| write(root, "new", "mine")),
    ("new/deep/file", |root| {
        symlink("src", root.join("new")).unwrap();
    }),
    ("tool", |root| symlink("a.txt", root.join("tool")).unwrap()),
    ("folder/a", |root| write(root, "folder/a", "mine")),
    ("file", |root| write(root, "file", "mine")),
    ("link", |root| {
        std::fs::remove_file(root.join("link")).unwrap();
        symlink("old", root.join("link")).unwrap();
    }),
    ("run.sh", |root| {
        std::fs::remove_file(root.join("run.sh")).unwrap();
        std::os::unix::net::UnixListener::bind(root.join("run.sh")).unwrap();
    }),
    ("gone/deep/file", |root| {
        std::fs::rename(root.join("gone"), root.join("../elsewhere")).unwrap();
        symlink("../elsewhere", root.join("gone")).unwrap();
    }),
];

fn conflicts(error: LandError) -> Vec<Problem> {
    match error {
        LandError::Conflicts(conflicts) => conflicts,
        other => panic!("no conflict but: {other}"),
    }
}

#[test]
fn an_edit_before_landing_is_a_conflict_and_nothing_lands() {
    for (index, (name, edit)) in EDITS.iter().enumerate() {
        let (place, scratch) = changed();
        let changes = place.changes(&scratch);
        edit(&place.root());
        let before = everything(&place.folder.path().join("."));
        let found = conflicts(prepare(&root(&place), &changes, &place.beside("held")).unwrap_err());
        assert!(
            found.iter().any(|conflict| conflict.path == path(name)),
            "{index}: {found:?}"
        );
        assert_eq!(
            everything(&place.folder.path().join(".")),
            before,
            "{index}"
        );
    }
}

#[test]
fn an_edit_between_preparing_and_landing_rolls_everything_back() {
    for (index, (name, edit)) in EDITS.iter().enumerate() {
        let (place, scratch) = changed();
        let landing = prepared(&place, &scratch);
        edit(&place.root());
        let before = everything(&place.folder.path().join("."));
        let found = conflicts(land(&root(&place), &landing, &place.beside("held")).unwrap_err());
        assert!(
            found
                .iter()
                .any(|conflict| path(name).is_in(&conflict.path) || conflict.path == path(name)),
            "{index}: {found:?}"
        );
        assert_eq!(
            everything(&place.folder.path().join(".")),
            before,
            "{index}"
        );
    }
}

#[test]
fn every_conflict_is_told() {
    let (place, scratch) = changed();
    let changes = place.changes(&scratch);
    for (_, edit) in [EDITS[0], EDITS[5], EDITS[7]] {
        edit(&place.root());
    }
    let found = prepare(&root(&place), &changes, &place.beside("held")).unwrap_err();
    assert_eq!(
        found.to_string(),
        "the repository changed meanwhile: `a.txt`: it was edited, `gone/deep/file`: it was edited, \
         `new/deep/file`: something is there already"
    );
}

#[test]
fn an_ignored_file_in_a_folder_that_becomes_a_file_is_never_lost() {
    let (place, scratch) = changed();
    let place = place.file("folder/cache", "ignored");
    let landing = prepared(&place, &scratch);
    let before = everything(&place.root());
    let found = conflicts(land(&root(&place), &landing, &place.beside("held")).unwrap_err());
    assert_eq!(found[0].path, path("folder"));
    assert_eq!(everything(&place.root()), before);
}

#[test]
fn a_landing_that_was_cut_off_anywhere_is_undone() {
    let (place, scratch) = changed();
    let n = prepared(&place, &scratch).changes.len();
    for cut in 0..=n {
        let (place, scratch) = changed();
        let before = everything(&place.root());
        let landing = prepared(&place, &scratch);
        // What landing does first is what goes away.
        let mut part = landing.clone();
        part.changes.sort_by_key(|change| change.after.is_some());
        part.changes.truncate(cut);
        let made = |folder: &RepoPath| part.changes.iter().any(|change| change.path.is_in(folder));
        part.folders_made.retain(|folder| made(folder));
        land(&root(&place), &part, &place.beside("held")).unwrap();
        let undone = undo(&root(&place), &landing, &place.beside("held")).unwrap();
        assert_eq!(everything(&place.root()), before, "{cut}");
        assert_eq!(undone.restored.len(), cut);
        land(&root(&place), &landing, &place.beside("held")).unwrap();
        assert_eq!(files(&place.root()), files(&scratch.folder), "{cut}");
    }
}

#[test]
fn undo_takes_nothing_back_that_was_edited_since() {
    let edits: &[Edit] = &[
        ("a.txt", |root| write(root, "a.txt", "mine")),
        ("a.txt", |root| {
            std::fs::remove_file(root.join("a.txt")).unwrap();
        }),
        ("gone/deep/file", |root| {
            write(root, "gone/deep/file", "mine");
        }),
        ("new/deep/file", |root| write(root, "new/deep/file", "mine")),
        ("tool", |root| set_mode(root.join("tool"), 0o644)),
    ];
    for (name, edit) in edits {
        let (place, scratch) = changed();
        let landing = prepared(&place, &scratch);
        land(&root(&place), &landing, &place.beside("held")).unwrap();
        edit(&place.root());
        let before = everything(&place.folder.path().join("."));
        let found = conflicts(undo(&root(&place), &landing, &place.beside("held")).unwrap_err());
        assert_eq!(
            found
                .iter()
                .map(|conflict| conflict.path.clone())
                .collect::<Vec<_>>(),
            [path(name)]
        );
        assert_eq!(everything(&place.folder.path().join(".")), before);
    }
    // A file that the user added to a new folder is none of ours.
    let (place, scratch) = changed();
    let landing = prepared(&place, &scratch);
    land(&root(&place), &landing, &place.beside("held")).unwrap();
    write(&place.root(), "new/mine", "mine");
    assert_ne!(
        undo(&root(&place), &landing, &place.beside("held")).unwrap(),
        Undone::default()
    );
    assert_eq!(
        std::fs::read(place.root().join("new/mine")).unwrap(),
        b"mine"
    );
}

#[test]
fn what_was_checked_is_what_lands() {
    let (place, scratch) = changed();
    let changes = place.changes(&scratch);
    write(&scratch.folder, "a.txt", "slipped in");
    let before = everything(&place.root());
    assert!(matches!(
        prepare(&root(&place), &changes, &place.beside("held")),
        Err(LandError::Scratch(_))
    ));
    assert_eq!(place.beside("held").read_dir().unwrap().count(), 0);
    write(&scratch.folder, "a.txt", "changed\n");
    let landing = prepared(&place, &scratch);
    std::fs::write(place.beside("held/0001"), "slipped in").unwrap();
    conflicts(land(&root(&place), &landing, &place.beside("held")).unwrap_err());
    assert_eq!(everything(&place.root()), before);
    assert!(matches!(
        prepare(&root(&place), &changes, &place.beside("held")),
        Err(LandError::HeldInUse(_))
    ));
}

#[test]
fn a_change_set_that_was_made_up_lands_nowhere_it_must_not() {
    let (place, scratch) = changed();
    let changes = place.changes(&scratch);
    symlink(place.beside("outside"), place.root().join("way")).unwrap();
    std::fs::create_dir(place.beside("outside")).unwrap();
    write(&scratch.folder, ".git/hooks/pre-commit", "x");
    write(&scratch.folder, "way/file", "x");
    for name in [
        ".git/hooks/pre-commit",
        ".GIT/config",
        ".twostep/runs/x",
        "way/file",
    ] {
        let mut made_up = changes.clone();
        let mut change = changes
            .changes
            .iter()
            .find(|change| change.path == path("new/deep/file"))
            .unwrap()
            .clone();
        change.path = path(name);
        made_up.changes = vec![change];
        let found = conflicts(prepare(&root(&place), &made_up, &place.beside("held")).unwrap_err());
        assert_eq!(found[0].path, path(name));
    }
    let mut refused = changes;
    refused.refused.push(Problem {
        path: path("x"),
        why: "it is a socket".to_owned(),
    });
    assert!(matches!(
        prepare(&root(&place), &refused, &place.beside("held")),
        Err(LandError::Refused(_))
    ));
}

#[cfg(target_os = "linux")]
#[test]
fn another_file_system_is_refused_before_anything_is_changed() {
    let shm = Path::new("/dev/shm");
    let (place, scratch) = changed();
    let device = |path: &Path| path.metadata().map(|meta| meta.dev()).ok();
    if device(shm).is_none() || device(shm) == device(&place.root()) {
        return;
    }
    let held = tempfile::tempdir_in(shm).unwrap();
    let error = prepare(
        &root(&place),
        &place.changes(&scratch),
        &held.path().join("held"),
    )
    .unwrap_err();
    assert!(
        matches!(error, LandError::OtherFileSystem { .. }),
        "{error}"
    );
}
