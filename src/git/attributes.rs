//! What git's attribute files say of a path: as data, for nothing that they name is run.

use std::collections::BTreeMap;

use super::glob::{Case, Pattern};
use super::quote;
use crate::path::RepoPath;

/// The rules that hold in one folder.
pub struct AttributeRules {
    case: Case,
    /// Those of each file, the one that counts least first.
    files: Vec<RuleFile>,
    /// What the names stand for that files define: of the same name the last counts.
    macros: BTreeMap<Box<[u8]>, Assignments>,
}

/// The rules of a file.
struct RuleFile {
    /// What the paths begin with that it is for, as it is compared.
    folder: Vec<u8>,
    rules: Vec<(Pattern, Assignments)>,
}

/// What is said of names, in the order of the line.
type Assignments = Vec<(Box<[u8]>, State)>;

/// What is said of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// `name`
    Set,
    /// `-name`
    Unset,
    /// `!name`: as if nothing had been said.
    Unsaid,
    /// `name=value`
    Value(Box<[u8]>),
}

/// What the rules say of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// What becomes of CR LF on the way to git.
    pub line_ends: LineEnds,
    /// Whether differences are shown as text (`diff`) or not (`-diff`); nothing where the bytes decide.
    pub diff: Option<bool>,
    /// Whether git holds a pointer and Git LFS the bytes.
    pub is_lfs: bool,
}

/// What becomes of CR LF on the way to git.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnds {
    /// The rules say nothing: the configuration decides.
    Unsaid,
    /// It stays.
    Kept,
    /// It becomes LF.
    Text,
    /// It becomes LF in what looks like text, unless git holds it with CR LF.
    Auto,
}

/// Attribute rules that are not part of the tree, and how rules are read.
pub struct PrivateRules {
    /// Those of the system and of the user; those of the tree count more.
    pub outside: Vec<Vec<u8>>,
    /// Those of the repository; they count most.
    pub own: Vec<u8>,
    /// Whether patterns match in any case.
    pub case: Case,
}

/// What git knows without any file.
const BUILT_IN: &[u8] = b"[attr]binary -diff -merge -text";

/// A line of so many bytes is none to git.
const MAX_LINE_BYTES: usize = 2048;

impl AttributeRules {
    /// Reads rules: those of attribute files, outermost first, each with the folder that it is in (the root's is empty), and
    /// those that are not in the tree. What is no rule is passed over.
    pub fn parse(files: &[(Vec<u8>, Vec<u8>)], private: &PrivateRules) -> Self {
        let mut rules = Self {
            case: private.case,
            files: Vec::new(),
            macros: BTreeMap::new(),
        };
        rules.add(b"", BUILT_IN);
        for bytes in &private.outside {
            rules.add(b"", bytes);
        }
        for (folder, bytes) in files {
            rules.add(folder, bytes);
        }
        rules.add(b"", &private.own);
        rules
    }

    fn add(&mut self, folder: &[u8], bytes: &[u8]) {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut rules = Vec::new();
        for line in bytes.split(|&byte| byte == b'\n') {
            match Line::parse(line, self.case) {
                Some(Line::Rule(pattern, assignments)) => rules.push((pattern, assignments)),
                Some(Line::Macro(name, assignments)) if folder.is_empty() => {
                    self.macros.insert(name, assignments);
                }
                // Names are not defined below the root.
                Some(Line::Macro(..)) | None => {}
            }
        }
        let folder = match folder {
            [] => Vec::new(),
            _ => [&self.case.of(folder), &b"/"[..]].concat(),
        };
        self.files.push(RuleFile { folder, rules });
    }

    /// Returns what the rules say of `path`.
    pub fn of(&self, path: &RepoPath) -> Attributes {
        let said = self.said(path);
        let state = |name: &str| said.get(name.as_bytes()).copied().unwrap_or(&State::Unsaid);
        let is = |name, value: &str| *state(name) == State::Value(value.as_bytes().into());
        let line_ends = match (line_ends(state("text")), line_ends(state("crlf"))) {
            (LineEnds::Unsaid, LineEnds::Unsaid) if is("eol", "lf") || is("eol", "crlf") => {
                LineEnds::Text
            }
            (LineEnds::Unsaid, older) => older,
            (said, _) => said,
        };
        Attributes {
            line_ends,
            diff: match state("diff") {
                State::Set => Some(true),
                State::Unset => Some(false),
                State::Value(_) | State::Unsaid => None,
            },
            is_lfs: is("filter", "lfs"),
        }
    }

