//! Runs: a folder for each, with every artefact, and a journal of what happened.
//!
//! In: artefacts and events. Out: files that survive us, and runs that can be listed and shown.
//!
//! Invariant: an artefact is on the disk before the record that names it; a record is whole or is not read.

mod journal;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::agent::{CALL_FILE, PATCH_FILE, REPLY_FILE, RecordedCall, Reply, Role, Usage};
use crate::fs::{self, FsError, Hash, SystemKind};
use crate::path::RepoPath;
use crate::repo::Repository;

pub use journal::{Event, Record};

/// The folder of the runs, beneath the root of the repository.
pub const FOLDER: &str = ".twostep/runs";

/// One execution and its folder.
pub struct Run {
    root: PathBuf,
    /// Its name: when it began, and a few letters that tell it from others.
    pub id: String,
    /// Where its files are.
    pub folder: PathBuf,
    n_records: u64,
    n_calls: usize,
    /// The time, in milliseconds since 1970.
    now: fn() -> u64,
}

/// Where the files of a call are.
pub struct CallPlace {
    /// Which call of the run, from 1.
    pub number: usize,
    /// What was asked for.
    pub role: Role,
    /// The folder.
    pub folder: PathBuf,
    /// The file with the prompt.
    pub prompt_file: PathBuf,
    /// The hash of the prompt.
    pub prompt_hash: String,
}

/// What a run came to, as its journal tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A plan was made, and nothing else asked for.
    Planned,
    /// The change is in the user's tree, or where it was wanted.
    Landed,
    /// The change is good, and is kept in the run's folder.
    Kept,
    /// No agent was asked.
    NotAsked,
    /// It was ended while it landed: `undo` puts the files back.
    HalfLanded,
    /// It was taken back.
    Undone,
    /// It ended without what was wanted, for this reason.
    Stopped(String),
    /// There is no record of its end.
    Open,
}

/// No journal or artefact that is read back is larger.
const MAX_BYTES: u64 = 256 << 20;

impl Run {
    /// Begins a run of the repository at `root`.
    ///
    /// # Errors
    ///
    /// Fails if its folder cannot be made or written.
    pub fn begin(root: &Path, id: String, now: fn() -> u64) -> Result<Self, FsError> {
        let runs = root.join(FOLDER);
        // A link would lead what we keep out of the tree, or the user's files into it.
        if let Some(link) = [root.join(".twostep"), runs.clone()]
            .into_iter()
            .find(|path| fs::is_link(path))
        {
            let cause =
                std::io::Error::other("it is a link, and runs are kept in a folder of their own");
            return Err(FsError::of("use", &link)(cause));
        }
        fs::make_private_folders(&runs)?;
        // What is in the folder is nobody's to commit.
        let rules = root.join(".twostep/.gitignore");
        if fs::kind(&rules)? == SystemKind::Missing {
            fs::write_durable(&rules, b"*\n")?;
        }
        let folder = runs.join(&id);
        if !fs::make_private_folder(&folder)? {
            let cause = std::io::ErrorKind::AlreadyExists.into();
            return Err(FsError::of("make the folder", &folder)(cause));
        }
        Ok(Self {
            root: root.to_owned(),
            id,
            folder,
            n_records: 0,
            n_calls: 0,
            now,
        })
    }

    /// Opens the journal of a run that has ended, to add to it.
    ///
    /// # Errors
    ///
    /// Fails if its journal cannot be read.
    pub fn reopen(root: &Path, id: &str, now: fn() -> u64) -> Result<Self, FsError> {
        let folder = root.join(FOLDER).join(id);
        let n_records = journal::repair(&folder)?;
        Ok(Self {
            root: root.to_owned(),
            id: id.to_owned(),
            folder,
            n_records,
            n_calls: 0,
            now,
        })
    }

    /// Returns the root of the repository.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Keeps an artefact under `name`, and records it.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written.
    pub fn keep(&mut self, name: &str, bytes: &[u8]) -> Result<PathBuf, FsError> {
        let path = self.folder.join(name);
        if let Some(folder) = path.parent() {
            fs::make_private_folders(folder)?;
        }
        fs::write_durable(&path, bytes)?;
        self.record(Event::Artefact {
            name: name.to_owned(),
            bytes: bytes.len() as u64,
            hash: Hash::of(bytes).to_string(),
        })?;
        Ok(path)
    }

    /// Appends an event to the journal.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written.
    pub fn record(&mut self, event: Event) -> Result<(), FsError> {
        let record = Record {
            version: 1,
            number: self.n_records + 1,
            at_ms: (self.now)(),
            event,
        };
        journal::append(&self.folder, &record)?;
        self.n_records += 1;
        Ok(())
    }

    /// Keeps the prompt of the next call.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written.
    pub fn begin_call(
        &mut self,
        role: Role,
        agent: &str,
        prompt: &str,
    ) -> Result<CallPlace, FsError> {
        self.n_calls += 1;
        let name = call_folder(self.n_calls, role);
        let prompt_file = self.keep(&format!("{name}/prompt.md"), prompt.as_bytes())?;
        let prompt_hash = Hash::of(prompt.as_bytes()).to_string();
        self.record(Event::CallStarted {
            number: self.n_calls,
            role,
            agent: agent.to_owned(),
            prompt_hash: prompt_hash.clone(),
        })?;
        Ok(CallPlace {
            number: self.n_calls,
            role,
            folder: self.folder.join(name),
            prompt_file,
            prompt_hash,
        })
    }

