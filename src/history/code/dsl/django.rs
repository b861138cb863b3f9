//! Django: `migrations.CreateModel(name="Membership", fields=[("org", models.ForeignKey(to="app.Org"))])`.
//! A table is `<app>_<model>`, a foreign key's column `<field>_id`.

use super::{column, table};
use crate::history::code::call::{Argument, Call, Value};
use crate::history::event::{Column, Constraint, CreateTable, Event, Name, What};

/// `name` is `<app>.0001_initial`.
pub(super) fn read(chains: &[Vec<Call>], name: &str) -> Vec<Event> {
    let app = name.split('.').next().unwrap_or_default().to_lowercase();
    let named = |model: &str| Name::bare(table_name(&app, model));
    let mut events = Vec::new();
    for call in chains.iter().flatten().filter(|call| call.called) {
        let place = |what| Event { at: call.at, what };
        let model = call.named_text(&["model_name"]).or_else(|| call.text(0));
        match call.name() {
            "CreateModel" => {
                let Some(name) = call.named_text(&["name"]).or_else(|| call.text(0)) else { continue };
                let options = call.named(&["options"]);
                let db_table = options.and_then(|options| options.field(&["db_table"])).and_then(Value::text);
                let mut made = CreateTable {
                    table: db_table.map_or_else(|| named(name), |name| table(name, None)),
                    ..CreateTable::default()
                };
                let fields = call.named(&["fields"]).or_else(|| call.positional(1));
                for field in fields.map(Value::fields).unwrap_or_default() {
                    made.columns.extend(field_of(&field.value, &app));
                }
                let unique = options.and_then(|options| options.field(&["unique_together"]));
                if let Some(unique) = unique {
                    made.constraints.push(Constraint::Unique(unique.texts()));
                }
                events.push(place(What::CreateTable(made)));
            }
            "AddField" => {
                let name = call.named_text(&["name"]).or_else(|| call.text(1));
                let field = call.named(&["field"]).or_else(|| call.positional(2));
                if let (Some(model), Some(name), Some(field)) = (model, name, field) {
                    events.push(place(What::AddColumn(named(model), typed(name, field, &app))));
                }
            }
            "RemoveField" => {
                let name = call.named_text(&["name"]).or_else(|| call.text(1));
                events.extend(model.zip(name).map(|(m, n)| place(What::DropColumn(named(m), n.to_owned()))));
            }
            "DeleteModel" => {
                let name = call.named_text(&["name"]).or_else(|| call.text(0));
                events.extend(name.map(|name| place(What::DropTable(named(name)))));
            }
            "RenameModel" => {
                let (from, to) = (call.named_text(&["old_name"]), call.named_text(&["new_name"]));
                events
                    .extend(from.zip(to).map(|(from, to)| place(What::RenameTable(named(from), table_name(&app, to)))));
            }
            "AlterModelTable" => {
                let (from, to) = (call.named_text(&["name"]), call.named_text(&["table"]));
                events.extend(from.zip(to).map(|(from, to)| place(What::RenameTable(named(from), to.to_owned()))));
            }
            _ => {}
        }
    }
    events
}

fn table_name(app: &str, model: &str) -> String {
    format!("{app}_{}", model.to_lowercase())
}

/// `("name", models.CharField(…))`
fn field_of(tuple: &Value, app: &str) -> Option<Column> {
    let [Argument { value: name, .. }, Argument { value: field, .. }] = tuple.fields() else { return None };
    Some(typed(name.text()?, field, app))
}

fn typed(name: &str, field: &Value, app: &str) -> Column {
    let Some(call) = field.calls().first() else { return column(name, "") };
    let kind = call.name();
    if !matches!(kind, "ForeignKey" | "OneToOneField") {
        let mut found = column(name, if kind == "BooleanField" { "boolean" } else { kind });
        let choices = call.named(&["choices"]).map(Value::fields).unwrap_or_default();
        found.labels = choices
            .iter()
            .filter_map(|choice| choice.value.fields().first()?.value.text().map(str::to_owned))
            .collect();
        return found;
    }
    let target = call.named(&["to"]).or_else(|| call.positional(0));
    let target = match target {
        Some(Value::Text(target)) => match target.split_once('.') {
            Some((app, model)) => Some(table_name(&app.to_lowercase(), model)),
            None => Some(table_name(app, target)),
        },
        // `settings.AUTH_USER_MODEL`
        Some(Value::Chain(calls)) if calls.iter().any(|call| call.path.contains("AUTH_USER_MODEL")) => {
            Some("users".to_owned())
        }
        _ => None,
    };
    Column { references: target.map(Name::bare), ..column(&format!("{name}_id"), "") }
}
