//! node-pg-migrate: scripts, or SQL with both ways in one file; only a script can do without a transaction.
//! Source: salsita/node-pg-migrate src/{sqlMigration,migrationLoader}.ts.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::javascript::{Language, Style, calls};
use super::{Writer, comments, each};
use crate::error::Stop;
use crate::plan::lint::Way;

pub(super) const WRITER: Writer = Writer {
    name: "node-pg-migrate",
    sql: true,
    outside: each,
    marks: &["up migration", "down migration"],
    anywhere: &[],
    draft,
};

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::Millis { last: 0 });
    let separator = super::separator(ground, '_');
    let sql = ground.known.last().is_some_and(|known| known.path.ends_with(".sql"));
    let style = style(ground);
    for (n, part) in parts.iter().enumerate() {
        let stem = format!("{}{separator}{}", count.next(n, ground.now), part.name.replace('_', "-"));
        if sql && part.transaction {
            let file = format!("{stem}.sql");
            let head = script::head(part, &file, Way::Up, "below");
            let (up, down) = (script::body(&part.up), script::body(&part.down));
            let rest = format!("-- Up Migration\n\n{up}\n-- Down Migration\n\n{down}");
            draft.file(file, script::sheet(part, "", &head, &rest));
        } else {
            let file = format!("{stem}{}", style.ending);
            draft.file(&file, script_file(part, &file, &style));
        }
    }
    Ok(draft)
}

fn script_file(part: &Part<'_>, file: &str, style: &Style) -> String {
    let import = if style.typed { "import type { MigrationBuilder } from 'node-pg-migrate';\n\n" } else { "" };
    let way = |name: &str, statements: &[String]| {
        let alone = if part.transaction { "" } else { "  pgm.noTransaction();\n" };
        let body = calls(statements, "  ", |sql| format!("pgm.sql({sql})"));
        style.function(name, "pgm", "MigrationBuilder", &format!("{alone}{body}"))
    };
    format!("{}{import}{}\n{}", comments(part, file, "down", "//"), way("up", &part.up), way("down", &part.down))
}

/// A folder of SQL alone says nothing about scripts; its package does.
fn style(ground: &Ground) -> Style {
    let style = Style::of(ground, Language::JavaScript);
    if !style.text.is_empty() {
        return style;
    }
    let modules =
        ground.above("package.json").is_some_and(|text| text.replace(' ', "").contains("\"type\":\"module\""));
    Style { ending: ".js".into(), typed: false, modules, text: String::new() }
}
