//! Which files there are: those that git would list, the filters of the user, and what was named.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use super::rules::Rules;
use super::scope::Scope;
use super::{Globs, Named, Repository, map_in_order};
use crate::fs::EntryKind;
use crate::git;
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
    /// It is a rule file that could not be read, for this cause; what it would have us ignore is not ignored.
    Rules(String),
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours => f.write_str("it is a pack or a manifest of twostep"),
            Self::Special => f.write_str("it is a device, pipe or socket"),
            Self::Secret => f.write_str("its path holds a secret"),
            Self::Failed(cause) => f.write_str(cause),
            Self::Rules(cause) => write!(f, "its rules are not used: {cause}"),
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
    let walk = |scope| Walk {
        repository,
        threads: options.threads,
        scope,
    };
    let mut found = walk(&scope).run(None);
    // A folder that was named and not reached is ignored; what is in it is not, for it was named.
    for folder in scope.folders() {
        if !found.named_folders.contains(folder) {
            found.append(walk(&Scope::Everything).run(Some(folder)));
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
    /// Folders that are to be looked into.
    folders: Vec<Folder>,
}

/// A folder that is walked; the root has no path.
struct Folder {
    path: Option<RepoPath>,
    /// The rules that hold for what is in the folder it is in; none where the walk begins.
    above: Option<Arc<Rules>>,
}

impl Found {
    fn append(&mut self, mut more: Self) {
        self.candidates.append(&mut more.candidates);
        self.skipped.append(&mut more.skipped);
        self.named_folders.append(&mut more.named_folders);
        self.folders.append(&mut more.folders);
    }

    fn take(&mut self, path: RepoPath, kind: Kind) {
        self.candidates.push(Candidate {
            path,
            kind,
            named: false,
        });
    }

    fn skip(&mut self, path: Option<&RepoPath>, why: SkipReason) {
        self.skipped.push(Skipped {
            path: path.map_or(".".to_owned(), ToString::to_string),
            why,
        });
    }
}

/// One walk: level by level, the folders of a level in parallel.
struct Walk<'a> {
    repository: &'a Repository,
    threads: NonZeroUsize,
    scope: &'a Scope,
}

impl Walk<'_> {
    /// Walks the repository, or just `folder`, with no rules from above it.
    fn run(&self, folder: Option<&RepoPath>) -> Found {
        let mut all = Found::default();
        let mut level = vec![Folder {
            path: folder.cloned(),
            above: None,
        }];
        while !level.is_empty() {
            let look = |index: usize| self.look_into(&level[index]);
            let take = |_, found| {
                all.append(found);
                Ok::<(), Infallible>(())
            };
            let Ok(()) = map_in_order(level.len(), self.threads, usize::MAX, |_| 0, look, take);
            level = std::mem::take(&mut all.folders);
        }
        all
    }

    /// Lists a folder, beneath the root and not through a link, and sorts out what is in it.
    fn look_into(&self, folder: &Folder) -> Found {
        let mut found = Found::default();
        let path = folder.path.as_ref();
        let entries = match self.repository.root.list(path) {
            Ok(entries) => entries,
            Err(error) => {
                found.skip(path, SkipReason::Failed(error.source.to_string()));
                return found;
            }
        };
        if let Some(path) = path.filter(|_| folder.above.is_some()) {
            let git = self.repository.git.as_ref();
            if self.scope.folders().contains(path) {
                found.named_folders.insert(path.clone());
            } else if git.is_some_and(|git| git.has_submodule(path)) {
                // Git does not look into it, and the index tells of it.
                return found;
            } else if git.is_some() && self.is_repository(path, &entries) {
                // Nor into this; without git, all of a folder is looked into.
                if self.scope.holds(path) {
                    found.take(path.clone(), Kind::Repository);
                }
                return found;
            }
        }
        let rules = self.rules(folder, &entries, &mut found);
        for (path, kind) in entries {
            let is_folder = kind == EntryKind::Folder;
            let is_meant = match kind {
                EntryKind::Folder => self.scope.reaches(&path),
                _ => self.scope.holds(&path),
            };
            if !is_meant || path.name() == b".git" || rules.ignore(&path, is_folder) {
                continue;
            }
            match kind {
                EntryKind::Folder => found.folders.push(Folder {
                    path: Some(path),
                    above: Some(Arc::clone(&rules)),
                }),
                EntryKind::File => found.take(path, Kind::File),
                EntryKind::Link => found.take(path, Kind::Link),
                EntryKind::Special => found.skip(Some(&path), SkipReason::Special),
            }
        }
        found
    }

    fn is_repository(&self, folder: &RepoPath, entries: &[(RepoPath, EntryKind)]) -> bool {
        let place = self.repository.root.path().join(folder.as_path());
        entries.iter().any(|(path, _)| path.name() == b".git") && git::is_repository(&place)
    }

    /// Reads the rules that hold in a folder, and tells of those that cannot be read.
    fn rules(
        &self,
        folder: &Folder,
        entries: &[(RepoPath, EntryKind)],
        found: &mut Found,
    ) -> Arc<Rules> {
        let (root, git) = (&self.repository.root, self.repository.git.as_ref());
        let has = |name: &[u8]| {
            let mut files = entries.iter().filter(|(_, kind)| *kind == EntryKind::File);
            files.any(|(path, _)| path.name() == name)
        };
        let mut unread = Vec::new();
        let path = folder.path.as_ref();
        let rules = match &folder.above {
            None => Rules::begin(root, git, path, has, &mut unread),
            Some(above) => Arc::clone(above).enter(root, path, has, &mut unread),
        };
        found
            .skipped
            .extend(unread.into_iter().map(|rules| Skipped {
                path: rules.path,
                why: SkipReason::Rules(rules.why),
            }));
        rules
    }
}
