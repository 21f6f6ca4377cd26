//! Which files there are: those that git would list, the filters of the user, and what was named.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::rules::Rules;
use super::scope::Scope;
use super::{Globs, Named, Repository};
use crate::fs::{self, EntryKind};
use crate::path::RepoPath;

/// A file that a pack may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its path.
    pub path: RepoPath,
    /// What it is.
    pub kind: Kind,
    /// Whether the user named it: it is then packed in full, even if it is ignored or of a kind that is only listed.
    pub named: bool,
}

/// What a candidate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// Another repository at a fixed commit.
    Submodule,
    /// Another repository, inside this one and not tracked by it.
    Repository,
}

/// Something that was passed over and is no candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its path, as text that a terminal can show.
    pub path: String,
    /// Why.
    pub why: SkipReason,
}

/// Why something is no candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// We wrote it: a pack or a manifest.
    Ours,
    /// It is a device, pipe or socket.
    Special,
    /// Its path holds a secret.
    Secret,
    /// The system refused to say what it is.
    Failed(String),
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours => f.write_str("it is a pack or a manifest of twostep"),
            Self::Special => f.write_str("it is a device, pipe or socket"),
            Self::Secret => f.write_str("its path holds a secret"),
            Self::Failed(cause) => f.write_str(cause),
        }
    }
}

/// What a scan found.
#[derive(Debug, Default)]
pub struct Scan {
    /// The candidates, sorted by path, each once.
    pub candidates: Vec<Candidate>,
    /// What was passed over, sorted.
    pub skipped: Vec<Skipped>,
    /// How many candidates the globs left out.
    pub n_filtered: usize,
}

/// What to scan, and how.
pub struct ScanOptions<'a> {
    /// What was named; candidates are these and what is in them.
    pub named: &'a [Named],
    /// Which candidates are taken.
    pub globs: &'a Globs,
    /// Files that are ours to write: never candidates unless they were named.
    pub outputs: &'a [PathBuf],
    /// File name endings, each with how such a file of ours begins: it is left out unless it was named.
    pub our_heads: &'a [(&'a str, &'a str)],
    /// How many threads walk.
    pub threads: NonZeroUsize,
}

/// Finds the candidates among what was named.
pub fn scan(repository: &Repository, options: &ScanOptions<'_>) -> Scan {
    let scope = Scope::of(options.named);
    let mut found = Walk::new(repository, options.threads, &scope).run(None);
    // A folder that was named and not reached is ignored; what is in it is not, for it was named.
    for folder in scope.folders() {
        if !found.named_folders.contains(folder) {
            found.append(
                Walk::new(repository, options.threads, &Scope::Everything).run(Some(folder)),
            );
        }
    }
    found
        .candidates
        .sort_unstable_by(|a, b| a.path.cmp(&b.path));
    add_tracked(repository, &scope, &mut found.candidates);
    for named in options.named {
        if let Named::File(path) = named {
            let kind = repository.root.kind(path).map_or(Kind::File, |kind| {
                if kind == EntryKind::Link {
                    Kind::Link
                } else {
                    Kind::File
                }
            });
            found.candidates.push(Candidate {
                path: path.clone(),
                kind,
                named: true,
            });
        }
    }
    let mut candidates = found.candidates;
    // Of the same path, what was named comes first, and what git says of it before what was walked.
    candidates.sort_by(|a, b| a.path.cmp(&b.path).then_with(|| rank(a).cmp(&rank(b))));
    candidates.dedup_by(|later, first| later.path == first.path);
    let n_found = candidates.len();
    candidates.retain(|candidate| options.globs.take(&candidate.path));
    let n_filtered = n_found - candidates.len();
    let mut skipped = found.skipped;
    candidates.retain(|candidate| {
        let ours = ours(repository, options, candidate);
        if ours == Some(Ours::Old) {
            skipped.push(Skipped {
                path: candidate.path.to_string(),
                why: SkipReason::Ours,
            });
        }
        ours.is_none()
    });
    skipped.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Scan {
        candidates,
        skipped,
        n_filtered,
    }
}

fn rank(candidate: &Candidate) -> u8 {
    match (candidate.named, candidate.kind) {
        (true, _) => 0,
        (false, Kind::Submodule) => 1,
        (false, Kind::File | Kind::Link | Kind::Repository) => 2,
    }
}

