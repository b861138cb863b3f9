//! Names and constants in the parser's tree.

use crate::history::event::Name;
use squawk_syntax::ast::{AstNode, Literal};
use squawk_syntax::{SyntaxKind, SyntaxNode};

/// The first child of a kind.
pub(crate) fn child(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxNode> {
    node.children().find(|n| n.kind() == kind)
}

pub(crate) fn has(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    child(node, kind).is_some()
}

/// An identifier as PostgreSQL stores it: quotes removed, else lower case.
pub(crate) fn identifier(text: &str) -> String {
    let text = text.trim();
    match text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => text.to_lowercase(),
    }
}

/// The identifier a node spells.
pub(crate) fn word(node: &SyntaxNode) -> String {
    identifier(&node.text().to_string())
}

/// The words of a path in order: `app.orders`.
fn segments(node: &SyntaxNode) -> Vec<String> {
    let is_segment = |kind| matches!(kind, SyntaxKind::PATH_SEGMENT | SyntaxKind::PATH_SEGMENT_REF);
    node.descendants().filter(|n| is_segment(n.kind())).map(|n| word(&n)).collect()
}

/// The qualified name below a node.
pub(crate) fn name(node: &SyntaxNode) -> Option<Name> {
    Name::of(&segments(node))
}

/// The qualified name in the first child of one of these kinds.
pub(crate) fn named(node: &SyntaxNode, kinds: &[SyntaxKind]) -> Option<Name> {
    name(&node.children().find(|n| kinds.contains(&n.kind()))?)
}

/// `a.b.c` as an expression, outermost first; casts and parentheses around it do not count.
pub(crate) fn path(node: &SyntaxNode) -> Option<Vec<String>> {
    match node.kind() {
        SyntaxKind::NAME_REF => Some(vec![word(node)]),
        SyntaxKind::FIELD_EXPR => {
            let parts: Vec<SyntaxNode> = node.children().collect();
            let mut names = path(parts.first()?)?;
            names.extend(path(parts.get(1)?)?);
            Some(names)
        }
        SyntaxKind::PAREN_EXPR | SyntaxKind::CAST_EXPR => path(&node.children().next()?),
        _ => None,
    }
}

/// The function that a call names.
pub(crate) fn called(call: &SyntaxNode) -> Option<Name> {
    Name::of(&path(&call.children().next()?)?)
}

/// The arguments of a call, as expressions.
pub(crate) fn arguments(call: &SyntaxNode) -> Vec<SyntaxNode> {
    let list = child(call, SyntaxKind::ARG_LIST);
    list.iter().flat_map(SyntaxNode::children).filter_map(|arg| arg.children().last()).collect()
}

/// The value of a string constant.
pub(crate) fn constant(node: &SyntaxNode) -> Option<String> {
    Literal::cast(node.clone())?.string_value()
}

/// Every string constant below a node, in order.
pub(crate) fn constants(node: &SyntaxNode) -> Vec<String> {
    node.descendants().filter_map(|n| constant(&n)).collect()
}
