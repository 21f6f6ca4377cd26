//! The files that a step names, told without the repository.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::Intent;
use super::clause::Claim;
use super::mention::Mention;
use super::scan;
use super::tree::{Tree, ends_with, name_of};

/// With how many paths of the same name one is compared.
const MAX_ALIKE: usize = 64;

/// Returns what seems to be a path in a plan, whatever the repository holds.
pub(super) fn mentions(text: &str) -> Vec<Mention> {
    scan::mentions(text, &Tree::new([]))
}

/// Returns the paths named in these lines, each once, with the strongest of what is said of it.
pub(super) fn of(mentions: &[Mention], lines: &RangeInclusive<usize>) -> Vec<(String, Intent)> {
    let first = mentions.partition_point(|mention| mention.line < *lines.start());
    let inside = mentions[first..]
        .iter()
        .take_while(|mention| mention.line <= *lines.end());
    let mut files: Vec<(String, Intent)> = Vec::new();
    // For each file name the paths that have it, as places in `files`.
    let mut named: HashMap<&str, Vec<usize>> = HashMap::new();
    for mention in inside {
        let intent = intent(mention.claim);
        let alike = named.entry(name_of(&mention.path)).or_default();
        // A file that is named in full may be named by its end later.
        let mut known = alike.iter().take(MAX_ALIKE);
        if let Some(&at) = known.find(|at| ends_with(&files[**at].0, &mention.path)) {
            files[at].1 = intent.max(files[at].1);
        } else {
            alike.push(files.len());
            files.push((mention.path.clone(), intent));
        }
    }
    files
}

fn intent(claim: Claim) -> Intent {
    match claim {
        Claim::Create | Claim::Add => Intent::Create,
        Claim::Place | Claim::Change => Intent::Change,
        Claim::Delete => Intent::Delete,
        Claim::Rename => Intent::Rename,
        Claim::Mention => Intent::Mention,
    }
}
