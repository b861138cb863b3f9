//! refinery: `V<n>__name.sql` or `.rs`, `U<n>__name` out of order. Source: rust-db/refinery refinery_core/src/util.rs.

use super::flyway::parts;
use super::version::compare;
use super::{Claim, Dir, Kind, Planned, Tool, whole};
use crate::history::code::Language;

pub(super) const TOOL: Tool = Tool { name: "refinery", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    // Flyway names its files the same way; a crate that uses refinery says so.
    let manifest = dir.near_path(&["Cargo.toml"]).map(|path| std::fs::read_to_string(path).unwrap_or_default());
    let mut migrations = Vec::new();
    for file in dir.all_files() {
        let base = file.rsplit('/').next().unwrap_or(&file);
        let kind = if base.ends_with(".sql") { Kind::Sql(whole) } else { Kind::Code(Language::Rust) };
        let stem = base.strip_suffix(".sql").or_else(|| base.strip_suffix(".rs"));
        if let Some(('V' | 'U', version, name)) = stem.and_then(parts) {
            migrations.push(Planned::new(dir, &file, version, name, kind));
        }
    }
    migrations.sort_by(|a, b| compare(&a.version, &b.version));
    let sure = match manifest {
        Some(manifest) if manifest.contains("refinery") => 88,
        Some(_) => 60,
        None => 10,
    };
    Some(Claim { sure, migrations, notes: Vec::new() })
}
