//! A plan as files for the project's own migration tool: named, numbered and marked as that tool expects.
//!
//! ```text
//! folder ─► ground (tool, place, what is there) ─┐
//! plan ───► parts (what the tool can send) ──────┴► tools/ (files to be) ─► disk (all of them, or none)
//! ```
//!
//! Nothing is overwritten. An index of migrations that the tool keeps (a journal, a plan, sums) is continued.

mod disk;
mod draft;
mod ground;
mod header;
mod inside;
mod number;
mod part;
mod quote;
mod script;
mod tame;
mod tools;
mod verify;

use super::Plan;
use crate::error::Stop;
use ground::Ground;
use std::path::{Path, PathBuf};

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The tool whose folder it is.
    pub tool: &'static str,
    /// Every file that is new or was continued, in the order in which they run.
    pub files: Vec<PathBuf>,
    /// What whoever runs them has to know, a sentence or two each.
    pub notes: Vec<String>,
}

/// Writes a plan into a folder, which need not exist yet. `tool` overrides what the folder looks like.
pub fn write(plan: &Plan, folder: &Path, tool: Option<&str>, now: jiff::Timestamp) -> Result<Written, Stop> {
    let ground = Ground::look(folder, tool, now)?;
    let outside = (ground.writer.outside)(&ground);
    let parts = part::parts(plan, outside, &ground)?;
    let mut draft = (ground.writer.draft)(&ground, &parts)?;
    if ground.writer.name == "atlas" || ground.has(tools::SUM) {
        tools::sums(&ground, &mut draft)?;
    }
    let mut notes = part::notes(&parts, outside, &ground);
    notes.append(&mut draft.notes);
    let files = disk::put(&ground, draft)?;
    Ok(Written { tool: ground.writer.name, files, notes })
}
