//! goose: `-- +goose Up` and `-- +goose Down`. A statement ends where a line ends with a semicolon, unless it is held together.
//! Source: pressly/goose internal/sqlparser/parser.go.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::{Writer, each};
use crate::error::Stop;
use crate::plan::lint::Way;

pub(super) const WRITER: Writer =
    Writer { name: "goose", sql: true, outside: each, marks: &["+goose"], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::first(5));
    for (n, part) in parts.iter().enumerate() {
        let file = format!("{}_{}.sql", count.next(n, ground.now), part.name);
        let first = if part.transaction { "" } else { "-- +goose NO TRANSACTION\n" };
        let head = script::head(part, &file, Way::Up, "below");
        let rest = format!("-- +goose Up\n{}\n-- +goose Down\n{}", held(&part.up, "goose"), held(&part.down, "goose"));
        draft.file(file, script::sheet(part, first, &head, &rest));
    }
    Ok(draft)
}

/// Statements, those with lines or semicolons of their own between marks.
pub(super) fn held(statements: &[String], tool: &str) -> String {
    let each = statements.iter().map(|statement| {
        if statement.contains([';', '\n']) {
            let text = script::body(std::slice::from_ref(statement));
            format!("-- +{tool} StatementBegin\n{text}-- +{tool} StatementEnd\n")
        } else {
            format!("{statement};\n")
        }
    });
    each.collect::<Vec<_>>().join("\n")
}
