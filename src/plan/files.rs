//! The files that a step names, told without the repository.

use std::ops::RangeInclusive;

use super::Intent;
use super::clause::Claim;
use super::scan::{self, Mention};
use super::tree::{Tree, ends_with};

/// Returns what plainly is a path in a plan, whatever the repository holds.
pub(super) fn mentions(text: &str) -> Vec<Mention> {
    let nothing = Tree::new([]);
    let mut mentions = scan::mentions(text, &nothing);
    mentions.retain(|mention| mention.is_path(&nothing));
    mentions
}

/// Returns the paths named in these lines, each once, with the strongest of what is said of it.
pub(super) fn of(mentions: &[Mention], lines: RangeInclusive<usize>) -> Vec<(String, Intent)> {
    let inside = mentions
        .iter()
        .filter(|mention| lines.contains(&mention.line));
    let mut files: Vec<(String, Intent)> = Vec::new();
    for mention in inside {
        let intent = intent(mention.claim);
        // A file that is named in full may be named by its end later.
        match files
            .iter_mut()
            .find(|(path, _)| ends_with(path, &mention.path))
        {
            Some((_, known)) => *known = intent.max(*known),
            None => files.push((mention.path.clone(), intent)),
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
