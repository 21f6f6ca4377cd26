//! A plan read line by line: every word that may be a path, with what is said of it.

use super::clause::{self, Claim, Speech};
use super::diff;
use super::drawing::Drawing;
use super::fence::{self, Line};
use super::force::Force;
use super::inline::{self, Piece};
use super::label;
use super::mention::{Mention, Place};
use super::range;
use super::section::{self, Section};
use super::symbol;
use super::tree::Tree;
use super::verb::{self, Verb};
use super::word;

/// A line of fewer bytes ends where its author ended it.
const WRAPPED_BYTES: usize = 60;

/// Returns the mentions in `text`, in order.
pub(super) fn mentions(text: &str, tree: &Tree) -> Vec<Mention> {
    let lines = fence::lines(text);
    let sections = section::sections(&lines);
    let mut scan = Scan {
        tree,
        line: 0,
        labels: label::Labels::default(),
        drawing: Drawing::default(),
        in_hunk: false,
        wrapped: None,
        found: Vec::new(),
    };
    for (at, line) in lines.iter().enumerate() {
        scan.line = at + 1;
        let n_before = scan.found.len();
        match (diff::header(&lines, at), line) {
            (Some(paths), _) => scan.header(&paths),
            (None, Line::Open(info)) => scan.info(info),
            (None, Line::Code(line)) => scan.code(line),
            (None, Line::Text(line)) => scan.text(line),
            (None, Line::Close) => scan.drawing = Drawing::default(),
        }
        if sections[at] == Section::Excluded {
            for mention in &mut scan.found[n_before..] {
                mention.claim = Claim::Mention;
                mention.force = Force::Denied;
            }
        }
    }
    scan.found
}

struct Scan<'a> {
    tree: &'a Tree,
    line: usize,
    labels: label::Labels,
    drawing: Drawing,
    /// In the changes of a diff that stands in no fence.
    in_hunk: bool,
    /// What the long line above has said: its sentence may go on in the next.
    wrapped: Option<Speech>,
    found: Vec<Mention>,
}

