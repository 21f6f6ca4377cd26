//! What the mentions of a plan are in the repository.

use std::collections::HashMap;

use super::clause::Claim;
use super::force::Force;
use super::mention::{Mention, Place};
use super::tree::{Tree, ends_with, name_of};
use super::word;
use super::{Intent, Reference, Status};
use crate::path::RepoPath;

/// For how many missing paths the nearest are looked for: a plan with more is a plan for another repository.
const MAX_SEARCHED: usize = 20;

/// Returns the references that `mentions` are, in their order, each target once.
pub(super) fn resolve(mentions: Vec<Mention>, tree: &Tree) -> Vec<Reference> {
    let named = Named::of(&mentions, tree);
    // What each spelling is, as a place in `references`: thousands of files may end with one.
    let mut known: HashMap<(String, String, Place, Claim, Force), Option<usize>> = HashMap::new();
    let mut targets: HashMap<String, Target> = HashMap::new();
    let mut references: Vec<Reference> = Vec::new();
    for mention in mentions {
        let (written, path) = (mention.written.clone(), mention.path.clone());
        let key = (written, path, mention.place, mention.claim, mention.force);
        let at = *known.entry(key).or_insert_with(|| {
            let status = named.status(&mention, tree)?;
            let is_open = matches!(status, Status::Ambiguous(_) | Status::Missing(_));
            // What is not to be touched need not be there.
            if is_open && mention.force == Force::Denied {
                return None;
            }
            Some(place(&mention, status, &mut references, &mut targets))
        });
        let Some(at) = at else {
            continue;
        };
        let reference = &mut references[at];
        let intent = intent(mention.claim, &reference.status);
        reference.intent = reference.intent.max(intent);
        for lines in mention.lines {
            if !reference.lines.contains(&lines) {
                reference.lines.push(lines);
            }
        }
    }
    add_nearest(&mut references, tree);
    references
}

/// Where the reference to a file stands, and whether only the name of something in it was named.
struct Target {
    at: usize,
    is_symbol: bool,
}

/// Returns where the reference that a mention is stands, after adding it if it is the first.
fn place(
    mention: &Mention,
    status: Status,
    references: &mut Vec<Reference>,
    targets: &mut HashMap<String, Target>,
) -> usize {
    let is_symbol = mention.place == Place::Symbol;
    let target = match &status {
        Status::Exact(path)
        | Status::Folder(path)
        | Status::Suffix(path)
        | Status::Renamed(path)
        | Status::Created(path) => path.to_string(),
        Status::Ambiguous(_) | Status::Missing(_) => mention.path.clone(),
    };
    if let Some(first) = targets.get_mut(&target) {
        let reference = &mut references[first.at];
        let is_fuller = mention.path == target && word::normal(&reference.written) != target;
        if !is_symbol && (is_fuller || first.is_symbol) {
            reference.written.clone_from(&mention.written);
            reference.status = status;
            first.is_symbol = false;
        }
        return first.at;
    }
    let at = references.len();
    targets.insert(target, Target { at, is_symbol });
    references.push(Reference {
        written: mention.written.clone(),
        line: mention.line,
        lines: Vec::new(),
        intent: Intent::Mention,
        status,
    });
    at
}

fn add_nearest(references: &mut [Reference], tree: &Tree) {
    let missing = references
        .iter_mut()
        .filter_map(|reference| match &mut reference.status {
            Status::Missing(nearest) => Some((&reference.written, nearest)),
            _ => None,
        });
    for (written, nearest) in missing.take(MAX_SEARCHED) {
        *nearest = tree.nearest(word::normal(written));
    }
}

fn intent(claim: Claim, status: &Status) -> Intent {
    match (claim, status) {
        (Claim::Create, _)
        | (Claim::Add, Status::Created(_) | Status::Exact(_))
        | (Claim::Place, Status::Created(_)) => Intent::Create,
        (Claim::Add | Claim::Place | Claim::Change, _) => Intent::Change,
        (Claim::Delete, _) => Intent::Delete,
        (Claim::Rename, _) => Intent::Rename,
        (Claim::Mention, _) => Intent::Mention,
    }
}

/// The paths that a plan names in full.
#[derive(Default)]
struct Named {
    files: HashMap<String, Full>,
    /// For each file name the paths that have it.
    names: HashMap<String, Vec<String>>,
}

/// A path that stands in full in the plan.
struct Full {
    path: RepoPath,
    is_created: bool,
}

impl Named {
    fn of(mentions: &[Mention], tree: &Tree) -> Self {
        let mut named = Self::default();
        for mention in mentions {
            if named.files.contains_key(&mention.path) {
                continue;
            }
            if let Some(path) = tree.file(&mention.path) {
                named.add(mention, path.clone(), false);
            } else if let Some(path) = created(mention, tree) {
                named.add(mention, path, true);
            }
        }
        named
    }

