use super::*;
use crate::syntax;

fn source(path: &str, text: &str) -> Source {
    let language = Language::of(path.as_bytes(), text).unwrap();
    Source {
        path: RepoPath::parse(path.as_bytes()).unwrap(),
        language,
        text: text.to_owned(),
        outline: syntax::outline(language, text).unwrap(),
    }
}

/// Returns the neighbours of the first of `files`, as `T`, `<` (imported) or `>` (importer) and a path.
fn near(files: &[(&str, &str)], most: usize) -> Vec<String> {
    let sources: Vec<Source> = files
        .iter()
        .map(|(path, text)| source(path, text))
        .collect();
    let meant = sources[0].path.clone();
    let found = neighbours(&sources, |path| *path == meant, most);
    let told = found.iter().map(|near| {
        let mark = match near.bond {
            Bond::Test => 'T',
            Bond::Imported => '<',
            Bond::Importer => '>',
        };
        format!("{mark} {}", near.path)
    });
    told.collect()
}

#[track_caller]
fn check(files: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(near(files, 50), expected);
}

#[test]
fn rust_names_modules_from_the_root_from_here_and_from_above() {
    check(
        &[
            (
                "a/src/plan/step.rs",
                "use crate::path::{RepoPath, odd::{One, Two}};\nuse super::word;\nuse super::Plan;\nuse other_one::thing::Thing;\n\
                     use std::fmt;\nmod part;\nmod inline { fn a() {} }\n",
            ),
            ("a/src/lib.rs", "pub mod plan;\npub mod path;\n"),
            ("a/src/path.rs", "pub struct RepoPath;\n"),
            ("a/src/path/odd.rs", "pub struct One;\n"),
            ("a/src/plan/mod.rs", "mod step;\nmod word;\n"),
            ("a/src/plan/word.rs", "fn word() {}\n"),
            ("a/src/plan/step/part.rs", "use super::Step;\n"),
            ("a/src/fmt.rs", "fn fmt() {}\n"),
            ("other-one/src/lib.rs", "pub mod thing;\n"),
            ("other-one/src/thing.rs", "pub struct Thing;\n"),
            ("other-one/src/path.rs", "pub struct RepoPath;\n"),
            ("a/tests/all.rs", "use a::plan::step::Step;\n"),
        ],
        &[
            "T a/tests/all.rs",
            "< a/src/plan/mod.rs",
            "< a/src/plan/word.rs",
            "< a/src/path.rs",
            "< a/src/plan/step/part.rs",
            "< a/src/path/odd.rs",
            "< other-one/src/thing.rs",
        ],
    );
}

#[test]
fn python_names_modules_by_dots() {
    check(
        &[
            (
                "src/app/views/page.py",
                "from . import forms\nfrom ..models import User, base\nfrom app.tools.text import cut\nimport app.settings as s\nimport os\n",
            ),
            ("src/app/views/__init__.py", ""),
            ("src/app/views/forms.py", "class Form: pass\n"),
            ("src/app/models/__init__.py", "class User: pass\n"),
            ("src/app/models/base.py", "class Base: pass\n"),
            ("src/app/tools/text.py", "def cut(): pass\n"),
            ("src/app/settings.py", "A = 1\n"),
            ("src/app/urls.py", "from app.views.page import show\n"),
            ("other/settings.py", "A = 2\n"),
            ("src/app/odd/os.py", "A = 3\n"),
            ("tests/test_page.py", "def test_it(): pass\n"),
            ("tests/test_all.py", "from app.views import page\n"),
        ],
        &[
            "T tests/test_all.py",
            "T tests/test_page.py",
            "< src/app/views/forms.py",
            "< src/app/settings.py",
            "< src/app/models/__init__.py",
            "< src/app/models/base.py",
            "< src/app/tools/text.py",
            "> src/app/urls.py",
        ],
    );
}

