//! Workflows: who is asked what, in which order, and what each gets of what others said, as data.
//!
//! In: TOML. Out: steps that can be done: every name that they use is known, and every key has its place.
//!
//! Invariant: what is wrong with a workflow is found before anything runs, and told with its line.

mod known;
mod raw;

use std::collections::BTreeMap;

pub use known::{GIVEN, Problem, WorkflowError};

/// A workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Workflow {
    /// What it does, in a line.
    pub title: String,
    /// What it is for and when, in a few.
    pub about: String,
    /// Who plays unless somebody else is named, by the names that steps use: agents as on the command line.
    pub roles: BTreeMap<String, String>,
    /// What the user may set.
    pub values: BTreeMap<String, Setting>,
    /// The steps, in their order.
    pub steps: Vec<Step>,
    /// What is given out at the end, as a template; without it the text of the last step.
    pub result: Option<String>,
    /// What must be true in the end for what came of it to be good; else no change lands.
    pub accept: Option<String>,
    /// What later runs of it in the same repository are told of a run that came to its end, as a template.
    pub remember: Option<String>,
    /// Whether it asks for a spec.
    pub needs_spec: bool,
}

/// What the user may set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// What it is unless it is set.
    pub default: String,
    /// What it may be; anything where there is nothing.
    pub one_of: Vec<String>,
    /// What it is for.
    pub about: String,
    /// What the user is asked once for each project, if they did not set it.
    pub question: Option<String>,
    /// What must be true of the values above it for them to be asked.
    pub when: Option<String>,
    /// The line of the workflow in which it stands, from 1.
    pub line: usize,
}

/// A step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What other steps call its result.
    pub name: String,
    /// The line of the workflow in which it begins, from 1.
    pub line: usize,
    /// What must be true for it to be done.
    pub when: Option<String>,
    /// How often it is done.
    pub times: Times,
    /// What becomes of the workflow where it fails.
    pub on_failure: OnFailure,
    /// How many minutes whom it asks may take, and each command that it runs, if that is less than for all.
    pub minutes: Option<u64>,
    /// The file in which its text is kept, as a template.
    pub file: Option<String>,
    /// What it does.
    pub does: Does,
}

/// How often a step is done.
#[derive(Debug, Clone, PartialEq)]
pub enum Times {
    /// Once.
    Once,
    /// For each of a list.
    Each {
        /// The expression that gives the list.
        of: String,
        /// What one of it is called.
        name: String,
        /// How many at once.
        at_once: usize,
    },
    /// Again until something is true.
    Until {
        /// What.
        is: String,
        /// How often at most.
        most: usize,
    },
}

/// What becomes of a workflow of which a step fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// It stops.
    #[default]
    Stop,
    /// It goes on: the step's result has an `error`, and no text.
    GoOn,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Does {
    /// Packs files.
    Pack {
        /// Globs of those, as templates; all where there are none.
        files: Vec<String>,
        /// What they are for, as a template: what fits best is taken.
        task: Option<String>,
        /// The most tokens.
        budget: u64,
    },
    /// Asks an agent.
    Ask {
        /// Who, as the roles name them.
        role: String,
        /// What, as a template.
        prompt: String,
        /// Globs of files that it gets, as templates: as much as fits.
        files: Vec<String>,
        /// A JSON Schema of the value that is wanted.
        schema: Option<String>,
        /// The step whose conversation goes on.
        session: Option<String>,
        /// What the answer is to be.
        answer: Contract,
    },
    /// Holds what a plan names against the files.
    Resolve {
        /// The plan, as a template.
        plan: String,
    },
    /// Has an agent carry out a plan in the scratch, until the checks pass.
    Execute {
        /// Who, as the roles name them.
        role: String,
        /// The plan, as a template.
        plan: String,
        /// Who reads the change until they approve, if anybody does.
        reviewer: Option<String>,
        /// What becomes of a plan that names what is not there.
        missing: Missing,
    },
    /// Makes the edits of an answer in the scratch, if the checks then pass.
    Integrate {
        /// The edits, as a template.
        edits: String,
        /// What the user is asked: a word for it, as a template.
        approve: String,
    },
    /// Runs checks on the files as the steps so far have made them.
    Check {
        /// Which, as templates that name values alone; the run's own where there are none.
        commands: Vec<String>,
    },
    /// Has an agent read what the steps so far have changed.
    Review {
        /// Who, as the roles name them.
        role: String,
        /// What was to be done, as a template.
        plan: Option<String>,
    },
    /// Puts a text together.
    Text {
        /// It, as a template.
        text: String,
    },
    /// Asks the user.
    Gate {
        /// What, as a template.
        question: String,
        /// What they may answer; the first is taken where nobody is to be asked.
        choices: Vec<String>,
    },
    /// Does other steps, one after another, or at once.
    Steps {
        /// Which.
        steps: Vec<Step>,
        /// How many at once.
        at_once: usize,
    },
}

