//! `twostep models`

use std::fmt::Write as _;

use clap::Args;
use jiff::civil::Date;
use serde::Serialize;

use super::environment::Environment;
use super::exit::Exit;
use super::number::grouped;
use super::printer::Printer;
use crate::model::{Catalogue, FRESH_DAYS, Measure, Model, Power, Preset, PriceTier, Status, Tier};

/// Show models: windows, limits, prices, and how their tokens are counted
///
/// Models of your own, or other figures for known ones, go into twostep/models.toml in
/// `$XDG_CONFIG_HOME` or `~/.config`, in the form of the built-in catalogue.
#[derive(Args, Debug)]
pub(super) struct ModelsArgs {
    /// Show all that is known of this model
    #[arg(value_name = "MODEL")]
    model: Option<String>,

    /// Show models that are superseded or gone, too
    #[arg(long)]
    all: bool,

    /// Print JSON, of all models
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Listing<'a> {
    version: u32,
    as_of: &'a str,
    tiers: &'a [Tier],
    presets: &'a [Preset],
    models: Vec<serde_json::Value>,
}

pub(super) fn run(
    args: &ModelsArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let catalogue = environment.catalogue()?;
    if let Some(days) = age(&catalogue)
        && days > FRESH_DAYS
    {
        printer.warn(&format!(
            "the catalogue is {days} days old; prices and windows may have changed since"
        ));
    }
    let one = args
        .model
        .as_deref()
        .map(|name| catalogue.find(name))
        .transpose()?;
    if args.json {
        let models = one.map_or_else(|| catalogue.models.iter().collect(), |model| vec![model]);
        printer.json(&Listing {
            version: 1,
            as_of: &catalogue.as_of,
            tiers: &catalogue.tiers,
            presets: &catalogue.presets,
            models: models.into_iter().map(row).collect::<Result<_, _>>()?,
        })?;
        return Ok(Exit::Success);
    }
    let text = one.map_or_else(|| table(&catalogue, args.all), details);
    printer.data(text.as_bytes())?;
    Ok(Exit::Success)
}

/// Returns what the catalogue says of a model, and what follows from it.
fn row(model: &Model) -> serde_json::Result<serde_json::Value> {
    let mut row = serde_json::to_value(model)?;
    row["prompt_limit"] = model.prompt_limit().into();
    row["count"] = serde_json::to_value(counting(model))?;
    Ok(row)
}

fn age(catalogue: &Catalogue) -> Option<i64> {
    let as_of: Date = catalogue.as_of.parse().ok()?;
    let today = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    as_of
        .until(today)
        .ok()
        .map(|span| i64::from(span.get_days()))
}

/// How a model's tokens are counted, for programs.
#[derive(Serialize)]
struct Counting {
    exact: bool,
    /// The margins of an estimate, by the tokens of `o200k_base` from which they hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    margins: Vec<MarginRow>,
}

#[derive(Serialize)]
struct MarginRow {
    from_tokens: u64,
    percent: f64,
}

fn counting(model: &Model) -> Counting {
    let margins = match model.measure() {
        Measure::Exact => Vec::new(),
        Measure::Estimated(family, margin) => {
            let row = |from_tokens| MarginRow {
                from_tokens,
                percent: percent(family.margin_share(from_tokens, margin)),
            };
            family.margin_sizes().map(row).collect()
        }
    };
    Counting {
        exact: margins.is_empty(),
        margins,
    }
}

/// Returns a share in percent, to a tenth.
fn percent(share: f64) -> f64 {
    (share * 1000.0).round() / 10.0
}

