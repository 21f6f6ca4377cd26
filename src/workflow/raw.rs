//! A workflow as it is written, and which keys a step of a kind has.
//!
//! In: TOML. Out: typed steps, of which it is not yet known whether what they name is there.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::known::{Lines, MOST_WRITTEN, Problem, WorkflowError};
use super::{
    Approve, Contract, Does, Missing, OnFailure, Setting, Step, Times, USUAL_ITEM, Workflow,
};

/// The version of the form.
const VERSION: u32 = 1;

/// The kinds of steps.
const KINDS: [&str; 10] = [
    "pack",
    "ask",
    "resolve",
    "execute",
    "check",
    "review",
    "integrate",
    "text",
    "gate",
    "steps",
];

/// So many are done at once where a workflow says only that some are.
const USUAL_AT_ONCE: usize = 8;

/// No step is done more often.
const MOST_TIMES: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Raw {
    version: u32,
    title: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    roles: BTreeMap<String, String>,
    #[serde(default)]
    values: BTreeMap<Spanned<String>, RawSetting>,
    result: Option<String>,
    accept: Option<String>,
    remember: Option<String>,
    step: Vec<RawStep>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawSetting {
    Plain(String),
    Full(FullSetting),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FullSetting {
    default: String,
    #[serde(default)]
    one_of: Vec<String>,
    #[serde(default)]
    about: String,
    question: Option<String>,
    when: Option<String>,
}

/// A step with all keys that any kind has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawStep {
    name: Spanned<String>,
    kind: Option<String>,
    when: Option<String>,
    for_each: Option<String>,
    #[serde(rename = "as")]
    one: Option<String>,
    repeat: Option<Repeat>,
    parallel: Option<Parallel>,
    on_failure: Option<String>,
    minutes: Option<u64>,
    file: Option<String>,
    role: Option<String>,
    prompt: Option<String>,
    files: Option<Vec<String>>,
    schema: Option<String>,
    session: Option<String>,
    answer: Option<String>,
    task: Option<String>,
    budget: Option<u64>,
    plan: Option<String>,
    question: Option<String>,
    choices: Option<Vec<String>>,
    reviewer: Option<String>,
    missing: Option<String>,
    edits: Option<String>,
    approve: Option<String>,
    commands: Option<Vec<String>>,
    text: Option<String>,
    step: Option<Vec<RawStep>>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Repeat {
    until: String,
    most: usize,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(untagged)]
enum Parallel {
    Said(bool),
    AtOnce(usize),
}

/// Reads a workflow, of which it is not yet known whether what it names is there.
pub(super) fn read(text: &str) -> Result<Workflow, WorkflowError> {
    let lines = Lines::of(text);
    let raw: Raw = toml::from_str(text).map_err(|error| WorkflowError {
        line: error.span().map_or(1, |span| lines.at(span.start)),
        problem: Problem::Form(error.message().to_owned()),
    })?;
    if raw.version != VERSION {
        let problem = Problem::Version(raw.version);
        return Err(WorkflowError { line: 1, problem });
    }
    if let Some(at) = too_many(&raw.step, &mut 0) {
        let (line, problem) = (lines.at(at), Problem::Long);
        return Err(WorkflowError { line, problem });
    }
    let steps = raw.step.into_iter().map(|step| typed(step, &lines));
    let values = raw.values.into_iter().map(|(name, setting)| {
        let line = lines.at(name.span().start);
        let setting = match setting {
            RawSetting::Plain(default) => Setting {
                default,
                one_of: Vec::new(),
                about: String::new(),
                question: None,
                when: None,
                line,
            },
            RawSetting::Full(full) => Setting {
                default: full.default,
                one_of: full.one_of,
                about: full.about,
                question: full.question,
                when: full.when,
                line,
            },
        };
        (name.into_inner(), setting)
    });
    Ok(Workflow {
        title: raw.title,
        about: raw.about.trim().to_owned(),
        roles: raw.roles,
        values: values.collect(),
        steps: steps.collect::<Result<_, _>>()?,
        result: raw.result,
        accept: raw.accept,
        remember: raw.remember,
        needs_spec: false,
    })
}

/// Returns where the first of `steps` begins, or of those in them, that is one too many after `n`.
fn too_many(steps: &[RawStep], n: &mut usize) -> Option<usize> {
    steps.iter().find_map(|step| {
        *n += 1;
        if *n > MOST_WRITTEN {
            return Some(step.name.span().start);
        }
        too_many(step.step.as_deref().unwrap_or_default(), n)
    })
}

/// Makes a step of what is written, if all of its keys have their place.
fn typed(raw: RawStep, lines: &Lines) -> Result<Step, WorkflowError> {
    let line = lines.at(raw.name.span().start);
    let name = raw.name.get_ref().clone();
    let fail = |problem| WorkflowError { line, problem };
    let kind = match (&raw.kind, &raw.step) {
        (Some(kind), _) => kind.clone(),
        (None, Some(_)) => "steps".to_owned(),
        (None, None) => return Err(fail(Problem::Missing(name, "kind"))),
    };
    if !KINDS.contains(&kind.as_str()) {
        let kinds = KINDS.map(str::to_owned).to_vec();
        return Err(fail(Problem::NoneOf(name, "kind", kind, kinds)));
    }
    if let Some(key) = misplaced(&raw, &kind) {
        return Err(fail(Problem::Misplaced(name, key, kind)));
    }
    let at_once = at_once(raw.parallel);
    // For each of a list it is the rounds that are done at once.
    let within = if raw.for_each.is_some() { 1 } else { at_once };
    let (for_each, repeat) = (raw.for_each.clone(), raw.repeat.clone());
    let (one, when, file) = (raw.one.clone(), raw.when.clone(), raw.file.clone());
    let on_failure = one_of(
        &name,
        "on-failure",
        raw.on_failure.as_deref(),
        &[("stop", OnFailure::Stop), ("go-on", OnFailure::GoOn)],
    );
    let on_failure = on_failure.map_err(fail)?;
    let minutes = raw.minutes;
    let does = does(raw, &kind, within, lines)?;
    let times = match (for_each, repeat) {
        (Some(_), Some(_)) => return Err(fail(Problem::Both(name, "for-each", "repeat"))),
        (Some(of), None) => Times::Each {
            of,
            name: one.unwrap_or_else(|| USUAL_ITEM.to_owned()),
            at_once,
        },
        (None, Some(Repeat { until, most })) => {
            if !(1..=MOST_TIMES).contains(&most) {
                return Err(fail(Problem::Most(name, most, MOST_TIMES)));
            }
            Times::Until { is: until, most }
        }
        (None, None) => Times::Once,
    };
    Ok(Step {
        name,
        line,
        when,
        times,
        on_failure,
        minutes,
        file,
        does,
    })
}

/// Makes what a step of a kind does of what is written.
fn does(raw: RawStep, kind: &str, at_once: usize, lines: &Lines) -> Result<Does, WorkflowError> {
    let line = lines.at(raw.name.span().start);
    let name = raw.name.into_inner();
    let fail = |problem| WorkflowError { line, problem };
    let missing = |key| fail(Problem::Missing(name.clone(), key));
    let role = raw.role.ok_or_else(|| missing("role"));
    let plan = raw.plan.clone().ok_or_else(|| missing("plan"));
    let files = raw.files.unwrap_or_default();
    Ok(match kind {
        "pack" => Does::Pack {
            files,
            task: raw.task,
            budget: raw.budget.ok_or_else(|| missing("budget"))?,
        },
        "ask" => Does::Ask {
            role: role?,
            prompt: raw.prompt.ok_or_else(|| missing("prompt"))?,
            files,
            schema: raw.schema,
            session: raw.session,
            answer: one_of(
                &name,
                "answer",
                raw.answer.as_deref(),
                &[
                    ("text", Contract::Text),
                    ("code", Contract::Code),
                    ("plan", Contract::Plan),
                    ("review", Contract::Review),
                ],
            )
            .map_err(fail)?,
        },
        "resolve" => Does::Resolve { plan: plan? },
        "execute" => Does::Execute {
            role: role?,
            plan: plan?,
            reviewer: raw.reviewer,
            missing: one_of(
                &name,
                "missing",
                raw.missing.as_deref(),
                &[("stop", Missing::Stop), ("told", Missing::Told)],
            )
            .map_err(fail)?,
        },
        "integrate" => Does::Integrate {
            edits: raw.edits.ok_or_else(|| missing("edits"))?,
            approve: match raw.approve {
                Some(word) if word.contains("{{") => word,
                word => {
                    let words = Approve::WORDS.map(|(word, _)| (word, word));
                    let word = one_of(&name, "approve", word.as_deref(), &words);
                    word.map_err(fail)?.to_owned()
                }
            },
        },
        "check" => Does::Check {
            commands: raw.commands.unwrap_or_default(),
        },
        "review" => Does::Review {
            role: role?,
            plan: raw.plan,
        },
        "text" => Does::Text {
            text: raw.text.ok_or_else(|| missing("text"))?,
        },
        "gate" => Does::Gate {
            question: raw.question.ok_or_else(|| missing("question"))?,
            choices: raw
                .choices
                .filter(|list| !list.is_empty())
                .ok_or_else(|| missing("choices"))?,
        },
        // The only other kind.
        _ => {
            let steps = raw.step.ok_or_else(|| missing("step"))?;
            let steps = steps.into_iter().map(|step| typed(step, lines));
            Does::Steps {
                steps: steps.collect::<Result<_, _>>()?,
                at_once,
            }
        }
    })
}

/// Returns what a word stands for; without one, the first of what there is.
fn one_of<T: Copy>(
    step: &str,
    key: &'static str,
    said: Option<&str>,
    all: &[(&'static str, T)],
) -> Result<T, Problem> {
    let said = said.unwrap_or(all[0].0);
    let found = all.iter().find(|(word, _)| *word == said);
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let words = all.iter().map(|(word, _)| (*word).to_owned());
        Problem::NoneOf(step.to_owned(), key, said.to_owned(), words.collect())
    })
}

fn at_once(parallel: Option<Parallel>) -> usize {
    match parallel {
        None | Some(Parallel::Said(false)) => 1,
        Some(Parallel::Said(true)) => USUAL_AT_ONCE,
        Some(Parallel::AtOnce(n)) => n.max(1),
    }
}

/// Returns a key of a step that steps of its kind do not have.
fn misplaced(raw: &RawStep, kind: &str) -> Option<&'static str> {
    let places: &[(&'static str, bool, &[&str])] = &[
        ("role", raw.role.is_some(), &["ask", "execute", "review"]),
        (
            "minutes",
            raw.minutes.is_some(),
            &["ask", "execute", "review", "check"],
        ),
        ("prompt", raw.prompt.is_some(), &["ask"]),
        ("files", raw.files.is_some(), &["ask", "pack"]),
        ("schema", raw.schema.is_some(), &["ask"]),
        ("session", raw.session.is_some(), &["ask"]),
        ("answer", raw.answer.is_some(), &["ask"]),
        ("task", raw.task.is_some(), &["pack"]),
        ("budget", raw.budget.is_some(), &["pack"]),
        (
            "plan",
            raw.plan.is_some(),
            &["resolve", "execute", "review"],
        ),
        ("reviewer", raw.reviewer.is_some(), &["execute"]),
        ("missing", raw.missing.is_some(), &["execute"]),
        ("edits", raw.edits.is_some(), &["integrate"]),
        ("approve", raw.approve.is_some(), &["integrate"]),
        ("commands", raw.commands.is_some(), &["check"]),
        ("text", raw.text.is_some(), &["text"]),
        ("question", raw.question.is_some(), &["gate"]),
        ("choices", raw.choices.is_some(), &["gate"]),
        ("step", raw.step.is_some(), &["steps"]),
    ];
    let has = |(_, is_there, kinds): &&(&str, bool, &[&str])| *is_there && !kinds.contains(&kind);
    let misplaced = places.iter().find(has).map(|&(key, ..)| key);
    let misplaced = misplaced
        .or_else(|| (raw.file.is_some() && kind == "steps").then_some("file"))
        .or_else(|| (raw.on_failure.is_some() && kind == "steps").then_some("on-failure"));
    let alone = raw.for_each.is_none();
    misplaced
        .or_else(|| (raw.one.is_some() && alone).then_some("as"))
        .or_else(|| (raw.parallel.is_some() && alone && kind != "steps").then_some("parallel"))
}
