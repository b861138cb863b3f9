//! What stage 5 adds: somebody else signs an action, and the reasoning behind it is kept for a stated time.

use crate::facts::derive::tenancy::plain;
use crate::history::schema::Table;

fn has(table: &Table, words: &[&str]) -> bool {
    table.columns.iter().any(|known| words.iter().any(|word| known.plain.contains(word)))
}

/// The table pairs an action with who signed it beside its author.
pub(crate) fn cosigns(table: &Table) -> bool {
    let name = plain(&table.name.name);
    let named = ["cosign", "countersign", "approval", "signoff"].iter().any(|word| name.contains(word));
    let signer = has(table, &["cosigner", "approver", "approvedby", "signerid", "signedby", "decidedby", "reviewerid"]);
    let action = has(table, &["action", "event", "request", "operation", "toolcall", "run", "step", "task"]);
    (named || has(table, &["cosign"])) && signer && action
}

/// The table keeps what an agent thought, and says for how long.
pub(crate) fn keeps_reasoning(table: &Table) -> bool {
    let name = plain(&table.name.name);
    let words = ["reasoning", "rationale", "trace", "thought", "transcript", "prompt", "deliberation"];
    let reasons = words.iter().any(|word| name.contains(word)) || has(table, &["reasoning", "rationale", "thought"]);
    reasons && has(table, &["retain", "retention", "expire", "purge", "deleteafter", "keepuntil", "legalhold"])
}
