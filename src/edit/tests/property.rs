//! What holds of any texts.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{applied, path};
use crate::edit::parse;
use crate::patch::{self, Mode};

/// Texts of few different lines, so that many are the same, with all ends that lines have.
fn text() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "a",
        "b",
        "}",
        "",
        " ",
        "- x",
        "-- a",
        "++ b",
        "+ y",
        "--- a",
        "+++ b",
        "@@ -1 +1 @@",
        "```",
        "=======",
        "\u{e9}",
        "\u{feff}c",
        "// ...",
    ]);
    let end = prop::sample::select(vec!["\n", "\n", "\n", "\r\n"]);
    (prop::collection::vec((line, end), 0..24), any::<bool>()).prop_map(|(lines, is_ended)| {
        let mut text: String = lines.iter().flat_map(|(line, end)| [*line, *end]).collect();
        if !is_ended {
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
        }
        text
    })
}

/// Another text with most lines of `old`.
fn edited(old: &str, changes: &[(usize, u8, String)]) -> String {
    let mut lines: Vec<&str> = old.split_inclusive('\n').collect();
    for (at, kind, new) in changes {
        let at = at % (lines.len() + 1);
        if *kind > 0 && at < lines.len() {
            lines.remove(at);
        }
        if *kind < 2 && (at < lines.len() || lines.last().is_none_or(|line| line.ends_with('\n'))) {
            lines.insert(at, new);
        }
    }
    lines.concat()
}

proptest! {
    #[test]
    fn a_difference_that_we_write_makes_exactly_the_new_text(
        old in text(),
        changes in prop::collection::vec((any::<usize>(), 0_u8..3, "[ab}+-]{0,2}\r?\n"), 0..6),
        has_fence in any::<bool>(),
    ) {
        let new = edited(&old, &changes);
        let file = path("src/a b.rs");
        let change = |before, after| patch::Change { path: &file, before, after };
        for (before, after) in [(Some(&old), Some(&new)), (None, Some(&new)), (Some(&old), None)] {
            let mode = |side: Option<&String>| side.map(|_| Mode::File);
            let all = std::iter::once(change(mode(before), mode(after)));
            let bytes = |side: Option<&String>| Ok::<_, ()>(side.cloned().unwrap_or_default().into_bytes());
            let diff = patch::write(all, |_| bytes(before), |_| bytes(after)).unwrap();
            let diff = String::from_utf8(diff).unwrap();
            // An elision that is new is refused, and rightly.
            let is_refused = new.contains("// ...") && (before.is_none() || !old.contains("// ..."));
            if before == after || is_refused {
                continue;
            }
            let answer = if has_fence { format!("Here:\n\n```diff\n{diff}```\nDone.\n") } else { diff };
            let files: BTreeMap<_, _> = before.map(|text| (file.clone(), text.clone().into_bytes())).into_iter().collect();
            let (edits, errors) = parse(&answer);
            prop_assert_eq!(errors, []);
            let changed = applied(&edits, &files, &|_| true).unwrap();
            let after = after.map(|text| text.clone().into_bytes());
            prop_assert_eq!(changed.len(), 1);
            prop_assert_eq!(&changed[0].after, &after, "{}", answer);
        }
    }

    #[test]
    fn a_whole_file_keeps_what_the_file_has_of_its_own(old in "(a|b|c){0,3}(\r\n(a|b|c){0,3}){1,8}", new in "(a|b|c){1,3}(\n(a|b|c){1,3}){0,8}") {
        let files = BTreeMap::from([(path("x"), old.clone().into_bytes())]);
        let (edits, _) = parse(&format!("FILE: x\n```\n{new}\n```\n"));
        let changed = applied(&edits, &files, &|_| true).unwrap();
        let mut expected = new.replace('\n', "\r\n");
        if old.ends_with('\n') {
            expected.push_str("\r\n");
        }
        let after = changed.into_iter().next().map_or(old.into_bytes(), |change| change.after.unwrap());
        prop_assert_eq!(String::from_utf8(after).unwrap(), expected);
    }

    #[test]
    fn no_answer_and_no_file_panics(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "FILE: a", "FILE:", "```", "```diff", "````", "---", "+++ b/a", "--- a/a", "--- /dev/null", "@@", "@@ -1,2 +1 @@", "@@ -0,0 +9999999999 @@",
            "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "diff --git a/a b/a", "rename from a", "rename to b/c", "new mode 100755",
            "new file mode 100644", "deleted file mode 100644", "\\ No newline at end of file", "*** Begin Patch", "*** Update File: a",
            "*** Add File: b", "*** Delete File: a", "*** Move to: c", "*** End of File", "*** End Patch", "+x", "-x", " x", "x", "y", "", "\u{e9}",
        ]), 0..24),
        text in prop::collection::vec(any::<u8>(), 0..40),
        noise in ".{0,20}",
    ) {
        let answer = pieces.join("\n");
        for answer in [answer.clone(), format!("{answer}\n"), answer.replace('\n', "\r\n"), format!("{noise}\n{answer}\n{noise}")] {
            for bytes in [text.clone(), b"x\ny\nx\n".to_vec(), Vec::new()] {
                let files = BTreeMap::from([(path("a"), bytes)]);
                let _ = applied(&parse(&answer).0, &files, &|_| true);
            }
        }
    }
}
