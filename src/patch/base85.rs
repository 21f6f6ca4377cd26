//! Bytes as git writes them in a binary patch: lines of up to 52 bytes, four bytes as five characters.

const DIGITS: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

/// The most bytes of a line; its first character says how many: `A` to `Z` for 1 to 26, `a` to `z` for 27 to 52.
const LINE_BYTES: usize = 52;

/// Writes `bytes` as lines.
pub(super) fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    for line in bytes.chunks(LINE_BYTES) {
        // At most 52, so the cast keeps it.
        let n = u8::try_from(line.len()).unwrap_or(0);
        out.push(if n <= 26 { b'A' + n - 1 } else { b'a' + n - 27 });
        for group in line.chunks(4) {
            let mut word = [0; 4];
            word[..group.len()].copy_from_slice(group);
            let mut value = u32::from_be_bytes(word);
            let mut digits = [0; 5];
            for digit in digits.iter_mut().rev() {
                *digit = DIGITS[(value % 85) as usize];
                value /= 85;
            }
            out.extend(digits);
        }
        out.push(b'\n');
    }
}

/// Reads one line and appends its bytes; none where it is not well-formed.
pub(super) fn decode_line(line: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (&first, digits) = line.split_first()?;
    let n = match first {
        b'A'..=b'Z' => first - b'A' + 1,
        b'a'..=b'z' => first - b'a' + 27,
        _ => return None,
    };
    let n = usize::from(n);
    if digits.len() != n.div_ceil(4) * 5 {
        return None;
    }
    let start = out.len();
    for group in digits.chunks(5) {
        let mut value = 0_u32;
        for digit in group {
            let digit = DIGITS.iter().position(|known| known == digit)?;
            value = value
                .checked_mul(85)?
                .checked_add(u32::try_from(digit).ok()?)?;
        }
        out.extend(value.to_be_bytes());
    }
    out.truncate(start + n);
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let (mut text, mut back) = (Vec::new(), Vec::new());
            encode(&bytes, &mut text);
            for line in text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
                decode_line(line, &mut back).unwrap();
            }
            prop_assert_eq!(back, bytes);
        }
    }

    #[test]
    fn a_broken_line_is_refused() {
        for line in [
            &b""[..],
            b"A0000",
            b"A000000",
            b"A0000 ",
            b"D~~~~~",
            b"?00000",
        ] {
            assert_eq!(decode_line(line, &mut Vec::new()), None);
        }
    }
}
