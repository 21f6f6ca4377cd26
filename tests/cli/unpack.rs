//! Files got back from a pack.

use super::{Repo, read};

/// One file for each row of the carriage table.
const ROWS: &[(&str, &[u8])] = &[
    ("lf", b"a\n\nb"),
    ("empty", b""),
    ("newline", b"\n"),
    ("crlf", b"a\r\nb\r\n"),
    ("mixed", b"a\r\nb\nc\rd"),
    ("bom", b"\xef\xbb\xbfa\n"),
    ("utf16", b"\xff\xfea\0\r\0\n\0"),
    (
        "latin1",
        b"caf\xe9, cr\xe8me br\xfbl\xe9e, gar\xe7on, d\xe9j\xe0 vu\n",
    ),
    ("escape", b"\x1b[31mred\x1b[0m\x0c\n"),
    ("both", "\u{1}\u{2401}".as_bytes()),
    ("noncharacter", "\u{ffff}".as_bytes()),
    ("closer", b"]]> <![CDATA[ ]]]]> </file><file path=\"x\">"),
    ("new\nline", b"name\n"),
    ("back\\slash", b"name\n"),
];

#[test]
fn every_row_of_the_table_comes_back() {
    let mut repo = Repo::new();
    for (name, bytes) in ROWS {
        repo = repo.file(name, bytes);
    }
    let pack = repo.beside("pack.xml");
    let out = repo.beside("out");
    assert_eq!(
        repo.run(&["pack", "-q", "-o", pack.to_str().unwrap()]).code,
        0
    );
    let run = repo.run(&[
        "unpack",
        pack.to_str().unwrap(),
        "-d",
        out.to_str().unwrap(),
    ]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    for (name, bytes) in ROWS {
        assert_eq!(read(&out.join(name)), *bytes, "{name:?}");
    }
    assert_eq!(out.read_dir().unwrap().count(), ROWS.len());
    // Once more, over the same files: nothing is in the way.
    assert_eq!(
        repo.run(&[
            "unpack",
            "-q",
            pack.to_str().unwrap(),
            "-d",
            out.to_str().unwrap()
        ])
        .code,
        0
    );
}

#[test]
fn a_file_that_is_there_is_kept_unless_forced() {
    let repo = Repo::new().file("a", "new\n").file("b", "other\n");
    let pack = repo.pack(&[]);
    let repo = repo.file("a", "mine\n");
    let run = repo.run_with_stdin(&["unpack", "-"], pack.as_bytes());
    assert_eq!(run.code, 2);
    insta::assert_snapshot!(run.stderr, @r"
    error: cannot unpack `-`: there is a different `a` already

    hint: unpack into an empty folder with `-d DIR`, or replace files with `--force`
    ");
    assert_eq!(read(&repo.root().join("a")), b"mine\n");
    assert_eq!(
        repo.run_with_stdin(&["unpack", "-", "--force"], pack.as_bytes())
            .code,
        0
    );
    assert_eq!(read(&repo.root().join("a")), b"new\n");
}

/// What is done to a good pack, what is replaced by what, and what the error must say.
const BAD: &[(&str, &str, &str, &str)] = &[
    ("cut", "</pack>\n", "", "the pack is cut: it has no end"),
    ("cut in a file", "two", "\u{0}", "is cut"),
    (
        "a file gone",
        "<file path=\"a\"><![CDATA[\none\n\n]]></file>\n",
        "",
        "says that it holds 2 files in full, and holds 1",
    ),
    (
        "upwards",
        "path=\"a\"",
        "path=\"../a\"",
        "not a path inside the repository: `../a`",
    ),
    ("absolute", "path=\"a\"", "path=\"/a\"", "it is absolute"),
    (
        "git's own",
        "path=\"a\"",
        "path=\".GIT/hooks/x\"",
        "git's own",
    ),
    ("twice", "path=\"a\"", "path=\"b\"", "holds `b` twice"),
    (
        "file and folder",
        "path=\"a\"",
        "path=\"b/a\"",
        "both as a file and as a folder",
    ),
    ("version", "format=\"1\"", "format=\"2\"", "format `2`"),
    ("frame", "<![CDATA[\none", "<![CDATA[one", "damaged"),
    (
        "carriage",
        "path=\"a\"",
        "path=\"a\" carriage=\"rot13\"",
        "carried in a way",
    ),
    ("not a pack", "<pack", "<html", "this is no pack of twostep"),
    (
        "document type",
        "<pack",
        "<!DOCTYPE x><pack",
        "this is no pack of twostep",
    ),
    (
        "a charset of no name",
        "path=\"a\"",
        "path=\"a\" charset=\"UTF-16LE\"",
        "carried in a way",
    ),
    (
        "an unknown attribute",
        "path=\"a\"",
        "path=\"a\" zip=\"true\"",
        "carried in a way",
    ),
    (
        "an escape that is none",
        "path=\"a\"",
        "path=\"a\" path-escape=\"false\"",
        "carried in a way",
    ),
    (
        "a second root",
        "</pack>\n",
        "</pack><pack/>",
        "something stands after its end",
    ),
    (
        "totals twice",
        "<totals",
        "<totals files=\"9\"></totals><totals",
        "its totals twice",
    ),
    ("not well-formed", "</files>", "</fills>", "not well-formed"),
];

#[test]
fn a_bad_pack_writes_nothing() {
    let long = format!("path=\"{}\"", "a".repeat(256));
    let long = ("a long name", "path=\"a\"", long.as_str(), "is too long");
    let repo = Repo::new().file("a", "one\n").file("b", "two\n");
    let pack = repo.pack(&[]);
    let out = repo.beside("out");
    for (what, from, to, message) in BAD.iter().copied().chain([long]) {
        assert!(pack.contains(from), "{what}");
        let mut bad = pack.replace(from, to);
        if what == "cut in a file" {
            bad.truncate(bad.find('\u{0}').unwrap());
        }
        let run = repo.run_with_stdin(
            &["unpack", "-", "-d", out.to_str().unwrap()],
            bad.as_bytes(),
        );
        assert_eq!(run.code, 2, "{what}");
        assert!(
            run.stderr.contains(message) && run.stderr.contains("hint: "),
            "{what}: {}",
            run.stderr
        );
        assert!(!out.exists(), "{what}");
    }
}

#[test]
fn no_link_leads_out_of_the_folder() {
    let repo = Repo::new().file("folder/a", "x\n");
    let pack = repo.pack(&[]);
    let (out, outside) = (repo.beside("out"), repo.beside("outside"));
    std::fs::create_dir_all(&out).unwrap();
    std::fs::create_dir_all(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, out.join("folder")).unwrap();
    for force in [&[][..], &["--force"]] {
        let run = repo.run_with_stdin(
            &[&["unpack", "-", "-d", out.to_str().unwrap()], force].concat(),
            pack.as_bytes(),
        );
        assert_eq!(run.code, 2, "{}", run.stderr);
    }
    assert_eq!(outside.read_dir().unwrap().count(), 0);
}

#[test]
fn a_replaced_file_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let name = "n".repeat(252);
    let repo = Repo::new().file(&name, "new\n");
    let pack = repo.pack(&[]);
    let repo = repo.file(&name, "old\n");
    let path = repo.root().join(&name);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(
        repo.run_with_stdin(&["unpack", "-", "--force"], pack.as_bytes())
            .code,
        0
    );
    assert_eq!(read(&path), b"new\n");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(repo.root().read_dir().unwrap().count(), 1);
}

#[test]
fn a_name_that_some_systems_take_for_gits_is_listed_and_stops_nothing() {
    let repo = Repo::new().file("git~1", "x").file("a", "x");
    let pack = repo.pack(&["git~1", "."]);
    assert!(pack.contains("<file path=\"git~1\" level=\"path\" kind=\"git-name\""));
    let out = repo.beside("out");
    let run = repo.run_with_stdin(
        &["unpack", "-", "-d", out.to_str().unwrap()],
        pack.as_bytes(),
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
}
