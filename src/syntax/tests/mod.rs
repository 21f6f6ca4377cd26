use std::fmt::Write;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::table::Words;
use super::*;

/// A text in each language, which holds what its table names.
const SAMPLES: [(&str, &str); 13] = [
    ("sample.c", include_str!("samples/sample.c")),
    ("sample.cpp", include_str!("samples/sample.cpp")),
    ("sample.cs", include_str!("samples/sample.cs")),
    ("sample.go", include_str!("samples/sample.go")),
    ("sample.java", include_str!("samples/sample.java")),
    ("sample.jsx", include_str!("samples/sample.jsx")),
    ("sample.kt", include_str!("samples/sample.kt")),
    ("sample.php", include_str!("samples/sample.php")),
    ("sample.py", include_str!("samples/sample.py")),
    ("sample.rb", include_str!("samples/sample.rb")),
    ("sample.rs", include_str!("samples/sample.rs")),
    ("sample.ts", include_str!("samples/sample.ts")),
    ("sample.tsx", include_str!("samples/sample.tsx")),
];

fn language(name: &str, text: &str) -> Language {
    Language::of(name.as_bytes(), text).unwrap()
}

/// Writes out all that an outline says of a text.
fn told(outline: &Outline, text: &str) -> String {
    let mut told = elide(text, &outline.skeleton).text;
    told.push_str("\n--- items\n");
    for item in &outline.items {
        let name = [item.owner.as_slice(), std::slice::from_ref(&item.name)].concat();
        let (indentation, lines) = ("  ".repeat(item.depth), range(&item.lines));
        write!(
            told,
            "{indentation}{:?} {} {lines}",
            item.kind,
            name.join("/")
        )
        .unwrap();
        let body = item.body.as_ref().map_or(String::new(), range);
        writeln!(
            told,
            "{}{body}",
            if body.is_empty() { "" } else { " inside " }
        )
        .unwrap();
    }
    told.push_str("\n--- imports\n");
    for import in &outline.imports {
        let (path, names) = (&import.path, import.names.join(", "));
        writeln!(told, "{} {path} [{names}]", range(&import.lines)).unwrap();
    }
    told.push_str("\n--- chunks\n");
    let chunks = outline.chunks(text);
    told + &chunks.iter().map(range).collect::<Vec<_>>().join(", ")
}

fn range(lines: &Lines) -> String {
    format!("{}-{}", lines.start(), lines.end())
}

#[test]
fn a_sample_of_each_language_has_its_outline() {
    let mut known = Vec::new();
    for (name, text) in SAMPLES {
        let language = language(name, text);
        known.push(language);
        let outline = outline(language, text).unwrap();
        insta::assert_snapshot!(name, told(&outline, text));
    }
    known.sort();
    let mut all = Language::ALL;
    all.sort();
    assert_eq!(known, all);
}

#[test]
fn every_word_of_a_table_is_one_of_its_grammar() {
    for language in Language::ALL {
        let grammar = language.grammar();
        let words: Words = toml::from_str(language.words()).unwrap();
        let is_node = |word: &str| grammar.id_for_node_kind(word, true) != 0;
        let is_child = |word: &str| grammar.field_id_for_name(word).is_some() || is_node(word);
        let named = words.items.values().flatten();
        let through = words.through.iter().chain(&words.receivers);
        let pairs = named.chain(through);
        let (nodes, children): (Vec<_>, Vec<_>) = pairs.unzip();
        let lists = [
            &words.wrappers,
            &words.exports,
            &words.blocks,
            &words.bodies,
            &words.shown,
            &words.comments,
            &words.attributes,
            &words.docstrings,
        ];
        for node in lists.into_iter().flatten().chain(nodes) {
            // TSX has the table of TypeScript.
            assert!(is_node(node), "{language:?}: no node {node}");
        }
        for child in children.into_iter().chain(words.imports.values().flatten()) {
            assert!(
                child.is_empty() || is_child(child),
                "{language:?}: no child {child}"
            );
        }
        for node in words.imports.keys() {
            assert!(is_node(node), "{language:?}: no node {node}");
        }
    }
}

