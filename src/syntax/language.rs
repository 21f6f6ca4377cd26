//! The languages that are known, and how files in them are called.

use std::sync::OnceLock;

use super::table::Table;

/// A language with a grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// C.
    C,
    /// C++, and headers that may be C.
    Cpp,
    /// C#.
    CSharp,
    /// Go.
    Go,
    /// Java.
    Java,
    /// JavaScript, and JSX.
    JavaScript,
    /// Kotlin.
    Kotlin,
    /// PHP.
    Php,
    /// Python.
    Python,
    /// Ruby.
    Ruby,
    /// Rust.
    Rust,
    /// TypeScript.
    TypeScript,
    /// TypeScript with JSX.
    Tsx,
}

/// Languages by the ends of names.
const ENDINGS: &[(&str, Language)] = &[
    ("c", Language::C),
    ("cc", Language::Cpp),
    ("cjs", Language::JavaScript),
    ("cpp", Language::Cpp),
    ("cs", Language::CSharp),
    ("cts", Language::TypeScript),
    ("cxx", Language::Cpp),
    ("gemspec", Language::Ruby),
    ("go", Language::Go),
    ("h", Language::Cpp),
    ("hh", Language::Cpp),
    ("hpp", Language::Cpp),
    ("hxx", Language::Cpp),
    ("inl", Language::Cpp),
    ("ipp", Language::Cpp),
    ("java", Language::Java),
    ("js", Language::JavaScript),
    ("jsx", Language::JavaScript),
    ("kt", Language::Kotlin),
    ("kts", Language::Kotlin),
    ("mjs", Language::JavaScript),
    ("mts", Language::TypeScript),
    ("php", Language::Php),
    ("py", Language::Python),
    ("pyi", Language::Python),
    ("rake", Language::Ruby),
    ("rb", Language::Ruby),
    ("rs", Language::Rust),
    ("ts", Language::TypeScript),
    ("tsx", Language::Tsx),
];

/// Languages by the programs that a first line with `#!` names.
const PROGRAMS: &[(&str, Language)] = &[
    ("bun", Language::TypeScript),
    ("deno", Language::TypeScript),
    ("node", Language::JavaScript),
    ("php", Language::Php),
    ("python", Language::Python),
    ("ruby", Language::Ruby),
];

impl Language {
    /// All languages.
    pub const ALL: [Self; 13] = [
        Self::C,
        Self::Cpp,
        Self::CSharp,
        Self::Go,
        Self::Java,
        Self::JavaScript,
        Self::Kotlin,
        Self::Php,
        Self::Python,
        Self::Ruby,
        Self::Rust,
        Self::TypeScript,
        Self::Tsx,
    ];

    /// Finds the language of a file by its name, or where that has no ending by how its text begins.
    pub fn of(name: &[u8], text: &str) -> Option<Self> {
        let name = name.rsplit(|&byte| byte == b'/').next().unwrap_or(name);
        if let Some(at) = name.iter().rposition(|&byte| byte == b'.') {
            let ending = name[at + 1..].to_ascii_lowercase();
            let mut endings = ENDINGS.iter();
            return endings
                .find(|(known, _)| known.as_bytes() == ending)
                .map(|(_, language)| *language);
        }
        if name == b"Rakefile" || name == b"Gemfile" {
            return Some(Self::Ruby);
        }
        let first = text.lines().next()?.strip_prefix("#!")?;
        let mut words = first.split_ascii_whitespace();
        let of_path = |path: &'_ str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let mut program = of_path(words.next()?);
        if program == "env" {
            program = of_path(words.find(|word| !word.starts_with('-'))?);
        }
        let program = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let mut programs = PROGRAMS.iter();
        programs
            .find(|(known, _)| *known == program)
            .map(|(_, language)| *language)
    }

    /// Returns the grammar.
    pub(super) fn grammar(self) -> tree_sitter::Language {
        match self {
            Self::C => tree_sitter_c::LANGUAGE,
            Self::Cpp => tree_sitter_cpp::LANGUAGE,
            Self::CSharp => tree_sitter_c_sharp::LANGUAGE,
            Self::Go => tree_sitter_go::LANGUAGE,
            Self::Java => tree_sitter_java::LANGUAGE,
            Self::JavaScript => tree_sitter_javascript::LANGUAGE,
            Self::Kotlin => tree_sitter_kotlin_ng::LANGUAGE,
            Self::Php => tree_sitter_php::LANGUAGE_PHP,
            Self::Python => tree_sitter_python::LANGUAGE,
            Self::Ruby => tree_sitter_ruby::LANGUAGE,
            Self::Rust => tree_sitter_rust::LANGUAGE,
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX,
        }
        .into()
    }

    /// Returns what the nodes of the grammar mean, read once.
    pub(super) fn table(self) -> &'static Table {
        static TABLES: [OnceLock<Table>; Language::ALL.len()] =
            [const { OnceLock::new() }; Language::ALL.len()];
        TABLES[self as usize].get_or_init(|| Table::read(self.words(), &self.grammar()))
    }

    /// Returns the table as it is written.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::C => include_str!("languages/c.toml"),
            Self::Cpp => include_str!("languages/cpp.toml"),
            Self::CSharp => include_str!("languages/csharp.toml"),
            Self::Go => include_str!("languages/go.toml"),
            Self::Java => include_str!("languages/java.toml"),
            Self::JavaScript => include_str!("languages/javascript.toml"),
            Self::Kotlin => include_str!("languages/kotlin.toml"),
            Self::Php => include_str!("languages/php.toml"),
            Self::Python => include_str!("languages/python.toml"),
            Self::Ruby => include_str!("languages/ruby.toml"),
            Self::Rust => include_str!("languages/rust.toml"),
            Self::TypeScript | Self::Tsx => include_str!("languages/typescript.toml"),
        }
    }
}
