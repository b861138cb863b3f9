//! Hash chains: tables whose rows vouch for the rows before them, and the proof that they still do.
//!
//! ```text
//! catalogs ─► discover ─► Chain ─► ranges ─► walk ─► segments ─► join ─► diagnose ─► report
//! ```
//!
//! * [`recipe`]: how a row becomes bytes; [`v1`]: the recipe govctl writes itself
//! * [`discover`]: pair, order, partition and formula, from data and sources
//! * [`walk`]: one run of rows; [`segment`]: what it says, and joining two
//! * [`links`]: a damaged chain looked at again, row by row; [`lost`]: which rows are gone; [`diagnose`]: what happened to it
//! * [`expect`]: heads that are known from outside
//! * [`merkle`], [`note`], [`checkpoint`], [`pins`]: what a chain was once, signed and kept elsewhere
//! * [`run`]: all of it, for the tables of a database

pub mod algorithm;
pub mod checkpoint;
pub mod definition;
pub mod diagnose;
pub mod discover;
pub mod encoding;
pub mod expect;
pub mod form;
pub mod genesis;
pub mod items;
pub mod json_form;
pub mod judge;
pub mod links;
pub mod lost;
pub mod merkle;
pub mod note;
pub mod pins;
pub mod ranges;
pub mod recipe;
pub mod relation;
pub mod run;
pub mod segment;
pub mod source;
pub mod stream;
pub mod time;
pub mod v1;
pub mod value;
pub mod verdict;
pub mod walk;
pub mod workers;
