//! SQL files that some script runs by name: what is left when no tool's own mark is there.

use super::version::compare;
use super::{Claim, Dir, Kind, Planned, Tool, whole};

pub(super) const TOOL: Tool = Tool { name: "plain-sql", claim };

/// Names of files that lead down beside those that lead up.
const WAYS_DOWN: [&str; 8] = [
    ".down.sql",
    ".rollback.sql",
    "_down.sql",
    "_rollback.sql",
    "-down.sql",
    "-rollback.sql",
    ".undo.sql",
    ".revert.sql",
];

/// Folders of versions from which on they are what the folder holds.
const FEWEST_VERSIONS: usize = 3;

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let mut sure = 10;
    let mut files = ups(dir, "");
    files.sort_by(|a, b| compare_names(a, b));
    // `3.10/0001_x.sql`: a folder a version, and beside them perhaps a dump of them all.
    let mut versions: Vec<_> = dir.folders().filter(|folder| is_version(folder.name())).collect();
    versions.retain(|folder| !ups(*folder, "").is_empty());
    if versions.len() >= FEWEST_VERSIONS {
        versions.sort_by(|a, b| compare(a.name(), b.name()));
        files.clear();
        for folder in versions {
            let mut below = ups(folder, folder.name());
            below.sort_by(|a, b| compare_names(last(a), last(b)));
            files.extend(below);
        }
        sure = 55;
    }
    let planned = |file: &String| {
        let stem = file.trim_end_matches(".sql").trim_end_matches(".up");
        Planned::new(dir, file, stem, last(stem), Kind::Sql(whole))
    };
    Some(Claim { sure, migrations: files.iter().map(planned).collect(), notes: Vec::new() })
}

/// The files of a folder that lead up, by their path.
fn ups(dir: Dir<'_>, below: &str) -> Vec<String> {
    let is_up = |file: &&str| file.ends_with(".sql") && !WAYS_DOWN.iter().any(|ending| file.ends_with(ending));
    let path = |file: &str| if below.is_empty() { file.to_owned() } else { format!("{below}/{file}") };
    dir.files().filter(is_up).map(path).collect()
}

/// `3`, `0.12`, `v2`.
fn is_version(name: &str) -> bool {
    let digits = name.trim_start_matches('v');
    !digits.is_empty() && digits.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// `2_b` comes before `10_a`, as whoever numbers files means it.
fn compare_names(a: &str, b: &str) -> std::cmp::Ordering {
    let digits = |name: &str| super::version::leading_digits(name).map(|(digits, _)| digits.to_owned());
    match (digits(a), digits(b)) {
        (Some(x), Some(y)) => compare(&x, &y).then_with(|| a.cmp(b)),
        _ => a.cmp(b),
    }
}
