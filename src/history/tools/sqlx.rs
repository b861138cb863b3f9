//! sqlx: `<version>_<description>.sql`, or pairs of `.up.sql` and `.down.sql`.
//! Source: sqlx-core/src/migrate/{source,migration_type}.rs.

use super::version::numbered;
use super::{Claim, Dir, Kind, Planned, Tool, whole};

pub(super) const TOOL: Tool = Tool { name: "sqlx", claim };

/// What projects in other languages have at their root.
const OTHERS: [&str; 9] = [
    "package.json",
    "go.mod",
    "pyproject.toml",
    "requirements.txt",
    "Gemfile",
    "mix.exs",
    "pom.xml",
    "build.gradle",
    "composer.json",
];

/// Digits of the versions that `sqlx migrate add` gives; fewer are anybody's.
const MADE_BY_THE_TOOL: usize = 14;

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let files = numbered(dir.files(), ".sql");
    let up: Vec<_> = files.into_iter().filter(|(file, ..)| !file.ends_with(".down.sql")).collect();
    let names: Vec<_> = up.iter().map(|(file, ..)| (*file).to_owned()).collect();
    let own = |text: &str| {
        text.starts_with("-- Add migration script here") || text.starts_with("-- Add up migration script here")
    };
    let sure = if dir.near(&["sqlx.toml"]) || dir.any_text(&names, own) {
        80
    } else if dir.near(&["Cargo.toml"]) {
        60
    } else if dir.near(&OTHERS) || !up.iter().any(|(_, version, _)| version.len() >= MADE_BY_THE_TOOL) {
        5
    } else {
        30
    };
    let planned = |(file, version, name): (&str, &str, &str)| {
        Planned::new(dir, file, version, name.trim_end_matches(".up").replace('_', " "), Kind::Sql(whole))
    };
    Some(Claim { sure, migrations: up.into_iter().map(planned).collect(), notes: Vec::new() })
}
