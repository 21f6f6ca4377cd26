//! Runs: a folder for each, with every artefact, and a journal of what happened.
//!
//! In: artefacts and events. Out: files that survive us, and runs that can be listed and shown.
//!
//! Invariant: an artefact is on the disk before the record that names it; a record is whole or is not read. Who adds to
//! a run holds its lock.

mod calls;
mod groups;
mod journal;
mod lock;
mod memory;
mod past;
mod report;
mod spent;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::fs::{self, FsError, Hash, SystemKind};
use crate::path::RepoPath;
use crate::repo::Repository;

pub use calls::{CALLS_FOLDER, CallPlace, Known};
pub use groups::{Group, groups, spans, steps};
pub use journal::{ChangedFile, Event, Record, Sensitive};
pub use lock::{LockError, lock};
pub use memory::{memory, remember};
pub use past::{
    CheckEnd, Summary, all, artefact, changed_by, checks, half_landed, ids, last_answer, records,
    summary,
};
pub use report::REPORT_FILE;
pub use spent::{Reserve, Spent};

/// The folder of the runs, beneath the root of the repository.
pub const FOLDER: &str = ".twostep/runs";

/// What is told of each record of a run, as soon as it is on the disk.
pub type Watch = Box<dyn Fn(&Record) + Send>;

/// One execution and its folder.
pub struct Run {
    root: PathBuf,
    /// Its name: when it began, and a few letters that tell it from others.
    pub id: String,
    /// Where its files are.
    pub folder: PathBuf,
    /// When it began, in milliseconds since 1970.
    pub started_ms: u64,
    /// What changes while it is at work, which may be in several threads.
    state: Mutex<State>,
    /// Held from looking what the run has used until a call is counted.
    booking: Mutex<()>,
    /// How long earlier processes were at work, in milliseconds, as far as is known.
    worked_ms: u64,
    /// When this process took it up, in milliseconds since 1970.
    since_ms: u64,
    /// Whether a role may be asked something else than it has answered.
    accepts_changes: bool,
    /// What it met that needs consent, if the user agreed to that since.
    agreed: Option<Vec<Sensitive>>,
    /// Whether an earlier process began it.
    is_resumed: bool,
    /// The time, in milliseconds since 1970.
    now: fn() -> u64,
    #[expect(dead_code, reason = "held, not read")]
    lock: fs::Lock,
}

/// What of a run changes while it is at work.
#[derive(Default)]
struct State {
    n_records: u64,
    /// The length of its journal, as it was written last.
    journal_bytes: u64,
    n_calls: usize,
    /// The calls that were answered before it was taken up again.
    answered: Vec<calls::Answered>,
    /// What the calls used that have ended.
    spent: Spent,
    /// What was set aside for those that have not, by their numbers.
    reserved: BTreeMap<usize, Reserve>,
    /// The hashes of what was kept, by name.
    hashes: BTreeMap<String, String>,
    /// Is told of each record.
    watch: Option<Watch>,
}

