//! One step of a workflow, by its kind.

use std::error::Error;

use serde_json::{Value, json};

use super::change::of_user;
use super::strand::Strand;
use super::{FILES_FOLDER, Gate, Spend, StepError, Worker};
use crate::agent::{Class, Failure, Role};
use crate::flow::ask::{self, Question, Session};
use crate::flow::conventions::Conventions;
use crate::flow::host::Event;
use crate::flow::pack;
use crate::flow::plan::redacted;
use crate::flow::plan::{PlanningError, Prompt};
use crate::flow::player::Player;
use crate::flow::references::resolve;
use crate::flow::rounds;
use crate::flow::{plan as planning, review as reviewing};
use crate::fs;
use crate::model::Measure;
use crate::pack::{Query, Room};
use crate::path::RepoPath;
use crate::plan::{Plan, Reference};
use crate::prompt::template::{self, Scope};
use crate::repo::{Globs, Named};
use crate::review::{self, Verdict};
use crate::run::CallPlace;
use crate::schema::Schema;
use crate::workflow::{Approve, Contract, Does, Step};

/// No answer of the user's is larger.
const MAX_ANSWER_BYTES: u64 = 1 << 16;

impl Worker<'_> {
    /// Does a step that is no group, and returns what it came to.
    pub(super) fn kind(
        &self,
        step: &Step,
        strand: &mut Strand,
        label: &str,
    ) -> Result<Value, StepError> {
        let scope = &strand.scope;
        let fill = |key, template: &str| self.fill(key, template, scope);
        match &step.does {
            Does::Pack {
                files,
                task,
                budget,
            } => {
                let task = task.as_deref().map(|task| fill("task", task)).transpose()?;
                let files = self.globs(files, scope)?;
                self.pack(&files, task.as_deref(), *budget)
            }
            Does::Ask { prompt, .. } => self.ask(step, &fill("prompt", prompt)?, scope, label),
            Does::Resolve { plan } => self.resolve(&fill("plan", plan)?),
            Does::Gate { question, choices } => {
                let question = fill("question", question)?;
                self.gate(&step.name, (&question, &question), choices, label)
            }
            Does::Text { text } => Ok(json!({ "text": fill("text", text)?, "error": null })),
            Does::Execute { plan, .. } => {
                let plan = fill("plan", plan)?;
                self.execute(step, &plan, strand, label)
            }
            Does::Integrate { edits, approve } => {
                let edits = fill("edits", edits)?;
                let approve = fill("approve", approve)?;
                let approve = Approve::of(&approve).ok_or(StepError::NoWord(approve))?;
                self.integrate(step, (&edits, approve), strand, label)
            }
            Does::Check { commands } => {
                // Nothing that a model wrote is run.
                let own = of_user(scope, self.values);
                let commands = commands.iter().map(|it| self.fill("commands", it, &own));
                let commands = commands.collect::<Result<_, _>>()?;
                self.run_checks(commands, strand, label)
            }
            Does::Review { role, plan } => {
                let plan = plan.as_deref().map(|plan| fill("plan", plan)).transpose()?;
                self.review(role, plan.as_deref(), strand, label)
            }
            // It is done by its steps.
            Does::Steps { .. } => Ok(Value::Null),
        }
    }

    fn fill(&self, key: &'static str, text: &str, scope: &Scope) -> Result<String, StepError> {
        let filled = template::fill(text, scope, &self.shop.files);
        filled.map_err(|error| StepError::Template(key, error))
    }

    fn globs(&self, files: &[String], scope: &Scope) -> Result<Vec<String>, StepError> {
        files
            .iter()
            .map(|glob| self.fill("files", glob, scope))
            .collect()
    }

    fn pack(&self, files: &[String], task: Option<&str>, budget: u64) -> Result<Value, StepError> {
        let mut request = self.shop.request.clone();
        request.globs = Globs::parse(files, &[])?;
        request.named = vec![Named::Everything];
        request.room = Some(Room {
            budget,
            measure: Measure::Exact,
        });
        request.query = task.map(|task| std::sync::Arc::new(Query::of(task)));
        let repository = self.shop.repository;
        let scan = pack::find(repository, &request)?;
        let mut document = Vec::new();
        let mut progress = |done, n| (self.host.tell)(&Event::Packing(done, n));
        let packed = pack::write(repository, &request, scan, &mut document, &mut progress)?;
        if !packed.secrets.is_empty() {
            (self.host.tell)(&Event::Redacted(&packed.secrets));
        }
        let text = String::from_utf8_lossy(&document);
        Ok(json!({ "text": text, "tokens": packed.count.exact, "error": null }))
    }

    fn ask(
        &self,
        step: &Step,
        words: &str,
        scope: &Scope,
        label: &str,
    ) -> Result<Value, StepError> {
        let Does::Ask {
            role,
            files,
            schema,
            session,
            answer: contract,
            ..
        } = &step.does
        else {
            return Ok(Value::Null);
        };
        let Some(player) = self.shop.players.get(role) else {
            return Ok(Value::Null);
        };
        let before = session.as_ref().and_then(|step| scope.get(step));
        let before = before.and_then(|result| Before::of(result, player));
        let words = match &before {
            Some(Before::Said(said)) => format!("{said}\n\n{words}"),
            _ => words.to_owned(),
        };
        let (session, player) = match &before {
            Some(Before::Session(session, player)) => (Some(session), *player),
            _ => (None, player),
        };
        let schema = schema.as_deref().map(Schema::parse).transpose();
        let schema = schema.map_err(|error| StepError::Schema(error.to_string()))?;
        let mut request = self.shop.request.clone();
        let conventions = if files.is_empty() {
            Conventions::default()
        } else {
            Conventions::of(self.shop.repository, &request, None)
        };
        for told in conventions.untold(Role::Asked) {
            (self.host.tell)(&Event::Warning(told));
        }
        request.globs = Globs::parse(&self.globs(files, scope)?, &[])?;
        let question = Question {
            words: &words,
            files: (!files.is_empty()).then_some((self.shop.repository, request)),
            conventions,
            packs: &[],
            schema: schema.as_ref(),
            session,
            counter: self.shop.request.counter.clone(),
            step: Some(label),
            check: match contract {
                Contract::Text | Contract::Code => &something,
                Contract::Plan => &planning::no_plan,
                Contract::Review => &reviewing::no_review,
            },
        };
        let prompt = ask::prepare(&question, player, self.host)?;
        self.pay(Role::Asked, player, &prompt)?;
        let answer = ask::ask(&question, &prompt, player, self.run, self.host)?;
        let text = match contract {
            Contract::Code => unfenced(&answer.text).to_owned(),
            Contract::Plan => crate::plan::parse(&answer.text)?.text,
            Contract::Text | Contract::Review => answer.text,
        };
        let mut result = json!({
            "text": text,
            "agent": answer.who,
            "choice": answer.agent,
            "error": null,
            "asked": words,
            "session": answer.session,
            "tokens": answer.tokens,
            "run": self.run.id,
        });
        if let Some(value) = answer.value {
            result["value"] = value;
        }
        if *contract == Contract::Review
            && let Ok(review) = review::parse(result["text"].as_str().unwrap_or_default())
        {
            result["approves"] = json!(review.verdict == Verdict::Approve);
            let failed = review.failed.iter().map(ToString::to_string);
            result["failed"] = json!(failed.collect::<Vec<_>>());
        }
        Ok(result)
    }

    /// Asks the user, where much is to be paid for.
    pub(super) fn pay(
        &self,
        role: Role,
        player: &Player,
        prompt: &Prompt,
    ) -> Result<(), StepError> {
        match (self.shop.spend)(role, player, prompt) {
            Spend::Go => Ok(()),
            Spend::Stop => Err(StepError::Declined),
        }
    }

    fn resolve(&self, plan: &str) -> Result<Value, StepError> {
        let plan = Plan::read(plan)?;
        let repository = self.shop.repository;
        let references = resolve(&plan.text, &plan, repository, self.shop.candidates);
        (self.host.tell)(&Event::Resolved(&references));
        let (open, known): (Vec<_>, Vec<_>) = references.into_iter().partition(Reference::is_open);
        let paths = known.iter().flat_map(Reference::paths);
        let mut paths: Vec<String> = paths.map(ToString::to_string).collect();
        paths.sort();
        paths.dedup();
        let open: Vec<String> = open.iter().map(rounds::told).collect();
        if !open.is_empty() {
            let told = open.join("\n  ");
            let told = format!("the plan names what cannot be resolved:\n  {told}");
            (self.host.tell)(&Event::Warning(told));
        }
        Ok(json!({
            "text": paths.join("\n"),
            "paths": paths,
            "open": open,
            "steps": steps_of(&plan),
            "error": null,
        }))
    }

    /// Asks the user; an answer holds for what it was given to, and for nothing else that is asked at the same place.
    pub(super) fn gate(
        &self,
        step: &str,
        (question, to): (&str, &str),
        choices: &[String],
        label: &str,
    ) -> Result<Value, StepError> {
        let hash = fs::Hash::of(to.as_bytes()).to_string();
        let name = format!("gates/{label}-{}.txt", hash.replace(':', "-"));
        // Who answered before the run was gone on with is not asked again.
        let replayed = self.host.replayed.map(|first| first.join(&name));
        let replayed = replayed.and_then(|file| fs::read_regular(&file, MAX_ANSWER_BYTES).ok());
        let known = self.run.kept(&name).ok().or(replayed);
        let known = known.and_then(|bytes| String::from_utf8(bytes).ok());
        let gate = Gate {
            step,
            question,
            choices,
        };
        let answer =
            known
                .or_else(|| (self.shop.decide)(&gate))
                .ok_or_else(|| StepError::Nobody {
                    gate: step.to_owned(),
                    question: question.trim().to_owned(),
                    choices: choices.to_vec(),
                })?;
        self.run.keep(&name, answer.as_bytes())?;
        Ok(json!({ "text": answer, "error": null }))
    }

    /// Keeps the text of a step in its file.
    pub(super) fn keep(&self, file: &str, result: &Value, scope: &Scope) -> Result<(), StepError> {
        let name = self.fill("file", file, scope)?;
        let path = RepoPath::parse(name.trim().as_bytes());
        let path = path.map_err(|_| StepError::NoPlace(name.clone()))?;
        let text = result["text"].as_str().unwrap_or_default();
        let text = redacted(&name, text, self.host).map_err(PlanningError::from);
        let text = text.map_err(ask::AskError::from)?;
        self.run
            .keep(&format!("{FILES_FOLDER}/{path}"), text.as_bytes())?;
        Ok(())
    }
}

