//! Answers, and what becomes of the files.

use std::collections::BTreeMap;

use super::{Found, apply, parse};
use crate::path::RepoPath;

mod cases;
mod property;

/// The files of a case: their text, or what they are that no edit changes.
type Files = &'static [(&'static str, &'static str)];

/// Files with their text afterwards, none where one goes away; or what is said.
type Outcome = Result<&'static [(&'static str, Option<&'static str>)], &'static str>;

/// What no edit changes, in a case.
const LINK: &str = "\0a link";
const FOLDER: &str = "\0a folder";

fn found(files: &BTreeMap<RepoPath, Vec<u8>>, path: &RepoPath) -> Found {
    match files.get(path).map(Vec::as_slice) {
        None => Found::Nothing,
        Some(bytes) if bytes == LINK.as_bytes() => Found::Other("a link"),
        Some(bytes) if bytes == FOLDER.as_bytes() => Found::Folder,
        Some(bytes) => Found::File(bytes.to_vec()),
    }
}

fn path(name: &str) -> RepoPath {
    RepoPath::parse(name.as_bytes()).unwrap()
}

/// Returns what becomes of files, as a case tells it; or all that is said.
fn outcome(
    files: &BTreeMap<RepoPath, Vec<u8>>,
    answer: &str,
) -> Result<Vec<(String, Option<String>)>, String> {
    let edits = parse(answer).map_err(|error| format!("{:#}", anyhow::Error::from(error)))?;
    let read = |path: &RepoPath| found(files, path);
    let may_shrink = |path: &RepoPath| path.name().starts_with(b"split");
    let changes = apply(&edits, &read, &may_shrink).map_err(|rejections| {
        let each = rejections.iter().map(ToString::to_string);
        each.collect::<Vec<_>>().join("\n")
    })?;
    let shown = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let each = changes
        .into_iter()
        .map(|change| (change.path.to_string(), change.after.map(shown)));
    Ok(each.collect())
}

/// Says how a case came out otherwise than it should.
fn otherwise(files: Files, answer: &str, expected: Outcome) -> Option<String> {
    let files = files
        .iter()
        .map(|(name, text)| (path(name), text.as_bytes().to_vec()))
        .collect();
    let outcome = outcome(&files, answer);
    let is_it = match (&outcome, expected) {
        (Ok(changes), Ok(expected)) => changes
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_deref()))
            .eq(expected.iter().copied()),
        (Err(said), Err(expected)) => said.contains(expected),
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
    };
    (!is_it).then(|| format!("{outcome:?}, not {expected:?}"))
}
