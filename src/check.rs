//! Checks: commands of the user's whose exit status says whether the tree is good.
//!
//! In: a command, a folder. Out: whether it passed, and its output in a file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::fs::{self, FsError};
use crate::process::{self, Command, End, Limits, ProcessError};

/// A check as an executor runs it: in words so plain that its program can be told to allow them and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runnable {
    /// What the executor types.
    pub command: String,
    /// The script that this runs, where the check is not that plain: its name beside the folder, and what it holds.
    pub script: Option<(String, String)>,
}

impl Runnable {
    /// Returns the `n`th check so.
    pub fn new(n: usize, check: &str) -> Self {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || " -_./:=,@%+".contains(c);
        let sets_variable = |word: &str| word.contains('=');
        let is_plain =
            check.chars().all(is_plain) && !check.split(' ').next().is_some_and(sets_variable);
        if is_plain {
            Self {
                command: check.to_owned(),
                script: None,
            }
        } else {
            Self::scripted(n, check)
        }
    }

    /// Returns the `n`th check as a script, however plain it is.
    pub fn scripted(n: usize, check: &str) -> Self {
        let name = format!("check-{n}.sh");
        Self {
            command: format!("sh ../{name}"),
            script: Some((name, check.to_owned())),
        }
    }
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// The command.
    pub command: String,
    /// Whether its exit status was 0.
    pub passed: bool,
    /// Whether the shell said that there is no such command, or one that it runs did.
    #[serde(skip)]
    pub is_not_found: bool,
    /// How it ended, for people.
    pub how: String,
    /// How long it took.
    #[serde(rename = "took_ms", serialize_with = "as_ms")]
    pub elapsed: Duration,
    /// The last lines of its output.
    pub tail: String,
}

/// A check could not be run.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The user asked to stop.
    #[error("interrupted in the check `{0}`")]
    Interrupted(String),
    /// The shell could not be started.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Its output could not be read.
    #[error(transparent)]
    Fs(#[from] FsError),
}

/// Where and how checks are run.
pub struct Setting<'a> {
    /// Our own program, which watches over each child.
    pub shim: &'a Path,
    /// The shell.
    pub shell: PathBuf,
    /// The environment of the commands.
    pub variables: Vec<(OsString, OsString)>,
    /// Values that may not stay in what is kept of their outputs.
    pub secrets: &'a [String],
    /// Where they run.
    pub folder: &'a Path,
    /// How long each may take.
    pub limits: &'a Limits,
    /// Whether the user wants us to stop.
    pub interrupted: &'a dyn Fn() -> bool,
}

/// What a shell answers where there is no such command.
const NOT_FOUND: i32 = 127;

/// How much of a check's output is shown.
const TAIL_BYTES: u64 = 4 << 10;

/// Runs a check; what it writes goes to the files `record.out` and `record.err`.
///
/// # Errors
///
/// Fails if the shell cannot be started or the user asks to stop; a check that fails is no error.
pub fn run(command: &str, record: &Path, setting: &Setting<'_>) -> Result<Checked, CheckError> {
    let stdout = record.with_extension("out");
    let stderr = record.with_extension("err");
    let job = Command {
        program: setting.shell.clone(),
        args: vec!["-c".into(), command.into()],
        env: setting.variables.clone(),
        folder: setting.folder.to_owned(),
        stdin: None,
        stdout: stdout.clone(),
        stderr: stderr.clone(),
        writable: None,
        secrets: setting.secrets.to_vec(),
    };
    let ended = process::run(
        setting.shim,
        &job,
        setting.limits,
        setting.interrupted,
        &mut |_, _| {},
    )?;
    let said = fs::tail(&stderr, TAIL_BYTES)?;
    let how = match ended.end {
        End::Interrupted => return Err(CheckError::Interrupted(command.to_owned())),
        End::Exited(0) => "passed".to_owned(),
        End::Exited(code) => format!("exit {code}"),
        End::Signalled(signal) => format!("ended by signal {signal}"),
        End::Idle => format!("wrote nothing for {} s", setting.limits.idle.as_secs()),
        End::Wall => format!("took more than {} s", setting.limits.wall.as_secs()),
        End::TooMuchOutput => "wrote without end".to_owned(),
    };
    let tail = [fs::tail(&stdout, TAIL_BYTES)?, said].concat();
    Ok(Checked {
        command: command.to_owned(),
        passed: ended.end == End::Exited(0),
        is_not_found: ended.end == End::Exited(NOT_FOUND),
        how,
        elapsed: ended.elapsed,
        tail,
    })
}

fn as_ms<S: serde::Serializer>(elapsed: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_is_not_plain_is_a_script() {
        for (check, command) in [
            ("cargo test --locked", "cargo test --locked"),
            ("npm test -- --grep=a,b", "npm test -- --grep=a,b"),
            ("FOO=1 npm test", "sh ../check-2.sh"),
            ("a && b", "sh ../check-2.sh"),
            ("rm *", "sh ../check-2.sh"),
            ("(cd x; echo 'y')", "sh ../check-2.sh"),
            ("a\nb", "sh ../check-2.sh"),
        ] {
            let runnable = Runnable::new(2, check);
            assert_eq!(runnable.command, command);
            let holds = runnable.script.map(|(_, holds)| holds);
            assert_eq!(holds.as_deref(), (command != check).then_some(check));
        }
    }
}
