//! What of a change makes tests and checks see less: fewer tests, weaker ones, failures that pass.
//!
//! In: files before and after, and the checks. Out: [`Weakening`]. Pure; looks at lines, and knows no grammar.
//!
//! Invariant: what only moved from one file of the change to another is not gone.

mod facts;
mod marks;
mod place;
mod setup;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;

use facts::Facts;
use marks::Marks;

use crate::path::RepoPath;
use crate::scratch;

/// A file of a change.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Its path.
    pub path: &'a RepoPath,
    /// Its text before the change; none where it was not there.
    pub before: Option<&'a str>,
    /// Its text after it; none where it is not there any more.
    pub after: Option<&'a str>,
}

/// A place in a change at which less is seen than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weakening {
    /// The file.
    pub path: RepoPath,
    /// What is weaker.
    pub what: What,
}

/// What is weaker than it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A file of tests is gone.
    Deleted,
    /// So many tests are gone, of how many.
    Tests(usize, usize),
    /// So many lines that assert something are gone, of how many.
    Assertions(usize, usize),
    /// This line keeps tests from being run.
    Skipped(String),
    /// This line lets a failure pass.
    Lenient(String),
    /// This line ran a check, and is gone.
    Unrun(String),
    /// This line has a bound that more passes than before; the line as it was, where there is none any more.
    Bound(String),
    /// It says how the project is tested, and says another thing now.
    Setup,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deleted => f.write_str("a file of tests is deleted"),
            Self::Tests(n, of) => write!(f, "{n} of {of} tests are gone"),
            Self::Assertions(n, of) => write!(f, "{n} of {of} assertions are gone"),
            Self::Skipped(line) => write!(f, "tests are skipped by `{line}`"),
            Self::Unrun(line) => write!(f, "a check is not run any more: `{line}`"),
            Self::Lenient(line) => write!(f, "a failure passes by `{line}`"),
            Self::Bound(line) => write!(f, "a bound is looser at `{line}`"),
            Self::Setup => f.write_str("it says how the project is tested"),
        }
    }
}

/// Returns what the change of `files` makes weaker, in their order; `checks` are the commands that judge it.
pub fn weakened(files: &[File<'_>], checks: &[String]) -> Vec<Weakening> {
    let compared: Vec<Compared> = files.iter().map(|file| Compared::of(*file)).collect();
    let is_emptied = compared.iter().any(Compared::is_emptied);
    let mut moved = Moved::new(&compared);
    let mut found = Vec::new();
    for compared in &compared {
        let path = compared.file.path;
        let judged = compared
            .tests(&mut moved, files, is_emptied)
            .into_iter()
            .chain(compared.checks(checks));
        found.extend(judged.map(|what| Weakening {
            path: path.clone(),
            what,
        }));
    }
    found
}

/// A file as it was and as it is.
struct Compared<'a> {
    file: File<'a>,
    before: Facts<'a>,
    after: Facts<'a>,
}

impl<'a> Compared<'a> {
    fn of(file: File<'a>) -> Self {
        let facts = |text: Option<&'a str>| facts::facts(text.unwrap_or_default(), file.path);
        Self {
            before: facts(file.before),
            after: facts(file.after),
            file,
        }
    }

    /// Says whether tests went out of it.
    fn is_emptied(&self) -> bool {
        self.after.tests.len() < self.before.tests.len()
    }

    /// Returns what is weaker of its tests; a file that is new has skipped none, unless tests went out of another.
    fn tests(&self, moved: &mut Moved<'a>, files: &[File<'_>], is_emptied: bool) -> Vec<What> {
        let before = self.before.tests.iter().copied();
        // A module whose file is gone is told by that.
        let before: Vec<&str> = before.filter(|line| !is_gone(line, files)).collect();
        let path = self.file.path;
        let n_tests = moved.n_gone(path, &before, &self.after.tests);
        let n_assertions = moved.n_gone(path, &self.before.assertions, &self.after.assertions);
        if self.file.after.is_none() && place::is_test(self.file.path) {
            let has_some = !self.before.tests.is_empty() || !self.before.assertions.is_empty();
            let is_moved = if has_some {
                n_tests + n_assertions == 0
            } else {
                is_elsewhere(self.file, files)
            };
            return if is_moved {
                Vec::new()
            } else {
                vec![What::Deleted]
            };
        }
        let mut found = Vec::new();
        if n_tests > 0 {
            found.push(What::Tests(n_tests, self.before.tests.len()));
        }
        if n_assertions > 0 {
            found.push(What::Assertions(n_assertions, self.before.assertions.len()));
        }
        if self.file.before.is_some() || is_emptied {
            let skips = more(&self.before.skips, &self.after.skips);
            found.extend(skips.into_iter().map(What::Skipped));
            // A new test may well be one of a failure.
            let n_new = self.after.tests.len().saturating_sub(before.len());
            let reversed = more(&self.before.reversed, &self.after.reversed);
            found.extend(reversed.into_iter().skip(n_new).map(What::Skipped));
        }
        found
    }

    /// Returns what is weaker of how the tests are run, and of what their outcome says.
    fn checks(&self, checks: &[String]) -> Vec<What> {
        let File {
            path,
            before,
            after,
        } = self.file;
        let mut found = Vec::new();
        if place::is_of_checks(path, checks) {
            let marks = |text: Option<&'a str>| marks::marks(text.unwrap_or_default(), path);
            let (before, after): (Marks, Marks) = (marks(before), marks(after));
            found.extend(
                more(&before.lenient, &after.lenient)
                    .into_iter()
                    .map(What::Lenient),
            );
            if scratch::is_judge(path) && self.file.after.is_some() {
                let gone = more(&after.runs, &before.runs).into_iter();
                found.extend(gone.map(What::Unrun));
            }
            found.extend(marks::looser(&before.bounds, &after.bounds).map(What::Bound));
        }
        if setup::is_other(self.file, checks) {
            found.push(What::Setup);
        }
        found
    }
}

