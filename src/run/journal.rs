//! The journal of a run: one record a line, each with a checksum, appended and synced.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{MAX_BYTES, Outcome, Reserve};
use crate::agent::{Billing, Class, Gives, Role, Usage};
use crate::fs::{self, FsError, Hash, SystemKind};
use crate::path::RepoPath;
use crate::scratch::{ChangeKind, State};

const FILE: &str = "journal.jsonl";

/// The version of the format.
pub(super) const VERSION: u32 = 1;

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
        /// The step of a workflow that asks, if one does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<String>,
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
        /// What was asked for: an answer, or files that it edits.
        #[serde(default)]
        gives: Gives,
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
    /// Steps of the plan are carried out.
    GroupStarted {
        /// Their numbers.
        steps: Vec<usize>,
        /// How many steps the plan has.
        of: usize,
    },
    /// They are done, and good.
    GroupEnded {
        /// Their numbers.
        steps: Vec<usize>,
    },
    /// An agent that would be asked in the place of another cannot be.
    PassedOver {
        /// What is asked for.
        role: Role,
        /// Who cannot be asked.
        agent: String,
        /// The kind of failure that it would be.
        class: Class,
        /// Why.
        message: String,
    },
    /// A check ended.
    Checked {
        /// The command.
        command: String,
        /// Whether it ran before the change.
        is_baseline: bool,
        /// Whether it passed.
        passed: bool,
        /// How it ended, for people.
        #[serde(default)]
        how: String,
        /// What the run calls what it wrote, without the endings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<String>,
    },
    /// An executor changed these files of the scratch.
    Changed {
        /// Which.
        files: Vec<ChangedFile>,
    },
    /// The change was held against the plan, and against what the executor said of it.
    Audited {
        /// The plan does something to them, and they are as they were.
        untouched: Vec<RepoPath>,
        /// They are changed, and the plan does not name them.
        unplanned: Vec<RepoPath>,
        /// The executor says that it changed them, and they are as they were.
        claimed: Vec<RepoPath>,
    },
    /// The change holds what lands only if somebody agreed to it.
    Sensitive {
        /// What.
        found: Vec<Sensitive>,
    },
    /// A reviewer has read the change.
    Reviewed {
        /// The step of a workflow that asked, if one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<String>,
        /// How often it was read by now.
        number: usize,
        /// Whether it may land.
        approves: bool,
        /// What failed.
        failed: Vec<String>,
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

/// What of a change lands only if somebody agreed to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sensitive {
    /// The file.
    pub path: RepoPath,
    /// Why it needs consent, for people.
    pub why: String,
    /// Whether the plan speaks for it, which was agreed to.
    pub is_planned: bool,
    /// What the file holds after the change; nothing, if it is gone.
    #[serde(default)]
    pub after: Option<State>,
}

impl fmt::Display for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.path, self.why)
    }
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

/// Adds a record to the journal of `length` bytes in `folder`; returns its new length.
pub(super) fn append(folder: &Path, length: u64, record: &Record) -> Result<u64, FsError> {
    let path = folder.join(FILE);
    let text =
        serde_json::to_string(record).map_err(|cause| FsError::of("write", &path)(cause.into()))?;
    let line = format!("{text}{SEPARATOR}{}\n", checksum(&text));
    fs::append_durable(&path, length, line.as_bytes())
}

/// Reads the records of the run in `folder`; those that are damaged, or of a later version, are left out.
pub(super) fn read(folder: &Path) -> Result<Vec<Record>, FsError> {
    let bytes = contents(folder)?;
    let lines = bytes.split_inclusive(|&byte| byte == b'\n');
    Ok(lines.filter_map(parse).collect())
}

