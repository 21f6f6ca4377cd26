//! Cases, by form; what is expected was written first.

use super::{FOLDER, Files, LINK, Outcome, applied, otherwise, path};
use crate::edit::{Change, parse};
use crate::patch::Mode;

/// A fact, the files, an answer, what becomes of the files.
type Case = (&'static str, Files, &'static str, Outcome);

const ABC: Files = &[("src/a.rs", "one\ntwo\nthree\n")];

/// Twenty-four lines.
const LONG: &str =
    "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n19\n20\n21\n22\n23\n24\n";

const SEARCH_20: &str = "a\n<<<<<<< SEARCH\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n19\n20\n=======\n>>>>>>> REPLACE\n";
const SEARCH_MOST_A: &str = concat!(
    "a\n<<<<<<< SEARCH\n",
    "101\n102\n103\n104\n105\n106\n107\n108\n109\n110\n111\n112\n113\n114\n115\n116\n117\n",
    "118\n119\n120\n121\n122\n123\n124\n125\n126\n127\n128\n129\n130\n131\n132\n133\n134\n",
    "=======\n>>>>>>> REPLACE\n"
);
const SEARCH_MOST_SPLIT: &str = concat!(
    "split.rs\n<<<<<<< SEARCH\n",
    "101\n102\n103\n104\n105\n106\n107\n108\n109\n110\n111\n112\n113\n114\n115\n116\n117\n",
    "118\n119\n120\n121\n122\n123\n124\n125\n126\n127\n128\n129\n130\n131\n132\n133\n134\n",
    "=======\n>>>>>>> REPLACE\n"
);

/// What those leave of a file, and the file.
const REST: &str = concat!(
    "201\n202\n203\n204\n205\n206\n207\n208\n209\n210\n211\n212\n213\n214\n215\n216\n",
    "217\n218\n219\n220\n221\n222\n223\n224\n225\n226\n227\n228\n229\n230\n231\n232\n"
);
const BOTH: &str = concat!(
    "101\n102\n103\n104\n105\n106\n107\n108\n109\n110\n111\n112\n113\n114\n115\n116\n117\n",
    "118\n119\n120\n121\n122\n123\n124\n125\n126\n127\n128\n129\n130\n131\n132\n133\n134\n",
    "201\n202\n203\n204\n205\n206\n207\n208\n209\n210\n211\n212\n213\n214\n215\n216\n",
    "217\n218\n219\n220\n221\n222\n223\n224\n225\n226\n227\n228\n229\n230\n231\n232\n"
);

