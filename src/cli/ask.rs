//! `twostep ask`

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::agents::{AgentArgs, Lent, parse_agents};
use super::asking::Asking;
use super::begin::begin;
use super::environment::{Environment, threads};
use super::exec::tell_waiting;
use super::exit::{Exit, RunStopped, class_of, hint_in, is_interrupted, resume, unwrapped, usage};
use super::mentions::{Mentioned, mentioned};
use super::plan::read_packs;
use super::printer::Printer;
use crate::agent::{Chain, Role, Usage, quoted};
use crate::flow::ask::{self, Answer, AskError, Done, PROMPT_FILE, Question, Session};
use crate::flow::conventions::Conventions;
use crate::flow::host::{Event, Host};
use crate::flow::pack::PackRequest;
use crate::flow::plan_exec::{self, RunError, title};
use crate::flow::player::Player;
use crate::fs::{self, FsError, Output};
use crate::repo::{self, Repository};
use crate::run::{self, Outcome, Run};
use crate::schema::Schema;
use crate::tokens::Counter;

/// Ask an agent one thing, and print its answer
///
/// The prompt is PROMPT, and after it what comes through stdin, if that is no terminal. `@PATH` and `@GLOB` in PROMPT
/// name files from the current folder (`@README.md`, `@src/`, `@src/**/*.rs`, `@"a b.txt"`): the agent gets them as a pack,
/// as much of folders and globs as fits it, without secrets. It may do nothing but answer. The run is kept in the
/// repository, or in the cache where there is none.
#[derive(Args, Debug)]
pub(super) struct AskArgs {
    /// Who is asked: gemini, claude, codex, gemini-api, anthropic-api, openai-api or one of your `agents.toml`, with
    /// `:MODEL` if you like; caller: you; or recorded:FOLDER; `A,B`: B where A cannot
    #[arg(value_name = "AGENT", value_parser = parse_agents)]
    agent: Chain,

    /// What you ask (`-`: only what comes through stdin)
    #[arg(value_name = "PROMPT")]
    prompt: Option<String>,

    /// Give the agent this pack, too (can be repeated)
    #[arg(long = "pack", value_name = "FILE")]
    packs: Vec<PathBuf>,

    /// Ask for JSON that is as this JSON Schema says, and print nothing else
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,

    /// Go on with the conversation of an earlier `ask` (see `twostep runs`)
    #[arg(long, value_name = "RUN")]
    session: Option<String>,

    /// Write the answer to this file (`-`: stdout)
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Print the answer, who gave it and what it took to stdout, as one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    agents: AgentArgs,
}

/// A prompt is text that somebody wrote, or some program.
const MAX_PROMPT_BYTES: u64 = 64 << 20;

/// A schema is small.
const MAX_SCHEMA_BYTES: u64 = 1 << 20;

/// Where the runs are that have no repository, in the cache.
const HOMELESS: &str = "asked";

/// The file of a run that holds the whole prompt, where nobody was asked.
const UNASKED_FILE: &str = "asked-prompt.md";

/// What is known when it ends, however it does.
#[derive(Default)]
struct Seen {
    run: Option<String>,
    signal: Option<i32>,
}

/// What is told of an answer.
#[derive(Serialize)]
struct Report<'a> {
    /// The version of the format: 1.
    version: u32,
    run: &'a str,
    agent: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a Value>,
    usage: Usage,
    took_ms: u64,
    session: Option<&'a str>,
}

/// What is told where there is none.
#[derive(Serialize)]
struct NoAnswer<'a> {
    /// The version of the format: 1.
    version: u32,
    run: Option<&'a str>,
    /// What went wrong, if anything did.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The file with what is asked, where somebody is yet to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<&'a Path>,
    class: String,
}

