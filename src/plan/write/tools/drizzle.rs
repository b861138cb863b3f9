//! Drizzle: all pending migrations in one transaction, no way back. Up to 0.45 only what `meta/_journal.json` names is run;
//! from 1.0 on a folder a migration. Source: drizzle-team/drizzle-orm drizzle-orm/src/migrator.ts.

use super::super::draft::{Continued, Draft};
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::{Writer, beside, never};
use crate::error::Stop;
use crate::plan::lint::Way;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(super) const WRITER: Writer =
    Writer { name: "drizzle", sql: true, outside: never, marks: &[], anywhere: &["statement-breakpoint"], draft };

const JOURNAL: &str = "meta/_journal.json";
const BREAK: &str = "--> statement-breakpoint\n";

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    if ground.has(JOURNAL) || ground.is_empty() {
        journal(ground, parts, &mut draft)?
    } else {
        folders(ground, parts, &mut draft)?
    }
    draft.note(
        "Drizzle runs all pending migrations in one transaction: deploy them one after the other where tables are busy, or locks \
         are held until the last is done.",
    );
    draft.note("schema.ts does not know of the new columns and tables: add them there, and drizzle-kit generates nothing for them.");
    Ok(draft)
}

fn text(part: &Part<'_>, file: &str, undo: &str) -> String {
    let head = script::head(part, file, Way::Up, undo);
    let each: Vec<_> = part.up.iter().map(|statement| script::body(std::slice::from_ref(statement))).collect();
    script::sheet(part, "", &head, &each.join(BREAK))
}

fn journal(ground: &Ground, parts: &[Part<'_>], draft: &mut Draft) -> Result<(), Stop> {
    let before = if ground.has(JOURNAL) { Some(ground.must_read(JOURNAL)?) } else { None };
    let empty = || json!({"version": "7", "dialect": "postgresql", "entries": []});
    let unreadable = |_| Stop::usage(format!("{} is no journal of Drizzle's", ground.shown(JOURNAL)), "");
    let mut journal: Value = before.as_deref().map_or_else(|| Ok(empty()), serde_json::from_str).map_err(unreadable)?;
    let Some(entries) = journal.get_mut("entries").and_then(Value::as_array_mut) else {
        return Err(Stop::usage(format!("{} has no entries", ground.shown(JOURNAL)), ""));
    };
    let field = |name: &str| entries.iter().filter_map(|entry| entry.get(name)?.as_i64()).max();
    let (idx, when) = (field("idx").unwrap_or(-1), field("when").unwrap_or(0));
    let version = entries.last().and_then(|entry| entry.get("version")).cloned().unwrap_or_else(|| json!("7"));
    let tags: Vec<String> = entries.iter().filter_map(|entry| Some(entry.get("tag")?.as_str()?.to_owned())).collect();
    // The first is 0000.
    let count =
        match Count::of(tags.iter().map(|tag| super::digits(tag)), Count::Sequence { width: 4, last: 0, step: 1 }) {
            Count::Sequence { width, .. } => Count::Sequence { width, last: (idx + 1) as u128, step: 1 },
            other => other,
        };
    let sequence = matches!(count, Count::Sequence { .. });
    for (n, part) in parts.iter().enumerate() {
        let number = match &count {
            Count::Sequence { width, .. } if sequence => format!("{:0width$}", idx + 1 + n as i64),
            count => count.next(n, ground.now),
        };
        let tag = format!("{number}_{}", part.name);
        let file = format!("{tag}.sql");
        draft.file(&file, text(part, &file, &format!("see down/{tag}.down.sql")));
        let when = ground.now.as_millisecond().max(when + 1) + n as i64;
        entries.push(
            json!({"idx": idx + 1 + n as i64, "version": version, "when": when, "tag": tag, "breakpoints": true}),
        );
        beside(draft, part, &tag, &file);
    }
    let after = serde_json::to_string_pretty(&journal).unwrap_or_default();
    draft.continued.push(Continued { path: JOURNAL.to_owned(), before, after });
    Ok(())
}

fn folders(ground: &Ground, parts: &[Part<'_>], draft: &mut Draft) -> Result<(), Stop> {
    let count = Count::of_ground(ground, Count::STAMP);
    let last = ground.known.iter().max_by(|a, b| a.path.cmp(&b.path));
    let snapshot =
        last.and_then(|known| known.path.rsplit_once('/')).map(|(folder, _)| format!("{folder}/snapshot.json"));
    let mut snapshot: Value = match snapshot {
        Some(path) => serde_json::from_str(&ground.must_read(&path)?)
            .map_err(|_| Stop::usage(format!("{} is no snapshot of Drizzle's", ground.shown(&path)), ""))?,
        None => json!({}),
    };
    for (n, part) in parts.iter().enumerate() {
        let folder = format!("{}_{}", count.next(n, ground.now), part.name);
        let file = format!("{folder}/migration.sql");
        draft.file(&file, text(part, &file, &format!("see down/{folder}.down.sql")));
        // drizzle-kit compares with the newest: the same schema, behind the one before.
        let before = snapshot.get("id").cloned().unwrap_or_else(|| json!("00000000-0000-0000-0000-000000000000"));
        if let Some(fields) = snapshot.as_object_mut() {
            fields.insert("id".into(), json!(uuid(&folder)));
            fields.insert("prevIds".into(), json!([before]));
        }
        draft.file(format!("{folder}/snapshot.json"), serde_json::to_string_pretty(&snapshot).unwrap_or_default());
        beside(draft, part, &folder, &file);
    }
    Ok(())
}

/// A name for a snapshot that nobody else gives: version 8 of RFC 9562, its bits from a hash.
fn uuid(name: &str) -> String {
    let hex: String = Sha256::digest(name).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}
