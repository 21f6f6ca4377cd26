//! Values that may not stay in what a program wrote: each of their bytes becomes a `*`, so that no byte moves and no
//! room is needed.

use std::os::unix::fs::FileExt;
use std::path::Path;

use memchr::memmem::Finder;

use crate::fs::{self, FsError};

/// How much of a file is looked at at a time, besides what a value may reach into it from before.
const CHUNK_BYTES: usize = 1 << 20;

/// Returns `text` without `values`.
pub fn struck(text: &str, values: &[String]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    strike(&mut bytes, &forms(values));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Says whether one of `values` stands in `bytes`.
pub fn holds(bytes: &[u8], values: &[String]) -> bool {
    forms(values).iter().any(|form| form.find(bytes).is_some())
}

/// Strikes `values` out of the file at `path`.
///
/// # Errors
///
/// Fails if it cannot be read or written.
pub fn strike_out(path: &Path, values: &[String]) -> Result<(), FsError> {
    let forms = forms(values);
    let Some(longest) = forms.first().map(|form| form.needle().len()) else {
        return Ok(());
    };
    let file = fs::open_to_change(path)?;
    let mut bytes = vec![0; CHUNK_BYTES + longest];
    let mut start = 0;
    loop {
        let n = fill(&file, &mut bytes, start).map_err(FsError::of("read", path))?;
        if strike(&mut bytes[..n], &forms) {
            file.write_all_at(&bytes[..n], start)
                .map_err(FsError::of("write", path))?;
        }
        if n < bytes.len() {
            return Ok(());
        }
        start += CHUNK_BYTES as u64;
    }
}

/// Reads until `bytes` is full or the file ends; returns how many bytes there are.
fn fill(file: &std::fs::File, bytes: &mut [u8], start: u64) -> std::io::Result<usize> {
    let mut n = 0;
    while n < bytes.len() {
        match file.read_at(&mut bytes[n..], start + n as u64)? {
            0 => break,
            more => n += more,
        }
    }
    Ok(n)
}

/// Returns the values as they are and as JSON may write them, the longest first: one may hold another.
fn forms(values: &[String]) -> Vec<Finder<'static>> {
    let written = values
        .iter()
        .map(|value| serde_json::Value::from(value.as_str()).to_string());
    let escaped = written.map(|written| written[1..written.len() - 1].to_owned());
    // Some writers escape the slash, too.
    let escaped = escaped.flat_map(|escaped| [escaped.replace('/', "\\/"), escaped]);
    let mut forms: Vec<String> = values.iter().cloned().chain(escaped).collect();
    forms.retain(|form| !form.is_empty());
    forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    forms.dedup();
    let finder = |form: &String| Finder::new(form).into_owned();
    forms.iter().map(finder).collect()
}

/// Strikes `forms` out of `bytes`; says whether there were any.
fn strike(bytes: &mut [u8], forms: &[Finder<'_>]) -> bool {
    let mut any = false;
    for form in forms {
        let n = form.needle().len();
        let mut from = 0;
        while let Some(found) = form.find(&bytes[from..]) {
            bytes[from + found..from + found + n].fill(b'*');
            from += found + n;
            any = true;
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_struck_out_of_a_text() {
        let values = ["secret", "a secret", "line\n\"two\"", "\u{e9}t\u{e9}", ""];
        let values = values.map(str::to_owned);
        for (text, expected) in [
            ("", ""),
            ("nothing", "nothing"),
            ("secretsecret secre", "************ secre"),
            ("a secret, secret", "********, ******"),
            (
                "line\n\"two\" line\\n\\\"two\\\"",
                "********** *************",
            ),
            ("\u{e9}t\u{e9}\u{e9}", "*****\u{e9}"),
        ] {
            assert_eq!(struck(text, &values), expected, "{text}");
        }
    }

    #[test]
    fn values_are_struck_out_of_a_file_wherever_they_stand() {
        let value = "0123456789".to_owned();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for place in [
            0,
            1,
            CHUNK_BYTES - 9,
            CHUNK_BYTES - 5,
            CHUNK_BYTES,
            CHUNK_BYTES + 5,
            2 * CHUNK_BYTES - 10,
        ] {
            let mut bytes = vec![b'.'; 2 * CHUNK_BYTES];
            bytes[place..place + value.len()].copy_from_slice(value.as_bytes());
            fs::write_durable(&path, &bytes).unwrap();
            strike_out(&path, std::slice::from_ref(&value)).unwrap();
            bytes[place..place + value.len()].fill(b'*');
            assert!(
                fs::read_regular(&path, u64::MAX - 1).unwrap() == bytes,
                "{place}"
            );
        }
    }
}