/// Adds what git tracks although it is ignored, and what it knows to be another repository.
fn add_tracked(repository: &Repository, scope: &Scope, walked: &mut Vec<Candidate>) {
    let Some(git) = &repository.git else {
        return;
    };
    let n_walked = walked.len();
    for tracked in git
        .tracked
        .iter()
        .filter(|tracked| scope.holds(&tracked.path))
    {
        let is_walked = walked[..n_walked]
            .binary_search_by(|candidate| candidate.path.cmp(&tracked.path))
            .is_ok();
        if is_walked && !tracked.is_submodule {
            continue;
        }
        let kind = match repository.root.kind(&tracked.path) {
            Ok(EntryKind::Folder) if tracked.is_submodule => Kind::Submodule,
            Ok(EntryKind::File) => Kind::File,
            Ok(EntryKind::Link) => Kind::Link,
            // Deleted from the tree, or replaced by something else.
            _ => continue,
        };
        walked.push(Candidate {
            path: tracked.path.clone(),
            kind,
            named: false,
        });
    }
}

/// A file that we write.
#[derive(PartialEq, Eq)]
enum Ours {
    /// It is about to be written, or replaced.
    Next,
    /// It was written before.
    Old,
}

/// Says whether a candidate that was not named is a file of ours.
fn ours(repository: &Repository, options: &ScanOptions<'_>, candidate: &Candidate) -> Option<Ours> {
    if candidate.named || candidate.kind != Kind::File {
        return None;
    }
    let path = &candidate.path;
    let place = repository.root.path().join(path.as_path());
    if options.outputs.contains(&place) {
        return Some(Ours::Next);
    }
    // Looking into every file would cost as much as reading them; ours end so unless somebody took care.
    let heads = options.our_heads.iter();
    let mut heads = heads.filter(|(ending, _)| path.name().ends_with(ending.as_bytes()));
    let begins = |head: &str| {
        let found = repository.root.head(path, head.len() as u64);
        found.is_ok_and(|found| found == head.as_bytes())
    };
    heads.any(|(_, head)| begins(head)).then_some(Ours::Old)
}

/// What a walk has found so far.
#[derive(Default)]
struct Found {
    candidates: Vec<Candidate>,
    skipped: Vec<Skipped>,
    named_folders: BTreeSet<RepoPath>,
}

impl Found {
    fn append(&mut self, mut more: Self) {
        self.candidates.append(&mut more.candidates);
        self.skipped.append(&mut more.skipped);
        self.named_folders.append(&mut more.named_folders);
    }
}

/// One parallel walk.
struct Walk<'a> {
    repository: &'a Repository,
    threads: NonZeroUsize,
    scope: &'a Scope,
    found: Mutex<Found>,
    /// The rules of each folder that was entered, by its path; that of the root is empty.
    rules: Mutex<HashMap<Vec<u8>, Arc<Rules>>>,
}

/// What one thread of a walk has found; handed over when the thread ends.
struct Visitor<'a> {
    walk: &'a Walk<'a>,
    found: Found,
    /// The folder whose rules were asked last, and they.
    last: Option<(Vec<u8>, Arc<Rules>)>,
}

impl<'a> Walk<'a> {
    fn new(repository: &'a Repository, threads: NonZeroUsize, scope: &'a Scope) -> Self {
        Self {
            repository,
            threads,
            scope,
            found: Mutex::new(Found::default()),
            rules: Mutex::new(HashMap::new()),
        }
    }

    /// Walks the repository, or just `folder`, with no rules from above it.
    fn run(self, folder: Option<&RepoPath>) -> Found {
        let root = &self.repository.root;
        let (start, key, rules) = match folder {
            None => (
                root.path().to_owned(),
                &b""[..],
                Rules::of_root(root, self.repository.git.as_ref()),
            ),
            Some(folder) => (
                root.path().join(folder.as_path()),
                folder.as_bytes(),
                Rules::of_folder(root, folder),
            ),
        };
        self.remember(key, rules);
        WalkBuilder::new(start)
            .standard_filters(false)
            .threads(self.threads.get())
            .build_parallel()
            .run(|| {
                let mut visitor = Visitor {
                    walk: &self,
                    found: Found::default(),
                    last: None,
                };
                Box::new(move |entry| match entry {
                    Ok(entry) => visitor.visit(&entry),
                    Err(error) => {
                        visitor.skip(&error);
                        WalkState::Continue
                    }
                })
            });
        self.found
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, folder: &[u8], rules: Arc<Rules>) {
        let mut all = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(folder.to_vec(), rules);
    }
}

