//! The options by which a pack tells what changed, or holds nothing else.

use anyhow::Context;
use clap::Args;

use super::exit::usage;
use super::printer::Printer;
use crate::flow::history::{self, Wanted};
use crate::flow::pack::PackRequest;
use crate::history::What;
use crate::path::RepoPath;
use crate::repo::{Named, Repository, Scan};

/// What a pack tells of the past.
#[derive(Args, Debug)]
pub(super) struct GitSectionsArgs {
    /// Tell how the files differ: from what is staged and that from HEAD, or one (`staged`, `work-tree`), or since a commit
    ///
    /// Of what is named and not filtered out. The text is that of `git diff --no-renames`; no program is started. Of locks, minified, generated and
    /// vendored files it is only said how many lines differ, unless they are named or --all is given. A branch of these names is meant by
    /// `refs/heads/staged`.
    #[arg(
        long,
        alias = "include-diffs",
        value_name = "WHAT",
        num_args = 0..=1,
        require_equals = true
    )]
    #[expect(clippy::option_option, reason = "absent, without a value, with one")]
    git_diff: Option<Option<String>>,

    /// Tell the last N commits: date, author, message, files
    #[arg(
        long,
        alias = "include-logs-count",
        value_name = "N",
        default_value_t = 0,
        value_parser = parse_commits,
        hide_default_value = true
    )]
    git_log: usize,
}

/// Which files are packed, by what changed.
#[derive(Args, Debug)]
pub(super) struct ChangedArgs {
    /// Pack only files that differ from HEAD, or from this commit; new ones, too
    ///
    /// Of what is named and not filtered out. Whatever git ignores is no new file.
    #[arg(
        long,
        value_name = "REV",
        num_args = 0..=1,
        require_equals = true
    )]
    #[expect(clippy::option_option, reason = "absent, without a value, with one")]
    changed: Option<Option<String>>,
}

/// Parses a number of commits.
fn parse_commits(text: &str) -> Result<usize, String> {
    text.parse()
        .map_err(|_| "expected a number of commits, such as 20".to_owned())
}

impl ChangedArgs {
    /// Says whether nothing was named to compare with: who writes `--changed HEAD` names a file.
    pub(super) fn names_nothing(&self) -> bool {
        self.changed == Some(None)
    }
}

impl GitSectionsArgs {
    /// Says whether nothing was named to compare with: who writes `--git-diff HEAD` names a file.
    pub(super) fn names_nothing(&self) -> bool {
        self.git_diff == Some(None)
    }

    /// Returns what is asked for.
    pub(super) fn wanted(&self) -> Wanted {
        let diffs = match self.git_diff.as_ref().map(Option::as_deref) {
            None => Vec::new(),
            Some(None) => vec![What::WorkTree, What::Staged],
            Some(Some("work-tree")) => vec![What::WorkTree],
            Some(Some("staged")) => vec![What::Staged],
            Some(Some(revision)) => vec![What::Since(revision.to_owned())],
        };
        Wanted {
            diffs,
            n_commits: self.git_log,
        }
    }
}

impl ChangedArgs {
    /// Keeps of what was found what changed, if that was asked for; says what is gone.
    pub(super) fn keep(
        &self,
        repository: &Repository,
        request: &PackRequest,
        scan: &mut Scan,
        printer: &Printer,
    ) -> anyhow::Result<()> {
        let Some(revision) = &self.changed else {
            return Ok(());
        };
        let revision = revision.as_deref();
        let changed = history::keep_changed(repository, revision, scan, request.threads)
            .context("cannot find what changed")?;
        let mut deleted = changed.deleted;
        deleted.retain(|path| {
            request.globs.take(path) && request.named.iter().any(|named| is_in(path, named))
        });
        if let Some(first) = deleted.first() {
            let more = match deleted.len() - 1 {
                0 => String::new(),
                n => format!(" and {n} more"),
            };
            printer.note(&format!("deleted, and so not packed: {first}{more}"));
        }
        if scan.candidates.is_empty() {
            let since = revision.unwrap_or("HEAD");
            return Err(usage(
                format!("there are no files to pack: none that was selected differs from {since}"),
                "name an older commit with `--changed=REV`, or leave `--changed` out",
            ));
        }
        Ok(())
    }
}

/// Says whether `path` is what was named, or in it.
pub(super) fn is_in(path: &RepoPath, named: &Named) -> bool {
    match named {
        Named::Everything => true,
        Named::Folder(folder) => path.is_in(folder),
        Named::File(file) => path == file,
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::*;

    #[test]
    fn sections_are_asked_for_by_name() {
        let command = GitSectionsArgs::augment_args(clap::Command::new("pack"));
        let since = |revision: &str| vec![What::Since(revision.to_owned())];
        for (args, diffs, n_commits) in [
            (&["pack"][..], vec![], 0),
            (
                &["pack", "--git-diff"],
                vec![What::WorkTree, What::Staged],
                0,
            ),
            (
                &["pack", "--include-diffs"],
                vec![What::WorkTree, What::Staged],
                0,
            ),
            (
                &["pack", "--git-diff=staged", "--git-log", "3"],
                vec![What::Staged],
                3,
            ),
            (&["pack", "--git-diff=work-tree"], vec![What::WorkTree], 0),
            (&["pack", "--git-diff=HEAD~3"], since("HEAD~3"), 0),
            (
                &["pack", "--git-diff=refs/heads/staged"],
                since("refs/heads/staged"),
                0,
            ),
            (&["pack", "--include-logs-count", "50"], vec![], 50),
        ] {
            let matches = command.clone().try_get_matches_from(args).unwrap();
            let parsed = GitSectionsArgs::from_arg_matches(&matches).unwrap();
            assert_eq!(parsed.wanted(), Wanted { diffs, n_commits }, "{args:?}");
        }
        for args in [
            &["pack", "--git-log"][..],
            &["pack", "--git-log", "x"],
            &["pack", "--git-diff", "x"],
        ] {
            assert!(
                command.clone().try_get_matches_from(args).is_err(),
                "{args:?}"
            );
        }
    }
}
