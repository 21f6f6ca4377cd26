//! `twostep runs clean`

use std::time::Duration;

use clap::Args;

use super::environment::now_ms;
use super::exit::{Exit, usage};
use super::number::{counted, parse_bytes, parse_duration, sized};
use super::printer::Printer;
use super::runs;
use crate::flow::clean::{self, CleanRequest, OfLanded};
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

    /// The oldest, until all runs here take no more than this
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
    let chosen = clean::choose(root, all, &request)?;
    let mut freed = 0;
    for (summary, bytes) in &chosen {
        if !args.dry_run {
            clean::remove(root, &summary.id, now_ms)?;
        }
        freed += bytes;
        let line = runs::line(summary, || false);
        printer.data(format!("{:>10}  {line}", sized(*bytes)).as_bytes())?;
    }
    if !args.dry_run {
        clean::finish(root)?;
    }
    let n = counted(chosen.len(), "run", "runs");
    let freed = sized(freed);
    printer.note(&if args.dry_run {
        format!("would remove {n} and free {freed}")
    } else {
        format!("removed {n}, freed {freed}")
    });
    let kept: u64 = match args.over {
        Some(_) => all
            .iter()
            .filter(|summary| chosen.iter().all(|(gone, _)| gone.id != summary.id))
            .map(|summary| clean::bytes(root, &summary.id))
            .sum::<Result<u64, _>>()?,
        None => 0,
    };
    if let Some(most) = args.over.filter(|most| kept > *most) {
        printer.warn(&format!(
            "{} are left, more than {}: runs that are open, or whose change can be undone, stay",
            sized(kept),
            sized(most)
        ));
    }
    Ok(Exit::Success)
}
