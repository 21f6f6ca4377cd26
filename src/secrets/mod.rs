//! Finds secrets in any text and puts placeholders in their place.
//!
//! In: a text, the path of its file, what the user lets through, and values that are known to be secret. Out:
//! [`Finding`]s, and by [`Numbers`] the text without them. One pass finds the keywords of all rules (`rules.toml`);
//! a rule's pattern runs only where one of its keywords stands. What is encoded is decoded once and looked at in the same way.
//! Pure: no I/O.
//!
//! Invariants: findings are sorted and apart from each other; nothing in a text changes what is found in the rest of it; no
//! secret is in a `Debug` of anything here; the work is linear in the text, whatever it holds.

mod allow;
mod assigned;
mod decode;
mod file_name;
mod judge;
mod key_block;
mod keywords;
mod kubernetes;
mod numbers;
mod rules;
mod sighting;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use memchr::memmem::Finder;

pub use allow::{Allow, InvalidAllow};
pub use file_name::is_secret_name;
pub use numbers::{Numbers, Placeholder, placeholders};
pub use sighting::Sighting;

use assigned::Bare;
use decode::Decoded;
use judge::Judge;
use keywords::Keywords;
use rules::{Call, PatternRule, Rule, Rules, Target};

/// What the rules of our own variables begin with; the variable's name follows.
const ENVIRONMENT: &str = "environment-";

/// The shortest value of a variable that is looked for.
const MIN_VARIABLE: usize = 12;

/// How far from a keyword a line is looked at, in bytes.
const REACH: usize = 1024;

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule found it.
    pub rule: Arc<str>,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// Its bytes: within one line, but for the body of a private key.
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
}

/// A secret, and how it was found.
struct Found {
    finding: Finding,
    rank: Rank,
}

/// What is looked for in a text.
#[derive(Clone, Copy)]
enum Scope {
    /// Everything.
    Text(Bare),
    /// What is known by its form: decoded text is often no text at all.
    Decoded,
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
    pub fn describe(&self, rule: &str) -> Option<&str> {
        self.rules
            .all()
            .find(|known| *known.id == *rule)
            .map(|known| known.what.as_str())
    }

    /// Finds the secrets in `text`, the contents of the file `path`; what is no file has an empty path.
    pub fn find(&self, path: &str, text: &str) -> Vec<Finding> {
        let mut found = Vec::new();
        if self.allow.takes_path(path) {
            self.find_variables(text, &mut found);
        } else {
            self.sweep(text, Scope::Text(Bare::of(path)), &mut found);
            let mut look = |decoded: Decoded| self.look_into(&decoded, &mut found);
            decode::base64_words(text, &mut look);
            decode::escaped_runs(text, &mut look);
        }
        spare_placeholders(text, &mut found);
        let mut findings = settle(found, text);
        findings.retain(|finding| !self.allow.takes(finding, text));
        findings
    }

    fn look_into(&self, decoded: &Decoded, found: &mut Vec<Found>) {
        let mut inner = Vec::new();
        self.sweep(&decoded.text, Scope::Decoded, &mut inner);
        for mut inner in inner {
            inner.finding.range = decoded.source(&inner.finding.range);
            found.push(inner);
        }
    }

    fn sweep(&self, text: &str, scope: Scope, found: &mut Vec<Found>) {
        self.find_variables(text, found);
        let mut sweep = Sweep {
            scanner: self,
            text,
            scope,
            found,
            line: 0..0,
            token: 0..0,
            names_end: 0,
            key_end: 0,
            manifest_end: 0,
            windows: vec![None; self.rules.lines.len()],
        };
        self.keywords.find(text, |keyword, hit| {
            for call in &self.calls[keyword] {
                sweep.follow(call, &hit);
            }
        });
        sweep.finish();
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
}

/// The state of one pass over a text.
struct Sweep<'a> {
    scanner: &'a Scanner,
    text: &'a str,
    scope: Scope,
    found: &'a mut Vec<Found>,
    /// The line of the last keyword.
    line: Range<usize>,
    /// The last token; none begins within it.
    token: Range<usize>,
    /// Where the names and bare values end that were looked at.
    names_end: usize,
    /// Where the private keys end that were found.
    key_end: usize,
    /// Where the manifests end that were looked at.
    manifest_end: usize,
    /// For each rule of lines, what it still has to look at.
    windows: Vec<Option<Range<usize>>>,
}

