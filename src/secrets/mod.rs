//! Finds secrets in any text and puts placeholders in their place.
//!
//! In: a text, the path of its file, what the user lets through, and values that are known to be secret. Out:
//! [`Finding`]s, and by [`Numbers`] the text without them. One pass finds the keywords of all rules (`rules.toml`);
//! a rule's pattern runs only where one of its keywords stands. What is encoded is decoded once and looked at in the same way.
//! Pure: no I/O.
//!
//! Invariants: findings are sorted and apart from each other; nothing in a text hides what is found in the rest of it; no
//! secret is in a `Debug` of anything here; the work is linear in the text, whatever it holds.

mod allow;
mod assigned;
mod decode;
mod elsewhere;
mod file_name;
mod judge;
mod key_block;
mod keywords;
mod kind;
mod kubernetes;
mod names;
mod numbers;
mod reader;
mod rules;
mod sighting;
mod sweep;
mod table;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use memchr::memmem::Finder;

pub use allow::{Allow, InvalidAllow};
pub use file_name::is_secret_name;
pub use numbers::{Numbers, Placeholder, placeholders};
pub use sighting::Sighting;

use assigned::Quoting;
use decode::Decoded;
use keywords::Keywords;
use kind::FileKind;
use rules::{Call, Rules};
use sweep::{Scope, Sweep};

/// What the rules of our own variables begin with; the variable's name follows.
const ENVIRONMENT: &str = "environment-";

/// The shortest value of a variable that is looked for.
const MIN_VARIABLE: usize = 12;

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule found it.
    pub rule: Arc<str>,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// Its bytes: within one line, but for the body of a private key, and what is encoded on several.
    pub range: Range<usize>,
}

/// Finds secrets; one serves all threads.
pub struct Scanner {
    rules: Rules,
    keywords: Keywords,
    /// What each keyword calls.
    calls: Vec<Vec<Call>>,
    /// Values that are secret wherever they stand, each with its rule.
    variables: Vec<(Finder<'static>, Arc<str>)>,
    allow: Allow,
}

impl fmt::Debug for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scanner")
            .field("allow", &self.allow)
            .finish_non_exhaustive()
    }
}

/// How a secret was found; what says more about it comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Variable,
    KeyBlock,
    Token,
    Line,
    Name,
    /// A token that begins like many things.
    LooseToken,
    Family,
    Manifest,
    /// A value that was found in another place.
    Elsewhere,
}

/// A secret, and how it was found.
struct Found {
    finding: Finding,
    rank: Rank,
}

impl Scanner {
    /// Makes a scanner for all rules that come with the program.
    pub fn new(allow: Allow) -> Self {
        let mut rules = Rules::built_in();
        let (keywords, calls) = std::mem::take(&mut rules.calls).into_iter().unzip();
        Self {
            rules,
            keywords: Keywords::new(keywords),
            calls,
            variables: Vec::new(),
            allow,
        }
    }

    /// Adds variables, by name and value, whose values are secret wherever they stand; short values are left out.
    #[must_use]
    pub fn with_values(mut self, variables: Vec<(String, String)>) -> Self {
        for (name, value) in variables {
            if value.len() >= MIN_VARIABLE {
                let name = name.to_ascii_lowercase().replace('_', "-");
                let rule = format!("{ENVIRONMENT}{name}").into();
                self.variables
                    .push((Finder::new(&value).into_owned(), rule));
            }
        }
        self
    }

    /// Says in words what a rule finds.
    fn describe(&self, rule: &str) -> &str {
        let known = self.rules.all().find(|known| *known.id == *rule);
        known.map_or("value of an environment variable", |known| &known.what)
    }

    /// Finds the secrets in `text`, the contents of the file `path`; what is no file has an empty path. What is found
    /// in one place is found wherever else it stands.
    pub fn find(&self, path: &str, text: &str) -> Vec<Finding> {
        self.find_also(path, text, &Numbers::default())
    }

    /// Finds the values of `seen` in `text`, too, wherever they stand.
    pub fn find_also(&self, path: &str, text: &str, seen: &Numbers) -> Vec<Finding> {
        let mut found = Vec::new();
        if self.allow.takes_path(path) {
            self.find_variables(text, &mut found);
        } else {
            self.find_known_forms(path, text, &mut found);
            if let Some(visible) = decode::visible(text) {
                let mut inner = Vec::new();
                self.find_known_forms(path, &visible.text, &mut inner);
                found.extend(inner.into_iter().map(|inner| inner.within(&visible)));
            }
        }
        self.spare_placeholders(text, &mut found);
        let mut settled = settle(found);
        settled.retain(|found| !self.allow.takes(&found.finding, text));
        let own = settled.iter().map(|found| &found.finding);
        let own = own.map(|finding| (&finding.rule, &text[finding.range.clone()]));
        let mut elsewhere = elsewhere::places(text, own.chain(seen.seen()));
        self.spare_placeholders(text, &mut elsewhere);
        settled.extend(elsewhere);
        located(settle(settled), text)
    }