impl Scan<'_> {
    fn header(&mut self, paths: &[(&str, Claim)]) {
        for &(path, claim) in paths {
            let mention = self.mention(path, Place::Listed);
            self.found.push(Mention { claim, ..mention });
        }
    }

    fn info(&mut self, info: &str) {
        self.drawing = Drawing::default();
        let claim = self.labels.verb().map_or(Claim::Mention, Verb::plainly);
        for part in info.split(|c: char| c.is_whitespace() || "=\"'{},".contains(c)) {
            // As in `rust:src/a.rs` and `12:40:src/a.rs`.
            let last = part.rsplit(':').next().unwrap_or_default();
            let mut found = self.read(last, Place::Marked);
            if found.is_empty() {
                found = self.read(part, Place::Marked);
            }
            self.add(found, claim, Force::Told);
        }
    }

    fn code(&mut self, line: &str) {
        if self.draw(line) {
            return;
        }
        if let Some(comment) = comment(line)
            && let Some(first) = comment.split_whitespace().next()
            && comment.split_whitespace().nth(4).is_none()
            && !self.read(first, Place::Prose).is_empty()
        {
            self.prose(&label::plain(comment, None), Speech::default());
            return;
        }
        for word in line
            .split_whitespace()
            .filter(|word| word.contains(['/', '.']))
        {
            let mut found = self.read(word, Place::Code);
            if found.is_empty() {
                let parts = word.split([
                    '"', '\'', '`', '(', ')', '[', ']', '{', '}', ',', ';', '<', '>', '=', '|',
                ]);
                let parts = parts.filter(|part| part.contains(['/', '.']));
                found = parts
                    .flat_map(|part| self.read(part, Place::Code))
                    .collect();
            }
            self.add(found, Claim::Mention, Force::Told);
        }
    }

    fn draw(&mut self, line: &str) -> bool {
        let Some((path, comment)) = self.drawing.entry(line) else {
            return false;
        };
        let (claim, force) = Speech::default().path(&inline::pieces(comment));
        let place = if claim == Claim::Mention {
            Place::Code
        } else {
            Place::Marked
        };
        if !path.ends_with('/') {
            let found = self.read(&path, place);
            self.add(found, claim, force);
        }
        true
    }

    fn text(&mut self, line: &str) {
        if self.draw(line) {
            return;
        }
        if diff::is_hunk(line) || self.in_hunk && line.starts_with(['+', '-', ' ', '\\']) {
            self.in_hunk = true;
            return self.code(line);
        }
        self.in_hunk = false;
        let item = self.labels.item(line);
        let above = self.wrapped.take().filter(|_| is_wrapped(line));
        let speech = above.unwrap_or_else(|| Speech::of(&item));
        let speech = self.prose(&item, speech);
        self.wrapped = Some(speech).filter(|_| line.len() >= WRAPPED_BYTES);
    }

    /// Reads a line of prose; under a label, what it begins with is a list of files.
    fn prose(&mut self, item: &label::Item, mut speech: Speech) -> Speech {
        let pieces = inline::pieces(item.text);
        let verb = item.label.and_then(|label| label.verb);
        let mut in_head = item.label.is_some();
        for (at, &piece) in pieces.iter().enumerate() {
            let after = &pieces[at + 1..];
            let n_before = self.found.len();
            match piece {
                Piece::Word(word) => {
                    in_head &= !(speech.has_path() && word::is_separator(word));
                    let is_cell = matches!(after.first(), Some(Piece::Cell))
                        && at > 0
                        && pieces[at - 1] == Piece::Cell;
                    let place = if is_cell || in_head {
                        Place::Marked
                    } else {
                        Place::Prose
                    };
                    self.word(word, place, after, &mut speech);
                }
                Piece::Code(code) => {
                    let is_called = matches!(pieces[..at].last(), Some(Piece::Word(word)) if verb::is_file_word(word));
                    let place = match (in_head, is_called) {
                        _ if speech.is_running() => Place::Code,
                        (true, _) => Place::Listed,
                        (false, true) => Place::Called,
                        (false, false) => Place::Marked,
                    };
                    let found = self.code_span(code, place, verb);
                    if found.is_empty() {
                        self.symbol(code, &mut speech);
                    } else {
                        self.say(found, &mut speech, after);
                    }
                }
                Piece::Link(link) => {
                    let link = word::decoded(link);
                    let found = if link.starts_with('#') {
                        Vec::new()
                    } else {
                        self.read(&link, Place::Marked)
                    };
                    self.say(found, &mut speech, after);
                }
                Piece::Quoted(quoted) => {
                    let whole = self.mention(quoted, Place::Marked);
                    if self.is_in_tree(&whole) {
                        self.say(vec![whole], &mut speech, after);
                    } else {
                        for word in quoted.split_whitespace() {
                            self.word(word, Place::Prose, after, &mut speech);
                        }
                    }
                }
                Piece::Cell => {
                    speech.cell();
                    if speech.has_path() {
                        in_head = false;
                        speech = Speech::under(verb);
                    } else if let Some(Piece::Word(word)) = at.checked_sub(1).map(|at| pieces[at])
                        && let Some(verb) = verb::letter_action(word)
                    {
                        speech = Speech::under(Some(verb));
                    }
                }
            }
            if let [only] = &mut self.found[n_before..] {
                only.lines.extend(range::before(&pieces[..at]));
                only.lines.extend(range::after(after).0);
            }
        }
        speech
    }

    /// Adds the files that define what a code span names.
    fn symbol(&mut self, code: &str, speech: &mut Speech) {
        let Some(name) = symbol::name(code) else {
            return;
        };
        let defined = symbol::defined(&name, self.tree);
        if defined.is_empty() {
            return;
        }
        let claim = speech.symbol();
        for symbol in defined {
            let mention = self.mention(code, Place::Symbol);
            self.found.push(Mention {
                path: symbol.path.escaped().0.into_owned(),
                lines: vec![symbol.lines],
                claim,
                ..mention
            });
        }
    }

    fn word(&mut self, text: &str, place: Place, after: &[Piece], speech: &mut Speech) {
        speech.open(text);
        let found = self.read(text, place);
        let is_in_tree = found.iter().any(|mention| self.is_in_tree(mention));
        if !is_in_tree && is_mixed(text) {
            for part in parts(text) {
                self.word(part, place, after, speech);
            }
        } else if found.is_empty() {
            speech.word(text, after.first());
        } else {
            let after = if clause::ends_sentence(text) {
                &[]
            } else {
                after
            };
            self.say(found, speech, after);
        }
        speech.close(text);
    }

    /// Reads a code span: a path, several, or a command.
    fn code_span(&self, code: &str, place: Place, verb: Option<Verb>) -> Vec<Mention> {
        if !code.contains(char::is_whitespace) {
            return self.read(code, place);
        }
        let whole = self.mention(code, place);
        if self.is_in_tree(&whole) {
            return vec![whole];
        }
        let is_command = word::is_command(code);
        let words: Vec<&str> = code
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|word| !word.is_empty())
            .collect();
        let is_file = |word: &&str| word::names_a_file(word, self.tree) && !word::is_foreign(word);
        let n_files = words.iter().copied().filter(|word| is_file(word)).count();
        let is_new = place == Place::Listed || verb == Some(Verb::Create);
        let begins_as_path =
            !code.contains('/') || words.first().is_some_and(|first| first.contains('/'));
        if !is_command && is_new && n_files <= 1 && begins_as_path && is_file(&code) {
            return vec![whole];
        }
        let place = if n_files == words.len() && !is_command {
            place
        } else {
            Place::Code
        };
        words
            .into_iter()
            .flat_map(|word| self.read(word, place))
            .collect()
    }

    fn say(&mut self, found: Vec<Mention>, speech: &mut Speech, after: &[Piece]) {
        if !found.is_empty() {
            let (claim, force) = speech.path(after);
            self.add(found, claim, force);
        }
    }

    fn add(&mut self, found: Vec<Mention>, claim: Claim, force: Force) {
        let said = |mention| Mention {
            claim,
            force,
            ..mention
        };
        self.found.extend(found.into_iter().map(said));
    }

    /// Returns the paths that a word may be; none for a word that is none.
    fn read(&self, word: &str, place: Place) -> Vec<Mention> {
        let is_short = (1..=word::MAX_BYTES).contains(&word.len());
        if !is_short || word::is_address(word) {
            return Vec::new();
        }
        let bare = word::bare(word);
        if !word::is_telling(bare) && matches!(place, Place::Prose | Place::Code) {
            return Vec::new();
        }
        let is_list = bare.contains(',')
            && !bare.contains('{')
            && !range::goes_on(bare)
            && self.tree.file(word::normal(bare)).is_none();
        if is_list {
            return bare
                .split(',')
                .flat_map(|part| self.read(part, place))
                .collect();
        }
        let (path, lines) = range::split(bare);
        let path = if self.tree.file(word::normal(bare)).is_some() {
            bare
        } else {
            word::bare(path)
        };
        let mut found: Vec<Mention> = word::expand(path)
            .iter()
            .map(|path| Mention {
                lines: lines.clone(),
                ..self.mention(path, place)
            })
            .filter(|mention| mention.is_likely(self.tree))
            .collect();
        if found.is_empty()
            && let Some((_, value)) = path.rsplit_once('=')
        {
            found = vec![self.mention(value, Place::Code)];
            found.retain(|mention| mention.is_likely(self.tree));
        }
        found
    }

    fn mention(&self, written: &str, place: Place) -> Mention {
        let path = word::normal(written);
        let path = if path.contains('\\') && self.tree.file(path).is_none() {
            word::normal(&path.replace('\\', "/")).to_owned()
        } else {
            path.to_owned()
        };
        Mention {
            written: written.to_owned(),
            path,
            lines: Vec::new(),
            line: self.line,
            place,
            claim: Claim::Mention,
            force: Force::Told,
        }
    }

    fn is_in_tree(&self, mention: &Mention) -> bool {
        self.tree.file(&mention.path).is_some() || !self.tree.ending(&mention.path).is_empty()
    }
}

/// Says whether a line goes on with the sentence of the one above.
fn is_wrapped(line: &str) -> bool {
    let text = line.trim();
    let is_own = text.is_empty() || text.starts_with(['|', '>']);
    !is_own && label::heading(text).is_none() && label::list_item(text).is_none()
}

/// Says whether a word has letters of a script that puts no space between words, and others.
fn is_mixed(text: &str) -> bool {
    text.contains(verb::is_unspaced) && text.contains(|c: char| c.is_ascii_alphanumeric())
}

/// Cuts a word where such letters meet others.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let is_other = |c: char| verb::is_unspaced(c) != verb::is_unspaced(first);
        let end = rest.find(is_other).unwrap_or(rest.len());
        let (part, left) = rest.split_at(end);
        rest = left;
        Some(part)
    })
}

/// Returns what a line says if it is a comment as a whole.
fn comment(line: &str) -> Option<&str> {
    let line = line.trim();
    let start = ["//", "#", "/*", "<!--", "--", ";", "%"];
    let text = start.iter().find_map(|start| line.strip_prefix(start))?;
    let text = text.trim_end_matches("*/").trim_end_matches("-->");
    Some(text.trim_start_matches(['/', '#', '-', '!']).trim())
}
