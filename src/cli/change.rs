//! What checks a change that agents make, where it goes, and what lands although it is not all that it should be.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use super::agents::{AgentArgs, Lent};
use super::environment::Environment;
use super::exit::usage;
use super::number::parse_duration;
use super::printer::Printer;
use super::trust;
use crate::flow::consent::Said;
use crate::flow::exec::Unlike;
use crate::flow::land::Land;
use crate::flow::plan_exec::{Drift, Open, Tolerance};
use crate::flow::rounds::USUAL_ROUNDS;
use crate::fs::{self, SystemKind};
use crate::path::RepoPath;
use crate::repo::Repository;

/// What checks a change, and where it goes.
#[derive(Args, Debug)]
pub(super) struct GroundArgs {
    /// Command that must succeed for the change to land (can be repeated)
    ///
    /// It runs in the scratch, before and after the change; the executor may run it, too. Without one, what the files of the
    /// project propose is run if you have agreed to it: see `twostep trust`.
    #[arg(long = "check", value_name = "COMMAND")]
    pub(super) checks: Vec<String>,

    /// Run no check, whatever you have agreed to
    #[arg(long, conflicts_with = "checks")]
    pub(super) no_check: bool,

    /// End a check that has not ended after this long; it fails
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = parse_duration)]
    pub(super) check_limit: Duration,

    /// Tell the executor this often which checks fail, and ask it again
    #[arg(long, value_name = "N", default_value_t = USUAL_ROUNDS)]
    pub(super) check_rounds: usize,

    /// Where a good change goes
    #[arg(long, value_enum, default_value_t = LandArg::Tree)]
    pub(super) land: LandArg,

    /// Ignored folder that the checks need, such as `node_modules`: copied into the scratch (can be repeated)
    #[arg(long = "carry", value_name = "DIR")]
    pub(super) carried: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) tolerance: ToleranceArgs,

    /// Work in a folder that is not in git; `twostep undo` is then all that takes a change back
    #[arg(long)]
    pub(super) in_place: bool,
}

/// The option that agrees to what needs consent.
pub(super) const ACCEPT_SENSITIVE: &str = "--accept-sensitive";

/// What is carried out and lands although it is not all that it should be.
#[derive(Args, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
pub(super) struct ToleranceArgs {
    /// Carry out a plan although it names files that are not there, or might be several
    #[arg(long)]
    allow_missing: bool,

    /// Carry out a plan although files that it names have changed since it was made
    #[arg(long)]
    accept_drift: bool,

    /// Agree beforehand to all that needs consent, whatever it will be: files that make programs run or hold secrets, weaker tests and checks, files that
    /// lose most of their lines
    ///
    /// The lines that begin with `consent` say what it is. `twostep runs resume -- --accept-sensitive` lets a change land that was stopped for it, and agrees to
    /// nothing that the run has not shown before.
    #[arg(long)]
    accept_sensitive: bool,

    /// Let nothing land that is not what was planned and told: exit 1 where the executor left a file of the plan as it was,
    /// changed another, or says that it did what it did not
    #[arg(long)]
    strict_audit: bool,
}

impl From<&ToleranceArgs> for Tolerance {
    fn from(args: &ToleranceArgs) -> Self {
        Self {
            open: if args.allow_missing {
                Open::Accepted
            } else {
                Open::Refused
            },
            drift: if args.accept_drift {
                Drift::Accepted
            } else {
                Drift::Refused
            },
            unlike: if args.strict_audit {
                Unlike::Refused
            } else {
                Unlike::Told
            },
            sensitive: if args.accept_sensitive {
                Said::Yes
            } else {
                Said::No
            },
        }
    }
}

impl ToleranceArgs {
    /// Returns the options that were given, as they are written.
    pub(super) fn words(&self) -> impl Iterator<Item = &'static str> {
        let all = [
            ("--allow-missing", self.allow_missing),
            ("--accept-drift", self.accept_drift),
            (ACCEPT_SENSITIVE, self.accept_sensitive),
            ("--strict-audit", self.strict_audit),
        ];
        let given = all.into_iter().filter(|(_, is_given)| *is_given);
        given.map(|(word, _)| word)
    }
}