    /// Keeps what came of a call, so that its folder can be played back.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written.
    pub fn end_call(
        &mut self,
        place: &CallPlace,
        agent: &str,
        reply: &Reply,
    ) -> Result<(), FsError> {
        let folder = call_folder(place.number, place.role);
        let name = |file: &str| format!("{folder}/{file}");
        self.keep(&name(REPLY_FILE), reply.text.as_bytes())?;
        let call = RecordedCall {
            version: 1,
            role: place.role,
            agent: agent.to_owned(),
            prompt_hash: place.prompt_hash.clone(),
            session: reply.session.clone(),
            usage: reply.usage,
        };
        self.keep(&name(CALL_FILE), &json(&call))?;
        self.record(Event::CallEnded {
            number: place.number,
            usage: reply.usage,
        })
    }

    /// Keeps the change that a call made, beside its answer.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written.
    pub fn keep_change(&mut self, place: &CallPlace, patch: &[u8]) -> Result<(), FsError> {
        let name = format!("{}/{PATCH_FILE}", call_folder(place.number, place.role));
        self.keep(&name, patch).map(drop)
    }
}

/// Returns the folder of a call, within that of its run.
fn call_folder(number: usize, role: Role) -> String {
    format!("calls/{number:02}-{}", role.name())
}

/// Returns a value as JSON for people and programs, with a line break at its end.
pub fn json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// A run as it is listed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Its name.
    pub id: String,
    /// When it began, in milliseconds since 1970.
    pub started_ms: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The verb that began it.
    pub verb: String,
    /// The first line of the spec or plan that says something.
    pub title: String,
    /// What it came to.
    pub outcome: Outcome,
    /// What the agents reported, added up.
    pub usage: Usage,
}

/// Takes the lock of landings and undos in the repository at `root`, for as long as it is held; none if another has it.
///
/// # Errors
///
/// Fails if its file cannot be made.
pub fn lock(root: &Path) -> Result<Option<fs::Lock>, FsError> {
    fs::Lock::take(&root.join(".twostep/lock"))
}

/// Says whether git tracks our folder: what is in it then came with the repository, and is not to be believed.
pub fn is_tracked(repository: &Repository) -> bool {
    let Ok(folder) = RepoPath::parse(b".twostep") else {
        return false;
    };
    let git = repository.git.as_ref();
    git.is_some_and(|git| git.tracks_below(&folder))
}

/// Returns the run that was ended while it landed, if there is one: the files are then neither the old nor the new.
///
/// # Errors
///
/// Fails if a journal cannot be read.
pub fn half_landed(root: &Path) -> Result<Option<String>, FsError> {
    for id in ids(root)?.into_iter().rev() {
        let events = records(root, &id)?.into_iter().map(|record| record.event);
        let last = events.rev().find(Event::is_of_landing);
        if matches!(last, Some(Event::LandingStarted | Event::LandingStranded)) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Says whether `text` may be the name of a run or of a conversation: nothing in it leads elsewhere, and no program takes
/// it for an option.
pub fn is_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && !text.starts_with('-') && text.bytes().all(is_plain)
}

/// Returns the names of the runs of the repository at `root`, oldest first.
///
/// # Errors
///
/// Fails if the folder cannot be read.
pub fn ids(root: &Path) -> Result<Vec<String>, FsError> {
    let runs = root.join(FOLDER);
    let names = fs::list(&runs)?.into_iter();
    let ids = names.filter_map(|name| name.into_string().ok());
    let is_run = |id: &String| {
        is_id(id) && fs::kind(&runs.join(id)).is_ok_and(|kind| kind == SystemKind::Folder)
    };
    Ok(ids.filter(is_run).collect())
}

/// Returns the runs of the repository at `root`, oldest first.
///
/// # Errors
///
/// Fails if the folder cannot be read. A run whose journal is damaged is listed as open.
pub fn all(root: &Path) -> Result<Vec<Summary>, FsError> {
    let ids = ids(root)?;
    ids.iter().map(|id| summary(root, id)).collect()
}

/// Returns a run as it is listed.
///
/// # Errors
///
/// Fails if its journal cannot be read.
pub fn summary(root: &Path, id: &str) -> Result<Summary, FsError> {
    let records = records(root, id)?;
    let mut summary = Summary {
        id: id.to_owned(),
        started_ms: records.first().map_or(0, |record| record.at_ms),
        took_ms: 0,
        verb: String::new(),
        title: String::new(),
        outcome: Outcome::Open,
        usage: Usage::default(),
    };
    for record in records {
        match record.event {
            Event::Started { verb, title } => (summary.verb, summary.title) = (verb, title),
            Event::CallEnded { usage, .. } => summary.usage += usage,
            Event::Ended { outcome } => {
                if summary.outcome != Outcome::Undone {
                    summary.outcome = outcome;
                }
                summary.took_ms = record.at_ms.saturating_sub(summary.started_ms);
            }
            Event::LandingStarted | Event::LandingStranded => summary.outcome = Outcome::HalfLanded,
            Event::Landed | Event::LandingFailed => summary.outcome = Outcome::Open,
            Event::Undone => summary.outcome = Outcome::Undone,
            _ => {}
        }
    }
    Ok(summary)
}

/// Returns the records of a run, oldest first; what is damaged at the end is left out.
///
/// # Errors
///
/// Fails if the journal cannot be read.
pub fn records(root: &Path, id: &str) -> Result<Vec<Record>, FsError> {
    journal::read(&root.join(FOLDER).join(id))
}

/// Reads an artefact of a run.
///
/// # Errors
///
/// Fails if it is not there or cannot be read.
pub fn artefact(root: &Path, id: &str, name: &str) -> Result<Vec<u8>, FsError> {
    fs::read_regular(&root.join(FOLDER).join(id).join(name), MAX_BYTES)
}
