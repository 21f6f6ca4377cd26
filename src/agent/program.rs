//! Agent programs: what each takes, what it needs of the environment, where it writes.
//!
//! The facts were measured with gemini 0.61, claude 2.1 and codex 0.169.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::arguments::{claude_words, codex_words, gemini_words, quoted};
use super::claude::Claude;
use super::codex::Codex;
use super::ending::{exit_code, waits_too_long};
use super::environment::bare_environment;
use super::gemini::Gemini;
use super::protocol::{Lines, Protocol};
use super::workplace::{SYSTEM_POLICIES, Workplace};
use super::{AgentError, Call, Class, Doing, Failure, May, Reply, Setting};
use crate::fs::{self, FsError};
use crate::process::{self, Command, End, Limits, ProcessError, Stream};

/// The programs that we can drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramKind {
    /// Google's gemini.
    Gemini,
    /// Anthropic's claude.
    Claude,
    /// `OpenAI`'s codex.
    Codex,
}

/// A program, found, with the model that it is to use.
#[derive(Debug, Clone)]
pub struct Program {
    /// Which.
    pub kind: ProgramKind,
    /// Where it is.
    pub path: PathBuf,
    /// The identifier of the model.
    pub model: String,
    /// How much it is told to think, where it can be told: a word of its own.
    pub effort: Option<&'static str>,
}

/// The most that a program takes on stdin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptLimit {
    /// In bytes.
    Bytes(usize),
    /// In characters.
    Characters(usize),
}

impl fmt::Display for PromptLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(most) => write!(f, "{most} bytes"),
            Self::Characters(most) => write!(f, "{most} characters"),
        }
    }
}

impl ProgramKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Gemini, Self::Claude, Self::Codex];

    /// Returns the name of the program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gemini => "gemini",
            Self::Claude => "claude",
            Self::Codex => "codex",
        }
    }

    /// Returns the version with which our facts were measured: major and minor.
    pub fn measured(self) -> (u32, u32) {
        match self {
            Self::Gemini => (0, 61),
            Self::Claude => (2, 1),
            Self::Codex => (0, 169),
        }
    }

    /// Returns the model that it uses if none is named: the best that the program serves, by a fixed name.
    pub fn default_model(self) -> &'static str {
        match self {
            Self::Gemini => "gemini-3.1-pro-preview",
            Self::Claude => "claude-opus-5-5",
            Self::Codex => "gpt-6.1-sol",
        }
    }

    /// Returns the vendor whose models it serves, as the catalogue names it.
    pub fn vendor(self) -> &'static str {
        match self {
            Self::Gemini => "google",
            Self::Claude => "anthropic",
            Self::Codex => "openai",
        }
    }

    /// Returns how to get it.
    pub fn install(self) -> &'static str {
        match self {
            Self::Gemini => "npm install -g @google/gemini-cli",
            Self::Claude => "npm install -g @anthropic-ai/claude-code",
            Self::Codex => "npm install -g @openai/codex",
        }
    }

    /// Returns the tokens of the words and tools that it puts round a prompt, rounded up.
    pub fn overhead_tokens(self) -> u64 {
        match self {
            Self::Gemini => 8_000,
            Self::Claude => 25_000,
            Self::Codex => 30_000,
        }
    }

    /// Returns the window that it uses whatever the model's, less what it keeps for itself.
    pub fn window(self) -> Option<u64> {
        match self {
            Self::Gemini | Self::Claude => None,
            // 95 % of 272,000.
            Self::Codex => Some(258_400),
        }
    }

    /// Returns the most that it takes on stdin.
    pub fn prompt_limit(self) -> PromptLimit {
        match self {
            Self::Gemini => PromptLimit::Bytes(8 << 20),
            // It refuses 3 MB by an estimate of its own; 2.4 MB went through.
            Self::Claude => PromptLimit::Bytes(2_400_000),
            Self::Codex => PromptLimit::Characters(1 << 20),
        }
    }

    /// Says whether it reads the conventions in the file `name` of that size by itself, where it works in the folder with it.
    pub fn reads_itself(self, name: &str, n_bytes: u64) -> bool {
        match self {
            Self::Gemini => name == "GEMINI.md",
            Self::Claude => name == "CLAUDE.md",
            // It cuts what is longer.
            Self::Codex => name == "AGENTS.md" && n_bytes <= 32 << 10,
        }
    }

    /// Says whether it can be told how much to think.
    pub fn takes_effort(self) -> bool {
        match self {
            Self::Gemini => false,
            Self::Claude | Self::Codex => true,
        }
    }

    /// Returns by how many bytes or characters a prompt is over what the program takes.
    pub fn size_over(self, prompt: &str) -> usize {
        match self.prompt_limit() {
            PromptLimit::Bytes(most) => prompt.len().saturating_sub(most),
            PromptLimit::Characters(most) => prompt.chars().count().saturating_sub(most),
        }
    }

    /// Returns how the names of its own variables begin: keys, log-in, base URL, home.
    pub(super) fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Gemini => &["GEMINI_", "GOOGLE_"],
            Self::Claude => &["ANTHROPIC_", "CLAUDE_"],
            Self::Codex => &["CODEX_"],
        }
    }

    /// Returns what is set for it: few retries, for we see them; no updates, no reports.
    pub(super) fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            // Its settings in the folder count only where the folder is trusted.
            Self::Gemini => &[
                ("GEMINI_CLI_NO_RELAUNCH", "true"),
                ("GEMINI_CLI_TRUST_WORKSPACE", "true"),
            ],
            // Without the first it attaches every file that an `@` in the prompt seems to name.
            Self::Claude => &[
                ("CLAUDE_CODE_DISABLE_ATTACHMENTS", "1"),
                ("CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD", "1"),
                ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
                ("DISABLE_AUTOUPDATER", "1"),
                ("CLAUDE_CODE_MAX_RETRIES", "2"),
            ],
            Self::Codex => &[],
        }
    }

    /// Returns what it must be able to write in its home: the folder with its conversations, and the file with a log-in
    /// that is renewed if that is not in it.
    pub(super) fn keeps(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Gemini => (".gemini", None),
            Self::Claude => ("projects", Some(".credentials.json")),
            Self::Codex => ("sessions", Some("auth.json")),
        }
    }

    fn protocol(self) -> Box<dyn Protocol> {
        match self {
            Self::Gemini => Box::<Gemini>::default(),
            Self::Claude => Box::<Claude>::default(),
            Self::Codex => Box::<Codex>::default(),
        }
    }
}

