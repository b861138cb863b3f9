//! Which columns of the catalogs hold words of people, code or names, where a secret may stand.

use crate::secrets::Kind;

/// Columns that hold words of people or code.
pub(super) struct Watched {
    table: &'static str,
    /// Which object a secret in it belongs to: its kind, the columns of its oid, of a column's number, and of the name
    /// of the policy, constraint or trigger.
    pub(super) object_kind: &'static str,
    object: &'static str,
    number: &'static str,
    part: &'static str,
    /// Column, what it is to a reader, what it is to the rules.
    texts: &'static [(&'static str, &'static str, Kind)],
}

const WATCHED: &[Watched] = &[
    watched(
        "functions",
        "function",
        "oid",
        "",
        "",
        &[
            ("source", "function body", Kind::Sql),
            ("argument_defaults", "argument default", Kind::Sql),
            ("comment", "comment", Kind::Text),
            ("search_path", "setting of a function", Kind::Text),
        ],
    ),
    watched(
        "columns",
        "relation",
        "relation",
        "number",
        "",
        &[("default_expression", "column default", Kind::Sql), ("comment", "comment", Kind::Text)],
    ),
    watched("definitions", "relation", "relation", "", "", &[("definition", "view", Kind::Sql)]),
    watched("relations", "relation", "oid", "", "", &[("comment", "comment", Kind::Text)]),
    watched("schemas", "schema", "oid", "", "", &[("comment", "comment", Kind::Text)]),
    watched("roles", "role", "oid", "", "", &[("comment", "comment", Kind::Text)]),
    watched(
        "policies",
        "relation",
        "relation",
        "",
        "name",
        &[
            ("using_expression", "policy", Kind::Sql),
            ("check_expression", "policy", Kind::Sql),
            ("comment", "comment", Kind::Text),
        ],
    ),
    watched("constraints", "relation", "relation", "", "name", &[("definition", "constraint", Kind::Sql)]),
    watched(
        "indexes",
        "relation",
        "relation",
        "",
        "name",
        &[("expressions", "index", Kind::Sql), ("predicate", "index", Kind::Sql)],
    ),
    watched("rules", "relation", "relation", "", "name", &[("definition", "rule", Kind::Sql)]),
    watched("inheritance", "relation", "child", "", "", &[("bound", "partition bound", Kind::Sql)]),
    watched(
        "publication_relations",
        "relation",
        "relation",
        "",
        "",
        &[("row_filter", "publication filter", Kind::Sql)],
    ),
    watched("enum_labels", "type", "type_oid", "", "type", &[("label", "enum label", Kind::Text)]),
    watched("settings", "setting", "", "", "name", &[("value", "setting", Kind::Text)]),
    watched("role_settings", "role", "role", "", "name", &[("value", "setting of a role", Kind::Text)]),
    // All options come once more among the surfaces; here they are only hidden.
    watched(
        "foreign_servers",
        "foreign server",
        "oid",
        "",
        "name",
        &[("host", "", Kind::Text), ("dbname", "", Kind::Text)],
    ),
    watched("types", "type", "oid", "", "", &[("comment", "", Kind::Text)]),
    watched("ddl", "object", "object", "", "", &[("text", "", Kind::Sql)]),
    watched("domain_checks", "type", "", "", "", &[("definition", "", Kind::Sql)]),
    watched("user_mappings", "foreign server", "server", "", "", &[("remote_user", "", Kind::Text)]),
];

const fn watched(
    table: &'static str,
    object_kind: &'static str,
    object: &'static str,
    number: &'static str,
    part: &'static str,
    texts: &'static [(&'static str, &'static str, Kind)],
) -> Watched {
    Watched { table, object_kind, object, number, part, texts }
}

/// Texts that something beside them calls a secret, whatever they look like: table, column of the name, column of the text. Names
/// may be a JSON array: one of them is enough.
const NAMED: &[(&str, &str, &str)] =
    &[("columns", "name", "default_expression"), ("functions", "argument_names", "argument_defaults")];

/// Tables whose rows are objects with a name of their own, and what each is.
const OWN_NAMES: &[(&str, &str)] = &[
    ("relations", "relation"),
    ("columns", "relation"),
    ("policies", "relation"),
    ("constraints", "relation"),
    ("indexes", "relation"),
    ("rules", "relation"),
    ("triggers", "object"),
    ("functions", "function"),
    ("schemas", "schema"),
    ("roles", "role"),
    ("types", "type"),
    ("databases", "database"),
    ("foreign_servers", "foreign server"),
    ("publications", "object"),
    ("subscriptions", "object"),
    ("event_triggers", "object"),
];

/// Columns of any table that hold names. A secret has no business there either, and is not kept.
const NAMING: &[&str] = &[
    "name",
    "schema",
    "type",
    "domain",
    "signature",
    "argument_names",
    "argument_types",
    "returns",
    "role",
    "database",
    "role_name",
    "object",
    "needs",
];