const WHOLE: &[Case] = &[
    (
        "a whole file takes the place of another",
        ABC,
        "FILE: src/a.rs\n```rust\nONE\ntwo\n```\n",
        Ok(&[("src/a.rs", Some("ONE\ntwo\n"))]),
    ),
    (
        "a file that is not there is made, with prose around",
        &[],
        "I make it.\n\n### FILE: `src/new file.rs`\n\n```\nfn main() {}\n```\n\nDone.\n",
        Ok(&[("src/new file.rs", Some("fn main() {}\n"))]),
    ),
    (
        "two files in one answer",
        ABC,
        "**FILE: src/a.rs**\n```\n1\n```\nFILE: b.txt\n~~~\n2\n~~~\n",
        Ok(&[("b.txt", Some("2\n")), ("src/a.rs", Some("1\n"))]),
    ),
    (
        "a longer fence holds fences",
        &[],
        "FILE: README.md\n````markdown\n# T\n```\ncode\n```\n````\n",
        Ok(&[("README.md", Some("# T\n```\ncode\n```\n"))]),
    ),
    (
        "a fence that says what it holds nests",
        &[],
        "FILE: README.md\n```markdown\n# T\n```sh\nls\n```\nend\n```\n",
        Ok(&[("README.md", Some("# T\n```sh\nls\n```\nend\n"))]),
    ),
    (
        "a bare fence in a fence as long is not guessed at",
        &[],
        "FILE: README.md\n```markdown\n# T\n```\ncode\n```\nend\n```\n",
        Err("line 4 of the answer: this may end the file, or be a fence in it"),
    ),
    (
        "code in prose behind a file is prose",
        &[],
        "FILE: a.txt\n```\n1\n```\nRun it:\n```sh\nls\n```\n",
        Ok(&[("a.txt", Some("1\n"))]),
    ),
    (
        "lines of `---` hold a file, too",
        &[],
        "FILE: a.md\n---\n---\ntitle: x\n---\ntext\n---\n\nFILE: b.txt\n---\nb\n---\n",
        Ok(&[
            ("a.md", Some("---\ntitle: x\n---\ntext\n")),
            ("b.txt", Some("b\n")),
        ]),
    ),
    (
        "a file between `---` without an end is cut",
        &[],
        "FILE: a.txt\n---\nb\n",
        Err("what begins at its line 2 has no end (`---` is missing)"),
    ),
    (
        "a file without the end of its fence is cut",
        ABC,
        "FILE: src/a.rs\n```rust\none\ntwo\n",
        Err(
            "the answer is cut: what begins at its line 2 has no end (the end of its fence is missing)",
        ),
    ),
    (
        "a file is cut in a fence of its own",
        &[],
        "FILE: a.md\n```md\n```sh\nls\n```\n",
        Err("is cut"),
    ),
    (
        "a name without a file is none",
        &[],
        "FILE: a.rs\nI would change this.\n",
        Err("line 1 of the answer: the whole file is to stand below"),
    ),
    (
        "a name at the end is none",
        &[],
        "FILE: a.rs",
        Err("line 1 of the answer: the whole file is to stand below"),
    ),
    (
        "a remark behind a name is not part of it",
        &[],
        "FILE: a.rs (new)\n```\nx\n```\n",
        Err("put a path with `(` in it into backticks"),
    ),
    (
        "CRLF stays",
        &[("a", "1\r\n2\r\n3\r\n")],
        "FILE: a\n```\n1\nTWO\n3\n4\n```\n",
        Ok(&[("a", Some("1\r\nTWO\r\n3\r\n4\r\n"))]),
    ),
    (
        "each line keeps its own end where ends are mixed",
        &[("a", "1\r\n2\n3\r\n4\n")],
        "FILE: a\n```\n1\nTWO\n3\nFOUR\n```\n",
        Ok(&[("a", Some("1\r\nTWO\n3\r\nFOUR\n"))]),
    ),
    (
        "a byte order mark stays",
        &[("a", "\u{feff}1\n2\n")],
        "FILE: a\n```\nONE\n2\n```\n",
        Ok(&[("a", Some("\u{feff}ONE\n2\n"))]),
    ),
    (
        "no final line break stays none",
        &[("a", "1\n2")],
        "FILE: a\n```\n1\n2\n3\n```\n",
        Ok(&[("a", Some("1\n2\n3"))]),
    ),
    (
        "what is as it was is no change",
        ABC,
        "FILE: src/a.rs\n```\none\ntwo\nthree\n```\n",
        Ok(&[]),
    ),
    (
        "a file can be emptied",
        ABC,
        "FILE: src/a.rs\n```\n```\n",
        Ok(&[("src/a.rs", Some(""))]),
    ),
    (
        "a file that loses most of its lines was cut",
        &[("a", LONG)],
        "FILE: a\n```\n1\n2\n3\n```\n",
        Err("line 1 of the answer, `a`: it would leave 3 of 24 lines"),
    ),
    (
        "a file of half as many lines was not",
        &[("a", LONG)],
        "FILE: a\n```\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n```\n",
        Ok(&[("a", Some("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n"))]),
    ),
    (
        "a file that the plan takes something out of may lose most of its lines",
        &[("split.rs", LONG)],
        "FILE: split.rs\n```\n1\n2\n3\n```\n",
        Ok(&[("split.rs", Some("1\n2\n3\n"))]),
    ),
    (
        "what a block of lines takes away was not cut, unless it is most of a long file",
        &[("a", LONG)],
        SEARCH_20,
        Ok(&[("a", Some("21\n22\n23\n24\n"))]),
    ),
    (
        "a block that takes most of a long file away is refused",
        &[("a", BOTH)],
        SEARCH_MOST_A,
        Err(
            "line 2 of the answer, `a`: it would leave 32 of 66 lines, and no step of the plan takes anything out of the file",
        ),
    ),
    (
        "unless the plan takes something out of that file",
        &[("split.rs", BOTH)],
        SEARCH_MOST_SPLIT,
        Ok(&[("split.rs", Some(REST))]),
    ),
    (
        "what stands for text is refused",
        ABC,
        "FILE: src/a.rs\n```\nONE\n// ... rest of the file unchanged ...\n```\n",
        Err("`// ... rest of the file unchanged ...` stands for text that is left out"),
    ),
    (
        "what stood there before stands for itself",
        &[("a.rs", "// ... existing code ...\nx\n")],
        "FILE: a.rs\n```\n    // ... existing code ...\ny\n```\n",
        Ok(&[("a.rs", Some("    // ... existing code ...\ny\n"))]),
    ),
    (
        "a remark without dots stands for lines where some are missing",
        ABC,
        "FILE: src/a.rs\n```\none\n# Keep existing code\n```\n",
        Err("`# Keep existing code` stands for text that is left out"),
    ),
    (
        "and for none where none are",
        ABC,
        "FILE: src/a.rs\n```\none\n// unchanged from here\ntwo\nthree\n```\n",
        Ok(&[(
            "src/a.rs",
            Some("one\n// unchanged from here\ntwo\nthree\n"),
        )]),
    ),
    (
        "CRLF in an answer with LF is none of the file",
        ABC,
        "FILE: src/a.rs\n```\none\r\nTWO\r\nthree\r\n```\n",
        Ok(&[("src/a.rs", Some("one\nTWO\nthree\n"))]),
    ),
];

