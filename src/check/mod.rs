//! A rule: from YAML to rows. A definition, never a result.

mod library;
mod load;
pub mod needs;
pub mod proof;
mod query;
pub mod quote;
mod run;
mod sql;
pub mod template;
mod verify;

pub use library::{BadLibrary, Ids, Library, UnknownCheck};
pub use load::{load, parse};
pub(crate) use run::text;
pub use run::{Row, Standing, evaluate, evaluate_all};

use crate::config::Config;
use crate::yaml::Place;
use serde::{Deserialize, Serialize};
use std::fmt;

/// `axis-or-topic/name`: the file's path below `checks/` without its ending.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckId(pub String);

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How bad a finding is; ordered from `Info` up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Info,
    /// Hygiene.
    Low,
    /// Weakens a control.
    Medium,
    /// A control is missing or can be walked around.
    High,
    /// Another tenant's data, a secret or the evidence is exposed now.
    Critical,
}

/// Every severity, as it is written, from little to much.
pub const SEVERITIES: [(&str, Severity); 5] = [
    ("info", Severity::Info),
    ("low", Severity::Low),
    ("medium", Severity::Medium),
    ("high", Severity::High),
    ("critical", Severity::Critical),
];

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        })
    }
}

/// The four access-control axes of the source documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// Customer A cannot see customer B's data.
    TenantIsolation,
    /// Different callers see different slices of one tenant's data.
    Rbac,
    /// The agent never sees keys, secrets or raw personal data.
    SecretSeparation,
    /// Who did what, provably.
    Audit,
}

/// Every axis, as it is written, in order.
pub const AXES: [(&str, Axis); 4] = [
    ("tenant-isolation", Axis::TenantIsolation),
    ("rbac", Axis::Rbac),
    ("secret-separation", Axis::SecretSeparation),
    ("audit", Axis::Audit),
];

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TenantIsolation => "tenant-isolation",
            Self::Rbac => "rbac",
            Self::SecretSeparation => "secret-separation",
            Self::Audit => "audit",
        })
    }
}

/// What the check's own proof says it finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofCase {
    /// PostgreSQL DDL that brings the fault in.
    pub bad: String,
    /// The messages the check then prints, in any order.
    pub finds: Vec<String>,
    /// Further schemas on which the check must stay silent.
    pub good: Vec<String>,
    /// Only provable on servers from this `server_version_num` on.
    pub since: Option<u32>,
    /// The `govctl.yaml` that every step of the proof runs under.
    pub config: Config,
}

/// One rule, parsed and well-formed.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its path.
    pub id: CheckId,
    /// What is wrong, as a headline; names the bad pattern.
    pub title: String,
    /// Which question it bears on.
    pub axis: Axis,
    /// Holding it is part of this stage, 1 to 5.
    pub stage: u8,
    /// Where the row does not say otherwise.
    pub severity: Severity,
    /// Requirement ids of `checks/requirements.yaml`.
    pub covers: Vec<String>,
    /// Framework (`nist`, `owasp_llm`, `soc2`, …) and control ids.
    pub controls: Vec<(String, Vec<String>)>,
    /// Why it matters.
    pub why: String,
    /// What the check cannot see.
    pub limits: Option<String>,
    /// SQLite over the facts. Columns: `name`, `kind`, then optionally `schema`, `column`, `severity`, and any others for the templates.
    pub sql: String,
    /// The facts that `sql` rests on.
    pub rests_on: std::collections::BTreeSet<&'static str>,
    /// Columns of `sql`, beside the object, that tell findings on one object apart.
    pub identity: Vec<String>,
    /// minijinja: the message of a finding.
    pub finding: String,
    /// minijinja: SQL that mends it; none where a person must decide.
    pub fix: Option<String>,
    /// What the person must decide, where `fix` is none.
    pub ask: Option<String>,
    /// SQL of the answer that a plan goes by where nobody answers; a template like `fix`.
    pub default: Option<String>,
    /// Runs even where a single tenant is declared, and so tenant isolation is otherwise not applicable.
    pub applies_to_single_tenant: bool,
    /// How the check proves itself.
    pub proof: ProofCase,
    /// The file as written, and where its parts stand in it: for carets.
    pub source: std::sync::Arc<CheckSource>,
}

/// The text a check was parsed from.
#[derive(Debug)]
pub struct CheckSource {
    /// Path as given or as embedded, e.g. `checks/tenant-isolation/rls-disabled.yaml`.
    pub path: String,
    /// The whole file.
    pub text: String,
    /// Where `sql` stands.
    pub sql: Place,
    /// Where `finding` stands.
    pub finding: Place,
    /// Where `fix` stands.
    pub fix: Place,
    /// Where `default` stands, or `fix` where there is none.
    pub default: Place,
    /// Where `identity` stands, or `sql` where there is none.
    pub identity: Place,
}