    /// Returns what is said of each name, where anything is: what counts most is asked first.
    fn said(&self, path: &RepoPath) -> BTreeMap<&[u8], &State> {
        let (path, name) = (self.case.of(path.as_bytes()), self.case.of(path.name()));
        let mut said = BTreeMap::new();
        for file in self.files.iter().rev() {
            let Some(path) = path.strip_prefix(&*file.folder) else {
                continue;
            };
            for (pattern, assignments) in file.rules.iter().rev() {
                if !pattern.matches(path, &name, false) {
                    continue;
                }
                let mut waiting: Vec<_> = assignments.iter().collect();
                while let Some((name, state)) = waiting.pop() {
                    if said.contains_key(&**name) {
                        continue;
                    }
                    said.insert(&**name, state);
                    if *state == State::Set {
                        waiting.extend(self.macros.get(name).into_iter().flatten());
                    }
                }
            }
        }
        said
    }
}

/// A line of an attribute file.
enum Line {
    /// What is said of the paths that a pattern means.
    Rule(Pattern, Assignments),
    /// What a name stands for.
    Macro(Box<[u8]>, Assignments),
}

impl Line {
    /// Reads a line; none if it says nothing, or of no path.
    fn parse(line: &[u8], case: Case) -> Option<Self> {
        // To git, a line is a string of C.
        let line = line.split(|&byte| byte == 0).next()?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() >= MAX_LINE_BYTES {
            return None;
        }
        let line = without_blanks(line);
        if line.is_empty() || line.starts_with(b"#") {
            return None;
        }
        let (name, rest) = quote::unquote_first(line).unwrap_or_else(|| {
            let (name, rest) = word(line);
            (name.to_vec(), rest)
        });
        let words = rest
            .split(|&byte| is_blank(byte))
            .filter(|word| !word.is_empty());
        let assignments = words.map(assignment).collect::<Option<_>>()?;
        let name = name.split(|&byte| byte == 0).next()?;
        match name.strip_prefix(b"[attr]") {
            None | Some([]) if name.starts_with(b"!") => None,
            None | Some([]) => Some(Self::Rule(Pattern::parse(name, case)?, assignments)),
            Some(name) => {
                let (name, _) = word(without_blanks(name));
                is_name(name).then(|| Self::Macro(name.into(), assignments))
            }
        }
    }
}

/// Reads what is said of a name; none if it is no name.
fn assignment(word: &[u8]) -> Option<(Box<[u8]>, State)> {
    let (name, value) = match memchr::memchr(b'=', word) {
        Some(at) => (&word[..at], Some(&word[at + 1..])),
        None => (word, None),
    };
    let (name, state) = match (name, value) {
        ([b'-', name @ ..], _) => (name, State::Unset),
        ([b'!', name @ ..], _) => (name, State::Unsaid),
        (_, Some(value)) => (name, State::Value(value.into())),
        (_, None) => (name, State::Set),
    };
    is_name(name).then(|| (name.into(), state))
}

fn is_name(name: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    let is_reserved = name.starts_with(b"-") || name.starts_with(b"builtin_");
    !name.is_empty() && !is_reserved && name.iter().all(is_plain)
}

fn is_blank(byte: u8) -> bool {
    b" \t\r".contains(&byte)
}

fn without_blanks(line: &[u8]) -> &[u8] {
    let start = line.iter().position(|&byte| !is_blank(byte));
    &line[start.unwrap_or(line.len())..]
}

/// Splits a line behind its first word.
fn word(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(|&byte| is_blank(byte));
    line.split_at(end.unwrap_or(line.len()))
}

