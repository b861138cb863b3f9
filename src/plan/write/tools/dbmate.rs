//! dbmate: `-- migrate:up` and `-- migrate:down`, each sent as one query. Source: amacneil/dbmate pkg/dbmate/migration.go.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::{Writer, alone};
use crate::error::Stop;
use crate::plan::lint::Way;

pub(super) const WRITER: Writer =
    Writer { name: "dbmate", sql: true, outside: alone, marks: &["migrate:"], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::STAMP);
    for (n, part) in parts.iter().enumerate() {
        let stem = format!("{}_{}", count.next(n, ground.now), part.name);
        let file = format!("{stem}.sql");
        let how = if part.transaction { "" } else { " transaction:false" };
        let head = script::head(part, &file, Way::Up, "below");
        let (up, down) = (script::body(&part.up), script::body(&part.down));
        let rest = format!("-- migrate:up{how}\n{up}\n-- migrate:down{how}\n{down}");
        draft.file(&file, script::sheet(part, "", &head, &rest));
        super::by_hand(&mut draft, part, &stem, &file);
    }
    Ok(draft)
}
