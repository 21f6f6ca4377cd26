//! One prompt to one agent, and its answer: in words, or as JSON that a schema describes.

use std::path::PathBuf;

use super::call::{Anew, Answered, Asked, call, stand_in};
use super::conventions::Conventions;
use super::host::{Event, Host};
use super::pack::{PackError, PackRequest};
use super::plan::{
    PlanningError, Prompt, fitted, given, redacted, redacted_packs, require_room, strs,
};
use super::plan_exec::{self, clear};
use super::player::Player;
use crate::agent::{AgentError, Class, Failure, May, REPLY_FILE, Role};
use crate::fs::{self, FsError};
use crate::pack::TooSmall;
use crate::prompt;
use crate::repo::Repository;
use crate::run::{self, CallPlace, Outcome, Run};
use crate::schema::{Misfit, Schema};
use crate::tokens::Counter;

/// The file of a run that holds what the user asks.
pub const PROMPT_FILE: &str = "prompt.md";

/// The file of a run that says how its conversation goes on.
const SESSION_FILE: &str = "session.json";

/// No such file is larger.
const MAX_SESSION_BYTES: u64 = 1 << 20;

/// What is asked, and of what kind the answer is to be.
pub struct Question<'a> {
    /// What the user wrote.
    pub words: &'a str,
    /// The files that the agent gets, where they are and how they are packed; none if none are named.
    pub files: Option<(&'a Repository, PackRequest)>,
    /// The project's conventions that go with the files.
    pub conventions: Conventions,
    /// Packs that the agent gets besides.
    pub packs: &'a [String],
    /// What the value in the answer must be like; without it the answer is words.
    pub schema: Option<&'a Schema>,
    /// The conversation that goes on.
    pub session: Option<&'a Session>,
    /// What counts tokens; it estimates for every player.
    pub counter: Counter,
    /// The step of a workflow that asks, if one does.
    pub step: Option<&'a str>,
    /// Says what is wrong with an answer that is not what is asked for, whatever the schema says.
    pub check: Check<'a>,
}

/// Says what is wrong with an answer.
pub type Check<'a> = &'a dyn Fn(&CallPlace, &str) -> Result<(), Failure>;

/// What was answered.
pub struct Answer {
    /// In words, or as the value was written.
    pub text: String,
    /// The value, if one was asked for.
    pub value: Option<serde_json::Value>,
    /// Who answered, for people; of a recording, who did then.
    pub who: String,
    /// Who answered, as it is chosen on the command line.
    pub agent: String,
    /// By what the agent goes on with the conversation.
    pub session: Option<String>,
    /// The tokens of what was said in it.
    pub tokens: u64,
}

/// How far a run came.
pub enum Done {
    /// There is an answer.
    Answered(Answer),
    /// The user did not want to pay.
    NotAsked,
    /// The caller is who is asked, by the prompt in this file.
    Waiting(PathBuf),
}

impl Done {
    /// Returns it as a journal tells it.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Answered(_) => Outcome::Answered,
            Self::NotAsked => Outcome::NotAsked,
            Self::Waiting(prompt) => {
                plan_exec::Done::Waiting(Role::Asked, prompt.clone()).outcome()
            }
        }
    }
}

/// A conversation with an agent.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Session {
    /// The version of the format: 1.
    pub version: u32,
    /// The agent, as it is chosen on the command line.
    pub agent: String,
    /// By what the agent goes on with it.
    pub id: String,
    /// The run in which it began.
    pub run: String,
    /// The tokens of what was said in it.
    #[serde(default)]
    pub tokens: u64,
}

/// There is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// What was named is more than the model takes.
    #[error(
        "what the prompt names takes {least} tokens of {model} or more, which has room for {room}"
    )]
    TooMuch {
        /// What it takes at least.
        least: u64,
        /// The model.
        model: String,
        /// What it has room for.
        room: u64,
    },
    /// Two answers were not as the schema says.
    #[error("{agent} answered twice, and not as the schema says: {wrong}; its last answer is in `{}`", file.display())]
    Misfit {
        /// Who answered.
        agent: String,
        /// What is wrong.
        wrong: Misfit,
        /// The last answer.
        file: PathBuf,
    },
    /// The agent keeps no conversations.
    #[error("cannot go on with the run `{id}`: {agent} keeps no conversations")]
    Forgetful {
        /// The run.
        id: String,
        /// The agent.
        agent: String,
    },
    /// The run keeps no conversation.
    #[error("cannot go on with the run `{0}`: it keeps no conversation of an `ask`")]
    NoSession(String),
    /// The conversation was had with another.
    #[error(
        "cannot go on with the run `{id}`: its conversation was had with {made}, not with {asked}"
    )]
    OtherAgent {
        /// The run.
        id: String,
        /// Who it was had with.
        made: String,
        /// Who was to go on with it.
        asked: String,
    },
    /// The agent was not asked, or gave no answer.
    #[error(transparent)]
    Call(#[from] PlanningError),
    /// A file could not be read or written.
    #[error(transparent)]
    Fs(#[from] FsError),
}

impl AskError {
    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::TooMuch { .. } => "name fewer or smaller files, or ask a model with a larger window".to_owned(),
            Self::Misfit { .. } => "read its answer; ask for less at once, ask another model, or loosen the schema".to_owned(),
            Self::Forgetful { .. } | Self::NoSession(_) => "ask anew, with all that it must know in the prompt; gemini, claude and codex keep conversations".to_owned(),
            Self::OtherAgent { made, id, .. } => format!("use `twostep ask {made} --session {id}`, or ask anew"),
            Self::Call(_) | Self::Fs(_) => return None,
        })
    }
}

