//! What claude speaks with `--output-format stream-json --verbose`, as measured with 2.1.

use std::time::Duration;

use serde_json::Value;

use super::Doing;
use super::outcome::{Class, Failure, Reply, Usage};
use super::protocol::{Exit, Protocol, activity, add, number, some_text, text};

/// What was read so far.
#[derive(Default)]
pub(super) struct Claude {
    reply: Reply,
    result: Option<Value>,
    trouble: Option<String>,
    /// The message that was read last, and the tokens of all prompts so far.
    message: String,
    n_read: u64,
}

impl Protocol for Claude {
    fn line(&mut self, line: &Value) -> Option<Doing> {
        match text(line, "/type") {
            "system" if text(line, "/subtype") == "api_retry" => {
                let status = number(line, "/error_status");
                let status = status.map_or(String::new(), |status| format!(" (status {status})"));
                let delay = number(line, "/retry_delay_ms");
                let within = delay.map_or(String::new(), |delay| format!(" in {delay} ms"));
                let told = format!("waits to try again{within}{status}");
                self.trouble = Some(format!("{told}: {}", text(line, "/error")));
                return Some(Doing::Waits(told, delay.map(Duration::from_millis)));
            }
            "assistant" if text(line, "/message/model") != "<synthetic>" => {
                return self.blocks(line).map(Doing::Works);
            }
            // What the model says after a tool's result begins anew.
            "user" if is_tool_result(line) => self.reply.text.clear(),
            "result" => self.result = Some(line.clone()),
            _ => {}
        }
        None
    }

    fn trouble(&self, _: &str) -> Option<String> {
        self.trouble.clone()
    }

    fn finish(mut self: Box<Self>, exit: &Exit<'_>) -> Result<Reply, Failure> {
        let Some(result) = self.result.take() else {
            return Err(match exit.code {
                0 if exit.is_silent => {
                    Failure::new(Class::Empty, "it ended well and wrote nothing")
                }
                0 => Failure::new(Class::Malformed, "its output has no result line"),
                143 => Failure::new(Class::Killed, "it was asked to end"),
                _ => Failure::of_words(exit.stderr),
            });
        };
        let errors = || {
            let list = result.get("errors").and_then(Value::as_array);
            list.and_then(|list| list.first()).and_then(Value::as_str)
        };
        let message = Some(text(&result, "/result"))
            .filter(|said| !said.trim().is_empty())
            .or_else(errors)
            .unwrap_or(exit.stderr);
        let is_error = result.get("is_error").and_then(Value::as_bool) != Some(false);
        if is_error || exit.code != 0 {
            return Err(
                match (text(&result, "/subtype"), text(&result, "/terminal_reason")) {
                    ("error_max_turns" | "error_max_budget_usd", _) => {
                        Failure::new(Class::Cut, message)
                    }
                    (_, "prompt_too_long" | "blocking_limit") => {
                        Failure::new(Class::OverWindow, message)
                    }
                    _ if text(&result, "/stop_reason") == "refusal" => {
                        Failure::new(Class::Refused, message)
                    }
                    _ if text(&result, "/api_error") == "max_output_tokens" => {
                        Failure::new(Class::Cut, message)
                    }
                    _ => match number(&result, "/api_error_status") {
                        Some(status) => Failure::of_status(status, message),
                        None => Failure::of_words(message),
                    },
                },
            );
        }
        match text(&result, "/stop_reason") {
            "refusal" => return Err(Failure::new(Class::Refused, message)),
            "max_tokens" | "model_context_window_exceeded" | "pause_turn" => {
                return Err(Failure::new(
                    Class::Cut,
                    "the answer reached the model's limit",
                ));
            }
            _ => {}
        }
        if self.reply.text.trim().is_empty() {
            text(&result, "/result").clone_into(&mut self.reply.text);
        }
        if self.reply.text.trim().is_empty() {
            return Err(Failure::new(Class::Empty, "the model answered nothing"));
        }
        self.reply.session = some_text(&result, "/session_id");
        self.reply.usage = usage(&result);
        let denials = result.get("permission_denials").and_then(Value::as_array);
        for denial in denials.into_iter().flatten() {
            self.reply.denied.push(activity(
                text(denial, "/tool_name"),
                denial.get("tool_input"),
            ));
        }
        Ok(self.reply)
    }
}

impl Claude {
    /// Adds the prompt of a message to what was read; there is a line for each of its blocks.
    fn count(&mut self, line: &Value) {
        let id = text(line, "/message/id");
        if id == self.message {
            return;
        }
        id.clone_into(&mut self.message);
        let keys = [
            "/message/usage/input_tokens",
            "/message/usage/cache_read_input_tokens",
            "/message/usage/cache_creation_input_tokens",
        ];
        self.n_read += keys.iter().filter_map(|key| number(line, key)).sum::<u64>();
    }

    fn blocks(&mut self, line: &Value) -> Option<String> {
        self.count(line);
        let blocks = line.pointer("/message/content").and_then(Value::as_array);
        let mut last = None;
        for block in blocks.into_iter().flatten() {
            match text(block, "/type") {
                "text" => add(&mut self.reply.text, text(block, "/text")),
                "tool_use" => {
                    let does = activity(text(block, "/name"), block.get("input"));
                    last = Some(does + &so_far(self.n_read));
                }
                _ => {}
            }
        }
        last
    }
}

/// Says how many tokens were read, where that is known.
fn so_far(n_read: u64) -> String {
    match n_read {
        0 => String::new(),
        1..1000 => format!(" ({n_read} tokens in so far)"),
        _ => format!(" ({}k tokens in so far)", n_read / 1000),
    }
}