    fn find_known_forms(&self, path: &str, text: &str, found: &mut Vec<Found>) {
        let scope = Scope::Text(FileKind::of(path, &self.rules.words));
        self.sweep(text, scope, found);
        let mut look = |decoded: Decoded| self.look_into(&decoded, found);
        decode::encoded_words(text, &mut look);
        decode::escaped_runs(text, &mut look);
        self.find_in_table(path, text, found);
    }

    fn find_in_table(&self, path: &str, text: &str, found: &mut Vec<Found>) {
        let is_telling = |name: &str| names::is_telling(&self.rules, name);
        for (name, cell) in table::cells(path, text, is_telling) {
            let value = &text[cell.clone()];
            let rule = names::rule_of(&self.rules, name, value, Quoting::Bare, FileKind::Text);
            if let Some((rule, rank)) = rule {
                found.push(Found::new(&rule.id, cell, rank));
            }
        }
    }

    fn look_into(&self, decoded: &Decoded, found: &mut Vec<Found>) {
        let mut inner = Vec::new();
        self.sweep(&decoded.text, Scope::Decoded, &mut inner);
        found.extend(inner.into_iter().map(|inner| inner.within(decoded)));
    }

    fn sweep(&self, text: &str, scope: Scope, found: &mut Vec<Found>) {
        self.find_variables(text, found);
        let mut sweep = Sweep::new(&self.rules, text, scope, found);
        self.keywords.find(text, |keyword, hit| {
            for call in &self.calls[keyword] {
                sweep.follow(call, &hit);
            }
        });
        sweep.finish();
    }

    /// Takes out what was found within placeholders; what is partly in one takes all of it. Only the name
    /// of a rule makes one: any other word could be a secret itself.
    fn spare_placeholders(&self, text: &str, found: &mut Vec<Found>) {
        if found.is_empty() {
            return;
        }
        let is_rule = |name: &str| {
            name.starts_with(ENVIRONMENT) || self.rules.all().any(|rule| *rule.id == *name)
        };
        let ours = placeholders(text).filter(|found| is_rule(found.rule));
        let known: Vec<Range<usize>> = ours.map(|known| known.range).collect();
        found.retain_mut(|found| {
            let range = found.finding.range.clone();
            let first = known.partition_point(|known| known.end <= range.start);
            let mut touched = known[first..]
                .iter()
                .take_while(|known| known.start < range.end)
                .peekable();
            let is_within =
                |known: &&Range<usize>| known.start <= range.start && range.end <= known.end;
            let is_known = touched.peek().is_some_and(is_within);
            for known in touched {
                let widened = &mut found.finding.range;
                *widened = widened.start.min(known.start)..widened.end.max(known.end);
            }
            !is_known
        });
    }

    fn find_variables(&self, text: &str, found: &mut Vec<Found>) {
        for (value, rule) in &self.variables {
            for start in value.find_iter(text.as_bytes()) {
                let range = start..start + value.needle().len();
                found.push(Found::new(rule, range, Rank::Variable));
            }
        }
    }
}

impl Found {
    fn new(rule: &Arc<str>, range: Range<usize>, rank: Rank) -> Self {
        let finding = Finding {
            rule: Arc::clone(rule),
            line: 0,
            range,
        };
        Self { finding, rank }
    }

    /// Returns what was found in a decoded text as it stands in the text that was decoded.
    fn within(mut self, decoded: &Decoded) -> Self {
        self.finding.range = decoded.source(&self.finding.range);
        self
    }
}

/// Sorts, and makes one of those that overlap, under the rule that says most.
fn settle(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|found| (found.finding.range.start, found.rank));
    let mut settled: Vec<Found> = Vec::new();
    for next in found {
        match settled
            .last_mut()
            .filter(|last| next.finding.range.start < last.finding.range.end)
        {
            Some(last) => {
                last.finding.range.end = last.finding.range.end.max(next.finding.range.end);
                if next.rank < last.rank {
                    last.finding.rule = next.finding.rule;
                    last.rank = next.rank;
                }
            }
            None => settled.push(next),
        }
    }
    settled
}

/// Counts the lines of what was found.
fn located(settled: Vec<Found>, text: &str) -> Vec<Finding> {
    let (mut line, mut counted) = (1, 0);
    let mut findings: Vec<Finding> = settled.into_iter().map(|found| found.finding).collect();
    for finding in &mut findings {
        line += memchr::memchr_iter(b'\n', &text.as_bytes()[counted..finding.range.start]).count();
        counted = finding.range.start;
        finding.line = line;
    }
    findings
}
