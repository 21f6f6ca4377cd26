//! Where sources are, for names of files and types to be found.

use std::collections::HashMap;

use super::{Source, is_test, types};
use crate::path::RepoPath;

/// A name that more files define says nothing.
const MAX_ALIKE: usize = 3;

/// Sources by the names that imports know them by.
pub(super) struct Places<'a> {
    pub(super) sources: &'a [Source],
    /// By the names of the files.
    by_name: HashMap<&'a [u8], Vec<usize>>,
    /// By the names of the files without their endings.
    by_stem: HashMap<&'a str, Vec<usize>>,
    /// By folder.
    by_folder: HashMap<&'a [u8], Vec<usize>>,
    /// By the types that they define.
    by_type: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Places<'a> {
    pub(super) fn of(sources: &'a [Source]) -> Self {
        let mut places = Self {
            sources,
            by_name: HashMap::new(),
            by_stem: HashMap::new(),
            by_folder: HashMap::new(),
            by_type: HashMap::new(),
        };
        for (at, source) in sources.iter().enumerate() {
            let path = &source.path;
            places.by_name.entry(path.name()).or_default().push(at);
            places.by_stem.entry(stem(path)).or_default().push(at);
            places.by_folder.entry(path.folder()).or_default().push(at);
            for name in types(source) {
                places.by_type.entry(name).or_default().push(at);
            }
        }
        places
    }

    /// Returns the file at `path`.
    pub(super) fn at(&self, path: &str) -> Option<usize> {
        let named = self.named(path).iter();
        let mut named = named.filter(|&&at| self.sources[at].path.as_bytes() == path.as_bytes());
        named.next().copied()
    }

    /// Returns the file whose path ends with `end`, the nearest to `from` of several.
    pub(super) fn ending(&self, end: &str, from: &RepoPath) -> Option<usize> {
        let named = self.named(end).iter().copied();
        let named = named.filter(|&at| ends_with(self.sources[at].path.as_bytes(), end));
        let distance = |&at: &usize| {
            let path = &self.sources[at].path;
            let n_common = n_common_folders(path, from);
            (usize::MAX - n_common, path.components().count(), path)
        };
        named.min_by_key(distance)
    }

    /// Returns the files in the folders whose paths end with `end`, or in those of them that are nearest to `from`.
    pub(super) fn in_folder(&self, end: &str, from: &RepoPath) -> Vec<usize> {
        let folders = self.by_folder.iter();
        let folders = folders.filter(|(folder, _)| !folder.is_empty() && ends_with(folder, end));
        let nearest = folders.min_by_key(|(folder, files)| {
            let n_common = n_common_folders(&self.sources[files[0]].path, from);
            (usize::MAX - n_common, folder.len(), **folder)
        });
        nearest.map_or_else(Vec::new, |(_, files)| files.clone())
    }

    /// Returns the files in the folder of `path`.
    pub(super) fn beside(&self, path: &RepoPath) -> &[usize] {
        let files = self.by_folder.get(path.folder());
        files.map_or(&[], Vec::as_slice)
    }

    /// Returns the files in the folder at `path`.
    pub(super) fn exactly_in(&self, path: &str) -> &[usize] {
        let files = self.by_folder.get(path.as_bytes());
        files.map_or(&[], Vec::as_slice)
    }

    /// Returns the files whose names are `stem` and an ending, and no tests; of several the nearest to `from`.
    pub(super) fn with_stem(&self, stem: &str, from: &RepoPath) -> Vec<usize> {
        let mut files = self.by_stem.get(stem).cloned().unwrap_or_default();
        files.retain(|&at| !is_test(&self.sources[at]));
        let n_common = |at: usize| n_common_folders(&self.sources[at].path, from);
        let most = files.iter().map(|&at| n_common(at)).max();
        files.retain(|&at| Some(n_common(at)) == most);
        files
    }

    /// Returns the files that define the type `name`, if they are few.
    pub(super) fn defining(&self, name: &str) -> &[usize] {
        let files = self.by_type.get(name).map_or(&[][..], Vec::as_slice);
        if files.len() > MAX_ALIKE { &[] } else { files }
    }

    fn named(&self, path: &str) -> &[usize] {
        let name = path.rsplit('/').next().unwrap_or(path);
        let files = self.by_name.get(name.as_bytes());
        files.map_or(&[], Vec::as_slice)
    }
}

/// Returns the name of a file without its ending.
pub(super) fn stem(path: &RepoPath) -> &str {
    let name = std::str::from_utf8(path.name()).unwrap_or_default();
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Says in how many folders both files are, counted from the root.
pub(super) fn n_common_folders(one: &RepoPath, other: &RepoPath) -> usize {
    one.folders()
        .zip(other.folders())
        .take_while(|(one, other)| one == other)
        .count()
}

/// Says whether a path is `end`, or ends with it as with names of its own.
fn ends_with(path: &[u8], end: &str) -> bool {
    let rest = path.strip_suffix(end.as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(b"/"))
}

/// Returns where `name` leads from `folder`; nothing, where that is outside.
pub(super) fn joined(folder: &str, name: &str) -> Option<String> {
    let mut names: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
    for name in name.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()?),
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}
