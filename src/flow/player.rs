//! Who plays a role: an agent with a model, and what a prompt for it may hold.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::agent::{
    Agent, Agents, Backend, Billing, CALLER, Choice, Gives, Http, Program, ProgramKind, Rates,
    Recorded, Role, UserCommand,
};
use crate::alike::did_you_mean;
use crate::fs::{self, SystemKind};
use crate::model::{Catalogue, Effort, Model, Power, UnknownModel};
use crate::pack::Estimate;
use crate::process;
use crate::tokens::{Count, Family};

/// An agent with a model.
pub struct Player {
    /// What answers.
    pub agent: Agent,
    /// The program, if it is one.
    pub kind: Option<ProgramKind>,
    /// The model whose tokens, window and prices count.
    pub model: Model,
    /// How long a call of it may take, where its tier says so.
    pub longest: Option<Duration>,
    /// Who plays in its place if it cannot.
    pub next: Option<Box<Player>>,
    /// How much it may be asked.
    pub rates: Rates,
}

/// A role that nobody can play.
#[derive(Debug, thiserror::Error)]
pub enum PlayerError {
    /// The program is not there.
    #[error("cannot find `{}`, {}, on PATH", kind.name(), role.who())]
    NoProgram {
        /// The program.
        kind: ProgramKind,
        /// What it was to be.
        role: Role,
        /// The programs that are there.
        others: Vec<ProgramKind>,
    },
    /// There is no such agent.
    #[error("unknown agent `{name}`")]
    UnknownAgent {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The program of a command is not there.
    #[error("cannot find `{program}`, the program of the agent `{name}`, on PATH")]
    NoCommand {
        /// The agent.
        name: String,
        /// The program.
        program: String,
    },
    /// The key of a server is not there.
    #[error("the variable `{key}`, which is to hold the key of `{name}`, is not set")]
    NoKey {
        /// The agent.
        name: String,
        /// The variable.
        key: String,
    },
    /// There is no such recording.
    #[error("the recording `{}` is no folder", .0.display())]
    NoRecording(PathBuf),
    /// Nobody said which model an agent is to use.
    #[error("the agent `{name}` needs a model")]
    NoModel {
        /// The agent.
        name: String,
    },
    /// A tier has no model of the agent's vendor.
    #[error("the tier `{tier}` has no model of {vendor} for `{name}`")]
    NotInTier {
        /// The tier.
        tier: String,
        /// Whose models the agent takes.
        vendor: &'static str,
        /// The agent.
        name: String,
    },
    /// There is no such model.
    #[error(transparent)]
    UnknownModel(#[from] UnknownModel),
    /// The model of an agent of the user's own is not known.
    #[error("{unknown} of the agent `{name}`")]
    OwnModel {
        /// The agent.
        name: String,
        /// The model.
        unknown: UnknownModel,
    },
    /// The agent does not serve the model.
    #[error("`{name}` does not serve `{model}`, a model of {vendor}")]
    NotServed {
        /// The agent.
        name: String,
        /// The program of its vendor.
        kind: ProgramKind,
        /// The model.
        model: String,
        /// Whose it is.
        vendor: String,
    },
}

impl PlayerError {
    /// Returns what the user can do about it; `played` is the role of a workflow that was to be played, if one was.
    pub fn hint(&self, played: Option<&str>) -> String {
        match self {
            Self::NoProgram { kind, role, others } => {
                let option = |name| match (played, role) {
                    (Some(played), _) => format!("`--role {played}={name}`"),
                    (None, Role::Planner | Role::Executor | Role::Reviewer) => {
                        format!("`--{} {name}`", role.name())
                    }
                    (None, Role::Asked) => format!("`twostep ask {name}`"),
                };
                let others = others.iter().map(|other| option(other.name()));
                let others = match others.collect::<Vec<_>>().join(" or ") {
                    none if none.is_empty() => option("recorded:FOLDER"),
                    found => found,
                };
                format!(
                    "get it with `{}`, or let another play: {others}",
                    kind.install()
                )
            }
            Self::UnknownModel(unknown) => {
                format!("{}`twostep models` lists all", meant(unknown))
            }
            Self::NotInTier { name, .. } => format!(
                "name its model, `{name}:MODEL`, or another tier; `twostep models` lists all"
            ),
            Self::NotServed { name, kind, .. } => {
                format!("use `{name}:{}`, or another agent", kind.default_model())
            }
            Self::UnknownAgent { name, known } => format!(
                "{}known are {}, caller (you) and recorded:FOLDER; `~/.config/twostep/agents.toml` adds others",
                did_you_mean(name, known.iter().map(String::as_str)),
                known.join(", ")
            ),
            Self::NoCommand { name, .. } => format!(
                "install it, or correct `command` of `[agent.{name}]` in `~/.config/twostep/agents.toml`"
            ),
            Self::NoKey { name, key } => format!("set {key}, or use another agent than `{name}`"),
            Self::NoRecording(_) => {
                "name the folder `calls` of a run, from the current folder".to_owned()
            }
            Self::NoModel { name } => format!(
                "write `model = \"NAME\"` under `[agent.{name}]` in `~/.config/twostep/agents.toml`, or say `{name}:NAME` here, with a NAME of `twostep models`; \
                 `models.toml` beside that file adds others"
            ),
            Self::OwnModel { unknown, .. } => format!(
                "{}`twostep models` lists those that there are; to add it, with its own figures, write into `~/.config/twostep/models.toml`:\n\
                 version = 1\n[[models]]\nid = \"{}\"\nvendor = \"me\"\nstatus = \"current\"\ntokenizer = \"o200k_base\"\ncontext_window = 128000\n\
                 shared_window = true\nmax_input = 128000",
                meant(unknown),
                unknown.name
            ),
        }
    }
}

/// Asks whether another model was meant, if one is like it.
fn meant(unknown: &UnknownModel) -> String {
    let near = unknown.nearest.as_ref();
    near.map_or(String::new(), |name| format!("did you mean `{name}`? "))
}

/// Who plays a role unless another is named.
pub fn default_program(role: Role) -> ProgramKind {
    match role {
        Role::Planner | Role::Asked => ProgramKind::Gemini,
        Role::Reviewer => ProgramKind::Codex,
        Role::Executor => ProgramKind::Claude,
    }
}

/// An executor keeps this share of its window for its own work, as a divisor.
const EXECUTOR_SHARE: u64 = 2;

impl Player {
    /// Finds who plays `role` among `agents`, with a model as `power` says where none is named; programs are looked for on
    /// `path`, recordings from `here`.
    ///
    /// # Errors
    ///
    /// Fails if there is no such agent, its program is not there, or it does not serve the model.
    pub fn find(
        role: Role,
        choice: Option<Choice>,
        power: Option<&Power>,
        (catalogue, agents): (&Catalogue, &Agents),
        path: &OsStr,
        here: &Path,
    ) -> Result<Self, PlayerError> {
        let (name, model) = match choice {
            Some(Choice::Recorded(folder)) => {
                if !fs::kind(&here.join(&folder)).is_ok_and(|kind| kind == SystemKind::Folder) {
                    return Err(PlayerError::NoRecording(folder));
                }
                let model = catalogue.find(default_program(role).default_model())?;
                return Ok(Self {
                    agent: Agent::Recorded(Recorded::new(here, folder)),
                    kind: None,
                    model: model.clone(),
                    next: None,
                    rates: Rates::default(),
                    longest: None,
                });
            }
            Some(Choice::Caller(model)) => {
                let name = model.unwrap_or(default_program(role).default_model().to_owned());
                return Ok(Self {
                    agent: Agent::Caller,
                    kind: None,
                    model: catalogue.find(&name)?.clone(),
                    next: None,
                    rates: Rates::default(),
                    longest: None,
                });
            }
            Some(Choice::Program(kind, model)) => (kind.name().to_owned(), model),
            Some(Choice::Named(name, model)) => (name, model),
            None => (default_program(role).name().to_owned(), None),
        };
        let Some(known) = agents.find(&name) else {
            let known = agents.names().map(str::to_owned).collect();
            return Err(PlayerError::UnknownAgent { name, known });
        };
        let (model, effort) = powered(&name, model, &known.backend, power, catalogue)?;
        let Some(model) = model.or_else(|| known.model.clone()) else {
            return Err(PlayerError::NoModel { name });
        };
        let (model, longest) = model_of(&model, &known.backend, catalogue).map_err(|unknown| {
            match &known.backend {
                Backend::Command { .. } | Backend::Http { url: Some(_), .. } => {
                    let name = name.clone();
                    PlayerError::OwnModel { name, unknown }
                }
                Backend::Program(_) | Backend::Http { url: None, .. } => unknown.into(),
            }
        })?;
        let (agent, kind) = match &known.backend {
            Backend::Program(kind) => {
                serves(&name, *kind, &model)?;
                let found = program(role, *kind, &model, effort, path)?;
                (Agent::Program(found), Some(*kind))
            }
            Backend::Http { api, url, key } => {
                if url.is_none() {
                    serves(&name, api.program(), &model)?;
                }
                let http = Http {
                    name,
                    api: *api,
                    url: url.clone(),
                    key: key.clone(),
                    model: model.id.clone(),
                    max_output: model.reserved_output(),
                };
                (Agent::Http(http), None)
            }
            Backend::Command {
                words,
                answer,
                gives,
                variables,
            } => {
                let (program, words) = words
                    .split_first()
                    .map_or(("", &[][..]), |(first, rest)| (first, rest));
                let missing = || PlayerError::NoCommand {
                    name: name.clone(),
                    program: program.to_owned(),
                };
                let command = UserCommand {
                    path: process::find(program.as_ref(), path).ok_or_else(missing)?,
                    words: words.to_vec(),
                    answer: answer.clone(),
                    gives: *gives,
                    variables: variables.clone(),
                    model: model.id.clone(),
                    name,
                };
                (Agent::Command(command), None)
            }
        };
        Ok(Self {
            agent,
            kind,
            model,
            next: None,
            rates: known.rates,
            longest,
        })
    }

    /// Returns who played `role` in a run whose calls are in the folder `calls`: the recording, with the figures of `choice`.
    ///
    /// # Errors
    ///
    /// Fails if there is no such agent or model any more.
    pub fn recorded(
        role: Role,
        choice: Option<Choice>,
        power: Option<&Power>,
        (catalogue, agents): (&Catalogue, &Agents),
        calls: PathBuf,
    ) -> Result<Self, PlayerError> {
        let (name, model) = match choice {
            Some(Choice::Program(kind, model)) => (kind.name().to_owned(), model),
            Some(Choice::Named(name, model)) => (name, model),
            Some(Choice::Caller(model)) => (CALLER.to_owned(), model),
            Some(Choice::Recorded(_)) => (CALLER.to_owned(), None),
            None => (default_program(role).name().to_owned(), None),
        };
        let known = agents.find(&name);
        let kind = match known.map(|known| &known.backend) {
            Some(Backend::Program(kind)) => Some(*kind),
            _ => None,
        };
        let model = match known {
            Some(known) => powered(&name, model, &known.backend, power, catalogue)?.0,
            None => model,
        };
        let model = model
            .or_else(|| known?.model.clone())
            .unwrap_or_else(|| default_program(role).default_model().to_owned());
        Ok(Self {
            agent: Agent::Recorded(Recorded::new(Path::new("/"), calls)),
            kind,
            model: match known {
                Some(known) => model_of(&model, &known.backend, catalogue)?.0,
                None => catalogue.find(&model)?.clone(),
            },
            next: None,
            rates: Rates::default(),
            longest: None,
        })
    }

    /// Returns who plays `role` unless another is named, whether the program is there or not: for its figures.
    ///
    /// # Errors
    ///
    /// Fails if the user's own catalogue has taken the model away.
    pub fn usual(
        role: Role,
        power: Option<&Power>,
        catalogue: &Catalogue,
    ) -> Result<Self, PlayerError> {
        let kind = default_program(role);
        let backend = Backend::Program(kind);
        let (model, effort) = powered(kind.name(), None, &backend, power, catalogue)?;
        let model = model.unwrap_or_else(|| kind.default_model().to_owned());
        let model = model_of(&model, &backend, catalogue)?.0;
        let program = Program {
            kind,
            path: kind.name().into(),
            model: model.id.clone(),
            effort: effort.filter(|_| kind.takes_effort()).map(Effort::name),
        };
        Ok(Self {
            agent: Agent::Program(program),
            kind: Some(kind),
            model,
            next: None,
            rates: Rates::default(),
            longest: None,
        })
    }

    /// Says whether the key that it needs is among the user's `variables`.
    ///
    /// # Errors
    ///
    /// Fails if it needs one that is not there.
    pub fn require_key(&self, variables: &[(OsString, OsString)]) -> Result<(), PlayerError> {
        let Agent::Http(http) = &self.agent else {
            return Ok(());
        };
        let is_set = |key: &str| {
            let found = variables.iter().find(|(name, _)| name == key);
            found.is_some_and(|(_, value)| !value.to_string_lossy().trim().is_empty())
        };
        match &http.key {
            Some(key) if !is_set(key) => Err(PlayerError::NoKey {
                name: http.name.clone(),
                key: key.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Returns the player, and those that play in its place, in their order.
    pub fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |player| player.next.as_deref())
    }

    /// Returns the program that it is, if those that play in its place are the same: it reads some files by itself.
    pub fn reader(&self) -> Option<ProgramKind> {
        self.kind
            .filter(|_| self.chain().all(|player| player.kind == self.kind))
    }

    /// Returns what it gives as an executor: an answer, if one of those that play in its place can give no more.
    pub fn gives(&self) -> Gives {
        if self
            .chain()
            .all(|player| player.agent.gives() == Gives::Files)
        {
            Gives::Files
        } else {
            Gives::Answer
        }
    }

    /// Returns who pays for it, as far as the user's variables tell.
    pub fn billing(&self, variables: &[(OsString, OsString)]) -> Billing {
        self.agent.billing(variables)
    }

    /// Returns the tokens that its program puts round a prompt.
    pub fn overhead(&self) -> u64 {
        self.kind.map_or(0, ProgramKind::overhead_tokens)
    }

    /// Returns whose calls its own count with, where a vendor bounds them.
    pub fn account(&self) -> &str {
        match &self.agent {
            Agent::Program(program) => program.kind.name(),
            Agent::Http(http) => &http.name,
            Agent::Command(command) => &command.name,
            Agent::Recorded(_) => "recorded",
            Agent::Caller => CALLER,
        }
    }

    /// Returns how it is chosen on the command line.
    pub fn choice(&self) -> String {
        match &self.agent {
            Agent::Program(program) => format!("{}:{}", program.kind.name(), program.model),
            Agent::Http(http) => format!("{}:{}", http.name, http.model),
            Agent::Command(command) => format!("{}:{}", command.name, command.model),
            Agent::Recorded(recorded) => format!("recorded:{}", recorded.typed.display()),
            Agent::Caller => format!("{CALLER}:{}", self.model.id),
        }
    }

    /// Says whether it keeps conversations, so that it can change a plan that it made.
    pub fn can_revise(&self) -> bool {
        self.agent.has_sessions()
    }

    /// Returns the most tokens that a prompt of ours may have, in the model's tokens.
    pub fn prompt_limit(&self, role: Role) -> u64 {
        let window = self.kind.and_then(ProgramKind::window).unwrap_or(u64::MAX);
        let limit = self.model.prompt_limit().min(window);
        let limit = match role {
            Role::Planner | Role::Reviewer | Role::Asked => limit,
            Role::Executor => limit / EXECUTOR_SHARE,
        };
        limit.saturating_sub(self.overhead())
    }

    /// Returns the tokens of `count` by the model's measure; for an estimate, the most that it may be.
    pub fn tokens(&self, count: &Count) -> u64 {
        self.model.measure().tokens(count)
    }

    /// Returns the family of tokens that must be estimated for this player.
    pub fn family(&self) -> Option<Family> {
        Estimate::family_of(&self.model)
    }
}

/// Returns the name of the model that an agent is to use, and how much that is to think: by `power`, where no model is
/// named and the agent is a vendor's. Servers and commands of the user's have their own models.
fn powered(
    name: &str,
    model: Option<String>,
    backend: &Backend,
    power: Option<&Power>,
    catalogue: &Catalogue,
) -> Result<(Option<String>, Option<Effort>), PlayerError> {
    let vendor = match backend {
        Backend::Program(kind) => kind.vendor(),
        Backend::Http { api, url: None, .. } => api.program().vendor(),
        Backend::Http { .. } | Backend::Command { .. } => return Ok((model, None)),
    };
    let (None, Some(Power { tier, effort })) = (&model, power) else {
        return Ok((model, None));
    };
    if catalogue.in_tier(tier, vendor)?.is_none() {
        return Err(PlayerError::NotInTier {
            tier: tier.clone(),
            vendor,
            name: name.to_owned(),
        });
    }
    Ok((Some(tier.clone()), *effort))
}

/// Returns the model that is called `name` where `backend` is asked, and how long a call of it may take if `name` is a tier.
fn model_of(
    name: &str,
    backend: &Backend,
    catalogue: &Catalogue,
) -> Result<(Model, Option<Duration>), UnknownModel> {
    let vendor = match backend {
        Backend::Program(kind) => Some(kind.vendor()),
        Backend::Http { api, .. } => Some(api.program().vendor()),
        Backend::Command { .. } => None,
    };
    if let Some(vendor) = vendor
        && let Some((model, longest)) = catalogue.in_tier(name, vendor)?
    {
        return Ok((model.clone(), Some(longest)));
    }
    Ok((catalogue.find(name)?.clone(), None))
}

/// Says whether an agent that serves the models of one vendor serves `model`: not if it is another's that we know.
fn serves(name: &str, kind: ProgramKind, model: &Model) -> Result<(), PlayerError> {
    let vendor = model.vendor.as_str();
    let mut others = ProgramKind::ALL.iter().filter(|other| **other != kind);
    if others.any(|other| other.vendor() == vendor) {
        return Err(PlayerError::NotServed {
            name: name.to_owned(),
            kind,
            model: model.id.clone(),
            vendor: vendor.to_owned(),
        });
    }
    Ok(())
}

fn program(
    role: Role,
    kind: ProgramKind,
    model: &Model,
    effort: Option<Effort>,
    path: &OsStr,
) -> Result<Program, PlayerError> {
    let find = |kind| Program::find(kind, model.id.clone(), path);
    let others = || {
        let others = ProgramKind::ALL.into_iter();
        others.filter(|&other| find(other).is_some()).collect()
    };
    let missing = || PlayerError::NoProgram {
        kind,
        role,
        others: others(),
    };
    let found = find(kind).ok_or_else(missing)?;
    let effort = effort.filter(|_| kind.takes_effort());
    Ok(Program {
        effort: effort.map(Effort::name),
        ..found
    })
}