/// Returns the steps of a plan in an order in which each comes after those that it needs, as `for-each` takes them.
fn steps_of(plan: &Plan) -> Value {
    let order = crate::plan::order(&plan.steps);
    let place = |number: usize| {
        let is_it = |at: &usize| plan.steps[*at].number == number;
        order.iter().position(is_it).map(|at| at + 1)
    };
    let lines: Vec<&str> = plan.text.lines().collect();
    let steps = order.iter().enumerate().map(|(n, &at)| {
        let step = &plan.steps[at];
        let range = step.lines.start().saturating_sub(1)..*step.lines.end();
        let text = lines.get(range).unwrap_or_default().join("\n");
        let needs = step.depends.iter().filter_map(|number| place(*number));
        // What goes round in a circle is done in the order in which it is written.
        let needs: Vec<usize> = needs.filter(|needed| *needed <= n).collect();
        let files = step.files.iter().map(|(file, _)| file.clone());
        json!({
            "number": step.number,
            "title": step.title,
            "text": text,
            "files": files.collect::<Vec<_>>(),
            "needs": needs,
        })
    });
    steps.collect()
}

/// What a conversation that goes on is gone on with.
enum Before<'a> {
    /// By its agent, which keeps it.
    Session(Session, &'a Player),
    /// By all that was said.
    Said(String),
}

