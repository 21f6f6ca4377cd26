//! `twostep workflow`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};

use super::agents::{AgentArgs, Lent, parse_agents, player};
use super::begin::begin;
use super::environment::{Environment, threads};
use super::exec::tell_waiting;
use super::exit::{Exit, RunStopped, class_of, hint, is_interrupted, resume, unwrapped, usage};
use super::plan::read_spec;
use super::printer::Printer;
use crate::agent::{Chain, Role, Usage};
use crate::flow::ask::AskError;
use crate::flow::pack::{self, PackRequest};
use crate::flow::plan::SPEC_FILE;
use crate::flow::plan_exec::{Done, RunError, clear, title};
use crate::flow::player::Player;
use crate::flow::workflow::{
    FILES_FOLDER, Files, Gate, Scope, StepError, StepFailed, Workshop, waiting, work,
};
use crate::fs;
use crate::repo::{self, Candidate, Globs, Repository};
use crate::run::{self, Outcome, Run, Summary};
use crate::tokens::Counter;
use crate::workflow::{BUILT_IN, Does, Step, Times, Workflow};

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

/// Do a workflow
///
/// What it gives out goes to stdout; the files of its steps are kept in the run's folder, in `out`. It lands nothing.
#[derive(Args, Debug)]
struct RunArgs {
    /// The workflow: its name, or its file
    #[arg(value_name = "NAME")]
    name: String,

    /// What you want, in Markdown (`-`: stdin)
    #[arg(value_name = "SPEC")]
    spec: Option<PathBuf>,

    /// Set a value of the workflow, or answer one of its gates beforehand (can be repeated)
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parse_pair)]
    set: Vec<(String, String)>,

    /// Have another play a role (can be repeated)
    #[arg(long = "role", value_name = "ROLE=AGENT", value_parser = parse_role)]
    roles: Vec<(String, Chain)>,

    /// Print what it gives out, and what it took, to stdout as one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    agents: AgentArgs,
}

/// What is told of a workflow.
#[derive(Serialize)]
struct Report<'a> {
    /// The version of the format: 1.
    version: u32,
    run: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    exit: u8,
    /// The file with what is asked, where somebody is yet to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<&'a Path>,
    /// The folder with the files of its steps.
    files: &'a Path,
    usage: Usage,
    took_ms: u64,
}

/// The folder of the user's workflows.
const FOLDER: &str = "workflows";

/// A workflow is small.
const MAX_WORKFLOW_BYTES: u64 = 1 << 20;

fn parse_pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = pair.ok_or("give NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn parse_role(text: &str) -> Result<(String, Chain), String> {
    let (name, agents) = parse_pair(text).map_err(|_| "give ROLE=AGENT")?;
    Ok((name, parse_agents(&agents)?))
}

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
        What::Run(args) => return run_one(args, environment, printer),
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

