//! Whether all that the steps of a workflow name is there when they are done.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{Does, Setting, Step, Times, USUAL_ITEM, Workflow};
use crate::alike;
use crate::prompt::template::{self, TemplateError};

/// What is wrong with a workflow, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct WorkflowError {
    /// The line of it, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a workflow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It has not the form of one.
    #[error("{0}")]
    Form(String),
    /// It is of a later version.
    #[error("it is of version {0}, and this twostep knows version 1")]
    Version(u32),
    /// It has no steps.
    #[error("it has no step")]
    Empty,
    /// It has too many steps.
    #[error(
        "it has more than {MOST_WRITTEN} steps, and is read no further: `for-each` does one step for each of a list"
    )]
    Long,
    /// It gives nothing out.
    #[error(
        "the last step, `{0}`, is a list or a group and has no text: say in `result` what is given out"
    )]
    NoResult(String),
    /// A step lacks a key.
    #[error("the step `{0}` has no `{1}`")]
    Missing(String, &'static str),
    /// A step has a key of others.
    #[error("the step `{0}` has a `{1}`, which steps of the kind `{2}` have not")]
    Misplaced(String, &'static str, String),
    /// A step has two keys of which it may have one.
    #[error("the step `{0}` has both `{1}` and `{2}`")]
    Both(String, &'static str, &'static str),
    /// A key has a value that it cannot have.
    #[error("the `{1}` of the step `{0}` is `{2}`, and may be one of {known}", known = .3.join(", "))]
    NoneOf(String, &'static str, String, Vec<String>),
    /// A step would be done too often, or never.
    #[error("the step `{0}` is repeated {1} times at most, and may be 1 to {2} times")]
    Most(String, usize, usize),
    /// A name is no name.
    #[error("`{0}` is no name: letters, digits and `_`, a letter first")]
    NoName(String),
    /// Two things have one name.
    #[error("the name `{0}` is taken: it is the name of another step, a value, or ours")]
    Taken(String),
    /// There is no such role.
    #[error("the step `{0}` is for `{1}`, and the roles are {known}", known = .2.join(", "))]
    NoRole(String, String, Vec<String>),
    /// A default is none of what it may be.
    #[error("the value `{0}` is `{1}`, which is none of what it may be")]
    NoChoice(String, String),
    /// A value says when it is asked for, and never is.
    #[error("the value `{0}` has a `when`, and no `question` that it could keep from being asked")]
    NotAsked(String),
    /// What must be true for a value to be asked for is not known then.
    #[error("the `when` of the value `{0}` {1}")]
    When(String, String),
    /// A template or expression is none.
    #[error("the `{1}` of {0} cannot be read: {2}")]
    Template(String, &'static str, TemplateError),
    /// A template or expression names what is not there.
    #[error("the `{1}` of {0} names `{2}`, which is no value and no step before it")]
    Unknown(String, &'static str, String, Vec<String>),
    /// A template or expression names a field that is not there.
    #[error("the `{1}` of {0} names `{2}.{3}`; it may be {known}", known = fields(.2, .4))]
    NoField(String, &'static str, String, String, Vec<String>),
    /// A template or expression names a field of a list.
    #[error(
        "the `{1}` of {0} names `{2}.{3}`; it may be gone through, as in `{{% for one in {2} %}}`: it is a list"
    )]
    NoFields(String, &'static str, String, String),
    /// What only the user may say names what a model may have written.
    #[error(
        "the `{1}` of the step `{0}` name `{2}`, and may name values alone: a model has no say in it"
    )]
    NoValue(String, &'static str, String),
    /// A conversation goes on that was not had.
    #[error(
        "the step `{0}` goes on with the conversation of `{1}`, which is no step before it that asks"
    )]
    NoSession(String, String),
}

/// Returns the fields of a result as they are written.
fn fields(result: &str, fields: &[String]) -> String {
    let each = fields.iter().map(|field| format!("`{result}.{field}`"));
    each.collect::<Vec<_>>().join(", ")
}

impl Problem {
    /// Asks whether another name was meant, if one that is there is like it.
    pub fn hint(&self) -> Option<String> {
        let meant = |said: &str, known: &[String]| {
            alike::did_you_mean(said, known.iter().map(String::as_str))
        };
        let hint = match self {
            Self::NoneOf(_, _, said, known)
            | Self::NoRole(_, said, known)
            | Self::Unknown(_, _, said, known)
            | Self::NoField(_, _, _, said, known) => meant(said, known),
            // The parser names a key that it does not know, and those that it does.
            Self::Form(message) => {
                let mut quoted = message.split('`').skip(1).step_by(2);
                let said = quoted.next()?;
                alike::did_you_mean(said, quoted)
            }
            _ => String::new(),
        };
        Some(hint.trim_end().to_owned()).filter(|hint| !hint.is_empty())
    }
}

/// Where the lines of a workflow end.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    /// Returns the line in which the byte `at` is, from 1.
    pub(super) fn at(&self, at: usize) -> usize {
        self.0.partition_point(|&end| end < at) + 1
    }
}

