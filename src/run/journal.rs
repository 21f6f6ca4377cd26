//! The journal of a run: one record a line, each with a checksum, appended and synced.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{MAX_BYTES, Outcome, Reserve};
use crate::agent::{Billing, Class, Role, Usage};
use crate::fs::{self, FsError, Hash, SystemKind};
use crate::path::RepoPath;
use crate::scratch::ChangeKind;

const FILE: &str = "journal.jsonl";

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of the format: 1.
    pub version: u32,
    /// Its place in the journal, from 1.
    pub number: u64,
    /// The time, in milliseconds since 1970.
    pub at_ms: u64,
    /// What happened.
    pub event: Event,
}

/// What happens in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It began.
    Started {
        /// The verb that began it.
        verb: String,
        /// The first line of the spec or plan that says something.
        title: String,
    },
    /// A later process took it up again.
    Resumed,
    /// A file was written to the run's folder.
    Artefact {
        /// Its name there.
        name: String,
        /// Its size.
        bytes: u64,
        /// Its hash.
        hash: String,
    },
    /// An agent is asked.
    CallStarted {
        /// Which call, from 1.
        number: usize,
        /// What it is asked to be.
        role: Role,
        /// The agent and its model.
        agent: String,
        /// The hash of the prompt.
        prompt_hash: String,
        /// What it takes at least: that counts where nothing else is known of it.
        #[serde(default)]
        reserve: Reserve,
    },
    /// An agent answered.
    CallEnded {
        /// Which call.
        number: usize,
        /// What it reported.
        usage: Usage,
        /// Who pays for it.
        #[serde(default)]
        billing: Option<Billing>,
    },
    /// An agent did not answer.
    CallFailed {
        /// Which call.
        number: usize,
        /// The kind of failure; none where the agent was not even reached.
        class: Option<Class>,
        /// What went wrong.
        message: String,
    },
    /// The call is made again after a wait.
    Waited {
        /// How long, in milliseconds.
        ms: u64,
    },
    /// Another agent is asked, for the one that was cannot do it.
    FellBack {
        /// What is asked for.
        role: Role,
        /// Who could not.
        from: String,
        /// Who is asked.
        to: String,
    },
    /// A check ended.
    Checked {
        /// The command.
        command: String,
        /// Whether it ran before the change.
        is_baseline: bool,
        /// Whether it passed.
        passed: bool,
    },
    /// An executor changed these files of the scratch.
    Changed {
        /// Which.
        files: Vec<ChangedFile>,
    },
    /// Files of the user's tree are about to be exchanged.
    LandingStarted,
    /// All of them were.
    Landed,
    /// The change is a commit on a new branch.
    Branched {
        /// The branch.
        name: String,
        /// The commit.
        commit: String,
    },
    /// There was a surprise, and all of them were put back.
    LandingFailed,
    /// There was a surprise, and not all of them could be put back.
    LandingStranded,
    /// The change was taken back.
    Undone,
    /// The run ended.
    Ended {
        /// What it came to.
        outcome: Outcome,
        /// The exit code of its process.
        exit: u8,
    },
}

/// A file that an executor changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangedFile {
    /// Where it is.
    pub path: RepoPath,
    /// What became of it.
    pub what: ChangeKind,
}

impl Event {
    /// Says whether it tells what became of the user's files.
    pub fn is_of_landing(&self) -> bool {
        matches!(
            self,
            Self::LandingStarted
                | Self::LandingStranded
                | Self::LandingFailed
                | Self::Landed
                | Self::Branched { .. }
                | Self::Undone
        )
    }
}

/// What stands between a record and its checksum in a line.
const SEPARATOR: &str = "\t";

pub(super) fn append(folder: &Path, record: &Record) -> Result<(), FsError> {
    let path = folder.join(FILE);
    let text =
        serde_json::to_string(record).map_err(|cause| FsError::of("write", &path)(cause.into()))?;
    let line = format!("{text}{SEPARATOR}{}\n", checksum(&text));
    fs::append_durable(&path, line.as_bytes())
}

/// Reads the records of the run in `folder`, up to the first that is damaged: what a crash left half-written.
pub(super) fn read(folder: &Path) -> Result<Vec<Record>, FsError> {
    Ok(whole(&contents(folder)?)
        .map(|(record, _)| record)
        .collect())
}

/// Cuts off what a crash left half-written, so that records can be added; returns how many there are.
pub(super) fn repair(folder: &Path) -> Result<u64, FsError> {
    let text = contents(folder)?;
    let lengths: Vec<usize> = whole(&text).map(|(_, length)| length).collect();
    let end: usize = lengths.iter().sum();
    if end < text.len() {
        fs::write_durable(&folder.join(FILE), &text.as_bytes()[..end])?;
    }
    Ok(lengths.len() as u64)
}

fn contents(folder: &Path) -> Result<String, FsError> {
    let path = folder.join(FILE);
    if fs::kind(&path)? == SystemKind::Missing {
        return Ok(String::new());
    }
    let bytes = fs::read_regular(&path, MAX_BYTES)?;
    let valid = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    Ok(valid.to_owned())
}

/// Returns the records that are whole, each with the length of its line.
fn whole(text: &str) -> impl Iterator<Item = (Record, usize)> {
    text.split_inclusive('\n').map_while(|line| {
        let (record, sum) = line.strip_suffix('\n')?.rsplit_once(SEPARATOR)?;
        let record = (sum == checksum(record)).then(|| serde_json::from_str(record).ok())??;
        Some((record, line.len()))
    })
}

fn checksum(text: &str) -> String {
    Hash::of(text.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u64) -> Record {
        Record {
            version: 1,
            number,
            at_ms: 5,
            event: Event::Landed,
        }
    }

    #[test]
    fn a_journal_is_read_up_to_the_first_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        assert_eq!(read(folder.path()).unwrap(), []);
        for number in 1..=3 {
            append(folder.path(), &record(number)).unwrap();
        }
        let whole = fs::read_regular(&path, MAX_BYTES).unwrap();
        assert_eq!(read(folder.path()).unwrap().len(), 3);
        let length = whole.len() / 3;
        for (damage, n_left) in [
            (whole[..whole.len() - 1].to_vec(), 2),
            (whole[..length + 5].to_vec(), 1),
            ([&whole[..length], b"{}\n", &whole[length..]].concat(), 1),
            (
                String::from_utf8_lossy(&whole)
                    .replacen("\"number\":2", "\"number\":9", 1)
                    .into_bytes(),
                1,
            ),
        ] {
            fs::write_durable(&path, &damage).unwrap();
            assert_eq!(read(folder.path()).unwrap().len(), n_left);
            // What is added after a repair is read back.
            assert_eq!(repair(folder.path()).unwrap(), n_left as u64);
            append(folder.path(), &record(9)).unwrap();
            assert_eq!(read(folder.path()).unwrap().len(), n_left + 1);
        }
    }
}
