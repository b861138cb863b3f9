//! SQL files that some script runs by name: what is left when no tool's own mark is there.

use super::version::compare;
use super::{Claim, Dir, Kind, Planned, Tool, whole};

pub(super) const TOOL: Tool = Tool { name: "plain-sql", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let ways_down = [".down.sql", ".rollback.sql", "_down.sql", "_rollback.sql", ".undo.sql", ".revert.sql"];
    let is_up = |file: &&str| file.ends_with(".sql") && !ways_down.iter().any(|ending| file.ends_with(ending));
    let mut files: Vec<_> = dir.files().filter(is_up).collect();
    files.sort_by(|a, b| compare_names(a, b));
    let planned = |file: &str| {
        let stem = file.trim_end_matches(".sql");
        Planned::new(dir, file, stem, stem, Kind::Sql(whole))
    };
    Some(Claim { sure: 10, migrations: files.into_iter().map(planned).collect(), notes: Vec::new() })
}

/// `2_b` comes before `10_a`, as whoever numbers files means it.
fn compare_names(a: &str, b: &str) -> std::cmp::Ordering {
    let digits = |name: &str| super::version::leading_digits(name).map(|(digits, _)| digits.to_owned());
    match (digits(a), digits(b)) {
        (Some(x), Some(y)) => compare(&x, &y).then_with(|| a.cmp(b)),
        _ => a.cmp(b),
    }
}
