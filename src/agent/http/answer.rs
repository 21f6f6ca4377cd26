//! What the events of the three APIs say: text, usage, how the answer ended.

use serde_json::Value;

use super::Api;
use crate::agent::outcome::{Class, Failure, Reply, Usage};
use crate::agent::protocol::{number, text};

/// What was read so far.
pub(super) struct Answer {
    api: Api,
    reply: Reply,
    has_events: bool,
    /// Why the model ended, in the API's word.
    end: Option<String>,
    /// Whether the stream said of itself that it is at its end.
    is_over: bool,
    failure: Option<Failure>,
}

impl Answer {
    pub(super) fn new(api: Api) -> Self {
        Self {
            api,
            reply: Reply::default(),
            has_events: false,
            end: None,
            is_over: false,
            failure: None,
        }
    }

    /// Says whether nothing more is to come.
    pub(super) fn is_over(&self) -> bool {
        self.is_over || self.failure.is_some()
    }

    /// Says whether the model has said nothing so far.
    pub(super) fn is_silent(&self) -> bool {
        self.reply.text.is_empty()
    }

    /// Says whether anything was read that the API speaks.
    pub(super) fn has_events(&self) -> bool {
        self.has_events
    }

    /// Takes the error that stood in the stream.
    pub(super) fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// Takes the data of an event.
    pub(super) fn event(&mut self, data: &[u8]) {
        if self.is_over() {
            return;
        }
        self.has_events = true;
        if data == b"[DONE]" {
            self.is_over = true;
            return;
        }
        let Ok(event) = serde_json::from_slice::<Value>(data) else {
            // A piece of the answer may have been in it.
            let why = "an event of its stream cannot be read";
            self.failure = Some(Failure::new(Class::Malformed, why));
            return;
        };
        if event.get("error").is_some_and(|error| !error.is_null()) {
            self.failure = Some(error(&event));
            return;
        }
        match self.api {
            Api::Gemini => self.gemini(&event),
            Api::Anthropic => self.anthropic(&event),
            Api::OpenAi => self.openai(&event),
        }
    }

    fn gemini(&mut self, event: &Value) {
        let parts = event.pointer("/candidates/0/content/parts");
        for part in parts.and_then(Value::as_array).into_iter().flatten() {
            if part.get("thought").and_then(Value::as_bool) != Some(true) {
                self.reply.text += text(part, "/text");
            }
        }
        self.ended(text(event, "/candidates/0/finishReason"));
        let blocked = text(event, "/promptFeedback/blockReason");
        if !blocked.is_empty() {
            let why = format!("the prompt was blocked: {blocked}");
            self.failure = Some(Failure::new(Class::Refused, why));
        }
        if let Some(usage) = event.get("usageMetadata") {
            self.reply.usage = Usage {
                input: number(usage, "/promptTokenCount"),
                cached: number(usage, "/cachedContentTokenCount"),
                output: sum(usage, &["/candidatesTokenCount", "/thoughtsTokenCount"]),
                dollars: None,
            };
        }
    }

    fn anthropic(&mut self, event: &Value) {
        if text(event, "/delta/type") == "text_delta" {
            self.reply.text += text(event, "/delta/text");
        }
        self.ended(text(event, "/delta/stop_reason"));
        self.is_over = text(event, "/type") == "message_stop";
        let usage = event.pointer("/message/usage").or(event.get("usage"));
        let Some(usage) = usage else {
            return;
        };
        let cached = "/cache_read_input_tokens";
        if number(usage, "/input_tokens").is_some() {
            let all = ["/input_tokens", "/cache_creation_input_tokens", cached];
            self.reply.usage.input = sum(usage, &all);
            self.reply.usage.cached = number(usage, cached);
        }
        self.reply.usage.output = number(usage, "/output_tokens").or(self.reply.usage.output);
    }

    fn openai(&mut self, event: &Value) {
        self.reply.text += text(event, "/choices/0/delta/content");
        self.ended(text(event, "/choices/0/finish_reason"));
        let refusal = text(event, "/choices/0/delta/refusal");
        if !refusal.is_empty() {
            self.failure = Some(Failure::new(Class::Refused, refusal));
        }
        if let Some(usage) = event.get("usage").filter(|usage| usage.is_object()) {
            self.reply.usage = Usage {
                input: number(usage, "/prompt_tokens"),
                cached: number(usage, "/prompt_tokens_details/cached_tokens"),
                output: number(usage, "/completion_tokens"),
                dollars: None,
            };
        }
    }

    fn ended(&mut self, reason: &str) {
        if !reason.is_empty() {
            self.end = Some(reason.to_owned());
        }
    }

    /// Decides what came of a stream that has come to its end.
    pub(super) fn finish(self) -> Result<Reply, Failure> {
        // Gemini's streams have no mark of their own beside the reason.
        let is_marked = self.is_over || self.api == Api::Gemini;
        let Some(reason) = self.end.filter(|_| is_marked) else {
            return Err(Failure::new(Class::Cut, "its stream has no end"));
        };
        let class = match reason.as_str() {
            "STOP" | "stop" | "end_turn" | "stop_sequence" => None,
            "MAX_TOKENS"
            | "length"
            | "max_tokens"
            | "model_context_window_exceeded"
            | "pause_turn" => Some(Class::Cut),
            "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII"
            | "content_filter" | "refusal" => Some(Class::Refused),
            _ => Some(Class::Malformed),
        };
        match class {
            Some(class) => Err(Failure::new(
                class,
                format!("the model ended with `{reason}`"),
            )),
            None if self.reply.text.trim().is_empty() => {
                Err(Failure::new(Class::Empty, "the model answered nothing"))
            }
            None => Ok(self.reply),
        }
    }
}

/// Returns the sum of the numbers at `pointers`; none if there is none of them.
fn sum(value: &Value, pointers: &[&str]) -> Option<u64> {
    let found = pointers.iter().filter_map(|pointer| number(value, pointer));
    found.reduce(u64::saturating_add)
}

/// Decides what an error means that came in the stream.
fn error(event: &Value) -> Failure {
    let status = match text(event, "/error/type") {
        "overloaded_error" => Some(529),
        "api_error" | "timeout_error" => Some(500),
        "rate_limit_error" => Some(429),
        "authentication_error" => Some(401),
        "billing_error" => Some(402),
        "permission_error" => Some(403),
        "not_found_error" => Some(404),
        "request_too_large" => Some(413),
        "invalid_request_error" => Some(400),
        _ => number(event, "/error/code"),
    };
    let (all, message) = (event.to_string(), text(event, "/error/message"));
    let message = if message.is_empty() { &all } else { message };
    match status {
        Some(status) => {
            let failure = Failure::of_status(status, &all);
            Failure::new(failure.class, message).waiting(&all)
        }
        None => Failure::of_words(message),
    }
}
