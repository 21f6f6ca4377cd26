//! Patches in git's format: what `git apply` takes, and a strict reading of the same.
//!
//! In: changes with their bytes, or a patch. Out: a patch, or a tree that it was applied to.
//! Invariant: what [`write()`] writes, [`apply()`] applies to the same tree with the same outcome as git.

mod apply;
mod base85;
mod read;
mod write;

pub use apply::apply;
pub use read::PatchError;
pub use write::write;

use super::State;

/// What a path is, as git writes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    File,
    Executable,
    Link,
}

impl Mode {
    fn of(state: &State) -> Self {
        match state {
            State::Link { .. } => Self::Link,
            State::File {
                executable: true, ..
            } => Self::Executable,
            State::File {
                executable: false, ..
            } => Self::File,
        }
    }

    fn parse(text: &[u8]) -> Option<Self> {
        [Self::File, Self::Executable, Self::Link]
            .into_iter()
            .find(|mode| mode.text().as_bytes() == text)
    }

    fn text(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Link => "120000",
        }
    }
}

/// What follows a last line that no line break ends.
const NO_NEWLINE: &[u8] = b"\\ No newline at end of file";

/// The ids of nothing.
const NO_ID: &str = "0000000000000000000000000000000000000000";
