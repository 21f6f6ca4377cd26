//! What answers a prompt: a program (gemini, claude, codex), a server, any command of the user's, or a recording.
//!
//! In: a prompt, a folder to work in, what is allowed there. Out: a reply, or a failure with its class.
//!
//! Invariant: an exit code alone is never success; [`Failure`] and [`Reply`] are decided from all signals.

mod arguments;
mod claude;
mod codex;
mod command;
mod config;
mod ending;
mod environment;
mod gemini;
mod http;
mod outcome;
mod program;
mod protocol;
mod recorded;
mod retry;
mod sign_in;
mod workplace;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::fs::FsError;
use crate::process::{Limits, ProcessError};

pub use arguments::quoted;
pub use command::UserCommand;
pub use config::{Agents, AgentsError, Backend, Known, Rates};
pub use environment::check_environment;
pub use http::{Api, Http};
pub use outcome::{Class, Failure, Next, Reply, Usage};
pub use program::{Program, ProgramKind, PromptLimit};
pub use recorded::{
    CALL_FILE, Difference, PATCH_FILE, PROMPT_FILE, REPLY_FILE, Recorded, RecordedCall,
};
pub use sign_in::{SignIn, Way};

/// What an agent is asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It writes the plan.
    Planner,
    /// It carries the plan out.
    Executor,
    /// It reads a change, and says whether it may land.
    Reviewer,
    /// It answers a prompt of the user's.
    Asked,
}

impl Role {
    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planner => "planner",
            Self::Executor => "executor",
            Self::Reviewer => "reviewer",
            Self::Asked => "asked",
        }
    }

    /// Returns what is said of who plays it: ` as planner`; nothing of who is only asked.
    pub fn as_words(self) -> String {
        match self {
            Self::Asked => String::new(),
            role => format!(" as {}", role.name()),
        }
    }

    /// Returns who plays it, as a sentence says that.
    pub fn who(self) -> &'static str {
        match self {
            Self::Planner => "the planner",
            Self::Executor => "the executor",
            Self::Reviewer => "the reviewer",
            Self::Asked => "the agent",
        }
    }
}

/// What an agent tells while it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doing {
    /// It does this.
    Works(String),
    /// It waits by itself for its vendor, and for how long if it says so.
    Waits(String, Option<Duration>),
    /// So many processes of it could not be ended.
    Left(usize),
}

impl Doing {
    fn works(told: impl Into<String>) -> Self {
        Self::Works(told.into())
    }
}

/// What an agent gives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gives {
    /// The files of its folder, as it has edited them.
    #[default]
    Files,
    /// An answer, which may hold edits.
    Answer,
}

/// Something that answers.
pub enum Agent {
    /// A program that is started for each call.
    Program(Program),
    /// A vendor's API, or a server that speaks the same.
    Http(Http),
    /// A command of the user's.
    Command(UserCommand),
    /// Replies read from a folder: demos, tests.
    Recorded(Recorded),
    /// Whoever called us: the run stops with the prompt, and goes on with their answer.
    Caller,
}

/// Who pays for what an agent uses, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Billing {
    /// The user, by the token.
    Metered,
    /// The user, by the month: tokens have no price.
    Subscription,
    /// Nobody: nothing is asked of a vendor.
    Nothing,
}

impl Billing {
    /// Says whether tokens cost money.
    pub fn is_metered(self) -> bool {
        self == Self::Metered
    }
}

/// A prompt, and what surrounds it.
pub struct Call<'a> {
    /// What the agent is asked to be.
    pub role: Role,
    /// The step of a workflow that asks, if one does.
    pub step: Option<&'a str>,
    /// The prompt.
    pub prompt: &'a str,
    /// The file that holds the prompt.
    pub prompt_file: &'a Path,
    /// The hash of the prompt.
    pub prompt_hash: &'a str,
    /// Where what the program writes is kept: an existing folder, new for each call.
    pub record: &'a Path,
    /// Where the agent works.
    pub folder: &'a Path,
    /// What it may do there.
    pub may: May<'a>,
    /// The conversation that it goes on with.
    pub session: Option<&'a str>,
}

/// What an agent may do in its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May<'a> {
    /// Nothing but answer.
    Answer,
    /// Edit files, and run these commands.
    Edit {
        /// The user's checks.
        checks: &'a [String],
    },
}

impl May<'_> {
    /// Returns what an agent that may do so gives.
    pub fn gives(self) -> Gives {
        match self {
            Self::Answer => Gives::Answer,
            Self::Edit { .. } => Gives::Files,
        }
    }
}

