//! The rules, read from `rules.toml`: which keywords call which rule, and each rule's pattern, compiled at first use.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::judge::Judge;
use super::key_block;
use super::words::Words;

/// Parts of words of which each name that secrets are assigned to has one. Foreign words are told by their rarest letters: each
/// place where a keyword might begin costs time.
const NAME_KEYWORDS: &[&str] = &[
    "auth",
    "bearer",
    "cred",
    "key",
    "pass",
    "_pat",
    "pepper",
    "pwd",
    "salt",
    "secret",
    "token",
    "enha",
    "enord",
    "eslo",
    "nnwort",
    "rasena",
    "rase\u{f1}a",
    "wachtwoord",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    tokens: Vec<TokenRow>,
    lines: Vec<LineRow>,
    names: Vec<NameRow>,
    families: Vec<FamilyRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRow {
    id: String,
    what: String,
    starts: Vec<String>,
    rest: String,
    /// Whether it may begin within a word: nothing else begins so.
    #[serde(default)]
    glued: bool,
    #[serde(default)]
    judge: Judge,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineRow {
    id: String,
    what: String,
    keywords: Vec<String>,
    pattern: String,
    /// Whether the keywords stand for any case of themselves, as they do if the pattern begins with `(?i)`.
    #[serde(default)]
    any_case: bool,
    #[serde(default)]
    judge: Judge,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NameRow {
    id: String,
    what: String,
    names: Vec<String>,
    shape: String,
    #[serde(default = "NameRow::judge")]
    judge: Judge,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FamilyRow {
    id: String,
    what: String,
    words: Vec<String>,
    judge: Judge,
}

impl NameRow {
    fn judge() -> Judge {
        Judge::Key
    }
}

/// What a rule is called, and how its values are judged.
pub(super) struct Rule {
    pub id: Arc<str>,
    pub what: String,
    pub judge: Judge,
}

/// A pattern that is compiled when it is first needed.
pub(super) struct Pattern {
    text: String,
    regex: OnceLock<Regex>,
    /// Threads that use the same one wait for its caches: each has a clone, which shares all but these.
    clones: [OnceLock<Regex>; N_CLONES],
}

/// So many threads wait for no other.
const N_CLONES: usize = 16;

/// Returns a number for this thread, below [`N_CLONES`].
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed) % N_CLONES;
    }
    NUMBER.with(|number| *number)
}

impl Pattern {
    fn new(text: String) -> Self {
        Self {
            text,
            regex: OnceLock::new(),
            clones: Default::default(),
        }
    }

    /// Returns the compiled pattern.
    #[expect(
        clippy::expect_used,
        reason = "patterns are part of the program, and a test compiles all of them"
    )]
    pub(super) fn regex(&self) -> &Regex {
        let compile = || {
            RegexBuilder::new(&self.text)
                .unicode(false)
                .multi_line(true)
                .build()
                .expect("a pattern of rules.toml is well-formed")
        };
        self.clones[thread_number()].get_or_init(|| self.regex.get_or_init(compile).clone())
    }
}

/// A rule for tokens.
pub(super) struct TokenRule {
    pub rule: Rule,
    /// What follows how it begins.
    pub rest: Pattern,
    pub is_glued: bool,
}

/// A rule for lines.
pub(super) struct LineRule {
    pub rule: Rule,
    pub pattern: Pattern,
}

/// A rule for values whose names hold one of some words.
pub(super) struct NameRule {
    pub rule: Rule,
    names: Vec<String>,
    pattern: Pattern,
}

/// A rule for values with telling names.
pub(super) struct FamilyRule {
    pub rule: Rule,
    pub words: Vec<String>,
}

/// What is looked at where a keyword stands.
pub(super) enum Target {
    /// The token that begins here, by its place in [`Rules::tokens`].
    Token(usize),
    /// The line, by a place in [`Rules::lines`].
    Line(usize),
    /// The name that the keyword is in, and what it is assigned.
    Name,
    /// The private key whose armour this is.
    KeyBlock,
    /// The Kubernetes manifest of a secret.
    Manifest,
}

/// A target, and the exact form that its keyword must have.
pub(super) struct Call {
    pub target: Target,
    pub exact: Option<String>,
}

