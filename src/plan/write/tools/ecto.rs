//! Ecto: a module with `up` and `down` that execute SQL, each statement over any connection of the pool.
//! Source: elixir-ecto/ecto_sql lib/ecto/{migration,migrator}.ex.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::quote::{camel, elixir};
use super::{Writer, comments, pooled};
use crate::error::Stop;

pub(super) const WRITER: Writer =
    Writer { name: "ecto", sql: false, outside: pooled, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::STAMP);
    let newest = ground.newest(".exs").unwrap_or_default();
    let module = newest.lines().find_map(|line| line.trim().strip_prefix("defmodule ")?.split_whitespace().next());
    let module = module.and_then(|module| module.rsplit_once('.')).map_or("Repo.Migrations", |(module, _)| module);
    for (n, part) in parts.iter().enumerate() {
        let file = format!("{}_{}.exs", count.next(n, ground.now), part.name);
        let alone =
            if part.transaction { "" } else { "  @disable_ddl_transaction true\n  @disable_migration_lock true\n\n" };
        let text = format!(
            "{}defmodule {module}.{} do\n  use Ecto.Migration\n\n{alone}  def up do\n{}  end\n\n  def down do\n{}  end\nend\n",
            comments(part, &file, "down", "#"),
            camel(&part.name),
            body(&part.up),
            body(&part.down),
        );
        draft.file(file, text);
    }
    Ok(draft)
}

fn body(statements: &[String]) -> String {
    if statements.is_empty() {
        return "    :ok\n".to_owned();
    }
    statements.iter().map(|statement| format!("    execute({})\n", elixir(statement))).collect()
}