/// What an answer is to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Contract {
    /// Words.
    #[default]
    Text,
    /// Code: a fence round all of it is taken off.
    Code,
    /// A plan.
    Plan,
    /// A review with a verdict.
    Review,
}

/// What becomes of a plan that names what is not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Missing {
    /// It is not carried out.
    #[default]
    Stop,
    /// That is told, and it is carried out all the same.
    Told,
}

/// What the user is asked before edits are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approve {
    /// Whether they may be, once.
    Change,
    /// Whether they may be, for each file.
    File,
    /// Nothing.
    Nothing,
}

impl Approve {
    /// The words for it.
    pub const WORDS: [(&'static str, Self); 3] = [
        ("change", Self::Change),
        ("file", Self::File),
        ("nothing", Self::Nothing),
    ];

    /// Returns what a word stands for.
    pub fn of(word: &str) -> Option<Self> {
        let found = Self::WORDS.iter().find(|(known, _)| *known == word.trim());
        found.map(|(_, approve)| *approve)
    }
}

impl Does {
    /// Returns what kind of step it is, as a workflow says it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Pack { .. } => "pack",
            Self::Ask { .. } => "ask",
            Self::Resolve { .. } => "resolve",
            Self::Execute { .. } => "execute",
            Self::Integrate { .. } => "integrate",
            Self::Check { .. } => "check",
            Self::Review { .. } => "review",
            Self::Text { .. } => "text",
            Self::Gate { .. } => "gate",
            Self::Steps { .. } => "steps",
        }
    }

    /// Returns who does it, as the roles name them, if an agent does.
    pub fn role(&self) -> Option<&str> {
        match self {
            Self::Ask { role, .. } | Self::Execute { role, .. } | Self::Review { role, .. } => {
                Some(role)
            }
            _ => None,
        }
    }

    /// Says whether it works in the scratch.
    pub fn needs_scratch(&self) -> bool {
        match self {
            Self::Execute { .. } | Self::Integrate { .. } | Self::Check { .. } => true,
            Self::Steps { steps, .. } => steps.iter().any(|step| step.does.needs_scratch()),
            _ => false,
        }
    }

    /// Returns the fields of its result.
    pub fn fields(&self) -> &'static [&'static str] {
        match self {
            Self::Pack { .. } => &["text", "tokens", "error"],
            Self::Ask { schema, answer, .. } => match (schema, answer) {
                (Some(_), _) => &["text", "agent", "error", "value"],
                (None, Contract::Review) => &["text", "agent", "error", "approves", "failed"],
                _ => &["text", "agent", "error"],
            },
            Self::Resolve { .. } => &["text", "paths", "open", "steps", "error"],
            Self::Execute { .. } => &["text", "files", "diff", "checks", "error"],
            Self::Integrate { .. } => &["text", "files", "rejected", "error"],
            Self::Check { .. } => &["text", "passes", "failed", "error"],
            Self::Review { .. } => &["text", "approves", "failed", "error"],
            Self::Gate { .. } | Self::Text { .. } => &["text", "error"],
            Self::Steps { .. } => &[],
        }
    }
}

impl Workflow {
    /// Returns what the user may set, as it is written.
    pub fn settings(&self) -> Vec<(&String, &Setting)> {
        let mut settings: Vec<_> = self.values.iter().collect();
        settings.sort_by_key(|(_, setting)| setting.line);
        settings
    }

    /// Reads a workflow.
    ///
    /// # Errors
    ///
    /// Fails on what is no TOML of this form, and where a step uses what is not there.
    pub fn read(text: &str) -> Result<Self, WorkflowError> {
        let workflow = raw::read(text)?;
        known::check(workflow, text)
    }
}

/// What one of a list is called unless the workflow says otherwise.
const USUAL_ITEM: &str = "item";

/// The workflows that are part of the program, by name.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("bulk-refine", include_str!("builtin/bulk-refine.toml")),
    ("consensus", include_str!("builtin/consensus.toml")),
    ("escalate", include_str!("builtin/escalate.toml")),
    (
        "evaluate-optimize",
        include_str!("builtin/evaluate-optimize.toml"),
    ),
    ("feedback-loop", include_str!("builtin/feedback-loop.toml")),
    (
        "generate-review-fix",
        include_str!("builtin/generate-review-fix.toml"),
    ),
    ("hierarchy", include_str!("builtin/hierarchy.toml")),
    ("incremental", include_str!("builtin/incremental.toml")),
    ("pipeline", include_str!("builtin/pipeline.toml")),
    ("plan-exec", include_str!("builtin/plan-exec.toml")),
    (
        "research-implement-validate",
        include_str!("builtin/research-implement-validate.toml"),
    ),
    ("side-by-side", include_str!("builtin/side-by-side.toml")),
    ("validation", include_str!("builtin/validation.toml")),
    ("workers", include_str!("builtin/workers.toml")),
];

#[cfg(test)]
mod tests;
