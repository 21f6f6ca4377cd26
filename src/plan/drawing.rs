//! Trees of files drawn with lines, as many plans show them.

const BRANCHES: &[&str] = &[
    "\u{251c}\u{2500}",
    "\u{2514}\u{2500}",
    "\u{2570}\u{2500}",
    "|--",
    "`--",
    "+--",
];

/// The folders that the next line of a drawing may stand in, each with its column.
#[derive(Default)]
pub(super) struct Drawing {
    folders: Vec<(usize, String)>,
}

impl Drawing {
    /// Reads one line: the path that it draws, and what stands after it.
    pub(super) fn entry<'a>(&mut self, line: &'a str) -> Option<(String, &'a str)> {
        let branch = BRANCHES.iter().filter_map(|branch| line.find(branch)).min();
        let Some(branch) = branch else {
            self.root(line);
            return None;
        };
        let is_drawn = |c: char| {
            c.is_whitespace() || "\u{2502}|`+-\u{251c}\u{2514}\u{2570}\u{2500}\u{a0}".contains(c)
        };
        if !line[..branch].chars().all(is_drawn) {
            return None;
        }
        let column = line[..branch].chars().count() + 1;
        let name_on = line[branch..].trim_start_matches(is_drawn);
        let name_end = name_on.find(char::is_whitespace).unwrap_or(name_on.len());
        let (name, comment) = name_on.split_at(name_end);
        self.folders.retain(|&(folder, _)| folder < column);
        let above = self.folders.iter().map(|(_, name)| name.as_str());
        let path = above.chain([name]).collect::<Vec<_>>().join("/");
        self.folders
            .push((column, name.trim_end_matches('/').to_owned()));
        // What is drawn without end is no tree of files.
        (path.len() <= super::word::MAX_BYTES).then_some((path, comment))
    }

    /// A line without a branch is the folder at the top, or ends the drawing.
    fn root(&mut self, line: &str) {
        self.folders.clear();
        let name = line.split_whitespace().next().unwrap_or_default();
        if let Some(folder) = name.strip_suffix('/')
            && folder != "."
            && !folder.is_empty()
        {
            self.folders
                .push((0, folder.trim_start_matches("./").to_owned()));
        }
    }
}
