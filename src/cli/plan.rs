//! `twostep plan`, and what a user is asked on the way to a change.

use std::path::{Path, PathBuf};

use clap::Args;

use super::agents::{AgentArgs, parse_agent, player};
use super::environment::{Environment, now_ms};
use super::exit::{Exit, unwrapped, usage};
use super::number::grouped;
use super::printer::Printer;
use super::select::SelectArgs;
use super::story;
use crate::agent::{Agent, Choice, Role};
use crate::flow::host::{Event as Told, Host};
use crate::flow::pack::{HELD_BYTES, PackRequest};
use crate::flow::plan::{self, Prompt};
use crate::flow::plan_exec::{self, Answer, Done, PLAN_FILE, Question, RunError, title};
use crate::flow::player::Player;
use crate::flow::route::Context;
use crate::fs::{self, FsError};
use crate::repo::{ReadOptions, Repository};
use crate::run::{Event, Run};
use crate::tokens::Counter;

/// Plan a change with a model that reads the whole repository
///
/// The plan is written to AI-PLAN.md, or to stdout if that is a pipe. `twostep references` says whether
/// all that it names is there; `twostep exec` carries it out.
#[derive(Args, Debug)]
pub(super) struct PlanArgs {
    /// What you want, in Markdown (`-`: stdin); with --revise, the plan to change (default: AI-PLAN.md)
    #[arg(value_name = "SPEC", required_unless_present = "note")]
    spec: Option<PathBuf>,

    /// Who plans: gemini, claude or codex, with `:MODEL` if you like; or recorded:FOLDER
    #[arg(long, value_name = "AGENT", value_parser = parse_agent)]
    planner: Option<Choice>,

    /// Give the planner this pack (can be repeated; default: a pack of the repository)
    #[arg(long = "pack", value_name = "FILE")]
    packs: Vec<PathBuf>,

    /// Change the plan as this note asks, in the conversation in which it was made
    #[arg(long = "revise", value_name = "NOTE")]
    note: Option<String>,

    /// Write the plan to this file (`-`: stdout)
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Replace a plan that was edited
    #[arg(short, long)]
    force: bool,

    #[command(flatten)]
    agents: AgentArgs,

    #[command(flatten)]
    select: SelectArgs,
}

/// A spec is text that somebody wrote.
const MAX_SPEC_BYTES: u64 = 16 << 20;

/// A pack that is given is held in memory.
const MAX_PACK_BYTES: u64 = 256 << 20;

/// Above this a terminal's user is asked before the first call, in dollars.
const MANY_DOLLARS: f64 = 1.0;

/// The same in tokens.
const MANY_TOKENS: u64 = 200_000;

