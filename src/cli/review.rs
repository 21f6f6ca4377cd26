//! `twostep review`

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;

use super::agents::{AgentArgs, parse_agents};
use super::asking::Asking;
use super::begin::{begin, end};
use super::environment::Environment;
use super::exec::tell_waiting;
use super::exit::{Exit, RunStopped, class_of, is_interrupted, resume, usage};
use super::printer::Printer;
use super::runs;
use crate::agent::{Chain, Choice, ProgramKind, Role};
use crate::check::{self, Checked};
use crate::flow::checks::{CHECKS_FOLDER, last_record};
use crate::flow::host::Host;
use crate::flow::plan_exec::{Answer, Done, Question, RunError, title};
use crate::flow::plan_file;
use crate::flow::player::Player;
use crate::flow::review::{self as reviewing, Subject};
use crate::fs;
use crate::history::{self, Detail, What};
use crate::repo::{self, Repository};
use crate::review::{Finding, Review, Verdict};
use crate::run::{self, Run};
use crate::tokens::Counter;

/// Have somebody read a change, and say whether it may land
///
/// What is read is the change of a run, with its plan, its report and what the checks said; or without RUN how the files
/// that git tracks differ from HEAD. The reviewer changes nothing. Exit code 0 if it approves, 1 if it asks for changes.
#[derive(Args, Debug)]
pub(super) struct ReviewArgs {
    /// The run, or how its name begins (default: the files as they are)
    #[arg(value_name = "RUN")]
    id: Option<String>,

    /// Who reads it (default: codex), as `--planner` of `plan-exec` takes it
    #[arg(long, value_name = "AGENT", value_parser = parse_agents)]
    reviewer: Option<Chain>,

    /// What was to be done, where that is not the plan of the run
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,

    /// Print findings and verdict to stdout as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    agents: AgentArgs,
}

/// No change that is read is larger.
const MAX_CHANGE_BYTES: u64 = 256 << 20;

/// What is read.
struct Change {
    title: String,
    plan: Option<String>,
    diff: String,
    report: Option<String>,
    checks: Vec<Checked>,
}

/// What a program is told.
#[derive(Serialize)]
struct Report<'a> {
    /// The version of the format: 1.
    version: u32,
    run: &'a str,
    verdict: Verdict,
    failed: &'a [Finding],
    suggestions: &'a [Finding],
    passed: &'a [Finding],
}

/// What a program is told where there is no review.
#[derive(Serialize)]
struct NoReview<'a> {
    /// The version of the format: 1.
    version: u32,
    run: Option<&'a str>,
    error: String,
    class: String,
    exit: u8,
}

pub(super) fn run(
    args: &ReviewArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let mut seen = None;
    let done = review(args, environment, printer, &mut seen);
    if let (Err(error), true) = (&done, args.json) {
        printer.json(&NoReview {
            version: 1,
            run: seen.as_deref(),
            error: format!("{error:#}"),
            class: class_of(error),
            exit: Exit::of(error) as u8,
        })?;
    }
    done
}

/// Has a change read; the run is `seen` as soon as it is there.
fn review(
    args: &ReviewArgs,
    environment: &Environment,
    printer: &Printer,
    seen: &mut Option<String>,
) -> anyhow::Result<Exit> {
    let (repository, _, problem) = repo::open(&environment.directory, &[])?;
    if let Some(problem) = problem {
        printer.warn(&format!("{problem}; going on without git"));
    }
    let change = args.change(&repository, environment)?;
    let usual = Chain(vec![Choice::Program(ProgramKind::Codex, None)]);
    let chain = args.reviewer.as_ref().unwrap_or(&usual);
    let power = &args.agents.power;
    let reviewer = power.player(Role::Reviewer, Some(chain), environment)?;
    let lent = args.agents.lend(environment)?;
    args.agents.require_keys(reviewer.chain(), &lent)?;
    let asking = Asking {
        printer,
        agents: &args.agents,
        lent: &lent,
        environment,
        has_planner: false,
        executor: None,
        checks: &[],
    };
    let told = ("review", title(&change.title));
    let (run, _place) = begin(&repository, told, &lent, None, environment)?;
    *seen = Some(run.id.clone());
    let done = lent.host(printer, |host| {
        read(&reviewer, &change, &asking, &run, host)
    });
    match end(&run, done, &lent) {
        Ok(Done::Reviewed(review)) => args.give(&review, &run, printer),
        Ok(Done::Waiting(role, prompt)) => {
            tell_waiting(role, &prompt, &resume(&run, None), printer);
            Ok(Exit::Success)
        }
        Ok(_) => {
            printer.note("stopped before any agent was asked");
            Ok(Exit::Success)
        }
        Err(error) => match lent.signal().filter(|_| is_interrupted(&error)) {
            Some(signal) => {
                printer.note("interrupted; there is no review");
                Ok(Exit::of_signal(signal))
            }
            None => Err(error.context(RunStopped::of(&run, None))),
        },
    }
}

