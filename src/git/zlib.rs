//! The compression of git's objects and binary patches.

use std::io::Write;

use gix::zlib::stream::{deflate::Write as Deflate, inflate};
use gix::zlib::{Compression, Decompress};

/// Compresses `bytes`.
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut writer = Deflate::new(Vec::new(), Compression::DEFAULT);
    // Memory takes all that is written to it.
    let _ = writer.write_all(bytes).and_then(|()| writer.flush());
    writer.into_inner()
}

/// Decompresses to exactly `n` bytes; none where `bytes` are damaged or hold more or less.
pub fn inflate(mut bytes: &[u8], n: usize) -> Option<Vec<u8>> {
    // Chunk by chunk, for `n` is what a file claims.
    let mut state = Decompress::default();
    let mut out = Vec::new();
    let mut chunk = [0; 1 << 13];
    loop {
        let read = inflate::read(&mut bytes, &mut state, &mut chunk).ok()?;
        out.extend_from_slice(&chunk[..read]);
        if read == 0 || out.len() > n {
            return (out.len() == n).then_some(out);
        }
    }
}
