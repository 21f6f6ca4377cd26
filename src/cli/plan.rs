//! `twostep plan`, and what specs and packs are read from.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::agents::{AgentArgs, Lent, parse_agents};
use super::asking::Asking;
use super::begin::{begin, end};
use super::environment::Environment;
use super::exit::{Exit, RunStopped, is_interrupted, resume, unwrapped, usage};
use super::printer::Printer;
use super::select::{SelectArgs, Selected};
use super::story;
use crate::agent::{Chain, Role};
use crate::flow::drift;
use crate::flow::host::{Event as Told, Host};
use crate::flow::pack::{self, PackRequest};
use crate::flow::plan::{self, Prompt, SPEC_FILE, Task};
use crate::flow::plan_exec::{self, Answer, Done, Question, RunError, title};
use crate::flow::plan_file;
use crate::flow::player::Player;
use crate::flow::references;
use crate::flow::revise;
use crate::flow::rounds::{self, USUAL_ROUNDS};
use crate::flow::route::Context;
use crate::fs::{self, FsError};
use crate::plan::Plan;
use crate::repo::{ReadOptions, Repository};
use crate::run::{self, Run};
use crate::tokens::Counter;

/// Plan a change with a model that reads the whole repository
///
/// The plan is written to AI-PLAN.md, or to stdout if that is a pipe or a file. `twostep references` says whether
/// all that it names is there; `twostep exec` carries it out.
#[derive(Args, Debug)]
pub(super) struct PlanArgs {
    /// What you want, in Markdown (`-`: stdin); with --revise, the plan to change (default: AI-PLAN.md)
    #[arg(value_name = "SPEC", required_unless_present = "note")]
    spec: Option<PathBuf>,

    /// Who plans: gemini, claude, codex, gemini-api, anthropic-api, openai-api or one of your `agents.toml`, with
    /// `:MODEL` if you like; or recorded:FOLDER; `A,B`: B where A cannot
    #[arg(long, value_name = "AGENT", value_parser = parse_agents)]
    planner: Option<Chain>,

    /// Give the planner this pack (can be repeated; default: a pack of the repository)
    #[arg(long = "pack", value_name = "FILE")]
    packs: Vec<PathBuf>,

    /// Change the plan as this note asks, in the conversation in which it was made
    #[arg(long = "revise", value_name = "NOTE", conflicts_with_all = ["packs", "paths", "stdin", "includes", "excludes", "all", "tier", "preset"])]
    note: Option<String>,

