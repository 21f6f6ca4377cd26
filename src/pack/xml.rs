//! The document, in XML: streamed part by part, and counted as it is written.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quick_xml::events::BytesStart;

use super::{Carriage, Class, Controls, Entry, Level};
use crate::path::{self, RepoPath};
use crate::repo::{Candidate, Charset, Content, FileContent, Reason, Text};
use crate::tokens::{Count, Counter, ENCODING};

/// How every pack begins, whatever the version of its format.
pub const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<pack format=\"";

/// From the beginning to the bracket before the tree. Constant, so that a provider's prefix cache holds.
const BEFORE_TREE: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<pack format=\"1\">\n<file_summary>\n",
    include_str!("head.txt"),
    "</file_summary>\n<directory_structure><![CDATA"
);
const AFTER_TREE: &str = "]]></directory_structure>\n<files>\n";
const AFTER_BODY: &str = "]]></file>\n";
const AFTER_FILES: &str = "</files>\n";
const AFTER_INSTRUCTION: &str = "]]></instruction>\n";
const END: &str = "</pack>\n";

/// One file as it stands in the document, with its tokens.
#[derive(Debug)]
pub struct Part {
    /// What became of the file.
    pub entry: Entry,
    /// Its element up to the bracket before the body, or all of it where there is no body.
    opening: String,
    /// Its body, from that bracket to the last line break.
    body: Option<String>,
}

impl Part {
    /// Renders a candidate with what was read of it.
    pub fn render(candidate: &Candidate, file: FileContent, counter: &Counter) -> Self {
        let mut element = Element::new("file");
        element.path("path", candidate.path.as_bytes());
        let (level, reason, body, n_lines) = match file.content {
            Content::Text(text) => {
                let (body, carriage) = Carriage::carry(&text);
                element.carriage(&carriage);
                (Level::Full, None, Some(body), n_lines(&text))
            }
            Content::Listed(reason) => {
                element.set("level", Level::Path.name());
                element.set("kind", reason.name());
                if let Some(bytes) = file.bytes {
                    element.set("bytes", &bytes.to_string());
                }
                if let Reason::Link(target) = &reason {
                    element.path("target", target);
                }
                (Level::Path, Some(reason), None, 0)
            }
        };
        let opening = if body.is_some() {
            element.open_text()
        } else {
            element.empty()
        };
        let body_cost = body.as_deref().map_or(Count::default(), |body| {
            counter.count(body) + counter.count(AFTER_BODY)
        });
        let entry = Entry {
            path: candidate.path.clone(),
            class: if candidate.named {
                Class::Named
            } else {
                Class::of(&candidate.path)
            },
            level,
            reason,
            cost: counter.count(&opening) + body_cost,
            is_packed: true,
            n_lines,
            bytes: file.bytes,
            hash: file.hash,
        };
        Self {
            entry,
            opening,
            body,
        }
    }

    /// Says whether the part takes what was reckoned with: the same tokens, shown in the same way.
    pub fn is_like(&self, entry: &Entry) -> bool {
        let (mine, other) = (&self.entry, entry);
        mine.cost == other.cost && mine.level == other.level && mine.reason == other.reason
    }

    /// Returns about how many bytes of memory the part takes.
    pub fn weight(&self) -> usize {
        self.opening.len() + self.body.as_ref().map_or(0, String::len) + 512
    }
}

fn n_lines(text: &Text) -> usize {
    let bytes = text.text.as_bytes();
    memchr::memchr_iter(b'\n', bytes).count()
        + usize::from(bytes.last().is_some_and(|&last| last != b'\n'))
}

/// What stands round the files: everything but the parts, the tree and the totals.
pub struct Frame {
    instruction: Option<Body>,
}

struct Body {
    opening: String,
    body: String,
}

impl Frame {
    /// Takes the user's instruction, if there is one.
    pub fn new(instruction: Option<&str>) -> Self {
        let instruction = instruction.map(|text| {
            let text = Text {
                text: text.to_owned(),
                charset: Charset::Utf8,
                bom: false,
            };
            let (body, carriage) = Carriage::carry(&text);
            let mut element = Element::new("instruction");
            element.carriage(&carriage);
            Body {
                opening: element.open_text(),
                body,
            }
        });
        Self { instruction }
    }

