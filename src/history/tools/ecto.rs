//! Ecto: `priv/repo/migrations/<digits>_name.exs`, by version. Source: elixir-ecto/ecto_sql lib/ecto/migrator.ex.

use super::version::numbered;
use super::{Claim, Dir, Kind, Planned, Tool};
use crate::history::code::Language;

pub(super) const TOOL: Tool = Tool { name: "ecto", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let files = numbered(dir.files(), ".exs");
    let planned = |(file, version, name): (&str, &str, &str)| {
        Planned::new(dir, file, version, name, Kind::Code(Language::Elixir))
    };
    Some(Claim { sure: 90, migrations: files.into_iter().map(planned).collect(), notes: Vec::new() })
}
