//! How far the steps of a workflow are, as people and other agents read it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use crate::workflow::{Does, Step};

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// It is being done.
    Begun,
    /// It is done.
    Done,
    /// It failed.
    Failed,
    /// It need not be done.
    Skipped,
}

/// Beyond so many entries it is not written at each step.
const MANY: usize = 200;

/// How far all steps are.
pub(super) struct Progress {
    /// The names of all steps that do something, in their order.
    names: Vec<String>,
    /// What was begun: its label, what it does and who does it, and how far it is; in the order in which it was begun.
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    order: Vec<String>,
    known: BTreeMap<String, (String, How)>,
}

impl Progress {
    pub(super) fn of(steps: &[Step]) -> Self {
        Self {
            names: names(steps),
            entries: Mutex::default(),
        }
    }

    /// Enters how far a step is; returns all of it as a text, if it is to be written now.
    pub(super) fn enter(&self, label: &str, who: &str, how: How) -> Option<String> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = (who.to_owned(), how);
        if entries.known.insert(label.to_owned(), entry).is_none() {
            entries.order.push(label.to_owned());
        }
        let n = entries.order.len();
        (n < MANY || n.is_multiple_of(MANY)).then(|| self.text(&entries))
    }

    fn text(&self, entries: &Entries) -> String {
        let mut text = "# Progress\n".to_owned();
        let list = |text: &mut String, head: &str, mark: &str, are: &[How]| {
            let mut is_first = true;
            for label in &entries.order {
                let Some((who, how)) = entries.known.get(label) else {
                    continue;
                };
                if !are.contains(how) {
                    continue;
                }
                if std::mem::take(&mut is_first) {
                    let _ = writeln!(text, "\n## {head}\n");
                }
                let why = match how {
                    How::Skipped => String::new(),
                    How::Failed => " (failed)".to_owned(),
                    How::Begun | How::Done => format!(" ({who})"),
                };
                let _ = writeln!(text, "- [{mark}] {label}{why}");
            }
        };
        list(&mut text, "Completed", "x", &[How::Done]);
        list(&mut text, "Not needed", "x", &[How::Skipped]);
        list(&mut text, "Failed", " ", &[How::Failed]);
        list(&mut text, "In progress", " ", &[How::Begun]);
        let is_pending = |name: &&String| !entries.order.iter().any(|label| is_of(label, name));
        let pending: Vec<&String> = self.names.iter().filter(is_pending).collect();
        if !pending.is_empty() {
            text.push_str("\n## Pending\n\n");
        }
        for name in pending {
            let _ = writeln!(text, "- [ ] {name}");
        }
        text
    }
}

/// Says whether a label is of the step `name`, in whatever round, or of a group that it is in.
fn is_of(label: &str, name: &str) -> bool {
    let last = label.rsplit(['.', '/']).next().unwrap_or(label);
    last.split('[').next() == Some(name)
}

fn names(steps: &[Step]) -> Vec<String> {
    let mut all = Vec::new();
    for step in steps {
        match &step.does {
            Does::Steps { steps, .. } => all.extend(names(steps)),
            _ => all.push(step.name.clone()),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stand_where_they_are() {
        let progress = Progress {
            names: ["plan", "look", "change", "last"]
                .map(str::to_owned)
                .to_vec(),
            entries: Mutex::default(),
        };
        let mut text = None;
        for (label, who, how) in [
            ("rounds[1].plan", "ask, gemini", How::Begun),
            ("rounds[1].plan", "ask, gemini", How::Done),
            ("look", "", How::Skipped),
            ("again/change[2]", "execute, claude", How::Begun),
        ] {
            text = progress.enter(label, who, how);
        }
        let expected = "# Progress\n\n## Completed\n\n- [x] rounds[1].plan (ask, gemini)\n\n## Not needed\n\n- [x] look\n\
            \n## In progress\n\n- [ ] again/change[2] (execute, claude)\n\n## Pending\n\n- [ ] last\n";
        assert_eq!(text.as_deref(), Some(expected));
    }
}
