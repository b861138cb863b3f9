//! The event table of stage 4: append-only, its rows chained by a hash, an actor kind that names `agent`.

use crate::facts::derive::tenancy::plain;
use crate::history::schema::{KnownTrigger, Schema, Table};

/// How much of stage 4 a table has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chained {
    /// A column holds the hash of the row before.
    pub(crate) chained: bool,
    /// An actor column's type, CHECK or domain has a label that names an agent.
    pub(crate) names_agent: bool,
    /// Neither UPDATE nor DELETE gets through.
    pub(crate) append_only: bool,
}

impl Chained {
    pub(crate) fn complete(self) -> bool {
        self.chained && self.names_agent && self.append_only
    }
}

pub(crate) fn chained(table: &Table, schema: &Schema) -> Chained {
    Chained {
        chained: is_chained(table),
        names_agent: table.columns.iter().any(|known| {
            is_actor(&known.plain)
                && schema.labels(known).is_some_and(|(labels, _)| labels.iter().any(|label| names_agent(label)))
        }),
        append_only: forbids(table, schema, |t| t.trigger.update, table.forbidden.update.is_some())
            && forbids(table, schema, |t| t.trigger.delete, table.forbidden.delete.is_some()),
    }
}

/// A hash of the row before: `prev_hash`, `previous_event_hash`, `hash_prev`, or a column that says chain and hash.
fn is_chained(table: &Table) -> bool {
    table.columns.iter().any(|known| {
        let has = |words: &[&str]| words.iter().any(|word| known.plain.contains(word));
        let before = has(&["prev", "previous", "prior", "last", "parent"]);
        has(&["hash", "digest", "hmac", "sha256", "checksum"]) && (before || has(&["chain"]))
            || has(&["signature"]) && before
    })
}

/// `actor_type`, `performed_by`, `created_by_kind`, `source`.
fn is_actor(name: &str) -> bool {
    let words = [
        "actor",
        "principal",
        "initiator",
        "performer",
        "performed",
        "caller",
        "originator",
        "author",
        "subjectkind",
        "subjecttype",
    ];
    words.iter().any(|word| name.contains(word))
        || ["bytype", "bykind"].iter().any(|ending| name.ends_with(ending))
        || matches!(name, "source" | "sourcekind" | "sourcetype" | "kindofactor")
}

/// `agent`, `AI_AGENT`, `agentRun`; not `user_agent`.
fn names_agent(label: &str) -> bool {
    let name = plain(label);
    (name.starts_with("agent") || name.ends_with("agent"))
        && !name.contains("useragent")
        && !name.starts_with("agentless")
}

/// A trigger that raises, or something that takes the command away.
fn forbids(table: &Table, schema: &Schema, on: impl Fn(&KnownTrigger) -> bool, taken: bool) -> bool {
    taken || table.triggers.iter().any(|known| on(known) && known.enabled && refuses(known, schema))
}

/// The trigger's function raises, or gives the row back as NULL, and does so for every row.
fn refuses(known: &KnownTrigger, schema: &Schema) -> bool {
    let trigger = &known.trigger;
    if trigger.conditional {
        return false;
    }
    let name = plain(&trigger.function.name);
    match schema.functions.get(&trigger.function.name) {
        Some(function) => {
            let body = function.statement.to_lowercase();
            let raises =
                body.contains("raise exception") || body.contains("raise sqlstate") || body.contains("raise using");
            let swallows = trigger.before && body.contains("return null") && !body.contains("return new");
            // One that compares columns lets the others be changed.
            let partial = body.contains("is distinct from") || body.contains("old.");
            raises && !(partial && body.contains("return new")) || swallows
        }
        None => ["prevent", "forbid", "immutab", "appendonly", "block", "deny", "reject", "readonly"]
            .iter()
            .any(|word| name.contains(word)),
    }
}
