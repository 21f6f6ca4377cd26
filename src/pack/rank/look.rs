//! What of a query is in one file, chunk by chunk.

use std::collections::HashMap;
use std::ops::Range;

use super::query::{Query, Run};
use super::words::{each_identifier, each_term};

/// What of a query is in a file. Small, whatever the file is.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// The chunks of the file, in order; they cover it.
    pub(super) chunks: Vec<Chunk>,
    /// How many terms are in the names that it defines.
    pub(super) n_defined_terms: u32,
}

/// Some lines of a file, and what of the query is in them; each once, by its number.
#[derive(Debug, Clone, Default)]
pub(super) struct Chunk {
    /// Its lines, counted from 0.
    pub(super) lines: Range<usize>,
    /// How many terms there are.
    pub(super) n_terms: u32,
    /// The query's terms, and how often each.
    pub(super) terms: Vec<(u16, u32)>,
    /// The query's identifiers.
    pub(super) identifiers: Vec<u16>,
    /// The query's phrases.
    pub(super) phrases: Vec<u16>,
    /// The query's identifiers that are defined here.
    pub(super) defined: Vec<u16>,
    /// The query's terms in names that are defined here.
    pub(super) defined_terms: Vec<u16>,
}

/// What of the query is in an identifier: its own number, and those of its terms.
struct Known {
    identifier: Option<u16>,
    terms: Vec<Option<u16>>,
}

/// The fewest lines of a chunk, in a file that has as many.
const MIN_LINES: usize = 12;

/// The most lines of a chunk.
const MAX_LINES: usize = 60;

impl Query {
    /// Looks for the query in a text.
    pub fn look(&self, text: &str) -> Look {
        let lines: Vec<&str> = text.lines().collect();
        let mut known: HashMap<&str, Known> = HashMap::new();
        let mut look = Look::default();
        for range in cut(&lines) {
            let mut chunk = Chunk {
                lines: range.clone(),
                ..Chunk::default()
            };
            let mut run = Run::default();
            for line in &lines[range] {
                let defined = defined_name(line);
                each_identifier(line, |word| {
                    let known = known.entry(word).or_insert_with(|| self.known(word));
                    let n_terms = u32::try_from(known.terms.len()).unwrap_or(u32::MAX);
                    chunk.n_terms += n_terms;
                    chunk.identifiers.extend(known.identifier);
                    for &term in &known.terms {
                        chunk.terms.extend(term.map(|term| (term, 1)));
                        let phrase = run.next(term).and_then(|phrase| self.phrases.of(&phrase));
                        chunk.phrases.extend(phrase);
                    }
                    if defined.is_some_and(|name| std::ptr::eq(name, word)) {
                        look.n_defined_terms += n_terms;
                        chunk.defined.extend(known.identifier);
                        chunk.defined_terms.extend(known.terms.iter().flatten());
                    }
                });
            }
            chunk.settle();
            look.chunks.push(chunk);
        }
        look
    }

    fn known(&self, word: &str) -> Known {
        let mut terms = Vec::new();
        each_term(word, |term| terms.push(self.terms.of(&term)));
        Known {
            identifier: self.identifiers.of(word),
            terms,
        }
    }
}

impl Look {
    /// Returns about how many bytes of memory it takes.
    pub fn weight(&self) -> usize {
        let of_chunk = |chunk: &Chunk| {
            let n_numbers = chunk.identifiers.len()
                + chunk.phrases.len()
                + chunk.defined.len()
                + chunk.defined_terms.len();
            size_of::<Chunk>() + 8 * chunk.terms.len() + 2 * n_numbers
        };
        self.chunks.iter().map(of_chunk).sum()
    }
}

impl Chunk {
    /// Sorts what was found, each once.
    fn settle(&mut self) {
        add_up(&mut self.terms);
        for found in [
            &mut self.identifiers,
            &mut self.phrases,
            &mut self.defined,
            &mut self.defined_terms,
        ] {
            found.sort_unstable();
            found.dedup();
            found.shrink_to_fit();
        }
    }
}

/// Sorts terms, each once with how often it is there.
pub(super) fn add_up(terms: &mut Vec<(u16, u32)>) {
    terms.sort_unstable();
    terms.dedup_by(|next, kept| {
        let is_same = next.0 == kept.0;
        if is_same {
            kept.1 += next.1;
        }
        is_same
    });
    terms.shrink_to_fit();
}

/// Cuts a file into chunks: after an empty line if it can be, where the least is indented.
fn cut(lines: &[&str]) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let mut start = 0;
    while lines.len() - start >= 2 * MIN_LINES {
        let last = (start + MAX_LINES).min(lines.len() - MIN_LINES);
        let best = (start + MIN_LINES..=last)
            .max_by_key(|&at| (border(lines, at), std::cmp::Reverse(at)))
            .filter(|&at| border(lines, at).0 || lines.len() - start > MAX_LINES);
        let Some(at) = best else {
            break;
        };
        chunks.push(start..at);
        start = at;
    }
    if start < lines.len() {
        chunks.push(start..lines.len());
    }
    chunks
}

/// Says how good a cut before a line is: whether an empty line is before it, and how little it is indented.
fn border(lines: &[&str], at: usize) -> (bool, std::cmp::Reverse<usize>) {
    let (line, before) = (lines[at], lines[at - 1]);
    let is_after_gap = before.trim().is_empty() && !line.trim().is_empty();
    let indent = line.len() - line.trim_start().len();
    (is_after_gap, std::cmp::Reverse(indent))
}

