//! The words that tell a secret from what only looks like one, read from `words.toml`.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::Deserialize;

/// Words of values and of the names that they are assigned to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    documented: Vec<String>,
    published: Vec<String>,
    stand_ins: Vec<String>,
    templates: Vec<String>,
    /// Longest first.
    pub plain: Vec<String>,
    pub about: BTreeSet<String>,
    pub asking: Vec<String>,
    pub protected: BTreeSet<String>,
    pub key_kinds: BTreeSet<String>,
    pub programs: BTreeSet<String>,
    pub settings: BTreeSet<String>,
    pub showing: BTreeSet<String>,
}

impl Words {
    /// Returns the words that come with the program.
    #[expect(
        clippy::expect_used,
        reason = "the data is part of the program, and a test reads all of it"
    )]
    pub(super) fn built_in() -> Self {
        // A `¦` keeps what is documented from being what it is.
        let file = include_str!("words.toml").replace('¦', "");
        let mut words: Self = toml::from_str(&file).expect("words.toml is well-formed");
        words.plain.sort_by_key(|word| Reverse(word.len()));
        words
    }

    /// Says whether a value is one that providers show, or make to be shown.
    pub(super) fn is_shown(&self, value: &str) -> bool {
        self.documented.iter().any(|part| value.contains(part))
            || self.published.iter().any(|start| value.starts_with(start))
    }

    /// Says whether a value stands for another.
    pub(super) fn stands_in(&self, value: &str) -> bool {
        let lower = value.to_ascii_lowercase();
        self.stand_ins.iter().any(|word| lower.contains(word))
    }

    /// Says whether a value has a mark of what is taken from elsewhere, or is hidden.
    pub(super) fn has_template(&self, value: &str) -> bool {
        self.templates.iter().any(|mark| value.contains(mark))
    }
}