/// What a run came to, as its journal tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A plan was made, and nothing else asked for.
    Planned,
    /// A prompt of the user's was answered.
    Answered,
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
    /// The caller is asked, by the prompt in this file of the run.
    Waiting(String),
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
        if let Some(link) = link_to_runs(root) {
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
        let lock = hold(&folder)?;
        Ok(Self {
            root: root.to_owned(),
            id,
            folder,
            started_ms: now(),
            state: Mutex::default(),
            booking: Mutex::default(),
            worked_ms: 0,
            since_ms: now(),
            accepts_changes: true,
            agreed: None,
            is_resumed: false,
            now,
            lock,
        })
    }

    /// Opens a run that is not at work, to go on with it or to add to its journal.
    ///
    /// # Errors
    ///
    /// Fails if it is still at work, or its journal cannot be read.
    pub fn reopen(root: &Path, id: &str, now: fn() -> u64) -> Result<Self, FsError> {
        let folder = root.join(FOLDER).join(id);
        let lock = hold(&folder)?;
        fs::remove_temporary(&folder)?;
        let (n_records, journal_bytes) = journal::repair(&folder)?;
        let records = journal::read(&folder)?;
        let (n_calls, answered) = calls::answered(&records);
        let started_ms = records.first().map_or_else(now, |record| record.at_ms);
        let (spent, worked_ms) = (Spent::of(&records), past::worked(&records));
        let hashes = records.into_iter().filter_map(|record| match record.event {
            Event::Artefact { name, hash, .. } => Some((name, hash)),
            _ => None,
        });
        Ok(Self {
            root: root.to_owned(),
            id: id.to_owned(),
            folder,
            started_ms,
            state: Mutex::new(State {
                n_records,
                journal_bytes,
                n_calls,
                answered,
                spent,
                hashes: hashes.collect(),
                ..State::default()
            }),
            booking: Mutex::default(),
            worked_ms,
            since_ms: now(),
            accepts_changes: false,
            agreed: None,
            is_resumed: true,
            now,
            lock,
        })
    }

    /// Has `watch` told of each record from now on.
    pub fn watch(&self, watch: Option<Watch>) {
        self.state().watch = watch;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps other threads from counting a call, until what is returned goes.
    pub fn book(&self) -> MutexGuard<'_, ()> {
        self.booking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what its calls have used, and what is set aside for those that have not ended.
    pub fn spent(&self) -> Spent {
        let state = self.state();
        let mut spent = state.spent;
        for reserve in state.reserved.values() {
            spent.add(*reserve, None);
        }
        spent
    }

    /// Returns how long it has been at work, as far as is known.
    pub fn worked(&self, now: u64) -> Duration {
        let now = now.saturating_sub(self.since_ms);
        Duration::from_millis(self.worked_ms.saturating_add(now))
    }

    /// Has roles asked again that answered another prompt, for what the prompt is made of has changed.
    pub fn accept_changes(&mut self) {
        self.accepts_changes = true;
    }

    /// Takes down that the user agreed to what it has met so far that needs consent, and to nothing else.
    ///
    /// # Errors
    ///
    /// Fails if its journal cannot be read.
    pub fn agree(&mut self) -> Result<(), FsError> {
        let records = journal::read(&self.folder)?.into_iter();
        let found = records.filter_map(|record| match record.event {
            Event::Sensitive { found } => Some(found),
            _ => None,
        });
        self.agreed = Some(found.flatten().collect());
        Ok(())
    }

    /// Returns what the user agreed to when it was taken up, if that was all they agreed to.
    pub fn agreed(&self) -> Option<&[Sensitive]> {
        self.agreed.as_deref()
    }

    /// Says whether an earlier process began it.
    pub fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// Reads what was kept under `name`.
    ///
    /// # Errors
    ///
    /// Fails if it is gone, or is not what was kept.
    pub fn kept(&self, name: &str) -> Result<Vec<u8>, FsError> {
        let path = self.folder.join(name);
        let bytes = fs::read_regular(&path, MAX_BYTES)?;
        if self.state().hashes.get(name) == Some(&Hash::of(&bytes).to_string()) {
            Ok(bytes)
        } else {
            let cause = std::io::Error::other("it is not what the run kept there");
            Err(FsError::of("use", &path)(cause))
        }
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
    pub fn keep(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, FsError> {
        let path = self.folder.join(name);
        if let Some(folder) = path.parent() {
            fs::make_private_folders(folder)?;
        }
        fs::write_durable(&path, bytes)?;
        let hash = Hash::of(bytes).to_string();
        self.state().hashes.insert(name.to_owned(), hash.clone());
        self.record(Event::Artefact {
            name: name.to_owned(),
            bytes: bytes.len() as u64,
            hash,
        })?;
        Ok(path)
    }

    /// Keeps the report, with what the user is advised to do, and records what the run came to and the exit code that says so.
    ///
    /// # Errors
    ///
    /// Fails if they cannot be written.
    pub fn end(&self, outcome: Outcome, exit: u8, advice: Option<&str>) -> Result<(), FsError> {
        let records = journal::read(&self.folder)?;
        let report = report::report(&self.id, &records, &outcome, advice);
        self.keep(REPORT_FILE, report.as_bytes())?;
        self.record(Event::Ended { outcome, exit })
    }

    /// Records that the change was taken back, and says so in the report.
    ///
    /// # Errors
    ///
    /// Fails if that cannot be recorded.
    pub fn undone(&self) -> Result<(), FsError> {
        self.record(Event::Undone)?;
        let records = journal::read(&self.folder)?;
        let report = report::report(&self.id, &records, &Outcome::Undone, None);
        self.keep(REPORT_FILE, report.as_bytes()).map(drop)
    }

    /// Appends an event to the journal.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written.
    pub fn record(&self, event: Event) -> Result<(), FsError> {
        let mut state = self.state();
        let record = Record {
            version: journal::VERSION,
            number: state.n_records + 1,
            at_ms: (self.now)(),
            event,
        };
        state.journal_bytes = journal::append(&self.folder, state.journal_bytes, &record)?;
        state.n_records += 1;
        if let Some(watch) = &state.watch {
            watch(&record);
        }
        Ok(())
    }
}

/// The file of a run that is locked while somebody adds to it.
const LOCK_FILE: &str = "lock";

/// Takes the lock of the run in `folder`.
fn hold(folder: &Path) -> Result<fs::Lock, FsError> {
    let path = folder.join(LOCK_FILE);
    // Who looks whether it is held has it for a moment.
    for _ in 0..20 {
        if let Some(lock) = fs::Lock::take(&path)? {
            return Ok(lock);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let cause = std::io::Error::other("this run is still at work; `twostep runs wait` waits");
    Err(FsError::of("add to", folder)(cause))
}

/// Says whether the run `id` is at work, in whatever process.
///
/// # Errors
///
/// Fails where the system does not say.
pub fn is_alive(root: &Path, id: &str) -> Result<bool, FsError> {
    fs::Lock::is_held(&root.join(FOLDER).join(id).join(LOCK_FILE))
}

/// Returns a value as JSON for people and programs, with a line break at its end.
pub fn json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Says whether our folder may have come with the repository, for git tracks it or it is a link: what is in it is then
/// not to be believed.
pub fn is_foreign(repository: &Repository) -> bool {
    let root = repository.root.path();
    if link_to_runs(root).is_some() {
        return true;
    }
    let Ok(folder) = RepoPath::parse(b".twostep") else {
        return false;
    };
    let git = repository.git.as_ref();
    git.is_some_and(|git| git.tracks(folder.as_path()) || git.tracks_below(&folder))
}

/// Returns what of the way to the runs of the repository at `root` is a link, if something is: it would lead what we keep
/// out of the tree, or the user's files into it.
fn link_to_runs(root: &Path) -> Option<PathBuf> {
    let way = [root.join(".twostep"), root.join(FOLDER)];
    way.into_iter().find(|path| fs::is_link(path))
}

/// Returns the name of the file of a run that holds its `n`th review, or that of a step of its workflow.
pub fn review_file(step: Option<&str>, n: usize) -> String {
    match step {
        Some(step) => format!("reviews/{step}-{n}.md"),
        None => format!("review-{n}.md"),
    }
}

/// Says whether `text` may be the name of a run or of a conversation: nothing in it leads elsewhere, and no program takes
/// it for an option.
pub fn is_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && !text.starts_with('-') && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Role;
    use crate::agent::{Billing, Gives, Reply};

    #[test]
    fn a_run_that_lands_now_is_not_half_landed() {
        let root = tempfile::tempdir().unwrap();
        let half_landed = || half_landed(root.path()).unwrap();
        let run = Run::begin(root.path(), "one".into(), || 0).unwrap();
        run.record(Event::LandingStarted).unwrap();
        assert_eq!(half_landed(), None);
        drop(run);
        assert_eq!(half_landed().as_deref(), Some("one"));
    }

    #[test]
    fn a_run_that_cannot_be_read_hides_no_other() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let run = Run::begin(root, "a".into(), || 0).unwrap();
        run.record(Event::LandingStarted).unwrap();
        drop(run);
        for (id, file, goal) in [
            ("b", "journal.jsonl", "/dev/zero"),
            ("c", "journal.jsonl", "journal.jsonl"),
            ("d", LOCK_FILE, "/dev/zero"),
        ] {
            let folder = root.join(FOLDER).join(id);
            fs::make_private_folders(&folder).unwrap();
            std::os::unix::fs::symlink(goal, folder.join(file)).unwrap();
        }
        assert_eq!(half_landed(root).unwrap().as_deref(), Some("a"));
        let all = all(root).unwrap().into_iter().map(|summary| summary.id);
        assert_eq!(all.collect::<Vec<_>>(), ["a", "d"]);
    }

    #[test]
    fn a_run_is_alive_while_somebody_may_add_to_it() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let is_alive = || is_alive(root, "one").unwrap();
        assert!(!is_alive());
        let run = Run::begin(root, "one".into(), || 0).unwrap();
        assert!(is_alive());
        let error = Run::reopen(root, "one", || 0).err().unwrap();
        assert!(error.source.to_string().contains("still at work"));
        drop(run);
        assert!(!is_alive());
        let run = Run::reopen(root, "one", || 0).unwrap();
        assert!(is_alive());
        drop(run);
    }

    #[test]
    fn several_threads_add_to_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let run = Run::begin(folder.path(), "a".into(), || 0).unwrap();
        let reserve = Reserve {
            tokens: 10,
            dollars: None,
        };
        std::thread::scope(|scope| {
            for n in 0..4 {
                let run = &run;
                scope.spawn(move || {
                    let step = format!("work[{n}]");
                    let what = (Role::Asked, Some(step.as_str()));
                    let place = run.begin_call(what, "a", &step, reserve).unwrap();
                    run.keep(&format!("{n}.md"), step.as_bytes()).unwrap();
                    let reply = Reply {
                        text: step.clone(),
                        ..Reply::default()
                    };
                    let (gives, billing) = (Gives::Answer, Billing::Nothing);
                    // The last one is cut off.
                    if n < 3 {
                        run.end_call(&place, "a", &reply, gives, billing).unwrap();
                    }
                });
            }
        });
        let spent = run.spent();
        assert_eq!((spent.n_calls, spent.tokens), (4, 40));
        drop(run);
        let records = records(folder.path(), "a").unwrap();
        let numbers: Vec<u64> = records.iter().map(|record| record.number).collect();
        assert_eq!(numbers, (1..=records.len() as u64).collect::<Vec<_>>());
        // Each step knows its own answer, whatever others answered.
        let run = Run::reopen(folder.path(), "a", || 0).unwrap();
        for (step, prompt, expected) in [
            ("work[3]", "work[3]", "nothing"),
            ("work[1]", "work[1]", "work[1]"),
            ("work[1]", "work[1]", "nothing"),
            ("work[2]", "another prompt", "other"),
            ("work[0]", "work[0]", "work[0]"),
        ] {
            let known = run.known((Role::Asked, Some(step)), prompt).unwrap();
            let known = match known {
                Known::Nothing => "nothing".to_owned(),
                Known::Answered(_, _, reply) => reply.text,
                Known::Other(_) => "other".to_owned(),
            };
            assert_eq!(known, expected, "{step}");
        }
    }
}
