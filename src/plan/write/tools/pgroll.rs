//! pgroll: a file of operations a migration; SQL is one of them, sent as one query. Source: xataio/pgroll pkg/migrations/op_raw_sql.go.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::{Writer, alone};
use crate::error::Stop;
use crate::plan::lint::Way;
use serde_json::{Map, Value, json};

pub(super) const WRITER: Writer =
    Writer { name: "pgroll", sql: true, outside: alone, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of(ground.known.iter().map(|known| super::digits(&known.path)), Count::first(2));
    let newest = ground.known.last();
    let ending = newest.and_then(|known| known.path.rsplit('.').next()).unwrap_or("json");
    // Older versions want the name in the file too.
    let named = newest
        .and_then(|known| ground.text(&known.path))
        .is_some_and(|text| text.contains("\"name\": \"") && text.trim_start().starts_with("{\n  \"name\""));
    for (n, part) in parts.iter().enumerate() {
        let stem = format!("{}_{}", count.next(n, ground.now), part.name);
        let file = format!("{stem}.{ending}");
        let up = script::one_way(part, &file, "", Way::Up, "on rollback");
        let mut sql = Map::new();
        sql.insert("up".into(), Value::String(up));
        if !part.down.is_empty() {
            sql.insert("down".into(), Value::String(script::body(&part.down)));
        }
        let mut migration = Map::new();
        if named {
            migration.insert("name".into(), Value::String(stem.clone()));
        }
        migration.insert("operations".into(), json!([{ "sql": sql }]));
        // JSON is YAML as well.
        let text = serde_json::to_string_pretty(&migration).unwrap_or_default();
        draft.file(&file, format!("{text}\n"));
        super::by_hand(&mut draft, part, &stem, &file);
    }
    draft.note("pgroll takes a migration back only until it is completed.");
    Ok(draft)
}
