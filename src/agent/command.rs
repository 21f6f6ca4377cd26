//! Any command of the user's as an agent: the prompt on its stdin, the answer on its stdout.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::arguments::quoted;
use super::ending::exit_code;
use super::environment::{environment, writable};
use super::{AgentError, Call, Class, Doing, Failure, Gives, Reply, Setting};
use crate::fs;
use crate::process::{self, Command, Stream};

/// A command that answers, with the model that it is to use.
#[derive(Debug, Clone)]
pub struct UserCommand {
    /// What the user calls it.
    pub name: String,
    /// Where its program is.
    pub path: PathBuf,
    /// Its arguments, in which `{model}`, `{folder}` and `{prompt_file}` are replaced.
    pub words: Vec<String>,
    /// Where the answer is in the JSON that it writes; without it, all that it writes is the answer.
    pub answer: Option<String>,
    /// What it gives as an executor.
    pub gives: Gives,
    /// Variables of the user's that it gets beside the common ones.
    pub variables: Vec<String>,
    /// The identifier of the model.
    pub model: String,
}

/// No answer is larger.
const MAX_ANSWER_BYTES: usize = 64 << 20;

impl UserCommand {
    pub(super) fn ask(
        &self,
        call: &Call<'_>,
        setting: &Setting<'_>,
        doing: &mut dyn FnMut(Doing),
    ) -> Result<Result<Reply, Failure>, AgentError> {
        let stderr_file = call.record.join("stderr");
        let edits = call.may.gives() == Gives::Files;
        let command = Command {
            program: self.path.clone(),
            args: self.arguments(call.folder, call.prompt_file),
            env: environment(setting, &|name| {
                self.variables.iter().any(|variable| variable == name)
            }),
            folder: call.folder.to_owned(),
            stdin: Some(call.prompt_file.to_owned()),
            stdout: call.record.join("stdout"),
            stderr: stderr_file.clone(),
            secrets: setting.secrets.to_vec(),
            writable: edits.then(|| writable(std::iter::empty(), call, setting)),
        };
        let mut said = Vec::new();
        let mut watch = |stream, bytes: &[u8]| {
            if stream == Stream::Stdout && said.len() <= MAX_ANSWER_BYTES {
                said.extend_from_slice(bytes);
            }
        };
        let limits = setting.limits;
        let ended = process::run(
            setting.shim,
            &command,
            limits,
            setting.interrupted,
            &mut watch,
        )?;
        let stderr = fs::tail(&stderr_file, 64 << 10)?;
        if ended.n_left > 0 {
            doing(Doing::Left(ended.n_left));
        }
        let code = exit_code(ended.end, ended.elapsed, limits, None);
        let answer = code.and_then(|code| self.answer(code, &said, &stderr));
        let reply = |text| Reply {
            text,
            ..Reply::default()
        };
        Ok(answer.map(|text| reply(text).confined(ended.confined)))
    }

    /// Takes the answer out of what the command wrote.
    fn answer(&self, code: i32, said: &[u8], stderr: &str) -> Result<String, Failure> {
        let malformed = |why: &str| Failure::new(Class::Malformed, why);
        if code != 0 {
            let said = String::from_utf8_lossy(&said[said.len().saturating_sub(4 << 10)..]);
            let words = if stderr.trim().is_empty() {
                &said
            } else {
                stderr
            };
            let failure = Failure::of_words(words);
            let message = format!("exit code {code}: {}", failure.message);
            return Err(Failure { message, ..failure });
        }
        if said.len() > MAX_ANSWER_BYTES {
            return Err(malformed("its answer is larger than 64 MB"));
        }
        let text = str::from_utf8(said).map_err(|_| malformed("its answer is no UTF-8"))?;
        let text = match &self.answer {
            Some(pointer) if !text.trim().is_empty() => {
                let value: Value = serde_json::from_str(text)
                    .map_err(|error| malformed(&format!("its output is no JSON: {error}")))?;
                let found = value.pointer(pointer).and_then(Value::as_str);
                let missing = || malformed(&format!("its output has no text at `{pointer}`"));
                found.ok_or_else(missing)?.to_owned()
            }
            _ => text.to_owned(),
        };
        if text.trim().is_empty() {
            return Err(Failure::new(Class::Empty, "it ended well and said nothing"));
        }
        Ok(text)
    }

    /// Returns its command line, for people.
    pub(super) fn example(&self) -> String {
        let arguments = self.arguments(Path::new("SCRATCH"), Path::new("prompt.md"));
        let words =
            std::iter::once(self.path.as_os_str()).chain(arguments.iter().map(OsString::as_os_str));
        let words: Vec<String> = words.map(quoted).collect();
        format!("{} < prompt.md", words.join(" "))
    }

    fn arguments(&self, folder: &Path, prompt_file: &Path) -> Vec<OsString> {
        let replaced = |word: &String| {
            let mut all = OsString::new();
            let mut rest = word.as_str();
            while let Some(at) = rest.find('{') {
                let (before, from) = rest.split_at(at);
                let known: [(&str, &OsStr); 3] = [
                    ("{model}", self.model.as_ref()),
                    ("{folder}", folder.as_os_str()),
                    ("{prompt_file}", prompt_file.as_os_str()),
                ];
                let found = known.into_iter().find(|(name, _)| from.starts_with(name));
                let (name, value) = found.unwrap_or(("{", "{".as_ref()));
                all.push(before);
                all.push(value);
                rest = &from[name.len()..];
            }
            all.push(rest);
            all
        };
        self.words.iter().map(replaced).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str], answer: Option<&str>) -> UserCommand {
        UserCommand {
            name: "own".into(),
            path: "/bin/own".into(),
            words: words.iter().map(|&word| word.to_owned()).collect(),
            answer: answer.map(str::to_owned),
            gives: Gives::Answer,
            variables: Vec::new(),
            model: "m".into(),
        }
    }

    #[test]
    fn what_stands_in_braces_is_replaced_once() {
        let words = ["-m", "{model}", "--in={folder}:{prompt_file}", "{other}{"];
        let all = command(&words, None).arguments("/a {model}".as_ref(), "/p".as_ref());
        assert_eq!(all, ["-m", "m", "--in=/a {model}:/p", "{other}{"]);
    }

    #[test]
    fn exit_code_and_output_make_the_outcome() {
        let at = Some("/response/text");
        for (answer, code, said, stderr, expected) in [
            (None, 0, "a plan\n", "noise", Ok("a plan\n")),
            (None, 0, " \n", "", Err(Class::Empty)),
            (None, 0, "\u{fffd}", "", Ok("\u{fffd}")),
            (
                None,
                1,
                "a plan",
                "Error: rate limit",
                Err(Class::RateLimited),
            ),
            (None, 1, "Prompt is too long", " ", Err(Class::OverWindow)),
            (None, 2, "", "", Err(Class::Crashed)),
            (at, 0, r#"{"response":{"text":"a plan"}}"#, "", Ok("a plan")),
            (at, 0, r#"{"response":{"text":""}}"#, "", Err(Class::Empty)),
            (at, 0, "", "", Err(Class::Empty)),
            (at, 0, r#"{"response":7}"#, "", Err(Class::Malformed)),
            (at, 0, "<html>", "", Err(Class::Malformed)),
        ] {
            let outcome = command(&[], answer).answer(code, said.as_bytes(), stderr);
            let outcome = outcome.map_err(|failure| failure.class);
            assert_eq!(outcome, expected.map(str::to_owned), "{code} {said}");
        }
        let outcome = command(&[], None).answer(0, b"\xff", "");
        assert_eq!(outcome.unwrap_err().class, Class::Malformed);
    }
}
