//! Supabase CLI: `<14 digits>_name.sql`, without a way back. Since 2.109.0 some statements may stand beside others that must
//! not; one statement a file is right for all versions. Source: supabase/cli pkg/migration/{file,list}.go.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::{Writer, alone, beside};
use crate::error::Stop;
use crate::plan::lint::Way;

pub(super) const WRITER: Writer =
    Writer { name: "supabase", sql: true, outside: alone, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::STAMP);
    for (n, part) in parts.iter().enumerate() {
        let stem = format!("{}_{}", count.next(n, ground.now), part.name);
        let file = format!("{stem}.sql");
        draft.file(&file, script::one_way(part, &file, "", Way::Up, &format!("see down/{stem}.down.sql")));
        beside(&mut draft, part, &stem, &file);
    }
    Ok(draft)
}
