//! The lock of landings and undos: one at a time in a repository.

use std::path::Path;
use std::time::{Duration, Instant};

use super::is_id;
use crate::fs::{self, FsError};

/// The user's files are not ours to change.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run has had them for longer than one should.
    #[error("{} is landing, or being undone, in this repository", holder(.0.as_deref()))]
    Busy(Option<String>),
    /// The lock could not be made or asked.
    #[error(transparent)]
    Fs(#[from] FsError),
}

fn holder(id: Option<&str>) -> String {
    id.map_or("another run".to_owned(), |id| format!("the run {id}"))
}

/// Who wants to land or undo waits this long for who does: that takes moments.
const PATIENCE: Duration = Duration::from_secs(3);

/// Takes the lock of landings and undos in the repository at `root` for the run `id`, for as long as it is held.
///
/// # Errors
///
/// Fails if another run keeps it, or `is_given_up` says that the wait is over.
pub fn lock(root: &Path, id: &str, is_given_up: &dyn Fn() -> bool) -> Result<fs::Lock, LockError> {
    let path = root.join(".twostep/lock");
    let begun = Instant::now();
    loop {
        if let Some(lock) = fs::Lock::take(&path)? {
            lock.write(id);
            return Ok(lock);
        }
        if begun.elapsed() > PATIENCE || is_given_up() {
            let holder = fs::Lock::holder(&path).filter(|id| is_id(id));
            return Err(LockError::Busy(holder));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
