//! ory's popx: pairs, with the dialect and `.autocommit` in the name. Source: ory/kratos oryx/popx/match.go.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::{Writer, alone, by_hand};
use crate::error::Stop;
use crate::plan::lint::Way;

pub(super) const WRITER: Writer = Writer { name: "popx", sql: true, outside: alone, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::STAMP);
    for (n, part) in parts.iter().enumerate() {
        let alone = if part.transaction { "" } else { ".autocommit" };
        // Other databases have no row-level security: a file for all dialects would break them.
        let stem = format!("{}_{}.postgres{alone}", count.next(n, ground.now), part.name);
        let (up, down) = (format!("{stem}.up.sql"), format!("{stem}.down.sql"));
        draft.file(&up, script::one_way(part, &up, "", Way::Up, &format!("see {down}")));
        draft.file(&down, script::one_way(part, &down, "", Way::Down, ""));
        by_hand(&mut draft, part, &stem, &up);
    }
    Ok(draft)
}
