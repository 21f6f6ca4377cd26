//! `twostep workflow`: which workflows there are, and doing one.

mod run;
mod told;
mod values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::environment::Environment;
use super::exit::{Exit, usage};
use super::printer::Printer;
use crate::fs;
use crate::workflow::{BUILT_IN, Workflow};
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
    /// List the workflows that there are: built-in ones, and yours in `~/.config/twostep/workflows`
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

/// The folder of the user's workflows.
const FOLDER: &str = "workflows";

/// A workflow is small.
const MAX_WORKFLOW_BYTES: u64 = 1 << 20;

pub(super) fn run(
    args: &WorkflowArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    match &args.what {
        What::List { json } => list(*json, environment, printer)?,
        What::Show { name } => {
            let (text, _) = find(name, environment)?;
            printer.data(text.as_bytes())?;
        }
        What::Run(args) => return run::run_one(args, environment, printer),
    }
    Ok(Exit::Success)
}

/// Lists the workflows that there are.
fn list(as_json: bool, environment: &Environment, printer: &Printer) -> anyhow::Result<()> {
    let mut all: BTreeMap<String, Value> = BTreeMap::new();
    let told = |text: &str, whose: &str| match Workflow::read(text) {
        Ok(workflow) => json!({ "title": workflow.title, "whose": whose }),
        Err(error) => json!({ "title": format!("cannot be used: {error}"), "whose": whose }),
    };
    for (name, text) in BUILT_IN {
        all.insert((*name).to_owned(), told(text, "built-in"));
    }
    for (name, path) in own(environment)? {
        let text = fs::read_text(&path, MAX_WORKFLOW_BYTES)?;
        all.insert(name, told(&text, "yours"));
    }
    if as_json {
        return printer.json(&all);
    }
    let width = all.keys().map(String::len).max().unwrap_or(0);
    let lines = all.iter().map(|(name, told)| {
        let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
        let mine = if text("whose") == "yours" {
            " (yours)"
        } else {
            ""
        };
        format!("{name:<width$}  {}{mine}\n", text("title"))
    });
    printer.data(lines.collect::<String>().as_bytes())?;
    Ok(())
}

/// Returns the user's own workflows, by name.
fn own(environment: &Environment) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let Some(folder) = environment.own_path(FOLDER) else {
        return Ok(Vec::new());
    };
    let mut own = Vec::new();
    for name in fs::list(&folder)? {
        let path = folder.join(&name);
        if path.extension().is_some_and(|ending| ending == "toml")
            && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str())
        {
            own.push((stem.to_owned(), path));
        }
    }
    Ok(own)
}

/// Returns the text of a workflow, and where it is for people.
fn find(name: &str, environment: &Environment) -> anyhow::Result<(String, String)> {
    if Path::new(name)
        .extension()
        .is_some_and(|ending| ending == "toml")
    {
        let path = environment.at(Path::new(name));
        return Ok((
            fs::read_text(&path, MAX_WORKFLOW_BYTES)?,
            format!("`{name}`"),
        ));
    }
    let own = own(environment)?;
    if let Some((_, path)) = own.iter().find(|(own, _)| own == name) {
        let text = fs::read_text(path, MAX_WORKFLOW_BYTES)?;
        return Ok((text, format!("`{}`", path.display())));
    }
    if let Some((_, text)) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name) {
        return Ok(((*text).to_owned(), format!("the workflow `{name}`")));
    }
    Err(usage(
        format!("there is no workflow `{name}`"),
        "`twostep workflow list` names those that there are; a file ends in `.toml`",
    ))
}