/// Returns the conversation of the run `id` of the repository whose runs are at `root`, for one of `player` and those who
/// stand in for it to go on with, and who that is.
///
/// # Errors
///
/// Fails if there is none, or it was had with another.
pub fn session<'a>(
    root: &std::path::Path,
    id: &str,
    player: &'a Player,
) -> Result<(Session, &'a Player), AskError> {
    if !player.can_revise() {
        let (id, agent) = (id.to_owned(), player.agent.name());
        return Err(AskError::Forgetful { id, agent });
    }
    let missing = || AskError::NoSession(id.to_owned());
    let path = root.join(run::FOLDER).join(id).join(SESSION_FILE);
    let session: Session = fs::read_json(&path, MAX_SESSION_BYTES).map_err(|_| missing())?;
    // The file may have come with the repository: what it names goes into a path and a command line.
    if !run::is_id(&session.run) || !run::is_id(&session.id) {
        return Err(missing());
    }
    let other = || AskError::OtherAgent {
        id: id.to_owned(),
        made: session.agent.clone(),
        asked: player.choice(),
    };
    let same = player.chain().find(|one| one.choice() == session.agent);
    let same = same.ok_or_else(other)?;
    Ok((session, same))
}

/// Makes the prompt, so that all of it fits `player`.
///
/// # Errors
///
/// Fails if what is named does not fit, or there is nothing of it.
pub fn prepare(
    question: &Question<'_>,
    player: &Player,
    host: &Host<'_>,
) -> Result<Prompt, AskError> {
    let mut prompt = made(question, player, host).map_err(|error| match error {
        PlanningError::Pack(_, PackError::TooSmall(TooSmall { budget, least })) => {
            AskError::TooMuch {
                least,
                model: player.model.id.clone(),
                room: budget,
            }
        }
        other => other.into(),
    })?;
    prompt.said = question.session.map_or(0, |session| session.tokens);
    Ok(prompt)
}

fn made(
    question: &Question<'_>,
    player: &Player,
    host: &Host<'_>,
) -> Result<Prompt, PlanningError> {
    let clean = |place, text| redacted(place, text, host);
    let text = clean("the prompt", question.words)?;
    let schema = question
        .schema
        .map(|schema| clean("the schema", &schema.text));
    let schema = schema.transpose()?;
    let packs = redacted_packs(question.packs, host)?;
    let names = question.conventions.names();
    let words = |packed: &[&str]| {
        let all = [packed, &strs(&packs)].concat();
        prompt::ask(&all, &names, &text, schema.as_deref())
    };
    match &question.files {
        Some((repository, request)) => {
            let mut request = request.clone();
            question.conventions.pin(&mut request);
            let prompt = fitted(repository, request, player, Role::Asked, &words, host)?;
            Ok(prompt.with(question.conventions.clone(), &packs))
        }
        None => given(words(&[]), &question.counter, player, Role::Asked),
    }
}

/// Asks `player`, once more if the answer is not as the schema says, and then those who stand in for it; prompts and
/// answers are kept in the run.
///
/// # Errors
///
/// Fails if there is no whole answer, or none that is as the schema says.
pub fn ask(
    question: &Question<'_>,
    prompt: &Prompt,
    player: &Player,
    run: &Run,
    host: &Host<'_>,
) -> Result<Answer, AskError> {
    let mut player = player;
    let mut own = None;
    loop {
        let words = match &own {
            Some((text, tokens)) => (String::as_str(text), *tokens),
            None => (prompt.text.as_str(), prompt.tokens),
        };
        let (wrong, first) = match fitting(question, prompt, words, player, run, host)? {
            Ok(answer) => return Ok(answer),
            Err(misfit) => misfit,
        };
        if first.player.next.is_none() || question.session.is_some() {
            // Whoever goes on with the run gets another answer.
            run.fail_call(&first.place, Some(Class::Malformed), wrong.to_string())?;
            let agent = first.player.agent.name();
            let file = first.place.folder.join(REPLY_FILE);
            return Err(AskError::Misfit { agent, wrong, file });
        }
        let told = format!("its answers are not as the schema says: {wrong}");
        let error = AgentError::Failed {
            agent: first.player.agent.name(),
            role: Role::Asked,
            failure: Failure::new(Class::Malformed, told),
        };
        let make = |next: &Player| made(question, next, host);
        let anew = |next: &Player| prompt.anew(next, Role::Asked, &make);
        (player, own) = stand_in(Role::Asked, &anew, first.player, error, run, host)?;
    }
}

