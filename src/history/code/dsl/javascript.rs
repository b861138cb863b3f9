//! Knex, Kysely, TypeORM, Sequelize and node-pg-migrate.

use super::{Current, check, column, table};
use crate::history::code::call::{Argument, Call, Value};
use crate::history::event::{Column, Constraint, CreateTable, Event, Name, Policy, Rls, What, expression};

pub(super) fn read(chains: &[Vec<Call>]) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    // Knex: `table.uuid("org_id")`.
    let mut current = Current::default();
    for chain in chains {
        let schema = chain.iter().find(|call| call.name() == "withSchema").and_then(|call| call.text(0));
        for (at, call) in chain.iter().enumerate().filter(|(_, call)| call.called) {
            let place = |what| Event { at: call.at, what };
            let named = call.text(0).map(|name| table(name, schema));
            match call.name() {
                "createTable" | "createTableIfNotExists" => {
                    let Some(made) = created(call, &chain[at + 1..], schema) else { continue };
                    let name = made.table.clone();
                    events.push(place(What::CreateTable(made)));
                    current.begin(call.at, name, Some(events.len() - 1));
                }
                "alterTable" | "table" if named.is_some() => {
                    let Some(target) = named else { continue };
                    events.extend(altered(&target, call, &chain[at + 1..]).into_iter().map(place));
                    current.begin(call.at, target, None);
                }
                "addColumn" | "addColumns" if at == 0 => {
                    let Some(target) = named else { continue };
                    let found = added(call);
                    events.extend(found.into_iter().map(|column| place(What::AddColumn(target.clone(), column))));
                }
                "dropTable" | "dropTableIfExists" => events.extend(named.map(|t| place(What::DropTable(t)))),
                "renameTable" => {
                    events.extend(named.zip(call.text(1)).map(|(t, to)| place(What::RenameTable(t, to.to_owned()))))
                }
                "dropColumn" | "removeColumn" if at == 0 => {
                    events.extend(named.zip(call.text(1)).map(|(t, c)| place(What::DropColumn(t, c.to_owned()))));
                }
                "createType" => {
                    let inline = call.positional(1).map(Value::texts);
                    let chained =
                        chain[at + 1..].iter().find(|next| next.name() == "asEnum").and_then(|next| next.positional(0));
                    let labels = inline.or_else(|| chained.map(Value::texts));
                    events.extend(named.zip(labels).map(|(name, labels)| place(What::CreateEnum { name, labels })));
                }
                "createPolicy" => events.extend(policy(call).map(|policy| place(What::CreatePolicy(policy)))),
                _ if at == 0 => {
                    knex_column(chain).iter().for_each(|found| current.column(&mut events, call.at, found));
                }
                _ => {}
            }
        }
    }
    events
}

/// `createTable("x", { … })`, `createTable(new Table({ … }))`, `createTable("x").addColumn(…)`.
fn created(call: &Call, rest: &[Call], schema: Option<&str>) -> Option<CreateTable> {
    let mut made = CreateTable::default();
    if let Some(name) = call.text(0) {
        made.table = table(name, schema);
        for field in call.positional(1).map(Value::fields).unwrap_or_default() {
            made.columns.extend(field.name.as_deref().map(|name| described(name, &field.value)));
        }
        for next in rest.iter().filter(|next| next.called) {
            match next.name() {
                "addColumn" => made.columns.extend(added(&Call {
                    arguments: [vec![Argument { name: None, value: Value::Other }], next.arguments.clone()].concat(),
                    ..next.clone()
                })),
                "addCheckConstraint" => made.constraints.extend(next.text(1).and_then(check)),
                _ => {}
            }
        }
        return Some(made);
    }
    if let Some(target) = call.positional(0)
        && let (Some(schema), Some(name)) = (target.field(&["schema"]), target.field(&["name", "tableName"]))
    {
        made.table = table(name.text()?, schema.text());
        for field in call.positional(1).map(Value::fields).unwrap_or_default() {
            made.columns.extend(field.name.as_deref().map(|name| described(name, &field.value)));
        }
        return Some(made);
    }
    let options = call.positional(0)?.calls().first()?.positional(0)?;
    made.table = table(options.field(&["name"])?.text()?, options.field(&["schema"]).and_then(Value::text));
    for entry in options.field(&["columns"]).map(Value::fields).unwrap_or_default() {
        let fields = entry.value.calls().first().and_then(|call| call.positional(0)).unwrap_or(&entry.value);
        if let Some(name) = fields.field(&["name"]).and_then(Value::text) {
            made.columns.push(described(name, fields));
        }
    }
    for key in options.field(&["foreignKeys"]).map(Value::fields).unwrap_or_default() {
        let fields = key.value.calls().first().and_then(|call| call.positional(0)).unwrap_or(&key.value);
        let columns = fields.field(&["columnNames"]).map(Value::texts).unwrap_or_default();
        let target = fields.field(&["referencedTableName"]).and_then(Value::text);
        made.constraints.extend(target.map(|target| Constraint::ForeignKey { columns, target: table(target, None) }));
    }
    Some(made)
}

