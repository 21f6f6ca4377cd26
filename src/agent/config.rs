//! The agents that there are by name: those built in, and those of the user's `agents.toml`.
//!
//! In: the text of that file. Out: [`Agents`]. No I/O; no keys, only the names of variables that hold them.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};

use serde::Deserialize;

use super::http::{Api, check_url};
use super::program::ProgramKind;
use super::{CALLER, Gives};

/// All agents that have a name.
#[derive(Debug, Clone)]
pub struct Agents(BTreeMap<String, Known>);

/// An agent that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What answers.
    pub backend: Backend,
    /// The model that it uses unless another is named.
    pub model: Option<String>,
    /// How much it may be asked.
    pub rates: Rates,
}

/// What answers by a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backend {
    /// A program that we know.
    Program(ProgramKind),
    /// A server.
    Http {
        /// What it speaks.
        api: Api,
        /// Where it is; without it, where its vendor is.
        url: Option<String>,
        /// The variable that holds the key; none for a server without one.
        key: Option<String>,
    },
    /// A command of the user's.
    Command {
        /// Program and arguments.
        words: Vec<String>,
        /// Where the answer is in the JSON that it writes.
        answer: Option<String>,
        /// What it gives as an executor.
        gives: Gives,
        /// Variables that it gets beside the common ones.
        variables: Vec<String>,
    },
}

/// How much an agent may be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Calls in a minute.
    pub requests_per_minute: Option<u32>,
    /// Tokens of prompts in a minute.
    pub tokens_per_minute: Option<u64>,
}

