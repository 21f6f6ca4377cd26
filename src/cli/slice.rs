//! The options that say what a budget is spent on, and why it was spent so.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::environment::Environment;
use super::exit::usage;
use super::number::grouped;
use super::plan::read_spec;
use super::printer::Printer;
use crate::pack::{Class, Entry, LevelRule, Prefer, Query};
use crate::repo::{Globs, Scan};

/// What a budget is spent on.
#[derive(Args, Debug)]
pub(super) struct SliceArgs {
    /// What is wanted, in Markdown (`-`: stdin): under a budget, what a change for it likely touches goes in first
    ///
    /// Files are ranked by the words, names, paths and places that the spec says; tests, documents and data only if
    /// it names them. Shown are whole files, excerpts and skeletons, whatever is worth most for its tokens.
    #[arg(long, value_name = "SPEC")]
    spec: Option<PathBuf>,

    /// The same in a sentence
    #[arg(long, value_name = "TEXT", conflicts_with = "spec")]
    task: Option<String>,

    /// Rather more files in full, or rather the likely lines of more files (default: a balance)
    #[arg(long, value_enum, value_name = "WHAT")]
    prefer: Option<What>,

    /// Files that are in whatever else is, in full (can be repeated)
    #[arg(long = "pin", value_name = "GLOB")]
    pins: Vec<String>,

    /// Say of the likeliest files why they are in, shortened or out
    #[arg(long)]
    explain: bool,
}

/// What is preferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Files in full
    Files,
    /// The lines that are likely meant
    Lines,
}

/// How many of the files that are in are explained.
const N_IN: usize = 20;

/// How many of those that are not.
const N_OUT: usize = 10;

/// How many signals are told of each.
const N_SIGNALS: usize = 3;

impl SliceArgs {
    /// Returns what is wanted, to rank files by, and for the excerpts that `levels` want.
    pub(super) fn query(
        &self,
        budget: Option<u64>,
        levels: &[LevelRule],
        environment: &Environment,
    ) -> anyhow::Result<Option<Arc<Query>>> {
        let has_excerpts = LevelRule::want_excerpts(levels);
        let spec = match (&self.spec, &self.task) {
            (Some(path), _) => read_spec(path, environment)?,
            (None, Some(task)) => task.clone(),
            (None, None) if has_excerpts => {
                return Err(usage(
                    "an excerpt shows the lines that are likely meant, and nothing says what is wanted",
                    "give `--spec FILE` or `--task TEXT`, or show skeletons",
                ));
            }
            (None, None) => return Ok(None),
        };
        if budget.is_none() && !has_excerpts {
            return Err(usage(
                "without a budget everything is packed, whatever is wanted",
                "give `--budget N`, `--for MODEL`, or `--level GLOB=excerpt`",
            ));
        }
        Ok(Some(Arc::new(Query::of(&spec))))
    }

    /// Returns what is preferred.
    pub(super) fn prefer(&self) -> Prefer {
        match self.prefer {
            None => Prefer::Balance,
            Some(What::Files) => Prefer::Files,
            Some(What::Lines) => Prefer::Lines,
        }
    }

    /// Returns the file that says what is wanted.
    pub(super) fn spec(&self) -> Option<&Path> {
        self.spec.as_deref()
    }

    /// Returns the globs of what is in whatever else is.
    pub(super) fn pins(&self) -> &[String] {
        &self.pins
    }

    /// Takes what is pinned as if it was named; warns where that is nothing.
    pub(super) fn pin(&self, scan: &mut Scan, printer: &Printer) -> anyhow::Result<()> {
        for pin in &self.pins {
            let globs = Globs::parse(std::slice::from_ref(pin), &[]).map_err(|error| {
                usage(
                    error.to_string(),
                    "globs are those of .gitignore, such as `src/**/*.rs`",
                )
            })?;
            let mut n_pinned = 0;
            for candidate in &mut scan.candidates {
                if globs.take(&candidate.path) {
                    candidate.named = true;
                    n_pinned += 1;
                }
            }
            if n_pinned == 0 {
                printer.warn(&format!("`--pin {pin}` matches no file"));
            }
        }
        Ok(())
    }

    /// Tells why the likeliest files are in, shortened or out, if that was asked.
    pub(super) fn explain(&self, entries: &[Entry], printer: &Printer) {
        if !self.explain {
            return;
        }
        let total = |entry: &Entry| entry.score.as_ref().map_or(0.0, |score| score.total);
        let mut likeliest: Vec<&Entry> =
            entries.iter().filter(|entry| total(entry) > 0.0).collect();
        likeliest.sort_by(|a, b| total(b).total_cmp(&total(a)));
        if likeliest.is_empty() {
            printer.note("nothing in the files is like what is wanted");
            return;
        }
        let (shown, left): (Vec<&Entry>, Vec<&Entry>) =
            likeliest.into_iter().partition(|entry| entry.is_shown());
        let is_named = |entry: &&Entry| entry.class == Class::Named && entry.is_shown();
        let named: Vec<&Entry> = entries.iter().filter(is_named).collect();
        if !named.is_empty() {
            printer.note("in, for they were named or pinned (tokens):");
        }
        for entry in named.iter().take(N_IN) {
            let tokens = grouped(entry.cost.exact);
            printer.note(&format!("       {tokens:>7} {}", entry.path));
        }
        printer.note("in, the likeliest first (likeness, tokens, how much is shown):");
        for entry in shown.iter().take(N_IN) {
            printer.note(&reasons(entry));
        }
        if !left.is_empty() {
            printer.note("out, the likeliest first (likeness, tokens):");
        }
        for entry in left.iter().take(N_OUT) {
            printer.note(&reasons(entry));
        }
    }
}

/// Says in a line how likely a file is meant, what is shown of it, and by which signals.
fn reasons(entry: &Entry) -> String {
    let Some(score) = &entry.score else {
        return String::new();
    };
    let signals: Vec<String> = score
        .signals
        .iter()
        .take(N_SIGNALS)
        .map(|(name, part)| format!("{name} {part:.2}"))
        .collect();
    let shown = if entry.is_shown() {
        format!(" {:<8}", entry.level.name())
    } else {
        String::new()
    };
    let tokens = grouped(entry.cost.exact);
    let of_all = match entry.full_cost {
        Some(cost) => format!(" of {}", grouped(cost.exact)),
        None => String::new(),
    };
    let (total, signals) = (score.total, signals.join(", "));
    format!(
        "  {total:.2} {tokens:>7}{of_all}{shown} {} ({signals})",
        entry.path
    )
}
