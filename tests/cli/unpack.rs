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
    ("fence", b"```\n````\n========\n## `a`\nFile: a\n"),
    ("new\nline", b"name\n"),
    ("__proto__", b"name\n"),
    ("`", b"name\n"),
    (" ` `` ", b"name\n"),
    ("  ", b"name\n"),
    ("back\\slash", b"name\n"),
];

const FORMATS: [&str; 4] = ["xml", "markdown", "json", "plain"];

#[test]
fn every_row_of_the_table_comes_back() {
    let mut repo = Repo::new();
    for (name, bytes) in ROWS {
        repo = repo.file(name, bytes);
    }
    for format in FORMATS {
        let (pack, out) = (repo.beside(format), repo.beside(&format!("out-{format}")));
        let (pack, folder) = (pack.to_str().unwrap(), out.to_str().unwrap());
        let packed = repo.run(&["pack", "-q", "--format", format, "-o", pack]);
        assert_eq!(packed.code, 0, "{}", packed.stderr);
        let run = repo.run(&["unpack", pack, "-d", folder]);
        assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
        for (name, bytes) in ROWS {
            assert_eq!(read(&out.join(name)), *bytes, "{format}: {name:?}");
        }
        assert_eq!(out.read_dir().unwrap().count(), ROWS.len());
        // Once more, over the same files: nothing is in the way.
        assert_eq!(repo.run(&["unpack", "-q", pack, "-d", folder]).code, 0);
    }
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

/// The same for other formats: which, what is replaced by what, and what the error must say.
const BAD_IN_OTHERS: &[(&str, &str, &str, &str)] = &[
    (
        "markdown",
        "<!-- end of twostep pack -->\n",
        "",
        "the pack is cut",
    ),
    ("markdown", "two\n", "\u{0}", "is cut"),
    (
        "markdown",
        "-->\n\n# S",
        "-->\r\n\r\n# S",
        "not well-formed, at line 1",
    ),
    (
        "markdown",
        "## `a`\n\n```text\none\n\n```\n",
        "",
        "says that it holds 2 files in full, and holds 1",
    ),
    (
        "markdown",
        "```text\none\n\n```\n",
        "",
        "says that it holds 2 files in full, and holds 1",
    ),
    ("markdown", "## `a`\n", "", "a text belongs to no file"),
    ("markdown", "one\n\n", "", "damaged"),
    (
        "markdown",
        "## `a`",
        "## `../a`",
        "not a path inside the repository: `../a`",
    ),
    ("markdown", "## `a`", "## `.git/a`", "git's own"),
    ("markdown", "## `a`", "## `b`", "holds `b` twice"),
    ("markdown", "## `a`", "## a", "a path is not quoted"),
    (
        "markdown",
        "## `a`\n",
        "## `a`\n\nzip: true\n",
        "carried in a way",
    ),
    (
        "markdown",
        "## `a`\n",
        "## `a`\n\nbom: true, bom: true\n",
        "carried in a way",
    ),
    (
        "markdown",
        "## `a`\n",
        "## `a`\n\nhello\n",
        "this says nothing of a file",
    ),
    ("markdown", "format 1", "format 2", "format `2`"),
    (
        "markdown",
        "# Totals\n",
        "# Totals\n\nfiles: 2\n",
        "its totals twice",
    ),
    ("markdown", "# Totals\n", "# Total\n", "it has no totals"),
    (
        "markdown",
        "pack -->\n",
        "pack -->\n\n",
        "something stands after its end",
    ),
    (
        "markdown",
        "<!-- twostep",
        "<!-- onestep",
        "this is no pack of twostep",
    ),
    ("plain", "---- End\n", "", "the pack is cut"),
    ("plain", "File: a\n", "File: /a\n", "it is absolute"),
    ("plain", "File: a\n", "File: b\n", "holds `b` twice"),
    ("plain", "format 1", "format 2", "format `2`"),
    ("plain", "one\n\n", "", "damaged"),
    ("plain", "twostep pack, ", "", "this is no pack of twostep"),
    ("json", "\"}\n]", "\u{0}", "is cut"),
    ("json", "}\n}\n", "}\n", "is cut"),
    (
        "json",
        "}\n}\n",
        "}\n}\n{}",
        "something stands after its end",
    ),
    (
        "json",
        "{\"path\":\"a\",\"text\":\"one\\n\"}\n,",
        "",
        "says that it holds 2 files in full, and holds 1",
    ),
    (
        "json",
        "\"path\":\"a\"",
        "\"path\":\"a/../../b\"",
        "not a path inside the repository",
    ),
    (
        "json",
        "\"path\":\"a\"",
        "\"path\":\"b\"",
        "holds `b` twice",
    ),
    (
        "json",
        "\"path\":\"a\"",
        "\"path\":\"a\",\"path\":\"c\"",
        "carried in a way",
    ),
    (
        "json",
        "\"path\":\"a\"",
        "\"path\":\"a\",\"bom\":1",
        "carried in a way",
    ),
    (
        "json",
        "\"path\":\"a\"",
        "\"name\":\"a\"",
        "a file has no path",
    ),
    ("json", "\"format\":1", "\"format\":2", "format `2`"),
    (
        "json",
        "\"format\":1,",
        "",
        "its files are not where they belong",
    ),
    (
        "json",
        "\"totals\":{",
        "\"totals\":{\"files\":2},\"totals\":{",
        "its totals twice",
    ),
    (
        "json",
        "],\n\"totals\"",
        "],\n\"total\"",
        "it has no totals",
    ),
    (
        "json",
        "\"files\":[",
        "\"files\":[],\"files\":[",
        "its files are not where they belong",
    ),
    (
        "json",
        "{\"form\":\"twostep pack\",",
        "{",
        "this is no pack of twostep",
    ),
    ("json", "one\\n", "one\n", "not well-formed, at line"),
];

#[test]
fn a_bad_pack_writes_nothing() {
    let long = format!("path=\"{}\"", "a".repeat(256));
    let long = ("a long name", "path=\"a\"", long.as_str(), "is too long");
    let repo = Repo::new().file("a", "one\n").file("b", "two\n");
    let packs = FORMATS.map(|format| (format, repo.pack(&["--format", format])));
    let in_xml = BAD.iter().copied().chain([long]).map(|row| ("xml", row));
    let in_others = BAD_IN_OTHERS.iter().map(|row| (row.0, *row));
    let out = repo.beside("out");
    for (format, (what, from, to, message)) in in_xml.chain(in_others) {
        let what = format!("{what}: {from:?} -> {to:?}");
        let (_, pack) = packs.iter().find(|(name, _)| *name == format).unwrap();
        assert!(pack.contains(from), "{what}");
        let mut bad = pack.replacen(from, to, if format == "xml" { usize::MAX } else { 1 });
        if to == "\u{0}" {
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
fn json_that_was_set_in_another_way_is_still_a_pack() {
    let repo = Repo::new().file("a", "one\n").file("b.png", "\0");
    let pack: serde_json::Value = serde_json::from_str(&repo.pack(&["--format", "json"])).unwrap();
    let member = |name: &str| format!("\"{name}\" : {:#}", pack[name]);
    let members = ["form", "format", "files", "totals"].map(member);
    let other = format!("\n{{\n{}}}", members.join(" ,\n"));
    let out = repo.beside("out");
    let args = ["unpack", "-q", "-", "-d", out.to_str().unwrap()];
    let run = repo.run_with_stdin(&args, other.as_bytes());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(read(&out.join("a")), b"one\n");
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
