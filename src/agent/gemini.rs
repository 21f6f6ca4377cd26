//! What gemini speaks with `-o stream-json`, as measured with 0.61.

use std::collections::HashMap;

use serde_json::Value;

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

/// Above this an exit code is an HTTP status less 256.
const STATUS_CODES: std::ops::RangeInclusive<i32> = 144..=255;

/// 529, overloaded, is over two bytes.
const OVERLOADED: i32 = 529 - 512;

impl Protocol for Gemini {
    fn line(&mut self, line: &Value) -> Option<String> {
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
                return Some(told);
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

    fn trouble(&self) -> Option<&str> {
        self.error.as_deref()
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
            _ if said.contains("\"code\":404") || said.contains("NOT_FOUND") => {
                return Err(Failure::new(Class::NoSuchModel, said));
            }
            _ => return Err(Failure::of_words(said)),
        }
        match text(&result, "/status") {
            "success" => {}
            "error" => return Err(Failure::of_words(said)),
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
