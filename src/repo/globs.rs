//! The filters of the user.

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::path::RepoPath;

/// The globs of the user, in the syntax of `.gitignore`.
#[derive(Debug, Clone)]
pub struct Globs {
    include: Option<Gitignore>,
    exclude: Gitignore,
    /// What is taken whatever they say.
    too: Vec<RepoPath>,
}

/// A glob that has no meaning.
#[derive(Debug, thiserror::Error)]
#[error("bad glob `{glob}`: {why}")]
pub struct InvalidGlob {
    glob: String,
    why: String,
}

impl Globs {
    /// Returns those that take every file.
    pub fn everything() -> Self {
        Self {
            include: None,
            exclude: Gitignore::empty(),
            too: Vec::new(),
        }
    }

    /// Takes what is included (everything, if nothing is given) and then excluded.
    ///
    /// # Errors
    ///
    /// Fails on a glob that is malformed or empty.
    pub fn parse(include: &[String], exclude: &[String]) -> Result<Self, InvalidGlob> {
        Ok(Self {
            include: if include.is_empty() {
                None
            } else {
                Some(matcher(include)?)
            },
            exclude: matcher(exclude)?,
            too: Vec::new(),
        })
    }

    /// Takes these files, too.
    pub fn take_too(&mut self, files: &[RepoPath]) {
        self.too.extend_from_slice(files);
    }

    /// Says whether `path`, or a folder that it is in, is included and not excluded.
    pub fn take(&self, path: &RepoPath) -> bool {
        let matches = |globs: &Gitignore| {
            globs
                .matched_path_or_any_parents(path.as_path(), false)
                .is_ignore()
        };
        let taken = self.include.as_ref().is_none_or(matches) && !matches(&self.exclude);
        taken || self.too.contains(path)
    }
}

fn matcher(globs: &[String]) -> Result<Gitignore, InvalidGlob> {
    let mut builder = GitignoreBuilder::new("");
    for glob in globs {
        let invalid = |why: String| InvalidGlob {
            glob: glob.clone(),
            why,
        };
        if glob.trim().is_empty() {
            return Err(invalid("it is empty".to_owned()));
        }
        if is_unclosed(glob) {
            return Err(invalid("a `[` is not closed".to_owned()));
        }
        // What begins with `#` or `!` is no comment and no exception here.
        let literal = if glob.starts_with(['#', '!']) {
            format!("\\{glob}")
        } else {
            glob.clone()
        };
        builder
            .add_line(None, literal.strip_prefix("./").unwrap_or(&literal))
            .map_err(|error| invalid(error.to_string()))?;
    }
    builder.build().map_err(|error| InvalidGlob {
        glob: globs.join(" "),
        why: error.to_string(),
    })
}

/// Says whether a `[` has no `]` after it. Git lets such a glob match nothing; here it is a mistake.
fn is_unclosed(glob: &str) -> bool {
    let mut characters = glob.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => drop(characters.next()),
            '[' if !characters.any(|c| c == ']') => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn globs_are_those_of_gitignore() {
        for (include, exclude, file, taken) in [
            (&[][..], &[][..], "a/b.rs", true),
            (&["*.rs"], &[], "a/b.rs", true),
            (&["*.rs"], &[], "a/b.go", false),
            (&["src"], &[], "src/a/b.go", true),
            (&["src/"], &[], "lib/src/b.go", true),
            (&["/src"], &[], "lib/src/b.go", false),
            (&["src/**/*.go"], &[], "src/a/b/c.go", true),
            (&["./src/*.go"], &[], "src/c.go", true),
            (&["*.{rs,go}"], &["tests"], "a/tests/b.rs", false),
            (&["*.rs"], &["b.*"], "b.rs", false),
            (&["#x"], &[], "#x", true),
            (&["!x"], &[], "!x", true),
        ] {
            let owned = |globs: &[&str]| {
                globs
                    .iter()
                    .map(|&glob| glob.to_owned())
                    .collect::<Vec<_>>()
            };
            let globs = Globs::parse(&owned(include), &owned(exclude)).unwrap();
            assert_eq!(
                globs.take(&path(file)),
                taken,
                "{include:?} {exclude:?} {file}"
            );
        }
        let mut globs = Globs::parse(&["*.rs".to_owned()], &["b.go".to_owned()]).unwrap();
        globs.take_too(&[path("b.go")]);
        assert!(globs.take(&path("b.go")) && !globs.take(&path("a/b.go")));
        for bad in ["{a", " ", "[", "a[b"] {
            assert!(Globs::parse(&[bad.to_owned()], &[]).is_err(), "{bad}");
        }
    }
}
