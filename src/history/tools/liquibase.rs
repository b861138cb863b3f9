//! Liquibase: SQL that begins with `--liquibase formatted sql`, and change logs in XML, YAML and JSON.
//! Source: liquibase-standard parser/AbstractFormattedChangeLogParser.java.

use super::sections::remark;
use super::{Claim, Dir, Kind, Planned, Tool, whole};
use std::ops::Range;

pub(super) const TOOL: Tool = Tool { name: "liquibase", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let mut migrations = Vec::new();
    let mut master: Option<String> = None;
    let all = dir.all_files();
    let mut run = Vec::new();
    for file in &all {
        let ending = file.rsplit('.').next().unwrap_or_default().to_lowercase();
        let kind = match ending.as_str() {
            "sql" => Kind::Sql(changesets),
            "xml" | "yaml" | "yml" | "json" => Kind::Changelog,
            _ => continue,
        };
        // Of SQL the first line says it, of a folder that may hold thousands of files.
        let text = if matches!(kind, Kind::Sql(_)) { dir.first_line(file) } else { dir.text(file) };
        let Some(text) = text else { continue };
        let own = match kind {
            Kind::Sql(_) => {
                text.trim_start().starts_with("--") && text.to_lowercase().contains("liquibase formatted sql")
            }
            _ => text.contains("databaseChangeLog"),
        };
        if !own {
            continue;
        }
        let includes = text.contains("include");
        if matches!(kind, Kind::Changelog) {
            let scripts = scripts(&text, file, &all).into_iter();
            run.extend(
                scripts.map(|script| (dir.path(file), Planned::new(dir, script, script, script, Kind::Sql(whole)))),
            );
        }
        if includes && matches!(kind, Kind::Changelog) && master.is_none() {
            master = Some(text);
        }
        migrations.push(Planned::new(dir, file, file.as_str(), file.as_str(), kind));
    }
    // The master names its files in the order in which they run; the rest comes by name.
    if let Some(master) = master {
        let position = |planned: &Planned| {
            let base = planned.path.rsplit('/').next().unwrap_or(&planned.path);
            master.find(base).unwrap_or(usize::MAX)
        };
        migrations.sort_by_key(|planned| (position(planned), planned.path.clone()));
    }
    // A script runs where its change log does; which of the log's own changes come before it, is not asked.
    for (changelog, planned) in run.into_iter().rev() {
        let after = migrations.iter().position(|known| known.path == changelog).map_or(migrations.len(), |at| at + 1);
        if !migrations.iter().any(|known| known.path == planned.path) {
            migrations.insert(after, planned);
        }
    }
    Some(Claim { sure: 90, migrations, notes: Vec::new() })
}

/// Each change set is sent on its own, so that a semicolon may be missing at its end; those for other databases are not sent.
fn changesets(text: &str) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut delimiter = None;
    let (mut start, mut at, mut here) = (0, 0, true);
    for line in text.split_inclusive('\n') {
        let head = remark(line.trim_start()).filter(|words| words.starts_with("changeset "));
        let ends = head.is_some() || delimiter.as_deref() == Some(line.trim());
        if ends && here {
            parts.push(start..at);
        }
        if ends {
            start = if head.is_some() { at } else { at + line.len() };
        }
        if let Some(head) = head {
            here = attribute(&head, "dbms").is_none_or(|dbms| dbms.contains("postgres") || dbms.contains("all"));
            delimiter = attribute(&head, "enddelimiter").filter(|delimiter| delimiter != ";");
        }
        at += line.len();
    }
    if here {
        parts.push(start..text.len());
    }
    parts
}

/// `dbms:postgresql`, `dbms:"h2, mysql"`
fn attribute(head: &str, name: &str) -> Option<String> {
    let value = head.split_once(&format!(" {name}:"))?.1;
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => value.split_whitespace().next(),
    };
    value.map(str::to_owned)
}

/// The scripts that a change log runs by `sqlFile`, of those in the folder.
fn scripts<'f>(text: &str, changelog: &str, files: &'f [String]) -> Vec<&'f String> {
    let mut found: Vec<(usize, &String)> = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("sqlFile") {
        let here = from + at;
        let rest = &text[here..];
        let path = rest.find("path").map(|path| rest[path + 4..].trim_start_matches([' ', '=', ':', '"', '\'']));
        let path = path.and_then(|path| path.split(['"', '\'', '\n', ',', '}']).next()).unwrap_or_default().trim();
        let beside = changelog.rsplit_once('/').map_or_else(|| path.to_owned(), |(dir, _)| format!("{dir}/{path}"));
        let fits = |file: &&String| **file == beside || **file == path || path.ends_with(&format!("/{file}"));
        let below = |file: &&String| file.ends_with(&format!("/{}", path.trim_start_matches("./")));
        let file = files.iter().find(fits).or_else(|| files.iter().find(below)).filter(|_| path.ends_with(".sql"));
        found.extend(file.map(|file| (here, file)));
        from = here + "sqlFile".len();
    }
    found.dedup_by_key(|(_, file)| *file);
    found.into_iter().map(|(_, file)| file).collect()
}
