//! An executor without tools: its answer holds edits, and we make them in the scratch.

use std::fmt;

use super::call::{Anew, Answered, Asked, call};
use super::consent;
use super::exec::{ExecError, ExecRequest};
use super::host::{Event, Host};
use super::plan::{PlanningError, given, require_room};
use super::player::Player;
use super::redact::{Redactor, SecretsMode};
use crate::agent::{Class, May, REPLY_FILE, Role};
use crate::edit::{self, Change, Edit, Found, ParseError, Rejection};
use crate::fs::{self, Entry, EntryKind, Executable, FsError, Root, with_executable};
use crate::patch::Mode;
use crate::path::RepoPath;
use crate::prompt;
use crate::repo::Text;
use crate::run::Run;

/// So many times an executor is told what is wrong with its edits, and asked again.
const MOST_AGAIN: usize = 2;

/// No file is edited that is larger.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// What is wrong with the edits of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong(pub Vec<String>);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl From<Vec<ParseError>> for Wrong {
    fn from(errors: Vec<ParseError>) -> Self {
        let told = |error: &ParseError| {
            let source = std::error::Error::source(error);
            let cause = source.map_or(String::new(), |source| format!(": {source}"));
            format!("{error}{cause}")
        };
        Self(errors.iter().map(told).collect())
    }
}

impl From<Vec<Rejection>> for Wrong {
    fn from(rejections: Vec<Rejection>) -> Self {
        Self(rejections.iter().map(ToString::to_string).collect())
    }
}

/// Asks for edits and makes them in `scratch`; what does not fit is told to whoever answered, who is asked again.
///
/// # Errors
///
/// Fails if there is no answer, or the edits of the last do not fit: then none was made.
pub(super) fn ask<'a>(
    (player, scratch): (&'a Player, &Root),
    run: &Run,
    (prompt, tokens): (&str, u64),
    anew: Anew<'_>,
    request: &ExecRequest<'_>,
    host: &Host<'_>,
) -> Result<Answered<'a>, ExecError> {
    let folder = host.cache.join(&run.id).join(Role::Executor.name());
    fs::make_private_folders(&folder)?;
    let (mut player, mut text, mut tokens) = (player, prompt.to_owned(), tokens);
    // What was asked first, by a prompt of its own where another stood in.
    let (mut first, mut own) = (prompt.to_owned(), None);
    let mut n_again = 0;
    loop {
        // What is wrong with edits is for one who takes it; to others it is the first time.
        let anew = |next: &Player| {
            let own = anew(next)?;
            if n_again == 0 {
                return Ok(own);
            }
            let count = request.counter.count(&text);
            match (require_room(&text, &count, next, Role::Executor), own) {
                (Err(over), None) => Err(over),
                (Err(_), own) => Ok(own),
                (Ok(()), _) => Ok(None),
            }
        };
        let asked = Asked {
            role: Role::Executor,
            step: request.step,
            prompt: &text,
            tokens,
            anew: Some(&anew),
            folder: &folder,
            may: May::Answer,
            session: None,
            // What does not fit is told by another prompt.
            check: &|_, _| Ok(()),
            reset: &|_, _| true,
        };
        let mut answered = call(run, player, &asked, host)?;
        if let Some(text) = answered.own.take() {
            first.clone_from(&text);
            own = Some(text);
        }
        let may_shrink = |path: &RepoPath| {
            consent::may_shrink(path, request.rules.plan, request.rules.references)
        };
        let go_on = || -> Result<(), PlanningError> {
            host.go_on()?;
            Ok(host.budget.check_time(run, (host.now)())?)
        };
        let answer = &answered.reply.text;
        let carried = carry_out(answer, scratch, &may_shrink, &host.redactor, &go_on)?;
        let Err(wrong) = carried else {
            return Ok(Answered { own, ..answered });
        };
        let agent = answered.player.agent.name();
        if n_again == MOST_AGAIN {
            let reply = answered.place.folder.join(REPLY_FILE);
            // Whoever goes on with the run gets another answer.
            run.fail_call(&answered.place, Some(Class::Malformed), wrong.to_string())?;
            return Err(ExecError::Rejected {
                agent,
                wrong,
                reply,
            });
        }
        n_again += 1;
        let told = format!("{agent}: the edits cannot be made: {wrong}; asking again");
        (host.tell)(&Event::Warning(told));
        let again = prompt::edits_again(&wrong.0, (&first, &answered.reply.text));
        let again = host.redactor.redacted(&again);
        player = answered.player;
        let again = given(again, request.counter, player, Role::Executor)?;
        (text, tokens) = (again.text, again.tokens);
    }
}

/// Makes the edits of an answer in `scratch`, all or none; the inner error says what is wrong with them.
fn carry_out(
    answer: &str,
    scratch: &Root,
    may_shrink: &dyn Fn(&RepoPath) -> bool,
    redactor: &Redactor,
    go_on: &dyn Fn() -> Result<(), PlanningError>,
) -> Result<Result<(), Wrong>, PlanningError> {
    let (edits, errors) = edit::parse(answer);
    if errors.is_empty() {
        return make(&edits, scratch, may_shrink, redactor, go_on);
    }
    let mut wrong = Wrong::from(errors);
    // What else is wrong is told with it.
    let read = |path: &RepoPath| find(scratch, path, redactor);
    if let Err(rejections) = edit::apply(&edits, &read, may_shrink, go_on)? {
        wrong.0.extend(Wrong::from(rejections).0);
    }
    Ok(Err(wrong))
}

