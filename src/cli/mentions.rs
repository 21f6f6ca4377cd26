//! The files that a prompt names: `@PATH` and `@GLOB`.
//!
//! In: the words of a prompt. Out: what of the repository they name; a word that is no path and names nothing stays text.

use std::num::NonZeroUsize;
use std::path::{Component, Path, PathBuf};

use super::environment::Environment;
use super::exit::usage;
use super::printer::Printer;
use crate::flow::pack::OUR_HEADS;
use crate::fs::{self, SystemKind};
use crate::path::RepoPath;
use crate::repo::{self, Globs, Named, Repository, ScanOptions};

/// The files that a prompt names.
pub(super) struct Mentioned {
    /// The repository that holds them.
    pub(super) repository: Repository,
    /// What was named in it, and where globs begin.
    pub(super) named: Vec<Named>,
    /// What of that is taken.
    pub(super) globs: Globs,
}

/// Something that is there: a path, or what a glob matches beneath one.
#[derive(Debug, PartialEq, Eq)]
struct Mention {
    path: PathBuf,
    glob: Option<String>,
}

/// Finds what `text` names, from the current folder; nothing if it names nothing.
///
/// # Errors
///
/// Fails on what is there and can be no file of a pack, and on what names nothing and was plainly meant to.
pub(super) fn mentioned(
    text: &str,
    environment: &Environment,
    threads: NonZeroUsize,
    printer: &Printer,
) -> anyhow::Result<Option<Mentioned>> {
    let here = environment.directory.as_path();
    let mut mentions = Vec::new();
    for word in words(text) {
        if let Some(link) = spellings(word).find_map(|word| folder_link(here, word)) {
            printer.warn(&format!(
                "`@{word}` leads through the link `{}`, and is left as text; name the folder itself",
                link.display()
            ));
            continue;
        }
        match spellings(word).find_map(|word| mention(here, word, threads)) {
            Some(mention) if mentions.contains(&mention) => {}
            Some(mention) => mentions.push(mention),
            None if is_like_path(word) => {
                return Err(usage(
                    format!("`@{word}` names no file from here"),
                    format!("name one that is there; `\\@{word}` is text"),
                ));
            }
            None => {}
        }
    }
    if mentions.is_empty() {
        return Ok(None);
    }
    let paths = mentions.iter().map(|mention| mention.path.clone());
    let paths: Vec<PathBuf> = paths.collect();
    let (repository, named, problem) = repo::open(here, &paths)?;
    if let Some(problem) = problem {
        printer.warn(&format!("{problem}; going on without git"));
    }
    let pairs = mentions.iter().zip(&named);
    let taken = pairs.map(|(mention, named)| pattern(named, mention.glob.as_deref()));
    let taken: Vec<String> = taken.collect();
    // Each was matched by itself, so all of them can be.
    let globs = Globs::parse(&taken, &[]).unwrap_or_else(|_| Globs::everything());
    Ok(Some(Mentioned {
        repository,
        named,
        globs,
    }))
}

/// Returns what stands behind each `@` that begins a word; one in an address of mail does not.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let begins = |at: usize| {
        let before = text[..at].chars().next_back();
        before.is_none_or(|c| c.is_whitespace() || "([{<\"'`,;:".contains(c))
    };
    let all = text.match_indices('@').filter(move |&(at, _)| begins(at));
    let all = all.map(|(at, _)| {
        let rest = &text[at + 1..];
        match rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
            Some((quoted, _)) => quoted,
            None => rest.split(char::is_whitespace).next().unwrap_or_default(),
        }
    });
    all.filter(|word| !word.is_empty())
}

/// What may end a sentence or a bracket, and no name.
const ENDS: &str = ".,;:!?)]}>\"'`";

/// Returns a word, and then without each mark at its end.
fn spellings(word: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(word), |word| {
        let shorter = word.strip_suffix(|c| ENDS.contains(c))?;
        (!shorter.is_empty()).then_some(shorter)
    })
}

/// Says whether a word was likely meant to name a file.
fn is_like_path(word: &str) -> bool {
    let word = word.trim_end_matches(|c| ENDS.contains(c));
    let is_inside = |at: usize| at > 0 && word[at + 1..].starts_with(char::is_alphanumeric);
    word.contains(['/', '*']) || word.match_indices('.').any(|(at, _)| is_inside(at))
}

/// Returns the first link to a folder on the way from `here` to what a word names: it may lead out of the repository, and
/// nobody sees that in the prompt.
fn folder_link(here: &Path, word: &str) -> Option<PathBuf> {
    let mut at = here.to_owned();
    for part in Path::new(word).components() {
        match part {
            Component::Prefix(_) | Component::RootDir => return None,
            Component::CurDir => {}
            Component::ParentDir => {
                at.pop();
            }
            Component::Normal(name) => at.push(name),
        }
        if fs::is_link(&at) && fs::kind(&at).is_ok_and(|kind| kind == SystemKind::Folder) {
            return Some(at.strip_prefix(here).unwrap_or(&at).to_owned());
        }
    }
    None
}