pub(super) fn run(
    args: &AskArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let mut seen = Seen::default();
    let error = match ask(args, environment, printer, &mut seen) {
        Ok(()) => return Ok(Exit::Success),
        Err(error) => error,
    };
    if args.json {
        printer.json(&NoAnswer {
            version: 1,
            run: seen.run.as_deref(),
            error: Some(format!("{error:#}")),
            prompt: None,
            class: class_of(&error),
        })?;
    }
    match seen.signal.filter(|_| is_interrupted(&error)) {
        Some(signal) => {
            printer.note(&match error.downcast_ref() {
                Some(RunStopped { resume, .. }) => {
                    format!("interrupted; there is no answer; `{resume}` goes on")
                }
                None => "interrupted; there is no answer".to_owned(),
            });
            Ok(Exit::of_signal(signal))
        }
        None => Err(error),
    }
}

fn ask(
    args: &AskArgs,
    environment: &Environment,
    printer: &Printer,
    seen: &mut Seen,
) -> anyhow::Result<()> {
    let words = args.words(environment, printer)?;
    let schema = args.schema(environment)?;
    let packs = read_packs(&args.packs, environment)?;
    let power = &args.agents.power;
    let player = power.player(Role::Asked, Some(&args.agent), environment)?;
    let home = home(environment, printer)?;
    let session = args.session(&home, &player)?;
    let player = session.as_ref().map_or(&player, |&(_, player)| player);
    let named = args.mentioned(environment, printer)?;
    let lent = args.agents.lend(environment)?;
    args.agents.require_keys(player.chain(), &lent)?;
    let target = args.output.as_ref().filter(|file| *file != Path::new("-"));
    let target = target.map(|file| environment.at(file));
    // A file that cannot be written is found before anything is paid for.
    let output = target.as_deref().map(Output::create).transpose()?;
    let counter = Counter::new(player.chain().filter_map(Player::family).collect());
    let request = |named| pack_request(named, target.as_deref(), &counter, &lent);
    let question = Question {
        words: &words,
        files: named.as_ref().map(|it| (&it.repository, request(it))),
        conventions: Conventions::default(),
        packs: &packs,
        schema: schema.as_ref(),
        session: session.as_ref().map(|(session, _)| session),
        counter: counter.clone(),
        step: None,
        check: &|_, _| Ok(()),
    };
    let asking = Asking {
        printer,
        agents: &args.agents,
        lent: &lent,
        environment,
        has_planner: false,
        executor: None,
        checks: &[],
    };
    let (run, _place) = begin(&home, ("ask", title(&words)), &lent, None, environment)?;
    seen.run = Some(run.id.clone());
    // Outside of a repository the run is kept in the cache.
    let place = home.root.path();
    let place = place.ends_with(HOMELESS).then_some(place);
    let done = lent.host(printer, |host| {
        let done = answer(&question, player, &asking, &run, host);
        ask::keep(&run, done, host)
    });
    seen.signal = lent.signal();
    match end(&run, done, seen.signal) {
        Ok(Done::Answered(answer)) => args.give(&answer, output, &run, printer),
        Ok(Done::NotAsked) => {
            let prompt = run.folder.join(UNASKED_FILE);
            printer.note(&format!(
                "stopped before any agent was asked; the prompt is in `{}`",
                prompt.display()
            ));
            args.tell_none("not_asked", &prompt, &run, printer)
        }
        Ok(Done::Waiting(prompt)) => {
            tell_waiting(Role::Asked, &prompt, &resume(&run, place), printer);
            args.tell_none("waiting", &prompt, &run, printer)
        }
        Err(error) => Err(error.context(RunStopped::of(&run, place))),
    }
}