    /// Send a plan back to its planner this often, where it names what is not there
    #[arg(long, value_name = "N", default_value_t = USUAL_ROUNDS)]
    plan_rounds: usize,

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

pub(super) fn run(
    args: &PlanArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let wanted = args.wanted(environment)?;
    let selected = args.select.resolve(environment, printer)?;
    let root = selected.repository.root.path();
    if matches!(wanted, Wanted::Other { .. }) && run::is_foreign(&selected.repository) {
        return Err(usage(
            "git tracks `.twostep`, or it is a link: its runs came with the repository, and cannot be gone on with",
            "plan again with the spec",
        ));
    }
    let choice = args.choice(&wanted, root)?;
    let (power, catalogue) = (&args.agents.power, environment.catalogue()?);
    let planner = power.player(Role::Planner, choice.as_ref(), environment)?;
    let usual = power.of(Role::Executor, &catalogue)?;
    let executor = Player::usual(Role::Executor, usual.as_ref(), &catalogue)?;
    let target = args.target(&wanted, environment, printer);
    if let Some(file) = target
        .as_ref()
        .filter(|_| args.is_guarded(&wanted, environment))
    {
        plan_file::may_write(root, file).map_err(unwrapped)?;
    }
    let lent = args.agents.lend(environment)?;
    args.agents.require_keys(planner.chain(), &lent)?;
    let asking = Asking {
        printer,
        agents: &args.agents,
        lent: &lent,
        environment,
        has_planner: true,
        executor: None,
        checks: &[],
    };
    let packs = read_packs(&args.packs, environment)?;
    let told = ("plan", title(wanted.words()));
    let (run, _place) = begin(&selected.repository, told, &lent, None, environment)?;
    let planning = Planning {
        repository: &selected.repository,
        planner: &planner,
        executor: &executor,
        asking: &asking,
        packs: &packs,
        target: target.as_deref(),
        rounds: args.plan_rounds,
        threads: selected.threads,
    };
    let families = planner
        .chain()
        .chain([&executor])
        .filter_map(Player::family);
    let counter = Counter::new(families.collect());
    let request = args.request(&selected, target.as_deref(), &counter, &lent);
    let mut plan = None;
    let done = lent.host(printer, |host| {
        let made = match &wanted {
            Wanted::New(spec) => planning.plan(request, spec, &run, host),
            Wanted::Other { id, note } => {
                let old = environment.at(args.old());
                planning.revise(&counter, id, note, &old, &run, host)
            }
        };
        plan_exec::clear(&run, host);
        made.and_then(|made| {
            plan = made;
            planning.keep(plan.as_ref(), &run)
        })
    });
    let done = end(&run, done, &lent);
    if let Ok(Done::Waiting(role, prompt)) = &done {
        super::exec::tell_waiting(*role, prompt, &resume(&run, None), printer);
        return Ok(Exit::Success);
    }
    if let Err(error) = done {
        if let Some(signal) = lent.signal().filter(|_| is_interrupted(&error)) {
            printer.note(&format!(
                "interrupted; no plan was written; `twostep runs resume {}` goes on",
                run.id
            ));
            return Ok(Exit::of_signal(signal));
        }
        return Err(error.context(RunStopped::of(&run, None)));
    }
    tell_plan(plan.as_ref(), target, &run, environment, printer)?;
    let usual = match &plan {
        Some(plan) => tell_references(plan, &selected, printer),
        None => Exit::Success,
    };
    Ok(lent.signal().map_or(usual, Exit::of_signal))
}

/// Tells where the plan is, or writes it to stdout.
fn tell_plan(
    plan: Option<&Plan>,
    target: Option<PathBuf>,
    run: &Run,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<()> {
    match (plan, target) {
        (None, _) => printer.note("stopped before any agent was asked"),
        (Some(plan), None) => printer.data(plan_file::text(plan, &run.id).as_bytes())?,
        (Some(_), Some(file)) => {
            let typed = file.strip_prefix(&environment.directory).unwrap_or(&file);
            printer.note(&format!("the plan is in `{}`", typed.display()));
        }
    }
    Ok(())
}

/// Tells what a plan names, and warns of what is not clear.
fn tell_references(plan: &Plan, selected: &Selected, printer: &Printer) -> Exit {
    let candidates = pack::all_candidates(&selected.repository, selected.threads);
    let references = references::resolve(&plan.text, plan, &selected.repository, &candidates);
    story::tell(printer, None, &Told::Resolved(&references));
    match references::all_clear(&references) {
        Ok(()) => Exit::Success,
        Err(error) => {
            printer.warn(&error.to_string());
            Exit::Negative
        }
    }
}

/// What is wanted of the planner.
enum Wanted {
    /// A plan for this spec.
    New(String),
    /// The plan of a run, changed as the note asks.
    Other { id: String, note: String },
}

impl Wanted {
    fn words(&self) -> &str {
        match self {
            Self::New(spec) => spec,
            Self::Other { note, .. } => note,
        }
    }
}

/// What makes a plan.
struct Planning<'a> {
    repository: &'a Repository,
    planner: &'a Player,
    /// Who would carry the plan out, unless another is named: for the route.
    executor: &'a Player,
    asking: &'a Asking<'a>,
    packs: &'a [String],
    target: Option<&'a Path>,
    /// How often a plan goes back to its planner.
    rounds: usize,
    threads: NonZeroUsize,
}

impl Planning<'_> {
    /// Makes a plan; none if the user does not want to pay for it.
    fn plan(
        &self,
        request: PackRequest,
        spec: &str,
        run: &Run,
        host: &Host<'_>,
    ) -> Result<Option<Plan>, RunError> {
        let task = Task {
            repository: self.repository,
            request,
            spec,
            packs: self.packs,
        };
        let players = (self.planner, self.executor);
        let (prompt, _) = plan::prepare(&task, players, Context::Auto, run, host)?;
        if !self.may_ask(&prompt)? {
            run.keep("planner-prompt.md", prompt.text.as_bytes())?;
            return Ok(None);
        }
        let candidates = pack::all_candidates(self.repository, self.threads);
        let planning = rounds::Planning {
            planner: self.planner,
            task: &task,
            prompt: &prompt,
            candidates: &candidates,
            most: self.rounds,
        };
        Ok(Some(rounds::plan(&planning, run, host)?))
    }

    /// Changes the plan of the run `id`; none if the user does not want to pay for it.
    fn revise(
        &self,
        counter: &Counter,
        id: &str,
        note: &str,
        old: &Path,
        run: &Run,
        host: &Host<'_>,
    ) -> Result<Option<Plan>, RunError> {
        let old = plan_file::read(old)?.text;
        let kept = run::artefact(run.root(), id, plan_file::NAME).unwrap_or_default();
        let edited = (kept != old.as_bytes()).then_some(old.as_str());
        if let Some(edited) = edited {
            run.keep("edited-plan.md", edited.as_bytes())?;
        }
        // What is sent again is all that was said before, too.
        let before = run::artefact(run.root(), id, FIRST_PROMPT).unwrap_or_default();
        let all = format!("{}\n{note}", String::from_utf8_lossy(&before));
        let prompt = plan::given(all, counter, self.planner, Role::Planner)?;
        if !self.may_ask(&prompt)? {
            return Ok(None);
        }
        revise::revise(id, self.planner, note, edited, run, host).map(Some)
    }

