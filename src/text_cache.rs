//! What was found out of texts before, by their hashes: in a file of the user's cache.
//!
//! In: a topic and a text. Out: what was kept of them. The file is anybody's no more than the cache is; one that is damaged,
//! or was written by another build, is as none.
//!
//! Invariant: what is kept of a text depends on the topic and the text alone, so that all is the same with and without.

use std::collections::HashMap;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::fs::{self, FsError, Hash, Output};

/// What is known of texts. Shared by threads.
#[derive(Debug, Default)]
pub struct TextCache {
    /// What is known is written there; a cache without a place keeps nothing.
    place: Option<Place>,
    /// What was read, one after another.
    bytes: Vec<u8>,
    old: HashMap<Key, Known>,
    new: Mutex<HashMap<Key, Vec<u8>>>,
}

#[derive(Debug)]
struct Place {
    file: PathBuf,
    /// The build that writes it: another may find out other things.
    build: String,
}

/// Where in the bytes something is that is known.
#[derive(Debug)]
struct Known {
    at: Range<usize>,
    is_used: AtomicBool,
}

type Key = [u8; KEY_BYTES];

/// As many bytes of a hash tell all texts of the world apart.
const KEY_BYTES: usize = 16;

/// Each entry begins with its key and its length.
const HEAD_BYTES: usize = KEY_BYTES + 4;

/// How a file of ours begins, before the build and the hash of the rest.
const FORM: &str = "twostep cache 1";

/// The most that one file holds; what was not used goes first.
const MAX_BYTES: usize = 16 << 20;

/// How many files there are at most, one a repository; the oldest go first.
const MAX_FILES: usize = 16;

impl TextCache {
    /// Recalls what was kept for the repository at `root` in `folder`, by this `build`.
    pub fn open(folder: &Path, root: &Path, build: &str) -> Self {
        let name = Hash::of(root.as_os_str().as_encoded_bytes());
        let place = Place {
            file: folder.join(format!("{:032x}", u128::from_be_bytes(key_of(name)))),
            build: build.to_owned(),
        };
        let max_bytes = (2 * MAX_BYTES) as u64;
        let file = fs::read_regular(&place.file, max_bytes).unwrap_or_default();
        let bytes = whole(&file, build).unwrap_or_default().to_owned();
        Self {
            old: entries(&bytes).unwrap_or_default(),
            place: Some(place),
            bytes,
            new: Mutex::default(),
        }
    }

    /// Says whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.old.is_empty()
    }

    /// Returns what is known of a text, if it can be read; else finds it out, and keeps it as it is written, if it is.
    pub fn recall<T>(
        &self,
        topic: &str,
        text: &str,
        read: impl FnOnce(&[u8]) -> Option<T>,
        write: impl FnOnce(&T) -> Option<Vec<u8>>,
        find_out: impl FnOnce() -> T,
    ) -> T {
        if self.place.is_none() {
            return find_out();
        }
        let key = key_of(Hash::of_parts(&[topic.as_bytes(), b"\0", text.as_bytes()]));
        if let Some(known) = self.old.get(&key)
            && let Some(found) = read(&self.bytes[known.at.clone()])
        {
            known.is_used.store(true, Ordering::Relaxed);
            return found;
        }
        let found = find_out();
        if let Some(bytes) = write(&found) {
            let mut new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
            new.insert(key, bytes);
        }
        found
    }

    /// Writes what is known, if there is anything new.
    ///
    /// # Errors
    ///
    /// Fails where the folder cannot be written; nothing but time is lost then.
    pub fn save(&self) -> Result<(), FsError> {
        let new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = self.place.as_ref().filter(|_| !new.is_empty()) else {
            return Ok(());
        };
        let mut bytes = Vec::new();
        let mut add = |key: &Key, value: &[u8]| {
            let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
            if bytes.len() + HEAD_BYTES + value.len() <= MAX_BYTES {
                bytes.extend(key);
                bytes.extend(length.to_le_bytes());
                bytes.extend(value);
            }
        };
        for (key, value) in &*new {
            add(key, value);
        }
        for was_used in [true, false] {
            for (key, known) in &self.old {
                let is_next = known.is_used.load(Ordering::Relaxed) == was_used;
                if is_next && !new.contains_key(key) {
                    add(key, &self.bytes[known.at.clone()]);
                }
            }
        }
        let folder = place.file.parent().unwrap_or(Path::new("/"));
        fs::make_private_folders(folder)?;
        let mut output = Output::create(&place.file)?;
        let written = output
            .write_all(head(&place.build, &bytes).as_bytes())
            .and_then(|()| output.write_all(&bytes));
        written.map_err(FsError::of("write", &place.file))?;
        output.commit()?;
        forget(folder)
    }
}

/// Removes the oldest files where there are too many.
fn forget(folder: &Path) -> Result<(), FsError> {
    let files: Vec<PathBuf> = fs::list(folder)?
        .iter()
        .map(|name| folder.join(name))
        .collect();
    let mut by_age = Vec::new();
    for file in files {
        by_age.push((fs::age(&file)?, file));
    }
    by_age.sort();
    by_age
        .iter()
        .skip(MAX_FILES)
        .try_for_each(|(_, file)| fs::remove_file(file))
}

