//! `twostep skill`

use clap::{Args, ValueEnum};

use super::exit::Exit;
use super::printer::Printer;

/// Print a skill file that teaches an agent when and how to call twostep, or a guide for work with several models
///
/// For claude: `twostep skill > ~/.claude/skills/twostep/SKILL.md`.
#[derive(Args, Debug)]
pub(super) struct SkillArgs {
    /// The guide
    #[arg(value_enum, value_name = "GUIDE")]
    guide: Option<Guide>,
}

/// What is told of work with several models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Guide {
    /// Which loop for which work: security first, architecture decision, rapid iteration.
    Patterns,
    /// How what several said is brought together: divergence, priorities, resolution.
    Synthesis,
    /// What a second model writes, how it is handed over, how it is let in.
    CoImplementation,
    /// Prompts to begin with: plan, validation, synthesis, handoff, review.
    Prompts,
}

impl Guide {
    fn text(self) -> &'static str {
        match self {
            Self::Patterns => include_str!("guides/patterns.md"),
            Self::Synthesis => include_str!("guides/synthesis.md"),
            Self::CoImplementation => include_str!("guides/co-implementation.md"),
            Self::Prompts => include_str!("guides/prompts.md"),
        }
    }
}

/// What an agent is told of us.
const SKILL: &str = include_str!("skill.md");

/// Prints the skill, or a guide.
pub(super) fn run(args: &SkillArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let text = args.guide.map_or(SKILL, Guide::text);
    printer.data(text.as_bytes())?;
    Ok(Exit::Success)
}
