//! A user who works on while a run does: whatever they do meanwhile, not a byte of theirs is lost, or changed unseen.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use super::plan_exec::Stage;
use super::{Repo, Run};

const PLAN: &str = "# Plan: Greet the world\n\n## Step 1: Change the greeting\n\nFiles:\n- change `greeting.txt`\n\
    - create `new.txt`\n- delete `old.txt`\n- change `sub/part.txt`\n\nEND OF PLAN\n";

/// What the executor changes, with what it leaves there.
const CHANGED: &[(&str, Option<&str>)] = &[
    ("greeting.txt", Some("hello world\n")),
    ("new.txt", Some("new\n")),
    ("old.txt", None),
    ("sub/part.txt", Some("whole\n")),
];

/// Files that are there at first.
const FILES: &[&str] = &[
    "greeting.txt",
    "old.txt",
    "sub/part.txt",
    "a.txt",
    "b.txt",
    "sub/c.txt",
];

/// How often the run stops for the user: in the check before, twice in the executor, in the check after.
const N_PAUSES: usize = 4;

/// All that is the user's: files with their modes, and git's, but for its objects.
type Tree = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// Numbers that a seed decides (xorshift).
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        dice.below(1);
        dice
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

/// The user, who writes other bytes each time.
struct User {
    stage: Stage,
    dice: Dice,
    n_written: usize,
    done: Vec<String>,
}

impl User {
    fn new(seed: u64) -> Self {
        let mut repo = Repo::new();
        for name in FILES {
            repo = repo.file(name, format!("{name}\n"));
        }
        let stage = Stage::of(repo.git());
        stage.repo.run_git(&["commit", "-qm", "all"]);
        fs::write(stage.repo.root().join("b.txt"), "not staged\n").unwrap();
        fs::write(stage.repo.beside("plan.md"), PLAN).unwrap();
        let bin = stage.repo.beside("bin");
        let pause = |n: usize| format!("cat '{}/pause-{n}'\n", bin.display());
        for n in 1..=N_PAUSES {
            let made = Command::new("mkfifo")
                .arg(bin.join(format!("pause-{n}")))
                .status();
            assert!(made.unwrap().success());
        }
        let check = format!(
            "if [ -e '{0}/checked' ]; then {1}else touch '{0}/checked'; {2}fi\n",
            bin.display(),
            pause(4),
            pause(1)
        );
        let edit = format!(
            "{}echo 'hello world' > greeting.txt; echo new > new.txt; rm old.txt\n{}echo whole > sub/part.txt\n",
            pause(2),
            pause(3)
        );
        Self {
            stage: stage.tell("check.sh", &check).tell("claude.edit", &edit),
            dice: Dice::new(seed),
            n_written: 0,
            done: vec![format!("seed {seed}")],
        }
    }

    fn root(&self) -> PathBuf {
        self.stage.repo.root()
    }

    fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        let mut folders = vec![self.root()];
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir().unwrap() {
                let path = entry.unwrap().path();
                let meta = path.symlink_metadata().unwrap();
                if path.ends_with(".twostep") || path.ends_with(".git/objects") {
                    continue;
                }
                if meta.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.root()).unwrap().to_owned();
                    tree.insert(name, (meta.permissions().mode(), fs::read(path).unwrap()));
                }
            }
        }
        tree
    }

    fn bytes(&mut self) -> String {
        self.n_written += 1;
        format!("mine {}\n", self.n_written)
    }

    /// Does something; what cannot be done is not.
    fn act(&mut self) {
        let name = self.dice.one_of(FILES);
        let file = self.root().join(name);
        let action = match self.dice.below(16) {
            // The executor's files are left alone in most runs.
            0 => self.write(name),
            1 => self.write("new.txt"),
            2..=4 => self.write("a.txt"),
            5 => self.write("sub/c.txt"),
            6 | 7 => {
                let name = format!("mine/{}.txt", self.dice.below(4));
                self.write(&name)
            }
            8 => self.git(&["add", "-A"]),
            9 => self.git(&["stash", "-q"]),
            10 => self.git(&["stash", "-q", "-u"]),
            11 => self.git(&["stash", "pop", "-q"]),
            12 => self.git(&["commit", "-qam", "meanwhile"]),
            13 => {
                let _ = fs::rename(self.root().join("b.txt"), self.root().join("renamed.txt"));
                "rename b.txt".to_owned()
            }
            14 => {
                let _ = fs::set_permissions(
                    self.root().join("a.txt"),
                    fs::Permissions::from_mode(0o755),
                );
                "chmod a.txt".to_owned()
            }
            _ => match fs::read(&file) {
                // The same bytes again are no change.
                Ok(bytes) => {
                    fs::write(&file, bytes).unwrap();
                    format!("touch {name}")
                }
                Err(_) => "nothing".to_owned(),
            },
        };
        self.done.push(action);
    }

    fn write(&mut self, name: &str) -> String {
        let path = self.root().join(name);
        let bytes = self.bytes();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        format!("write {name}")
    }

    fn git(&self, args: &[&str]) -> String {
        let git = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.invalid"])
            .args(args)
            .current_dir(self.root())
            .env("HOME", self.stage.repo.beside("home"))
            .output();
        format!("git {} ({})", args.join(" "), git.unwrap().status)
    }

    /// Replaces files by new ones until the run has ended, as editors do; returns what was written last.
    fn race(&mut self, has_ended: &AtomicBool) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut mine = BTreeMap::new();
        while !has_ended.load(Ordering::Acquire) {
            let name = self.dice.one_of(FILES);
            let (bytes, beside) = (self.bytes(), self.stage.repo.beside("mine.tmp"));
            fs::write(&beside, &bytes).unwrap();
            // A folder that the run takes away and puts back may not be there.
            if fs::rename(&beside, self.root().join(name)).is_ok() {
                mine.insert(PathBuf::from(name), bytes.into_bytes());
                self.done.push(format!("race {name}"));
            }
        }
        mine
    }

    /// Lets a run work, and acts whenever it stops; returns whether the change landed.
    fn work(&mut self) -> bool {
        let check = format!("sh '{}'", self.stage.repo.beside("bin/check.sh").display());
        let plan = self.stage.repo.beside("plan.md");
        let args = [
            "exec",
            plan.to_str().unwrap(),
            "--executor",
            "claude",
            "--yes",
            "--check",
            &check,
        ];
        let first = self.tree();
        let mut command = self.stage.command(&args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let has_ended = Arc::new(AtomicBool::new(false));
        let pauses =
            (1..=N_PAUSES).map(|n| self.stage.repo.beside("bin").join(format!("pause-{n}")));
        let pauses: Vec<PathBuf> = pauses.collect();
        let waiter = wait(child, pauses.clone(), Arc::clone(&has_ended));
        let mut seen = first.clone();
        for pause in &pauses {
            // Opens once the other end is open.
            let held = OpenOptions::new().write(true).open(pause).unwrap();
            assert_eq!(
                self.tree(),
                seen,
                "changed while the run worked: {:?}",
                self.done
            );
            for _ in 0..self.dice.below(3) {
                self.act();
            }
            seen = self.tree();
            drop(held);
        }
        let races = self.dice.below(4) == 0;
        let mine = if races {
            self.race(&has_ended)
        } else {
            BTreeMap::new()
        };
        let (run, _open) = waiter.join().unwrap();
        self.judge(&run, &first, &seen, &mine);
        run.code == 0
    }

    /// Holds what there is now against what was there first, what the user left when the run last stopped, and what they wrote since.
    fn judge(&self, run: &Run, first: &Tree, seen: &Tree, mine: &BTreeMap<PathBuf, Vec<u8>>) {
        let (now, told) = (self.tree(), format!("{:?}\n{}", self.done, run.stderr));
        let has_landed = run.code == 0;
        assert!(has_landed || run.code == 1, "{told}");
        let mut expected = seen.clone();
        if has_landed {
            for (name, after) in CHANGED {
                let (name, before) = (Path::new(name), first.get(Path::new(name)));
                if !mine.contains_key(name) {
                    let was = seen.get(name).map(|(_, bytes)| bytes);
                    assert_eq!(
                        was,
                        before.map(|(_, bytes)| bytes),
                        "written over {}: {told}",
                        name.display()
                    );
                }
                let mode = seen
                    .get(name)
                    .or(now.get(name))
                    .map_or(0, |(mode, _)| *mode);
                match after {
                    Some(text) => {
                        expected.insert(name.to_owned(), (mode, text.as_bytes().to_vec()))
                    }
                    None => expected.remove(name),
                };
            }
        }
        let bytes = |tree: &Tree| -> BTreeMap<PathBuf, Vec<u8>> {
            let each = tree
                .iter()
                .map(|(name, (_, bytes))| (name.clone(), bytes.clone()));
            each.collect()
        };
        if !mine.is_empty() {
            let mut expected = bytes(&expected);
            expected.extend(mine.clone());
            assert_eq!(bytes(&now), expected, "{told}");
            return;
        }
        assert_eq!(now, expected, "{told}");
        if has_landed {
            let undone = self.stage.run(&["undo"]);
            assert_eq!(undone.code, 0, "{told}{}", undone.stderr);
            assert_eq!(self.tree(), *seen, "{told}");
        }
    }
}

/// Waits for the end of a run, in a thread; then nobody waits any more for it to stop, as long as the files are open.
fn wait(
    child: Child,
    pauses: Vec<PathBuf>,
    has_ended: Arc<AtomicBool>,
) -> JoinHandle<(Run, Vec<File>)> {
    thread::spawn(move || {
        let output = child.wait_with_output().unwrap();
        has_ended.store(true, Ordering::Release);
        // For reading and writing a pipe opens at once, and lets go whoever opens the other end.
        let open = |pause| {
            OpenOptions::new()
                .read(true)
                .write(true)
                .open(pause)
                .unwrap()
        };
        (Run::from(output), pauses.iter().map(open).collect())
    })
}

/// Plays with each seed, two at a time; both ends must be among them.
#[expect(clippy::print_stdout, reason = "what failed is told with its seed")]
fn play(seeds: Range<u64>) {
    let n = seeds.end - seeds.start;
    let next = AtomicU64::new(seeds.start);
    let (next, end) = (&next, seeds.end);
    let player = || {
        let mut n_landed = 0;
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return n_landed;
            }
            println!("seed {seed}");
            n_landed += u64::from(User::new(seed).work());
        }
    };
    let n_landed: u64 = thread::scope(|scope| {
        let players = [scope.spawn(player), scope.spawn(player)];
        players
            .into_iter()
            .map(|player| player.join().unwrap())
            .sum()
    });
    println!("{n_landed} of {n} landed");
    assert!(n_landed > 0 && n_landed < n);
}

#[test]
fn a_user_who_works_on_loses_nothing() {
    play(0..25);
}

#[test]
#[ignore = "takes minutes: 200 users"]
fn two_hundred_users_who_work_on_lose_nothing() {
    play(1000..1200);
}
