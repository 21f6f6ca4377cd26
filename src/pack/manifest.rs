//! The manifest: the pack's machine-readable twin.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Entry, Format, Level, Whole};
use crate::model::{Measure, Model};
use crate::repo::{Reason, Skipped};
use crate::secrets::Sighting;
use crate::tokens::{Count, ENCODING, Family};

/// How every manifest begins, whatever the version of its form.
pub const HEAD: &str = "{\"form\":\"twostep manifest\",\"version\":";

const FORM: &str = "twostep manifest";

/// The version of the manifest's form.
const VERSION: u32 = 1;

/// Everything that is known of a pack, for programs.
#[derive(Debug, Serialize)]
pub struct Manifest<'a> {
    form: &'static str,
    version: u32,
    /// What decided the contents.
    options: &'a Options,
    /// The model that the pack was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    /// The commit that was checked out.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
    totals: ManifestTotals<'a>,
    files: Vec<FileRow<'a>>,
    /// What was passed over and is no candidate.
    skipped: Vec<SkippedRow<'a>>,
}

/// What decided the contents of a pack.
#[derive(Debug, Clone, Serialize)]
pub struct Options {
    /// The paths that were named, as they were written.
    pub paths: Vec<String>,
    /// The globs of what was included.
    pub include: Vec<String>,
    /// The globs of what was excluded.
    pub exclude: Vec<String>,
    /// Whether locks, minified, generated, vendored and large files were packed in full.
    pub all: bool,
    /// The file that says what is wanted, as it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
    /// The globs of what was pinned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<String>,
    /// The levels that were wanted, as they were written; the last about a file counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<String>,
    /// The format of the document.
    pub format: Format,
    /// The budget, in tokens of the model, or of the exact encoding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<u64>,
    /// What the differences in it compare.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diffs: Vec<String>,
    /// How many commits it tells of.
    #[serde(skip_serializing_if = "is_none")]
    pub commits: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none(n: &usize) -> bool {
    *n == 0
}

#[derive(Debug, Serialize)]
struct ManifestTotals<'a> {
    tokens: u64,
    encoding: &'static str,
    files: usize,
    /// How many files are shown in part.
    #[serde(skip_serializing_if = "is_none")]
    shortened: usize,
    candidates: usize,
    /// How many candidates the globs left out; they have no rows.
    filtered: usize,
    estimates: &'a [Estimate],
}

/// What a pack is for a model whose tokenizer is not public.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// The model.
    pub model: String,
    /// Its tokens, estimated.
    pub tokens: u64,
    /// The most that they are in 99 % of packs of this size.
    pub at_most: u64,
    /// The margin between the two, in percent.
    pub margin_percent: f64,
}

impl Estimate {
    /// Estimates a count for `model`; none if that model's tokens are counted exactly.
    pub fn of(count: &Count, model: &Model) -> Option<Self> {
        let Measure::Estimated(family, margin) = model.measure() else {
            return None;
        };
        Some(Self {
            model: model.id.clone(),
            tokens: count.estimate(family),
            at_most: count.at_most(family, margin),
            // To a tenth of a percent: the data has no more.
            margin_percent: (family.margin_share(count.exact, margin) * 1000.0).round() / 10.0,
        })
    }

    /// Returns the family by which `model` is estimated.
    pub fn family_of(model: &Model) -> Option<Family> {
        match model.measure() {
            Measure::Exact => None,
            Measure::Estimated(family, _) => Some(family),
        }
    }
}

#[derive(Debug, Serialize)]
struct FileRow<'a> {
    path: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    path_escape: bool,
    level: &'static str,
    /// The tokens that the file takes in the pack, markup included.
    tokens: u64,
    /// The tokens that it would take in full, where it could be there in full and is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    full_tokens: Option<u64>,
    /// How likely it is meant by what is wanted; the likeliest has 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    /// What each signal adds to that.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    signals: BTreeMap<&'static str, f64>,
    /// The line ranges shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<[usize; 2]>,
    /// How many characters of its text turn the direction of text round.
    #[serde(skip_serializing_if = "is_zero")]
    bidi: usize,
    /// How many take no room.
    #[serde(skip_serializing_if = "is_zero")]
    invisible: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
    /// How the text differs from the file's beside its carriage.
    #[serde(skip_serializing_if = "Option::is_none")]
    altered: Option<&'static str>,
    /// The secrets that were found in it.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    secrets: &'a [Sighting],
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

