//! The only writer to stdout and stderr.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::path::{is_bidi, is_invisible};
use crate::process;

/// Prints results to stdout and messages to stderr.
pub(super) struct Printer {
    volume: Volume,
    /// Whether stderr is a terminal on which a line can change.
    is_lively: bool,
    stdout: io::Stdout,
    stderr: io::Stderr,
}

/// How much a person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Volume {
    /// Errors only.
    Quiet,
    /// What matters.
    Normal,
    /// Every file that is left out, too.
    Verbose,
}

/// The reader of our stdout went away.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads stdout any more")]
pub(super) struct StdoutClosed;

/// Our stdout, unbuffered.
pub(super) struct Stdout(File);

/// A progress bar, taken away when it is dropped.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Shows that `done` files of `n` are done.
    pub(super) fn show(&self, done: usize, n: usize) {
        self.0.set_length(n as u64);
        self.0.set_position(done as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A line that changes, taken away when it is dropped.
pub(super) struct Line(ProgressBar);

impl Line {
    /// Shows `text`, as far as it fits the width.
    pub(super) fn show(&self, text: &str) {
        self.0.set_message(text.to_owned());
    }

    /// Takes the line away while `say` prints.
    pub(super) fn above(&self, say: impl FnOnce()) {
        self.0.suspend(say);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                // Some programs hand us a pipe that does not block; its reader is merely slow.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return Err(io::Error::new(io::ErrorKind::BrokenPipe, StdoutClosed));
                }
                answer => return answer,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Printer {
    /// Makes the printer of this process.
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    pub(super) fn new(volume: Volume) -> Self {
        let stderr = io::stderr();
        let terminal = std::env::var_os("TERM").unwrap_or_default();
        let is_able = !terminal.is_empty() && terminal != "dumb";
        Self {
            volume,
            is_lively: is_able && volume != Volume::Quiet && stderr.is_terminal(),
            stdout: io::stdout(),
            stderr,
        }
    }

    /// Returns how much a person is told.
    pub(super) fn volume(&self) -> Volume {
        self.volume
    }

    /// Says whether stdout is a terminal.
    pub(super) fn stdout_is_terminal(&self) -> bool {
        self.stdout.is_terminal()
    }

    /// Says whether stdout is a pipe, a socket or a file, so that what is written to it goes somewhere.
    pub(super) fn stdout_is_kept(&self) -> bool {
        use std::os::unix::fs::FileTypeExt;
        let file = self.stdout().and_then(|stdout| stdout.0.metadata());
        file.is_ok_and(|meta| {
            let kind = meta.file_type();
            kind.is_fifo() || kind.is_socket() || kind.is_file()
        })
    }

    /// Says whether there is a person who can be asked.
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    pub(super) fn can_ask(&self) -> bool {
        self.volume != Volume::Quiet && self.stderr.is_terminal() && io::stdin().is_terminal()
    }

    /// Asks a person, and returns the line that comes back; none where stdin ends, or `interrupted` says so first.
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    pub(super) fn ask(&self, question: &str, interrupted: &dyn Fn() -> bool) -> Option<String> {
        let mut stderr = self.stderr.lock();
        let _ = write!(stderr, "{}", clean(question)).and_then(|()| stderr.flush());
        let stdin = io::stdin();
        while !process::is_ready(stdin.as_fd(), Duration::from_millis(100)) {
            if interrupted() {
                let _ = writeln!(stderr);
                return None;
            }
        }
        let mut line = String::new();
        let n = stdin.read_line(&mut line).ok()?;
        if n == 0 {
            let _ = writeln!(stderr);
        }
        (n > 0).then(|| line.trim().to_owned())
    }

    /// Reads what comes through stdin, as text of at most `max_bytes`; nothing where it is a terminal.
    ///
    /// Who waits for what does not come is told what to do.
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    pub(super) fn piped_stdin(&self, max_bytes: u64) -> anyhow::Result<String> {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            return Ok(String::new());
        }
        if !process::is_ready(stdin.as_fd(), Duration::from_secs(3)) {
            self.note("waiting for stdin to end; `< /dev/null` if nothing comes through it");
        }
        read_stdin(max_bytes)
    }

    /// Opens stdout for a document.
    pub(super) fn stdout(&self) -> io::Result<Stdout> {
        if process::stdout_was_closed() {
            return Err(io::Error::new(
                io::ErrorKind::NotConnected,
                "stdout is closed",
            ));
        }
        Ok(Stdout(File::from(
            self.stdout.as_fd().try_clone_to_owned()?,
        )))
    }

    /// Writes a result to stdout; what a terminal would obey is taken from it where stdout is one.
    pub(super) fn data(&self, bytes: &[u8]) -> io::Result<()> {
        if self.stdout_is_terminal() {
            let text = String::from_utf8_lossy(bytes);
            return self.stdout()?.write_all(clean(&text).as_bytes());
        }
        self.stdout()?.write_all(bytes)
    }

    /// Writes a value to stdout as JSON, on one line.
    pub(super) fn json(&self, value: &impl serde::Serialize) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(value)?;
        text.push(b'\n');
        Ok(self.data(&text)?)
    }

    /// Tells a person something, unless quiet.
    pub(super) fn note(&self, line: &str) {
        if self.volume != Volume::Quiet {
            self.say(line);
        }
    }

    /// Tells whoever called us what they cannot go on without.
    pub(super) fn tell(&self, line: &str) {
        self.say(line);
    }

    /// Says whether what is at work is shown on a line that changes.
    pub(super) fn is_lively(&self) -> bool {
        self.is_lively
    }

    /// Warns a person, unless quiet.
    pub(super) fn warn(&self, line: &str) {
        self.note(&format!("warning: {line}"));
    }

    /// Tells a person why it went wrong and what would help.
    pub(super) fn error(&self, error: &anyhow::Error, hint: Option<&str>) {
        self.say(&format!("error: {error:#}"));
        if let Some(hint) = hint {
            self.say(&format!("\nhint: {hint}"));
        }
    }

    /// Says what is wrong with the command line, as the parser of it worded that; names in it may be hostile.
    pub(super) fn refusal(&self, error: &clap::Error) {
        let text = error.render().to_string();
        match clean(&text) {
            Cow::Borrowed(_) => drop(error.print()),
            Cow::Owned(_) => self.say(text.trim_end()),
        }
    }

    /// Returns a progress bar over files; hidden where there is no terminal, or when quiet.
    pub(super) fn progress(&self, verb: &'static str) -> Progress {
        let target = if self.is_lively {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target).with_prefix(verb);
        let template = "{prefix} [{bar:30}] {human_pos}/{human_len} files";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        Progress(bar)
    }

    /// Returns a line that can change, where there is a terminal for it; it has no colours.
    pub(super) fn line(&self) -> Option<Line> {
        let style = ProgressStyle::with_template("{wide_msg}").ok()?;
        self.is_lively.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            Line(bar.with_style(style))
        })
    }

    /// Messages are best effort: a stderr that is gone must not stop the work.
    fn say(&self, line: &str) {
        let _ = writeln!(self.stderr.lock(), "{}", clean(line));
    }
}

/// Reads all of stdin as text of at most `max_bytes`.
pub(super) fn read_stdin(max_bytes: u64) -> anyhow::Result<String> {
    let mut text = String::new();
    #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
    let n = io::stdin()
        .lock()
        .take(max_bytes + 1)
        .read_to_string(&mut text)
        .context("cannot read stdin as text")?;
    anyhow::ensure!(
        n as u64 <= max_bytes,
        "stdin has more than {max_bytes} bytes"
    );
    Ok(text)
}

/// Takes from a message what a terminal would obey or not show: control characters other than line breaks, bidi
/// controls, and what is invisible.
pub(super) fn clean(line: &str) -> Cow<'_, str> {
    let is_obeyed = |c: char| (c.is_control() || is_bidi(c) || is_invisible(c)) && c != '\n';
    if !line.contains(is_obeyed) {
        return Cow::Borrowed(line);
    }
    let escape = |c: char| {
        if is_obeyed(c) {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    };
    Cow::Owned(line.chars().map(escape).collect())
}
