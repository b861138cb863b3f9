//! The whole program against real servers: one binary, so that it is linked once and its tests share one PostgreSQL.
//!
//! A file a command or a data-driven suite. One suite is run by its name: `cargo test --test it proofs::`.

mod assess;
mod attacks;
mod chain_parts;
mod chains;
mod checks;
mod cli;
mod collect;
mod connect;
mod decided;
mod diagnose;
mod event_logs;
mod facts_file;
mod files;
mod fixtures;
mod formats;
mod frameworks;
mod history;
mod hostile;
mod ladder;
mod man;
mod matrix;
mod outlets;
mod plan;
mod policies;
mod privileges;
mod proofs;
mod prove;
mod readme;
mod requirements;
mod scorecard;
mod scratch;
mod secrets;
mod support;
mod tampering;
mod witness;
mod written;
