//! Alembic: `op.create_table("x", sa.Column("org_id", sa.Uuid(), sa.ForeignKey("orgs.id")))` and its siblings.

use super::{Building, Current, check, column, positional_texts, table};
use crate::history::code::call::{Call, Value};
use crate::history::event::{Column, Constraint, CreateTable, Event, Name, What};
use std::collections::BTreeMap;

pub(super) fn read(text: &str, chains: &[Vec<Call>]) -> Vec<Event> {
    let mut events = Vec::new();
    let kept = kept(text, chains);
    // `with op.batch_alter_table("t") as batch_op:` names the table of what follows.
    let mut batch = Current::default();
    for call in chains.iter().flatten().filter(|call| call.called) {
        let schema = call.named_text(&["schema"]);
        let named = |n: usize| call.text(n).map(|name| table(name, schema));
        // Whatever the batch is called; `op` is none.
        let in_batch =
            call.path.split('.').count() == 2 && !call.path.starts_with("op.") && batch.names().next().is_some();
        let own = |n: usize| if in_batch { batch.names().collect() } else { named(n).into_iter().collect::<Vec<_>>() };
        let place = |what| Event { at: call.at, what };
        match call.name() {
            "Enum" | "ENUM" => {
                if let Some(name) = call.named_text(&["name"]) {
                    let labels = positional_texts(call);
                    if !labels.is_empty() {
                        events.push(place(What::CreateEnum { name: Name::bare(name), labels }));
                    }
                }
            }
            "create_table" if call.path.starts_with("op.") => {
                let Some(name) = named(0) else { continue };
                let mut building =
                    Building { made: CreateTable { table: name, ..CreateTable::default() }, at: call.at };
                for inner in call.arguments.iter().flat_map(|argument| argument.value.calls()) {
                    add(&mut building.made, inner, &kept);
                }
                events.push(building.event());
            }
            "batch_alter_table" => named(0).into_iter().for_each(|name| batch.begin(call.at, name, None)),
            "add_column" => {
                let found = call
                    .arguments
                    .iter()
                    .flat_map(|argument| argument.value.calls())
                    .find_map(|call| column_of(call, &kept));
                let Some((column, constraints)) = found else { continue };
                for target in own(0) {
                    events.push(place(What::AddColumn(target.clone(), column.clone())));
                    let constraints = constraints.iter().cloned();
                    events.extend(constraints.map(|it| place(What::AddConstraint(target.clone(), it))));
                }
            }
            "drop_column" => {
                if let Some(column) = call.text(usize::from(!in_batch)) {
                    events.extend(own(0).into_iter().map(|t| place(What::DropColumn(t, column.to_owned()))));
                }
            }
            "drop_table" if call.path.starts_with("op.") => events.extend(named(0).map(|t| place(What::DropTable(t)))),
            "rename_table" => {
                events.extend(named(0).zip(call.text(1)).map(|(t, to)| place(What::RenameTable(t, to.to_owned()))));
            }
            "alter_column" => {
                let from = call.text(usize::from(!in_batch));
                if let (Some(from), Some(to)) = (from, call.named_text(&["new_column_name"])) {
                    let renamed = |table| What::RenameColumn { table, from: from.to_owned(), to: to.to_owned() };
                    events.extend(own(0).into_iter().map(|table| place(renamed(table))));
                }
            }
            "create_foreign_key" => {
                let offset = usize::from(!in_batch);
                let target = call.text(1 + offset).map(|name| table(name, call.named_text(&["referent_schema"])));
                let columns = call.positional(2 + offset).map(Value::texts).unwrap_or_default();
                if let Some(target) = target {
                    let key = Constraint::ForeignKey { columns, target };
                    events.extend(own(1).into_iter().map(|source| place(What::AddConstraint(source, key.clone()))));
                }
            }
            "create_unique_constraint" => {
                if let Some(columns) = call.positional(1 + usize::from(!in_batch)) {
                    let unique = Constraint::Unique(columns.texts());
                    events.extend(own(1).into_iter().map(|target| place(What::AddConstraint(target, unique.clone()))));
                }
            }
            "create_check_constraint" => {
                if let Some(found) = call.text(1 + usize::from(!in_batch)).and_then(check) {
                    events.extend(own(1).into_iter().map(|target| place(What::AddConstraint(target, found.clone()))));
                }
            }
            _ => {}
        }
    }
    events
}

/// Enums by the name of the variable they are kept in: their own name and their labels.
type Kept = BTreeMap<String, (String, Vec<String>)>;

/// `kind = sa.Enum("a", "b", name="kind")`
fn kept(text: &str, chains: &[Vec<Call>]) -> Kept {
    let enums = chains.iter().flatten().filter(|call| call.called && matches!(call.name(), "Enum" | "ENUM"));
    let each = enums.filter_map(|call| {
        let line = text[..call.at].rsplit('\n').next()?;
        let variable = line.trim_end().strip_suffix('=')?.split(':').next()?.trim();
        let is_name = !variable.is_empty() && variable.chars().all(|c| c.is_alphanumeric() || c == '_');
        let own = call.named_text(&["name"]).unwrap_or("enum").to_owned();
        is_name.then(|| (variable.to_owned(), (own, positional_texts(call))))
    });
    each.collect()
}

fn add(made: &mut CreateTable, inner: &Call, kept: &Kept) {
    match inner.name() {
        "Column" => {
            if let Some((column, constraints)) = column_of(inner, kept) {
                made.columns.push(column);
                made.constraints.extend(constraints);
            }
        }
        "ForeignKeyConstraint" => {
            let columns = inner.positional(0).map(Value::texts).unwrap_or_default();
            let target = inner.positional(1).map(Value::texts).unwrap_or_default();
            if let Some(target) = target.first().and_then(|target| referenced(target)) {
                made.constraints.push(Constraint::ForeignKey { columns, target });
            }
        }
        "PrimaryKeyConstraint" | "UniqueConstraint" => {
            made.constraints.push(Constraint::Unique(positional_texts(inner)))
        }
        "CheckConstraint" => made.constraints.extend(inner.text(0).and_then(check)),
        _ => {}
    }
}

/// `orgs.id` or `app.orgs.id`: the table.
fn referenced(target: &str) -> Option<Name> {
    let (name, _) = target.rsplit_once('.')?;
    Some(table(name, None))
}

fn column_of(call: &Call, kept: &Kept) -> Option<(Column, Vec<Constraint>)> {
    if call.name() != "Column" {
        return None;
    }
    let mut found = column(call.text(0)?, "");
    let mut constraints = Vec::new();
    for inner in call.arguments.iter().flat_map(|argument| argument.value.calls()) {
        if let Some((name, labels)) = kept.get(&inner.path).filter(|_| !inner.called) {
            found.type_name.clone_from(name);
            found.labels.clone_from(labels);
            continue;
        }
        match inner.name() {
            "ForeignKey" => found.references = inner.text(0).and_then(referenced),
            "Enum" | "ENUM" => {
                found.labels = positional_texts(inner);
                found.type_name = inner.named_text(&["name"]).unwrap_or("enum").to_owned();
            }
            "CheckConstraint" => constraints.extend(inner.text(0).and_then(check)),
            name if found.type_name.is_empty() => found.type_name = name.to_lowercase(),
            _ => {}
        }
    }
    Some((found, constraints))
}
