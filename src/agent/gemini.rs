//! What gemini speaks with `-o stream-json`, as measured with 0.61.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use super::Doing;
use super::outcome::{Class, Failure, Reply, Usage};
use super::protocol::{Exit, Protocol, activity, add, number, some_text, text};

/// What was read so far.
#[derive(Default)]
pub(super) struct Gemini {
    reply: Reply,
    result: Option<Value>,
    error: Option<String>,
    /// What each tool was used for, by the identifier of the use.
    uses: HashMap<String, String>,
}

/// No more uses of tools are remembered at a time, and no more that it did not get.
const MAX_USES: usize = 1000;

/// How it marks the result of a tool that it did not let run.
const DENIED: &[&str] = &["tool_not_registered", "policy_violation"];

/// What it says of an answer that it cannot use.
const UNUSABLE: &[(&str, Class)] = &[
    ("response was blocked due to", Class::Refused),
    ("truncated because it exceeded the token limit", Class::Cut),
    ("returned an empty response", Class::Empty),
    ("no final response text", Class::Empty),
    ("malformed function call", Class::Malformed),
    ("unexpected tool call", Class::Malformed),
    ("ended without a finish reason", Class::Network),
];

/// Above this an exit code is an HTTP status less 256.
const STATUS_CODES: std::ops::RangeInclusive<i32> = 144..=255;

/// 529, overloaded, is over two bytes.
const OVERLOADED: i32 = 529 - 512;

impl Protocol for Gemini {
    fn line(&mut self, line: &Value) -> Option<Doing> {
        match text(line, "/type") {
            "init" => self.reply.session = some_text(line, "/session_id"),
            "message" if text(line, "/role") == "assistant" => {
                add(&mut self.reply.text, text(line, "/content"));
            }
            "tool_use" => {
                let told = activity(text(line, "/tool_name"), line.get("parameters"));
                if self.uses.len() < MAX_USES {
                    self.uses
                        .insert(text(line, "/tool_id").to_owned(), told.clone());
                }
                return Some(Doing::Works(told));
            }
            "tool_result" => {
                // What the model says after a tool's result begins anew.
                self.reply.text.clear();
                let used = self.uses.remove(text(line, "/tool_id"));
                if DENIED.contains(&text(line, "/error/type")) && self.reply.denied.len() < MAX_USES
                {
                    self.reply.denied.extend(used);
                }
            }
            "error" if text(line, "/severity") == "error" => {
                self.error = Some(text(line, "/message").to_owned());
            }
            "result" => self.result = Some(line.clone()),
            _ => {}
        }
        None
    }

    fn aside(&mut self, line: &str) -> Option<Doing> {
        let is_told = line.contains("Retrying after") || line.contains("Retrying with");
        let delay = line.split("Retrying after ").nth(1).and_then(milliseconds);
        is_told.then(|| Doing::Waits(format!("waits to try again: {}", line.trim()), delay))
    }

    fn trouble(&self, stderr: &str) -> Option<String> {
        self.error.clone().or_else(|| last_attempt(stderr))
    }

    fn finish(mut self: Box<Self>, exit: &Exit<'_>) -> Result<Reply, Failure> {
        let result = self.result.take().unwrap_or_default();
        let said = [
            text(&result, "/error/message"),
            self.error.as_deref().unwrap_or(""),
            exit.stderr,
        ];
        let said = said
            .into_iter()
            .find(|said| !said.trim().is_empty())
            .unwrap_or("it said nothing");
        match exit.code {
            0 => {}
            41 => return Err(Failure::new(Class::NotSignedIn, said)),
            53 => return Err(Failure::new(Class::Cut, said)),
            55 => return Err(Failure::new(Class::PermissionDenied, said)),
            130 => return Err(Failure::new(Class::Killed, said)),
            OVERLOADED => return Err(Failure::of_status(529, said)),
            code if STATUS_CODES.contains(&code) => {
                // 400 is 144, 503 is 247: statuses are told apart by their lowest byte.
                let status = u64::from(code.unsigned_abs()) + 256;
                return Err(Failure::of_status(status, said));
            }
            _ => return Err(of_message(said)),
        }
        match text(&result, "/status") {
            "success" => {}
            "error" => return Err(of_message(said)),
            _ if self.reply.text.is_empty() && exit.is_silent => {
                return Err(Failure::new(
                    Class::Empty,
                    "it ended well and wrote nothing",
                ));
            }
            _ => {
                return Err(Failure::new(
                    Class::Malformed,
                    "its output has no result line",
                ));
            }
        }
        let input = number(&result, "/stats/input_tokens");
        self.reply.usage = Usage {
            input,
            cached: number(&result, "/stats/cached"),
            output: number(&result, "/stats/output_tokens"),
            dollars: None,
        };
        if self.reply.text.trim().is_empty() {
            // By its own count the prompt is over the window: it then asks nobody and says nothing.
            return Err(if input.unwrap_or(0) == 0 {
                Failure::new(
                    Class::OverWindow,
                    "it asked nothing: by its own count the prompt is over the window",
                )
            } else {
                Failure::new(Class::Empty, "the model answered nothing")
            });
        }
        Ok(self.reply)
    }
}

