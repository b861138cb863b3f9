//! Runs the statements of a copy: many at a time, those that fail once more when others have made what they need.

use crate::error::Stop;
use crate::plan::Unproved;
use crate::target::refusal;
use sqlx::{AssertSqlSafe, PgConnection};

/// Statements in one message. A refused one costs the message, and each of it is then sent alone.
const TOGETHER: usize = 64;

/// One statement, and what it makes.
#[derive(Clone, Debug)]
pub(super) struct Making {
    pub(super) sql: String,
    /// `table`, `policy`, …
    pub(super) kind: &'static str,
    /// What a reader calls it.
    pub(super) name: String,
}

impl Making {
    pub(super) fn new(kind: &'static str, name: impl Into<String>, sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), kind, name: name.into() }
    }
}

/// A superuser's connection to the scratch database, and what could not be made there.
pub(super) struct Maker<'c> {
    pub(super) connection: &'c mut PgConnection,
    pub(super) notes: Vec<Unproved>,
    /// Of the scratch server.
    pub(super) version: u32,
}

impl Maker<'_> {
    /// Makes all of it, in this order as far as that can be. What is refused in the end is a note.
    pub(super) async fn make(&mut self, makings: Vec<Making>) -> Result<(), Stop> {
        for (making, said) in self.attempt(makings).await? {
            self.note(making.kind, making.name, said);
        }
        Ok(())
    }

    /// The same; what is refused in the end comes back with the server's words.
    pub(super) async fn attempt(&mut self, mut waiting: Vec<Making>) -> Result<Vec<(Making, String)>, Stop> {
        loop {
            let before = waiting.len();
            let mut refused = Vec::new();
            let mut rest = waiting.into_iter().peekable();
            while rest.peek().is_some() {
                let part: Vec<_> = rest.by_ref().take(TOGETHER).collect();
                let message = part.iter().map(|making| making.sql.as_str()).collect::<Vec<_>>().join("\n;\n");
                if part.len() > 1 && self.send(message).await?.is_none() {
                    continue;
                }
                for making in part {
                    if let Some(said) = self.send(making.sql.clone()).await? {
                        refused.push((making, said));
                    }
                }
            }
            if refused.is_empty() || refused.len() == before {
                return Ok(refused);
            }
            waiting = refused.into_iter().map(|(making, _)| making).collect();
        }
    }

    /// Sends a message, which the server takes whole or not at all. Gives why it did not.
    pub(super) async fn send(&mut self, sql: String) -> Result<Option<String>, Stop> {
        // AssertSqlSafe: decompiled by PostgreSQL, or put together with quoted names; for a throwaway database.
        match sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *self.connection).await {
            Ok(_) => Ok(None),
            Err(error) if refusal::is_lost(&error) => Err(refusal::lost(error)),
            Err(error) => Ok(Some(said(&error))),
        }
    }

    /// Something of the original that is not in the copy.
    pub(super) fn note(&mut self, kind: &str, name: impl Into<String>, why: impl std::fmt::Display) {
        let why = format!("this {kind} is not in the copy: {why}");
        self.notes.push(Unproved { check: "copy".to_owned(), object: name.into(), why });
    }
}

/// The server's message, without what surrounds it.
pub(in crate::plan::prove) fn said(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}
