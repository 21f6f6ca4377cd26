//! Which files are candidates, and what they are called.

use std::os::unix::fs::symlink;

use super::{Repo, Run, files_of, full_files_of};

/// Returns the candidates as git lists them.
fn git_files(repo: &Repo) -> Vec<String> {
    let mut files: Vec<String> = repo
        .run_git(&["ls-files", "-co", "--exclude-standard"])
        .lines()
        .map(str::to_owned)
        .collect();
    files.sort();
    files.dedup();
    files
}

fn candidates(document: &str) -> Vec<String> {
    files_of(document)
        .into_iter()
        .map(|(path, _)| path)
        .collect()
}

#[test]
fn candidates_are_those_of_git() {
    let repo = Repo::new()
        .file(".gitignore", "*.log\n/build/\n!keep.log\n")
        .file("tracked.log", "tracked although ignored\n")
        .file("build/tracked.txt", "tracked although ignored\n")
        .git()
        .file("build/out.o", "ignored\n")
        .file("new.log", "ignored\n")
        .file("keep.log", "not ignored\n")
        .file("sub/.gitignore", "*.tmp\n")
        .file("sub/a.tmp", "ignored\n")
        .file("sub/build/b.txt", "not ignored: the rule is for the root\n")
        .file(".hidden/c", "hidden files are files\n")
        .file(".ignore", "sub\n");
    std::fs::write(repo.root().join(".git/info/exclude"), "secret\n").unwrap();
    let repo = repo.file("secret", "excluded\n");
    let files = candidates(&repo.pack(&[]));
    assert_eq!(files, git_files(&repo));
    assert!(
        files.contains(&"build/tracked.txt".to_owned())
            && !files.contains(&"build/out.o".to_owned())
    );
}

#[test]
fn rules_are_read_from_where_git_reads_them_and_from_nowhere_else() {
    let repo = Repo::new()
        .git()
        .file("a.key", "x")
        .file("b.log", "x")
        .file("c.tmp", "x")
        .file("sub/d.key", "x");
    let outside = repo.beside("rules");
    std::fs::write(&outside, "*.key\n").unwrap();
    std::fs::write(repo.root().join(".git/info/exclude"), "*.log\n").unwrap();
    repo.run_git(&["config", "core.excludesFile", outside.to_str().unwrap()]);
    assert_eq!(candidates(&repo.pack(&[])), git_files(&repo));
    assert_eq!(candidates(&repo.pack(&[])), ["c.tmp"]);
    // Those of the user hold where the repository names none of its own.
    repo.run_git(&["config", "--unset", "core.excludesFile"]);
    let home = repo.beside("home/.config/git");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join("ignore"), "*.{key}\n*.tmp\n").unwrap();
    assert_eq!(candidates(&repo.pack(&[])), git_files(&repo));
    assert_eq!(candidates(&repo.pack(&[])), ["a.key", "sub/d.key"]);
    std::fs::remove_file(home.join("ignore")).unwrap();
    // A link is no rule file, and a pipe is none that anybody waits for.
    std::os::unix::fs::symlink(&outside, repo.root().join(".gitignore")).unwrap();
    std::fs::write(&outside, "*.tmp\n").unwrap();
    repo.run_git(&["config", "core.excludesFile", ""]);
    assert!(
        std::process::Command::new("mkfifo")
            .arg(repo.root().join("sub/.gitignore"))
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(
        candidates(&repo.pack(&[])),
        [".gitignore", "a.key", "c.tmp", "sub/d.key"]
    );
}

