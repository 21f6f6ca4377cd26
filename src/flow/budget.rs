//! What a run may use: reserved before each call, settled after.

use std::time::Duration;

use super::player::Player;
use crate::run::{Reserve, Run};

/// The most that a run may use; what is not bounded is none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Budget {
    /// Tokens of all prompts and answers.
    pub tokens: Option<u64>,
    /// US dollars, of what is billed by the token.
    pub dollars: Option<f64>,
    /// How long it may be at work.
    pub time: Option<Duration>,
    /// Calls of agents, those that failed included.
    pub calls: Option<u64>,
}

/// The next call is more than the budget of a run allows.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BudgetError {
    /// In tokens.
    #[error(
        "the run may use {most} tokens: it has used {used}, and the next call takes {next} or more"
    )]
    Tokens {
        /// The budget.
        most: u64,
        /// What was used.
        used: u64,
        /// What the next call takes at least.
        next: u64,
    },
    /// In money.
    #[error(
        "the run may cost {most:.4} USD: it has cost {used:.4}, and the next call costs {next:.4} or more"
    )]
    Dollars {
        /// The budget.
        most: f64,
        /// What was used.
        used: f64,
        /// What the next call costs at least.
        next: f64,
    },
    /// In money, where nobody knows the price.
    #[error("the run may cost {most:.4} USD, and the price of `{model}` is not known")]
    NoPrice {
        /// The budget.
        most: f64,
        /// The model.
        model: String,
    },
    /// In time.
    #[error("the run may take {} s, and has taken {} s", most.as_secs(), used.as_secs())]
    Time {
        /// The budget.
        most: Duration,
        /// What was used.
        used: Duration,
    },
    /// In calls.
    #[error("the run may make {most} calls, and has made them")]
    Calls {
        /// The budget.
        most: u64,
    },
}

impl BudgetError {
    /// Returns the option that bounds it.
    pub fn option(&self) -> &'static str {
        match self {
            Self::Tokens { .. } => "--run-tokens",
            Self::Dollars { .. } | Self::NoPrice { .. } => "--run-cost",
            Self::Time { .. } => "--run-time",
            Self::Calls { .. } => "--run-calls",
        }
    }
}

/// The least tokens of an answer that is worth asking for.
pub const SHORT_ANSWER: u64 = 2_000;

impl Budget {
    /// Returns what a call of `player` with a prompt of `tokens` takes at least, if the budget allows that.
    ///
    /// # Errors
    ///
    /// Fails if it does not.
    pub fn reserve(
        &self,
        run: &Run,
        player: &Player,
        tokens: u64,
        is_billed: bool,
        now: u64,
    ) -> Result<Reserve, BudgetError> {
        self.check_time(run, now)?;
        let spent = run.spent();
        let tokens = tokens.saturating_add(player.overhead());
        let next = tokens.saturating_add(SHORT_ANSWER);
        if let Some(most) = self.calls.filter(|most| spent.n_calls >= *most) {
            return Err(BudgetError::Calls { most });
        }
        if let Some(most) = self
            .tokens
            .filter(|most| spent.tokens.saturating_add(next) > *most)
        {
            let used = spent.tokens;
            return Err(BudgetError::Tokens { most, used, next });
        }
        let price = player.model.dollars(tokens, 0, SHORT_ANSWER);
        let dollars = if is_billed { price } else { Some(0.0) };
        match (self.dollars, dollars) {
            (Some(most), None) => {
                let model = player.model.id.clone();
                return Err(BudgetError::NoPrice { most, model });
            }
            (Some(most), Some(next)) if spent.dollars + next > most => {
                let used = spent.dollars;
                return Err(BudgetError::Dollars { most, used, next });
            }
            _ => {}
        }
        Ok(Reserve {
            tokens: next,
            dollars,
        })
    }

    /// Returns how long the run may still be at work; none if that is not bounded.
    pub fn time_left(&self, run: &Run, now: u64) -> Option<Duration> {
        let most = self.time?;
        Some(most.saturating_sub(run.worked(now)))
    }

    /// Says whether there is time left.
    ///
    /// # Errors
    ///
    /// Fails if there is none.
    pub fn check_time(&self, run: &Run, now: u64) -> Result<(), BudgetError> {
        match (self.time, self.time_left(run, now)) {
            (Some(most), Some(Duration::ZERO)) => {
                let used = run.worked(now);
                Err(BudgetError::Time { most, used })
            }
            _ => Ok(()),
        }
    }
}
