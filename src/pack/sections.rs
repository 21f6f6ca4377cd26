//! What a document holds beside files: how the tree differs, the last commits, and what the model is to do.

use std::borrow::Cow;

use crate::history::{Commit, Diff};
use crate::path::RepoPath;

/// The sections round the files that a caller asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sections {
    /// How the tree differs from what git knows.
    pub diffs: Vec<Diff>,
    /// The last commits, the newest first.
    pub log: Vec<Commit>,
    /// What the model is to do, as the document's last word.
    pub instruction: Option<String>,
}

/// Returns the files of a commit as text, and whether they had to be escaped: then all are.
pub(super) fn paths(commit: &Commit) -> (Vec<Cow<'_, str>>, bool) {
    let escaped: Vec<_> = commit.files.iter().map(RepoPath::escaped).collect();
    let is_escaped = escaped.iter().any(|(_, is_escaped)| *is_escaped);
    let paths = escaped.into_iter().map(|(path, was_escaped)| {
        if is_escaped && !was_escaped {
            Cow::Owned(path.replace('\\', "\\\\"))
        } else {
            path
        }
    });
    (paths.collect(), is_escaped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::Format;

    #[test]
    fn if_one_path_is_escaped_all_are() {
        let path = |bytes: &[u8]| RepoPath::parse(bytes).unwrap();
        for (files, expected, is_escaped) in [
            (vec![path(b"a\\b"), path(b"c")], ["a\\b", "c"], false),
            (
                vec![path(b"a\\b"), path(b"c\n")],
                ["a\\\\b", "c\\x0a"],
                true,
            ),
        ] {
            let commit = Commit {
                id: String::new(),
                date: String::new(),
                author: String::new(),
                message: String::new(),
                files,
            };
            let (paths, was_escaped) = paths(&commit);
            assert_eq!(
                (paths, was_escaped),
                (expected.map(Cow::from).to_vec(), is_escaped)
            );
        }
    }

    fn sections() -> Sections {
        let commit = |author: &str, message: &str, files: &[&[u8]]| Commit {
            id: "0150940".to_owned(),
            date: "2026-01-31 17:04:58 +0200".to_owned(),
            author: author.to_owned(),
            message: message.to_owned(),
            files: files
                .iter()
                .map(|path| RepoPath::parse(path).unwrap())
                .collect(),
        };
        let diff = |name: &str, text: &[u8]| Diff {
            name: name.to_owned(),
            text: text.to_vec(),
        };
        Sections {
            diffs: vec![
                diff("work tree", b"+a ]]> ```\n"),
                diff("since v<1>", b"+\xc3\xa9\xff\x1b\n"),
            ],
            log: vec![
                commit("A. \"B\"", "fix </message>\n\n========", &[b"a.rs", b"b\n"]),
                commit("", "merge", &[]),
            ],
            instruction: None,
        }
    }

    const EXPECTED: [(Format, &str); 4] = [
        (
            Format::Xml,
            r#"</files>
<git_diffs>
<git_diff_work_tree><![CDATA[
+a ]]]]><![CDATA[> ```

]]></git_diff_work_tree>
<git_diff since="v&lt;1&gt;" charset="windows-1252" controls="pictures"><![CDATA[
+Ã©ÿ␛

]]></git_diff>
</git_diffs>
<git_logs>
<git_log_commit id="0150940" author="A. &quot;B&quot;">
<date>2026-01-31 17:04:58 +0200</date>
<message><![CDATA[
fix </message>

========
]]></message>
<files path-escape="true"><![CDATA[
a.rs
b\x0a
]]></files>
</git_log_commit>
<git_log_commit id="0150940">
<date>2026-01-31 17:04:58 +0200</date>
<message><![CDATA[
merge
]]></message>
</git_log_commit>
</git_logs>
"#,
        ),
        (
            Format::Markdown,
            r#"# Git diff: `work tree`

````diff
+a ]]> ```

````

# Git diff: `since v<1>`

charset: windows-1252, controls: pictures

```diff
+Ã©ÿ␛

```

# Git log

commit: 0150940, date: `2026-01-31 17:04:58 +0200`, author: `A. "B"`

```text
fix </message>

========
```

path-escape: true

```text
a.rs
b\x0a
```

commit: 0150940, date: `2026-01-31 17:04:58 +0200`

```text
merge
```

"#,
        ),
        (
            Format::Json,
            r#"],
"git_diffs":[
  {"name":"work tree","text":"+a ]]> ```\n"}
, {"name":"since v<1>","charset":"windows-1252","text":"+Ã©ÿ\u001b\n"}
],
"git_logs":[
  {"id":"0150940","date":"2026-01-31 17:04:58 +0200","author":"A. \"B\"","message":"fix </message>\n\n========","path_escape":true,"files":["a.rs","b\\x0a"]}
, {"id":"0150940","date":"2026-01-31 17:04:58 +0200","message":"merge","files":[]}
],
"#,
        ),
        (
            Format::Plain,
            r#"---- Git diff: work tree

======== text
+a ]]> ```

========

---- Git diff: since v<1>

charset: windows-1252, controls: pictures

======== text
+Ã©ÿ␛

========

---- Git log

commit: 0150940, date: `2026-01-31 17:04:58 +0200`, author: `A. "B"`

========= text
fix </message>

========
=========

path-escape: true

======== text
a.rs
b\x0a
========

commit: 0150940, date: `2026-01-31 17:04:58 +0200`

======== text
merge
========

"#,
        ),
    ];

    #[test]
    fn each_format_holds_them() {
        for (format, expected) in EXPECTED {
            assert_eq!(format.before_totals(&sections()).concat(), expected);
        }
    }
}
