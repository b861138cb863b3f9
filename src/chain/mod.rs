//! Hash chains: tables whose rows vouch for the rows before them, and the proof that they still do.
//!
//! ```text
//! catalogs ─► discover ─► Chain ─► ranges ─► walk ─► segments ─► join ─► diagnose ─► report
//! ```
//!
//! * [`recipe`]: how a row becomes bytes; [`v1`]: the recipe govctl writes itself
//! * [`discover`]: pair, order, partition and formula, from data and sources
//! * [`hazards`]: what a formula leaves open, for the checks
//! * [`walk`]: one run of rows; [`segment`]: what it says, and joining two
//! * [`loose`]: links of a table that no index orders
//! * [`links`]: a damaged chain looked at again, row by row; [`lost`]: which rows are gone; [`diagnose`]: what happened to it
//! * [`described`], [`evidence`]: how a chain was verified and what came of it, for somebody else
//! * [`expect`]: heads that are known from outside
//! * [`merkle`], [`note`], [`checkpoint`], [`pins`]: what a chain was once, signed and kept elsewhere
//! * [`shard`]: a part of a chain, read by itself; [`kept`]: an interrupted run; [`none`]: tables without rows
//! * [`run`]: all of it, for the tables of a database

pub mod algorithm;
mod array;
pub mod checkpoint;
pub mod definition;
pub mod described;
pub mod diagnose;
pub mod discover;
pub mod doubt;
pub mod encoding;
pub mod evidence;
pub mod expect;
pub mod form;
pub mod genesis;
pub mod hazards;
pub mod items;
pub mod json_form;
pub mod judge;
pub mod kept;
pub mod links;
pub mod loose;
pub mod lost;
pub mod merkle;
pub mod none;
pub mod note;
mod pace;
pub mod pins;
pub mod ranges;
pub mod recipe;
pub mod relation;
pub mod run;
pub mod segment;
mod session;
pub mod shard;
pub mod source;
pub mod stream;
pub mod time;
pub mod traits;
pub mod v1;
pub mod validity;
pub mod value;
pub mod variant;
pub mod verdict;
pub mod walk;
mod wire;
pub mod workers;
