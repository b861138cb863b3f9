//! Liquibase's changes, as far as governance goes. Source: docs.liquibase.com, change types.

use super::Change;
use super::tree::Element;
use crate::check::quote::{ident, relation};

/// What an element does; none where it is no change, and those in it are looked at.
pub(super) fn change(element: &Element) -> Option<Vec<Change>> {
    let field = |name: &str| element.field(name);
    let table = || named(field("schemaName"), field("tableName"));
    match element.name.as_str() {
        "rollback" | "preConditions" | "modifySql" | "property" => Some(Vec::new()),
        "changeSet" | "databaseChangeLog" => {
            let elsewhere = field("dbms").is_some_and(|dbms| !dbms.contains("postgres") && !dbms.contains("all"));
            elsewhere.then(Vec::new)
        }
        "createTable" => {
            let mut columns: Vec<String> = columns(element).map(column).collect();
            if columns.is_empty() {
                columns.push("id bigint".to_owned());
            }
            made(format!("create table {} ({})", table()?, columns.join(", ")))
        }
        "addColumn" => {
            let table = table()?;
            let each =
                columns(element).map(|it| Change::Made(format!("alter table {table} add column {}", column(it))));
            Some(each.collect())
        }
        "addForeignKeyConstraint" => made(format!(
            "alter table {} add constraint {} foreign key ({}) references {} ({})",
            named(field("baseTableSchemaName"), field("baseTableName"))?,
            name(field("constraintName").unwrap_or("fk")),
            list(field("baseColumnNames")?),
            named(field("referencedTableSchemaName"), field("referencedTableName"))?,
            list(field("referencedColumnNames")?),
        )),
        "addUniqueConstraint" | "addPrimaryKey" => {
            let kind = if element.name == "addPrimaryKey" { "primary key" } else { "unique" };
            made(format!("alter table {} add {kind} ({})", table()?, list(field("columnNames")?)))
        }
        "dropTable" => made(format!("drop table {}", table()?)),
        "dropColumn" => {
            let table = table()?;
            let one = field("columnName").map(str::to_owned);
            let names = one.into_iter().chain(columns(element).filter_map(|it| it.field("name").map(str::to_owned)));
            let each = names.map(|column| Change::Made(format!("alter table {table} drop column {}", name(&column))));
            Some(each.collect())
        }
        "renameTable" => {
            let old = named(field("schemaName"), field("oldTableName"))?;
            made(format!("alter table {old} rename to {}", name(field("newTableName")?)))
        }
        "renameColumn" => {
            let (old, new) = (name(field("oldColumnName")?), name(field("newColumnName")?));
            made(format!("alter table {} rename column {old} to {new}", table()?))
        }
        "sql" | "createProcedure" | "createFunction" | "createTrigger" => {
            let nested = ["sql", "procedureText", "functionText", "triggerText"].into_iter().find_map(field);
            let elsewhere = field("dbms").is_some_and(|dbms| !dbms.contains("postgres"));
            let script = nested.unwrap_or(&element.text).to_owned();
            Some(if elsewhere || script.trim().is_empty() { Vec::new() } else { vec![Change::Written(script)] })
        }
        "sqlFile" => {
            let path = field("path").unwrap_or("a file");
            Some(vec![Change::Elsewhere(path.to_owned())])
        }
        "customChange" | "executeCommand" => {
            Some(vec![Change::Unread("a program is run from here; what it does is not known".to_owned())])
        }
        _ => None,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the arms of one match")]
fn made(statement: String) -> Option<Vec<Change>> {
    Some(vec![Change::Made(statement)])
}

/// The columns, in XML right below the change, in YAML below `columns`.
fn columns(element: &Element) -> impl Iterator<Item = &Element> {
    element
        .named("column")
        .chain(element.children.iter().filter(|child| child.name == "columns").flat_map(|it| it.named("column")))
}

fn column(element: &Element) -> String {
    let kind = element.field("type").filter(|kind| !kind.contains("${")).unwrap_or("text");
    let mut column = format!("{} {kind}", name(element.field("name").unwrap_or("column")));
    let Some(constraints) = element.child("constraints") else { return column };
    let is = |name: &str, value: &str| constraints.field(name).is_some_and(|known| known.eq_ignore_ascii_case(value));
    if is("primaryKey", "true") {
        column.push_str(" primary key");
    } else if is("nullable", "false") {
        column.push_str(" not null");
    }
    if is("unique", "true") {
        column.push_str(" unique");
    }
    let target = constraints.field("references").map(str::to_owned).or_else(|| {
        let table = constraints.field("referencedTableName")?;
        Some(format!("{table}({})", constraints.field("referencedColumnNames").unwrap_or("id")))
    });
    if let Some(target) = target {
        let (table, columns) = target.split_once('(').unwrap_or((&target, "id)"));
        let parts: Vec<String> = table.split('.').map(|part| name(part.trim())).collect();
        column.push_str(&format!(" references {} ({})", parts.join("."), list(columns.trim_end_matches(')'))));
    }
    column
}

/// Names that are not of both cases are written without quotes, and are therefore lower case.
fn stored(name: &str) -> String {
    let mixed = name.contains(char::is_uppercase) && name.contains(char::is_lowercase);
    if mixed { name.to_owned() } else { name.to_lowercase() }
}

fn name(name: &str) -> String {
    ident(&stored(name))
}

fn named(schema: Option<&str>, table: Option<&str>) -> Option<String> {
    let schema = schema.filter(|schema| !schema.contains("${")).map(stored);
    Some(relation(schema.as_deref(), &stored(table?)))
}

fn list(columns: &str) -> String {
    columns.split(',').map(|column| name(column.trim())).collect::<Vec<_>>().join(", ")
}
