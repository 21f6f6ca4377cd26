//! The copy of the user's files that an executor works on, as a git repository of its own.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Problem, ScratchError, State, is_ours};
use crate::fs::{self, EntryKind, FsError, Hash, Root};
use crate::git::{self, Entry, Id, IdReader, Lender, ObjectFormat, Objects};
use crate::path::RepoPath;
use crate::repo::{Candidate, Kind, Repository, map_in_order};

/// What the user's tree held when the scratch was made.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// The version of this format.
    pub version: u32,
    /// What was copied.
    pub files: BTreeMap<RepoPath, State>,
    /// The commit that the user has checked out.
    pub commit: Option<String>,
    /// The commit of the scratch that holds the files.
    pub made: String,
    /// The ignored folders that were copied too.
    pub carried: Vec<RepoPath>,
    /// What was left out, sorted. Nothing at or beneath these paths lands.
    pub problems: Vec<Problem>,
}

/// A folder in which an executor works.
#[derive(Clone, Debug)]
pub struct Scratch {
    /// Where it is.
    pub folder: PathBuf,
    /// What it held at first.
    pub snapshot: Snapshot,
}

/// What goes into a scratch, and where that is.
pub struct Plan<'a> {
    /// The user's repository.
    pub repository: &'a Repository,
    /// Where the files are copied from.
    pub source: &'a Root,
    /// The files and links that are copied.
    pub candidates: &'a [Candidate],
    /// Ignored folders that are copied as well: what checks need.
    pub carried: &'a [RepoPath],
    /// The folder to make, outside the repository.
    pub folder: &'a Path,
    /// When the snapshot is said to be made, in seconds since 1970.
    pub seconds: i64,
    /// How many threads copy.
    pub threads: NonZeroUsize,
}

/// Makes a scratch: copies the files as they are now, and commits them in a repository of its own.
///
/// # Errors
///
/// Fails where the folder exists or is inside the repository, where a carried folder has a link back
/// into it, and where the system does not write. What was made is then taken away. A file that cannot
/// be copied is no error but a problem of the snapshot.
pub fn create(plan: &Plan<'_>) -> Result<Scratch, ScratchError> {
    let folder = fs::resolve(plan.folder)?;
    if folder.starts_with(fs::resolve(plan.repository.root.path())?) {
        return Err(ScratchError::Inside(folder));
    }
    fs::make_private_folder(&folder)?
        .then_some(())
        .ok_or(ScratchError::Exists(folder.clone()))?;
    let made = Maker::new(plan, &folder).and_then(Maker::run);
    match made {
        Ok(snapshot) => Ok(Scratch { folder, snapshot }),
        Err(error) => {
            // Half a scratch is of no use; the first error is the one to tell.
            let _ = fs::remove_folder(&folder);
            let _ = fs::remove_folder(&store(&folder));
            Err(error)
        }
    }
}

/// Returns the folder with what the snapshot held as objects: beside the scratch, where the executor cannot write.
pub(super) fn store(scratch: &Path) -> PathBuf {
    let mut name = scratch.as_os_str().to_owned();
    name.push(".objects");
    PathBuf::from(name)
}

/// One copy in the making.
struct Maker<'a> {
    plan: &'a Plan<'a>,
    /// The user's root, without links on the way.
    top: PathBuf,
    scratch: Root,
    lender: Option<Lender>,
    problems: Vec<Problem>,
}

impl<'a> Maker<'a> {
    fn new(plan: &'a Plan<'a>, folder: &Path) -> Result<Self, ScratchError> {
        let top = fs::resolve(plan.repository.root.path())?;
        let lender = match plan.repository.git {
            Some(_) => Some(git::lender(&top)?),
            None => None,
        };
        Ok(Self {
            plan,
            top,
            scratch: Root::open(folder)?,
            lender,
            problems: Vec::new(),
        })
    }

