//! The calls of a run: what was asked, what came of it, and the answers that need not be asked for again.

use std::path::PathBuf;

use super::{Event, MAX_BYTES, Record, Reserve, Run, journal, json};
use crate::agent::{
    Billing, CALL_FILE, CALLER, Class, Gives, PATCH_FILE, PROMPT_FILE, REPLY_FILE, RecordedCall,
    Reply, Role, Usage,
};
use crate::fs::{self, FsError, Hash};

/// The folder of a run that holds its calls; it is a recording.
pub const CALLS_FOLDER: &str = "calls";

/// Where the files of a call are.
pub struct CallPlace {
    /// Which call of the run, from 1.
    pub number: usize,
    /// What was asked for.
    pub role: Role,
    /// The step of a workflow that asked, if one did.
    pub step: Option<String>,
    /// The folder.
    pub folder: PathBuf,
    /// The file with the prompt.
    pub prompt_file: PathBuf,
    /// The hash of the prompt.
    pub prompt_hash: String,
}

/// What a run that is gone on with knows of a prompt.
pub enum Known {
    /// Nobody was asked for this yet, or nobody answered.
    Nothing,
    /// It was answered, by the agent of this name.
    Answered(CallPlace, String, Box<Reply>),
    /// The role answered another prompt, which is in this file.
    Other(PathBuf),
}

/// A call that was answered before the run was taken up again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answered {
    number: usize,
    role: Role,
    /// The step of a workflow that asked.
    step: Option<String>,
    prompt_hash: String,
}

/// Returns the number of the last call of `records`, and the calls that need not be made again: those whose answer
/// is kept, and of an executor that edits files the change that it made.
pub(super) fn answered(records: &[Record]) -> (usize, Vec<Answered>) {
    let mut n_calls = 0;
    let mut started: Vec<Answered> = Vec::new();
    let mut all = Vec::new();
    for record in records {
        match &record.event {
            Event::CallStarted {
                number,
                role,
                step,
                prompt_hash,
                ..
            } => {
                n_calls = n_calls.max(*number);
                started.push(Answered {
                    number: *number,
                    role: *role,
                    step: step.clone(),
                    prompt_hash: prompt_hash.clone(),
                });
            }
            Event::CallEnded { number, gives, .. } => {
                let is_whole =
                    |call: &Answered| call.role != Role::Executor || *gives == Gives::Answer;
                let is_it = |call: &&Answered| call.number == *number && is_whole(call);
                all.extend(started.iter().find(is_it).cloned());
            }
            Event::Artefact { name, .. } => {
                let is_it = |call: &&Answered| {
                    *name == format!("{}/{PATCH_FILE}", folder(call.number, call.role))
                };
                let call = started.iter().find(is_it);
                all.extend(call.filter(|call| !all.contains(call)).cloned());
            }
            // Its answer could not be used.
            Event::CallFailed { number, .. } => all.retain(|call| call.number != *number),
            _ => {}
        }
    }
    (n_calls, all)
}

impl Run {
    /// Returns what this run knows of a prompt from before it was taken up again; an answer is given once.
    ///
    /// # Errors
    ///
    /// Fails if an answer that is known is gone, or is not as it was kept.
    pub fn known(
        &self,
        (role, step): (Role, Option<&str>),
        prompt: &str,
    ) -> Result<Known, FsError> {
        let hash = Hash::of(prompt.as_bytes()).to_string();
        let at_step = |call: &Answered| call.role == role && call.step.as_deref() == step;
        let is_it = |call: &Answered| at_step(call) && call.prompt_hash == hash;
        let mut state = self.state();
        let Some(n) = state.answered.iter().position(is_it) else {
            let other = state.answered.iter().find(|call| at_step(call));
            let other = other.filter(|_| !self.accepts_changes);
            return Ok(other.map_or(Known::Nothing, |call| {
                Known::Other(self.place(call.number, (role, step), &hash).prompt_file)
            }));
        };
        let call = state.answered.remove(n);
        drop(state);
        let place = self.place(call.number, (role, step), &hash);
        let recorded: RecordedCall = fs::read_json(&place.folder.join(CALL_FILE), MAX_BYTES)?;
        let name = |file: &str| format!("{}/{file}", folder(call.number, role));
        let edits = role == Role::Executor && recorded.gives == Gives::Files;
        let change = edits.then(|| self.kept(&name(PATCH_FILE))).transpose()?;
        let text = self.kept(&name(REPLY_FILE))?;
        let reply = Reply {
            text: String::from_utf8_lossy(&text).into_owned(),
            session: recorded.session,
            usage: recorded.usage,
            change,
            ..Reply::default()
        };
        Ok(Known::Answered(place, recorded.agent, Box::new(reply)))
    }

    /// Returns the prompt that `role`, or a step of a workflow, was asked next, where that was answered before the run was taken up again.
    ///
    /// # Errors
    ///
    /// Fails if it is gone, or is not as it was kept.
    pub fn asked_next(
        &self,
        (role, step): (Role, Option<&str>),
    ) -> Result<Option<String>, FsError> {
        let next = self.state().answered.clone().into_iter();
        let next = next.filter(|call| call.role == role && call.step.as_deref() == step);
        let Some(call) = next.min_by_key(|call| call.number) else {
            return Ok(None);
        };
        let name = format!("{}/{PROMPT_FILE}", folder(call.number, role));
        let prompt = self.kept(&name)?;
        Ok(Some(String::from_utf8_lossy(&prompt).into_owned()))
    }