/// Where the watched columns of one answer stand.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) watched: Option<&'static Watched>,
    /// Positions of names; of the object's own, which table it is of.
    pub(super) names: Vec<usize>,
    pub(super) own: Option<(usize, &'static str)>,
    pub(super) object: Option<usize>,
    pub(super) number: Option<usize>,
    pub(super) part: Option<usize>,
    pub(super) language: Option<usize>,
    /// Position, reader's word, kind.
    pub(super) texts: Vec<(usize, &'static str, Kind)>,
    /// Position of the name of one of these, and of the text.
    pub(super) named: Option<(usize, usize)>,
}

impl Columns {
    pub(super) fn of(table: &str, header: &[(String, bool)]) -> Self {
        let at = |name: &str| header.iter().position(|(column, _)| column == name);
        let names = NAMING.iter().filter_map(|name| at(name)).collect();
        let own = OWN_NAMES.iter().find(|(of, _)| *of == table).and_then(|(_, kind)| Some((at("name")?, *kind)));
        let Some(watched) = WATCHED.iter().find(|watched| watched.table == table) else {
            return Self { names, own, object: at("oid"), ..Self::default() };
        };
        Self {
            watched: Some(watched),
            names,
            own,
            object: at(watched.object),
            number: at(watched.number),
            part: at(watched.part),
            language: at("language"),
            texts: watched.texts.iter().filter_map(|(name, place, kind)| Some((at(name)?, *place, *kind))).collect(),
            named: NAMED.iter().find(|(of, ..)| *of == table).and_then(|(_, name, text)| Some((at(name)?, at(text)?))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::needs;
    use crate::facts::Facts;
    use std::collections::BTreeSet;

    /// Text columns of collected tables that hold a name, or one of a few words: nothing that anybody writes at length. All columns of
    /// a table where only the table is named.
    const NAMES: &[&str] = &[
        "target",
        // Words of govctl's own; what a server said is checked where it is written.
        "unseen",
        "remarks",
        "databases.name",
        "schemas.name schemas.provenance",
        "relations.schema relations.name relations.kind relations.persistence relations.provenance",
        // Filled from `definitions`.
        "relations.definition",
        "columns.name columns.type columns.type_name columns.type_kind columns.identity",
        "enum_labels.schema enum_labels.type",
        "types.schema types.name types.kind types.provenance",
        "domain_checks.domain",
        "indexes.name indexes.method",
        "constraints.name constraints.kind constraints.on_delete constraints.on_update",
        "policies.name policies.command",
        "policy_dependencies.object_kind",
        "roles.name roles.valid_until roles.provenance",
        "role_settings.name",
        "grants.object_kind grants.privilege",
        "system_grants.object_kind system_grants.name system_grants.signature system_grants.column_name system_grants.privilege",
        "default_privileges.object_kind default_privileges.privilege",
        "parameters.name",
        "functions.schema functions.name functions.signature functions.kind functions.language functions.volatility functions.returns",
        "functions.argument_names functions.argument_types functions.settings functions.provenance",
        "languages.name",
        "triggers.name triggers.enabled triggers.timing triggers.update_columns",
        "event_triggers.name event_triggers.event event_triggers.enabled",
        "rules.name rules.event rules.enabled",
        "view_dependencies.object_kind",
        "partition_keys.strategy",
        "foreign_servers.name foreign_servers.wrapper",
        "publications.name publications.publishes",
        "subscriptions.name",
        "replication_slots.name replication_slots.kind replication_slots.plugin replication_slots.database",
        "extensions.name extensions.version",
        "settings.name settings.source settings.context",
        "scheduled_jobs.schedule scheduled_jobs.role_name scheduled_jobs.database",
        // Made by the guard and the sample.
        "secrets",
        "sampled_shapes",
        "sampled_words",
        // Words and moments of govctl's own.
        "first_actors",
        "ddl.object_kind",
        // From the files of migrations: names, and texts that `Rules::hide` has been through.
        "migrations",
        "transitions",
        "regressions",
        "isolation_gaps",
        "migration_faults",
        "migration_secrets",
        "wide_grants",
        "introductions",
        "replay_differences",
    ];

    /// Text columns of the collected tables, as `table.column`.
    async fn texts() -> BTreeSet<String> {
        let mut facts = Facts::empty().await.unwrap();
        let sql = "select t.name, c.name from pragma_table_list t join pragma_table_info(t.name) c where lower(c.type) = 'text'";
        let all: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(facts.connection()).await.unwrap();
        let collected = |table: &str| needs::tables().any(|known| known.name == table && !known.derived);
        all.into_iter()
            .filter(|(table, _)| collected(table))
            .map(|(table, column)| format!("{table}.{column}"))
            .collect()
    }

    #[tokio::test]
    async fn every_text_is_looked_through_or_is_a_name() {
        let texts = texts().await;
        assert!(texts.len() > 100 && texts.contains("functions.source"), "{texts:?}");
        let watched: BTreeSet<String> = WATCHED
            .iter()
            .flat_map(|watched| watched.texts.iter().map(|(column, ..)| format!("{}.{column}", watched.table)))
            .filter(|column| !column.starts_with("definitions."))
            .collect();
        let named: BTreeSet<&str> = NAMES.iter().flat_map(|line| line.split(' ')).collect();
        let is_name = |column: &str| named.contains(column) || named.contains(column.split('.').next().unwrap());
        for column in &texts {
            assert!(
                watched.contains(column) != is_name(column),
                "{column} is a text of the facts: list it in WATCHED, or in NAMES where it can hold nothing but a name"
            );
        }
        assert!(watched.is_subset(&texts), "watched and gone: {:?}", watched.difference(&texts).collect::<Vec<_>>());
        for column in named.into_iter().filter(|name| name.contains('.')) {
            assert!(texts.contains(column), "{column} is gone");
        }
    }
}
