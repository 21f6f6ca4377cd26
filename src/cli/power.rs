//! Who plays a role, with which model.

use anyhow::Context as _;
use clap::Args;

use super::environment::Environment;
use super::exit::usage;
use crate::agent::{Chain, Role};
use crate::flow::player::Player;
use crate::model::{Catalogue, Power};
use crate::run;

/// How able the models are that are not named.
#[derive(Args, Debug)]
pub(super) struct PowerArgs {
    /// Use models of this tier (high, medium, low, or one of your `models.toml`) for agents that are given without `:MODEL`
    #[arg(long, value_name = "TIER", conflicts_with = "preset")]
    tier: Option<String>,

    /// Use a tier for each role, and an effort where its program can be told: ultra, high-power, balanced, fast, or one
    /// of your `models.toml`; for agents that are given without `:MODEL`
    #[arg(long, value_name = "PRESET")]
    preset: Option<String>,
}

impl PowerArgs {
    /// Returns what `role` gets where no model is named; none if nothing was said.
    ///
    /// # Errors
    ///
    /// Fails on a tier or preset that there is none of.
    pub(super) fn of(&self, role: Role, catalogue: &Catalogue) -> anyhow::Result<Option<Power>> {
        let unknown = |what: &str, name: &str, known: Vec<&str>| {
            let known = known.join(", ");
            usage(
                format!("there is no {what} `{name}`"),
                format!("there are {known}; `twostep models` tells what is in each"),
            )
        };
        if let Some(name) = &self.tier {
            let known = catalogue.tiers.iter().map(|tier| tier.name.as_str());
            let tier = catalogue.tier(name);
            let tier = tier.ok_or_else(|| unknown("tier", name, known.collect()))?;
            return Ok(Some(Power {
                tier: tier.name.clone(),
                effort: None,
            }));
        }
        let Some(name) = &self.preset else {
            return Ok(None);
        };
        let known = catalogue.presets.iter().map(|preset| preset.name.as_str());
        let preset = catalogue.preset(name);
        let preset = preset.ok_or_else(|| unknown("preset", name, known.collect()))?;
        let power = match role {
            Role::Planner => &preset.planner,
            Role::Executor => &preset.executor,
            Role::Reviewer => &preset.reviewer,
            Role::Asked => &preset.asked,
        };
        Ok(Some(power.clone()))
    }

    /// Returns the options that were given, as they are written.
    pub(super) fn words(&self) -> Vec<(&'static str, &str)> {
        let all = [("--tier", &self.tier), ("--preset", &self.preset)].into_iter();
        all.filter_map(|(name, value)| Some((name, value.as_deref()?)))
            .collect()
    }

    /// Finds who plays `role`, and who does in its place.
    ///
    /// # Errors
    ///
    /// Fails if nobody can.
    pub(super) fn player(
        &self,
        role: Role,
        chain: Option<&Chain>,
        environment: &Environment,
    ) -> anyhow::Result<Player> {
        self.player_with((role, role), chain, environment)
    }

    /// Finds who plays `role` with the model that another role would get, and who does in its place.
    ///
    /// # Errors
    ///
    /// Fails if nobody can.
    pub(super) fn player_with(
        &self,
        (role, like): (Role, Role),
        chain: Option<&Chain>,
        environment: &Environment,
    ) -> anyhow::Result<Player> {
        let catalogue = environment.catalogue()?;
        let power = self.of(like, &catalogue)?;
        let path = environment.variable("PATH").unwrap_or_default();
        let agents = environment.agents()?;
        let known = (&catalogue, &agents);
        let find = |choice| {
            let power = power.as_ref();
            if let Some(first) = &environment.replayed {
                let calls = first.join(run::CALLS_FOLDER);
                return Player::recorded(role, choice, power, known, calls);
            }
            Player::find(role, choice, power, known, &path, &environment.directory)
        };
        let Some(Chain(choices)) = chain else {
            return Ok(find(None)?);
        };
        let mut player = None;
        for choice in choices.iter().rev() {
            let mut first = find(Some(choice.clone()))?;
            first.next = player.map(Box::new);
            player = Some(first);
        }
        player.context("no agent was named")
    }
}
