//! Hasura: a folder a migration, with `up.sql` and `down.sql`, each run inside a transaction.
//! Source: hasura.io/docs, manage migrations.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::{Writer, never};
use crate::error::Stop;
use crate::plan::lint::Way;

pub(super) const WRITER: Writer =
    Writer { name: "hasura", sql: true, outside: never, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::Millis { last: 0 });
    for (n, part) in parts.iter().enumerate() {
        let folder = format!("{}_{}", count.next(n, ground.now), part.name);
        let (up, down) = (format!("{folder}/up.sql"), format!("{folder}/down.sql"));
        draft.file(&up, script::one_way(part, &up, "", Way::Up, "see down.sql"));
        draft.file(&down, script::one_way(part, &down, "", Way::Down, ""));
        if let Some(text) = script::by_hand(part, "by_hand.sql", &up) {
            draft.file(format!("{folder}/by_hand.sql"), text);
        }
    }
    draft.note("New tables and columns are tracked with the metadata: reload it after the migrations.");
    Ok(draft)
}