fn run_one(args: &RunArgs, environment: &Environment, printer: &Printer) -> anyhow::Result<Exit> {
    let (text, place) = find(&args.name, environment)?;
    let workflow = Workflow::read(&text).with_context(|| format!("cannot use {place}"))?;
    let spec = match (&args.spec, workflow.needs_spec) {
        (Some(file), _) => read_spec(file, environment)?,
        (None, false) => String::new(),
        (None, true) => {
            return Err(usage(
                format!("the workflow `{}` needs a spec", args.name),
                "give a file with what you want, or `-` for stdin, after its name",
            ));
        }
    };
    let (scope, answers) = args.scope(&workflow, &spec)?;
    let players = args.players(&workflow, environment)?;
    let (repository, _, problem) = repo::open(&environment.directory, &[])?;
    if let Some(problem) = problem {
        printer.warn(&format!("{problem}; going on without git"));
    }
    let lent = args.agents.lend(environment)?;
    for player in players.values() {
        args.agents.require_keys(player.chain(), &lent)?;
    }
    if args.agents.dry_run {
        tell(&workflow, &players, printer);
        return Ok(Exit::Success);
    }
    let threads = threads(None);
    let candidates = pack::all_candidates(&repository, threads);
    let decide = |gate: &Gate<'_>| args.decide(gate, &answers, &lent, printer);
    let families = players.values().flat_map(Player::chain);
    let counter = Counter::new(families.filter_map(Player::family).collect());
    let shop = Workshop {
        repository: &repository,
        candidates: &candidates,
        request: PackRequest::everything(counter, Arc::clone(&lent.redactor), threads),
        players: &players,
        files: files(&candidates),
        decide: &decide,
    };
    let told = match title(&spec) {
        "" => args.name.clone(),
        title => format!("{}: {title}", args.name),
    };
    let (run, _place) = begin(&repository, ("workflow", &told), &lent, None, environment)?;
    let done = lent.host(printer, |host| {
        run.keep(SPEC_FILE, host.redactor.redacted(&spec).as_bytes())
            .and_then(|_| run.keep("workflow.toml", text.as_bytes()))
            .map_err(|error| StepFailed {
                step: "begin".to_owned(),
                error: error.into(),
            })?;
        let done = work(&workflow, scope, &shop, &run, host);
        clear(&run, host);
        done
    });
    args.give(Ended::of(done), &run, &repository, &lent, printer)
}

impl RunArgs {
    /// Returns what templates may name at the beginning, and the answers that gates have beforehand.
    fn scope(
        &self,
        workflow: &Workflow,
        spec: &str,
    ) -> anyhow::Result<(Scope, BTreeMap<String, String>)> {
        let gates = gates(&workflow.steps);
        let mut scope = Scope::from_iter([("spec".to_owned(), json!(spec))]);
        for (name, setting) in &workflow.values {
            scope.insert(name.clone(), json!(setting.default));
        }
        let mut answers = BTreeMap::new();
        for (name, value) in &self.set {
            let one_of = match (workflow.values.get(name), gates.get(name.as_str())) {
                (Some(setting), _) => setting.one_of.as_slice(),
                (None, Some(choices)) => choices,
                (None, None) => {
                    let known = workflow.values.keys().map(String::as_str);
                    let known: Vec<&str> = known.chain(gates.keys().copied()).collect();
                    return Err(usage(
                        format!("the workflow `{}` has no value or gate `{name}`", self.name),
                        match known.join(", ") {
                            none if none.is_empty() => "it has none".to_owned(),
                            known => format!("it has {known}"),
                        },
                    ));
                }
            };
            if !one_of.is_empty() && !one_of.contains(value) {
                return Err(usage(
                    format!("`{name}` cannot be `{value}`"),
                    format!("it may be one of {}", one_of.join(", ")),
                ));
            }
            if workflow.values.contains_key(name) {
                scope.insert(name.clone(), json!(value));
            } else {
                answers.insert(name.clone(), value.clone());
            }
        }
        Ok((scope, answers))
    }

    /// Returns who plays each role.
    fn players(
        &self,
        workflow: &Workflow,
        environment: &Environment,
    ) -> anyhow::Result<BTreeMap<String, Player>> {
        for (role, _) in &self.roles {
            if !workflow.roles.contains_key(role) {
                let known: Vec<&str> = workflow.roles.keys().map(String::as_str).collect();
                return Err(usage(
                    format!("the workflow `{}` has no role `{role}`", self.name),
                    format!("its roles are {}", known.join(", ")),
                ));
            }
        }
        let mut players = BTreeMap::new();
        for (role, usual) in &workflow.roles {
            let said = self.roles.iter().rev().find(|(name, _)| name == role);
            let chain = match said {
                Some((_, chain)) => chain.clone(),
                None => usual
                    .parse()
                    .with_context(|| format!("cannot use the role `{role}` of the workflow"))?,
            };
            let found = player(Role::Asked, Some(&chain), environment)
                .with_context(|| format!("nobody can play the role `{role}`"))?;
            players.insert(role.clone(), found);
        }
        Ok(players)
    }

