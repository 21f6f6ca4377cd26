//! The command as a user sees it: exit code, stdout, stderr, files.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests make the trees that the command reads"
)]

mod ask;
mod backends;
mod beside;
mod builtin;
mod changing;
mod classes;
mod confinement;
mod consent;
mod conventions;
mod demo;
mod doctor;
mod edits;
mod errors;
mod escapes;
mod flood;
mod full;
mod git_sections;
mod groups;
mod interleavings;
mod levels;
mod limits;
mod models;
mod neighbours;
mod output;
mod pace;
mod pack;
mod plan_exec;
mod plans;
mod power;
mod process;
mod repairs;
mod replay;
mod repository;
mod resume;
mod rules;
mod runs;
mod secrets;
mod signals;
mod slice;
mod specs;
mod standins;
mod survivors;
mod together;
mod tokens;
mod trust;
mod unpack;
mod variables;
#[path = "../../src/agent/http/tests/vendor.rs"]
mod vendor;
mod verify;
mod workflows;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A repository in a folder of its own.
struct Repo {
    folder: tempfile::TempDir,
}

/// What a run of the command gave.
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Repo {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The root; what surrounds it (home, outputs) stands beside it.
    fn root(&self) -> PathBuf {
        let root = self.folder.path().join("repo");
        std::fs::create_dir_all(&root).unwrap();
        root
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a file of the user's configuration there.
    fn config(&self, name: &str, text: impl AsRef<[u8]>) {
        let folder = self.beside("home/.config/twostep");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), text).unwrap();
    }

    fn file(self, path: &str, contents: impl AsRef<[u8]>) -> Self {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
        self
    }

    /// Makes it a git repository; what is there now is tracked, ignored or not.
    fn git(self) -> Self {
        self.run_git(&["init", "-q"]);
        self.run_git(&["add", "-A", "-f"]);
        self
    }

    fn run_git(&self, args: &[&str]) -> String {
        String::from_utf8(self.git_output(args)).unwrap()
    }

    fn git_output(&self, args: &[&str]) -> Vec<u8> {
        let output = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.invalid"])
            .args(args)
            .current_dir(self.root())
            .env("HOME", self.beside("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "git {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_twostep"));
        command
            .args(args)
            .current_dir(self.root())
            .env_clear()
            .env("HOME", self.beside("home"))
            // Programs of tests end at once.
            .env("TWOSTEP_STAGGER_MS", "0")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command(args))
    }

    fn run_with_stdin(&self, args: &[&str], stdin: &[u8]) -> Run {
        let mut command = self.command(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin).unwrap();
        Run::from(child.wait_with_output().unwrap())
    }

    /// Packs to stdout and returns the document.
    #[track_caller]
    fn pack(&self, args: &[&str]) -> String {
        let run = self.run(&[&["pack", "-q"], args].concat());
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        run.stdout
    }
}

impl Run {
    fn of(mut command: Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// As [`Run::of`], of a command that is killed after a minute: its code is then 137.
    fn in_time(command: &Command) -> Self {
        let mut limited = Command::new("timeout");
        limited
            .args(["--signal=KILL", "60"])
            .arg(command.get_program())
            .args(command.get_args())
            .current_dir(command.get_current_dir().unwrap())
            .env_clear()
            .envs(
                command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .stdin(Stdio::null());
        Self::of(limited)
    }

    fn from(output: std::process::Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The value on the last line of stdout.
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(self.stdout.lines().last().unwrap()).unwrap()
    }
}

/// Puts a pipe where one of git's files is, or none.
fn put_pipe(git: &Path, file: &str) {
    let place = git.join(file);
    let _ = std::fs::remove_file(&place);
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(place)
            .status()
            .unwrap()
            .success()
    );
}

/// Returns the paths of a document's files, in order, each with its level.
fn files_of(document: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut reader = quick_xml::Reader::from_str(document);
    loop {
        use quick_xml::events::Event;
        match reader.read_event().unwrap() {
            Event::Start(element) | Event::Empty(element) if element.name().as_ref() == "file" => {
                let attribute = |name: &str| {
                    element.try_get_attribute(name).unwrap().map(|found| {
                        quick_xml::escape::unescape(&found.value)
                            .unwrap()
                            .into_owned()
                    })
                };
                files.push((
                    attribute("path").unwrap(),
                    attribute("level").unwrap_or("full".to_owned()),
                ));
            }
            Event::Eof => return files,
            _ => {}
        }
    }
}

/// Returns the paths of the files that a document shows in full.
fn full_files_of(document: &str) -> Vec<String> {
    let files = files_of(document).into_iter();
    files
        .filter(|(_, level)| level == "full")
        .map(|(path, _)| path)
        .collect()
}

/// Returns the tokens that a document says it has.
fn claimed_tokens(document: &str) -> u64 {
    let (_, rest) = document.rsplit_once("<totals tokens=\"").unwrap();
    rest.split_once('"').unwrap().0.parse().unwrap()
}

/// Counts tokens by the reference.
fn count(text: &str) -> u64 {
    tiktoken_rs::o200k_base_singleton()
        .encode_ordinary(text)
        .len() as u64
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// A user's `models.toml` with the model `small` of openai's, that takes so many tokens; for codex 30,000 of them are its own.
fn small_model(window: u64) -> String {
    format!(
        "version = 1\n[[models]]\nid = \"small\"\nvendor = \"openai\"\nstatus = \"current\"\ntokenizer = \"o200k_base\"\n\
         context_window = {window}\nshared_window = false\nmax_input = {window}\n"
    )
}
