//! `twostep doctor`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::agents::parse_agents;
use super::environment::Environment;
use super::exit::Exit;
use super::number::{grouped, sized};
use super::printer::{Printer, clean};
use super::secrets;
use crate::agent::{Agents, Chain, Role};
use crate::flow::doctor::{self, Ground, Problem, ProgramFound, RoleFound};
use crate::fs;
use crate::model::Catalogue;
use crate::process::Confinement;
use crate::repo;

/// Say whether planner and executor can work here, and what to do if not
///
/// Nobody is called, and no key is read: programs tell their versions, and the names of variables and files how they are
/// signed in. The exit code is 1 where a role cannot be played.
#[derive(Args, Debug)]
pub(super) struct DoctorArgs {
    /// Who is to plan (default: gemini), as `--planner` of `plan-exec` takes it
    #[arg(long, value_name = "AGENT", value_parser = parse_agents)]
    planner: Option<Chain>,

    /// Who is to carry plans out (default: claude), as `--executor` of `plan-exec` takes it
    #[arg(long, value_name = "AGENT", value_parser = parse_agents)]
    executor: Option<Chain>,

    /// Print all of it to stdout as JSON
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Serialize)]
struct Findings {
    version: u32,
    is_ready: bool,
    roles: Vec<RoleFound>,
    programs: Vec<ProgramFound>,
    landlock: Landlock,
    git: Option<PathBuf>,
    files: Vec<OwnFile>,
    cache: Cache,
    /// What keeps every role from being played.
    problems: Vec<Problem>,
}

