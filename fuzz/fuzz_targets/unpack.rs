//! Any bytes as a pack: an error or files, each path clean and once.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use twostep::pack::{UnpackError, unpack};

fuzz_target!(|input: &[u8]| {
    let mut paths = BTreeSet::new();
    let _ = unpack(input, |file| {
        assert!(!file.path.as_bytes().starts_with(b"/"));
        assert!(
            file.path
                .components()
                .all(|name| name != b".." && name != b"." && !name.is_empty())
        );
        assert!(paths.insert(file.path));
        Ok::<(), UnpackError>(())
    });
});