#[derive(Debug, Serialize)]
struct SkippedRow<'a> {
    path: &'a str,
    reason: String,
}

/// What a manifest is made of.
pub struct Facts<'a> {
    /// What decided the contents.
    pub options: &'a Options,
    /// The model that the pack was made for.
    pub model: Option<&'a str>,
    /// The commit that was checked out.
    pub commit: Option<&'a str>,
    /// The tokens of the document.
    pub count: Count,
    /// The same for models whose tokenizer is not public.
    pub estimates: &'a [Estimate],
    /// What became of each candidate.
    pub entries: &'a [Entry],
    /// What was passed over.
    pub skipped: &'a [Skipped],
    /// How many candidates the globs left out.
    pub n_filtered: usize,
}

impl<'a> Manifest<'a> {
    /// Describes a pack.
    pub fn new(facts: &Facts<'a>) -> Self {
        let n_full = facts.entries.iter().filter(|entry| entry.is_full()).count();
        let n_shown = facts
            .entries
            .iter()
            .filter(|entry| entry.is_shown())
            .count();
        let skipped = facts.skipped.iter().map(|skipped| SkippedRow {
            path: &skipped.path,
            reason: skipped.why.to_string(),
        });
        Self {
            form: FORM,
            version: VERSION,
            options: facts.options,
            model: facts.model,
            commit: facts.commit,
            totals: ManifestTotals {
                tokens: facts.count.exact,
                encoding: ENCODING,
                files: n_full,
                shortened: n_shown - n_full,
                candidates: facts.entries.len(),
                filtered: facts.n_filtered,
                estimates: facts.estimates,
            },
            files: facts.entries.iter().map(FileRow::of).collect(),
            skipped: skipped.collect(),
        }
    }
}

/// Rounds to a thousandth: more says nothing.
fn rounded(part: f64) -> f64 {
    (part * 1000.0).round() / 1000.0
}

impl<'a> FileRow<'a> {
    fn of(entry: &'a Entry) -> Self {
        let (path, path_escape) = entry.path.escaped();
        let is_shown = entry.is_shown();
        let shown = entry.lines.iter().filter(|_| is_shown);
        let reason = entry.reason.as_ref().map(Reason::name);
        let is_short = is_shown && entry.level != Level::Full;
        let shortened_by = match entry.full_cost {
            Some(_) => Reason::Budget,
            None => Reason::Asked,
        };
        Self {
            path: path.into_owned(),
            path_escape,
            level: if is_shown { entry.level } else { Level::Path }.name(),
            tokens: if entry.is_packed { entry.cost.exact } else { 0 },
            full_tokens: match entry.full_cost {
                Some(cost) => Some(cost.exact),
                None => (entry.level == Level::Full && !is_shown).then_some(entry.cost.exact),
            },
            score: entry.score.as_ref().map(|score| rounded(score.total)),
            signals: entry.score.as_ref().map_or_else(BTreeMap::new, |score| {
                let parts = score.signals.iter();
                parts.map(|&(name, part)| (name, rounded(part))).collect()
            }),
            lines: shown.map(|lines| [*lines.start(), *lines.end()]).collect(),
            bidi: entry.unseen.n_bidi,
            invisible: entry.unseen.n_invisible,
            bytes: entry.bytes,
            hash: entry.hash.map(|hash| hash.to_string()),
            reason: reason
                .or(is_short.then_some(shortened_by.name()))
                .or(entry.whole.map(Whole::name)),
            cause: match &entry.reason {
                Some(Reason::Unreadable(cause)) => Some(cause),
                _ => None,
            },
            altered: (is_shown && !entry.secrets.is_empty()).then_some("redacted"),
            secrets: &entry.secrets,
        }
    }
}
