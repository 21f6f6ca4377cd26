//! Plans, and what they name in a tree of four languages.

mod force;
mod names;
mod plans;
mod steps;

use proptest::prelude::*;

use super::*;

const FILES: &[&str] = &[
    ".env.example",
    ".github/workflows/ci.yml",
    ".gitignore",
    "Cargo.toml",
    "LICENSE",
    "Makefile",
    "README.md",
    "api/README.md",
    "api/app/__init__.py",
    "api/app/config.py",
    "api/app/routes/__init__.py",
    "api/app/routes/users.py",
    "api/pyproject.toml",
    "api/tests/test_users.py",
    "assets/logo@2x.png",
    "bin/run",
    "cmd/server/main.go",
    "docs/my notes.md",
    "docs/über.md",
    "go.mod",
    "internal/store/store.go",
    "internal/store/store_test.go",
    "package.json",
    "src/c++/bind.cc",
    "src/duration.rs",
    "src/lib.rs",
    "src/net/mod.rs",
    "src/old.rs",
    "src/parse/mod.rs",
    "tests/cli.rs",
    "web/Dockerfile",
    "web/app/(shop)/cart/page.tsx",
    "web/app/blog/[slug]/page.tsx",
    "web/app/layout.tsx",
    "web/app/page.tsx",
    "web/app/routes/$id.tsx",
    "web/components/Button.tsx",
    "web/next.config.mjs",
];

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text.as_bytes()).unwrap()
}

fn tree() -> Tree {
    Tree::new(FILES.iter().map(|text| path(text)))
}

/// Returns what `text` names, one per row: `intent status written[:first-last] -> paths`.
fn named(text: &str) -> Vec<String> {
    let rows = references(text, &tree()).into_iter().map(|reference| {
        let intent = format!("{:?}", reference.intent).to_lowercase();
        let lines = reference.lines.iter();
        let lines: Vec<String> = lines
            .map(|(first, last)| format!(":{first}-{last}"))
            .collect();
        let lines = lines.concat();
        let paths: Vec<String> = reference.paths().iter().map(RepoPath::to_string).collect();
        let paths = match paths.as_slice() {
            [only] if *only == reference.written => String::new(),
            paths => format!(" -> {}", paths.join(" ")),
        };
        format!(
            "{intent} {} {}{lines}{paths}",
            reference.status.name(),
            reference.written
        )
    });
    rows.map(|row| row.trim_end().to_owned()).collect()
}

