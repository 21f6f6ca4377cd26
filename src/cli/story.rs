//! What a person is told of a run, line by line.

use std::time::Duration;

use super::exit::apply;
use super::number::{counted, dollars, grouped, lasting};
use super::printer::{Printer, Volume};
use crate::agent::{Agent, AgentError, Billing, Gives, Role, Usage};
use crate::check::Checked;
use crate::flow::budget::SHORT_ANSWER;
use crate::flow::exec::Executed;
use crate::flow::host::Event;
use crate::flow::land::Landed;
use crate::flow::plan::Prompt;
use crate::flow::player::Player;
use crate::flow::route::{Focus, Route, Size};
use crate::flow::workflow::Seen;
use crate::plan::{Intent, Reference, Status, Step};
use crate::review::Verdict;
use crate::run::{self, Summary, spans};
use crate::scratch::ChangeKind;
use crate::secrets::Sighting;

/// Who is told, and of which step of a workflow, where several are done at once.
struct Voice<'a> {
    printer: &'a Printer,
    step: Option<&'a str>,
}

impl Voice<'_> {
    /// Tells a line whose first word stands in a column of its own.
    fn say(&self, what: &str, text: &str) {
        self.printer.note(&line(what, &self.named(text)));
    }

    fn warn(&self, warning: &str) {
        self.printer.warn(&self.named(warning));
    }

    fn named(&self, text: &str) -> String {
        match self.step {
            Some(step) => format!("{step}: {text}"),
            None => text.to_owned(),
        }
    }
}

/// Tells of one event, of a step that is done beside others if one is named.
pub(super) fn tell(printer: &Printer, step: Option<&str>, event: &Event<'_>) {
    let voice = &Voice { printer, step };
    match event {
        Event::Beside(step, event) => tell(printer, Some(step), event),
        Event::Routed(route) => voice.say("route", &routed(route)),
        Event::Prompted(role, prompt) => {
            for told in prompt.conventions.untold(*role) {
                voice.warn(&told);
            }
            voice.say(role.name(), &prompted(prompt));
        }
        Event::Asking(role, agent) => voice.say(role.name(), &format!("asking {agent}")),
        Event::Reused(role, usage) => {
            voice.say(role.name(), &format!("had answered before{}", used(*usage)));
        }
        Event::Doing(doing) => {
            if printer.volume() == Volume::Verbose {
                voice.say("", doing);
            }
        }
        Event::Step(label, kind) => voice.say("step", &format!("{label} ({kind})")),
        Event::WaitsItself(role, told) => voice.say(role.name(), told),
        Event::Throttled(role, wait) => voice.say(
            role.name(),
            &format!("was asked much already; asking{}", after(*wait)),
        ),
        Event::Waiting(role, failure, wait) => voice.say(
            role.name(),
            &format!("{failure}; asking again{}", after(*wait)),
        ),
        Event::WaitsTooLong(role, wait, longest) => voice.say(
            role.name(),
            &format!(
                "may be asked again in {}: with that it would wait longer than `--max-wait` ({}) \
                 allows",
                lasting(milliseconds(*wait)),
                lasting(milliseconds(*longest)),
            ),
        ),
        Event::FellBack(role, error, next) => voice.say(
            role.name(),
            &format!("{}; asking {next} in its place", why(error)),
        ),
        Event::Answered(role, usage, billing, took) => {
            let usage = used(*usage);
            let by = match billing {
                Billing::Subscription => ", by subscription",
                Billing::Metered | Billing::Nothing => "",
            };
            voice.say(
                role.name(),
                &format!("answered after {}{usage}{by}", lasting(*took)),
            );
        }
        Event::SentBack(wrong) => {
            let n = counted(wrong.len(), "fault", "faults");
            voice.say("plan", &format!("{n}, sent back to the planner:"));
            for wrong in *wrong {
                voice.say("", wrong);
            }
        }
        Event::Resolved(references) => voice.say("plan", &resolved(references)),
        Event::Parted => voice.say(
            "plan",
            "does not fit the executor in full, and is carried out by groups of its steps",
        ),
        Event::Group(..) | Event::Good(..) => grouped_steps(voice, event),
        Event::Scratch(n) => {
            voice.say("scratch", &format!("{} files", grouped(*n as u64)));
        }
        Event::Redacted(secrets) => {
            voice.say("secrets", &redacted(secrets, printer.volume()));
        }
        Event::Warning(warning) => voice.warn(warning),
        Event::Audited(_) | Event::Sensitive(_) | Event::Repairing(..) | Event::Reviewed(..) => {
            judged(voice, event);
        }
        Event::Checking(command, _)
            if printer.volume() == Volume::Verbose || !printer.is_lively() =>
        {
            voice.say("check", &format!("running `{command}`"));
        }
        // Shown as a bar or a line that changes.
        Event::Checking(..) | Event::Packing(..) => {}
        Event::Checked(checked, is_baseline) => {
            let when = if *is_baseline { "before" } else { "after" };
            voice.say("check", &format!("{when}: {}", verdict(checked)));
            if !checked.passed {
                for said in tail(&checked.tail) {
                    voice.say("", said);
                }
            }
        }
    }
}

