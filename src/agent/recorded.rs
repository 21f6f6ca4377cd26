//! An agent that answers from a recording: a folder with a folder for each call, in order.
//!
//! A call's folder holds `call.json` ([`RecordedCall`]), `reply.md`, and `changes.patch` if it made a change.
//! The folder `calls` of a run is a recording.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::{Call, Class, Failure, Gives, Reply, Role, Usage};
use crate::fs::{self, FsError, Hash};

/// The file that says what a recorded call was.
pub const CALL_FILE: &str = "call.json";

/// The file that holds the answer.
pub const REPLY_FILE: &str = "reply.md";

/// The file that holds the change that the agent made.
pub const PATCH_FILE: &str = "changes.patch";

/// The file of a call that holds what was asked.
pub const PROMPT_FILE: &str = "prompt.md";

/// Where two prompts begin to differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The first line that differs, from 1.
    pub line: usize,
    /// The file of the pack that the line is in, if it is in one.
    pub file: Option<String>,
    /// How that line begins now.
    pub now: String,
}

impl Difference {
    /// Finds where `now` begins to differ from `old`.
    pub fn of(old: &str, now: &str) -> Self {
        const MOST_CHARS: usize = 80;
        let mut file = None;
        let mut n_same = 0;
        let mut lines = old.lines().zip(now.lines());
        for (_, line) in lines.by_ref().take_while(|(old, now)| old == now) {
            n_same += 1;
            if let Some(rest) = line.strip_prefix("<file path=\"") {
                file = rest.split('"').next().map(str::to_owned);
            } else if line == "</files>" {
                file = None;
            }
        }
        let line = now.lines().nth(n_same).unwrap_or_default();
        Self {
            line: n_same + 1,
            file,
            now: line.chars().take(MOST_CHARS).collect(),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "they differ from line {}", self.line)?;
        if let Some(file) = &self.file {
            write!(f, ", in or after `{file}`")?;
        }
        write!(f, ": `{}`", self.now)
    }
}

/// A call as it stands in a recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedCall {
    /// The version of the format: 1.
    pub version: u32,
    /// What the agent was asked to be.
    pub role: Role,
    /// The step of a workflow that asked, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The agent and its model.
    pub agent: String,
    /// The hash of the prompt.
    pub prompt_hash: String,
    /// What was asked for: an answer, or files that it edits.
    #[serde(default)]
    pub gives: Gives,
    /// By what the program goes on with the conversation.
    #[serde(default)]
    pub session: Option<String>,
    /// What was reported.
    #[serde(default)]
    pub usage: Usage,
}

/// A recording that is played back.
pub struct Recorded {
    folder: PathBuf,
    /// The folder as the user wrote it.
    pub typed: PathBuf,
    /// The calls that were answered: each is once, the first first that was asked the same.
    answered: Mutex<BTreeSet<PathBuf>>,
}

/// No recorded file is larger.
const MAX_BYTES: u64 = 64 << 20;

impl Recorded {
    /// Plays back what is in the folder `typed`, which is absolute or relative to `here`.
    pub fn new(here: &Path, typed: PathBuf) -> Self {
        Self {
            folder: here.join(&typed),
            typed,
            answered: Mutex::default(),
        }
    }

    pub(super) fn name(&self) -> String {
        format!("the recording `{}`", self.typed.display())
    }

    /// Returns what the executor gave whose call was recorded first.
    pub(super) fn gives(&self) -> Gives {
        let calls = self.calls(Role::Executor).unwrap_or_default();
        calls.first().map_or(Gives::Files, |(_, call)| call.gives)
    }

    /// Returns how many answers come before the one to `prompt`, of those that were not given yet, if there is one.
    ///
    /// # Errors
    ///
    /// Fails if the recording cannot be read.
    pub fn n_before(&self, role: Role, prompt: &str) -> Result<Option<usize>, FsError> {
        let hash = Hash::of(prompt.as_bytes()).to_string();
        let mut left = self.calls(role)?;
        let answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        left.retain(|(place, _)| !answered.contains(place));
        Ok(left.iter().position(|(_, call)| call.prompt_hash == hash))
    }

    /// Answers as it was recorded, with the change that was made.
    pub(super) fn ask(&self, call: &Call<'_>) -> Result<Result<Reply, Failure>, FsError> {
        let not_recorded = |why: String| Ok(Err(Failure::new(Class::NotRecorded, why)));
        let mut left = self.calls(call.role)?;
        let n = left.len();
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        left.retain(|(place, _)| !answered.contains(place));
        // Of several that were asked the same, each step has its own.
        let is_same = |recorded: &RecordedCall| recorded.prompt_hash == call.prompt_hash;
        let is_own =
            |recorded: &RecordedCall| is_same(recorded) && recorded.step.as_deref() == call.step;
        let own = left.iter().position(|(_, recorded)| is_own(recorded));
        let same = own.or_else(|| left.iter().position(|(_, recorded)| is_same(recorded)));
        let Some((place, recorded)) = left.into_iter().nth(same.unwrap_or(0)) else {
            return not_recorded(format!("it has no call {} of {}", n + 1, call.role.who()));
        };
        answered.insert(place.clone());
        drop(answered);
        if recorded.prompt_hash != call.prompt_hash {
            let differ = match fs::read_text(&place.join(PROMPT_FILE), MAX_BYTES) {
                Ok(old) => format!("; {}", Difference::of(&old, call.prompt)),
                Err(_) => String::new(),
            };
            return not_recorded(format!(
                "`{}` answers another prompt than the one in `{}`{differ}",
                place.display(),
                call.prompt_file.display()
            ));
        }
        let has_change = call.may.gives() == Gives::Files && fs::has_entry(&place, PATCH_FILE);
        let change = has_change.then(|| fs::read_regular(&place.join(PATCH_FILE), MAX_BYTES));
        Ok(Ok(Reply {
            change: change.transpose()?,
            text: fs::read_text(&place.join(REPLY_FILE), MAX_BYTES)?,
            session: recorded.session,
            who: Some(recorded.agent),
            usage: recorded.usage,
            ..Reply::default()
        }))
    }

    /// Returns the recorded calls of `role`, in order, each with its folder.
    fn calls(&self, role: Role) -> Result<Vec<(PathBuf, RecordedCall)>, FsError> {
        let mut calls = Vec::new();
        for name in fs::list(&self.folder)? {
            let place = self.folder.join(name);
            if fs::has_entry(&place, CALL_FILE) {
                let call = read_call(&place.join(CALL_FILE))?;
                if call.role == role {
                    calls.push((place, call));
                }
            }
        }
        Ok(calls)
    }
}

fn read_call(path: &Path) -> Result<RecordedCall, FsError> {
    let call: RecordedCall = fs::read_json(path, MAX_BYTES)?;
    if call.version == 1 {
        Ok(call)
    } else {
        let cause = std::io::Error::other(format!(
            "it has version {}; this twostep reads 1",
            call.version
        ));
        Err(FsError::of("use", path)(cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_named_with_its_file() {
        let old = "head\n<file path=\"a b.rs\"><![CDATA[\none\n]]></file>\n</files>\nend\n";
        for (now, line, file, shown) in [
            (old.replace("one", "two"), 3, Some("a b.rs"), "two"),
            (old.replace("end", "END"), 6, None, "END"),
            (old.replace("head", ""), 1, None, ""),
            ("head\n".to_owned(), 2, None, ""),
            (format!("{old}more"), 7, None, "more"),
        ] {
            let expected = Difference {
                line,
                file: file.map(str::to_owned),
                now: shown.to_owned(),
            };
            assert_eq!(Difference::of(old, &now), expected);
        }
    }
}
