//! `twostep verify`

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde::Serialize;

use super::environment::{Environment, threads};
use super::exit::{Exit, usage};
use super::number::counted;
use super::printer::Printer;
use super::secrets::SecretsArgs;
use crate::flow::verify::{Change, New, Verified, VerifyRequest, verify};
use crate::fs::{self, Root, SystemKind};
use crate::repo::{self, Repository};

/// Tell what has changed since a pack was made
///
/// One line for each file that is not as the pack holds it: `changed`, `gone`, or `new` if the pack
/// does not name it. Files that a pack only lists are compared by kind and size.
#[derive(Args, Debug)]
pub(super) struct VerifyArgs {
    /// The pack, in any format (`-`: stdin)
    #[arg(value_name = "PACK")]
    pack: PathBuf,

    /// Folder that the paths of the pack are relative to (default: the repository you are in)
    #[arg(value_name = "TREE")]
    tree: Option<PathBuf>,

    /// Look for no new files, as for a pack of a part of the tree
    #[arg(long)]
    no_new: bool,

    /// Print the differences to stdout as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    secrets: SecretsArgs,
}

#[derive(Serialize)]
struct Listing {
    version: u32,
    files: usize,
    changed: Vec<String>,
    gone: Vec<String>,
    /// Nothing, where it was not looked for or cannot be known.
    new: Option<Vec<String>>,
    listed: usize,
    /// Shown in part; only whether they are there was looked at.
    shortened: usize,
    altered: usize,
}

pub(super) fn run(
    args: &VerifyArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let repository = args.repository(environment, printer)?;
    let redactor = args.secrets.redactor(environment)?;
    let mut request = VerifyRequest {
        repository: &repository,
        new: if args.no_new { New::Ignored } else { New::Told },
        pack: None,
        redactor: &redactor,
        threads: threads(None),
    };
    let verified = if args.pack == Path::new("-") {
        #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
        verify(std::io::stdin().lock(), &request)
    } else {
        let path = environment.at(&args.pack);
        let pack = fs::open(&path)?;
        request.pack = Some(fs::resolve(&path)?);
        verify(pack, &request)
    };
    let verified = verified.with_context(|| format!("cannot verify `{}`", args.pack.display()))?;
    let knows_new = request.new == New::Told && verified.n_unfit == 0;
    if args.json {
        printer.json(&Listing::of(&verified, knows_new))?;
    } else {
        let differences = verified.differences.iter();
        let lines = differences.map(|found| format!("{} {}\n", found.change.name(), found.path));
        printer.data(lines.collect::<String>().as_bytes())?;
    }
    tell(&verified, printer);
    Ok(if verified.differences.is_empty() {
        Exit::Success
    } else {
        Exit::Negative
    })
}

impl VerifyArgs {
    /// Opens the tree: that folder, with what git knows of it if it is the top of a work tree.
    fn repository(
        &self,
        environment: &Environment,
        printer: &Printer,
    ) -> anyhow::Result<Repository> {
        let tree = self.tree.as_deref();
        if let Some(tree) = tree
            && fs::kind(&environment.at(tree))? != SystemKind::Folder
        {
            return Err(usage(
                format!("`{}` is no folder", tree.display()),
                "name the folder that the paths of the pack are relative to",
            ));
        }
        let paths: Vec<PathBuf> = tree.map(Path::to_owned).into_iter().collect();
        let (repository, _, git_error) = repo::open(&environment.directory, &paths)?;
        if let Some(error) = git_error {
            printer.warn(&format!("{error}; going on without git"));
        }
        let Some(tree) = tree else {
            return Ok(repository);
        };
        let root = fs::resolve(&environment.at(tree))?;
        if root == repository.root.path() {
            return Ok(repository);
        }
        Ok(Repository {
            root: Root::open(&root)?,
            git: None,
        })
    }
}

impl Listing {
    fn of(verified: &Verified, knows_new: bool) -> Self {
        let paths = |change: Change| {
            let differences = verified.differences.iter();
            let found = differences.filter(|difference| difference.change == change);
            found.map(|found| found.path.to_string()).collect()
        };
        Self {
            version: 1,
            files: verified.n_files,
            changed: paths(Change::Changed),
            gone: paths(Change::Gone),
            new: knows_new.then(|| paths(Change::New)),
            listed: verified.n_listed,
            shortened: verified.n_shortened,
            altered: verified.n_altered,
        }
    }
}

/// Tells a person what it comes to.
fn tell(verified: &Verified, printer: &Printer) {
    let files = counted(verified.n_files, "file", "files");
    let count = |change: Change| {
        let differences = verified.differences.iter();
        differences.filter(|found| found.change == change).count()
    };
    let found: Vec<String> = [Change::Changed, Change::Gone, Change::New]
        .into_iter()
        .map(|change| (count(change), change.name()))
        .filter(|(n, _)| *n > 0)
        .map(|(n, name)| format!("{n} {name}"))
        .collect();
    if found.is_empty() {
        printer.note(&format!("{files} in the pack, no difference"));
    } else {
        printer.note(&format!("{files} in the pack, {}", found.join(", ")));
    }
    if verified.n_listed > 0 {
        let files = counted(verified.n_listed, "file is", "files are");
        printer.note(&format!("{files} only listed: compared by kind and size"));
    }
    if verified.n_shortened > 0 {
        let files = counted(verified.n_shortened, "file is", "files are");
        printer.note(&format!(
            "{files} shown in part: whether they are there was looked at, and no more"
        ));
    }
    if verified.n_altered > 0 {
        let files = counted(verified.n_altered, "file", "files");
        printer.note(&format!(
            "the secrets in {files} are redacted in the pack, and were not compared"
        ));
    }
    if verified.n_unfit > 0 {
        let files = counted(verified.n_unfit, "file", "files");
        printer.warn(&format!(
            "{files} did not fit in the pack: what is new is not known"
        ));
    }
}
