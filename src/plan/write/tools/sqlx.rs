//! sqlx: pairs, or files without a way back, as the folder has them. `-- no-transaction` has to be the very beginning.
//! Source: launchbadge/sqlx sqlx-core/src/migrate/{source,migration_type}.rs.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::{Writer, alone, beside, pair};
use crate::error::Stop;
use crate::plan::lint::Way;

pub(super) const WRITER: Writer = Writer { name: "sqlx", sql: true, outside: alone, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::STAMP);
    let pairs = ground.is_empty() || ground.known.iter().any(|known| known.path.ends_with(".up.sql"));
    for (n, part) in parts.iter().enumerate() {
        let stem = format!("{}_{}", count.next(n, ground.now), part.name);
        let first = if part.transaction { "" } else { "-- no-transaction\n" };
        if pairs {
            pair(&mut draft, part, &stem, first);
        } else {
            let file = format!("{stem}.sql");
            draft.file(&file, script::one_way(part, &file, first, Way::Up, &format!("see down/{stem}.down.sql")));
            beside(&mut draft, part, &stem, &file);
        }
    }
    Ok(draft)
}
