//! What git says of a tree, and what somebody wrote into git's own files.

use super::{Case, FULL, Fate, Git, LINK, Row, SPECIAL};

const NOT: Fate = Fate::Absent;
const OTHER: Fate = Fate::Listed("repository");
const MODULE: Fate = Fate::Listed("submodule");

/// Each with the script that makes it, and what is to become of the paths; git must list the same.
const ROWS: &[Row] = &[
    // Rules.
    (
        "rule-name",
        "git init -q; put .gitignore '*.log\\n'; put a.log; put d/b.log; put c",
        &[
            (".gitignore", FULL),
            ("a.log", NOT),
            ("d/b.log", NOT),
            ("c", FULL),
        ],
    ),
    (
        "rule-negated",
        "git init -q; put .gitignore '*.log\\n!keep.log\\n'; put a.log; put keep.log; put d/keep.log",
        &[
            (".gitignore", FULL),
            ("a.log", NOT),
            ("keep.log", FULL),
            ("d/keep.log", FULL),
        ],
    ),
    (
        "rule-nested-and-negated",
        "git init -q; put .gitignore '*.log\\n'; put d/.gitignore '!*.log\\n'; put d/e/.gitignore 'x.log\\n'; put a.log; put d/b.log; put d/e/x.log; put d/e/y.log",
        &[
            (".gitignore", FULL),
            ("d/.gitignore", FULL),
            ("d/e/.gitignore", FULL),
            ("a.log", NOT),
            ("d/b.log", FULL),
            ("d/e/x.log", NOT),
            ("d/e/y.log", FULL),
        ],
    ),
    (
        "rule-negated-in-an-ignored-folder",
        "git init -q; put .gitignore 'd/\\n!d/keep\\n'; put d/keep; put d/.gitignore '!keep\\n'",
        &[(".gitignore", FULL), ("d/keep", NOT), ("d/.gitignore", NOT)],
    ),
    (
        "rule-rooted",
        "git init -q; put .gitignore '/a\\n'; put a; put d/a",
        &[(".gitignore", FULL), ("a", NOT), ("d/a", FULL)],
    ),
    (
        "rule-rooted-below",
        "git init -q; put d/.gitignore '/a\\ne/b\\n'; put d/a; put d/e/a; put d/e/b; put d/f/e/b",
        &[
            ("d/.gitignore", FULL),
            ("d/a", NOT),
            ("d/e/a", FULL),
            ("d/e/b", NOT),
            ("d/f/e/b", FULL),
        ],
    ),
    (
        "rule-folders-only",
        "git init -q; put .gitignore 'x/\\n'; put x/a; put d/x",
        &[(".gitignore", FULL), ("x/a", NOT), ("d/x", FULL)],
    ),
    (
        "rule-folders-only-and-a-link",
        "git init -q; put .gitignore 'x/\\n'; mkdir d; ln -s d x",
        &[(".gitignore", FULL), ("x", LINK)],
    ),
    (
        "rule-stars",
        "git init -q; put .gitignore '**/a\\nb/**\\nc/**/d\\n'; put a; put x/y/a; put b/x/y; put c/d; put c/x/y/d; put c/e",
        &[
            (".gitignore", FULL),
            ("a", NOT),
            ("x/y/a", NOT),
            ("b/x/y", NOT),
            ("c/d", NOT),
            ("c/x/y/d", NOT),
            ("c/e", FULL),
        ],
    ),
    (
        "rule-star-and-slash",
        "git init -q; put .gitignore 'a/*.c\\n'; put a/x.c; put a/b/x.c; put x.c",
        &[
            (".gitignore", FULL),
            ("a/x.c", NOT),
            ("a/b/x.c", FULL),
            ("x.c", FULL),
        ],
    ),
    (
        "rule-classes",
        "git init -q; put .gitignore '[a-c]1\\n[!a-c]2\\n[[:digit:]]3\\n[]x]4\\n'; put a1; put d1; put a2; put d2; put 03; put x3; put ]4; put x4",
        &[
            (".gitignore", FULL),
            ("a1", NOT),
            ("d1", FULL),
            ("a2", FULL),
            ("d2", NOT),
            ("03", NOT),
            ("x3", FULL),
            ("]4", NOT),
            ("x4", NOT),
        ],
    ),
    (
        "rule-braces",
        "git init -q; put .gitignore '*.{js,ts}\\n'; put a.js; put 'b.{js,ts}'",
        &[(".gitignore", FULL), ("a.js", FULL), ("b.{js,ts}", NOT)],
    ),
    (
        "rule-spaces-at-the-end",
        "git init -q; put .gitignore 'a  \\nb\\\\ \\nc\\t\\n'; put a; put 'b '; put b; put c",
        &[
            (".gitignore", FULL),
            ("a", NOT),
            ("b ", NOT),
            ("b", FULL),
            ("c", FULL),
        ],
    ),
    (
        "rule-escaped",
        "git init -q; put .gitignore '#a\\n\\\\#b\\n\\\\!c\\n\\\\*d\\n'; put '#a'; put '#b'; put '!c'; put xd; put '*d'",
        &[
            (".gitignore", FULL),
            ("#a", FULL),
            ("#b", NOT),
            ("!c", NOT),
            ("xd", FULL),
            ("*d", NOT),
        ],
    ),
    (
        "rule-crlf-and-bom",
        "git init -q; put .gitignore '\\357\\273\\277a\\r\\nb\\r\\n'; put a; put b; put c",
        &[
            (".gitignore", Fate::Full("bom=true eol=crlf")),
            ("a", NOT),
            ("b", NOT),
            ("c", FULL),
        ],
    ),
    (
        "rule-not-utf-8",
        "git init -q; put .gitignore 'caf\\351\\nsecret\\n'; put secret; put c",
        &[(".gitignore", Fate::Exact), ("secret", NOT), ("c", FULL)],
    ),
    (
        "rule-case",
        "git init -q; put .gitignore '*.QQZ\\n'; put x.qqz; put y.QQZ",
        &[(".gitignore", FULL), ("x.qqz", FULL), ("y.QQZ", NOT)],
    ),
    (
        "rule-everything",
        "git init -q; put a; git add a plain.txt; put .gitignore '*\\n'; put b",
        &[("a", FULL), ("b", NOT), (".gitignore", NOT)],
    ),
    (
        "rule-of-a-glob-that-explodes",
        "git init -q; put .gitignore '*a*a*a*a*a*a*a*a*a*a*a*a*b\\n'; put aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac",
        &[
            (".gitignore", FULL),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", FULL),
        ],
    ),
    (
        "rules-by-the-ten-thousand",
        "git init -q; seq 20000 > .gitignore; put 77; put d/19999; put 20001",
        &[
            (".gitignore", FULL),
            ("77", NOT),
            ("d/19999", NOT),
            ("20001", FULL),
        ],
    ),
    // Where rules are.
    (
        "info-exclude",
        "git init -q; echo a > .git/info/exclude; put a; put b",
        &[("a", NOT), ("b", FULL)],
    ),
    (
        "excludes-file-of-the-repository",
        "git init -q; echo a > \"$OUT/rules\"; git config core.excludesFile \"$OUT/rules\"; put a; put b",
        &[("a", NOT), ("b", FULL)],
    ),
    (
        "excludes-file-relative",
        "git init -q; put rules 'a\\n'; git config core.excludesFile rules; put a; put b",
        &[("rules", FULL), ("a", NOT), ("b", FULL)],
    ),
    (
        "excludes-file-of-the-user",
        "git init -q; echo a > ~/rules; git config --global core.excludesFile '~/rules'; put a; put b",
        &[("a", NOT), ("b", FULL)],
    ),
    (
        "excludes-file-in-xdg",
        "git init -q; mkdir -p ~/.config/git; printf '[core]\\nexcludesfile = ~/rules\\n' > ~/.config/git/config; echo a > ~/rules; put a; put b",
        &[("a", NOT), ("b", FULL)],
    ),
    (
        "excludes-file-by-default",
        "git init -q; mkdir -p ~/.config/git; echo a > ~/.config/git/ignore; put a; put b",
        &[("a", NOT), ("b", FULL)],
    ),
    (
        "excludes-file-of-nothing",
        "git init -q; mkdir -p ~/.config/git; echo a > ~/.config/git/ignore; git config core.excludesFile ''; put a; put b",
        &[("a", FULL), ("b", FULL)],
    ),
    (
        "excludes-file-twice",
        "git init -q; echo a > ~/rules; echo b > ~/others; git config --global core.excludesFile '~/rules'; git config core.excludesFile '~/others'; put a; put b",
        &[("a", FULL), ("b", NOT)],
    ),
    (
        "included-by-the-user",
        "git init -q; echo a > ~/rules; git config --global include.path more; printf '[core]\\n\\texcludesFile = ~/rules\\n' > ~/more; put a; put b",
        &[("a", NOT), ("b", FULL)],
    ),
    (
        "included-if-by-the-user",
        "git init -q; echo a > ~/rules; printf '[includeIf \"gitdir:%s/\"]\\n\\tpath = more\\n[includeIf \"gitdir:/nowhere/\"]\\n\\tpath = none\\n' \"$PWD\" > ~/.gitconfig; printf '[core]\\n\\texcludesFile = ~/rules\\n' > ~/more; printf '[core]\\n\\texcludesFile = /dev/null\\n' > ~/none; put a; put b",
        &[("a", NOT), ("b", FULL)],
    ),
    (
        "included-on-a-branch",
        "git init -q -b main; echo a > ~/rules; printf '[includeIf \"onbranch:ma*\"]\\n\\tpath = more\\n' > ~/.gitconfig; printf '[core]\\n\\texcludesFile = ~/rules\\n' > ~/more; put a; put b",
        &[("a", NOT), ("b", FULL)],
    ),
    (
        "included-for-a-remote",
        "git init -q; echo a > ~/rules; printf '[includeIf \"hasconfig:remote.*.url:https://**/o*/x\"]\\n\\tpath = more\\n[includeIf \"hasconfig:remote.*.url:https://*/x\"]\\n\\tpath = none\\n' > ~/.gitconfig; printf '[core]\\n\\texcludesFile = ~/rules\\n' > ~/more; printf '[core]\\n\\texcludesFile = /dev/null\\n' > ~/none; git remote add up https://h.example/other/x; put a; put b",
        &[("a", NOT), ("b", FULL)],
    ),
    (
        "included-by-the-repository",
        "git init -q; echo a > ~/rules; git config include.path more; printf '[core]\\n\\texcludesFile = ~/rules\\n' > .git/more; put a; put b",
        &[("a", NOT), ("b", FULL)],
    ),
    (
        "ignorecase-of-the-repository",
        "git init -q; git config core.ignorecase true; put .gitignore '*.LOG\\nSub/\\n'; put a.log; put sub/b; put c",
        &[
            (".gitignore", FULL),
            ("a.log", NOT),
            ("sub/b", NOT),
            ("c", FULL),
        ],
    ),
    (
        "ignorecase-of-the-user",
        "git init -q; git config --unset core.ignorecase || true; git config --global core.ignorecase yes; put .gitignore '*.LOG\\n'; put a.log; put c",
        &[(".gitignore", FULL), ("a.log", NOT), ("c", FULL)],
    ),
    (
        "other-ignore-files",
        "git init -q; put .ignore 'a\\n'; put .rgignore 'a\\n'; put .dockerignore 'a\\n'; put a",
        &[
            (".ignore", FULL),
            (".rgignore", FULL),
            (".dockerignore", FULL),
            ("a", FULL),
        ],
    ),
    (
        "ignore-file-that-is-a-link",
        "git init -q; echo a > \"$OUT/rules\"; ln -s \"$OUT/rules\" .gitignore; put a",
        &[(".gitignore", LINK), ("a", FULL)],
    ),
    (
        "ignore-file-that-is-a-folder",
        "git init -q; put .gitignore/x; put a",
        &[(".gitignore/x", FULL), ("a", FULL)],
    ),
    // Files and folders.
    (
        "tracked-although-ignored",
        "git init -q; put a.log; put d/b; git add .; put .gitignore '*.log\\nd/\\n'; put c.log; put d/e",
        &[
            (".gitignore", FULL),
            ("a.log", FULL),
            ("d/b", FULL),
            ("c.log", NOT),
            ("d/e", NOT),
        ],
    ),
    (
        "tracked-and-gone",
        "git init -q; put a; put d/b; git add .; rm a; rm -r d; put d",
        &[("a", NOT), ("d", FULL)],
    ),
    (
        "tracked-and-now-a-link",
        "git init -q; put d/a; git add .; rm -r d; ln -s \"$OUT\" d",
        &[("d", LINK)],
    ),
    (
        "skip-worktree",
        "git init -q; put a; put b; git add .; git update-index --skip-worktree a b; rm b",
        &[("a", FULL), ("b", NOT)],
    ),
    (
        "assume-unchanged",
        "git init -q; put a; git add .; git update-index --assume-unchanged a; put a y",
        &[("a", FULL)],
    ),
    (
        "sparse-checkout",
        "git init -q; put a/x; put b/y; git add .; git commit -qm 1; git sparse-checkout set --cone a; put c/z",
        &[("a/x", FULL), ("b/y", NOT), ("c/z", FULL)],
    ),
    (
        "sparse-index",
        "git init -q; put a/x; put b/y; put b/c/z; git add .; git commit -qm 1; git sparse-checkout set --cone --sparse-index a; put b/new",
        &[("a/x", FULL), ("b/y", NOT), ("b/new", FULL)],
    ),
    (
        "split-index",
        "git init -q; put a.log; git add .; git update-index --split-index; put b.log; git add b.log; put .gitignore '*.log\\n'; put c.log",
        &[
            (".gitignore", FULL),
            ("a.log", FULL),
            ("b.log", FULL),
            ("c.log", NOT),
        ],
    ),
    (
        "conflict",
        "git init -q; put a; git add .; git commit -qm 1; git checkout -qb x; put a 2; git commit -qam 2; git checkout -q -; put a 3; git commit -qam 3; git merge -q x > /dev/null || true",
        &[("a", FULL)],
    ),
    (
        "sha256",
        "git init -q --object-format=sha256; put a.log; git add .; git commit -qm 1; put .gitignore '*.log\\n'; put b.log",
        &[(".gitignore", FULL), ("a.log", FULL), ("b.log", NOT)],
    ),
    (
        "worktree",
        "git init -q ../main; cd ../main; put .gitignore '*.log\\n'; put a; put t.log; git add -f .; git commit -qm 1; echo e > .git/info/exclude; cd ../repo; rm plain.txt; git -C ../main worktree add -q \"$PWD\"; put plain.txt 'plain\\n'; put x.log; put e",
        &[
            (".gitignore", FULL),
            ("a", FULL),
            ("t.log", FULL),
            ("x.log", NOT),
            ("e", NOT),
        ],
    ),
    (
        "git-file",
        "git init -q --separate-git-dir=../elsewhere; put .gitignore 'x\\n'; put a; put x",
        &[(".gitignore", FULL), ("a", FULL), ("x", NOT)],
    ),
    (
        "nested-repository",
        "git init -q; git init -q n; put n/a; git -C n add .; git -C n commit -qm 1; git init -q d/m; put d/m/b; put d/c",
        &[("n", OTHER), ("d/m", OTHER), ("d/c", FULL)],
    ),
    (
        "nested-repository-without-commit",
        "git init -q; git init -q n; put a",
        &[("n", OTHER), ("a", FULL)],
    ),
    (
        "nested-repository-ignored",
        "git init -q; put .gitignore 'n/\\n'; git init -q n; put n/a",
        &[(".gitignore", FULL), ("n/a", NOT), ("n", NOT)],
    ),
    (
        "nested-git-folder-of-nothing",
        "git init -q; mkdir -p n/.git; put n/a",
        &[("n/a", FULL)],
    ),
    (
        "nested-git-folder-of-something",
        "git init -q; put n/.git/config; put n/.git/HEAD 'ref: refs/heads/main\\n'; put n/a",
        &[("n/a", FULL)],
    ),
    (
        "nested-git-file",
        "git init -q; git init -q --separate-git-dir=../elsewhere n; put n/a",
        &[("n", OTHER)],
    ),
    (
        "nested-git-file-of-nothing",
        "git init -q; put n/.git 'gitdir: ../../nowhere\\n'; put n/a",
        &[("n/a", FULL)],
    ),
    (
        "nested-git-file-of-garbage",
        "git init -q; put n/.git 'garbage\\n'; put n/a",
        &[("n/a", FULL)],
    ),
    (
        "submodule",
        "git init -q ../lib; (cd ../lib; put a; git add .; git commit -qm 1); git init -q; git submodule --quiet add ../lib lib 2>/dev/null",
        &[(".gitmodules", FULL), ("lib", MODULE)],
    ),
    (
        "submodule-not-initialised",
        "git init -q ../lib; (cd ../lib; put a; git add .; git commit -qm 1); git init -q ../up; (cd ../up; git submodule --quiet add ../lib lib 2>/dev/null; git commit -qm 1); rm plain.txt; git clone -q ../up .; put plain.txt 'plain\\n'",
        &[(".gitmodules", FULL), ("lib", MODULE)],
    ),
    (
        "gitlink-without-gitmodules",
        "git init -q; git update-index --add --cacheinfo 160000,1234567890123456789012345678901234567890,lib; mkdir lib; put lib/a",
        &[("lib", MODULE)],
    ),
    (
        "lfs-pointer",
        "git init -q; put .gitattributes '*.bin filter=lfs diff=lfs merge=lfs -text\\n'; put a.bin 'version https://git-lfs.github.com/spec/v1\\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\\nsize 12345\\n'; command git add .",
        &[(".gitattributes", FULL), ("a.bin", Fate::Listed("lfs"))],
    ),
    (
        "bare-beside",
        "git init -q; git init -q --bare --template= b.git; put a",
        &[("b.git/HEAD", FULL), ("b.git/config", FULL), ("a", FULL)],
    ),
];

