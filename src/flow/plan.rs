//! From a spec to a plan: what the planner gets, and what came of it.

use std::path::PathBuf;
use std::sync::Arc;

use super::budget::BudgetError;
use super::call::{Anew, Answered, Asked, Words, call};
use super::conventions::Conventions;
use super::host::{Event, Host, Interrupted};
use super::pack::{self, PackError, PackRequest, Packed};
use super::player::Player;
use super::redact::SecretsFound;
use super::route::{Context, Route, route};
use crate::agent::{AgentError, Class, Difference, Failure, May, PromptLimit, REPLY_FILE, Role};
use crate::fs::{self, FsError};
use crate::pack::{Level, Query, Room, TooSmall};
use crate::path::RepoPath;
use crate::plan::{self, Plan, PlanError};
use crate::prompt;
use crate::repo::{Named, Reason, Repository};
use crate::review::ReviewError;
use crate::run::{CallPlace, Run};
use crate::tokens::{Count, Counter};

/// A prompt that fits who it is for.
pub struct Prompt {
    /// All of it.
    pub text: String,
    /// Its tokens.
    pub count: Count,
    /// Its tokens for who it is for; of an estimate the most.
    pub tokens: u64,
    /// Those of the conversation that goes on with it.
    pub said: u64,
    /// The most that there may be.
    pub limit: u64,
    /// How many files it shows in full.
    pub n_files: usize,
    /// How many it shows shortened.
    pub n_shortened: usize,
    /// Those that it could not, for they did not fit.
    pub omitted: Vec<RepoPath>,
    /// The document in it that we packed.
    pub pack: Option<String>,
    /// The project's conventions that it names.
    pub conventions: Conventions,
    /// The tokens of all that could be in it.
    pub whole: Count,
}

