//! Sequelize: `up` and `down`, given a `queryInterface`; no transaction but the one they open.
//! Source: sequelize/cli src/core/migrator.js.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::javascript::{Language, Style, calls};
use super::{Writer, comments, pooled};
use crate::error::Stop;

pub(super) const WRITER: Writer =
    Writer { name: "sequelize", sql: false, outside: pooled, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::STAMP);
    let separator = super::separator(ground, '-');
    let style = Style::of(ground, Language::JavaScript);
    // umzug hands over a context instead.
    let given = if style.text.contains("context") { "{ context: queryInterface }" } else { "queryInterface" };
    let typed = if style.typed { ": any" } else { "" };
    let functions = style.text.contains("export async function up") || style.text.contains("export const up");
    for (n, part) in parts.iter().enumerate() {
        let file = format!("{}{separator}{}{}", count.next(n, ground.now), part.name.replace('_', "-"), style.ending);
        let way = |name: &str, statements: &[String]| {
            let body = body(statements, part.transaction);
            if functions {
                format!("export async function {name}({given}{typed}) {{\n{body}}}\n")
            } else {
                format!("  async {name}({given}{typed}) {{\n{body}  }},\n")
            }
        };
        let ways = format!("{}\n{}", way("up", &part.up), way("down", &part.down));
        let frame = match (functions, style.text.contains("export default")) {
            (true, _) => ways,
            (false, true) => format!("export default {{\n{ways}}};\n"),
            (false, false) => format!("'use strict';\n\nmodule.exports = {{\n{ways}}};\n"),
        };
        draft.file(&file, format!("{}{frame}", comments(part, &file, "down", "//")));
    }
    Ok(draft)
}

fn body(statements: &[String], transaction: bool) -> String {
    if !transaction {
        return calls(statements, "    ", |sql| format!("await queryInterface.sequelize.query({sql})"));
    }
    if statements.is_empty() {
        return String::new();
    }
    let each =
        calls(statements, "      ", |sql| format!("await queryInterface.sequelize.query({sql}, {{ transaction }})"));
    format!("    await queryInterface.sequelize.transaction(async (transaction) => {{\n{each}    }});\n")
}
