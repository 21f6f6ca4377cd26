//! What the lines of a text say of tests: which begin one, which assert, and which skip.

use super::place;
use crate::path::RepoPath;

/// The lines of a text that tests are made of, without comments.
#[derive(Debug, Default)]
pub(super) struct Facts<'a> {
    /// Each begins a test; after an attribute, the line that it belongs to.
    pub(super) tests: Vec<&'a str>,
    /// Each asserts something.
    pub(super) assertions: Vec<&'a str>,
    /// Each keeps tests from being run.
    pub(super) skips: Vec<&'a str>,
    /// Each makes a test pass that fails.
    pub(super) reversed: Vec<&'a str>,
}

/// How lines begin that begin a test.
const TESTS: &[&str] = &[
    "def test",
    "async def test",
    "func Test",
    "func Fuzz",
    "t.Run(",
    "@Test",
    "@ParameterizedTest",
    "@RepeatedTest",
    "@test ",
    "[Test",
    "[Fact",
    "[Theory",
    "[DataTestMethod",
    "TEST(",
    "TEST_F(",
    "TEST_P(",
    "TEST_CASE(",
    "TYPED_TEST(",
    "BOOST_AUTO_TEST_CASE(",
    "SCENARIO(",
    "public function test",
    "Deno.test(",
];

/// Words that begin a test where a bracket, a dot or a quotation mark follows.
const TEST_WORDS: &[&str] = &["it", "test", "xit", "xtest", "fit", "specify"];

/// Last words of attributes that make a function a test.
const TEST_ATTRIBUTES: &[&str] = &[
    "test",
    "rstest",
    "test_case",
    "case",
    "quickcheck",
    "wasm_bindgen_test",
    "Test",
];

/// What stands in lines that assert; `assert` does in any spelling.
const ASSERTIONS: &[&str] = &[
    "expect(", ".should", "EXPECT_", "REQUIRE(", "CHECK(", "t.Error", "t.Fatal", "raises(",
    "verify(",
];

/// Lines that assert nothing, without spaces and in lower case.
const VACUOUS: &[&str] = &[
    "assert!(true",
    "asserttrue(true",
    "assert(true",
    "assert.ok(true",
    "assert.true(true",
    "assert1==1",
    "asserttrue",
    "expect(true).tobe(true",
    "expect(true).tobetruthy(",
    "expect(1).tobe(1",
];

/// How lines begin that keep tests from being run.
const SKIPS: &[&str] = &[
    "#[ignore",
    "#[cfg(any())]",
    "#[cfg(false)]",
    "@pytest.mark.skip",
    "@pytest.mark.xfail",
    "pytest.skip(",
    "pytest.xfail(",
    "pytestmark = pytest.mark.skip",
    "@unittest.skip",
    "@unittest.expectedFailure",
    "self.skipTest(",
    "raise SkipTest",
    "raise unittest.SkipTest",
    "it.skip",
    "test.skip",
    "describe.skip",
    "suite.skip",
    "context.skip",
    "xit(",
    "xtest(",
    "xdescribe(",
    "xcontext(",
    "it.only",
    "test.only",
    "describe.only",
    "fit(",
    "fdescribe(",
    "it.todo",
    "test.todo",
    "it.fails",
    "test.fails",
    "it.failing",
    "test.failing",
    "test.fixme",
    "this.skip(",
    "t.Skip",
    "b.Skip",
    "@Disabled",
    "@Ignore",
    "[Ignore",
    "[Skip",
    "[Explicit",
    "GTEST_SKIP(",
    "$this->markTestSkipped(",
    "$this->markTestIncomplete(",
    "skip \"",
    "skip '",
    "skip(",
    "pending \"",
    "xit \"",
    "xit '",
    "xdescribe \"",
    "//go:build",
    "// +build",
    "#![cfg(",
    "os._exit(",
    "sys.exit(",
    "process.exit(",
    "__test__ = False",
    "def load_tests(",
    "load_tests =",
    "collect_ignore",
    "except AssertionError",
    "except (AssertionError",
    "with suppress(AssertionError",
    "with contextlib.suppress(AssertionError",
    "if false ",
    "if (false)",
    "if False:",
    "if 0:",
    "#if 0",
];

/// What stands in such lines.
const SKIPS_WITHIN: &[&str] = &[
    "[Fact(Skip",
    "[Theory(Skip",
    "skip: true",
    "marks=pytest.mark.skip",
    "marks=pytest.mark.xfail",
    "DISABLED_",
];

/// How lines begin that make a test pass which fails.
const REVERSED: &[&str] = &["#[should_panic"];

/// Lines that end a test where they are its first.
const ENDS: &[&str] = &["return", "return;", "return None", "return undefined;"];

/// How lines end, without spaces, that give a test no case to run.
const NO_CASES: &[&str] = &[",[])", ".each([])", ".each([])("];

/// Returns what the lines of a text say of tests; outside of files of tests only those from the first of Rust's own on.
pub(super) fn facts<'a>(text: &'a str, path: &RepoPath) -> Facts<'a> {
    let lines = code(text);
    let begins = |line: &&str| line.starts_with("#[cfg(test)]") || is_test_attribute(line);
    let first = if place::is_test(path) {
        0
    } else {
        lines.iter().position(begins).unwrap_or(lines.len())
    };
    let lines = &lines[first..];
    let mut facts = Facts::default();
    for (at, line) in lines.iter().enumerate() {
        if is_test_attribute(line)
            || TESTS.iter().any(|begin| line.starts_with(begin))
            || calls_test(line)
        {
            let (head, own) = named(lines, at);
            facts.tests.push(own);
            let first = lines.get(head + 1).filter(|first| ENDS.contains(*first));
            facts.skips.extend(first);
        }
        if let Some(module) = test_module(lines, at) {
            facts.tests.push(module);
        }
        if REVERSED.iter().any(|begin| line.starts_with(begin)) {
            facts.reversed.push(line);
        }
        if asserts(line) {
            facts.assertions.push(line);
        }
        if skips(line) {
            facts.skips.push(line);
        }
    }
    facts
}

