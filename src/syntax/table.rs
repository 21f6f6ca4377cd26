//! What the nodes of a grammar mean, as a table of its own for each language.

use std::collections::BTreeMap;

use serde::Deserialize;
use tree_sitter::{Language, Node};

use super::Kind;

/// A table as it is written. A child is named by its field, or by its kind.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Words {
    /// Nodes that define something, by what that is: each with the child that names it.
    pub(super) items: BTreeMap<Kind, BTreeMap<String, String>>,
    /// Items that are what their child is, if that is an item.
    pub(super) through: BTreeMap<String, String>,
    /// Nodes that import, each with the children that say what; all of its words if there are none.
    pub(super) imports: BTreeMap<String, Vec<String>>,
    /// Where calls import: the functions that do. Other calls are statements.
    pub(super) import_calls: Vec<String>,
    /// The child of an item that says what it belongs to.
    pub(super) receivers: BTreeMap<String, String>,
    /// Nodes that are what is inside them.
    pub(super) wrappers: Vec<String>,
    /// Such nodes that are shown if nothing is inside.
    pub(super) exports: Vec<String>,
    /// Such nodes whose first line is shown whatever is inside.
    pub(super) blocks: Vec<String>,
    /// Children that hold the inside of an item, where no field `body` does.
    pub(super) bodies: Vec<String>,
    /// Statements whose first lines are shown.
    pub(super) shown: Vec<String>,
    /// Comments.
    pub(super) comments: Vec<String>,
    /// Nodes that stand before an item and belong to it.
    pub(super) attributes: Vec<String>,
    /// Nodes that document what they stand in if they are the first there.
    pub(super) docstrings: Vec<String>,
    /// Attributes of items that are tests.
    pub(super) tests: Vec<String>,
}

/// What a node means.
#[derive(Debug, Clone)]
pub(super) enum Role {
    /// Nothing that an outline tells.
    Other,
    /// It defines something.
    Item(Rule),
    /// It imports what these children say.
    Import(Vec<String>),
    /// It is what is inside.
    Wrapper,
    /// It is what is inside, or shown.
    Export,
    /// It is what is inside, and its first line is shown.
    Block,
    /// Its first lines are shown.
    Shown,
    /// A comment.
    Comment,
    /// It belongs to what follows.
    Attribute,
}

/// How an item is read.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// What it defines.
    pub(super) kind: Kind,
    /// The child that names it.
    pub(super) name: String,
    /// The child that it may be.
    pub(super) through: Option<String>,
}

/// A table by the numbers of the grammar.
#[derive(Debug)]
pub(super) struct Table {
    roles: Vec<Role>,
    pub(super) words: Words,
}

impl Table {
    /// Reads a table of ours; what is not of the grammar means nothing, which a test forbids.
    pub(super) fn read(text: &str, grammar: &Language) -> Self {
        let mut words: Words = toml::from_str(text).unwrap_or_default();
        let mut roles = vec![Role::Other; grammar.node_kind_count()];
        let mut set = |node: &str, role: Role| {
            if let Some(slot) = roles.get_mut(usize::from(grammar.id_for_node_kind(node, true))) {
                *slot = role;
            }
        };
        for (names, role) in [
            (&words.wrappers, Role::Wrapper),
            (&words.exports, Role::Export),
            (&words.blocks, Role::Block),
            (&words.shown, Role::Shown),
            (&words.comments, Role::Comment),
            (&words.attributes, Role::Attribute),
        ] {
            for node in names {
                set(node, role.clone());
            }
        }
        for (node, children) in std::mem::take(&mut words.imports) {
            set(&node, Role::Import(children));
        }
        for (kind, nodes) in std::mem::take(&mut words.items) {
            for (node, name) in nodes {
                let through = words.through.remove(&node);
                set(
                    &node,
                    Role::Item(Rule {
                        kind,
                        name,
                        through,
                    }),
                );
            }
        }
        Self { roles, words }
    }

    /// Returns what `node` means.
    pub(super) fn role(&self, node: Node<'_>) -> &Role {
        if node.is_error() {
            // What is inside was read all the same.
            return &Role::Wrapper;
        }
        let role = self.roles.get(usize::from(node.kind_id()));
        role.unwrap_or(&Role::Other)
    }

    /// Finds the child that holds the inside of an item, and the row where what stands before it ends.
    pub(super) fn body<'a>(&self, item: Node<'a>) -> Option<(Node<'a>, usize)> {
        let field = item.child_by_field_name("body");
        let is_body = |child: Node<'a>| match field {
            Some(field) => child == field,
            None => self.words.bodies.iter().any(|body| body == child.kind()),
        };
        let mut row = item.start_position().row;
        let mut cursor = item.walk();
        for child in item.children(&mut cursor) {
            if is_body(child) {
                return Some((child, row));
            }
            row = child.end_position().row;
        }
        None
    }
}

/// Finds the child of `node` in the field `word`, or of that kind.
pub(super) fn child<'a>(node: Node<'a>, word: &str) -> Option<Node<'a>> {
    let mut found = children(node, word).into_iter();
    found.next().or_else(|| node.child_by_field_name(word))
}

/// Finds the children of `node` in the field `word`, or if there are none of that kind.
pub(super) fn children<'a>(node: Node<'a>, word: &str) -> Vec<Node<'a>> {
    let mut cursor = node.walk();
    let in_field: Vec<_> = node
        .children_by_field_name(word, &mut cursor)
        .filter(Node::is_named)
        .collect();
    if !in_field.is_empty() {
        return in_field;
    }
    node.named_children(&mut cursor)
        .filter(|child| child.kind() == word)
        .collect()
}
