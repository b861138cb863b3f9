//! Diesel: a folder a migration, with `up.sql`, `down.sql`, and `metadata.toml` where no transaction is wanted.
//! Source: diesel-rs/diesel diesel_migrations/migrations_internals/src/lib.rs.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::{instant, stamp};
use super::super::part::Part;
use super::super::script;
use super::{Writer, alone};
use crate::error::Stop;
use crate::plan::lint::Way;

pub(super) const WRITER: Writer =
    Writer { name: "diesel", sql: true, outside: alone, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let newest = ground.known.iter().max_by(|a, b| a.version.cmp(&b.version));
    let last = newest.and_then(|known| instant(known.version.get(..14)?));
    let hyphens = newest.is_none_or(|known| known.path.split('_').next().is_some_and(|version| version.contains('-')));
    for (n, part) in parts.iter().enumerate() {
        let at = stamp(last, false, n, ground.now);
        let version = at.strftime(if hyphens { "%Y-%m-%d-%H%M%S-0000" } else { "%Y%m%d%H%M%S" });
        let folder = format!("{version}_{}", part.name);
        let (up, down) = (format!("{folder}/up.sql"), format!("{folder}/down.sql"));
        draft.file(&up, script::one_way(part, &up, "", Way::Up, "see down.sql"));
        draft.file(&down, script::one_way(part, &down, "", Way::Down, ""));
        if !part.transaction {
            draft.file(format!("{folder}/metadata.toml"), "run_in_transaction = false\n");
        }
        if let Some(text) = script::by_hand(part, "by_hand.sql", &up) {
            draft.file(format!("{folder}/by_hand.sql"), text);
        }
    }
    Ok(draft)
}
