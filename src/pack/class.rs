//! What goes in first when not everything fits, by path alone.

use crate::path::RepoPath;

/// Kinds of files, most wanted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Named by the user.
    Named,
    /// What tells a newcomer about the project: README files and package manifests.
    Overview,
    /// Code, and what builds it.
    Source,
    /// Code that tests, measures or shows other code.
    Test,
    /// Prose.
    Docs,
    /// Everything else.
    Data,
}

const MANIFESTS: &[&str] = &[
    "Cargo.toml",
    "Gemfile",
    "Package.swift",
    "Pipfile",
    "build.gradle",
    "build.gradle.kts",
    "build.sbt",
    "build.zig.zon",
    "composer.json",
    "deno.json",
    "dune-project",
    "go.mod",
    "go.work",
    "mix.exs",
    "package.json",
    "pnpm-workspace.yaml",
    "pom.xml",
    "pubspec.yaml",
    "pyproject.toml",
    "rebar.config",
    "setup.cfg",
    "setup.py",
];

const BUILD_FILES: &[&str] = &[
    "BUILD",
    "BUILD.bazel",
    "CMakeLists.txt",
    "Dockerfile",
    "GNUmakefile",
    "Jenkinsfile",
    "Justfile",
    "Kbuild",
    "Kconfig",
    "MODULE.bazel",
    "Makefile",
    "Rakefile",
    "WORKSPACE",
    "configure.ac",
    "justfile",
    "makefile",
    "meson.build",
];

const SOURCE_EXTENSIONS: &[&str] = &[
    "S", "ada", "adb", "ads", "agda", "asm", "astro", "awk", "bash", "bat", "bzl", "c", "c++",
    "cc", "cjs", "clj", "cljc", "cljs", "cmake", "cpp", "cr", "cs", "css", "cts", "cu", "cuh",
    "cxx", "d", "dart", "dts", "dtsi", "el", "elm", "erl", "ex", "exs", "f", "f03", "f90", "f95",
    "fish", "fs", "fsi", "fsx", "glsl", "go", "gradle", "graphql", "groovy", "h", "h++", "hcl",
    "hh", "hlsl", "hpp", "hrl", "hs", "html", "hxx", "idl", "inl", "ipp", "java", "jl", "js",
    "jsx", "kt", "kts", "lean", "less", "lisp", "lua", "m", "m4", "metal", "mjs", "mk", "ml",
    "mli", "mm", "mts", "nim", "nix", "pas", "php", "pl", "pm", "proto", "ps1", "psm1", "purs",
    "pxd", "py", "pyi", "pyx", "r", "R", "rake", "rb", "rkt", "rs", "s", "sass", "sbt", "scala",
    "scm", "scss", "sh", "sol", "sql", "svelte", "sv", "svh", "swift", "tcl", "tf", "thrift", "ts",
    "tsx", "v", "vala", "vb", "vhd", "vhdl", "vim", "vue", "wat", "wgsl", "zig", "zsh",
];

const DOC_EXTENSIONS: &[&str] = &[
    "adoc", "asciidoc", "man", "markdown", "md", "mdx", "org", "pod", "rst", "tex", "texi", "txt",
];

const DOC_NAMES: &[&str] = &[
    "AUTHORS",
    "CHANGELOG",
    "CHANGES",
    "CONTRIBUTING",
    "COPYING",
    "HISTORY",
    "INSTALL",
    "LICENSE",
    "NEWS",
    "NOTICE",
    "README",
];

/// Folders of code that shows or measures other code.
const TEST_FOLDERS: &[&str] = &[
    "__benchmarks__",
    "__fixtures__",
    "__mocks__",
    "__tests__",
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "demo",
    "demos",
    "e2e",
    "example",
    "examples",
    "fixtures",
    "mocks",
    "playground",
    "samples",
    "spec",
    "specs",
    "test",
    "testdata",
    "testing",
    "tests",
];

/// Folders at the root whose code shows other code, beside prose.
const DOC_FOLDERS: &[&str] = &["doc", "docs"];

impl Class {
    /// Returns the class of a path that was not named.
    pub fn of(path: &RepoPath) -> Self {
        let name = String::from_utf8_lossy(path.name());
        let stem = name.split('.').next().unwrap_or_default();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let is_readme = stem.eq_ignore_ascii_case("readme")
            && (extension.is_empty() || DOC_EXTENSIONS.contains(&extension));
        if is_readme || MANIFESTS.contains(&&*name) {
            return Self::Overview;
        }
        if SOURCE_EXTENSIONS.contains(&extension) || BUILD_FILES.contains(&&*name) {
            return if is_test(path, &name) {
                Self::Test
            } else {
                Self::Source
            };
        }
        if DOC_EXTENSIONS.contains(&extension) || DOC_NAMES.contains(&stem) {
            return Self::Docs;
        }
        Self::Data
    }
}

fn is_test(path: &RepoPath, name: &str) -> bool {
    let folders = path.components().count() - 1;
    let is_one_of =
        |folder: &[u8], known: &[&str]| known.iter().any(|known| known.as_bytes() == folder);
    let mut outermost = path.components().take(folders.min(1));
    if outermost.any(|folder| is_one_of(folder, DOC_FOLDERS)) {
        return true;
    }
    if path
        .components()
        .take(folders)
        .any(|folder| is_one_of(folder, TEST_FOLDERS))
    {
        return true;
    }
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let marks = [
        "_test", "_tests", "_spec", ".test", ".test-d", ".spec", ".bench", "Test", "Tests", "Spec",
    ];
    stem.starts_with("test_")
        || stem == "conftest"
        || marks
            .iter()
            .any(|mark| stem.len() > mark.len() && stem.ends_with(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_by_path() {
        for (path, class) in [
            ("README.md", Class::Overview),
            ("doc/readme", Class::Overview),
            ("doc/README.uart", Class::Docs),
            ("crates/a/Cargo.toml", Class::Overview),
            ("src/main.rs", Class::Source),
            ("Makefile", Class::Source),
            ("src/tests/util.rs", Class::Test),
            ("pkg/a_test.go", Class::Test),
            ("src/a.spec.ts", Class::Test),
            ("test_a.py", Class::Test),
            ("benches/a.rs", Class::Test),
            ("examples/a.rs", Class::Test),
            ("docs/conf.py", Class::Test),
            ("src/docs/a.rs", Class::Source),
            ("src/latest.rs", Class::Source),
            ("src/Test.java", Class::Source),
            ("src/FooTest.java", Class::Test),
            ("docs/guide.rst", Class::Docs),
            ("LICENSE", Class::Docs),
            ("tests/data.json", Class::Data),
            ("data.csv", Class::Data),
            ("bin/tool", Class::Data),
        ] {
            assert_eq!(
                Class::of(&RepoPath::parse(path.as_bytes()).unwrap()),
                class,
                "{path}"
            );
        }
        assert!(
            Class::Named < Class::Overview
                && Class::Source < Class::Test
                && Class::Test < Class::Docs
                && Class::Docs < Class::Data
        );
    }
}