/// Rows like those above for which git gives no answer, or another one on purpose.
const UNASKED: &[Row] = &[
    (
        "no-repository",
        "put .gitignore '*.log\\n'; put a.log; put d/.gitignore '!*.log\\n'; put d/b.log",
        &[
            (".gitignore", FULL),
            ("a.log", NOT),
            ("d/.gitignore", FULL),
            ("d/b.log", FULL),
        ],
    ),
    (
        "twostepignore",
        "git init -q; put .twostepignore '*.md\\n!b.log\\n'; put .gitignore '*.log\\n'; put a.md; put a.log; put b.log",
        &[
            (".twostepignore", FULL),
            (".gitignore", FULL),
            ("a.md", NOT),
            ("a.log", NOT),
            ("b.log", FULL),
        ],
    ),
    (
        "ignore-file-that-is-a-fifo",
        "git init -q; mkfifo .gitignore; mkdir d; mkfifo d/.gitignore; put a",
        &[
            (".gitignore", SPECIAL),
            ("d/.gitignore", SPECIAL),
            ("a", FULL),
        ],
    ),
    (
        "ignore-file-that-is-huge",
        "git init -q; seq 3000000 > .gitignore; put 77; put a",
        &[
            (".gitignore", Fate::Listed("large")),
            ("77", FULL),
            ("a", FULL),
        ],
    ),
    (
        "excludes-file-that-is-a-fifo",
        "git init -q; mkfifo ../rules; git config core.excludesFile \"$PWD/../rules\"; put a",
        &[("a", FULL)],
    ),
    (
        "excludes-file-of-zeros",
        "git init -q; git config core.excludesFile /dev/zero; put a",
        &[("a", FULL)],
    ),
    (
        "included-zeros",
        "git init -q; git config include.path /dev/zero; put a",
        &[("a", FULL)],
    ),
    (
        "included-fifo",
        "git init -q; mkfifo ../more; git config include.path \"$PWD/../more\"; put a",
        &[("a", FULL)],
    ),
    (
        "included-by-itself",
        "git init -q; git config include.path config; put a",
        &[("a", FULL)],
    ),
    (
        "included-a-million-times",
        "git init -q; for n in 1 2 3 4 5; do for m in 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0; do printf '[include]\\n\\tpath = %s\\n' $((n + 1)); done > .git/$n; done; git config include.path 1; put a",
        &[("a", FULL)],
    ),
    (
        "included-by-a-glob-that-explodes",
        "git init -q; printf '[includeIf \"gitdir:/%sb\"]\\n\\tpath = x\\n' $(printf '**/*a*/%.0s' $(seq 30)) >> .git/config; d=$(printf 'aaaa/%.0s' $(seq 40)); mkdir -p ../$d; mv .git ../$d/x; put .git \"gitdir: ../${d}x\\n\"; put a",
        &[("a", FULL)],
    ),
    (
        "git-file-that-is-a-fifo",
        "mkfifo .git; put a; put .gitignore 'b\\n'; put b",
        &[("a", FULL), (".gitignore", FULL), ("b", NOT)],
    ),
    (
        "git-file-of-garbage",
        "put .git garbage; put a",
        &[("a", FULL)],
    ),
    (
        "git-file-to-outside",
        "put .git \"gitdir: $OUT\\n\"; put a",
        &[("a", FULL)],
    ),
    (
        "git-file-to-a-fifo",
        "mkfifo ../pipe; put .git \"gitdir: ../pipe\\n\"; put a",
        &[("a", FULL)],
    ),
    ("git-folder-of-nothing", "mkdir .git; put a", &[("a", FULL)]),
    (
        "git-link",
        "git init -q; mv .git ../elsewhere; ln -s ../elsewhere .git; put .gitignore 'x\\n'; put x; put a",
        &[(".gitignore", FULL), ("x", NOT), ("a", FULL)],
    ),
    (
        "common-folder-that-is-a-fifo",
        "git init -q; mkfifo .git/commondir; put a",
        &[("a", FULL)],
    ),
    (
        "alternates-that-are-a-fifo",
        "git init -q; mkfifo .git/objects/info/alternates; put a",
        &[("a", FULL)],
    ),
    (
        "branch-that-is-a-fifo",
        "git init -q -b main; mkfifo .git/refs/heads/main; put a",
        &[("a", FULL)],
    ),
    (
        "branches-in-a-circle",
        "git init -q; echo 'ref: refs/heads/b' > .git/HEAD; echo 'ref: refs/heads/c' > .git/refs/heads/b; echo 'ref: refs/heads/b' > .git/refs/heads/c; put a",
        &[("a", FULL)],
    ),
    (
        "branch-outside",
        "git init -q; echo 'ref: refs/../../../outside/secret-name.txt' > .git/HEAD; put a",
        &[("a", FULL)],
    ),
    (
        "shared-index-that-is-a-fifo",
        "git init -q; put a; git add .; git update-index --split-index; rm .git/sharedindex.*; x=$(git hash-object a); for f in .git/sharedindex.0000000000000000000000000000000000000000; do mkfifo $f; done",
        &[("a", FULL)],
    ),
    (
        "nested-git-folder-with-a-fifo",
        "git init -q; put n/a; mkdir -p n/.git/objects n/.git/refs; mkfifo n/.git/HEAD; mkdir m; mkfifo m/.git; put m/b",
        &[("n/a", FULL), ("m/b", FULL)],
    ),
];

