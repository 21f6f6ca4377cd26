//! `twostep tokens`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use serde::Serialize;

use super::environment::Environment;
use super::exit::Exit;
use super::number::{counted, grouped};
use super::printer::Printer;
use super::select::SelectArgs;
use super::summary;
use crate::flow::pack::{HELD_BYTES, PackRequest};
use crate::flow::redact::Redactor;
use crate::flow::tokens::{self, Counted};
use crate::model::{Measure, Model};
use crate::pack::{Estimate, Format, Prefer, Sections};
use crate::repo::ReadOptions;
use crate::tokens::{Count, Counter, ENCODING};

/// Count the tokens of files
///
/// A file counts as its text stands, without the markup of a pack.
#[derive(Args, Debug)]
pub(super) struct TokensArgs {
    #[command(flatten)]
    select: SelectArgs,

    /// Show the N largest files instead of the tree
    #[arg(long, value_name = "N")]
    top: Option<usize>,

    /// Show the tree to this depth; a folder counts all that is in it
    #[arg(long, value_name = "N", conflicts_with = "top")]
    depth: Option<usize>,

    /// Count the tokens of this model
    #[arg(long = "for", value_name = "MODEL")]
    model: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Listing<'a> {
    version: u32,
    tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    /// Whether the counts are estimates, without margin.
    estimated: bool,
    files: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    path: String,
    tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// The widest bar, in characters.
const BAR: u64 = 20;

pub(super) fn run(
    args: &TokensArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let catalogue = environment.catalogue()?;
    let model = args
        .model
        .as_deref()
        .map(|name| catalogue.find(name))
        .transpose()?;
    let selected = args.select.resolve(environment, printer)?;
    let request = PackRequest {
        named: selected.named,
        globs: selected.globs,
        outputs: Vec::new(),
        read: ReadOptions {
            everything: args.select.all,
            hashed: false,
        },
        levels: Vec::new(),
        format: Format::Xml,
        sections: Sections::default(),
        redactor: Arc::new(Redactor::off()),
        room: None,
        query: None,
        prefer: Prefer::Balance,
        counter: Counter::new(model.and_then(Estimate::family_of).into_iter().collect()),
        threads: selected.threads,
        max_held_bytes: HELD_BYTES,
    };
    let bar = printer.progress("counting");
    let mut progress = |done: usize, n: usize| bar.show(done, n);
    let repository = selected.repository;
    let attempt = || {
        format!(
            "cannot count the tokens of `{}`",
            repository.root.path().display()
        )
    };
    let counted = tokens::count(&repository, &request, &mut progress).with_context(attempt)?;
    drop(bar);
    let measure = model.map_or(Measure::Exact, Model::measure);
    if args.json {
        printer.json(&listing(&counted, measure, model))?;
    } else {
        let text = args.top.map_or_else(
            || tree(&counted, measure, args.depth.unwrap_or(usize::MAX)),
            |n| largest(&counted, measure, n),
        );
        printer.data(text.as_bytes())?;
    }
    tell(&counted, model, printer);
    summary::print_skipped(printer, &counted.skipped);
    Ok(Exit::Success)
}

/// Returns what is shown of a count: an estimate without its margin, for it is no promise here.
fn shown(count: &Count, measure: Measure) -> u64 {
    match measure {
        Measure::Exact => count.exact,
        Measure::Estimated(family, _) => count.estimate(family),
    }
}

fn listing<'a>(counted: &Counted, measure: Measure, model: Option<&'a Model>) -> Listing<'a> {
    let files = counted.files.iter().map(|file| Row {
        path: file.path.to_string(),
        tokens: shown(&file.count, measure),
        reason: file.reason.as_ref().map(crate::repo::Reason::name),
    });
    Listing {
        version: 1,
        tokens: shown(&total(counted), measure),
        encoding: (measure == Measure::Exact).then_some(ENCODING),
        model: model.map(|model| model.id.as_str()),
        estimated: measure != Measure::Exact,
        files: files.collect(),
    }
}