/// Decides the class from the words, where the exit code tells none.
fn of_message(said: &str) -> Failure {
    let known = UNUSABLE.iter().find(|(words, _)| said.contains(words));
    match known {
        Some((_, class)) => Failure::new(*class, said),
        None if said.contains("\"code\":404") => Failure::new(Class::NoSuchModel, said),
        None => Failure::of_words(said),
    }
}

/// Returns the time with which a text begins: `69506ms`.
fn milliseconds(text: &str) -> Option<Duration> {
    let digits = text.split_once("ms").map(|(digits, _)| digits)?;
    digits.parse().ok().map(Duration::from_millis)
}

/// Returns what it last said on stderr of a request that it makes again; on stdout it says nothing of that.
fn last_attempt(stderr: &str) -> Option<String> {
    let at = stderr.rfind("Attempt ")?;
    let told = stderr[at..].lines();
    let told: Vec<&str> = told
        .take_while(|line| !line.starts_with("    at "))
        .collect();
    Some(told.join(" "))
}

#[cfg(test)]
mod tests {
    use super::super::protocol::class_of;
    use super::*;

    /// The last lines that it wrote to stdout, recorded with 0.61.
    fn failed(message: &str) -> String {
        let error = serde_json::json!({ "type": "unknown", "message": message });
        serde_json::json!({ "type": "result", "status": "error", "error": error }).to_string()
    }

    fn unusable(message: &str) -> String {
        let error = serde_json::json!({ "type": "error", "severity": "error", "message": message });
        format!(
            "{error}\n{}",
            r#"{"type":"result","status":"error","stats":{"input_tokens":200}}"#
        )
    }

    #[test]
    fn what_it_says_of_a_failure_has_its_class() {
        for (stdout, code, class) in [
            (
                failed(
                    "[API Error: You exceeded your current quota, please check your plan and billing details.\nSuggested retry after 30s.]\nPlease wait and try again later. To increase your limits, request a quota increase through AI Studio, or switch to another /auth method",
                ),
                173,
                Class::RateLimited,
            ),
            (
                failed(
                    "[API Error: You have exhausted your daily quota on this model.]\nPlease wait and try again later.",
                ),
                173,
                Class::OutOfQuota,
            ),
            (
                failed(
                    r#"[API Error: {"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}]"#,
                ),
                144,
                Class::NotSignedIn,
            ),
            (
                failed(
                    r#"[API Error: {"error":{"code":403,"message":"The caller does not have permission","status":"PERMISSION_DENIED"}}]"#,
                ),
                147,
                Class::PermissionDenied,
            ),
            (
                failed(
                    "[API Error: models/gemini-3.1-pro-preview is not found for API version v1beta.]",
                ),
                1,
                Class::NoSuchModel,
            ),
            (
                failed(
                    r#"[API Error: {"error":{"code":529,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]"#,
                ),
                17,
                Class::Network,
            ),
            (
                failed("[API Error: exception TypeError: fetch failed sending request]"),
                1,
                Class::Network,
            ),
            (failed("[API Error: terminated]"), 1, Class::Network),
            (
                failed("[API Error: Incomplete JSON segment at the end]"),
                1,
                Class::Network,
            ),
            (
                unusable(
                    "The model returned an empty response with no text or thoughts. This may be a transient API issue; please try again.",
                ),
                0,
                Class::Empty,
            ),
            (
                unusable("The model response was blocked due to safety settings."),
                0,
                Class::Refused,
            ),
            (
                unusable(
                    "Model response was truncated because it exceeded the token limit. Try using /compress to free up context space.",
                ),
                0,
                Class::Cut,
            ),
        ] {
            let found = class_of(Box::<Gemini>::default(), &stdout, code, "");
            assert_eq!(found, Some(class), "{stdout}");
        }
    }

    #[test]
    fn while_it_waits_stderr_tells_why() {
        let noise = "Ripgrep is not available. Falling back to GrepTool.\n";
        for (stderr, told) in [
            (
                "Attempt 1 failed: You exceeded your current quota, please check your plan and billing details.\nSuggested retry after 60s.. Retrying after 69506ms...\n",
                Some((Class::RateLimited, Some(60))),
            ),
            (
                "Attempt 1 failed with status 503. Retrying with backoff... _ApiError: {\"error\":{\"code\":503}}\n    at throwErrorIfNotOK (chunk.js:1:2)\n",
                Some((Class::Network, None)),
            ),
            ("", None),
        ] {
            let trouble = Gemini::default().trouble(&format!("{noise}{stderr}"));
            let found = trouble.map(|trouble| {
                let failure = Failure::of_words(&trouble);
                (
                    failure.class,
                    failure.retry_after.map(|wait| wait.as_secs()),
                )
            });
            assert_eq!(found, told, "{stderr}");
        }
    }
}