impl Sweep<'_> {
    fn follow(&mut self, call: &Call, hit: &Range<usize>) {
        if call
            .exact
            .as_ref()
            .is_some_and(|exact| *exact != self.text[hit.clone()])
        {
            return;
        }
        match call.target {
            Target::Token(place) => self.token(&self.scanner.rules.tokens[place], hit),
            Target::Line(place) => self.widen(place, hit),
            Target::Name => self.name(hit),
            Target::KeyBlock => self.key_block(hit),
            Target::Manifest => self.manifest(hit),
        }
    }

    fn token(&mut self, row: &PatternRule, hit: &Range<usize>) {
        let within_last = hit.start > self.token.start && hit.start < self.token.end;
        if within_last || !begins_word(self.text.as_bytes(), hit.start) {
            return;
        }
        let Some(rest) = row.pattern.regex().find(&self.text.as_bytes()[hit.end..]) else {
            return;
        };
        let range = hit.start..hit.end + rest.end();
        if row.rule.judge.accepts(
            &self.text[hit.end..range.end],
            &self.scanner.rules.documented,
        ) {
            self.token = range.clone();
            let is_loose = row.rule.judge == Judge::Random;
            let rank = if is_loose {
                Rank::LooseToken
            } else {
                Rank::Token
            };
            self.add(&row.rule, range, rank);
        }
    }

    /// Notes that a rule has to look at the line round `hit`; what it has noted before and is apart is looked at now.
    fn widen(&mut self, place: usize, hit: &Range<usize>) {
        self.go_to_line(hit.start);
        let bytes = self.text.as_bytes();
        let start = self.line.start.max(hit.start.saturating_sub(REACH));
        let reach = self.line.end.min(hit.end + REACH);
        let old = self.windows[place].take();
        let open = old
            .clone()
            .filter(|old| old.end >= start && old.start >= self.line.start);
        if let (Some(old), None) = (old, &open) {
            self.look(place, old);
        }
        let known_end = open.as_ref().map_or(reach, |old| old.end.max(reach));
        // Never within a word: half a value would be left.
        let is_part = |byte: &&u8| byte.is_ascii_graphic() && !b"\"'`<>&;,".contains(byte);
        let is_old = open.as_ref().is_some_and(|old| old.end == known_end);
        let rest = if is_old {
            0
        } else {
            bytes[known_end..self.line.end]
                .iter()
                .take_while(is_part)
                .count()
        };
        self.windows[place] = Some(open.map_or(start, |old| old.start)..known_end + rest);
    }

    fn look(&mut self, place: usize, window: Range<usize>) {
        let row = &self.scanner.rules.lines[place];
        let bytes = &self.text.as_bytes()[..window.end];
        let mut at = window.start;
        while let Some(groups) = row.pattern.regex().captures_at(bytes, at) {
            let Some(value) = groups.iter().skip(1).flatten().next() else {
                break;
            };
            // What ends a value may begin the next: go on after the value, not after the match.
            at = value.end().max(at + 1);
            let range = whole_characters(self.text, value.range());
            if row
                .rule
                .judge
                .accepts(&self.text[range.clone()], &self.scanner.rules.documented)
            {
                self.add(&row.rule, range, Rank::Line);
            }
            if at > window.end {
                break;
            }
        }
    }

    fn name(&mut self, hit: &Range<usize>) {
        let Scope::Text(bare) = self.scope else {
            return;
        };
        if hit.start < self.names_end {
            return;
        }
        let name = assigned::name_at(self.text.as_bytes(), hit);
        self.names_end = name.end;
        self.go_to_line(hit.start);
        let Some(assigned) = assigned::read(self.text, &name, &self.line, bare) else {
            return;
        };
        let range = whole_characters(self.text, assigned.value.clone());
        if !assigned.is_quoted {
            self.names_end = range.end.max(name.end);
        }
        let value = &self.text[range.clone()];
        let name = &self.text[name];
        if let Some((rule, rank)) = assigned::rule_of(&self.scanner.rules, name, &assigned, value) {
            self.add(rule, range, rank);
        }
    }

    fn key_block(&mut self, hit: &Range<usize>) {
        if hit.start < self.key_end {
            return;
        }
        if let Some(body) = key_block::body(self.text, hit) {
            self.key_end = body.end;
            self.add(&self.scanner.rules.key_block, body, Rank::KeyBlock);
        }
    }

    fn manifest(&mut self, hit: &Range<usize>) {
        if hit.start < self.manifest_end || matches!(self.scope, Scope::Decoded) {
            return;
        }
        let manifest = kubernetes::document(self.text, hit.start, self.manifest_end);
        self.manifest_end = manifest.end;
        let rules = &self.scanner.rules;
        for value in kubernetes::values(&self.text[manifest.clone()], &rules.documented) {
            let range = manifest.start + value.start..manifest.start + value.end;
            self.add(&rules.manifest, range, Rank::Manifest);
        }
    }

    fn go_to_line(&mut self, at: usize) {
        if at < self.line.end {
            return;
        }
        let bytes = self.text.as_bytes();
        let from = self.line.end;
        let start =
            memchr::memrchr(b'\n', &bytes[from..at]).map_or(from, |length| from + length + 1);
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
        self.line = start..end;
    }

    fn add(&mut self, rule: &Rule, range: Range<usize>, rank: Rank) {
        self.found.push(Found::new(&rule.id, range, rank));
    }

    fn finish(&mut self) {
        for place in 0..self.windows.len() {
            if let Some(window) = self.windows[place].take() {
                self.look(place, window);
            }
        }
    }
}

/// Says whether no word goes on at `at`. The letter of an escape before it, as in `\n`, is no word.
fn begins_word(text: &[u8], at: usize) -> bool {
    let before = &text[..at];
    let goes_on = |last: &u8| last.is_ascii_alphanumeric() || b"_-+/".contains(last);
    let is_escape = matches!(before, [.., b'\\', b'n' | b'r' | b't']);
    is_escape || !before.last().is_some_and(goes_on)
}

/// Widens a range to whole characters.
fn whole_characters(text: &str, range: Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (range.start, range.end);
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// Takes out what was found within placeholders; what is partly in one takes all of it.
fn spare_placeholders(text: &str, found: &mut Vec<Found>) {
    let known: Vec<Range<usize>> = placeholders(text).map(|known| known.range).collect();
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

/// Sorts, makes one of those that overlap, under the rule that says most, and counts the lines.
fn settle(mut found: Vec<Found>, text: &str) -> Vec<Finding> {
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
    let (mut line, mut counted) = (1, 0);
    let mut findings: Vec<Finding> = settled.into_iter().map(|found| found.finding).collect();
    for finding in &mut findings {
        line += memchr::memchr_iter(b'\n', &text.as_bytes()[counted..finding.range.start]).count();
        counted = finding.range.start;
        finding.line = line;
    }
    findings
}
