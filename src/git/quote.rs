//! Names as git writes them where a name may hold anything: as C writes strings.

/// Returns `bytes` in quotes, with everything but plain ASCII escaped.
pub fn quote(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            b'\n' => out.extend(b"\\n"),
            b'\t' => out.extend(b"\\t"),
            b' '..=b'~' => out.push(byte),
            _ => out.extend(format!("\\{byte:03o}").bytes()),
        }
    }
    out.push(b'"');
    out
}

/// Returns the bytes of a name in quotes; none where it is not well-formed.
pub fn unquote(text: &[u8]) -> Option<Vec<u8>> {
    let (name, rest) = unquote_first(text)?;
    rest.is_empty().then_some(name)
}

/// Returns the bytes of a name in quotes, and what follows it; none where it is not well-formed.
pub(super) fn unquote_first(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = text.strip_prefix(b"\"")?;
    let mut out = Vec::new();
    loop {
        let (&byte, tail) = rest.split_first()?;
        rest = tail;
        if byte == b'"' {
            return Some((out, rest));
        }
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let (&escaped, tail) = rest.split_first()?;
        rest = tail;
        out.push(match escaped {
            b'"' | b'\\' => escaped,
            b'a' => 7,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 11,
            b'f' => 12,
            b'r' => b'\r',
            b'0'..=b'3' => {
                let (digits, tail) = rest.split_at_checked(2)?;
                rest = tail;
                digits.iter().try_fold(escaped - b'0', |value, digit| {
                    matches!(digit, b'0'..=b'7').then(|| value * 8 + (digit - b'0'))
                })?
            }
            _ => return None,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_name_comes_back() {
        for (name, quoted) in [
            (&b"plain"[..], &b"\"plain\""[..]),
            (b"a b", b"\"a b\""),
            (b"tab\there", b"\"tab\\there\""),
            (b"\"\\\n", b"\"\\\"\\\\\\n\""),
            (b"\xff\x01", b"\"\\377\\001\""),
        ] {
            assert_eq!(quote(name), quoted);
            assert_eq!(unquote(quoted).as_deref(), Some(name));
        }
        for broken in [
            &b"a"[..],
            b"\"",
            b"\"a",
            b"\"\\\"",
            b"\"\\9\"",
            b"\"\\38\"",
            b"\"a\"b\"",
        ] {
            assert_eq!(unquote(broken), None);
        }
    }
}
