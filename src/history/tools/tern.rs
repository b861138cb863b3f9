//! tern: `<n>_name.sql`; what stands below `---- create above / drop below ----` leads down.
//! Source: jackc/tern migrate/migrate.go.

use super::sections::{Mark, up};
use super::version::numbered;
use super::{Claim, Dir, Kind, Planned, Tool};
use std::ops::Range;

const DIVIDER: &str = "---- create above / drop below ----";

pub(super) const TOOL: Tool = Tool { name: "tern", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let files = numbered(dir.files(), ".sql");
    let names: Vec<_> = files.iter().map(|(file, ..)| (*file).to_owned()).collect();
    if !dir.has("tern.conf") && !dir.any_text(&names, |text| text.contains(DIVIDER)) {
        return None;
    }
    let planned = |(file, version, name): (&str, &str, &str)| Planned::new(dir, file, version, name, Kind::Sql(ways));
    Some(Claim { sure: 90, migrations: files.into_iter().map(planned).collect(), notes: Vec::new() })
}

fn ways(text: &str) -> Vec<Range<usize>> {
    up(text, true, |line| (line == DIVIDER).then_some(Mark::Down))
}
