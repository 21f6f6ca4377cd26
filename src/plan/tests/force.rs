//! What a plan wants, and what it forbids, weighs or only tells of.

use super::super::{Intent, Plan, deletes, references};
use super::path;
use crate::plan::Tree;

const FILE: &str = "tests/test_a.py";

/// What a plan says of a file, the strongest that it is said to do to it, and whether it plainly wants it deleted.
const SAID: &[(&str, Option<Intent>, bool)] = &[
    // Wanted.
    (
        "## Step 1: Go\n\nFiles:\n- delete `tests/test_a.py`\n",
        Some(Intent::Delete),
        true,
    ),
    (
        "## Step 1: Go\n\n**Delete:**\n- `tests/test_a.py`\n",
        Some(Intent::Delete),
        true,
    ),
    ("Delete `tests/test_a.py`.\n", Some(Intent::Delete), true),
    (
        "1. Delete `tests/test_a.py`, which is no longer needed.\n",
        Some(Intent::Delete),
        true,
    ),
    (
        "### Step 2: Remove `tests/test_a.py`\n",
        Some(Intent::Delete),
        true,
    ),
    (
        "Fix the parser, then delete `tests/test_a.py`.\n",
        Some(Intent::Delete),
        true,
    ),
    (
        "| File | What |\n|---|---|\n| `tests/test_a.py` | delete |\n",
        Some(Intent::Delete),
        true,
    ),
    (
        "- `tests/test_a.py` (deleted)\n",
        Some(Intent::Delete),
        true,
    ),
    (
        "Do not keep both; delete `tests/test_a.py`.\n",
        Some(Intent::Delete),
        true,
    ),
    (
        "No longer needed: delete `tests/test_a.py`.\n",
        Some(Intent::Delete),
        false,
    ),
    (
        "To avoid changing callers, delete `tests/test_a.py`.\n",
        Some(Intent::Delete),
        false,
    ),
    (
        "Change the wrong names in `tests/test_a.py`.\n",
        Some(Intent::Change),
        false,
    ),
    (
        "If there is no `docs/new.md`, create it.\n",
        Some(Intent::Create),
        false,
    ),
    (
        "Do not forget to change `tests/test_a.py`.\n",
        Some(Intent::Change),
        false,
    ),
    (
        "Replace the old call, not the new one, in `tests/test_a.py`.\n",
        Some(Intent::Change),
        false,
    ),
    (
        "Change `tests/b.py` so that it does not panic, and `tests/test_a.py` accordingly.\n",
        Some(Intent::Change),
        false,
    ),
    (
        "Instead of a list, use a map in `tests/test_a.py`.\n",
        Some(Intent::Change),
        false,
    ),
    // Forbidden.
    (
        "Avoid deleting `tests/test_a.py`.\n",
        Some(Intent::Mention),
        false,
    ),
    (
        "Do not touch `tests/test_a.py`.\n",
        Some(Intent::Mention),
        false,
    ),
    (
        "Don't touch `tests/test_a.py`.\n",
        Some(Intent::Mention),
        false,
    ),
    (
        "Do not change or delete `tests/test_a.py`.\n",
        Some(Intent::Mention),
        false,
    ),
    (
        "Instead of deleting `tests/test_a.py`, fix it.\n",
        Some(Intent::Mention),
        false,
    ),
    (
        "Rather than delete `tests/test_a.py`, fix it.\n",
        Some(Intent::Mention),
        false,
    ),
    (
        "Refrain from deleting `tests/test_a.py`.\n",
        Some(Intent::Mention),
        false,
    ),
    (
        "Nobody may delete `tests/test_a.py`.\n",
        Some(Intent::Mention),
        false,
    ),
    (
        "No file such as `tests/test_a.py` is deleted.\n",
        Some(Intent::Mention),
        false,
    ),
    (
        "It would be wrong to delete `tests/test_a.py`.\n",
        Some(Intent::Mention),
        false,
    ),
    (
        "Delete `tests/b.py`, not `tests/test_a.py`.\n",
        Some(Intent::Mention),
        false,
    ),
    (
        "## Out of scope\n\n- Delete `tests/test_a.py`.\n",
        Some(Intent::Mention),
        false,
    ),
    (
        "## Non-goals\n\nDelete `tests/test_a.py`.\n",
        Some(Intent::Mention),
        false,
    ),
    (
        "## Step 1: Go\n\nDo it.\n\n## Risks\n\n### Tests\n\n- delete `tests/test_a.py`\n",
        Some(Intent::Mention),
        false,
    ),
    (
        "## Alternatives considered\n\nDelete `tests/test_a.py`.\n",
        Some(Intent::Mention),
        false,
    ),
    (
        "## Do not change\n\n- `tests/test_a.py`\n",
        Some(Intent::Mention),
        false,
    ),
    (
        "Out of scope:\n\n- change `tests/test_a.py`\n",
        Some(Intent::Mention),
        false,
    ),
    (
        "Fix it, but do not, under any circumstances, delete `tests/test_a.py`.\n",
        Some(Intent::Mention),
        false,
    ),
    // Told, or weighed.
    (
        "Delete `tests/b.py`, not `tests/c.py` and `tests/test_a.py`.\n",
        Some(Intent::Delete),
        false,
    ),
    (
        "Should we delete `tests/test_a.py`? No.\n",
        Some(Intent::Delete),
        false,
    ),
    (
        "Delete `tests/test_a.py`? No.\n",
        Some(Intent::Delete),
        false,
    ),
    (
        "Rejected alternative: delete `tests/test_a.py`.\n",
        Some(Intent::Delete),
        false,
    ),
    (
        "**Risk**: somebody deletes `tests/test_a.py`.\n",
        Some(Intent::Delete),
        false,
    ),
    (
        "Delete all tests except `tests/test_a.py`.\n",
        Some(Intent::Delete),
        false,
    ),
    (
        "Change the menu so that users can delete `tests/test_a.py`.\n",
        Some(Intent::Delete),
        false,
    ),
    (
        "```\n$ cat tests/test_a.py\n```\n",
        Some(Intent::Mention),
        false,
    ),
    // What is not to be touched need not be there.
    ("Don't touch `src/nothing.rs`.\n", None, false),
    ("## Out of scope\n\n- `src/nothing.rs`\n", None, false),
];

#[test]
fn only_what_a_plan_wants_is_what_it_does() {
    let tree = Tree::new([path(FILE), path("tests/b.py"), path("src/lib.rs")]);
    let mut wrong = Vec::new();
    for (text, intent, is_deleted) in SAID {
        let plan = Plan::read(&format!("# Plan: x\n\nChange `src/lib.rs`.\n\n{text}")).unwrap();
        let named = references(&plan.text, &tree);
        let mut named = named
            .iter()
            .filter(|it| !["src/lib.rs", "tests/b.py"].contains(&it.written.as_str()));
        let found = named.next().map(|it| it.intent);
        if (found, deletes(&plan, FILE)) != (*intent, *is_deleted) {
            wrong.push(format!(
                "{text}  {found:?}, deletes {}",
                deletes(&plan, FILE)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
