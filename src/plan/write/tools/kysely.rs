//! Kysely: `up` and `down`, given a `db`; all pending migrations in one transaction. Source: kysely-org/kysely src/migration/migrator.ts.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::{Count, instant, stamp};
use super::super::part::Part;
use super::javascript::{Language, Style, calls};
use super::{Writer, comments, never};
use crate::error::Stop;

pub(super) const WRITER: Writer =
    Writer { name: "kysely", sql: false, outside: never, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::STAMP);
    let separator = super::separator(ground, '_');
    let dated = ground.known.iter().filter_map(|known| dated(&known.path)).max();
    let style = Style::of(ground, Language::TypeScript);
    for (n, part) in parts.iter().enumerate() {
        let stem = match &dated {
            Some(last) => {
                let at = stamp(Some(*last), false, n, ground.now);
                format!("{}_{}", at.strftime("%Y-%m-%dT%H%M%S"), part.name)
            }
            None => format!("{}{separator}{}", count.next(n, ground.now), part.name),
        };
        let file = format!("{stem}{}", style.ending);
        let import = match (style.typed, style.modules) {
            (true, _) => "import { type Kysely, sql } from 'kysely';\n\n",
            (false, true) => "import { sql } from 'kysely';\n\n",
            (false, false) => "const { sql } = require('kysely');\n\n",
        };
        let way = |name: &str, statements: &[String]| {
            let body = calls(statements, "  ", |sql| format!("await sql.raw({sql}).execute(db)"));
            style.function(name, "db", "Kysely<any>", &body)
        };
        let (up, down) = (way("up", &part.up), way("down", &part.down));
        draft.file(&file, format!("{}{import}{up}\n{down}", comments(part, &file, "down", "//")));
        super::by_hand(&mut draft, part, &stem, &file);
    }
    draft.note(
        "Kysely runs all pending migrations in one transaction: deploy them one after the other where tables are busy.",
    );
    Ok(draft)
}

/// `2024-05-03…`: a date with hyphens, and with or without a time.
fn dated(path: &str) -> Option<jiff::civil::DateTime> {
    let base = path.rsplit('/').next().unwrap_or(path);
    let hyphens = base
        .get(..10)?
        .bytes()
        .enumerate()
        .all(|(at, b)| if matches!(at, 4 | 7) { b == b'-' } else { b.is_ascii_digit() });
    let time = base[10..].starts_with('T');
    let digits: String = base.chars().filter(char::is_ascii_digit).take(if time { 14 } else { 8 }).collect();
    hyphens.then(|| instant(&digits)).flatten()
}
