//! `keys:`: who may sign checkpoints, of which tables, and from when until when.

use super::tenancy;
use crate::chain::note::Public;
use crate::chain::validity::{Validity, instant};
use crate::yaml::{Mistake, Node, Reader};
use jiff::Timestamp;

/// A key that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key, and its time.
    pub public: Public,
    /// Tables whose checkpoints it signs, as `schema.table`; all where there is none.
    pub tables: Vec<String>,
}

pub(super) fn read(reader: &Reader, node: &Node) -> Option<Vec<Key>> {
    Some(reader.list(node)?.iter().filter_map(|item| one(reader, item)).collect())
}

fn one(reader: &Reader, node: &Node) -> Option<Key> {
    let fields = reader.fields(node, "a key", &["key", "not-before", "not-after", "tables"])?;
    let public = fields.required("key").and_then(|node| public(reader, node));
    let moment = |name| fields.optional(name).map_or(Some(None), |node| moment(reader, node).map(Some));
    let (from, until) = (moment("not-before"), moment("not-after"));
    let tables = fields
        .optional("tables")
        .map_or(Some(Vec::new()), |node| reader.list(node)?.iter().map(|node| tenancy::table(reader, node)).collect());
    let (mut public, tables) = (public?, tables?);
    public.validity = Validity::new(from?, until?);
    Some(Key { public, tables })
}

fn public(reader: &Reader, node: &Node) -> Option<Public> {
    let text = reader.text(node)?;
    let key = Public::parse(&text);
    if key.is_none() {
        let mistake = Mistake::new(node.place, "this is no public key", "expected NAME+ID+BASE64");
        reader.mistake(mistake.help("govctl checkpoint --new-key and govctl witness --new-key print one"));
    }
    key
}

fn moment(reader: &Reader, node: &Node) -> Option<Timestamp> {
    let text = reader.text(node)?;
    let at = instant(&text);
    if at.is_none() {
        let mistake = Mistake::new(node.place, format!("`{text}` is no time"), "expected a day or a moment");
        reader.mistake(mistake.help("for example 2026-12-31 or 2026-12-31T12:00:00Z"));
    }
    at
}
