//! Checks that a project's own files propose: what its tools are told to test it with.
//!
//! In: the root of a repository. Out: [`Preset`]. Nothing is run, and no link followed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fs::{Entry, EntryKind, Hash, Root};
use crate::path::RepoPath;

/// A check that a project's own files propose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// The command.
    pub command: String,
    /// The file that says so.
    pub file: String,
    /// What the command runs, where the file tells: the scripts of a package, the rule of a makefile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<String>,
    /// The files that say how that is run, or what else is, by the hashes of what they hold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reads: BTreeMap<String, Hash>,
    /// The folder that it needs although git ignores it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carries: Option<RepoPath>,
}

/// No file that is looked into is larger.
const MAX_BYTES: u64 = 1 << 20;

/// Returns the checks that the files in `root` propose, one for each tool; a makefile's only where there is no other.
pub fn presets(root: &Root) -> Vec<Preset> {
    let tools = [cargo, node, pytest, go];
    let mut found: Vec<Preset> = tools.iter().filter_map(|tool| tool(root)).collect();
    if found.is_empty() {
        found.extend(make(root));
    }
    found
}

fn cargo(root: &Root) -> Option<Preset> {
    let manifest = text(root, "Cargo.toml")?;
    let is_workspace = manifest.lines().any(|line| line.trim() == "[workspace]");
    let all = if is_workspace { " --workspace" } else { "" };
    Some(preset(format!("cargo test{all}"), "Cargo.toml"))
}

/// Scripts of a package that its tests are run by, in their order.
const NODE_SCRIPTS: &[&str] = &["pretest", "test", "posttest"];

/// Files that say by what npm, pnpm and yarn run scripts.
const NODE_SETTINGS: &[&str] = &[".npmrc", ".yarnrc", ".yarnrc.yml", "pnpm-workspace.yaml"];

fn node(root: &Root) -> Option<Preset> {
    let manifest = text(root, "package.json")?;
    let script = npm_script(&manifest, "test")?;
    // What `npm init` writes.
    if script.contains("no test specified") {
        return None;
    }
    let locks = [("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn")];
    let lock = locks.iter().find(|(lock, _)| is_file(root, lock));
    let program = lock.map_or("npm", |(_, program)| program);
    let scripts = NODE_SCRIPTS
        .iter()
        .filter_map(|name| npm_script(&manifest, name));
    let scripts: Vec<String> = scripts.collect();
    let settings = NODE_SETTINGS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), Hash::of(text(root, name)?.as_bytes()))));
    Some(Preset {
        runs: Some(scripts.join("\n")),
        reads: settings.collect(),
        carries: folder(root, "node_modules"),
        ..preset(format!("{program} test"), "package.json")
    })
}

/// Files that tell of pytest by their contents.
const PYTHON_FILES: &[&str] = &["pyproject.toml", "setup.cfg", "tox.ini", "setup.py"];

fn pytest(root: &Root) -> Option<Preset> {
    let tells = |file: &&&str| text(root, file).is_some_and(|text| text.contains("pytest"));
    let file = if is_file(root, "pytest.ini") {
        "pytest.ini".to_owned()
    } else if let Some(file) = PYTHON_FILES.iter().find(tells) {
        (*file).to_owned()
    } else {
        ["tests", "test"].iter().find_map(|name| {
            let files = root.list(Some(&folder(root, name)?)).ok()?;
            let is_test = |path: &RepoPath| {
                path.name().starts_with(b"test_") && path.name().ends_with(b".py")
            };
            let tests = files.into_iter().map(|(path, _)| path).filter(is_test);
            tests.min().map(|path| path.to_string())
        })?
    };
    let own = [".venv", "venv"].iter().find_map(|name| {
        let folder = folder(root, name)?;
        let python = RepoPath::parse(format!("{name}/bin/python").as_bytes()).ok()?;
        root.find(&python).ok()?.map(|_| (python, folder))
    });
    let (python, carries) = match own {
        Some((python, folder)) => (python.to_string(), Some(folder)),
        None => ("python3".to_owned(), None),
    };
    Some(Preset {
        carries,
        ..preset(format!("{python} -m pytest"), &file)
    })
}

fn go(root: &Root) -> Option<Preset> {
    is_file(root, "go.mod").then(|| preset("go test ./...".to_owned(), "go.mod"))
}

/// The files that make looks for.
const MAKEFILES: &[&str] = &["GNUmakefile", "makefile", "Makefile"];

fn make(root: &Root) -> Option<Preset> {
    let file = MAKEFILES.iter().find(|file| is_file(root, file))?;
    let text = text(root, file)?;
    ["test", "check"].iter().find_map(|target| {
        Some(Preset {
            runs: Some(make_rule(&text, target)?),
            reads: makefiles(root, file),
            ..preset(format!("make {target}"), file)
        })
    })
}

