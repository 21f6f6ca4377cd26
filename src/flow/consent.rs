//! What of a change lands only if somebody agreed to it: files that make programs run or hold secrets, files of which most is
//! gone, and tests and checks that see less.
//!
//! In: a change, the plan, the checks. Out: [`Sensitive`], and what the user says to them.
//!
//! A plan that names a file was agreed to, and so is what makes programs run or says how the project is tested. That tests see less is
//! said by no name: only a plan that deletes a file speaks for its tests.

use std::sync::{Mutex, PoisonError};

use super::examine::bytes_of;
use super::exec::{ExecError, Rules};
use crate::edit;
use crate::fs::{FsError, Root};
use crate::git;
use crate::path::RepoPath;
use crate::plan::{self, Intent, Plan, Reference};
use crate::repo::{self, Repository};
use crate::run::Sensitive;
use crate::scratch::{self, Change, ChangeSet, Links, Scratch, ScratchError, State};
use crate::secrets;
use crate::weakening::{self, What};

/// Asks the user, who answers whether it may land.
pub type Ask<'a> = &'a (dyn Fn(&[Sensitive]) -> Result<Said, FsError> + Sync);

/// What the user says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// It may land.
    Yes,
    /// It may not, or nobody can be asked.
    No,
}

/// The user's consent, which holds for as long as the run does.
pub struct Consent<'a> {
    ask: Ask<'a>,
    given: Mutex<Vec<Sensitive>>,
}

impl<'a> Consent<'a> {
    /// Takes who is to be asked.
    pub fn new(ask: Ask<'a>) -> Self {
        Self {
            ask,
            given: Mutex::default(),
        }
    }

    /// Takes down what the user agreed to before.
    pub fn give(&self, agreed: &[Sensitive]) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.extend(agreed.iter().map(unplanned));
    }

    /// Returns what of `found` may not land: nobody planned it or agreed to it.
    ///
    /// What was planned or agreed to is not asked again as long as its file holds the same.
    pub(super) fn missing(&self, found: &[Sensitive]) -> Result<Vec<Sensitive>, FsError> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let planned = found.iter().filter(|found| found.is_planned);
        given.extend(planned.map(unplanned));
        let is_open = |found: &&Sensitive| !found.is_planned && !given.contains(found);
        let open: Vec<Sensitive> = found.iter().filter(is_open).cloned().collect();
        if open.is_empty() || (self.ask)(&open)? == Said::No {
            return Ok(open);
        }
        given.extend(open);
        Ok(Vec::new())
    }
}

/// Returns `found` as it is found where another plan is carried out.
fn unplanned(found: &Sensitive) -> Sensitive {
    Sensitive {
        is_planned: false,
        ..found.clone()
    }
}

/// Returns what of a change is sensitive, each with whether the plan speaks for it.
pub(super) fn sensitive(
    changes: &ChangeSet,
    (repository, scratch): (&Repository, &Scratch),
    rules: &Rules<'_>,
) -> Result<Vec<Sensitive>, ExecError> {
    let references = rules.references;
    let links = Links::of(&scratch.snapshot.files);
    let hooks = match &repository.git {
        Some(_) => git::hooks(repository.root.path()).map_err(ScratchError::from)?,
        None => None,
    };
    let is_hook = |name: &RepoPath| {
        hooks
            .as_ref()
            .is_some_and(|hooks| name == hooks || name.is_in(hooks))
    };
    let state = |path: &RepoPath| {
        let change = changes.changes.iter().find(|change| change.path == *path);
        change.and_then(|change| change.after.clone())
    };
    let is_guarded = |change: &&Change| {
        let mut names = links.names(&change.path).into_iter();
        names.any(|name| scratch::is_guarded(&name) || is_hook(&name))
    };
    let guarded = changes.changes.iter().filter(is_guarded);
    let mut found: Vec<Sensitive> = guarded
        .map(|change| Sensitive {
            path: change.path.clone(),
            after: change.after.clone(),
            why: "it makes programs run (CI, hooks, builds, agents)".to_owned(),
            is_planned: is_named(&change.path, references, Intent::Change),
        })
        .collect();
    let paths = changes.changes.iter().map(|change| &change.path);
    let secret = paths.filter(|path| {
        let mut names = links.names(path).into_iter();
        names.any(|name| secrets::is_secret_name(name.as_bytes()).is_some())
    });
    found.extend(secret.map(|path| Sensitive {
        path: path.clone(),
        after: state(path),
        why: "its name says that it holds secrets".to_owned(),
        is_planned: is_named(path, references, Intent::Change),
    }));
    let texts = texts(changes, scratch)?;
    let files: Vec<weakening::File<'_>> = texts.iter().map(Texts::as_file).collect();
    let cut = files.iter().filter_map(|file| {
        let (before, after) = (file.before?.lines().count(), file.after?.lines().count());
        edit::is_cut(before, after).then(|| Sensitive {
            path: file.path.clone(),
            after: state(file.path),
            why: format!("{after} of its {before} lines are left"),
            is_planned: may_shrink(file.path, rules.plan, references),
        })
    });
    found.extend(cut);
    let weakened = weakening::weakened(&files, rules.checks).into_iter();
    found.extend(weakened.map(|weaker| Sensitive {
        is_planned: is_planned(&weaker.path, &weaker.what, changes, rules),
        why: weaker.what.to_string(),
        after: state(&weaker.path),
        path: weaker.path,
    }));
    Ok(found)
}

