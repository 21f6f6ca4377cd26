//! What a run did, for people: made of its journal alone, so that it can be made whenever the run ends.

use std::fmt::Write as _;

use super::groups::{self as group, groups, spans};
use super::{Event, Outcome, Record, Spent};
use crate::agent::{Billing, Role, Usage};

/// The file of a run that holds its report.
pub const REPORT_FILE: &str = "report.md";

/// One call, as the journal tells.
struct Row<'a> {
    number: usize,
    role: Role,
    agent: &'a str,
    /// The least tokens that were set aside for it.
    reserved: u64,
    began_ms: u64,
    ended_ms: Option<u64>,
    usage: Option<Usage>,
    billing: Option<Billing>,
    failure: Option<String>,
}

/// Returns the report of the run `id` that came to `outcome`; `advice` is what the user can do about that.
pub(super) fn report(
    id: &str,
    records: &[Record],
    outcome: &Outcome,
    advice: Option<&str>,
) -> String {
    let mut text = String::new();
    let title = records.iter().find_map(|record| match &record.event {
        Event::Started { title, verb } => Some((title.as_str(), verb.as_str())),
        _ => None,
    });
    let (title, verb) = title.unwrap_or(("", ""));
    let _ = writeln!(text, "# Run {id}\n\n- Asked: {title} (`twostep {verb}`)");
    let _ = writeln!(text, "- Outcome: {}", told(outcome));
    let seconds = super::past::worked(records) / 1000;
    let _ = writeln!(text, "- Time: {seconds} s at work");
    files(&mut text, records);
    changed(&mut text, records);
    audited(&mut text, records);
    sensitive(&mut text, records);
    steps(&mut text, id, records);
    checked(&mut text, records);
    reviewed(&mut text, records);
    calls(&mut text, records, outcome);
    next(&mut text, id, outcome, advice);
    text
}

fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Planned => "there is a plan; it was not carried out".to_owned(),
        Outcome::Answered => "there is an answer".to_owned(),
        Outcome::Landed => "the change has landed".to_owned(),
        Outcome::Kept => "the change is good, and is in `changes.patch` only".to_owned(),
        Outcome::NotAsked => "no agent was asked".to_owned(),
        Outcome::HalfLanded => "it was ended while it landed".to_owned(),
        Outcome::Undone => "the change was taken back".to_owned(),
        Outcome::Waiting(prompt) => format!("it waits for an answer to [{prompt}]({prompt})"),
        Outcome::Stopped(why) => format!("stopped: {}", one_line(why)),
        Outcome::Open => "it has not ended".to_owned(),
    }
}

/// The files of a run that people look for, and what each holds.
const FILES: &[(&str, &str)] = &[
    ("spec.md", "what was asked"),
    ("prompt.md", "what was asked"),
    ("pack.xml", "what the agent read"),
    ("answer.md", "the answer"),
    ("answer.json", "the value in the answer"),
    ("route.json", "who gets what, by size and models"),
    ("planner-pack.xml", "what the planner read"),
    ("AI-PLAN.md", "the plan"),
    (
        "references.json",
        "what the plan names, held against the files",
    ),
    ("executor-pack.xml", "what the executor read"),
    ("good.patch", "the change of the steps that were good"),
    ("changes.patch", "the change"),
    ("review-1.md", "the first review"),
    ("review-2.md", "the second review"),
    ("review-3.md", "the third review"),
];

fn files(text: &mut String, records: &[Record]) {
    let mut rows = Vec::new();
    for (file, what) in FILES {
        let bytes = records.iter().rev().find_map(|record| match &record.event {
            Event::Artefact { name, bytes, .. } if name == file => Some(bytes),
            _ => None,
        });
        rows.extend(bytes.map(|bytes| format!("| [{file}]({file}) | {what} | {bytes} |\n")));
    }
    if !rows.is_empty() {
        let _ = write!(
            text,
            "\n## Files\n\n| file | what | bytes |\n|---|---|---|\n{}",
            rows.concat()
        );
    }
}

fn changed(text: &mut String, records: &[Record]) {
    let last = records.iter().rev().find_map(|record| match &record.event {
        Event::Changed { files } => Some(files),
        _ => None,
    });
    if let Some(files) = last {
        let _ = writeln!(text, "\n## Changed\n");
        for file in files {
            let _ = writeln!(text, "- {} `{}`", file.what.name(), file.path);
        }
    }
}

/// Says what of the change lands only if somebody agreed to it.
fn sensitive(text: &mut String, records: &[Record]) {
    let last = records.iter().rev().find_map(|record| match &record.event {
        Event::Sensitive { found } => Some(found),
        _ => None,
    });
    let rows = last.into_iter().flatten();
    let rows: Vec<String> = rows.map(|found| format!("- {found}\n")).collect();
    if !rows.is_empty() {
        let _ = write!(text, "\n## Consent\n\n{}", rows.concat());
    }
}