/// Words behind which a name is defined.
const DEFINING: &[&str] = &[
    "class",
    "def",
    "define",
    "enum",
    "fn",
    "fun",
    "func",
    "function",
    "impl",
    "interface",
    "macro_rules",
    "mod",
    "module",
    "namespace",
    "object",
    "record",
    "struct",
    "trait",
    "type",
    "typedef",
    "union",
];

/// Words behind which a value is defined; of a function they only say more.
const QUALIFYING: &[&str] = &["const", "static"];

/// Words before a parenthesis that define nothing.
const CONTROL: &[&str] = &[
    "catch",
    "do",
    "else",
    "for",
    "foreach",
    "if",
    "match",
    "return",
    "switch",
    "synchronized",
    "throw",
    "until",
    "when",
    "while",
    "with",
];

/// Returns the name that a line defines, as far as the line alone tells, in whatever language.
fn defined_name(line: &str) -> Option<&str> {
    let code = line.trim();
    if !code.starts_with(|c: char| c.is_alphabetic() || "_#@".contains(c)) {
        return None;
    }
    // `func (r *T) name(` of Go: the receiver is no name. `pub(crate)` of Rust is none either.
    let after_bracket = |start: &str| Some(code.strip_prefix(start)?.split_once(')')?.1);
    let (code, mut is_next) = match (after_bracket("func ("), after_bracket("pub(")) {
        (Some(rest), _) => (rest, true),
        (None, rest) => (rest.unwrap_or(code), false),
    };
    let opening = code.find('(').unwrap_or(code.len());
    let (mut named, mut called) = (None, None);
    let (mut qualified, mut is_qualified) = (None, false);
    each_identifier(code, |word| {
        let end = word.as_ptr() as usize - code.as_ptr() as usize + word.len();
        let is_keyword = DEFINING.contains(&word);
        if named.is_none() && is_next && !is_keyword {
            named = Some(word);
        }
        is_next |= is_keyword && end <= opening;
        let is_qualifying = QUALIFYING.contains(&word);
        if qualified.is_none() && is_qualified && !is_qualifying {
            qualified = Some(word);
        }
        is_qualified |= is_qualifying && end <= opening;
        if end == opening && !CONTROL.contains(&word) {
            called = Some(word);
        }
    });
    // `name(...) {` of C and its kin.
    let is_body = code.ends_with('{') || (code.ends_with(')') && !line.starts_with([' ', '\t']));
    named.or(called.filter(|_| is_body)).or(qualified)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_found_where_they_are_defined() {
        for (line, name) in [
            ("def read(self):", Some("read")),
            ("    async def read(self):", Some("read")),
            ("class Reader(Base):", Some("Reader")),
            ("pub fn read<T>(&self) -> T {", Some("read")),
            ("pub(crate) struct Reader {", Some("Reader")),
            (
                "func (r *Reader) Read(p []byte) (int, error) {",
                Some("Read"),
            ),
            ("export const read = (a) => {", Some("read")),
            ("static int read_all(FILE *f)", Some("read_all")),
            ("    public static final int N = 3;", Some("final")),
            ("const READ: usize = 3;", Some("READ")),
            ("int read_all(FILE *f)", Some("read_all")),
            ("    public int read() throws IOException {", Some("read")),
            ("    if (read(a)) {", None),
            ("    read(a);", None),
            ("#define READ 1", Some("READ")),
            ("} else {", None),
            ("", None),
        ] {
            assert_eq!(defined_name(line), name, "{line}");
        }
    }

    #[test]
    fn what_is_found_is_counted() {
        let query = Query::of("read_file fails: cache miss here");
        let look = query
            .look("def read_file(path):\n    cache = read_file\n    raise Cache(miss, here)\n");
        let [chunk] = look.chunks.as_slice() else {
            panic!("one chunk")
        };
        let term = |term| query.terms.of(term).unwrap();
        let mut terms = ["read", "fil", "cach", "miss", "her"].map(term).to_vec();
        terms.sort_unstable();
        let found: Vec<u16> = chunk.terms.iter().map(|(term, _)| *term).collect();
        assert_eq!((chunk.lines.clone(), found), (0..3, terms));
        assert!(
            chunk.terms.contains(&(term("read"), 2)) && chunk.terms.contains(&(term("miss"), 1))
        );
        assert_eq!(chunk.defined, [query.identifiers.of("read_file").unwrap()]);
        assert_eq!(chunk.defined_terms, [term("read"), term("fil")]);
        let phrase = ["cach", "miss", "her"].map(term);
        assert_eq!(chunk.phrases, [query.phrases.of(&phrase).unwrap()]);
        assert_eq!(look.n_defined_terms, 2);
    }

    proptest! {
        #[test]
        fn chunks_cover_any_text_once(lines in prop::collection::vec("( {0,4}[a-z(]{1,3})?", 0..300)) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let chunks = cut(&lines);
            let covered: Vec<usize> = chunks.iter().cloned().flatten().collect();
            prop_assert_eq!(covered, (0..lines.len()).collect::<Vec<_>>());
            for chunk in &chunks {
                prop_assert!(chunk.len() <= MAX_LINES);
                prop_assert!(chunk.len() >= MIN_LINES.min(lines.len()));
            }
        }

        #[test]
        fn any_text_can_be_looked_at(spec in "\\PC{0,60}", text in "(\\PC|\n){0,200}") {
            Query::of(&spec).look(&text);
        }
    }
}
