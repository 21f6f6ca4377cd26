//! Decode, render, parse back: every file comes back bit for bit, and the count is that of the document.
//!
//! The first byte chooses the format; then come files, separated by three bytes of 0xFE: a name, a line break, the bytes.
#![no_main]

use std::collections::BTreeMap;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use twostep::pack::{Document, Format, Frame, Part, Shown, Sections, Totals, Tree, UnpackError, unpack};
use twostep::path::RepoPath;
use twostep::repo::{Candidate, Content, FileContent, Kind, Reason, Text};
use twostep::tokens::Counter;

fn counter() -> &'static Counter {
    static COUNTER: OnceLock<Counter> = OnceLock::new();
    COUNTER.get_or_init(|| Counter::new(Vec::new()))
}

fn files(input: &[u8]) -> BTreeMap<RepoPath, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut rest = input;
    while !rest.is_empty() {
        let end = rest
            .windows(3)
            .position(|bytes| bytes == [0xfe; 3])
            .unwrap_or(rest.len());
        let (file, after) = rest.split_at(end);
        rest = after.get(3..).unwrap_or_default();
        let name_end = file
            .iter()
            .position(|&byte| byte == b'\n')
            .unwrap_or(file.len());
        if let Ok(path) = RepoPath::parse(&file[..name_end]) {
            files.insert(
                path,
                file.get(name_end + 1..).unwrap_or_default().to_owned(),
            );
        }
    }
    files
}

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else {
        return;
    };
    let format = Format::ALL[usize::from(*choice) % Format::ALL.len()];
    let files = files(rest);
    let tree = Tree::new(files.keys());
    let frame = Frame::new(format, &Sections::default());
    let mut out = Vec::new();
    let mut document =
        Document::begin(&mut out, counter(), &frame, &tree.draw(tree.full_depth())).unwrap();
    let mut entries = Vec::new();
    for (path, bytes) in &files {
        let candidate = Candidate {
            path: path.clone(),
            kind: Kind::File,
            named: false,
        };
        let content =
            Text::decode(bytes.clone()).map_or(Content::Listed(Reason::Binary), Content::Text);
        let file = FileContent {
            content,
            bytes: Some(bytes.len() as u64),
            hash: None,
        };
        let part = Part::render(&candidate, file, Vec::new(), &Shown::All, format, counter());
        document.part(&part).unwrap();
        entries.push(part.entry);
    }
    let count = document
        .end(&Totals::of(entries.iter().map(|entry| (entry, true))))
        .unwrap();
    let text = std::str::from_utf8(&out).unwrap();
    assert_eq!(count, counter().count(text));
    let mut found = BTreeMap::new();
    unpack(out.as_slice(), |file| {
        found.insert(file.path, file.bytes);
        Ok::<(), UnpackError>(())
    })
    .unwrap();
    assert_eq!(found.len(), files.len());
    for (path, bytes) in &files {
        let is_text = Text::decode(bytes.clone()).is_ok();
        assert_eq!(found[path].as_ref(), is_text.then_some(bytes), "{path}");
    }
});
