//! What the runs of a workflow in a repository leave for those after them.

use std::path::{Path, PathBuf};

use super::{Outcome, is_id, summary};
use crate::fs::{self, FsError};

/// The folder of it, in a repository.
const FOLDER: &str = ".twostep/memory";

/// So much of its end is given to a run.
const MAX_BYTES: usize = 32 << 10;

/// How an entry begins: with the run that left it.
const HEAD: &str = "<!-- run ";
const HEAD_END: &str = " -->\n";

fn file(root: &Path, workflow: &str) -> PathBuf {
    root.join(FOLDER).join(format!("{workflow}.md"))
}

/// Returns what earlier runs of a workflow left that were not taken back, the last of it where that is much.
///
/// # Errors
///
/// Fails if it cannot be read.
pub fn memory(root: &Path, workflow: &str) -> Result<String, FsError> {
    let file = file(root, workflow);
    if leads_away(root) || fs::is_link(&file) || fs::kind(&file)? != fs::SystemKind::File {
        return Ok(String::new());
    }
    let all = fs::tail(&file, MAX_FILE_BYTES)?;
    // What was taken back is not there any more.
    let is_undone =
        |id: &str| is_id(id) && summary(root, id).is_ok_and(|run| run.outcome == Outcome::Undone);
    let mut is_kept = true;
    let mut kept = String::new();
    for line in all.split_inclusive('\n') {
        let id = line.strip_prefix(HEAD);
        if let Some(id) = id.and_then(|rest| rest.strip_suffix(HEAD_END)) {
            is_kept = !is_undone(id);
        }
        if is_kept {
            kept.push_str(line);
        }
    }
    let from = kept.len().saturating_sub(MAX_BYTES);
    let from = (from..kept.len()).find(|&at| kept.is_char_boundary(at));
    Ok(from.map_or(String::new(), |from| kept.split_off(from)))
}

/// Adds what the run `id` of a workflow leaves; once, if the run is gone on with.
///
/// # Errors
///
/// Fails if it cannot be written.
pub fn remember(root: &Path, workflow: &str, id: &str, text: &str) -> Result<(), FsError> {
    let file = file(root, workflow);
    let head = format!("{HEAD}{id}{HEAD_END}");
    if leads_away(root) {
        let cause = std::io::Error::other(
            "it is a link, and what runs leave is kept in a folder of their own",
        );
        return Err(FsError::of("use", &root.join(FOLDER))(cause));
    }
    if let Some(folder) = file.parent() {
        fs::make_private_folders(folder)?;
    }
    // One at a time; what is older than is given to a run goes in the end.
    let path = root.join(FOLDER).join("lock");
    let lock = (0..200).find_map(|n| {
        if n > 0 {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        fs::Lock::take(&path).transpose()
    });
    let busy = || FsError::of("add to", &file)(std::io::Error::other("another run adds to it"));
    let _lock = lock.transpose()?.ok_or_else(busy)?;
    let before = match fs::kind(&file)? {
        fs::SystemKind::File => fs::tail(&file, MAX_FILE_BYTES)?,
        _ => String::new(),
    };
    if before.contains(&head) {
        return Ok(());
    }
    let text = format!("{before}{head}{}\n\n", text.trim());
    fs::write_durable(&file, text.as_bytes())
}

/// Says whether what is kept would be kept elsewhere.
fn leads_away(root: &Path) -> bool {
    fs::is_link(&root.join(".twostep")) || fs::is_link(&root.join(FOLDER))
}

/// No more of it is kept.
const MAX_FILE_BYTES: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_leaves_is_there_for_the_next_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!(memory(root, "pipeline").unwrap(), "");
        for (id, text) in [("a", "first\n"), ("b", "second"), ("a", "again")] {
            remember(root, "pipeline", id, text).unwrap();
        }
        let expected = "<!-- run a -->\nfirst\n\n<!-- run b -->\nsecond\n\n";
        assert_eq!(memory(root, "pipeline").unwrap(), expected);
        // Each workflow has its own, and of much the end is given.
        assert_eq!(memory(root, "workers").unwrap(), "");
        remember(root, "pipeline", "c", &"x".repeat(100_000)).unwrap();
        assert!(memory(root, "pipeline").unwrap().len() <= 32 << 10);
    }
}
