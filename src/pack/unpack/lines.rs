//! A pack in lines read back: Markdown and plain text.

use std::io::BufRead;

use super::{FORMAT, Files, PackedFile, UnpackError};
use crate::pack::facts::ReadFacts;
use crate::pack::lines::{FILES, Marks, TOTALS, parse_paragraph};
use crate::pack::{Damaged, Totals};

/// Reads the whole document.
pub(super) fn read<E: From<UnpackError>>(
    marks: &Marks,
    pack: impl BufRead,
    files: &mut Files<impl FnMut(PackedFile) -> Result<(), E>>,
) -> Result<(), E> {
    let mut lines = Lines { pack, n_lines: 0 };
    let first = lines.next()?;
    if first != marks.first {
        let version = first.strip_prefix(marks.head).unwrap_or(&first);
        let version = version.split(' ').next().unwrap_or_default();
        return Err(if version == FORMAT {
            lines.malformed("this is not how a pack begins")
        } else {
            UnpackError::Version(version.to_owned())
        }
        .into());
    }
    let mut section = String::new();
    // The file whose heading stands above, until its text or the next heading comes.
    let mut open: Option<ReadFacts> = None;
    loop {
        let line = lines.next()?;
        let is_in_files = section == FILES;
        if let Some(fence) = marks.fence_of(&line) {
            let content = lines.until(fence)?;
            if is_in_files {
                let facts = open.take();
                let facts = facts.ok_or_else(|| lines.malformed("a text belongs to no file"))?;
                let text = content.strip_suffix('\n').ok_or(Damaged::Frame);
                files.add(&facts, Some(text))?;
            }
            continue;
        }
        let name = line.strip_prefix(marks.section);
        let path = line.strip_prefix(marks.file).filter(|_| is_in_files);
        if (name.is_some() || path.is_some() || line == marks.end)
            && let Some(facts) = open.take()
        {
            files.add(&facts, None)?;
        }
        if line == marks.end {
            return Ok(lines.expect_end()?);
        } else if let Some(name) = name {
            name.clone_into(&mut section);
        } else if let Some(path) = path {
            let path = (marks.read_path)(path);
            let path = path.ok_or_else(|| lines.malformed("a path is not quoted"))?;
            open = Some(ReadFacts(vec![("path".to_owned(), path)]));
        } else if is_in_files && !line.is_empty() {
            let more = parse_paragraph(&line).zip(open.as_mut());
            let (more, facts) =
                more.ok_or_else(|| lines.malformed("this says nothing of a file"))?;
            facts.0.extend(more);
        } else if section == TOTALS {
            match parse_paragraph(&line) {
                Some(facts) => files.totals(ReadFacts(facts).get("files").map(str::to_owned))?,
                None if line.is_empty() => {}
                None => files.unpacked.n_unfit = Totals::n_unfit(&line),
            }
        }
    }
}

impl Marks {
    /// Returns the fence that closes the text that `line` opens, if it opens one.
    fn fence_of<'a>(&self, line: &'a str) -> Option<&'a str> {
        let is_fence = |byte: &u8| *byte == self.fence;
        let n_marks = line
            .as_bytes()
            .iter()
            .take_while(|byte| is_fence(byte))
            .count();
        (n_marks >= self.min_fence).then(|| &line[..n_marks])
    }
}

struct Lines<R> {
    pack: R,
    n_lines: u64,
}

impl<R: BufRead> Lines<R> {
    /// Reads a line, without its break.
    fn next(&mut self) -> Result<String, UnpackError> {
        let mut line = String::new();
        self.append_to(&mut line)?;
        line.pop();
        Ok(line)
    }

    /// Reads the lines up to the one that is `fence`.
    fn until(&mut self, fence: &str) -> Result<String, UnpackError> {
        let mut content = String::new();
        loop {
            let start = content.len();
            self.append_to(&mut content)?;
            if content[start..].strip_suffix('\n') == Some(fence) {
                content.truncate(start);
                return Ok(content);
            }
        }
    }

    /// Appends a line with its break to `out`.
    fn append_to(&mut self, out: &mut String) -> Result<(), UnpackError> {
        self.n_lines += 1;
        let read = self.pack.read_line(out);
        let n_read = read.map_err(|error| self.malformed(&error.to_string()))?;
        if n_read > 0 && out.ends_with('\n') {
            Ok(())
        } else {
            Err(UnpackError::Cut)
        }
    }

    /// Fails on anything but the end of the document.
    fn expect_end(&mut self) -> Result<(), UnpackError> {
        let rest = self.pack.fill_buf();
        let rest = rest.map_err(|error| super::unreadable(&error))?;
        if rest.is_empty() {
            Ok(())
        } else {
            Err(UnpackError::NotAPack("something stands after its end"))
        }
    }

    fn malformed(&self, why: &str) -> UnpackError {
        UnpackError::Malformed {
            place: format!("line {}", self.n_lines),
            why: why.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::unpack;
    use super::*;

    #[test]
    fn a_pack_that_is_cut_anywhere_ends_in_an_error() {
        let whole = "twostep pack, format 1\n\n---- Files\n\nFile: a\n\n======== text\nx\n\n========\n\n\
             ---- Totals\n\ntokens: 1, encoding: o200k_base, files: 1\n\n---- End\n";
        let read = |pack: &str| unpack(pack.as_bytes(), |_| Ok::<(), UnpackError>(()));
        assert_eq!(read(whole).unwrap().n_exact, 1);
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "{:?}", &whole[..end]);
        }
    }
}