/// Lines that came into files of the change, for those that went out of others.
struct Moved<'a> {
    /// For each line the files that it came into.
    came: HashMap<&'a str, Vec<&'a RepoPath>>,
    /// The modules that Rust finds by what the change adds.
    modules: Vec<&'a str>,
    /// The files that were there before.
    old: Vec<&'a RepoPath>,
}

impl<'a> Moved<'a> {
    fn new(all: &[Compared<'a>]) -> Self {
        let mut moved = Self {
            came: HashMap::new(),
            modules: Vec::new(),
            old: Vec::new(),
        };
        for Compared {
            before,
            after,
            file,
        } in all
        {
            for (before, after) in [
                (&before.tests, &after.tests),
                (&before.assertions, &after.assertions),
            ] {
                for line in other(before, after) {
                    moved.came.entry(line).or_default().push(file.path);
                }
            }
            let lines = file.after.unwrap_or_default().lines();
            moved.modules.extend(lines.filter_map(facts::module));
            moved.old.extend(file.before.map(|_| file.path));
        }
        moved
    }

    /// Returns how many of the lines of the file at `path` are fewer than before, and did not come into another in which a
    /// runner finds them as well.
    fn n_gone(&mut self, path: &RepoPath, before: &[&'a str], after: &[&'a str]) -> usize {
        let n_fewer = before.len().saturating_sub(after.len());
        let (modules, old) = (&self.modules, &self.old);
        let is_found = |to: &&RepoPath| old.contains(to) || place::is_found_as(to, path, modules);
        let came = &mut self.came;
        let is_moved = |line: &&'a str| {
            let places = came.get_mut(*line);
            places.is_some_and(|places| match places.iter().position(is_found) {
                Some(at) => {
                    places.swap_remove(at);
                    true
                }
                None => false,
            })
        };
        let gone = other(after, before);
        let n_moved = gone.into_iter().filter(is_moved).take(n_fewer).count();
        n_fewer - n_moved
    }
}

/// Says whether a line of a test names a module whose file is gone.
fn is_gone(line: &str, files: &[File<'_>]) -> bool {
    facts::module(line).is_some_and(|module| {
        let mut gone = files.iter().filter(|file| file.after.is_none());
        gone.any(|file| place::is_module(file.path, module))
    })
}

/// Returns the lines of `after` that are not in `before`, each as often as it is there more.
fn other<'a>(before: &[&'a str], after: &[&'a str]) -> Vec<&'a str> {
    let mut known: HashMap<&str, usize> = HashMap::new();
    for line in before {
        *known.entry(line).or_default() += 1;
    }
    let is_new = |line: &&&str| match known.get_mut(**line) {
        Some(n) if *n > 0 => {
            *n -= 1;
            false
        }
        _ => true,
    };
    after.iter().filter(is_new).copied().collect()
}

/// Returns lines that are new, where there are more than before.
fn more(before: &[&str], after: &[&str]) -> Vec<String> {
    let n_more = after.len().saturating_sub(before.len());
    let new = other(before, after).into_iter().take(n_more);
    new.map(str::to_owned).collect()
}

/// Says whether most of the lines of a file that is gone are in one that is new.
fn is_elsewhere(gone: File<'_>, files: &[File<'_>]) -> bool {
    fn lines(text: Option<&str>) -> Vec<&str> {
        let lines = text.unwrap_or_default().lines().map(str::trim);
        lines.filter(|line| !line.is_empty()).collect()
    }
    let before = lines(gone.before);
    let holds_it = |file: &File<'_>| {
        let n_other = other(&lines(file.after), &before).len();
        file.before.is_none() && !before.is_empty() && n_other * 2 <= before.len()
    };
    files.iter().any(holds_it)
}
