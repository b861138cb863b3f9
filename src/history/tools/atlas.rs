//! Atlas: `<version>_name.sql` beside `atlas.sum`. Source: ariga/atlas sql/migrate/dir.go.

use super::version::{compare, leading_digits, rest};
use super::{Claim, Dir, Kind, Planned, Tool, whole};

pub(super) const TOOL: Tool = Tool { name: "atlas", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    if !dir.has("atlas.sum") {
        return None;
    }
    let mut migrations = Vec::new();
    for file in dir.files().filter(|file| file.ends_with(".sql") && !file.ends_with(".down.sql")) {
        let (version, name) = leading_digits(file).unwrap_or((file.trim_end_matches(".sql"), ""));
        migrations.push(Planned::new(dir, file, version, rest(name, ".sql"), Kind::Sql(whole)));
    }
    migrations.sort_by(|a, b| compare(&a.version, &b.version));
    // Folders of other tools keep their own marks, and atlas.sum beside them.
    Some(Claim { sure: 82, migrations, notes: Vec::new() })
}