#[test]
fn scripts_name_files_beside_them() {
    check(
        &[
            (
                "src/ui/list.ts",
                "import { a } from './item';\nimport b from '../store/index.js';\nimport c from '../lib';\nimport d from 'react';\n",
            ),
            ("src/ui/item.tsx", "export const a = 1;\n"),
            ("src/store/index.ts", "export default 1;\n"),
            ("src/lib/index.js", "module.exports = 1;\n"),
            ("src/react.ts", "export const d = 1;\n"),
            ("src/app.js", "const list = require('./ui/list');\n"),
            ("src/ui/list.test.ts", "export {};\n"),
        ],
        &[
            "T src/ui/list.test.ts",
            "< src/ui/item.tsx",
            "< src/lib/index.js",
            "< src/store/index.ts",
            "> src/app.js",
        ],
    );
}

#[test]
fn go_names_folders() {
    check(
        &[
            (
                "pkg/run/run.go",
                "package run\n\nimport (\n\t\"fmt\"\n\t\"sync/atomic\"\n\t\"example.com/m/pkg/plan\"\n)\n",
            ),
            ("pkg/run/other.go", "package run\n"),
            ("pkg/run/run_test.go", "package run\n"),
            ("cmd/run/run_test.go", "package run\n"),
            ("cmd/run/run.go", "package run\n"),
            ("pkg/plan/plan.go", "package plan\n"),
            ("pkg/plan/plan_test.go", "package plan\n"),
            ("pkg/atomic/a.go", "package atomic\n"),
            (
                "cmd/main.go",
                "package main\n\nimport \"example.com/m/pkg/run\"\n",
            ),
        ],
        &[
            "T pkg/run/run_test.go",
            "< pkg/run/other.go",
            "< pkg/plan/plan.go",
            "> cmd/main.go",
        ],
    );
}

#[test]
fn java_and_kotlin_name_types() {
    check(
        &[
            (
                "src/main/java/org/app/Order.java",
                "package org.app;\nimport org.app.db.Store;\nimport static org.app.db.Names.NAME;\nimport org.app.kinds.*;\nimport java.util.List;\n\
                     class Order { Line line; }\n",
            ),
            (
                "src/main/java/org/app/Line.java",
                "package org.app;\nclass Line {}\n",
            ),
            (
                "src/main/java/org/app/Unused.java",
                "package org.app;\nclass Unused {}\n",
            ),
            (
                "src/main/java/org/app/db/Store.java",
                "package org.app.db;\nclass Store {}\n",
            ),
            (
                "src/main/java/org/app/db/Names.java",
                "package org.app.db;\nclass Names {}\n",
            ),
            (
                "src/main/java/org/app/kinds/Kind.kt",
                "package org.app.kinds\nclass Kind\n",
            ),
            (
                "src/main/java/org/app/db/Line.java",
                "package org.app.db;\nclass Line {}\n",
            ),
            (
                "src/main/java/org/web/Page.java",
                "package org.web;\nimport org.app.Order;\nclass Page {}\n",
            ),
            (
                "src/test/java/org/app/OrderTest.java",
                "package org.app;\nclass OrderTest {}\n",
            ),
        ],
        &[
            "T src/test/java/org/app/OrderTest.java",
            "< src/main/java/org/app/Line.java",
            "< src/main/java/org/app/db/Names.java",
            "< src/main/java/org/app/db/Store.java",
            "< src/main/java/org/app/kinds/Kind.kt",
            "> src/main/java/org/web/Page.java",
        ],
    );
}

#[test]
fn c_sharp_names_types_without_imports() {
    check(
        &[
            (
                "App/Order.cs",
                "using System;\nusing App.Db;\nnamespace App { class Order { Store store; } }\n",
            ),
            ("App/Db/Store.cs", "namespace App.Db { class Store {} }\n"),
            ("App/Other.cs", "namespace App { class Other {} }\n"),
            (
                "Web/Page.cs",
                "namespace Web { class Page { void Show(Order order) {} } }\n",
            ),
            (
                "Tests/OrderTests.cs",
                "namespace Tests { class OrderTests {} }\n",
            ),
        ],
        &[
            "T Tests/OrderTests.cs",
            "< App/Db/Store.cs",
            "> Web/Page.cs",
        ],
    );
}