#[track_caller]
fn check(plans: &[(&str, &[&str])]) {
    let wrong: Vec<String> = plans
        .iter()
        .filter(|(plan, expected)| named(plan) != *expected)
        .map(|(plan, expected)| {
            format!(
                "{plan}\n  expected {expected:#?}\n  found {:#?}",
                named(plan)
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_file_of_the_tree_is_known_in_any_dress() {
    check(&[
        ("Look at `src/lib.rs`.", &["mention exact src/lib.rs"]),
        ("Look at src/lib.rs.", &["mention exact src/lib.rs"]),
        (
            "See (src/lib.rs), then src/old.rs, and tests/cli.rs's end",
            &[
                "mention exact src/lib.rs",
                "mention exact src/old.rs",
                "mention exact tests/cli.rs",
            ],
        ),
        (
            "**src/lib.rs** and *src/old.rs* and __tests/cli.rs__",
            &[
                "mention exact src/lib.rs",
                "mention exact src/old.rs",
                "mention exact tests/cli.rs",
            ],
        ),
        ("**`src/lib.rs`**: the root", &["mention exact src/lib.rs"]),
        (
            "\"src/lib.rs\" and 'src/old.rs'",
            &["mention exact src/lib.rs", "mention exact src/old.rs"],
        ),
        (
            "./src/lib.rs",
            &["mention exact ./src/lib.rs -> src/lib.rs"],
        ),
        ("see [the root](src/lib.rs)", &["mention exact src/lib.rs"]),
        (
            "see [`src/lib.rs`](src/lib.rs#L3-L9)",
            &["mention exact src/lib.rs:3-9"],
        ),
        (
            "see [notes](<docs/my notes.md>) and [them](docs/my%20notes.md)",
            &["mention exact docs/my notes.md"],
        ),
        ("`docs/my notes.md`", &["mention exact docs/my notes.md"]),
        (
            "the file \"docs/my notes.md\" says",
            &["mention exact docs/my notes.md"],
        ),
    ]);
}

#[test]
fn a_name_may_hold_any_character_and_need_no_extension() {
    check(&[
        (
            "| File | Why |\n|---|---|\n| src/lib.rs | it is the root |",
            &["mention exact src/lib.rs"],
        ),
        ("# About src/lib.rs", &["mention exact src/lib.rs"]),
        ("> - src/lib.rs", &["mention exact src/lib.rs"]),
        (
            "`src/lib.rs`\u{2014}the root",
            &["mention exact src/lib.rs"],
        ),
        ("siehe docs/über.md, bitte", &["mention exact docs/über.md"]),
        (
            "web/app/blog/[slug]/page.tsx",
            &["mention exact web/app/blog/[slug]/page.tsx"],
        ),
        (
            "(web/app/(shop)/cart/page.tsx)",
            &["mention exact web/app/(shop)/cart/page.tsx"],
        ),
        (
            "`web/app/routes/$id.tsx`",
            &["mention exact web/app/routes/$id.tsx"],
        ),
        (
            "assets/logo@2x.png, src/c++/bind.cc",
            &[
                "mention exact assets/logo@2x.png",
                "mention exact src/c++/bind.cc",
            ],
        ),
        (
            "Makefile, LICENSE, .gitignore, go.mod and bin/run",
            &[
                "mention exact Makefile",
                "mention exact LICENSE",
                "mention exact .gitignore",
                "mention exact go.mod",
                "mention exact bin/run",
            ],
        ),
        (
            "the Dockerfile",
            &["mention suffix Dockerfile -> web/Dockerfile"],
        ),
        (
            "`src/{lib,old}.rs`",
            &["mention exact src/lib.rs", "mention exact src/old.rs"],
        ),
        ("src\\lib.rs", &["mention exact src\\lib.rs -> src/lib.rs"]),
        (
            "src/lib.rs,src/old.rs",
            &["mention exact src/lib.rs", "mention exact src/old.rs"],
        ),
        (
            "src/lib.rs -> src/old.rs",
            &["mention exact src/lib.rs", "mention exact src/old.rs"],
        ),
        (
            "in `src/` and src/parse but not `config` or src",
            &["mention folder src/ -> src", "mention folder src/parse"],
        ),
    ]);
}

#[test]
fn a_range_is_read_and_taken_off() {
    check(&[
        ("src/lib.rs:12", &["mention exact src/lib.rs:12-12"]),
        ("`src/lib.rs:12-40`", &["mention exact src/lib.rs:12-40"]),
        ("src/lib.rs:12:5:", &["mention exact src/lib.rs:12-12"]),
        ("src/lib.rs#L12", &["mention exact src/lib.rs:12-12"]),
        ("src/lib.rs#L12-L40.", &["mention exact src/lib.rs:12-40"]),
        ("src/lib.rs:40-12", &["mention exact src/lib.rs:12-40"]),
        ("Makefile:3", &["mention exact Makefile:3-3"]),
        ("README.md#usage", &["mention exact README.md"]),
        (
            "`api/tests/test_users.py::test_get`",
            &["mention exact api/tests/test_users.py"],
        ),
        (
            "src/lib.rs:99999999999999999999999",
            &["mention exact src/lib.rs"],
        ),
        (
            "src/lib.rs:1-2 then src/lib.rs:7",
            &["mention exact src/lib.rs:1-2:7-7"],
        ),
    ]);
}

#[test]
fn what_is_no_path_is_none() {
    for text in [
        "https://example.com/src/lib.rs and http://x.org/a/b.rs",
        "[x](https://github.com/o/r/blob/main/src/lib.rs#L3)",
        "www.example.com/src/lib.rs, git@github.com:o/src/lib.rs, file:///src/lib.rs",
        "`github.com/o/r/store.go` and `example.com`",
        "mail me@example.com or `me@docs.io`",
        "1.2.3, v1.2, 12/10/2026, 3.5x, `0..10`",
        "and/or, I/O, read/write, n/a, either/or, client/server",
        "`std::fs`, `foo.bar()`, `self.x`, `a.b.c`, `Vec<T>`, `obj.method`, `foo.bar`",
        "e.g. this, i.e. that, etc. Node.js, `Next.js`, `process.env`, `console.log`, `res.json`, `items.map`",
        "`--foo=bar`, `-x`, `$HOME/x.rs`, `${DIR}/x.rs`, `PATH`, `$ROOT/src/x.rs`",
        "`text/html`, `application/json`, `@scope/pkg`, `@scope/pkg/index.js`",
        "`/api/users`, GET /api/users/{id}, `/users/:id`",
        "`src/**/*.rs`, `*.rs`, `src/*.go`, `**/*.tsx`",
        "`^src/.*\\.rs$`, `\\d+/x.rs`, `a|b.rs`",
        "`src/<name>.rs`, `src/{name}.rs`, `src/.../x.rs`",
        "units.rs is not there, nor is src/parse/new/",
        "test the bin and the readme",
        "```rust\nuse std::fs;\nlet x = \"./foo/bar.js\"; // like src/missing.rs\nimport y from \"./web/x.js\";\nmod a;\n```",
        "```sh\ncargo test --test foo\nnpm run build -- src/missing.ts\n```",
        "`cargo test --test cli src/missing.rs`",
        "`<stdio.h>` and `string.h`",
        "Create Next.js app and add socket.io",
        "`@/components/Missing.tsx`",
    ] {
        assert_eq!(named(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_part_of_a_path_means_the_one_file_that_ends_with_it() {
    check(&[
        (
            "`duration.rs`",
            &["mention suffix duration.rs -> src/duration.rs"],
        ),
        (
            "in duration.rs we",
            &["mention suffix duration.rs -> src/duration.rs"],
        ),
        (
            "`store/store.go`",
            &["mention suffix store/store.go -> internal/store/store.go"],
        ),
        (
            "`ore/store.go`",
            &["mention missing ore/store.go -> internal/store/store.go"],
        ),
        (
            "`@/components/Button.tsx`",
            &["mention suffix @/components/Button.tsx -> web/components/Button.tsx"],
        ),
        (
            "`/home/x/repo/src/lib.rs`",
            &["mention suffix /home/x/repo/src/lib.rs -> src/lib.rs"],
        ),
        (
            "`repo/src/lib.rs`",
            &["mention suffix repo/src/lib.rs -> src/lib.rs"],
        ),
        (
            "`/home/x/repo/Cargo.toml`",
            &["mention suffix /home/x/repo/Cargo.toml -> Cargo.toml"],
        ),
        (
            "`api/src/lib.rs`",
            &["mention missing api/src/lib.rs -> src/lib.rs"],
        ),
        (
            "`crate/README.md`",
            &["mention missing crate/README.md -> api/README.md README.md"],
        ),
        (
            "`mod.rs`",
            &["mention ambiguous mod.rs -> src/net/mod.rs src/parse/mod.rs"],
        ),
        (
            "`parse/mod.rs`",
            &["mention suffix parse/mod.rs -> src/parse/mod.rs"],
        ),
        ("`README.md`", &["mention exact README.md"]),
        (
            "`routes/__init__.py` then `__init__.py`",
            &[
                "mention suffix routes/__init__.py -> api/app/routes/__init__.py",
                "mention ambiguous __init__.py -> api/app/__init__.py api/app/routes/__init__.py",
            ],
        ),
        (
            "`mod.rs`, that is `src/net/mod.rs`",
            &["mention exact src/net/mod.rs"],
        ),
        (
            "src/net/mod.rs and src/parse/mod.rs: each mod.rs",
            &[
                "mention exact src/net/mod.rs",
                "mention exact src/parse/mod.rs",
            ],
        ),
        (
            "src/net/mod.rs, src/parse/mod.rs: update `mod.rs`",
            &[
                "mention exact src/net/mod.rs",
                "mention exact src/parse/mod.rs",
                "change ambiguous mod.rs -> src/net/mod.rs src/parse/mod.rs",
            ],
        ),
    ]);
}

#[test]
fn what_is_missing_is_told_with_the_nearest() {
    check(&[
        (
            "`src/durations.rs`",
            &["mention missing src/durations.rs -> src/duration.rs"],
        ),
        ("src/foo/bar.rs", &["mention missing src/foo/bar.rs ->"]),
        (
            "`src/net/duration.rs`",
            &["mention missing src/net/duration.rs -> src/duration.rs"],
        ),
        (
            "`SRC/Lib.rs`",
            &["mention missing SRC/Lib.rs -> src/lib.rs"],
        ),
        ("`../lib.rs`", &["mention missing ../lib.rs -> src/lib.rs"]),
        (
            "`src/../../lib.rs`",
            &["mention missing src/../../lib.rs -> src/lib.rs"],
        ),
        ("`/etc/hosts.toml`", &["mention missing /etc/hosts.toml ->"]),
        ("create `~/notes/x.md`", &["create missing ~/notes/x.md ->"]),
        (
            "create `/tmp/x.rs` and `../y.rs` and `.git/x.toml`",
            &[
                "create missing /tmp/x.rs ->",
                "create missing ../y.rs ->",
                "create missing .git/x.toml ->",
            ],
        ),
        ("[x](src/nope.rs)", &["mention missing src/nope.rs ->"]),
        ("`units.rs`", &["mention missing units.rs ->"]),
        (
            "Update `src/missing.rs`",
            &["change missing src/missing.rs ->"],
        ),
    ]);
}

#[test]
fn a_verb_binds_to_the_path_that_it_governs() {
    check(&[
        (
            "Create `src/a.rs` and update `src/lib.rs`",
            &["create created src/a.rs", "change exact src/lib.rs"],
        ),
        ("Create src/a.rs.", &["create created src/a.rs"]),
        ("Create units.rs", &["create created units.rs"]),
        ("Create `src/lib.rs`", &["create exact src/lib.rs"]),
        (
            "Add the function `parse` to `src/lib.rs`",
            &["change exact src/lib.rs"],
        ),
        (
            "Add the function `parse` to `src/zz.rs`",
            &["change missing src/zz.rs ->"],
        ),
        (
            "Add a test in `tests/new.rs`",
            &["create created tests/new.rs"],
        ),
        (
            "Add `src/a.rs`, `src/b.rs`, and `src/c.rs`.",
            &[
                "create created src/a.rs",
                "create created src/b.rs",
                "create created src/c.rs",
            ],
        ),
        (
            "Create `src/a.rs` like `src/lib.rs`, and `src/b.rs` with units",
            &[
                "create created src/a.rs",
                "mention exact src/lib.rs",
                "mention missing src/b.rs ->",
            ],
        ),
        (
            "Create `src/a.rs` for units and `src/b.rs` for days",
            &["create created src/a.rs", "create created src/b.rs"],
        ),
        (
            "Create tests for `src/lib.rs` and `src/old.rs`",
            &["mention exact src/lib.rs", "mention exact src/old.rs"],
        ),
        (
            "Create `src/a.rs` (see `src/lib.rs`), `src/b.rs`",
            &[
                "create created src/a.rs",
                "mention exact src/lib.rs",
                "create created src/b.rs",
            ],
        ),
        (
            "Create `src/a.rs`. `src/lib.rs` stays.",
            &["create created src/a.rs", "mention exact src/lib.rs"],
        ),
        (
            "Create `src/a.rs` using `src/lib.rs`",
            &["create created src/a.rs", "mention exact src/lib.rs"],
        ),
        ("Delete `src/old.rs`", &["delete exact src/old.rs"]),
        (
            "Remove the function from `src/old.rs`",
            &["change exact src/old.rs"],
        ),
        (
            "Rename `src/old.rs` to `src/new.rs`",
            &["rename exact src/old.rs", "create created src/new.rs"],
        ),
        (
            "Move `src/old.rs` \u{2192} `src/parse/old.rs`",
            &["rename exact src/old.rs", "create created src/parse/old.rs"],
        ),
        (
            "Move `parse` from `src/lib.rs` into `src/units.rs`",
            &["change exact src/lib.rs", "create created src/units.rs"],
        ),
        ("Do not modify `src/lib.rs`", &["mention exact src/lib.rs"]),
    ]);
}

#[test]
fn a_verb_after_a_path_is_said_of_it_too() {
    check(&[
        ("- `src/a.rs` (new)", &["create created src/a.rs"]),
        (
            "- `src/a.rs` \u{2014} new file",
            &["create created src/a.rs"],
        ),
        (
            "- `src/a.rs`: new module for units",
            &["create created src/a.rs"],
        ),
        (
            "`src/a.rs` will be created, `src/old.rs` is removed.",
            &["create created src/a.rs", "delete exact src/old.rs"],
        ),
        (
            "- `src/old.rs`: remove the loop",
            &["change exact src/old.rs"],
        ),
        (
            "In `src/zz.rs`, add a call to `foo`",
            &["change missing src/zz.rs ->"],
        ),
        (
            "Change the import in `src/lib.rs`",
            &["change exact src/lib.rs"],
        ),
        (
            "Create an update script `scripts/update.sh`",
            &["create created scripts/update.sh"],
        ),
        (
            "Use the new `src/a.rs` in `src/lib.rs`",
            &["create created src/a.rs", "change exact src/lib.rs"],
        ),
        (
            "`src/a.rs` is used. Later: create `src/a.rs`",
            &["create created src/a.rs"],
        ),
        (
            "create `src/parse/units.rs`, and test `parse/units.rs` and `units.rs`",
            &["create created src/parse/units.rs"],
        ),
        (
            "create `src/parse/units.rs` with `src/{a,b}.rs`",
            &[
                "create created src/parse/units.rs",
                "mention missing src/a.rs ->",
                "mention missing src/b.rs ->",
            ],
        ),
        (
            "create `src/{a,b}.rs`",
            &["create created src/a.rs", "create created src/b.rs"],
        ),
        (
            "Split `src/lib.rs` into `src/a.rs` and `src/b.rs`",
            &[
                "change exact src/lib.rs",
                "create created src/a.rs",
                "create created src/b.rs",
            ],
        ),
    ]);
}

#[test]
fn lists_tables_and_headings_say_what_is_done() {
    check(&[
        (
            "Files:\n- change `src/lib.rs`\n- create `src/a.rs`\n- delete `src/old.rs`\n- rename `tests/cli.rs` to `tests/b.rs`",
            &[
                "change exact src/lib.rs",
                "create created src/a.rs",
                "delete exact src/old.rs",
                "rename exact tests/cli.rs",
                "create created tests/b.rs",
            ],
        ),
        (
            "Files:\n- create `bin/start`\n- change `bin/stop`",
            &["create created bin/start", "change missing bin/stop ->"],
        ),
        (
            "Files:\n- create `docs/new notes.md`",
            &["create created docs/new notes.md"],
        ),
        (
            "## New files\n\n- src/a.rs: like src/lib.rs\n- `src/b.rs`\n\n## Modified files\n\n- src/lib.rs",
            &[
                "create created src/a.rs",
                "change exact src/lib.rs",
                "create created src/b.rs",
            ],
        ),
        (
            "### Files to create\n1. `src/a.rs`\n   with `src/old.rs`",
            &["create created src/a.rs", "mention exact src/old.rs"],
        ),
        (
            "**New:**\n- units.rs\n**Deleted:**\n- src/old.rs",
            &["create created units.rs", "delete exact src/old.rs"],
        ),
        (
            "- Create:\n  - `src/a.rs`\n- Modify:\n  - `src/lib.rs`",
            &["create created src/a.rs", "change exact src/lib.rs"],
        ),
        (
            "**Files:** `src/a.rs` (new), `src/lib.rs`",
            &["create created src/a.rs", "change exact src/lib.rs"],
        ),
        ("### Step 2: Create src/a.rs", &["create created src/a.rs"]),
        (
            "| File | Action |\n|---|---|\n| `src/a.rs` | new |\n| src/b.rs | Create |\n| `src/c.rs` | A |\n| `src/old.rs` | delete |\n| `src/lib.rs` | M |",
            &[
                "create created src/a.rs",
                "create created src/b.rs",
                "create created src/c.rs",
                "delete exact src/old.rs",
                "change exact src/lib.rs",
            ],
        ),
        (
            "| A | `src/a.rs` |\n| New | units.rs |\n| Update | src/lib.rs |",
            &[
                "create created src/a.rs",
                "create created units.rs",
                "change exact src/lib.rs",
            ],
        ),
        (
            "Files:\n- change `src/lib.rs`: call `parse` in `self.data`\n- change `src/old.rs` - see `N/A`",
            &["change exact src/lib.rs", "change exact src/old.rs"],
        ),
    ]);
}

#[test]
fn fences_name_files_in_their_heads_comments_diffs_and_drawings() {
    check(&[
        (
            "```rust title=src/lib.rs\nfn x() {}\n```",
            &["mention exact src/lib.rs"],
        ),
        ("```src/zz.rs\n```", &["mention missing src/zz.rs ->"]),
        (
            "```rust:src/lib.rs\n```\n```12:40:src/old.rs\n```",
            &["mention exact src/lib.rs", "mention exact src/old.rs"],
        ),
        (
            "```rust\n// src/zz.rs\nfn x() {}\n```",
            &["mention missing src/zz.rs ->"],
        ),
        (
            "```rust\n// src/a.rs (new)\n```",
            &["create created src/a.rs"],
        ),
        (
            "```sh\ncat src/lib.rs | wc -l; rm \"src/old.rs\"\ncargo test --manifest-path=Cargo.toml\n```",
            &[
                "mention exact src/lib.rs",
                "mention exact src/old.rs",
                "mention exact Cargo.toml",
            ],
        ),
        (
            "```diff\n--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -1,2 +1,2 @@\n-use a/b.rs;\n```",
            &["change exact src/lib.rs"],
        ),
        (
            "--- /dev/null\n+++ b/src/a.rs\n@@ -0,0 +1 @@\n+fn x() {}\n",
            &["create created src/a.rs"],
        ),
        (
            "--- a/src/old.rs\n+++ /dev/null\n@@ -1 +0,0 @@\n-fn x() {}\n",
            &["delete exact src/old.rs"],
        ),
        (
            "--- docs/my notes.md\t2026-01-01\n+++ docs/my notes.md\t2026-01-02\n",
            &["change exact docs/my notes.md"],
        ),
        (
            "diff --git a/src/old.rs b/src/new.rs\nsimilarity index 90%\nrename from src/old.rs\nrename to src/new.rs",
            &["rename exact src/old.rs", "create created src/new.rs"],
        ),
        (
            "diff --git a/bin/x b/bin/x\nnew file mode 100755",
            &["create created bin/x"],
        ),
        (
            "*** Update File: src/zz.rs",
            &["change missing src/zz.rs ->"],
        ),
        (
            "```\nsrc/\n\u{251c}\u{2500}\u{2500} lib.rs\n\u{251c}\u{2500}\u{2500} parse/\n\u{2502}   \u{251c}\u{2500}\u{2500} mod.rs\n\u{2502}   \u{2514}\u{2500}\u{2500} units.rs   # new\n\u{2514}\u{2500}\u{2500} other.rs\n```",
            &[
                "mention exact src/lib.rs",
                "mention exact src/parse/mod.rs",
                "create created src/parse/units.rs",
            ],
        ),
        (
            "```rust\nfn open() {\n\nSee `src/zz.rs`, as the fence is never closed",
            &["mention missing src/zz.rs ->"],
        ),
        (
            "````markdown\n```rust\nlet x = a.rs;\n```\n````\nSee `src/zz.rs`",
            &["mention missing src/zz.rs ->"],
        ),
    ]);
}

const TEMPLATE: &str = "\
# Plan: Durations with units

## Objective
Read `1h30m` in src/duration.rs, as Go does (https://pkg.go.dev/time#ParseDuration).

## Steps
### Step 1: Parse units
Files:
- change `src/duration.rs`
- create `src/parse/units.rs`
- delete `src/old.rs`

Move `parse_unit` from `src/duration.rs:12-40` into `units.rs`; register it in `src/parse/mod.rs`.

```rust
// src/parse/units.rs
pub fn unit(text: &str) -> Option<Unit> { include!(\"x.rs\") }
```
### Step 2: Rename the server
Files:
- rename `cmd/server/main.go` to `cmd/api/main.go`
- change `internal/store/stor.go`

## Dependencies
None; `Cargo.toml` stays as it is.
## Risks
`mod.rs` is read at start.
## Test strategy
`cargo test --test cli` runs `tests/cli.rs`.
";

const PROSE: &str = "\
I'd do this in three moves.

1. **Backend.** Extend `api/app/routes/users.py` so that GET /api/users?page=2 works. Settings are in config.py
   (`settings.page_size`); add tests to `api/tests/test_users.py` and a new file `api/tests/test_pages.py`.
2. **Frontend.** The list lives in app/page.tsx; create `web/components/Pager.tsx` next to `Button.tsx`, and
   use it in `web/app/blog/[slug]/page.tsx:20`. Don't touch `web/app/layout.tsx`.
3. **Docs.** Update README.md and/or [the API's](api/README.md#paging). Run `make -C api test`.
";

const DIFFS: &str = "\
| File | Change |
|------|--------|
| `src/lib.rs` | modify |
| `src/units.rs` | add |

```diff
diff --git a/src/lib.rs b/src/lib.rs
--- a/src/lib.rs
+++ b/src/lib.rs
@@ -1 +1,2 @@
 mod duration;
+mod units; // in src/units.rs
diff --git a/src/units.rs b/src/units.rs
new file mode 100644
--- /dev/null
+++ b/src/units.rs
@@ -0,0 +1 @@
+pub struct Unit;
diff --git a/src/old.rs b/src/old.rs
deleted file mode 100644
--- a/src/old.rs
+++ /dev/null
```
";

#[test]
fn whole_plans_of_three_styles() {
    check(&[
        (
            TEMPLATE,
            &[
                "change exact src/duration.rs:12-40",
                "create created src/parse/units.rs",
                "delete exact src/old.rs",
                "change exact src/parse/mod.rs",
                "rename exact cmd/server/main.go",
                "create created cmd/api/main.go",
                "change missing internal/store/stor.go -> internal/store/store.go",
                "mention exact Cargo.toml",
                "mention exact tests/cli.rs",
            ],
        ),
        (
            PROSE,
            &[
                "change exact api/app/routes/users.py",
                "mention suffix config.py -> api/app/config.py",
                "change exact api/tests/test_users.py",
                "create created api/tests/test_pages.py",
                "mention suffix app/page.tsx -> web/app/page.tsx",
                "create created web/components/Pager.tsx",
                "mention suffix Button.tsx -> web/components/Button.tsx",
                "change exact web/app/blog/[slug]/page.tsx:20-20",
                "mention exact web/app/layout.tsx",
                "change exact README.md",
                "change exact api/README.md",
            ],
        ),
        (
            DIFFS,
            &[
                "change exact src/lib.rs",
                "create created src/units.rs",
                "delete exact src/old.rs",
            ],
        ),
    ]);
}

#[test]
fn a_reference_is_first_named_where_its_line_says() {
    let lines: Vec<usize> = references(TEMPLATE, &tree())
        .iter()
        .map(|reference| reference.line)
        .collect();
    assert_eq!(lines, [4, 10, 11, 13, 21, 21, 22, 25, 29]);
}

#[test]
fn a_reference_is_written_as_programs_read_it() {
    let found = references("Update src/lib.rs:12-40 and create `src/a.rs`", &tree());
    assert_eq!(
        serde_json::to_string(&found).unwrap(),
        "[{\"written\":\"src/lib.rs\",\"line\":1,\"lines\":[[12,40]],\"intent\":\"change\",\"status\":\"exact\",\"paths\":[\"src/lib.rs\"]},\
         {\"written\":\"src/a.rs\",\"line\":1,\"intent\":\"create\",\"status\":\"created\",\"paths\":[\"src/a.rs\"]}]"
    );
}

/// Text of which plans are made, for mutation.
fn scraps() -> impl Strategy<Value = String> {
    let scrap = prop_oneof![
        "[`*_#|(){}<>\\[\\]:.,/\\\\\"'@$~=+ \t\n-]{0,4}",
        prop::sample::select(FILES).prop_map(str::to_owned),
        prop::sample::select(vec![
            "create ",
            "```\n",
            "Files:\n- ",
            "--- a/",
            "\n+++ b/",
            "├── ",
            "é",
            "src/{a,b}.rs",
            ":1-2",
            "](",
            "../"
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ];
    prop::collection::vec(scrap, 0..40).prop_map(|scraps| scraps.concat())
}

fn mutated() -> impl Strategy<Value = String> {
    let plan = prop::sample::select(vec![TEMPLATE, PROSE, DIFFS]);
    (
        plan,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        scraps(),
    )
        .prop_map(|(plan, from, to, scrap)| {
            let chars: Vec<char> = plan.chars().collect();
            let (from, to) = (from.index(chars.len()), to.index(chars.len()));
            let start: String = chars[..from.min(to)].iter().collect();
            let end: String = chars[from.max(to)..].iter().collect();
            format!("{start}{scrap}{end}")
        })
}

proptest! {
    #[test]
    fn any_text_is_read_in_order_and_within_the_tree(text in prop_oneof![any::<String>(), scraps(), mutated()]) {
        let tree = tree();
        let references = references(&text, &tree);
        prop_assert!(references.is_sorted_by_key(|reference| reference.line));
        for reference in &references {
            prop_assert!((1..=text.lines().count()).contains(&reference.line));
            match &reference.status {
                Status::Exact(path) | Status::Suffix(path) | Status::Renamed(path) => prop_assert!(tree.holds(path), "{reference:?}"),
                Status::Created(path) => prop_assert!(!tree.holds(path), "{reference:?}"),
                Status::Folder(path) => prop_assert!(tree.folder(&path.to_string()).is_some(), "{reference:?}"),
                Status::Ambiguous(paths) => prop_assert!(paths.len() > 1 && paths.is_sorted() && paths.iter().all(|path| tree.holds(path))),
                Status::Missing(paths) => prop_assert!(paths.len() <= 3 && paths.iter().all(|path| tree.holds(path))),
            }
        }
        let _ = parse(&text);
        if let Ok(plan) = Plan::read(&text) {
            let n_lines = plan.text.lines().count();
            prop_assert!(plan.steps.is_sorted_by(|one, next| one.lines.end() < next.lines.start()), "{:?}", plan.steps);
            prop_assert!(plan.steps.iter().all(|step| !step.lines.is_empty() && *step.lines.end() <= n_lines));
            prop_assert!(faults(&plan).iter().all(|fault| (1..=n_lines).contains(&fault.line)));
        }
    }
}