#[test]
fn a_language_is_told_by_the_name_or_the_first_line() {
    for (name, text, expected) in [
        ("src/a.rs", "", Some(Language::Rust)),
        ("A.PY", "", Some(Language::Python)),
        ("a.d.ts", "", Some(Language::TypeScript)),
        ("a.h", "", Some(Language::Cpp)),
        ("a.mjs", "", Some(Language::JavaScript)),
        ("Rakefile", "", Some(Language::Ruby)),
        ("a.txt", "#!/usr/bin/python", None),
        (
            "bin/run",
            "#!/usr/bin/env -S python3.12 -u\n",
            Some(Language::Python),
        ),
        ("run", "#!/usr/local/bin/node", Some(Language::JavaScript)),
        ("run", "#!/bin/sh\n", None),
        ("run", "#!", None),
        ("run", "", None),
        ("v1.2/run", "#!/usr/bin/ruby", Some(Language::Ruby)),
        ("", "", None),
        ("a.", "", None),
    ] {
        assert_eq!(
            Language::of(name.as_bytes(), text),
            expected,
            "{name} {text}"
        );
    }
}

#[test]
fn only_what_is_longer_than_its_mark_is_elided() {
    for (text, lines, expected) in [
        ("", vec![], ""),
        ("a\nb\n", vec![], "a\nb\n"),
        ("a\n", vec![1..=1], "a\n"),
        (
            "fn a() {\n    let long = \"a line that is longer\";\n}\nfn b() {}\n",
            vec![1..=1, 4..=4],
            "fn a() {\n    ⋮ 2-3\nfn b() {}\n",
        ),
        (
            "one\n\n\n\ttwo is long enough to go away\r\n\nthree",
            vec![1..=1, 6..=6],
            "one\n\t⋮ 2-5\r\nthree",
        ),
        (
            "the first line of all is elided\nlast",
            vec![2..=2],
            "⋮ 1\nlast",
        ),
        (
            "first\nthe last line of all is elided",
            vec![1..=1],
            "first\n⋮ 2\n",
        ),
    ] {
        assert_eq!(elide(text, &lines).text, expected, "{text:?}");
    }
}

#[test]
fn a_line_that_is_only_a_macro_hides_nothing() {
    let text = "\
FMT_BEGIN_NAMESPACE
namespace detail {

FMT_EXPORT
template <typename T> class Reader {
 public:
  int read(T from) {
    return from.read() + from.left();
  }
};

}  // namespace detail
FMT_END_NAMESPACE
";
    for (text, expected) in [
        (text.to_owned(), &["detail", "Reader", "read"][..]),
        (text.replace('\n', "\r\n"), &["detail", "Reader", "read"]),
        (
            "\
class Style {
 public:
  A_CONSTEXPR Style(int a = one()) noexcept : a_(a) {}
  A_CONSTEXPR auto operator|=(const Style& b) -> Style& {
    return *this;
  }
  friend A_CONSTEXPR auto join(Style a, const Style& b) -> Style {
    return a |= b;
  }
};
"
            .to_owned(),
            &["Style", "Style", "operator|="],
        ),
        (
            "enum mode {\n  READ_ONLY,\n  READ_ALL\n};\n".to_owned(),
            &["mode", "READ_ONLY", "READ_ALL"],
        ),
    ] {
        let outline = outline(Language::Cpp, &text).unwrap();
        let names: Vec<&str> = outline
            .items
            .iter()
            .map(|item| item.name.as_str())
            .collect();
        assert_eq!(names, expected);
    }
}

#[test]
fn a_long_run_of_constants_or_members_is_cut() {
    let lines =
        |n: usize, line: fn(usize) -> String| (1..=n).map(line).collect::<Vec<_>>().concat();
    let defines = |n| lines(n, |n| format!("#define A_REGISTER_{n} 0x{n:04x}\n"));
    for (name, text, expected) in [
        ("a.h", defines(12), vec![1..=12]),
        ("a.h", defines(40), vec![1..=12]),
        // An empty line begins another.
        (
            "a.h",
            format!("{0}\n{0}", defines(14)),
            vec![1..=12, 16..=27],
        ),
        (
            "a.go",
            format!(
                "package a\n\nconst (\n{})\n",
                lines(20, |n| format!("\tA{n} = {n}\n"))
            ),
            vec![1..=1, 3..=14],
        ),
        // So are members, of whatever has more than anybody reads; each thing has its own.
        (
            "a.rs",
            format!(
                "enum A {{\n{0}}}\n\nenum B {{\n{0}}}\n",
                lines(99, |n| format!("    Variant{n},\n"))
            ),
            vec![1..=61, 101..=101, 103..=163, 203..=203],
        ),
        (
            "a.java",
            format!(
                "enum A {{\n{};\n}}\n",
                lines(99, |n| format!("    A{n}({n}),\n"))
            ),
            vec![1..=61, 101..=102],
        ),
        (
            "a.c",
            format!(
                "enum a {{\n{}}};\n",
                lines(99, |n| format!("    A{n} = {n},\n"))
            ),
            vec![1..=61, 101..=101],
        ),
        // Imports are told, however many.
        (
            "a.js",
            lines(20, |n| format!("const a{n} = require(\"a{n}\");\n")),
            vec![1..=20],
        ),
    ] {
        let outline = outline(language(name, &text), &text).unwrap();
        assert_eq!(outline.skeleton, expected, "{name}");
    }
}

