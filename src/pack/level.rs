//! Levels: how much of a file a pack shows, and how a text is shortened to less than all.

use super::Lines;
use crate::path::RepoPath;
use crate::repo::{Charset, Globs, InvalidGlob, Text};
use crate::syntax::{self, Language, Unparsed};

/// How much of a file a pack shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// All of it.
    Full,
    /// Lines that are likely meant, and the signatures round them.
    Excerpt,
    /// What it defines and imports, without how.
    Skeleton,
    /// Its path only.
    Path,
}

impl Level {
    /// The levels that can be asked for.
    pub const ALL: [Self; 4] = [Self::Full, Self::Excerpt, Self::Skeleton, Self::Path];

    /// Returns the word for the level in options, packs and manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Excerpt => "excerpt",
            Self::Skeleton => "skeleton",
            Self::Path => "path",
        }
    }
}

/// What of a text is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// All of it.
    All,
    /// Its skeleton, if it has one.
    Skeleton,
    /// These of its lines, at this level: ascending, with lines between each and the next.
    Lines(Level, Vec<Lines>),
}

impl Shown {
    /// Returns what a level shows by itself; which lines an excerpt shows, a query says.
    pub fn at(level: Level) -> Self {
        match level {
            Level::Skeleton => Self::Skeleton,
            Level::Full | Level::Excerpt | Level::Path => Self::All,
        }
    }
}

/// The level that the user wants for some files.
#[derive(Debug, Clone)]
pub struct LevelRule {
    /// The rule as it was written.
    pub words: String,
    /// Which files.
    pub globs: Globs,
    /// The level.
    pub level: Level,
}

/// A rule that has no meaning.
#[derive(Debug, thiserror::Error)]
pub enum InvalidLevel {
    /// It names no level.
    #[error("expected a glob, `=` and a level: full, excerpt, skeleton or path")]
    Level,
    /// Its glob is bad.
    #[error(transparent)]
    Glob(#[from] InvalidGlob),
}

impl LevelRule {
    /// Reads a rule such as `src/**/*.rs=skeleton`.
    ///
    /// # Errors
    ///
    /// Fails if it names no level, or its glob is malformed.
    pub fn parse(words: &str) -> Result<Self, InvalidLevel> {
        let (glob, name) = words.rsplit_once('=').ok_or(InvalidLevel::Level)?;
        let mut levels = Level::ALL.into_iter();
        Ok(Self {
            words: words.to_owned(),
            level: levels
                .find(|level| level.name() == name)
                .ok_or(InvalidLevel::Level)?,
            globs: Globs::parse(&[glob.to_owned()], &[])?,
        })
    }

    /// Returns the rule that wants skeletons of all files.
    pub fn skeletons() -> Self {
        Self {
            words: "*=skeleton".to_owned(),
            globs: Globs::everything(),
            level: Level::Skeleton,
        }
    }

    /// Says whether any of `rules` wants excerpts, for which something must be wanted.
    pub fn want_excerpts(rules: &[Self]) -> bool {
        rules.iter().any(|rule| rule.level == Level::Excerpt)
    }

    /// Returns the level of a file: that of the last of `rules` that is about it.
    pub fn level(rules: &[Self], path: &RepoPath) -> Level {
        let mut rules = rules.iter().rev();
        let rule = rules.find(|rule| rule.globs.take(path));
        rule.map_or(Level::Full, |rule| rule.level)
    }
}

/// Why a file is shown in full that was to be shortened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Whole {
    /// Nobody knows how.
    #[error("its language has no grammar here")]
    NoLanguage,
    /// It could not be read as a program.
    #[error(transparent)]
    Unparsed(#[from] Unparsed),
}

impl Whole {
    /// Returns the word for this reason in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoLanguage => "no-language",
            Self::Unparsed(_) => "unparsed",
        }
    }
}

/// A text that is shown in part.
pub(super) struct Shortened {
    /// At this level.
    pub(super) level: Level,
    /// What is shown.
    pub(super) text: Text,
    /// Which lines these are.
    pub(super) lines: Vec<Lines>,
}

/// Shortens a file's text; none where all of it is to be shown.
pub(super) fn shorten(
    path: &RepoPath,
    text: &Text,
    shown: &Shown,
) -> Result<Option<Shortened>, Whole> {
    let (level, lines) = match shown {
        Shown::All => return Ok(None),
        Shown::Skeleton => (Level::Skeleton, skeleton(path, text)?),
        Shown::Lines(level, lines) => (*level, within(lines, text)),
    };
    let elided = syntax::elide(&text.text, &lines);
    Ok(Some(Shortened {
        level,
        // The marks are not of the file's charset, and nobody gets the file back from this.
        text: Text {
            text: elided.text,
            charset: Charset::Utf8,
            bom: false,
        },
        lines: elided.lines,
    }))
}

fn skeleton(path: &RepoPath, text: &Text) -> Result<Vec<Lines>, Whole> {
    let language = Language::of(path.as_bytes(), &text.text).ok_or(Whole::NoLanguage)?;
    Ok(syntax::outline(language, &text.text)?.skeleton)
}

/// Returns those of `lines` that a text has: it may have become shorter since they were chosen.
fn within(lines: &[Lines], text: &Text) -> Vec<Lines> {
    let n_lines = text.text.lines().count();
    let cut = |lines: &Lines| *lines.start()..=*lines.end().min(&n_lines);
    let cut = lines.iter().map(cut).filter(|lines| !lines.is_empty());
    cut.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_rule_about_a_file_says_its_level() {
        let rules = [
            "*.rs=skeleton",
            "src/a=b/**=path",
            "/main.rs=full",
            "*.py=excerpt",
        ];
        let rules = rules.map(|words| LevelRule::parse(words).unwrap());
        for (path, expected) in [
            ("lib.rs", Level::Skeleton),
            ("src/main.rs", Level::Skeleton),
            ("main.rs", Level::Full),
            ("src/a=b/c.rs", Level::Path),
            ("README.md", Level::Full),
            ("a.py", Level::Excerpt),
        ] {
            let path = RepoPath::parse(path.as_bytes()).unwrap();
            assert_eq!(LevelRule::level(&rules, &path), expected, "{path}");
        }
    }

    #[test]
    fn a_rule_has_a_glob_and_a_level() {
        for words in [
            "*.rs",
            "*.rs=",
            "*.rs=half",
            "=full",
            "*.rs=Full",
            "a[=full",
            "",
        ] {
            assert!(LevelRule::parse(words).is_err(), "{words}");
        }
    }
}
