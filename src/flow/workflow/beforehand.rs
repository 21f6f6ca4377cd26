//! What is known of a workflow before its first step is done: what templates may name, which steps are done, what is wrong.
//!
//! In: a workflow, and what the user set. Out: values. Nobody is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::{Files, Scope, StepError, StepFailed};
use crate::path::RepoPath;
use crate::prompt::{forms, template};
use crate::repo::Globs;
use crate::schema::Schema;
use crate::workflow::{Does, Setting, Step};

/// Returns what templates and expressions may name before the first step.
pub fn known(
    spec: &str,
    memory: &str,
    values: &BTreeMap<String, String>,
    roles: &BTreeMap<String, String>,
) -> Scope {
    let given = [("spec", spec), ("memory", memory)].into_iter();
    let given = given.chain(forms());
    let given = given.map(|(name, text)| (name.to_owned(), json!(text)));
    let values = values.iter();
    let values = values.map(|(name, value)| (name.clone(), json!(value)));
    let roles = ("roles".to_owned(), json!(roles));
    given.chain(values).chain([roles]).collect()
}

/// Says whether the user is asked for a value, by those above it.
pub fn is_asked(setting: &Setting, above: &BTreeMap<String, String>) -> bool {
    let scope = above
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)));
    let scope: Scope = scope.collect();
    let no_files: Files = Arc::new(|_: &[String]| Vec::new());
    let when = setting.when.as_ref();
    when.is_none_or(|when| template::is_true(when, &scope, &no_files) != Ok(false))
}

/// Says whether one of the steps works in a scratch, as far as that is known before the first: one whose `when` is false by what the user set
/// does not.
pub fn needs_scratch(steps: &[Step], scope: &Scope, files: &Files) -> bool {
    let on = that_are_on(steps, scope, files);
    on.iter().any(|step| step.does.needs_scratch())
}

/// Returns the steps that are no groups, those of groups, too, without those that what the user set keeps from being done.
fn that_are_on<'a>(steps: &'a [Step], scope: &Scope, files: &Files) -> Vec<&'a Step> {
    let on = steps
        .iter()
        .filter(|step| known_of(step, scope, files) != Some(false));
    let each = on.flat_map(|step| match &step.does {
        Does::Steps { steps, .. } => that_are_on(steps, scope, files),
        _ => vec![step],
    });
    each.collect()
}

/// Says whether a step is done, as far as that is known by `scope`.
pub(super) fn known_of(step: &Step, scope: &Scope, files: &Files) -> Option<bool> {
    let Some(when) = &step.when else {
        return Some(true);
    };
    let known = |expression: &str| {
        let names = template::names_in_expression(expression).ok()?;
        let is_known = |name: &String| scope.contains_key(name.split('.').next().unwrap_or(name));
        let is_known = names.iter().all(is_known);
        is_known.then(|| template::is_true(expression, scope, files).ok())?
    };
    // Of what must all be true one is enough that is not.
    let is_plain = ![" or ", " if "].iter().any(|word| when.contains(word));
    let is_off = is_plain && when.split(" and ").any(|part| known(part) == Some(false));
    if is_off { Some(false) } else { known(when) }
}

/// Returns the commands of the steps that check, as the user's values make them.
pub fn commands(steps: &[Step], scope: &Scope, files: &Files) -> Vec<String> {
    let on = that_are_on(steps, scope, files).into_iter();
    let all = on.flat_map(|step| match &step.does {
        Does::Check { commands } => commands.as_slice(),
        _ => &[],
    });
    let filled = all.filter_map(|command| template::fill(command, scope, files).ok());
    let filled = filled.filter(|command| !command.trim().is_empty());
    filled.collect()
}

/// Says what is wrong with steps that can be known before anybody is asked: schemas, globs and names of files.
///
/// # Errors
///
/// Fails with the first step with which something is.
pub fn verify(steps: &[Step]) -> Result<(), StepFailed> {
    let is_plain = |text: &&String| !text.contains("{{") && !text.contains("{%");
    for step in steps {
        let failed = |error: StepError| StepFailed::new(&step.name, error);
        if let Does::Steps { steps, .. } = &step.does {
            verify(steps)?;
        }
        if let Does::Ask { schema, files, .. } = &step.does {
            let schema = schema.as_deref().map(Schema::parse).transpose();
            schema.map_err(|error| failed(StepError::Schema(error.to_string())))?;
            let plain: Vec<String> = files.iter().filter(is_plain).cloned().collect();
            Globs::parse(&plain, &[]).map_err(|error| failed(error.into()))?;
        }
        if let Some(file) = step.file.as_ref().filter(is_plain)
            && RepoPath::parse(file.trim().as_bytes()).is_err()
        {
            return Err(failed(StepError::NoPlace(file.clone())));
        }
    }
    Ok(())
}
