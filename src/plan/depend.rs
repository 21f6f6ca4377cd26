//! Which step needs which, as plans say it.

use super::detail::{self, Kind};
use super::fence::Line;
use super::label;
use super::step::Step;

const STEPS: &str = "step steps task tasks phase phases schritt schritte schritten aufgabe aufgaben \u{6b65}\u{9aa4} \u{4efb}\u{52a1}";

/// What stands between a step and what it needs.
const NEEDS: &str = "\
    needs need depends depend requires require after follows follow dependent braucht brauchen ben\u{f6}tigt ben\u{f6}tigen \
    h\u{e4}ngt h\u{e4}ngen nach \u{4f9d}\u{8d56} \u{9700}\u{8981}";

/// What stands between a step and what needs it.
const BEFORE: &str = "before precedes blocks vor -> \u{2192} =>";

const NOT: &str = "not no doesn't don't nor nicht kein keine independent unabh\u{e4}ngig \u{4e0d}";

/// Words that join numbers.
const JOINS: &str = "and or und oder & , \u{3001} \u{548c}";

/// The most steps of one range: `1-3` is one, a year is none.
const MAX_RANGE: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Steps(Vec<usize>),
    Needs,
    Before,
}

/// Returns the steps that a text lists, as in `Steps 1 and 2`, `1, 2` and `none`.
pub(super) fn numbers(text: &str) -> Vec<usize> {
    let (text, _) = text.split_once('(').unwrap_or((text, ""));
    let text = label::list_item(text).unwrap_or(text);
    let named = tokens(text).into_iter().flatten();
    let named: Vec<usize> = named
        .filter_map(|token| match token {
            Token::Steps(steps) => Some(steps),
            Token::Needs | Token::Before => None,
        })
        .flatten()
        .collect();
    if !named.is_empty() {
        return named;
    }
    let runs = runs(text);
    let is_list = |run: &&str| is_number(run) || joins(run) || matches!(*run, "-" | "." | "#");
    if runs.iter().all(is_list) {
        list(&runs).0
    } else {
        Vec::new()
    }
}

/// Returns the steps that a line of the step `number` says it needs.
pub(super) fn named_in(text: &str, number: usize) -> Vec<usize> {
    let text = label::list_item(text.trim()).unwrap_or(text.trim());
    let needed = relations(text, Some(number)).into_iter();
    let needed = needed.filter(|&(step, _)| step == number);
    needed.map(|(_, needed)| needed).collect()
}

/// Returns each step with one that it needs, as the lines outside of the steps say.
pub(super) fn outside(lines: &[Line], steps: &[Step]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut is_open = false;
    for (at, line) in lines.iter().enumerate() {
        let Line::Text(text) = line else {
            continue;
        };
        let next = steps.partition_point(|step| *step.lines.end() < at + 1);
        let is_step = steps
            .get(next)
            .is_some_and(|step| step.lines.contains(&(at + 1)));
        if is_step {
            is_open = false;
            continue;
        }
        if let Some((kind, _, rest)) = detail::labelled(text) {
            is_open = kind == Kind::Depends;
            if is_open {
                found.extend(relations(rest, None));
            }
        } else if label::heading(text).is_some() {
            is_open = false;
        } else if is_open {
            found.extend(relations(text, None));
        }
    }
    found
}

/// Returns each step with one that it needs, as the sentences of `text` say of them, or of `subject`.
fn relations(text: &str, subject: Option<usize>) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for sentence in text.split_inclusive(['.', ';', '\u{3002}', '\u{ff1b}']) {
        let Some(tokens) = tokens(sentence) else {
            continue;
        };
        let begins = runs(sentence).first().is_some_and(|first| {
            let first = first.to_lowercase();
            first == "this" || lists(NEEDS, &first)
        });
        let mut last = subject.filter(|_| begins).map(|subject| vec![subject]);
        let mut verb = None;
        for token in tokens {
            let Token::Steps(steps) = token else {
                verb = Some(token);
                continue;
            };
            let before = last.replace(steps.clone()).unwrap_or_default();
            for (&one, &other) in before
                .iter()
                .flat_map(|one| steps.iter().map(move |other| (one, other)))
            {
                match verb {
                    Some(Token::Needs) => found.push((one, other)),
                    Some(Token::Before) => found.push((other, one)),
                    Some(Token::Steps(_)) | None => {}
                }
            }
            verb = None;
        }
    }
    found
}