/// Whether an executor can be held in its folder.
#[derive(Serialize)]
struct Landlock {
    is_full: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// One of the user's own files.
#[derive(Serialize)]
struct OwnFile {
    name: &'static str,
    /// Where it is; nowhere, if it is not there.
    path: Option<PathBuf>,
    is_good: bool,
}

/// Where working copies are made.
#[derive(Serialize)]
struct Cache {
    path: Option<PathBuf>,
    free_bytes: Option<u64>,
}

/// With less room than this, copies of larger repositories may not fit.
const LITTLE_ROOM: u64 = 1_000_000_000;

pub(super) fn run(
    args: &DoctorArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let findings = examine(args, environment)?;
    if args.json {
        printer.json(&findings)?;
    } else {
        printer.data(clean(&text(&findings)).as_bytes())?;
    }
    Ok(if findings.is_ready {
        Exit::Success
    } else {
        Exit::Negative
    })
}

fn examine(args: &DoctorArgs, environment: &Environment) -> anyhow::Result<Findings> {
    let mut problems = Vec::new();
    let files = own_files(environment, &mut problems);
    let catalogue = environment.catalogue();
    let catalogue = catalogue.unwrap_or_else(|_| Catalogue::built_in());
    let agents = environment.agents();
    let agents = agents.unwrap_or_else(|_| Agents::built_in());
    let variables = environment.variables();
    let shim = environment.program()?;
    let path = environment.variable("PATH").unwrap_or_default();
    let cache = environment.cache();
    let place = cache.as_ref().ok();
    let place = place.map(|cache| cache.join(environment.run_id()));
    let ground = Ground {
        shim: &shim,
        variables: &variables,
        path: &path,
        here: &environment.directory,
        place: place.as_deref().unwrap_or(Path::new("")),
        catalogue: &catalogue,
        agents: &agents,
    };
    let made = cache.and_then(|_| Ok(fs::make_private_folders(ground.place)?));
    let (programs, confined) = match made {
        Ok(()) => {
            let found = doctor::programs(&ground).and_then(|programs| {
                let confined = doctor::confinement(&ground)?;
                Ok((programs, confined))
            });
            doctor::clear(&ground)?;
            found?
        }
        Err(error) => {
            problems.push(Problem {
                what: format!("there is no place for working copies: {error:#}"),
                help:
                    "set XDG_CACHE_HOME to a folder that you can write, outside of the repository"
                        .to_owned(),
            });
            let unknown = Confinement::None("not tried".to_owned());
            (Vec::new(), unknown)
        }
    };
    let cache = place.as_deref().and_then(Path::parent).map(Path::to_owned);
    let mut roles = Vec::new();
    for (role, chain) in [
        (Role::Planner, &args.planner),
        (Role::Executor, &args.executor),
    ] {
        let find = |choice| doctor::role(role, choice, &programs, &ground);
        match chain {
            None => roles.push(find(None)),
            // Who stands in counts, too.
            Some(Chain(choices)) => roles.extend(choices.iter().map(|choice| find(Some(choice)))),
        }
    }
    problems.extend(unwritable(environment));
    let is_ready = problems.is_empty() && roles.iter().all(|role| role.problems.is_empty());
    Ok(Findings {
        version: 1,
        is_ready,
        roles,
        landlock: match confined {
            Confinement::Full => Landlock {
                is_full: true,
                why: None,
            },
            Confinement::Partial(why) | Confinement::None(why) => Landlock {
                is_full: false,
                why: Some(why),
            },
            Confinement::NotAsked => Landlock {
                is_full: false,
                why: None,
            },
        },
        git: doctor::git(&ground),
        files,
        cache: Cache {
            free_bytes: cache.as_ref().and_then(|path| fs::free_bytes(path).ok()),
            path: cache,
        },
        programs,
        problems,
    })
}

/// Says whether the repository that we are in cannot hold runs, if it is one.
fn unwritable(environment: &Environment) -> Option<Problem> {
    let (repository, _, _) = repo::open(&environment.directory, &[]).ok()?;
    let root = repository.root.path();
    repository.git.as_ref()?;
    fs::require_writable(root).err().map(|error| Problem {
        what: format!("{error}: {}", error.source),
        help: "make the folder writable for you: runs are kept in it, and changes land in it"
            .to_owned(),
    })
}

/// Looks whether the user's own files can be used.
fn own_files(environment: &Environment, problems: &mut Vec<Problem>) -> Vec<OwnFile> {
    let each: [(&'static str, anyhow::Result<()>); 4] = [
        ("models.toml", environment.catalogue().map(drop)),
        ("secrets.toml", secrets::check_own_file(environment)),
        ("agents.toml", environment.agents().map(drop)),
        ("protected.toml", environment.protected().map(drop)),
    ];
    let mut files = Vec::new();
    for (name, checked) in each {
        let path = environment.own_path(name);
        if let Err(error) = &checked {
            let shown = path
                .as_ref()
                .map_or(name.to_owned(), |path| path.display().to_string());
            problems.push(Problem {
                what: format!("{error:#}"),
                help: format!("mend `{shown}`, or move it away"),
            });
        }
        files.push(OwnFile {
            name,
            path,
            is_good: checked.is_ok(),
        });
    }
    files
}

fn text(findings: &Findings) -> String {
    let mut out = String::new();
    let mut say = |what: &str, text: &str| {
        let _ = writeln!(out, "{what:<10}{text}");
    };
    for program in &findings.programs {
        let version = program.version.as_deref().unwrap_or("unknown version");
        match &program.path {
            Some(path) => say(program.name, &format!("{version}, {}", path.display())),
            None => say(
                program.name,
                &format!("not found; `{}` gets it", program.install),
            ),
        }
        match program.sign_ins.first() {
            Some(first) => say("", &format!("{}: {}", first.way.words(), first.by)),
            None => say("", "not signed in, as far as we see"),
        }
        for note in &program.notes {
            say("", &format!("note: {note}"));
        }
    }
    for role in &findings.roles {
        say(role.role.name(), &role_line(role));
    }
    say(
        "landlock",
        &match &findings.landlock.why {
            None => "executors can write in their folders only".to_owned(),
            Some(why) => format!("executors can write elsewhere, too: {why}"),
        },
    );
    say(
        "git",
        &match &findings.git {
            Some(path) => format!("{} (twostep does not need it)", path.display()),
            None => "not found; twostep does not need it, your checks may".to_owned(),
        },
    );
    for file in &findings.files {
        let shown = match (&file.path, file.is_good) {
            (None, true) => "not there".to_owned(),
            (None, false) => "cannot be used".to_owned(),
            (Some(path), true) => path.display().to_string(),
            (Some(path), false) => format!("cannot be used: {}", path.display()),
        };
        say("file", &format!("{}: {shown}", file.name));
    }
    if let (Some(path), Some(free)) = (&findings.cache.path, findings.cache.free_bytes) {
        let little = if free < LITTLE_ROOM {
            ": little for a working copy"
        } else {
            ""
        };
        let free = sized(free);
        say("cache", &format!("{}, {free} free{little}", path.display()));
    }
    let of_roles = findings.roles.iter().flat_map(|role| &role.problems);
    for problem in findings.problems.iter().chain(of_roles) {
        say("problem", &problem.what);
        say("", &format!("do: {}", problem.help));
    }
    if findings.is_ready {
        say("ready", "planner and executor can work");
    }
    out
}

fn role_line(role: &RoleFound) -> String {
    let Some(model) = &role.model else {
        return role.agent.clone();
    };
    let price = model.price.map_or("no price".to_owned(), |price| {
        format!(
            "${} in, ${} out, a million tokens",
            price.input, price.output
        )
    });
    format!(
        "{}: window {}, prompts up to {} tokens; {price}",
        role.agent,
        grouped(model.window),
        grouped(model.prompt_limit),
    )
}
