//! Patches, against what git makes of them.

use proptest::prelude::*;

use super::*;
use crate::fs::Root;
use crate::patch::{PatchError, apply};

/// A tree by path: kind (`f`, `x`, `l`) and contents.
type Tree = BTreeMap<Vec<u8>, (char, Vec<u8>)>;

fn make(folder: &Path, tree: &Tree) {
    for (name, (kind, contents)) in tree {
        let path = folder.join(OsStr::from_bytes(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        if *kind == 'l' {
            symlink(OsStr::from_bytes(contents), path).unwrap();
        } else {
            std::fs::write(&path, contents).unwrap();
            set_mode(&path, if *kind == 'x' { 0o755 } else { 0o644 });
        }
    }
}

fn clear(folder: &Path) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            if !path.ends_with(".git") {
                std::fs::remove_dir_all(path).unwrap();
            }
        } else {
            std::fs::remove_file(path).unwrap();
        }
    }
}

fn patch_of(scratch: &Scratch, changes: &ChangeSet) -> Vec<u8> {
    let originals = scratch.originals().unwrap();
    let after = |path: &RepoPath| {
        let place = scratch.folder.join(path.as_path());
        Ok(match place.read_link() {
            Ok(target) => target.as_os_str().as_bytes().to_vec(),
            Err(_) => std::fs::read(place).unwrap(),
        })
    };
    changes.patch(|path| originals.read(path), after).unwrap()
}

/// Makes a patch from one tree to the other, and applies it: by git to files and index, and by us.
fn check(old: &Tree, new: &Tree) {
    let place = Place::new();
    make(&place.root(), old);
    let scratch = place.scratch();
    clear(&scratch.folder);
    make(&scratch.folder, new);
    let changes = place.changes(&scratch);
    assert_eq!(changes.refused, []);
    let patch = patch_of(&scratch, &changes);
    let text = String::from_utf8_lossy(&patch).into_owned();
    if changes.changes.is_empty() {
        assert_eq!(text, "");
        return;
    }
    let ours = place.beside("ours");
    make(&ours, old);
    std::fs::create_dir_all(&ours).unwrap();
    let applied = apply(&patch, &Root::open(&ours).unwrap())
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    same(&files(&ours), new, &text);
    let expected: Vec<_> = changes
        .changes
        .iter()
        .map(|change| change.path.clone())
        .collect();
    assert_eq!(applied, expected);
    let theirs = place.beside("theirs");
    std::fs::create_dir_all(&theirs).unwrap();
    make(&theirs, old);
    git(&theirs, &["init", "-q"]);
    git(&theirs, &["add", "-A", "-f"]);
    std::fs::write(place.beside("patch"), &patch).unwrap();
    git(
        &theirs,
        &["apply", "--index", "--whitespace=nowarn", "../patch"],
    );
    same(&files(&theirs), new, &text);
}

/// Compares two trees, and names only what differs.
#[track_caller]
fn same(found: &Tree, expected: &Tree, patch: &str) {
    let differs = |a: &Tree, b: &Tree| -> Tree {
        a.iter()
            .filter(|(name, file)| b.get(*name) != Some(file))
            .map(|(name, file)| (name.clone(), file.clone()))
            .collect()
    };
    assert_eq!(
        differs(found, expected),
        differs(expected, found),
        "{patch}"
    );
}

fn tree(files: &[(&[u8], char, &[u8])]) -> Tree {
    let files = files
        .iter()
        .map(|(name, kind, contents)| (name.to_vec(), (*kind, contents.to_vec())));
    files.collect()
}

