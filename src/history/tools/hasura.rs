//! Hasura: `migrations/<database>/<ms>_name/up.sql`. Source: hasura.io/docs, manage migrations.

use super::version::{compare, leading_digits};
use super::{Claim, Dir, Kind, Planned, Tool, whole};

pub(super) const TOOL: Tool = Tool { name: "hasura", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let mut migrations = Vec::new();
    let mut in_milliseconds = 0;
    for folder in dir.folders().filter(|folder| folder.has("up.sql")) {
        let (version, name) = leading_digits(folder.name())?;
        in_milliseconds += usize::from(version.len() == 13);
        let file = format!("{}/up.sql", folder.name());
        migrations.push(Planned::new(dir, &file, version, name.trim_start_matches('_'), Kind::Sql(whole)));
    }
    migrations.sort_by(|a, b| compare(&a.version, &b.version));
    // Somebody may write a number of their own between the tool's.
    (in_milliseconds * 2 > migrations.len()).then_some(Claim { sure: 85, migrations, notes: Vec::new() })
}