/// Returns what stands before the entries of a file.
fn head(build: &str, bytes: &[u8]) -> String {
    format!("{FORM} {build} {}\n", Hash::of(bytes))
}

/// Returns the entries of a file that is whole and of this build.
fn whole<'a>(file: &'a [u8], build: &str) -> Option<&'a [u8]> {
    let end = memchr::memchr(b'\n', file)? + 1;
    let (found, bytes) = file.split_at(end);
    (found == head(build, bytes).as_bytes()).then_some(bytes)
}

/// Finds the entries.
fn entries(bytes: &[u8]) -> Option<HashMap<Key, Known>> {
    let mut entries = HashMap::new();
    let mut at = 0;
    while at < bytes.len() {
        let key = bytes.get(at..at + KEY_BYTES)?;
        let length = bytes.get(at + KEY_BYTES..at + HEAD_BYTES)?;
        let length = u32::from_le_bytes(length.try_into().ok()?);
        let start = at + HEAD_BYTES;
        at = start.checked_add(usize::try_from(length).ok()?)?;
        bytes.get(start..at)?;
        let known = Known {
            at: start..at,
            is_used: AtomicBool::new(false),
        };
        entries.insert(key.try_into().ok()?, known);
    }
    Some(entries)
}

fn key_of(hash: Hash) -> Key {
    let mut key = Key::default();
    key.copy_from_slice(&hash.as_bytes()[..KEY_BYTES]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUILD: &str = "1.0";

    /// Recalls the length of a text; says whether it had to be found out.
    fn recalled(cache: &TextCache, text: &str) -> bool {
        let mut was_found_out = false;
        let length = cache.recall(
            "length",
            text,
            |bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)),
            |length| Some(length.to_le_bytes().to_vec()),
            || {
                was_found_out = true;
                text.len() as u64
            },
        );
        assert_eq!(length, text.len() as u64);
        !was_found_out
    }

    fn saved(folder: &Path, texts: &[&str]) -> PathBuf {
        let cache = TextCache::open(folder, Path::new("/a"), BUILD);
        for text in texts {
            recalled(&cache, text);
        }
        cache.save().unwrap();
        cache.place.unwrap().file
    }

    #[test]
    fn what_is_kept_is_recalled_by_the_same_build_for_the_same_root() {
        let folder = tempfile::tempdir().unwrap();
        saved(folder.path(), &["one", "three"]);
        saved(folder.path(), &["four"]);
        for (root, build, expected) in [
            ("/a", BUILD, [true, true, true, false]),
            ("/a", "1.1", [false; 4]),
            ("/b", BUILD, [false; 4]),
        ] {
            let cache = TextCache::open(folder.path(), Path::new(root), build);
            let found = ["one", "three", "four", "five"].map(|text| recalled(&cache, text));
            assert_eq!(found, expected, "{root} {build}");
        }
        let cache = TextCache::default();
        assert!(!recalled(&cache, "one") && !recalled(&cache, "one"));
        cache.save().unwrap();
    }

    #[test]
    fn what_is_damaged_is_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = saved(folder.path(), &["one", "three"]);
        let good = fs::read_regular(&file, 1 << 20).unwrap();
        let is_known = |bytes: &[u8]| {
            fs::write_durable(&file, bytes).unwrap();
            let cache = TextCache::open(folder.path(), Path::new("/a"), BUILD);
            let known = recalled(&cache, "one");
            cache.save().unwrap();
            known
        };
        assert!(is_known(&good));
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(!is_known(&bad), "{at}");
            assert!(!is_known(&good[..at]), "{at}");
        }
        assert!(!is_known(b"") && !is_known(b"\n") && !is_known(&[good.as_slice(), b"x"].concat()));
        // What has the right hash and makes no sense all the same.
        for bytes in [&b"short"[..], &[0xff; HEAD_BYTES]] {
            let file = [head(BUILD, bytes).as_bytes(), bytes].concat();
            assert!(!is_known(&file));
        }
    }

    #[test]
    fn what_is_not_used_goes_first_where_there_is_too_much() {
        let folder = tempfile::tempdir().unwrap();
        let third = vec![0; MAX_BYTES / 3];
        let keep = |texts: &[&str]| -> Vec<bool> {
            let cache = TextCache::open(folder.path(), Path::new("/a"), BUILD);
            let each = texts.iter().map(|text| {
                let write = |_: &bool| Some(third.clone());
                cache.recall("third", text, |_| Some(true), write, || false)
            });
            let known = each.collect();
            cache.save().unwrap();
            known
        };
        assert_eq!(keep(&["a", "b"]), [false, false]);
        assert_eq!(keep(&["b", "c"]), [true, false]);
        assert_eq!(keep(&["b", "c", "a"]), [true, true, false]);
    }

    #[test]
    fn there_are_no_more_files_than_there_may_be() {
        let folder = tempfile::tempdir().unwrap();
        for root in 0..MAX_FILES + 3 {
            let root = PathBuf::from(format!("/{root}"));
            let cache = TextCache::open(folder.path(), &root, BUILD);
            recalled(&cache, "one");
            cache.save().unwrap();
        }
        assert_eq!(fs::list(folder.path()).unwrap().len(), MAX_FILES);
        let last = PathBuf::from(format!("/{}", MAX_FILES + 2));
        assert!(recalled(
            &TextCache::open(folder.path(), &last, BUILD),
            "one"
        ));
    }
}
