//! SeaORM: `m<date>_<time>_name.rs`, in the order of the list that `Migrator::migrations()` gives.
//! Source: SeaQL/sea-orm sea-orm-migration/src/lib.rs.

use super::{Claim, Dir, Kind, Planned, Tool};
use crate::history::code::Language;

pub(super) const TOOL: Tool = Tool { name: "sea-orm", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let is_one = |file: &&str| {
        file.starts_with('m') && file[1..].starts_with(|c: char| c.is_ascii_digit()) && file.ends_with(".rs")
    };
    let mut files: Vec<_> = dir.files().filter(is_one).collect();
    let list = ["lib.rs", "mod.rs", "migrator.rs"].into_iter().find_map(|file| dir.text(file));
    if let Some(list) = list {
        // `Box::new(m2022_x::Migration)`; what the list does not name comes last, by name.
        let position =
            |file: &&str| list.rfind(&format!("{}::Migration", file.trim_end_matches(".rs"))).unwrap_or(usize::MAX);
        files.sort_by_key(|file| (position(file), *file));
    }
    let planned = |file: &str| {
        let stem = file.trim_end_matches(".rs");
        Planned::new(dir, file, stem, stem, Kind::Code(Language::Rust))
    };
    Some(Claim { sure: 88, migrations: files.into_iter().map(planned).collect(), notes: Vec::new() })
}
