//! Text as words: identifiers, and the terms that they are made of.
//!
//! In: any text. Out: identifiers as they are written, and terms in lower case without their endings.
//! Invariant: a specification and a file are cut by the same rules.

/// Calls `take` with each identifier of `text`, and what stands right before and behind it.
pub(super) fn each_identifier<'a>(text: &'a str, mut take: impl FnMut(&'a str)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !is_word(bytes[at]) {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && is_word(bytes[at]) {
            at += 1;
        }
        take(&text[start..at]);
    }
}

/// Says whether a byte stands in identifiers; letters beyond ASCII do, and so does all that is no ASCII.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Calls `take` with each term of an identifier: its words, cut at underscores, at case and at digits.
pub(super) fn each_term(identifier: &str, mut take: impl FnMut(String)) {
    let bytes = identifier.as_bytes();
    let mut start = 0;
    for end in 1..=bytes.len() {
        if end < bytes.len() && !is_border(bytes, end) {
            continue;
        }
        let word = identifier[start..end].trim_matches('_');
        start = end;
        if word.len() > 1 {
            let word = word.to_lowercase();
            if STOP_WORDS.binary_search(&word.as_str()).is_err() {
                take(stem(word));
            }
        }
    }
}

/// Says whether a word of an identifier ends before the byte at `at`.
fn is_border(bytes: &[u8], at: usize) -> bool {
    let (before, here) = (bytes[at - 1], bytes[at]);
    let after = bytes.get(at + 1);
    before == b'_'
        || here == b'_'
        || here.is_ascii_digit() != before.is_ascii_digit()
        || (here.is_ascii_uppercase() && !before.is_ascii_uppercase())
        || (here.is_ascii_uppercase() && after.is_some_and(u8::is_ascii_lowercase))
}

/// Takes the endings of English words away, so that `caches`, `cached` and `caching` are one term.
fn stem(mut word: String) -> String {
    if !word.is_ascii() || word.len() < 4 {
        return word;
    }
    if word.ends_with("ies") {
        word.truncate(word.len() - 3);
        word.push('y');
        return word;
    }
    if word.ends_with('s') && !["ss", "us", "is"].iter().any(|end| word.ends_with(end)) {
        word.pop();
    }
    for ending in ["ing", "ed"] {
        if word.len() >= ending.len() + 4 && word.ends_with(ending) {
            word.truncate(word.len() - ending.len());
            break;
        }
    }
    if word.len() > 3 && word.ends_with('e') {
        word.pop();
    }
    word
}

/// Words of English that say nothing of a file, sorted. Words of code (`if`, `for`) are among them.
const STOP_WORDS: &[&str] = &[
    "about", "after", "all", "also", "an", "and", "any", "are", "as", "at", "be", "because",
    "been", "before", "but", "by", "can", "could", "did", "do", "does", "doesn", "don", "for",
    "from", "get", "had", "has", "have", "he", "how", "if", "in", "into", "is", "isn", "it", "its",
    "just", "like", "may", "me", "more", "my", "no", "not", "now", "of", "on", "one", "only", "or",
    "other", "our", "out", "should", "so", "some", "than", "that", "the", "their", "them", "then",
    "there", "these", "they", "this", "those", "to", "up", "use", "using", "was", "we", "were",
    "what", "when", "where", "which", "while", "who", "why", "will", "with", "would", "you",
    "your",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_are_sorted() {
        assert!(STOP_WORDS.is_sorted());
    }

    #[test]
    fn identifiers_are_cut_into_terms() {
        for (text, expected) in [
            ("getHTTPServer", &["http", "server"][..]),
            ("max_held_bytes", &["max", "held", "byt"]),
            ("caches cached caching cache", &["cach"; 4]),
            ("queries query", &["query", "query"]),
            ("class status basis", &["class", "status", "basis"]),
            ("utf8_decode2", &["utf", "decod"]),
            ("if it is in x", &[]),
            ("_private__name_", &["privat", "nam"]),
            ("Größe a", &["größe"]),
        ] {
            let mut found = Vec::new();
            each_identifier(text, |word| each_term(word, |term| found.push(term)));
            assert_eq!(found, expected, "{text}");
        }
    }
}
