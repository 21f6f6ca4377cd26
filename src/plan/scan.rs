//! A plan read line by line: every word that may be a path, with what is said of it.

use super::clause::{self, Claim, Speech, Verb};
use super::diff;
use super::drawing::Drawing;
use super::fence::{self, Line};
use super::inline::{self, Piece};
use super::label;
use super::tree::{Tree, name_of};
use super::word;

/// A word of a plan that may be a path.
#[derive(Debug, Clone)]
pub(super) struct Mention {
    pub(super) written: String,
    /// The path from the root.
    pub(super) path: String,
    pub(super) lines: Option<(usize, usize)>,
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) place: Place,
    pub(super) claim: Claim,
}

/// Where a word stands: how sure it is that it is a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// In a list of files, or the header of a diff.
    Listed,
    /// Marked as code, or the target of a link.
    Marked,
    /// Anywhere in prose.
    Prose,
    /// In a program or a command: only files of the tree are meant.
    Code,
}

impl Mention {
    /// Says whether a folder of this path is meant: a bare word such as `config` is rather a name in the code.
    pub(super) fn may_be_folder(&self) -> bool {
        self.place != Place::Code && (self.written.contains('/') || self.place == Place::Listed)
    }

    /// Says whether the path may stand for a longer one.
    pub(super) fn may_be_suffix(&self) -> bool {
        let is_import = self.written.starts_with("./");
        match self.place {
            Place::Code => self.path.contains('/') && !is_import,
            Place::Listed | Place::Marked | Place::Prose => {
                word::is_telling(&self.path) && !self.written.ends_with('/')
            }
        }
    }

    /// Says whether it plainly is a path, even if the tree has none like it.
    pub(super) fn is_path(&self, tree: &Tree) -> bool {
        let has_folder = self.path.contains('/');
        if word::is_foreign(&self.written) || self.written.ends_with('/') {
            return false;
        }
        let is_file = word::names_a_file(&self.path, tree);
        match self.place {
            Place::Code => false,
            Place::Prose => is_file && (has_folder || self.claim == Claim::Create),
            Place::Marked => is_file,
            Place::Listed => {
                is_file
                    || has_folder && !self.path.starts_with('/')
                    || self.claim == Claim::Create && self.path.contains('.')
            }
        }
    }

    /// Says whether it is worth a look.
    fn is_likely(&self, tree: &Tree) -> bool {
        let in_tree = tree.file(&self.path).is_some()
            || self.may_be_folder() && tree.folder(&self.path).is_some()
            || self.may_be_suffix() && tree.has_name(name_of(&self.path));
        in_tree
            || self.is_path(tree)
            || self.place == Place::Prose && word::names_a_file(&self.path, tree)
    }
}

