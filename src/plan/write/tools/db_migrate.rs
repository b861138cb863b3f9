//! db-migrate: scripts that are given a `db`; each runs in one transaction, which only the command line can do without.
//! Source: db-migrate/node-db-migrate lib/{migrator,skeleton}.js.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::javascript::calls;
use super::{Writer, comments, never};
use crate::error::Stop;

pub(super) const WRITER: Writer =
    Writer { name: "db-migrate", sql: false, outside: never, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::STAMP);
    for (n, part) in parts.iter().enumerate() {
        let file = format!("{}-{}.js", count.next(n, ground.now), part.name.replace('_', "-"));
        let way = |name: &str, statements: &[String]| {
            let body = calls(statements, "  ", |sql| format!("await db.runSql({sql})"));
            format!("exports.{name} = async function (db) {{\n{body}}};\n")
        };
        let (up, down) = (way("up", &part.up), way("down", &part.down));
        let setup =
            "'use strict';\n\nlet dbm;\n\nexports.setup = function (options) {\n  dbm = options.dbmigrate;\n};\n\n";
        let meta = "\nexports._meta = { version: 1 };\n";
        draft.file(&file, format!("{}{setup}{up}\n{down}{meta}", comments(part, &file, "down", "//")));
    }
    Ok(draft)
}
