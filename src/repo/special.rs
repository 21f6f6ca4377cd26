//! Files that a reader rarely wants in full: locks, minified, generated and vendored ones, and what stands for another.

use super::Reason;
use crate::path::RepoPath;

/// Files that package managers write to pin what was resolved.
const LOCK_FILES: &[&str] = &[
    ".terraform.lock.hcl",
    "Cargo.lock",
    "Cartfile.resolved",
    "Gemfile.lock",
    "MODULE.bazel.lock",
    "Package.resolved",
    "Pipfile.lock",
    "Podfile.lock",
    "buf.lock",
    "bun.lock",
    "bun.lockb",
    "cabal.project.freeze",
    "composer.lock",
    "deno.lock",
    "flake.lock",
    "go.sum",
    "go.work.sum",
    "gradle.lockfile",
    "mix.lock",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "packages.lock.json",
    "pdm.lock",
    "pixi.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "pubspec.lock",
    "rebar.lock",
    "stack.yaml.lock",
    "uv.lock",
    "yarn.lock",
];

/// Folders that hold other projects' code.
const VENDOR_FOLDERS: &[&str] = &[
    "Godeps",
    "Pods",
    "bower_components",
    "node_modules",
    "third-party",
    "third_party",
    "vendor",
];

/// Kinds of file that are minified.
const MINIFIABLE: &[&str] = &["cjs", "css", "js", "mjs"];

/// A file of one of these kinds is minified if its lines are longer than this on average, in bytes.
const MINIFIED_LINE_BYTES: usize = 400;

/// How many lines from the beginning may say that a file is generated.
const GENERATED_HEAD_LINES: usize = 10;

/// Lock files, each with the manifest whose packages it pins.
const LOCKS: &[(&str, &str)] = &[
    ("Cargo.lock", "Cargo.toml"),
    ("Gemfile.lock", "Gemfile"),
    ("Package.resolved", "Package.swift"),
    ("Pipfile.lock", "Pipfile"),
    ("Podfile.lock", "Podfile"),
    ("bun.lock", "package.json"),
    ("bun.lockb", "package.json"),
    ("composer.lock", "composer.json"),
    ("deno.lock", "deno.json"),
    ("flake.lock", "flake.nix"),
    ("go.sum", "go.mod"),
    ("go.work.sum", "go.work"),
    ("mix.lock", "mix.exs"),
    ("npm-shrinkwrap.json", "package.json"),
    ("package-lock.json", "package.json"),
    ("pdm.lock", "pyproject.toml"),
    ("pnpm-lock.yaml", "package.json"),
    ("poetry.lock", "pyproject.toml"),
    ("pubspec.lock", "pubspec.yaml"),
    ("uv.lock", "pyproject.toml"),
    ("yarn.lock", "package.json"),
];

/// Says whether `lock` is the lock file of `manifest`, which may be below it, in a workspace.
pub fn locks(lock: &RepoPath, manifest: &RepoPath) -> bool {
    let is_pair = |(known, of): &(&str, &str)| {
        known.as_bytes() == lock.name() && of.as_bytes() == manifest.name()
    };
    LOCKS.iter().any(is_pair) && manifest.folder().starts_with(lock.folder())
}

/// Says why a file of these bytes is not packed in full, as far as its name and its text tell.
pub fn listed(path: &RepoPath, bytes: &[u8]) -> Option<Reason> {
    by_name(path).or_else(|| by_text(path, &String::from_utf8_lossy(bytes)))
}

/// Says by its name why a file is not packed in full.
pub(super) fn by_name(path: &RepoPath) -> Option<Reason> {
    let is_one_of = |name: &[u8], list: &[&str]| list.iter().any(|known| known.as_bytes() == name);
    let name = path.name();
    if is_one_of(name, LOCK_FILES) {
        return Some(Reason::Lock);
    }
    let folders = path.components().count() - 1;
    if path
        .components()
        .take(folders)
        .any(|folder| is_one_of(folder, VENDOR_FOLDERS))
    {
        return Some(Reason::Vendored);
    }
    let minified = is_minifiable(path) && memchr::memmem::find(name, b".min.").is_some();
    let source_map = name.ends_with(b".js.map") || name.ends_with(b".css.map");
    (minified || source_map).then_some(if source_map {
        Reason::Generated
    } else {
        Reason::Minified
    })
}