/// No plan was made.
#[derive(Debug, thiserror::Error)]
pub enum PlanningError {
    /// The repository could not be packed.
    #[error("cannot pack for {}", .0.who())]
    Pack(Role, #[source] PackError),
    /// What was given is more than the model takes.
    #[error("the prompt has {tokens} tokens of {model}, which takes {limit}")]
    TooLong {
        /// What it has.
        tokens: u64,
        /// The model.
        model: String,
        /// What it takes.
        limit: u64,
    },
    /// What was given is more than the program takes.
    #[error("the prompt is larger than `{name}` takes, which is {most}")]
    TooLarge {
        /// The program.
        name: &'static str,
        /// What it takes.
        most: PromptLimit,
    },
    /// The answer is no plan.
    #[error("cannot use the planner's answer")]
    Answer(#[from] PlanError),
    /// The answer is no review.
    #[error("the reviewer's answer is no review: {error}; it is in `{}`", reply.display())]
    Review {
        /// Why.
        error: ReviewError,
        /// The file with the answer.
        reply: PathBuf,
    },
    /// There are secrets, and there may be none.
    #[error(transparent)]
    Secrets(#[from] SecretsFound),
    /// The agent gave no answer.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The caller plays the role: the run goes on with the answer.
    #[error("{} is the caller: the prompt is in `{}`", role.who(), prompt.display())]
    Waiting {
        /// What is asked for.
        role: Role,
        /// The file with the prompt.
        prompt: PathBuf,
    },
    /// The run may not use more.
    #[error(transparent)]
    Budget(#[from] BudgetError),
    /// The run has an answer to another prompt: what the prompt is made of has changed since.
    #[error("{} has answered another prompt than there would be now; {difference}", role.who())]
    Changed {
        /// What was asked for.
        role: Role,
        /// Where the prompts differ.
        difference: Difference,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl Prompt {
    /// Returns it with the conventions that it names, where it holds `packs`, too.
    pub(super) fn with(self, conventions: Conventions, packs: &[String]) -> Self {
        // Without a pack of ours they are counted.
        let others = packs.iter().filter(|_| self.pack.is_some());
        let n_files = self.n_files + others.map(|pack| n_files(pack)).sum::<usize>();
        Self {
            n_files,
            conventions,
            ..self
        }
    }

    /// Returns the prompt that `make` makes for `player`, if it does not take this one.
    pub(super) fn anew(
        &self,
        player: &Player,
        role: Role,
        make: &dyn Fn(&Player) -> Result<Self, PlanningError>,
    ) -> Result<Option<Words>, PlanningError> {
        let is_over = player.tokens(&self.count) > player.prompt_limit(role)
            || over_program(player, &self.text, self.tokens) > 0;
        if !is_over {
            return Ok(None);
        }
        let own = make(player)?;
        Ok(Some((own.text, own.tokens)))
    }
}

impl PlanningError {
    /// Says whether a prompt is more than is taken.
    pub(super) fn is_too_large(&self) -> bool {
        matches!(
            self,
            Self::Pack(_, PackError::TooSmall(_)) | Self::TooLong { .. } | Self::TooLarge { .. }
        )
    }

    /// Says whether a recording holds no answer to this.
    pub(super) fn is_not_recorded(&self) -> bool {
        matches!(
            self,
            Self::Agent(AgentError::Failed { failure, .. }) if failure.class == Class::NotRecorded
        )
    }
}

/// The file of a run that holds what is wanted.
pub const SPEC_FILE: &str = "spec.md";

/// The file of a run that says how the planner's conversation goes on.
pub const SESSION_FILE: &str = "planner-session.json";

/// How often a pack is made smaller until the prompt that it is part of fits.
const MAX_FITS: usize = 4;

/// Makes the prompt of `role`: packs what `request` names, so that all of it with `words` fits `player`.
///
/// `words` gives the prompt for a pack; the counter of `request` must estimate for `player`. The pack has no more tokens of theirs than the room of
/// `request`, if that has one.
///
/// # Errors
///
/// Fails if there is nothing to pack, or what cannot be cut does not fit.
pub fn fitted(
    repository: &Repository,
    mut request: PackRequest,
    player: &Player,
    role: Role,
    words: &dyn Fn(&[&str]) -> String,
    host: &Host<'_>,
) -> Result<Prompt, PlanningError> {
    let counter = request.counter.clone();
    let limit = player.prompt_limit(role);
    let bare = player.tokens(&counter.count(&words(&[])));
    let failed = |error| PlanningError::Pack(role, error);
    let too_small = |budget| {
        failed(PackError::TooSmall(TooSmall {
            budget,
            least: bare,
        }))
    };
    let mut budget = limit.checked_sub(bare).ok_or_else(|| too_small(limit))?;
    budget = request.room.map_or(budget, |room| room.budget.min(budget));
    let mut progress = |done, n| (host.tell)(&Event::Packing(done, n));
    for _ in 0..MAX_FITS {
        host.go_on()?;
        request.room = Some(Room {
            budget,
            measure: player.model.measure(),
        });
        let scan = pack::find(repository, &request).map_err(failed)?;
        let mut document = Vec::new();
        let packed = pack::write(repository, &request, scan, &mut document, &mut progress)
            .map_err(failed)?;
        let document = String::from_utf8_lossy(&document).into_owned();
        let text = words(&[&document]);
        let count = counter.count(&text);
        let tokens = player.tokens(&count);
        let over = tokens
            .saturating_sub(limit)
            .max(over_program(player, &text, tokens));
        if over > 0 {
            budget = budget.checked_sub(over).ok_or_else(|| too_small(limit))?;
            continue;
        }
        let is_left = |reason: &Option<Reason>| *reason == Some(Reason::Budget);
        let left = packed.entries.iter().filter(|entry| is_left(&entry.reason));
        let shortened = packed.entries.iter().filter_map(|entry| {
            let full = entry.full_cost?;
            Some(full - entry.cost)
        });
        let whole = count + left.clone().map(|entry| entry.cost).sum() + shortened.sum();
        if !packed.secrets.is_empty() {
            (host.tell)(&Event::Redacted(&packed.secrets));
        }
        tell_named(&packed, &request.named, host);
        return Ok(Prompt {
            said: 0,
            count,
            tokens,
            limit,
            n_files: packed
                .entries
                .iter()
                .filter(|entry| entry.is_full())
                .count(),
            n_shortened: packed
                .entries
                .iter()
                .filter(|entry| entry.is_shown() && !entry.is_full())
                .count(),
            omitted: left.map(|entry| entry.path.clone()).collect(),
            conventions: Conventions::default(),
            pack: Some(document),
            whole,
            text,
        });
    }
    Err(failed(PackError::Restless))
}

/// Tells what a user may not expect of the files that were named: that they hold secrets by their names, or that no more
/// than a name goes along.
fn tell_named(packed: &Packed, named: &[Named], host: &Host<'_>) {
    let is_named = |path: &RepoPath| {
        let mut files = named.iter();
        files.any(|named| matches!(named, Named::File(file) if file == path))
    };
    for (path, what) in packed
        .secret_names
        .iter()
        .filter(|(path, _)| is_named(path))
    {
        (host.tell)(&Event::Warning(format!(
            "`{path}` goes along, and its name says that it holds secrets ({what})"
        )));
    }
    let entries = packed.entries.iter().filter(|entry| is_named(&entry.path));
    for entry in entries.filter(|entry| entry.level == Level::Path) {
        let why = entry.reason.as_ref().map_or("left out", Reason::name);
        let path = &entry.path;
        (host.tell)(&Event::Warning(format!(
            "of `{path}` only the name goes along ({why})"
        )));
    }
}

/// Returns the tokens that must go for the prompt to be within what the program takes in bytes or characters.
fn over_program(player: &Player, text: &str, tokens: u64) -> u64 {
    let over = player.kind.map_or(0, |kind| kind.size_over(text)) as u64;
    // A little more than its share, for tokens are not all of one length.
    (over * tokens).div_ceil(text.len().max(1) as u64) * 21 / 20
}

/// Holds a prompt that cannot be made smaller against what `player` takes.
///
/// # Errors
///
/// Fails if that is less.
pub(super) fn require_room(
    text: &str,
    count: &Count,
    player: &Player,
    role: Role,
) -> Result<(), PlanningError> {
    let (tokens, limit) = (player.tokens(count), player.prompt_limit(role));
    if let Some(kind) = player.kind.filter(|kind| kind.size_over(text) > 0) {
        let (name, most) = (kind.name(), kind.prompt_limit());
        return Err(PlanningError::TooLarge { name, most });
    }
    if tokens > limit {
        let model = player.model.id.clone();
        return Err(PlanningError::TooLong {
            tokens,
            model,
            limit,
        });
    }
    Ok(())
}

/// Makes a prompt of packs that are there already.
///
/// # Errors
///
/// Fails if it does not fit.
pub fn given(
    text: String,
    counter: &Counter,
    player: &Player,
    role: Role,
) -> Result<Prompt, PlanningError> {
    let count = counter.count(&text);
    require_room(&text, &count, player, role)?;
    let (tokens, limit) = (player.tokens(&count), player.prompt_limit(role));
    Ok(Prompt {
        said: 0,
        n_files: n_files(&text),
        n_shortened: 0,
        omitted: Vec::new(),
        conventions: Conventions::default(),
        pack: None,
        whole: count,
        text,
        count,
        tokens,
        limit,
    })
}

/// Returns how many files packs show that we did not make.
pub(super) fn n_files(packs: &str) -> usize {
    packs.matches("\n<file path=").count()
}

/// Returns a text without its secrets, and tells where they were.
///
/// # Errors
///
/// Fails if there are some, and there may be none.
pub(super) fn redacted(place: &str, text: &str, host: &Host<'_>) -> Result<String, SecretsFound> {
    let (text, secrets) = host.redactor.text(place, text)?;
    if !secrets.is_empty() {
        (host.tell)(&Event::Redacted(&secrets));
    }
    Ok(text)
}

/// Returns texts as templates take them.
pub(super) fn strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// Returns packs that were given without their secrets.
pub(super) fn redacted_packs(
    packs: &[String],
    host: &Host<'_>,
) -> Result<Vec<String>, SecretsFound> {
    let each = packs.iter();
    each.map(|pack| redacted("the given pack", pack, host))
        .collect()
}

/// What a planner is to plan.
pub struct Task<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// How it is packed; the counter estimates for every player.
    pub request: PackRequest,
    /// What is wanted.
    pub spec: &'a str,
    /// Packs that take the place of packing, if there are any.
    pub packs: &'a [String],
}

impl Task<'_> {
    /// Makes the prompt for `planner`.
    ///
    /// # Errors
    ///
    /// As [`fitted`] and [`given`].
    pub fn prompt(&self, planner: &Player, host: &Host<'_>) -> Result<Prompt, PlanningError> {
        let spec = &redacted("the spec", self.spec, host)?;
        let packs = redacted_packs(self.packs, host)?;
        let mut request = self.request.clone();
        // A planner works in an empty folder.
        let conventions = Conventions::of(self.repository, &request, None);
        let names = conventions.names();
        let words = |packed: &[&str]| prompt::plan(&[packed, &strs(&packs)].concat(), &names, spec);
        if packs.is_empty() {
            request.query = Some(Arc::new(Query::of(spec)));
            conventions.pin(&mut request);
        } else {
            request.named = conventions.beside(&packs, &request);
        }
        let role = Role::Planner;
        let prompt = if request.named.is_empty() {
            given(words(&[]), &request.counter, planner, role)?
        } else {
            fitted(self.repository, request, planner, role, &words, host)?
        };
        Ok(prompt.with(conventions, &packs))
    }
}

/// Makes the planner's prompt and decides who gets what; the run keeps what the prompt is made of.
///
/// # Errors
///
/// As [`fitted`] and [`given`].
pub fn prepare(
    task: &Task<'_>,
    (planner, executor): (&Player, &Player),
    context: Context,
    run: &Run,
    host: &Host<'_>,
) -> Result<(Prompt, Route), PlanningError> {
    run.keep(SPEC_FILE, host.redactor.redacted(task.spec).as_bytes())?;
    let prompt = task.prompt(planner, host)?;
    // Packs that were given tell nothing of the repository's size.
    let context = match context {
        Context::Auto if !task.packs.is_empty() => Context::Plan,
        context => context,
    };
    let route = route(&prompt.whole, planner, executor, context);
    run.keep("route.json", &crate::run::json(&route))?;
    if let Some(pack) = &prompt.pack {
        run.keep("planner-pack.xml", pack.as_bytes())?;
    }
    (host.tell)(&Event::Routed(&route));
    (host.tell)(&Event::Prompted(Role::Planner, &prompt));
    Ok((prompt, route))
}

/// A plan, and the conversation in which it was made, if there is one.
pub struct Planned<'a> {
    /// The plan.
    pub plan: Plan,
    /// The conversation.
    pub session: Option<Session>,
    /// Who made it.
    pub planner: &'a Player,
    /// The prompt by which that was asked.
    pub prompt: String,
}

/// Asks the planner, by a prompt with its tokens, and takes the plan out of its answer; both are kept in the run.
///
/// `anew` makes what those are asked who stand in, if anybody can.
///
/// # Errors
///
/// Fails if there is no whole answer, or it is no plan.
pub(super) fn ask<'a>(
    run: &Run,
    player: &'a Player,
    (prompt, tokens): (&str, u64),
    anew: Option<Anew<'_>>,
    session: Option<&Session>,
    host: &Host<'_>,
) -> Result<Planned<'a>, PlanningError> {
    host.go_on()?;
    // Programs find a conversation by the folder in which it was had.
    let origin = session.map_or(run.id.as_str(), |session| session.run.as_str());
    let origin = origin.to_owned();
    let folder = host.cache.join(&origin).join("planner");
    fs::make_private_folders(&folder)?;
    let tokens = tokens.saturating_add(session.map_or(0, |session| session.tokens));
    let asked = Asked {
        role: Role::Planner,
        step: None,
        prompt,
        tokens,
        anew,
        folder: &folder,
        may: May::Answer,
        session: session.map(|session| session.id.as_str()),
        check: &no_plan,
        reset: &|_, _| true,
    };
    let answered = call(run, player, &asked, host)?;
    let tokens = answered.said(tokens);
    let Answered {
        reply, player, own, ..
    } = answered;
    let session = reply.session.map(|id| Session {
        version: 1,
        planner: player.choice(),
        id,
        run: origin,
        tokens,
    });
    if let Some(session) = &session {
        run.keep(SESSION_FILE, &crate::run::json(session))?;
    }
    let plan = plan::parse(&reply.text)?;
    Ok(Planned {
        plan,
        session,
        planner: player,
        prompt: own.unwrap_or_else(|| prompt.to_owned()),
    })
}

/// Says why an answer is no plan.
pub(super) fn no_plan(place: &CallPlace, answer: &str) -> Result<(), Failure> {
    let Err(error) = plan::parse(answer) else {
        return Ok(());
    };
    let class = match error {
        PlanError::Empty => Class::Empty,
        PlanError::Cut => Class::Cut,
    };
    let file = place.folder.join(REPLY_FILE);
    let message = format!("{error}; it is in `{}`", file.display());
    Err(Failure::new(class, message))
}

/// A conversation with a planner.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Session {
    /// The version of the format: 1.
    pub version: u32,
    /// The planner, as it is chosen on the command line.
    pub planner: String,
    /// By what the program goes on with it.
    pub id: String,
    /// The run in which it began.
    pub run: String,
    /// The tokens of what was said in it.
    #[serde(default)]
    pub tokens: u64,
}
