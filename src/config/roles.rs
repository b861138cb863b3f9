//! `roles:` of the configuration: what the roles of the database are for.

use crate::yaml::{Mistake, Node, Reader};
use glob::Pattern;

/// What a role is for. A login has one purpose; a shared one is a finding, not a second purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// A program that decides by itself which statements or tools to run: a language model, a bot, an MCP server.
    Agent,
    /// A program whose statements its developers wrote.
    Application,
    /// The small component that turns references into what they stand for, and does nothing else.
    Dereferencer,
    /// Whoever reads the record of what happened, and changes nothing.
    Auditor,
    /// A person with a client.
    Person,
    /// Migrations, owners, database administrators.
    Administration,
    /// Metrics and health.
    Monitoring,
    /// Backups, standbys, change data capture.
    Replication,
}

impl Purpose {
    /// The key in `govctl.yaml` and the word in the facts.
    const ALL: [(&'static str, &'static str, Self); 8] = [
        ("agents", "agent", Self::Agent),
        ("applications", "application", Self::Application),
        ("dereferencers", "dereferencer", Self::Dereferencer),
        ("auditors", "auditor", Self::Auditor),
        ("people", "person", Self::Person),
        ("administrators", "administration", Self::Administration),
        ("monitoring", "monitoring", Self::Monitoring),
        ("replication", "replication", Self::Replication),
    ];

    /// The word in the facts.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(.., purpose)| *purpose == self).map_or("unknown", |(_, name, _)| name)
    }
}

/// Names or globs of roles, by what they are for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// In the order of the file.
    pub purposes: Vec<(Purpose, String)>,
    /// `free_sql: [analyst_agent]`: roles that run SQL nobody has reviewed. None: not declared.
    pub free_sql: Option<Vec<String>>,
}

impl Roles {
    /// The declared purpose of a role: a plain name before a glob, an earlier line before a later one.
    pub fn purpose(&self, role: &str) -> Option<Purpose> {
        let plain = self.purposes.iter().find(|(_, declared)| declared == role);
        let by_glob = || self.purposes.iter().find(|(_, declared)| matches(declared, role));
        plain.or_else(by_glob).map(|(purpose, _)| *purpose)
    }

    /// Whether a role runs SQL nobody has reviewed, where that is declared.
    pub fn runs_free_sql(&self, role: &str) -> Option<bool> {
        let declared = self.free_sql.as_ref()?;
        Some(declared.iter().any(|name| matches(name, role)))
    }
}

/// Whether a declared name or glob means a role.
pub(crate) fn matches(declared: &str, role: &str) -> bool {
    declared == role || Pattern::new(declared).is_ok_and(|pattern| pattern.matches(role))
}

pub(super) fn read(reader: &Reader, node: &Node) -> Option<Roles> {
    const KEYS: [&str; 9] = [
        "agents",
        "applications",
        "dereferencers",
        "auditors",
        "people",
        "administrators",
        "monitoring",
        "replication",
        "free_sql",
    ];
    let fields = reader.fields(node, "`roles`", &KEYS)?;
    let mut purposes: Vec<(Purpose, String)> = Vec::new();
    for (key, _, purpose) in Purpose::ALL {
        for (node, name) in fields.optional(key).and_then(|node| names(reader, node)).unwrap_or_default() {
            if let Some((other, _)) = purposes.iter().find(|(_, known)| *known == name) {
                let message = format!("`{name}` is declared twice, as {} and as {}", other.name(), purpose.name());
                let mistake = Mistake::new(node.place, message, "again");
                reader.mistake(mistake.help("a login serves one purpose; two of them need two logins"));
            }
            purposes.push((purpose, name));
        }
    }
    let free_sql = fields.optional("free_sql").map(|node| names(reader, node).unwrap_or_default());
    let free_sql = free_sql.map(|names| names.into_iter().map(|(_, name)| name).collect());
    Some(Roles { purposes, free_sql })
}

/// Role names as PostgreSQL stores them, or globs.
fn names<'a>(reader: &Reader, node: &'a Node) -> Option<Vec<(&'a Node, String)>> {
    let names = reader.texts(node)?;
    for (node, name) in &names {
        if let Err(error) = Pattern::new(name) {
            reader.mistake(Mistake::new(node.place, format!("`{name}` is no glob: {}", error.msg), "a role or a glob"));
        }
    }
    Some(names)
}