/// Records what a run came to, and returns that.
fn end(run: &Run, done: Result<Done, AskError>, signal: Option<i32>) -> anyhow::Result<Done> {
    let done = done.map_err(plain);
    let (outcome, exit) = match &done {
        Ok(done) => (done.outcome(), Exit::Success),
        Err(error) => {
            let signal = signal.filter(|_| is_interrupted(error));
            let exit = signal.map_or_else(|| Exit::of(error), Exit::of_signal);
            (Outcome::Stopped(format!("{error:#}")), exit)
        }
    };
    let place = run.root();
    let place = place.ends_with(HOMELESS).then_some(place);
    let advice = done
        .as_ref()
        .err()
        .and_then(|error| hint_in(error, &resume(run, place)));
    let recorded = run.end(outcome, exit as u8, advice.as_deref());
    let done = done?;
    recorded.context("it came to its end, and that cannot be recorded")?;
    Ok(done)
}

/// Makes the prompt, and asks; nobody, if the user does not want to pay for it.
fn answer(
    question: &Question<'_>,
    player: &Player,
    asking: &Asking<'_>,
    run: &Run,
    host: &Host<'_>,
) -> Result<Done, AskError> {
    let words = host.redactor.redacted(question.words);
    run.keep(PROMPT_FILE, words.as_bytes())?;
    let prompt = ask::prepare(question, player, host)?;
    if let Some(pack) = &prompt.pack {
        run.keep("pack.xml", pack.as_bytes())?;
    }
    (host.tell)(&Event::Prompted(Role::Asked, &prompt));
    let spend = plan_exec::Question::Spend(Role::Asked, player, &prompt);
    if asking.answer(&spend)? == plan_exec::Answer::Stop {
        run.keep(UNASKED_FILE, prompt.text.as_bytes())?;
        return Ok(Done::NotAsked);
    }
    ask::ask(question, &prompt, player, run, host).map(Done::Answered)
}

fn pack_request(
    named: &Mentioned,
    target: Option<&Path>,
    counter: &Counter,
    lent: &Lent,
) -> PackRequest {
    PackRequest {
        named: named.named.clone(),
        globs: named.globs.clone(),
        outputs: target.iter().map(|file| file.to_path_buf()).collect(),
        ..PackRequest::everything(counter.clone(), Arc::clone(&lent.redactor), threads(None))
    }
}

/// Returns where the run is kept: in the repository that we are in, or else in a folder of its own in the cache.
fn home(environment: &Environment, printer: &Printer) -> anyhow::Result<Repository> {
    let (repository, _, problem) = repo::open(&environment.directory, &[])?;
    if let Some(problem) = problem {
        printer.warn(&format!("{problem}; going on without git"));
    }
    if repository.git.is_some() || fs::has_entry(repository.root.path(), ".twostep") {
        return Ok(repository);
    }
    let folder = environment.cache()?.join(HOMELESS);
    fs::make_private_folders(&folder)?;
    Ok(repo::open(&folder, &[])?.0)
}

/// Returns an error as the one below that it passes on, so that what is known of that is found.
fn plain(error: AskError) -> anyhow::Error {
    match error {
        AskError::Call(error) => unwrapped(RunError::Planning(error)),
        AskError::Fs(error) => error.into(),
        other => other.into(),
    }
}

impl AskArgs {
    /// Returns what is asked: the argument, an empty line, and what comes through stdin.
    fn words(&self, environment: &Environment, printer: &Printer) -> anyhow::Result<String> {
        if let Some(run) = environment.resumed().as_deref() {
            // What came through stdin is gone but for what the run has of it.
            let kept = run.kept(PROMPT_FILE).map_err(|_| {
                usage(
                    format!("the run {} was ended before it kept its prompt", run.id),
                    "ask anew",
                )
            })?;
            return Ok(String::from_utf8_lossy(&kept).into_owned());
        }
        let piped = printer.piped_stdin(MAX_PROMPT_BYTES)?;
        let parts = [self.given().unwrap_or_default(), piped.trim()];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let words = parts.join("\n\n");
        if words.is_empty() {
            return Err(usage(
                "there is nothing to ask: no PROMPT, and nothing came through stdin",
                "write it behind the agent, as in `twostep ask gemini 'What is this?'`, or send it through stdin",
            ));
        }
        if words.contains('\0') {
            return Err(usage(
                "the prompt is no text: it holds a NUL byte",
                "send text; files are named by `@PATH`",
            ));
        }
        Ok(words)
    }

