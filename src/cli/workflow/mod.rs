//! `twostep workflow`: which workflows there are, and doing one.

mod found;
mod run;
mod told;
mod values;

use std::collections::BTreeMap;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::environment::Environment;
use super::exit::Exit;
use super::printer::Printer;
use crate::workflow::Workflow;
pub(super) use found::{PROJECT_FOLDER, of_project};
use run::RunArgs;

/// Have several agents work together, as a workflow says
///
/// A workflow is TOML: roles, and steps that pack files, ask agents, hold plans against the files or ask you, one after
/// another, at once, for each of a list, or again until something is true. docs/workflows.md says how one is written.
#[derive(Args, Debug)]
pub(super) struct WorkflowArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// List the workflows that there are: built-in ones, yours in `~/.config/twostep/workflows`, and the project's in `twostep-workflows`
    List {
        /// Print them to stdout as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a workflow, as a beginning for your own
    Show {
        /// Its name, or its file
        #[arg(value_name = "NAME")]
        name: String,
    },
    Run(Box<RunArgs>),
}

pub(super) fn run(
    args: &WorkflowArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    match &args.what {
        What::List { json } => list(*json, environment, printer)?,
        What::Show { name } => {
            printer.data(found::find(name, environment)?.text.as_bytes())?;
        }
        What::Run(args) => return run::run_one(args, environment, printer),
    }
    Ok(Exit::Success)
}

/// Lists the workflows that there are.
fn list(as_json: bool, environment: &Environment, printer: &Printer) -> anyhow::Result<()> {
    let mut all: BTreeMap<String, Value> = BTreeMap::new();
    // Whose name is looked up first stands, also where it cannot be used.
    for (name, found) in found::all(environment)?.into_iter().rev() {
        let read = found.and_then(|found| {
            let read = Workflow::read(&found.text);
            let read = read.with_context(|| format!("cannot use {}", found.place))?;
            Ok(json!({ "title": read.title, "whose": found.whose.name() }))
        });
        match read {
            Ok(told) => drop(all.insert(name, told)),
            Err(error) => {
                printer.warn(&format!("{error:#}"));
                all.remove(&name);
            }
        }
    }
    if as_json {
        return printer.json(&all);
    }
    let width = all.keys().map(String::len).max().unwrap_or(0);
    let lines = all.iter().map(|(name, told)| {
        let text = |key: &str| told[key].as_str().unwrap_or_default();
        let whose = match text("whose") {
            "built-in" => String::new(),
            whose => format!(" ({whose})"),
        };
        format!("{name:<width$}  {}{whose}\n", text("title"))
    });
    printer.data(lines.collect::<String>().as_bytes())?;
    Ok(())
}
