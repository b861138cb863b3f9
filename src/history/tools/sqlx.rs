//! sqlx: `<version>_<description>.sql`, or pairs of `.up.sql` and `.down.sql`.
//! Source: sqlx-core/src/migrate/{source,migration_type}.rs.

use super::version::numbered;
use super::{Claim, Dir, Kind, Planned, Tool, whole};

pub(super) const TOOL: Tool = Tool { name: "sqlx", claim };

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
    } else {
        30
    };
    let planned = |(file, version, name): (&str, &str, &str)| {
        Planned::new(dir, file, version, name.trim_end_matches(".up").replace('_', " "), Kind::Sql(whole))
    };
    Some(Claim { sure, migrations: up.into_iter().map(planned).collect(), notes: Vec::new() })
}
