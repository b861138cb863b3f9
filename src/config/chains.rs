//! `chains:` of the configuration: a list of tables, and what is known of their hash chains.

use super::{Chain, tenancy};
use crate::yaml::{Mistake, Node, Reader, Value};

pub(super) fn read(reader: &Reader, node: &Node) -> Option<Vec<Chain>> {
    let Value::List(items) = &node.value else {
        reader.mistake(Mistake::new(node.place, "`chains` is a list of tables", "expected `- table: schema.table`"));
        return None;
    };
    items.iter().map(|item| chain(reader, item)).collect()
}

fn chain(reader: &Reader, node: &Node) -> Option<Chain> {
    let fields = reader.fields(node, "a chain", &["table", "hash", "prev", "order", "partition", "formula"])?;
    let text = |name| fields.optional(name).map_or(Some(None), |node| reader.text(node).map(Some));
    let names = |name| {
        let list = |node| Some(reader.texts(node)?.into_iter().map(|(_, name)| name).collect());
        fields.optional(name).map_or(Some(Vec::new()), list)
    };
    let table = fields.required("table").and_then(|node| tenancy::table(reader, node));
    let (hash, prev, formula) = (text("hash"), text("prev"), text("formula"));
    let (order, partition) = (names("order"), names("partition"));
    Some(Chain { table: table?, hash: hash?, prev: prev?, order: order?, partition: partition?, formula: formula? })
}
