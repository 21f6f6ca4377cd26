//! `twostep doctor`, with programs of ours on `PATH`.

use std::os::unix::fs::PermissionsExt;

use super::{Repo, Run};

/// A key that nobody may see.
const KEY: &str = "sk-not-to-be-shown";

/// A place with programs, files in the home, and variables.
struct Place {
    /// Each with what its `--version` does.
    programs: &'static [(&'static str, &'static str)],
    home: &'static [(&'static str, &'static str)],
    /// Their values are all the same key, or what follows a `=`.
    variables: &'static [&'static str],
}

impl Place {
    fn doctor(&self, args: &[&str]) -> Run {
        let repo = Repo::new();
        let bin = repo.beside("bin");
        std::fs::create_dir_all(&bin).unwrap();
        for (name, does) in self.programs {
            let place = bin.join(name);
            let text = format!("#!/bin/sh\n[ \"$*\" = --version ] || exit 9\n{does}\n");
            std::fs::write(&place, text).unwrap();
            std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        for (path, text) in self.home {
            let path = repo.beside("home").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut command = repo.command(&[&["doctor"], args].concat());
        // Nothing of the machine's.
        command.env("PATH", &bin);
        for variable in self.variables {
            let (name, value) = variable.split_once('=').unwrap_or((variable, KEY));
            command.env(name, value);
        }
        let run = Run::of(command);
        let cache = repo.beside("home/.cache/twostep");
        assert!(
            !cache.exists() || cache.read_dir().unwrap().next().is_none(),
            "something is left in the cache"
        );
        assert!(!repo.root().join(".twostep").exists());
        run
    }
}

const GEMINI: (&str, &str) = ("gemini", "echo 0.61.0");
const CLAUDE: (&str, &str) = ("claude", "echo '2.1.329 (Claude Code)'");
const CODEX: (&str, &str) = ("codex", "echo 'codex-cli 0.169.0'");

const LOG_INS: &[(&str, &str)] = &[
    (".gemini/oauth_creds.json", "{}"),
    (".claude/.credentials.json", "{}"),
    (".codex/auth.json", "{}"),
];

/// What is there, the arguments, the exit code, and what is said.
type Row = (Place, &'static [&'static str], i32, &'static [&'static str]);

#[track_caller]
fn check(rows: &[Row]) {
    for (n, (place, args, code, says)) in rows.iter().enumerate() {
        let run = place.doctor(args);
        assert_eq!(run.code, *code, "{n}: {}{}", run.stdout, run.stderr);
        assert_eq!(run.stdout.contains("ready     "), *code == 0, "{n}");
        for said in *says {
            assert!(run.stdout.contains(said), "{n}: {said}: {}", run.stdout);
        }
        assert!(!run.stdout.contains(KEY), "{n}: {}", run.stdout);
    }
}

const ALL: &[(&str, &str)] = &[GEMINI, CLAUDE, CODEX];

fn place(
    programs: &'static [(&'static str, &'static str)],
    home: &'static [(&'static str, &'static str)],
    variables: &'static [&'static str],
) -> Place {
    Place {
        programs,
        home,
        variables,
    }
}

#[test]
fn a_role_needs_a_program_that_runs_and_a_model_that_it_serves() {
    check(&[
        (
            place(ALL, LOG_INS, &[]),
            &[],
            0,
            &[
                "gemini    0.61.0, ",
                "claude    2.1.329 (Claude Code), ",
                "log-in (subscription): ",
                ".codex/auth.json",
                "planner   gemini:gemini-3.1-pro-preview: window 1,048,576",
                "executor  claude:claude-opus-5-5: window 1,000,000",
                "git       not found; twostep does not need it",
            ],
        ),
        (
            place(&[], &[], &[]),
            &[],
            1,
            &[
                "gemini    not found; `npm install -g @google/gemini-cli` gets it",
                "problem   cannot find `claude`, the executor, on PATH",
            ],
        ),
        (
            place(
                &[GEMINI, ("claude", "echo broken >&2; exit 7")],
                LOG_INS,
                &[],
            ),
            &[],
            1,
            &["problem   `claude --version` failed: exit 7: broken"],
        ),
        (
            place(ALL, LOG_INS, &[]),
            &[
                "--planner",
                "recorded:gone",
                "--executor",
                "claude:gpt-6.1-sol",
            ],
            1,
            &[
                "problem   the recording `gone` is no folder",
                "problem   `claude` does not serve `gpt-6.1-sol`, a model of openai",
            ],
        ),
        (
            place(
                &[("gemini", "printf '0.61.0 \\033[2J\\n'"), CLAUDE],
                LOG_INS,
                &[],
            ),
            &[],
            0,
            &["gemini    0.61.0 \\u{1b}[2J, "],
        ),
        // Older, and of another major version: both are notes.
        (
            place(
                &[("gemini", "echo 0.40.2"), ("claude", "echo 3.0.0"), CODEX],
                LOG_INS,
                &[],
            ),
            &[],
            0,
            &[
                "note: twostep was made with 0.61, which is newer; get it with `npm",
                "note: twostep was made with 2.1: much may be different",
            ],
        ),
    ]);
}

