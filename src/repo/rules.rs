//! Ignore rules as git reads them: folder by folder, the nearest first.
//!
//! Rules are read beneath the root and only from regular files of a sane size.

use std::cmp::Reverse;
use std::path::Path;
use std::sync::Arc;

use super::rule::{Effect, Rule};
use crate::fs::{self, Entry, Root, SystemKind};
use crate::git::{Case, RuleFiles, Snapshot};
use crate::path::{RepoPath, shown};

/// Rule files beyond this size are taken for something else.
const MAX_RULES_BYTES: u64 = 4 << 20;

const OURS: &[u8] = b".twostepignore";
const GIT: &[u8] = b".gitignore";

/// A rule file whose rules do not hold, and why.
pub(super) struct Unread {
    /// Where it is, as text that a terminal can show.
    pub(super) path: String,
    /// Why it could not be read.
    pub(super) why: String,
}

/// The rules of a file, each with its line: by what ends the paths that they match, for most can match few; the last line first.
#[derive(Default)]
struct RuleFile(Vec<(Reverse<usize>, Rule)>);

/// The rules that hold in a folder.
pub(super) struct Rules {
    /// Those of the folders above it.
    above: Option<Arc<Rules>>,
    /// How many bytes of a path lead to the folder.
    prefix: usize,
    case: Case,
    /// Our own, by `.twostepignore`: asked first.
    ours: RuleFile,
    /// Those of `.gitignore`.
    git: RuleFile,
    /// Those of `.git/info/exclude` and of the user, in the order in which they are asked; where a walk begins.
    last: Vec<RuleFile>,
}

impl Rules {
    /// Reads the rules of the folder where a walk begins, as if nothing were above it.
    ///
    /// At the root, which is no folder, those that git keeps outside the tree hold, too. `has` says which files there are;
    /// those that cannot be read are added to `unread`.
    pub(super) fn begin(
        root: &Root,
        git: Option<&Snapshot>,
        folder: Option<&RepoPath>,
        has: impl Fn(&[u8]) -> bool,
        unread: &mut Vec<Unread>,
    ) -> Arc<Self> {
        let of_git = git.map_or_else(RuleFiles::of_user, |git| git.rules.clone());
        let case = of_git.case;
        let files = of_git.files.iter().filter(|_| folder.is_none());
        let last = files.map(|path| outside(path, case, unread)).collect();
        let rules = Self {
            above: None,
            prefix: 0,
            case,
            ours: RuleFile::default(),
            git: RuleFile::default(),
            last,
        };
        Arc::new(rules).enter(root, folder, has, unread)
    }

    /// Returns the rules that hold in `folder`, which is in the folder of these; see [`Rules::begin`].
    pub(super) fn enter(
        self: Arc<Self>,
        root: &Root,
        folder: Option<&RepoPath>,
        has: impl Fn(&[u8]) -> bool,
        unread: &mut Vec<Unread>,
    ) -> Arc<Self> {
        if !has(OURS) && !has(GIT) {
            return self;
        }
        let mut read = |name| {
            let rules = has(name).then(|| beneath(root, folder, name, self.case, unread));
            rules.unwrap_or_default()
        };
        Arc::new(Self {
            prefix: folder.map_or(0, |folder| folder.as_bytes().len() + 1),
            case: self.case,
            ours: read(OURS),
            git: read(GIT),
            last: Vec::new(),
            above: Some(self),
        })
    }

    /// Says whether `path`, whose folder is not ignored, is.
    pub(super) fn ignore(&self, path: &RepoPath, is_folder: bool) -> bool {
        let path = self.case.of(path.as_bytes());
        let levels = || std::iter::successors(Some(self), |rules| rules.above.as_deref());
        let near = |of: fn(&Self) -> &RuleFile| {
            levels().find_map(|rules| of(rules).effect(&path[rules.prefix..], is_folder))
        };
        let mut last = levels().flat_map(|rules| &rules.last);
        let found = near(|rules| &rules.ours)
            .or_else(|| near(|rules| &rules.git))
            .or_else(|| last.find_map(|rules| rules.effect(&path, is_folder)));
        found == Some(Effect::Ignore)
    }
}

/// Says whether `folder` is ignored, itself or with a folder that it is in.
pub(super) fn is_ignored(root: &Root, git: Option<&Snapshot>, folder: &RepoPath) -> bool {
    let has = |_: &[u8]| true;
    let mut rules = Rules::begin(root, git, None, has, &mut Vec::new());
    let bytes = folder.as_bytes();
    let ends = memchr::memchr_iter(b'/', bytes).chain([bytes.len()]);
    for above in ends.filter_map(|end| RepoPath::parse(&bytes[..end]).ok()) {
        if rules.ignore(&above, true) {
            return true;
        }
        rules = rules.enter(root, Some(&above), has, &mut Vec::new());
    }
    false
}

/// Reads the rule file `name` in a folder of the repository; it has no rules if it cannot be read.
fn beneath(
    root: &Root,
    folder: Option<&RepoPath>,
    name: &[u8],
    case: Case,
    unread: &mut Vec<Unread>,
) -> RuleFile {
    let start = folder.map_or(Vec::new(), |folder| [folder.as_bytes(), b"/"].concat());
    let Ok(path) = RepoPath::parse(&[&start, name].concat()) else {
        return RuleFile::default();
    };
    let why = match root.read(&path, MAX_RULES_BYTES) {
        Ok(Entry::Whole(bytes)) => return RuleFile::parse(&bytes, case),
        Ok(Entry::TooLarge { .. }) => "it is too large".to_owned(),
        Err(error) => error.source.to_string(),
    };
    let path = path.to_string();
    unread.push(Unread { path, why });
    RuleFile::default()
}

/// Reads a rule file outside the tree, if it is there; it has no rules if it cannot be read.
fn outside(path: &Path, case: Case, unread: &mut Vec<Unread>) -> RuleFile {
    if matches!(fs::kind(path), Ok(SystemKind::Missing)) {
        return RuleFile::default();
    }
    match fs::read_regular(path, MAX_RULES_BYTES) {
        Ok(bytes) => RuleFile::parse(&bytes, case),
        Err(error) => {
            let path = shown(path).into_owned();
            let why = error.source.to_string();
            unread.push(Unread { path, why });
            RuleFile::default()
        }
    }
}

impl RuleFile {
    fn parse(bytes: &[u8], case: Case) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let lines = bytes.split(|&byte| byte == b'\n').enumerate();
        let rules = lines.filter_map(|(at, line)| Some((Reverse(at), Rule::parse(line, case)?)));
        let mut rules: Vec<_> = rules.collect();
        rules.sort_unstable_by_key(|(at, rule)| (rule.pattern.end, *at));
        Self(rules)
    }

    /// Returns what becomes of `path` by the last of the rules that means it.
    fn effect(&self, path: &[u8], is_folder: bool) -> Option<Effect> {
        let name = memchr::memrchr(b'/', path).map_or(path, |slash| &path[slash + 1..]);
        let last = [None, path.last().copied()].into_iter().filter_map(|end| {
            let rules = &self.0[self.0.partition_point(|(_, rule)| rule.pattern.end < end)..];
            let mut rules = rules.iter().take_while(|(_, rule)| rule.pattern.end == end);
            rules.find(|(_, rule)| rule.pattern.matches(path, name, is_folder))
        });
        last.min_by_key(|(at, _)| *at).map(|(_, rule)| rule.effect)
    }
}