    /// Counts the frame.
    pub fn count(&self, counter: &Counter) -> Count {
        let constant = [BEFORE_TREE, AFTER_TREE, AFTER_FILES, END];
        constant
            .into_iter()
            .chain(self.closing())
            .map(|text| counter.count(text))
            .sum()
    }

    /// The texts between the totals and the end.
    fn closing(&self) -> impl Iterator<Item = &str> {
        self.instruction
            .iter()
            .flat_map(|part| [part.opening.as_str(), part.body.as_str(), AFTER_INSTRUCTION])
    }
}

/// What a document says of itself at its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many files it shows in full.
    pub n_full: usize,
    /// How many it does not, by reason.
    pub left: BTreeMap<&'static str, usize>,
}

impl Totals {
    /// Sums up what becomes of candidates, each with whether it is in the pack.
    pub fn of<'a>(entries: impl Iterator<Item = (&'a Entry, bool)>) -> Self {
        let mut totals = Self::default();
        for (entry, is_in) in entries {
            match (&entry.reason, is_in) {
                (Some(reason), _) => totals.add_left(reason),
                (None, false) => totals.add_left(&Reason::Budget),
                (None, true) => totals.n_full += 1,
            }
        }
        totals
    }

    fn add_left(&mut self, reason: &Reason) {
        *self.left.entry(reason.name()).or_default() += 1;
    }

    /// Counts the element that holds these totals in a document that has `rest` tokens without it.
    pub(super) fn count(&self, rest: u64, counter: &Counter) -> Count {
        counter.count(&self.settled(rest, counter))
    }

    /// Returns the most that the element can count in a document of at most `tokens` tokens, if no
    /// number of these totals grows.
    pub(super) fn at_most(&self, tokens: u64, counter: &Counter) -> Count {
        let element = self.element(tokens);
        Count::at_most_of(counter.count(&element).exact, element.len())
    }

    /// Returns the element that states the tokens of a document that has `rest` without it.
    fn settled(&self, rest: u64, counter: &Counter) -> String {
        // The cost of a number never falls as the number grows, so going up from below finds the size.
        let mut element = self.element(rest);
        loop {
            let next = self.element(rest + counter.count(&element).exact);
            if next == element {
                return element;
            }
            element = next;
        }
    }

    fn element(&self, tokens: u64) -> String {
        let mut element = Element::new("totals");
        element.set("tokens", &tokens.to_string());
        element.set("encoding", ENCODING);
        element.set("files", &self.n_full.to_string());
        let budget = Reason::Budget.name();
        let listed: Vec<String> = self
            .left
            .iter()
            .filter(|(name, _)| **name != budget)
            .map(|(name, n)| format!("{n} {name}"))
            .collect();
        let mut sentences = Vec::new();
        if let Some(n) = self.left.get(budget) {
            sentences.push(format!("{n} did not fit."));
        }
        if !listed.is_empty() {
            sentences.push(format!("Not shown: {}.", listed.join(", ")));
        }
        if sentences.is_empty() {
            sentences.push("Nothing was left out.".to_owned());
        }
        element.with_text(&sentences.join(" "))
    }
}

/// A document that is being written.
pub struct Document<'a> {
    out: &'a mut dyn Write,
    counter: &'a Counter,
    count: Count,
}

impl<'a> Document<'a> {
    /// Writes everything before the first file.
    ///
    /// # Errors
    ///
    /// Returns the error of `out`.
    pub fn begin(out: &'a mut dyn Write, counter: &'a Counter, tree: &str) -> io::Result<Self> {
        let mut document = Self {
            out,
            counter,
            count: Count::default(),
        };
        document.write(BEFORE_TREE)?;
        document.write(&tree_body(tree))?;
        document.write(AFTER_TREE)?;
        Ok(document)
    }

    /// Writes a file.
    ///
    /// # Errors
    ///
    /// Returns the error of `out`.
    pub fn part(&mut self, part: &Part) -> io::Result<()> {
        self.out.write_all(part.opening.as_bytes())?;
        if let Some(body) = &part.body {
            self.out.write_all(body.as_bytes())?;
            self.out.write_all(AFTER_BODY.as_bytes())?;
        }
        self.count += part.entry.cost;
        Ok(())
    }

