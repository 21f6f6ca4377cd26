//! A pack read back, file by file.

use std::collections::BTreeSet;
use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{Carriage, Damaged, Level, xml};
use crate::path::{InvalidRepoPath, RepoPath};

/// A file as a pack holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedFile {
    /// Its path; not yet checked against the place it goes to.
    pub path: RepoPath,
    /// Its exact bytes; none if the pack only lists it, or holds altered text.
    pub bytes: Option<Vec<u8>>,
}

/// What a pack said of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// How many files it holds in full and exactly.
    pub n_exact: usize,
    /// How many it only lists, or holds altered.
    pub n_other: usize,
}

/// A document that cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It is not well-formed.
    #[error("the document is not well-formed, at byte {position}: {why}")]
    Xml {
        /// Where.
        position: u64,
        /// What is wrong there.
        why: String,
    },
    /// It is something else.
    #[error("this is no pack of twostep: {0}")]
    NotAPack(&'static str),
    /// It is of another version of the format.
    #[error("the pack has format `{0}`; this twostep reads format 1")]
    Version(String),
    /// It ends too early.
    #[error("the pack is cut: it has no end")]
    Cut,
    /// It holds another number of files than it says.
    #[error("the pack says that it holds {said} files in full, and holds {found}")]
    Miscounted {
        /// What it says.
        said: String,
        /// What it holds.
        found: usize,
    },
    /// A file has attributes that mean nothing.
    #[error("the file `{0}` is carried in a way that this twostep does not know")]
    Carriage(String),
    /// A file's text is not what it was carried as.
    #[error("the file `{path}` is damaged")]
    Damaged {
        /// The file.
        path: RepoPath,
        /// How.
        source: Damaged,
    },
    /// A path leads out of the folder.
    #[error("the pack names a file that cannot be written")]
    Path(#[from] InvalidRepoPath),
    /// A path comes twice.
    #[error("the pack holds `{0}` twice")]
    Twice(RepoPath),
}

impl UnpackError {
    /// Returns what the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotAPack(_) => "packs are made by `twostep pack`",
            Self::Version(_) | Self::Carriage(_) => {
                "use the twostep that made it, or make the pack again"
            }
            Self::Path(_) => "a pack from `twostep pack` names no such path: do not trust this one",
            Self::Xml { .. }
            | Self::Cut
            | Self::Miscounted { .. }
            | Self::Damaged { .. }
            | Self::Twice(_) => "make the pack again; it was changed or cut after it was written",
        }
    }
}

/// Reads a pack and hands each of its files to `take`, in the order of the document.
///
/// # Errors
///
/// Fails on a document that is not a whole, well-formed pack, and with the errors of `take`.
pub fn unpack<E: From<UnpackError>>(
    pack: impl BufRead,
    mut take: impl FnMut(PackedFile) -> Result<(), E>,
) -> Result<Unpacked, E> {
    let mut parser = Parser {
        reader: Reader::from_reader(pack),
        buffer: Vec::new(),
    };
    let mut unpacked = Unpacked::default();
    let mut n_full = 0;
    let mut said = None;
    let mut seen = BTreeSet::new();
    parser.find_root()?;
    let mut above: Vec<String> = vec!["pack".to_owned()];
    while !above.is_empty() {
        match parser.next()? {
            Node::Start(element) => {
                let inside = above.last().map_or("", String::as_str);
                if inside == "files" && element.name == "file" {
                    let content = parser.text_of("file")?;
                    let file = element.file(Some(&content))?;
                    n_full += usize::from(element.is_full());
                    hand_on(file, &mut unpacked, &mut seen, &mut take)?;
                    continue;
                }
                if inside == "pack" && element.name == "totals" {
                    if said.is_some() {
                        return Err(UnpackError::NotAPack("it has its totals twice").into());
                    }
                    said = element.attribute("files");
                }
                above.push(element.name);
            }
            Node::Empty(element) => {
                if above.last().is_some_and(|inside| inside == "files") && element.name == "file" {
                    hand_on(element.file(None)?, &mut unpacked, &mut seen, &mut take)?;
                }
            }
            Node::End => {
                above.pop();
            }
            Node::Text(_) => {}
        }
    }
    parser.expect_end()?;
    match said {
        Some(said) if said != n_full.to_string() => Err(UnpackError::Miscounted {
            said,
            found: n_full,
        }
        .into()),
        None => Err(UnpackError::NotAPack("it has no totals").into()),
        Some(_) => Ok(unpacked),
    }
}

fn hand_on<E: From<UnpackError>>(
    file: PackedFile,
    unpacked: &mut Unpacked,
    seen: &mut BTreeSet<RepoPath>,
    take: &mut impl FnMut(PackedFile) -> Result<(), E>,
) -> Result<(), E> {
    if !seen.insert(file.path.clone()) {
        return Err(UnpackError::Twice(file.path).into());
    }
    if file.bytes.is_some() {
        unpacked.n_exact += 1;
    } else {
        unpacked.n_other += 1;
    }
    take(file)
}

/// An element's name and attributes.
struct StartTag {
    name: String,
    attributes: Vec<(String, String)>,
}

