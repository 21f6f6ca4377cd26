//! What a project says of how it is worked on: the files at its root that agents are told to keep to.
//!
//! In: a repository, and the program that reads one of them by itself. Out: those that a prompt must hold.
//!
//! Invariant: each is a file that a pack may hold, no link leads out of the tree to it, and no two say the same.

use super::pack::{PackRequest, all_candidates, has_secret};
use crate::agent::{ProgramKind, Role};
use crate::fs::Entry;
use crate::path::RepoPath;
use crate::repo::{Candidate, Kind, Named, Repository, Text};

/// What such files are called.
const NAMES: [&str; 3] = ["AGENTS.md", "CLAUDE.md", "GEMINI.md"];

/// A larger one would take the room of what it is to help with.
const MAX_BYTES: u64 = 64 << 10;

/// The conventions that a prompt must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conventions {
    /// The files that hold them.
    pub files: Vec<RepoPath>,
    /// Those that are too large to be given.
    pub too_large: Vec<RepoPath>,
    /// What is in the files, in their order.
    texts: Vec<String>,
}

/// What became of one that is there.
enum Read {
    Text(String),
    TooLarge(u64),
}

impl Conventions {
    /// Returns those of a repository that are among what `request` may take; without what `reader` reads by itself.
    pub fn of(repository: &Repository, request: &PackRequest, reader: Option<ProgramKind>) -> Self {
        let names = NAMES.into_iter().filter_map(|name| {
            let path = RepoPath::parse(name.as_bytes()).ok()?;
            repository.root.kind(&path).is_ok().then_some((name, path))
        });
        let names: Vec<(&str, RepoPath)> = names.collect();
        if names.is_empty() {
            // Most repositories have none, and are not walked for them.
            return Self::default();
        }
        let mut candidates = all_candidates(repository, request.threads);
        candidates.retain(|candidate| {
            request.globs.take(&candidate.path) && !has_secret(&candidate.path, &request.redactor)
        });
        let reads = |name, n_bytes| reader.is_some_and(|kind| kind.reads_itself(name, n_bytes));
        let mut said: Vec<String> = Vec::new();
        let mut given = Vec::new();
        let mut conventions = Self::default();
        for (name, path) in names {
            let Some((path, read)) = read(repository, &candidates, &path) else {
                continue;
            };
            match read {
                Read::TooLarge(n_bytes) if reads(name, n_bytes) => {}
                Read::TooLarge(_) => conventions.too_large.push(path),
                Read::Text(text) if reads(name, text.len() as u64) => said.push(text),
                Read::Text(text) => given.push((path, text)),
            }
        }
        for (path, text) in given {
            let is_new = |text: &str| said.iter().all(|said| said.trim() != text);
            if !text.trim().is_empty() && is_new(text.trim()) {
                said.push(text.clone());
                conventions.files.push(path);
                conventions.texts.push(text);
            }
        }
        conventions
    }

    /// Adds the files to what is packed, whatever else is.
    pub fn pin(&self, request: &mut PackRequest) {
        request.globs.take_too(&self.files);
        let files = self.files.iter().cloned();
        request.named.extend(files.map(Named::File));
    }

    /// Returns the files that hold what is in none of `packs`.
    pub fn beside(&self, packs: &[String], request: &PackRequest) -> Vec<Named> {
        let each = self.files.iter().zip(&self.texts);
        let missing = each.filter(|(_, text)| {
            let text = request.redactor.redacted(text);
            !packs.iter().any(|pack| pack.contains(text.trim()))
        });
        missing.map(|(path, _)| Named::File(path.clone())).collect()
    }

    /// Says which files `role` is not told of, for they are too large.
    pub fn untold(&self, role: Role) -> impl Iterator<Item = String> {
        self.too_large.iter().map(move |path| {
            let who = role.who();
            format!("`{path}` has more than 64 KiB: {who} is not told to keep to it")
        })
    }

    /// Returns the paths of the files, for people and models.
    pub fn names(&self) -> Vec<String> {
        self.files.iter().map(ToString::to_string).collect()
    }
}

