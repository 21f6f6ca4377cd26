//! The secret scanner, measured against the labelled set in `fixtures/secrets`.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::print_stdout, reason = "a measurement is told")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests read the set, and a folder that is named to them"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;
use twostep::secrets::{Allow, Finding, Scanner};

#[derive(Deserialize)]
struct Secrets {
    secret: Vec<Secret>,
}

/// A piece of a file that holds a secret.
#[derive(Deserialize)]
struct Secret {
    kind: String,
    tier: Tier,
    path: String,
    text: String,
    /// What must not survive redaction.
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
enum Tier {
    Easy,
    Medium,
    Hard,
}

#[derive(Deserialize)]
struct Negatives {
    negative: Vec<Negative>,
}

/// A piece of a file that holds none.
#[derive(Deserialize)]
struct Negative {
    kind: String,
    path: String,
    text: String,
}

/// How many were found, of how many.
#[derive(Clone, Copy, Default)]
struct Recall {
    n_found: usize,
    n_all: usize,
}

impl Recall {
    fn add(&mut self, found: bool) {
        self.n_found += usize::from(found);
        self.n_all += 1;
    }

    fn is_at_least(self, percent: usize) -> bool {
        self.n_found * 100 >= self.n_all * percent
    }
}

#[test]
fn secrets_do_not_survive_redaction() {
    let mut recall = Recall::default();
    let mut by_tier: BTreeMap<Tier, Recall> = BTreeMap::new();
    let mut by_kind: BTreeMap<String, Recall> = BTreeMap::new();
    let mut n_in_part = 0;
    for secret in secrets() {
        let left = redacted(&secret.text, &find(&secret.path, &secret.text));
        assert_eq!(
            left.lines().count(),
            secret.text.lines().count(),
            "{}: lines are lost:\n{left}",
            secret.path
        );
        let found = !secret.values.iter().any(|value| left.contains(value));
        n_in_part += usize::from(found && halves(&secret.values).any(|half| left.contains(half)));
        recall.add(found);
        by_tier.entry(secret.tier).or_default().add(found);
        by_kind.entry(secret.kind.clone()).or_default().add(found);
        if !found {
            println!("missed: {:?}, {}\n{left}", secret.tier, secret.kind);
        }
    }
    for (kind, Recall { n_found, n_all }) in &by_kind {
        println!("{kind}: {n_found} of {n_all}");
    }
    for (tier, Recall { n_found, n_all }) in &by_tier {
        println!("{tier:?}: {n_found} of {n_all}");
    }
    println!(
        "found: {} of {}, {n_in_part} of them in part",
        recall.n_found, recall.n_all
    );
    assert!(recall.is_at_least(99));
    assert!(by_tier[&Tier::Easy].is_at_least(100));
}

#[test]
fn what_is_no_secret_is_left_alone() {
    let mut n_alarms = 0;
    for Negative { kind, path, text } in negatives() {
        let findings = find(&path, &text);
        n_alarms += usize::from(!findings.is_empty());
        for finding in findings {
            println!(
                "false alarm: {kind}, {path}, {}: {}",
                finding.rule, &text[finding.range]
            );
        }
    }
    println!("false alarms: {n_alarms}");
    assert!(n_alarms <= 1);
}

#[test]
fn every_row_says_what_its_text_holds() {
    let (secrets, negatives) = (secrets(), negatives());
    let kinds: BTreeSet<&str> = secrets.iter().map(|secret| secret.kind.as_str()).collect();
    assert!(secrets.len() >= 210 && kinds.len() >= 70 && negatives.len() >= 160);
    for Secret {
        path, text, values, ..
    } in &secrets
    {
        assert!(!values.is_empty(), "{path}");
        for value in values {
            assert!(text.contains(value), "{path}: {value}");
        }
    }
}

#[test]
fn no_secret_stands_whole_in_the_set() {
    let set: Secrets = toml::from_str(&read("secrets.toml")).unwrap();
    for secret in set.secret {
        assert_ne!(joined(&secret.text), secret.text, "{}", secret.path);
    }
}

#[test]
#[ignore = "needs a folder, named by TWOSTEP_SECRETS_TREE"]
fn findings_in_a_folder() {
    let folder = std::env::var_os("TWOSTEP_SECRETS_TREE").unwrap();
    let mut n_bytes = 0;
    let mut by_rule: BTreeMap<String, usize> = BTreeMap::new();
    for entry in ignore::Walk::new(folder) {
        let entry = entry.unwrap();
        let Ok(text) = std::fs::read_to_string(entry.path()) else {
            continue;
        };
        n_bytes += text.len();
        for finding in find(&entry.path().to_string_lossy(), &text) {
            println!(
                "{}:{}: {}",
                entry.path().display(),
                finding.line,
                finding.rule
            );
            *by_rule.entry(finding.rule.to_string()).or_default() += 1;
        }
    }
    let n_findings: usize = by_rule.values().sum();
    let n_in_10_mb = n_findings * 10_000_000 / n_bytes.max(1);
    println!("{by_rule:#?}\n{n_findings} findings in {n_bytes} bytes, {n_in_10_mb} in 10 MB");
}

/// The one place that knows how the scanner is called.
fn find(path: &str, text: &str) -> Vec<Finding> {
    static SCANNER: LazyLock<Scanner> = LazyLock::new(|| Scanner::new(Allow::default()));
    SCANNER.find(path, text)
}

/// Returns `text` without what was found, its line breaks kept.
fn redacted(text: &str, findings: &[Finding]) -> String {
    let mut left = String::new();
    let mut end = 0;
    for Finding { range, .. } in findings {
        assert!(end <= range.start, "findings overlap or are not in order");
        left.push_str(&text[end..range.start]);
        left.push_str("[REDACTED]");
        left.extend(text[range.clone()].matches('\n'));
        end = range.end;
    }
    left + &text[end..]
}

/// Returns the halves of each value: what is left of one is still much of a secret.
fn halves(values: &[String]) -> impl Iterator<Item = &str> {
    values
        .iter()
        .map(|value| value.split_at(value.len() / 2))
        .flat_map(|(first, second)| [first, second])
}

fn secrets() -> Vec<Secret> {
    let set: Secrets = toml::from_str(&read("secrets.toml")).unwrap();
    let join = |secret: Secret| Secret {
        text: joined(&secret.text),
        values: secret.values.iter().map(|value| joined(value)).collect(),
        ..secret
    };
    set.secret.into_iter().map(join).collect()
}

fn negatives() -> Vec<Negative> {
    let set: Negatives = toml::from_str(&read("negatives.toml")).unwrap();
    let join = |negative: Negative| Negative {
        text: joined(&negative.text),
        ..negative
    };
    set.negative.into_iter().map(join).collect()
}

fn read(name: &str) -> String {
    std::fs::read_to_string(format!("fixtures/secrets/{name}")).unwrap()
}

/// Takes out the `~` that keeps a secret from standing whole in the set; `~~` is a tilde.
fn joined(text: &str) -> String {
    let parts: Vec<String> = text.split("~~").map(|part| part.replace('~', "")).collect();
    parts.join("~")
}
