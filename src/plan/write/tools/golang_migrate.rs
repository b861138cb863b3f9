//! golang-migrate: pairs; a file is sent as one query, which PostgreSQL makes a transaction of.
//! Source: golang-migrate/migrate source/parse.go, database/postgres.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::{Writer, alone, pair};
use crate::error::Stop;

pub(super) const WRITER: Writer =
    Writer { name: "golang-migrate", sql: true, outside: alone, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::first(6));
    for (n, part) in parts.iter().enumerate() {
        pair(&mut draft, part, &format!("{}_{}", count.next(n, ground.now), part.name), "");
    }
    Ok(draft)
}
