//! `twostep workflow run`: who plays, what is set and answered beforehand, and doing it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::find;
use super::told::{Ended, Form, give, tell};
use crate::agent::{Chain, Role};
use crate::cli::agents::{AgentArgs, Lent, parse_agents, player};
use crate::cli::begin::begin;
use crate::cli::change::{GroundArgs, LandArg};
use crate::cli::environment::{Environment, threads};
use crate::cli::exit::{Exit, usage};
use crate::cli::plan::read_spec;
use crate::cli::printer::Printer;
use crate::flow::consent::{Consent, Said};
use crate::flow::pack::{self, PackRequest};
use crate::flow::plan::SPEC_FILE;
use crate::flow::plan_exec::{Tolerance, clear, title};
use crate::flow::player::Player;
use crate::flow::workflow::{CHOICES, Files, Gate, Hands, Scope, StepFailed, Workshop, work};
use crate::path::RepoPath;
use crate::repo::{self, Candidate, Globs, Repository};
use crate::run::Sensitive;
use crate::tokens::Counter;
use crate::workflow::{Does, Step, Workflow};

/// Do a workflow
///
/// What it gives out goes to stdout; the files of its steps are kept in the run's folder, in `out`. What its steps change lands at its
/// end, as a change of `exec` does.
#[derive(Args, Debug)]
pub(super) struct RunArgs {
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
    change: GroundArgs,

    #[command(flatten)]
    agents: AgentArgs,
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = pair.ok_or("give NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn parse_role(text: &str) -> Result<(String, Chain), String> {
    let (name, agents) = parse_pair(text).map_err(|_| "give ROLE=AGENT")?;
    Ok((name, parse_agents(&agents)?))
}

/// Does a workflow.
pub(super) fn run_one(
    args: &RunArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
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
    let (checks, carried) = args.ground(&workflow, &repository, &lent, environment, printer)?;
    let protected = environment.protected()?;
    let tolerance: Tolerance = (&args.change.tolerance).into();
    let agree = |_: &[Sensitive]| {
        let is_agreed = tolerance.sensitive == Said::Yes
            || !args.agents.yes && printer.can_ask() && {
                let question = "agree to that, so that it lands if all else is well? [y/N] ";
                let answer = printer.ask(question, &|| lent.signal().is_some());
                answer.is_some_and(|answer| answer.eq_ignore_ascii_case("y"))
            };
        Ok(if is_agreed { Said::Yes } else { Said::No })
    };
    let consent = Consent::new(&agree);
    let hands = Hands {
        checks: &checks,
        carried: &carried,
        check_rounds: args.change.check_rounds,
        protected: protected.as_ref(),
        land: args.change.land.into(),
        tolerance,
        consent: &consent,
    };
    let threads = threads(None);
    let candidates = pack::all_candidates(&repository, threads);
    let asking = Mutex::new(());
    let decide = |gate: &Gate<'_>| {
        // One question at a time.
        let _turn = asking.lock().unwrap_or_else(PoisonError::into_inner);
        args.decide(gate, &answers, &lent, printer)
    };
    let families = players.values().flat_map(Player::chain);
    let counter = Counter::new(families.filter_map(Player::family).collect());
    let shop = Workshop {
        repository: &repository,
        candidates: &candidates,
        request: PackRequest::everything(counter, Arc::clone(&lent.redactor), threads),
        players: &players,
        files: files(&candidates),
        decide: &decide,
        hands: workflow.needs_scratch().then_some(hands),
    };
    let told = match title(&spec) {
        "" => args.name.clone(),
        title => format!("{}: {title}", args.name),
    };
    let (run, _place) = begin(&repository, ("workflow", &told), &lent, None, environment)?;
    let title = if title(&spec).is_empty() {
        &workflow.title
    } else {
        title(&spec)
    };
    let done = lent.host(printer, |host| {
        run.keep(SPEC_FILE, host.redactor.redacted(&spec).as_bytes())
            .and_then(|_| run.keep("workflow.toml", text.as_bytes()))
            .map_err(|error| StepFailed::new("begin", error))?;
        let done = work(&workflow, (scope, title), &shop, &run, host);
        clear(&run, host);
        done
    });
    let form = if args.json { Form::Json } else { Form::Text };
    give(form, Ended::of(done), &run, &repository, &lent, printer)
}

impl RunArgs {
    /// Returns the checks of a workflow that works on files, with the folders that they need.
    fn ground(
        &self,
        workflow: &Workflow,
        repository: &Repository,
        lent: &Lent,
        environment: &Environment,
        printer: &Printer,
    ) -> anyhow::Result<(Vec<String>, Vec<RepoPath>)> {
        let given = &self.change;
        if given.land == LandArg::Patch {
            return Err(usage(
                "the patch cannot go to stdout: what the workflow gives out does",
                "use `--land none`: the run's folder has the patch",
            ));
        }
        if !workflow.needs_scratch() {
            if given.checks.is_empty() && given.land == LandArg::Tree {
                return Ok((Vec::new(), Vec::new()));
            }
            return Err(usage(
                format!("the workflow `{}` changes no files", self.name),
                "leave `--check` and `--land` out",
            ));
        }
        given.check(repository)?;
        let (checks, needed) =
            given.checks(repository, &self.agents, lent, environment, printer)?;
        let mut carried = given.carried(repository, environment)?;
        carried.extend(needed);
        Ok((checks, carried))
    }

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
                (Some(setting), _) => setting.one_of.iter().map(String::as_str).collect(),
                (None, Some(choices)) => choices.clone(),
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
            if !one_of.is_empty() && !one_of.contains(&value.as_str()) {
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
        let executors = executors(&workflow.steps);
        let mut players = BTreeMap::new();
        for (role, usual) in &workflow.roles {
            let said = self.roles.iter().rev().find(|(name, _)| name == role);
            let chain = match said {
                Some((_, chain)) => chain.clone(),
                None => usual
                    .parse()
                    .with_context(|| format!("cannot use the role `{role}` of the workflow"))?,
            };
            let does = if executors.contains(&role.as_str()) {
                Role::Executor
            } else {
                Role::Asked
            };
            let found = player(does, Some(&chain), environment)
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
}

/// Returns the roles of those who carry plans out.
fn executors(steps: &[Step]) -> Vec<&str> {
    let mut roles = Vec::new();
    for step in steps {
        match &step.does {
            Does::Execute { role, .. } => roles.push(role.as_str()),
            Does::Steps { steps, .. } => roles.extend(executors(steps)),
            _ => {}
        }
    }
    roles
}

/// Returns the steps that ask the user, with what may be answered.
fn gates(steps: &[Step]) -> BTreeMap<&str, Vec<&str>> {
    let mut gates = BTreeMap::new();
    for step in steps {
        match &step.does {
            Does::Gate { choices, .. } => {
                let choices = choices.iter().map(String::as_str);
                gates.insert(step.name.as_str(), choices.collect());
            }
            Does::Execute { .. } | Does::Integrate { .. } => {
                gates.insert(step.name.as_str(), CHOICES.to_vec());
            }
            Does::Steps { steps, .. } => gates.extend(self::gates(steps)),
            _ => {}
        }
    }
    gates
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
