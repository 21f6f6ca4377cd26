use super::{File, place, weakened};
use crate::path::RepoPath;

/// A change: each path with its text before and after, none where there is no file.
type Change = &'static [(&'static str, Option<&'static str>, Option<&'static str>)];

const RUST: &str = "fn one() {}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn a() {\n        assert_eq!(1, one());\n    }\n\n    #[test]\n    fn b() {\n        assert!(two());\n    }\n}\n";
const PYTHON: &str = "import pytest\n\ndef test_a():\n    assert one() == 1\n\ndef test_b():\n    assert two() == 2\n";
const NODE: &str = "import assert from 'assert';\nit('a', () => {\n  expect(one()).toBe(1);\n});\nit('b', () => {\n  expect(two()).toBe(2);\n});\n";
const GO: &str = "func TestA(t *testing.T) {\n\tif one() != 1 {\n\t\tt.Fatal(\"one\")\n\t}\n}\n";
const JAVA: &str = "class ATest {\n  @Test\n  void a() {\n    assertEquals(1, one());\n  }\n}\n";
const CI: &str = "jobs:\n  test:\n    steps:\n      - run: cargo test\n";
const MAKE: &str = "build:\n\tcc a.c\n\ntest: build\n\t./run-tests\n";
const PACKAGE: &str = "{\"scripts\": {\"build\": \"tsc\", \"test\": \"jest --ci\"}, \"jest\": {\"coverageThreshold\": 80}}";
const PYPROJECT: &str = "[project]\nname = \"a\"\n\n[tool.pytest.ini_options]\naddopts = \"-q\"\n\n[tool.coverage.report]\nfail_under = 90\n";