/// No workflow is written with more steps.
pub(super) const MOST_WRITTEN: usize = 1_000;

/// What a name stands for.
#[derive(Clone, Copy)]
enum Meaning {
    /// A text, a number, one of a list.
    Plain,
    /// The results of what is done for each of a list.
    List,
    /// The result of a step, with its fields.
    Result(&'static [&'static str]),
}

type Names = BTreeMap<String, Meaning>;

/// What stands for a step where the workflow itself says something.
const END: &str = "";

/// Names that have a meaning of their own in some steps, or in every template.
const OURS: [&str; 12] = [
    "round", "index", "loop", "files", "lines", "element", "fenced", "range", "true", "false",
    "none", "not",
];

/// What every template may name: the spec, what earlier runs told, who plays each role, and the forms of answers.
pub const GIVEN: [&str; 6] = [
    "spec",
    "memory",
    "roles",
    "plan_form",
    "review_form",
    "edits_form",
];

/// Returns what a template or an expression names.
type NamesIn = fn(&str) -> Result<Vec<String>, TemplateError>;

/// Says whether all that is named is there; fills in whether a spec is.
pub(super) fn check(mut workflow: Workflow, text: &str) -> Result<Workflow, WorkflowError> {
    let at_top = |problem| WorkflowError { line: 1, problem };
    if workflow.steps.is_empty() {
        return Err(at_top(Problem::Empty));
    }
    if let (None, Some(last)) = (&workflow.result, workflow.steps.last()) {
        let is_list = matches!(last.times, Times::Each { .. });
        if is_list || matches!(last.does, Does::Steps { .. }) {
            let (line, problem) = (last.line, Problem::NoResult(last.name.clone()));
            return Err(WorkflowError { line, problem });
        }
    }
    let ours = GIVEN
        .iter()
        .map(|name| ((*name).to_owned(), Meaning::Plain));
    let mut names: Names = ours.collect();
    for (name, setting) in workflow.settings() {
        let line = setting.line;
        setting_is_sound(name, setting, &names)
            .map_err(|problem| WorkflowError { line, problem })?;
        names.insert(name.clone(), Meaning::Plain);
    }
    let mut taken = BTreeSet::new();
    for name in workflow.values.keys() {
        enter(name, &mut taken).map_err(at_top)?;
    }
    each_once(&workflow.steps, &mut taken)?;
    let mut walk = Walk {
        roles: &workflow.roles,
        values: &workflow.values,
        uses_spec: false,
    };
    walk.steps(&workflow.steps, &mut names)?;
    let ends = [
        (
            "result",
            &workflow.result,
            template::names_in_template as NamesIn,
        ),
        ("remember", &workflow.remember, template::names_in_template),
        ("accept", &workflow.accept, template::names_in_expression),
    ];
    for (key, written, names_in) in ends {
        let Some(written) = written else { continue };
        let line = text
            .find(&format!("\n{key} "))
            .map_or(1, |at| Lines::of(text).at(at + 1));
        walk.names(END, key, names_in(written), &names)
            .map_err(|problem| WorkflowError { line, problem })?;
    }
    workflow.needs_spec = walk.uses_spec;
    Ok(workflow)
}

/// Says whether a value may be what it is by default, and is asked for by what is known then.
fn setting_is_sound(name: &str, setting: &Setting, above: &Names) -> Result<(), Problem> {
    let Setting {
        default, one_of, ..
    } = setting;
    if !one_of.is_empty() && !one_of.contains(default) {
        return Err(Problem::NoChoice(name.to_owned(), default.clone()));
    }
    let Some(when) = &setting.when else {
        return Ok(());
    };
    if setting.question.is_none() {
        return Err(Problem::NotAsked(name.to_owned()));
    }
    let wrong = |why: String| Problem::When(name.to_owned(), why);
    let used = template::names_in_expression(when)
        .map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let is_value = |used: &&String| above.contains_key(*used) && !GIVEN.contains(&used.as_str());
    match used.iter().find(|used| !is_value(used)) {
        None => Ok(()),
        Some(used) => Err(wrong(format!("names `{used}`, which is no value above it"))),
    }
}

