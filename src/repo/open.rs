//! Where the repository begins, and which of it was named.

use std::path::{Path, PathBuf};

use super::rules;
use crate::fs::{self, FsError, Root, SystemKind};
use crate::git::{self, GitError, Snapshot};
use crate::path::{self, RepoPath};

/// The tree being worked on.
pub struct Repository {
    /// Its root, held open.
    pub root: Root,
    /// What git knows of it; nothing where there is no git.
    pub git: Option<Snapshot>,
}

/// A path that the user named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// The whole repository.
    Everything,
    /// A folder: its candidates are taken.
    Folder(RepoPath),
    /// A file: taken even if it is ignored.
    File(RepoPath),
}

/// The repository could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A path leads nowhere.
    #[error("no such file or folder: `{}`", path::shown(.0))]
    Missing(PathBuf),
    /// A path is neither file nor folder.
    #[error("`{}` is a device, pipe or socket", path::shown(.0))]
    Special(PathBuf),
    /// A path is git's own.
    #[error("`{}` belongs to git, not to the repository's files", path::shown(.0))]
    GitInternal(PathBuf),
    /// A path is in no folder of the repository.
    #[error(
        "`{}` is outside the repository `{}`",
        path::shown(path),
        path::shown(root)
    )]
    Outside {
        /// As the user wrote it.
        path: PathBuf,
        /// The root of the repository.
        root: PathBuf,
    },
    /// The system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}

impl OpenError {
    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing(_) => {
                Some("check the spelling; paths are relative to the working directory")
            }
            Self::Special(_) => Some("name a file or a folder"),
            Self::GitInternal(_) => Some("name the folder that holds `.git`"),
            Self::Outside { .. } => Some("work from that folder, or pass it as PATH"),
            Self::Fs(error) => error.hint(),
        }
    }
}

/// Opens the repository that holds `paths` (absolute, or relative to the folder `here`), or `here` if there are none.
///
/// The root is the top of the git work tree that holds all of them and ignores no folder among
/// them. Otherwise it is the deepest folder that holds them all, and git is not asked.
/// What git knows but cannot be read comes as an error beside the repository, which is then read without git.
///
/// # Errors
///
/// Fails on a path that is missing or neither file nor folder.
pub fn open(
    here: &Path,
    paths: &[PathBuf],
) -> Result<(Repository, Vec<Named>, Option<GitError>), OpenError> {
    let here = fs::resolve(here)?;
    let mut places = paths
        .iter()
        .map(|path| Place::find(&here, path))
        .collect::<Result<Vec<_>, _>>()?;
    if places.is_empty() {
        // Nothing named: all of the repository that we are in, even where it tracks nothing yet.
        let top = top_of(&here).unwrap_or(&here).to_owned();
        places.push(Place {
            path: top,
            is_folder: true,
        });
    }
    let (repository, problem) = Repository::holding(&places)?;
    let mut named = Vec::with_capacity(places.len());
    for (place, path) in places.iter().zip(paths) {
        named.push(place.name(repository.root.path(), path)?);
    }
    if named.is_empty() {
        named.push(Named::Everything);
    }
    Ok((repository, named, problem))
}

impl Repository {
    fn holding(places: &[Place]) -> Result<(Self, Option<GitError>), OpenError> {
        let mut problem = None;
        let top = top_of(places[0].folder())
            .filter(|top| places.iter().all(|place| place.path.starts_with(top)));
        if let Some(top) = top {
            match git::snapshot(top) {
                Ok(git) => {
                    let root = Root::open(top)?;
                    if places.iter().all(|place| place.is_part_of(&root, &git)) {
                        let git = Some(git);
                        return Ok((Self { root, git }, None));
                    }
                }
                Err(error) => problem = Some(error),
            }
        }
        let mut common = places[0].folder();
        while let Some(above) = common.parent().filter(|_| {
            places
                .iter()
                .any(|place| !place.folder().starts_with(common))
        }) {
            common = above;
        }
        let root = Root::open(common)?;
        Ok((Self { root, git: None }, problem))
    }

    /// Says what `path`, as the user wrote it (absolute, or relative to the folder `here`), names in this repository.
    ///
    /// # Errors
    ///
    /// Fails on a path that is missing, neither file nor folder, or outside the repository.
    pub fn name(&self, here: &Path, path: &Path) -> Result<Named, OpenError> {
        let here = fs::resolve(here)?;
        Place::find(&here, path)?.name(self.root.path(), path)
    }
}

/// Returns the top of the git work tree that holds `folder`, if one does.
fn top_of(folder: &Path) -> Option<&Path> {
    folder
        .ancestors()
        .find(|above| fs::has_entry(above, ".git"))
}

/// A path of the system, absolute and without links but for the last component of a file.
struct Place {
    path: PathBuf,
    is_folder: bool,
}

impl Place {
    fn find(here: &Path, path: &Path) -> Result<Self, OpenError> {
        let full = here.join(path);
        let missing = || OpenError::Missing(path.to_owned());
        let place = match fs::kind(&full)? {
            SystemKind::Folder => Self {
                path: fs::resolve(&full)?,
                is_folder: true,
            },
            SystemKind::Special => return Err(OpenError::Special(path.to_owned())),
            SystemKind::File | SystemKind::Missing => {
                // A link is a file of its own, even one that leads nowhere.
                let name = full.file_name().ok_or_else(missing)?;
                let folder =
                    fs::resolve(full.parent().unwrap_or(Path::new("/"))).map_err(|_| missing())?;
                if !fs::has_entry(&folder, name) {
                    return Err(missing());
                }
                Self {
                    path: folder.join(name),
                    is_folder: false,
                }
            }
        };
        if place.path.iter().any(|name| name == ".git") {
            return Err(OpenError::GitInternal(path.to_owned()));
        }
        Ok(place)
    }

    /// Says whether this belongs to the work tree at `top`: a file, or a folder that is not ignored there as a whole.
    fn is_part_of(&self, root: &Root, git: &Snapshot) -> bool {
        match self.name(root.path(), &self.path) {
            Ok(Named::Folder(folder)) => {
                git.tracks_below(&folder) || !rules::is_ignored(root, Some(git), &folder)
            }
            Ok(Named::Everything | Named::File(_)) => true,
            Err(_) => false,
        }
    }

    fn folder(&self) -> &Path {
        if self.is_folder {
            &self.path
        } else {
            self.path.parent().unwrap_or(Path::new("/"))
        }
    }

    /// Returns what the place is called in the repository at `root`; `typed` is what the user wrote.
    fn name(&self, root: &Path, typed: &Path) -> Result<Named, OpenError> {
        use std::os::unix::ffi::OsStrExt;
        let Ok(relative) = self.path.strip_prefix(root) else {
            return Err(OpenError::Outside {
                path: typed.to_owned(),
                root: root.to_owned(),
            });
        };
        let Ok(path) = RepoPath::parse(relative.as_os_str().as_bytes()) else {
            return Ok(Named::Everything);
        };
        Ok(if self.is_folder {
            Named::Folder(path)
        } else {
            Named::File(path)
        })
    }
}
