//! Rows that leave their tenant by a copy: what triggers and rules write of a tenant's row into a table that says of no
//! row whose it is.

use super::catalog::{Catalog, Column, Oid, Relation};
use super::fired::{Door, Moved};
use super::tenancy::Tenancy;
use std::collections::{BTreeMap, HashSet};

/// A table of tenants' rows, and the one its rows are copied into.
#[derive(Debug)]
pub(crate) struct Copied {
    pub(crate) relation: Oid,
    pub(crate) door: Door,
    pub(crate) target: Oid,
    /// The whole row, as JSON or as it is; else some of its texts and documents.
    pub(crate) whole: bool,
}

/// Each copy once, by relation, door and target.
pub(crate) fn find(catalog: &Catalog, doors: &[Moved], tenancy: &Tenancy) -> Vec<Copied> {
    let mut found = BTreeMap::new();
    for (relation, _, door, effects) in doors {
        let Some(on) = catalog.relations.get(relation).filter(|on| on.is_table() && tenancy.is_tenant_data(on.oid))
        else {
            continue;
        };
        let texts = on.columns.iter().filter(|c| is_content(c, on, tenancy)).map(|c| &*c.name).collect::<HashSet<_>>();
        for effect in effects.iter().filter(|effect| effect.command == "INSERT") {
            let Some(target) = catalog.relation_named(effect.schema.as_deref(), &effect.table) else { continue };
            if !target.is_table() || target.oid == on.oid || tenancy.is_tenant_data(target.oid) {
                continue;
            }
            if let Some(whole) = effect.copies(&texts) {
                let copied = Copied { relation: on.oid, door: door.clone(), target: target.oid, whole };
                let known = found.entry((on.oid, door.kind, door.name.clone(), target.oid)).or_insert(copied);
                known.whole |= whole;
            }
        }
    }
    found.into_values().collect()
}

/// Free text and documents: neither what tells rows apart nor a word out of few.
fn is_content(column: &Column, on: &Relation, tenancy: &Tenancy) -> bool {
    const TYPES: [&str; 11] =
        ["text", "varchar", "bpchar", "citext", "json", "jsonb", "bytea", "hstore", "xml", "vector", "_text"];
    const WORDS: [&str; 19] = [
        "status",
        "state",
        "kind",
        "type",
        "action",
        "event",
        "operation",
        "currency",
        "locale",
        "language",
        "country",
        "method",
        "level",
        "category",
        "role",
        "channel",
        "source",
        "version",
        "unit",
    ];
    let refers = on.foreign_keys.iter().any(|key| key.columns.iter().any(|(own, _)| *own == column.number));
    let name = column.name.to_lowercase();
    let last = name.rsplit('_').next().unwrap_or_default();
    TYPES.contains(&column.type_name.as_str())
        && !refers
        && !tenancy.keys.contains_key(&(on.oid, column.number))
        && !matches!(last, "id" | "ref" | "key" | "hash" | "digest")
        && !WORDS.contains(&last)
}
