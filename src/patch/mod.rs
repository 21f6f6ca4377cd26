//! Patches in git's format: what `git apply` takes, a strict reading of the same, and the text of a difference for reading.
//!
//! In: changes with their bytes, or a patch. Out: a patch or a text, or a tree that a patch was applied to.
//! Invariant: what [`write()`] writes, [`apply()`] applies to the same tree with the same outcome as git.

mod apply;
mod base85;
mod hunks;
mod read;
mod text;
mod write;

pub use apply::apply;
pub use hunks::{differences, name};
pub use read::{PatchError, plain};
pub use text::{Binary, Side, text};
pub use write::{Change, write};

use crate::git::EntryKind;

/// What a path is that a patch can change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// A file.
    File,
    /// A file that may be executed.
    Executable,
    /// A symbolic link; its target stands for its bytes.
    Link,
}

impl Mode {
    fn kind(self) -> EntryKind {
        match self {
            Self::File => EntryKind::File,
            Self::Executable => EntryKind::Executable,
            Self::Link => EntryKind::Link,
        }
    }

    /// Reads a mode as git writes it.
    pub fn parse(text: &[u8]) -> Option<Self> {
        [Self::File, Self::Executable, Self::Link]
            .into_iter()
            .find(|mode| mode.kind().digits().as_bytes() == text)
    }
}

/// What follows a last line that no line break ends.
const NO_NEWLINE: &[u8] = b"\\ No newline at end of file";

/// The ids of nothing.
const NO_ID: &str = "0000000000000000000000000000000000000000";