#[test]
fn what_the_environment_configures_counts_last() {
    let repo = Repo::new().git().file("a.key", "x").file("b.log", "x");
    let place = |name: &str, text: &str| {
        let path = repo.beside(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let [keys, logs] = [place("keys", "*.key\n"), place("logs", "*.log\n")];
    let more = place("more", &format!("[core]\n\texcludesFile = {keys}\n"));
    repo.run_git(&["config", "core.excludesFile", &logs]);
    for (named, expected) in [
        (&[][..], "a.key"),
        (&[("core.excludesFile", keys.as_str())], "b.log"),
        (
            &[("CORE.EXCLUDESFILE", &keys), ("core.excludesfile", &logs)],
            "a.key",
        ),
        (&[("include.path", &more)], "b.log"),
        (
            &[("includeIf.gitdir:**/.git.path", &more), ("user.name", "x")],
            "b.log",
        ),
    ] {
        let count = named.len().to_string();
        let variables = named.iter().enumerate().flat_map(|(at, (key, value))| {
            [
                (format!("GIT_CONFIG_KEY_{at}"), *key),
                (format!("GIT_CONFIG_VALUE_{at}"), *value),
            ]
        });
        let variables: Vec<_> = variables
            .chain([("GIT_CONFIG_COUNT".to_owned(), count.as_str())])
            .collect();
        let mut command = repo.command(&["pack", "-q"]);
        command.envs(variables.iter().cloned());
        let run = Run::of(command);
        assert_eq!(candidates(&run.stdout), [expected], "{named:?}");
        let git = std::process::Command::new("git")
            .args(["ls-files", "-co", "--exclude-standard"])
            .current_dir(repo.root())
            .envs(variables)
            .output()
            .unwrap();
        assert_eq!(git.stdout, format!("{expected}\n").as_bytes(), "{named:?}");
    }
}

#[test]
fn without_git_the_same_rules_hold() {
    let repo = Repo::new()
        .file(".gitignore", "*.log\n")
        .file("a.log", "")
        .file("a.txt", "")
        .file(".twostepignore", "b.*\n")
        .file("b.txt", "");
    assert_eq!(
        candidates(&repo.pack(&[])),
        [".gitignore", ".twostepignore", "a.txt"]
    );
}

#[test]
fn a_deleted_file_is_none_and_a_submodule_is_listed() {
    let repo = Repo::new()
        .file("gone", "x")
        .file("stays", "x")
        .file("inner/a", "x")
        .git();
    std::fs::remove_file(repo.root().join("gone")).unwrap();
    // Another repository that is not tracked: git names its folder and looks no further.
    repo.run_git(&["init", "-q", "nested"]);
    std::fs::write(repo.root().join("nested/hidden.txt"), "x").unwrap();
    let document = repo.pack(&[]);
    assert_eq!(candidates(&document), ["inner/a", "nested", "stays"]);
    assert!(document.contains(r#"<file path="nested" level="path" kind="repository"/>"#));
}

#[test]
fn links_are_listed_with_their_target() {
    let repo = Repo::new().file("a", "x");
    symlink("/etc/passwd", repo.root().join("link")).unwrap();
    let document = repo.pack(&[]);
    assert!(
        document.contains(r#"<file path="link" level="path" kind="link" target="/etc/passwd"/>"#)
    );
    assert_eq!(candidates(&document), ["a", "link"]);
}

#[test]
fn a_file_that_is_named_is_packed_even_if_ignored() {
    let repo = Repo::new()
        .file(".gitignore", "*.log\nout/\n")
        .file("a.txt", "x")
        .git()
        .file("b.log", "x")
        .file("out/c", "x")
        .file("out/d/e", "x");
    assert_eq!(
        full_files_of(&repo.pack(&["b.log", "a.txt"])),
        ["a.txt", "b.log"]
    );
    assert_eq!(
        full_files_of(&repo.pack(&[".", "b.log"])),
        [".gitignore", "a.txt", "b.log"]
    );
    assert_eq!(
        full_files_of(&repo.pack(&["a.txt", "out/d/e"])),
        ["a.txt", "out/d/e"]
    );
}

#[test]
fn paths_are_relative_to_the_repository() {
    let repo = Repo::new()
        .file("src/a.rs", "x")
        .file("src/deep/b.rs", "x")
        .file("c", "x")
        .git();
    let root = repo.root();
    let pack_in = |folder: &str, args: &[&str]| {
        let mut command = repo.command(&[&["pack", "-q"], args].concat());
        command.current_dir(root.join(folder));
        candidates(&super::Run::of(command).stdout)
    };
    assert_eq!(pack_in("src", &[]), ["c", "src/a.rs", "src/deep/b.rs"]);
    assert_eq!(pack_in("src", &["."]), ["src/a.rs", "src/deep/b.rs"]);
    assert_eq!(pack_in("src", &["deep", "../c"]), ["c", "src/deep/b.rs"]);
    assert_eq!(pack_in(".", &["src/deep"]), ["src/deep/b.rs"]);
    assert_eq!(pack_in("..", &["repo"]), ["c", "src/a.rs", "src/deep/b.rs"]);
    assert_eq!(
        pack_in("..", &["-C", "repo/src", "deep"]),
        ["src/deep/b.rs"]
    );
}

#[test]
fn a_folder_that_git_ignores_is_a_repository_of_its_own() {
    let repo = Repo::new()
        .file(".gitignore", "trees/*\n")
        .file("a", "x")
        .git()
        .file("trees/one/src/b", "x")
        .file("trees/one/c", "x");
    assert_eq!(candidates(&repo.pack(&["trees/one"])), ["c", "src/b"]);
    let plain = Repo::new()
        .file("x/src/b", "x")
        .file("x/c", "x")
        .file("y/d", "x");
    assert_eq!(candidates(&plain.pack(&["x"])), ["c", "src/b"]);
    assert_eq!(
        candidates(&plain.pack(&["x", "y"])),
        ["x/c", "x/src/b", "y/d"]
    );
}

#[test]
fn the_rules_of_the_repository_hold_in_a_new_folder() {
    let repo = Repo::new()
        .file(".gitignore", "*.key\n")
        .git()
        .file("new/s.key", "secret")
        .file("new/x", "x");
    assert_eq!(candidates(&repo.pack(&["new"])), ["new/x"]);
}

#[test]
fn stdin_names_files() {
    let repo = Repo::new()
        .file(".gitignore", "*.log\n")
        .file("a.go", "x")
        .file("caf\u{e9}.go", "x")
        .file("b.log", "x")
        .file("c.txt", "x")
        .git();
    let pack = |args: &[&str], stdin: &str| {
        let run = repo.run_with_stdin(&[&["pack", "--stdin"], args].concat(), stdin.as_bytes());
        assert_eq!(run.code, 0, "{}", run.stderr);
        (candidates(&run.stdout), run.stderr)
    };
    assert_eq!(pack(&[], "a.go\n\nb.log\n").0, ["a.go", "b.log"]);
    assert_eq!(pack(&["-0"], "a.go\0c.txt\0").0, ["a.go", "c.txt"]);
    assert_eq!(pack(&["c.txt"], "a.go\r\n").0, ["a.go", "c.txt"]);
    assert_eq!(pack(&["--exclude", "*.log"], "a.go\nb.log\n").0, ["a.go"]);
    let listed = repo.run_git(&["ls-files", "*.go"]);
    assert!(listed.contains("\\303\\251"), "git quotes: {listed}");
    assert_eq!(pack(&[], &listed).0, ["a.go", "caf\u{e9}.go"]);
    let (files, stderr) = pack(&[], "a.go\ngone.go\n");
    assert_eq!(files, ["a.go"]);
    assert!(
        stderr.contains("warning: no such file or folder: `gone.go`; left out"),
        "{stderr}"
    );
}

#[test]
fn our_own_packs_are_left_out_unless_named() {
    let repo = Repo::new().file("a", "x");
    for _ in 0..2 {
        assert_eq!(
            repo.run(&["pack", "-q", "-o", "pack.xml", "--manifest", "pack.json"])
                .code,
            0
        );
        let document = String::from_utf8(super::read(&repo.root().join("pack.xml"))).unwrap();
        assert_eq!(candidates(&document), ["a"]);
    }
    // An older pack and manifest are told of, and a redirected output is known, too.
    let out = std::fs::File::create(repo.root().join("redirected.txt")).unwrap();
    let mut command = repo.command(&["pack", "-v"]);
    command.stdout(out);
    let run = super::Run::of(command);
    let document = String::from_utf8(super::read(&repo.root().join("redirected.txt"))).unwrap();
    assert_eq!(candidates(&document), ["a"]);
    let told = "2 packs and manifests of twostep left out\n  pack.json\n  pack.xml\n";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    assert_eq!(candidates(&repo.pack(&["pack.xml"])), ["pack.xml"]);
    // In every format.
    for (format, file) in [("markdown", "p.md"), ("json", "p.json"), ("plain", "p.txt")] {
        let repo = Repo::new().file("a", "x");
        let pack = ["pack", "-q", "--format", format, "-o", file];
        assert_eq!(repo.run(&pack).code, 0);
        assert_eq!(candidates(&repo.pack(&[])), ["a"], "{file}");
    }
}

#[test]
fn what_cannot_be_read_is_told_and_does_not_stop_us() {
    let repo = Repo::new().file("a", "x");
    let fifo = repo.root().join("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let run = repo.run(&["pack"]);
    assert_eq!(
        (run.code, candidates(&run.stdout)),
        (0, vec!["a".to_owned()])
    );
    assert!(
        run.stderr
            .contains("warning: passed over `pipe`: it is a device, pipe or socket"),
        "{}",
        run.stderr
    );
}
