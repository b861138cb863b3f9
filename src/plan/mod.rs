//! The way from an assessment to the next stage: migrations that a careful team would merge.
//!
//! ```text
//! findings ──► fixes ─┐
//! facts ─► structures ┴► changes ─► order ─► harden (safe on a live system, undo, lock) ─► steps ─► lint, write, prove
//! ```
//!
//! Nothing here speaks to the audited database.

mod change;
mod step;
pub mod structures;

pub use change::{Change, Closes, Phase, Question, Statement};
pub use step::{Plan, Proof, Step, Unproved};
