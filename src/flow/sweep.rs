//! The cache: a run at work holds its place there, and the places of runs that are dead are cleared.
//!
//! The cache is shared by all repositories of a user. `RUN` is the folder of a run, `RUN.lock` is locked while the run
//! works, `RUN.swept` is on its way out. The lock stands beside the folder, for a run clears its folder now and then.
//!
//! Invariant: the folder of a run that works is never touched.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::fs::{self, FsError, Lock};

/// The place of a run in the cache, held until it is dropped.
pub struct Claim {
    lock_file: PathBuf,
    #[expect(dead_code, reason = "held, not read")]
    lock: Lock,
}

/// Conversations go on in the folder in which they began: this one of a run's is kept for a while.
const PLANNER: &str = "planner";

/// How long.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// What is younger may be about to be claimed.
const SETTLED: Duration = Duration::from_mins(1);

/// Holds the place of the run `id`, and clears those of runs that are dead; what cannot be cleared stays.
///
/// # Errors
///
/// Fails if the place is another process's, or the cache cannot be written.
pub fn claim(cache: &Path, id: &str) -> Result<Claim, FsError> {
    let claim = hold(cache, id)?;
    for id in swept(cache).unwrap_or_default() {
        let _ = sweep(cache, &id);
    }
    Ok(claim)
}

fn hold(cache: &Path, id: &str) -> Result<Claim, FsError> {
    fs::make_private_folders(cache)?;
    let lock_file = lock_file(cache, id);
    // Who sweeps has a lock for a moment, and may take its file away.
    for _ in 0..100 {
        if let Some(lock) = Lock::take(&lock_file)?
            && Lock::is_held(&lock_file)?
        {
            return Ok(Claim { lock_file, lock });
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let cause = std::io::Error::other("another process works there");
    Err(FsError::of("use the place of a run", &cache.join(id))(
        cause,
    ))
}

impl Drop for Claim {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.lock_file);
    }
}

fn lock_file(cache: &Path, id: &str) -> PathBuf {
    cache.join(format!("{id}.lock"))
}

fn trash(cache: &Path, id: &str) -> PathBuf {
    cache.join(format!("{id}.swept"))
}

/// Returns the runs of which there is something in the cache.
fn swept(cache: &Path) -> Result<Vec<String>, FsError> {
    let names = fs::list(cache)?.into_iter();
    let mut ids: Vec<String> = names
        .filter_map(|name| {
            let name = name.into_string().ok()?;
            let id = name.split('.').next()?;
            is_run(id).then(|| id.to_owned())
        })
        .collect();
    ids.dedup();
    Ok(ids)
}

/// Says whether a name is that of a run: its time, and what tells it from others. Other things of ours may be in the cache.
fn is_run(name: &str) -> bool {
    let lengths: Vec<usize> = name.split('-').map(str::len).collect();
    lengths == [8, 6, 3, 2] && name.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// Clears the place of the run `id`, if it is dead.
fn sweep(cache: &Path, id: &str) -> Result<(), FsError> {
    let (folder, trash) = (cache.join(id), trash(cache, id));
    let is_young = |path: &Path| fs::age(path).is_ok_and(|age| age < SETTLED);
    if is_young(&folder) || is_young(&lock_file(cache, id)) {
        return Ok(());
    }
    let Some(lock) = Lock::take(&lock_file(cache, id))? else {
        return Ok(());
    };
    let claim = Claim {
        lock_file: lock_file(cache, id),
        lock,
    };
    if fs::has_entry(cache, &trash) {
        fs::remove_folder(&trash)?;
    }
    if fs::age(&folder.join(PLANNER)).is_ok_and(|age| age < KEPT) {
        for name in fs::list(&folder)?.iter().filter(|name| *name != PLANNER) {
            fs::make_private_folders(&trash)?;
            fs::rename(&folder.join(name), &trash.join(name))?;
        }
    } else if fs::has_entry(cache, id) {
        fs::rename(&folder, &trash)?;
    }
    // To remove much takes long; who wants the place back need not wait for that.
    drop(claim);
    if fs::has_entry(cache, &trash) {
        fs::remove_folder(&trash)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    const DEAD: &str = "20260101-000000-000-0a";
    const OTHER: &str = "20260101-000000-000-0b";

    const MINUTES: Duration = Duration::from_mins(2);
    const DAYS: Duration = Duration::from_hours(31 * 24);

    #[test]
    fn only_what_dead_runs_left_is_cleared() {
        // What is in the cache, how old each folder is, and what is left of it.
        for (files, age, left) in [
            (&["{}/scratch/file"][..], MINUTES, &[][..]),
            (&["{}/scratch/file"], Duration::ZERO, &["{}/scratch/file"]),
            (
                &["{}/planner/file", "{}/tmp/file"],
                MINUTES,
                &["{}/planner/file"],
            ),
            (&["{}/planner/file", "{}/tmp/file"], DAYS, &[]),
            (&["{}.swept/file"], MINUTES, &[]),
            (&["{}.swept/file", "{}/scratch/file"], MINUTES, &[]),
            (&["{}.lock"], MINUTES, &[]),
            (&["counts/file"], DAYS, &["counts/file"]),
        ] {
            let cache = tempfile::tempdir().unwrap();
            put(cache.path(), files, age);
            drop(claim(cache.path(), OTHER).unwrap());
            let expected: Vec<String> = left.iter().map(|path| path.replace("{}", DEAD)).collect();
            assert_eq!(files_of(cache.path()), expected, "{files:?} {age:?}");
        }
    }

    #[test]
    fn a_run_at_work_keeps_its_place() {
        let cache = tempfile::tempdir().unwrap();
        let held = claim(cache.path(), DEAD).unwrap();
        put(cache.path(), &["{}/scratch/file"], MINUTES);
        let lock = fs::open(&lock_file(cache.path(), DEAD)).unwrap();
        lock.set_modified(SystemTime::now() - MINUTES).unwrap();
        drop(claim(cache.path(), OTHER).unwrap());
        assert!(claim(cache.path(), DEAD).is_err());
        assert_eq!(files_of(cache.path()).len(), 2);
        drop(held);
        drop(claim(cache.path(), OTHER).unwrap());
        assert_eq!(files_of(cache.path()), [""; 0]);
    }

    /// Makes files, and gives them and their folders an age.
    fn put(cache: &Path, files: &[&str], age: Duration) {
        let files = files
            .iter()
            .map(|file| cache.join(file.replace("{}", DEAD)));
        let files: Vec<PathBuf> = files.collect();
        for file in &files {
            fs::make_folder(file.parent().unwrap()).unwrap();
            drop(fs::create_private(file).unwrap());
        }
        for file in &files {
            for path in file.ancestors().take_while(|path| *path != cache) {
                let opened = fs::open(path).unwrap();
                opened.set_modified(SystemTime::now() - age).unwrap();
            }
        }
    }

    fn files_of(folder: &Path) -> Vec<String> {
        let mut files = Vec::new();
        for name in fs::list(folder).unwrap() {
            let name = name.into_string().unwrap();
            let path = folder.join(&name);
            if fs::kind(&path).unwrap() == fs::SystemKind::Folder {
                let beneath = files_of(&path).into_iter();
                files.extend(beneath.map(|file| format!("{name}/{file}")));
            } else {
                files.push(name);
            }
        }
        files
    }
}
