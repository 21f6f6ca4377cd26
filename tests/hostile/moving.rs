//! Trees that change while they are packed: whatever is in the pack, it is well-formed and from inside.

use std::sync::atomic::{AtomicBool, Ordering};

use super::document;
use super::run::{check_terminal, run_limited};
use super::tree::{SECRET, Tree};

/// What is done over and over while packs are made; each ends as it began.
const CASES: &[(&str, &str)] = &[
    (
        "vanish",
        "rm -rf d; for n in 1 2 3 4 5 6 7 8 9; do put d/$n/f; done",
    ),
    (
        "grow",
        "for n in 1 2 3 4 5 6 7 8 9; do seq 20000 >> d/$n/f; done; for n in 1 2 3 4 5 6 7 8 9; do put d/$n/f; done",
    ),
    (
        "shrink",
        "for n in 1 2 3 4 5 6 7 8 9; do seq 20000 > d/$n/f; done; for n in 1 2 3 4 5 6 7 8 9; do : > d/$n/f; done",
    ),
    (
        "file-for-a-link",
        "for n in 1 2 3 4 5 6 7 8 9; do ln -sf \"$OUT/secret-name.txt\" d/$n/f; done; for n in 1 2 3 4 5 6 7 8 9; do ln -f keep d/$n/f; done",
    ),
    (
        "file-for-a-pipe",
        "for n in 1 2 3 4 5 6 7 8 9; do rm -f d/$n/f; mkfifo d/$n/f; done; for n in 1 2 3 4 5 6 7 8 9; do ln -f keep d/$n/f; done",
    ),
    (
        "folder-for-a-link",
        "for n in 1 2 3 4 5 6 7 8 9; do mv d/$n d/x$n; ln -s \"$OUT\" d/$n; done; for n in 1 2 3 4 5 6 7 8 9; do rm d/$n; mv d/x$n d/$n; done",
    ),
    (
        "folder-moved-outside",
        "mv d ../d; ln -s \"$OUT\" d; rm d; mv ../d d",
    ),
    (
        "rules-for-a-link",
        "for n in 1 2 3 4 5 6 7 8 9; do ln -sf \"$OUT/secret-name.txt\" d/$n/.gitignore; put d/$n/.gitignore '*.log\\n'; done",
    ),
];

/// How many packs are made of each tree.
const N_PACKS: usize = 3;

#[test]
fn a_tree_that_moves_gives_a_pack_of_what_is_inside() {
    for (name, script) in CASES {
        let tree = Tree::new();
        tree.script("put keep; for n in 1 2 3 4 5 6 7 8 9; do put d/$n/f; for m in 1 2 3 4 5 6 7 8 9; do put d/$n/g$m; done; done; mkdir -p \"$OUT/f\"");
        // Folders outside with many names, so that a walk that went there would be seen.
        tree.script("cd \"$OUT\"; for n in 1 2 3 4 5 6 7 8 9; do put \"secret-name-$n\" OUTSIDE-SECRET; done");
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    tree.script(script);
                }
            });
            let outcome: Result<(), String> = (0..N_PACKS).try_for_each(|_| pack(&tree));
            is_over.store(true, Ordering::Relaxed);
            assert_eq!(outcome, Ok(()), "{name}");
        });
        println!("{:<50} ok", format!("moving/{name}"));
    }
}

fn pack(tree: &Tree) -> Result<(), String> {
    let run = run_limited(tree, &[], "", &["pack"]);
    if run.code != Some(0) {
        return Err(format!("pack ended with {:?}: {}", run.code, run.stderr));
    }
    check_terminal(&run.stderr)?;
    let elements = document::read(&run.stdout)?;
    for (what, secret) in [("bytes", SECRET), ("a name", "secret-name-")] {
        if memchr::memmem::find(&run.stdout, secret.as_bytes()).is_some() {
            return Err(format!("{what} of outside are in the pack"));
        }
    }
    let is_plain =
        |element: &document::Element| element.path == b"plain.txt" && element.text == "\nplain\n\n";
    if elements.iter().any(is_plain) {
        Ok(())
    } else {
        Err("what did not move is not in the pack".to_owned())
    }
}
