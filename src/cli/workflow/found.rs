//! Where workflows are: built in, in the user's folder, or in the project's, where they work once the user agreed to them.

use std::path::{Path, PathBuf};

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
    pub(super) name: String,
    pub(super) text: String,
    pub(super) whose: Whose,
    /// What it is called where something is wrong with it.
    pub(super) place: String,
}

/// Returns all workflows that have a name, in the order in which a name is looked up: the user's, those that are built in, the
/// project's.
pub(super) fn all(environment: &Environment) -> anyhow::Result<Vec<Found>> {
    let mut all = Vec::new();
    for (name, path) in own(environment)? {
        all.push(Found {
            name,
            text: fs::read_text(&path, MAX_BYTES)?,
            whose: Whose::Yours,
            place: format!("`{}`", path.display()),
        });
    }
    all.extend(BUILT_IN.iter().map(|(name, text)| Found {
        name: (*name).to_owned(),
        text: (*text).to_owned(),
        whose: Whose::BuiltIn,
        place: format!("the workflow `{name}`"),
    }));
    let (repository, _, _) = repo::open(&environment.directory, &[])?;
    let agreed = trust::workflows(&repository, environment)?;
    for (path, text) in of_project(&repository)? {
        let is_agreed = agreed.get(&path.to_string()) == Some(&trust::print_of(&text));
        let name = path.as_path().file_stem().unwrap_or_default();
        all.push(Found {
            name: name.to_string_lossy().into_owned(),
            whose: if is_agreed {
                Whose::Project
            } else {
                Whose::NotAgreed
            },
            place: format!("`{path}`"),
            text,
        });
    }
    Ok(all)
}

/// Returns the workflow that is called `name`, or is in that file.
pub(super) fn find(name: &str, environment: &Environment) -> anyhow::Result<Found> {
    let is_file = Path::new(name)
        .extension()
        .is_some_and(|ending| ending == "toml");
    if is_file {
        return Ok(Found {
            name: name.to_owned(),
            text: fs::read_text(&environment.at(Path::new(name)), MAX_BYTES)?,
            whose: Whose::Yours,
            place: format!("`{name}`"),
        });
    }
    let found = all(environment)?
        .into_iter()
        .find(|found| found.name == name);
    found.ok_or_else(|| {
        usage(
            format!("there is no workflow `{name}`"),
            "`twostep workflow list` names those that there are; a file ends in `.toml`",
        )
    })
}

/// Returns the project's workflows: their paths and texts, sorted.
pub(in crate::cli) fn of_project(
    repository: &Repository,
) -> anyhow::Result<Vec<(RepoPath, String)>> {
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
    let mut found = Vec::new();
    for (path, kind) in root.list(Some(&folder))? {
        let is_it = kind == fs::EntryKind::File && path.as_bytes().ends_with(b".toml");
        if is_it && let Entry::Whole(bytes) = root.read(&path, MAX_BYTES)? {
            found.push((path, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    found.sort();
    Ok(found)
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
