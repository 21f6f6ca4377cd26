//! Edits carried out on the files that they name, all or none.

use std::collections::BTreeMap;

use super::elision::is_elision;
use super::text::{lines, plain, replaced};
use super::{Edit, Hunk, Rejection, What, Why, place};
use crate::patch::Mode;
use crate::path::RepoPath;

/// What is at a path before the edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A folder.
    Folder,
    /// A file with these bytes.
    File(Vec<u8>),
    /// What no edit changes, in words: a link, a file that is no text.
    Other(&'static str),
}

/// What a path is to be after the edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The path.
    pub path: RepoPath,
    /// The bytes of the file; none if it goes away.
    pub after: Option<Vec<u8>>,
    /// Whose mode a file gets that was moved here.
    pub moved_from: Option<RepoPath>,
    /// What an edit says of its mode.
    pub mode: Option<Mode>,
}

/// A whole file that loses more than this share of its lines, as a divisor, was cut, if it has as many lines.
const SHRUNK_SHARE: usize = 2;
const SHRUNK_LINES: usize = 20;

/// Carries `edits` out in their order on the files that `read` finds; returns what becomes of each path that changes, sorted.
///
/// # Errors
///
/// Returns what is wrong with each edit that does not fit; then none takes place.
pub fn apply(
    edits: &[Edit],
    read: &dyn Fn(&RepoPath) -> Found,
) -> Result<Vec<Change>, Vec<Rejection>> {
    let mut tree = Files {
        read,
        changed: BTreeMap::new(),
    };
    let mut rejections = Vec::new();
    for edit in edits {
        if let Err(why) = tree.carry_out(edit) {
            rejections.push(Rejection {
                path: edit.path.clone(),
                line: edit.line,
                why,
            });
        }
    }
    if rejections.is_empty() {
        Ok(tree.changes())
    } else {
        Err(rejections)
    }
}

/// A file as the edits so far have made it; none is one that is not there.
#[derive(Clone, Default)]
struct File {
    bytes: Option<Vec<u8>>,
    moved_from: Option<RepoPath>,
    mode: Option<Mode>,
}

struct Files<'a> {
    read: &'a dyn Fn(&RepoPath) -> Found,
    changed: BTreeMap<RepoPath, File>,
}