/// Says where the change is not what was planned and told.
fn audited(text: &mut String, records: &[Record]) {
    let last = records.iter().rev().find_map(|record| match &record.event {
        Event::Audited {
            untouched,
            unplanned,
            claimed,
        } => Some([
            ("planned, and not touched", untouched),
            ("touched, and not planned", unplanned),
            ("claimed, and not done", claimed),
        ]),
        _ => None,
    });
    let rows = last.into_iter().flatten();
    let rows: Vec<String> = rows
        .flat_map(|(what, paths)| {
            paths
                .iter()
                .map(move |path| format!("- {what}: `{path}`\n"))
        })
        .collect();
    if !rows.is_empty() {
        let _ = write!(text, "\n## Audit\n\n{}", rows.concat());
    }
}

/// Says what came of the steps of the plan, if they were not carried out all at once.
fn steps(text: &mut String, id: &str, records: &[Record]) {
    let groups = groups(records);
    if groups.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "\n## Steps\n\n| step | calls | checks | what came of it |\n|---|---|---|---|"
    );
    for group in &groups {
        let calls: Vec<String> = group.calls.iter().map(usize::to_string).collect();
        let n_passed = group.checks.iter().filter(|check| check.passed).count();
        let _ = writeln!(
            text,
            "| {} of {} | {} | {n_passed} of {} passed | {} |",
            spans(&group.steps),
            group.of,
            calls.join(", "),
            group.checks.len(),
            if group.is_good { "good" } else { "not done" },
        );
    }
    let good = groups.iter().filter(|group| group.is_good);
    let good: Vec<usize> = good.flat_map(|group| group.steps.clone()).collect();
    if !good.is_empty() && good.len() < groups[0].of {
        let _ = writeln!(
            text,
            "\nWhat is good is in [good.patch](good.patch), for {} of {}; `twostep runs resume {id}` goes on behind it.",
            group::steps(&good),
            groups[0].of,
        );
    }
}

/// Says what the reviewers said.
fn reviewed(text: &mut String, records: &[Record]) {
    let mut is_first = true;
    for record in records {
        let Event::Reviewed {
            step,
            number,
            approves,
            failed,
        } = &record.event
        else {
            continue;
        };
        if std::mem::take(&mut is_first) {
            let _ = writeln!(text, "\n## Reviewed\n");
        }
        let verdict = if *approves {
            "approved"
        } else {
            "asked for changes"
        };
        let file = super::review_file(step.as_deref(), *number);
        let _ = writeln!(text, "- [{file}](<{file}>): {verdict}");
        for finding in failed {
            let _ = writeln!(text, "  - {}", one_line(finding));
        }
    }
}

/// How a check ended, before the change and after it.
struct CheckRow<'a> {
    command: &'a str,
    passed: [Option<bool>; 2],
    /// The step of a workflow that had it run last, if one did.
    step: Option<&'a str>,
}

fn checked(text: &mut String, records: &[Record]) {
    let mut rows: Vec<CheckRow<'_>> = Vec::new();
    for record in records {
        if let Event::Checked {
            command,
            is_baseline,
            passed,
            record,
            ..
        } = &record.event
        {
            let n = rows.iter().position(|row| row.command == command);
            let n = n.unwrap_or_else(|| {
                rows.push(CheckRow {
                    command,
                    passed: [None, None],
                    step: None,
                });
                rows.len() - 1
            });
            let row = &mut rows[n];
            row.passed[usize::from(!is_baseline)] = Some(*passed);
            row.step = record.as_deref().and_then(step_of).or(row.step);
        }
    }
    if rows.is_empty() {
        return;
    }
    let word = |passed: Option<bool>| match passed {
        Some(true) => "passed",
        Some(false) => "failed",
        None => "-",
    };
    let _ = writeln!(
        text,
        "\n## Checked\n\n| check | before | after |\n|---|---|---|"
    );
    for row in rows {
        let command = cell(row.command);
        let by = row
            .step
            .map_or(String::new(), |step| format!(" (`{}`)", cell(step)));
        let [before, after] = row.passed.map(word);
        let _ = writeln!(text, "| `{command}`{by} | {before} | {after} |");
    }
}

/// Returns the step of a workflow whose check left a record of that name, if one did.
fn step_of(record: &str) -> Option<&str> {
    let (_, rest) = record.split_once("checks/")?;
    rest.rsplit_once('/').map(|(step, _)| step)
}

