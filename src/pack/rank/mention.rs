//! Places that a specification mentions: paths, dotted modules, lines of stack traces.

/// A place, as its names: `a/b.py:12`, `a.b.c`, `a::b`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    /// Its names, outermost first; an extension is one.
    pub(super) names: Vec<String>,
    /// The line, if there is one.
    pub(super) line: Option<usize>,
}

/// A specification mentions no more places that count.
const MAX_MENTIONS: usize = 4096;

/// Returns the places that `spec` mentions, in its order.
pub(super) fn mentions(spec: &str) -> Vec<Mention> {
    let is_part = |c: char| c.is_alphanumeric() || "_-./\\:".contains(c);
    let mut found = Vec::new();
    for piece in spec.split(|c: char| !is_part(c)) {
        if found.len() == MAX_MENTIONS {
            break;
        }
        if !piece.contains(['.', '/', '\\', ':']) {
            continue;
        }
        let behind = &spec[piece.as_ptr() as usize - spec.as_ptr() as usize + piece.len()..];
        let mut names: Vec<&str> = piece
            .split(['.', '/', '\\', ':'])
            .filter(|name| !name.is_empty())
            .collect();
        // `a.rs:12:5`: the line and the column end it.
        let mut line = None;
        while let Some(number) = names.last().and_then(|last| last.parse().ok())
            && piece.contains(':')
        {
            line = Some(number);
            names.pop();
        }
        if names.len() > 1 {
            found.push(Mention {
                names: names.into_iter().map(str::to_owned).collect(),
                line: line.or_else(|| line_behind(behind)),
            });
        }
    }
    found
}

/// Returns the line that is said behind a path, as in `"a.py", line 12`.
fn line_behind(text: &str) -> Option<usize> {
    let text = text.trim_start_matches(['"', '\'', '`', ',', ' ']);
    let text = text.strip_prefix("line ")?;
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_in_prose() {
        for (spec, expected) in [
            (
                "see src/a.rs:12:5.",
                &[(&["src", "a", "rs"][..], Some(12))][..],
            ),
            (
                "File \"/x/a.py\", line 7, in f",
                &[(&["x", "a", "py"], Some(7))],
            ),
            (
                "`django.db.models` fails",
                &[(&["django", "db", "models"], None)],
            ),
            ("tokio::sync::Mutex", &[(&["tokio", "sync", "Mutex"], None)]),
            ("C:\\src\\a.c", &[(&["C", "src", "a", "c"], None)]),
            ("No place. At all: none", &[]),
            ("since 1.2.3", &[(&["1", "2", "3"], None)]),
        ] {
            let found = mentions(spec);
            let found: Vec<(Vec<&str>, Option<usize>)> = found
                .iter()
                .map(|mention| {
                    (
                        mention.names.iter().map(String::as_str).collect(),
                        mention.line,
                    )
                })
                .collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|(names, line)| (names.to_vec(), *line))
                .collect();
            assert_eq!(found, expected, "{spec}");
        }
    }
}
