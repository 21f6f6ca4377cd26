//! A pack read back, file by file, whatever its format.

mod json;
mod lines;
mod xml;

use std::collections::BTreeSet;
use std::io::{BufRead, Cursor, Read};

use super::facts::ReadFacts;
use super::{Damaged, Format, markdown, plain};
use crate::path::{InvalidRepoPath, RepoPath};

/// A file as a pack holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedFile {
    /// Its path; not yet checked against the place it goes to.
    pub path: RepoPath,
    /// Its exact bytes; none if the pack only lists it, or holds altered text.
    pub bytes: Option<Vec<u8>>,
    /// Its bytes as they were altered, with placeholders for secrets.
    pub altered: Option<Vec<u8>>,
    /// Whether the pack shows only some of its lines.
    pub is_shortened: bool,
    /// What is known of it where it is only listed.
    pub listed: Option<Listed>,
}

/// What a pack says of a file that it only lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Why: the name of a [`Reason`](crate::repo::Reason).
    pub kind: String,
    /// Its size, where it is a file whose size is known.
    pub bytes: Option<u64>,
    /// Where it leads, if it is a link.
    pub target: Option<Vec<u8>>,
}

/// What a pack said of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// How many files it holds in full and exactly.
    pub n_exact: usize,
    /// How many it shows in part.
    pub n_shortened: usize,
    /// How many it only lists, or holds altered.
    pub n_other: usize,
    /// How many files did not fit in it.
    pub n_unfit: usize,
}

/// A document that cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It is not well-formed.
    #[error("the document is not well-formed, at {place}: {why}")]
    Malformed {
        /// Where.
        place: String,
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
    /// A file has facts that mean nothing.
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
            Self::Malformed { .. }
            | Self::Cut
            | Self::Miscounted { .. }
            | Self::Damaged { .. }
            | Self::Twice(_) => "make the pack again; it was changed or cut after it was written",
        }
    }
}

/// The format that every document states and this module reads.
const FORMAT: &str = "1";

/// Reads a pack in any format and hands each of its files to `take`, in the order of the document.
///
/// # Errors
///
/// Fails on a document that is not a whole, well-formed pack, and with the errors of `take`.
pub fn unpack<E: From<UnpackError>>(
    pack: impl BufRead,
    take: impl FnMut(PackedFile) -> Result<(), E>,
) -> Result<Unpacked, E> {
    let (format, pack) = recognize(pack)?;
    let mut files = Files {
        take,
        unpacked: Unpacked::default(),
        n_full: 0,
        seen: BTreeSet::new(),
        said: None,
    };
    match format {
        Format::Xml => xml::read(pack, &mut files)?,
        Format::Markdown => lines::read(&markdown::MARKS, pack, &mut files)?,
        Format::Json => json::read(pack, &mut files)?,
        Format::Plain => lines::read(&plain::MARKS, pack, &mut files)?,
    }
    Ok(files.end()?)
}

/// Finds the format of a pack by its first bytes; what is none is left to XML, which may begin in many ways.
fn recognize<R: BufRead>(mut pack: R) -> Result<(Format, impl BufRead), UnpackError> {
    let longest = Format::ALL
        .map(|format| format.head().len())
        .into_iter()
        .max();
    let mut head = Vec::new();
    let n_bytes = longest.unwrap_or(0) as u64;
    pack.by_ref()
        .take(n_bytes)
        .read_to_end(&mut head)
        .map_err(|error| unreadable(&error))?;
    let begins = |format: &Format| head.starts_with(format.head().as_bytes());
    let format = match Format::ALL.into_iter().find(begins) {
        Some(format) => format,
        // Another program may have set it in another way.
        None if head.trim_ascii_start().starts_with(b"{") => Format::Json,
        None => Format::Xml,
    };
    Ok((format, Cursor::new(head).chain(pack)))
}

fn unreadable(error: &std::io::Error) -> UnpackError {
    UnpackError::Malformed {
        place: "its beginning".to_owned(),
        why: error.to_string(),
    }
}

/// The files that were found so far, and who takes them.
struct Files<F> {
    take: F,
    unpacked: Unpacked,
    n_full: usize,
    seen: BTreeSet<RepoPath>,
    said: Option<String>,
}

impl<F> Files<F> {
    /// Hands a file on, with its text if it has one; line breaks of the format are taken away.
    fn add<E: From<UnpackError>>(
        &mut self,
        facts: &ReadFacts,
        text: Option<Result<&str, Damaged>>,
    ) -> Result<(), E>
    where
        F: FnMut(PackedFile) -> Result<(), E>,
    {
        self.n_full += usize::from(text.is_some() && facts.is_full());
        let file = packed_file(facts, text)?;
        if !self.seen.insert(file.path.clone()) {
            return Err(UnpackError::Twice(file.path).into());
        }
        if file.bytes.is_some() {
            self.unpacked.n_exact += 1;
        } else if file.is_shortened {
            self.unpacked.n_shortened += 1;
        } else {
            self.unpacked.n_other += 1;
        }
        (self.take)(file)
    }

    /// Takes what the totals say.
    fn totals(&mut self, n_full: Option<String>) -> Result<(), UnpackError> {
        if self.said.is_some() {
            return Err(UnpackError::NotAPack("it has its totals twice"));
        }
        self.said = n_full;
        Ok(())
    }

    fn end(self) -> Result<Unpacked, UnpackError> {
        match self.said {
            Some(said) if said != self.n_full.to_string() => Err(UnpackError::Miscounted {
                said,
                found: self.n_full,
            }),
            None => Err(UnpackError::NotAPack("it has no totals")),
            Some(_) => Ok(self.unpacked),
        }
    }
}

fn packed_file(
    facts: &ReadFacts,
    text: Option<Result<&str, Damaged>>,
) -> Result<PackedFile, UnpackError> {
    let name = facts
        .get("path")
        .ok_or(UnpackError::NotAPack("a file has no path"))?;
    let unknown = || UnpackError::Carriage(name.to_owned());
    if !facts.are_known() {
        return Err(unknown());
    }
    let path = facts.path(name).ok_or_else(unknown)??;
    let is_shortened = facts.is_shortened() && text.is_some();
    let Some(text) = text.filter(|_| facts.is_full()) else {
        let listed = facts.as_listed().ok_or_else(unknown)?;
        return Ok(PackedFile {
            path,
            bytes: None,
            altered: None,
            is_shortened,
            listed: (!is_shortened).then_some(listed),
        });
    };
    let carriage = facts.carriage().ok_or_else(unknown)?;
    match text.and_then(|text| carriage.restore(text)) {
        Ok(held) => {
            let is_altered = facts.get("altered").is_some();
            let (bytes, altered) = if is_altered {
                (None, Some(held))
            } else {
                (Some(held), None)
            };
            Ok(PackedFile {
                path,
                bytes,
                altered,
                is_shortened,
                listed: None,
            })
        }
        Err(source) => Err(UnpackError::Damaged { path, source }),
    }
}
