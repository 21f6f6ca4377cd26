//! What a file is, by its name, as far as that tells what a value in it is.

use super::words::Words;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// What something runs with: a value is what is set, however simple it is.
    Settings,
    /// Logs, prose, tables, settings that only show what others look like.
    Text,
    /// A value without quotes is an expression, but for those in query strings and command lines.
    Program,
}

impl FileKind {
    /// Says what a file of this name is.
    pub(super) fn of(path: &str, words: &Words) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        if words.programs.contains(ending) {
            return Self::Program;
        }
        let is_shown = || {
            let mut parts = path.split(|c: char| !c.is_ascii_alphanumeric());
            parts.any(|part| words.showing.contains(&part.to_ascii_lowercase()))
        };
        let is_settings = words.settings.contains(ending) || name.starts_with(".env.");
        if is_settings && !is_shown() {
            Self::Settings
        } else {
            Self::Text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_files_are() {
        let words = Words::built_in();
        for (path, expected) in [
            (".env", FileKind::Settings),
            ("app/.env.production", FileKind::Settings),
            (
                "src/main/resources/application.properties",
                FileKind::Settings,
            ),
            ("docker-compose.yml", FileKind::Settings),
            (".env.example", FileKind::Text),
            ("tests/docker-compose.yml", FileKind::Text),
            ("config/locales/de.yml", FileKind::Text),
            ("README.md", FileKind::Text),
            ("LICENSE", FileKind::Text),
            ("", FileKind::Text),
            ("src/env.rs", FileKind::Program),
        ] {
            assert_eq!(FileKind::of(path, &words), expected, "{path}");
        }
    }
}