const BLOCKS: &[Case] = &[
    (
        "what ends the lines of a block is that of the place",
        &[("a", "1\n2\n"), ("b", "1\r\n2\r\n")],
        "a\n<<<<<<< SEARCH\n1\n=======\nx\r\ny\r\n>>>>>>> REPLACE\nb\n<<<<<<< SEARCH\n1\r\n=======\nx\ny\n>>>>>>> REPLACE\n",
        Ok(&[("a", Some("x\ny\n2\n")), ("b", Some("x\r\ny\r\n2\r\n"))]),
    ),
    (
        "old lines become new ones",
        ABC,
        "src/a.rs\n<<<<<<< SEARCH\ntwo\n=======\nTWO\n2b\n>>>>>>> REPLACE\n",
        Ok(&[("src/a.rs", Some("one\nTWO\n2b\nthree\n"))]),
    ),
    (
        "a fence round a block, the path above or in it",
        ABC,
        "Now:\n\n`src/a.rs`:\n```rust\n<<<<<<< SEARCH\none\n=======\n1\n>>>>>>> REPLACE\n```\n\n```\nsrc/a.rs\n<<<<<<< SEARCH\nthree\n=======\n3\n>>>>>>> REPLACE\n```\n",
        Ok(&[("src/a.rs", Some("1\ntwo\n3\n"))]),
    ),
    (
        "`FILE:` above a block is its path",
        ABC,
        "FILE: src/a.rs\n```\n<<<<<<< SEARCH\none\n=======\n1\n>>>>>>> REPLACE\n```\n",
        Ok(&[("src/a.rs", Some("1\ntwo\nthree\n"))]),
    ),
    (
        "a block behind another is of the same file",
        ABC,
        "src/a.rs\n<<<<<<< SEARCH\none\n=======\n1\n>>>>>>> REPLACE\n\n<<<<<<< SEARCH\ntwo\n=======\n2\n>>>>>>> REPLACE\n",
        Ok(&[("src/a.rs", Some("1\n2\nthree\n"))]),
    ),
    (
        "but not behind prose, which may mean another",
        ABC,
        "src/a.rs\n<<<<<<< SEARCH\none\n=======\n1\n>>>>>>> REPLACE\nNow in `src/b.rs` the same:\n<<<<<<< SEARCH\ntwo\n=======\n2\n>>>>>>> REPLACE\n",
        Err("line 8 of the answer: the line above the block is to be the path"),
    ),
    (
        "a block without a path is none",
        ABC,
        "<<<<<<< SEARCH\none\n=======\n1\n>>>>>>> REPLACE\n",
        Err("line 1 of the answer: the line above the block is to be the path"),
    ),
    (
        "lines go away",
        ABC,
        "src/a.rs\n<<<<<<< SEARCH\none\ntwo\n=======\ntwo\n>>>>>>> REPLACE\n",
        Ok(&[("src/a.rs", Some("two\nthree\n"))]),
    ),
    (
        "all lines go away",
        ABC,
        "src/a.rs\n<<<<<<< SEARCH\none\ntwo\nthree\n=======\n>>>>>>> REPLACE\n",
        Ok(&[("src/a.rs", Some(""))]),
    ),
    (
        "old lines that are nowhere are told with what is nearest",
        ABC,
        "src/a.rs\n<<<<<<< SEARCH\none\ntwo!\n=======\nx\n>>>>>>> REPLACE\n",
        Err(
            "line 2 of the answer, `src/a.rs`: the lines to replace are not in the file; it has no `two!` where it is most like them:\n    1: one\n    2: two",
        ),
    ),
    (
        "a file that changed since it was shown is told likewise",
        &[("a", "fn main() {\n    run(1);\n}\n")],
        "a\n<<<<<<< SEARCH\n    run(0);\n=======\n    run(2);\n>>>>>>> REPLACE\n",
        Err("    2:     run(1);"),
    ),
    (
        "where nothing is alike nothing is shown",
        &[("a", "fn main() {}\n")],
        "a\n<<<<<<< SEARCH\n????\n=======\nx\n>>>>>>> REPLACE\n",
        Err("are not in the file"),
    ),
    (
        "lines that are in several places are told with all",
        &[("a", "x\ny\nx\ny\n")],
        "a\n<<<<<<< SEARCH\nx\n=======\nz\n>>>>>>> REPLACE\n",
        Err("are in 2 places, at the lines 1, 3; give more lines around"),
    ),
    (
        "places that overlap are several",
        &[("a", "x\nx\nx\n")],
        "a\n<<<<<<< SEARCH\nx\nx\n=======\nz\n>>>>>>> REPLACE\n",
        Err("are in 2 places, at the lines 1, 2;"),
    ),
    (
        "part of a line is no line",
        &[("a", "let x = 1;\n")],
        "a\n<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE\n",
        Err("are not in the file"),
    ),
    (
        "an empty search makes a file",
        &[],
        "a/b.txt\n<<<<<<< SEARCH\n=======\nnew\n>>>>>>> REPLACE\n",
        Ok(&[("a/b.txt", Some("new\n"))]),
    ),
    (
        "an empty search fills an empty file",
        &[("a", "")],
        "a\n<<<<<<< SEARCH\n=======\nnew\n>>>>>>> REPLACE\n",
        Ok(&[("a", Some("new\n"))]),
    ),
    (
        "an empty search in a file says nothing of where",
        ABC,
        "src/a.rs\n<<<<<<< SEARCH\n=======\nnew\n>>>>>>> REPLACE\n",
        Err("line 2 of the answer, `src/a.rs`: the file is there already"),
    ),
    (
        "a file that is not there cannot be changed",
        ABC,
        "src/b.rs\n<<<<<<< SEARCH\none\n=======\n1\n>>>>>>> REPLACE\n",
        Err("`src/b.rs`: there is no such file"),
    ),
    (
        "a block without an end is cut",
        ABC,
        "src/a.rs\n<<<<<<< SEARCH\none\n=======\n1\n",
        Err(
            "the answer is cut: what begins at its line 2 has no end (`>>>>>>> REPLACE` is missing)",
        ),
    ),
    (
        "a block without a middle is cut",
        ABC,
        "src/a.rs\n<<<<<<< SEARCH\none\n",
        Err("the answer is cut: what begins at its line 2 has no end (`=======` is missing)"),
    ),
    (
        "a block that another begins in is cut",
        ABC,
        "src/a.rs\n<<<<<<< SEARCH\none\n=======\n1\n\nsrc/b.rs\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n",
        Err("the answer is cut: what begins at its line 2"),
    ),
    (
        "a block with two middles is not guessed at",
        &[("a", "T\n=======\n")],
        "a\n<<<<<<< SEARCH\nT\n=======\n=======\nU\n=======\n>>>>>>> REPLACE\n",
        Err("line 5 of the answer: a second `=======` in one block"),
    ),
    (
        "longer marks hold such lines",
        &[("a", "T\n=======\n")],
        "a\n<<<<<<<<< SEARCH\nT\n=======\n=========\nUU\n=======\n>>>>>>>>> REPLACE\n",
        Ok(&[("a", Some("UU\n=======\n"))]),
    ),
    (
        "CRLF stays where lines are replaced",
        &[("a", "1\r\n2\r\n3\r\n")],
        "a\n<<<<<<< SEARCH\n2\n=======\nTWO\n2b\n>>>>>>> REPLACE\n",
        Ok(&[("a", Some("1\r\nTWO\r\n2b\r\n3\r\n"))]),
    ),
    (
        "an answer with CRLF changes a file with LF",
        ABC,
        "src/a.rs\r\n<<<<<<< SEARCH\r\ntwo\r\n=======\r\nTWO\r\n>>>>>>> REPLACE\r\n",
        Ok(&[("src/a.rs", Some("one\nTWO\nthree\n"))]),
    ),
    (
        "what ends a line does not tell it from another",
        &[("a", "x\r\ny\nx\n")],
        "a\n<<<<<<< SEARCH\nx\n=======\nz\n>>>>>>> REPLACE\n",
        Err("are in 2 places, at the lines 1, 3;"),
    ),
    (
        "the first line keeps the byte order mark",
        &[("a", "\u{feff}one\r\ntwo\r\n")],
        "a\n<<<<<<< SEARCH\none\n=======\nzero\n1\n>>>>>>> REPLACE\n",
        Ok(&[("a", Some("\u{feff}zero\r\n1\r\ntwo\r\n"))]),
    ),
    (
        "the last line stays without a line break",
        &[("a", "1\n2")],
        "a\n<<<<<<< SEARCH\n2\n=======\n2\n3\n>>>>>>> REPLACE\n",
        Ok(&[("a", Some("1\n2\n3"))]),
    ),
    (
        "white space at the end of lines is overlooked, and kept",
        &[("a", "if x {  \n    y\t\n}\n")],
        "a\n<<<<<<< SEARCH\nif x {\n    y\n}\n=======\nif x {\n    z\n}\n>>>>>>> REPLACE\n",
        Ok(&[("a", Some("if x {  \n    z\n}\n"))]),
    ),
    (
        "an exact place stands before one with white space",
        &[("a", "x \nx\n")],
        "a\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n",
        Ok(&[("a", Some("x \ny\n"))]),
    ),
    (
        "two places but for white space are two",
        &[("a", "x \nx\t\n")],
        "a\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n",
        Err("are in 2 places"),
    ),
    (
        "white space at the beginning is not overlooked",
        &[("a", "    x\n")],
        "a\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n",
        Err("it has no `x` where it is most like them:\n    1:     x"),
    ),
    (
        "edits of a file follow each other",
        ABC,
        "src/a.rs\n<<<<<<< SEARCH\ntwo\n=======\n2\n>>>>>>> REPLACE\n<<<<<<< SEARCH\n2\nthree\n=======\n2\n3\n>>>>>>> REPLACE\n",
        Ok(&[("src/a.rs", Some("one\n2\n3\n"))]),
    ),
    (
        "edits that overlap are told",
        ABC,
        "src/a.rs\n<<<<<<< SEARCH\none\ntwo\n=======\n1\n2\n>>>>>>> REPLACE\n<<<<<<< SEARCH\ntwo\nthree\n=======\n2\n3\n>>>>>>> REPLACE\n",
        Err(
            "line 9 of the answer, `src/a.rs`: the lines to replace are those of line 2, which an earlier edit",
        ),
    ),
    (
        "all that does not fit is told at once",
        ABC,
        "src/a.rs\n<<<<<<< SEARCH\nfour\n=======\n4\n>>>>>>> REPLACE\nsrc/b.rs\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n",
        Err("\nline 8 of the answer, `src/b.rs`: there is no such file"),
    ),
    (
        "a value that was hidden stays where its line stays",
        &[("a", "key = [REDACTED:api-key:1]\nport = 1\n")],
        "a\n<<<<<<< SEARCH\nkey = [REDACTED:api-key:1]\nport = 1\n=======\nkey = [REDACTED:api-key:1]\nport = 2\n>>>>>>> REPLACE\n",
        Ok(&[("a", Some("key = [REDACTED:api-key:1]\nport = 2\n"))]),
    ),
    (
        "what stands for text is refused in a block",
        ABC,
        "src/a.rs\n<<<<<<< SEARCH\ntwo\n=======\n# ... existing code ...\nTWO\n>>>>>>> REPLACE\n",
        Err("`# ... existing code ...` stands for text"),
    ),
    (
        "a link is not changed",
        &[("a", LINK)],
        "a\n<<<<<<< SEARCH\none\n=======\n1\n>>>>>>> REPLACE\n",
        Err("`a`: it is a link"),
    ),
];

