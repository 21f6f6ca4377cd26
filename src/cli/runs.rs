//! `twostep runs` and `twostep undo`

use std::path::Path;

use clap::{Args, Subcommand};

use super::begin;
use super::clean::{self, CleanArgs};
use super::environment::{Environment, now_ms};
use super::exit::{Exit, usage};
use super::follow::{self, TailArgs, WaitArgs};
use super::number::{counted, dollars, grouped, lasting};
use super::printer::Printer;
use super::replay;
use crate::agent::Billing;
use crate::flow::undo;
use crate::fs::FsError;
use crate::repo::{self, Repository};
use crate::run::{self, Event, Outcome, Record, Summary};
use crate::scratch::ChangeKind;

/// List the runs of this repository, newest first
///
/// landed: the change is in your files or on a branch. kept: it is good, and in the run's folder only.
/// planned: there is a plan. answered: what you asked. not asked: no agent was (`--dry-run`, or you said no). stopped: `runs show` says why.
/// half: it was killed while it landed, and `undo` puts your files back. undone: taken back. waiting: for its caller's answer.
/// running: a process works on it. killed: none does, and it did not end; `runs resume` goes on.
#[derive(Args, Debug)]
pub(super) struct RunsArgs {
    #[command(subcommand)]
    what: Option<What>,

    /// Print them to stdout as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum What {
    Resume(begin::ResumeArgs),
    Replay(replay::ReplayArgs),
    /// Show what happened in a run, and where its files are
    Show {
        /// The run, or how its name begins (default: the last)
        #[arg(value_name = "RUN")]
        id: Option<String>,

        /// Print its journal to stdout, a JSON object a line
        #[arg(long)]
        json: bool,
    },
    Wait(WaitArgs),
    Tail(TailArgs),
    Clean(CleanArgs),
}

/// Take back the change that a run landed
///
/// Each file must still be as the run left it; if one is not, nothing is changed.
#[derive(Args, Debug)]
pub(super) struct UndoArgs {
    /// The run (default: the last that landed something)
    #[arg(value_name = "RUN")]
    id: Option<String>,
}

pub(super) fn run(
    args: &RunsArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let repository = open(environment, printer)?;
    let root = repository.root.path();
    let all = run::all(root)?;
    match &args.what {
        Some(What::Show { id, json }) => {
            let summary = find(&all, id.as_deref())?;
            show(summary, &repository, *json, printer)?;
        }
        Some(What::Wait(args)) => return follow::wait(args, root, &all, printer),
        Some(What::Tail(args)) => return follow::tail(args, root, &all, printer),
        Some(What::Clean(args)) => return clean::run(args, &repository, &all, printer),
        Some(What::Replay(args)) => {
            return replay::run(args, &repository, environment, printer);
        }
        Some(What::Resume(args)) => {
            return begin::run_resume(args, &repository, environment, printer);
        }
        None if args.json => {
            let newest_first = all.iter().rev();
            let newest_first = newest_first.map(|summary| {
                let mut value = serde_json::to_value(summary)?;
                value["state"] = state(summary, || is_alive(root, summary)).into();
                Ok(value)
            });
            printer.json(&newest_first.collect::<Result<Vec<_>, serde_json::Error>>()?)?;
        }
        None => {
            let lines: String = all
                .iter()
                .rev()
                .map(|summary| line(summary, || is_alive(root, summary)))
                .collect();
            printer.data(lines.as_bytes())?;
            tell_unread(root, &all, printer)?;
            if all.is_empty() {
                printer.note("there are no runs here");
            }
        }
    }
    Ok(Exit::Success)
}

pub(super) fn run_undo(
    args: &UndoArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let repository = open(environment, printer)?;
    let all = run::all(repository.root.path())?;
    let id = args.id.as_deref();
    if id.is_none() {
        tell_unread(repository.root.path(), &all, printer)?;
    }
    let id = id.map(|id| find(&all, Some(id))).transpose()?;
    let taken = undo::undo(&repository, id.map(|summary| summary.id.as_str()), now_ms)?;
    for (path, kind) in &taken.files {
        let what = match kind {
            ChangeKind::Created => "removed",
            ChangeKind::Changed | ChangeKind::Deleted => "restored",
        };
        printer.note(&format!("{what:<10}{path}"));
    }
    if let Some(branch) = &taken.branch {
        printer.note(&format!("{:<10}the branch {branch}", "deleted"));
    }
    printer.note(&format!("{:<10}{}", "undone", taken.id));
    Ok(Exit::Success)
}

