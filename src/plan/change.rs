//! What a plan wants changed: plain DDL, one idea, before it is made safe for a live system.

use std::borrow::Cow;

/// When a change is made: every table has its key before rows are filled in, every policy stands before it is enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Roles, schemas, types, functions: nothing that exists is touched.
    Ground,
    /// Tables that do not exist yet, with all that belongs to them.
    Table,
    /// Columns of tables that exist.
    Column,
    /// What keeps new rows right while old code still writes.
    Fill,
    /// The same, taken from columns that other tables get by the plan: once all of them are there.
    Follow,
    /// Rows that are there already, in batches.
    Backfill,
    /// Indexes and unique keys.
    Index,
    /// Foreign keys, checks, NOT NULL.
    Constraint,
    /// Policies, then ENABLE and FORCE in one statement.
    Policy,
    /// Views, materialized views, functions, partitions: ways around a policy.
    SideDoor,
    /// Triggers that guard or record.
    Guard,
    /// Grants, owners, attributes of roles, publications.
    Right,
    /// Comments and settings.
    Note,
}

/// One statement, without its semicolon, and what takes it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Plain PostgreSQL: `create index on …`, never `concurrently`; harden makes it safe.
    pub up: String,
    /// The statement or statements that undo it; none: worked out from `up` and the facts.
    pub down: Option<String>,
}

impl Statement {
    /// A statement whose opposite follows from itself.
    pub fn new(up: impl Into<String>) -> Self {
        Self { up: up.into(), down: None }
    }

    /// With the statements that undo it, separated by semicolons; empty: there is nothing to undo.
    pub fn undone_by(up: impl Into<String>, down: impl Into<String>) -> Self {
        Self { up: up.into(), down: Some(down.into()) }
    }
}

/// What a change is made for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closes {
    /// Id of the check, or `stage N`.
    pub check: String,
    /// The object, or the name of the stage's criterion.
    pub object: String,
}

/// What only the owner can answer. A default from the facts is taken where `govctl.yaml` is silent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// `tenant-table`, `user-table`, …, or the check that asks.
    pub id: Cow<'static, str>,
    /// In one sentence.
    pub question: String,
    /// What the plan goes by.
    pub default: String,
    /// Where it is answered: the key of govctl.yaml.
    pub key: Cow<'static, str>,
    /// Whether govctl.yaml answered it.
    pub answered: bool,
}

/// One idea, and the statements it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Of the migration, in snake_case ASCII: `add_tenant_id_to_invoices`. At most 50 characters.
    pub name: String,
    /// The stage it belongs to, 2 to 5.
    pub stage: u8,
    /// When.
    pub phase: Phase,
    /// Why, one sentence; first line of the file.
    pub why: String,
    /// In order.
    pub statements: Vec<Statement>,
    /// What it is made for.
    pub closes: Vec<Closes>,
    /// Ids of the questions that decided something in it.
    pub questions: Vec<Cow<'static, str>>,
}
