//! `twostep exec` and `twostep plan-exec`

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::agents::{AgentArgs, DEFAULT_IDLE, DEFAULT_TIME, DEFAULT_WAIT, Lent, parse_agents};
use super::asking::Asking;
use super::begin::{begin, end, events, exit_of};
use super::change::{GroundArgs, LandArg};
use super::environment::Environment;
use super::exit::{Exit, RunStopped, class_of, hint, is_interrupted, resume, unwrapped, usage};
use super::outcome::{NotBegun, Report};
use super::plan::{read_packs, read_spec};
use super::power::PowerArgs;
use super::printer::Printer;
use super::select::{SelectArgs, Selected};
use super::story;
use crate::agent::{Chain, Role, quoted};
use crate::flow::checks::CHECK_LIMIT;
use crate::flow::groups::ExecBy;
use crate::flow::pack::{self, PackRequest};
use crate::flow::plan_exec::{self, Done, RunError, Work, title};
use crate::flow::plan_file;
use crate::flow::player::Player;
use crate::flow::rounds::USUAL_ROUNDS;
use crate::flow::route::Context;
use crate::fs;
use crate::repo::{Globs, Named, ReadOptions};
use crate::run::{self, Run};
use crate::tokens::Counter;

/// Who makes a change, and how.
#[derive(Args, Debug)]
pub(super) struct ChangeArgs {
    /// Who carries the plan out: claude, codex, gemini or a command of your `agents.toml`, with `:MODEL` if you like; or
    /// recorded:FOLDER; `A,B`: B where A cannot
    #[arg(long, value_name = "AGENT", value_parser = parse_agents)]
    executor: Option<Chain>,

    /// Who reads the change before it lands, as `--planner` takes it; what fails goes back to the executor, at most twice
    #[arg(long, value_name = "AGENT", value_parser = parse_agents)]
    reviewer: Option<Chain>,

    /// How much of the plan the executor is asked to carry out at once
    ///
    /// By steps or groups of them the checks run after each, and what was good before is kept whatever comes after.
    #[arg(long, value_enum, default_value_t = ExecByArg::Whole)]
    exec_by: ExecByArg,

    /// What the executor gets beside the plan
    #[arg(long, value_enum, default_value_t = ContextArg::Auto)]
    context: ContextArg,

    /// Print what happens to stdout as JSON, an event a line; the last line is the outcome
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    ground: GroundArgs,
}

/// How much of the plan the executor is asked to carry out at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExecByArg {
    /// One step, after those that it needs.
    Step,
    /// As many steps as have all that they name in full within what the executor takes.
    Group,
    /// All of it; by groups, if what it names is more than the executor takes.
    Whole,
}

/// What the executor gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ContextArg {
    /// Everything if that is little, else what the plan names, its neighbours, and the best by the text of the steps.
    Auto,
    /// Everything.
    Full,
    /// What the plan names, and its neighbours.
    Plan,
}

/// Carry out a plan, check the change, and land it
///
/// The executor works in a copy of your files. Only what it changed there, and only if all checks
/// pass, goes into your own files; `twostep undo` takes it back.
#[derive(Args, Debug)]
pub(super) struct ExecArgs {
    /// The plan, in Markdown
    #[arg(value_name = "PLAN", default_value = plan_file::NAME)]
    plan: PathBuf,

    /// Give the executor this pack (can be repeated; default: a pack of what the plan names)
    #[arg(long = "pack", value_name = "FILE")]
    packs: Vec<PathBuf>,

    #[command(flatten)]
    change: ChangeArgs,

    #[command(flatten)]
    agents: AgentArgs,
}

/// Plan a change, carry it out, check it, and land it
///
/// A planner reads as much of the repository as it takes and writes AI-PLAN.md; what the plan names is
/// resolved against your files; an executor gets the plan and those files, and works in a copy. Only
/// a change that passes the checks goes into your own files; `twostep undo` takes it back.
#[derive(Args, Debug)]
pub(super) struct PlanExecArgs {
    /// What you want, in Markdown (`-`: stdin)
    #[arg(value_name = "SPEC")]
    spec: PathBuf,

