//! Rails: a class with `up` and `down` that execute SQL. Source: rails/rails activerecord/lib/active_record/migration.rb.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::quote::{camel, ruby};
use super::{Writer, comments, each};
use crate::error::Stop;

pub(super) const WRITER: Writer = Writer { name: "rails", sql: false, outside: each, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::STAMP);
    let newest = ground.newest(".rb").unwrap_or_default();
    let version = newest.split_once("ActiveRecord::Migration[").and_then(|(_, rest)| rest.split_once(']'));
    let version = version.map_or("7.0", |(version, _)| version);
    // strong_migrations refuses what it cannot read.
    let strong = ["Gemfile.lock", "Gemfile"]
        .iter()
        .filter_map(|file| ground.above(file))
        .any(|text| text.contains("strong_migrations"));
    for (n, part) in parts.iter().enumerate() {
        let file = format!("{}_{}.rb", count.next(n, ground.now), part.name);
        let alone = if part.transaction { "" } else { "  disable_ddl_transaction!\n\n" };
        let text = format!(
            "# frozen_string_literal: true\n\n{}class {} < ActiveRecord::Migration[{version}]\n{alone}  def up\n{}  end\n\n  def down\n{}  end\nend\n",
            comments(part, &file, "def down", "#"),
            camel(&part.name),
            body(&part.up, strong),
            body(&part.down, strong),
        );
        draft.file(file, text);
    }
    draft.note("schema.rb cannot hold policies: set config.active_record.schema_format = :sql.");
    Ok(draft)
}

fn body(statements: &[String], strong: bool) -> String {
    let each = statements.iter().map(|statement| {
        let (opening, text) = ruby(statement);
        if strong {
            format!("    safety_assured {{ execute {opening} }}\n{text}")
        } else {
            format!("    execute {opening}\n{text}")
        }
    });
    each.collect()
}