const DIFFERENCES: &[Case] = &[
    (
        "a difference as `diff -u` writes it",
        ABC,
        "--- src/a.rs\t2026-01-01 00:00:00\n+++ src/a.rs\t2026-01-01 00:00:01\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n",
        Ok(&[("src/a.rs", Some("one\nTWO\nthree\n"))]),
    ),
    (
        "a difference as git writes it, in a fence",
        ABC,
        "Here it is:\n```diff\ndiff --git a/src/a.rs b/src/a.rs\nindex 1..2 100644\n--- a/src/a.rs\n+++ b/src/a.rs\n@@ -1,3 +1,3 @@ fn x\n one\n-two\n+TWO\n three\n```\nDone.\n",
        Ok(&[("src/a.rs", Some("one\nTWO\nthree\n"))]),
    ),
    (
        "wrong line numbers do not matter where the lines are once",
        ABC,
        "```diff\n--- a/src/a.rs\n+++ b/src/a.rs\n@@ -40,7 +41,9 @@\n one\n-two\n+TWO\n```\n",
        Ok(&[("src/a.rs", Some("one\nTWO\nthree\n"))]),
    ),
    (
        "no line numbers do not, either",
        ABC,
        "```diff\n--- a/src/a.rs\n+++ b/src/a.rs\n@@ ... @@\n-two\n+TWO\n@@\n-three\n+3\n```\n",
        Ok(&[("src/a.rs", Some("one\nTWO\n3\n"))]),
    ),
    (
        "the line number tells one place of several",
        &[("a", "x\ny\nx\n")],
        "--- a\n+++ a\n@@ -3 +3 @@\n-x\n+z\n",
        Ok(&[("a", Some("x\ny\nz\n"))]),
    ),
    (
        "a wrong line number does not",
        &[("a", "x\ny\nx\n")],
        "--- a\n+++ a\n@@ -2 +2 @@\n-x\n+z\n",
        Err("are in 2 places, at the lines 1, 3"),
    ),
    (
        "an empty line is one that stays",
        &[("a", "1\n\n2\n")],
        "```diff\n--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n 1\n\n-2\n+3\n```\n",
        Ok(&[("a", Some("1\n\n3\n"))]),
    ),
    (
        "a difference with wrong counts is cut where only the answer ends it",
        ABC,
        "--- a/src/a.rs\n+++ b/src/a.rs\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n",
        Err("the answer is cut: what begins at its line 3"),
    ),
    (
        "a line without a sign is not guessed at",
        ABC,
        "```diff\n--- a/src/a.rs\n+++ b/src/a.rs\n@@ -1,3 +1,3 @@\none\n-two\n+TWO\n three\n```\n",
        Err("line 5 of the answer: a line of a hunk begins with"),
    ),
    (
        "a count that is too small loses nothing",
        &[("a", "1\n\n2\n")],
        "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n-1\n+ONE\n\n-2\n+TWO\n",
        Err("is cut"),
    ),
    (
        "a whole file goes, and its text is held against it",
        &[("a", "1\n")],
        "diff --git a/a b/a\ndeleted file mode 100644\n--- a/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n",
        Ok(&[("a", None)]),
    ),
    (
        "what a difference deletes it shows whole",
        &[("a", LONG)],
        "--- a/a\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-1\n-2\n",
        Err(
            "line 1 of the answer, `a`: a difference that deletes a file has all its lines with `-`, and 22 are left",
        ),
    ),
    (
        "a difference that says only that a file is deleted shows none of it",
        ABC,
        "diff --git a/src/a.rs b/src/a.rs\ndeleted file mode 100644\n",
        Err(
            "`src/a.rs`: a difference that deletes a file has all its lines with `-`, and 3 are left",
        ),
    ),
    (
        "which is enough where it is empty, or the plan takes something out of it",
        &[("a", ""), ("split.rs", LONG)],
        "diff --git a/a b/a\ndeleted file mode 100644\ndiff --git a/split.rs b/split.rs\ndeleted file mode 100644\n",
        Ok(&[("a", None), ("split.rs", None)]),
    ),
    (
        "two names are of two files",
        &[("a", "1\n"), ("b", "1\n")],
        "--- a/b\n+++ b/a\n@@ -1 +1 @@\n-1\n+2\n",
        Err("line 1 of the answer: the names above and below differ"),
    ),
    (
        "a file that changed since is not deleted",
        &[("a", "2\n")],
        "--- a/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n",
        Err("`a`: the lines to replace are not in the file"),
    ),
    (
        "a file is made",
        &[],
        "--- /dev/null\n+++ b/src/new.rs\n@@ -0,0 +1,2 @@\n+1\n+2\n",
        Ok(&[("src/new.rs", Some("1\n2\n"))]),
    ),
    (
        "a file that is there is not made",
        ABC,
        "--- /dev/null\n+++ b/src/a.rs\n@@ -0,0 +1 @@\n+1\n",
        Err("`src/a.rs`: the file is there already"),
    ),
    (
        "a final line break comes and goes as it is said",
        &[("a", "1\n2"), ("b", "1\n")],
        "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n 1\n-2\n\\ No newline at end of file\n+2\n--- a/b\n+++ b/b\n@@ -1 +1 @@\n-1\n+1\n\\ No newline at end of file\n",
        Ok(&[("a", Some("1\n2\n")), ("b", Some("1"))]),
    ),
    (
        "LF of a difference changes a file with CRLF",
        &[("a", "1\r\n2\r\n3\r\n")],
        "```diff\n--- a/a\n+++ b/a\n@@ -1,3 +1,4 @@\n 1\n-2\n+TWO\n+2b\n 3\n```\n",
        Ok(&[("a", Some("1\r\nTWO\r\n2b\r\n3\r\n"))]),
    ),
    (
        "CRLF of a difference is exact",
        &[("a", "1\r\n2\n")],
        "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n-1\r\n+1\n 2\n",
        Ok(&[("a", Some("1\n2\n"))]),
    ),
    (
        "a file is moved and changed",
        ABC,
        "diff --git a/src/a.rs b/src/b.rs\nsimilarity index 90%\nrename from src/a.rs\nrename to src/b.rs\n--- a/src/a.rs\n+++ b/src/b.rs\n@@ -1,2 +1,2 @@\n one\n-two\n+TWO\n",
        Ok(&[("src/a.rs", None), ("src/b.rs", Some("one\nTWO\nthree\n"))]),
    ),
    (
        "a mode changes alone",
        &[("a b", "1\n")],
        "diff --git a/a b b/a b\nold mode 100644\nnew mode 100755\n",
        Ok(&[("a b", Some("1\n"))]),
    ),
    (
        "a link is not made",
        &[],
        "diff --git a/a b/a\nnew file mode 120000\n--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+/etc/passwd\n",
        Err("line 2 of the answer: a mode other than"),
    ),
    (
        "bytes are no text",
        &[],
        "diff --git a/a b/a\nnew file mode 100644\nGIT binary patch\nliteral 0\n",
        Err("line 3 of the answer: copies and binary files"),
    ),
    (
        "two files in one difference, and a list behind it",
        &[("a", "1\n"), ("b", "1\n")],
        "```\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n+2\n--- a/b\n+++ b/b\n@@ -1 +1 @@\n-1\n+3\n```\n\n- done\n",
        Ok(&[("a", Some("2\n")), ("b", Some("3\n"))]),
    ),
    (
        "a line that goes and looks like a name is a line",
        &[("a", "-- x\n1\n")],
        "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n--- x\n+++ y\n 1\n",
        Ok(&[("a", Some("++ y\n1\n"))]),
    ),
    (
        "a hunk below a path",
        ABC,
        "FILE: src/a.rs\n```diff\n@@ -2 +2 @@\n-two\n+2\n```\n",
        Ok(&[("src/a.rs", Some("one\n2\nthree\n"))]),
    ),
    (
        "lines that come alone say nothing of where",
        ABC,
        "--- a/src/a.rs\n+++ b/src/a.rs\n@@ -1,0 +2 @@\n+1b\n",
        Err("it gives no lines to replace"),
    ),
    (
        "a quoted name",
        &[("\u{e9}", "1\n")],
        "--- \"a/\\303\\251\"\n+++ \"b/\\303\\251\"\n@@ -1 +1 @@\n-1\n+2\n",
        Ok(&[("\u{e9}", Some("2\n"))]),
    ),
];

