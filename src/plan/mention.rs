//! Words of a plan that may be paths, and how sure that is.

use super::clause::Claim;
use super::force::Force;
use super::range::Range;
use super::tree::{Tree, name_of};
use super::word;

/// A word of a plan that may be a path.
#[derive(Debug, Clone)]
pub(super) struct Mention {
    pub(super) written: String,
    /// The path from the root.
    pub(super) path: String,
    pub(super) lines: Vec<Range>,
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) place: Place,
    pub(super) claim: Claim,
    pub(super) force: Force,
}

/// Where a word stands: how sure it is that it is a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// In a list of files, or the header of a diff.
    Listed,
    /// Marked as code, or the target of a link.
    Marked,
    /// Marked, after the word `file`.
    Called,
    /// Of something that the file defines.
    Symbol,
    /// Anywhere in prose.
    Prose,
    /// In a program or a command: only files of the tree are meant.
    Code,
}

impl Mention {
    /// Says whether a folder of this path is meant: a bare word such as `config` is rather a name in the code.
    pub(super) fn may_be_folder(&self) -> bool {
        self.place != Place::Code && (self.written.contains('/') || self.place == Place::Listed)
    }

    /// Says whether the path may stand for a longer one.
    pub(super) fn may_be_suffix(&self) -> bool {
        let is_import = self.written.starts_with("./");
        match self.place {
            Place::Code => self.path.contains('/') && !is_import,
            Place::Listed | Place::Marked | Place::Called | Place::Symbol | Place::Prose => {
                word::is_telling(&self.path) && !self.written.ends_with('/')
            }
        }
    }

    /// Says whether it plainly is a path, even if the tree has none like it.
    pub(super) fn is_path(&self, tree: &Tree) -> bool {
        let has_folder = self.path.contains('/');
        if self.is_foreign() || self.written.ends_with('/') {
            return false;
        }
        let is_file = word::names_a_file(&self.path, tree);
        match self.place {
            Place::Code | Place::Symbol => false,
            Place::Prose => is_file && (has_folder || self.claim == Claim::Create),
            Place::Marked => is_file,
            Place::Called => is_file || self.claim == Claim::Create,
            Place::Listed => {
                is_file
                    || has_folder && !self.path.starts_with('/')
                    || self.claim == Claim::Create && self.path.contains('.')
            }
        }
    }

    /// Says whether it is worth a look.
    pub(super) fn is_likely(&self, tree: &Tree) -> bool {
        let in_tree = tree.file(&self.path).is_some()
            || self.may_be_folder() && tree.folder(&self.path).is_some()
            || self.may_be_suffix() && tree.has_name(name_of(&self.path));
        let is_named = self.place == Place::Called
            || self.place == Place::Prose && word::names_a_file(&self.path, tree);
        let is_elsewhere = word::is_windows(&self.written) && word::names_a_file(&self.path, tree);
        in_tree || self.is_path(tree) || is_named && !self.is_foreign() || is_elsewhere
    }

    fn is_foreign(&self) -> bool {
        let is_windows = word::is_windows(&self.written);
        word::is_foreign(if is_windows {
            &self.path
        } else {
            &self.written
        })
    }
}
