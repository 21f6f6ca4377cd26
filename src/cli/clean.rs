//! `twostep runs clean`

use std::time::Duration;

use clap::Args;

use super::environment::now_ms;
use super::exit::{Exit, usage};
use super::number::{counted, parse_bytes, parse_duration, sized};
use super::printer::Printer;
use super::runs;
use crate::flow::clean::{self, CleanRequest, OfLanded};
use crate::fs::FsError;
use crate::repo::Repository;
use crate::run::{self, Summary};

/// Remove runs that are over, oldest first
///
/// One that is open, landed by half, or could still be undone stays.
#[derive(Args, Debug)]
pub(super) struct CleanArgs {
    /// Those that ended longer ago (default, if nothing else is said: 30d)
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    older: Option<Duration>,

    /// The oldest, until those that may go take no more than this
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    over: Option<u64>,

    /// Those whose change has landed, too: it can then not be undone any more
    #[arg(long)]
    landed: bool,

    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
}

/// What is older goes if nothing else is said.
const USUAL_AGE: Duration = Duration::from_hours(30 * 24);

pub(super) fn run(
    args: &CleanArgs,
    repository: &Repository,
    all: &[Summary],
    printer: &Printer,
) -> anyhow::Result<Exit> {
    if run::is_foreign(repository) {
        return Err(usage(
            "git tracks `.twostep`, or it is a link: its runs came with the repository",
            "remove them with git",
        ));
    }
    let root = repository.root.path();
    let request = CleanRequest {
        older: args.older.or(args.over.is_none().then_some(USUAL_AGE)),
        over: args.over,
        landed: if args.landed {
            OfLanded::Removed
        } else {
            OfLanded::Kept
        },
        now_ms: now_ms(),
    };
    let chosen = clean::choose(root, all, &request);
    let mut exit = Exit::Success;
    let mut fail = |what: &str, id: &str, error: &FsError| {
        printer.warn(&format!(
            "cannot {what} the run {id}: {error}: {}",
            error.source
        ));
        exit = Exit::Error;
    };
    for (id, error) in &chosen.unread {
        fail("read", id, error);
    }
    let (mut freed, mut n_gone) = (0, 0);
    for (summary, bytes) in &chosen.runs {
        if !args.dry_run
            && let Err(error) = clean::remove(root, &summary.id, now_ms)
        {
            fail("remove", &summary.id, &error);
            continue;
        }
        freed += bytes;
        n_gone += 1;
        let line = runs::line(summary, || false);
        printer.data(format!("{:>10}  {line}", sized(*bytes)).as_bytes())?;
    }
    if !args.dry_run {
        clean::finish(root)?;
    }
    if runs::tell_unread(root, all, printer)? > 0 {
        exit = Exit::Error;
    }
    let n = counted(n_gone, "run", "runs");
    let freed = sized(freed);
    printer.note(&if args.dry_run {
        format!("would remove {n} and free {freed}")
    } else {
        format!("removed {n}, freed {freed}")
    });
    Ok(exit)
}