/// What the edges lend to a call.
pub struct Setting<'a> {
    /// Our own program, which watches over each child.
    pub shim: &'a Path,
    /// The user's environment.
    pub variables: &'a [(OsString, OsString)],
    /// More variables that agents get, by name.
    pub lent: &'a [OsString],
    /// Values that may not stay in what is kept of its outputs.
    pub secrets: &'a [String],
    /// A folder of the call's own for temporary files.
    pub temporary: &'a Path,
    /// The user's tree, in which no agent may write.
    pub protected: &'a Path,
    /// How long it may take.
    pub limits: &'a Limits,
    /// How long it may wait by itself for its vendor, all its waits together.
    pub longest_wait: Duration,
    /// Whether the user wants us to stop.
    pub interrupted: &'a dyn Fn() -> bool,
}

impl Setting<'_> {
    /// Returns the path that a variable of the user's holds.
    fn path(&self, wanted: &str) -> Option<PathBuf> {
        self.variable(wanted).map(PathBuf::from)
    }

    /// Returns the text that a variable of the user's holds.
    fn text(&self, wanted: &str) -> Option<&str> {
        self.variable(wanted)?.to_str()
    }

    fn variable(&self, wanted: &str) -> Option<&OsStr> {
        let found = self.variables.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_os_str())
    }
}

/// A call could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The agent gave no answer that can be used.
    #[error("{agent} gave no answer{}", role.as_words())]
    Failed {
        /// The agent and its model.
        agent: String,
        /// What it was asked to be.
        role: Role,
        /// Why.
        #[source]
        failure: Failure,
    },
    /// The program could not be started.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A file could not be read or written.
    #[error(transparent)]
    Fs(#[from] FsError),
}

impl Agent {
    /// Returns its name for people: the program and its model.
    pub fn name(&self) -> String {
        match self {
            Self::Program(program) => program.name(),
            Self::Http(http) => http.name(),
            Self::Command(command) => format!("{} ({})", command.name, command.model),
            Self::Recorded(recorded) => recorded.name(),
            Self::Caller => CALLER.to_owned(),
        }
    }

    /// Returns who pays for it, as far as the user's variables tell.
    pub fn billing(&self, variables: &[(OsString, OsString)]) -> Billing {
        match self {
            Self::Program(program) => match program.kind.sign_ins(variables).first() {
                Some(SignIn { way: Way::Key, .. }) => Billing::Metered,
                _ => Billing::Subscription,
            },
            Self::Recorded(_) | Self::Caller => Billing::Nothing,
            Self::Http(http) if http.key.is_none() => Billing::Nothing,
            // Whom a command asks nobody knows.
            Self::Http(_) | Self::Command(_) => Billing::Metered,
        }
    }

    /// Says whether it keeps conversations, so that it can be asked to change its answer.
    pub fn has_sessions(&self) -> bool {
        match self {
            Self::Program(_) | Self::Recorded(_) => true,
            Self::Http(_) | Self::Command(_) | Self::Caller => false,
        }
    }

    /// Says whether what it runs on this machine is confined by us, as far as the system does that; not where it brings a
    /// sandbox of its own, or is trusted to do as it is told.
    pub fn is_confined(&self, may: May<'_>) -> bool {
        match self {
            Self::Program(program) => program.kind != ProgramKind::Codex,
            Self::Command(_) => may.gives() == Gives::Files,
            Self::Http(_) | Self::Recorded(_) | Self::Caller => true,
        }
    }

    /// Returns what it gives as an executor.
    pub fn gives(&self) -> Gives {
        match self {
            Self::Program(_) => Gives::Files,
            Self::Command(command) => command.gives,
            Self::Recorded(recorded) => recorded.gives(),
            Self::Http(_) | Self::Caller => Gives::Answer,
        }
    }

    /// Returns by what one that may do so is called, for people: a command line or an address.
    pub fn example(&self, may: May<'_>) -> Option<String> {
        match self {
            Self::Program(program) => Some(program.example(may)),
            Self::Http(http) => Some(http.example()),
            Self::Command(command) => Some(command.example()),
            Self::Recorded(_) | Self::Caller => None,
        }
    }