/// What stands in the way of git's own files, each as a script: `$F` is the file.
const IN_THE_WAY: &[(&str, &str)] = &[
    ("fifo", "mkfifo $F"),
    ("folder", "mkdir $F"),
    ("huge", "truncate -s 10G $F"),
    ("garbage", "printf 'garb\\000age\\n\\377[' > $F"),
    ("link-to-zero", "ln -s /dev/zero $F"),
];

/// Git's files, and whether we must say that we go on without them.
const GIT_FILES: &[(&str, &[&str], &[&str])] = &[
    (
        "HEAD",
        &["fifo", "folder", "huge", "garbage", "link-to-zero"],
        &["going on without git"],
    ),
    (
        "index",
        &["fifo", "folder", "huge", "garbage", "link-to-zero"],
        &["going on without git"],
    ),
    (
        "config",
        &["fifo", "folder", "huge", "garbage", "link-to-zero"],
        &["going on without git"],
    ),
    (
        "packed-refs",
        &["fifo", "folder", "huge", "garbage", "link-to-zero"],
        &[],
    ),
    (
        "info/exclude",
        &["fifo", "folder", "huge", "garbage", "link-to-zero"],
        &["its rules are not used"],
    ),
    (
        "objects",
        &["fifo", "huge", "garbage", "link-to-zero"],
        &["going on without git"],
    ),
    (
        "refs",
        &["fifo", "huge", "garbage", "link-to-zero"],
        &["going on without git"],
    ),
];

