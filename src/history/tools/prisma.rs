//! Prisma: `<14 digits>_name/migration.sql` beside `migration_lock.toml`. Source: prisma/prisma-engines schema-engine.

use super::version::leading_digits;
use super::{Claim, Dir, Kind, OTHERS, Planned, Tool, whole};

pub(super) const TOOL: Tool = Tool { name: "prisma", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let folders = dir.folders().filter(|folder| folder.has("migration.sql"));
    let planned = |folder: Dir<'_>| {
        let (version, name) = leading_digits(folder.name()).unwrap_or(("", folder.name()));
        let file = format!("{}/migration.sql", folder.name());
        Planned::new(dir, &file, version, name.trim_start_matches('_'), Kind::Sql(whole))
    };
    let sure = match dir.text("migration_lock.toml") {
        Some(lock) if ["mysql", "sqlite", "sqlserver"].iter().any(|other| lock.contains(other)) => OTHERS,
        Some(_) => 95,
        None => 50,
    };
    Some(Claim { sure, migrations: folders.map(planned).collect(), notes: Vec::new() })
}