/// Tells which runs are not among `all`, for they cannot be read; returns how many.
pub(super) fn tell_unread(
    root: &Path,
    all: &[Summary],
    printer: &Printer,
) -> Result<usize, FsError> {
    let mut unread = run::ids(root)?;
    unread.retain(|id| all.iter().all(|one| one.id != *id));
    for id in &unread {
        printer.warn(&format!("the run {id} cannot be read, and is left out"));
    }
    Ok(unread.len())
}

/// Returns the run that is called `id`, or alone begins so; the last of `all`, the oldest first, if none is named.
pub(super) fn find<'a>(all: &'a [Summary], id: Option<&str>) -> anyhow::Result<&'a Summary> {
    let Some(id) = id else {
        return all.last().ok_or_else(|| {
            usage(
                "there are no runs here",
                "`twostep plan-exec SPEC` makes one",
            )
        });
    };
    if let Some(found) = all.iter().find(|summary| summary.id == id) {
        return Ok(found);
    }
    let begins = |summary: &&Summary| !id.is_empty() && summary.id.starts_with(id);
    let found: Vec<&Summary> = all.iter().filter(begins).collect();
    match found.as_slice() {
        [] => Err(usage(
            format!("there is no run `{id}`"),
            "`twostep runs` lists all",
        )),
        [found] => Ok(found),
        [.., last] => Err(usage(
            format!("{} runs begin with `{id}`", found.len()),
            format!("write more of its name; the last is {}", last.id),
        )),
    }
}

fn open(environment: &Environment, printer: &Printer) -> anyhow::Result<Repository> {
    let (repository, _, problem) = repo::open(&environment.directory, &[])?;
    if let Some(problem) = problem {
        printer.warn(&format!("{problem}; going on without git"));
    }
    Ok(repository)
}

/// Returns a run as it is listed.
pub(super) fn line(summary: &Summary, is_alive: impl FnOnce() -> bool) -> String {
    let outcome = state(summary, is_alive);
    let (id, verb, title) = (
        &summary.id,
        &summary.verb,
        super::printer::clean(&summary.title),
    );
    let verb = super::printer::clean(verb);
    format!("{id}  {outcome:<9} {verb:<10} {title}\n")
}

/// Returns what a run came to, in a word or two.
fn state(summary: &Summary, is_alive: impl FnOnce() -> bool) -> &'static str {
    match &summary.outcome {
        Outcome::Planned => "planned",
        Outcome::Answered => "answered",
        Outcome::Landed => "landed",
        Outcome::Kept => "kept",
        Outcome::NotAsked => "not asked",
        Outcome::HalfLanded => "half",
        Outcome::Undone => "undone",
        Outcome::Waiting(_) => "waiting",
        Outcome::Stopped(_) => "stopped",
        Outcome::Open if is_alive() => "running",
        Outcome::Open => "killed",
    }
}

/// Says whether a process works on a run.
pub(super) fn is_alive(root: &Path, summary: &Summary) -> bool {
    run::is_alive(root, &summary.id).unwrap_or(false)
}

fn show(
    summary: &Summary,
    repository: &Repository,
    json: bool,
    printer: &Printer,
) -> anyhow::Result<()> {
    let root = repository.root.path();
    let records = run::records(root, &summary.id)?;
    let folder = root.join(run::FOLDER).join(&summary.id);
    let lines: Vec<String> = if json {
        records
            .iter()
            .map(serde_json::to_string)
            .collect::<Result<_, _>>()?
    } else {
        let told = records.iter();
        let told = told.filter_map(|record| record_line(record, summary.started_ms));
        let head = line(summary, || is_alive(root, summary))
            .trim_end()
            .to_owned();
        let mut ends = vec![format!("{:>12}  {}", "files", folder.display())];
        if let Outcome::Waiting(prompt) = &summary.outcome {
            let (prompt, id) = (folder.join(prompt), &summary.id);
            ends.push(format!("{:>12}  {}", "prompt", prompt.display()));
            let resume = format!("twostep runs resume {id} --answer FILE");
            ends.push(format!("{:>12}  `{resume}`", "answer"));
        }
        std::iter::once(head).chain(told).chain(ends).collect()
    };
    Ok(printer.data((lines.join("\n") + "\n").as_bytes())?)
}

