//! Entity Framework Core: `migrationBuilder.CreateTable(name: "Members", columns: table => new { OrgId = table.Column<Guid>(…) })`.

use super::{column, table};
use crate::history::code::call::Call;
use crate::history::event::{Constraint, CreateTable, Event, Name, What};

pub(super) fn read(chains: &[Vec<Call>]) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let mut current: Option<usize> = None;
    for call in chains.iter().flatten().filter(|call| call.called) {
        let place = |what| Event { at: call.at, what };
        let schema = call.named_text(&["schema"]);
        let named = |key: &str| call.named_text(&[key]).map(|name| table(name, schema));
        match call.name() {
            "CreateTable" => {
                let Some(name) = named("name") else { continue };
                let mut made = CreateTable { table: name, ..CreateTable::default() };
                // `new { Id = table.Column<…>(…), … }` stands in the argument's braces, as fields.
                made.columns = fields(call);
                events.push(place(What::CreateTable(made)));
                current = Some(events.len() - 1);
            }
            "ForeignKey" if call.path.contains('.') => {
                let target =
                    call.named_text(&["principalTable"]).map(|name| table(name, call.named_text(&["principalSchema"])));
                // The constraint's name is FK_<table>_<target>_<column>.
                let own = call.named_text(&["name"]).and_then(|name| name.rsplit('_').next()).map(str::to_owned);
                if let (Some(target), Some(own), Some(Event { what: What::CreateTable(made), .. })) =
                    (target, own, current.and_then(|at| events.get_mut(at)))
                {
                    made.constraints.push(Constraint::ForeignKey { columns: vec![own], target });
                }
            }
            "AddColumn" => {
                let target = call.named_text(&["table"]).map(|name| table(name, schema));
                let kind = call.named_text(&["type"]).unwrap_or_default();
                events.extend(
                    target.zip(call.named_text(&["name"])).map(|(t, c)| place(What::AddColumn(t, column(c, kind)))),
                );
            }
            "DropColumn" => {
                let target = call.named_text(&["table"]).map(|name| table(name, schema));
                events.extend(
                    target.zip(call.named_text(&["name"])).map(|(t, c)| place(What::DropColumn(t, c.to_owned()))),
                );
            }
            "DropTable" => events.extend(named("name").map(|t| place(What::DropTable(t)))),
            "RenameTable" => {
                let to = call.named_text(&["newName"]);
                events.extend(named("name").zip(to).map(|(t, to)| place(What::RenameTable(t, to.to_owned()))));
            }
            "RenameColumn" => {
                let target = call.named_text(&["table"]).map(|name| table(name, schema));
                if let (Some(table), Some(from), Some(to)) =
                    (target, call.named_text(&["name"]), call.named_text(&["newName"]))
                {
                    events.push(place(What::RenameColumn { table, from: from.to_owned(), to: to.to_owned() }));
                }
            }
            "AddForeignKey" => {
                let source = call.named_text(&["table"]).map(|name| table(name, schema));
                let target = call.named_text(&["principalTable"]).map(Name::bare);
                let own = call.named_text(&["column"]).map(|own| vec![own.to_owned()]).unwrap_or_default();
                events.extend(
                    source.zip(target).map(|(s, target)| {
                        place(What::AddConstraint(s, Constraint::ForeignKey { columns: own, target }))
                    }),
                );
            }
            "Column" | "Annotation" => {
                // A column whose place in the braces could not be told is known by its own name.
                if let (Some(name), Some(Event { what: What::CreateTable(made), .. })) =
                    (call.named_text(&["name"]), current.and_then(|at| events.get_mut(at)))
                    && !made.columns.iter().any(|known| known.name == name)
                {
                    made.columns.push(column(name, call.named_text(&["type"]).unwrap_or_default()));
                }
            }
            _ => {}
        }
    }
    events
}

fn fields(call: &Call) -> Vec<crate::history::event::Column> {
    let columns = call.arguments.iter().find(|argument| argument.name.as_deref() == Some("columns"));
    let inner = columns.map(|argument| argument.value.fields()).unwrap_or_default();
    let each = inner.iter().filter_map(|field| {
        let name = field.name.as_deref()?;
        let made = field.value.calls().first().filter(|call| call.name() == "Column")?;
        Some(column(made.named_text(&["name"]).unwrap_or(name), made.named_text(&["type"]).unwrap_or_default()))
    });
    each.collect()
}