/// Says what can be done now.
fn next(text: &mut String, id: &str, outcome: &Outcome, advice: Option<&str>) {
    let next = match outcome {
        Outcome::Stopped(_) | Outcome::Planned if advice.is_some() => {
            advice.unwrap_or_default().to_owned()
        }
        Outcome::Planned => "`twostep exec AI-PLAN.md` carries the plan out".to_owned(),
        Outcome::Landed => format!("`twostep undo {id}` takes the change back"),
        Outcome::Kept => format!(
            "`git apply .twostep/runs/{id}/changes.patch` brings the change into your files"
        ),
        Outcome::HalfLanded => format!("`twostep undo {id}` puts your files back"),
        Outcome::Waiting(_) => {
            format!("`twostep runs resume {id} --answer FILE` goes on with your answer")
        }
        Outcome::Stopped(_) | Outcome::Open => {
            format!("`twostep runs resume {id}` goes on with what there is")
        }
        Outcome::Answered | Outcome::NotAsked | Outcome::Undone => return,
    };
    let _ = writeln!(text, "\n## Next\n\n{next}.");
}

fn calls(text: &mut String, records: &[Record], outcome: &Outcome) {
    let rows = rows(records);
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "\n## Calls\n\n| call | role | agent | set aside | in | of it cached | out | USD | s | what came of it |\n\
         |---|---|---|---|---|---|---|---|---|---|"
    );
    let number = |n: Option<u64>| n.map_or("unknown".to_owned(), |n| n.to_string());
    for row in &rows {
        let usage = row.usage.unwrap_or_default();
        let dollars = match (row.billing, usage.dollars) {
            (Some(Billing::Subscription), _) => "subscription".to_owned(),
            (Some(Billing::Nothing), None) => "0".to_owned(),
            (_, amount) => amount.map_or("unknown".to_owned(), |amount| format!("{amount:.4}")),
        };
        let seconds = row.ended_ms.map(|end| end.saturating_sub(row.began_ms));
        let seconds = seconds.map_or("-".to_owned(), |ms| Seconds(ms).to_string());
        let came = match (&row.failure, row.ended_ms) {
            (Some(failure), _) => cell(&one_line(failure)),
            (None, Some(_)) => "answered".to_owned(),
            (None, None) if matches!(outcome, Outcome::Waiting(_)) => "not answered yet".to_owned(),
            (None, None) => "cut off".to_owned(),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {dollars} | {seconds} | {came} |",
            row.number,
            row.role.name(),
            cell(row.agent),
            row.reserved,
            number(usage.input),
            number(usage.cached),
            number(usage.output),
        );
    }
    for record in records {
        match &record.event {
            Event::Waited { ms } if *ms > 0 => {
                let _ = writeln!(text, "\nWaited {} s before the next call.", Seconds(*ms));
            }
            Event::FellBack { role, from, to } => {
                let role = role.name();
                let _ = writeln!(text, "\n{to} stood in for {from} as {role}.");
            }
            Event::PassedOver { agent, message, .. } => {
                let _ = writeln!(text, "\n{agent} could not stand in: {message}.");
            }
            _ => {}
        }
    }
    estimates(text, &rows);
    let spent = Spent::of(records);
    let _ = writeln!(
        text,
        "\nIn all {} {}, {} tokens, {:.4} USD{}.",
        spent.n_calls,
        if spent.n_calls == 1 { "call" } else { "calls" },
        spent.tokens,
        spent.dollars,
        match spent.n_unknown {
            0 => String::new(),
            n =>
                format!("; of {n} of them nothing was reported, and what was set aside is counted"),
        }
    );
}

/// Holds what was set aside for prompts against what was reported; an executor's turns add up, so those of others tell.
fn estimates(text: &mut String, rows: &[Row<'_>]) {
    for row in rows.iter().filter(|row| row.role != Role::Executor) {
        let Some(input) = row.usage.and_then(|usage| usage.input).filter(|&n| n > 0) else {
            continue;
        };
        let _ = writeln!(
            text,
            "\nCall {}: at most {} tokens were expected, {input} reported by {}.",
            row.number, row.reserved, row.agent
        );
    }
}

fn rows(records: &[Record]) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for record in records {
        match &record.event {
            Event::CallStarted {
                number,
                role,
                agent,
                reserve,
                ..
            } => rows.push(Row {
                number: *number,
                role: *role,
                agent,
                reserved: reserve.tokens,
                began_ms: record.at_ms,
                ended_ms: None,
                usage: None,
                billing: None,
                failure: None,
            }),
            Event::CallEnded {
                number,
                usage,
                billing,
                ..
            } => {
                if let Some(row) = rows.iter_mut().find(|row| row.number == *number) {
                    row.ended_ms = Some(record.at_ms);
                    (row.usage, row.billing) = (Some(*usage), *billing);
                }
            }
            Event::CallFailed {
                number,
                class,
                message,
            } => {
                if let Some(row) = rows.iter_mut().find(|row| row.number == *number) {
                    row.ended_ms = Some(record.at_ms);
                    let class = class.map_or(String::new(), |class| format!("{class}: "));
                    row.failure = Some(format!("{class}{message}"));
                }
            }
            _ => {}
        }
    }
    rows
}

/// Milliseconds, written as seconds.
struct Seconds(u64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0 / 1000, self.0 % 1000 / 100)
    }
}

/// Returns a text as a cell of a table holds it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
