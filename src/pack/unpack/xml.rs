//! A pack in XML read back.

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{FORMAT, Files, PackedFile, UnpackError};
use crate::pack::facts::ReadFacts;
use crate::pack::{Damaged, Totals};

/// Elements of a pack are nested less deeply than this.
const MAX_DEPTH: usize = 16;

/// Reads the whole document.
pub(super) fn read<E: From<UnpackError>>(
    pack: impl BufRead,
    files: &mut Files<impl FnMut(PackedFile) -> Result<(), E>>,
) -> Result<(), E> {
    let mut parser = Parser {
        reader: Reader::from_reader(pack),
        buffer: Vec::new(),
    };
    parser.find_root()?;
    let mut above: Vec<String> = vec!["pack".to_owned()];
    while !above.is_empty() {
        match parser.next()? {
            Node::Start(element) => {
                if element.is_file(&above) {
                    let content = parser.text()?;
                    files.add(&element.facts, Some(text_of(&content)))?;
                    continue;
                }
                if above == ["pack"] && element.name == "totals" {
                    files.totals(element.facts.get("files").map(str::to_owned))?;
                    files.unpacked.n_unfit = Totals::n_unfit(&parser.text()?);
                    continue;
                }
                if above.len() == MAX_DEPTH {
                    return Err(UnpackError::NotAPack("its elements are nested too deeply").into());
                }
                above.push(element.name);
            }
            Node::Empty(element) => {
                if element.is_file(&above) {
                    files.add(&element.facts, None)?;
                }
            }
            Node::End => {
                above.pop();
            }
            Node::Text(_) => {}
        }
    }
    Ok(parser.expect_end()?)
}

/// Takes the line breaks that belong to the format from the content of an element.
fn text_of(content: &str) -> Result<&str, Damaged> {
    content
        .strip_prefix('\n')
        .and_then(|text| text.strip_suffix('\n'))
        .ok_or(Damaged::Frame)
}

/// An element's name and attributes.
struct StartTag {
    name: String,
    facts: ReadFacts,
}

enum Node {
    Start(StartTag),
    Empty(StartTag),
    End,
    Text(String),
}

impl StartTag {
    fn is_file(&self, above: &[String]) -> bool {
        above == ["pack", "files"] && self.name == "file"
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
                    let format = element.facts.get("format").unwrap_or_default();
                    return if format == FORMAT {
                        Ok(())
                    } else {
                        Err(UnpackError::Version(format.to_owned()))
                    };
                }
                Ok(Node::Text(text)) if text.trim().is_empty() => {}
                // Whatever a document that is no pack is, that it is none says more than what is wrong with it.
                Ok(_) | Err(UnpackError::Malformed { .. } | UnpackError::Cut) => {
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

    /// Returns the text up to the end of the element that has begun.
    fn text(&mut self) -> Result<String, UnpackError> {
        let mut text = String::new();
        loop {
            match self.next()? {
                Node::Text(more) => text.push_str(&more),
                Node::End => return Ok(text),
                Node::Start(_) | Node::Empty(_) => {
                    return Err(UnpackError::NotAPack("a text holds an element"));
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
                    return Err(UnpackError::Malformed {
                        place: format!("byte {}", self.reader.error_position()),
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
        facts: ReadFacts(attributes),
    })
}
