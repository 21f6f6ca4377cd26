//! A pack in JSON read back: one object, whose files are never all held.

use std::collections::BTreeMap;
use std::fmt;
use std::io::BufRead;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{FORMAT, Files, PackedFile, UnpackError};
use crate::pack::facts::ReadFacts;
use crate::pack::json::FORM;
use crate::repo::Reason;

/// Reads the whole document.
pub(super) fn read<E: From<UnpackError>>(
    pack: impl BufRead,
    files: &mut Files<impl FnMut(PackedFile) -> Result<(), E>>,
) -> Result<(), E> {
    let mut parser = serde_json::Deserializer::from_reader(pack);
    let mut failure = None;
    let reader = Reader {
        files,
        failure: &mut failure,
    };
    let read = parser.deserialize_map(reader);
    let error = match read {
        Ok(()) => match parser.end() {
            Ok(()) => return Ok(()),
            Err(error) if error.is_io() => error,
            Err(_) => {
                return Err(UnpackError::NotAPack("something stands after its end").into());
            }
        },
        Err(error) => error,
    };
    Err(match failure {
        Some(failure) => failure,
        None if error.is_eof() => UnpackError::Cut.into(),
        None => UnpackError::Malformed {
            place: format!("line {}, column {}", error.line(), error.column()),
            why: error.to_string(),
        }
        .into(),
    })
}

/// Reads the document, and then its files. What is wrong with them is kept beside the parser's own errors.
struct Reader<'a, F, E> {
    files: &'a mut Files<F>,
    failure: &'a mut Option<E>,
}

impl<F, E> Reader<'_, F, E> {
    /// Keeps an error, and returns one by which the parser stops.
    fn fail<P: serde::de::Error>(&mut self, error: E) -> P {
        *self.failure = Some(error);
        P::custom("")
    }
}

#[derive(Deserialize)]
struct Totals {
    files: u64,
    #[serde(default)]
    left_out: BTreeMap<String, usize>,
}

impl<'de, F, E> Visitor<'de> for Reader<'_, F, E>
where
    F: FnMut(PackedFile) -> Result<(), E>,
    E: From<UnpackError>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pack, or its files")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let (mut is_pack, mut is_known, mut has_files) = (false, false, false);
        while let Some(name) = map.next_key::<String>()? {
            if name == "form" {
                is_pack = map.next_value::<String>()? == FORM;
            } else if !is_pack {
                return Err(self.fail(UnpackError::NotAPack("it does not begin like one").into()));
            } else if name == "format" {
                let format = map.next_value::<serde_json::Value>()?.to_string();
                if format != FORMAT {
                    return Err(self.fail(UnpackError::Version(format).into()));
                }
                is_known = true;
            } else if name == "files" {
                if !is_known || has_files {
                    let why = "its files are not where they belong";
                    return Err(self.fail(UnpackError::NotAPack(why).into()));
                }
                has_files = true;
                map.next_value_seed(Reader {
                    files: &mut *self.files,
                    failure: &mut *self.failure,
                })?;
            } else if name == "totals" {
                let totals: Totals = map.next_value()?;
                let said = self.files.totals(Some(totals.files.to_string()));
                said.map_err(|error| self.fail(error.into()))?;
                let n_unfit = totals.left_out.get(Reason::Budget.name());
                self.files.unpacked.n_unfit = n_unfit.copied().unwrap_or(0);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut files: A) -> Result<(), A::Error> {
        while let Some(mut row) = files.next_element::<Row>()? {
            let text = row.take_text();
            let added = self.files.add(&row.0, text.as_deref().map(Ok));
            added.map_err(|error| self.fail(error))?;
        }
        Ok(())
    }
}

impl<'de, F, E> DeserializeSeed<'de> for Reader<'_, F, E>
where
    F: FnMut(PackedFile) -> Result<(), E>,
    E: From<UnpackError>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

/// What stands of a file, its text among it.
struct Row(ReadFacts);

impl Row {
    fn take_text(&mut self) -> Option<String> {
        let at = self.0.0.iter().position(|(name, _)| name == "text")?;
        Some(self.0.0.remove(at).1)
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RowVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a file")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
        let mut facts = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = match map.next_value()? {
                serde_json::Value::String(text) => text,
                other => other.to_string(),
            };
            facts.push((name.replace('_', "-"), value));
        }
        Ok(Row(ReadFacts(facts)))
    }
}
