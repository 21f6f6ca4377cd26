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
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    !ending.is_empty()
        && (TEST_BEGINNINGS.iter().any(|begin| stem.starts_with(begin))
            || TEST_ENDS
                .iter()
                .any(|end| stem.ends_with(end) && stem != *end))
}

/// Says whether a file holds nothing but how tests are run.
pub(super) fn is_runner(path: &RepoPath) -> bool {
    let name = name(path);
    RUNNERS.iter().any(|runner| name.starts_with(runner))
}

/// Says whether what a file says decides what a check comes to: CI, a runner's settings, a script that checks.
pub(super) fn is_of_checks(path: &RepoPath, checks: &[String]) -> bool {
    scratch::is_guarded(path)
        || is_runner(path)
        || MIXED.contains(&name(path).as_str())
        || is_script(path) && has_word(path)
        || is_named(path, checks)
}

/// Says whether a check names a file.
pub(super) fn is_named(path: &RepoPath, checks: &[String]) -> bool {
    let is_end = |c: char| c.is_whitespace() || ";&|()<>'\"`".contains(c);
    let mut words = checks.iter().flat_map(|check| check.split(is_end));
    words.any(|word| word.trim_start_matches("./").as_bytes() == path.as_bytes())
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
