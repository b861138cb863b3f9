//! The roles table of stage 3: it ties a tenant, a person and a named role.

use super::{Known, is_person, is_person_table};
use crate::facts::derive::tenancy::{names_entity, plain};
use crate::history::schema::{Schema, Table};

/// Words in the name of a table whose rows only mention a role: they happened, were sent, or were asked for.
const MENTIONS: [&str; 22] = [
    "invit",
    "request",
    "audit",
    "log",
    "event",
    "history",
    "session",
    "token",
    "notification",
    "job",
    "message",
    "chat",
    "conversation",
    "prompt",
    "thread",
    "key",
    "secret",
    "snapshot",
    "archive",
    "memory",
    "transcript",
    "completion",
];

/// Words in the name of a table whose rows say who belongs to what.
const BELONGS: [&str; 12] = [
    "member",
    "role",
    "user",
    "access",
    "permission",
    "grant",
    "team",
    "collaborator",
    "assign",
    "admin",
    "staff",
    "seat",
];

/// The table ties a tenant, a person and a named role, itself or through the role or the membership it references.
pub(crate) fn is_roles_table(table: &Table, schema: &Schema, known: &Known) -> bool {
    let name = plain(&table.name.name);
    if is_person_table(&table.name.name) || MENTIONS.iter().any(|word| name.contains(word)) {
        return false;
    }
    let columns = || table.columns.iter().map(|known| known.column.name.as_str());
    let Some(role) = columns().find(|column| is_role(table, column)) else { return false };
    let referenced: Vec<_> =
        columns().filter_map(|column| Some((column, referenced(table, column, schema)?))).collect();
    let membership = referenced.iter().find(|(_, target)| {
        target.name != table.name && known.entity(&target.name.name).is_none() && known.is_membership(target)
    });
    let person = columns().any(|column| is_person(table, column)) || membership.is_some();
    let own_key = columns().find(|column| known.key(table, column).is_some());
    let through_role = || {
        let target = referenced.iter().find(|(column, _)| *column == role);
        target.is_some_and(|(_, roles)| roles.columns.iter().any(|c| known.key(roles, &c.column.name).is_some()))
    };
    let tenant = own_key.is_some() || membership.is_some() || through_role();
    let one_each = table.uniques.iter().any(|unique| {
        unique.iter().any(|column| is_person(table, column))
            && unique.iter().any(|column| known.key(table, column).is_some())
    });
    person && tenant && (one_each || BELONGS.iter().any(|word| name.contains(word)))
}

/// `role`, `role_id`, `account_role`; not a flag, and not the speaker of a chat message.
fn is_role(table: &Table, column: &str) -> bool {
    let name = plain(column);
    let spelled = name == "roles"
        || ["role", "roleid", "rolename", "rolekey", "rolecode", "roleuuid", "roletype", "roleslug"]
            .iter()
            .any(|ending| name.ends_with(ending));
    let Some(known) = table.column(column) else { return false };
    let speaker = known.column.labels.iter().any(|label| label.eq_ignore_ascii_case("assistant"));
    spelled && !matches!(known.column.type_name.as_str(), "bool" | "boolean") && !speaker
}

/// The table a column references: by its key, else by its name (`role_id` is a row of `roles`).
fn referenced<'a>(table: &Table, column: &str, schema: &'a Schema) -> Option<&'a Table> {
    if let Some(target) = table.target(column) {
        return schema.table(target);
    }
    let name = plain(column);
    let stem = name.strip_suffix("id").filter(|stem| stem.len() > 2)?;
    schema.living().find(|other| {
        let other_schema = other.name.schema == table.name.schema;
        other_schema && names_entity(&other.name.name, stem) && other.name != table.name
    })
}
