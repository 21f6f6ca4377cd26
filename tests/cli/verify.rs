//! What has changed since a pack was made.

use std::os::unix::fs::symlink;

use super::Repo;

const FORMATS: [&str; 4] = ["xml", "markdown", "json", "plain"];

/// A repository with a file of each kind that is compared in its own way.
fn repo() -> Repo {
    let repo = Repo::new()
        .file("a/changed.rs", "one\n")
        .file("a/grown.rs", "one\n")
        .file("a/same.rs", "one\r\n")
        .file("data.bin", "\0\0")
        .file("gone", "x")
        .file("odd\nname", "\u{1b}")
        .file("other.bin", "\0\0")
        .file("to-folder", "x")
        .file("to-link", "one\n");
    symlink("gone", repo.root().join("link")).unwrap();
    symlink("gone", repo.root().join("moved-link")).unwrap();
    repo
}

/// Makes every kind of difference.
fn change(repo: Repo) -> Repo {
    let root = repo.root();
    for gone in ["gone", "to-link", "to-folder", "moved-link"] {
        std::fs::remove_file(root.join(gone)).unwrap();
    }
    symlink("a/same.rs", root.join("moved-link")).unwrap();
    symlink("a/same.rs", root.join("to-link")).unwrap();
    repo.file("a/changed.rs", "two\n")
        .file("a/grown.rs", "one\ntwo\n")
        .file("data.bin", "\0\x01")
        .file("other.bin", "\0")
        .file("to-folder/new", "x")
}

#[test]
fn each_difference_is_a_line_whatever_the_format() {
    for format in FORMATS {
        let repo = repo();
        let pack = repo.pack(&["--format", format]);
        let run = repo.run_with_stdin(&["verify", "-"], pack.as_bytes());
        assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
        assert_eq!(
            run.stderr,
            "11 files in the pack, no difference\n4 files are only listed: compared by kind and size\n"
        );
        let repo = change(repo);
        let run = repo.run_with_stdin(&["verify", "-"], pack.as_bytes());
        assert_eq!(run.code, 1);
        // What is only listed and has its size is taken to be the same.
        let expected = "changed a/changed.rs\nchanged a/grown.rs\ngone gone\nchanged moved-link\n\
            changed other.bin\nchanged to-folder\nnew to-folder/new\nchanged to-link\n";
        assert_eq!(run.stdout, expected, "{format}");
        assert!(
            run.stderr
                .starts_with("11 files in the pack, 6 changed, 1 gone, 1 new\n"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn as_json() {
    let repo = repo();
    let pack = repo.pack(&[]);
    let repo = change(repo);
    let run = repo.run_with_stdin(&["verify", "-q", "-", "--json"], pack.as_bytes());
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    let expected = serde_json::json!({
        "version": 1,
        "files": 11,
        "changed": ["a/changed.rs", "a/grown.rs", "moved-link", "other.bin", "to-folder", "to-link"],
        "gone": ["gone"],
        "new": ["to-folder/new"],
        "listed": 4,
        "shortened": 0,
        "altered": 0,
    });
    assert_eq!(run.json(), expected);
}

#[test]
fn the_pack_itself_is_not_new_and_new_files_need_not_be_told() {
    let repo = Repo::new().file("src/a", "x").file("b", "x").git();
    // An ending by which no pack of ours is known.
    assert_eq!(repo.run(&["pack", "-q", "src", "-o", "part.out"]).code, 0);
    let run = repo.run(&["-C", "src", "verify", "../part.out"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, "new b\n"));
    let run = repo.run(&["verify", "--no-new", "part.out"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
}

#[test]
fn a_pack_that_was_cut_by_a_budget_does_not_say_what_is_new() {
    for format in FORMATS {
        let repo = Repo::new()
            .file("a", "x\n")
            .file("big.rs", "fn big() {}\n".repeat(1000));
        let pack = repo.pack(&["--format", format, "--budget", "700"]);
        let repo = repo.file("new", "x");
        let run = repo.run_with_stdin(&["verify", "-"], pack.as_bytes());
        assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
        let warning = "warning: 1 file did not fit in the pack: what is new is not known\n";
        assert!(run.stderr.ends_with(warning), "{}", run.stderr);
    }
}

#[test]
fn a_tree_is_any_folder() {
    let repo = repo().git();
    let pack = repo.pack(&["--format", "json"]);
    let copy = repo.root().join("copy");
    let copy = copy.to_str().unwrap();
    repo.run_with_stdin(&["unpack", "-q", "-", "-d", copy], pack.as_bytes());
    let run = repo.run_with_stdin(&["verify", "-q", "-", "copy"], pack.as_bytes());
    // What is only listed was not unpacked.
    let expected = "gone data.bin\ngone link\ngone moved-link\ngone other.bin\n";
    assert_eq!((run.code, run.stdout.as_str()), (1, expected));
}

#[test]
fn a_folder_that_is_a_link_now_is_not_looked_through() {
    let repo = Repo::new().file("folder/a", "x");
    let pack = repo.pack(&[]);
    let root = repo.root();
    std::fs::rename(root.join("folder"), repo.beside("outside")).unwrap();
    symlink(repo.beside("outside"), root.join("folder")).unwrap();
    let run = repo.run_with_stdin(&["verify", "-"], pack.as_bytes());
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (1, "new folder\ngone folder/a\n")
    );
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    let repo = Repo::new().file("a", "one\n").file("b", "two\n");
    let cut = repo.pack(&[]).replace("</pack>\n", "");
    let repo = repo.file("cut.xml", cut).file("none.json", "{}");
    for (args, message) in [
        (
            &["verify", "cut.xml"][..],
            "cannot verify `cut.xml`: the pack is cut",
        ),
        (
            &["verify", "none.json"],
            "cannot verify `none.json`: this is no pack of twostep",
        ),
        (&["verify", "cut.xml", "a"], "`a` is no folder"),
        (&["verify", "nowhere"], "cannot open `"),
    ] {
        let run = repo.run(args);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{message}");
        assert!(
            run.stderr.contains(message) && run.stderr.contains("hint: "),
            "{}",
            run.stderr
        );
    }
}