pub(super) fn run(
    args: &PlanArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    if args.agents.json {
        return Err(usage(
            "`plan` has no outcome but the plan",
            "leave `--json` out; `twostep references --json` tells what the plan names",
        ));
    }
    let planner = player(Role::Planner, args.planner.as_ref(), environment)?;
    let lent = args.agents.lend(environment)?;
    let target = args.target(environment, printer);
    let selected = args.select.resolve(environment, printer)?;
    let root = selected.repository.root.path();
    if let (Some(file), false, false) = (&target, args.force, args.agents.dry_run) {
        plan_exec::may_write_plan(root, file).map_err(unwrapped)?;
    }
    let job = Planning {
        args,
        repository: &selected.repository,
        planner: &planner,
        asking: Asking::new(printer, &args.agents, None, &[]),
        environment,
    };
    let (spec, old) = match (&args.note, &args.spec) {
        (None, Some(spec)) => (read_spec(spec, environment)?, None),
        (note, spec) => {
            let file = environment.at(spec.as_deref().unwrap_or(Path::new(PLAN_FILE)));
            let id = plan_exec::run_of(&file)?.ok_or_else(|| {
                usage(
                    format!("`{}` is no plan of a run", file.display()),
                    "name a plan that twostep wrote, or plan again with the spec",
                )
            })?;
            (note.clone().unwrap_or_default(), Some(id))
        }
    };
    let request = PackRequest {
        named: selected.named,
        globs: selected.globs,
        outputs: target.iter().cloned().collect(),
        read: ReadOptions {
            everything: args.select.all,
            hashed: false,
        },
        instruction: None,
        room: None,
        counter: Counter::new(planner.family().into_iter().collect()),
        threads: selected.threads,
        max_held_bytes: HELD_BYTES,
    };
    let mut run = Run::begin(root, environment.run_id(), now_ms)?;
    run.record(Event::Started {
        verb: "plan".to_owned(),
        title: title(&spec).to_owned(),
    })?;
    let done = lent.host(printer, |host| match &old {
        Some(id) => plan_exec::revise(root, id, &planner, &spec, &mut run, host).map(Some),
        None => job.plan(request, &spec, &mut run, host),
    });
    let file = target.clone().unwrap_or_default();
    let written = done.and_then(|plan| match (&plan, &target) {
        (None, _) => Ok(plan),
        (Some(new), Some(file)) => plan_exec::write_plan(root, file, new, &mut run).map(|()| plan),
        (Some(new), None) => run
            .keep(PLAN_FILE, new.text.as_bytes())
            .map(|_| plan)
            .map_err(RunError::from),
    });
    let mut plan = None;
    let ended = written.map(|made| match made {
        Some(made) => {
            plan = Some(made);
            Done::Planned(file.clone())
        }
        None => Done::NotAsked,
    });
    if let Err(error) = plan_exec::conclude(&mut run, ended) {
        if let Some(signal) = lent.signal() {
            printer.note("interrupted; no plan was written");
            return Ok(Exit::of_signal(signal));
        }
        return Err(unwrapped(error).context("cannot plan"));
    }
    match (plan, target) {
        (None, _) => printer.note("stopped before any agent was asked"),
        (Some(plan), None) => printer.data(plan_exec::plan_file(&plan, &run.id).as_bytes())?,
        (Some(_), Some(file)) => {
            let typed = file.strip_prefix(&environment.directory).unwrap_or(&file);
            printer.note(&format!("the plan is in `{}`", typed.display()));
        }
    }
    Ok(Exit::Success)
}

/// What makes a plan.
struct Planning<'a> {
    args: &'a PlanArgs,
    repository: &'a Repository,
    planner: &'a Player,
    asking: Asking<'a>,
    environment: &'a Environment,
}

impl Planning<'_> {
    /// Makes a plan; none if the user does not want to pay for it.
    fn plan(
        &self,
        request: PackRequest,
        spec: &str,
        run: &mut Run,
        host: &Host<'_>,
    ) -> Result<Option<crate::plan::Plan>, RunError> {
        let packs = read_packs(&self.args.packs, self.environment)?;
        // Nobody executes here: the planner stands in, and the route is that of its own window.
        let players = (self.planner, self.planner);
        let (prompt, _) = plan::prepare(
            self.repository,
            request,
            spec,
            &packs,
            players,
            Context::Plan,
        )?;
        run.keep("spec.md", spec.as_bytes())?;
        if let Some(pack) = &prompt.pack {
            run.keep("planner-pack.xml", pack.as_bytes())?;
        }
        (host.tell)(&Told::Prompted(Role::Planner, &prompt));
        let question = Question::Spend(Role::Planner, self.planner, &prompt);
        if self.asking.answer(&question, self.environment)? == Answer::Stop {
            run.keep("planner-prompt.md", prompt.text.as_bytes())?;
            return Ok(None);
        }
        Ok(Some(plan::ask(
            run,
            self.planner,
            &prompt.text,
            None,
            host,
        )?))
    }
}

impl PlanArgs {
    /// The file that the plan goes to; stdout if none.
    fn target(&self, environment: &Environment, printer: &Printer) -> Option<PathBuf> {
        match &self.output {
            Some(file) if file == Path::new("-") => None,
            Some(file) => Some(environment.at(file)),
            None if printer.stdout_is_pipe() => None,
            None => Some(environment.at(Path::new(PLAN_FILE))),
        }
    }
}

/// Reads a spec from a file, or from stdin.
pub(super) fn read_spec(path: &Path, environment: &Environment) -> anyhow::Result<String> {
    let (name, text) = if path == Path::new("-") {
        (
            "stdin".to_owned(),
            super::printer::read_stdin(MAX_SPEC_BYTES)?,
        )
    } else {
        (
            format!("`{}`", path.display()),
            fs::read_text(&environment.at(path), MAX_SPEC_BYTES)?,
        )
    };
    if text.contains('\0') {
        return Err(usage(
            format!("the spec in {name} is no text: it holds a NUL byte"),
            "give it a Markdown file that says what you want",
        ));
    }
    if text.trim().is_empty() {
        return Err(usage(
            format!("the spec in {name} is empty"),
            "say what you want in it, in Markdown",
        ));
    }
    Ok(text)
}

