//! Liquibase: SQL that begins with `--liquibase formatted sql`, and change logs in XML, YAML and JSON.
//! Source: liquibase-standard parser/AbstractFormattedChangeLogParser.java.

use super::{Claim, Dir, Kind, Planned, Tool};
use std::ops::Range;

pub(super) const TOOL: Tool = Tool { name: "liquibase", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let mut migrations = Vec::new();
    let mut master: Option<String> = None;
    for file in dir.all_files() {
        let ending = file.rsplit('.').next().unwrap_or_default().to_lowercase();
        let kind = match ending.as_str() {
            "sql" => Kind::Sql(changesets),
            "xml" | "yaml" | "yml" | "json" => Kind::Changelog,
            _ => continue,
        };
        let Some(text) = dir.text(&file) else { continue };
        let own = match kind {
            Kind::Sql(_) => {
                let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_lowercase();
                first.trim_start().starts_with("--") && first.contains("liquibase formatted sql")
            }
            _ => text.contains("databaseChangeLog"),
        };
        if !own {
            continue;
        }
        let includes = text.contains("include");
        if includes && matches!(kind, Kind::Changelog) && master.is_none() {
            master = Some(text);
        }
        migrations.push(Planned::new(dir, &file, file.as_str(), file.as_str(), kind));
    }
    // The master names its files in the order in which they run; the rest comes by name.
    if let Some(master) = master {
        let position = |planned: &Planned| {
            let base = planned.path.rsplit('/').next().unwrap_or(&planned.path);
            master.find(base).unwrap_or(usize::MAX)
        };
        migrations.sort_by_key(|planned| (position(planned), planned.path.clone()));
    }
    Some(Claim { sure: 90, migrations, notes: Vec::new() })
}

/// Each change set is sent on its own, so that a semicolon may be missing at its end.
fn changesets(text: &str) -> Vec<Range<usize>> {
    let mut starts = vec![0];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let remark = super::sections::remark(line.trim_start());
        if remark.is_some_and(|words| words.starts_with("changeset ")) {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}
