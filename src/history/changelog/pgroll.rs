//! pgroll's operations, as far as governance goes. Source: xataio/pgroll schema.json, docs/operations.

use super::Change;
use super::tree::Element;
use crate::check::quote::ident;

/// What an operation does; none where it is none, and those in it are looked at.
pub(super) fn change(element: &Element) -> Option<Vec<Change>> {
    let field = |name: &str| element.field(name);
    let statement = match element.name.as_str() {
        "create_table" => {
            let columns: Vec<String> = columns(element).filter_map(column).collect();
            format!("create table {} ({})", path(field("name")?), columns.join(", "))
        }
        "add_column" => {
            format!("alter table {} add column {}", path(field("table")?), column(element.child("column")?)?)
        }
        "drop_table" => format!("drop table {}", path(field("name")?)),
        "drop_column" => format!("alter table {} drop column {}", path(field("table")?), ident(field("column")?)),
        "rename_table" => format!("alter table {} rename to {}", path(field("from")?), ident(field("to")?)),
        "rename_column" => {
            let (from, to) = (ident(field("from")?), ident(field("to")?));
            format!("alter table {} rename column {from} to {to}", path(field("table")?))
        }
        "alter_column" => {
            let target = element.child("references").and_then(references);
            let (table, column) = (path(field("table")?), ident(field("column")?));
            match (target, field("name")) {
                (Some(target), _) => format!("alter table {table} add foreign key ({column}){target}"),
                (None, Some(new)) => format!("alter table {table} rename column {column} to {}", ident(new)),
                (None, None) => return Some(Vec::new()),
            }
        }
        "sql" => return Some(field("up").map(|up| Change::Written(up.to_owned())).into_iter().collect()),
        _ => return None,
    };
    Some(vec![Change::Made(statement)])
}

/// Items of the list of columns.
fn columns(element: &Element) -> impl Iterator<Item = &Element> {
    element.child("columns").into_iter().flat_map(|columns| &columns.children)
}

fn column(element: &Element) -> Option<String> {
    let mut column = format!("{} {}", ident(element.field("name")?), element.field("type").unwrap_or("text"));
    if element.field("pk") == Some("true") {
        column.push_str(" primary key");
    } else if element.field("nullable") == Some("false") {
        column.push_str(" not null");
    }
    if let Some(check) = element.child("check").and_then(|check| check.field("constraint")) {
        column.push_str(&format!(" check ({check})"));
    }
    column.push_str(&element.child("references").and_then(references).unwrap_or_default());
    Some(column)
}

fn references(element: &Element) -> Option<String> {
    let column = element.field("column").map(|column| format!(" ({})", ident(column)));
    Some(format!(" references {}{}", path(element.field("table")?), column.unwrap_or_default()))
}

/// `schema.table`, or `table`.
fn path(name: &str) -> String {
    name.split('.').map(ident).collect::<Vec<_>>().join(".")
}