fn total(counted: &Counted) -> Count {
    counted.files.iter().map(|file| file.count).sum()
}

/// Says whose tokens these are, and what was not counted.
fn tell(counted: &Counted, model: Option<&Model>, printer: &Printer) {
    let total = total(counted);
    let n_text = counted
        .files
        .iter()
        .filter(|file| file.reason.is_none())
        .count();
    let files = counted_files(n_text);
    let estimate = model.and_then(|model| Estimate::of(&total, model));
    printer.note(&estimate.map_or_else(
        || {
            format!(
                "{} tokens of {ENCODING} (exact) in {files}",
                grouped(total.exact)
            )
        },
        |estimate| {
            let (tokens, most) = (grouped(estimate.tokens), grouped(estimate.at_most));
            format!(
                "{tokens} tokens of {}, estimated (at most {most}), in {files}",
                estimate.model
            )
        },
    ));
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in counted.files.iter().filter_map(|file| file.reason.as_ref()) {
        *left.entry(reason.name()).or_default() += 1;
    }
    for (name, n) in left {
        printer.note(&format!(
            "{} not counted, {}",
            grouped(n as u64),
            summary::kind(name)
        ));
    }
}

fn counted_files(n: usize) -> String {
    counted(n, "file", "files")
}

fn largest(counted: &Counted, measure: Measure, n: usize) -> String {
    let all = shown(&total(counted), measure);
    let mut files: Vec<(u64, String)> = counted
        .files
        .iter()
        .filter(|file| file.reason.is_none())
        .map(|file| (shown(&file.count, measure), file.path.to_string()))
        .collect();
    files.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    files
        .iter()
        .take(n)
        .map(|(tokens, path)| line(*tokens, all, path))
        .collect()
}

/// A folder or a file of the tree, with the tokens of all that is in it.
#[derive(Default)]
struct Node {
    tokens: u64,
    below: BTreeMap<String, Node>,
}

fn tree(counted: &Counted, measure: Measure, depth: usize) -> String {
    let mut root = Node::default();
    for file in counted.files.iter().filter(|file| file.reason.is_none()) {
        let tokens = shown(&file.count, measure);
        let mut node = &mut root;
        node.tokens += tokens;
        for name in file.path.to_string().split('/') {
            node = node.below.entry(name.to_owned()).or_default();
            node.tokens += tokens;
        }
    }
    let mut out = line(root.tokens, root.tokens, ".");
    draw(&root, root.tokens, depth, "", &mut out);
    out
}

/// Draws what is below a node to a depth, largest first.
fn draw(node: &Node, all: u64, depth: usize, indent: &str, out: &mut String) {
    if depth == 0 {
        return;
    }
    let mut below: Vec<(&String, &Node)> = node.below.iter().collect();
    below.sort_by(|a, b| b.1.tokens.cmp(&a.1.tokens).then_with(|| a.0.cmp(b.0)));
    let n = below.len();
    for (at, (name, child)) in below.into_iter().enumerate() {
        let is_last = at + 1 == n;
        let folder = if child.below.is_empty() { "" } else { "/" };
        let branch = if is_last { "└── " } else { "├── " };
        out.push_str(&line(
            child.tokens,
            all,
            &format!("{indent}{branch}{name}{folder}"),
        ));
        let stem = if is_last { "    " } else { "│   " };
        draw(child, all, depth - 1, &format!("{indent}{stem}"), out);
    }
}

fn line(tokens: u64, all: u64, name: &str) -> String {
    let eighths = (tokens * BAR * 8).checked_div(all).unwrap_or(0);
    let mut bar = "█".repeat(usize::try_from(eighths / 8).unwrap_or(0));
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][usize::try_from(eighths % 8).unwrap_or(0)];
    bar.push_str(part);
    let percent = (tokens * 100 + all / 2).checked_div(all).unwrap_or(0);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{:>13} {percent:>3} % {bar:<20} {name}",
        grouped(tokens)
    );
    out
}
