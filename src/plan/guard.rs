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

/// Adds the check that spares SET NOT NULL its reading of the table, unless it is there or no longer needed. Rows without a value stay
/// as they are, and so does the column: the check would be held against every change of them.
pub(crate) fn unless_held(table: &Name, column: &str, check: &str, add: &str, note: &str) -> String {
    let (oid, quoted) = (oid(table), crate::check::quote::ident(column));
    let taken = format!(
        "exists (select from pg_catalog.pg_attribute where attrelid = {oid} and attname = {} and attnotnull)",
        literal(column)
    );
    let body = format!(
        "declare
  empty boolean := false;
begin
  -- Whom policies bind sees no such row, or gets an error from a policy that wants a setting: then the constraint itself says.
  if not {taken} and not pg_catalog.row_security_active({oid}) then empty := exists (select from {table} where {quoted} is null); end if;
  if empty then {}; {note}; end if;
  if not empty and not {taken}
    and not exists (select from pg_catalog.pg_constraint where conrelid = {oid} and conname = {}) then
    {add};
  end if;
end",
        warning(&without(table, column)),
        literal(check)
    );
    let tag = tag(&body);
    format!("do {tag} {body} {tag}")
}

/// Looks at every row, where the check is there: a row without a value takes it away again.
pub(crate) fn if_held(table: &Name, column: &str, check: &str, validate: &str, note: &str) -> String {
    block(&format!(
        "  if {} then\n    {validate};\n  end if;
exception when check_violation then
  alter table {table} drop constraint if exists {};
  {note};
  {};",
        pending(table, check),
        crate::check::quote::ident(check),
        warning(&without(table, column))
    ))
}

/// Does it where the comment on a column is this.
pub(crate) fn if_commented(table: &Name, column: &str, said: &str, then: &str) -> String {
    block(&format!(
        "  if exists (select from pg_catalog.pg_attribute a where a.attrelid = {} and a.attname = {} and not a.attisdropped
             and pg_catalog.col_description(a.attrelid, a.attnum) = {}) then\n    {then};\n  end if;",
        oid(table),
        literal(column),
        literal(said)
    ))
}

/// Does it where the check has been held against every row.
pub(crate) fn once_held(table: &Name, check: &str, then: &str) -> String {
    block(&format!(
        "  if exists (select from pg_catalog.pg_constraint where conrelid = {} and conname = {} and convalidated) then\n    {then};\n  end if;",
        oid(table),
        literal(check)
    ))
}

/// Holds a constraint against the rows there are. What they violate binds new rows alone. A foreign key would be held against the rows
/// that policies show of these tables, and said to hold.
pub(crate) fn as_far_as_rows_go(table: &Name, constraint: &str, seen: &[&Name], validate: &str) -> String {
    let seen: String = seen.iter().map(|it| format!(" and not pg_catalog.row_security_active({})", oid(it))).collect();
    block(&format!(
        "  if {}{seen} then\n    {validate};\n  end if;
exception when foreign_key_violation or check_violation then
  {};",
        pending(table, constraint),
        warning(&format!(
            "{} has rows that {constraint} forbids: it binds new rows alone. Mend them, and run this again",
            table.said()
        ))
    ))
}

/// Adds a constraint that cannot wait for its rows, unless it is there, or they violate it.
pub(crate) fn unless_rows_forbid(table: &Name, name: &str, add: &str) -> String {
    let told = format!(
        "{} has rows that {name} forbids, and cannot have it before they are mended: then run this again",
        table.said()
    );
    block(&format!(
        "  if not exists (select from pg_catalog.pg_constraint where conrelid = {} and conname = {}) then\n    {add};\n  end if;
exception when foreign_key_violation then
  {};",
        oid(table),
        literal(name),
        warning(&told)
    ))
}

fn pending(table: &Name, constraint: &str) -> String {
    format!(
        "exists (select from pg_catalog.pg_constraint where conrelid = {} and conname = {} and not convalidated)",
        oid(table),
        literal(constraint)
    )
}

fn warning(said: &str) -> String {
    format!("raise warning using message = {}", literal(said))
}

/// What is said of rows without a value: the first look at the ground says the same.
pub(crate) fn without(table: &Name, column: &str) -> String {
    format!("{} has rows without {column}, which stay as they are: fill them in, and run this again", table.said())
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
    block(&to_own(function, arguments, then))
}

/// The same, and warns where the role may not: who gives a function away has to be a member of who gets it.
pub(crate) fn hand_over(function: &Name, arguments: &str, then: &str) -> String {
    let said = literal(&format!("{ADMINISTRATOR} {then}"));
    block(&format!(
        "{}\nexception when insufficient_privilege then\n  raise warning using message = {said};",
        to_own(function, arguments, then)
    ))
}

fn to_own(function: &Name, arguments: &str, then: &str) -> String {
    format!(
        "  if exists (select from pg_catalog.pg_proc where oid = to_regprocedure({}) and pg_has_role(current_user, proowner, 'usage')) then\n    {then};\n  end if;",
        literal(&format!("{function}({arguments})"))
    )
}

/// What an owner of tables may not always do: attributes of roles, membership, other roles' defaults, parameters, schemas
/// (`public` is the bootstrap superuser's before PostgreSQL 15).
pub(crate) fn needs_power(ddl: &Ddl) -> bool {
    match ddl {
        Ddl::AlterRole { .. } | Ddl::DefaultPrivileges => true,
        Ddl::AlterRoutine { rest, .. } => rest.starts_with("owner to"),
        Ddl::Grant(rights) | Ddl::Revoke(rights) => rights
            .on
            .as_ref()
            .is_none_or(|(kind, _)| matches!(kind.as_str(), "parameter" | "foreign server" | "database" | "schema")),
        _ => false,
    }
}

pub(crate) const ADMINISTRATOR: &str = "an administrator has to run:";

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
