//! MikroORM: a class whose statements go over the pool where there is no transaction.
//! Source: mikro-orm/mikro-orm packages/migrations/src/MigrationRunner.ts.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::javascript::{Language, Style, calls};
use super::{Writer, comments, pooled};
use crate::error::Stop;

pub(super) const WRITER: Writer =
    Writer { name: "mikro-orm", sql: false, outside: pooled, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let versions = ground.known.iter().map(|known| {
        let stem =
            known.path.rsplit('/').next().unwrap_or(&known.path).trim_start_matches(|c: char| !c.is_ascii_digit());
        super::digits(stem)
    });
    let count = Count::of(versions, Count::STAMP);
    let style = Style::of(ground, Language::TypeScript);
    for (n, part) in parts.iter().enumerate() {
        let class = format!("Migration{}_{}", count.next(n, ground.now), part.name);
        let file = format!("{class}{}", style.ending);
        let (lead, result) = match (style.typed, style.modules) {
            (true, _) => (
                format!(
                    "import {{ Migration }} from '@mikro-orm/migrations';\n\nexport class {class} extends Migration {{\n\n"
                ),
                ": Promise<void>",
            ),
            (false, true) => (
                format!(
                    "import {{ Migration }} from '@mikro-orm/migrations';\n\nexport class {class} extends Migration {{\n\n"
                ),
                "",
            ),
            (false, false) => (
                format!(
                    "const {{ Migration }} = require('@mikro-orm/migrations');\n\nclass {class} extends Migration {{\n\n"
                ),
                "",
            ),
        };
        let word = if style.text.contains("override async up") { "override " } else { "" };
        let alone = match (part.transaction, style.typed) {
            (true, _) => String::new(),
            (false, true) => format!("  {word}isTransactional(): boolean {{\n    return false;\n  }}\n\n"),
            (false, false) => "  isTransactional() {\n    return false;\n  }\n\n".to_owned(),
        };
        let way = |name: &str, statements: &[String]| {
            let body = calls(statements, "    ", |sql| format!("this.addSql({sql})"));
            format!("  {word}async {name}(){result} {{\n{body}  }}\n\n")
        };
        let end = if style.typed || style.modules { String::new() } else { format!("exports.{class} = {class};\n") };
        let (up, down) = (way("up", &part.up), way("down", &part.down));
        let head = comments(part, &file, "down", "//");
        draft.file(&file, format!("{head}{lead}{alone}{up}{down}}}\n{end}"));
        if !part.transaction {
            draft.note(
                "Set migrations.allOrNothing to false: otherwise MikroORM holds one transaction around all migrations.",
            );
        }
    }
    Ok(draft)
}
