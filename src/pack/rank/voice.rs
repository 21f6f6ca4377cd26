//! What a specification says itself, and what it quotes: code, output, stack traces.

/// Who says a piece of a specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// Its author.
    Own,
    /// What is quoted: code that was run, what a program wrote.
    Quoted,
}

impl Voice {
    /// Returns how often a word counts. Most of what is quoted was not chosen by anybody to describe the matter.
    pub(super) fn weight(self) -> f64 {
        match self {
            Self::Own => 1.0,
            Self::Quoted => 0.3,
        }
    }
}

/// Returns the pieces of a specification in their order, without its comments and addresses of the web.
pub(super) fn pieces(spec: &str) -> Vec<(Voice, &str)> {
    let (mut pieces, mut is_fenced) = (Vec::new(), false);
    for line in without_comments(spec).into_iter().flat_map(str::lines) {
        let text = line.trim_start();
        if text.starts_with("```") || text.starts_with("~~~") {
            is_fenced = !is_fenced;
            continue;
        }
        let voice = if is_fenced || is_quoted(line, text) {
            Voice::Quoted
        } else {
            Voice::Own
        };
        let words = text.split_whitespace();
        pieces.extend(
            words
                .filter(|word| !word.contains("://"))
                .map(|word| (voice, word)),
        );
    }
    pieces
}

/// Says whether a line that is in no fence is quoted all the same: as an indented block, a prompt or a stack trace.
fn is_quoted(line: &str, text: &str) -> bool {
    let marks = [">>>", "$ ", "File \""];
    line.starts_with("    ") || marks.iter().any(|mark| text.starts_with(mark))
}

/// Returns the parts of a text that are in no comment of Markdown.
fn without_comments(text: &str) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((part, comment)) = rest.split_once("<!--") {
        parts.push(part);
        rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_known() {
        use Voice::{Own, Quoted};
        for (spec, expected) in [
            (
                "read fails\n\nnow",
                &[(Own, "read"), (Own, "fails"), (Own, "now")][..],
            ),
            (
                "a\n```py\nb\n```\nc",
                &[(Own, "a"), (Quoted, "b"), (Own, "c")],
            ),
            ("a\n~~~\nb", &[(Own, "a"), (Quoted, "b")]),
            ("a\n\n    b\n  c", &[(Own, "a"), (Quoted, "b"), (Own, "c")]),
            (
                ">>> a\n$ b",
                &[(Quoted, ">>>"), (Quoted, "a"), (Quoted, "$"), (Quoted, "b")],
            ),
            ("  File \"a.py\"", &[(Quoted, "File"), (Quoted, "\"a.py\"")]),
            ("a <!-- b\nc --> d <!-- e", &[(Own, "a"), (Own, "d")]),
            ("see https://a.b/c too", &[(Own, "see"), (Own, "too")]),
            ("", &[]),
        ] {
            assert_eq!(pieces(spec), expected, "{spec}");
        }
    }
}
