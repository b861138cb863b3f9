//! Who may do what, as rows.

use super::{Row, Table, flag, number, optional, text};
use crate::config::Purpose;
use crate::facts::derive::Access;
use crate::facts::derive::catalog::{Catalog, Oid};
use crate::facts::derive::privileges::{self, Held, Rights};
use crate::facts::derive::reach::path_text;
use std::collections::BTreeSet;

/// Its tables.
pub(crate) fn tables(catalog: &Catalog, access: &Access<'_>) -> [Table; 8] {
    [
        role_purposes(access),
        declared_roles(access),
        principals(access),
        role_reach(catalog, access),
        relation_privileges(catalog, access),
        column_privileges(access),
        schema_privileges(access),
        function_privileges(catalog, access),
    ]
}

fn role_purposes(access: &Access<'_>) -> Table {
    let rows = access
        .purposes
        .iter()
        .map(|(role, p)| vec![number(*role), text(p.name()), text(&p.source), optional(p.free_sql, flag)]);
    ("role_purposes", &["role", "purpose", "source", "free_sql"], rows.collect())
}

fn declared_roles(access: &Access<'_>) -> Table {
    let count = |roles: usize| number(i64::try_from(roles).unwrap_or(i64::MAX));
    let rows = access.declared.iter().map(|(purpose, name, roles)| vec![text(*purpose), text(name), count(*roles)]);
    ("declared_roles", &["purpose", "name", "roles"], rows.collect())
}

fn principals(access: &Access<'_>) -> Table {
    let rows =
        access.principals.iter().map(|p| vec![number(p.role), text(&p.name), text(p.kind.name()), text(p.purpose)]);
    ("principals", &["role", "name", "kind", "purpose"], rows.collect())
}

fn role_reach(catalog: &Catalog, access: &Access<'_>) -> Table {
    let mut rows: Vec<Row> = Vec::new();
    let agents = access.purposes.iter().filter(|(_, p)| p.purpose == Some(Purpose::Agent)).map(|(role, _)| *role);
    let starts: BTreeSet<Oid> = access.principals.iter().map(|principal| principal.role).chain(agents).collect();
    for start in starts {
        for (to, step) in access.reach.of(start) {
            rows.push(vec![
                number(start),
                number(to),
                flag(step.inherits),
                flag(step.can_set()),
                flag(step.admin),
                text(path_text(catalog, &step.path)),
            ]);
        }
    }
    ("role_reach", &["role", "reaches", "inherits", "can_set", "admin", "path"], rows)
}

const RIGHTS: [Rights; 8] = [
    privileges::SELECT,
    privileges::INSERT,
    privileges::UPDATE,
    privileges::DELETE,
    privileges::TRUNCATE,
    privileges::REFERENCES,
    privileges::TRIGGER,
    privileges::MAINTAIN,
];

fn relation_privileges(catalog: &Catalog, access: &Access<'_>) -> Table {
    let mut rows: Vec<Row> = Vec::new();
    for (role, held) in &access.roles {
        let relations: BTreeSet<Oid> =
            held.relations.keys().copied().chain(held.columns.keys().map(|&(relation, _)| relation)).collect();
        for relation in relations {
            let (whole, any) = (held.on(relation), held.on_any_column(relation));
            if any == 0 {
                continue;
            }
            let mut row = vec![number(*role), number(relation), flag(visible(catalog, held, relation))];
            row.extend(RIGHTS.map(|right| {
                number(if whole & right != 0 {
                    1
                } else if any & right != 0 {
                    2
                } else {
                    0
                })
            }));
            rows.push(row);
        }
    }
    let columns = &[
        "role",
        "relation",
        "visible",
        "can_select",
        "can_insert",
        "can_update",
        "can_delete",
        "can_truncate",
        "can_references",
        "can_trigger",
        "can_maintain",
    ];
    ("relation_privileges", columns, rows)
}

fn visible(catalog: &Catalog, held: &Held, relation: Oid) -> bool {
    catalog.relations.get(&relation).is_some_and(|r| held.schemas_used.contains(&r.schema_oid))
}

fn column_privileges(access: &Access<'_>) -> Table {
    let mut rows: Vec<Row> = Vec::new();
    for (role, held) in &access.roles {
        for (&(relation, column), &own) in &held.columns {
            let whole = held.on(relation);
            if own & !whole == 0 {
                continue;
            }
            let rights = own | whole;
            let can = |right: Rights| flag(rights & right != 0);
            rows.push(vec![
                number(*role),
                number(relation),
                number(column),
                can(privileges::SELECT),
                can(privileges::INSERT),
                can(privileges::UPDATE),
                can(privileges::REFERENCES),
            ]);
        }
    }
    let columns = &["role", "relation", "column_number", "can_select", "can_insert", "can_update", "can_references"];
    ("column_privileges", columns, rows)
}

fn schema_privileges(access: &Access<'_>) -> Table {
    let mut rows: Vec<Row> = Vec::new();
    for (role, held) in &access.roles {
        for &schema in held.schemas_used.union(&held.schemas_created_in) {
            let (uses, creates) = (held.schemas_used.contains(&schema), held.schemas_created_in.contains(&schema));
            rows.push(vec![number(*role), number(schema), flag(uses), flag(creates)]);
        }
    }
    ("schema_privileges", &["role", "schema_oid", "can_use", "can_create"], rows)
}

fn function_privileges(catalog: &Catalog, access: &Access<'_>) -> Table {
    let mut rows: Vec<Row> = Vec::new();
    for (role, held) in &access.roles {
        for function in &held.functions {
            let Some(function) = catalog.functions.get(function) else { continue };
            let visible = held.schemas_used.contains(&function.schema_oid);
            rows.push(vec![number(*role), number(function.oid), flag(visible)]);
        }
    }
    ("function_privileges", &["role", "function", "visible"], rows)
}
