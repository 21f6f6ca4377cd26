//! Whether the roles can be played here, found without calling anybody.
//!
//! Only the programs' `--version` is run. Keys and log-ins are known by the names of variables and files.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::player::Player;
use crate::agent::{Agents, Choice, Program, ProgramKind, Role, SignIn, Way};
use crate::fs::{self, FsError};
use crate::model::{Catalogue, Price};
use crate::process::{self, Command, Confinement, Limits, ProcessError};

/// What is asked for, and what is there.
pub struct Ground<'a> {
    /// Our own program, which watches over each child.
    pub shim: &'a Path,
    /// The user's environment.
    pub variables: &'a [(OsString, OsString)],
    /// The user's `PATH`.
    pub path: &'a OsStr,
    /// The folder that relative paths start from.
    pub here: &'a Path,
    /// A folder for what the programs write, which is not there yet.
    pub place: &'a Path,
    /// The models.
    pub catalogue: &'a Catalogue,
    /// The agents.
    pub agents: &'a Agents,
}

/// Something that keeps a role from being played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub help: String,
}

/// What is known of a program.
#[derive(Debug, Serialize)]
pub struct ProgramFound {
    /// Its name.
    pub name: &'static str,
    /// Where it is, if it was found.
    pub path: Option<PathBuf>,
    /// What it says of its version.
    pub version: Option<String>,
    /// Why it says nothing of it.
    pub failure: Option<String>,
    /// The version that twostep was made with: major and minor.
    pub measured: String,
    /// How to get it.
    pub install: &'static str,
    /// How it is signed in, what it takes first.
    pub sign_ins: Vec<SignIn>,
    /// What is odd and no problem.
    pub notes: Vec<String>,
}

/// What is known of a role.
#[derive(Debug, Serialize)]
pub struct RoleFound {
    /// The role.
    pub role: Role,
    /// Who is to play it.
    pub agent: String,
    /// The model, if it is known.
    pub model: Option<ModelFacts>,
    /// Why it cannot be played.
    pub problems: Vec<Problem>,
}

/// What counts of a model.
#[derive(Debug, Serialize)]
pub struct ModelFacts {
    /// Its identifier.
    pub id: String,
    /// Tokens of its window.
    pub window: u64,
    /// The most tokens that a prompt of ours may have.
    pub prompt_limit: u64,
    /// Dollars for a million tokens.
    pub price: Option<Price>,
}

/// A program that does not tell its version in this time is taken to hang.
const VERSION_LIMITS: Limits = Limits {
    idle: Duration::from_secs(30),
    wall: Duration::from_secs(30),
    max_output_bytes: 1 << 20,
    grace: Duration::from_secs(1),
};

/// Looks for all programs that we can drive.
///
/// # Errors
///
/// Fails if the place for what they write cannot be written, or our own program cannot be started.
pub fn programs(ground: &Ground<'_>) -> Result<Vec<ProgramFound>, ProcessError> {
    let each = ProgramKind::ALL.into_iter();
    each.map(|kind| program(kind, ground)).collect()
}

fn program(kind: ProgramKind, ground: &Ground<'_>) -> Result<ProgramFound, ProcessError> {
    let program = Program::find(kind, kind.default_model().to_owned(), ground.path);
    let told = match &program {
        None => None,
        Some(program) => {
            let told = program.version(
                ground.shim,
                ground.variables,
                ground.place,
                &VERSION_LIMITS,
                &|| false,
            );
            Some(match told {
                Err(error @ ProcessError::Start { .. }) => Err(error.to_string()),
                told => told?,
            })
        }
    };
    let (version, failure) = match told {
        None => (None, None),
        Some(Ok(version)) => (Some(version), None),
        Some(Err(failure)) => (None, Some(failure)),
    };
    let sign_ins = kind.sign_ins(ground.variables);
    let mut notes = Vec::new();
    notes.extend(version.as_deref().and_then(|told| age_note(kind, told)));
    notes.extend(key_note(&sign_ins));
    if let Some(name) = kind.ignored_key(ground.variables) {
        let text = format!("{name} is set, and codex passes it over: only CODEX_API_KEY counts");
        notes.push(text);
    }
    let (major, minor) = kind.measured();
    Ok(ProgramFound {
        name: kind.name(),
        path: program.map(|program| program.path),
        version,
        failure,
        measured: format!("{major}.{minor}"),
        install: kind.install(),
        sign_ins,
        notes,
    })
}

/// Says whether a version is another than we know.
fn age_note(kind: ProgramKind, told: &str) -> Option<String> {
    let measured = kind.measured();
    let (major, minor) = measured;
    let Some(found) = version_of(told) else {
        return Some(format!("its version is none that we can read: `{told}`"));
    };
    if found.0 != major {
        Some(format!(
            "twostep was made with {major}.{minor}: much may be different"
        ))
    } else if found < measured {
        Some(format!(
            "twostep was made with {major}.{minor}, which is newer; get it with `{}`",
            kind.install()
        ))
    } else {
        None
    }
}