const ENVELOPES: &[Case] = &[
    (
        "a patch in an envelope changes, makes, deletes and moves",
        &[("a", "1\n2\n3\n"), ("b", "x\n"), ("c", "y\nz\n")],
        "*** Begin Patch\n*** Update File: a\n@@\n 1\n-2\n+TWO\n*** Add File: d/e\n+new\n+\n\n*** Delete File: b\n*** Update File: c\n*** Move to: f\n@@\n-y\n+Y\n*** End Patch\n",
        Ok(&[
            ("a", Some("1\nTWO\n3\n")),
            ("b", None),
            ("c", None),
            ("d/e", Some("new\n\n")),
            ("f", Some("Y\nz\n")),
        ]),
    ),
    (
        "a line above tells one place of several",
        &[("a", "fn f() {\n    x\n}\nfn g() {\n    x\n}\n")],
        "```\n*** Begin Patch\n*** Update File: a\n@@ fn g() {\n-    x\n+    y\n*** End Patch\n```\n",
        Ok(&[("a", Some("fn f() {\n    x\n}\nfn g() {\n    y\n}\n"))]),
    ),
    (
        "the end of the file tells one, too",
        &[("a", "x\ny\nx\n")],
        "*** Begin Patch\n*** Update File: a\n@@\n-x\n+z\n*** End of File\n*** End Patch\n",
        Ok(&[("a", Some("x\ny\nz\n"))]),
    ),
    (
        "an envelope without an end is cut",
        &[("a", "1\n")],
        "*** Begin Patch\n*** Update File: a\n@@\n-1\n+2\n",
        Err("the answer is cut: what begins at its line 1 has no end (`*** End Patch` is missing)"),
    ),
    (
        "a file that is there is not added",
        ABC,
        "*** Begin Patch\n*** Add File: src/a.rs\n+1\n*** End Patch\n",
        Err("the file is there already"),
    ),
    (
        "a file that is not there is not deleted",
        &[],
        "*** Begin Patch\n*** Delete File: a\n*** End Patch\n",
        Err("line 2 of the answer, `a`: there is no such file"),
    ),
    (
        "a file that was deleted is not changed",
        &[("a", "1\n")],
        "*** Begin Patch\n*** Delete File: a\n*** Update File: a\n@@\n-1\n+2\n*** End Patch\n",
        Err("line 4 of the answer, `a`: there is no such file"),
    ),
    (
        "nothing is moved over a file",
        &[("a", "1\n"), ("b", "2\n")],
        "*** Begin Patch\n*** Update File: a\n*** Move to: b\n*** End Patch\n",
        Err("`a`: the file is there already"),
    ),
    (
        "a file can stand where one was that a folder takes its place of",
        &[("a", "1\n")],
        "*** Begin Patch\n*** Delete File: a\n*** Add File: a/b\n+2\n*** End Patch\n",
        Ok(&[("a", None), ("a/b", Some("2\n"))]),
    ),
    (
        "no file is made in a file",
        &[("a", "1\n")],
        "*** Begin Patch\n*** Add File: a/b\n+2\n*** End Patch\n",
        Err("`a/b`: `a` is no folder"),
    ),
    (
        "no file is made behind a link",
        &[("a", LINK)],
        "FILE: a/b\n```\n2\n```\n",
        Err("`a/b`: `a` is no folder"),
    ),
    (
        "no file is made where a folder is",
        &[("a", FOLDER)],
        "FILE: a\n```\n2\n```\n",
        Err("`a`: it is a folder"),
    ),
    (
        "a line without a sign is none in an envelope",
        &[("a", "1\n")],
        "*** Begin Patch\n*** Update File: a\n@@\n1\n*** End Patch\n",
        Err("line 4 of the answer: a line of a hunk begins with"),
    ),
    (
        "a word of another patch is none",
        &[],
        "*** Begin Patch\n*** Copy File: a\n*** End Patch\n",
        Err("line 2 of the answer: in a patch `*** Add File:`"),
    ),
];