/// Returns what a sentence says of steps; nothing, if it says that something is not so.
fn tokens(sentence: &str) -> Option<Vec<Token>> {
    let runs = runs(sentence);
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < runs.len() {
        let run = runs[at].to_lowercase();
        at += 1;
        if lists(NOT, &run) {
            return None;
        }
        let is_step = ends_with(STEPS, &run);
        let verb = if lists(BEFORE, &run) {
            Some(Token::Before)
        } else if within(NEEDS, &run) {
            Some(Token::Needs)
        } else {
            None
        };
        // `needs 1, 2` lacks the word.
        let is_bare = verb == Some(Token::Needs) && runs.get(at).is_some_and(|run| is_number(run));
        tokens.extend(verb);
        if is_step || is_bare {
            let (steps, n_runs) = list(&runs[at..]);
            let ends = runs
                .get(at + n_runs)
                .is_none_or(|run| !run.starts_with(char::is_alphabetic));
            at += n_runs;
            if !steps.is_empty() && (is_step || ends) {
                tokens.push(Token::Steps(steps));
            }
        }
    }
    Some(tokens)
}

/// Reads numbers, with what joins them; returns them, and how many runs they are.
fn list(runs: &[&str]) -> (Vec<usize>, usize) {
    let mut numbers: Vec<usize> = Vec::new();
    let mut n_read = 0;
    let mut is_range = false;
    for (at, run) in runs.iter().enumerate() {
        if let Ok(number) = run.parse() {
            match numbers.last() {
                Some(&first) if is_range && (first..first + MAX_RANGE).contains(&number) => {
                    numbers.extend(first + 1..=number);
                }
                _ => numbers.push(number),
            }
            is_range = false;
            n_read = at + 1;
        } else if matches!(*run, "-" | "\u{2013}" | "to" | "bis") && !numbers.is_empty() {
            is_range = true;
        } else if !(joins(run)
            || matches!(*run, "#" | "." | "*")
            || lists(STEPS, &run.to_lowercase()))
        {
            break;
        }
    }
    (numbers, n_read)
}

/// Cuts a text into runs of digits, runs of letters, arrows, and single marks.
fn runs(text: &str) -> Vec<&str> {
    let class = |c: char| match c {
        '0'..='9' => 0,
        c if c.is_alphabetic() || c == '\'' => 1,
        '-' | '>' | '=' => 2,
        _ => 3,
    };
    let mut runs = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, c) in text.char_indices() {
        let is_same = last.is_some_and(|last| class(last) == class(c)) && class(c) != 3;
        if last.is_some() && !is_same {
            runs.push(&text[start..at]);
            start = at;
        }
        last = Some(c);
    }
    runs.push(&text[start..]);
    runs.retain(|run| !run.trim().is_empty());
    runs
}

fn is_number(run: &str) -> bool {
    run.starts_with(|c: char| c.is_ascii_digit())
}

fn joins(run: &str) -> bool {
    lists(JOINS, &run.to_lowercase())
}

fn lists(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

/// Says whether a word is one of `list`, or holds one that is written without spaces.
fn within(list: &str, word: &str) -> bool {
    let mut known = list.split_ascii_whitespace();
    known.any(|known| known == word || !is_latin(known) && word.contains(known))
}

fn ends_with(list: &str, word: &str) -> bool {
    let mut known = list.split_ascii_whitespace();
    known.any(|known| known == word || !is_latin(known) && word.ends_with(known))
}

fn is_latin(word: &str) -> bool {
    word.chars().all(|c| c < '\u{2e80}')
}
