//! Everything the checks may know about one database, as tables in SQLite.

pub mod collect;
pub mod derive;
mod file;
mod store;
mod value;

pub use store::Facts;

/// The schema of the facts: a public contract, printed by `govctl facts --schema`.
pub const SCHEMA: &str = include_str!("schema.sql");

/// Raised when a fact changes its meaning; `target.schema_version` of what this govctl writes.
pub const SCHEMA_VERSION: i64 = 1;
