//! What becomes of each thing that a vendor may do.

mod vendor;

use std::ffi::OsString;
use std::path::Path;

use super::*;
use crate::agent::{Doing, May, Role, Usage};
use crate::process::Limits;
use vendor::{Vendor, answer};

const KEY: &str = "the-key-of-the-tests";

/// Makes a stream of events.
fn stream(events: impl Iterator<Item = String>) -> String {
    events
        .flat_map(|event| ["data: ".to_owned(), event, "\n\n".to_owned()])
        .collect()
}

/// How a vendor's answer ends.
#[derive(Clone, Copy)]
enum Ends {
    Well,
    AtTheLimit,
    Refused,
    WithoutText,
    Broken,
    WithTrouble,
}

/// Returns what an API streams that answers `hello world`, as far as it comes.
fn told(api: Api, ends: Ends) -> String {
    let text = if matches!(ends, Ends::WithoutText) {
        ""
    } else {
        "world"
    };
    let (reasons, beginning, end, trouble): ([&str; 3], Vec<String>, Vec<String>, &str) = match api
    {
        Api::Gemini => {
            let part = |text: &str, more: &str| {
                format!(
                    r#"{{"candidates":[{{"content":{{"parts":[{{"text":"{text}"}}]}}{more}}}]}}"#
                )
            };
            let thought =
                r#"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true}]}}]}"#;
            let usage = r#"{"usageMetadata":{"promptTokenCount":1000,"cachedContentTokenCount":200,"candidatesTokenCount":20,"thoughtsTokenCount":10}}"#;
            (
                ["STOP", "MAX_TOKENS", "SAFETY"],
                vec![thought.into(), part("hello ", ""), part(text, "")],
                vec![part("", r#","finishReason":"REASON""#), usage.into()],
                r#"{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}"#,
            )
        }
        Api::Anthropic => {
            let delta = |kind: &str, key: &str, text: &str| {
                format!(
                    r#"{{"type":"content_block_delta","delta":{{"type":"{kind}","{key}":"{text}"}}}}"#
                )
            };
            (
                ["end_turn", "max_tokens", "refusal"],
                vec![
                    r#"{"type":"message_start","message":{"usage":{"input_tokens":700,"cache_creation_input_tokens":100,"cache_read_input_tokens":200,"output_tokens":1}}}"#.into(),
                    r#"{"type":"ping"}"#.into(),
                    delta("thinking_delta", "thinking", "hm"),
                    delta("text_delta", "text", "hello "),
                    delta("text_delta", "text", text),
                ],
                vec![
                    r#"{"type":"message_delta","delta":{"stop_reason":"REASON"},"usage":{"output_tokens":30}}"#.into(),
                    r#"{"type":"message_stop"}"#.into(),
                ],
                r#"{"type":"error","error":{"type":"overloaded_error","message":"overloaded"}}"#,
            )
        }
        Api::OpenAi => {
            let delta = |text: &str| {
                format!(
                    r#"{{"choices":[{{"delta":{{"content":"{text}"}},"finish_reason":null}}],"usage":null}}"#
                )
            };
            (
                ["stop", "length", "content_filter"],
                vec![delta("hello "), delta(text)],
                vec![
                    r#"{"choices":[{"delta":{},"finish_reason":"REASON"}]}"#.into(),
                    r#"{"choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":30,"prompt_tokens_details":{"cached_tokens":200}}}"#.into(),
                    "[DONE]".into(),
                ],
                r#"{"error":{"code":503,"message":"overloaded"}}"#,
            )
        }
    };
    let is_silent = matches!(ends, Ends::WithoutText);
    let beginning = beginning.into_iter().map(|event| {
        if is_silent {
            event.replace("hello ", "")
        } else {
            event
        }
    });
    let reason = match ends {
        Ends::Well | Ends::WithoutText => reasons[0],
        Ends::AtTheLimit => reasons[1],
        Ends::Refused => reasons[2],
        Ends::Broken => return stream(beginning),
        Ends::WithTrouble => return stream(beginning.chain([trouble.to_owned()])),
    };
    let end = end.into_iter().map(|event| event.replace("REASON", reason));
    stream(beginning.chain(end))
}

/// Returns the body of an error as an API writes it.
fn error(api: Api, kind: &str, message: &str) -> String {
    match api {
        Api::Gemini => {
            json!({ "error": { "code": 1, "message": message, "details": [{ "quotaId": kind }] } })
        }
        Api::Anthropic => json!({ "type": "error", "error": { "type": kind, "message": message } }),
        Api::OpenAi => json!({ "error": { "message": message, "code": kind } }),
    }
    .to_string()
}

/// Returns a body in one chunk, without the last one.
fn chunked(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n", body.len())
}

struct Asked {
    outcome: Result<Reply, Failure>,
    record: String,
    doing: Vec<Doing>,
}

/// Asks a server at `url`.
fn ask(
    api: Api,
    url: &str,
    key: Option<&str>,
    idle: Duration,
    interrupted: &dyn Fn() -> bool,
) -> Asked {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits {
        idle,
        wall: Duration::from_mins(1),
        max_output_bytes: 1 << 20,
        grace: Duration::ZERO,
    };
    let variables: Vec<(OsString, OsString)> = key
        .iter()
        .map(|key| ("TEST_KEY".into(), key.into()))
        .collect();
    let setting = Setting {
        shim: Path::new(""),
        variables: &variables,
        lent: &[],
        longest_wait: Duration::ZERO,
        secrets: &[],
        temporary: folder.path(),
        protected: Path::new("/none"),
        limits: &limits,
        interrupted,
    };
    let call = Call {
        role: Role::Planner,
        step: None,
        prompt: "the prompt",
        prompt_file: Path::new(""),
        prompt_hash: "",
        record: folder.path(),
        folder: folder.path(),
        may: May::Answer,
        session: None,
    };
    let http = Http {
        name: "test".into(),
        api,
        url: Some(url.to_owned()),
        key: Some("TEST_KEY".into()),
        model: "model".into(),
        max_output: 99,
    };
    let mut doing = Vec::new();
    let outcome = http
        .ask(&call, &setting, &mut |told| doing.push(told))
        .unwrap();
    let record = folder.path().join("stdout");
    let record = fs::tail(&record, 1 << 20).unwrap_or_default();
    Asked {
        outcome,
        record,
        doing,
    }
}

/// Long enough for what does answer.
const PATIENCE: Duration = Duration::from_secs(20);

fn class_of(asked: &Asked) -> Option<Class> {
    asked.outcome.as_ref().err().map(|failure| failure.class)
}

#[test]
fn a_whole_stream_is_an_answer_with_its_usage() {
    for api in Api::ALL {
        let delay = Duration::from_millis(150);
        let vendor = Vendor::new(delay, answer(200, "", &told(api, Ends::Well)));
        let asked = ask(api, &vendor.url, Some(KEY), PATIENCE, &|| false);
        let reply = asked.outcome.unwrap();
        let usage = Usage {
            input: Some(1_000),
            cached: Some(200),
            output: Some(30),
            dollars: None,
        };
        assert_eq!(
            (reply.text.as_str(), reply.usage),
            ("hello world", usage),
            "{api:?}"
        );
        assert_eq!(asked.record, told(api, Ends::Well));
        assert_eq!(asked.doing, [Doing::works("begins to answer")]);
        let requests = vendor.requests();
        let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
        assert!(body.contains("the prompt") && head.contains(KEY), "{head}");
        assert_eq!(requests.len(), 1);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_a_vendor_does_makes_the_class() {
    use Class::{
        Crashed, Cut, Empty, Malformed, Network, NoSuchModel, NotSignedIn, OutOfQuota, OverWindow,
        PermissionDenied, RateLimited, Refused,
    };
    const PAGE: &str = "<!DOCTYPE html><html><body>Sign in to the network</body></html>";
    for api in Api::ALL {
        let failing = |status, headers: &str, kind: &str, message: &str| {
            answer(status, headers, &error(api, kind, message))
        };
        let [minute, day, too_long] = match api {
            Api::Gemini => [
                (
                    "RequestsPerMinutePerProject",
                    "Quota exceeded. Please retry in 37s.",
                ),
                ("RequestsPerDayPerProject", "Quota exceeded."),
                (
                    "",
                    "The input token count (2) exceeds the maximum number of tokens allowed (1).",
                ),
            ],
            Api::Anthropic => [
                ("rate_limit_error", "Too many requests; try again in 37s."),
                (
                    "rate_limit_error",
                    "You have reached your specified API usage limits.",
                ),
                (
                    "invalid_request_error",
                    "prompt is too long: 2 tokens > 1 maximum",
                ),
            ],
            Api::OpenAi => [
                ("rate_limit_exceeded", "Please try again in 37s."),
                ("insufficient_quota", "You exceeded your current quota."),
                (
                    "context_length_exceeded",
                    "This model's maximum context length is 1 token",
                ),
            ],
        };
        let broken = chunked(&told(api, Ends::Broken));
        let chunks = "transfer-encoding: chunked\r\n";
        for (what, bytes, class, seconds) in [
            (
                "a minute's limit",
                failing(429, "", minute.0, minute.1),
                RateLimited,
                Some(37),
            ),
            (
                "retry-after",
                failing(429, "retry-after: 7\r\n", minute.0, minute.1),
                RateLimited,
                Some(7),
            ),
            (
                "a date",
                failing(
                    429,
                    "retry-after: Sat, 21 Nov 2026 18:01:00 GMT\r\n",
                    "",
                    "",
                ),
                RateLimited,
                Some(60),
            ),
            ("no words", answer(429, "", ""), RateLimited, None),
            (
                "a day's quota",
                failing(429, "", day.0, day.1),
                OutOfQuota,
                None,
            ),
            (
                "401",
                failing(401, "", "authentication_error", "no"),
                NotSignedIn,
                None,
            ),
            (
                "403",
                failing(403, "", "permission_error", "no"),
                PermissionDenied,
                None,
            ),
            (
                "404",
                failing(404, "", "not_found_error", "no"),
                NoSuchModel,
                None,
            ),
            (
                "400",
                failing(400, "", "invalid_request_error", "no"),
                Crashed,
                None,
            ),
            (
                "over the window",
                failing(400, "", too_long.0, too_long.1),
                OverWindow,
                None,
            ),
            ("413", answer(413, "", PAGE), OverWindow, None),
            (
                "a redirection",
                answer(307, "location: http://127.0.0.1:9/\r\n", ""),
                Network,
                None,
            ),
            ("500", failing(500, "", "api_error", "no"), Network, None),
            (
                "503",
                failing(503, "retry-after: 5\r\n", "", "no"),
                Network,
                Some(5),
            ),
            (
                "529",
                failing(529, "", "overloaded_error", "no"),
                Network,
                None,
            ),
            (
                "a page",
                answer(200, "content-type: text/html\r\n", PAGE),
                Malformed,
                None,
            ),
            (
                "JSON at once",
                answer(200, "", "{\"id\":1}"),
                Malformed,
                None,
            ),
            (
                "half an event",
                answer(200, "", "data: {\"a\n\n"),
                Malformed,
                None,
            ),
            ("nothing", answer(200, "", ""), Empty, None),
            ("no HTTP", b"hello\r\n\r\n".to_vec(), Network, None),
            ("no bytes", Vec::new(), Network, None),
            (
                "no text",
                answer(200, "", &told(api, Ends::WithoutText)),
                Empty,
                None,
            ),
            (
                "refused",
                answer(200, "", &told(api, Ends::Refused)),
                Refused,
                None,
            ),
            (
                "at the limit",
                answer(200, "", &told(api, Ends::AtTheLimit)),
                Cut,
                None,
            ),
            (
                "no end",
                answer(200, "", &told(api, Ends::Broken)),
                Cut,
                None,
            ),
            ("a break", answer(200, chunks, &broken), Network, None),
            (
                "trouble",
                answer(200, "", &told(api, Ends::WithTrouble)),
                Network,
                None,
            ),
            (
                "too much",
                answer(200, "", &"x".repeat(2 << 20)),
                Malformed,
                None,
            ),
        ] {
            let vendor = Vendor::new(Duration::ZERO, bytes);
            let asked = ask(api, &vendor.url, Some(KEY), PATIENCE, &|| false);
            let failure = asked.outcome.unwrap_err();
            let expected = (class, seconds.map(Duration::from_secs));
            let got = (failure.class, failure.retry_after);
            assert_eq!(got, expected, "{api:?}: {what}: {failure}");
            assert_eq!(vendor.requests().len(), 1, "{api:?}: {what}");
        }
    }
}

#[test]
fn a_redirection_takes_the_key_nowhere() {
    for status in [301, 302, 303, 307, 308] {
        let other = Vendor::new(Duration::ZERO, answer(200, "", ""));
        let location = format!("location: {}\r\n", other.url);
        let vendor = Vendor::new(Duration::ZERO, answer(status, &location, ""));
        let asked = ask(Api::OpenAi, &vendor.url, Some(KEY), PATIENCE, &|| false);
        assert_eq!(class_of(&asked), Some(Class::Network), "{status}");
        assert!(other.requests().is_empty(), "{status}");
    }
}

#[test]
fn an_answer_without_end_is_given_up() {
    let line = "data: {\"choices\":[]}\n\n";
    let vendor = Vendor::new(Duration::ZERO, answer(200, "", &line.repeat(1 << 16)));
    let asked = ask(Api::OpenAi, &vendor.url, Some(KEY), PATIENCE, &|| false);
    assert_eq!(class_of(&asked), Some(Class::Malformed));
    assert!(asked.record.len() <= 1 << 20);
}

#[test]
fn an_answer_needs_the_end_that_its_api_has() {
    for (api, unmarked, broken) in [
        // Its end is that of the connection.
        (Api::Gemini, None, Some(Class::Network)),
        (Api::Anthropic, Some(Class::Cut), None),
        (Api::OpenAi, Some(Class::Cut), None),
    ] {
        let whole = told(api, Ends::Well);
        let (rest, _) = whole.trim_end().rsplit_once("data: ").unwrap();
        let chunks = "transfer-encoding: chunked\r\n";
        for (bytes, expected) in [
            (answer(200, "", rest), unmarked),
            (answer(200, chunks, &chunked(&whole)), broken),
        ] {
            let vendor = Vendor::new(Duration::ZERO, bytes);
            let asked = ask(api, &vendor.url, Some(KEY), PATIENCE, &|| false);
            assert_eq!(class_of(&asked), expected, "{api:?}");
        }
    }
}

#[test]
fn without_a_key_or_a_server_nothing_is_asked() {
    let vendor = Vendor::new(Duration::ZERO, answer(200, "", ""));
    for key in [None, Some(" ")] {
        let asked = ask(Api::OpenAi, &vendor.url, key, PATIENCE, &|| false);
        assert_eq!(class_of(&asked), Some(Class::NotSignedIn));
        assert!(asked.outcome.unwrap_err().message.contains("`TEST_KEY`"));
    }
    assert!(vendor.requests().is_empty());
    // Nobody listens at the port of a listener that is gone.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let asked = ask(Api::OpenAi, &url, Some(KEY), PATIENCE, &|| false);
    assert_eq!(class_of(&asked), Some(Class::Network));
    assert!(asked.outcome.unwrap_err().message.contains(&url));
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let vendor = Vendor::new(Duration::from_hours(1), Vec::new());
    let idle = Duration::from_millis(200);
    let asked = ask(Api::Gemini, &vendor.url, Some(KEY), idle, &|| false);
    assert_eq!(class_of(&asked), Some(Class::Hung));
    let asked = ask(Api::Gemini, &vendor.url, Some(KEY), PATIENCE, &|| true);
    assert_eq!(class_of(&asked), Some(Class::Interrupted));
}

#[test]
fn a_key_that_a_server_echoes_stands_nowhere() {
    for (status, body) in [(401, error(Api::OpenAi, "x", KEY)), (200, KEY.to_owned())] {
        let vendor = Vendor::new(Duration::ZERO, answer(status, "", &body));
        let asked = ask(Api::OpenAi, &vendor.url, Some(KEY), PATIENCE, &|| false);
        let message = asked.outcome.unwrap_err().message;
        assert!(
            message.contains("[KEY]") && !message.contains(KEY),
            "{message}"
        );
        assert!(asked.record.contains("[KEY]") && !asked.record.contains(KEY));
    }
}

#[test]
fn a_key_that_is_no_header_is_told_without_it() {
    let asked = ask(
        Api::OpenAi,
        "http://127.0.0.1:9",
        Some("a\nsecret"),
        PATIENCE,
        &|| false,
    );
    let failure = asked.outcome.unwrap_err();
    assert!(!failure.message.contains("secret"), "{failure}");
}

#[test]
fn each_api_has_its_address_and_headers() {
    let http = |api| Http {
        name: "x".into(),
        api,
        url: None,
        key: None,
        model: "a/b:c".into(),
        max_output: 7,
    };
    for (api, address, headers) in [
        (
            Api::Gemini,
            "http://h/v1beta/models/a%2Fb%3Ac:streamGenerateContent?alt=sse",
            &["x-goog-api-key: k"][..],
        ),
        (
            Api::Anthropic,
            "http://h/v1/messages",
            &["x-api-key: k", "anthropic-version: 2023-06-01"],
        ),
        (
            Api::OpenAi,
            "http://h/chat/completions",
            &["authorization: Bearer k"],
        ),
    ] {
        assert_eq!(http(api).address("http://h/"), address);
        let all = api.headers(Some("k"));
        let all: Vec<String> = all.iter().map(|(name, k)| format!("{name}: {k}")).collect();
        assert_eq!(all, headers);
    }
    assert_eq!(http(Api::Anthropic).body("p")["max_tokens"], 7);
}

#[test]
fn an_error_tells_what_stands_in_it() {
    for (body, told) in [
        (r#"{"error":{"message":"no","code":1}}"#, "no"),
        (r#"[{"error":{"message":"no"}}]"#, "no"),
        (r#"{"error":"model not found"}"#, "model not found"),
        (r#"{"detail":"no"}"#, "no"),
        ("<html>", "a web page"),
        ("gateway down", "gateway down"),
        (" ", "it said nothing"),
    ] {
        assert_eq!(message(body), told, "{body}");
    }
}
