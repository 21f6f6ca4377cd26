//! Texts in C and C++ without the macros that hide from a parser what they stand with.
//!
//! In: a text. Out: one as long, line by line, with blanks in their place. What a macro stands for is not known here: a name in
//! capitals is taken for a type, and all that follows, up to a whole namespace, for a function of it.

/// Puts blanks in the place of lines that are only a macro, as `LIBRARY_NAMESPACE_BEGIN`.
pub(super) fn without_lines(text: &str) -> String {
    let line = |line: &str| {
        let word = line.trim_end();
        if is_macro(word) {
            " ".repeat(word.len()) + &line[word.len()..]
        } else {
            line.to_owned()
        }
    };
    text.split_inclusive('\n').map(line).collect()
}

/// Puts blanks in the place of macros before other words, too, as in `LIBRARY_API int one();`. What is a type there is lost.
pub(super) fn without_words(text: &str) -> String {
    let mut words = text.split_inclusive(char::is_whitespace).peekable();
    let mut left = String::with_capacity(text.len());
    while let Some(word) = words.next() {
        let name = word.trim_end();
        let is_before_word = words.peek().is_some_and(|next| {
            word.ends_with(' ') && next.starts_with(|c: char| c.is_alphabetic() || "_~".contains(c))
        });
        if is_macro(name) && (is_before_word || word.ends_with(['\r', '\n'])) {
            left.push_str(&" ".repeat(name.len()));
            left.push_str(&word[name.len()..]);
        } else {
            left.push_str(word);
        }
    }
    left
}

/// Says whether a word is one that only macros are: in capitals, of several parts.
fn is_macro(word: &str) -> bool {
    let is_of_macro = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    word.contains('_')
        && word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.bytes().all(is_of_macro)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn macros_become_blanks() {
        for (text, lines, words) in [
            (
                "A_BEGIN\nint a;\n",
                "       \nint a;\n",
                "       \nint a;\n",
            ),
            ("A_BEGIN\r\n", "       \r\n", "       \r\n"),
            ("  A_B\n", "  A_B\n", "     \n"),
            ("A_API int a();", "A_API int a();", "      int a();"),
            (
                "static A_API ~A();",
                "static A_API ~A();",
                "static       ~A();",
            ),
            ("A_B | c A_B)", "A_B | c A_B)", "A_B | c A_B)"),
            ("EOF int Ab_c d", "EOF int Ab_c d", "EOF int Ab_c d"),
            ("A_B", "   ", "A_B"),
        ] {
            assert_eq!(without_lines(text), lines);
            assert_eq!(without_words(text), words);
        }
    }

    proptest! {
        #[test]
        fn all_else_stands_where_it_stood(text in "([A-Z_]{1,3}|[a\u{e9}]|[ \r\n\t\u{2003}]){0,40}") {
            for left in [without_lines(&text), without_words(&text)] {
                prop_assert_eq!(left.len(), text.len());
                let differ = text.char_indices().zip(left.char_indices()).filter(|(a, b)| a != b);
                for ((_, was), (_, is)) in differ {
                    prop_assert!(is == ' ' && (was.is_ascii_uppercase() || was == '_'));
                }
            }
        }
    }
}
