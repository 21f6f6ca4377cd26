//! `twostep workflow run`: who plays, what is set and answered beforehand, and doing it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use clap::Args;
use serde::{Deserialize, Serialize};

use super::found::{Found, Whose, find};
use super::told::{Ended, Form, give, plain, tell};
use super::values::{given, settle};
use crate::agent::{Chain, Role};
use crate::alike::did_you_mean;
use crate::cli::agents::{AgentArgs, Lent, parse_agents};
use crate::cli::asking::may_spend;
use crate::cli::begin::begin;
use crate::cli::change::{GroundArgs, LandArg};
use crate::cli::environment::{Environment, threads};
use crate::cli::exit::{Exit, Unplayed, usage};
use crate::cli::plan::read_spec;
use crate::cli::printer::Printer;
use crate::cli::story;
use crate::flow::consent::{Consent, Said};
use crate::flow::pack::{self, PackRequest};
use crate::flow::plan::{Prompt, SPEC_FILE};
use crate::flow::plan_exec::{Tolerance, clear, title};
use crate::flow::player::Player;
use crate::flow::workflow::{
    Files, Gate, Hands, Scope, Spend, StepFailed, Workshop, commands, known, needs_scratch, verify,
    work,
};
use crate::fs;
use crate::path::RepoPath;
use crate::repo::{self, Candidate, Globs, Repository};
use crate::run::{self, Run, Sensitive};
use crate::tokens::Counter;
use crate::workflow::{Does, Step, Workflow};

/// Do a workflow
///
/// What it gives out goes to stdout, or to stderr where `--land patch` has the patch there; the files of its steps are kept in the run's
/// folder, in `out`. What its steps change lands at its end, as a change of `exec` does.
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
    let Found {
        text, whose, place, ..
    } = match kept(environment)? {
        Some(kept) => kept,
        None => find(&args.name, environment)?,
    };
    if whose == Whose::NotAgreed {
        return Err(usage(
            format!(
                "the workflow in {place} is the project's, and you have not agreed to it as it is"
            ),
            "read it with `twostep workflow show`, and agree with `twostep trust`",
        ));
    }
    if let Some(run) = environment.resumed().as_ref()
        && let Ok(before) = run.kept(WORKFLOW_FILE)
        && before != text.as_bytes()
    {
        printer.warn(&format!(
            "{place} has changed since the run began, and is done as it is now"
        ));
    }
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
    verify(&workflow.steps)
        .map_err(plain)
        .with_context(|| format!("cannot use {place}"))?;
    let given = given(&workflow, &args.name, &args.set)?;
    let players = args.players(&workflow, environment)?;
    let (repository, _, problem) = repo::open(&environment.directory, &[])?;
    if let Some(problem) = problem {
        printer.warn(&format!("{problem}; going on without git"));
    }
    let lent = args.agents.lend(environment)?;
    for player in players.values() {
        args.agents.require_keys(player.chain(), &lent)?;
    }
    let AgentArgs { yes, dry_run, .. } = args.agents;
    let asked = !environment.is_resuming() && !yes && !dry_run && printer.can_ask();
    let asked = asked.then_some(printer);
    let set = &given.values;
    let values = settle(&workflow, &args.name, set, &repository, asked, environment)?;
    let job = Job {
        args,
        workflow: &workflow,
        text: &text,
        spec: &spec,
        values,
        answers: given.answers,
        players,
        repository: &repository,
        lent: &lent,
        environment,
        printer,
    };
    job.run()
}

/// Returns the workflow of a run that is done again, as it was then.
fn kept(environment: &Environment) -> anyhow::Result<Option<Found>> {
    let folder = environment.replayed.as_ref();
    let Some(folder) = folder.filter(|folder| fs::has_entry(folder, WORKFLOW_FILE)) else {
        return Ok(None);
    };
    Ok(Some(Found {
        text: fs::read_regular_text(&folder.join(WORKFLOW_FILE), MAX_KEPT_BYTES)?,
        whose: Whose::Yours,
        place: format!("`{WORKFLOW_FILE}` of the run"),
    }))
}

/// The file of a run with its workflow.
const WORKFLOW_FILE: &str = "workflow.toml";

/// A workflow that is done.
struct Job<'a> {
    args: &'a RunArgs,
    workflow: &'a Workflow,
    text: &'a str,
    spec: &'a str,
    values: BTreeMap<String, String>,
    /// Of steps that ask.
    answers: BTreeMap<String, String>,
    players: BTreeMap<String, Player>,
    repository: &'a Repository,
    lent: &'a Lent,
    environment: &'a Environment,
    printer: &'a Printer,
}

/// What a run was given besides its spec, for it to be gone on with.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// The version of the format: 1.
    version: u32,
    values: BTreeMap<String, String>,
    memory: String,
    /// Who played each role.
    #[serde(default)]
    roles: BTreeMap<String, String>,
}

/// The file of a run with that.
const KEPT_FILE: &str = "given.json";

/// No such file is larger.
const MAX_KEPT_BYTES: u64 = 1 << 20;