    fn may_ask(&self, prompt: &Prompt) -> Result<bool, RunError> {
        let question = Question::Spend(Role::Planner, self.planner, prompt);
        Ok(self.asking.answer(&question)? != Answer::Stop)
    }

    /// Writes a plan to its file, or keeps it in the run only.
    fn keep(&self, plan: Option<&Plan>, run: &Run) -> Result<Done, RunError> {
        let Some(plan) = plan else {
            return Ok(Done::NotAsked);
        };
        match self.target {
            Some(file) => plan_file::write(file, plan, run)?,
            None => drop(run.keep(plan_file::NAME, plan.text.as_bytes())?),
        }
        let candidates = pack::all_candidates(self.repository, self.threads);
        let references = references::resolve(&plan.text, plan, self.repository, &candidates);
        drift::keep(run, self.repository, &references)?;
        let kept = run.folder.join(plan_file::NAME);
        Ok(Done::Planned(self.target.map_or(kept, Path::to_owned)))
    }
}

/// The first prompt of a run, in its folder.
const FIRST_PROMPT: &str = "calls/01-planner/prompt.md";

impl PlanArgs {
    fn wanted(&self, environment: &Environment) -> anyhow::Result<Wanted> {
        let Some(note) = &self.note else {
            let spec = self.spec.as_deref().unwrap_or(Path::new("-"));
            return read_spec(spec, environment).map(Wanted::New);
        };
        let file = environment.at(self.old());
        let id = plan_file::run_of(&file)?.ok_or_else(|| {
            usage(
                format!("`{}` is no plan of a run", file.display()),
                "name a plan that twostep wrote, or plan again with the spec",
            )
        })?;
        let note = note.clone();
        Ok(Wanted::Other { id, note })
    }

    /// Who plans; a plan that is to be changed is changed by who made it, unless another is named.
    fn choice(&self, wanted: &Wanted, root: &Path) -> Result<Option<Chain>, RunError> {
        let Wanted::Other { id, .. } = wanted else {
            return Ok(self.planner.clone());
        };
        let made = revise::planner_of(root, id);
        let made = made.ok_or_else(|| RunError::NoSession(id.clone()))?;
        Ok(Some(self.planner.clone().unwrap_or(Chain(vec![made]))))
    }

    /// Says whether a plan that was edited stays. One that is to be changed is sent along as it is, so that nothing of the
    /// user's is lost.
    fn is_guarded(&self, wanted: &Wanted, environment: &Environment) -> bool {
        matches!(wanted, Wanted::New(_))
            && !self.force
            && !self.agents.dry_run
            && !environment.is_resuming()
    }

    /// Returns how the repository is packed.
    fn request(
        &self,
        selected: &Selected,
        target: Option<&Path>,
        counter: &Counter,
        lent: &Lent,
    ) -> PackRequest {
        PackRequest {
            named: selected.named.clone(),
            globs: selected.globs.clone(),
            outputs: target.iter().map(|file| file.to_path_buf()).collect(),
            read: ReadOptions {
                everything: self.select.all,
                hashed: false,
            },
            ..PackRequest::everything(
                counter.clone(),
                Arc::clone(&lent.redactor),
                selected.threads,
            )
        }
    }

    /// The plan that is to be changed.
    fn old(&self) -> &Path {
        self.spec.as_deref().unwrap_or(Path::new(plan_file::NAME))
    }

    /// The file that the plan goes to; stdout if none.
    fn target(
        &self,
        wanted: &Wanted,
        environment: &Environment,
        printer: &Printer,
    ) -> Option<PathBuf> {
        let file = match wanted {
            Wanted::New(_) => Path::new(plan_file::NAME),
            Wanted::Other { .. } => self.old(),
        };
        match &self.output {
            Some(file) if file == Path::new("-") => None,
            Some(file) => Some(environment.at(file)),
            None if printer.stdout_is_kept() => None,
            None => Some(environment.at(file)),
        }
    }
}

/// Reads a spec from a file, or from stdin.
pub(super) fn read_spec(path: &Path, environment: &Environment) -> anyhow::Result<String> {
    let resumed = environment.resumed();
    if let Some(first) = &environment.replayed {
        return Ok(fs::read_text(&first.join(SPEC_FILE), MAX_SPEC_BYTES)?);
    }
    let (name, text) = if path != Path::new("-") {
        (
            format!("`{}`", path.display()),
            fs::read_text(&environment.at(path), MAX_SPEC_BYTES)?,
        )
    } else if let Some(run) = resumed.as_deref() {
        // What came through stdin is gone but for what the run has of it.
        (
            "the run".to_owned(),
            String::from_utf8_lossy(&run.kept(SPEC_FILE)?).into_owned(),
        )
    } else {
        (
            "stdin".to_owned(),
            super::printer::read_stdin(MAX_SPEC_BYTES)?,
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
