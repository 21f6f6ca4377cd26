//! The names of a file: its own, and those by which links lead to it.

use std::collections::{BTreeMap, VecDeque};

use super::State;
use crate::path::RepoPath;

/// A path that leads over more links leads nowhere.
const MAX_LINKS: usize = 40;

/// No more names of a file are told.
const MAX_NAMES: usize = 100;

/// For each place that links lead to, the links.
#[derive(Debug, Default)]
pub struct Links(BTreeMap<RepoPath, Vec<RepoPath>>);

impl Links {
    /// Finds where the links among `files` lead; what leads to the root or out of it leads to no file.
    pub fn of(files: &BTreeMap<RepoPath, State>) -> Self {
        let mut links = Self::default();
        for (path, state) in files {
            if let State::Link { target } = state
                && let Some(goal) = goal(path, target, files)
            {
                links.0.entry(goal).or_default().push(path.clone());
            }
        }
        links
    }

    /// Returns `path`, and each name by which links lead to it: over itself, or a folder that it is in.
    pub fn names(&self, path: &RepoPath) -> Vec<RepoPath> {
        let mut names = vec![path.clone()];
        let mut at = 0;
        while let Some(name) = names.get(at).cloned() {
            at += 1;
            for place in name.folders().chain([name.clone()]) {
                let rest = &name.as_bytes()[place.as_bytes().len()..];
                for link in self.0.get(&place).into_iter().flatten() {
                    let other = RepoPath::parse(&[link.as_bytes(), rest].concat());
                    names.extend(other.ok().filter(|other| !names.contains(other)));
                }
            }
            names.truncate(MAX_NAMES);
        }
        names
    }
}

/// Returns where a link leads, over all links on the way.
fn goal(path: &RepoPath, target: &[u8], files: &BTreeMap<RepoPath, State>) -> Option<RepoPath> {
    let mut at: Vec<Vec<u8>> = path.components().map(<[u8]>::to_vec).collect();
    let mut left: VecDeque<Vec<u8>> = VecDeque::new();
    let mut next = Some(target);
    for _ in 0..MAX_LINKS {
        let Some(target) = next.take() else {
            break;
        };
        if target.starts_with(b"/") {
            return None;
        }
        // A link stands for what it holds, from its folder.
        at.pop();
        for part in target.split(|&byte| byte == b'/').rev() {
            left.push_front(part.to_vec());
        }
        while next.is_none()
            && let Some(part) = left.pop_front()
        {
            match part.as_slice() {
                b"" | b"." => {}
                b".." => {
                    at.pop()?;
                }
                _ => {
                    at.push(part);
                    let here = RepoPath::parse(&at.join(&b'/')).ok()?;
                    if let Some(State::Link { target }) = files.get(&here) {
                        next = Some(target);
                    }
                }
            }
        }
    }
    match next {
        None => RepoPath::parse(&at.join(&b'/')).ok(),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_names_by_which_links_lead_to_it() {
        let links = [
            ("CLAUDE.md", "docs/guide.md"),
            (".github/workflows/main.yml", "../../ci/main.yml"),
            (".husky", "real"),
            ("infra/k", "../ops/k"),
            ("real/pre-commit", "../hooks/pc"),
            ("a", "b/c"),
            ("b", "real"),
            ("up", "b/../x"),
            ("loop", "loop"),
            ("out", "../x"),
            ("abs", "/etc"),
            ("top", "."),
        ];
        let path = |text: &str| RepoPath::parse(text.as_bytes()).unwrap();
        let state = |target: &str| State::Link {
            target: target.into(),
        };
        let files = links.map(|(link, target)| (path(link), state(target)));
        let links = Links::of(&files.into());
        for (file, expected) in [
            ("docs/guide.md", &["docs/guide.md", "CLAUDE.md"][..]),
            ("docs/other.md", &["docs/other.md"]),
            (
                "ci/main.yml",
                &["ci/main.yml", ".github/workflows/main.yml"],
            ),
            ("real/x", &["real/x", ".husky/x", "b/x"]),
            ("ops/k/deep/x", &["ops/k/deep/x", "infra/k/deep/x"]),
            (
                "hooks/pc",
                &[
                    "hooks/pc",
                    "real/pre-commit",
                    ".husky/pre-commit",
                    "b/pre-commit",
                ],
            ),
            ("real/c/x", &["real/c/x", ".husky/c/x", "b/c/x", "a/x"]),
            ("x", &["x", "up"]),
            ("loop", &["loop"]),
        ] {
            let names: Vec<String> = links
                .names(&path(file))
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(names, expected, "{file}");
        }
    }
}
