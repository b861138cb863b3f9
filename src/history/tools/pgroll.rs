//! pgroll: one JSON or YAML file of operations a migration, by name. Source: xataio/pgroll pkg/migrations.

use super::{Claim, Dir, Kind, Planned, Tool};

pub(super) const TOOL: Tool = Tool { name: "pgroll", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let endings = [".json", ".yaml", ".yml"];
    let files: Vec<_> =
        dir.files().filter(|file| endings.iter().any(|ending| file.ends_with(ending))).map(str::to_owned).collect();
    if !dir.any_text(&files, |text| {
        text.contains("operations")
            && (text.contains("create_table") || text.contains("\"sql\"") || text.contains("add_column"))
    }) {
        return None;
    }
    let planned = |file: &String| {
        let stem = endings.iter().find_map(|ending| file.strip_suffix(ending)).unwrap_or(file);
        Planned::new(dir, file, stem, stem, Kind::Operations)
    };
    Some(Claim { sure: 80, migrations: files.iter().map(planned).collect(), notes: Vec::new() })
}