fn table(catalogue: &Catalogue, all: bool) -> String {
    let head = [
        "MODEL",
        "STATUS",
        "WINDOW",
        "PROMPT",
        "ANSWER",
        "$ IN/OUT",
        "ABOVE",
        "TOKENIZER",
        "COUNT",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    for model in catalogue
        .models
        .iter()
        .filter(|model| all || model.status == Status::Current)
    {
        let price = |input: f64, output: f64| format!("{input}/{output}");
        let tier = |tier: &PriceTier| {
            format!(
                "{} >{}",
                price(tier.input, tier.output),
                short(tier.above_prompt_tokens)
            )
        };
        rows.push([
            model.id.clone(),
            status(model.status).to_owned(),
            short(model.context_window),
            short(model.prompt_limit()),
            model.max_output.map_or("-".to_owned(), short),
            model
                .price
                .as_ref()
                .map_or("-".to_owned(), |of| price(of.input, of.output)),
            model.price_tiers.first().map_or("-".to_owned(), tier),
            model.tokenizer.name().to_owned(),
            match model.measure() {
                Measure::Exact => "exact".to_owned(),
                // The margin of a pack of 50,000 tokens: the middle of the sizes that people send.
                Measure::Estimated(family, margin) => {
                    format!("+{} %", percent(family.margin_share(50_000, margin)))
                }
            },
        ]);
    }
    let mut widths = [0; 9];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (at, (cell, width)) in row.iter().zip(widths).enumerate() {
            let is_number = (2..=4).contains(&at);
            // Without `--all` the status says nothing.
            let _ = match (at == 1 && !all, is_number) {
                (true, _) => Ok(()),
                (false, true) => write!(line, "{cell:>width$} "),
                (false, false) => write!(line, "{cell:<width$} "),
            };
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out.push_str(&notes(catalogue));
    out
}

fn notes(catalogue: &Catalogue) -> String {
    let mut out = format!(
        "\nAs of {}. Tokens; dollars a million tokens. PROMPT: the budget of `--for MODEL`.\n\
         ABOVE: prices of a whole request with a longer prompt. COUNT: exact, or estimated with\n\
         the margin that covers 99 % of packs of 50,000 tokens. `twostep models MODEL` has more.\n",
        catalogue.as_of
    );
    let models = catalogue.models.iter();
    let aliases = models.flat_map(|model| {
        model
            .aliases
            .iter()
            .map(move |alias| format!("{alias} = {}", model.id))
    });
    for (at, alias) in aliases.enumerate() {
        out.push_str(if at % 3 == 0 { "\n" } else { ", " });
        out.push_str(&alias);
    }
    out.push('\n');
    out.push_str(&powers(catalogue));
    out
}

/// Tells tiers and presets.
fn powers(catalogue: &Catalogue) -> String {
    let mut out =
        "\nTiers (`--tier`, or AGENT:TIER); of each vendor the first counts:\n".to_owned();
    for tier in &catalogue.tiers {
        let _ = writeln!(out, "{:<11} {}", tier.name, tier.models.join(", "));
    }
    out.push_str("\nPresets (`--preset`), each a tier and how much its model thinks:\n");
    for preset in &catalogue.presets {
        let _ = writeln!(out, "{:<11} {}", preset.name, gives(preset));
    }
    out
}

/// Says what a preset gives each role; once, if it is the same.
fn gives(preset: &Preset) -> String {
    let told = |power: &Power| {
        let effort = power.effort;
        let effort = effort.map(|effort| format!(", {} effort", effort.name()));
        format!("{}{}", power.tier, effort.unwrap_or_default())
    };
    let powers = preset.powers();
    if powers.iter().all(|power| *power == powers[0]) {
        return format!("tier {}", told(powers[0]));
    }
    let names = ["planner", "executor", "reviewer", "asked"].into_iter();
    let each = names.zip(powers);
    let each = each.map(|(name, power)| format!("{name}: {}", told(power)));
    each.collect::<Vec<_>>().join("; ")
}

/// Writes a number of tokens in about three digits.
fn short(tokens: u64) -> String {
    if tokens < 1_000_000 {
        return format!("{}k", (tokens + 500) / 1000);
    }
    let hundredths = (tokens + 5_000) / 10_000;
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    format!("{}M", text.trim_end_matches('0').trim_end_matches('.'))
}

fn details(model: &Model) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "{name:<16}{value}");
    };
    line("model", model.id.clone());
    if !model.aliases.is_empty() {
        line("also", model.aliases.join(", "));
    }
    line("vendor", model.vendor.clone());
    line("status", status(model.status).to_owned());
    for (name, date) in [("released", &model.released), ("retires", &model.retires)] {
        if let Some(date) = date {
            line(name, date.clone());
        }
    }
    let shared = if model.shared_window {
        "prompt and answer together"
    } else {
        "the prompt alone"
    };
    line(
        "window",
        format!("{} tokens, {shared}", grouped(model.context_window)),
    );
    line("at most in", format!("{} tokens", grouped(model.max_input)));
    if let Some(most) = model.max_output {
        line("at most out", format!("{} tokens", grouped(most)));
    }
    let room = if model.shared_window {
        format!(
            " ({} are kept free for the answer)",
            grouped(model.reserved_output())
        )
    } else {
        String::new()
    };
    line(
        "prompt limit",
        format!(
            "{} tokens{room}: the budget of `--for {}`",
            grouped(model.prompt_limit()),
            model.id
        ),
    );
    if let Some(price) = &model.price {
        let prices = |input: f64, output: f64, cached: f64| {
            format!("${input} in, ${output} out, ${cached} cached, a million tokens")
        };
        line("price", prices(price.input, price.output, price.cache_read));
        for tier in &model.price_tiers {
            line(
                &format!("  above {}k", tier.above_prompt_tokens / 1000),
                prices(tier.input, tier.output, tier.cache_read) + ", whole request",
            );
        }
        for change in &model.price_schedule {
            line(
                &format!("  {}", change.from),
                prices(change.input, change.output, change.cache_read),
            );
        }
    }
    line("tokenizer", model.tokenizer.name().to_owned());
    let counting = counting(model);
    if counting.exact {
        line("count", "exact".to_owned());
    } else {
        line(
            "count",
            "estimated; a budget adds a margin that covers 99 % of packs:".to_owned(),
        );
        for row in counting.margins {
            line(
                "",
                format!(
                    "{} % from {} tokens of o200k_base",
                    row.percent,
                    grouped(row.from_tokens)
                ),
            );
        }
    }
    if let Some(note) = &model.note {
        line("note", note.clone());
    }
    out
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Current => "current",
        Status::Legacy => "legacy",
        Status::Deprecated => "deprecated",
        Status::Retired => "retired",
    }
}
