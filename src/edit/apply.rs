//! Edits carried out on the files that they name, all or none.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::elision::{is_elision, stands_for_lines};
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

/// A file that is written out whole was cut, if it had more lines and has lost most of them.
const WRITTEN_LINES: usize = 20;

/// A file that is changed in any way was, if it has lost most of its lines, and more than so many.
const LOST_LINES: usize = 30;

/// Says whether so much of a file of `before` lines is gone that it was likely cut.
pub fn is_cut(before: usize, after: usize) -> bool {
    after * 2 < before && before - after > LOST_LINES
}

/// Of so many edits that do not fit is told what is most like them; that is a long search.
const MOST_NEAR: usize = 20;

/// Carries `edits` out in their order on the files that `read` finds; returns what becomes of each path that changes,
/// sorted, or what is wrong with each edit that does not fit: then none takes place. Only files that `may_shrink` says so
/// of may lose most of their lines.
///
/// # Errors
///
/// Fails where `go_on` does, which is asked before each edit.
pub fn apply<E>(
    edits: &[Edit],
    read: &dyn Fn(&RepoPath) -> Found,
    may_shrink: &dyn Fn(&RepoPath) -> bool,
    go_on: &dyn Fn() -> Result<(), E>,
) -> Result<Result<Vec<Change>, Vec<Rejection>>, E> {
    // Each file once: what reads them looks for secrets.
    let found = RefCell::new(BTreeMap::new());
    let read = &|path: &RepoPath| {
        let mut found = found.borrow_mut();
        let entry = found.entry(path.clone());
        Found::clone(entry.or_insert_with(|| read(path)))
    };
    let mut tree = Files {
        read,
        may_shrink,
        changed: BTreeMap::new(),
    };
    let mut rejections = Vec::new();
    for edit in edits {
        go_on()?;
        if let Err(mut why) = tree.carry_out(edit) {
            if rejections.len() < MOST_NEAR {
                tree.look_near(edit, &mut why);
            }
            rejections.push(Rejection {
                path: edit.path.clone(),
                line: edit.line,
                why,
            });
        }
    }
    if rejections.is_empty() {
        rejections = tree.cut(edits);
    }
    Ok(if rejections.is_empty() {
        Ok(tree.changes())
    } else {
        Err(rejections)
    })
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
    may_shrink: &'a dyn Fn(&RepoPath) -> bool,
    changed: BTreeMap<RepoPath, File>,
}

impl Files<'_> {
    fn carry_out(&mut self, edit: &Edit) -> Result<(), Why> {
        let path = &edit.path;
        match &edit.what {
            What::Write(text) => match self.file(path)? {
                Some(before) => {
                    let after = rewritten(&before, text)?;
                    self.refuse_cut(path, lines(&before).len(), text.lines().count())?;
                    self.set(path, after);
                }
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
            What::DeleteEmpty => {
                let before = self.file(path)?.ok_or(Why::Missing)?;
                if !before.is_empty() && !(self.may_shrink)(path) {
                    return Err(Why::Left(lines(&before).len()));
                }
                self.changed.insert(path.clone(), File::default());
            }
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

    /// Refuses a text of `after` lines in the place of one of `before` that it was likely cut from.
    fn refuse_cut(&self, path: &RepoPath, before: usize, after: usize) -> Result<(), Why> {
        let is_cut = before > WRITTEN_LINES && after < before / 2;
        if is_cut && !(self.may_shrink)(path) {
            return Err(Why::Shrunk { before, after });
        }
        Ok(())
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

    /// Returns the files of which most would be gone, each with the last edit of it.
    fn cut(&self, edits: &[Edit]) -> Vec<Rejection> {
        let cut = |(path, file): (&RepoPath, &File)| {
            let after = lines(file.bytes.as_ref()?).len();
            let place = file.moved_from.as_ref().unwrap_or(path);
            let before = match (self.read)(place) {
                Found::File(bytes) => lines(&bytes).len(),
                Found::Nothing | Found::Folder | Found::Other(_) => return None,
            };
            if !is_cut(before, after) || (self.may_shrink)(place) {
                return None;
            }
            let last = edits.iter().rfind(|edit| edit.path == *path);
            Some(Rejection {
                path: path.clone(),
                line: last.map_or(1, |edit| edit.line),
                why: Why::Shrunk { before, after },
            })
        };
        self.changed.iter().filter_map(cut).collect()
    }

    /// Adds to why an edit does not fit what is most like its lines.
    fn look_near(&self, edit: &Edit, why: &mut Why) {
        if let (Why::Nowhere { near }, What::Change(hunk)) = (why, &edit.what)
            && let Ok(Some(bytes)) = self.file(&edit.path)
        {
            *near = place::near(&bytes, hunk);
        }
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
    let old = plain(before);
    // What is shown of a file ends its lines in one way.
    let text = &text.replace("\r\n", "\n");
    let is_in = |text: &str, line: &str| text.lines().any(|other| other.trim() == line.trim());
    let mut left_out = text
        .lines()
        .filter(|line| stands_for_lines(line) && !is_in(&old, line));
    if let Some(remark) = left_out.next()
        && old
            .lines()
            .any(|line| !line.trim().is_empty() && !is_in(text, line))
    {
        return Err(Why::Elided(remark.trim().to_owned()));
    }
    let hunk = Hunk::between(&old, text);
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
