//! Whether a log's type system knows that an agent is not a user: the values its actor kind may have.

use super::super::catalog::{Catalog, Column, Relation};
use super::names::words;

/// What may stand in the column that says which kind of actor acted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kinds {
    /// The column; none where separate columns for agents and users say it.
    pub(crate) column: Option<i64>,
    /// 'enum' | 'check' | 'lookup' | 'columns' | 'free'
    pub(crate) source: &'static str,
    /// Every value there can be, where the catalog says so.
    pub(crate) values: Vec<String>,
}

impl Kinds {
    /// A value of its own for agents; unknown where the values are rows or anything.
    pub(crate) fn name_agent(&self) -> Option<bool> {
        match self.source {
            "columns" => Some(true),
            "enum" | "check" => Some(self.values.iter().any(|value| says(value, &AGENTS))),
            "free" => Some(false),
            _ => None,
        }
    }
}

const AGENTS: [&str; 12] = [
    "agent",
    "agentic",
    "ai",
    "llm",
    "bot",
    "assistant",
    "copilot",
    "aiagent",
    "subagent",
    "robot",
    "gpt",
    "autonomous",
];
const PERSONS: [&str; 13] = [
    "user", "human", "person", "people", "member", "customer", "employee", "staff", "admin", "operator", "end_user",
    "account", "enduser",
];

/// Words for what is done: a value with one of them is an event.
const ACTS: [&str; 30] = [
    "create", "created", "add", "added", "update", "updated", "change", "changed", "edit", "edited", "delete",
    "deleted", "remove", "removed", "revoke", "revoked", "invite", "invited", "login", "logout", "sign", "signed",
    "link", "unlink", "enable", "disable", "reset", "send", "sent", "view",
];

fn says(value: &str, list: &[&str]) -> bool {
    words(value).iter().any(|word| list.contains(&word.as_str()))
}

/// The kinds of a log's actors. `named` is the column that is called one, `actor` the one that says who.
pub(super) fn kinds(catalog: &Catalog, relation: &Relation, named: Option<i64>, actor: Option<i64>) -> Option<Kinds> {
    let column = |number: Option<i64>| number.and_then(|number| relation.column_number(number));
    if let Some(column) = column(named) {
        let (source, values) = values(catalog, relation, column).unwrap_or(("free", Vec::new()));
        return Some(Kinds { column: Some(column.number), source, values });
    }
    // A column of another name whose values are kinds of actors: `type` with USER and API_KEY, `source`, `initiator`.
    let candidates = [
        "type",
        "kind",
        "source",
        "origin",
        "initiator",
        "performer",
        "principal",
        "actor",
        "author",
        "caller",
        "agent_or_user",
    ];
    let typed =
        candidates.iter().filter_map(|name| relation.columns.iter().find(|c| c.name.eq_ignore_ascii_case(name)));
    for column in typed {
        let Some((source, values)) = values(catalog, relation, column) else { continue };
        if are_kinds(&values) && source != "lookup" {
            return Some(Kinds { column: Some(column.number), source, values });
        }
    }
    // One column for the agent and another for the user, of which a constraint lets one be filled.
    let name = column(actor).map(|c| words(&c.name));
    let is = |list: &[&str], c: &Column| words(&c.name).first().is_some_and(|word| list.contains(&word.as_str()));
    let agent = relation.columns.iter().find(|c| is(&["agent"], c));
    let user = relation.columns.iter().find(|c| is(&["user", "member", "employee"], c));
    let either = relation.checks.iter().any(|check| {
        let both = |c: &Column| check.columns.contains(&c.number);
        agent.is_some_and(both) && user.is_some_and(both)
    });
    (name.is_some() && either).then_some(Kinds { column: None, source: "columns", values: Vec::new() })
}

