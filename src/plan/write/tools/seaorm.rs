//! SeaORM: a module with `up` and `down`, and a list that names it. From 2.0 on a migration may do without a transaction.
//! Source: SeaQL/sea-orm sea-orm-migration/src/{lib,migrator/exec}.rs.

use super::super::draft::{Continued, Draft};
use super::super::ground::Ground;
use super::super::number::{instant, stamp};
use super::super::part::{Outside, Part};
use super::super::quote::rust;
use super::{Writer, comments};
use crate::error::Stop;

pub(super) const WRITER: Writer = Writer { name: "sea-orm", sql: false, outside, marks: &[], anywhere: &[], draft };

/// By the version that Cargo.toml asks for.
fn outside(ground: &Ground) -> Outside {
    let manifest = ground.above("Cargo.toml").unwrap_or_default();
    let behind = manifest.split_once("sea-orm-migration").and_then(|(_, rest)| rest.split_once('"'));
    let major: Option<u32> = behind.and_then(|(_, rest)| {
        let digits: String =
            rest.trim_start_matches(['=', '^', '~', '>', ' ']).chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    if major.is_some_and(|major| major >= 2) { Outside::Pooled } else { Outside::Never }
}

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let last = ground.known.iter().filter_map(|known| {
        let digits: String = known.version.chars().filter(char::is_ascii_digit).take(14).collect();
        instant(&digits)
    });
    let last = last.max();
    let mut modules = Vec::new();
    for (n, part) in parts.iter().enumerate() {
        let module = format!("m{}_{}", stamp(last, false, n, ground.now).strftime("%Y%m%d_%H%M%S"), part.name);
        let file = format!("{module}.rs");
        let alone = if part.transaction {
            ""
        } else {
            "    fn use_transaction(&self) -> Option<bool> {\n        Some(false)\n    }\n\n"
        };
        let way = |name: &str, statements: &[String]| {
            let given = if statements.is_empty() { "_manager" } else { "manager" };
            let each = statements.iter().map(|sql| format!("        db.execute_unprepared({}).await?;\n", rust(sql)));
            let db = if statements.is_empty() { "" } else { "        let db = manager.get_connection();\n" };
            format!(
                "    async fn {name}(&self, {given}: &SchemaManager) -> Result<(), DbErr> {{\n{db}{}        Ok(())\n    }}\n",
                each.collect::<String>()
            )
        };
        let text = format!(
            "{}use sea_orm_migration::prelude::*;\n\n#[derive(DeriveMigrationName)]\npub struct Migration;\n\n#[async_trait::async_trait]\n\
             impl MigrationTrait for Migration {{\n{alone}{}\n{}}}\n",
            comments(part, &file, "down", "//"),
            way("up", &part.up),
            way("down", &part.down),
        );
        draft.file(&file, text);
        super::by_hand(&mut draft, part, &module, &file);
        modules.push(module);
    }
    list(ground, &modules, &mut draft)?;
    Ok(draft)
}

/// The list that `Migrator::migrations()` gives, and the modules above it.
fn list(ground: &Ground, modules: &[String], draft: &mut Draft) -> Result<(), Stop> {
    for path in ["lib.rs", "mod.rs", "migrator.rs"].into_iter().filter(|path| ground.has(path)) {
        let before = ground.must_read(path)?;
        if let Some(after) = named(&before, modules) {
            draft.continued.push(Continued { path: path.to_owned(), before: Some(before), after });
            return Ok(());
        }
    }
    draft.note(format!("Name the new modules, in their order, in Migrator::migrations(): {}.", modules.join(", ")));
    Ok(())
}

fn named(text: &str, modules: &[String]) -> Option<String> {
    let is_module = |line: &str| {
        let line = line.trim_start().trim_start_matches("pub ");
        line.starts_with("mod m") && line.trim_end().ends_with(';')
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let last_module = lines.iter().rposition(|line| is_module(line))?;
    let last_entry = lines.iter().rposition(|line| line.contains("::Migration)"))?;
    let entry = lines[last_entry];
    // Only where each stands on a line of its own.
    if last_entry < last_module || !entry.trim_start().starts_with("Box::new(") || !entry.trim_end().ends_with(',') {
        return None;
    }
    let indent = &entry[..entry.len() - entry.trim_start().len()];
    let visible = if lines[last_module].trim_start().starts_with("pub ") { "pub " } else { "" };
    let mut after = String::with_capacity(text.len() + 100 * modules.len());
    for (at, line) in lines.iter().enumerate() {
        after.push_str(line);
        if at == last_module {
            modules.iter().for_each(|module| after.push_str(&format!("{visible}mod {module};\n")));
        }
        if at == last_entry {
            modules.iter().for_each(|module| after.push_str(&format!("{indent}Box::new({module}::Migration),\n")));
        }
    }
    Some(after)
}
