//! The document in plain text: headings, and texts between lines of `=`.

use super::lines::Marks;

/// Plain text.
pub(super) const MARKS: Marks = Marks {
    head: "twostep pack, format ",
    first: "twostep pack, format 1",
    summary: include_str!("head.plain.txt"),
    section: "---- ",
    file: "File: ",
    write_path: str::to_owned,
    read_path: |path| Some(path.to_owned()),
    fence: b'=',
    min_fence: 8,
    // Which language it is shows in the path.
    word: |_| " text",
    end: "---- End",
};
