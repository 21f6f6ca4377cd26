//! What an agent or a check is at, on one line of a terminal; gone when it is done.
//!
//! The same events are told line by line too: whoever has no terminal misses nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::printer::{Line, Printer, Volume, clean};
use super::story::used;
use crate::agent::Usage;
use crate::flow::host::Event;

/// The line, and what is known for it.
pub(super) struct Live<'a> {
    printer: &'a Printer,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What is at work now.
    work: Option<Work>,
    /// What the agents that have answered used.
    spent: Usage,
}

struct Work {
    line: Line,
    /// The step of a workflow that it is of, where several are done at once.
    step: Option<String>,
    /// Who works, and at what.
    who: String,
    /// What it did last.
    doing: String,
    since: Instant,
    /// When it was last seen to, and what the line says since then.
    drawn: Instant,
    shown: String,
}

/// How often the line changes at most.
const REFRESH: Duration = Duration::from_millis(250);

impl<'a> Live<'a> {
    pub(super) fn new(printer: &'a Printer) -> Self {
        Self {
            printer,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an event, of a step that is done beside others if one is named, and lets `say` tell of it above the line or in its place.
    pub(super) fn tell(&self, step: Option<&str>, event: &Event<'_>, say: impl FnOnce()) {
        let mut state = self.state();
        if let (Event::Doing(doing), Some(work)) = (event, &mut state.work) {
            if self.printer.volume() == Volume::Verbose {
                work.line.above(say);
            }
            if work.step.as_deref() == step {
                (*doing).clone_into(&mut work.doing);
            }
            return;
        }
        state.work = None;
        say();
        let of = step.map_or(String::new(), |step| format!("{step}: "));
        let who = match event {
            Event::Answered(_, usage, ..) => {
                state.spent += *usage;
                return;
            }
            Event::Asking(role, agent) => format!("{:<10}{of}{agent}", role.name()),
            Event::Waiting(role, ..) => format!("{:<10}{of}waiting", role.name()),
            Event::Checking(command, is_baseline) => {
                let when = if *is_baseline { "before" } else { "after" };
                format!("{:<10}{of}{when}: `{command}`", "check")
            }
            _ => return,
        };
        state.work = self.printer.line().map(|line| {
            let now = Instant::now();
            Work {
                line,
                step: step.map(str::to_owned),
                who,
                doing: String::new(),
                since: now,
                drawn: now,
                shown: String::new(),
            }
        });
    }

    /// Brings the line up to date, if it is time; called many times a second while something works.
    pub(super) fn refresh(&self) {
        // An event that is told asks whether to stop, too.
        let Ok(mut state) = self.state.try_lock() else {
            return;
        };
        let spent = state.spent;
        if let Some(work) = &mut state.work
            && work.drawn.elapsed() >= REFRESH
        {
            work.drawn = Instant::now();
            let seconds = work.since.elapsed().as_secs();
            let now = text(&work.who, seconds, spent, &work.doing);
            if now != work.shown {
                work.line.show(&now);
                work.shown = now;
            }
        }
    }
}

/// Returns what the line says; it has no line break, and nothing that a terminal would obey.
fn text(who: &str, seconds: u64, spent: Usage, doing: &str) -> String {
    let so_far = match used(spent) {
        none if none.is_empty() => none,
        some => format!("  so far{some}"),
    };
    let doing = doing.lines().next().unwrap_or_default();
    let doing = if doing.is_empty() {
        String::new()
    } else {
        format!("  {doing}")
    };
    let text = format!("{who}  {}{doing}{so_far}", clock(seconds));
    clean(&text.replace('\n', " ")).into_owned()
}

/// Writes a length of time so that it keeps its place while it grows.
fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 {
        format!("{minutes}:{seconds:02}")
    } else {
        format!("{hours}:{minutes:02}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_who_how_long_what_and_how_much() {
        let nothing = Usage::default();
        let some = Usage {
            input: Some(1_000),
            output: Some(200),
            cached: None,
            dollars: Some(0.05),
        };
        for (who, seconds, spent, doing, expected) in [
            (
                "planner   gemini (pro)",
                0,
                nothing,
                "",
                "planner   gemini (pro)  0:00",
            ),
            (
                "executor  claude (opus)",
                65,
                some,
                "Edit src/main.rs",
                "executor  claude (opus)  1:05  Edit src/main.rs  so far: 1,000 tokens in, 200 tokens out, 0.05 USD",
            ),
            (
                "check     before: `a\nb`",
                3_723,
                nothing,
                "",
                "check     before: `a b`  1:02:03",
            ),
            (
                "executor  x",
                1,
                nothing,
                "Bash \u{1b}[2Jls\rrm\nsecond \u{202e}line",
                "executor  x  0:01  Bash \\u{1b}[2Jls\\rrm",
            ),
        ] {
            assert_eq!(text(who, seconds, spent, doing), expected);
        }
    }
}