#[test]
fn every_kind_of_change_is_one_that_git_applies() {
    let lines: Vec<u8> = (0..40)
        .flat_map(|n| format!("line {n}\n").into_bytes())
        .collect();
    let edited = String::from_utf8(lines.clone())
        .unwrap()
        .replace("line 3\n", "")
        .replace("line 20\n", "new\nlines\n");
    check(
        &tree(&[
            (b"changed", 'f', &lines),
            (b"no newline", 'f', b"a\nb"),
            (b"gets newline", 'f', b"a\nb"),
            (b"crlf", 'f', b"a\r\nb\r\n"),
            (b"mode", 'f', b"x\n"),
            (b"mode and text", 'x', b"x\n"),
            (b"gone", 'f', b"x\ny\n"),
            (b"gone empty", 'f', b""),
            (b"gone binary", 'x', b"\0\x01"),
            (b"binary", 'f', b"\0 old"),
            (b"becomes binary", 'f', b"text\n"),
            (b"empty", 'f', b""),
            (b"emptied", 'f', b"x"),
            (b"link", 'l', b"old target"),
            (b"file to link", 'f', b"x\n"),
            (b"link to file", 'l', b"target"),
            (b"file to folder", 'f', b"x\n"),
            (b"folder to file/inner", 'f', b"x\n"),
            (b"caf\xe9\t\"\\\n", 'f', b"odd name\n"),
            (b"latin", 'f', b"caf\xe9\n"),
        ]),
        &tree(&[
            (b"changed", 'f', edited.as_bytes()),
            (b"no newline", 'f', b"a\nc"),
            (b"gets newline", 'f', b"a\nb\n"),
            (b"crlf", 'f', b"a\r\nb\n"),
            (b"mode", 'x', b"x\n"),
            (b"mode and text", 'f', b"y\n"),
            (b"binary", 'f', b"\0 new"),
            (b"becomes binary", 'f', b"\0"),
            (b"empty", 'f', b"x"),
            (b"emptied", 'f', b""),
            (b"link", 'l', b"new target"),
            (b"file to link", 'l', b"x\n"),
            (b"link to file", 'f', b"target"),
            (b"file to folder/inner", 'f', b"x\n"),
            (b"folder to file", 'f', b"x\n"),
            (b"caf\xe9\t\"\\\n", 'f', b"odd name\nand text\n"),
            (b"latin", 'f', b"caf\xe8\n"),
            (b"new/file", 'f', b"x\n"),
            (b"new empty", 'x', b""),
            (b"new binary", 'f', &[0; 300]),
            (b"\xff", 'l', b"\xfe"),
        ]),
    );
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let name = proptest::sample::select(vec![
        &b"a"[..],
        b"b c",
        b"d/e",
        b"d/f\"",
        b"g\xff",
        b"h/i/j",
    ]);
    let line = proptest::sample::select(vec![
        &b"x\n"[..],
        b"y\n",
        b"\n",
        b"x",
        b"\r\n",
        b"\\ z\n",
        b"-- a\n",
        b"\0\n",
        b"\xff\n",
    ]);
    let text = proptest::collection::vec(line, 0..20).prop_map(|lines| lines.concat());
    let kind = proptest::sample::select(vec!['f', 'f', 'x', 'l']);
    let file = (name, kind, text).prop_map(|(name, kind, text)| {
        let text = if kind == 'l' {
            b"target".to_vec()
        } else {
            text
        };
        (name.to_vec(), (kind, text))
    });
    proptest::collection::vec(file, 0..6).prop_map(|files| files.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn a_patch_makes_one_tree_of_the_other(old in any_tree(), new in any_tree()) {
        check(&old, &new);
    }
}

const PATCH: &str = "\
diff --git a/one b/one
--- a/one
+++ b/one
@@ -1,2 +1,2 @@
-a
+A
 b
diff --git a/two b/two
--- a/two
+++ b/two
@@ -1 +1 @@
-x
+y
";

#[test]
fn a_patch_that_does_not_fit_changes_nothing_and_says_where() {
    let new = "diff --git a/NAME b/NAME\nnew file mode 100644\n--- /dev/null\n+++ b/NAME\n@@ -0,0 +1 @@\n+x\n";
    for (patch, expected) in [
        (
            PATCH.replace("-x\n+y", "-z\n+y"),
            "hunk 1 of `two` does not match: line 1 is another",
        ),
        (
            PATCH.replace("@@ -1 +1 @@", "@@ -2 +2 @@"),
            "hunk 1 of `two` does not match: line 2 is another",
        ),
        (
            PATCH.replace("@@ -1 +1 @@", "@@ -9 +9 @@"),
            "hunk 1 of `two` does not match: there is no line 9",
        ),
        (
            PATCH.replace("@@ -1 +1 @@", "@@ -1 +2 @@"),
            "hunk 1 of `two` does not match: its new lines do not begin at line 2",
        ),
        (
            PATCH.replace("@@ -1 +1 @@", "@@ -1 +1,2 @@"),
            "line 13 of the patch: the hunk ends too early",
        ),
        (
            PATCH.replace("two", "six"),
            "the patch does not fit `six`: it is not there",
        ),
        (
            PATCH.replace("+++ b/two", "+++ b/six"),
            "line 10 of the patch: another name than behind `diff --git`",
        ),
        (
            PATCH.replace(" b/two\n-", " b/six\n-"),
            "line 8 of the patch: two names `a/PATH b/PATH` of one path are expected",
        ),
        (
            PATCH.replace("two", ".git/x"),
            "line 8 of the patch: `.git/x` belongs to git",
        ),
        (
            PATCH.replace("a/two", "a/../"),
            "line 8 of the patch: two names `a/PATH b/PATH` of one path are expected",
        ),
        (
            format!("{PATCH}{}", new.replace("NAME", "link/x")),
            "the patch does not fit `link/x`: `link` is no folder",
        ),
        (
            format!("{PATCH}{}", new.replace("NAME", "one/x")),
            "the patch does not fit `one/x`: `one` is no folder",
        ),
        (
            format!("{PATCH}{}", new.replace("NAME", "full")),
            "the patch does not fit `full`: it is a folder",
        ),
        (
            format!("{PATCH}{}", new.replace("NAME", "one")),
            "the patch does not fit `one`: it is there already",
        ),
        (
            PATCH.replace("--- a/two", "rename from x"),
            "line 9 of the patch: this kind of line is not known; renames, copies and `Binary files differ` are not applied",
        ),
        (
            format!("junk\n{PATCH}"),
            "line 1 of the patch: `diff --git` is expected here",
        ),
        (
            PATCH
                .replace("+y\n", "+y\n\\ No newline at end of file\n")
                .replace("two", "three"),
            "hunk 1 of `three` does not match: a line without a line break is not the last",
        ),
    ] {
        let place = Place::new()
            .file("one", "a\nb\n")
            .file("two", "x\ny\n")
            .file("three", "x\ny\n")
            .file("full/x", "x");
        symlink("full", place.root().join("link")).unwrap();
        let before = everything(&place.root());
        let error = apply(patch.as_bytes(), &Root::open(&place.root()).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(everything(&place.root()), before);
        assert!(!matches!(error, PatchError::Fs(_)));
    }
}

#[test]
fn a_patch_without_ids_is_applied_and_the_mode_stays() {
    let place = Place::new().file("one", "a\nb\n").file("two", "x\n");
    set_mode(place.root().join("one"), 0o600);
    let changed = apply(PATCH.as_bytes(), &Root::open(&place.root()).unwrap()).unwrap();
    assert_eq!(changed, ["one", "two"].map(path));
    assert_eq!(std::fs::read(place.root().join("one")).unwrap(), b"A\nb\n");
    assert_eq!(
        place.root().join("one").metadata().unwrap().mode() & 0o777,
        0o600
    );
}
