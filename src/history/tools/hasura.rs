//! Hasura: `migrations/<database>/<ms>_name/up.sql`. Source: hasura.io/docs, manage migrations.

use super::version::{compare, leading_digits};
use super::{Claim, Dir, Kind, Planned, Tool, whole};

pub(super) const TOOL: Tool = Tool { name: "hasura", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let mut migrations = Vec::new();
    for folder in dir.folders().filter(|folder| folder.has("up.sql")) {
        let (version, name) = leading_digits(folder.name()).filter(|(digits, _)| digits.len() == 13)?;
        let file = format!("{}/up.sql", folder.name());
        migrations.push(Planned::new(dir, &file, version, name.trim_start_matches('_'), Kind::Sql(whole)));
    }
    migrations.sort_by(|a, b| compare(&a.version, &b.version));
    Some(Claim { sure: 85, migrations, notes: Vec::new() })
}
