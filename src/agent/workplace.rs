//! What surrounds gemini: the folder that it starts in, its settings, the command before the prompt, its policy.
//!
//! gemini takes each `@` of a prompt for the name of a file and rewrites the prompt; not the text after a command. So
//! it starts in a folder that holds such a command, ours, and nothing else. As an executor it gets the scratch as a
//! second folder, and a policy that allows editing there and the checks, each by its exact text.
//!
//! Settings, policies and commands were measured with gemini 0.61.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Call, May, Setting};
use crate::fs::{self, FsError};

/// Where gemini starts, and what it is started with.
pub(super) struct Workplace {
    /// Its working directory.
    pub folder: PathBuf,
    /// The file that it reads as its stdin.
    pub stdin: PathBuf,
}

/// The policy of an executor, in the folder where it starts.
pub(super) const POLICY_FILE: &str = "policy.toml";

/// Where an administrator's policies are; beside those a policy of ours does not count.
pub(super) const SYSTEM_POLICIES: &str = if cfg!(target_os = "macos") {
    "/Library/Application Support/GeminiCli/policies"
} else {
    "/etc/gemini-cli/policies"
};

/// The tools of an executor.
const LOOK: &[&str] = &["read_file", "list_directory", "glob", "grep_search"];
const EDIT: &[&str] = &["replace", "write_file"];
const SHELL: &str = "run_shell_command";

impl Workplace {
    /// Makes the files that gemini needs for `call`.
    ///
    /// # Errors
    ///
    /// Fails if one cannot be written.
    pub(super) fn make(call: &Call<'_>, setting: &Setting<'_>) -> Result<Self, FsError> {
        let folder = match call.may {
            May::Answer => call.folder.to_owned(),
            May::Edit { .. } => beside(call.folder),
        };
        let own = folder.join(".gemini");
        fs::make_private_folders(&own.join("commands"))?;
        let write = |path: PathBuf, text: &str| fs::write_durable(&path, text.as_bytes());
        let mut settings = settings(call.may);
        if let May::Edit { checks } = call.may {
            write(folder.join(POLICY_FILE), &policy(call.folder, checks))?;
            settings["security"]["auth"] =
                take_log_in(setting, &home_for(call.folder).join(".gemini"))?;
        }
        // A base URL counts only if the kind of sign-in is said.
        if ["GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"]
            .iter()
            .all(|name| setting.path(name).is_some())
        {
            settings["security"]["auth"] = json!({ "selectedType": "gemini-api-key" });
        }
        write(own.join("settings.json"), &settings.to_string())?;
        write(own.join("commands/twostep.toml"), command(call.may))?;
        let stdin = call.record.join("stdin");
        write(stdin.clone(), &format!("/twostep\n{}", call.prompt))?;
        Ok(Self { folder, stdin })
    }
}

fn beside(scratch: &Path) -> PathBuf {
    scratch.with_added_extension("gemini")
}

/// Returns the home of a gemini that edits `scratch`: in the user's, what it starts could write settings that make the
/// user's own gemini run programs.
///
/// Beside the folders that its tools may look into.
pub(super) fn home_for(scratch: &Path) -> PathBuf {
    scratch.with_added_extension("gemini-home")
}

/// What of the user's `.gemini` says who they are.
const LOG_IN: &[&str] = &[
    ".env",
    "oauth_creds.json",
    "google_accounts.json",
    "gemini-credentials.json",
    "installation_id",
];

/// No file of a log-in, and no settings, are larger.
const MAX_LOG_IN_BYTES: u64 = 1 << 20;

/// Copies the user's log-in to `own`; returns what the user's settings say of it.
fn take_log_in(setting: &Setting<'_>, own: &Path) -> Result<Value, FsError> {
    let home = setting
        .path("GEMINI_CLI_HOME")
        .or_else(|| setting.path("HOME"))
        .unwrap_or_default();
    let users = home.join(".gemini");
    fs::make_private_folders(own)?;
    for name in LOG_IN {
        if fs::has_entry(&users, name) {
            let held = fs::read_regular(&users.join(name), MAX_LOG_IN_BYTES)?;
            fs::write_durable(&own.join(name), &held)?;
        }
    }
    if !fs::has_entry(&users, "settings.json") {
        return Ok(json!({}));
    }
    let mut settings: Value = fs::read_json(&users.join("settings.json"), MAX_LOG_IN_BYTES)?;
    let auth = settings.pointer_mut("/security/auth").map(Value::take);
    Ok(auth.unwrap_or_else(|| json!({})))
}

/// Returns settings without hooks, skills, agents and servers, with few requests made again, and with the tools that
/// it needs.
fn settings(may: May<'_>) -> Value {
    // It waits as it likes before it makes a request again; but with an executor ends what it has done.
    let (tools, n_attempts) = match may {
        May::Answer => (Vec::new(), 1),
        May::Edit { .. } => ([LOOK, EDIT, &[SHELL]].concat(), 2),
    };
    json!({
        "privacy": { "usageStatisticsEnabled": false },
        "general": { "enableAutoUpdate": false, "maxAttempts": n_attempts },
        "tools": { "core": tools, "discoveryCommand": "", "callCommand": "" },
        "mcp": { "allowed": ["none"] },
        "hooksConfig": { "enabled": false },
        "skills": { "enabled": false },
        "experimental": { "enableAgents": false },
        "security": { "environmentVariableRedaction": { "enabled": true, "blocked": ["GEMINI_API_KEY", "GOOGLE_API_KEY"] } },
    })
}

