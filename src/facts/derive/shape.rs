//! A database without a tenant key that needs none: a schema for each tenant.
//!
//! Recognised only where the wall is plain to see; whatever could be a door leaves the tenancy unknown, and checks
//! undecided. What is asked: every table lies in one of several schemas that are alike, no login but those that look after
//! the database reaches tables of two of them, no view joins two, and no login may call a function with other rights than
//! its own.

use super::catalog::{Catalog, Function, Oid, Relation};
use super::principals::{Kind, Principal};
use super::privileges::Privileges;
use super::reach::Reach;
use std::collections::{BTreeMap, BTreeSet};

/// Tables of a schema by name and columns.
type Tables<'a> = BTreeSet<(&'a str, Vec<&'a str>)>;

/// Words in the names of copies.
const COPIES: [&str; 8] = ["archive", "backup", "staging", "test", "shadow", "template", "_old", "old_"];

/// Why the schemas are the tenants, one sentence; none where they are not, or it is not plain.
pub(super) fn schema_per_tenant(
    catalog: &Catalog,
    reach: &Reach,
    privileges: &Privileges<'_>,
    principals: &[Principal],
) -> Option<String> {
    let tables: Vec<&Relation> =
        catalog.relations.values().filter(|r| r.provenance == "user" && r.is_table() && !r.is_partition).collect();
    let mut schemas = BTreeMap::<Oid, (&str, Tables<'_>)>::new();
    for table in tables {
        let columns = table.columns.iter().map(|column| column.name.as_str()).collect();
        schemas.entry(table.schema_oid).or_insert((&table.schema, BTreeSet::new())).1.insert((&table.name, columns));
    }
    let mut shapes = schemas.values().map(|(_, shape)| shape);
    let first = shapes.next()?;
    let alike = schemas.len() >= 2 && shapes.all(|shape| shape == first);
    let copy = |name: &str| COPIES.iter().any(|word| name.to_lowercase().contains(word));
    if !alike || schemas.values().any(|(name, _)| copy(name)) {
        return None;
    }
    let readers: Vec<_> = principals
        .iter()
        .filter(|p| p.kind == Kind::Login && !matches!(p.purpose, "administration" | "replication"))
        .collect();
    let walled = readers.iter().all(|login| {
        let roles = reach.of(login.role).filter(|(_, step)| step.can_set()).map(|(role, _)| role).chain([login.role]);
        let roles: Vec<_> = roles.map(|role| privileges.of(role)).collect();
        let inside = |schema: &Oid| {
            let of_schema = || catalog.relations.values().filter(|r| r.schema_oid == *schema);
            roles.iter().any(|held| {
                held.schemas_used.contains(schema) && of_schema().any(|relation| held.on_any_column(relation.oid) != 0)
            })
        };
        let definer = |f: &&Function| f.security_definer && roles.iter().any(|held| held.functions.contains(&f.oid));
        schemas.keys().filter(|schema| inside(schema)).count() <= 1 && !catalog.functions.values().any(|f| definer(&f))
    });
    let joined = catalog.view_relations.iter().any(|(view, source)| {
        let schema = |oid: &Oid| catalog.relations.get(oid).map(|relation| relation.schema_oid);
        schema(source).is_some_and(|of| schemas.contains_key(&of)) && schema(view) != schema(source)
    });
    if !walled || joined || readers.is_empty() {
        return None;
    }
    let names: Vec<_> = schemas.values().take(3).map(|(name, _)| *name).collect();
    let more = schemas.len() - names.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    Some(format!("{} schemas are alike and no login reaches two of them: {}{more}", schemas.len(), names.join(", ")))
}