/// Returns what a word names in `here`, if that is there.
fn mention(here: &Path, word: &str, threads: NonZeroUsize) -> Option<Mention> {
    let is_there = |path: &Path| {
        let kind = fs::kind(&here.join(path));
        kind.is_ok_and(|kind| kind != SystemKind::Missing)
    };
    if is_there(Path::new(word)) {
        let path = PathBuf::from(word);
        return Some(Mention { path, glob: None });
    }
    let first = word.find(['*', '?', '[', '{'])?;
    let (base, glob) = match word[..first].rfind('/') {
        Some(slash) => word.split_at(slash + 1),
        None => ("./", word),
    };
    let base = PathBuf::from(base);
    if !is_there(&base) {
        return None;
    }
    let (repository, named, _) = repo::open(here, std::slice::from_ref(&base)).ok()?;
    let globs = Globs::parse(&[pattern(named.first()?, Some(glob))], &[]).ok()?;
    let options = ScanOptions {
        named: &named,
        globs: &globs,
        outputs: &[],
        our_heads: &OUR_HEADS,
        threads,
    };
    let is_any = !repo::scan(&repository, &options).candidates.is_empty();
    is_any.then(|| Mention {
        path: base,
        glob: Some(glob.to_owned()),
    })
}

/// Returns the glob that takes what was named, or what `glob` matches beneath it.
fn pattern(named: &Named, glob: Option<&str>) -> String {
    let place = match named {
        Named::Everything => String::new(),
        Named::Folder(path) | Named::File(path) => format!("/{}", literal(path)),
    };
    match glob {
        Some(glob) => format!("{place}/{glob}"),
        None if place.is_empty() => "*".to_owned(),
        None => place,
    }
}

/// Returns the glob that matches one path.
fn literal(path: &RepoPath) -> String {
    let text = path.as_path().to_string_lossy();
    let escaped = text.chars().flat_map(|c| {
        let is_plain = c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
        (!is_plain).then_some('\\').into_iter().chain([c])
    });
    escaped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_at_sign_that_begins_a_word_names_something() {
        for (text, expected) in [
            ("no files", vec![]),
            ("@a", vec!["a"]),
            (
                "why does @src/a.rs, (@b) or \"@c\"?",
                vec!["src/a.rs,", "b)", "c\"?"],
            ),
            ("me@example.com git@host:x a@", vec![]),
            ("@ alone and \\@escaped", vec![]),
            ("@\"a b.rs\" @\"open", vec!["a b.rs", "\"open"]),
            ("@a@b", vec!["a@b"]),
            ("see:@é/*.rs\n@z", vec!["é/*.rs", "z"]),
        ] {
            let found: Vec<&str> = words(text).collect();
            assert_eq!(found, expected, "{text}");
        }
        let all: Vec<&str> = spellings("a.rs).").collect();
        assert_eq!(all, ["a.rs).", "a.rs)", "a.rs"]);
        for (word, expected) in [
            ("src/a", true),
            ("a.rs.", true),
            ("*.rs", true),
            ("types/node", true),
            ("alice", false),
            ("alice.", false),
            (".", false),
        ] {
            assert_eq!(is_like_path(word), expected, "{word}");
        }
    }

    #[test]
    fn what_a_word_names_is_found_from_the_current_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in [
            "src/a.rs",
            "src/deep/b.rs",
            "src/deep/c.txt",
            "odd/[x] y!.rs",
        ] {
            let path = root.join(name);
            fs::make_private_folders(path.parent().unwrap()).unwrap();
            fs::write_durable(&path, b"x\n").unwrap();
        }
        let src = root.join("src");
        for (here, word, expected) in [
            (root, "src/a.rs", Some(("src/a.rs", None))),
            (root, "src/", Some(("src/", None))),
            (root, ".", Some((".", None))),
            (root, "src/**/*.rs", Some(("src/", Some("**/*.rs")))),
            (root, "*/a.rs", Some(("./", Some("*/a.rs")))),
            (&src, "../src/deep/*", Some(("../src/deep/", Some("*")))),
            (root, "odd/[x] y!.rs", Some(("odd/[x] y!.rs", None))),
            // A glob means the folder where it begins, as in a shell.
            (root, "*.rs", None),
            (root, "src/*.txt", None),
            (root, "src/[", None),
            (root, "none/*", None),
            (root, "none", None),
            (root, "src/a.rs/x", None),
        ] {
            let found = mention(here, word, NonZeroUsize::MIN);
            let expected = expected.map(|(path, glob): (&str, Option<&str>)| Mention {
                path: path.into(),
                glob: glob.map(str::to_owned),
            });
            assert_eq!(found, expected, "{word}");
        }
        let odd = RepoPath::parse("odd/[x] y!.rs".as_bytes()).unwrap();
        let globs = Globs::parse(&[pattern(&Named::File(odd.clone()), None)], &[]).unwrap();
        assert!(globs.take(&odd));
        let other = RepoPath::parse(b"odd/x y!.rs").unwrap();
        assert!(!globs.take(&other));
    }

    #[test]
    fn a_link_to_a_folder_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().join("here");
        for name in ["here/src/a.rs", "out/b.rs"] {
            let path = folder.path().join(name);
            fs::make_private_folders(path.parent().unwrap()).unwrap();
            fs::write_durable(&path, b"x\n").unwrap();
        }
        for (link, target) in [
            ("out", "../out"),
            ("file", "../out/b.rs"),
            ("src/up", "../.."),
        ] {
            std::os::unix::fs::symlink(target, here.join(link)).unwrap();
        }
        for (word, expected) in [
            ("src/a.rs", None),
            ("file", None),
            ("../out/b.rs", None),
            ("out", Some("out")),
            ("out/b.rs", Some("out")),
            ("out/*.rs", Some("out")),
            ("./src/up/out/b.rs", Some("src/up")),
        ] {
            assert_eq!(
                folder_link(&here, word).as_deref(),
                expected.map(Path::new),
                "{word}"
            );
        }
    }
}
