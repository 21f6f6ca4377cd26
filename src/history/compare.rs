//! Two states of a tree side by side: commit, index, work tree.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use super::convert::Conversion;
use super::{HistoryError, What};
use crate::fs::{self, Entry, FsError, Root};
use crate::git::{self, EntryKind, Id, IdReader, Past, Staged, Standing, TreeSettings};
use crate::patch::{Binary, Side};
use crate::path::RepoPath;
use crate::repo::map_in_order;

/// Larger files are not shown: it is only said that they differ.
pub(super) const MAX_SHOWN_BYTES: u64 = 16 << 20;

/// How a path differs.
pub(super) enum Difference {
    /// From one side to the other; they can be equal after all.
    Sides {
        old: Option<Side>,
        new: Option<Side>,
        binary: Binary,
    },
    /// It is in conflict.
    Unmerged,
    /// It cannot be read, for this cause.
    Unreadable(String),
}

/// What is compared with what.
pub(super) struct Comparison<'a> {
    pub(super) root: &'a Root,
    pub(super) past: &'a Past,
    pub(super) threads: NonZeroUsize,
}

/// What a path holds: by object.
type Held = Option<(EntryKind, Id)>;

/// A path with what it held before, and what it holds now or where to look.
struct Pair<'a> {
    path: &'a RepoPath,
    before: Held,
    after: After<'a>,
}

#[derive(Clone, Copy)]
enum After<'a> {
    Held(Held),
    Unmerged,
    /// What the work tree has there.
    WorkTree(&'a Staged),
}

/// What is at a path now.
enum Seen {
    Unmerged,
    Unreadable(String),
    /// By the id of its bytes as they are.
    Held(Held),
}

impl Comparison<'_> {
    /// Compares, and hands on what differs in the order of the paths.
    pub(super) fn run(
        &self,
        what: &What,
        mut take: impl FnMut(&RepoPath, Difference),
    ) -> Result<(), HistoryError> {
        let index = self.past.index()?;
        let committed = match what {
            What::WorkTree => BTreeMap::new(),
            What::Staged => self.committed(None)?,
            What::Since(revision) => self.committed(Some(revision))?,
        };
        let pairs = pairs(what, &committed, &index);
        let settings = self.past.settings();
        let mut conversion = Conversion::new(self.root, self.past, &index, settings);
        map_in_order(
            pairs.len(),
            self.threads,
            usize::MAX,
            |_| 0,
            |at| look(self.root, pairs[at].after, settings),
            |at, seen| {
                let Pair {
                    path,
                    before,
                    after,
                } = pairs[at];
                match seen {
                    Seen::Unmerged => take(path, Difference::Unmerged),
                    Seen::Unreadable(why) => take(path, Difference::Unreadable(why)),
                    Seen::Held(now) if now == before => {}
                    Seen::Held(now) => {
                        let difference = self.sides(path, before, now, after, &mut conversion)?;
                        take(path, difference);
                    }
                }
                Ok::<(), HistoryError>(())
            },
        )
    }

    /// Returns what a commit holds: the one that is checked out, if none is named.
    fn committed(
        &self,
        revision: Option<&str>,
    ) -> Result<BTreeMap<RepoPath, (EntryKind, Id)>, HistoryError> {
        let commit = match revision {
            // Before the first commit it holds nothing.
            None | Some("HEAD") => self.past.head()?,
            Some(revision) => Some(self.past.resolve(revision)?),
        };
        let entries = commit.map(|commit| self.past.objects().entries_of(commit));
        Ok(entries.transpose()?.unwrap_or_default())
    }

    fn sides(
        &self,
        path: &RepoPath,
        before: Held,
        now: Held,
        after: After<'_>,
        conversion: &mut Conversion<'_>,
    ) -> Result<Difference, HistoryError> {
        let staged = match after {
            After::WorkTree(staged) => Some(staged),
            After::Held(_) | After::Unmerged => None,
        };
        let attributes = conversion.attributes(path);
        let mut is_large = false;
        let mut object = |held: Held| -> Result<Option<Side>, HistoryError> {
            let Some((kind, id)) = held else {
                return Ok(None);
            };
            let bytes = match kind {
                EntryKind::Submodule => Some(submodule(id)),
                EntryKind::File | EntryKind::Executable | EntryKind::Link => {
                    self.past.objects().read_within(id, MAX_SHOWN_BYTES)?
                }
            };
            is_large |= bytes.is_none();
            // Nobody sees the id; it tells one large file from another.
            let bytes = bytes.unwrap_or_else(|| id.to_string().into_bytes());
            Ok(Some(Side { kind, bytes }))
        };
        let old = object(before)?;
        let new = match (now, staged) {
            (Some((kind, id)), Some(staged)) if id != staged.id => match kind {
                EntryKind::Submodule => object(now)?,
                EntryKind::Link | EntryKind::File | EntryKind::Executable => {
                    let bytes = match self.read(path, kind) {
                        Ok(bytes) => bytes,
                        Err(error) => return Ok(Difference::Unreadable(told(&error))),
                    };
                    let index_side = match staged.standing {
                        Standing::Intended => None,
                        _ => object(Some((staged.kind, staged.id)))?,
                    };
                    let known = index_side.as_ref().map(|side| side.bytes.as_slice());
                    is_large |= bytes.is_none();
                    let bytes = match bytes {
                        Some(bytes) if kind == EntryKind::Link => bytes,
                        bytes => conversion
                            .to_git(path, attributes, bytes, known)
                            .unwrap_or_else(|| id.to_string().into_bytes()),
                    };
                    Some(Side { kind, bytes })
                }
            },
            _ => object(now)?,
        };
        // Attributes are for files.
        let is_file = |side: &Side| matches!(side.kind, EntryKind::File | EntryKind::Executable);
        let said = attributes
            .diff
            .filter(|_| old.iter().chain(&new).any(is_file));
        let binary = match (said, is_large) {
            (_, true) | (Some(false), _) => Binary::Always,
            (Some(true), false) => Binary::Never,
            (None, false) => Binary::ByBytes,
        };
        Ok(Difference::Sides { old, new, binary })
    }

    /// Reads a file or the target of a link; nothing if it is too large to show.
    fn read(&self, path: &RepoPath, kind: EntryKind) -> Result<Option<Vec<u8>>, FsError> {
        if kind == EntryKind::Link && self.root.kind(path)? == fs::EntryKind::Link {
            return self.root.link_target(path).map(Some);
        }
        Ok(match self.root.read(path, MAX_SHOWN_BYTES)? {
            Entry::Whole(bytes) => Some(bytes),
            Entry::TooLarge { .. } => None,
        })
    }
}