/// What a repository may configure to run, each as a script.
const PLANTED: &[(&str, &str)] = &[
    ("fsmonitor", "git config core.fsmonitor \"$RUN\""),
    (
        "filter-clean",
        "git config filter.x.clean \"$RUN\"; git config filter.x.required true",
    ),
    ("filter-smudge", "git config filter.x.smudge \"$RUN\""),
    ("filter-process", "git config filter.x.process \"$RUN\""),
    (
        "diff-external",
        "git config diff.external \"$RUN\"; git config diff.x.command \"$RUN\"",
    ),
    ("textconv", "git config diff.x.textconv \"$RUN\""),
    (
        "hooks-path",
        "mkdir ../hooks; for h in pre-commit post-checkout post-index-change reference-transaction; do printf '#!/bin/sh\\n%s\\n' \"$RUN\" > ../hooks/$h; chmod 755 ../hooks/$h; done; git config core.hooksPath \"$PWD/../hooks\"",
    ),
    (
        "hooks",
        "mkdir -p .git/hooks; for h in pre-commit post-checkout post-index-change reference-transaction; do printf '#!/bin/sh\\n%s\\n' \"$RUN\" > .git/hooks/$h; chmod 755 .git/hooks/$h; done",
    ),
    (
        "pager",
        "git config core.pager \"$RUN\"; git config pager.ls-files \"$RUN\"",
    ),
    (
        "editor",
        "git config core.editor \"$RUN\"; git config sequence.editor \"$RUN\"",
    ),
    (
        "ssh-command",
        "git config core.sshCommand \"$RUN\"; git config core.gitProxy \"$RUN\"; git config remote.origin.url 'ext::sh -c \"touch $MARK\"'",
    ),
    (
        "alias",
        "git config alias.ls-files \"!$RUN\"; git config alias.pack \"!$RUN\"",
    ),
    (
        "include",
        "printf '[core]\\n\\tfsmonitor = %s\\n' \"$RUN\" > \"$OUT/config\"; git config include.path \"$OUT/config\"",
    ),
    (
        "credential-helper",
        "git config credential.helper \"!$RUN\"; git config core.askPass \"$RUN\"",
    ),
    (
        "gpg-program",
        "git config gpg.program \"$RUN\"; git config commit.gpgSign true; git config log.showSignature true",
    ),
    (
        "alternate-refs",
        "git config core.alternateRefsCommand \"$RUN\"",
    ),
];

