//! The JSON values in an answer, whatever stands round them.

use serde_json::{Deserializer, Value};

/// Returns the values in `answer`, the likeliest first: all of it, what is fenced, what stands in prose.
pub(super) fn values(answer: &str) -> Vec<Value> {
    let answer = answer.trim_start_matches('\u{feff}').trim();
    if let Ok(value) = serde_json::from_str(answer) {
        return vec![value];
    }
    let blocks = fenced(answer).into_iter();
    let mut values: Vec<Value> = blocks
        .filter_map(|block| serde_json::from_str(block).ok())
        .collect();
    values.extend(in_prose(answer));
    values
}

/// Returns what stands between fences of Markdown.
fn fenced(answer: &str) -> Vec<&str> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, usize)> = None;
    let mut end = 0;
    for line in answer.split_inclusive('\n') {
        let begin = end;
        end += line.len();
        let Some((fence, rest)) = fence(line) else {
            continue;
        };
        match open {
            None => open = Some((fence, end)),
            Some((opening, from)) if fence.starts_with(opening) && rest.is_empty() => {
                blocks.push(&answer[from..begin]);
                open = None;
            }
            Some(_) => {}
        }
    }
    blocks
}

/// Returns the fence at the beginning of a line, and what follows it.
fn fence(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let rest = line.trim_start_matches(mark);
    let fence = &line[..line.len() - rest.len()];
    (fence.len() >= 3).then_some((fence, rest))
}

/// Returns the values that stand in prose: objects and arrays anywhere, others on lines of their own.
///
/// What stands in a value that is broken or cut is none: it would pass for the whole.
fn in_prose(answer: &str) -> Vec<Value> {
    let mut values = Vec::new();
    let mut is_first = true;
    let mut at = 0;
    while let Some(&byte) = answer.as_bytes().get(at) {
        let rest = &answer.as_bytes()[at..];
        let opens = matches!(byte, b'{' | b'[');
        if opens || (is_first && !byte.is_ascii_whitespace()) {
            match first_value(&answer[at..]) {
                Ok((value, n)) if opens || ends_line(&answer[at + n..]) => {
                    values.push(value);
                    at += n;
                    is_first = false;
                    continue;
                }
                Err(error) if opens && error.is_eof() => return values,
                Err(_) if is_meant(rest) => {
                    at += balanced(rest);
                    is_first = false;
                    continue;
                }
                Ok(_) | Err(_) => {}
            }
        }
        is_first = byte == b'\n' || (is_first && byte.is_ascii_whitespace());
        at += 1;
    }
    values
}

/// Returns the value that `text` begins with, and its length.
fn first_value(text: &str) -> Result<(Value, usize), serde_json::Error> {
    let mut stream = Deserializer::from_str(text).into_iter();
    let value = stream.next().unwrap_or(Ok(Value::Null))?;
    Ok((value, stream.byte_offset()))
}

/// Says whether a bracket begins JSON, and no words.
fn is_meant(text: &[u8]) -> bool {
    let mut marks = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    matches!(
        (marks.next(), marks.next()),
        (Some(b'{'), Some(b'"')) | (Some(b'['), Some(b'{' | b'[' | b'"'))
    )
}

/// Returns the length of what stands between the bracket at the beginning and the one that closes it, both included; that of
/// the bracket if none does.
fn balanced(text: &[u8]) -> usize {
    let mut depth = 0_usize;
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b'{' | b'[' if !is_quoted => depth += 1,
            b'}' | b']' if !is_quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    1
}

fn ends_line(rest: &str) -> bool {
    let line = rest.lines().next().unwrap_or_default();
    line.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_found_in_whatever_surrounds_them() {
        for (answer, expected) in [
            ("7", vec![json!(7)]),
            ("\u{feff} null\n", vec![json!(null)]),
            ("", vec![]),
            ("It is 7, or true.", vec![]),
            ("It is\n  7\nor\n\"so\"", vec![json!(7), json!("so")]),
            // What is in a value is no other value, wherever a line ends.
            ("Here: [\n1,\n2\n]\nBye", vec![json!([1, 2])]),
            ("\"see [1]\"\nBye", vec![json!("see [1]")]),
            ("a [b] {c} {\"d\": 1}", vec![json!({ "d": 1 })]),
            ("```\n[1]\n```", vec![json!([1]), json!([1])]),
            // What is fenced comes first.
            (
                "{\"old\": 1}\n~~~json\n{\"new\": 2}\n~~~",
                vec![
                    json!({ "new": 2 }),
                    json!({ "old": 1 }),
                    json!({ "new": 2 }),
                ],
            ),
            // A fence ends with one that is as long and says nothing.
            ("````\n{\"a\":\n```\n1}\n````", vec![]),
            ("```json\n{\"cut\": ", vec![]),
            // What stands whole in a value that is cut or broken is not what was asked for.
            ("So: {\"all\": [{\"a\": 1}, {\"b\"", vec![]),
            ("So: {\"all\": [{\"a\": 1},]} [2]", vec![json!([2])]),
            ("[See {\"a\": 1}]", vec![json!({ "a": 1 })]),
        ] {
            assert_eq!(values(answer), expected, "{answer}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<i32>().prop_map(|n| Value::from(f64::from(n) / 8.0)),
            any::<String>().prop_map(Value::from),
            "[\\[\\]{}\"`~\\\\\n ]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    fn prose() -> impl Strategy<Value = String> {
        "([A-Z][a-z,.`' ]{2,20}[.:]\n{1,2}){0,3}"
    }

    proptest! {
        #[test]
        fn any_value_comes_back_out_of_prose_and_fences(
            value in any_value(),
            before in prose(),
            after in prose(),
            is_pretty in any::<bool>(),
            fence in prop_oneof![Just(""), Just("```"), Just("```json"), Just("~~~~")],
        ) {
            let text = if is_pretty {
                serde_json::to_string_pretty(&value).unwrap()
            } else {
                value.to_string()
            };
            let end = fence.trim_end_matches("json");
            let answer = format!("{before}{fence}\n{text}\n{end}\n{after}");
            let found = values(&answer).into_iter().next();
            prop_assert_eq!(found.as_ref(), Some(&value), "{}", answer);
            if value.is_object() || value.is_array() {
                let answer = format!("{before}It is {text}, I think.\n{after}");
                let found = values(&answer).into_iter().next();
            prop_assert_eq!(found.as_ref(), Some(&value), "{}", answer);
            }
        }
    }
}
