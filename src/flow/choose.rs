//! The choice of what goes into a pack under a budget: all files are counted, ranked for what is wanted, and as much of
//! each is taken as is worth its tokens.

use std::collections::BTreeMap;
use std::io::Write;

use super::pack::{Job, PackError, Progress};
use crate::pack::{
    Class, Document, Entry, Fit, Level, Look, Offer, Part, Room, Score, Seen, Shown, Totals, Way,
    excerpt, fit, rank, ways, whole_worth, worth_at_end,
};
use crate::repo::{Content, FileContent, Reason};
use crate::tokens::Count;

/// How often a choice is made while the files that it rests on change.
const MAX_CHOICES: usize = 10;

/// Of the likeliest files so many may be shown in part, and one more for so many tokens of the budget. Measured: more
/// change nothing, and each has to be parsed.
const MIN_SHORTENED: u64 = 20;
const TOKENS_A_FILE: u64 = 1000;

/// What is worth less than this much of what the last token is worth, if files are there as a whole, is not chosen and need not be counted.
const SURELY_TOO_LITTLE: f64 = 0.5;

/// One way in which a file may stand in the document.
struct Choice {
    shown: Shown,
    entry: Entry,
    worth: f64,
}

/// A file that was chosen, as it is to stand in the document.
struct Chosen {
    shown: Shown,
    entry: Entry,
}

/// Files that were read and are held, by their place.
type Held = BTreeMap<usize, Part>;

/// The files of which the user wants excerpts, by their place, each with its.
type Excerpts = BTreeMap<usize, Way>;

