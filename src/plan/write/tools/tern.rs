//! tern: the way back stands below a divider; scripts are Go templates, numbered without a gap.
//! Source: jackc/tern migrate/migrate.go.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::{Writer, each};
use crate::error::Stop;
use crate::plan::lint::Way;

pub(super) const WRITER: Writer =
    Writer { name: "tern", sql: true, outside: each, marks: &["create above", "tern:"], anywhere: &["{{"], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = match Count::of_ground(ground, Count::first(3)) {
        Count::Sequence { width, last, .. } => Count::Sequence { width, last, step: 1 },
        other => other,
    };
    for (n, part) in parts.iter().enumerate() {
        let file = format!("{}_{}.sql", count.next(n, ground.now), part.name);
        let alone = if part.transaction { "" } else { "---- tern: disable-tx ----\n" };
        let head = script::head(part, &file, Way::Up, "below");
        let (up, down) = (script::body(&part.up), script::body(&part.down));
        let rest = format!("{up}\n---- create above / drop below ----\n\n{alone}{down}");
        draft.file(file, script::sheet(part, alone, &head, &rest));
    }
    Ok(draft)
}
