//! Prisma: `<14 digits>_name/migration.sql`, sent as one query without a transaction of its own; `down.sql` beside it is a
//! custom that Prisma does not look at. Source: prisma/prisma-engines schema-engine, prisma/prisma#14456.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::{Writer, alone};
use crate::error::Stop;
use crate::plan::lint::Way;

pub(super) const WRITER: Writer =
    Writer { name: "prisma", sql: true, outside: alone, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::STAMP);
    for (n, part) in parts.iter().enumerate() {
        let folder = format!("{}_{}", count.next(n, ground.now), part.name);
        let file = format!("{folder}/migration.sql");
        draft.file(&file, script::one_way(part, &file, "", Way::Up, "see down.sql"));
        if !part.down.is_empty() {
            let file = format!("{folder}/down.sql");
            draft.file(&file, script::one_way(part, &file, "", Way::Down, ""));
            draft.note("Prisma has no way back; the files down.sql are for psql, the last one first.");
        }
        if let Some(text) = script::by_hand(part, "by_hand.sql", &file) {
            draft.file(format!("{folder}/by_hand.sql"), text);
        }
    }
    if !ground.has("migration_lock.toml") {
        draft.file("migration_lock.toml", "# Written by Prisma as well.\nprovider = \"postgresql\"\n");
    }
    draft.note("schema.prisma does not know of the new columns and tables: run prisma db pull after the migrations.");
    Ok(draft)
}
