//! Trigger functions that write a log: what records the changes of other tables.

use super::super::catalog::{Catalog, Function, Oid, Relation};

/// A function that inserts into a log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writer {
    pub(crate) function: Oid,
    /// A handler for every error lets the change go on where the entry fails, and keeps nothing of it.
    pub(crate) forgives: bool,
}

/// Every trigger function that inserts into this log, by the text of its body.
pub(super) fn of(catalog: &Catalog, log: &Relation) -> Vec<Writer> {
    let triggers = catalog.functions.values().filter(|f| f.returns == "trigger");
    triggers.filter_map(|f| writes(f, log).map(|forgives| Writer { function: f.oid, forgives })).collect()
}

/// Whether it forgives, where it writes at all.
fn writes(function: &Function, log: &Relation) -> Option<bool> {
    let body = plain(function.source.as_deref()?);
    let (schema, name) = (log.schema.to_lowercase(), log.name.to_lowercase());
    let writes = body.match_indices("insert into ").any(|(at, before)| {
        let target = &body[at + before.len()..];
        let target = target.strip_prefix(&format!("{schema}.")).unwrap_or(target);
        target
            .strip_prefix(&name)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || "_.$".contains(c)))
    });
    writes.then(|| {
        let handler = body.split(" exception when others then ").nth(1);
        handler.is_some_and(|handler| {
            let quiet = handler.replace("raise notice", "").replace("raise warning", "").replace("raise log", "");
            let quiet = quiet.replace("raise info", "").replace("raise debug", "");
            !quiet.contains("raise") && !quiet.contains("insert into") && !quiet.contains("perform")
        })
    })
}

/// A body in lower case without comments, quotes of names and runs of blanks.
fn plain(source: &str) -> String {
    let lines = source.lines().map(|line| line.split("--").next().unwrap_or_default());
    let text = lines.collect::<Vec<_>>().join(" ").to_lowercase().replace('"', "");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
