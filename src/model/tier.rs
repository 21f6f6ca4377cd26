//! What a task asks of a model: tiers, and presets that name one for each role.
//!
//! In: rows of the catalogue. Out: a tier's model of a vendor, and what a preset says of a role. No I/O.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Catalogue, CatalogueError, Model, UnknownModel};

/// Models that do for tasks of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// What it is called.
    pub name: String,
    /// Its models, by their names; of each vendor the first counts.
    pub models: Vec<String>,
    /// How long a call may take, in seconds.
    pub seconds: u64,
}

/// What each role gets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// What it is called.
    pub name: String,
    /// Who plans.
    pub planner: Power,
    /// Who carries plans out.
    pub executor: Power,
    /// Who reads changes.
    pub reviewer: Power,
    /// Who answers prompts of the user's.
    pub asked: Power,
}

/// How able the model of a role is, and how much it thinks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Power {
    /// The name of a tier.
    pub tier: String,
    /// How much it thinks, where its program can be told; as its program likes, where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
}

/// How much a model thinks before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// Very much.
    Xhigh,
    /// As much as it can.
    Max,
}

impl Effort {
    /// Returns the word for it, which is that of the programs, too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
        }
    }
}

impl Preset {
    /// Returns what it says of all roles.
    pub fn powers(&self) -> [&Power; 4] {
        [&self.planner, &self.executor, &self.reviewer, &self.asked]
    }
}

impl Catalogue {
    /// Adds tiers and presets, which stand above those of the same names.
    ///
    /// # Errors
    ///
    /// Fails if a preset names a tier that there is none of.
    pub(super) fn add_tiers(
        &mut self,
        tiers: Vec<Tier>,
        presets: Vec<Preset>,
    ) -> Result<(), CatalogueError> {
        for tier in tiers {
            self.tiers.retain(|known| known.name != tier.name);
            self.tiers.push(tier);
        }
        for preset in presets {
            let powers = preset.powers();
            let missing = powers.iter().find(|power| self.tier(&power.tier).is_none());
            if let Some(power) = missing {
                return Err(CatalogueError::Preset {
                    preset: preset.name.clone(),
                    tier: power.tier.clone(),
                });
            }
            self.presets.retain(|known| known.name != preset.name);
            self.presets.push(preset);
        }
        Ok(())
    }

    /// Returns the tier of this name.
    pub fn tier(&self, name: &str) -> Option<&Tier> {
        self.tiers.iter().find(|tier| tier.name == name)
    }

    /// Returns the preset of this name.
    pub fn preset(&self, name: &str) -> Option<&Preset> {
        self.presets.iter().find(|preset| preset.name == name)
    }

    /// Returns the model of a vendor in the tier `name`, and how long a call of it may take; none if there is no such tier.
    ///
    /// # Errors
    ///
    /// Fails if the tier names a model that is not known.
    pub fn in_tier(
        &self,
        name: &str,
        vendor: &str,
    ) -> Result<Option<(&Model, Duration)>, UnknownModel> {
        let Some(tier) = self.tier(name) else {
            return Ok(None);
        };
        for model in &tier.models {
            let model = self.find(model)?;
            if model.vendor == vendor {
                return Ok(Some((model, Duration::from_secs(tier.seconds))));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_has_a_model_of_each_vendor_and_the_users_stands_above_ours() {
        let mut catalogue = Catalogue::built_in();
        for tier in ["high", "medium", "low"] {
            for vendor in ["google", "anthropic", "openai"] {
                let found = catalogue.in_tier(tier, vendor).unwrap();
                assert_eq!(found.unwrap().0.vendor, vendor, "{tier}");
            }
        }
        let own = "version = 1\n[[tiers]]\nname = \"low\"\nmodels = [\"opus\"]\nseconds = 9\n";
        catalogue.extend(own).unwrap();
        let (model, time) = catalogue.in_tier("low", "anthropic").unwrap().unwrap();
        assert_eq!((model.id.as_str(), time.as_secs()), ("claude-opus-5-5", 9));
        for (tier, vendor) in [("low", "google"), ("none", "anthropic")] {
            assert!(catalogue.in_tier(tier, vendor).unwrap().is_none());
        }
    }

    #[test]
    fn a_preset_says_tier_and_effort_of_each_role() {
        let catalogue = Catalogue::built_in();
        for (name, tier, effort) in [
            ("ultra", "high", Effort::Max),
            ("high-power", "high", Effort::High),
            ("balanced", "medium", Effort::High),
            ("fast", "low", Effort::Medium),
        ] {
            let preset = catalogue.preset(name).unwrap();
            assert!(catalogue.tier(tier).is_some());
            for power in preset.powers() {
                assert_eq!(
                    (power.tier.as_str(), power.effort),
                    (tier, Some(effort)),
                    "{name}"
                );
            }
        }
        assert_eq!(catalogue.presets.len(), 4);
        for effort in ["low", "medium", "high", "xhigh", "max"] {
            let read: Effort = serde_json::from_value(effort.into()).unwrap();
            assert_eq!(read.name(), effort);
        }
    }

    #[test]
    fn the_users_presets_stand_above_ours_and_name_what_is_there() {
        let preset = |name: &str, tier: &str, more: &str| {
            format!(
                "version = 1\n[[presets]]\nname = \"{name}\"\nplanner = {{ tier = \"{tier}\", effort = \"xhigh\" }}\n\
                 executor = {{ tier = \"low\" }}\nreviewer = {{ tier = \"low\" }}\nasked = {{ tier = \"low\" }}\n{more}"
            )
        };
        let tier = "[[tiers]]\nname = \"top\"\nmodels = [\"fable\"]\nseconds = 60\n";
        for (text, wrong) in [
            (preset("fast", "high", ""), None),
            (preset("mine", "top", tier), None),
            (
                preset("mine", "top", ""),
                Some("the preset `mine` names the tier `top`, and there is none"),
            ),
            (preset("mine", "high", "other = 1\n"), Some("line 8")),
            (
                preset("mine", "high", "").replace("xhigh", "ultra"),
                Some("line 4"),
            ),
            (
                "version = 1\n[[tiers]]\nname = \"x\"\nmodel = []\n".to_owned(),
                Some("line 4"),
            ),
        ] {
            let mut catalogue = Catalogue::built_in();
            match (catalogue.extend(&text), wrong) {
                (Ok(()), None) => {
                    let preset = catalogue.presets.last().unwrap();
                    let (planner, executor) = (&preset.planner, &preset.executor);
                    assert_eq!(planner.effort, Some(Effort::Xhigh), "{text}");
                    assert_eq!(
                        (executor.tier.as_str(), executor.effort),
                        ("low", None),
                        "{text}"
                    );
                    let same = catalogue.presets.iter();
                    assert_eq!(same.filter(|it| it.name == preset.name).count(), 1);
                }
                (Err(error), Some(wrong)) => {
                    let told = anyhow::Error::from(error);
                    assert!(format!("{told:#}").contains(wrong), "{told:#}");
                }
                (done, _) => panic!("{text}: {done:?}"),
            }
        }
    }
}