const ANSWERS: &[Case] = &[
    (
        "an answer of words has no edit",
        ABC,
        "All is well.\n```rust\nfn main() {}\n```\n",
        Err("holds no edit in a form that is known"),
    ),
    ("an empty answer has no edit", ABC, "", Err("holds no edit")),
    (
        "several forms in one answer",
        &[("a", "1\n"), ("b", "1\n"), ("c", "1\n")],
        "I begin.\n\na\n<<<<<<< SEARCH\n1\n=======\n2\n>>>>>>> REPLACE\n\nThen:\n\n```diff\n--- a/b\n+++ b/b\n@@ -1 +1 @@\n-1\n+3\n```\n\nFILE: d\n```\n5\n```\n\n*** Begin Patch\n*** Delete File: c\n*** End Patch\n\nDone: all.\n",
        Ok(&[
            ("a", Some("2\n")),
            ("b", Some("3\n")),
            ("c", None),
            ("d", Some("5\n")),
        ]),
    ),
    (
        "a path with `./` is the same",
        ABC,
        "FILE: ./src/a.rs\n```\n1\n```\n",
        Ok(&[("src/a.rs", Some("1\n"))]),
    ),
    (
        "a path that is refused hides nothing else",
        &[("a", "1\n")],
        "FILE: /etc/x\n```\n1\n```\na\n<<<<<<< SEARCH\n2\n=======\n3\n>>>>>>> REPLACE\n*** Begin Patch\n*** Add File: .git/hooks/x\n+1\n*** Delete File: b\n*** End Patch\n",
        Err(
            "line 1 of the answer names a file that no edit may change: not a path inside the repository: `/etc/x` (it is absolute)\n\
            line 12 of the answer names a file that no edit may change: `.git/hooks/x` (it belongs to git)\n\
            line 6 of the answer, `a`: the lines to replace are not in the file",
        ),
    ),
    (
        "no edit moves into git",
        &[("a", "1\n")],
        "*** Begin Patch\n*** Update File: a\n*** Move to: .git/config\n*** End Patch\n",
        Err("it belongs to git"),
    ),
    (
        "no name is no path",
        &[],
        "FILE:\n```\n1\n```\n",
        Err("it is empty"),
    ),
];

