//! What `codex exec --json` speaks, as measured with 0.169.

use serde_json::Value;

use super::outcome::{Class, Failure, Reply, Usage};
use super::protocol::{Exit, Protocol, number, some_text, text};

/// What was read so far.
#[derive(Default)]
pub(super) struct Codex {
    reply: Reply,
    is_completed: bool,
    failed: Option<String>,
    error: Option<String>,
}

impl Protocol for Codex {
    fn line(&mut self, line: &Value) -> Option<String> {
        match (text(line, "/type"), text(line, "/item/type")) {
            ("thread.started", _) => {
                self.reply.session = some_text(line, "/thread_id");
            }
            ("item.completed", "agent_message") => {
                text(line, "/item/text").clone_into(&mut self.reply.text);
            }
            ("item.started", "command_execution") => {
                return Some(format!("runs {}", text(line, "/item/command")));
            }
            ("item.completed", "file_change") => {
                return Some(format!("edits {}", text(line, "/item/changes/0/path")));
            }
            ("turn.completed", _) => {
                self.is_completed = true;
                self.reply.usage = Usage {
                    input: number(line, "/usage/input_tokens"),
                    cached: number(line, "/usage/cached_input_tokens"),
                    output: number(line, "/usage/output_tokens"),
                    dollars: None,
                };
            }
            ("turn.failed", _) => self.failed = Some(text(line, "/error/message").to_owned()),
            // Not the end yet: it tries again after most of these.
            ("error", _) => {
                self.error = Some(text(line, "/message").to_owned());
                return self.error.clone();
            }
            _ => {}
        }
        None
    }

    fn trouble(&self) -> Option<&str> {
        self.error.as_deref()
    }

    fn finish(self: Box<Self>, exit: &Exit<'_>) -> Result<Reply, Failure> {
        if let Some(message) = self.failed.or(self.error.filter(|_| exit.code != 0)) {
            return Err(of_message(&message));
        }
        if exit.code != 0 {
            return Err(of_message(exit.stderr));
        }
        if !self.is_completed {
            return Err(if exit.is_silent {
                Failure::new(Class::Empty, "it ended well and wrote nothing")
            } else {
                Failure::new(Class::Malformed, "its output has no end of the turn")
            });
        }
        if self.reply.text.trim().is_empty() {
            return Err(Failure::new(Class::Empty, "the model answered nothing"));
        }
        Ok(self.reply)
    }
}

/// Decides the class from the words: there is no field for the status.
fn of_message(message: &str) -> Failure {
    let status = message.split("status").skip(1).find_map(|rest| {
        let digits = rest.trim_start_matches([':', ' ']).get(..3)?;
        digits.parse().ok()
    });
    match status {
        Some(status) => Failure::of_status(status, message),
        None if message.contains("content_filter") => Failure::new(Class::Refused, message),
        None if message.to_lowercase().contains("incomplete")
            || message.contains("max_output_tokens") =>
        {
            Failure::new(Class::Cut, message)
        }
        None if message.contains("out of room") => Failure::new(Class::OverWindow, message),
        None => Failure::of_words(message),
    }
}
