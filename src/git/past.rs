//! What git knows of a tree's past: revisions, the index with what it knows of files, the log.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashSet};
use std::ops::ControlFlow;
use std::path::Path;

use gix::index::entry::{Flags, Mode, Stage};

use super::config::Config;
use super::folder::GitFolder;
use super::{EntryKind, GitError, Id, ObjectError, Objects, PrivateRules};
use crate::fs::{Stat, Trace};
use crate::path::RepoPath;

/// A repository open for reading what it was.
///
/// Replacement objects and grafts are not asked: a commit is what its id says.
pub struct Past {
    git: GitFolder,
    repository: gix::Repository,
    index: gix::index::State,
    objects: Objects,
    shallow: HashSet<gix::ObjectId>,
    settings: TreeSettings,
    attributes: PrivateRules,
}

/// What git takes from the configuration when it reads a work tree.
#[derive(Clone, Copy, Debug)]
pub struct TreeSettings {
    /// Whether CR LF becomes LF in what looks like text and has no attribute (`core.autocrlf`).
    pub normalizes_line_ends: bool,
    /// Whether the permission to execute counts (`core.fileMode`).
    pub has_modes: bool,
    /// Whether there are symbolic links (`core.symlinks`).
    pub has_links: bool,
}

/// A path of the index.
#[derive(Clone, Debug)]
pub struct Staged {
    /// The path.
    pub path: RepoPath,
    /// What is there.
    pub kind: EntryKind,
    /// Its object.
    pub id: Id,
    /// How it stands.
    pub standing: Standing,
    trace: Option<Trace>,
}

/// How a path stands in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As any other.
    Plain,
    /// It is to be added, and is not yet.
    Intended,
    /// It is in conflict.
    Unmerged,
    /// It need not be in the work tree.
    Sparse,
    /// The user said that it does not change.
    Assumed,
}

/// A commit of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: String,
    /// When it was written, in the time of whoever wrote it: `2026-01-31 17:04:58 +0200`.
    pub date: String,
    /// Who wrote it, without the address.
    pub author: String,
    /// What was said, without the last line break.
    pub message: String,
    /// The files in which it differs from its first parent, sorted; none for a merge.
    pub files: Vec<RepoPath>,
}

/// A revision that names no commit.
#[derive(Debug, thiserror::Error)]
#[error("`{revision}` names no commit: {why}")]
pub struct UnknownRevision {
    revision: String,
    why: String,
}

/// The past could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// Git's files could not be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// An object could not be read.
    #[error(transparent)]
    Objects(#[from] ObjectError),
}

impl Staged {
    /// Says whether `stat` is what the index last saw of the file: its bytes are then those of the object.
    pub fn is_as(&self, stat: &Stat) -> bool {
        self.trace == Some(stat.trace)
    }
}

impl Past {
    /// Opens the repository of the work tree at `top`.
    ///
    /// # Errors
    ///
    /// Fails on a damaged or unknown kind of repository or index, and on a pipe or device among git's files.
    pub fn open(top: &Path) -> Result<Self, GitError> {
        let git = GitFolder::of(top)?;
        let config = Config::of(&git)?;
        let repository = git.open()?;
        let objects = Objects::open(&git.objects(), config.format());
        let shallow = repository.shallow_commits();
        let shallow = shallow.map_err(|cause| git.error(cause))?;
        let line_ends = config.text("core.autocrlf");
        let is_input = line_ends.is_some_and(|value| value.eq_ignore_ascii_case(b"input"));
        Ok(Self {
            index: git.index(config.format())?,
            objects: objects.map_err(|cause| git.error(cause))?,
            shallow: shallow
                .iter()
                .flat_map(|list| list.iter().copied())
                .collect(),
            settings: TreeSettings {
                normalizes_line_ends: is_input || config.switch("core.autocrlf") == Some(true),
                has_modes: config.switch("core.filemode") != Some(false),
                has_links: config.switch("core.symlinks") != Some(false),
            },
            attributes: config.attributes(top),
            repository,
            git,
        })
    }

    /// Returns the store of its objects.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Returns the commit that is checked out; none before the first one.
    ///
    /// # Errors
    ///
    /// Fails where it is missing or damaged.
    pub fn head(&self) -> Result<Option<Id>, GitError> {
        self.git.head()
    }

    /// Finds the commit that a revision names, as git writes revisions: an id, a branch, `HEAD~3`.
    ///
    /// # Errors
    ///
    /// Fails on what names nothing, more than one thing, or no commit.
    pub fn resolve(&self, revision: &str) -> Result<Id, UnknownRevision> {
        let spec = format!("{revision}^{{commit}}");
        let found = self.repository.rev_parse_single(spec.as_str());
        found
            .map(|id| Id(id.detach()))
            .map_err(|cause| UnknownRevision {
                revision: revision.to_owned(),
                why: match root_of(&cause).as_str() {
                    "NotFound" => "nothing has that name".to_owned(),
                    why => why.to_owned(),
                },
            })
    }

    /// Returns what the configuration says of the work tree.
    pub fn settings(&self) -> TreeSettings {
        self.settings
    }

