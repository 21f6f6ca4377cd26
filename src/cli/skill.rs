//! `twostep skill`

use super::exit::Exit;
use super::printer::Printer;

/// What an agent is told of us.
const SKILL: &str = include_str!("skill.md");

/// Prints the skill.
pub(super) fn run(printer: &Printer) -> anyhow::Result<Exit> {
    printer.data(SKILL.as_bytes())?;
    Ok(Exit::Success)
}
