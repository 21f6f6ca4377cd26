//! `twostep runs wait` and `twostep runs tail`: what a run of whatever process does, from its journal.

use std::path::Path;
use std::time::Duration;

use clap::Args;

use super::exit::{Exit, usage};
use super::printer::Printer;
use super::runs;
use crate::run::{self, Event, Outcome, Record, Summary};

/// Wait for the end of runs, and end as they did
///
/// The exit code is that of the first that did not come to what was wanted, 0 if all did. A run that was killed is an error.
#[derive(Args, Debug)]
pub(super) struct WaitArgs {
    /// The runs, or how their names begin (default: the last)
    #[arg(value_name = "RUN")]
    ids: Vec<String>,

    /// Wait for all that are at work now
    #[arg(long, conflicts_with = "ids")]
    all: bool,
}

/// Print what a run does until it ends
#[derive(Args, Debug)]
pub(super) struct TailArgs {
    /// The run, or how its name begins (default: the last)
    #[arg(value_name = "RUN")]
    id: Option<String>,

    /// Print its journal, a JSON object a line
    #[arg(long)]
    json: bool,
}

/// How often a run is looked at.
const TICK: Duration = Duration::from_millis(200);

pub(super) fn wait(
    args: &WaitArgs,
    root: &Path,
    all: &[Summary],
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let waited: Vec<&Summary> = if args.all {
        let at_work = all.iter().filter(|run| runs::is_alive(root, run));
        at_work.collect()
    } else if args.ids.is_empty() {
        vec![runs::find(all, None)?]
    } else {
        let each = args.ids.iter().map(|id| runs::find(all, Some(id)));
        each.collect::<Result<_, _>>()?
    };
    // All are waited for, whatever one of them came to.
    let ends: Vec<_> = waited
        .iter()
        .map(|run| wait_for(&run.id, root, printer))
        .collect();
    let is_well = |end: &anyhow::Result<Exit>| matches!(end, Ok(Exit::Success));
    let first = ends.into_iter().find(|end| !is_well(end));
    first.unwrap_or(Ok(Exit::Success))
}

/// Waits for the end of a run, tells of it, and returns how it ended.
fn wait_for(id: &str, root: &Path, printer: &Printer) -> anyhow::Result<Exit> {
    let records = follow(root, id, &mut |_| Ok(()))?;
    let summary = run::summary(root, id)?;
    printer.note(runs::line(&summary, || false).trim_end());
    if summary.outcome == Outcome::Open {
        return Err(killed(id));
    }
    let ends = records.iter().rev().find_map(|record| match record.event {
        Event::Ended { exit, .. } => Some(exit),
        _ => None,
    });
    Ok(ends.and_then(Exit::of_code).unwrap_or(Exit::Error))
}

pub(super) fn tail(
    args: &TailArgs,
    root: &Path,
    all: &[Summary],
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let summary = runs::find(all, args.id.as_deref())?;
    if !args.json {
        printer.data(runs::line(summary, || runs::is_alive(root, summary)).as_bytes())?;
    }
    follow(root, &summary.id, &mut |record| {
        if args.json {
            printer.json(record)?;
        } else if let Some(line) = runs::record_line(record, summary.started_ms) {
            printer.data(format!("{line}\n").as_bytes())?;
        }
        Ok(())
    })?;
    let is_open = run::summary(root, &summary.id)?.outcome == Outcome::Open;
    if is_open {
        return Err(killed(&summary.id));
    }
    Ok(Exit::Success)
}

fn killed(id: &str) -> anyhow::Error {
    usage(
        format!("the run {id} was killed before it came to its end"),
        format!("go on with it: `twostep runs resume {id}`"),
    )
}

/// Calls `see` with each record of a run, those to come included, until nobody adds to it; returns all of them.
fn follow(
    root: &Path,
    id: &str,
    see: &mut dyn FnMut(&Record) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Record>> {
    let mut n_seen = 0;
    // A run begins a moment before it holds its lock.
    let mut was_alive = true;
    loop {
        // In this order: nothing is added after it is dead.
        let is_alive = run::is_alive(root, id)?;
        let records = run::records(root, id)?;
        for record in records.iter().skip(n_seen) {
            see(record)?;
        }
        n_seen = n_seen.max(records.len());
        let is_ended = matches!(records.last(), Some(record) if ends(&record.event));
        if !is_alive && (is_ended || !was_alive) {
            return Ok(records);
        }
        was_alive = is_alive;
        std::thread::sleep(TICK);
    }
}

/// Says whether nothing comes after this of itself.
fn ends(event: &Event) -> bool {
    matches!(event, Event::Ended { .. } | Event::Undone)
}
