//! Flyway: `V<version>__name.sql`, `U…` to take it back, and `<file>.conf` for what a script needs apart.
//! Source: flyway/flyway flyway-core resource/ResourceNameParser.java, sqlscript/{SqlScriptMetadata,ParserSqlScript}.java.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::{Writer, each};
use crate::error::Stop;
use crate::plan::lint::Way;

pub(super) const WRITER: Writer = Writer { name: "flyway", sql: true, outside: each, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::first(1));
    let folder = ground.newest_folder();
    for (n, part) in parts.iter().enumerate() {
        let stem = format!("{}__{}", count.next(n, ground.now), part.name);
        let (up, down) = (format!("V{stem}.sql"), format!("U{stem}.sql"));
        script_file(&mut draft, &folder, &up, part, Way::Up, &format!("see {down}"));
        if !part.down.is_empty() {
            script_file(&mut draft, &folder, &down, part, Way::Down, "");
            draft.note("Flyway runs the files that begin with U in its paid editions only; psql runs them too.");
        }
        if !part.transaction {
            draft.note(
                "Set flyway.postgresql.transactional.lock=false: the lock that Flyway holds in a transaction of its own \
                 keeps CREATE INDEX CONCURRENTLY waiting for ever.",
            );
        }
    }
    Ok(draft)
}

fn script_file(draft: &mut Draft, folder: &str, file: &str, part: &Part<'_>, way: Way, undo: &str) {
    let text = script::one_way(part, file, "", way, undo);
    let mut conf = String::new();
    if !part.transaction {
        conf.push_str("executeInTransaction=false\n");
    }
    if text.contains("${") {
        conf.push_str("placeholderReplacement=false\n");
    }
    draft.file(format!("{folder}{file}"), text);
    if !conf.is_empty() {
        draft.file(format!("{folder}{file}.conf"), conf);
    }
}