/// No more files are followed that makefiles include.
const MAX_INCLUDED: usize = 100;

/// Returns a makefile and those that it includes by their names, with their hashes: what any line sets may be run.
fn makefiles(root: &Root, file: &str) -> BTreeMap<String, Hash> {
    let mut found = BTreeMap::new();
    let mut open = vec![file.to_owned()];
    while let Some(name) = open.pop() {
        if found.len() == MAX_INCLUDED || found.contains_key(&name) {
            continue;
        }
        let Some(text) = text(root, &name) else {
            continue;
        };
        for line in text.lines() {
            let mut words = line.split_whitespace();
            if matches!(words.next(), Some("include" | "-include" | "sinclude")) {
                // From the folder in which make runs, whatever file includes.
                open.extend(words.map(|word| word.trim_start_matches("./").to_owned()));
            }
        }
        found.insert(name, Hash::of(text.as_bytes()));
    }
    found
}

/// Returns the script `name` of a `package.json`.
pub fn npm_script(manifest: &str, name: &str) -> Option<String> {
    let manifest: serde_json::Value = serde_json::from_str(manifest).ok()?;
    let script = manifest.get("scripts")?.get(name)?.as_str()?;
    (!script.trim().is_empty()).then(|| script.to_owned())
}

/// Returns the rules of a makefile that make `target`, with their recipes.
pub fn make_rule(makefile: &str, target: &str) -> Option<String> {
    let mut rule = String::new();
    let mut is_in = false;
    for line in makefile.lines() {
        let is_recipe = line.starts_with('\t') || line.trim().is_empty();
        is_in = is_recipe && is_in || !is_recipe && makes(line, target);
        if is_in {
            rule.push_str(line.trim_end());
            rule.push('\n');
        }
    }
    let rule = rule.trim_end();
    (!rule.is_empty()).then(|| rule.to_owned())
}

/// Says whether a line of a makefile begins a rule for `target`.
fn makes(line: &str, target: &str) -> bool {
    let Some((targets, rest)) = line.split_once(':') else {
        return false;
    };
    // `test := x` and `test ::= x` set a variable.
    let is_rule = !rest.trim_start_matches(':').starts_with('=') && !targets.contains(['=', '#']);
    is_rule && targets.split_whitespace().any(|name| name == target)
}

fn preset(command: String, file: &str) -> Preset {
    Preset {
        command,
        file: file.to_owned(),
        runs: None,
        reads: BTreeMap::new(),
        carries: None,
    }
}

fn text(root: &Root, name: &str) -> Option<String> {
    let path = RepoPath::parse(name.as_bytes()).ok()?;
    match root.read(&path, MAX_BYTES).ok()? {
        Entry::Whole(bytes) => String::from_utf8(bytes).ok(),
        Entry::TooLarge { .. } => None,
    }
}

fn is_file(root: &Root, name: &str) -> bool {
    kind(root, name).is_some_and(|(_, kind)| kind == EntryKind::File)
}

fn folder(root: &Root, name: &str) -> Option<RepoPath> {
    let (path, kind) = kind(root, name)?;
    (kind == EntryKind::Folder).then_some(path)
}