/// Returns the mentions in `text`, in order.
pub(super) fn mentions(text: &str, tree: &Tree) -> Vec<Mention> {
    let lines = fence::lines(text);
    let mut scan = Scan {
        tree,
        line: 0,
        labels: label::Labels::default(),
        drawing: Drawing::default(),
        in_hunk: false,
        found: Vec::new(),
    };
    for (at, line) in lines.iter().enumerate() {
        scan.line = at + 1;
        if let Some(paths) = diff::header(&lines, at) {
            scan.header(&paths);
            continue;
        }
        match line {
            Line::Open(info) => scan.info(info),
            Line::Code(line) => scan.code(line),
            Line::Text(line) => scan.text(line),
            Line::Close => scan.drawing = Drawing::default(),
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
            self.add(found, claim);
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
            return self.prose(comment, None);
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
            self.add(found, Claim::Mention);
        }
    }

    fn draw(&mut self, line: &str) -> bool {
        let Some((path, comment)) = self.drawing.entry(line) else {
            return false;
        };
        let claim = Speech::default().path(&inline::pieces(comment));
        let place = if claim == Claim::Mention {
            Place::Code
        } else {
            Place::Marked
        };
        if !path.ends_with('/') {
            let found = self.read(&path, place);
            self.add(found, claim);
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
        self.prose(item.text, item.label);
    }

    /// Reads a line of prose; under a label, what it begins with is a list of files.
    fn prose(&mut self, text: &str, label: Option<label::Label>) {
        let pieces = inline::pieces(text);
        let verb = label.and_then(|label| label.verb);
        let mut speech = Speech::under(verb);
        let mut in_head = label.is_some();
        for (at, &piece) in pieces.iter().enumerate() {
            let after = &pieces[at + 1..];
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
                    let place = if in_head {
                        Place::Listed
                    } else {
                        Place::Marked
                    };
                    let found = self.code_span(code, place, verb);
                    self.say(found, &mut speech, after);
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
                    if speech.has_path() {
                        in_head = false;
                        speech = Speech::under(verb);
                    } else if let Some(Piece::Word(word)) = at.checked_sub(1).map(|at| pieces[at])
                        && let Some(verb) = clause::letter_action(word)
                    {
                        speech = Speech::under(Some(verb));
                    }
                }
            }
        }
    }

    fn word(&mut self, text: &str, place: Place, after: &[Piece], speech: &mut Speech) {
        speech.open(text);
        let found = self.read(text, place);
        if found.is_empty() {
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
        let words: Vec<&str> = code
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|word| !word.is_empty())
            .collect();
        let is_file = |word: &&str| word::names_a_file(word, self.tree) && !word::is_foreign(word);
        let n_files = words.iter().copied().filter(|word| is_file(word)).count();
        let is_new = place == Place::Listed || verb == Some(Verb::Create);
        let begins_as_path =
            !code.contains('/') || words.first().is_some_and(|first| first.contains('/'));
        if is_new && n_files <= 1 && begins_as_path && is_file(&code) {
            return vec![whole];
        }
        let place = if n_files == words.len() {
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
            let claim = speech.path(after);
            self.add(found, claim);
        }
    }

    fn add(&mut self, found: Vec<Mention>, claim: Claim) {
        self.found.extend(
            found
                .into_iter()
                .map(|mention| Mention { claim, ..mention }),
        );
    }

    /// Returns the paths that a word may be; none for a word that is none.
    fn read(&self, word: &str, place: Place) -> Vec<Mention> {
        let is_short = (1..=word::MAX_BYTES).contains(&word.len());
        if !is_short || word::is_address(word) {
            return Vec::new();
        }
        let bare = word::bare(word);
        if !word::is_telling(bare) && place != Place::Marked && place != Place::Listed {
            return Vec::new();
        }
        let is_list = bare.contains(',')
            && !bare.contains('{')
            && self.tree.file(word::normal(bare)).is_none();
        if is_list {
            return bare
                .split(',')
                .flat_map(|part| self.read(part, place))
                .collect();
        }
        let (path, lines) = word::split_range(bare);
        let path = if self.tree.file(word::normal(bare)).is_some() {
            bare
        } else {
            word::bare(path)
        };
        let mut found: Vec<Mention> = word::expand(path)
            .iter()
            .map(|path| Mention {
                lines,
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
        let mut path = word::normal(written).to_owned();
        if path.contains('\\') && self.tree.file(&path).is_none() {
            path = path.replace('\\', "/");
        }
        Mention {
            written: written.to_owned(),
            path,
            lines: None,
            line: self.line,
            place,
            claim: Claim::Mention,
        }
    }

    fn is_in_tree(&self, mention: &Mention) -> bool {
        self.tree.file(&mention.path).is_some() || !self.tree.ending(&mention.path).is_empty()
    }
}

/// Returns what a line says if it is a comment as a whole.
fn comment(line: &str) -> Option<&str> {
    let line = line.trim();
    let start = ["//", "#", "/*", "<!--", "--", ";", "%"];
    let text = start.iter().find_map(|start| line.strip_prefix(start))?;
    let text = text.trim_end_matches("*/").trim_end_matches("-->");
    Some(text.trim_start_matches(['/', '#', '-', '!']).trim())
}
