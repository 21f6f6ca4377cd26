//! `twostep trust`, and what the user agreed to by it: the checks that a project's own files propose, and its workflows.
//!
//! What is agreed to is kept in the user's folder, never in the repository, and holds for its place and for exactly these commands.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use clap::Args;
use serde::{Deserialize, Serialize};

use super::agents::{AgentArgs, Lent};
use super::environment::Environment;
use super::exit::{Exit, usage};
use super::printer::Printer;
use super::workflow::{PROJECT_FOLDER, of_project};
use crate::check::{self, Preset};
use crate::fs::Hash;
use crate::repo::{self, Repository};
use crate::run::{self, Event};
use crate::workflow::{Does, Step, Workflow};

/// Agree to the checks that the project's own files propose, and to its workflows
///
/// Shows what would be run, the file that says so, and asks. `exec` and `plan-exec` without `--check` then run it. What you
/// agree to holds for this folder and these commands: when a package's scripts, the settings of its manager or a makefile
/// would have another run, you are asked again. What a command runs of the project's code (tests, `build.rs`, `conftest.py`)
/// is not held against anything. Workflows in `twostep-workflows` are agreed to as they are now.
#[derive(Args, Debug)]
pub(super) struct TrustArgs {
    /// Agree without being asked
    #[arg(short, long)]
    yes: bool,

    /// Take back what was agreed to
    #[arg(long, conflicts_with = "yes")]
    revoke: bool,
}

/// The question, and what is to be known with it.
const QUESTION: &str = "run that, and with it what it runs of the code here (tests, build.rs, conftest.py), for changes here, now and later? [y/N] ";

/// What the user agreed to, in the folder of the user's files.
const TRUSTED_FILE: &str = "trusted.toml";

/// What is in that file.
#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Trusted {
    #[serde(default)]
    repository: Vec<Agreed>,
}

/// What is agreed to of one repository.
#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Agreed {
    /// Its root.
    root: String,
    /// Its checks.
    #[serde(default)]
    checks: Vec<Preset>,
    /// Its workflows: what was in each file, by its path.
    #[serde(default)]
    workflows: BTreeMap<String, String>,
}

pub(super) fn run(
    args: &TrustArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let (repository, _, _) = repo::open(&environment.directory, &[])?;
    if args.revoke {
        keep(
            &repository,
            |agreed| *agreed = Agreed::default(),
            environment,
        )?;
        printer.note("nothing that the project's files propose is run any more");
        return Ok(Exit::Success);
    }
    let presets = check::presets(&repository.root);
    let workflows = of_project(&repository)?;
    if presets.is_empty() && workflows.is_empty() {
        return Err(usage(
            format!(
                "no file here says how the project is checked, and it has no workflow in `{PROJECT_FOLDER}`"
            ),
            "give the command to each run: `--check COMMAND`",
        ));
    }
    for preset in &presets {
        printer.data(format!("{}\n", shown(preset)).as_bytes())?;
    }
    let mut prints = BTreeMap::new();
    for (path, text) in &workflows {
        printer.data(format!("workflow `{path}`{}\n", commands(text)).as_bytes())?;
        prints.insert(path.to_string(), print_of(text));
    }
    let is_known = self::workflows(&repository, environment)? == prints;
    if is_known && is_agreed(&repository, &presets, environment)? {
        printer.note("that is agreed to; `twostep trust --revoke` takes it back");
        return Ok(Exit::Success);
    }
    let answer = (!args.yes && printer.can_ask()).then(|| printer.ask(QUESTION, &|| false));
    if args.yes || answer.flatten().is_some_and(|answer| is_yes(&answer)) {
        let change = |agreed: &mut Agreed| {
            agreed.checks = presets;
            agreed.workflows = prints;
        };
        keep(&repository, change, environment)?;
        return Ok(Exit::Success);
    }
    printer.note("not agreed to; `twostep trust --yes` does");
    Ok(Exit::Negative)
}

