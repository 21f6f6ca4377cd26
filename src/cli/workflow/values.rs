//! What the user sets of a workflow: by `--set`, by an answer that was given once for the project, or by asking now.
//!
//! Answers are kept in the user's folder, never in the repository.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::alike::did_you_mean;
use crate::cli::environment::Environment;
use crate::cli::exit::usage;
use crate::cli::printer::Printer;
use crate::flow::workflow::{CHOICES, is_asked};
use crate::repo::Repository;
use crate::workflow::{Does, Step, Workflow};

/// What the user gave beforehand.
pub(super) struct Given {
    /// The values that were set.
    pub(super) values: BTreeMap<String, String>,
    /// The answers of steps that ask.
    pub(super) answers: BTreeMap<String, String>,
}

/// What the user answered, in the folder of the user's files.
const ANSWERS_FILE: &str = "answers.toml";

/// What is in that file.
#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Answers {
    #[serde(default)]
    project: Vec<Project>,
}

/// What was answered for a workflow in a repository.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Project {
    root: String,
    workflow: String,
    values: BTreeMap<String, String>,
}

/// Takes apart what was set on the command line.
pub(super) fn given(
    workflow: &Workflow,
    name: &str,
    set: &[(String, String)],
) -> anyhow::Result<Given> {
    let gates = gates(&workflow.steps);
    let mut given = Given {
        values: BTreeMap::new(),
        answers: BTreeMap::new(),
    };
    for (key, value) in set {
        let one_of = match (workflow.values.get(key), gates.get(key.as_str())) {
            (Some(setting), _) => setting.one_of.iter().map(String::as_str).collect(),
            (None, Some(choices)) => choices.clone(),
            (None, None) => {
                let known = workflow.values.keys().map(String::as_str);
                let known: Vec<&str> = known.chain(gates.keys().copied()).collect();
                let meant = did_you_mean(key, known.iter().copied());
                return Err(usage(
                    format!("the workflow `{name}` has no value or gate `{key}`"),
                    match known.join(", ") {
                        none if none.is_empty() => "it has none".to_owned(),
                        known => format!("{meant}it has {known}"),
                    },
                ));
            }
        };
        if !one_of.is_empty() && !one_of.contains(&value.as_str()) {
            let meant = did_you_mean(value, one_of.iter().copied());
            return Err(usage(
                format!("`{key}` cannot be `{value}`"),
                format!("{meant}it may be one of {}", one_of.join(", ")),
            ));
        }
        let of = if workflow.values.contains_key(key) {
            &mut given.values
        } else {
            &mut given.answers
        };
        of.insert(key.clone(), value.clone());
    }
    Ok(given)
}

/// Returns all values of a workflow: as they were set, as they were answered for this project, as somebody answers now, or the defaults.
pub(super) fn settle(
    workflow: &Workflow,
    name: &str,
    set: &BTreeMap<String, String>,
    repository: &Repository,
    asked: Option<&Printer>,
    environment: &Environment,
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut answers = read(environment)?;
    let root = repository.root.path().to_str().unwrap_or_default();
    let is_it = |project: &Project| project.root == root && project.workflow == name;
    let known = answers.project.iter().find(|project| is_it(project));
    let known = known.map(|project| project.values.clone());
    let mut said = known.unwrap_or_default();
    let n_known = said.len();
    let mut values = BTreeMap::new();
    for (key, setting) in workflow.settings() {
        let may_be = |value: &String| setting.one_of.is_empty() || setting.one_of.contains(value);
        let asked = asked.filter(|_| is_asked(setting, &values));
        let value = match (set.get(key), said.get(key).filter(|value| may_be(value))) {
            (Some(value), _) | (None, Some(value)) => value.clone(),
            (None, None) => match (&setting.question, asked) {
                (Some(question), Some(printer)) => {
                    match ask(question, &setting.default, &may_be, printer) {
                        Some(value) => {
                            said.insert(key.clone(), value.clone());
                            value
                        }
                        // Nobody was there any more.
                        None => setting.default.clone(),
                    }
                }
                _ => setting.default.clone(),
            },
        };
        values.insert(key.clone(), value);
    }
    if said.len() > n_known && !root.is_empty() {
        answers.project.retain(|project| !is_it(project));
        answers.project.push(Project {
            root: root.to_owned(),
            workflow: name.to_owned(),
            values: said,
        });
        let text = toml::to_string(&answers).context("cannot write down what you answered")?;
        environment.write_own(ANSWERS_FILE, &text)?;
    }
    Ok(values)
}

/// Asks until the answer is one; who types nothing takes the default. None, if nobody answers.
fn ask(
    question: &str,
    default: &str,
    may_be: &dyn Fn(&String) -> bool,
    printer: &Printer,
) -> Option<String> {
    loop {
        let typed = printer.ask(&format!("{} [{default}] ", question.trim()), &|| false)?;
        match typed.trim() {
            "" => return Some(default.to_owned()),
            typed if may_be(&typed.to_owned()) => return Some(typed.to_owned()),
            _ => {}
        }
    }
}

fn read(environment: &Environment) -> anyhow::Result<Answers> {
    let Some((path, text)) = environment.own_file(ANSWERS_FILE)? else {
        return Ok(Answers::default());
    };
    toml::from_str(&text)
        .with_context(|| format!("cannot use what you answered in `{}`", path.display()))
}

/// Returns the steps that ask the user, with what may be answered.
fn gates(steps: &[Step]) -> BTreeMap<&str, Vec<&str>> {
    let mut gates = BTreeMap::new();
    for step in steps {
        match &step.does {
            Does::Gate { choices, .. } => {
                let choices = choices.iter().map(String::as_str);
                gates.insert(step.name.as_str(), choices.collect());
            }
            Does::Execute { .. } | Does::Integrate { .. } => {
                gates.insert(step.name.as_str(), CHOICES.to_vec());
            }
            Does::Steps { steps, .. } => gates.extend(self::gates(steps)),
            _ => {}
        }
    }
    gates
}