fn line_ends(state: &State) -> LineEnds {
    match state {
        State::Set => LineEnds::Text,
        State::Unset => LineEnds::Kept,
        State::Value(value) => match &**value {
            b"auto" => LineEnds::Auto,
            b"input" => LineEnds::Text,
            _ => LineEnds::Unsaid,
        },
        State::Unsaid => LineEnds::Unsaid,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::LineEnds::{Auto, Kept, Text, Unsaid};
    use super::*;

    /// Attribute files: of the user, of the root, of the folder `a`, and `info/attributes`.
    type Files = [Vec<u8>; 4];

    /// What is said of paths, each with a name and a value, in git's words.
    type Said = Vec<(Vec<u8>, Vec<u8>, Vec<u8>)>;

    const PATHS: &[&[u8]] = &[
        b"a/a",
        b"a/b.c",
        b"a/bb/c",
        b"a/bb/cc/d.txt",
        b"a/[a]",
        b"a/A",
        b"A/a",
        b"ab",
        b"abc/a/b/a",
        b"axx/y/b",
        b"b/a.c",
        b"c",
        b"C.c",
        b"#c",
        b"!c",
        b"a b",
        b"a*",
        b"b\\c",
        b"caf\xe9",
        b"[attr]",
        b"[attr]x",
        b"\"q",
        b".gitattributes",
    ];

    /// Returns what git says.
    #[expect(
        clippy::disallowed_methods,
        reason = "a test makes a tree and asks git about it"
    )]
    fn told_by_git(files: &Files, case: Case) -> Said {
        let folder = tempfile::tempdir().unwrap();
        let git = |args: &[&str], input: &[u8]| {
            let mut child = Command::new("git")
                .args(["-c", "core.attributesFile=.git/users"])
                .args(args)
                .current_dir(folder.path())
                .env("GIT_ATTR_NOSYSTEM", "1")
                .env("GIT_CONFIG_NOSYSTEM", "1")
                .env("HOME", folder.path())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(input).unwrap();
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "git {args:?}");
            output.stdout
        };
        git(&["init", "-q", "--template="], b"");
        for name in ["a", "A", ".git/info"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let names = [
            ".git/users",
            ".gitattributes",
            "a/.gitattributes",
            ".git/info/attributes",
        ];
        for (name, bytes) in names.iter().zip(files) {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let ignore_case = format!("core.ignoreCase={}", case == Case::Any);
        let told = git(
            &["-c", &ignore_case, "check-attr", "-z", "--stdin", "--all"],
            &PATHS.join(&0),
        );
        let fields: Vec<&[u8]> = told.split(|&byte| byte == 0).collect();
        let mut said: Said = fields
            .chunks_exact(3)
            .map(|row| (row[0].to_vec(), row[1].to_vec(), row[2].to_vec()))
            .collect();
        said.sort();
        said
    }

    /// Returns what we say in git's words.
    fn told_by_us([users, root, below, own]: &Files, case: Case) -> Said {
        let private = PrivateRules {
            outside: vec![users.clone()],
            own: own.clone(),
            case,
        };
        let mut said = Vec::new();
        for path in PATHS {
            let mut files = vec![(Vec::new(), root.clone())];
            if path.starts_with(b"a/") {
                files.push((b"a".to_vec(), below.clone()));
            }
            let rules = AttributeRules::parse(&files, &private);
            for (name, state) in rules.said(&RepoPath::parse(path).unwrap()) {
                let value = match state {
                    State::Set => b"set".to_vec(),
                    State::Unset => b"unset".to_vec(),
                    State::Value(value) => value.to_vec(),
                    State::Unsaid => continue,
                };
                said.push((path.to_vec(), name.to_vec(), value));
            }
        }
        said.sort();
        said
    }

    #[track_caller]
    fn check(files: &Files) {
        for case in [Case::Exact, Case::Any] {
            let (ours, gits) = (told_by_us(files, case), told_by_git(files, case));
            let text = |said: &Said| -> Vec<String> {
                let escape = |bytes: &[u8]| bytes.escape_ascii().to_string();
                said.iter()
                    .map(|(path, name, value)| {
                        format!("{}: {} {}", escape(path), escape(name), escape(value))
                    })
                    .collect()
            };
            let files = files
                .each_ref()
                .map(|bytes| bytes.escape_ascii().to_string());
            assert_eq!(text(&ours), text(&gits), "{case:?} {files:?}");
        }
    }

    #[test]
    fn odd_lines_are_read_as_git_reads_them() {
        let long = |n: usize| format!("* {} b\n", "a".repeat(n - 4)).into_bytes();
        for root in [
            &b"* a -b !c d=e f=\n"[..],
            b"\xef\xbb\xbf* a\n",
            b" \t* a\r\n*\tb\r\n  # x\n#c d\n\\#c e\n",
            b"!c a\n\\!c b\nc !a\n",
            b"* a -a\n* b=1 b=2\n",
            b"* a\n* !a\n",
            b"* a=\n* =b\n* -=c\n* -a=b c\n",
            b"* a --b\n* c !-d\n* e.f_g-h\n* i/j\n* k builtin_l\n* m,n\n* caf\xe9\n",
            b"\"a b\" x\n\"caf\\351\" y\n\"q x\n\"c\"y\n\"b\\\\\\\\c\" z\n\"\" x\n",
            b"[attr]x y\n* x\n",
            b"[attr]x y -z\n[attr]y w !v\n* x v\nc -x\na* !x\nab x=1\n",
            b"[attr]x y\n[attr]x z\n* x\n[attr]y w\n",
            b"[attr]x x y\n* x\n[attr]u v\n[attr]v u w\nc u\n",
            b"[attr] x y\n[attr]\tz\n\"[attr] x\" y\n\"[attr]x\" z\n* x\n",
            b"[attr]\xff y\n[attr]builtin_x y\n[attr]-x y\n* x\n",
            b"[attr]binary y\n* binary\n",
            b"* binary\nc text\nab !binary\n",
            b"a/ x\n/ y\na z\n/a w\na/** v\n**/a u\n",
            b"*.c x\nA y\n\\A z\n[a-b]* w\n[[:upper:]]* v\n",
            b"c x\0y z\n\"c\\000d\" w\n",
            &long(2047),
            &long(2048),
            b"c x",
        ] {
            check(&[Vec::new(), root.to_vec(), Vec::new(), Vec::new()]);
        }
        // Of several files.
        for files in [
            ["* x=users\n[attr]m x=m", "* x=root", "* x=below", "c x=own"],
            ["* m", "[attr]m r", "[attr]m b\n* -m", "[attr]m o\nc m"],
            ["/a u", "a/a r\n/a s", "a b\n/a c\nbb/c d\n**/c e", "c !x"],
            ["* x y z", "* -x", "* !y", "* z=1"],
        ] {
            check(&files.map(|file| file.as_bytes().to_vec()));
        }
    }

    /// What lines are made of, beside paths.
    const PIECES: &[&[u8]] = &[
        b" ",
        b" ",
        b"\t",
        b"\r",
        b"\n",
        b"\n",
        b"\n",
        b" x",
        b" -x",
        b" !x",
        b" x=1",
        b" y",
        b" -y",
        b" m",
        b" -m",
        b"[attr]m ",
        b"\n[attr]",
        b"[attr]x",
        b"\"",
        b"\\",
        b"\\101",
        b"#",
        b"!",
        b"=",
        b"-",
        b"\0",
        b"a",
        b"b",
        b"c",
        b"A",
        b".",
        b"/",
        b"/",
        b"*",
        b"*",
        b"**",
        b"**/",
        b"/**",
        b"?",
        b"[",
        b"]",
        b"[a-c]",
        b"[!a]",
        b"[:upper:]",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn random_lines_say_what_git_takes_them_to_say(
            files in [(); 4].map(|()| vec(prop_oneof![select(PIECES), select(PATHS)], 0..24)),
        ) {
            check(&files.map(|pieces| pieces.concat()));
        }
    }

    #[test]
    fn names_that_stand_for_each_other_come_to_an_end() {
        let chain: Vec<String> = (0..50_000)
            .map(|n| format!("[attr]m{n} m{} x{n}\n", n + 1))
            .collect();
        let private = PrivateRules {
            outside: Vec::new(),
            own: Vec::new(),
            case: Case::Exact,
        };
        let bytes = [chain.concat(), "* m0\n".to_owned()].concat().into_bytes();
        let rules = AttributeRules::parse(&[(Vec::new(), bytes)], &private);
        assert_eq!(rules.said(&RepoPath::parse(b"a").unwrap()).len(), 100_001);
    }

    #[test]
    fn rules_hold_as_in_git() {
        let files = [
            (
                Vec::new(),
                b"* text=auto\n*.png binary\n*.lock -diff\n*.bin filter=lfs diff=lfs -text\n*.bat eol=crlf\n\
                  [attr]shown diff\n*.dump shown\n!x text\n*.old -text -crlf\n*.in text=input\n"
                    .to_vec(),
            ),
            (b"a/b".to_vec(), b"*.lock diff\n/here.txt -text\n".to_vec()),
        ];
        let private = |users: &str, own: &str| PrivateRules {
            outside: vec![users.into()],
            own: own.into(),
            case: Case::Exact,
        };
        let users = "*.in -text\n*.users -text\n";
        let rules = AttributeRules::parse(&files, &private(users, "private -text\n*.lock !diff\n"));
        let own = "*.bat eol=crlf\n*.c crlf\n*.d -crlf\n";
        let none = AttributeRules::parse(&[], &private("", own));
        for (rules, path, line_ends, diff, is_lfs) in [
            (&rules, "x.rs", Auto, None, false),
            (&rules, "x.png", Kept, Some(false), false),
            (&rules, "a/x.lock", Auto, None, false),
            (&rules, "d/x.bin", Kept, None, true),
            (&rules, "x.dump", Auto, Some(true), false),
            (&rules, "a/b/here.txt", Kept, None, false),
            (&rules, "a/b/c/here.txt", Auto, None, false),
            (&rules, "private", Kept, None, false),
            (&rules, "x.in", Text, None, false),
            (&none, "x.rs", Unsaid, None, false),
            (&none, "x.bat", Text, None, false),
            (&none, "x.c", Text, None, false),
            (&none, "x.d", Kept, None, false),
        ] {
            let expected = Attributes {
                line_ends,
                diff,
                is_lfs,
            };
            let path = RepoPath::parse(path.as_bytes()).unwrap();
            assert_eq!(rules.of(&path), expected, "{path}");
        }
    }
}