    /// Who plans: gemini, claude, codex, gemini-api, anthropic-api, openai-api or one of your `agents.toml`, with
    /// `:MODEL` if you like; or recorded:FOLDER; `A,B`: B where A cannot
    #[arg(long, value_name = "AGENT", value_parser = parse_agents)]
    planner: Option<Chain>,

    /// Give the planner this pack (can be repeated; default: a pack of the repository)
    #[arg(long = "pack", value_name = "FILE")]
    packs: Vec<PathBuf>,

    /// Send a plan back to its planner this often, where it names what is not there
    #[arg(long, value_name = "N", default_value_t = USUAL_ROUNDS)]
    plan_rounds: usize,

    /// Replace an AI-PLAN.md that was edited
    #[arg(short, long)]
    force: bool,

    #[command(flatten)]
    change: ChangeArgs,

    #[command(flatten)]
    agents: AgentArgs,

    #[command(flatten)]
    select: SelectArgs,
}

pub(super) fn run_exec(
    args: &ExecArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    told(&args.change, printer, || exec(args, environment, printer))
}

/// Does `work`; tells a program that reads the outcome of what failed before a run was begun.
fn told(
    change: &ChangeArgs,
    printer: &Printer,
    work: impl FnOnce() -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    let done = work();
    if let Err(error) = done.as_ref()
        && change.json
        && !error.is::<RunStopped>()
    {
        printer.json(&NotBegun {
            version: 1,
            run: (),
            outcome: "failed",
            error: format!("{error:#}"),
            class: class_of(error),
            exit: Exit::of(error) as u8,
            hint: hint(error),
        })?;
    }
    done
}

fn exec(args: &ExecArgs, environment: &Environment, printer: &Printer) -> anyhow::Result<Exit> {
    let file = match &environment.replayed {
        Some(first) => first.join(plan_file::NAME),
        None => environment.at(&args.plan),
    };
    let plan = plan_file::read(&file).map_err(unwrapped)?;
    if !args.agents.yes && !args.agents.dry_run && !printer.can_ask() {
        return Err(usage(
            "there is nobody to ask whether the plan is to be carried out",
            "say `--yes`; `--dry-run` shows what would happen",
        ));
    }
    if !args.packs.is_empty() && args.change.exec_by != ExecByArg::Whole {
        let by = args.change.exec_by.to_possible_value();
        return Err(usage(
            format!(
                "`--exec-by {}` packs the files as each step finds them, and `--pack` gives others",
                by.as_ref().map_or("", |by| by.get_name())
            ),
            "leave one of them out",
        ));
    }
    let (power, chain) = (&args.agents.power, args.change.executor.as_ref());
    let executor = power.player(Role::Executor, chain, environment)?;
    let (repository, _, problem) = crate::repo::open(&environment.directory, &[])?;
    if let Some(problem) = problem {
        printer.warn(&format!("{problem}; going on without git"));
    }
    let selected = Selected {
        repository,
        named: vec![Named::Everything],
        globs: Globs::everything(),
        includes: Vec::new(),
        excludes: Vec::new(),
        threads: super::environment::threads(None),
    };
    let job = Job {
        verb: "exec",
        title: title(&plan.text).to_owned(),
        planner: None,
        executor,
        reviewer: args.change.reviewer(power, environment)?,
        packs: read_packs(&args.packs, environment)?,
        plan_rounds: 0,
        change: &args.change,
        agents: &args.agents,
    };
    job.run(
        &selected,
        ReadOptions {
            everything: false,
            hashed: false,
        },
        environment,
        printer,
        |work, run, host| plan_exec::exec(work, &file, run, host),
    )
}

pub(super) fn run_plan_exec(
    args: &PlanExecArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    told(&args.change, printer, || {
        plan_exec(args, environment, printer)
    })
}