#[test]
fn an_answer_does_to_the_files_what_it_says_or_nothing() {
    let all = [WHOLE, BLOCKS, DIFFERENCES, ENVELOPES, ANSWERS];
    let wrong = all
        .concat()
        .into_iter()
        .filter_map(|(fact, files, answer, expected)| {
            let otherwise = otherwise(files, answer, expected)?;
            Some(format!("{fact}: {otherwise}"))
        });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_mode_and_where_a_file_came_from_are_told() {
    let files = [(path("a"), b"1\n".to_vec())].into();
    let answer = "diff --git a/a b/b\nold mode 100644\nnew mode 100755\nrename from a\nrename to b\n\
        diff --git a/c b/c\nnew file mode 100755\n--- /dev/null\n+++ b/c\n@@ -0,0 +1 @@\n+1\n";
    let change = |name: &str, after: Option<&str>, from: Option<&str>, mode| Change {
        path: path(name),
        after: after.map(|text| text.as_bytes().to_vec()),
        moved_from: from.map(path),
        mode,
    };
    let executable = Some(Mode::Executable);
    let expected = vec![
        change("a", None, None, None),
        change("b", Some("1\n"), Some("a"), executable),
        change("c", Some("1\n"), None, executable),
    ];
    assert_eq!(applied(&parse(answer).0, &files, &|_| false), Ok(expected));
}
