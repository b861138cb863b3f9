//! Statements that ask first: whether the thing is there already, whether the role may.

use super::ddl::{Ddl, Name};
use crate::check::quote::literal;

/// A tag for dollar quotes that the text does not hold.
pub(crate) fn tag(text: &str) -> String {
    let mut tag = "$govctl$".to_owned();
    for number in 1.. {
        if !text.contains(&tag) {
            break;
        }
        tag = format!("$govctl{number}$");
    }
    tag
}

fn block(body: &str) -> String {
    let tag = tag(body);
    format!("do {tag} begin\n{body}\nend {tag}")
}

/// The table's oid, whatever its name holds; NULL where there is none.
pub(crate) fn oid(table: &Name) -> String {
    let schema = literal(table.schema.as_deref().unwrap_or("public"));
    format!("to_regclass(format('%I.%I', {schema}::text, {}::text))", literal(&table.name))
}

/// Creates what has no IF NOT EXISTS, unless it is there.
pub(crate) fn unless_there(kind: &str, name: &Name, create: &str) -> String {
    let known = match kind {
        "publication" => format!("select from pg_catalog.pg_publication where pubname = {}", literal(&name.name)),
        "role" => format!("select from pg_catalog.pg_roles where rolname = {}", literal(&name.name)),
        "type" => format!(
            "select from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace where n.nspname = {} and t.typname = {}",
            literal(name.schema.as_deref().unwrap_or("public")),
            literal(&name.name)
        ),
        _ => return create.to_owned(),
    };
    block(&format!("  if not exists ({known}) then\n    {create};\n  end if;"))
}

/// The statement that such a block runs; else the statement itself.
pub(crate) fn inner(statement: &str) -> &str {
    let inside = statement.split_once(" then\n    ").and_then(|(_, rest)| rest.split_once(";\n  end if;"));
    inside.map_or(statement, |(inner, _)| inner)
}

/// Adds a constraint, unless it is there.
pub(crate) fn unless_constraint(table: &Name, name: &str, add: &str) -> String {
    block(&format!(
        "  if not exists (select from pg_catalog.pg_constraint where conrelid = {} and conname = {}) then\n    {add};\n  end if;",
        oid(table),
        literal(name)
    ))
}

/// Does it, unless the column takes no NULL already.
pub(crate) fn unless_not_null(table: &Name, column: &str, then: &str) -> String {
    block(&format!(
        "  if not exists (select from pg_catalog.pg_attribute where attrelid = {} and attname = {} and attnotnull) then\n    {then};\n  end if;",
        oid(table),
        literal(column)
    ))
}

/// Adds the check that spares SET NOT NULL its reading of the table, unless it is there or no longer needed.
pub(crate) fn unless_held(table: &Name, column: &str, check: &str, add: &str) -> String {
    let oid = oid(table);
    block(&format!(
        "  if not exists (select from pg_catalog.pg_attribute where attrelid = {oid} and attname = {} and attnotnull)
    and not exists (select from pg_catalog.pg_constraint where conrelid = {oid} and conname = {}) then\n    {add};\n  end if;",
        literal(column),
        literal(check)
    ))
}

/// Drops the index where a build that was interrupted left it behind: it serves no query, and IF NOT EXISTS takes it for built.
pub(crate) fn no_torn_index(index: &Name) -> String {
    block(&format!(
        "  if exists (select from pg_catalog.pg_index where indexrelid = {} and not indisvalid) then\n    drop index {index};\n  end if;",
        oid(index)
    ))
}

/// Does it, unless the column is of that type already: a conversion is not done twice.
pub(crate) fn unless_type(table: &Name, column: &str, r#type: &str, then: &str) -> String {
    block(&format!(
        "  if exists (select from pg_catalog.pg_attribute where attrelid = {} and attname = {} and atttypid <> {}::regtype) then\n    {then};\n  end if;",
        oid(table),
        literal(column),
        literal(r#type)
    ))
}

/// Does it to a function, unless the function belongs to somebody else by now.
pub(crate) fn unless_handed_over(function: &Name, arguments: &str, then: &str) -> String {
    block(&format!(
        "  if exists (select from pg_catalog.pg_proc where oid = to_regprocedure({}) and pg_has_role(current_user, proowner, 'usage')) then\n    {then};\n  end if;",
        literal(&format!("{function}({arguments})"))
    ))
}

/// Stops with a sentence where a column still holds NULL. Whom policies bind sees no such row, or gets an error from a policy that
/// wants a setting: then it is left to the constraint, which sees every row.
pub(crate) fn no_nulls(table: &Name, column: &str) -> String {
    let quoted = crate::check::quote::ident(column);
    let said = format!(
        "{} still has rows without {column}: fill them in, or say whose they are, and run this again",
        table.name
    );
    block(&format!(
        "  if not pg_catalog.row_security_active({}) then\n    if exists (select from {table} where {quoted} is null) then\n      raise exception using message = {};\n    end if;\n  end if;",
        oid(table),
        literal(&said)
    ))
}

/// What an owner of tables may not always do: attributes of roles, membership, other roles' defaults, parameters, schemas
/// (`public` is the bootstrap superuser's before PostgreSQL 15).
pub(crate) fn needs_power(ddl: &Ddl) -> bool {
    match ddl {
        Ddl::AlterRole { .. } | Ddl::DefaultPrivileges => true,
        Ddl::Grant(rights) | Ddl::Revoke(rights) => rights
            .on
            .as_ref()
            .is_none_or(|(kind, _)| matches!(kind.as_str(), "parameter" | "foreign server" | "database" | "schema")),
        _ => false,
    }
}

const ADMINISTRATOR: &str = "an administrator has to run:";

/// Whether a statement is one that only warns where the role may not do it.
pub(crate) fn may_warn(statement: &str) -> bool {
    statement.contains(ADMINISTRATOR)
}

/// Does it, and warns where the role may not.
pub(crate) fn or_warn(sql: &str) -> String {
    let said = format!("{ADMINISTRATOR} {sql}");
    block(&format!(
        "  {sql};\nexception when insufficient_privilege then\n  raise warning using message = {};",
        literal(&said)
    ))
}
