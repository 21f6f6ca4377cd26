//! Disks that are full, small, or not to be written to.
#![cfg(target_os = "linux")]

use std::process::Command;

use super::Run;
use super::plan_exec::{CHECK, Stage};

/// Mounts a disk of `$1` KB at the folder `$2` of the stage, with what is there; runs the command; makes room; goes on.
///
/// It has namespaces of its own, so that nothing of it stays. What it prints: the exit code, the greeting, that of the
/// second command, and the greeting again; what both say is in files.
const ON_SMALL_DISK: &str = r#"
size=$1 folder=$2; shift 2
mkdir -p "$STAGE/disk" "$STAGE/$folder"
cp -a "$STAGE/$folder/." "$STAGE/disk"
mount -t tmpfs -o size=64m none "$STAGE/$folder" || exit 99
cp -a "$STAGE/disk/." "$STAGE/$folder"
used=$(df -k --output=used "$STAGE/$folder" | tail -n 1)
mount -o remount,size=$((used + size))k none "$STAGE/$folder"
cd "$STAGE/repo"
"$@" plan-exec spec.md --check 'sh test.sh' --yes > "$STAGE/said" 2>&1
printf '%s;%s;' $? "$(cat greeting.txt)"
mount -o remount,size=64m none "$STAGE/$folder"
if [ -e .twostep/runs ] && [ -n "$("$@" runs 2> /dev/null)" ] && "$@" runs resume > "$STAGE/then" 2>&1
then code=0
else
  code=$?
  # It had not begun.
  grep -qs 'does not tell how it was started' "$STAGE/then" || [ ! -e "$STAGE/then" ] && "$@" plan-exec spec.md --check 'sh test.sh' --yes > "$STAGE/then" 2>&1 && code=0
fi
printf '%s;%s' $code "$(cat greeting.txt)"
"#;

/// Says whether namespaces and disks of one's own can be had.
fn can_mount() -> bool {
    let words = ["-rm", "sh", "-c", "mount -t tmpfs none /mnt"];
    let status = Command::new("unshare").args(words).output();
    status.is_ok_and(|output| output.status.success())
}

/// Returns a command of the stage as one of `sh`, with `script` in front of it.
fn through(stage: &Stage, program: &[&str], script: &str, args: &[&str]) -> Command {
    let plain = stage.command(&[]);
    let mut command = Command::new(program[0]);
    command
        .args(&program[1..])
        .args(["-c", script, "sh"])
        .args(args)
        .arg(plain.get_program())
        .current_dir(stage.repo.root())
        .env_clear()
        .envs(
            plain
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env("STAGE", stage.repo.folder.path());
    command
}

/// What an error of the disk says, with what to do.
const FULL: &[&str] = &["No space left", "storage full", "no storage space"];

/// Runs with disks of these sizes at a folder until one is large enough; returns how many were not.
fn fill(folder: &str, sizes: impl Iterator<Item = u64>) -> usize {
    for (n_failed, size) in sizes.enumerate() {
        let stage = Stage::new();
        std::fs::create_dir_all(stage.repo.beside("home")).unwrap();
        let words = [&size.to_string(), folder];
        let run = Run::of(through(
            &stage,
            &["unshare", "-rm", "sh"],
            ON_SMALL_DISK,
            &words,
        ));
        let told =
            |name: &str| std::fs::read_to_string(stage.repo.beside(name)).unwrap_or_default();
        let (said, then) = (told("said"), told("then"));
        let about = format!("{folder} with {size} KB: {said}\nthen: {then}");
        let got: Vec<&str> = run.stdout.split(';').collect();
        let [code, greeting, code_then, greeting_then] = got[..] else {
            panic!("{about}: {} {}", run.stdout, run.stderr);
        };
        if code == "0" {
            assert_eq!(greeting, "hello world", "{about}");
            return n_failed;
        }
        assert_eq!(code, "2", "{about}");
        assert!(["hello", "hello world"].contains(&greeting), "{about}");
        assert!(FULL.iter().any(|words| said.contains(words)), "{about}");
        assert!(said.contains("hint: "), "{about}");
        assert!(said.contains("free some space"), "{about}");
        assert_eq!((code_then, greeting_then), ("0", "hello world"), "{about}");
    }
    panic!("{folder}: no disk was large enough");
}

#[test]
fn a_disk_that_is_full_at_some_write_leaves_files_whole_and_the_run_goes_on() {
    if !can_mount() {
        return;
    }
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(fill("repo", (0..400).step_by(36)) > 3));
        scope.spawn(|| assert!(fill("home", (20..400).step_by(60)) > 1));
    });
}

#[test]
#[ignore = "all sizes take minutes"]
fn a_disk_that_is_full_at_any_write_leaves_files_whole_and_the_run_goes_on() {
    for folder in ["home", "repo"] {
        let n_failed = fill(folder, (4..).step_by(4));
        assert!(n_failed > 10, "{folder}: {n_failed}");
    }
}

#[test]
fn where_files_may_not_grow_it_is_said_and_the_run_goes_on() {
    let mut n_failed = 0;
    for blocks in [1, 4, 6, 8, 12, 20] {
        let stage = Stage::new();
        let script =
            "ulimit -f $1; shift; exec \"$@\" plan-exec spec.md --check 'sh test.sh' --yes";
        let run = Run::of(through(&stage, &["sh"], script, &[&blocks.to_string()]));
        if run.code == 0 {
            break;
        }
        n_failed += 1;
        let said = &run.stderr;
        assert_eq!(
            (run.code, stage.greeting().as_str()),
            (2, "hello\n"),
            "{blocks}: {said}"
        );
        assert!(
            said.contains("File too large") && said.contains("`ulimit -f`"),
            "{blocks}: {said}"
        );
        let then = stage.run(&["runs", "resume"]);
        let then = if then.stderr.contains("does not tell how it was started") {
            stage.run(&["plan-exec", "spec.md", "--check", CHECK, "--yes"])
        } else {
            then
        };
        let got = (then.code, stage.greeting());
        assert_eq!(
            got,
            (0, "hello world\n".to_owned()),
            "{blocks}: {}",
            then.stderr
        );
    }
    assert!(n_failed > 2, "{n_failed}");
}

#[test]
fn a_place_that_cannot_be_written_is_named_and_nothing_begins() {
    if !can_mount() {
        return;
    }
    for (folder, named) in [
        ("repo/.twostep", "/repo/.twostep"),
        ("home/.cache/twostep", "/home/.cache/twostep"),
        ("repo", "/repo/.twostep"),
    ] {
        let stage = Stage::new();
        std::fs::create_dir_all(stage.repo.beside(folder)).unwrap();
        let script = "mount --bind \"$STAGE/$1\" \"$STAGE/$1\" && mount -o remount,ro,bind \"$STAGE/$1\" || exit 99; \
            shift; cd \"$STAGE/repo\"; exec \"$@\" plan-exec spec.md --check 'sh test.sh' --yes";
        let run = Run::of(through(
            &stage,
            &["unshare", "-rm", "sh"],
            script,
            &[folder],
        ));
        let said = &run.stderr;
        assert_eq!(
            (run.code, stage.greeting().as_str()),
            (2, "hello\n"),
            "{folder}: {said}"
        );
        for words in [
            named,
            "Read-only file system",
            "hint: make the disk writable",
        ] {
            assert!(said.contains(words), "{folder}: {words}: {said}");
        }
        let runs = stage.repo.root().join(".twostep/runs");
        assert!(runs.read_dir().map_or(0, Iterator::count) == 0, "{folder}");
        assert_eq!(stage.plan_exec(&[]).code, 0, "{folder}");
    }
}