/// All rules.
pub(super) struct Rules {
    pub words: Words,
    pub tokens: Vec<TokenRule>,
    pub lines: Vec<LineRule>,
    pub names: Vec<NameRule>,
    pub families: Vec<FamilyRule>,
    pub key_block: Rule,
    pub manifest: Rule,
    /// What each keyword calls; keywords are in lower case.
    pub calls: BTreeMap<String, Vec<Call>>,
}

impl Rules {
    /// Returns the rules that come with the program.
    #[expect(
        clippy::expect_used,
        reason = "the data is part of the program, and a test reads all of it"
    )]
    pub(super) fn built_in() -> Self {
        let file: RulesFile =
            toml::from_str(include_str!("rules.toml")).expect("rules.toml is well-formed");
        let calls = calls(&file);
        let rule = |id: String, what, judge| Rule {
            id: id.into(),
            what,
            judge,
        };
        let token = |row: TokenRow| TokenRule {
            rule: rule(row.id, row.what, row.judge),
            rest: Pattern::new(format!("\\A(?:{})", row.rest)),
            is_glued: row.glued,
        };
        let line = |row: LineRow| LineRule {
            rule: rule(row.id, row.what, row.judge),
            pattern: Pattern::new(row.pattern),
        };
        let name = |row: NameRow| NameRule {
            rule: rule(row.id, row.what, row.judge),
            names: row.names,
            pattern: Pattern::new(format!("\\A(?:{})\\z", row.shape)),
        };
        let family = |row: FamilyRow| FamilyRule {
            rule: rule(row.id, row.what, row.judge),
            words: row.words,
        };
        let own = |id: &str, what: &str| rule(id.to_owned(), what.to_owned(), Judge::Form);
        Self {
            words: Words::built_in(),
            tokens: file.tokens.into_iter().map(token).collect(),
            lines: file.lines.into_iter().map(line).collect(),
            names: file.names.into_iter().map(name).collect(),
            families: file.families.into_iter().map(family).collect(),
            key_block: own("private-key", "private key"),
            manifest: own("kubernetes-secret", "value of a Kubernetes secret"),
            calls,
        }
    }

    /// Returns all rules, in the order of the file.
    pub(super) fn all(&self) -> impl Iterator<Item = &Rule> {
        let tokens = self.tokens.iter().map(|row| &row.rule);
        let lines = self.lines.iter().map(|row| &row.rule);
        let names = self.names.iter().map(|row| &row.rule);
        let families = self.families.iter().map(|row| &row.rule);
        tokens
            .chain(lines)
            .chain(names)
            .chain(families)
            .chain([&self.key_block, &self.manifest])
    }
}

impl NameRule {
    /// Says whether a value of this form, under this name in lower case, is one of the rule's.
    pub(super) fn is_match(&self, name: &str, value: &str) -> bool {
        self.names.iter().any(|known| name.contains(known))
            && self.pattern.regex().is_match(value.as_bytes())
    }
}

fn calls(file: &RulesFile) -> BTreeMap<String, Vec<Call>> {
    let mut calls: BTreeMap<String, Vec<Call>> = BTreeMap::new();
    let mut add = |keyword: &str, target, exact| {
        let calls = calls.entry(keyword.to_ascii_lowercase()).or_default();
        calls.push(Call { target, exact });
    };
    for (place, row) in file.tokens.iter().enumerate() {
        for start in &row.starts {
            add(start, Target::Token(place), Some(start.clone()));
        }
    }
    for (place, row) in file.lines.iter().enumerate() {
        let any_case = row.any_case || row.pattern.starts_with("(?i)");
        for keyword in &row.keywords {
            let exact = (!any_case).then(|| keyword.clone());
            add(keyword, Target::Line(place), exact);
        }
    }
    for keyword in NAME_KEYWORDS {
        add(keyword, Target::Name, None);
    }
    for keyword in key_block::KEYWORDS {
        add(keyword, Target::KeyBlock, Some((*keyword).to_owned()));
    }
    for keyword in ["kind: Secret", r#""kind": "Secret""#, r#""kind":"Secret""#] {
        add(keyword, Target::Manifest, Some(keyword.to_owned()));
    }
    calls
}
