//! What each role is for: as declared, else from what its name, its comment and its memberships say.

use super::catalog::{Catalog, Oid, Role};
use crate::config::{Purpose, Roles, roles};
use std::collections::BTreeMap;

/// What one role is for, and who says so.
#[derive(Clone, Debug)]
pub(crate) struct RolePurpose {
    /// None where nothing says it.
    pub(crate) purpose: Option<Purpose>,
    /// `config` | `attribute` | `name` | `comment` | `member of X` | `nothing`
    pub(crate) source: String,
    /// Runs SQL nobody has reviewed, where that is declared.
    pub(crate) free_sql: Option<bool>,
}

impl RolePurpose {
    pub(crate) fn name(&self) -> &'static str {
        self.purpose.map_or("unknown", Purpose::name)
    }
}

/// Every role's purpose.
pub(crate) fn find(catalog: &Catalog, declared: &Roles) -> BTreeMap<Oid, RolePurpose> {
    let own: BTreeMap<Oid, Option<(Purpose, String)>> =
        catalog.roles.values().map(|role| (role.oid, own_purpose(role, declared))).collect();
    let mut found = BTreeMap::new();
    for role in catalog.roles.values() {
        let said = own[&role.oid].clone().or_else(|| by_membership(role, catalog, &own));
        let (purpose, source) = said.map_or((None, "nothing".to_owned()), |(purpose, source)| (Some(purpose), source));
        let free_sql = declared.runs_free_sql(&role.name);
        found.insert(role.oid, RolePurpose { purpose, source, free_sql });
    }
    found
}

/// `roles:` as declared: purpose or `free sql`, name or glob, and how many roles of the server it means.
pub(crate) fn declared(catalog: &Catalog, declared: &Roles) -> Vec<(&'static str, String, usize)> {
    let purposes = declared.purposes.iter().map(|(purpose, name)| (purpose.name(), name));
    let free = declared.free_sql.iter().flatten().map(|name| ("free sql", name));
    let meant = |name: &str| catalog.roles.values().filter(|role| roles::matches(name, &role.name)).count();
    purposes.chain(free).map(|(purpose, name)| (purpose, name.clone(), meant(name))).collect()
}

fn own_purpose(role: &Role, declared: &Roles) -> Option<(Purpose, String)> {
    if let Some(purpose) = declared.purpose(&role.name) {
        return Some((purpose, "config".to_owned()));
    }
    if role.name.starts_with("pg_") {
        return None;
    }
    by_name(&role.name)
        .map(|purpose| (purpose, "name".to_owned()))
        .or_else(|| role.replication.then(|| (Purpose::Replication, "attribute".to_owned())))
        .or_else(|| {
            let purpose = by_comment(role.comment.as_deref()?)?;
            Some((purpose, "comment".to_owned()))
        })
}

/// A login that says nothing of itself is what the roles it was put into are for, where these agree.
fn by_membership(
    role: &Role,
    catalog: &Catalog,
    own: &BTreeMap<Oid, Option<(Purpose, String)>>,
) -> Option<(Purpose, String)> {
    if !role.login || role.superuser {
        return None;
    }
    let of_users = |oid: &Oid| catalog.roles.get(oid).is_some_and(|r| !r.name.starts_with("pg_"));
    let parents: Vec<Oid> = catalog
        .memberships
        .iter()
        .filter(|m| m.member == role.oid && m.inherit_option && of_users(&m.role))
        .map(|m| m.role)
        .collect();
    let first = *parents.first()?;
    let purpose = own.get(&first)?.as_ref()?.0;
    // A person who may act as everything is not everything.
    let agree = parents.iter().all(|oid| own[oid].as_ref().is_some_and(|(other, _)| *other == purpose));
    let telling = matches!(purpose, Purpose::Agent | Purpose::Application | Purpose::Dereferencer | Purpose::Auditor);
    (agree && telling).then(|| (purpose, format!("member of {}", catalog.roles[&first].name)))
}

