//! The files of a repository, found by path, by ending and by likeness.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::symbol::Symbol;
use crate::path::RepoPath;

/// How alike two names must be for one to be offered in the place of the other.
const NEAR: f64 = 0.7;

/// How many paths are offered for one that is missing.
const MAX_NEAREST: usize = 3;

/// How many files are compared closely with one that is missing.
const MAX_COMPARED: usize = 50;

/// How often a file is followed from name to name.
const MAX_RENAMES: usize = 32;

/// The files of the repository, and the folders above them.
pub struct Tree {
    /// For each name that is defined in them, where.
    pub symbols: HashMap<String, Vec<Symbol>>,
    /// For paths that are there no more, what they were renamed to.
    pub renames: BTreeMap<RepoPath, RepoPath>,
    /// Sorted by text.
    files: Vec<File>,
    folders: HashMap<String, RepoPath>,
    /// For each file name its files, in order.
    names: BTreeMap<String, Vec<usize>>,
    extensions: HashSet<String>,
}

/// A file, and its path as a pack shows it and a plan writes it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct File {
    text: String,
    path: RepoPath,
}

impl Tree {
    /// Takes the files of the repository; of what they define and were named, nothing is known.
    pub fn new(files: impl IntoIterator<Item = RepoPath>) -> Self {
        let mut files: Vec<File> = files
            .into_iter()
            .map(|path| File {
                text: path.escaped().0.into_owned(),
                path,
            })
            .collect();
        files.sort_unstable();
        files.dedup();
        let mut folders = HashMap::new();
        let mut names: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut extensions = HashSet::new();
        for (at, file) in files.iter().enumerate() {
            let mut folder = file.path.folder();
            while let Ok(path) = RepoPath::parse(folder) {
                let text = path.escaped().0.into_owned();
                folder = &folder[..path.folder().len()];
                if folders.insert(text, path).is_some() {
                    break;
                }
            }
            let name = name_of(&file.text);
            names.entry(name.to_owned()).or_default().push(at);
            if let Some((stem, extension)) = name.rsplit_once('.')
                && !stem.is_empty()
            {
                extensions.insert(extension.to_owned());
            }
        }
        Self {
            symbols: HashMap::new(),
            renames: BTreeMap::new(),
            files,
            folders,
            names,
            extensions,
        }
    }

    /// Says whether `path` is a file of the tree.
    pub fn holds(&self, path: &RepoPath) -> bool {
        self.files
            .binary_search_by(|file| {
                let text = file.text.as_str().cmp(path.escaped().0.as_ref());
                text.then_with(|| file.path.cmp(path))
            })
            .is_ok()
    }

    /// Returns the file at `text`.
    pub(super) fn file(&self, text: &str) -> Option<&RepoPath> {
        let at = self
            .files
            .binary_search_by(|file| file.text.as_str().cmp(text));
        at.ok().map(|at| &self.files[at].path)
    }

    /// Returns the file that the one at `text` was renamed to.
    pub(super) fn renamed(&self, text: &str) -> Option<&RepoPath> {
        let mut path = RepoPath::parse(text.as_bytes()).ok()?;
        for _ in 0..MAX_RENAMES {
            let new = self.renames.get(&path)?;
            if let Some(file) = self.file(&new.escaped().0) {
                return Some(file);
            }
            path = new.clone();
        }
        None
    }

    /// Returns the folder at `text`.
    pub(super) fn folder(&self, text: &str) -> Option<&RepoPath> {
        self.folders.get(text)
    }

    /// Returns the files whose last components are those of `text`, in order.
    pub(super) fn ending(&self, text: &str) -> Vec<&RepoPath> {
        let with_name = self.names.get(name_of(text)).into_iter().flatten();
        with_name
            .map(|&at| &self.files[at])
            .filter(|file| ends_with(&file.text, text))
            .map(|file| &file.path)
            .collect()
    }

    /// Says whether some file has this name.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Says whether some file has this extension.
    pub(super) fn has_extension(&self, extension: &str) -> bool {
        self.extensions.contains(extension)
    }

    /// Returns the files that `text` may have meant, best first.
    ///
    /// What differs in case only comes first, then files of the same name, then the most alike.
    pub(super) fn nearest(&self, text: &str) -> Vec<RepoPath> {
        let name = name_of(text);
        let mut named: Vec<(f64, usize)> = Vec::new();
        for (known, files) in &self.names {
            let likeness = name_likeness(known, name);
            if likeness >= NEAR {
                named.extend(files.iter().map(|&at| (likeness, at)));
            }
        }
        // A name such as `index.ts` has thousands of files: only those in folders of the same names are compared.
        let wanted: HashSet<&str> = text.split('/').collect();
        named.sort_by_cached_key(|&(_, at)| {
            let components = self.files[at].text.split('/');
            Reverse(
                components
                    .filter(|component| wanted.contains(component))
                    .count(),
            )
        });
        named.truncate(MAX_COMPARED);
        named.sort_by(|&(a_name, a), &(b_name, b)| {
            let rank = |name_likeness: f64, at: usize| {
                let known = self.files[at].text.as_str();
                let same_case = known.to_lowercase() == text.to_lowercase();
                let likeness = strsim::normalized_damerau_levenshtein(known, text) + name_likeness;
                (same_case, name_of(known) == name, likeness)
            };
            let (a_rank, b_rank) = (rank(a_name, a), rank(b_name, b));
            (b_rank.0, b_rank.1)
                .cmp(&(a_rank.0, a_rank.1))
                .then(b_rank.2.total_cmp(&a_rank.2))
                .then(a.cmp(&b))
        });
        let best = named.into_iter().take(MAX_NEAREST);
        best.map(|(_, at)| self.files[at].path.clone()).collect()
    }
}

/// Returns the last component of `text`.
pub(super) fn name_of(text: &str) -> &str {
    text.rsplit_once('/').map_or(text, |(_, name)| name)
}

/// Says whether the last components of `path` are those of `end`.
pub(super) fn ends_with(path: &str, end: &str) -> bool {
    path.strip_suffix(end)
        .is_some_and(|start| start.is_empty() || start.ends_with('/'))
}

/// Returns how alike two file names are; 0 where they plainly are not.
fn name_likeness(a: &str, b: &str) -> f64 {
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    // An edit changes at most two letters of the set: most names are told apart without a table of edits.
    let letters = |name: &str| name.bytes().fold(0u64, |set, byte| set | 1 << (byte & 63));
    let longer = u32::try_from(a.len().max(b.len())).unwrap_or(u32::MAX);
    let most_edits = longer / 3;
    let too_different = (letters(&a) ^ letters(&b)).count_ones() > 2 * most_edits;
    if too_different || a.len().abs_diff(b.len()) > most_edits as usize {
        return 0.0;
    }
    strsim::normalized_damerau_levenshtein(&a, &b)
}
