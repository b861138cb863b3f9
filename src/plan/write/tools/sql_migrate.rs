//! sql-migrate: `-- +migrate Up`, with `notransaction` behind it where that is wanted; statements end as goose's do.
//! Source: rubenv/sql-migrate sqlparse/sqlparse.go.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::goose::held;
use super::{Writer, each};
use crate::error::Stop;
use crate::plan::lint::Way;

pub(super) const WRITER: Writer =
    Writer { name: "sql-migrate", sql: true, outside: each, marks: &["+migrate"], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of(ground.known.iter().map(|known| super::digits(&known.path)), Count::STAMP);
    let separator = super::separator(ground, '-');
    for (n, part) in parts.iter().enumerate() {
        let file = format!("{}{separator}{}.sql", count.next(n, ground.now), part.name);
        let how = if part.transaction { "" } else { " notransaction" };
        let head = script::head(part, &file, Way::Up, "below");
        let (up, down) = (held(&part.up, "migrate"), held(&part.down, "migrate"));
        let rest = format!("-- +migrate Up{how}\n{up}\n-- +migrate Down{how}\n{down}");
        draft.file(file, script::sheet(part, "", &head, &rest));
    }
    Ok(draft)
}
