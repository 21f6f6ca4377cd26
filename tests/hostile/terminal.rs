//! What a terminal sees, whatever the verb; and what becomes of output that goes nowhere.

use std::process::Command;

use super::document;
use super::run::check_terminal;
use super::tree::Tree;

/// Names that a terminal would obey, or show as others.
const NAMES: &[&str] = &[
    "\u{1b}[31mred.md",
    "\u{1b}]0;title\u{7}.md",
    "\u{9b}31m.md",
    "\u{202e}dm.exe",
    "a\u{200b}b.md",
    "a\u{2028}b.md",
    "two\nlines.md",
    "\r.md",
];

/// What is run, each in a shell of its own where `$T` is the command.
const VERBS: &[&str] = &[
    "$T pack > /dev/null",
    "$T pack -v > /dev/null",
    "$T pack --budget 400 > /dev/null",
    "$T pack -o ../out.xml --json > /dev/null",
    "$T pack *",
    "$T pack ./* -o ../all.xml",
    "$T pack nowhere*",
    "$T pack \"$(printf 'nowhere\\033[31m')\"",
    "$T pack \"$(printf -- '--\\033[31m')\"",
    "$T pack --include \"$(printf '[\\033[31m')\"",
    "$T pack -o \"$(printf '\\033[31m/x')\"",
    "$T -C \"$(printf '\\033[31m')\" pack",
    "$T tokens > /dev/null",
    "$T tokens",
    "$T references plan.md",
    "$T references \"$(printf '\\033[31m')\"",
    "$T unpack ../all.xml -d \"$(printf '../\\033[31m')\"",
    "$T unpack ../all.xml -d \"$(printf '../\\033[31m')\"",
    "$T unpack ../broken.xml",
    "$T runs; $T runs show; $T runs show \"$(printf '\\033[31m')\"; $T undo",
    "$T models \"$(printf '\\033[31m')\"",
];

fn tree() -> Tree {
    let tree = Tree::new();
    for name in NAMES {
        tree.file(name, "text\n");
        tree.script("mkdir -p d; mkfifo \"$(printf 'd/\\033[31mpipe')\" || true; git init -q");
    }
    let lines = NAMES
        .iter()
        .map(|name| format!("- change `{name}` and `d/{name}`"));
    let plan = lines.collect::<Vec<_>>().join("\n");
    tree.file("plan.md", format!("# Plan \u{1b}[31m\n\n{plan}\n"));
    let broken = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<pack format=\"1\"><files><file path=\"\u{202e}../x\u{9b}31m\"><![CDATA[\nx\n]]></file></files></pack>";
    std::fs::write(tree.beside("broken.xml"), broken).unwrap();
    tree
}

/// Runs a line of shell in which `$T` is the command.
fn shell(tree: &Tree, prefix: &[&str], line: &str) -> std::process::Output {
    let mut command = match prefix {
        [] => tree.command("sh"),
        [program, ..] => tree.command(program),
    };
    command.args(prefix.iter().skip(1));
    if prefix.is_empty() {
        command.arg("-c");
    }
    command.arg(line).env("T", env!("CARGO_BIN_EXE_twostep"));
    command.output().unwrap()
}

#[test]
fn no_name_moves_a_terminal() {
    let tree = tree();
    let mut wrong = Vec::new();
    for line in VERBS {
        let output = shell(&tree, &[], line);
        let stderr = String::from_utf8_lossy(&output.stderr);
        wrong.extend(
            check_terminal(&stderr)
                .err()
                .map(|why| format!("{line}: {why}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_result_moves_a_terminal() {
    let has_script = Command::new("script").arg("--version").output();
    if !has_script.is_ok_and(|output| output.status.success()) {
        println!("not tried: there is no `script` to be a terminal");
        return;
    }
    let tree = tree();
    let mut wrong = Vec::new();
    for line in VERBS {
        let output = shell(&tree, &["script", "-qec"], &format!("{line} 2> /dev/null"));
        let stdout = String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n");
        wrong.extend(
            check_terminal(&stdout)
                .err()
                .map(|why| format!("{line}: {why}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each with a line of shell, its exit code, and where a whole document is afterwards.
const CLOSED: &[(&str, i32, Option<&str>)] = &[
    ("$T pack > ../x.xml", 0, Some("x.xml")),
    ("$T pack >&-", 2, None),
    ("$T pack --manifest ../m.json >&-", 2, None),
    ("$T pack -o ../x.xml >&-", 0, Some("x.xml")),
    ("$T pack -o ../x.xml --json >&-", 2, Some("x.xml")),
    ("$T pack -o ../x.xml --manifest - >&-", 2, None),
    ("$T pack > ../x.xml 2>&-", 0, Some("x.xml")),
    ("$T pack -o ../x.xml <&- >&- 2>&-", 0, Some("x.xml")),
    ("$T pack <&- >&- 2>&-", 2, None),
    ("$T pack <&- > ../x.xml", 0, Some("x.xml")),
    ("$T pack --stdin <&- > ../y", 2, None),
    ("$T tokens >&-", 2, None),
    ("$T models >&-", 2, None),
    ("$T references plan.md >&-", 2, None),
    ("$T runs >&-", 2, None),
    ("$T pack --manifest ../m.json > /dev/full", 2, None),
];

#[test]
fn closed_streams_are_no_success_and_nothing_takes_their_place() {
    for (line, code, document) in CLOSED {
        let tree = tree();
        let output = shell(&tree, &[], line);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{line}: {stderr}");
        let found = std::fs::read(tree.beside("x.xml")).ok();
        assert_eq!(found.is_some(), document.is_some(), "{line}");
        if let Some(found) = found {
            assert!(!document::read(&found).unwrap().is_empty(), "{line}");
        }
        if *code != 0 {
            assert!(
                !tree.beside("m.json").exists(),
                "{line}: a manifest of nothing"
            );
        }
    }
}
