//! Thirty plans as models and people write them, over five trees; beside each what it names and which steps it has.
//!
//! A tree is a list of paths, of symbols (`symbol PATH FIRST-LAST OWNER NAME`) and of what git renamed (`rename OLD NEW`).

use std::fmt::Write as _;

use super::super::{Plan, Reference, Symbol, Tree, faults, references};
use crate::path::RepoPath;

const TREES: &[(&str, &str)] = &[
    ("c", include_str!("plans/c.tree")),
    ("go", include_str!("plans/go.tree")),
    ("python", include_str!("plans/python.tree")),
    ("rust", include_str!("plans/rust.tree")),
    ("typescript", include_str!("plans/typescript.tree")),
];

macro_rules! plans {
    ($($number:literal),*) => {
        &[$((
            include_str!(concat!("plans/", $number, ".md")),
            include_str!(concat!("plans/", $number, ".expected")),
        )),*]
    };
}

const PLANS: &[(&str, &str)] = plans![
    "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15", "16",
    "17", "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30"
];

#[test]
fn thirty_plans_name_what_they_name_and_nothing_else() {
    let mut wrong = String::new();
    for (number, (plan, expected)) in (1..).zip(PLANS) {
        let (head, rows) = expected.split_once('\n').unwrap();
        let found = found(plan, &tree(head.strip_prefix("tree ").unwrap()));
        let rows: Vec<&str> = rows.lines().collect();
        let lacks = rows
            .iter()
            .filter(|row| !found.iter().any(|other| other == *row));
        let has = found.iter().filter(|row| !rows.contains(&row.as_str()));
        let lacks = lacks.map(|row| format!("- {row}"));
        let has = has.map(|row| format!("+ {row}"));
        if found != rows {
            let differing: Vec<String> = lacks.chain(has).collect();
            write!(wrong, "\nplan {number:02}:\n  {}", differing.join("\n  ")).unwrap();
        }
    }
    assert!(wrong.is_empty(), "expected (-) and found (+):{wrong}");
}

pub(super) fn tree(name: &str) -> Tree {
    let path = |text: &str| RepoPath::parse(text.as_bytes()).unwrap();
    let (_, text) = TREES.iter().find(|(known, _)| *known == name).unwrap();
    let is_path = |line: &&str| !line.starts_with("symbol ") && !line.starts_with("rename ");
    let mut tree = Tree::new(text.lines().filter(is_path).map(path));
    for line in text.lines().filter(|line| !is_path(line)) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["symbol", file, lines, owner, name] => {
                let (first, last) = lines.split_once('-').unwrap();
                tree.symbols
                    .entry((*name).to_owned())
                    .or_default()
                    .push(Symbol {
                        path: path(file),
                        owner: Some((*owner).to_owned()).filter(|owner| owner != "-"),
                        lines: (first.parse().unwrap(), last.parse().unwrap()),
                    });
            }
            ["rename", old, new] => {
                tree.renames.insert(path(old), path(new));
            }
            _ => panic!("{line}"),
        }
    }
    tree
}

/// Returns what a plan names, the steps that it has, and what is wrong with them.
fn found(text: &str, tree: &Tree) -> Vec<String> {
    let plan = Plan::read(text).unwrap();
    let mut rows: Vec<String> = references(&plan.text, tree).iter().map(row).collect();
    for step in &plan.steps {
        let mut row = format!("step {}: {}", step.number, step.title);
        if !step.depends.is_empty() {
            let needs: Vec<String> = step.depends.iter().map(usize::to_string).collect();
            write!(row, "; needs {}", needs.join(" ")).unwrap();
        }
        if let Some(check) = &step.check {
            write!(row, "; check {check}").unwrap();
        }
        rows.push(row);
    }
    rows.extend(faults(&plan).iter().map(|fault| format!("fault {fault}")));
    rows
}

/// Returns `intent status written[:first-last,...] [-> paths]`.
pub(super) fn row(reference: &Reference) -> String {
    let intent = format!("{:?}", reference.intent).to_lowercase();
    let lines = reference
        .lines
        .iter()
        .map(|(first, last)| format!("{first}-{last}"));
    let lines: Vec<String> = lines.collect();
    let paths: Vec<String> = reference.paths().iter().map(RepoPath::to_string).collect();
    let mut row = format!("{intent} {} {}", reference.status.name(), reference.written);
    if !lines.is_empty() {
        write!(row, ":{}", lines.join(",")).unwrap();
    }
    if !paths.is_empty() && paths != [reference.written.as_str()] {
        write!(row, " -> {}", paths.join(" ")).unwrap();
    }
    row
}
