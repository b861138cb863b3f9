//! The roles table of stage 3: it ties a tenant, a person and a named role.

use super::{Known, is_account_of, is_person, is_person_table, is_touched, names_membership};
use crate::facts::derive::tenancy::{names_entity, plain};
use crate::history::schema::{KnownColumn, Schema, Table};

/// Words in the name of a table whose rows only mention a role: they happened, were sent, or were asked for.
const MENTIONS: [&str; 23] = [
    "invit",
    "activation",
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

/// Columns of who signs in: the row is that person's own.
const PASSWORDS: [&str; 5] = ["password", "passwordhash", "encryptedpassword", "hashedpassword", "passwordsalt"];

/// What a roles table says people's roles are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tie {
    /// The tenant.
    Tenant,
    /// A part of it: a project or a team, whose own table names the tenant it belongs to.
    Part,
}

/// What the table ties people and named roles to.
pub(crate) fn tie(table: &Table, schema: &Schema, known: &Known) -> Option<Tie> {
    if !is_roles_table(table, schema, known) {
        return None;
    }
    let belongs = |column: &KnownColumn| {
        let Some(key) = known.key(table, &column.column.name) else { return false };
        let part = referenced(table, column, schema);
        let above = part.and_then(|part| known.key_of(part));
        above.is_some_and(|(above, _)| above.tier < key.tier)
    };
    let mut keys = table.columns.iter().filter(|column| known.key(table, &column.column.name).is_some()).peekable();
    let part = keys.peek().is_some() && keys.all(belongs);
    Some(if part { Tie::Part } else { Tie::Tenant })
}

/// The table ties a tenant, a person and a named role, itself or through the role or the membership it references.
fn is_roles_table(table: &Table, schema: &Schema, known: &Known) -> bool {
    let name = plain(&table.name.name);
    // A person's own row is no membership, unless it is one of several that the person has: `profiles (user_id, org_id, role)`.
    let signs_in = table.columns.iter().any(|column| PASSWORDS.contains(&column.plain.as_str()));
    let of_persons = is_person_table(&table.name.name) || signs_in;
    let several = || table.columns.iter().any(|column| is_account_of(table, column));
    if of_persons && !several() || MENTIONS.iter().any(|word| name.contains(word)) {
        return false;
    }
    let Some(role) = table.columns.iter().find(|column| is_role(column) && has_a_name(table, column, schema, known))
    else {
        return false;
    };
    let referenced: Vec<_> =
        table.columns.iter().filter_map(|column| Some((column, referenced(table, column, schema)?))).collect();
    let membership = referenced.iter().any(|(column, target)| {
        !is_touched(&column.column.name)
            && target.name != table.name
            && known.entity(&target.name.name).is_none()
            && known.is_membership(target)
    }) || table.columns.iter().any(|column| names_membership(&column.plain));
    let is_key = |column: &KnownColumn| known.key(table, &column.column.name).is_some();
    let person = membership || table.columns.iter().any(|column| is_person(table, column));
    let through_role = || {
        let target = referenced.iter().find(|(column, _)| column.plain == role.plain);
        target.is_some_and(|(_, roles)| roles.columns.iter().any(|c| known.key(roles, &c.column.name).is_some()))
    };
    let tenant = membership || table.columns.iter().any(is_key) || through_role();
    let one_each = || {
        table.uniques.iter().any(|unique| {
            let columns = || unique.iter().filter_map(|column| table.column(column));
            columns().any(|column| is_person(table, column)) && columns().any(is_key)
        })
    };
    person && tenant && (of_persons || BELONGS.iter().any(|word| name.contains(word)) || one_each())
}

/// `role`, `role_id`, `account_role`; not a flag, and not the speaker of a chat message.
fn is_role(known: &KnownColumn) -> bool {
    let spelled = known.plain == "roles"
        || ["role", "roleid", "rolename", "rolekey", "rolecode", "roleuuid", "roletype", "roleslug"]
            .iter()
            .any(|ending| known.plain.ends_with(ending));
    let speaker = known.column.labels.iter().any(|label| label.eq_ignore_ascii_case("assistant"));
    spelled && !matches!(known.column.type_name.as_str(), "bool" | "boolean") && !speaker
}

/// A role is named where it stands; a key names one as soon as there is a table of roles.
fn has_a_name(table: &Table, known: &KnownColumn, schema: &Schema, history: &Known) -> bool {
    let is_key = known.plain.ends_with("roleid") || known.plain.ends_with("roleuuid");
    let of_roles = |name: &str| name.contains("role") && name != plain(&table.name.name);
    !is_key
        || table.target(&known.column.name).is_some()
        || history.soon.iter().any(|name| of_roles(name))
        || schema.living().any(|other| of_roles(&plain(&other.name.name)))
}

/// The table a column references: by its key, else by its name (`role_id` is a row of `roles`).
fn referenced<'a>(table: &Table, known: &KnownColumn, schema: &'a Schema) -> Option<&'a Table> {
    if let Some(target) = table.target(&known.column.name) {
        return schema.table(target);
    }
    let stem = known.plain.strip_suffix("id").filter(|stem| stem.len() > 2)?;
    schema.living().find(|other| {
        let other_schema = other.name.schema == table.name.schema;
        other_schema && names_entity(&other.name.name, stem) && other.name != table.name
    })
}