    /// Answers a gate.
    fn decide(
        &self,
        gate: &Gate<'_>,
        answers: &BTreeMap<String, String>,
        lent: &Lent,
        printer: &Printer,
    ) -> Option<String> {
        if let Some(answer) = answers.get(gate.step) {
            return Some(answer.clone());
        }
        if self.agents.yes {
            return gate.choices.first().cloned();
        }
        if !printer.can_ask() {
            return None;
        }
        let question = format!("{} [{}] ", gate.question.trim(), gate.choices.join(", "));
        loop {
            let typed = printer.ask(&question, &|| lent.signal().is_some())?;
            let meant = |choice: &&String| {
                !typed.is_empty() && choice.to_lowercase().starts_with(&typed.to_lowercase())
            };
            let mut meant = gate.choices.iter().filter(meant);
            if let (Some(choice), None) = (meant.next(), meant.next()) {
                return Some(choice.clone());
            }
        }
    }

    /// Records what a workflow came to, and gives it out.
    fn give(
        &self,
        ended: Ended,
        run: &Run,
        repository: &Repository,
        lent: &Lent,
        printer: &Printer,
    ) -> anyhow::Result<Exit> {
        let signal = match &ended {
            Ended::Failed(error) => lent.signal().filter(|_| is_interrupted(error)),
            Ended::Done(_) | Ended::Waiting(_) => None,
        };
        let (exit, advice) = match (&ended, signal) {
            (Ended::Failed(_), Some(signal)) => (Exit::of_signal(signal), None),
            (Ended::Failed(error), None) => (Exit::of(error), hint(error)),
            (Ended::Done(_) | Ended::Waiting(_), _) => (Exit::Success, None),
        };
        let recorded = run.end(ended.outcome(), exit as u8, advice.as_deref());
        let files = run.folder.join(FILES_FOLDER);
        if self.json {
            let summary = run::summary(repository.root.path(), &run.id)?;
            printer.json(&Report::of(&ended, &summary, &files, exit))?;
        }
        match ended {
            Ended::Done(result) => {
                recorded.context("it came to its end, and that cannot be recorded")?;
                if !self.json {
                    printer.data(format!("{}\n", result.trim_end()).as_bytes())?;
                }
                if fs::has_entry(&run.folder, FILES_FOLDER) {
                    let files = files.display();
                    printer.note(&format!("the files of its steps are in `{files}`"));
                }
            }
            Ended::Waiting(prompt) => {
                tell_waiting(Role::Asked, &prompt, &resume(run, None), printer);
            }
            Ended::Failed(_) if signal.is_some() => {
                printer.note(&format!("interrupted; `{}` goes on", resume(run, None)));
            }
            Ended::Failed(error) => return Err(error.context(RunStopped::of(run, None))),
        }
        Ok(exit)
    }
}

/// How a workflow ended.
enum Ended {
    /// It gives this out.
    Done(String),
    /// The caller is asked, by the prompt in this file.
    Waiting(PathBuf),
    /// A step failed.
    Failed(anyhow::Error),
}

impl Ended {
    fn of(done: Result<String, StepFailed>) -> Self {
        match done {
            Ok(result) => Self::Done(result),
            Err(failed) => match waiting(&failed) {
                Some(prompt) => Self::Waiting(prompt),
                None => Self::Failed(plain(failed)),
            },
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Done(_) => Outcome::Answered,
            Self::Waiting(prompt) => Done::Waiting(Role::Asked, prompt.clone()).outcome(),
            Self::Failed(error) => Outcome::Stopped(format!("{error:#}")),
        }
    }
}