/// Returns the checks that the files of a repository propose, if the user agreed to them, or does now.
pub(super) fn presets(
    repository: &Repository,
    agents: &AgentArgs,
    lent: &Lent,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Vec<Preset>> {
    let mut presets = check::presets(&repository.root);
    if let Some(first) = &environment.replayed {
        // Nothing is run, but said what it did: what was agreed to then is told by that.
        let said = run::checks(first)?.into_iter().map(|said| said.command);
        let said: BTreeSet<String> = said.collect();
        presets.retain(|preset| said.contains(&preset.command));
        return Ok(presets);
    }
    if presets.is_empty() || is_agreed(repository, &presets, environment)? {
        return Ok(presets);
    }
    let all: Vec<String> = presets.iter().map(shown).collect();
    if printer.can_ask() && !agents.yes && !agents.dry_run {
        printer.note("no check is given, and the project's files propose:");
        for preset in &all {
            printer.note(&format!("  {preset}"));
        }
        let answer = printer.ask(QUESTION, &|| lent.signal().is_some());
        if answer.is_some_and(|answer| is_yes(&answer)) {
            let checks = presets.clone();
            keep(repository, |agreed| agreed.checks = checks, environment)?;
            return Ok(presets);
        }
        return Ok(Vec::new());
    }
    printer.warn(&format!(
        "no check is given; {} is proposed, and run once you agree by `twostep trust`",
        all.join("; ")
    ));
    Ok(Vec::new())
}

/// Refuses to go on without checks that a run began with, for what they run is not what was agreed to then.
pub(super) fn require_agreed(
    presets: &[Preset],
    of_steps: &[String],
    environment: &Environment,
) -> anyhow::Result<()> {
    let resumed = environment.resumed();
    let Some(run) = resumed.as_ref() else {
        return Ok(());
    };
    let commands = run::records(run.root(), &run.id)?.into_iter();
    let mut commands = commands.filter_map(|record| match record.event {
        Event::Checked { command, .. } => Some(command),
        _ => None,
    });
    let is_lost = |command: &String| {
        let is_preset = presets.iter().any(|preset| preset.command == *command);
        !is_preset && !of_steps.contains(command)
    };
    match commands.find(is_lost) {
        None => Ok(()),
        Some(command) => Err(usage(
            format!(
                "the run began with the check `{command}`, and what that runs is not agreed to any more"
            ),
            "agree with `twostep trust`, and go on; or go on without: `twostep runs resume -- --no-check`",
        )),
    }
}

/// Says what would be run, and which file says so.
fn shown(preset: &Preset) -> String {
    let Preset {
        command,
        file,
        runs,
        ..
    } = preset;
    let runs = runs.as_ref().map_or(String::new(), |runs| {
        let lines: Vec<&str> = runs.lines().map(str::trim).collect();
        format!(": {}", lines.join("; "))
    });
    format!("`{command}` ({file}{runs})")
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.to_lowercase().as_str())
}

fn is_agreed(
    repository: &Repository,
    presets: &[Preset],
    environment: &Environment,
) -> anyhow::Result<bool> {
    let Some(root) = repository.root.path().to_str() else {
        return Ok(false);
    };
    let trusted = read(environment)?;
    let is_it = |agreed: &Agreed| agreed.root == root && agreed.checks == presets;
    Ok(presets.is_empty() || trusted.repository.iter().any(is_it))
}

/// Returns the project's workflows that the user agreed to: what was in each file, by its path.
pub(super) fn workflows(
    repository: &Repository,
    environment: &Environment,
) -> anyhow::Result<BTreeMap<String, String>> {
    let root = repository.root.path().to_str();
    let trusted = read(environment)?.repository.into_iter();
    let mut here = trusted.filter(|agreed| root == Some(agreed.root.as_str()));
    Ok(here
        .next()
        .map_or_else(BTreeMap::new, |agreed| agreed.workflows))
}

/// Returns what stands for the text of a workflow.
pub(super) fn print_of(text: &str) -> String {
    Hash::of(text.as_bytes()).to_string()
}

/// Says which commands a workflow runs.
fn commands(text: &str) -> String {
    fn of(steps: &[Step]) -> Vec<&str> {
        let mut all = Vec::new();
        for step in steps {
            match &step.does {
                Does::Check { commands } => all.extend(commands.iter().map(String::as_str)),
                Does::Steps { steps, .. } => all.extend(of(steps)),
                _ => {}
            }
        }
        all
    }
    match Workflow::read(text) {
        Err(error) => format!(": cannot be used: {error}"),
        Ok(workflow) => match of(&workflow.steps).join("; ") {
            none if none.is_empty() => format!(": {}", workflow.title),
            commands => format!(": {}; it runs {commands}", workflow.title),
        },
    }
}

fn read(environment: &Environment) -> anyhow::Result<Trusted> {
    let Some((path, text)) = environment.own_file(TRUSTED_FILE)? else {
        return Ok(Trusted::default());
    };
    toml::from_str(&text)
        .with_context(|| format!("cannot use what you agreed to in `{}`", path.display()))
}

/// Changes what is agreed to of a repository.
fn keep(
    repository: &Repository,
    change: impl FnOnce(&mut Agreed),
    environment: &Environment,
) -> anyhow::Result<()> {
    let path = repository.root.path();
    let root = path.to_str().ok_or_else(|| {
        usage(
            format!("`{}` is no text, and cannot be kept", path.display()),
            "give the command to each run: `--check COMMAND`",
        )
    })?;
    let mut trusted = read(environment)?;
    let known = trusted.repository.iter();
    let at = known.into_iter().position(|agreed| agreed.root == root);
    let mut agreed = at.map_or_else(Agreed::default, |at| trusted.repository.remove(at));
    change(&mut agreed);
    if !agreed.checks.is_empty() || !agreed.workflows.is_empty() {
        root.clone_into(&mut agreed.root);
        trusted.repository.push(agreed);
    }
    let text = toml::to_string(&trusted).context("cannot write down what you agreed to")?;
    environment.write_own(TRUSTED_FILE, &text)
}
