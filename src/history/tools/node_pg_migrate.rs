//! node-pg-migrate: `<ms>_name.js` and `.ts` that are given `pgm`, or SQL with `-- Up Migration` and `-- Down Migration`.
//! Source: salsita/node-pg-migrate src/{migration,sqlMigration}.ts.

use super::sections::{Mark, remark, up};
use super::version::numbered;
use super::{Claim, Dir, Kind, Planned, Tool};
use crate::history::code::Language;
use std::ops::Range;

pub(super) const TOOL: Tool = Tool { name: "node-pg-migrate", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let mut files = Vec::new();
    for ending in [".sql", ".js", ".ts", ".cjs", ".mjs"] {
        let found = numbered(dir.files(), ending).into_iter();
        files.extend(found.filter(|(file, ..)| !file.ends_with(".down.sql") && !file.ends_with(".d.ts")));
    }
    let names: Vec<_> = files.iter().map(|(file, ..)| (*file).to_owned()).collect();
    let own = |text: &str| {
        text.contains("node-pg-migrate")
            || text.contains("pgm.")
            || text.lines().any(|line| mark(line.trim()) == Some(Mark::Up))
    };
    if !dir.any_text(&names, own) {
        return None;
    }
    files.sort_by(|a, b| super::version::compare(a.1, b.1).then_with(|| a.0.cmp(b.0)));
    let planned = |(file, version, name): (&str, &str, &str)| {
        let kind = if file.ends_with(".sql") { Kind::Sql(ways) } else { Kind::Code(Language::JavaScript) };
        Planned::new(dir, file, version, name, kind)
    };
    Some(Claim { sure: 85, migrations: files.into_iter().map(planned).collect(), notes: Vec::new() })
}

fn mark(line: &str) -> Option<Mark> {
    let words = remark(line)?;
    match words.trim_start_matches(['-', ' ']) {
        "up migration" => Some(Mark::Up),
        "down migration" => Some(Mark::Down),
        _ => None,
    }
}

fn ways(text: &str) -> Vec<Range<usize>> {
    up(text, true, mark)
}