/// Returns the command that stands before a prompt; gemini drops a message that begins with a `/` when it goes on with
/// a conversation, and so this one too.
fn command(may: May<'_>) -> &'static str {
    match may {
        May::Answer => "prompt = \"The request follows.\"\n",
        May::Edit { .. } => {
            "prompt = \"The current folder of the request that follows is the second of your workspace, not the first, which is empty. \
             Give your tools absolute paths in it, and set dir_path to it, absolute, when you run a check.\"\n"
        }
    }
}

/// Returns what an executor may do, for gemini's `--admin-policy`: look, edit beneath `folder`, run `checks` there.
///
/// An argument stands in the text that a rule is held against between NULs, as `"name":value` in JSON, in the order of
/// the names.
fn policy(folder: &Path, checks: &[String]) -> String {
    let folder = folder.to_string_lossy();
    let inside = pattern(&["\"file_path\":", json_start(&format!("{folder}/")).as_str()]);
    let rule = |decision: &str, priority: u32, tools: &[&str], arguments: Option<&str>| {
        let tools = toml::Value::from(tools.to_vec());
        let arguments = arguments.map_or(String::new(), |pattern| {
            format!("argsPattern = {}\n", toml::Value::from(pattern))
        });
        format!(
            "[[rule]]\ntoolName = {tools}\n{arguments}decision = \"{decision}\"\npriority = {priority}\n\n"
        )
    };
    // gemini drops a rule whose pattern it takes for slow: nothing nested here.
    let climbs = r#"\x00"file_path":"[^"]*/\.\."#;
    // Behind a quotation mark in a name the rule above would see nothing.
    let is_escaped = r#"\x00"file_path":"[^"]*\\"#;
    let in_background = "\\x00\"is_background\":true\\x00";
    let mut all = vec![
        rule("deny", 100, &["*"], None),
        rule("allow", 200, LOOK, None),
        rule("allow", 200, EDIT, Some(&inside)),
        rule("deny", 400, EDIT, Some(climbs)),
        rule("deny", 400, EDIT, Some(is_escaped)),
        rule("deny", 400, &[SHELL], Some(in_background)),
    ];
    let place = pattern(&["\"dir_path\":", &json_text(&folder), "\0"]);
    for check in checks {
        let command = pattern(&["\"command\":", &json_text(check), "\0"]);
        let arguments = format!("^\\{{{command}.*{place}");
        all.push(rule("allow", 300, &[SHELL], Some(&arguments)));
    }
    for tool in EDIT {
        all.push(format!(
            "[[safety_checker]]\ntoolName = \"{tool}\"\npriority = 200\n[safety_checker.checker]\ntype = \"in-process\"\n\
             name = \"allowed-path\"\nrequired_context = [\"environment\"]\n\n"
        ));
    }
    all.concat()
}

/// Returns a regular expression for a NUL and `texts`.
fn pattern(texts: &[&str]) -> String {
    let mut pattern = "\\x00".to_owned();
    for c in texts.iter().flat_map(|text| text.chars()) {
        match c {
            '\0' => pattern.push_str("\\x00"),
            c if "\\^$.|?*+()[]{}/".contains(c) => pattern.extend(['\\', c]),
            c => pattern.push(c),
        }
    }
    pattern
}

fn json_text(text: &str) -> String {
    Value::from(text).to_string()
}

/// Returns how a text that begins with `start` begins in JSON.
fn json_start(start: &str) -> String {
    let mut text = json_text(start);
    text.pop();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_allows_editing_beneath_the_scratch_and_each_check_exactly() {
        let policy = policy(Path::new("/s/a.b 'c'"), &["sh test.sh".into()]);
        let policy: toml::Table = policy.parse().unwrap();
        let rules: Vec<(String, i64, Option<&str>)> = policy["rule"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| {
                let tools: Vec<&str> = rule["toolName"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(toml::Value::as_str)
                    .collect();
                (
                    format!("{} {}", rule["decision"].as_str().unwrap(), tools.join(",")),
                    rule["priority"].as_integer().unwrap(),
                    rule.get("argsPattern").and_then(toml::Value::as_str),
                )
            })
            .collect();
        let expected = [
            ("deny *", 100, None),
            ("allow read_file,list_directory,glob,grep_search", 200, None),
            (
                "allow replace,write_file",
                200,
                Some(r#"\x00"file_path":"\/s\/a\.b 'c'\/"#),
            ),
            (
                "deny replace,write_file",
                400,
                Some(r#"\x00"file_path":"[^"]*/\.\."#),
            ),
            (
                "deny replace,write_file",
                400,
                Some(r#"\x00"file_path":"[^"]*\\"#),
            ),
            (
                "deny run_shell_command",
                400,
                Some(r#"\x00"is_background":true\x00"#),
            ),
            (
                "allow run_shell_command",
                300,
                Some(r#"^\{\x00"command":"sh test\.sh"\x00.*\x00"dir_path":"\/s\/a\.b 'c'"\x00"#),
            ),
        ];
        assert_eq!(
            rules,
            expected.map(|(what, priority, arguments)| (what.to_owned(), priority, arguments))
        );
        assert_eq!(policy["safety_checker"].as_array().unwrap().len(), 2);
    }
}