/// Says when and what happened, if that is worth a line.
pub(super) fn record_line(record: &Record, started_ms: u64) -> Option<String> {
    let at = lasting(record.at_ms.saturating_sub(started_ms));
    let text = told(&record.event)?;
    Some(format!("{at:>12}  {}", super::printer::clean(&text)))
}

/// Files that a run keeps for itself.
const OURS: &[&str] = &["command.json", "snapshot.json", "landing.json"];

/// Says what happened, in a line.
fn told(event: &Event) -> Option<String> {
    Some(match event {
        Event::Started { .. } | Event::Waited { ms: 0 } => return None,
        Event::Resumed => "was taken up again".to_owned(),
        // What is in folders is of calls, checks and landing, which are told themselves.
        Event::Artefact { name, .. } if name.contains('/') || OURS.contains(&name.as_str()) => {
            return None;
        }
        Event::Artefact { name, bytes, .. } => format!("kept {name} ({} bytes)", grouped(*bytes)),
        Event::CallStarted {
            role, agent, step, ..
        } => {
            let step = step
                .as_ref()
                .map_or(String::new(), |step| format!(", in `{step}`"));
            format!("asked {agent}{}{step}", role.as_words())
        }
        Event::CallEnded { usage, billing, .. } => {
            let tokens = |n: Option<u64>| n.map_or("unknown".to_owned(), grouped);
            let (input, output) = (tokens(usage.input), tokens(usage.output));
            let paid = match billing {
                Some(Billing::Subscription) => "by subscription".to_owned(),
                Some(Billing::Nothing) => "at no cost".to_owned(),
                Some(Billing::Metered) | None => dollars(usage.dollars),
            };
            format!("it answered: {input} tokens in, {output} out, {paid}")
        }
        Event::Waited { ms } => format!("waited {}", lasting(*ms)),
        Event::FellBack { from, to, .. } => format!("asked {to} in the place of {from}"),
        Event::PassedOver { agent, message, .. } => {
            format!("{agent} cannot stand in: {message}")
        }
        Event::CallFailed { class, message, .. } => {
            let class = class.map_or(String::new(), |class| format!(" ({class})"));
            format!("it gave no answer{class}: {message}")
        }
        Event::GroupStarted { steps, of } => {
            format!("began with {} of {of}", run::steps(steps))
        }
        Event::GroupEnded { steps } => format!("finished {}", run::steps(steps)),
        Event::Checked {
            command,
            is_baseline,
            passed,
            ..
        } => {
            let when = if *is_baseline { "before" } else { "after" };
            let how = if *passed { "passed" } else { "failed" };
            format!("`{command}` {how} {when} the change")
        }
        Event::Changed { files } => {
            format!(
                "the executor changed {}",
                counted(files.len(), "file", "files")
            )
        }
        Event::Audited {
            untouched,
            unplanned,
            claimed,
        } => {
            let n = untouched.len() + unplanned.len() + claimed.len();
            let files = counted(n, "file is", "files are");
            format!("{files} not as planned or told; see report.md")
        }
        Event::Sensitive { found } => {
            let n = counted(found.len(), "thing", "things");
            format!("{n} of the change may land only with consent; see report.md")
        }
        Event::Reviewed {
            approves, failed, ..
        } => {
            let n = counted(failed.len(), "thing", "things");
            if *approves {
                "the reviewer approved".to_owned()
            } else {
                format!("the reviewer asked for changes: {n} failed")
            }
        }
        Event::LandingStarted => "began to land".to_owned(),
        Event::Landed => "landed".to_owned(),
        Event::Branched { name, .. } => format!("landed on the branch {name}"),
        Event::LandingFailed => "met other bytes than it knew; put everything back".to_owned(),
        Event::LandingStranded => {
            "failed while landing, and could not put everything back".to_owned()
        }
        Event::Undone => "was undone".to_owned(),
        Event::Ended { outcome, .. } => match outcome {
            Outcome::Stopped(why) => format!("stopped: {why}"),
            _ => "ended".to_owned(),
        },
    })
}
