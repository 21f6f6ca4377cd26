//! The document in Markdown: headings, and texts in fenced code blocks.

use super::lines::{self, Marks};

/// Markdown.
pub(super) const MARKS: Marks = Marks {
    head: "<!-- twostep pack, format ",
    first: "<!-- twostep pack, format 1 -->",
    summary: include_str!("head.markdown.txt"),
    section: "# ",
    file: "## ",
    write_path: lines::quote,
    read_path: lines::unquote,
    fence: b'`',
    min_fence: 3,
    word: language,
    end: "<!-- end of twostep pack -->",
};

/// Where nothing is known.
const NO_LANGUAGE: &str = "text";

/// Endings of file names, and the language that highlighters know them by. Each ends in a letter: after one, the encoding always cuts before a line break.
const LANGUAGES: &[(&str, &str)] = &[
    ("bash", "bash"),
    ("c", "c"),
    ("cc", "cpp"),
    ("clj", "clojure"),
    ("cpp", "cpp"),
    ("cs", "csharp"),
    ("css", "css"),
    ("cxx", "cpp"),
    ("dart", "dart"),
    ("diff", "diff"),
    ("erl", "erlang"),
    ("ex", "elixir"),
    ("exs", "elixir"),
    ("fs", "fsharp"),
    ("go", "go"),
    ("graphql", "graphql"),
    ("h", "c"),
    ("hpp", "cpp"),
    ("hs", "haskell"),
    ("htm", "html"),
    ("html", "html"),
    ("ini", "ini"),
    ("java", "java"),
    ("jl", "julia"),
    ("js", "javascript"),
    ("json", "json"),
    ("jsx", "jsx"),
    ("kt", "kotlin"),
    ("kts", "kotlin"),
    ("less", "less"),
    ("lua", "lua"),
    ("md", "markdown"),
    ("mjs", "javascript"),
    ("ml", "ocaml"),
    ("nix", "nix"),
    ("patch", "diff"),
    ("php", "php"),
    ("pl", "perl"),
    ("proto", "protobuf"),
    ("ps1", "powershell"),
    ("py", "python"),
    ("r", "r"),
    ("rb", "ruby"),
    ("rs", "rust"),
    ("scala", "scala"),
    ("scss", "scss"),
    ("sh", "sh"),
    ("sol", "solidity"),
    ("sql", "sql"),
    ("svelte", "svelte"),
    ("svg", "xml"),
    ("swift", "swift"),
    ("tf", "hcl"),
    ("toml", "toml"),
    ("ts", "typescript"),
    ("tsx", "tsx"),
    ("vue", "vue"),
    ("xml", "xml"),
    ("yaml", "yaml"),
    ("yml", "yaml"),
    ("zig", "zig"),
];

fn language(path: &str) -> &'static str {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    LANGUAGES
        .binary_search_by_key(&ending, |(ending, _)| ending)
        .map_or(NO_LANGUAGE, |at| LANGUAGES[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_sorted_and_end_in_a_letter() {
        assert!(LANGUAGES.is_sorted());
        let ends_well = |word: &str| word.ends_with(|c: char| c.is_ascii_alphabetic());
        assert!(LANGUAGES.iter().all(|(_, language)| ends_well(language)));
        assert!(ends_well(NO_LANGUAGE));
        for (path, expected) in [
            ("src/main.rs", "rust"),
            ("a.b/c", "text"),
            ("Makefile", "text"),
            ("", "text"),
        ] {
            assert_eq!(language(path), expected, "{path}");
        }
    }
}