/// What a change makes weaker: each a part of what is told, with the path before it.
const CASES: &[(&str, Change, &[&str])] = &[
    // What is weaker.
    (
        "a deleted file",
        &[("tests/a.py", Some(PYTHON), None)],
        &["tests/a.py: a file of tests is deleted"],
    ),
    (
        "a deleted file by its name",
        &[("src/a.test.ts", Some(NODE), None)],
        &["src/a.test.ts: a file of tests is deleted"],
    ),
    (
        "a deleted expectation",
        &[("tests/data/out.txt", Some("a\nb\n"), None)],
        &["tests/data/out.txt: a file of tests is deleted"],
    ),
    (
        "an emptied file",
        &[("tests/a.py", Some(PYTHON), Some(""))],
        &[
            "tests/a.py: 2 of 2 tests are gone",
            "tests/a.py: 2 of 2 assertions are gone",
        ],
    ),
    (
        "a test of Rust beside the code",
        &[(
            "src/a.rs",
            Some(RUST),
            Some(
                "fn one() {}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn a() {\n        assert_eq!(1, one());\n    }\n}\n",
            ),
        )],
        &[
            "src/a.rs: 1 of 2 tests are gone",
            "src/a.rs: 1 of 2 assertions are gone",
        ],
    ),
    (
        "all tests of Rust",
        &[("src/a.rs", Some(RUST), Some("fn one() {}\n"))],
        &["src/a.rs: 2 of 2 tests", "src/a.rs: 2 of 2 assertions"],
    ),
    (
        "an assertion",
        &[(
            "tests/a.py",
            Some(PYTHON),
            Some(
                "import pytest\n\ndef test_a():\n    one()\n\ndef test_b():\n    assert two() == 2\n",
            ),
        )],
        &["tests/a.py: 1 of 2 assertions are gone"],
    ),
    (
        "an assertion that is none any more",
        &[(
            "tests/a.py",
            Some(PYTHON),
            Some(
                "import pytest\n\ndef test_a():\n    assert True\n\ndef test_b():\n    assert two() == 2\n",
            ),
        )],
        &["tests/a.py: 1 of 2 assertions are gone"],
    ),
    (
        "a vacuous one in JavaScript",
        &[(
            "a.test.js",
            Some(NODE),
            Some(
                "import assert from 'assert';\nit('a', () => {\n  expect(true).toBe(true);\n});\nit('b', () => {\n  expect(two()).toBe(2);\n});\n",
            ),
        )],
        &["a.test.js: 1 of 2 assertions are gone"],
    ),
    (
        "an assertion in a comment",
        &[(
            "a_test.go",
            Some(GO),
            Some(
                "func TestA(t *testing.T) {\n\tif one() != 1 {\n\t\t// t.Fatal(\"one\")\n\t}\n}\n",
            ),
        )],
        &["a_test.go: 1 of 1 assertions are gone"],
    ),
    (
        "tests in a comment over lines",
        &[(
            "a.test.js",
            Some(NODE),
            Some(
                "import assert from 'assert';\n/*\nit('a', () => {\n  expect(one()).toBe(1);\n});\n*/\nit('b', () => {\n  expect(two()).toBe(2);\n});\n",
            ),
        )],
        &["a.test.js: 1 of 2 tests", "a.test.js: 1 of 2 assertions"],
    ),
    (
        "an ignored test of Rust",
        &[(
            "src/a.rs",
            Some(RUST),
            Some(
                "fn one() {}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    #[ignore = \"slow\"]\n    fn a() {\n        assert_eq!(1, one());\n    }\n\n    #[test]\n    fn b() {\n        assert!(two());\n    }\n}\n",
            ),
        )],
        &["src/a.rs: tests are skipped by `#[ignore = \"slow\"]`"],
    ),
    (
        "a mark of pytest",
        &[(
            "tests/a.py",
            Some(PYTHON),
            Some(
                "import pytest\n\n@pytest.mark.skip(reason=\"x\")\ndef test_a():\n    assert one() == 1\n\ndef test_b():\n    assert two() == 2\n",
            ),
        )],
        &["tests/a.py: tests are skipped by `@pytest.mark.skip(reason=\"x\")`"],
    ),
    (
        "an expected failure",
        &[(
            "tests/a.py",
            Some(PYTHON),
            Some(
                "import pytest\n\n@pytest.mark.xfail\ndef test_a():\n    assert one() == 1\n\ndef test_b():\n    assert two() == 2\n",
            ),
        )],
        &["tests/a.py: tests are skipped by `@pytest.mark.xfail`"],
    ),
    (
        "it.skip",
        &[(
            "a.spec.js",
            Some("it('a', () => {\n  expect(1);\n});\n"),
            Some("it.skip('a', () => {\n  expect(1);\n});\n"),
        )],
        &["a.spec.js: tests are skipped by `it.skip('a', () => {`"],
    ),
    (
        "it.only, which skips all others",
        &[(
            "a.spec.js",
            Some("it('a', () => {\n  expect(1);\n});\n"),
            Some("it.only('a', () => {\n  expect(1);\n});\n"),
        )],
        &["a.spec.js: tests are skipped by `it.only("],
    ),
    (
        "t.Skip",
        &[(
            "a_test.go",
            Some(GO),
            Some(
                "func TestA(t *testing.T) {\n\tt.Skip(\"later\")\n\tif one() != 1 {\n\t\tt.Fatal(\"one\")\n\t}\n}\n",
            ),
        )],
        &["a_test.go: tests are skipped by `t.Skip(\"later\")`"],
    ),
    (
        "@Disabled",
        &[(
            "src/ATest.java",
            Some(JAVA),
            Some(
                "class ATest {\n  @Disabled\n  @Test\n  void a() {\n    assertEquals(1, one());\n  }\n}\n",
            ),
        )],
        &["src/ATest.java: tests are skipped by `@Disabled`"],
    ),
    (
        "tests that are never built",
        &[(
            "src/a.rs",
            Some(RUST),
            Some(
                "fn one() {}\n\n#[cfg(test)]\n#[cfg(any())]\nmod tests {\n    #[test]\n    fn a() {\n        assert_eq!(1, one());\n    }\n\n    #[test]\n    fn b() {\n        assert!(two());\n    }\n}\n",
            ),
        )],
        &["src/a.rs: tests are skipped by `#[cfg(any())]`"],
    ),
    (
        "a test that moves and is skipped",
        &[
            ("tests/a.py", Some(PYTHON), None),
            (
                "tests/b.py",
                None,
                Some(
                    "import pytest\n\n@pytest.mark.skip\ndef test_a():\n    assert one() == 1\n\ndef test_b():\n    assert two() == 2\n",
                ),
            ),
        ],
        &["tests/b.py: tests are skipped by `@pytest.mark.skip`"],
    ),
    (
        "a test that gets lost on the way",
        &[
            ("tests/a.py", Some(PYTHON), None),
            (
                "tests/b.py",
                None,
                Some("def test_a():\n    assert one() == 1\n"),
            ),
        ],
        &["tests/a.py: a file of tests is deleted"],
    ),
    (
        "|| true in CI",
        &[(
            ".github/workflows/ci.yml",
            Some(CI),
            Some("jobs:\n  test:\n    steps:\n      - run: cargo test || true\n"),
        )],
        &["ci.yml: a failure passes by `- run: cargo test || true`"],
    ),
    (
        "continue-on-error",
        &[(
            ".github/workflows/ci.yml",
            Some(CI),
            Some(
                "jobs:\n  test:\n    steps:\n      - run: cargo test\n        continue-on-error: true\n",
            ),
        )],
        &["ci.yml: a failure passes by `continue-on-error: true`"],
    ),
    (
        "if: false",
        &[(
            ".github/workflows/ci.yml",
            Some(CI),
            Some("jobs:\n  test:\n    if: false\n    steps:\n      - run: cargo test\n"),
        )],
        &["ci.yml: a failure passes by `if: false`"],
    ),
    (
        "allow_failure",
        &[(
            ".gitlab-ci.yml",
            Some("test:\n  script: make test\n"),
            Some("test:\n  script: make test\n  allow_failure: true\n"),
        )],
        &[".gitlab-ci.yml: a failure passes by `allow_failure: true`"],
    ),
    (
        "a script of checks",
        &[(
            "scripts/check.sh",
            Some("cargo test\n"),
            Some("cargo test || true\n"),
        )],
        &["scripts/check.sh: a failure passes by `cargo test || true`"],
    ),
    (
        "the file of the check itself",
        &[("judge.sh", Some("cargo test\n"), Some("exit 0\n"))],
        &[
            "judge.sh: a failure passes by `exit 0`",
            "judge.sh: it says how the project is tested",
        ],
    ),
    (
        "the rule for tests of a makefile",
        &[(
            "Makefile",
            Some(MAKE),
            Some("build:\n\tcc a.c\n\ntest: build\n\ttrue\n"),
        )],
        &["Makefile: it says how the project is tested"],
    ),
    (
        "a recipe that may fail",
        &[(
            "Makefile",
            Some(MAKE),
            Some("build:\n\tcc a.c\n\ntest: build\n\t-./run-tests\n"),
        )],
        &[
            "Makefile: a failure passes by `-./run-tests`",
            "Makefile: it says how",
        ],
    ),
    (
        "the script for tests of a package",
        &[(
            "package.json",
            Some(PACKAGE),
            Some(
                "{\"scripts\": {\"build\": \"tsc\", \"test\": \"true\"}, \"jest\": {\"coverageThreshold\": 80}}",
            ),
        )],
        &["package.json: it says how"],
    ),
    (
        "a lowered threshold",
        &[(
            "pyproject.toml",
            Some(PYPROJECT),
            Some(
                "[project]\nname = \"a\"\n\n[tool.pytest.ini_options]\naddopts = \"-q\"\n\n[tool.coverage.report]\nfail_under = 50\n",
            ),
        )],
        &[
            "pyproject.toml: a bound is looser at `fail_under = 50`",
            "pyproject.toml: it says how",
        ],
    ),
    (
        "a threshold that is gone",
        &[("jest.config.js", Some("branches: 80,\n"), Some("\n"))],
        &[
            "jest.config.js: a bound is looser at `branches: 80,`",
            "jest.config.js: it says how",
        ],
    ),
    (
        "more warnings",
        &[(
            "package.json",
            Some("{\"scripts\": {\"lint\": \"eslint --max-warnings 0\"}}"),
            Some("{\"scripts\": {\"lint\": \"eslint --max-warnings 99\"}}"),
        )],
        &[
            "package.json: a bound is looser at",
            "package.json: it says how",
        ],
    ),
    (
        "a new setting of a runner",
        &[("pytest.ini", None, Some("[pytest]\ntestpaths = none\n"))],
        &["pytest.ini: it says how"],
    ),
    (
        "tests that are not built",
        &[("Cargo.toml", Some("[lib]\n"), Some("[lib]\ntest = false\n"))],
        &["Cargo.toml: a failure passes by `test = false`"],
    ),
    (
        "a file of tests that moves to where pytest does not look",
        &[
            ("tests/test_a.py", Some(PYTHON), None),
            ("tests/cases_a.py", None, Some(PYTHON)),
        ],
        &["tests/test_a.py: a file of tests is deleted"],
    ),
    (
        "one that gets another ending",
        &[
            ("tests/test_a.py", Some(PYTHON), None),
            ("tests/test_a.py.disabled", None, Some(PYTHON)),
        ],
        &["tests/test_a.py: a file of tests is deleted"],
    ),
    (
        "one that becomes a text",
        &[
            ("a.test.js", Some(NODE), None),
            ("a.test.txt", None, Some(NODE)),
        ],
        &["a.test.js: a file of tests is deleted"],
    ),
    (
        "one that moves to where cargo does not look",
        &[
            ("tests/tests.rs", Some(RUST), None),
            ("tests/old/tests.rs", None, Some(RUST)),
        ],
        &["tests/tests.rs: a file of tests is deleted"],
    ),
    (
        "a module of tests that is not built any more",
        &[(
            "src/lib.rs",
            Some("fn one() {}\n\n#[cfg(test)]\nmod tests;\n"),
            Some("fn one() {}\n"),
        )],
        &["src/lib.rs: 1 of 1 tests are gone"],
    ),
    (
        "a tag that keeps a file from being built",
        &[(
            "a_test.go",
            Some(GO),
            Some(
                "//go:build windows\n\nfunc TestA(t *testing.T) {\n\tif one() != 1 {\n\t\tt.Fatal(\"one\")\n\t}\n}\n",
            ),
        )],
        &["a_test.go: tests are skipped by `//go:build windows`"],
    ),
    (
        "a condition on a whole file",
        &[(
            "tests/a.rs",
            Some("#[test]\nfn a() {\n    assert!(one());\n}\n"),
            Some("#![cfg(windows)]\n#[test]\nfn a() {\n    assert!(one());\n}\n"),
        )],
        &["tests/a.rs: tests are skipped by `#![cfg(windows)]`"],
    ),
    (
        "a test that ends where it begins",
        &[(
            "tests/a.py",
            Some("def test_a():\n    assert one() == 1\n"),
            Some("def test_a():\n    return\n    assert one() == 1\n"),
        )],
        &["tests/a.py: tests are skipped by `return`"],
    ),
    (
        "the same in JavaScript",
        &[(
            "a.spec.js",
            Some("it('a', () => {\n  expect(1);\n});\n"),
            Some("it('a', () => {\n  return;\n  expect(1);\n});\n"),
        )],
        &["a.spec.js: tests are skipped by `return;`"],
    ),
    (
        "a program that ends before its tests",
        &[(
            "tests/a.py",
            Some("def test_a():\n    assert one()\n"),
            Some("import os\nos._exit(0)\ndef test_a():\n    assert one()\n"),
        )],
        &["tests/a.py: tests are skipped by `os._exit(0)`"],
    ),
    (
        "a class that is no test",
        &[(
            "tests/a.py",
            Some("class TestA:\n    def test_a(self):\n        assert one()\n"),
            Some(
                "class TestA:\n    __test__ = False\n    def test_a(self):\n        assert one()\n",
            ),
        )],
        &["tests/a.py: tests are skipped by `__test__ = False`"],
    ),
    (
        "files that are not collected",
        &[(
            "tests/conftest.py",
            Some("import pytest\n"),
            Some("import pytest\ncollect_ignore_glob = [\"*\"]\n"),
        )],
        &[
            "tests/conftest.py: tests are skipped by `collect_ignore_glob",
            "tests/conftest.py: it says how",
        ],
    ),
    (
        "an assertion that always holds",
        &[(
            "tests/a.py",
            Some("def test_a():\n    assert one() == 1\n"),
            Some("def test_a():\n    assert one() == 1 or True\n"),
        )],
        &["tests/a.py: 1 of 1 assertions are gone"],
    ),
    (
        "a failure that is caught",
        &[(
            "tests/a.py",
            Some("def test_a():\n    assert one() == 1\n"),
            Some(
                "def test_a():\n    try:\n        assert one() == 1\n    except AssertionError:\n        pass\n",
            ),
        )],
        &["tests/a.py: tests are skipped by `except AssertionError:`"],
    ),
    (
        "a test without cases",
        &[(
            "tests/a.py",
            Some("@pytest.mark.parametrize(\"n\", [1, 2])\ndef test_a(n):\n    assert one(n)\n"),
            Some("@pytest.mark.parametrize(\"n\", [])\ndef test_a(n):\n    assert one(n)\n"),
        )],
        &["tests/a.py: tests are skipped by `@pytest.mark.parametrize(\"n\", [])`"],
    ),
    (
        "a test that is to fail",
        &[(
            "tests/a.rs",
            Some("#[test]\nfn a() {\n    assert!(one());\n}\n"),
            Some("#[test]\n#[should_panic]\nfn a() {\n    assert!(one());\n}\n"),
        )],
        &["tests/a.rs: tests are skipped by `#[should_panic]`"],
    ),
    (
        "tests that cargo does not look for",
        &[(
            "Cargo.toml",
            Some("[package]\n"),
            Some("[package]\nautotests = false\n"),
        )],
        &["Cargo.toml: a failure passes by `autotests = false`"],
    ),
    (
        "a check that CI does not run any more",
        &[(
            ".github/workflows/ci.yml",
            Some(CI),
            Some("jobs:\n  test:\n    steps:\n      - run: cargo build\n"),
        )],
        &["ci.yml: a check is not run any more: `- run: cargo test`"],
    ),
    // What is not.
    (
        "a new test of a panic",
        &[(
            "tests/a.rs",
            Some("#[test]\nfn a() {\n    assert!(one());\n}\n"),
            Some(
                "#[test]\nfn a() {\n    assert!(one());\n}\n\n#[test]\n#[should_panic]\nfn b() {\n    two();\n}\n",
            ),
        )],
        &[],
    ),
    (
        "a module of tests that goes with its file",
        &[
            (
                "src/lib.rs",
                Some("fn one() {}\n\n#[cfg(test)]\nmod tests;\n"),
                Some("fn one() {}\n"),
            ),
            ("src/tests.rs", Some("use super::*;\n"), None),
        ],
        &[],
    ),
    (
        "tests that get a file of their own",
        &[
            (
                "src/a.rs",
                Some(RUST),
                Some("fn one() {}\n\n#[cfg(test)]\nmod tests;\n"),
            ),
            (
                "src/a/tests.rs",
                None,
                Some(
                    "#[test]\nfn a() {\n    assert_eq!(1, one());\n}\n\n#[test]\nfn b() {\n    assert!(two());\n}\n",
                ),
            ),
        ],
        &[],
    ),
    (
        "tests that become a folder",
        &[
            ("tests/cli.rs", Some(RUST), None),
            ("tests/cli/main.rs", None, Some("mod all;\n")),
            ("tests/cli/all.rs", None, Some(RUST)),
        ],
        &[],
    ),
    (
        "tests that become TypeScript",
        &[
            ("a.test.js", Some(NODE), None),
            ("src/a.test.ts", None, Some(NODE)),
        ],
        &[],
    ),
    (
        "a check with other options",
        &[(
            ".github/workflows/ci.yml",
            Some(CI),
            Some("jobs:\n  test:\n    steps:\n      - run: cargo test --workspace --locked\n"),
        )],
        &[],
    ),
    (
        "a test with another name",
        &[(
            "tests/a.py",
            Some(PYTHON),
            Some(
                "import pytest\n\ndef test_one():\n    assert one() == 1\n\ndef test_b():\n    assert two() == 2\n",
            ),
        )],
        &[],
    ),
    (
        "another expectation",
        &[(
            "tests/a.py",
            Some(PYTHON),
            Some(
                "import pytest\n\ndef test_a():\n    assert one() == 3\n\ndef test_b():\n    assert two() == 2\n",
            ),
        )],
        &[],
    ),
    (
        "more tests",
        &[(
            "tests/a.py",
            Some("def test_a():\n    assert one() == 1\n"),
            Some(PYTHON),
        )],
        &[],
    ),
    (
        "a new file of tests",
        &[("tests/a.py", None, Some(PYTHON))],
        &[],
    ),
    (
        "a new test that waits for later",
        &[(
            "tests/a.rs",
            None,
            Some("#[test]\n#[ignore]\nfn a() {\n    assert!(one());\n}\n"),
        )],
        &[],
    ),
    (
        "a file of tests that moves",
        &[
            ("tests/a.py", Some(PYTHON), None),
            ("tests/b.py", None, Some(PYTHON)),
        ],
        &[],
    ),
    (
        "tests that move into another file",
        &[
            (
                "tests/a.py",
                Some(PYTHON),
                Some("def test_a():\n    assert one() == 1\n"),
            ),
            (
                "tests/b.py",
                Some("import b\n"),
                Some("import b\n\ndef test_b():\n    assert two() == 2\n"),
            ),
        ],
        &[],
    ),
    (
        "an expectation that moves",
        &[
            ("tests/a.txt", Some("a\nb\n"), None),
            ("tests/b.txt", None, Some("a\nb\n")),
        ],
        &[],
    ),
    (
        "a changed comment",
        &[(
            "tests/a.py",
            Some("# assert nothing\ndef test_a():\n    assert one() == 1\n"),
            Some("# is tested\ndef test_a():\n    assert one() == 1\n"),
        )],
        &[],
    ),
    (
        "a comment that goes",
        &[(
            "src/a.rs",
            Some("// assert!(x) would be wrong\nfn one() {}\n"),
            Some("fn one() {}\n"),
        )],
        &[],
    ),
    (
        "an assertion of the code itself",
        &[(
            "src/a.rs",
            Some("fn one() {\n    assert!(x);\n}\n"),
            Some("fn one() {}\n"),
        )],
        &[],
    ),
    (
        "an import of assertions",
        &[(
            "a.test.js",
            Some("import assert from 'assert';\nit('a', () => expect(1));\n"),
            Some("it('a', () => expect(1));\n"),
        )],
        &[],
    ),
    (
        "a skip that goes",
        &[(
            "tests/a.py",
            Some("@pytest.mark.skip\ndef test_a():\n    assert one()\n"),
            Some("def test_a():\n    assert one()\n"),
        )],
        &[],
    ),
    (
        "a mark in a text",
        &[(
            "tests/a.py",
            Some(PYTHON),
            Some(
                "import pytest\n\ndef test_a():\n    assert one() == \"it.skip(\"\n\ndef test_b():\n    assert two() == 2\n",
            ),
        )],
        &[],
    ),
    (
        "CI that does more",
        &[(
            ".github/workflows/ci.yml",
            Some(CI),
            Some(
                "jobs:\n  test:\n    steps:\n      - run: cargo test\n      - run: cargo clippy\n",
            ),
        )],
        &[],
    ),
    (
        "a failure that passed before",
        &[(
            "scripts/check.sh",
            Some("rm x || true\ntest y\n"),
            Some("rm xx || true\ntest y\n"),
        )],
        &[],
    ),
    (
        "|| true in a script that checks nothing",
        &[("install.sh", Some("cp a b\n"), Some("cp a b || true\n"))],
        &[],
    ),
    (
        "another rule of a makefile",
        &[(
            "Makefile",
            Some(MAKE),
            Some("build:\n\tcc -O2 a.c\n\ntest: build\n\t./run-tests\n"),
        )],
        &[],
    ),
    (
        "another script of a package",
        &[(
            "package.json",
            Some(PACKAGE),
            Some(
                "{\"scripts\": {\"build\": \"vite\", \"test\": \"jest --ci\"}, \"jest\": {\"coverageThreshold\": 80}}",
            ),
        )],
        &[],
    ),
    (
        "a dependency",
        &[(
            "pyproject.toml",
            Some(PYPROJECT),
            Some(
                "[project]\nname = \"a\"\ndependencies = [\"b\"]\n\n[tool.pytest.ini_options]\naddopts = \"-q\"\n\n[tool.coverage.report]\nfail_under = 90\n",
            ),
        )],
        &[],
    ),
    (
        "a threshold in a document",
        &[(
            "docs/a.md",
            Some("fail_under = 90\n"),
            Some("fail_under = 10\n"),
        )],
        &[],
    ),
    (
        "a raised threshold",
        &[(
            ".github/codecov.yml",
            Some("target: 80%\n"),
            Some("target: 90%\n"),
        )],
        &[".github/codecov.yml: it says how"],
    ),
    (
        "another target",
        &[(
            ".github/ci.yml",
            Some("target: x86_64\n"),
            Some("target: arm64\n"),
        )],
        &[],
    ),
    (
        "code that is deleted",
        &[("src/a.js", Some("export const a = 1;\n"), None)],
        &[],
    ),
    ("a first makefile", &[("Makefile", None, Some(MAKE))], &[]),
    (
        "what is called like a test",
        &[("src/contest.py", Some("def test():\n    assert 1\n"), None)],
        &[],
    ),
];

