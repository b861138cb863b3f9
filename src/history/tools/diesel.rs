//! Diesel: `<version>_<name>/up.sql`; the version is what stands before the first `_`, without its hyphens.
//! Source: diesel-rs/diesel diesel_migrations/migrations_internals.

use super::{Claim, Dir, Kind, Planned, Tool, whole};

pub(super) const TOOL: Tool = Tool { name: "diesel", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let mut migrations = Vec::new();
    for folder in dir.folders().filter(|folder| folder.has("up.sql")) {
        let (version, name) = folder.name().split_once('_').unwrap_or((folder.name(), ""));
        let file = format!("{}/up.sql", folder.name());
        migrations.push(Planned::new(dir, &file, version.replace('-', ""), name, Kind::Sql(whole)));
    }
    migrations.sort_by(|a, b| a.version.cmp(&b.version));
    let sure = if dir.near(&["diesel.toml"]) || dir.folders().any(|f| f.name() == "00000000000000_diesel_initial_setup")
    {
        90
    } else {
        60
    };
    Some(Claim { sure, migrations, notes: Vec::new() })
}