/// Whether values are kinds of actors: `API_USER` is one, `USER_CREATED` and `DELETE_ACCOUNT` are what somebody did.
fn are_kinds(values: &[String]) -> bool {
    let ends = |value: &String, list: &[&str]| words(value).last().is_some_and(|word| list.contains(&word.as_str()));
    let (persons, agents) = (values.iter().any(|it| ends(it, &PERSONS)), values.iter().any(|it| says(it, &AGENTS)));
    let acts = values.iter().filter(|it| words(it).iter().any(|word| ACTS.contains(&word.as_str()))).count();
    persons && (values.len() > 1 || agents) && acts * 2 <= values.len()
}

/// The values a column is limited to, and by what.
fn values(catalog: &Catalog, relation: &Relation, column: &Column) -> Option<(&'static str, Vec<String>)> {
    if column.type_kind == "enum" {
        return Some(("enum", catalog.enum_labels.get(&column.type_oid).cloned().unwrap_or_default()));
    }
    let own = relation.checks.iter().filter(|check| check.columns == [column.number]).map(|check| &check.definition);
    let of_domain =
        catalog.domain_checks.iter().filter(|(domain, _)| *domain == column.type_text).map(|(_, check)| check);
    for definition in own.chain(of_domain) {
        let values = listed(definition);
        if !values.is_empty() {
            return Some(("check", values));
        }
    }
    let lookup = |key: &&super::super::catalog::ForeignKey| matches!(key.columns.as_slice(), [(own, _)] if *own == column.number);
    relation.foreign_keys.iter().find(lookup).map(|_| ("lookup", Vec::new()))
}

/// The words a CHECK admits: the strings of `= ANY (ARRAY[…])`, `a = 'x' OR a = 'y'` and `~ '^(x|y)$'`.
/// None where it refuses words instead.
fn listed(definition: &str) -> Vec<String> {
    let definition = definition.trim_end_matches(" NOT VALID");
    if definition.contains("<>") || definition.contains("!~") || definition.contains("NOT ") {
        return Vec::new();
    }
    let is_pattern = definition.contains('~');
    let mut values = Vec::new();
    // Every second piece between quotes is a string; a doubled quote inside one makes an empty piece, which is no word.
    for string in definition.split('\'').skip(1).step_by(2) {
        if is_pattern {
            let parts = string.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
            values.extend(parts.filter(|part| !part.is_empty()).map(str::to_owned));
        } else if !string.is_empty() {
            values.push(string.to_owned());
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_that_admit_words_list_them() {
        assert_eq!(listed("CHECK ((actor_kind = ANY (ARRAY['user'::text, 'agent'::text])))"), ["user", "agent"]);
        assert_eq!(listed("CHECK (((k)::text ~ '^(user|ai_agent)$'::text))"), ["user", "ai_agent"]);
        assert_eq!(listed("CHECK ((k = 'user'::text)) NOT VALID"), ["user"]);
        assert_eq!(listed("CHECK ((k <> 'agent'::text))"), [""; 0]);
        assert_eq!(listed("CHECK ((char_length(k) > 2))"), [""; 0]);
    }

    #[test]
    fn what_was_done_is_no_kind_of_actor() {
        let are = |values: &[&str]| are_kinds(&values.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
        assert!(are(&["USER", "API_KEY"]) && are(&["end_user", "service"]) && are(&["USER", "CREATED_BY_API"]));
        assert!(!are(&["ACCOUNT_PROFILE_UPDATE", "ACCOUNT_SSO_LINK", "PASSWORD_RESET", "SIGN_IN"]));
        assert!(!are(&["CREATE_USER", "DELETE_USER", "SIGN_OUT"]) && !are(&["email", "sms"]));
    }

    #[test]
    fn an_agent_has_many_names_and_an_agency_is_none() {
        let kinds = |value: &str| Kinds { column: Some(1), source: "enum", values: vec!["user".into(), value.into()] };
        for value in ["agent", "AI_AGENT", "aiAgent", "bot", "assistant", "sub-agent", "LLM"] {
            assert_eq!(kinds(value).name_agent(), Some(true), "{value}");
        }
        for value in ["agency", "api_key", "service", "system", "paid", "email"] {
            assert_eq!(kinds(value).name_agent(), Some(false), "{value}");
        }
    }
}
