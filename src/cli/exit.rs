//! How the process ends, and what an error advises.

use std::io;
use std::process::ExitCode;

use super::printer::StdoutClosed;
use crate::flow::pack::PackError;
use crate::flow::unpack::RestoreError;
use crate::fs::FsError;
use crate::model::UnknownModel;
use crate::repo::OpenError;

/// The exit codes, for the help.
pub(super) const TABLE: &str =
    "Exit codes: 0 done, 2 could not (flag, file, or a budget that is too small).";

/// How the process ends. Scripts rely on these numbers; changing one is a breaking change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Exit {
    /// The work was done.
    Success = 0,
    /// The work could not be done: bad flag, bad configuration, file or repository error.
    Error = 2,
}

impl Exit {
    /// Maps an error to its status by looking for a known cause in the chain.
    pub(super) fn of(error: &anyhow::Error) -> Self {
        if error.chain().any(is_stdout_closed) {
            Self::Success
        } else {
            Self::Error
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Our own reader has enough, as with `twostep pack | head`. The printer alone raises this type.
fn is_stdout_closed(cause: &(dyn std::error::Error + 'static)) -> bool {
    let inner = cause
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    inner.is_some_and(<dyn std::error::Error + Send + Sync>::is::<StdoutClosed>)
}

/// A call whose words contradict each other or lack something, with what would mend it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct UsageError {
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) hint: String,
}

/// Makes a [`UsageError`].
pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    let (message, hint) = (message.into(), hint.into());
    UsageError { message, hint }.into()
}

/// Returns what the user can do about an error: the advice of the first cause that has some.
pub(super) fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(hint_of)
}

fn hint_of(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(usage) = cause.downcast_ref::<UsageError>() {
        return Some(usage.hint.clone());
    }
    if let Some(unknown) = cause.downcast_ref::<UnknownModel>() {
        let nearest = unknown
            .nearest
            .as_ref()
            .map_or(String::new(), |name| format!("did you mean `{name}`? "));
        return Some(format!("{nearest}`twostep models` lists all"));
    }
    if let Some(PackError::TooSmall(small)) = cause.downcast_ref() {
        return Some(format!(
            "use `--budget {}` or more, or name fewer files",
            small.least
        ));
    }
    if let Some(PackError::Restless) = cause.downcast_ref() {
        return Some("run it again, or pack a copy of the tree".to_owned());
    }
    if let Some(PackError::Empty) = cause.downcast_ref() {
        return Some(
            "name files or folders that are not ignored, or widen `--include` and `--exclude`"
                .to_owned(),
        );
    }
    let advice = cause.downcast_ref::<OpenError>().map(OpenError::hint);
    let advice = advice.or_else(|| cause.downcast_ref::<RestoreError>().map(RestoreError::hint));
    let advice = advice.or_else(|| cause.downcast_ref::<FsError>().map(FsError::hint));
    advice.flatten().map(str::to_owned)
}