/// Reads the file at `path`, or the one within the tree that a link there leads to; returns where it is.
fn read(
    repository: &Repository,
    candidates: &[Candidate],
    path: &RepoPath,
) -> Option<(RepoPath, Read)> {
    let find = |path: &RepoPath| candidates.iter().find(|candidate| candidate.path == *path);
    let mut candidate = find(path)?;
    if candidate.kind == Kind::Link {
        let target = repository.root.link_target(path).ok()?;
        let target = target.strip_prefix(b"./").unwrap_or(&target);
        candidate = find(&RepoPath::parse(target).ok()?)?;
    }
    if candidate.kind != Kind::File {
        return None;
    }
    let read = match repository.root.read(&candidate.path, MAX_BYTES).ok()? {
        Entry::Whole(bytes) => Read::Text(Text::decode(bytes).ok()?.text),
        Entry::TooLarge { bytes } => Read::TooLarge(bytes),
    };
    Some((candidate.path.clone(), read))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::os::unix::fs::symlink;
    use std::sync::Arc;

    use super::ProgramKind::{Claude, Codex, Gemini};
    use super::*;
    use crate::flow::redact::{Redactor, SecretsMode};
    use crate::fs::Root;
    use crate::repo;
    use crate::secrets::{Allow, Scanner};
    use crate::tokens::Counter;

    /// What is at a path.
    enum At {
        Text(&'static str),
        Bytes(usize),
        Link(&'static str),
    }

    fn found(files: &[(&str, At)], reader: Option<ProgramKind>) -> Conventions {
        let place = tempfile::tempdir().unwrap();
        let outer = Root::open(place.path()).unwrap();
        let put = |path: &str, text: &str| {
            let path = RepoPath::parse(path.as_bytes()).unwrap();
            outer.create(&path, text.as_bytes()).unwrap();
        };
        put("out.md", "out");
        put("root/main.rs", "");
        for (path, at) in files {
            match at {
                At::Text(text) => put(&format!("root/{path}"), text),
                At::Bytes(n) => put(&format!("root/{path}"), &"x".repeat(*n)),
                At::Link(target) => symlink(target, place.path().join("root").join(path)).unwrap(),
            }
        }
        let (repository, _, _) = repo::open(&place.path().join("root"), &[]).unwrap();
        let redactor = Redactor::new(SecretsMode::Redact, Scanner::new(Allow::default()));
        let request = PackRequest::everything(
            Counter::new(Vec::new()),
            Arc::new(redactor),
            NonZeroUsize::MIN,
        );
        Conventions::of(&repository, &request, reader)
    }

    #[test]
    fn each_is_given_once_and_not_to_who_reads_it_by_itself() {
        use At::{Bytes, Link, Text};
        let all = || {
            vec![
                ("AGENTS.md", Text("a")),
                ("CLAUDE.md", Text("c")),
                ("GEMINI.md", Text("g")),
            ]
        };
        let same = || {
            vec![
                ("AGENTS.md", Text("a")),
                ("CLAUDE.md", Text("a\n")),
                ("GEMINI.md", Text("g")),
            ]
        };
        for (files, reader, given, too_large) in [
            (vec![("README.md", Text("a"))], None, &[][..], &[][..]),
            (all(), None, &["AGENTS.md", "CLAUDE.md", "GEMINI.md"], &[]),
            (all(), Some(Gemini), &["AGENTS.md", "CLAUDE.md"], &[]),
            (all(), Some(Claude), &["AGENTS.md", "GEMINI.md"], &[]),
            (all(), Some(Codex), &["CLAUDE.md", "GEMINI.md"], &[]),
            (same(), None, &["AGENTS.md", "GEMINI.md"], &[]),
            (same(), Some(Claude), &["GEMINI.md"], &[]),
            (vec![("CLAUDE.md", Text("c"))], Some(Claude), &[], &[]),
            // codex reads the first 32 KiB.
            (vec![("AGENTS.md", Bytes(32 << 10))], Some(Codex), &[], &[]),
            (
                vec![("AGENTS.md", Bytes((32 << 10) + 1))],
                Some(Codex),
                &["AGENTS.md"],
                &[],
            ),
            (
                vec![("AGENTS.md", Bytes(64 << 10))],
                None,
                &["AGENTS.md"],
                &[],
            ),
            (
                vec![("AGENTS.md", Bytes((64 << 10) + 1))],
                None,
                &[],
                &["AGENTS.md"],
            ),
            (vec![("GEMINI.md", Bytes(1 << 20))], Some(Gemini), &[], &[]),
            (vec![("AGENTS.md", Text(" \n"))], None, &[], &[]),
            (vec![("AGENTS.md", Text("\0\u{1}"))], None, &[], &[]),
            (vec![("sub/AGENTS.md", Text("a"))], None, &[], &[]),
            (vec![("AGENTS.md/a", Text("a"))], None, &[], &[]),
            (
                vec![("AGENTS.md", Text("a")), (".gitignore", Text("AGENTS.md"))],
                None,
                &[],
                &[],
            ),
            (
                vec![("AGENTS.md", Text("a")), ("CLAUDE.md", Link("AGENTS.md"))],
                None,
                &["AGENTS.md"],
                &[],
            ),
            (
                vec![("AGENTS.md", Text("a")), ("CLAUDE.md", Link("AGENTS.md"))],
                Some(Claude),
                &[],
                &[],
            ),
            (
                vec![(".rules", Text("a")), ("AGENTS.md", Link("./.rules"))],
                Some(Claude),
                &[".rules"],
                &[],
            ),
            (vec![("AGENTS.md", Link("../out.md"))], None, &[], &[]),
            (vec![("AGENTS.md", Link("/etc/hostname"))], None, &[], &[]),
        ] {
            let found = found(&files, reader);
            let paths: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
            let large = found.too_large.iter().map(ToString::to_string);
            assert_eq!(found.names(), given, "{paths:?} {reader:?}");
            assert_eq!(large.collect::<Vec<_>>(), too_large, "{paths:?} {reader:?}");
        }
    }
}