/// A column as an object says it: `{ type: "uuid", references: "orgs" }`, `Sequelize.UUID`, `"uuid"`.
fn described(name: &str, value: &Value) -> Column {
    let mut found = column(name, "");
    let kind = value.field(&["type"]).unwrap_or(value);
    match kind {
        Value::Text(text) => found.type_name.clone_from(text),
        Value::Chain(calls) => {
            let last = calls.last();
            found.type_name = last.map(|call| call.name().to_lowercase()).unwrap_or_default();
            found.labels = last.map(super::positional_texts).unwrap_or_default();
        }
        _ => {}
    }
    if let Some(labels) = value.field(&["enum", "values"]) {
        found.labels = labels.texts();
    }
    if let Some(labels) = value.field(&["check"]).and_then(Value::text).and_then(check)
        && let Constraint::Check { labels, .. } = labels
    {
        found.labels = labels;
    }
    let target = value.field(&["references"]).map(|it| match it {
        Value::Map(_) => {
            it.field(&["model", "table", "name"]).map(|model| model.field(&["tableName"]).unwrap_or(model))
        }
        other => Some(other),
    });
    // `orgs`, `orgs(id)`, `"orgs"`
    let target = target
        .flatten()
        .and_then(Value::text)
        .map(|text| text.split('(').next().unwrap_or(text).trim_matches('"').to_owned());
    found.references = target.map(|target| table(&target, None));
    found
}

/// `addColumn("t", "c", { … })`, `addColumns("t", { c: { … } })`, `addColumn("t", new TableColumn({ … }))`, `addColumn("c", "uuid", …)`.
fn added(call: &Call) -> Vec<Column> {
    match call.positional(1) {
        Some(Value::Text(name)) => {
            let mut found = call.positional(2).map_or_else(|| column(name, ""), |value| described(name, value));
            let builder = call.positional(3).map(Value::calls).unwrap_or_default();
            let target = builder.iter().find(|next| next.name() == "references").and_then(|next| next.text(0));
            if let Some((target, _)) = target.and_then(|target| target.rsplit_once('.')) {
                found.references = Some(table(target, None));
            }
            vec![found]
        }
        Some(Value::Map(fields)) => {
            fields.iter().filter_map(|field| Some(described(field.name.as_deref()?, &field.value))).collect()
        }
        Some(Value::Chain(calls)) => {
            let options = calls.first().and_then(|call| call.positional(0));
            options.and_then(|it| Some(described(it.field(&["name"])?.text()?, it))).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// node-pg-migrate's `alterTable("t", { levelSecurity: "ENABLE" })`, and Kysely's chain behind `alterTable("t")`.
fn altered(target: &Name, call: &Call, rest: &[Call]) -> Vec<What> {
    let mut done = Vec::new();
    let level = call.positional(1).and_then(|options| options.field(&["levelSecurity"])).and_then(Value::text);
    let switch = match level.map(str::to_uppercase).as_deref() {
        Some("ENABLE") => Some(Rls::Enable),
        Some("DISABLE") => Some(Rls::Disable),
        Some("FORCE") => Some(Rls::Force),
        Some("NO FORCE") => Some(Rls::NoForce),
        _ => None,
    };
    done.extend(switch.map(|switch| What::Rls(target.clone(), switch)));
    for next in rest.iter().filter(|next| next.called) {
        match next.name() {
            "addColumn" => {
                let shifted = Call {
                    arguments: [vec![Argument { name: None, value: Value::Other }], next.arguments.clone()].concat(),
                    ..next.clone()
                };
                done.extend(added(&shifted).into_iter().map(|column| What::AddColumn(target.clone(), column)));
            }
            "dropColumn" => done.extend(next.text(0).map(|column| What::DropColumn(target.clone(), column.to_owned()))),
            "renameTo" => done.extend(next.text(0).map(|to| What::RenameTable(target.clone(), to.to_owned()))),
            _ => {}
        }
    }
    done
}

fn policy(call: &Call) -> Option<Policy> {
    let options = call.positional(2)?;
    let text = |names: &[&str]| options.field(names).and_then(Value::text).map(str::to_owned);
    Some(Policy {
        table: table(call.text(0)?, None),
        name: call.text(1)?.to_owned(),
        restrictive: false,
        command: text(&["command"]).unwrap_or_else(|| "all".to_owned()).to_lowercase(),
        using: text(&["using"]).as_deref().map(expression),
        check: text(&["check"]).as_deref().map(expression),
    })
}

/// `table.uuid("org_id").references("id").inTable("orgs")`
fn knex_column(chain: &[Call]) -> Option<Column> {
    let first = &chain[0];
    let (builder, kind) = first.path.rsplit_once('.')?;
    let types = [
        "uuid",
        "string",
        "text",
        "integer",
        "bigInteger",
        "bigint",
        "increments",
        "bigIncrements",
        "boolean",
        "enu",
        "enum",
        "specificType",
        "jsonb",
        "json",
        "timestamp",
        "datetime",
        "date",
        "binary",
        "float",
        "decimal",
        "smallint",
    ];
    if builder.contains('.') || !types.contains(&kind) {
        return None;
    }
    let mut found = column(first.text(0)?, if kind == "specificType" { first.text(1)? } else { kind });
    if matches!(kind, "enu" | "enum") {
        found.labels = first.positional(1).map(Value::texts).unwrap_or_default();
    }
    let target = chain.iter().find(|call| call.name() == "inTable").and_then(|call| call.text(0)).map(str::to_owned);
    let dotted = chain.iter().find(|call| call.name() == "references").and_then(|call| call.text(0));
    let target = target.or_else(|| dotted.and_then(|text| text.rsplit_once('.')).map(|(target, _)| target.to_owned()));
    found.references = target.map(|target| table(&target, None));
    Some(found)
}
