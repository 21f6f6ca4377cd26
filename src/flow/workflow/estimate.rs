//! What a workflow would ask for, before anybody is asked: the tokens of each step's prompt, at least and at most, and how often.
//!
//! In: the steps, and what is known beforehand. Out: bounds. Where a prompt depends on what others will say, the least is what stands in
//! it already, the most what its model takes.

use std::collections::BTreeMap;

use super::Workshop;
use super::beforehand::known_of;
use crate::agent::Role;
use crate::flow::pack;
use crate::flow::player::Player;
use crate::prompt::template::{self, Scope};
use crate::repo::{Globs, Named};
use crate::tokens::Count;
use crate::workflow::{Does, Step, Times};

/// What a step would ask for each time.
#[derive(Clone, Copy)]
pub struct Estimate<'a> {
    /// Who is asked.
    pub player: &'a Player,
    /// As what.
    pub role: Role,
    /// The least tokens of its prompt.
    pub least: u64,
    /// The most.
    pub most: u64,
    /// How often at least.
    pub n_least: u64,
    /// How often at most; of a list that is not known yet, once.
    pub n_most: u64,
}

/// Returns what the steps that ask somebody would ask for, by their names.
pub fn estimates<'a>(
    steps: &[Step],
    scope: &Scope,
    shop: &'a Workshop<'_>,
) -> BTreeMap<String, Estimate<'a>> {
    let mut estimates = BTreeMap::new();
    let mut packs = BTreeMap::new();
    Estimator { scope, shop }.steps(steps, (1, 1), &mut packs, &mut estimates);
    estimates
}

struct Estimator<'a, 'b> {
    scope: &'b Scope,
    shop: &'a Workshop<'a>,
}

/// The tokens of packs, by the globs of their files.
type Packs = BTreeMap<Vec<String>, Count>;

impl<'a> Estimator<'a, '_> {
    fn steps(
        &self,
        steps: &[Step],
        times: (u64, u64),
        packs: &mut Packs,
        estimates: &mut BTreeMap<String, Estimate<'a>>,
    ) {
        for step in steps {
            let (mut n_least, mut n_most) = times;
            match known_of(step, self.scope, &self.shop.files) {
                Some(true) => {}
                Some(false) => continue,
                None => n_least = 0,
            }
            match &step.times {
                Times::Once => {}
                Times::Until { most, .. } => n_most = n_most.saturating_mul(*most as u64),
                Times::Each { of, .. } => {
                    let list = template::value(of, self.scope, &self.shop.files).ok();
                    match list.and_then(|list| list.as_array().map(Vec::len)) {
                        Some(n) => {
                            n_least *= n as u64;
                            n_most = n_most.saturating_mul(n as u64);
                        }
                        None => n_least = 0,
                    }
                }
            }
            if let Does::Steps { steps, .. } = &step.does {
                self.steps(steps, (n_least, n_most), packs, estimates);
            } else if let Some((player, role, least, most)) = self.step(&step.does, packs) {
                let estimate = Estimate {
                    player,
                    role,
                    least,
                    most,
                    n_least,
                    n_most,
                };
                estimates.insert(step.name.clone(), estimate);
            }
        }
    }

    fn step(&self, does: &Does, packs: &mut Packs) -> Option<(&'a Player, Role, u64, u64)> {
        let (name, role, words, files) = match does {
            Does::Ask {
                role,
                prompt,
                files,
                ..
            } => (role, Role::Asked, prompt.as_str(), files.as_slice()),
            Does::Execute { role, plan, .. } => (role, Role::Executor, plan.as_str(), &[][..]),
            Does::Review { role, plan } => {
                let plan = plan.as_deref().unwrap_or_default();
                (role, Role::Reviewer, plan, &[][..])
            }
            _ => return None,
        };
        let player = self.shop.players.get(name)?;
        let limit = player.prompt_limit(role);
        let known = template::fill(words, self.scope, &self.shop.files);
        // What a change or its files come to is not known.
        let is_known = known.is_ok() && role == Role::Asked;
        let text = known.unwrap_or_else(|_| template::sketch(words, self.scope));
        let own = player.tokens(&self.shop.request.counter.count(&text));
        let filled = files
            .iter()
            .map(|glob| template::fill(glob, self.scope, &self.shop.files));
        let packed = match filled.collect::<Result<Vec<String>, _>>() {
            Ok(globs) if globs.is_empty() => Some(0),
            Ok(globs) => self.packed(globs, packs).map(|count| player.tokens(&count)),
            Err(_) => None,
        };
        let least = own.saturating_add(packed.unwrap_or(0)).min(limit);
        let most = if is_known && packed.is_some() {
            least
        } else {
            limit
        };
        Some((player, role, least, most))
    }

    /// Returns the tokens of the files that globs name.
    fn packed(&self, globs: Vec<String>, packs: &mut Packs) -> Option<Count> {
        if let Some(known) = packs.get(&globs) {
            return Some(*known);
        }
        let mut request = self.shop.request.clone();
        request.globs = Globs::parse(&globs, &[]).ok()?;
        request.named = vec![Named::Everything];
        let scan = pack::find(self.shop.repository, &request).ok()?;
        let mut nothing = std::io::sink();
        let packed = pack::write(
            self.shop.repository,
            &request,
            scan,
            &mut nothing,
            &mut |_, _| {},
        );
        let count = packed.ok()?.count;
        packs.insert(globs, count);
        Some(count)
    }
}
