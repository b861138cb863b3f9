//! The facts: SQLite, in memory while it is worked on.

use crate::error::Stop;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Encode, Sqlite, SqliteConnection, Type};
use std::time::Duration;

/// Values in one statement. SQLite allows 32,766; more than this makes compiling it dearer than running it again.
const MAX_BINDS: usize = 2_000;

/// Rows SQLite's thread may have ready before they are asked for. Waking the other thread for each few of them costs more
/// than reading them.
const ROWS_AHEAD: usize = 4_096;

/// How long one check may take before SQLite is told to stop; the largest databases need a fraction of a second.
const PATIENCE: Duration = Duration::from_secs(30);

/// Facts about one database.
#[derive(Debug)]
pub struct Facts {
    connection: SqliteConnection,
    patience: Duration,
}

impl Facts {
    /// No facts yet, in memory.
    pub async fn empty() -> Result<Self, Stop> {
        // Not `in_memory(true)`: with that flag SQLite takes every file it attaches or writes for another one in memory.
        let connection = SqliteConnectOptions::new()
            .filename(":memory:")
            .journal_mode(SqliteJournalMode::Memory)
            .synchronous(SqliteSynchronous::Off)
            .pragma("temp_store", "memory")
            .pragma("trusted_schema", "off")
            .row_buffer_size(ROWS_AHEAD)
            .connect()
            .await?;
        let mut facts = Self { connection, patience: PATIENCE };
        facts.run(super::SCHEMA).await?;
        Ok(facts)
    }

    /// The same facts on a thread of their own, to be read only. What was not stored for good is not among them.
    pub(crate) async fn twin(&mut self) -> Result<Self, Stop> {
        let copy = self.connection.serialize(None).await?;
        let options = SqliteConnectOptions::new().filename(":memory:").pragma("temp_store", "memory");
        let options = options.pragma("trusted_schema", "off").row_buffer_size(ROWS_AHEAD);
        let mut connection = options.connect().await?;
        connection.deserialize(None, copy, true).await?;
        // Every page it has read: the copy is in memory already, but would be read page by page again and again.
        sqlx::raw_sql("pragma cache_size = 1000000").execute(&mut connection).await?;
        Ok(Self { connection, patience: self.patience })
    }

    /// How long one check over them may take.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// The same, for those who wait less.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// For queries over the facts.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Appends rows to a table, all or none. A value may be text throughout: a column declared `integer` or `real`
    /// stores the number.
    pub async fn insert<V>(&mut self, table: &str, columns: &[&str], rows: Vec<Vec<V>>) -> Result<(), Stop>
    where
        V: Encode<'static, Sqlite> + Type<Sqlite> + 'static,
    {
        self.insert_values(table, columns, rows.into_iter().flatten().collect()).await
    }

    /// The same for rows laid end to end.
    pub(crate) async fn insert_values<V>(&mut self, table: &str, columns: &[&str], values: Vec<V>) -> Result<(), Stop>
    where
        V: Encode<'static, Sqlite> + Type<Sqlite> + 'static,
    {
        // One statement is all or nothing by itself.
        if values.len() <= MAX_BINDS {
            return self.insert_in_parts(table, columns, values).await;
        }
        self.run("begin").await?;
        let inserted = self.insert_in_parts(table, columns, values).await;
        self.run(if inserted.is_ok() { "commit" } else { "rollback" }).await?;
        inserted
    }

    async fn insert_in_parts<V>(&mut self, table: &str, columns: &[&str], values: Vec<V>) -> Result<(), Stop>
    where
        V: Encode<'static, Sqlite> + Type<Sqlite> + 'static,
    {
        if columns.is_empty() || !values.len().is_multiple_of(columns.len()) {
            let message = format!("the facts store failed: a row for {table:?} has not one value for each column");
            return Err(Stop::Facts { message, help: None });
        }
        let names = columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        let row = format!("({})", vec!["?"; columns.len()].join(", "));
        let statement =
            |rows| format!("insert into {} ({names}) values {}", quoted(table), vec![&*row; rows].join(", "));
        let most = (MAX_BINDS / columns.len()).max(1);
        let full = statement(most);
        let mut values = values.into_iter();
        while values.len() > 0 {
            let rows = (values.len() / columns.len()).min(most);
            // AssertSqlSafe: identifiers are quoted, values are bound.
            let sql = if rows == most { full.clone() } else { statement(rows) };
            let query = sqlx::query(AssertSqlSafe(sql)).persistent(rows == most);
            let part = values.by_ref().take(rows * columns.len());
            part.fold(query, sqlx::query::Query::bind).execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// Runs statements of govctl's own.
    pub(crate) async fn run(&mut self, script: &'static str) -> Result<(), Stop> {
        sqlx::raw_sql(script).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Whether the audited database subscribes to another.
    pub(crate) async fn has_subscriptions(&mut self) -> Result<bool, Stop> {
        Ok(sqlx::query_scalar("select exists (select 1 from subscriptions)").fetch_one(&mut self.connection).await?)
    }

    /// Whether the audited database has this schema.
    pub(crate) async fn has_schema(&mut self, name: &str) -> Result<bool, Stop> {
        let sql = "select exists (select 1 from schemas where name = ?)";
        Ok(sqlx::query_scalar(sql).bind(name).fetch_one(&mut self.connection).await?)
    }

    /// Whether the audited database has this relation.
    pub(crate) async fn has_relation(&mut self, schema: &str, name: &str) -> Result<bool, Stop> {
        let sql = "select exists (select 1 from relations where schema = ? and name = ?)";
        Ok(sqlx::query_scalar(sql).bind(schema).bind(name).fetch_one(&mut self.connection).await?)
    }
}

/// An SQLite identifier.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