#[test]
fn what_stands_in_a_function_that_is_called_at_once_is_told() {
    let inside = "\
  const a = 1;
  function first(a) {
    return a;
  }
  const second = (b) => {
    return b;
  };
  first(1);
";
    for (before, after) in [
        ("define('a', ['b'], function (b) {\n", "});\n"),
        ("(function () {\n", "})();\n"),
        ("describe('a', () => {\n", "});\n"),
    ] {
        let text = format!("{before}{inside}{after}");
        for name in ["a.js", "a.ts"] {
            let outline = outline(language(name, &text), &text).unwrap();
            let names: Vec<&str> = outline
                .items
                .iter()
                .map(|item| item.name.as_str())
                .collect();
            assert_eq!(names, ["a", "first", "second"], "{name} {before}");
            assert_eq!(outline.skeleton, [1..=3, 6..=6, 9..=10], "{name} {before}");
        }
    }
}

#[test]
fn what_hardly_parses_has_no_outline() {
    let prose = "This is not a program; it is a letter (to you) and says: {nothing.\n".repeat(20);
    let large = "x = 1\n".repeat(1 << 20);
    for (name, text, expected) in [
        ("a.rs", prose.as_str(), Unparsed::Broken),
        ("a.java", prose.as_str(), Unparsed::Broken),
        ("a.py", large.as_str(), Unparsed::TooLarge),
    ] {
        assert_eq!(outline(language(name, text), text), Err(expected), "{name}");
    }
}

#[test]
fn a_file_with_an_error_has_an_outline() {
    for (name, error) in [
        ("sample.rs", "fn broken( {"),
        ("sample.py", "def broken(:"),
        ("sample.go", "func broken( {"),
        ("sample.ts", "function ( {"),
    ] {
        let text = SAMPLES.iter().find(|sample| sample.0 == name).unwrap().1;
        let whole = outline(language(name, text), text).unwrap();
        let text = format!("{text}\n{error}\n");
        let outline = outline(language(name, &text), &text).unwrap();
        let n_same = whole.items.iter().zip(&outline.items);
        let n_same = n_same
            .take_while(|(one, other)| one.name == other.name)
            .count();
        assert_eq!(n_same, whole.items.len(), "{name}");
    }
}

#[test]
fn no_text_takes_all_the_time_or_the_stack() {
    let openings = [
        "(",
        "[",
        "{",
        "/*",
        "/* ",
        "\"",
        "'",
        "`",
        "<",
        "a<",
        "if ",
        "class A {",
        "class A:\n ",
        "mod a {",
        "namespace a {",
        "r#\"",
        "<<A\n",
        "#{",
        "\"#{",
        "${",
        "`${",
        "#if a\n",
        "f(|",
        "-",
        "a?",
        "*",
        "&",
        "<?php ",
        "?>",
        "=>",
        "\n ",
        "def a\n",
        "//",
        "\\",
        "@",
        "@\"",
        "$\"{",
        "\"\"\"",
        "'''",
        "%w(",
        "=begin\n",
        "<<~'A'\n",
        "R\"(",
        "template <",
        "fn a() {",
        "struct {",
        "func(",
    ];
    for language in Language::ALL {
        for opening in openings {
            let text = opening.repeat(4_000 / opening.len());
            if let Ok(outline) = outline(language, &text) {
                elide(&text, &outline.skeleton);
            }
        }
    }
}

