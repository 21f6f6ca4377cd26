//! The document: streamed part by part in any format, and counted as it is written.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::facts::Facts;
use super::level::shorten;
use super::{Class, Entry, Format, Level, Sections, Shown, json};
use crate::repo::{Candidate, Content, FileContent, Reason, Text, Unseen};
use crate::secrets::Sighting;
use crate::tokens::{Count, Counter};

/// One file as it stands in the document, with its tokens.
#[derive(Debug)]
pub struct Part {
    /// What became of the file.
    pub entry: Entry,
    /// What is written of it, in pieces whose counts add up.
    units: Vec<String>,
}

impl Part {
    /// Renders a candidate with what was read of it, which holds placeholders for `secrets` where it is a text.
    ///
    /// A text that cannot be shortened as it is to be `shown` is shown in full.
    pub fn render(
        candidate: &Candidate,
        file: FileContent,
        secrets: Vec<Sighting>,
        shown: &Shown,
        format: Format,
        counter: &Counter,
    ) -> Self {
        let mut facts = Facts::of_file(&candidate.path);
        let (mut lines, mut whole) = (Vec::new(), None);
        let (level, reason, text) = match file.content {
            Content::Text(mut text) => {
                let mut level = Level::Full;
                let n_lines = n_lines(&text);
                lines.extend((n_lines > 0).then_some(1..=n_lines));
                match shorten(&candidate.path, &text, shown) {
                    Ok(Some(short)) if short.lines != lines => {
                        facts.shortened(short.level, n_lines);
                        (level, text, lines) = (short.level, short.text, short.lines);
                    }
                    // All of it is wanted, or the lines that are wanted are all.
                    Ok(_) => {}
                    Err(why) => whole = Some(why),
                }
                if !secrets.is_empty() {
                    facts.text("altered", "redacted");
                }
                (level, None, Some(text))
            }
            Content::Listed(reason) => {
                facts.listed(&reason, file.bytes);
                (Level::Path, Some(reason), None)
            }
        };
        let units = format.file(facts, text.as_ref());
        let entry = Entry {
            path: candidate.path.clone(),
            class: if candidate.named {
                Class::Named
            } else {
                Class::of(&candidate.path)
            },
            level,
            reason,
            cost: count(&units, counter),
            is_packed: true,
            score: None,
            full_cost: None,
            whole,
            lines,
            unseen: text.as_ref().map_or_else(Unseen::default, Text::unseen),
            bytes: file.bytes,
            hash: file.hash,
            secrets,
        };
        Self { entry, units }
    }

    /// Says whether the part takes what was reckoned with: the same tokens, shown in the same way.
    pub fn is_like(&self, entry: &Entry) -> bool {
        let (mine, other) = (&self.entry, entry);
        mine.cost == other.cost
            && mine.level == other.level
            && mine.lines == other.lines
            && mine.reason == other.reason
    }

    /// Returns about how many bytes of memory the part takes.
    pub fn weight(&self) -> usize {
        self.units.iter().map(String::len).sum::<usize>() + 512
    }
}

fn n_lines(text: &Text) -> usize {
    let bytes = text.text.as_bytes();
    memchr::memchr_iter(b'\n', bytes).count()
        + usize::from(bytes.last().is_some_and(|&last| last != b'\n'))
}

fn count(units: &[String], counter: &Counter) -> Count {
    units.iter().map(|unit| counter.count(unit)).sum()
}

/// What stands round the files: everything but the parts and the totals.
pub struct Frame {
    format: Format,
    before_totals: Vec<String>,
    after_totals: Vec<String>,
}

/// The tokens of what stands before the files.
pub(super) struct Head {
    /// Those of the tree.
    pub(super) tree: Count,
    /// All of them.
    pub(super) all: Count,
}

impl Frame {
    /// Takes the sections that stand round the files.
    pub fn new(format: Format, sections: &Sections) -> Self {
        Self {
            format,
            before_totals: format.before_totals(sections),
            after_totals: format.after_totals(sections),
        }
    }

    /// Counts what stands behind the files.
    pub(super) fn count(&self, counter: &Counter) -> Count {
        count(&self.before_totals, counter) + count(&self.after_totals, counter)
    }

    /// Counts what stands before them, with a drawn tree.
    pub(super) fn count_head(&self, tree: &str, counter: &Counter) -> Head {
        let [before, tree, after] = self.format.before_files(tree);
        let tree = counter.count(&tree);
        Head {
            tree,
            all: tree + count(&[before, after], counter),
        }
    }

    /// Counts the totals of a document that has `rest` tokens without them.
    pub(super) fn count_totals(&self, totals: &Totals, rest: u64, counter: &Counter) -> Count {
        counter.count(&self.settled(totals, rest, counter))
    }

    /// Returns the most that the totals can count in a document of at most `tokens` tokens, if no
    /// number of them grows.
    pub(super) fn totals_at_most(&self, totals: &Totals, tokens: u64, counter: &Counter) -> Count {
        let unit = self.format.totals(totals, tokens);
        Count::at_most_of(counter.count(&unit).exact, unit.len())
    }