/// A file of agents that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AgentsError {
    /// It is no TOML of the right form.
    #[error("the file is no list of agents")]
    Form(#[from] toml::de::Error),
    /// What it says of an agent cannot be.
    #[error("the agent `{name}` {why}")]
    Agent {
        /// The agent.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentsFile {
    #[serde(default)]
    agent: BTreeMap<String, Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Row {
    api: Option<Api>,
    url: Option<String>,
    key: Option<String>,
    command: Option<Vec<String>>,
    answer: Option<String>,
    edits: Option<bool>,
    env: Option<Vec<String>>,
    model: Option<String>,
    requests_per_minute: Option<NonZeroU32>,
    tokens_per_minute: Option<NonZeroU64>,
}

impl Agents {
    /// Returns the agents that come with the program.
    pub fn built_in() -> Self {
        let known = |backend, model: &str| Known {
            backend,
            model: Some(model.to_owned()),
            rates: Rates::default(),
        };
        let programs = ProgramKind::ALL.into_iter().map(|kind| {
            let known = known(Backend::Program(kind), kind.default_model());
            (kind.name().to_owned(), known)
        });
        let servers = Api::ALL.into_iter().map(|api| {
            let backend = Backend::Http {
                api,
                url: None,
                key: Some(api.key().to_owned()),
            };
            let known = known(backend, api.program().default_model());
            (api.agent().to_owned(), known)
        });
        Self(programs.chain(servers).collect())
    }

    /// Adds the agents of a file of the user's; of built-in ones it may say rates, and of servers all but the API.
    ///
    /// # Errors
    ///
    /// Fails on a file of another form, and on what contradicts itself.
    pub fn extend(&mut self, text: &str) -> Result<(), AgentsError> {
        let file: AgentsFile = toml::from_str(text)?;
        for (name, row) in file.agent {
            let known = row.known(&name, self.0.get(&name));
            let known = known.map_err(|why| AgentsError::Agent {
                name: name.clone(),
                why,
            })?;
            self.0.insert(name, known);
        }
        Ok(())
    }

    /// Returns the agent of this name.
    pub fn find(&self, name: &str) -> Option<&Known> {
        self.0.get(name)
    }

    /// Returns all names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Says whether a text can be the name of an agent.
pub(super) fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    !text.is_empty() && text.chars().all(is_plain) && text != "recorded"
}

/// Says whether a text is the name of a variable as they are written; a key itself should not be taken for one.
fn is_variable(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.starts_with(|c: char| c.is_ascii_uppercase() || c == '_') && text.chars().all(is_plain)
}

impl Row {
    /// Returns what the row says, over what was known of the name; what is wrong, if it cannot be.
    fn known(self, name: &str, before: Option<&Known>) -> Result<Known, &'static str> {
        if !is_name(name) {
            return Err("needs a name of letters, digits, `-` and `_`");
        }
        if name == CALLER {
            return Err("is you, and cannot be set");
        }
        if self
            .model
            .as_ref()
            .is_some_and(|model| model.starts_with('-'))
        {
            return Err("needs a model that is no option");
        }
        let variables = self.env.iter().flatten().chain(&self.key);
        if !variables.into_iter().all(|name| is_variable(name)) {
            return Err(
                "needs names of variables in `key` and `env`, such as `LOCAL_KEY`; never a key itself",
            );
        }
        let rates = Rates {
            requests_per_minute: self.requests_per_minute.map(NonZeroU32::get),
            tokens_per_minute: self.tokens_per_minute.map(NonZeroU64::get),
        };
        let says_server = self.api.is_some() || self.url.is_some() || self.key.is_some();
        let says_more = self.answer.is_some() || self.edits.is_some() || self.env.is_some();
        let says_command = self.command.is_some() || says_more;
        let model = self.model.clone();
        let (backend, usual) = match before.map(|known| (&known.backend, &known.model)) {
            Some((Backend::Program(_), _)) if says_server || says_command || model.is_some() => {
                return Err("is built in: only its rates can be set");
            }
            Some((backend @ Backend::Program(_), usual)) => (backend.clone(), usual.clone()),
            Some((Backend::Http { api, .. }, _)) if self.api.is_some_and(|other| other != *api) => {
                return Err("is built in with another `api`");
            }
            Some((Backend::Http { api, .. }, usual)) if !says_command => {
                (self.server(*api)?, usual.clone())
            }
            Some(_) => return Err("is built in, and no command"),
            None => match (self.api, &self.command) {
                (Some(_), _) if says_command => {
                    return Err("has an `api` beside what only commands have");
                }
                (Some(api), _) => {
                    let is_vendors = self.url.is_none();
                    let usual = is_vendors.then(|| api.program().default_model().to_owned());
                    (self.server(api)?, usual)
                }
                (None, Some(_)) if says_server => {
                    return Err("has a `command` beside what only servers have");
                }
                (None, Some(_)) => (self.command()?, None),
                (None, None) => return Err("needs an `api` or a `command`"),
            },
        };
        Ok(Known {
            backend,
            model: model.or(usual),
            rates,
        })
    }

    fn server(self, api: Api) -> Result<Backend, &'static str> {
        if let Some(url) = &self.url {
            check_url(url)?;
        }
        // The vendor's key is for the vendor alone.
        let usual = self.url.is_none().then(|| api.key().to_owned());
        Ok(Backend::Http {
            api,
            url: self.url,
            key: self.key.or(usual),
        })
    }

    fn command(self) -> Result<Backend, &'static str> {
        let words = self.command.unwrap_or_default();
        let program = words.first().map_or("", String::as_str);
        if program.is_empty() || program.contains('/') && !program.starts_with('/') {
            return Err("needs in `command` a program on PATH, or its whole path");
        }
        let is_pointer = |pointer: &str| pointer.is_empty() || pointer.starts_with('/');
        if !self.answer.as_deref().is_none_or(is_pointer) {
            return Err("needs in `answer` a JSON pointer, such as `/response`");
        }
        Ok(Backend::Command {
            words,
            answer: self.answer,
            gives: match self.edits {
                Some(true) => Gives::Files,
                Some(false) | None => Gives::Answer,
            },
            variables: self.env.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_file_adds_agents_and_rates() {
        let mut agents = Agents::built_in();
        agents
            .extend(
                r#"
                [agent.gemini]
                requests-per-minute = 30
                tokens-per-minute = 1000000
                [agent.openai-api]
                url = "https://gateway.invalid/v1"
                key = "GATEWAY_KEY"
                [agent.local]
                api = "openai"
                url = "http://127.0.0.1:11434/v1"
                model = "qwen3-coder"
                [agent.mine]
                api = "anthropic"
                [agent.llm]
                command = ["llm", "-m", "{model}"]
                answer = "/response"
                edits = true
                env = ["LLM_KEY"]
                "#,
            )
            .unwrap();
        let server = |api, url: Option<&str>, key: Option<&str>| Backend::Http {
            api,
            url: url.map(str::to_owned),
            key: key.map(str::to_owned),
        };
        let rates = Rates {
            requests_per_minute: Some(30),
            tokens_per_minute: Some(1_000_000),
        };
        let none = Rates::default();
        for (name, backend, model, rates) in [
            (
                "gemini",
                Backend::Program(ProgramKind::Gemini),
                Some("gemini-3.1-pro-preview"),
                rates,
            ),
            (
                "gemini-api",
                server(Api::Gemini, None, Some("GEMINI_API_KEY")),
                Some("gemini-3.1-pro-preview"),
                none,
            ),
            (
                "openai-api",
                server(
                    Api::OpenAi,
                    Some("https://gateway.invalid/v1"),
                    Some("GATEWAY_KEY"),
                ),
                Some("gpt-6.1-sol"),
                none,
            ),
            (
                "local",
                server(Api::OpenAi, Some("http://127.0.0.1:11434/v1"), None),
                Some("qwen3-coder"),
                none,
            ),
            (
                "mine",
                server(Api::Anthropic, None, Some("ANTHROPIC_API_KEY")),
                Some("claude-opus-5-5"),
                none,
            ),
            (
                "llm",
                Backend::Command {
                    words: ["llm", "-m", "{model}"].map(str::to_owned).to_vec(),
                    answer: Some("/response".into()),
                    gives: Gives::Files,
                    variables: vec!["LLM_KEY".into()],
                },
                None,
                none,
            ),
        ] {
            let model = model.map(str::to_owned);
            let expected = Known {
                backend,
                model,
                rates,
            };
            assert_eq!(agents.find(name), Some(&expected), "{name}");
        }
        assert_eq!(agents.names().count(), 9);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (text, said) in [
            ("[agent.a]\napi = \"openai\"\nurll = \"x\"", "line 3"),
            ("[agents.a]\napi = \"openai\"", "line 1"),
            ("[agent.a]\napi = \"mail\"", "line 2"),
            ("[agent.a]", "`api` or a `command`"),
            (
                "[agent.a]\napi = \"openai\"\nedits = true",
                "only commands have",
            ),
            (
                "[agent.a]\ncommand = [\"a\"]\nkey = \"K\"",
                "only servers have",
            ),
            ("[agent.a]\ncommand = []", "a program on PATH"),
            ("[agent.a]\ncommand = [\"./a\"]", "a program on PATH"),
            (
                "[agent.a]\ncommand = [\"a\"]\nanswer = \"x\"",
                "a JSON pointer",
            ),
            (
                "[agent.a]\ncommand = [\"a\"]\nenv = [\"A=1\"]",
                "names of variables",
            ),
            (
                "[agent.a]\napi = \"openai\"\nkey = \"AIzaSyAbc\"",
                "names of variables",
            ),
            (
                "[agent.a]\napi = \"openai\"\nurl = \"127.0.0.1\"",
                "`http://`",
            ),
            (
                "[agent.a]\napi = \"openai\"\nurl = \"http://me:pw@x\"",
                "no log-in",
            ),
            (
                "[agent.a]\napi = \"openai\"\nurl = \"http://[::1\"",
                "a URL with a host",
            ),
            ("[agent.\"a b\"]\ncommand = [\"a\"]", "letters, digits"),
            ("[agent.recorded]\ncommand = [\"a\"]", "letters, digits"),
            ("[agent.claude]\nmodel = \"x\"", "only its rates"),
            ("[agent.openai-api]\napi = \"gemini\"", "another `api`"),
            ("[agent.openai-api]\ncommand = [\"a\"]", "no command"),
            ("[agent.gemini]\nrequests-per-minute = 0", "line 2"),
        ] {
            let error = Agents::built_in().extend(text).unwrap_err();
            let error = format!("{:#}", anyhow::Error::from(error));
            assert!(error.contains(said), "{text}: {error}");
            assert!(
                !error.contains("AIzaSy") && !error.contains("pw@"),
                "{error}"
            );
        }
    }
}
