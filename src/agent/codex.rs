//! What `codex exec --json` speaks, as measured with 0.169.

use serde_json::Value;

use super::outcome::{Class, Failure, Reply, Usage};
use super::protocol::{Exit, Protocol, number, some_text, text};
use super::{Doing, retry};

/// What was read so far.
#[derive(Default)]
pub(super) struct Codex {
    reply: Reply,
    is_completed: bool,
    failed: Option<String>,
    error: Option<String>,
}

impl Protocol for Codex {
    fn line(&mut self, line: &Value) -> Option<Doing> {
        match (text(line, "/type"), text(line, "/item/type")) {
            ("thread.started", _) => {
                self.reply.session = some_text(line, "/thread_id");
            }
            ("item.completed", "agent_message") => {
                text(line, "/item/text").clone_into(&mut self.reply.text);
            }
            ("item.started", "command_execution") => {
                return Some(Doing::Works(format!(
                    "runs {}",
                    text(line, "/item/command")
                )));
            }
            ("item.completed", "file_change") => {
                return Some(Doing::Works(format!(
                    "edits {}",
                    text(line, "/item/changes/0/path")
                )));
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
                let told = text(line, "/message");
                self.error = Some(told.to_owned());
                return Some(Doing::Waits(told.to_owned(), retry::of_words(told)));
            }
            _ => {}
        }
        None
    }

    fn trouble(&self, _: &str) -> Option<String> {
        self.error.clone()
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

/// Decides the class from the words: there is no field for it.
fn of_message(message: &str) -> Failure {
    let class = if message.contains("content_filter") {
        Class::Refused
    } else if message.contains("Incomplete response") {
        Class::Cut
    } else if message.contains("out of room") {
        Class::OverWindow
    } else {
        return Failure::of_words(message);
    };
    Failure::new(class, message)
}

#[cfg(test)]
mod tests {
    use super::super::protocol::class_of;
    use super::*;

    #[test]
    fn what_it_says_of_a_failure_has_its_class() {
        // The message of the last line that it wrote to stdout, recorded with 0.169.
        for (said, class) in [
            (
                "exceeded retry limit, last status: 429 Too Many Requests",
                Class::RateLimited,
            ),
            (
                "Quota exceeded. Check your plan and billing details.",
                Class::OutOfQuota,
            ),
            (
                "unexpected status 401 Unauthorized: Incorrect API key provided: test-key., url: http://127.0.0.1/v1/responses",
                Class::NotSignedIn,
            ),
            (
                "unexpected status 403 Forbidden: Country, region, or territory not supported, url: http://127.0.0.1/v1/responses",
                Class::PermissionDenied,
            ),
            (
                "The model `gpt-6.1-sol` does not exist or you do not have access to it.",
                Class::NoSuchModel,
            ),
            (
                "Codex ran out of room in the model's context window. Start a new thread or clear earlier history before retrying.",
                Class::OverWindow,
            ),
            (
                "We’re currently experiencing high demand, which may cause temporary errors.",
                Class::Network,
            ),
            (
                "unexpected status 529 <unknown status code>: Overloaded, url: http://127.0.0.1/v1/responses",
                Class::Network,
            ),
            (
                "stream disconnected before completion: stream closed before response.completed",
                Class::Network,
            ),
            (
                "stream disconnected before completion: Incomplete response returned, reason: content_filter",
                Class::Refused,
            ),
            (
                "Incomplete response returned, reason: max_output_tokens",
                Class::Cut,
            ),
            (
                r#"{"error":{"type":"invalid_request_error","message":"Unsupported value: 'x'."}}"#,
                Class::Crashed,
            ),
        ] {
            let line = serde_json::json!({"type": "turn.failed", "error": {"message": said}});
            let found = class_of(Box::<Codex>::default(), &line.to_string(), 1, "");
            assert_eq!(found, Some(class), "{said}");
        }
    }
}