    /// Returns the totals that state the tokens of a document that has `rest` without them.
    fn settled(&self, totals: &Totals, rest: u64, counter: &Counter) -> String {
        // The cost of a number never falls as the number grows, so going up from below finds the size.
        let mut unit = self.format.totals(totals, rest);
        loop {
            let tokens = rest + counter.count(&unit).exact;
            let next = self.format.totals(totals, tokens);
            if next == unit {
                return unit;
            }
            unit = next;
        }
    }
}

/// What a document says of itself near its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many files it shows in full.
    pub n_full: usize,
    /// How many it shows in part.
    pub n_shortened: usize,
    /// How many of both hold placeholders for secrets.
    pub n_redacted: usize,
    /// How many it does not, by reason.
    pub left: BTreeMap<&'static str, usize>,
}

impl Totals {
    /// Sums up what becomes of candidates, each with whether it is in the pack.
    pub fn of<'a>(entries: impl Iterator<Item = (&'a Entry, bool)>) -> Self {
        let mut totals = Self::default();
        for (entry, is_in) in entries {
            match (&entry.reason, is_in) {
                (Some(reason), _) => totals.add_left(reason),
                (None, false) => totals.add_left(&Reason::Budget),
                (None, true) => {
                    match entry.level {
                        Level::Excerpt | Level::Skeleton => totals.n_shortened += 1,
                        Level::Full | Level::Path => totals.n_full += 1,
                    }
                    totals.n_redacted += usize::from(!entry.secrets.is_empty());
                }
            }
        }
        totals
    }

    fn add_left(&mut self, reason: &Reason) {
        *self.left.entry(reason.name()).or_default() += 1;
    }

    /// Says in words what was left out.
    pub(super) fn sentences(&self) -> String {
        let budget = Reason::Budget.name();
        let listed: Vec<String> = self
            .left
            .iter()
            .filter(|(name, _)| **name != budget)
            .map(|(name, n)| format!("{n} {name}"))
            .collect();
        let mut sentences = Vec::new();
        if let Some(n) = self.left.get(budget) {
            sentences.push(format!("{n}{DID_NOT_FIT}"));
        }
        if !listed.is_empty() {
            sentences.push(format!("Not shown: {}.", listed.join(", ")));
        }
        if self.n_shortened > 0 {
            sentences.push(format!("{} shown in part.", self.n_shortened));
        }
        if self.n_redacted > 0 {
            sentences.push(format!(
                "Secrets redacted in {} of the files.",
                self.n_redacted
            ));
        }
        if sentences.is_empty() {
            sentences.push("Nothing was left out.".to_owned());
        }
        sentences.join(" ")
    }

    /// Reads from such words how many files did not fit.
    pub(super) fn n_unfit(sentences: &str) -> usize {
        let before = sentences.split_once(DID_NOT_FIT);
        before.and_then(|(n, _)| n.parse().ok()).unwrap_or(0)
    }
}

/// What is said of files that the budget left out, after their number.
const DID_NOT_FIT: &str = " did not fit.";

/// A document that is being written.
pub struct Document<'a> {
    out: &'a mut dyn Write,
    counter: &'a Counter,
    frame: &'a Frame,
    count: Count,
    is_empty: bool,
}

impl<'a> Document<'a> {
    /// Writes everything before the first file.
    ///
    /// # Errors
    ///
    /// Returns the error of `out`.
    pub fn begin(
        out: &'a mut dyn Write,
        counter: &'a Counter,
        frame: &'a Frame,
        tree: &str,
    ) -> io::Result<Self> {
        let units = frame.format.before_files(tree);
        write(out, &units)?;
        Ok(Self {
            out,
            counter,
            frame,
            count: count(&units, counter),
            is_empty: true,
        })
    }

    /// Writes a file.
    ///
    /// # Errors
    ///
    /// Returns the error of `out`.
    pub fn part(&mut self, part: &Part) -> io::Result<()> {
        let is_first = std::mem::replace(&mut self.is_empty, false);
        if is_first
            && self.frame.format == Format::Json
            && let Some((opening, rest)) = part.units.split_first()
        {
            let opening = opening.replacen(json::COMMA, json::NO_COMMA, 1);
            self.out.write_all(opening.as_bytes())?;
            write(self.out, rest)?;
        } else {
            write(self.out, &part.units)?;
        }
        self.count += part.entry.cost;
        Ok(())
    }

    /// Writes everything after the last file; returns the tokens of the whole document.
    ///
    /// # Errors
    ///
    /// Returns the error of `out`.
    pub fn end(self, totals: &Totals) -> io::Result<Count> {
        let frame = self.frame;
        let rest = self.count + frame.count(self.counter);
        let totals = frame.settled(totals, rest.exact, self.counter);
        write(self.out, &frame.before_totals)?;
        self.out.write_all(totals.as_bytes())?;
        write(self.out, &frame.after_totals)?;
        self.out.flush()?;
        Ok(rest + self.counter.count(&totals))
    }
}

fn write(out: &mut dyn Write, units: &[String]) -> io::Result<()> {
    units
        .iter()
        .try_for_each(|unit| out.write_all(unit.as_bytes()))
}
