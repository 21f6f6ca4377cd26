//! Where a verb writes its result.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::exit::usage;
use super::printer::{Printer, Stdout};
use crate::fs::{FsError, Output};

/// Something that is written: stdout, or a file that is put in place at the end.
pub(super) enum Sink {
    /// Our stdout.
    Stdout(BufWriter<Stdout>),
    /// A file, and where it goes.
    File { out: Output, path: PathBuf },
}

impl Sink {
    /// Opens the file at `path`, or stdout.
    pub(super) fn open(path: Option<&Path>, printer: &Printer) -> anyhow::Result<Self> {
        Ok(match path {
            None => {
                let stdout = printer.stdout().map_err(|error| {
                    usage(error.to_string(), "write to a file, such as with `-o FILE`")
                })?;
                Self::Stdout(BufWriter::with_capacity(1 << 20, stdout))
            }
            Some(path) => Self::File {
                out: Output::create(path)?,
                path: path.to_owned(),
            },
        })
    }

    /// Says what could not be written.
    pub(super) fn failed(&self, error: io::Error) -> anyhow::Error {
        match self {
            Self::Stdout(_) => anyhow::Error::new(error).context("cannot write to stdout"),
            Self::File { path, .. } => FsError::of("write", path)(error).into(),
        }
    }

    /// Puts a file in place.
    pub(super) fn commit(self) -> anyhow::Result<()> {
        match self {
            Self::Stdout(_) => Ok(()),
            Self::File { out, .. } => Ok(out.commit()?),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File { out, .. } => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File { out, .. } => out.flush(),
        }
    }
}
