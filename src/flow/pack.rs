//! From a repository to a pack.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use super::plan_file;
use super::redact::{Redactor, SecretsFound, SecretsMode};
use crate::pack::{
    Document, Entry, Format, Frame, Level, LevelRule, MANIFEST_HEAD, Part, Prefer, Query, Room,
    Sections, Shown, TooSmall, Totals, Tree,
};
use crate::path::{self, RepoPath};
use crate::repo::{
    self, Candidate, Content, FileContent, Globs, Named, ReadOptions, Reason, Repository, Scan,
    ScanOptions, SkipReason, Skipped, Text,
};
use crate::secrets::{Finding, Sighting, is_secret_name};
use crate::tokens::{Count, Counter};

/// What goes into a pack, and how.
#[derive(Clone)]
pub struct PackRequest {
    /// What was named.
    pub named: Vec<Named>,
    /// Which candidates are taken.
    pub globs: Globs,
    /// Files that are ours to write, absolute and resolved.
    pub outputs: Vec<PathBuf>,
    /// How files are read.
    pub read: ReadOptions,
    /// How much of files is shown, where that is not all.
    pub levels: Vec<LevelRule>,
    /// The format of the document.
    pub format: Format,
    /// What stands in the document beside files; no budget cuts it.
    pub sections: Sections,
    /// What keeps secrets out of the document.
    pub redactor: Arc<Redactor>,
    /// How much room there is; no end of it if none is given.
    pub room: Option<Room>,
    /// What is wanted: where there is too little room, what a change for it likely touches goes in first.
    pub query: Option<Arc<Query>>,
    /// What the room is rather spent on.
    pub prefer: Prefer,
    /// What counts tokens.
    pub counter: Counter,
    /// How many threads work.
    pub threads: NonZeroUsize,
    /// Under a budget, how many bytes of text are held: after counting, so that they need not be
    /// read again, and after choosing, so that the choice holds whatever becomes of the files.
    pub max_held_bytes: usize,
}

impl PackRequest {
    /// Returns that for all files of a repository, in full, as XML, however much that is.
    pub fn everything(counter: Counter, redactor: Arc<Redactor>, threads: NonZeroUsize) -> Self {
        Self {
            named: vec![Named::Everything],
            globs: Globs::everything(),
            outputs: Vec::new(),
            read: ReadOptions {
                everything: false,
                hashed: false,
            },
            levels: Vec::new(),
            format: Format::Xml,
            sections: Sections::default(),
            redactor,
            room: None,
            query: None,
            prefer: Prefer::Balance,
            counter,
            threads,
            max_held_bytes: HELD_BYTES,
        }
    }
}