/// Says by its text why a file is not packed in full.
pub(super) fn by_text(path: &RepoPath, text: &str) -> Option<Reason> {
    if is_lfs_pointer(text) {
        return Some(Reason::Lfs);
    }
    if is_minifiable(path) {
        let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count().max(1);
        if text.len() / lines > MINIFIED_LINE_BYTES {
            return Some(Reason::Minified);
        }
    }
    text.lines()
        .take(GENERATED_HEAD_LINES)
        .any(says_generated)
        .then_some(Reason::Generated)
}

/// Says whether a text stands for a file that Git LFS keeps elsewhere; its specification gives form and size.
fn is_lfs_pointer(text: &str) -> bool {
    text.len() < 1024
        && text.starts_with("version https://git-lfs.github.com/spec/v1\n")
        && ["\noid sha256:", "\nsize "]
            .iter()
            .all(|key| text.contains(key))
}

/// Says whether a line is a comment by which a generator marks its output.
fn says_generated(line: &str) -> bool {
    let line = line.trim_start();
    let comment = ["//", "#", "/*", "*", "<!--", "--", ";", "%", "'"]
        .iter()
        .any(|mark| line.starts_with(mark));
    if !comment || line.len() > MINIFIED_LINE_BYTES {
        return false;
    }
    if line
        .split(|c: char| !c.is_alphanumeric() && c != '@')
        .any(|word| word == "@generated")
    {
        return true;
    }
    let line = line.to_ascii_lowercase();
    line.contains("generated")
        && ["do not edit", "do not modify", "don't edit"]
            .iter()
            .any(|order| line.contains(order))
}

fn is_minifiable(path: &RepoPath) -> bool {
    let extension = path.name().rsplit(|&byte| byte == b'.').next();
    MINIFIABLE
        .iter()
        .any(|known| Some(known.as_bytes()) == extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_lock_file_goes_with_the_manifests_beside_and_below_it() {
        let path = |text: &str| RepoPath::parse(text.as_bytes()).unwrap();
        for (lock, manifest, expected) in [
            ("Cargo.lock", "Cargo.toml", true),
            ("Cargo.lock", "crates/a/Cargo.toml", true),
            ("web/yarn.lock", "web/package.json", true),
            ("web/yarn.lock", "package.json", false),
            ("go.sum", "go.mod", true),
            ("Cargo.lock", "package.json", false),
            ("Cargo.toml", "Cargo.lock", false),
            ("src/main.rs", "Cargo.toml", false),
        ] {
            assert_eq!(
                locks(&path(lock), &path(manifest)),
                expected,
                "{lock} {manifest}"
            );
        }
    }

    #[test]
    fn names_that_say_it() {
        for (name, reason) in [
            ("Cargo.lock", Some(Reason::Lock)),
            ("web/package-lock.json", Some(Reason::Lock)),
            ("src/lock.rs", None),
            ("vendor/github.com/x/y.go", Some(Reason::Vendored)),
            ("src/vendor.rs", None),
            ("vendor", None),
            ("js/app.min.js", Some(Reason::Minified)),
            ("data.min.json", None),
            ("js/app.js.map", Some(Reason::Generated)),
        ] {
            assert_eq!(by_name(&path(name)), reason, "{name}");
        }
    }

    #[test]
    fn texts_that_say_it() {
        let long = format!("var a={};", "1+".repeat(300));
        for (name, text, reason) in [
            ("a.js", long.as_str(), Some(Reason::Minified)),
            ("a.json", long.as_str(), None),
            (
                "a.go",
                "// Code generated by stringer; DO NOT EDIT.\n\npackage a\n",
                Some(Reason::Generated),
            ),
            (
                "a_pb2.py",
                "# -*- coding: utf-8 -*-\n# Generated by the protocol buffer compiler.  DO NOT EDIT!\n",
                Some(Reason::Generated),
            ),
            ("a.rs", "// @generated by a tool\n", Some(Reason::Generated)),
            ("a.rs", "// not@generated.example\n", None),
            ("gen.py", "print('// Code generated, DO NOT EDIT')\n", None),
            (
                "a.rs",
                &format!("{}// Code generated. DO NOT EDIT.\n", "\n".repeat(10)),
                None,
            ),
        ] {
            assert_eq!(by_text(&path(name), text), reason, "{name} {text:.40}");
        }
    }
}
