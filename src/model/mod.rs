//! The catalogue of models: windows, limits, prices, tokenizers.
//!
//! In: the built-in data file and, as text, the user's own. Out: [`Model`] values. No I/O.

use serde::{Deserialize, Serialize};

mod tier;

pub use tier::{Effort, Power, Preset, Tier};

use crate::alike;
use crate::tokens::{Count, Family, Margin};

/// How many days a catalogue is taken as current; prices change.
pub const FRESH_DAYS: i64 = 60;

/// All models that are known.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// The date of the built-in data, `YYYY-MM-DD`.
    pub as_of: String,
    /// The models, in the order of the files; the user's own last.
    pub models: Vec<Model>,
    /// The tiers, the user's own last.
    pub tiers: Vec<Tier>,
    /// The presets, the user's own last.
    pub presets: Vec<Preset>,
}

/// A model: a name with a window, an output limit, a tokenizer and prices.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The vendor's identifier.
    pub id: String,
    /// Other names that mean this model.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Who serves it.
    pub vendor: String,
    /// Whether it is still served.
    pub status: Status,
    /// When it came out, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released: Option<String>,
    /// When it goes, in the vendor's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retires: Option<String>,
    /// What cuts text into its tokens.
    pub tokenizer: Tokenizer,
    /// Tokens of the whole window.
    pub context_window: u64,
    /// Whether prompt and answer share the window.
    pub shared_window: bool,
    /// Most tokens of a prompt.
    pub max_input: u64,
    /// Most tokens of an answer, where the vendor says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u64>,
    /// Whether it is newer than the counts that its tokenizer's estimator was measured with.
    #[serde(default)]
    pub unmeasured: bool,
    /// Prices; none for a model that runs locally.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Other prices for whole requests with a long prompt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub price_tiers: Vec<PriceTier>,
    /// Changes of price that were announced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub price_schedule: Vec<PriceChange>,
    /// What else a user should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Puts what `over` says in the place of what `value` says of the same keys.
fn overlay(value: &mut toml::Value, over: toml::Value) {
    match (value, over) {
        (toml::Value::Table(value), toml::Value::Table(over)) => {
            for (key, over) in over {
                match value.get_mut(&key) {
                    Some(value) => overlay(value, over),
                    None => drop(value.insert(key, over)),
                }
            }
        }
        (value, over) => *value = over,
    }
}

/// Whether a model is still served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Served, and the newest of its kind.
    Current,
    /// Served, and superseded.
    Legacy,
    /// Served, with a date at which it goes.
    Deprecated,
    /// No longer served.
    Retired,
}

/// What cuts text into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub enum Tokenizer {
    /// `OpenAI`'s, public.
    #[serde(rename = "o200k_base")]
    O200kBase,
    /// The same vocabulary with other special tokens: the same counts on plain text.
    #[serde(rename = "o200k_harmony")]
    O200kHarmony,
    /// That of Claude 4.7 and later.
    #[serde(rename = "claude-v4.7")]
    ClaudeV47,
    /// That of Claude 3 to 4.6.
    #[serde(rename = "claude-v3")]
    ClaudeV3,
    /// That of Gemini 2 and 3.
    #[serde(rename = "gemma3")]
    Gemma3,
    /// That of Gemini 3.1 and later.
    #[serde(rename = "gemma4")]
    Gemma4,
}

impl Tokenizer {
    /// Returns the name by which files know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::O200kBase => "o200k_base",
            Self::O200kHarmony => "o200k_harmony",
            Self::ClaudeV47 => "claude-v4.7",
            Self::ClaudeV3 => "claude-v3",
            Self::Gemma3 => "gemma3",
            Self::Gemma4 => "gemma4",
        }
    }
}

/// Dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Of the prompt.
    pub input: f64,
    /// Of the answer.
    pub output: f64,
    /// Of a prompt that the vendor has cached.
    pub cache_read: f64,
}

/// Dollars for a million tokens of a request whose prompt is longer than a limit.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PriceTier {
    /// The limit; the whole request costs more above it.
    pub above_prompt_tokens: u64,
    /// Of the prompt.
    pub input: f64,
    /// Of the answer.
    pub output: f64,
    /// Of a prompt that the vendor has cached.
    pub cache_read: f64,
}

/// Dollars for a million tokens from a date on.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PriceChange {
    /// The date, `YYYY-MM-DD`.
    pub from: String,
    /// Of the prompt.
    pub input: f64,
    /// Of the answer.
    pub output: f64,
    /// Of a prompt that the vendor has cached.
    pub cache_read: f64,
}

