//! What a person, or a program, is told of a pack.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::number::{counted, grouped};
use super::printer::{Printer, Volume};
use super::story::redacted;
use crate::flow::pack::Packed;
use crate::model::{Catalogue, Measure, Model};
use crate::pack::{Entry, Estimate, Options};
use crate::repo::{Reason, SkipReason, Skipped, Unseen};
use crate::secrets::Sighting;
use crate::tokens::ENCODING;

/// The models whose estimates are printed beside the exact count.
const BESIDE: [&str; 2] = ["claude", "gemini"];

/// How many files of a kind are named, unless all are.
const N_NAMED: usize = 3;

/// What is told of a pack.
#[derive(Serialize)]
pub(super) struct Summary<'a> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    tokens: u64,
    encoding: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<u64>,
    files: usize,
    #[serde(skip_serializing_if = "is_none")]
    shortened: usize,
    candidates: usize,
    estimates: &'a [Estimate],
    largest: Vec<Largest>,
    left_out: BTreeMap<&'static str, usize>,
    skipped: usize,
    secrets: &'a [Sighting],
    /// Characters of shown files that a reader does not see.
    bidi: usize,
    invisible: usize,
    #[serde(skip)]
    packed: &'a Packed,
    #[serde(skip)]
    measure: Measure,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none(n: &usize) -> bool {
    *n == 0
}

#[derive(Serialize)]
struct Largest {
    path: String,
    tokens: u64,
}

/// Returns the models that a pack is told for: the one it is made for, else those beside, if `shown`.
pub(super) fn told_models<'a>(
    catalogue: &'a Catalogue,
    model: Option<&'a Model>,
    shown: bool,
) -> Vec<&'a Model> {
    match model {
        Some(model) => vec![model],
        None if shown => BESIDE
            .iter()
            .filter_map(|name| catalogue.find(name).ok())
            .collect(),
        None => Vec::new(),
    }
}

impl<'a> Summary<'a> {
    pub(super) fn new(
        packed: &'a Packed,
        estimates: &'a [Estimate],
        output: Option<&Path>,
        options: &Options,
        model: Option<&'a Model>,
        n_largest: usize,
    ) -> Self {
        let mut full: Vec<&Entry> = packed
            .entries
            .iter()
            .filter(|entry| entry.is_shown())
            .collect();
        let files = full.iter().filter(|entry| entry.is_full()).count();
        let shortened = full.len() - files;
        let bidi = full.iter().map(|entry| entry.unseen.n_bidi).sum();
        let invisible = full.iter().map(|entry| entry.unseen.n_invisible).sum();
        full.sort_by(|a, b| {
            b.cost
                .exact
                .cmp(&a.cost.exact)
                .then_with(|| a.path.cmp(&b.path))
        });
        let largest = full.iter().take(n_largest).map(|entry| Largest {
            path: entry.path.to_string(),
            tokens: entry.cost.exact,
        });
        let mut left_out = BTreeMap::new();
        for reason in packed
            .entries
            .iter()
            .filter_map(|entry| entry.reason.as_ref())
        {
            *left_out.entry(reason.name()).or_default() += 1;
        }
        Self {
            version: 1,
            output: output.map(|path| path.display().to_string()),
            tokens: packed.count.exact,
            encoding: ENCODING,
            model: model.map(|model| model.id.as_str()),
            budget: options.budget,
            files,
            shortened,
            candidates: packed.entries.len(),
            estimates,
            largest: largest.collect(),
            left_out,
            skipped: packed.skipped.len(),
            secrets: &packed.secrets,
            bidi,
            invisible,
            packed,
            measure: model.map_or(Measure::Exact, Model::measure),
        }
    }

