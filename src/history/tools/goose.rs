//! goose: `<n>_name.sql` or `.go`, with `-- +goose Up` and `-- +goose Down`. Source: pressly/goose internal/sqlparser.

use super::sections::{Mark, remark, up};
use super::version::numbered;
use super::{Claim, Dir, Kind, Planned, Tool};
use crate::history::code::Language;
use std::ops::Range;

pub(super) const TOOL: Tool = Tool { name: "goose", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let mut files = numbered(dir.files(), ".sql");
    let names: Vec<_> = files.iter().map(|(file, ..)| (*file).to_owned()).collect();
    if !dir.any_text(&names, |text| text.to_lowercase().contains("+goose up")) {
        return None;
    }
    files.extend(numbered(dir.files(), ".go").into_iter().filter(|(file, ..)| !file.ends_with("_test.go")));
    files.sort_by(|a, b| super::version::compare(a.1, b.1));
    let planned = |(file, version, name): (&str, &str, &str)| {
        let kind = if file.ends_with(".go") { Kind::Code(Language::Go) } else { Kind::Sql(ways) };
        Planned::new(dir, file, version, name, kind)
    };
    Some(Claim { sure: 90, migrations: files.into_iter().map(planned).collect(), notes: Vec::new() })
}

fn ways(text: &str) -> Vec<Range<usize>> {
    up(text, false, |line| match remark(line)?.strip_prefix("+goose")?.trim() {
        "up" => Some(Mark::Up),
        "down" => Some(Mark::Down),
        _ => None,
    })
}