#[test]
fn what_makes_tests_and_checks_weaker_is_seen_and_nothing_else() {
    let checks = ["sh ./judge.sh --all".to_owned()];
    let mut wrong = Vec::new();
    for (name, change, expected) in CASES {
        let paths: Vec<RepoPath> = change
            .iter()
            .map(|(path, ..)| RepoPath::parse(path.as_bytes()).unwrap())
            .collect();
        let files = paths.iter().zip(*change);
        let files: Vec<File<'_>> = files
            .map(|(path, (_, before, after))| File {
                path,
                before: *before,
                after: *after,
            })
            .collect();
        let found = weakened(&files, &checks);
        let told: Vec<String> = found
            .iter()
            .map(|found| format!("{}: {}", found.path, found.what))
            .collect();
        let is_it = |(told, expected): (&String, &&str)| told.contains(*expected);
        if told.len() != expected.len() || !told.iter().zip(*expected).all(is_it) {
            wrong.push(format!("{name}: {told:#?}, not {expected:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_check_names_a_file_however_its_command_gets_there() {
    let path = RepoPath::parse(b"sub/t").unwrap();
    for (check, expected) in [
        ("sh sub/t", true),
        ("sh ./sub/t", true),
        ("sh sub//t", true),
        ("sh \"$PWD/sub/t\"", true),
        ("cd sub && sh t", true),
        ("(cd ./sub; ./t -v)", true),
        ("cd sub/deep && sh ../t", true),
        ("sh t", false),
        ("cd other && sh t", false),
        ("sh sub/test", false),
    ] {
        assert_eq!(
            place::is_named(&path, &[check.to_owned()]),
            expected,
            "{check}"
        );
    }
}