impl<'a> Before<'a> {
    fn of(result: &Value, player: &'a Player) -> Option<Self> {
        let text = |key: &str| result.get(key).and_then(Value::as_str);
        let agent = text("choice")?;
        let same = player
            .chain()
            .find(|one| one.choice() == agent && one.can_revise());
        if let (Some(id), Some(run), Some(same)) = (text("session"), text("run"), same) {
            let session = Session {
                version: 1,
                agent: agent.to_owned(),
                id: id.to_owned(),
                run: run.to_owned(),
                tokens: result.get("tokens").and_then(Value::as_u64).unwrap_or(0),
            };
            return Some(Self::Session(session, same));
        }
        let (asked, answer) = (text("asked")?, text("text")?);
        Some(Self::Said(format!(
            "{}\n\n<answer>\n{}\n</answer>",
            asked.trim_end(),
            answer.trim()
        )))
    }
}

/// Says that an answer must not be empty.
fn something(_: &CallPlace, answer: &str) -> Result<(), Failure> {
    if answer.trim().is_empty() {
        return Err(Failure::new(Class::Empty, "it answered nothing"));
    }
    Ok(())
}

/// Takes off a fence that stands round all of a text.
fn unfenced(text: &str) -> &str {
    let trimmed = text.trim();
    let inner = trimmed
        .strip_prefix("```")
        .and_then(|rest| rest.strip_suffix("```"));
    let inner = inner.filter(|inner| !inner.contains("\n```"));
    match inner.and_then(|inner| inner.split_once('\n')) {
        Some((_, code)) => code,
        None => text,
    }
}

/// Returns what a step came to that failed, and after which the workflow goes on.
pub(super) fn nothing(step: &Step, error: &str) -> Value {
    let mut result: Scope = step
        .does
        .fields()
        .iter()
        .map(|field| ((*field).to_owned(), Value::Null))
        .collect();
    result.insert("text".to_owned(), json!(""));
    result.insert("error".to_owned(), json!(error));
    Value::Object(result)
}

/// Returns an error with all that caused it.
pub(super) fn causes(error: &dyn Error) -> String {
    let all = std::iter::successors(Some(error), |error: &&dyn Error| (*error).source());
    let mut told: Vec<String> = all.map(ToString::to_string).collect();
    told.dedup();
    told.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_round_all_of_an_answer_is_taken_off() {
        for (text, expected) in [
            ("```rust\nfn a() {}\n```", "fn a() {}\n"),
            ("\n```\nx\n\ny\n```\n", "x\n\ny\n"),
            ("fn a() {}\n", "fn a() {}\n"),
            ("Here:\n```\nx\n```\n", "Here:\n```\nx\n```\n"),
            (
                "```\na\n```\nand\n```\nb\n```",
                "```\na\n```\nand\n```\nb\n```",
            ),
            ("```", "```"),
        ] {
            assert_eq!(unfenced(text), expected, "{text}");
        }
    }
}