/// Cuts off what a crash left half-written, the last line without its end, so that records can be added; returns how
/// many there are, and the length of them all.
///
/// # Errors
///
/// Fails if another line is no record: what became of the run is then not known.
pub(super) fn repair(folder: &Path) -> Result<(u64, u64), FsError> {
    let path = folder.join(FILE);
    let bytes = contents(folder)?;
    let end = bytes.iter().rposition(|&byte| byte == b'\n');
    let whole = &bytes[..end.map_or(0, |at| at + 1)];
    let mut n = 0;
    for line in whole.split_inclusive(|&byte| byte == b'\n') {
        n += 1;
        if parse(line).is_none_or(|record| record.number != n) {
            let why = format!("line {n} is damaged, or of a later version of twostep");
            return Err(FsError::of("go on with", &path)(std::io::Error::other(why)));
        }
    }
    if whole.len() < bytes.len() {
        fs::write_durable(&path, whole)?;
    }
    Ok((n, whole.len() as u64))
}

fn contents(folder: &Path) -> Result<Vec<u8>, FsError> {
    let path = folder.join(FILE);
    if fs::kind(&path)? == SystemKind::Missing {
        return Ok(Vec::new());
    }
    fs::read_regular(&path, MAX_BYTES)
}

/// Returns the record in a line, if it is whole and of our version.
fn parse(line: &[u8]) -> Option<Record> {
    let line = std::str::from_utf8(line).ok()?;
    let (text, sum) = line.strip_suffix('\n')?.rsplit_once(SEPARATOR)?;
    let record: Record = (sum == checksum(text)).then(|| serde_json::from_str(text).ok())??;
    (record.version == VERSION).then_some(record)
}

fn checksum(text: &str) -> String {
    Hash::of(text.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u64) -> Record {
        Record {
            version: VERSION,
            number,
            at_ms: 5,
            event: Event::Landed,
        }
    }

    #[test]
    fn what_a_crash_left_is_cut_off_and_damage_is_not_added_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        assert_eq!(read(folder.path()).unwrap(), []);
        let mut length = 0;
        for number in 1..=3 {
            length = append(folder.path(), length, &record(number)).unwrap();
        }
        let whole = fs::read_regular(&path, MAX_BYTES).unwrap();
        let length = whole.len() / 3;
        let line = |event: &str| {
            let text = format!(r#"{{"version":1,"number":4,"at_ms":5,"event":{event}}}"#);
            format!("{text}{SEPARATOR}{}\n", checksum(&text)).into_bytes()
        };
        let replaced = |from: &str, to: &str| {
            let text = String::from_utf8_lossy(&whole).into_owned();
            text.replacen(from, to, 1).into_bytes()
        };
        // What is there, how many records are read, and whether more may be added.
        for (what, there, n_read, is_sound) in [
            ("whole", whole.clone(), 3, true),
            ("torn", whole[..whole.len() - 1].to_vec(), 2, true),
            ("torn early", whole[..length + 5].to_vec(), 1, true),
            ("torn letter", [&whole[..], b"\xc3"].concat(), 3, true),
            (
                "known",
                [&whole[..], &line(r#"{"type":"undone"}"#)].concat(),
                4,
                true,
            ),
            (
                "of later",
                [&whole[..], &line(r#"{"type":"danced"}"#)].concat(),
                3,
                false,
            ),
            (
                "between",
                [&whole[..length], b"{}\n", &whole[length..]].concat(),
                3,
                false,
            ),
            (
                "changed",
                replaced("\"number\":2", "\"number\":9"),
                2,
                false,
            ),
            ("no text", replaced("\"number\":2", "\u{fffd}"), 2, false),
            (
                "taken out",
                [&whole[..length], &whole[2 * length..]].concat(),
                2,
                false,
            ),
        ] {
            fs::write_durable(&path, &there).unwrap();
            assert_eq!(read(folder.path()).unwrap().len(), n_read, "{what}");
            let n = repair(folder.path());
            assert_eq!(
                n.as_ref().ok().map(|(n, _)| *n),
                is_sound.then_some(n_read as u64),
                "{what}"
            );
            if let Ok((_, length)) = n {
                append(folder.path(), length, &record(9)).unwrap();
                assert_eq!(read(folder.path()).unwrap().len(), n_read + 1, "{what}");
            } else {
                assert_eq!(fs::read_regular(&path, MAX_BYTES).unwrap(), there, "{what}");
            }
        }
    }
}
