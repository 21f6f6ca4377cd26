//! Agent programs: what each takes, what it needs of the environment, where it writes.
//!
//! The facts were measured with gemini 0.61, claude 2.1 and codex 0.169.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use super::arguments::{claude_words, codex_words, gemini_words, quoted};
use super::claude::Claude;
use super::codex::Codex;
use super::gemini::Gemini;
use super::protocol::{Lines, Protocol};
use super::{AgentError, Call, Class, Failure, May, Reply, Role, Setting};
use crate::fs::{self, FsError};
use crate::process::{self, Command, Confinement, End, Stream};

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

/// Variables by which networks, certificates and terminals are set up; every agent gets them.
const COMMON: &[&str] = &[
    "ALL_PROXY",
    "COLORTERM",
    "CURL_CA_BUNDLE",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "LANGUAGE",
    "LOGNAME",
    "NODE_EXTRA_CA_CERTS",
    "NO_PROXY",
    "PATH",
    "REQUESTS_CA_BUNDLE",
    "SHELL",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERM",
    "TZ",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// How the names of variables with keys of model vendors begin or end; checks get none of them.
const KEY_STARTS: &[&str] = &[
    "ANTHROPIC_",
    "CLAUDE_CODE_OAUTH",
    "CODEX_",
    "GEMINI_",
    "OPENAI_",
];
const KEYS: &[&str] = &[
    "AZURE_OPENAI_API_KEY",
    "COHERE_API_KEY",
    "DEEPSEEK_API_KEY",
    "GOOGLE_API_KEY",
    "GROQ_API_KEY",
    "HF_TOKEN",
    "MISTRAL_API_KEY",
    "OPENROUTER_API_KEY",
    "PERPLEXITY_API_KEY",
    "TOGETHER_API_KEY",
    "XAI_API_KEY",
];

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

    /// Returns how the names of its own variables begin: keys, log-in, base URL, home.
    fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Gemini => &["GEMINI_", "GOOGLE_"],
            Self::Claude => &["ANTHROPIC_", "CLAUDE_"],
            Self::Codex => &["CODEX_"],
        }
    }

    /// Returns what is set for it: few retries, for we see them; no updates, no reports.
    fn settings(self) -> &'static [(&'static str, &'static str)] {
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
        })
    }

    pub(super) fn name(&self) -> String {
        format!("{} ({})", self.kind.name(), self.model)
    }

    /// Returns by how many bytes or characters a prompt is over what the program takes.
    pub fn size_over(&self, prompt: &str) -> usize {
        match self.kind.prompt_limit() {
            PromptLimit::Bytes(most) => prompt.len().saturating_sub(most),
            PromptLimit::Characters(most) => prompt.chars().count().saturating_sub(most),
        }
    }

    pub(super) fn ask(
        &self,
        call: &Call<'_>,
        setting: &Setting<'_>,
        doing: &mut dyn FnMut(&str),
    ) -> Result<Result<Reply, Failure>, AgentError> {
        let over = self.size_over(call.prompt);
        if over > 0 {
            let (name, most) = (self.kind.name(), self.kind.prompt_limit());
            let why = format!("the prompt is {over} over what {name} takes ({most})");
            return Ok(Err(Failure::new(Class::OverWindow, why)));
        }
        let stderr_file = call.record.join("stderr");
        // codex has a sandbox of its own, which does not start within ours.
        let is_confined = matches!(call.may, May::Edit { .. }) && self.kind != ProgramKind::Codex;
        let command = Command {
            program: self.path.clone(),
            args: self.arguments(call.may, call.session),
            env: self.environment(call, setting)?,
            folder: call.folder.to_owned(),
            stdin: Some(self.stdin(call, setting)?),
            stdout: call.record.join("stdout"),
            stderr: stderr_file.clone(),
            writable: is_confined.then(|| Self::writable(call, setting)),
        };
        let mut lines = Lines::new(self.kind.protocol());
        let ended = process::run(
            setting.shim,
            &command,
            setting.limits,
            setting.interrupted,
            &mut |stream, bytes| match stream {
                Stream::Stdout => lines.take(bytes, doing),
                Stream::Stderr => {}
            },
        )?;
        let stderr = fs::tail(&stderr_file, 64 << 10)?;
        if ended.n_left > 0 {
            doing(&format!(
                "left {} processes that cannot be ended",
                ended.n_left
            ));
        }
        let seconds = ended.elapsed.as_secs();
        // What it told last says more than that it did not end.
        let hung = |why: String| match lines.trouble() {
            Some(trouble) => {
                let told = Failure::of_words(trouble);
                let class = if told.class == Class::Crashed {
                    Class::Hung
                } else {
                    told.class
                };
                Failure::new(class, format!("{why}; it told last: {trouble}"))
            }
            None => Failure::new(Class::Hung, why),
        };
        let failure = match ended.end {
            End::Exited(code) => {
                let mut answer = lines.finish(code, &stderr);
                if let (Ok(reply), Confinement::Partial(why) | Confinement::None(why)) =
                    (&mut answer, ended.confined)
                {
                    reply.unconfined = Some(why);
                }
                return Ok(answer);
            }
            End::Signalled(signal) => {
                Failure::new(Class::Killed, format!("signal {signal} ended it"))
            }
            End::Idle => {
                let idle = setting.limits.idle.as_secs();
                hung(format!(
                    "it wrote nothing for {idle} s, {seconds} s after its start"
                ))
            }
            End::Wall => hung(format!("it had not ended after {seconds} s")),
            End::TooMuchOutput => Failure::new(Class::Malformed, "it wrote without end"),
            End::Interrupted => Failure::new(Class::Interrupted, "you asked to stop"),
        };
        Ok(Err(failure))
    }

    /// Returns the file that it reads as stdin, and makes what must be in its folder.
    fn stdin(&self, call: &Call<'_>, setting: &Setting<'_>) -> Result<PathBuf, FsError> {
        if self.kind != ProgramKind::Gemini {
            return Ok(call.prompt_file.to_owned());
        }
        // gemini takes each `@` of a prompt for the name of a file, and rewrites the prompt; not the text after a
        // command. The command is ours, and the settings take its tools away.
        let has = |wanted: &str| setting.variables.iter().any(|(name, _)| name == wanted);
        let signs_in_by_key = has("GEMINI_API_KEY") && has("GOOGLE_GEMINI_BASE_URL");
        let settings = if signs_in_by_key {
            GEMINI_SETTINGS.replacen(
                '{',
                r#"{"security":{"auth":{"selectedType":"gemini-api-key"}},"#,
                1,
            )
        } else {
            GEMINI_SETTINGS.to_owned()
        };
        let folder = call.folder.join(".gemini");
        fs::make_private_folders(&folder.join("commands"))?;
        fs::write_durable(&folder.join("settings.json"), settings.as_bytes())?;
        fs::write_durable(
            &folder.join("commands/twostep.toml"),
            GEMINI_COMMAND.as_bytes(),
        )?;
        let stdin = call.record.join("stdin");
        fs::write_durable(&stdin, format!("/twostep\n{}", call.prompt).as_bytes())?;
        Ok(stdin)
    }

    /// Returns the command line by which `role` is called, for people.
    pub fn example(&self, role: Role, checks: &[String]) -> String {
        let may = match role {
            Role::Planner => May::Answer,
            Role::Executor => May::Edit { checks },
        };
        let arguments = self.arguments(may, None);
        let words =
            std::iter::once(self.path.as_os_str()).chain(arguments.iter().map(OsString::as_os_str));
        let words: Vec<String> = words.map(quoted).collect();
        format!("{} < prompt.md", words.join(" "))
    }

    fn arguments(&self, may: May<'_>, session: Option<&str>) -> Vec<OsString> {
        let words: Vec<String> = match self.kind {
            ProgramKind::Gemini => gemini_words(&self.model, session),
            ProgramKind::Claude => claude_words(&self.model, may, session),
            ProgramKind::Codex => codex_words(&self.model, may, session),
        };
        words.into_iter().map(OsString::from).collect()
    }

    fn environment(
        &self,
        call: &Call<'_>,
        setting: &Setting<'_>,
    ) -> Result<Vec<(OsString, OsString)>, FsError> {
        let own = self.kind.variables();
        let passes = |name: &OsStr| {
            let text = name.to_string_lossy();
            COMMON.contains(&text.as_ref())
                || text.starts_with("LC_")
                || own.iter().any(|start| text.starts_with(start))
                || setting.lent.iter().any(|lent| lent == name)
        };
        let given = setting.variables.iter();
        let mut all: Vec<(OsString, OsString)> =
            given.filter(|(name, _)| passes(name)).cloned().collect();
        let mut set = |name: &str, value: OsString| {
            all.retain(|(known, _)| known != name);
            all.push((name.into(), value));
        };
        for (name, value) in self.kind.settings() {
            set(name, value.into());
        }
        set("TMPDIR", setting.temporary.into());
        if call.may != May::Answer && self.kind == ProgramKind::Claude {
            // What it sources before each command that it runs.
            let file = setting.temporary.join("no-keys");
            fs::write_durable(&file, NO_KEYS.as_bytes())?;
            set("CLAUDE_ENV_FILE", file.into());
        }
        Ok(all)
    }

    /// Returns where an executor may write: its folder, what its program must keep, and caches that builds and tests
    /// use. Never in the user's tree, nor where settings are that make a program run others.
    fn writable(call: &Call<'_>, setting: &Setting<'_>) -> Vec<PathBuf> {
        let value = |wanted: &str| {
            let found = setting.variables.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| PathBuf::from(value))
        };
        let home = value("HOME").unwrap_or_default();
        let own = value("CLAUDE_CONFIG_DIR").unwrap_or_else(|| home.join(".claude"));
        let cache = value("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache"));
        let mut places = vec![call.folder.to_owned(), setting.temporary.to_owned()];
        places.extend([own.join("projects"), own.join(".credentials.json")]);
        places.extend(CACHES.iter().map(|name| cache.join(name)));
        places.extend(HOME_CACHES.iter().map(|name| home.join(name)));
        places.retain(|place| {
            place.is_absolute()
                && !place.starts_with(setting.protected)
                && !setting.protected.starts_with(place)
        });
        places
    }
}