fn plan_exec(
    args: &PlanExecArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let spec = read_spec(&args.spec, environment)?;
    let (power, chain) = (&args.agents.power, args.change.executor.as_ref());
    let planner = power.player(Role::Planner, args.planner.as_ref(), environment)?;
    let executor = power.player(Role::Executor, chain, environment)?;
    let selected = args.select.resolve(environment, printer)?;
    let file = environment.at(Path::new(plan_file::NAME));
    if !args.force && !args.agents.dry_run && !environment.is_resuming() {
        plan_file::may_write(selected.repository.root.path(), &file).map_err(unwrapped)?;
    }
    let job = Job {
        verb: "plan-exec",
        title: title(&spec).to_owned(),
        planner: Some(planner),
        executor,
        reviewer: args.change.reviewer(power, environment)?,
        packs: read_packs(&args.packs, environment)?,
        plan_rounds: args.plan_rounds,
        change: &args.change,
        agents: &args.agents,
    };
    let read = ReadOptions {
        everything: args.select.all,
        hashed: false,
    };
    job.run(&selected, read, environment, printer, |work, run, host| {
        plan_exec::plan_exec(work, &spec, &file, run, host)
    })
}

/// Tells whoever called us what is asked of them.
pub(super) fn tell_waiting(role: Role, prompt: &Path, resume: &str, printer: &Printer) {
    let what = match role {
        Role::Planner => "the plan, in Markdown",
        Role::Executor => "edits in a form that it names, or a patch",
        Role::Reviewer => "a review, in the form that it asks for",
        Role::Asked => "what you have to say",
    };
    printer.tell(&format!(
        "you are {}: answer the prompt in `{}` with {what}, and go on with `{resume} --answer FILE`",
        role.who(),
        prompt.display()
    ));
}

/// Tells a program of a run that failed, or was ended by `signal`.
fn print_failure(
    run: &Run,
    error: &anyhow::Error,
    signal: Option<i32>,
    printer: &Printer,
) -> anyhow::Result<()> {
    let summary = run::summary(run.root(), &run.id)?;
    let groups = run::groups(&run::records(run.root(), &run.id)?);
    let exit = signal.map_or_else(|| Exit::of(error), Exit::of_signal);
    let report = Report::failed(&summary, error, exit, &resume(run, None));
    printer.json(&report.by(groups))?;
    Ok(())
}

/// No patch that is printed is larger.
pub(super) const MAX_PATCH_BYTES: u64 = 1 << 30;

/// What both verbs do round the run itself.
struct Job<'a> {
    verb: &'static str,
    title: String,
    planner: Option<Player>,
    executor: Player,
    reviewer: Option<Player>,
    packs: Vec<String>,
    plan_rounds: usize,
    change: &'a ChangeArgs,
    agents: &'a AgentArgs,
}

