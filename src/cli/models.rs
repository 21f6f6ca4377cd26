//! `twostep models`

use std::fmt::Write as _;

use clap::Args;
use jiff::civil::Date;
use serde::Serialize;

use super::environment::Environment;
use super::exit::Exit;
use super::number::grouped;
use super::printer::Printer;
use crate::model::{Catalogue, FRESH_DAYS, Measure, Model, Price, Status};
use crate::tokens::Family;

/// Show models: windows, limits, prices, and how their tokens are counted
///
/// Models of your own, or other figures for known ones, go into models.toml in the folder twostep
/// of your configuration, in the form of the built-in catalogue.
#[derive(Args, Debug)]
pub(super) struct ModelsArgs {
    /// Show all that is known of this model
    #[arg(value_name = "MODEL")]
    model: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Listing<'a> {
    version: u32,
    as_of: &'a str,
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
            models: models.into_iter().map(row).collect::<Result<_, _>>()?,
        })?;
        return Ok(Exit::Success);
    }
    let text = one.map_or_else(|| table(&catalogue), details);
    printer.data(text.as_bytes())?;
    Ok(Exit::Success)
}

/// Returns what the catalogue says of a model, and what follows from it.
fn row(model: &Model) -> serde_json::Result<serde_json::Value> {
    let mut row = serde_json::to_value(model)?;
    row["prompt_limit"] = model.prompt_limit().into();
    row["count"] = count_of(model).into();
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

fn count_of(model: &Model) -> String {
    match model.measure() {
        Measure::Exact => "exact".to_owned(),
        Measure::Estimated(family, margin) => {
            // The margins of a pack of 50,000 tokens: the middle of the sizes that people send.
            let percent = Family::margin_share(family, 50_000, margin) * 100.0;
            format!("estimated +{percent:.1} %")
        }
    }
}

fn table(catalogue: &Catalogue) -> String {
    let mut rows = vec![
        [
            "MODEL",
            "STATUS",
            "WINDOW",
            "PROMPT",
            "ANSWER",
            "$/M IN",
            "$/M OUT",
            "ABOVE",
            "TOKENIZER",
            "COUNT",
        ]
        .map(str::to_owned),
    ];
    for model in &catalogue.models {
        let price = |of: fn(&Price) -> f64| {
            model
                .price
                .as_ref()
                .map_or("-".to_owned(), |price| of(price).to_string())
        };
        let tier = |tier: &crate::model::PriceTier| {
            format!(
                "{}/{} > {}k",
                tier.input,
                tier.output,
                tier.above_prompt_tokens / 1000
            )
        };
        rows.push([
            model.id.clone(),
            status(model.status).to_owned(),
            grouped(model.context_window),
            grouped(model.prompt_limit()),
            model.max_output.map_or("-".to_owned(), grouped),
            price(|price| price.input),
            price(|price| price.output),
            model.price_tiers.first().map_or("-".to_owned(), tier),
            tokenizer(model),
            count_of(model),
        ]);
    }
    let mut widths = [0; 10];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (at, (cell, width)) in row.iter().zip(widths).enumerate() {
            let is_number = (2..=6).contains(&at);
            let _ = if is_number {
                write!(line, "{cell:>width$}  ")
            } else {
                write!(line, "{cell:<width$}  ")
            };
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    let _ = writeln!(
        out,
        "\nAs of {}. PROMPT is the budget of `--for MODEL`. ABOVE: prices of a whole request with a longer prompt.",
        catalogue.as_of
    );
    let _ = writeln!(
        out,
        "COUNT: the margin that covers 99 % of packs of 50,000 tokens; smaller ones have a larger one."
    );
    out
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
    line(
        "largest prompt",
        format!("{} tokens", grouped(model.max_input)),
    );
    if let Some(most) = model.max_output {
        line("largest answer", format!("{} tokens", grouped(most)));
    }
    line(
        "prompt limit",
        format!(
            "{} tokens, the budget of `--for {}`",
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
    line("tokenizer", tokenizer(model));
    if let Measure::Estimated(family, margin) = model.measure() {
        let sizes = [5_000, 20_000, 50_000, 200_000, 800_000];
        let margins = sizes.map(|size| {
            format!(
                "{:.1} % at {}k",
                Family::margin_share(family, size, margin) * 100.0,
                size / 1000
            )
        });
        line(
            "count",
            format!(
                "estimated; to add so that 99 % of packs hold: {}",
                margins.join(", ")
            ),
        );
    } else {
        line("count", "exact".to_owned());
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

fn tokenizer(model: &Model) -> String {
    model.tokenizer.name().to_owned()
}