    fn run(mut self) -> Result<Snapshot, ScratchError> {
        let copied = self.copy_candidates()?;
        let carried = self.copy_carried(&copied)?;
        let commit = self
            .plan
            .repository
            .git
            .as_ref()
            .and_then(|git| git.commit.clone());
        let mut entries: Vec<Entry> = copied.iter().map(|(_, entry)| entry.clone()).collect();
        self.add_submodules(&mut entries)?;
        let made = self.commit(&copied, &entries, commit.as_deref(), &carried)?;
        self.problems.sort_unstable();
        Ok(Snapshot {
            version: 1,
            files: copied
                .into_iter()
                .map(|(state, entry)| (entry.path, state))
                .collect(),
            commit,
            made: made.to_string(),
            carried,
            problems: self.problems,
        })
    }

    fn format(&self) -> ObjectFormat {
        self.lender
            .as_ref()
            .map_or(ObjectFormat::Sha1, |lender| lender.format)
    }

    fn copy_candidates(&mut self) -> Result<Vec<(State, Entry)>, ScratchError> {
        let mut paths = Vec::new();
        let mut links = Vec::new();
        for Candidate { path, kind, .. } in self.plan.candidates {
            match kind {
                _ if is_ours(path) => {}
                _ if path.is_git_internal() => {
                    self.problems.push(Problem::new(
                        path,
                        "some file system takes its name for `.git`",
                    ));
                }
                Kind::File => paths.push(path),
                Kind::Link => links.push(path),
                Kind::Submodule | Kind::Repository => {
                    self.problems
                        .push(Problem::new(path, "it is another repository"));
                }
            }
        }
        let mut copied = Vec::with_capacity(paths.len() + links.len());
        let mut problems = Vec::new();
        let done = map_in_order(
            paths.len(),
            self.plan.threads,
            usize::MAX,
            |_| 0,
            |index| self.copy_file(paths[index]),
            |index, result: Result<_, FsError>| {
                match result {
                    Ok(Some(copy)) => copied.push(copy),
                    Ok(None) => problems.push(Problem::new(
                        paths[index],
                        "its bytes are made to collide with others",
                    )),
                    // A full disk is nothing that leaving one file out would mend.
                    Err(error) if is_full(&error) => return Err(error),
                    Err(error) => problems.push(Problem::of(paths[index], &error)),
                }
                Ok(())
            },
        );
        done?;
        self.problems.append(&mut problems);
        for path in links {
            match self.copy_link(path) {
                Ok(Some(copy)) => copied.push(copy),
                Ok(None) => self
                    .problems
                    .push(Problem::new(path, "it is a link back into the repository")),
                Err(error) if is_full(&error) => return Err(error.into()),
                Err(error) => self.problems.push(Problem::of(path, &error)),
            }
        }
        copied.sort_unstable_by(|a, b| a.1.path.cmp(&b.1.path));
        Ok(copied)
    }

    /// Copies a file, and hashes the copy; none where its bytes were made to have another's id.
    fn copy_file(&self, path: &RepoPath) -> Result<Option<(State, Entry)>, FsError> {
        let place = self.scratch.path().join(path.as_path());
        let error = FsError::of("read", &place);
        let (file, modified) = self.plan.source.copy(path, &self.scratch, path)?;
        let meta = file.metadata().map_err(&error)?;
        let mut reader = IdReader::new(&file, meta.len(), self.format());
        let (hash, bytes) = Hash::of_reader(&mut reader).map_err(&error)?;
        let Some(id) = reader.id() else {
            self.scratch.remove(path)?;
            return Ok(None);
        };
        // As old as the original: build tools go by it, and git need not read the file to know it.
        file.set_modified(modified).map_err(&error)?;
        let executable = self
            .scratch
            .find(path)?
            .is_some_and(|stat| stat.is_executable());
        let kind = if executable {
            git::EntryKind::Executable
        } else {
            git::EntryKind::File
        };
        let entry = Entry {
            path: path.clone(),
            kind,
            id,
        };
        Ok(Some((
            State::File {
                hash,
                executable,
                bytes,
            },
            entry,
        )))
    }

    /// Copies a link; none if it leads back into the user's tree.
    fn copy_link(&self, path: &RepoPath) -> Result<Option<(State, Entry)>, FsError> {
        let target = self.plan.source.link_target(path)?;
        let Some(id) = Id::of(&target, self.format()) else {
            return Ok(None);
        };
        if !make_link(&self.scratch, &self.top, path, &target)? {
            return Ok(None);
        }
        let entry = Entry {
            path: path.clone(),
            kind: git::EntryKind::Link,
            id,
        };
        Ok(Some((State::Link { target }, entry)))
    }