impl Visitor<'_> {
    /// Returns the rules of the folder that `path` is in. A folder is visited before what is in it.
    fn rules(&mut self, path: &RepoPath) -> Option<Arc<Rules>> {
        let folder = path.folder();
        if let Some((_, rules)) = self.last.as_ref().filter(|(last, _)| last == folder) {
            return Some(Arc::clone(rules));
        }
        let all = self
            .walk
            .rules
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let rules = Arc::clone(all.get(folder)?);
        self.last = Some((folder.to_vec(), Arc::clone(&rules)));
        Some(rules)
    }

    fn visit(&mut self, entry: &DirEntry) -> WalkState {
        let repository = self.walk.repository;
        let relative = entry
            .path()
            .strip_prefix(repository.root.path())
            .unwrap_or(entry.path());
        // The root itself has no path in it.
        let (Ok(path), Some(file_type)) = (
            RepoPath::parse(relative.as_os_str().as_bytes()),
            entry.file_type(),
        ) else {
            return WalkState::Continue;
        };
        if entry.file_name() == ".git" {
            return WalkState::Skip;
        }
        // Without rules it is the folder that the walk began with.
        let Some(rules) = self.rules(&path).filter(|_| entry.depth() > 0) else {
            return WalkState::Continue;
        };
        if file_type.is_dir() {
            return self.enter(entry, path, rules);
        }
        if !self.walk.scope.holds(&path) || rules.ignore(&path, false) {
            return WalkState::Continue;
        }
        let kind = if file_type.is_file() {
            Kind::File
        } else if file_type.is_symlink() {
            Kind::Link
        } else {
            self.found.skipped.push(Skipped {
                path: path.to_string(),
                why: SkipReason::Special,
            });
            return WalkState::Continue;
        };
        self.found.candidates.push(Candidate {
            path,
            kind,
            named: false,
        });
        WalkState::Continue
    }

    fn enter(&mut self, entry: &DirEntry, path: RepoPath, rules: Arc<Rules>) -> WalkState {
        if rules.ignore(&path, true) {
            return WalkState::Skip;
        }
        let is_named = self.walk.scope.folders().contains(&path);
        // Git does not look into another repository; without git, all of a folder is looked into.
        let is_other = self.walk.repository.git.is_some() && fs::has_entry(entry.path(), ".git");
        if is_other && !is_named {
            if self.walk.scope.holds(&path) {
                self.found.candidates.push(Candidate {
                    path,
                    kind: Kind::Repository,
                    named: false,
                });
            }
            return WalkState::Skip;
        }
        if !self.walk.scope.reaches(&path) {
            return WalkState::Skip;
        }
        let rules = rules.enter(&self.walk.repository.root, &path);
        self.walk.remember(path.as_bytes(), rules);
        if is_named {
            self.found.named_folders.insert(path);
        }
        WalkState::Continue
    }

    fn skip(&mut self, error: &ignore::Error) {
        let (path, why) = parts(error);
        let path = path.map(|path| {
            path.strip_prefix(self.walk.repository.root.path())
                .unwrap_or(path)
        });
        let path = path.and_then(|path| RepoPath::parse(path.as_os_str().as_bytes()).ok());
        self.found.skipped.push(Skipped {
            path: path.map_or(".".to_owned(), |path| path.to_string()),
            why: SkipReason::Failed(why),
        });
    }
}

impl Drop for Visitor<'_> {
    fn drop(&mut self) {
        let mut all = self
            .walk
            .found
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.append(std::mem::take(&mut self.found));
    }
}

/// Takes an error of the walk apart: where it happened, and what.
fn parts(error: &ignore::Error) -> (Option<&Path>, String) {
    match error {
        ignore::Error::WithPath { path, err } => (Some(path), parts(err).1),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            parts(err)
        }
        other => (None, other.to_string()),
    }
}
