//! A plan that is made anew by whoever made it, in the conversation in which they did.

use std::path::Path;

use super::host::Host;
use super::plan::{self, PlanningError, Session};
use super::plan_exec::RunError;
use super::plan_file::MAX_BYTES;
use super::player::Player;
use crate::agent::Choice;
use crate::fs;
use crate::plan::Plan;
use crate::prompt;
use crate::run::{self, Run};

/// The bytes of a token of prose, roughly.
const BYTES_PER_TOKEN: u64 = 3;

/// Returns who made the plan of the run `id`, if that is known.
pub fn planner_of(root: &Path, id: &str) -> Option<Choice> {
    let path = root.join(run::FOLDER).join(id).join(plan::SESSION_FILE);
    let session: Session = fs::read_json(&path, MAX_BYTES).ok()?;
    session.planner.parse().ok()
}

/// Asks the planner of the run `id` to change its plan, in the conversation in which it made it.
///
/// `edited` is the plan as the user has it, where that is another than the planner's.
///
/// # Errors
///
/// Fails if there is no such conversation, or no whole answer.
pub fn revise(
    id: &str,
    planner: &Player,
    note: &str,
    edited: Option<&str>,
    run: &Run,
    host: &Host<'_>,
) -> Result<Plan, RunError> {
    let missing = || RunError::NoSession(id.to_owned());
    let path = run
        .root()
        .join(run::FOLDER)
        .join(id)
        .join(plan::SESSION_FILE);
    let session: Session = fs::read_json(&path, MAX_BYTES).map_err(|_| missing())?;
    // The file may have come with the repository: what it names goes into a path and a command line.
    if !run::is_id(&session.run) || !run::is_id(&session.id) {
        return Err(missing());
    }
    if session.planner != planner.choice() {
        return Err(RunError::OtherPlanner {
            made: session.planner,
            asked: planner.choice(),
        });
    }
    let clean = |place, text| plan::redacted(place, text, host).map_err(PlanningError::from);
    let note = clean("the note", note)?;
    let edited = edited.map(|text| clean("the plan", text)).transpose()?;
    let prompt = prompt::revise(&note, edited.as_deref());
    // What was said before is not known here; a vendor that keeps it asks little for it.
    let tokens = prompt.len() as u64 / BYTES_PER_TOKEN;
    let asked = (prompt.as_str(), tokens);
    // Nobody else knows what was said.
    Ok(plan::ask(run, planner, asked, None, Some(&session), host)?.plan)
}
