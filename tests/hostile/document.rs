//! A pack as a strict reader finds it; nothing of the program's own reading is used.

use quick_xml::events::{BytesStart, Event};

/// A file element.
pub(super) struct Element {
    pub(super) path: Vec<u8>,
    pub(super) is_full: bool,
    pub(super) kind: String,
    /// All attributes that say how the bytes differ from the text, sorted.
    pub(super) attributes: String,
    pub(super) text: String,
}

/// Reads a document; says what is not well-formed.
pub(super) fn read(document: &[u8]) -> Result<Vec<Element>, String> {
    let document = std::str::from_utf8(document).map_err(|error| error.to_string())?;
    let is_allowed = |c: char| matches!(c, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if let Some(c) = document.chars().find(|c| !is_allowed(*c)) {
        return Err(format!("it holds {}", c.escape_default()));
    }
    let mut reader = quick_xml::Reader::from_str(document);
    let mut elements: Vec<Element> = Vec::new();
    let (mut depth, mut n_roots, mut is_in_file) = (0, 0, false);
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match event {
            Event::Start(start) => {
                n_roots += usize::from(depth == 0);
                depth += 1;
                is_in_file = start.name().as_ref() == "file";
                if is_in_file {
                    elements.push(element(&start)?);
                }
            }
            Event::Empty(start) if start.name().as_ref() == "file" => {
                elements.push(element(&start)?);
            }
            Event::End(_) => {
                depth -= 1;
                is_in_file = false;
            }
            Event::CData(text) if is_in_file => push(&mut elements, &text),
            Event::Text(text) if is_in_file => push(&mut elements, &text),
            Event::GeneralRef(name) if is_in_file && &*name == "#13" => push(&mut elements, "\r"),
            Event::GeneralRef(name) if is_in_file => return Err(format!("it holds &{};", &*name)),
            Event::DocType(_) | Event::PI(_) | Event::Comment(_) => {
                return Err("it holds what no pack does".to_owned());
            }
            Event::Eof if depth == 0 && n_roots == 1 => return Ok(elements),
            Event::Eof => return Err("it is not closed".to_owned()),
            _ => {}
        }
    }
}

fn push(elements: &mut [Element], text: &str) {
    if let Some(element) = elements.last_mut() {
        element.text.push_str(text);
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, String> {
    let mut element = Element {
        path: Vec::new(),
        is_full: true,
        kind: String::new(),
        attributes: String::new(),
        text: String::new(),
    };
    let mut attributes = Vec::new();
    let mut is_escaped = false;
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = quick_xml::escape::unescape(&attribute.value)
            .map_err(|error| error.to_string())?
            .into_owned();
        match attribute.key.as_ref() {
            "path" => element.path = value.into_bytes(),
            "path-escape" => is_escaped = true,
            "level" => element.is_full = value != "path",
            "kind" => element.kind = value,
            "bytes" | "target" | "target-escape" => {}
            name => attributes.push(format!("{name}={value}")),
        }
    }
    if is_escaped {
        element.path = unescape(&element.path).ok_or("a path has a broken escape")?;
    }
    attributes.sort();
    element.attributes = attributes.join(" ");
    Ok(element)
}

/// Undoes the escape of a path, as the head of a pack explains it.
pub(super) fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = match (byte, tail) {
            (b'\\', [b'\\', tail @ ..]) => {
                bytes.push(b'\\');
                tail
            }
            (b'\\', [b'x', high, low, tail @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                tail
            }
            (b'\\', _) => return None,
            _ => {
                bytes.push(byte);
                tail
            }
        };
    }
    Some(bytes)
}
