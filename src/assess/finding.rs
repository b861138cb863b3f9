//! One thing that is wrong, and the object a reader would open to see it.

use crate::check::{CheckId, Severity};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt;

/// The object a finding is about. For anything about a relation, its policies, triggers or grants it is the relation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectRef {
    /// `table`, `view`, `role`, `function`, `setting`, `database`, …
    pub kind: String,
    /// Schema, for objects that live in one.
    pub schema: Option<String>,
    /// Name as PostgreSQL stores it: unquoted, possibly hostile. For a function, with its argument types.
    pub name: String,
    /// Column, where the finding is about one.
    pub column: Option<String>,
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        f.write_str(&self.name)?;
        if let Some(column) = &self.column {
            write!(f, ".{column}")?;
        }
        Ok(())
    }
}

/// Names a finding across runs: SHA-256 over check, object and the identity columns of its row, in hex.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub String);

impl Fingerprint {
    /// The fingerprint of a finding. `identity` tells apart several findings of one check on one object
    /// (the login, the policy); what may change without being another finding (counts, wording) is not part of it.
    pub fn of(check: &CheckId, object: &ObjectRef, identity: &[(&str, &str)]) -> Self {
        let mut hash = Sha256::new();
        let mut field = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        };
        field(&check.0);
        field(&object.kind);
        field(object.schema.as_deref().unwrap_or(""));
        field(&object.name);
        field(object.column.as_deref().unwrap_or(""));
        for (name, value) in identity {
            field(name);
            field(value);
        }
        Self(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// The migration that brought something in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduced {
    /// As given on the command line, then the file.
    pub path: String,
    /// Of the statement, from 1.
    pub line: u32,
}

/// Why a finding is not open although it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pardon {
    /// Somebody accepts it for a while.
    Waiver {
        /// Why.
        reason: String,
        /// Who answers for it.
        owner: String,
        /// The last day on which that counts.
        until: jiff::civil::Date,
    },
    /// It was there when the baseline was taken, and no better then.
    Baseline,
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub struct Finding {
    /// How bad it is here, by who can reach it and by what the declared stage asks of the axis.
    pub severity: Severity,
    /// The same whatever the stage.
    pub unscaled: Severity,
    /// What to open.
    pub object: ObjectRef,
    /// One sentence, from the check's `finding` template.
    pub message: String,
    /// Further columns of the check's row: the evidence.
    pub facts: Map<String, Value>,
    /// SQL that mends it, proved on scratch; none where a decision is needed.
    pub fix: Option<String>,
    /// SQL of the usual decision, where one is needed: what a plan goes by.
    pub default: Option<String>,
    /// Stable across runs: names the finding, however bad it is.
    pub fingerprint: Fingerprint,
    /// What it is like now, in 16 hex digits; changes when the expressions or the evidence behind it do, see [`super::state`].
    pub state: String,
    /// Where it came from, as far as the migrations say.
    pub introduced: Option<Introduced>,
    /// Why it is not open; none where it is.
    pub pardon: Option<Pardon>,
}

impl Finding {
    /// Whether it counts.
    pub const fn is_open(&self) -> bool {
        self.pardon.is_none()
    }
}