/// Says whether a plan takes something out of a file, or changes what it is the lock of, so that most of it may go.
pub(super) fn may_shrink(path: &RepoPath, plan: &Plan, references: &[Reference]) -> bool {
    references.iter().any(|reference| {
        let takes_away =
            || reference.intent >= Intent::Rename || plan::takes_away(plan, &reference.written);
        let paths = reference.paths();
        paths == [path.clone()] && takes_away()
            || paths.iter().any(|named| repo::locks(path, named))
    })
}

/// Says whether a plan speaks for what is weaker.
fn is_planned(path: &RepoPath, what: &What, changes: &ChangeSet, rules: &Rules<'_>) -> bool {
    let is_gone = |change: &Change| change.path == *path && change.after.is_none();
    match what {
        What::Setup => is_named(path, rules.references, Intent::Change),
        What::Deleted
        | What::Tests(..)
        | What::Assertions(..)
        | What::Skipped(_)
        | What::Lenient(_)
        | What::Unrun(_)
        | What::Bound(_) => changes.changes.iter().any(is_gone) && is_deleted(path, rules),
    }
}

/// Says whether a plan wants a file deleted, in so many words.
fn is_deleted(path: &RepoPath, rules: &Rules<'_>) -> bool {
    let says = |reference: &&Reference| plan::deletes(rules.plan, &reference.written);
    let mut named = rules.references.iter().filter(says);
    named.any(|reference| reference.intent == Intent::Delete && reference.paths() == [path.clone()])
}

/// Says whether a plan names a file, and does at least `least` to it.
fn is_named(path: &RepoPath, references: &[Reference], least: Intent) -> bool {
    references
        .iter()
        .any(|reference| reference.intent >= least && reference.paths() == [path.clone()])
}

/// A file of a change, before and after it.
struct Texts {
    path: RepoPath,
    before: Option<String>,
    after: Option<String>,
}

impl Texts {
    fn as_file(&self) -> weakening::File<'_> {
        weakening::File {
            path: &self.path,
            before: self.before.as_deref(),
            after: self.after.as_deref(),
        }
    }
}

/// Reads the files of a change, as they were and as they are.
fn texts(changes: &ChangeSet, scratch: &Scratch) -> Result<Vec<Texts>, ExecError> {
    let (originals, root) = (scratch.originals()?, Root::open(&scratch.folder)?);
    let is_file = |state: &Option<State>| matches!(state, Some(State::File { .. }));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let mut texts = Vec::new();
    for change in &changes.changes {
        let path = &change.path;
        let before = is_file(&change.before).then(|| originals.read(path).map(text));
        let after = is_file(&change.after).then(|| bytes_of(&root, path).map(text));
        texts.push(Texts {
            path: path.clone(),
            before: before.transpose()?,
            after: after.transpose()?,
        });
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Hash;

    fn found(path: &str, holds: Option<&str>) -> Sensitive {
        Sensitive {
            path: RepoPath::parse(path.as_bytes()).unwrap(),
            why: "it makes programs run".to_owned(),
            is_planned: false,
            after: holds.map(|text| State::File {
                hash: Hash::of(text.as_bytes()),
                executable: false,
                bytes: text.len() as u64,
            }),
        }
    }

    #[test]
    fn consent_holds_for_what_was_shown_and_no_other_bytes() {
        let planned = Sensitive {
            is_planned: true,
            ..found("b.yml", Some("b"))
        };
        let rounds = [
            (vec![found("a.yml", Some("a"))], 1),
            (vec![found("a.yml", Some("a"))], 0),
            (vec![found("a.yml", Some("other"))], 1),
            (vec![found("a.yml", None)], 1),
            (vec![found("a.yml", Some("a"))], 0),
            (vec![planned], 0),
            (vec![found("b.yml", Some("b"))], 0),
            (vec![found("b.yml", Some("other")), found("a.yml", None)], 1),
            (vec![found("c.yml", Some("c"))], 0),
        ];
        let n_asked = Mutex::new(0);
        let ask = |open: &[Sensitive]| {
            *n_asked.lock().unwrap() += open.len();
            Ok(Said::Yes)
        };
        let consent = Consent::new(&ask);
        consent.give(&[found("c.yml", Some("c"))]);
        for (round, expected) in rounds {
            *n_asked.lock().unwrap() = 0;
            assert!(consent.missing(&round).unwrap().is_empty());
            assert_eq!(*n_asked.lock().unwrap(), expected, "{round:?}");
        }
    }
}
