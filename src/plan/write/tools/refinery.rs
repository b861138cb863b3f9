//! refinery: `V<n>__name.sql`, every one inside a transaction, no way back. Source: rust-db/refinery refinery_core/src/util.rs.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::{Writer, beside, never};
use crate::error::Stop;
use crate::plan::lint::Way;

pub(super) const WRITER: Writer =
    Writer { name: "refinery", sql: true, outside: never, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::first(1));
    let folder = ground.newest_folder();
    for (n, part) in parts.iter().enumerate() {
        // Without the V that refinery looks for, also in folders below.
        let stem = format!("{}_{}", count.next(n, ground.now), part.name);
        let file = format!("V{}__{}.sql", count.next(n, ground.now), part.name);
        let undo = format!("see down/{stem}.down.sql");
        draft.file(format!("{folder}{file}"), script::one_way(part, &file, "", Way::Up, &undo));
        beside(&mut draft, part, &stem, &file);
    }
    Ok(draft)
}