impl Job<'_> {
    /// Writes what is worth most and fits; returns what became of each file, the tokens, and the depth of the tree.
    pub(super) fn choose(
        &self,
        room: Room,
        out: &mut dyn Write,
        progress: Progress<'_>,
    ) -> Result<(Vec<Entry>, Count, usize), PackError> {
        let (mut entries, looks, mut held) = self.look_at_all(progress)?;
        let scores = self.rank(&entries, &looks);
        drop(looks);
        for (entry, score) in entries.iter_mut().zip(&scores) {
            entry.score.clone_from(score);
        }
        let excerpts = self.excerpts(&mut entries)?;
        for _ in 0..MAX_CHOICES {
            let mut choices = self.choices(room, &entries)?;
            let offers: Vec<Vec<Offer>> = (0..entries.len())
                .map(|index| {
                    let excerpt = excerpts.get(&index);
                    self.offers(&entries[index], excerpt, choices.get(&index))
                })
                .collect();
            let (tree, frame, counter) = (&self.tree, &self.frame, &self.request.counter);
            let Fit { taken, tree_depth } = fit(room, &entries, &offers, tree, frame, counter)?;
            let mut chosen = BTreeMap::new();
            for (index, offer) in taken.iter().enumerate() {
                let Some(offer) = *offer else { continue };
                let less = choices.get_mut(&index).filter(|less| offer < less.len());
                let shorter = less.map(|less| less.swap_remove(offer));
                let whole = self.shown(index, &excerpts);
                chosen.insert(index, chosen_as(whole, &entries[index], shorter));
            }
            // What the choice rests on may have changed since it was counted; then it is made again.
            if self.hold(&chosen, &excerpts, &mut entries, &mut held)? {
                let count = self.write_chosen(chosen, tree_depth, &mut entries, &held, out)?;
                return Ok((entries, count, tree_depth));
            }
        }
        Err(PackError::Restless)
    }

    /// Counts all files, and looks in each for what is wanted; holds as many as may be held.
    fn look_at_all(
        &self,
        progress: Progress<'_>,
    ) -> Result<(Vec<Entry>, Vec<Look>, Held), PackError> {
        let (mut entries, mut looks, mut held) = (Vec::new(), Vec::new(), Held::new());
        let mut n_held_bytes = 0;
        let all: Vec<usize> = (0..self.candidates.len()).collect();
        self.each(
            &all,
            |(part, look): &(Part, Look)| part.weight() + look.weight(),
            |index, file, secrets| {
                let look = self.look(index, &file);
                (self.part(index, file, secrets, &self.wanted(index)), look)
            },
            |index, (part, look)| {
                entries.push(part.entry.clone());
                looks.push(look);
                n_held_bytes += part.weight();
                if n_held_bytes <= self.request.max_held_bytes {
                    held.insert(index, part);
                }
                progress(index + 1, all.len());
                Ok::<(), PackError>(())
            },
        )?;
        Ok((entries, looks, held))
    }

    /// Looks in a file for what is wanted, if it may be ranked.
    fn look(&self, index: usize, file: &FileContent) -> Look {
        let path = &self.candidates[index].path;
        match (&self.request.query, &file.content) {
            (Some(query), Content::Text(text))
                if Class::of(path) == Class::Source
                    || query.says_name_of(path)
                    || self.level(index) == Level::Excerpt =>
            {
                query.look(&text.text)
            }
            _ => Look::default(),
        }
    }

    /// Returns how likely each file is meant by what is wanted.
    fn rank(&self, entries: &[Entry], looks: &[Look]) -> Vec<Option<Score>> {
        let Some(query) = &self.request.query else {
            return vec![None; entries.len()];
        };
        let each = entries.iter().zip(looks).enumerate();
        let seen = each.map(|(index, (entry, look))| Seen {
            path: &entry.path,
            look,
            is_candidate: entry.level == Level::Full
                && (entry.class == Class::Source || self.level(index) == Level::Excerpt),
            is_test: entry.class == Class::Test && entry.level == Level::Full,
        });
        rank(query, &seen.collect::<Vec<_>>())
    }

    /// Returns the excerpts that the user wants; `entries` tells then of them what it told of the whole files.
    fn excerpts(&self, entries: &mut [Entry]) -> Result<Excerpts, PackError> {
        let wanted: Vec<usize> = (0..entries.len())
            .filter(|&index| self.level(index) == Level::Excerpt)
            .filter(|&index| entries[index].level == Level::Full)
            .collect();
        let mut found = Vec::new();
        self.each(
            &wanted,
            |_| 0,
            |index, file, secrets| {
                let Content::Text(text) = &file.content else {
                    return None;
                };
                let Entry { path, score, .. } = &entries[index];
                let cache = self.request.counter.cache();
                let prefer = self.request.prefer;
                let way = excerpt(path, &text.text, score.as_ref(), prefer, cache)?;
                let part = self.part(index, file, secrets, &way.shown);
                Some((way, part.entry))
            },
            |index, excerpt| {
                found.extend(excerpt.map(|(way, entry)| (index, way, entry)));
                Ok::<(), PackError>(())
            },
        )?;
        let mut excerpts = Excerpts::new();
        for (index, way, entry) in found {
            let score = entries[index].score.take();
            entries[index] = Entry { score, ..entry };
            excerpts.insert(index, way);
        }
        Ok(excerpts)
    }

    /// Returns how much of a file the user wants, and which lines that are.
    fn shown(&self, index: usize, excerpts: &Excerpts) -> Shown {
        match excerpts.get(&index) {
            Some(way) => way.shown.clone(),
            None => self.wanted(index),
        }
    }

    /// Returns the ways in which the likeliest files may be shown in part, each counted.
    fn choices(
        &self,
        room: Room,
        entries: &[Entry],
    ) -> Result<BTreeMap<usize, Vec<Choice>>, PackError> {
        let total = |index: usize| {
            entries[index]
                .score
                .as_ref()
                .map_or(0.0, |score| score.total)
        };
        let mut likeliest: Vec<usize> = (0..entries.len())
            .filter(|&index| total(index) > 0.0 && entries[index].level == Level::Full)
            .filter(|&index| entries[index].class != Class::Named)
            .collect();
        likeliest.sort_by(|&a, &b| total(b).total_cmp(&total(a)));
        let most = MIN_SHORTENED + room.budget / TOKENS_A_FILE;
        likeliest.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        likeliest.sort_unstable();
        let whole: Vec<Offer> = likeliest
            .iter()
            .flat_map(|&index| self.offers(&entries[index], None, None))
            .collect();
        let least = SURELY_TOO_LITTLE * worth_at_end(room.budget, &whole);
        let mut choices = BTreeMap::new();
        self.each(
            &likeliest,
            |_| 0,
            |index, file, secrets| {
                let (Some(score), Content::Text(text)) = (&entries[index].score, &file.content)
                else {
                    return Vec::new();
                };
                let (path, cache) = (&entries[index].path, self.request.counter.cache());
                let (text, prefer) = (&text.text, self.request.prefer);
                let ways = ways(path, text, score, prefer, least, cache);
                let each = ways.into_iter().map(|way| Choice {
                    entry: self
                        .part(index, file.clone(), secrets.clone(), &way.shown)
                        .entry,
                    shown: way.shown,
                    worth: way.worth,
                });
                // What turned out to be all of it is no choice beside that.
                each.filter(|choice| choice.entry.level != Level::Full)
                    .collect()
            },
            |index, found| {
                choices.insert(index, found);
                Ok::<(), PackError>(())
            },
        )?;
        Ok(choices)
    }

    /// Returns the offers of a file: those in part, and all of it.
    fn offers(
        &self,
        entry: &Entry,
        excerpt: Option<&Way>,
        less: Option<&Vec<Choice>>,
    ) -> Vec<Offer> {
        let score = entry.score.as_ref().filter(|_| entry.level != Level::Path);
        let whole_worth = |score| whole_worth(score, self.request.prefer);
        let whole = Offer {
            cost: entry.cost,
            worth: excerpt.map_or_else(|| score.map_or(0.0, whole_worth), |way| way.worth),
        };
        let less = less.into_iter().flatten().map(|choice| Offer {
            cost: choice.entry.cost,
            worth: choice.worth,
        });
        less.chain([whole]).collect()
    }

    /// Reads the chosen files that are not held as they were chosen, and holds them; says whether all are as they were
    /// counted. Of those that are not, `entries` tells then how they are.
    fn hold(
        &self,
        chosen: &BTreeMap<usize, Chosen>,
        excerpts: &Excerpts,
        entries: &mut [Entry],
        held: &mut Held,
    ) -> Result<bool, PackError> {
        let n_bytes: u64 = chosen
            .values()
            .filter_map(|chosen| chosen.entry.bytes)
            .sum();
        if n_bytes > self.request.max_held_bytes as u64 {
            // Too much to hold: it is read while it is written, and must be as it was.
            return Ok(true);
        }
        let is_held = |(index, chosen): &(&usize, &Chosen)| {
            held.get(index)
                .is_some_and(|part| part.is_like(&chosen.entry))
        };
        let missing = chosen.iter().filter(|each| !is_held(each));
        let missing: Vec<usize> = missing.map(|(index, _)| *index).collect();
        let mut is_same = true;
        self.each(
            &missing,
            |(part, _): &(Part, Entry)| part.weight(),
            |index, file, secrets| {
                let (shown, wanted) = (&chosen[&index].shown, self.shown(index, excerpts));
                let whole = (*shown != wanted).then(|| {
                    self.part(index, file.clone(), secrets.clone(), &wanted)
                        .entry
                });
                let part = self.part(index, file, secrets, shown);
                let whole = whole.unwrap_or_else(|| part.entry.clone());
                (part, whole)
            },
            |index, (part, whole)| {
                is_same &= part.is_like(&chosen[&index].entry);
                let score = entries[index].score.take();
                entries[index] = Entry { score, ..whole };
                held.insert(index, part);
                Ok::<(), PackError>(())
            },
        )?;
        Ok(is_same)
    }

    fn write_chosen(
        &self,
        chosen: BTreeMap<usize, Chosen>,
        tree_depth: usize,
        entries: &mut [Entry],
        held: &Held,
        out: &mut dyn Write,
    ) -> Result<Count, PackError> {
        let tree = self.tree.draw(tree_depth);
        let mut document = Document::begin(out, &self.request.counter, &self.frame, &tree)?;
        let indices: Vec<usize> = chosen.keys().copied().collect();
        let mut write = |index: usize, part: &Part| {
            if part.is_like(&chosen[&index].entry) {
                Ok(document.part(part)?)
            } else {
                Err(PackError::Restless)
            }
        };
        let is_held = |index: &usize| {
            held.get(index)
                .is_some_and(|part| part.is_like(&chosen[index].entry))
        };
        if indices.iter().all(is_held) {
            indices
                .iter()
                .try_for_each(|index| write(*index, &held[index]))?;
        } else {
            self.each(
                &indices,
                Part::weight,
                |index, file, secrets| self.part(index, file, secrets, &chosen[&index].shown),
                |index, part| write(index, &part),
            )?;
        }
        for entry in entries.iter_mut() {
            entry.is_packed = false;
        }
        for (index, Chosen { entry, .. }) in chosen {
            entries[index] = entry;
        }
        for entry in entries.iter_mut() {
            if !entry.is_packed && entry.reason.is_none() {
                entry.reason = Some(Reason::Budget);
            }
        }
        let totals = Totals::of(entries.iter().map(|entry| (entry, entry.is_packed)));
        Ok(document.end(&totals)?)
    }
}

/// Returns a file as it was chosen: in part, or all that the user wants of it.
fn chosen_as(wanted: Shown, whole: &Entry, shorter: Option<Choice>) -> Chosen {
    match shorter {
        Some(Choice { shown, entry, .. }) => Chosen {
            shown,
            entry: Entry {
                score: whole.score.clone(),
                full_cost: Some(whole.cost),
                ..entry
            },
        },
        None => Chosen {
            shown: wanted,
            entry: whole.clone(),
        },
    }
}