    /// Returns the attribute rules that are not part of the tree.
    pub fn private_attributes(&self) -> &PrivateRules {
        &self.attributes
    }

    /// Returns every path of the index once, sorted.
    ///
    /// # Errors
    ///
    /// Fails where a folder that the index holds as one cannot be read.
    pub fn index(&self) -> Result<Vec<Staged>, ObjectError> {
        let written = self.index.timestamp();
        let written = (written.unix_seconds(), written.nanoseconds());
        let mut all: Vec<Staged> = Vec::with_capacity(self.index.entries().len());
        for entry in self.index.entries() {
            let name = entry.path(&self.index);
            if entry.mode == Mode::DIR {
                for (path, (kind, id)) in self.objects.entries_below(Id(entry.id), name)? {
                    all.push(Staged {
                        path,
                        kind,
                        id,
                        standing: Standing::Sparse,
                        trace: None,
                    });
                }
                continue;
            }
            let kind = match entry.mode {
                Mode::FILE_EXECUTABLE => EntryKind::Executable,
                Mode::SYMLINK => EntryKind::Link,
                Mode::COMMIT => EntryKind::Submodule,
                _ => EntryKind::File,
            };
            // What a made-up index holds and no tree can is nobody's.
            let Ok(path) = RepoPath::parse(name) else {
                continue;
            };
            if path.components().any(|component| component == b".git") {
                continue;
            }
            let stat = entry.stat;
            // A file written in the moment in which the index was can have changed again without a trace.
            let is_racy = (i64::from(stat.mtime.secs), stat.mtime.nsecs) >= written;
            let trace = Trace {
                modified: (stat.mtime.secs, stat.mtime.nsecs),
                changed: (stat.ctime.secs, stat.ctime.nsecs),
                inode: stat.ino,
                owner: stat.uid,
                group: stat.gid,
                bytes: stat.size,
            };
            all.push(Staged {
                path,
                kind,
                id: Id(entry.id),
                standing: standing(entry),
                trace: (!is_racy).then_some(trace),
            });
        }
        all.sort_by(|a, b| a.path.cmp(&b.path));
        all.dedup_by(|later, first| later.path == first.path);
        Ok(all)
    }

    /// Returns the last `n` commits that led to what is checked out, the newest first, as `git log` does.
    ///
    /// # Errors
    ///
    /// Fails where an object is missing or damaged.
    pub fn log(&self, n: usize) -> Result<Vec<Commit>, PastError> {
        let mut log = Vec::new();
        self.walk(n, |_, commit, _| {
            log.push(commit);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(log)
    }

    /// Shows the last `n` commits to `each`, the newest first, with their ids and their parents, until it has seen enough.
    pub(super) fn walk(
        &self,
        n: usize,
        mut each: impl FnMut(Id, Commit, &[Id]) -> Result<ControlFlow<()>, PastError>,
    ) -> Result<(), PastError> {
        let mut n_seen = 0;
        let mut waiting = BinaryHeap::new();
        let mut seen = BTreeSet::new();
        if let Some(head) = self.head()? {
            seen.insert(head);
            waiting.push((0, Reverse(0), head));
        }
        while let Some((_, _, id)) = waiting.pop().filter(|_| n_seen < n) {
            let (commit, parents) = self.commit(id)?;
            n_seen += 1;
            if each(id, commit, &parents)?.is_break() {
                break;
            }
            for parent in parents {
                if seen.insert(parent) {
                    // Of the same second, the one that was found first comes first.
                    let mut buffer = Vec::new();
                    let seconds = self.objects.commit_text(parent, &mut buffer)?.seconds();
                    waiting.push((seconds, Reverse(seen.len()), parent));
                }
            }
        }
        Ok(())
    }

    fn commit(&self, id: Id) -> Result<(Commit, Vec<Id>), ObjectError> {
        let mut buffer = Vec::new();
        let found = self.objects.commit_text(id, &mut buffer)?;
        let (author, date) = found.author();
        let parents: Vec<Id> = if self.shallow.contains(&id.0) {
            Vec::new()
        } else {
            found.parents.iter().copied().map(Id).collect()
        };
        let files = if parents.len() > 1 {
            Vec::new()
        } else {
            self.objects.differing(parents.first().copied(), id)?
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        let commit = Commit {
            id: id.to_string(),
            date: date.format_or_unix(gix::date::time::format::ISO8601),
            author: text(author),
            message: text(found.message),
            files,
        };
        Ok((commit, parents))
    }
}

/// Returns what lies at the bottom of an error.
fn root_of(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}

fn standing(entry: &gix::index::Entry) -> Standing {
    if entry.stage() != Stage::Unconflicted {
        Standing::Unmerged
    } else if entry.flags.contains(Flags::INTENT_TO_ADD) {
        Standing::Intended
    } else if entry.flags.contains(Flags::SKIP_WORKTREE) {
        Standing::Sparse
    } else if entry.flags.contains(Flags::ASSUME_VALID) {
        Standing::Assumed
    } else {
        Standing::Plain
    }
}