/// Puts every path that can differ beside what it held.
fn pairs<'a>(
    what: &What,
    committed: &'a BTreeMap<RepoPath, (EntryKind, Id)>,
    index: &'a [Staged],
) -> Vec<Pair<'a>> {
    let mut pairs: Vec<Pair<'a>> = index
        .iter()
        .map(|staged| {
            let held = (staged.standing != Standing::Intended).then_some((staged.kind, staged.id));
            let before = match what {
                What::WorkTree => held,
                What::Staged | What::Since(_) => committed.get(&staged.path).copied(),
            };
            let after = match (staged.standing, what) {
                (Standing::Unmerged, _) => After::Unmerged,
                (_, What::Staged) | (Standing::Assumed, _) => After::Held(held),
                (Standing::Plain | Standing::Intended | Standing::Sparse, _) => {
                    After::WorkTree(staged)
                }
            };
            Pair {
                path: &staged.path,
                before,
                after,
            }
        })
        .collect();
    let is_staged = |path: &RepoPath| {
        index
            .binary_search_by(|staged| staged.path.cmp(path))
            .is_ok()
    };
    let gone = committed.iter().filter(|(path, _)| !is_staged(path));
    pairs.extend(gone.map(|(path, held)| Pair {
        path,
        before: Some(*held),
        after: After::Held(None),
    }));
    pairs.sort_unstable_by_key(|pair| pair.path);
    pairs
}

/// Looks at what a path holds now.
fn look(root: &Root, after: After<'_>, settings: TreeSettings) -> Seen {
    match after {
        After::Held(held) => Seen::Held(held),
        After::Unmerged => Seen::Unmerged,
        After::WorkTree(staged) => match look_at(root, staged, settings) {
            Ok(held) => Seen::Held(held),
            Err(error) => Seen::Unreadable(told(&error)),
        },
    }
}

fn look_at(root: &Root, staged: &Staged, settings: TreeSettings) -> Result<Held, FsError> {
    let path = &staged.path;
    let known = (staged.kind, staged.id);
    let Some(stat) = root.find(path)? else {
        return Ok((staged.standing == Standing::Sparse).then_some(known));
    };
    let kind = match stat.kind {
        fs::EntryKind::Special => return Ok(None),
        fs::EntryKind::Folder => {
            let commit = git::head_of(&root.path().join(path.as_path()));
            return Ok(match commit {
                Some(commit) => Some((EntryKind::Submodule, commit)),
                // Not checked out: it is what the index says.
                None => (staged.kind == EntryKind::Submodule).then_some(known),
            });
        }
        fs::EntryKind::Link => EntryKind::Link,
        fs::EntryKind::File if !settings.has_links && staged.kind == EntryKind::Link => {
            EntryKind::Link
        }
        fs::EntryKind::File if !settings.has_modes && staged.kind == EntryKind::Executable => {
            EntryKind::Executable
        }
        fs::EntryKind::File if settings.has_modes && stat.is_executable() => EntryKind::Executable,
        fs::EntryKind::File => EntryKind::File,
    };
    if kind == staged.kind && staged.is_as(&stat) && staged.standing != Standing::Intended {
        return Ok(Some(known));
    }
    let fail = |source| FsError::of("read", &root.path().join(path.as_path()))(source);
    let collides = || {
        fail(std::io::Error::other(
            "its bytes were made to collide with others",
        ))
    };
    let format = staged.id.format();
    let id = if stat.kind == fs::EntryKind::Link {
        Id::of(&root.link_target(path)?, format).ok_or_else(collides)?
    } else {
        let (file, bytes) = root.open_file(path)?;
        let mut reader = IdReader::new(file, bytes, format);
        std::io::copy(&mut reader, &mut std::io::sink()).map_err(fail)?;
        reader.id().ok_or_else(collides)?
    };
    Ok(Some((kind, id)))
}

/// Returns what git shows of a submodule.
fn submodule(commit: Id) -> Vec<u8> {
    format!("Subproject commit {commit}\n").into_bytes()
}

fn told(error: &FsError) -> String {
    format!("{error}: {}", error.source)
}
