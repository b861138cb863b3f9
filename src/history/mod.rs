//! The history of a schema, from the folder of its migrations: which stage, since when, by which file and line.
//!
//! ```text
//! folder ─► tools (order, up parts) ─► sql, code (events with places) ─► timeline (schema, judge) ─► transitions
//! ```

pub(crate) mod atlas_sum;
mod code;
mod dates;
mod event;
pub mod facts;
mod folder;
pub(crate) mod graphile_hash;
mod judge;
mod ledger;
mod read;
mod schema;
mod sql;
mod timeline;
mod tools;

pub(crate) use code::{Language, assigned, listed_pairs};
pub(crate) use folder::Folder;
pub use read::{Fault, History, Known, Line, Migration, Regressed, Statement, Transition, UnisolatedKey, Unreadable};
pub(crate) use sql::statements;
pub use tools::{is_tool, names as tool_names};
pub(crate) use tools::{named, recognise};
