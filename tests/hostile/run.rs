//! One case: packed, unpacked, and held against what was written down.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::document::{self, Element, unescape};
use super::tree::{self, SECRET, Tree};
use super::{Case, Fate, Git, User};

/// The most memory that the command may map, in KiB.
const MAX_KIB: u32 = 2 << 20;

/// The longest that a run may take; a debug build on a busy machine is given time.
const MAX_TIME: Duration = Duration::from_secs(10);

/// What a run of the command gave.
pub(super) struct Run {
    pub(super) code: Option<i32>,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: String,
}

/// Runs a case; says `ok`, or that it could not be tried here, or what is wrong.
pub(super) fn run(case: &Case) -> Result<&'static str, String> {
    let is_root = rustix::process::geteuid().is_root();
    if case.user == User::Root && !is_root {
        return Ok("not tried: only root makes devices");
    }
    let tree = Tree::new();
    (case.make)(&tree);
    let mut prefix: Vec<&str> = Vec::new();
    if case.user == User::Unprivileged && is_root {
        let nobody = [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
        ];
        let is_there = Command::new(nobody[0])
            .args(&nobody[1..])
            .arg("true")
            .status();
        if !is_there.is_ok_and(|status| status.success()) {
            return Ok("not tried: root ignores permissions, and there is no setpriv");
        }
        tree.script("chmod 777 ..");
        prefix.extend(nobody);
    }
    let pack = run_limited(
        &tree,
        &prefix,
        case.folder,
        &[&["pack", "--manifest", "../manifest.json"], case.args].concat(),
    );
    if pack.code != Some(0) {
        return Err(format!("pack ended with {:?}: {}", pack.code, pack.stderr));
    }
    check_terminal(&pack.stderr)?;
    let elements = document::read(&pack.stdout)?;
    let manifest = std::fs::read(tree.root().join(case.folder).join("../manifest.json"));
    let manifest: serde_json::Value = serde_json::from_slice(&manifest.unwrap()).unwrap();
    check_rows(case, &elements, &manifest, &pack.stderr)?;
    for words in case.told {
        if !pack.stderr.contains(words) {
            return Err(format!("nobody is told `{words}`: {}", pack.stderr));
        }
    }
    if memchr::memmem::find(&pack.stdout, SECRET.as_bytes()).is_some() {
        return Err("what is outside is in the pack".to_owned());
    }
    check_unpacked(&tree, &elements, &pack.stdout)?;
    if tree.mark().exists() {
        return Err("what was planted ran".to_owned());
    }
    if case.git == Git::Asked {
        check_git(case, &tree, &elements)?;
    }
    Ok("ok")
}

