//! The history table that a migration tool keeps in the database.

use super::read::History;
use crate::error::Stop;
use sqlx::postgres::PgConnectOptions;

impl History {
    /// Holds the folder against the history table of a database.
    pub async fn compare(&mut self, _options: PgConnectOptions) -> Result<(), Stop> {
        Ok(())
    }
}
