//! The group of steps that is carried out next: which they are, what they name of the files as they are, and the prompt.

use super::brief::{self, Group};
use super::groups::{ExecBy, Task};
use super::host::Host;
use super::pack;
use super::plan::{PlanningError, Prompt};
use super::references::resolve;
use super::route::Focus;
use crate::agent::Role;
use crate::path::RepoPath;
use crate::plan::{self, Plan, Reference, Status};
use crate::repo::{Candidate, Repository};

/// The steps that are left and done, by their places.
#[derive(Clone)]
pub(super) struct Queue {
    pub(super) by: ExecBy,
    /// In pieces that are not taken apart.
    pub(super) left: Vec<Vec<usize>>,
    pub(super) done: Vec<usize>,
}

impl Queue {
    /// Returns the first `n` pieces as a group.
    fn group(&self, n: usize) -> Group {
        let (now, later) = self.left.split_at(n.min(self.left.len()));
        Group {
            now: now.concat(),
            done: self.done.clone(),
            later: later.concat(),
        }
    }

    /// Enters a group as done.
    pub(super) fn advance(&mut self, group: &Group) {
        self.left.retain(|piece| !group.now.contains(&piece[0]));
        self.done.extend(&group.now);
    }
}

/// A group that is carried out next.
pub(super) struct Next {
    pub(super) group: Group,
    /// What its steps name of the files as they are.
    pub(super) references: Vec<Reference>,
    pub(super) focus: Focus,
    pub(super) prompt: Prompt,
}

impl Task<'_> {
    /// Returns the group that is carried out next, on the files of a repository as they are.
    pub(super) fn next(
        &self,
        (repository, candidates): (&Repository, &[Candidate]),
        queue: &Queue,
        host: &Host<'_>,
    ) -> Result<Next, PlanningError> {
        let mut n = match queue.by {
            ExecBy::Step => 1,
            ExecBy::Group | ExecBy::Whole => self.n_at_most((repository, candidates), queue)?,
        };
        let mut focus = match queue.by {
            ExecBy::Step => self.focus,
            // Everything was too much.
            ExecBy::Group | ExecBy::Whole => self.focus.max(Focus::Slice),
        };
        loop {
            let group = queue.group(n);
            let references = self.named((repository, candidates), &group.now);
            let asking = self.prompt(repository, Some(&group), &references, focus);
            let made = asking(self.work.executor, host);
            drop(asking);
            if is_short(&made, &references) && (n > 1 || focus == Focus::Everything) {
                focus = focus.max(Focus::Slice);
                n = n.saturating_sub(1).max(1);
                continue;
            }
            return Ok(Next {
                prompt: made?,
                group,
                references,
                focus,
            });
        }
    }

    /// Returns how many of the pieces that are left may have what they name within the executor's limit: no fewer do.
    fn n_at_most(
        &self,
        (repository, candidates): (&Repository, &[Candidate]),
        queue: &Queue,
    ) -> Result<usize, PlanningError> {
        let each = queue.left.iter();
        let each = each.map(|piece| self.named((repository, candidates), piece));
        let each: Vec<Vec<Reference>> = each.collect();
        let mut request = self.work.request.clone();
        request.named = brief::named(&each.concat());
        if request.named.is_empty() {
            return Ok(queue.left.len());
        }
        let failed = |error| PlanningError::Pack(Role::Executor, error);
        let scan = pack::find(repository, &request).map_err(failed)?;
        let mut nothing = std::io::sink();
        let packed = pack::write(repository, &request, scan, &mut nothing, &mut |_, _| {});
        let packed = packed.map_err(failed)?;
        let player = self.work.executor;
        let sizes = each.iter().map(|references| {
            let named = packed.entries.iter();
            let named = named.filter(|entry| names(references, &entry.path));
            let sizes = named.map(|entry| (&entry.path, player.tokens(&entry.cost)));
            sizes.collect()
        });
        let sizes: Vec<Vec<(&RepoPath, u64)>> = sizes.collect();
        let plan = self.work.request.counter.count(&self.plan.text);
        let room = player.prompt_limit(Role::Executor);
        let room = room.saturating_sub(player.tokens(&plan));
        Ok(plan::n_within(&sizes, room))
    }

    /// Returns what steps name of the files that are there.
    pub(super) fn named(
        &self,
        (repository, candidates): (&Repository, &[Candidate]),
        places: &[usize],
    ) -> Vec<Reference> {
        let own = Plan {
            text: brief::text_of(self.plan, places),
            steps: Vec::new(),
        };
        let mut references = resolve(&own.text, &own, repository, candidates);
        references.retain(|reference| !reference.is_open());
        references
    }
}

/// Says whether not all files that `references` name are in a prompt in full.
pub(super) fn is_short(made: &Result<Prompt, PlanningError>, references: &[Reference]) -> bool {
    match made {
        Ok(prompt) => prompt.omitted.iter().any(|path| names(references, path)),
        Err(error) => error.is_too_large(),
    }
}

/// Says whether one of `references` is the file at `path`; what is in a folder that is named is not.
fn names(references: &[Reference], path: &RepoPath) -> bool {
    references.iter().any(|reference| {
        !matches!(reference.status, Status::Folder(_)) && reference.paths().contains(path)
    })
}