/// Runs the command in a folder of a tree, under limits.
pub(super) fn run_limited(tree: &Tree, prefix: &[&str], folder: &str, args: &[&str]) -> Run {
    let [stdout, stderr] = ["stdout", "stderr"].map(|name| tree.beside(name));
    let mut child = tree
        .command("sh")
        .args(["-c", &format!("ulimit -v {MAX_KIB}; exec \"$@\""), "sh"])
        .args(prefix)
        .arg(env!("CARGO_BIN_EXE_twostep"))
        .args(args)
        .current_dir(tree.root().join(folder))
        .stdin(Stdio::null())
        .stdout(File::create(&stdout).unwrap())
        .stderr(File::create(&stderr).unwrap())
        .spawn()
        .unwrap();
    let end = Instant::now() + MAX_TIME;
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        if Instant::now() > end {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    Run {
        code,
        stdout: std::fs::read(stdout).unwrap(),
        stderr: String::from_utf8_lossy(&std::fs::read(stderr).unwrap()).into_owned(),
    }
}

/// Says what of a message a terminal would obey.
pub(super) fn check_terminal(text: &str) -> Result<(), String> {
    let is_obeyed = |c: char| {
        c != '\n' && c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    match text.chars().find(|c| is_obeyed(*c)) {
        Some(c) => Err(format!("a terminal sees {}: {text:?}", c.escape_unicode())),
        None => Ok(()),
    }
}

fn check_rows(
    case: &Case,
    elements: &[Element],
    manifest: &serde_json::Value,
    stderr: &str,
) -> Result<(), String> {
    let mut found: BTreeMap<&[u8], &Element> = BTreeMap::new();
    for element in elements {
        if found.insert(&element.path, element).is_some() {
            return Err(format!("{} is there twice", show(&element.path)));
        }
    }
    let skipped = manifest["skipped"].as_array().unwrap();
    let skipped: BTreeMap<Vec<u8>, &str> = skipped
        .iter()
        .map(|row| {
            let path = row["path"].as_str().unwrap().as_bytes();
            (
                unescape(path).unwrap_or(path.to_vec()),
                row["reason"].as_str().unwrap(),
            )
        })
        .collect();
    for (path, fate) in &case.rows {
        let element = found.remove(path.as_slice());
        let is = element.map(|element| {
            (
                element.is_full,
                element.kind.as_str(),
                element.attributes.as_str(),
            )
        });
        let told = skipped.get(path);
        let is_so = match fate {
            Fate::Full(attributes) => is == Some((true, "", *attributes)),
            Fate::Exact => is.is_some_and(|(is_full, ..)| is_full),
            Fate::Listed(kind) => is == Some((false, *kind, "")),
            Fate::Told(words) => {
                is.is_none()
                    && told.is_some_and(|why| why.contains(words))
                    && stderr.contains(words)
            }
            Fate::Ours => {
                is.is_none()
                    && told.is_some()
                    && stderr.contains("pack or manifest of twostep left out")
            }
            Fate::Absent => is.is_none() && told.is_none(),
        };
        if !is_so {
            let why = manifest["files"]
                .as_array()
                .unwrap()
                .iter()
                .find_map(|row| row["cause"].as_str());
            return Err(format!(
                "{} is {is:?}, told {told:?}, expected {fate:?} {why:?}; {stderr}",
                show(path)
            ));
        }
    }
    if let Some(path) = found.keys().next() {
        return Err(format!("{} is there, too", show(path)));
    }
    let known = |path: &&Vec<u8>| case.rows.iter().any(|(row, _)| row == *path);
    // A rule file that is not used may lie outside.
    let is_wrong = |(path, why): &(&Vec<u8>, &&str)| !known(path) && !why.starts_with("its rules");
    match skipped.iter().find(is_wrong) {
        Some((path, _)) => Err(format!("{} is told of, too", show(path))),
        None => Ok(()),
    }
}

/// Unpacks, and holds the bytes against those of the tree; without attributes the text is the bytes.
fn check_unpacked(tree: &Tree, elements: &[Element], document: &[u8]) -> Result<(), String> {
    std::fs::write(tree.beside("pack.xml"), document).unwrap();
    let run = run_limited(
        tree,
        &[],
        "",
        &["unpack", "../pack.xml", "-d", "../unpacked"],
    );
    if run.code != Some(0) {
        return Err(format!("unpack ended with {:?}: {}", run.code, run.stderr));
    }
    check_terminal(&run.stderr)?;
    let (ours, mut theirs) = (
        tree::files(&tree.root()),
        tree::files(&tree.beside("unpacked")),
    );
    for element in elements.iter().filter(|element| element.is_full) {
        let bytes = ours
            .get(&element.path)
            .ok_or("it shows a file that is none")?;
        if theirs.remove(&element.path).as_ref() != Some(bytes) {
            return Err(format!("{} does not come back", show(&element.path)));
        }
        let text = element
            .text
            .strip_prefix('\n')
            .and_then(|text| text.strip_suffix('\n'));
        if element.attributes.is_empty() && text.map(str::as_bytes) != Some(bytes) {
            return Err(format!("{} is shown as other text", show(&element.path)));
        }
    }
    match theirs.keys().next() {
        Some(path) => Err(format!("{} comes out of nothing", show(path))),
        None => Ok(()),
    }
}

/// Holds the candidates against those of git that are there.
fn check_git(case: &Case, tree: &Tree, elements: &[Element]) -> Result<(), String> {
    let output = tree
        .command("git")
        .args([
            "-c",
            "core.fsmonitor=false",
            "ls-files",
            "-co",
            "--exclude-standard",
            "-z",
        ])
        .current_dir(tree.root().join(case.folder))
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(format!("git: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let folder = tree.root().join(case.folder);
    let mut expected: Vec<PathBuf> = output
        .stdout
        .split(|&byte| byte == 0)
        .filter(|path| !path.is_empty())
        .map(|path| folder.join(std::ffi::OsStr::from_bytes(path)))
        .filter(|path| path.symlink_metadata().is_ok())
        .collect();
    expected.sort();
    expected.dedup();
    let mut found: Vec<PathBuf> = elements
        .iter()
        .map(|element| tree.root().join(std::ffi::OsStr::from_bytes(&element.path)))
        .collect();
    found.sort();
    let same = |a: &Vec<PathBuf>, b: &Vec<PathBuf>| {
        a.iter()
            .map(|path| path.components().as_path())
            .eq(b.iter().map(|path| path.components().as_path()))
    };
    if same(&found, &expected) {
        Ok(())
    } else {
        let short = |paths: &[PathBuf]| {
            paths
                .iter()
                .map(|path| {
                    path.strip_prefix(tree.root())
                        .unwrap_or(Path::new("?"))
                        .to_owned()
                })
                .collect::<Vec<_>>()
        };
        Err(format!(
            "candidates {:?}, git has {:?}",
            short(&found),
            short(&expected)
        ))
    }
}

pub(super) fn show(path: &[u8]) -> String {
    path.escape_ascii().to_string()
}
