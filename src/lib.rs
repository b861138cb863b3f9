//! govctl audits the governance of a PostgreSQL database that AI agents work on.
//!
//! ```text
//! live database ─┐
//! saved facts ───┴─ target ─► facts (SQLite) ─► derive ─► checks/*.yaml ─► assess ─► report, exit code
//! ```
//!
//! * [`target`]: where facts come from, a read-only session or a scratch server
//! * [`facts`]: everything the checks may know, and what Rust derives from it
//! * [`check`]: a rule, from YAML to rows
//! * [`assess`]: verdicts, findings, the answers, the exit code
//! * [`chain`]: tables whose rows vouch for each other, and the proof that they still do
//! * [`diff`]: two facts files, held side by side
//! * [`plan`]: migrations to the next stage
//! * [`report`]: an assessment, said in one format; decides nothing
//! * [`secrets`]: what a secret looks like, and how to speak of one without repeating it
//! * [`yaml`]: files people write, read so that every mistake is reported at once, each with a caret
//! * [`cli`]: what a person may type; [`ui`]: the only code that writes to a stream

pub mod assess;
pub mod chain;
pub mod check;
pub mod cli;
pub mod config;
pub mod diff;
pub mod error;
pub mod exit;
pub mod facts;
pub mod history;
pub mod plan;
pub mod report;
pub mod secrets;
pub mod target;
pub mod ui;
pub mod yaml;
