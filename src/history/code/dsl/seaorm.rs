//! SeaORM: `Table::create().table(Member::Table).col(ColumnDef::new(Member::OrgId).uuid())`. An identifier of the enum is
//! the name in snake case.

use super::column;
use crate::history::code::call::{Call, Value};
use crate::history::event::{Column, Constraint, CreateTable, Event, Name, What};

pub(super) fn read(chains: &[Vec<Call>]) -> Vec<Event> {
    let mut events = Vec::new();
    for chain in chains {
        let Some(first) = chain.first() else { continue };
        let place = |what| Event { at: first.at, what };
        let target =
            chain.iter().find(|call| call.name() == "table").and_then(|call| call.positional(0)).and_then(table);
        let Some(target) = target else { continue };
        match first.path.as_str() {
            "Table::create" => {
                let mut made = CreateTable { table: target, ..CreateTable::default() };
                for call in chain {
                    match call.name() {
                        "col" => made.columns.extend(call.positional(0).and_then(defined)),
                        "foreign_key" => made.constraints.extend(call.positional(0).and_then(foreign_key)),
                        _ => {}
                    }
                }
                events.push(place(What::CreateTable(made)));
            }
            "Table::alter" => {
                for call in chain {
                    match call.name() {
                        "add_column" | "add_column_if_not_exists" => {
                            let found = call.positional(0).and_then(defined);
                            events.extend(found.map(|column| place(What::AddColumn(target.clone(), column))));
                        }
                        "drop_column" => {
                            let found = call.positional(0).and_then(identifier);
                            events.extend(found.map(|(_, column)| place(What::DropColumn(target.clone(), column))));
                        }
                        _ => {}
                    }
                }
            }
            "Table::drop" => events.push(place(What::DropTable(target))),
            _ => {}
        }
    }
    events
}

/// `Member::OrgId` as `("member", "org_id")`; a string is itself.
fn identifier(value: &Value) -> Option<(String, String)> {
    match value {
        Value::Text(text) => Some((String::new(), text.clone())),
        Value::Chain(calls) => {
            let path = &calls.first()?.path;
            let (entity, name) = path.rsplit_once("::")?;
            let entity = entity.rsplit("::").next().unwrap_or(entity);
            Some((snake(entity), snake(name)))
        }
        _ => None,
    }
}

fn table(value: &Value) -> Option<Name> {
    let (entity, name) = identifier(value)?;
    Some(Name::bare(if name == "table" { entity } else { name }))
}

/// `ColumnDef::new(X::Y).uuid()`, `uuid(X::Y)`, `string_null(X::Y)`.
fn defined(value: &Value) -> Option<Column> {
    let calls = value.calls();
    let first = calls.first()?;
    let (_, name) = identifier(first.positional(0)?)?;
    let kind = if first.path.ends_with("ColumnDef::new") { calls.get(1).map_or("", Call::name) } else { first.name() };
    Some(column(&name, kind))
}

/// `ForeignKey::create().from(A::Table, A::BId).to(B::Table, B::Id)`
fn foreign_key(value: &Value) -> Option<Constraint> {
    let calls = value.calls();
    let find = |name: &str| calls.iter().find(|call| call.name() == name);
    let (_, own) = identifier(find("from")?.positional(1)?)?;
    Some(Constraint::ForeignKey { columns: vec![own], target: table(find("to")?.positional(0)?)? })
}

fn snake(name: &str) -> String {
    let mut text = String::new();
    for (n, c) in name.char_indices() {
        if c.is_uppercase() && n > 0 {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text
}
