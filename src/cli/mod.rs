//! The command line: one file a verb, one printer, one place for exit codes.
//!
//! In: arguments, environment, terminal. Out: bytes on stdout and stderr, an exit code.

mod agents;
mod ask;
mod asking;
mod begin;
mod change;
mod clean;
mod doctor;
mod environment;
mod exec;
mod exit;
mod follow;
mod git_sections;
mod live;
mod mentions;
mod models;
mod number;
mod outcome;
mod pack;
mod plan;
mod power;
mod printer;
mod references;
mod replay;
mod review;
mod runs;
mod secrets;
mod select;
mod sink;
mod skill;
mod slice;
mod story;
mod summary;
mod tokens;
mod trust;
mod unpack;
mod verify;
mod workflow;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use environment::Environment;
use exit::Exit;
use printer::{Printer, Volume};

use crate::process;

/// The heading of the options that every verb has.
const EVERYWHERE: &str = "Options of every verb";

/// Plan a change with a model that reads the whole repository, carry it out with another
///
/// Results go to stdout, everything for people to stderr.
#[derive(Parser, Debug)]
#[command(name = "twostep", version, args_override_self = true, max_term_width = 100, after_help = exit::TABLE)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,

    /// Work as if started in this folder
    #[arg(short = 'C', value_name = "DIR", global = true, help_heading = EVERYWHERE)]
    start: Option<PathBuf>,

    /// Print errors only
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = EVERYWHERE)]
    quiet: bool,

    /// Say more: name every file that is left out
    #[arg(short, long, global = true, help_heading = EVERYWHERE)]
    verbose: bool,
}

#[derive(Subcommand, Debug)]
enum Verb {
    PlanExec(exec::PlanExecArgs),
    Plan(plan::PlanArgs),
    References(references::ReferencesArgs),
    Exec(exec::ExecArgs),
    Review(review::ReviewArgs),
    Workflow(workflow::WorkflowArgs),
    Ask(ask::AskArgs),
    Runs(runs::RunsArgs),
    Undo(runs::UndoArgs),
    Pack(pack::PackArgs),
    Unpack(unpack::UnpackArgs),
    Verify(verify::VerifyArgs),
    Tokens(tokens::TokensArgs),
    Models(models::ModelsArgs),
    Trust(trust::TrustArgs),
    Doctor(doctor::DoctorArgs),
    Skill(skill::SkillArgs),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    // Not a verb: what we start ourselves as, to watch over another program.
    if std::env::args_os().skip(1).eq(["--supervise"]) {
        return process::supervise();
    }
    process::prepare();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors: clap says so by its own code.
            Printer::new(Volume::Normal).refusal(&error);
            return if error.use_stderr() {
                Exit::Error.into()
            } else {
                Exit::Success.into()
            };
        }
    };
    let volume = match (cli.quiet, cli.verbose) {
        (true, _) => Volume::Quiet,
        (false, true) => Volume::Verbose,
        (false, false) => Volume::Normal,
    };
    let printer = Printer::new(volume);
    let outcome = Environment::read(cli.start.as_deref())
        .and_then(|environment| obey(&cli, &environment, &printer));
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            let exit = Exit::of(&error);
            if exit != Exit::Success {
                printer.error(&error, exit::hint(&error).as_deref());
            }
            exit.into()
        }
    }
}

/// Does what a command line says.
fn obey(cli: &Cli, environment: &Environment, printer: &Printer) -> anyhow::Result<Exit> {
    match &cli.verb {
        Verb::PlanExec(args) => exec::run_plan_exec(args, environment, printer),
        Verb::Plan(args) => plan::run(args, environment, printer),
        Verb::References(args) => references::run(args, environment, printer),
        Verb::Exec(args) => exec::run_exec(args, environment, printer),
        Verb::Review(args) => review::run(args, environment, printer),
        Verb::Workflow(args) => workflow::run(args, environment, printer),
        Verb::Ask(args) => ask::run(args, environment, printer),
        Verb::Runs(args) => runs::run(args, environment, printer),
        Verb::Undo(args) => runs::run_undo(args, environment, printer),
        Verb::Pack(args) => pack::run(args, environment, printer),
        Verb::Unpack(args) => unpack::run(args, environment, printer),
        Verb::Verify(args) => verify::run(args, environment, printer),
        Verb::Tokens(args) => tokens::run(args, environment, printer),
        Verb::Models(args) => models::run(args, environment, printer),
        Verb::Trust(args) => trust::run(args, environment, printer),
        Verb::Doctor(args) => doctor::run(args, environment, printer),
        Verb::Skill(args) => skill::run(args, printer),
    }
}
