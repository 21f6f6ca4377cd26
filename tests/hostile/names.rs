//! What files are called.

use super::{Case, FULL, Fate};

/// Each with what its files are called.
const ROWS: &[(&str, &[&[u8]])] = &[
    ("quotes", &[b"a\"b'c`d.txt"]),
    ("markup", &[b"<a&b>.txt", b"&amp;", b"&#13;"]),
    ("attribute-breaker", &[b"x\" level=\"path\" y=\".txt"]),
    ("cdata-end", &[b"]]>", b"a]]><![CDATA[b"]),
    ("newline", &[b"two\nlines.txt", b"plain.txt\n"]),
    ("carriage-return", &[b"a\rb", b"a\r\nb"]),
    ("tab", &[b"a\tb.txt"]),
    ("backslash", &[b"back\\slash.txt", b"\\", b"..\\..\\x"]),
    ("like-an-escape", &[b"a\\x0ab", b"a\nb"]),
    ("dash", &[b"-rf", b"--output=x", b"--", b"-"]),
    (
        "escape-sequence",
        &[b"\x1b[31mred\x1b[0m.txt", b"\x1b]0;title\x07"],
    ),
    ("control-c1", &[b"\xc2\x9b31m.txt", b"\xc2\x85"]),
    ("not-utf-8", &[b"caf\xe9.txt", b"\xff\xfe", b"\xed\xa0\x80"]),
    ("case-twins", &[b"Readme.md", b"README.md", b"readme.md"]),
    (
        "unicode-twins",
        &["\u{e9}.txt".as_bytes(), "e\u{301}.txt".as_bytes()],
    ),
    ("outer-spaces", &[b"a ", b" a", b" ", b"a", b"d /x"]),
    ("dots", &[b".hidden", b"..a", b"...", b"a.", b".d/x"]),
    ("prototype", &[b"__proto__", b"constructor", b"toString"]),
    ("numbers", &[b"10", b"9", b"1", b"0"]),
    ("pathspec", &[b":(exclude)x", b":!x", b":(top)x"]),
    ("globs", &[b"*", b"?", b"[a]", b"{a,b}", b"**"]),
    ("rules", &[b"#x", b"!x", b"!*"]),
    (
        "bidi",
        &[
            "\u{202e}sr.gpj.md".as_bytes(),
            "\u{2066}a\u{2069}".as_bytes(),
            "\u{200f}".as_bytes(),
        ],
    ),
    (
        "invisible",
        &[
            "a\u{200b}b".as_bytes(),
            "ab".as_bytes(),
            "a\u{feff}b".as_bytes(),
            "a\u{ad}b".as_bytes(),
            "a\u{e0041}b".as_bytes(),
        ],
    ),
    (
        "line-separators",
        &["a\u{2028}b".as_bytes(), "a\u{2029}b".as_bytes()],
    ),
    (
        "noncharacters",
        &[
            "a\u{ffff}b".as_bytes(),
            "a\u{fffe}b".as_bytes(),
            "a\u{fffd}b".as_bytes(),
        ],
    ),
    ("windows", &[b"CON", b"aux.txt", b"a:b", b"nul", b"LPT1"]),
    ("percent", &[b"a%20b", b"%2e%2e%2fx", b"%s%n"]),
    ("shell", &[b"$(touch x)", b"`id`", b"a;b", b"a|b", b"~"]),
    ("like-tree-lines", &[b"src", b"  src", b"a/  b"]),
    (
        "many-scripts",
        &[
            "\u{65e5}\u{672c}\u{8a9e}.txt".as_bytes(),
            "\u{1f600}".as_bytes(),
            "\u{5d0}\u{5d1}".as_bytes(),
        ],
    ),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = ROWS
        .iter()
        .map(|(name, files)| {
            let make = |tree: &super::Tree| files.iter().for_each(|file| tree.file(file, "x\n"));
            files
                .iter()
                .fold(Case::new(format!("names/{name}"), make), |case, file| {
                    case.row(file, FULL)
                })
        })
        .collect();
    let longest = "n".repeat(255);
    let wide = "\u{e9}".repeat(127);
    let make = {
        let (longest, wide) = (longest.clone(), wide.clone());
        move |tree: &super::Tree| {
            tree.file(&longest, "x");
            tree.file(&wide, "x");
        }
    };
    cases.push(
        Case::new("names/255-bytes", make)
            .row(longest, FULL)
            .row(wide, FULL),
    );
    // Longer than any call takes, by long names and by many.
    for (name, folder, n) in [("long", "f".repeat(250), 20), ("many", "f".repeat(5), 900)] {
        let path = vec![folder.as_str(); n].join("/") + "/x";
        let make = move |tree: &super::Tree| {
            tree.deep_file(&vec![folder.as_str(); n], "x", b"deep\n");
        };
        cases.push(Case::new(format!("names/beyond-path-max-{name}"), make).row(path, FULL));
    }
    let many = |tree: &super::Tree| (0..2000).for_each(|n| tree.file(format!("many/{n}"), "x"));
    cases.push(
        (0..2000).fold(Case::new("names/2000-in-a-folder", many), |case, n| {
            case.row(format!("many/{n}"), FULL)
        }),
    );
    // What some file system takes for `.git` is listed and never looked into.
    let git = [".GIT/config", "git~1/x", ".git./y", ".g\u{200c}it/z"];
    let make = move |tree: &super::Tree| git.iter().for_each(|file| tree.file(file, "x"));
    cases.push(
        git.iter()
            .fold(Case::new("names/like-git", make), |case, file| {
                case.row(file, Fate::Listed("git-name"))
            }),
    );
    cases
}
