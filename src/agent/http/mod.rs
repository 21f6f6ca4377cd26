//! A vendor's API, or a server that speaks the same, as an agent: one request, its answer streamed.
//!
//! In: a prompt. Out: a reply, or a failure with its class. The stream is kept as it came, but for the key.
//!
//! Invariant: a stream without its end is never an answer.

mod answer;
mod events;
#[cfg(test)]
mod tests;
mod wire;

use std::io::Write as _;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::ending::exit_code;
use super::program::ProgramKind;
use super::protocol::text;
use super::{AgentError, Call, Class, Doing, Failure, Reply, Setting};
use crate::fs::{self, FsError};
use crate::process::{self, End, limit_reached};
use answer::Answer;
use events::Events;
use wire::{Head, Piece, Request, Scrubbed};

/// What servers speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// Google's `streamGenerateContent`.
    Gemini,
    /// Anthropic's `messages`.
    Anthropic,
    /// `OpenAI`'s `chat/completions`, which many others speak, too.
    OpenAi,
}

/// A server, with the model that it is to use.
#[derive(Debug, Clone)]
pub struct Http {
    /// How it is called.
    pub name: String,
    /// What it speaks.
    pub api: Api,
    /// Where it is; without it, where its vendor is.
    pub url: Option<String>,
    /// The variable that holds the key; none for a server without one.
    pub key: Option<String>,
    /// The identifier of the model.
    pub model: String,
    /// Most tokens of an answer.
    pub max_output: u64,
}

impl Api {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Gemini, Self::Anthropic, Self::OpenAi];

    /// Returns the name of the agent that asks the vendor itself.
    pub fn agent(self) -> &'static str {
        match self {
            Self::Gemini => "gemini-api",
            Self::Anthropic => "anthropic-api",
            Self::OpenAi => "openai-api",
        }
    }

    /// Returns the program of the same vendor.
    pub fn program(self) -> ProgramKind {
        match self {
            Self::Gemini => ProgramKind::Gemini,
            Self::Anthropic => ProgramKind::Claude,
            Self::OpenAi => ProgramKind::Codex,
        }
    }

    /// Returns the variable that holds the key for the vendor.
    pub fn key(self) -> &'static str {
        match self {
            Self::Gemini => "GEMINI_API_KEY",
            Self::Anthropic => "ANTHROPIC_API_KEY",
            Self::OpenAi => "OPENAI_API_KEY",
        }
    }

    /// Returns the variable by which the user says where the vendor is, and where it is otherwise.
    fn base(self) -> (&'static str, &'static str) {
        match self {
            Self::Gemini => (
                "GOOGLE_GEMINI_BASE_URL",
                "https://generativelanguage.googleapis.com",
            ),
            Self::Anthropic => ("ANTHROPIC_BASE_URL", "https://api.anthropic.com"),
            Self::OpenAi => ("OPENAI_BASE_URL", "https://api.openai.com/v1"),
        }
    }

    fn headers(self, key: Option<&str>) -> Vec<(&'static str, String)> {
        let key = key.map(|key| match self {
            Self::Gemini => ("x-goog-api-key", key.to_owned()),
            Self::Anthropic => ("x-api-key", key.to_owned()),
            Self::OpenAi => ("authorization", format!("Bearer {key}")),
        });
        let version =
            (self == Self::Anthropic).then(|| ("anthropic-version", "2023-06-01".to_owned()));
        key.into_iter().chain(version).collect()
    }
}

/// Says what keeps a text from being the URL of a server, if anything does.
pub(super) fn check_url(url: &str) -> Result<(), &'static str> {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        Err("needs a URL that begins with `http://` or `https://`")
    } else if url.contains(['@', '?', '#']) || url.contains(char::is_whitespace) {
        Err("needs a URL with no log-in, query or white space in it")
    } else if url.parse::<ureq::http::Uri>().is_err() {
        Err("needs a URL with a host, and a port if there is one")
    } else {
        Ok(())
    }
}

/// How often limits are looked at.
const TICK: Duration = Duration::from_millis(25);

impl Http {
    pub(super) fn name(&self) -> String {
        format!("{} ({})", self.name, self.model)
    }

    /// Returns where requests go, as far as that is known without the environment, for people.
    pub(super) fn example(&self) -> String {
        let base = self.url.as_deref().unwrap_or(self.api.base().1);
        format!("POST {}", self.address(base))
    }