/// A pack that was written.
pub struct Packed {
    /// What became of each candidate, sorted by path.
    pub entries: Vec<Entry>,
    /// The tokens of the document.
    pub count: Count,
    /// What was passed over.
    pub skipped: Vec<Skipped>,
    /// How many candidates the globs left out.
    pub n_filtered: usize,
    /// Whether the tree is drawn less deep than it is.
    pub is_tree_cut: bool,
    /// Where secrets were found in what the document holds.
    pub secrets: Vec<Sighting>,
    /// The files whose names say that they hold secrets, each with the rule that says so.
    pub secret_names: Vec<(RepoPath, &'static str)>,
}

/// No pack was made.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// There are no candidates.
    #[error("there are no files to pack")]
    Empty,
    /// The budget is below what cannot be cut.
    #[error(transparent)]
    TooSmall(#[from] TooSmall),
    /// There are secrets, and there may be none.
    #[error(transparent)]
    Secrets(#[from] SecretsFound),
    /// Files change faster than they are read.
    #[error("files keep changing while they are packed")]
    Restless,
    /// The document could not be written.
    #[error("cannot write the pack")]
    Write(#[from] io::Error),
}

/// How far the work is: files done, of how many.
pub type Progress<'a> = &'a mut dyn FnMut(usize, usize);

/// Results that wait for their turn hold at most this much text.
const MAX_WAITING_BYTES: usize = 24 << 20;

/// A good [`PackRequest::max_held_bytes`]: more than a model reads, less than a machine notices.
pub const HELD_BYTES: usize = 32 << 20;

/// How files of ours begin, by the ends of their names.
pub const OUR_HEADS: [(&str, &str); 6] = [
    (Format::Xml.ending(), Format::Xml.head()),
    (Format::Markdown.ending(), Format::Markdown.head()),
    (Format::Markdown.ending(), plan_file::HEAD),
    (Format::Json.ending(), Format::Json.head()),
    (Format::Json.ending(), MANIFEST_HEAD),
    (Format::Plain.ending(), Format::Plain.head()),
];

/// Finds what may go into the pack.
///
/// # Errors
///
/// Fails if there is nothing.
pub fn find(repository: &Repository, request: &PackRequest) -> Result<Scan, PackError> {
    // The vocabulary loads while we walk.
    let counter = request.counter.clone();
    std::thread::spawn(move || counter.warm_up());
    let mut scan = repo::scan(
        repository,
        &ScanOptions {
            named: &request.named,
            globs: &request.globs,
            outputs: &request.outputs,
            our_heads: &OUR_HEADS,
            threads: request.threads,
        },
    );
    leave_out_secret_paths(&mut scan, &request.redactor);
    if scan.candidates.is_empty() {
        Err(PackError::Empty)
    } else {
        Ok(scan)
    }
}

/// Passes over files whose paths hold a secret: a path with a placeholder would be another path.
fn leave_out_secret_paths(scan: &mut Scan, redactor: &Redactor) {
    let skipped = &mut scan.skipped;
    scan.candidates.retain(|candidate| {
        let has_secret = has_secret(&candidate.path, redactor);
        if has_secret {
            let each = candidate.path.components().map(String::from_utf8_lossy);
            let each = each.map(|name| redactor.redacted(&path::escape(name.as_bytes()).0));
            skipped.push(Skipped {
                path: each.collect::<Vec<_>>().join("/"),
                why: SkipReason::Secret,
            });
        }
        !has_secret
    });
}

/// Says whether one of the names in a path is, or holds, a secret.
pub(super) fn has_secret(path: &RepoPath, redactor: &Redactor) -> bool {
    let mut names = path.components().map(String::from_utf8_lossy);
    names.any(|name| !redactor.find("", &name).is_empty())
}

/// Returns all files of the repository, whatever a request takes of them.
pub fn all_candidates(repository: &Repository, threads: NonZeroUsize) -> Vec<Candidate> {
    let options = ScanOptions {
        named: &[Named::Everything],
        globs: &Globs::everything(),
        outputs: &[],
        our_heads: &OUR_HEADS,
        threads,
    };
    repo::scan(repository, &options).candidates
}

/// Writes the pack of what was found to `out`.
///
/// Without a budget every file is read once, and written as it comes. With one, all files are
/// counted before any is written.
///
/// # Errors
///
/// Fails if `out` does, or if the budget is too small; then nothing was written.
pub fn write(
    repository: &Repository,
    request: &PackRequest,
    scan: Scan,
    out: &mut dyn Write,
    progress: Progress<'_>,
) -> Result<Packed, PackError> {
    let redactor = &request.redactor;
    let (sections, mut secrets) = redacted(&request.sections, redactor);
    let job = Job {
        repository,
        request,
        candidates: &scan.candidates,
        tree: Tree::new(scan.candidates.iter().map(|candidate| &candidate.path)),
        frame: Frame::new(request.format, &sections),
    };
    if redactor.mode == SecretsMode::Fail {
        secrets.extend(job.secrets());
        if !secrets.is_empty() {
            return Err(SecretsFound(secrets).into());
        }
    }
    // Which lines an excerpt shows is known when all files were looked at.
    let is_streamed = request.room.is_none() && !LevelRule::want_excerpts(&request.levels);
    let (entries, count, tree_depth) = if is_streamed {
        job.stream(out, progress)?
    } else {
        job.choose(request.room.unwrap_or(Room::ENDLESS), out, progress)?
    };
    let packed = entries.iter().filter(|entry| entry.is_shown());
    secrets.extend(packed.flat_map(|entry| entry.secrets.iter().cloned()));
    let name = |entry: &Entry| Some((entry.path.clone(), is_secret_name(entry.path.as_bytes())?));
    let secret_names = match redactor.mode {
        SecretsMode::Off => Vec::new(),
        _ => entries
            .iter()
            .filter(|entry| entry.is_shown())
            .filter_map(name)
            .collect(),
    };
    Ok(Packed {
        secrets,
        secret_names,
        entries,
        count,
        skipped: scan.skipped,
        n_filtered: scan.n_filtered,
        is_tree_cut: tree_depth < job.tree.full_depth(),
    })
}

/// Returns sections without their secrets, and where they were.
fn redacted(sections: &Sections, redactor: &Redactor) -> (Sections, Vec<Sighting>) {
    let mut secrets = Vec::new();
    let mut text = |place: &str, text: &str| {
        let findings = redactor.find_in_text(text);
        secrets.extend(redactor.sightings(&findings, place, text));
        redactor.redact(text, &findings)
    };
    let mut sections = sections.clone();
    for diff in &mut sections.diffs {
        diff.name = text("the revision", &diff.name);
        let mut held = Text::of_any(std::mem::take(&mut diff.text));
        // UTF-16 that git was told to show is read without what stands between its letters.
        let letters = held.text.replace('\0', "");
        if letters.len() < held.text.len() && !redactor.find("", &letters).is_empty() {
            held.text = letters;
        }
        let redacted = text(&format!("the difference ({})", diff.name), &held.text);
        let held = Text {
            text: redacted,
            ..held
        };
        diff.text = held.encode().unwrap_or_else(|| held.text.into_bytes());
    }
    for commit in &mut sections.log {
        let place = format!("the commit {}", commit.id);
        commit.message = text(&place, &commit.message);
        commit.author = text(&place, &commit.author);
        commit.files.retain(|path| !has_secret(path, redactor));
    }
    if let Some(instruction) = &mut sections.instruction {
        *instruction = text("the instruction", instruction);
    }
    (sections, secrets)
}

/// Returns where a link leads; of what is none, nothing.
fn target(reason: &Reason) -> String {
    match reason {
        Reason::Link(target) => String::from_utf8_lossy(target).into_owned(),
        _ => String::new(),
    }
}

pub(super) struct Job<'a> {
    pub(super) repository: &'a Repository,
    pub(super) request: &'a PackRequest,
    pub(super) candidates: &'a [Candidate],
    pub(super) tree: Tree,
    pub(super) frame: Frame,
}

/// A file that was read.
enum Read<R> {
    /// It holds no secret: this was made of it.
    Plain(R),
    /// It holds these, which are numbered before anything is made of it.
    Secrets(FileContent, Vec<Finding>),
}

impl Job<'_> {
    fn stream(
        &self,
        out: &mut dyn Write,
        progress: Progress<'_>,
    ) -> Result<(Vec<Entry>, Count, usize), PackError> {
        let tree_depth = self.tree.full_depth();
        let tree = self.tree.draw(tree_depth);
        let mut document = Document::begin(out, &self.request.counter, &self.frame, &tree)?;
        let mut entries = Vec::with_capacity(self.candidates.len());
        let all: Vec<usize> = (0..self.candidates.len()).collect();
        self.each(
            &all,
            Part::weight,
            |index, file, secrets| self.part(index, file, secrets, &self.wanted(index)),
            |index, part| {
                document.part(&part)?;
                entries.push(part.entry);
                progress(index + 1, all.len());
                Ok::<(), io::Error>(())
            },
        )?;
        let count = document.end(&Totals::of(entries.iter().map(|entry| (entry, true))))?;
        Ok((entries, count, tree_depth))
    }

    /// Finds the secrets of all files.
    fn secrets(&self) -> Vec<Sighting> {
        let all: Vec<usize> = (0..self.candidates.len()).collect();
        let mut found = Vec::new();
        let done = self.each(
            &all,
            |_| 0,
            |_, _, secrets| secrets,
            |_, secrets| {
                found.extend(secrets);
                Ok::<(), std::convert::Infallible>(())
            },
        );
        match done {
            Ok(()) => found,
        }
    }

    /// Returns a file as it stands in the document.
    pub(super) fn part(
        &self,
        index: usize,
        file: FileContent,
        secrets: Vec<Sighting>,
        shown: &Shown,
    ) -> Part {
        let (format, counter) = (self.request.format, &self.request.counter);
        let candidate = &self.candidates[index];
        Part::render(candidate, file, secrets, shown, format, counter)
    }

    /// Returns how much of a file the user wants.
    pub(super) fn wanted(&self, index: usize) -> Shown {
        Shown::at(self.level(index))
    }

    pub(super) fn level(&self, index: usize) -> Level {
        LevelRule::level(&self.request.levels, &self.candidates[index].path)
    }

    /// Reads each of `indices` in parallel, calls `make` on it without its secrets, and `take` on what that made, in order.
    pub(super) fn each<R: Send, E>(
        &self,
        indices: &[usize],
        weight: impl Fn(&R) -> usize + Sync,
        make: impl Fn(usize, FileContent, Vec<Sighting>) -> R + Sync,
        mut take: impl FnMut(usize, R) -> Result<(), E>,
    ) -> Result<(), E> {
        let weight = |read: &Read<R>| match read {
            Read::Plain(result) => weight(result),
            Read::Secrets(file, _) => match &file.content {
                Content::Text(text) => text.text.len(),
                Content::Listed(_) => 0,
            },
        };
        repo::map_in_order(
            indices.len(),
            self.request.threads,
            MAX_WAITING_BYTES,
            weight,
            |at| {
                let (file, findings) = self.read(indices[at]);
                if findings.is_empty() {
                    Read::Plain(make(indices[at], file, Vec::new()))
                } else {
                    Read::Secrets(file, findings)
                }
            },
            |at, read| {
                let index = indices[at];
                let result = match read {
                    Read::Plain(result) => result,
                    Read::Secrets(file, findings) => {
                        let (file, secrets) = self.redact(index, file, &findings);
                        make(index, file, secrets)
                    }
                };
                take(index, result)
            },
        )
    }

    /// Reads a file, and finds its secrets.
    fn read(&self, index: usize) -> (FileContent, Vec<Finding>) {
        let candidate = &self.candidates[index];
        let mut file = repo::read(&self.repository.root, candidate, self.request.read);
        if matches!(file.content, Content::Text(_)) && self.level(index) == Level::Path {
            file.content = Content::Listed(Reason::Asked);
        }
        let redactor = &self.request.redactor;
        let findings = match &file.content {
            Content::Text(text) => redactor.find(&candidate.path.to_string(), &text.text),
            Content::Listed(Reason::Link(target)) => {
                redactor.find("", &String::from_utf8_lossy(target))
            }
            Content::Listed(_) => Vec::new(),
        };
        (file, findings)
    }

    /// Numbers the secrets of a file, which is done in the order of the files, and takes them out.
    fn redact(
        &self,
        index: usize,
        mut file: FileContent,
        findings: &[Finding],
    ) -> (FileContent, Vec<Sighting>) {
        let place = self.candidates[index].path.to_string();
        let redactor = &self.request.redactor;
        let held = match &file.content {
            Content::Text(text) => text.text.clone(),
            Content::Listed(reason) => target(reason),
        };
        let secrets = redactor.sightings(findings, &place, &held);
        match &mut file.content {
            Content::Text(text) if redactor.mode != SecretsMode::Exclude => {
                text.text = redactor.redact(&held, findings);
            }
            // A target with a placeholder would be another one.
            Content::Text(_) | Content::Listed(_) => file.content = Content::Listed(Reason::Secret),
        }
        (file, secrets)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::flow::unpack::{Existing, restore};
    use crate::fs::Root;
    use crate::history::{Commit, Diff};
    use crate::model::Measure;
    use crate::path::RepoPath;
    use crate::secrets::{Allow, Scanner};
    use crate::tokens::{Family, Margin};

    type Files = BTreeMap<RepoPath, Vec<u8>>;

    /// A program with bodies that a skeleton does without, and what is hard to count next to them.
    const PROGRAM: &str = "/// Says one.\n///\n/// And says it again, at length.\nfn one() -> u8 {\n    // a long comment of many words\n    1\n}\n\
        impl Two {\n    fn two(&self) -> [u8; 2] {\n        let first = self.first(one());\n        [first, 2]\n    }\n}\n\
        fn three() {\n    let token = \"ghp_x7Kp2QmR9vLs4TnB8wYc1ZdF6hJg3AeU5oNi\";\n    four(token);\n}\n";

    /// Contents of every row of the carriage table, and pieces that are hard to cut and to count.
    fn contents() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => "[a-zA-Z ]{0,20}",
            2 => Just("\n".to_owned()),
            1 => prop::sample::select(vec![
                "//", "```", "\n````\n", "========\n", "`", "\"", "\\", "]]>", "]]", ">", "<![CDATA[", "</file>", "&#13;", "\n\n\n", "  ", "\t", "[", "'s", "<|endoftext|>", "1234567", "\u{4e2d}\u{6587}",
                "\u{1f600}", "e\u{301}", "\u{feff}", "\u{2028}", "\u{85}",
            ]).prop_map(str::to_owned),
        ];
        let text = prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat());
        (text, 0..13_u8).prop_map(|(text, row)| match row {
            0 => text.replace('\n', "\r\n").into_bytes(),
            1 => text.replace('\n', "\r").into_bytes(),
            2 => format!("\u{feff}{text}").into_bytes(),
            3 => format!("{text}\u{1b}\u{c}\u{1}").into_bytes(),
            4 => format!("\u{2400}{text}\u{7}").into_bytes(),
            5 => format!("{text}\u{ffff}").into_bytes(),
            6 => [0xff, 0xfe]
                .into_iter()
                .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
                .collect(),
            7 => [0xfe, 0xff]
                .into_iter()
                .chain(text.encode_utf16().flat_map(u16::to_be_bytes))
                .collect(),
            8 => [
                b"caf\xe9 d\xe9j\xe0 vu, gar\xe7on ".as_slice(),
                text.replace(|c: char| !c.is_ascii(), "").as_bytes(),
            ]
            .concat(),
            9 => [text.as_bytes(), &[0, 1, 2]].concat(),
            10 => format!("{PROGRAM}// {text}\n").into_bytes(),
            11 => format!("{}// {text}\n", PROGRAM.repeat(4)).into_bytes(),
            _ => text.into_bytes(),
        })
    }

    fn files() -> impl Strategy<Value = Files> {
        let name = prop_oneof![6 => "[a-c]{1,2}(\\.(rs|md|txt|csv))?", 1 => "[ -.0-~\n\t\u{e9}\u{4e2d}]{1,8}"];
        let path = prop::collection::vec(name, 1..4).prop_map(|names| names.join("/"));
        prop::collection::btree_map(path, contents(), 1..12).prop_map(|tree| {
            let mut files = Files::new();
            for (path, bytes) in tree {
                // A path may not be a folder of another, and an ignore file would hide others.
                let is_folder = |other: &RepoPath| {
                    let (a, b) = (other.to_string() + "/", path.clone() + "/");
                    a.starts_with(&b) || b.starts_with(&a)
                };
                if let Ok(parsed) = RepoPath::parse(path.as_bytes())
                    && !files.keys().any(is_folder)
                    && !parsed.components().any(|name| name.starts_with(b"."))
                {
                    files.insert(parsed, bytes);
                }
            }
            files
        })
    }

    fn sections() -> impl Strategy<Value = Sections> {
        let name = prop::sample::select(vec!["work tree", "staged", "since v1`\n<x>"]);
        let diff = (name, contents()).prop_map(|(name, text)| Diff {
            name: name.to_owned(),
            text,
        });
        let message = "\\PC{0,20}(\r\n|\n\n|\u{1}|]]>|```\n|</message>|========\n)?";
        let names = prop::collection::vec("[ -.0-~\n]{1,6}", 0..3);
        let commit =
            (message, "(\\PC{1,5}|\u{1b})?", names).prop_map(|(message, author, names)| Commit {
                id: "0150940a".to_owned(),
                date: "2026-01-31 17:04:58 +0200".to_owned(),
                author,
                message,
                files: names
                    .iter()
                    .filter_map(|name| RepoPath::parse(name.as_bytes()).ok())
                    .collect(),
            });
        let instruction = proptest::option::of("\\PC{0,40}(\r\n|\u{1})?");
        let diffs = prop::collection::vec(diff, 0..3);
        let log = prop::collection::vec(commit, 0..3);
        (diffs, log, instruction).prop_map(|(diffs, log, instruction)| Sections {
            diffs,
            log,
            instruction,
        })
    }

    fn request(
        named: Vec<Named>,
        room: Option<Room>,
        format: Format,
        sections: Sections,
        threads: usize,
    ) -> PackRequest {
        PackRequest {
            named,
            globs: Globs::parse(&[], &[]).unwrap(),
            outputs: Vec::new(),
            read: ReadOptions {
                everything: false,
                hashed: false,
            },
            levels: Vec::new(),
            format,
            sections,
            redactor: Arc::new(Redactor::new(
                SecretsMode::Redact,
                Scanner::new(Allow::default()),
            )),
            room,
            query: None,
            prefer: Prefer::Balance,
            counter: Counter::new(vec![Family::ClaudeV47, Family::Gemma3]),
            threads: NonZeroUsize::new(threads).unwrap(),
            max_held_bytes: HELD_BYTES,
        }
    }

    /// Packs a tree of two files under a budget that one fits, which is changed after it was counted.
    fn pack_while_it_changes(
        max_held_bytes: usize,
        then: &[u8],
    ) -> Result<(Vec<u8>, Packed), PackError> {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        let path = |name: &str| RepoPath::parse(name.as_bytes()).unwrap();
        root.create(&path("a.csv"), "word ".repeat(2000).as_bytes())
            .unwrap();
        root.create(&path("z.rs"), b"fn z() {}\n").unwrap();
        let budget = Some(Room {
            budget: 600,
            measure: Measure::Exact,
        });
        let (repository, named, _) = repo::open(folder.path(), &[]).unwrap();
        let request = PackRequest {
            max_held_bytes,
            ..request(named, budget, Format::Xml, Sections::default(), 1)
        };
        let scan = find(&repository, &request).unwrap();
        let mut out = Vec::new();
        let mut change = |done: usize, n: usize| {
            if done == n {
                root.replace(&path("z.rs"), then).unwrap();
            }
        };
        let packed = write(&repository, &request, scan, &mut out, &mut change)?;
        Ok((out, packed))
    }

    #[test]
    fn a_file_that_changes_after_it_was_counted_breaks_no_budget() {
        let large = "fn z() {}\n".repeat(1000);
        for (then, shown) in [
            (&b"fn changed() {}\n"[..], true),
            (large.as_bytes(), false),
            (b"\0\0", false),
        ] {
            // Held: as it was. Read again: as it is, and the choice is made anew.
            let (document, _) = pack_while_it_changes(HELD_BYTES, then).unwrap();
            assert!(
                String::from_utf8(document)
                    .unwrap()
                    .contains("\nfn z() {}\n\n]]>")
            );
            let (document, packed) = pack_while_it_changes(4000, then).unwrap();
            assert_eq!(packed.count.exact, recount(&document));
            assert!(packed.count.exact <= 600);
            assert_eq!(packed.entries[1].is_full(), shown);
            // Too much to hold: the change is an error.
            assert!(matches!(
                pack_while_it_changes(0, then),
                Err(PackError::Restless)
            ));
        }
    }

    fn pack(
        repository: &Repository,
        request: &PackRequest,
    ) -> Result<(Vec<u8>, Packed), PackError> {
        let scan = find(repository, request)?;
        let mut out = Vec::new();
        let packed = write(repository, request, scan, &mut out, &mut |_, _| {})?;
        Ok((out, packed))
    }

    fn recount(document: &[u8]) -> u64 {
        let text = std::str::from_utf8(document).unwrap();
        tiktoken_rs::o200k_base_singleton()
            .encode_ordinary(text)
            .len() as u64
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn any_tree_comes_back_exactly_counted(
            files in files(),
            budget in 300..2000_u64,
            named_first in any::<bool>(),
            sections in sections(),
            claude in any::<bool>(),
            levels in prop::sample::select(vec!["*=full", "*=skeleton", "a*=skeleton", "b*=path"]),
            format in prop::sample::select(Format::ALL.to_vec()),
            spec in proptest::option::of("[a-c]{1,2}(\\.rs)?( (one|first|token|said|[a-z]{1,6})){0,3}"),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let root = Root::open(folder.path()).unwrap();
            for (path, bytes) in &files {
                root.create(path, bytes).unwrap();
            }
            prop_assume!(!files.is_empty());
            let (repository, mut named, _) = repo::open(folder.path(), &[]).unwrap();
            if named_first {
                named.extend(files.keys().next().cloned().map(Named::File));
            }

            // All of it: the claim is the count, and every full file comes back.
            let request = |named, room, format, sections, threads| PackRequest {
                levels: vec![LevelRule::parse(levels).unwrap()],
                ..request(named, room, format, sections, threads)
            };
            let all = request(named.clone(), None, format, sections.clone(), 3);
            let (document, packed) = pack(&repository, &all).unwrap();
            prop_assert_eq!(packed.count.exact, recount(&document));
            let claim = match format {
                Format::Xml => format!("<totals tokens=\"{}\" ", packed.count.exact),
                Format::Json => format!("\"totals\":{{\"tokens\":{},", packed.count.exact),
                Format::Markdown | Format::Plain => format!(" Totals\n\ntokens: {}, ", packed.count.exact),
            };
            prop_assert!(String::from_utf8_lossy(&document).contains(&claim));
            let copy = folder.path().join("copy");
            let unpacked = restore(document.as_slice(), &copy, Existing::Keep).unwrap();
            let copied = Root::open(&copy).unwrap();
            let full: Vec<&RepoPath> = packed.entries.iter().filter(|entry| entry.is_full() && entry.secrets.is_empty()).map(|entry| &entry.path).collect();
            prop_assert_eq!(unpacked.n_exact, full.len());
            let is_short = |entry: &&Entry| entry.level == Level::Skeleton;
            prop_assert_eq!(unpacked.n_shortened, packed.entries.iter().filter(is_short).count());
            prop_assert!(!String::from_utf8_lossy(&document).contains("ghp_x7Kp2QmR9v"));
            for path in full {
                prop_assert_eq!(&copied.head(path, 1 << 20).unwrap(), &files[path]);
            }
            std::fs::remove_dir_all(&copy).unwrap();

            // Under a budget: never over, and the same bytes from any number of threads.
            let measure = if claude { Measure::Estimated(Family::ClaudeV47, Margin { extra_points: 2 }) } else { Measure::Exact };
            let slice = |budget, threads| PackRequest {
                query: spec.as_deref().map(|spec| Arc::new(Query::of(spec))),
                ..request(named.clone(), Some(Room { budget, measure }), format, sections.clone(), threads)
            };
            let one = pack(&repository, &slice(budget, 1));
            let eight = pack(&repository, &slice(budget, 8));
            match (one, eight) {
                (Ok((document, packed)), Ok((other, _))) => {
                    prop_assert_eq!(packed.count.exact, recount(&document));
                    prop_assert!(measure.tokens(&packed.count) <= budget);
                    prop_assert_eq!(&document, &other);
                    prop_assert!(!String::from_utf8_lossy(&document).contains("ghp_x7Kp2QmR9v"));
                    let unpacked = restore(document.as_slice(), &copy, Existing::Keep).unwrap();
                    let is_short = |entry: &&Entry| entry.is_shown() && !entry.is_full();
                    prop_assert_eq!(unpacked.n_shortened, packed.entries.iter().filter(is_short).count());
                }
                (Err(PackError::TooSmall(small)), Err(PackError::TooSmall(other))) => {
                    prop_assert_eq!(&small, &other);
                    prop_assert!(small.least > budget);
                    // The least that is named is enough, and spent to the last token.
                    let (document, packed) = pack(&repository, &slice(small.least, 2)).unwrap();
                    prop_assert_eq!(packed.count.exact, recount(&document));
                    prop_assert!(measure.tokens(&packed.count) <= small.least);
                }
                _ => prop_assert!(false, "the number of threads shows"),
            }
        }
    }
}
