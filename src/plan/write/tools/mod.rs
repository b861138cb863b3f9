//! Migration tools: how each wants its files. One file a tool; nothing else knows any of them.

mod alembic;
mod atlas;
mod db_migrate;
mod dbmate;
mod diesel;
mod django;
mod drizzle;
mod ecto;
mod efcore;
mod flyway;
mod golang_migrate;
mod goose;
mod graphile_migrate;
mod hasura;
mod javascript;
mod knex;
mod kysely;
mod liquibase;
mod mikroorm;
mod node_pg_migrate;
mod pgroll;
mod plain;
mod popx;
mod prisma;
mod rails;
mod rambler;
mod refinery;
mod seaorm;
mod sequelize;
mod sqitch;
mod sql_migrate;
mod sqlx;
mod supabase;
mod tern;
mod typeorm;
mod yoyo;

pub(super) use atlas::{SUM, sums};
pub(super) use plain::PLAIN;

use super::draft::Draft;
use super::ground::Ground;
use super::part::{Outside, Part};
use super::{header, script};
use crate::error::Stop;
use crate::plan::lint::Way;

/// A migration tool that is written for.
#[derive(Debug)]
pub(super) struct Writer {
    /// As history names it.
    pub(super) name: &'static str,
    /// Its files are SQL, which squawk can read.
    pub(super) sql: bool,
    /// What it can run outside a transaction; some can tell only from the project.
    pub(super) outside: fn(&Ground) -> Outside,
    /// In lower case: what the tool reads as its own on a line that is a comment, …
    pub(super) marks: &'static [&'static str],
    /// … and anywhere.
    pub(super) anywhere: &'static [&'static str],
    /// The files.
    pub(super) draft: fn(&Ground, &[Part<'_>]) -> Result<Draft, Stop>,
}

const WRITERS: [&Writer; 35] = [
    &alembic::WRITER,
    &atlas::WRITER,
    &db_migrate::WRITER,
    &dbmate::WRITER,
    &diesel::WRITER,
    &django::WRITER,
    &drizzle::WRITER,
    &ecto::WRITER,
    &efcore::WRITER,
    &flyway::WRITER,
    &golang_migrate::WRITER,
    &goose::WRITER,
    &graphile_migrate::WRITER,
    &hasura::WRITER,
    &knex::WRITER,
    &kysely::WRITER,
    &liquibase::WRITER,
    &mikroorm::WRITER,
    &node_pg_migrate::WRITER,
    &pgroll::WRITER,
    &PLAIN,
    &popx::WRITER,
    &prisma::WRITER,
    &rails::WRITER,
    &rambler::WRITER,
    &refinery::WRITER,
    &seaorm::WRITER,
    &sequelize::WRITER,
    &sql_migrate::WRITER,
    &sqitch::WRITER,
    &sqlx::WRITER,
    &supabase::WRITER,
    &tern::WRITER,
    &typeorm::WRITER,
    &yoyo::WRITER,
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

const fn pooled(_: &Ground) -> Outside {
    Outside::Pooled
}

const fn never(_: &Ground) -> Outside {
    Outside::Never
}

/// The digits a file's name begins with.
fn digits(path: &str) -> &str {
    let base = path.rsplit('/').next().unwrap_or(path);
    &base[..base.bytes().take_while(u8::is_ascii_digit).count()]
}

/// What stands between number and name in the newest file.
fn separator(ground: &Ground, otherwise: char) -> char {
    let newest = ground.known.iter().rev().find(|known| !digits(&known.path).is_empty());
    let behind = newest.and_then(|known| {
        let base = known.path.rsplit('/').next()?;
        base.trim_start_matches(|c: char| c.is_ascii_digit()).chars().next()
    });
    behind.filter(|c| matches!(c, '_' | '-')).unwrap_or(otherwise)
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

/// The header, as comments of another language.
fn comments(part: &Part<'_>, file: &str, undo: &str, mark: &str) -> String {
    header::lines(part, file, Way::Up, undo).iter().map(|line| format!("{mark} {line}\n")).collect::<String>() + "\n"
}

/// `<version>_<name>.up.sql` beside `.down.sql`.
fn pair(draft: &mut Draft, part: &Part<'_>, stem: &str, first: &str) {
    let (up, down) = (format!("{stem}.up.sql"), format!("{stem}.down.sql"));
    draft.file(&up, script::one_way(part, &up, first, Way::Up, &format!("see {down}")));
    draft.file(&down, script::one_way(part, &down, first, Way::Down, ""));
    by_hand(draft, part, stem, &up);
}