impl<'a> Report<'a> {
    fn of(ended: &'a Ended, summary: &'a Summary, files: &'a Path, exit: Exit) -> Self {
        let (outcome, result, prompt, error) = match ended {
            Ended::Done(result) => ("done", Some(result.as_str()), None, None),
            Ended::Waiting(prompt) => ("waiting", None, Some(prompt.as_path()), None),
            Ended::Failed(error) => ("failed", None, None, Some(error)),
        };
        Self {
            version: 1,
            run: &summary.id,
            outcome,
            result,
            error: error.map(|error| format!("{error:#}")),
            class: error.map(class_of),
            exit: exit as u8,
            prompt,
            files,
            usage: summary.usage,
            took_ms: summary.took_ms,
        }
    }
}

/// Returns an error of a step as the one below that it passes on, so that what is known of that is found.
fn plain(failed: StepFailed) -> anyhow::Error {
    let step = format!("the step `{}` failed", failed.step);
    let error = match failed.error {
        StepError::Ask(AskError::Call(error)) => unwrapped(RunError::Planning(error)),
        StepError::Ask(AskError::Fs(error)) | StepError::Fs(error) => error.into(),
        StepError::Ask(error) => error.into(),
        StepError::Pack(error) => error.into(),
        StepError::Interrupted(error) => error.into(),
        StepError::Unresolved(open) => RunError::Unresolved { open }.into(),
        other => other.into(),
    };
    error.context(step)
}

/// Returns the gates among steps, with what may be answered.
fn gates(steps: &[Step]) -> BTreeMap<&str, &[String]> {
    let mut gates = BTreeMap::new();
    for step in steps {
        match &step.does {
            Does::Gate { choices, .. } => {
                gates.insert(step.name.as_str(), choices.as_slice());
            }
            Does::Steps { steps, .. } => gates.extend(self::gates(steps)),
            Does::Pack { .. } | Does::Ask { .. } | Does::Resolve { .. } => {}
        }
    }
    gates
}

/// Tells what a workflow would do.
fn tell(workflow: &Workflow, players: &BTreeMap<String, Player>, printer: &Printer) {
    printer.note(&workflow.title);
    for (role, player) in players {
        let names: Vec<String> = player.chain().map(|player| player.agent.name()).collect();
        printer.note(&format!("role      {role}: {}", names.join(", then ")));
    }
    tell_steps(&workflow.steps, 0, printer);
    printer.note("stopped before any agent was asked");
}

fn tell_steps(steps: &[Step], depth: usize, printer: &Printer) {
    for step in steps {
        let times = match &step.times {
            Times::Once => String::new(),
            Times::Each { of, at_once: 1, .. } => format!(", for each of {of}"),
            Times::Each { of, at_once, .. } => format!(", for each of {of}, {at_once} at once"),
            Times::Until { is, most } => format!(", until {is}, {most} times at most"),
        };
        let when = step
            .when
            .as_ref()
            .map_or(String::new(), |when| format!(", if {when}"));
        let what = match &step.does {
            Does::Ask { role, .. } => format!("ask {role}"),
            Does::Pack { budget, .. } => format!("pack {budget} tokens"),
            Does::Steps { at_once: 2.., .. } => "at once".to_owned(),
            Does::Steps { .. } => "in turn".to_owned(),
            Does::Gate { choices, .. } => format!("ask you: {}", choices.join(", ")),
            Does::Resolve { .. } => "resolve".to_owned(),
        };
        let file = step
            .file
            .as_ref()
            .map_or(String::new(), |file| format!(" -> {file}"));
        let indent = "  ".repeat(depth);
        printer.note(&format!(
            "step      {indent}{}: {what}{times}{when}{file}",
            step.name
        ));
        if let Does::Steps { steps, .. } = &step.does {
            tell_steps(steps, depth + 1, printer);
        }
    }
}

/// Returns what files of the repository globs name.
fn files(candidates: &[Candidate]) -> Files {
    let paths: Vec<_> = candidates
        .iter()
        .map(|candidate| candidate.path.clone())
        .collect();
    Arc::new(move |globs: &[String]| {
        let Ok(globs) = Globs::parse(globs, &[]) else {
            return Vec::new();
        };
        let taken = paths.iter().filter(|path| globs.take(path));
        taken.map(ToString::to_string).collect()
    })
}
