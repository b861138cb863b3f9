//! Drizzle: up to 0.45 `NNNN_name.sql`, of which only those in `meta/_journal.json` are run; from 1.0 on
//! `<14 digits>_name/migration.sql` beside `snapshot.json`. Source: drizzle-team/drizzle-orm src/migrator.ts.

use super::version::leading_digits;
use super::{Claim, Dir, Kind, OTHERS, Planned, Tool, whole};
use crate::history::dates::Dated;
use serde::Deserialize;
use std::collections::BTreeSet;

pub(super) const TOOL: Tool = Tool { name: "drizzle", claim };

#[derive(Deserialize)]
struct Journal {
    dialect: Option<String>,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    idx: i64,
    when: i64,
    tag: String,
}

fn claim(dir: Dir<'_>) -> Option<Claim> {
    match dir.text("meta/_journal.json") {
        Some(text) => journal(dir, &text),
        None => folders(dir),
    }
}

fn journal(dir: Dir<'_>, text: &str) -> Option<Claim> {
    let journal: Journal = serde_json::from_str(text).ok()?;
    // Another database's: what it is called says so.
    let ours = journal.dialect.is_none_or(|dialect| dialect.starts_with("pg") || dialect.starts_with("postgres"));
    let mut claim = Claim { sure: if ours { 95 } else { OTHERS }, ..Claim::default() };
    let mut listed = BTreeSet::new();
    for entry in &journal.entries {
        let file = format!("{}.sql", entry.tag);
        if !dir.has(&file) {
            claim.notes.push(format!("the journal names {file}, which is not there"));
            continue;
        }
        let mut planned = planned(dir, &file, &entry.tag);
        planned.version = entry.idx.to_string();
        planned.dated = Dated::of_millis(entry.when, "journal");
        listed.insert(file);
        claim.migrations.push(planned);
    }
    // A journal that names none of the files is not what runs them.
    let stale = claim.migrations.is_empty();
    if stale {
        claim.notes.push("the journal names no file of this folder; its files are read by their names".to_owned());
    }
    for file in dir.files().filter(|file| file.ends_with(".sql") && !listed.contains(*file)) {
        let mut planned = planned(dir, file, file.trim_end_matches(".sql"));
        planned.dormant = !stale;
        claim.migrations.push(planned);
    }
    Some(claim)
}

fn planned(dir: Dir<'_>, file: &str, tag: &str) -> Planned {
    let (version, name) = leading_digits(tag).unwrap_or(("", tag));
    Planned::new(dir, file, version, name.trim_start_matches('_'), Kind::Sql(whole))
}

fn folders(dir: Dir<'_>) -> Option<Claim> {
    let found: Vec<_> =
        dir.folders().filter(|folder| folder.has("migration.sql") && folder.has("snapshot.json")).collect();
    let planned = |folder: Dir<'_>| planned(dir, &format!("{}/migration.sql", folder.name()), folder.name());
    Some(Claim { sure: 92, migrations: found.into_iter().map(planned).collect(), notes: Vec::new() })
}
