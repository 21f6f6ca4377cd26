//! What a pack says of a file beside its text: written in any format, and read again.

use std::fmt;

use super::{Carriage, Controls, Level, Listed};
use crate::path::{self, InvalidRepoPath, RepoPath};
use crate::repo::{Charset, Reason};

/// Facts in the order in which they stand in the document; the path comes first.
#[derive(Debug, Default)]
pub(super) struct Facts(Vec<(&'static str, Value)>);

/// The value of a fact.
#[derive(Debug)]
pub(super) enum Value {
    /// A word, or any text on one line.
    Text(String),
    /// A number.
    Number(u64),
    /// It is so; of what is not so nothing is said.
    Yes,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
            Self::Yes => f.write_str("true"),
        }
    }
}

impl Facts {
    /// Makes the facts of the file at `path`.
    pub(super) fn of_file(path: &RepoPath) -> Self {
        let mut facts = Self::default();
        facts.escaped("path", "path-escape", path.as_bytes());
        facts
    }

    /// Says why a file is only listed.
    pub(super) fn listed(&mut self, reason: &Reason, bytes: Option<u64>) {
        self.text("level", Level::Path.name());
        self.text("kind", reason.name());
        if let Some(bytes) = bytes {
            self.number("bytes", bytes);
        }
        if let Reason::Link(target) = reason {
            self.escaped("target", "target-escape", target);
        }
    }

    /// Says that a text with so many lines is shown in part.
    pub(super) fn shortened(&mut self, level: Level, n_lines: usize) {
        self.text("level", level.name());
        self.text("lines", &format!("1-{n_lines}"));
    }

    /// Says how the bytes of a file are carried.
    pub(super) fn carriage(&mut self, carriage: &Carriage) {
        if carriage.controls == Controls::Base64 {
            // The bytes of the file themselves: nothing else is needed to get them back.
            self.text("carriage", "base64");
            return;
        }
        if carriage.charset != Charset::Utf8 {
            self.text("charset", &carriage.charset.name());
        }
        if carriage.bom {
            self.yes("bom");
        }
        if carriage.crlf {
            self.text("eol", "crlf");
        }
        if carriage.controls == Controls::Pictures {
            self.text("controls", "pictures");
        }
    }

    /// Adds a text.
    pub(super) fn text(&mut self, name: &'static str, value: &str) {
        self.0.push((name, Value::Text(value.to_owned())));
    }

    /// Says that something is so.
    pub(super) fn yes(&mut self, name: &'static str) {
        self.0.push((name, Value::Yes));
    }

    /// Adds a number.
    pub(super) fn number(&mut self, name: &'static str, value: u64) {
        self.0.push((name, Value::Number(value)));
    }

    /// Adds any bytes, and the fact `escape_name` if they had to be escaped.
    pub(super) fn escaped(&mut self, name: &'static str, escape_name: &'static str, bytes: &[u8]) {
        let (text, is_escaped) = path::escape(bytes);
        self.text(name, &text);
        if is_escaped {
            self.yes(escape_name);
        }
    }

    /// Returns the facts in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// Takes the fact called `name` away.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(found, _)| *found == name)?;
        Some(self.0.remove(at).1)
    }
}

/// What may be known of a file. Another fact may change what its text means.
const FILE_FACTS: &[&str] = &[
    "altered",
    "bom",
    "bytes",
    "carriage",
    "charset",
    "controls",
    "eol",
    "kind",
    "level",
    "lines",
    "path",
    "path-escape",
    "target",
    "target-escape",
];

/// Facts as they were read.
#[derive(Debug, Default)]
pub(super) struct ReadFacts(pub(super) Vec<(String, String)>);

impl ReadFacts {
    /// Returns the value of a fact.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut facts = self.0.iter();
        let found = facts.find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Says whether all facts are ones that a file may have, each once.
    pub(super) fn are_known(&self) -> bool {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let n_facts = names.len();
        names.dedup();
        names.len() == n_facts && names.iter().all(|name| FILE_FACTS.contains(name))
    }

    /// Says whether the file is shown in full.
    pub(super) fn is_full(&self) -> bool {
        self.get("level")
            .is_none_or(|level| level == Level::Full.name())
    }

    /// Says whether the file is shown in part.
    pub(super) fn is_shortened(&self) -> bool {
        let levels = [Level::Excerpt, Level::Skeleton].map(Level::name);
        self.get("level")
            .is_some_and(|level| levels.contains(&level))
    }

    /// Returns the path; none where it is said to be escaped in a way that does not exist.
    pub(super) fn path(&self, text: &str) -> Option<Result<RepoPath, InvalidRepoPath>> {
        match self.get("path-escape") {
            None => Some(RepoPath::parse(text.as_bytes())),
            Some("true") => Some(RepoPath::parse_escaped(text)),
            Some(_) => None,
        }
    }

    /// Returns what is said of a file that is only listed, if that can be.
    pub(super) fn as_listed(&self) -> Option<Listed> {
        let bytes = self.get("bytes").map(str::parse).transpose();
        let target = match (self.get("target"), self.get("target-escape")) {
            (Some(target), Some(_)) => Some(path::unescape(target)?),
            (target, _) => target.map(|target| target.as_bytes().to_vec()),
        };
        Some(Listed {
            kind: self.get("kind").unwrap_or_default().to_owned(),
            bytes: bytes.ok()?,
            target,
        })
    }

    /// Returns how the bytes are carried, if that is a way that exists.
    pub(super) fn carriage(&self) -> Option<Carriage> {
        let controls = match (self.get("carriage"), self.get("controls")) {
            (Some("base64"), None) => Controls::Base64,
            (None, Some("pictures")) => Controls::Pictures,
            (None, None) => Controls::Absent,
            _ => return None,
        };
        let is = |name: &str, value: &str| match self.get(name) {
            None => Some(false),
            Some(found) => (found == value).then_some(true),
        };
        Some(Carriage {
            charset: self
                .get("charset")
                .map_or(Some(Charset::Utf8), Charset::parse)?,
            bom: is("bom", "true")?,
            crlf: is("eol", "crlf")?,
            controls,
        })
    }
}
