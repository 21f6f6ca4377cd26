//! The directory structure: an indented tree of names, as deep as there is room for.

use crate::path::RepoPath;

/// The names of all candidates, to be drawn to any depth.
pub struct Tree {
    /// Paths as text, sorted by their bytes.
    paths: Vec<String>,
    depth: usize,
}

impl Tree {
    /// Takes the paths of all candidates, sorted.
    pub fn new<'a>(paths: impl Iterator<Item = &'a RepoPath>) -> Self {
        let paths: Vec<String> = paths.map(ToString::to_string).collect();
        let depth = paths
            .iter()
            .map(|path| path.split('/').count())
            .max()
            .unwrap_or(0);
        Self { paths, depth }
    }

    /// Returns the depth at which every file is named.
    pub fn full_depth(&self) -> usize {
        self.depth
    }

    /// Draws the tree: two spaces a level, folders end in `/`.
    ///
    /// Below `depth` levels of names, a folder stands for what is in it, with the number of its files.
    pub fn draw(&self, depth: usize) -> String {
        if depth == 0 {
            return format!("({})", files(self.paths.len()));
        }
        let mut out = String::new();
        let mut above: Vec<&str> = Vec::new();
        let mut at = 0;
        while at < self.paths.len() {
            let names: Vec<&str> = self.paths[at].split('/').collect();
            let (folders, name) = names.split_at(names.len().min(depth) - 1);
            let shared = above
                .iter()
                .zip(folders)
                .take_while(|(a, b)| a == b)
                .count();
            for (level, folder) in folders.iter().enumerate().skip(shared) {
                push_line(&mut out, level, &[folder, "/"]);
            }
            if names.len() > depth {
                let folder = format!("{}/", names[..depth].join("/"));
                let n = self.paths[at..]
                    .iter()
                    .take_while(|path| path.starts_with(&folder))
                    .count();
                push_line(&mut out, folders.len(), &[name[0], "/ (", &files(n), ")"]);
                at += n;
            } else {
                push_line(&mut out, folders.len(), &[name[0]]);
                at += 1;
            }
            above.clear();
            above.extend_from_slice(folders);
        }
        out.pop();
        out
    }
}

fn push_line(out: &mut String, level: usize, parts: &[&str]) {
    for part in std::iter::repeat_n("  ", level).chain(parts.iter().copied()) {
        out.push_str(part);
    }
    out.push('\n');
}

fn files(n: usize) -> String {
    if n == 1 {
        "1 file".to_owned()
    } else {
        format!("{n} files")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(depth: usize, expected: &str) {
        let paths = ["a-b/x", "a/b/c/d", "a/b/e", "a/f", "g", "h/i/j"]
            .map(|path| RepoPath::parse(path.as_bytes()).unwrap());
        assert_eq!(Tree::new(paths.iter()).draw(depth), expected);
    }

    #[test]
    fn is_drawn_to_any_depth() {
        check(0, "(6 files)");
        check(1, "a-b/ (1 file)\na/ (3 files)\ng\nh/ (1 file)");
        check(
            2,
            "a-b/\n  x\na/\n  b/ (2 files)\n  f\ng\nh/\n  i/ (1 file)",
        );
        check(
            4,
            "a-b/\n  x\na/\n  b/\n    c/\n      d\n    e\n  f\ng\nh/\n  i/\n    j",
        );
        check(
            9,
            "a-b/\n  x\na/\n  b/\n    c/\n      d\n    e\n  f\ng\nh/\n  i/\n    j",
        );
    }
}
