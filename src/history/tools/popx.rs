//! ory's popx: `<version>_<name>[.<dialect>][.autocommit].up.sql`. Source: ory/kratos oryx/popx/match.go.

use super::version::{compare, leading_digits};
use super::{Claim, Dir, Kind, Planned, Tool, whole};

pub(super) const TOOL: Tool = Tool { name: "popx", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let files: Vec<_> = dir.files().filter(|file| file.ends_with(".up.sql")).collect();
    let dialects = ["postgres", "cockroach", "mysql", "sqlite", "sqlite3"];
    let dialect = |file: &str| file.split('.').find(|part| dialects.contains(part)).map(str::to_owned);
    if !files.iter().any(|file| dialect(file).is_some() || file.contains(".autocommit.")) {
        return None;
    }
    let mut migrations: Vec<Planned> = Vec::new();
    for file in files {
        let Some((version, rest)) = leading_digits(file) else { continue };
        let own = dialect(file);
        if own.as_deref().is_some_and(|dialect| dialect != "postgres") {
            continue;
        }
        let name = rest.trim_start_matches('_').split('.').next().unwrap_or_default();
        // The file of the dialect takes the place of the one for all.
        if own.is_some() {
            migrations.retain(|known| known.version != version);
        } else if migrations.iter().any(|known| known.version == version) {
            continue;
        }
        migrations.push(Planned::new(dir, file, version, name, Kind::Sql(whole)));
    }
    migrations.sort_by(|a, b| compare(&a.version, &b.version));
    Some(Claim { sure: 85, migrations, notes: Vec::new() })
}
