//! Which facts a check rests on, read from its SQL: what was hidden among them leaves the check undecided.

use super::sql::{Kind, tokens};
use crate::facts::SCHEMA;
use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

/// A table of the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// As in the schema.
    pub name: &'static str,
    /// Computed from other tables, see [`RESTS_ON`].
    pub derived: bool,
}

/// What each derived table is computed from; a derived table stands for all that it rests on itself.
/// Too long a list makes a check undecided that was not, too short a one makes it pass without having looked.
const RESTS_ON: &[(&str, &[&str])] = &[
    ("role_purposes", &["roles", "memberships"]),
    ("declared_roles", &["roles"]),
    ("agents", &["role_purposes"]),
    ("sensitive_columns", &["relations", "columns"]),
    ("column_readers", &["role_reach", "relation_privileges", "column_privileges"]),
    ("principals", &["role_purposes", "roles", "memberships", "grants", "relations"]),
    ("role_reach", &["principals", "roles", "memberships"]),
    ("relation_privileges", &["role_reach", "schema_privileges", "relations", "grants"]),
    ("column_privileges", &["role_reach", "schema_privileges", "relations", "columns", "grants"]),
    ("schema_privileges", &["role_reach", "schemas", "grants"]),
    ("function_privileges", &["role_reach", "schema_privileges", "functions", "grants"]),
    (
        "tenancy",
        &[
            "relations",
            "columns",
            "constraints",
            "constraint_columns",
            "indexes",
            "index_columns",
            "policies",
            "policy_dependencies",
        ],
    ),
    ("column_names", &["columns"]),
    ("tenant_keys", &["tenancy"]),
    ("json_keys", &["tenancy"]),
    ("tenant_paths", &["tenant_keys", "json_keys"]),
    ("tenant_data", &["tenant_keys", "tenant_paths", "json_keys"]),
    ("roles_tables", &["tenant_keys", "tenant_paths", "column_names"]),
    ("tenant_predicates", &["tenant_keys", "tenant_paths", "policies", "functions"]),
    ("policy_settings", &["policies", "policy_dependencies", "functions", "parameters", "grants", "role_settings"]),
    (
        "verdicts",
        &[
            "relation_privileges",
            "column_privileges",
            "function_privileges",
            "tenant_keys",
            "tenant_paths",
            "policies",
            "policy_roles",
            "policy_dependencies",
            "policy_settings",
            "functions",
            "enum_labels",
        ],
    ),
    ("declared", &[]),
    ("owners", &[]),
    ("attestations", &[]),
    ("answered_topics", &[]),
    ("answers", &[]),
    ("function_verdicts", &["verdicts", "function_privileges", "functions"]),
    ("fired_effects", &["verdicts", "triggers", "rules", "functions"]),
    ("row_copies", &["tenant_data", "triggers", "rules", "functions"]),
    ("unread_functions", &["verdicts"]),
    ("event_logs", &["event_log_columns", "event_log_guards", "event_log_rights", "enum_labels", "domain_checks"]),
    ("framework_relations", &["relations", "columns"]),
    ("event_log_columns", &["tenant_keys", "triggers", "functions"]),
    ("event_log_chains", &["event_logs", "event_log_columns", "columns", "triggers", "functions"]),
    ("event_log_guards", &["relations", "inheritance", "triggers", "rules", "functions"]),
    ("event_log_writers", &["event_logs", "functions"]),
    ("dynamic_statements", &["functions"]),
    ("event_log_rights", &["relation_privileges", "column_privileges", "inheritance"]),
    (
        "exposure",
        &["verdicts", "relation_privileges", "view_dependencies", "inheritance", "foreign_tables", "foreign_servers"],
    ),
];

/// Collected tables that are filled together with another one, which says what is missing.
const GOES_WITH: &[(&str, &[&str])] = &[
    ("sampled_columns", &["samples"]),
    ("sampled_shapes", &["samples"]),
    ("sampled_words", &["samples"]),
    ("sampled_references", &["samples"]),
    // Code and comments are looked through as they arrive. Rows, settings, jobs and mappings are hidden from many who see
    // all of these: a check that asks for them says so by their tables.
    (
        "secrets",
        &[
            "functions",
            "relations",
            "columns",
            "policies",
            "constraints",
            "indexes",
            "rules",
            "enum_labels",
            "schemas",
            "roles",
            "role_settings",
        ],
    ),
];

static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    let derived_from = SCHEMA.find("2. derived").unwrap_or(SCHEMA.len());
    let tokens = tokens(SCHEMA);
    let created =
        tokens.windows(3).filter(|words| words[0].text(SCHEMA) == "create" && words[1].text(SCHEMA) == "table");
    created.map(|words| Table { name: words[2].text(SCHEMA), derived: words[2].place.start > derived_from }).collect()
});

static NAMES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| tables().map(|table| table.name).collect());

/// Every table of the facts, in the order of the schema.
pub fn tables() -> impl Iterator<Item = Table> {
    TABLES.iter().copied()
}

/// The tables some SQL rests on: those it names, and all that these are computed from. A word that is only a column
/// of the same name counts too; that errs towards undecided.
pub fn of(sql: &str) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    for token in tokens(sql).iter().filter(|token| matches!(token.kind, Kind::Word | Kind::Name)) {
        let word = token.text(sql).trim_matches(['"', '`', '[', ']']);
        let lower = word.bytes().any(|b| b.is_ascii_uppercase()).then(|| word.to_ascii_lowercase());
        if let Some(table) = NAMES.get(lower.as_deref().unwrap_or(word)) {
            add(table, &mut found);
        }
    }
    found
}

fn add(table: &'static str, found: &mut BTreeSet<&'static str>) {
    if found.insert(table)
        && let Some((_, sources)) = RESTS_ON.iter().chain(GOES_WITH).find(|(derived, _)| *derived == table)
    {
        sources.iter().for_each(|source| add(source, found));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_derived_table_says_what_it_rests_on_and_nothing_else_does() {
        let derived: BTreeSet<_> = tables().filter(|table| table.derived).map(|table| table.name).collect();
        assert_eq!(derived, RESTS_ON.iter().map(|(table, _)| *table).collect());
        let known: BTreeSet<_> = tables().map(|table| table.name).collect();
        for (table, sources) in RESTS_ON.iter().chain(GOES_WITH) {
            assert!(known.contains(table), "{table} is unknown");
            assert!(sources.iter().all(|source| known.contains(source)), "{table} rests on an unknown table");
        }
    }

    #[test]
    fn strings_and_comments_name_no_table_and_derived_tables_bring_theirs() {
        let sql = "select 'policies' as kind -- triggers\n from \"schemas\" join role_reach";
        assert_eq!(
            Vec::from_iter(of(sql)),
            ["grants", "memberships", "principals", "relations", "role_purposes", "role_reach", "roles", "schemas"]
        );
        assert!(of("select * from exposure").contains("tenant_keys"));
        assert!(of("select relation from tenant_data").is_superset(&of("select * from tenant_keys, tenant_paths")));
    }
}
