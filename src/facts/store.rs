//! The facts file: SQLite, in memory while it is worked on.

use crate::error::Stop;
use sqlx::{Connection, SqliteConnection};

/// Facts about one database.
#[derive(Debug)]
pub struct Facts {
    connection: SqliteConnection,
}

impl Facts {
    /// No facts yet, in memory.
    pub async fn empty() -> Result<Self, Stop> {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await?;
        sqlx::raw_sql(super::SCHEMA).execute(&mut connection).await?;
        Ok(Self { connection })
    }

    /// For queries over the facts.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}