impl Job<'_> {
    fn run(&self) -> anyhow::Result<Exit> {
        let (args, workflow, lent, printer) = (self.args, self.workflow, self.lent, self.printer);
        let repository = self.repository;
        let threads = threads(None);
        let candidates = pack::all_candidates(repository, threads);
        let files = files(&candidates);
        let before = known(self.spec, "", &self.values, &self.roles());
        let work_on = needs_scratch(&workflow.steps, &before, &files).then_some(&args.change);
        let of_steps = commands(&workflow.steps, &before, &files);
        let (checks, carried) = self.ground(work_on, &of_steps)?;
        let protected = self.environment.protected()?;
        let tolerance: Tolerance = (&args.change.tolerance).into();
        let asking = Mutex::new(());
        let (beforehand, shown) = self.beforehand(tolerance);
        let agree = |_: &[Sensitive]| {
            let _turn = asking.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(self.agree(beforehand))
        };
        let consent = Consent::new(&agree);
        consent.give(&shown);
        let hands = Hands {
            checks: &checks,
            carried: &carried,
            check_rounds: args.change.check_rounds,
            protected: protected.as_ref(),
            land: args.change.land.into(),
            tolerance,
            consent: &consent,
        };
        let decide = |gate: &Gate<'_>| {
            // One question at a time.
            let _turn = asking.lock().unwrap_or_else(PoisonError::into_inner);
            self.decide(gate)
        };
        let told_costs: Mutex<BTreeSet<String>> = Mutex::default();
        let spend = |role: Role, player: &Player, prompt: &Prompt| {
            let _turn = asking.lock().unwrap_or_else(PoisonError::into_inner);
            self.spend(role, player, prompt, &told_costs)
        };
        let families = self.players.values().flat_map(Player::chain);
        let counter = Counter::new(families.filter_map(Player::family).collect());
        let shop = Workshop {
            repository,
            candidates: &candidates,
            request: PackRequest::everything(counter, Arc::clone(&lent.redactor), threads),
            players: &self.players,
            files,
            decide: &decide,
            spend: &spend,
            hands: work_on.map(|_| hands),
        };
        if args.agents.dry_run {
            let memory = run::memory(repository.root.path(), &self.memory())?;
            let scope = known(self.spec, &memory, &self.values, &self.roles());
            tell(workflow, &scope, &shop, printer);
            return Ok(Exit::Success);
        }
        let told = match title(self.spec) {
            "" => args.name.clone(),
            title => format!("{}: {title}", args.name),
        };
        let title = match title(self.spec) {
            "" => &workflow.title,
            title => title,
        };
        let (run, _place) = begin(
            repository,
            ("workflow", &told),
            lent,
            None,
            self.environment,
        )?;
        let scope = self.scope(&run)?;
        let done = lent.host(printer, |host| {
            clear(&run, host);
            run.keep(SPEC_FILE, host.redactor.redacted(self.spec).as_bytes())
                .and_then(|_| run.keep(WORKFLOW_FILE, self.text.as_bytes()))
                .map_err(|error| StepFailed::new("begin", error))?;
            let done = work(workflow, (scope, title), &shop, &run, host);
            clear(&run, host);
            done
        });
        let form = match &self.environment.replayed {
            Some(_) => Form::Nothing,
            None if args.json => Form::Json,
            None if args.change.land == LandArg::Patch => Form::Patch,
            None => Form::Text,
        };
        let remember = match &done {
            Ok(worked) if worked.refused.is_none() => worked.remember.clone(),
            _ => None,
        };
        let given = give(form, Ended::of(done), &run, repository, lent, printer);
        if let Some(text) = remember.filter(|_| given.is_ok() && self.may_remember()) {
            let text = lent.redactor.redacted(&text);
            if let Err(error) = run::remember(run.root(), &self.memory(), &run.id, &text) {
                printer.warn(&format!("what later runs are to know is not kept: {error}"));
            }
        }
        given
    }

    /// Returns who plays each role, for people and models.
    fn roles(&self) -> BTreeMap<String, String> {
        let players = self.players.iter();
        players
            .map(|(role, player)| (role.clone(), player.agent.name()))
            .collect()
    }

    /// Says whether what is kept in the repository is ours: not where it may have come with the files.
    fn may_remember(&self) -> bool {
        self.repository.git.is_some() && !run::is_foreign(self.repository)
    }

    /// Returns the checks of a workflow that works on files as `given` says, with the folders that they need.
    fn ground(
        &self,
        given: Option<&GroundArgs>,
        of_steps: &[String],
    ) -> anyhow::Result<(Vec<String>, Vec<RepoPath>)> {
        let said = &self.args.change;
        if said.land == LandArg::Patch && self.args.json {
            return Err(usage(
                "the patch and the outcome cannot go to stdout together",
                "use `--land none`: the outcome names the file of the patch",
            ));
        }
        let Some(given) = given else {
            let is_replayed = self.environment.replayed.is_some();
            if said.checks.is_empty() && (said.land == LandArg::Tree || is_replayed) {
                return Ok((Vec::new(), Vec::new()));
            }
            return Err(usage(
                format!("the workflow `{}` changes no files", self.args.name),
                "leave `--check` and `--land` out",
            ));
        };
        let (repository, environment) = (self.repository, self.environment);
        given.check(repository)?;
        let agents = &self.args.agents;
        let (checks, needed) = given.checks(
            repository,
            agents,
            self.lent,
            environment,
            self.printer,
            of_steps,
        )?;
        let mut carried = given.carried(repository, environment)?;
        carried.extend(needed);
        Ok((checks, carried))
    }

    /// Returns by which name runs of the workflow remember.
    fn memory(&self) -> String {
        let name = Path::new(&self.args.name).file_stem().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Returns what templates may name at the beginning: the same, if the run is gone on with.
    fn scope(&self, run: &Run) -> anyhow::Result<Scope> {
        let replayed = self.environment.replayed.as_deref();
        let before = replayed.or(run.is_resumed().then_some(&run.folder));
        let before = before.filter(|folder| fs::has_entry(folder, KEPT_FILE));
        let kept = if let Some(folder) = before {
            fs::read_json(&folder.join(KEPT_FILE), MAX_KEPT_BYTES)?
        } else {
            // What came with the repository is nobody's memory.
            let memory = if self.may_remember() {
                run::memory(run.root(), &self.memory())?
            } else {
                String::new()
            };
            let kept = Kept {
                version: 1,
                values: self.values.clone(),
                memory,
                roles: self.roles(),
            };
            run.keep(KEPT_FILE, &run::json(&kept))?;
            kept
        };
        // Done again, prompts name those who were asked then.
        let roles = if replayed.is_some() && !kept.roles.is_empty() {
            kept.roles
        } else {
            self.roles()
        };
        Ok(known(self.spec, &kept.memory, &kept.values, &roles))
    }

    /// Returns what the user says beforehand to all that lands only so, and what of it they agreed to when the run was gone on with: who does
    /// that has seen what it met so far, and nothing else.
    fn beforehand(&self, tolerance: Tolerance) -> (Said, Vec<Sensitive>) {
        match self
            .environment
            .resumed()
            .as_ref()
            .and_then(|run| run.agreed())
        {
            Some(shown) => (Said::No, shown.to_vec()),
            None => (tolerance.sensitive, Vec::new()),
        }
    }

    /// Says whether the user agrees to what lands only so.
    fn agree(&self, beforehand: Said) -> Said {
        if beforehand == Said::Yes {
            return Said::Yes;
        }
        if self.args.agents.yes || !self.printer.can_ask() {
            return Said::No;
        }
        let question = "agree to that, so that it lands if all else is well? [y/N] ";
        match self.ask(question) {
            Some(answer) if answer.eq_ignore_ascii_case("y") => Said::Yes,
            _ => Said::No,
        }
    }

    /// Tells what a prompt may cost, once where it is the same; says whether it may be paid for.
    fn spend(
        &self,
        role: Role,
        player: &Player,
        prompt: &Prompt,
        told: &Mutex<BTreeSet<String>>,
    ) -> Spend {
        let line = story::cost(role, player, prompt);
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(line.clone()) {
            self.printer.note(&line);
        }
        let agents = &self.args.agents;
        if may_spend(role, player, prompt, agents, self.printer, self.lent) {
            Spend::Go
        } else {
            Spend::Stop
        }
    }

    fn ask(&self, question: &str) -> Option<String> {
        self.printer.ask(question, &|| self.lent.signal().is_some())
    }

    /// Answers a gate.
    fn decide(&self, gate: &Gate<'_>) -> Option<String> {
        if let Some(answer) = self.answers.get(gate.step) {
            return Some(answer.clone());
        }
        if self.args.agents.yes {
            return gate.choices.first().cloned();
        }
        if !self.printer.can_ask() {
            return None;
        }
        let question = format!("{} [{}] ", gate.question.trim(), gate.choices.join(", "));
        loop {
            let typed = self.ask(&question)?;
            let meant = |choice: &&String| {
                !typed.is_empty() && choice.to_lowercase().starts_with(&typed.to_lowercase())
            };
            if gate.choices.contains(&typed) {
                return Some(typed);
            }
            let mut meant = gate.choices.iter().filter(meant);
            if let (Some(choice), None) = (meant.next(), meant.next()) {
                return Some(choice.clone());
            }
        }
    }
}

impl RunArgs {
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
                    match did_you_mean(role, known.iter().copied()) {
                        _ if known.is_empty() => "it has none".to_owned(),
                        meant => format!("{meant}its roles are {}", known.join(", ")),
                    },
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
            let roles = if executors.contains(&role.as_str()) {
                (Role::Executor, Role::Executor)
            } else {
                (Role::Asked, like(role))
            };
            let power = &self.agents.power;
            let found = power
                .player_with(roles, Some(&chain), environment)
                .map_err(|error| error.context(Unplayed(role.clone())))?;
            players.insert(role.clone(), found);
        }
        Ok(players)
    }
}

/// Returns the role whose model one of a workflow gets that carries nothing out: that of its name.
fn like(name: &str) -> Role {
    let named = [Role::Planner, Role::Executor, Role::Reviewer].into_iter();
    let mut named = named.filter(|role| role.name() == name);
    named.next().unwrap_or(Role::Asked)
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
