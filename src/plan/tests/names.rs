//! What a plan says beside paths: lines, names of what is defined, names of before, commands; in any language.

use super::super::references;
use super::plans::{row, tree};

/// Holds what each text names in the Rust tree against rows as in `plans/*.expected`.
#[track_caller]
fn check(cases: &[(&str, &[&str])]) {
    let tree = tree("rust");
    for (text, expected) in cases {
        let found: Vec<String> = references(text, &tree).iter().map(row).collect();
        assert_eq!(found, *expected, "{text}");
    }
}

#[test]
fn all_ranges_of_a_file_are_kept_wherever_they_stand() {
    check(&[
        (
            "`docs/guide.md`:12 and `docs/format.md`:10-20.",
            &[
                "mention exact docs/guide.md:12-12",
                "mention exact docs/format.md:10-20",
            ],
        ),
        ("docs/guide.md#L10", &["mention exact docs/guide.md:10-10"]),
        (
            "docs/guide.md:1-2,7,20-30",
            &["mention exact docs/guide.md:1-2,7-7,20-30"],
        ),
        (
            "`docs/guide.md` (lines 10\u{2013}20, 30)",
            &["mention exact docs/guide.md:10-20,30-30"],
        ),
        (
            "`docs/guide.md`, line 5, and later `docs/guide.md` at lines 7 to 9",
            &["mention exact docs/guide.md:5-5,7-9"],
        ),
        (
            "Change lines 10-20 and 30 of `docs/guide.md`",
            &["change exact docs/guide.md:10-20,30-30"],
        ),
        (
            "Zeilen 3 bis 5 in `docs/guide.md`",
            &["mention exact docs/guide.md:3-5"],
        ),
        (
            "docs/guide.md:7, docs/guide.md:7-7",
            &["mention exact docs/guide.md:7-7"],
        ),
        (
            "`docs/guide.md` has 300 lines, 12 of them long",
            &["mention exact docs/guide.md"],
        ),
        (
            "lines 3 and 4; the rest of `docs/guide.md`",
            &["mention exact docs/guide.md"],
        ),
        (
            "`docs/guide.md`, `docs/format.md` (line 3)",
            &[
                "mention exact docs/guide.md",
                "mention exact docs/format.md:3-3",
            ],
        ),
    ]);
}

#[test]
fn a_name_leads_to_the_few_files_that_define_it() {
    check(&[
        (
            "`Reader::next_row`",
            &["mention exact Reader::next_row:40-88 -> crates/core/src/reader.rs"],
        ),
        (
            "Change `Reader.next_row(&mut self)`",
            &["change exact Reader.next_row(&mut self):40-88 -> crates/core/src/reader.rs"],
        ),
        (
            "Delete `Reader#next_row`.",
            &["change exact Reader#next_row:40-88 -> crates/core/src/reader.rs"],
        ),
        (
            "`tally_core::reader::Reader::next_row`",
            &[
                "mention exact tally_core::reader::Reader::next_row:40-88 -> crates/core/src/reader.rs",
            ],
        ),
        (
            "`quantile::quantile` and `stats::mean()`",
            &[
                "mention exact quantile::quantile:20-61 -> crates/core/src/stats/quantile.rs",
                "mention exact stats::mean():5-14 -> crates/core/src/stats/mean.rs",
            ],
        ),
        (
            "`write()` of both",
            &[
                "mention exact write():10-44 -> crates/cli/src/output/json.rs",
                "mention exact write():30-75 -> crates/cli/src/output/table.rs",
            ],
        ),
        (
            "`Reader::new`, in `crates/core/src/reader.rs`; also `Reader::next_row`",
            &["mention exact crates/core/src/reader.rs:15-38,40-88"],
        ),
        (
            "Rename `Reader::new` to `Reader::open`, then `Args::parse` in `args.rs`",
            &[
                "change exact Reader::new:15-38 -> crates/core/src/reader.rs",
                "change exact args.rs:8-52 -> crates/cli/src/args.rs",
            ],
        ),
        (
            "Reader::new, `Reader`, `mean`, `Row::new`, `Nothing::at_all()`, `new File()`, `a.b.c`, `std::fs::read`",
            &[],
        ),
    ]);
}

#[test]
fn a_name_that_many_files_define_tells_none() {
    let mut tree = tree("rust");
    let symbols = tree.symbols.get_mut("write").unwrap();
    for path in ["docs/guide.md", "docs/format.md"] {
        let mut other = symbols[0].clone();
        other.path = crate::path::RepoPath::parse(path.as_bytes()).unwrap();
        symbols.push(other);
    }
    assert_eq!(references("`write()`", &tree), []);
}