    /// Writes everything after the last file; returns the tokens of the whole document.
    ///
    /// # Errors
    ///
    /// Returns the error of `out`.
    pub fn end(mut self, totals: &Totals, frame: &Frame) -> io::Result<Count> {
        self.write(AFTER_FILES)?;
        let closing: Count = frame
            .closing()
            .chain([END])
            .map(|text| self.counter.count(text))
            .sum();
        let element = totals.settled((self.count + closing).exact, self.counter);
        self.write(&element)?;
        for text in frame.closing().chain([END]) {
            self.out.write_all(text.as_bytes())?;
        }
        self.out.flush()?;
        Ok(self.count + closing)
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.count += self.counter.count(text);
        self.out.write_all(text.as_bytes())
    }
}

/// Returns the body that holds a drawn tree.
fn tree_body(tree: &str) -> String {
    let text = Text {
        text: tree.to_owned(),
        charset: Charset::Utf8,
        bom: false,
    };
    Carriage::carry(&text).0
}

/// Counts the body that holds a drawn tree.
pub(super) fn count_tree(tree: &str, counter: &Counter) -> Count {
    counter.count(&tree_body(tree))
}

/// An element with its attributes.
struct Element(BytesStart<'static>);

impl Element {
    fn new(name: &'static str) -> Self {
        Self(BytesStart::new(name))
    }

    fn set(&mut self, name: &str, value: &str) {
        self.0.push_attribute((name, value));
    }

    /// Sets a path, and `NAME-escape` if it had to be escaped.
    fn path(&mut self, name: &str, bytes: &[u8]) {
        let (text, is_escaped) = path::escape(bytes);
        self.set(name, &text);
        if is_escaped {
            self.set(&format!("{name}-escape"), "true");
        }
    }

    fn carriage(&mut self, carriage: &Carriage) {
        if carriage.controls == Controls::Base64 {
            // The bytes of the file themselves: nothing else is needed to get them back.
            self.set("carriage", "base64");
            return;
        }
        if carriage.charset != Charset::Utf8 {
            self.set("charset", &carriage.charset.name());
        }
        if carriage.bom {
            self.set("bom", "true");
        }
        if carriage.crlf {
            self.set("eol", "crlf");
        }
        if carriage.controls == Controls::Pictures {
            self.set("controls", "pictures");
        }
    }

    /// Returns `<name ...><![CDATA`: the bracket that follows begins the body.
    fn open_text(&self) -> String {
        format!("<{}><![CDATA", &*self.0)
    }

    fn empty(&self) -> String {
        format!("<{}/>\n", &*self.0)
    }

    fn with_text(&self, text: &str) -> String {
        let name = self.0.name();
        format!(
            "<{}>{}</{}>\n",
            &*self.0,
            quick_xml::escape::escape(text),
            name.as_ref()
        )
    }
}

/// Returns the carriage that the attributes of an element say.
pub(super) fn carriage_of(attribute: impl Fn(&str) -> Option<String>) -> Option<Carriage> {
    let controls = match (
        attribute("carriage").as_deref(),
        attribute("controls").as_deref(),
    ) {
        (Some("base64"), None) => Controls::Base64,
        (None, Some("pictures")) => Controls::Pictures,
        (None, None) => Controls::Absent,
        _ => return None,
    };
    let is = |name: &str, value: &str| match attribute(name) {
        None => Some(false),
        Some(found) => (found == value).then_some(true),
    };
    Some(Carriage {
        charset: attribute("charset").map_or(Some(Charset::Utf8), |name| Charset::parse(&name))?,
        bom: is("bom", "true")?,
        crlf: is("eol", "crlf")?,
        controls,
    })
}

/// Returns the path that an attribute of an element says.
pub(super) fn path_of(text: &str, is_escaped: bool) -> Result<RepoPath, path::InvalidRepoPath> {
    if is_escaped {
        RepoPath::parse_escaped(text)
    } else {
        RepoPath::parse(text.as_bytes())
    }
}