impl Job<'_> {
    fn run(
        &self,
        selected: &Selected,
        read: ReadOptions,
        environment: &Environment,
        printer: &Printer,
        go: impl FnOnce(&Work<'_>, &Run, &crate::flow::host::Host<'_>) -> Result<Done, RunError>,
    ) -> anyhow::Result<Exit> {
        let repository = &selected.repository;
        self.change.check()?;
        self.change.ground.check(repository)?;
        let mut lent = self.agents.lend(environment)?;
        lent.check_limit = self.change.ground.check_limit;
        self.agents.require_keys(self.players(), &lent)?;
        let ground = &self.change.ground;
        let (checks, needed) =
            ground.checks(repository, self.agents, &lent, environment, printer, &[])?;
        let asking = Asking {
            printer,
            agents: self.agents,
            lent: &lent,
            environment,
            has_planner: self.planner.as_ref().is_some_and(Player::can_revise),
            executor: Some(&self.executor),
            checks: &checks,
        };
        let decide = |question: &plan_exec::Question<'_>| asking.answer(question);
        let candidates = pack::all_candidates(repository, selected.threads);
        let mut carried = ground.carried(repository, environment)?;
        carried.extend(needed);
        let protected = environment.protected()?;
        let work = Work {
            repository,
            request: self.request(selected, read, &lent),
            candidates: &candidates,
            planner: self.planner.as_ref(),
            executor: &self.executor,
            reviewer: self.reviewer.as_ref(),
            check_rounds: self.change.ground.check_rounds,
            protected: protected.as_ref(),
            exec_by: self.change.exec_by.into(),
            context: self.change.context.into(),
            packs: &self.packs,
            checks: &checks,
            carried: &carried,
            land: self.change.ground.land.into(),
            plan_rounds: self.plan_rounds,
            tolerance: (&self.change.ground.tolerance).into(),
            decide: &decide,
        };
        self.warn_of_cost(&lent, printer);
        let root = repository.root.path();
        let told = (self.verb, self.title.as_str());
        let watch = self.change.json.then(|| events(printer));
        let (run, _place) = begin(repository, told, &lent, watch, environment)?;
        let done = lent.host(printer, |host| go(&work, &run, host));
        let done = match end(&run, done, &lent) {
            Ok(done) => done,
            Err(error) => {
                let folder = run.folder.display();
                let signal = lent.signal().filter(|_| is_interrupted(&error));
                if self.change.json {
                    print_failure(&run, &error, signal, printer)?;
                }
                if let Some(signal) = signal {
                    printer.note(&format!(
                        "interrupted; your files are as they were; what there is, is in `{folder}`, and `twostep runs resume {}` goes on",
                        run.id
                    ));
                    return Ok(Exit::of_signal(signal));
                }
                return Err(error.context(RunStopped::of(&run, None)));
            }
        };
        let summary = run::summary(root, &run.id)?;
        match &done {
            Done::NotAsked => {
                let prompt = run.folder.join("planner-prompt.md");
                printer.note(&format!(
                    "stopped before any agent was asked; the prompt is in `{}`",
                    prompt.display()
                ));
            }
            Done::Waiting(role, prompt) => {
                tell_waiting(*role, prompt, &resume(&run, None), printer);
            }
            Done::Planned(file) => {
                let typed = file.strip_prefix(&environment.directory).unwrap_or(file);
                printer.note(&format!(
                    "the plan is in `{}`; carry it out with: {}",
                    typed.display(),
                    self.go_on(typed)
                ));
            }
            // That is another verb's.
            Done::Reviewed(_) => {}
            Done::Executed(executed) => story::tell_end(printer, &summary, executed, &[]),
        }
        if let (LandArg::Patch, Done::Executed(executed)) = (self.change.ground.land, &done) {
            printer.data(&fs::read_regular(&executed.patch, MAX_PATCH_BYTES)?)?;
        }
        if self.change.json {
            let groups = run::groups(&run::records(root, &run.id)?);
            printer.json(&Report::new(&summary, &done).by(groups))?;
        }
        Ok(exit_of(&Ok(done), lent.signal()))
    }

    /// Returns how the repository is packed.
    fn request(&self, selected: &Selected, read: ReadOptions, lent: &Lent) -> PackRequest {
        let counter = Counter::new(self.players().filter_map(Player::family).collect());
        PackRequest {
            named: selected.named.clone(),
            globs: selected.globs.clone(),
            read,
            ..PackRequest::everything(counter, Arc::clone(&lent.redactor), selected.threads)
        }
    }

    /// Returns all who may be asked.
    fn players(&self) -> impl Iterator<Item = &Player> {
        let players = self.planner.iter().chain([&self.executor]);
        players.chain(&self.reviewer).flat_map(Player::chain)
    }

    /// Warns where a bound on money bounds nothing.
    fn warn_of_cost(&self, lent: &Lent, printer: &Printer) {
        let is_free = |player: &&Player| !lent.is_metered(player);
        let free: Vec<String> = self
            .players()
            .filter(is_free)
            .map(|player| player.agent.name())
            .collect();
        if self.agents.budget.bounds_cost() && !free.is_empty() {
            printer.warn(&format!(
                "`--run-cost` does not bound {}: no token of it is billed; `--run-tokens` does",
                free.join(" and ")
            ));
        }
    }

    /// Returns the command that carries a plan out as it would have been here.
    fn go_on(&self, file: &Path) -> String {
        let change = self.change;
        let mut words = vec![
            "twostep".to_owned(),
            "exec".to_owned(),
            quoted(file.as_os_str()),
        ];
        let mut option = |name: &str, value: &OsStr| words.extend([name.to_owned(), quoted(value)]);
        for check in &change.ground.checks {
            option("--check", check.as_ref());
        }
        if let Some(executor) = &change.executor {
            option("--executor", executor.to_string().as_ref());
        }
        if let Some(reviewer) = &change.reviewer {
            option("--reviewer", reviewer.to_string().as_ref());
        }
        if change.ground.check_rounds != USUAL_ROUNDS {
            option(
                "--check-rounds",
                change.ground.check_rounds.to_string().as_ref(),
            );
        }
        for folder in &change.ground.carried {
            option("--carry", folder.as_os_str());
        }
        for name in &self.agents.lent {
            option("--env", name);
        }
        for (name, value) in [
            ("--land", change.ground.land.to_possible_value()),
            ("--exec-by", change.exec_by.to_possible_value()),
            ("--context", change.context.to_possible_value()),
        ] {
            if let Some(value) =
                value.filter(|value| !["tree", "whole", "auto"].contains(&value.get_name()))
            {
                option(name, value.get_name().as_ref());
            }
        }
        let limits = [
            ("--idle-limit", self.agents.idle_limit, DEFAULT_IDLE),
            ("--time-limit", self.agents.time_limit, DEFAULT_TIME),
            ("--max-wait", self.agents.max_wait, DEFAULT_WAIT),
            ("--check-limit", change.ground.check_limit, CHECK_LIMIT),
        ];
        for (name, limit, usual) in limits {
            if limit != usual {
                option(name, format!("{}s", limit.as_secs()).as_ref());
            }
        }
        for (name, value) in self.agents.power.words() {
            option(name, value.as_ref());
        }
        for (name, value) in self.agents.budget.words() {
            option(name, value.as_ref());
        }
        words.extend(change.ground.tolerance.words().map(str::to_owned));
        if change.ground.no_check {
            words.push("--no-check".to_owned());
        }
        if change.ground.in_place {
            words.push("--in-place".to_owned());
        }
        words.push("--yes".to_owned());
        words.join(" ")
    }
}

impl ChangeArgs {
    /// Refuses what contradicts itself.
    fn check(&self) -> anyhow::Result<()> {
        if self.ground.land == LandArg::Patch && self.json {
            return Err(usage(
                "the patch and the outcome cannot go to stdout together",
                "use `--land none`: the outcome names the file of the patch",
            ));
        }
        Ok(())
    }

    /// Finds who reads the change, if anybody does.
    fn reviewer(
        &self,
        power: &PowerArgs,
        environment: &Environment,
    ) -> anyhow::Result<Option<Player>> {
        let chain = self.reviewer.as_ref();
        chain
            .map(|chain| power.player(Role::Reviewer, Some(chain), environment))
            .transpose()
    }
}

impl From<ExecByArg> for ExecBy {
    fn from(arg: ExecByArg) -> Self {
        match arg {
            ExecByArg::Step => Self::Step,
            ExecByArg::Group => Self::Group,
            ExecByArg::Whole => Self::Whole,
        }
    }
}

impl From<ContextArg> for Context {
    fn from(arg: ContextArg) -> Self {
        match arg {
            ContextArg::Auto => Self::Auto,
            ContextArg::Full => Self::Full,
            ContextArg::Plan => Self::Plan,
        }
    }
}