    pub(super) fn ask(
        &self,
        call: &Call<'_>,
        setting: &Setting<'_>,
        doing: &mut dyn FnMut(Doing),
    ) -> Result<Result<Reply, Failure>, AgentError> {
        let request = match self.request(call.prompt, setting) {
            Ok(request) => request,
            Err(failure) => return Ok(Err(failure)),
        };
        let mut exchange = Exchange {
            api: self.api,
            url: request.url.clone(),
            head: None,
            beginning: Vec::new(),
            events: Events::default(),
            answer: Answer::new(self.api),
            trouble: None,
        };
        let ended = exchange.run(request, call, setting, doing)?;
        Ok(ended.and_then(|()| exchange.finish()))
    }

    fn request(&self, prompt: &str, setting: &Setting<'_>) -> Result<Request, Failure> {
        let key = match &self.key {
            None => None,
            Some(name) => {
                let key = setting.text(name).map(str::trim);
                let missing = || {
                    let why =
                        format!("the variable `{name}`, which is to hold the key, is not set");
                    Failure::new(Class::NotSignedIn, why)
                };
                Some(key.filter(|key| !key.is_empty()).ok_or_else(missing)?)
            }
        };
        let (variable, vendors) = self.api.base();
        let base = self.url.as_deref().or_else(|| setting.text(variable));
        let base = base.filter(|base| !base.is_empty()).unwrap_or(vendors);
        check_url(base)
            .map_err(|why| Failure::new(Class::Network, format!("`{variable}` {why}")))?;
        Ok(Request {
            url: self.address(base),
            headers: self.api.headers(key),
            key: key.map(str::to_owned),
            body: self.body(prompt).to_string(),
            proxy: wire::proxy_for(base, &|name| setting.text(name)),
            wall: setting.limits.wall,
        })
    }

    fn address(&self, base: &str) -> String {
        let base = base.trim_end_matches('/');
        match self.api {
            Api::Gemini => {
                let model = escaped(&self.model);
                format!("{base}/v1beta/models/{model}:streamGenerateContent?alt=sse")
            }
            Api::Anthropic => format!("{base}/v1/messages"),
            Api::OpenAi => format!("{base}/chat/completions"),
        }
    }

    fn body(&self, prompt: &str) -> Value {
        match self.api {
            Api::Gemini => json!({
                "contents": [{ "role": "user", "parts": [{ "text": prompt }] }],
            }),
            Api::Anthropic => json!({
                "model": self.model,
                "max_tokens": self.max_output,
                "stream": true,
                "messages": [{ "role": "user", "content": prompt }],
            }),
            Api::OpenAi => json!({
                "model": self.model,
                "stream": true,
                "stream_options": { "include_usage": true },
                "messages": [{ "role": "user", "content": prompt }],
            }),
        }
    }
}

