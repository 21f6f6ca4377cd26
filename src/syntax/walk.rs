//! From a tree to an outline: one walk over what stands outside of functions.

use std::ops::RangeInclusive;

use tree_sitter::{Node, Tree};

use super::table::{Role, Rule, Table, child, children};
use super::{Import, Item, Kind, Language, Lines, Outline};

/// What is nested deeper is not looked into: this walk recurs.
const MAX_DEPTH: usize = 48;

/// The most lines that are shown of a value, a statement or an attribute.
const MAX_VALUE_LINES: usize = 4;

/// The most lines that are shown of constants that follow one another.
const MAX_RUN_LINES: usize = 12;

/// The most lines that are shown of fields and variants between which nothing else is defined.
const MAX_FIELD_LINES: usize = 60;

/// The most lines that are shown of a signature, or of one import.
const MAX_SIGNATURE_LINES: usize = 40;

/// The longest name.
const MAX_NAME_CHARS: usize = 120;

/// Words of comments that say who owns a file and not what it is.
const LICENSE_WORDS: [&str; 4] = ["copyright", "licence", "license", "spdx-"];

/// Words before what is imported.
const IMPORT_WORDS: [&str; 10] = [
    "function",
    "global",
    "import",
    "include",
    "include_once",
    "require",
    "require_once",
    "static",
    "use",
    "using",
];

/// Walks a tree.
pub(super) fn walk(language: Language, tree: &Tree, text: &str) -> Outline {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let root = tree.root_node();
    let mut walk = Walk {
        table: language.table(),
        text,
        is_shown: vec![false; lines.len()],
        lines,
        items: Vec::new(),
        imports: Vec::new(),
        around: Vec::new(),
    };
    walk.title(root);
    walk.docstring(root);
    walk.members(root, Above::default(), 0);
    walk.cut_runs();
    Outline {
        items: walk.items,
        imports: walk.imports,
        skeleton: ranges(&walk.is_shown),
    }
}

/// Rows, which are lines numbered from 0.
type Rows = RangeInclusive<usize>;

/// What stands above an item and belongs to it.
#[derive(Debug, Clone, Default)]
struct Above {
    /// Where the statement begins that the item is part of.
    start: Option<usize>,
    /// The comments.
    docs: Vec<Rows>,
    /// The attributes.
    attributes: Vec<Rows>,
    /// Whether one of them says that the item is a test.
    is_test: bool,
}

impl Above {
    fn first_row(&self) -> Option<usize> {
        let rows = self.docs.iter().chain(&self.attributes);
        rows.map(|rows| *rows.start()).min()
    }

    /// Says whether nothing stands between this and `row`.
    fn touches(&self, row: usize) -> bool {
        let rows = self.docs.iter().chain(&self.attributes);
        let last = rows.map(|rows| *rows.end()).max();
        last.is_some_and(|last| last + 1 == row || last == row)
    }

    fn without_rows(self) -> Self {
        Self {
            start: self.start,
            ..Self::default()
        }
    }
}

struct Walk<'a> {
    table: &'static Table,
    text: &'a str,
    lines: Vec<&'a str>,
    is_shown: Vec<bool>,
    items: Vec<Item>,
    imports: Vec<Import>,
    /// The items that we are in.
    around: Vec<(Kind, String)>,
}

impl<'a> Walk<'a> {
    /// Takes what stands in `parent`; `above` belongs to the first of it.
    fn members(&mut self, parent: Node<'a>, mut above: Above, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let table = self.table;
        let mut last_row = None;
        let mut cursor = parent.walk();
        for node in parent.named_children(&mut cursor) {
            let rows = rows(node);
            let role = table.role(node);
            if !above.touches(above.start.unwrap_or(*rows.start())) && !above.touches(*rows.start())
            {
                above = above.without_rows();
            }
            match role {
                Role::Comment if last_row == Some(*rows.start()) => {}
                Role::Comment => above.docs.push(rows.clone()),
                Role::Attribute => {
                    above.is_test |= table.words.tests.iter().any(|test| test == self.of(node));
                    above.attributes.push(rows.clone());
                }
                Role::Item(how) => self.item(node, how, &std::mem::take(&mut above), depth),
                Role::Import(words) => {
                    self.import(node, words, std::mem::take(&mut above).start, depth);
                }
                Role::Wrapper => {
                    let mut above = std::mem::take(&mut above);
                    above.start.get_or_insert(*rows.start());
                    self.members(node, above, depth + 1);
                }
                Role::Export => self.export(node, std::mem::take(&mut above), depth),
                Role::Block => {
                    self.show(*rows.start(), *rows.start(), 1);
                    let mut above = std::mem::take(&mut above);
                    above.start = None;
                    self.members(node, above, depth + 1);
                }
                Role::Shown => self.show(*rows.start(), *rows.end(), MAX_VALUE_LINES),
                Role::Other => {}
            }
            if !matches!(role, Role::Comment | Role::Attribute) {
                last_row = Some(*rows.end());
            }
        }
    }