#[test]
fn c_names_files_and_has_halves() {
    check(
        &[
            (
                "src/list.c",
                "#include <stdio.h>\n#include \"list.h\"\n#include \"util/mem.h\"\n#include \"lib/tree.h\"\n",
            ),
            ("src/list.h", "int n(void);\n"),
            ("src/util/mem.h", "int m(void);\n"),
            ("include/lib/tree.h", "int t(void);\n"),
            ("src/tree.h", "int t(void);\n"),
            ("deps/odd/stdio.h", "int s(void);\n"),
            ("src/main.c", "#include \"list.c\"\n"),
        ],
        &[
            "< src/list.h",
            "< src/util/mem.h",
            "< include/lib/tree.h",
            "> src/main.c",
        ],
    );
}

#[test]
fn ruby_names_files_of_its_library() {
    check(
        &[
            (
                "lib/app/order.rb",
                "require 'json'\nrequire 'app/store'\nrequire_relative '../line'\n",
            ),
            ("lib/app/store.rb", "class Store; end\n"),
            ("lib/line.rb", "class Line; end\n"),
            ("lib/app.rb", "require 'app/order'\n"),
            ("spec/order_spec.rb", "describe 1\n"),
        ],
        &[
            "T spec/order_spec.rb",
            "< lib/app/store.rb",
            "< lib/line.rb",
            "> lib/app.rb",
        ],
    );
}

#[test]
fn php_names_classes_and_files() {
    check(
        &[
            (
                "src/Order.php",
                "<?php\nnamespace App;\nuse App\\Db\\{Store, Table};\nuse App\\Line;\nrequire_once __DIR__ . '/boot.php';\nclass Order {}\n",
            ),
            ("src/Db/Store.php", "<?php\nclass Store {}\n"),
            ("src/Db/Table.php", "<?php\nclass Table {}\n"),
            ("src/Line.php", "<?php\nclass Line {}\n"),
            ("src/boot.php", "<?php\n$a = 1;\n"),
            ("web/Page.php", "<?php\nuse App\\Order;\nclass Page {}\n"),
            ("tests/OrderTest.php", "<?php\nclass OrderTest {}\n"),
        ],
        &[
            "T tests/OrderTest.php",
            "< src/Line.php",
            "< src/boot.php",
            "< src/Db/Store.php",
            "< src/Db/Table.php",
            "> web/Page.php",
        ],
    );
}

#[test]
fn no_more_are_told_than_there_may_be_and_the_nearest_first() {
    let files = [
        ("src/a/b/c.py", "from . import d\nfrom x import far\n"),
        ("src/a/b/d.py", ""),
        ("src/x/far.py", ""),
        ("src/main.py", "from a.b import c\n"),
    ];
    let all = near(&files, 50);
    assert_eq!(all, ["< src/a/b/d.py", "< src/x/far.py", "> src/main.py"]);
    assert_eq!(near(&files, 2), all[..2]);
}

#[test]
fn what_is_odd_names_nothing() {
    for path in [
        "crate::{a::{b,{c,{d,{e,{f,{g,{h,{i,{j,k}}}}}}}}}}",
        "crate::}a{",
        "super::super::super::super::a",
        "{}",
        "",
    ] {
        let text = format!("use {path};\n");
        let mut from = source("src/lib.rs", "fn a() {}\n");
        from.outline.imports = vec![crate::syntax::Import {
            path: path.to_owned(),
            names: Vec::new(),
            lines: 1..=1,
        }];
        from.text = text;
        let found = neighbours(
            &[from.clone(), source("b.rs", "fn b() {}\n")],
            |path| *path == from.path,
            50,
        );
        assert_eq!(found, [], "{path}");
    }
}