    /// Copies the ignored folders that checks need; returns those that are there.
    fn copy_carried(&mut self, copied: &[(State, Entry)]) -> Result<Vec<RepoPath>, ScratchError> {
        let root = self.plan.source;
        let is_copied = |path: &RepoPath| {
            copied
                .binary_search_by(|(_, entry)| entry.path.cmp(path))
                .is_ok()
        };
        let mut carried = Vec::new();
        let mut files = Vec::new();
        for folder in self.plan.carried {
            if root
                .find(folder)?
                .is_none_or(|stat| stat.kind != EntryKind::Folder)
            {
                self.problems
                    .push(Problem::new(folder, "there is no such folder to copy"));
                continue;
            }
            carried.push(folder.clone());
            let mut folders = vec![folder.clone()];
            while let Some(folder) = folders.pop() {
                for above in folder.folders().chain([folder.clone()]) {
                    self.scratch.make_folder(&above, None)?;
                }
                for (path, kind) in root.list(Some(&folder))? {
                    match kind {
                        _ if is_copied(&path) => {}
                        EntryKind::Folder => folders.push(path),
                        EntryKind::File => files.push(path),
                        EntryKind::Link => {
                            let target = root.link_target(&path)?;
                            if !make_link(&self.scratch, &self.top, &path, &target)? {
                                return Err(ScratchError::LeadsBack(path));
                            }
                        }
                        EntryKind::Special => {
                            self.problems
                                .push(Problem::new(&path, "it is a device, pipe or socket"));
                        }
                    }
                }
            }
        }
        let copy = |index: usize| copy_aged(root, &self.scratch, &files[index]);
        map_in_order(
            files.len(),
            self.plan.threads,
            usize::MAX,
            |_| 0,
            copy,
            |_, result| result,
        )?;
        Ok(carried)
    }

    /// Adds the other repositories that the user's tracks, as empty folders; but not where a file is now.
    fn add_submodules(&self, entries: &mut Vec<Entry>) -> Result<(), ScratchError> {
        for submodule in self.lender.iter().flat_map(|lender| &lender.submodules) {
            let path = &submodule.path;
            let is_taken = self.scratch.find(path)?.is_some();
            let is_listed = self.problems.iter().any(|problem| problem.path == *path);
            if is_taken || !is_listed {
                continue;
            }
            for above in path.folders().chain([path.clone()]) {
                self.scratch.make_folder(&above, None)?;
            }
            entries.push(submodule.clone());
        }
        entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(())
    }

    /// Makes the scratch a repository whose one new commit holds `entries`.
    fn commit(
        &self,
        copied: &[(State, Entry)],
        entries: &[Entry],
        parent: Option<&str>,
        carried: &[RepoPath],
    ) -> Result<Id, ScratchError> {
        let format = self.format();
        for folder in [".git", ".git/objects", ".git/objects/info"] {
            self.scratch.make_folder(&git_path(folder)?, None)?;
        }
        let folder = store(self.scratch.path());
        fs::make_private_folder(&folder)?;
        let borrowed = git::alternate(&folder);
        write_over(&self.scratch, "objects/info/alternates", &borrowed)?;
        if let Some(lender) = &self.lender {
            fs::make_private_folder(&folder.join("info"))?;
            let line = git::alternate(&lender.objects);
            fs::write_durable(&folder.join("info/alternates"), &line)?;
            if fs::kind(&lender.shallow)? == fs::SystemKind::File {
                let shallow = fs::read_regular(&lender.shallow, MAX_FILE_BYTES)?;
                write_over(&self.scratch, "shallow", &shallow)?;
            }
        }
        let mut objects = Objects::open(&folder, format)?;
        self.write_blobs(copied, &mut objects, &folder)?;
        let parent = parent.and_then(Id::parse);
        let made = objects.commit(
            entries,
            parent,
            "snapshot\n",
            ("twostep", "twostep@localhost"),
            self.plan.seconds,
        )?;
        for (name, bytes) in git::scratch_files(format, &self.exclude(carried), made) {
            write_over(&self.scratch, name, &bytes)?;
        }
        let index = git::index(self.scratch.path(), entries, format)?;
        write_over(&self.scratch, "index", &index)?;
        Ok(made)
    }

