//! Where workflows are: built in, in the user's folder, or in the project's, where they work once the user agreed to them.

use std::path::{Path, PathBuf};

use crate::alike::did_you_mean;
use crate::cli::environment::Environment;
use crate::cli::exit::usage;
use crate::cli::trust;
use crate::fs::{self, Entry};
use crate::path::RepoPath;
use crate::repo::{self, Repository};
use crate::workflow::BUILT_IN;

/// The folder of the user's workflows.
const FOLDER: &str = "workflows";

/// The folder of a project's, at its root.
pub(in crate::cli) const PROJECT_FOLDER: &str = "twostep-workflows";

/// A workflow is small.
const MAX_BYTES: u64 = 1 << 20;

/// Whose a workflow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    BuiltIn,
    Yours,
    /// The project's, and the user agreed to it.
    Project,
    /// The project's.
    NotAgreed,
}

impl Whose {
    /// Returns it as a program reads it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::BuiltIn => "built-in",
            Self::Yours => "yours",
            Self::Project => "project",
            Self::NotAgreed => "project, not agreed to",
        }
    }
}

/// A workflow that there is.
pub(super) struct Found {
    pub(super) text: String,
    pub(super) whose: Whose,
    /// What it is called where something is wrong with it.
    pub(super) place: String,
}

/// Returns all workflows that have a name, or why one cannot be read, in the order in which a name is looked up: the user's, those
/// that are built in, the project's.
pub(super) fn all(
    environment: &Environment,
) -> anyhow::Result<Vec<(String, anyhow::Result<Found>)>> {
    let mut all = Vec::new();
    for (name, path) in own(environment)? {
        let found = fs::read_regular_text(&path, MAX_BYTES).map(|text| Found {
            text,
            whose: Whose::Yours,
            place: format!("`{}`", path.display()),
        });
        all.push((name, found.map_err(anyhow::Error::from)));
    }
    all.extend(BUILT_IN.iter().map(|(name, text)| {
        let found = Found {
            text: (*text).to_owned(),
            whose: Whose::BuiltIn,
            place: format!("the workflow `{name}`"),
        };
        ((*name).to_owned(), Ok(found))
    }));
    let (repository, _, _) = repo::open(&environment.directory, &[])?;
    let agreed = trust::workflows(&repository, environment)?;
    for path in paths_of_project(&repository)? {
        let found = text_of_project(&repository, &path).map(|text| {
            let is_agreed = agreed.get(&path.to_string()) == Some(&trust::print_of(&text));
            Found {
                whose: if is_agreed {
                    Whose::Project
                } else {
                    Whose::NotAgreed
                },
                place: format!("`{path}`"),
                text,
            }
        });
        let name = path.as_path().file_stem().unwrap_or_default();
        all.push((name.to_string_lossy().into_owned(), found));
    }
    Ok(all)
}

/// Returns the workflow that is called `name`, or is in that file.
pub(super) fn find(name: &str, environment: &Environment) -> anyhow::Result<Found> {
    let is_file = Path::new(name)
        .extension()
        .is_some_and(|ending| ending == "toml");
    if is_file {
        let path = environment.at(Path::new(name));
        let text = fs::read_text(&path, MAX_BYTES)?;
        return Ok(Found {
            whose: whose(&path, &text, environment)?,
            text,
            place: format!("`{name}`"),
        });
    }
    let all = all(environment)?;
    let meant = did_you_mean(name, all.iter().map(|(known, _)| known.as_str()));
    let found = all.into_iter().find(|(known, _)| known == name);
    let (_, found) = found.ok_or_else(|| {
        usage(
            format!("there is no workflow `{name}`"),
            format!(
                "{meant}`twostep workflow list` names those that there are; a file ends in `.toml`"
            ),
        )
    })?;
    found
}

/// Returns whose the workflow in a file is: the project's folder is no other by another way to it.
fn whose(path: &Path, text: &str, environment: &Environment) -> anyhow::Result<Whose> {
    let (repository, _, _) = repo::open(&environment.directory, &[])?;
    let file = fs::resolve(path)?;
    let folder = fs::resolve(&repository.root.path().join(PROJECT_FOLDER));
    if !folder.is_ok_and(|folder| file.starts_with(folder)) {
        return Ok(Whose::Yours);
    }
    let agreed = trust::workflows(&repository, environment)?;
    let print = trust::print_of(text);
    let is_agreed = agreed.values().any(|agreed| *agreed == print);
    Ok(if is_agreed {
        Whose::Project
    } else {
        Whose::NotAgreed
    })
}

/// Returns the project's workflows: their paths and texts, sorted.
pub(in crate::cli) fn of_project(
    repository: &Repository,
) -> anyhow::Result<Vec<(RepoPath, String)>> {
    let paths = paths_of_project(repository)?.into_iter();
    let read = paths.map(|path| Ok((path.clone(), text_of_project(repository, &path)?)));
    read.collect()
}

/// Returns the paths of the project's workflows, sorted.
fn paths_of_project(repository: &Repository) -> anyhow::Result<Vec<RepoPath>> {
    let root = &repository.root;
    let Ok(folder) = RepoPath::parse(PROJECT_FOLDER.as_bytes()) else {
        return Ok(Vec::new());
    };
    let is_folder = root
        .find(&folder)?
        .is_some_and(|stat| stat.kind == fs::EntryKind::Folder);
    if !is_folder {
        return Ok(Vec::new());
    }
    let files = root.list(Some(&folder))?.into_iter();
    let files = files
        .filter(|(path, kind)| *kind == fs::EntryKind::File && path.as_bytes().ends_with(b".toml"));
    let mut paths: Vec<RepoPath> = files.map(|(path, _)| path).collect();
    paths.sort();
    Ok(paths)
}

/// Reads a workflow of the project's.
fn text_of_project(repository: &Repository, path: &RepoPath) -> anyhow::Result<String> {
    match repository.root.read(path, MAX_BYTES)? {
        Entry::Whole(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Entry::TooLarge { bytes } => Err(usage(
            format!("`{path}` has {bytes} bytes, and a workflow has {MAX_BYTES} at most"),
            "move out of it what is no workflow",
        )),
    }
}

/// Returns the user's own workflows, by name.
fn own(environment: &Environment) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let Some(folder) = environment.own_path(FOLDER) else {
        return Ok(Vec::new());
    };
    let mut own = Vec::new();
    for name in fs::list(&folder)? {
        let path = folder.join(&name);
        if path.extension().is_some_and(|ending| ending == "toml")
            && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str())
        {
            own.push((stem.to_owned(), path));
        }
    }
    Ok(own)
}
