//! Answers, and what becomes of the files.

use std::collections::BTreeMap;

use super::{Change, Edit, Found, ParseError, Rejection, Why, apply, parse};
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

/// Carries edits out on files.
fn applied(
    edits: &[Edit],
    files: &BTreeMap<RepoPath, Vec<u8>>,
    may_shrink: &dyn Fn(&RepoPath) -> bool,
) -> Result<Vec<Change>, Vec<Rejection>> {
    let go_on = || Ok::<(), std::convert::Infallible>(());
    apply(edits, &|path| found(files, path), may_shrink, &go_on).unwrap()
}

/// Returns what becomes of files, as a case tells it; or all that is said.
fn outcome(
    files: &BTreeMap<RepoPath, Vec<u8>>,
    answer: &str,
) -> Result<Vec<(String, Option<String>)>, String> {
    let (edits, errors) = parse(answer);
    let may_shrink = |path: &RepoPath| path.name().starts_with(b"split");
    let changes = applied(&edits, files, &may_shrink);
    let rejections = changes.as_ref().err().into_iter().flatten();
    let told = errors
        .into_iter()
        .map(|error| format!("{:#}", anyhow::Error::from(error)))
        .chain(rejections.map(ToString::to_string));
    let told: Vec<String> = told.collect();
    let Some(changes) = changes.ok().filter(|_| told.is_empty()) else {
        return Err(told.join("\n"));
    };
    let shown = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let each = changes
        .into_iter()
        .map(|change| (change.path.to_string(), change.after.map(shown)));
    Ok(each.collect())
}

#[test]
fn what_is_carried_out_reads_each_file_once_and_can_be_stopped() {
    let block = "a\n<<<<<<< SEARCH\nnone\n=======\nx\n>>>>>>> REPLACE\n";
    let (edits, _) = parse(&block.repeat(30));
    let n_read = std::cell::Cell::new(0);
    let find = |_: &RepoPath| {
        n_read.set(n_read.get() + 1);
        Found::File(b"nona\nb\n".to_vec())
    };
    let rejections = apply(&edits, &find, &|_| true, &|| Ok::<(), ()>(()))
        .unwrap()
        .unwrap_err();
    assert_eq!((rejections.len(), n_read.get()), (30, 1));
    let is_near = |it: &&Rejection| matches!(it.why, Why::Nowhere { near: Some(_) });
    assert_eq!(rejections.iter().filter(is_near).count(), 20);
    let n_asked = std::cell::Cell::new(0);
    let go_on = || {
        n_asked.set(n_asked.get() + 1);
        if n_asked.get() > 3 {
            Err("stop")
        } else {
            Ok(())
        }
    };
    assert_eq!(apply(&edits, &find, &|_| true, &go_on), Err("stop"));
    assert_eq!(parse(&block.repeat(5_000)).1, []);
    assert_eq!(parse(&block.repeat(5_001)).1, [ParseError::TooMany]);
}

#[test]
fn many_hunks_that_fit_in_many_places_take_no_time() {
    let file = Found::File(b"x\n".repeat(20_000));
    let hunks = "@@\n-x\n+y\n".repeat(4_000);
    let (edits, errors) = parse(&format!("```diff\n--- a/a\n+++ b/a\n{hunks}```\n"));
    assert_eq!((edits.len(), errors), (4_000, vec![]));
    let begun = std::time::Instant::now();
    let rejections = apply(&edits, &|_| file.clone(), &|_| true, &|| Ok::<(), ()>(()))
        .unwrap()
        .unwrap_err();
    let told = rejections[0].to_string();
    assert!(
        told.contains("are in 8 or more places, at the lines 1, 2, 3, 4, 5, 6, 7, 8; give"),
        "{told}"
    );
    // With a thousand places each it takes minutes.
    assert!(begun.elapsed() < std::time::Duration::from_mins(1));
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