    fn add(&mut self, mention: &Mention, path: RepoPath, is_created: bool) {
        let text = mention.path.clone();
        let names = self.names.entry(name_of(&text).to_owned()).or_default();
        names.push(text.clone());
        self.files.insert(text, Full { path, is_created });
    }

    /// Returns the paths that end with `path`, itself left out.
    fn longer<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a Full> {
        let texts = self.names.get(name_of(path)).into_iter().flatten();
        let longer = texts.filter(move |text| text.len() > path.len() && ends_with(text, path));
        longer.filter_map(|text| self.files.get(text))
    }

    /// Returns what a mention is; none, if it is no reference.
    fn status(&self, mention: &Mention, tree: &Tree) -> Option<Status> {
        let path = mention.path.as_str();
        if let Some(file) = tree.file(path) {
            return Some(Status::Exact(file.clone()));
        }
        // What is made is named in full, but for a bare name in prose.
        let is_made = mention.claim == Claim::Create;
        let is_full = is_made && (path.contains('/') || mention.place == Place::Listed);
        let mut longer = self.longer(path).filter(|file| file.is_created || !is_made);
        if !is_full && let (Some(only), None) = (longer.next(), longer.next()) {
            return Some(if only.is_created {
                Status::Created(only.path.clone())
            } else {
                Status::Exact(only.path.clone())
            });
        }
        if let Some(full) = self.files.get(path) {
            return Some(Status::Created(full.path.clone()));
        }
        if let Some(folder) = tree.folder(path) {
            return mention
                .may_be_folder()
                .then(|| Status::Folder(folder.clone()));
        }
        let renamed = tree
            .renamed(path)
            .filter(|_| !is_made && mention.may_be_suffix());
        renamed
            .map(|file| Status::Renamed(file.clone()))
            .or_else(|| self.ending(mention, tree))
            .or_else(|| beginning_elsewhere(mention, tree))
            .or_else(|| mention.is_path(tree).then(|| Status::Missing(Vec::new())))
    }

    fn ending(&self, mention: &Mention, tree: &Tree) -> Option<Status> {
        if !mention.may_be_suffix() {
            return None;
        }
        let files = tree.ending(&mention.path);
        match files.as_slice() {
            [] => None,
            [only] => Some(Status::Suffix((*only).clone())),
            _ if mention.place == Place::Code => None,
            several => {
                let is_one_of_named =
                    !mention.path.contains('/') && self.longer(&mention.path).next().is_some();
                let is_told = mention.place != Place::Prose && mention.claim != Claim::Mention;
                let several = several.iter().map(|&path| path.clone()).collect();
                (is_told || !is_one_of_named).then_some(Status::Ambiguous(several))
            }
        }
    }
}

/// Returns the path that a mention makes, if it is not in the tree.
fn created(mention: &Mention, tree: &Tree) -> Option<RepoPath> {
    let is_made = match mention.claim {
        Claim::Create => true,
        Claim::Add | Claim::Place => tree.ending(&mention.path).is_empty(),
        Claim::Change | Claim::Delete | Claim::Rename | Claim::Mention => false,
    };
    let is_file = is_made
        && mention.place != Place::Code
        && tree.folder(&mention.path).is_none()
        && mention.is_path(tree);
    if is_file {
        word::creatable(&mention.path)
    } else {
        None
    }
}

/// Finds a file of the tree that `path` ends with: the plan wrote the folder of the repository too.
fn beginning_elsewhere(mention: &Mention, tree: &Tree) -> Option<Status> {
    let path = mention.path.as_str();
    let first = path.split('/').next()?;
    // Under a folder of the tree, or leading out of a folder, it is another file.
    let is_other = tree.folder(first).is_some()
        || path.split('/').any(|part| part == "..")
        || mention.claim == Claim::Create;
    if is_other {
        return None;
    }
    let ends: Vec<&str> = path
        .match_indices('/')
        .map(|(at, _)| &path[at + 1..])
        .collect();
    let files = |is_wanted: fn(&&&str) -> bool| -> Vec<RepoPath> {
        let ends = ends.iter().filter(is_wanted);
        ends.filter_map(|end| tree.file(end).cloned()).collect()
    };
    let mut found = files(|end| end.contains('/'));
    if found.is_empty() && path.starts_with('/') {
        found = files(|end| !end.contains('/'));
    }
    found.sort();
    match found.len() {
        0 => None,
        1 => found.pop().map(Status::Suffix),
        _ if mention.place == Place::Code => None,
        _ => Some(Status::Ambiguous(found)),
    }
}
