//! rambler: what stands under one `-- rambler up` is sent as one query, and a file may have several; those for the way down
//! are sent from the last to the first. Source: elwinar/rambler migration.go, service.go.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::{Writer, each};
use crate::error::Stop;
use crate::plan::lint::Way;

pub(super) const WRITER: Writer =
    Writer { name: "rambler", sql: true, outside: each, marks: &["rambler"], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of(ground.known.iter().map(|known| super::digits(&known.path)), Count::STAMP);
    let separator = super::separator(ground, '_');
    for (n, part) in parts.iter().enumerate() {
        let file = format!("{}{separator}{}.sql", count.next(n, ground.now), part.name);
        let head = script::head(part, &file, Way::Up, "below");
        let mut down = sections(&part.down, part.transaction, "down");
        down.reverse();
        let rest = [sections(&part.up, part.transaction, "up"), down].concat().join("\n");
        draft.file(file, script::sheet(part, "", &head, &rest));
    }
    Ok(draft)
}

fn sections(statements: &[String], together: bool, way: &str) -> Vec<String> {
    let section = |statements: &[String]| format!("-- rambler {way}\n{}", script::body(statements));
    match (statements, together) {
        ([], _) => Vec::new(),
        (_, true) => vec![section(statements)],
        (_, false) => statements.iter().map(|statement| section(std::slice::from_ref(statement))).collect(),
    }
}
