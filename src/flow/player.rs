//! Who plays a role: an agent with a model, and what a prompt for it may hold.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::agent::{Agent, Billing, Choice, Program, ProgramKind, Recorded, Role};
use crate::model::{Catalogue, Model, UnknownModel};
use crate::pack::Estimate;
use crate::tokens::{Count, Family};

/// An agent with a model.
pub struct Player {
    /// What answers.
    pub agent: Agent,
    /// The program, if it is one.
    pub kind: Option<ProgramKind>,
    /// The model whose tokens, window and prices count.
    pub model: Model,
    /// Who plays in its place if it cannot.
    pub next: Option<Box<Player>>,
}

/// A role that nobody can play.
#[derive(Debug, thiserror::Error)]
pub enum PlayerError {
    /// The program is not there.
    #[error("cannot find `{}`, the {}, on PATH", kind.name(), role.name())]
    NoProgram {
        /// The program.
        kind: ProgramKind,
        /// What it was to be.
        role: Role,
        /// The programs that are there.
        others: Vec<ProgramKind>,
    },
    /// There is no such model.
    #[error(transparent)]
    UnknownModel(#[from] UnknownModel),
    /// The program does not serve the model.
    #[error("`{}` does not serve `{model}`, a model of {vendor}", kind.name())]
    NotServed {
        /// The program.
        kind: ProgramKind,
        /// The model.
        model: String,
        /// Whose it is.
        vendor: String,
    },
}

impl PlayerError {
    /// Returns what the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::NoProgram { kind, role, others } => {
                let role = role.name();
                let others: Vec<String> = others
                    .iter()
                    .map(|other| format!("`--{role} {}`", other.name()))
                    .collect();
                let others = match others.join(" or ") {
                    none if none.is_empty() => format!("`--{role} recorded:FOLDER`"),
                    found => found,
                };
                format!(
                    "get it with `{}`, or let another play: {others}",
                    kind.install()
                )
            }
            Self::UnknownModel(unknown) => {
                let near = unknown.nearest.as_ref();
                let near = near.map_or(String::new(), |name| format!("did you mean `{name}`? "));
                format!("{near}`twostep models` lists all")
            }
            Self::NotServed { kind, .. } => {
                format!(
                    "use `{}:{}`, or another program",
                    kind.name(),
                    kind.default_model()
                )
            }
        }
    }
}

/// Who plays a role unless another is named.
pub fn default_program(role: Role) -> ProgramKind {
    match role {
        Role::Planner => ProgramKind::Gemini,
        Role::Executor => ProgramKind::Claude,
    }
}

/// An executor keeps this share of its window for its own work, as a divisor.
const EXECUTOR_SHARE: u64 = 2;

impl Player {
    /// Finds who plays `role`; programs are looked for on `path`, recordings from `here`.
    ///
    /// # Errors
    ///
    /// Fails if the program is not there, or does not serve the model.
    pub fn find(
        role: Role,
        choice: Option<Choice>,
        catalogue: &Catalogue,
        path: &OsStr,
        here: &Path,
    ) -> Result<Self, PlayerError> {
        let (kind, name) = match choice {
            Some(Choice::Recorded(folder)) => {
                let model = catalogue.find(default_program(role).default_model())?;
                return Ok(Self {
                    agent: Agent::Recorded(Recorded::new(here, folder)),
                    kind: None,
                    model: model.clone(),
                    next: None,
                });
            }
            Some(Choice::Program(kind, name)) => (kind, name),
            None => (default_program(role), None),
        };
        let model = catalogue.find(name.as_deref().unwrap_or(kind.default_model()))?;
        let vendor = model.vendor.as_str();
        if ProgramKind::ALL
            .iter()
            .any(|other| *other != kind && other.vendor() == vendor)
        {
            return Err(PlayerError::NotServed {
                kind,
                model: model.id.clone(),
                vendor: vendor.to_owned(),
            });
        }
        let find = |kind| Program::find(kind, model.id.clone(), path);
        let program = find(kind).ok_or_else(|| PlayerError::NoProgram {
            kind,
            role,
            others: ProgramKind::ALL
                .into_iter()
                .filter(|&other| find(other).is_some())
                .collect(),
        })?;
        Ok(Self {
            agent: Agent::Program(program),
            kind: Some(kind),
            model: model.clone(),
            next: None,
        })
    }

    /// Returns who plays `role` unless another is named, whether the program is there or not: for its figures.
    ///
    /// # Errors
    ///
    /// Fails if the user's own catalogue has taken the model away.
    pub fn usual(role: Role, catalogue: &Catalogue) -> Result<Self, PlayerError> {
        let kind = default_program(role);
        let model = catalogue.find(kind.default_model())?.clone();
        let program = Program {
            kind,
            path: kind.name().into(),
            model: model.id.clone(),
        };
        Ok(Self {
            agent: Agent::Program(program),
            kind: Some(kind),
            model,
            next: None,
        })
    }

    /// Returns the player, and those that play in its place, in their order.
    pub fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |player| player.next.as_deref())
    }

    /// Returns who pays for it, as far as the user's variables tell.
    pub fn billing(&self, variables: &[(OsString, OsString)]) -> Billing {
        self.agent.billing(variables)
    }

    /// Returns the tokens that its program puts round a prompt.
    pub fn overhead(&self) -> u64 {
        self.kind.map_or(0, ProgramKind::overhead_tokens)
    }

    /// Returns how it is chosen on the command line.
    pub fn choice(&self) -> String {
        match &self.agent {
            Agent::Program(program) => format!("{}:{}", program.kind.name(), program.model),
            Agent::Recorded(recorded) => format!("recorded:{}", recorded.typed.display()),
        }
    }

    /// Returns the most tokens that a prompt of ours may have, in the model's tokens.
    pub fn prompt_limit(&self, role: Role) -> u64 {
        let window = self.kind.and_then(ProgramKind::window).unwrap_or(u64::MAX);
        let limit = self.model.prompt_limit().min(window);
        let limit = match role {
            Role::Planner => limit,
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
