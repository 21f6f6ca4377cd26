//! The files of a run again, as they were when it began, for it to be done once more from its answers.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::land::{HELD_FOLDER, LANDING_FILE};
use super::pack::all_candidates;
use super::undo::MAX_BYTES;
use super::workflow::{FILES_FOLDER, PROGRESS_FILE};
use crate::fs::{self, Entry, FsError, Hash, Root, SystemKind};
use crate::git::{self, Objects};
use crate::path::RepoPath;
use crate::repo::{self, Candidate, Kind, OpenError, Repository};
use crate::run;
use crate::scratch::{self, Landing, ScratchError, Snapshot, State};

/// The file of a run that says which files it began with.
pub const SNAPSHOT_FILE: &str = "snapshot.json";

/// A run cannot be done again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It did not come so far that its files were looked at.
    #[error("the run `{0}` has no snapshot of the files that it began with")]
    NoSnapshot(String),
    /// Files that it began with are nowhere any more.
    #[error(
        "{} of the files that the run began with are neither in the tree, nor in what it held, nor in its commit: {}",
        .0.len(),
        names(.0)
    )]
    Gone(Vec<RepoPath>),
    /// The copy could not be made.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// The copy could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A record names what no run of ours would.
    #[error("the run's record of files names `{0}`, which is no file of a repository")]
    Foreign(RepoPath),
    /// A file could not be read or written.
    #[error(transparent)]
    Fs(#[from] FsError),
}

fn names(paths: &[RepoPath]) -> String {
    const MOST: usize = 5;
    let mut named: Vec<String> = paths
        .iter()
        .take(MOST)
        .map(|path| format!("`{path}`"))
        .collect();
    if paths.len() > MOST {
        named.push("...".to_owned());
    }
    named.join(", ")
}

/// Says whether it is known with which files a run began: one that changes none keeps no record of them.
pub fn knows_files(root: &Path, id: &str) -> bool {
    fs::has_entry(&root.join(run::FOLDER).join(id), SNAPSHOT_FILE)
}

/// Makes a copy of the files of a repository as they are now, in a new folder in `place`.
///
/// # Errors
///
/// Fails if it cannot be made.
pub fn files_now(
    repository: &Repository,
    place: &Path,
    threads: NonZeroUsize,
) -> Result<PathBuf, ReplayError> {
    let name = repository.root.path().file_name();
    let folder = place
        .join("files")
        .join(name.unwrap_or("repository".as_ref()));
    fs::make_private_folders(folder.parent().unwrap_or(place))?;
    let scratch = scratch::create(&scratch::Plan {
        repository,
        source: &repository.root,
        candidates: &all_candidates(repository, threads),
        carried: &[],
        folder: &folder,
        seconds: 0,
        threads,
    })?;
    Ok(scratch.folder)
}

/// Makes the files with which the run `id` of the repository at `root` began, in a new folder in `place`.
///
/// It is a repository of git of its own if the run's was one: the same files are its candidates.
///
/// # Errors
///
/// Fails if files are not to be had any more, naming them.
pub fn files_of(
    root: &Root,
    id: &str,
    place: &Path,
    threads: NonZeroUsize,
) -> Result<PathBuf, ReplayError> {
    let folder = root.path().join(run::FOLDER).join(id);
    if !fs::has_entry(&folder, SNAPSHOT_FILE) {
        return Err(ReplayError::NoSnapshot(id.to_owned()));
    }
    let snapshot: Snapshot = fs::read_json(&folder.join(SNAPSHOT_FILE), MAX_BYTES)?;
    let mut paths = snapshot.files.keys();
    if let Some(path) = paths.find(|path| path.is_git_internal()) {
        return Err(ReplayError::Foreign(path.clone()));
    }
    let name = root.path().file_name().unwrap_or("repository".as_ref());
    let plain = place.join("files").join(name);
    fs::make_private_folders(&plain)?;
    let sources = Sources::open(root, &folder, &snapshot)?;
    let copy = Root::open(&plain)?;
    let mut gone = Vec::new();
    for (path, state) in &snapshot.files {
        match sources.find(path, state) {
            Some(bytes) => put(&copy, path, state, &bytes)?,
            None => gone.push(path.clone()),
        }
    }
    if !gone.is_empty() {
        return Err(ReplayError::Gone(gone));
    }
    if !fs::has_entry(root.path(), ".git") {
        return Ok(plain);
    }
    let (repository, _, _) = repo::open(&plain, &[])?;
    let made = place.join("repository").join(name);
    fs::make_private_folders(made.parent().unwrap_or(place))?;
    let candidate = |(path, state): (&RepoPath, &State)| Candidate {
        path: path.clone(),
        kind: match state {
            State::File { .. } => Kind::File,
            State::Link { .. } => Kind::Link,
        },
        named: false,
    };
    let candidates: Vec<Candidate> = snapshot.files.iter().map(candidate).collect();
    let scratch = scratch::create(&scratch::Plan {
        repository: &repository,
        source: &repository.root,
        candidates: &candidates,
        carried: &[],
        folder: &made,
        seconds: 0,
        threads,
    })?;
    Ok(scratch.folder)
}