/// Returns the lines of a text without white space round them, comments and texts between three quotation marks left out.
fn code(text: &str) -> Vec<&str> {
    let mut code = Vec::new();
    // What ends the comment or text that a line stands in.
    let mut end: Option<&str> = None;
    for line in text.lines().map(str::trim) {
        if let Some(mark) = end {
            if line.contains(mark) {
                end = None;
            }
            continue;
        }
        for (open, close) in [
            ("/*", "*/"),
            ("<!--", "-->"),
            ("\"\"\"", "\"\"\""),
            ("'''", "'''"),
        ] {
            if line
                .strip_prefix(open)
                .is_some_and(|rest| !rest.contains(close))
            {
                end = Some(close);
            }
        }
        if !line.is_empty() && end.is_none() && !is_comment(line) {
            code.push(line);
        }
    }
    code
}

pub(super) fn is_comment(line: &str) -> bool {
    let is_code = ["#[", "#![", "#if", "//go:build", "// +build"]
        .iter()
        .any(|begin| line.starts_with(begin));
    let begins = ["//", "#", "/*", "* ", "*/", "<!--", "-- ", ";"];
    !is_code && begins.iter().any(|begin| line.starts_with(begin))
}

/// Says whether a line is an attribute that makes a function a test: its last word does.
fn is_test_attribute(line: &str) -> bool {
    let Some(attribute) = line.strip_prefix("#[") else {
        return false;
    };
    let end = attribute.find(['(', ']', ' ', '=', ',']);
    let name = &attribute[..end.unwrap_or(attribute.len())];
    let word = name.rsplit("::").next().unwrap_or(name);
    TEST_ATTRIBUTES.contains(&word)
}

fn calls_test(line: &str) -> bool {
    let end = line.find(|c: char| !c.is_alphanumeric() && c != '_');
    end.is_some_and(|end| {
        let follows = line[end..].trim_start();
        TEST_WORDS.contains(&&line[..end]) && follows.starts_with(['(', '.', '"', '\'', '`'])
    })
}

/// Returns the line that tells the test at `at` from others, and where it is: after attributes, the one that they belong to.
fn named<'a>(lines: &[&'a str], at: usize) -> (usize, &'a str) {
    let is_attribute =
        |line: &&&str| line.starts_with("#[") || line.starts_with('@') || line.starts_with('[');
    let own = lines[at..].iter().position(|line| !is_attribute(&line));
    let head = at + own.unwrap_or(0);
    (head, lines[head])
}

/// Returns the line at `at` if it names a module of tests that stands in another file.
fn test_module<'a>(lines: &[&'a str], at: usize) -> Option<&'a str> {
    let line = lines[at];
    let (is_test, own) = match line.strip_prefix("#[cfg(test)]") {
        Some(rest) => (true, rest.trim()),
        None => (at > 0 && lines[at - 1] == "#[cfg(test)]", line),
    };
    (is_test && module(own).is_some()).then_some(own)
}

/// Returns the name of the module that a line says stands in another file.
pub(super) fn module(line: &str) -> Option<&str> {
    let line = line.trim();
    let after = match line.strip_prefix("mod ") {
        Some(after) => after,
        None => line.strip_prefix("pub")?.split_once("mod ")?.1,
    };
    let name = after.strip_suffix(';')?.trim();
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(is_part)).then_some(name)
}

fn asserts(line: &str) -> bool {
    let is_import = [
        "use ",
        "pub use ",
        "import ",
        "from ",
        "#include",
        "using ",
        "const assert = require",
    ]
    .iter()
    .any(|begin| line.starts_with(begin));
    if is_import {
        return false;
    }
    let squeezed: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    let squeezed = squeezed.to_lowercase();
    let is_vacuous = VACUOUS.iter().any(|text| {
        let after = squeezed.find(text).map(|at| &squeezed[at + text.len()..]);
        after.is_some_and(|after| after.is_empty() || after.starts_with([')', ',', ';', '#']))
    });
    let lower = line.to_lowercase();
    let is_vacuous = is_vacuous || lower.contains(" or true") || lower.contains("|| true");
    !is_vacuous
        && (squeezed.contains("assert") || ASSERTIONS.iter().any(|mark| line.contains(mark)))
}

fn skips(line: &str) -> bool {
    let plain = ["await ", "return "]
        .iter()
        .find_map(|word| line.strip_prefix(word));
    let plain = plain.unwrap_or(line);
    let squeezed: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    let ends =
        |end: &&str| squeezed.ends_with(*end) || end.ends_with('(') && squeezed.contains(*end);
    let has_cases = line.contains("parametrize") || line.contains(".each");
    let is_empty = has_cases && NO_CASES.iter().any(ends);
    is_empty
        || SKIPS.iter().any(|begin| plain.starts_with(begin))
        || SKIPS_WITHIN.iter().any(|mark| line.contains(mark))
        || line.starts_with("#[cfg_attr(") && line.contains("ignore")
}