/// Asks `player`, or those who stand in for it, once more if the answer is not as the schema says; the inner error is
/// what is wrong with the last answer.
fn fitting<'a>(
    question: &Question<'_>,
    prompt: &Prompt,
    words: (&str, u64),
    player: &'a Player,
    run: &Run,
    host: &Host<'_>,
) -> Result<Result<Answer, (Misfit, One<'a>)>, AskError> {
    let make = |next: &Player| made(question, next, host);
    let anew = |next: &Player| prompt.anew(next, Role::Asked, &make);
    // What was said in a conversation that goes on is known to one agent.
    let is_told = question.session.is_none();
    let others = is_told.then_some(&anew as Anew<'_>);
    let first = once(question, words, others, question.session, player, run, host)?;
    let Some(schema) = question.schema else {
        return Ok(Ok(first.answer(None)));
    };
    let wrong = match schema.find(&first.text) {
        Ok(value) => return Ok(Ok(first.answer(Some(value)))),
        Err(wrong) => wrong,
    };
    (host.tell)(&Event::Warning(format!(
        "the answer is not as the schema says: {wrong}; asking once more"
    )));
    // A conversation knows what was said in it.
    let answer = host.redactor.redacted(&first.text);
    let before = (first.prompt.as_str(), answer.as_str());
    let text = prompt::again(&wrong.0, first.session.is_none().then_some(before));
    let text = host.redactor.redacted(&text);
    let again = given(text, &question.counter, first.player, Role::Asked)?;
    let words = (again.text.as_str(), again.tokens);
    let session = first.session.as_ref();
    let anew = |next: &Player| {
        if session.is_none() {
            return require_room(&again.text, &again.count, next, Role::Asked).map(|()| None);
        }
        let all = host
            .redactor
            .redacted(&prompt::again(&wrong.0, Some(before)));
        let all = given(all, &question.counter, next, Role::Asked)?;
        Ok(Some((all.text, all.tokens)))
    };
    let others = is_told.then_some(&anew as Anew<'_>);
    let second = once(question, words, others, session, first.player, run, host)?;
    Ok(match schema.find(&second.text) {
        Ok(value) => Ok(second.answer(Some(value))),
        Err(wrong) => Err((wrong, second)),
    })
}

/// One answer.
struct One<'a> {
    /// What was asked.
    prompt: String,
    text: String,
    /// Who answered.
    who: String,
    place: CallPlace,
    player: &'a Player,
    session: Option<Session>,
}

impl One<'_> {
    fn answer(self, value: Option<serde_json::Value>) -> Answer {
        Answer {
            text: self.text,
            value,
            who: self.who,
            agent: self.player.choice(),
            tokens: self.session.as_ref().map_or(0, |session| session.tokens),
            session: self.session.map(|session| session.id),
        }
    }
}

/// Asks one time, by a prompt of so many tokens.
fn once<'a>(
    question: &Question<'_>,
    (prompt, tokens): (&str, u64),
    anew: Option<Anew<'_>>,
    session: Option<&Session>,
    player: &'a Player,
    run: &Run,
    host: &Host<'_>,
) -> Result<One<'a>, AskError> {
    // Programs find a conversation by the folder in which it was had.
    let origin = session.map_or(run.id.as_str(), |session| session.run.as_str());
    let origin = origin.to_owned();
    let folder = host.cache.join(&origin).join(Role::Asked.name());
    fs::make_private_folders(&folder)?;
    let tokens = tokens.saturating_add(session.map_or(0, |session| session.tokens));
    let asked = Asked {
        role: Role::Asked,
        step: question.step,
        prompt,
        tokens,
        anew,
        folder: &folder,
        may: May::Answer,
        session: session.map(|session| session.id.as_str()),
        check: question.check,
        reset: &|_, _| true,
    };
    let answered = call(run, player, &asked, host)?;
    let tokens = answered.said(tokens);
    let Answered {
        place,
        reply,
        player,
        own,
    } = answered;
    let id = reply
        .session
        .filter(|id| player.can_revise() && run::is_id(id));
    let session = id.map(|id| Session {
        version: 1,
        agent: player.choice(),
        id,
        run: origin,
        tokens,
    });
    if let (Some(session), None) = (&session, question.step) {
        run.keep(SESSION_FILE, &run::json(session))?;
    }
    Ok(One {
        prompt: own.unwrap_or_else(|| prompt.to_owned()),
        text: reply.text,
        who: reply.who.unwrap_or_else(|| player.agent.name()),
        place,
        player,
        session,
    })
}

/// Keeps what came of a run, and takes the folder in which the agent was asked away.
///
/// # Errors
///
/// Fails if the run did, or the answer cannot be kept.
pub fn keep(run: &Run, done: Result<Done, AskError>, host: &Host<'_>) -> Result<Done, AskError> {
    clear(run, host);
    let done = match done {
        Err(AskError::Call(PlanningError::Waiting { prompt, .. })) => Done::Waiting(prompt),
        done => done?,
    };
    if let Done::Answered(answer) = &done {
        match &answer.value {
            Some(value) => run.keep("answer.json", &run::json(value))?,
            None => run.keep("answer.md", answer.text.as_bytes())?,
        };
    }
    Ok(done)
}