/// Programs that are called agents and decide nothing: they watch, back up or schedule.
const NO_AGENTS: [&str; 24] = [
    "datadog",
    "zabbix",
    "newrelic",
    "nagios",
    "icinga",
    "telegraf",
    "prometheus",
    "exporter",
    "monitor",
    "monitoring",
    "metrics",
    "pganalyze",
    "pgwatch",
    "pmm",
    "grafana",
    "sensu",
    "checkmk",
    "dynatrace",
    "instana",
    "appdynamics",
    "backup",
    "barman",
    "patroni",
    "pgbouncer",
];

/// From the words of the name.
pub(crate) fn by_name(name: &str) -> Option<Purpose> {
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).collect();
    let starts = |list: &[&str]| words.iter().any(|word| list.iter().any(|w| word.starts_with(w)));
    let is = |list: &[&str]| words.iter().any(|word| list.contains(word));
    if is(&NO_AGENTS) || starts(&["repl", "dump"]) || name.contains("backup") {
        return Some(if is(&NO_AGENTS[..20]) { Purpose::Monitoring } else { Purpose::Replication });
    }
    if starts(&["deref", "detoken"]) || is(&["resolver", "unmask", "unmasker", "vault"]) {
        return Some(Purpose::Dereferencer);
    }
    if starts(&[
        "agent",
        "llm",
        "copilot",
        "assistant",
        "chatbot",
        "langchain",
        "langgraph",
        "llamaindex",
        "openai",
        "anthropic",
    ]) || starts(&["bot", "rag"])
        || is(&["ai", "mcp", "gpt", "claude", "gemini", "autogpt", "crewai", "cursor", "nl2sql", "text2sql"])
    {
        return Some(Purpose::Agent);
    }
    if is(&["auditor", "auditors", "compliance"]) || name.contains("audit_read") || name.contains("audit_ro") {
        return Some(Purpose::Auditor);
    }
    if starts(&["admin", "dba", "root", "migrat", "deploy", "postgres", "super", "ops", "owner", "ddl"]) {
        return Some(Purpose::Administration);
    }
    let application =
        ["app", "api", "web", "service", "svc", "worker", "backend", "server", "anon", "authentic", "client"];
    starts(&application).then_some(Purpose::Application)
}

/// From what somebody wrote beside the role; only where it can hardly mean anything else.
fn by_comment(comment: &str) -> Option<Purpose> {
    let comment = comment.to_lowercase();
    let words: Vec<&str> = comment.split(|c: char| !c.is_alphanumeric()).collect();
    let is = |list: &[&str]| words.iter().any(|word| list.contains(word));
    if is(&NO_AGENTS) {
        return None;
    }
    let agent = is(&["ai", "llm", "llms", "chatbot", "copilot", "mcp", "gpt", "claude"])
        || comment.contains("language model")
        || (is(&["agent", "agents"]) && is(&["autonomous", "assistant", "tool", "tools", "model", "retrieval"]));
    agent.then_some(Purpose::Agent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_a_role_is_for() {
        let said = |name: &str| by_name(name).map_or("unknown", Purpose::name);
        for name in ["support_agent", "Agent-7", "rag_reader", "mcp", "sales-ai", "llm_ro", "bot_2023", "claude_code"] {
            assert_eq!(said(name), "agent", "{name}");
        }
        for name in ["datadog", "datadog_agent", "zabbix-agent", "pg_exporter", "monitoring"] {
            assert_eq!(said(name), "monitoring", "{name}");
        }
        for (name, purpose) in [
            ("backup_agent", "replication"),
            ("deref_tool", "dereferencer"),
            ("auditor", "auditor"),
            ("audit_writer", "unknown"),
            ("app_api", "application"),
            ("migrator", "administration"),
            ("maid", "unknown"),
            ("dana", "unknown"),
        ] {
            assert_eq!(said(name), purpose, "{name}");
        }
    }

    #[test]
    fn a_comment_makes_an_agent_only_where_it_says_so() {
        assert_eq!(by_comment("Login of the LLM that answers mail"), Some(Purpose::Agent));
        assert_eq!(by_comment("used by the zabbix agent"), None);
        assert_eq!(by_comment("real estate agents"), None);
    }
}