/// Makes edits in `scratch`, all or none; the inner error says what is wrong with them.
pub(super) fn make(
    edits: &[Edit],
    scratch: &Root,
    may_shrink: &dyn Fn(&RepoPath) -> bool,
    redactor: &Redactor,
    go_on: &dyn Fn() -> Result<(), PlanningError>,
) -> Result<Result<(), Wrong>, PlanningError> {
    let read = |path: &RepoPath| find(scratch, path, redactor);
    let changes = match edit::apply(edits, &read, may_shrink, go_on)? {
        Ok(changes) => changes,
        Err(rejections) => return Ok(Err(rejections.into())),
    };
    let twins = twins(&changes, scratch)?;
    if !twins.is_empty() {
        return Ok(Err(Wrong(twins)));
    }
    let spelled = changes.into_iter().map(|change| spelled(change, scratch));
    match spelled.collect::<Result<Vec<Change>, Wrong>>() {
        Ok(changes) => Ok(Ok(write(&changes, scratch)?)),
        Err(wrong) => Ok(Err(wrong)),
    }
}

/// Says where a new path is one that is there but for case or the spelling of its letters: some file systems hold one of both.
fn twins(changes: &[Change], scratch: &Root) -> Result<Vec<String>, FsError> {
    let is_gone = |path: &RepoPath| {
        let mut gone = changes.iter().filter(|change| change.after.is_none());
        gone.any(|change| change.path == *path)
    };
    let mut told = Vec::new();
    let mut others: Vec<RepoPath> = Vec::new();
    for Change { path, .. } in changes.iter().filter(|change| change.after.is_some()) {
        for place in path.folders().chain([path.clone()]) {
            if scratch.find(&place)?.is_some() {
                continue;
            }
            let folder = place.folders().last();
            let there = match &folder {
                Some(folder) if scratch.find(folder)?.is_none() => Vec::new(),
                folder => scratch.list(folder.as_ref())?,
            };
            let there = there.iter().map(|(path, _)| path);
            let mut there = there.filter(|path| !is_gone(path)).chain(&others);
            let plain = place.folded();
            if let Some(twin) = there.find(|&other| *other != place && other.folded() == plain) {
                told.push(format!(
                    "`{path}`: `{twin}` is there, and some file systems do not tell `{place}` from it; use that name, or another"
                ));
            }
            others.push(place);
        }
    }
    Ok(told)
}

/// Returns what is at `path`, a file as a pack shows it: its text, without secrets.
fn find(scratch: &Root, path: &RepoPath, redactor: &Redactor) -> Found {
    let unreadable = Found::Other("not to be read");
    let Ok(stat) = scratch.find(path) else {
        return unreadable;
    };
    match stat.map(|stat| stat.kind) {
        None => Found::Nothing,
        Some(EntryKind::Folder) => Found::Folder,
        Some(EntryKind::Link) => Found::Other("a link"),
        Some(EntryKind::Special) => Found::Other("a device, pipe or socket"),
        Some(EntryKind::File) => match scratch.read(path, MAX_FILE_BYTES) {
            Err(_) => unreadable,
            Ok(Entry::TooLarge { .. }) => Found::Other("too large to be edited"),
            Ok(Entry::Whole(bytes)) => match Text::decode(bytes) {
                Err(_) => Found::Other("no text"),
                Ok(Text { text, .. }) if redactor.mode == SecretsMode::Off => {
                    Found::File(text.into_bytes())
                }
                Ok(Text { text, .. }) => {
                    let findings = redactor.find(&path.to_string(), &text);
                    Found::File(redactor.redact(&text, &findings).into_bytes())
                }
            },
        },
    }
}

/// Returns `change` with the bytes that its file gets in the charset that it has.
fn spelled(change: Change, scratch: &Root) -> Result<Change, Wrong> {
    let place = change.moved_from.as_ref().unwrap_or(&change.path);
    let before = match scratch.read(place, MAX_FILE_BYTES) {
        Ok(Entry::Whole(bytes)) => Text::decode(bytes).ok(),
        Ok(Entry::TooLarge { .. }) | Err(_) => None,
    };
    let (Some(before), Some(after)) = (before, &change.after) else {
        return Ok(change);
    };
    let text = String::from_utf8_lossy(after).into_owned();
    let wrong = || {
        let why = format!("`{}`: its charset cannot spell the new text", change.path);
        Wrong(vec![why])
    };
    let after = Some(Text { text, ..before }.encode().ok_or_else(wrong)?);
    Ok(Change { after, ..change })
}

/// Writes files, and first takes away those that go, for another may stand where one of them was.
fn write(changes: &[Change], scratch: &Root) -> Result<(), FsError> {
    let modes: Vec<Option<Executable>> = changes
        .iter()
        .map(|change| mode_of(change, scratch))
        .collect::<Result<_, _>>()?;
    for change in changes.iter().filter(|change| change.after.is_none()) {
        scratch.remove(&change.path)?;
    }
    for (Change { path, after, .. }, mode) in changes.iter().zip(modes) {
        let Some(bytes) = after else { continue };
        match scratch.find(path)? {
            Some(_) => scratch.replace(path, bytes)?,
            None => scratch.create(path, bytes)?,
        }
        if let (Some(mode), Some(stat)) = (mode, scratch.find(path)?) {
            scratch.set_mode(path, with_executable(stat.mode, mode))?;
        }
    }
    Ok(())
}

/// Returns whether a file is to be executable, where that is not as it is at its place: as an edit says, or as it was where it came from.
fn mode_of(change: &Change, scratch: &Root) -> Result<Option<Executable>, FsError> {
    let is_executable = match (change.mode, &change.moved_from) {
        (Some(mode), _) => Some(mode == Mode::Executable),
        (None, Some(place)) => scratch.find(place)?.map(|stat| stat.is_executable()),
        (None, None) => None,
    };
    Ok(is_executable.map(|is_executable| {
        if is_executable {
            Executable::Yes
        } else {
            Executable::No
        }
    }))
}
