//! Who gets what: everything, or what matters, by the size of the repository and the models at hand.

use serde::Serialize;

use super::player::Player;
use crate::agent::Role;
use crate::tokens::Count;

/// How the repository compares with the models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// It fits the executor's limit, and is under its cap.
    Small,
    /// It fits the planner's limit.
    Medium,
    /// It fits neither.
    Large,
}

/// What the executor gets, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Focus {
    /// All that the planner would get.
    Everything,
    /// What the plan names, what belongs to that, and the best by the plan's text as far as there is room.
    Slice,
    /// What the plan names, and what belongs to that.
    Plan,
}

/// What the user wants the executor to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// By size.
    Auto,
    /// Everything.
    Full,
    /// What the plan names, and what belongs to that.
    Plan,
}

/// The most tokens of everything that an executor gets unasked: it needs the plan and the files that it
/// names, and pays for what it gets at every turn.
pub const EXECUTOR_CAP: u64 = 100_000;

/// Who gets what, with the figures that it was decided by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Route {
    /// How the repository compares with the models.
    pub size: Size,
    /// What the executor gets.
    pub executor_gets: Focus,
    /// All of the repository in the planner's tokens.
    pub planner_tokens: u64,
    /// The most that the planner takes.
    pub planner_limit: u64,
    /// All of the repository in the executor's tokens.
    pub executor_tokens: u64,
    /// The most that the executor takes.
    pub executor_limit: u64,
}

/// Decides by `whole`, the tokens of all of the repository.
pub fn route(whole: &Count, planner: &Player, executor: &Player, context: Context) -> Route {
    let planner_tokens = planner.tokens(whole);
    let planner_limit = planner.prompt_limit(Role::Planner);
    let executor_tokens = executor.tokens(whole);
    let executor_limit = executor.prompt_limit(Role::Executor);
    let size = if executor_tokens <= executor_limit.min(EXECUTOR_CAP) {
        Size::Small
    } else if planner_tokens <= planner_limit {
        Size::Medium
    } else {
        Size::Large
    };
    let executor_gets = match (context, size) {
        (Context::Full, _) | (Context::Auto, Size::Small) => Focus::Everything,
        (Context::Auto, Size::Medium | Size::Large) => Focus::Slice,
        (Context::Plan, _) => Focus::Plan,
    };
    Route {
        size,
        executor_gets,
        planner_tokens,
        planner_limit,
        executor_tokens,
        executor_limit,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::agent::{Agent, Program, ProgramKind, Rates};
    use crate::model::Catalogue;
    use crate::tokens::{Counter, Family};

    fn player(kind: ProgramKind, model: &str) -> Player {
        let model = Catalogue::built_in().find(model).unwrap().clone();
        Player {
            agent: Agent::Program(Program {
                kind,
                path: PathBuf::new(),
                model: model.id.clone(),
                effort: None,
            }),
            kind: Some(kind),
            model,
            next: None,
            rates: Rates::default(),
            longest: None,
        }
    }

    /// A repository of so many thousand tokens of `o200k_base`.
    fn repository(thousands: usize) -> Count {
        let line = "fn main() { let total = add(one, two); println!(\"{total}\"); }\n";
        let counter = Counter::new(vec![Family::ClaudeV47, Family::ClaudeV3, Family::Gemma3]);
        let mut text = String::new();
        while counter.count(&text).exact < 1_000 {
            text += line;
        }
        let thousand = counter.count(&text);
        (0..thousands).map(|_| thousand).sum()
    }

    #[test]
    fn the_route_follows_size_and_models() {
        use Context::{Auto, Full, Plan};
        use Focus::{Everything, Plan as Named, Slice};
        use ProgramKind::{Claude, Codex, Gemini};
        use Size::{Large, Medium, Small};
        let pro = (Gemini, "gemini-3.1-pro-preview");
        let opus = (Claude, "claude-opus-5-5");
        for (thousands, planner, executor, context, expected) in [
            (40, pro, opus, Auto, (Small, Everything)),
            (150, pro, opus, Auto, (Medium, Slice)),
            (1_500, pro, opus, Auto, (Large, Slice)),
            // Half of 200,000 tokens, less what claude itself puts in, is under the cap.
            (65, pro, (Claude, "claude-haiku-4-5"), Auto, (Medium, Slice)),
            // codex uses a quarter of its model's window.
            (300, (Codex, "gpt-6.1-sol"), opus, Auto, (Large, Slice)),
            (
                200,
                (Codex, "gpt-6.1-sol"),
                (Codex, "gpt-6.1-sol"),
                Auto,
                (Medium, Slice),
            ),
            (300, opus, opus, Auto, (Medium, Slice)),
            (150, pro, opus, Full, (Medium, Everything)),
            (40, pro, opus, Plan, (Small, Named)),
        ] {
            let (planner, executor) =
                (player(planner.0, planner.1), player(executor.0, executor.1));
            let route = route(&repository(thousands), &planner, &executor, context);
            assert_eq!(
                (route.size, route.executor_gets),
                expected,
                "{thousands} {route:?}"
            );
        }
    }
}