    /// Keeps the prompt of the next call.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written.
    pub fn begin_call(
        &self,
        (role, step): (Role, Option<&str>),
        agent: &str,
        prompt: &str,
        reserve: Reserve,
    ) -> Result<CallPlace, FsError> {
        let number = {
            let mut state = self.state();
            state.n_calls += 1;
            state.n_calls
        };
        let hash = Hash::of(prompt.as_bytes()).to_string();
        let place = self.place(number, (role, step), &hash);
        let name = format!("{}/{PROMPT_FILE}", folder(number, role));
        self.keep(&name, prompt.as_bytes())?;
        self.record(Event::CallStarted {
            number,
            role,
            step: step.map(str::to_owned),
            agent: agent.to_owned(),
            prompt_hash: hash,
            reserve,
        })?;
        self.state().reserved.insert(number, reserve);
        Ok(place)
    }

    /// Counts the call `number`, once.
    fn settle(&self, number: usize, usage: Option<Usage>) {
        let mut state = self.state();
        if let Some(reserve) = state.reserved.remove(&number) {
            state.spent.add(reserve, usage);
        }
    }

    /// Keeps what came of a call, so that its folder can be played back.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written.
    pub fn end_call(
        &self,
        place: &CallPlace,
        agent: &str,
        reply: &Reply,
        gives: Gives,
        billing: Billing,
    ) -> Result<(), FsError> {
        let name = |file: &str| format!("{}/{file}", folder(place.number, place.role));
        self.keep(&name(REPLY_FILE), reply.text.as_bytes())?;
        let call = RecordedCall {
            version: 1,
            role: place.role,
            step: place.step.clone(),
            agent: agent.to_owned(),
            prompt_hash: place.prompt_hash.clone(),
            gives,
            session: reply.session.clone(),
            usage: reply.usage,
        };
        self.keep(&name(CALL_FILE), &json(&call))?;
        self.settle(place.number, Some(reply.usage));
        self.record(Event::CallEnded {
            number: place.number,
            usage: reply.usage,
            billing: Some(billing),
            gives,
        })
    }

    /// Records that a call failed, or that its answer cannot be used; `class` is none where the agent was not even reached.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written.
    pub fn fail_call(
        &self,
        place: &CallPlace,
        class: Option<Class>,
        message: String,
    ) -> Result<(), FsError> {
        let is_unused = class.is_some_and(Class::is_unpaid);
        self.settle(place.number, is_unused.then(Usage::nothing));
        self.record(Event::CallFailed {
            number: place.number,
            class,
            message,
        })
    }

    /// Takes an answer to the prompt that the caller was asked last.
    ///
    /// # Errors
    ///
    /// Fails if the caller was asked nothing or has answered, the answer is empty or no text, or it cannot be kept.
    pub fn answer(&self, bytes: &[u8]) -> Result<(), FsError> {
        let refuse = |why: &str| {
            let cause = std::io::Error::other(why.to_owned());
            Err(FsError::of("give an answer to", &self.folder)(cause))
        };
        if bytes.trim_ascii().is_empty() {
            return refuse("the answer is empty");
        }
        let records = journal::read(&self.folder)?;
        let last = records.iter().rev().find_map(|record| match &record.event {
            Event::CallStarted {
                number,
                role,
                agent,
                step,
                prompt_hash,
                ..
            } if agent == CALLER => Some(Answered {
                number: *number,
                role: *role,
                step: step.clone(),
                prompt_hash: prompt_hash.clone(),
            }),
            _ => None,
        });
        let Some(call) = last else {
            return refuse("it has asked its caller nothing");
        };
        if self.state().answered.contains(&call) {
            return refuse("it has its answer already, and goes on without `--answer`");
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return refuse("the answer is no text in UTF-8");
        };
        let place = self.place(
            call.number,
            (call.role, call.step.as_deref()),
            &call.prompt_hash,
        );
        let reply = Reply {
            text: text.to_owned(),
            ..Reply::default()
        };
        self.end_call(&place, CALLER, &reply, Gives::Answer, Billing::Nothing)?;
        self.state().answered.push(call);
        Ok(())
    }

    /// Keeps the change that a call made, beside its answer.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written.
    pub fn keep_change(&self, place: &CallPlace, patch: &[u8]) -> Result<(), FsError> {
        let name = format!("{}/{PATCH_FILE}", folder(place.number, place.role));
        self.keep(&name, patch).map(drop)
    }

    /// Keeps what an executor had changed before its call failed.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written.
    pub fn keep_partly(&self, place: &CallPlace, patch: &[u8]) -> Result<PathBuf, FsError> {
        let name = format!("{}/partly.patch", folder(place.number, place.role));
        self.keep(&name, patch)
    }

    fn place(
        &self,
        number: usize,
        (role, step): (Role, Option<&str>),
        prompt_hash: &str,
    ) -> CallPlace {
        let folder = self.folder.join(folder(number, role));
        CallPlace {
            number,
            role,
            step: step.map(str::to_owned),
            prompt_file: folder.join(PROMPT_FILE),
            folder,
            prompt_hash: prompt_hash.to_owned(),
        }
    }
}

/// Returns the folder of a call, within that of its run.
pub(super) fn folder(number: usize, role: Role) -> String {
    format!("{CALLS_FOLDER}/{number:02}-{}", role.name())
}
