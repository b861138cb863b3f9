//! Knex: `up` and `down`, given a `knex` that takes a connection from the pool for each statement where there is no
//! transaction, and reads a question mark as a place for a value. Source: knex/knex lib/migrations, lib/dialects/postgres/index.js.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::javascript::{Language, Style, calls};
use super::{Writer, comments, pooled};
use crate::error::Stop;

pub(super) const WRITER: Writer =
    Writer { name: "knex", sql: false, outside: pooled, marks: &[], anywhere: &["\\?"], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::STAMP);
    let style = Style::of(ground, Language::JavaScript);
    for (n, part) in parts.iter().enumerate() {
        let file = format!("{}_{}{}", count.next(n, ground.now), part.name, style.ending);
        let import = if style.typed { "import type { Knex } from 'knex';\n\n" } else { "" };
        let config = match (part.transaction, style.modules) {
            (true, _) => "",
            (false, true) => "export const config = { transaction: false };\n\n",
            (false, false) => "exports.config = { transaction: false };\n\n",
        };
        let way = |name: &str, statements: &[String]| {
            let marked: Vec<_> = statements.iter().map(|statement| statement.replace('?', "\\?")).collect();
            style.function(name, "knex", "Knex", &calls(&marked, "  ", |sql| format!("await knex.raw({sql})")))
        };
        let (up, down) = (way("up", &part.up), way("down", &part.down));
        draft.file(&file, format!("{}{import}{config}{up}\n{down}", comments(part, &file, "down", "//")));
    }
    Ok(draft)
}
