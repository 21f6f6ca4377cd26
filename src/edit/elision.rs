//! Remarks that stand for text which a model did not write out.

/// What a remark that is a comment begins with.
const COMMENTS: [&str; 9] = ["//", "#", "--", ";", "/*", "*", "<!--", "%", "{/*"];

/// What stands round the words of a comment.
const MARKS: &[char] = &[
    '/', '*', '#', '-', ';', '%', '<', '>', '!', '{', '}', '(', ')', '[', ']', ' ', '\t', ':',
];

/// What shows that something is left out.
const DOTS: [&str; 2] = ["...", "\u{2026}"];

/// Words of a remark with dots.
const WORDS: [&str; 9] = [
    "rest",
    "existing",
    "remaining",
    "unchanged",
    "same",
    "previous",
    "other",
    "omitted",
    "code",
];

/// How a remark without dots begins, and how it ends.
const BEGINNINGS: [&str; 5] = ["rest of", "the rest of", "remaining", "existing", "other"];
const ENDS: [&str; 7] = [
    "unchanged",
    "remains the same",
    "remain the same",
    "stays the same",
    "stay the same",
    "as before",
    "omitted",
];

/// What a remark says without dots, where lines are missing.
const PHRASES: [&str; 22] = [
    "existing code",
    "existing function",
    "existing method",
    "existing test",
    "keep existing",
    "unchanged",
    "not changed",
    "unmodified",
    "no change",
    "as above",
    "as before",
    "same as",
    "the same",
    "remaining",
    "rest of",
    "omitted",
    "for brevity",
    "snip",
    "elided",
    "truncated",
    "left out",
    "goes here",
];

/// No remark has more words.
const MAX_WORDS: usize = 12;

/// Says whether a line is a comment that may stand for lines: where a text lost some, it likely does.
pub(super) fn stands_for_lines(line: &str) -> bool {
    let line = line.trim();
    let text = line.trim_matches(MARKS).to_lowercase();
    COMMENTS.iter().any(|words| line.starts_with(words))
        && text.split_whitespace().count() <= MAX_WORDS
        && PHRASES.iter().any(|words| text.contains(words))
}

/// Says whether a line is nothing but a remark that something is left out, such as `// ... existing code ...`.
pub(super) fn is_elision(line: &str) -> bool {
    let line = line.trim();
    let begins = |beginnings: &[&str]| beginnings.iter().any(|words| line.starts_with(words));
    let is_comment = begins(&COMMENTS);
    if !is_comment && !begins(&DOTS) && !line.starts_with('[') {
        return false;
    }
    let text = line.trim_matches(MARKS).to_lowercase();
    let text = text
        .strip_suffix('.')
        .filter(|text| !text.ends_with('.'))
        .unwrap_or(&text);
    if DOTS.contains(&text) {
        return is_comment;
    }
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    if words.len() > MAX_WORDS {
        return false;
    }
    let has_dots = DOTS
        .iter()
        .any(|dots| text.starts_with(dots) || text.ends_with(dots));
    has_dots && words.iter().any(|word| WORDS.contains(word))
        || is_comment
            && BEGINNINGS.iter().any(|words| text.starts_with(words))
            && ENDS.iter().any(|words| text.ends_with(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_without_dots_that_may_stand_for_lines_is_known() {
        for (line, expected) in [
            ("# existing code here", true),
            ("# unchanged", true),
            ("# remaining functions as above", true),
            ("# same as before", true),
            ("    # Keep existing code", true),
            ("# No changes below", true),
            ("// omitted for brevity", true),
            ("# snip", true),
            ("# --- snip ---", true),
            ("<!-- rest of the page -->", true),
            ("/* the same as above */", true),
            ("-- other columns left out", true),
            ("x = unchanged", false),
            ("# counts the users", false),
            ("", false),
        ] {
            assert_eq!(stands_for_lines(line), expected, "{line}");
        }
    }

    #[test]
    fn a_remark_that_text_is_left_out_is_known() {
        for (line, expected) in [
            ("// ... existing code ...", true),
            ("    # ... rest of the file ...", true),
            ("// ...", true),
            ("/* ... */", true),
            ("<!-- ... existing markup ... -->", true),
            ("{/* ... other props ... */}", true),
            ("# \u{2026} unchanged \u{2026}", true),
            ("// rest of the function unchanged", true),
            ("// The rest of the code remains the same.", true),
            ("-- remaining columns omitted", true),
            ("[... rest of file ...]", true),
            ("... rest of code ...", true),
            ("...", false),
            ("    ...", false),
            ("...args,", false),
            ("let rest = existing;", false),
            ("// The rest is history.", false),
            (
                "// Existing users keep their settings unchanged as long as they do not sign out of the old site.",
                false,
            ),
            ("// existing users", false),
            ("# Loading...", false),
            ("// waits for the other thread", false),
            ("call(...rest)", false),
            ("* ...", true),
            ("", false),
        ] {
            assert_eq!(is_elision(line), expected, "{line}");
        }
    }
}