/// How a model's tokens are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Exactly.
    Exact,
    /// By an estimate of a family, with a margin that holds for 99 % of packs.
    Estimated(Family, Margin),
}

impl Measure {
    /// Returns the tokens of `count` in this measure; for an estimate, the most that it may be.
    pub fn tokens(self, count: &Count) -> u64 {
        match self {
            Self::Exact => count.exact,
            Self::Estimated(family, margin) => count.at_most(family, margin),
        }
    }
}

impl Model {
    /// Says how this model's tokens are counted.
    pub fn measure(&self) -> Measure {
        // What was not measured itself gets two points more: a judgement, made with the estimators.
        let margin = |unmeasured| Margin {
            extra_points: if unmeasured { 2 } else { 0 },
        };
        match self.tokenizer {
            Tokenizer::O200kBase | Tokenizer::O200kHarmony => Measure::Exact,
            Tokenizer::ClaudeV47 => Measure::Estimated(Family::ClaudeV47, margin(self.unmeasured)),
            Tokenizer::ClaudeV3 => Measure::Estimated(Family::ClaudeV3, margin(self.unmeasured)),
            Tokenizer::Gemma3 => Measure::Estimated(Family::Gemma3, margin(self.unmeasured)),
            Tokenizer::Gemma4 => Measure::Estimated(Family::Gemma3, margin(true)),
        }
    }

    /// Returns the tokens that are kept free for the answer: an eighth of the window, or all that
    /// the model can answer if that is less.
    pub fn reserved_output(&self) -> u64 {
        let eighth = self.context_window / 8;
        self.max_output.map_or(eighth, |most| most.min(eighth))
    }

    /// Returns the dollars of one request, by the price of its size; none if the model has no price.
    #[expect(
        clippy::cast_precision_loss,
        reason = "token counts are far below 2^53"
    )]
    pub fn dollars(&self, prompt: u64, cached: u64, answer: u64) -> Option<f64> {
        let price = self.price?;
        let is_over = |tier: &&PriceTier| prompt + cached > tier.above_prompt_tokens;
        let tier = self.price_tiers.iter().rfind(is_over);
        let price = tier.map_or(price, |tier| Price {
            input: tier.input,
            output: tier.output,
            cache_read: tier.cache_read,
        });
        let of = |tokens: u64, price: f64| tokens as f64 * price / 1e6;
        Some(of(prompt, price.input) + of(cached, price.cache_read) + of(answer, price.output))
    }

    /// Returns all dollars that its prices name.
    fn amounts(&self) -> impl Iterator<Item = f64> {
        let plain = self.price.iter();
        let plain = plain.map(|price| [price.input, price.output, price.cache_read]);
        let tiers = self.price_tiers.iter();
        let tiers = tiers.map(|tier| [tier.input, tier.output, tier.cache_read]);
        let changes = self.price_schedule.iter();
        let changes = changes.map(|change| [change.input, change.output, change.cache_read]);
        plain.chain(tiers).chain(changes).flatten()
    }

    /// Returns the most tokens that a prompt may have.
    pub fn prompt_limit(&self) -> u64 {
        if self.shared_window {
            self.max_input
                .min(self.context_window - self.reserved_output())
        } else {
            self.max_input
        }
    }
}

/// A catalogue file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// It is no TOML of the right form.
    #[error("the file is no catalogue of models")]
    Form(#[from] toml::de::Error),
    /// It was written for another version of the format.
    #[error("the file has version {0}; this twostep reads version 1")]
    Version(u32),
    /// A model has a window that cannot be.
    #[error(
        "model `{0}` has a window of no tokens, or a largest prompt of none or beyond its window"
    )]
    Window(String),
    /// A preset names a tier that there is none of.
    #[error("the preset `{preset}` names the tier `{tier}`, and there is none")]
    Preset {
        /// The preset.
        preset: String,
        /// The tier.
        tier: String,
    },
    /// A model has a price that cannot be.
    #[error("model `{0}` has a price that is no amount of dollars: below zero, or without end")]
    Price(String),
}

/// A name that is no model's.
#[derive(Debug, thiserror::Error)]
#[error("unknown model `{name}`")]
pub struct UnknownModel {
    /// What was asked for.
    pub name: String,
    /// The name that is most like it.
    pub nearest: Option<String>,
}

/// A catalogue file; of models that a user's file has, all that is not said may be known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogueFile<M> {
    version: u32,
    as_of: Option<String>,
    #[serde(default)]
    tiers: Vec<Tier>,
    #[serde(default)]
    presets: Vec<Preset>,
    #[serde(default = "Vec::new")]
    models: Vec<M>,
}