/// Says whether each step, and what a list's one is called, has a name of its own.
fn each_once<'a>(steps: &'a [Step], taken: &mut BTreeSet<&'a str>) -> Result<(), WorkflowError> {
    for step in steps {
        let line = step.line;
        let fail = |problem| WorkflowError { line, problem };
        enter(&step.name, taken).map_err(fail)?;
        if let Times::Each { name, .. } = &step.times
            && name != USUAL_ITEM
        {
            enter(name, taken).map_err(fail)?;
        }
        if let Does::Steps { steps, .. } = &step.does {
            each_once(steps, taken)?;
        }
    }
    Ok(())
}

fn enter<'a>(name: &'a str, taken: &mut BTreeSet<&'a str>) -> Result<(), Problem> {
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        return Err(Problem::NoName(name.to_owned()));
    }
    let is_ours = OURS.contains(&name) || GIVEN.contains(&name) || name == USUAL_ITEM;
    if is_ours || !taken.insert(name) {
        return Err(Problem::Taken(name.to_owned()));
    }
    Ok(())
}

/// A way through the steps.
struct Walk<'a> {
    roles: &'a BTreeMap<String, String>,
    values: &'a BTreeMap<String, Setting>,
    uses_spec: bool,
}

impl Walk<'_> {
    /// Goes through steps that are done one after another.
    fn steps(&mut self, steps: &[Step], names: &mut Names) -> Result<(), WorkflowError> {
        steps.iter().try_for_each(|step| self.step(step, names))
    }

    fn step(&mut self, step: &Step, names: &mut Names) -> Result<(), WorkflowError> {
        let line = step.line;
        let fail = |problem| WorkflowError { line, problem };
        if let Some(when) = &step.when {
            let used = template::names_in_expression(when);
            self.names(&step.name, "when", used, names).map_err(fail)?;
        }
        let mut within = Cow::Borrowed(&*names);
        match &step.times {
            Times::Once => {}
            Times::Each { of, name, .. } => {
                let used = template::names_in_expression(of);
                self.names(&step.name, "for-each", used, names)
                    .map_err(fail)?;
                let within = within.to_mut();
                within.insert(name.clone(), Meaning::Plain);
                within.insert("index".to_owned(), Meaning::Plain);
            }
            Times::Until { is, .. } => {
                let within = within.to_mut();
                within.insert("round".to_owned(), Meaning::Plain);
                // A round knows what the one before it came to.
                add_results(step, within);
                let used = template::names_in_expression(is);
                self.names(&step.name, "until", used, within)
                    .map_err(fail)?;
            }
        }
        self.kind(step, &within)?;
        if let Some(file) = &step.file {
            let used = template::names_in_template(file);
            self.names(&step.name, "file", used, &within)
                .map_err(fail)?;
        }
        add_results(step, names);
        Ok(())
    }

    /// Looks at what a step names by what it does.
    fn kind(&mut self, step: &Step, within: &Names) -> Result<(), WorkflowError> {
        let line = step.line;
        let mut look = |key, template: &str| {
            let used = template::names_in_template(template);
            let looked = self.names(&step.name, key, used, within);
            looked.map_err(|problem| WorkflowError { line, problem })
        };
        match &step.does {
            Does::Pack { task, files, .. } => {
                files.iter().try_for_each(|glob| look("files", glob))?;
                task.iter().try_for_each(|task| look("task", task))
            }
            Does::Resolve { plan } => look("plan", plan),
            Does::Gate { question, .. } => look("question", question),
            Does::Integrate { edits, approve } => {
                look("edits", edits)?;
                look("approve", approve)?;
                self.of_user(step, "approve", std::slice::from_ref(approve))
                    .map_err(|problem| WorkflowError { line, problem })
            }
            Does::Text { text } => look("text", text),
            Does::Check { commands } => {
                commands
                    .iter()
                    .try_for_each(|command| look("commands", command))?;
                self.of_user(step, "commands", commands)
                    .map_err(|problem| WorkflowError { line, problem })
            }
            Does::Execute { plan, .. } => {
                look("plan", plan)?;
                self.asked(step, within)
                    .map_err(|problem| WorkflowError { line, problem })
            }
            Does::Review { plan, .. } => {
                plan.iter().try_for_each(|plan| look("plan", plan))?;
                self.asked(step, within)
                    .map_err(|problem| WorkflowError { line, problem })
            }
            Does::Ask { prompt, files, .. } => {
                files.iter().try_for_each(|glob| look("files", glob))?;
                look("prompt", prompt)?;
                self.asked(step, within)
                    .map_err(|problem| WorkflowError { line, problem })
            }
            // None of those that are done at once knows another.
            Does::Steps {
                steps,
                at_once: 2..,
            } => steps
                .iter()
                .try_for_each(|step| self.step(step, &mut within.clone())),
            Does::Steps { steps, .. } => self.steps(steps, &mut within.clone()),
        }
    }

    /// Says whether templates name nothing but values: those are the user's.
    fn of_user(&self, step: &Step, key: &'static str, templates: &[String]) -> Result<(), Problem> {
        let used = templates.iter().flat_map(|command| {
            let used = template::all_names_in_template(command);
            used.unwrap_or_default()
        });
        let is_value = |name: &String| self.values.contains_key(name);
        match used.into_iter().find(|name| !is_value(name)) {
            Some(name) => Err(Problem::NoValue(step.name.clone(), key, name)),
            None => Ok(()),
        }
    }

    /// Says whether who is asked, and the conversation that goes on, are there.
    fn asked(&self, step: &Step, within: &Names) -> Result<(), Problem> {
        let (role, other, session) = match &step.does {
            Does::Ask { role, session, .. } => (role, None, session.as_ref()),
            Does::Execute { role, reviewer, .. } => (role, reviewer.as_ref(), None),
            Does::Review { role, .. } => (role, None, None),
            _ => return Ok(()),
        };
        for role in [Some(role), other].into_iter().flatten() {
            if !self.roles.contains_key(role) {
                let roles = self.roles.keys().cloned().collect();
                let (name, role) = (step.name.clone(), role.clone());
                return Err(Problem::NoRole(name, role, roles));
            }
        }
        let Some(before) = session else {
            return Ok(());
        };
        match within.get(before) {
            Some(Meaning::Result(fields)) if fields.contains(&"agent") => Ok(()),
            _ => Err(Problem::NoSession(step.name.clone(), before.clone())),
        }
    }

    /// Says whether what is used is there.
    fn names(
        &mut self,
        step: &str,
        key: &'static str,
        used: Result<Vec<String>, TemplateError>,
        names: &Names,
    ) -> Result<(), Problem> {
        let place = match step {
            END => "the workflow".to_owned(),
            step => format!("the step `{step}`"),
        };
        let used = used.map_err(|error| Problem::Template(place.clone(), key, error))?;
        for name in used {
            let mut parts = name.split('.');
            let (first, field) = (parts.next().unwrap_or_default(), parts.next());
            self.uses_spec |= first == "spec";
            let Some(meaning) = names.get(first) else {
                let known = names.keys().cloned().collect();
                let (step, first) = (place, first.to_owned());
                return Err(Problem::Unknown(step, key, first, known));
            };
            let Some(field) = field else { continue };
            if first == "roles" && !self.roles.contains_key(field) {
                let known = self.roles.keys().cloned().collect();
                return Err(Problem::NoRole(step.to_owned(), field.to_owned(), known));
            }
            let (step, first, said) = (place.clone(), first.to_owned(), field.to_owned());
            match meaning {
                Meaning::List => return Err(Problem::NoFields(step, key, first, said)),
                Meaning::Result(fields) if !fields.contains(&field) => {
                    let known = fields.iter().map(|field| (*field).to_owned());
                    return Err(Problem::NoField(step, key, first, said, known.collect()));
                }
                Meaning::Result(_) | Meaning::Plain => {}
            }
        }
        Ok(())
    }
}

/// Enters the results that steps after `step` see: its own, of a group those of the steps in it, and of what is done for each
/// of a list the list of them.
fn add_results(step: &Step, names: &mut Names) {
    let meaning = match (&step.does, &step.times) {
        (_, Times::Each { .. }) => Meaning::List,
        (Does::Steps { steps, .. }, _) => {
            return steps.iter().for_each(|step| add_results(step, names));
        }
        (does, _) => Meaning::Result(does.fields()),
    };
    names.insert(step.name.clone(), meaning);
}
