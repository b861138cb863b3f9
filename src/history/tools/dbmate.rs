//! dbmate: `<digits>….sql` with `-- migrate:up` and `-- migrate:down`, several of each where wanted.
//! Source: amacneil/dbmate pkg/dbmate/migration.go.

use super::sections::{Mark, remark, up};
use super::version::leading_digits;
use super::{Claim, Dir, Kind, Planned, Tool};
use std::ops::Range;

pub(super) const TOOL: Tool = Tool { name: "dbmate", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let files = dir.files().filter(|file| file.ends_with(".sql") && leading_digits(file).is_some());
    let files: Vec<_> = files.map(str::to_owned).collect();
    if !dir.any_text(&files, |text| text.lines().any(|line| mark(line) == Some(Mark::Up))) {
        return None;
    }
    let planned = |file: &String| {
        let (version, rest) = leading_digits(file)?;
        Some(Planned::new(dir, file, version, super::version::rest(rest, ".sql"), Kind::Sql(ways)))
    };
    Some(Claim { sure: 90, migrations: files.iter().filter_map(planned).collect(), notes: Vec::new() })
}

fn mark(line: &str) -> Option<Mark> {
    let words = remark(line)?;
    let directive = words.split_whitespace().next()?.to_owned();
    match directive.as_str() {
        "migrate:up" => Some(Mark::Up),
        "migrate:down" => Some(Mark::Down),
        _ => None,
    }
}

fn ways(text: &str) -> Vec<Range<usize>> {
    up(text, false, mark)
}