    /// Tells a person.
    pub(super) fn print(&self, printer: &Printer, told: &[&Model]) {
        if printer.volume() == Volume::Quiet {
            return;
        }
        let output = self
            .output
            .as_ref()
            .map_or(String::new(), |path| format!(" in `{path}`"));
        let files = counted(self.candidates, "file", "files");
        let in_part = match self.shortened {
            0 => String::new(),
            n => format!(
                ", {} in full and {} in part",
                grouped(self.files as u64),
                grouped(n as u64)
            ),
        };
        printer.note(&format!(
            "packed {} of {files}{output}{in_part}",
            grouped((self.files + self.shortened) as u64)
        ));
        printer.note(&format!(
            "  {:>13} tokens of {} (exact)",
            grouped(self.tokens),
            self.encoding
        ));
        for estimate in self.estimates {
            printer.note(&estimated(estimate));
        }
        if let Some(budget) = self.budget {
            let percent = self.measure.tokens(&self.packed.count) * 100 / budget;
            printer.note(&format!(
                "  {:>13} tokens of budget, {percent} % used",
                grouped(budget)
            ));
        }
        self.print_levels(printer);
        self.print_left_out(printer);
        self.print_secrets(printer);
        if !self.largest.is_empty() {
            printer.note("largest, with their markup:");
        }
        for file in &self.largest {
            printer.note(&format!("  {:>13} {}", grouped(file.tokens), file.path));
        }
        print_skipped(printer, &self.packed.skipped);
        self.print_unseen(printer);
        self.warn(printer, told);
    }

    /// Says what was to be shown in part, and is not.
    fn print_levels(&self, printer: &Printer) {
        let entries = self.packed.entries.iter();
        let whole: Vec<&Entry> = entries
            .filter(|entry| entry.is_full() && entry.whole.is_some())
            .collect();
        if !whole.is_empty() {
            let files = counted(whole.len(), "file has", "files have");
            printer.note(&format!(
                "{files} no skeleton, and stand in full: {}",
                names(printer, &whole)
            ));
        }
    }

    fn print_left_out(&self, printer: &Printer) {
        if self.packed.n_filtered > 0 {
            let files = counted(self.packed.n_filtered, "file", "files");
            printer.note(&format!("{files} filtered out by --include and --exclude"));
        }
        let mut reasons: Vec<&'static str> = self.left_out.keys().copied().collect();
        reasons.sort_by_key(|&name| name != Reason::Budget.name());
        for name in reasons {
            let is_so = |entry: &&Entry| {
                entry
                    .reason
                    .as_ref()
                    .is_some_and(|reason| reason.name() == name)
            };
            let mut entries: Vec<&Entry> = self.packed.entries.iter().filter(is_so).collect();
            // Those that were next to go in are told first.
            let likely = |entry: &Entry| entry.score.as_ref().map_or(0.0, |score| score.total);
            entries.sort_by(|a, b| {
                let by_size = (a.class, a.cost.exact).cmp(&(b.class, b.cost.exact));
                likely(b).total_cmp(&likely(a)).then(by_size)
            });
            let (n, what) = (grouped(entries.len() as u64), explain(name));
            if printer.volume() == Volume::Verbose {
                printer.note(&format!("{n} {what}:"));
                for entry in entries {
                    printer.note(&format!("  {}", entry.path));
                }
                continue;
            }
            printer.note(&format!("{n} {what}: {}", names(printer, &entries)));
        }
        if self.packed.is_tree_cut {
            printer.note("the directory structure is cut, too");
        }
    }

    fn print_secrets(&self, printer: &Printer) {
        if !self.secrets.is_empty() {
            printer.note(&redacted(self.secrets, printer.volume()));
        }
        let mut names = self.packed.secret_names.iter();
        let n_named = match printer.volume() {
            Volume::Verbose => usize::MAX,
            _ => N_NAMED,
        };
        for (path, what) in names.by_ref().take(n_named) {
            printer.warn(&format!(
                "`{path}` is packed, and its name says that it holds secrets ({what}); `-x {path}` leaves it out"
            ));
        }
        let n_more = names.count();
        if n_more > 0 {
            printer.warn(&format!("{n_more} more names say so; `-v` tells which"));
        }
    }