impl Files<'_> {
    fn carry_out(&mut self, edit: &Edit) -> Result<(), Why> {
        let path = &edit.path;
        match &edit.what {
            What::Write(text) => match self.file(path)? {
                Some(before) => self.set(path, rewritten(&before, text)?),
                None => self.create(path, text)?,
            },
            What::Create(text) => match self.file(path)? {
                Some(before) if !before.is_empty() => return Err(Why::Exists),
                _ => self.create(path, text)?,
            },
            What::Change(hunk) => {
                let before = self.file(path)?.ok_or(Why::Missing)?;
                let after = self.changed(path, &before, hunk)?;
                self.set(path, after);
            }
            What::Delete => {
                self.file(path)?.ok_or(Why::Missing)?;
                self.changed.insert(path.clone(), File::default());
            }
            What::Move(goal) => self.move_to(path, goal)?,
            What::Mode(mode) => {
                let bytes = self.file(path)?.ok_or(Why::Missing)?;
                self.set(path, bytes);
                self.changed.entry(path.clone()).or_default().mode = Some(*mode);
            }
        }
        Ok(())
    }

    /// Returns the bytes of a file; none where nothing is.
    fn file(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, Why> {
        if let Some(file) = self.changed.get(path) {
            return Ok(file.bytes.clone());
        }
        match (self.read)(path) {
            Found::Nothing => Ok(None),
            Found::File(bytes) => Ok(Some(bytes)),
            Found::Folder => Err(Why::Other("a folder")),
            Found::Other(what) => Err(Why::Other(what)),
        }
    }

    fn set(&mut self, path: &RepoPath, bytes: Vec<u8>) {
        self.changed.entry(path.clone()).or_default().bytes = Some(bytes);
    }

    fn create(&mut self, path: &RepoPath, text: &str) -> Result<(), Why> {
        for above in path.folders() {
            let is_way = match self.changed.get(&above) {
                Some(file) => file.bytes.is_none(),
                None => matches!((self.read)(&above), Found::Nothing | Found::Folder),
            };
            if !is_way {
                return Err(Why::Way(above));
            }
        }
        let is_in_it =
            |(other, file): (&RepoPath, &File)| file.bytes.is_some() && other.is_in(path);
        if self.changed.iter().any(is_in_it) {
            return Err(Why::Other("a folder"));
        }
        refuse_elision(text.lines(), &[])?;
        self.set(path, text.as_bytes().to_vec());
        Ok(())
    }

    fn move_to(&mut self, path: &RepoPath, goal: &RepoPath) -> Result<(), Why> {
        let bytes = self.file(path)?.ok_or(Why::Missing)?;
        if path == goal {
            return Ok(());
        }
        if self.file(goal)?.is_some() {
            return Err(Why::Exists);
        }
        let file = self.changed.insert(path.clone(), File::default());
        self.create(goal, "")?;
        let file = file.unwrap_or_default();
        let moved = File {
            bytes: Some(bytes),
            moved_from: file.moved_from.or_else(|| Some(path.clone())),
            mode: file.mode,
        };
        self.changed.insert(goal.clone(), moved);
        Ok(())
    }

    /// Returns the text that a hunk makes of `before`.
    fn changed(&self, path: &RepoPath, before: &[u8], hunk: &Hunk) -> Result<Vec<u8>, Why> {
        let at = place::find(before, hunk).map_err(|why| match (&why, (self.read)(path)) {
            // What an edit before this one left is no place, but what it found may have been.
            (Why::Nowhere { .. }, Found::File(original)) => match place::find(&original, hunk) {
                Ok(at) => Why::Overlap(at + 1),
                Err(_) => why,
            },
            _ => why,
        })?;
        refuse_elision(hunk.new_lines(), before)?;
        Ok(replaced(before, at, &hunk.lines))
    }

    fn changes(self) -> Vec<Change> {
        let read = self.read;
        let change = |(path, file): (RepoPath, File)| Change {
            path,
            after: file.bytes,
            moved_from: file.moved_from,
            mode: file.mode,
        };
        let is_other = |change: &Change| {
            let before = match read(&change.path) {
                Found::File(bytes) => Some(bytes),
                Found::Nothing | Found::Folder | Found::Other(_) => None,
            };
            change.mode.is_some() || before != change.after
        };
        self.changed
            .into_iter()
            .map(change)
            .filter(is_other)
            .collect()
    }
}

/// Returns what a file becomes that is to hold `text`: its lines that are there still stay as they are.
fn rewritten(before: &[u8], text: &str) -> Result<Vec<u8>, Why> {
    refuse_elision(text.lines(), before)?;
    let (n_before, n_after) = (lines(before).len(), text.lines().count());
    if n_before > SHRUNK_LINES && n_after < n_before / SHRUNK_SHARE {
        let (before, after) = (n_before, n_after);
        return Err(Why::Shrunk { before, after });
    }
    let hunk = Hunk::between(&plain(before), text);
    Ok(replaced(before, 0, &hunk.lines))
}

/// Refuses lines that stand for others, unless the file holds them.
fn refuse_elision<'a>(new: impl Iterator<Item = &'a str>, before: &[u8]) -> Result<(), Why> {
    let is_there = |line: &str| {
        let mut before = lines(before).into_iter();
        before.any(|there| there.trim_ascii() == line.trim().as_bytes())
    };
    let mut elisions = new.filter(|line| is_elision(line) && !is_there(line));
    match elisions.next() {
        Some(line) => Err(Why::Elided(line.trim().to_owned())),
        None => Ok(()),
    }
}
