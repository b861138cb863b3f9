//! What the migration tools of JavaScript and TypeScript share: one script a migration, by name.

use super::version::{compare, leading_digits};
use super::{Claim, Dir, Kind, Planned};
use crate::history::code::Language;
use std::cmp::Ordering;

const ENDINGS: [&str; 6] = [".ts", ".js", ".cts", ".mts", ".cjs", ".mjs"];

/// The scripts of a folder, where one of them is the tool's own by its text.
pub(super) fn scripts(
    dir: Dir<'_>,
    sure: u8,
    order: impl Fn(&Planned, &Planned) -> Ordering,
    own: impl Fn(&str) -> bool,
) -> Option<Claim> {
    let is_script = |file: &&str| {
        ENDINGS.iter().any(|ending| file.ends_with(ending))
            && !file.ends_with(".d.ts")
            && !file.contains(".spec.")
            && !file.contains(".test.")
            && !file.starts_with("index.")
    };
    let files: Vec<_> = dir.files().filter(is_script).map(str::to_owned).collect();
    let dated = |file: &str| file.split(|c: char| !c.is_ascii_digit()).any(|run| run.len() >= 3);
    let own = |text: &str| own(text) && text.contains("up");
    if !files.iter().any(|file| dated(file)) || !dir.any_text(&files, own) {
        return None;
    }
    let mut migrations: Vec<_> = files
        .iter()
        .map(|file| {
            let stem = ENDINGS.iter().find_map(|ending| file.strip_suffix(ending)).unwrap_or(file);
            let (version, name) = leading_digits(stem).unwrap_or((stem, stem));
            Planned::new(dir, file, version, name.trim_start_matches(['_', '-']), Kind::Code(Language::JavaScript))
        })
        .collect();
    migrations.sort_by(|a, b| order(a, b));
    Some(Claim { sure, migrations, notes: Vec::new() })
}

/// As text: `10_b` runs before `9_a`, and `201911…` of seconds before `201912…` of days.
pub(super) fn by_name(a: &Planned, b: &Planned) -> Ordering {
    a.path.cmp(&b.path)
}

/// By the number in the name.
pub(super) fn by_number(a: &Planned, b: &Planned) -> Ordering {
    compare(&a.version, &b.version).then_with(|| a.path.cmp(&b.path))
}
