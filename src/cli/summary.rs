//! What a person, or a program, is told of a pack.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::number::{counted, grouped};
use super::printer::{Printer, Volume};
use crate::flow::pack::Packed;
use crate::model::{Catalogue, Measure, Model};
use crate::pack::{Entry, Estimate, Options};
use crate::repo::Skipped;
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
    candidates: usize,
    estimates: &'a [Estimate],
    largest: Vec<Largest>,
    left_out: BTreeMap<&'static str, usize>,
    skipped: usize,
    #[serde(skip)]
    packed: &'a Packed,
    #[serde(skip)]
    measure: Measure,
}

#[derive(Serialize)]
struct Largest {
    path: String,
    tokens: u64,
}

/// Returns the models that a pack is estimated for: the one it is made for, and those of the summary if `shown`.
pub(super) fn estimated_models<'a>(
    catalogue: &'a Catalogue,
    model: Option<&'a Model>,
    shown: bool,
) -> Vec<&'a Model> {
    let mut models: Vec<&Model> = model.into_iter().collect();
    if shown {
        for beside in BESIDE.iter().filter_map(|name| catalogue.find(name).ok()) {
            if models.iter().all(|model| model.id != beside.id) {
                models.push(beside);
            }
        }
    }
    models
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
            .filter(|entry| entry.is_full())
            .collect();
        let files = full.len();
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
            candidates: packed.entries.len(),
            estimates,
            largest: largest.collect(),
            left_out,
            skipped: packed.skipped.len(),
            packed,
            measure: model.map_or(Measure::Exact, Model::measure),
        }
    }

    /// Tells a person.
    pub(super) fn print(&self, printer: &Printer) {
        if printer.volume() == Volume::Quiet {
            return;
        }
        let output = self
            .output
            .as_ref()
            .map_or(String::new(), |path| format!(" in `{path}`"));
        printer.note(&format!(
            "packed {} of {}{output}",
            grouped(self.files as u64),
            counted(self.candidates, "file", "files")
        ));
        printer.note(&format!(
            "  {:>13} tokens of {} (exact)",
            grouped(self.tokens),
            self.encoding
        ));
        for estimate in self.estimates {
            printer.note(&format!(
                "  {:>13} tokens of {} (estimated; at most {} with the 99 % margin of {} %)",
                grouped(estimate.tokens),
                estimate.model,
                grouped(estimate.at_most),
                estimate.margin_percent
            ));
        }
        if let Some(budget) = self.budget {
            let used = self.measure.tokens(&self.packed.count);
            let share = used * 100 / budget;
            let whose = self
                .model
                .map_or(String::new(), |model| format!(" of {model}"));
            printer.note(&format!(
                "  {:>13} tokens{whose} are the budget: {share} % used",
                grouped(budget)
            ));
        }
        if !self.largest.is_empty() {
            printer.note("largest:");
        }
        for file in &self.largest {
            printer.note(&format!("  {:>13} {}", grouped(file.tokens), file.path));
        }
        self.print_left_out(printer);
        print_skipped(printer, &self.packed.skipped);
    }

    fn print_left_out(&self, printer: &Printer) {
        if self.packed.is_tree_cut {
            printer.note("the directory structure is cut to fit the budget");
        }
        for (&name, &n) in &self.left_out {
            let what = explain(name);
            let entries = self.packed.entries.iter().filter(|entry| {
                entry
                    .reason
                    .as_ref()
                    .is_some_and(|reason| reason.name() == name)
            });
            let n_named = if printer.volume() == Volume::Verbose {
                n
            } else {
                N_NAMED
            };
            let names: Vec<String> = entries
                .take(n_named)
                .map(|entry| entry.path.to_string())
                .collect();
            if printer.volume() == Volume::Verbose {
                printer.note(&format!("{} {what}:", grouped(n as u64)));
                for name in names {
                    printer.note(&format!("  {name}"));
                }
            } else {
                let more = if n > names.len() { ", ..." } else { "" };
                printer.note(&format!(
                    "{} {what}: {}{more}",
                    grouped(n as u64),
                    names.join(", ")
                ));
            }
        }
    }
}

/// Tells a person what was passed over.
pub(super) fn print_skipped(printer: &Printer, skipped: &[Skipped]) {
    let n_named = if printer.volume() == Volume::Verbose {
        skipped.len()
    } else {
        N_NAMED
    };
    for skipped in skipped.iter().take(n_named) {
        printer.warn(&format!("passed over `{}`: {}", skipped.path, skipped.why));
    }
    if skipped.len() > n_named {
        printer.warn(&format!(
            "passed over {} more; `-v` names them",
            skipped.len() - n_named
        ));
    }
}

fn explain(reason: &'static str) -> &'static str {
    match reason {
        "budget" => "left out by the budget",
        "grew" => "left out, grown while packing",
        "binary" => "listed, binary",
        "lock" => "listed, lock files",
        "minified" => "listed, minified",
        "generated" => "listed, generated",
        "vendored" => "listed, vendored",
        "large" => "listed, large",
        "link" => "listed, links",
        "submodule" => "listed, submodules",
        "repository" => "listed, other repositories",
        "unreadable" => "listed, unreadable",
        other => other,
    }
}