impl Program {
    /// Finds the program on `path`, the user's `PATH`.
    pub fn find(kind: ProgramKind, model: String, path: &OsStr) -> Option<Self> {
        let place = process::find(OsStr::new(kind.name()), path)?;
        Some(Self {
            kind,
            path: place,
            model,
            effort: None,
        })
    }

    pub(super) fn name(&self) -> String {
        let effort = self
            .effort
            .map_or(String::new(), |effort| format!(", {effort} effort"));
        format!("{} ({}{effort})", self.kind.name(), self.model)
    }

    /// Asks the program for its version, in a new folder of `place`; why it told none, if it did not.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be started.
    pub fn version(
        &self,
        shim: &Path,
        variables: &[(OsString, OsString)],
        place: &Path,
        limits: &Limits,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Result<String, String>, ProcessError> {
        let folder = place.join(self.kind.name());
        fs::make_private_folders(&folder)?;
        let [stdout, stderr] = ["out", "err"].map(|end| folder.with_extension(end));
        let command = Command {
            program: self.path.clone(),
            args: vec!["--version".into()],
            env: bare_environment(self.kind, variables, place),
            folder,
            stdin: None,
            stdout: stdout.clone(),
            stderr: stderr.clone(),
            writable: None,
            secrets: Vec::new(),
        };
        let ended = process::run(shim, &command, limits, interrupted, &mut |_, _| {})?;
        let said = fs::tail(&stdout, MAX_VERSION_BYTES)?;
        let first = said.lines().find(|line| !line.trim().is_empty());
        Ok(match exit_code(ended.end, ended.elapsed, limits, None) {
            Err(failure) => Err(failure.message),
            Ok(0) => first
                .map(|line| line.trim().to_owned())
                .ok_or_else(|| "it said nothing".to_owned()),
            Ok(code) => {
                let trouble = fs::tail(&stderr, MAX_VERSION_BYTES)?;
                let last = trouble.lines().rfind(|line| !line.trim().is_empty());
                Err(format!(
                    "exit {code}: {}",
                    last.unwrap_or("it said nothing")
                ))
            }
        })
    }

    pub(super) fn ask(
        &self,
        call: &Call<'_>,
        setting: &Setting<'_>,
        doing: &mut dyn FnMut(Doing),
    ) -> Result<Result<Reply, Failure>, AgentError> {
        let over = self.kind.size_over(call.prompt);
        if over > 0 {
            let (name, most) = (self.kind.name(), self.kind.prompt_limit());
            let why = format!("the prompt is {over} over what {name} takes ({most})");
            return Ok(Err(Failure::new(Class::OverWindow, why)));
        }
        let (folder, stdin) = if self.kind == ProgramKind::Gemini {
            if call.may != May::Answer && has_policies(Path::new(SYSTEM_POLICIES))? {
                let why = format!("the policies in `{SYSTEM_POLICIES}` would stand above ours");
                return Ok(Err(Failure::new(Class::PermissionDenied, why)));
            }
            let place = Workplace::make(call, setting)?;
            (place.folder, place.stdin)
        } else {
            (call.folder.to_owned(), call.prompt_file.to_owned())
        };
        let stderr_file = call.record.join("stderr");
        // codex has a sandbox of its own, which does not start within ours.
        let is_confined = self.kind != ProgramKind::Codex;
        let command = Command {
            program: self.path.clone(),
            args: self.arguments(call.folder, call.may, call.session),
            env: self.environment(call, setting)?,
            folder,
            stdin: Some(stdin),
            stdout: call.record.join("stdout"),
            stderr: stderr_file.clone(),
            writable: is_confined
                .then(|| self.writable(call, setting))
                .transpose()?,
            secrets: setting.secrets.to_vec(),
        };
        let mut lines = Lines::new(self.kind.protocol());
        let (longest, waits) = (setting.longest_wait, Cell::new(Duration::ZERO));
        let mut told = |told: Doing| {
            if let Doing::Waits(_, Some(wait)) = &told {
                waits.set(waits.get().saturating_add(*wait));
            }
            doing(told);
        };
        let ended = process::run(
            setting.shim,
            &command,
            setting.limits,
            &|| waits.get() > longest || (setting.interrupted)(),
            &mut |stream, bytes| match stream {
                Stream::Stdout => lines.take(bytes, &mut told),
                Stream::Stderr => lines.take_aside(bytes, &mut told),
            },
        )?;
        let stderr = fs::tail(&stderr_file, 64 << 10)?;
        if ended.n_left > 0 {
            doing(Doing::Left(ended.n_left));
        }
        let trouble = lines.trouble(&stderr);
        let code = if ended.end == End::Interrupted && waits.get() > longest {
            let told = trouble.as_deref().unwrap_or_default();
            Err(waits_too_long(waits.get(), longest, told))
        } else {
            exit_code(ended.end, ended.elapsed, setting.limits, trouble.as_deref())
        };
        let answer = code.and_then(|code| lines.finish(code, &stderr));
        let answer = answer.map_err(|failure| {
            let trouble = trouble.unwrap_or_default();
            failure.waiting(&trouble).waiting(&stderr)
        });
        Ok(answer.map(|reply| reply.confined(ended.confined)))
    }

    /// Returns the command line by which one that may do so is called, for people.
    pub fn example(&self, may: May<'_>) -> String {
        let arguments = self.arguments(Path::new("SCRATCH"), may, None);
        let words =
            std::iter::once(self.path.as_os_str()).chain(arguments.iter().map(OsString::as_os_str));
        let words: Vec<String> = words.map(quoted).collect();
        format!("{} < prompt.md", words.join(" "))
    }

    fn arguments(&self, folder: &Path, may: May<'_>, session: Option<&str>) -> Vec<OsString> {
        let words: Vec<String> = match self.kind {
            ProgramKind::Gemini => gemini_words(&self.model, folder, may, session),
            ProgramKind::Claude => claude_words((&self.model, self.effort), may, session),
            ProgramKind::Codex => codex_words((&self.model, self.effort), may, session),
        };
        words.into_iter().map(OsString::from).collect()
    }
}

/// No version is longer.
const MAX_VERSION_BYTES: u64 = 4 << 10;

/// Says whether a folder holds policies of gemini.
fn has_policies(folder: &Path) -> Result<bool, FsError> {
    let names = fs::list(folder)?;
    Ok(names
        .iter()
        .any(|name| Path::new(name).extension() == Some(OsStr::new("toml"))))
}