#[test]
fn who_is_to_play_is_signed_in() {
    check(&[
        // By key, and nobody needs codex.
        (
            place(
                &[GEMINI, CLAUDE],
                &[],
                &["GEMINI_API_KEY", "ANTHROPIC_API_KEY"],
            ),
            &[],
            0,
            &[
                "key (billed by the token): GEMINI_API_KEY",
                "key (billed by the token): ANTHROPIC_API_KEY",
            ],
        ),
        (
            place(ALL, LOG_INS, &["ANTHROPIC_API_KEY"]),
            &[],
            0,
            &["note: ANTHROPIC_API_KEY is set and stands before the log-in in "],
        ),
        // The settings of gemini say log-in, and nothing stands before it.
        (
            place(
                ALL,
                &[
                    (".gemini/oauth_creds.json", "{}"),
                    (
                        ".gemini/settings.json",
                        r#"{"security":{"auth":{"selectedType":"oauth-personal"}}}"#,
                    ),
                ],
                &["GEMINI_API_KEY", "ANTHROPIC_API_KEY"],
            ),
            &[],
            0,
            &["log-in (subscription): "],
        ),
        (
            place(&[CLAUDE], LOG_INS, &["OPENAI_API_KEY"]),
            &["--planner", "openai-api"],
            0,
            &["planner   openai-api:gpt-6.1-sol"],
        ),
        (
            place(&[CLAUDE], LOG_INS, &["OPENAI_API_KEY="]),
            &["--planner", "openai-api"],
            1,
            &[
                "problem   the variable `OPENAI_API_KEY`, which is to hold the key of `openai-api`, is not set",
                "do: set OPENAI_API_KEY",
            ],
        ),
        // An empty variable is not set.
        (
            place(ALL, &[], &["GEMINI_API_KEY=", "ANTHROPIC_API_KEY"]),
            &[],
            1,
            &[
                "problem   gemini, the planner, is not signed in",
                "do: run `gemini` once",
            ],
        ),
        (
            place(ALL, LOG_INS, &["OPENAI_API_KEY", "CODEX_HOME=/nowhere"]),
            &["--planner", "claude:sonnet,gemini", "--executor", "codex"],
            1,
            &[
                "planner   claude:claude-sonnet-5-5: ",
                "planner   gemini:gemini-3.1-pro-preview: ",
                "note: OPENAI_API_KEY is set, and codex passes it over",
                "problem   codex, the executor, is not signed in",
            ],
        ),
    ]);
}

#[test]
fn the_users_own_files_can_be_used() {
    check(&[(
        place(
            ALL,
            &[
                (".gemini/oauth_creds.json", "{}"),
                (".claude/.credentials.json", "{}"),
                (".config/twostep/models.toml", "version = 1\nmodels = 3\n"),
                (".config/twostep/secrets.toml", "[allow]\nrules = []\n"),
                (".config/twostep/agents.toml", "not toml"),
            ],
            &[],
        ),
        &[],
        1,
        &[
            "file      models.toml: cannot be used: ",
            "file      agents.toml: cannot be used: ",
            "file      secrets.toml: /",
            "problem   cannot use your models in ",
            "do: mend `",
        ],
    )]);
}

#[test]
fn programs_tell_their_version_without_keys_in_an_empty_folder() {
    let place = place(
        &[
            (
                "gemini",
                "set -- *; echo \"0.61.0 $1 ${GEMINI_API_KEY-none}\"",
            ),
            (
                "claude",
                "set -- *; echo \"2.1 $1 ${ANTHROPIC_API_KEY-none}\"",
            ),
        ],
        &[],
        &["GEMINI_API_KEY", "ANTHROPIC_API_KEY"],
    );
    let run = place.doctor(&["--json"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let found = run.json();
    assert_eq!(
        (
            &found["is_ready"],
            &found["programs"][0]["version"],
            &found["programs"][1]["version"],
            &found["programs"][2]["path"],
            &found["programs"][0]["sign_ins"][0]["way"],
        ),
        (
            &true.into(),
            &"0.61.0 * none".into(),
            &"2.1 * none".into(),
            &serde_json::Value::Null,
            &"key".into(),
        )
    );
    assert!(found["cache"]["free_bytes"].as_u64().unwrap() > 0);
}

#[test]
fn without_a_place_for_copies_nothing_can_be_played() {
    check(&[(
        place(&[GEMINI, CLAUDE], LOG_INS, &["XDG_CACHE_HOME=/dev/null"]),
        &[],
        1,
        &["problem   there is no place for working copies"],
    )]);
}