/// Tells of steps that are carried out by themselves.
fn grouped_steps(voice: &Voice<'_>, event: &Event<'_>) {
    match event {
        Event::Group(steps, of) => {
            let titles: Vec<&str> = steps.iter().map(|step| step.title.as_str()).collect();
            let titles = titles.join("; ");
            let text = format!("{} of {of}  {titles}", spans(&numbers(steps)));
            let what = if steps.len() == 1 { "step" } else { "steps" };
            voice.say(what, &text);
        }
        Event::Good(steps, of, patch) => {
            let what = run::steps(&numbers(steps));
            let are = if steps.len() == 1 { "is" } else { "are" };
            let how = patch.map_or("there is no change yet".to_owned(), |patch| {
                format!("`{}` brings the change into your files", apply(patch))
            });
            voice.say(
                "good",
                &format!("{what} of {of} {are} good: {how}, and `twostep runs resume` goes on"),
            );
        }
        _ => {}
    }
}

fn numbers(steps: &[&Step]) -> Vec<usize> {
    steps.iter().map(|step| step.number).collect()
}

/// Tells what was found in a change.
fn judged(voice: &Voice<'_>, event: &Event<'_>) {
    match event {
        Event::Audited(audit) => {
            for (what, paths) in [
                ("planned, and not touched", &audit.untouched),
                ("touched, and not planned", &audit.unplanned),
                ("claimed, and not done", &audit.claimed),
            ] {
                for path in paths {
                    voice.say("audit", &format!("{what}: {path}"));
                }
            }
        }
        Event::Sensitive(found) => {
            for found in *found {
                let planned = if found.is_planned { " (planned)" } else { "" };
                voice.say("consent", &format!("{found}{planned}"));
            }
        }
        Event::Repairing(n, round, of) => {
            let n = counted(*n, "check fails", "checks fail");
            voice.say(
                "executor",
                &format!("{n}, sent back to it (round {round} of {of})"),
            );
        }
        Event::Reviewed(review, n, file) => {
            let verdict = match review.verdict {
                Verdict::Approve => "approves".to_owned(),
                Verdict::RequestChanges => {
                    let n = counted(review.failed.len(), "thing fails", "things fail");
                    format!("asks for changes: {n}")
                }
            };
            let file = file.display();
            voice.say("reviewer", &format!("{verdict} (review {n}, `{file}`)"));
            for finding in &review.failed {
                for text in finding.text.lines() {
                    voice.say("", text);
                }
            }
        }
        _ => {}
    }
}