    fn export(&mut self, node: Node<'a>, mut above: Above, depth: usize) {
        let rows = rows(node);
        above.start.get_or_insert(*rows.start());
        if let Some(source) = child(node, "source") {
            self.imports.push(Import {
                path: self.imported_name(source),
                names: Vec::new(),
                lines: rows.start() + 1..=rows.end() + 1,
            });
        }
        let n_items = self.items.len();
        self.members(node, above, depth + 1);
        if self.items.len() == n_items {
            self.show(*rows.start(), *rows.end(), MAX_VALUE_LINES);
        }
    }

    fn item(&mut self, node: Node<'a>, rule: &Rule, above: &Above, depth: usize) {
        let (kind, target) = self.target(node, rule);
        let start = above.start.unwrap_or(node.start_position().row);
        let end = self.lines.len().min(rows(node).end() + 1) - 1;
        let n_around = self.around.len();
        let (owner, name) = self.name(node, rule);
        let around = self.around.last().map(|(kind, _)| *kind);
        let is_in_type = owner.is_some() || matches!(around, Some(Kind::Type | Kind::Impl));
        let kind = match kind {
            Kind::Function if is_in_type => Kind::Method,
            kind => kind,
        };
        let names = self.around.iter().map(|(_, name)| name).chain(&owner);
        let names = names.filter(|name| !name.is_empty());
        let body = self.table.body(target);
        let below = body.map(|(_, signature_end)| signature_end + 1..=end);
        self.items.push(Item {
            kind,
            name: name.clone(),
            owner: names.cloned().collect(),
            lines: above.first_row().unwrap_or(start).min(start) + 1..=end + 1,
            body: below
                .filter(|rows| !rows.is_empty())
                .map(|rows| rows.start() + 1..=rows.end() + 1),
            depth: n_around,
        });
        self.documentation(above);
        let Some((body, signature_end)) = body else {
            let max = match kind {
                Kind::Constant | Kind::Field | Kind::Macro => MAX_VALUE_LINES,
                _ => MAX_SIGNATURE_LINES,
            };
            self.show(start, end, max);
            return;
        };
        self.show(start, signature_end, MAX_SIGNATURE_LINES);
        if above.is_test {
            return;
        }
        self.docstring(body);
        if matches!(kind, Kind::Type | Kind::Impl | Kind::Module | Kind::Field) {
            self.around.push((kind, name));
            self.members(body, Above::default(), depth + 1);
            self.around.pop();
            if is_closed(target) || is_closed(body) {
                self.show(end, end, 1);
            }
        }
    }

    /// Returns what an item is: itself, or the child through which it is something else.
    fn target(&self, node: Node<'a>, rule: &Rule) -> (Kind, Node<'a>) {
        let mut inner = node;
        while let Some(next) = rule.through.as_deref().and_then(|word| child(inner, word)) {
            if let Role::Item(rule) = self.table.role(next)
                && (rule.kind == Kind::Function || self.table.body(next).is_some())
            {
                return (rule.kind, next);
            }
            inner = next;
        }
        (rule.kind, node)
    }

    /// Returns the name of an item, and what it belongs to if it says so itself.
    fn name(&mut self, node: Node<'a>, rule: &Rule) -> (Option<String>, String) {
        if let Some(value) = rule.through.as_deref().and_then(|word| child(node, word))
            && let Role::Import(words) = self.table.role(value)
        {
            self.import_call(value, words);
        }
        let Some(mut named) = child(node, &rule.name) else {
            return (None, String::new());
        };
        while let Some(inner) = declared(named) {
            named = inner;
        }
        let name = plain_name(self.of(named));
        let receiver = self.table.words.receivers.get(node.kind());
        if let Some(receiver) = receiver.and_then(|word| child(node, word)) {
            let words = self.of(receiver).split('[').next().unwrap_or_default();
            let mut words = words.split(|c: char| !c.is_alphanumeric() && c != '_');
            let owner = words.rfind(|word| !word.is_empty());
            return (owner.map(str::to_owned), name);
        }
        let is_whole = matches!(rule.kind, Kind::Module | Kind::Impl | Kind::Type);
        let split = name.rsplit_once("::").or_else(|| name.rsplit_once('.'));
        match split.filter(|(owner, _)| !owner.is_empty() && !is_whole) {
            Some((owner, name)) => (Some(owner.to_owned()), name.to_owned()),
            None => (None, name),
        }
    }