    /// Returns the prompt of the command line.
    fn given(&self) -> Option<&str> {
        let given = self.prompt.as_deref().map(str::trim);
        given.filter(|text| *text != "-")
    }

    /// Returns the files that the command line names; what comes through stdin names none.
    fn mentioned(
        &self,
        environment: &Environment,
        printer: &Printer,
    ) -> anyhow::Result<Option<Mentioned>> {
        let text = self.given().unwrap_or_default();
        mentioned(text, environment, threads(None), printer)
            .context("cannot pack what the prompt names")
    }

    fn schema(&self, environment: &Environment) -> anyhow::Result<Option<Schema>> {
        let Some(path) = &self.schema else {
            return Ok(None);
        };
        let text = fs::read_text(&environment.at(path), MAX_SCHEMA_BYTES)?;
        let schema = Schema::parse(&text).map_err(|error| {
            let error = anyhow::Error::from(error);
            usage(
                format!("cannot use the schema in `{}`: {error:#}", path.display()),
                "give `--schema` a JSON Schema that needs no other file",
            )
        })?;
        Ok(Some(schema))
    }

    /// Returns the conversation that goes on, and with whom.
    fn session<'a>(
        &self,
        home: &Repository,
        player: &'a Player,
    ) -> anyhow::Result<Option<(Session, &'a Player)>> {
        let Some(id) = &self.session else {
            return Ok(None);
        };
        if run::is_foreign(home) {
            return Err(usage(
                "git tracks `.twostep`, or it is a link: its runs came with the repository, and cannot be gone on with",
                "ask anew, with all that the agent must know in the prompt",
            ));
        }
        let root = home.root.path();
        let all = run::all(root)?;
        let id = &super::runs::find(&all, Some(id))?.id;
        Ok(Some(ask::session(root, id, player)?))
    }

    /// Gives the answer to who wants it.
    fn give(
        &self,
        answer: &Answer,
        output: Option<Output>,
        run: &Run,
        printer: &Printer,
    ) -> anyhow::Result<()> {
        let mut text = match &answer.value {
            Some(value) if output.is_none() && printer.stdout_is_terminal() => {
                serde_json::to_string_pretty(value)?
            }
            Some(value) => value.to_string(),
            None => answer.text.trim_end().to_owned(),
        };
        text.push('\n');
        match output {
            Some(mut output) => {
                let file = self.output.as_deref().unwrap_or(Path::new("-"));
                let written = output.write_all(text.as_bytes());
                written.map_err(FsError::of("write", file))?;
                output.commit()?;
            }
            None if self.json => {}
            None => printer.data(text.as_bytes())?,
        }
        if self.json {
            let summary = run::summary(run.root(), &run.id)?;
            printer.json(&Report {
                version: 1,
                run: &run.id,
                agent: &answer.agent,
                answer: answer.value.is_none().then_some(&answer.text),
                value: answer.value.as_ref(),
                usage: summary.usage,
                took_ms: summary.took_ms,
                session: answer.session.as_deref(),
            })?;
        }
        if answer.session.is_some() {
            let (id, agent) = (&run.id, quoted(answer.agent.as_ref()));
            printer.note(&format!(
                "{:<10}{id}; `twostep ask {agent} --session {id} PROMPT` goes on",
                "run"
            ));
        }
        Ok(())
    }

    /// Tells a program that there is no answer, and that it is no failure.
    fn tell_none(
        &self,
        class: &str,
        prompt: &Path,
        run: &Run,
        printer: &Printer,
    ) -> anyhow::Result<()> {
        if !self.json {
            return Ok(());
        }
        printer.json(&NoAnswer {
            version: 1,
            run: Some(&run.id),
            error: None,
            prompt: Some(prompt),
            class: class.to_owned(),
        })
    }
}