    /// Says which files hold what a reader does not see.
    fn print_unseen(&self, printer: &Printer) {
        self.print_found(printer, "turn the direction of text round", |unseen| {
            unseen.n_bidi
        });
        self.print_found(printer, "are not seen", |unseen| unseen.n_invisible);
    }

    fn print_found(&self, printer: &Printer, what: &str, count: fn(&Unseen) -> usize) {
        let shown = self.packed.entries.iter().filter(|entry| entry.is_shown());
        let found: Vec<&Entry> = shown.filter(|entry| count(&entry.unseen) > 0).collect();
        let n: usize = found.iter().map(|entry| count(&entry.unseen)).sum();
        if n > 0 {
            let n = counted(n, "character", "characters");
            printer.warn(&format!("{n} that {what}: {}", names(printer, &found)));
        }
    }

    /// Says what the user may not have meant.
    fn warn(&self, printer: &Printer, told: &[&Model]) {
        if self.files + self.shortened == 0 {
            printer.warn("the pack shows no file in full");
        }
        let limit = |model: &Model| grouped(model.prompt_limit());
        if let (Some(budget), Some(model)) =
            (self.budget, told.first().filter(|_| self.model.is_some()))
            && budget > model.prompt_limit()
        {
            printer.warn(&format!(
                "the budget is over the prompt limit of {}, {} tokens",
                model.id,
                limit(model)
            ));
        }
        let is_over =
            |model: &&&Model| model.measure().tokens(&self.packed.count) > model.prompt_limit();
        if self.budget.is_none()
            && let Some(model) = told
                .iter()
                .filter(is_over)
                .max_by_key(|model| model.prompt_limit())
        {
            let name = model.aliases.first().unwrap_or(&model.id);
            printer.warn(&format!(
                "this is over the prompt limit of {} ({}); `--for {name}` keeps what fits",
                model.id,
                limit(model)
            ));
        }
    }
}

/// Returns the names of files: a few, or all where more is to be said.
fn names(printer: &Printer, entries: &[&Entry]) -> String {
    let is_verbose = printer.volume() == Volume::Verbose;
    let n = if is_verbose { entries.len() } else { N_NAMED };
    let more = if entries.len() > n { ", ..." } else { "" };
    let paths = entries.iter().take(n).map(|entry| entry.path.to_string());
    paths.collect::<Vec<_>>().join(", ") + more
}

/// Returns the line that tells an estimate.
fn estimated(estimate: &Estimate) -> String {
    let (tokens, most) = (grouped(estimate.tokens), grouped(estimate.at_most));
    format!(
        "  {tokens:>13} tokens of {}, estimated (at most {most})",
        estimate.model
    )
}

/// Tells a person what was passed over; the names of our own files only when verbose.
pub(super) fn print_skipped(printer: &Printer, skipped: &[Skipped]) {
    let (ours, others): (Vec<&Skipped>, Vec<&Skipped>) = skipped
        .iter()
        .partition(|skipped| skipped.why == SkipReason::Ours);
    for skipped in others {
        printer.warn(&format!("passed over `{}`: {}", skipped.path, skipped.why));
    }
    if !ours.is_empty() {
        let files = counted(ours.len(), "pack or manifest", "packs and manifests");
        printer.note(&format!("{files} of twostep left out"));
    }
    let is_verbose = printer.volume() == Volume::Verbose;
    for skipped in ours.into_iter().filter(|_| is_verbose) {
        printer.note(&format!("  {}", skipped.path));
    }
}

/// Returns how a person is told of files with a reason, after their number.
fn explain(reason: &'static str) -> String {
    match reason {
        "budget" => "left out by the budget".to_owned(),
        listed => format!("listed, {}", kind(listed)),
    }
}

/// Returns what files are that are only listed for a reason.
pub(super) fn kind(reason: &str) -> &str {
    match reason {
        "lock" => "lock files",
        "secret" => "files that hold secrets",
        "link" => "links",
        "submodule" => "submodules",
        "repository" => "other repositories",
        "lfs" => "LFS pointers",
        "asked" => "as was asked",
        "git-name" => "names that some systems take for .git",
        other => other,
    }
}