    fn import(&mut self, node: Node<'a>, words: &[String], start: Option<usize>, depth: usize) {
        let rows = rows(node);
        let start = start.unwrap_or(*rows.start());
        if !self.table.words.import_calls.is_empty() && !self.import_call(node, words) {
            self.show(start, *rows.start(), MAX_VALUE_LINES);
            if let Some(body) = self.body_of_all(node) {
                self.show(start, body.start_position().row, MAX_SIGNATURE_LINES);
                self.members(body, Above::default(), depth + 1);
                self.show(*rows.end(), *rows.end(), 1);
            }
            return;
        }
        self.show(start, *rows.end(), MAX_SIGNATURE_LINES);
        if self.table.words.import_calls.is_empty() {
            self.imported(node, words);
        }
    }

    /// Returns the inside of a function in which most of the text stands, if it is called or handed over in `call`: a module, or tests.
    fn body_of_all(&self, call: Node<'a>) -> Option<Node<'a>> {
        let n_rows = |node: &Node<'a>| rows(*node).count();
        let mut node = call;
        while n_rows(&node) * 2 > self.lines.len() {
            if let Role::Item(rule) = self.table.role(node)
                && rule.kind == Kind::Function
            {
                return self.table.body(node).map(|(body, _)| body);
            }
            let mut cursor = node.walk();
            node = node.named_children(&mut cursor).max_by_key(n_rows)?;
        }
        None
    }

    /// Takes a call for an import, if the function is one that imports.
    fn import_call(&mut self, call: Node<'a>, words: &[String]) -> bool {
        let text = self.of(call);
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
        let function = &text[..end.unwrap_or(text.len())];
        let mut functions = self.table.words.import_calls.iter();
        // An import that is no call at all is always one.
        let is_import = functions.any(|known| known == function);
        if is_import {
            self.imported(call, words);
        }
        is_import
    }

    fn imported(&mut self, node: Node<'a>, words: &[String]) {
        let lines = rows(node).start() + 1..=rows(node).end() + 1;
        let Some((path, names)) = words.split_first() else {
            let text = self.of(node).split_ascii_whitespace();
            let path: Vec<&str> = text
                .skip_while(|word| IMPORT_WORDS.contains(word))
                .collect();
            let path = path.concat();
            self.imports.push(Import {
                path: path.trim_matches([';', '"', '\'']).to_owned(),
                names: Vec::new(),
                lines,
            });
            return;
        };
        let paths = children(node, path);
        if paths.is_empty() {
            let mut cursor = node.walk();
            for inner in node.named_children(&mut cursor) {
                if let Role::Import(words) = self.table.role(inner) {
                    self.imported(inner, words);
                }
            }
        }
        let names: Vec<String> = names
            .iter()
            .flat_map(|word| children(node, word))
            .map(|name| self.imported_name(name))
            .collect();
        for path in paths {
            self.imports.push(Import {
                path: self.imported_name(path),
                names: names.clone(),
                lines: lines.clone(),
            });
        }
    }

    fn imported_name(&self, node: Node<'a>) -> String {
        let text = self.of(node);
        let text = text.trim_matches(|c: char| c.is_whitespace() || "\"'`<>()".contains(c));
        if text.contains('{') {
            text.split_ascii_whitespace().collect()
        } else {
            let mut words = text.split(|c: char| c.is_whitespace() || "\"'`,".contains(c));
            words.next().unwrap_or_default().to_owned()
        }
    }

    /// Shows how the text begins that says what the file is, if it says that.
    fn title(&mut self, root: Node<'a>) {
        let mut cursor = root.walk();
        let mut nodes = root.named_children(&mut cursor).take(2);
        let is_comment = |node: &Node<'a>| matches!(self.table.role(*node), Role::Comment);
        let Some(first) = nodes.find(is_comment) else {
            return;
        };
        let mut block = rows(first);
        let mut cursor = root.walk();
        for node in root.named_children(&mut cursor) {
            if *rows(node).start() == block.end() + 1 && is_comment(&node) {
                block = *block.start()..=*rows(node).end();
            }
        }
        let text = self
            .lines
            .get(block.clone())
            .unwrap_or_default()
            .concat()
            .to_lowercase();
        if !LICENSE_WORDS.iter().any(|word| text.contains(word)) {
            self.first_words(block);
        }
    }

    /// Shows how the documentation above an item begins, and its attributes.
    fn documentation(&mut self, above: &Above) {
        if let (Some(first), Some(last)) = (above.docs.first(), above.docs.last()) {
            self.first_words(*first.start()..=*last.end());
        }
        for rows in &above.attributes {
            if !above.is_test {
                self.show(*rows.start(), *rows.end(), MAX_VALUE_LINES);
            }
        }
    }

    /// Shows how the documentation inside of `body` begins.
    fn docstring(&mut self, body: Node<'a>) {
        let kinds = &self.table.words.docstrings;
        let is_comment = |node: &Node<'a>| matches!(self.table.role(*node), Role::Comment);
        let mut cursor = body.walk();
        let mut nodes = body.named_children(&mut cursor);
        let Some(first) = nodes.find(|node| !kinds.is_empty() && !is_comment(node)) else {
            return;
        };
        let first = first.named_child(0).unwrap_or(first);
        if kinds.iter().any(|kind| kind == first.kind()) {
            self.first_words(rows(first));
        }
    }

    /// Shows the first of `rows` that holds a word, and a mark above it.
    fn first_words(&mut self, rows: Rows) {
        let start = *rows.start();
        let mut rows = rows.filter(|&row| self.lines.get(row).is_some_and(|line| has_words(line)));
        if let Some(row) = rows.next() {
            let start = if row == start + 1 { start } else { row };
            self.show(start, row, 2);
        }
    }

    /// Hides the ends of long runs of constants, of fields and of variants: tables, which nobody reads for what the text is.
    fn cut_runs(&mut self) {
        let is_import = |item: &Item| {
            let mut imports = self.imports.iter();
            imports.any(|import| import.lines.start() == item.lines.start())
        };
        let (mut end, mut n_constants, mut n_fields) = (0, 0, 0);
        for item in &self.items {
            let (n_shown, max) = match item.kind {
                Kind::Field => (&mut n_fields, MAX_FIELD_LINES),
                Kind::Constant if !is_import(item) => {
                    if *item.lines.start() > end + 1 {
                        n_constants = 0;
                    }
                    (&mut n_constants, MAX_RUN_LINES)
                }
                _ => {
                    n_fields = 0;
                    continue;
                }
            };
            // What is inside of another was counted with it.
            for row in end.max(item.lines.start() - 1)..*item.lines.end() {
                *n_shown += usize::from(self.is_shown[row]);
                self.is_shown[row] &= *n_shown <= max;
            }
            end = end.max(*item.lines.end());
        }
    }

    /// Shows at most `max` rows.
    fn show(&mut self, start: usize, end: usize, max: usize) {
        let end = end.min(start + max - 1);
        for row in self.is_shown.iter_mut().take(end + 1).skip(start) {
            *row = true;
        }
    }

    fn of(&self, node: Node<'_>) -> &'a str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }
}

/// Returns the rows of a node; the row behind a line break that it ends with is none of them.
fn rows(node: Node<'_>) -> Rows {
    let (start, end) = (node.start_position().row, node.end_position());
    let is_over = end.column == 0 && end.row > start;
    start..=end.row - usize::from(is_over)
}

/// Says whether a node ends with a mark or a word of the grammar.
fn is_closed(node: Node<'_>) -> bool {
    let last = node.child_count().checked_sub(1);
    let last = last.and_then(|last| node.child(last));
    last.is_some_and(|last| !last.is_named())
}

/// Returns what a declarator declares.
fn declared(node: Node<'_>) -> Option<Node<'_>> {
    node.child_by_field_name("declarator").or_else(|| {
        let last = u32::try_from(node.named_child_count().checked_sub(1)?).ok()?;
        let is_declarator = node.kind().ends_with("declarator");
        node.named_child(last).filter(|_| is_declarator)
    })
}

/// Says whether a line of a comment holds more than marks and tags.
fn has_words(line: &str) -> bool {
    let mut is_tag = false;
    line.chars().any(|c| {
        is_tag = c == '<' || is_tag && c != '>';
        !is_tag && c.is_alphanumeric()
    }) && !line.starts_with("#!")
}

/// Returns a name without its arguments, quotation marks and what follows it.
fn plain_name(text: &str) -> String {
    let text = text.trim_start_matches(['"', '\'', '&']);
    let mut name = String::new();
    let mut n_open = 0_usize;
    for c in text.chars().take(MAX_NAME_CHARS) {
        match c {
            '<' if !name.ends_with("operator") && !name.is_empty() => n_open += 1,
            '>' if n_open > 0 => n_open -= 1,
            _ if n_open > 0 => {}
            _ if name.is_empty() => name.push(c),
            _ if c.is_whitespace() || "([{,\"'".contains(c) => break,
            _ => name.push(c),
        }
    }
    name.trim_end_matches(':').to_owned()
}

/// Returns the lines of the rows that are shown.
fn ranges(is_shown: &[bool]) -> Vec<Lines> {
    let mut ranges: Vec<Lines> = Vec::new();
    for (row, _) in is_shown.iter().enumerate().filter(|(_, is)| **is) {
        match ranges.last_mut() {
            Some(last) if *last.end() == row => *last = *last.start()..=row + 1,
            _ => ranges.push(row + 1..=row + 1),
        }
    }
    ranges
}