/// Returns major and minor of the first version in a text.
fn version_of(text: &str) -> Option<(u32, u32)> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .find_map(|word| {
            let mut numbers = word.split('.').map(str::parse);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
        })
}

/// Says whether a key stands before a log-in.
fn key_note(sign_ins: &[SignIn]) -> Option<String> {
    let first = sign_ins.first().filter(|first| first.way == Way::Key)?;
    let other = sign_ins.iter().find(|other| other.way == Way::LogIn)?;
    Some(format!(
        "{} is set and stands before the log-in in {}: calls are billed by the token; unset it to use the log-in",
        first.by, other.by
    ))
}

/// Says who plays `role`, and whether that can be.
pub fn role(
    role: Role,
    choice: Option<&Choice>,
    programs: &[ProgramFound],
    ground: &Ground<'_>,
) -> RoleFound {
    let player = Player::find(
        role,
        choice.cloned(),
        None,
        (ground.catalogue, ground.agents),
        ground.path,
        ground.here,
    );
    let usual = super::player::default_program(role).name();
    let mut agent = choice.map_or_else(|| usual.to_owned(), ToString::to_string);
    let player = match player {
        Ok(player) => player,
        Err(error) => {
            let (what, help) = (error.to_string(), error.hint(None));
            return RoleFound {
                role,
                agent,
                model: None,
                problems: vec![Problem { what, help }],
            };
        }
    };
    agent = player.choice();
    let known = player.kind.and_then(|kind| {
        let found = programs.iter().find(|found| found.name == kind.name())?;
        Some((kind, found))
    });
    let mut problems = Vec::new();
    if let Some((kind, found)) = known {
        let name = kind.name();
        problems.extend(found.failure.as_ref().map(|failure| Problem {
            what: format!("`{name} --version` failed: {failure}"),
            help: format!("get {name} anew with `{}`", kind.install()),
        }));
        if found.sign_ins.is_empty() && !kind.has_keychain() {
            problems.push(Problem {
                what: format!("{name}, the {}, is not signed in", role.name()),
                help: kind.how_to_sign_in().to_owned(),
            });
        }
    }
    if let Err(error) = player.require_key(ground.variables) {
        let (what, help) = (error.to_string(), error.hint(None));
        problems.push(Problem { what, help });
    }
    RoleFound {
        role,
        agent,
        model: Some(ModelFacts {
            id: player.model.id.clone(),
            window: player.model.context_window,
            prompt_limit: player.prompt_limit(role),
            price: player.model.price,
        }),
        problems,
    }
}

/// Says whether programs can be confined to where they may write: our own is, and says its version.
///
/// # Errors
///
/// Fails if it cannot be started.
pub fn confinement(ground: &Ground<'_>) -> Result<Confinement, ProcessError> {
    let folder = ground.place.join("confined");
    fs::make_private_folders(&folder)?;
    let [stdout, stderr] = ["out", "err"].map(|end| folder.with_extension(end));
    let command = Command {
        program: ground.shim.to_owned(),
        args: vec!["--version".into()],
        env: Vec::new(),
        writable: Some(vec![folder.clone()]),
        folder,
        stdin: None,
        stdout,
        stderr,
        secrets: Vec::new(),
    };
    let ended = process::run(
        ground.shim,
        &command,
        &VERSION_LIMITS,
        &|| false,
        &mut |_, _| {},
    )?;
    Ok(ended.confined)
}

/// Takes away what the programs wrote.
///
/// # Errors
///
/// Fails where the system does not remove it.
pub fn clear(ground: &Ground<'_>) -> Result<(), FsError> {
    fs::remove_folder(ground.place)
}

/// Returns where git is, which only checks of the user's may need.
pub fn git(ground: &Ground<'_>) -> Option<PathBuf> {
    process::find(OsStr::new("git"), ground.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_than_we_know_is_told() {
        for (kind, told, note) in [
            (ProgramKind::Gemini, "0.61.0", None),
            (ProgramKind::Gemini, "0.62.1-preview.2", None),
            (ProgramKind::Gemini, "0.9.0", Some("newer")),
            (ProgramKind::Gemini, "1.0.0", Some("different")),
            (ProgramKind::Claude, "2.1.329 (Claude Code)", None),
            (
                ProgramKind::Claude,
                "1.0.128 (Claude Code)",
                Some("different"),
            ),
            (ProgramKind::Codex, "codex-cli 0.169.0", None),
            (ProgramKind::Codex, "codex-cli 0.50", Some("newer")),
            (ProgramKind::Codex, "dev", Some("none that we can read")),
        ] {
            let found = age_note(kind, told);
            assert_eq!(found.is_some(), note.is_some(), "{told}: {found:?}");
            let found = found.unwrap_or_default();
            assert!(found.contains(note.unwrap_or_default()), "{told}: {found}");
        }
    }
}
