//! The areas: which file fills which table.

use super::guard::SURFACES;
use super::sample::{EMPTY, READABLE};
use crate::facts::SCHEMA_VERSION;

/// One question to the catalogs.
#[derive(Debug)]
pub(super) struct Area {
    /// The table of the facts (or of staging.sql) that the answer fills.
    pub(super) into: &'static str,
    /// The table of the facts that is incomplete where the answer is refused.
    pub(super) about: &'static str,
    /// What is missing then, for the reader.
    pub(super) what: &'static str,
    /// One statement. A line may end in `-- since 16` or `-- before 16`: other servers do not see it.
    sql: &'static str,
}

macro_rules! area {
    ($table:literal, $what:literal) => {
        area!($table, $table, $table, $what)
    };
    ($file:literal, $into:expr, $about:literal, $what:literal) => {
        Area { into: $into, about: $about, what: $what, sql: include_str!(concat!($file, ".sql")) }
    };
}

/// Every server is asked these, in this order.
pub(super) const AREAS: &[Area] = &[
    area!("target", "the database itself"),
    area!("hidden_settings", "unseen", "settings", "which settings are hidden"),
    area!("hidden_user_mappings", "unseen", "user_mappings", "which user mappings are hidden"),
    area!("hidden_large_objects", "unseen", "large_objects", "how many large objects there are"),
    area!("databases", "databases"),
    area!("schemas", "schemas"),
    area!("relations", "tables and views"),
    area!("definitions", "definitions", "relations", "definitions of views"),
    area!("columns", "columns"),
    area!("enum_labels", "labels of enum types"),
    area!("types", "types"),
    area!("domain_checks", "checks of domains"),
    area!("indexes", "indexes"),
    area!("index_columns", "columns of indexes"),
    area!("constraints", "constraints"),
    area!("constraint_columns", "columns of constraints"),
    area!("policies", "policies"),
    area!("policy_roles", "roles of policies"),
    area!("policy_dependencies", "what policies depend on"),
    area!("roles", "roles"),
    area!("role_settings", "settings of roles"),
    area!("memberships", "role memberships"),
    area!("grants", "grants"),
    area!(
        "grants_other",
        "grants",
        "grants",
        "grants on databases, types, languages, servers, parameters and large objects"
    ),
    area!("system_grants", "grants on system functions and catalogs"),
    area!("default_privileges", "default privileges"),
    area!("parameters", "configuration parameters with grants"),
    area!("functions", "functions"),
    area!("languages", "languages"),
    area!("triggers", "triggers"),
    area!("event_triggers", "event triggers"),
    area!("rules", "rules"),
    area!("view_dependencies", "what views depend on"),
    area!("inheritance", "partitions and children"),
    area!("partition_keys", "partition keys"),
    area!("sequences", "sequences"),
    area!("foreign_servers", "foreign servers"),
    area!("foreign_tables", "foreign tables"),
    area!("user_mappings", "user mappings"),
    area!("publications", "publications"),
    area!("publication_relations", "published tables"),
    area!("subscriptions", "subscriptions"),
    area!("replication_slots", "replication slots"),
    area!("extensions", "extensions"),
    area!("extension_members", "extension_members", "extensions", "members of extensions"),
    area!("settings", "settings"),
    area!("large_objects", "large objects"),
    area!("relation_statistics", "statistics of tables"),
    area!("ddl", "what it takes to make objects again"),
    area!("ddl_functions", "ddl", "ddl", "what it takes to make functions again"),
    area!("ddl_decompiled", "ddl", "ddl", "what it takes to make triggers and indexes again"),
    area!("surfaces", SURFACES, "secrets", "comments, settings and options"),
    area!("surfaces_triggers", SURFACES, "secrets", "arguments and conditions of triggers"),
];

/// Asked where rows may be read: which, and which tables have none. Counting pages waits for locks, so it comes last.
pub(super) const OF_ROWS: &[Area] = &[
    area!("sample/readable", READABLE, "samples", "which rows may be read"),
    area!("sample/empty", EMPTY, "samples", "which tables are empty"),
];

/// Asked only where the relation exists: area, schema, relation.
pub(super) const CONDITIONAL: &[(Area, &str, &str)] = &[
    (area!("scheduled_jobs", "jobs of pg_cron"), "cron", "job"),
    (area!("surfaces_cron", SURFACES, "scheduled_jobs", "commands of pg_cron's jobs"), "cron", "job"),
];

/// Asked only where there are subscriptions: the connection string is shown to superusers.
pub(super) const SUBSCRIPTION_CONNECTIONS: Area = area!("subscription_connections", "connections of subscriptions");

/// What a second connection reads, where there is one: about half of the server's work, wherever it was measured.
const ASIDE: &[&str] = &[
    "constraints",
    "constraint_columns",
    "policies",
    "policy_roles",
    "policy_dependencies",
    "relation_statistics",
    "ddl",
    READABLE,
    EMPTY,
];

impl Area {
    /// Whether a second connection reads it, where there is one.
    pub(super) fn is_aside(&self) -> bool {
        ASIDE.contains(&self.into)
    }

    /// The statement for one server, empty where it has nothing to ask there.
    pub(super) fn for_server(&self, version_num: u32) -> String {
        let major = version_num / 10_000;
        let meant = |line: &&str| match line.rsplit_once("-- ") {
            Some((_, note)) => match note.split_once(' ') {
                Some(("since", from)) => from.parse().is_ok_and(|from: u32| major >= from),
                Some(("before", to)) => to.parse().is_ok_and(|to: u32| major < to),
                _ => !line.trim_start().starts_with("--"),
            },
            None => true,
        };
        let lines: Vec<&str> = self.sql.lines().filter(meant).collect();
        lines
            .join("\n")
            .replace("{schema_version}", &SCHEMA_VERSION.to_string())
            .replace("{govctl_version}", env!("CARGO_PKG_VERSION"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_kept_for_the_servers_it_names() {
        let area = Area {
            into: "t",
            about: "t",
            what: "t",
            sql: "-- a remark\nselect 1, -- one\n  2 as b -- since 16\n  3 as b -- before 16\nfrom t",
        };
        assert_eq!(area.for_server(150_018), "select 1, -- one\n  3 as b -- before 16\nfrom t");
        assert_eq!(area.for_server(160_000), "select 1, -- one\n  2 as b -- since 16\nfrom t");
    }

    #[test]
    fn an_area_may_have_nothing_to_ask_an_old_server() {
        let parameters = AREAS.iter().find(|area| area.into == "parameters").unwrap();
        assert_eq!(parameters.for_server(140_000), "");
        assert!(parameters.for_server(150_000).contains("pg_parameter_acl"));
    }

    #[test]
    fn an_area_is_one_statement() {
        for area in AREAS.iter().chain(CONDITIONAL.iter().map(|(area, ..)| area)) {
            for version in [140_000, 150_000, 160_000, 170_000, 180_000] {
                assert!(!area.for_server(version).contains(';'), "{}", area.into);
            }
        }
    }
}