/// Returns a text as it stands between the slashes of a URL.
fn escaped(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let each = text.bytes().map(|byte| match byte {
        byte if is_plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    each.collect()
}

/// A request under way, and what came of it so far.
struct Exchange {
    api: Api,
    url: String,
    head: Option<Head>,
    /// What the body begins with, in which errors stand.
    beginning: Vec<u8>,
    events: Events,
    answer: Answer,
    /// Why the connection broke.
    trouble: Option<String>,
}

/// So much of a body is held in case that it is an error.
const BEGINNING_BYTES: usize = 64 << 10;

impl Exchange {
    /// Sends the request, and takes what comes until it ends or a limit is reached.
    fn run(
        &mut self,
        request: Request,
        call: &Call<'_>,
        setting: &Setting<'_>,
        doing: &mut dyn FnMut(Doing),
    ) -> Result<Result<(), Failure>, FsError> {
        let file = call.record.join("stdout");
        let mut record = fs::create_private(&file)?;
        let mut scrubbed = Scrubbed::new(request.key.as_deref());
        let pieces = wire::send(request);
        let limits = setting.limits;
        let begun = Instant::now();
        let (mut grown, mut n_bytes) = (begun, 0);
        let end = loop {
            let mut bytes = Vec::new();
            let mut is_end = false;
            match pieces.recv_timeout(TICK) {
                Ok(Piece::Head(head)) => self.head = Some(head),
                Ok(Piece::Bytes(new)) => bytes = scrubbed.take(&new),
                Ok(Piece::End) => (bytes, is_end) = (scrubbed.rest(), true),
                Ok(Piece::Broken(why)) => {
                    self.trouble = Some(why);
                    (bytes, is_end) = (scrubbed.rest(), true);
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(end) = limit_reached(limits, begun, grown, setting.interrupted) {
                        break Some(end);
                    }
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.trouble = Some("the connection was given up".to_owned());
                    break None;
                }
            }
            grown = Instant::now();
            n_bytes += bytes.len() as u64;
            if n_bytes > limits.max_output_bytes {
                break Some(End::TooMuchOutput);
            }
            record
                .write_all(&bytes)
                .map_err(FsError::of("write", &file))?;
            self.take(&bytes, doing);
            if is_end || self.answer.is_over() {
                break None;
            }
            // A stream without a pause must not keep us from seeing them.
            if let Some(end) = limit_reached(limits, begun, grown, setting.interrupted) {
                break Some(end);
            }
        };
        // In the words of a stream it may be written in another way.
        process::strike_out(&file, setting.secrets)?;
        let ended = end.map_or(Ok(0), |end| exit_code(end, begun.elapsed(), limits, None));
        Ok(ended.map(drop))
    }

    fn take(&mut self, bytes: &[u8], doing: &mut dyn FnMut(Doing)) {
        let n_free = BEGINNING_BYTES - self.beginning.len();
        self.beginning
            .extend_from_slice(&bytes[..bytes.len().min(n_free)]);
        let was_silent = self.answer.is_silent();
        if self.head.as_ref().is_some_and(Head::is_good) {
            let answer = &mut self.answer;
            self.events.take(bytes, &mut |data| answer.event(data));
        }
        if was_silent && !self.answer.is_silent() {
            doing(Doing::works("begins to answer"));
        }
    }

    /// Decides what came of it.
    fn finish(mut self) -> Result<Reply, Failure> {
        let network = |why: &str| Failure::new(Class::Network, why).waiting(why);
        let Some(head) = &self.head else {
            let why = self.trouble.as_deref().unwrap_or("it said nothing");
            return Err(network(&format!("cannot ask `{}`: {why}", self.url)));
        };
        let body = String::from_utf8_lossy(&self.beginning);
        if !head.is_good() {
            return Err(refusal(head, &body));
        }
        let answer = &mut self.answer;
        self.events.end(&mut |data| answer.event(data));
        if let Some(failure) = self.answer.take_failure() {
            return Err(failure);
        }
        if self.answer.is_over() {
            return self.answer.finish();
        }
        if let Some(why) = &self.trouble {
            return Err(network(&format!("the connection broke: {why}")));
        }
        if self.answer.has_events() {
            return self.answer.finish();
        }
        Err(match serde_json::from_str::<Value>(&body) {
            _ if body.trim().is_empty() => {
                Failure::new(Class::Empty, "it ended well and wrote nothing")
            }
            Ok(value) if value.get("error").is_some() => Failure::of_words(&message(&body)),
            _ => Failure::new(
                Class::Malformed,
                format!(
                    "its answer is no stream of the `{}` API: {}",
                    self.api.agent().trim_end_matches("-api"),
                    message(&body)
                ),
            ),
        })
    }
}

/// Decides what an answer with another status than 200 means.
fn refusal(head: &Head, body: &str) -> Failure {
    let failure = Failure::of_status(head.status.into(), body);
    let told = Failure::new(failure.class, message(body));
    Failure {
        message: format!("HTTP {}: {}", head.status, told.message),
        retry_after: head.retry_after.or(failure.retry_after),
        ..told
    }
}

/// Returns what the body of an error says to people.
fn message(body: &str) -> String {
    let value: Value = serde_json::from_str(body).unwrap_or_default();
    let places = [
        "/error/message",
        "/0/error/message",
        "/message",
        "/detail",
        "/error",
    ];
    let told = places.iter().map(|place| text(&value, place));
    let told = told.into_iter().find(|told| !told.is_empty());
    if let Some(told) = told {
        return told.to_owned();
    }
    let start = body.trim_start();
    match start.chars().next() {
        None => "it said nothing".to_owned(),
        Some('<') => "a web page".to_owned(),
        Some(_) => start.chars().take(200).collect(),
    }
}
