//! The options by which every verb says which files it means.

use std::ffi::OsStr;
use std::io::Read;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::environment::Environment;
use super::exit::usage;
use super::git_sections::is_in;
use super::printer::Printer;
use crate::git;
use crate::history::Detail;
use crate::path::RepoPath;
use crate::repo::{self, Globs, Named, Repository};

/// Which files are meant.
#[derive(Args, Debug)]
pub(super) struct SelectArgs {
    /// Files or folders (default: the whole repository)
    ///
    /// A file that is named is taken even if it is ignored.
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,

    /// Read more paths from stdin, one a line
    #[arg(long)]
    stdin: bool,

    /// Paths on stdin end in NUL, not in a line break
    #[arg(short = '0', long = "null", requires = "stdin")]
    null: bool,

    /// Take only files that match this glob (can be repeated; commas separate globs)
    ///
    /// Globs are those of .gitignore: `*.rs` matches in every folder, `/src` at the root only.
    #[arg(long = "include", value_name = "GLOB")]
    includes: Vec<String>,

    /// Leave out files that match this glob (can be repeated; commas separate globs)
    #[arg(
        long = "exclude",
        short = 'x',
        short_alias = 'i',
        alias = "ignore",
        value_name = "GLOB"
    )]
    excludes: Vec<String>,

    /// Take locks, minified, generated, vendored and large files in full, too
    #[arg(long, alias = "no-default-patterns")]
    pub(super) all: bool,

    /// Threads to use (default: one a processor)
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    threads: Option<NonZeroUsize>,
}

/// What the options meant.
pub(super) struct Selected {
    /// The repository.
    pub(super) repository: Repository,
    /// What was named in it.
    pub(super) named: Vec<Named>,
    /// The filters.
    pub(super) globs: Globs,
    /// The globs of what is included.
    pub(super) includes: Vec<String>,
    /// The globs of what is excluded.
    pub(super) excludes: Vec<String>,
    /// How many threads to use.
    pub(super) threads: NonZeroUsize,
}

impl SelectArgs {
    /// Opens the repository and resolves what was named. Paths on stdin that name nothing are only warned of.
    pub(super) fn resolve(
        &self,
        environment: &Environment,
        printer: &Printer,
    ) -> anyhow::Result<Selected> {
        let includes = self
            .includes
            .iter()
            .flat_map(|globs| split_globs(globs))
            .collect::<Vec<_>>();
        let excludes = self
            .excludes
            .iter()
            .flat_map(|globs| split_globs(globs))
            .collect::<Vec<_>>();
        let globs = Globs::parse(&includes, &excludes).map_err(|error| {
            usage(
                error.to_string(),
                "globs are those of .gitignore, such as `src/**/*.rs`",
            )
        })?;
        let (repository, mut named, git_error) = repo::open(&environment.directory, &self.paths)?;
        if let Some(error) = git_error {
            printer.warn(&format!("{error}; going on without git"));
        }
        if self.stdin {
            if self.paths.is_empty() {
                named.clear();
            }
            for line in self.lines()? {
                match name(&repository, &environment.directory, &line) {
                    Ok(found) => named.push(found),
                    Err(error) => printer.warn(&format!("{error:#}; left out")),
                }
            }
            if named.is_empty() {
                return Err(usage(
                    "stdin names no file",
                    "send it paths, as in `git ls-files | twostep pack --stdin`",
                ));
            }
        }
        Ok(Selected {
            repository,
            named,
            globs,
            includes,
            excludes,
            threads: super::environment::threads(self.threads),
        })
    }

    /// Returns how much of a path's difference is told, where these files are named and filtered so.
    pub(super) fn detail(&self, path: &RepoPath, named: &[Named], globs: &Globs) -> Detail {
        if !globs.take(path) || !named.iter().any(|named| is_in(path, named)) {
            Detail::Nothing
        } else if self.all || named.contains(&Named::File(path.clone())) {
            Detail::Full
        } else {
            Detail::Packed
        }
    }

    fn lines(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut bytes = Vec::new();
        #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .context("cannot read the paths on stdin")?;
        let end = if self.null { 0 } else { b'\n' };
        let lines = bytes.split(|&byte| byte == end).map(|line| {
            if self.null {
                line
            } else {
                line.strip_suffix(b"\r").unwrap_or(line)
            }
        });
        Ok(lines
            .filter(|line| !line.is_empty())
            .map(<[u8]>::to_vec)
            .collect())
    }
}

/// More threads than this only cost memory.
const MAX_THREADS: usize = 256;

fn parse_threads(text: &str) -> Result<NonZeroUsize, String> {
    let threads = text
        .parse()
        .ok()
        .filter(|n: &NonZeroUsize| n.get() <= MAX_THREADS);
    threads.ok_or_else(|| format!("expected a number of threads, from 1 to {MAX_THREADS}"))
}

/// Finds what a line of stdin names: as it is, or as git quotes names that are not plain.
fn name(repository: &Repository, directory: &Path, line: &[u8]) -> Result<Named, repo::OpenError> {
    let find = |path: &[u8]| repository.name(directory, Path::new(OsStr::from_bytes(path)));
    match (find(line), git::unquote(line)) {
        (Err(_), Some(path)) => find(&path),
        (found, _) => found,
    }
}

/// Cuts a list of globs at its commas, but for those in braces.
fn split_globs(globs: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let parts = globs.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_cut_at_commas_outside_braces() {
        assert_eq!(split_globs("*.{rs,go},src/**"), ["*.{rs,go}", "src/**"]);
        assert_eq!(split_globs("a,,b,"), ["a", "b"]);
    }
}