#[test]
fn a_file_that_was_renamed_is_found_under_its_new_name() {
    check(&[
        (
            "Update `crates/core/src/parse.rs:3`",
            &["change renamed crates/core/src/parse.rs:3-3 -> crates/core/src/reader.rs"],
        ),
        (
            "Create `crates/core/src/parse.rs`",
            &["create created crates/core/src/parse.rs"],
        ),
        (
            "Update `crates/core/src/parse.rs` and `crates/core/src/reader.rs`",
            &["change exact crates/core/src/reader.rs"],
        ),
        (
            "Update `core/src/parse.rs`",
            &["change missing core/src/parse.rs"],
        ),
    ]);
    let mut tree = tree("rust");
    let path = |text: &str| crate::path::RepoPath::parse(text.as_bytes()).unwrap();
    tree.renames.insert(path("a.rs"), path("b.rs"));
    tree.renames.insert(path("b.rs"), path("rustfmt.toml"));
    tree.renames.insert(path("x.rs"), path("y.rs"));
    tree.renames.insert(path("y.rs"), path("x.rs"));
    let found: Vec<String> = references("`a.rs`, `x.rs`", &tree)
        .iter()
        .map(row)
        .collect();
    assert_eq!(
        found,
        [
            "mention renamed a.rs -> rustfmt.toml",
            "mention missing x.rs"
        ]
    );
}

#[test]
fn what_is_run_is_not_missing() {
    check(&[
        (
            "Create `docs/a.md`, then run `sh test.sh`",
            &["create created docs/a.md"],
        ),
        (
            "Files:\n- create `docs/a.md`\nCheck: `sh ./check.sh x.md`",
            &["create created docs/a.md"],
        ),
        (
            "Run `./check.py` and `scripts/release.sh`",
            &["mention exact scripts/release.sh"],
        ),
        ("`cargo test --test x`, `python3 tools/gen.py a.json`", &[]),
        ("`RUST_LOG=debug cargo run -- data/x.csv`", &[]),
        ("Change `check.py`", &["change missing check.py"]),
    ]);
}

#[test]
fn the_first_word_of_an_item_decides() {
    check(&[
        (
            "Files:\n- change `docs/guide.md` (new section)\n- change `docs/format.md`: removed, created and added things\n- create `docs/a.md` - changes nothing\n- delete `README.md`, created by mistake\n- read `Cargo.toml`",
            &[
                "change exact docs/guide.md",
                "change exact docs/format.md",
                "create created docs/a.md",
                "delete exact README.md",
                "mention exact Cargo.toml",
            ],
        ),
        (
            "**Files:**\n- Create: `docs/a.md`\n- Modify: `docs/guide.md:10-14`\n- Test: `crates/core/tests/new.rs`",
            &[
                "create created docs/a.md",
                "change exact docs/guide.md:10-14",
                "create created crates/core/tests/new.rs",
            ],
        ),
        (
            "Files: `docs/guide.md`, `docs/a.md` (new), `docs/format.md` stays",
            &[
                "change exact docs/guide.md",
                "create created docs/a.md",
                "mention exact docs/format.md",
            ],
        ),
    ]);
}

#[test]
fn a_task_names_where_it_is_done() {
    check(&[
        (
            "- [ ] Notes on quantiles in docs/quantiles.md",
            &["create created docs/quantiles.md"],
        ),
        (
            "- [ ] Unit tests in crates/cli/tests/cli.rs",
            &["change exact crates/cli/tests/cli.rs"],
        ),
        (
            "- [ ] See docs/nothing.md",
            &["mention missing docs/nothing.md"],
        ),
        (
            "- Notes on quantiles in docs/quantiles.md",
            &[
                "mention missing docs/quantiles.md -> crates/core/tests/quantiles.rs crates/core/src/stats/quantile.rs",
            ],
        ),
    ]);
}

#[test]
fn other_languages_say_what_is_done() {
    check(&[
        ("Erstelle `docs/a.md`", &["create created docs/a.md"]),
        (
            "Lege die Datei `docs/a.md` an",
            &["create created docs/a.md"],
        ),
        (
            "`docs/a.md` wird neu angelegt",
            &["create created docs/a.md"],
        ),
        (
            "Wir ändern `docs/guide.md`",
            &["change exact docs/guide.md"],
        ),
        (
            "`docs/guide.md` muss angepasst werden",
            &["change exact docs/guide.md"],
        ),
        (
            "`docs/guide.md` is not changed, `docs/a.md` (not there yet) will be created",
            &["mention exact docs/guide.md", "create created docs/a.md"],
        ),
        ("`README.md` löschen", &["delete exact README.md"]),
        (
            "Benenne `README.md` in `docs/readme.md` um",
            &["rename exact README.md", "create created docs/readme.md"],
        ),
        (
            "`docs/guide.md` nicht ändern",
            &["mention exact docs/guide.md"],
        ),
        ("创建`docs/a.md`文件", &["create created docs/a.md"]),
        (
            "在`docs/guide.md`中添加说明",
            &["change exact docs/guide.md"],
        ),
        ("不要修改docs/guide.md。", &["mention exact docs/guide.md"]),
        (
            "修改docs/guide.md、docs/format.md",
            &["change exact docs/guide.md", "change exact docs/format.md"],
        ),
        ("`docs/a.md`を作成する", &["create created docs/a.md"]),
        (
            "Créer `docs/a.md`, modifier `docs/guide.md`",
            &["create created docs/a.md", "change exact docs/guide.md"],
        ),
        (
            "Crear `docs/a.md` y eliminar `README.md`",
            &["create created docs/a.md", "delete exact README.md"],
        ),
    ]);
}