    /// Writes the files that the store does not have; few, where most of the tree is committed.
    fn write_blobs(
        &self,
        copied: &[(State, Entry)],
        objects: &mut Objects,
        folder: &Path,
    ) -> Result<(), ScratchError> {
        let missing: Vec<&Entry> = copied
            .iter()
            .map(|(_, entry)| entry)
            .filter(|entry| !objects.has(entry.id))
            .collect();
        let write = |index: usize| -> Result<(), ScratchError> {
            let Entry { path, kind, id } = missing[index];
            if *kind == git::EntryKind::Link {
                let target = self.scratch.link_target(path)?;
                return Ok(git::write_blob(
                    folder,
                    *id,
                    target.len() as u64,
                    target.as_slice(),
                )?);
            }
            let (file, bytes) = self.scratch.open_file(path)?;
            Ok(git::write_blob(folder, *id, bytes, file)?)
        };
        map_in_order(
            missing.len(),
            self.plan.threads,
            usize::MAX,
            |_| 0,
            write,
            |_, result| result,
        )
    }

    /// Returns what git shall ignore in the scratch: what the user ignores privately, and the carried folders.
    fn exclude(&self, carried: &[RepoPath]) -> Vec<u8> {
        let git = self.plan.repository.git.as_ref();
        // What is asked first comes last: of the rules of one file the last counts.
        let files = git.into_iter().flat_map(|git| git.rules.files.iter().rev());
        let mut rules = Vec::new();
        for file in files {
            // A file that cannot be read has no rules, here as in a scan.
            rules.extend(fs::read_regular(file, MAX_FILE_BYTES).unwrap_or_default());
            rules.push(b'\n');
        }
        for folder in carried {
            rules.push(b'/');
            for &byte in folder.as_bytes() {
                match byte {
                    // No rule can name a line break.
                    b'\n' => rules.push(b'?'),
                    b'\\' | b'*' | b'?' | b'[' | b' ' => rules.extend([b'\\', byte]),
                    _ => rules.push(byte),
                }
            }
            rules.extend(b"/\n");
        }
        rules
    }
}

/// Makes a link in the scratch, unless it leads back into the user's tree at `top`; says whether it did.
pub(super) fn make_link(
    scratch: &Root,
    top: &Path,
    path: &RepoPath,
    target: &[u8],
) -> Result<bool, FsError> {
    scratch.make_link(path, target)?;
    let place = scratch.path().join(path.as_path());
    // Where it leads by name, and where the system finds that it leads.
    let named = fs::link_goal(&place, target);
    let leads_back =
        named.starts_with(top) || fs::resolve(&place).is_ok_and(|found| found.starts_with(top));
    if leads_back {
        scratch.remove(path)?;
    }
    Ok(!leads_back)
}

/// Copies a file that is as old as the original afterwards.
pub(super) fn copy_aged(source: &Root, scratch: &Root, path: &RepoPath) -> Result<(), FsError> {
    let (file, modified) = source.copy(path, scratch, path)?;
    let place = scratch.path().join(path.as_path());
    file.set_modified(modified)
        .map_err(FsError::of("write", &place))
}

/// Rule files and lists beyond this size are taken for something else.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Writes a file of the scratch's `.git`, in the place of what is there.
pub(super) fn write_over(scratch: &Root, name: &str, bytes: &[u8]) -> Result<(), FsError> {
    let path = git_path(&format!(".git/{name}"))?;
    match scratch.kind(&path) {
        Ok(EntryKind::Folder) => scratch.remove_tree(&path)?,
        Ok(EntryKind::File | EntryKind::Link | EntryKind::Special) => scratch.remove(&path)?,
        Err(_) => {}
    }
    scratch.create(&path, bytes)
}

pub(super) fn git_path(name: &str) -> Result<RepoPath, FsError> {
    RepoPath::parse(name.as_bytes())
        .map_err(|cause| FsError::of("find", Path::new(name))(io::Error::other(cause)))
}

fn is_full(error: &FsError) -> bool {
    matches!(
        error.source.kind(),
        io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::ReadOnlyFilesystem
    )
}
