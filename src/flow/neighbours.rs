//! The neighbours of the files that a plan names: what an executor may need to see of others, read and found.

use std::collections::BTreeSet;

use memchr::memmem;

use super::pack::PackRequest;
use crate::fs::Entry;
use crate::pack::{Level, LevelRule, Source, neighbours};
use crate::path::RepoPath;
use crate::repo::{Candidate, Globs, Named, Repository};
use crate::syntax::{self, Language};

/// So many are shown at most.
const MOST: usize = 50;

/// No larger file is looked at.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// So much text is taken apart for one prompt.
const MAX_PARSED_BYTES: usize = 8 << 20;

/// Returns the neighbours of the files of `named`, the nearest first.
pub(super) fn of(
    named: &[Named],
    repository: &Repository,
    candidates: &[Candidate],
) -> Vec<RepoPath> {
    let meant = |path: &RepoPath| named.contains(&Named::File(path.clone()));
    let sources = sources(&meant, repository, candidates);
    let found = neighbours(&sources, meant, MOST).into_iter();
    found.map(|neighbour| neighbour.path).collect()
}

/// Adds files to what is packed, shortened.
pub(super) fn add(files: &[RepoPath], request: &mut PackRequest) {
    for path in files {
        if let Some(rule) = shortened(path) {
            request.levels.push(rule);
            request.named.push(Named::File(path.clone()));
        }
    }
}

/// Returns the rule that shortens the file at `path`; none, where no glob can name it alone.
fn shortened(path: &RepoPath) -> Option<LevelRule> {
    let words = std::str::from_utf8(path.as_bytes()).ok()?;
    let mut glob = "/".to_owned();
    for c in words.chars() {
        if !(c.is_alphanumeric() || "/._-".contains(c)) {
            glob.push('\\');
        }
        glob.push(c);
    }
    let globs = Globs::parse(&[glob.clone()], &[]).ok()?;
    let level = Level::Skeleton;
    globs.take(path).then_some(LevelRule {
        words: glob,
        globs,
        level,
    })
}

/// Reads the files that are meant, and those that may have to do with them by the words in them.
fn sources(
    meant: &dyn Fn(&RepoPath) -> bool,
    repository: &Repository,
    candidates: &[Candidate],
) -> Vec<Source> {
    let known = candidates.iter().filter_map(|candidate| {
        let language = Language::of(candidate.path.as_bytes(), "")?;
        Some((&candidate.path, language))
    });
    let (named, others): (Vec<_>, Vec<_>) = known.partition(|(path, _)| meant(path));
    if named.is_empty() {
        return Vec::new();
    }
    let mut left = MAX_PARSED_BYTES;
    let mut sources: Vec<Source> = Vec::new();
    for (path, language) in named {
        sources.extend(source(path, language, repository, &mut left, |_| true));
    }
    let keys: BTreeSet<String> = sources.iter().map(|source| key(&source.path)).collect();
    let folders: BTreeSet<Vec<u8>> = sources
        .iter()
        .map(|source| source.path.folder().to_vec())
        .collect();
    let n_named = sources.len();
    for (path, language) in others {
        let own = key(path);
        let is_told = sources[..n_named]
            .iter()
            .any(|named| named.text.contains(&own));
        let is_beside = folders.contains(path.folder());
        let may_be = |text: &str| {
            let tells = |key: &String| memmem::find(text.as_bytes(), key.as_bytes()).is_some();
            is_told || is_beside || keys.iter().any(tells)
        };
        sources.extend(source(path, language, repository, &mut left, may_be));
    }
    sources
}

/// Reads a file and takes it apart, if its text is what is wanted and there is enough `left` to do.
fn source(
    path: &RepoPath,
    language: Language,
    repository: &Repository,
    left: &mut usize,
    is_wanted: impl Fn(&str) -> bool,
) -> Option<Source> {
    let Ok(Entry::Whole(bytes)) = repository.root.read(path, MAX_FILE_BYTES) else {
        return None;
    };
    let text = String::from_utf8(bytes).ok()?;
    if text.len() > *left || !is_wanted(&text) {
        return None;
    }
    *left -= text.len();
    let outline = syntax::outline(language, &text).ok()?;
    Some(Source {
        path: path.clone(),
        language,
        text,
        outline,
    })
}

/// Returns the word by which others name a file: its own name without its ending, or that of its folder where all are
/// called the same.
fn key(path: &RepoPath) -> String {
    const COMMON: &[&str] = &["mod", "lib", "main", "index", "__init__"];
    let name = String::from_utf8_lossy(path.name()).into_owned();
    let stem = name.split('.').next().unwrap_or(&name);
    let is_go = name.rsplit_once('.').is_some_and(|(_, end)| end == "go");
    let folder = path.folder().rsplit(|byte| *byte == b'/').next();
    let folder = String::from_utf8_lossy(folder.unwrap_or_default()).into_owned();
    if (is_go || COMMON.contains(&stem)) && !folder.is_empty() {
        folder
    } else {
        stem.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_shortens_one_file() {
        let paths = [
            "src/a.rs",
            "src/[a].rs",
            "b/{x,y} z.ts",
            "!odd#*?.py",
            "\u{e9}.rb",
        ];
        let paths = paths.map(|path| RepoPath::parse(path.as_bytes()).unwrap());
        for path in &paths {
            let rule = shortened(path).unwrap();
            for other in &paths {
                assert_eq!(rule.globs.take(other), other == path, "{path}: {other}");
            }
        }
    }

    #[test]
    fn a_file_is_named_by_its_stem_or_its_folder() {
        for (path, expected) in [
            ("src/plan.rs", "plan"),
            ("src/plan/mod.rs", "plan"),
            ("main.rs", "main"),
            ("pkg/run/run.go", "run"),
            ("pkg/run/other.go", "run"),
            ("src/ui/index.ts", "ui"),
            ("src/ui/list.test.ts", "list"),
            ("app/__init__.py", "app"),
        ] {
            let path = RepoPath::parse(path.as_bytes()).unwrap();
            assert_eq!(key(&path), expected);
        }
    }
}
