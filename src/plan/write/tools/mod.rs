//! Migration tools: how each wants its files. One file a tool; nothing else knows any of them.

mod dbmate;
mod flyway;
mod golang_migrate;
mod goose;
mod plain;
mod prisma;
mod sqlx;
mod supabase;

pub(super) use plain::PLAIN;

use super::draft::Draft;
use super::ground::Ground;
use super::part::{Outside, Part};
use super::script;
use crate::error::Stop;
use crate::plan::lint::Way;

/// A migration tool that is written for.
#[derive(Debug)]
pub(super) struct Writer {
    /// As history names it.
    pub(super) name: &'static str,
    /// What it can run outside a transaction; some can tell only from the project.
    pub(super) outside: fn(&Ground) -> Outside,
    /// In lower case: what the tool reads as its own on a line that is a comment, …
    pub(super) marks: &'static [&'static str],
    /// … and anywhere.
    pub(super) anywhere: &'static [&'static str],
    /// The files.
    pub(super) draft: fn(&Ground, &[Part<'_>]) -> Result<Draft, Stop>,
}

const WRITERS: [&Writer; 8] = [
    &dbmate::WRITER,
    &flyway::WRITER,
    &golang_migrate::WRITER,
    &goose::WRITER,
    &PLAIN,
    &prisma::WRITER,
    &sqlx::WRITER,
    &supabase::WRITER,
];

/// Who writes for this tool.
pub(super) fn of(tool: &str) -> &'static Writer {
    WRITERS.into_iter().find(|writer| writer.name == tool).unwrap_or(&PLAIN)
}

const fn each(_: &Ground) -> Outside {
    Outside::Each
}

const fn alone(_: &Ground) -> Outside {
    Outside::Alone
}

/// The way back, for a tool that has none, in a folder into which it does not look; and what is to be done by hand.
fn beside(draft: &mut Draft, part: &Part<'_>, stem: &str, migration: &str) {
    if !part.down.is_empty() {
        let file = format!("{stem}.down.sql");
        draft.file(format!("down/{file}"), script::one_way(part, &file, "", Way::Down, ""));
        draft.note("The tool has no way back; the files under down/ are for psql, the last one first.");
    }
    by_hand(draft, part, stem, migration);
}

/// What psql has to do beforehand.
fn by_hand(draft: &mut Draft, part: &Part<'_>, stem: &str, migration: &str) {
    let file = format!("{stem}.by_hand.sql");
    if let Some(text) = script::by_hand(part, &file, migration) {
        draft.file(format!("by_hand/{file}"), text);
    }
}

/// `<version>_<name>.up.sql` beside `.down.sql`.
fn pair(draft: &mut Draft, part: &Part<'_>, stem: &str, first: &str) {
    let (up, down) = (format!("{stem}.up.sql"), format!("{stem}.down.sql"));
    draft.file(&up, script::one_way(part, &up, first, Way::Up, &format!("see {down}")));
    draft.file(&down, script::one_way(part, &down, first, Way::Down, ""));
    by_hand(draft, part, stem, &up);
}