/// Says when something is, if it is not at once.
fn after(wait: Duration) -> String {
    if wait.is_zero() {
        return String::new();
    }
    format!(" in {}", lasting(milliseconds(wait)))
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Returns why an agent did not answer.
fn why(error: &AgentError) -> String {
    match error {
        AgentError::Failed { failure, .. } => failure.to_string(),
        other => other.to_string(),
    }
}

/// Returns a line whose first word stands in a column of its own.
fn line(what: &str, text: &str) -> String {
    format!("{what:<10}{text}")
}

fn routed(route: &Route) -> String {
    let size = match route.size {
        Size::Small => "small",
        Size::Medium => "medium",
        Size::Large => "large",
    };
    let gets = match route.executor_gets {
        Focus::Everything => "everything",
        Focus::Slice => "what the plan names, and the best by its text",
        Focus::Plan => "what the plan names",
    };
    format!(
        "{size}: {} tokens; the planner takes {}, the executor {} and gets {gets}",
        grouped(route.planner_tokens),
        grouped(route.planner_limit),
        grouped(route.executor_limit),
    )
}

fn prompted(prompt: &Prompt) -> String {
    let left = match prompt.omitted.len() {
        0 => String::new(),
        n => format!(", {} more did not fit", grouped(n as u64)),
    };
    let shortened = match prompt.n_shortened {
        0 => String::new(),
        n => format!(" in full, {} shortened", grouped(n as u64)),
    };
    let conventions = match prompt.conventions.names() {
        names if names.is_empty() => String::new(),
        names => format!(", conventions: {}", names.join(" and ")),
    };
    format!(
        "{}{shortened}{conventions}, at most {} of {} tokens{left}",
        counted(prompt.n_files, "file", "files"),
        grouped(prompt.tokens),
        grouped(prompt.limit),
    )
}

/// How many secrets are named unless all are asked for.
const N_SECRETS: usize = 3;

/// Says where secrets were redacted; with what lets each through, if all are asked for.
pub(super) fn redacted(secrets: &[Sighting], volume: Volume) -> String {
    let n = counted(secrets.len(), "secret", "secrets");
    if volume == Volume::Verbose {
        let each = secrets
            .iter()
            .map(|secret| format!("\n{}", line("", &format!("{secret} ({})", secret.hash))));
        return format!("{n} redacted:{}", each.collect::<String>());
    }
    let named: Vec<String> = secrets
        .iter()
        .take(N_SECRETS)
        .map(ToString::to_string)
        .collect();
    let more = if secrets.len() > N_SECRETS {
        ", ... (`-v` names all)"
    } else {
        ""
    };
    format!("{n} redacted: {}{more}", named.join(", "))
}

/// Says what agents used, after a colon, as far as it is known.
pub(super) fn used(usage: Usage) -> String {
    let tokens = |what: &str, n: Option<u64>| n.map(|n| format!("{} tokens {what}", grouped(n)));
    let parts = [tokens("in", usage.input), tokens("out", usage.output)];
    let mut parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.extend(usage.dollars.map(|amount| dollars(Some(amount))));
    if parts.is_empty() {
        String::new()
    } else {
        format!(": {}", parts.join(", "))
    }
}

/// How many files of a plan are named.
const N_NAMED: usize = 20;

fn resolved(references: &[Reference]) -> String {
    let created = references
        .iter()
        .filter(|reference| matches!(reference.status, Status::Created(_)))
        .count();
    let there = references.len() - created;
    let mut text = format!("names {there} that are there, {created} that it creates");
    let clear: Vec<&Reference> = references.iter().filter(|it| !it.is_open()).collect();
    for reference in clear.iter().take(N_NAMED) {
        let intent = match reference.intent {
            Intent::Mention => "mention",
            Intent::Change => "change",
            Intent::Create => "create",
            Intent::Rename => "rename",
            Intent::Delete => "delete",
        };
        let shown = reference
            .paths()
            .first()
            .map_or(reference.written.clone(), ToString::to_string);
        text = format!("{text}\n{}", line("", &format!("{intent} {shown}")));
    }
    if let Some(more) = clear.len().checked_sub(N_NAMED).filter(|&more| more > 0) {
        text = format!("{text}\n{}", line("", &format!("and {more} more")));
    }
    text
}

/// Returns the last lines of what a check wrote.
fn tail(text: &str) -> Vec<&str> {
    const MOST_LINES: usize = 12;
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(MOST_LINES)..].to_vec()
}