fn kind(root: &Root, name: &str) -> Option<(RepoPath, EntryKind)> {
    let path = RepoPath::parse(name.as_bytes()).ok()?;
    let kind = root.kind(&path).ok()?;
    Some((path, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_project_say_how_it_is_checked() {
        let package = r#"{"scripts": {"test": "jest --ci"}}"#;
        let untested = r#"{"scripts": {"test": "echo \"Error: no test specified\" && exit 1"}}"#;
        for (files, expected) in [
            (
                &[("Cargo.toml", "[package]\n")][..],
                &[("cargo test", "Cargo.toml")][..],
            ),
            (
                &[("Cargo.toml", "[workspace]\n")],
                &[("cargo test --workspace", "Cargo.toml")],
            ),
            (&[("sub/Cargo.toml", "[package]\n")], &[]),
            (
                &[("package.json", package)],
                &[("npm test", "package.json")],
            ),
            (
                &[("package.json", package), ("pnpm-lock.yaml", "")],
                &[("pnpm test", "package.json")],
            ),
            (
                &[("package.json", package), ("yarn.lock", "")],
                &[("yarn test", "package.json")],
            ),
            (&[("package.json", untested)], &[]),
            (&[("package.json", "{}")], &[]),
            (&[("package.json", "no json")], &[]),
            (
                &[("pytest.ini", "")],
                &[("python3 -m pytest", "pytest.ini")],
            ),
            (
                &[("pyproject.toml", "[tool.pytest.ini_options]\n")],
                &[("python3 -m pytest", "pyproject.toml")],
            ),
            (&[("pyproject.toml", "[project]\n")], &[]),
            (
                &[("tox.ini", "[testenv]\ncommands = pytest\n")],
                &[("python3 -m pytest", "tox.ini")],
            ),
            (
                &[("tests/test_b.py", ""), ("tests/test_a.py", "")],
                &[("python3 -m pytest", "tests/test_a.py")],
            ),
            (&[("tests/helper.py", ""), ("test_a.py", "")], &[]),
            (
                &[("pytest.ini", ""), (".venv/bin/python", "")],
                &[(".venv/bin/python -m pytest", "pytest.ini")],
            ),
            (&[("go.mod", "module x\n")], &[("go test ./...", "go.mod")]),
            (
                &[("Makefile", ".PHONY: test\ntest: build\n\t./run\n")],
                &[("make test", "Makefile")],
            ),
            (
                &[("Makefile", "all check:\n\t./run\n")],
                &[("make check", "Makefile")],
            ),
            (&[("Makefile", "test := 1\n.PHONY: check\n")], &[]),
            (
                &[("Makefile", "test:\n\tx\n"), ("go.mod", "")],
                &[("go test ./...", "go.mod")],
            ),
            (
                &[("Cargo.toml", ""), ("package.json", package)],
                &[("cargo test", "Cargo.toml"), ("npm test", "package.json")],
            ),
            (&[("README.md", "")], &[]),
        ] {
            let found = presets(&tree(files).1);
            let found: Vec<(&str, &str)> = found
                .iter()
                .map(|preset| (preset.command.as_str(), preset.file.as_str()))
                .collect();
            assert_eq!(found, expected, "{files:?}");
        }
    }

    #[test]
    fn what_a_command_runs_and_needs_is_told() {
        let (_folder, root) = tree(&[
            ("package.json", r#"{"scripts": {"test": "jest"}}"#),
            ("node_modules/a", ""),
        ]);
        let found = presets(&root);
        assert_eq!(found[0].runs.as_deref(), Some("jest"));
        assert_eq!(
            found[0]
                .carries
                .as_ref()
                .map(ToString::to_string)
                .as_deref(),
            Some("node_modules")
        );
        let makefile = "a = 1\ntest: b\n\trun $(a)\n\n\tmore\nother:\n\tno\ntest: c\n";
        let rule = "test: b\n\trun $(a)\n\n\tmore\ntest: c";
        assert_eq!(make_rule(makefile, "test").as_deref(), Some(rule));
    }

    #[test]
    fn what_is_agreed_to_is_all_that_is_run() {
        let package = r#"{"scripts": {"test": "jest"}}"#;
        let node: &[(&str, &str)] = &[("package.json", package), (".npmrc", "a=1\n")];
        let make: &[(&str, &str)] = &[
            ("Makefile", "include a.mk\ntest: b\n\trun\nb:\n\tcc\n"),
            ("a.mk", "-include ./b.mk\n"),
            ("b.mk", "A = 1\n"),
        ];
        for (files, path, holds, is_same) in [
            (node, "README.md", "x", true),
            (
                node,
                "package.json",
                r#"{"scripts": {"test": "jest", "build": "x"}}"#,
                true,
            ),
            (
                node,
                "package.json",
                r#"{"scripts": {"test": "jest", "pretest": "x"}}"#,
                false,
            ),
            (
                node,
                "package.json",
                r#"{"scripts": {"test": "jest", "posttest": "x"}}"#,
                false,
            ),
            (node, ".npmrc", "script-shell=./x\n", false),
            (node, ".yarnrc.yml", "yarnPath: ./x\n", false),
            (make, "src/a.c", "x", true),
            (
                make,
                "Makefile",
                "include a.mk\ntest: b\n\trun\nb:\n\tother\n",
                false,
            ),
            (
                make,
                "Makefile",
                "X := $(shell x)\ninclude a.mk\ntest: b\n\trun\nb:\n\tcc\n",
                false,
            ),
            (make, "a.mk", "A := $(shell x)\n", false),
            (make, "b.mk", "A = 2\n", false),
        ] {
            let before = presets(&tree(files).1);
            let mut other = files.to_vec();
            other.retain(|(name, _)| *name != path);
            other.push((path, holds));
            let after = presets(&tree(&other).1);
            assert_eq!(before == after, is_same, "{path}: {holds}");
            assert_eq!(before[0].command, after[0].command);
        }
    }

    fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        for (path, holds) in files {
            let path = RepoPath::parse(path.as_bytes()).unwrap();
            root.create(&path, holds.as_bytes()).unwrap();
        }
        (folder, root)
    }
}