/// Reads packs that are given to an agent.
pub(super) fn read_packs(
    paths: &[PathBuf],
    environment: &Environment,
) -> Result<Vec<String>, FsError> {
    let read = |path: &PathBuf| fs::read_text(&environment.at(path), MAX_PACK_BYTES);
    paths.iter().map(read).collect()
}

/// What a user is asked, and what stands for the answer where nobody can be.
pub(super) struct Asking<'a> {
    printer: &'a Printer,
    agents: &'a AgentArgs,
    /// Who carries the plan out, with the checks that it may run.
    executor: Option<&'a Player>,
    checks: &'a [String],
}

impl<'a> Asking<'a> {
    pub(super) fn new(
        printer: &'a Printer,
        agents: &'a AgentArgs,
        executor: Option<&'a Player>,
        checks: &'a [String],
    ) -> Self {
        Self {
            printer,
            agents,
            executor,
            checks,
        }
    }

    /// Answers a question of a run.
    pub(super) fn answer(
        &self,
        question: &Question<'_>,
        environment: &Environment,
    ) -> Result<Answer, FsError> {
        let printer = self.printer;
        match question {
            Question::Spend(role, player, prompt) => {
                story::tell_cost(printer, *role, player, prompt);
                if self.agents.dry_run {
                    self.tell_command(*role, player);
                    if let Some(executor) = self.executor {
                        self.tell_command(Role::Executor, executor);
                    }
                    return Ok(Answer::Stop);
                }
                let is_much = is_much(*role, player, prompt);
                if self.agents.yes
                    || !is_much
                    || !printer.can_ask()
                    || matches!(player.agent, Agent::Recorded(_))
                {
                    return Ok(Answer::Go);
                }
                let question = format!(
                    "send {} tokens to {}? [y/N] ",
                    grouped(prompt.tokens),
                    player.agent.name()
                );
                let yes = printer
                    .ask(&question)
                    .is_some_and(|answer| answer.eq_ignore_ascii_case("y"));
                Ok(if yes { Answer::Go } else { Answer::Stop })
            }
            Question::Execute(file, player, prompt) => {
                story::tell_cost(printer, Role::Executor, player, prompt);
                if self.agents.dry_run {
                    self.tell_command(Role::Executor, player);
                    return Ok(Answer::Stop);
                }
                if self.agents.yes {
                    return Ok(Answer::Go);
                }
                if !printer.can_ask() {
                    return Ok(Answer::Stop);
                }
                self.decide(file, environment)
            }
        }
    }

    /// Asks what is to become of a plan.
    fn decide(&self, file: &Path, environment: &Environment) -> Result<Answer, FsError> {
        let typed = file.strip_prefix(&environment.directory).unwrap_or(file);
        loop {
            let question = format!(
                "carry out `{}`? [e]xecute, [r]evise, e[d]it, [q]uit: ",
                typed.display()
            );
            let Some(answer) = self.printer.ask(&question) else {
                return Ok(Answer::Stop);
            };
            match answer.to_lowercase().as_str() {
                "e" | "execute" => return Ok(Answer::Go),
                "q" | "quit" => return Ok(Answer::Stop),
                "r" | "revise" => match self.printer.ask("what is to change? ") {
                    Some(note) if !note.is_empty() => return Ok(Answer::Revise(note)),
                    _ => {}
                },
                "d" | "edit" => {
                    let shown = format!("edit `{}` now, then press Enter ", typed.display());
                    if self.printer.ask(&shown).is_some() {
                        return Ok(Answer::Reread);
                    }
                }
                _ => self.printer.note("answer e, r, d or q"),
            }
        }
    }

    fn tell_command(&self, role: Role, player: &Player) {
        if let Agent::Program(program) = &player.agent {
            let command = program.example(role, self.checks);
            self.printer.note(&format!("{:<10}{command}", role.name()));
        }
    }
}

/// Says whether a prompt is so large that the user is asked first.
fn is_much(role: Role, player: &Player, prompt: &Prompt) -> bool {
    let dollars = story::costs(role, player, prompt).map_or(0.0, |(least, _)| least);
    prompt.tokens > MANY_TOKENS || dollars > MANY_DOLLARS
}
