//! The history of a schema, from the folder of its migrations: which stage, since when, by which file and line.
//!
//! ```text
//! folder ─► tools (order, up parts) ─► sql, code (events with places) ─► timeline (schema, judge) ─► transitions
//! ```

mod changelog;
mod code;
mod dates;
mod event;
pub mod facts;
mod folder;
mod judge;
mod kept;
mod ledger;
mod read;
mod schema;
mod secrets;
mod sql;
mod timeline;
mod tools;

pub(crate) use code::{Language, assigned, listed_pairs};
pub(crate) use folder::Folder;
pub(crate) use kept::{atlas_sum, graphile_hash};
pub use read::{Fault, History, Known, Line, Migration, Regressed, Statement, Transition, UnisolatedKey, Unreadable};
pub(crate) use sql::statements;
pub use tools::{is_tool, names as tool_names};
pub(crate) use tools::{named, recognise};
