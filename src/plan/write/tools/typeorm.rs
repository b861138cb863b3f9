//! TypeORM: a class named after its timestamp; all statements of it over one connection.
//! Source: typeorm/typeorm src/migration/MigrationExecutor.ts.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::quote::camel;
use super::javascript::{Language, Style, calls};
use super::{Writer, comments, each};
use crate::error::Stop;

pub(super) const WRITER: Writer =
    Writer { name: "typeorm", sql: false, outside: each, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::Millis { last: 0 });
    let style = Style::of(ground, Language::TypeScript);
    for (n, part) in parts.iter().enumerate() {
        let (at, name) = (count.next(n, ground.now), camel(&part.name));
        let class = format!("{name}{at}");
        let file = format!("{at}-{name}{}", style.ending);
        let (lead, given, result) = match (style.typed, style.modules) {
            (true, _) => (
                format!(
                    "import {{ MigrationInterface, QueryRunner }} from \"typeorm\";\n\nexport class {class} implements MigrationInterface {{\n"
                ),
                "queryRunner: QueryRunner",
                ": Promise<void>",
            ),
            (false, true) => (format!("export class {class} {{\n"), "queryRunner", ""),
            (false, false) => (format!("module.exports = class {class} {{\n"), "queryRunner", ""),
        };
        let way = |name: &str, statements: &[String]| {
            let body = calls(statements, "    ", |sql| format!("await queryRunner.query({sql})"));
            format!("  async {name}({given}){result} {{\n{body}  }}\n")
        };
        let alone = if part.transaction { "" } else { "  transaction = false;\n" };
        let (up, down) = (way("up", &part.up), way("down", &part.down));
        let head = comments(part, &file, "down", "//");
        draft.file(&file, format!("{head}{lead}  name = \"{class}\";\n{alone}\n{up}\n{down}}}\n"));
        if !part.transaction {
            draft.note("Run the migrations with --transaction each: with all, the default, TypeORM refuses one that wants none.");
            draft.note("Take one that wants no transaction back with migration:revert --transaction none: there TypeORM does not ask the migration.");
        }
    }
    Ok(draft)
}