impl CatalogueFile<Model> {
    fn check(file: Self) -> Result<Self, CatalogueError> {
        if file.version != 1 {
            return Err(CatalogueError::Version(file.version));
        }
        let impossible = |model: &&Model| {
            model.context_window == 0
                || model.max_input == 0
                || model.max_input > model.context_window
        };
        if let Some(model) = file.models.iter().find(impossible) {
            return Err(CatalogueError::Window(model.id.clone()));
        }
        let is_amount = |dollars: f64| dollars.is_finite() && dollars >= 0.0;
        if let Some(model) = file
            .models
            .iter()
            .find(|model| !model.amounts().all(is_amount))
        {
            return Err(CatalogueError::Price(model.id.clone()));
        }
        Ok(file)
    }
}

impl Catalogue {
    /// Returns the models that come with the program.
    ///
    /// # Panics
    ///
    /// Never: a test reads the data.
    #[expect(
        clippy::expect_used,
        reason = "the data is part of the program, and a test reads all of it"
    )]
    pub fn built_in() -> Self {
        let file: CatalogueFile<Model> =
            toml::from_str(include_str!("catalogue.toml")).expect("catalogue.toml is well-formed");
        Self {
            as_of: file.as_of.unwrap_or_default(),
            models: file.models,
            tiers: file.tiers,
            presets: file.presets,
        }
    }

    /// Adds the models of a file of the user's; one with the id of a known model overrides what it says of it.
    ///
    /// # Errors
    ///
    /// Fails on a file of another form.
    pub fn extend(&mut self, text: &str) -> Result<(), CatalogueError> {
        let file = self.read(text)?;
        self.add_tiers(file.tiers, file.presets)?;
        for model in file.models {
            for other in &mut self.models {
                // A name belongs to whom the user gave it last.
                other
                    .aliases
                    .retain(|alias| *alias != model.id && !model.aliases.contains(alias));
            }
            match self.models.iter_mut().find(|known| known.id == model.id) {
                Some(known) => *known = model,
                None => self.models.push(model),
            }
        }
        Ok(())
    }

    /// Reads a file of the user's, in which known models need not say everything again.
    fn read(&self, text: &str) -> Result<CatalogueFile<Model>, CatalogueError> {
        let file: CatalogueFile<toml::Value> = toml::from_str(text)?;
        let models = file.models.into_iter().map(|model| {
            let id = model.get("id").and_then(toml::Value::as_str);
            let mut known = self.models.iter();
            let known = known.find(|known| Some(known.id.as_str()) == id);
            let whole = known.and_then(|known| toml::Value::try_from(known).ok());
            match whole {
                Some(mut whole) => {
                    overlay(&mut whole, model);
                    whole.try_into()
                }
                None => model.try_into(),
            }
        });
        CatalogueFile::check(CatalogueFile {
            version: file.version,
            as_of: file.as_of,
            tiers: file.tiers,
            presets: file.presets,
            models: models.collect::<Result<_, _>>()?,
        })
    }

    /// Finds a model by its id or an alias, whatever the case.
    ///
    /// # Errors
    ///
    /// Fails on a name that is no model's, and names the most similar one.
    pub fn find(&self, name: &str) -> Result<&Model, UnknownModel> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        let by_id = self.models.iter().find(|model| is(&model.id));
        let by_alias = || {
            self.models
                .iter()
                .find(|model| model.aliases.iter().any(|alias| is(alias)))
        };
        by_id.or_else(by_alias).ok_or_else(|| UnknownModel {
            name: name.to_owned(),
            nearest: self.nearest(name),
        })
    }

    fn nearest(&self, name: &str) -> Option<String> {
        let served = self
            .models
            .iter()
            .filter(|model| model.status != Status::Retired);
        let names = served.flat_map(|model| std::iter::once(&model.id).chain(&model.aliases));
        alike::nearest(name, names.map(String::as_str)).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_model_is_found_by_each_of_its_names() {
        let catalogue = Catalogue::built_in();
        assert_eq!(catalogue.models.len(), 48);
        for model in &catalogue.models {
            for name in std::iter::once(&model.id).chain(&model.aliases) {
                assert_eq!(catalogue.find(&name.to_uppercase()).unwrap().id, model.id);
            }
            assert!(model.prompt_limit() > 0 && model.prompt_limit() <= model.max_input);
        }
    }

    #[test]
    fn the_prompt_limit_leaves_room_for_the_answer() {
        let catalogue = Catalogue::built_in();
        for (name, limit) in [
            ("claude-opus-5-5", 875_000), // shared: an eighth of a million is less than 128,000
            ("claude-haiku-4-5", 175_000),
            ("gemini-4-argon", 917_504), // its answer could take the whole window
            ("gemini-3.1-pro-preview", 1_048_576), // a window of its own for the answer
            ("gpt-6.2-sol", 922_000),
            ("gpt-5", 272_000),
            ("gpt-oss-20b", 114_688),
        ] {
            assert_eq!(
                catalogue.find(name).unwrap().prompt_limit(),
                limit,
                "{name}"
            );
        }
    }

    #[test]
    fn an_unknown_name_brings_the_nearest() {
        let catalogue = Catalogue::built_in();
        for (name, nearest) in [
            ("claude-opus-5.5", "claude-opus-5-5"),
            ("gemini-4-argn", "gemini-4-argon"),
            ("Sonet", "sonnet"),
            ("gemma", "gemma-4-31b-it"),
            ("llama", ""),
            ("", ""),
        ] {
            let found = catalogue.find(name).unwrap_err().nearest;
            assert_eq!(found.unwrap_or_default(), nearest, "{name}");
        }
    }

    #[test]
    fn the_users_file_adds_and_overrides() {
        let mut catalogue = Catalogue::built_in();
        catalogue
            .extend(
                r#"
                version = 1
                [[models]]
                id = "my-model"
                aliases = ["opus"]
                vendor = "me"
                status = "current"
                tokenizer = "o200k_base"
                context_window = 8000
                shared_window = false
                max_input = 8000
                [[models]]
                id = "gpt-5"
                context_window = 10
                max_input = 10
                price = { input = 7 }
                "#,
            )
            .unwrap();
        assert_eq!(catalogue.find("opus").unwrap().id, "my-model");
        let gpt = catalogue.find("gpt-5").unwrap();
        let price = gpt.price.unwrap();
        assert_eq!((gpt.max_input, gpt.vendor.as_str()), (10, "openai"));
        assert_eq!(
            (price.input.to_string(), price.output.to_string()),
            ("7".to_owned(), "10".to_owned())
        );
        assert_eq!(catalogue.models.len(), 49);
        for bad in [
            "version = 2",
            "version = 1\nmodel = 3",
            "version = 1\n[[models]]\nid = \"x\"",
            "no toml",
        ] {
            assert!(catalogue.extend(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_price_is_an_amount_of_dollars() {
        for (prices, is_right) in [
            ("price = { input = 0, output = 0.5 }", true),
            ("price = { input = -1 }", false),
            ("price = { output = nan }", false),
            ("price = { cache_read = inf }", false),
            (
                "price_tiers = [{ above_prompt_tokens = 9, input = 1, output = -2, cache_read = 0 }]",
                false,
            ),
            (
                "price_schedule = [{ from = \"2030-01-01\", input = 1, output = 2, cache_read = -inf }]",
                false,
            ),
        ] {
            let text = format!("version = 1\n[[models]]\nid = \"gpt-5\"\n{prices}\n");
            let read = Catalogue::built_in().extend(&text);
            let error = read.map_err(|error| error.to_string());
            assert_eq!(error.is_ok(), is_right, "{prices}: {error:?}");
            assert!(error.err().is_none_or(|why| why.contains("`gpt-5`")));
        }
    }

    #[test]
    fn what_was_not_measured_gets_a_wider_margin() {
        let catalogue = Catalogue::built_in();
        for (name, expected) in [
            ("gpt-6.2-sol", Measure::Exact),
            ("gpt-oss-20b", Measure::Exact),
            (
                "claude-opus-5",
                Measure::Estimated(Family::ClaudeV47, Margin { extra_points: 0 }),
            ),
            (
                "claude-opus-5-5",
                Measure::Estimated(Family::ClaudeV47, Margin { extra_points: 2 }),
            ),
            (
                "claude-haiku-4-5",
                Measure::Estimated(Family::ClaudeV3, Margin { extra_points: 0 }),
            ),
            (
                "gemini-2.5-pro",
                Measure::Estimated(Family::Gemma3, Margin { extra_points: 0 }),
            ),
            (
                "gemini-4-argon",
                Measure::Estimated(Family::Gemma3, Margin { extra_points: 2 }),
            ),
        ] {
            assert_eq!(catalogue.find(name).unwrap().measure(), expected, "{name}");
        }
    }
}
