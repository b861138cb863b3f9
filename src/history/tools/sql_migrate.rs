//! sql-migrate: `-- +migrate Up [notransaction]` and `-- +migrate Down`. Source: rubenv/sql-migrate sqlparse.

use super::sections::{Mark, remark, up};
use super::{Claim, Dir, Kind, Planned, Tool};
use std::ops::Range;

pub(super) const TOOL: Tool = Tool { name: "sql-migrate", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let files: Vec<_> = dir.files().filter(|file| file.ends_with(".sql")).map(str::to_owned).collect();
    if !dir.any_text(&files, |text| text.contains("+migrate Up")) {
        return None;
    }
    let planned =
        |file: &String| Planned::new(dir, file, file.as_str(), file.trim_end_matches(".sql"), Kind::Sql(ways));
    Some(Claim { sure: 90, migrations: files.iter().map(planned).collect(), notes: Vec::new() })
}

fn ways(text: &str) -> Vec<Range<usize>> {
    up(text, false, |line| {
        let words = remark(line)?;
        let direction = words.strip_prefix("+migrate")?.trim_start();
        match direction.split_whitespace().next()? {
            "up" => Some(Mark::Up),
            "down" => Some(Mark::Down),
            _ => None,
        }
    })
}