fn is_tool_result(line: &Value) -> bool {
    let blocks = line.pointer("/message/content").and_then(Value::as_array);
    blocks.is_some_and(|blocks| {
        blocks
            .iter()
            .any(|block| text(block, "/type") == "tool_result")
    })
}

fn usage(result: &Value) -> Usage {
    let models = result.get("modelUsage").and_then(Value::as_object);
    let sum = |keys: &[&str]| {
        let models = models?.values();
        let of = |model: &Value| {
            keys.iter()
                .filter_map(|key| model.get(key)?.as_u64())
                .sum::<u64>()
        };
        Some(models.map(of).sum())
    };
    Usage {
        input: sum(&[
            "inputTokens",
            "cacheReadInputTokens",
            "cacheCreationInputTokens",
        ]),
        cached: sum(&["cacheReadInputTokens"]),
        output: sum(&["outputTokens"]),
        dollars: result
            .get("total_cost_usd")
            .and_then(Value::as_f64)
            // Less than nothing is no amount.
            .filter(|dollars| *dollars >= 0.0),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::protocol::class_of;
    use super::*;

    #[test]
    fn what_it_does_is_told_with_the_tokens_that_it_has_read() {
        let mut claude = Claude::default();
        // Two blocks of one message, each in a line; then a message that tells no usage, and another that does.
        for (id, usage, told) in [
            (
                "a",
                json!({"input_tokens": 100}),
                "Read x (100 tokens in so far)",
            ),
            (
                "a",
                json!({"input_tokens": 100}),
                "Read x (100 tokens in so far)",
            ),
            ("b", json!(null), "Read x (100 tokens in so far)"),
            (
                "c",
                json!({"input_tokens": 900, "cache_read_input_tokens": 41_000, "cache_creation_input_tokens": 1}),
                "Read x (42k tokens in so far)",
            ),
        ] {
            let block = json!({"type": "tool_use", "name": "Read", "input": {"file_path": "x"}});
            let line = json!({"type": "assistant", "message": {"id": id, "content": [block], "usage": usage}});
            assert_eq!(claude.line(&line), Some(Doing::works(told)));
        }
    }

    #[test]
    fn what_it_says_to_have_cost_less_than_nothing_is_not_known() {
        for (told, dollars) in [
            (json!(0.5), Some(0.5)),
            (json!(0), Some(0.0)),
            (json!(-0.5), None),
            (json!("0.5"), None),
        ] {
            let result = json!({"total_cost_usd": told});
            assert_eq!(usage(&result).dollars, dollars, "{told}");
        }
    }

    #[test]
    fn what_it_says_of_a_failure_has_its_class() {
        // Of the last line that it wrote to stdout, recorded with 2.1: what it says, and the fields that tell. Only the
        // session's limit was never met; its words stand in the program.
        for (said, fields, class) in [
            (
                "API Error: Request rejected (429) · This request would exceed your account's rate limit. Please try again later.",
                json!({"terminal_reason": "api_error", "api_error_status": 429}),
                Class::RateLimited,
            ),
            (
                "You've hit your session limit · resets 3pm (Europe/Berlin)",
                json!({"terminal_reason": "api_error", "api_error_status": 429}),
                Class::OutOfQuota,
            ),
            (
                "Credit balance is too low",
                json!({"terminal_reason": "api_error", "api_error_status": 400}),
                Class::OutOfQuota,
            ),
            (
                "Failed to authenticate. API Error: 401 OAuth token has expired.",
                json!({"terminal_reason": "api_error", "api_error_status": 401}),
                Class::NotSignedIn,
            ),
            (
                "There's an issue with the selected model (claude-opus-5-5). It may not exist or you may not have access to it.",
                json!({"terminal_reason": "api_error", "api_error_status": 404}),
                Class::NoSuchModel,
            ),
            (
                "Prompt is too long · the request is ~1200000 tokens (limit 1000000)",
                json!({"terminal_reason": "prompt_too_long", "api_error_status": 400}),
                Class::OverWindow,
            ),
            (
                "API Error: Repeated 529 Overloaded errors. The API is at capacity — this is usually temporary.",
                json!({"terminal_reason": "api_error", "api_error_status": 529}),
                Class::Network,
            ),
            (
                "API Error: Connection refused — a firewall or proxy may be blocking it (ECONNREFUSED)",
                json!({"terminal_reason": "api_error", "api_error": "connection_failed"}),
                Class::Network,
            ),
            (
                "API Error: API returned an empty or malformed response (HTTP 200) — check for a proxy or gateway intercepting the request.",
                json!({"terminal_reason": "api_error"}),
                Class::Network,
            ),
            (
                "API Error: Opus 5.5's safeguards flagged this message (https://www.anthropic.com/legal/aup).",
                json!({"terminal_reason": "api_error", "stop_reason": "refusal"}),
                Class::Refused,
            ),
            (
                "API Error: Claude's response exceeded the 128000 output token maximum.",
                json!({"terminal_reason": "api_error", "api_error": "max_output_tokens"}),
                Class::Cut,
            ),
        ] {
            let mut line =
                json!({"type": "result", "subtype": "success", "is_error": true, "result": said});
            line.as_object_mut()
                .unwrap()
                .extend(fields.as_object().unwrap().clone());
            let found = class_of(Box::<Claude>::default(), &line.to_string(), 1, "");
            assert_eq!(found, Some(class), "{said}");
        }
    }
}