/// What is known of a file. Another attribute may change what its text means.
const FILE_ATTRIBUTES: &[&str] = &[
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

enum Node {
    Start(StartTag),
    Empty(StartTag),
    End,
    Text(String),
}

impl StartTag {
    fn attribute(&self, name: &str) -> Option<String> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    }

    fn is_full(&self) -> bool {
        let level = self.attribute("level");
        level.is_none_or(|level| level == Level::Full.name())
    }

    /// Takes this as a file whose content, if it has any, the parser read.
    fn file(&self, content: Option<&str>) -> Result<PackedFile, UnpackError> {
        let text = self
            .attribute("path")
            .ok_or(UnpackError::NotAPack("a file has no path"))?;
        let unknown = || UnpackError::Carriage(text.clone());
        if self
            .attributes
            .iter()
            .any(|(name, _)| !FILE_ATTRIBUTES.contains(&name.as_str()))
        {
            return Err(unknown());
        }
        let is_escaped = match self.attribute("path-escape").as_deref() {
            None => false,
            Some("true") => true,
            Some(_) => return Err(unknown()),
        };
        let path = xml::path_of(&text, is_escaped)?;
        let (Some(content), true, None) = (content, self.is_full(), self.attribute("altered"))
        else {
            return Ok(PackedFile { path, bytes: None });
        };
        let carriage: Carriage =
            xml::carriage_of(|name| self.attribute(name)).ok_or_else(unknown)?;
        match carriage.restore(content) {
            Ok(bytes) => Ok(PackedFile {
                path,
                bytes: Some(bytes),
            }),
            Err(source) => Err(UnpackError::Damaged { path, source }),
        }
    }
}

struct Parser<R> {
    reader: Reader<R>,
    buffer: Vec<u8>,
}

impl<R: BufRead> Parser<R> {
    fn find_root(&mut self) -> Result<(), UnpackError> {
        loop {
            match self.next() {
                Ok(Node::Start(element)) if element.name == "pack" => {
                    let format = element.attribute("format").unwrap_or_default();
                    return if format == "1" {
                        Ok(())
                    } else {
                        Err(UnpackError::Version(format))
                    };
                }
                Ok(Node::Text(text)) if text.trim().is_empty() => {}
                // Whatever a document that is no pack is, that it is none says more than what is wrong with it.
                Ok(_) | Err(UnpackError::Xml { .. } | UnpackError::Cut) => {
                    return Err(UnpackError::NotAPack("it does not begin like one"));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Fails on anything but white space and comments up to the end of the document.
    fn expect_end(&mut self) -> Result<(), UnpackError> {
        loop {
            match self.next() {
                Err(UnpackError::Cut) => return Ok(()),
                Ok(Node::Text(text)) if text.trim().is_empty() => {}
                Ok(_) => return Err(UnpackError::NotAPack("something stands after its end")),
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns the text up to the end of the element `name` that has begun.
    fn text_of(&mut self, name: &str) -> Result<String, UnpackError> {
        let mut text = String::new();
        loop {
            match self.next()? {
                Node::Text(more) => text.push_str(&more),
                Node::End => return Ok(text),
                Node::Start(_) | Node::Empty(_) => {
                    let message = if name == "file" {
                        "a file holds an element"
                    } else {
                        "a text holds an element"
                    };
                    return Err(UnpackError::NotAPack(message));
                }
            }
        }
    }

    fn next(&mut self) -> Result<Node, UnpackError> {
        loop {
            self.buffer.clear();
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(error) => {
                    return Err(UnpackError::Xml {
                        position: self.reader.error_position(),
                        why: error.to_string(),
                    });
                }
            };
            return Ok(match event {
                Event::Start(element) => Node::Start(start_tag(&element)?),
                Event::Empty(element) => Node::Empty(start_tag(&element)?),
                Event::End(_) => Node::End,
                Event::Text(text) => Node::Text(text.xml10_content().into_owned()),
                Event::CData(text) => Node::Text(text.xml10_content().into_owned()),
                Event::GeneralRef(reference) => Node::Text(resolve(&reference)?),
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) => continue,
                Event::DocType(_) => {
                    return Err(UnpackError::NotAPack("it declares a document type"));
                }
                Event::Eof => return Err(UnpackError::Cut),
            });
        }
    }
}

fn resolve(reference: &quick_xml::events::BytesRef<'_>) -> Result<String, UnpackError> {
    let unknown = UnpackError::NotAPack("it refers to an unknown entity");
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        return Ok(c.to_string());
    }
    let name = reference.xml10_content();
    quick_xml::escape::resolve_predefined_entity(&name)
        .map(str::to_owned)
        .ok_or(unknown)
}

fn start_tag(element: &BytesStart<'_>) -> Result<StartTag, UnpackError> {
    let mut attributes = Vec::new();
    for attribute in element.attributes() {
        let attribute =
            attribute.map_err(|_| UnpackError::NotAPack("an attribute is malformed"))?;
        let value = quick_xml::escape::unescape(&attribute.value)
            .map_err(|_| UnpackError::NotAPack("an attribute is malformed"))?;
        attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(StartTag {
        name: element.name().as_ref().to_owned(),
        attributes,
    })
}
