//! The processes of this machine, as `/proc` shows them. Where there is none, nothing is found.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal};

use crate::fs;

/// A process that has not ended.
struct Process {
    id: Pid,
    parent: i32,
    session: i32,
}

/// Returns the living descendants of the process `ancestor`, nearest first, without the processes `spared` and theirs.
pub(super) fn descendants(ancestor: Pid, spared: &[Pid]) -> Vec<Pid> {
    let mut others = processes();
    others.retain(|process| !spared.contains(&process.id));
    let mut found = vec![ancestor];
    let mut n_done = 0;
    while let Some(parent) = found.get(n_done).map(|id| id.as_raw_pid()) {
        // Taken out as they are found: the table is no snapshot and might hold a circle.
        let children = others.extract_if(.., |process| process.parent == parent);
        found.extend(children.map(|process| process.id));
        n_done += 1;
    }
    found.split_off(1)
}

/// Kills all that is in a session, and goes on for a second while there is anything.
pub(super) fn kill_session(leader: Pid) {
    kill_all(|| {
        let mut members = processes();
        members.retain(|process| process.session == leader.as_raw_pid());
        members.into_iter().map(|process| process.id).collect()
    });
}

/// Kills what the system has made descendants of this process though others started it, and goes on for a second while
/// there is anything; `own` are the children that it started itself.
///
/// Nothing is done where this process takes no orphans: its descendants need not be of our making then.
pub(super) fn kill_adopted(own: &[Pid]) {
    #[cfg(target_os = "linux")]
    if rustix::process::child_subreaper().is_ok_and(|reaper| reaper.is_some()) {
        kill_all(|| descendants(rustix::process::getpid(), own));
    }
    #[cfg(not(target_os = "linux"))]
    let _ = own;
}

fn kill_all(find: impl Fn() -> Vec<Pid>) {
    for _ in 0..100 {
        let found = find();
        if found.is_empty() {
            return;
        }
        for process in found {
            let _ = rustix::process::kill_process(process, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn processes() -> Vec<Process> {
    let Ok(entries) = Path::new("/proc").read_dir() else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes()[0].is_ascii_digit())
        .filter_map(|entry| {
            let mut stat = Vec::new();
            let mut file = fs::open(&entry.path().join("stat")).ok()?;
            file.read_to_end(&mut stat).ok()?;
            parse(&stat)
        })
        .collect()
}

/// Reads a line of `/proc/*/stat`: `id (name) state parent group session …`. None if the process has ended.
fn parse(stat: &[u8]) -> Option<Process> {
    // The name is any bytes, with parentheses and line breaks too, so what stands after it is found from the end.
    let end_of_name = stat.iter().rposition(|&byte| byte == b')')?;
    let head = stat.split(|&byte| byte == b' ').next()?;
    let tail = str::from_utf8(&stat[end_of_name + 1..]).ok()?;
    let mut fields = tail.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    let id = Pid::from_raw(str::from_utf8(head).ok()?.parse().ok()?)?;
    Some(Process {
        id,
        parent,
        session,
    })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::process::Stdio;

    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_below_a_process_that_is_spared_is_spared() {
        #[expect(clippy::disallowed_methods, reason = "without a supervisor")]
        let mut child = std::process::Command::new("sh")
            .args(["-c", "sh -c 'echo $$; read end'; :"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut below = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut below).unwrap();
        let below = Pid::from_raw(below.trim().parse().unwrap()).unwrap();
        let id = Pid::from_child(&child);
        for (spared, expected) in [
            (&[][..], [true, true]),
            (&[below], [true, false]),
            (&[id], [false, false]),
        ] {
            let found = descendants(rustix::process::getpid(), spared);
            let found = [id, below].map(|process| found.contains(&process));
            assert_eq!(found, expected, "{spared:?}");
        }
        child.stdin.take().unwrap().write_all(b"end\n").unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_process_is_read_whatever_its_name_and_not_when_it_has_ended() {
        for (line, expected) in [
            (&b"12 (sh) S 3 12 9 0 -1"[..], Some((12, 3, 9))),
            (b"12 (a) Z 1 (b) R 3 12 9 0", Some((12, 3, 9))),
            (b"12 (\xff\n) R) D 3 12 9 0", Some((12, 3, 9))),
            (b"12 (sh) Z 3 12 9 0", None),
            (b"12 (sh) X 3 12 9 0", None),
            (b"12 (sh) S 3", None),
            (b"", None),
        ] {
            let found =
                parse(line).map(|found| (found.id.as_raw_pid(), found.parent, found.session));
            assert_eq!(found, expected, "{}", line.escape_ascii());
        }
    }
}