/// Has the change read, unless the user does not want to pay for it.
fn read(
    reviewer: &Player,
    change: &Change,
    asking: &Asking<'_>,
    run: &Run,
    host: &Host<'_>,
) -> Result<Done, RunError> {
    let subject = Subject {
        plan: change.plan.as_deref(),
        diff: &change.diff,
        report: change.report.as_deref(),
        checks: &change.checks,
    };
    let counter = Counter::new(reviewer.chain().filter_map(Player::family).collect());
    let prompt = reviewing::prepare(reviewer, &subject, &counter, host)?;
    if asking.answer(&Question::Spend(Role::Reviewer, reviewer, &prompt))? == Answer::Stop {
        run.keep("reviewer-prompt.md", prompt.text.as_bytes())?;
        return Ok(Done::NotAsked);
    }
    let (review, _) = reviewing::ask(reviewer, &prompt, (None, 1), run, host)?;
    Ok(Done::Reviewed(Box::new(review)))
}

impl ReviewArgs {
    /// Gathers what is read.
    fn change(&self, repository: &Repository, environment: &Environment) -> anyhow::Result<Change> {
        let plan = self
            .plan
            .as_ref()
            .map(|file| plan_file::read(&environment.at(file)));
        let plan = plan.transpose()?.map(|plan| plan.text);
        let mut change = match &self.id {
            Some(id) => of_run(repository.root.path(), id)?,
            None => of_files(repository)?,
        };
        change.plan = plan.or(change.plan);
        Ok(change)
    }

    fn give(&self, review: &Review, run: &Run, printer: &Printer) -> anyhow::Result<Exit> {
        if self.json {
            printer.json(&Report {
                version: 1,
                run: &run.id,
                verdict: review.verdict,
                failed: &review.failed,
                suggestions: &review.suggestions,
                passed: &review.passed,
            })?;
        } else {
            let mut text = String::new();
            for (word, findings) in [
                ("FAILED", &review.failed),
                ("SUGGESTIONS", &review.suggestions),
            ] {
                if !findings.is_empty() {
                    let lines = findings.iter().map(|finding| format!("- {finding}\n"));
                    text = format!("{text}{word}\n{}\n", lines.collect::<Vec<_>>().concat());
                }
            }
            let verdict = match review.verdict {
                Verdict::Approve => "APPROVE",
                Verdict::RequestChanges => "REQUEST_CHANGES",
            };
            let text = format!("{text}VERDICT: {verdict}\n");
            printer.data(super::printer::clean(&text).as_bytes())?;
        }
        Ok(match review.verdict {
            Verdict::Approve => Exit::Success,
            Verdict::RequestChanges => Exit::Negative,
        })
    }
}

/// Returns the change of a run, with what is known of it.
fn of_run(root: &Path, id: &str) -> anyhow::Result<Change> {
    let all = run::all(root)?;
    let summary = runs::find(&all, Some(id))?;
    let id = &summary.id;
    let folder = root.join(run::FOLDER).join(id);
    let artefact = |name: &str| {
        let is_there = fs::has_entry(&folder, name);
        is_there
            .then(|| fs::read_regular(&folder.join(name), MAX_CHANGE_BYTES))
            .transpose()
    };
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let diff = artefact("changes.patch")?.ok_or_else(|| {
        usage(
            format!("the run {id} made no change"),
            "name a run that did: `twostep runs` lists all",
        )
    })?;
    Ok(Change {
        title: summary.title.clone(),
        plan: artefact(plan_file::NAME)?.map(text),
        diff: text(diff),
        report: run::last_answer(root, id, Role::Executor)?,
        checks: last_checks(&folder)?,
    })
}

/// Returns what the checks of a run said last, each with what it wrote.
fn last_checks(folder: &Path) -> anyhow::Result<Vec<Checked>> {
    let mut last: Vec<Checked> = Vec::new();
    for said in run::checks(folder)?
        .into_iter()
        .filter(|said| !said.is_baseline)
    {
        last.retain(|checked| checked.command != said.command);
        last.push(Checked {
            command: said.command,
            passed: said.passed,
            is_not_found: false,
            how: said.how,
            elapsed: std::time::Duration::ZERO,
            tail: String::new(),
            output: String::new(),
        });
    }
    for (n, checked) in last.iter_mut().enumerate().filter(|(_, it)| !it.passed) {
        let record = last_record(&folder.join(CHECKS_FOLDER), n + 1);
        // Of a workflow each step has a folder of its own.
        if fs::has_entry(&folder.join(CHECKS_FOLDER), record.with_extension("out")) {
            checked.output = check::output_of(&record)?;
        }
    }
    Ok(last)
}

/// Returns how the files that git tracks differ from what is checked out.
fn of_files(repository: &Repository) -> anyhow::Result<Change> {
    let threads = super::environment::threads(None);
    let what = What::Since("HEAD".to_owned());
    let diff = history::diff(repository, &what, &|_| Detail::Packed, threads)
        .context("cannot tell how the files differ from HEAD")?;
    let diff = String::from_utf8_lossy(&diff.text).into_owned();
    if diff.trim().is_empty() {
        return Err(usage(
            "there is nothing to review: no file that git tracks differs from HEAD",
            "name a run, or `git add -N` the new files that are to be read",
        ));
    }
    Ok(Change {
        title: "the working tree".to_owned(),
        plan: None,
        diff,
        report: None,
        checks: Vec::new(),
    })
}