#[test]
fn a_text_that_leaves_open_how_it_is_read_takes_no_more_memory_than_others() {
    // At the end each would be read in all ways that are left, which took gigabytes, or as much stack.
    for (name, piece) in [
        ("a.java", "x=>"),
        ("a.java", "a ?> "),
        ("a.cs", "= <elif"),
        ("a.cpp", "async<a/>if"),
        ("a.rb", "~ "),
    ] {
        let text = piece.repeat(30_000 / piece.len());
        let language = language(name, &text);
        assert_eq!(outline(language, &text), Err(Unparsed::TooDeep), "{piece}");
        // Nothing that was taken is left behind.
        let before = memory::held();
        outline(language, &text).unwrap_err();
        assert_eq!(memory::held(), before, "{piece}");
    }
    let text = "A\n".repeat(150_000);
    assert_eq!(outline(Language::Python, &text), Err(Unparsed::TooWide));
}

#[test]
fn a_text_that_is_made_to_take_time_has_no_outline() {
    // Each label is looked for in all that is open: this would take minutes.
    let labels = "case 1:".repeat(20_000);
    let arguments = "a<b> ".repeat(20_000);
    let start = Instant::now();
    assert!(outline(Language::Tsx, &labels).is_err());
    assert_eq!(
        outline(Language::Kotlin, &arguments),
        Err(Unparsed::TooSlow)
    );
    assert!(start.elapsed() < Duration::from_secs(30));
}

fn check(language: Language, text: &str) {
    let n_lines = text.split_inclusive('\n').count();
    let Ok(outline) = outline(language, text) else {
        return;
    };
    assert!(outline.items.iter().all(|item| {
        let body = item.body.clone().unwrap_or(item.lines.clone());
        *item.lines.start() >= 1
            && *item.lines.end() <= n_lines
            && item.lines.start() <= item.lines.end()
            && body.start() >= item.lines.start()
            && body.end() <= item.lines.end()
    }));
    let chunks = outline.chunks(text);
    assert!(chunks.iter().cloned().flatten().eq(1..=n_lines));
    let bounds = 12.min(n_lines)..=70;
    assert!(
        chunks
            .iter()
            .all(|chunk| bounds.contains(&chunk.clone().count()))
    );

    let elided = elide(text, &outline.skeleton);
    let shown: Vec<&str> = elided.text.split_inclusive('\n').collect();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut rest = shown.as_slice();
    let mut next = 1;
    for range in &elided.lines {
        if *range.start() > next {
            let mark = rest[0].trim();
            let numbers = mark.strip_prefix("⋮ ").unwrap();
            let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
            assert_eq!(first.parse(), Ok(next));
            assert_eq!(last.parse(), Ok(range.start() - 1));
            rest = &rest[1..];
        }
        let (these, after) = rest.split_at(range.clone().count());
        assert_eq!(these, &lines[range.start() - 1..*range.end()]);
        (rest, next) = (after, range.end() + 1);
    }
    assert_eq!(rest.len(), usize::from(next <= n_lines));
}

/// Returns texts that look like programs, and texts that do not.
fn any_text() -> impl Strategy<Value = String> {
    let pieces = SAMPLES.map(|(_, text)| text.split_inclusive('\n').collect::<Vec<_>>());
    let pieces: Vec<&str> = pieces.concat();
    let lines = prop::collection::vec(prop::sample::select(pieces), 0..200);
    prop_oneof![
        lines.prop_map(|lines| lines.concat()),
        prop::collection::vec(
            prop::sample::select(vec![
                "\n", "\r\n", "\r", "{", "}", "(", "fn a", "class A", "é", "\0", " ", "'", "#"
            ]),
            0..100
        )
        .prop_map(|words| words.concat()),
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn any_text_is_shown_and_cut_by_whole_lines(
        language in prop::sample::select(Language::ALL.to_vec()),
        text in any_text(),
    ) {
        check(language, &text);
    }

    #[test]
    fn a_sample_with_lines_taken_away_is_still_shown_by_whole_lines(
        (name, text) in prop::sample::select(SAMPLES.to_vec()),
        from in 0..60_usize,
        n in 0..20_usize,
    ) {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let is_left = |at: &usize| !(from..from + n).contains(at);
        let text: String = (0..lines.len()).filter(is_left).map(|at| lines[at]).collect();
        check(language(name, &text), &text);
    }
}
