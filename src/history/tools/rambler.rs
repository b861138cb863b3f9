//! rambler: `-- rambler up` and `-- rambler down`. Source: elwinar/rambler migration.go.

use super::sections::{Mark, remark, up};
use super::{Claim, Dir, Kind, Planned, Tool};
use std::ops::Range;

pub(super) const TOOL: Tool = Tool { name: "rambler", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let files: Vec<_> = dir.files().filter(|file| file.ends_with(".sql")).map(str::to_owned).collect();
    if !dir.any_text(&files, |text| text.contains("rambler up")) {
        return None;
    }
    let planned =
        |file: &String| Planned::new(dir, file, file.as_str(), file.trim_end_matches(".sql"), Kind::Sql(ways));
    Some(Claim { sure: 90, migrations: files.iter().map(planned).collect(), notes: Vec::new() })
}

fn ways(text: &str) -> Vec<Range<usize>> {
    up(text, false, |line| match remark(line)?.as_str() {
        "rambler up" => Some(Mark::Up),
        "rambler down" => Some(Mark::Down),
        _ => None,
    })
}
