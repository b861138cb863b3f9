//! A statement in its safe form, with what a step has to know of it.

use super::change::{Closes, Phase};
use super::ddl::Name;
use std::borrow::Cow;

/// The strongest lock on something that exists, from nothing up: PostgreSQL's documentation, section 13.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lock {
    /// None on tables that exist.
    #[default]
    Nothing,
    /// Rows, a batch at a time.
    Rows,
    /// Reads and writes go on; no other schema change.
    ShareUpdateExclusive,
    /// Reads go on.
    ShareRowExclusive,
    /// Nothing goes on, for the time of a change in the catalog.
    AccessExclusive,
    /// Nothing goes on while the table is written anew.
    Rewrite,
}

impl Lock {
    /// In words, for the table where it is one.
    pub(crate) fn words(self, table: Option<&Name>) -> String {
        let on = table.map(|table| format!(" on {table}")).unwrap_or_default();
        match self {
            Self::Nothing => "none on tables".to_owned(),
            Self::Rows => format!("row locks{on}, in batches"),
            Self::ShareUpdateExclusive => format!("SHARE UPDATE EXCLUSIVE{on}; reads and writes go on"),
            Self::ShareRowExclusive => format!("SHARE ROW EXCLUSIVE{on}, milliseconds; reads go on"),
            Self::AccessExclusive => format!("ACCESS EXCLUSIVE{on}, milliseconds"),
            Self::Rewrite => format!("ACCESS EXCLUSIVE{on} while the table is rewritten"),
        }
    }
}

/// When inside the phase of constraints.
/// Unique keys first: foreign keys refer to them, and are taken away before them.
pub(crate) const UNIQUE: u8 = 0;
pub(crate) const NOT_VALID: u8 = 1;
pub(crate) const VALIDATE: u8 = 2;
pub(crate) const FINISH: u8 = 3;

/// Statements that belong together, and where they go.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) stage: u8,
    pub(crate) phase: Phase,
    /// Order inside the phase.
    pub(crate) segment: u8,
    /// The table it locks; pieces about one table are one migration.
    pub(crate) table: Option<Name>,
    pub(crate) transaction: bool,
    /// It reads or writes every row, and may take long.
    pub(crate) long: bool,
    pub(crate) lock: Lock,
    pub(crate) up: Vec<String>,
    /// In the order in which they are run.
    pub(crate) down: Vec<String>,
    pub(crate) lost: Vec<String>,
    pub(crate) notes: Vec<String>,
    /// Name of a migration of its own; none: named after the phase and the table.
    pub(crate) name: Option<String>,
    pub(crate) why: String,
    pub(crate) closes: Vec<Closes>,
    pub(crate) questions: Vec<Cow<'static, str>>,
}
