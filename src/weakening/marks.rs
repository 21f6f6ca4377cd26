//! What the lines of a text say of checks: which run one, which let failures pass, and which set bounds.

use std::collections::BTreeMap;

use super::facts::is_comment;
use crate::path::RepoPath;

/// The lines of a text that decide what a check comes to.
#[derive(Debug, Default)]
pub(super) struct Marks<'a> {
    /// Each lets a failure pass.
    pub(super) lenient: Vec<&'a str>,
    /// Each runs a check.
    pub(super) runs: Vec<&'a str>,
    /// For each name of a bound the lines that set one, with the number.
    pub(super) bounds: BTreeMap<&'static str, Vec<(&'a str, f64)>>,
}

/// What stands in lines that run tests or other checks.
const RUNS: &[&str] = &[
    "cargo test",
    "cargo nextest",
    "cargo clippy",
    "cargo fmt",
    "npm test",
    "npm run test",
    "npm run lint",
    "npm t ",
    "yarn test",
    "yarn lint",
    "pnpm test",
    "pnpm run test",
    "bun test",
    "deno test",
    "pytest",
    "python -m unittest",
    "tox",
    "nox",
    "go test",
    "go vet",
    "make test",
    "make check",
    "ctest",
    "mvn test",
    "mvn verify",
    "gradle test",
    "gradlew test",
    "gradle check",
    "gradlew check",
    "jest",
    "vitest",
    "playwright test",
    "rspec",
    "phpunit",
    "dotnet test",
    "eslint",
    "ruff",
    "mypy",
];

/// What stands in lines that let a failure pass.
const LENIENT: &[&str] = &[
    "|| true",
    "||true",
    "|| :",
    "|| exit 0",
    "continue-on-error: true",
    "continueOnError: true",
    "allow_failure: true",
    "if: false",
    "if: ${{ false }}",
    "set +e",
    "--passWithNoTests",
    "--no-verify",
    "--exit-zero",
    "--deselect",
    "--ignore",
    "-- --skip",
    "ignore_outcome = true",
    "ignore_errors = true",
    "test = false",
    "harness = false",
    "autotests = false",
    "when: never",
    "when: manual",
    "-k \"not ",
    "-k 'not ",
    "<skipTests>true",
    "-DskipTests",
    "testFailureIgnore>true",
    "ignoreFailures = true",
];

/// Names of bounds below which a check fails.
const LEAST: &[&str] = &[
    "fail_under",
    "fail-under",
    "branches",
    "functions",
    "lines",
    "statements",
    "minimum_coverage",
    "coverage",
    "threshold",
    "target",
    "min-coverage",
    "min_coverage",
    "minimum",
];

/// Names of bounds above which it does.
const MOST: &[&str] = &["max-warnings", "maxWarnings", "max_warnings", "retries"];

/// Returns what the lines of a text say of failures that pass.
pub(super) fn marks<'a>(text: &'a str, path: &RepoPath) -> Marks<'a> {
    let is_make = path.name().to_ascii_lowercase().ends_with(b"makefile");
    // In a recipe, a dash before a command means that it may fail.
    let ignores = |line: &str| is_make && (line.starts_with("\t-") || line.starts_with("\t@-"));
    let mut marks = Marks::default();
    for line in text.lines().filter(|line| !is_comment(line.trim())) {
        let plain = line.trim();
        if RUNS.iter().any(|run| line.contains(run)) {
            marks.runs.push(plain);
        }
        if ignores(line) || plain == "exit 0" || LENIENT.iter().any(|mark| line.contains(mark)) {
            marks.lenient.push(plain);
        }
        for name in LEAST.iter().chain(MOST) {
            if let Some(bound) = bound(plain, name) {
                marks.bounds.entry(name).or_default().push((plain, bound));
            }
        }
    }
    marks
}

/// Returns the lines of bounds that more passes than before.
pub(super) fn looser(
    before: &BTreeMap<&'static str, Vec<(&str, f64)>>,
    after: &BTreeMap<&'static str, Vec<(&str, f64)>>,
) -> impl Iterator<Item = String> {
    let sum = |bounds: &[(&str, f64)]| bounds.iter().map(|(_, bound)| bound).sum::<f64>();
    let looser = before.iter().filter_map(move |(name, before)| {
        let after = after.get(name).map_or(&[][..], Vec::as_slice);
        let is_looser = if MOST.contains(name) {
            after.is_empty() || sum(after) > sum(before)
        } else {
            sum(after) < sum(before)
        };
        let now = after.iter().find(|line| !before.contains(line));
        let (line, _) = now.or(before.first())?;
        is_looser.then(|| (*line).to_owned())
    });
    let mut looser: Vec<String> = looser.collect();
    looser.dedup();
    looser.into_iter()
}

/// Returns the number that a line gives to the bound `name`.
fn bound(line: &str, name: &str) -> Option<f64> {
    let at = line.find(name)?;
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    if line[..at].ends_with(is_part) {
        return None;
    }
    let rest = line[at + name.len()..].trim_start_matches(['"', '\'', ':', '=', ' ', '\t', '>']);
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}
