//! Rails and Ecto: `create_table :members do |t| … t.string :role` and `create table(:members) do … add :role, :string`.
//! Every line in a block belongs to the table that was named last.

use super::{Current, check, column, table};
use crate::history::code::call::{Call, Value};
use crate::history::event::{Column, Constraint, CreateTable, Event, Name, What};

/// The columns that Rails' `t.<type>` makes.
const TYPES: [&str; 26] = [
    "string",
    "text",
    "integer",
    "bigint",
    "uuid",
    "boolean",
    "datetime",
    "timestamp",
    "timestamptz",
    "date",
    "json",
    "jsonb",
    "binary",
    "inet",
    "decimal",
    "float",
    "enum",
    "citext",
    "column",
    "smallint",
    "virtual",
    "hstore",
    "time",
    "numeric",
    "ltree",
    "vector",
];

pub(super) fn read(chains: &[Vec<Call>]) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let mut current = Current::default();
    for call in chains.iter().flatten().filter(|call| call.called) {
        let place = |what| Event { at: call.at, what };
        let name = call.name().trim_end_matches('!');
        let named = |n: usize| call.text(n).map(|name| table(name, None));
        match name {
            "create_table" | "create_join_table" => {
                let Some(name) = named(0) else { continue };
                let made = CreateTable { table: name.clone(), ..CreateTable::default() };
                events.push(place(What::CreateTable(made)));
                current.begin(call.at, name, Some(events.len() - 1));
            }
            "change_table" => named(0).into_iter().for_each(|name| current.begin(call.at, name, None)),
            "create" | "alter" | "create_if_not_exists" => {
                let Some(target) = ecto_table(call) else { continue };
                if name == "alter" {
                    current.begin(call.at, target, None);
                } else {
                    events.push(place(What::CreateTable(CreateTable {
                        table: target.clone(),
                        ..CreateTable::default()
                    })));
                    current.begin(call.at, target, Some(events.len() - 1));
                }
            }
            "drop_table" => events.extend(named(0).map(|t| place(What::DropTable(t)))),
            "rename_table" => {
                events.extend(named(0).zip(call.text(1)).map(|(t, to)| place(What::RenameTable(t, to.to_owned()))))
            }
            "rename_column" => {
                if let (Some(table), Some(from), Some(to)) = (named(0), call.text(1), call.text(2)) {
                    events.push(place(What::RenameColumn { table, from: from.to_owned(), to: to.to_owned() }));
                }
            }
            "remove_column" => {
                events.extend(named(0).zip(call.text(1)).map(|(t, c)| place(What::DropColumn(t, c.to_owned()))))
            }
            "add_column" => {
                if let (Some(target), Some(name)) = (named(0), call.text(1)) {
                    let found = column(name, call.named_text(&["enum_type"]).or(call.text(2)).unwrap_or_default());
                    events.push(place(What::AddColumn(target, found)));
                }
            }
            "add_reference" | "add_belongs_to" => {
                if let (Some(target), Some(name)) = (named(0), call.text(1)) {
                    events.push(place(What::AddColumn(target, reference(name, call))));
                }
            }
            "add_foreign_key" => {
                if let (Some(source), Some(target)) = (named(0), call.text(1)) {
                    let own =
                        call.named_text(&["column"]).map_or_else(|| format!("{}_id", singular(target)), str::to_owned);
                    let key = Constraint::ForeignKey { columns: vec![own], target: Name::bare(target) };
                    events.push(place(What::AddConstraint(source, key)));
                }
            }
            "create_enum" => {
                if let (Some(name), Some(labels)) = (call.text(0), call.positional(1)) {
                    events.push(place(What::CreateEnum { name: Name::bare(name), labels: labels.texts() }));
                }
            }
            "add_check_constraint" | "check_constraint" => {
                let own = name == "check_constraint";
                let targets: Vec<_> = if own { current.names().collect() } else { named(0).into_iter().collect() };
                if let Some(found) = call.text(usize::from(!own)).and_then(check) {
                    events.extend(targets.into_iter().map(|t| place(What::AddConstraint(t, found.clone()))));
                }
            }
            _ => {
                columns(call, name).iter().for_each(|found| current.column(&mut events, call.at, found));
            }
        }
    }
    events
}

/// `table(:members, prefix: "app")`
fn ecto_table(call: &Call) -> Option<Name> {
    let inner =
        call.arguments.iter().flat_map(|argument| argument.value.calls()).find(|inner| inner.name() == "table")?;
    Some(table(inner.text(0)?, inner.named_text(&["prefix"])))
}

/// The columns that one line of a block adds.
fn columns(call: &Call, name: &str) -> Vec<Column> {
    match name {
        "references" | "belongs_to" if call.path.contains('.') => {
            super::positional_texts(call).iter().map(|name| reference(name, call)).collect()
        }
        // Ecto
        "add" | "add_if_not_exists" => {
            let Some(own) = call.text(0) else { return Vec::new() };
            let references =
                call.arguments.iter().flat_map(|argument| argument.value.calls()).find(|c| c.name() == "references");
            let mut found = column(own, call.text(1).unwrap_or_default());
            found.references = references.and_then(|inner| inner.text(0)).map(Name::bare);
            vec![found]
        }
        _ if call.path.contains('.') && TYPES.contains(&name) => {
            let kind = call.named_text(&["enum_type"]).unwrap_or(name);
            let names = if name == "column" {
                call.text(0).map(str::to_owned).into_iter().collect()
            } else {
                super::positional_texts(call)
            };
            names.iter().map(|own| column(own, kind)).collect()
        }
        _ => Vec::new(),
    }
}

/// `t.references :organization, foreign_key: { to_table: :orgs }`
fn reference(name: &str, call: &Call) -> Column {
    let key = call.named(&["foreign_key"]);
    let to = key.and_then(|key| key.field(&["to_table"])).and_then(Value::text).map(str::to_owned);
    let target = to.or_else(|| key.map(|_| plural(name)));
    Column { references: target.map(Name::bare), ..column(&format!("{name}_id"), "") }
}

fn plural(name: &str) -> String {
    match name.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{name}s"),
    }
}

fn singular(name: &str) -> String {
    match name.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => name.strip_suffix('s').unwrap_or(name).to_owned(),
    }
}
