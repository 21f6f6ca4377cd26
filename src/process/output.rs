//! The files that a program's output goes to, read as they grow.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use super::{Command, Stream};
use crate::fs::{self, FsError};

/// Most bytes that are read at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// Both outputs of a program.
pub(super) struct Outputs {
    files: [(Stream, PathBuf, File); 2],
    /// How many bytes may come, and how many more.
    n_most: u64,
    n_room: u64,
    are_over: bool,
    buffer: Vec<u8>,
}

impl Outputs {
    /// Makes the files; they must not be there yet.
    pub(super) fn create(command: &Command, max_bytes: u64) -> Result<Self, FsError> {
        let create = |stream, path: &PathBuf| {
            fs::create_private(path).map(|file| (stream, path.clone(), file))
        };
        Ok(Self {
            files: [
                create(Stream::Stdout, &command.stdout)?,
                create(Stream::Stderr, &command.stderr)?,
            ],
            n_most: max_bytes,
            n_room: max_bytes,
            are_over: false,
            buffer: vec![0; BUFFER_BYTES],
        })
    }

    /// Says whether more bytes came than were allowed. No more are read then.
    pub(super) fn are_over(&self) -> bool {
        self.are_over
    }

    /// Gives `watch` a buffer of what is new in each file; says whether there was anything.
    pub(super) fn pass_on(
        &mut self,
        watch: &mut dyn FnMut(Stream, &[u8]),
    ) -> Result<bool, FsError> {
        let mut any = false;
        for (stream, path, file) in &mut self.files {
            if self.are_over {
                return Ok(false);
            }
            // A fast one is known by its size long before all of it is read.
            let size = file.metadata().map_err(FsError::of("look at", path))?.len();
            if size > self.n_most {
                self.are_over = true;
                return Ok(false);
            }
            let n = file
                .read(&mut self.buffer)
                .map_err(FsError::of("read", path))?;
            let n_allowed = n.min(usize::try_from(self.n_room).unwrap_or(usize::MAX));
            if n_allowed > 0 {
                watch(*stream, &self.buffer[..n_allowed]);
            }
            self.n_room -= n_allowed as u64;
            self.are_over = n > n_allowed;
            any |= n > 0;
        }
        Ok(any)
    }
}
