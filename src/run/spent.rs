//! What a run has used, as its journal tells.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Event, Record};
use crate::agent::{Class, Usage};

/// What a call takes at least, set aside before it is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Reserve {
    /// Tokens of its prompt and of a short answer.
    pub tokens: u64,
    /// What they cost in US dollars; nothing where they are not billed, none where the price is not known.
    pub dollars: Option<f64>,
}

/// What a run has used: as it was reported, nothing where a call was refused, and else what had been set aside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spent {
    /// Calls that were made, whatever came of them.
    pub n_calls: u64,
    /// Calls whose tokens were not reported: they failed, were cut off, or are of who tells none.
    pub n_unknown: u64,
    /// Tokens of prompts and answers.
    pub tokens: u64,
    /// US dollars.
    pub dollars: f64,
}

impl Spent {
    /// Adds up the calls of `records`.
    pub(super) fn of(records: &[Record]) -> Self {
        let mut calls: BTreeMap<usize, (Reserve, Option<Usage>)> = BTreeMap::new();
        for record in records {
            match &record.event {
                Event::CallStarted {
                    number, reserve, ..
                } => drop(calls.insert(*number, (*reserve, None))),
                Event::CallEnded { number, usage, .. } => {
                    if let Some(call) = calls.get_mut(number) {
                        call.1 = Some(*usage);
                    }
                }
                Event::CallFailed { number, class, .. } if class.is_some_and(Class::is_unpaid) => {
                    // An answer that cannot be used was paid for all the same.
                    if let Some(call) = calls.get_mut(number) {
                        call.1.get_or_insert_with(Usage::nothing);
                    }
                }
                _ => {}
            }
        }
        let mut spent = Self::default();
        for (reserve, usage) in calls.into_values() {
            spent.add(reserve, usage);
        }
        spent
    }

    /// Adds a call; `usage` is what was reported of it.
    pub(super) fn add(&mut self, reserve: Reserve, usage: Option<Usage>) {
        self.n_calls += 1;
        let tokens = usage.and_then(|usage| Some(usage.input?.saturating_add(usage.output?)));
        self.n_unknown += u64::from(tokens.is_none());
        let tokens = tokens.unwrap_or(reserve.tokens);
        self.tokens = self.tokens.saturating_add(tokens);
        let is_amount = |amount: &f64| *amount >= 0.0;
        let reported = usage.and_then(|usage| usage.dollars).filter(is_amount);
        let set_aside = reserve.dollars.filter(is_amount);
        self.dollars += reported.or(set_aside).unwrap_or(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_unknown_unless_all_its_tokens_are_reported() {
        for (input, output, n_unknown, n_tokens) in [
            (Some(1), Some(2), 0, 3),
            (Some(1), None, 1, 9),
            (None, None, 1, 9),
        ] {
            let mut spent = Spent::default();
            let reserve = Reserve {
                tokens: 9,
                dollars: None,
            };
            let usage = Usage {
                input,
                output,
                ..Usage::default()
            };
            spent.add(reserve, Some(usage));
            let got = (spent.n_unknown, spent.tokens);
            assert_eq!(got, (n_unknown, n_tokens), "{input:?} {output:?}");
        }
    }

    #[test]
    fn what_was_set_aside_counts_where_no_amount_is_reported() {
        for (reported, set_aside, expected) in [
            (Some(0.25), Some(0.5), 0.25),
            (Some(0.0), Some(0.5), 0.0),
            (None, Some(0.5), 0.5),
            (Some(-0.25), Some(0.5), 0.5),
            (Some(-0.25), None, 0.0),
            (None, Some(-0.5), 0.0),
        ] {
            let mut spent = Spent::default();
            let reserve = Reserve {
                tokens: 1,
                dollars: set_aside,
            };
            let usage = Usage {
                dollars: reported,
                ..Usage::default()
            };
            spent.add(reserve, Some(usage));
            let got = (spent.dollars * 100.0).to_string();
            let expected = (expected * 100.0_f64).to_string();
            assert_eq!(got, expected, "{reported:?} {set_aside:?}");
        }
    }
}
