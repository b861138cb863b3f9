//! SQL files for psql, or for somebody's own runner: `NNNN_name.sql`, with `NNNN_name.down.sql` to take it back.
//!
//! Runners of one's own mostly send a file as one query. `begin` and `commit` are right there too, and what wants no
//! transaction stands alone.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::{Outside, Part};
use super::super::script;
use super::{Writer, digits};
use crate::error::Stop;
use crate::plan::lint::Way;

pub(in super::super) const PLAIN: Writer =
    Writer { name: "plain-sql", sql: true, outside, marks: &[], anywhere: &[], draft };

fn outside(ground: &Ground) -> Outside {
    if ground.is_empty() { Outside::Each } else { Outside::Alone }
}

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let versions = ground.known.iter().map(|known| digits(&known.path));
    let count = Count::of(versions, Count::first(4));
    let separator = super::separator(ground, '_');
    // Whoever runs all of `*.sql` by name would run the way back too, and first.
    let downs: Vec<_> = ground.files().filter(|file| file.ends_with(".down.sql")).collect();
    let apart = !ground.is_empty() && downs.is_empty();
    for (n, part) in parts.iter().enumerate() {
        let stem = format!("{}{separator}{}", count.next(n, ground.now), part.name);
        let (up, down) = (format!("{stem}.sql"), format!("{stem}.down.sql"));
        let place = if apart { format!("down/{down}") } else { down.clone() };
        draft.file(&up, whole(part, &up, Way::Up, &format!("see {place}")));
        if !part.down.is_empty() {
            draft.file(place, whole(part, &down, Way::Down, ""));
        }
    }
    if apart {
        draft.note("The way back is under down/: whatever runs every file of this folder would run it too.");
    } else {
        draft.note("What runs every .sql file of this folder by name must leave out those that end in .down.sql.");
    }
    if let Some(known) = ground.known.iter().find(|known| digits(&known.path).is_empty()) {
        draft.note(format!("By name, the new files come before {}; they are to run after it.", known.path));
    }
    draft.note("The files are for psql, with -v ON_ERROR_STOP=1 and without -1, in the order of their names; --tool names a tool.");
    Ok(draft)
}

/// One file, with its transaction in it.
pub(super) fn whole(part: &Part<'_>, file: &str, way: Way, undo: &str) -> String {
    let statements = if way == Way::Up { &part.up } else { &part.down };
    let body = script::body(statements);
    let head = script::head(part, file, way, undo);
    if part.transaction {
        format!("{head}-- squawk-disable-assume-in-transaction\n\nbegin;\n\n{body}\ncommit;\n")
    } else {
        // The words that sqlx, and those who learned from it, look for.
        script::sheet(part, "-- no-transaction\n", &head, &body)
    }
}
