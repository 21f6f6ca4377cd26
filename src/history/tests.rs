//! What real repositories tell, against what git tells of them.
#![expect(
    clippy::disallowed_methods,
    reason = "tests make trees and ask git about them"
)]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use super::*;
use crate::repo;

const THREADS: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// A folder that holds a repository, and what stands beside it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(format: &str) -> Self {
        let place = Self::empty();
        place.git(&["init", "-q", "-b", "trunk", "--object-format", format]);
        place
    }

    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("repo")).unwrap();
        Self { folder }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("repo")
    }

    fn at(&self, name: impl AsRef<[u8]>) -> PathBuf {
        self.root().join(OsStr::from_bytes(name.as_ref()))
    }

    fn write(&self, name: impl AsRef<[u8]>, contents: impl AsRef<[u8]>) {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
    }

    fn set_mode(&self, name: &str, mode: u32) {
        std::fs::set_permissions(self.at(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
    }

    fn git(&self, args: &[&str]) -> Vec<u8> {
        let output = self.try_git(args);
        assert!(
            output.status.success(),
            "git {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    fn try_git(&self, args: &[&str]) -> std::process::Output {
        let mut command = Command::new("git");
        command.args([
            "-c",
            "user.name=A U Thor",
            "-c",
            "user.email=a@example.invalid",
        ]);
        command.args(["-c", "protocol.file.allow=always"]);
        command.args(args).current_dir(self.root());
        command
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command.output().unwrap()
    }

    /// Returns what git says of a difference, without the lines that name objects.
    fn git_diff(&self, args: &[&str]) -> Vec<u8> {
        let flags = [
            "diff",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--no-color",
        ];
        let text = self.git(&[&flags[..], &["--ignore-submodules=dirty"], args].concat());
        let lines = text.split_inclusive(|&byte| byte == b'\n');
        lines
            .filter(|line| !line.starts_with(b"index "))
            .flatten()
            .copied()
            .collect()
    }

    fn open(&self) -> Repository {
        let (repository, _, problem) = repo::open(&self.root(), &[]).unwrap();
        assert!(problem.is_none(), "{}", problem.unwrap());
        repository
    }

    fn diff(&self, what: &What) -> Result<Vec<u8>, HistoryError> {
        diff(&self.open(), what, &|_| Detail::Full, THREADS).map(|diff| diff.text)
    }

    #[track_caller]
    fn check(&self, what: &What, args: &[&str]) {
        let ours = self.diff(what).unwrap();
        let theirs = self.git_diff(args);
        assert!(
            ours == theirs,
            "ours ({what:?}):\n{}\ngit's:\n{}",
            String::from_utf8_lossy(&ours),
            String::from_utf8_lossy(&theirs)
        );
    }

    /// Compares all three kinds with git.
    #[track_caller]
    fn check_all(&self) {
        self.check(&What::WorkTree, &[]);
        self.check(&What::Staged, &["--cached"]);
        self.check(&since("HEAD"), &["HEAD"]);
    }

    fn changed(&self, revision: Option<&str>) -> (Vec<String>, Vec<String>) {
        let repository = self.open();
        let candidates = crate::flow::pack::all_candidates(&repository, THREADS);
        let changed = changed(&repository, revision, &candidates, THREADS).unwrap();
        let names = |paths: Vec<RepoPath>| paths.iter().map(ToString::to_string).collect();
        (names(changed.paths), names(changed.deleted))
    }
}

fn since(revision: &str) -> What {
    What::Since(revision.to_owned())
}

fn lines(n: usize) -> String {
    let lines: Vec<String> = (0..n).map(|n| format!("line {n}\n")).collect();
    lines.concat()
}

/// Makes changes of every kind: some are staged, some are not, some are both.
fn every_kind(place: &Place) {
    let code = format!(
        "fn first() {{\n{}}}\n\nfn second() {{\n{}}}\n",
        lines(20),
        lines(20)
    );
    for (name, contents) in [
        (&b"changed"[..], lines(40).as_bytes()),
        (b"code.rs", code.as_bytes()),
        (b"both", b"1\n2\n3\n"),
        (b"staged", b"a\n"),
        (b"same", b"a\n"),
        (b"no newline", b"a\nb"),
        (b"mode", b"x\n"),
        (b"mode and text", b"x\n"),
        (b"gone", b"x\ny\n"),
        (b"gone from index", b"x\n"),
        (b"gone empty", b""),
        (b"binary", b"\0 old"),
        (b"emptied", b"x\n"),
        (b"to link", b"x\n"),
        (b"to folder", b"x\n"),
        (b"folder/deep/file", b"x\n"),
        (b"caf\xe9\t\"", b"odd\n"),
        (b"behind/file", b"x\n"),
    ] {
        place.write(name, contents);
    }
    symlink("old target", place.at("link")).unwrap();
    place.commit("one");
    place.write(
        "changed",
        lines(40)
            .replace("line 3\n", "")
            .replace("line 20\n", "new\nlines\n"),
    );
    place.write(
        "code.rs",
        code.replace("line 10\n", "").replace("line 19\n", "last\n"),
    );
    place.write("both", "1\n2b\n3\n");
    place.write("staged", "b\n");
    place.write("new/staged", "new\n");
    place.git(&["add", "both", "staged", "new"]);
    place.write("both", "1\n2b\n3\n4\n");
    place.write("same", "a\n");
    place.write("no newline", "a\nc");
    place.set_mode("mode", 0o755);
    place.set_mode("mode and text", 0o755);
    place.write("mode and text", "y\n");
    place.git(&["rm", "-q", "--cached", "gone from index"]);
    for name in ["gone", "gone empty", "to link", "to folder", "link"] {
        std::fs::remove_file(place.at(name)).unwrap();
    }
    place.write("binary", b"\0 new");
    place.write("emptied", "");
    symlink("target", place.at("to link")).unwrap();
    symlink("new target", place.at("link")).unwrap();
    place.write("to folder/file", "x\n");
    std::fs::remove_dir_all(place.at("folder")).unwrap();
    place.write("folder", "now a file\n");
    place.write(b"caf\xe9\t\"", "odder\n");
    // What lies behind a link is not there.
    std::fs::rename(place.at("behind"), place.folder.path().join("behind")).unwrap();
    symlink(place.folder.path().join("behind"), place.at("behind")).unwrap();
    place.write("untracked", "x\n");
    place.write("intended", "x\n");
    place.write("intended empty", "");
    place.git(&["add", "-N", "intended", "intended empty"]);
}

#[test]
fn differences_are_those_of_git() {
    for format in ["sha1", "sha256"] {
        let place = Place::new(format);
        every_kind(&place);
        place.check_all();
        place.git(&["add", "-A"]);
        place.check_all();
        place.commit("two");
        place.check_all();
        place.check(&since("HEAD~1"), &["HEAD~1"]);
    }
}

#[test]
fn what_changed_is_told_by_name() {
    let place = Place::new("sha1");
    every_kind(&place);
    let (mut paths, deleted) = place.changed(None);
    assert_eq!(
        paths,
        [
            "behind",
            "binary",
            "both",
            "caf\\xe9\\x09\"",
            "changed",
            "code.rs",
            "emptied",
            "folder",
            "gone from index",
            "intended",
            "intended empty",
            "link",
            "mode",
            "mode and text",
            "new/staged",
            "no newline",
            "staged",
            "to folder/file",
            "to link",
            "untracked",
        ]
    );
    assert_eq!(
        deleted,
        [
            "behind/file",
            "folder/deep/file",
            "gone",
            "gone empty",
            "to folder"
        ]
    );
    place.commit("two");
    assert_eq!(place.changed(None), (vec![], vec![]));
    // It is as it was, and tracked again.
    paths.retain(|path| path != "gone from index");
    assert_eq!(place.changed(Some("HEAD~1")).0, paths);
}

#[test]
fn before_the_first_commit_everything_is_new() {
    let place = Place::new("sha1");
    place.write("a", "x\n");
    place.write("b", "x\n");
    place.git(&["add", "a"]);
    place.check(&What::WorkTree, &[]);
    place.check(&What::Staged, &["--cached"]);
    assert_eq!(
        place.diff(&since("HEAD")).unwrap(),
        place.git_diff(&["--cached"])
    );
    assert_eq!(place.changed(None).0, ["a", "b"]);
    assert_eq!(log(&place.open(), 10).unwrap(), []);
}

#[test]
fn revisions_are_found_as_git_writes_them() {
    let place = Place::new("sha1");
    for text in ["one\n", "two\n", "three\n"] {
        place.write("a", text);
        place.commit(text.trim());
        place.git(&["branch", text.trim()]);
    }
    place.git(&["tag", "-a", "-m", "a tag", "tagged", "one"]);
    place.write("a", "now\n");
    let id = String::from_utf8(place.git(&["rev-parse", "one"])).unwrap();
    for packed in [false, true] {
        for revision in [
            "one",
            "two",
            "HEAD~2",
            "HEAD^",
            "@~1",
            "tagged",
            "tagged^{}",
            "trunk",
            "refs/heads/two",
            id.trim(),
            &id[..8],
        ] {
            place.check(&since(revision), &[revision]);
        }
        if !packed {
            place.git(&["gc", "-q"]);
        }
    }
    for (revision, part) in [
        (
            "missing",
            "`missing` names no commit: nothing has that name",
        ),
        ("HEAD~9", "`HEAD~9` names no commit"),
        ("HEAD:a", "`HEAD:a` names no commit"),
        ("one..two", "`one..two` names no commit"),
        ("", "`` names no commit"),
        ("--output=x", "`--output=x` names no commit"),
    ] {
        let error = place.diff(&since(revision)).unwrap_err().to_string();
        assert!(error.starts_with(part), "{error}");
    }
}

#[test]
fn line_ends_are_compared_as_git_compares_them() {
    // Each with the attributes of the tree, and those of the user.
    for (config, attributes, users) in [
        ("false", "", ""),
        ("true", "", ""),
        ("input", "", ""),
        ("false", "* text=auto\n", ""),
        ("false", "*.txt text\n*.bin -text\n", ""),
        ("true", "*.bin -text\n*.txt eol=lf\n", ""),
        ("false", "*.txt eol=crlf\n", ""),
        ("false", "*.bin -text\n", "* text=auto\n"),
        ("true", "", "[attr]kept -text\n*.txt kept\n"),
    ] {
        let place = Place::new("sha1");
        place.write("lf.txt", "a\nb\n");
        place.write("changed.txt", "a\nb\n");
        place.write("lf.bin", "a\nb\n");
        place.write("lone.txt", "a\rb\n");
        place.write("crlf.txt", "a\r\nb\r\n");
        place.write("mixed.txt", "a\r\nb\n");
        place.commit("one");
        place.git(&["config", "core.autocrlf", config]);
        place.write(".git/users", users);
        place.git(&["config", "core.attributesFile", ".git/users"]);
        place.write(".gitattributes", attributes);
        place.git(&["add", ".gitattributes"]);
        place.write("lf.txt", "a\r\nb\r\n");
        place.write("changed.txt", "a\r\nc\r\n");
        place.write("lf.bin", "a\r\nb\r\n");
        place.write("lone.txt", "a\rb\r\n");
        place.write("crlf.txt", "a\r\nc\r\n");
        place.write("mixed.txt", "a\r\nb\r\n");
        place.write("new.txt", "a\r\n");
        place.git(&["add", "-N", "new.txt"]);
        place.check_all();
        let same = place.git_diff(&["HEAD", "--", "lf.txt"]).is_empty();
        assert_eq!(same, !place.changed(None).0.contains(&"lf.txt".to_owned()));
    }
}

#[test]
fn attributes_say_what_is_shown() {
    let place = Place::new("sha1");
    place.write(
        ".gitattributes",
        "*.lock -diff\n*.dump diff\n*.png binary\n",
    );
    place.write("sub/.gitattributes", "*.lock diff\n");
    for name in [
        "a.lock",
        "sub/a.lock",
        "a.dump",
        "a.png",
        "a.txt",
        "info.txt",
        "gone.lock",
    ] {
        place.write(name, "a\0\n");
    }
    symlink("old", place.at("link.lock")).unwrap();
    place.commit("one");
    std::fs::create_dir_all(place.at(".git/info")).unwrap();
    std::fs::write(place.at(".git/info/attributes"), "info.txt diff\n").unwrap();
    for name in [
        "a.lock",
        "sub/a.lock",
        "a.dump",
        "a.png",
        "a.txt",
        "info.txt",
        "new.lock",
    ] {
        place.write(name, "b\0\n");
    }
    std::fs::remove_file(place.at("gone.lock")).unwrap();
    std::fs::remove_file(place.at("link.lock")).unwrap();
    symlink("new", place.at("link.lock")).unwrap();
    place.write("empty.lock", "");
    place.git(&["add", "-N", "new.lock", "empty.lock"]);
    place.check_all();
    // A rule file that was deleted holds as the index has it.
    std::fs::remove_file(place.at(".gitattributes")).unwrap();
    place.check_all();
}

#[test]
fn of_what_a_pack_only_lists_lines_are_counted() {
    let place = Place::new("sha1");
    let generated = format!("// @generated\n{}", lines(40));
    let minified = format!("{}\n", "a;".repeat(300));
    let pointer = |oid: &str| {
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 1\n")
    };
    for (name, contents) in [
        ("Cargo.lock", &*lines(40)),
        ("a b/yarn.lock", "x\n"),
        ("attributed/yarn.lock", "x\n"),
        ("code.rs", "x\n"),
        ("by_tool.rs", &generated),
        ("gone/uv.lock", "1\n2\n"),
        ("m.js", &minified),
        ("mode/go.sum", "x\n"),
        ("now_code.rs", &generated),
        ("nul/bun.lockb", "\0a"),
        ("pointer.bin", &pointer("1")),
        ("vendor/x.c", "x\n"),
    ] {
        place.write(name, contents);
    }
    symlink("old", place.at("vendor/link")).unwrap();
    place.write(".gitattributes", "attributed/* -diff\n");
    place.commit("one");
    for (name, contents) in [
        (
            "Cargo.lock",
            &*lines(40)
                .replace("line 3\n", "")
                .replace("line 20\n", "new\nlines\n"),
        ),
        ("a b/yarn.lock", "x"),
        ("attributed/yarn.lock", "y\n"),
        ("code.rs", "y\n"),
        ("by_tool.rs", &generated.replace("line 7\n", "")),
        ("m.js", &minified.replace('a', "b")),
        ("new/Gemfile.lock", "1\n2\n"),
        ("now_code.rs", "x\n"),
        ("nul/bun.lockb", "\0b"),
        ("pointer.bin", &pointer("2")),
        ("vendor/x.c", "y\n"),
    ] {
        place.write(name, contents);
    }
    std::fs::remove_file(place.at("gone/uv.lock")).unwrap();
    std::fs::remove_file(place.at("vendor/link")).unwrap();
    symlink("new", place.at("vendor/link")).unwrap();
    place.set_mode("mode/go.sum", 0o755);
    place.git(&["add", "-N", "new"]);
    let repository = place.open();
    let packed = diff(&repository, &What::WorkTree, &|_| Detail::Packed, THREADS);
    let text = String::from_utf8(packed.unwrap().text).unwrap();
    let git = String::from_utf8(place.git_diff(&[])).unwrap();
    let part = |text: &str, name: &str| -> String {
        let mut parts = text.split_inclusive("diff --git ").skip(1);
        let part = parts.find(|part| part.starts_with(&format!("a/{name} b/")));
        part.unwrap().trim_end_matches("diff --git ").to_owned()
    };
    for (name, told) in [
        (
            "Cargo.lock",
            "Files a/Cargo.lock and b/Cargo.lock differ (lock): +2 -2 lines\n",
        ),
        (
            "a b/yarn.lock",
            "Files a/a b/yarn.lock and b/a b/yarn.lock differ (lock): +1 -1 lines\n",
        ),
        (
            "by_tool.rs",
            "Files a/by_tool.rs and b/by_tool.rs differ (generated): +0 -1 lines\n",
        ),
        (
            "gone/uv.lock",
            "deleted file mode 100644\nFiles a/gone/uv.lock and /dev/null differ (lock): +0 -2 lines\n",
        ),
        (
            "m.js",
            "Files a/m.js and b/m.js differ (minified): +1 -1 lines\n",
        ),
        (
            "new/Gemfile.lock",
            "new file mode 100644\nFiles /dev/null and b/new/Gemfile.lock differ (lock): +2 -0 lines\n",
        ),
        (
            "vendor/x.c",
            "Files a/vendor/x.c and b/vendor/x.c differ (vendored): +1 -1 lines\n",
        ),
    ] {
        let head = format!("a/{name} b/{name}\n");
        assert_eq!(part(&text, name), head + told);
    }
    for name in [
        "attributed/yarn.lock",
        "code.rs",
        "mode/go.sum",
        "now_code.rs",
        "nul/bun.lockb",
        "pointer.bin",
        "vendor/link",
    ] {
        assert_eq!(part(&text, name), part(&git, name));
    }
}

#[test]
fn files_of_lfs_are_compared_by_their_pointers() {
    let pointer = |oid: &str, n: usize| {
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {n}\n")
    };
    let hash = |bytes: &str| git::sha256(bytes.as_bytes()).unwrap().0;
    let place = Place::new("sha1");
    place.write("a.bin", pointer(&hash("bytes\n"), 6));
    place.write("b.bin", pointer(&hash("bytes\n"), 6));
    place.write("raw.bin", "raw\n");
    place.write("pointer.bin", pointer(&hash("bytes\n"), 6));
    place.commit("one");
    place.write(
        ".gitattributes",
        "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    );
    place.commit("two");
    place.write("a.bin", "bytes\n");
    place.write("b.bin", "other\n");
    place.write("raw.bin", "raw 2\n");
    let text = String::from_utf8(place.diff(&What::WorkTree).unwrap()).unwrap();
    let expected = format!(
        "diff --git a/b.bin b/b.bin\n--- a/b.bin\n+++ b/b.bin\n@@ -1,3 +1,3 @@\n version https://git-lfs.github.com/spec/v1\n\
         -oid sha256:{}\n+oid sha256:{}\n size 6\n\
         diff --git a/raw.bin b/raw.bin\n--- a/raw.bin\n+++ b/raw.bin\n@@ -1 +1 @@\n-raw\n+raw 2\n",
        hash("bytes\n"),
        hash("other\n")
    );
    assert_eq!(text, expected);
    assert_eq!(place.changed(None).0, ["b.bin", "raw.bin"]);
}

#[test]
fn submodules_count_by_their_commit() {
    let place = Place::new("sha1");
    let inner = Place::new("sha1");
    inner.write("x", "1\n");
    inner.commit("inner one");
    place.write("a", "x\n");
    place.write("to submodule", "x\n");
    for name in ["sub", "left", "gone", "empty"] {
        place.git(&[
            "submodule",
            "--quiet",
            "add",
            inner.root().to_str().unwrap(),
            name,
        ]);
    }
    place.commit("one");
    inner.write("x", "2\n");
    inner.commit("inner two");
    place.git(&["-C", "sub", "pull", "-q"]);
    std::fs::remove_dir_all(place.at("gone")).unwrap();
    std::fs::remove_dir_all(place.at("empty")).unwrap();
    std::fs::create_dir(place.at("empty")).unwrap();
    place.write("left/x", "dirty\n");
    std::fs::remove_file(place.at("to submodule")).unwrap();
    place.git(&[
        "clone",
        "-q",
        inner.root().to_str().unwrap(),
        "to submodule",
    ]);
    place.check(&What::WorkTree, &[]);
    place.git(&["add", "sub"]);
    place.check_all();
}

#[test]
fn what_need_not_be_checked_out_is_not_gone() {
    let place = Place::new("sha1");
    for name in ["in/a", "out/b", "out/deep/c", "assumed", "top"] {
        place.write(name, "x\n");
    }
    place.commit("one");
    place.write("out/b", "y\n");
    place.commit("two");
    place.git(&["update-index", "--assume-unchanged", "assumed"]);
    place.write("assumed", "changed\n");
    place.check_all();
    for sparse_index in ["--no-sparse-index", "--sparse-index"] {
        place.git(&["sparse-checkout", "set", "--cone", sparse_index, "in"]);
        place.write("top", "y\n");
        place.check_all();
        place.check(&since("HEAD~1"), &["HEAD~1"]);
        place.write("top", "x\n");
        place.git(&["add", "top"]);
    }
}

#[test]
fn a_conflict_is_one_line() {
    let place = Place::new("sha1");
    place.write("a", "base\n");
    place.write("b", "base\n");
    place.commit("base");
    place.git(&["checkout", "-q", "-b", "other"]);
    place.write("a", "theirs\n");
    place.commit("theirs");
    place.git(&["checkout", "-q", "trunk"]);
    place.write("a", "ours\n");
    place.commit("ours");
    assert!(!place.try_git(&["merge", "-q", "other"]).status.success());
    place.write("b", "changed\n");
    let told =
        b"* Unmerged path a\ndiff --git a/b b/b\n--- a/b\n+++ b/b\n@@ -1 +1 @@\n-base\n+changed\n";
    for what in [What::WorkTree, since("HEAD")] {
        assert_eq!(place.diff(&what).unwrap(), told);
    }
    place.check(&What::Staged, &["--cached"]);
    assert_eq!(place.changed(None).0, ["a", "b"]);
}

#[test]
fn modes_and_links_count_where_the_file_system_has_them() {
    for key in ["core.fileMode", "core.symlinks"] {
        let place = Place::new("sha1");
        place.write("a", "x\n");
        place.write("b", "x\n");
        place.set_mode("b", 0o755);
        symlink("target", place.at("link")).unwrap();
        symlink("target", place.at("other")).unwrap();
        place.commit("one");
        place.git(&["config", key, "false"]);
        place.set_mode("a", 0o755);
        place.set_mode("b", 0o644);
        for (name, target) in [("link", "target"), ("other", "elsewhere")] {
            std::fs::remove_file(place.at(name)).unwrap();
            place.write(name, target);
        }
        place.check_all();
    }
}

#[test]
fn history_is_read_wherever_git_keeps_it() {
    let place = Place::new("sha1");
    place.write("a", "1\n");
    place.commit("one");
    place.write("a", "2\n");
    place.write("b", "1\n");
    place.commit("two");
    let beside = |name: &str| place.folder.path().canonicalize().unwrap().join(name);
    let from = format!("file://{}", place.root().display());
    let clone = |name: &str, flags: &[&str]| {
        let to = beside(name);
        place.git(
            &[
                &["clone", "-q"],
                flags,
                &[from.as_str(), to.to_str().unwrap()],
            ]
            .concat(),
        );
    };
    clone("shallow", &["--depth", "1"]);
    place.git(&[
        "clone",
        "-q",
        "--shared",
        ".",
        beside("borrowing").to_str().unwrap(),
    ]);
    place.git(&["worktree", "add", "-q", beside("linked").to_str().unwrap()]);
    place.git(&[
        "clone",
        "-q",
        "--separate-git-dir",
        beside("apart.git").to_str().unwrap(),
        ".",
        beside("apart").to_str().unwrap(),
    ]);
    for (name, n_commits) in [
        ("shallow", 1),
        ("borrowing", 2),
        ("linked", 2),
        ("apart", 2),
    ] {
        let there = Place::empty();
        std::fs::remove_dir(there.root()).unwrap();
        std::os::unix::fs::symlink(beside(name), there.folder.path().join("repo")).unwrap();
        std::fs::write(beside(name).join("a"), "3\n").unwrap();
        let (repository, _, _) = repo::open(&beside(name), &[]).unwrap();
        let ours = diff(&repository, &What::WorkTree, &|_| Detail::Full, THREADS).unwrap();
        assert_eq!(
            ours.text, b"diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-2\n+3\n",
            "{name}"
        );
        let log = log(&repository, 10).unwrap();
        assert_eq!(log.len(), n_commits, "{name}");
        assert_eq!(log[0].files.len(), 2, "{name}");
    }
}

/// Returns the log as git tells it.
fn git_log(place: &Place, n: usize) -> Vec<Commit> {
    let n = format!("-{n}");
    let format = "--format=%x01%H%x02%ad%x02%an%x02%B%x02";
    let text = place.git(&[
        "log",
        &n,
        format,
        "--date=iso",
        "--name-only",
        "--no-renames",
        "-z",
    ]);
    let text = String::from_utf8_lossy(&text).into_owned();
    let commits = text.split('\x01').skip(1);
    commits
        .map(|commit| {
            let parts: Vec<&str> = commit.split('\x02').collect();
            let names = parts[4].split(['\0', '\n']).filter(|name| !name.is_empty());
            Commit {
                id: parts[0].to_owned(),
                date: parts[1].to_owned(),
                author: parts[2].to_owned(),
                message: parts[3].trim_end().to_owned(),
                files: names
                    .map(|name| RepoPath::parse(name.as_bytes()).unwrap())
                    .collect(),
            }
        })
        .collect()
}

#[test]
fn the_log_is_that_of_git() {
    for format in ["sha1", "sha256"] {
        let place = Place::new(format);
        place.write("a", "1\n");
        place.write("folder/b", "1\n");
        place.commit("one\n\nbody of one\n");
        place.git(&["mv", "a", "renamed"]);
        place.set_mode("folder/b", 0o755);
        place.git(&[
            "-c",
            "user.name=\u{c9}va",
            "commit",
            "-qam",
            "two",
            "--date",
            "2001-02-03T04:05:06+0530",
        ]);
        place.git(&["checkout", "-q", "-b", "side"]);
        place.write("side/c", "");
        place.commit("side");
        place.git(&["checkout", "-q", "trunk"]);
        place.write("main", "x");
        place.commit("main");
        place.git(&["merge", "-q", "--no-ff", "-m", "merged", "side"]);
        std::fs::remove_dir_all(place.at("folder")).unwrap();
        place.write("folder", "now a file");
        place.commit("last");
        // A replacement changes what git shows; here a commit is what its id says.
        for n in [0, 1, 3, 100] {
            assert_eq!(log(&place.open(), n).unwrap(), git_log(&place, n), "{n}");
        }
        let whole = log(&place.open(), 100).unwrap();
        place.git(&["replace", "HEAD", "HEAD~2"]);
        assert_eq!(log(&place.open(), 100).unwrap(), whole);
    }
}

#[test]
fn what_a_file_was_renamed_to_is_told_from_commits() {
    let place = Place::new("sha1");
    place.write("a", lines(20));
    place.write("gone", "x\n");
    place.write("folder/b", lines(30));
    place.commit("one");
    place.git(&["mv", "a", "middle"]);
    place.commit("two");
    place.git(&["mv", "middle", "folder/new"]);
    place.write("folder/new", lines(20).replace("line 3\n", "another\n"));
    place.git(&["rm", "-q", "gone"]);
    place.write("other", "y\n");
    place.commit("three");
    place.git(&["mv", "folder/b", "c"]);
    place.commit("four");
    let path = |name: &str| RepoPath::parse(name.as_bytes()).unwrap();
    let told = |gone: &[&str]| -> Vec<(String, String)> {
        let gone = gone.iter().map(|name| path(name)).collect();
        let renames = renames(&place.open(), gone).unwrap();
        let each = renames
            .iter()
            .map(|(old, new)| (old.to_string(), new.to_string()));
        each.collect()
    };
    let pair = |old: &str, new: &str| (old.to_owned(), new.to_owned());
    assert_eq!(told(&["folder/b"]), [pair("folder/b", "c")]);
    assert_eq!(
        told(&["a"]),
        [pair("a", "middle"), pair("middle", "folder/new")]
    );
    assert_eq!(told(&["gone", "never", "folder", "c/d"]), []);
}

#[test]
fn a_commit_says_what_git_takes_it_to_say() {
    const EPOCH: &str = "1970-01-01 00:00:00 +0000";
    let place = Place::new("sha1");
    place.write("a", "x\n");
    place.commit("one");
    let tree = String::from_utf8(place.git(&["rev-parse", "HEAD^{tree}"])).unwrap();
    // Each with the name and the date that are shown.
    for (person, name, date) in [
        ("t <t@t> 1700000000 +0130", "t", "2023-11-14 23:43:20 +0130"),
        (
            "t <t@t>  1700000000  -0030 x",
            "t",
            "2023-11-14 21:43:20 -0030",
        ),
        ("t <t@t>1700000000 +0100", "t", "2023-11-14 23:13:20 +0100"),
        ("a <b> c <d> 7 +0000", "a", "1970-01-01 00:00:07 +0000"),
        ("<> 5 +0000", "", "1970-01-01 00:00:05 +0000"),
        ("t <t@t> 5 +99999999999", "t", "1970-01-01 00:00:05 +0000"),
        ("t <t@t> abc +0000", "t", EPOCH),
        ("t <t@t> 99999999999999999999999 +0100", "t", EPOCH),
        ("t <t@t>", "t", EPOCH),
        ("t <t@t> 1700000000", "t", EPOCH),
        ("t <t@t> 1700000000 xyz", "t", EPOCH),
        ("t <t@t> 1700000000.5 +0100", "t", EPOCH),
        ("t <t@t> +1700000000 +0100", "t", EPOCH),
        ("t <t@t> -5 +0000", "t", EPOCH),
        ("nobody", "", EPOCH),
        ("t t@t 5 +0000", "", EPOCH),
        ("t <t@t 5 +0000", "", EPOCH),
        ("", "", EPOCH),
    ] {
        let text = format!("tree {tree}author {person}\ncommitter {person}\n\nsaid\n");
        std::fs::write(place.at("commit"), text).unwrap();
        let made = place.git(&["hash-object", "-t", "commit", "-w", "--literally", "commit"]);
        let id = String::from_utf8(made).unwrap().trim().to_owned();
        place.git(&["update-ref", "refs/heads/trunk", &id]);
        let shown = String::from_utf8(place.git(&["log", "--date=iso"])).unwrap();
        let shown = shown.lines().find_map(|line| line.strip_prefix("Date:   "));
        assert!(
            shown.is_none_or(|shown| shown == date),
            "{person}: {shown:?}"
        );
        let files = vec![RepoPath::parse(b"a").unwrap()];
        let expected = Commit {
            id,
            date: date.to_owned(),
            author: name.to_owned(),
            message: "said".to_owned(),
            files,
        };
        assert_eq!(log(&place.open(), 3).unwrap(), [expected], "{person}");
        assert_eq!(place.changed(None).1, Vec::<String>::new(), "{person}");
    }
}

#[test]
fn commits_with_odd_dates_are_sorted_as_git_sorts_them() {
    let place = Place::new("sha1");
    place.write("a", "x\n");
    place.commit("one");
    let tree = String::from_utf8(place.git(&["rev-parse", "HEAD^{tree}"])).unwrap();
    let make = |committed: &str, parents: &[String]| {
        let parents: Vec<String> = parents.iter().map(|id| format!("parent {id}\n")).collect();
        let parents = parents.concat();
        let person = format!("t <t@t> {committed}");
        let text = format!("tree {tree}{parents}author t <t@t> 5 +0000\ncommitter {person}\n\nx\n");
        std::fs::write(place.at("commit"), text).unwrap();
        let made = place.git(&["hash-object", "-t", "commit", "-w", "--literally", "commit"]);
        String::from_utf8(made).unwrap().trim().to_owned()
    };
    let dates = [
        "7 +0000",
        "abc",
        "",
        "-5 +0000",
        "9 x",
        "8.5 +0000",
        "> 6",
        "99999999999999999999999 +0000",
        "+10 +0000",
    ];
    let parents = dates.map(|date| make(date, &[]));
    let merge = make("10 +0000", &parents);
    place.git(&["update-ref", "refs/heads/trunk", &merge]);
    let ours: Vec<String> = log(&place.open(), 20)
        .unwrap()
        .into_iter()
        .map(|commit| commit.id)
        .collect();
    let gits = String::from_utf8(place.git(&["log", "--format=%H"])).unwrap();
    assert_eq!(ours, gits.lines().collect::<Vec<_>>());
}

/// Runs `act` in a thread of its own; none if it has not ended after a while.
fn in_time<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || send.send(act()));
    receive.recv_timeout(std::time::Duration::from_mins(1)).ok()
}

#[test]
fn a_pipe_among_gits_files_is_an_error_and_no_end_of_waiting() {
    for name in [
        "config",
        "HEAD",
        "index",
        "packed-refs",
        "shallow",
        "info/attributes",
        "refs/heads/trunk",
        "refs/heads/hooks",
        "objects/info/alternates",
        "objects/pack/pack-x.idx",
        "borrowed/pack/pack-x.idx",
        "logs/HEAD",
        "commondir",
    ] {
        let place = Place::new("sha1");
        place.write("a", "1\n");
        place.commit("one");
        let git = place.at(".git");
        if name.starts_with("borrowed") {
            std::fs::write(git.join("objects/info/alternates"), "../borrowed\n").unwrap();
        }
        if name.starts_with("logs") {
            std::fs::rename(git.join("logs"), place.folder.path().join("logs")).unwrap();
            symlink(place.folder.path().join("logs"), git.join("logs")).unwrap();
        }
        let file = git.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let _ = std::fs::remove_file(&file);
        assert!(
            Command::new("mkfifo")
                .arg(&file)
                .status()
                .unwrap()
                .success()
        );
        let root = place.root();
        let error = in_time(move || git::Past::open(&root).err().map(|error| error.to_string()));
        let error = error
            .unwrap_or_else(|| panic!("it waits for {name}"))
            .unwrap();
        assert!(
            error.ends_with("it is not a regular file"),
            "{name}: {error}"
        );
    }
}

#[test]
fn no_link_leads_out_of_gits_folders() {
    // Each with where it leads, from its own folder, and whether git's folders are read.
    for (link, goal, is_read) in [
        ("refs/x", "/", false),
        ("refs/heads/x", "../../..", false),
        ("refs/tags/refs", "../../../apart", false),
        ("x", "../apart", false),
        ("usr", "/usr", false),
        ("objects/x", "../../apart", false),
        ("logs/x", "/", false),
        ("refs/x", "heads", true),
        ("x", "refs/heads", true),
        ("objects/info/x", "../pack", true),
        ("logs/svn", "../../apart/svn", true),
        ("refs/nothing", "nothing", true),
        ("hooks", "/", true),
    ] {
        let place = Place::new("sha1");
        place.write("apart/svn/x", "x");
        place.write("a", "1\n");
        place.commit("one");
        let link = place.at(".git").join(link);
        let _ = std::fs::remove_dir_all(&link);
        symlink(goal, &link).unwrap();
        match git::Past::open(&place.root()) {
            Ok(past) => assert!(is_read && past.log(1).unwrap().len() == 1, "{link:?}"),
            Err(error) => assert!(
                !is_read && error.to_string().ends_with("leads out of git's folders"),
                "{link:?}: {error}"
            ),
        }
    }
}

#[test]
fn what_is_too_large_among_gits_files_is_told() {
    for (name, head, mib, why) in [
        ("index", "", 256, "its index has more than 256 MiB"),
        ("packed-refs", "", 32, "packed-refs` has more than 32 MiB"),
        (
            "packed-refs",
            "# pack-refs with: peeled fully-peeled sorted \n",
            1024,
            "packed-refs` has more than 1024 MiB",
        ),
        ("shallow", "", 64, "shallow` has more than 64 MiB"),
        ("refs/heads/x", "", 1024, "x` has more than 1024 MiB"),
    ] {
        let place = Place::new("sha1");
        place.write("a", "1\n");
        place.commit("one");
        let path = place.at(".git").join(name);
        std::fs::write(&path, head).unwrap();
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len((mib << 20) + 1).unwrap();
        let error = git::Past::open(&place.root()).err().unwrap().to_string();
        assert!(error.ends_with(why), "{error}");
    }
}

#[test]
fn a_branch_is_found_among_packed_refs() {
    let place = Place::new("sha1");
    place.write("a", "1\n");
    place.commit("one");
    let id = place.git(&["rev-parse", "HEAD"]);
    let id = String::from_utf8(id).unwrap().trim().to_owned();
    place.git(&["pack-refs", "--all"]);
    let other = "0".repeat(40);
    for refs in [
        format!("{id} refs/heads/trunk\n"),
        format!("# {}\n{id} refs/heads/trunk", "x".repeat(100_000)),
        format!("{other} refs/heads/x refs/heads/trunk\n{id} refs/heads/trunk\n^{other}\n"),
    ] {
        std::fs::write(place.at(".git/packed-refs"), &refs).unwrap();
        let found = git::head_of(&place.root()).map(|id| id.to_string());
        assert_eq!(found.as_ref(), Some(&id), "{refs}");
    }
    std::fs::write(place.at(".git/packed-refs"), "").unwrap();
    assert_eq!(git::head_of(&place.root()), None);
}

#[test]
fn a_damaged_repository_is_an_error() {
    for (name, bytes) in [
        ("index", &b"DIRC\0\0\0\x02\0\0\0\x09junk"[..]),
        ("HEAD", b"junk"),
        ("config", b"[core"),
        (
            "refs/heads/trunk",
            b"0123456789012345678901234567890123456789\n",
        ),
        ("refs/heads/trunk", b"junk"),
        ("packed-refs", b"junk"),
        ("shallow", b"junk\n"),
    ] {
        let place = Place::new("sha1");
        place.write("a", "1\n");
        place.commit("one");
        std::fs::write(place.at(".git").join(name), bytes).unwrap();
        let ask = |past: &git::Past| -> Result<(), HistoryError> {
            past.log(3)?;
            past.index()?;
            past.resolve("HEAD")?;
            Ok(())
        };
        let error = match git::Past::open(&place.root()) {
            Ok(past) => ask(&past).err().map(|error| error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        assert!(error.is_some(), "{name}");
    }
    // Every object in turn is cut short.
    let place = Place::new("sha1");
    place.write("a", lines(100));
    place.commit("one");
    place.write("a", lines(101));
    let objects = place.git(&["rev-list", "--objects", "--no-object-names", "HEAD"]);
    let objects = String::from_utf8(objects).unwrap();
    assert_eq!(objects.lines().count(), 3);
    for id in objects.lines() {
        let file = place.at(".git/objects").join(&id[..2]).join(&id[2..]);
        let bytes = std::fs::read(&file).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        let error = place.diff(&since("HEAD")).unwrap_err().to_string();
        assert!(error.contains(id) || error.contains("git"), "{error}");
        std::fs::write(&file, bytes).unwrap();
    }
}

#[test]
fn trees_that_stand_for_more_than_a_machine_holds_are_refused() {
    let place = Place::new("sha1");
    let make = |entries: &[u8]| -> String {
        std::fs::write(place.at("entries"), entries).unwrap();
        let made = place.git(&["hash-object", "-t", "tree", "-w", "--literally", "entries"]);
        String::from_utf8(made).unwrap().trim().to_owned()
    };
    let entry = |mode: &str, name: &str, id: &str| -> Vec<u8> {
        let id = (0..20).map(|at| u8::from_str_radix(&id[2 * at..2 * at + 2], 16).unwrap());
        format!("{mode} {name}\0")
            .into_bytes()
            .into_iter()
            .chain(id)
            .collect()
    };
    // A hundred trees in each of a hundred trees, six times over, and no file.
    let mut wide = make(b"");
    for _ in 0..6 {
        let entries: Vec<u8> = (0..100)
            .flat_map(|name| entry("40000", &name.to_string(), &wide))
            .collect();
        wide = make(&entries);
    }
    let blob = String::from_utf8(place.git(&["hash-object", "-w", "entries"])).unwrap();
    let mut deep = make(&entry("100644", "file", blob.trim()));
    for _ in 0..25 {
        deep = make(&entry("40000", &"d".repeat(200), &deep));
    }
    for (tree, why) in [
        (wide, "there are too many files"),
        (deep, "its path is too long"),
    ] {
        let commit = place.git(&["commit-tree", "-m", "bomb", &tree]);
        let commit = String::from_utf8(commit).unwrap();
        place.git(&["update-ref", "refs/heads/trunk", commit.trim()]);
        for error in [
            place.diff(&What::Staged).unwrap_err(),
            log(&place.open(), 1).unwrap_err(),
        ] {
            assert!(error.to_string().ends_with(why), "{error}");
        }
    }
}

#[test]
fn what_is_too_large_to_show_is_told() {
    let place = Place::new("sha1");
    let size = usize::try_from(compare::MAX_SHOWN_BYTES).unwrap();
    for (name, n) in [
        ("grows", size),
        ("shrinks", size + 1),
        ("large", size + 1),
        ("same", size + 1),
        ("small", 10),
    ] {
        place.write(name, "x".repeat(n));
    }
    place.commit("one");
    for (name, n) in [
        ("grows", size + 1),
        ("shrinks", size),
        ("large", size + 2),
        ("same", size + 1),
        ("small", 11),
    ] {
        place.write(name, "x".repeat(n));
    }
    let text = String::from_utf8(place.diff(&What::WorkTree).unwrap()).unwrap();
    let told = |name: &str| format!("Binary files a/{name} and b/{name} differ\n");
    for (name, expected) in [
        ("grows", 1),
        ("shrinks", 1),
        ("large", 1),
        ("same", 0),
        ("small", 0),
    ] {
        assert_eq!(text.matches(&told(name)).count(), expected, "{name}");
    }
    assert!(text.len() < 1000);
}

#[test]
fn without_git_there_is_no_history() {
    let place = Place::empty();
    place.write("a", "x");
    let error = place.diff(&What::WorkTree).unwrap_err().to_string();
    assert!(error.ends_with("it is no git repository"), "{error}");
}