fn verdict(checked: &Checked) -> String {
    let took = lasting(u64::try_from(checked.elapsed.as_millis()).unwrap_or(u64::MAX));
    format!("`{}` {} ({took})", checked.command, checked.how)
}

/// The turns that an executor may take, for the upper end of what it may cost.
const MANY_TURNS: f64 = 40.0;

/// Returns the least and the most that a prompt may cost; none if the model has no price.
///
/// The least is one turn with a short answer; the most all that the model can answer, and for an executor
/// that edits files forty turns that read the prompt from the cache.
pub(super) fn costs(role: Role, player: &Player, prompt: &Prompt) -> Option<(f64, f64)> {
    costs_of(role, player, prompt.tokens.saturating_add(prompt.said))
}

/// Returns the same of a prompt of so many tokens.
pub(super) fn costs_of(role: Role, player: &Player, tokens: u64) -> Option<(f64, f64)> {
    let tokens = tokens.saturating_add(player.overhead());
    let least = player.model.dollars(tokens, 0, SHORT_ANSWER)?;
    let answer = player.model.reserved_output();
    let most = match (role, player.gives()) {
        (Role::Planner | Role::Reviewer | Role::Asked, _) | (Role::Executor, Gives::Answer) => {
            player.model.dollars(tokens, 0, answer)?
        }
        (Role::Executor, Gives::Files) => {
            let again = player.model.dollars(0, tokens, 0)? * MANY_TURNS;
            player.model.dollars(tokens, 0, answer)? + again
        }
    };
    Some((least, most))
}

/// Tells what a prompt may cost.
pub(super) fn tell_cost(printer: &Printer, role: Role, player: &Player, prompt: &Prompt) {
    printer.note(&cost(role, player, prompt));
}

/// Says what a prompt may cost.
pub(super) fn cost(role: Role, player: &Player, prompt: &Prompt) -> String {
    let name = player.agent.name();
    let text = match (&player.agent, costs(role, player, prompt)) {
        (Agent::Recorded(_) | Agent::Caller, _) => format!("{name} costs nothing"),
        (_, Some((least, most))) => format!(
            "{name} costs {} to {} if it is paid by the token",
            dollars(Some(least)),
            dollars(Some(most)),
        ),
        (_, None) => format!("{name} has no known price"),
    };
    line(role.name(), &text)
}

/// Tells what a run came to; `seen` is what steps of a workflow said of the files in the end.
pub(super) fn tell_end(printer: &Printer, summary: &Summary, executed: &Executed, seen: &[Seen]) {
    let id = &summary.id;
    for change in &executed.changes.changes {
        let mark = ChangeKind::of(change).name();
        printer.note(&line(mark, &change.path.to_string()));
    }
    if executed.checks.is_empty() && seen.is_empty() {
        printer.note(&line(
            "unchecked",
            "no check was given; `--check 'COMMAND'` runs one before and after",
        ));
    }
    for (before, after) in executed.baseline.iter().zip(&executed.checks) {
        let was = if before.passed { "passed" } else { "failed" };
        printer.note(&line("check", &format!("{}; {was} before", verdict(after))));
    }
    for Seen { step, check } in seen {
        printer.note(&line(
            "check",
            &format!("{}; by the step `{step}`", verdict(check)),
        ));
    }
    printer.note(&line(
        "used",
        &format!("{}{}", lasting(summary.took_ms), used(summary.usage)),
    ));
    let n = executed.changes.changes.len();
    let files = if n == 1 {
        "1 file".to_owned()
    } else {
        format!("{n} files")
    };
    let apply = apply(&executed.patch);
    let (what, how) = match &executed.landed {
        Landed::Tree => ("landed", format!("take it back with `twostep undo {id}`")),
        Landed::Branch(name) => {
            let how = format!("on the branch `{name}`; `twostep undo {id}` deletes it");
            ("landed", how)
        }
        Landed::Kept => ("kept", format!("land it with `{apply}`")),
    };
    printer.note(&line(what, &format!("{files}; {how}")));
}
