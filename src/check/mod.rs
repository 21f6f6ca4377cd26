//! Checks: commands of the user's whose exit status says whether the tree is good.
//!
//! In: a command, a folder. Out: whether it passed, and its output in a file.

mod preset;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::fs::{self, FsError, SystemKind};
use crate::process::{self, Command, End, Limits, ProcessError};

pub use preset::{Preset, make_rule, npm_script, presets};

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
    /// What of its output tells why it failed.
    #[serde(skip)]
    pub output: String,
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
        output: output_of(record)?,
    })
}

/// So much of what a check wrote, at the end of each output, is looked at for what failed.
const READ_BYTES: u64 = 1 << 20;

/// So much of it is told to who has to put it right.
const TOLD_BYTES: usize = 12 << 10;

/// Returns what tells why a check failed, of what it wrote to the files `record.out` and `record.err`.
///
/// # Errors
///
/// Fails if they cannot be read.
pub fn output_of(record: &Path) -> Result<String, FsError> {
    let mut text = String::new();
    for ending in ["out", "err"] {
        let path = record.with_extension(ending);
        if fs::kind(&path)? != SystemKind::Missing {
            text.push_str(&fs::tail(&path, READ_BYTES)?);
        }
    }
    Ok(what_failed(&text, TOLD_BYTES))
}

/// Words in lines that tell of a failure, in lower case.
const FAILURES: &[&str] = &[
    "error",
    "fail",
    "panick",
    "assert",
    "traceback",
    "exception",
    "expected",
    "not ok",
    "undefined",
    "cannot ",
    "fatal",
    "\u{2717}",
    "\u{2715}",
    "\u{25cf}",
];

/// How many lines before and after such a line go with it.
const AROUND: (usize, usize) = (2, 8);

/// So many lines at the end always do: most tools sum up there.
const LAST_LINES: usize = 15;

/// Returns the lines of `text` that tell of a failure, with those around them, and the last; first ones first as long as
/// there is room, and a line `...` where others are left out.
fn what_failed(text: &str, most_bytes: usize) -> String {
    let text = plain(text);
    if text.len() <= most_bytes {
        return text;
    }
    let lines: Vec<&str> = text.lines().collect();
    let tells = |line: &str| {
        let line = line.to_lowercase();
        FAILURES.iter().any(|word| line.contains(word))
    };
    let last = lines.len().saturating_sub(LAST_LINES);
    let mut is_taken = vec![false; lines.len()];
    let mut room = most_bytes;
    let mut take = |at: usize| {
        if !is_taken[at] {
            let Some(left) = room.checked_sub(lines[at].len() + 1) else {
                return false;
            };
            room = left;
            is_taken[at] = true;
        }
        true
    };
    (last..lines.len()).rev().all(&mut take);
    for (at, _) in lines.iter().enumerate().filter(|(_, line)| tells(line)) {
        let around = at.saturating_sub(AROUND.0)..(at + AROUND.1).min(lines.len());
        if !around.into_iter().all(&mut take) {
            break;
        }
    }
    let mut shown = String::with_capacity(most_bytes);
    let mut is_gap = false;
    for (line, is_taken) in lines.iter().zip(is_taken) {
        if is_taken {
            shown.push_str(line);
            shown.push('\n');
        } else if !is_gap {
            shown.push_str("...\n");
        }
        is_gap = !is_taken;
    }
    shown
}

/// Returns a text without the sequences by which terminals colour it, and without the carriage returns of progress.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => {
                // `ESC [ ... letter`, or `ESC` and one character.
                if chars.next() == Some('[') {
                    for c in chars.by_ref() {
                        if c.is_ascii_alphabetic() || c == '~' {
                            break;
                        }
                    }
                }
            }
            '\r' => {}
            c if c.is_control() && c != '\n' && c != '\t' => {}
            c => plain.push(c),
        }
    }
    plain
}

fn as_ms<S: serde::Serializer>(elapsed: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_output_what_failed_is_told() {
        let filler = |n: usize| "running something that is well\n".repeat(n);
        let text = format!(
            "{}test a ... FAILED\n{}---- a stdout ----\nassertion `left == right` failed\n  left: 1\n right: 2\n{}test result: 1 of 9\n",
            filler(500),
            filler(500),
            filler(500)
        );
        let told = what_failed(&text, 2_000);
        assert!(told.len() <= 2_100, "{}", told.len());
        for said in [
            "test a ... FAILED\n",
            " right: 2\n",
            "test result: 1 of 9\n",
            "...\n",
        ] {
            assert!(told.contains(said), "{said}: {told}");
        }
        // The first failures are told where there is no room for all.
        let many: Vec<String> = (0..500)
            .map(|n| format!("error {n}\n{}", filler(9)))
            .collect();
        let many = many.concat();
        let told = what_failed(&many, 2_000);
        assert!(
            told.contains("error 0\n") && !told.contains("error 300\n"),
            "{told}"
        );
        for (text, expected) in [
            ("short\n", "short\n"),
            ("\u{1b}[31mred\u{1b}[0m \u{1b}7\r\n\u{7}", "red \n"),
            ("", ""),
        ] {
            assert_eq!(what_failed(text, 2_000), expected);
        }
    }

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
