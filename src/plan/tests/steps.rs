//! Steps of plans in every form, and what keeps a plan from being carried out by them.

use super::super::{Intent, Plan, faults};

/// Returns the steps of `text`, one per row: `number first-last title`.
fn listed(text: &str) -> Vec<String> {
    let steps = Plan::read(text).unwrap().steps;
    let rows = steps.iter().map(|step| {
        let (first, last) = (step.lines.start(), step.lines.end());
        format!("{} {first}-{last} {}", step.number, step.title)
    });
    rows.map(|row| row.trim_end().to_owned()).collect()
}

#[test]
fn steps_are_found_in_every_form() {
    for (text, expected) in [
        (
            "# P\n### Step 1: Do\na\n\n### Step 2 - Undo\n",
            &["1 2-3 Do", "2 5-5 Undo"][..],
        ),
        (
            "## 1. Goal\n### Step 1: A\n### step 2\n",
            &["1 2-2 A", "2 3-3"],
        ),
        ("**Step 3: `x`**\ntext\n**Step 4** is later", &["3 1-3 `x`"]),
        (
            "**Step 1**: do this.\n\n**Step 2:** do that.",
            &["1 1-1 do this", "2 3-3 do that"],
        ),
        ("**Task 2**\nx\n## Risks\ny", &["2 1-2"]),
        (
            "## 1. A\n## 2) B\n### 2.1 C\n## 3 files",
            &["1 1-1 A", "2 2-3 B"],
        ),
        ("## Phase 1 \u{2014} A\n## Task 7: B", &["7 2-2 B"]),
        (
            "# X\n## Step 1: A\nx\n### More\ny\n## Risks\nz",
            &["1 2-5 A"],
        ),
        (
            "Step 1: read\nStep 2: write\nStep 2 needs step 1",
            &["1 1-1 read", "2 2-3 write"],
        ),
        (
            "## 1. Background\n## 2. Parse\n## 3. Tests\n## 4. Open questions",
            &["2 2-2 Parse", "3 3-3 Tests"],
        ),
        (
            "## 1. Goal\n## 2. Steps\n1. A\n2. B\n## 3. Risks\n1. C",
            &["1 3-3 A", "2 4-4 B"],
        ),
        (
            "## Schritt 1: Lesen\n## Schritt 2: Schreiben",
            &["1 1-1 Lesen", "2 2-2 Schreiben"],
        ),
        (
            "## 步骤1：读取\n## 步骤 2：写入",
            &["1 1-1 读取", "2 2-2 写入"],
        ),
        (
            "1. A\n   more\n\n   yet more\n2. B\n\nThat is all.",
            &["1 1-4 A", "2 5-5 B"],
        ),
        ("I do this:\n1) A\n- x\n2) B", &["1 2-3 A", "2 4-4 B"]),
        (
            "1. A\n```\nx\n```\n1. B\n1. C",
            &["1 1-4 A", "2 5-5 B", "3 6-6 C"],
        ),
        (
            "1. **Backend.** Extend it.\n2. **Docs**\n",
            &["1 1-1 Backend", "2 2-2 Docs"],
        ),
        ("- [ ] A\n  - [ ] a\n- [x] B", &["1 1-2 A", "2 3-3 B"]),
        ("* [ ] **Step 4: A**\n* [ ] 5. B", &["4 1-1 A", "5 2-2 B"]),
        (
            "| # | Change | Files |\n|---|---|---|\n| 1 | A | `a.rs` |\n| 2 | B | `b.rs` |",
            &["1 3-3 A", "2 4-4 B"],
        ),
        (
            "| Step | What |\n|---|---|\n| Parse | x |\n| Write | y |",
            &["1 3-3 Parse", "2 4-4 Write"],
        ),
        ("```md\n### Step 1: A\n```\n### Step 2: B", &["2 4-4 B"]),
    ] {
        assert_eq!(listed(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_list_of_steps_has_none() {
    for text in [
        "Change `src/lib.rs`, then the tests.",
        "# Plan\n## Objective\nX\n## Risks\n1. A\n2. B",
        "# Plan\n## Acceptance criteria\n- [ ] A\n- [ ] B",
        "Risks:\n1. A\n2. B",
        "**Open questions**\n1. A?\n2. B?",
        "## Retry\n### How it waits\n1. It waits.\n2. It asks again.",
        "  1. a\n     2. b",
        "- a\n- b",
        "| File | Change |\n|---|---|\n| a.rs | new |",
        "| Risk | 1 |\n|---|---|\n| A | 2 |",
        "3 files change.\n2026. was a year",
        "Step by step: do it.",
        "```\n1. a\n2. b\n```",
    ] {
        assert_eq!(listed(text), Vec::<String>::new(), "{text}");
    }
}

/// Returns what the only step of `text` says under its labels: `needs | acceptance | check`.
fn details(text: &str) -> String {
    let plan = Plan::read(&format!("### Step 9: X\n{text}")).unwrap();
    let [step] = plan.steps.as_slice() else {
        panic!("one step: {text}");
    };
    let needs: Vec<String> = step.depends.iter().map(usize::to_string).collect();
    let check = step.check.as_deref().unwrap_or("-");
    format!(
        "{} | {} | {check}",
        needs.join(" "),
        step.acceptance.join("; ")
    )
}

#[test]
fn labels_of_a_step_say_what_it_needs_and_what_shows_it() {
    for (text, expected) in [
        (
            "Depends on: none\nAcceptance:\n- a is b\n- c\n\nCheck: `cargo test`",
            " | a is b; c | cargo test",
        ),
        ("Depends on: steps 1 and 2\n", "1 2 |  | -"),
        ("Depends on: 1, 2\n", "1 2 |  | -"),
        (
            "Depends on: Step 1, Step 3 (it needs 7 files)\n",
            "1 3 |  | -",
        ),
        ("Depends on: steps 1-3, 5", "1 2 3 5 |  | -"),
        ("Depends on: `serde` 1.0", " |  | -"),
        ("Depends on: none (uses 2 crates)", " |  | -"),
        (
            "**Depends on:** Step 2\n**Done when:** it works\n**Verify:** `make test`",
            "2 | it works | make test",
        ),
        (
            "- Depends on: 4\n- Acceptance criteria:\n  - a\n  - b\n- Check: `go test ./...`",
            "4 | a; b | go test ./...",
        ),
        (
            "#### Acceptance criteria\n- [ ] a\n- [ ] b\n\n#### Verification\n```sh\n# all\n$ npm ci\nnpm test\n```",
            " | a; b | npm ci && npm test",
        ),
        ("Dependencies:\n- Step 1\n- step 2", "1 2 |  | -"),
        ("Check: cargo test --lib", " |  | cargo test --lib"),
        ("Check: the tests pass", " |  | -"),
        ("Check: none", " |  | -"),
        (
            "Check: run `cargo test` and `cargo clippy`",
            " |  | cargo test && cargo clippy",
        ),
        (
            "Verify:\n- `Plan::read` is public: `cargo doc`",
            " |  | cargo doc",
        ),
        (
            "Done when: the tests pass\nand the docs are true.",
            " | the tests pass and the docs are true. | -",
        ),
        ("This step needs steps 1 and 2.", "1 2 |  | -"),
        ("After step 1 is there, do it.", "1 |  | -"),
        ("Depends on step 3.", "3 |  | -"),
        ("This does not depend on step 3.", " |  | -"),
        ("It is like step 3, but smaller.", " |  | -"),
        (
            "Acceptance:\n- a\n\nThen more prose.\n- no part of it",
            " | a | -",
        ),
        ("Done when: it works\n\n- [ ] more to do", " | it works | -"),
        ("Acceptance: none", " |  | -"),
        (
            "H\u{e4}ngt ab von: Schritt 1\nAbnahme:\n- es geht\nPr\u{fc}fung: `make test`",
            "1 | es geht | make test",
        ),
        (
            "\u{4f9d}\u{8d56}\u{ff1a}\u{6b65}\u{9aa4}1\u{3001}2\n\u{9a8c}\u{6536}\u{6807}\u{51c6}\u{ff1a}\n- \u{53ef}\u{7528}\n\u{9a8c}\u{8bc1}\u{ff1a}`go test ./...`",
            "1 2 | \u{53ef}\u{7528} | go test ./...",
        ),
    ] {
        assert_eq!(details(text), expected, "{text}");
    }
}

#[test]
fn a_section_of_dependencies_says_which_step_needs_which() {
    let steps = "### Step 1: A\n### Step 2: B\n### Step 3: C\n### Step 4: D\n## Dependencies\n";
    for (text, expected) in [
        (
            "Step 2 needs step 1; steps 3 and 4 depend on step 2.",
            [&[][..], &[1], &[2], &[2]],
        ),
        ("- Step 4 requires steps 1-3", [&[], &[], &[], &[1, 2, 3]]),
        ("Step 1 \u{2192} Step 2 -> Step 3", [&[], &[1], &[2], &[]]),
        ("Step 3 before step 4.", [&[], &[], &[], &[3]]),
        (
            "Step 2 does not need step 1. Step 3 needs 1.",
            [&[], &[], &[1], &[]],
        ),
        ("None. New crate: `serde` 1.", [&[], &[], &[], &[]]),
        ("Steps 1 and 2 are independent.", [&[], &[], &[], &[]]),
        ("x\n## Risks\nStep 2 needs step 1.", [&[], &[], &[], &[]]),
    ] {
        let plan = Plan::read(&format!("{steps}{text}")).unwrap();
        let depends: Vec<&[usize]> = plan.steps.iter().map(|step| &step.depends[..]).collect();
        assert_eq!(depends, expected, "{text}");
    }
}

#[test]
fn files_of_a_step_are_those_that_it_names() {
    let text = "\
# P
See `src/other.rs`.
### Step 1: A
Files:
- change `src/a.rs`
- create `src/b/new.rs`
- delete `src/c.rs`
- rename `src/d.rs` to `src/e.rs`

Add the function `parse` to `new.rs`, as `src/a.rs` has it; leave `src/f.rs` as it is. `Vec<T>` and `make test` are none.
### Step 2: In prose
Update `src/a.rs` and write `tests/a.rs`.
| # | x |
";
    let steps = Plan::read(text).unwrap().steps;
    let files: Vec<Vec<(&str, Intent)>> = steps
        .iter()
        .map(|step| {
            let files = step.files.iter();
            files
                .map(|(path, intent)| (path.as_str(), *intent))
                .collect()
        })
        .collect();
    let expected = [
        &[
            ("src/a.rs", Intent::Change),
            ("src/b/new.rs", Intent::Create),
            ("src/c.rs", Intent::Delete),
            ("src/d.rs", Intent::Rename),
            ("src/e.rs", Intent::Create),
            ("src/f.rs", Intent::Mention),
        ][..],
        &[("src/a.rs", Intent::Change), ("tests/a.rs", Intent::Create)],
    ];
    assert_eq!(files, expected);
}

#[test]
fn the_form_that_planners_are_given_is_read() {
    let prompt = include_str!("../../prompt/plan.md");
    let form = &prompt[prompt.find("# Plan:").unwrap()..];
    let plan = Plan::read(form).unwrap();
    let [first, second] = plan.steps.as_slice() else {
        panic!("two steps");
    };
    let intents: Vec<Intent> = first.files.iter().map(|(_, intent)| *intent).collect();
    assert_eq!((first.number, second.number), (1, 2));
    assert_eq!(intents, [Intent::Delete, Intent::Create]);
    assert_eq!(first.acceptance.len(), 1);
}

#[test]
fn cells_of_a_row_are_read_by_the_heads_of_the_columns() {
    let text = "\
| # | Change | Files | Depends on | Done when | Check |
|---|--------|-------|------------|-----------|-------|
| 1 | Read | change `a.rs` | - | it reads | `make a` |
| 2 | Write | create `b.rs` | 1 | it writes | `make b` |
";
    let step = &Plan::read(text).unwrap().steps[1];
    assert_eq!(step.title, "Write");
    assert_eq!(step.files, [("b.rs".to_owned(), Intent::Create)]);
    assert_eq!(step.depends, [1]);
    assert_eq!(step.acceptance, ["it writes"]);
    assert_eq!(step.check.as_deref(), Some("make b"));
}

#[test]
fn what_keeps_a_plan_from_being_carried_out_by_steps_is_told() {
    let file = "change `a.rs`";
    for (text, expected) in [
        (
            format!("### Step 1: A\n{file}\n### Step 2: B\nCheck: `make`"),
            &[][..],
        ),
        (
            "Do it.".to_owned(),
            &[
                "line 1: the plan lists no steps; begin each with a heading such as `### Step 1: what it does`",
            ],
        ),
        (
            format!("### Step 1: A\n{file}\n### Step 1: B\n{file}"),
            &["line 3: step 1 is there already, in line 1; give each step a number of its own"],
        ),
        (
            format!("### Step 1: A\n{file}\nDepends on: 3"),
            &[
                "line 1: step 1 depends on step 3, which is not there; name a step of this plan, or none",
            ],
        ),
        (
            format!("### Step 1: A\n{file}\nDepends on: step 1"),
            &[
                "line 1: steps depend on each other in a circle: 1 needs 1; take one of these dependencies away",
            ],
        ),
        (
            format!(
                "### Step 1: A\n{file}\nDepends on: 2\n### Step 2: B\n{file}\nDepends on: 3\n### Step 3: C\n{file}\nDepends on: 2"
            ),
            &[
                "line 4: steps depend on each other in a circle: 2 needs 3 needs 2; take one of these dependencies away",
            ],
        ),
        (
            "### Step 1: A\nThink.\n".to_owned(),
            &[
                "line 1: step 1 names no file and no check; list its files under `Files:`, or a command after `Check:`",
            ],
        ),
        (
            format!("### Step 1: A\nDepends on: 7\n### Step 2: B\n{file}\nDepends on: 2"),
            &[
                "line 1: step 1 depends on step 7, which is not there; name a step of this plan, or none",
                "line 1: step 1 names no file and no check; list its files under `Files:`, or a command after `Check:`",
                "line 3: steps depend on each other in a circle: 2 needs 2; take one of these dependencies away",
            ],
        ),
    ] {
        let plan = Plan::read(&text).unwrap();
        let found: Vec<String> = faults(&plan).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{text}");
    }
}
