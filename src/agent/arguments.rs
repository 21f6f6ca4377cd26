//! The command lines of the programs: what each is told of model, tools and conversation.

use std::ffi::OsStr;
use std::path::Path;

use super::May;
use super::workplace::POLICY_FILE;

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|&word| word.to_owned()).collect()
}

pub(super) fn gemini_words(
    model: &str,
    folder: &Path,
    may: May<'_>,
    session: Option<&str>,
) -> Vec<String> {
    let mut all = words(&["-m", model, "-o", "stream-json", "--raw-output"]);
    all.extend(words(&["-e", "none", "--allowed-mcp-server-names", "none"]));
    if let May::Edit { .. } = may {
        let folder = folder.to_string_lossy();
        all.extend(words(&[
            "--include-directories",
            &folder,
            "--admin-policy",
            POLICY_FILE,
        ]));
    }
    if let Some(session) = session {
        all.extend(words(&["-r", session]));
    }
    all
}

pub(super) fn claude_words(
    (model, effort): (&str, Option<&str>),
    may: May<'_>,
    session: Option<&str>,
) -> Vec<String> {
    let mut all = words(&[
        "-p",
        "--output-format",
        "stream-json",
        "--verbose",
        "--model",
        model,
    ]);
    if let Some(effort) = effort {
        all.extend(words(&["--effort", effort]));
    }
    // Neither the user's settings nor the repository's: they may allow commands and run hooks.
    all.extend(words(&[
        "--setting-sources",
        "",
        "--strict-mcp-config",
        "--permission-mode",
        "dontAsk",
    ]));
    if let Some(session) = session {
        all.extend(words(&["--resume", session]));
    }
    match may {
        May::Answer => all.extend(words(&["--tools", "", "--disable-slash-commands"])),
        May::Edit { checks } => {
            let shell = if checks.is_empty() { "" } else { ",Bash" };
            let tools = format!("Read,Edit,Write,Glob,Grep{shell}");
            let commands = checks.iter().map(|check| format!("Bash({check})"));
            let allowed: Vec<String> = std::iter::once("Edit(./**)".to_owned())
                .chain(commands)
                .collect();
            let settings = serde_json::json!({ "permissions": { "allow": allowed } });
            all.extend(words(&["--permission-prompts", "none", "--tools", &tools]));
            // The folder is added so that its CLAUDE.md is read without its settings.
            all.extend(words(&[
                "--settings",
                &settings.to_string(),
                "--add-dir",
                ".",
            ]));
        }
    }
    all
}

pub(super) fn codex_words(
    (model, effort): (&str, Option<&str>),
    may: May<'_>,
    session: Option<&str>,
) -> Vec<String> {
    let mut all = words(&["exec"]);
    if let Some(session) = session {
        all.extend(words(&["resume", session]));
    }
    all.extend(words(&["--json", "--skip-git-repo-check", "-m", model]));
    if let Some(effort) = effort {
        let setting = format!("model_reasoning_effort=\"{effort}\"");
        all.extend(words(&["-c", &setting]));
    }
    // No reports, no updates, nothing of the user's that starts other programs.
    for setting in [
        "analytics.enabled=false",
        "check_for_update_on_startup=false",
        "features.plugins=false",
        "features.remote_plugin=false",
        "features.apps=false",
        "mcp_servers={}",
    ] {
        all.extend(words(&["-c", setting]));
    }
    match may {
        May::Answer => all.extend(words(&[
            "--disable",
            "shell_tool",
            "--disable",
            "unified_exec",
            "-c",
            "web_search=\"disabled\"",
        ])),
        May::Edit { .. } => all.extend(words(&[
            "-c",
            "sandbox_workspace_write.exclude_slash_tmp=true",
            "-c",
            "shell_environment_policy.exclude=[\"*_API_KEY\"]",
        ])),
    }
    // A conversation that goes on keeps the sandbox that it began with.
    match (may, session) {
        (_, Some(_)) => {}
        (May::Answer, None) => all.extend(words(&["-s", "read-only"])),
        (May::Edit { .. }, None) => all.extend(words(&["-s", "workspace-write"])),
    }
    all.push("-".to_owned());
    all
}

/// Returns a word as a shell takes it.
pub fn quoted(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
