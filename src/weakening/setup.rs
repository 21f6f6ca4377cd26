//! How a project is tested, as its files say, so far as that can be told from what else they say.

use super::File;
use super::place;
use crate::check::make_rule;

/// Parts of a `package.json` that say how it is tested, beside its scripts.
const PACKAGE_PARTS: &[&str] = &["jest", "vitest", "mocha", "nyc", "c8", "ava", "tap"];

/// How the names of scripts, targets and sections begin that check something.
const CHECKS: &[&str] = &[
    "test", "check", "lint", "verify", "ci", "coverage", "pretest", "posttest",
];

/// Words in the names of sections that say how Python is tested.
const SECTIONS: &[&str] = &["pytest", "coverage", "tox", "nox"];

/// Says whether a file says another thing than before of how the project is tested.
pub(super) fn is_other(file: File<'_>, checks: &[String]) -> bool {
    let File {
        path,
        before,
        after,
    } = file;
    if before == after {
        return false;
    }
    let is_judge =
        place::is_named(path, checks) && (place::is_script(path) || !place::is_test(path));
    if place::is_runner(path) || is_judge {
        return true;
    }
    let Some(before) = before else {
        // What says it first takes nothing away.
        return false;
    };
    let name = String::from_utf8_lossy(path.name()).to_lowercase();
    let told = |text: &str| match name.as_str() {
        "package.json" => package(text),
        "makefile" | "gnumakefile" => rules(text),
        "pyproject.toml" | "setup.cfg" => sections(text),
        _ => String::new(),
    };
    told(before) != told(after.unwrap_or_default())
}

fn is_check(name: &str) -> bool {
    CHECKS.iter().any(|check| name.starts_with(check))
}

fn package(text: &str) -> String {
    let package: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let scripts = package
        .get("scripts")
        .and_then(serde_json::Value::as_object);
    let scripts = scripts.into_iter().flatten();
    let scripts = scripts.filter(|(name, _)| is_check(name));
    let scripts = scripts.map(|(name, script)| format!("{name}: {script}\n"));
    let parts = PACKAGE_PARTS.iter().filter_map(|name| package.get(name));
    scripts.chain(parts.map(ToString::to_string)).collect()
}

fn rules(text: &str) -> String {
    let targets = text.lines().filter(|line| !line.starts_with(['\t', '#']));
    let targets = targets.filter_map(|line| line.split_once(':'));
    let names = targets.flat_map(|(targets, _)| targets.split_whitespace());
    let names = names.filter(|name| is_check(name));
    names.filter_map(|name| make_rule(text, name)).collect()
}

fn sections(text: &str) -> String {
    let mut is_in = false;
    let mut told = String::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') && line.ends_with(']') {
            is_in = SECTIONS.iter().any(|section| line.contains(section));
        }
        if is_in && !line.is_empty() && !line.starts_with('#') {
            told.push_str(line);
            told.push('\n');
        }
    }
    told
}