/// Where files of a run may still be.
struct Sources<'a> {
    root: &'a Root,
    /// What landing took out of the tree, by path.
    held: BTreeMap<RepoPath, RepoPath>,
    held_root: Option<Root>,
    /// What the commit held that was checked out.
    commit: Option<(Objects, BTreeMap<RepoPath, git::Id>)>,
}

impl<'a> Sources<'a> {
    fn open(root: &'a Root, folder: &Path, snapshot: &Snapshot) -> Result<Self, FsError> {
        let mut held = BTreeMap::new();
        let mut held_root = None;
        if fs::has_entry(folder, LANDING_FILE) && fs::has_entry(folder, HELD_FOLDER) {
            let landing: Landing = fs::read_json(&folder.join(LANDING_FILE), MAX_BYTES)?;
            let changes = landing.changes.into_iter();
            held = changes.map(|change| (change.path, change.held)).collect();
            held_root = Some(Root::open(&folder.join(HELD_FOLDER))?);
        }
        Ok(Self {
            root,
            held,
            held_root,
            commit: snapshot
                .commit
                .as_ref()
                .and_then(|commit| committed(root.path(), commit)),
        })
    }

    /// Returns the bytes of a file, or the target of a link, wherever they still are.
    fn find(&self, path: &RepoPath, state: &State) -> Option<Vec<u8>> {
        let hash = match state {
            State::Link { target } => return Some(target.clone()),
            State::File { hash, .. } => hash,
        };
        let is_it = |bytes: &Vec<u8>| Hash::of(bytes) == *hash;
        let in_root = |root: &Root, path: &RepoPath| match root.read(path, MAX_FILE_BYTES) {
            Ok(Entry::Whole(bytes)) => Some(bytes),
            _ => None,
        };
        if let Some(bytes) = in_root(self.root, path).filter(is_it) {
            return Some(bytes);
        }
        if let (Some(root), Some(held)) = (&self.held_root, self.held.get(path))
            && let Some(bytes) = in_root(root, held).filter(is_it)
        {
            return Some(bytes);
        }
        self.commit.as_ref().and_then(|(objects, entries)| {
            let bytes = objects
                .read_within(*entries.get(path)?, MAX_FILE_BYTES)
                .ok()?;
            bytes.filter(is_it)
        })
    }
}

/// No file is larger.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// Returns what a commit holds, if git still has it.
fn committed(top: &Path, commit: &str) -> Option<(Objects, BTreeMap<RepoPath, git::Id>)> {
    let commit = git::Id::parse(commit)?;
    let lender = git::lender(top).ok()?;
    let objects = Objects::open(&lender.objects, commit.format()).ok()?;
    let entries = objects.entries_of(commit).ok()?.into_iter();
    let entries = entries.map(|(path, (_, id))| (path, id)).collect();
    Some((objects, entries))
}

/// Writes a file or link where nothing is.
fn put(copy: &Root, path: &RepoPath, state: &State, bytes: &[u8]) -> Result<(), FsError> {
    let mut above = Vec::new();
    let mut folder = path.parent();
    while let Some(path) = folder {
        folder = path.parent();
        above.push(path);
    }
    for folder in above.iter().rev() {
        copy.make_folder(folder, None)?;
    }
    match state {
        State::Link { target } => copy.make_link(path, target),
        State::File { executable, .. } => {
            copy.create(path, bytes)?;
            if *executable {
                copy.set_mode(path, 0o755)?;
            }
            Ok(())
        }
    }
}

/// What became of the files of a run when it was done again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// Those that are the same.
    pub same: Vec<String>,
    /// Those that are others.
    pub different: Vec<String>,
}

/// What a run makes of its files and its answers, and of nothing else.
const MADE: &[&str] = &[
    "route.json",
    "planner-pack.xml",
    "AI-PLAN.md",
    "references.json",
    "executor-pack.xml",
    "changes.patch",
];

/// Returns the files of the steps of a workflow; how far they were tells who was asked, and that is another now.
fn of_steps(first: &Path) -> Result<Vec<String>, FsError> {
    let mut files = Vec::new();
    let mut folders = vec![FILES_FOLDER.to_owned()];
    while let Some(folder) = folders.pop() {
        if fs::kind(&first.join(&folder))? != SystemKind::Folder {
            continue;
        }
        for name in fs::list(&first.join(&folder))? {
            let Some(name) = name.to_str().map(|name| format!("{folder}/{name}")) else {
                continue;
            };
            match fs::kind(&first.join(&name))? {
                SystemKind::Folder => folders.push(name),
                SystemKind::File if name != PROGRESS_FILE => files.push(name),
                _ => {}
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Holds what the run in `again` made against what the run in `first` did, as far as that came.
///
/// # Errors
///
/// Fails where a file cannot be read.
pub fn compare(first: &Path, again: &Path) -> Result<Compared, FsError> {
    let mut compared = Compared::default();
    let made = MADE.iter().filter(|name| fs::has_entry(first, name));
    let made = made.map(|name| (*name).to_owned());
    for name in made.chain(of_steps(first)?) {
        let is_same = fs::has_entry(again, &name)
            && fs::read_regular(&first.join(&name), MAX_BYTES)?
                == fs::read_regular(&again.join(&name), MAX_BYTES)?;
        if is_same {
            compared.same.push(name);
        } else {
            compared.different.push(name);
        }
    }
    Ok(compared)
}
