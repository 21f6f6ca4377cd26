//! Taking a landed change back.

use std::path::Path;

use super::land::{HELD_FOLDER, LANDING_FILE};
use crate::fs::{self, FsError};
use crate::git::{self, BranchError};
use crate::path::RepoPath;
use crate::repo::Repository;
use crate::run::{self, Event, LockError, Run};
use crate::scratch::{self, Change, ChangeKind, LandError, LandedChange, Landing, Undone};

/// Nothing was taken back.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// No run has landed anything that still stands.
    #[error("there is no landed run to undo")]
    None,
    /// There is no such run.
    #[error("there is no run `{0}`")]
    Unknown(String),
    /// The run landed nothing.
    #[error("the run `{0}` landed nothing")]
    NotLanded(String),
    /// It was undone before.
    #[error("the run `{0}` is undone already")]
    Undone(String),
    /// The user's files are no longer as the run left them.
    #[error("cannot undo the run `{id}`; nothing was changed")]
    Land {
        /// The run.
        id: String,
        /// Why.
        #[source]
        source: LandError,
    },
    /// It failed half-way.
    #[error("undoing the run `{id}` failed half-way; run it again")]
    Stranded {
        /// The run.
        id: String,
        /// Why.
        #[source]
        source: LandError,
    },
    /// Its record names what no run of ours would.
    #[error("the run's record names `{0}`, where no run lands")]
    Foreign(RepoPath),
    /// The runs came with the repository.
    #[error(
        "git tracks `.twostep`, or it is a link: its runs came with the repository, and are not yours to undo"
    )]
    Tracked,
    /// Another landing or undo is at work.
    #[error(transparent)]
    Busy(#[from] LockError),
    /// The branch of the run could not be deleted.
    #[error("cannot undo the run's branch")]
    Branch(#[from] BranchError),
    /// A file could not be read or written.
    #[error(transparent)]
    Fs(#[from] FsError),
}

/// What was taken back.
pub struct Taken {
    /// The run.
    pub id: String,
    /// The branch that was deleted, if it was one.
    pub branch: Option<String>,
    /// The files that are again as they were, with what the run had done to them.
    pub files: Vec<(RepoPath, ChangeKind)>,
}

/// No landing is larger.
pub(super) const MAX_BYTES: u64 = 256 << 20;

/// Takes back what the run `id` landed, or the last run that landed something.
///
/// # Errors
///
/// Fails if a file is no longer as the run left it; then nothing is changed.
pub fn undo(
    repository: &Repository,
    id: Option<&str>,
    now: fn() -> u64,
) -> Result<Taken, UndoError> {
    let root = &repository.root;
    if run::is_foreign(repository) {
        return Err(UndoError::Tracked);
    }
    let id = match id {
        Some(id) => known(root.path(), id)?,
        None => last_landed(root.path())?,
    };
    standing(root.path(), &id)?;
    let run = Run::reopen(root.path(), &id, now)?;
    // Again, under its lock: another undo may have been quicker.
    if let Some((name, commit)) = standing(root.path(), &id)? {
        git::delete_branch(root.path(), &name, &commit)?;
        run.undone()?;
        return Ok(Taken {
            id,
            branch: Some(name),
            files: Vec::new(),
        });
    }
    let (landing, undone) = take_back(repository, &id)?;
    run.undone()?;
    let files = landing.changes.iter().map(|landed| {
        let change = Change {
            path: landed.path.clone(),
            before: landed.before.clone(),
            after: landed.after.clone(),
        };
        (landed.path.clone(), ChangeKind::of(&change))
    });
    let files = files.filter(|(path, _)| undone.restored.contains(path));
    Ok(Taken {
        files: files.collect(),
        branch: None,
        id,
    })
}

/// Exchanges back what the run `id` landed, all of it or a part.
pub(super) fn take_back(repository: &Repository, id: &str) -> Result<(Landing, Undone), UndoError> {
    let root = &repository.root;
    let folder = root.path().join(run::FOLDER).join(id);
    let mut landing: Landing = fs::read_json(&folder.join(LANDING_FILE), MAX_BYTES)?;
    // The files may have come with the repository.
    if let Some(path) = odd_path(&landing) {
        return Err(UndoError::Foreign(path.clone()));
    }
    for folder in &mut landing.folders_removed {
        folder.mode &= 0o777;
    }
    let held = folder.join(HELD_FOLDER);
    if [&folder, &held].into_iter().any(|path| fs::is_link(path)) {
        return Err(UndoError::NotLanded(id.to_owned()));
    }
    let _lock = run::lock(root.path(), id, &|| false)?;
    let failed = |source| match source {
        LandError::Stranded { .. } => UndoError::Stranded {
            id: id.to_owned(),
            source,
        },
        source => UndoError::Land {
            id: id.to_owned(),
            source,
        },
    };
    let undone = scratch::undo(root, &landing, &held).map_err(failed)?;
    Ok((landing, undone))
}

/// Returns a path of `landing` that no run of ours would name, if there is one.
fn odd_path(landing: &Landing) -> Option<&RepoPath> {
    let is_held = |change: &LandedChange| change.held.as_bytes().iter().all(u8::is_ascii_digit);
    let odd_place = landing.changes.iter().find(|change| !is_held(change));
    let files = landing.changes.iter().map(|change| &change.path);
    let removed = landing.folders_removed.iter().map(|folder| &folder.path);
    let mut paths = files.chain(&landing.folders_made).chain(removed);
    odd_place
        .map(|change| &change.path)
        .or_else(|| paths.find(|path| path.is_git_internal()))
}

/// What a run did to the user's tree.
#[derive(PartialEq, Eq)]
enum State {
    Nothing,
    /// All of it, or a part if we were killed meanwhile.
    Landed,
    /// It made a branch.
    Branched {
        name: String,
        commit: String,
    },
    Undone,
}

/// Returns the branch, with its commit, that the run `id` made, if it landed there.
///
/// # Errors
///
/// Fails if nothing that it landed stands.
fn standing(root: &Path, id: &str) -> Result<Option<(String, String)>, UndoError> {
    match state(root, id)? {
        State::Nothing => Err(UndoError::NotLanded(id.to_owned())),
        State::Undone => Err(UndoError::Undone(id.to_owned())),
        State::Branched { name, commit } => Ok(Some((name, commit))),
        State::Landed => Ok(None),
    }
}

fn state(root: &Path, id: &str) -> Result<State, FsError> {
    let mut state = State::Nothing;
    for record in run::records(root, id)? {
        match record.event {
            Event::LandingStarted | Event::LandingStranded | Event::Landed => {
                state = State::Landed;
            }
            Event::Branched { name, commit } => state = State::Branched { name, commit },
            Event::Undone => state = State::Undone,
            // A landing that met a surprise has put everything back itself.
            Event::LandingFailed => state = State::Nothing,
            _ => {}
        }
    }
    Ok(state)
}

pub(super) fn known(root: &Path, id: &str) -> Result<String, UndoError> {
    if run::ids(root)?.iter().any(|known| known == id) {
        Ok(id.to_owned())
    } else {
        Err(UndoError::Unknown(id.to_owned()))
    }
}

fn last_landed(root: &Path) -> Result<String, UndoError> {
    for id in run::ids(root)?.into_iter().rev() {
        // One that cannot be read is none that can be undone.
        if matches!(state(root, &id), Ok(State::Landed | State::Branched { .. })) {
            return Ok(id);
        }
    }
    Err(UndoError::None)
}