/// Folders of a user's cache in which build tools keep what they can make again.
const CACHES: &[&str] = &[
    "bazel", "ccache", "deno", "go-build", "node", "pip", "pnpm", "pypoetry", "sccache", "uv",
    "yarn",
];

/// The same, where tools have folders of their own in a home.
const HOME_CACHES: &[&str] = &[
    ".cargo/git",
    ".cargo/registry",
    ".gradle/caches",
    ".m2/repository",
    ".npm/_cacache",
    "Library/Caches/go-build",
    "go/pkg",
];

/// Takes the tools, hooks, skills and agents of gemini away, and all but one of its retries.
const GEMINI_SETTINGS: &str = r#"{"privacy":{"usageStatisticsEnabled":false},"general":{"enableAutoUpdate":false,"maxAttempts":2},"tools":{"core":[]},"hooksConfig":{"enabled":false},"skills":{"enabled":false},"experimental":{"enableAgents":false}}"#;

/// What stands before a prompt for gemini; it drops a message that begins with a `/` when it goes on with a conversation.
const GEMINI_COMMAND: &str = "prompt = \"The request follows.\"\n";

/// Hides the keys from the commands that claude runs.
const NO_KEYS: &str = "unset ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN CLAUDE_CODE_OAUTH_TOKEN\n";

/// Variables by which git is told where its files are: in a scratch they would lead it to the user's.
const GIT_PLACES: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Returns the environment of a check: the user's, without the keys of model vendors and what leads git elsewhere.
pub fn check_environment(variables: &[(OsString, OsString)]) -> Vec<(OsString, OsString)> {
    let is_key = |name: &OsStr| {
        let text = name.to_string_lossy();
        KEYS.contains(&text.as_ref())
            || KEY_STARTS.iter().any(|start| text.starts_with(start))
            || GIT_PLACES.contains(&text.as_ref())
    };
    variables
        .iter()
        .filter(|(name, _)| !is_key(name))
        .cloned()
        .collect()
}
