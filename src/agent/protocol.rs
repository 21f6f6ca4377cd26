//! What the programs' streams have in common: one JSON object a line.

use serde_json::Value;

use super::Doing;
use super::outcome::{Class, Failure, Reply};

/// Reads what a program writes, line by line, and decides at the end what came of it.
pub(super) trait Protocol {
    /// Takes a line; returns what the agent does now, if the line tells.
    fn line(&mut self, line: &Value) -> Option<Doing>;

    /// Takes a line of stderr; returns what the agent does now, if the line tells.
    fn aside(&mut self, _line: &str) -> Option<Doing> {
        None
    }

    /// Returns the trouble that was told last, if any was, also at the end of stderr.
    fn trouble(&self, stderr: &str) -> Option<String>;

    /// Decides from all that was read.
    fn finish(self: Box<Self>, exit: &Exit<'_>) -> Result<Reply, Failure>;
}

/// How a program ended by itself.
pub(super) struct Exit<'a> {
    /// Its exit code.
    pub(super) code: i32,
    /// Whether it wrote nothing to stdout.
    pub(super) is_silent: bool,
    /// The end of what it wrote to stderr.
    pub(super) stderr: &'a str,
}

/// Cuts a stream into lines.
#[derive(Default)]
pub(super) struct Cutter {
    rest: Vec<u8>,
    /// Whether the line that is being read is too long to be held.
    is_skipping: bool,
}

/// A line that is longer is passed over: an echoed prompt, a file that was read. No answer is as long, and a parsed line
/// takes up to twenty times its bytes.
const MAX_LINE_BYTES: usize = 4 << 20;

/// No answer is longer.
const MAX_ANSWER_BYTES: usize = 4 << 20;

/// Most characters of what a tool is used for.
const MAX_ACTIVITY_CHARS: usize = 300;

impl Cutter {
    /// Takes bytes as they come; calls `line` with each line that is whole, with none in the place of one too long.
    pub(super) fn take(&mut self, mut bytes: &[u8], line: &mut dyn FnMut(Option<&[u8]>)) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            self.hold(&bytes[..end]);
            self.end(line);
            bytes = &bytes[end + 1..];
        }
        self.hold(bytes);
    }

    /// Takes the end of a line; calls `line` with it.
    pub(super) fn end(&mut self, line: &mut dyn FnMut(Option<&[u8]>)) {
        line((!self.is_skipping).then_some(&self.rest));
        self.rest.clear();
        self.is_skipping = false;
    }

    fn hold(&mut self, bytes: &[u8]) {
        self.is_skipping |= self.rest.len() + bytes.len() > MAX_LINE_BYTES;
        if !self.is_skipping {
            self.rest.extend_from_slice(bytes);
        }
    }
}

/// Hands on those lines of a stream that are JSON.
pub(super) struct Lines {
    protocol: Box<dyn Protocol>,
    cutter: Cutter,
    asides: Cutter,
    is_silent: bool,
}

impl Lines {
    pub(super) fn new(protocol: Box<dyn Protocol>) -> Self {
        Self {
            protocol,
            cutter: Cutter::default(),
            asides: Cutter::default(),
            is_silent: true,
        }
    }

    /// Takes bytes as they come; calls `doing` with what the agent does.
    pub(super) fn take(&mut self, bytes: &[u8], doing: &mut dyn FnMut(Doing)) {
        self.is_silent &= bytes.is_empty();
        let protocol = self.protocol.as_mut();
        let mut line = |line: Option<&[u8]>| read(protocol, line, doing);
        self.cutter.take(bytes, &mut line);
    }

    /// Takes bytes of stderr as they come; calls `doing` with what the agent does.
    pub(super) fn take_aside(&mut self, bytes: &[u8], doing: &mut dyn FnMut(Doing)) {
        let protocol = self.protocol.as_mut();
        self.asides.take(bytes, &mut |line| {
            let line = line.map(String::from_utf8_lossy);
            if let Some(told) = line.and_then(|line| protocol.aside(&line)) {
                doing(told);
            }
        });
    }

    /// Returns the trouble that was told last, if any was, also at the end of stderr.
    pub(super) fn trouble(&self, stderr: &str) -> Option<String> {
        self.protocol.trouble(stderr)
    }

    /// Decides what came of it.
    pub(super) fn finish(mut self, code: i32, stderr: &str) -> Result<Reply, Failure> {
        let protocol = self.protocol.as_mut();
        let mut line = |line: Option<&[u8]>| read(protocol, line, &mut |_| {});
        self.cutter.end(&mut line);
        let exit = Exit {
            code,
            is_silent: self.is_silent,
            stderr,
        };
        let reply = self.protocol.finish(&exit)?;
        if reply.text.len() > MAX_ANSWER_BYTES {
            let why = format!("its answer has more than {MAX_ANSWER_BYTES} bytes");
            return Err(Failure::new(Class::Malformed, why));
        }
        Ok(reply)
    }
}

/// Reads a line, if it could be held and is JSON.
fn read(protocol: &mut dyn Protocol, line: Option<&[u8]>, doing: &mut dyn FnMut(Doing)) {
    let value = line.and_then(|line| serde_json::from_slice(line).ok());
    if let Some(told) = value.and_then(|value| protocol.line(&value)) {
        doing(told);
    }
}

/// Adds to an answer, as long as it is none that is too long.
pub(super) fn add(answer: &mut String, more: &str) {
    if answer.len() <= MAX_ANSWER_BYTES {
        answer.push_str(more);
    }
}

/// Returns the text at `pointer`, or none of it.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// Returns the text at `pointer`, if there is some.
pub(super) fn some_text(value: &Value, pointer: &str) -> Option<String> {
    let found = text(value, pointer);
    (!found.is_empty()).then(|| found.to_owned())
}

/// Returns the number at `pointer`.
pub(super) fn number(value: &Value, pointer: &str) -> Option<u64> {
    value.pointer(pointer).and_then(Value::as_u64)
}

/// Says in a few words what a tool is used for: its name, and the first of its values that tells.
pub(super) fn activity(tool: &str, input: Option<&Value>) -> String {
    let tells = ["file_path", "path", "command", "pattern", "query", "url"];
    let value = input.and_then(|input| tells.iter().find_map(|key| input.get(key)?.as_str()));
    let text = match value {
        Some(value) => format!("{tool} {}", value.lines().next().unwrap_or("")),
        None => tool.to_owned(),
    };
    text.chars().take(MAX_ACTIVITY_CHARS).collect()
}

/// Decides the class of a failure from recorded output.
#[cfg(test)]
pub(super) fn class_of(
    protocol: Box<dyn Protocol>,
    stdout: &str,
    code: i32,
    stderr: &str,
) -> Option<super::Class> {
    let mut lines = Lines::new(protocol);
    lines.take(stdout.as_bytes(), &mut |_| {});
    lines
        .finish(code, stderr)
        .err()
        .map(|failure| failure.class)
}