pub(super) fn cases() -> Vec<Case> {
    let of = |(name, script, rows): &Row, git| Case {
        git,
        ..Case::script(format!("git/{name}"), *script).rows(rows)
    };
    let mut cases: Vec<Case> = ROWS.iter().map(|row| of(row, Git::Asked)).collect();
    cases.extend(UNASKED.iter().map(|row| of(row, Git::Unasked)));
    for (file, kinds, told) in GIT_FILES {
        for (kind, script) in IN_THE_WAY.iter().filter(|(kind, _)| kinds.contains(kind)) {
            let script = format!(
                "git init -q -b main; put .gitignore 'x\\n'; git add .; git commit -qm 1; git pack-refs --all; put x; F=.git/{file}; rm -rf $F; {script}"
            );
            let name = format!("git/{}-is-{kind}", file.replace('/', "-"));
            // Whatever bytes there are, they are rules.
            let is_told = (*file, *kind) != ("info/exclude", "garbage");
            cases.push(Case {
                told: if is_told { told } else { &[] },
                ..Case::script(name, script).rows(&[(".gitignore", FULL), ("x", NOT)])
            });
        }
    }
    for (name, script) in PLANTED {
        let script = format!(
            "git init -q; put .gitattributes '* filter=x diff=x\\n'; git add .; git -c core.fsmonitor=false commit -qm 1; RUN=\"touch $MARK\"; {script}; put plain.txt 'plain\\n'; rm -f \"$MARK\""
        );
        cases.push(Case::script(format!("git/planted-{name}"), script).row(".gitattributes", FULL));
    }
    // From a folder of it: all of the repository, or that folder.
    let script = "git init -q; put .gitignore '*.log\\n/sub/x\\n'; put sub/a; put sub/b.log; put sub/x; put sub/d/e; put c";
    cases.push(Case {
        folder: "sub",
        ..Case::script("git/from-a-folder", script).rows(&[
            (".gitignore", FULL),
            ("sub/a", FULL),
            ("sub/b.log", NOT),
            ("sub/x", NOT),
            ("sub/d/e", FULL),
            ("c", FULL),
        ])
    });
    let mut part = Case {
        folder: "sub",
        args: &["."],
        git: Git::Asked,
        ..Case::script("git/a-folder-alone", script).rows(&[
            ("sub/a", FULL),
            ("sub/b.log", NOT),
            ("sub/x", NOT),
            ("sub/d/e", FULL),
        ])
    };
    part.rows.remove(0);
    cases.push(part);
    let told = [
        "git/ignore-file-that-is-huge",
        "git/excludes-file-that-is-a-fifo",
        "git/excludes-file-of-zeros",
    ];
    for case in cases
        .iter_mut()
        .filter(|case| told.contains(&case.name.as_str()))
    {
        case.told = &["its rules are not used"];
    }
    let named = Case {
        args: &["big.bin", "plain.txt"],
        ..Case::script(
            "git/lfs-pointer-that-is-named",
            "git init -q; put big.bin 'version https://git-lfs.github.com/spec/v1\\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\\nsize 12345\\n'",
        )
    };
    cases.push(named.row("big.bin", FULL));
    let exploding = Case {
        args: &["--git-diff"],
        ..Case::script(
            "git/attributes-of-a-glob-that-explodes",
            "git init -q; glob=$(printf '**/a/%.0s' $(seq 30)); path=$(printf 'a/%.0s' $(seq 40)); put .gitattributes \"${glob}b text\\n\"; put ${path}c; git add .; git commit -qm 1; put ${path}c changed",
        )
    };
    let path = format!("{}c", "a/".repeat(40));
    cases.push(exploding.row(".gitattributes", FULL).row(path, FULL));
    cases
}
