//! Which files hold tests, which say how tests are run, and which run them: told by their paths.

use crate::path::RepoPath;
use crate::scratch;

/// Folders of tests.
const TEST_FOLDERS: &[&str] = &["test", "tests", "__tests__", "spec", "specs", "e2e"];

/// How the name of a file of tests begins, without its ending.
const TEST_BEGINNINGS: &[&str] = &["test_"];

/// How it ends; case counts.
const TEST_ENDS: &[&str] = &[
    "_test", "_tests", "_spec", ".test", ".spec", "-test", "-spec", ".cy", "Test", "Tests", "Spec",
    "TestCase",
];

/// Files whose only content is how tests are run: what their names begin with, in lower case.
const RUNNERS: &[&str] = &[
    ".codecov.",
    ".coveragerc",
    ".mocharc",
    ".nycrc",
    ".rspec",
    "ava.config.",
    "codecov.",
    "conftest.py",
    "cypress.config.",
    "cypress.json",
    "jest.config.",
    "karma.conf.",
    "nextest.toml",
    "noxfile.py",
    "phpunit.xml",
    "playwright.config.",
    "pytest.ini",
    ".pytest.ini",
    "tarpaulin.toml",
    ".tarpaulin.toml",
    "tox.ini",
    "vitest.config.",
    "vitest.workspace.",
    "wdio.conf.",
];

/// Files that say, beside other things, how tests are run.
const MIXED: &[&str] = &[
    "cargo.toml",
    "gnumakefile",
    "justfile",
    "makefile",
    "package.json",
    "pyproject.toml",
    "rakefile",
    "setup.cfg",
    "taskfile.yml",
    "taskfile.yaml",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "cmakelists.txt",
];

/// Endings of scripts.
const SCRIPTS: &[&str] = &["sh", "bash", "zsh", "fish", "ps1", "bat", "cmd"];

/// Words in the path of a script that runs checks.
const SCRIPT_WORDS: &[&str] = &["test", "check", "lint", "verify", "ci", "coverage"];

/// Says whether a file holds tests, or what tests compare with.
pub(super) fn is_test(path: &RepoPath) -> bool {
    let text = path.to_string();
    let mut components: Vec<&str> = text.split('/').collect();
    let name = components.pop().unwrap_or_default();
    let is_folder = |name: &&str| TEST_FOLDERS.contains(&name.to_lowercase().as_str());
    if components.iter().any(is_folder) {
        return true;
    }
    has_test_name(name)
}

/// Says whether a name is one that runners look for, whatever folder it is in.
fn has_test_name(name: &str) -> bool {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    !ending.is_empty()
        && (TEST_BEGINNINGS.iter().any(|begin| stem.starts_with(begin))
            || TEST_ENDS
                .iter()
                .any(|end| stem.ends_with(end) && stem != *end))
}

/// Endings of files that the same runners look for.
const ALIKE: &[&[&str]] = &[&["js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts"]];

/// Says whether a runner that finds the tests in `from` finds them in a new file `to`; Rust finds what is a module, of those
/// in `modules`, or stands where it looks by itself.
pub(super) fn is_found_as(to: &RepoPath, from: &RepoPath, modules: &[&str]) -> bool {
    let (to, from) = (to.to_string(), from.to_string());
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let ending = |path: &str| {
        name(path)
            .rsplit_once('.')
            .map_or(String::new(), |(_, end)| end.to_owned())
    };
    let (own, other) = (ending(&to), ending(&from));
    let is_alike = |all: &&&[&str]| all.contains(&own.as_str()) && all.contains(&other.as_str());
    if own != other && !ALIKE.iter().any(|all| is_alike(&all)) {
        return false;
    }
    if own == "rs" {
        let folders: Vec<&str> = to.split('/').rev().skip(1).collect();
        let is_own = matches!(folders.first(), Some(&("tests" | "benches" | "bin")))
            || matches!(name(&to).as_str(), "main.rs" | "lib.rs");
        return is_own || modules.iter().any(|module| is_module_at(&to, module));
    }
    let is_in_tests = to.split('/').any(|folder| folder == "__tests__");
    !has_test_name(&name(&from)) || has_test_name(&name(&to)) || is_in_tests
}

/// Says whether a file is the one of a module of Rust.
pub(super) fn is_module(path: &RepoPath, module: &str) -> bool {
    is_module_at(&path.to_string(), module)
}

fn is_module_at(path: &str, module: &str) -> bool {
    let path = path
        .strip_suffix("/mod.rs")
        .or_else(|| path.strip_suffix(".rs"));
    path.is_some_and(|path| path.rsplit('/').next() == Some(module))
}

/// Says whether a file holds nothing but how tests are run.
pub(super) fn is_runner(path: &RepoPath) -> bool {
    let name = name(path);
    RUNNERS.iter().any(|runner| name.starts_with(runner))
}

/// Says whether what a file says decides what a check comes to: CI, a runner's settings, a script that checks.
pub(super) fn is_of_checks(path: &RepoPath, checks: &[String]) -> bool {
    scratch::is_judge(path)
        || is_runner(path)
        || MIXED.contains(&name(path).as_str())
        || is_script(path) && has_word(path)
        || is_named(path, checks)
}

/// Says whether a check names a file, from the root or from the folder that it goes into.
pub(super) fn is_named(path: &RepoPath, checks: &[String]) -> bool {
    checks.iter().any(|check| names(check, path))
}

fn names(check: &str, path: &RepoPath) -> bool {
    let is_end = |c: char| c.is_whitespace() || ";&|()<>'\"`".contains(c);
    let mut folder = String::new();
    let mut words = check.split(is_end).filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        if word == "cd" {
            folder = within(&folder, words.next().unwrap_or_default());
        } else if [within("", word), within(&folder, word)]
            .iter()
            .any(|named| named.as_bytes() == path.as_bytes())
        {
            return true;
        }
    }
    false
}

/// Returns a path as a command writes it, from the root: the folder in which it stands is the root's.
fn within(folder: &str, word: &str) -> String {
    let here = ["$PWD/", "${PWD}/"];
    let word = here
        .iter()
        .find_map(|here| word.strip_prefix(here))
        .unwrap_or(word);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in word.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// Says whether a file is a script by its name.
pub(super) fn is_script(path: &RepoPath) -> bool {
    let name = name(path);
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    ending.is_none_or(|ending| SCRIPTS.contains(&ending))
}

fn has_word(path: &RepoPath) -> bool {
    let text = path.to_string().to_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    words.any(|word| SCRIPT_WORDS.contains(&word.trim_end_matches('s')))
}

fn name(path: &RepoPath) -> String {
    String::from_utf8_lossy(path.name()).to_lowercase()
}