    /// Asks, and waits for the answer; `doing` is called with what the agent does meanwhile.
    ///
    /// # Errors
    ///
    /// Fails if there is no answer that is whole as far as the agent shows.
    pub fn ask(
        &self,
        call: &Call<'_>,
        setting: &Setting<'_>,
        doing: &mut dyn FnMut(Doing),
    ) -> Result<Reply, AgentError> {
        let outcome = match self {
            Self::Program(program) => program.ask(call, setting, doing)?,
            Self::Http(http) => http.ask(call, setting, doing)?,
            Self::Command(command) => command.ask(call, setting, doing)?,
            Self::Recorded(recorded) => recorded.ask(call)?,
            // Nobody here can ask them.
            Self::Caller => Err(Failure::new(
                Class::Interrupted,
                "the caller has not answered yet",
            )),
        };
        outcome.map_err(|failure| AgentError::Failed {
            agent: self.name(),
            role: call.role,
            failure,
        })
    }
}

/// Which agent a user wants: `NAME[:MODEL]` or `recorded:FOLDER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// A program, and a model's name if one was given.
    Program(ProgramKind, Option<String>),
    /// Another agent by its name, and a model's name if one was given.
    Named(String, Option<String>),
    /// A recording in a folder.
    Recorded(PathBuf),
    /// Whoever called us, and the name of the model that they are if one was given.
    Caller(Option<String>),
}

/// What whoever called us is called.
pub const CALLER: &str = "caller";

/// Agents in the order in which they are asked: each stands in for the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain(pub Vec<Choice>);

impl std::str::FromStr for Chain {
    type Err = InvalidAgent;

    fn from_str(text: &str) -> Result<Self, InvalidAgent> {
        text.split(',')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl std::fmt::Display for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let each: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&each.join(","))
    }
}

/// A text that can be the name of no agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no agent: expected a name such as gemini, claude or codex, with `:MODEL` if you like, caller, or recorded:FOLDER"
)]
pub struct InvalidAgent(String);

impl std::str::FromStr for Choice {
    type Err = InvalidAgent;

    fn from_str(text: &str) -> Result<Self, InvalidAgent> {
        let invalid = || InvalidAgent(text.to_owned());
        let (name, rest) = match text.split_once(':') {
            Some((_, "")) => return Err(invalid()),
            // A program would take it for an option.
            Some((name, rest)) if name != "recorded" && rest.starts_with('-') => {
                return Err(invalid());
            }
            Some((name, rest)) => (name, Some(rest)),
            None => (text, None),
        };
        if name == "recorded" {
            return rest
                .map(|folder| Self::Recorded(folder.into()))
                .ok_or_else(invalid);
        }
        if !config::is_name(name) {
            return Err(invalid());
        }
        let model = rest.map(str::to_owned);
        if name == CALLER {
            return Ok(Self::Caller(model));
        }
        let mut programs = ProgramKind::ALL.into_iter();
        Ok(match programs.find(|kind| kind.name() == name) {
            Some(kind) => Self::Program(kind, model),
            None => Self::Named(name.to_owned(), model),
        })
    }
}

impl std::fmt::Display for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, model) = match self {
            Self::Program(kind, model) => (kind.name(), model),
            Self::Named(name, model) => (name.as_str(), model),
            Self::Caller(model) => (CALLER, model),
            Self::Recorded(folder) => return write!(f, "recorded:{}", folder.display()),
        };
        match model {
            None => f.write_str(name),
            Some(model) => write!(f, "{name}:{model}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_a_name_with_a_model_or_a_recording() {
        for (text, expected) in [
            ("gemini", Some(Choice::Program(ProgramKind::Gemini, None))),
            (
                "claude:opus",
                Some(Choice::Program(ProgramKind::Claude, Some("opus".into()))),
            ),
            ("recorded:a:b", Some(Choice::Recorded("a:b".into()))),
            ("recorded", None),
            ("claude:", None),
            ("claude:--yolo", None),
            ("recorded:-a", Some(Choice::Recorded("-a".into()))),
            ("gpt", Some(Choice::Named("gpt".into(), None))),
            (
                "gemini-api:a:b",
                Some(Choice::Named("gemini-api".into(), Some("a:b".into()))),
            ),
            ("caller", Some(Choice::Caller(None))),
            ("my agent", None),
            ("a/b", None),
            ("", None),
        ] {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
        for (text, n_agents) in [
            ("claude", Some(1)),
            ("gemini:flash,claude,codex", Some(3)),
            ("gemini,", None),
            ("gemini,,claude", None),
        ] {
            let chain = text.parse::<Chain>().ok();
            assert_eq!(
                chain.as_ref().map(|chain| chain.0.len()),
                n_agents,
                "{text}"
            );
            assert!(chain.is_none_or(|chain| chain.to_string() == text));
        }
    }
}
