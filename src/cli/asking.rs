//! What a user is asked on the way to a change, and what stands for the answer where nobody can be.

use std::path::Path;

use super::agents::{AgentArgs, Lent};
use super::environment::Environment;
use super::exit::unwrapped_text;
use super::number::grouped;
use super::printer::Printer;
use super::story;
use crate::agent::{Agent, Gives, May, Role};
use crate::flow::checks::runnable;
use crate::flow::plan::Prompt;
use crate::flow::plan_exec::{Answer, Question};
use crate::flow::player::Player;
use crate::fs::FsError;

/// Above this a terminal's user is asked before the first call, in dollars.
const MANY_DOLLARS: f64 = 1.0;

/// The same in tokens.
const MANY_TOKENS: u64 = 200_000;

/// Asks the user, or answers for them.
pub(super) struct Asking<'a> {
    /// Where questions are shown.
    pub(super) printer: &'a Printer,
    /// What the user said beforehand.
    pub(super) agents: &'a AgentArgs,
    /// What knows of signals.
    pub(super) lent: &'a Lent,
    /// The folder that paths are shown from.
    pub(super) environment: &'a Environment,
    /// Whether there is a planner who can change the plan.
    pub(super) has_planner: bool,
    /// Who carries the plan out.
    pub(super) executor: Option<&'a Player>,
    /// The checks that the executor may run.
    pub(super) checks: &'a [String],
}

impl Asking<'_> {
    /// Answers a question of a run.
    pub(super) fn answer(&self, question: &Question<'_>) -> Result<Answer, FsError> {
        let printer = self.printer;
        match question {
            Question::Spend(role, player, prompt) => {
                story::tell_cost(printer, *role, player, prompt);
                if self.agents.dry_run {
                    self.tell_command(*role, player);
                    if let Some(executor) = self.executor {
                        // It gets no more than the planner.
                        story::tell_cost(printer, Role::Executor, executor, prompt);
                        self.tell_command(Role::Executor, executor);
                    }
                    return Ok(Answer::Stop);
                }
                Ok(self.spend(*role, player, prompt))
            }
            Question::Execute(file, player, prompt) => {
                story::tell_cost(printer, Role::Executor, player, prompt);
                if self.agents.dry_run {
                    self.tell_command(Role::Executor, player);
                    return Ok(Answer::Stop);
                }
                if self.agents.yes {
                    return Ok(Answer::Go);
                }
                if !printer.can_ask() {
                    return Ok(Answer::Stop);
                }
                let typed = self.typed(file);
                self.decide(file, &format!("carry out `{typed}`? [e]xecute, "))
            }
            Question::Land(_) => {
                if self.agents.yes || !printer.can_ask() {
                    return Ok(Answer::Stop);
                }
                Ok(self.agreed("agree to that, so that it lands if all else is well? [y/N] "))
            }
            Question::Unresolved(file, error) => {
                if self.agents.yes || self.agents.dry_run || !printer.can_ask() {
                    return Ok(Answer::Go);
                }
                printer.note(&unwrapped_text(error));
                self.decide(file, "")
            }
        }
    }

    fn spend(&self, role: Role, player: &Player, prompt: &Prompt) -> Answer {
        if may_spend(role, player, prompt, self.agents, self.printer, self.lent) {
            Answer::Go
        } else {
            Answer::Stop
        }
    }

    /// Asks what is answered with yes or no.
    fn agreed(&self, question: &str) -> Answer {
        let yes = self.ask(question);
        if yes.is_some_and(|answer| answer.eq_ignore_ascii_case("y")) {
            Answer::Go
        } else {
            Answer::Stop
        }
    }

    /// Asks what is to become of a plan; `first` offers what only some plans can.
    fn decide(&self, file: &Path, first: &str) -> Result<Answer, FsError> {
        let revise = if self.has_planner { "[r]evise, " } else { "" };
        let question = format!("{first}{revise}e[d]it by hand, [q]uit: ");
        loop {
            let Some(answer) = self.ask(&question) else {
                return Ok(Answer::Stop);
            };
            match answer.to_lowercase().as_str() {
                "e" | "execute" if !first.is_empty() => return Ok(Answer::Go),
                "q" | "quit" => return Ok(Answer::Stop),
                "r" | "revise" if self.has_planner => match self.ask("what is to change? ") {
                    Some(note) if !note.is_empty() => return Ok(Answer::Revise(note)),
                    _ => {}
                },
                "d" | "edit" => {
                    let shown = format!("edit `{}` now, then press Enter ", self.typed(file));
                    if self.ask(&shown).is_some() {
                        return Ok(Answer::Reread);
                    }
                }
                _ => self
                    .printer
                    .note("answer with one of the letters in brackets"),
            }
        }
    }

    fn ask(&self, question: &str) -> Option<String> {
        self.printer.ask(question, &|| self.lent.signal().is_some())
    }

    fn typed(&self, file: &Path) -> String {
        let typed = file.strip_prefix(&self.environment.directory);
        typed.unwrap_or(file).display().to_string()
    }

    fn tell_command(&self, role: Role, player: &Player) {
        let checks = runnable(self.checks, &self.lent.redactor)
            .into_iter()
            .map(|check| check.command);
        let checks: Vec<String> = checks.collect();
        let may = match (role, player.gives()) {
            (Role::Executor, Gives::Files) => May::Edit { checks: &checks },
            (Role::Planner | Role::Reviewer | Role::Asked, _) | (Role::Executor, Gives::Answer) => {
                May::Answer
            }
        };
        if let Some(command) = player.agent.example(may) {
            self.printer.note(&format!("{:<10}{command}", role.name()));
        }
    }
}

/// Says whether a prompt may be paid for; where it is much, the user is asked on a terminal.
pub(super) fn may_spend(
    role: Role,
    player: &Player,
    prompt: &Prompt,
    agents: &AgentArgs,
    printer: &Printer,
    lent: &Lent,
) -> bool {
    let dollars = story::costs(role, player, prompt).map_or(0.0, |(least, _)| least);
    let tokens = prompt.tokens.saturating_add(prompt.said);
    let is_much = tokens > MANY_TOKENS || dollars > MANY_DOLLARS;
    let is_free = matches!(player.agent, Agent::Recorded(_) | Agent::Caller);
    if agents.yes || !is_much || is_free || !printer.can_ask() {
        return true;
    }
    let name = player.agent.name();
    let question = format!("send {} tokens to {name}? [y/N] ", grouped(tokens));
    let answer = printer.ask(&question, &|| lent.signal().is_some());
    answer.is_some_and(|answer| answer.eq_ignore_ascii_case("y"))
}