/// Where a good change goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LandArg {
    /// Into your files.
    Tree,
    /// Onto a new branch, `twostep/RUN`, as a commit on top of what is checked out; your files stay.
    Branch,
    /// To stdout, as a patch.
    Patch,
    /// Nowhere: it stays in the run's folder, as a patch.
    None,
}

impl From<LandArg> for Land {
    fn from(arg: LandArg) -> Self {
        match arg {
            LandArg::Tree => Self::Tree,
            LandArg::Branch => Self::Branch,
            // What is kept is printed.
            LandArg::Patch | LandArg::None => Self::None,
        }
    }
}

impl GroundArgs {
    /// Refuses what contradicts itself, and to work without git unasked.
    pub(super) fn check(&self, repository: &Repository) -> anyhow::Result<()> {
        if self.checks.iter().any(|check| check.trim().is_empty()) {
            return Err(usage(
                "`--check` is empty, so that it would pass whatever happens",
                "give it a command, such as `--check 'cargo test'`, or leave it out",
            ));
        }
        if self.land == LandArg::Branch && self.in_place {
            return Err(usage(
                "there are no branches without git",
                "leave `--land` out, or take the patch with `--land patch`",
            ));
        }
        match (&repository.git, self.in_place) {
            (None, false) => Err(usage(
                format!("`{}` is not in git", repository.root.path().display()),
                "`git init` makes it a repository; or say `--in-place` to work without",
            )),
            (Some(_), true) => Err(usage(
                "`--in-place` is for folders that are not in git",
                "leave it out: the change lands in your files, and can be undone",
            )),
            _ => Ok(()),
        }
    }

    /// Returns the ignored folders that the checks need.
    pub(super) fn carried(
        &self,
        repository: &Repository,
        environment: &Environment,
    ) -> anyhow::Result<Vec<RepoPath>> {
        let root = repository.root.path();
        let mut folders = Vec::new();
        for typed in &self.carried {
            let path = fs::resolve(&environment.at(typed)).context("cannot use `--carry`")?;
            let inside = path.strip_prefix(root).ok();
            let inside = inside.and_then(|path| RepoPath::parse(path.as_os_str().as_bytes()).ok());
            let is_ours = |folder: &RepoPath| folder.components().next() == Some(b".twostep");
            let inside = inside.filter(|folder| !folder.is_git_internal() && !is_ours(folder));
            match inside.filter(|_| fs::kind(&path).is_ok_and(|kind| kind == SystemKind::Folder)) {
                Some(folder) => folders.push(folder),
                None => {
                    return Err(usage(
                        format!("`{}` is no folder in the repository", typed.display()),
                        "give `--carry` an ignored folder of the repository, such as node_modules",
                    ));
                }
            }
        }
        Ok(folders)
    }

    /// Returns the checks, with the folders that they need: those that were given, or those that were agreed to. `of_steps` are commands
    /// that steps of a workflow run besides.
    pub(super) fn checks(
        &self,
        repository: &Repository,
        agents: &AgentArgs,
        lent: &Lent,
        environment: &Environment,
        printer: &Printer,
        of_steps: &[String],
    ) -> anyhow::Result<(Vec<String>, Vec<RepoPath>)> {
        let given = &self.checks;
        if !given.is_empty() || self.no_check {
            return Ok((given.clone(), Vec::new()));
        }
        let presets = trust::presets(repository, agents, lent, environment, printer)?;
        trust::require_agreed(&presets, of_steps, environment)?;
        let needed = presets.iter().filter_map(|preset| preset.carries.clone());
        let needed = needed.collect();
        let commands = presets.into_iter().map(|preset| preset.command);
        Ok((commands.collect(), needed))
    }
}
